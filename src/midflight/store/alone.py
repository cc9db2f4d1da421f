"""The store where no session runs: its past, and a rollback of files only."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping

from midflight.errors import StoreError
from midflight.graph.hook import read_bytes
from midflight.store.files import FileWrites, WriteFailed
from midflight.store.intents import Intents
from midflight.store.past import Past
from midflight.store.presence import Presence, dead
from midflight.store.settle import settle, take_in
from midflight.store.versions import Ran, Store, Text
from midflight.values import ModuleReport, Outcome, Report


class Alone:
    """The store in `folder`, opened to be written where that can be, else to be read. Raises StoreError."""

    def __init__(self, folder: str) -> None:
        try:
            self._store = Store(folder)
            take_in(self._store, dead(folder))
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
        texts = {one.path: one for one in self.past.targets(point)}
        texts = {path: one for path, one in texts.items() if read_bytes(path) != one.source}
        return write_files(self._store, texts, self._cause(list(texts.values())), author=author)

    def _cause(self, texts: list[Text]) -> str:
        live = self._store.versions.live()
        found = set[str]()
        for one in texts:
            sha = live.get((one.version.module, one.path))
            if sha is not None:
                found.add(self.past.brought(one.version.module, one.path, sha))
        latest = max(found - {""}, key=lambda report_id: int(report_id[1:]), default="")
        return f"rollback of {latest}" if latest else "rollback"


def write_files(store: Store, texts: Mapping[str, Text], cause: str, *, author: str) -> Report:
    """Source files, by path, as they were in these versions: all of them or none, with a report. What one of them holds
    that no program ran is kept beside it. Raises StoreError where the store cannot be written."""
    presence = _presence(store)
    try:
        settle(store)
        return _write_files(store, presence.name, texts, cause, author)
    finally:
        presence.end()


def _presence(store: Store) -> Presence:
    try:
        return Presence(store.database.folder)
    except OSError as error:
        why = f"{store.database.folder} cannot be written: {error}"
        raise StoreError("no file was written", why, "Give this user write permission there.") from error


def _write_files(store: Store, session: str, texts: Mapping[str, Text], cause: str, author: str) -> Report:
    known = {path: _last_known(store, one) for path, one in texts.items()}
    ran = [Ran(one.version.module, path, read_bytes(path), one.source) for path, one in texts.items()]
    sources = {path: one.source for path, one in texts.items()}
    writing = FileWrites(sources, known, Intents(store.database, session), cause)
    try:
        writing.do()
        report = _record(store, _report(_number(store), cause, ran, writing.notes), ran, author, writing)
    except WriteFailed as failure:
        writing.undo()
        failed = Report(_number(store), time.time(), cause, "rolled back", (failure.problem,))
        return _record(store, failed, [], author)
    except BaseException:
        writing.undo()
        raise
    writing.finish()
    return report


def _last_known(store: Store, one: Text) -> bytes | None:
    """What the file held when midflight last knew."""
    newest = store.versions.newest_of(one.version.module, one.path)
    with contextlib.suppress(StoreError):  # cleaned up: then nobody can tell an edit from what ran
        return store.versions.text(newest) if newest else None
    return None


def _number(store: Store) -> str:
    return f"r{store.journal.next_number()}"


def _record(store: Store, report: Report, ran: list[Ran], author: str, writing: FileWrites | None = None) -> Report:
    with store.database.write():
        store.versions.record(report, ran, reason=report.cause, author=author)
        if writing is not None:
            writing.recorded()
    return report


def _report(number: str, cause: str, ran: list[Ran], notes: list[str]) -> Report:
    modules = {
        one.module: ModuleReport(before=one.sha_before or "", after=one.sha_after or "", path=one.path) for one in ran
    }
    outcome: Outcome = "committed" if ran else "unchanged"
    return Report(number, time.time(), cause, outcome, modules=modules, notes=tuple(notes))
