"""The forms of answers that are no documents: a failure, and the page that asks for the token."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import HTMLResponse, JSONResponse, Response

STATIC = Path(__file__).parent / "static"


class Refused(Exception):
    """A request that is not taken: `status` is of HTTP, the rest as in MidflightError."""

    def __init__(self, status: int, what: str, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.status, self.what, self.why, self.hint = status, what, why, hint


def failure(status: int, what: str, why: str = "", hint: str = "") -> Response:
    """{"error": {"what", "why", "hint"}}, as on the control socket."""
    return JSONResponse({"error": {"what": what, "why": why, "hint": hint}}, status)


def login_page(nonce: str) -> Response:
    """Carries its own style and script: without the token nothing else answers."""
    text = (STATIC / "login.html").read_text("utf-8")
    return HTMLResponse(text.replace("NONCE", nonce), 401)
