"""The dicts, lists and sets that the program's modules and classes hold by name, and what definitions put there."""

from __future__ import annotations

import ast
import functools
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import is_
from typing import Any, TypeVar

from midflight.apply.graft.functions import forwarded_to
from midflight.apply.holders import functions_in, is_special, value_of, variables_of
from midflight.apply.parsed import text_of
from midflight.apply.transaction import ABSENT, Transaction, cell_value, copy_of, dict_of, restore
from midflight.graph.homes import inside, made_in
from midflight.graph.hook import PLAIN
from midflight.graph.kinds import home_said, is_a, is_kind, shown
from midflight.graph.loaded import Program, names_used

Made = TypeVar("Made")
NESTED = 2  # containers in containers: a dict of lists of dicts
MOST_NESTED = 1000  # entries of a container that is looked into
# Kinds of which no value is a container that something registers in, or has one.
_HOLDING_NOTHING: frozenset[type] = PLAIN | {
    *(types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.GetSetDescriptorType),
    *(types.MemberDescriptorType, tuple, frozenset, staticmethod, classmethod, property),
}
Defined = tuple[Any, str, str]  # what a definition made, its name, its module
WRAPPERS = (types.FunctionType, types.MethodType, functools.partial)


class Contents(dict[int, tuple[str, Any, Any]]):
    """id of a container → its label, itself, a copy from before."""

    registrars: Sequence[Any] = ()  # decorators and bases of the definition that is about to run


