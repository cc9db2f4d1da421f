"""A bot with a folder of plugins: files are saved and taken, messages are asked and answered."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from midflight.plugins import PluginManager
from midflight.values import Report

DEADLINE_S = 20.0


class Bot:
    """A host: plugins write down here what happened to them."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.handlers: dict[str, Any] = {}
        self.hooks: dict[str, list[Any]] = {}


class World:
    """A bot, its manager and its folder. Texts are dedented."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder, self.bot = folder, Bot()
        self.manager = PluginManager(self.bot, folder, entry_points=False, **settings)

    def path(self, name: str) -> Path:
        return self.folder / (name if "." in name else f"{name}.py")

    def write(self, **texts: str) -> list[Path]:
        """`fun="..."` writes fun.py; a package's file is `fun___init__`, a manifest `fun_toml`: see `names`."""
        return [self._write(names(key), text) for key, text in texts.items()]

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    async def save(self, **texts: str) -> list[Report]:
        return await self.manager.take(self.write(**texts))

    async def delete(self, *keys: str) -> list[Report]:
        paths = [self.folder / names(key) for key in keys]
        for path in paths:
            path.unlink()
        return await self.manager.take(paths)

    async def ask(self, command: str, *args: Any) -> Any:
        return await asyncio.wait_for(self.manager.run_command(command, *args), DEADLINE_S)

    def states(self) -> dict[str, str]:
        return {name: entry.state for name, entry in sorted(self.manager.plugins.items())}

    def error(self, name: str) -> str:
        return self.manager.plugins[name].error or ""

    def called(self) -> list[str]:
        """What was written down since it was last asked."""
        calls, self.bot.calls[:] = list(self.bot.calls), []
        return calls


def names(key: str) -> str:
    """fun → fun.py, fun__part → fun/part.py, fun__init → fun/__init__.py, fun_toml → fun.toml."""
    if key.endswith("_toml"):
        return key.removesuffix("_toml").replace("__", "/") + ".toml"
    folder, _, file = key.rpartition("__") if not key.startswith("_") else ("", "", key)
    return f"{folder}/{'__init__' if file == 'init' else file}.py" if folder else f"{file}.py"


async def until(holds: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
    """Waits for something that happens by itself, and gives it."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    while not (value := holds()):
        assert loop.time() < end, "it did not happen in time"
        await asyncio.sleep(0.005)
    return value


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)  # the session's store lies there
    root = tmp_path / "plugins"
    root.mkdir()
    return root


@pytest.fixture
def play(folder: Path) -> Iterator[Callable[..., Any]]:
    """Runs a scene on a loop: loads the plugins, plays it, takes all down and looks that nothing is left."""
    modules, finders = set(sys.modules), list(sys.meta_path)

    def run(scene: Callable[[World], Awaitable[Any]], **settings: Any) -> Any:
        async def all_of_it() -> Any:
            world = World(folder, **settings)
            await world.manager.load_all()
            try:
                return await scene(world)
            finally:
                await world.manager.unload_all()
                assert world.manager.commands == {}
                others = asyncio.all_tasks() - {asyncio.current_task()}
                assert not [task for task in others if not task.done() and not task.cancelling()], others

        return asyncio.run(all_of_it())

    yield run
    assert sys.meta_path == finders
    assert [name for name in set(sys.modules) - modules if name.startswith("plugins_")] == []
