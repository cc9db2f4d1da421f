"""A plugin's life: loaded, set up, called, taken down; and what its author forgot."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import pytest

from midflight.plugins import PluginError, PluginManager

from .conftest import DEADLINE_S, World, until

GREET = """
    async def setup(ctx):
        ctx.host.calls.append("setup")
        ctx.command("greet", greet)

    async def teardown(ctx):
        ctx.host.calls.append("teardown")

    async def greet(who):
        return f"hello {who}"
"""


def test_a_plugin_is_loaded_set_up_called_and_taken_down(play: Any) -> None:
    async def scene(world: World) -> World:
        world.write(greet=GREET)
        await world.manager.load_all()
        assert world.states() == {"greet": "enabled"}
        entry = world.manager.plugins["greet"]
        assert entry.module is not None and entry.error is None
        assert await world.ask("greet", "ada") == "hello ada"
        return world

    world = play(scene)
    assert world.called() == ["setup", "teardown"]
    assert world.manager.plugins == {}


def test_a_plugin_may_be_a_class_with_plain_methods(play: Any, folder: Path) -> None:
    (folder / "counter.py").write_text(
        "from midflight.plugins import Plugin\n"
        "class Counter(Plugin):\n"
        "    def __init__(self):\n"
        "        self.count = 0\n"
        "    def setup(self, ctx):\n"
        "        ctx.command('count', self.step)\n"
        "    def step(self):\n"
        "        self.count += 1\n"
        "        return self.count\n"
    )

    async def scene(world: World) -> None:
        assert [await world.ask("count") for _ in range(3)] == [1, 2, 3]

    play(scene)


EVERYTHING = """
    import asyncio

    async def setup(ctx):
        ctx.command("ping", lambda: "pong")
        ctx.listener("message", heard)
        ctx.middleware(shout)
        ctx.task(forever)
        ctx.task(forever())
        ctx.timer(0.001, tick)
        ctx.on_teardown(ctx.host.calls.append, "closed")

        @ctx.command("nested")
        async def nested():
            return "inside"

    ticks = []

    def tick():
        ticks.append(1)

    async def forever():
        await asyncio.Event().wait()

    def heard(text):
        ticks.append(text)

    async def shout(call, proceed):
        return (await proceed()).upper()