class Registrations:
    """Finds a definition's entries again by identity: when it goes they go, when it registers itself anew the
    older ones in the same container go."""

    def __init__(self, program: Program, tx: Transaction, purged: dict[int, tuple[Any, Any, Any]]) -> None:
        """`purged`: id of a container that a definition leaves → itself, what it held before, itself."""
        self.program, self.tx, self.purged = program, tx, purged
        self.guarded = False
        self._dispatchers: dict[
            int, Any
        ] = {}  # id of a table → the generic function (functools.singledispatch) it is of

    def guard(self) -> None:
        """Remember the contents of all of them, for a rollback after code ran that we do not see into; and what
        modules, classes and closures remember, such as a counter."""
        if not self.guarded:
            self.guarded = True
            for _, container in self.containers():
                self._guard(container)
            for loaded in list(self.program.all()):
                self.tx.guard_names(loaded.namespace)
                self._guard_members(loaded.namespace, loaded.name)

    def _guard_members(self, space: Mapping[str, Any], module: str, depth: int = 3) -> None:
        """The attributes of the classes that `module` made, and the variables of closures."""
        for value in list(space.values()):
            if type(value) is types.FunctionType and value.__closure__:
                self.tx.guard_variables(value)
            elif is_a(value, type) and depth and made_in(value, module):
                self.tx.guard_object(value)
                self._guard_members(vars(value), module, depth - 1)

    @property
    def is_at_work(self) -> bool:
        """Whether contents may be other ones than when the reload began, by what it ran or removed."""
        return self.guarded or bool(self.purged)

    def guard_anew(self) -> None:
        """The same, after others ran in between."""
        self.guarded = False
        self.guard()

    def containers(self) -> Iterator[tuple[str, Any]]:
        """All of them with their labels."""
        seen: set[int] = set()
        for loaded in list(self.program.all()):
            yield from self._held(loaded.name, loaded.namespace, loaded.name, seen)
            yield from self._tables(loaded.name, loaded.namespace, seen)

    def _tables(self, label: str, namespace: Mapping[str, Any], seen: set[int]) -> Iterator[tuple[str, Any]]:
        for name, function in list(namespace.items()):
            registry = dispatch_table(function)
            if registry is not None and id(registry) not in seen:
                seen.add(id(registry))
                self._dispatchers[id(registry)] = function
                yield f"{label}.{name}.registry", registry

    def _guard(self, container: Any) -> None:
        dispatcher = self._dispatchers.get(id(container))
        if dispatcher is not None:
            # It remembers what it found in its table: forgotten now, and last of all after a rollback.
            self.tx.undo(dispatcher._clear_cache)
            dispatcher._clear_cache()
        self.tx.guard(container)

    def contents(self, objects: Iterable[Any] = (), registrars: Sequence[Any] = ()) -> Contents:
        """What they all hold now; with what `objects` that register, of libraries too, hold in their attributes."""
        found = [*self.containers(), *(held for each in objects for held in self.inside(each))]
        contents = Contents({id(container): (label, container, copy_of(container)) for label, container in found})
        contents.registrars = registrars
        return contents

    def guard_inside(self, registrar: Any) -> None:
        """Remember what an object that is about to be called by a decorator holds: `@app.route(...)`."""
        for one in (registrar, *_objects_of(registrar).values()):
            self.tx.guard_object(one)
        for _, container in self.inside(registrar):
            self._guard(container)

    def inside(self, registrar: Any) -> Iterator[tuple[str, Any]]:
        """The containers of such an object, and of the objects that it passes its calls on to, as an app does to its
        router."""
        label, seen = type(registrar).__qualname__, set[int]()
        parts = {f"{label}.{name}": part for name, part in _objects_of(registrar).items()}
        for place, one in {label: registrar, **parts}.items():
            attributes = dict_of(one)
            if type(attributes) is dict:
                yield from self._held(place, attributes, "", seen, 0)
                yield from self._tables(place, attributes, seen)  # functools.singledispatchmethod holds one

    def settle(self, before: Contents, old: Any, made: Any, lives: Any, name: str) -> list[str]:
        """After `old`'s definition ran again and made `made`: `lives` takes its place in what it registered anew,
        and the older entries there go. Gives a line for each."""
        lines = []
        olds, news = _ids(old, name), _ids(made, name)
        rows = self.rows(before.values(), olds, before.registrars)
        for label, container, copy in before.values():
            if same_items(container, copy):
                continue
            fresh = _fresh(container, news | olds, copy)
            if not fresh and not is_a(container, set):
                lines += self._succeed(label, container, copy, (olds, news), made, lives)
            if fresh:
                ordered = in_place_of(container, olds | rows, fresh, copy)
                lines += self._drop(label, container, olds | rows, keep=fresh)
                if ordered is not None:
                    restore(container, ordered)
                self._exchange_all(container, made, lives, name)
        for _, container in list(self.containers()) if lives is not made else ():
            # A container that came with the registration: the list of a key that nobody had used.
            if id(container) not in before and _has_any(container, news):
                self._exchange_all(container, made, lives, name)
        return lines

    def _exchange_all(self, container: Any, made: Any, lives: Any, name: str) -> None:
        """The same for what the definition of `name` made inside `made`: a registry below a cache has that."""
        if made is lives:
            return
        self.exchange(container, made, lives)
        inside = [[one for one in functions_in(each, "") if one.__name__ == name] for each in (made, lives)]
        if len(inside[0]) == len(inside[1]):
            for one, other in zip(*inside, strict=True):
                self.exchange(container, one, other)

    def succeed(self, old: Any, made: Any, lives: Any) -> list[str]:
        """`old` has arrived elsewhere, where its definition `made` it anew: `lives`, one of the two, stands where that
        registered itself, and the older entries in the same container go. Gives a line for each."""
        lines = []
        for label, container in list(self.containers()):
            fresh = _fresh(container, {id(made)}, ())
            if fresh and (lives is made or isinstance(container, dict)):
                lines += self._drop(label, container, {id(old)}, keep=fresh)
        if lives is not made:
            self.replace(made, lives)
        return lines

    def registered(self, made: Sequence[Any]) -> list[Any]:
        """Those of several definitions that are an entry somewhere, found in one look at all containers."""
        ids = {id(one) for one in made}
        held = [container for _, container in self.containers() if _fresh(container, ids, ())] if ids else []
        return [one for one in made if any(_fresh(container, {id(one)}, ()) for container in held)]

    def _succeed(
        self, label: str, container: Any, copy: Any, ids: tuple[set[int], set[int]], made: Any, lives: Any
    ) -> list[str]:
        """Objects that hold a definition, such as a route or a job: those that came take the places of the first of
        their kind, which its earlier run had put there."""
        olds, news = ids
        known = set(map(id, _values(copy)))
        came = [
            (at, item) for at, item in _entries_of(container) if id(item) not in known and _holds(item, olds | news)
        ]
        if not came:
            return []
        self._guard(container)
        for _, item in came if lives is not made else ():
            for name, value in list((dict_of(item) or {}).items()):
                if value is made:
                    self.tx.set_attr(item, name, lives)
        kinds = {type(item) for _, item in came}
        if is_a(container, dict):  # under the key of an older one it has that one's place
            came = [(at, item) for at, item in came if at not in copy or not _holds(copy[at], olds)]
        first = [at for at, item in _entries_of(container) if id(item) in known and _holds(item, olds)]
        places = [at for at in first if type(container[at]) in kinds][: len(came)]
        if len(places) == len(came) or is_a(container, dict):
            _take_places(container, places, came)
        return [f"unregistered an entry of {label}"] * len(places)

    def changed(self, before: Contents) -> bool:
        return not all(same_items(container, copy) for _, container, copy in before.values())

    def in_source_order(self, before: Contents, made: Any, name: str, above: set[int], below: set[int]) -> None:
        """What `made` has appended to a registry stands before the entries of definitions `below` it, as after a
        fresh start, where those of definitions `above` it do too."""
        news = _ids(made, name)
        for _, container, copy in before.values():
            if is_a(container, set) or same_items(container, copy):
                continue
            entries = _entries_of(container)
            fresh = _fresh(container, news, copy)
            came = [entry for entry in entries if entry[0] in fresh and (is_a(container, list) or entry[0] not in copy)]
            rest = [entry for entry in entries if not any(entry is one for one in came)]
            at = next((at for at, (_, item) in enumerate(rest) if has(item, below, deep=True)), len(rest))
            if not came or at == len(rest) or any(has(item, above, deep=True) for _, item in rest[at:]):
                continue
            self._guard(container)
            ordered = [*rest[:at], *came, *rest[at:]]
            restore(container, dict(ordered) if is_a(container, dict) else [item for _, item in ordered])

    def in_room(
        self, before: Contents, gone: Iterable[Defined], leaving: Iterator[Defined], run: Callable[[], Made]
    ) -> tuple[Made, bool]:
        """What `run` gives, which makes a definition, and whether it ran twice for it: whoever lets nothing be
        registered a second time sees that `gone`, its earlier version, has gone, and what else is `leaving`."""
        try:
            return run(), False
        except Exception:
            left = self._make_room(before, _ids_of(gone) | _ids_of(leaving))
            if not left:
                raise
        made = run()
        for _, container, copy in left.values():
            if same_items(container, copy):  # it registers elsewhere: whoever put it here lets it stay
                restore(container, before[id(container)][2])
        return made, True

    def make_room_for(self, before: Contents, going: Iterable[Defined]) -> bool:
        """All as it was `before`, without the entries of the definitions `going`. False where there are none."""
        return bool(self._make_room(before, _ids_of(going)))

    def _make_room(self, before: Contents, gone: set[int]) -> Contents:
        """All as it was `before`, without the entries that are `gone`: the containers that had one, as they are now."""
        left = Contents()
        rows = self.rows(before.values(), gone, before.registrars)
        for _, container, copy in before.values():
            self._guard(container)
            if not same_items(container, copy):
                restore(container, copy)
        registering = {id(shown(one, "__self__", one)) for one in before.registrars}
        held = {id(one): one for _, container, _ in before.values() for one in _values(container)}
        entries = gone | rows | {i for i, one in held.items() if i not in registering and _is_made_for(one, gone)}
        for label, container, _ in before.values():
            if id(container) not in rows and _has_any(container, entries, deep=True):
                self._drop(label, container, entries, keep=(), deep=True)
                left[id(container)] = label, container, copy_of(container)
        return left

    def in_order_of(self, before: Contents, gone: Any, made: Any) -> None:
        """Entries that came again stand where they stood `before`, `made` where `gone` did."""
        for _, container, copy in before.values():
            if is_a(container, dict) and not same_items(container, copy):
                restore(container, {key: container[key] for key in [*(k for k in copy if k in container), *container]})
            elif is_a(container, list) and any(item is made for item in container):
                at = next((at for at, item in enumerate(copy) if item is gone), len(container))
                others = [item for item in container if item is not made]
                restore(container, [*others[:at], made, *others[at:]])

    def moved_on(self, before: Contents, old: Iterable[Any], name: str, held: Any) -> list[str]:
        """Entries of `old`, a definition and what was made around it, in containers of the same registry that it, run
        again, did not use: the list of an event that it no longer names, the table of a decorator that
        is gone."""
        lines = []
        olds = set[int]().union(*(_ids(one, name) for one in old))
        within = {id(container) for container in _containers_of(held)}
        rows = self.rows(before.values(), olds, (held,))
        for label, container, copy in list(before.values()):
            used = id(container) not in within - rows or not same_items(container, copy)
            if not used and _has_any(container, olds | rows):
                lines += self._drop(label, container, olds | rows, keep=())
        return lines

    def left_behind(self, before: Contents, old: Iterable[Any]) -> list[str]:
        """A loop made the functions `old`, and has run again: where it registered others, these go."""
        ids = set(map(id, old))
        ids |= self.rows(before.values(), ids, before.registrars)
        lines = []
        for label, container, copy in before.values():
            if not same_items(container, copy) and _has_any(container, ids, deep=True):
                lines += self._drop(label, container, ids, keep=(), deep=True)
        return lines

    def purge(self, gone: Any, module: str, name: str = "", registrars: Sequence[Any] = ()) -> list[str]:
        """Entries that are `gone`, or a function inside it or around it, leave every container."""
        ids = _ids(gone, name or getattr(gone, "__name__", ""), module)
        moved = map(forwarded_to, functions_in(gone, module))  # what stands in another module now has its own entries
        ids -= set[int]().union(*(_ids(one, one.__name__) for one in moved if type(one) is types.FunctionType))
        lines = []
        held = list(self.containers())
        rows = self.rows(held, ids, registrars)
        for label, container in held:
            if id(container) not in rows and _has_any(container, ids | rows, deep=True):
                self.purged.setdefault(id(container), (container, copy_of(container), container))
                lines += self._drop(label, container, ids | rows, keep=(), deep=True)
        return lines

    def names_left(self, module: str, name: str, registrars: Sequence[Any]) -> Iterator[str]:
        """Notes of containers that what registered a definition reaches and that have its name as text: it has no
        identity by which it could be found again, and may be anybody's."""
        within = {id(container) for registrar in registrars for container in _containers_of(registrar)}
        for label, container in self.containers() if within else ():
            if id(container) in within and id(container) not in self.purged and _count(container, name):
                yield _stays(label, module, name)

    def named_again(self, before: Contents, module: str, name: str, registrars: Sequence[Any]) -> Iterator[str]:
        """The same of those that had the name and have it once more now that the definition has run again."""
        within = {id(container) for registrar in registrars for container in _containers_of(registrar)}
        for label, container, copy in list(before.values()) if within else ():
            if id(container) in within and 0 < _count(copy, name) < _count(container, name):
                yield _stays(label, module, name)

    def named_twice(self, module: str, name: str, registrars: Sequence[Any]) -> Iterator[str]:
        """The same of those that have it more than once now that the definition has arrived in `module`."""
        within = {id(container) for registrar in registrars for container in _containers_of(registrar)}
        for label, container in self.containers() if within else ():
            if id(container) in within and _count(container, name) > 1:
                yield _stays(label, module, name)

    def rows(self, held: Iterable[tuple[Any, ...]], ids: set[int], registrars: Sequence[Any]) -> set[int]:
        """Rows of tables that go with `ids` as one, by id; `held`: containers, each behind its label.

        One of `registrars`, what registers the definition, reaches the table and writes out such a row, as in
        `JOBS.append({"every": every, "fn": fn})`. It leads to nothing else of the program's, and it is none that
        the table was made with."""
        modules = self.program.notebook.modules
        found = []
        for label, container, *_ in held if registrars else ():
            for key, row in () if is_a(container, set) else _entries_of(container):
                if not is_row(row):
                    continue
                stay = [part for part in _values(row) if callable(part) and not is_of(part, ids, deep=True)]
                if has(row, ids, deep=True) and not any(shown(p, "__module__") in modules for p in stay):
                    found.append((label, key, id(container), row))
        if not found:
            return set()
        within = {id(container) for registrar in registrars for container in _containers_of(registrar)}
        written = self._places_written(registrars)
        return {
            id(row)
            for label, key, table, row in found
            if table in within and not written.isdisjoint(_places(row, ids)) and not self._was_given(label, key)
        }

    def _places_written(self, registrars: Iterable[Any]) -> set[Any]:
        """Where `registrars` put what they are given into dicts and lists that they write out."""
        homes = set[tuple[str, str]]()
        for one in registrars:
            cls = one if is_a(one, type) else type(shown(one, "__self__"))
            homes.update((made.__module__, made.__qualname__.partition(".")[0]) for made in functions_in(one, ""))
            homes.update((made.__module__, made.__qualname__.partition(".")[0]) for made in cls.__mro__)
        return {place for home in homes for node in self._nodes(*home) for place in _places_in(node)}

    def _was_given(self, label: str, key: Any) -> bool:
        """Whether the statement of a dict writes out a row under `key`."""
        module, _, name = label.rpartition(".")
        dicts = (node for node in self._nodes(module, name) if isinstance(node, ast.Dict))
        given = (pair for one in dicts for pair in zip(one.keys, one.values, strict=True))
        constants = ((at.value, value) for at, value in given if isinstance(at, ast.Constant))
        return any(at == key and not isinstance(value, ast.Constant) for at, value in constants)

    def _nodes(self, module: str, name: str) -> Iterator[ast.AST]:
        """The syntax of the statements of a module that bind a name."""
        loaded = self.program.get(module)
        text = text_of(loaded) if loaded is not None else None
        for statement in text.statements if text is not None else ():
            if name in statement.binds:
                yield from ast.walk(statement.node)

    def replace(self, made: Any, lives: Any) -> None:
        """Whoever holds `made` holds `lives`, once."""
        for _, container in list(self.containers()):
            if not _fresh(container, {id(made)}, ()):
                continue
            if is_a(container, list):
                self._guard(container)
                known = [item for item in container if not is_of(item, {id(made)})]
                container[:] = [item for item in container if not _stands_for(item, made, lives, known)]
            self.exchange(container, made, lives)

    def _drop(self, label: str, container: Any, ids: set[int], keep: Any, deep: bool = False) -> list[str]:
        self._guard(container)
        lines = []
        if is_a(container, dict):
            for key in [k for k, v in container.items() if (is_of(v, ids, deep) or id(k) in ids) and k not in keep]:
                del container[key]
                lines.append(f"unregistered {label}[{key!r}]")
        elif is_a(container, list):
            left = [item for at, item in enumerate(container) if not is_of(item, ids, deep) or at in keep]
            lines += [f"unregistered an entry of {label}"] * (len(container) - len(left))
            container[:] = left
        else:
            for item in [item for item in container if is_of(item, ids, deep) and item not in keep]:
                container.discard(item)
                lines.append(f"unregistered an entry of {label}")
        return lines

    def exchange(self, container: Any, made: Any, lives: Any) -> None:
        self._guard(container)
        for row in [item for item in _values(container) if has(item, {id(made)}) and is_row(item)]:
            self.exchange(row, made, lives)
        if is_a(container, dict):
            for key, value in list(container.items()):
                container[key] = _exchanged(value, made, lives)
                if key is made:
                    container[lives] = container.pop(key)
        elif is_a(container, list):
            container[:] = [_exchanged(item, made, lives) for item in container]
        else:
            for item in list(container):
                other = _exchanged(item, made, lives)
                if other is not item:
                    container.discard(item)
                    container.add(other)

    def _held(
        self, label: str, namespace: Any, module: str, seen: set[int], depth: int = 3
    ) -> Iterator[tuple[str, Any]]:
        # Nearly all that modules and classes have is of a kind that holds nothing: asked first, as `is_kind` would.
        held = [(type(value), name, value) for name, value in list(namespace.items())]
        for name, value in [(n, v) for kind, n, v in held if type(kind) is not type or kind not in _HOLDING_NOTHING]:
            if not isinstance(name, str) or is_special(name):
                continue
            if is_a(value, (dict, list, set)):
                yield from _with_nested(f"{label}.{name}", value, seen, NESTED)
            elif type(value) is functools.singledispatchmethod:
                yield from self._tables(f"{label}.{name}", vars(value), seen)
            elif is_a(value, type):
                if made_in(value, module) and depth and id(value) not in seen:
                    seen.add(id(value))
                    yield from self._held(f"{label}.{name}", vars(value), module, seen, depth - 1)
            elif depth == 3 and not is_a(value, types.ModuleType) and id(value) not in seen:
                attributes = dict_of(value)
                # An instance of a class of the program's: such as the app object whose route table a decorator fills.
                if type(attributes) is dict and type(value).__module__ in self.program.notebook.modules:
                    seen.add(id(value))
                    yield from self._held(f"{label}.{name}", attributes, module, seen, 0)


