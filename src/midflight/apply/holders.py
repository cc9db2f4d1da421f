"""Who holds a function: wrappers, cells, partials, registries; found by namespace first, by a heap walk if need be."""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import itertools
import sys
import types
import typing
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from midflight.apply.transaction import ABSENT, cell_value, dict_of
from midflight.apply.variants import origin_of, variants_of
from midflight.graph.heap import referrers
from midflight.graph.homes import made_in
from midflight.graph.kinds import is_a, is_kind

LRU = type(functools.lru_cache(lambda: None))
HOLDING = (list, tuple, set, frozenset, dict)
MOST = 1000  # items of a container that are looked at
DEPTH = 6  # wrappers inside wrappers: beyond this a chain is not followed but searched on the heap


def functions_in(value: Any, module: str, *, depth: int = DEPTH) -> Iterator[types.FunctionType]:
    """Functions that `value` is or wraps; for a class of `module`, those of its body too. Each is given once."""
    return (item for item in objects_in(value, module, depth=depth) if type(item) is types.FunctionType)


def objects_in(value: Any, module: str, *, depth: int = DEPTH) -> Iterator[Any]:
    """`value` and the wrappers, functions and members inside it, each once."""
    seen: set[int] = set()
    stack = [(value, depth)]
    while stack:
        item, left = stack.pop()
        if id(item) in seen or left < 0:
            continue
        seen.add(id(item))
        yield item
        stack.extend((part, left - 1) for part in parts_of(item, module))


def items(container: Any) -> list[Any]:
    """What a container holds, keys of a dict too, as far as it is looked at; other threads may fill it meanwhile."""
    parts = (container.keys(), container.values()) if type(container) is dict else (container,)
    return [one for part in parts for one in list(itertools.islice(part, MOST))]  # a list of it all could be long


def overloads(space: Mapping[str, Any], qualname: str) -> list[types.FunctionType]:
    """The overloads of a function of the module with the namespace `space`: no name leads to them, `typing` does."""
    owner: Any = types.SimpleNamespace(__module__=space.get("__name__"), __qualname__=qualname)
    return [one for one in typing.get_overloads(owner) if is_a(one, types.FunctionType)]


def parts_of(item: Any, module: str) -> Iterable[Any]:
    """What a wrapper wraps and a class of `module` defines."""
    kind = type(item)
    if kind is types.FunctionType:
        return _function_parts(item)
    if is_a(item, type):
        return list(vars(item).values()) if made_in(item, module) else ()
    if is_kind(item, (staticmethod, classmethod)):
        return (item.__func__,)
    if is_a(item, property):
        return (item.fget, item.fset, item.fdel)
    if kind is types.MethodType:
        return (item.__func__,)
    if is_a(item, (functools.partial, functools.partialmethod)):
        return (item.func, *item.args, *item.keywords.values())
    if is_a(item, functools.cached_property):
        return (item.func,)
    if is_a(item, (str, bytes, int, float, types.ModuleType, type(None))):
        return ()
    return _object_parts(item)


def _function_parts(function: types.FunctionType) -> list[Any]:
    parts = [cell_value(cell) for cell in function.__closure__ or ()]
    parts = [part for part in parts if not is_a(part, (type, types.ModuleType))]
    for value in function.__dict__.values():
        parts.append(value)
    return [*parts, *_registry_values(parts)]


def _registry_values(parts: list[Any]) -> list[Any]:
    """Functions in the small dicts and lists that a wrapper closes over (singledispatch's registry is one)."""
    out: list[Any] = []
    for part in parts:
        if is_a(part, (dict, types.MappingProxyType)) and len(part) < 1000:
            out += [v for v in list(part.values()) if callable(v) and not is_a(v, type)]
        elif is_kind(part, (list, tuple)) and len(part) < 1000:
            out += [v for v in part if callable(v) and not is_a(v, type)]
    return out


def _object_parts(item: Any) -> list[Any]:
    """Callables in the attributes and slots of an object that wraps a function (a decorator's instance)."""
    out: list[Any] = []
    held = dict_of(item)
    if type(held) is dict:
        out += list(held.values())
    for base in type(item).__mro__:
        for slot in base.__dict__.values():
            if type(slot) is types.MemberDescriptorType:  # asked itself: no code of a proxy runs
                with contextlib.suppress(AttributeError):
                    out.append(slot.__get__(item))
    out = [v for v in out if callable(v) or is_a(v, (property, staticmethod, classmethod))]
    return [v for v in out if not is_a(v, type)]


