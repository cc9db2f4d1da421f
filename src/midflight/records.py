"""What the reloads of a session came to: its reports and counts, and behind them what its store keeps."""

from __future__ import annotations

import collections
import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from midflight.apply.safepoint import Replaced
from midflight.asks import NO_WRITES, Writes
from midflight.config import Config, user
from midflight.errors import StoreError
from midflight.graph.loaded import Program
from midflight.store.files import FileWrites
from midflight.store.keeper import Keeper, Window
from midflight.store.versions import Ran, Text
from midflight.values import Outcome, Report

HISTORY = 1000  # reports that a session remembers; the journal keeps all


class Records:
    """Reports, newest last; `keeper` writes them and the versions down. The files `covers` says yes to are its own.
    `tell(kind, report_id, detail)`, `passed(window)` and `trouble(text)` are the Keeper's."""

    def __init__(
        self,
        config: Config,
        covers: Callable[[str], bool],
        tell: Callable[[str, str, dict[str, object]], None],
        passed: Callable[[Window], None],
        trouble: Callable[[str], None],
    ) -> None:
        self._reports: collections.deque[Report] = collections.deque(maxlen=HISTORY)
        self.replaced = Replaced()
        self.counts = {"reloads": 0, "successes": 0, "failures": 0, "total_loads": 0}
        self._make_keeper = functools.partial(
            Keeper,
            config.store_dir,
            wanted=covers,
            keep=config.versions_keep,
            window_s=config.stable_window_s,
            tell=tell,
            passed=passed,
            trouble=trouble,
        )
        self.keeper = self._make_keeper()

    def reopen(self) -> None:
        """A session that stopped starts again."""
        if self.keeper.closed:
            self.keeper = self._make_keeper()

    @property
    def last(self) -> Report | None:
        return self._reports[-1] if self._reports else None

    def report(self, cause: str, outcome: Outcome, timings: Mapping[str, float], **parts: Any) -> Report:
        """The next Report, not recorded yet."""
        parts["problems"] = tuple(parts.get("problems", ()))
        timings = {**timings, "total": round(sum(timings.values()), 3)}
        return Report(f"r{self.keeper.number()}", time.time(), cause, outcome, timings_ms=timings, **parts)

    def add(
        self, report: Report, writes: Writes = NO_WRITES, ran: Sequence[Ran] = (), writing: FileWrites | None = None
    ) -> None:
        """With the versions that `ran` because of it and the files that it was `writing`."""
        author = writes.author or self._user
        self.keeper.record(report, ran, reason=writes.reason or report.cause, author=author, writing=writing)
        self._reports.append(report)
        if report.outcome != "unchanged":
            self.counts["reloads"] += 1
            self.counts["successes" if report.ok else "failures"] += 1
        for module in report.modules.values():
            self.counts["total_loads"] += len(module.ran) + len(module.grafted)

    @functools.cached_property
    def _user(self) -> str:
        return user()

    def history(self, limit: int) -> list[Report]:
        """The last ones, newest first; behind this session's own those of earlier ones on the same files."""
        own = list(self._reports)[::-1][:limit]
        if len(own) == limit:
            return own
        return own + self.keeper.history(limit - len(own), before=own[-1].id if own else None)

    def of_id(self, report_id: str) -> Report | None:
        """Also of an earlier process; None where there is none."""
        own = next((one for one in list(self._reports) if one.id == report_id), None)
        return own if own is not None else self.keeper.report(report_id)

    def source(self, module: str, path: str, sha: str) -> bytes | None:
        """The text of a version by its SHA-256; None where it is not kept."""
        try:
            found = self.keeper.past().at(module, path, sha)
        except StoreError:
            return None  # its version is known, its text was cleaned up
        return found.source if found is not None else None

    def undone(self, targets: Iterable[Text], program: Program) -> str:
        """What a rollback to `targets` takes back, as its cause: the latest report that brought what runs now."""
        past, found = self.keeper.past(), set[str]()
        for one in targets:
            loaded = program.get(one.version.module)
            if loaded is not None and loaded.version != one.sha:
                found.add(past.brought(one.version.module, one.path, loaded.version))
        latest = max(found - {""}, key=lambda report_id: int(report_id[1:]), default="")
        return f"rollback of {latest}" if latest else ""
