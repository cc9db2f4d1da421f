"""What a plugin put into its host's dicts, lists and sets by hand, found again by where it was defined."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

from midflight.apply.transaction import Transaction, dict_of

NESTED = 2  # containers in containers: a dict of lists of handlers
MOST = 10_000  # entries of a container that is looked into


def withdraw(tx: Transaction, host: Any, is_own: Callable[[str], bool]) -> None:
    """Takes out every entry that a module for which `is_own` holds defined; `tx` can put them back."""
    for container in list(_containers(host)):
        wrong = [key for key, value in _entries(container) if _defined(value, is_own) or _defined(key, is_own)]
        if wrong:
            tx.guard(container)
            _remove(container, wrong)
    tx.narrow()


def _containers(host: Any) -> Iterator[Any]:
    held = dict_of(host)
    seen: set[int] = set()
    for value in list(held.values()) if held is not None else ():
        yield from _nested(value, seen, NESTED)


def _nested(value: Any, seen: set[int], depth: int) -> Iterator[Any]:
    if not isinstance(value, (dict, list, set)) or id(value) in seen or len(value) > MOST:
        return
    seen.add(id(value))
    yield value
    if depth and not isinstance(value, set):
        for _, inner in list(_entries(value)):
            yield from _nested(inner, seen, depth - 1)


def _entries(container: Any) -> Iterator[tuple[Any, Any]]:
    """(key, value) of a dict; of a list or set each item is both."""
    yield from container.items() if isinstance(container, dict) else ((item, item) for item in container)


def _remove(container: Any, keys: list[Any]) -> None:
    if isinstance(container, dict):
        for key in keys:
            del container[key]
    elif isinstance(container, list):
        container[:] = [item for item in container if not any(item is key for key in keys)]
    else:
        container.difference_update(keys)


def _defined(value: Any, is_own: Callable[[str], bool]) -> bool:
    if isinstance(value, functools.partial):
        return _defined(value.func, is_own)
    if isinstance(value, tuple):
        return any(_defined(part, is_own) for part in value)
    if isinstance(value, types.MethodType):
        return _defined(value.__func__, is_own)
    if isinstance(value, (types.FunctionType, type)):
        return is_own(value.__module__ or "")
    return is_own(type(value).__module__)
