"""Enums: the members that live stay themselves; new ones join, removed ones leave."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.values import StandIn, same_value
from midflight.graph.kinds import is_a
from midflight.plan.diff import Pair

if TYPE_CHECKING:
    from midflight.apply.execute import Execution


_PLACES = ("__objclass__", "_sort_order_")  # where a member stands


class _Was(StandIn):
    """A member with the attributes that it had."""

    def __init__(self, owner: Any, attributes: Mapping[str, Any]) -> None:
        super().__init__(owner)
        self._attributes = attributes

    def __getattr__(self, name: str) -> Any:
        attributes = self.__dict__["_attributes"]
        if name in attributes:
            return attributes[name]
        found = inspect.getattr_static(type(self._owner), name)
        getter = getattr(type(found), "__get__", None)
        return found if getter is None else getter(found, self, type(self._owner))


class Were:
    """An enum with the members that it had, for what was made of them: `len(Color)`, `[one.name for one in Color]`."""

    def __init__(self, owner: Any, members: Mapping[str, Any]) -> None:
        self._owner, self.__members__ = owner, members

    def __iter__(self) -> Iterator[Any]:
        yield from (member for name, member in self.__members__.items() if member._name_ == name)

    def __reversed__(self) -> Iterator[Any]:
        yield from reversed(list(self))

    def __len__(self) -> int:
        return sum(1 for _ in self)  # `list` would ask for the length

    def __contains__(self, value: Any) -> bool:
        return any(member is value or member._value_ == value for member in self)

    def __getitem__(self, name: str) -> Any:
        return self.__members__[name]

    def __getattr__(self, name: str) -> Any:
        members = self.__dict__["__members__"]
        return members[name] if name in members else getattr(self.__dict__["_owner"], name)

    def __call__(self, value: Any) -> Any:
        return next((member for member in self if member._value_ == value), None) or self._owner(value)


def graft_enum(run: Execution, owner: Any, twin: Any, pairs: Sequence[Pair]) -> Were | None:
    """`twin`'s members and methods into `owner` (Lib/enum.py keeps them in `_member_map_` and two tables more). Gives
    what it was before, where its members are others now, or have other values."""
    from midflight.apply.graft.generated import ENUM_TABLES, move_attributes

    tx = run.tx
    old, new = dict(owner._member_map_), dict(twin._member_map_)
    lives: dict[int, Any] = {}
    held = {name: dict(vars(member)) for name, member in old.items()}
    edited = {name for p in pairs if p.kind in ("changed", "added") and p.new is not None for name in p.new.binds}
    for name, member in new.items():
        lives[id(member)] = _living(run, owner, old.get(name), member, lives, name in edited)
    differs = {name for name, member in old.items() if not _same_attributes(held[name], vars(member))}
    same = list(old) == list(new) and not differs
    same = same and all(same_value(old[name]._value_, one._value_) for name, one in new.items())
    plain = owner._member_type_ is object and not issubclass(owner, enum.Flag)  # else it is an int or a str as well
    were = {n: _Was(one, held[n]) if plain and n in differs else one for n, one in old.items()}
    _set_tables(run, owner, twin, lives)
    for name, value in list(vars(twin).items()):
        if name in new:
            _set_member(run, owner, name, value, lives)
    for name in old.keys() - new.keys():
        tx.del_attr(owner, name)
    move_attributes(tx, owner, twin, pairs, skip={*ENUM_TABLES, *new})
    for name in [name for name, value in vars(owner).items() if name not in vars(twin) and _is_a_flags(name, value)]:
        tx.del_attr(owner, name)
    return None if same else Were(owner, were)


def _same_attributes(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        name in _PLACES or one[name] is other[name] or same_value(one[name], other[name]) for name in one
    )


def _is_a_flags(name: str, value: Any) -> bool:
    """Whether the making of a flag puts it on the class, as it does from 3.12 on: operators, and names of the enum
    module's own, `_all_bits_`."""
    own = len(name) > 2 and name[0] == name[-1] == "_" and name[1] != "_" != name[-2]
    return own or vars(enum.Flag).get(name) is value


def _living(run: Execution, owner: Any, known: Any, member: Any, lives: dict[int, Any], edited: bool) -> Any:
    """The object that is this member from now on: the one that lives, or the twin's, made one of `owner`'s.

    What its statement gave it besides a value, by the enum's `__init__`, it has anew where that was edited."""
    if id(member) in lives:
        return lives[id(member)]  # an alias
    if known is None:
        run.tx.set_attr(member, "__class__", owner)
        return member
    if known._value_ != member._value_ or type(known._value_) is not type(member._value_):
        run.changes.value_changed((owner.__module__, f"{owner.__qualname__}.{known._name_}"), known)
        if owner._member_type_ is not object:
            # An int or str is what it is: the member of an IntEnum with another value is another object.
            run.notes.append(f"{owner.__module__}.{owner.__qualname__}.{known._name_} is a new member object")
            run.tx.set_attr(member, "__class__", owner)
            return member
        edited = True
    for name, value in vars(member).items():
        if name not in _PLACES and (edited or name not in vars(known)):
            run.tx.set_attr(known, name, value)
    return known


def _set_tables(run: Execution, owner: Any, twin: Any, lives: dict[int, Any]) -> None:
    tx = run.tx
    named = set(owner._member_map_)
    tx.set_contents(owner._member_map_, {n: lives[id(m)] for n, m in twin._member_map_.items()})
    tx.set_contents(owner._member_names_, list(twin._member_names_))
    by_value = {v: lives.get(id(m), m) for v, m in twin._value2member_map_.items()}
    for value, member in owner._value2member_map_.items():
        if value not in by_value and is_a(member, enum.Flag) and member._name_ not in named:
            by_value[value] = member  # a combination that the program made
            tx.set_attr(member, "_name_", _name_of(twin, value, member._name_))
    tx.set_contents(owner._value2member_map_, by_value)
    for made in twin._member_map_.values():
        member = lives[id(made)]
        order = getattr(made, "_sort_order_", None)
        tx.set_attr(member, "__objclass__", owner)
        if order is not None:
            tx.set_attr(member, "_sort_order_", order)


def _name_of(twin: Any, value: Any, known: str | None) -> str | None:
    """What the members now in the class make of a combination's value; the name it has if they make nothing of it."""
    try:
        name: str | None = twin(value)._name_
    except ValueError:
        return known
    return name


def _set_member(run: Execution, owner: Any, name: str, value: Any, lives: dict[int, Any]) -> None:
    """A member lies in the class itself, or behind a descriptor where a base has an attribute of that name."""
    inside = getattr(value, "member", None)
    if inside is not None and id(inside) in lives and id(value) not in lives:
        value.member = lives[id(inside)]
        run.tx.set_attr(owner, name, value)
    else:
        run.tx.set_attr(owner, name, lives.get(id(value), value))
