"""A class statement is compiled without the classes in its body: those live, and are edited as classes are. The code
that makes a twin of the outer one has them as constants, so what it makes of them is made of those that live. Pure."""

from __future__ import annotations

import ast
import operator
import types
from collections.abc import Mapping
from typing import Any, NamedTuple

from midflight.apply.holders import is_class_body
from midflight.plan.statements import Statement


class Nested(NamedTuple):
    """A class that lives in the body of one that is made again."""

    lives: Any  # what its name holds there
    roots: tuple[types.CodeType, ...]

    @staticmethod
    def mark(name: str) -> str:
        """The constant that stands for it in the code until that runs."""
        return f"\x00{name} that lives"


def with_nested(statement: Statement, nested: Mapping[str, Nested]) -> ast.stmt:
    """The class statement, in which the statements of the classes `nested` only bind a name."""
    node = statement.located()
    assert isinstance(node, ast.ClassDef)
    if not nested:
        return node
    body = [_bound(one, nested) if isinstance(one, ast.ClassDef) and one.name in nested else one for one in node.body]
    return ast.copy_location(ast.ClassDef(**{**dict(ast.iter_fields(node)), "body": body}), node)


def _bound(node: ast.ClassDef, nested: Mapping[str, Nested]) -> ast.stmt:
    made = ast.Assign([ast.Name(node.name, ast.Store())], ast.Constant(Nested.mark(node.name)))
    return ast.fix_missing_locations(ast.copy_location(made, node))


def with_living(code: types.CodeType, nested: Mapping[str, Nested]) -> types.CodeType:
    """`code` with the classes themselves as constants; what has none of them is the code object that it was."""
    lives = {Nested.mark(name): one.lives for name, one in nested.items()}

    def filled(const: Any) -> Any:
        if isinstance(const, types.CodeType):
            return _with_consts(const, tuple(map(filled, const.co_consts)))
        return lives.get(const, const) if type(const) is str else const

    filled_code: types.CodeType = filled(code)
    return filled_code if nested else code


def with_roots(code: types.CodeType, name: str, nested: Mapping[str, Nested]) -> types.CodeType:
    """`code`, in which the body of the class `name` has the code objects of the classes `nested`, too."""
    if code.co_name == name and is_class_body(code):
        return _with_consts(code, (*code.co_consts, *(root for one in nested.values() for root in one.roots)))
    inside = (with_roots(c, name, nested) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    return _with_consts(code, tuple(inside))


def _with_consts(code: types.CodeType, consts: tuple[Any, ...]) -> types.CodeType:
    same = len(consts) == len(code.co_consts) and all(map(operator.is_, consts, code.co_consts))
    return code if same else code.replace(co_consts=consts)
