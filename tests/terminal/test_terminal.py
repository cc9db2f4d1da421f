"""The document's session: proposed, tested, approved and taken live in a terminal that goes on running."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import EXAMPLE, PROMPT, Terminal, midflight, piped

pytestmark = pytest.mark.one_version
OPEN = Callable[[], Terminal]
WISH = "\"Add helper function ke_status() returning 'ok'\""
ENGINE = (EXAMPLE / "knowledge_engine.py").read_text()


def proposal_in(text: str) -> str:
    found = re.search(r"proposal_[0-9a-f]{6}", text)
    assert found is not None, text
    return found[0]


def version_in(text: str) -> str:
    found = re.search(r"knowledge_engine@[0-9a-f]{12}", text)
    assert found is not None, text
    return found[0]


def test_the_documents_acceptance_test_at_a_real_terminal(terminal: OPEN) -> None:
    one = terminal()
    one.says("/learn sky = blue")
    one.shows("Learned sky.")
    one.says(f"/propose-code {WISH}")
    made = proposal_in(one.shows("Next: /sandbox-code proposal_"))
    assert "\x1b[32m+def ke_status():" in one.raw  # coloured, as a diff is
    one.says(f"/sandbox-code {made}")
    one.shows("passed   import", f"{made} tested")
    one.says(f"/approve-code {made}")
    one.shows(f"{made} approved by ")
    one.says(f"/apply-code {made}")
    one.shows("Target module [knowledge_engine]:")
    one.says("knowledge_engine")
    one.shows("append or replace [append]:")
    one.says("append")
    one.shows("+def ke_status():", f"Apply {made} to knowledge_engine live?")
    one.says("y")
    new = version_in(one.shows("knowledge_engine reloaded in", "is stable"))
    one.says("ke_status()")
    one.shows("'ok'")
    one.says("/audit-code knowledge_engine")
    told = one.shows("Versions", "Reloads", f"{made}: success")
    assert new in told and f"-> {new.partition('@')[2]}" in told
    one.says("what colour is the sky")
    one.shows("sky = blue")  # the engine and its database are the ones that were there
    one.says("/rollback")
    before = version_in(one.shows(f"before {made}"))
    one.says(f"/rollback {before}")
    one.shows(f"{before} runs again.")
    one.says("ke_status()")
    one.shows("NameError")
    assert (one.folder / "knowledge_engine.py").read_text() == ENGINE
    one.says("/quit")
    one.shows("Good bye.")


def test_plain_words_stand_for_the_commands(terminal: OPEN) -> None:
    one = terminal()
    one.says("add a function ke_double(x) returning x * 2")
    one.shows("→ /propose-code", "Next: /sandbox-code")
    one.says("test it")
    one.shows("→ /sandbox-code", "Next: /approve-code")
    one.says("approve it")
    one.shows("→ /approve-code", "Next: /apply-code")
    one.says("apply the change live")
    one.shows("→ /apply-code", "Target module")
    one.says("")
    one.shows("Write mode")
    one.says("")
    one.shows("live?")
    one.says("y")
    one.shows("is stable")
    one.says("ke_double(21)")
    one.shows("42")
    one.says("undo that")
    one.shows("→ /rollback --last", "runs again.")
    assert (one.folder / "knowledge_engine.py").read_text() == ENGINE


def test_commands_are_completed_and_earlier_lines_come_back(terminal: OPEN) -> None:
    one = terminal()
    one.child.send("/fa\t")
    one.shows("/facts")
    one.says("")
    one.shows(PROMPT)
    one.says("/learn tea = hot")
    one.shows("Learned tea.")
    one.says("\x1b[A")  # the arrow up
    one.shows("/learn tea = hot", "Learned tea.")
    assert "/learn tea = hot" in (one.folder / ".history").read_text()


def test_ctrl_c_ends_the_line_and_not_the_terminal(terminal: OPEN) -> None:
    one = terminal()
    one.child.send("half a li")
    one.shows("half a li")
    one.raw = ""
    one.child.sendcontrol("c")
    one.shows(PROMPT)  # what is typed before the next prompt is there would be lost
    one.says("/nothing")
    one.answers("There is no command /nothing.")
    assert one.child.isalive()
    one.child.sendcontrol("d")
    one.shows("Good bye.")


def test_from_a_second_terminal_the_same_process_is_changed_and_gone_back(terminal: OPEN) -> None:
    one = terminal()
    (one.folder / "change.txt").write_text("def ke_status():\n    return 'from outside'\n")
    done = midflight(one.folder, "propose", "change.txt", "--module", "knowledge_engine")
    made = done.stdout.strip()
    assert done.returncode == 0, done
    assert midflight(one.folder, "apply", made).returncode == 1  # nothing unapproved is applied
    for command in ("sandbox", "approve", "apply"):
        done = midflight(one.folder, command, made)
        assert done.returncode == 0, done
    one.shows(f"knowledge_engine committed, asked for by {made}")
    one.says("ke_status()")
    one.shows("'from outside'")
    one.says("/audit-code knowledge_engine")
    one.shows(f"{made}: success")
    done = midflight(one.folder, "rollback")
    assert done.returncode == 0 and "knowledge_engine@" in done.stdout, done
    assert midflight(one.folder, "rollback", version_in(done.stdout)).returncode == 0
    one.says("ke_status()")
    one.shows("NameError")
    assert midflight(one.folder, "status").returncode == 0 and one.child.isalive()


def test_a_save_in_an_editor_is_taken_live_too(terminal: OPEN) -> None:
    one = terminal()
    (one.folder / "knowledge_engine.py").write_text(ENGINE + "\n\ndef saved():\n    return 'saved'\n")
    one.shows("knowledge_engine committed, asked for by watcher")
    one.says("saved()")
    one.shows("'saved'")


APPLY = ("/sandbox-code", "/approve-code", "/apply-code", "", "", "y")


def test_in_a_pipe_it_works_in_plain_lines(folder: Path) -> None:
    told = piped(folder, "/learn sky = blue", f"/propose-code {WISH}", *APPLY, "ke_status()", "/facts", "/quit")
    assert "\x1b" not in told and "knowledge_engine reloaded in" in told and "'ok'" in told and "sky = blue" in told


def test_a_change_that_fails_its_check_leaves_all_as_it_was(folder: Path) -> None:
    (folder / "smoke_knowledge_engine.py").write_text(
        "import sys\n\nimport knowledge_engine\n\n\ndef test_status():\n    assert 'ultra' not in sys.modules or knowledge_engine.ke_status() == 'good'\n"
    )
    told = piped(folder, "/learn a = b", f"/propose-code {WISH}", *APPLY, "ke_status()", "/facts")
    assert "knowledge_engine rolled back; the version before runs on." in told and "test_status failed" in told
    assert "NameError" in told and "a = b" in told
    assert (folder / "knowledge_engine.py").read_text() == ENGINE


def test_a_sentence_that_nothing_understands_is_asked_for_as_text(folder: Path) -> None:
    code = ("def ke_shout(text):", "    return text.upper()", ".")
    told = piped(folder, "/propose-code make it shout", *code, *APPLY, "ke_shout('hi')")
    assert "no template fits 'make it shout'" in told and "'HI'" in told


@pytest.mark.parametrize("lines, told", [
    (("/apply-code",), "no proposal is named"),
    (("/apply-code proposal_000000",), "there is no proposal proposal_000000"),
    ((f"/propose-code {WISH}", "/apply-code", "", "", "y"), "it is proposed"),
    ((f"/propose-code {WISH}", "/approve-code"), "it is proposed"),
    ((f"/propose-code {WISH}", "/sandbox-code", "/approve-code", "/apply-code", "ultra", ""), "It was tested for knowledge_engine (append)"),
    ((f"/propose-code {WISH}", "/sandbox-code", "/approve-code", "/apply-code", "", "", "n"), "Nothing was changed."),
    (("/propose-code import nothing_of_this_name", "/sandbox-code"), "No module named 'nothing_of_this_name'"),
    (("/rollback knowledge_engine@000000000000",), "there is no version"),
    (("/rollback nonsense",), "is no version"),
    (("undo that",), "there is nothing to undo"),
    (("/nothing",), "There is no command /nothing"),
    (("/learn",), "Say /learn"),
    (("1 / 0 + len([])",), "ZeroDivisionError"),
    (("what is this",), "I know nothing of that."),
    (("/rollback", "/audit-code"), "There is no point to go back to."),
])  # fmt: skip
def test_bad_input_is_told_and_the_terminal_goes_on(folder: Path, lines: tuple[str, ...], told: str) -> None:
    shown = piped(folder, *lines, "/facts", "/quit")
    assert told in shown and shown.rstrip().endswith("Good bye.")
    assert (folder / "knowledge_engine.py").read_text() == ENGINE
