"""When a batch is taken, and what is told to whom: modes, what is pending, reports and events."""

from __future__ import annotations

import collections
import contextlib
import fnmatch
import functools
import importlib
import logging
import os
import sys
import threading
import time
import types
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from midflight.asks import NO_WRITES, Sources, Terms, Writes
from midflight.config import Config, load, user
from midflight.errors import SessionError, StoreError
from midflight.graph.hook import read_bytes, values_made
from midflight.graph.loaded import Program, counterpart
from midflight.watch import Filters, Watch

if TYPE_CHECKING:
    import weakref
    from concurrent.futures import Future

    from midflight.apply.graft.generated import collect_left
    from midflight.apply.safepoint import (
        interrupts_wait,
        main_loop,
        suspended_generators,
    )
    from midflight.apply.trial import Trial, concluded
    from midflight.attempt import Attempt, Ended
    from midflight.held import Held
    from midflight.plan.planner import ModuleEdit, plan_reload
    from midflight.store.files import FileWrites
    from midflight.store.intents import Intents
    from midflight.store.keeper import Keeper, Window
    from midflight.store.versions import Ran, Text
    from midflight.validate.after import AfterCommit
    from midflight.validate.exceptions import Exceptions, Fault, touches
    from midflight.validate.health import run_checks
    from midflight.validate.unloaded import Unloaded
    from midflight.values import Batch, Change, Event, Mode, Outcome, Plan, Problem, Report, Version

log = logging.getLogger("midflight")

WARM_UP_S = 1.0  # without an import
HELD_POLL_S = 0.005
MOST_WAITING = 50  # batches; more are made one: a program that never takes them gains a batch with each save
HISTORY = 1000  # reports that a session remembers; the journal keeps all
Callback = Callable[[Any], None]
Taking = Generator[None, None, "tuple[Report, KeyboardInterrupt | None]"]  # yields while the new code is on trial


_current: Session | None = None
_running: list[Session] = []


def _leave_to_parent() -> None:
    for session in list(_running):
        session._forked()


os.register_at_fork(after_in_child=_leave_to_parent)  # once: CPython never takes it back


def current() -> Session | None:
    """The process's session, or None."""
    return _current


def session_over(path: str) -> Session | None:
    """The running session that follows the folder `path`, or None."""
    return next((one for one in _running if any(_inside(os.path.realpath(path), root) for root in one.paths)), None)


def set_current(session: Session | None) -> None:
    global _current
    _current = session


_STAGES = {
    "midflight.apply.graft.generated": ("collect_left",),
    "midflight.apply.safepoint": ("interrupts_wait", "main_loop", "suspended_generators"),
    "midflight.apply.trial": ("Trial", "concluded"),
    "midflight.attempt": ("Attempt",),
    "midflight.held": ("Held",),
    "midflight.plan.planner": ("ModuleEdit", "plan_reload"),
    "midflight.store.keeper": ("Keeper",),
    "midflight.validate.exceptions": ("Exceptions", "touches"),
    "midflight.validate.health": ("run_checks",),
    "midflight.values": ("Event", "Plan", "Problem", "Report"),
}


_stages_loaded = False


def _load_stages() -> None:
    """The stages that a reload needs, loaded when there is something to reload: they are two thirds of what a session
    adds to the start of a program, and no program waits for them then. Any thread may ask first, and a second one while
    the first still loads: it loads along, and goes on with all of them."""
    global _stages_loaded
    if not _stages_loaded:
        for home, names in _STAGES.items():
            module = importlib.import_module(home)
            globals().update({name: getattr(module, name) for name in names})
        _stages_loaded = True


