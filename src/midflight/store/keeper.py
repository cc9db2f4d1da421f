"""One session's versions and reports: in the store, and in memory for as long as that cannot be used.

A report is noted in the session's own file, which costs a reload one write and outlives the process. A thread of the
keeper's own does what can wait: putting it into the store, syncing, ending windows, trying again, tidying. Whoever asks
for something has what is noted put into the store first."""

from __future__ import annotations

import collections
import contextlib
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from midflight.errors import StoreError
from midflight.store.database import Corrupt
from midflight.store.files import FileWrites
from midflight.store.intents import Intents
from midflight.store.memory import Memory, Place
from midflight.store.past import Past
from midflight.store.presence import Presence, dead
from midflight.store.settle import settle
from midflight.store.unsaved import Key, Unsaved
from midflight.store.versions import Ran, Store, Wanted
from midflight.values import Changed, Report

log = logging.getLogger("midflight")

RETRY_S = 5.0  # between two attempts to use a store that could not be
RESERVED = 4  # numbers of reports at hand: reloads that follow one another closely come before the store's thread
MOST_UNSAVED = 1000  # writes that wait in memory
MOST_NOTED = 50  # of those, reports that the session does not wait for to be stored
LOOK_BACK = 2000  # reports of other folders that are passed over in search of this session's
PAGE = 200  # reports read at once
TIDY_EVERY = 20  # writes

_of_parents: list[Store | None] = []  # in a forked child, never closed


@dataclass(slots=True)
class Waiting:
    """A write that is to reach the store. `remember` does the same in memory, once, where the store cannot be used."""

    write: Callable[[Store], None]
    remember: Callable[[], None] | None


@dataclass(frozen=True, slots=True)
class Window:
    """What one report brought and is not stable yet, until `ends` on the monotonic clock. `places` (module, path) are
    all that went live with it; `changed` is what it and the unproven text that it was built on changed."""

    report_id: str
    texts: tuple[Key, ...]
    ends: float
    places: frozenset[Place] = frozenset()
    changed: frozenset[Changed] = frozenset()

    def only(self, texts: Sequence[Key]) -> Window:
        return replace(self, texts=tuple(key for key in self.texts if key in texts))

    def without(self, places: frozenset[Place]) -> Window:
        if places.isdisjoint(key[:2] for key in self.texts):
            return self
        return replace(self, texts=tuple(key for key in self.texts if key[:2] not in places))


class Reserved(NamedTuple):
    """Numbers of reports that are taken and not given yet, and the state of the store for which they are good."""

    first: int
    last: int
    written: tuple[int, int]

    def without_first(self) -> Reserved | None:
        return self._replace(first=self.first + 1) if self.first < self.last else None


