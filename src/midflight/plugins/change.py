"""One group of saves as a transaction over plugins: park, apply, set up; all of it or none."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from midflight.errors import PluginError
from midflight.held import Held
from midflight.plugins.discovery import Found
from midflight.plugins.lifecycle import LAST_STEPS, Entry, Parked, problem_of, set_up, subject_of
from midflight.plugins.order import Needs
from midflight.plugins.shape import step_differs
from midflight.values import Report

if TYPE_CHECKING:
    from midflight.plugins.loading import Loading

log = logging.getLogger("midflight.plugins")


@dataclass(slots=True)
class Group:
    """Files that are taken together, and the plugins that they are part of or used by."""

    paths: set[Path] = field(default_factory=set)
    plugins: set[str] = field(default_factory=set)


class Change:
    """One group of saves as a transaction: park, apply, set up; all of it or none."""

    def __init__(
        self, loading: Loading, held: Held, group: Group, entries: list[Entry], found: Mapping[str, Found]
    ) -> None:
        self.loading, self.held, self.group, self.entries, self.found = loading, held, group, entries, found
        self._tools = loading.tools
        self._parked: list[Parked] = []
        self._set_up: list[Entry] = []
        self._before = {entry.name: entry.found for entry in entries}

    async def take(self, cycle: list[Entry]) -> Report:
        """`cycle` are the plugins that are torn down and set up again, in order; the others are only grafted."""
        entry = self.entries[0] if self.entries else None
        try:
            for entry in self.entries:
                entry.found = self.found.get(entry.name, entry.found)
            for entry in cycle:
                self._refuse_obstacle(entry)
            for entry in reversed(cycle):
                self._parked.append(Parked(entry, self._tools))
                await self._parked[-1].park(self._mends(entry))
            self.held.lap("teardown")
            self.held.apply()
            for entry in cycle:
                await self._set_up_again(entry)
            self.held.lap("setup")
        except BaseException as error:
            report = await self._take_back(error, entry)
            if not isinstance(error, (Exception, SystemExit)):
                raise
            return report
        return await self._keep(cycle)

    def _refuse_obstacle(self, entry: Entry) -> None:
        """A manifest that now asks for what is not there."""
        why = self.loading.roster.obstacle(entry) if entry.found != self._before.get(entry.name, entry.found) else None
        if why is not None:
            raise why

    async def _set_up_again(self, entry: Entry) -> None:
        entry.subject = subject_of(entry)
        parked = next(one for one in self._parked if one.entry is entry)
        self._set_up.append(entry)
        await set_up(entry, self._tools, parked.handed)

    def _mends(self, entry: Entry) -> frozenset[str]:
        """Those of the old version's steps that the edit changes, or takes away."""
        own = [edit.pairs for edit in self.held.edits if entry.owns_module(edit.name)]
        return frozenset(step for step in LAST_STEPS if any(step_differs(pairs, step) for pairs in own))

    async def _keep(self, cycle: list[Entry]) -> Report:
        report = self.held.commit()
        for parked in self._parked:
            await parked.leave()
        for entry in cycle:
            self.loading.enabled(entry)
        for entry in {*self.entries, *cycle}:
            entry.mend()
            entry.reloads += 1
            log.info("Successfully reloaded %s", entry.name)
        self.loading.settle_order()
        return report

    async def _take_back(self, error: BaseException, entry: Entry | None) -> Report:
        for one in reversed(self._set_up):
            if one.ctx is not None:
                await one.ctx.close(self._tools.deadline_s)
                one.ctx = None
        report = self.held.roll_back(error, problem_of(entry, error) if entry is not None else None)
        for one in self.entries:
            one.found = self._before[one.name]
        failures = [error, *[await self._resume(parked) for parked in reversed(self._parked)]]
        self._tell([one for one in failures if one is not None], report)
        return report

    async def _resume(self, parked: Parked) -> BaseException | None:
        try:
            await parked.resume()
        except PluginError as error:
            return error
        return None

    def _tell(self, failures: list[BaseException], report: Report) -> None:
        reason = report.problems[0] if report.problems else failures[0]
        involved = {one.name: one for one in [*self.entries, *(parked.entry for parked in self._parked)]}
        for name, entry in involved.items():
            what = "its old version is running" if entry.state != "failed" else "it is down"
            error = PluginError(f"plugin {name} was not reloaded; {what}: {reason}", *map(str, failures[1:2]))
            self.loading.failed(entry, error)
            entry.traceback = "".join(_formatted(failures))


def _formatted(failures: Iterable[BaseException]) -> Iterable[str]:
    for failure in failures:
        yield from traceback.format_exception(failure)


def neighbours(name: str, needs: Mapping[str, Needs]) -> set[str]:
    """Those that it needs, or that need it."""
    own = needs.get(name, Needs())
    users = {other for other, one in needs.items() if name in (*one.requires, *one.imports)}
    return {*own.requires, *own.imports, *users}