"""


def test_all_that_a_plugin_registered_goes_though_its_author_forgot(play: Any) -> None:
    async def scene(world: World) -> None:
        await world.save(everything=EVERYTHING)
        assert world.manager.commands == {"ping": "everything", "nested": "everything"}
        assert [await world.ask("ping"), await world.ask("nested")] == ["PONG", "INSIDE"]
        assert await world.manager.emit("message", "hi") == 1
        module = world.manager.plugins["everything"].module
        await until(lambda: 1 in module.ticks)
        assert "hi" in module.ticks
        tasks = asyncio.all_tasks()
        await world.manager.disable("everything")
        assert world.called() == ["closed"]
        assert (world.manager.commands, await world.manager.emit("message", "hi")) == ({}, 0)
        await until(lambda: len(asyncio.all_tasks()) == len(tasks) - 3)
        with pytest.raises(PluginError, match="no plugin has a command 'ping'"):
            await world.ask("ping")

    play(scene)


def test_what_a_plugin_put_into_its_host_by_hand_goes_too(play: Any) -> None:
    async def scene(world: World) -> None:
        await world.save(
            hands="""
            import functools

            class Handler:
                def on(self, text):
                    return text

            async def setup(ctx):
                ctx.host.handlers["ping"] = ping
                ctx.host.handlers["part"] = functools.partial(ping, 1)
                ctx.host.hooks.setdefault("message", []).append(Handler().on)

            def ping(*args):
                return "pong"
            """
        )
        own = world.bot.handlers["theirs"] = lambda: "stays"
        world.bot.hooks["message"].insert(0, own)
        await world.manager.disable("hands")
        assert world.bot.handlers == {"theirs": own}
        assert world.bot.hooks == {"message": [own]}

    play(scene)


def test_an_old_context_registers_nothing_any_more(play: Any) -> None:
    async def scene(world: World) -> None:
        await world.save(greet=GREET)
        ctx = world.manager.plugins["greet"].ctx
        assert ctx is not None
        await world.manager.disable("greet")
        with pytest.raises(PluginError, match="plugin greet: nothing can be registered any more"):
            ctx.command("late", lambda: None)

    play(scene)


def test_plugins_are_disabled_and_enabled_with_those_that_require_them(play: Any, folder: Path) -> None:
    for name in ("base", "user"):
        (folder / f"{name}.py").write_text(
            f"def setup(ctx):\n    ctx.host.calls.append('+{name}')\n"
            f"def teardown(ctx):\n    ctx.host.calls.append('-{name}')\n"
        )
    (folder / "base.py").rename(folder / "zbase.py")
    (folder / "user.toml").write_text('requires = ["zbase"]\n')

    async def scene(world: World) -> None:
        assert world.called() == ["+base", "+user"]
        await world.manager.disable("zbase")
        assert world.called() == ["-user", "-base"]
        assert world.states() == {"user": "waiting", "zbase": "disabled"}
        with pytest.raises(PluginError, match="plugin user waits for zbase, which is disabled"):
            await world.manager.enable("user")
        await world.manager.enable("zbase")
        assert world.called() == ["+base", "+user"]
        assert world.states() == {"user": "enabled", "zbase": "enabled"}
        await world.manager.enable("zbase")
        assert world.called() == []

    play(scene)


def test_order_follows_requires_after_and_imports_and_is_undone_backwards(play: Any, folder: Path) -> None:
    text = "def setup(ctx):\n    ctx.host.calls.append('+' + ctx.name)\ndef teardown(ctx):\n    ctx.host.calls.append('-' + ctx.name)\n"
    (folder / "a.py").write_text(f"from . import d\n{text}")
    (folder / "b.py").write_text(text)
    (folder / "b.toml").write_text('requires = ["c"]\n')
    (folder / "c.py").write_text(text)
    (folder / "c.toml").write_text('after = ["a", "not there"]\n')
    (folder / "d.py").write_text(text)

    async def scene(world: World) -> World:
        assert world.called() == ["+d", "+a", "+c", "+b"]
        return world

    world = play(scene)
    assert world.called() == ["-b", "-c", "-a", "-d"]


@pytest.mark.parametrize(
    "manifests, states, error",
    [
        (
            {"a": 'requires = ["b"]', "b": 'requires = ["c"]', "c": 'after = ["a"]'},
            {"a": "failed", "b": "failed", "c": "failed", "d": "enabled"},
            "plugin a was not loaded: it waits for itself, a → b → c → a",
        ),
        ({"a": 'requires = ["a"]'}, {"a": "failed", "d": "enabled"}, "a → a"),
        ({"a": 'requires = ["x"]', "b": 'requires = ["a"]'}, {"a": "waiting", "b": "waiting", "d": "enabled"}, "plugin a waits for x, which is not there"),
        ({"a": 'nam = "a"'}, {"a": "failed", "d": "enabled"}, "plugin a: .*a.toml has an unknown field 'nam'\n.*\n  Did you mean 'name'?"),
        ({"a": "requires = 3"}, {"a": "failed", "d": "enabled"}, "plugin a: .*requires is 3\n  It must be a list of plugin names"),
        ({"a": "version = [", "b": ""}, {"a": "failed", "b": "enabled", "d": "enabled"}, "plugin a: .*a.toml cannot be read"),
        ({"a": '[config.n]\ntype = "word"'}, {"a": "failed", "d": "enabled"}, "plugin a: .*config.n has type 'word'\n  type must be one of string"),
        ({"a": '[config.n]\ntype = "integer"\ndefault = "x"'}, {"a": "failed", "d": "enabled"}, "config.n: its default is 'x'\n  It must be of type integer"),
        ({"a": '[config]\nn = 3'}, {"a": "failed", "d": "enabled"}, "config.n is 3"),
        ({"a": '[config.n]\ntype = "integer"\nrequired = true'}, {"a": "failed", "d": "enabled"}, "plugin a has no value for 'n'"),
        ({"a": '[config.n]\ntype = "string"\ndefaul = ""'}, {"a": "failed", "d": "enabled"}, "unknown field 'defaul'"),
        ({"a": 'name = "d"'}, {"a.py": "enabled", "d": "enabled"}, ""),
    ],
)  # fmt: skip
def test_a_manifest_that_cannot_be_met_stops_only_its_own_plugin(
    play: Any, folder: Path, manifests: dict[str, str], states: dict[str, str], error: str
) -> None:
    for name in {*manifests, "d"}:
        (folder / f"{name}.py").write_text(f"def setup(ctx):\n    ctx.command({name!r}, lambda: {name!r})\n")
    for name, text in manifests.items():
        (folder / f"{name}.toml").write_text(text)

    async def scene(world: World) -> None:
        if error:
            assert world.states() == states
            assert re.search(error, world.error("a")), world.error("a")
            assert await world.ask("d") == "d"
        else:
            assert sorted(world.states().values()) == ["enabled", "failed"]
            failed = next(e for e in world.manager.plugins.values() if e.state == "failed")
            assert "'d' is the name of" in (failed.error or "")

    play(scene)


def test_options_come_from_the_manager_and_defaults_from_the_manifest(play: Any, folder: Path) -> None:
    (folder / "a.py").write_text("def setup(ctx):\n    ctx.command('config', lambda: ctx.config)\n")
    (folder / "a.toml").write_text('[config]\nword = {type = "string", default = "hi"}\nlimit = {type = "integer"}\n')

    async def scene(world: World) -> None:
        assert await world.ask("config") == {"word": "hi", "limit": 3}

    play(scene, config={"a": {"limit": 3}})


def test_options_that_the_manifest_does_not_know_are_named(play: Any, folder: Path) -> None:
    (folder / "a.py").write_text("def setup(ctx):\n    pass\n")

    async def scene(world: World) -> None:
        assert world.states() == {"a": "failed"}
        assert "plugin a: its configuration has an unknown option 'limit'" in world.error("a")

    play(scene, config={"a": {"limit": 3}})


@pytest.mark.parametrize(
    "text, error",
    [
        ("def setup(ctx):\n    1 / 0\n", "plugin bad: setup raised ZeroDivisionError: division by zero"),
        ("1 / 0\n", "its code raised ZeroDivisionError: division by zero"),
        ("def setup(ctx:\n", "SyntaxError: '(' was never closed"),
        ("raise SystemExit(3)\n", "its code raised SystemExit: 3"),
        ("import nowhere_at_all\n", "its code raised ModuleNotFoundError"),
        ("x = 1\n", "plugin bad has no setup"),
        ("async def setup(ctx):\n    ctx.command('good', print)\n", "plugin bad cannot have the command 'good': plugin agood has it"),
        ("import asyncio\nasync def setup(ctx):\n    await asyncio.sleep(999)\n", "plugin bad: setup did not end within 0.2 s"),
        ("from midflight.plugins import Plugin\nclass A(Plugin): ...\nclass B(Plugin): ...\n", "plugin bad has several Plugin classes: A, B"),
        ("async def setup(ctx):\n    ctx.plugin('nobody')\n", "plugin bad asked for nobody, which is not there"),
    ],
)  # fmt: skip
def test_a_plugin_that_cannot_start_says_why_and_leaves_nothing_behind(
    play: Any, folder: Path, text: str, error: str
) -> None:
    (folder / "agood.py").write_text("def setup(ctx):\n    ctx.command('good', lambda: 'fine')\n")
    (folder / "bad.py").write_text(text)

    async def scene(world: World) -> None:
        assert world.states() == {"agood": "enabled", "bad": "failed"}
        assert error in world.error("bad")
        assert world.manager.plugins["bad"].module is None
        assert world.manager.plugins["bad"].traceback
        assert world.manager.commands == {"good": "agood"}
        assert await world.ask("good") == "fine"
        assert world.manager.reports[-1].outcome == "rolled back"
        await world.save(bad="def setup(ctx):\n    ctx.command('mended', lambda: 'now')\n")
        assert world.states() == {"agood": "enabled", "bad": "enabled"} and world.error("bad") == ""
        assert await world.ask("mended") == "now"

    play(scene, deadline_s=0.2)


@pytest.mark.parametrize(
    "teardown, error",
    [
        ("raise KeyError('x')", "plugin bad: teardown raised KeyError: 'x'"),
        ("await asyncio.sleep(999)", "plugin bad: teardown did not end within 0.2 s"),
    ],
)
def test_a_plugin_whose_teardown_fails_goes_all_the_same(play: Any, folder: Path, teardown: str, error: str) -> None:
    (folder / "good.py").write_text("def setup(ctx):\n    ctx.command('good', lambda: 'fine')\n")
    (folder / "bad.py").write_text(
        f"import asyncio\nasync def setup(ctx):\n    ctx.command('bad', print)\nasync def teardown(ctx):\n    {teardown}\n"
    )

    async def scene(world: World) -> None:
        with pytest.raises(PluginError, match=error):
            await world.manager.disable("bad")
        assert world.states() == {"bad": "disabled", "good": "enabled"}
        assert error in world.error("bad") and world.manager.commands == {"good": "good"}
        assert await world.ask("good") == "fine"

    play(scene, deadline_s=0.2)


BLOCKS = """
import time
def wait(until):
    while not until():
        time.sleep(0.01)
{kind} setup(ctx):
    ctx.command('blocks', lambda: 'set up')
    wait(ctx.host.seen)
