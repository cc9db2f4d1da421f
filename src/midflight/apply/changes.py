"""What has changed so far in one reload, and what follows from it across modules."""

from __future__ import annotations

import ast
import builtins
import collections
import dis
import functools
import gc
import re
import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from midflight.apply.asked import accepted, is_derived, is_state, names_read
from midflight.apply.graft.marks import stores
from midflight.apply.holders import DEPTH, LRU, functions_in, is_special, nested_codes, resolve
from midflight.apply.registrations import dispatch_table
from midflight.apply.transaction import ABSENT, dict_of
from midflight.apply.work import Work
from midflight.graph.homes import inside, made_in, module_of
from midflight.graph.hook import PLAIN
from midflight.graph.layouts import HEAP_TYPE
from midflight.graph.loaded import Loaded, Program, names_used
from midflight.plan.flow import (
    Dotted,
    Imported,
    chains_in_text,
    dotted_reads,
    imported_and_deleted,
    loose_attributes,
    makers_of_functions,
    only_annotated,
    operates,
    stored,
)
from midflight.plan.order import LISTERS, listing_functions, lists_names, names_around
from midflight.plan.statements import Statement

Key = tuple[str, str]
_EMPTY = types.CellType()
_NOT_CALLED = PLAIN | {types.ModuleType, types.GetSetDescriptorType, types.MemberDescriptorType, tuple, frozenset}
# The qualified name of a function or lru_cache, itself, a function inside, and the module's names that this one uses.
_Callable = tuple[str, Any, types.FunctionType, frozenset[str]]
# Caches that are made by a call and stand behind no @ of the module: `self.get = lru_cache(self._get)`.
_MAKES_CACHES = re.compile(rb"(?<![@.\w])(?:functools\.)?(?:lru_)?cache\(")
_ENTERING = ("__enter__", "__exit__", "__aenter__", "__aexit__")
_MAKERS = ("__init__", "__new__", "__post_init__", "__set_name__")
_NAMED_BY_CALLS = frozenset((*_MAKERS, *_ENTERING, "__call__", "__init_subclass__"))
_GETTING = ("__getattr__", "__getattribute__")
_OPERATING = (
    *("BINARY_", "UNARY_", "COMPARE_OP", "CONTAINS_OP", "FORMAT_", "GET_ITER", "TO_BOOL", "POP_JUMP", "JUMP_IF"),
    *("UNPACK_", "LIST_EXTEND", "SET_UPDATE", "DICT_", "STORE_SUBSCR", "DELETE_SUBSCR", "CALL_FUNCTION_EX"),
)
_OPERATORS = frozenset(number for name, number in dis.opmap.items() if name.startswith(_OPERATING))
_HOLDING = (list, tuple, set, frozenset, dict)
_MOST = 1000  # items of a container that are looked at
_AS_THEY_ARE = (types.FunctionType, types.MethodType, type, LRU)  # to look one up runs none of its code
_BOUND = (classmethod, staticmethod, types.MethodType)