class Session:
    """Keeps the modules under `paths` up to date with their files. See SURFACE in the docs for each method."""

    def __init__(
        self,
        paths: Iterable[str | os.PathLike[str]] | None = None,
        mode: Mode | None = None,
        *,
        config: Config | None = None,
        **settings: Any,
    ) -> None:
        given = {
            "paths": tuple(os.fspath(path) for path in paths) if paths is not None else None,
            "mode": mode,
            **settings,
        }
        self.config = config if config is not None else load(**given)
        self.mode: Mode = self.config.mode
        self.paths = tuple(os.path.realpath(path) for path in self.config.paths)
        self.id = f"s{os.getpid()}-{os.urandom(3).hex()}"  # a restart in the same process is another one
        self.running = False
        self.paused = False
        self._at_safe_points = False
        self.main_path: str | None = None
        self.started_at = 0.0
        self._lock = threading.RLock()
        self._busy = False
        self._history: collections.deque[Report] = collections.deque(maxlen=HISTORY)
        self._kept: Keeper | None = None
        self._exceptions: Exceptions | None = None
        self._ran: list[Ran] = []  # by the transaction that is being recorded
        self._writing: FileWrites | None = None
        self._subscribers: list[tuple[Callback, str | None]] = []
        self._pending: Sources = {}
        self._unloaded: Unloaded | None = None
        self._waiting: list[Batch] = []
        self._waiting_lock = threading.Lock()
        self._requests: list[tuple[Sequence[str] | None, Future[Report]]] = []
        self._asked: collections.deque[tuple[Callable[[], Report], Future[Report]]] = collections.deque()
        self._counts = {"reloads": 0, "successes": 0, "failures": 0, "total_loads": 0}
        self._wake = threading.Event()
        self._worker: threading.Thread | None = None
        self._replaced: list[tuple[weakref.ref[types.CodeType], float]] = []  # old code, and when it was replaced
        self._troubles: list[str] = []
        self._left: list[str] = []
        self._filters = Filters(
            self.paths, data=self.config.data, include=self.config.include, exclude=self.config.exclude
        )
        # Of a folder with a root that is a file, only that file is the program's.
        files = any(path.endswith(".py") for path in self.paths)
        self._by_folder = not (self.config.include or self.config.exclude or files)
        self._folders: dict[str, bool] = {}
        self.program = Program(self._wanted)
        self._watch: Watch | None = None
        self._tests: AfterCommit | None = None

    # -- start and stop -----------------------------------------------------------------------------

    def start(self) -> None:
        """Watch, and note modules as they are imported. Raises SessionError where a session cannot be."""
        if self.running or not self.config.enabled:
            return
        self._refuse_start()
        self._watch = Watch(
            self._filters,
            self._on_batch,
            backend=self.config.backend,
            quiet_ms=self.config.quiet_ms,
            sweep_s=self.config.sweep_s,
            on_trouble=self._on_trouble,
        )
        self._watch.start()
        self._run()
        if self.mode == "auto":
            self._worker = threading.Thread(target=self._work, name="midflight-reload", daemon=True)
            self._worker.start()

    def attach(self) -> None:
        """Note modules as they are imported, and watch nothing: whoever holds the session says which files to take."""
        if not self.running and self.config.enabled:
            self._refuse_start()
            self._run()

    def _run(self) -> None:
        self._settle()
        self.program.start()
        self.running, self.started_at = True, time.time()
        _running.append(self)

    def _refuse_start(self) -> None:
        _refuse_free_threading()
        for other in _running:
            shared = _overlap(self.paths, other.paths)
            if shared:
                raise SessionError(
                    f"session {other.id} of this process watches {shared} already",
                    "Two sessions on one folder would take each save twice.",
                    "Stop the other one first, or give this one other paths.",
                )

    def stop(self) -> None:
        """Leave the program as it is, and stop following its files. Idempotent."""
        if not self.running:
            return
        self.running = False
        self._wake.set()
        if self._tests is not None:
            self._tests.stop()
            self._tests = None
        if self._watch is not None:
            self._watch.stop()
        if self._worker is not None and self._worker is not threading.current_thread():
            self._worker.join(timeout=5)
        self.program.stop()
        if self._exceptions is not None:
            self._exceptions.remove()
        self.make_durable()
        if self in _running:
            _running.remove(self)
        if current() is self:
            set_current(None)

    def make_durable(self) -> None:
        """What is still to be written of reports and versions is on disk when this returns."""
        if self._kept is not None:
            self._kept.close()

    def _forked(self) -> None:
        """A forked child has the modules but none of our threads: it runs on without a session."""
        if self.running:
            self.running = False
            self.program.stop()
            if self._kept is not None:
                self._kept.leave_to_parent()
            _running.clear()
            set_current(None)

    def __enter__(self) -> Session:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _wanted(self, path: str) -> bool:
        """Whether a module from this file is the program's. Asked at every import, so answered by folder where only
        the folder matters."""
        if not path.endswith(".py"):
            return False
        if not self._by_folder:
            return self._filters.kind(path) == "code" and not _is_own(path)
        folder = path.rpartition(os.sep)[0]
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = self._filters.kind(path) == "code" and not _is_own(path)
        return known

    # -- what the watcher brings --------------------------------------------------------------------

    def _on_batch(self, batch: Batch) -> None:
        with self._waiting_lock:
            self._waiting.append(batch)
            if len(self._waiting) > MOST_WAITING:
                self._waiting = [_as_one(self._waiting)]
        if self.mode == "auto" and not self.paused:
            self._wake.set()

    def _on_trouble(self, kind: str, text: str) -> None:
        log.warning("%s", text)
        self._troubles.append(text)
        self._tell_event("watcher", kind=kind, text=text)

    def _work(self) -> None:
        """midflight's own thread in mode auto: asleep until a batch is there."""
        imported = -1
        while imported != self.program.notebook.noted and self.running:
            imported = self.program.notebook.noted
            if self._wake.wait(WARM_UP_S):
                break
        else:
            self._look_for_exceptions()  # the program's start is over by now, and its first save need not wait for this
        while True:
            self._wake.wait()
            self._wake.clear()
            if not self.running or self.mode != "auto":
                return
            _load_stages()  # here, where no loop waits for it
            loop = main_loop()
            if loop is None:
                self._take_waiting()
            else:
                done = threading.Event()
                loop.call_soon_threadsafe(self._take_on_loop, done)
                while not done.wait(0.25):
                    if loop.is_closed() or not loop.is_running():
                        if not done.wait(0.1):
                            self._take_waiting()
                        break

    def _take_on_loop(self, done: threading.Event) -> None:
        try:
            self._take_waiting()
        finally:
            done.set()

    def _take_waiting(self) -> Report | None:
        """Take all batches that wait and all requests; never raises what a module's code raised."""
        _load_stages()
        if self.is_held():
            return None  # they wait for its end, which wakes whoever takes them
        report = None
        batches, requests = self._collect()
        try:
            if batches:
                report = self._take_batches(batches, "watcher")
        except KeyboardInterrupt:
            log.warning("a module's top level raised KeyboardInterrupt; its reload was rolled back")
        for paths, future in requests:
            self._answer(paths, future)
        while self._asked:
            report = _answered(*self._asked.popleft()) or report
        return report

    def _collect(self) -> tuple[list[Batch], list[tuple[Sequence[str] | None, Future[Report]]]]:
        with self._waiting_lock:
            batches, self._waiting = ([], self._waiting) if self.paused else (self._waiting, [])
            requests, self._requests = self._requests, []
        return batches, requests

    def _answer(self, paths: Sequence[str] | None, future: Future[Report]) -> None:
        try:
            future.set_result(self.reload(paths, cause="cli"))
        except BaseException as error:
            future.set_exception(error)

    def _take_batches(self, batches: Sequence[Batch], cause: str) -> Report | None:
        self._hand_out(batches)
        paths = {change.path for batch in batches for change in batch.code}
        if not paths:
            return None
        report = self._reload_paths(sorted(paths), cause, quiet=True)
        return report if report.outcome != "unchanged" else None

    def _hand_out(self, batches: Iterable[Batch]) -> None:
        """Files go to those who asked for them by name: a code file before its reload, also one that no module runs
        yet; a data file, which is never executed, is also an event."""
        asked = []
        for batch in batches:
            asked += [change.path for change in batch.code if self._tell_of_file(change)]
            for change in batch.data:
                told = self._tell_of_file(change)
                self._tell_event("data", path=change.path, kind=change.kind, told=told)
        if asked:
            self._refuse_broken(asked)

    def _refuse_broken(self, asked: Iterable[str]) -> None:
        """A file that the program asked for and does not run yet, and that Python cannot read, is told like an edit
        that was not taken; it holds up no other."""
        if self._unloaded is None:
            from midflight.validate.unloaded import Unloaded  # most programs ask for no file

            self._unloaded = Unloaded(lambda path: bool(self.program.at(path)))
        ours = [path for path in asked if path.endswith(".py") and not any(_inside(path, root) for root in self._left)]
        with self._lock:
            problems, mended = self._unloaded.look(self._settled(self._read(ours)))
            if problems:
                tried = self._unloaded.tried(problems)
                self._record(self._report("watcher", "refused", {}, problems=problems, modules=tried))
            elif mended:
                self._record(self._report("watcher", "unchanged", {}))

    def _tell_of_file(self, change: Change) -> int:
        told = 0
        for callback, pattern in list(self._subscribers):
            if pattern is not None and self._matches(change.path, pattern):
                told += 1
                self._call(callback, change)
        return told

    def _matches(self, path: str, pattern: str) -> bool:
        if os.path.isabs(pattern):
            return _glob(path, pattern)
        bases = [*self.paths, os.path.realpath(self.config.root), os.getcwd()]
        return any(_glob(os.path.relpath(path, base), pattern) for base in bases if _inside(path, base))

    # -- reloads ------------------------------------------------------------------------------------

    def reload(self, paths: Iterable[str | os.PathLike[str]] | None = None, *, cause: str = "api") -> Report:
        """Everything that changed on disk since it was last taken, or only `paths`, in one transaction."""
        _load_stages()
        return concluded(self._asking(paths, cause))

    def on_trial(
        self, paths: Iterable[str | os.PathLike[str]] | None = None, *, terms: Terms, cause: str = "api"
    ) -> Trial:
        """The same, but where new code went live its end stays open until the trial is told that it passed or failed.
        No other reload happens until then; the thread that opened it must end it."""
        _load_stages()
        return Trial(self._asking(paths, cause, terms))

    def _asking(self, paths: Iterable[str | os.PathLike[str]] | None, cause: str, terms: Terms | None = None) -> Taking:
        if not self.running:
            return self._unchanged(cause), None
        self._refuse_reentry()
        if paths is not None:
            given = [self._real(os.fspath(path)) for path in paths]
            self._refuse_outside(given)
            if compiled := [path for path in given if self._runs_compiled(path)]:
                return self._record(self._report(cause, "refused", {}, problems=map(_not_source, compiled))), None
            return (yield from self._reloading(given, cause, terms=terms))
        if self._watch is None:
            return (yield from self._reloading(self._changed_on_disk(), cause, terms=terms))
        drained = self._watch.drain()  # first: a batch that is on its way arrives before this returns
        with self._waiting_lock:
            batches, self._waiting = [*self._waiting, drained], []
        self._hand_out(batches)
        found = sorted({change.path for batch in batches for change in batch.code})
        # What was refused was not taken: asked again, it is tried again, also where nothing else changed.
        return (yield from self._reloading(found or sorted(self._pending), cause, terms=terms))

    async def areload(self, paths: Iterable[str | os.PathLike[str]] | None = None) -> Report:
        """The same from a coroutine: it runs on the loop, between two of its steps."""
        import asyncio  # costs a quarter of a session's start, and only programs that have a loop come here

        await asyncio.sleep(0)
        while self.is_held():
            await asyncio.sleep(HELD_POLL_S)
        return self.reload(paths)

    def request_reload(self, paths: Sequence[str] | None = None, timeout_s: float = 60.0) -> Report:
        """A reload asked for by another thread than the program's: taken where the mode says it may happen."""
        if self.mode == "manual" and not self._at_safe_points:
            return self.reload(paths, cause="cli")
        from concurrent.futures import Future

        future: Future[Report] = Future()
        with self._waiting_lock:
            self._requests.append((paths, future))
        self._wake.set()
        try:
            return future.result(timeout_s)
        except TimeoutError as error:
            raise SessionError(
                f"no reload within {timeout_s:g} s; the old code is running",
                "Another reload is still running." if self.mode == "auto" else "The program has not called pump().",
                "The request stays: it is taken at the next safe point.",
            ) from error

    def pump(self) -> Report | None:
        """At a safe point of the program's own choice: take what waits. None when there was nothing."""
        if not self._waiting and not self._requests and not self._asked:
            return None
        return self._take_waiting()

    def only_at_safe_points(self) -> None:
        """From now on nothing is reloaded but by calls of the program's own: it has frames, and a safe point at the top
        of each. Mode auto becomes pump; in mode manual a request of the command line waits for the next frame."""
        self._at_safe_points = True
        if self.mode == "auto":
            self.mode = "pump"
            self._wake.set()  # its thread ends

    @property
    def waits(self) -> bool:
        """Whether something is there for the next safe point."""
        return bool(self._requests or self._asked or (self._waiting and self.mode != "manual" and not self.paused))

    def pump_on_trial(self, terms: Terms) -> Trial | None:
        """What `waits`, on trial as `on_trial` has it: the batches, or the first request, the rest at the next call.
        Going back to an earlier version is no trial: it is done at once."""
        _load_stages()
        while self._asked:
            _answered(*self._asked.popleft())
        batches: list[Batch] = []
        with self._waiting_lock:
            if self.mode != "manual" and not self.paused:
                batches, self._waiting = self._waiting, []
            asked = self._requests.pop(0) if self._requests and not batches else None
        self._hand_out(batches)
        if asked is not None:
            return self._answer_on_trial(*asked, terms)
        paths = sorted({change.path for batch in batches for change in batch.code})
        return Trial(self._reloading(paths, "watcher", quiet=True, terms=terms)) if paths else None

    def _answer_on_trial(self, paths: Sequence[str] | None, future: Future[Report], terms: Terms) -> Trial | None:
        try:
            return Trial(self._asking(paths, "cli", terms), future.set_result)
        except SessionError as error:
            future.set_exception(error)
            return None

    def apply(
        self,
        texts: Mapping[str | os.PathLike[str], str | bytes],
        *,
        reason: str = "",
        author: str = "",
        cause: str = "api",
    ) -> Report:
        """New source by value: one transaction; the files are written when it commits. What a file holds that the
        program never took is kept beside it. `reason` and `author` (default: the user) go into the versions."""
        sources = {
            os.path.realpath(os.fspath(path)): text.encode() if isinstance(text, str) else text
            for path, text in texts.items()
        }
        self._refuse_outside(sources)
        self._refuse_reentry()
        return self._transact({**sources}, cause, Writes(sources, reason, author))

    def plan(self, paths: Iterable[str | os.PathLike[str]] | None = None) -> Plan:
        """What a reload would do, and what it would refuse; touches nothing."""
        _load_stages()
        given = [os.path.realpath(os.fspath(p)) for p in paths] if paths is not None else self._changed_on_disk()
        return self._planned(self._read(given))

    def plan_rollback(self, version_id: str | None = None, modules: Sequence[str] | None = None) -> Plan:
        """What `rollback` would do, and what it would refuse; touches nothing. Raises StoreError as it does."""
        _load_stages()
        left = self._not_there(self._keeper.past().targets(version_id, modules))
        self._refuse_outside(left)
        return self._planned({**left})

    def plan_texts(self, texts: Mapping[str | os.PathLike[str], bytes]) -> Plan:
        """What an `apply` of these files would do, and what it would refuse; touches nothing."""
        _load_stages()
        sources: Sources = {os.path.realpath(os.fspath(path)): text for path, text in texts.items()}
        self._refuse_outside(sources)
        return self._planned(sources)

    def _planned(self, sources: Sources) -> Plan:
        with self._lock:
            attempt = self._begin(sources, "plan")
            if attempt.problems:
                return Plan(problems=tuple(attempt.problems))
            modules = [ModuleEdit(work.name, work.loaded.order, work.pairs) for work in attempt.works]
            return plan_reload(modules, self.program.holders, attempt.files.steps())

    def _changed_on_disk(self) -> list[str]:
        with self._waiting_lock:
            waiting = {path for batch in self._waiting for path in batch.paths}
        changed = {one.path for one in self.program.all() if read_bytes(one.path) != one.source}
        return sorted(waiting | changed | self._pending.keys())

    def pause(self) -> None:
        """Batches wait until `resume`. `reload()` still takes them."""
        self.paused = True
        self._tell_event("paused")

    def resume(self) -> None:
        self.paused = False
        self._tell_event("resumed")
        self._wake.set()

    def rollback(
        self, version_id: str | None = None, modules: Sequence[str] | None = None, *, author: str = ""
    ) -> Report:
        """File and process together back to an earlier version, in a transaction that can be rolled back itself.

        `version_id` is "module@<12 hex>", or a report's id: the whole program as of it. With none, every module goes
        to its last stable version. `modules` names the only ones to go back. Raises StoreError where there is nothing
        of that name, or its text is not kept any more."""
        _load_stages()
        self._refuse_reentry()
        return self._go_back(self._keeper.past().targets(version_id, modules), version_id or "", author=author)

    def request_rollback(
        self, point: str | None, modules: Sequence[str] | None = None, *, author: str = "", timeout_s: float = 60.0
    ) -> Report:
        """A rollback asked for by another thread than the program's: done where the mode says it may happen."""
        future = self._ask(lambda: self.rollback(point, modules, author=author))
        try:
            return future.result(timeout_s)
        except TimeoutError as error:
            raise SessionError(
                f"no rollback within {timeout_s:g} s; the program is as it was",
                "The program has not called pump()." if self.mode == "pump" else "A reload is still running.",
                "The request stays: it is done at the next safe point.",
            ) from error

    def request(self, action: Callable[[], Report], timeout_s: float = 60.0) -> Report:
        """`action()`, such as an `apply`, asked for by another thread than the program's: done where the mode says it
        may happen. One that was not begun within `timeout_s` is withdrawn."""
        future = self._ask(action)
        try:
            return future.result(timeout_s)
        except TimeoutError as error:
            if not future.cancel():
                return future.result()  # it began, and ends as any reload does
            raise SessionError(
                f"nothing was done within {timeout_s:g} s; the program is as it was",
                "The program has not called pump()." if self.mode == "pump" else "A reload is still running.",
                "The request was withdrawn; ask again.",
            ) from error

    def _ask(self, action: Callable[[], Report]) -> Future[Report]:
        """`action` at the next moment at which the mode lets the program be changed; in mode manual at once."""
        from concurrent.futures import Future

        future: Future[Report] = Future()
        if self.mode == "manual" and not self._at_safe_points:
            _answered(action, future)
        else:
            self._asked.append((action, future))
            self._wake.set()
        return future

    def _go_back(
        self, targets: Sequence[Text], point: str, *, author: str = "", cause: str = "", notes: tuple[str, ...] = ()
    ) -> Report:
        left = self._not_there(targets)
        cause = cause or self._undone(targets) or f"rollback to {point or 'the last stable versions'}"
        if not left:
            return self._record(self._report(cause, "unchanged", {}, notes=("nothing else is there to go back to",)))
        self._refuse_outside(left)
        return self._transact({**left}, cause, Writes(left, cause, author, True, notes))

    def _not_there(self, targets: Sequence[Text]) -> dict[str, bytes]:
        """The targets that neither run nor lie in their file, by path."""
        there = [(one.source, self.program.get(one.version.module), one.path) for one in targets]
        return {
            os.path.realpath(loaded.path if loaded else path): text
            for text, loaded, path in there
            if (loaded and loaded.source != text) or read_bytes(loaded.path if loaded else path) != text
        }

    def _undone(self, targets: Sequence[Text]) -> str:
        """What a rollback to `targets` takes back: the latest report that brought what runs now."""
        past, found = self._keeper.past(), set[str]()
        for one in targets:
            loaded = self.program.get(one.version.module)
            if loaded is not None and loaded.version != one.sha:
                found.add(past.brought(one.version.module, one.path, loaded.version))
        latest = max(found - {""}, key=lambda report_id: int(report_id[1:]), default="")
        return f"rollback of {latest}" if latest else ""

    def covers(self, path: str) -> bool:
        """Whether a file or folder, given with symlinks resolved, lies in what this session follows."""
        return any(_inside(path, root) for root in self.paths)

    def _real(self, path: str) -> str:
        """`path` with symlinks resolved: what a module runs from is, and need not be asked for step by step."""
        return path if self.program.is_real(path) else os.path.realpath(path)

    def _refuse_outside(self, paths: Iterable[str]) -> None:
        outside = [path for path in paths if not self.covers(path)]
        if outside:
            raise SessionError(
                f"nothing was reloaded: {outside[0]} lies outside this session's paths",
                f"It follows {', '.join(self.paths)}.",
                "Add the folder to `paths`, or name a file inside it.",
            )

    def _runs_compiled(self, path: str) -> bool:
        """Whether a loaded module runs from `path`, which is no source: a C extension, a .pyc alone."""
        if path.endswith(".py") or self.program.at(path):
            return False
        files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        return any(isinstance(file, str) and os.path.realpath(file) == path for file in files)

    # -- reloads in steps -------------------------------------------------------------------------------

    def leave(self, root: str) -> Callable[[], None]:
        """Files below `root` are taken by somebody else, who uses `hold`; here they count as unchanged. Gives an
        undo."""
        root = os.path.realpath(root)
        self._left.append(root)
        return lambda: self._left.remove(root)

    @contextlib.contextmanager
    def hold(self, paths: Iterable[str], cause: str) -> Iterator[Held]:
        """One reload of `paths`, step by step, for a caller that has steps of its own between them, also such as
        await something. Nothing else is reloaded until the end; what is not committed by then is rolled back.
        Raises SessionError inside another reload of this thread."""
        _load_stages()
        self._refuse_reentry()
        with self._lock:
            self._busy = True
            try:
                attempt = self._begin(self._read(map(os.path.realpath, paths)), cause)
                with contextlib.closing(Held(attempt, functools.partial(self._conclude, cause))) as held:
                    yield held
            finally:
                self._busy = False
        collect_left()
        self._wake.set()

    def is_held(self) -> bool:
        """Whether a reload stands between two of its steps, in this very thread."""
        return self._busy and self._lock._is_owned()  # type: ignore[attr-defined]

    # -- one transaction ------------------------------------------------------------------------------

    def _reload_paths(self, paths: Sequence[str], cause: str, *, quiet: bool = False) -> Report:
        return concluded(self._reloading(paths, cause, quiet=quiet))

    def _reloading(
        self, paths: Sequence[str], cause: str, *, quiet: bool = False, terms: Terms | None = None
    ) -> Taking:
        sources = self._read(path for path in paths if not any(_inside(path, root) for root in self._left))
        if quiet:
            sources = self._settled(sources)
        fresh = self._differing(sources)
        undone = [path for path in sources if path not in fresh and path in self._pending]
        for path in undone:
            del self._pending[path]
        if undone and self._pending:
            # What made the others fail is gone: they are tried again.
            again = self._settled(self._read(self._pending))
            fresh = {**self._differing(again), **fresh}
        if not fresh:
            # A file that was broken and is as it was again is news; a save of what runs already is not.
            if quiet and not undone:
                return self._unchanged(cause), None
            notes = () if quiet else tuple(map(_no_module, (path for path in sources if not self.program.at(path))))
            return self._record(self._report(cause, "unchanged", {}, notes=notes)), None
        return (yield from self._taking(fresh, cause, NO_WRITES, terms))

    def _differing(self, sources: Sources) -> Sources:
        """The files that say otherwise than what runs, and those that packages without a file have now."""
        fresh = (path for path, source in sources.items() if source is not None and not self.program.at(path))
        folders = self.program.without_file(fresh)
        return {path: source for path, source in sources.items() if path in folders or self._differs(path, source)}

    def _differs(self, path: str, source: bytes | None) -> bool:
        loaded = self.program.at(path)
        if not loaded:
            return self._may_matter(path) if source is not None else path in self._pending
        return any(one.source != source for one in loaded)

    def _may_matter(self, path: str) -> bool:
        """A file whose module is not loaded matters only as something that an edit or a waiting batch needs."""
        other = counterpart(path)
        return bool(
            self._pending
            or path in self.program.departed
            or other in self.program.departed
            or (self.program.at(other) and not os.path.exists(other))
        )

    def _read(self, paths: Iterable[str]) -> Sources:
        sources = {path: read_bytes(path) for path in paths}
        for path in [path for path, source in sources.items() if source is None and self.program.at(path)]:
            other = counterpart(path)  # a module that became a package, whether or not that file is in the batch
            if other not in sources and (text := read_bytes(other)) is not None:
                sources[other] = text
        return sources

    def _settled(self, sources: Sources) -> Sources:
        """Without files that were being written while they were read, which a later batch brings: one that is
        truncated for a moment would be taken for a module that has lost all its names."""
        emptied = list(self._differing({path: source for path, source in sources.items() if source == b""}))
        later = self._watch.unsettled(sources, emptied) if self._watch is not None and sources else ()
        return {path: source for path, source in sources.items() if path not in later}

    def _transact(self, sources: Sources, cause: str, writes: Writes = NO_WRITES) -> Report:
        _load_stages()
        return concluded(self._taking(sources, cause, writes))

    def _taking(self, sources: Sources, cause: str, writes: Writes, terms: Terms | None = None) -> Taking:
        """Attempt the batch with the files that stayed pending; if that fails, once more without them."""
        with self._lock:
            self._busy = True
            try:
                with interrupts_wait():
                    report, interrupt = yield from self._attempt_with_pending(sources, cause, writes, terms)
                    self._busy = False
                    self._record(report, writes)
            finally:
                self._busy = False
        collect_left()
        return report, interrupt

    def _refuse_reentry(self) -> None:
        if self.is_held():
            raise SessionError(
                "this reload was not started; another one is running in this thread",
                "It was asked for by code that is being reloaded.",
                "Ask for it after the import, from a function that the program calls.",
            )

    def _attempt_with_pending(self, sources: Sources, cause: str, writes: Writes, terms: Terms | None) -> Taking:
        """Files of a batch that failed are taken along by the next; if it fails with them it is taken without."""
        if writes.alone:
            report, interrupt = yield from self._attempt(sources, cause, writes, terms)
            self._pending = {p: s for p, s in self._pending.items() if p not in sources or not report.ok}
            return report, interrupt
        waiting = self._differing(self._settled({p: read_bytes(p) for p in self._pending if p not in sources}))
        report, interrupt = yield from self._attempt({**waiting, **sources}, cause, writes, terms)
        if report.ok:
            self._pending = {}
        elif waiting and interrupt is None:
            report, interrupt = yield from self._attempt(sources, cause, writes, terms)
            self._pending = waiting if report.ok else {**waiting, **sources}
        else:
            self._pending = {**waiting, **sources}
        return report, interrupt

    def _attempt(self, sources: Sources, cause: str, writes: Writes, terms: Terms | None) -> Taking:
        ended = yield from self._begin(sources, cause).taken(writes, terms, self._look_for_exceptions)
        return self._came_of(cause, ended), ended.interrupt

    def _begin(self, sources: Sources, cause: str) -> Attempt:
        return Attempt(self.program, self.config, self._intents, sources, cause)

    def _intents(self) -> Intents | None:
        return self._keeper.intents()

    def _conclude(self, cause: str, ended: Ended) -> Report:
        return self._record(self._came_of(cause, ended))

    def _came_of(self, cause: str, ended: Ended) -> Report:
        """The Report of an attempt; which versions live now and what was written are recorded with it."""
        self._ran, self._writing = list(ended.ran), ended.writing
        self._remember_replaced(ended.replaced)
        names = ("problems", "modules", "old_frames", "notes")
        return self._report(cause, ended.outcome, ended.timings_ms, **{name: getattr(ended, name) for name in names})

    def _remember_replaced(self, codes: Iterable[types.CodeType]) -> None:
        import weakref

        self._replaced = [(ref, at) for ref, at in self._replaced if ref() is not None]
        self._replaced += [(weakref.ref(code), time.monotonic()) for code in codes]

    # -- reports ------------------------------------------------------------------------------------

    def _unchanged(self, cause: str) -> Report:
        return Report("r0", time.time(), cause, "unchanged")

    def _report(self, cause: str, outcome: Outcome, timings: Mapping[str, float], **parts: Any) -> Report:
        parts["problems"] = tuple(parts.get("problems", ()))
        total = {"total": round(sum(timings.values()), 3)}
        return Report(
            f"r{self._keeper.number()}", time.time(), cause, outcome, timings_ms={**timings, **total}, **parts
        )

    def _record(self, report: Report, writes: Writes = NO_WRITES) -> Report:
        ran, self._ran, writing, self._writing = self._ran, [], self._writing, None
        author = writes.author or self._user
        self._keeper.record(report, ran, reason=writes.reason or report.cause, author=author, writing=writing)
        self._history.append(report)
        if report.outcome != "unchanged":
            self._counts["reloads"] += 1
            self._counts["successes" if report.ok else "failures"] += 1
        for module in report.modules.values():
            self._counts["total_loads"] += len(module.ran) + len(module.grafted)
        self._tell(report)
        self._keeper.follow()
        if report.outcome == "committed" and self.config.tests != "off" and self.running:
            self._test(report)
        return report

    @functools.cached_property
    def _user(self) -> str:
        return user()

    def _test(self, report: Report) -> None:
        """Have the tests run that this report's edits reach; an Event tells how they ended."""
        if self._tests is None:
            from midflight.validate.after import AfterCommit
            from midflight.validate.tests import AffectedTests

            config = self.config
            folders = dict.fromkeys((config.root, *self.paths))
            finder = AffectedTests([folder for folder in folders if os.path.isdir(folder)], config.test_files)
            where: Any = config.tests
            self._tests = AfterCommit(finder, where, config.root, config.tests_deadline_s, self._tell_of_tests)
        edited = [one.path for one in report.modules.values() if one.before != one.after]
        self._tests.take(report.id, edited)

    def _tell_of_tests(self, report_id: str, detail: Mapping[str, Any]) -> None:
        self._tell(Event("tests", time.time(), report_id, detail))
        if detail.get("outcome") == "failed":
            self.reject(report_id, "tests that it reaches failed")

    @property
    def _keeper(self) -> Keeper:
        """Made when there is something to keep: a program that is not edited has no store."""
        if self._kept is None or (self.running and self._kept.closed):
            _load_stages()
            self._kept = Keeper(
                self.config.store_dir,
                wanted=self.covers,
                keep=self.config.versions_keep,
                window_s=self.config.stable_window_s,
                tell=self._tell_later,
                passed=self._window_passed,
                trouble=self._on_store_trouble,
            )
        return self._kept

    def _settle(self) -> None:
        """Put in order what a process that died left, before any file of it is imported."""
        if not os.path.isdir(self.config.store_dir):
            return
        from midflight.store.presence import dead

        if dead(self.config.store_dir):
            for line in self._keeper.settle():
                self._on_store_trouble(line)

    def start_from_stable(self) -> list[str]:
        """Before `start`: modules whose file is not their last stable version are imported as that version, and the
        files stay as they are, until they are saved again. Gives the versions that stand in."""
        self._settle()
        found = [one for one in self._keeper.past().targets() if read_bytes(one.path) not in (None, one.source)]
        for one in found:
            self.program.notebook.stand_in(one.path, one.source)
        return [one.version.id for one in found]

    def _on_store_trouble(self, text: str) -> None:
        log.warning("%s", text)
        self._troubles.append(text)
        self._tell_event("store", text=text)

    def _tell_later(self, kind: str, report_id: str, detail: dict[str, object]) -> None:
        self._tell(Event(kind, time.time(), report_id, detail))

    # -- the window in which a version shows whether it works ------------------------------------------

    def _look_for_exceptions(self) -> None:
        _load_stages()
        if self._exceptions is None:
            self._exceptions = Exceptions(self._wanted, self._is_blamed)
        if self.running:
            self._exceptions.install()

    def _is_blamed(self, fault: Fault) -> bool:
        """Whether an exception touches what a report within its window changed. It is taken back then; but a program
        that ends leaves its files as they are."""
        for window in self._keeper.windows():
            if touches(window.changed, fault):
                if fault.ends:
                    self._keeper.died(window, str(fault))
                else:
                    self.reject(window.report_id, str(fault))
                return True
        return False

    def _window_passed(self, window: Window) -> None:
        asked = [(module, path) for module, path, _ in window.texts]
        problems = run_checks(asked, self.config.check_deadline_s, ("health_check",))
        if problems:
            self._take_back(window.report_id, problems[0].message)
        else:
            self._keeper.stable(window)

    def reject(self, report_id: str, why: str) -> None:
        """A check that came after the commit failed, or an exception did. Within its window the report is taken back:
        its modules go to their last stable versions, files too, in a report of its own. Any thread may say so; it is
        done where the mode lets the program be changed, in mode manual on midflight's own thread."""
        self._keeper.later(lambda: self._take_back(report_id, why))

    def _take_back(self, report_id: str, why: str) -> None:
        windows = self._keeper.reject(report_id, why)
        if not windows:
            return
        modules = sorted({module for window in windows for module, _, _ in window.texts})
        cause, note = f"rollback of {report_id}", f"taken back within its window: {why}"
        log.warning("%s is taken back: %s", report_id, why)
        targets = functools.partial(self._keeper.past().targets, None, modules)
        future = self._ask(lambda: self._go_back(targets(), "", cause=cause, notes=(note,)))
        future.add_done_callback(_say_what_failed)

    def _tell(self, news: Report | Event) -> None:
        for callback, pattern in list(self._subscribers):
            if pattern is None:
                self._call(callback, news)

    def _tell_event(self, name: str, **detail: Any) -> None:
        _load_stages()
        self._tell(Event(name, time.time(), detail=detail))

    def _call(self, callback: Callback, news: Any) -> None:
        try:
            callback(news)
        except Exception:
            # A subscriber is the program's own code: its failure is not the reload's.
            log.exception("a subscriber failed on %s", type(news).__name__)

    def subscribe(self, callback: Callback, data: str | None = None) -> Callable[[], None]:
        """`callback` gets every Report and Event; with a glob as `data` the Changes of such files, those of code before
        they are taken. Gives an undo."""
        entry = (callback, data)
        self._subscribers.append(entry)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._subscribers.remove(entry)

        return unsubscribe

    def history(self, limit: int = 10) -> list[Report]:
        """The last reports, newest first; behind this session's own those of earlier ones on the same files."""
        own = list(self._history)[::-1][:limit]
        if len(own) == limit:
            return own
        return own + self._keeper.history(limit - len(own), before=own[-1].id if own else None)

    def report(self, report_id: str) -> Report | None:
        """The report of that id, also of an earlier process; None where there is none."""
        own = next((one for one in list(self._history) if one.id == report_id), None)
        return own if own is not None else self._keeper.report(report_id)

    def versions(self, module: str | None = None, limit: int = 20) -> list[Version]:
        """Module versions that ran, also in earlier processes, as they last went live: newest first."""
        return self._keeper.past().newest(module, limit)

    def source(self, module: str, path: str, sha: str) -> bytes | None:
        """The text of a version by its SHA-256; None where it is not kept."""
        try:
            found = self._keeper.past().at(module, path, sha)
        except StoreError:
            return None  # its version is known, its text was cleaned up
        return found.source if found is not None else None

    def points(self, limit: int = 20) -> list[Version]:
        """Versions that a rollback can go back to: those that ran, but what runs now; newest first."""
        return self._keeper.past().points(limit)

    def counts(self) -> dict[str, int]:
        """The counts of `stats`, which cost nothing to ask for."""
        return {**self._counts, "cached_modules": len(self.program.notebook.modules)}

    def pending(self) -> list[str]:
        """Files whose last text was not taken."""
        broken = self._unloaded.pending() if self._unloaded is not None else []
        return sorted({*self._pending.copy(), *broken})

    def stats(self) -> dict[str, Any]:
        """Counts since the start, what is loaded, and who stands still in old code (by a walk over the heap), with the
        seconds since a reload replaced that code."""
        _load_stages()
        since = {id(code): at for ref, at in self._replaced if (code := ref()) is not None}
        waiting = suspended_generators(lambda code: id(code) in since) if since else []
        now = time.monotonic()
        return {
            **self.counts(),
            "dependencies_tracked": sum(len(found) for found in self.program.graph().values()),
            "pending": self.pending(),
            "suspended_on_old_code": [
                {
                    "name": f.name,
                    "path": f.path,
                    "line": f.line,
                    "kind": f.kind,
                    "age_s": round(now - since[id(code)], 3),
                }
                for f, code in waiting
            ],
        }

    def graph(self) -> dict[str, Any]:
        """{"modules": {name: {"path", "imports", "dependents"}}} for the program's modules."""
        imports = self.program.graph()
        modules: dict[str, Any] = {
            loaded.name: {"path": loaded.path, "imports": imports.get(loaded.name, []), "dependents": []}
            for loaded in self.program.all()
        }
        for name, needed in imports.items():
            for other in needed:
                if other in modules:
                    modules[other]["dependents"].append(name)
        return {"modules": modules}

    def status(self) -> dict[str, Any]:
        """What stands now."""
        if self._kept is not None:
            self._kept.save()  # troubles that it meets are part of the answer
        last = self._history[-1] if self._history else None
        return {
            "id": self.id,
            "enabled": self.config.enabled,
            "status": "stopped" if not self.running else "paused" if self.paused else "running",
            "mode": self.mode,
            "paths": list(self.paths),
            "started_at": self.started_at,
            "modules": len(self.program.notebook.modules),
            "pending": self.pending(),
            "waiting_batches": len(self._waiting),
            "last_report": {"id": last.id, "outcome": last.outcome, "at": last.at} if last else None,
            "watcher": self._watch.status() if self._watch is not None else None,
            "store": self.config.store_dir,
            "troubles": list(self._troubles),
        }


