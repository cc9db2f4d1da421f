"""Statements that compute one value from names and do nothing else: `URL = f"{HOST}/api"`. Pure."""

from __future__ import annotations

import ast

from midflight.plan.order import LISTERS
from midflight.plan.statements import Statement

_OPERATIONS = (
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp,
    ast.JoinedStr, ast.FormattedValue, ast.Tuple, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip


def formula_of(statement: Statement) -> str:
    """The name that it binds to what operators make of names, attributes and data written out; "" where it does
    anything else, or reads that name itself."""
    return statement.fact("formula", _formula)  # type: ignore[no-any-return]


def _formula(node: ast.stmt) -> str:
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return ""
    name, parts = node.targets[0].id, list(ast.walk(node.value))
    read = {part.id for part in parts if isinstance(part, ast.Name)}
    computes = all(isinstance(part, _OPERATIONS) for part in parts) and read.isdisjoint({name, *LISTERS})
    return name if computes else ""