def running_codes(wanted: Container[int] | None = None) -> list[tuple[int, types.CodeType, int]]:
    """(thread, code object, line) for every frame on every thread's stack; `wanted` are the ids of the only code
    objects that are asked for.

    Frames are let go before this returns: one that is held keeps all that its callers' variables hold."""
    found = []
    frames = sys._current_frames()
    frame: types.FrameType | None = None
    try:
        for ident in frames:
            frame = frames[ident]
            while frame is not None:
                if wanted is None or id(frame.f_code) in wanted:
                    found.append((ident, frame.f_code, frame.f_lineno))
                frame = frame.f_back
    finally:
        del frame, frames
    return found


def frames_by_code() -> dict[int, int]:
    """How many frames on the threads' stacks run each code object, by its id."""
    counts: dict[int, int] = {}
    for _, code, _ in running_codes():
        counts[id(code)] = counts.get(id(code), 0) + 1
    return counts


def functions_running(codes: list[types.CodeType]) -> dict[int, list[types.FunctionType]]:
    """Every function on the heap that runs one of `codes`, by the code's id: one walk serves them all.

    Costs 1.5-2.7 ms on a heap of 10^5 small lists, 50 ms on 5*10^6: only for codes that refcounts say are held."""
    return on_heap(codes)[0]


def on_heap(codes: list[types.CodeType]) -> tuple[dict[int, list[types.FunctionType]], list[Any]]:
    """The same, and the dicts, lists and sets that hold one of `codes` itself: a debugger's table, a profiler's."""
    out: dict[int, list[types.FunctionType]] = {}
    tables: list[Any] = []
    if codes:
        variants = [variant for code in codes for variant in variants_of(code)]
        for referrer in referrers([*codes, *variants], [types.FunctionType, dict, list, set]):
            if type(referrer) is types.FunctionType:
                out.setdefault(id(origin_of(referrer.__code__)), []).append(referrer)
            elif referrer is not codes and referrer is not variants:
                tables.append(referrer)
    return out, tables


def variables_of(function: Any) -> dict[str, Any]:
    """What a function has captured, by name."""
    if type(function) is not types.FunctionType:
        return {}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell_value(cell) for name, cell in cells}


def is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def is_class_body(code: types.CodeType) -> bool:
    """Whether it is the code of a class body, or of a module: it runs in names that it is given."""
    return not code.co_flags & inspect.CO_NEWLOCALS


def nested_codes(code: types.CodeType) -> list[types.CodeType]:
    return [const for const in code.co_consts if isinstance(const, types.CodeType)]


def codes_within(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code itself and all inside it."""
    yield code
    for inner in nested_codes(code):
        yield from codes_within(inner)


def resolve(namespace: Mapping[str, Any], chain: Iterable[str]) -> Any:
    """The value of an attribute chain, looked up without running code; ABSENT if it cannot be."""
    value: Any = None
    for position, name in enumerate(chain):
        if position == 0:
            value = namespace.get(name, ABSENT)
        elif is_a(value, types.ModuleType):
            value = vars(value).get(name, ABSENT)
        elif is_a(value, type):
            value = next((vars(k)[name] for k in value.__mro__ if name in vars(k)), ABSENT)
            value = getattr(value, "__func__", value) if is_a(value, (staticmethod, classmethod)) else value
        else:
            value = _of_instance(value, name)
    return value


def _of_instance(value: Any, name: str) -> Any:
    """An instance's own attribute, or the raw one of its class."""
    held = dict_of(value)
    if type(held) is dict and name in held:
        return held[name]
    found = next((vars(k)[name] for k in type(value).__mro__ if name in vars(k)), ABSENT)
    return getattr(found, "__func__", found) if is_a(found, (staticmethod, classmethod)) else found


def value_of(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    """The value of a name or an attribute chain; ABSENT for anything else."""
    if isinstance(node, ast.Name):
        return namespace.get(node.id, ABSENT)
    if isinstance(node, ast.Attribute):
        return getattr(value_of(node.value, namespace), node.attr, ABSENT)
    return ABSENT
