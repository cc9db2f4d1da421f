"""Statements of an import cycle that ran before what the code that they call reads was brought up to date.

Of two modules that import one another one is taken first. A fresh start runs part of the other before it: what stands
above the import there. A function that came from it reads that part when a statement of the first one calls it."""

from __future__ import annotations

import itertools
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from midflight.apply.causes import values_read
from midflight.apply.holders import functions_in, resolve
from midflight.apply.parsed import text_of
from midflight.graph.homes import inside
from midflight.graph.kinds import is_a
from midflight.plan.flow import asks_whether, dotted_reads, modules_imported
from midflight.plan.statements import SourceText, Statement

if TYPE_CHECKING:
    from midflight.apply.execute import Execution
    from midflight.apply.past import Key
    from midflight.apply.statements import Runner
    from midflight.graph.modules import ModuleGraph

_MAKERS = ("__init__", "__new__")


def late_causes(runner: Runner, statement: Statement) -> set[str]:
    """What `statement`, which ran in this reload, calls of code that reads values of its cycle that have changed since,
    or was itself edited since."""
    work, changes = runner.work, runner.changes
    if not statement.calls or statement not in work.ran_at:
        return set()
    since, edited = work.ran_at[statement], work.saw.get(statement, 0)
    if (since >= changes.count and edited >= len(changes.own)) or not runner.run.circle(work.name):
        return set()  # asked in this order: most modules are in no cycle, and to find that out costs most
    values = {key for key, count in changes.last.items() if count > since and _was_there(runner, statement, key)}
    functions = {id(one) for one in itertools.islice(changes.own.values(), edited, None)}
    if not values and not functions:
        return set()
    changes.touch()
    space = runner.scope.names
    called = [(name, space.get(name)) for name in statement.reads]
    called += [(".".join(chain), resolve(space, chain)) for chain in dotted_reads(statement)]
    return {name for name, value in called if any(_reads(runner, one, values, functions) for one in _run_by(value))}


def too_early(runner: Runner, statement: Statement) -> dict[str, str]:
    """The attributes of modules of its cycle that `statement` reads before they have them, where it asks whether they
    do: what it names → the module. Of two modules that import one another the one that began first has then only what
    stands above its import."""
    found: dict[str, str] = {}
    for chain in dotted_reads(statement) if asks_whether(statement) and runner.run.circle(runner.work.name) else ():
        for end in range(1, len(chain)):
            holder = resolve(runner.scope.names, chain[:end])
            if type(holder) is types.ModuleType and _comes_later(runner, statement, holder.__name__, chain[end]):
                found[".".join(chain)] = holder.__name__
    return found


def _comes_later(runner: Runner, statement: Statement, module: str, name: str) -> bool:
    loaded = runner.run.program.get(module)
    if loaded is None or loaded.order < runner.work.loaded.order or name not in loaded.namespace:
        return False
    return not _was_there(runner, statement, (module, name))


def asked_too_early(run: Execution) -> Iterator[str]:
    """What is to be said of statements that ran in this reload and asked for what a fresh start would not have yet."""
    for work in run.works.values():
        for statement in filter(asks_whether, work.reran):
            for name, module in too_early(run.runner(work), statement).items():
                yield (
                    f"{work.name}:{statement.first} asks for `{name}`; a start that imports {module} first "
                    "would not have it yet, for they import one another"
                )


def _was_there(runner: Runner, statement: Statement, key: Key) -> bool:
    """Whether a fresh start has given a name its value when it comes to `statement`: it is another module's, or an
    import above has brought it."""
    module, name = key
    loaded = runner.run.program.get(module)
    if loaded is None or module not in runner.run.circle(runner.work.name):
        return False
    if module == runner.work.name:
        above = (one for one in runner.work.text.statements if one.is_import and one.first < statement.first)
        return any(name in one.binds for one in above)
    work = runner.run.works.get(module)
    text = work.text if work is not None else text_of(loaded)
    return text is not None and name.partition(".")[0] in _bound_before(runner, text, module)


def _bound_before(runner: Runner, text: SourceText, module: str) -> set[str]:
    """The names that a module binds above the import that leads to the module of `runner`."""
    imports, target = runner.run.program.imports, runner.work.name
    package = runner.run.program.get(module).is_package  # type: ignore[union-attr]
    bound: set[str] = set()
    for statement in text.statements:
        needed = modules_imported(statement, module, package) if "import" in statement.text else ()
        if any(_leads_to(imports, one, target, module) for one in needed):
            break
        bound |= statement.binds
    return bound


def _leads_to(imports: ModuleGraph, start: str, target: str, begun: str) -> bool:
    """Whether an import of `start` comes to `target` past `begun`, which is being imported already."""
    found, waiting = {begun}, [start]
    while waiting:
        name = waiting.pop()
        if name == target:
            return True
        if name not in found:
            found.add(name)
            waiting += imports.imports(name)
    return False


def _run_by(value: Any) -> Iterator[Any]:
    """The functions that a call of `value` runs, as far as it shows itself."""
    if is_a(value, type):
        yield from (inside(vars(kind).get(name)) for kind in value.__mro__ for name in _MAKERS)
    else:
        yield from functions_in(value, "")


def _reads(runner: Runner, function: Any, values: set[Key], functions: set[int]) -> bool:
    """Whether `function`, or what it calls by name, is one of `functions` or reads one of `values`."""
    for current, names in runner.causes.run_by(function, True, True):
        if id(current) in functions or values_read(current.__globals__, names, values):
            return True
    return False
