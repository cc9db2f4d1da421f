"""Files that come and go: deleted, come back, moved, a module that becomes a package."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from midflight.apply.graft.functions import forward
from midflight.graph.loaded import Loaded, Program
from midflight.values import ModuleReport, Step

if TYPE_CHECKING:
    from midflight.apply.execute import Execution


class Files:
    """What a batch does to the set of modules, besides editing them."""

    def __init__(self, program: Program, sources: Mapping[str, bytes | None]) -> None:
        self.program = program
        self.gone = [one for path, source in sources.items() if source is None for one in program.at(path)]
        self.back = [
            program.departed[path]
            for path, source in sources.items()
            if source is not None and not program.at(path) and path in program.departed
        ]
        self.notes: list[str] = []
        self._left: list[Loaded] = []
        self._known = set(program.notebook.modules)

    @property
    def any(self) -> bool:
        return bool(self.gone or self.back)

    def steps(self) -> tuple[Step, ...]:
        return tuple(Step(one.name, "forget", one.name, because="its file is gone") for one in self.gone)

    def prepare(self, run: Execution) -> None:
        """Before statements run: what came back is a module again."""
        for loaded in self.back:
            run.tx.set_item(sys.modules, loaded.name, loaded.module)
            self.program.come_back(run.tx.undo, loaded)
            _set_child(run, loaded, loaded.module)
            self.notes.append(f"{loaded.name} is back and goes on with its state")

    def finish(self, run: Execution) -> None:
        """After they ran: what moved is followed, and what nobody needs any more leaves."""
        fresh = self._fresh_definitions(run)
        for loaded in self.gone:
            if self._became_package(run, loaded):
                continue
            for name, value in list(loaded.namespace.items()):
                if getattr(value, "__module__", None) == loaded.name:
                    self._follow(run, loaded, name, value, fresh)
            self._let_go(run, loaded)
        for work in list(run.works.values()):
            for name, value in run.removed.get(work.name, {}).items():
                if getattr(value, "__module__", None) == work.name:
                    self._follow(run, work.loaded, name, value, fresh)

    def reports(self) -> dict[str, ModuleReport]:
        return {
            loaded.name: ModuleReport(removed=(loaded.name,), before=loaded.version, path=loaded.path)
            for loaded in self._left
        }

    # -- moved definitions --------------------------------------------------------------------------

    def _fresh_definitions(self, run: Execution) -> dict[str, tuple[Loaded, Any]]:
        """Name → (module, function or class) that this reload brought into the program, if only one has the name."""
        found: dict[str, list[tuple[Loaded, Any]]] = {}
        for loaded in self.program.all():
            names = loaded.namespace if loaded.name not in self._known else run.added.get(loaded.name, ())
            for name in list(names):
                value = loaded.namespace.get(name)
                if isinstance(value, (types.FunctionType, type)) and value.__module__ == loaded.name:
                    found.setdefault(name, []).append((loaded, value))
        return {name: places[0] for name, places in found.items() if len(places) == 1}

    def _follow(self, run: Execution, loaded: Loaded, name: str, old: Any, fresh: Mapping[str, Any]) -> None:
        """A function that moved forwards to its new place; a class keeps its identity there."""
        place, new = fresh.get(name, (None, None))
        if new is None or new is old or place is loaded:
            return
        if type(old) is types.FunctionType and type(new) is types.FunctionType:
            forward(run.tx, old, new)
            self.notes.append(f"{loaded.name}.{name} moved to {place.name}; the old function forwards to it")
        elif isinstance(old, type) and isinstance(new, type) and type(old) is type(new):
            from midflight.apply.graft.moved import move_class

            move_class(run, old, new, place, name)
            self.notes.append(f"{loaded.name}.{name} moved to {place.name} and is the same class")

    # -- modules that go ----------------------------------------------------------------------------

    def _let_go(self, run: Execution, loaded: Loaded) -> None:
        users = self._users(loaded)
        if users or loaded.name == "__main__":
            who = ", ".join(users[:5]) or "the program"
            self.notes.append(f"{loaded.name}: its file is gone; it is left running, for {who} needs it")
            return
        run.tx.del_item(sys.modules, loaded.name)
        self.program.leave(run.tx.undo, loaded)
        _set_child(run, loaded, None)
        self._left.append(loaded)

    def _users(self, loaded: Loaded) -> list[str]:
        """Modules that hold the module itself, or something that it defined."""
        package = loaded.name.rpartition(".")[0]
        found = set()
        for other in self.program.all():
            for value in list(other.namespace.values()):
                if other is loaded or (value is loaded.module and other.name == package):
                    continue
                if value is loaded.module or (
                    isinstance(value, (types.FunctionType, type)) and value.__module__ == loaded.name
                ):
                    found.add(other.name)
        return sorted(found)

    def _became_package(self, run: Execution, loaded: Loaded) -> bool:
        """`m.py` that became `m/__init__.py` stays the same module object and gains `__path__`."""
        package = os.path.join(os.path.splitext(loaded.path)[0], "__init__.py")
        if not os.path.isfile(package):
            return False
        namespace = loaded.namespace
        run.tx.set_item(namespace, "__path__", [os.path.dirname(package)])
        run.tx.set_item(namespace, "__file__", package)
        run.tx.set_item(namespace, "__package__", loaded.name)
        self.program.move(run.tx.undo, loaded, package)
        self.notes.append(f"{loaded.name} is a package now")
        return True


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
