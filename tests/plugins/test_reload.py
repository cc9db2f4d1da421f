"""A save of a plugin: grafted, or torn down and set up again; all of it or none, and nobody else is touched."""

from __future__ import annotations

import asyncio
import gc
import logging
import types
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from midflight import session as session_module
from midflight.plugins import PluginError
from midflight.values import Report

from .conftest import World, until

SEEN = """
    seen = []
    limit = 3

    async def setup(ctx):
        ctx.host.calls.append("setup")
        ctx.command("see", see)

    async def teardown(ctx):
        ctx.host.calls.append("teardown")

    def see(word):
        seen.append(word)
        return len(seen)
"""


def outcomes(reports: list[Report]) -> list[str]:
    return [report.outcome for report in reports]


@pytest.mark.parametrize(
    "old, new",
    [
        ("return len(seen)", "return len(seen) * 100"),
        ("    seen.append(word)", "    import math\n        seen.append(math.floor(1.5))"),
        ("seen = []", "# a comment\n    seen = []"),
        ("    seen = []", "    import json\n    seen = []"),
        ('ctx.host.calls.append("teardown")', "ctx.host.calls.append('another')"),
    ],
)
def test_a_body_edit_is_grafted_without_teardown(play: Any, old: str, new: str) -> None:
    async def scene(world: World) -> None:
        await world.save(seen=SEEN)
        await world.ask("see", "a")
        held = world.manager.plugins["seen"].module.see
        assert world.called() == ["setup"]
        assert outcomes(await world.save(seen=SEEN.replace(old, new))) == ["committed"]
        assert world.called() == []
        assert world.manager.plugins["seen"].module.see is held
        assert await world.ask("see", "b") == (200 if "* 100" in new else 2)

    play(scene)


@pytest.mark.parametrize(
    "old, new",
    [
        ("limit = 3", "limit = 4"),
        ('ctx.command("see", see)', 'ctx.command("see", see)\n        ctx.command("more", see)'),
        ("    def see(word):", "    def other():\n        pass\n\n    def see(word):"),
        ("def see(word):", "def see(word='x'):"),
        ("    limit = 3\n", ""),
    ],
)
def test_a_shape_edit_tears_down_and_sets_up_again_and_the_state_stays(play: Any, old: str, new: str) -> None:
    async def scene(world: World) -> None:
        await world.save(seen=SEEN)
        await world.ask("see", "a")
        world.called()
        assert outcomes(await world.save(seen=SEEN.replace(old, new))) == ["committed"]
        assert world.called() == ["teardown", "setup"]
        assert await world.ask("see", "b") == 2
        assert ("more" in world.manager.commands) == ("more" in new)
        assert world.manager.plugins["seen"].reloads == 1

    play(scene)


def test_what_setup_calls_counts_as_setup_and_what_it_registers_does_not(play: Any) -> None:
    text = """
        async def setup(ctx):
            connect(ctx)

            @ctx.command("ask")
            async def ask():
                return "one"

        def connect(ctx):
            ctx.host.calls.append("connected to a")
    """

    async def scene(world: World) -> None:
        await world.save(link=text)
        world.called()
        await world.save(link=text.replace('"one"', '"two"'))
        assert (world.called(), await world.ask("ask")) == ([], "two")
        await world.save(link=text.replace('"one"', '"two"').replace("to a", "to b"))
        assert world.called() == ["connected to b"]

    play(scene)


HANDS_OVER = """
    async def setup(ctx):
        ctx.host.calls.append("setup")
        ctx.value = 0
        ctx.command("step", lambda: step(ctx))

    async def teardown(ctx):
        ctx.host.calls.append("teardown")

    async def before_reload(ctx):
        ctx.host.calls.append("before_reload")
        return {"value": ctx.value}

    async def after_reload(ctx, state):
        ctx.host.calls.append("after_reload")
        ctx.value = state["value"]

    def step(ctx):
        ctx.value += 1
        return ctx.value
"""


