"""Values that were computed from a container which definitions of this reload have filled or left:
`HELP = sorted(COMMANDS)`.

The container is the object that it was and no name was bound anew, so nothing flows. What it held before is known where
code ran that may have changed it, for the rollback: a value is made again where the contents of before give just what
it is now. That tells what the program did to it, and what registers below it or was imported after it: what a fresh
start would not see either."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from midflight.apply.holders import resolve
from midflight.apply.past import Key, Overlaid, Past
from midflight.apply.registrations import same_items
from midflight.apply.transaction import ABSENT
from midflight.apply.values import Before, InPlace, as_before, is_container, rebuilt, same_value
from midflight.graph.homes import inside, made_in, module_of
from midflight.graph.kinds import is_a
from midflight.graph.loaded import names_used
from midflight.plan.diff import Group, defines
from midflight.plan.flow import dotted_reads
from midflight.plan.statements import Statement

if TYPE_CHECKING:
    from midflight.apply.execute import Execution
    from midflight.apply.statements import Runner
    from midflight.graph.loaded import Loaded

Refilled = dict["Key", tuple[Any, Any]]  # where a container is found → itself, what it held


def computes(statement: Statement) -> bool:
    """Whether it, or a statement in the body of a class, may compute a value from what a container holds."""
    if statement.is_class:  # asked for each class of a module that is looked at
        return statement.fact("computes", lambda _: any(map(computes, statement.members)))  # type: ignore[no-any-return]
    return bool(statement.binds) and not defines(statement)


def refilled(runner: Runner, group: Group) -> Refilled:
    """The containers that the statements of a value read and that hold otherwise than when the reload began, as far as
    a fresh start fills them before it comes to the value."""
    return _otherwise(runner, lambda: _read(runner, group))


def refilled_inside(runner: Runner, statement: Statement) -> Refilled:
    """The same of containers to which functions come by themselves that the statement uses."""
    return _otherwise(runner, lambda: _read_by_functions(runner, statement)) if statement.calls else {}


def _otherwise(runner: Runner, read: Callable[[], Iterator[tuple[Key, Any]]]) -> Refilled:
    if not _is_in_order(runner.run, runner) or not any(read()):
        return {}
    runner.run.make_live()  # entries that are about to go have gone
    found = ((key, one, _before(runner.run, one)) for key, one in read())
    return {key: (one, old) for key, one, old in found if old is not ABSENT}


def is_outdated(runner: Runner, group: Group, found: Refilled) -> bool:
    """Whether the contents of before give just what the value is, and those of now another one."""
    held, module = runner.scope.names, runner.work.name
    changed = Overlaid(Past({key: old for key, (_, old) in found.items()}), runner.changes.values)
    was: InPlace = {id(one): (one, old, one) for one, old in found.values()}
    differs = False
    for name in group.names:
        gave, gives = (
            rebuilt(runner.scope, group.statements, name, Before(held, module, values)) for values in (changed, Past())
        )
        if gave is ABSENT or not same_value(gave, runner.scope.get(name), was, was):
            return False
        differs = differs or not same_value(gives, runner.scope.get(name))
    return differs


def _is_in_order(run: Execution, runner: Runner) -> bool:
    """Whether all that has registered so far in this reload has done so above, for a fresh start: of an edited module
    only while it is taken, statement by statement."""
    work = runner.work
    if not run.registrations.is_at_work:
        return True  # no container has other items
    if work.edited:
        return not work.done
    return all(one.loaded.order < work.loaded.order for one in run.works.values() if one.edited)


def _read(runner: Runner, group: Group) -> Iterator[tuple[Key, Any]]:
    """The containers that the statements read by name, or as an attribute of a module or class, and where they are."""
    space = runner.scope.names
    for statement in group.statements:
        for name in statement.reads - group.names:
            if is_container(value := space.get(name)):
                yield (runner.work.name, name), value
        for chain in dotted_reads(statement):
            for end in range(1, len(chain)):
                holder = resolve(space, chain[:end])
                if is_a(holder, types.ModuleType) and is_container(value := vars(holder).get(chain[end])):
                    yield (holder.__name__, chain[end]), value
                elif is_a(holder, type):
                    yield from _of_class(holder, chain[end])


def _read_by_functions(runner: Runner, statement: Statement) -> Iterator[tuple[Key, Any]]:
    space, owns = runner.scope.names, runner.run.program.owns
    chains = [(name,) for name in statement.reads] + list(dotted_reads(statement))
    waiting, seen = [resolve(space, chain) for chain in chains], set[int]()
    while waiting:
        function = inside(waiting.pop())
        if type(function) is types.FunctionType and id(function) not in seen and owns(function):
            seen.add(id(function))
            names = dict.fromkeys(names_used((function.__code__,)))
            held = {name: function.__globals__[name] for name in names if name in function.__globals__}
            yield from (((function.__module__, name), one) for name, one in held.items() if is_container(one))
            waiting += held.values()


def _of_class(holder: type, name: str) -> Iterator[tuple[Key, Any]]:
    for kind in holder.__mro__:
        if name in vars(kind):
            if is_container(value := vars(kind)[name]):
                yield (module_of(kind), f"{kind.__qualname__}.{name}"), value
            return


def _before(run: Execution, container: Any) -> Any:
    """What a container held when the reload began, ABSENT where that is not known or is what it holds now."""
    purged = run.changes.purged.get(id(container))
    old = purged[1] if purged is not None else run.tx.held_before(container)
    differs = old is not ABSENT and not same_items(container, old)
    held = old if differs else container
    shown = as_before(held, run.changes.values) if run.changes.attributes else held
    return shown if differs or shown is not held else ABSENT


def may_be_any(run: Execution) -> bool:
    """Whether anything of this reload asks for such a look."""
    return run.registrations.is_at_work or run.changes.shown


def readers(run: Execution) -> set[str]:
    """Modules that nobody edited and that mention a container of the program's which this reload's code has changed."""
    if not run.registrations.is_at_work:
        return set()
    run.make_live()
    left = ((one, old) for one, old, _ in run.changes.purged.values())
    # What was guarded is known: to find all containers of the program anew costs as much as to guard them.
    changed = {id(one) for one, old in (*run.tx.contents_before(), *left) if not same_items(one, old)}
    users = {user.name: user for key in _places(run, changed) for user, _ in run.program.users(key[0], [key[1]])}
    found = {name for user in list(users.values()) for name in _users_of_functions(run, user, changed)}
    return {name for name in users.keys() | found if name not in run.works or not run.works[name].edited}


def _users_of_functions(run: Execution, home: Loaded, changed: set[int]) -> Iterator[str]:
    """Modules that mention a function of `home` which reads a container that has changed."""
    named = {name for name, value in list(home.namespace.items()) if id(value) in changed}
    functions = [
        name
        for name, value in list(home.namespace.items())
        if type(value) is types.FunctionType and not named.isdisjoint(names_used((value.__code__,)))
    ]
    yield from (user.name for user, _ in run.program.users(home.name, functions) if functions)


def _places(run: Execution, changed: set[int]) -> Iterator[Key]:
    """Where modules hold them: under which name, or in a class of which name."""
    for loaded in run.program.all() if changed else ():
        for name, value in list(loaded.namespace.items()):
            if id(value) in changed:
                yield loaded.name, name
            elif is_a(value, type) and made_in(value, loaded.name):
                if any(id(held) in changed for held in list(vars(value).values())):
                    yield loaded.name, name
