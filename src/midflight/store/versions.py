"""Every module version by content hash; which one is stable; what ran when."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from midflight.config import lies_in
from midflight.errors import StoreError
from midflight.store.database import Database
from midflight.store.journal import Entry, Journal
from midflight.values import Report, Version, in_utf8

Wanted = Callable[[str], bool]  # whether a file is of the program that asks


@dataclass(frozen=True, slots=True)
class Ran:
    """One module in one reload: its source before and after, None where it had or has none.

    Their SHA-256 may be given by who knows them: of fifty modules hashing is the larger part of what the store costs.
    A `before` that is None beside its SHA-256 is a text that is stored already, if any store has it still."""

    module: str
    path: str
    before: bytes | None
    after: bytes | None
    sha_before: str | None = None
    sha_after: str | None = None

    def __post_init__(self) -> None:
        if self.sha_before is None and self.before is not None:
            object.__setattr__(self, "sha_before", sha_of(self.before))
        if self.sha_after is None and self.after is not None:
            object.__setattr__(self, "sha_after", sha_of(self.after))

    @property
    def key(self) -> tuple[str, str, str]:
        """(module, path, SHA-256) of what runs now. Only where `after` is not None."""
        assert self.sha_after is not None
        return self.module, self.path, self.sha_after


@dataclass(frozen=True, slots=True)
class Text:
    """One stored version with the file it came from and its source."""

    version: Version
    path: str
    sha: str
    source: bytes


def everything(path: str) -> bool:
    return True


class Versions:
    """The versions in `database`, each change of which is an entry of `journal`."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database, self._journal = database, journal

    # -- writes -------------------------------------------------------------------------------------

    def record(self, report: Report, ran: Sequence[Ran], *, reason: str = "", author: str = "") -> None:
        """The report, and what ran because of it. The text before a module's first edit counts as stable: the
        program started with it. Not synced: see Database.sync."""
        with self._database.write(synced=False) as connection:
            for one in ran:
                if one.before is not None and not self._known(one.module, one.path, one.sha_before or ""):
                    self._first(one, report)
            seq = self._journal.append("report", report.id, report.to_json(), report.at)
            connection.executemany(
                "INSERT INTO live VALUES (?, ?, ?, ?, ?)",
                [(seq, one.module, one.path, one.sha_before, one.sha_after) for one in ran],
            )
            why = (seq, report.at, reason or report.cause, author)
            self._put([(one.key, one.after) for one in ran if one.after is not None], *why)

    def _first(self, one: Ran, report: Report) -> None:
        assert one.before is not None and one.sha_before is not None
        subject = version_id(one.module, one.sha_before)
        body = {"path": one.path, "sha": one.sha_before, "why": f"it ran before {report.id}"}
        seq = self._journal.append("stable", subject, body, report.at)
        key = (one.module, one.path, one.sha_before)
        self._put([(key, one.before)], seq, report.at, "before the first edit", "", stable=True)

    def _known(self, module: str, path: str, sha: str) -> bool:
        query = "SELECT 1 FROM versions WHERE module = ? AND path = ? AND sha = ?"
        return bool(self._database.read(query, (module, path, sha)))

    def _put(
        self,
        texts: Sequence[tuple[tuple[str, str, str], bytes]],
        seq: int,
        at: float,
        reason: str,
        author: str,
        *,
        stable: bool = False,
    ) -> None:
        with self._database.write(synced=False) as connection:
            connection.executemany("INSERT OR IGNORE INTO blobs VALUES (?, ?)", [(key[2], text) for key, text in texts])
            connection.executemany(
                """INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (module, path, sha) DO UPDATE
                SET seq = excluded.seq, at = excluded.at, reason = excluded.reason, author = excluded.author""",
                [(*key, seq, at, stable, in_utf8(reason), in_utf8(author)) for key, _ in texts],
            )

    def checkpoint(self, module: str, path: str, text: bytes, at: float, *, reason: str, author: str = "") -> str:
        """Keep this text as a version of `module`, whether or not it ever ran; gives its id."""
        sha = sha_of(text)
        subject = version_id(module, sha)
        with self._database.write():
            body = {"path": path, "sha": sha, "reason": reason, "author": author}
            seq = self._journal.append("checkpoint", subject, body, at)
            self._put([((module, path, sha), text)], seq, at, reason, author)
        return subject

    def mark_stable(self, texts: Iterable[tuple[str, str, str]], at: float, why: str) -> None:
        """(module, path, sha) each: it passed its window, or somebody vouches for it."""
        self._mark(texts, at, "stable", why)

    def reject(self, texts: Iterable[tuple[str, str, str]], at: float, why: str) -> None:
        """(module, path, sha) each: it failed after its commit, and is not stable any more."""
        self._mark(texts, at, "rejected", why)

    def _mark(self, texts: Iterable[tuple[str, str, str]], at: float, kind: str, why: str) -> None:
        with self._database.write() as connection:
            for module, path, sha in texts:
                self._journal.append(kind, version_id(module, sha), {"path": path, "sha": sha, "why": why}, at)
                connection.execute(
                    "UPDATE versions SET stable = ? WHERE module = ? AND path = ? AND sha = ?",
                    (kind == "stable", module, path, sha),
                )

    def begin_window(self, session: str, report_id: str, texts: Iterable[tuple[str, str, str]], at: float) -> None:
        """(module, path, sha) each went live in `session` and is not stable yet; older ones of it never will be."""
        with self._database.write(synced=False) as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO provisional VALUES (?, ?, ?, ?, ?, ?)",
                [(session, report_id, *text, at) for text in texts],
            )

    def end_window(self, session: str, report_id: str = "") -> None:
        """Of one report, or of all: nothing of it is provisional any more."""
        with self._database.write(synced=False) as connection:
            connection.execute(
                "DELETE FROM provisional WHERE session = ? AND (? = '' OR report = ?)", (session, report_id, report_id)
            )

    def cleanup(self, keep: int, at: float) -> int:
        """Keep the newest `keep` versions of each module, and all that are live or stable; how many were dropped."""
        return self._drop(keep, at, "NOT stable")

    def tidy(self, keep: int, at: float) -> int:
        """The same, without asking: of the stable versions beyond those of each module only the newest is kept, or the
        store would grow with every edit that lasted."""
        return self._drop(keep, at, "NOT stable OR stable_place > 1")

    def _drop(self, keep: int, at: float, which: str) -> int:
        dropped = [row for row in self._superfluous(keep, which) if not self._busy(*row)]
        if dropped:
            with self._database.write() as connection:
                connection.executemany("DELETE FROM versions WHERE module = ? AND path = ? AND sha = ?", dropped)
                connection.execute("DELETE FROM blobs WHERE sha NOT IN (SELECT sha FROM versions)")
                named = [version_id(module, sha) for module, _, sha in dropped]
                self._journal.append("cleanup", "", {"keep": keep, "dropped": named}, at)
        return len(dropped)

    def _superfluous(self, keep: int, which: str) -> list[tuple[Any, ...]]:
        return self._database.read(
            f"""SELECT module, path, sha FROM (
                SELECT *, row_number() OVER (PARTITION BY module, path ORDER BY seq DESC) AS place,
                row_number() OVER (PARTITION BY module, path, stable ORDER BY seq DESC) AS stable_place FROM versions
            ) WHERE place > ? AND ({which})""",
            (keep,),
        )

    def _busy(self, module: str, path: str, sha: str) -> bool:
        """Whether it is live as far as the store knows, or somebody's provisional version."""
        query = "SELECT sha_after FROM live WHERE module = ? AND path = ? ORDER BY seq DESC LIMIT 1"
        live = self._database.read(query, (module, path))
        held = "SELECT 1 FROM provisional WHERE module = ? AND path = ? AND sha = ?"
        return bool(live and live[0][0] == sha) or bool(self._database.read(held, (module, path, sha)))

    # -- reads --------------------------------------------------------------------------------------

    def newest(self, module: str | None = None, limit: int = 20, wanted: Wanted = everything) -> list[Version]:
        """Newest first: as they last went live."""
        where, values = ("WHERE module = ?", (module,)) if module is not None else ("", ())
        rows = self._database.read(f"{_COLUMNS} {where} ORDER BY seq DESC, module", values)
        return [_version(row) for row in rows if wanted(row[1])][:limit]

    def get(self, wanted_id: str, wanted: Wanted = everything) -> Text:
        """The version `module@hex`, at least seven digits of it. Raises StoreError where there is none or several."""
        module, at, digits = wanted_id.rpartition("@")
        if not at or len(digits) < 7 or not all(digit in "0123456789abcdef" for digit in digits):
            raise StoreError(
                f"{wanted_id!r} is no version", "A version is named module@<12 hex>.", "See `midflight versions`."
            )
        rows = self._database.read(f"{_COLUMNS} WHERE module = ? AND sha LIKE ?", (module, f"{digits}%"))
        found = [row for row in rows if wanted(row[1])]
        if len(found) != 1:
            raise self._not_found(wanted_id, module, len(found))
        return self._text(found[0])

    def _not_found(self, wanted_id: str, module: str, found: int) -> StoreError:
        if found:
            return StoreError(f"{found} versions are named {wanted_id}", "", "Name more of its digits.")
        known = ", ".join(version.id for version in self.newest(module, limit=5))
        why = f"Of {module} there are {known}." if known else f"No version of {module or 'it'} is stored."
        return StoreError(f"there is no version {wanted_id}", why, "See `midflight versions`.")

    def at(self, module: str, path: str, sha: str) -> Text | None:
        """That very version, None where it is not kept."""
        rows = self._database.read(f"{_COLUMNS} WHERE module = ? AND path = ? AND sha = ?", (module, path, sha))
        return self._text(rows[0]) if rows else None

    def newest_of(self, module: str, path: str) -> str:
        """The SHA-256 of the version of that file that last went live or became a checkpoint, or ""."""
        query = "SELECT sha FROM versions WHERE module = ? AND path = ? ORDER BY seq DESC LIMIT 1"
        rows = self._database.read(query, (module, path))
        return rows[0][0] if rows else ""

    def is_stable(self, module: str, path: str, sha: str) -> bool:
        query = "SELECT stable FROM versions WHERE module = ? AND path = ? AND sha = ?"
        rows = self._database.read(query, (module, path, sha))
        return bool(rows and rows[0][0])

    def last_stable(self, module: str, wanted: Wanted = everything) -> Text | None:
        rows = self._database.read(f"{_COLUMNS} WHERE module = ? AND stable ORDER BY seq DESC", (module,))
        return next((self._text(row) for row in rows if wanted(row[1])), None)

    def modules(self, wanted: Wanted = everything) -> list[tuple[str, str]]:
        """(module, path) of all of which there are versions."""
        rows = self._database.read("SELECT DISTINCT module, path FROM versions ORDER BY module, path")
        return [(module, path) for module, path in rows if wanted(path)]

    def as_of(self, seq: int, wanted: Wanted = everything) -> dict[tuple[str, str], str | None]:
        """(module, path) → what it ran once the entry `seq` was written: a SHA-256, None where it had no file. A module
        that was first edited later ran what it ran before that edit."""
        state: dict[tuple[str, str], str | None] = {}
        for at, module, path, before, after in self._database.read(
            "SELECT seq, module, path, sha_before, sha_after FROM live ORDER BY seq"
        ):
            if not wanted(path):
                continue
            if at <= seq:
                state[module, path] = after
            else:
                state.setdefault((module, path), before)
        return state

    def live(self, wanted: Wanted = everything) -> dict[tuple[str, str], str | None]:
        """(module, path) → the SHA-256 that last went live."""
        return self.as_of(1 << 62, wanted)

    def trail(self, module: str | None, limit: int) -> list[Entry]:
        """The newest entries of the audit trail, or of those that concern `module`."""
        if module is None:
            return self._journal.entries(limit=limit)
        # "@" and "A" are neighbours: all subjects that begin with the module's name and "@" lie between.
        rows = self._database.read(
            """SELECT seq FROM live WHERE module = ? UNION SELECT seq FROM entries WHERE subject > ? AND subject < ?
            ORDER BY seq DESC LIMIT ?""",
            (module, f"{module}@", f"{module}A", limit),
        )
        return [entry for (seq,) in rows for entry in self._journal.entry(seq)]

    def brought(self, module: str, path: str, sha: str) -> str:
        """The id of the report with which this version last went live, or ""."""
        query = """SELECT subject FROM entries WHERE kind = 'report' AND seq = (SELECT max(seq) FROM live
            WHERE module = ? AND path = ? AND sha_after = ?)"""
        rows = self._database.read(query, (module, path, sha))
        return rows[0][0] if rows else ""

    def text(self, sha: str) -> bytes:
        """The source with that SHA-256. Raises StoreError where it was cleaned up or is not what it was."""
        rows = self._database.read("SELECT CAST(text AS BLOB) FROM blobs WHERE sha = ?", (sha,))
        if not rows:
            raise StoreError(
                f"the text {sha[:12]} is not kept any more",
                "Old versions that were neither live nor stable are dropped (`versions_keep`).",
            )
        source = bytes(rows[0][0])
        if sha_of(source) != sha:
            raise StoreError(
                f"the text {sha[:12]} is not what was stored",
                "Its hash does not fit.",
                "See `midflight audit --verify`.",
            )
        return source

    def _text(self, row: tuple[Any, ...]) -> Text:
        return Text(_version(row), row[1], row[2], self.text(row[2]))

    def broken(self) -> Iterator[str]:
        """What is wrong with texts and stable marks, a line each."""
        for (sha,) in self._database.read("SELECT DISTINCT sha FROM versions"):
            try:
                self.text(sha)
            except StoreError as error:
                yield error.what
        marked = {
            (entry.subject.rpartition("@")[0], entry.body["path"], entry.body["sha"]): entry.kind == "stable"
            for entry in self._journal.all()
            if entry.kind in ("stable", "rejected")
        }
        for module, path, sha, stable in self._database.read("SELECT module, path, sha, stable FROM versions"):
            if bool(stable) != marked.get((module, path, sha), False):
                yield f"{version_id(module, sha)} is {'' if stable else 'not '}marked stable, which no entry says"


_COLUMNS = "SELECT module, path, sha, at, stable, reason, author FROM versions"


def _version(row: tuple[Any, ...]) -> Version:
    module, _, sha, at, stable, reason, author = row
    return Version(version_id(module, sha), module, at, bool(stable), reason, author)


def sha_of(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def version_id(module: str, sha: str) -> str:
    return f"{module}@{sha[:12]}"


def inside(folders: Collection[str]) -> Wanted:
    """Whether a file lies in one of `folders` (or is one of them)."""
    return lambda path: any(lies_in(path, folder) for folder in folders)


class Store:
    """One project's store in `folder`: `versions`, `journal` and the `database` below them. Raises StoreError."""

    def __init__(self, folder: str, *, read_only: bool = False, distrusted: bool = False) -> None:
        self.database = Database(folder, read_only=read_only, distrusted=distrusted)
        self.journal = Journal(self.database)
        self.versions = Versions(self.database, self.journal)

    def verify(self) -> list[str]:
        """What is not as it was written, a line each; empty when all of it is."""
        return [*self.journal.broken_links(), *self.versions.broken()]

    def close(self) -> None:
        self.database.close()
