"""A small shop on disk, loaded under a manual session, with tests of its own beside it."""

from __future__ import annotations

import importlib
import queue
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import midflight
from midflight.config import load
from midflight.values import Event, Report

DEADLINE_S = 60.0


class Shop:
    """A folder of modules under a session; `save(name=text)` writes NAME.py and takes it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.events: queue.Queue[Event] = queue.Queue()
        config = load(str(folder), paths=(str(folder),), mode="manual", **settings)
        self.session = midflight.Session(config=config)
        self.session.subscribe(lambda news: self.events.put(news) if isinstance(news, Event) else None)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def load(self, name: str) -> Any:
        importlib.invalidate_caches()
        return importlib.import_module(name)

    def save(self, **texts: str) -> Report:
        for name, text in texts.items():
            self.write(f"{name}.py", text)
        return self.session.reload()

    def tested(self) -> Event:
        """The next event that tells how tests ended."""
        while True:
            event = self.events.get(timeout=DEADLINE_S)
            if event.kind == "tests":
                return event


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Shop]]:
    """shop(files, **settings): the files written, the session started; both gone with the test."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "pyproject.toml").write_text("")
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made: list[Shop] = []

    def make(files: dict[str, str], **settings: Any) -> Shop:
        one = Shop(root, **settings)
        for name, text in files.items():
            one.write(name, text)
        one.session.start()
        made.append(one)
        return one

    yield make
    for one in made:
        one.session.stop()
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(root)):
            del sys.modules[name]
