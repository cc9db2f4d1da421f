"""Import statements that were edited."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from midflight.apply.aliases import refresh_aliases
from midflight.apply.binders import last_binders
from midflight.apply.transaction import ABSENT
from midflight.plan.diff import Pair
from midflight.plan.flow import modules_imported
from midflight.plan.statements import Statement

if TYPE_CHECKING:
    from midflight.apply.statements import Runner


def run_import(runner: Runner, pair: Pair) -> None:
    assert pair.new is not None
    _import(runner, pair)
    if pair.old is not None and pair.old.is_import:
        refresh_aliases(runner, pair.new)  # the names that it had are not bound again, and may stand for other values


def _import(runner: Runner, pair: Pair) -> None:
    assert pair.new is not None
    package = runner.work.loaded.is_package
    runner.run.take_first(sorted(modules_imported(pair.new, runner.work.name, package)))
    runner.run.before_call()
    before = _held(runner, pair.new)
    code = runner.scope.compile([pair.new.located()])
    with runner.run.imports():
        if pair.old is not None and pair.old.is_import:
            kept, node = _new_names(pair)
            if node is None:
                return
            code = runner.scope.compile([node])
            before = {name: old for name, old in before.items() if name not in kept}
        statement = pair.new
        runner.run.run_import(lambda: runner.scope.run(code, statement))
        runner.run.moves.arrivals(runner.run)
    if "*" in pair.new.binds:
        runner.last = last_binders(runner, runner.siblings, "new")  # what it brings may be known only now
    for name, old in (before | _came(runner, pair.new, before)).items():
        new = runner.scope.get(name)
        if new is old:
            continue
        if old is not ABSENT and name in runner.last and runner.last[name] is not pair:
            runner.scope.set(name, old)  # what a statement below gives it
            continue
        runner.tell_of_another(name, old, new)
        runner.work.record.ran[runner.scope.label(name)] = None
        runner.changes.value_changed(runner.scope.key(name), old)


def _held(runner: Runner, statement: Statement) -> dict[str, Any]:
    """What the names hold that `statement` may bind: all of the scope where it is a star import."""
    names = (*runner.scope.namespace, *runner.scope.pending) if "*" in statement.binds else statement.binds
    return {name: runner.scope.get(name) for name in names if name != "*"}


def _came(runner: Runner, statement: Statement, before: Mapping[str, Any]) -> dict[str, Any]:
    """Names that a star import brought and that were not bound."""
    if "*" not in statement.binds:
        return {}
    return {name: ABSENT for name in runner.scope.namespace if name not in before and not name.startswith("__")}


def import_again(runner: Runner, pair: Pair, names: Collection[str]) -> None:
    """An import that nobody edited, whose names a later statement had: that one is gone, or stands before it now."""
    assert pair.new is not None
    before = {name: runner.scope.get(name) for name in names}
    runner.run.before_call()
    made = runner.scope.run_aside(runner.scope.compile([pair.new.located()]), {}, pair.new)
    for name, old in before.items():
        if name in made and made[name] is not old:
            runner.rebind(name, old, made[name])
            runner.work.record.rebound[runner.scope.label(name)] = None


def _new_names(pair: Pair) -> tuple[set[str], ast.stmt | None]:
    """An import line that gained names: those it had are not bound again."""
    assert pair.old is not None and pair.new is not None
    old, new = pair.old.node, pair.new.located()
    if not isinstance(old, ast.ImportFrom) or not isinstance(new, ast.ImportFrom):
        return set(), new
    if (old.module, old.level) != (new.module, new.level):
        return set(), new
    had = {(a.name, a.asname) for a in old.names}
    fresh = [a for a in new.names if (a.name, a.asname) not in had or a.name == "*"]
    kept = {a.asname or a.name for a in new.names} - {a.asname or a.name for a in fresh}
    if not fresh:
        return kept, None
    node = ast.copy_location(ast.ImportFrom(new.module, fresh, new.level), new)
    return kept, node
