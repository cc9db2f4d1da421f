"""HotReloadWatcher: saves in the plugin folder, seen on the watch thread, taken on the manager's loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from midflight.errors import MidflightError
from midflight.values import Batch
from midflight.watch import Filters, Watch

if TYPE_CHECKING:
    from midflight.plugins.manager import PluginManager

log = logging.getLogger("midflight.plugins")


class FileEvent(Protocol):
    """What a watcher's event has: such as watchdog's."""

    src_path: Any
    is_directory: bool


class ReloadHandler:
    """Queues saved files and has the manager take them, `debounce_delay` seconds after the last one.

    It may be fed by any source of file events, from any thread; watchdog's observers can be given one as it is."""

    def __init__(
        self, manager: PluginManager, debounce_delay: float = 0.5, logger: logging.Logger | None = None
    ) -> None:
        self.manager, self.debounce_delay = manager, debounce_delay
        self.logger = logger or log
        self._pending: dict[Path, float] = {}  # file → when it was last saved, by the monotonic clock
        self._reloading: set[Path] = set()
        self._lock = threading.Lock()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._stopped = False

    # -- events ---------------------------------------------------------------------------------------

    def on_modified(self, event: FileEvent) -> None:
        """Queue a file that was saved; folders, files that are no plugin's and `__init__.py` of the folder do not
        count."""
        if not event.is_directory:
            self.queue(os.fsdecode(event.src_path))

    on_created = on_modified
    on_deleted = on_modified

    def on_moved(self, event: Any) -> None:
        if not event.is_directory:
            self.queue(os.fsdecode(event.src_path))
            self.queue(os.fsdecode(event.dest_path))

    def dispatch(self, event: Any) -> None:
        """Where watchdog's observers deliver."""
        handle = getattr(self, f"on_{event.event_type}", None)
        if handle is not None:
            handle(event)

    def queue(self, *paths: str) -> None:
        """From any thread."""
        wanted = [path for path in map(Path, paths) if self.manager.path_counts(path)]
        if not wanted:
            return
        with self._lock:
            self._pending.update(dict.fromkeys(wanted, time.monotonic()))
        for path in wanted:
            self.logger.debug("Queued for reload: %s", path)
        self._wake_up()

    @property
    def pending(self) -> list[Path]:
        """Files that wait to be taken, and those that are being taken."""
        with self._lock:
            return sorted({*self._pending, *self._reloading})

    # -- the background task --------------------------------------------------------------------------

    async def start(self) -> None:
        """Take what is queued, in a task of the running loop."""
        if self._task is not None and not self._task.done():
            self.logger.warning("Hot reload is already running")
            return
        self.begin(asyncio.get_running_loop())

    async def stop(self) -> None:
        """Waits for a reload that is running."""
        task, self._task, self._loop, self._stopped = self._task, None, None, True
        if task is None:
            return
        while self._reloading:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """The same as `start`, on the thread of `loop`."""
        self._stopped = False
        if self._task is None or self._task.done() or self._loop is not loop:
            self._loop, self._wake = loop, asyncio.Event()
            self._task = loop.create_task(self._reload_loop(self._wake), name="midflight hot reload")

    def end(self) -> None:
        """The task ends after the reload that is running, if one is; from any thread."""
        task, self._task, loop, self._loop, self._stopped = self._task, None, self._loop, None, True
        if task is not None and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._cancel, task)

    def _cancel(self, task: asyncio.Task[None]) -> None:
        if not self._reloading:
            task.cancel()

    def _wake_up(self) -> None:
        """Also begins, once the manager has a loop: before that nothing is loaded, and nothing can be stale."""
        loop = self.manager.loop or self._loop
        if loop is not None and not loop.is_closed():
            with contextlib.suppress(RuntimeError):  # it was closed since
                loop.call_soon_threadsafe(self._woken, loop)

    def _woken(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._stopped:
            return
        self.begin(loop)
        if self._wake is not None:
            self._wake.set()

    async def _reload_loop(self, wake: asyncio.Event) -> None:
        while self._task is asyncio.current_task():
            wake.clear()
            ready, left_s = self._ready()
            if ready:
                await self._take(ready)
                continue
            try:
                await asyncio.wait_for(wake.wait(), left_s)
            except TimeoutError:
                continue

    def _ready(self) -> tuple[set[Path], float | None]:
        """Files that were quiet for long enough, once all are; else the seconds until then, None for no end."""
        with self._lock:
            if not self._pending:
                return set(), None
            left_s = max(self._pending.values()) + self.debounce_delay - time.monotonic()
            if left_s > 0:
                return set(), left_s
            ready = set(self._pending)
            self._pending.clear()
            self._reloading |= ready
            return ready, None

    async def _take(self, ready: set[Path]) -> None:
        try:
            await self.manager.take(ready, cause="watcher")
        except Exception:
            # A bug of ours or a broken host must not end the watching.
            self.logger.exception("Error reloading %s", ", ".join(sorted(path.name for path in ready)))
        finally:
            with self._lock:
                self._reloading -= ready


class HotReloadWatcher:
    """Follows the files of a manager's plugin folder; `enabled` starts it at once.

    `start` and `stop` are plain calls and need no running loop: saves are taken on the loop that the manager's
    plugins were loaded on. Both are idempotent; a second one is only a warning in the log."""

    def __init__(
        self,
        manager: PluginManager,
        enabled: bool = True,
        debounce_delay: float = 0.5,
        logger: logging.Logger | None = None,
    ) -> None:
        self.manager, self.debounce_delay = manager, debounce_delay
        self.logger = logger or log
        self._handler: ReloadHandler | None = None
        self._watch: Watch | None = None
        if enabled:
            self.start()

    @property
    def is_enabled(self) -> bool:
        """Whether files are followed now."""
        return self._watch is not None

    @property
    def handler(self) -> ReloadHandler | None:
        """The handler that gets the saves; None while it is stopped."""
        return self._handler

    def start(self) -> None:
        """Follow the folder; one that is not there yet is followed from when it appears."""
        if self._watch is not None:
            self.logger.warning("File system watch already started: %s", self.manager.plugin_dir)
            return
        if not self.manager.plugin_dir.is_dir():
            self.logger.warning("Plugin directory does not exist: %s", self.manager.plugin_dir)
        self._handler = ReloadHandler(self.manager, self.debounce_delay, self.logger)
        # The handler waits for the quiet time; the watch only for files to be closed.
        watch = Watch(Filters([str(self.manager.plugin_dir)]), self._on_batch, on_trouble=self._on_trouble)
        try:
            watch.start()
        except MidflightError as error:
            self._handler = None
            self.logger.warning("Hot reload is off: %s", error)
            return
        self._watch = watch
        self._handler._wake_up()
        self.logger.info("File system watch started: %s", self.manager.plugin_dir)

    def stop(self) -> None:
        """Give the watcher's thread back; a reload that is running is ended properly."""
        if self._watch is None:
            self.logger.warning("File system watch is not running: %s", self.manager.plugin_dir)
            return
        self._watch.stop()
        self._watch = None
        if self._handler is not None:
            self._handler.end()
            self._handler = None
        self.logger.info("File system watch stopped: %s", self.manager.plugin_dir)

    def status(self) -> dict[str, object]:
        """What is watched, and how."""
        return self._watch.status() if self._watch is not None else {"running": False}

    def _on_batch(self, batch: Batch) -> None:
        if self._handler is not None:
            self._handler.queue(*(change.path for change in (*batch.code, *batch.data)))

    def _on_trouble(self, kind: str, text: str) -> None:
        self.logger.warning("Hot reload: %s", text)

    def __repr__(self) -> str:
        state = "enabled" if self.is_enabled else "disabled"
        return f"<HotReloadWatcher: {state}, {self.debounce_delay:g} s, dir={self.manager.plugin_dir}>"
