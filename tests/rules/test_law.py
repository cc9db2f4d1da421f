"""The contract's sentences in our words, section by section, each with the tests that hold it.

A name is that of a test function or the id of a row in a table. It is read from the tests' own text, so a test that is
renamed or taken away leaves a gap that is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
NAMES = re.compile(r"^(?:#{1,2} ([\w.-]+)(?: \[[^\]]*\])?:|(?:async )?def (test_\w+))", re.MULTILINE)

LAW = """
1.1 statements are matched by what they bind and are, and comments and formatting are no change
    nothing-but-comments n138-comment-only n021-reordered n166-only-comments
1.2 what was not edited does not run: value, state and effects stay
    n140-side-effect-once n132-counter n143-monkeypatched-name
1.3 what moved does not run, and its lines are right at once
    n140-side-effect-moved n030-shift n033-getsource n166-lines-after-an-insert
1.4 a changed statement runs, which starts its value again
    n132-counter-initialiser-edited n135-constant-rebound-since n138-touched-dict-own-statement
1.5 what is edited runs in the order of the new source
    n135-constant use-above-a-star-import n173-missing-import
1.6 names of what went go, unless something else binds them
    n144-global-removed n144-removed-binding-of-two in-if-removed in-if-names-removed n144-removed-from-loop
1.7 an effect that was removed cannot be taken back, and is told
    removed-effect removed-loop
1.8 edits inside `if`, `try`, `with` and `for` are matched inside
    n022-in-if n023-in-try n024-in-with n025-in-loop type-checking-block n136-import-in-try
1.9 an effect that nobody edited never happens twice
    n140-side-effect-once n140-side-effect-of-stale-name n141-logging-handlers n148-process-settings
1.10 a `from __future__` line is part of every statement
    n027-future-added n027-annotations-everywhere n027-future-body-edit
1.11 entries that a definition's decorators made go with it and are not doubled, and the report names each
    n150-handler-removed n151-route-path-changed n150-reregistered-once n150-class-removed n151-list-of-tuples-removed
    generic-function-loses-one
1.12 hidden holders of code that only moved show their new lines
    test_a_closure_below_an_inserted_line_shows_its_new_line test_callbacks_that_a_loop_holds_show_their_new_lines
1.13 a `del` is part of what it takes away
    passing-value passing-helper passing-import passing-loop-variable passing-in-class del-comes-and-goes
2.1 an edited function is the same object with new code, defaults, annotations, docstring and attributes
    n001-body-held n003-default-edited n004-keyword-default n006-docstring n007-annotations n008-attributes
2.2 whoever holds it runs the new code: callbacks, partials, imports, tables, threads, closures
    n010-from-import n011-partial n012-foreign-dict n076-bound-method n067-thread-target n054-already-created
2.3 defaults and decorators that nobody edited are not evaluated again
    n133-default-of-edited-signature default-object-of-other-parameter-stays n037-body-wraps
2.4 attributes that the program put on it stay
    n008-attributes n006-docstring-set-by-program
2.5 a lambda that a name holds is a function
    n026-lambda-held n026-lambda-to-def n026-lambda-default given-lambda-edited
2.6 a name that was rebound keeps what it holds, and its function is grafted all the same
    n143-monkeypatched-name n143-monkeypatched-method n143-monkeypatched-signature
2.7 a body behind a decorator is grafted wherever it hides, and the decorator does not run
    n037-body-wraps n037-body-method n044-without-wraps n045-instance-state n037-registry-only
    decorator-object-keeps-count
2.8 an `lru_cache` is emptied by what it reaches, and by nothing else
    n046-lru-cache n047-lru-callee n046-lru-cache-method
2.9 what a `cached_property` or the program stored is state
    n048-cached-property cached-property-kept
2.10 a changed decorator list runs again, and the old object acts as the new one
    n038-removed n039-added n040-arguments n043-stacked decorator-toggled
2.11 functions inside a decorator are grafted into live wrappers, its own code makes what it decorated stale
    n041-implementation-inner n041-implementation-own n041-implementation-shape n042-own-body-other-module
2.12 what a decorator put there goes with it
    marks-of-decorator marks-of-decorator-that-stays n038-removed
2.13 closures that live get new inner code and keep what they captured
    n054-already-created n056-nonlocal n058-cells
2.14 a closure of another shape works too, with its signature, `__wrapped__` and tracebacks
    n096-super-new n057-captured-removed n096-super-new-signature n043-stacked-wrapped-chain
2.15 a live closure that cannot have a captured value keeps its code and is named
    n057-captured-added
2.16 what runs ends with the old code, and the report and the stats say so
    n062-frame-on-the-stack n064-suspended-generator n066-long-lived-coroutine
    test_a_thread_inside_an_edited_function_is_named_with_its_line
    test_suspended_generators_are_found_with_their_kind_line_and_age
3.1 a class keeps its identity for isinstance, pickle, except, subclasses, registries and instances
    n077-identity n078-isinstance n079-issubclass n080-pickle n126-key-except-match n120-subclasses
3.2 class attributes change only by their own statement
    n084-attribute-mutated n132-counter-on-class n083-attribute
