"""A small project under a session, its DevTools on a real port, and a client that may ask them."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from midflight.devtools import serve
from midflight.devtools.server import Server
from midflight.session import Session

CART = "RATE = 2\n\n\ndef total(net):\n    return net * RATE\n"


@contextlib.contextmanager
def made(folder: Path) -> Iterator[Path]:
    """A project in `folder`, importable and the working directory; nothing of it stays loaded."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text("")
    (folder / "cart.py").write_text(CART)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.chdir(folder)
        yield folder
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Session]:
    with Session(paths=[folder], mode="manual") as session:
        importlib.import_module("cart")
        yield session


@contextlib.contextmanager
def served(session: Session) -> Iterator[Server]:
    server = serve(session, "127.0.0.1:0")
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A folder with a loaded module `cart`."""
    with made(tmp_path / "shop") as folder:
        yield folder


@pytest.fixture
def session(project: Path) -> Iterator[Session]:
    with running(project) as session:
        yield session


@pytest.fixture
def server(session: Session) -> Iterator[Server]:
    with served(session) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """Logged in by token."""
    headers = {"Authorization": f"Bearer {server.app.access.token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60, verify=False) as client:
        yield client


@pytest.fixture
def stranger(server: Server) -> Iterator[httpx.Client]:
    """Knows the address and nothing else."""
    with httpx.Client(base_url=server.url, timeout=60, verify=False) as client:
        yield client


@pytest.fixture
def follow(server: Server) -> Callable[..., AbstractContextManager[ClientConnection]]:
    """follow(query="", **options): a WebSocket on the events, let in by token."""

    def start(query: str = "", **options: Any) -> AbstractContextManager[ClientConnection]:
        options.setdefault("additional_headers", {"Authorization": f"Bearer {server.app.access.token}"})
        address = server.url.replace("http", "ws") + "/api/events" + query
        return connect(address, open_timeout=60, proxy=None, **options)

    return start
