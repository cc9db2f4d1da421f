"""Proposals as documents, each with its state; every step of one is an entry of the journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from midflight.store.database import Database
from midflight.store.journal import Journal
from midflight.values import as_json


class Documents:
    """Documents by id. A step is taken only from the revision that whoever takes it has read."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database, self._journal = database, journal

    def add(self, document: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
        """Whether the document's id was free."""
        with self._database.write() as connection:
            row = (document["id"], document["at"], as_json(document))
            added = connection.execute("INSERT OR IGNORE INTO proposals VALUES (?, 1, ?, ?)", row).rowcount == 1
            if added:
                self._journal.append("proposal", document["id"], entry, document["at"])
        return added

    def step(self, document: Mapping[str, Any], revision: int, entry: Mapping[str, Any], at: float) -> bool:
        """Whether `revision` was still the newest, and the document is stored now."""
        with self._database.write() as connection:
            text = as_json(document)
            stepped = connection.execute(
                "UPDATE proposals SET document = ?, revision = revision + 1 WHERE id = ? AND revision = ?",
                (text, document["id"], revision),
            )
            if stepped.rowcount == 1:
                self._journal.append("proposal", document["id"], entry, at)
        return stepped.rowcount == 1

    def get(self, wanted: str) -> list[tuple[dict[str, Any], int]]:
        """(document, revision) of all whose id begins with `wanted`; of the one whose id it is."""
        rows = self._database.read("SELECT id, document, revision FROM proposals WHERE id GLOB ? || '*'", (wanted,))
        exact = [row for row in rows if row[0] == wanted]
        return [(json.loads(document), revision) for _, document, revision in exact or rows]

    def newest(self, limit: int) -> list[dict[str, Any]]:
        rows = self._database.read("SELECT document FROM proposals ORDER BY at DESC LIMIT ?", (limit,))
        return [json.loads(document) for (document,) in rows]
