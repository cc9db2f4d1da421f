"""What a batch of saves does to the plugins: in groups, each a transaction that no other waits for or fails with."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from midflight.errors import PluginError
from midflight.held import Held
from midflight.plugins.change import Change, Group, neighbours
from midflight.plugins.discovery import Found
from midflight.plugins.lifecycle import Entry, problem_with
from midflight.plugins.loading import Loading
from midflight.plugins.shape import is_shape_edit, names_read_by_setup, setup_differs, values_changed
from midflight.values import Problem, Report

log = logging.getLogger("midflight.plugins")


class Saves:
    """Files whose last text was not taken stay `pending`: later saves of their plugins take them along."""

    def __init__(self, loading: Loading) -> None:
        self._loading, self._roster, self._attached = loading, loading.roster, loading.attached
        self.pending: set[Path] = set()

    async def take(self, paths: set[Path], found: Mapping[str, Found], cause: str, only: str = "") -> list[Report]:
        """`found` is what lies in the folder now; `only` names the one plugin that is asked for."""
        plugins = self._roster.plugins
        known = {name: entry for name, entry in plugins.items() if only in ("", name)}
        reports = await self._take_gone(known, found, cause)
        changed = {name for name in known if name in found and _manifest_differs(known[name], found[name])}
        groups = self._groups(paths, found, known)
        for group in self._groups(paths | self._waiting_files(groups), found, known):
            reports += await self._take_along(group, found, changed & group.plugins, cause, paths)
        retry = {
            name: one
            for name, one in found.items()
            if (name not in plugins and not only) or (name in known and self._may_come_up(known[name], one, paths))
        }
        reports += await self._loading.install(retry, cause)
        reports += await self._loading.wake_waiting(cause)
        return reports

    def _waiting_files(self, groups: Iterable[Group]) -> set[Path]:
        """Files that could not be taken are tried again with others of their plugin and of its neighbours, and with
        what they may have waited for: a helper, a new file."""
        plugins = {name for group in groups for name in group.plugins}
        if any(self._roster.is_helper(path) for group in groups for path in group.paths):
            return set(self.pending)
        return {path for path in self.pending if self._roster.plugins_of(path, {}) & plugins}

    async def _take_along(
        self, group: Group, found: Mapping[str, Found], manifests: set[str], cause: str, saved: set[Path]
    ) -> list[Report]:
        """A group with files that waited; where it fails with them, what was saved is taken without."""
        reports = [await self._take_group(group, found, manifests, cause)]
        if reports[0] is not None and not reports[0].ok and group.paths - saved:
            for part in self._groups(group.paths & saved, found, self._roster.plugins):
                reports.append(await self._take_group(part, found, manifests & part.plugins, cause))
        return [report for report in reports if report is not None]

    def _may_come_up(self, entry: Entry, found: Found, paths: set[Path]) -> bool:
        """Whether a plugin that is not loaded is worth another try: it, or a file that is no plugin's, was saved."""
        if entry.module is not None or entry.state == "disabled":
            return False
        return any(found.owns(path) or self._roster.is_helper(path) for path in paths)

    async def _take_gone(self, known: Mapping[str, Entry], found: Mapping[str, Found], cause: str) -> list[Report]:
        """Plugins whose file is gone, dependents of theirs first."""
        gone = [name for name in known if name not in found or found[name].module != known[name].found.module]
        await self._loading.put_to_wait(gone)
        reports = []
        for entry in reversed(self._roster.in_order(gone)):
            files = {Path(module.__file__) for module in entry.modules() if module.__file__}
            report = await self._loading.remove(entry, cause, [path for path in files if not path.exists()])
            self.pending -= {entry.found.path, *files}
            if report is not None:
                reports.append(report)
        return reports

    def _groups(self, paths: Iterable[Path], found: Mapping[str, Found], known: Mapping[str, Entry]) -> list[Group]:
        """Files that must be taken together: those of one plugin, of plugins that need one another, of a helper and
        those who use it. Nobody else waits for them, or fails with them. Files of plugins that are not loaded are left
        out."""
        groups: list[Group] = []
        needs = self._roster.needs()
        for path in sorted(paths):
            if any(one.owns(path) and not self._roster.is_loaded(one.name) for one in found.values()):
                continue
            one = Group({path}, self._roster.plugins_of(path, found) & known.keys())
            linked = {other for name in one.plugins for other in neighbours(name, needs)}
            joined = [group for group in groups if group.plugins & (one.plugins | linked)]
            for group in joined:
                one.paths |= group.paths
                one.plugins |= group.plugins
                groups.remove(group)
            groups.append(one)
        return groups

    # -- one group ----------------------------------------------------------------------------------------

    async def _take_group(
        self, group: Group, found: Mapping[str, Found], manifests: set[str], cause: str
    ) -> Report | None:
        python = [path for path in group.paths if path.suffix == ".py"]
        entries = self._roster.in_order(group.plugins)
        async with self._attached.held(python, cause) as held:
            held.problems += _manifest_problems(found[name] for name in sorted(manifests))
            if held.problems:
                return self._refused(group, entries, held)
            cycle = {one.name for one in entries if one.name in manifests or self._needs_setup(one, held)}
            if not held.any and not cycle:
                return self._as_it_was(group, entries, held)
            cycle = {name for name in cycle if self._roster.plugins[name].state in ("enabled", "failed")}
            for name in cycle or group.plugins:
                log.info("Reloading plugin %s", name)
            change = Change(self._loading, held, group, entries, found)
            self.pending |= group.paths  # also where a Ctrl-C ends it
            report = await change.take(self._roster.with_dependents(cycle))
        if report.ok:
            self.pending -= group.paths
        return self._loading.told(report)

    def _as_it_was(self, group: Group, entries: list[Entry], held: Held) -> Report | None:
        """A save of what runs already is no news; that a broken file is as it was again, is."""
        if not group.paths & self.pending:
            return None
        self.pending -= group.paths
        for entry in entries:
            entry.mend()
        return self._loading.told(held.unchanged())

    def _refused(self, group: Group, entries: list[Entry], held: Held) -> Report:
        report = held.refuse()
        self.pending |= group.paths
        for entry in entries:
            own = [p for p in report.problems if entry.found.owns(Path(p.path))] or list(report.problems)
            what = f"plugin {entry.name} was not reloaded; its old version is running: {own[0]}"
            self._loading.failed(entry, PluginError(what))
        return self._loading.told(report)

    # -- whether setup must run again ---------------------------------------------------------------------

    def _needs_setup(self, entry: Entry, held: Held) -> bool:
        """Whether what changes would make its setup do, or find, other things."""
        if entry.state == "failed":
            return True
        edits = {edit.name: edit.pairs for edit in held.edits}
        own = [pairs for name, pairs in edits.items() if entry.owns_module(name)]
        if any(map(is_shape_edit, own)):
            return True
        used = [name for name in edits if not entry.owns_module(name) and entry.name in self._roster.users(name)]
        if not own and not used:
            return False
        old, new = self._texts(entry, used, held)
        read = names_read_by_setup(new)
        return setup_differs(old, new) or any(values_changed(edits[name]) & read for name in used)

    def _texts(self, entry: Entry, used: Iterable[str], held: Held) -> tuple[list[ast.AST], list[ast.AST]]:
        """The texts of a plugin and the edited helpers that it uses, before and after."""
        program = self._attached.session.program
        names = [*(module.__name__ for module in entry.modules()), *used]
        old = {name: one.source or b"" for name in names if (one := program.get(name)) is not None}
        new = {name: held.source(name) or source for name, source in old.items()}
        return [ast.parse(source) for source in old.values()], [ast.parse(source) for source in new.values()]


def _manifest_differs(entry: Entry, found: Found) -> bool:
    return (found.manifest, found.problem and str(found.problem)) != (
        entry.found.manifest,
        entry.found.problem and str(entry.found.problem),
    )


def _manifest_problems(found: Iterable[Found]) -> list[Problem]:
    return [problem_with(str(one.manifest_path or one.path), one.problem) for one in found if one.problem is not None]