class Changes:
    """`values`: (module, dotted name) → the value before. `touched`: callables whose answers may differ now,
    because their code was edited or they reach, by name, something that was."""

    def __init__(self, program: Program, pending: Mapping[int, dict[str, Any]], edited: Collection[str]) -> None:
        self.program, self.pending, self.edited = program, pending, edited
        self.values: dict[Key, Any] = {}
        self.order: list[Key] = []  # which value changed, each time that one did
        self.last: dict[Key, int] = {}  # the count at which each changed last
        self.short: set[str] = set()  # the last parts of their names
        self.own: dict[int, Any] = {}  # functions whose own code was edited, not only that of functions inside
        self.within: dict[int, Any] = {}  # functions of which a function directly inside was edited itself
        self.touched: dict[int, Any] = {}
        self._untold: set[str] = set()  # modules that `touch` came to, and `spread` has not told of
        self.aliases: set[Key] = set()  # other names of touched functions, and what wraps these
        self.plain: set[int] = set()  # of touched functions those that only a plain `def` in their module names
        self.fresh: list[tuple[str, str, Any]] = []  # (module, name, callable or ABSENT): not spread yet
        self.caches: dict[int, Any] = {}
        # id of a container that is brought up to date in place → itself, what it held before, what it will hold
        self.in_place: dict[int, tuple[Any, Any, Any]] = {}
        self.purged: dict[int, tuple[Any, Any, Any]] = {}  # the same of containers that definitions have left
        self.origins: dict[Key, str] = {}  # the module where the change of a value began, as far as imports carried it
        self.unfilled = False  # whether one of them still waits for its new contents
        self._reached: set[str] = set()  # modules that `spread` has ever given
        self.listed: dict[str, set[str]] = {}  # module → names that came or went
        # id of an edited function → attributes that its old code stored somewhere, and the new code does not
        self.unstored: dict[int, frozenset[str]] = {}
        # classes whose `__init_subclass__` came or went, and what that one stored on the classes below
        self.hooks: dict[int, tuple[type, frozenset[str]]] = {}
        self.methods: dict[str, set[str]] = {}  # name of a touched method → names of its classes
        self._special: set[str] = set()  # those of them that are called without being named
        self._callables: dict[tuple[str, bool], list[_Callable]] = {}  # while nothing runs
        self._operated: set[tuple[str, str, int]] = set()  # classes whose operators were followed, and at which count
        self._operating: set[Key] = set()  # classes whose operators are to be followed
        self._getters: set[str] = set()  # those of them that run where an attribute is looked up
        self.remade: set[Key] = set()  # (module, qualified name) of classes that got or lost what makes an instance
        self.shapes: dict[int, type] = {}  # classes whose fields or bases differ, which classes made from them saw

    def may_reach(self, module: str) -> bool:
        """Whether something may follow in a module from what has changed so far: it names it, or that is not known."""
        return bool(self.fresh) or module in self._reached

    @property
    def count(self) -> int:
        """How often a value has changed."""
        return len(self.order)

    def names_since(self, count: int) -> set[str]:
        """The last parts of the names of values that changed after the count was `count`."""
        return {name.rpartition(".")[2] for _, name in self.order[count:]} if count else self.short

    @property
    def extent(self) -> tuple[int, ...]:
        """How much else than values has changed: code, classes and which names there are."""
        parts = (self.touched, self.own, self.within, self.shapes, self.remade, self.hooks, self.listed)
        return tuple(map(len, parts))

    def found_by_name(self, work: Work) -> bool:
        """Whether a statement of the module that is stale names what changed: nothing but values has changed, and
        nobody edited it."""
        if work.source is not None or not self.only_values:
            return False
        return not (self.helpers(work) if work.helpers is None else work.helpers)

    @property
    def only_values(self) -> bool:
        """Whether all that changed are values, and no code, class or list of names: who follows them names them."""
        return not (self.touched or self.shapes or self.remade or self.hooks or self.listed)

    def has_value(self, key: Key) -> bool:
        return key in self.values

    def shape_changed(self, key: Key, cls: type) -> None:
        """`cls` is the same object with other fields or bases: what was made from it may be stale."""
        if id(cls) not in self.shapes:
            self.shapes[id(cls)] = cls
            self.fresh.append((key[0], key[1].rpartition(".")[2], ABSENT))

    def hook_changed(self, key: Key, cls: type, hook: Any) -> None:
        """`cls` has an `__init_subclass__` that it had not, or lost `hook`: classes below were made with it."""
        code = getattr(inside(hook), "__code__", None)
        self.hooks[id(cls)] = cls, frozenset(stores(code)) if code is not None else frozenset()
        self.fresh.append((key[0], key[1].rpartition(".")[2], ABSENT))

    def stored_no_more(self, function: Any, old: types.CodeType, new: types.CodeType) -> None:
        """Whatever `function` is called for keeps the attributes that its old code gave it."""
        if went := set(names_used((old,))) - set(names_used((new,))):
            self.unstored[id(function)] = frozenset(went.intersection(stores(old)))

    def passes(self, key: Key) -> None:
        """A name that is deleted again is made anew: what it held is not known, and nobody imports it."""
        if key not in self.values:
            self._count(key, ABSENT)

    def name_lost(self, key: Key, old: Any) -> None:
        self.listed.setdefault(key[0], set()).add(key[1])
        self.value_changed(key, old)

    def fill(self, container: Any, contents: Any) -> Any:
        """`container` is about to get `contents`; gives what it held before."""
        known = self.in_place.get(id(container)) or self.purged.get(id(container))
        before = known[1] if known is not None else container.copy()
        self.in_place[id(container)] = (container, before, contents)
        self.unfilled = True
        return before

    def turned(self, value: Any, before: Any) -> Any:
        """`value` is the same object and is about to act as another one; gives what stands for it as it was."""
        self.unfilled = True
        return self.in_place.setdefault(id(value), (value, before, value))[1]

    def contents(self, value: Any) -> Any:
        """`value`, or what it will hold."""
        return self.in_place[id(value)][2] if id(value) in self.in_place else value

    def value_changed(self, key: Key, old: Any, origin: str = "") -> None:
        """`origin` is the module whose change this follows, where it is another one."""
        self._count(key, old)
        if old is ABSENT and "." not in key[1]:
            self.listed.setdefault(key[0], set()).add(key[1])
        self.origins.setdefault(key, origin or key[0])
        owner, _, name = key[1].rpartition(".")
        self.fresh.append((key[0], name, ABSENT))
        if owner and name in _MAKERS:
            self.remade.add((key[0], owner))
            self.fresh.append((key[0], owner.rpartition(".")[2], ABSENT))

    def _count(self, key: Key, old: Any) -> None:
        self.values.setdefault(key, old)
        self.order.append(key)
        self.last[key] = self.count
        self.short.add(key[1].rpartition(".")[2])

    def find_caches(self, modules: Iterable[Loaded]) -> None:
        """The lru_caches in `modules` around a function that was edited or reaches something that was."""
        if self.touched.keys() <= self.plain:
            return
        for loaded in modules:
            for _, cached in callables_of(loaded, plain=False):
                if type(cached) is LRU and any(id(f) in self.touched for f in _behind(cached, loaded)):
                    self.caches[id(cached)] = cached
            source = loaded.source or b""
            if b"cache(" in source and _MAKES_CACHES.search(source):  # the plain look takes a hundredth of the time
                self.caches.update((id(cached), cached) for cached in _held_elsewhere(loaded, self.touched))

    def holds_old_answers(self, value: Any) -> bool:
        """Whether it is an lru_cache that holds answers of code that was edited: it is emptied at the commit."""
        return type(value) is LRU and self._is_touched(value) and value.cache_info().currsize > 0

    def named_plainly(self, function: Any) -> None:
        """An edited function has no decorator: in its module only what names it calls or wraps it."""
        self.plain.add(id(function))

    def code_changed(self, key: Key, function: Any, own: bool, within: bool = False) -> None:
        if own:
            self.own[id(function)] = function
        if within:
            self.within[id(function)] = function
        self._touch(*key, function)
        self._callables.clear()  # what follows may bind others

    def _touch(self, module: str, label: str, function: Any) -> None:
        """`function` may answer otherwise: it is named by who calls it, or what it belongs to is."""
        if id(function) in self.touched:
            return
        self.touched[id(function)] = function
        owner, _, name = label.rpartition(".")
        self.fresh.append((module, name, function))
        if owner and name in (*_MAKERS, "__init_subclass__", *_ENTERING):
            self.fresh.append((module, owner.rpartition(".")[2], ABSENT))  # classes made from it name only it
        self._also_by_instances(module, owner, name)
        if owner:
            self.methods.setdefault(name, set()).add(owner.rpartition(".")[2])
            loaded = self.program.get(module)
            held = resolve(loaded.namespace, label.split(".")) if loaded is not None else None
            if name in _GETTING or isinstance(held, (property, functools.cached_property)):
                self._getters.add(name)
            if is_special(name) and name not in _NAMED_BY_CALLS:
                self._special.add(name)
                if (module, owner, self.count) not in self._operated:  # once, whichever of its methods they are
                    self._operated.add((module, owner, self.count))
                    self._operating.add((module, owner))

    def _touch_operators(self, owners: Collection[Key]) -> None:
        """An operator may come to a special method of one of the classes `owners` where the class is mentioned, or a
        name that holds one of its instances."""
        classes: dict[str, set[str]] = {}
        for module, owner in owners:
            classes.setdefault(module, set()).add(owner.rpartition(".")[2])
        named: dict[str, set[str]] = {}
        for module, mentioned in classes.items():
            for loaded, used in list(self.program.users(module, mentioned)):
                named.setdefault(loaded.name, set()).update(used)
                made = [name for name, one in list(loaded.namespace.items()) if _is_made_of(one, owners)]
                for user, names in self.program.users(loaded.name, made) if made else ():
                    named.setdefault(user.name, set()).update(names)
        self._reached |= named.keys()
        self._untold |= named.keys()
        for home in filter(None, map(self.program.get, named)):
            for label, user, inner, used in self._callables_of(home, True):
                if id(user) in self.touched and id(inner) in self.touched:
                    continue
                if not used.isdisjoint(named[home.name]) and _has_operators(inner.__code__):
                    self._touch(home.name, label, inner)

    def _also_by_instances(self, module: str, owner: str, method: str) -> None:
        """Who calls an object, or enters it, mentions only a name that the object has."""
        loaded = self.program.get(module) if owner and method in ("__call__", *_ENTERING) else None
        for name, value in list(loaded.namespace.items()) if loaded is not None else ():
            if any(kind.__qualname__ == owner and module_of(kind) == module for kind in type(value).__mro__):
                self.fresh.append((module, name, ABSENT))

    def names(self) -> set[str]:
        """Names by which calls and reads find something that changed; of what is made by a class, the class's."""
        found = set(self.short)
        for function in self.touched.values():
            parts = getattr(function, "__qualname__", "").split(".")
            found.update(parts[-2:] if parts[-1].startswith("__") else parts[-1:])
        return found | {cls.__name__ for cls in self.shapes.values()}

    def also_called(self, module: str, names: Iterable[str], function: Any) -> None:
        """`function`, whose code was edited, is called by other names than its own: a lambda, a wrapper."""
        self.fresh += [(module, name, function) for name in names]

    # -- what follows -----------------------------------------------------------------------------

    def spread(self) -> set[str]:
        """Find what calls or reads, by name, what changed since the last call: where something may be stale."""
        self.touch()
        reached, self._untold = self._untold, set()
        return reached

    def touch(self) -> None:
        """Find the callables that reach what changed since the last call; what modules they are in `spread` tells."""
        reached: set[str] = set()
        while self.fresh or self._operating:
            # All at once, and not one out of the other: what operators lead to may be a long chain.
            operating, self._operating = self._operating, set()
            if operating:
                self._touch_operators(operating)
            # Whoever imported a name that a module's `__getattr__` made does not mention it.
            makers = {module for module, name, _ in self.fresh if name == "__getattr__"}
            reached.update(*map(self.program.imports.importers, makers))
            named = self._named_by_others()
            for module, names in named.items():
                home = self.program.get(module)
                assert home is not None
                if not self.touched and (not names or self._only_values_name(home, names)):
                    continue  # no generic function leads to what changed, and no other name
                self._touch_users(module, names, self._callables_of(home, bool(names)))
            reached.update(module for module, names in named.items() if names)
        self._callables.clear()
        reached &= self.program.notebook.modules.keys()
        self._reached |= reached
        self._untold |= reached

    def _callables_of(self, home: Loaded, plain: bool) -> list[_Callable]:
        """A module's callables, found once for as long as nothing runs."""
        found = self._callables.get((home.name, plain))
        if found is None:
            found = self._callables[home.name, plain] = list(_own_callables(home, plain=plain))
        return found

    def _named_by_others(self) -> dict[str, set[str]]:
        """Modules with the names by which they may mean what is fresh: none where only a generic function leads there,
        which calls what it does not name."""
        named: dict[str, set[str]] = {}
        fresh: dict[str, dict[str, set[int]]] = {}
        for module, name, function in self.fresh:
            fresh.setdefault(module, {}).setdefault(name, set()).add(id(function))
        self.fresh = []
        for module, changed in fresh.items():
            for loaded, names in self.program.users(module, changed):
                if loaded.name != module:
                    meant = [name for name in names if not _means_its_own(loaded, name)]
                else:
                    meant = self._used_at_home(loaded, changed, named)
                if meant:
                    named.setdefault(loaded.name, set()).update(meant)
        return named

    def _used_at_home(self, loaded: Loaded, changed: Mapping[str, set[int]], named: dict[str, set[str]]) -> list[str]:
        """The names of `changed` that their own module has more than once in its text."""
        used = [name for name in changed if loaded.mentions_again(name)]
        for name, functions in changed.items():
            if name in used:
                self.plain -= functions
            elif not functions <= self.plain:
                named.setdefault(loaded.name, set())
        return used

    def _only_values_name(self, loaded: Loaded, names: Collection[str]) -> bool:
        """Whether in the text of a module that nobody edited only statements name any of `names` that make no function:
        then no function of its own does, and none has to be looked at."""
        if loaded.parsed is None or loaded.name in self.edited or loaded.mentioned(names):
            return False
        making = makers_of_functions(loaded.parsed.text)
        return not any(name in making for name in names)

    def _touch_users(self, module: str, names: Collection[str], callables: Iterable[_Callable]) -> None:
        for label, user, inner, used in callables:
            known = id(inner) in self.touched
            # The functions of a generic one are the library's.
            uses = not used.isdisjoint(names) or (hasattr(inner, "_clear_cache") and self._dispatches(inner))
            if (known or uses) and user is not inner:
                self.caches[id(user)] = user
            short = label.rpartition(".")[2]
            if known and short != inner.__name__ and (module, short) not in self.aliases:
                self.aliases.add((module, short))
                self.fresh.append((module, short, inner))  # who calls it by that name does not name it
            elif uses:
                self._touch(module, label, inner)

    # -- is a statement stale? --------------------------------------------------------------------

    def value_causes(self, work: Work, statement: Statement, prefix: str = "", since: int = 0) -> set[str]:
        """Those of its causes that are values, and not code that was edited; such as changed after the count was
        `since`."""
        names = {n for n in statement.reads if any(self._is_newer((work.name, p + n), since) for p in ("", prefix))}
        namespace = _in_class(work.loaded.namespace, prefix)
        chains = (c for c in dotted_reads(statement) if self._attribute_changed(namespace, c, since))
        return names | {".".join(chain) for chain in chains}

    def causes(self, work: Work, statement: Statement, prefix: str = "") -> list[str]:
        """What the statement read or called that changed, by name; empty when it is not stale."""
        lists = lists_names(statement) and self._other_names(work, statement)
        methods = self.methods_used(statement)
        if not self.values and not ((self.touched or self.shapes) and statement.calls) and not lists and not methods:
            return []
        helpers = self.helpers(work)
        if not (statement.calls or lists or helpers or prefix or methods or dotted_reads(statement)):
            found = [name for name in statement.reads if (work.name, name) in self.values]
            return sorted(self._not_accepted(work, found)) if found else found
        also = {name: self._imported(one) for name, one in helpers.items()}
        namespace = _in_class(self._now(work.loaded.namespace, also), prefix)
        reads, chains = statement.reads, dotted_reads(statement)
        if is_derived(statement, namespace) or is_state(statement, namespace):
            reads, chains = names_read(statement), chains_in_text(statement)
        short = self.short  # most names are not among these, and need not be looked up as a module's or a class's
        found = [
            n
            for n in reads
            if n in short and ((work.name, n) in self.values or (prefix and (work.name, prefix + n) in self.values))
        ]
        found += [n for n in reads & helpers.keys() if (helpers[n].module, helpers[n].name) in self.values]
        found += [
            ".".join(chain)
            for chain in chains
            if ("__dict__" in chain or not short.isdisjoint(chain[1:])) and self._attribute_changed(namespace, chain)
        ]
        if lists:
            found += [name for name in LISTERS & reads if name not in namespace]
        if statement.calls and work.name in self.listed:
            listing = reads & work.text.fact("listing", lambda: listing_functions(work.text))
            found += sorted(listing) if listing and self._other_names(work, statement) else []
        if (self.touched or self.shapes or self.remade) and statement.calls:
            found += self._run_by(statement, namespace, reads, chains, found)
        if methods:
            unnamed = self._unnamed(statement, namespace, reads, chains, methods)
            found += [name for name in unnamed if name not in found]
        return sorted(self._not_accepted(work, found) if found else found)

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
        run = [name for name, value in rest.items() if self._is_touched(value)]
        if run:
            # To look up a property or another descriptor runs it.
            only_stored = {n for n in stored(statement) if len(n) == 1 or isinstance(rest.get(n), _AS_THEY_ARE)}
            only_stored |= {
                n
                for n in only_annotated(statement)
                if (len(n) == 1 or isinstance(rest.get(n), type)) and not self._is_reshaped(rest.get(n))
            }
            run = [name for name in run if name not in only_stored]
        if isinstance(statement.node, (ast.With, ast.AsyncWith)):
            run += [name for name in rest if name not in run and self._runs_touched(rest[name], _ENTERING)]
        return [".".join(name) for name in run]

    def methods_used(self, statement: Statement) -> frozenset[str]:
        """Names of touched methods that running `statement` may call where no chain of names leads to them."""
        if not self.methods:
            return frozenset()
        named = self.methods.keys() & statement.attributes
        used = set[str]()
        if named:
            loose, called = loose_attributes(statement)
            used = named & (called | loose & self._getters)  # who only stores a method does not run it
        got = {name for chain in dotted_reads(statement) for name in chain[1:]} if self._getters else set[str]()
        used |= self._getters & (got | set(_GETTING if got else ()))
        return frozenset(used | self._special) if self._special and operates(statement) else frozenset(used)

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
        others: Collection[str] = [name for name in methods if name not in _GETTING]
        annotated = only_annotated(statement)
        for chain in (*((name,) for name in reads), *chains):
            value, asked = resolve(namespace, chain), others
            if value is ABSENT and len(chain) > 1:
                value, asked = resolve(namespace, chain[:-1]), _GETTING
            if chain in annotated and isinstance(value, type) and "__class_getitem__" not in methods:
                value = type(value)  # an annotation has no instance of it: only of its metaclass
            if self._leads_to_touched(value, asked):
                yield ".".join(chain)

    def _leads_to_touched(self, value: Any, methods: Collection[str], depth: int = 2) -> bool:
        """Whether `value`, or what it holds or gives, has one of `methods`, and it is code that changed."""
        if value is None or value is ABSENT:
            return False
        if type(value) is types.FunctionType:
            owners = set[str]().union(*(self.methods[name] for name in methods if not is_special(name)))
            return not owners.isdisjoint((*value.__code__.co_names, *value.__qualname__.split(".")[:-1]))
        if type(value) in _HOLDING:
            return depth > 0 and any(self._leads_to_touched(one, methods, depth - 1) for one in _items(value))
        kinds = (value, type(value)) if isinstance(value, type) else (type(value),)
        spaces = [vars(base) for kind in kinds for base in kind.__mro__ if base.__flags__ & HEAP_TYPE]
        members = (space[name] for space in spaces for name in methods if name in space)
        return any(self._is_in_touched(member) for member in members)

    def _is_in_touched(self, member: Any) -> bool:
        """Whether a member of a class is, or wraps, a function that is touched."""
        function = inside(member)
        if id(function) in self.touched:
            return True
        if type(function) is types.FunctionType and function.__closure__ is None and not function.__dict__:
            return False  # most wrap nothing, and need not be gone into
        return any(id(one) in self.touched for one in functions_in(member, "", depth=2))

    def _other_names(self, work: Work, statement: Statement) -> bool:
        """Whether other names are bound above `statement` than were; in a module that nobody edited, by an import."""
        old = next((pair.old for pair in work.pairs if pair.new is statement), None)
        if not work.edited or old is None:
            return work.name in self.listed
        before = sorted(work.old.text.statements, key=lambda one: one.first)
        above, below = names_around(work.text.statements, statement)
        return names_around(before, old)[0] != above or bool(self.listed.get(work.name, set()) - below)

    def _now(self, namespace: dict[str, Any], also: dict[str, Any]) -> Mapping[str, Any]:
        """`namespace` as it will be once the prepared writes are live, with what it had `also` and deleted."""
        pending = self.pending.get(id(namespace))
        maps = [one for one in (also, pending, namespace) if one]
        return collections.ChainMap(*maps) if len(maps) > 1 else namespace

    def helpers(self, work: Work) -> dict[str, Imported]:
        """What the module imports and deletes again: statements in between have read it."""
        if work.helpers is None:  # asked for each of its statements
            package = hasattr(work.loaded.module, "__path__")
            work.helpers = work.text.fact("helpers", lambda: imported_and_deleted(work.text, work.name, package))
        return work.helpers

    def _imported(self, one: Imported) -> Any:
        loaded = self.program.get(one.module)
        if loaded is None:
            return ABSENT
        return self._now(loaded.namespace, {}).get(one.name, ABSENT) if one.name else loaded.module

    def imported_before(self, one: Imported) -> Any:
        """What an import gave before this reload."""
        key = one.module, one.name
        return self.values[key] if key in self.values else self._imported(one)

    def _not_accepted(self, work: Work, causes: list[str]) -> list[str]:
        """Without what follows from modules whose updates this one takes itself."""
        taken = accepted(work.name)
        return [cause for cause in causes if self._origin(work, cause) not in taken] if taken else causes

    def _origin(self, work: Work, cause: str) -> str:
        chain = cause.split(".")
        if (work.name, cause) in self.origins:
            return self.origins[work.name, cause]
        for end in range(len(chain) - 1, 0, -1):
            holder = resolve(work.loaded.namespace, chain[:end])
            if isinstance(holder, types.ModuleType):
                return holder.__name__
        value = resolve(work.loaded.namespace, chain)
        return getattr(value, "__module__", "") or ""

    def _is_newer(self, key: Key, since: int) -> bool:
        return self.last.get(key, 0) > since

    def _attribute_changed(self, namespace: Mapping[str, Any], chain: Dotted, since: int = 0) -> bool:
        for end in range(1, len(chain)):
            holder = resolve(namespace, chain[:end])
            if isinstance(holder, types.ModuleType):
                if self._is_newer((holder.__name__, chain[end]), since):
                    return True
            elif type(holder) is types.FunctionType:
                if self._is_newer((holder.__module__, f"{holder.__qualname__}.{chain[end]}"), since):
                    return True
            elif holder is not ABSENT:
                kind = holder if isinstance(holder, type) else type(holder)
                names = ((module_of(k), f"{k.__qualname__}.{chain[end]}") for k in kind.__mro__)
                if any(self._is_newer(name, since) for name in names):
                    return True
                if chain[end] == "__dict__" and isinstance(holder, type) and self._member_changed(holder, since):
                    return True
        return False

    def _member_changed(self, cls: type, since: int) -> bool:
        inside = f"{cls.__qualname__}."
        return any(m == module_of(cls) and n.startswith(inside) and self._is_newer((m, n), since) for m, n in self.last)

    def _is_touched(self, value: Any) -> bool:
        kind = type(value)
        if value is ABSENT or kind in PLAIN or kind is types.ModuleType:
            return False
        if isinstance(value, type):
            return self._class_touched(value)
        if isinstance(value, types.MethodType):
            value = value.__func__
        if id(value) in self.touched:
            return True
        if kind is types.FunctionType and value.__closure__ is None and not value.__dict__:
            return False  # it wraps nothing: most are that
        if any(id(inner) in self.touched for inner in _wrapped_in(value)):
            return True
        if type(value) is not types.FunctionType:
            return self._runs_touched(value, ("__call__",))
        return any(id(one) in self.touched for one in _enclosed(value)) or self._dispatches(value)

    def _dispatches(self, function: types.FunctionType) -> bool:
        """Whether a generic function leads to an implementation that changed."""
        table = dispatch_table(function)
        return table is not None and any(id(one) in self.touched for one in table.values())

    def _class_touched(self, cls: type) -> bool:
        """Whether making an instance runs code that changed, or gives one of other fields."""
        if not cls.__flags__ & HEAP_TYPE:
            return False
        if self._is_reshaped(cls):
            return True
        for base in cls.__mro__:
            for name in _MAKERS:
                maker = vars(base).get(name)
                if maker is not None and id(inside(maker)) in self.touched:
                    return True
        return False

    def _is_reshaped(self, cls: Any) -> bool:
        """Whether it is a class whose instances have other fields, or are made in another way: that shows in the class
        itself, also to a decorator that looks at annotations."""
        if not isinstance(cls, type) or not (self.shapes or self.remade):
            return False
        return any(
            id(base) in self.shapes or (self.remade and (module_of(base), base.__qualname__) in self.remade)
            for base in cls.__mro__
        )

    def _runs_touched(self, value: Any, methods: Collection[str]) -> bool:
        """Whether one of these special methods of an object, or of what a class makes, is code that changed."""
        kind = value if isinstance(value, type) else type(value)
        if not kind.__flags__ & HEAP_TYPE:
            return False
        found = (inside(vars(base).get(name)) for base in kind.__mro__ for name in methods)
        return any(one is not None and id(one) in self.touched for one in found)

    def runs_edited(self, function: Any, factory: bool = False) -> bool:
        """Whether a call of `function` runs code that was edited itself or reads, by name, a value that changed: its
        own code, or that of what it calls by name. What functions inside it do they do later; but of a factory the
        first of them run as the decorator."""
        for current, names in self.run_by(function, factory, False):
            decorates = factory and current is function
            if id(current) in self.own or (decorates and id(current) in self.within):
                return True
            if self._reads_changed(current.__globals__, names):
                return True
        return False

    def run_by(
        self, function: Any, also_inside: bool, also_inside_others: bool
    ) -> Iterator[tuple[types.FunctionType, set[str]]]:
        """The touched functions that a call of `function` runs, itself first, as far as names lead to them, each with
        the names that it uses: also those that functions inside it use, where these count."""
        waiting, seen = [(function, also_inside)], set[int]()
        while waiting:
            current, deep = waiting.pop()
            if type(current) is not types.FunctionType or id(current) not in self.touched or id(current) in seen:
                continue
            seen.add(id(current))
            codes = [current.__code__, *(nested_codes(current.__code__) if deep else ())]
            names = {name for code in codes for name in code.co_names}
            yield current, names
            called: list[Any] = [current.__globals__.get(name) for name in names]
            classes = [value for value in called if issubclass(type(value), type)]  # no code of a proxy runs
            methods = {"__init__", "__new__", *names}
            called += [vars(kind).get(name) for cls in classes for kind in cls.__mro__ for name in methods]
            waiting += [(value.__func__ if type(value) in _BOUND else value, also_inside_others) for value in called]

    def reads_changed(self, function: Any) -> bool:
        """Whether a function's own code reads, by name, a value that changed."""
        if type(function) is not types.FunctionType:
            return False
        return self._reads_changed(function.__globals__, function.__code__.co_names)

    def _reads_changed(self, namespace: dict[str, Any], names: Collection[str]) -> bool:
        """Whether code in `namespace` that uses `names` reads a module's value that changed."""
        homes = homes_named(namespace, names)
        return any(module in homes and name in names for module, name in self.values)


