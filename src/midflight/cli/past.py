"""Commands on what ran before: history, versions, show, audit, rollback; of a session, or of the store alone."""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

from midflight.cli import DONE, FAILED, tell
from midflight.cli.client import Found, ask, find_unless
from midflight.cli.output import paint, plain, print_json, table
from midflight.config import load, user
from midflight.store.alone import Alone
from midflight.store.journal import Entry
from midflight.store.versions import Store
from midflight.values import Report, as_plain

ROLLBACK_S = 60  # the session gives up first, and says why


def history(options: argparse.Namespace) -> int:
    if options.what == "export":
        return _export(options)
    asked = _session(options)
    if asked is not None:
        documents = ask(asked.path, "history", limit=options.limit)
    else:
        with _alone() as alone:
            documents = [_wire(report) for report in alone.history(options.limit)]
    if options.json:
        print_json(documents)
        return DONE
    rows = [_row(_report(document)) for document in documents]
    if rows:
        table(("ID", "AT", "OUTCOME", "MS", "CAUSE", "WHAT"), rows)
    else:
        print("Nothing was reloaded yet.")
    return DONE


def _row(report: Report) -> tuple[str, ...]:
    what = ", ".join(report.modules) or ", ".join(problem.message for problem in report.problems)
    ms = f"{report.timings_ms.get('total', 0.0):.1f}"
    return report.id, _clock(report.at), report.outcome, ms, report.cause, what or "-"


def _export(options: argparse.Namespace) -> int:
    """JSON, one line for each entry of the audit trail, oldest first."""
    store = Store(_folder(options), read_only=True)
    try:
        for line in store.journal.export(options.since):
            print(line)
    finally:
        store.close()
    return DONE


def versions(options: argparse.Namespace) -> int:
    asked = _session(options)
    if asked is not None:
        found = ask(asked.path, "versions", module=options.module, limit=options.limit)
    else:
        with _alone() as alone:
            found = as_plain(alone.past.newest(options.module, options.limit))
    _print_versions(options, found, "No version is stored yet.")
    return DONE


def _print_versions(options: argparse.Namespace, found: list[dict[str, Any]], none: str) -> None:
    if options.json:
        print_json(found)
    elif found:
        names = ("id", "at", "stable", "reason", "author")
        rows = [[_clock(one["at"]) if name == "at" else plain(one[name]) for name in names] for one in found]
        table([name.upper() for name in names], rows)
    else:
        print(none)


def show(options: argparse.Namespace) -> int:
    asked = _session(options)
    if asked is not None:
        document = ask(asked.path, "show", report=options.report)
    else:
        with _alone() as alone:
            document = _wire(alone.report(options.report))
    if options.json:
        print_json(document)
    else:
        print(tell.everything(_report(document)))
    return DONE


def audit(options: argparse.Namespace) -> int:
    """Read from the store itself, also where a session runs: what it proves does not hang on that process."""
    store = Store(_folder(options), read_only=True)
    try:
        return _verify(options, store) if options.verify else _audit(options, store)
    finally:
        store.close()


def _verify(options: argparse.Namespace, store: Store) -> int:
    wrong, entries = store.verify(), store.journal.count()
    if options.json:
        print_json({"ok": not wrong, "entries": entries, "problems": wrong, "store": store.database.path})
    elif wrong:
        print(paint(f"{store.database.path} is not as it was written:", "bad"))
        for line in wrong:
            print(f"  {line}")
    else:
        print(f"{store.database.path}: all {entries} entries, the texts and the stable marks are as they were written")
    return FAILED if wrong else DONE


def _audit(options: argparse.Namespace, store: Store) -> int:
    found = store.versions.trail(options.module, options.limit)
    if options.json:
        print_json([as_plain(entry) for entry in found])
    elif found:
        rows = [(str(e.seq), _day(e.at), e.kind, e.subject or "-", _told(e)) for e in found]
        table(("SEQ", "AT", "KIND", "OF", "WHAT"), rows)
    else:
        print(f"Nothing is known of {options.module}." if options.module else "Nothing was done yet.")
    return DONE


def _told(entry: Entry) -> str:
    body = entry.body
    if entry.kind == "report":
        modules = ", ".join(
            f"{name} {done['before'][:7]}->{done['after'][:7]}" for name, done in body["modules"].items()
        )
        return f"{body['outcome']}, {body['cause']}" + (f": {modules}" if modules else "")
    return ", ".join(plain(body[name]) for name in ("why", "reason", "found", "dropped") if body.get(name)) or "-"


def rollback(options: argparse.Namespace) -> int:
    if options.version is None and not options.last_stable:
        return _points(options)
    asked = _session(options)
    if asked is not None:
        document = ask(
            asked.path,
            "rollback",
            version=options.version,
            author=user(),
            wait_s=ROLLBACK_S,
            timeout_s=ROLLBACK_S + 5,
        )
    else:
        with _alone() as alone:
            document = _wire(alone.roll_back(options.version, author=user()))
    report = _report(document)
    if options.json:
        print_json(document)
    else:
        where = "" if asked is not None else "no session runs; in the files: "
        print(f"{report.id} {where}{paint(tell.line(report), 'good' if report.ok else 'bad')}")
        for note in report.notes:
            print(f"  {note}")
    return DONE if report.ok else FAILED


def _points(options: argparse.Namespace) -> int:
    """Versions that a module ran, but those that it runs; the words for going back to each are the id."""
    asked = _session(options)
    if asked is not None:
        found = ask(asked.path, "points", limit=options.limit)
    else:
        with _alone() as alone:
            found = as_plain(alone.past.points(options.limit))
    _print_versions(options, found, "There is nothing to go back to.")
    return DONE


# Where to ask


def _session(options: argparse.Namespace) -> Found | None:
    """The session that is meant; None where none runs but a store lies here. Raises NoSessionError otherwise."""
    return find_unless(options.pid, lambda: os.path.exists(os.path.join(_here(), "history.db")))


def _here() -> str:
    return load(".").store_dir


def _folder(options: argparse.Namespace) -> str:
    asked = _session(options)
    return str(asked.status["store"]) if asked is not None else _here()


def _alone() -> Alone:
    return Alone(_here())


def _wire(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(report.to_json())
    return document


def _report(document: dict[str, Any]) -> Report:
    return Report.from_json(json.dumps(document))


def _clock(at: float) -> str:
    """The time, with the day where that is not today."""
    return time.strftime("%H:%M:%S", time.localtime(at)) if _is_today(at) else _day(at)


def _is_today(at: float) -> bool:
    return time.localtime(at)[:3] == time.localtime()[:3]


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
