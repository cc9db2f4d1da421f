"""Saves seen by the watcher: the usage examples that bot authors know, the handler, the watcher, and what breaks them."""

from __future__ import annotations

import asyncio
import logging
import os
import textwrap
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from midflight.plugins import HotReloadWatcher, PluginManager, ReloadHandler

from .conftest import Bot, World, until

SIMPLE = """
    from midflight.plugins import Plugin

    class SimplePlugin(Plugin):
        async def setup(self, ctx):
            ctx.command("word", lambda: self.word())

        def word(self):
            return "one"
"""


def event(path: Path, folder: bool = False, kind: str = "modified") -> Any:
    return SimpleNamespace(src_path=str(path), is_directory=folder, event_type=kind)


# -- usage examples, as written but for the import line ----------------------------------------------------

BASIC_USAGE = """
# Enable hot reload
manager = PluginManager(bot, plugin_dir="plugins", hot_reload=True)
await manager.load_all()

# Hot reload starts automatically
# Edit plugins/my_plugin.py → Save → Auto reload!
await edited()

# Cleanup (stops watcher)
await manager.unload_all()
"""

MANUAL_CONTROL = """
from midflight.plugins import HotReloadWatcher

# Create watcher (not started)
manager = PluginManager(bot)
watcher = HotReloadWatcher(manager, enabled=False)

# Start watching
watcher.start()
print(f"Watching: {watcher.is_enabled}")  # True

# Stop watching
watcher.stop()
print(f"Watching: {watcher.is_enabled}")  # False
"""

CUSTOM_DELAY = """
# Fast reload (100ms) for development
manager = PluginManager(
    bot,
    plugin_dir="plugins",
    hot_reload=True,
    hot_reload_delay=0.1
)
await manager.load_all()
await edited()
await manager.unload_all()
"""

DELAYS = """
# 100ms delay for fast development
manager = PluginManager(bot, hot_reload=True, hot_reload_delay=0.1)

# 1s delay for stability
manager = PluginManager(bot, hot_reload=True, hot_reload_delay=1.0)
"""


async def run_example(text: str, folder: Path) -> None:
    """`edited` in an example stands for the author's save: it returns when the new code answers."""
    names: dict[str, Any] = {"PluginManager": PluginManager, "bot": Bot()}

    async def edited() -> None:
        manager = names["held"][0]
        assert await manager.run_command("word") == "one"
        (folder / "my_plugin.py").write_text(textwrap.dedent(SIMPLE).replace('"one"', '"two"'))
        await until(lambda: manager.plugins["my_plugin"].reloads)
        assert await manager.run_command("word") == "two"

    names["edited"] = edited
    names["held"] = []
    body = text.replace("await edited()", "held.append(manager)\nawait edited()")
    exec(f"async def example():\n{textwrap.indent(body, '    ')}", names)
    await names["example"]()


@pytest.mark.parametrize("text", [BASIC_USAGE, MANUAL_CONTROL, CUSTOM_DELAY, DELAYS])
def test_a_usage_example_runs_as_written(
    text: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder.parent)
    (folder / "my_plugin.py").write_text(textwrap.dedent(SIMPLE))
    asyncio.run(run_example(text, folder))
    if "print" in text:
        assert capsys.readouterr().out == "Watching: True\nWatching: False\n"


# -- ReloadHandler --------------------------------------------------------------------------------------------


def test_a_handler_begins_empty_with_half_a_second_of_delay(folder: Path) -> None:
    manager = PluginManager(Bot(), folder)
    handler = ReloadHandler(manager)
    assert (handler.manager, handler.debounce_delay, handler.pending) == (manager, 0.5, [])
    assert ReloadHandler(manager, debounce_delay=0.1).debounce_delay == 0.1


@pytest.mark.parametrize(
    "name, folder_event, counts",
    [
        ("fun.py", False, True),
        ("fun.toml", False, True),
        ("pack/__init__.py", False, True),
        ("pack/helper.py", False, True),
        ("new.py", False, True),
        ("", True, False),
        ("fun.py", True, False),
        ("readme.txt", False, False),
        ("notes.md", False, False),
        ("fun.pyc", False, False),
        ("__init__.py", False, False),
        ("../other.py", False, False),
    ],
)
def test_a_handler_queues_plugin_files_and_nothing_else(
    folder: Path, name: str, folder_event: bool, counts: bool
) -> None:
    handler = ReloadHandler(PluginManager(Bot(), folder))
    path = Path(os.path.normpath(folder / name))
    handler.on_modified(event(path, folder_event))
    assert handler.pending == ([path] if counts else [])
    handler = ReloadHandler(PluginManager(Bot(), folder))
    for kind in ("created", "deleted", "modified", "opened"):
        handler.dispatch(event(path, folder_event, kind))
    assert handler.pending == ([path] if counts else [])


