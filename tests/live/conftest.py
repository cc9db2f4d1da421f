"""Real files under real programs: a folder of modules, a session over it, and what the session told."""

from __future__ import annotations

import importlib
import queue
import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import midflight
from midflight.values import Event, Report

DEADLINE_S = 20.0


class Program:
    """A folder on sys.path with modules of unique names: `program.save(cart="...")` writes CART.py and takes it."""

    def __init__(self, folder: Path, mode: str = "manual", **settings: Any) -> None:
        self.folder, self.suffix = folder, uuid.uuid4().hex[:8]
        self.told: queue.Queue[Report | Event] = queue.Queue()
        self.session = midflight.Session(paths=[folder], mode=mode, **settings)
        self.session.subscribe(self.told.put)

    def name(self, module: str) -> str:
        return f"{module}_{self.suffix}"

    def path(self, module: str) -> Path:
        return self.folder / f"{self.name(module)}.py"

    def write(self, **texts: str) -> None:
        """Source by module; `{m}` in it stands for the real name of module m."""
        names = {m: self.name(m) for m in [*texts, *self._known()]}
        for module, text in texts.items():
            for short, long in names.items():
                text = text.replace("{" + short + "}", long)
            self.path(module).write_text(text)

    def _known(self) -> list[str]:
        return [p.stem.removesuffix(f"_{self.suffix}") for p in self.folder.glob("*.py")]

    def load(self, module: str) -> Any:
        importlib.invalidate_caches()
        return importlib.import_module(self.name(module))

    def save(self, **texts: str) -> Report:
        self.write(**texts)
        return self.session.reload()

    def next_report(self) -> Report:
        """The next Report that the session tells of, events aside."""
        while True:
            news = self.told.get(timeout=DEADLINE_S)
            if isinstance(news, Report):
                return news

    def next_event(self, kind: str) -> Event:
        while True:
            news = self.told.get(timeout=DEADLINE_S)
            if isinstance(news, Event) and news.kind == kind:
                return news

    def close(self) -> None:
        self.session.stop()
        for name in [n for n in sys.modules if n.partition(".")[0].endswith(self.suffix)]:
            del sys.modules[name]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "program"
    root.mkdir()
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield root
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def make(folder: Path) -> Iterator[Any]:
    made: list[Program] = []

    def make_program(mode: str = "manual", **settings: Any) -> Program:
        program = Program(folder, mode, **settings)
        made.append(program)
        return program

    yield make_program
    for program in made:
        program.close()


@pytest.fixture
def program(make: Any) -> Program:
    made: Program = make()
    made.session.start()
    return made
