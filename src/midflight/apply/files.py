"""Files that come and go: deleted, come back, moved, a module that becomes a package."""

from __future__ import annotations

import builtins
import importlib.util
import os
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from midflight.apply.asked import module_goes
from midflight.apply.effects import affected, has_effect, hooks_of
from midflight.apply.graft.functions import forwarded_to
from midflight.apply.graft.moved import move_class
from midflight.apply.graft.wrappers import become
from midflight.apply.holders import LRU
from midflight.apply.parsed import LiveRoots, text_of
from midflight.apply.registrations import registrars_of
from midflight.apply.scopes import compile_nodes
from midflight.apply.transaction import ABSENT
from midflight.graph.homes import made_in
from midflight.graph.kinds import is_a
from midflight.graph.loaded import Loaded, Program, counterpart
from midflight.plan.calls import definitions
from midflight.plan.flow import everything_imported, modules_imported
from midflight.plan.futures import future_flags
from midflight.plan.statements import split
from midflight.values import ModuleReport, Step

if TYPE_CHECKING:
    from midflight.apply.execute import Execution


class Files:
    """What a batch does to the set of modules, besides editing them."""

    def __init__(self, program: Program, sources: Mapping[str, bytes | None]) -> None:
        self.program = program
        self.gone = [one for path, source in sources.items() if source is None for one in program.at(path)]
        self.back: list[Loaded] = []
        self.moved: dict[str, list[Loaded]] = {}  # new path → modules whose file it is now
        self.founded: list[Loaded] = []  # packages that had no file, and have one now
        fresh = [path for path, source in sources.items() if source is not None and not program.at(path)]
        folders = program.without_file(fresh)
        for path in fresh:
            self._arrives(path, folders.get(path, []))
        self.notes: list[str] = []
        self._left: list[Loaded] = []

    def _arrives(self, path: str, folders: list[Loaded]) -> None:
        other = counterpart(path)
        if path in self.program.departed:
            self.back.append(self.program.departed[path])
            return
        if os.path.exists(other):
            return
        self.moved[path] = self.program.at(other)
        if other in self.program.departed:
            self.back.append(self.program.departed[other])
            self.moved[path] = [*self.moved[path], self.program.departed[other]]
        self.gone = [one for one in self.gone if one not in self.moved[path]]
        if not self.moved[path]:
            self.moved[path] = folders
            self.founded += folders

    @property
    def any(self) -> bool:
        return bool(self.gone or self.back or any(self.moved.values()))

    def at(self, path: str) -> list[Loaded]:
        """Modules whose text is the file `path` from now on. One whose link to it goes in the same batch is not."""
        there = [one for one in self.program.at(path) if one not in self.gone]
        return there or self.moved.get(path) or [one for one in self.back if one.path == path]

    def steps(self) -> tuple[Step, ...]:
        return tuple(Step(one.name, "forget", one.name, because="its file is gone") for one in self.gone)

    def prepare(self, run: Execution) -> None:
        """Before statements run: what came back is a module again, and what moved knows its file."""
        run.going = {loaded.name for loaded in self.gone}
        for loaded in self.gone:
            run.moves.gone(loaded)
        for loaded in self.back:
            run.tx.set_item(sys.modules, loaded.name, loaded.module)
            self.program.come_back(run.tx.undo, loaded)
            _set_child(run, loaded, loaded.module)
            act_for_themselves(run, loaded)
            self.notes.append(f"{loaded.name} is back and goes on with its state")
        for loaded in self.founded:
            if "__builtins__" not in loaded.namespace:  # `exec` would put it there, with no undo
                run.tx.set_item(loaded.namespace, "__builtins__", vars(builtins))
            self.program.come_in(run.tx.undo, loaded)
        for path, modules in self.moved.items():
            for loaded in modules:
                self._move(run, loaded, path)

    def finish(self, run: Execution) -> None:
        """After they ran: what nobody needs any more leaves."""
        run.moves.arrivals(run)
        for loaded in self.gone:
            self._let_go(run, loaded, "its file is gone")
        for name in sorted(self.program.orphans - {one.name for one in self.gone}):
            orphan = self.program.get(name)
            if orphan is not None and not self._users(run, orphan):
                self._let_go(run, orphan, "")
        self._tell_left_over(run)

    def _tell_left_over(self, run: Execution) -> None:
        """Modules that the edit stopped importing, and that no other module imports or holds anything of."""
        for left in self._left:
            text = text_of(left)
            package = left.is_package
            for statement in text.statements if text is not None else ():
                self._tell_if_alone(run, modules_imported(statement, left.name, package))
        for work in [work for work in run.works.values() if work.touches_imports]:
            package = work.loaded.is_package
            old, new = (
                frozenset[str]().union(*(modules_imported(s, work.name, package) for s in statements))
                for statements in (
                    [p.old for p in work.changed if p.old is not None and p.edited],
                    [p.new for p in work.changed if p.new is not None and p.edited],
                )
            )
            self._tell_if_alone(run, old - new)

    def _tell_if_alone(self, run: Execution, names: Iterable[str]) -> None:
        for loaded in filter(None, map(self.program.get, sorted(names))):
            note = f"{loaded.name}: no module imports it any more; it stays loaded, with its state"
            gone = loaded in self.gone or loaded in self._left
            if note not in self.notes and not gone and not self._users(run, loaded):
                self.notes.append(note)

    def reports(self) -> dict[str, ModuleReport]:
        return {
            loaded.name: ModuleReport(removed=(loaded.name,), before=loaded.version, path=loaded.path)
            for loaded in self._left
        }

    def went(self) -> list[Loaded]:
        """Modules that left."""
        return self._left

    # -- modules that go ----------------------------------------------------------------------------

    def _let_go(self, run: Execution, loaded: Loaded, why: str) -> None:
        users = self._users(run, loaded)
        if users or loaded.name == "__main__":
            who = ", ".join(users[:5]) or "the program"
            self.notes.append(f"{loaded.name}: {why}; it is left running, for {who} needs it")
            self.program.orphan(run.tx.undo, loaded.name)
            return
        self.drop(run, loaded)

    def drop(self, run: Execution, loaded: Loaded) -> None:
        """The module leaves the process, whoever may still hold it."""
        module_goes(run.tx, loaded)
        run.notes += _effects_of(run, loaded)
        run.tx.del_item(sys.modules, loaded.name)
        self.program.leave(run.tx.undo, loaded)
        text = text_of(loaded)
        # What it registered with itself it keeps: its file may come back.
        for name, value in list(loaded.namespace.items()):
            made = value.__wrapped__ if type(value) is LRU else value
            if is_a(made, (types.FunctionType, type)) and made_in(made, loaded.name):
                nodes = [one.node for one in text.statements if name in one.binds] if text is not None else []
                held = [by for node in nodes for by in registrars_of(node, value, loaded.namespace)]
                run.notes += run.registrations.purge(value, loaded.name, registrars=held)
        _set_child(run, loaded, None)
        self._left.append(loaded)

    def _users(self, run: Execution, loaded: Loaded) -> list[str]:
        """Modules that import it, also inside a function, or hold the module itself or something that it defined."""
        going = {one.name for one in self.gone}
        return sorted(o.name for o in self.program.all() if o.name not in going and self._needs(run, o, loaded))

    def _needs(self, run: Execution, other: Loaded, loaded: Loaded) -> bool:
        if other is loaded:
            return False
        package = loaded.name.rpartition(".")[0]
        for value in list(other.namespace.values()):
            if value is loaded.module and other.name != package:
                return True
            if is_a(value, (types.FunctionType, type)) and made_in(value, loaded.name):
                return True
        if not other.mentions(loaded.name.rpartition(".")[2]):
            return False
        text = run.works[other.name].text if other.name in run.works else text_of(other)
        is_package = other.is_package
        return text is not None and any(
            loaded.name in everything_imported(s, other.name, is_package) for s in text.statements
        )

    def _move(self, run: Execution, loaded: Loaded, path: str) -> None:
        """`m.py` that became `m/__init__.py` stays the same module object and gains `__path__`; and the other way."""
        namespace, folder = loaded.namespace, os.path.dirname(path)
        package = os.path.basename(path) == "__init__.py"
        inside = [folder] if package else None
        spec = importlib.util.spec_from_file_location(loaded.name, path, submodule_search_locations=inside)
        if package:
            run.tx.set_item(namespace, "__path__", inside)
        else:
            run.tx.del_item(namespace, "__path__")
        run.tx.set_item(namespace, "__file__", path)
        run.tx.set_item(namespace, "__package__", loaded.name if package else loaded.name.rpartition(".")[0])
        if spec is not None:
            run.tx.set_item(namespace, "__spec__", spec)
            run.tx.set_item(namespace, "__loader__", spec.loader)
            run.tx.set_item(namespace, "__cached__", spec.cached)
        self.program.move(run.tx.undo, loaded, path)
        self.notes.append(f"{loaded.name} is a package now" if package else f"{loaded.name} is a plain module now")


