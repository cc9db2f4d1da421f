"""A frame loop without a toolkit: a hot module in a file, an App with state, and frames that a test runs one by one."""

from __future__ import annotations

import importlib
import pathlib
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

import midflight
from midflight import gui
from midflight.gui import HotModule, HotReloader

KEYS = ["draft", "rows", "selected", "history", "texture", "late"]
VIEW = """
RATE = 2

def render(app):
    app.drawn.append("old")
    app.history.append(RATE)

def render_menu(app):
    return "menu"
"""


class Row:
    def __init__(self, name: str) -> None:
        self.name = name


class App:
    """What a program would keep in its App: typed text, a table, its selection, a plot, a handle that is no value."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.draft = "typed"
        self.rows = [Row("a"), Row("b"), Row("c")]
        self.selected = self.rows[1]
        self.history = [1, 2]
        self.texture = (n for n in range(3))
        self.drawn: list[str] = []

    def render(self) -> None:
        self.module.render(self)

    def render_menu(self) -> str:
        return str(self.module.render_menu(self))


class Window:
    """The program: `save` writes the hot module, `frame` runs one guarded frame."""

    def __init__(self, folder: pathlib.Path, mode: str | None, targets: list[str]) -> None:
        self.folder, self.name = folder, f"view_{uuid.uuid4().hex[:8]}"
        self.path = folder / f"{self.name}.py"
        self.path.write_text(VIEW)
        importlib.invalidate_caches()
        self.module = importlib.import_module(self.name)
        self.app = App(self.module)
        self.session = midflight.start(paths=[folder], mode=mode) if mode else None
        HotReloader.register(HotModule(self.name, self.path, KEYS, targets))

    def save(self, *edits: tuple[str, str], text: str | None = None) -> None:
        text = self.path.read_text() if text is None else text
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        self.path.write_text(text)

    def add(self, text: str) -> Any:
        """A second hot module."""
        name = f"{self.name}_client"
        path = self.folder / f"{name}.py"
        path.write_text(text)
        importlib.invalidate_caches()
        HotReloader.register(HotModule(name, path))
        return importlib.import_module(name)

    def frame(self) -> None:
        with HotReloader.guard_frame(self.app):
            self.app.render()

    def reload(self) -> bool:
        """As the key does: asked for, then a frame."""
        assert HotReloader.reload_all(self.app)
        self.frame()
        return not HotReloader.is_error_state


@pytest.fixture
def window(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`window()` makes the program under a manual session; `mode=None` leaves the session to `register`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(gui, "_loop", gui._Loop())
    for name, value in {"HOT_MODULES": {}, "is_error_state": False, "last_error": None, "last_report": None}.items():
        monkeypatch.setattr(HotReloader, name, value)
    made: list[Window] = []

    def make(mode: str | None = "manual", targets: tuple[str, ...] = ("render", "render_menu")) -> Window:
        made.append(Window(tmp_path, mode, list(targets)))
        return made[-1]

    yield make
    for session in {midflight.current(), gui._loop.own, *(one.session for one in made)} - {None}:
        session.stop()
    for name in [name for name in sys.modules if name.startswith("view_")]:
        del sys.modules[name]
