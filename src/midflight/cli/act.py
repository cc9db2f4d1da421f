"""Commands that ask a session to do something: plan, reload, pause, resume."""

from __future__ import annotations

import argparse
import json
import os

from midflight.cli import DONE, FAILED, tell
from midflight.cli.client import ask, find
from midflight.cli.output import paint, print_json
from midflight.values import Kept, Plan, Problem, Report, Step

RELOAD_S = 60  # the session gives up first, and says why


def reload(options: argparse.Namespace) -> int:
    found = find(options.pid)
    document = ask(
        found.path, "reload", modules=options.modules, cwd=os.getcwd(), timeout_s=RELOAD_S + 5, wait_s=RELOAD_S
    )
    report = Report.from_json(json.dumps(document))
    if options.json:
        print_json(document)
    else:
        print(f"{report.id} {paint(tell.line(report), 'good' if report.ok else 'bad')}")
    return DONE if report.ok else FAILED


def plan(options: argparse.Namespace) -> int:
    document = ask(find(options.pid).path, "plan", modules=options.modules, cwd=os.getcwd())
    if options.json:
        print_json(document)
    else:
        print(tell.plan(_plan(document)))
    return FAILED if document["problems"] else DONE


def _plan(document: dict[str, list[dict[str, str]]]) -> Plan:
    return Plan(
        steps=tuple(Step(**step) for step in document["steps"]),  # type: ignore[arg-type]
        kept=tuple(Kept(**kept) for kept in document["kept"]),
        problems=tuple(Problem(**problem) for problem in document["problems"]),  # type: ignore[arg-type]
    )


def pause(options: argparse.Namespace) -> int:
    return _switch(options, "pause", "paused; saves wait until `midflight resume`")


def resume(options: argparse.Namespace) -> int:
    return _switch(options, "resume", "resumed")


def _switch(options: argparse.Namespace, do: str, done: str) -> int:
    found = find(options.pid)
    status = ask(found.path, do)
    if options.json:
        print_json(status)
    else:
        print(f"{found.name}: {done}")
    return DONE
