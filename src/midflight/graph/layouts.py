"""Whether a class would be the same memory under other bases: CPython compares more than that."""

from __future__ import annotations

import functools
import types
from collections.abc import Collection, Iterable, Mapping

from midflight.graph.kinds import is_kind

try:
    import ctypes
except ImportError:  # a Python built without it: what CPython refuses stays refused
    ctypes = None  # type: ignore[assignment]

HEAP_TYPE, IMMUTABLE = 1 << 9, 1 << 8  # Py_TPFLAGS_HEAPTYPE: a class statement made it; Py_TPFLAGS_IMMUTABLETYPE
_WORD = object.__basicsize__ // 2  # an object without fields: a count and a class
_OF_C = (types.WrapperDescriptorType, types.MethodDescriptorType, types.MemberDescriptorType)


def same_memory(cls: type, bases: tuple[type, ...]) -> bool:
    """Whether instances of `cls` need not change for it to have `bases`: what they are under that is written in C is of
    one size, no other class adds a field, and a dict and weak references are there before and after, or neither."""
    if "base" not in places() or not _is_plain(cls) or not bases:
        return False
    decides = deciding(bases)
    now, then = in_c(cls), in_c(decides)
    under = without([kind for base in (cls, *bases) for kind in base.__mro__], (*now.__mro__, *then.__mro__))
    small = all(_adds_no_field(kind) or _solid(kind) in _solid(now).__mro__ for kind in under)
    alike = _size(now) == _size(then) and not now.__itemsize__ and small
    return alike and _extras(cls) == _extras_under(cls, bases) and _same_places(cls, decides)


def without(classes: Iterable[type], others: Collection[type]) -> list[type]:
    """Those of `classes` that are none of `others`; none is hashed: a metaclass may have an `__eq__` alone."""
    known = set(map(id, others))
    return [cls for cls in classes if id(cls) not in known]


def deciding(bases: tuple[type, ...]) -> type:
    """The one of `bases` that says what an instance is in memory (Objects/typeobject.c, `best_base`)."""
    decides = bases[0]
    for base in bases[1:]:
        if not issubclass(_solid(decides), _solid(base)):
            decides = base
    return decides


def _solid(cls: type) -> type:
    """The nearest class above it that adds a field, or `object`."""
    kind = in_c(cls)
    while kind.__base__ is not None and _size(kind)[:2] == _size(kind.__base__)[:2]:
        kind = kind.__base__
    return kind


def same_kind(metaclass: type, other: type) -> bool:
    """Whether a class is the same memory as an instance of either metaclass."""
    above = without([kind for one in (metaclass, other) for kind in one.__mro__], (type, object))
    return "kind" in places() and all(_is_plain(kind) and _size(kind) == _size(type) for kind in above)


def in_c(cls: type) -> type:
    """The nearest class that an instance's memory comes from and that no class statement made."""
    kind = cls
    while _is_plain(kind) and kind.__base__ is not None:
        kind = kind.__base__
    return kind


def _adds_no_field(cls: type) -> bool:
    """Whether it measures what the class in C under it does, and a dict and weak references at most."""
    return _is_plain(cls) and 0 <= cls.__basicsize__ - in_c(cls).__basicsize__ <= 2 * _WORD


def _same_places(cls: type, base: type) -> bool:
    """Whether `cls` has its dict and weak references where `base` has its own, if it has."""
    pairs = zip(_size(cls)[2:], _size(base)[2:], strict=True)
    return all(mine == inherited for mine, inherited in pairs if inherited)


def _is_plain(cls: type) -> bool:
    """Made by a class statement that names no slots: nothing of it is written in C."""
    if not cls.__flags__ & HEAP_TYPE or cls.__flags__ & IMMUTABLE:
        return False
    members = type.__getattribute__(cls, "__dict__").values()
    return not any(is_kind(member, _OF_C) and member.__objclass__ is cls for member in members)


def _size(cls: type) -> tuple[int, ...]:
    return cls.__basicsize__, cls.__itemsize__, cls.__dictoffset__, cls.__weakrefoffset__


def _extras(cls: type) -> tuple[bool, bool]:
    return bool(cls.__dictoffset__), bool(cls.__weakrefoffset__)


def _extras_under(cls: type, bases: Iterable[type]) -> tuple[bool, bool]:
    """Whether it would have a dict, and weak references: of its own, or from a base."""
    slots = type.__getattribute__(cls, "__dict__").get("__slots__")
    own = (True, True) if slots is None else ("__dict__" in slots, "__weakref__" in slots)
    inherited = [_extras(base) for base in bases]
    return own[0] or any(one[0] for one in inherited), own[1] or any(one[1] for one in inherited)


@functools.cache
def places() -> Mapping[str, int]:
    """Where in its memory a class keeps its base and its kind, in bytes: found by looking, and only what was found at
    exactly one place."""
    if ctypes is None:
        return {}
    kind = type("Kind", (type,), {})
    base = kind("Base", (), {})
    cls = kind("Class", (base,), {})
    size = ctypes.sizeof(ctypes.c_void_p)
    words = list((ctypes.c_void_p * (_size(type)[0] // size)).from_address(id(cls)))
    named = {"base": id(base), "kind": id(kind)}
    return {name: words.index(value) * size for name, value in named.items() if words.count(value) == 1}