def registrar_objects(decorators: Sequence[ast.expr], namespace: Mapping[str, Any]) -> list[Any]:
    """The objects that register: those that decorators are methods of, such as `app` in `@app.route("/")`, and those
    that are called themselves."""
    called = (one.func if isinstance(one, ast.Call) else one for one in decorators)
    owners: list[ast.expr] = [one for one in called if isinstance(one, ast.Name)]
    parts = (child for one in decorators for child in ast.walk(one))
    owners += (child.value for child in parts if isinstance(child, ast.Attribute))
    values = (value_of(one, namespace) for one in owners)
    passive = (type, types.ModuleType, types.FunctionType)
    return list({id(one): one for one in values if one is not ABSENT and not is_a(one, passive)}.values())


def _objects_of(registrar: Any) -> dict[str, Any]:
    """The attributes of an object that are objects of the program's or of a library's, of classes in Python."""
    passive = (type, types.ModuleType, types.FunctionType, types.MethodType)
    held = dict_of(registrar)
    objects = ((name, one) for name, one in (held or {}).items() if not is_a(one, passive))
    homes = ((name, one, home_said(type(one)).partition(".")[0]) for name, one in objects)
    return {n: one for n, one, home in homes if home not in sys.stdlib_module_names and type(dict_of(one)) is dict}


