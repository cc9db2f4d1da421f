"""Reports as they happen."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from midflight.devtools.feed import REMEMBERED
from midflight.session import Session
from midflight.values import Event

pytestmark = pytest.mark.one_version

Follow = Callable[..., AbstractContextManager[ClientConnection]]


def received(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=60))


def test_a_follower_is_greeted_and_told_each_report(session: Session, project: Path, follow: Follow) -> None:
    with follow() as socket:
        hello = received(socket)["hello"]
        assert (hello["status"], hello["seq"], hello["problems"]) == ("running", 0, [])
        seen = 0
        for rate in (3, 4):
            (project / "cart.py").write_text(f"RATE = {rate}\n")
            report = session.reload()
            while "report" not in (told := received(socket)):
                pass  # that the report before is on disk by now
            assert told["report"] == json.loads(report.to_json()) and told["seq"] > seen
            seen = told["seq"]


def test_events_are_told_too(session: Session, follow: Follow) -> None:
    with follow() as socket:
        received(socket)
        session.pause()
        assert received(socket)["event"]["kind"] == "paused"


def test_in_batches_each_ends_with_how_things_stand(session: Session, project: Path, follow: Follow) -> None:
    with follow("?batch=1") as socket:
        received(socket)
        (project / "cart.py").write_text("RATE = (\n")
        session.reload()
        told = received(socket)
        assert told[0]["report"]["outcome"] == "refused"
        assert told[-1]["now"]["counts"]["failures"] == 1
        assert [problem["code"] for problem in told[-1]["now"]["problems"]] == ["MF001"]


def test_many_followers_get_everything_in_order(session: Session, follow: Follow) -> None:
    import contextlib

    count = 2 * REMEMBERED // 3
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(follow("?batch=1", max_size=None)) for _ in range(10)]
        for one in sockets:
            received(one)
        for number in range(count):
            session._listeners.tell(Event("data", float(number)))
        for one in sockets:
            seen: list[int] = []
            while len(seen) < count:
                seen += [news["seq"] for news in received(one) if "seq" in news]
            assert seen == list(range(1, count + 1))


def test_a_follower_that_does_not_read_is_dropped_with_a_word_and_stalls_nobody(
    session: Session, follow: Follow
) -> None:
    slow_socket = socket.socket()
    slow_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    word = "x" * 20_000
    with follow("?batch=1", max_size=None) as quick:
        received(quick)
        address = (quick.remote_address[0], quick.remote_address[1])
        slow_socket.connect(address)
        with follow("?batch=1", max_size=None, sock=slow_socket, max_queue=1) as slow:
            received(slow)
            number = 0
            # The quick one is served while the slow one fills its buffers and falls behind what is remembered.
            for _ in range(6):
                for _ in range(REMEMBERED // 2):
                    number += 1
                    session._listeners.tell(Event("data", float(number), detail={"word": word}))
                last = 0
                while last < number:
                    last = max(news.get("seq", 0) for news in received(quick))
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    slow.recv(timeout=60)
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, "too slow" in closed.value.rcvd.reason) == (4408, True)


def test_a_page_that_went_away_is_forgotten(session: Session, follow: Follow, server: Any) -> None:
    import time

    with follow() as socket:
        received(socket)
        assert server.app.api.feed.followers == 1
    ends = time.monotonic() + 60
    while server.app.api.feed.followers and time.monotonic() < ends:
        time.sleep(0.01)
    assert server.app.api.feed.followers == 0
