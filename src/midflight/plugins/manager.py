"""PluginManager: which plugins are there, which are enabled, and what a batch of saves does to them."""

from __future__ import annotations

import ast
import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from midflight.config import load
from midflight.errors import PluginError
from midflight.graph.hook import read_bytes
from midflight.graph.imports import imported_modules
from midflight.held import Held
from midflight.plugins import order
from midflight.plugins.change import Change, Group, neighbours
from midflight.plugins.discovery import FolderFinder, Found, by_name, in_entry_points, in_folder
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
from midflight.plugins.manifest import configure
from midflight.plugins.order import Needs
from midflight.plugins.registry import OPERATION, Operation, Registry
from midflight.plugins.shape import is_shape_edit, names_read_by_setup, setup_differs, values_changed
from midflight.plugins.watcher import HotReloadWatcher
from midflight.session import Session, session_over
from midflight.values import Problem, Report

T = TypeVar("T")
log = logging.getLogger("midflight.plugins")


class PluginManager:
    """The plugins of a folder and of entry points, for one `host`.

    `plugin_dir` need not exist. `hot_reload` follows its files from `load_all` to `unload_all`, `hot_reload_delay` is
    the quiet time in seconds. `deadline_s` is what each step of a plugin may take; `config` is plugin → its options.
    Methods that are coroutines run one at a time; those of a plugin that fails raise nothing: its `error` says why."""

    def __init__(
        self,
        host: Any,
        plugin_dir: str | os.PathLike[str] = "plugins",
        hot_reload: bool = False,
        hot_reload_delay: float = 0.5,
        *,
        deadline_s: float = 10.0,
        config: Mapping[str, Mapping[str, Any]] | None = None,
        entry_points: bool = True,
    ) -> None:
        self.host = host
        self.plugin_dir = Path(os.path.realpath(plugin_dir))
        self.hot_reload, self.hot_reload_delay = hot_reload, hot_reload_delay
        self.config = dict(config or {})
        self.plugins: dict[str, Entry] = {}
        self.registry = Registry(self._on_error)
        self.reports: list[Report] = []
        self.watcher: HotReloadWatcher | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self._entry_points = entry_points
        self._tools = Tools(host, self.registry, deadline_s, self._config_of, self._required)
        self._finder = FolderFinder(self.plugin_dir)
        self._session: Session | None = None
        self._own_session = False
        self._unleave: Callable[[], None] | None = None
        self._pending: set[Path] = set()
        self._lock: asyncio.Lock | None = None

    def __repr__(self) -> str:
        enabled = sum(entry.state == "enabled" for entry in self.plugins.values())
        return f"<PluginManager: {enabled} of {len(self.plugins)} plugins enabled, dir={self.plugin_dir}>"

    # -- what a host calls ----------------------------------------------------------------------------

    async def load_all(self) -> dict[str, Entry]:
        """Load and enable every plugin, in the order of their dependencies. One that fails keeps no other from it."""
        return await self._operate(self._load_all())

    async def unload_all(self) -> None:
        """Take all plugins down, dependents first, and stop following the files."""
        self.stop_watching()
        await self._operate(self._unload_all())

    async def reload(self, name: str) -> Report:
        """Take what changed in the files of one plugin. A plugin that failed is tried again. Raises PluginError where
        there is no such plugin."""
        self._known(name)
        return await self._operate(self._reload(name))

    async def enable(self, name: str) -> None:
        """Set up a plugin that is disabled or failed, and what waits for it. Raises PluginError where it fails."""
        self._known(name)
        await self._operate(self._enable(name))

    async def disable(self, name: str) -> None:
        """Take a plugin down, after its dependents, which wait for it. It stays loaded. Raises PluginError where a
        teardown failed; the plugin is down all the same."""
        self._known(name)
        await self._operate(self._disable(name))

    async def take(self, paths: Iterable[str | os.PathLike[str]], cause: str = "api") -> list[Report]:
        """Take these files, which were saved, came or went: a Report for each transaction."""
        return await self._operate(self._take({Path(os.path.realpath(path)) for path in paths}, cause))

    async def run_command(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """The answer of a plugin's command, through all middleware; waits while its plugin is being reloaded. Raises
        PluginError where no plugin has it, and what the command raises."""
        return await self.registry.run(name, *args, **kwargs)

    async def emit(self, event: str, *args: Any) -> int:
        """Tell all listeners of `event`; gives how many there are."""
        return await self.registry.emit(event, *args)

    @property
    def commands(self) -> dict[str, str]:
        """Command → its plugin."""
        return self.registry.commands()

    def status(self) -> list[dict[str, Any]]:
        """What stands now, a plain dict for each plugin, in their order."""
        return [self._status_of(self.plugins[name]) for name in self._order() if name in self.plugins]

    def start_watching(self) -> None:
        """Follow the folder, as `hot_reload=True` does."""
        if self.watcher is None:
            self.watcher = HotReloadWatcher(self, enabled=False, debounce_delay=self.hot_reload_delay)
        self.watcher.start()

    def stop_watching(self) -> None:
        if self.watcher is not None:
            self.watcher.stop()
            self.watcher = None

    def path_counts(self, path: Path) -> bool:
        """Whether a file may matter to a plugin: Python files and manifests in the folder, but not its own
        `__init__.py`, which only marks it as a package."""
        if self.plugin_dir not in path.parents:
            return False
        if path.suffix == ".py":
            return path != self.plugin_dir / "__init__.py"
        return path.suffix == ".toml"

    # -- one operation at a time ------------------------------------------------------------------------

    async def _operate(self, operation: Coroutine[Any, Any, T]) -> T:
        """In a task of its own: who asks may be a task of the plugin that is taken down."""
        running = OPERATION.get()
        if running is not None and running.manager is self and running.active:
            operation.close()
            raise PluginError(
                "nothing was done: another operation of this manager is running",
                "It was asked for by a setup or teardown, which is part of it.",
                "Ask from a task, a command or a timer.",
            )
        return await asyncio.shield(asyncio.ensure_future(self._alone(operation)))

    async def _alone(self, operation: Coroutine[Any, Any, T]) -> T:
        loop = asyncio.get_running_loop()
        if self.loop is not loop:
            self.loop, self._lock = loop, asyncio.Lock()
        assert self._lock is not None
        async with self._lock:
            mark = Operation(self)
            OPERATION.set(mark)
            try:
                return await operation
            finally:
                mark.active = False

    # -- the session --------------------------------------------------------------------------------------

    def _attach(self) -> Session:
        """The process's session where it follows the folder, else one of our own that watches nothing."""
        if self._session is not None:
            return self._session
        session = session_over(str(self.plugin_dir))
        self._own_session = session is None
        if session is None:
            session = Session(config=load(str(self.plugin_dir.parent), paths=(str(self.plugin_dir),), mode="manual"))
            session.attach()
        self._unleave = session.leave(str(self.plugin_dir))
        self._session = session
        if self._finder not in sys.meta_path:
            sys.meta_path.append(self._finder)
        return session

    def _is_off(self) -> bool:
        return not self._attach().config.enabled

    def _detach(self) -> None:
        session, self._session = self._session, None
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        if self._unleave is not None:
            self._unleave()
        if session is not None and self._own_session:
            session.stop()

    @asynccontextmanager
    async def _held(self, paths: Iterable[Path], cause: str) -> AsyncIterator[Held]:
        session = self._attach()
        while session.is_held():  # another manager's, in this very loop
            await asyncio.sleep(0.005)
        with session.hold([str(path) for path in paths], cause) as held:
            yield held

    # -- load and unload ------------------------------------------------------------------------------------

    def _discover(self) -> Mapping[str, Found]:
        points = list(in_entry_points()) if self._entry_points else []
        return by_name(in_folder(self.plugin_dir, self._finder.name), points)

    async def _load_all(self) -> dict[str, Entry]:
        self._attach()
        if not self.plugin_dir.is_dir():
            log.warning("Plugin directory does not exist: %s", self.plugin_dir)
        await self._install(self._discover(), "api")
        if self.hot_reload and self._is_off():
            log.warning("Hot reload is switched off for this process: %s", self._attach().config.origins["enabled"])
        elif self.hot_reload:
            self.start_watching()
        return self.plugins

    async def _install(self, found: Mapping[str, Found], cause: str) -> list[Report]:
        """Plugins that are not known yet, and those that failed to load, in order."""
        for name, one in found.items():
            if name not in self.plugins or self.plugins[name].module is None:
                self.plugins[name] = Entry(one)
        reports = []
        for name in order.in_order(self._needs()):
            if name in self.plugins and self.plugins[name].state in ("loading", "waiting"):
                reports.append(await self._bring_up(self.plugins[name], cause))
        self._settle_order()
        return [report for report in reports if report is not None]

    async def _bring_up(self, entry: Entry, cause: str) -> Report | None:
        """Load a plugin and set it up, in one transaction; None where it has to wait or cannot be tried."""
        why = self._obstacle(entry)
        if why is not None:
            entry.state = "waiting" if entry.found.problem is None and entry.name not in self._cycles() else "failed"
            entry.fail(why)
            log.error("%s", entry.error)
            return None
        entry.state = "loading"
        self.registry.gate(entry.name).shut()
        files = _sources(entry.found) if entry.module is None else []
        async with self._held(files, cause) as held:
            try:
                await self._load(entry, held)
                await set_up(entry, self._tools)
            except BaseException as error:
                return self._could_not(entry, held, error)
            report = held.commit()
        self._enabled(entry)
        log.info("Successfully loaded %s", entry.name)
        return self._told(report)

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
        self._failed(entry, error)
        self.registry.gate(entry.name).open()  # nobody answers, and nobody must wait for it
        if not isinstance(error, (Exception, SystemExit)):
            raise error
        return self._told(report)

    def _obstacle(self, entry: Entry) -> PluginError | None:
        """Why a plugin cannot be set up at this moment."""
        if entry.found.problem is not None:
            return entry.found.problem
        cycle = self._cycles().get(entry.name)
        if cycle is not None:
            return PluginError(
                f"plugin {entry.name} was not loaded: it waits for itself, {cycle}",
                "Plugins that require one another have no order.",
                "Take one of these requirements away.",
            )
        for name in entry.found.manifest.requires:
            other = self.plugins.get(name)
            if other is None or other.state != "enabled":
                why = "is not there" if other is None else f"is {other.state}"
                return PluginError(f"plugin {entry.name} waits for {name}, which {why}", "It requires it.")
        return None

    def _enabled(self, entry: Entry) -> None:
        entry.mend()
        self._settle_order()
        enable(entry, self._tools)

    async def _unload_all(self) -> None:
        for name in reversed(self._order()):
            if name in self.plugins:
                await self._remove(self.plugins[name])
        self._pending.clear()
        await self._unload_package()
        self._detach()

    async def _unload_package(self) -> None:
        """Helpers go too, where nobody but our plugins knows them by name."""
        name = self._finder.name
        modules = [one for one in sys.modules if one == name or one.startswith(f"{name}.")]
        if name != self.plugin_dir.name and modules:
            async with self._held((), "api") as held:
                held.unload(modules)
                self._told(held.commit())

    async def _remove(self, entry: Entry, cause: str = "api", files: Iterable[Path] = ()) -> Report | None:
        """The plugin goes, whatever its teardown does; where `files` are gone its module is remembered by them."""
        self.plugins.pop(entry.name, None)
        await self._take_down(entry)
        self.registry.gates.pop(entry.name, None)
        if entry.module is None:
            return None
        async with self._held(files, cause) as held:
            if files:
                held.apply()
            else:
                names = [module.__name__ for module in entry.modules()]
                held.unload(name for name in names if not self._is_shared(entry, name))
            held.note(f"plugin {entry.name} is unloaded")
            report = held.commit()
        log.info("Unloaded %s", entry.name)
        return self._told(report)

    def _is_shared(self, entry: Entry, module: str) -> bool:
        return any(other is not entry and other.owns_module(module) for other in self.plugins.values())

    async def _take_down(self, entry: Entry) -> None:
        """Raises nothing: what its teardown raised is told."""
        if entry.ctx is None:
            return
        try:
            await take_down(entry, self._tools)
        except PluginError as error:
            self._failed(entry, error)

    # -- enable and disable ---------------------------------------------------------------------------------

    async def _enable(self, name: str) -> None:
        entry = self.plugins[name]
        if entry.state == "enabled":
            return
        await self._bring_up(entry, "api")
        if entry.error is not None:
            raise PluginError(entry.error)
        await self._wake_waiting("api")

    async def _wake_waiting(self, cause: str) -> list[Report]:
        """Plugins that waited for one that is enabled now."""
        reports = []
        for name in order.in_order(self._needs()):
            entry = self.plugins[name]
            if entry.state == "waiting" and self._obstacle(entry) is None:
                reports.append(await self._bring_up(entry, cause))
        return [report for report in reports if report is not None]

    async def _disable(self, name: str) -> None:
        entry = self.plugins[name]
        await self._put_to_wait([name])
        await self._take_down(entry)
        entry.state = "disabled"
        if entry.error is not None and entry.ctx is None:
            raise PluginError(entry.error)

    async def _put_to_wait(self, names: Iterable[str]) -> None:
        """Plugins that require one of `names`, which go, are taken down and wait."""
        names = list(names)
        needs = {name: Needs(one.requires) for name, one in self._needs().items()}
        waiting = order.dependents(names, needs)
        for name in reversed(self._order()):
            entry = self.plugins[name]
            if name in waiting and entry.state == "enabled":
                await self._take_down(entry)
                entry.state = "waiting"
                entry.fail(PluginError(f"plugin {name} waits for {', '.join(names)}"))

    # -- saves ------------------------------------------------------------------------------------------------

    async def _reload(self, name: str) -> Report:
        entry = self.plugins[name]
        own = {Path(path) for path in self._files_of(entry)} | self._pending
        reports = await self._take(own, "api", only=name)
        if entry.state in ("failed", "waiting") and not reports:
            tried = await self._bring_up(entry, "api")
            reports = [tried] if tried is not None else []
        return reports[-1] if reports else self._unchanged()

    def _unchanged(self) -> Report:
        return self._attach()._unchanged("api")

    def _files_of(self, entry: Entry) -> set[str]:
        files = {str(entry.found.path)}
        if entry.found.manifest_path is not None:
            files.add(str(entry.found.manifest_path))
        program = self._attach().program
        names = {module.__name__ for module in entry.modules()}
        helpers = {one.path for one in program.all() if one.name in names or self._users(one.name) & {entry.name}}
        return files | helpers

    async def _take(self, paths: set[Path], cause: str, only: str = "") -> list[Report]:
        if self._is_off():
            return []
        found = self._discover()
        known = {name: entry for name, entry in self.plugins.items() if only in ("", name)}
        reports = await self._take_gone(known, found, cause)
        changed = {name for name in known if name in found and self._manifest_differs(known[name], found[name])}
        groups = self._groups(paths, found, known)
        for group in self._groups(paths | self._waiting_files(groups), found, known):
            reports += await self._take_along(group, found, changed & group.plugins, cause, paths)
        retry = {
            name: one
            for name, one in found.items()
            if (name not in self.plugins and not only) or (name in known and self._may_come_up(known[name], one, paths))
        }
        reports += await self._install(retry, cause)
        reports += await self._wake_waiting(cause)
        return reports

    def _waiting_files(self, groups: Iterable[Group]) -> set[Path]:
        """Files that could not be taken are tried again with others of their plugin and of its neighbours, and with
        what they may have waited for: a helper, a new file."""
        plugins = {name for group in groups for name in group.plugins}
        if any(self._is_helper(path) for group in groups for path in group.paths):
            return set(self._pending)
        return {path for path in self._pending if self._plugins_of(path, {}) & plugins}

    def _is_helper(self, path: Path) -> bool:
        return not any(entry.found.owns(path) for entry in self.plugins.values())

    async def _take_along(
        self, group: Group, found: Mapping[str, Found], manifests: set[str], cause: str, saved: set[Path]
    ) -> list[Report]:
        """A group with files that waited; where it fails with them, what was saved is taken without."""
        reports = [await self._take_group(group, found, manifests, cause)]
        if reports[0] is not None and not reports[0].ok and group.paths - saved:
            for part in self._groups(group.paths & saved, found, self.plugins):
                reports.append(await self._take_group(part, found, manifests & part.plugins, cause))
        return [report for report in reports if report is not None]

    def _may_come_up(self, entry: Entry, found: Found, paths: set[Path]) -> bool:
        """Whether a plugin that is not loaded is worth another try: it, or a file that is no plugin's, was saved."""
        if entry.module is not None or entry.state == "disabled":
            return False
        return any(found.owns(path) or self._is_helper(path) for path in paths)

    async def _take_gone(self, known: Mapping[str, Entry], found: Mapping[str, Found], cause: str) -> list[Report]:
        """Plugins whose file is gone, dependents of theirs first."""
        gone = [name for name in known if name not in found or found[name].module != known[name].found.module]
        await self._put_to_wait(gone)
        reports = []
        for name in [one for one in reversed(self._order()) if one in gone]:
            entry = self.plugins[name]
            files = {Path(module.__file__) for module in entry.modules() if module.__file__}
            report = await self._remove(entry, cause, [path for path in files if not path.exists()])
            self._pending -= {entry.found.path, *files}
            if report is not None:
                reports.append(report)
        return reports

    def _manifest_differs(self, entry: Entry, found: Found) -> bool:
        return (found.manifest, found.problem and str(found.problem)) != (
            entry.found.manifest,
            entry.found.problem and str(entry.found.problem),
        )

    def _groups(self, paths: Iterable[Path], found: Mapping[str, Found], known: Mapping[str, Entry]) -> list[Group]:
        """Files that must be taken together: those of one plugin, of plugins that need one another, of a helper and
        those who use it. Nobody else waits for them, or fails with them. Files of plugins that are not loaded are left
        out."""
        groups: list[Group] = []
        needs = self._needs()
        for path in sorted(paths):
            if any(one.owns(path) and not self._is_loaded(one.name) for one in found.values()):
                continue
            one = Group({path}, self._plugins_of(path, found) & known.keys())
            linked = {other for name in one.plugins for other in neighbours(name, needs)}
            joined = [group for group in groups if group.plugins & (one.plugins | linked)]
            for group in joined:
                one.paths |= group.paths
                one.plugins |= group.plugins
                groups.remove(group)
            groups.append(one)
        return groups

    def _is_loaded(self, name: str) -> bool:
        return name in self.plugins and self.plugins[name].module is not None

    def _plugins_of(self, path: Path, found: Mapping[str, Found]) -> set[str]:
        """The plugins that a file is part of, or whose modules import it."""
        places = [*found.values(), *(entry.found for entry in self.plugins.values())]
        own = {one.name for one in places if one.owns(path) and self._is_loaded(one.name)}
        if own:
            return own
        modules = self._attach().program.at(str(path))
        return {name for module in modules for name in self._users(module.name)}

    def _users(self, module: str) -> set[str]:
        """Plugins with a module that imports `module`, directly or not."""
        program = self._attach().program
        program.at("")  # brings its index up to date
        importers = {module, *program.imports.dependents([module])}
        return {name for name, entry in self.plugins.items() if any(entry.owns_module(one) for one in importers)}

    async def _take_group(
        self, group: Group, found: Mapping[str, Found], manifests: set[str], cause: str
    ) -> Report | None:
        python = [path for path in group.paths if path.suffix == ".py"]
        entries = [self.plugins[name] for name in self._order() if name in group.plugins]
        async with self._held(python, cause) as held:
            held.problems += self._manifest_problems(found[name] for name in sorted(manifests))
            if held.problems:
                return self._refused(group, entries, held)
            cycle = {e.name for e in entries if e.name in manifests or self._needs_setup(e, held)}
            if not held.any and not cycle:
                return self._as_it_was(group, entries, held)
            cycle = {name for name in cycle if self.plugins[name].state in ("enabled", "failed")}
            for name in cycle or group.plugins:
                log.info("Reloading plugin %s", name)
            change = Change(self, held, group, entries, found)
            report = await change.take(self._with_dependents(cycle))
        return self._told(report)

    def _with_dependents(self, cycle: set[str]) -> list[Entry]:
        everyone = cycle | order.dependents(cycle, self._needs())
        entries = [self.plugins[name] for name in self._order() if name in everyone]
        return [entry for entry in entries if entry.state in ("enabled", "failed")]

    def _as_it_was(self, group: Group, entries: list[Entry], held: Held) -> Report | None:
        """A save of what runs already is no news; that a broken file is as it was again, is."""
        if not group.paths & self._pending:
            return None
        self._pending -= group.paths
        for entry in entries:
            entry.mend()
        return self._told(held.unchanged())

    def _refused(self, group: Group, entries: list[Entry], held: Held) -> Report:
        report = held.refuse()
        self._pending |= group.paths
        for entry in entries:
            own = [p for p in report.problems if entry.found.owns(Path(p.path))] or list(report.problems)
            what = f"plugin {entry.name} was not reloaded; its old version is running: {own[0]}"
            self._failed(entry, PluginError(what))
        return self._told(report)

    def _manifest_problems(self, found: Iterable[Found]) -> list[Problem]:
        return [
            Problem(str(one.manifest_path or one.path), 0, "MF072", str(one.problem), one.problem.hint)
            for one in found
            if one.problem is not None
        ]

    def _needs_setup(self, entry: Entry, held: Held) -> bool:
        """Whether what changes would make its setup do, or find, other things."""
        if entry.state == "failed":
            return True
        edits = {edit.name: edit.pairs for edit in held.edits}
        own = [pairs for name, pairs in edits.items() if entry.owns_module(name)]
        if any(map(is_shape_edit, own)):
            return True
        used = [name for name in edits if not entry.owns_module(name) and entry.name in self._users(name)]
        if not own and not used:
            return False
        old, new = self._texts(entry, used, held)
        read = names_read_by_setup(new)
        return setup_differs(old, new) or any(values_changed(edits[name]) & read for name in used)

    def _texts(self, entry: Entry, used: Iterable[str], held: Held) -> tuple[list[ast.AST], list[ast.AST]]:
        """The texts of a plugin and the edited helpers that it uses, before and after."""
        program = self._attach().program
        names = [*(module.__name__ for module in entry.modules()), *used]
        old = {name: one.source or b"" for name in names if (one := program.get(name)) is not None}
        new = {name: held.source(name) or source for name, source in old.items()}
        return [ast.parse(source) for source in old.values()], [ast.parse(source) for source in new.values()]

    # -- who needs whom -----------------------------------------------------------------------------------------

    def _needs(self) -> dict[str, Needs]:
        imports = self._imports()
        return {
            name: Needs(entry.needs.requires, entry.needs.after, tuple(sorted(imports.get(name, ()))))
            for name, entry in self.plugins.items()
        }

    def _imports(self) -> dict[str, set[str]]:
        """Plugin → other plugins that its modules import."""
        program = self._attach().program
        program.at("")
        found: dict[str, set[str]] = {}
        for name, entry in self.plugins.items():
            modules = set(_imports_of_files(entry.found)) if entry.module is None else set()
            for module in entry.modules():
                modules |= program.imports.imports(module.__name__)
            found[name] = {
                other
                for other, one in self.plugins.items()
                if other != name and any(one.owns_module(module) for module in modules)
            }
        return found

    def _cycles(self) -> dict[str, str]:
        return order.cycles({name: entry.needs for name, entry in self.plugins.items()})

    def _order(self) -> list[str]:
        return order.in_order(self._needs())

    def _settle_order(self) -> None:
        self.registry.order = self._order()

    # -- what others are told ---------------------------------------------------------------------------------------

    def _known(self, name: str) -> None:
        if name not in self.plugins:
            known = ", ".join(self.plugins) or "none"
            raise PluginError(f"there is no plugin {name!r}", f"There are: {known}.", "See manager.status().")

    def _required(self, asker: str, name: str) -> ModuleType:
        entry = self.plugins.get(name)
        if entry is None or entry.module is None or entry.state not in ("enabled", "reloading"):
            state = "is not there" if entry is None else f"is {entry.state}"
            raise PluginError(f"plugin {asker} asked for {name}, which {state}", "", f"Name {name} in its requires.")
        return entry.module

    def _config_of(self, entry: Entry) -> dict[str, Any]:
        return configure(entry.found.manifest, self.config.get(entry.name, {}))

    def _on_error(self, plugin: str, what: str, error: BaseException) -> None:
        entry = self.plugins.get(plugin)
        log.error("plugin %s: %s raised %s: %s", plugin, what, type(error).__name__, error)
        if entry is not None:
            entry.fail(PluginError(f"plugin {plugin}: {what} raised {type(error).__name__}: {error}"))

    def _failed(self, entry: Entry, error: BaseException) -> None:
        entry.fail(error)
        log.error("Error reloading %s: %s", entry.name, error)

    def _told(self, report: Report) -> Report:
        self.reports = [*self.reports[-99:], report]
        return report

    def _status_of(self, entry: Entry) -> dict[str, Any]:
        return {
            "name": entry.name,
            "state": entry.state,
            "version": entry.version,
            "error": entry.error,
            "path": str(entry.found.path),
            "requires": list(entry.needs.requires),
            "reloads": entry.reloads,
            "commands": [one.name for one in self.registry.of(entry.name, "command")],
            "listeners": [one.name for one in self.registry.of(entry.name, "listener")],
            "middleware": len(self.registry.of(entry.name, "middleware")),
            "tasks": len(entry.ctx.record.tasks) if entry.ctx is not None else 0,
            "timers": len(entry.ctx.record.timers) if entry.ctx is not None else 0,
        }


class _NotLoaded(PluginError):
    """A plugin whose module could not be imported."""

    def __init__(self, entry: Entry, why: BaseException | Problem) -> None:
        self.problem = why if isinstance(why, Problem) else problem_of_load(entry, why)
        super().__init__(f"plugin {entry.name} was not loaded: {self.problem}")


def _sources(found: Found) -> list[Path]:
    """The Python files of a plugin."""
    return sorted(found.path.parent.rglob("*.py")) if found.is_package else [found.path]


def _imports_of_files(found: Found) -> Iterator[str]:
    """What the files of a plugin import that is not loaded yet: its order is known only from them."""
    for path in _sources(found):
        module = found.module
        if path != found.path:
            module += "." + ".".join(path.relative_to(found.path.parent).with_suffix("").parts)
        yield from imported_modules(read_bytes(str(path)) or b"", module, path.name == "__init__.py")
