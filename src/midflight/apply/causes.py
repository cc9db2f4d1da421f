"""Changes and a statement → its causes: what it read or called that changed, by name."""

from __future__ import annotations

import ast
import collections
import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from midflight.apply.asked import accepted, is_derived, is_state, names_read
from midflight.apply.changes import ENTERING, GETTING, Changes
from midflight.apply.holders import HOLDING, LRU, functions_in, is_special, items, nested_codes, resolve
from midflight.apply.past import Key
from midflight.apply.scopes import Pending
from midflight.apply.transaction import ABSENT
from midflight.apply.values import with_outer
from midflight.apply.work import Work
from midflight.graph.homes import inside, module_of
from midflight.graph.kinds import is_a, is_kind, shown
from midflight.graph.layouts import HEAP_TYPE
from midflight.graph.loaded import Program
from midflight.plan.flow import (
    Dotted,
    Imported,
    calls_items,
    chains_in_text,
    dotted_reads,
    loose_attributes,
    only_annotated,
    operates,
    stored,
)
from midflight.plan.order import LISTERS, listing_functions, lists_names, names_around
from midflight.plan.statements import Statement

_AS_THEY_ARE = (types.FunctionType, types.MethodType, type, LRU)  # to look one up runs none of its code
_GETTING = frozenset(GETTING)
_SHOWING_MEMBERS = frozenset({"__dict__", "__annotations__"})  # of a class: what its members are
_BOUND = (classmethod, staticmethod, types.MethodType)
_ASKED_EACH = (type, types.ModuleType, *HOLDING)


