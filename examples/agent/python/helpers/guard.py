"""Who may ask: stands before everything the server answers, its WebSocket included."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from collections import deque
from collections.abc import Sequence

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from midflight.devtools.access import host_name, same_origin
from python.helpers import settings

COOKIE = "agent_session"
OPEN = ("/login", "/css/page.css", "/js/login.js")
MOST_SESSIONS = 100
GUESSES, GUESS_WINDOW_S = 10, 60.0  # wrong passwords within that time; then nobody can log in until it is over
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": f"{POLICY}; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class TooManyGuesses(Exception):
    """Logging in rests for a while, also with the right password: else guessing could go on."""


class Sessions:
    """The login and the names as they were at the start, and secrets of the browsers that logged in since: the oldest
    goes when there are too many."""

    def __init__(self) -> None:
        self.login, self.names = settings.login(), settings.names()
        self._secrets: list[str] = []
        self._wrong: deque[float] = deque(maxlen=GUESSES)

    def may_enter(self, name: str, password: str) -> bool:
        """Whether this is the login. Raises TooManyGuesses."""
        if len(self._wrong) == GUESSES and time.monotonic() - self._wrong[0] < GUESS_WINDOW_S:
            raise TooManyGuesses(f"too many wrong passwords: try again in {GUESS_WINDOW_S:g} s")
        # Both are compared in any case: the time taken must not tell which one was wrong.
        right = self.login is not None and all([equal(name, self.login[0]), equal(password, self.login[1])])
        if not right:
            self._wrong.append(time.monotonic())
        return right

    def add(self) -> str:
        self._secrets = [*self._secrets[1 - MOST_SESSIONS :], secrets.token_urlsafe(32)]
        return self._secrets[-1]

    def knows(self, secret: str | None) -> bool:
        return secret is not None and any(equal(secret, one) for one in self._secrets)


class Guard:
    """Host and Origin are checked always, the login where one is set: a cookie, or HTTP Basic for curl -u."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app, self._sessions = app, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = self._refusal(HTTPConnection(scope))
        if refused is None:
            await self._app(scope, receive, with_headers(send))
        elif scope["type"] == "websocket":
            await WebSocketClose(4401 if refused.status_code == 401 else 4403)(scope, receive, send)
        else:
            await refused(scope, receive, with_headers(send))

    def _refusal(self, asked: HTTPConnection) -> Response | None:
        """The answer to who may not ask this; None for who may."""
        host, origin = asked.headers.get("host", ""), asked.headers.get("origin")
        if not answers_to(host, self._sessions.names):
            known = ", ".join(self._sessions.names)
            return failure(403, f"this is not {host[:100] or 'a host without a name'}, but {known}: see .env")
        if origin is not None and not same_origin(origin, host):
            return failure(403, f"not taken from a page of another site: its origin is {origin[:100]}")
        if asked.scope.get("method") == "POST" and not is_json(asked):
            return failure(415, "send JSON, with the header Content-Type: application/json")
        path = asked.scope["path"]  # asked.url is made from the Host header too
        try:
            known = path in OPEN or self.is_known(asked)
        except TooManyGuesses as error:
            return failure(429, str(error))
        if known:
            return None
        if asked.scope.get("method") == "GET" and path == "/":
            return RedirectResponse("/login", 303)
        return failure(401, "log in first: POST /login, or curl -u NAME:PASSWORD")

    def is_known(self, asked: HTTPConnection) -> bool:
        """Whether the caller is logged in, or need not be."""
        if self._sessions.login is None:
            return True
        given = basic(asked)
        return self._sessions.knows(asked.cookies.get(COOKIE)) or (
            given is not None and self._sessions.may_enter(*given)
        )


def basic(asked: HTTPConnection) -> tuple[str, str] | None:
    """(name, password) from an Authorization header; None where there is none."""
    kind, _, given = asked.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def answers_to(host: str, names: Sequence[str]) -> bool:
    """Whether a Host header names us. A page that rebinds its own name to this machine names itself."""
    return host_name(host) in names


def is_json(asked: HTTPConnection) -> bool:
    """A form of another site can send anything but this without asking first."""
    return asked.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def failure(status: int, message: str) -> Response:
    return JSONResponse({"success": False, "error": message}, status)


def with_headers(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name for name, _ in message["headers"]}
            extra = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in known]
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return answer
