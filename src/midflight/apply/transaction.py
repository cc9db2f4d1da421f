"""Do, record the undo, commit or roll back. Nothing else in midflight writes to the running program."""

from __future__ import annotations

import collections
import dis
import functools
import operator
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Final, Protocol, runtime_checkable

from midflight.apply import swap
from midflight.apply.quiet import Quiet
from midflight.graph.kinds import is_a
from midflight.graph.layouts import HEAP_TYPE

ABSENT: Final[Any] = swap.ABSENT
MOST_TRIES = 20
_STORES = dis.opmap["STORE_DEREF"]


@runtime_checkable
class Shared(Protocol):
    """An undo of something that others may change too before it happens."""

    def __call__(self) -> None: ...

    def narrow(self) -> None:
        """The transaction's own part ends here."""

    def look(self) -> None:
        """The rollback begins: what differs from `narrow` is others' doing."""


class Transaction:
    """All writes of one reload, each with its undo recorded before it happens.

    `later` prepares writes; `flush` makes all prepared ones live in one short step. What is written directly is live
    at once. After `roll_back` the program is as it was; after `commit` nothing is remembered."""

    def __init__(self) -> None:
        self.changing: Callable[[], Quiet] = _nothing_known  # asked before prepared writes go live
        self._undo: list[swap.Write] = []
        self._later: list[Callable[[], object]] = []
        self._swap: list[swap.Write] | None = None  # while prepared writes are collected, to be made in one go
        self._will_hold: dict[tuple[int, Any], Any] = {}  # id of an owner, name → what a collected write gives it
        self._guarded: dict[int, Any] = {}  # id of what its contents are remembered of → what remembers them
        self.becoming: set[tuple[int, int]] = set()  # ids of objects that are being made to act as others, and of these
        self._ordered: dict[int, Any] = {}  # dicts and classes whose order of names was noted
        self._at_commit: list[Callable[[], None]] = []
        self.failures: list[BaseException] = []

    # -- prepared writes --------------------------------------------------------------------------

    def later(self, write: Callable[[], object]) -> None:
        self._later.append(write)

    @property
    def waiting(self) -> bool:
        return bool(self._later)

    def flush(self) -> None:
        """Make the prepared writes live, in the order they were prepared: what each does is found out first, and
        then all of it is written in a step that no other thread can come into."""
        if not self._later:
            return
        prepared, self._later = self._later, []
        self._swap = writes = list[swap.Write]()
        try:
            for write in prepared:
                write()
        finally:
            self._swap = None
            self._will_hold.clear()
        quiet = self.changing()
        for _ in range(MOST_TRIES):
            if swap.make_all(writes, quiet.wait().lasts()):
                return  # else a thread went on since it was looked at
        swap.make_all(writes)

    def _do(self, undo: swap.Write, *writes: swap.Write) -> None:
        self._undo.append(undo)
        if self._swap is not None:
            self._swap += writes
            return
        for write in writes:
            write()

    # -- writes -----------------------------------------------------------------------------------

    def undo(self, action: Callable[[], None]) -> None:
        """Record how to take back what the caller is about to do."""
        self._undo.append(action)

    def set_item(self, mapping: MutableMapping[Any, Any], key: Any, value: Any) -> None:
        old = self._held(mapping, key, mapping.get(key, ABSENT))
        if old is not value:
            if value is ABSENT:
                self._keep_order(mapping, mapping)
            self._expect(mapping, key, value)
            self._do(swap.item(mapping, key, old), swap.item(mapping, key, value))

    def set_items(self, mapping: dict[str, Any], values: Mapping[str, Any]) -> None:
        """The same for several keys, none of which goes: one write, where all of them are there."""
        held = {key: self._held(mapping, key, mapping.get(key, ABSENT)) for key in values}
        if type(mapping) is not dict or any(value is ABSENT for value in held.values()):
            for key, value in values.items():
                self.set_item(mapping, key, value)
            return
        for key, value in values.items():
            self._expect(mapping, key, value)
        self._do(functools.partial(mapping.update, held), functools.partial(mapping.update, values))

    def del_item(self, mapping: MutableMapping[Any, Any], key: Any) -> None:
        self.set_item(mapping, key, ABSENT)

    def set_attr(self, owner: Any, name: str, value: Any) -> None:
        """`owner.name = value`, past a `__setattr__` that its class may define."""
        old = self.own(owner, name)
        if old is value:
            return
        self._expect(owner, name, value)
        undo, writes = swap.attribute(owner, name, old, value), [swap.attribute(owner, name, value, old)]
        line = self.own(owner, "__firstlineno__") if name == "__module__" and is_a(owner, type) else ABSENT
        if line is not ABSENT:
            # From 3.13 on a class that is given a module loses its first line, also when the old one is given back.
            writes.append(swap.attribute(owner, "__firstlineno__", line))
            self.undo(writes[-1])
        self._do(undo, *writes)

    def del_attr(self, owner: Any, name: str) -> None:
        old = self.own(owner, name)
        if old is not ABSENT:
            if is_a(owner, type):
                self._keep_order(owner, swap.dict_of_class(owner))
            self._expect(owner, name, ABSENT)
            self._do(swap.attribute(owner, name, old), swap.removal(owner, name))

    def _keep_order(self, owner: Any, held: MutableMapping[Any, Any]) -> None:
        """A name that goes and comes back stands last: after a rollback it stands where it stood."""
        if type(held) is dict and id(owner) not in self._ordered:
            self._ordered[id(owner)] = owner
            self.undo(functools.partial(swap.put_in_order, held, list(held)))

    def put_in_order(self, owner: type | dict[str, Any], order: Iterable[str]) -> None:
        """What a class or a namespace holds, or will, stands as in `order`, all else after that."""
        names_held = self.members(owner)
        names = [name for name in order if name in names_held]
        if not all(map(operator.eq, names, names_held)):
            held = swap.dict_of_class(owner) if isinstance(owner, type) else owner
            back = functools.partial(swap.put_in_order, held, list(held))
            self._do(back, functools.partial(swap.put_in_order, held, names))

    def set_cell(self, cell: types.CellType, value: Any) -> None:
        old = self._held(cell, "", cell_value(cell))
        if old is not value:
            self._expect(cell, "", value)
            self._do(swap.cell(cell, old), swap.cell(cell, value))

    def set_contents(self, container: Any, contents: Any) -> None:
        """Fill a dict, list or set with the contents of another one, in place."""
        self._do(Guard(container), *swap.contents(container, contents))

    def own(self, owner: Any, name: str) -> Any:
        """What `owner` itself holds under `name`, or will once the writes that are being collected are live."""
        return self._held(owner, name, own_attribute(owner, name))

    def members(self, owner: type | dict[str, Any]) -> dict[str, Any]:
        """The same for all that a class or a namespace holds."""
        collected = {name: value for (held_by, name), value in self._will_hold.items() if held_by == id(owner)}
        held = {**(owner if isinstance(owner, dict) else vars(owner)), **collected}
        return {name: value for name, value in held.items() if value is not ABSENT}

    def _held(self, owner: Any, name: Any, now: Any) -> Any:
        return self._will_hold.get((id(owner), name), now) if self._will_hold else now

    def _expect(self, owner: Any, name: Any, value: Any) -> None:
        if self._swap is not None:
            self._will_hold[id(owner), name] = value

    def undo_arguments(self) -> Iterator[tuple[Any, ...]]:
        """What the recorded undos of single writes hold: an owner, a name, the value from before."""
        return (action.args for action in self._undo if type(action) is functools.partial)

    def guard(self, container: Any) -> None:
        """Remember the contents of a dict, list or set that code we do not see into may change."""
        if id(container) in self._guarded:
            return
        guard = self._guarded[id(container)] = Guard(container)  # held, so that no other object gets the id
        self._undo.append(guard)

    def guard_names(self, namespace: dict[str, Any]) -> None:
        """Remember what the names of a module are bound to, which any function that runs may bind anew."""
        if id(namespace) not in self._guarded:
            self._guarded[id(namespace)] = namespace
            self._undo.append(Guard(namespace))

    def held_before(self, container: Any) -> Any:
        """A copy of what a dict, list or set held when it was guarded; ABSENT where it was not."""
        guard = self._guarded.get(id(container))
        return guard.old if isinstance(guard, Guard) else ABSENT

    def contents_before(self) -> Iterator[tuple[Any, Any]]:
        """Each dict, list and set that was guarded, with a copy of what it held then."""
        guards = [guard for guard in self._guarded.values() if isinstance(guard, Guard)]
        return ((guard.container, guard.old) for guard in guards)

    def guard_variables(self, function: types.FunctionType) -> None:
        """Remember what the variables around a closure hold, if its code may change any: a counter, a running total."""
        if _STORES not in function.__code__.co_code[::2]:
            return
        for cell in function.__closure__ or ():
            if id(cell) not in self._guarded:
                self._guarded[id(cell)] = cell
                self._undo.append(CellGuard(cell))

    def guard_object(self, value: Any) -> None:
        """Remember the attributes of a function, class, module or instance that code we do not see into is given."""
        if is_a(value, type):
            self._guard_class(value)
        elif type(value) is functools.partial and not _has_attributes(value):
            self.undo(lambda: _without_attributes(value))
        else:
            held = dict_of(value)
            if type(held) is dict:
                self.guard(held)

    def _guard_class(self, cls: type) -> None:
        if id(cls) in self._guarded or not cls.__flags__ & HEAP_TYPE:
            return
        self._guarded[id(cls)] = cls
        self._undo.append(ClassGuard(cls))

    def narrow(self) -> None:
        """Other code of the program runs from here on: what was remembered as a whole is undone only where this
        transaction changed it, so that what others do in the meantime stays."""
        for action in self._undo:
            if isinstance(action, Shared):
                action.narrow()
        self._guarded.clear()

    # -- the end ----------------------------------------------------------------------------------

    def at_commit(self, action: Callable[[], None]) -> None:
        """For what has no undo: done last, when nothing can fail any more."""
        self._at_commit.append(action)

    def bring_forward(self) -> None:
        """Do now what waits for the commit, because the new code is about to be tried; on a rollback it is done again,
        last, so that the old code finds nothing of the new one's answers."""
        actions, self._at_commit = self._at_commit, []
        self._undo[:0] = actions
        for action in actions:
            action()

    def commit(self) -> None:
        self.flush()
        for action in self._at_commit:
            action()
        self._undo.clear()
        self._forget()

    def roll_back(self) -> None:
        """Undo everything, last write first. What cannot be is in `failures`; the rest is undone all the same."""
        self._later.clear()
        undo, self._undo = self._undo, []
        for action in undo:
            if isinstance(action, Shared):
                action.look()
        self.failures += swap.make_all_that_can(undo[::-1])
        self._forget()

    def _forget(self) -> None:
        """Whoever asked for the writes holds us: held in return, both would wait for the garbage collector."""
        self._guarded.clear()
        self._ordered.clear()
        self.changing = _nothing_known


