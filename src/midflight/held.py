"""A reload in steps, for a caller that has steps of its own between them."""

from __future__ import annotations

import functools
import importlib
import sys
import types
from collections.abc import Callable, Iterable

from midflight.apply.safepoint import interrupts_wait
from midflight.attempt import Attempt, Ended, Invalid
from midflight.graph.loaded import Loaded
from midflight.plan.planner import ModuleEdit
from midflight.values import Problem, Report


class Held:
    """One reload of a Session in steps: look at `problems` and `edits`, then `apply`, `load`, and at last `commit` or
    `roll_back`, each of which makes the one Report. Between the steps other code of the program may run."""

    def __init__(self, attempt: Attempt, record: Callable[[Ended], Report]) -> None:
        self._attempt, self._record = attempt, record
        self.problems = attempt.problems
        self._notes: list[str] = []
        self._open = True

    @property
    def edits(self) -> list[ModuleEdit]:
        """What the files change in modules that are loaded."""
        return [ModuleEdit(work.name, work.loaded.order, work.pairs) for work in self._attempt.works]

    @property
    def any(self) -> bool:
        """Whether there is anything to take."""
        return self._attempt.any

    def source(self, module: str) -> bytes | None:
        """The new text of an edited module."""
        return next((work.source for work in self._attempt.works if work.name == module), None)

    def apply(self) -> None:
        """The new code is live, and undone by `roll_back`. Raises what it raised."""
        with interrupts_wait():
            self._attempt.apply()
            self._attempt.smoke()
            self._attempt.tx.flush()
            self._attempt.tx.narrow()

    def load(self, module: str) -> types.ModuleType:
        """Import a module that `roll_back` takes away again, with what its import did to registries."""
        with interrupts_wait():
            self._attempt.run.registrations.guard_anew()
            with self._attempt.run.imports():
                loaded = importlib.import_module(module)
            self._attempt.tx.narrow()
        self._notes.append(f"{module} is loaded")
        self._attempt.clock.lap("load")
        return loaded

    def unload(self, modules: Iterable[str]) -> None:
        """Modules leave the process, and nothing of them is remembered."""
        departed = self._attempt.program.departed
        for name in modules:
            loaded = self._attempt.program.get(name)
            if loaded is not None:
                self._attempt.files.drop(self._attempt.run, loaded)
                self._attempt.tx.at_commit(functools.partial(_forget, departed, loaded.path))
            else:
                self._attempt.tx.del_item(sys.modules, name)

    def note(self, text: str) -> None:
        """A line for the Report."""
        self._notes.append(text)

    def lap(self, stage: str) -> None:
        """The time since the last step counts as `stage`."""
        self._attempt.clock.lap(stage)

    def commit(self) -> Report:
        self._open = False
        return self._record(self._attempt.commit(self._notes))

    def refuse(self) -> Report:
        """`problems` as a Report; nothing was touched."""
        self._open = False
        return self._record(self._attempt.refused())

    def unchanged(self) -> Report:
        """There was nothing to take."""
        self._open = False
        return self._record(self._attempt.unchanged())

    def roll_back(self, failure: BaseException, problem: Problem | None = None) -> Report:
        """All is as it was; `problem` says why where the failure is not one of new code."""
        self._open = False
        return self._record(self._attempt.roll_back(Invalid([problem]) if problem is not None else failure))

    def close(self) -> None:
        if self._open:
            self._attempt.tx.roll_back()


def _forget(departed: dict[str, Loaded], path: str) -> None:
    departed.pop(path, None)
