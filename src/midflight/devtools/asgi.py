"""The DevTools as one ASGI app, to run alone or to mount."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from midflight.devtools.access import Access
from midflight.devtools.answers import STATIC, Refused, failure
from midflight.devtools.api import Api, Json
from midflight.devtools.guard import Auth, Guard
from midflight.devtools.openapi import description
from midflight.errors import MidflightError
from midflight.session import Session, current

Handler = Callable[[Request], Awaitable[Response]]

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
}


class DevTools:
    """The guarded app. `routes` are those behind the guard; `link(host)` logs a browser in."""

    def __init__(self, inner: Starlette, access: Access, api: Api, auth: Auth | None) -> None:
        self.access, self.api, self.routes = access, api, list[BaseRoute](inner.routes)
        self._guard = Guard(inner, access, auth)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._guard(scope, receive, send)

    async def admits(self, scope: Scope) -> bool:
        """Whether who asks for some page of the host app may see the DevTools."""
        return await self._guard.admits(scope)

    def link(self, origin: str) -> str:
        return f"{origin}/?token={self.access.token}"

    def close(self) -> None:
        """Follows its session no longer."""
        self.api.close()


def app(
    session: Session | None = None,
    *,
    token: str | None = None,
    auth: Auth | None = None,
    hosts: Iterable[str] = (),
) -> DevTools:
    """The DevTools of `session`, or of the process's session when it is None.

    Answers by loopback names and by `hosts`, to who has the token (a random one when None: `.access.token`). With
    `auth` the host app decides instead: called with the Starlette HTTPConnection, it says True or False, or awaits it.
    """
    access = Access(token, hosts)
    api = Api(access, current if session is None else lambda: session)
    api.watch()
    inner = Starlette(
        routes=_routes(api, access),
        exception_handlers={Refused: _refused, MidflightError: _said_no, HTTPException: _no_route},
    )
    return DevTools(inner, access, api, auth)


def _routes(api: Api, access: Access) -> list[BaseRoute]:
    handlers: dict[tuple[str, str], Handler] = {
        ("POST", "/hot_reload_status"): api.hot_reload_status,
        ("GET", "/api/status"): api.status,
        ("GET", "/api/stats"): api.stats,
        ("GET", "/api/graph"): api.graph,
        ("GET", "/api/history"): api.history,
        ("GET", "/api/reports/{id}"): api.report,
        ("GET", "/api/versions"): api.versions,
        ("GET", "/api/profile"): api.profile,
        ("GET", "/api/tests"): api.tests,
        ("GET", "/api/settings"): api.settings,
        ("GET", "/api/openapi.json"): _description(access),
        ("POST", "/api/login"): api.login,
        ("POST", "/api/reload"): api.reload,
        ("POST", "/api/plan"): api.plan,
        ("POST", "/api/rollback"): api.rollback,
        ("POST", "/api/pause"): api.pause,
        ("POST", "/api/resume"): api.resume,
        ("POST", "/api/apply"): api.apply,
        ("GET", "/panel.js"): _file("panel.js"),
        ("GET", "/static/{path:path}"): _static,
        ("GET", "/"): _page(api),
    }
    plain = [Route(path, handle, methods=[method]) for (method, path), handle in handlers.items()]
    return [*plain, WebSocketRoute("/api/events", api.events)]


def _description(access: Access) -> Handler:
    async def answer(request: Request) -> Response:
        return Json(description(request.scope.get("root_path", ""), access.cookie_name))

    return answer


# Files


def _files() -> dict[str, Path]:
    """What may be served, by name: nothing else can be asked for, whatever a path says."""
    return {
        path.relative_to(STATIC).as_posix(): path
        for path in STATIC.rglob("*")
        if path.is_file() and path.suffix in KINDS and path.name != "login.html"
    }


async def _static(request: Request) -> Response:
    return _serve(request, request.path_params["path"])


def _file(name: str) -> Handler:
    async def serve(request: Request) -> Response:
        return _serve(request, name)

    return serve


def _page(api: Api) -> Handler:
    async def serve(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        if by_link := api.by_link(request):
            return by_link
        if root and request.scope["path"] == root:
            return RedirectResponse(f"{root}/", 307)  # the page's own links are relative to its folder
        return _serve(request, "index.html")

    return serve


def _serve(request: Request, name: str) -> Response:
    path = _files().get(name)
    if path is None:
        raise Refused(404, f"there is no file {name[:80]!r}")
    content = path.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=KINDS[path.suffix], headers=headers)


# What went wrong


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    answer = failure(error.status, error.what, error.why, error.hint)
    if error.status == 413:
        answer.headers["connection"] = "close"  # what was not read must not be taken for the next request
    return answer


async def _said_no(request: Request, error: Exception) -> Response:
    """The session is not in a state to do it."""
    assert isinstance(error, MidflightError)
    return failure(409, error.what, error.why, error.hint)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = failure(error.status_code, error.detail, hint="The routes are described at api/openapi.json.")
    answer.headers.update(error.headers or {})
    return answer
