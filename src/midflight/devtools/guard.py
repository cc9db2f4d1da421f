"""Stands before every route: host, token, origin, kind and size of what is sent; and the headers of every answer."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from midflight.devtools.access import Access, TooManyGuesses, same_origin
from midflight.devtools.answers import Refused, failure, login_page

Auth = Callable[[HTTPConnection], bool | Awaitable[bool]]

LONGEST_BODY = 1 << 20  # bytes; far above any question
LONGEST_APPLY = 8 << 20  # bytes; new source of many files
CYTOSCAPE_STYLE = "'sha256-pgvDUBa4IjFA2yuSJ2cqcyxmNYJMborsd0ORcRv9vw8='"  # the one rule that it adds to the page
POLICY = "; ".join((
    *("default-src 'self'", "img-src 'self' data:", "object-src 'none'", "base-uri 'none'"),
    *("form-action 'self'", "frame-ancestors 'none'"),
))  # fmt: skip
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """The app behind it is asked only by who may ask. `auth` takes the place of the token where a host app has one."""

    def __init__(self, app: ASGIApp, access: Access, auth: Auth | None = None) -> None:
        self._app, self.access, self._auth = app, access, auth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        nonce = secrets.token_urlsafe(16)
        refused = await self._refusal(asked, nonce)
        if refused is None:
            most = LONGEST_APPLY if route_of(scope) == "/api/apply" else LONGEST_BODY
            await self._app(scope, _limited(receive, most), _with_headers(send, _policy(asked)))
        elif scope["type"] == "websocket" and "websocket.http.response" in scope.get("extensions", {}):
            await refused(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(4401 if refused.status_code == 401 else 4403)(scope, receive, send)
        else:
            own = f"; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'"
            await refused(scope, receive, _with_headers(send, POLICY + own))

    async def admits(self, scope: Scope) -> bool:
        """Whether who asks may see the DevTools. Raises nothing: who guessed too often may not."""
        asked = HTTPConnection(scope)
        try:
            return self.access.answers_to(asked.headers.get("host", "")) and await self._knows(asked)
        except TooManyGuesses:
            return False

    async def _refusal(self, asked: HTTPConnection, nonce: str) -> Response | None:
        """The answer to who may not ask this; None for who may."""
        host = asked.headers.get("host", "")
        if not self.access.answers_to(host):
            return failure(
                403, f"this is not {host[:100] or 'a host without a name'}",
                f"the DevTools answer by {', '.join(sorted(self.access.hosts))} only",
                "Use one of these names, or add yours to `hosts`.",
            )  # fmt: skip
        try:
            known = await self._knows(asked)
        except TooManyGuesses as error:
            return too_many(error)
        if not known and not _logs_in(asked):
            return _who_are_you(asked, nonce)
        return self._wrong_kind(asked)

    async def _knows(self, asked: HTTPConnection) -> bool:
        if self._auth is not None:
            answer = self._auth(asked)
            return bool(answer if isinstance(answer, bool) else await answer)
        if self.access.is_cookie(asked.cookies.get(self.access.cookie_name)):
            return True
        given = _bearer(asked)
        return given is not None and self.access.is_token(given)

    def _wrong_kind(self, asked: HTTPConnection) -> Response | None:
        """What a page of another site could send: its cookie may be ours, its origin is not."""
        origin, host = asked.headers.get("origin"), asked.headers.get("host", "")
        socket = asked.scope["type"] == "websocket"
        if origin is not None and not same_origin(origin, host):
            return failure(403, "not taken from a page of another site", f"its origin is {origin[:100]}")
        if socket and origin is None and _bearer(asked) is None:
            return failure(403, "a WebSocket without an Origin needs the token in its Authorization header")
        if socket or asked.scope["method"] != "POST":
            return None
        kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return failure(
                415, f"content of type {kind[:100] or 'none'} is not taken", "a form of another site could send it",
                "Send JSON, with the header Content-Type: application/json.",
            )  # fmt: skip
        return None


def route_of(scope: Scope) -> str:
    """The path below the place where the app is mounted."""
    path, root = scope["path"], scope.get("root_path", "")
    return str(path[len(root) :] if root and path.startswith(root) else path) or "/"


def too_many(error: TooManyGuesses) -> Response:
    answer = failure(429, "too many wrong tokens", "logging in rests for a while", f"Try again in {error.retry_s} s.")
    answer.headers["retry-after"] = str(error.retry_s)
    return answer


def _logs_in(asked: HTTPConnection) -> bool:
    route, method = route_of(asked.scope), asked.scope.get("method")
    by_link = (method, route) == ("GET", "/") and "token" in asked.query_params
    return by_link or (method, route) == ("POST", "/api/login")


def _who_are_you(asked: HTTPConnection, nonce: str) -> Response:
    wants_page = asked.scope.get("method") == "GET" and "text/html" in asked.headers.get("accept", "")
    if wants_page and route_of(asked.scope) == "/":
        return login_page(nonce)
    return failure(
        401, "who are you?", "the DevTools show and change a running program, so they answer by token only",
        "Open the link that was printed at the start, or send Authorization: Bearer TOKEN.",
    )  # fmt: skip


def _bearer(asked: HTTPConnection) -> str | None:
    kind, _, given = asked.headers.get("authorization", "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else None


def _policy(asked: HTTPConnection) -> str:
    # Not every browser takes a WebSocket for 'self'.
    host = asked.headers["host"]
    return f"{POLICY}; style-src 'self' {CYTOSCAPE_STYLE}; connect-src 'self' ws://{host} wss://{host}"


def _with_headers(send: Send, policy: str) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name for name, _ in message["headers"]}
            ours = {**HEADERS, "content-security-policy": policy, "cache-control": "no-store"}
            extra = [(name.encode(), value.encode()) for name, value in ours.items() if name.encode() not in known]
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return answer


def _limited(receive: Receive, most: int) -> Receive:
    taken = 0

    async def read() -> Message:
        nonlocal taken
        message: dict[str, Any] = dict(await receive())
        taken += len(message.get("body", b""))
        if taken > most:
            raise Refused(413, "the request is too long", f"at most {most} bytes are taken", "Send less at once.")
        return message

    return read
