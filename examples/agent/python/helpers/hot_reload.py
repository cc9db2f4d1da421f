"""File monitoring: what is saved under the watched folders is told at once, and taken by the session."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path

import midflight
from midflight import Change, Session

ROOT = Path(__file__).resolve().parents[2]
PATTERNS = ("*.py", "*.md", "*.txt")
EVENTS = {"added": "CREATED", "modified": "MODIFIED", "deleted": "DELETED"}

OnChange = Callable[[Change], None]


class HotReloadHandler:
    """Says what happened to a file and hands it on, if its name matches one of `patterns`."""

    def __init__(self, on_change: OnChange, patterns: Sequence[str] = PATTERNS) -> None:
        self.on_change, self.patterns = on_change, patterns

    def __call__(self, change: Change) -> None:
        name = os.path.basename(change.path)
        if any(fnmatch(name, pattern) for pattern in self.patterns):
            print(f"Hot-Reload: {EVENTS[change.kind]} - {name}", flush=True)
            self.on_change(change)


class FileWatcher:
    """Tells `handler` of each file that `session` sees change, once for a burst of saves and before it is taken."""

    def __init__(self, session: Session, handler: HotReloadHandler) -> None:
        self._session, self._handler = session, handler
        self._stop: Callable[[], None] | None = None

    @property
    def is_running(self) -> bool:
        return self._stop is not None

    def start(self) -> None:
        if self._stop is None:
            self._stop = self._session.subscribe(self._handler, data="**/*")

    def stop(self) -> None:
        if self._stop is not None:
            self._stop()
            self._stop = None


class HotReloadManager:
    """The process's session and its watcher. Folders, backend and debounce time stand in pyproject.toml."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.watcher: FileWatcher | None = None

    @property
    def is_running(self) -> bool:
        return self.session is not None and self.session.running

    @property
    def watched(self) -> list[str]:
        """The folders and files, as pyproject.toml names them."""
        paths = self.session.paths if self.session is not None else ()
        return [os.path.relpath(path, os.path.realpath(ROOT)) for path in paths]

    def start(self, on_change: OnChange) -> bool:
        """Whether it runs now: not where HOT_RELOAD_ENABLED is false. Idempotent. Raises MidflightError."""
        self.session = midflight.start()
        if self.is_running and self.watcher is None:
            self.watcher = FileWatcher(self.session, HotReloadHandler(on_change))
            self.watcher.start()
        return self.is_running

    def stop(self) -> None:
        """The program runs on with the code that it has."""
        if self.watcher is not None:
            self.watcher.stop()
            self.watcher = None
        if self.session is not None:
            self.session.stop()