def registrars(decorators: Iterable[ast.expr], namespace: Mapping[str, Any]) -> list[Any]:
    """What stands behind the @ of a definition, as far as names lead to it."""
    nodes = (one.func if isinstance(one, ast.Call) else one for one in decorators)
    return [value for value in (value_of(node, namespace) for node in nodes) if callable(value)]


def registrars_of(node: ast.AST, value: Any, namespace: Mapping[str, Any]) -> list[Any]:
    """What registers the definitions of a statement, of which `value` is one: their decorators, bases of a class."""
    found = [one for child in ast.walk(node) for one in registrars(getattr(child, "decorator_list", ()), namespace)]
    for base in value.__mro__[1:] if is_a(value, type) else ():
        if "__init_subclass__" in vars(base):
            found += [base, inside(vars(base)["__init_subclass__"])]
    return found


def dispatch_table(function: Any) -> dict[Any, Any] | None:
    """The implementations of a generic function, by type (Lib/functools.py, singledispatch)."""
    if type(function) is not types.FunctionType or not hasattr(function, "_clear_cache"):
        return None
    dispatch: Any = function.__dict__.get("dispatch")
    held = variables_of(dispatch).get("registry")
    return held if is_a(held, dict) else None


def _with_nested(label: str, container: Any, seen: set[int], depth: int) -> Iterator[tuple[str, Any]]:
    """A container and those in it: a dict of lists is a registry like any other."""
    if id(container) in seen:
        return
    seen.add(id(container))
    yield label, container
    if not depth or len(container) > MOST_NESTED or is_a(container, set):
        return
    for key, value in _entries_of(container):
        if is_a(value, (dict, list, set)):
            yield from _with_nested(f"{label}[{key!r}]", value, seen, depth - 1)


