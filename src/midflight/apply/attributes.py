"""Statements that set an attribute or an item of something: `f.limit = N`, `config.DEBUG = True`, `TABLE["k"] = v`."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from midflight.apply import swap
from midflight.apply.holders import value_of
from midflight.apply.transaction import ABSENT, own_attribute
from midflight.apply.values import Before, rebuilt, same_value
from midflight.graph.homes import module_of
from midflight.graph.kinds import is_a
from midflight.plan.diff import Pair
from midflight.plan.nodes import walk_scope
from midflight.plan.purity import only_shows
from midflight.plan.statements import Statement

if TYPE_CHECKING:
    from midflight.apply.statements import Runner

_VALUE = "\x00value"


def guard_targets(runner: Runner, statement: Statement) -> None:
    """What a statement is about to set besides names is remembered for a rollback."""
    if only_shows(statement):
        _guard_shown(runner)
    for node in walk_scope(statement.node):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)):
            _guard_attribute(runner, value_of(node.value, runner.scope.names), node.attr)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
            container = value_of(node.value, runner.scope.names)
            if is_a(container, (dict, list, set)):
                runner.tx.guard(container)


def _guard_shown(runner: Runner) -> None:
    """How all functions and classes are shown that the module's names lead to."""
    for value in list(runner.scope.namespace.values()):
        if is_a(value, (types.FunctionType, type)) and runner.run.program.owns(value):
            for name in ("__module__", "__name__", "__qualname__", "__doc__"):
                _guard_attribute(runner, value, name)


def _guard_attribute(runner: Runner, owner: Any, name: str) -> None:
    if owner is ABSENT:
        return
    if type(owner) is functools.partial:
        runner.tx.guard_object(owner)  # it may not even have a dict of attributes yet
    old = vars(owner).get(name, ABSENT) if is_a(owner, types.ModuleType) else own_attribute(owner, name)
    runner.tx.undo(swap.attribute(owner, name, old))


def refresh_attributes(runner: Runner, pair: Pair, causes: list[str]) -> bool:
    """A stale `owner.name = value` runs again if the attribute still is what its old value gives. False if this
    statement is something else; an attribute that the program set stays, and the report names it."""
    assert pair.new is not None
    node = pair.new.node
    if not isinstance(node, ast.Assign) or not all(isinstance(t, ast.Attribute) for t in node.targets):
        return False
    given = _value_before(runner, pair.new, node)
    before = Before(runner.scope.namespace, runner.work.name, runner.changes.values)
    for target in _attributes(node):
        owner = value_of(target.value, runner.scope.names)
        current = getattr(owner, target.attr, ABSENT)
        if current is ABSENT and owner is not value_of(target.value, before):
            continue  # another object now, which has not been given it yet
        if given is ABSENT or not same_value(given, current, runner.changes.in_place):
            runner.run.keep(runner.work, ast.unparse(target), causes)
            return True
    held = [(value_of(t.value, runner.scope.names), t.attr) for t in _attributes(node)]
    olds = [getattr(owner, name, ABSENT) for owner, name in held]
    runner.run_statement(pair)
    for (owner, name), old in zip(held, olds, strict=True):
        _tell_changed(runner, owner, name, old)
    return True


def take_back(runner: Runner, gone: Statement) -> bool:
    """`function.name = value` was removed: the attribute goes if it still is what that gave and nothing else of the
    scope sets it. False where it stays: what another kind of object had before it cannot be told."""
    node = gone.node
    if not isinstance(node, ast.Assign) or not all(isinstance(t, ast.Attribute) for t in node.targets):
        return False
    set_now = {ast.unparse(t) for p in runner.siblings if p.new is not None for t in _attributes(p.new.node)}
    held = [(value_of(t.value, runner.scope.names), t.attr) for t in _attributes(node)]
    if any(type(owner) is not types.FunctionType or name not in vars(owner) for owner, name in held):
        return False
    given = _value_before(runner, gone, node)
    if given is ABSENT or not all(same_value(given, vars(owner)[name]) for owner, name in held):
        return False
    for target, (owner, name) in zip(_attributes(node), held, strict=True):
        if ast.unparse(target) not in set_now:
            runner.tx.later(functools.partial(runner.tx.del_attr, owner, name))
            runner.work.record.removed[ast.unparse(target)] = None
    return True


def _attributes(node: ast.stmt) -> Iterator[ast.Attribute]:
    return (target for target in getattr(node, "targets", ()) if isinstance(target, ast.Attribute))


def _value_before(runner: Runner, statement: Statement, node: ast.Assign) -> Any:
    """What the right side gave with the values of before; ABSENT if that cannot be told."""
    alone = ast.copy_location(ast.Assign([ast.Name(_VALUE, ast.Store())], node.value), node)
    ast.fix_missing_locations(alone)
    before = Before(runner.scope.namespace, runner.work.name, runner.changes.values)
    return rebuilt(runner.scope, [Statement(alone, "", statement.first, statement.last)], _VALUE, before)


def _tell_changed(runner: Runner, owner: Any, name: str, old: Any) -> None:
    if is_a(owner, types.ModuleType):
        runner.changes.value_changed((owner.__name__, name), old)
    elif is_a(owner, type):
        runner.changes.value_changed((module_of(owner), f"{owner.__qualname__}.{name}"), old)