def test_before_reload_hands_its_state_to_after_reload(play: Any) -> None:
    async def scene(world: World) -> None:
        await world.save(hands=HANDS_OVER)
        assert await world.ask("step") == 1
        world.called()
        await world.save(hands=HANDS_OVER + "\n    added = 1\n")
        assert world.called() == ["before_reload", "teardown", "setup", "after_reload"]
        assert await world.ask("step") == 2

    play(scene)


@pytest.mark.parametrize(
    "old, new, error",
    [
        ('ctx.value = state["value"]', "1 / 0", "after_reload raised ZeroDivisionError"),
        (
            'ctx.value = state["value"]',
            "import asyncio; await asyncio.sleep(99)",
            "after_reload did not end within 0.2 s",
        ),
        ('return {"value": ctx.value}', "return {}", "after_reload raised KeyError: 'value'"),
        ('return {"value": ctx.value}', "raise OSError('before')", "before_reload raised OSError: before"),
    ],
)
def test_a_handing_over_that_fails_is_taken_back_with_the_state(play: Any, old: str, new: str, error: str) -> None:
    async def scene(world: World) -> None:
        await world.save(hands=HANDS_OVER)
        assert [await world.ask("step"), await world.ask("step")] == [1, 2]
        broken = HANDS_OVER.replace(old, new)
        if "before_reload" in error or "KeyError" in error:
            await world.save(hands=broken)  # a body edit: the next save meets it
        assert outcomes(await world.save(hands=broken + "\n    added = 1\n")) == ["rolled back"]
        assert f"plugin hands: {error}" in world.error("hands")
        if "KeyError" in error:
            # The old version does not take its own either, and runs all the same.
            assert world.states() == {"hands": "enabled"} and await world.ask("step") == 1
            return
        assert await world.ask("step") == 3
        assert outcomes(await world.save(hands=HANDS_OVER))[0] in ("committed", "unchanged")
        assert await world.ask("step") == 4 and world.error("hands") == ""

    play(scene, deadline_s=0.2)


def test_where_nothing_was_handed_over_nothing_is_taken(play: Any) -> None:
    async def scene(world: World) -> None:
        await world.save(hands=HANDS_OVER.replace("before_reload", "not_yet"))
        world.called()
        await world.save(hands=HANDS_OVER)
        assert world.called() == ["teardown", "setup"]

    play(scene)


CLASS = """
    from midflight.plugins import Plugin

    class Counter(Plugin):
        def __init__(self):
            self.count = 0

        async def setup(self, ctx):
            ctx.command("count", self.step)

        def step(self):
            self.count += 1
            return self.count
"""


@pytest.mark.parametrize(
    "old, new",
    [
        ("return self.count", "return -self.count"),
        ("        def step", "        limit = 5\n\n        def step"),
        ("self.count = 0", "self.count = 0\n            self.names = []"),
    ],
)
def test_an_instance_lives_on_and_is_patched(play: Any, old: str, new: str) -> None:
    async def scene(world: World) -> None:
        await world.save(counter=CLASS)
        await world.ask("count")
        instance = world.manager.plugins["counter"].instance
        await world.save(counter=CLASS.replace(old, new))
        assert world.manager.plugins["counter"].instance is instance
        assert await world.ask("count") == (-2 if "-self" in new else 2)
        assert hasattr(instance, "names") == ("names" in new)

    play(scene)


NEW_COMMAND = 'ctx.command("see", see)', 'ctx.command("see", see)\n        ctx.command("more", see)'


