"""What statements do besides binding names, and what it was done to: for the report, where it cannot be taken back."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from midflight.apply.transaction import ABSENT
from midflight.graph.hook import is_plain
from midflight.plan.diff import built_names
from midflight.plan.flow import Dotted, dotted_reads
from midflight.plan.statements import Statement, walk_scope

if TYPE_CHECKING:
    from midflight.apply.execute import Execution


def hooks_of(run: Execution, cls: type) -> list[str]:
    """The program's classes whose `__init_subclass__` was told of `cls`."""
    bases = (k for k in cls.__mro__[1:] if "__init_subclass__" in vars(k) and run.program.owns(k))
    return [f"{base.__module__}.{base.__qualname__}" for base in bases]


def has_effect(statement: Statement) -> bool:
    """Whether running it does something else than to build values."""
    if not statement.binds:
        return does_something(statement.node)
    calls = (n.value for n in walk_scope(statement.node) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call))
    roots = ({n.id for n in ast.walk(call.func) if isinstance(n, ast.Name)} for call in calls)
    return statement.is_block and any(not names & built_names(statement) for names in roots)


def does_something(node: ast.stmt) -> bool:
    return not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


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
        if not isinstance(value, types.ModuleType):
            break
        value, label = vars(value).get(name, ABSENT), f"{value.__name__}.{name}"
    spared = value is ABSENT or is_plain(value) or isinstance(value, (types.ModuleType, types.BuiltinFunctionType))
    return "" if spared else label
