"""What can only be had while a report is made: the texts that it went from and to, and the memory then."""

from __future__ import annotations

import collections
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from midflight.graph.hook import read_bytes
from midflight.graph.loaded import version_of
from midflight.values import Event, Report

if TYPE_CHECKING:
    from midflight.session import Session

MOST_BYTES = 16 << 20  # of remembered texts; the oldest go first
MOST_MODULES = 200  # of one report; a checkout of a thousand files must not wait for us
SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Memory:
    """The program's resident memory in bytes; `at` is seconds since the epoch."""

    at: float
    rss: int


class Recorder:
    """Subscribed to one session; remembers texts by their SHA-256."""

    def __init__(self, session: Session) -> None:
        self._session, self._program = session, session.program
        self._texts: collections.OrderedDict[str, bytes] = collections.OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self.memory: collections.deque[Memory] = collections.deque(maxlen=SAMPLES)
        self.close = session.subscribe(self._take)

    def text(self, module: str, path: str, sha: str) -> bytes | None:
        """As remembered, or as it is stored, or as it lies in its file still; None where it is nowhere."""
        with self._lock:
            known = self._texts.get(sha)
        if known is None:
            known = self._session.source(module, path, sha)
        if known is None:
            on_disk = read_bytes(path)
            known = on_disk if on_disk is not None and version_of(on_disk) == sha else None
        return known

    def _take(self, news: Report | Event) -> None:
        if not isinstance(news, Report) or news.outcome == "unchanged":
            return
        self.memory.append(Memory(news.at, resident_bytes()))
        for name, module in list(news.modules.items())[:MOST_MODULES]:
            wanted = {module.before, module.after} - {"", *self._texts}
            for text in self._candidates(name, module.path) if wanted else ():
                sha = version_of(text)
                if sha in wanted:
                    wanted.discard(sha)
                    self._remember(sha, text)
                if not wanted:
                    break

    def _candidates(self, name: str, path: str) -> Iterator[bytes]:
        """Where a text may be had, the cheapest first."""
        loaded = self._program.get(name)
        if loaded is not None:
            yield from (text for text in (loaded.source, loaded.noted.source) if text is not None)
        on_disk = read_bytes(path)
        if on_disk is not None:
            yield on_disk

    def _remember(self, sha: str, text: bytes) -> None:
        with self._lock:
            self._texts[sha] = text
            self._bytes += len(text)
            while self._bytes > MOST_BYTES and len(self._texts) > 1:
                self._bytes -= len(self._texts.popitem(last=False)[1])


def resident_bytes() -> int:
    """0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
