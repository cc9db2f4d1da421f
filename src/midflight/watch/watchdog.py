"""File events by the library watchdog."""

from __future__ import annotations

import contextlib
import importlib
import os
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from midflight.watch.backend import Hint, Silent, hints
from midflight.watch.tree import Folder

# watchdog holds a file that was moved away back for so long, to see whether it turns up elsewhere, and all that comes
# after it waits too. Its own half second is felt; 20 ms was tried and finds the pairs as well.
PAIRING_S = 0.02


class Watchdog(Silent):
    """watchdog's threads bring paths, ours looks there. Folders that count only in part are polled."""

    name = "watchdog"

    def __init__(self) -> None:
        super().__init__()
        self._paths: deque[str] = deque()
        self._observer: Any = None
        self._covered: list[str] = []
        # Its warnings of several KB each fill a pipe that nobody reads, and then it stands still.
        warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)

    def enter(self, folder: Folder) -> None:
        if folder.only is not None:
            self.polled.add(folder.path)

    def cover(self, roots: Iterable[str]) -> None:
        folders = sorted(root for root in roots if os.path.isdir(root))
        if folders == self._covered:
            return
        self._end()
        self._covered = folders
        self._observer = Observer()
        handler = _Handler(self)
        with _short_pairing():
            for folder in folders:
                self._observer.schedule(handler, folder, recursive=True)
            self._observer.start()

    def tell(self, path: str) -> None:
        """Called on watchdog's thread."""
        self._paths.append(path)
        self.wake()

    def _end(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def read(self) -> Iterator[Hint]:
        while self._paths:
            yield from hints(self._paths.popleft())

    def close(self) -> None:
        self._end()
        super().close()


class _Handler(FileSystemEventHandler):
    def __init__(self, backend: Watchdog) -> None:
        self._backend = backend

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in ("opened", "closed_no_write") or (event.is_directory and event.event_type == "modified"):
            return
        for path in (event.src_path, event.dest_path):
            if path:
                self._backend.tell(os.fsdecode(path))


@contextlib.contextmanager
def _short_pairing() -> Iterator[None]:
    """The delay is a class attribute, read when a watch is made: the program's own observers must keep theirs."""
    grouper = _grouper()
    before = getattr(grouper, "delay", None)
    if before is None:
        yield
        return
    try:
        grouper.delay = PAIRING_S
        yield
    finally:
        grouper.delay = before


def _grouper() -> Any:
    """The class that has the delay on Linux: its name changed from watchdog 6 to 7."""
    for module, name in (
        ("inotify_move_event_grouper", "InotifyMoveEventGrouper"),
        ("inotify_buffer", "InotifyBuffer"),
    ):
        with contextlib.suppress(ImportError):
            return getattr(importlib.import_module(f"watchdog.observers.{module}"), name)
    return None
