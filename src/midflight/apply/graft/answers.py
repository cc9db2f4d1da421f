"""What abstract base classes remember about who is an instance: wrong once a class has other members or bases."""

from __future__ import annotations

import _abc  # type: ignore[import-not-found]
import abc
import collections.abc
import typing
from collections.abc import Iterable, Iterator

from midflight.apply.transaction import ABSENT, Transaction
from midflight.graph.kinds import is_a
from midflight.graph.loaded import Program


class _Asked(abc.ABC):
    """Registering with any ABC makes all of them forget the answers that were no (Modules/_abc.c)."""


def forget_answers(abstract: Iterable[type]) -> None:
    """The next `isinstance` and `issubclass` look again. What was registered stays."""
    _Asked.register(type("_Answer", (), {}))
    for cls in abstract:
        if hasattr(cls, "_abc_impl"):
            _abc._reset_caches(cls)


def forget_aliases() -> None:
    """`List[C]` and the like, which typing remembers: a class that is gone would live on in them."""
    for forget in getattr(typing, "_cleanups", ()):
        forget()


def own_answers() -> object:
    """What ABCMeta notes of a class that nobody has asked of yet."""
    made: object = vars(abc.ABCMeta("Asked", (), {}))["_abc_impl"]
    return made


def derive_abstract(tx: Transaction, owner: type) -> None:
    """The abstract methods of a class, from what it holds by now, and of those below it."""
    names = {n for n, v in tx.members(owner).items() if getattr(v, "__isabstractmethod__", False)}
    for base in owner.__bases__:
        for name in _abstract(tx, base):
            found = (held for kind in owner.__mro__ if (held := tx.own(kind, name)) is not ABSENT)
            if getattr(next(found, None), "__isabstractmethod__", False):
                names.add(name)
    if names != set(_abstract(tx, owner)) or tx.own(owner, "__abstractmethods__") is ABSENT:
        tx.set_attr(owner, "__abstractmethods__", frozenset(names))
        subclasses: list[type] = type.__subclasses__(owner)
        for sub in subclasses:
            if is_a(sub, abc.ABCMeta):
                derive_abstract(tx, sub)


def _abstract(tx: Transaction, cls: type) -> Iterable[str]:
    names = tx.own(cls, "__abstractmethods__")
    return () if names is ABSENT else names


def abstract_classes(program: Program) -> Iterator[type]:
    """Those that remember answers of the program's classes."""
    yield from (getattr(collections.abc, name) for name in collections.abc.__all__ if name != "Callable")
    for loaded in program.all():
        for value in list(loaded.namespace.values()):
            if is_a(value, abc.ABCMeta):
                yield value