def homes_named(namespace: dict[str, Any], names: Collection[str]) -> set[Any]:
    """The names of the modules that code in `namespace` that uses `names` reads from: its own, and those it names."""
    modules = (value for value in map(namespace.get, names) if type(value) is types.ModuleType)
    return {namespace.get("__name__"), *(module.__name__ for module in modules)}


def _has_operators(code: types.CodeType) -> bool:
    """Whether it calls special methods without naming them, or a builtin that does."""
    own = not _OPERATORS.isdisjoint(code.co_code[::2]) or not vars(builtins).keys().isdisjoint(code.co_names)
    return own or any(map(_has_operators, nested_codes(code)))


def _in_class(namespace: Mapping[str, Any], prefix: str) -> Mapping[str, Any]:
    """The names that a class body sees: its own before the module's; `prefix` is "Outer.Inner." of its statements."""
    owner = resolve(namespace, prefix.split(".")[:-1]) if prefix else None
    return collections.ChainMap(dict(vars(owner)), namespace) if isinstance(owner, type) else namespace  # type: ignore[arg-type]


def _items(container: Any) -> list[Any]:
    """What a container holds, keys of a dict too, as far as it is looked at; other threads may fill it meanwhile."""
    held = [*container.keys(), *container.values()] if type(container) is dict else list(container)
    return held[:_MOST]


