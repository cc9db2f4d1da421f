"""The agent's server: `python run_ui.py`, then the link that it prints."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import initialize
from midflight import devtools
from python.helpers import api, guard, settings

WEBUI = Path(__file__).resolve().parent / "webui"
LONGEST_BODY = 1 << 20  # bytes


def init_a0() -> None:
    initialize.initialize_agent()
    initialize.initialize_job_loop()
    initialize.initialize_hot_reload()


def app() -> Starlette:
    sessions = guard.Sessions()

    async def login(request: Request) -> Response:
        given = await body_of(request)
        if not sessions.may_enter(str(given.get("name", "")), str(given.get("password", ""))):
            return guard.failure(401, "this is not the name and password that .env sets")
        answer = JSONResponse({"success": True})
        answer.set_cookie(guard.COOKIE, sessions.add(), httponly=True, samesite="strict")
        return answer

    routes = [
        Route("/", page, methods=["GET"]),
        Route("/login", login_page, methods=["GET"]),
        Route("/login", login, methods=["POST"]),
        Mount("/css", StaticFiles(directory=WEBUI / "css")),
        Mount("/js", StaticFiles(directory=WEBUI / "js")),
        # Who comes this far was let in by our own guard.
        Mount("/__midflight__", devtools.app(auth=lambda asked: True, hosts=sessions.names)),
        Route("/{endpoint}", endpoint, methods=["POST"]),
    ]
    errors = {api.ApiError: api_error, guard.TooManyGuesses: too_many}
    before = [Middleware(guard.Guard, sessions=sessions)]
    return Starlette(routes=routes, middleware=before, exception_handlers=errors, lifespan=until_stopped)


@contextlib.asynccontextmanager
async def until_stopped(app: Starlette) -> AsyncIterator[None]:
    """uvicorn dies of the signal that ended it, so nothing after its run would be done."""
    yield
    initialize.stop_hot_reload()


async def page(request: Request) -> Response:
    return FileResponse(WEBUI / "index.html")


async def login_page(request: Request) -> Response:
    return FileResponse(WEBUI / "login.html") if settings.login() else RedirectResponse("/", 303)


async def endpoint(request: Request) -> Response:
    """Found at each request: python/api is edited live too."""
    name = request.path_params["endpoint"]
    handler = api.handlers().get(name)
    if handler is None:
        raise api.ApiError(f"there is no endpoint {name}: each file in python/api is one", 404)
    try:
        return JSONResponse(await handler().process(await body_of(request)))
    except api.ApiError:
        raise
    except Exception as error:
        # Code that is edited live fails now and then: the caller is told, and the server goes on.
        traceback.print_exc()
        return guard.failure(500, f"{type(error).__name__}: {error}")


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that was sent. Raises ApiError."""
    taken = bytearray()
    async for part in request.stream():
        taken += part
        if len(taken) > LONGEST_BODY:
            raise api.ApiError(f"the request is too long: at most {LONGEST_BODY} bytes are taken", 413)
    try:
        found = json.loads(taken or b"{}")
    except ValueError as error:
        raise api.ApiError(f"the request is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise api.ApiError("the request must be a JSON object")
    return found


def api_error(request: Request, error: Exception) -> Response:
    return guard.failure(getattr(error, "status", 500), str(error))


def too_many(request: Request, error: Exception) -> Response:
    return guard.failure(429, str(error))


def listen(host: str, port: int) -> socket.socket:
    """Raises SettingsError where the address cannot be had."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise settings.SettingsError(
            f"{host}:{port} cannot be listened at: {error.strerror}. "
            "End what listens there, or set WEB_UI_HOST and WEB_UI_PORT in .env."
        ) from error


def run() -> int:
    try:
        listener = listen(*settings.address())
    except settings.SettingsError as error:
        print(f"The agent was not started: {error}", file=sys.stderr)
        return 1
    init_a0()
    host, port = listener.getsockname()[:2]
    login = "with the login of .env" if settings.login() else "without a login, from this machine only"
    print(f"Agent: http://{'localhost' if host in settings.LOOPBACK else host}:{port} ({login})", flush=True)
    config = uvicorn.Config(app(), log_level="warning", ws="websockets-sansio", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(run())
