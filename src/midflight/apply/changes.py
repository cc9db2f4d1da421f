"""What has changed so far in one reload, and what follows from it across modules."""

from __future__ import annotations

import builtins
import dis
import functools
import itertools
import re
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from midflight.apply.callables import (
    User,
    attributes_of,
    behind,
    caches_around,
    callables_of,
    enclosed,
    only_stored_in,
    own_callables,
    wrapped_in,
)
from midflight.apply.graft.marks import stores
from midflight.apply.holders import HOLDING, LRU, is_special, items, nested_codes, resolve
from midflight.apply.past import Key, Past
from midflight.apply.registrations import dispatch_table
from midflight.apply.transaction import ABSENT
from midflight.apply.values import OF_FUNCTIONS
from midflight.apply.work import Work
from midflight.graph.heap import all_subclasses
from midflight.graph.homes import inside, is_one_of, made_in, module_of
from midflight.graph.hook import PLAIN
from midflight.graph.kinds import is_a, is_kind
from midflight.graph.layouts import HEAP_TYPE
from midflight.graph.loaded import Loaded, Program, names_used
from midflight.plan.flow import (
    makers_of_functions,
)

# Caches that are made by a call and stand behind no @ of the module: `self.get = lru_cache(self._get)`.
_MAKES_CACHES = re.compile(rb"(?<![@.\w])(?:functools\.)?(?:lru_)?cache\(")
ENTERING = ("__enter__", "__exit__", "__aenter__", "__aexit__")
_MAKERS = ("__init__", "__new__", "__post_init__", "__set_name__")
PARAMETERISING = "__class_getitem__"
_NAMED_BY_CALLS = frozenset((*_MAKERS, *ENTERING, "__call__", "__init_subclass__"))
GETTING = ("__getattr__", "__getattribute__")
_OPERATING = (
    *("BINARY_", "UNARY_", "COMPARE_OP", "CONTAINS_OP", "FORMAT_", "GET_ITER", "TO_BOOL", "POP_JUMP", "JUMP_IF"),
    *("UNPACK_", "LIST_EXTEND", "SET_UPDATE", "DICT_", "STORE_SUBSCR", "DELETE_SUBSCR", "CALL_FUNCTION_EX"),
)
_OPERATORS = frozenset(number for name, number in dis.opmap.items() if name.startswith(_OPERATING))


