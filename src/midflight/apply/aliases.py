"""Names that imports bound: brought up to date when what they stand for changed."""

from __future__ import annotations

import ast
import types
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Literal

from midflight.apply.branches import as_it_runs
from midflight.apply.dangling import still_imported
from midflight.apply.graft.enums import Were
from midflight.apply.transaction import ABSENT
from midflight.apply.values import is_derived_kind, same_value
from midflight.graph.kinds import is_a
from midflight.plan.diff import Pair
from midflight.plan.flow import Imported, imports_in, imports_names, names_in_text
from midflight.plan.statements import Statement

if TYPE_CHECKING:
    from midflight.apply.statements import Runner

Key = tuple[str, str]
# bind it anew; unbind it; give it back to the statement above that binds it too; only what it holds was changed in
# place; it was rebound since and stays; a star brings it no longer, and it is used
Action = Literal["bind", "unbind", "uncover", "flow", "keep", "used"]
MOST_FOLLOWED = 20  # times in one reload: imports that hand a name round in a circle end there
Follow = tuple[Action, str, Key, Any]


def following(runner: Runner, statement: Statement) -> Iterator[Follow]:
    """(what is to be done, name bound here, the key it was imported from, its new value) for each import in it."""
    if not imports_names(statement) or not (runner.changes.values or runner.changes.touched):
        return
    if runner.work.followed.get(statement, 0) >= MOST_FOLLOWED:
        return
    package = runner.work.loaded.is_package
    for imported in imports_in(as_it_runs(statement, runner.scope.namespace), runner.work.name, package):
        if imported.name == "*":
            yield from _star(runner, statement, imported.module)
        else:
            yield from _one(runner, statement, imported)


def refresh_aliases(runner: Runner, statement: Statement) -> None:
    if not imports_names(statement):
        return
    runner.work.followed[statement] = runner.work.followed.get(statement, 0) + 1
    for action, name, key, new in list(following(runner, statement)):
        old = runner.scope.get(name)
        if action == "keep":
            runner.run.keep(runner.work, runner.scope.label(name), [".".join(key)])
        elif action == "flow":
            runner.changes.value_changed(
                runner.scope.key(name), runner.changes.values[key], runner.changes.origins.get(key, key[0])
            )
        elif action == "unbind":
            runner.lose(name, old)
        elif action == "uncover":
            runner.uncover(statement, name)
        elif action == "used":
            _tell_of_used(runner, name, key)
        else:
            runner.scope.set(name, new)
            runner.work.carried[runner.scope.label(name)] = new
            runner.work.record.rebound[runner.scope.label(name)] = None
            runner.changes.value_changed(runner.scope.key(name), old, runner.changes.origins.get(key, key[0]))


def _one(runner: Runner, statement: Statement, imported: Imported) -> Iterator[Follow]:
    key, name = (imported.module, imported.name), imported.bound
    if key not in runner.changes.values:
        yield from _dynamic(runner, key, name)
        return
    new, current = runner.run.current(key), runner.scope.get(name)
    if new is ABSENT:
        if _stands_for(runner, key, name, current):
            yield from _asked_for(runner, key, name)
        return
    if current is new:
        if _changed_in_place(runner, key, new) and runner.scope.key(name) not in runner.changes.values:
            yield "flow", name, key, new
    elif _stands_for(runner, key, name, current):
        if current is not ABSENT or statement.type is not ast.If:  # else its branch has not run: it binds nothing
            yield "bind", name, key, new
    elif _only_here(runner, statement, name) and runner.scope.label(name) not in runner.work.record.kept:
        yield "bind" if _is_as_imported(runner, name, current) else "keep", name, key, new


def _changed_in_place(runner: Runner, key: Key, value: Any) -> bool:
    """Whether a changed name still holds the object that it held, which holds something else: a container, an enum."""
    return id(value) in runner.changes.in_place or isinstance(runner.changes.values.get(key), Were)


def _stands_for(runner: Runner, key: Key, name: str, current: Any) -> bool:
    """Whether a name still holds what it was imported as, or what was carried there in this reload."""
    old = runner.changes.values[key]
    if old is ABSENT:
        return current is ABSENT or runner.run.program.was_dangling(key, current)
    return current is old or same_value(old, current) or _was_carried(runner, name, current)


def _is_as_imported(runner: Runner, name: str, current: Any) -> bool:
    """Whether a name still holds the value that its own module's statements gave it: then the program has rebound the
    one that it was imported from."""
    return runner.work.loaded.made.get(runner.scope.prefix + name, ABSENT) is current


def _was_carried(runner: Runner, name: str, current: Any) -> bool:
    label, carried = runner.scope.label(name), runner.work.carried
    return label in carried and carried[label] is current


def _only_here(runner: Runner, statement: Statement, name: str) -> bool:
    """Whether no other statement of the scope binds the name: then the program did."""
    others = (p.new for p in runner.siblings if p.new is not None and p.new is not statement)
    if runner.scope.get(name) is ABSENT:
        return False
    return not any(name in other.binds or _starred_from(runner, other, name) for other in others)


def _stars(runner: Runner, statement: Statement) -> list[str]:
    """The modules of which a statement imports all names."""
    if not imports_names(statement):
        return []
    package = runner.work.loaded.is_package
    return [one.module for one in imports_in(statement, runner.work.name, package) if one.name == "*"]


def starred(runner: Runner, statement: Statement) -> frozenset[str]:
    """The names that a statement's star imports bring."""
    stars = _stars(runner, statement)  # asked of every statement, and few have one
    return frozenset[str]().union(*(_public(runner, module) for module in stars)) if stars else frozenset()


