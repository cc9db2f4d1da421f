"""Commands on proposals: propose, sandbox, approve, apply, proposals."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from midflight.cli import DONE, FAILED, tell
from midflight.cli.client import Found, ask, find, find_unless
from midflight.cli.output import paint, print_json, table
from midflight.config import load
from midflight.errors import ControlError
from midflight.proposals import LARGEST, Proposals
from midflight.proposals.states import WAY_ON, Proposal, from_document
from midflight.values import Report

APPLY_S = 60  # for the program to come to a place where it may happen

OUTCOMES = {"passed": "good", "failed": "bad", "skipped": "dim"}


def propose(options: argparse.Namespace) -> int:
    how = {"module": _module(options.module), "mode": options.mode, "reason": options.reason, "author": _user()}
    found, content = _session(options), _content(options.file)
    if found is not None:
        proposal = from_document(ask(found.path, "propose", timeout_s=None, content=content, **how))
    else:
        proposal = _alone().propose(content, **how)
    if options.json:
        print_json({**proposal.document(), "ok": True})
        return DONE
    print(proposal.id)
    part = proposal.parts[0]
    print(f"for {', '.join(one.path for one in proposal.parts)} ({part.mode}; {proposal.why})", file=sys.stderr)
    return DONE


def sandbox(options: argparse.Namespace) -> int:
    found = _session(options)
    if found is not None:
        who = {"proposal": options.proposal, "who": _user()}
        proposal = from_document(ask(found.path, "sandbox", timeout_s=None, **who))
    else:
        proposal = _alone().sandbox(options.proposal, _user())
    good = proposal.state != "failed"
    if options.json:
        print_json({**proposal.document(), "ok": good})
    else:
        _print_checks(proposal)
        print(f"{proposal.id} {paint(proposal.state, 'good' if good else 'bad')}")
    return DONE if good else FAILED


def approve(options: argparse.Namespace) -> int:
    found = _session(options)
    if found is not None:
        who = {"proposal": options.proposal, "who": _user()}
        proposal = from_document(ask(found.path, "approve", timeout_s=None, **who))
    else:
        proposal = _alone().approve(options.proposal, _user())
    if options.json:
        print_json({**proposal.document(), "ok": True})
    else:
        print(f"{proposal.id} approved by {proposal.steps[-1].who}")
    return DONE


def apply(options: argparse.Namespace) -> int:
    found = find(options.pid)
    who = {"proposal": options.proposal, "who": _user(), "wait_s": APPLY_S}
    document = ask(found.path, "apply", timeout_s=None, **who)
    report = Report.from_json(json.dumps(document["report"]))
    if options.json:
        print_json({**document, "ok": report.ok})
    else:
        print(f"{document['proposal']['id']} {document['proposal']['state']}")
        print(f"{report.id} {paint(tell.line(report), 'good' if report.ok else 'bad')}")
    return DONE if report.ok else FAILED


def proposals(options: argparse.Namespace) -> int:
    desk = _alone(_session(options))
    if options.proposal:
        return _print_one(options, desk, desk.get(options.proposal))
    found = desk.newest()
    if options.json:
        print_json([one.document() for one in found])
    elif found:
        rows = [(one.id, _clock(one.at), one.state, one.module, one.author, one.reason or one.origin) for one in found]
        table(("ID", "AT", "STATE", "MODULE", "AUTHOR", "WHAT"), rows)
    else:
        print("Nothing is proposed.")
    return DONE


def _print_one(options: argparse.Namespace, desk: Proposals, proposal: Proposal) -> int:
    diff = "" if proposal.state == "applied" else desk.diff(proposal)
    if options.json:
        print_json({**proposal.document(), "stale": desk.is_stale(proposal), "diff": diff})
        return DONE
    print(f"{proposal.id}  {proposal.state}  from {proposal.origin}  for {proposal.module} ({proposal.why})")
    for step in proposal.steps:
        print(f"  {_clock(step.at)} {step.state}" + "".join(f", {one}" for one in (step.who, step.note) if one))
    _print_checks(proposal)
    print(diff, end="")
    print(WAY_ON[proposal.state].format(id=proposal.id))
    return DONE


def _print_checks(proposal: Proposal) -> None:
    for check in proposal.checks:
        first, *more = check.message.splitlines() or [""]
        print(f"  {paint(check.outcome, OUTCOMES[check.outcome])}  {check.name}  {first}".rstrip())
        for line in more:
            print(f"      {line}")


# Where it happens


def _session(options: argparse.Namespace) -> Found | None:
    """The session to ask; None where none runs for this folder: then the project's store is enough."""
    return find_unless(options.pid, lambda: True)


def _alone(found: Found | None = None) -> Proposals:
    """The proposals of the project that the working directory, or a session, belongs to."""
    return Proposals(load(found.root if found is not None else "."))


def _content(file: str) -> str:
    try:
        if file == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with open(file, "rb") as opened:
                data = opened.read(LARGEST + 1)
    except OSError as error:
        raise ControlError(f"nothing was proposed: {file} cannot be read", str(error), "Name a file, or - .") from error
    try:
        # One that is too long, and so perhaps cut inside a letter, is refused for that.
        return data.decode("utf-8", "strict" if len(data) <= LARGEST else "ignore")
    except UnicodeDecodeError as error:
        raise ControlError(f"nothing was proposed: {file} is not UTF-8", str(error), "Save it as UTF-8.") from error


def _module(named: str | None) -> str | None:
    """A file is named from the working directory, which is not the session's."""
    return os.path.abspath(named) if named is not None and named.endswith(".py") else named


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.geteuid())


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
