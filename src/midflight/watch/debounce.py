"""Changes → Batches: one Batch per burst of saves."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from midflight.values import Batch, Change, ChangeKind
    from midflight.watch.filters import Kind

# midflight.values is imported where the first change comes: a fifth of a session's start, which need not wait for it.

# What a file has come to when one change follows another within a batch. A new file that is gone again may have been
# imported in between, so it counts as deleted.
NET: dict[tuple[ChangeKind, ChangeKind], ChangeKind] = {
    ("added", "added"): "added",
    ("added", "modified"): "added",
    ("added", "deleted"): "deleted",
    ("modified", "added"): "modified",
    ("modified", "modified"): "modified",
    ("modified", "deleted"): "deleted",
    ("deleted", "added"): "modified",
    ("deleted", "modified"): "modified",
    ("deleted", "deleted"): "deleted",
}

# How often to ask again whether git is done; each asking is one stat.
LOCK_MS = 4.0


class Window(NamedTuple):
    """How long a batch stays open, in milliseconds after its last change."""

    # Measured on Linux, two busy cores, bursts of 1000 files by git checkout, cp -r, tar, sed -i and a formatter, five
    # times each: the second file came at most 1.3 ms after the first, and no later gap was longer than 10.2 ms.

    one: float = 4.0
    several: float = 20.0
    longest: float = 2000.0
    # Editors truncate a file, or move it away, before they write it anew; a reload in between would lose what it holds.
    empty: float = 200.0
    gone: float = 100.0

    @classmethod
    def of(cls, quiet_ms: float | None, settle_ms: float = 0.0) -> Window:
        """The default window, or one that `quiet_ms` sets: four times as long, up to 50 ms, from the second file on.

        `settle_ms` is the least that a backend needs which cannot tell when a file is closed."""
        if quiet_ms is None:
            return cls(one=max(cls().one, settle_ms), several=max(cls().several, settle_ms))
        quiet = max(0.0, quiet_ms, settle_ms)
        return cls(quiet, max(quiet, min(4 * quiet, 50.0)), max(2000.0, 2 * quiet))


class _Pending:
    __slots__ = ("change", "empty", "first_ms", "kind", "last_ms")

    def __init__(self, change: Change, kind: Kind, empty: bool, first_ms: float, last_ms: float) -> None:
        self.change, self.kind, self.empty = change, kind, empty
        self.first_ms, self.last_ms = first_ms, last_ms


class Debouncer:
    """Holds changes until their burst is over. Gets every time as a value, on one monotonic clock in milliseconds.

    `wake_ms` is when to call `due` again if nothing else happens; None where only a further change can matter."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.wake_ms: float | None = None
        self._pending: dict[str, _Pending] = {}

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def begun_ms(self) -> float:
        """When the first of the pending changes came; only while there are any."""
        return min(one.first_ms for one in self._pending.values())

    def paths(self) -> list[str]:
        return list(self._pending)

    def feed(self, change: Change, kind: Kind, empty: bool = False) -> None:
        """Takes one change in. `empty` says that the file now has no content."""
        from midflight.values import Change

        old = self._pending.pop(change.path, None)
        net = NET[old.change.kind, change.kind] if old else change.kind
        merged = Change(change.path, net, change.at_ms)
        first = old.first_ms if old else change.at_ms
        self._pending[change.path] = _Pending(merged, kind, empty and net == "modified", first, change.at_ms)
        self.wake_ms = change.at_ms

    def due(
        self, now_ms: float, writing: Collection[str] = (), busy: bool = False, locked: bool = False
    ) -> Batch | None:
        """The Batch that is complete by now, if any.

        Files in `writing` stay behind for a later batch. `busy` (a writer has not closed its file) keeps the batch open
        until `window.longest` after its first change; `locked` (git is at work), so long after its last."""
        ready = self._ready(now_ms, writing)
        if not ready:
            self.wake_ms = None
            return None
        # A checkout on a slow disk may take any time, and half of it is no program.
        begun = max(one.last_ms for one in ready) if locked else min(one.first_ms for one in ready)
        limit = begun + self.window.longest
        closes = min(limit, limit if busy else self._quiet_at(ready))
        if now_ms < closes:
            self.wake_ms = closes
        elif locked and now_ms < limit:
            self.wake_ms = min(now_ms + LOCK_MS, limit)
        else:
            return self._close(ready, now_ms)
        return None

    def flush(self, now_ms: float, writing: Collection[str] = ()) -> Batch:
        """Everything that is pending but for the files in `writing`, at once; maybe nothing."""
        return self._close(self._ready(now_ms, writing), now_ms)

    def _ready(self, now_ms: float, writing: Collection[str]) -> list[_Pending]:
        for path in writing:
            if path in self._pending:  # its time begins when its writer is done
                self._pending[path].first_ms = now_ms
        return [one for path, one in self._pending.items() if path not in writing]

    def _quiet_at(self, ready: list[_Pending]) -> float:
        # Code waits for code only: a program that goes on writing its data files must not hold up a save.
        code = [one for one in ready if one.kind == "code"]
        quiet = self.window.one if len(ready) == 1 else self.window.several
        last = max(one.last_ms for one in code or ready)
        return max(last + quiet, *map(self._back_by, code), 0.0)

    def _back_by(self, one: _Pending) -> float:
        """When a file that was emptied or deleted would be back if it were only being saved."""
        if one.change.kind == "deleted":
            return one.last_ms + self.window.gone
        return one.last_ms + self.window.empty if one.empty else 0.0

    def _close(self, ready: list[_Pending], now_ms: float) -> Batch:
        from midflight.values import Batch

        for one in ready:
            del self._pending[one.change.path]
        self.wake_ms = now_ms if self._pending else None
        ordered = sorted(ready, key=lambda one: one.last_ms)
        code = tuple(one.change for one in ordered if one.kind == "code")
        data = tuple(one.change for one in ordered if one.kind == "data")
        return Batch(code, data, now_ms)
