"""`midflight propose`, `sandbox`, `approve`, `apply`, `proposals`: of a process that really runs, and without one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Program

HELPER = "def cart_status():\n    return 'ok'\n"


@pytest.fixture
def change(program: Program) -> Path:
    path = program.folder / "change.txt"
    path.write_text(HELPER)
    return path


def test_a_change_is_taken_live_from_a_second_terminal(program: Program, change: Path) -> None:
    done = program.cli("propose", "change.txt", "--module", "cart", "--reason", "to see it")
    made = done.stdout.strip()
    assert done.returncode == 0 and made.startswith("proposal_") and "for cart.py (append; named)" in done.stderr
    assert program.ask("hasattr(cart, 'cart_status')") == "False"
    done = program.cli("sandbox", made)
    assert (
        done.returncode == 0 and f"{made} tested" in done.stdout and "passed  plan  run cart.cart_status" in done.stdout
    )
    done = program.cli("approve", made)
    assert done.returncode == 0 and f"{made} approved by " in done.stdout
    done = program.cli("apply", made)
    assert done.returncode == 0 and f"{made} applied\n" in done.stdout and "cart reloaded" in done.stdout, done
    assert program.ask("cart.cart_status()") == "ok"
    assert (program.folder / "cart.py").read_text().endswith(HELPER)
    assert f"{made}  " in program.cli("proposals").stdout
    assert program.json("history", "-n", "1")[0]["cause"] == made


def test_as_json(program: Program, change: Path) -> None:
    made = program.json("propose", "change.txt", "--module", "cart.py")
    assert (made["ok"], made["state"], made["parts"][0]["module"]) == (True, "proposed", "cart")
    tested = program.json("sandbox", made["id"])
    assert (tested["ok"], tested["state"]) == (True, "tested")
    assert program.json("approve", made["id"])["state"] == "approved"
    shown = program.json("proposals", made["id"])
    assert "+def cart_status():" in shown["diff"] and shown["stale"] == []
    applied = program.json("apply", made["id"])
    assert (applied["ok"], applied["proposal"]["state"], applied["report"]["outcome"]) == (True, "applied", "committed")
    assert [one["id"] for one in program.json("proposals")] == [made["id"]]


def test_nothing_unapproved_is_applied(program: Program, change: Path) -> None:
    made = program.cli("propose", "change.txt", "--module", "cart").stdout.strip()
    for _ in range(2):
        done = program.cli("apply", made)
        assert done.returncode == 1 and "was not applied" in done.stderr and "midflight " in done.stderr
        done = program.json("apply", made)
        assert done["ok"] is False and "was not applied" in done["error"]["what"]
        program.cli("sandbox", made)
    assert program.ask("hasattr(cart, 'cart_status')") == "False"


def test_what_fails_in_the_sandbox_ends_with_1(program: Program, change: Path) -> None:
    change.write_text("import nothing_of_this_name\n")
    made = program.cli("propose", "-", "--module", "cart").stdout  # standard input is the terminal's: nothing there
    assert made == ""
    made = program.cli("propose", "change.txt", "--module", "cart").stdout.strip()
    done = program.cli("sandbox", made)
    assert done.returncode == 1 and "failed  import" in done.stdout and "nothing_of_this_name" in done.stdout
    shown = program.cli("proposals", made)
    assert (
        shown.returncode == 0
        and "+import nothing_of_this_name" in shown.stdout
        and "Propose a corrected" in shown.stdout
    )


def test_a_change_that_the_program_does_not_take_ends_with_1(program: Program) -> None:
    (program.folder / "change.txt").write_text("import sys\nassert 'app.py' not in sys.argv[0]\n")
    made = program.cli("propose", "change.txt", "--module", "cart").stdout.strip()
    program.cli("sandbox", made)
    program.cli("approve", made)
    done = program.cli("apply", made)
    assert done.returncode == 1 and f"{made} rolled back" in done.stdout and "AssertionError" in done.stdout
    assert "sys.argv" not in (program.folder / "cart.py").read_text()


def midflight(folder: Path, env: dict[str, str], *args: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "midflight", *args]
    return subprocess.run(command, cwd=folder, env=env, input=given, capture_output=True, text=True, check=False)


def test_without_a_session_the_store_is_enough_for_all_but_apply(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "knowledge_engine.py").write_text("FACTS = {}\n")
    done = midflight(tmp_path, env, "propose", "-", given="Add helper function ke_status() returning 'ok'")
    made = done.stdout.strip()
    assert (done.returncode == 0 and "ke_ in ke_status are its initials" in done.stderr) or "only module" in done.stderr
    assert midflight(tmp_path, env, "sandbox", made).returncode == 0
    assert midflight(tmp_path, env, "approve", made).returncode == 0
    done = midflight(tmp_path, env, "apply", made)
    assert done.returncode == 3 and "no session runs for" in done.stderr
    assert json.loads(midflight(tmp_path, env, "proposals", "--json").stdout)[0]["state"] == "approved"


@pytest.mark.parametrize("args, code, told", [
    (["propose", "nothing.txt"], 1, "nothing.txt cannot be read"),
    (["propose", "bytes.bin"], 1, "is not UTF-8"),
    (["propose", "large.txt"], 1, "has more than"),
    (["propose", "wish.txt"], 1, "no template fits"),
    (["propose"], 2, "usage:"),
    (["propose", "wish.txt", "--mode", "prepend"], 2, "invalid choice"),
    (["sandbox"], 2, "usage:"),
    (["sandbox", "proposal_000000"], 1, "there is no proposal"),
    (["approve", "x y"], 1, "is no proposal's id"),
    (["sandbox", "proposal_000000", "--pid", "1"], 3, "has no session"),
    (["apply", "proposal_000000"], 3, "no session"),
])  # fmt: skip
def test_bad_input_is_told(tmp_path: Path, env: dict[str, str], args: list[str], code: int, told: str) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "cart.py").write_text("RATE = 2\n")
    (tmp_path / "bytes.bin").write_bytes(b"\xff\xfe")
    (tmp_path / "large.txt").write_text("#" * (1 << 21))
    (tmp_path / "wish.txt").write_text("Make it faster, please")
    done = midflight(tmp_path, env, *args)
    assert (done.returncode, done.stdout) == (code, "") and told in done.stderr, done


def test_of_several_sessions_one_must_be_named(start: Callable[..., Program]) -> None:
    one, two = start("--mode", "manual"), start("--mode", "manual")
    (one.folder / "change.txt").write_text(HELPER)
    done = one.cli("propose", "change.txt", "--module", "cart")
    assert done.returncode == 3 and "2 sessions fit" in done.stderr
    assert one.cli("propose", "change.txt", "--module", "cart", "--pid", str(two.pid)).returncode == 0
