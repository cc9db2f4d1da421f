"""What a module and its classes define that can be called, and how two versions of a code object differ."""

from __future__ import annotations

import dis
import functools
import gc
import itertools
import types
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from midflight.apply.holders import DEPTH, LRU, codes_within, functions_in, nested_codes
from midflight.apply.transaction import dict_of
from midflight.graph.heap import objects
from midflight.graph.homes import made_in
from midflight.graph.hook import PLAIN
from midflight.graph.kinds import is_a, is_kind
from midflight.graph.loaded import Loaded

# The qualified name of a function or lru_cache, itself, a function inside, and the module's names that this one uses.
User = tuple[str, Any, types.FunctionType, frozenset[str]]
_EMPTY = types.CellType()
_GIVES = ("STORE_ATTR", "DELETE_ATTR")
_GIVING = frozenset(map(dis.opmap.__getitem__, _GIVES))
_LOOKS_UP = ("LOAD_ATTR", "LOAD_METHOD")
_NOT_CALLED: frozenset[type] = PLAIN | {
    types.ModuleType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    tuple,
    frozenset,
}


def own_callables(loaded: Loaded, *, plain: bool) -> Iterator[User]:
    nothing = frozenset[str]()
    for label, user in callables_of(loaded, plain=plain):
        for inner in behind(user, loaded) if type(user) is LRU else (user,):
            if type(inner) is types.FunctionType:
                own = inner.__globals__ is loaded.namespace
                yield label, user, inner, loaded.names_in(inner.__code__) if own else nothing


def callables_of(loaded: Loaded, *, plain: bool = True) -> Iterator[tuple[str, Any]]:
    """(qualified name, function or lru_cache) for all that the module and its classes define; unless `plain`, without
    functions that wrap nothing."""
    return _callables_in("", loaded.namespace, loaded.name, 3, plain)


def _callables_in(
    prefix: str, space: Mapping[str, Any], module: str, depth: int, plain: bool
) -> Iterator[tuple[str, Any]]:
    for name, value in list(space.items()):
        kind = type(value)
        if kind is types.FunctionType and value.__closure__ is None and not value.__dict__:
            if plain:
                yield prefix + name, value  # most are that, and are asked for in each reload
        elif type(kind) is not type or kind not in _NOT_CALLED:  # as `is_kind`, without a call
            yield from _callables(prefix + name, value, module, depth, plain)


def _callables(label: str, value: Any, module: str, depth: int, plain: bool = True) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if kind is types.FunctionType:
        yield label, value
        inner = value.__dict__.get("__wrapped__")
        if inner is not None and depth > 0:
            yield from _callables(label, inner, module, depth - 1)
        for hidden in enclosed(value) if depth > 0 else ():
            if hidden is not inner:
                yield from _callables(label, hidden, module, depth - 1)
    elif kind is LRU:
        yield label, value
        yield from _callables(label, value.__wrapped__, module, depth - 1)
    elif is_a(value, type):
        if depth > 0 and made_in(value, module):
            yield from _callables_in(f"{label}.", vars(value), module, depth - 1, plain)
    elif depth < 0:
        return  # wrappers that lead back to themselves
    elif is_kind(value, (staticmethod, classmethod)):
        yield from _callables(label, value.__func__, module, depth - 1)
    elif is_a(value, property):
        for part in (value.fget, value.fset, value.fdel):
            if part is not None:
                yield from _callables(label, part, module, depth - 1)
    elif is_a(value, functools.cached_property):
        yield from _callables(label, value.func, module, depth - 1)
    elif kind is not types.ModuleType:
        for inner in wrapped_in(value):  # an object of a decorator that is a class
            yield from _callables(label, inner, module, depth - 1)
            return


def behind(cached: Any, loaded: Loaded) -> Iterator[types.FunctionType]:
    """The functions whose answers an lru_cache holds: the one that it was put around, and those that one wraps; of an
    object also what its class does when it is called."""
    yield from functions_in(cached.__wrapped__, loaded.name)
    for one in (cached.__wrapped__, *wrapped_in(cached.__wrapped__)):
        call = vars(type(one)).get("__call__")
        if type(call) is types.FunctionType:
            yield call


