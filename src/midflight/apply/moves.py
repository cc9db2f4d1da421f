"""Definitions that leave one module and arrive in another, or come back to their own: the class stays the same one, the
old function forwards to the new one."""

from __future__ import annotations

import types
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.graft.functions import forward
from midflight.apply.graft.generated import slots_of
from midflight.apply.graft.moved import move_class
from midflight.apply.graft.wrappers import become
from midflight.apply.parsed import text_of
from midflight.apply.registrations import registrars_of
from midflight.apply.transaction import ABSENT
from midflight.apply.work import Work
from midflight.graph.heap import refuses_bases
from midflight.graph.homes import made_in, module_of
from midflight.graph.kinds import is_a
from midflight.graph.layouts import HEAP_TYPE, deciding, in_c, same_memory
from midflight.graph.loaded import Loaded

if TYPE_CHECKING:
    from midflight.apply.execute import Execution


class Moves:
    def __init__(self, run: Execution) -> None:
        # `run` is not kept: in a cycle with this, it would live, and hold the old code, until it is collected.
        self._leaving: dict[str, dict[str, Any]] = {}  # name → module it leaves → the function or class
        self._gains: defaultdict[str, int] = defaultdict(int)
        self._seen = run.program.notebook.noted
        for work in run.works.values():
            self._note(work)
        for (module, name), one in run.program.dangling.items():
            if one.importers or module in run.works:
                self._leave(module, name, one.value)

    def _note(self, work: Work) -> None:
        if all(pair.in_place for pair in work.changed):
            return
        defined = {p.new.defined for p in work.pairs if p.new is not None} - {""}
        had = {p.old.defined for p in work.pairs if p.old is not None} - {""}
        for name in had - defined:
            self._leave(work.name, name, work.loaded.namespace.get(name))
        for name in defined - had:
            self._gains[name] += 1

    def gone(self, loaded: Loaded) -> None:
        """A module whose file is gone: all that it defined may arrive elsewhere."""
        for name, value in list(loaded.namespace.items()):
            self._leave(loaded.name, name, value)

    def _leave(self, module: str, name: str, value: Any) -> None:
        if is_a(value, (types.FunctionType, type)) and made_in(value, module):
            self._leaving.setdefault(name, {})[module] = value

    def expected(self, name: str) -> bool:
        return name in self._leaving

    def arrive(self, run: Execution, place: Loaded, name: str, new: Any) -> Any:
        """`place` has just made `new` under `name`: gives what the name is to hold."""
        old = self._source_of(place, name, new)
        if old is ABSENT:
            return new
        home = module_of(old) if is_a(old, type) else old.__module__
        if is_a(old, type) and (why := _refuses(old, new)):
            run.notes.append(f"{place.name}.{name} is another class than {home}.{name}: that cannot have its {why}")
            return new
        if is_a(old, type):
            methods = _methods(old, new)
            move_class(run, old, new, place)
            run.notes += run.registrations.succeed(old, new, old)
            run.notes += _methods_succeeded(run, old, methods)
            run.notes += _told_of_twice(run, place, name, old)
            if home != place.name:
                run.notes.append(f"{home}.{name} moved to {place.name} and is the same class")
            lives = old
        elif home == place.name:
            lives = old if become(run.tx, old, new) else new
        else:
            forward(run.tx, old, new)
            run.notes.append(f"{home}.{name} moved to {place.name}; the old function forwards to it")
            lives = new
        del self._leaving[name]
        return lives

    def _source_of(self, place: Loaded, name: str, new: Any) -> Any:
        leaving = self._leaving.get(name, {})
        if not is_a(new, (types.FunctionType, type)) or not made_in(new, place.name) or self._gains[name] > 1:
            return ABSENT
        found = leaving.get(place.name, ABSENT)
        if found is ABSENT and len(leaving) == 1:
            found = next(iter(leaving.values()))
        if found is new or type(found) is not type(new):
            return ABSENT
        return found

    def arrivals(self, run: Execution) -> None:
        """Modules that came in since the last call: what they define may be what another one lost."""
        notebook = run.program.notebook
        if notebook.noted == self._seen:
            return
        came = [name for name, noted in notebook.modules.items() if noted.number > self._seen]
        self._seen = notebook.noted
        for name in came:
            loaded = run.program.get(name)
            for label in list(loaded.namespace) if loaded is not None and self._leaving else ():
                assert loaded is not None
                value = loaded.namespace.get(label)
                lives = self.arrive(run, loaded, label, value)
                if lives is not value:
                    run.tx.set_item(loaded.namespace, label, lives)


def _methods(old: type, new: type) -> list[tuple[str, tuple[Any, Any]]]:
    """The functions that both classes have under a name."""
    both = [(name, (value, vars(new).get(name))) for name, value in list(vars(old).items())]
    return [(name, (one, other)) for name, (one, other) in both if type(one) is type(other) is types.FunctionType]


def _methods_succeeded(run: Execution, lives: type, methods: Sequence[tuple[str, tuple[Any, Any]]]) -> Iterator[str]:
    registered = set(map(id, run.registrations.registered([made for _, (_, made) in methods])))
    for name, (one, made) in methods:
        if id(made) in registered:
            yield from run.registrations.succeed(one, made, vars(lives)[name])


def _told_of_twice(run: Execution, place: Loaded, name: str, cls: type) -> Iterator[str]:
    """What its bases and decorators were told of when it was made in its old module, and now have twice, by name."""
    work = run.works.get(place.name)
    text = work.text if work is not None else text_of(place)
    nodes = [one.node for one in text.statements if name in one.binds] if text is not None else []
    held = [by for node in nodes for by in registrars_of(node, cls, place.namespace)]
    return run.registrations.named_twice(place.name, name, held)


def _refuses(old: type, new: type) -> str:
    """What of `new` the class `old` cannot have; bases also where a class that was made on `new` cannot have `old`."""
    if slots_of(old) != slots_of(new):
        return "slots"
    below: list[type] = type.__subclasses__(new)
    wanted = [(sub, tuple(old if base is new else base for base in sub.__bases__)) for sub in below]
    return "bases" if any(_refuses_bases(cls, bases) for cls, bases in [(old, new.__bases__), *wanted]) else ""


def _refuses_bases(cls: type, bases: tuple[type, ...]) -> bool:
    if cls.__bases__ == bases:
        return False
    now, then = in_c(cls), in_c(deciding(bases))
    if now is not then and now.__flags__ & HEAP_TYPE:
        return True  # one has slots: CPython asks which class it is, whatever its memory
    if same_memory(cls, bases):
        return False
    return type(cls) is not type or bool(refuses_bases(cls, bases))  # only a plain class can be tried out