class Changes:
    """`values`: (module, dotted name) → the value before. `touched`: callables whose answers may differ now,
    because their code was edited or they reach, by name, something that was."""

    def __init__(self, program: Program, edited: Collection[str]) -> None:
        self.program, self.edited = program, edited
        self.values = Past()
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
        self._flowed: dict[str, set[str]] = {}  # module → names by which it may mean values that flowed on
        self.caches: dict[int, Any] = {}
        # id of a container that is brought up to date in place → itself, what it held before, what it will hold
        self.in_place: dict[int, tuple[Any, Any, Any]] = {}
        self.purged: dict[int, tuple[Any, Any, Any]] = {}  # the same of containers that definitions have left
        self.origins: dict[Key, str] = {}  # the module where the change of a value began, as far as imports carried it
        self.attributes: dict[str, set[Key]] = {}  # a name that changed → the modules, classes, functions that have it
        self.members: set[Key] = set()  # attributes that are other ones for what makes the classes below
        self.emptied: dict[int, Any] = {}  # objects that were made anew, without what others had put into them
        self.unfilled = False  # whether one of them still waits for its new contents
        self._reached: set[str] = set()  # modules that `spread` has ever given
        self.listed: dict[str, set[str]] = {}  # module → names that came or went
        # id of an edited function → attributes that its old code stored somewhere, and the new code does not
        self.unstored: dict[int, frozenset[str]] = {}
        # classes whose `__init_subclass__` came or went, and what that one stored on the classes below
        self.hooks: dict[int, tuple[type, frozenset[str]]] = {}
        self.methods: dict[str, set[str]] = {}  # name of a touched method → names of its classes
        self.special: set[str] = set()  # those of them that are called without being named
        self._callables: dict[tuple[str, bool], list[User]] = {}  # while nothing runs
        self._operated: set[tuple[str, str, int]] = set()  # classes whose operators were followed, and at which count
        self._operating: set[Key] = set()  # classes whose operators are to be followed
        self.getters: set[str] = set()  # those of them that run where an attribute is looked up
        self.remade: set[Key] = set()  # (module, qualified name) of classes that got or lost what makes an instance
        self._remade_names: set[str] = set()  # the qualified names of these alone
        self.shapes: dict[int, type] = {}  # classes whose fields or bases differ, which classes made from them saw

    def may_reach(self, module: str) -> bool:
        """Whether something may follow in a module from what has changed so far: it names it, or that is not known."""
        return bool(self.fresh or self._flowed) or module in self._reached

    @property
    def shown(self) -> bool:
        """Whether a function shows another docstring, or other defaults."""
        return not self.short.isdisjoint(OF_FUNCTIONS)

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
        parts = (self.touched, self.own, self.within, self.shapes, self.remade, self.hooks, self.listed, self.members)
        return tuple(map(len, parts))

    def found_by_name(self, work: Work) -> bool:
        """Whether a statement of the module that is stale names what changed: nothing but values has changed, and
        nobody edited it."""
        if work.source is not None or not self.only_values:
            return False
        return not work.helpers

    @property
    def only_values(self) -> bool:
        """Whether all that changed are values, and no code, class or list of names: who follows them names them."""
        return not (self.touched or self.shapes or self.remade or self.hooks or self.listed or self.members)

    def has_value(self, key: Key) -> bool:
        return key in self.values

    def shape_changed(self, key: Key, cls: type) -> None:
        """`cls` is the same object with other fields or bases: what was made from it may be stale."""
        if id(cls) not in self.shapes:
            self.shapes[id(cls)] = cls
            self.fresh.append((key[0], key[1].rpartition(".")[2], ABSENT))

    def made_empty(self, key: Key, made: Any) -> None:
        """An object was made anew, without what others had put into it: they do it again."""
        self.emptied[id(made)] = made
        self.code_changed(key, made, True)

    def members_changed(self, key: Key, names: Collection[str]) -> None:
        """A class has other attributes `names`, and what makes those below it may collect them."""
        self.members.update((key[0], f"{key[1]}.{name}") for name in names)
        self.fresh.append((key[0], key[1].rpartition(".")[2], ABSENT))

    def hook_changed(self, key: Key, cls: type, hook: Any) -> None:
        """`cls` has an `__init_subclass__` that it had not, or lost `hook`: classes below were made with it."""
        code = getattr(inside(hook), "__code__", None)
        self.hooks[id(cls)] = cls, frozenset(stores(code)) if code is not None else frozenset()
        self.fresh.append((key[0], key[1].rpartition(".")[2], ABSENT))

    def stored_no_more(self, function: Any, old: types.CodeType, new: types.CodeType) -> None:
        """Whatever `function` is called for keeps the attributes that its old code gave it."""
        if went := set(names_used((old,))) - set(names_used((new,))):
            copies = {"__wrapped__"} if not went.isdisjoint(("wraps", "update_wrapper")) else set()  # functools
            self.unstored[id(function)] = frozenset(went.intersection(stores(old)) | copies)

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
            self._remade_names.add(owner)
        if owner and name in (*_MAKERS, PARAMETERISING):  # who comes to one of these names the class alone
            self.fresh.append((key[0], owner.rpartition(".")[2], ABSENT))

    def value_flowed(self, key: Key, old: Any, origin: str) -> None:
        """As `value_changed`, for a module's name that it had, and that none of its own functions names."""
        self._count(key, old)
        self.origins.setdefault(key, origin or key[0])

    def flows_on(self, module: str, names: Collection[str]) -> None:
        """Other modules may follow what `value_flowed` told of."""
        for loaded, used in self.program.others(module, names):
            if meant := [name for name in used if not _means_its_own(loaded, name)]:
                self._flowed.setdefault(loaded.name, set()).update(meant)

    def _count(self, key: Key, old: Any) -> None:
        self.values.note(key, old)
        owner, _, name = key[1].rpartition(".")
        self.attributes.setdefault(name, set()).add((key[0], owner))
        self.order.append(key)
        self.last[key] = len(self.order)
        self.short.add(name)

    def find_caches(self, modules: Iterable[Loaded], since: int = 0) -> None:
        """The lru_caches in `modules` around a function that was edited or reaches something that was; those that no
        name leads to only for functions other than the first `since` that were found so."""
        if self.touched.keys() <= self.plain:
            return
        making: set[int] = set()
        for loaded in modules:
            for _, cached in callables_of(loaded, plain=False):
                if type(cached) is LRU and any(id(f) in self.touched for f in behind(cached, loaded)):
                    self.caches[id(cached)] = cached
            source = loaded.source or b""
            if b"cache(" in source and _MAKES_CACHES.search(source):  # the plain look takes a hundredth of the time
                making.add(id(loaded.namespace))
        fresh = itertools.islice(self.touched.items(), since, None) if making else ()
        wanted = {key for key, function in fresh if id(getattr(function, "__globals__", None)) in making}
        if wanted:
            self.caches.update((id(cached), cached) for cached in caches_around(wanted))

    def holds_old_answers(self, value: Any) -> bool:
        """Whether it is an lru_cache that holds answers of code that was edited: it is emptied at the commit."""
        return type(value) is LRU and self.is_touched(value) and value.cache_info().currsize > 0

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
        if owner and name in (*_MAKERS, PARAMETERISING, "__init_subclass__", *ENTERING):
            self.fresh.append((module, owner.rpartition(".")[2], ABSENT))  # classes made from it name only it
        self._also_by_instances(module, owner, name)
        if owner:
            self.methods.setdefault(name, set()).add(owner.rpartition(".")[2])
            loaded = self.program.get(module)
            held = resolve(loaded.namespace, label.split(".")) if loaded is not None else None
            if name in GETTING or is_a(held, (property, functools.cached_property)):
                self.getters.add(name)
            if is_special(name) and name not in _NAMED_BY_CALLS:
                self.special.add(name)
                if (module, owner, self.count) not in self._operated:  # once, whichever of its methods they are
                    self._operated.add((module, owner, self.count))
                    self._operating.add((module, owner))
        elif name == "__getattr__":  # a module's own (PEP 562)
            self.methods.setdefault(name, set())
            self.getters.add(name)

    def _touch_operators(self, owners: Collection[Key]) -> None:
        """An operator may come to a special method of one of the classes `owners` where the class is mentioned, or a
        name that holds one of its instances."""
        classes: dict[str, set[str]] = {}
        for module, owner in owners:
            classes.setdefault(module, set()).add(owner.rpartition(".")[2])
        named: dict[str, set[str]] = {}
        is_made = _makes(owners)
        for module, mentioned in classes.items():
            for loaded, used in list(self.program.users(module, mentioned)):
                named.setdefault(loaded.name, set()).update(used)
                made = [name for name, one in list(loaded.namespace.items()) if is_made(one)]
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
        loaded = self.program.get(module) if owner and method in ("__call__", *ENTERING) else None
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
        while self.fresh or self._operating or self._flowed:
            # All at once, and not one out of the other: what operators lead to may be a long chain.
            operating, self._operating = self._operating, set()
            if operating:
                self._touch_operators(operating)
            # Whoever imported a name that a module's `__getattr__` made, or asks it for one, does not mention it.
            makers = {module for module, name, _ in self.fresh if name == "__getattr__"}
            reached.update(*map(self.program.imports.importers, makers))
            named = self._named_by_others()
            for maker in makers:
                self._touch_askers(maker)
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

    def _touch_askers(self, maker: str) -> None:
        """Functions that ask the module `maker` for an attribute which only its `__getattr__` can give it."""
        source = self.program.get(maker)
        if source is None or id(source.namespace.get("__getattr__")) not in self.touched:
            return
        held = source.namespace.keys()
        for home in filter(None, map(self.program.get, self.program.imports.importers(maker))):
            names = {name for name, value in list(home.namespace.items()) if value is source.module}
            for label, _, inner, used in self._callables_of(home, True) if names else ():
                if not used.isdisjoint(names) and not attributes_of(inner.__code__, names) <= held:
                    self._touch(home.name, label, inner)

    def _callables_of(self, home: Loaded, plain: bool) -> list[User]:
        """A module's callables, found once for as long as nothing runs."""
        found = self._callables.get((home.name, plain))
        if found is None:
            found = self._callables[home.name, plain] = list(own_callables(home, plain=plain))
        return found

    def _named_by_others(self) -> dict[str, set[str]]:
        """Modules with the names by which they may mean what is fresh: none where only a generic function leads there,
        which calls what it does not name."""
        named, self._flowed = self._flowed, {}
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

    def _touch_users(self, module: str, names: Collection[str], callables: Iterable[User]) -> None:
        for label, user, inner, used in callables:
            known = id(inner) in self.touched
            # The functions of a generic one are the library's.
            meant = used.intersection(names)
            uses = bool(meant) and self._may_run(module, label, inner, used, meant)
            uses = uses or (hasattr(inner, "_clear_cache") and self._dispatches(inner))
            if (known or uses) and user is not inner:
                self.caches[id(user)] = user
            short = label.rpartition(".")[2]
            if known and short != inner.__name__ and (module, short) not in self.aliases:
                self.aliases.add((module, short))
                self.fresh.append((module, short, inner))  # who calls it by that name does not name it
            elif uses:
                self._touch(module, label, inner)

    def _may_run(
        self, module: str, label: str, function: types.FunctionType, used: Collection[str], meant: Any
    ) -> bool:
        """Whether a function that uses the names `meant` may come to what changed by one of them. To give something an
        attribute of the name runs at most a property. What makes an instance is called by `super()` or by a class."""
        names = meant - only_stored_in(function.__code__, meant - self.getters)
        if not names or not (names.issubset(_MAKERS) or ("super" in used and all(map(is_special, names)))):
            return bool(names)
        home = self.program.get(module)
        owner = resolve(home.namespace, label.split(".")[:-1]) if home is not None else ABSENT
        if not is_a(owner, type):
            return True
        bases = (*_behind(owner, "super" in used), *_classes_named(function, used))
        members = (vars(base).get(name) for base in bases for name in names)
        return any(id(inside(member)) in self.touched for member in members)

    # -- does a value follow? ---------------------------------------------------------------------

    def is_newer(self, key: Key, since: int) -> bool:
        return self.last.get(key, 0) > since

    def is_touched(self, value: Any) -> bool:
        kind = type(value)
        if value is ABSENT or is_kind(value, PLAIN) or kind is types.ModuleType:
            return False
        if is_a(value, type):
            return self._class_touched(value)
        if is_a(value, types.MethodType):
            value = value.__func__
        if id(value) in self.touched:
            return True
        if kind is types.FunctionType and value.__closure__ is None and not value.__dict__:
            return False  # it wraps nothing: most are that
        if any(id(inner) in self.touched or self.runs_touched(inner, ("__call__",)) for inner in wrapped_in(value)):
            return True
        if type(value) is not types.FunctionType:
            return self.runs_touched(value, ("__call__",))
        return any(id(one) in self.touched for one in enclosed(value)) or self._dispatches(value)

    def _dispatches(self, function: types.FunctionType) -> bool:
        """Whether a generic function leads to an implementation that changed."""
        table = dispatch_table(function)
        return table is not None and any(id(one) in self.touched for one in table.values())

    def _class_touched(self, cls: type) -> bool:
        """Whether making an instance runs code that changed, or gives one of other fields."""
        if not cls.__flags__ & HEAP_TYPE:
            return False
        if self.is_reshaped(cls):
            return True
        for base in cls.__mro__:
            for name in _MAKERS:
                maker = vars(base).get(name)
                if maker is not None and id(inside(maker)) in self.touched:
                    return True
        return False

    def is_parameterised_anew(self, cls: type) -> bool:
        """Whether `cls[...]` gives something else by a method of its own that came, went or was edited."""
        if PARAMETERISING not in self.short and PARAMETERISING not in self.methods:
            return False
        key = module_of(cls), f"{cls.__qualname__}.{PARAMETERISING}"
        return self.has_value(key) or id(inside(vars(cls).get(PARAMETERISING))) in self.touched

    def is_reshaped(self, cls: Any) -> bool:
        """Whether it is a class whose instances have other fields, or are made in another way: that shows in the class
        itself, also to a decorator that looks at annotations."""
        if not is_a(cls, type) or not (self.shapes or self.remade):
            return False
        return any(
            id(base) in self.shapes or (self.remade and is_one_of(base, self.remade, self._remade_names))
            for base in cls.__mro__
        )

    def runs_touched(self, value: Any, methods: Collection[str]) -> bool:
        """Whether one of these special methods of an object, or of what a class makes, is code that changed."""
        kind = value if is_a(value, type) else type(value)
        if not kind.__flags__ & HEAP_TYPE:
            return False
        found = (inside(vars(base).get(name)) for base in kind.__mro__ for name in methods)
        return any(one is not None and id(one) in self.touched for one in found)


