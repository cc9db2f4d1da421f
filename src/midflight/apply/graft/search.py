"""Old code objects → the live functions that run them: by name where a name leads there, else by one heap walk."""

from __future__ import annotations

import functools
import sys
import types
import weakref
from collections.abc import Callable, Iterable

from midflight.apply.graft.functions import Fits, fitted, graft_code
from midflight.apply.holders import frames_by_code, functions_in, on_heap, overloads
from midflight.apply.registrations import Registrations
from midflight.apply.transaction import Transaction
from midflight.apply.variants import origin_of
from midflight.graph.heap import referrers
from midflight.graph.kinds import is_a

Done = Callable[[types.FunctionType, bool], None]

# References to a code object that nobody runs: the tuple it lies in, and the argument of getrefcount.
_AT_REST = 2


class Search:
    """Collects grafts of code objects whose holders no name leads to, so that one heap walk serves them all."""

    def __init__(self, tx: Transaction, registrations: Registrations) -> None:
        self.tx, self.registrations = tx, registrations
        self._wanted: list[tuple[types.CodeType, types.CodeType, Done]] = []
        self._grafted: dict[int, int] = {}  # id of a function → of the code object that it is led away from
        self._named: dict[str, dict[int, list[types.FunctionType]]] = {}
        # id of a module's namespace → the functions that live there, at the last look at the heap
        self._living: dict[int, list[weakref.ref[types.FunctionType]]] = {}
        self.fits: Fits = {}
        self.replaced: list[tuple[types.CodeType, types.CodeType]] = []  # edited code, not what only moved

    def want(self, old: types.CodeType, new: types.CodeType, done: Done) -> None:
        """Graft `new` into every function that runs `old`; `done(function, taken)` is told of each."""
        self._wanted.append((old, new, done))

    def want_named(
        self, space: dict[str, object], old: types.CodeType, new: types.CodeType, done: Done, missing: int
    ) -> bool:
        """The same, where names of the module itself lead to all `missing` functions, as to those that a decorator of
        its own made, or `typing` or an earlier look at the heap. False where others hold some: nothing is done then."""
        module = str(space.get("__name__"))
        if module not in self._named:
            self._named[module] = by_code(list(space.values()), module)
        for found in (self._named[module].get(id(old), []), self._known_in(space, old)):
            functions = [one for one in found if not self._is_grafted(one)]
            if len(functions) == missing:
                self._take(functions, new, done)
                return True
        return False

    def function_in(self, space: dict[str, object], code: types.CodeType) -> types.FunctionType | None:
        """A function of the module whose namespace is `space` that runs `code`; the heap is walked for the first one
        that is asked for, and for those that were made since."""
        found = self._known_in(space, code)
        if not found:
            functions = referrers([space], [types.FunctionType])
            self._living[id(space)] = [weakref.ref(one) for one in functions if one.__globals__ is space]
            found = self._known_in(space, code)
        return found[0] if found else None

    def _known_in(self, space: dict[str, object], code: types.CodeType) -> list[types.FunctionType]:
        living = (ref() for ref in self._living.get(id(space), ()))
        functions = {id(one): one for one in (*overloads(space, code.co_qualname), *living) if one is not None}
        return [one for one in functions.values() if origin_of(one.__code__) is code]

    def graft(self, function: types.FunctionType, code: types.CodeType) -> None:
        """`function` runs `code` as soon as the prepared writes go live."""
        before = id(function.__code__)  # not held: who else holds it is told by its reference count
        self._grafted[id(function)] = before
        self.tx.later(lambda: self._write(function, before, code))

    def move(self, function: types.FunctionType, code: types.CodeType) -> None:
        """The same for code that differs in nothing but its lines."""
        self._grafted[id(function)] = id(function.__code__)
        self.tx.later(functools.partial(self.tx.set_attr, function, "__code__", code))

    def _write(self, function: types.FunctionType, before: int, code: types.CodeType) -> None:
        if id(function.__code__) == before:  # else it acts as another function by now
            graft_code(self.tx, function, code, self.fits)

    def _is_grafted(self, function: types.FunctionType) -> bool:
        """Whether it is about to run other code than now. Once it does it may be grafted again."""
        return self._grafted.get(id(function)) == id(function.__code__)

    def fresh(self) -> list[types.CodeType]:
        """Code objects that this reload has brought so far."""
        return [after for _, after in self.replaced]

    def finish(self) -> None:
        wanted, self._wanted = self._wanted, []
        if not wanted:
            return
        running, tables = on_heap([old for old, _, _ in wanted])
        if tables:
            self._follow_in(tables, {id(old): new for old, new, _ in wanted})
        for old, new, done in wanted:
            self._take(running.get(id(old), ()), new, done)

    def _take(self, functions: Iterable[types.FunctionType], new: types.CodeType, done: Done) -> None:
        for function in functions:
            if not self._is_grafted(function):
                fits = fitted(function, new, self.fits) is not None
                if fits:
                    self.graft(function, new)
                done(function, fits)

    def _follow_in(self, tables: list[object], news: dict[int, types.CodeType]) -> None:
        """The program's own tables of code objects hold the new ones: a frame of it is found there by its code."""
        held = {id(table) for table in tables}
        for container in [c for _, c in self.registrations.containers() if id(c) in held]:
            items = container.values() if is_a(container, dict) else container
            for item in [item for item in items if id(item) in news]:
                self.registrations.exchange(container, item, news[id(item)])


def held_elsewhere(owner: tuple[object, ...], index: int, found: int, running: dict[int, int]) -> bool:
    """Whether more functions than the `found` ones hold the code object at `owner[index]`.

    A frame on a thread's stack holds one reference of its own; a suspended generator one too, and is searched for."""
    return sys.getrefcount(owner[index]) - _AT_REST > found + running.get(id(owner[index]), 0)


def by_code(values: Iterable[object], module: str) -> dict[int, list[types.FunctionType]]:
    """The functions that names lead to, by the id of the code object that each runs."""
    out: dict[int, list[types.FunctionType]] = {}
    for value in values:
        for function in functions_in(value, module):
            held = out.setdefault(id(origin_of(function.__code__)), [])
            if function not in held:
                held.append(function)
    return out


__all__ = ["Search", "by_code", "frames_by_code", "held_elsewhere"]