def test_a_handler_queues_both_names_of_a_file_that_moved(folder: Path) -> None:
    handler = ReloadHandler(PluginManager(Bot(), folder))
    moved = SimpleNamespace(**vars(event(folder / "a.py", kind="moved")), dest_path=str(folder / "b.py"))
    handler.dispatch(moved)
    assert handler.pending == [folder / "a.py", folder / "b.py"]


def test_a_handler_starts_and_stops_and_takes_what_it_was_told(play: Any) -> None:
    async def scene(world: World) -> None:
        await world.save(simple=SIMPLE)
        handler = ReloadHandler(world.manager, debounce_delay=0.01)
        await handler.start()
        await handler.start()
        world.write(simple=SIMPLE.replace('"one"', '"two"'))
        handler.on_modified(event(world.path("simple")))
        await until(lambda: world.manager.plugins["simple"].reloads)
        assert await world.ask("word") == "two"
        await handler.stop()
        await handler.stop()
        handler.on_modified(event(world.path("simple")))
        assert handler.pending == [world.path("simple")]

    play(scene)


def test_a_burst_of_saves_is_one_reload(play: Any) -> None:
    async def scene(world: World) -> None:
        await world.save(simple=SIMPLE)
        handler = ReloadHandler(world.manager, debounce_delay=0.05)
        await handler.start()
        for number in range(10):
            world.write(simple=SIMPLE.replace('"one"', f"{number}"))
            handler.on_modified(event(world.path("simple")))
            await asyncio.sleep(0)
        await until(lambda: world.manager.plugins["simple"].reloads)
        assert (await world.ask("word"), world.manager.plugins["simple"].reloads) == (9, 1)
        await handler.stop()

    play(scene)


# -- HotReloadWatcher -----------------------------------------------------------------------------------------


def test_a_watcher_that_is_not_enabled_does_not_watch(folder: Path) -> None:
    manager = PluginManager(Bot(), str(folder))
    watcher = HotReloadWatcher(manager, enabled=False)
    assert watcher.manager is manager and watcher.debounce_delay == 0.5
    assert not watcher.is_enabled and watcher.handler is None and watcher.status() == {"running": False}
    assert repr(watcher) == f"<HotReloadWatcher: disabled, 0.5 s, dir={folder}>" == str(watcher)


def test_a_watcher_that_is_enabled_watches_at_once_without_a_loop(folder: Path) -> None:
    threads = set(threading.enumerate())
    watcher = HotReloadWatcher(PluginManager(Bot(), folder), debounce_delay=1.0)
    assert watcher.is_enabled and watcher.debounce_delay == 1.0 and watcher.handler is not None
    assert watcher.status()["running"] is True and "enabled" in repr(watcher)
    watcher.stop()
    assert not watcher.is_enabled and watcher.handler is None
    assert set(threading.enumerate()) <= threads


def test_starting_and_stopping_twice_is_a_warning(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "midflight.plugins")
    watcher = HotReloadWatcher(PluginManager(Bot(), folder), enabled=False)
    for step in (watcher.start, watcher.start, watcher.stop, watcher.stop):
        step()
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", f"File system watch started: {folder}"),
        ("WARNING", f"File system watch already started: {folder}"),
        ("INFO", f"File system watch stopped: {folder}"),
        ("WARNING", f"File system watch is not running: {folder}"),
    ]


def test_a_folder_that_is_not_there_is_a_warning_and_followed_when_it_appears(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        manager = PluginManager(Bot(), tmp_path / "later", hot_reload=True, hot_reload_delay=0.01)
        await manager.load_all()
        assert manager.plugins == {}
        assert f"Plugin directory does not exist: {tmp_path / 'later'}" in caplog.text
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "simple.py").write_text(textwrap.dedent(SIMPLE))
        await until(lambda: "simple" in manager.plugins and manager.plugins["simple"].state == "enabled")
        assert await manager.run_command("word") == "one"
        await manager.unload_all()

    asyncio.run(scene())


# -- a manager that watches -------------------------------------------------------------------------------------


def test_a_manager_watches_from_load_to_unload(folder: Path) -> None:
    async def scene() -> None:
        manager = PluginManager(Bot(), folder, hot_reload=True, hot_reload_delay=1.0)
        assert manager.watcher is None
        await manager.load_all()
        assert manager.watcher is not None and manager.watcher.is_enabled and manager.watcher.debounce_delay == 1.0
        await manager.unload_all()
        assert manager.watcher is None

    asyncio.run(scene())


def test_a_manager_that_was_not_asked_to_watches_nothing(play: Any) -> None:
    async def scene(world: World) -> None:
        assert world.manager.watcher is None
        threads = [thread.name for thread in threading.enumerate()]
        assert "midflight-watch" not in threads

    play(scene)