def _behind(owner: type, by_super: bool) -> Iterator[type]:
    """`owner` and the classes that `super()` may lead to from it, also in what inherits from it beside others; without
    that `self` may be of any class below."""
    for kind in all_subclasses(owner):
        yield from itertools.dropwhile(lambda base: by_super and base is not owner, kind.__mro__)


def _classes_named(function: types.FunctionType, names: Collection[str]) -> Iterator[type]:
    """The classes that globals, and modules among them, hold under one of `names`, with what these inherit from."""
    space = function.__globals__
    held = [space[name] for name in names if name in space]
    spaces = [vars(one) for one in held if type(one) is types.ModuleType]
    held += [one[name] for one in spaces for name in names if name in one]
    return (base for one in held if is_a(one, type) for base in one.__mro__)


def _has_operators(code: types.CodeType) -> bool:
    """Whether it calls special methods without naming them, or a builtin that does."""
    own = not _OPERATORS.isdisjoint(code.co_code[::2]) or not vars(builtins).keys().isdisjoint(code.co_names)
    return own or any(map(_has_operators, nested_codes(code)))


def _makes(owners: Collection[Key]) -> Callable[[Any], bool]:
    """Whether a value is an instance of one of the classes, or a container with one, or a class that has one as its
    metaclass; found out once for each kind of value."""
    names = {owner for _, owner in owners}
    known: dict[int, tuple[type, bool]] = {}  # by id: to look for a class in a dict may run its metaclass's code

    def is_made(value: Any) -> bool:
        kind = type(value)
        if is_kind(value, HOLDING):  # a table has many of few kinds: each is asked once
            inside = {id(type(one)): one for one in items(value)}
            return any(is_made(one) for one in inside.values() if not is_kind(one, HOLDING))
        if not kind.__flags__ & HEAP_TYPE:
            return False  # most are functions, modules and plain classes
        if id(kind) not in known:
            known[id(kind)] = kind, any(is_one_of(one, owners, names) for one in kind.__mro__)
        return known[id(kind)][1]

    return is_made


def _means_its_own(loaded: Loaded, name: str) -> bool:
    """Whether a module that mentions `name` can only mean its own: names such as `run` are everywhere."""
    own = loaded.namespace.get(name)
    if is_kind(own, PLAIN) or not is_a(own, (types.FunctionType, type)) or not made_in(own, loaded.name):
        return False
    word, text = name.encode(), loaded.source or b""
    return b"." + word not in text and word + b" as " not in text
