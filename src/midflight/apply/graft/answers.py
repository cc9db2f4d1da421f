"""What abstract base classes remember about who is an instance: wrong once a class has other members or bases."""

from __future__ import annotations

import _abc  # type: ignore[import-not-found]
import abc
import collections.abc
from collections.abc import Iterator

from midflight.graph.loaded import Program


class _Asked(abc.ABC):
    """Registering with any ABC makes all of them forget the answers that were no (Modules/_abc.c)."""


def forget_answers(program: Program) -> None:
    """The next `isinstance` and `issubclass` look again. What was registered stays."""
    _Asked.register(type("_Answer", (), {}))
    for cls in _classes(program):
        _abc._reset_caches(cls)


def _classes(program: Program) -> Iterator[type]:
    yield from (getattr(collections.abc, name) for name in collections.abc.__all__ if name != "Callable")
    for loaded in program.all():
        for value in list(loaded.namespace.values()):
            if isinstance(value, abc.ABCMeta):
                yield value
