"""Which decorators read the signature of what they decorate, as far as names lead: its parameters, their defaults and
annotations, or the very source."""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from midflight.apply.holders import nested_codes, value_of
from midflight.apply.transaction import dict_of
from midflight.graph.kinds import is_a, is_kind

_READERS = frozenset(
    {
        *("signature", "getfullargspec", "get_type_hints", "get_annotations", "from_callable"),
        *("__annotations__", "__defaults__", "__kwdefaults__", "getsource", "getsourcelines"),
    }
)
_MOST_CALLED = 300  # functions that are looked into for one decorator
_BOUND = (types.MethodType, staticmethod, classmethod)


def read_signature(decorators: Sequence[ast.expr], namespace: Mapping[str, Any]) -> bool:
    """Whether one of `decorators` runs code that reads a signature. What functions inside it do they do later; but of
    one that is called one of them decorates."""
    return any(_comes_to_readers(one, namespace) for one in decorators)


def _comes_to_readers(decorator: ast.expr, namespace: Mapping[str, Any]) -> bool:
    called = isinstance(decorator, ast.Call)
    value = value_of(decorator.func if isinstance(decorator, ast.Call) else decorator, namespace)
    waiting = list(_run_to_decorate(value, called))
    seen = set[int]()
    while waiting and len(seen) < _MOST_CALLED:
        function, owner = waiting.pop()
        if type(function) is not types.FunctionType or id(function) in seen or _is_library(function):
            continue
        seen.add(id(function))
        codes = [function.__code__, *(nested_codes(function.__code__) if called else ())]
        names = {name for code in codes for name in code.co_names}
        if not names.isdisjoint(_READERS):
            return True
        waiting += _called_by(function, owner, names)
    return False


def _run_to_decorate(value: Any, called: bool) -> Iterator[tuple[Any, Any]]:
    """Functions that run when `value` decorates, each with the object or class that it is a method of."""
    if is_a(value, type):
        yield from _methods(value, ("__init__", "__new__", "__call__")[: 2 + called])
    elif is_kind(value, (types.FunctionType, types.MethodType)):
        yield getattr(value, "__func__", value), getattr(value, "__self__", None)
    else:
        yield from ((one, value) for one, _ in _methods(type(value), ("__call__",)))


def _called_by(function: types.FunctionType, owner: Any, names: Collection[str]) -> Iterator[tuple[Any, Any]]:
    """What code that uses `names` may call: globals, methods of its object, and those of the object's attributes."""
    found = [function.__globals__.get(name) for name in names]
    if owner is not None:
        yield from ((one, owner) for one, _ in _methods(owner if is_a(owner, type) else type(owner), names))
        held = dict_of(owner) or {}
        found += [held.get(name) for name in names]
        shared = (vars(kind).get(name) for kind in type(owner).__mro__ for name in names)
        found += [one for one in shared if type(one) is not types.FunctionType]
    for value in found:
        if is_a(value, type):
            yield from _methods(value, {"__init__", "__new__", *names})
        elif type(value) is types.FunctionType:
            yield value, None
        else:
            yield from ((one, value) for one, _ in _methods(type(value), names))


def _methods(cls: type, names: Collection[str]) -> Iterator[tuple[Any, Any]]:
    for kind in cls.__mro__:
        members = (vars(kind).get(name) for name in names)
        yield from ((one.__func__ if is_kind(one, _BOUND) else one, cls) for one in members if one is not None)


def _is_library(function: types.FunctionType) -> bool:
    return (function.__module__ or "").partition(".")[0] in sys.stdlib_module_names
