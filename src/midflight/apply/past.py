"""What names held before a reload changed them."""

from __future__ import annotations

import collections
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from midflight.graph.modules import prefixes

Key = tuple[str, str]  # a module, a name in it or a dotted one in its classes


class Old(Protocol):
    """A mapping of keys to values of before that knows of what it has any."""

    def __contains__(self, key: object, /) -> bool: ...

    def get(self, key: Key, default: Any = ..., /) -> Any: ...

    def has_of(self, module: str, label: str = "") -> bool:
        """Whether it has a value of a module, or of one inside that; with `label` of a class there."""
        ...

    def names_of(self, module: str) -> Collection[str]:
        """The names of which it has a value, of a module."""
        ...


class Past(dict[Key, Any]):
    """The changes of one reload. What a statement reads is asked for each name that it reads: to look among all that
    changed made an edit that reached thousands of values quadratic."""

    def __init__(self, values: Mapping[Key, Any] | None = None) -> None:
        super().__init__()
        self._names: dict[str, list[str]] = {}
        self._holders: set[Key] = set()
        for key, old in (values or {}).items():
            self.note(key, old)

    def note(self, key: Key, old: Any) -> None:
        """`old` is what it held, unless that is known: what counts is how the reload found it."""
        if key in self:
            return
        self[key] = old
        module, name = key
        if module not in self._names:
            self._names[module] = []
            self._holders.update((package, "") for package in prefixes(module))
        self._names[module].append(name)
        if "." in name:
            self._holders.update((module, label) for label in prefixes(name.rpartition(".")[0]))

    def has_of(self, module: str, label: str = "") -> bool:
        return (module, label) in self._holders

    def names_of(self, module: str) -> Collection[str]:
        return self._names.get(module, ())


class Overlaid(collections.ChainMap[Key, Any]):
    """One over another, neither of them copied."""

    def __init__(self, first: Past, then: Past) -> None:
        super().__init__(first, then)
        self._pasts = first, then

    def has_of(self, module: str, label: str = "") -> bool:
        return any(past.has_of(module, label) for past in self._pasts)

    def names_of(self, module: str) -> Collection[str]:
        return {name for past in self._pasts for name in past.names_of(module)}