def _effects_of(run: Execution, loaded: Loaded) -> Iterator[str]:
    """What a module that leaves did to others."""
    text = text_of(loaded)
    for statement in text.statements if text is not None else ():
        if has_effect(statement):
            line = statement.text.strip().splitlines()[0][:60]
            named = affected(statement, lambda name: loaded.namespace.get(name, ABSENT), f"{loaded.name}.{{}}".format)
            to = f" to {', '.join(named)}" if named else ""
            yield f"{loaded.name}: `{line}` went with its file: what it did{to} stays"
    for name, value in list(loaded.namespace.items()):
        if is_a(value, type) and made_in(value, loaded.name):
            for hook in hooks_of(run, value):
                yield f"{loaded.name}.{name} is gone: what `{hook}` did in `__init_subclass__` for it stays"


def act_for_themselves(run: Execution, loaded: Loaded) -> None:
    """Functions and classes of a module that came back, which had moved elsewhere since: they are its own again."""
    text = text_of(loaded)
    if text is None:
        return
    flags = future_flags(text.future)
    for statement in text.statements:
        for name, node in definitions(statement.node):
            held = loaded.namespace.get(name)
            if _acts_elsewhere(held, loaded):
                (alone,) = split([node], text.lines, statement.shift)
                code = compile_nodes([alone.located()], loaded.path, flags, text.imports)
                _act_for_itself(run, loaded, held, code, name)
    run.tx.flush()
    if loaded.parsed is not None:
        loaded.parsed.roots = LiveRoots(loaded, text)  # what was found before is the code of elsewhere


def _acts_elsewhere(held: Any, loaded: Loaded) -> bool:
    if is_a(held, type):
        return held.__module__ != loaded.name and not made_in(held, loaded.name)
    return type(held) is types.FunctionType and forwarded_to(held) is not None


def _act_for_itself(run: Execution, loaded: Loaded, held: Any, code: types.CodeType, name: str) -> None:
    run.before_call()
    made: dict[str, Any] = {}
    exec(code, loaded.namespace, made)
    if is_a(held, type):
        move_class(run, held, made[name], loaded)
        return
    run.tx.del_item(held.__dict__, "__wrapped__")
    run.tx.set_attr(held, "__module__", loaded.name)
    become(run.tx, held, made[name])
    run.registrations.replace(made[name], held)


def _set_child(run: Execution, loaded: Loaded, module: types.ModuleType | None) -> None:
    """The attribute by which a package holds its module."""
    parent, _, child = loaded.name.rpartition(".")
    holder = sys.modules.get(parent)
    if holder is None:
        return
    if module is not None:
        run.tx.set_item(vars(holder), child, module)
    elif vars(holder).get(child) is loaded.module:
        run.tx.del_item(vars(holder), child)
