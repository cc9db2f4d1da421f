"""A chat bot on IRC. Everything it can do is a plugin in `plugins/`: edit them while it runs, it stays connected.

    python main.py --server irc.libera.chat:6667 --nick mybot --channel '#mychannel'
    python main.py --config bot.toml

Say `!help` in the channel. The configuration file has `server`, `nick`, `channel`, `plugins`, `hot_reload_delay`,
`deadline_s`, and a table [options.NAME] for each plugin that takes options; what stands on the command line wins.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irc.client import NickMask, ServerConnectionError
from irc.client_aio import AioReactor
from jaraco.stream.buffer import LenientDecodingLineBuffer

from midflight.plugins import PluginError, PluginManager

HERE = Path(__file__).resolve().parent
SIGN = "!"
LINE = 400  # bytes of text that fit into one IRC message, with room for what the server puts before it
RETRY_S = (1, 2, 5, 15, 60)  # after a connection was lost

log = logging.getLogger("bot")


@dataclass(frozen=True)
class Message:
    """One message in the channel, or said to the bot alone; answers go to `target`."""

    nick: str
    text: str
    target: str


class Bot:
    """The host of the plugins: they see it as `ctx.host`."""

    def __init__(self, settings: dict[str, Any]) -> None:
        host, _, port = settings["server"].rpartition(":")
        self.address = (host, int(port))
        self.nick, self.channel = settings["nick"], settings["channel"]
        self.connection: Any = None
        self.stopping = asyncio.Event()
        self._lost = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.manager = PluginManager(
            self,
            settings["plugins"],
            hot_reload=True,
            hot_reload_delay=settings["hot_reload_delay"],
            deadline_s=settings["deadline_s"],
            config=settings["options"],
        )

    # -- what plugins call ------------------------------------------------------------------------------

    def say(self, text: str, target: str = "") -> None:
        """One message, in the channel unless a target is given. Long ones are cut, lines are joined."""
        if self.connection is None or not self.connection.is_connected():
            log.warning("not connected, so not said: %s", text)
            return
        line = " ".join(text.split()).encode()[:LINE].decode(errors="ignore")
        self.connection.privmsg(target or self.channel, line or "(nothing)")

    # -- messages ---------------------------------------------------------------------------------------

    def on_message(self, connection: Any, event: Any) -> None:
        private = event.type == "privmsg"
        nick = NickMask(event.source).nick
        self._spawn(self.take(Message(nick, event.arguments[0], nick if private else event.target)))

    def on_join(self, connection: Any, event: Any) -> None:
        nick = NickMask(event.source).nick
        if nick != connection.get_nickname():
            self._spawn(self.manager.emit("join", nick))

    async def take(self, message: Message) -> None:
        """Every listener hears it; a command is answered, whatever happens to its plugin meanwhile."""
        await self.manager.emit("message", message)
        if message.text.startswith(SIGN) and message.text[1:2].isalnum():
            name, _, rest = message.text[1:].partition(" ")
            answer = await self.answer(name, message, rest.strip())
            if answer is not None:
                self.say(f"{message.nick}: {answer}", message.target)

    async def answer(self, name: str, message: Message, rest: str) -> Any:
        try:
            return await self.manager.run_command(name, message, rest)
        except PluginError as error:
            return error.what
        except Exception as error:
            log.exception("the command %s failed", name)
            return f"{name} failed: {type(error).__name__}: {error}"

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- the connection -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Load the plugins, connect, and stay until told to stop."""
        await self.manager.load_all()
        try:
            tries = 0
            while not self.stopping.is_set():
                tries = 0 if await self.stay_connected() else tries + 1
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), RETRY_S[min(tries, len(RETRY_S) - 1)])
        finally:
            await self.manager.unload_all()

    async def stay_connected(self) -> bool:
        """Returns when the connection is lost or the bot stops; whether there was one."""
        reactor = AioReactor(loop=asyncio.get_running_loop())
        reactor.add_global_handler("welcome", lambda connection, event: connection.join(self.channel))
        reactor.add_global_handler("pubmsg", self.on_message)
        reactor.add_global_handler("privmsg", self.on_message)
        reactor.add_global_handler("join", self.on_join)
        reactor.add_global_handler("disconnect", lambda connection, event: self._lost.set())
        reactor.add_global_handler("nicknameinuse", lambda connection, event: connection.nick(event.arguments[0] + "_"))
        self.connection = reactor.server()
        self.connection.buffer_class = LenientDecodingLineBuffer  # not everybody writes UTF-8
        self._lost.clear()
        try:
            await self.connection.connect(*self.address, self.nick)
        except (OSError, ServerConnectionError) as error:
            log.error("no connection to %s:%d: %s", *self.address, error)
            return False
        waiting = [asyncio.ensure_future(event.wait()) for event in (self._lost, self.stopping)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if self.connection.is_connected():
            self.connection.disconnect("bye")
        return True


def settings() -> dict[str, Any]:
    """The command line over the configuration file over what is usual."""
    parser = argparse.ArgumentParser(description="A chat bot on IRC whose plugins can be edited while it runs.")
    parser.add_argument("--server", metavar="HOST:PORT")
    parser.add_argument("--nick", metavar="NAME")
    parser.add_argument("--channel", metavar="'#NAME'")
    parser.add_argument("--plugins", metavar="FOLDER")
    parser.add_argument("--config", metavar="FILE", type=Path)
    given = parser.parse_args()
    usual = {"plugins": str(HERE / "plugins"), "hot_reload_delay": 0.1, "deadline_s": 10.0, "options": {}}
    try:
        read = tomllib.loads(given.config.read_text("utf-8")) if given.config else {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        parser.error(f"{given.config} cannot be read: {error}")
    flags = {name: value for name, value in vars(given).items() if value is not None and name != "config"}
    found = {**usual, **read, **flags}
    if unknown := found.keys() - {*usual, "server", "nick", "channel"}:
        parser.error(f"{given.config} has unknown settings: {', '.join(sorted(unknown))}")
    if missing := [name for name in ("server", "nick", "channel") if not found.get(name)]:
        parser.error(f"say where to go: {', '.join(f'--{name}' for name in missing)}, or in a --config file")
    if not str(found["server"]).rpartition(":")[2].isdecimal():
        parser.error(f"--server {found['server']} has no port: write HOST:PORT, such as 127.0.0.1:6667")
    return found


async def main(found: dict[str, Any]) -> None:
    bot = Bot(found)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, bot.stopping.set)
    await bot.run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    asyncio.run(main(settings()))