def starred_before(runner: Runner, statement: Statement) -> frozenset[str]:
    """The names that they brought before the edit."""
    return frozenset[str]().union(*(_public_before(runner, module) for module in _stars(runner, statement)))


def _starred_from(runner: Runner, statement: Statement, name: str) -> bool:
    """Whether a star import gives the name now."""
    stars = _stars(runner, statement)
    return any(name in _public(runner, module) and runner.run.current((module, name)) is not ABSENT for module in stars)


def _dynamic(runner: Runner, key: Key, name: str) -> Iterator[Follow]:
    """A name that the module's own `__getattr__` made, whose code or data was edited: asked for again."""
    source = runner.run.program.get(key[0])
    if source is None or key[1] in source.namespace:
        return
    maker = source.namespace.get("__getattr__")
    if id(maker) in runner.changes.touched and is_derived_kind(runner.scope.get(name)):
        yield from _asked_for(runner, key, name)


def _asked_for(runner: Runner, key: Key, name: str) -> Iterator[Follow]:
    """What the module's own `__getattr__` gives for a name that it does not hold."""
    maker = runner.run.current((key[0], "__getattr__"))
    if type(maker) is not types.FunctionType or runner.scope.key(name) in runner.changes.values:
        return
    runner.run.before_call()
    try:
        new = maker(key[1])
    except AttributeError:
        runner.run.notes.append(still_imported(*key, [runner.work.name]))
        return
    if not same_value(runner.scope.get(name), new):
        yield "bind", name, key, new


# -- star imports -----------------------------------------------------------------------------------


def _listed(names: Any) -> set[str]:
    return set(names) if is_a(names, (list, tuple)) else set()


def _star(runner: Runner, statement: Statement, module: str) -> Iterator[Follow]:
    values = runner.changes.values
    names = {name for name in values.names_of(module) if "." not in name}
    source = runner.run.program.get(module)
    if not names or source is None:
        return
    if "__all__" in names:
        names |= set(source.namespace) | _listed(values[module, "__all__"])
    now, then = _public(runner, module), _public_before(runner, module)
    for name in sorted(names - {"__all__"}):
        yield from _starred(runner, statement, (module, name), name in then, name in now)


def _starred(runner: Runner, statement: Statement, key: Key, was: bool, comes: bool) -> Iterator[Follow]:
    name = key[1]
    new, current = runner.run.current(key), runner.scope.get(name)
    old = runner.changes.values.get(key, new)
    if comes and new is not ABSENT:
        if current is new:
            if _changed_in_place(runner, key, new) and runner.scope.key(name) not in runner.changes.values:
                yield "flow", name, key, new
        elif (
            current is ABSENT
            or (was and (current is old or same_value(old, current)))
            or (was and _only_here(runner, statement, name) and _is_as_imported(runner, name, current))
            or runner.run.program.was_dangling(key, current)
            or (not was and runner.hides(statement, name))
        ):
            yield "bind", name, key, new
    elif was and current is not ABSENT and current is old:
        if not _only_here(runner, statement, name):
            yield "uncover", name, key, new
        elif not any(name in names_in_text(s) for s in runner.work.text.statements):
            yield "unbind", name, key, new
        elif new is not ABSENT:  # else its own module lost it, which says so
            yield "used", name, key, new


def _tell_of_used(runner: Runner, name: str, key: Key) -> None:
    note = f"{key[0]} no longer gives `{name}` to `import *`, and {runner.work.name} still uses it: it stays there"
    if note not in runner.run.notes:
        runner.run.notes.append(note)


def starred_away(runner: Runner, pair: Pair, bound: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Names that a star import brought which is gone, with what they hold: those that nothing else brings now."""
    package = runner.work.loaded.is_package
    name = runner.work.name
    stars = [
        {one.module for one in imports_in(statement, name, package) if one.name == "*"}
        if statement is not None
        else set()
        for statement in (pair.old, pair.new)
    ]
    for module in stars[0] - stars[1]:
        source = runner.run.program.get(module)
        for brought in sorted(_public_before(runner, module) - set(bound)) if source is not None else ():
            held = runner.scope.get(brought)
            there = runner.changes.values.get((module, brought), runner.run.current((module, brought)))
            others = (p.new for p in runner.siblings if p.new is not None)
            alone = not any(p.old is not None and brought in p.old.binds for p in runner.siblings)
            if held is ABSENT or not (alone or held is there):
                continue  # nothing, or what another statement or the program put there
            if not any(_starred_from(runner, o, brought) for o in others):
                yield brought, held


def _public(runner: Runner, module: str) -> frozenset[str]:
    names = runner.changes.contents(runner.run.current((module, "__all__")))
    source = runner.run.program.get(module)
    if names is not ABSENT and names is not None:
        return frozenset(names)
    held = {} if source is None else {**source.namespace, **runner.run.pending.get(id(source.namespace), {})}
    return frozenset(n for n, value in held.items() if not n.startswith("_") and value is not ABSENT)


def _public_before(runner: Runner, module: str) -> frozenset[str]:
    values = runner.changes.values
    listed = values.get((module, "__all__"), runner.run.current((module, "__all__")))
    if listed is not ABSENT and listed is not None:
        return frozenset(listed)
    source = runner.run.program.get(module)
    names = set() if source is None else set(source.namespace)
    names |= set(values.names_of(module))
    return frozenset(n for n in names if not n.startswith("_") and values.get((module, n), None) is not ABSENT)
