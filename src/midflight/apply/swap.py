"""Writes as calls that stay in C, and all of them made in one go: no other thread runs between two of them."""

from __future__ import annotations

import collections
import contextlib
import functools
import gc
import inspect
import itertools
import operator
import sys
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any, Final

from midflight.apply.rebase import assign_bases, assign_metaclass
from midflight.graph.kinds import is_a

Write = Callable[[], Any]
_ASSIGNED: Final[dict[str, Callable[[type, Any], None]]] = {"__bases__": assign_bases, "__class__": assign_metaclass}

ABSENT: Final[Any] = type("Absent", (), {"__repr__": lambda self: "ABSENT", "__slots__": ()})()

# A thread that waits for the GIL asks for it after this long; it gets it where Python code runs next, so only writes
# that run some (a `__hash__` of the program's, a metaclass's `mro`) could be parted from the others.
SWAP_INTERVAL_S = 0.5
KINDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def make_all(writes: Sequence[Write], first: Iterable[Any] = ()) -> bool:
    """Every write, in order, without a bytecode in between: threads change only between two of them.

    `first` is consumed before them in the same step. If it raises nothing is written, and the answer is False."""
    left = iter(writes)
    with undisturbed():
        try:
            collections.deque(itertools.chain(first, map(operator.call, left)), maxlen=0)
        except KeyError:
            if operator.length_hint(left) < len(writes):
                raise
            return not writes
    return True


def make_all_that_can(writes: Sequence[Write]) -> list[BaseException]:
    """The same, past those that fail; gives what they raised."""
    failures: list[BaseException] = []
    left = map(operator.call, writes)
    with undisturbed():
        while True:
            try:
                collections.deque(left, maxlen=0)
                return failures
            except BaseException as error:
                failures.append(error)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Nobody is asked to give the GIL up soon, and no collection runs the finalizers of what it finds."""
    interval, collects = sys.getswitchinterval(), gc.isenabled()
    gc.disable()
    sys.setswitchinterval(SWAP_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        if collects:
            gc.enable()


# -- one write each --------------------------------------------------------------------------------------


def item(mapping: MutableMapping[Any, Any], key: Any, value: Any) -> Write:
    """`mapping[key] = value`; with ABSENT the key goes, where it is there."""
    if value is ABSENT:
        return functools.partial(mapping.pop, key, None)
    return functools.partial(operator.setitem, mapping, key, value)


def attribute(owner: Any, name: str, value: Any, instead_of: Any = ABSENT) -> Write:
    """`owner.name = value`, past a `__setattr__` that its class may define; with ABSENT the attribute goes.

    `instead_of` is what it holds when the write is made: for code objects, which may be of different kinds."""
    if is_a(owner, types.ModuleType):
        return item(vars(owner), name, value)
    if value is ABSENT:
        return functools.partial(remove_attribute, owner, name)
    if is_a(owner, type):
        if name in _ASSIGNED:
            return functools.partial(_ASSIGNED[name], owner, value)
        return functools.partial(type.__setattr__, owner, name, value)
    if type(value) is type(instead_of) is types.CodeType and _differ(value, instead_of):
        return functools.partial(_write_other_kind, owner, value)
    return functools.partial(_in_c(owner, "__setattr__"), owner, name, value)


def _in_c(owner: Any, method: str) -> Any:
    """The method of `owner` that no class statement defines: CPython refuses `object`'s own where a class in C has
    another, as `threading.local` does (Objects/typeobject.c, `hackcheck`)."""
    if type(owner) is types.FunctionType:
        return getattr(object, method)  # most are
    found = (vars(base).get(method) for base in type(owner).__mro__)
    return next(one for one in found if type(one) is types.WrapperDescriptorType)


def removal(owner: Any, name: str) -> Write:
    """`del owner.name`, for an attribute that is there."""
    if is_a(owner, types.ModuleType):
        return item(vars(owner), name, ABSENT)
    if is_a(owner, type):
        if name == "__type_params__":
            return functools.partial(type.__setattr__, owner, name, ())  # CPython does not let it be deleted
        return functools.partial(type.__delattr__, owner, name)
    return functools.partial(_in_c(owner, "__delattr__"), owner, name)


def remove_attribute(owner: Any, name: str) -> None:
    """The attribute goes, where it is there."""
    if not is_a(owner, type):
        with contextlib.suppress(AttributeError):
            _in_c(owner, "__delattr__")(owner, name)
    elif name in type.__getattribute__(owner, "__dict__") or name in ("__abstractmethods__", "__type_params__"):
        removal(owner, name)()


def cell(holder: types.CellType, value: Any) -> Write:
    if value is ABSENT:
        return functools.partial(delattr, holder, "cell_contents")
    return functools.partial(setattr, holder, "cell_contents", value)


def contents(container: Any, new: Any) -> tuple[Write, ...]:
    """`container`, a dict, list or set, gets the contents of `new`, past methods of a class derived from these."""
    if is_a(container, list):
        return (functools.partial(list.__setitem__, container, slice(None), new),)
    if is_a(container, collections.OrderedDict):  # has an order of its own, which dict's methods would break
        ordered = collections.OrderedDict
        put = (functools.partial(ordered.__setitem__, container, key, value) for key, value in new.items())
        return functools.partial(ordered.clear, container), *put
    kind: Any = dict if is_a(container, dict) else set
    return functools.partial(kind.clear, container), functools.partial(kind.update, container, new)


def dict_of_class(cls: type) -> dict[str, Any]:
    """The dict behind the read-only view that a class gives of its own."""
    (held,) = gc.get_referents(type.__getattribute__(cls, "__dict__"))
    assert type(held) is dict
    return held


def put_in_order(held: dict[Any, Any], order: Sequence[Any]) -> None:
    """The keys of `held` stand as in `order`, others after them. What they hold stays, also what another thread gives
    them meanwhile, and no other thread finds one missing."""
    own = {key: key for key in list(held)}  # compared by identity: that of keys themselves may be code of theirs
    wanted = [own[key] for key in order if key in own]
    if all(map(operator.is_, wanted, own)):
        return
    put = dict.fromkeys(wanted, ABSENT)
    steps: tuple[Write, ...] = functools.partial(put.update, held), held.clear, functools.partial(held.update, put)
    collections.deque(map(operator.call, steps), maxlen=0)
    for key in [key for key in wanted if put[key] is ABSENT and held[key] is ABSENT]:
        del held[key]  # another thread has deleted it since it was looked at


def _differ(one: types.CodeType, other: types.CodeType) -> bool:
    return bool((one.co_flags ^ other.co_flags) & KINDS)


def _write_other_kind(function: types.FunctionType, code: types.CodeType) -> None:
    """A function may become a generator and back; from 3.13 on CPython warns of it, and warnings may be errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        function.__code__ = code
