"""history, versions, show, audit and rollback: the same of a session and of the store alone."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import CART, SOURCE, Program

pytestmark = pytest.mark.one_version

TWICE = CART.replace("RATE = 2", "RATE = 4")
THRICE = CART.replace("RATE = 2", "RATE = 6")


def take(program: Program, text: str) -> Any:
    program.save("cart.py", text)
    report = program.json("reload")
    assert report["outcome"] == "committed"
    return report


@pytest.fixture
def edited(program: Program) -> Program:
    """Two edits of cart in a session that runs."""
    take(program, TWICE)
    take(program, THRICE)
    return program


@pytest.fixture
def ended(edited: Program) -> Program:
    """The same, and the session is over."""
    assert edited.end()[0] == 0
    return edited


def cart(program: Program) -> str:
    return (program.folder / "cart.py").read_text()


def test_without_a_session_the_store_answers_and_says_the_same(edited: Program) -> None:
    asked = [
        ["history"],
        ["versions"],
        ["versions", "cart"],
        ["show", "r2"],
        ["audit"],
        ["audit", "cart"],
        ["rollback"],
    ]
    live = [edited.json(*args) for args in asked]
    texts = [edited.cli(*args).stdout for args in asked]
    edited.end()
    assert [edited.json(*args) for args in asked] == live
    assert [edited.cli(*args).stdout for args in asked] == texts


def test_rollback_without_a_version_lists_the_points_to_go_back_to(edited: Program) -> None:
    points = edited.json("rollback")
    assert [(one["module"], one["stable"]) for one in points] == [("cart", False), ("cart", True)]
    assert set(points[0]) == {"id", "module", "at", "stable", "reason", "author"}
    listed = edited.cli("rollback")
    assert listed.returncode == 0 and all(one["id"] in listed.stdout for one in points)
    assert edited.ask("cart.total(1)") == "6"


def test_rollback_of_a_session_changes_program_and_file(edited: Program) -> None:
    point = edited.json("rollback")[0]["id"]
    report = edited.json("rollback", point)
    assert (report["outcome"], report["cause"]) == ("committed", "rollback of r2")
    assert (edited.ask("cart.total(1)"), cart(edited)) == ("4", TWICE)
    assert edited.cli("rollback", "--last-stable").returncode == 0
    assert (edited.ask("cart.total(1)"), cart(edited)) == ("2", CART)
    assert edited.cli("rollback", "r2").returncode == 0
    assert (edited.ask("cart.total(1)"), cart(edited)) == ("6", THRICE)


def test_rollback_where_no_session_runs_changes_the_file_and_makes_a_report(ended: Program) -> None:
    done = ended.cli("rollback", "--last-stable")
    assert done.returncode == 0 and "no session runs" in done.stdout
    assert cart(ended) == CART
    report = ended.json("show", "r3")
    assert (report["outcome"], report["cause"], list(report["modules"])) == ("committed", "rollback of r2", ["cart"])
    assert ended.json("rollback", "r2")["cause"] == "rollback of r3"
    assert cart(ended) == THRICE
    assert sorted(path.name for path in ended.folder.iterdir() if path.is_file()) == [
        "app.py",
        "cart.py",
        "pyproject.toml",
    ]


def test_a_newer_edit_is_kept_aside_by_name(ended: Program) -> None:
    ended.save("cart.py", "RATE = 'new'\n")
    report = ended.json("rollback", "--last-stable")
    kept = list(ended.folder.glob("cart.py.kept-*"))
    assert [path.read_text() for path in kept] == ["RATE = 'new'\n"]
    assert str(kept[0]) in report["notes"][0]


@pytest.mark.parametrize("running", [True, False])
def test_a_point_that_there_is_not_is_an_error_with_exit_code_1(edited: Program, running: bool) -> None:
    if not running:
        edited.end()
    for point, said in (("r99", "no report r99"), ("cart@0000000", "no version cart@0000000"), ("x", "is no version")):
        done = edited.cli("rollback", point)
        assert done.returncode == 1 and said in done.stderr
    assert cart(edited) == THRICE
    done = edited.cli("show", "r99", "--json")
    assert done.returncode == 1 and "r99" in json.loads(done.stdout)["error"]["what"]


def test_a_file_that_cannot_be_written_is_a_report_of_its_own(ended: Program) -> None:
    (ended.folder / "cart.py.midflight~").mkdir()
    done = ended.cli("rollback", "--last-stable")
    assert done.returncode == 1 and "MF060" in done.stdout
    assert cart(ended) == THRICE


def test_audit_tells_what_was_done_and_verify_proves_it(edited: Program) -> None:
    kinds = [one["kind"] for one in edited.json("audit", "cart")]
    assert kinds == ["report", "report", "stable"]
    assert edited.json("audit", "--verify") == {
        "ok": True, "entries": 3, "problems": [], "store": str(edited.folder / ".midflight" / "history.db")
    }  # fmt: skip
    assert "as they were written" in edited.cli("audit", "--verify").stdout
    edited.end()
    with sqlite3.connect(edited.folder / ".midflight" / "history.db") as connection:
        connection.execute("UPDATE entries SET body = replace(body, 'committed', 'refused')")
    connection.close()
    done = edited.cli("audit", "--verify")
    assert done.returncode == 1 and "not as it was written" in done.stdout
    assert not json.loads(edited.cli("audit", "--verify", "--json").stdout)["ok"]


def test_export_prints_the_trail_as_lines_of_json(edited: Program) -> None:
    lines = [json.loads(line) for line in edited.cli("history", "export").stdout.splitlines()]
    assert [line["subject"] for line in lines if line["kind"] == "report"] == ["r1", "r2"]
    lines = [json.loads(line) for line in edited.cli("history", "export", "--since", "r1").stdout.splitlines()]
    assert [line["subject"] for line in lines] == ["r2"]
    bad = edited.cli("history", "export", "--since", "soon")
    assert bad.returncode == 1 and "'soon' is no report and no time" in bad.stderr


def test_report_ids_and_history_go_on_in_the_next_process(start: Callable[..., Program]) -> None:
    first = start("--mode", "manual")
    take(first, TWICE)
    first.end()
    second = start("--mode", "manual")
    assert take(second, THRICE)["id"] == "r2"
    assert [one["id"] for one in second.json("history")] == ["r2", "r1"]
    assert second.json("show", "r1")["id"] == "r1"


def test_two_processes_of_a_project_share_the_store(start: Callable[..., Program]) -> None:
    one, other = start("--mode", "manual"), start("--mode", "manual")
    one.save("cart.py", TWICE)
    reports = [
        json.loads(program.cli("reload", "--pid", str(program.pid), "--json").stdout) for program in (one, other)
    ]
    first, second = (int(report["id"].removeprefix("r")) for report in reports)
    assert first == 1 and second > first, "each process may have a number at hand that the other passes over"
    assert [report["id"] for report in other.json("history", "--pid", str(other.pid))] == [f"r{second}", f"r{first}"]
    assert one.cli("rollback", "--last-stable").returncode == 3
    assert json.loads(one.cli("audit", "--verify", "--json", "--pid", str(one.pid)).stdout)["ok"]


def test_rollback_in_mode_pump_waits_for_the_program(start: Callable[..., Program]) -> None:
    program = start("--mode", "pump")
    program.save("cart.py", TWICE)
    pump = "(__import__('time').sleep(0.05), __import__('midflight').current().pump())[1]"
    ask = f"next(report.outcome for report in iter(lambda: {pump}, 0) if report)"
    assert program.ask(ask) == "committed"
    rollback = subprocess.Popen(
        [sys.executable, "-m", "midflight", "rollback", "--last-stable"], cwd=program.folder, env=program.env
    )
    assert program.ask(ask) == "committed"
    assert rollback.wait(60) == 0
    assert (program.ask("cart.total(1)"), cart(program)) == ("2", CART)


def test_a_store_that_cannot_be_written_is_still_read(ended: Program, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("pyproject.toml", "cart.py"):
        (copy / name).write_text((ended.folder / name).read_text())
    (copy / ".midflight").write_text("a file stands where the folder should be")
    done = subprocess.run(
        [sys.executable, "-m", "midflight", "versions"],
        cwd=copy,
        env=ended.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3


CLOCK = """
import os, time
_real = time.time
time.time = lambda: _real() - 3600 * int(open(os.environ["HOURS_BACK"]).read())
"""


def test_a_clock_that_is_set_back_changes_no_order(start: Callable[..., Program], tmp_path: Path) -> None:
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK)
    hours = tmp_path / "hours"
    hours.write_text("0")
    program = start(
        "--mode",
        "manual",
        PYTHONPATH=os.pathsep.join([str(tmp_path / "clock"), SOURCE]),
        HOURS_BACK=str(hours),
    )
    reports = []
    for back, text in enumerate((TWICE, THRICE), start=3):
        hours.write_text(str(back))
        reports.append(take(program, text))
    assert reports[0]["at"] > reports[1]["at"], "the clock went back"
    assert [one["id"] for one in program.json("history")] == [reports[1]["id"], reports[0]["id"]]
    versions = program.json("versions")
    for version, rate in zip(versions[1:], (4, 2), strict=True):
        assert program.cli("rollback", version["id"]).returncode == 0
        assert program.ask("cart.RATE") == str(rate)
    assert program.end()[0] == 0
    assert [one["outcome"] for one in program.json("history")] == ["committed"] * 4
    assert program.json("history")[2:] == reports[::-1]
    assert [one["id"] for one in program.json("versions")] == [versions[place]["id"] for place in (2, 1, 0)]