def _is_made_of(value: Any, owners: Collection[Key]) -> bool:
    """Whether it is an instance of one of the classes, or a container with one, or a class that has one as its
    metaclass."""
    if type(value) in _HOLDING:
        return any(_is_made_of(one, owners) for one in _items(value) if type(one) not in _HOLDING)
    if not type(value).__flags__ & HEAP_TYPE:
        return False  # most are functions, modules and plain classes
    return any((module_of(kind), kind.__qualname__) in owners for kind in type(value).__mro__)


def _means_its_own(loaded: Loaded, name: str) -> bool:
    """Whether a module that mentions `name` can only mean its own: names such as `run` are everywhere."""
    own = loaded.namespace.get(name)
    if type(own) in PLAIN or not isinstance(own, (types.FunctionType, type)) or not made_in(own, loaded.name):
        return False
    word, text = name.encode(), loaded.source or b""
    return b"." + word not in text and word + b" as " not in text


def _own_callables(loaded: Loaded, *, plain: bool) -> Iterator[_Callable]:
    nothing = frozenset[str]()
    for label, user in callables_of(loaded, plain=plain):
        for inner in _behind(user, loaded) if type(user) is LRU else (user,):
            if type(inner) is types.FunctionType:
                own = inner.__globals__ is loaded.namespace
                yield label, user, inner, loaded.names_in(inner.__code__) if own else nothing