def test_saves_new_files_and_deleted_files_are_taken_as_they_come(play: Any) -> None:
    async def scene(world: World) -> None:
        world.write(simple=SIMPLE)
        await until(lambda: world.states() == {"simple": "enabled"})
        world.write(simple=SIMPLE.replace('"one"', '"two"'))
        await until(lambda: world.manager.plugins["simple"].reloads == 1)
        assert await world.ask("word") == "two"
        world.write(simple=SIMPLE.replace("async def", "async de f"))
        await until(lambda: world.error("simple"))
        assert await world.ask("word") == "two"
        aside = world.folder / "simple.py.tmp"
        aside.write_text(textwrap.dedent(SIMPLE))
        os.replace(aside, world.path("simple"))
        await until(lambda: world.manager.plugins["simple"].reloads == 2)
        assert await world.ask("word") == "one" and world.error("simple") == ""
        world.path("simple").rename(world.path("other"))
        await until(lambda: world.states() == {"other": "enabled"})
        world.path("other").unlink()
        await until(lambda: world.states() == {})

    play(scene, hot_reload=True, hot_reload_delay=0.01)


def test_it_logs_what_it_does(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "midflight.plugins")

    async def scene(world: World) -> None:
        await world.save(simple=SIMPLE)
        await world.save(simple=SIMPLE.replace('"one"', '"two"'))
        await world.save(simple="import nothing_of_that_name\n" + textwrap.dedent(SIMPLE))
        told = [(record.levelname, record.message) for record in caplog.records]
        assert ("INFO", "Reloading plugin simple") in told
        assert ("INFO", "Successfully reloaded simple") in told
        assert told[-1][0] == "ERROR" and told[-1][1].startswith(
            "Error reloading simple: plugin simple was not reloaded"
        )
        assert "ModuleNotFoundError" in told[-1][1]

    play(scene)


@pytest.mark.parametrize("broken", ["limit", "stopped"])
def test_without_a_native_watcher_there_is_a_warning_and_polling(
    play: Any, broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if broken == "limit":

        def refuse(*args: Any) -> Any:
            raise OSError(24, "Too many open files")

        monkeypatch.setattr("midflight.watch.inotify.Inotify.__init__", refuse)

    async def scene(world: World) -> None:
        assert world.manager.watcher is not None
        if broken == "stopped":
            # What reads from the kernel now finds no queue of file events there.
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, world.manager.watcher._watch._backend._fd)  # type: ignore[union-attr]
            os.close(nothing)
            world.manager.watcher._watch._backend.wake()  # type: ignore[union-attr]
        else:
            assert "Hot reload: All folders are polled" in caplog.text
        world.write(simple=SIMPLE)
        await until(lambda: world.states().get("simple") == "enabled")
        assert world.manager.watcher.status()["backend"] == "polling"
        world.write(simple=SIMPLE.replace('"one"', '"two"'))
        await until(lambda: world.manager.plugins["simple"].reloads == 1)
        assert await world.ask("word") == "two"
        assert "Hot reload: All folders are polled" in caplog.text

    play(scene, hot_reload=True, hot_reload_delay=0.01)


def test_a_reload_that_breaks_inside_does_not_end_the_watching(play: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(world: World) -> None:
        await world.save(simple=SIMPLE)
        handler = ReloadHandler(world.manager, debounce_delay=0.01)
        await handler.start()
        take = world.manager.take

        async def breaking(*args: Any, **kwargs: Any) -> Any:
            raise RuntimeError("of the host's own making")

        world.manager.take = breaking  # type: ignore[method-assign]
        handler.on_modified(event(world.path("simple")))
        await until(lambda: "of the host's own making" in caplog.text)
        assert "Error reloading simple.py" in caplog.text
        await until(lambda: handler.pending == [])
        world.manager.take = take  # type: ignore[method-assign]
        world.write(simple=SIMPLE.replace('"one"', '"two"'))
        handler.on_modified(event(world.path("simple")))
        await until(lambda: world.manager.plugins["simple"].reloads)
        await handler.stop()

    play(scene)


def test_a_watcher_can_be_stopped_and_started_while_plugins_run(play: Any) -> None:
    async def scene(world: World) -> None:
        world.write(simple=SIMPLE)
        await until(lambda: world.states() == {"simple": "enabled"})
        world.manager.stop_watching()
        world.write(simple=SIMPLE.replace('"one"', '"two"'))
        await asyncio.sleep(0.1)
        assert await world.ask("word") == "one"
        world.manager.start_watching()
        world.write(simple=SIMPLE.replace('"one"', '"three"'))
        await until(lambda: world.manager.plugins["simple"].reloads)
        assert await world.ask("word") == "three"

    play(scene, hot_reload=True, hot_reload_delay=0.01)
