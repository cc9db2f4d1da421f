"""The panel in a program's own pages, by ASGI and by WSGI; the same table for both."""

from __future__ import annotations

import contextlib
import gzip
import io
import threading
import wsgiref.simple_server
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from midflight.integrations import asgi, wsgi
from midflight.session import Session

pytestmark = pytest.mark.one_version

TOKEN = "a-token-of-these-tests"
TAG = '<script type="module" src="/__midflight__/panel.js"></script>\n'
PAGE = "<!doctype html><p>hello</p>"
KNOWN = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/html"}

# path → status, headers, parts of the body
ANSWERS: dict[str, tuple[int, dict[str, str], list[bytes]]] = {
    "/page": (200, {"content-type": "text/html; charset=utf-8", "content-length": str(len(PAGE))}, [PAGE.encode()]),
    "/streamed": (200, {"content-type": "TEXT/HTML"}, [PAGE[:9].encode(), PAGE[9:].encode()]),
    "/empty": (200, {"content-type": "text/html"}, []),
    "/error": (500, {"content-type": "text/html"}, [PAGE.encode()]),
    "/json": (200, {"content-type": "application/json"}, [b"{}"]),
    "/plain": (200, {"content-type": "text/plain", "content-length": "5"}, [b"plain"]),
    "/packed": (200, {"content-type": "text/html", "content-encoding": "gzip"}, [gzip.compress(PAGE.encode())]),
    "/part": (206, {"content-type": "text/html"}, [b"<p>"]),
    "/nothing": (204, {}, []),
}


