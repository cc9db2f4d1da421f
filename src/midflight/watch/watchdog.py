"""File events by the library watchdog."""

from __future__ import annotations

import contextlib
import importlib
import os
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from midflight.watch.backend import Told

# watchdog holds a file that was moved away back for so long, to see whether it turns up elsewhere, and all that comes
# after it waits too. Its own half second is felt; 20 ms was tried and finds the pairs as well.
PAIRING_S = 0.02


class Watchdog(Told):
    """watchdog's threads bring paths, ours looks there."""

    name = "watchdog"

    def __init__(self) -> None:
        super().__init__()
        self._observer: Any = None
        # Its warnings of several KB each fill a pipe that nobody reads, and then it stands still.
        warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)

    def cover(self, roots: Iterable[str]) -> None:
        self._end()
        self._observer = Observer()
        handler = _Handler(self)
        with _short_pairing():
            for folder in roots:
                self._observer.schedule(handler, folder, recursive=True)
            self._observer.start()

    def _end(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def close(self) -> None:
        self._end()
        super().close()


class _Handler(FileSystemEventHandler):
    def __init__(self, backend: Watchdog) -> None:
        self._backend = backend

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in ("opened", "closed_no_write") or (event.is_directory and event.event_type == "modified"):
            return
        self._backend.tell([os.fsdecode(path) for path in (event.src_path, event.dest_path) if path])


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
