"""When a batch is taken, and what is told to whom: modes, what is pending, reports and events."""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from midflight.asks import NO_WRITES, Sources, Terms, Writes
from midflight.config import Config, load
from midflight.errors import SessionError
from midflight.followed import Followed
from midflight.graph.hook import read_bytes, values_made
from midflight.graph.loaded import Program
from midflight.inbox import Inbox, answered
from midflight.listeners import Callback, Listeners
from midflight.saved import Saved
from midflight.watch import Watch

if TYPE_CHECKING:
    from concurrent.futures import Future

    from midflight.apply.graft.generated import collect_left
    from midflight.apply.safepoint import interrupts_wait, main_loop
    from midflight.apply.trial import Trial, concluded
    from midflight.attempt import Attempt, Ended
    from midflight.held import Held
    from midflight.plan.planner import ModuleEdit, plan_reload
    from midflight.proving import Proving
    from midflight.records import Records
    from midflight.store.intents import Intents
    from midflight.store.keeper import Window
    from midflight.store.versions import Text
    from midflight.validate.unloaded import Unloaded
    from midflight.values import Batch, Event, Mode, Plan, Problem, Report, Version

log = logging.getLogger("midflight")

WARM_UP_S = 1.0  # without an import
HELD_POLL_S = 0.005
Taking = Generator[None, None, "tuple[Report, KeyboardInterrupt | None]"]  # yields while the new code is on trial
Attempting = Generator[None, None, "Ended"]


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
    return next((one for one in _running if one.covers(os.path.realpath(path))), None)


def set_current(session: Session | None) -> None:
    global _current
    _current = session


