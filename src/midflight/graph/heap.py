"""Live instances, found on the heap: one walk, only for edits that need it."""

from __future__ import annotations

import gc
import types
from typing import Any


def all_subclasses(cls: type) -> list[type]:
    out, stack = [cls], [cls]
    while stack:
        subclasses: list[type] = type.__subclasses__(stack.pop())
        for sub in subclasses:
            if sub not in out:
                out.append(sub)
                stack.append(sub)
    return out


def live_instances(cls: type, *, exact: bool = False) -> list[Any]:
    """Every live instance of `cls` and its subclasses: since CPython 3.9 an instance refers to its class."""
    kinds = [cls] if exact else all_subclasses(cls)
    wanted = {id(kind) for kind in kinds}
    return [obj for obj in gc.get_referrers(*kinds) if id(type(obj)) in wanted]


def refuses_bases(cls: type, bases: tuple[type, ...]) -> str:
    """Why CPython would not assign these bases, asked of a stand-in with the same layout; empty if it would."""
    if type(cls) is not type or any("__init_subclass__" in vars(k) for k in cls.__mro__[:-1]):
        return ""  # making a stand-in would run the program's own code
    slots = {"__slots__": vars(cls)["__slots__"]} if "__slots__" in vars(cls) else {}
    stand_in = types.new_class(cls.__name__, cls.__bases__, exec_body=lambda ns: ns.update(slots))
    try:
        stand_in.__bases__ = bases
    except TypeError as error:
        return str(error)
    finally:
        _leave(stand_in)
    return ""


class _Nobody:
    """The base of stand-ins that nobody needs any more."""


def _leave(stand_in: type) -> None:
    """Out of `__subclasses__()` of its bases at once: a class lies in cycles with itself."""
    try:
        stand_in.__bases__ = (_Nobody,)
    except TypeError:
        gc.collect(0)


class Process:
    """The running process, for those who only ask."""

    instances = staticmethod(live_instances)
    refuses_bases = staticmethod(refuses_bases)