def in_place_of(container: Any, olds: set[int], fresh: set[Any], before: Any) -> Any:
    """What a dict or list holds when its `fresh` entries stand where those of `olds` stood, as where definitions run
    in their order; None if it cannot be told which stands for which."""
    if not is_a(container, (dict, list)):
        return None
    entries = _entries_of(container)
    new = [at for at, (key, _) in enumerate(entries) if key in fresh]
    old = [at for at, (key, item) in enumerate(entries) if key not in fresh and (is_of(item, olds) or id(key) in olds)]
    if len(old) != len(new) or (is_a(container, dict) and not fresh.isdisjoint(before)):
        return None
    for place, at in zip(old, new, strict=True):
        entries[place] = entries[at]
    left = [entry for at, entry in enumerate(entries) if at not in new]
    return dict(left) if is_a(container, dict) else [item for _, item in left]


def succeeded(container: list[Any], before: list[Any], olds: set[int], made: Any) -> list[Any] | None:
    """A list in which the entries that `made` has appended stand where those of `olds` stood; None where it has not, or
    it cannot be told which stands for which."""
    fresh = _fresh(container, {id(made)}, before)
    ordered: list[Any] | None = in_place_of(container, olds, fresh, before) if fresh else None
    return ordered


def is_row(item: Any) -> bool:
    """Whether a dict or list has a definition beside other things, such as its name or its path: it is an entry of the
    table that holds it, and not a table."""
    return is_kind(item, (dict, list)) and any(map(callable, _values(item))) and any(map(_is_other, _values(item)))


