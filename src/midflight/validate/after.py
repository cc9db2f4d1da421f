"""Tests after a commit: on a thread of their own, the newest report's always; each report is answered once."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any, Literal

from midflight.validate.pytest_runs import InProcess, Subprocess, Verdict
from midflight.validate.tests import AffectedTests
from midflight.values import as_plain

log = logging.getLogger("midflight")

Tell = Callable[[str, dict[str, Any]], None]  # (report's id, what became of its tests)


class AfterCommit:
    """Runs the tests that a committed report affects and tells how they ended.

    A commit that comes while tests run ends them, in a process of their own at once: what they test is no longer what
    runs. The newer report's run covers the older one's files."""

    def __init__(
        self, finder: AffectedTests, where: Literal["subprocess", "process"], root: str, deadline_s: float, tell: Tell
    ) -> None:
        self._finder, self._root, self._deadline_s, self._tell = finder, root, deadline_s, tell
        self._kind = Subprocess if where == "subprocess" else InProcess
        self._where = where
        self._wake = threading.Condition()
        self._waiting: list[tuple[str, frozenset[str]]] = []
        self._run: Subprocess | InProcess | None = None
        self._hanging: InProcess | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def take(self, report_id: str, changed: Iterable[str]) -> None:
        """Returns at once; `tell` is called from the runner's thread."""
        with self._wake:
            self._waiting.append((report_id, frozenset(changed)))
            if self._run is not None:
                self._run.kill()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="midflight-tests", daemon=True)
                self._thread.start()
                atexit.register(self.stop)  # a test process does not outlive the program
            self._wake.notify()

    def stop(self) -> None:
        """Ends what runs. Idempotent."""
        atexit.unregister(self.stop)
        with self._wake:
            self._stopped = True
            if self._run is not None:
                self._run.kill()
            self._wake.notify()

    def _work(self) -> None:
        left: frozenset[str] = frozenset()
        while True:
            taken = self._next()
            if taken is None:
                return
            report_id = taken[-1][0]
            for older, _ in taken[:-1]:
                self._tell(older, self._superseded(report_id))
            changed = left.union(*(paths for _, paths in taken))
            left = changed if self._answer(report_id, changed) is None else frozenset()

    def _next(self) -> list[tuple[str, frozenset[str]]] | None:
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._stopped)
            taken, self._waiting = self._waiting, []
            return None if self._stopped else taken

    def _answer(self, report_id: str, changed: frozenset[str]) -> Verdict | None:
        """Tell how the tests of one report ended; None where a newer report took their place."""
        try:
            files = self._finder.affected(changed)
            verdict = self._verdict(files) if files else Verdict("passed")
        except Exception as error:
            # An Event is the only way out of this thread, and the next report's tests must still be run.
            log.exception("the tests of %s could not be run", report_id)
            files, verdict = [], Verdict("error", message=f"{type(error).__name__}: {error}")
        with self._wake:
            newer = self._waiting[-1][0] if self._waiting else ""
        if self._stopped:
            return None
        shown = [os.path.relpath(file, self._root) for file in files]
        self._tell(
            report_id,
            {"files": shown, "where": self._where, **as_plain(verdict)} if not newer else self._superseded(newer),
        )
        return None if newer else verdict

    def _verdict(self, files: list[str]) -> Verdict:
        if self._hanging is not None and self._hanging.hangs:
            why = "tests of an earlier reload still hang in a thread of this process"
            return Verdict("error", message=f'{why}; restart it, and see tests = "subprocess"')
        run = self._kind(files, self._root)
        with self._wake:
            self._run = run
            if self._waiting or self._stopped:
                run.kill()
        try:
            return run.verdict(self._deadline_s)
        finally:
            with self._wake:
                self._run = None
            self._hanging = run if isinstance(run, InProcess) else None

    def _superseded(self, by: str) -> dict[str, Any]:
        return {"files": [], "where": self._where, "outcome": "superseded", "message": f"the tests of {by} cover them"}
