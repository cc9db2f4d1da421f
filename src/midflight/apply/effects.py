"""What statements do besides binding names, and what it was done to: for the report, where it cannot be taken back."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from midflight.apply.transaction import ABSENT
from midflight.graph.hook import is_plain
from midflight.graph.kinds import is_a
from midflight.plan.diff import built_names
from midflight.plan.flow import Dotted, dotted_reads
from midflight.plan.nodes import walk_scope
from midflight.plan.statements import Statement, fingerprint

if TYPE_CHECKING:
    from midflight.apply.execute import Execution


def hooks_of(run: Execution, cls: type) -> list[str]:
    """The program's classes whose `__init_subclass__` was told of `cls`."""
    bases = (k for k in cls.__mro__[1:] if "__init_subclass__" in vars(k) and run.program.owns(k))
    return [f"{base.__module__}.{base.__qualname__}" for base in bases]


def has_effect(statement: Statement) -> bool:
    """Whether running it does something else than to build values."""
    return bool(_effects_inside(statement)) if statement.binds else does_something(statement.node)


def lost_effect(old: Statement, new: Statement | None) -> bool:
    """Whether `old` did something that `new`, in its place, does not; blocks of one kind are compared inside."""
    if new is None or not old.is_block or type(new.node) is type(old.node):
        return new is None and has_effect(old)
    return bool(_effects_inside(old) - _effects_inside(new))


def _effects_inside(statement: Statement) -> set[str]:
    """The calls of a block, and what it sets of objects, that build none of its values."""
    nodes = list(walk_scope(statement.node)) if statement.is_block else []
    calls = [n.value for n in nodes if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)]
    found = {fingerprint(call) for call in calls if not _names_in(call.func) & built_names(statement)}
    stores = [n for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)]
    return found | {fingerprint(one) for one in stores if not _names_in(one) & statement.binds}


def _names_in(node: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def does_something(node: ast.stmt) -> bool:
    return not (isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)))


def affected(statement: Statement, get: Callable[[str], Any], label: Callable[[str], str]) -> list[str]:
    """What a statement may have done something to: the labels of what it names, where that shows. `get` gives what a
    name of its scope holds, or ABSENT, and `label` what to call it."""
    chains = {(name,) for name in statement.reads - statement.binds} | dotted_reads(statement)
    found = {_place(chain, get(chain[0]), label(chain[0])) for chain in chains}
    return sorted(found - {""})


def _place(chain: Dotted, value: Any, label: str) -> str:
    """The name by which a module holds what the chain leads to; empty where nothing can have been done to it that would
    stay: plain data, what is built in, a module itself."""
    for name in chain[1:]:
        if not is_a(value, types.ModuleType):
            break
        value, label = vars(value).get(name, ABSENT), f"{value.__name__}.{name}"
    spared = value is ABSENT or is_plain(value) or is_a(value, (types.ModuleType, types.BuiltinFunctionType))
    return "" if spared else label
