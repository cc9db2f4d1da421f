"""Import statements that were edited."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from midflight.plan.diff import Pair
from midflight.plan.flow import modules_imported

if TYPE_CHECKING:
    from midflight.apply.statements import Runner


def run_import(runner: Runner, pair: Pair) -> None:
    assert pair.new is not None
    package = hasattr(runner.work.loaded.module, "__path__")
    runner.run.take_first(sorted(modules_imported(pair.new, runner.work.name, package)))
    runner.run.before_call()
    before = {name: runner.scope.get(name) for name in pair.new.binds}
    code = runner.scope.compile([pair.new.located()])
    with runner.run.imports():
        if pair.old is not None and pair.old.is_import:
            kept, node = _new_names(runner, pair)
            if node is None:
                return
            code = runner.scope.compile([node])
            before = {name: old for name, old in before.items() if name not in kept}
        runner.scope.run(code)
        runner.run.moves.arrivals(runner.run)
    for name, old in before.items():
        if name != "*" and runner.scope.get(name) is not old:
            runner.tell_of_another(name, old, runner.scope.get(name))
            runner.work.record.ran[runner.scope.label(name)] = None
            runner.changes.value_changed(runner.scope.key(name), old)


def _new_names(runner: Runner, pair: Pair) -> tuple[set[str], ast.stmt | None]:
    """An import line that gained names: those it had are not bound again."""
    assert pair.old is not None and pair.new is not None
    old, new = pair.old.node, pair.new.located()
    if not isinstance(old, ast.ImportFrom) or not isinstance(new, ast.ImportFrom):
        return set(), new
    had = {(a.name, a.asname) for a in old.names}
    fresh = [a for a in new.names if (a.name, a.asname) not in had or a.name == "*"]
    kept = {a.asname or a.name for a in new.names} - {a.asname or a.name for a in fresh}
    if not fresh:
        return kept, None
    node = ast.copy_location(ast.ImportFrom(new.module, fresh, new.level), new)
    return kept, node
