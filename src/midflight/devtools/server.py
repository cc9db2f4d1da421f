"""The DevTools served on a port of their own: a thread with its own loop, beside the program."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import threading
import weakref
from collections.abc import Iterable

import uvicorn

from midflight.config import SHORTEST_TOKEN
from midflight.devtools.access import LOOPBACK
from midflight.devtools.asgi import DevTools, app
from midflight.errors import DevToolsError
from midflight.session import Session

PORT = 8321
NEXT_PORTS = 20  # tried after PORT, where no port was asked for
STOP_S = 5.0


def serve(
    session: Session | None = None,
    address: str | None = None,
    *,
    token: str | None = None,
    hosts: Iterable[str] = (),
    listener: socket.socket | None = None,
) -> Server:
    """Serves the DevTools at `address` ("HOST:PORT", port 0 for any free one); `.link` logs a browser in.

    Without an address: 127.0.0.1 and the first free port from 8321. Raises DevToolsError where it cannot, or may not:
    beyond this machine only with a `token` that somebody chose. A `listener` is one that listens there already."""
    host, port = _split(address)
    _refuse_strangers(host, token)
    listener = listener or _listen(host, port, 1 if address is not None else NEXT_PORTS)
    named = () if host in ("0.0.0.0", "::") else (host,)
    try:
        return Server(app(session, token=token, hosts=(*named, *hosts)), listener)
    except BaseException:
        listener.close()
        raise


class Server:
    """A running server. `close` ends it; so does the end of the process."""

    def __init__(self, devtools: DevTools, listener: socket.socket) -> None:
        self.app = devtools
        self._listener = listener
        host, port = listener.getsockname()[:2]
        shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        self.url = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
        config = uvicorn.Config(
            devtools, log_config=None, lifespan="off", ws="websockets-sansio", ws_per_message_deflate=False,
            timeout_graceful_shutdown=1, server_header=False, proxy_headers=False,
        )  # fmt: skip
        config.access_log = False  # given above, it would silence the access log of a uvicorn that the program runs
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="midflight-devtools", daemon=True)
        self._thread.start()
        _servers.add(self)

    @property
    def link(self) -> str:
        return self.app.link(self.url)

    @property
    def descriptor(self) -> int:
        """Of the socket that listens."""
        return self._listener.fileno()

    @property
    def runs(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """Idempotent."""
        self.app.close()
        self._uvicorn.should_exit = True
        if self._thread is not threading.current_thread():
            self._thread.join(STOP_S)
        self._listener.close()

    def leave_to_parent(self) -> None:
        """In a forked child: the port stays the parent's."""
        self.app.close()
        self._listener.close()

    def _run(self) -> None:
        # A loop of its own kind: the program may have set a policy for its loops.
        loop = asyncio.SelectorEventLoop()
        try:
            loop.run_until_complete(self._uvicorn.serve([self._listener]))
        finally:
            with contextlib.suppress(RuntimeError):
                loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


_servers: weakref.WeakSet[Server] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for server in list(_servers):
        server.leave_to_parent()
    _servers.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)


def _split(address: str | None) -> tuple[str, int]:
    if address is None:
        return "127.0.0.1", PORT
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise DevToolsError(
            f"the DevTools cannot be served at {address!r}", "an address is HOST:PORT", "Say 127.0.0.1:8321."
        )
    return host.strip("[]"), int(port)


def _refuse_strangers(host: str, token: str | None) -> None:
    """Whoever reaches the port can read the program's source and reload it: beyond this machine a person decides."""
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise DevToolsError(
            "the DevTools are not served: their token is too short",
            f"it has {len(token)} characters, of {SHORTEST_TOKEN} at least",
            "Make one: python -c 'import secrets; print(secrets.token_urlsafe(24))'",
        )
    if host not in LOOPBACK and token is None:
        raise DevToolsError(
            f"the DevTools are not served at {host}: others than you could reach that",
            "they show the program's source and can change it",
            "Serve them at 127.0.0.1, or choose a token: MIDFLIGHT_DEVTOOLS_TOKEN=...",
        )


def _listen(host: str, port: int, tries: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for offset in range(tries):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port + offset))
            listener.listen(socket.SOMAXCONN)
            return listener
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or offset == tries - 1:
                raise DevToolsError(
                    f"the DevTools cannot be served at {host}:{port + offset}", str(error),
                    "Name another address: --devtools=127.0.0.1:0 takes any free port.",
                ) from error  # fmt: skip
    raise AssertionError("unreachable: the last try returns or raises")
