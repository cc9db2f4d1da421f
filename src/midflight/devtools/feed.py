"""Every report and event to every page, in order: encoded once, sent together where they come fast."""

from __future__ import annotations

import asyncio
import collections
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from midflight.values import Event, Report

if TYPE_CHECKING:
    from midflight.session import Session

log = logging.getLogger("midflight")

REMEMBERED = 1000  # news that a page may be behind before it is dropped
FRAME = 1 << 18  # bytes that one frame holds at most, but for a single longer text
FRAMES_A_SECOND = 200  # for all pages together: what they may cost the program, however many there are


class News:
    """A report or event; `seq` counts from 1 and has no gaps. Its text is made when first asked for, not while the
    program reloads."""

    __slots__ = ("_text", "seq", "what")

    def __init__(self, seq: int, what: Report | Event) -> None:
        self.seq, self.what = seq, what
        self._text: str | None = None

    @property
    def text(self) -> str:
        """{"seq", "report"} or {"seq", "event"}."""
        if self._text is None:
            kind = "report" if isinstance(self.what, Report) else "event"
            text = f'{{"seq": {self.seq}, "{kind}": {self.what.to_json()}}}'
            # A file name may hold what UTF-8 cannot; JSON has an escape for it.
            self._text = text.encode("utf-8", "backslashreplace").decode()
        return self._text


class Behind(Exception):
    """A follower that is further behind than what is remembered."""


class Feed:
    """Subscribed to one session. `take` runs in whatever thread reloads; all else on the loops of the followers."""

    def __init__(self, session: Session) -> None:
        self._news: collections.deque[News] = collections.deque(maxlen=REMEMBERED)
        self._loops: dict[asyncio.AbstractEventLoop, Outlet] = {}
        self._lock = threading.Lock()
        self.seq = 0
        self._unsubscribe: Callable[[], None] | None = session.subscribe(self.take)

    def close(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def take(self, what: Report | Event) -> None:
        with self._lock:
            self.seq += 1
            self._news.append(News(self.seq, what))
            outlets = list(self._loops.values())
        for outlet in outlets:
            outlet.call()

    def since(self, seq: int) -> list[News]:
        """All news after number `seq`. Raises Behind when the first of them is no longer remembered."""
        with self._lock:
            behind = self.seq - seq
            if behind > len(self._news):
                raise Behind
            return [self._news[place] for place in range(-behind, 0)]

    def events(self, kind: str | None = None, limit: int = REMEMBERED) -> list[Event]:
        """Remembered events, of one kind or all, newest first."""
        with self._lock:
            news = [one.what for one in self._news if isinstance(one.what, Event)]
        return [one for one in reversed(news) if kind is None or one.kind == kind][:limit]

    def follow(self) -> Follower:
        """For a page that is served on the running loop; it must be closed."""
        loop = asyncio.get_running_loop()
        with self._lock:
            outlet = self._loops.setdefault(loop, Outlet(loop))
            return Follower(self, outlet, self.seq)

    def leave(self, outlet: Outlet) -> None:
        with self._lock:
            if not outlet.followers:
                self._loops.pop(outlet.loop, None)

    @property
    def followers(self) -> int:
        return sum(len(outlet.followers) for outlet in list(self._loops.values()))


class Outlet:
    """Wakes the followers of one loop, no oftener than they may be sent to."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.followers: set[Follower] = set()
        self._called = False
        self._rests_until = 0.0
        self._texts: dict[int, tuple[int, str]] = {}

    def call(self) -> None:
        """From any thread."""
        if self._called:
            return
        self._called = True
        try:
            self.loop.call_soon_threadsafe(self._arrange)
        except RuntimeError:
            log.debug("the loop of %d pages was closed before they were", len(self.followers))

    def _arrange(self) -> None:
        rest = self._rests_until - time.monotonic()
        if rest > 0:
            self.loop.call_later(rest, self._wake)
        else:
            self._wake()

    def _wake(self) -> None:
        self._called = False  # before they look: what comes while they do wakes them again
        self._texts.clear()
        self._rests_until = time.monotonic() + len(self.followers) / FRAMES_A_SECOND
        for follower in self.followers:
            follower.wake()

    def together(self, seq: int, news: list[News], now: Callable[[], dict[str, Any]]) -> str:
        """`news` and how things stand as one JSON array; made once for all followers that are equally far."""
        last = news[-1].seq
        known = self._texts.get(seq)
        if known is None or known[0] != last:
            parts = [*(one.text for one in news), json.dumps({"now": now()})]
            known = self._texts[seq] = (last, f"[{', '.join(parts)}]")
        return known[1]


class Follower:
    """One page's place in the feed."""

    def __init__(self, feed: Feed, outlet: Outlet, seq: int) -> None:
        self._feed, self._outlet, self.seq = feed, outlet, seq
        self._awake = asyncio.Event()
        self._gone = False
        outlet.followers.add(self)

    def close(self) -> None:
        self._outlet.followers.discard(self)
        self._feed.leave(self._outlet)

    @property
    def gone(self) -> bool:
        return self._gone

    def leave(self) -> None:
        """Its page went away."""
        self._gone = True
        self._awake.set()

    async def batch(self) -> list[News]:
        """The next news; empty when the page went away. Raises Behind."""
        while not self._gone:
            self._awake.clear()
            news = self._feed.since(self.seq)
            if news:
                return _first(news)
            await self._awake.wait()
        return []

    def wake(self) -> None:
        self._awake.set()

    def together(self, news: list[News], now: Callable[[], dict[str, Any]]) -> str:
        return self._outlet.together(self.seq, news, now)


def _first(news: list[News]) -> list[News]:
    """As many as one frame holds: a page that is behind gets what it missed piece by piece."""
    size = 0
    for place, one in enumerate(news):
        size += len(one.text)
        if size > FRAME and place:
            return news[:place]
    return news