3.3 members that were removed go, new ones come
    n081-method-added n082-removed n091-attribute-to-method
3.4 bases are assigned where CPython allows, and a class straight under object is made again and said
    n100-bases-changed n100-base-added-to-plain n100-base-added-second n100-bases-changed
3.5 decorators, metaclasses and hooks run again only for what they saw, without a twin
    n119-init-subclass n119-init-subclass-body-edited n101-metaclass-registry n121-set-name n122-class-decorator
3.6 generated classes are made again and grafted as a whole, class state kept
    n106-dataclass-method n111-enum-unrelated n109-namedtuple n110-typed-dict n118-protocol n115-abc n130-attrs
    n130-pydantic dataclass-post-init
3.7 old enum members stay themselves
    n113-enum-member n112-enum-method
3.8 fields with a default, and attributes that `__init__` gains, are filled in; what follows from arguments is named
    n107-field-added n107-field-without-default n127-init-attribute
4.1 names that were imported follow, if they still hold the old value
    n136-by-value-in-importers n136-copy-rebound-since-stays n139-star-import n157-re-export n136-import-dotted-as
4.2 what read a changed value, or called changed code, runs again if its value is still as made
    n137-derived-f-string n137-derived-defaults n137-derived-decorator-argument n137-derived-class-attribute
    n137-derived-through-edited-function n138-derived-in-importers
4.3 what reads while it decorates is a reader too
    decorating-reads-constant decorating-reads-other-module wrapper-reads-constant class-decorator-reads-constant
    init-subclass-reads-constant metaclass-reads-constant decorator-object-reads-constant decorating-calls-reader decorator-by-module
4.4 statements that build one name are one value
    n137-augmented n137-list-built n137-two-bindings reads-unfinished reads-first-binding ct.list-built-removed
4.5 where the program touched it, only edited statements run, on what is there
    n137-list-built-touched passing-touched
4.6 abstract methods, `__all__` and star imports follow
    n116-abstract-elsewhere n139-star-import-new-names n139-star-import-all
4.7 an untouched container is brought up to date in place, a tuple or pattern wherever a name holds it
    n138-untouched-dict-in-place n138-set-and-frozenset n138-tuple-copies n138-pattern-edited
4.8 an entry that the program added makes it state
    n138-touched-dict-stale n138-nested-container-touched
4.9 state stays and is named with its cause
    n134-connection-kept-and-named mutable-instance-is-state n134-connection-kept-across-modules
4.10 a name that only the program put there stays
    n142-name-injected n142-injected-name-then-removed-def
4.11 the flow stops at an equal value, and an import alone runs nothing
    n138-flow-stops no-rerun-for-import n138-reordered-literal
4.12 a name that a block did not bind is no sign of a touch
    block-leaves-unbound block-does-not-see-itself
5.1 a new module is imported by an edited one in the same batch
    new-module-same-batch new-module-undone
5.2 a module whose file went leaves when nothing needs it, and goes on when the file comes back
    n165-deleted-unused n165-deleted-and-back n165-deleted-used n165-deleted-importer-edited-later
5.3 a class that moves keeps its identity, a function that moves is led to
    n162-class-moved-between-files n162-function-moved-between-files n163-module-renamed
5.4 a module that becomes a package is the same object
    n164-module-becomes-package n164-package-becomes-module
5.5 a name that others use dangles: kept, told, and resolved when either side is edited
    d-name-removed d-name-back d-renamed-importer-follows-later d-importer-first gone-but-used gone-but-used-comes-back
    gone-but-used-at-top-level gone-but-starred gone-together gone-but-used-any-way
5.6 packages, relative imports, namespace packages and cycles count
    n158-relative-import n159-cycle n160-cycle-new-names n166-namespace-package n157-re-export-two-packages
5.7 bytes are read as Python reads them
    n166-crlf n166-bom n166-coding-cookie n166-cookie-changed-only n166-cr-only
5.8 a file cut short is waited for, an empty one counts once it stays so
    test_a_slow_writer_is_not_read_half_way test_an_empty_source_file_is_taken_when_it_stays_empty
    test_a_file_that_stays_empty_is_taken_at_its_word n166-emptied-and-back
6.1 preflight touches nothing and names all problems together
    n169-syntax-error n169-syntax-errors-of-all-files rude-and-syntax-together
6.2 the standard library and other people's code are never reloaded
    import-of-stdlib-added test_outside_the_paths test_include
    test_n168_a_c_extension_is_left_alone_and_refused_by_name
6.3 a file that nobody loaded is no problem and is not imported
    not-loaded-broken im.not-imported
6.4 what is written is recorded first: a failure leaves all as it was
    whole-program function-code class-attributes bases dataclass-fields init-fill enum-members registrations values names
6.5 what was callable or a class is that still, where others rely on it
    kind-changed-and-used kind-changed-unused kind-changed-dotted kind-changed-imported-late kind-changed-other-word
    kind-changed-starred kind-changed-re-exported kind-changed-together
6.6 checks fail a reload, also by their deadline
    health-check smoke-test-async health-check-deadline
