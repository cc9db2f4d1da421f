"""Who is told what happens: of Reports and Events all, of a file those who asked for such files."""

from __future__ import annotations

import contextlib
import fnmatch
import logging
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from midflight.config import lies_in

if TYPE_CHECKING:
    from midflight.values import Change, Event, Report

log = logging.getLogger("midflight")

Callback = Callable[[Any], None]


class Listeners:
    """Callbacks; globs of files are relative to one of `bases`, or to the folder where the process stands."""

    def __init__(self, bases: Iterable[str]) -> None:
        self._bases = tuple(bases)
        self._callbacks: list[tuple[Callback, str | None]] = []

    def add(self, callback: Callback, files: str | None) -> Callable[[], None]:
        """With a glob as `files` it gets the Changes of such files, else every Report and Event. Gives an undo."""
        entry = (callback, files)
        self._callbacks.append(entry)

        def remove() -> None:
            with contextlib.suppress(ValueError):
                self._callbacks.remove(entry)

        return remove

    def tell(self, news: Report | Event) -> None:
        for callback, files in list(self._callbacks):
            if files is None:
                _call(callback, news)

    def tell_of_file(self, change: Change) -> int:
        """How many have asked for it."""
        asked = [each for each, files in list(self._callbacks) if files is not None and self._fits(change.path, files)]
        for callback in asked:
            _call(callback, change)
        return len(asked)

    def _fits(self, path: str, pattern: str) -> bool:
        if os.path.isabs(pattern):
            return _glob(path, pattern)
        bases = (*self._bases, os.getcwd())
        return any(_glob(os.path.relpath(path, base), pattern) for base in bases if lies_in(path, base))


def _call(callback: Callback, news: Any) -> None:
    try:
        callback(news)
    except Exception:
        # It is the program's own code: its failure is not the reload's.
        log.exception("a subscriber failed on %s", type(news).__name__)


def _glob(path: str, pattern: str) -> bool:
    if "**" in pattern:
        head, _, tail = pattern.partition("**/")
        return fnmatch.fnmatch(path, head + tail) or fnmatch.fnmatch(path, head + "*/" + tail)
    return fnmatch.fnmatch(path, pattern) and path.count(os.sep) == pattern.count(os.sep)