def callables_of(loaded: Loaded, *, plain: bool = True) -> Iterator[tuple[str, Any]]:
    """(qualified name, function or lru_cache) for all that the module and its classes define; unless `plain`, without
    functions that wrap nothing."""
    return _callables_in("", loaded.namespace, loaded.name, 3, plain)


def _callables_in(
    prefix: str, space: Mapping[str, Any], module: str, depth: int, plain: bool
) -> Iterator[tuple[str, Any]]:
    for name, value in list(space.items()):
        kind = type(value)
        if kind is types.FunctionType and value.__closure__ is None and not value.__dict__:
            if plain:
                yield prefix + name, value  # most are that, and are asked for in each reload
        elif kind not in _NOT_CALLED:
            yield from _callables(prefix + name, value, module, depth, plain)


def _callables(label: str, value: Any, module: str, depth: int, plain: bool = True) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if kind is types.FunctionType:
        yield label, value
        inner = value.__dict__.get("__wrapped__")
        if inner is not None and depth:
            yield from _callables(label, inner, module, depth - 1)
        for hidden in _enclosed(value) if depth else ():
            if hidden is not inner:
                yield from _callables(label, hidden, module, depth - 1)
    elif kind is LRU:
        yield label, value
        yield from _callables(label, value.__wrapped__, module, depth - 1)
    elif isinstance(value, type):
        if depth and made_in(value, module):
            yield from _callables_in(f"{label}.", vars(value), module, depth - 1, plain)
    elif depth < 0:
        return  # wrappers that lead back to themselves
    elif kind in (staticmethod, classmethod):
        yield from _callables(label, value.__func__, module, depth - 1)
    elif isinstance(value, property):
        for part in (value.fget, value.fset, value.fdel):
            if part is not None:
                yield from _callables(label, part, module, depth - 1)
    elif isinstance(value, functools.cached_property):
        yield from _callables(label, value.func, module, depth - 1)
    elif kind is not types.ModuleType:
        for inner in _wrapped_in(value):  # an object of a decorator that is a class
            yield from _callables(label, inner, module, depth - 1)
            return


