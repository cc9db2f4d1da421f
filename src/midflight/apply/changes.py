"""What has changed so far in one reload, and what follows from it across modules."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable, Iterator
from typing import Any

from midflight.apply.holders import nested_codes
from midflight.apply.transaction import ABSENT
from midflight.apply.work import Work
from midflight.graph.loaded import Loaded, Program, names_used
from midflight.plan.flow import Dotted, dotted_reads, imports_in
from midflight.plan.purity import calls_something
from midflight.plan.statements import Statement

Key = tuple[str, str]
_LRU = type(functools.lru_cache(lambda: None))


class Changes:
    """`values`: (module, dotted name) → the value before. `touched`: callables whose answers may differ now,
    because their code was edited or they reach, by name, something that was."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.values: dict[Key, Any] = {}
        self.own: dict[int, Any] = {}  # functions whose own code was edited, not only that of functions inside
        self.touched: dict[int, Any] = {}
        self.fresh: list[tuple[str, str, Any]] = []  # (module, name, callable or ABSENT): not spread yet
        self.caches: dict[int, Any] = {}
        self.shapes: dict[int, type] = {}  # classes whose fields or bases differ, which classes made from them saw

    def has_value(self, key: Key) -> bool:
        return key in self.values

    def shape_changed(self, key: Key, cls: type) -> None:
        """`cls` is the same object with other fields or bases: what was made from it may be stale."""
        if id(cls) not in self.shapes:
            self.shapes[id(cls)] = cls
            self.fresh.append((key[0], key[1].rpartition(".")[2], ABSENT))

    def value_changed(self, key: Key, old: Any) -> None:
        self.values.setdefault(key, old)
        self.fresh.append((key[0], key[1].rpartition(".")[2], ABSENT))

    def find_caches(self, modules: Iterable[Loaded]) -> None:
        """The lru_caches in `modules` around a function that was edited or reaches something that was."""
        for loaded in modules:
            for _, cached in callables_of(loaded):
                if type(cached) is _LRU and id(getattr(cached, "__wrapped__", None)) in self.touched:
                    self.caches[id(cached)] = cached

    def code_changed(self, key: Key, function: Any, own: bool) -> None:
        if own:
            self.own[id(function)] = function
        if id(function) not in self.touched:
            self.touched[id(function)] = function
            owner, _, name = key[1].rpartition(".")
            self.fresh.append((key[0], name, function))
            if owner and name in ("__new__", "__init__", "__init_subclass__"):
                self.fresh.append((key[0], owner.rpartition(".")[2], ABSENT))  # classes made from it name only it

    # -- what follows -----------------------------------------------------------------------------

    def spread(self) -> set[str]:
        """Find what calls or reads, by name, what changed since the last call: the modules where something may be stale."""
        reached: set[str] = set()
        while self.fresh:
            module, name, _ = self.fresh.pop()
            for loaded in self.program.mentioning(name):
                if loaded.name == module or self._sees(loaded, module):
                    reached.add(loaded.name)
                    self._touch_users(loaded, name)
            reached |= {loaded.name for loaded in self.program.all() if self._star_of(loaded, module)}
        return reached

    def _star_of(self, loaded: Loaded, module: str) -> bool:
        tail = module.rpartition(".")[2]
        return loaded.name != module and (module in loaded.mentions or tail in loaded.mentions) and star(loaded)

    def _sees(self, loaded: Loaded, module: str) -> bool:
        """Whether `loaded` may mean something of `module` by a name: it holds the module, or imports from it."""
        tail = module.rpartition(".")[2]
        if module in loaded.mentions or tail in loaded.mentions:
            return True
        if module.partition(".")[0] == loaded.name.partition(".")[0]:
            return True  # relative imports need not name it
        # A re-export: what it imports comes from a package that imports it from `module`.
        package = module.rpartition(".")[0]
        while package:
            if package in loaded.mentions or package.rpartition(".")[2] in loaded.mentions:
                return True
            package = package.rpartition(".")[0]
        return any(getattr(v, "__module__", None) == module for v in list(loaded.namespace.values()))

    def _touch_users(self, loaded: Loaded, name: str) -> None:
        for label, user in callables_of(loaded):
            inner = getattr(user, "__wrapped__", user) if type(user) is _LRU else user
            if type(inner) is not types.FunctionType or inner.__globals__ is not loaded.namespace:
                continue
            if name not in names_in(inner.__code__):
                continue
            if type(user) is _LRU:
                self.caches[id(user)] = user
            if id(inner) not in self.touched:
                self.touched[id(inner)] = inner
                short = label.rpartition(".")[2]
                self.fresh.append((loaded.name, short, inner))
                owner, _, method = label.rpartition(".")
                if owner and method in ("__init__", "__new__", "__post_init__"):
                    self.fresh.append((loaded.name, owner.rpartition(".")[2], ABSENT))

    # -- is a statement stale? --------------------------------------------------------------------

    def causes(self, work: Work, statement: Statement, prefix: str = "") -> list[str]:
        """What the statement read or called that changed, by name; empty when it is not stale."""
        if not self.values and not self.touched:
            return []
        namespace = work.loaded.namespace
        found = [n for n in statement.reads if (work.name, n) in self.values or (prefix and (work.name, prefix + n) in self.values)]
        found += [".".join(chain) for chain in dotted_reads(statement) if self._attribute_changed(namespace, chain)]
        if self.touched and calls_something(statement.node):
            found += [n for n in statement.reads if n not in found and self._is_touched(namespace.get(n))]
            found += [
                ".".join(chain)
                for chain in dotted_reads(statement)
                if self._is_touched(resolve(namespace, chain)) and ".".join(chain) not in found
            ]
        return sorted(found)

    def _attribute_changed(self, namespace: dict[str, Any], chain: Dotted) -> bool:
        for end in range(1, len(chain)):
            holder = resolve(namespace, chain[:end])
            if isinstance(holder, types.ModuleType):
                if (holder.__name__, chain[end]) in self.values:
                    return True
            elif isinstance(holder, type):
                if any((k.__module__, f"{k.__qualname__}.{chain[end]}") in self.values for k in holder.__mro__):
                    return True
        return False

    def _is_touched(self, value: Any) -> bool:
        if value is None or value is ABSENT:
            return False
        if isinstance(value, type):
            return self._class_touched(value)
        if isinstance(value, types.MethodType):
            value = value.__func__
        if id(value) in self.touched:
            return True
        inner = getattr(value, "__wrapped__", None) if callable(value) and not isinstance(value, types.ModuleType) else None
        return inner is not None and id(inner) in self.touched

    def _class_touched(self, cls: type) -> bool:
        """Whether making an instance runs code that changed."""
        for base in cls.__mro__:
            for name in ("__init__", "__new__", "__post_init__"):
                maker = vars(base).get(name)
                if id(getattr(maker, "__func__", maker)) in self.touched:
                    return True
        return False

    def alias_sources(self, work: Work, statement: Statement) -> Iterator[tuple[str, Key]]:
        """(name bound here, the changed key it was imported from) for the imports in `statement`."""
        is_package = hasattr(work.loaded.module, "__path__")
        for imported in imports_in(statement, work.name, is_package):
            if imported.name == "*":
                for module, name in list(self.values):
                    if module == imported.module and "." not in name:
                        yield name, (module, name)
            elif (imported.module, imported.name) in self.values:
                yield imported.bound, (imported.module, imported.name)


