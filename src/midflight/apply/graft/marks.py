"""Attributes that a decorator put on what it decorated: they go with the decorator."""

from __future__ import annotations

import ast
import dis
import types
from collections.abc import Iterator, Mapping
from typing import Any

from midflight.apply.holders import functions_in, nested_codes, resolve
from midflight.apply.transaction import Transaction
from midflight.graph.kinds import shown
from midflight.plan.diff import Pair
from midflight.plan.statements import fingerprint

_STORE_ATTR = dis.opmap["STORE_ATTR"]
Unstored = Mapping[int, frozenset[str]]  # as in Changes.unstored


def forget_marks(
    tx: Transaction, pair: Pair, namespace: Mapping[str, Any], unstored: Unstored, lives: Any, made: Any
) -> None:
    """Take from `lives` what decorators that are gone or were edited had stored on it, unless `made`, its new version,
    has it too."""
    held = shown(lives, "__dict__", {})
    for name in marks_of(pair, namespace, unstored):
        if name in held and name not in shown(made, "__dict__", {}):
            tx.del_attr(lives, name)


def marks_of(pair: Pair, namespace: Mapping[str, Any], unstored: Unstored) -> frozenset[str]:
    """Names of the attributes that decorators stored somewhere: those that the edit removed, and those that do so no
    more since they were edited."""
    if pair.old is None:
        return frozenset()
    decorators = getattr(pair.old.node, "decorator_list", ())
    edited = frozenset(
        name
        for decorator in (decorators if unstored else ())
        for function in _functions_of(decorator, namespace)
        for name in unstored.get(id(function), ())
    )
    new = {fingerprint(d) for d in getattr(pair.new and pair.new.node, "decorator_list", ())}
    gone = [d for d in decorators if fingerprint(d) not in new]
    stored = frozenset(name for decorator in gone for name in _stored_by(decorator, namespace))
    return edited | stored | ({"__wrapped__"} if gone else set())  # functools.wraps


def _stored_by(decorator: ast.expr, namespace: Mapping[str, Any]) -> Iterator[str]:
    for function in _functions_of(decorator, namespace):
        yield from stores(function.__code__)


def _functions_of(decorator: ast.expr, namespace: Mapping[str, Any]) -> Iterator[types.FunctionType]:
    while isinstance(decorator, ast.Call):
        decorator = decorator.func
    chain: list[str] = []
    while isinstance(decorator, ast.Attribute):
        chain.insert(0, decorator.attr)
        decorator = decorator.value
    if isinstance(decorator, ast.Name):
        value = resolve(dict(namespace), [decorator.id, *chain])
        yield from functions_in(value, shown(value, "__module__") or "")


def stores(code: types.CodeType) -> Iterator[str]:
    """Names of the attributes that `code`, or code inside it, stores on anything."""
    # To take the instructions apart costs far more than to look for one.
    for instruction in dis.get_instructions(code) if _STORE_ATTR in code.co_code[::2] else ():
        if instruction.opcode == _STORE_ATTR:
            yield instruction.argval
    if "setattr" in code.co_names:
        yield from (const for const in code.co_consts if isinstance(const, str) and const.isidentifier())
    for nested in nested_codes(code):
        yield from stores(nested)
