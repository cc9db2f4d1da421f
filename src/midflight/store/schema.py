"""The tables, as migrations: MIGRATIONS[n] leads from `user_version` n to n + 1. What was released is never edited."""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Texts by the SHA-256 (hex) of their bytes.
        "CREATE TABLE blobs (sha TEXT PRIMARY KEY, text BLOB NOT NULL)",
        # One row for each text that a module ran. `seq` is the entry with which it last went live: the order of
        # versions, whatever the clock said.
        """CREATE TABLE versions (
            module TEXT NOT NULL, path TEXT NOT NULL, sha TEXT NOT NULL REFERENCES blobs (sha),
            seq INTEGER NOT NULL, at REAL NOT NULL, stable INTEGER NOT NULL, reason TEXT NOT NULL, author TEXT NOT NULL,
            PRIMARY KEY (module, path, sha)) WITHOUT ROWID""",
        "CREATE INDEX versions_by_seq ON versions (seq)",
        "CREATE INDEX versions_by_sha ON versions (sha)",
        # What a module ran before and after the entry `seq`; `sha_before` and `sha_after` are NULL where it was not.
        """CREATE TABLE live (
            seq INTEGER NOT NULL, module TEXT NOT NULL, path TEXT NOT NULL, sha_before TEXT, sha_after TEXT,
            PRIMARY KEY (module, path, seq)) WITHOUT ROWID""",
        "CREATE INDEX live_by_seq ON live (seq)",
        # The audit trail. `hash` is SHA-256 over the hash before it and the row. Rows are only ever added.
        """CREATE TABLE entries (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
            body TEXT NOT NULL, hash TEXT NOT NULL)""",
        "CREATE INDEX entries_by_kind ON entries (kind, seq)",
        "CREATE INDEX entries_by_subject ON entries (subject, kind, seq)",
        # Source files that are being written. It is there before the first is replaced, and goes with the report.
        """CREATE TABLE intents (
            id INTEGER PRIMARY KEY, session TEXT NOT NULL, state TEXT NOT NULL, cause TEXT NOT NULL,
            files TEXT NOT NULL)""",
        # Versions within their window, by the session that runs them.
        """CREATE TABLE provisional (
            session TEXT NOT NULL, report TEXT NOT NULL, module TEXT NOT NULL, path TEXT NOT NULL, sha TEXT NOT NULL,
            at REAL NOT NULL, PRIMARY KEY (session, module, path)) WITHOUT ROWID""",
        "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO counters VALUES ('report', 0)",
    ),
    (
        # Proposed changes as JSON, by id; `revision` counts their steps.
        """CREATE TABLE proposals (
            id TEXT PRIMARY KEY, revision INTEGER NOT NULL, at REAL NOT NULL, document TEXT NOT NULL) WITHOUT ROWID""",
    ),
)