_STAGES = {
    "midflight.apply.graft.generated": ("collect_left",),
    "midflight.apply.safepoint": ("interrupts_wait", "main_loop"),
    "midflight.apply.trial": ("Trial", "concluded"),
    "midflight.attempt": ("Attempt",),
    "midflight.held": ("Held",),
    "midflight.plan.planner": ("ModuleEdit", "plan_reload"),
    "midflight.proving": ("Proving",),
    "midflight.records": ("Records",),
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
        self._followed = Followed(self.config)
        self.paths = self._followed.paths
        self.id = f"s{os.getpid()}-{os.urandom(3).hex()}"  # a restart in the same process is another one
        self.running = self.paused = False
        self.main_path: str | None = None
        self.started_at = 0.0
        self.program = Program(self._followed.has_module)
        self._saved = Saved(self.program)
        self._inbox = Inbox()
        self._listeners = Listeners((*self.paths, os.path.realpath(self.config.root)))
        self._lock = threading.RLock()
        self._busy = False
        self._at_safe_points = False
        self._wake = threading.Event()
        self._worker: threading.Thread | None = None
        self._watch: Watch | None = None
        self._made: tuple[Records, Proving] | None = None
        self._making = threading.Lock()  # of its own: who asks for a report does not wait for a reload
        self._unloaded: Unloaded | None = None
        self._troubles: list[str] = []

    # -- start and stop -----------------------------------------------------------------------------

    def start(self) -> None:
        """Watch, and note modules as they are imported. Raises SessionError where a session cannot be."""
        if self.running or not self.config.enabled:
            return
        self._refuse_start()
        self._watch = self._saved.watch = Watch(
            self._followed.filters,
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
        if self._made is not None:
            self._records.reopen()
        self._settle()
        self.program.start()
        self.running, self.started_at = True, time.time()
        _running.append(self)

    def _refuse_start(self) -> None:
        _refuse_free_threading()
        for other in _running:
            shared = self._followed.shared_with(other._followed)
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
        if self._watch is not None:
            self._watch.stop()
        if self._worker is not None and self._worker is not threading.current_thread():
            self._worker.join(timeout=5)
        self.program.stop()
        if self._made is not None:
            self._proving.stop()
        self.make_durable()
        if self in _running:
            _running.remove(self)
        if current() is self:
            set_current(None)

    def make_durable(self) -> None:
        """What is still to be written of reports and versions is on disk when this returns."""
        if self._made is not None:
            self._records.keeper.close()
            if self.running:
                self._records.reopen()  # what comes after this is kept too

    def _forked(self) -> None:
        """A forked child has the modules but none of our threads: it runs on without a session."""
        if self.running:
            self.running = False
            self.program.stop()
            if self._made is not None:
                self._records.keeper.leave_to_parent()
            _running.clear()
            set_current(None)

    def __enter__(self) -> Session:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    # -- what the watcher brings --------------------------------------------------------------------

    def _on_batch(self, batch: Batch) -> None:
        self._inbox.put(batch)
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
        batches = [] if self.paused else self._inbox.take_batches()
        requests = self._inbox.take_requests()
        try:
            if batches:
                report = self._take_batches(batches, "watcher")
        except KeyboardInterrupt:
            log.warning("a module's top level raised KeyboardInterrupt; its reload was rolled back")
        for paths, future in requests:
            self._answer(paths, future)
        return self._inbox.do_actions() or report

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
            asked += [change.path for change in batch.code if self._listeners.tell_of_file(change)]
            for change in batch.data:
                told = self._listeners.tell_of_file(change)
                self._tell_event("data", path=change.path, kind=change.kind, told=told)
        if asked:
            self._refuse_broken(asked)

    def _refuse_broken(self, asked: Iterable[str]) -> None:
        """A file that the program asked for and does not run yet, and that Python cannot read, is told like an edit
        that was not taken; it holds up no other."""
        if self._unloaded is None:
            from midflight.validate.unloaded import Unloaded  # most programs ask for no file

            self._unloaded = Unloaded(lambda path: bool(self.program.at(path)))
        ours = [path for path in asked if path.endswith(".py") and not self._followed.is_left(path)]
        with self._lock:
            problems, mended = self._unloaded.look(self._saved.read_settled(ours))
            if problems:
                tried = self._unloaded.tried(problems)
                self._record(self._records.report("watcher", "refused", {}, problems=problems, modules=tried))
            elif mended:
                self._record(self._records.report("watcher", "unchanged", {}))

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
            return self.unchanged(cause), None
        self._refuse_reentry()
        if paths is not None:
            given = [self._real(os.fspath(path)) for path in paths]
            self._followed.refuse_outside(given)
            if compiled := [path for path in given if self._runs_compiled(path)]:
                problems = map(_not_source, compiled)
                return self._record(self._records.report(cause, "refused", {}, problems=problems)), None
            return (yield from self._reloading(given, cause, terms=terms))
        if self._watch is None:
            return (yield from self._reloading(self._changed_on_disk(), cause, terms=terms))
        drained = self._watch.drain()  # first: a batch that is on its way arrives before this returns
        batches = [*self._inbox.take_batches(), drained]
        self._hand_out(batches)
        found = sorted({change.path for batch in batches for change in batch.code})
        # What was refused was not taken: asked again, it is tried again, also where nothing else changed.
        return (yield from self._reloading(found or sorted(self._saved.pending), cause, terms=terms))

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
        future = self._inbox.request(paths)
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
        if not self._inbox.batches and not self._inbox.is_asked:
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
        return self._inbox.is_asked or bool(self._inbox.batches and self._takes_batches)

    @property
    def _takes_batches(self) -> bool:
        return self.mode != "manual" and not self.paused

    def pump_on_trial(self, terms: Terms) -> Trial | None:
        """What `waits`, on trial as `on_trial` has it: the batches, or the first request, the rest at the next call.
        Going back to an earlier version is no trial: it is done at once."""
        _load_stages()
        self._inbox.do_actions()
        batches = self._inbox.take_batches() if self._takes_batches else []
        requests = self._inbox.take_requests(1) if not batches else []
        self._hand_out(batches)
        if requests:
            return self._answer_on_trial(*requests[0], terms)
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
        self._followed.refuse_outside(sources)
        self._refuse_reentry()
        return self._transact({**sources}, cause, Writes(sources, reason, author))

    def plan(self, paths: Iterable[str | os.PathLike[str]] | None = None) -> Plan:
        """What a reload would do, and what it would refuse; touches nothing."""
        _load_stages()
        given = [os.path.realpath(os.fspath(p)) for p in paths] if paths is not None else self._changed_on_disk()
        return self._planned(self._saved.read(given))

    def plan_rollback(self, version_id: str | None = None, modules: Sequence[str] | None = None) -> Plan:
        """What `rollback` would do, and what it would refuse; touches nothing. Raises StoreError as it does."""
        _load_stages()
        left = self._saved.not_there(self._records.keeper.past().targets(version_id, modules))
        self._followed.refuse_outside(left)
        return self._planned({**left})

    def plan_texts(self, texts: Mapping[str | os.PathLike[str], bytes]) -> Plan:
        """What an `apply` of these files would do, and what it would refuse; touches nothing."""
        _load_stages()
        sources: Sources = {os.path.realpath(os.fspath(path)): text for path, text in texts.items()}
        self._followed.refuse_outside(sources)
        return self._planned(sources)

    def _planned(self, sources: Sources) -> Plan:
        with self._lock:
            attempt = self._begin(sources, "plan")
            if attempt.problems:
                return Plan(problems=tuple(attempt.problems))
            modules = [ModuleEdit(work.name, work.loaded.order, work.pairs) for work in attempt.works]
            return plan_reload(modules, self.program.holders, attempt.files.steps())

    def _changed_on_disk(self) -> list[str]:
        return sorted(self._inbox.paths | self._saved.changed() | self._saved.pending.keys())

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
        return self._go_back(self._records.keeper.past().targets(version_id, modules), version_id or "", author=author)

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
        if self.mode == "manual" and not self._at_safe_points:
            from concurrent.futures import Future

            future: Future[Report] = Future()
            answered(action, future)
        else:
            future = self._inbox.ask(action)
            self._wake.set()
        return future

    def _go_back(
        self, targets: Sequence[Text], point: str, *, author: str = "", cause: str = "", notes: tuple[str, ...] = ()
    ) -> Report:
        left = self._saved.not_there(targets)
        cause = (
            cause or self._records.undone(targets, self.program) or f"rollback to {point or 'the last stable versions'}"
        )
        if not left:
            return self._record(self._records.report(cause, "unchanged", {}, notes=(_NOTHING_ELSE,)))
        self._followed.refuse_outside(left)
        return self._transact({**left}, cause, Writes(left, cause, author, True, notes))

    def covers(self, path: str) -> bool:
        """Whether a file or folder, given with symlinks resolved, lies in what this session follows."""
        return self._followed.covers(path)

    def _real(self, path: str) -> str:
        """`path` with symlinks resolved: what a module runs from is, and need not be asked for step by step."""
        return path if self.program.is_real(path) else os.path.realpath(path)

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
        return self._followed.leave(root)

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
                attempt = self._begin(self._saved.read(map(os.path.realpath, paths)), cause)
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
        read = self._saved.read_settled if quiet else self._saved.read
        sources = read(path for path in paths if not self._followed.is_left(path))
        fresh = self._saved.differing(sources)
        undone = self._saved.mended(sources, fresh)
        if undone and self._saved.pending:
            fresh = {**self._saved.waiting(), **fresh}  # what made the others fail is gone: they are tried again
        if not fresh:
            # A file that was broken and is as it was again is news; a save of what runs already is not.
            if quiet and not undone:
                return self.unchanged(cause), None
            notes = () if quiet else tuple(map(_no_module, (path for path in sources if not self.program.at(path))))
            return self._record(self._records.report(cause, "unchanged", {}, notes=notes)), None
        return (yield from self._taking(fresh, cause, NO_WRITES, terms))

    def _transact(self, sources: Sources, cause: str, writes: Writes = NO_WRITES) -> Report:
        _load_stages()
        return concluded(self._taking(sources, cause, writes))

    def _taking(self, sources: Sources, cause: str, writes: Writes, terms: Terms | None = None) -> Taking:
        """Attempt the batch with the files that stayed pending; if that fails, once more without them."""
        with self._lock:
            self._busy = True
            try:
                with interrupts_wait():
                    ended = yield from self._attempt_with_pending(sources, cause, writes, terms)
                    self._busy = False
                    report = self._conclude(cause, ended, writes)
            finally:
                self._busy = False
        collect_left()
        return report, ended.interrupt

    def _refuse_reentry(self) -> None:
        if self.is_held():
            raise SessionError(
                "this reload was not started; another one is running in this thread",
                "It was asked for by code that is being reloaded.",
                "Ask for it after the import, from a function that the program calls.",
            )

    def _attempt_with_pending(self, sources: Sources, cause: str, writes: Writes, terms: Terms | None) -> Attempting:
        """Files of a batch that failed are taken along by the next; if it fails with them it is taken without."""
        saved = self._saved
        if writes.alone:
            ended = yield from self._attempt(sources, cause, writes, terms)
            saved.pending = {p: s for p, s in saved.pending.items() if p not in sources or not ended.ok}
            return ended
        waiting = saved.waiting(but=sources) if saved.pending else {}
        ended = yield from self._attempt({**waiting, **sources}, cause, writes, terms)
        if waiting and not ended.ok and ended.interrupt is None:
            ended = yield from self._attempt(sources, cause, writes, terms)
            saved.pending = waiting if ended.ok else {**waiting, **sources}
        else:
            saved.pending = {} if ended.ok else {**waiting, **sources}
        return ended

    def _attempt(self, sources: Sources, cause: str, writes: Writes, terms: Terms | None) -> Attempting:
        return self._begin(sources, cause).taken(writes, terms, self._look_for_exceptions)

    def _begin(self, sources: Sources, cause: str) -> Attempt:
        return Attempt(self.program, self.config, self._intents, sources, cause)

    def _intents(self) -> Intents | None:
        return self._records.keeper.intents()

    def _conclude(self, cause: str, ended: Ended, writes: Writes = NO_WRITES) -> Report:
        """The Report of an attempt; which versions live now and what was written are recorded with it."""
        self._records.replaced.add(ended.replaced)
        names = ("problems", "modules", "old_frames", "notes")
        parts = {name: getattr(ended, name) for name in names}
        report = self._records.report(cause, ended.outcome, ended.timings_ms, **parts)
        return self._record(report, writes, ended)

    # -- reports ------------------------------------------------------------------------------------

    def unchanged(self, cause: str) -> Report:
        """What is said where there was nothing to take; it is not recorded."""
        _load_stages()
        return Report("r0", time.time(), cause, "unchanged")

    def _record(self, report: Report, writes: Writes = NO_WRITES, ended: Ended | None = None) -> Report:
        if ended is None:
            self._records.add(report, writes)
        else:
            self._records.add(report, writes, ended.ran, ended.writing)
        self._listeners.tell(report)
        self._records.keeper.follow()
        if report.outcome == "committed" and self.config.tests != "off" and self.running:
            self._proving.test(report)
        return report

    @property
    def _records(self) -> Records:
        return (self._made or self._make())[0]

    @property
    def _proving(self) -> Proving:
        return (self._made or self._make())[1]

    def _make(self) -> tuple[Records, Proving]:
        """Made when there is something to keep: a program that is not edited has no store."""
        _load_stages()
        with self._making:
            if self._made is None:
                told = self._tell_later, self._window_passed, self._on_store_trouble
                records = Records(self.config, self.covers, *told)
                is_module, take_back = self._followed.has_module, self._back_to_stable
                self._made = records, Proving(self.config, self.paths, records, is_module, take_back, self._tell_later)
        return self._made

    def _settle(self) -> None:
        """Put in order what a process that died left, before any file of it is imported."""
        if not os.path.isdir(self.config.store_dir):
            return
        from midflight.store.presence import dead

        if dead(self.config.store_dir):
            for line in self._records.keeper.settle():
                self._on_store_trouble(line)

    def start_from_stable(self) -> list[str]:
        """Before `start`: modules whose file is not their last stable version are imported as that version, and the
        files stay as they are, until they are saved again. Gives the versions that stand in."""
        self._settle()
        found = [one for one in self._records.keeper.past().targets() if read_bytes(one.path) not in (None, one.source)]
        for one in found:
            self.program.notebook.stand_in(one.path, one.source)
        return [one.version.id for one in found]

    def _on_store_trouble(self, text: str) -> None:
        log.warning("%s", text)
        self._troubles.append(text)
        self._tell_event("store", text=text)

    def _tell_later(self, kind: str, report_id: str, detail: Mapping[str, Any]) -> None:
        self._listeners.tell(Event(kind, time.time(), report_id, detail))

    # -- the window in which a version shows whether it works ------------------------------------------

    def _look_for_exceptions(self) -> None:
        if self.running:
            self._proving.look_for_exceptions()

    def _window_passed(self, window: Window) -> None:
        self._proving.passed(window)

    def reject(self, report_id: str, why: str) -> None:
        """A check that came after the commit failed, or an exception did. Within its window the report is taken back:
        its modules go to their last stable versions, files too, in a report of its own. Any thread may say so; it is
        done where the mode lets the program be changed, in mode manual on midflight's own thread."""
        self._proving.reject(report_id, why)

    def _back_to_stable(self, modules: Sequence[str], cause: str, note: str) -> Future[Report]:
        def go_back() -> Report:
            return self._go_back(self._records.keeper.past().targets(None, modules), "", cause=cause, notes=(note,))

        return self._ask(go_back)

    def _tell_event(self, name: str, **detail: Any) -> None:
        _load_stages()
        self._listeners.tell(Event(name, time.time(), detail=detail))

    def subscribe(self, callback: Callback, data: str | None = None) -> Callable[[], None]:
        """`callback` gets every Report and Event; with a glob as `data` the Changes of such files, those of code before
        they are taken. Gives an undo."""
        return self._listeners.add(callback, data)

    def history(self, limit: int = 10) -> list[Report]:
        """The last reports, newest first; behind this session's own those of earlier ones on the same files."""
        return self._records.history(limit)

    def report(self, report_id: str) -> Report | None:
        """The report of that id, also of an earlier process; None where there is none."""
        return self._records.of_id(report_id)

    def versions(self, module: str | None = None, limit: int = 20) -> list[Version]:
        """Module versions that ran, also in earlier processes, as they last went live: newest first."""
        return self._records.keeper.past().newest(module, limit)

    def source(self, module: str, path: str, sha: str) -> bytes | None:
        """The text of a version by its SHA-256; None where it is not kept."""
        return self._records.source(module, path, sha)

    def points(self, limit: int = 20) -> list[Version]:
        """Versions that a rollback can go back to: those that ran, but what runs now; newest first."""
        return self._records.keeper.past().points(limit)

    def counts(self) -> dict[str, int]:
        """The counts of `stats`, which cost nothing to ask for."""
        return {**self._records.counts, "cached_modules": len(self.program.notebook.modules)}

    def pending(self) -> list[str]:
        """Files whose last text was not taken."""
        broken = self._unloaded.pending() if self._unloaded is not None else []
        return sorted({*self._saved.pending.copy(), *broken})

    def stats(self) -> dict[str, Any]:
        """Counts since the start, what is loaded, and who stands still in old code (by a walk over the heap), with the
        seconds since a reload replaced that code."""
        _load_stages()
        return {
            **self.counts(),
            "dependencies_tracked": sum(len(found) for found in self.program.graph().values()),
            "pending": self.pending(),
            "suspended_on_old_code": self._records.replaced.suspended(),
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
        last = None
        if self._made is not None:
            self._records.keeper.save()  # troubles that it meets are part of the answer
            last = self._records.last
        return {
            "id": self.id,
            "enabled": self.config.enabled,
            "status": "stopped" if not self.running else "paused" if self.paused else "running",
            "mode": self.mode,
            "paths": list(self.paths),
            "started_at": self.started_at,
            "modules": len(self.program.notebook.modules),
            "pending": self.pending(),
            "waiting_batches": len(self._inbox.batches),
            "last_report": {"id": last.id, "outcome": last.outcome, "at": last.at} if last else None,
            "watcher": self._watch.status() if self._watch is not None else None,
            "store": self.config.store_dir,
            "troubles": list(self._troubles),
        }


def note_main(session: Session, path: str, text: str) -> None:
    """`path` is about to run as `__main__`, and its source is `text`."""
    session.main_path = os.path.realpath(path)
    if session.running and session._followed.has_module(session.main_path):
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


_NOTHING_ELSE = "nothing else is there to go back to"


def _no_module(path: str) -> str:
    """Why a file that was named was no edit."""
    if os.path.exists(path):
        return f"{path}: no loaded module comes from it; it is read when it is imported"
    return f"{path} is not there, and no loaded module came from it: is it the right path?"


def _not_source(path: str) -> Problem:
    what = "a module runs from this file, which is compiled: CPython cannot load it a second time"
    return Problem(path, 0, "MF013", what, "Restart the process to take it.")
