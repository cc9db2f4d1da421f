"""Evaluates expressions. It knows numbers, texts, lists and a few functions, and nothing that reaches outside."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from python.helpers.tool import Response, Tool

LARGEST = 10**100
LONGEST = 10_000

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
FUNCTIONS: dict[str, Callable[..., Any]] = {"abs": abs, "len": len, "max": max, "min": min, "round": round, "sum": sum}


class CodeExecution(Tool):
    """Evaluates a Python expression such as 2 * (3 + 4) or sum([1, 2, 3]). Arguments: text."""

    async def execute(self, text: Any = "", **kwargs: Any) -> Response:
        try:
            value = evaluate(ast.parse(str(text).strip(), mode="eval").body)
        except (ArithmeticError, SyntaxError, TypeError, ValueError, RecursionError) as error:
            return Response(message=f"{text} cannot be evaluated: {error}", break_loop=False)
        return Response(message=f"{str(text).strip()} = {value!r}", break_loop=False)


def evaluate(node: ast.expr) -> Any:
    """The value of an expression. Raises ValueError for what is not allowed in one."""
    match node:
        case ast.Constant(value=int() | float() | str() as value):
            return small(value)
        case ast.List(elts=parts):
            return [evaluate(part) for part in parts]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
            return UNARY[type(op)](number(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return small(BINARY[type(op)](number(left), number(right)))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            return small(FUNCTIONS[name](*map(evaluate, args)))
    raise ValueError(f"{ast.unparse(node)} is not allowed here")


def number(node: ast.expr) -> int | float:
    """Texts and lists may be handed to functions, but not multiplied: "x" * 10**9 would fill the memory."""
    value = evaluate(node)
    if not isinstance(value, (int, float)):
        raise ValueError(f"{ast.unparse(node)} is not a number")
    return value


def small(value: Any) -> Any:
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError("a number gets too large")
    if isinstance(value, str) and len(value) > LONGEST:
        raise ValueError("a text gets too long")
    return value