class Causes:
    """Answers for one reload; `pending` are the writes that are prepared and not live yet, by id of a namespace."""

    def __init__(self, program: Program, pending: Pending, changes: Changes) -> None:
        self.program, self.pending, self.changes = program, pending, changes
        # What was found out when so many callables were touched: each statement is asked twice, each class many times.
        self._used: dict[Statement, tuple[int, frozenset[str]]] = {}
        # id of a class and names of methods → when, the class, so that no other gets its id, and the answer
        self._having: dict[tuple[int, frozenset[str]], tuple[tuple[int, int], type, bool]] = {}
        self._owners: dict[frozenset[str], tuple[int, frozenset[str]]] = {}

    def values_of(self, work: Work, statement: Statement, prefix: str = "", since: int = 0) -> set[str]:
        """Those of its causes that are values, and not code that was edited; such as changed after the count was
        `since`."""
        changes = self.changes
        names = {n for n in statement.reads if any(changes.is_newer((work.name, p + n), since) for p in ("", prefix))}
        namespace = _in_class(work.loaded.namespace, prefix)
        chains = (c for c in dotted_reads(statement) if self._attribute_changed(namespace, c, since))
        return names | {".".join(chain) for chain in chains}

    def of(self, work: Work, statement: Statement, prefix: str = "") -> list[str]:
        """What the statement read or called that changed, by name; empty when it is not stale."""
        changes = self.changes
        lists = lists_names(statement) and self._other_names(work, statement)
        methods = self.methods_used(statement)
        ran_code = (changes.touched or changes.shapes) and statement.calls
        if not (changes.values or ran_code or lists or methods):
            return []
        looked_up = self._looked_up(statement)
        if not (statement.calls or lists or work.helpers or prefix or methods or looked_up or dotted_reads(statement)):
            found = [name for name in statement.reads if (work.name, name) in changes.values]
            return sorted(self._not_accepted(work, found)) if found else found
        also = {name: self._imported(one) for name, one in work.helpers.items()}
        namespace = _in_class(self._now(work.loaded.namespace, also), prefix)
        reads, chains = statement.reads, dotted_reads(statement)
        if is_derived(statement, namespace) or is_state(statement, namespace):
            reads, chains = names_read(statement), chains_in_text(statement)
        found = self._values_read(work, namespace, prefix, reads, chains)
        if lists:
            found += [name for name in LISTERS & reads if name not in namespace]
        if statement.calls and work.name in changes.listed:
            listing = reads & work.text.fact("listing", lambda: listing_functions(work.text))
            found += sorted(listing) if listing and self._other_names(work, statement) else []
        if (changes.touched or changes.shapes or changes.remade) and statement.calls:
            found += self._run_by(statement, namespace, reads, chains, found)
        if methods:
            unnamed = self._unnamed(statement, namespace, reads, chains, methods)
            found += [name for name in unnamed if name not in found]
        if looked_up:
            found += [n for n in reads if n not in found and _leads_to(namespace.get(n, ABSENT), looked_up)]
        return sorted(self._not_accepted(work, found) if found else found)

    def _values_read(
        self, work: Work, namespace: Mapping[str, Any], prefix: str, reads: Collection[str], chains: Iterable[Dotted]
    ) -> list[str]:
        """Those of the names and attribute chains whose values changed."""
        changes = self.changes
        short = changes.short  # most names are not among these, and need not be looked up as a module's or a class's
        found = [
            n
            for n in reads
            if n in short
            and ((work.name, n) in changes.values or (prefix and (work.name, prefix + n) in changes.values))
        ]
        found += [n for n, one in work.helpers.items() if n in reads and (one.module, one.name) in changes.values]
        asked = (chain for chain in chains if _SHOWING_MEMBERS.intersection(chain) or not short.isdisjoint(chain[1:]))
        return found + [".".join(chain) for chain in asked if self._attribute_changed(namespace, chain)]

    def _run_by(
        self,
        statement: Statement,
        namespace: Mapping[str, Any],
        reads: Iterable[str],
        chains: Iterable[Dotted],
        found: list[str],
    ) -> list[str]:
        """What else of the names and attribute chains that `statement` reads leads to code that it ran and that
        changed."""
        rest: dict[Dotted, Any] = {(name,): namespace.get(name, ABSENT) for name in reads if name not in found}
        rest |= {chain: resolve(namespace, chain) for chain in chains if ".".join(chain) not in found}
        run = [name for name, value in rest.items() if self.changes.is_touched(value)]
        held = (
            {name: value for name, value in rest.items() if is_kind(value, HOLDING)} if calls_items(statement) else {}
        )
        given = [name for name, value in held.items() if any(map(self.changes.is_touched, items(value)))]
        if run:
            # To look up a property or another descriptor runs it.
            only_stored = {n for n in stored(statement) if len(n) == 1 or is_a(rest.get(n), _AS_THEY_ARE)}
            only_stored |= {
                n
                for n in only_annotated(statement)
                if (len(n) == 1 or is_a(rest.get(n), type)) and not self.changes.is_reshaped(rest.get(n))
            }
            run = [name for name in run if name not in only_stored]
        if isinstance(statement.node, (ast.With, ast.AsyncWith)):
            run += [name for name in rest if name not in run and self.changes.runs_touched(rest[name], ENTERING)]
        return [".".join(name) for name in (*run, *given)]

    def _looked_up(self, statement: Statement) -> set[Key]:
        """The modules, classes and functions of which an attribute changed that `statement` looks up on what no chain
        of names leads to: a variable of a loop, an item."""
        changed = self.changes.attributes
        if not changed or statement.is_import:
            return set()
        # Of a function the header counts alone, and `getattr` has its name in quotes: those the words behind dots miss.
        may = statement.is_def or "getattr" in statement.text or "attrgetter" in statement.text
        loose = loose_attributes(statement)[0] if may or not changed.keys().isdisjoint(statement.attributes) else ()
        owners = {one for name in loose for key in changed.get(name, ()) for one in with_outer(key)}
        return owners | self._bases_of(owners) if "__subclasses__" in statement.attributes else owners

    def _bases_of(self, owners: Iterable[Key]) -> set[Key]:
        """The classes that those of `owners` which are classes derive from."""
        homes = ((self.program.get(module), name) for module, name in owners)
        found = (resolve(home.namespace, name.split(".")) for home, name in homes if home is not None)
        kinds = (kind for cls in found if is_a(cls, type) for kind in cls.__mro__)
        return {(module_of(kind), kind.__qualname__) for kind in kinds}

    def methods_used(self, statement: Statement) -> frozenset[str]:
        """Names of touched methods that running `statement` may call where no chain of names leads to them."""
        if not self.changes.methods:
            return frozenset()
        touched, known = len(self.changes.touched), self._used.get(statement)
        if known is None or known[0] != touched:
            known = self._used[statement] = touched, self._methods_used(statement)
        return known[1]

    def _methods_used(self, statement: Statement) -> frozenset[str]:
        changes = self.changes
        named = changes.methods.keys() & statement.attributes
        used = set[str]()
        if named:
            loose, called = loose_attributes(statement)
            used = named & (called | loose & changes.getters)  # who only stores a method does not run it
        got = {name for chain in dotted_reads(statement) for name in chain[1:]} if changes.getters else set[str]()
        used |= changes.getters & (got | set(GETTING if got else ()))
        return frozenset(used | changes.special) if changes.special and operates(statement) else frozenset(used)

    def comes_to_touched(self, work: Work, statement: Statement, prefix: str = "") -> bool:
        """Whether running `statement` may call a touched method that no chain of names leads to, such as an operator's
        or a property's: it must be there by then."""
        methods = self.methods_used(statement)
        if not methods:
            return False
        namespace = _in_class(self._now(work.loaded.namespace, {}), prefix)
        reads, chains = statement.reads, dotted_reads(statement)
        return any(True for _ in self._unnamed(statement, namespace, reads, chains, methods))

    def _unnamed(
        self,
        statement: Statement,
        namespace: Mapping[str, Any],
        reads: Iterable[str],
        chains: Iterable[Dotted],
        methods: Collection[str],
    ) -> Iterator[str]:
        """Which of its names lead to one of `methods` that is code that changed."""
        others = frozenset(methods).difference(GETTING)
        annotated = only_annotated(statement)
        for chain in (*((name,) for name in reads), *chains):
            value, asked = resolve(namespace, chain), others
            if value is ABSENT and len(chain) > 1:
                value, asked = resolve(namespace, chain[:-1]), _GETTING
            if chain in annotated and is_a(value, type) and "__class_getitem__" not in methods:
                value = type(value)  # an annotation has no instance of it: only of its metaclass
            if self._leads_to_touched(value, asked):
                yield ".".join(chain)

    def _leads_to_touched(self, value: Any, methods: frozenset[str], depth: int = 2) -> bool:
        """Whether `value`, or what it holds or gives, has one of `methods`, and it is code that changed."""
        if value is None or value is ABSENT:
            return False
        if type(value) is types.FunctionType:
            around = value.__qualname__.split(".")[:-1]
            return not self._owners_of(methods).isdisjoint((*value.__code__.co_names, *around))
        if is_kind(value, HOLDING):
            return depth > 0 and any(self._leads_to_touched(one, methods, depth - 1) for one in items(value))
        if type(value) is types.ModuleType:
            return "__getattr__" in methods and self._is_in_touched(vars(value).get("__getattr__"))
        kinds = (value, type(value)) if is_a(value, type) else (type(value),)
        return any(kind.__flags__ & HEAP_TYPE and self._has_touched(kind, methods) for kind in kinds)

    def _has_touched(self, cls: type, methods: frozenset[str]) -> bool:
        """Whether one of `methods` of a class is code that changed; found once for as long as nothing more changes."""
        key, at = (id(cls), methods), (len(self.changes.touched), self.changes.count)
        known = self._having.get(key)
        if known is None or known[0] != at:
            spaces = [vars(base) for base in cls.__mro__ if base.__flags__ & HEAP_TYPE]
            found = any(self._is_in_touched(space[name]) for space in spaces for name in space.keys() & methods)
            known = self._having[key] = at, cls, found
        return known[2]

    def _owners_of(self, methods: frozenset[str]) -> frozenset[str]:
        """Names of the classes of those of `methods` that are not special."""
        touched, known = len(self.changes.touched), self._owners.get(methods)
        if known is None or known[0] != touched:
            owners = (self.changes.methods[name] for name in methods if not is_special(name))
            known = self._owners[methods] = touched, frozenset[str]().union(*owners)
        return known[1]

    def _is_in_touched(self, member: Any) -> bool:
        """Whether a member of a class is, or wraps, a function that is touched."""
        function = inside(member)
        parts = (function.fget, function.fset, function.fdel) if type(function) is property else (function,)
        if any(id(one) in self.changes.touched for one in parts):
            return True
        if all(map(_wraps_nothing, parts)):
            return False  # most are such, and need not be gone into
        return any(id(one) in self.changes.touched for one in functions_in(member, "", depth=2))

    def _other_names(self, work: Work, statement: Statement) -> bool:
        """Whether other names are bound above `statement` than were; in a module that nobody edited, by an import."""
        old = next((pair.old for pair in work.pairs if pair.new is statement), None)
        if not work.edited or old is None:
            return work.name in self.changes.listed
        before = sorted(work.old.text.statements, key=lambda one: one.first)
        above, below = names_around(work.text.statements, statement)
        return names_around(before, old)[0] != above or bool(self.changes.listed.get(work.name, set()) - below)

    def _now(self, namespace: dict[str, Any], also: dict[str, Any]) -> Mapping[str, Any]:
        """`namespace` as it will be once the prepared writes are live, with what it had `also` and deleted."""
        pending = self.pending.get(id(namespace))
        maps = [one for one in (also, pending, namespace) if one]
        return _Layers(*maps) if len(maps) > 1 else namespace

    def _imported(self, one: Imported) -> Any:
        loaded = self.program.get(one.module)
        if loaded is None:
            return ABSENT
        return self._now(loaded.namespace, {}).get(one.name, ABSENT) if one.name else loaded.module

    def imported_before(self, one: Imported) -> Any:
        """What an import gave before this reload."""
        key = one.module, one.name
        return self.changes.values[key] if key in self.changes.values else self._imported(one)

    def _not_accepted(self, work: Work, causes: list[str]) -> list[str]:
        """Without what follows from modules whose updates this one takes itself."""
        taken = accepted(work.name)
        return [cause for cause in causes if self._origin(work, cause) not in taken] if taken else causes

    def _origin(self, work: Work, cause: str) -> str:
        chain = cause.split(".")
        if (work.name, cause) in self.changes.origins:
            return self.changes.origins[work.name, cause]
        for end in range(len(chain) - 1, 0, -1):
            holder = resolve(work.loaded.namespace, chain[:end])
            if is_a(holder, types.ModuleType):
                return holder.__name__
        value = resolve(work.loaded.namespace, chain)
        return shown(value, "__module__") or ""

    def _attribute_changed(self, namespace: Mapping[str, Any], chain: Dotted, since: int = 0) -> bool:
        changes = self.changes
        for end in range(1, len(chain)):
            holder = resolve(namespace, chain[:end])
            if is_a(holder, types.ModuleType):
                if changes.is_newer((holder.__name__, chain[end]), since):
                    return True
            elif type(holder) is types.FunctionType:
                if changes.is_newer((holder.__module__, f"{holder.__qualname__}.{chain[end]}"), since):
                    return True
            elif holder is not ABSENT:
                kind = holder if is_a(holder, type) else type(holder)
                names = ((module_of(k), f"{k.__qualname__}.{chain[end]}") for k in kind.__mro__)
                if any(changes.is_newer(name, since) for name in names):
                    return True
                if chain[end] in _SHOWING_MEMBERS and is_a(holder, type):
                    if any(self._member_changed(one, since) for one in kind.__mro__):
                        return True
        return False

    def _member_changed(self, cls: type, since: int) -> bool:
        changes = self.changes
        inside = f"{cls.__qualname__}."
        return any(
            m == module_of(cls) and n.startswith(inside) and changes.is_newer((m, n), since) for m, n in changes.last
        )

    def runs_edited(self, function: Any, factory: bool = False) -> bool:
        """Whether a call of `function` runs code that was edited itself or reads, by name, a value that changed: its
        own code, or that of what it calls by name. What functions inside it do they do later; but of a factory the
        first of them run as the decorator."""
        for current, names in self.run_by(function, factory, False):
            decorates = factory and current is function
            if id(current) in self.changes.own or (decorates and id(current) in self.changes.within):
                return True
            if self._reads_changed(current.__globals__, names):
                return True
        return False

    def run_by(
        self, function: Any, also_inside: bool, also_inside_others: bool
    ) -> Iterator[tuple[types.FunctionType, set[str]]]:
        """The touched functions that a call of `function` runs, itself first, as far as names lead to them, each with
        the names that it uses: also those that functions inside it use, where these count."""
        changes = self.changes
        waiting, seen = [(function, also_inside)], set[int]()
        while waiting:
            current, deep = waiting.pop()
            if type(current) is not types.FunctionType or id(current) not in changes.touched or id(current) in seen:
                continue
            seen.add(id(current))
            codes = [current.__code__, *(nested_codes(current.__code__) if deep else ())]
            names = {name for code in codes for name in code.co_names}
            yield current, names
            called: list[Any] = [current.__globals__.get(name) for name in names]
            classes = list(filter(is_class, called))
            methods = {"__init__", "__new__", *names}
            called += [vars(kind).get(name) for cls in classes for kind in cls.__mro__ for name in methods]
            waiting += [(value.__func__ if is_kind(value, _BOUND) else value, also_inside_others) for value in called]

    def reads_changed(self, function: Any) -> bool:
        """Whether a function's own code reads, by name, a value that changed."""
        if type(function) is not types.FunctionType:
            return False
        return self._reads_changed(function.__globals__, function.__code__.co_names)

    def _reads_changed(self, namespace: dict[str, Any], names: Collection[str]) -> bool:
        """Whether code in `namespace` that uses `names` reads a module's value that changed."""
        return values_read(namespace, names, self.changes.values)