def _is_other(part: Any) -> bool:
    if is_kind(part, (dict, list, set)):
        return not any(map(callable, _values(part)))
    return part is not None and not callable(part)


def _entries_of(container: Any) -> list[tuple[Any, Any]]:
    return list(container.items() if is_a(container, dict) else enumerate(container))


def _values(container: Any) -> list[Any]:
    return list(container.values() if is_a(container, dict) else container)


def _places(row: Any, ids: Any) -> set[Any]:
    """Where a row has one of `ids`: keys of a dict; the length of a list with the place."""
    if is_a(row, dict):
        return {key for key, part in row.items() if is_of(part, ids, deep=True)}
    return {(len(row), at) for at, part in enumerate(row) if is_of(part, ids, deep=True)}


def _places_in(node: ast.AST) -> Iterator[Any]:
    """The same of what an expression writes out beside other things, for whatever is no constant."""
    if isinstance(node, ast.Dict) and len(node.keys) > 1:
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and not isinstance(value, ast.Constant):
                yield key.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        yield from (keyword.arg for keyword in node.keywords if not isinstance(keyword.value, ast.Constant))
    elif isinstance(node, ast.List):
        yield from ((len(node.elts), at) for at, one in enumerate(node.elts) if not isinstance(one, ast.Constant))


