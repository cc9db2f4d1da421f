"""Attributes that a decorator put on what it decorated: they go with the decorator."""

from __future__ import annotations

import ast
import dis
import types
from collections.abc import Iterator, Mapping
from typing import Any

from midflight.apply.holders import functions_in, nested_codes, resolve
from midflight.apply.transaction import Transaction
from midflight.plan.diff import Pair
from midflight.plan.statements import fingerprint


def forget_marks(tx: Transaction, pair: Pair, namespace: Mapping[str, Any], lives: Any, made: Any) -> None:
    """Take from `lives` what decorators that are gone had stored on it, unless `made`, its new version, has it too."""
    held = getattr(lives, "__dict__", {})
    for name in marks_of(pair, namespace):
        if name in held and name not in getattr(made, "__dict__", {}):
            tx.del_attr(lives, name)


def marks_of(pair: Pair, namespace: Mapping[str, Any]) -> frozenset[str]:
    """Names of the attributes that the decorators which the edit removed store anywhere."""
    if pair.old is None:
        return frozenset()
    new = {fingerprint(d) for d in getattr(pair.new and pair.new.node, "decorator_list", ())}
    gone = [d for d in getattr(pair.old.node, "decorator_list", ()) if fingerprint(d) not in new]
    return frozenset(name for decorator in gone for name in _stored_by(decorator, namespace))


def _stored_by(decorator: ast.expr, namespace: Mapping[str, Any]) -> Iterator[str]:
    while isinstance(decorator, ast.Call):
        decorator = decorator.func
    chain: list[str] = []
    while isinstance(decorator, ast.Attribute):
        chain.insert(0, decorator.attr)
        decorator = decorator.value
    if isinstance(decorator, ast.Name):
        value = resolve(dict(namespace), [decorator.id, *chain])
        for function in functions_in(value, getattr(value, "__module__", "") or ""):
            yield from _stores(function.__code__)


def _stores(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname == "STORE_ATTR":
            yield instruction.argval
    for nested in nested_codes(code):
        yield from _stores(nested)