async def asgi_program(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    asks_packed = any(name == b"accept-encoding" for name, _ in scope["headers"])
    status, headers, parts = ANSWERS[scope["path"]]
    sent = [(name.encode(), value.encode()) for name, value in {**headers, "x-asks-packed": str(asks_packed)}.items()]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def wsgi_program(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    status, headers, parts = ANSWERS[environ["PATH_INFO"]]
    asked = str("HTTP_ACCEPT_ENCODING" in environ)
    start_response(f"{status} so", [*headers.items(), ("x-asks-packed", asked)])
    return list(parts)


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def served_asgi(program: Any) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(program, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@contextlib.contextmanager
def served_wsgi(program: Any) -> Iterator[str]:
    with wsgiref.simple_server.make_server("127.0.0.1", 0, program, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(params=["asgi", "wsgi"])
def wrapped(request: pytest.FixtureRequest, session: Session) -> Iterator[Callable[..., httpx.Client]]:
    """wrapped(**options): a client of the program in the middleware."""
    module, serving, program = {
        "asgi": (asgi, served_asgi, asgi_program),
        "wsgi": (wsgi, served_wsgi, wsgi_program),
    }[request.param]
    with contextlib.ExitStack() as stack:

        def start(**options: Any) -> httpx.Client:
            options.setdefault("session", session)
            middleware = module.PanelMiddleware(program, **options)
            stack.callback(middleware.devtools.close)
            address = stack.enter_context(serving(middleware))
            return stack.enter_context(httpx.Client(base_url=address, verify=False, timeout=60))

        yield start


@pytest.mark.parametrize("path", ["/page", "/streamed", "/empty", "/error"])
def test_a_page_gets_the_panel_behind_it(wrapped: Callable[..., httpx.Client], path: str) -> None:
    answer = wrapped(token=TOKEN).get(path, headers=KNOWN)
    status, _, parts = ANSWERS[path]
    assert (answer.status_code, answer.text) == (status, b"".join(parts).decode() + TAG)
    assert answer.headers["x-asks-packed"] == "False"


@pytest.mark.parametrize("path", ["/json", "/plain", "/part", "/nothing"])
def test_what_is_no_page_is_left_alone(wrapped: Callable[..., httpx.Client], path: str) -> None:
    answer = wrapped(token=TOKEN).get(path, headers=KNOWN)
    status, headers, parts = ANSWERS[path]
    assert (answer.status_code, answer.content) == (status, b"".join(parts))
    assert headers.items() <= dict(answer.headers).items()


def test_a_page_that_was_compressed_all_the_same_is_left_alone(wrapped: Callable[..., httpx.Client]) -> None:
    assert wrapped(token=TOKEN).get("/packed", headers=KNOWN).text == PAGE


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "text/html"}, {**KNOWN, "Authorization": "Bearer wrong"}, {**KNOWN, "Accept": "application/json"},
        {**KNOWN, "Host": "evil.example"},
    ],
)  # fmt: skip
def test_who_may_not_see_it_gets_the_page_as_it_is(
    wrapped: Callable[..., httpx.Client], headers: dict[str, str]
) -> None:
    answer = wrapped(token=TOKEN).get("/page", headers=headers)
    assert answer.text == PAGE and answer.headers["x-asks-packed"] == "True"


def test_the_devtools_are_below_their_path_behind_their_token(
    wrapped: Callable[..., httpx.Client], capfd: pytest.CaptureFixture[str]
) -> None:
    client = wrapped(token=TOKEN)
    assert client.get("/__midflight__/api/status").status_code == 401
    link = capfd.readouterr().err.strip().rpartition(" ")[2]
    assert link == f"{str(client.base_url).rstrip('/')}/__midflight__/?token={TOKEN}"
    answer = client.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/__midflight__/")
    assert client.get("/__midflight__/api/status").json()["status"] == "running"
    assert client.post("/__midflight__/hot_reload_status", json={"action": "status"}).json()["enabled"] is True
    assert client.post("/__midflight__/api/pause", content=b"{}").status_code == 415
    assert client.get("/__midflight__").status_code == 307
    assert client.get("/__midflight__/panel.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/page", headers={"Accept": "text/html"}).text == PAGE + TAG
    big = b'{"x": "' + b"x" * (10 << 20) + b'"}'
    with contextlib.suppress(httpx.WriteError):
        sent = {"Content-Type": "application/json"}
        assert client.post("/__midflight__/api/plan", content=big, headers=sent).status_code == 413


def test_a_reload_through_it(wrapped: Callable[..., httpx.Client], project: Path) -> None:
    client = wrapped(token=TOKEN, path="tools/")
    (project / "cart.py").write_text("RATE = 5\n")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert client.post("/tools/api/reload", json={}, headers=headers).json()["outcome"] == "committed"


@pytest.mark.parametrize("known", [True, False])
def test_the_host_app_decides_where_it_brings_its_own_auth(
    wrapped: Callable[..., httpx.Client], known: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    client = wrapped(auth=lambda asked: known)
    assert client.get("/__midflight__/api/status").status_code == (200 if known else 401)
    assert client.get("/page", headers={"Accept": "text/html"}).text == (PAGE + TAG if known else PAGE)
    assert "token" not in capfd.readouterr().err


def test_without_a_running_session_nothing_is_there(wrapped: Callable[..., httpx.Client], session: Session) -> None:
    client = wrapped(token=TOKEN)
    session.stop()
    assert client.get("/page", headers=KNOWN).text == PAGE


@pytest.mark.parametrize("module", [asgi, wsgi])
def test_the_whole_site_is_no_place_for_it(module: Any) -> None:
    with pytest.raises(ValueError, match="own pages are there"):
        module.PanelMiddleware(wsgi_program, path="/")


def test_wsgi_reads_only_what_was_sent(session: Session) -> None:
    """A server's input may block beyond Content-Length."""
    middleware = wsgi.PanelMiddleware(wsgi_program, session, token=TOKEN)
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/__midflight__/api/plan", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(b"{}beyond"), "CONTENT_TYPE": "application/json",
        "HTTP_HOST": "localhost", "HTTP_AUTHORIZATION": f"Bearer {TOKEN}", "CONTENT_LENGTH": "2",
    }  # fmt: skip
    body = b"".join(middleware(environ, lambda status, headers, info=None: told.append(status)))  # type: ignore[arg-type]
    assert told == ["200 ."] and b"steps" in body
    middleware.devtools.close()
