"""Do, record the undo, commit or roll back. Nothing else in midflight writes to the running program."""

from __future__ import annotations

import contextlib
import inspect
import sys
import types
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Final

ABSENT: Final[Any] = type("Absent", (), {"__repr__": lambda self: "ABSENT", "__slots__": ()})()

# While prepared writes are swapped in, other threads must not run between two of them. They cannot as long as
# the step never gives the GIL up; if it does, it waits at most this long for the threads that then run.
SWAP_INTERVAL_S = 0.5
HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, so its attributes can be set
KINDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Transaction:
    """All writes of one reload, each with its undo recorded before it happens.

    `later` prepares a write; `flush` makes all prepared ones live in one short step. What is written directly
    is live at once. After `roll_back` the program is as it was; after `commit` nothing is remembered."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []
        self._later: list[Callable[[], object]] = []
        self._guarded: dict[int, Any] = {}
        self._at_commit: list[Callable[[], None]] = []
        self.failures: list[BaseException] = []

    # -- prepared writes --------------------------------------------------------------------------

    def later(self, write: Callable[[], object]) -> None:
        self._later.append(write)

    @property
    def waiting(self) -> bool:
        return bool(self._later)

    def flush(self) -> None:
        """Make the prepared writes live, in the order they were prepared."""
        if not self._later:
            return
        writes, self._later = self._later, []
        with _undisturbed():
            for write in writes:
                write()

    # -- writes -----------------------------------------------------------------------------------

    def undo(self, action: Callable[[], None]) -> None:
        """Record how to take back what the caller is about to do."""
        self._undo.append(action)

    def set_item(self, mapping: MutableMapping[Any, Any], key: Any, value: Any) -> None:
        old = mapping.get(key, ABSENT)
        if old is value:
            return
        self._undo.append(lambda: put_back_item(mapping, key, old))
        mapping[key] = value

    def del_item(self, mapping: MutableMapping[Any, Any], key: Any) -> None:
        old = mapping.get(key, ABSENT)
        if old is ABSENT:
            return
        self._undo.append(lambda: put_back_item(mapping, key, old))
        del mapping[key]

    def set_attr(self, owner: Any, name: str, value: Any) -> None:
        """`owner.name = value`, past a `__setattr__` that its class may define."""
        old = own_attribute(owner, name)
        if old is value:
            return
        self._undo.append(lambda: put_back_attribute(owner, name, old))
        write_attribute(owner, name, value)

    def del_attr(self, owner: Any, name: str) -> None:
        old = own_attribute(owner, name)
        if old is ABSENT:
            return
        self._undo.append(lambda: put_back_attribute(owner, name, old))
        put_back_attribute(owner, name, ABSENT)

    def set_cell(self, cell: types.CellType, value: Any) -> None:
        old = cell_value(cell)
        if old is value:
            return
        self._undo.append(lambda: put_back_cell(cell, old))
        cell.cell_contents = value

    def set_contents(self, container: Any, contents: Any) -> None:
        """Fill a dict, list or set with the contents of another one, in place."""
        self.guard(container)
        fill(container, contents)

    def guard(self, container: Any) -> None:
        """Remember the contents of a dict, list or set that code we do not see into may change."""
        if id(container) in self._guarded:
            return
        old = copy_of(container)
        self._guarded[id(container)] = container  # held, so that its id is not given to another object
        self._undo.append(lambda: restore(container, old))

    def guard_object(self, value: Any) -> None:
        """Remember the attributes of a function, class, module or instance that code we do not see into is given."""
        if isinstance(value, type):
            self._guard_class(value)
        else:
            held = dict_of(value)
            if type(held) is dict:
                self.guard(held)

    def _guard_class(self, cls: type) -> None:
        if id(cls) in self._guarded or not cls.__flags__ & HEAP_TYPE:
            return
        old = dict(vars(cls))
        self._guarded[id(cls)] = cls
        self._undo.append(lambda: restore_class(cls, old))

    # -- the end ----------------------------------------------------------------------------------

    def at_commit(self, action: Callable[[], None]) -> None:
        """For what has no undo: done last, when nothing can fail any more."""
        self._at_commit.append(action)

    def commit(self) -> None:
        self.flush()
        for action in self._at_commit:
            action()
        self._undo.clear()
        self._guarded.clear()

    def roll_back(self) -> None:
        """Undo everything, last write first. What cannot be is in `failures`; the rest is undone all the same."""
        self._later.clear()
        undo, self._undo = self._undo, []
        with _undisturbed():
            for action in reversed(undo):
                try:
                    action()
                except BaseException as error:
                    self.failures.append(error)
        self._guarded.clear()


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWAP_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def dict_of(value: Any) -> dict[str, Any] | None:
    """The attributes that an object itself holds. No code of its class runs: a proxy answers for something else, and
    may raise anything when nothing stands behind it."""
    for kind in type(value).__mro__:
        getter = kind.__dict__.get("__dict__")
        if getter is not None:
            held = getter.__get__(value) if type(getter) is types.GetSetDescriptorType else None
            return held if isinstance(held, dict) else None
    return None


def own_attribute(owner: Any, name: str) -> Any:
    """What `owner` itself holds under `name`: for a class the raw entry of its dict, not what lookup gives."""
    if isinstance(owner, type):
        return type.__getattribute__(owner, "__dict__").get(name, _slot(owner, name))
    try:
        held = object.__getattribute__(owner, "__dict__")
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
    if name in ("__bases__", "__name__", "__qualname__", "__abstractmethods__", "__type_params__"):
        return getattr(owner, name, ABSENT)
    return ABSENT


def is_data_attribute(kind: type, name: str) -> bool:
    for base in kind.__mro__:
        if name in base.__dict__:
            return hasattr(base.__dict__[name], "__set__")
    return False


def write_attribute(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, type):
        type.__setattr__(owner, name, value)
    elif isinstance(owner, types.ModuleType):
        vars(owner)[name] = value
    elif name == "__code__" and isinstance(owner, types.FunctionType):
        write_code(owner, value)
    else:
        object.__setattr__(owner, name, value)


def write_code(function: types.FunctionType, code: types.CodeType) -> None:
    """A function may become a generator and back; from 3.13 on CPython warns of it, and warnings may be errors."""
    if not (function.__code__.co_flags ^ code.co_flags) & KINDS:
        function.__code__ = code
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        function.__code__ = code


def put_back_item(mapping: MutableMapping[Any, Any], key: Any, old: Any) -> None:
    if old is ABSENT:
        mapping.pop(key, None)
    else:
        mapping[key] = old


def put_back_attribute(owner: Any, name: str, old: Any) -> None:
    if old is not ABSENT:
        write_attribute(owner, name, old)
    elif isinstance(owner, type) and name == "__type_params__":
        owner.__type_params__ = ()  # type: ignore[attr-defined]  # CPython does not let it be deleted
    elif isinstance(owner, type):
        if name in type.__getattribute__(owner, "__dict__") or name == "__abstractmethods__":
            type.__delattr__(owner, name)
    elif isinstance(owner, types.ModuleType):
        vars(owner).pop(name, None)
    else:
        with contextlib.suppress(AttributeError):
            object.__delattr__(owner, name)


def restore_class(cls: type, old: dict[str, Any]) -> None:
    now = vars(cls)
    for name in [name for name in now if name not in old]:
        put_back_attribute(cls, name, ABSENT)
    for name, value in old.items():
        if now.get(name, ABSENT) is not value:
            type.__setattr__(cls, name, value)


def cell_value(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return ABSENT


def put_back_cell(cell: types.CellType, old: Any) -> None:
    if old is ABSENT:
        del cell.cell_contents
    else:
        cell.cell_contents = old


def copy_of(container: Any) -> Any:
    """A shallow copy of a dict, list or set, also of a subclass whose own methods might do more."""
    kinds: tuple[Any, ...] = (dict, list, set)
    for kind in kinds:
        if isinstance(container, kind):
            return kind.copy(container)
    raise TypeError(f"cannot guard a {type(container).__name__}")


def fill(container: Any, contents: Any) -> None:
    if isinstance(container, dict):
        dict.clear(container)
        dict.update(container, contents)
    elif isinstance(container, list):
        list.__setitem__(container, slice(None), contents)
    else:
        set.clear(container)
        set.update(container, contents)


def restore(container: Any, old: Any) -> None:
    """Put the old contents back, but leave alone what did not change: other threads may be reading."""
    if isinstance(container, dict):
        if list(container) == list(old) and all(container[key] is old[key] for key in old):
            return
        if container.keys() - old.keys() == container.keys() ^ old.keys() and list(old) == [
            key for key in container if key in old
        ]:
            for key in [key for key in container if key not in old]:
                dict.__delitem__(container, key)
            for key, value in old.items():
                if container[key] is not value:
                    dict.__setitem__(container, key, value)
            return
    elif isinstance(container, list):
        if len(container) == len(old) and all(a is b for a, b in zip(container, old, strict=True)):
            return
    elif container == old:
        return
    fill(container, old)
