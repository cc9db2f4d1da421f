"""Plugins from entry points, and a manager inside a program that has a session of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import midflight
from midflight.plugins import PluginManager

from .conftest import Bot, until


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that pip would have filled: modules, and what a package says of them."""
    site = tmp_path / "site"
    info = site / "shop_bot-1.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-bot\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(
        "[midflight.plugins]\nshop = shop_bot_plugin\nclerk = shop_bot_plugin:Clerk\ngone = shop_bot_gone\n"
    )
    (site / "shop_bot_plugin.py").write_text(
        "def setup(ctx):\n    ctx.command('shop', lambda: 'open')\n"
        "class Clerk:\n    def setup(self, ctx):\n        ctx.command('clerk', lambda: 'here')\n"
    )
    monkeypatch.syspath_prepend(str(site))
    yield site
    sys.modules.pop("shop_bot_plugin", None)


def test_entry_points_are_plugins_beside_those_of_the_folder(installed: Path, folder: Path) -> None:
    (folder / "local.py").write_text("def setup(ctx):\n    ctx.command('local', lambda: 'too')\n")

    async def scene() -> None:
        manager = PluginManager(Bot(), folder)
        await manager.load_all()
        states = {name: entry.state for name, entry in manager.plugins.items()}
        assert states == {"clerk": "enabled", "gone": "failed", "local": "enabled", "shop": "enabled"}
        assert [await manager.run_command(name) for name in ("shop", "clerk", "local")] == ["open", "here", "too"]
        assert manager.plugins["shop"].version == "1.5"
        assert "plugin gone was not loaded; the module shop_bot_gone is not there" in (
            manager.plugins["gone"].error or ""
        )
        assert (await manager.reload("shop")).outcome == "unchanged"
        await manager.disable("shop")
        assert await manager.run_command("clerk") == "here"
        await manager.enable("shop")
        await manager.unload_all()
        assert manager.commands == {} and "shop_bot_plugin" not in sys.modules

    asyncio.run(scene())


def test_a_manager_shares_the_session_that_follows_its_folder(folder: Path) -> None:
    (folder / "one.py").write_text(
        "n = 1\ndef setup(ctx):\n    ctx.host.calls.append('+')\n    ctx.command('n', lambda: n)\n"
    )

    async def scene() -> None:
        bot = Bot()
        with midflight.Session(paths=[folder.parent], mode="auto") as session:
            manager = PluginManager(bot, folder, hot_reload=True, hot_reload_delay=0.01, entry_points=False)
            await manager.load_all()
            (folder / "one.py").write_text((folder / "one.py").read_text().replace("n = 1", "n = 2"))
            await until(lambda: manager.plugins["one"].reloads)
            assert await manager.run_command("n") == 2 and bot.calls == ["+", "+"]
            assert [report.cause for report in session.history()][:1] == ["watcher"]
            await manager.unload_all()
            assert session.running
            (folder / "one.py").write_text("n = 3\n")
            assert session.reload().ok

    asyncio.run(scene())


def test_hot_reload_that_is_switched_off_for_the_process_still_loads_plugins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOT_RELOAD_ENABLED", "false")
    (folder / "one.py").write_text("def setup(ctx):\n    ctx.command('n', lambda: 1)\n")

    async def scene() -> None:
        manager = PluginManager(Bot(), folder, hot_reload=True, entry_points=False)
        await manager.load_all()
        assert await manager.run_command("n") == 1
        assert manager.watcher is None
        (folder / "one.py").write_text("def setup(ctx):\n    ctx.command('n', lambda: 2)\n")
        assert (await manager.reload("one")).outcome == "unchanged"
        assert await manager.run_command("n") == 1
        await manager.unload_all()

    asyncio.run(scene())


def test_a_folder_that_the_host_can_import_is_the_same_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder.parent))
    folder = folder.rename(folder.parent / "own_cogs")
    (folder / "one.py").write_text("from own_cogs._help import N\ndef setup(ctx):\n    ctx.command('n', lambda: N)\n")
    (folder / "_help.py").write_text("N = 1\n")

    async def scene() -> None:
        manager = PluginManager(Bot(), folder, entry_points=False)
        await manager.load_all()
        import own_cogs.one  # type: ignore[import-not-found]

        assert manager.plugins["one"].module is own_cogs.one
        (folder / "_help.py").write_text("N = 2\n")
        await manager.take([folder / "_help.py"])
        assert await manager.run_command("n") == 2
        await manager.unload_all()
        assert "own_cogs.one" not in sys.modules

    try:
        asyncio.run(scene())
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "own_cogs"]:
            del sys.modules[name]
