"""Polling: for systems and file systems without events, and for what is left when a limit is reached."""

from __future__ import annotations

import threading
import time

from midflight.values import Change
from midflight.watch.tree import Folder, Tree

LEAST_S = 0.25
# A scan may take this share of one core and no more.
TIMES_ITS_COST = 10


class Pace:
    """When to look next: at least `least_s` later, and at least ten times as long as the last look took."""

    def __init__(self, least_s: float = LEAST_S) -> None:
        self.least_ms = least_s * 1000
        self.took_ms = 0.0
        self.next_ms = 0.0

    @property
    def interval_ms(self) -> float:
        return max(self.least_ms, TIMES_ITS_COST * self.took_ms)

    def looked(self, started_ms: float, ended_ms: float) -> None:
        self.took_ms = ended_ms - started_ms
        self.next_ms = ended_ms + self.interval_ms


class Polling:
    """Compares stamps of all files every quarter of a second, less often where that would cost too much."""

    name = "polling"
    exact = False

    def __init__(self) -> None:
        self.lost = 0
        self._pace = Pace()
        self._woken = threading.Event()
        self._folders: set[str] = set()

    def enter(self, folder: Folder) -> None:
        self._folders.add(folder.path)

    def leave(self, path: str) -> None:
        self._folders.discard(path)

    def armed(self, tree: Tree) -> None:
        self._look(tree)

    def wait(self, timeout_s: float | None) -> None:
        self._woken.wait(timeout_s)
        self._woken.clear()

    def wake(self) -> None:
        self._woken.set()

    def read(self, tree: Tree, now: bool = False) -> list[Change]:
        return self._look(tree) if now or _now_ms() >= self._pace.next_ms else []

    def _look(self, tree: Tree) -> list[Change]:
        started = _now_ms()
        changes = tree.look_everywhere()
        self._pace.looked(started, _now_ms())
        return changes

    def writing(self) -> dict[str, float]:
        return {}

    def due_ms(self) -> float | None:
        return self._pace.next_ms

    def polled(self) -> list[str]:
        return sorted(self._folders)

    def close(self) -> None:
        self._folders.clear()


def _now_ms() -> float:
    return time.monotonic() * 1000
