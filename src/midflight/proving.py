"""Whether what went live works: exceptions, health checks and tests within its window; what fails is taken back."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from midflight.config import Config
from midflight.validate.exceptions import Exceptions, Fault, touches
from midflight.validate.health import run_checks

if TYPE_CHECKING:
    from concurrent.futures import Future

    from midflight.records import Records
    from midflight.store.keeper import Window
    from midflight.validate.after import AfterCommit
    from midflight.values import Report

log = logging.getLogger("midflight")

# Modules, the cause and the note of the report → the report of their going back to their last stable versions.
TakeBack = Callable[[list[str], str, str], "Future[Report]"]


class Proving:
    """The window in which a version shows whether it works. `tell(kind, report_id, detail)` says how tests ended."""

    def __init__(
        self,
        config: Config,
        paths: tuple[str, ...],
        records: Records,
        is_module: Callable[[str], bool],
        take_back: TakeBack,
        tell: Callable[[str, str, Mapping[str, Any]], None],
    ) -> None:
        self._config, self._paths, self._records = config, paths, records
        self._exceptions = Exceptions(is_module, self._is_blamed)
        self._take_back, self._tell = take_back, tell
        self._tests: AfterCommit | None = None

    def look_for_exceptions(self) -> None:
        self._exceptions.install()

    def stop(self) -> None:
        if self._tests is not None:
            self._tests.stop()
            self._tests = None
        self._exceptions.remove()

    def test(self, report: Report) -> None:
        """Have the tests run that this report's edits reach; an Event tells how they ended."""
        if self._tests is None:
            self._tests = self._after_commit()
        edited = [one.path for one in report.modules.values() if one.before != one.after]
        self._tests.take(report.id, edited)

    def _after_commit(self) -> AfterCommit:
        from midflight.validate.after import AfterCommit
        from midflight.validate.tests import AffectedTests

        config = self._config
        folders = [folder for folder in dict.fromkeys((config.root, *self._paths)) if os.path.isdir(folder)]
        where: Any = config.tests
        finder = AffectedTests(folders, config.test_files)
        return AfterCommit(finder, where, config.root, config.tests_deadline_s, self._tests_ended)

    def _tests_ended(self, report_id: str, detail: Mapping[str, Any]) -> None:
        self._tell("tests", report_id, detail)
        if detail.get("outcome") == "failed":
            self.reject(report_id, "tests that it reaches failed")

    def _is_blamed(self, fault: Fault) -> bool:
        """Whether an exception touches what a report within its window changed. It is taken back then; but a program
        that ends leaves its files as they are."""
        for window in self._records.keeper.windows():
            if touches(window.changed, fault):
                if fault.ends:
                    self._records.keeper.died(window, str(fault))
                else:
                    self.reject(window.report_id, str(fault))
                return True
        return False

    def passed(self, window: Window) -> None:
        """Its time is over."""
        asked = [(module, path) for module, path, _ in window.texts]
        problems = run_checks(asked, self._config.check_deadline_s, ("health_check",))
        if problems:
            self._reject(window.report_id, problems[0].message)
        else:
            self._records.keeper.stable(window)

    def reject(self, report_id: str, why: str) -> None:
        """See Session.reject."""
        self._records.keeper.later(lambda: self._reject(report_id, why))

    def _reject(self, report_id: str, why: str) -> None:
        windows = self._records.keeper.reject(report_id, why)
        if not windows:
            return
        modules = sorted({module for window in windows for module, _, _ in window.texts})
        log.warning("%s is taken back: %s", report_id, why)
        future = self._take_back(modules, f"rollback of {report_id}", f"taken back within its window: {why}")
        future.add_done_callback(_say_what_failed)


def _say_what_failed(future: Future[Report]) -> None:
    error = future.exception()
    if error is not None:
        log.warning("what was to be taken back stays: %s", error)
