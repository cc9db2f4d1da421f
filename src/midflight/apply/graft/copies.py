"""What wrappers copied from a function when they were made: its docstring, annotations, signature."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

from midflight.apply.holders import objects_in
from midflight.apply.transaction import ABSENT, Transaction, cell_value, own_attribute
from midflight.apply.values import same_value
from midflight.graph.kinds import is_a, shown

Facts = Mapping[str, tuple[Any, Any]]  # attribute → (before, after)
MOST_WRAPPERS = 20


def follow(tx: Transaction, holder: Any, function: types.FunctionType, module: str, facts: Facts) -> None:
    """Give `facts` to the wrappers in `holder` around `function` that still have what they copied from it."""
    changed = {name: pair for name, pair in facts.items() if not _same(*pair)}
    if not changed:
        return
    for wrapper in list(wrappers_around(holder, function, module)):
        for name, (before, after) in changed.items():
            if name == "__signature__":
                _follow_signature(tx, wrapper, before, after)
            elif type(before) is dict and _held(wrapper, name) is before:
                continue  # the very dict, which functools.wraps hands on: it is brought up to date in place
            elif _same(_held(wrapper, name), before):
                tx.later(functools.partial(tx.set_attr, wrapper, name, after))
                if _is_copied_beside(wrapper, name, before):
                    tx.later(functools.partial(tx.set_item, wrapper.__dict__, name, after))


def _held(wrapper: Any, name: str) -> Any:
    return shown(wrapper, name, ABSENT) if name == "__doc__" else own_attribute(wrapper, name)


def _is_copied_beside(wrapper: Any, name: str, value: Any) -> bool:
    """Whether a function has the fact among its attributes too: from a cache, which has nowhere else to keep it."""
    held = wrapper.__dict__ if type(wrapper) is types.FunctionType else {}
    return name in held and _same(held[name], value)


def _same(left: Any, right: Any) -> bool:
    return left is right or (isinstance(left, (str, dict)) and same_value(left, right))


def wrappers_around(holder: Any, function: types.FunctionType, module: str) -> Iterator[Any]:
    """Objects in `holder` whose `__wrapped__`, getter or function leads to `function`."""
    for item in objects_in(holder, module):
        if item is not function and any(part is function for part in _chain(item)):
            yield item


def _chain(item: Any) -> Iterator[Any]:
    for _ in range(MOST_WRAPPERS):
        item = _inside(item)
        if item is None:
            return
        yield item


def _inside(item: Any) -> Any:
    if is_a(item, property):
        return item.fget
    if is_a(item, functools.cached_property):
        return item.func
    if is_a(item, (staticmethod, classmethod)):
        return item.__func__
    held = shown(item, "__dict__")
    return held.get("__wrapped__") if type(held) is dict else None


def signature_of(function: Any) -> Any:
    """The signature, where anybody in the process may hold one; None without."""
    inspect = sys.modules.get("inspect")
    if inspect is None:
        return None
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def _follow_signature(tx: Transaction, wrapper: Any, before: Any, after: Any) -> None:
    """A wrapper that checks calls keeps the signature it saw: in a cell or in an attribute."""
    kind = type(before)
    for cell in shown(wrapper, "__closure__") or ():
        held = cell_value(cell)
        if type(held) is kind and held == before:
            tx.later(functools.partial(tx.set_cell, cell, after))
    for name, held in list(shown(wrapper, "__dict__", {}).items()):
        if type(held) is kind and held == before:
            tx.later(functools.partial(tx.set_attr, wrapper, name, after))
