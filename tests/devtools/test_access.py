"""Who gets an answer, and who does not."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import HTTPConnection
from starlette.routing import Route, WebSocketRoute
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from midflight.devtools import app, serve
from midflight.devtools.access import GUESSES, Access, TooManyGuesses, same_origin
from midflight.devtools.server import Server
from midflight.errors import DevToolsError
from midflight.session import Session

from .conftest import made, running, served

pytestmark = pytest.mark.one_version

JSON = {"Content-Type": "application/json"}
Follow = Callable[..., AbstractContextManager[ClientConnection]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with made(tmp_path_factory.mktemp("access") / "shop") as folder:
        yield folder


@pytest.fixture(scope="module")
def session(project: Path) -> Iterator[Session]:
    with running(project) as session:
        yield session


@pytest.fixture(scope="module")
def only_server(session: Session) -> Iterator[Server]:
    with served(session) as server:
        yield server


@pytest.fixture
def server(only_server: Server) -> Iterator[Server]:
    """One for all tests here: none of them changes the program. What one guessed wrong is not held against the next."""
    yield only_server
    only_server.app.access.forgive()


def routes(of: Any) -> Iterator[tuple[str, str]]:
    """Each route of the app itself: method and a path that fits it."""
    for route in of.routes:
        path = re.sub(r"\{[^}]*\}", "r1", route.path)
        if isinstance(route, Route):
            yield from ((method, path) for method in sorted(route.methods or ()))


ROUTES = sorted(routes(app()))


def test_the_routes_are_those_of_the_surface() -> None:
    assert {path for _, path in ROUTES} >= {"/", "/panel.js", "/hot_reload_status", "/api/status", "/api/apply"}
    assert [route.path for route in app().routes if isinstance(route, WebSocketRoute)] == ["/api/events"]


@pytest.mark.parametrize("method, path", [one for one in ROUTES if one != ("POST", "/api/login")])
def test_no_route_answers_without_the_token(stranger: httpx.Client, method: str, path: str) -> None:
    answer = stranger.request(method, path, headers=JSON)
    assert answer.status_code == 401
    assert "RATE" not in answer.text and "cart" not in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/static/../app.py", "//", "/api", "/api/events", "/docs"])
def test_nor_does_what_is_no_route(stranger: httpx.Client, path: str) -> None:
    assert stranger.get(path).status_code == 401


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nor_does_another_method(stranger: httpx.Client, method: str) -> None:
    assert stranger.request(method, "/api/status").status_code == 401


def test_a_page_without_the_token_is_a_form_that_asks_for_it(stranger: httpx.Client) -> None:
    answer = stranger.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "<form>" in answer.text and "script-src 'nonce-" in answer.headers["content-security-policy"]


def test_the_link_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(
    server: Server, stranger: httpx.Client
) -> None:
    answer = stranger.get(server.link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert server.app.access.token not in cookie
    assert stranger.get("/api/status").status_code == 200


def test_a_login_becomes_the_same_cookie(server: Server, stranger: httpx.Client) -> None:
    wrong = stranger.post("/api/login", json={"token": "wrong"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    assert stranger.post("/api/login", json={"token": server.app.access.token}).json() == {"ok": True}
    assert stranger.get("/api/status").status_code == 200


def test_with_a_chosen_token_a_page_stays_logged_in_when_the_program_is_started_anew() -> None:
    first, again, other = Access("a-token-of-a-person"), Access("a-token-of-a-person"), Access("another-token-of-one")
    assert again.is_cookie(first.cookie_value) and again.cookie_name == first.cookie_name
    assert not other.is_cookie(first.cookie_value) and other.cookie_name != first.cookie_name
    assert not Access().is_cookie(Access().cookie_value)


@pytest.mark.parametrize("way", ["login", "link", "header"])
def test_guessing_is_stopped_and_then_the_right_token_waits_too(
    server: Server, stranger: httpx.Client, client: httpx.Client, way: str
) -> None:
    def guess(token: str) -> httpx.Response:
        if way == "login":
            return stranger.post("/api/login", json={"token": token})
        if way == "link":
            return stranger.get("/", params={"token": token})
        return stranger.get("/api/status", headers={"Authorization": f"Bearer {token}"})

    stranger_with_cookie = httpx.Client(base_url=server.url, verify=False)
    stranger_with_cookie.get(server.link)
    assert [guess(f"wrong{n}").status_code for n in range(GUESSES)] == [401] * GUESSES
    stopped = guess(server.app.access.token)
    assert stopped.status_code == 429 and int(stopped.headers["retry-after"]) > 0
    # Who is in stays in.
    assert stranger_with_cookie.get("/api/status").status_code == 200


def test_one_wrong_token_a_minute_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    access, now = Access("the-right-token-of-this"), [0.0]
    monkeypatch.setattr("midflight.devtools.access.time.monotonic", lambda: now[0])
    for _ in range(3 * GUESSES):
        assert not access.is_token("wrong")
        now[0] += 60
    for _ in range(GUESSES):
        access.is_token("wrong")
    with pytest.raises(TooManyGuesses):
        access.is_token("the-right-token-of-this")
    now[0] += 61
    assert access.is_token("the-right-token-of-this")


@pytest.mark.parametrize(
    "host, taken",
    [
        ("localhost:8000", True), ("127.0.0.1", True), ("[::1]:8000", True), ("LOCALHOST", True),
        ("evil.example", False), ("127.0.0.1.evil.example", False), ("localhost.evil.example:80", False),
        ("0.0.0.0", False), ("evil.example#localhost", False), ("localhost@evil.example", False),
        ("", False), ("[", False), ("127.0.0.2", False), ("foo@localhost", False),
        ("localhost/x", False), ("localhost?", False), ("localhost:x", False), ("localhost:123456", False),
        ("localhost:", False), ("[localhost]", False), ("::1", False), ("localhost:80:80", False),
    ],
)  # fmt: skip
def test_a_name_that_is_not_ours_is_refused_also_with_the_token(client: httpx.Client, host: str, taken: bool) -> None:
    status = client.get("/api/status", headers={"Host": host}).status_code
    assert status == (200 if taken else 403)


def test_a_rebound_name_cannot_even_log_in(server: Server, stranger: httpx.Client) -> None:
    body, host = {"token": server.app.access.token}, {"Host": "evil.example"}
    assert stranger.post("/api/login", json=body, headers=host).status_code == 403
    assert stranger.get(server.link, headers=host).status_code == 403


@pytest.mark.parametrize(
    "headers, status",
    [
        (JSON, 200),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Type": "text/plain; application/json"}, 415),
        ({}, 415),
        ({**JSON, "Origin": "http://evil.example"}, 403),
        ({**JSON, "Origin": "null"}, 403),
        ({**JSON, "Origin": "http://127.0.0.1:1"}, 403),
    ],
)  # fmt: skip
def test_a_post_that_a_page_of_another_site_could_send_is_refused(
    client: httpx.Client, headers: dict[str, str], status: int
) -> None:
    assert client.post("/api/pause", content=b"{}", headers=headers).status_code == status


def test_a_post_of_our_own_page_is_taken(client: httpx.Client, server: Server) -> None:
    assert client.post("/api/pause", json={}, headers={"Origin": server.url}).status_code == 200


@pytest.mark.parametrize(
    "origin, host, same",
    [
        ("http://localhost:80", "localhost:80", True), ("https://Localhost", "localhost", True),
        ("http://localhost:81", "localhost:80", False), ("file://localhost", "localhost", False),
        ("null", "null", False), ("", "", False), ("http://localhost/x", "localhost", False),
    ],
)  # fmt: skip
def test_an_origin_is_ours_when_its_page_came_from_here(origin: str, host: str, same: bool) -> None:
    assert same_origin(origin, host) == same


@pytest.mark.parametrize(
    "token, cookie, origin, let_in",
    [
        (False, False, None, False), (False, False, "own", False),
        (False, True, "own", True), (False, True, None, False), (False, True, "http://evil.example", False),
        (True, False, None, True), (True, False, "http://evil.example", False),
    ],
)  # fmt: skip
def test_a_websocket_needs_the_token_and_an_origin_of_ours(
    server: Server, follow: Follow, token: bool, cookie: bool, origin: str | None, let_in: bool
) -> None:
    access, headers = server.app.access, {}
    if token:
        headers["Authorization"] = f"Bearer {access.token}"
    if cookie:
        headers["Cookie"] = f"{access.cookie_name}={access.cookie_value}"
    from_page = server.url if origin == "own" else origin
    if let_in:
        with follow(additional_headers=headers, origin=from_page) as socket:
            assert "hello" in socket.recv()
    else:
        with pytest.raises(InvalidStatus) as refused:
            follow(additional_headers=headers, origin=from_page)
        known = token or cookie
        assert refused.value.response.status_code == (403 if known else 401)


def test_a_websocket_by_a_rebound_name_is_refused(follow: Follow, server: Server) -> None:
    access, port = server.app.access, int(server.url.rsplit(":", 1)[1])
    headers = {"Cookie": f"{access.cookie_name}={access.cookie_value}"}
    with socket.create_connection(("127.0.0.1", port)) as raw, pytest.raises(InvalidStatus) as refused:
        connect("ws://evil.example/api/events", sock=raw, additional_headers=headers, origin="http://evil.example")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd", "/static/login.html",
        "/static/%2fetc%2fpasswd", "/static/....//app.py", "/static/..\\app.py", "/static/", "/static/%00",
        "/api/reports/../../pyproject.toml", "/api/reports/..%2f..%2fcart.py", "/api/reports/%2e%2e%2fcart.py",
        "/api/reports/r1%00", "/api/reports/" + "x" * 4000,
    ],
)  # fmt: skip
def test_a_path_leads_nowhere_but_to_what_is_served(client: httpx.Client, server: Server, path: str) -> None:
    address = server.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1]))) as raw:  # httpx would tidy the path
        token = server.app.access.token
        raw.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: raw.recv(65536), b"")).decode()
    assert answer.split()[1] == "404"
    assert "import" not in answer and "RATE" not in answer


@pytest.mark.parametrize(
    "version", ["../../etc/passwd", "cart@../../x", "@", "cart@" + "f" * 5000, "r99999999", "\u202e"]
)
def test_a_version_that_is_none_is_refused(client: httpx.Client, project: Path, version: str) -> None:
    answer = client.post("/api/rollback", json={"version": version})
    assert answer.status_code in (400, 404, 409) and answer.json()["error"]["what"]
    assert (project / "cart.py").read_text().startswith("RATE = 2")


POSTS = sorted(path for method, path in ROUTES if method == "POST")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 200_000, b"nul", b'{"a": NaNN}', b"1e999"])
def test_a_body_that_is_no_object_is_told_so(client: httpx.Client, path: str, body: bytes) -> None:
    answer = client.post(path, content=body, headers=JSON)
    assert answer.status_code in ((400, 403) if path == "/api/apply" else (400,))
    assert answer.json()["error"]["what"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("chunked", [False, True])
def test_ten_megabytes_are_not_taken(client: httpx.Client, server: Server, path: str, chunked: bool) -> None:
    big = b'{"x": "' + b"x" * (10 << 20) + b'"}'
    content: Any = iter([big[at : at + 65536] for at in range(0, len(big), 65536)]) if chunked else big
    try:
        status = client.post(path, content=content, headers=JSON).status_code
    except (httpx.WriteError, httpx.RemoteProtocolError):
        status = 413  # the answer came, and the connection was closed, before all was sent
    assert status in ((413, 403) if path == "/api/apply" else (413,))
    assert client.get("/api/status").status_code == 200


def test_apply_is_off_unless_switched_on(client: httpx.Client, project: Path) -> None:
    answer = client.post("/api/apply", json={"files": {"cart.py": "RATE = 9\n"}})
    assert answer.status_code == 403 and "allow_apply" in answer.text
    assert (project / "cart.py").read_text().startswith("RATE = 2")


@pytest.mark.parametrize("headers", [{}, {"Accept": "text/html"}])
def test_every_answer_says_what_a_browser_may_do_with_it(
    client: httpx.Client, stranger: httpx.Client, headers: dict[str, str]
) -> None:
    for answer in (client.get("/", headers=headers), stranger.get("/", headers=headers), client.get("/api/status")):
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "address, token, why",
    [
        ("0.0.0.0:0", None, "others than you could reach"), ("192.0.2.1:0", None, "others than you could reach"),
        ("[::]:0", None, "others than you could reach"), ("0.0.0.0:0", "short", "too short"),
        ("nonsense", None, "HOST:PORT"), ("127.0.0.1:99999", None, "HOST:PORT"),
        ("192.0.2.1:0", "long-enough-as-a-token", "cannot be served at 192.0.2.1"),
    ],
)  # fmt: skip
def test_an_address_that_may_not_be_is_refused(session: Session, address: str, token: str | None, why: str) -> None:
    with pytest.raises(DevToolsError, match=why):
        serve(session, address, token=token)


def test_beyond_this_machine_with_a_chosen_token(session: Session) -> None:
    server = serve(session, "0.0.0.0:0", token="long-enough-as-a-token", hosts=["me.example"])
    try:
        port = server.url.rsplit(":", 1)[1]
        address = f"http://127.0.0.1:{port}/api/status"
        headers = {"Authorization": "Bearer long-enough-as-a-token"}
        assert httpx.get(address, headers={**headers, "Host": "me.example"}).status_code == 200
        assert httpx.get(address, headers={**headers, "Host": "you.example"}).status_code == 403
    finally:
        server.close()


def test_a_port_in_use_is_told_where_it_was_asked_for_and_passed_over_where_not(session: Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(DevToolsError, match="in use"):
        serve(session, f"127.0.0.1:{taken.getsockname()[1]}")
    first, second = serve(session), serve(session)
    try:
        assert first.url != second.url
    finally:
        first.close(), second.close()


@pytest.mark.parametrize("by", ["sync", "async"])
@pytest.mark.parametrize("known, status", [(True, 200), (False, 401)])
def test_the_host_app_decides_where_it_brings_its_own_auth(session: Session, by: str, known: bool, status: int) -> None:
    async def later(asked: HTTPConnection) -> bool:
        return known

    devtools = app(session, auth=later if by == "async" else lambda asked: known)
    transport = httpx.ASGITransport(devtools)

    async def ask() -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.get("/api/status")).status_code

    assert asyncio.run(ask()) == status
    devtools.close()
