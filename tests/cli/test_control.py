"""The session's socket, abused: it answers clearly, and the session lives."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from midflight import control
from midflight.control import LONGEST_REQUEST, MOST_CLIENTS, Session
from midflight.errors import ControlError


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "run" / "midflight"


@pytest.fixture
def session(tmp_path: Path, runtime: Path) -> Iterator[Session]:
    (tmp_path / "src").mkdir()
    with Session(paths=[str(tmp_path / "src")], mode="manual") as session:
        yield session


@contextlib.contextmanager
def connected(session: Session) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(60)
        client.connect(session.status()["socket"])
        yield client


def said(client: socket.socket) -> list[dict[str, Any]]:
    """All lines until the session closes the conversation."""
    with client.makefile("r", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def ask(session: Session, request: bytes) -> dict[str, Any]:
    with connected(session) as client:
        client.sendall(request + b"\n")
        (answer,) = said(client)
        return answer


def test_the_socket_is_the_users_alone(session: Session, runtime: Path) -> None:
    path = Path(session.status()["socket"])
    assert path == runtime / f"{os.getpid()}.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(runtime.stat().st_mode) == 0o700


def test_stop_removes_the_socket_and_the_threads_and_start_brings_them_back(session: Session) -> None:
    path = session.status()["socket"]
    session.start()
    assert session.status()["socket"] == path
    session.stop()
    session.stop()
    assert not os.path.exists(path) and session.status()["socket"] is None
    assert [thread.name for thread in threading.enumerate() if thread.name == "midflight-control"] == []
    session.start()
    assert ask(session, b'{"do": "status"}')["ok"] is True


@pytest.mark.parametrize(
    "request_, says",
    [
        (b"hello", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "no text 'do'"),
        (b"{}", "no text 'do'"),
        (b'{"do": 3}', "no text 'do'"),
        (b'{"do": "explode"}', "unknown command 'explode'"),
        (b'{"do": "__class__"}', "unknown command"),
        (b'{"do": "history", "limit": "many"}', "limit is 'many'"),
        (b'{"do": "history", "limit": true}', "limit is True"),
        (b'{"do": "history", "limit": -1}', "limit is -1"),
        (b'{"do": "show"}', "no report None"),
        (b'{"do": "show", "report": {}}', "no report {}"),
        (b'{"do": "reload", "modules": "cart"}', "must be a list"),
        (b'{"do": "reload", "modules": [1]}', "must be a list"),
        (b'{"do": "reload", "modules": ["nosuch_module"]}', "is not loaded"),
        (b'{"do": "reload", "modules": [], "cwd": 4}', "must be a list"),
        (b'{"do": "status"' + b" " * (10 << 20) + b"}", "too long"),
    ],
    ids=lambda value: value[:32] if isinstance(value, (bytes, str)) else None,
)
def test_nonsense_gets_a_clear_answer_and_the_session_lives(session: Session, request_: bytes, says: str) -> None:
    answer = ask(session, request_)
    assert answer["ok"] is False and says in " ".join(answer["error"].values())
    assert ask(session, b'{"do": "status"}')["result"]["status"] == "running"


def test_a_request_as_long_as_allowed_is_taken(session: Session) -> None:
    request = b'{"do": "status", "x": "' + b"x" * (LONGEST_REQUEST - 100) + b'"}'
    assert ask(session, request)["ok"] is True


def test_clients_that_go_away_harm_nobody(session: Session) -> None:
    for request in (b"", b"{", b'{"do": "status"}\n', b'{"do": "events"}\n', b"x" * 100_000):
        for _ in range(20):
            with connected(session) as client, contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(request)
    assert ask(session, b'{"do": "status"}')["ok"] is True


def test_a_client_that_hangs_is_told_and_holds_up_nobody(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "CLIENT_DEADLINE_S", 0.3)
    with connected(session) as client:
        client.sendall(b'{"do": ')
        assert ask(session, b'{"do": "status"}')["ok"] is True
        (answer,) = said(client)
    assert "no request came" in answer["error"]["what"]


def test_one_client_too_many_is_told(session: Session) -> None:
    with contextlib.ExitStack() as stack:
        followers = [stack.enter_context(connected(session)) for _ in range(MOST_CLIENTS)]
        for follower in followers:
            follower.sendall(b'{"do": "events"}\n')
            assert b"following" in follower.recv(4096)
        with connected(session) as client:
            answer = json.loads(client.recv(4096))
        assert answer["ok"] is False and "clients are connected" in answer["error"]["what"]
    pause = threading.Event()
    for _ in range(600):
        with connected(session) as client:
            with contextlib.suppress(BrokenPipeError):
                client.sendall(b'{"do": "status"}\n')
            answer = json.loads(client.makefile().readline())
        if answer["ok"]:
            return
        pause.wait(0.1)
    pytest.fail("the places of clients that went away were not given back")


def test_events_reach_each_follower_whole_and_end_with_the_session(session: Session, tmp_path: Path) -> None:
    with connected(session) as one, connected(session) as two:
        for follower in (one, two):
            follower.sendall(b'{"do": "events"}\n')
            assert json.loads(follower.recv(4096))["result"] == {"following": session.id}
        (tmp_path / "src" / "new.py").write_text("x = 1\n")
        report = session.reload()
        session.stop()
        for follower in (one, two):
            reports = [line["report"] for line in said(follower) if "report" in line]
            assert reports == [json.loads(report.to_json())]


def test_another_user_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    # Who asks is told by the kernel; that somebody else asks is played by being somebody else.
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    answer = ask(session, b'{"do": "status"}')
    assert answer["ok"] is False and f"of user {user} may not use" in answer["error"]["what"]


def test_two_sessions_of_a_process_have_a_socket_each(session: Session, tmp_path: Path, runtime: Path) -> None:
    (tmp_path / "other").mkdir()
    with Session(paths=[str(tmp_path / "other")], mode="manual") as second:
        assert second.status()["socket"] == str(runtime / f"{os.getpid()}-2.sock")
        assert ask(second, b'{"do": "status"}')["result"]["id"] == second.id
    assert ask(session, b'{"do": "status"}')["result"]["id"] == session.id


def test_sockets_of_dead_processes_are_removed_and_others_left(tmp_path: Path, runtime: Path) -> None:
    runtime.mkdir(mode=0o700)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    stale = runtime / f"{dead.pid}.sock"
    living = runtime / f"{os.getppid()}.sock"
    for path in (stale, living):
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(str(path))
    (runtime / "notes.txt").write_text("mine")
    (tmp_path / "src").mkdir()
    with Session(paths=[str(tmp_path / "src")], mode="manual"):
        assert not stale.exists() and living.exists() and (runtime / "notes.txt").exists()


def test_a_folder_that_is_open_to_others_is_closed(tmp_path: Path, runtime: Path) -> None:
    runtime.mkdir()
    runtime.chmod(0o777)
    control.own_folder(str(runtime))
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700


def test_a_folder_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    (tmp_path / "file").write_text("")
    for name in ("link", "file"):
        with pytest.raises(ControlError, match="not a folder of this user"):
            control.own_folder(str(tmp_path / name))


def test_without_a_place_for_the_socket_the_session_runs_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    monkeypatch.setattr(control, "socket_folders", lambda: [str(deep / "midflight"), str(tmp_path / "none" / "x")])
    (tmp_path / "src").mkdir()
    with Session(paths=[str(tmp_path / "src")], mode="manual") as session:
        status = session.status()
        assert session.running and status["socket"] is None
        assert "too long" in status["socket_trouble"] and "No such file" in status["socket_trouble"]
        assert "cannot reach this session" in caplog.text
        assert session.reload().ok
    assert list((deep / "midflight").iterdir()) == []


def test_a_forked_child_leaves_the_parents_socket_alone(session: Session) -> None:
    path = session.status()["socket"]
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):
            session.stop()
            code = 0 if session.status()["socket"] is None and os.path.exists(path) else 2
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert ask(session, b'{"do": "status"}')["result"]["pid"] == os.getpid()


def test_a_child_that_outlives_its_parent_does_not_answer_for_it(tmp_path: Path, runtime: Path) -> None:
    (tmp_path / "src").mkdir()
    code = f"""
        import os, sys
        from midflight.control import Session
        session = Session(paths=[{str(tmp_path / "src")!r}], mode="manual")
        session.start()
        print(session.status()["socket"], flush=True)
        if os.fork() == 0:
            print("child", flush=True)
            sys.stdin.read()
        os._exit(0)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None and parent.stdin is not None
    path = parent.stdout.readline().strip()
    assert parent.stdout.readline() == "child\n"
    parent.wait()
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(path)
    parent.stdin.close()
    parent.stdout.close()


