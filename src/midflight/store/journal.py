"""Every Report and everything else that was done, append-only and hash-chained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from midflight.errors import StoreError
from midflight.store.database import Database
from midflight.values import Report, as_json

_PAGE = 1000  # rows read at once by what goes through all of them


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit trail. `kind` says what was done (report, live, stable, rejected, checkpoint, cleanup, ...),
    `subject` to what (a report's or a version's id); `body` are its facts. Order is by `seq`; `at` is the clock's."""

    seq: int
    at: float
    kind: str
    subject: str
    body: Mapping[str, Any]
    hash: str


class Journal:
    """The audit trail in `database`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def next_number(self, above: int = 0, many: int = 1) -> int:
        """The number of the next report, over all processes, and `above` one that a process gave without the store. Of
        `many` that are taken, the first."""
        # Not synced: a report that is on the disk took this row there with it.
        with self._database.write(synced=False, wait_s=2) as connection:
            connection.execute("UPDATE counters SET value = max(value, ?) + ? WHERE name = 'report'", (above, many))
            number: int = connection.execute("SELECT value FROM counters WHERE name = 'report'").fetchone()[0]
        return number - many + 1

    def more_numbers(self, last: int, many: int) -> bool:
        """Takes `many` numbers behind `last`, which was the last one taken; False where another process took some
        since."""
        with self._database.write(synced=False, wait_s=2) as connection:
            moved = "UPDATE counters SET value = value + ? WHERE name = 'report' AND value = ?"
            return connection.execute(moved, (many, last)).rowcount == 1

    def give_back(self, first: int, last: int) -> None:
        """The numbers from `first` to `last` were taken and not used: they are free again, unless a higher one is
        taken."""
        with self._database.write(synced=False) as connection:
            back = "UPDATE counters SET value = ? WHERE name = 'report' AND value = ?"
            connection.execute(back, (first - 1, last))

    def append(self, kind: str, subject: str, body: Mapping[str, Any] | str, at: float, *, synced: bool = True) -> int:
        """Adds an entry, and gives its `seq`. A text as `body` is JSON already."""
        text = body if isinstance(body, str) else as_json(body)
        with self._database.write(synced=synced) as connection:
            last = connection.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
            _, before = last or (0, "")
            # Not the largest there is plus one: a row that somebody cut off must leave a gap.
            used = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
            seq = (used[0] if used else 0) + 1
            row = (seq, at, kind, subject, text, _link(before, seq, at, kind, subject, text))
            connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", row)
        return seq

    def entries(self, kind: str | None = None, subject: str | None = None, limit: int = -1) -> list[Entry]:
        """Newest first; of one kind or on one subject only."""
        wanted = [(name, value) for name, value in (("kind", kind), ("subject", subject)) if value is not None]
        where = " AND ".join(f"{name} = ?" for name, _ in wanted) or "1"
        query = f"SELECT seq, at, kind, subject, body, hash FROM entries WHERE {where} ORDER BY seq DESC LIMIT ?"
        return [_entry(row) for row in self._database.read(query, (*(value for _, value in wanted), limit))]

    def entry(self, seq: int) -> list[Entry]:
        """The entry `seq`, or none."""
        query = "SELECT seq, at, kind, subject, body, hash FROM entries WHERE seq = ?"
        return [_entry(row) for row in self._database.read(query, (seq,))]

    def count(self) -> int:
        found: int = self._database.read("SELECT count(*) FROM entries")[0][0]
        return found

    def reports(self, limit: int = 10, before: int | None = None) -> list[tuple[int, Report]]:
        """(seq, Report), newest first; those older than the entry `before`."""
        query = "SELECT seq, body FROM entries WHERE kind = 'report' AND seq < ? ORDER BY seq DESC LIMIT ?"
        rows = self._database.read(query, (before if before is not None else 1 << 62, limit))
        return [(seq, Report.from_json(body)) for seq, body in rows]

    def report(self, report_id: str) -> tuple[int, Report] | None:
        """(seq, Report) of that id, None where there is none."""
        query = "SELECT seq, body FROM entries WHERE kind = 'report' AND subject = ? ORDER BY seq DESC LIMIT 1"
        rows = self._database.read(query, (report_id,))
        return (rows[0][0], Report.from_json(rows[0][1])) if rows else None

    def all(self, after: int = 0) -> Iterator[Entry]:
        """Oldest first, those after the entry `after`, a page at a time: other processes may write meanwhile."""
        query = "SELECT seq, at, kind, subject, body, hash FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
        while rows := self._database.read(query, (after, _PAGE)):
            yield from map(_entry, rows)
            after = rows[-1][0]

    def export(self, since: str | None = None) -> Iterator[str]:
        """One line of JSON for each entry, oldest first: those after report `since`, or at or after that time (a day
        or time in ISO form, local where it names no zone). Raises StoreError for anything else."""
        after, since_at = self._since(since) if since is not None else (0, None)
        for entry in self.all(after):
            if since_at is None or entry.at >= since_at:
                yield as_json(
                    {"seq": entry.seq, "at": entry.at, "kind": entry.kind, "subject": entry.subject,
                     "body": entry.body, "hash": entry.hash})  # fmt: skip

    def _since(self, since: str) -> tuple[int, float | None]:
        found = self.report(since)
        if found is not None:
            return found[0], None
        from datetime import datetime

        try:
            return 0, datetime.fromisoformat(since).timestamp()
        except (ValueError, OverflowError):
            raise StoreError(
                f"nothing was exported: {since!r} is no report and no time",
                "--since takes a report's id, or a time such as 2030-01-31 or 2030-01-31T12:00.",
            ) from None

    def broken_links(self) -> Iterator[str]:
        """What is wrong with the chain, a line each; nothing where every row is as it was written."""
        before, last = "", 0
        query = "SELECT seq, at, kind, subject, body, hash FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
        while rows := self._database.read(query, (last, _PAGE)):
            for seq, at, kind, subject, body, link in rows:
                if seq != last + 1:
                    yield f"entries {last + 1} to {seq - 1} are missing"
                if link != _link(before, seq, at, kind, subject, body):
                    yield f"entry {seq} ({kind} {subject}) is not as it was written, or one before it is not"
                before, last = link, seq
        used = self._database.read("SELECT seq FROM sqlite_sequence WHERE name = 'entries'")
        if used and used[0][0] > last:
            yield f"entries {last + 1} to {used[0][0]} are missing"


def _link(before: str, *row: object) -> str:
    return hashlib.sha256(json.dumps([before, *row], ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, at, kind, subject, body, link = row
    return Entry(seq, at, kind, subject, json.loads(body), link)
