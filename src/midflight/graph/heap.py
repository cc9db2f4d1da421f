"""What is on the heap: one walk, only for edits that need it.

`tuple(generator)`, also as in `f(*generator)`, fails in its thread with a SystemError if somebody else holds the tuple
while it is filled (Objects/tupleobject.c, `_PyTuple_Resize`), and the collector gives such tuples too. So each walk is
consumed by C code alone, which nothing interrupts, and no tuple is left of it."""

from __future__ import annotations

import functools
import gc
import itertools
import operator
import types
from collections.abc import Callable, Collection, Iterator
from typing import Any

from midflight.graph.layouts import same_memory


def objects(kinds: Collection[type]) -> list[Any]:
    """All that the collector knows of exactly one of `kinds`, none of them a tuple's."""
    return _walked(gc.get_objects, _of(kinds))


def kinds_of_objects() -> list[type]:
    """The type of each object that the collector knows."""
    return _undisturbed(map(type, itertools.chain.from_iterable(_when_consumed(gc.get_objects))))


def referrers(targets: Collection[Any], kinds: Collection[type] = ()) -> list[Any]:
    """What refers to one of `targets` and is of exactly one of `kinds`, or, without these, of any type but a tuple."""
    if not targets:
        return []
    return _walked(functools.partial(gc.get_referrers, *targets), _of(kinds) if kinds else _no_tuples)


Chooser = Callable[[Iterator[Iterator[type]]], Iterator[Iterator[bool]]]  # the types in each list → which are wanted


def _of(kinds: Collection[type]) -> Chooser:
    ids = frozenset(map(id, kinds))  # a metaclass may hash and compare its classes by code of its own
    return lambda types: map(functools.partial(map, ids.__contains__), map(functools.partial(map, id), types))


def _no_tuples(types: Iterator[Iterator[type]]) -> Iterator[Iterator[bool]]:
    return map(functools.partial(map, operator.is_not), types, itertools.repeat(itertools.repeat(tuple)))


def _walked(walk: Callable[[], list[Any]], wanted: Chooser) -> list[Any]:
    # The list twice, once for its objects and once for their types. `tee` would not do: it is on the heap itself, and
    # once it had found itself it would never let go of what it remembers.
    lists = itertools.chain.from_iterable(map(itertools.repeat, _when_consumed(walk), (2,)))
    chosen = map(itertools.compress, lists, wanted(map(functools.partial(map, type), lists)))
    return _undisturbed(itertools.chain.from_iterable(chosen))


def _when_consumed(walk: Callable[[], list[Any]]) -> Iterator[list[Any]]:
    return map(operator.call, (walk,))


def _undisturbed(found: Iterator[Any]) -> list[Any]:
    collects = gc.isenabled()
    gc.disable()  # a collection runs finalizers, and with them other threads
    try:
        return list(found)
    finally:
        if collects:
            gc.enable()


def all_subclasses(cls: type) -> list[type]:
    out, stack = {id(cls): cls}, [cls]  # by id: a metaclass may compare its classes by code of its own
    while stack:
        subclasses: list[type] = type.__subclasses__(stack.pop())
        fresh = {id(sub): sub for sub in subclasses if id(sub) not in out}
        out |= fresh
        stack += fresh.values()
    return list(out.values())


def live_instances(cls: type, *, exact: bool = False) -> list[Any]:
    """Every live instance of `cls` and its subclasses: since CPython 3.9 an instance refers to its class."""
    kinds = [cls] if exact else all_subclasses(cls)
    return referrers(kinds, kinds)


def refuses_bases(cls: type, bases: tuple[type, ...]) -> str:
    """Why these bases cannot be assigned, asked of a stand-in with the same layout; empty if they can."""
    if same_memory(cls, bases):
        return ""
    if type(cls) is not type or any("__init_subclass__" in vars(k) for k in cls.__mro__[:-1]):
        return ""  # making a stand-in would run the program's own code
    error, left = _refused(cls, bases)
    if not left:
        gc.collect(0)  # only now does nobody hold the stand-in
    return error


def _refused(cls: type, bases: tuple[type, ...]) -> tuple[str, bool]:
    """What CPython says, and whether the stand-in has left `__subclasses__()` of its bases."""
    slots = {"__slots__": vars(cls)["__slots__"]} if "__slots__" in vars(cls) else {}
    stand_in = types.new_class(cls.__name__, cls.__bases__, exec_body=lambda ns: ns.update(slots))
    error = _assigned(stand_in, bases)
    return error, not _assigned(stand_in, (_Nobody,))


def _assigned(cls: type, bases: tuple[type, ...]) -> str:
    try:
        cls.__bases__ = bases
    except TypeError as error:
        return str(error)
    return ""


class _Nobody:
    """The base of stand-ins that nobody needs any more."""


class Process:
    """The running process, for those who only ask."""

    instances = staticmethod(live_instances)
    refuses_bases = staticmethod(refuses_bases)
