"""Settings from .env and the environment, which wins."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

ENV_FILE = Path(__file__).resolve().parents[2] / ".env"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

# Read once: a login that is taken out of .env must not open an agent that listens everywhere.
_from_file = dotenv_values(ENV_FILE)


class SettingsError(Exception):
    """Settings with which the agent does not start; says which, why, and what to do."""


def get(name: str) -> str | None:
    """The setting's text; None where it is not set or empty."""
    return os.environ.get(name, _from_file.get(name)) or None


def login() -> tuple[str, str] | None:
    """(name, password), or None where no login is asked for. Raises SettingsError where only one of them is set."""
    name, password = get("AUTH_LOGIN"), get("AUTH_PASSWORD")
    if (name is None) != (password is None):
        missing = "AUTH_LOGIN" if name is None else "AUTH_PASSWORD"
        raise SettingsError(f"{missing} is not set: a login needs a name and a password. Set both in .env, or neither.")
    return (name, password) if name is not None and password is not None else None


def names() -> tuple[str, ...]:
    """The names by which the agent answers: those of the loopback, and with a login the address and those of .env."""
    if login() is None:
        return LOOPBACK
    given = [get("WEB_UI_HOST") or "", *(get("WEB_UI_NAMES") or "").split(",")]
    return (*LOOPBACK, *(name.strip().lower() for name in given if name.strip()))


def address() -> tuple[str, int]:
    """(host, port). Raises SettingsError: without a login the agent listens on the loopback address only."""
    host, port = get("WEB_UI_HOST") or "127.0.0.1", get("WEB_UI_PORT") or "50001"
    if not port.isdecimal() or int(port) > 65535:
        raise SettingsError(f"WEB_UI_PORT is {port!r}: it must be a number from 0 to 65535.")
    if login() is None and host not in LOOPBACK:
        raise SettingsError(
            f"WEB_UI_HOST is {host}, where others could reach the agent, and there is no login. "
            "Set AUTH_LOGIN and AUTH_PASSWORD in .env, or leave WEB_UI_HOST out."
        )
    return host, int(port)