def _ids(value: Any, name: str, module: str = "") -> set[int]:
    """`value` and the functions of that name inside it; for a class of `module` all that its body defines."""
    found = {id(value)} if value is not None else set()  # no definition made it: nothing is an entry of it
    for function in functions_in(value, module):
        if function.__name__ == name or is_a(value, type):
            found.add(id(function))
    return found


def _ids_of(made: Iterable[Defined]) -> set[int]:
    return set[int]().union(*(_ids(*each) for each in made))


def is_of(item: Any, ids: Any, deep: bool = False) -> bool:
    """Whether an entry is one of `ids`, or a tuple with one of them; `deep`: or a wrapper around one. A weak reference
    is what it refers to: signals hold their receivers by such."""
    if id(item) in ids:
        return True
    if is_a(item, tuple):
        return any(id(part) in ids or (type(part) is weakref.ref and id(part()) in ids) for part in item)
    if type(item) is weakref.ref:
        return id(item()) in ids
    return deep and is_kind(item, WRAPPERS) and any(id(f) in ids for f in functions_in(item, ""))


def has(item: Any, ids: Any, deep: bool = False) -> bool:
    """The same, or whether it is a row with one of them."""
    return is_of(item, ids, deep) or (is_row(item) and any(is_of(part, ids, deep) for part in _values(item)))


def _holds(item: Any, ids: set[int]) -> bool:
    """Whether an object has one of `ids` among its own attributes."""
    if is_a(item, (type, types.ModuleType, *WRAPPERS)):
        return False
    held = dict_of(item)
    return type(held) is dict and any(id(value) in ids for value in list(held.values()))


def _take_places(container: Any, places: Sequence[Any], came: Sequence[tuple[Any, Any]]) -> None:
    """What `came` stands where the entries at `places` stood, as far as there are such."""
    instead = dict(zip(places, came, strict=False))
    moved = {at for at, _ in instead.values()}
    entries = [instead.get(at, (at, item)) for at, item in _entries_of(container) if at not in moved]
    restore(container, dict(entries) if is_a(container, dict) else [item for _, item in entries])


