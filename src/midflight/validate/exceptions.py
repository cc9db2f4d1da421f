"""Exceptions that nobody caught, and those that were logged: how code that was taken shows that it does not work.

Seen are `sys.excepthook`, `threading.excepthook` and every log record that carries an exception: with the last come
asyncio's (its default handler logs them) and those of web frameworks and task queues, which catch and log. Not seen is
what a program catches and keeps to itself. It costs nothing until there is an exception, and a tenth of a microsecond
for a log record."""

from __future__ import annotations

import logging
import os
import sys
import threading
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from midflight.values import Changed

MOST_SEEN = 1000  # kinds of exceptions that are remembered as old
Place = tuple[str, str, int, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One exception. `places` are the frames of its traceback in the program's files, outermost first: path, name of
    the function, line, and the names that its code uses. `ends`: the program ends with it."""

    text: str
    places: tuple[Place, ...]
    ends: bool = False

    def __str__(self) -> str:
        path, name, line, _ = self.places[-1]
        return f"{self.text} ({os.path.basename(path)}:{line}, in {name})"


def touches(changed: Iterable[Changed], fault: Fault) -> bool:
    """Whether the traceback leads through code that was changed: a function that was edited or made again, or one that
    uses a value of its module that is another one now."""
    return any(
        _leads_through(place, os.path.realpath(path), name, how)
        for path, name, how in changed
        for place in fault.places
    )


def _leads_through(place: Place, path: str, changed: str, how: str) -> bool:
    at, function, _, uses = place
    if path != at:
        return False
    # A lambda does not know the name that it is bound to.
    runs = function == changed or function.startswith((f"{changed}.", "<lambda>"))
    return (runs and how != "rebound") or (changed in uses and how != "grafted")


class Exceptions:
    """Tells `notice` of each new one in a file that is `ours`; an exception is old that came before and was not
    `notice`'s business (it answers whether it was)."""

    def __init__(self, ours: Callable[[str], bool], notice: Callable[[Fault], bool]) -> None:
        self._ours, self._notice = ours, notice
        self._seen: set[tuple[Any, ...]] = set()
        self._undo: list[Callable[[], None]] = []

    def install(self) -> None:
        if not self._undo:
            self._hook_uncaught()
            self._hook_threads()
            self._hook_logging()

    def remove(self) -> None:
        """Whoever hooked in after us goes on calling us: then we only pass on."""
        undo, self._undo = self._undo, []
        for action in undo:
            action()

    def _hook_uncaught(self) -> None:
        before = sys.excepthook

        def hook(kind: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
            self._look(error, trace, ends=True)
            before(kind, error, trace)

        def undo() -> None:
            if sys.excepthook is hook:
                sys.excepthook = before

        self._undo.append(undo)
        sys.excepthook = hook

    def _hook_threads(self) -> None:
        before = threading.excepthook

        def hook(args: threading.ExceptHookArgs) -> None:
            self._look(args.exc_value, args.exc_traceback)
            before(args)

        def undo() -> None:
            if threading.excepthook is hook:
                threading.excepthook = before

        self._undo.append(undo)
        threading.excepthook = hook

    def _hook_logging(self) -> None:
        before = logging.getLogRecordFactory()

        def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record: logging.LogRecord = before(*args, **kwargs)
            if record.exc_info and record.exc_info[1] is not None and record.name != "midflight":
                self._look(record.exc_info[1], record.exc_info[2])
            return record

        def undo() -> None:
            if logging.getLogRecordFactory() is factory:
                logging.setLogRecordFactory(before)

        self._undo.append(undo)
        logging.setLogRecordFactory(factory)

    def _look(self, error: BaseException | None, trace: types.TracebackType | None, *, ends: bool = False) -> None:
        if not self._undo or error is None or isinstance(error, (KeyboardInterrupt, SystemExit)):
            return
        places = self._places(trace)
        kind = (type(error).__name__, *((path, name) for path, name, _, _ in places))
        if not places or kind in self._seen:
            return
        fault = Fault(_text(error), tuple(places), ends)
        if not self._notice(fault) and len(self._seen) < MOST_SEEN:
            self._seen.add(kind)

    def _places(self, trace: types.TracebackType | None) -> list[Place]:
        places = []
        while trace is not None:
            code = trace.tb_frame.f_code
            if self._ours(code.co_filename):
                path = os.path.realpath(code.co_filename)
                places.append((path, code.co_qualname, trace.tb_lineno, frozenset(code.co_names)))
            trace = trace.tb_next
        return places


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as failure:  # a program's own exception class may fail at anything
        text = f"its text cannot be had: {type(failure).__name__}"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