def _leads_to(value: Any, owners: Collection[Key], depth: int = 2) -> bool:
    """Whether `value` is one of `owners`, derives from one, is an instance of one, or holds such."""
    if is_kind(value, HOLDING):
        return depth > 0 and any(_leads_to(one, owners, depth - 1) for one in _unlike(items(value), owners))
    if type(value) is types.FunctionType:
        return (value.__module__, value.__qualname__) in owners
    if type(value) is types.ModuleType:
        return any(module == value.__name__ for module, _ in owners)  # `getattr(m, name).attribute`
    kind = value if is_a(value, type) else type(value)
    return any((module_of(one), one.__qualname__) in owners for one in kind.__mro__ if one.__flags__ & HEAP_TYPE)


def _unlike(held: Iterable[Any], owners: Collection[Key]) -> Iterable[Any]:
    """Those of the items of a container that are to be asked: a table has many of few kinds, and of instances one of
    each tells; of its functions those alone that are `owners`."""
    found: dict[int, Any] = {}
    for one in held:
        kind = type(one)
        if kind is not types.FunctionType:
            found[id(kind) if not is_a(one, _ASKED_EACH) else id(one)] = one
        elif (one.__module__, one.__qualname__) in owners:
            return (one,)
    return found.values()


def _wraps_nothing(part: Any) -> bool:
    if type(part) is types.FunctionType:
        return part.__closure__ is None and not part.__dict__
    return part is None