def _behind(cached: Any, loaded: Loaded) -> Iterator[types.FunctionType]:
    """The functions whose answers an lru_cache holds: the one that it was put around, and those that one wraps."""
    return functions_in(cached.__wrapped__, loaded.name)


def _held_elsewhere(loaded: Loaded, touched: Mapping[int, Any]) -> Iterator[Any]:
    """The caches that code of the module put around its functions and methods: an instance may hold one."""
    functions = [function for function in touched.values() if getattr(function, "__globals__", 0) is loaded.namespace]
    around = gc.get_referrers(*functions) if functions else []
    methods = [one for one in around if type(one) is types.MethodType]
    around += gc.get_referrers(*methods) if methods else []
    return (one for one in around if type(one) is LRU)


def _wrapped_in(value: Any) -> Iterator[Any]:
    """What a wrapper says that it wraps, and so on inwards."""
    for _ in range(DEPTH):
        held = dict_of(value) if not isinstance(value, types.ModuleType) else None
        value = (held or {}).get("__wrapped__")
        if value is None:
            return
        yield value


def _enclosed(function: types.FunctionType) -> Iterator[Any]:
    """The functions that a wrapper closed over: what a decorator was given."""
    for cell in function.__closure__ or ():
        if cell != _EMPTY and type(cell.cell_contents) in (types.FunctionType, LRU):
            yield cell.cell_contents


def inner_code_differs(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether the own instructions of a function directly inside differ: of what a decorator factory returns."""
    before = {code.co_name: code for code in nested_codes(old)}
    return any(code.co_name in before and own_code_differs(before[code.co_name], code) for code in nested_codes(new))


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
