"""WSGI middleware: the DevTools below a path of the program, and the panel in its pages.

WSGI carries no WebSocket: the panel asks every five seconds."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from starlette.types import Message, Scope

from midflight.devtools.asgi import app as devtools_app
from midflight.devtools.guard import LONGEST_APPLY
from midflight.integrations.pages import print_link, runs, tag, takes_panel, tidy
from midflight.session import Session

Headers = list[tuple[str, str]]


class PanelMiddleware:
    """Serves the DevTools at `path` and adds the panel to HTML pages of whoever may see them.

    `session` is the process's own when None. With `auth` the host app decides who may: it is called with the WSGI
    environ and says True or False; without, a token does, whose link is printed at the first request. `hosts` are
    further names by which the program is reached."""

    def __init__(
        self,
        app: WSGIApplication,
        session: Session | None = None,
        *,
        path: str = "/__midflight__",
        token: str | None = None,
        auth: Callable[[WSGIEnvironment], bool] | None = None,
        hosts: Iterable[str] = (),
    ) -> None:
        self.app, self.path, self._session = app, tidy(path), session
        asked = None if auth is None else lambda connection: auth(connection.scope["midflight.environ"])
        self.devtools = devtools_app(session, token=token, auth=asked, hosts=hosts)
        self._told = auth is not None
        self._loop = _Loop()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not runs(self._session):
            return self.app(environ, start_response)
        self._tell(environ)
        below = environ.get("PATH_INFO", "")
        scope = _scope(environ, self.path)
        if below == self.path or below.startswith(self.path + "/"):
            status, headers, body = self._loop.run(self._answer(scope, _body(environ)))
            start_response(status, headers)
            return [body]
        if "text/html" in environ.get("HTTP_ACCEPT", "") and self._loop.run(self.devtools.admits(scope)):
            home = environ.get("SCRIPT_NAME", "") + self.path
            return _with_panel(self.app, environ, start_response, tag(home))
        return self.app(environ, start_response)

    def _tell(self, environ: WSGIEnvironment) -> None:
        host = environ.get("HTTP_HOST", "")
        if self._told or not self.devtools.access.answers_to(host):
            return  # a link by a name that we do not answer to would be of no use
        self._told = True
        place = f"{host}{environ.get('SCRIPT_NAME', '')}{self.path}"
        print_link(self.devtools.link(f"{environ['wsgi.url_scheme']}://{place}"))

    async def _answer(self, scope: Scope, body: bytes) -> tuple[str, Headers, bytes]:
        """The DevTools' answer as WSGI has it."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.devtools(scope, receive, send)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        # Whether a connection stays open is the server's business under WSGI.
        headers = [(name, value) for name, value in headers if name.lower() != "connection"]
        return f"{sent[0]['status']} .", headers, b"".join(message.get("body", b"") for message in sent[1:])


def _with_panel(
    app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, added: bytes
) -> Iterator[bytes]:
    """What the program sends, as it comes, with `added` behind a page."""
    takes = False

    def start(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
        nonlocal takes
        takes = takes_panel(int(status.split(maxsplit=1)[0]), headers)
        if takes:
            headers = [_longer(name, value, len(added)) for name, value in headers]
        return start_response(status, headers, exc_info)

    # Without Accept-Encoding: nothing can be added to a page that was compressed.
    environ = {name: value for name, value in environ.items() if name != "HTTP_ACCEPT_ENCODING"}
    parts = app(environ, start)
    try:
        yield from parts
        if takes:
            yield added
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


def _longer(name: str, value: str, by: int) -> tuple[str, str]:
    return (name, str(int(value) + by)) if name.lower() == "content-length" and value.isdigit() else (name, value)


def _scope(environ: WSGIEnvironment, path: str) -> Scope:
    """The ASGI scope of a WSGI request, with the DevTools mounted at `path`."""
    named = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            named[name.replace("_", "-").lower()] = environ[name]
    root = environ.get("SCRIPT_NAME", "")
    whole = (root + environ.get("PATH_INFO", "")).encode("latin-1")  # PEP 3333: bytes that look like Latin-1
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": whole.decode("utf-8", "replace"),
        "raw_path": whole,
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
        "root_path": root + path,
        "headers": [(name.encode("latin-1"), str(value).encode("latin-1")) for name, value in named.items()],
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
        "client": None,
        "midflight.environ": environ,
    }


def _body(environ: WSGIEnvironment) -> bytes:
    """At most a byte more than may be sent: the guard then says so."""
    length = environ.get("CONTENT_LENGTH") or "0"
    wanted = min(int(length), LONGEST_APPLY + 1) if length.isdecimal() else 0
    body: bytes = environ["wsgi.input"].read(wanted)
    return body


class _Loop:
    """A loop in a thread, made when first needed: a server may fork its workers after the program was imported."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, coroutine: Any) -> Any:
        done: Future[Any] = asyncio.run_coroutine_threadsafe(coroutine, self._running())
        return done.result()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                self._loop, self._pid = asyncio.SelectorEventLoop(), os.getpid()
                threading.Thread(target=self._loop.run_forever, name="midflight-wsgi", daemon=True).start()
            return self._loop