def note_main(session: Session, path: str, text: str) -> None:
    """`path` is about to run as `__main__`, and its source is `text`."""
    session.main_path = os.path.realpath(path)
    if session.running and session._wanted(session.main_path):
        source = session.program.notebook.source(session.main_path)
        session.program.note("__main__", session.main_path, source if source is not None else text.encode())


def main_ready(session: Session) -> None:
    """The top level of `__main__` up to its guard has run: its values are what it made."""
    loaded = session.program.get("__main__")
    if loaded is not None:
        loaded.made.update(values_made(loaded.namespace))


def _refuse_free_threading() -> None:
    # Only 3.13 and later have this question, and only a free-threaded build answers no.
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        raise SessionError(
            "no session was started; the program runs on without one",
            "This is a free-threaded Python: other threads could run while code is swapped under them.",
            "Start it with PYTHON_GIL=1, or use a build with the GIL.",
        )


def _as_one(batches: Sequence[Batch]) -> Batch:
    """All of them, with the last change of each file."""
    code = {change.path: change for batch in batches for change in batch.code}
    data = {change.path: change for batch in batches for change in batch.data}
    return type(batches[-1])(tuple(code.values()), tuple(data.values()), batches[-1].closed_ms)


def _overlap(left: Sequence[str], right: Sequence[str]) -> str:
    for one in left:
        for other in right:
            if _inside(one, other) or _inside(other, one):
                return one
    return ""


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep


