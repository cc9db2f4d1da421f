"""The plain data that a plugin's modules and its instance hold, for an old version that must run again."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, Final

from midflight.apply.transaction import ABSENT, dict_of, restore
from midflight.graph.hook import PLAIN
from midflight.graph.kinds import is_kind

_DEEP: Final = (dict, list, set, tuple, frozenset)


Holders = dict[str, dict[str, Any]]  # module, or "" for the instance → the dict that holds its state


def holders_of(modules: Iterable[ModuleType], instance: Any) -> Holders:
    """Where a plugin's state is."""
    held = dict_of(instance) if instance is not None else None
    return {**{module.__name__: vars(module) for module in modules}, **({"": held} if held is not None else {})}


def data_in(holders: Holders) -> Holders:
    """A copy of the data under each name: numbers, texts, and containers of only such. Whatever else a name holds (a
    connection, a task) is left out."""
    return {home: {name: copy.deepcopy(value) for name, value in _data(held)} for home, held in holders.items()}


def first_of(known: Holders, now: Holders) -> Holders:
    """For each name of `now` what was `known` first."""
    return {
        home: {name: known.get(home, {}).get(name, value) for name, value in held.items()} for home, held in now.items()
    }


def put_back(holders: Holders, originals: Holders, old: Holders, fresh: Holders) -> None:
    """What setup began anew is as it was in `old`, in the same containers (`originals`). `fresh` is what the first
    setup gave: where this one gave the same, it began anew; where it differs, it is a fact such as the number of a
    port, and stays."""
    for home, was in old.items():
        held, began = holders[home], fresh.get(home, {})
        for name, value in was.items():
            now = held.get(name, ABSENT)
            if now is not ABSENT and _is_data(now) and now != value and now == began.get(name, ABSENT):
                held[name] = _refilled(originals[home].get(name), value)


def _refilled(original: Any, value: Any) -> Any:
    if not isinstance(original, (dict, list, set)) or type(original) is not type(value):
        return value
    restore(original, value)
    return original


def _data(held: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in list(held.items()):
        if not name.startswith("__") and _is_data(value):
            yield name, value


def _is_data(value: Any, depth: int = 8) -> bool:
    kind = type(value)
    if is_kind(value, PLAIN):
        return True
    if kind not in _DEEP or not depth:
        return False
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    return all(_is_data(part, depth - 1) for part in parts)
