"""Which pages get the panel, and by what line of HTML."""

from __future__ import annotations

import html
import sys
from collections.abc import Iterable

from midflight.session import Session, current


def tag(home: str) -> bytes:
    """The script that makes the panel; `home` is where the DevTools are mounted."""
    return f'<script type="module" src="{html.escape(home, quote=True)}/panel.js"></script>\n'.encode()


def takes_panel(status: int, headers: Iterable[tuple[str, str]]) -> bool:
    """Whether an answer is a page that can be added to: HTML, whole, and not compressed."""
    named = {name.lower(): value.lower() for name, value in headers}
    is_page = named.get("content-type", "").startswith("text/html")
    return is_page and status not in (204, 206, 304) and named.get("content-encoding", "identity") == "identity"


def tidy(path: str) -> str:
    """ "tools/" → "/tools". Raises ValueError for a path that would be the whole site."""
    path = "/" + path.strip("/")
    if path == "/":
        raise ValueError("the DevTools cannot be mounted at '/': the program's own pages are there")
    return path


def runs(session: Session | None) -> bool:
    """Whether there is anything to show in a page."""
    session = session if session is not None else current()
    return session is not None and session.running


def print_link(link: str) -> None:
    """Not logged: the link is a key, and logs are kept."""
    print(f"midflight: DevTools at {link}", file=sys.stderr, flush=True)
