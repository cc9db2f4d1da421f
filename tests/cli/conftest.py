"""A real program under `midflight run`, and the command line asking it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SOURCE = str(Path(__file__).parents[2] / "src")

APP = """
import sys
import cart

for line in sys.stdin:
    print(eval(line), flush=True)
"""
CART = """
RATE = 2


def total(net):
    return net * RATE
"""


@dataclass
class Program:
    """A running program that evaluates each line of its input, with its folder and its process."""

    folder: Path
    process: subprocess.Popen[str]
    env: dict[str, str]

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, expression: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def save(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def cli(self, *args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "midflight", *args],
            cwd=cwd or self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def json(self, *args: str) -> Any:
        done = self.cli(*args, "--json")
        assert done.stderr == ""
        return json.loads(done.stdout)

    def end(self) -> tuple[int, str]:
        """Its exit code and what it wrote to stderr."""
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment whose sockets lie in a folder of this test's own: other tests' sessions are not seen."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("MIDFLIGHT_", "HOT_RELOAD_"))}
    return {**keep, "PYTHONPATH": SOURCE, "XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(runtime)}


@pytest.fixture
def start(tmp_path: Path, env: dict[str, str]) -> Iterator[Callable[..., Program]]:
    """start(*options, folder=name): `midflight run` on the small program, answering; ended with the test."""
    programs: list[Program] = []

    def starter(*options: str, folder: str = "shop", **more: str) -> Program:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        for name, text in {"pyproject.toml": "", "app.py": APP, "cart.py": CART}.items():
            if not (place / name).exists():
                (place / name).write_text(text)
        process = subprocess.Popen(
            [sys.executable, "-m", "midflight", "run", *options, "app.py"],
            cwd=place,
            env={**env, **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        program = Program(place, process, {**env, **more})
        programs.append(program)
        assert program.ask("1 + 1") == "2", program.end()
        return program

    yield starter
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
        program.process.communicate()


@pytest.fixture
def program(start: Callable[..., Program]) -> Program:
    """In mode manual: nothing happens but by the commands under test."""
    return start("--mode", "manual")
