"""What a module may ask for: accept, dispose, keep, migrate, checks, derived and state. Hooks only record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
Kind = Literal["accept", "dispose", "keep", "migrate", "health_check", "smoke_test"]

Place = tuple[str, str, str, str]  # module, kind, name of the function, what it is about
# (*place, which of the definitions at that place) → (function, what it is about, deadline in seconds)
RECORDS: dict[tuple[str, str, str, str, int], tuple[Callable[..., Any], Any, float | None]] = {}
_HANDED: dict[str, dict[str, object]] = {}


def _record(kind: Kind, function: F, about: Any = None, deadline_s: float | None = None) -> F:
    label = about if isinstance(about, str) else getattr(about, "__qualname__", "")
    place = function.__module__, kind, function.__qualname__, label
    RECORDS[*place, _which(place, function)] = (function, about, deadline_s)
    return function


def _which(place: Place, function: Callable[..., Any]) -> int:
    """Two definitions of one name are two hooks; one that runs again takes its own place."""
    taken = {key[-1]: _code(record[0]) for key, record in list(RECORDS.items()) if key[:-1] == place}
    code = _code(function)
    own = [number for number, held in taken.items() if held == code]
    return own[0] if own else next(number for number in range(len(taken) + 1) if number not in taken)


def _code(function: Any, most: int = 20) -> Any:
    """The code of a function, also of one in up to `most` wrappers that `functools.wraps` made."""
    held = getattr(function, "__dict__", None)
    inner = held.get("__wrapped__") if isinstance(held, dict) and most else None
    return _code(inner, most - 1) if inner is not None else getattr(function, "__code__", None)


def of_module(module: str, kind: Kind) -> Iterator[tuple[Callable[..., Any], Any, float | None]]:
    """(function, what it is about, deadline) for each hook of one kind in one module, in the order of recording."""
    for (home, what, *_), record in list(RECORDS.items()):
        if home == module and what == kind:
            yield record


def accept(dependency: str) -> Callable[[F], F]:
    """`def f(module)`: takes an update of the module `dependency` itself; stale statements here are left to it."""
    return lambda function: _record("accept", function, dependency)


def dispose(function: F) -> F:
    """`def f()`: called before this module's changed code runs, or when the module goes."""
    return _record("dispose", function)


class Packed:
    """A value from before a restart, pickled: opened when it is asked for, by when its class is defined."""

    def __init__(self, label: str, data: bytes) -> None:
        self.label, self.data = label, data

    def open_into(self, values: dict[str, object], name: str) -> None:
        """Put the value in its place, or nothing, which is said."""
        import pickle

        try:
            values[name] = pickle.loads(self.data)
        except Exception as error:  # a class that is gone, or whatever its own code raises
            import logging

            del values[name]
            log = logging.getLogger("midflight")
            log.warning("%s from before the restart cannot be read: %s: %s", self.label, type(error).__name__, error)


class _Keep:
    """`@keep def f() -> dict[str, object]`: values for the module's next version, and over a restart."""

    def __call__(self, function: F) -> F:
        return _record("keep", function)

    @staticmethod
    def get(name: str, default: T | None = None) -> Any:
        """The value that the previous version of the calling module kept as `name`."""
        import sys

        module = sys._getframe(1).f_globals.get("__name__", "")
        given = _HANDED.get(module, {})
        if isinstance(packed := given.get(name), Packed):
            packed.open_into(given, name)
        return given.get(name, default)


keep = _Keep()


def handed(module: str) -> dict[str, object]:
    """What `keep.get` gives to `module`."""
    return _HANDED.get(module, {})


def hand_over(module: str, values: dict[str, object]) -> None:
    """What `keep.get` gives to `module` from now on."""
    _HANDED[module] = values


def migrate(cls: type) -> Callable[[F], F]:
    """`def f(obj, added, removed)`: called with each live instance of `cls` after its shape changed."""
    return lambda function: _record("migrate", function, cls)


@overload
def health_check(function: F) -> F: ...
@overload
def health_check(*, deadline_s: float) -> Callable[[F], F]: ...
def health_check(function: Any = None, *, deadline_s: float | None = None) -> Any:
    """`def f() -> bool | None`, also async: False or an exception fails the reload."""
    return _check("health_check", function, deadline_s)


@overload
def smoke_test(function: F) -> F: ...
@overload
def smoke_test(*, deadline_s: float) -> Callable[[F], F]: ...
def smoke_test(function: Any = None, *, deadline_s: float | None = None) -> Any:
    """The same as `health_check`, asked after all health checks."""
    return _check("smoke_test", function, deadline_s)


def _check(kind: Kind, function: Any, deadline_s: float | None) -> Any:
    if function is None:
        return lambda f: _record(kind, f, None, deadline_s)
    return _record(kind, function, None, deadline_s)


def derived(make: Callable[[], T]) -> T:
    """The value of `make()`; made again whenever what it read changed."""
    return make()


def state(make: Callable[[], T]) -> T:
    """The value of `make()`; never made again, whatever changes."""
    return make()
