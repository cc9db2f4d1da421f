"""Watch: file events → Batches, from whatever source of events this machine has."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from midflight.errors import WatchError
from midflight.watch.backend import Backend, Hint, Silent
from midflight.watch.debounce import Debouncer, Window
from midflight.watch.filters import Filters
from midflight.watch.polling import Poller
from midflight.watch.sweep import Sweep
from midflight.watch.tree import Tree

if TYPE_CHECKING:
    from midflight.values import Batch, Change

__all__ = ["BACKENDS", "Filters", "Watch"]

BACKENDS = ("auto", "inotify", "watchfiles", "watchdog", "polling")

# A writer that has not written for this long does not hold up others.
STALE_MS = 2000.0
# A git lock that is this much older than the first change has nothing to do with it: its git was killed.
LEFT_BEHIND_MS = 10_000.0
# A file that changed this recently when it was found by looking may still be open.
RECENT_MS = 50.0
# A log file below a root must not cost a wake-up for each of its lines: after so many that brought nothing, each soon
# after the one before, there is a pause. A save brings one or two such wake-ups, and must not wait.
NOISY = 10
NOISE_MS = 5.0

logger = logging.getLogger("midflight")


def log(kind: str, text: str) -> None:
    logger.warning("%s", text)


class Watch:
    """Watches the roots of `filters` and calls `on_batch` on its own thread, one Batch at a time.

    `quiet_ms` is how long a save must be the last one (None: measured defaults, see `debounce.Window`); `sweep_s` is
    how often all files are looked at to find what the backend lost. `on_trouble(kind, text)` hears what the watcher
    cannot do: a word (missing, limit, permission, backend); and what stands now, why, what to do. Every method may be
    called from any thread, also from `on_batch`."""

    def __init__(
        self,
        filters: Filters,
        on_batch: Callable[[Batch], None],
        *,
        backend: str = "auto",
        quiet_ms: float | None = None,
        sweep_s: float = 30.0,
        on_trouble: Callable[[str, str], None] = log,
    ) -> None:
        if backend not in BACKENDS:
            raise WatchError(f"No watcher is called {backend!r}", hint=f"Choose one of {', '.join(BACKENDS)}.")
        self._filters, self._on_batch, self._on_trouble = filters, on_batch, on_trouble
        self._wanted, self._quiet_ms, self._sweep_s = backend, quiet_ms, sweep_s
        self._lock = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._held = False
        self._roots = list(filters.roots)
        self._last_trouble = ""
        self._lost = 0
        self._broken: OSError | None = None
        self._delivering = False
        self._turned_ms = 0.0
        self._in_vain = 0
        _watches.add(self)

    # Life

    def start(self) -> None:
        """Returns when every folder is watched: what is saved from now on is seen. Raises WatchError."""
        with self._lock:
            if self._thread is not None:
                return
            self._stopping = threading.Event()
            self._use(self._choose())
            self._thread = threading.Thread(target=self._run, name="midflight-watch", daemon=True)
            self._thread.start()

    def _use(self, backend: Backend) -> None:
        self._backend = backend
        self._tree = Tree(self._filters, backend.enter, backend.leave, backend.careful, backend.polled)
        self._debouncer = Debouncer(Window.of(self._quiet_ms, backend.settle_ms))
        self._sweep, self._poller = Sweep(self._sweep_s), Poller()
        self._unheard: set[str] = set()  # found by the sweep, and no event has told of them yet
        self._covered: set[str] = set()
        self._missing: set[str] = set()
        self._read_ns = time.time_ns()
        self._cover(map(os.path.realpath, self._roots))
        self._tree.add_roots(self._roots)
        self._look_after()

    def stop(self) -> None:
        """Gives back thread, descriptors and watches. What was pending is not delivered."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self._stopping.set()
            self._backend.wake()
        if thread is not threading.current_thread():
            thread.join()

    def hold(self) -> None:
        """From now on batches wait; `drain` still takes them."""
        with self._lock:
            self._held = True

    def release(self) -> None:
        with self._lock:
            self._held = False
            if self._thread is not None:
                self._backend.wake()

    def rearm(self, roots: Sequence[str]) -> None:
        """Watches further roots; what lies there now is no change."""
        with self._lock:
            self._roots += [root for root in roots if root not in self._roots]
            if self._thread is not None:
                self._tree.add_roots(roots)
                self._look_after()
                self._backend.wake()

    def drain(self, wait_ms: float = 1000.0) -> Batch:
        """Everything that has changed until now; it will not be given to `on_batch` too.

        Waits up to `wait_ms` for files that are being written, and for an `on_batch` that is running. Files that are
        still being written stay behind for a later batch."""
        deadline = time.monotonic() + wait_ms / 1000
        with self._lock:
            while self._thread is not None:
                self._take_in(everything=True)
                left = deadline - time.monotonic()
                if left <= 0 or not (self._busy() or self._locked() or self._is_delivering()):
                    batch = self._closed(self._debouncer.flush(_now_ms(), self._writing()))
                    self._hand_on()
                    return batch
                self._wait_with_lock(min(left, 0.005 if self._locked() else left))
        from midflight.values import Batch

        return Batch()

    def unsettled(self, paths: Iterable[str], emptied: Iterable[str] = ()) -> set[str]:
        """Those of `paths` that are being written or have changed again: a later batch brings them. Asked after their
        files were read, it tells which of these contents may be half of what is being saved. `emptied` are those read
        as empty that were not: a truncation is seen by readers before any event tells of it, so these must be old."""
        from midflight.values import Change

        with self._lock:
            if self._thread is None:
                return set()
            self._take_in()
            for path in filter(self._is_fresh, emptied):
                self._debouncer.feed(Change(path, "modified", _now_ms()), "code", empty=True)
            self._hand_on()
            waiting = self._writing().union(self._debouncer.paths())
            return {path for path in paths if path in waiting or not self._is_as_seen(path)}

    def _hand_on(self) -> None:
        """What was read here and is not taken here is for the watch thread: the kernel may let that sleep on, for the
        events that it was told of are gone."""
        if self._debouncer.wake_ms is not None:
            self._backend.wake()

    def _is_fresh(self, path: str) -> bool:
        """Whether it changed so lately that being empty does not count yet."""
        try:
            age_ms = (time.time_ns() - os.stat(path).st_mtime_ns) / 1e6
        except OSError:
            return False
        return 0 <= age_ms < self._debouncer.window.empty

    def _is_as_seen(self, path: str) -> bool:
        """Asked only where no event would have told of a change."""
        if not self._backend.settle_ms and os.path.dirname(path) not in self._backend.polled:
            return True
        return self._tree.is_as_seen(path)

    def status(self) -> dict[str, object]:
        """What is watched, how, and what went wrong, as plain values."""
        with self._lock:
            if self._thread is None:
                return {"running": False, "backend": self._wanted, "roots": list(self._roots)}
            return {
                "running": True,
                "backend": self._backend.name,
                "roots": list(self._tree.roots),
                "missing": sorted(self._missing),
                "folders": len(self._tree.folders),
                "files": self._tree.count_files(),
                "polled": sorted(self._backend.polled),
                "poll_ms": round(self._poller.interval_ms, 1) if self._backend.polled else None,
                "unreadable": sorted(self._tree.unreadable),
                "overflows": self._lost,
                "swept": self._sweep.rounds,
                "found_by_sweep": self._sweep.found,
                "pending": self._debouncer.paths(),
                "being_written": sorted(self._writing()),
                "held": self._held,
                "trouble": self._last_trouble,
            }

    # The thread

    def _run(self) -> None:
        stopping = self._stopping
        try:
            while not stopping.is_set():
                try:
                    self._turn(stopping)
                except OSError as error:
                    self._broken = error
                if self._broken is not None:
                    self._fall_back(self._broken)
        finally:
            with self._lock:  # whoever wakes it holds the lock, so that nobody writes to what is closed
                self._backend.close()

    def _turn(self, stopping: threading.Event) -> None:
        """One wake-up: read, debounce, deliver, and wait for the next."""
        with self._lock:
            # Both before reading: what came while this thread did not run is read first, and only then is it quiet.
            now_ms, locked = _now_ms(), self._locked()
            self._take_in()
            batch = None if self._held or stopping.is_set() else self._due(now_ms, locked)
            self._delivering = batch is not None
            timeout_s = self._timeout_s()
            in_vain = self._debouncer.wake_ms is None and now_ms - self._turned_ms < 4 * NOISE_MS
            self._in_vain, self._turned_ms = self._in_vain + 1 if in_vain else 0, now_ms
        if batch is not None:
            self._deliver(batch)
            return
        if self._in_vain > NOISY:
            stopping.wait(NOISE_MS / 1000)
        self._backend.wait(timeout_s)

    def _deliver(self, batch: Batch) -> None:
        try:
            self._on_batch(batch)
        except Exception:
            logger.exception("taking a batch of %d files failed; watching goes on", len(batch.code) + len(batch.data))
        finally:
            with self._lock:
                self._delivering = False
                self._lock.notify_all()

    def _timeout_s(self) -> float | None:
        times = [self._sweep.next_ms, self._backend.next_ms()]
        if self._backend.polled:
            times.append(self._poller.next_ms)
        if not self._held:
            times.append(self._debouncer.wake_ms)
        return max(0.0, min(time for time in times if time is not None) - _now_ms()) / 1000

    def _wait_with_lock(self, seconds: float) -> None:
        """Waits until the watch thread has read again; on that thread itself, reads."""
        if threading.current_thread() is self._thread:
            self._backend.wait(seconds)
        else:
            self._lock.wait(seconds)

    # One look

    def _take_in(self, everything: bool = False) -> None:
        """Reads all that is known by now into the debouncer; with `everything` also what only looking can find."""
        try:
            self._read()
        except OSError as error:
            self._broken = error  # the watch thread, which may be waiting for this backend, gives it up
            self._backend.wake()
        now_ms = _now_ms()
        if everything and self._backend.careful:
            self._feed(self._tree.look_everywhere())
        elif self._backend.polled and (everything or now_ms >= self._poller.next_ms):
            self._feed(self._poller.look(self._tree, self._backend.polled))
        if now_ms >= self._sweep.next_ms:
            self._sweep_on()
        self._look_after()
        self._lock.notify_all()

    def _read(self) -> None:
        """Follows all hints that there are."""
        began_ns = time.time_ns()
        for hint in self._backend.read():
            changes = self._follow(hint)
            self._unheard.difference_update((hint.path, *(change.path for change in changes)))
            self._feed(changes, found=hint.what != "entry")
        self._read_ns = began_ns

    def _follow(self, hint: Hint) -> list[Change]:
        if hint.what == "entry":
            return self._tree.entry(hint.path)
        if hint.what == "found":
            return self._tree.found(hint.path)
        if hint.what == "gone":
            return self._tree.gone(hint.path)
        if hint.what == "again":
            return self._tree.again(hint.path)
        if hint.what == "roots":
            return self._tree.check_roots()
        self._lost += 1
        logger.info("the kernel's queue of file events overflowed: looking at all files")
        # Files may have changed twice within one tick of the clock, once before the queue was full and once after.
        return self._tree.look_everywhere(since_ns=self._read_ns - 100_000_000)

    def _sweep_on(self) -> None:
        changes = self._sweep.step(self._tree, self._backend.polled)
        self._unheard.update(change.path for change in changes)
        self._read()  # what happened just now is in the queue too, and is not lost
        self._feed(changes, found=True)
        if not self._sweep.busy:
            self._backend.retry(self._tree.folders)

    def _feed(self, changes: Iterable[Change], found: bool = False) -> None:
        for change in changes:
            kind = self._tree.kind(change.path)
            if kind is not None:
                stamp = self._tree.stamp(change.path)
                if found and stamp is not None:
                    self._suspect(change.path, age_ms=(time.time_ns() - stamp[0]) / 1e6)
                self._debouncer.feed(change, kind, empty=kind == "code" and stamp is not None and stamp[1] == 0)

    def _suspect(self, path: str, age_ms: float) -> None:
        if 0 <= age_ms < RECENT_MS:
            self._backend.suspect(path, _now_ms() + RECENT_MS - age_ms)

    def _look_after(self) -> None:
        """What follows from a look: other folders to cover, roots that went or came."""
        if self._cover(self._tree.bases()) and self._backend.careful:
            self._feed(self._tree.look_everywhere())  # what came while the library changed its watches is lost
        missing = {root for root, real in self._tree.roots.items() if not real}
        for root in sorted(missing - self._missing):
            self._trouble("missing", f"{root} is not there\n  It is watched as soon as it appears.")
        for root in sorted(self._missing - missing):
            logger.info("%s is there and watched", root)
        self._missing = missing

    def _cover(self, roots: Iterable[str]) -> bool:
        """Has the backend watch other folders, if they are others: the outermost ones."""
        given = {root for root in roots if os.path.isdir(root)}
        wanted = {root for root in given if not any(upper in given for upper in _above(root))}
        if wanted == self._covered:
            return False
        self._covered = wanted
        self._backend.cover(sorted(wanted))
        return True

    # Batches

    def _due(self, now_ms: float, locked: bool) -> Batch | None:
        if not len(self._debouncer):
            return None
        wake_ms = self._debouncer.wake_ms
        if self._backend.settle_ms and not locked and wake_ms is not None and wake_ms <= now_ms:
            self._settle()
        batch = self._debouncer.due(now_ms, self._writing(), self._busy(), locked)
        return self._closed(batch) if batch is not None else None

    def _closed(self, batch: Batch) -> Batch:
        """`batch`, after a look whether an event has told of each file in it."""
        lost = self._unheard.intersection(change.path for change in (*batch.code, *batch.data))
        if lost:
            self._unheard -= lost
            self._sweep.found += len(lost)
            logger.info("the sweep found %d changes that no event told of: %s", len(lost), ", ".join(sorted(lost)[:5]))
        return batch

    def _is_delivering(self) -> bool:
        """Whether a batch is on its way on the watch thread; asked there, it is this very call that took it."""
        return self._delivering and threading.current_thread() is not self._thread

    def _settle(self) -> None:
        """Looks once more at what is about to be delivered, where no event tells that a file was closed."""
        paths = self._debouncer.paths()
        for path in paths:
            self._feed(self._tree.glance(path))
        # The last look, or the library's last word, may have come in the middle of a burst, even after its first file.
        for folder in {os.path.dirname(path) for path in paths} - self._backend.polled:
            self._feed(self._tree.look(folder))
        if self._backend.polled:
            self._feed(self._poller.look(self._tree, self._backend.polled))

    def _writing(self) -> set[str]:
        return {path for path in self._backend.writing(_now_ms()) if self._tree.kind(path)}

    def _busy(self) -> bool:
        """Whether code is being written. Data is not waited for: a log stays open as long as its program runs."""
        now_ms = _now_ms()
        return any(
            now_ms - last_ms < STALE_MS and self._tree.kind(path) == "code"
            for path, last_ms in self._backend.writing(now_ms).items()
        )

    def _locked(self) -> bool:
        """Whether git is changing files in a repository that the roots lie in or hold; only asked if that matters."""
        if not len(self._debouncer):
            return False
        oldest_s = time.time() - (_now_ms() - self._debouncer.begun_ms + LEFT_BEHIND_MS) / 1000
        return any(_is_newer(os.path.join(folder, "index.lock"), oldest_s) for folder in self._tree.git_folders)

    # Backends

    def _choose(self) -> Backend:
        if self._wanted == "inotify" or (self._wanted == "auto" and sys.platform == "linux"):
            return self._inotify()
        if self._wanted in ("auto", "watchfiles"):
            return self._watchfiles()
        if self._wanted == "watchdog":
            return self._watchdog()
        return Silent()

    def _inotify(self) -> Backend:
        if sys.platform != "linux":
            raise WatchError("inotify is not to be had here", "Only Linux has it.", 'Use backend = "auto".')
        from midflight.watch.inotify import Inotify

        try:
            return Inotify(self._trouble)
        except OSError as error:
            self._trouble(
                "limit",
                f"All folders are polled: the kernel gives no inotify descriptor ({error.strerror})\n"
                "  End other watchers, or raise the limit with `sysctl fs.inotify.max_user_instances=512`.",
            )
            return Silent()

    def _watchfiles(self) -> Backend:
        try:
            from midflight.watch.watchfiles import Watchfiles
        except ImportError as error:
            if self._wanted == "watchfiles":
                raise WatchError("watchfiles is not installed", str(error), "pip install 'midflight[watch]'") from error
            self._trouble(
                "backend",
                "All folders are polled: saves are seen later, at some cost in CPU\n"
                "  pip install 'midflight[watch]' gives this system a native watcher.",
            )
            return Silent()
        return Watchfiles()

    def _watchdog(self) -> Backend:
        try:
            from midflight.watch.watchdog import Watchdog
        except ImportError as error:
            raise WatchError("watchdog is not installed", str(error), "pip install 'midflight[watch]'") from error
        return Watchdog()

    def _fall_back(self, error: OSError) -> None:
        """Polls from now on: a watcher that has ended tells nobody that saves are no longer seen."""
        with self._lock:
            name = self._backend.name
            self._trouble("backend", f"All folders are polled: {name} failed ({error})\n  Restart to try again.")
            self._broken = None
            self._backend.close()
            self._backend = Silent()
            self._tree.move_to(self._backend.enter, self._backend.leave)
            self._debouncer.window = Window.of(self._quiet_ms, self._backend.settle_ms)

    def _trouble(self, kind: str, text: str) -> None:
        self._last_trouble = text
        self._on_trouble(kind, text)

    def _forked(self) -> None:
        """In a child process: its thread is gone, and reading would take the parent's events away."""
        self._lock = threading.Condition(threading.RLock())
        if self._thread is not None:
            self._thread = None
            self._backend.close()


def _now_ms() -> float:
    return time.monotonic() * 1000


def _above(path: str) -> Iterator[str]:
    while (upper := os.path.dirname(path)) != path:
        yield upper
        path = upper


def _is_newer(path: str, than_s: float) -> bool:
    try:
        return os.stat(path).st_mtime > than_s
    except OSError:
        return False


# Weak: a fork must not keep alive what its process has let go.
_watches: weakref.WeakSet[Watch] = weakref.WeakSet()


def _after_fork() -> None:
    for watch in list(_watches):
        watch._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
