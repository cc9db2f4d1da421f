"""A step that keeps the loop from running: no deadline can end it, for the loop is what would; but a thread sees it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from types import FrameType

from midflight.errors import PluginError

log = logging.getLogger("midflight.plugins")

GRACE_S = 0.25  # after the deadline, in which a step that can be ended ends
ANSWER_S = 1.0  # in which a loop that runs answers, and a step that only computes goes on

Place = tuple[str, int, str]  # path, line, function


class Blocked(PluginError):
    """A step that blocked the loop beyond its deadline; `place` is where it stood then."""

    def __init__(self, deadline_s: float, place: Place) -> None:
        path, line, function = place
        super().__init__(
            f"blocked the event loop for more than {deadline_s:g} s, at {os.path.basename(path)}:{line} in {function}",
            "Nothing else ran meanwhile, and no deadline could end it.",
            "Await something there (asyncio.sleep, asyncio.to_thread) instead of waiting.",
        )
        self.place = place


class LoopWatch:
    """While it is entered, a step of `plugin` runs on this thread's loop; `is_own` tells the plugin's files. `blocked`
    says so afterwards; while it lasts the log does, with the lines that lead there."""

    def __init__(self, plugin: str, step: str, deadline_s: float, is_own: Callable[[str], bool]) -> None:
        self._title, self._deadline_s, self._is_own = f"plugin {plugin}: {step}", deadline_s, is_own
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._timer = threading.Timer(deadline_s + GRACE_S, self._look)
        self._timer.daemon = True
        self.blocked: Blocked | None = None

    def __enter__(self) -> LoopWatch:
        self._timer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        ran = threading.Event()
        try:
            self._loop.call_soon_threadsafe(ran.set)
        except RuntimeError:  # closed
            return
        before = self._stands()
        if before is None or ran.wait(ANSWER_S):
            return
        frame = self._stands()
        if frame is not None:
            self._say(frame)

    def _stands(self) -> FrameType | None:
        """The loop's innermost frame, where it is the plugin's code that runs, or what that called."""
        frame = innermost = sys._current_frames().get(self._thread)
        while frame is not None and not self._is_own(frame.f_code.co_filename):
            frame = frame.f_back
        return innermost if frame is not None else None

    def _say(self, innermost: FrameType) -> None:
        lines = traceback.extract_stack(innermost)
        first = next(number for number, line in enumerate(lines) if self._is_own(line.filename))
        own = [line for line in lines if self._is_own(line.filename)][-1]
        self.blocked = Blocked(self._deadline_s, (own.filename, own.lineno or 0, own.name))
        stack = "".join(traceback.format_list(lines[first:])).rstrip()
        log.error("%s %s\n  It runs still:\n%s", self._title, self.blocked.what, stack)
