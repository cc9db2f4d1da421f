"""Who may ask the agent: from this machine without a login, only with it where one is set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets

from .serving import QUICK, TEST_TOOL, Agent, environment, served

pytestmark = pytest.mark.one_version

ME = ("me", "pässword: with a colon")
LOGIN = {"AUTH_LOGIN": ME[0], "AUTH_PASSWORD": ME[1]}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def open_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    from .serving import copy_of_example

    with served(copy_of_example(tmp_path_factory.mktemp("open")), **QUICK) as one:
        yield one


@pytest.fixture(scope="module")
def locked_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    from .serving import copy_of_example

    folder = copy_of_example(tmp_path_factory.mktemp("locked"))
    with (folder / ".env").open("a") as env:
        env.write("\n".join(f"{name}='{value}'" for name, value in LOGIN.items()))
    with served(folder, **QUICK) as one:
        yield one


def ask(agent: Agent, method: str, path: str, **options: object) -> httpx.Response:
    with httpx.Client(base_url=f"http://127.0.0.1:{agent.port}", trust_env=False) as client:
        return client.request(method, path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST", "[::1]"])
def test_without_a_login_the_names_of_the_loopback_are_answered(open_agent: Agent, host: str) -> None:
    answer = ask(open_agent, "POST", "/hot_reload_status", json={}, headers={"Host": f"{host}:{open_agent.port}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.7", "", "[", "127.0.0.1.evil.example"]
)
@pytest.mark.parametrize("path", ["/", "/hot_reload_status", "/css/page.css"])
def test_a_host_that_is_not_ours_is_refused(open_agent: Agent, host: str, path: str) -> None:
    method = "POST" if path == "/hot_reload_status" else "GET"
    answer = ask(open_agent, method, path, headers={"Host": host, **JSON})
    assert answer.status_code in (400, 403) and b"operational" not in answer.content


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "file://", "https://["])
def test_a_page_of_another_site_is_refused(open_agent: Agent, origin: str) -> None:
    headers = {"Origin": origin, "Host": f"localhost:{open_agent.port}"}
    answer = ask(open_agent, "POST", "/message", json={"context": "x", "text": "remember me"}, headers=headers)
    assert answer.status_code == 403 and "another site" in answer.json()["error"]


def test_a_page_of_our_own_is_answered(open_agent: Agent) -> None:
    host = f"localhost:{open_agent.port}"
    headers = {"Origin": f"http://{host}", "Host": host}
    assert ask(open_agent, "POST", "/hot_reload_status", json={}, headers=headers).status_code == 200


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
def test_what_a_form_could_send_is_refused(open_agent: Agent, kind: str) -> None:
    answer = ask(open_agent, "POST", "/message", content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 415 and "Content-Type: application/json" in answer.json()["error"]


@pytest.mark.parametrize(
    "body, status, message",
    [
        ({"context": "x"}, 400, "text must be a text that is not empty"),
        ({"context": "x", "text": "  "}, 400, "text must be a text that is not empty"),
        ({"context": "x", "text": 7}, 400, "text must be a text that is not empty"),
        ({"context": "x", "text": "a" * 20_001}, 400, "text has 20001 characters; at most 20000 are taken"),
        ({"context": "x" * 101, "text": "a"}, 400, "context has 101 characters; at most 100 are taken"),
        ({"context": "x", "text": "a" * (1 << 20)}, 413, "the request is too long"),
    ],
)
def test_a_message_that_makes_no_sense_is_told_why(
    open_agent: Agent, body: dict[str, object], status: int, message: str
) -> None:
    answer = open_agent.post("message", **body)
    assert (answer.status_code, answer.json()["success"]) == (status, False)
    assert message in answer.json()["error"]


def test_an_endpoint_that_is_not_there_is_said_to_be(open_agent: Agent) -> None:
    answer = open_agent.post("../run_ui")
    assert answer.status_code == 404
    answer = open_agent.post("nothing")
    assert answer.status_code == 404 and "there is no endpoint nothing" in answer.json()["error"]


@pytest.mark.parametrize(
    "path", ["/css/../../.env", "/css/%2e%2e/%2e%2e/.env", "/js/..%2f..%2f.env", "/.env", "/agent.py"]
)
def test_files_outside_the_pages_folder_are_not_served(open_agent: Agent, path: str) -> None:
    assert ask(open_agent, "GET", path).status_code in (404, 405)


@pytest.mark.parametrize(
    "method, path",
    [
        ("POST", "/message"),
        ("POST", "/history"),
        ("POST", "/chat_reset"),
        ("POST", "/hot_reload_status"),
        ("POST", "/nothing"),
        ("GET", "/js/index.js"),
        ("GET", "/js/hot_reload_panel.js"),
        ("GET", "/__midflight__/"),
        ("GET", "/__midflight__/panel.js"),
        ("GET", "/__midflight__/api/stats"),
        ("POST", "/__midflight__/hot_reload_status"),
        ("POST", "/__midflight__/api/reload"),
    ],
)
def test_with_a_login_nothing_answers_without_it(locked_agent: Agent, method: str, path: str) -> None:
    answer = ask(locked_agent, method, path, headers=JSON if method == "POST" else {})
    assert answer.status_code == 401 and "log in first" in answer.json()["error"]


@pytest.mark.parametrize("given", [(ME[0], "wrong"), ("you", ME[1]), ("", ""), (ME[0], "")])
def test_a_wrong_name_or_password_is_not_enough(locked_agent: Agent, given: tuple[str, str]) -> None:
    assert ask(locked_agent, "POST", "/hot_reload_status", json={}, auth=given).status_code == 401


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic /w==", "Bearer me", "basic bWU=", ""])
def test_an_authorization_that_is_none_is_not_enough(locked_agent: Agent, header: str) -> None:
    answer = ask(locked_agent, "POST", "/hot_reload_status", json={}, headers={"Authorization": header})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "host", ["localhost/login?", "localhost/css/page.css#", "localhost/login?:1", "me@localhost", "localhost:x"]
)
def test_a_host_that_smuggles_a_path_opens_nothing(locked_agent: Agent, open_agent: Agent, host: str) -> None:
    for agent in (locked_agent, open_agent):
        answer = ask(agent, "POST", "/hot_reload_status", json={}, headers={"Host": host})
        assert answer.status_code in (400, 403) and b"operational" not in answer.content


def test_a_login_taken_out_of_env_is_asked_for_until_the_restart(folder: Path) -> None:
    (folder / ".env").write_text(f"AUTH_LOGIN={ME[0]}\nAUTH_PASSWORD='{ME[1]}'\n")
    with served(folder, **QUICK) as agent:
        (folder / ".env").unlink()
        agent_file = "python/helpers/files.py"
        agent.write(agent_file, agent.read(agent_file) + "\nEDITED = True\n")
        agent.until_console("Successfully reloaded: helpers.files")
        assert ask(agent, "POST", "/hot_reload_status", json={}).status_code == 401
        assert ask(agent, "POST", "/hot_reload_status", json={}, auth=ME).status_code == 200


def test_guessing_ends_after_ten_wrong_passwords_and_who_is_in_stays_in(folder: Path) -> None:
    with served(folder, **QUICK, **LOGIN) as agent:
        right = ask(agent, "POST", "/login", json={"name": ME[0], "password": ME[1]})
        cookie = {"Cookie": right.headers["set-cookie"].split(";")[0]}
        for number in range(10):
            assert ask(agent, "POST", "/history", json={}, auth=(ME[0], str(number))).status_code == 401
        for login in ({"auth": ME, "json": {}}, {"json": {"name": ME[0], "password": ME[1]}}):
            answer = ask(agent, "POST", "/login" if "auth" not in login else "/history", **login)
            assert answer.status_code == 429 and "too many wrong passwords" in answer.json()["error"]
        assert ask(agent, "POST", "/history", json={"context": "x"}, headers=cookie).status_code == 200


def test_the_page_sends_a_stranger_to_the_login_page(locked_agent: Agent) -> None:
    answer = ask(locked_agent, "GET", "/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "password" in ask(locked_agent, "GET", "/login").text


def test_curl_with_name_and_password_is_answered(locked_agent: Agent) -> None:
    answer = ask(locked_agent, "POST", "/hot_reload_status", json={"action": "status"}, auth=ME)
    assert answer.json()["status"] == "running"


def test_a_cookie_is_given_for_the_right_password_only(locked_agent: Agent) -> None:
    wrong = ask(locked_agent, "POST", "/login", json={"name": ME[0], "password": "pässword"})
    assert wrong.status_code == 401 and "set-cookie" not in wrong.headers
    right = ask(locked_agent, "POST", "/login", json={"name": ME[0], "password": ME[1]})
    cookie = right.headers["set-cookie"]
    assert right.status_code == 200 and "HttpOnly" in cookie and "SameSite=strict" in cookie
    value = cookie.split(";")[0]
    answer = ask(locked_agent, "POST", "/history", json={"context": "x"}, headers={"Cookie": value})
    assert answer.status_code == 200
    answer = ask(locked_agent, "POST", "/history", json={"context": "x"}, headers={"Cookie": value[:-1]})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/__midflight__/api/events", "/events"])
def test_with_a_login_the_web_socket_asks_for_it_too(locked_agent: Agent, path: str) -> None:
    async def connect() -> None:
        origin = f"http://127.0.0.1:{locked_agent.port}"
        async with websockets.connect(f"ws://127.0.0.1:{locked_agent.port}{path}", origin=origin, proxy=None):  # type: ignore[arg-type]
            pass

    with pytest.raises(websockets.InvalidStatus, match="403"):
        asyncio.run(connect())


@pytest.mark.parametrize(
    "extra, complaint",
    [
        ({"WEB_UI_HOST": "0.0.0.0"}, "there is no login. Set AUTH_LOGIN and AUTH_PASSWORD in .env"),
        ({"WEB_UI_HOST": "::"}, "there is no login"),
        ({"AUTH_LOGIN": "me"}, "AUTH_PASSWORD is not set: a login needs a name and a password"),
        ({"AUTH_PASSWORD": "x"}, "AUTH_LOGIN is not set"),
        ({"WEB_UI_PORT": "many"}, "WEB_UI_PORT is 'many': it must be a number"),
        ({"WEB_UI_PORT": "70000"}, "WEB_UI_PORT is '70000'"),
    ],
)
def test_settings_that_would_be_unsafe_or_wrong_stop_the_start(
    folder: Path, extra: dict[str, str], complaint: str
) -> None:
    import subprocess

    own = folder.parent / "run"
    own.mkdir(mode=0o700)
    done = subprocess.run(
        ["python", "run_ui.py"], cwd=folder, env=environment(own, **extra),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("The agent was not started: ") and complaint in done.stderr


def test_a_port_that_is_taken_stops_the_start(folder: Path, open_agent: Agent) -> None:
    import subprocess

    own = folder.parent / "run"
    own.mkdir(mode=0o700)
    done = subprocess.run(
        ["python", "run_ui.py"], cwd=folder, env=environment(own, WEB_UI_PORT=str(open_agent.port)),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and f"127.0.0.1:{open_agent.port} cannot be listened at" in done.stderr


def test_with_a_login_the_agent_may_listen_everywhere(folder: Path) -> None:
    with served(folder, WEB_UI_HOST="0.0.0.0", WEB_UI_NAMES="other, Agent.Example", **QUICK, **LOGIN) as agent:
        answer = ask(agent, "POST", "/hot_reload_status", json={}, headers={"Host": "agent.example"}, auth=ME)
        assert answer.status_code == 200
        answer = ask(agent, "POST", "/hot_reload_status", json={}, headers={"Host": "agent.example"})
        assert answer.status_code == 401
        answer = ask(agent, "GET", "/__midflight__/api/status", headers={"Host": "agent.example"}, auth=ME)
        assert answer.status_code == 200
        answer = ask(agent, "POST", "/hot_reload_status", json={}, headers={"Host": "evil.example"}, auth=ME)
        assert answer.status_code == 403 and "other, agent.example: see .env" in answer.json()["error"]


def test_the_devtools_answer_whoever_may_use_the_page(open_agent: Agent, locked_agent: Agent) -> None:
    own = open_agent.post("hot_reload_status", action="stats").json()
    assert open_agent.post("__midflight__/hot_reload_status", action="stats").json() == own
    assert open_agent.http.get("/__midflight__/api/status").json()["status"] == "running"
    answer = ask(locked_agent, "GET", "/__midflight__/api/status", auth=ME)
    assert answer.json()["status"] == "running"


def test_the_devtools_hear_of_each_reload_at_once(agent: Agent) -> None:
    import json

    async def listen() -> list[dict[str, object]]:
        host = f"localhost:{agent.port}"
        heard = []
        async with websockets.connect(
            f"ws://{host}/__midflight__/api/events", origin=f"http://{host}", proxy=None
        ) as events:  # type: ignore[arg-type]
            heard.append(json.loads(await events.recv()))
            agent.sub(TEST_TOOL, "version 1", "version 2")
            while "report" not in heard[-1]:
                heard.append(json.loads(await asyncio.wait_for(events.recv(), 30)))
        return heard

    report = asyncio.run(listen())[-1]["report"]
    assert isinstance(report, dict) and report["outcome"] == "committed"
    assert list(report["modules"]) == ["python.tools.hot_reload_test"]
