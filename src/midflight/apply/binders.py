"""Which statement of a scope binds a name last: that one says what the name holds, whichever of them was edited."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from midflight.apply.aliases import starred, starred_before
from midflight.apply.branches import names_bound
from midflight.plan.diff import Pair
from midflight.plan.nodes import FUNCTIONS
from midflight.plan.statements import Statement

if TYPE_CHECKING:
    from midflight.apply.statements import Runner

_BINDING = (ast.ImportFrom, ast.Import, ast.Assign, ast.AnnAssign, ast.For)
_DEFINING = (*FUNCTIONS, ast.ClassDef, ast.If, ast.Try, ast.With)  # of a block what is defined inside
Version = Literal["old", "new"]


def last_binders(runner: Runner, pairs: Sequence[Pair], version: Version) -> dict[str, Pair]:
    """Name → the pair whose statement of that version is the last to bind it; star imports bind what they bring."""
    standing = [(statement, pair) for pair in pairs if (statement := getattr(pair, version)) is not None]
    brought = starred_before if version == "old" else starred
    last: dict[str, Pair] = {}
    for statement, pair in sorted(standing, key=lambda one: one[0].first):
        names = names_bound(statement, runner.scope.names)
        last.update(dict.fromkeys(names | brought(runner, statement) if "*" in names else names, pair))
    return last


def returning(old: dict[str, Pair], new: dict[str, Pair]) -> dict[Statement, list[str]]:
    """Statements that are the last to bind a name now and were not before, and do not run for it → those names."""
    found: dict[Statement, list[str]] = {}
    for name, pair in new.items():
        assert pair.new is not None
        if name in old and old[name] is not pair and pair.old is not None and _may_return(pair):
            found.setdefault(pair.new, []).append(name)
    return found


def _may_return(pair: Pair) -> bool:
    """An edited definition is grafted: the name stays what it is."""
    runs = pair.kind == "changed" and not pair.statement.is_def
    return not runs and pair.kind != "added" and isinstance(pair.statement.node, (*_BINDING, *_DEFINING))
