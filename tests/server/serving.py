"""Starts the program under `midflight run`, loads it from another process, saves edits and asks what it answers."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .program import Version, broken_files, good_edit

T = TypeVar("T")
DEADLINE_S = 30.0
CLIENT = Path(__file__).with_name("client.py")


@dataclass
class Run:
    """What `edits` edits under load did. Times are in milliseconds: save -> first answer by the new code."""

    good: int = 0
    broken: int = 0
    wrong: list[str] = field(default_factory=list)
    live_ms: list[float] = field(default_factory=list)
    load: dict[str, Any] = field(default_factory=dict)
    asked: int = 0
    hits: int = 0
    held: int = 0
    log: str = ""

    def complaints(self) -> list[str]:
        """What breaks the promise: a failed request, lost state, a wrong answer."""
        found = [*self.wrong, *self.load["failures"]]
        requests = self.load["requests"] + self.asked
        if not self.load["rising"] or self.load["distinct"] != self.load["requests"]:
            found.append("the counter went back or stood still between two requests")
        if self.hits != requests or self.held != requests:
            found.append(f"{requests} requests, but the program counted {self.hits} and holds {self.held}")
        if "Exception in ASGI application" in self.log:
            found.append(self.log[-2000:])
        return found


class Server:
    """One served program: its folder, its process, one connection of our own."""

    def __init__(self, folder: Path, process: subprocess.Popen[str], port: int) -> None:
        self.folder, self.process, self.port = folder, process, port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
        self.asked = 0

    def get(self, path: str) -> Any:
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            log = (self.folder.parent / f"{self.folder.name}.log").read_text()
            raise RuntimeError(f"{path} answered {answer.status}; the server said\n{log[-3000:]}")
        return json.loads(body)

    def ask(self) -> dict[str, Any]:
        self.asked += 1
        answer: dict[str, Any] = self.get("/")
        return answer

    def newest(self) -> tuple[str, str]:
        """Id and outcome of the newest report; two empty texts before the first."""
        reports = self.get("/reports")
        return tuple(reports[0]) if reports else ("", "")

    def save(self, files: dict[str, str]) -> None:
        """Writes what differs: in place, or aside and renamed, as editors do either."""
        for number, (name, text) in enumerate(sorted(files.items())):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.read_text("utf-8") == text:
                continue
            aside = path.with_suffix(".py~") if number % 2 else path
            aside.write_text(text, "utf-8")
            os.replace(aside, path)


def until(ask: Callable[[], T], good: Callable[[T], bool], what: str) -> T:
    """The first answer that is good. Raises TimeoutError with the last one."""
    deadline = time.monotonic() + DEADLINE_S
    while not good(last := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}; the last answer was {last!r}")
    return last


@contextmanager
def serving(folder: Path, version: Version) -> Iterator[Server]:
    """The program of `version`, served until the block ends."""
    for name, text in version.files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    (folder / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    runtime = folder.parent / f"{folder.name}-runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    env = {**os.environ, "XDG_RUNTIME_DIR": str(runtime)}
    with (folder.parent / f"{folder.name}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "midflight", "run", "serve.py"],
            cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"no server: {(folder.parent / f'{folder.name}.log').read_text()[-2000:]}")
            yield Server(folder, process, json.loads(line)["port"])
        finally:
            process.terminate()
            try:
                process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()


def edit_under_load(folder: Path, edits: int) -> Run:
    """Makes `edits` edits, every fifth a broken one, while another process asks without a pause."""
    result, version = Run(), Version()
    with serving(folder, version) as server:
        until(server.ask, lambda answer: answer.items() >= version.answers().items(), "the program never answered")
        load = subprocess.Popen(
            [sys.executable, str(CLIENT), str(server.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            for number in range(1, edits + 1):
                version = one_edit(server, version, number, result)
        finally:
            result.load = json.loads(load.communicate(timeout=120)[0])
        last = server.ask()
        result.asked, result.hits, result.held = server.asked, last["hits"], last["held"]
    result.log = (folder.parent / f"{folder.name}.log").read_text()
    return result


def one_edit(server: Server, version: Version, number: int, result: Run) -> Version:
    """Saves edit `number` and looks at what the program answers; returns the version that should be running."""
    before = server.newest()[0]
    if number % 5 == 0:
        kind, files = broken_files(version, number)
        save_as_one(server, files)
        _, outcome = until(server.newest, lambda newest: newest[0] != before, f"edit {number} ({kind}): no report")
        result.broken += 1
        note_answer(server, version, f"edit {number} ({kind}, {outcome})", result)
        if outcome in ("committed", "unchanged"):
            result.wrong.append(f"edit {number} ({kind}) was broken and is {outcome}")
        return version
    wanted = good_edit(version, number)
    started = time.monotonic()
    server.save(wanted.files())
    try:
        until(server.ask, lambda answer: answer.items() >= wanted.answers().items(), f"edit {number} never went live")
    except TimeoutError as error:
        result.wrong.append(f"{error}; wanted {wanted.answers()}; newest report {server.newest()}")
    result.live_ms.append((time.monotonic() - started) * 1000)
    result.good += 1
    return wanted


def save_as_one(server: Server, files: dict[str, str]) -> None:
    """Several files may fall into two batches on a busy machine, and are then rightly taken one without the other."""
    if len(files) > 1:
        server.get("/pause")
    server.save(files)
    if len(files) > 1:
        server.get("/take")


def note_answer(server: Server, version: Version, what: str, result: Run) -> None:
    answer = server.ask()
    if not answer.items() >= version.answers().items():
        result.wrong.append(f"{what}: wanted {version.answers()}, got {answer}")
