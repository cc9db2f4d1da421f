"""Attributes of the program's objects as they were: deep copies, put back in the very objects they were copied from."""

from __future__ import annotations

import copy
import types
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from midflight.apply import swap
from midflight.apply.transaction import ABSENT, copy_of, dict_of
from midflight.graph.kinds import is_a, is_kind

_BUILT_IN = (dict, list, set, deque, bytearray)
_PLAIN: frozenset[type] = frozenset((int, float, complex, bool, str, bytes, type(None), range))


class Contents(dict[str, Any]):
    """Attribute → deep copy of what it held. `by_reference` has those that cannot be copied, with the reason; `absent`
    those that the owner did not have."""

    def __init__(self) -> None:
        super().__init__()
        self.by_reference: dict[str, str] = {}
        self.absent: list[str] = []
        self.held: dict[str, Any] = {}  # the live objects themselves
        self.originals: dict[int, tuple[Any, Any]] = {}  # id of a copy → (the copy, what it was copied from)


def copied(owner: Any, names: Iterable[str]) -> Contents:
    """What `owner` holds under `names`. What they share is copied once; what leads back to `owner` is not followed."""
    contents = Contents()
    memo: dict[int, Any] = {id(owner): owner}
    for name in names:
        value = getattr(owner, name, ABSENT)
        if value is ABSENT:
            contents.absent.append(name)
            continue
        contents.held[name] = value
        aside = dict(memo)
        try:
            made = copy.deepcopy(value, aside)
            contents.originals.update(_pairs(value, aside))
        except Exception as error:  # a texture, a socket, a thread: whatever their classes raise
            contents[name] = value
            contents.by_reference[name] = f"{type(error).__name__}: {error}"
            continue
        contents[name], memo = made, aside
    return contents


def _pairs(value: Any, memo: dict[int, Any]) -> Iterator[tuple[int, tuple[Any, Any]]]:
    """(id of the copy, (the copy, its original)) for each object of which deepcopy made another; `memo` is its own."""
    todo, seen = [value], set()
    while todo:
        original = todo.pop()
        made = memo.get(id(original), original)
        if made is original or id(original) in seen:
            continue
        seen.add(id(original))
        yield id(made), (made, original)
        todo += [part for part in _parts(original) if not is_kind(part, _PLAIN)]


def _parts(value: Any) -> Iterator[Any]:
    if is_a(value, dict):
        yield from dict.keys(value)
        yield from dict.values(value)
    elif is_a(value, (list, tuple, set, frozenset, deque)):
        yield from value
    yield from (dict_of(value) or {}).values()
    yield from (getattr(value, name, None) for name in _slots(type(value)))


def _slots(kind: type) -> Iterator[str]:
    """The names of attributes that have a place of their own in an instance, as they must be asked for."""
    for base in kind.__mro__:
        named = base.__dict__.get("__slots__", ())
        for name in (named,) if isinstance(named, str) else tuple(named):
            if name.startswith("__") and not name.endswith("__"):
                name = f"_{base.__name__.lstrip('_')}{name}"
            if is_a(getattr(kind, name, None), types.MemberDescriptorType):  # not overridden further down
                yield name


def put_back(owner: Any, contents: Contents) -> None:
    """`owner` holds again what it held when `contents` was made: the same objects, and in them what was in them. An
    object of a kind that cannot be filled (an array of some library) is replaced by its copy."""
    for made, original in list(contents.originals.values()):
        if _can_be_filled(original):
            _fill(original, made, contents)
    for name in contents.absent:
        if name in (dict_of(owner) or {}):
            delattr(owner, name)
    for name, value in contents.items():
        before = contents.held[name] if name in contents.by_reference else _live(value, contents)
        if getattr(owner, name, ABSENT) is not before:
            setattr(owner, name, before)


def _can_be_filled(value: Any) -> bool:
    return is_a(value, _BUILT_IN) or dict_of(value) is not None or any(_slots(type(value)))


def _live(value: Any, contents: Contents) -> Any:
    """The object that stands for `value`, part of a copy, in the program."""
    pair = contents.originals.get(id(value))
    if pair is None or pair[0] is not value:
        return value
    original = pair[1]
    if _can_be_filled(original) or is_a(original, (tuple, frozenset)) or (original == value) is True:
        return original
    return copy.deepcopy(value)  # the copy itself stays as it is: it may be asked for again


def _fill(original: Any, made: Any, contents: Contents) -> None:
    if is_a(original, dict):
        _refill(original, {_live(key, contents): _live(value, contents) for key, value in copy_of(made).items()})
    elif is_a(original, (list, set)):
        _refill(original, [_live(value, contents) for value in made])
    elif is_a(original, deque):
        deque.clear(original)
        deque.extend(original, [_live(value, contents) for value in made])
    elif is_a(original, bytearray):
        original[:] = made
    held, was = dict_of(original), dict_of(made)
    if held is not None and was is not None:
        _refill(held, {name: _live(value, contents) for name, value in was.items()})
    for name in _slots(type(original)):
        _fill_slot(original, name, getattr(made, name, ABSENT), contents)


def _refill(container: Any, contents: Any) -> None:
    for write in swap.contents(container, contents):
        write()


def _fill_slot(original: Any, name: str, value: Any, contents: Contents) -> None:
    if value is not ABSENT:
        object.__setattr__(original, name, _live(value, contents))
    elif hasattr(original, name):
        object.__delattr__(original, name)
