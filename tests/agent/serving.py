"""A copy of examples/agent, served by a process of its own, edited on disk and asked over HTTP."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "agent"
DOCUMENTED_PORT = 50001
DEADLINE_S = 30.0
QUICK = {"MIDFLIGHT_QUIET_MS": "20", "MIDFLIGHT_BACKEND": "auto"}
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".midflight", ".venv*")

STARTED = re.compile(r"^Agent: http://\S+:(\d+) ", re.MULTILINE)
TEST_TOOL = "python/tools/hot_reload_test.py"


def copy_of_example(folder: Path) -> Path:
    """The example in a folder of its own; settings are those of the repository's .env."""
    return Path(shutil.copytree(EXAMPLE, folder / "agent", ignore=LEFT_OUT))


def environment(own: Path, **extra: str) -> dict[str, str]:
    """The caller's, with `python` of this Python and the midflight under test, and `own` for sockets and scratch."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    ours = {"PATH": path, "PYTHONPATH": str(ROOT / "src"), "XDG_RUNTIME_DIR": str(own), "TMPDIR": str(own)}
    return {**os.environ, **ours, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", **extra}


class Agent:
    """A served copy. `chat` is one conversation; `console` what the process printed."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], log: Path) -> None:
        self.folder, self.process, self._log = folder, process, log
        self._numbers = itertools.count(1)
        self.until("its address", lambda: STARTED.search(self.console) is not None)
        self.port = int(STARTED.findall(self.console)[0])
        self.http = httpx.Client(base_url=f"http://localhost:{self.port}", timeout=DEADLINE_S, trust_env=False)

    @property
    def console(self) -> str:
        return self._log.read_text()

    def post(self, endpoint: str, **body: Any) -> httpx.Response:
        return self.http.post(f"/{endpoint}", json=body)

    def say(self, text: str, context: str = "one") -> str:
        answer = self.post("message", context=context, text=text)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["message"]["text"])

    def tools(self) -> list[str]:
        found: list[str] = self.post("history", context="one").json()["tools"]
        return found

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = self.post("hot_reload_status", action="stats").json()["stats"]
        return found

    def read(self, file: str) -> str:
        return (self.folder / file).read_text()

    def write(self, file: str, text: str) -> None:
        """Saved as most editors do: written aside, then renamed."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{next(self._numbers)}.part")
        aside.write_text(text)
        os.replace(aside, path)

    def sub(self, file: str, old: str, new: str) -> None:
        text = self.read(file)
        assert old in text, f"{file} has no {old!r}"
        self.write(file, text.replace(old, new))

    def until(self, what: str, ready: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE_S
        while not ready():
            assert self.process.poll() is None, f"the agent ended:\n{self.console}"
            assert time.monotonic() < end, f"waited in vain: {what}. The console says\n{self.console}"
            time.sleep(0.02)

    def until_console(self, *lines: str) -> None:
        """Waits until the console shows these lines, in this order."""
        self.until(f"console {lines}", lambda: _in_order(lines, self.console.splitlines()))

    def until_reloads(self, count: int) -> None:
        self.until(f"{count} reloads", lambda: bool(self.stats()["reloads"] >= count))


def _in_order(wanted: tuple[str, ...], lines: list[str]) -> bool:
    ahead = iter(lines)
    return all(any(one == line for line in ahead) for one in wanted)


@contextmanager
def served(folder: Path, **extra: str) -> Iterator[Agent]:
    """Runs `python run_ui.py` in a folder that holds the example, until the block ends. Without a WEB_UI_PORT in
    `extra` it takes any free port."""
    log, own = folder.parent / "console", folder.parent / "run"
    own.mkdir(mode=0o700, exist_ok=True)
    env = environment(own, **{"WEB_UI_PORT": "0", **extra})
    with log.open("wb") as console:
        command = ["python", "run_ui.py"]
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=console, stderr=subprocess.STDOUT)
    try:
        agent = Agent(folder, process, log)
        yield agent
        agent.http.close()
    finally:
        process.terminate()
        try:
            process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
