from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .serving import NICK, Bot, Chat, Server, irc_server, running_bot, wait_for


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with irc_server(tmp_path) as one:
        yield one


@pytest.fixture
def bot(tmp_path: Path, server: Server) -> Iterator[Bot]:
    with running_bot(tmp_path, server) as one:
        yield one


@pytest.fixture
def chat(server: Server, bot: Bot) -> Iterator[Chat]:
    """Somebody in the channel, when the bot is there too."""
    one = Chat(server.port, "ada")
    wait_for(lambda: NICK in one.present, "the bot is in the channel")
    yield one
    one.close()
