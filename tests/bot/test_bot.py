"""The bot example against a real IRC server: what it does, and its plugins edited while it talks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .serving import BOT, NICK, Bot, Chat, Server, wait_for

pytestmark = pytest.mark.one_version


def test_it_does_what_its_plugins_do(bot: Bot, chat: Chat, server: Server) -> None:
    assert chat.ask("!hello world") == "hello world"
    assert chat.ask("!karma tea") == "tea has 0 points"
    chat.say("tea++ tea++ milk-- c++x")
    wait_for(lambda: chat.ask("!karma tea") == "tea has 2 points", "the votes are counted")
    assert chat.ask("!karma milk") == "milk has -1 points"
    assert chat.ask("!quote") == "there are no quotes yet: !quote add TEXT"
    assert [chat.ask("!quote add to be"), chat.ask("!quote")] == ["number 1 is kept", "to be"]
    assert chat.ask("!remind 0.1 the tea") == "in 0.1 seconds"
    assert chat.wait(lambda text: "the tea" in text) == "ada: the tea"
    assert chat.ask("!remind soon") == "say !remind SECONDS TEXT"
    assert re.match(r"ada said \d+ of \d+ messages", chat.ask("!stats"))
    assert re.match(r"ada \d+", chat.ask("!top"))
    assert "!hello" in chat.ask("!help") and "limit enabled" in chat.ask("!status")
    assert chat.ask("!nonsense") == "no plugin has a command 'nonsense'"
    other = Chat(server.port, "bob")
    assert other.wait(lambda text: text == "hello bob") == "hello bob"
    other.close()


def test_the_status_page_tells_what_stands(bot: Bot, chat: Chat) -> None:
    page = bot.page("/")
    assert "<!doctype html>" in page and NICK in page and "connected" in page and "!karma" in page
    state = bot.status()
    assert state["connected"] and {one["state"] for one in state["plugins"]} == {"enabled"}
    assert len(state["plugins"]) == 9
    bot.save("karma.py", "1 / 0\n")
    wait_for(lambda: bot.plugin("karma")["error"], "the error is told")
    assert "ZeroDivisionError" in bot.page("/") and "ZeroDivisionError" in bot.log


def test_plugins_are_edited_broken_mended_added_renamed_and_deleted_while_it_talks(
    bot: Bot, chat: Chat, server: Server
) -> None:
    chat.say("tea++")
    karma, greet = bot.text("karma.py"), bot.text("greet.py")
    bot.save("karma.py", karma.replace(" has {", " now has {"))
    wait_for(lambda: chat.ask("!karma tea") == "tea now has 1 point", "a body edit is taken, its state stays")
    bot.save("karma.py", karma.replace("def karma", "def karma("))
    wait_for(lambda: "SyntaxError" in chat.ask("!status karma"), "a broken edit is told")
    assert chat.ask("!karma tea") == "tea now has 1 point"
    bot.save("karma.py", karma)
    wait_for(lambda: chat.ask("!karma tea") == "tea has 1 point", "it is mended")
    assert "no error" in chat.ask("!status karma")

    bot.save("_words.py", bot.text("_words.py").replace('"hello"', '"good day"'))
    wait_for(lambda: chat.ask("!hello ada") == "good day ada", "a helper's value flows")
    bot.save("greet.py", greet.replace('ctx.command("hello", hello)', 'ctx.command("hi", hello)'))
    wait_for(lambda: chat.ask("!hi ada") == "good day ada", "a command has another name")
    assert chat.ask("!hello ada") == "no plugin has a command 'hello'"

    bot.save("echo.py", "def setup(ctx):\n    ctx.command('echo', lambda message, rest: rest)\n")
    wait_for(lambda: chat.ask("!echo x") == "x", "a new plugin answers")
    (bot.plugins / "echo.py").rename(bot.plugins / "parrot.py")
    wait_for(lambda: "parrot enabled" in chat.ask("!status") and chat.ask("!echo x") == "x", "it has another name")
    (bot.plugins / "parrot.py").unlink()
    wait_for(lambda: chat.ask("!echo x") == "no plugin has a command 'echo'", "it is gone")

    before = chat.ask("!top")
    bot.save("stats.py", bot.text("stats.py").replace("maxlen=60", "maxlen=30"))
    wait_for(lambda: "1 reloads" in chat.ask("!status top"), "what requires it is set up again")
    assert int(chat.ask("!top").split()[1]) > int(before.split()[1])
    assert chat.ask("!disable stats") == "done" and "top waiting" in chat.ask("!status")
    assert chat.ask("!enable stats") == "done" and "top enabled" in chat.ask("!status")
    assert chat.ask("!reload karma") == "unchanged" and chat.ask("!reload x") == "there is no plugin 'x'"
    assert server.registrations(NICK) == 1


def test_it_comes_back_when_the_connection_is_lost(bot: Bot, chat: Chat, server: Server) -> None:
    begin = "async def setup(self, ctx):"
    leave = f"{begin}\n        ctx.host.connection.quit('for a moment')"
    bot.save("karma.py", bot.text("karma.py").replace(begin, leave))
    wait_for(lambda: server.registrations(NICK) == 2, "it is registered again")

    def answers() -> bool:
        chat.say("!hello back")  # not heard until it has joined
        return any(text == "ada: hello back" for _, text in chat.heard)

    wait_for(answers, "it answers")


@pytest.mark.parametrize(
    "arguments, error",
    [
        ([], "say where to go: --server, --nick, --channel, or in a --config file"),
        (["--server", "here", "--nick", "a", "--channel", "#a"], "--server here has no port"),
        (["--config", "/nowhere.toml"], "/nowhere.toml cannot be read"),
    ],
)
def test_bad_usage_says_what_is_missing(arguments: list[str], error: str, tmp_path: Path) -> None:
    command = [sys.executable, str(BOT / "main.py"), *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and error in done.stderr