6.7 Ctrl-C rolls back and is raised again; a module's SystemExit ends nothing
    test_n178_keyboard_interrupt_is_raised_again_after_the_rollback n178-system-exit n178-generator-exit
    ct.keyboard-interrupt
6.8 the contents of the containers that modules and classes hold are put back where something was called
    registry-contents-undone registration-undone er.container-mutated n170-ordered
6.9 `sys.modules` and the text of lines are put back
    sys-modules-undone line-text
6.10 files of a refused batch stay pending, and never hold up another
    taken-along never-holds-up-another raising-file-waits needs-the-broken-one three-in-a-row
6.11 every reload makes one report, with versions and timings
    report-of-each test_every_reload_makes_one_report_with_versions_and_timings
6.12 what becomes known later is an event; a later rollback is a report of its own
    test_a_report_is_told_to_be_durable_and_later_stable test_a_rollback_can_be_rolled_back
    test_an_exception_in_changed_code_takes_file_and_process_back
6.13 other threads see one version
    test_no_call_sees_two_versions test_a_failed_reload_is_not_seen_by_other_threads n074-threads-patch
6.14 a free-threaded interpreter is refused
    test_a_free_threaded_interpreter_is_refused_with_the_way_out
6.15 memory and time do not grow
    test_n188_many_edits_leave_nothing_behind
    test_rounds_of_every_kind_of_edit_leave_as_many_objects_as_the_one_before
7.1 what cannot be taken is named before anything runs, with its line, reason and way out
    metaclass slots-added-to-live bases-with-other-layout plan-names-it test_every_code_has_a_section_with_a_way_out
7.2 it refuses the whole batch
    rude-refuses-the-batch ct.rude-whole-batch
7.3 a restart hands over what was kept
    test_the_new_program_has_what_was_kept_by_classes_of_its_own test_a_rude_edit_restarts_the_program_when_asked
8.1 hooks do nothing and cost nothing without a session
    test_hooks_do_nothing_and_load_nothing_in_a_process_without_a_session
8.2 `accept` takes the update of a dependency
    accept accept-other-module accept-fails accept-not-called
8.3 `dispose` comes before changed code, or before the module goes
    dispose dispose-when-module-goes dispose-removed n182-dispose-fails
8.4 `keep` hands on to the next version
    keep keep-default keep-rolls-back keep-fails
8.5 `derived` is made again when what it read changed, `state` never
    derived-from-constant derived-from-function derived-unchanged state-kept state-of-plain-data
8.6 `migrate` gets each live instance of a class that changed its shape
    migrate-dataclass migrate-init migrate-body-only migrate-subclass-instances n182-migrate-fails
8.7 checks are asked before the commit, with a deadline
    health-check health-check-deadline smoke-test-async health-check-removed health-check-reached
8.8 an object's named attributes come back when its reload fails, in the same objects
    test_the_contents_come_back_in_the_same_object test_captured_state_is_a_copy_by_name_and_can_be_restored
9.1 auto: on our own thread, or on the loop that runs in the main thread
    test_auto_takes_a_save_on_midflights_own_thread
    test_auto_takes_a_save_on_the_loop_that_runs_in_the_main_thread
9.2 a Ctrl-C waits until the transaction is over
    test_a_ctrl_c_that_comes_half_way_waits_for_the_end_of_the_transaction
9.3 pump: only where the program says so, for next to nothing
    test_pump_takes_a_save_only_where_the_program_says test_a_reload_asked_for_from_outside_waits_for_the_pump
9.4 manual: only when asked
    test_manual_takes_nothing_until_it_is_asked
9.5 the watcher runs in every mode, and `reload()` drains it first
    test_batches_that_nobody_asks_for_do_not_pile_up test_drain_takes_what_was_saved_and_it_is_not_delivered_too
    test_drain_waits_for_a_writer
9.6 `reload(paths=…)` reads these files whatever their times say
    test_n186_same_size_and_time
9.7 a batch ends when writers have closed their files and it was quiet
    test_a_batch_closes_when_it_was_quiet test_a_writer_keeps_the_batch_open_but_not_for_ever
    test_a_git_checkout_of_1000_files_is_one_batch
"""


def read() -> dict[str, tuple[str, list[str]]]:
    """Number → (sentence, tests)."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in LAW.strip().splitlines():
        if line.startswith(" "):
            found[number][1].extend(line.split())  # noqa: F821
        else:
            number, _, sentence = line.partition(" ")
            assert number not in found, number
            found[number] = sentence, []
    return found


def known() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py") if path != Path(__file__))
    return {name for text in texts for pair in NAMES.findall(text) for name in pair if name}


SENTENCES, KNOWN = read(), known()


@pytest.mark.parametrize("number", SENTENCES)
def test_each_sentence_is_held_by_tests_that_exist(number: str) -> None:
    sentence, tests = SENTENCES[number]
    assert tests, sentence
    assert sorted(set(tests) - KNOWN) == [], sentence


def test_every_section_has_its_sentences_in_order() -> None:
    numbers = [tuple(map(int, number.split("."))) for number in SENTENCES]
    assert numbers == sorted(numbers)
    assert {section for section, _ in numbers} == set(range(1, 10))
