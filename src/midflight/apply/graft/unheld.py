"""Classes that nobody holds any more, taken apart: else they stay among the subclasses of their bases until the garbage
collector has gone through the whole heap, which costs as long as the heap is large.

What makes up a class holds it in circles: its `__mro__`, its descriptors, the cells of its methods. Whether anything
else does is reckoned as the collector would (Modules/gcmodule.c, `subtract_refs`), for these few objects alone."""

from __future__ import annotations

import collections
import contextlib
import gc
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any

from midflight.apply.rebase import assign_bases, assign_metaclass
from midflight.apply.swap import dict_of_class, undisturbed

MOST_PARTS = 5000
# What makes up a class, besides itself: all else that refers to one counts as somebody who holds it.
_PARTS = (
    *(dict, tuple, types.FunctionType, types.CellType, staticmethod, classmethod, property),
    *(types.GetSetDescriptorType, types.MemberDescriptorType),
)


class _Passing(type):
    """The metaclass of a class that is taken apart: not even its own `__mro__` holds it."""

    def mro(cls) -> list[type]:
        return [object]


def take_apart(classes: Iterable[type]) -> None:
    """Let go of those of `classes` that only themselves, one another and what makes them up hold.

    `classes` must not hold them itself: what has weak references, and in the end those that others hold."""
    with undisturbed():  # another thread might ask for a subclass that is on its way
        unheld = _unheld(classes)
        unheld.sort(key=lambda cls: len(cls.__mro__))
        while unheld:  # what derives from another goes first
            _let_go(unheld.pop())


def _unheld(classes: Iterable[type]) -> list[type]:
    parts: list[Any] = list(classes)
    kinds = set(map(id, parts))
    _add_what_makes_up(parts, kinds)
    if len(parts) >= MOST_PARTS:
        return []
    within = collections.Counter(id(one) for part in parts for one in gc.get_referents(part))
    parts.append(object())  # held by nothing but the list, as it is gone through
    counts = [sys.getrefcount(part) for part in parts]
    ours = counts.pop()
    waiting = [part for part, count in zip(parts, counts, strict=False) if count - within[id(part)] > ours]
    known = set(map(id, parts))
    held = set(map(id, waiting))
    while waiting:
        for one in gc.get_referents(waiting.pop()):
            if id(one) in known and id(one) not in held:
                held.add(id(one))
                waiting.append(one)
    return [part for part in parts if id(part) in kinds and id(part) not in held]


def _add_what_makes_up(parts: list[Any], classes: set[int]) -> None:
    """The parts of the classes in `parts`, whose ids are `classes`, and the parts of these."""
    known = {*classes}
    for part in parts:  # which grows
        if len(parts) >= MOST_PARTS:
            return
        for one in _referents(part):
            if id(one) not in known and type(one) in _PARTS and gc.is_tracked(one):
                known.add(id(one))
                parts.append(one)


def _referents(part: Any) -> Iterator[Any]:
    around = part.__globals__ if type(part) is types.FunctionType else None
    return (one for one in gc.get_referents(part) if one is not around)


def _let_go(cls: type) -> None:
    """Take away what `cls` holds itself by: with its last reference it goes."""
    held, bases = dict_of_class(cls), cls.__bases__
    with contextlib.suppress(TypeError):  # where CPython will not have it, the collector finds the class
        assign_metaclass(cls, _Passing)
        assign_bases(cls, bases)  # finds the `__mro__` anew
        held.clear()
