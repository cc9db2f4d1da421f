"""A real IRC server, the bot as a process of its own, and somebody who talks to it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

BOT = Path(__file__).resolve().parents[2] / "examples" / "bot"
DEADLINE_S = 30.0
NICK, CHANNEL = "midbot", "#flight"

SERVER = """
[Global]
Name = irc.test.example
AdminEMail = nobody@example.com
Listen = 127.0.0.1
Ports = {port}
ServerUID = nobody
ServerGID = nogroup
[Limits]
MaxConnectionsIP = 0
MaxPenaltyTime = 0
PingTimeout = 600
[Options]
DNS = no
Ident = no
PAM = no
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(holds: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    end = time.monotonic() + deadline_s
    while not (value := holds()):
        assert time.monotonic() < end, f"in {deadline_s:g} s it did not come to this: {what}"
        time.sleep(0.01)
    return value


@dataclass
class Server:
    """A running ngircd; `log` is what it wrote."""

    port: int
    log_path: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def registrations(self, nick: str) -> int:
        """How often somebody of this nick connected."""
        return len(re.findall(rf'User "{re.escape(nick)}!.*registered', self.log))


@contextlib.contextmanager
def irc_server(folder: Path) -> Iterator[Server]:
    """Skips the test where there is no ngircd; `make test` installs it."""
    command = shutil.which("ngircd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if command is None:
        pytest.skip("ngircd is not installed: apt-get install ngircd")
    port = free_port()
    config, log = folder / "ngircd.conf", folder / "ngircd.log"
    config.write_text(SERVER.format(port=port))
    config.chmod(0o644)
    with log.open("wb") as out:
        process = subprocess.Popen([command, "-n", "-f", str(config)], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    server = Server(port, log, process)
    try:
        wait_for(lambda: "ready." in server.log or process.poll() is not None, "the IRC server is ready")
        assert process.poll() is None, server.log
        yield server
    finally:
        process.terminate()
        process.wait(10)


class Chat:
    """Somebody in the channel, on a thread of their own: says things, and keeps what the bot answers."""

    def __init__(self, port: int, nick: str) -> None:
        self.nick = nick
        self.heard: list[tuple[str, str]] = []  # (who, what), in the channel and alone
        self.present: set[str] = set()  # who is, or was, in the channel
        self._changed = threading.Condition()
        self._joined = threading.Event()
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.settimeout(None)
        self._send(f"NICK {nick}\r\nUSER {nick} 0 * :{nick}")
        threading.Thread(target=self._listen, daemon=True).start()
        assert self._joined.wait(DEADLINE_S)

    def _send(self, line: str) -> None:
        self._socket.sendall(f"{line}\r\n".encode())

    def _listen(self) -> None:
        with contextlib.suppress(OSError), self._socket.makefile(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self._take(line.rstrip("\r\n"))

    def _take(self, line: str) -> None:
        kind = [*line.split(), "", ""][1]
        if line.startswith("PING"):
            self._send("PONG" + line[4:])
        elif kind == "001":
            self._send(f"JOIN {CHANNEL}")
        elif kind == "353":
            self.present.update(name.lstrip("@+") for name in line.rpartition(":")[2].split())
        elif found := re.match(r":(\S+?)!\S+ JOIN ", line):
            self.present.add(found[1])
        elif kind == "366":
            self._joined.set()
        elif found := re.match(r":(\S+?)!\S+ PRIVMSG \S+ :(.*)", line):
            with self._changed:
                self.heard.append((found[1], found[2]))
                self._changed.notify_all()

    def say(self, text: str) -> None:
        self._send(f"PRIVMSG {CHANNEL} :{text}")

    def wait(self, holds: Callable[[str], bool], since: int = 0, what: str = "an answer") -> str:
        """The first thing that the bot says, from `since` on, for which `holds` is true."""
        end = time.monotonic() + DEADLINE_S
        with self._changed:
            while True:
                for who, text in self.heard[since:]:
                    if who == NICK and holds(text):
                        return text
                since = max(since, len(self.heard))
                left = end - time.monotonic()
                assert left > 0, f"no {what}; heard last: {self.heard[-5:]}"
                self._changed.wait(left)

    def ask(self, command: str) -> str:
        """What the bot answers, without the nick before it. One question at a time."""
        since = len(self.heard)
        self.say(command)
        head = f"{self.nick}: "
        return self.wait(lambda text: text.startswith(head), since, f"answer to {command}").removeprefix(head)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._send("QUIT :bye")
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@dataclass
class Bot:
    """The bot's process, and the folder of its own copy."""

    folder: Path
    process: subprocess.Popen[bytes]
    page_port: int
    log_path: Path
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def plugins(self) -> Path:
        return self.folder / "plugins"

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def save(self, name: str, text: str | bytes) -> None:
        """As editors do: written aside, then renamed."""
        path = self.plugins / name
        path.parent.mkdir(exist_ok=True)
        aside = path.with_name(f".{path.name}~")
        aside.write_bytes(text if isinstance(text, bytes) else text.encode())
        aside.replace(path)

    def text(self, name: str) -> str:
        return (self.plugins / name).read_text()

    def page(self, path: str = "/status.json") -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page_port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def status(self) -> dict[str, Any]:
        """What the status page tells; asked again while its own plugin is being reloaded."""
        end = time.monotonic() + DEADLINE_S
        while True:
            try:
                found: dict[str, Any] = json.loads(self.page())
                return found
            except OSError:
                assert time.monotonic() < end, self.log[-3000:]
                time.sleep(0.02)

    def plugin(self, name: str) -> dict[str, Any]:
        return next((one for one in self.status()["plugins"] if one["name"] == name), {})

    def resident_kb(self) -> int:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None
        return int(found[1])


CONFIG = """
server = "127.0.0.1:{port}"
nick = "{nick}"
channel = "{channel}"
hot_reload_delay = 0.01
deadline_s = 0.5

[options.limit]
commands = 1000000

[options.dashboard]
port = {page}
"""


@contextlib.contextmanager
def running_bot(folder: Path, server: Server) -> Iterator[Bot]:
    """A copy of the example, started by its command line; it has joined the channel when this is entered."""
    copy = folder / "bot"
    shutil.copytree(BOT, copy, ignore=shutil.ignore_patterns("__pycache__", ".midflight"))
    config, page, log = folder / "bot.toml", free_port(), folder / "bot.log"
    config.write_text(CONFIG.format(port=server.port, nick=NICK, channel=CHANNEL, page=page))
    with log.open("wb") as out:
        command = [sys.executable, str(copy / "main.py"), "--config", str(config)]
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    bot = Bot(copy, process, page, log)
    try:
        wait_for(lambda: server.registrations(NICK) or process.poll() is not None, "the bot is registered")
        assert process.poll() is None, bot.log
        yield bot
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, bot.log[-3000:]
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
