"""Who may call: the token, the cookie that it becomes, the hosts by which we answer, and how often one may guess."""

from __future__ import annotations

import collections
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass

HOST = re.compile(r"(?:(?P<name>[a-z0-9._-]+)|\[(?P<address>[0-9a-f:.]+)\])(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)
LOOPBACK = ("localhost", "127.0.0.1", "::1")
GUESSES = 10  # wrong tokens within GUESS_WINDOW_S; then nobody can log in until it is over
GUESS_WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The DevTools of a process that is started anew: the same port and token, so that open pages go on. `asked` is the
    setting they were served by, `listener` the descriptor of the socket."""

    asked: str
    listener: int
    token: str


class TooManyGuesses(Exception):
    """`retry_s`: whole seconds until a token is looked at again."""

    def __init__(self, retry_s: int) -> None:
        super().__init__(retry_s)
        self.retry_s = retry_s


class Access:
    """One app's secrets. The cookie follows from the token and does not give it away: with a chosen token, pages stay
    logged in when the program is started anew."""

    def __init__(self, token: str | None = None, hosts: Iterable[str] = ()) -> None:
        self.token = token or secrets.token_urlsafe(24)
        self.hosts = frozenset(host.lower() for host in (*LOOPBACK, *hosts))
        self.cookie_value = hmac.new(self.token.encode(), b"midflight cookie", hashlib.sha256).hexdigest()
        # Cookies know no ports: two programs on one host must not log each other out.
        self.cookie_name = "midflight-" + hashlib.sha256(self.cookie_value.encode()).hexdigest()[:8]
        self._wrong: collections.deque[float] = collections.deque(maxlen=GUESSES)

    def is_token(self, given: str) -> bool:
        """Raises TooManyGuesses, also for the right token: else guessing could go on."""
        now = time.monotonic()
        if len(self._wrong) == GUESSES and now - self._wrong[0] < GUESS_WINDOW_S:
            raise TooManyGuesses(int(GUESS_WINDOW_S - (now - self._wrong[0])) + 1)
        right = hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())
        if not right:
            self._wrong.append(now)
        return right

    def forgive(self) -> None:
        """Wrong guesses so far no longer count."""
        self._wrong.clear()

    def is_cookie(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode("utf-8", "replace"), self.cookie_value.encode())

    def answers_to(self, host: str) -> bool:
        """Whether a Host header names us. A page that rebinds its own name to this machine names itself."""
        return host_name(host) in self.hosts


def host_name(host: str) -> str:
    """`localhost:80` → `localhost`, `[::1]:80` → `::1`; empty for what is no name or address and, if it likes, a port:
    who sends anything else (`localhost/x`, `me@localhost`) is no browser that asks for us."""
    found = HOST.fullmatch(host)
    return (found["address"] or found["name"]).lower() if found else ""


def same_origin(origin: str, host: str) -> bool:
    """Whether a page of `origin` was served by `host`. A scheme cannot be told behind a proxy, a port can."""
    return origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")
