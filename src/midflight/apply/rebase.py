"""Bases and a metaclass that CPython would not assign, although nothing in memory changes.

For `cls.__bases__ = …` it compares the base that decides an instance's memory with the new one by who frees it and by
which class it is (Objects/typeobject.c, `compatible_for_assignment`), so it never leads a class from or to `object`
alone, nor to a base without fields; `cls.__class__ = …` it refuses for `type` itself. Where no class involved adds
anything to what an `object` holds (`graph/layouts.py`), the comparison is all that stands in the way: it is shown the
new base as the present one, or the reference to the metaclass is exchanged. CPython's own code does the rest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from midflight.graph.layouts import HEAP_TYPE, deciding, in_c, places, same_kind, same_memory

with contextlib.suppress(ImportError):  # without it `places` is empty, and nothing gets this far
    import ctypes

_set_bases: Final[Any] = type.__dict__["__bases__"].__set__
_set_class: Final[Any] = object.__dict__["__class__"].__set__


def assign_bases(cls: type, bases: tuple[type, ...]) -> None:
    """`cls.__bases__ = bases`. Raises TypeError where an instance would be other memory."""
    try:
        _set_bases(cls, bases)
    except TypeError:
        if not same_memory(cls, bases):
            raise
        _assign_past_comparison(cls, bases)


def _assign_past_comparison(cls: type, bases: tuple[type, ...]) -> None:
    before, now, then = cls.__bases__, in_c(cls), in_c(deciding(bases))
    try:
        if now is not then:
            _assign_shown(cls, (now,))
            _set_bases(cls, (then,))  # whether one class in C may stand for the other is CPython's to say
        _assign_shown(cls, bases)
    except TypeError:
        if cls.__bases__ != before:
            _assign_shown(cls, before)
        raise


def _assign_shown(cls: type, bases: tuple[type, ...]) -> None:
    with _shown(id(cls) + places()["base"], cls.__base__, deciding(bases)):
        _set_bases(cls, bases)


def assign_metaclass(cls: type, metaclass: type) -> None:
    """`cls.__class__ = metaclass`. Raises TypeError where a class would be other memory."""
    try:
        _set_class(cls, metaclass)
    except TypeError:
        if not same_kind(type(cls), metaclass):
            raise
        _exchange(id(cls) + places()["kind"], type(cls), metaclass, is_kind=True)
        _set_bases(cls, cls.__bases__)  # what was looked up in it before counts no more


@contextlib.contextmanager
def _shown(address: int, present: Any, instead: type) -> Iterator[None]:
    """While the bases are assigned CPython finds `instead`, and lets go of it when it has done so."""
    _exchange(address, present, instead)
    try:
        yield
    except BaseException:
        _exchange(address, instead, present)
        raise


def _exchange(address: int, present: type, instead: type, *, is_kind: bool = False) -> None:
    """The reference at `address` leads to `instead`, which is held from now on, and `present` is not. An object counts
    as one that holds its class only where a class statement made that (Objects/object.c, `_PyObject_Init`)."""
    reference = ctypes.c_void_p.from_address(address)
    if reference.value != id(present):
        raise TypeError(f"{present!r} is not where this Python keeps it")
    if not is_kind or instead.__flags__ & HEAP_TYPE:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(instead))
    reference.value = id(instead)
    if not is_kind or present.__flags__ & HEAP_TYPE:
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(present))