"""


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_a_step_that_blocks_the_loop_is_named_with_its_line_while_it_hangs_and_fails_then(
    play: Any, folder: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    (folder / "good.py").write_text("def setup(ctx):\n    ctx.command('good', lambda: 'fine')\n")

    def seen() -> bool:
        return "blocked the event loop" in caplog.text

    async def scene(world: World) -> None:
        ends = time.monotonic() + DEADLINE_S
        world.bot.seen = lambda: seen() or time.monotonic() > ends  # type: ignore[attr-defined]
        report = (await world.save(bad=BLOCKS.format(kind=kind)))[-1]
        assert seen(), "it was told while it hung, and only then did it end"
        assert "plugin bad: setup blocked the event loop for more than 0.2 s, at bad.py:5 in wait" in caplog.text
        assert "wait(ctx.host.seen)" in caplog.text, "the lines that lead there"
        assert (report.outcome, report.problems[0].code, report.problems[0].line) == ("rolled back", "MF071", 5)
        assert "bad: setup blocked the event loop" in world.error("bad")
        assert world.states() == {"bad": "failed", "good": "enabled"} and world.manager.commands == {"good": "good"}

    play(scene, deadline_s=0.2)


def test_a_step_that_waits_is_not_said_to_block(
    play: Any, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midflight.plugins.blocked.ANSWER_S", DEADLINE_S)
    (folder / "bad.py").write_text("import asyncio\nasync def setup(ctx):\n    await asyncio.sleep(999)\n")

    async def scene(world: World) -> None:
        assert world.error("bad") == "plugin bad: setup did not end within 0.2 s"
        assert "blocked" not in caplog.text

    play(scene, deadline_s=0.2)


def test_files_of_one_name_packages_and_helpers_do_not_meet(play: Any, folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        package = folder / name
        package.mkdir()
        (package / "__init__.py").write_text(
            f"from . import helper\nfrom .helper import NAME\ndef setup(ctx):\n    ctx.command({name!r}, lambda: (NAME, helper.__name__))\n"
        )
        (package / "helper.py").write_text(f"NAME = 'helper of {name}'\n")
    (folder / "_shared.py").write_text("NAME = 'shared'\n")
    (folder / "three.py").write_text(
        "from ._shared import NAME\ndef setup(ctx):\n    ctx.command('three', lambda: NAME)\n"
    )

    async def scene(world: World) -> None:
        (name, module), (other, second) = await world.ask("one"), await world.ask("two")
        assert (name, other) == ("helper of one", "helper of two") and module != second
        assert await world.ask("three") == "shared"
        twin = tmp_path / "twin" / "plugins"
        twin.mkdir(parents=True)
        (twin / "three.py").write_text("def setup(ctx):\n    ctx.command('three', lambda: 'another')\n")
        other_manager = PluginManager(world.bot, twin, entry_points=False)
        await other_manager.load_all()
        assert await other_manager.run_command("three") == "another"
        assert await world.ask("three") == "shared"
        await other_manager.unload_all()

    play(scene)


def test_a_plugin_asks_for_another_ones_module(play: Any, folder: Path) -> None:
    (folder / "base.py").write_text("value = 7\ndef setup(ctx):\n    pass\n")
    (folder / "user.py").write_text("def setup(ctx):\n    ctx.command('value', lambda: ctx.plugin('base').value)\n")
    (folder / "user.toml").write_text('requires = ["base"]\n')

    async def scene(world: World) -> None:
        assert await world.ask("value") == 7
        await world.manager.disable("base")
        assert world.states()["user"] == "waiting"

    play(scene)


def test_a_setup_cannot_ask_its_manager_for_another_operation(play: Any, folder: Path) -> None:
    (folder / "greedy.py").write_text("async def setup(ctx):\n    await ctx.host.manager.unload_all()\n")

    async def scene(world: World) -> None:
        world.bot.manager = world.manager  # type: ignore[attr-defined]
        assert world.states() == {"greedy": "failed"}
        with pytest.raises(PluginError, match="plugin greedy: setup raised PluginError: nothing was done"):
            await world.manager.enable("greedy")

    play(scene)


def test_status_tells_what_stands(play: Any, folder: Path) -> None:
    (folder / "one.py").write_text("__version__ = '1.2'\ndef setup(ctx):\n    ctx.command('one', print)\n")

    async def scene(world: World) -> None:
        assert world.manager.status() == [
            {
                "name": "one", "state": "enabled", "version": "1.2", "error": None, "path": str(folder / "one.py"),
                "requires": [], "reloads": 0, "commands": ["one"], "listeners": [], "middleware": 0, "tasks": 0,
                "timers": 0,
            }
        ]  # fmt: skip
        assert str(world.manager.plugins["one"]) == "one 1.2: enabled"
        assert "1 of 1 plugins enabled" in repr(world.manager)

    play(scene)


def test_a_plugin_that_is_not_there_is_an_error_that_names_those_that_are(play: Any, folder: Path) -> None:
    (folder / "one.py").write_text("def setup(ctx):\n    pass\n")

    async def scene(world: World) -> None:
        for operation in (world.manager.reload, world.manager.enable, world.manager.disable):
            with pytest.raises(PluginError, match=r"there is no plugin 'two'\n  There are: one\."):
                await operation("two")

    play(scene)


def test_a_listener_timer_or_task_that_raises_harms_nobody_else(
    play: Any, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "bad.py").write_text(
        "async def setup(ctx):\n    ctx.listener('message', hear)\n    ctx.timer(0.001, hear, 'tick')\n    ctx.task(work)\n"
        "def hear(text):\n    raise ValueError(text)\nasync def work():\n    raise OSError('work')\n"
    )
    (folder / "good.py").write_text("heard = []\ndef setup(ctx):\n    ctx.listener('message', heard.append)\n")

    async def scene(world: World) -> None:
        await until(lambda: "plugin bad: its timer hear raised ValueError: tick" in world.error("bad"))
        assert await world.manager.emit("message", "hi") == 2
        assert "plugin bad: its listener for 'message' raised ValueError: hi" in caplog.text
        assert "plugin bad: its task plugin bad: work raised OSError: work" in caplog.text
        assert world.manager.plugins["good"].module.heard == ["hi"]
        assert world.states() == {"bad": "enabled", "good": "enabled"}

    play(scene)