class Keeper:
    """Versions and reports of the session whose files are `wanted`. `tell(kind, report_id, detail)` says what becomes
    known later, `passed(window)` that one is over, `trouble(text)` what stands in the way of the store."""

    def __init__(
        self,
        folder: str,
        *,
        wanted: Wanted,
        keep: int,
        window_s: float,
        tell: Callable[[str, str, dict[str, object]], None],
        passed: Callable[[Window], None],
        trouble: Callable[[str], None],
    ) -> None:
        self.folder, self._wanted, self._keep, self._window_s = folder, wanted, keep, window_s
        self._tell, self._passed, self._trouble = tell, passed, trouble
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._store: Store | None = None
        self._presence: Presence | None = None
        self._retry_at = 0.0
        self._said = ""
        self._memory = Memory(keep)
        self._unsaved: collections.deque[Waiting] = collections.deque(maxlen=MOST_UNSAVED)
        self._latest: dict[Key, None] = {}  # texts that were noted or stored, and need not be noted again
        self._unsynced: list[str] = []
        self._windows: list[Window] = []
        self._number = 0
        self._reserved: Reserved | None = None
        self._writes = 0
        self._dead = False
        self._to_do: collections.deque[Callable[[], None]] = collections.deque()
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    # -- the store ----------------------------------------------------------------------------------

    def open(self) -> Store | None:
        """The store, None where it cannot be used now."""
        with self._lock:
            if self._store is None and not self._closed and time.monotonic() >= self._retry_at:
                self._try(self._open)
            return self._store

    def _open(self, distrusted: bool = False) -> None:
        store = Store(self.folder, distrusted=distrusted)
        if store.database.moved_aside:
            self._trouble(f"the store was corrupt: it lies in {store.database.moved_aside}, and a new one was begun")
        if self._presence is None:
            self._presence = Presence(self.folder)
        self._store = store

    def _try(self, action: Callable[[], object]) -> bool:
        """Whether it could be done; if not, why is said once."""
        try:
            action()
        except (StoreError, OSError) as error:
            self._failed(error)
            return False
        return True

    def _failed(self, error: StoreError | OSError) -> None:
        if isinstance(error, Corrupt) and self._store is not None:
            self._store.close()
            self._store, self._latest = None, {}  # a new one has none of those texts
            self._try(lambda: self._open(distrusted=True))
            return
        self._retry_at = time.monotonic() + RETRY_S
        why = error.why if isinstance(error, StoreError) else str(error)
        if why != self._said:
            self._said = why
            self._trouble(f"{error}\n  Versions and reports stay in memory until it can be; reloads go on.")

    def past(self) -> Past:
        """What this session's files ran, also in earlier processes."""
        return Past(self._readable(), self._memory, self._wanted)

    def _readable(self) -> Store | None:
        """The store also after `close`, to be read."""
        if not self._closed:
            self._flush()
            return self.open()
        with contextlib.suppress(StoreError):
            return Store(self.folder, read_only=True)
        return None

    def settle(self) -> list[str]:
        """Put in order what sessions that died left behind; a line for each thing found."""
        store, lines = self.open(), list[str]()
        if store is not None:
            self._try(lambda: lines.extend(settle(store)))
        return lines

    def intents(self) -> Intents | None:
        """For a transaction that writes files. What a dead session left of its own is put in order first."""
        store = self.open()
        if store is not None and dead(self.folder):
            for line in self.settle():
                self._trouble(line)
        return Intents(store.database, self._presence.name) if store is not None and self._presence else None

    def close(self) -> None:
        """What was written is on the disk, and nothing of this session is left to be settled."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._closed = True
        self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        if self._store is not None:
            self._try(self._say_goodbye)
            self._store.close()
        if self._presence is not None:
            with contextlib.suppress(OSError):
                (self._presence.let_go if self._dead else self._presence.end)()
        self._store = self._presence = None

    def _say_goodbye(self) -> None:
        self._flush()
        assert self._store is not None and self._presence is not None
        if self._reserved is not None:
            self._store.journal.give_back(self._reserved.first, self._reserved.last)
        if not self._dead:
            self._store.versions.end_window(self._presence.name)
        self._sync()

    def leave_to_parent(self) -> None:
        """In a forked child: the store is the parent's."""
        self._closed = True
        _of_parents.append(self._store)  # closed here it could be tidied under the parent's feet
        self._store = self._thread = None
        if self._presence is not None:
            self._presence.let_go()

    # -- writes -------------------------------------------------------------------------------------

    def number(self) -> int:
        """The next report's number: over all processes, or over this one where the store cannot be used."""
        with self._lock:
            store, held = self.open(), self._reserved
            if store is not None and held is not None and store.database.written() == held.written:
                self._number, self._reserved = held.first, held.without_first()
            elif store is None or not self._try(lambda: self._take_number(store)):
                self._number += 1
            return self._number

    def _take_number(self, store: Store) -> None:
        reserved, self._reserved = self._reserved, None
        if reserved is not None:
            store.journal.give_back(reserved.first, reserved.last)  # only the file's times told of another, perhaps
        self._number = store.journal.next_number(self._number)

    def _reserve(self) -> None:
        """Have the next numbers at hand. They count only if no other process wrote meanwhile: they are in order."""
        store, held = self._store, self._reserved
        if store is None:
            return
        missing = RESERVED - (held.last - held.first + 1 if held is not None else 0)
        if held is not None and store.journal.more_numbers(held.last, missing):
            first, last = held.first, held.last + missing
        else:
            first = store.journal.next_number(self._number, RESERVED)
            last = first + RESERVED - 1
        self._reserved = Reserved(first, last, store.database.written())

    def record(
        self, report: Report, ran: Sequence[Ran], *, reason: str, author: str, writing: FileWrites | None
    ) -> None:
        """The report and what ran because of it: after this they outlive the process; `durable` is told later."""
        one = Unsaved(report, ran, reason, author)
        with self._lock:
            self._open_window(self._window(one))
            noted = writing is None and self._note(one)
            self._unsaved.append(Waiting(functools.partial(self._save, one, writing), lambda: self._remember(one)))
            if not noted:
                self._flush()
        if writing is not None:
            self._try(writing.finish)

    def _note(self, one: Unsaved) -> bool:
        """Whether it outlives the process already. Where the store is in trouble that is to be seen at once."""
        if self._store is None or self._presence is None or self._said or len(self._unsaved) >= MOST_NOTED:
            return False
        data = one.to_bytes(self._latest)
        if not self._try(lambda: self._presence.note(data)):  # type: ignore[union-attr]
            return False
        self._latest |= {each.key: None for each in one.ran if each.after is not None}
        for key in list(self._latest)[:-MOST_NOTED]:
            del self._latest[key]
        return True

    def _save(self, one: Unsaved, writing: FileWrites | None, store: Store) -> None:
        with store.database.write(synced=False, wait_s=1):
            unproven = one.save(store, self._presence.name if self._presence is not None else "")
            if writing is not None:
                writing.recorded()
        self._prove(one.report.id, unproven)
        self._unsynced.append(one.report.id)

    def _remember(self, one: Unsaved) -> None:
        self._memory.record(one.report, one.ran, one.reason, one.author)
        fresh = [each.key for each in one.ran if each.sha_after is not None]
        self._prove(one.report.id, [key for key in fresh if not self._memory.is_stable(*key)])

    def follow(self) -> None:
        """The reports recorded so far were told: what follows from them may be."""
        if not self._window_s:
            for window in self.windows():
                self.stable(window)
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="midflight-store", daemon=True)
                self._thread.start()
        self._wake.set()

    def _put(self, write: Callable[[Store], None]) -> None:
        """Into the store; if it cannot be, it waits behind what waits already."""
        self._unsaved.append(Waiting(write, None))
        self._flush()

    def save(self) -> None:
        """What was recorded is in the store when this returns, or what stands in the way was said."""
        self._flush()

    def _flush(self) -> bool:
        """Whether all that waits is in the store."""
        with self._lock:
            waited = bool(self._unsaved)
            while self._unsaved:
                store = self.open()
                if store is None or not self._flushed(store):
                    self._remember_all()
                    return False
            if waited and not self._closed:
                self._try(self._reserve)  # in this step: a reload after it would find the store written, and no number
            self._memory.clear()
            if self._presence is not None and not self._closed:
                self._try(self._presence.forget)
            return True

    def _flushed(self, store: Store) -> bool:
        """Whether the first that waits is in the store, or another store has taken the place of a corrupt one."""
        if self._try(lambda: self._unsaved[0].write(store)):
            self._unsaved.popleft()
            self._writes += 1
            self._said = ""
            return True
        return self._store is not None and self._store is not store

    def _remember_all(self) -> None:
        for one in self._unsaved:
            if one.remember is not None:
                one.remember()
                one.remember = None

    # -- windows ------------------------------------------------------------------------------------

    def _unproven(self, report: Report, places: frozenset[Place]) -> frozenset[Changed]:
        """What was changed in the text that the report was built on: names, not reports, for a program that is edited
        all day has more and more of these. What is gone can no longer be to blame."""
        built_on = frozenset[Changed]().union(*(one.changed for one in self._windows if one.places & places))
        gone = report.removed()
        return frozenset(one for one in built_on if not _within(one, gone)) if gone else built_on

    def _window(self, one: Unsaved) -> Window:
        """Until it is known which of its texts are stable, none is."""
        fresh = tuple(each.key for each in one.ran if each.after is not None)
        places = frozenset(key[:2] for key in fresh)
        changed = self._unproven(one.report, places) | one.report.changed()
        return Window(one.report.id, fresh, time.monotonic() + self._window_s, places, changed)

    def _prove(self, report_id: str, unproven: Sequence[Key]) -> None:
        """Of what that report brought only these texts are not stable."""
        left = [one.only(unproven) if one.report_id == report_id else one for one in self._windows]
        self._windows = [one for one in left if one.texts]

    def _open_window(self, window: Window) -> None:
        # A module that is edited again begins anew: its version before never becomes stable.
        self._windows = [left for one in self._windows if (left := one.without(window.places)).texts]
        if window.texts:
            self._windows.append(window)

    def windows(self) -> list[Window]:
        """Those that are open."""
        with self._lock:
            self._flush()
            return list(self._windows)

    def stable(self, window: Window) -> None:
        """What is left of it passed."""
        if self._close_window(window, True, f"{self._window_s:g} s passed since {window.report_id} without trouble"):
            self._tell("stable", window.report_id, {"versions": _ids(window)})

    def reject(self, report_id: str, why: str) -> list[Window]:
        """What that report brought failed after its commit, and with it whatever was edited since of the same modules
        and of those that went live with them. Gives the windows, now closed."""
        with self._lock:
            found = _entangled(self.windows(), report_id)
            for window in found:
                self._close_window(window, False, why)
        for window in found:
            self._tell("rejected", window.report_id, {"versions": _ids(window), "why": why})
        return found

    def died(self, window: Window, why: str) -> None:
        """The program ends because of it: its next start is to say so."""
        self._dead = True
        if self._close_window(window, False, why, keep_open=True):
            self._tell("rejected", window.report_id, {"versions": _ids(window), "why": why})

    def later(self, action: Callable[[], None]) -> None:
        """Do it on this keeper's own thread."""
        self._to_do.append(action)
        self._wake.set()

    def _close_window(self, window: Window, good: bool, why: str, *, keep_open: bool = False) -> bool:
        at = time.time()

        def write(store: Store) -> None:
            with store.database.write(synced=self._window_s > 0):
                (store.versions.mark_stable if good else store.versions.reject)(window.texts, at, why)
                if self._presence is not None and not keep_open:
                    store.versions.end_window(self._presence.name, window.report_id)

        with self._lock:
            if window not in self._windows:
                return False
            self._windows.remove(window)
            self._memory.mark(window.texts, good)
            self._put(write)
            return True

    # -- reports ------------------------------------------------------------------------------------

    def history(self, limit: int, before: str | None) -> list[Report]:
        """Reports older than `before`, newest first, as far as they speak of this session's files."""
        store, found = self._readable(), list[Report]()
        if store is not None:
            self._try(lambda: found.extend(self._reports(store, limit, before)))
        return found

    def report(self, report_id: str) -> Report | None:
        store, found = self._readable(), list[Report]()
        if store is not None:
            self._try(lambda: found.extend(one[1] for one in [store.journal.report(report_id)] if one))
        return found[0] if found else None

    def _reports(self, store: Store, limit: int, before: str | None) -> Iterator[Report]:
        at = store.journal.report(before) if before else None
        seq, looked = at[0] if at else None, 0
        while limit > 0 and looked < LOOK_BACK:
            page = store.journal.reports(min(limit, PAGE), seq)
            for _, report in page:
                if limit > 0 and any(map(self._wanted, _paths(report))):
                    limit -= 1
                    yield report
            if not page:
                return
            seq, looked = page[-1][0], looked + len(page)

    # -- what can wait ------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._closed:
            self._wake.wait(self._until_next())
            self._wake.clear()
            if self._flush():
                self._try(self._sync)
            while self._to_do:
                self._to_do.popleft()()
            for window in self.windows():
                if window.ends <= time.monotonic() and not self._closed:
                    self._passed(window)
            if self._writes >= TIDY_EVERY:
                self._try(self._tidy)

    def _until_next(self) -> float | None:
        """Seconds, None where nothing is to be done until somebody says so."""
        times = [window.ends for window in self.windows()]
        if self._unsaved:
            times.append(self._retry_at)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _sync(self) -> None:
        with self._lock:
            store, waiting = self._store, list(self._unsynced)
        if store is None or not waiting:
            return
        store.database.sync()
        with self._lock:
            self._unsynced = self._unsynced[len(waiting) :]
        for report_id in waiting:
            self._tell("durable", report_id, {})

    def _tidy(self) -> None:
        self._writes = 0
        store = self.open()
        if store is not None:
            store.versions.tidy(self._keep, time.time())
            store.database.tidy()


def _ids(window: Window) -> list[str]:
    return [f"{module}@{sha[:12]}" for module, _, sha in window.texts]


def _within(changed: Changed, gone: frozenset[tuple[str, str]]) -> bool:
    path, name, _ = changed
    return any(path == at and (name == one or name.startswith(f"{one}.")) for at, one in gone)


def _entangled(windows: Sequence[Window], report_id: str) -> list[Window]:
    """The window of that report and all that share a module's fate with it, oldest first."""
    found = [window for window in windows if window.report_id == report_id]
    places = frozenset[Place]().union(*(window.places for window in found))
    while more := [window for window in windows if window not in found and window.places & places]:
        found += more
        places = places.union(*(window.places for window in more))
    return [window for window in windows if window in found]


def _paths(report: Report) -> Iterable[str]:
    yield from (done.path for done in report.modules.values())
    yield from (problem.path for problem in report.problems)