def values_read(namespace: dict[str, Any], names: Collection[str], values: Iterable[Key]) -> bool:
    """Whether code in `namespace` that uses `names` reads one of `values`: of its own module, of one that it names or
    imports, or an attribute of a class that it names."""
    named = [value for value in map(namespace.get, names) if type(value) is types.ModuleType or is_class(value)]
    homes = {namespace.get("__name__"), *(one.__name__ for one in named if type(one) is types.ModuleType)}
    owners = {(module_of(kind), kind.__qualname__) for one in named if is_a(one, type) for kind in one.__mro__}
    for home, label in values:
        owner, _, name = label.rpartition(".")
        if name in names and ((home, owner) in owners if owner else home in homes or home.rpartition(".")[2] in names):
            return True
    return False


def is_class(value: Any) -> bool:
    return issubclass(type(value), type)  # no code of a proxy runs


def _in_class(namespace: Mapping[str, Any], prefix: str) -> Mapping[str, Any]:
    """The names that a class body sees: its own before the module's; `prefix` is "Outer.Inner." of its statements."""
    owner = resolve(namespace, prefix.split(".")[:-1]) if prefix else None
    return _Layers(vars(owner), namespace) if is_a(owner, type) else namespace  # type: ignore[arg-type]


class _Layers(collections.ChainMap[str, Any]):
    """Asked by `get` for each name of each statement: ChainMap's own asks each layer twice, by a generator."""

    def get(self, key: str, default: Any = None) -> Any:
        for layer in self.maps:
            value = layer.get(key, _Layers)
            if value is not _Layers:
                return value
        return default
