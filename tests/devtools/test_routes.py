"""What the routes answer."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from midflight.devtools import app
from midflight.devtools.openapi import description
from midflight.session import Session

from .conftest import served

pytestmark = pytest.mark.one_version

JSON = {"Content-Type": "application/json"}


def ask(client: httpx.Client, action: str | None) -> Any:
    return client.post("/hot_reload_status", json={} if action is None else {"action": action}).json()


def test_hot_reload_status_answers_the_documents_shapes(client: httpx.Client, session: Session, project: Path) -> None:
    running = {"enabled": True, "status": "running", "message": "Hot-reload system is operational"}
    assert ask(client, "status") == ask(client, None) == running
    (project / "cart.py").write_text("RATE = 3\n\n\ndef total(net):\n    return net + RATE\n")
    assert session.reload().outcome == "committed"
    (project / "cart.py").write_text("RATE = (\n")
    assert session.reload().outcome == "refused"
    assert ask(client, "stats") == {
        "success": True,
        "stats": {
            "reloads": 2,
            "successes": 1,
            "failures": 1,
            "cache_stats": {"total_modules": 1, "total_loads": 2, "total_errors": 1},
            "is_running": True,
        },
    }


def test_hot_reload_status_of_what_does_not_run(client: httpx.Client, session: Session) -> None:
    session.pause()
    assert ask(client, "status")["status"] == "paused"
    session.stop()
    assert (ask(client, "status")["enabled"], ask(client, "status")["status"]) == (True, "stopped")
    assert ask(client, "stats")["stats"]["is_running"] is False
    answer = client.post("/hot_reload_status", json={"action": "dance"})
    assert answer.status_code == 400 and '"status" or "stats"' in answer.json()["error"]["why"]


def test_disabled_is_stopped(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from midflight.devtools import documents

    monkeypatch.setenv("HOT_RELOAD_ENABLED", "false")
    session = Session(paths=[project])
    session.start()
    for one in (session, None):
        assert documents.hot_reload_status(one)["enabled"] is False
        assert documents.hot_reload_status(one)["status"] == "stopped"
        assert documents.hot_reload_stats(one)["stats"]["is_running"] is False


def test_a_reload_is_asked_for_and_answers_its_report(client: httpx.Client, project: Path) -> None:
    (project / "cart.py").write_text("RATE = 7\n")
    report = client.post("/api/reload", json={}).json()
    assert report["outcome"] == "committed" and report["modules"]["cart"]["ran"] == ["RATE"]
    assert client.get(f"/api/reports/{report['id']}").json()["id"] == report["id"]
    assert client.get("/api/history").json()["reports"][0]["id"] == report["id"]
    assert client.post("/api/reload", json={"paths": ["cart.py"]}).json()["outcome"] == "unchanged"


def test_new_source_is_taken_where_that_is_switched_on(project: Path) -> None:
    with Session(paths=[project], mode="manual", allow_apply=True) as session, served(session) as server:
        importlib.import_module("cart")
        headers = {"Authorization": f"Bearer {server.app.access.token}"}
        with httpx.Client(base_url=server.url, headers=headers, verify=False, timeout=60) as client:
            report = client.post("/api/apply", json={"files": {"cart.py": "RATE = 8\n"}}).json()
            assert report["outcome"] == "committed" and (project / "cart.py").read_text() == "RATE = 8\n"
            for files in ({}, [], None, {"cart.py": 5}, {"": "x"}, {"cart.py": "\ud800"}):
                assert client.post("/api/apply", content=json.dumps({"files": files}), headers=JSON).status_code == 400
            for path in ("/etc/passwd.py", "../outside.py"):
                assert client.post("/api/apply", json={"files": {path: "X = 1\n"}}).status_code == 409
    assert not (project.parent / "outside.py").exists()


def test_a_plan_of_a_rollback_touches_nothing(client: httpx.Client, session: Session, project: Path) -> None:
    (project / "cart.py").write_text("RATE = 7\n\n\ndef total(net):\n    return net * RATE\n")
    session.reload()
    version = client.get("/api/versions").json()["versions"][-1]["id"]
    for target in ({"version": version}, {"modules": ["cart"]}, {"stable": True}):
        steps = client.post("/api/plan", json=target).json()["steps"]
        assert [(step["action"], step["name"]) for step in steps] == [("run", "RATE")], target
    assert "RATE = 7" in (project / "cart.py").read_text()
    assert client.post("/api/plan", json={"version": "cart@000000000000"}).status_code == 409


def test_what_a_page_shows_of_a_report(client: httpx.Client, session: Session, project: Path) -> None:
    (project / "cart.py").write_text("RATE = 7\n\n\ndef total(net:\n    return net * RATE\n")
    report = client.post("/api/reload", json={}).json()
    view = client.get(f"/api/reports/{report['id']}").json()["view"]
    assert [row["text"] for row in view["diffs"]["cart"] if row["kind"] == "+"] == ["RATE = 7", "def total(net:"]
    assert view["problems"][0]["excerpt"][-2] == {"line": 4, "text": "def total(net:"}
    assert "does not compile" in view["problems"][0]["explanation"]


def test_the_profile_tells_latency_memory_and_the_slowest(
    client: httpx.Client, session: Session, project: Path
) -> None:
    for rate in (5, 6):
        (project / "cart.py").write_text(f"RATE = {rate}\n")
        session.reload()
    profile = client.get("/api/profile").json()
    assert [point["outcome"] for point in profile["points"]] == ["committed", "committed"]
    assert {"preflight", "apply", "commit", "total"} <= set(profile["points"][0]["timings_ms"])
    assert [(row["module"], row["reloads"]) for row in profile["slowest"]] == [("cart", 2)]
    assert all(sample["rss"] > 1_000_000 for sample in profile["memory"]) and len(profile["memory"]) == 2
    assert profile["old_code"] == []


def test_who_stands_still_in_old_code_is_named(client: httpx.Client, session: Session, project: Path) -> None:
    (project / "cart.py").write_text("def lines():\n    yield 1\n    yield 2\n")
    session.reload()
    waiting = sys.modules["cart"].lines()
    next(waiting)
    (project / "cart.py").write_text("def lines():\n    yield 3\n    yield 4\n")
    session.reload()
    assert [one["name"] for one in client.get("/api/profile").json()["old_code"]] == ["lines"]
    waiting.close()


def test_a_plan_touches_nothing(client: httpx.Client, project: Path) -> None:
    (project / "cart.py").write_text("RATE = 7\n")
    plan = client.post("/api/plan", json={}).json()
    assert [f"{step['action']} {step['module']}.{step['name']}" for step in plan["steps"][:1]] == ["run cart.RATE"]
    assert client.get("/api/history").json()["reports"] == []


def test_what_keeps_a_file_from_being_taken_is_told_until_it_is_mended(client: httpx.Client, project: Path) -> None:
    good = (project / "cart.py").read_text()
    (project / "cart.py").write_text("def total(:\n")
    client.post("/api/reload", json={})
    problems = client.get("/api/status").json()["problems"]
    assert [(one["path"], one["line"], one["report"]) for one in problems] == [(str(project / "cart.py"), 1, "r1")]
    client.post("/api/reload", json={})
    assert len(client.get("/api/status").json()["problems"]) == 1
    (project / "cart.py").write_text(good)
    client.post("/api/reload", json={})
    assert client.get("/api/status").json()["problems"] == []


def test_pause_and_resume(client: httpx.Client) -> None:
    assert client.post("/api/pause", json={}).json()["status"] == "paused"
    assert client.post("/api/resume", json={}).json()["status"] == "running"


def test_the_graph_and_the_settings(client: httpx.Client, project: Path) -> None:
    assert client.get("/api/graph").json()["modules"]["cart"]["path"] == str(project / "cart.py")
    rows = {row["name"]: row for row in client.get("/api/settings").json()["settings"]}
    assert rows["mode"] == {"name": "mode", "value": "manual", "origin": "argument"}


def test_a_secret_among_the_settings_is_not_shown(project: Path) -> None:
    from midflight.devtools import documents

    session = Session(paths=[project], devtools_token="a-token-that-nobody-sees")
    assert "nobody-sees" not in documents.text(documents.settings(session))


@pytest.mark.parametrize(
    "path, body, what",
    [
        ("/api/reload", {"paths": "cart.py"}, "paths is a text"),
        ("/api/reload", {"paths": [1]}, "each of paths is a number"),
        ("/api/reload", {"paths": [""]}, "each of paths is an empty text"),
        ("/api/reload", {"paths": ["a\0b"]}, "each of paths is 'a"),
        ("/api/reload", {"wait_s": 0}, "wait_s is 0"),
        ("/api/reload", {"wait_s": True}, "wait_s is true or false"),
        ("/api/reload", {"wait_s": 1e300}, "wait_s is 1"),
        ("/api/plan", {"paths": {}}, "paths is an object"),
        ("/api/rollback", {"version": 5}, "version is a number"),
        ("/api/login", {"token": None}, "this is not the token"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_told_what_is_wrong(client: httpx.Client, path: str, body: Any, what: str) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"]["what"].startswith(what)


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1001", "", "9" * 50, "١"])
def test_a_wrong_limit_is_told(client: httpx.Client, limit: str) -> None:
    assert client.get("/api/history", params={"limit": limit}).status_code == 400


def test_a_file_outside_is_refused(client: httpx.Client) -> None:
    answer = client.post("/api/reload", json={"paths": ["/etc/passwd"]})
    assert answer.status_code == 409 and "outside this session's paths" in answer.json()["error"]["what"]


def test_a_surrogate_is_answered(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/reload", content=b'{"paths": ["\\ud800.py"]}', headers=headers)
    assert answer.status_code in (200, 400, 409)


def test_every_route_of_the_app_is_described() -> None:
    described = {(method.upper(), path) for path, methods in description()["paths"].items() for method in methods}
    routes = {
        (method, route.path)
        for route in app().routes
        for method in getattr(route, "methods", None) or ()
        if method != "HEAD" and not route.path.startswith(("/static", "/panel.js")) and route.path != "/"  # type: ignore[attr-defined]
    }
    assert described == routes


def test_the_programs_own_access_log_is_left_alone(session: Session) -> None:
    access = logging.getLogger("uvicorn.access")
    handler = logging.NullHandler()
    access.addHandler(handler)
    before = access.propagate
    try:
        with served(session):
            assert access.propagate == before and handler in access.handlers
    finally:
        access.removeHandler(handler)
