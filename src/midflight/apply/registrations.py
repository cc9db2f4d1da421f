"""The dicts, lists and sets that the program's modules and classes hold by name, and what definitions put there."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

from midflight.apply.holders import functions_in
from midflight.apply.transaction import Transaction, copy_of
from midflight.graph.loaded import Program

Contents = dict[int, tuple[str, Any, Any]]  # id of a container → its label, itself, a copy from before


class Registrations:
    """Finds a definition's entries again by identity: when it goes they go, when it registers itself anew the
    older ones in the same container go."""

    def __init__(self, program: Program, tx: Transaction) -> None:
        self.program, self.tx = program, tx
        self._guarded = False
        self._dispatchers: dict[int, Any] = {}  # id of a table → the generic function (functools.singledispatch) it is of

    def guard(self) -> None:
        """Remember the contents of all of them, for a rollback after code ran that we do not see into."""
        if not self._guarded:
            self._guarded = True
            for _, container in self.containers():
                self._guard(container)

    def containers(self) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for loaded in list(self.program.all()):
            for label, value in _held(loaded.name, loaded.namespace, loaded.name, seen):
                yield label, value
            for name, function in list(loaded.namespace.items()):
                registry = dispatch_table(function)
                if registry is not None and id(registry) not in seen:
                    seen.add(id(registry))
                    self._dispatchers[id(registry)] = function
                    yield f"{loaded.name}.{name}.registry", registry

    def _guard(self, container: Any) -> None:
        dispatcher = self._dispatchers.get(id(container))
        if dispatcher is not None:
            # It remembers what it found in its table: forgotten now, and last of all after a rollback.
            self.tx.undo(dispatcher._clear_cache)
            dispatcher._clear_cache()
        self.tx.guard(container)

    def contents(self) -> Contents:
        return {id(container): (label, container, copy_of(container)) for label, container in self.containers()}

    def settle(self, before: Contents, old: Any, made: Any, lives: Any) -> list[str]:
        """After `old`'s definition ran again and made `made`: `lives` takes its place in what it registered anew,
        and the older entries there go. Gives a line for each."""
        lines = []
        olds = {id(f) for f in functions_in(old, "")} | {id(old)}
        news = {id(f): f for f in functions_in(made, "")} | {id(made): made}
        for label, container, copy in before.values():
            if _same_items(container, copy):
                continue
            fresh = _entries(container, news.keys() | olds, copy)
            if fresh:
                lines += self._drop(label, container, olds, keep=fresh)
                if lives is not made:
                    self._exchange(container, made, lives)
        return lines

    def purge(self, gone: Any, module: str) -> list[str]:
        """Entries that are `gone`, or a function inside it, leave every container."""
        ids = {id(gone)} | {id(f) for f in functions_in(gone, module)}
        lines = []
        for label, container in list(self.containers()):
            if _entries(container, ids, ()):
                lines += self._drop(label, container, ids, keep=())
        return lines

    def _drop(self, label: str, container: Any, ids: set[int], keep: Any) -> list[str]:
        self._guard(container)
        lines = []
        if isinstance(container, dict):
            for key in [k for k, v in container.items() if (id(v) in ids or id(k) in ids) and k not in keep]:
                del container[key]
                lines.append(f"unregistered {label}[{key!r}]")
        elif isinstance(container, list):
            left = [item for at, item in enumerate(container) if id(item) not in ids or at in keep]
            lines += [f"unregistered an entry of {label}"] * (len(container) - len(left))
            container[:] = left
        else:
            for item in [item for item in container if id(item) in ids and item not in keep]:
                container.discard(item)
                lines.append(f"unregistered an entry of {label}")
        return lines

    def _exchange(self, container: Any, made: Any, lives: Any) -> None:
        self._guard(container)
        if isinstance(container, dict):
            for key, value in list(container.items()):
                if value is made:
                    container[key] = lives
                if key is made:
                    container[lives] = container.pop(key)
        elif isinstance(container, list):
            container[:] = [lives if item is made else item for item in container]
        elif any(item is made for item in container):
            container.discard(made)
            container.add(lives)


def dispatch_table(function: Any) -> dict[Any, Any] | None:
    """The implementations of a generic function, by type (Lib/functools.py, singledispatch)."""
    if type(function) is not types.FunctionType or not hasattr(function, "_clear_cache"):
        return None
    dispatch = function.__dict__.get("dispatch")
    for name, cell in zip(dispatch.__code__.co_freevars, dispatch.__closure__ or (), strict=True):
        if name == "registry":
            held = cell.cell_contents
            return held if isinstance(held, dict) else None
    return None


def _held(label: str, namespace: Any, module: str, seen: set[int], depth: int = 3) -> Iterator[tuple[str, Any]]:
    for name, value in list(namespace.items()):
        if name.startswith("__") and name.endswith("__"):
            continue
        if isinstance(value, (dict, list, set)):
            if id(value) not in seen:
                seen.add(id(value))
                yield f"{label}.{name}", value
        elif isinstance(value, type) and value.__module__ == module and depth and id(value) not in seen:
            seen.add(id(value))
            yield from _held(f"{label}.{name}", vars(value), module, seen, depth - 1)
        elif depth == 3 and not isinstance(value, (types.ModuleType, types.FunctionType)) and id(value) not in seen:
            seen.add(id(value))
            attributes = getattr(value, "__dict__", None)
            if type(attributes) is dict and _is_of_program(value, module):
                yield from _held(f"{label}.{name}", attributes, module, seen, 0)


def _is_of_program(value: Any, module: str) -> bool:
    """An instance of a class of the program's: such as the app object whose route table a decorator fills."""
    home = type(value).__module__
    return home.partition(".")[0] == module.partition(".")[0]


def _same_items(container: Any, copy: Any) -> bool:
    if len(container) != len(copy):
        return False
    if isinstance(container, dict):
        return all(a is b and container[a] is copy[b] for a, b in zip(container, copy, strict=True))
    if isinstance(container, list):
        return all(a is b for a, b in zip(container, copy, strict=True))
    return bool(container == copy)


def _entries(container: Any, ids: Any, before: Any) -> set[Any]:
    """Where one of `ids` lies now and did not lie `before`: keys of a dict, places in a list, items of a set."""
    if isinstance(container, dict):
        found = {k for k, v in container.items() if id(v) in ids or id(k) in ids}
        return {k for k in found if not isinstance(before, dict) or k not in before or before[k] is not container[k]}
    if isinstance(container, list):
        known = len(before)
        return {at for at, item in enumerate(container) if id(item) in ids and at >= known}
    return {item for item in container if id(item) in ids and item not in before}
