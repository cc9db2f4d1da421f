"""Every command, as text and as JSON, against a program that really runs."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from midflight.cli import HOMES

from .conftest import CART, Program

EDITED = CART.replace("net * RATE", "net * RATE + 1")
BROKEN = CART.replace("def total(net):", "def total(net:")

OF_ONE = ["status", "stats", "graph", "history", "versions", "plan", "reload", "pause", "resume", "rollback", "audit"]


def test_help_names_every_command_and_loads_no_engine(env: dict[str, str]) -> None:
    code = (
        "import sys, contextlib\nfrom midflight.cli import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print(*(m for m in sys.modules if m.startswith('midflight')))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert all(f"\n    {command}" in done.stdout for command in HOMES)
    assert done.stdout.splitlines()[-1] == "midflight midflight.cli"


def test_version(env: dict[str, str]) -> None:
    import midflight

    command = [sys.executable, "-m", "midflight", "--version"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == f"midflight {midflight.__version__}\n"


@pytest.mark.parametrize("args", [[], ["nosuch"], ["show"], ["history", "-n", "0"], ["ps", "x"], ["status", "--pid"]])
def test_bad_usage_ends_with_2(env: dict[str, str], args: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "midflight", *args], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "usage:" in done.stderr


@pytest.mark.parametrize("command", [*OF_ONE, "show", "events"])
def test_without_a_session_each_ends_with_3(tmp_path: Path, env: dict[str, str], command: str) -> None:
    args = [command, "r1"] if command == "show" else [command]
    base = [sys.executable, "-m", "midflight", *args]
    done = subprocess.run(base, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and done.stdout == ""
    assert "no session runs for" in done.stderr and "midflight run" in done.stderr
    done = subprocess.run([*base, "--json"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    assert (done.returncode, document["ok"], done.stderr) == (3, False, "")
    assert set(document["error"]) == {"what", "why", "hint"}


def test_ps_lists_what_runs_and_only_that(program: Program) -> None:
    assert str(program.pid) in program.cli("ps").stdout
    (one,) = program.json("ps")
    assert (one["pid"], one["mode"], one["root"]) == (program.pid, "manual", str(program.folder))
    program.process.kill()
    program.process.wait()
    assert program.cli("ps").stdout == "No session is running.\n"
    assert program.json("ps") == []


def test_status_and_stats(program: Program) -> None:
    status = program.json("status")
    assert status["status"] == "running" and status["paths"] == [str(program.folder)]
    assert os.path.exists(status["socket"]) and status["socket_trouble"] == ""
    text = program.cli("status").stdout
    assert str(program.pid) in text and str(program.folder) in text
    assert program.json("stats")["reloads"] == 0
    assert "reloads" in program.cli("stats").stdout


def test_graph(program: Program) -> None:
    modules = program.json("graph")["modules"]
    assert {"__main__", "cart"} <= set(modules)
    assert modules["cart"]["dependents"] == ["__main__"]
    assert "cart  <- __main__" in program.cli("graph").stdout.splitlines()


@pytest.mark.parametrize("names", [[], ["cart"], ["cart.py"], ["./cart.py"]])
def test_plan_says_what_reload_then_does(program: Program, names: list[str]) -> None:
    assert program.ask("cart.total(10)") == "20"
    program.save("cart.py", EDITED)
    plan = program.json("plan", *names)
    assert ("cart", "graft", "total") in {(step["module"], step["action"], step["name"]) for step in plan["steps"]}
    assert program.ask("cart.total(10)") == "20"
    assert "graft cart.total" in program.cli("plan", *names).stdout
    done = program.cli("reload", *names)
    assert done.returncode == 0 and "cart reloaded in" in done.stdout and "grafted total" in done.stdout
    assert program.ask("cart.total(10)") == "21"


def test_a_refused_reload_ends_with_1_and_says_where_why_and_what_runs(program: Program) -> None:
    program.save("cart.py", BROKEN)
    plan = program.cli("plan")
    assert plan.returncode == 1 and "would be refused" in plan.stdout
    done = program.cli("reload")
    assert done.returncode == 1 and "cart.py:5" in done.stdout and "still running" in done.stdout
    document = program.json("show", json.loads(program.cli("history", "--json").stdout)[0]["id"])
    assert (document["outcome"], document["ok"]) == ("refused", False)
    assert program.ask("cart.total(10)") == "20"


def test_what_was_refused_was_not_taken_and_is_refused_again(program: Program) -> None:
    program.save("cart.py", BROKEN)
    assert [program.cli("reload", *flags).returncode for flags in ([], [], ["--json"])] == [1, 1, 1]
    program.save("cart.py", EDITED)
    assert program.cli("reload").returncode == 0
    assert program.ask("cart.total(10)") == "21"


def test_history_and_show_tell_the_same(program: Program) -> None:
    assert program.cli("history").stdout == "Nothing was reloaded yet.\n"
    program.save("cart.py", EDITED)
    report = program.json("reload")
    assert report["outcome"] == "committed"
    program.save("cart.py", CART)
    second = program.json("reload")
    assert [one["id"] for one in program.json("history")] == [second["id"], report["id"]]
    assert [one["id"] for one in program.json("history", "-n", "1")] == [second["id"]]
    assert program.json("show", report["id"]) == report
    text = program.cli("show", report["id"]).stdout
    assert report["id"] in text and "grafted  total" in text and report["modules"]["cart"]["after"][:12] in text
    history = program.cli("history").stdout.splitlines()
    assert history[0].split() == ["ID", "AT", "OUTCOME", "MS", "CAUSE", "WHAT"] and len(history) == 3
    unknown = program.cli("show", "r999")
    assert unknown.returncode == 1 and "no report 'r999'" in unknown.stderr and second["id"] in unknown.stderr


def test_versions(program: Program) -> None:
    program.save("cart.py", EDITED)
    report = program.json("reload")
    found = program.json("versions", "cart")
    assert f"cart@{report['modules']['cart']['after'][:12]}" in {one["id"] for one in found}
    assert {"id", "module", "at", "stable", "reason", "author"} == set(found[0])
    assert found[0]["id"] in program.cli("versions").stdout


def test_reload_of_an_unknown_module_names_the_nearest(program: Program) -> None:
    done = program.cli("reload", "carts")
    assert done.returncode == 1 and "'carts' is not loaded" in done.stderr and "'cart'" in done.stderr


def test_pause_holds_saves_and_resume_takes_them(start: Callable[..., Program]) -> None:
    program = start()
    assert program.json("pause")["status"] == "paused"
    program.save("cart.py", EDITED)
    assert program.json("status")["status"] == "paused"
    assert program.ask("cart.total(10)") == "20"
    assert "resumed" in program.cli("resume").stdout
    wait_until(lambda: program.ask("cart.total(10)") == "21")
    assert program.json("status")["status"] == "running"


def test_run_tells_of_each_report_on_stderr(start: Callable[..., Program]) -> None:
    program = start()
    program.save("cart.py", EDITED)
    wait_until(lambda: program.ask("cart.total(10)") == "21")
    program.save("cart.py", BROKEN)
    wait_until(lambda: len(program.json("history")) == 2)
    code, err = program.end()
    assert code == 0 and "midflight: cart reloaded in" in err and "grafted total" in err
    assert "still running" in err and "cart.py:5" in err and "\x1b" not in err


RUDE = "class Meta(type):\n    pass\n\n\nclass Box{header}:\n    pass\n"


def test_a_rude_edit_is_refused_and_named(start: Callable[..., Program]) -> None:
    program = start("--mode", "manual")
    program.save("cart.py", CART + RUDE.format(header=""))
    assert program.cli("reload").returncode == 0
    program.save("cart.py", CART + RUDE.format(header="(metaclass=Meta)"))
    report = program.json("reload")
    assert report["outcome"] == "refused" and {one["code"][:4] for one in report["problems"]} == {"MF01"}
    assert program.ask("type(cart.Box).__name__") == "type"


def test_a_rude_edit_restarts_the_program_when_asked(start: Callable[..., Program]) -> None:
    program = start("--on-rude", "restart", "--mode", "manual")
    program.save("cart.py", CART + RUDE.format(header=""))
    assert program.cli("reload").returncode == 0
    assert program.ask("setattr(cart, 'mark', 1)") == "None"
    program.save("cart.py", CART + RUDE.format(header="(metaclass=Meta)"))
    asked = program.cli("reload")
    assert asked.returncode == 1 and "session" in asked.stderr, "the process that was asked is gone"
    assert program.ask("type(cart.Box).__name__, hasattr(cart, 'mark')") == "('Meta', False)"
    assert program.json("status")["pid"] == program.pid


def test_stats_tell_what_stands_still_in_old_code(program: Program) -> None:
    numbers = CART + "\n\ndef numbers():\n    yield 1\n    yield {0}\n"
    program.save("cart.py", numbers.format(2))
    assert program.cli("reload").returncode == 0
    assert program.ask("setattr(cart, 'going', cart.numbers()), next(cart.going)") == "(None, 1)"
    program.save("cart.py", numbers.format(3))
    assert program.cli("reload").returncode == 0
    (one,) = program.json("stats")["suspended_on_old_code"]
    assert (one["name"], one["kind"]) == ("numbers", "generator") and one["age_s"] > 0
    assert "numbers" in program.cli("stats").stdout
    assert program.ask("list(cart.going), list(cart.numbers())") == "([2], [1, 3])"
    assert program.json("stats")["suspended_on_old_code"] == []


def test_quiet_run_tells_nothing(start: Callable[..., Program]) -> None:
    program = start("-q")
    program.save("cart.py", BROKEN)
    wait_until(lambda: len(program.json("history")) == 1)
    assert program.end() == (0, "")


def test_reload_in_mode_pump_waits_for_the_programs_safe_point(start: Callable[..., Program]) -> None:
    program = start("--mode", "pump")
    program.save("cart.py", EDITED)
    asked = subprocess.Popen(
        [sys.executable, "-m", "midflight", "reload", "--json"],
        cwd=program.folder, env=program.env, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    pump = "__import__('midflight').current().pump()"
    wait_until(lambda: program.ask(pump) is not None and asked.poll() is not None)
    out, _ = asked.communicate()
    # Which of the two that waited for the pump took the save, the watcher's batch or this request, is open.
    assert json.loads(out)["outcome"] in ("committed", "unchanged") and asked.returncode == 0
    assert program.ask("cart.total(10)") == "21"


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_events_follow_until_ctrl_c(program: Program, flags: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "midflight", "events", *flags],
        cwd=program.folder, env=program.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as following:  # fmt: skip
        assert following.stdout is not None and following.stderr is not None
        if flags:
            wait_until(lambda: program.json("status")["clients"] >= 2)
        else:
            assert "following" in following.stderr.readline()
        program.save("cart.py", EDITED)
        report = program.json("reload")
        lines = iter(following.stdout.readline, "")
        line = next(line for line in lines if report["id"] in line)
        following.send_signal(signal.SIGINT)
        following.communicate(timeout=60)
    assert following.returncode == 0
    if flags:
        assert json.loads(line)["report"] == report
    else:
        assert "cart reloaded" in line
    assert program.ask("cart.total(10)") == "21"


def test_events_end_with_the_session(program: Program) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "midflight", "events"],
        cwd=program.folder, env=program.env, stderr=subprocess.PIPE, text=True,
    ) as following:  # fmt: skip
        assert following.stderr is not None and "following" in following.stderr.readline()
        program.end()
        assert "the session ended" in following.communicate(timeout=60)[1]
    assert following.returncode == 0


def test_the_session_is_found_by_the_folder_or_named_by_its_pid(start: Callable[..., Program], tmp_path: Path) -> None:
    first, other = start("--mode", "manual"), start("--mode", "manual", folder="other")
    inner = first.folder / "deep" / "er"
    inner.mkdir(parents=True)
    assert json.loads(first.cli("status", "--json", cwd=inner).stdout)["pid"] == first.pid
    assert json.loads(first.cli("status", "--json", cwd=other.folder).stdout)["pid"] == other.pid
    assert json.loads(first.cli("status", "--json", "--pid", str(other.pid)).stdout)["pid"] == other.pid
    nowhere = first.cli("status", cwd=tmp_path)
    assert nowhere.returncode == 3 and str(first.pid) in nowhere.stderr and str(other.pid) in nowhere.stderr
    twin = start("--mode", "manual")
    both = first.cli("status")
    assert both.returncode == 3 and "2 sessions fit" in both.stderr and "--pid" in both.stderr
    assert json.loads(first.cli("status", "--json", "--pid", str(twin.pid)).stdout)["pid"] == twin.pid


def test_a_stopped_program_is_told_from_a_dead_one(program: Program) -> None:
    program.process.send_signal(signal.SIGSTOP)
    try:
        done = program.cli("ps")
    finally:
        program.process.send_signal(signal.SIGCONT)
    assert done.returncode == 0 and f"process {program.pid} does not answer" in done.stderr


def test_config_explains_each_value(program: Program) -> None:
    program.save("pyproject.toml", '[tool.midflight]\nmode = "pump"\n')
    program.save(".env", "MIDFLIGHT_QUIET_MS=4\n")
    rows = {line.split()[0]: line for line in program.cli("config", "--explain").stdout.splitlines() if line.strip()}
    assert "pump" in rows["mode"] and "pyproject.toml:2" in rows["mode"]
    assert ".env MIDFLIGHT_QUIET_MS" in rows["quiet_ms"] and "default" in rows["sweep_s"]
    document = program.json("config")
    assert document["settings"]["mode"] == {"value": "pump", "origin": "pyproject.toml:2"}
    program.save("pyproject.toml", '[tool.midflight]\nmood = "pump"\n')
    bad = program.cli("config")
    assert bad.returncode == 1 and "pyproject.toml:2" in bad.stderr and "'mode'" in bad.stderr


def test_verify_passes_a_sound_project_and_names_what_is_not(program: Program) -> None:
    done = program.cli("verify")
    assert done.returncode == 0 and "FAIL" not in done.stdout and "saw a file saved" in done.stdout
    assert all(line.startswith("pass  ") for line in done.stdout.splitlines())
    program.save("broken.py", "def f(:\n")
    program.save("pyproject.toml", '[tool.midflight]\npaths = [".", "nosuch"]\n')
    document = program.json("verify")
    failed = {check["name"]: check["found"] for check in document["checks"] if not check["ok"]}
    assert document["ok"] is False and set(failed) == {"paths", "sources"}
    assert "nosuch" in failed["paths"] and "broken.py:1" in failed["sources"]
    program.save("pyproject.toml", "[tool.midflight]\nx = 1\n")
    bad = program.cli("verify")
    assert bad.returncode == 1 and "FAIL  settings: pyproject.toml:2" in bad.stdout


def test_demo_does_each_step_and_leaves_nothing(env: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "midflight", "demo"]
    done = subprocess.run([*command, "--json"], env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    assert [step["title"] for step in document["steps"] if not step["ok"]] == []
    assert (done.returncode, document["ok"], document["kept"]) == (0, True, True), done.stderr
    assert {step["report"]["outcome"] for step in document["steps"]} >= {"committed", "refused", "rolled back"}
    text = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert text.returncode == 0 and "the same two carts" in text.stdout and "ms after the save" in text.stdout
    assert [path.name for path in (tmp_path / "run").iterdir() if path.name != "midflight"] == []
    assert list((tmp_path / "run" / "midflight").iterdir()) == []


def test_a_reader_that_stops_is_no_error(program: Program) -> None:
    command = f"{sys.executable} -m midflight config --explain | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=program.folder, env=program.env, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"r", b"")


@pytest.mark.parametrize(
    "variables, coloured",
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"MIDFLIGHT_COLOR": "never"}, False)],
)
def test_colour_only_on_a_terminal_that_wants_it(program: Program, variables: dict[str, str], coloured: bool) -> None:
    ours, theirs = pty.openpty()
    env = {"TERM": "xterm", **{key: value for key, value in program.env.items() if key != "NO_COLOR"}, **variables}
    command = [sys.executable, "-m", "midflight", "graph"]
    subprocess.run(command, cwd=program.folder, env=env, stdout=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert ("\x1b[" in shown) is coloured and "cart" in shown
    assert "\x1b" not in program.cli("graph").stdout


def wait_until(happened: Callable[[], bool], deadline_s: float = 60) -> None:
    ends = time.monotonic() + deadline_s
    while not happened():
        assert time.monotonic() < ends, "it did not happen"
