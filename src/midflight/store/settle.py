"""What a process that died left behind: put in order by the next start, which says what it found."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator

from midflight.store.faults import reached
from midflight.store.files import let_go, put_back, replacements
from midflight.store.intents import DONE
from midflight.store.presence import bury, dead, is_alive, noted, pid_of
from midflight.store.unsaved import unsaved_in
from midflight.store.versions import Store, version_id


def settle(store: Store) -> list[str]:
    """Put in order what dead sessions left; a line for each thing that was found."""
    folder = store.database.folder
    gone = dead(folder)
    lines: list[str] = []
    reached("settle.begin")
    with store.database.write() as connection:  # which keeps other starts out
        take_in(store, gone)
        for session in _left_in(store):
            if not is_alive(folder, session):
                found = [*_files(store, session), *_provisional(store, session)]
                lines += found
                connection.execute("DELETE FROM intents WHERE session = ?", (session,))
                connection.execute("DELETE FROM provisional WHERE session = ?", (session,))
                if found:
                    store.journal.append("settled", "", {"session": session, "found": found}, time.time())
    reached("settle.done")
    for session in gone:
        bury(folder, session)
    return lines


def take_in(store: Store, gone: Iterable[str]) -> None:
    """Put what dead sessions had not yet put into the store there."""
    with store.database.write():
        for session in gone:
            for one in unsaved_in(noted(store.database.folder, session)):
                if store.journal.report(one.report.id) is None:  # it may have died before it could forget it
                    one.save(store, session)


def _left_in(store: Store) -> list[str]:
    rows = store.database.read("SELECT session FROM intents UNION SELECT session FROM provisional ORDER BY 1")
    return [session for (session,) in rows]


def _files(store: Store, session: str) -> Iterator[str]:
    query = "SELECT state, cause, files FROM intents WHERE session = ? ORDER BY id DESC"
    for state, cause, text in store.database.read(query, (session,)):
        files = replacements(json.loads(text))
        reached("settle.file")
        if state == DONE:
            for one in files:
                let_go(one)
            continue
        told = [line for one in files if (line := put_back(one))]
        names = ", ".join(one.path for one in files)
        yield f"process {pid_of(session)} died while it wrote files ({cause}): as before it began are {names}"
        yield from told


def _provisional(store: Store, session: str) -> Iterator[str]:
    query = "SELECT report, module, sha FROM provisional WHERE session = ? ORDER BY module"
    found: dict[str, list[str]] = {}
    for report, module, sha in store.database.read(query, (session,)):
        found.setdefault(report, []).append(version_id(module, sha))
    for report, versions in found.items():
        yield (
            f"process {pid_of(session)} died within the window of {report}: {', '.join(versions)} never became stable; "
            "the files stay, and `midflight run --from-stable` runs the last stable versions instead"
        )
