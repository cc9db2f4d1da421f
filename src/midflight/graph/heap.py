"""Live instances, found on the heap: one walk, only for edits that need it."""

from __future__ import annotations

import gc
import types
from typing import Any

from midflight.graph.layouts import same_memory


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