def star(loaded: Loaded) -> bool:
    """Whether the module has a star import at its top level."""
    return loaded._fact("star", lambda: b"import *" in (loaded.source or b""))  # type: ignore[no-any-return]


def names_in(code: types.CodeType) -> frozenset[str]:
    """Names that `code` and the code inside it use. Not remembered: a code object is hashed by its contents."""
    return frozenset(names_used((code,)))


def callables_of(loaded: Loaded) -> Iterator[tuple[str, Any]]:
    """(qualified name, function or lru_cache) for all that the module and its classes define."""
    for name, value in list(loaded.namespace.items()):
        yield from _callables(name, value, loaded.name, 3)


def _callables(label: str, value: Any, module: str, depth: int) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if kind is types.FunctionType:
        yield label, value
        inner = value.__dict__.get("__wrapped__")
        if inner is not None and depth:
            yield from _callables(label, inner, module, depth - 1)
    elif kind is _LRU:
        yield label, value
        yield label, value.__wrapped__
    elif isinstance(value, type):
        if value.__module__ == module and depth:
            for name, member in list(vars(value).items()):
                yield from _callables(f"{label}.{name}", member, module, depth - 1)
    elif kind in (staticmethod, classmethod):
        yield from _callables(label, value.__func__, module, depth - 1)
    elif isinstance(value, property):
        for part in (value.fget, value.fset, value.fdel):
            if part is not None:
                yield from _callables(label, part, module, depth - 1)
    elif isinstance(value, functools.cached_property):
        yield from _callables(label, value.func, module, depth - 1)


def resolve(namespace: dict[str, Any], chain: Iterable[str]) -> Any:
    """The value of an attribute chain, looked up without running code; ABSENT if it cannot be."""
    value: Any = None
    for position, name in enumerate(chain):
        if position == 0:
            value = namespace.get(name, ABSENT)
        elif isinstance(value, types.ModuleType):
            value = vars(value).get(name, ABSENT)
        elif isinstance(value, type):
            value = next((vars(k)[name] for k in value.__mro__ if name in vars(k)), ABSENT)
            value = getattr(value, "__func__", value) if isinstance(value, (staticmethod, classmethod)) else value
        else:
            return ABSENT
    return value


def own_code_differs(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether a function's own instructions differ, not only those of functions inside it."""
    if old.co_freevars != new.co_freevars or old.co_code != new.co_code or old.co_names != new.co_names:
        return True
    if old.co_varnames != new.co_varnames or len(old.co_consts) != len(new.co_consts):
        return True
    if len(nested_codes(old)) != len(nested_codes(new)):
        return True
    return any(
        a != b or type(a) is not type(b)
        for a, b in zip(old.co_consts, new.co_consts, strict=True)
        if not isinstance(a, types.CodeType) and not isinstance(b, types.CodeType)
    )
