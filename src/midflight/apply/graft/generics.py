"""The parameters of classes that become generic, or are it no more, by what happens to a base."""

from __future__ import annotations

import types
import typing
from typing import Any

from midflight.apply.transaction import Transaction
from midflight.graph.heap import all_subclasses


def parameters_follow(tx: Transaction, owner: type, before: tuple[type, ...]) -> None:
    """`Generic` gives each class that is made below it its `__parameters__`: those that live have them from now on, or
    have them no more. `before` are the bases that `owner` had."""
    is_generic = _is_generic(owner)
    if is_generic == any(map(_is_generic, before)):
        return
    for cls in all_subclasses(owner):
        if not _is_generic(cls):
            tx.del_attr(cls, "__parameters__")
        elif "__parameters__" not in vars(cls):
            tx.set_attr(cls, "__parameters__", _parameters(cls))


def _is_generic(cls: type) -> bool:
    return any(base is typing.Generic for base in cls.__mro__)  # none is asked whether it is equal


def _parameters(cls: type) -> tuple[Any, ...]:
    written = tuple(vars(cls).get("__orig_bases__", ()))
    return tuple(types.GenericAlias(tuple, written).__parameters__)
