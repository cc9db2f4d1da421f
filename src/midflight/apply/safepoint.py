"""When a reload may happen, and who still runs old code."""

from __future__ import annotations

# What `signal` wraps: to make enums of a handler, there and back, cost a twentieth of a small reload.
import _signal  # type: ignore[import-not-found]
import contextlib
import gc
import os
import signal
import sys
import threading
import time
import types
import weakref
from collections.abc import Container, Iterable, Iterator
from typing import Any

from midflight.apply.holders import running_codes
from midflight.graph.heap import objects
from midflight.graph.kinds import is_a
from midflight.values import OldFrame


def main_loop() -> Any:
    """The asyncio loop that runs in the main thread at this moment, or None.

    asyncio keeps it in a thread-local that only its own thread can read; the frames on that thread's stack name it."""
    asyncio = sys.modules.get("asyncio")
    main = threading.main_thread()
    if asyncio is None or not main.is_alive() or main.ident is None:
        return None
    frame: types.FrameType | None = sys._current_frames().get(main.ident)
    try:
        while frame is not None:
            if frame.f_code.co_name in ("run_forever", "run_until_complete", "run"):
                loop = _loop_of(frame, asyncio)
                if loop is not None and loop.is_running():
                    return loop
            frame = frame.f_back
        return None
    finally:
        del frame


def _loop_of(frame: types.FrameType, asyncio: Any) -> Any:
    owner = frame.f_locals.get("self")
    if is_a(owner, asyncio.AbstractEventLoop):
        return owner
    inside = getattr(owner, "_loop", None)
    return inside if is_a(inside, asyncio.AbstractEventLoop) else None


@contextlib.contextmanager
def collector_rests() -> Iterator[None]:
    """No automatic collection inside, nor of what was made inside soon after: for work that makes many objects to
    keep, and runs none of the program's code. Parsing a thousand files set off full collections that took longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # what the program froze itself stays frozen
            # All that lives counts as old, without being walked: both calls only join lists (Modules/gcmodule.c).
            gc.freeze()
            gc.unfreeze()
        if was_on:
            gc.enable()


@contextlib.contextmanager
def interrupts_wait() -> Iterator[None]:
    """A Ctrl-C that comes inside is raised at the end: half-applied is worse than either version.

    A second one means that the new code hangs: it is raised where that code stands, and all is rolled back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[Any] = []
    before = _signal.getsignal(signal.SIGINT)
    if not callable(before):
        yield
        return

    def note(number: int, frame: types.FrameType | None) -> None:
        if came and frame is not None and not frame.f_code.co_filename.startswith(_PACKAGE):
            came.clear()
            raise KeyboardInterrupt
        came.append((number, frame))

    _signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        _signal.signal(signal.SIGINT, before)
        if came:
            before(*came[-1])


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def old_frames(codes: Iterable[types.CodeType]) -> tuple[OldFrame, ...]:
    """Running frames and waiting tasks that run one of `codes`, which new code has replaced."""
    old = {id(code): code for code in codes}
    if not old:
        return ()
    running = running_codes(old)
    names = {thread.ident: thread.name for thread in threading.enumerate()} if running else {}
    found = [_told(code, line, "frame", names.get(ident, str(ident))) for ident, code, line in running]
    return (*found, *_old_tasks(old))


def _old_tasks(old: dict[int, types.CodeType]) -> Iterator[OldFrame]:
    for task in _tasks():
        waits: Any = task.get_coro()
        while waits is not None:
            code, frame, running = _state_of(waits)
            if code is not None and id(code) in old and not running:
                yield _told(code, frame.f_lineno if frame is not None else 0, "task", task.get_name())
            waits = _awaited_by(waits)


_PREFIXES = {types.GeneratorType: "gi", types.CoroutineType: "cr", types.AsyncGeneratorType: "ag"}
_KINDS = {"gi": "generator", "cr": "coroutine", "ag": "async generator"}


def _state_of(waits: Any) -> tuple[types.CodeType | None, types.FrameType | None, bool]:
    """Code, frame and whether it runs, of a generator, a coroutine or an async generator."""
    prefix = _PREFIXES.get(type(waits), "cr")
    code, frame, running = (getattr(waits, f"{prefix}_{part}", None) for part in ("code", "frame", "running"))
    # An async generator counts as running while it awaits something; it stands still all the same.
    return code, frame, bool(running) and prefix != "ag"


def _awaited_by(waits: Any) -> Any:
    for name in ("cr_await", "gi_yieldfrom", "ag_await"):
        if hasattr(waits, name):
            return getattr(waits, name)
    # What `async for` awaits is a C object that tells nobody whose step it is.
    return next((held for held in gc.get_referents(waits) if type(held) in _PREFIXES), None)


def _tasks() -> list[Any]:
    tasks = sys.modules.get("asyncio.tasks")
    if tasks is None:
        return []
    found: list[Any] = []
    for name in ("_all_tasks", "_scheduled_tasks", "_eager_tasks"):
        with contextlib.suppress(RuntimeError):  # a set that another thread changes: what is missed is only not named
            found += list(getattr(tasks, name, ()))
    return [task for task in found if not task.done()]


class Replaced:
    """Code that reloads have replaced, for as long as somebody holds it."""

    def __init__(self) -> None:
        self._codes: list[tuple[weakref.ref[types.CodeType], float]] = []  # and since when, on the monotonic clock

    def add(self, codes: Iterable[types.CodeType]) -> None:
        self._codes = [(ref, at) for ref, at in self._codes if ref() is not None]
        self._codes += [(weakref.ref(code), time.monotonic()) for code in codes]

    def suspended(self) -> list[dict[str, Any]]:
        """Generators, coroutines and async generators that stand still in it, with the seconds since it was replaced:
        one walk over the heap."""
        since = {id(code): at for ref, at in self._codes if (code := ref()) is not None}
        now = time.monotonic()
        return [
            {"name": f.name, "path": f.path, "line": f.line, "kind": f.kind, "age_s": round(now - since[id(code)], 3)}
            for f, code in (suspended(since) if since else ())
        ]


def suspended(old: Container[int]) -> Iterator[tuple[OldFrame, types.CodeType]]:
    """Generators, coroutines and async generators on the heap that stand still in code whose id is `old`."""
    for item in objects(_PREFIXES):
        code, frame, running = _state_of(item)
        if code is not None and frame is not None and not running and id(code) in old:
            yield _told(code, frame.f_lineno, _KINDS[_PREFIXES[type(item)]], ""), code


def _told(code: types.CodeType, line: int, kind: str, thread: str) -> OldFrame:
    return OldFrame(code.co_qualname, code.co_filename, line, kind, thread)
