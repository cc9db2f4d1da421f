"""What waits to be taken: batches of the watcher, reloads and other changes that threads ask for."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

    from midflight.values import Batch, Report

    Action = Callable[[], Report]
    Request = tuple[Sequence[str] | None, Future[Report]]  # the paths to reload, None for all that changed

MOST_WAITING = 50  # batches; more are made one: a program that never takes them gains a batch with each save


class Inbox:
    """Any thread puts something in; whoever the mode lets change the program takes it out."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self._requests: list[Request] = []
        self._actions: collections.deque[tuple[Action, Future[Report]]] = collections.deque()
        self._lock = threading.Lock()

    @property
    def is_asked(self) -> bool:
        """Whether a thread waits for an answer."""
        return bool(self._requests or self._actions)

    @property
    def paths(self) -> set[str]:
        """The files of the batches."""
        with self._lock:
            return {path for batch in self.batches for path in batch.paths}

    def put(self, batch: Batch) -> None:
        with self._lock:
            self.batches.append(batch)
            if len(self.batches) > MOST_WAITING:
                self.batches = [_as_one(self.batches)]

    def request(self, paths: Sequence[str] | None) -> Future[Report]:
        """A reload of `paths`."""
        from concurrent.futures import Future  # most programs have no thread that asks

        future: Future[Report] = Future()
        with self._lock:
            self._requests.append((paths, future))
        return future

    def ask(self, action: Action) -> Future[Report]:
        """Another change, such as a rollback."""
        from concurrent.futures import Future

        future: Future[Report] = Future()
        self._actions.append((action, future))
        return future

    def take_batches(self) -> list[Batch]:
        with self._lock:
            batches, self.batches = self.batches, []
        return batches

    def take_requests(self, most: int | None = None) -> list[Request]:
        with self._lock:
            taken = self._requests[:most]
            del self._requests[: len(taken)]
        return taken

    def do_actions(self) -> Report | None:
        """Do what was asked for; the last report."""
        report = None
        while self._actions:
            report = answered(*self._actions.popleft()) or report
        return report


def answered(action: Action, future: Future[Report]) -> Report | None:
    """Do `action`, and tell whoever waits what came of it; None where it raised, or was withdrawn before."""
    if not future.set_running_or_notify_cancel():
        return None
    try:
        report = action()
    except BaseException as error:
        future.set_exception(error)
        return None
    future.set_result(report)
    return report


def _as_one(batches: Sequence[Batch]) -> Batch:
    """All of them, with the last change of each file."""
    code = {change.path: change for batch in batches for change in batch.code}
    data = {change.path: change for batch in batches for change in batch.data}
    return type(batches[-1])(tuple(code.values()), tuple(data.values()), batches[-1].closed_ms)
