"""What the terminal knows: facts in a database, and a count of what it was asked since it started."""

import sqlite3
import time

from midflight import health_check

__all__ = ["KnowledgeEngine"]


class KnowledgeEngine:
    """Facts by name, kept in the sqlite file `path`."""

    def __init__(self, path):
        self.path = path
        self.started_at = time.time()
        self.asked = 0
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL, at REAL NOT NULL)"
        )
        ENGINES.append(self)

    def learn(self, name, value):
        with self.db:
            self.db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", (name, value, time.time()))

    def recall(self, name):
        """The fact of that name, or None."""
        self.asked += 1
        found = self.db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def search(self, text):
        """(name, value) of the facts that share a word with `text`, by name."""
        self.asked += 1
        words = {word.strip(".,?!").lower() for word in text.split()}
        return [fact for fact in self.facts() if words & {*fact[0].lower().split(), *fact[1].lower().split()}]

    def facts(self):
        return self.db.execute("SELECT name, value FROM facts ORDER BY name").fetchall()


ENGINES = []


@health_check
def every_engine_answers():
    """Before a reload is taken: each engine that runs can still be read by the new code."""
    return all(isinstance(engine.facts(), list) for engine in ENGINES)
