"""ASGI middleware: the DevTools below a path of the program, and the panel in its pages."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from midflight.devtools.asgi import app as devtools_app
from midflight.devtools.guard import Auth
from midflight.integrations.pages import print_link, runs, tag, takes_panel, tidy
from midflight.session import Session


class PanelMiddleware:
    """Serves the DevTools at `path` and adds the panel to HTML pages of whoever may see them.

    `session` is the process's own when None. With `auth` the host app decides who may: it is called with Starlette's
    HTTPConnection and says True or False, or is a coroutine that does; without, a token does, whose link is printed at
    the first request. `hosts` are further names by which the program is reached."""

    def __init__(
        self,
        app: ASGIApp,
        session: Session | None = None,
        *,
        path: str = "/__midflight__",
        token: str | None = None,
        auth: Auth | None = None,
        hosts: Iterable[str] = (),
    ) -> None:
        self.app, self.path, self._session = app, tidy(path), session
        self.devtools = devtools_app(session, token=token, auth=auth, hosts=hosts)
        self._told = auth is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not runs(self._session):
            await self.app(scope, receive, send)
            return
        self._tell(scope)
        root = scope.get("root_path", "")
        below = scope["path"].removeprefix(root)
        if below == self.path or below.startswith(self.path + "/"):
            await self.devtools({**scope, "root_path": root + self.path, "path": root + below}, receive, send)
        elif _wants_page(scope) and await self.devtools.admits(scope):
            await self.app(_uncompressed(scope), receive, _Page(send, tag(root + self.path)).send)
        else:
            await self.app(scope, receive, send)

    def _tell(self, scope: Scope) -> None:
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        if self._told or not self.devtools.access.answers_to(host):
            return  # a link by a name that we do not answer to would be of no use
        self._told = True
        scheme = scope["scheme"].replace("ws", "http")
        print_link(self.devtools.link(f"{scheme}://{host}{scope.get('root_path', '')}{self.path}"))


class _Page:
    """One answer on its way out. What the program sends is sent on as it comes, with the tag behind its last part."""

    def __init__(self, send: Send, added: bytes) -> None:
        self._send, self._added = send, added
        self._takes = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
            self._takes = takes_panel(message["status"], headers)
            if self._takes:
                message = {**message, "headers": [self._longer(*header) for header in message["headers"]]}
        elif message["type"] == "http.response.body" and self._takes and not message.get("more_body", False):
            message = {**message, "body": message.get("body", b"") + self._added}
        await self._send(message)

    def _longer(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        is_length = name.lower() == b"content-length" and value.isdigit()
        return (name, str(int(value) + len(self._added)).encode()) if is_length else (name, value)


def _wants_page(scope: Scope) -> bool:
    accepted = b"".join(value for name, value in scope["headers"] if name == b"accept")
    return scope["type"] == "http" and scope["method"] in ("GET", "POST") and b"text/html" in accepted


def _uncompressed(scope: Scope) -> Scope:
    """Asked without `Accept-Encoding`: nothing can be added to a page that was compressed."""
    return {**scope, "headers": [header for header in scope["headers"] if header[0] != b"accept-encoding"]}
