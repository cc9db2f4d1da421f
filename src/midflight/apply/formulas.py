"""A statement that computes one value from names and does nothing else, run again: what most of what a constant
reaches is. None of the questions arises that running another statement asks: it calls nothing, makes no function, class
or container, and binds nothing else. To leave them out made the workload `constant` of bench/speed.py cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midflight.apply.assigned import is_as_made
from midflight.apply.scopes import ModuleScope
from midflight.apply.values import same_value
from midflight.graph.hook import PLAIN, is_kind
from midflight.plan.diff import Pair
from midflight.plan.formulas import formula_of

if TYPE_CHECKING:
    from midflight.apply.statements import Runner


def refresh_formula(runner: Runner, pair: Pair, causes: Sequence[str]) -> bool:
    """What `refresh_value` does for an unedited formula of a module whose value is a scalar; False for all else."""
    statement, scope, work = pair.new, runner.scope, runner.work
    assert statement is not None
    name = formula_of(statement)
    if not name or not isinstance(scope, ModuleScope) or runner.in_block or pair.edited:
        return False
    old = scope.get(name)
    if not is_kind(old, PLAIN) or statement in work.reran or name in runner.building:
        return False
    groups = runner.new_groups
    group = groups.of(statement)
    if len(group.statements) != 1 or not group.names or not groups.passing.isdisjoint((name, *statement.reads)):
        return False
    if not is_as_made(runner, name, group.statements):
        runner.run.keep(work, name, causes)
        return True
    runner.swap_roots(pair)
    runner.prepare_for(statement)
    with runner.noted(statement):
        new = scope.compute(runner.compiled([statement.located()], statement), name)
        runner.roots[statement] = ()
        work.record.ran[name] = None
        if same_value(old, new):
            scope.set(name, old)
        else:
            runner.rebind(name, old, new)
    return True