def _nothing_known() -> Quiet:
    return Quiet((), (), ())


class Guard:
    """Puts the contents of a dict, list or set back as they were. Once `narrow` was called, others may change them too,
    and what they change stays; `look` tells whose is what, before the writes that came later are undone."""

    def __init__(self, container: Any) -> None:
        self.container = container
        self.old = self._copy()
        self.new: Any = None
        self.theirs: Any = None

    def __call__(self) -> None:
        if self.theirs:
            self._merge()
        else:
            self._restore()

    def narrow(self) -> None:
        if self.new is None:
            self.new = self._copy()

    def look(self) -> None:
        if self.new is None:
            return
        if isinstance(self.new, dict):
            now = self._entries()
            self.theirs = {key for key in {*now, *self.new} if now.get(key, ABSENT) is not self.new.get(key, ABSENT)}
        elif isinstance(self.new, list):
            self.theirs = None if _same(self.container, self.new) else list(self.container)
        else:
            self.theirs = self.container ^ self.new

    def _copy(self) -> Any:
        return copy_of(self.container)

    def _entries(self) -> Mapping[Any, Any]:
        held: Mapping[Any, Any] = self.container
        return held

    def _restore(self) -> None:
        restore(self.container, self.old)

    def _put(self, key: Any, value: Any) -> None:
        swap.item(self.container, key, value)()

    def _merge(self) -> None:
        if isinstance(self.new, dict):
            for key in {*self.old, *self._entries()} - self.theirs:
                self._put(key, self.old.get(key, ABSENT))
        elif isinstance(self.new, list):
            restore(self.container, _merged(self.old, self.new, self.theirs))
        else:
            restore(self.container, (self.old - self.theirs) | (self.container & self.theirs))