def _is_made_for(item: Any, ids: set[int]) -> bool:
    """Whether an object holds one of `ids` as an entry does, such as a route, and not as an app that has the last of
    its handlers at hand: that one keeps them in a container."""
    return _holds(item, ids) and not any(
        _has_any(one, ids, deep=True) or any(_holds(part, ids) for part in _values(one))
        for one in list((dict_of(item) or {}).values())
        if is_a(one, (dict, list, set))
    )


def _exchanged(item: Any, made: Any, lives: Any) -> Any:
    if item is made:
        return lives
    if type(item) is weakref.ref and item() is made:
        return weakref.ref(lives, item.__callback__) if item.__callback__ is not None else weakref.ref(lives)
    if type(item) is tuple and is_of(item, {id(made)}):
        return tuple(_exchanged(part, made, lives) for part in item)
    return item


def _stands_for(item: Any, made: Any, lives: Any, known: list[Any]) -> bool:
    """Whether an entry with `made` is one of the `known` ones once `lives` takes its place."""
    other = _exchanged(item, made, lives)
    return other is not item and any(_same_entry(other, one) for one in known)


def _same_entry(one: Any, other: Any) -> bool:
    if one is other:
        return True
    parts = type(one) is tuple and type(other) is tuple and len(one) == len(other)
    return parts and all(a is b or (type(a) is type(b) is str and a == b) for a, b in zip(one, other, strict=True))


def _containers_of(registrar: Any) -> Iterator[Any]:
    """The dicts, lists and sets that a decorator can reach: by names of its module, its closure or its object."""
    for function in functions_in(registrar, ""):
        values = [cell_value(cell) for cell in function.__closure__ or ()]
        values += [function.__globals__.get(name) for name in names_used((function.__code__,))]
        for value in values:
            yield from _inside(value)
    if is_a(registrar, (type, types.MethodType)):
        yield from _inside(getattr(registrar, "__self__", registrar))


def _inside(value: Any) -> Iterator[Any]:
    if is_a(value, (dict, list, set)):
        yield from (container for _, container in _with_nested("", value, set(), NESTED))
    elif not is_a(value, (types.FunctionType, types.ModuleType)):
        held = vars(value) if is_a(value, type) else dict_of(value)
        for one in list(held.values()) if held is not None else ():
            if is_a(one, (dict, list, set)):
                yield from (container for _, container in _with_nested("", one, set(), NESTED))


def _stays(label: str, module: str, name: str) -> str:
    return f"{label} has the name '{name}' of `{module}.{name}` from before: it stays"


def _count(container: Any, text: str) -> int:
    """How often a text stands in a container; what else it holds is not asked whether it is equal."""
    held = (*container, *container.values()) if is_a(container, dict) else container
    return sum(type(one) is str and one == text for one in list(held))


def same_items(container: Any, copy: Any) -> bool:
    if len(container) != len(copy):
        return False
    # All in C: no code of the program is asked for a hash, and no other thread changes it meanwhile.
    if is_a(container, dict):
        return all(map(is_, container, copy)) and all(map(is_, container.values(), copy.values()))
    if is_a(container, list):
        return all(map(is_, container, copy))
    return bool(container == copy)


def _has_any(container: Any, ids: Any, deep: bool = False) -> bool:
    """Whether one of `ids` is a key, a value or an item."""
    if is_a(container, dict):
        return any(is_of(value, ids, deep) or id(key) in ids for key, value in _entries_of(container))
    return any(is_of(item, ids, deep) for item in container)


def _fresh(container: Any, ids: Any, before: Any) -> set[Any]:
    """Where one of `ids` lies now, also in a row, and did not lie `before`: keys of a dict, places in a list, items of
    a set."""
    if is_a(container, dict):
        found = {key for key, value in container.items() if has(value, ids) or id(key) in ids}
        return {k for k in found if not isinstance(before, dict) or k not in before or before[k] is not container[k]}
    if is_a(container, list):
        known = len(before)
        return {at for at, item in enumerate(container) if at >= known and has(item, ids)}
    return {item for item in container if has(item, ids) and item not in before}
