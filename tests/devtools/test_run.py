"""The DevTools of `midflight run`, and of a session that is asked to serve them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

import midflight
from midflight.control import Session
from midflight.errors import DevToolsError

from .conftest import made

pytestmark = pytest.mark.one_version

SOURCE = str(Path(midflight.__file__).parents[1])
APP = "import sys\nimport cart\n\nprint('started', flush=True)\nfor line in sys.stdin:\n    print(eval(line), flush=True)\n"

Run = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with made(tmp_path / "shop") as folder:
        (folder / "app.py").write_text(APP)
        yield folder


@pytest.fixture
def run(folder: Path, tmp_path: Path, started: list[subprocess.Popen[str]]) -> Run:
    """run(*options, **environment): `midflight run` on the small program; ended with the test."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)

    def start(*options: str, **more: str) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONPATH": SOURCE, "XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(runtime), **more}
        command = [sys.executable, "-m", "midflight", *options]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, cwd=folder, env=env, text=True, **pipes))  # type: ignore[call-overload]
        return started[-1]

    return start


def link_of(process: subprocess.Popen[str]) -> str:
    """The next one that it prints."""
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"DevTools at (\S+)", line)
        if found is not None:
            return found[1]
    raise AssertionError("it ended without a link")


def test_run_prints_a_link_that_logs_in_once_and_leaves_the_program_alone(run: Run, folder: Path) -> None:
    process = run("run", "--devtools=127.0.0.1:0", "app.py")
    link = link_of(process)
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == "started\n"
    with httpx.Client(verify=False, timeout=60, follow_redirects=True) as client:
        page = client.get(link)
        assert (page.status_code, "token" in str(page.url)) == (200, False)
        base = link.partition("?")[0]
        (folder / "cart.py").write_text("RATE = 9\n")
        assert client.post(f"{base}api/reload", json={}).json()["ok"]
        assert "devtools" not in client.get(f"{base}api/status").json()
    process.stdin.write("cart.RATE\n")
    process.stdin.flush()
    assert process.stdout.readline() == "9\n"
    told = json.loads(run("status", "--json", "--pid", str(process.pid)).communicate(timeout=60)[0])
    assert told["devtools"] == link  # the socket is the user's own
    process.stdin.close()
    assert process.wait(60) == 0


RUDE = "class Meta(type):\n    pass\n\n\nclass Box(metaclass=Meta):\n    pass\n"


@pytest.mark.parametrize("chosen", [{}, {"MIDFLIGHT_DEVTOOLS_TOKEN": "a-token-long-enough"}], ids=["random", "chosen"])
def test_a_restart_keeps_port_and_token_for_the_pages_that_are_open(
    run: Run, folder: Path, chosen: dict[str, str]
) -> None:
    (folder / "cart.py").write_text("class Box:\n    pass\n")
    process = run("run", "--devtools=127.0.0.1:0", "--on-rude", "restart", "--mode", "manual", "app.py", **chosen)
    link = link_of(process)
    assert process.stdout is not None and process.stdout.readline() == "started\n"
    with httpx.Client(verify=False, timeout=60, follow_redirects=True) as page:
        page.get(link)
        base = link.partition("?")[0]
        before = page.get(f"{base}api/status").json()
        (folder / "cart.py").write_text(RUDE)
        with contextlib.suppress(httpx.TransportError):  # the answer may be lost with the old process
            page.post(f"{base}api/reload", json={})
        assert process.stdout.readline() == "started\n"
        after = page.get(f"{base}api/status").json()
    assert (after["pid"], after["id"] == before["id"]) == (before["pid"], False)
    assert link_of(process) == link


def test_a_restart_by_which_the_setting_changed_serves_them_where_it_says(run: Run, folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.midflight]\ndevtools = '127.0.0.1:0'\n")
    (folder / "cart.py").write_text("class Box:\n    pass\n")
    process = run("run", "--on-rude", "restart", "--mode", "manual", "app.py")
    link = link_of(process)
    assert process.stdout is not None and process.stdout.readline() == "started\n"
    (folder / "pyproject.toml").write_text("[tool.midflight]\ndevtools = 'auto'\n")
    (folder / "cart.py").write_text(RUDE)
    run("reload", "--pid", str(process.pid)).communicate(timeout=60)
    assert process.stdout.readline() == "started\n"
    assert link_of(process) != link
    with pytest.raises(httpx.ConnectError):
        httpx.get(link)


def test_the_address_may_be_left_out(run: Run) -> None:
    assert link_of(run("run", "--devtools", "app.py")).startswith("http://127.0.0.1:83")


@pytest.mark.parametrize(
    "options, environment, says",
    [
        (["--devtools=nonsense"], {}, "an address such as"),
        (["--devtools=0.0.0.0:0"], {}, "others than you could reach that"),
        (["--devtools=0.0.0.0:0"], {"MIDFLIGHT_DEVTOOLS_TOKEN": "short"}, "16 characters or more"),
        (["--devtools=192.0.2.1:1"], {"MIDFLIGHT_DEVTOOLS_TOKEN": "a-token-long-enough"}, "cannot be served at"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_told_before_the_program_starts(
    run: Run, options: list[str], environment: dict[str, str], says: str
) -> None:
    process = run("run", *options, "app.py", **environment)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert says in err and "Traceback" not in err


def test_a_chosen_token_is_neither_printed_by_config_nor_shown_in_the_settings(run: Run) -> None:
    secret = "a-token-that-nobody-sees"
    for options in (["config"], ["config", "--explain"], ["config", "--json"]):
        out, err = run(*options, MIDFLIGHT_DEVTOOLS_TOKEN=secret).communicate(timeout=60)
        assert "devtools_token" in out and secret not in out + err


def test_switched_off_there_are_none(run: Run) -> None:
    process = run("run", "--devtools=127.0.0.1:0", "app.py", HOT_RELOAD_ENABLED="false")
    _, err = process.communicate("", timeout=60)
    assert process.returncode == 0 and "DevTools" not in err


def test_a_session_that_cannot_serve_them_does_not_run(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        session = Session(paths=[folder], mode="manual", devtools=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(DevToolsError, match="in use"):
            session.start()
    assert not session.running and session.devtools is None


def test_a_forked_child_leaves_the_port_to_its_parent(folder: Path) -> None:
    code = """if True:
        import os, sys, time
        import midflight
        from midflight.devtools import serve
        with midflight.Session(paths=["."], mode="manual") as session:
            server = serve(session, "127.0.0.1:0")
            port = server.url.rsplit(":", 1)[1]
            child = os.fork()
            if not child:
                time.sleep(60)
                os._exit(0)
            server.close()
            again = serve(session, f"127.0.0.1:{port}")  # in use, if the child still held it
            again.close()
            os.kill(child, 9)
            os.waitpid(child, 0)
            print("served again")
    """
    env = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout == "served again\n", done.stderr


def test_a_session_loads_no_web_library_until_they_are_asked_for(folder: Path) -> None:
    code = """if True:
        import sys
        import midflight, midflight.devtools
        with midflight.Session(paths=["."], mode="manual") as session:
            session.reload()
        print(sorted({"starlette", "uvicorn", "websockets", "anyio"} & set(sys.modules)))
    """
    env = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_without_the_extra_it_is_said_what_to_install(folder: Path) -> None:
    code = "import sys; sys.modules['starlette'] = None; import midflight; midflight.Session(devtools='auto').start()"
    env = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1 and "pip install 'midflight[web]'" in done.stderr
