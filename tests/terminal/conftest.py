"""The terminal example in a copy of its own: through a real pseudo-terminal, a pipe, and from a second terminal."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "terminal"
KEPT_OUT = shutil.ignore_patterns(".history", ".midflight", "backups", "knowledge.db", "__pycache__")
DEADLINE_S = 30
PROMPT = "ultra>"  # what follows is moved to, not written
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*\x07|[=>()][0-9A-B]?)|\r")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A copy of the example, under a short name: a Unix socket's path has room for 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="mf-ultra-") as own:
        place = Path(own) / "terminal"
        shutil.copytree(EXAMPLE, place, ignore=KEPT_OUT)
        yield place


def environment(folder: Path) -> dict[str, str]:
    runtime = folder.parent / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    own = {"PYTHONPATH": str(ROOT / "src"), "XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(runtime)}
    return {**env, **own, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class Terminal:
    """A person at the terminal: `says` enters a line, `shows` waits until something stands on the screen since."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.child = pexpect.spawn(
            sys.executable, ["main.py"], cwd=str(folder), env=environment(folder), encoding="utf-8",
            dimensions=(60, 200),
        )  # fmt: skip
        self.raw = ""
        self.shows("/help lists the commands", PROMPT)

    @property
    def pid(self) -> int:
        return int(self.child.pid)

    def says(self, line: str) -> None:
        self.raw = ""
        self.child.send(line + "\r")

    def shows(self, *texts: str) -> str:
        """All that was shown since the last line, without colours, once it has `texts`."""
        return self._until(lambda shown: all(text in shown for text in texts), str(texts))

    def answers(self, text: str) -> str:
        """As `shows`, once the next prompt is below `text`: the line itself is drawn with a prompt, too, and a key that
        is pressed between the two prompts is lost."""
        return self._until(lambda shown: PROMPT in shown.partition(text)[2], f"{text} … {PROMPT}")

    def _until(self, condition: Callable[[str], bool], wanted: str) -> str:
        ends = time.monotonic() + DEADLINE_S
        while not condition(clean(self.raw)):
            assert time.monotonic() < ends, f"never shown: {wanted}\n{clean(self.raw)}"
            with contextlib.suppress(pexpect.TIMEOUT):
                self.raw += self.child.read_nonblocking(4096, 0.2)
        return clean(self.raw)

    def close(self) -> None:
        self.child.close(force=True)


def clean(text: str) -> str:
    return _ESCAPES.sub("", text)


@pytest.fixture
def terminal(folder: Path) -> Iterator[Callable[[], Terminal]]:
    opened: list[Terminal] = []

    def open_one() -> Terminal:
        opened.append(Terminal(folder))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def piped(folder: Path, *lines: str) -> str:
    """What the terminal shows where its input is a pipe."""
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=folder, env=environment(folder), input="\n".join(lines) + "\n",
        capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    return done.stdout


def midflight(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "midflight", *args]
    return subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
