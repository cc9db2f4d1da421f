"""Plugins that come and go: loaded and set up in one transaction, taken down, and waiting for one another."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from midflight.errors import PluginError
from midflight.held import Held
from midflight.plugins.attached import Attached
from midflight.plugins.discovery import Found
from midflight.plugins.lifecycle import (
    Entry,
    Tools,
    enable,
    problem_of,
    problem_of_load,
    set_up,
    subject_of,
    take_down,
)
from midflight.plugins.roster import Roster, sources
from midflight.values import Problem, Report

log = logging.getLogger("midflight.plugins")

MOST_REPORTS = 100


class Loading:
    """What brings plugins up and takes them down. Raises nothing for a plugin that fails: its `error` says why."""

    def __init__(self, roster: Roster, attached: Attached, tools: Tools) -> None:
        self.roster, self.attached, self.tools = roster, attached, tools
        self.reports: list[Report] = []

    # -- up ---------------------------------------------------------------------------------------------

    async def install(self, found: Mapping[str, Found], cause: str) -> list[Report]:
        """Plugins that are not known yet, and those that failed to load, in order."""
        plugins = self.roster.plugins
        for name, one in found.items():
            if not self.roster.is_loaded(name):
                plugins[name] = Entry(one)
        reports = []
        for name in self.roster.order():
            if name in plugins and plugins[name].state in ("loading", "waiting"):
                reports.append(await self.bring_up(plugins[name], cause))
        self.settle_order()
        return [report for report in reports if report is not None]

    async def bring_up(self, entry: Entry, cause: str) -> Report | None:
        """Load a plugin and set it up, in one transaction; None where it has to wait or cannot be tried."""
        why = self.roster.obstacle(entry)
        if why is not None:
            waits = entry.found.problem is None and self.roster.cycle_of(entry) is None
            entry.state = "waiting" if waits else "failed"
            entry.fail(why)
            log.error("%s", entry.error)
            return None
        entry.state = "loading"
        self.tools.gate(entry).shut()
        files = sources(entry.found) if entry.module is None else []
        async with self.attached.held(files, cause) as held:
            try:
                await self._load(entry, held)
                await set_up(entry, self.tools)
            except BaseException as error:
                return self._could_not(entry, held, error)
            report = held.commit()
        self.enabled(entry)
        log.info("Successfully loaded %s", entry.name)
        return self.told(report)

    async def _load(self, entry: Entry, held: Held) -> None:
        if entry.module is None:
            if held.problems:
                raise _NotLoaded(entry, held.problems[0])
            held.apply()  # a module that left with its file and comes back with it
            try:
                entry.module = held.load(entry.found.module)
            except (Exception, SystemExit) as error:
                raise _NotLoaded(entry, error) from error
            held.lap("load")
        entry.subject = subject_of(entry)

    def _could_not(self, entry: Entry, held: Held, error: BaseException) -> Report:
        problem = error.problem if isinstance(error, _NotLoaded) else problem_of(entry, error)
        report = held.roll_back(error, problem)
        if entry.module is not None and sys.modules.get(entry.found.module) is not entry.module:
            entry.module = entry.subject = None
        entry.state = "failed"
        self.failed(entry, error)
        self.tools.gate(entry).open()  # nobody answers, and nobody must wait for it
        if not isinstance(error, (Exception, SystemExit)):
            raise error
        return self.told(report)

    def enabled(self, entry: Entry) -> None:
        entry.mend()
        self.settle_order()
        enable(entry, self.tools)

    async def wake_waiting(self, cause: str) -> list[Report]:
        """Plugins that waited for one that is enabled now."""
        reports = []
        for name in self.roster.order():
            entry = self.roster.plugins[name]
            if entry.state == "waiting" and self.roster.obstacle(entry) is None:
                reports.append(await self.bring_up(entry, cause))
        return [report for report in reports if report is not None]

    # -- down -------------------------------------------------------------------------------------------

    async def remove(self, entry: Entry, cause: str = "api", files: Iterable[Path] = ()) -> Report | None:
        """The plugin goes, whatever its teardown does; where `files` are gone its module is remembered by them."""
        self.roster.plugins.pop(entry.name, None)
        await self.take_down(entry)
        self.tools.registry.gates.pop(entry.name, None)
        if entry.module is None:
            return None
        async with self.attached.held(files, cause) as held:
            if files:
                held.apply()
            else:
                names = [module.__name__ for module in entry.modules()]
                held.unload(name for name in names if not self.roster.is_shared(entry, name))
            held.note(f"plugin {entry.name} is unloaded")
            report = held.commit()
        log.info("Unloaded %s", entry.name)
        return self.told(report)

    async def unload_package(self) -> None:
        """Helpers go too, where nobody but our plugins knows them by name."""
        name = self.attached.finder.name
        modules = [one for one in sys.modules if one == name or one.startswith(f"{name}.")]
        if name != self.attached.plugin_dir.name and modules:
            async with self.attached.held((), "api") as held:
                held.unload(modules)
                self.told(held.commit())

    async def take_down(self, entry: Entry) -> None:
        """Raises nothing: what its teardown raised is told."""
        if entry.ctx is None:
            return
        try:
            await take_down(entry, self.tools)
        except PluginError as error:
            self.failed(entry, error)

    async def put_to_wait(self, names: Iterable[str]) -> None:
        """Plugins that require one of `names`, which go, are taken down and wait."""
        names = list(names)
        for entry in self.roster.requiring(names):
            await self.take_down(entry)
            entry.state = "waiting"
            entry.fail(PluginError(f"plugin {entry.name} waits for {', '.join(names)}"))

    # -- what is told -----------------------------------------------------------------------------------

    def settle_order(self) -> None:
        self.tools.registry.order = self.roster.order()

    def failed(self, entry: Entry, error: BaseException) -> None:
        entry.fail(error)
        log.error("Error reloading %s: %s", entry.name, error)

    def told(self, report: Report) -> Report:
        self.reports = [*self.reports[1 - MOST_REPORTS :], report]
        return report


class _NotLoaded(PluginError):
    """A plugin whose module could not be imported."""

    def __init__(self, entry: Entry, why: BaseException | Problem) -> None:
        self.problem = why if isinstance(why, Problem) else problem_of_load(entry, why)
        super().__init__(f"plugin {entry.name} was not loaded: {self.problem}")
