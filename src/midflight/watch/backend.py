"""What every source of file events can do, and the one that has none."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, Protocol

from midflight.watch.tree import Folder

# No library says that a root itself was moved away or came back.
ROOTS_MS = 500.0


class Hint(NamedTuple):
    """Where to look. Whether something really changed there, and how, the tree finds out.

    entry: something happened to this file or link; found: a folder is new here; gone: a folder is gone from here;
    again: list this folder once more; lost: events were dropped, look everywhere; roots: see whether all are there."""

    what: Literal["entry", "found", "gone", "again", "lost", "roots"]
    path: str


class Backend(Protocol):
    """One source of file events. All but `wait` and `wake` are called by one thread at a time.

    `settle_ms` is 0 for a backend that knows when a file is closed; else how long a file must lie still to count as
    written. `careful` says that events may be lost without a word. `polled` are the folders without events."""

    name: str
    settle_ms: float
    careful: bool
    polled: set[str]

    def enter(self, folder: Folder) -> None:
        """Watches a folder, or puts it into `polled`."""

    def leave(self, path: str) -> None:
        """Watches a folder no longer."""

    def cover(self, roots: Iterable[str]) -> None:
        """Watches these folders with all below them, where that is how the backend works. Raises OSError."""

    def retry(self, folders: Mapping[str, Folder]) -> list[str]:
        """Tries again to watch what could not be; returns what still cannot."""

    def suspect(self, path: str, until_ms: float) -> None:
        """Takes a file as being written until it is closed, or nothing was heard of it until then."""

    def wait(self, timeout_s: float | None) -> None:
        """Returns when there is something to read, after `wake`, or after the time; None is for ever."""

    def wake(self) -> None:
        """Ends a `wait`, now or the next; from any thread."""

    def read(self) -> Iterator[Hint]:
        """What is known so far, without waiting; the next hint is made after the one before was followed."""

    def writing(self, now_ms: float) -> dict[str, float]:
        """Files that are open and not written to their end yet → when they were last written to."""

    def next_ms(self) -> float | None:
        """When `read` will have something to say though no event comes."""

    def close(self) -> None:
        """Gives everything back."""


class Silent:
    """The backend without events: every folder is polled. The base of those whose events come from other threads."""

    name = "polling"
    settle_ms = 50.0
    careful = True

    def __init__(self) -> None:
        self.polled: set[str] = set()
        self._awake = threading.Event()

    def enter(self, folder: Folder) -> None:
        self.polled.add(folder.path)

    def leave(self, path: str) -> None:
        self.polled.discard(path)

    def cover(self, roots: Iterable[str]) -> None:
        return

    def retry(self, folders: Mapping[str, Folder]) -> list[str]:
        return []

    def suspect(self, path: str, until_ms: float) -> None:
        return

    def wait(self, timeout_s: float | None) -> None:
        self._awake.wait(timeout_s)
        self._awake.clear()

    def wake(self) -> None:
        self._awake.set()

    def read(self) -> Iterator[Hint]:
        yield from ()

    def writing(self, now_ms: float) -> dict[str, float]:
        return {}

    def next_ms(self) -> float | None:
        return None

    def close(self) -> None:
        self.polled.clear()


class Told(Silent):
    """The base of backends whose library brings paths on a thread of its own. Folders that count in part are polled."""

    def __init__(self) -> None:
        super().__init__()
        self._paths: deque[str] = deque()
        self._check_ms = 0.0

    def enter(self, folder: Folder) -> None:
        if folder.only is not None:
            self.polled.add(folder.path)
        else:
            self.polled.discard(folder.path)

    def tell(self, paths: Iterable[str]) -> None:
        """Called on the library's thread."""
        self._paths.extend(paths)
        self.wake()

    def read(self) -> Iterator[Hint]:
        while self._paths:
            yield from hints(self._paths.popleft())
        now_ms = time.monotonic() * 1000
        if now_ms >= self._check_ms:
            self._check_ms = now_ms + ROOTS_MS
            yield Hint("roots", "")

    def next_ms(self) -> float | None:
        return self._check_ms


def hints(path: str) -> Iterator[Hint]:
    """For a path of which it is only known that something happened: the disk says what it is now."""
    if os.path.isdir(path) and not os.path.islink(path):
        yield Hint("found", path)
    elif os.path.lexists(path):
        yield Hint("entry", path)
    else:
        yield Hint("gone", path)
        yield Hint("entry", path)
