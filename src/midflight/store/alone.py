"""The store where no session runs: its past, and a rollback of files only."""

from __future__ import annotations

import contextlib
import time

from midflight.errors import StoreError
from midflight.graph.hook import read_bytes
from midflight.store.files import FileWrites, WriteFailed
from midflight.store.intents import Intents
from midflight.store.past import Past
from midflight.store.presence import Presence
from midflight.store.settle import settle
from midflight.store.versions import Ran, Store, Text, sha_of
from midflight.values import ModuleReport, Outcome, Report


class Alone:
    """The store in `folder`, opened to be written where that can be, else to be read. Raises StoreError."""

    def __init__(self, folder: str) -> None:
        try:
            self._store = Store(folder)
        except StoreError:
            self._store = Store(folder, read_only=True)
        self.past = Past(self._store)

    def __enter__(self) -> Alone:
        return self

    def __exit__(self, *exc: object) -> None:
        self._store.close()

    def history(self, limit: int) -> list[Report]:
        return [report for _, report in self._store.journal.reports(limit)]

    def report(self, report_id: str) -> Report:
        found = self._store.journal.report(report_id)
        if found is None:
            latest = ", ".join(report.id for report in self.history(5))
            raise StoreError(f"no report {report_id!r}", f"the latest are {latest}" if latest else "there is none yet")
        return found[1]

    def roll_back(self, point: str | None, *, author: str = "") -> Report:
        """The files back to `point`, as Past.targets has it: all of them or none, with a report. Raises StoreError."""
        presence = self._presence()
        try:
            settle(self._store)
            return self._roll_back(self.past.targets(point), presence, author)
        finally:
            presence.end()

    def _presence(self) -> Presence:
        try:
            return Presence(self._store.database.folder)
        except OSError as error:
            raise StoreError(
                f"nothing was rolled back: {self._store.database.folder} cannot be written", str(error)
            ) from error

    def _roll_back(self, targets: list[Text], presence: Presence, author: str) -> Report:
        texts = {one.path: one for one in targets if read_bytes(one.path) != one.source}
        live = self._store.versions.live()
        known = {path: self._text(live.get((one.version.module, path))) for path, one in texts.items()}
        cause = self._cause(list(texts.values()), live)
        ran = [Ran(one.version.module, path, read_bytes(path), one.source) for path, one in texts.items()]
        writing = FileWrites(
            {path: one.source for path, one in texts.items()},
            known,
            Intents(self._store.database, presence.name),
            cause,
        )
        try:
            writing.do()
            report = self._record(_report(self._number(), cause, ran, writing.notes), ran, author, writing)
        except WriteFailed as failure:
            writing.undo()
            failed = Report(self._number(), time.time(), cause, "rolled back", (failure.problem,))
            return self._record(failed, [], author)
        except BaseException:
            writing.undo()
            raise
        writing.finish()
        return report

    def _cause(self, texts: list[Text], live: dict[tuple[str, str], str | None]) -> str:
        found = set[str]()
        for one in texts:
            sha = live.get((one.version.module, one.path))
            if sha is not None:
                found.add(self.past.brought(one.version.module, one.path, sha))
        latest = max(found - {""}, key=lambda report_id: int(report_id[1:]), default="")
        return f"rollback of {latest}" if latest else "rollback"

    def _text(self, sha: str | None) -> bytes | None:
        with contextlib.suppress(StoreError):  # cleaned up: then nobody can tell an edit from what ran
            return self._store.versions.text(sha) if sha is not None else None
        return None

    def _number(self) -> str:
        return f"r{self._store.journal.next_number()}"

    def _record(self, report: Report, ran: list[Ran], author: str, writing: FileWrites | None = None) -> Report:
        with self._store.database.write():
            self._store.versions.record(report, ran, reason=report.cause, author=author)
            if writing is not None:
                writing.recorded()
        return report


def _report(number: str, cause: str, ran: list[Ran], notes: list[str]) -> Report:
    modules = {one.module: ModuleReport(before=_sha(one.before), after=_sha(one.after), path=one.path) for one in ran}
    outcome: Outcome = "committed" if ran else "unchanged"
    return Report(number, time.time(), cause, outcome, modules=modules, notes=tuple(notes))


def _sha(text: bytes | None) -> str:
    return sha_of(text) if text is not None else ""