def _is_own(path: str) -> bool:
    """midflight never reloads itself; the programs inside the package are programs."""
    return path.startswith(_OWN) and not path.startswith(os.path.join(_OWN, "demo"))


def _glob(path: str, pattern: str) -> bool:
    if "**" in pattern:
        head, _, tail = pattern.partition("**/")
        return fnmatch.fnmatch(path, head + tail) or fnmatch.fnmatch(path, head + "*/" + tail)
    return fnmatch.fnmatch(path, pattern) and path.count(os.sep) == pattern.count(os.sep)


def _say_what_failed(future: Future[Report]) -> None:
    error = future.exception()
    if error is not None:
        log.warning("what was to be taken back stays: %s", error)


def _answered(action: Callable[[], Report], future: Future[Report]) -> Report | None:
    if not future.set_running_or_notify_cancel():
        return None
    try:
        report = action()
    except BaseException as error:
        future.set_exception(error)
        return None
    future.set_result(report)
    return report


def _no_module(path: str) -> str:
    """Why a file that was named was no edit."""
    if os.path.exists(path):
        return f"{path}: no loaded module comes from it; it is read when it is imported"
    return f"{path} is not there, and no loaded module came from it: is it the right path?"


def _not_source(path: str) -> Problem:
    what = "a module runs from this file, which is compiled: CPython cannot load it a second time"
    return Problem(path, 0, "MF013", what, "Restart the process to take it.")
