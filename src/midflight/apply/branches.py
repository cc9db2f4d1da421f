"""Which branch of an `if` or a `try` runs: what stands in the other one binds nothing and uses nothing."""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Collection, Mapping
from typing import Any

from midflight.plan.statements import Statement, bound_names, read_names

_PURE_CALLS = frozenset({"hasattr", "isinstance", "issubclass", "callable", "len", "bool"})


def branch_taken(test: ast.expr, namespace: Mapping[str, Any]) -> bool | None:
    """What `test` answers, where asking again can do nothing and gives the answer of before; None elsewhere."""
    if _is_type_checking(test):
        return False  # also where its import is part of the same edit
    if not _asks_only(test, namespace):
        return None
    code = compile(ast.Expression(copy.deepcopy(test)), "<test>", "eval", dont_inherit=True)
    try:
        return bool(eval(code, dict(namespace)))
    except (NameError, AttributeError, TypeError, LookupError):
        return None  # it asks for what is not there yet


def as_it_runs(statement: Statement, namespace: Mapping[str, Any], unsettled: Collection[str] = ()) -> Statement:
    """`statement` without the branches that do not run. A test that reads one of `unsettled` is not asked."""
    if not isinstance(statement.node, ast.If):
        return statement
    node = _pruned(statement.node, namespace, unsettled)
    same = node is statement.node
    return statement if same else Statement(node, statement.text, statement.first, statement.last, statement.shift)


def imports_ran(node: ast.Try) -> bool | None:
    """Whether the body of a `try` that only imports came to its end; None of another, or where that does not show."""
    if not all(isinstance(one, ast.Import) for one in node.body):
        return None
    return all(alias.name in sys.modules for one in node.body if isinstance(one, ast.Import) for alias in one.names)


def names_bound(statement: Statement, namespace: Mapping[str, Any], unsettled: Collection[str] = ()) -> frozenset[str]:
    """Names that running `statement` binds, as far as can be told before it does."""
    found = as_it_runs(statement, namespace, unsettled)
    return found.binds if found is statement else bound_names(found.node)


def _pruned(node: ast.stmt, namespace: Mapping[str, Any], unsettled: Collection[str]) -> ast.stmt:
    if not isinstance(node, ast.If):
        return node
    asked = read_names(ast.Expr(node.test))
    answer = None if asked & set(unsettled) and not _is_type_checking(node.test) else branch_taken(node.test, namespace)
    body = [] if answer is False else [_pruned(child, namespace, unsettled) for child in node.body]
    orelse = [] if answer is True else [_pruned(child, namespace, unsettled) for child in node.orelse]
    if body == node.body and orelse == node.orelse:
        return node
    return ast.copy_location(ast.If(node.test, body, orelse), node)


def _is_type_checking(test: ast.expr) -> bool:
    """The constant that is true for type checkers only (typing.TYPE_CHECKING)."""
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    return name == "TYPE_CHECKING"


def _asks_only(test: ast.expr, namespace: Mapping[str, Any]) -> bool:
    """Whether `test` only looks: names, attributes, comparisons, and calls that look too."""
    if any(isinstance(n, (ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)) for n in ast.walk(test)):
        return False
    return all(_looks_only(n, namespace) for n in ast.walk(test) if isinstance(n, ast.Call))


def _looks_only(call: ast.Call, namespace: Mapping[str, Any]) -> bool:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in _PURE_CALLS and function.id not in namespace
    return isinstance(function, ast.Attribute) and isinstance(_held(function.value, namespace), str)


def _held(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    """What a chain of names holds, looked up without running a property."""
    if isinstance(node, ast.Name):
        return namespace.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_held(node.value, namespace), "__dict__", {}).get(node.attr)
    return node.value if isinstance(node, ast.Constant) else None
