"""Finds running sessions and asks them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from midflight.config import lies_in, socket_folders
from midflight.errors import ControlError

ANSWER_S = 10.0


class NoSessionError(ControlError):
    """No session answers to what was asked for, or several do."""


class SeveralSessionsError(NoSessionError):
    """Which one is meant must be said."""


@dataclass(frozen=True, slots=True)
class Found:
    """One running session: `name` is its PID (PID-2 for a second one of the process), `status` its own account."""

    name: str
    path: str
    status: dict[str, Any]

    @property
    def root(self) -> str:
        return str(self.status.get("root", ""))


def sessions() -> tuple[list[Found], list[str]]:
    """The sessions that answer, by name; and one line for each socket whose process does not."""
    found, silent = [], []
    for name, path in _sockets():
        try:
            found.append(Found(name, path, ask(path, "status", timeout_s=2)))
        except FileNotFoundError:
            continue
        except ConnectionRefusedError:
            continue  # its process died; the next session to start removes it
        except (OSError, ControlError) as error:
            silent.append(f"process {name} does not answer: {error}")
    return sorted(found, key=lambda one: [int(part) for part in one.name.split("-")]), silent


def _sockets() -> Iterator[tuple[str, str]]:
    for folder in socket_folders():
        try:
            names = os.listdir(folder)
            trusted = os.lstat(folder).st_uid == os.geteuid()
        except OSError:
            continue
        for name in names if trusted else ():
            match = re.fullmatch(r"(\d+(?:-\d+)?)\.sock", name)
            if match:
                yield match[1], os.path.join(folder, name)


def find(pid: str | None) -> Found:
    """The session of process `pid`, else the one whose root contains the working directory. Raises NoSessionError."""
    found, silent = sessions()
    here = os.path.realpath(os.getcwd())
    if pid is not None:
        fitting = [one for one in found if pid in (one.name, one.name.partition("-")[0])]
        what = f"process {pid} has no session"
    else:
        fitting = _nearest([one for one in found if _contains(one.root, here)])
        what = f"no session runs for {here}"
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = "; ".join(f"{one.name} ({' '.join(one.status.get('command', []))})" for one in fitting)
        raise SeveralSessionsError(f"{len(fitting)} sessions fit", names, f"Say which: --pid {fitting[0].name}")
    others = [f"{one.name} in {one.root}" for one in found]
    why = "; ".join(["running: " + ", ".join(others) if others else "no session is running at all", *silent])
    raise NoSessionError(
        what, why, "Start one with `midflight run SCRIPT`, or name one with --pid (see `midflight ps`)."
    )


def find_unless(pid: str | None, enough: Callable[[], bool]) -> Found | None:
    """As `find`; None where none was named, none runs, and what lies on the disk is `enough`."""
    try:
        return find(pid)
    except SeveralSessionsError:
        raise
    except NoSessionError:
        if pid is not None or not enough():
            raise
        return None


def _contains(root: str, folder: str) -> bool:
    return lies_in(folder, os.path.realpath(root))


def _nearest(fitting: list[Found]) -> list[Found]:
    deepest = max((len(one.root) for one in fitting), default=0)
    return [one for one in fitting if len(one.root) == deepest]


def ask(path: str, do: str, *, timeout_s: float | None = ANSWER_S, **details: Any) -> Any:
    """The session's answer. Raises ControlError with what it says went wrong, or OSError."""
    for line in follow(path, do, timeout_s=timeout_s, **details):
        return line
    raise ControlError("the session ended before it answered", "its process may have stopped", "See `midflight ps`.")


def follow(path: str, do: str, *, timeout_s: float | None, **details: Any) -> Iterator[Any]:
    """All lines of an answer as they come; the first is the result. `timeout_s` bounds the wait for the first."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(path)
        except BlockingIOError as error:  # as many wait already as the kernel lets wait
            raise TimeoutError(str(error)) from error
        with contextlib.suppress(BrokenPipeError):  # a session that refuses us at once has said why
            connection.sendall(json.dumps({"do": do, **details}).encode() + b"\n")
        with connection.makefile("r", encoding="utf-8") as lines:
            first = lines.readline()
            if not first:
                return
            connection.settimeout(None)
            yield _result(json.loads(first))
            for line in lines:
                yield json.loads(line)


def _result(answer: dict[str, Any]) -> Any:
    if answer.get("ok"):
        return answer["result"]
    error = answer.get("error", {})
    raise ControlError(error.get("what", "the session failed"), error.get("why", ""), error.get("hint", ""))
