"""`midflight demo examples/agent`, which `make demo` runs: every step does what it says, and nothing is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from .serving import DOCUMENTED_PORT, EXAMPLE, environment

pytestmark = pytest.mark.one_version
DEMO = [sys.executable, "-m", "midflight", "demo"]


@pytest.fixture
def own(folder: Path) -> Path:
    """A folder for sockets and scratch; what the demo leaves behind lies there."""
    path = folder.parent / "run"
    path.mkdir(mode=0o700)
    return path


def left_behind(own: Path) -> list[str]:
    """Files and folders; the empty folder for sockets is the user's and stays."""
    return [str(path.relative_to(own)) for path in own.rglob("*") if path != own / "midflight"]


def run(own: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEMO, *options], cwd=own, env=environment(own), capture_output=True, text=True, timeout=100, check=False
    )


def test_the_demo_does_each_step_and_leaves_nothing(own: Path) -> None:
    before = sorted(EXAMPLE.rglob("*"))
    done = run(own, str(EXAMPLE), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [step["title"] for step in document["steps"] if not step["ok"]] == []
    assert {step["outcome"] for step in document["steps"]} == {"committed", "refused", ""}
    assert (document["stats"]["successes"], document["stats"]["failures"]) == (4, 1)
    assert left_behind(own) == [] and sorted(EXAMPLE.rglob("*")) == before


def test_a_user_s_own_settings_do_not_reach_the_demo(own: Path, folder: Path) -> None:
    (folder / ".env").write_text(
        "HOT_RELOAD_ENABLED=false\nAUTH_LOGIN=me\nAUTH_PASSWORD=x\nCHAT_MODEL_URL=http://nowhere.invalid\nWEB_UI_PORT=1\n"
    )
    done = run(own, str(folder))
    assert done.returncode == 0 and "Expected:" not in done.stdout, done.stdout + done.stderr
    assert "/?chat=demo" in done.stdout and "/__midflight__/" in done.stdout


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_kept_it_stays_up_until_it_is_ended_and_then_leaves_nothing(own: Path, ends: signal.Signals) -> None:
    command = [*DEMO, str(EXAMPLE), "--keep"]
    process = subprocess.Popen(
        command, cwd=own, env=environment(own), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("Edit what lies in"):
                break
        link = next(line for line in said.splitlines() if line.startswith("It stays up: ")).partition(": ")[2]
        assert httpx.get(link, trust_env=False).status_code == 200
        os.kill(process.pid, ends)
        assert process.wait(30) == (0 if ends == signal.SIGINT else 128 + ends)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(link, trust_env=False)
    assert left_behind(own) == []


def test_where_the_documents_port_is_taken_the_demo_has_another(own: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # then somebody else has it
            taken.bind(("127.0.0.1", DOCUMENTED_PORT))
            taken.listen()
        done = run(own, str(EXAMPLE))
    assert done.returncode == 0 and f":{DOCUMENTED_PORT}/" not in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    "options, complaint",
    [(["nowhere"], "nowhere holds no run_ui.py"), (["--keep"], "--keep is for the agent")],
)
def test_what_cannot_be_shown_is_said(own: Path, options: list[str], complaint: str) -> None:
    done = run(own, *options)
    assert done.returncode == 1 and complaint in done.stderr


def test_an_agent_that_does_not_start_is_told_with_its_own_words(own: Path, folder: Path) -> None:
    (folder / "models.py").write_text("raise RuntimeError('no model today')\n")
    done = run(own, str(folder))
    assert done.returncode == 1 and "no model today" in done.stderr
    assert left_behind(own) == []