def test_an_idle_socket_never_wakes_the_process(session: Session) -> None:
    def wakeups() -> dict[str, int]:
        counts = {}
        for thread in threading.enumerate():
            if thread.name.startswith(("midflight-control", "midflight-client")):
                text = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
                counts[thread.name] = int(text.split("voluntary_ctxt_switches:")[1].split()[0])
        return counts

    with connected(session) as follower:
        follower.sendall(b'{"do": "events"}\n')
        follower.recv(4096)
        threading.Event().wait(0.2)  # until both threads are asleep
        before = wakeups()
        threading.Event().wait(1.0)
        assert wakeups() == before and len(before) == 2


def test_start_gives_the_processs_session_and_the_same_again(tmp_path: Path, runtime: Path) -> None:
    (tmp_path / "src").mkdir()
    code = f"""
        import midflight
        assert midflight.current() is None
        session = midflight.start(paths=[{str(tmp_path / "src")!r}], mode="manual")
        assert session is midflight.current() is midflight.start() and session.running
        print(session.status()["socket"])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not os.path.exists(done.stdout.strip()), "a process that ends removes its socket"


def test_switched_off_opens_no_socket(tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOT_RELOAD_ENABLED", "false")
    (tmp_path / "src").mkdir()
    with Session(paths=[str(tmp_path / "src")]) as session:
        assert session.status()["socket"] is None and not runtime.exists()
