"""Transactions that write source files, noted in the store before the first file is replaced."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from midflight.errors import StoreError
from midflight.store.database import Database
from midflight.store.presence import is_alive, pid_of

WRITING, DONE = "writing", "done"


class Busy(StoreError):
    """Another process is writing the file `path`."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} was left alone", why, "Ask again when it is done.")
        self.path = path


class Intents:
    """Those of `session`. Files are dicts, as Replacement has them."""

    def __init__(self, database: Database, session: str) -> None:
        self._database, self._session = database, session

    def begin(self, cause: str, files: Sequence[Mapping[str, Any]]) -> int:
        """Note it; not yet durable. Raises Busy where another live process is writing one of the files."""
        with self._database.write(synced=False) as connection:
            self._refuse_others({one["path"] for one in files})
            done = connection.execute(
                "INSERT INTO intents (session, state, cause, files) VALUES (?, ?, ?, ?)",
                (self._session, WRITING, cause, json.dumps(list(files))),
            )
            assert done.lastrowid is not None
            return done.lastrowid

    def _refuse_others(self, paths: set[str]) -> None:
        # Also one that is done: until its end it clears away what lies beside the files, by names that we use too.
        query = "SELECT session, cause, files FROM intents WHERE session != ?"
        for session, cause, files in self._database.read(query, (self._session,)):
            shared = sorted(paths & {one["path"] for one in json.loads(files)})
            if shared and is_alive(self._database.folder, session):
                raise Busy(shared[0], f"process {pid_of(session)} is writing it at this moment ({cause})")

    def make_durable(self) -> None:
        self._database.sync()

    def recorded(self, intent: int) -> None:
        """Its report is in the store: from here on the new files are the truth. A part of that transaction."""
        with self._database.write(synced=False) as connection:
            connection.execute("UPDATE intents SET state = ? WHERE id = ?", (DONE, intent))

    def end(self, intent: int) -> None:
        """Nothing of it is left to do."""
        with self._database.write(synced=False) as connection:
            connection.execute("DELETE FROM intents WHERE id = ?", (intent,))
