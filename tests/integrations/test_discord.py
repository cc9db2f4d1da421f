"""The recipe for discord.py cogs in docs/plugins.md, with the real discord.py, offline: its bot, a cog, its commands."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from midflight.plugins import PluginManager
from midflight.values import Report

discord = pytest.importorskip("discord", reason="discord.py is installed for Python 3.11 only")
commands = pytest.importorskip("discord.ext.commands")

pytestmark = [pytest.mark.one_version, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
RECIPE = re.search(r"## discord\.py.*?```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
MUSIC = """
from discord.ext import commands, tasks


class Music(commands.Cog):
    def __init__(self, bot):
        self.bot, self.queue, self.heard, self.ticks = bot, [], [], set()

    async def cog_load(self):
        self.tick.start()

    async def cog_unload(self):
        self.tick.cancel()

    @commands.command()
    async def play(self, ctx, song):
        self.queue.append(song)
        await ctx.send(f"playing {song}")

    @commands.command(aliases=["q"])
    async def queued(self, ctx):
        await ctx.send(", ".join(self.queue))

    @commands.Cog.listener()
    async def on_tune(self, name):
        self.heard.append(f"tune {name}")

    @tasks.loop(seconds=0.01)
    async def tick(self):
        self.ticks.add("first")
"""


class World:
    """A bot that was never connected, and its cogs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "cogs"
        self.folder.mkdir()
        self.bot = commands.Bot("!", intents=discord.Intents.none())
        self.bot._connection.user = SimpleNamespace(id=1)
        self.manager = PluginManager(self.bot, self.folder, entry_points=False)
        assert RECIPE is not None
        self.text = MUSIC + "\n\n" + RECIPE[1]

    async def save(self, text: str) -> Report:
        (self.folder / "music.py").write_text(text)
        return (await self.manager.take([self.folder / "music.py"]))[-1]

    async def say(self, text: str) -> list[str]:
        """What the bot answers to a message, through discord.py's own parsing and checks."""
        sent: list[str] = []

        async def send(content: str, **_: Any) -> None:
            sent.append(content)

        author = SimpleNamespace(id=2, bot=False)
        message = SimpleNamespace(content=text, author=author, guild=None, channel=None, attachments=[], _state=None)
        ctx = await self.bot.get_context(message)
        ctx.send = send
        await self.bot.invoke(ctx)
        return sent

    @property
    def cog(self) -> Any:
        return self.bot.get_cog("Music")


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Callable[[World], Awaitable[None]]], None]:
    def run(scene: Callable[[World], Awaitable[None]]) -> None:
        async def whole() -> None:
            world = World(tmp_path)
            async with world.bot:
                (world.folder / "music.py").write_text(world.text)
                await world.manager.load_all()
                assert await world.say("!play one") == ["playing one"]
                await scene(world)
                await world.manager.unload_all()
                assert world.cog is None and world.bot.get_command("play") is None

        asyncio.run(whole())

    return run


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.005)


def test_a_body_edit_of_a_command_a_listener_and_a_loop_keeps_the_cog(play: Any) -> None:
    async def scene(world: World) -> None:
        cog = world.cog
        text = world.text.replace('f"playing {song}"', 'f"now {song}"').replace('f"tune {name}"', 'f"heard {name}"')
        report = await world.save(text.replace('"first"', '"second"'))
        assert report.outcome == "committed" and world.cog is cog
        assert await world.say("!play two") == ["now two"] and cog.queue == ["one", "two"]
        world.bot.dispatch("tune", "x")
        await until(lambda: cog.heard == ["heard x"] and "second" in cog.ticks)

    play(scene)


@pytest.mark.parametrize(
    "old, new, asked, answer",
    [
        ('aliases=["q"]', 'aliases=["w"]', "!w", ["one"]),
        ("async def play(self, ctx, song)", "async def play(self, ctx, song, *, at='now')", "!play two at once", ["playing two"]),
        ("    @commands.Cog.listener()", "    @commands.command()\n    async def added(self, ctx):\n        await ctx.send('new')\n\n    @commands.Cog.listener()", "!added", ["new"]),
    ],
)  # fmt: skip
def test_another_edit_makes_a_new_cog_that_gets_the_queue(
    play: Any, old: str, new: str, asked: str, answer: Any
) -> None:
    async def scene(world: World) -> None:
        cog = world.cog
        assert old in world.text
        assert (await world.save(world.text.replace(old, new))).outcome == "committed"
        assert world.cog is not cog and world.cog.queue == ["one"]
        assert await world.say(asked) == answer
        assert not cog.tick.is_running() or cog.tick.is_being_cancelled()

    play(scene)


@pytest.mark.parametrize(
    "broken",
    [
        lambda text: text + "\ndef broken(:\n",
        lambda text: text.replace("async def on_tune(self, name)", "async def cog_tune(self, name)"),
        lambda text: text.replace("        self.tick.start()", "        self.tick.start()\n        raise RuntimeError").replace('["q"]', '["w"]'),
        lambda text: text.replace('aliases=["q"]', 'aliases=["play"]'),
        lambda text: text.replace("add_cog(Music(ctx.host))", "add_cog(Music(ctx.host))\n    1 / 0"),
    ],
    ids=["syntax", "a name discord.py keeps", "cog_load raises", "a command there is", "setup raises"],
)  # fmt: skip
def test_a_cog_that_cannot_be_added_leaves_the_old_one_answering(play: Any, broken: Callable[[str], str]) -> None:
    async def scene(world: World) -> None:
        assert broken(world.text) != world.text
        report = await world.save(broken(world.text))
        assert not report.ok, report
        assert world.cog.queue == ["one"]
        assert await world.say("!play two") == ["playing two"]
        assert await world.say("!q") == ["one, two"]
        await until(lambda: "first" in world.cog.ticks)
        report = await world.save(world.text.replace('f"playing {song}"', 'f"mended {song}"'))
        assert report.outcome == "committed", report
        assert await world.say("!play three") == ["mended three"] and world.cog.queue == ["one", "two", "three"]

    play(scene)
