"""Commands that look at sessions: ps, status, stats, graph, events."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from typing import Any

from midflight.cli import DONE, tell
from midflight.cli.client import Found, ask, find, follow, sessions
from midflight.cli.output import paint, pairs, plain, print_json, table
from midflight.values import Report, as_json


def ps(options: argparse.Namespace) -> int:
    found, silent = sessions()
    for line in silent:
        print(f"midflight: {line}", file=sys.stderr)
    if options.json:
        print_json([{"name": one.name, **one.status} for one in found])
    elif found:
        table(("PID", "MODE", "STATE", "ROOT", "COMMAND"), [_row(one) for one in found])
    else:
        print("No session is running.")
    return DONE


def _row(one: Found) -> tuple[str, ...]:
    return one.name, one.status["mode"], one.status["status"], one.root, shlex.join(one.status["command"])


def status(options: argparse.Namespace) -> int:
    status = find(options.pid).status
    return _print_document(options, status if options.json else {**status, "command": shlex.join(status["command"])})


def stats(options: argparse.Namespace) -> int:
    return _print_document(options, ask(find(options.pid).path, "stats"))


def _print_document(options: argparse.Namespace, document: dict[str, Any]) -> int:
    if options.json:
        print_json(document)
    else:
        pairs(document)
    return DONE


def graph(options: argparse.Namespace) -> int:
    document = ask(find(options.pid).path, "graph")
    if options.json:
        print_json(document)
        return DONE
    modules = document.get("modules", document)
    for name in sorted(modules):
        dependents = modules[name].get("dependents", []) if isinstance(modules, dict) else []
        print(f"{paint(name, 'strong')}" + (f"  <- {', '.join(sorted(dependents))}" if dependents else ""))
    for cycle in document.get("cycles", []):
        print(f"cycle: {' -> '.join(cycle)}")
    return DONE


def events(options: argparse.Namespace) -> int:
    """Prints each report and event as it happens; one JSON object a line with --json. Ends with Ctrl-C."""
    lines = follow(find(options.pid).path, "events", timeout_s=10)
    try:
        following = next(lines, None)
        if not options.json:
            print(f"following {(following or {}).get('following')}; Ctrl-C ends it", file=sys.stderr)
        for line in lines:
            print(as_json(line) if options.json else _told(line), flush=True)
    except KeyboardInterrupt:
        return DONE
    if not options.json:
        print("the session ended", file=sys.stderr)
    return DONE


def _told(line: dict[str, Any]) -> str:
    if "report" in line:
        report = Report.from_json(json.dumps(line["report"]))
        return f"{_clock(report.at)} {report.id} {paint(tell.line(report), 'good' if report.ok else 'bad')}"
    if "event" in line:
        event = line["event"]
        detail = ", ".join(f"{name} {plain(value)}" for name, value in event.get("detail", {}).items())
        parts = (event["kind"], event["report_id"], detail)
        return f"{_clock(event['at'])} " + " ".join(part for part in parts if part)
    return f"{line.get('lost', 0)} reports or events lost: they came faster than they were read"


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