class ClassGuard(Guard):
    """The same for the attributes of a class."""

    def _copy(self) -> Any:
        return dict(vars(self.container))

    def _entries(self) -> Mapping[Any, Any]:
        held: Mapping[Any, Any] = vars(self.container)
        return held

    def _restore(self) -> None:
        restore_class(self.container, self.old)

    def _put(self, key: Any, value: Any) -> None:
        if vars(self.container).get(key, ABSENT) is not value:
            swap.attribute(self.container, key, value)()


def _merged(old: list[Any], new: list[Any], now: list[Any]) -> list[Any]:
    """`now` without what led from `old` to `new`: what others appended stays behind, else items go and come singly."""
    if _same(now[: len(new)], new):
        return [*old, *now[len(new) :]]
    kept = [item for item in now if _is_in(item, old) or not _is_in(item, new)]
    return [*kept, *(item for item in old if not _is_in(item, new) and not _is_in(item, kept))]


def _same(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def _is_in(item: Any, items: list[Any]) -> bool:
    return any(item is one for one in items)


def dict_of(value: Any) -> dict[str, Any] | None:
    """The attributes that an object itself holds. No code of its class runs: a proxy answers for something else, and
    may raise anything when nothing stands behind it."""
    if type(value) is functools.partial and not _has_attributes(value):
        return None  # to be asked makes it hold a dict, and one with a dict is nested where another is unpacked
    for kind in type(value).__mro__:
        getter = kind.__dict__.get("__dict__")
        if getter is not None:
            held = getter.__get__(value) if type(getter) is types.GetSetDescriptorType else None
            return held if is_a(held, dict) else None
    return None


def _has_attributes(value: functools.partial[Any]) -> bool:
    return value.__reduce__()[2][3] is not None


def _without_attributes(value: functools.partial[Any]) -> None:
    value.__setstate__((*value.__reduce__()[2][:3], None))  # type: ignore[attr-defined]


def own_attribute(owner: Any, name: str) -> Any:
    """What `owner` itself holds under `name`: for a class the raw entry of its dict, not what lookup gives."""
    if is_a(owner, type):
        return type.__getattribute__(owner, "__dict__").get(name, _slot(owner, name))
    try:
        held = dict_of(owner) if type(owner) is functools.partial else object.__getattribute__(owner, "__dict__")
    except AttributeError:
        held = None
    if type(held) is dict and name in held:
        return held[name]
    if name in ("__class__",) or is_data_attribute(type(owner), name):
        try:
            return object.__getattribute__(owner, name)
        except AttributeError:
            return ABSENT
    return ABSENT


def _slot(owner: type, name: str) -> Any:
    if name in ("__bases__", "__class__", "__name__", "__qualname__", "__abstractmethods__", "__type_params__"):
        return getattr(owner, name, ABSENT)
    return ABSENT


def is_data_attribute(kind: type, name: str) -> bool:
    for base in kind.__mro__:
        if name in base.__dict__:
            return hasattr(base.__dict__[name], "__set__")
    return False


def restore_class(cls: type, old: dict[str, Any]) -> None:
    now = vars(cls)
    for name in [name for name in now if name not in old]:
        swap.remove_attribute(cls, name)
    for name, value in old.items():
        if now.get(name, ABSENT) is not value:
            type.__setattr__(cls, name, value)


class CellGuard:
    """Puts back what a closure's variable held, unless others changed it after `narrow`."""

    def __init__(self, cell: types.CellType) -> None:
        self.cell, self.old = cell, cell_value(cell)
        self.new: Any = None
        self.narrowed = self.theirs = False

    def __call__(self) -> None:
        if not self.theirs and cell_value(self.cell) is not self.old:
            swap.cell(self.cell, self.old)()

    def narrow(self) -> None:
        if not self.narrowed:
            self.narrowed, self.new = True, cell_value(self.cell)

    def look(self) -> None:
        self.theirs = self.narrowed and cell_value(self.cell) is not self.new


def cell_value(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT


def copy_of(container: Any) -> Any:
    """A shallow copy of a dict, list or set, also of a subclass whose own methods might do more."""
    if is_a(container, collections.OrderedDict):
        return dict(collections.OrderedDict.items(container))  # its order is not the one that dict itself knows
    kinds: tuple[Any, ...] = (dict, list, set)
    for kind in kinds:
        if is_a(container, kind):
            return kind.copy(container)
    raise TypeError(f"cannot guard a {type(container).__name__}")


def restore(container: Any, old: Any) -> None:
    """Put the old contents back, but leave alone what did not change: other threads may be reading."""
    if is_a(container, dict):
        if list(container) == list(old) and all(container[key] is old[key] for key in old):
            return
        grew = container.keys() - old.keys() == container.keys() ^ old.keys()
        in_order = grew and list(old) == [key for key in container if key in old]
        if in_order and not is_a(container, collections.OrderedDict):
            for key in [key for key in container if key not in old]:
                dict.__delitem__(container, key)
            for key, value in old.items():
                if container[key] is not value:
                    dict.__setitem__(container, key, value)
            return
    elif is_a(container, list):
        if len(container) == len(old) and all(a is b for a, b in zip(container, old, strict=True)):
            return
    elif container == old:
        return
    for write in swap.contents(container, old):
        write()
