"""PluginManager: what a host calls, one operation at a time."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from midflight.errors import PluginError
from midflight.plugins.attached import Attached
from midflight.plugins.discovery import Found, by_name, in_entry_points, in_folder
from midflight.plugins.lifecycle import (
    Entry,
    Tools,
)
from midflight.plugins.loading import Loading
from midflight.plugins.manifest import configure
from midflight.plugins.registry import OPERATION, Operation, Registry
from midflight.plugins.roster import Roster
from midflight.plugins.saves import Saves
from midflight.plugins.watcher import HotReloadWatcher
from midflight.values import Report

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
        self.registry = Registry(self._on_error)
        self.watcher: HotReloadWatcher | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self._entry_points = entry_points
        self._attached = Attached(self.plugin_dir)
        self._roster = Roster(self._attached)
        self.plugins = self._roster.plugins
        tools = Tools(host, self.registry, deadline_s, self._config_of, self._required)
        self._loading = Loading(self._roster, self._attached, tools)
        self._saves = Saves(self._loading)
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
        return [self._status_of(entry) for entry in self._roster.in_order(self.plugins)]

    @property
    def reports(self) -> list[Report]:
        """What became of the last transactions, oldest first."""
        return list(self._loading.reports)

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

    # -- operations ---------------------------------------------------------------------------------------

    def _discover(self) -> Mapping[str, Found]:
        points = list(in_entry_points()) if self._entry_points else []
        return by_name(in_folder(self.plugin_dir, self._attached.finder.name), points)

    async def _load_all(self) -> dict[str, Entry]:
        if not self.plugin_dir.is_dir():
            log.warning("Plugin directory does not exist: %s", self.plugin_dir)
        off = self._attached.is_off
        await self._loading.install(self._discover(), "api")
        if self.hot_reload and off:
            origin = self._attached.session.config.origins["enabled"]
            log.warning("Hot reload is switched off for this process: %s", origin)
        elif self.hot_reload:
            self.start_watching()
        return self.plugins

    async def _unload_all(self) -> None:
        for name in reversed(self._roster.order()):
            if name in self.plugins:
                await self._loading.remove(self.plugins[name])
        self._saves.pending.clear()
        await self._loading.unload_package()
        self._attached.detach()

    async def _enable(self, name: str) -> None:
        entry = self.plugins[name]
        if entry.state == "enabled":
            return
        await self._loading.bring_up(entry, "api")
        if entry.error is not None:
            raise PluginError(entry.error)
        await self._loading.wake_waiting("api")

    async def _disable(self, name: str) -> None:
        entry = self.plugins[name]
        await self._loading.put_to_wait([name])
        await self._loading.take_down(entry)
        entry.state = "disabled"
        if entry.error is not None and entry.ctx is None:
            raise PluginError(entry.error)

    async def _reload(self, name: str) -> Report:
        entry = self.plugins[name]
        reports = await self._take(self._roster.files_of(entry) | self._saves.pending, "api", only=name)
        if entry.state in ("failed", "waiting") and not reports:
            tried = await self._loading.bring_up(entry, "api")
            reports = [tried] if tried is not None else []
        return reports[-1] if reports else self._attached.session.unchanged("api")

    async def _take(self, paths: set[Path], cause: str, only: str = "") -> list[Report]:
        if self._attached.is_off:
            return []
        return await self._saves.take(paths, self._discover(), cause, only)

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
