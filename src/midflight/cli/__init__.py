"""The command line: arguments in, a printed report and an exit code out."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence

DONE, FAILED, USAGE, NO_SESSION = 0, 1, 2, 3

# Each command's home is imported only when it is asked for, so `--help` and `ps` never wait for the engine.
HOMES = {
    "run": "midflight.cli.run",
    "ps": "midflight.cli.look",
    "status": "midflight.cli.look",
    "stats": "midflight.cli.look",
    "graph": "midflight.cli.look",
    "history": "midflight.cli.past",
    "versions": "midflight.cli.past",
    "show": "midflight.cli.past",
    "audit": "midflight.cli.past",
    "rollback": "midflight.cli.past",
    "events": "midflight.cli.look",
    "plan": "midflight.cli.act",
    "reload": "midflight.cli.act",
    "pause": "midflight.cli.act",
    "resume": "midflight.cli.act",
    "propose": "midflight.cli.propose",
    "sandbox": "midflight.cli.propose",
    "approve": "midflight.cli.propose",
    "apply": "midflight.cli.propose",
    "proposals": "midflight.cli.propose",
    "verify": "midflight.cli.verify",
    "config": "midflight.cli.settings",
    "demo": "midflight.cli.demo",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0 done, 1 refused or failed, 2 bad usage, 3 no such session.

    `run` may leave by the program's own SystemExit or exception instead, as `python` would."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["run"]:
        # What follows the program's name is the program's own, also where it looks like an option of ours.
        options, program = _split(given[1:])
        parsed = parser().parse_args(["run", *options])
        parsed.program = program
    else:
        parsed = parser().parse_args(given)
    command: Callable[[argparse.Namespace], int] = getattr(
        importlib.import_module(HOMES[parsed.command]), parsed.command
    )
    if parsed.command == "run":
        return command(parsed)  # a program's own exceptions are not ours to catch
    from midflight.cli.output import guarded

    return guarded(command, parsed)


def parser() -> argparse.ArgumentParser:
    from midflight import __version__

    top = argparse.ArgumentParser(
        prog="midflight",
        description="Changes the code of a running Python program: watch, plan, apply, validate, commit or roll back.",
        epilog="exit code: 0 done, 1 refused or failed, 2 bad usage, 3 no such session",
    )
    top.add_argument("--version", action="version", version=f"midflight {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print JSON")
    of_one = argparse.ArgumentParser(add_help=False, parents=[as_json])
    of_one.add_argument("--pid", metavar="PID", help="the session of this process (default: the one of this folder)")

    def add(name: str, text: str, parent: argparse.ArgumentParser = of_one) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", parents=[parent])

    add("ps", "list the running sessions of this user", as_json)
    add("status", "say what one session is doing")
    add("stats", "count what one session has done")
    add("graph", "list the modules and who imports them")
    history = add("history", "list the latest reports, newest first; or export all")
    history.add_argument("what", nargs="?", choices=("export",), help="print the audit trail as lines of JSON")
    history.add_argument("--since", metavar="WHEN", help="export: from after this report, or from this time on")
    history.add_argument("-n", "--limit", type=_count, default=10, metavar="N", help="how many (default: %(default)s)")
    versions = add("versions", "list the versions that ran, newest first")
    versions.add_argument("module", nargs="?", help="of this module only")
    versions.add_argument("-n", "--limit", type=_count, default=20, metavar="N", help="how many (default: %(default)s)")
    add("show", "print everything in one report").add_argument("report", help='its id, such as "r17"')
    audit = add("audit", "list what was done, newest first, or prove that nobody changed the record")
    audit.add_argument("module", nargs="?", help="to this module only")
    audit.add_argument("--verify", action="store_true", help="check every hash; exit code 1 if one does not fit")
    audit.add_argument("-n", "--limit", type=_count, default=50, metavar="N", help="how many (default: %(default)s)")
    rollback = add("rollback", "go back to an earlier version; without one, list them")
    to = rollback.add_mutually_exclusive_group()
    to.add_argument("version", nargs="?", help='"module@<12 hex>", or a report: the whole program as of it')
    to.add_argument("--last-stable", action="store_true", help="every module to its last stable version")
    rollback.add_argument(
        "-n", "--limit", type=_count, default=20, metavar="N", help="of the list (default: %(default)s)"
    )
    add("events", "follow reports and events until Ctrl-C")
    for name, text in (
        ("plan", "say what a reload would do, and touch nothing"),
        ("reload", "take what changed on disk"),
    ):
        add(name, text).add_argument("modules", nargs="*", metavar="MODULE", help="only these (a module or its file)")
    add("pause", "let changes wait")
    add("resume", "take the changes that waited")
    _add_proposals(add)
    add("verify", "check the installation and the project", as_json)
    config = add("config", "print the settings", as_json)
    config.add_argument("--explain", action="store_true", help="say where each value came from")
    demo = add("demo", "edit a small program while it runs", as_json)
    demo.add_argument("example", nargs="?", metavar="FOLDER", help="show the agent in a clone's examples/agent instead")
    demo.add_argument("--keep", action="store_true", help="with FOLDER: leave the agent up until Ctrl-C")
    return top


def _add_proposals(add: Callable[..., argparse.ArgumentParser]) -> None:
    propose = add("propose", "store a change that somebody may approve, and print its id")
    propose.add_argument("file", metavar="FILE", help="with code, a patch or a sentence; - is standard input")
    propose.add_argument("--module", metavar="M", help="what it changes: a module or its file (default: told by FILE)")
    propose.add_argument("--mode", choices=("append", "replace"), help="how code is taken in (default: append)")
    propose.add_argument("--reason", metavar="TEXT", help="what it is for")
    for name, text in (
        ("sandbox", "test a proposal in a copy of the project"),
        ("approve", "vouch for a proposal that was tested"),
        ("apply", "take an approved proposal live"),
    ):
        add(name, text).add_argument("proposal", metavar="ID", help="its id, or as much of it as tells it apart")
    proposals = add("proposals", "list the proposals, newest first, or print one")
    proposals.add_argument("proposal", nargs="?", metavar="ID", help="print this one, with what it would change")


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run",
        help="run a program that can be edited while it runs",
        usage="midflight run [-w PATH]... [--mode MODE] [--devtools[=HOST:PORT]] [--on-rude WHAT]"
        " [--from-stable] [-q | -v] (SCRIPT | -m MODULE) [ARGS...]",
        description="Runs a program as `python` does, in a session that takes each save of its files.",
    )
    run.add_argument("-w", "--watch", action="append", metavar="PATH", help="a folder or file to watch (repeatable)")
    run.add_argument("--mode", choices=("auto", "pump", "manual"), help="when saves are taken (default: auto)")
    run.add_argument(
        "--devtools", nargs="?", const="auto", metavar="HOST:PORT",
        help="serve the DevTools page, and print its link (default: the first free port of 127.0.0.1 from 8321)",
    )  # fmt: skip
    run.add_argument("--on-rude", choices=("refuse", "restart"), help="what to do with an edit that needs a restart")
    run.add_argument("--from-stable", action="store_true", help="run the last stable versions; files stay as they are")
    loud = run.add_mutually_exclusive_group()
    loud.add_argument("-q", "--quiet", action="store_true", help="print nothing of midflight's own")
    loud.add_argument("-v", "--verbose", action="store_true", help="say more, also where stderr is no terminal")
    run.add_argument("-m", dest="module", metavar="MODULE", help="run a module, as python -m does")
    run.set_defaults(program=[])


def _split(given: list[str]) -> tuple[list[str], list[str]]:
    """The options of `run`, `-m MODULE` included, and the program with its arguments."""
    place = 0
    while place < len(given):
        word = given[place]
        if word == "--":
            return given[:place], given[place + 1 :]
        if word.startswith("-m"):
            end = place + (2 if word == "-m" else 1)
            return given[:end], given[end:]
        if not word.startswith("-") or word == "-":
            break
        place += 2 if word in ("-w", "--watch", "--mode", "--on-rude") else 1
    return given[:place], given[place:]


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