def caches_around(functions: Collection[int]) -> Iterator[Any]:
    """The lru_caches around one of `functions`, which are given by id, or a method of one: an instance may hold one."""
    for cache in objects([LRU]):
        wrapped = (one.__func__ if type(one) is types.MethodType else one for one in gc.get_referents(cache))
        if any(id(one) in functions for one in wrapped):
            yield cache


def wrapped_in(value: Any) -> Iterator[Any]:
    """What a wrapper says that it wraps, and so on inwards."""
    for _ in range(DEPTH):
        held = dict_of(value) if not is_a(value, types.ModuleType) else None
        value = (held or {}).get("__wrapped__")
        if value is None:
            return
        yield value


def enclosed(function: types.FunctionType) -> Iterator[Any]:
    """The functions that a wrapper closed over: what a decorator was given."""
    for cell in function.__closure__ or ():
        if cell != _EMPTY and type(cell.cell_contents) in (types.FunctionType, LRU):
            yield cell.cell_contents


def attributes_of(code: types.CodeType, names: Collection[str]) -> set[str]:
    """The attributes that code, also that of functions inside, looks up of what the globals `names` hold."""
    found = set[str]().union(*(attributes_of(inner, names) for inner in nested_codes(code)))
    for instruction, then in itertools.pairwise(dis.get_instructions(code)):
        if instruction.opname == "LOAD_GLOBAL" and instruction.argval in names and then.opname in _LOOKS_UP:
            found.add(then.argval)
    return found


def only_stored_in(code: types.CodeType, names: Collection[str]) -> set[str]:
    """Those of `names` that code, also that of functions inside, does no more with than to give attributes that name
    to something, or to delete them."""
    given = {name for one in codes_within(code) for name in _given_in(one) if name in names} if names else set[str]()
    # To take all instructions apart costs much, and few functions give an attribute of such a name.
    return given.difference(*map(_used_by_itself, codes_within(code))) if given else given


def _given_in(code: types.CodeType) -> Iterator[str]:
    """The names of the attributes that it gives or deletes (dis, "Python Bytecode Instructions")."""
    operations, arguments = code.co_code[::2], code.co_code[1::2]
    for operation in _GIVING.intersection(operations):
        at = operations.find(operation)
        while at >= 0:
            index, before = arguments[at], at - 1
            while before >= 0 and operations[before] == dis.EXTENDED_ARG:
                index |= arguments[before] << 8 * (at - before)
                before -= 1
            yield code.co_names[index]
            at = operations.find(operation, at + 1)


def _used_by_itself(code: types.CodeType) -> set[str]:
    written = {one for one in code.co_consts if type(one) is str}
    if _GIVING.isdisjoint(code.co_code[::2]):
        return written.union(code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars)
    done = (one.argval for one in dis.get_instructions(code) if one.opname not in _GIVES)
    return written.union(name for name in done if type(name) is str)


def inner_code_differs(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether the own instructions of a function directly inside differ: of what a decorator factory returns."""
    before = {code.co_name: code for code in nested_codes(old)}
    return any(code.co_name in before and own_code_differs(before[code.co_name], code) for code in nested_codes(new))


def own_code_differs(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether a function's own instructions differ, not only those of functions inside it."""
    if old.co_freevars != new.co_freevars or old.co_code != new.co_code or old.co_names != new.co_names:
        return True
    if old.co_varnames != new.co_varnames or len(old.co_consts) != len(new.co_consts):
        return True
    if len(nested_codes(old)) != len(nested_codes(new)):
        return True
    return any(
        a != b or type(a) is not type(b)
        for a, b in zip(old.co_consts, new.co_consts, strict=True)
        if not isinstance(a, types.CodeType) and not isinstance(b, types.CodeType)
    )