@pytest.mark.parametrize(
    "edit, outcome, error",
    [
        ([NEW_COMMAND, ("def see", "def see(")], "refused", "SyntaxError"),
        ([NEW_COMMAND, ("limit = 3", "limit = 1 / 0")], "rolled back", "ZeroDivisionError"),
        ([NEW_COMMAND, ("limit = 3", "import nowhere_at_all")], "rolled back", "ModuleNotFoundError"),
        ([NEW_COMMAND, ("limit = 3", "raise SystemExit(1)")], "rolled back", "SystemExit"),
        ([NEW_COMMAND, ('ctx.host.calls.append("setup")', "raise SystemExit(3)")], "rolled back", "plugin seen: setup raised Exited: SystemExit: 3"),
        ([NEW_COMMAND, ('ctx.host.calls.append("setup")', "1 / 0")], "rolled back", "plugin seen: setup raised ZeroDivisionError"),
        ([NEW_COMMAND, ('ctx.host.calls.append("setup")', "import asyncio; await asyncio.sleep(99)")], "rolled back", "plugin seen: setup did not end within 0.2 s"),
        ([('ctx.command("see", see)', 'ctx.command("taken", see)')], "rolled back", "plugin seen cannot have the command 'taken': plugin other has it"),
        ([("async def setup", "async def set_up")], "rolled back", "plugin seen has no setup"),
        ([NEW_COMMAND, ("limit = 3", "from midflight import health_check\n\n    @health_check\n    def well():\n        return False")], "rolled back", "health check"),
        ([NEW_COMMAND, ("limit = 3", "async def after_reload(ctx, state):\n        1 / 0\n\n    def before_reload(ctx):\n        return 1")], "committed", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("forgetful", [True, False], ids=["no teardown", "teardown"])
def test_after_a_failure_the_old_plugin_runs_with_its_registrations_and_its_state(
    play: Any, edit: list[tuple[str, str]], outcome: str, error: str, forgetful: bool
) -> None:
    text = SEEN.replace("async def teardown", "async def unused") if forgetful else SEEN
    broken = text
    for old, new in edit:
        broken = broken.replace(old, new)

    async def scene(world: World) -> None:
        await world.save(other="def setup(ctx):\n    ctx.command('taken', lambda: 'mine')\n")
        await world.save(seen=text)
        await world.ask("see", "a")
        module = world.manager.plugins["seen"].module
        before = dict(vars(module))
        reports = await world.save(seen=broken)
        assert outcomes(reports) == [outcome]
        if outcome == "committed":
            return
        assert error in world.error("seen") and "plugin seen" in world.error("seen")
        assert world.states() == {"other": "enabled", "seen": "enabled"}
        assert world.manager.plugins["seen"].module is module and dict(vars(module)) == before
        assert world.manager.commands == {"see": "seen", "taken": "other"}
        assert [await world.ask("see", "b"), await world.ask("taken")] == [2, "mine"]
        # Later saves still count: the same mended, and a body edit.
        assert outcomes(await world.save(seen=text.replace(*NEW_COMMAND))) == ["committed"]
        assert world.error("seen") == "" and await world.ask("more", "c") == 3

    play(scene, deadline_s=0.2)


STATEFUL = """
    import asyncio

    class Connection:
        closed = False

    count = 0
    names = {}
    port = 0
    connection = None
    opened = []

    async def setup(ctx):
        global connection, count, port
        connection = Connection()
        opened.append(connection)
        count = 0
        names.clear()
        port = 1000 + len(opened)
        ctx.command("step", step)
        ctx.task(background)

    async def teardown(ctx):
        global count
        connection.closed = True
        count = -1
        names.clear()

    def step():
        global count
        count += 1
        names[str(count)] = [count]
        return count, dict(names), connection.closed

    async def background():
        await asyncio.Event().wait()
"""


def test_a_plugin_that_was_torn_down_comes_back_with_its_data_and_a_new_connection(play: Any) -> None:
    async def scene(world: World) -> None:
        await world.save(stateful=STATEFUL)
        await world.ask("step")
        names, connection = (getattr(world.manager.plugins["stateful"].module, n) for n in ("names", "connection"))
        broken = STATEFUL.replace('ctx.command("step", step)', 'ctx.command("step", step)\n        1 / 0')
        assert outcomes(await world.save(stateful=broken)) == ["rolled back"]
        module = world.manager.plugins["stateful"].module
        assert await world.ask("step") == (2, {"1": [1], "2": [2]}, False)
        assert module.names is names and module.connection is not connection
        assert module.port > 1001, "what a new connection gives is no old state"
        assert len(world.manager.plugins["stateful"].ctx.record.tasks) == 1

    play(scene)


def test_tasks_and_timers_of_a_plugin_without_teardown_go_on_after_a_failure(play: Any) -> None:
    text = """
        import asyncio
        ticks, begun = [], []

        async def setup(ctx):
            ctx.timer(0.001, tick)
            ctx.task(work)

        def tick():
            ticks.append(1)

        async def work():
            begun.append(1)
            await asyncio.Event().wait()
    """

    async def scene(world: World) -> None:
        await world.save(busy=text)
        module = world.manager.plugins["busy"].module
        await until(lambda: module.ticks and module.begun == [1])
        await world.save(busy=text.replace("ctx.task(work)", "ctx.task(work)\n            1 / 0"))
        module.ticks.clear()
        module.begun[:] = module.begun[:2]
        await until(lambda: module.ticks and module.begun[-2:] == [1, 1])
        await world.save(busy=text.replace("ctx.task(work)", "ctx.task(work)\n            ctx.command('x', tick)"))
        await until(lambda: len(module.begun) >= 3)
        assert (
            len([t for t in asyncio.all_tasks() if t.get_name().startswith("plugin busy") and not t.cancelling()]) == 2
        )

    play(scene)


BOUNDED = ("midflight.values", "midflight.store")


def live_objects() -> dict[str, int]:
    """What a version of a plugin is made of, and what midflight keeps of it but what something else bounds: reports by
    the history, a version's window by its time. What the store's thread is about would be counted too."""
    for session in session_module._running:
        session._records.keeper.save()
    gc.collect()
    counts: Counter[str] = Counter()
    for item in gc.get_objects():
        kind = type(item)
        if isinstance(item, (types.FunctionType, types.CellType, types.FrameType, type, asyncio.Task)):
            counts[kind.__name__] += 1
        elif kind.__module__.startswith("midflight.") and not kind.__module__.startswith(BOUNDED):
            counts[f"{kind.__module__}.{kind.__name__}"] += 1
    return dict(counts)


def test_rounds_of_good_and_broken_edits_leave_as_many_objects_as_the_one_before(
    play: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "midflight.plugins")  # else the captured log would hold every error
    text = """
        import asyncio

        async def setup(ctx):
            ctx.command("see", see)
            ctx.task(asyncio.Event().wait)
            ctx.timer(60, see, 1)

        def before_reload(ctx):
            return {n}

        def after_reload(ctx, state):
            assert state

        def see(word):
            return {n}
    """
    broken = ["def broken(:", "added = 1 / 0", "import nowhere_at_all", "async def teardown(ctx): raise KeyError"]

    async def a_round(world: World, number: int) -> None:
        await world.save(seen=text.format(n=number) + f"\n        def added_{number}():\n            pass\n")
        assert await world.ask("see", 1) == number
        for line in broken:
            await world.save(seen=text.format(n=number) + f"\n        x = 1\n        {line}\n")
        await world.save(more=f"def setup(ctx):\n    ctx.command('more', lambda: {number})\n")
        assert await world.ask("more") == number
        await world.delete("more")

    async def scene(world: World) -> None:
        for number in range(1, 4):
            await a_round(world, number)
        before = live_objects()
        for number in range(4, 8):
            await a_round(world, number)
        after = live_objects()
        assert {name: (before.get(name, 0), many) for name, many in after.items() if many > before.get(name, 0)} == {}

    play(scene)


@pytest.mark.parametrize("step", ["teardown", "before_reload"])
@pytest.mark.parametrize(
    "body, error", [("raise KeyError('x')", "raised KeyError: 'x'"), ("await asyncio.sleep(99)", "did not end within 0.2 s")]
)  # fmt: skip
@pytest.mark.parametrize("mend", ["mended", "taken away"])
def test_a_last_step_that_fails_stops_the_reload_unless_the_edit_mends_it(
    play: Any, step: str, body: str, error: str, mend: str
) -> None:
    failing = f"""
        async def {step}(ctx):
            {body}
    """
    text = f"""
        import asyncio
        seen = []

        async def setup(ctx):
            ctx.command("see", see)
        {failing}
        def see(word):
            seen.append(word)
            return len(seen)
    """

    async def scene(world: World) -> None:
        await world.save(seen=text)
        await world.ask("see", "a")
        assert outcomes(await world.save(seen=text + "\n        added = 1\n")) == ["rolled back"]
        assert f"plugin seen: {step} {error}" in world.error("seen")
        assert await world.ask("see", "b") == 2
        mended = text.replace(body, "pass") if mend == "mended" else text.replace(failing, "")
        assert outcomes(await world.save(seen=mended + "\n        added = 1\n")) == ["committed"]
        assert await world.ask("see", "c") == 3 and world.error("seen") == ""

    play(scene, deadline_s=0.2)


def test_dependents_cascade_in_order_and_come_back_when_the_cascade_fails(play: Any, folder: Path) -> None:
    text = """
        async def setup(ctx):
            ctx.host.calls.append("+" + ctx.name)

        async def teardown(ctx):
            ctx.host.calls.append("-" + ctx.name)
    """

    async def scene(world: World) -> None:
        await world.save(
            zbase=text, mid=text, user="from . import zbase\n" + text.replace("\n        ", "\n"), other=text
        )
        world.write(mid_toml='requires = ["zbase"]\n')
        await world.manager.take([folder / "mid.toml"])
        world.called()
        await world.save(zbase=text + "\n        added = 1\n")
        assert world.called() == ["-user", "-mid", "-zbase", "+zbase", "+mid", "+user"]
        await world.save(
            zbase=text.replace('ctx.host.calls.append("+" + ctx.name)', "ctx.host.calls.append('x')\n            1 / 0")
        )
        assert world.called() == ["-user", "-mid", "-zbase", "x", "+zbase", "+mid", "+user"]
        assert set(world.states().values()) == {"enabled"}
        assert "plugin mid was not reloaded; its old version is running: " in world.error("mid")
        assert world.error("other") == ""
        await world.save(zbase=text)
        assert world.called() == ["-user", "-mid", "-zbase", "+zbase", "+mid", "+user"]
        assert not any(world.error(name) for name in world.states())

    play(scene)


def test_a_helper_is_one_with_all_plugins_that_use_it(play: Any) -> None:
    helper = """
        GREETING = "hello"

        def greeting(who):
            return f"{GREETING} {who}"
    """
    user = """
        from ._words import greeting

        async def setup(ctx):
            ctx.host.calls.append("+" + ctx.name)
            ctx.command(ctx.name, greeting)
    """

    async def scene(world: World) -> None:
        world.write(_words=helper)
        await world.save(one=user, two=user, other="def setup(ctx):\n    ctx.host.calls.append('+other')\n")
        world.called()
        await world.save(_words=helper.replace('"hello"', '"good day"'))
        assert await world.ask("one", "ada") == "good day ada"
        assert world.called() == []
        assert outcomes(
            await world.save(_words=helper.replace("def greeting", "def greet"), one=user.replace("greeting", "greet"))
        ) == ["committed"]
        assert await world.ask("one", "ada") == "hello ada"
        assert await world.ask("two", "ada") == "hello ada"

    play(scene)


def test_a_plugin_and_its_helper_that_are_saved_one_after_the_other_meet(play: Any) -> None:
    async def scene(world: World) -> None:
        await world.save(one="def setup(ctx):\n    ctx.command('one', lambda: 1)\n")
        assert outcomes(
            await world.save(one="from ._late import TWO\ndef setup(ctx):\n    ctx.command('one', lambda: TWO)\n")
        ) == ["rolled back"]
        assert await world.ask("one") == 1
        assert outcomes(await world.save(_late="TWO = 2\n"))[-1] == "committed"
        assert await world.ask("one") == 2 and world.error("one") == ""

    play(scene)


def test_a_plugin_that_fails_never_touches_another_one_saved_with_it(play: Any) -> None:
    async def scene(world: World) -> None:
        text = "n = 0\ndef setup(ctx):\n    ctx.command(ctx.name, lambda: n)\n"
        await world.save(one=text, two=text, three=text)
        reports = await world.save(
            one="n = (\n", two=text.replace("n = 0", "n = 2"), three=text.replace("n = 0", "n = 1 / 0")
        )
        assert sorted(outcomes(reports)) == ["committed", "refused", "rolled back"]
        assert [await world.ask(name) for name in ("one", "two", "three")] == [0, 2, 0]
        assert (world.error("two"), bool(world.error("one")), bool(world.error("three"))) == ("", True, True)

    play(scene)


def test_what_others_do_while_a_plugin_is_set_up_survives_its_failure(play: Any) -> None:
    slow = """
        import asyncio
        table = {}

        async def setup(ctx):
            ctx.command("slow", lambda: len(table))
    """

    async def scene(world: World) -> None:
        await world.save(
            counts="seen = {}\nclass Box:\n    n = 0\ndef setup(ctx):\n    ctx.command('count', count)\ndef count():\n    seen[len(seen)] = 1\n    Box.n += 1\n    return len(seen), Box.n\n"
        )
        await world.save(slow=slow)
        await world.ask("count")
        broken = slow.replace("table = {}", "table = dict(a=1)").replace(
            "ctx.command(", "await ctx.host.asked.wait()\n            1 / 0\n            ctx.command("
        )
        world.bot.asked = asyncio.Event()  # type: ignore[attr-defined]
        saving = asyncio.ensure_future(world.save(slow=broken))
        await until(
            lambda: world.manager.plugins["slow"].state == "reloading" and world.manager._attached.session.is_held()
        )
        assert await world.ask("count") == (2, 2)
        import colorsys  # somebody else's import in the meantime

        world.bot.asked.set()  # type: ignore[attr-defined]
        assert outcomes(await saving) == ["rolled back"]
        assert await world.ask("count") == (3, 3)
        assert await world.ask("slow") == 0
        assert __import__("sys").modules["colorsys"] is colorsys

    play(scene)


@pytest.mark.parametrize(
    "teardown", ["", "\n        async def teardown(ctx):\n            pass\n"], ids=["", "teardown"]
)
def test_calls_wait_while_a_plugin_is_reloaded_and_are_answered_by_whoever_runs_then(play: Any, teardown: str) -> None:
    text = (
        teardown
        + """
        import asyncio

        async def setup(ctx):
            await asyncio.sleep(0.01)
            if hasattr(ctx.host, "go"):
                await ctx.host.go.wait()
                assert not ctx.host.fail or not ctx.host.calls.append("once") and ctx.host.calls.count("once") > 1
            ctx.command("ask", ask)
            ctx.listener("message", ctx.host.calls.append)

        async def ask():
            return "old"
    """
    )

    async def scene(world: World) -> None:
        await world.save(slow=text)
        for fail, answer in ((True, "old"), (False, "new")):
            world.bot.go, world.bot.fail = asyncio.Event(), fail  # type: ignore[attr-defined]
            saving = asyncio.ensure_future(world.save(slow=text.replace('"old"', '"new"') + "\n        added = 1\n"))
            await until(lambda: world.manager.plugins["slow"].state == "reloading")
            asking = asyncio.ensure_future(world.ask("ask"))
            telling = asyncio.ensure_future(world.manager.emit("message", answer))
            await asyncio.sleep(0.02)
            assert not asking.done() and not telling.done()
            world.bot.go.set()  # type: ignore[attr-defined]
            await saving
            assert await asking == answer and await telling == 1
            assert [call for call in world.called() if call != "once"] == [answer]

    play(scene)


def test_a_reload_waits_for_calls_that_are_running(play: Any) -> None:
    text = """
        open_ = True

        async def setup(ctx):
            ctx.command("slow", lambda: slow(ctx))

        async def teardown(ctx):
            global open_
            open_ = False

        async def slow(ctx):
            await ctx.host.go.wait()
            return open_
    """

    async def scene(world: World) -> None:
        world.bot.go = asyncio.Event()  # type: ignore[attr-defined]
        await world.save(slow=text)
        asking = asyncio.ensure_future(world.ask("slow"))
        await asyncio.sleep(0.01)
        saving = asyncio.ensure_future(world.save(slow=text + "\n        added = 1\n"))
        await asyncio.sleep(0.05)
        world.bot.go.set()  # type: ignore[attr-defined]
        assert await asking is True
        assert outcomes(await saving) == ["committed"]

    play(scene)


def test_a_command_may_reload_its_own_plugin(play: Any, folder: Path) -> None:
    text = """
        async def setup(ctx):
            ctx.command("again", lambda: again(ctx))
            ctx.command("version", lambda: 1)

        async def again(ctx):
            return (await ctx.host.manager.reload("admin")).outcome
    """

    async def scene(world: World) -> None:
        world.bot.manager = world.manager  # type: ignore[attr-defined]
        await world.save(admin=text)
        world.write(admin=text.replace("lambda: 1", "lambda: 2") + "\n        added = 1\n")
        assert await world.ask("again") == "committed"
        assert await world.ask("version") == 2
        assert await world.ask("again") == "unchanged"

    play(scene)


def test_a_task_may_reload_its_own_plugin_and_is_ended_by_it(play: Any) -> None:
    text = """
        async def setup(ctx):
            ctx.host.calls.append("setup")
            if not ctx.host.handlers:
                ctx.task(again, ctx)

        async def again(ctx):
            ctx.host.handlers["once"] = None
            ctx.host.change()
            await ctx.host.manager.reload("admin")
            ctx.host.calls.append("not reached")
    """

    async def scene(world: World) -> None:
        world.bot.manager = world.manager  # type: ignore[attr-defined]
        world.bot.change = lambda: world.write(admin=text + "\n        added = 1\n")  # type: ignore[attr-defined]
        await world.save(admin=text)
        await until(lambda: world.manager.plugins["admin"].reloads == 1)
        assert world.called() == ["setup", "setup"]

    play(scene)


def test_files_come_go_and_are_renamed(play: Any, folder: Path) -> None:
    text = (
        "n = 0\ndef setup(ctx):\n    ctx.command('step', step)\ndef step():\n    global n\n    n += 1\n    return n\n"
    )

    async def scene(world: World) -> None:
        await world.save(one=text)
        await world.ask("step")
        await world.delete("one")
        assert (world.states(), world.manager.commands) == ({}, {})
        await world.save(one=text)
        assert await world.ask("step") == 2, "a file that comes back goes on with its state"
        (folder / "one.py").rename(folder / "two.py")
        await world.manager.take([folder / "one.py", folder / "two.py"])
        assert (world.states(), world.manager.commands) == ({"two": "enabled"}, {"step": "two"})
        assert await world.ask("step") == 1
        (folder / "two").mkdir()
        (folder / "two.py").rename(folder / "two" / "__init__.py")
        await world.manager.take([folder / "two.py", folder / "two" / "__init__.py"])
        assert (world.states(), world.manager.commands) == ({"two": "enabled"}, {"step": "two"})

    play(scene)


def test_those_who_require_a_plugin_that_goes_wait_until_it_is_back(play: Any) -> None:
    text = "def setup(ctx):\n    ctx.host.calls.append('+' + ctx.name)\n"

    async def scene(world: World) -> None:
        world.write(user_toml='requires = ["base"]\n')
        await world.save(base=text, user=text)
        assert world.called() == ["+base", "+user"]
        await world.delete("base")
        assert world.states() == {"user": "waiting"} and "plugin user waits for base" in world.error("user")
        await world.save(base="def setup(ctx)\n")
        assert world.states() == {"base": "failed", "user": "waiting"}
        await world.save(base=text)
        assert world.states() == {"base": "enabled", "user": "enabled"}
        assert world.called() == ["+base", "+user"]

    play(scene)


def test_a_manifest_is_part_of_its_plugin(play: Any) -> None:
    async def scene(world: World) -> None:
        await world.save(one="def setup(ctx):\n    ctx.command('word', lambda: ctx.config.get('word'))\n")
        manifest = '[config]\nword = {type = "string", default = "hi"}\n'
        assert outcomes(await world.save(one_toml=manifest)) == ["committed"]
        assert await world.ask("word") == "hi"
        assert outcomes(await world.save(one_toml=manifest + "\n[other]\n")) == ["refused"]
        assert "plugin one" in world.error("one") and "unknown field 'other'" in world.error("one")
        assert await world.ask("word") == "hi"
        assert outcomes(await world.save(one_toml='requires = ["nobody"]\n')) == ["rolled back"]
        assert "plugin one waits for nobody, which is not there" in world.error("one")
        assert await world.ask("word") == "hi"
        assert outcomes(await world.save(one_toml=manifest.replace("hi", "ho"))) == ["committed"]
        assert (await world.ask("word"), world.error("one")) == ("ho", "")
        await world.delete("one_toml")
        assert await world.ask("word") is None

    play(scene)


def test_a_disabled_plugin_takes_its_saves_and_stays_down(play: Any) -> None:
    async def scene(world: World) -> None:
        text = "def setup(ctx):\n    ctx.command('n', lambda: 1)\n"
        await world.save(one=text)
        await world.manager.disable("one")
        assert outcomes(await world.save(one=text.replace("1", "2"))) == ["committed"]
        assert world.states() == {"one": "disabled"} and world.manager.commands == {}
        await world.manager.enable("one")
        assert await world.ask("n") == 2

    play(scene)


def test_a_plugin_that_is_a_package_takes_saves_of_all_its_files(play: Any) -> None:
    async def scene(world: World) -> None:
        world.write(pack__part="def answer():\n    return 1\n")
        init = "from . import part\nasync def setup(ctx):\n    ctx.host.calls.append('setup')\n    ctx.command('n', lambda: part.answer())\n"
        await world.save(pack__init=init)
        assert await world.ask("n") == 1
        world.called()
        await world.save(pack__part="def answer():\n    return 2\n")
        assert (await world.ask("n"), world.called()) == (2, [])
        await world.save(pack__part="X = 3\ndef answer():\n    return X\n")
        assert (await world.ask("n"), world.called()) == (3, ["setup"])
        assert outcomes(await world.save(pack__part="def answer(\n")) == ["refused"]
        assert outcomes(await world.save(pack__init=init.replace("part.answer()", "-part.answer()")))[-1] == "committed"
        assert await world.ask("n") == -3

    play(scene)


def test_an_old_version_whose_setup_fails_too_is_down_and_says_so(play: Any) -> None:
    text = """
        async def setup(ctx):
            ctx.host.calls.append("setup")
            assert len(ctx.host.calls) < 2, "only once"
            ctx.command("one", lambda: 1)

        async def teardown(ctx):
            pass
    """

    async def scene(world: World) -> None:
        await world.save(one=text, two="def setup(ctx):\n    ctx.command('two', lambda: 2)\n")
        await world.save(one=text + "\n        added = 1\n")
        assert world.states() == {"one": "failed", "two": "enabled"}
        assert "plugin one was not reloaded; it is down" in world.error("one") and "only once" in world.error("one")
        assert world.manager.commands == {"two": "two"}
        await world.save(one=text.replace("< 2", "< 9"))
        assert world.states()["one"] == "enabled" and await world.ask("one") == 1

    play(scene)


@pytest.mark.parametrize("how", ["deleted", "disabled"])
def test_a_call_that_waits_for_a_plugin_that_goes_is_told_so(play: Any, how: str) -> None:
    text = """
        async def setup(ctx):
            ctx.command("ask", lambda: 1)

        async def teardown(ctx):
            await ctx.host.go.wait()
    """

    async def scene(world: World) -> None:
        world.bot.go = asyncio.Event()  # type: ignore[attr-defined]
        await world.save(slow=text)
        going = asyncio.ensure_future(world.delete("slow") if how == "deleted" else world.manager.disable("slow"))
        await asyncio.sleep(0.02)
        asking = asyncio.ensure_future(world.ask("ask"))
        await asyncio.sleep(0.02)
        assert not asking.done()
        world.bot.go.set()  # type: ignore[attr-defined]
        await going
        with pytest.raises(PluginError, match="no plugin has a command 'ask'"):
            await asking

    play(scene)
