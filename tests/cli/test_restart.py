"""`run --on-rude restart`: the program starts anew in the same process, with what its `keep` hooks saved."""

from __future__ import annotations

import importlib
import io
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from midflight import Session
from midflight.cli import restart

from .conftest import Program

PLAIN = "class Box:\n    pass\n"
RUDE = "class Meta(type):\n    pass\nclass Box(metaclass=Meta):\n    pass\n"
KEEPS = """
from midflight import keep
{box}
class Point:
    def __init__(self, x):
        self.x = x

count = keep.get("count", 0)
points = keep.get("points", ())
lock = keep.get("lock", "none")

@keep
def save():
    return {gives}
"""
GIVES = '{"count": count + 1, "points": [Point(3)]}'


Starter = Callable[..., Program]


@pytest.fixture
def started(start: Starter, tmp_path: Path) -> Starter:
    """started(cart, **files): the program with that cart.py, restarted on rude edits, which it takes when asked."""

    def run(cart: str, **files: str) -> Program:
        (tmp_path / "shop").mkdir()
        for name, text in {"cart": cart, **files}.items():
            (tmp_path / "shop" / f"{name}.py").write_text(text)
        return start("--on-rude", "restart", "--mode", "manual")

    return run


def keeps(box: str, gives: str = GIVES) -> str:
    return KEEPS.format(box=box, gives=gives)


def test_the_new_program_has_what_was_kept_by_classes_of_its_own(started: Starter) -> None:
    program = started(keeps(PLAIN))
    assert program.ask("cart.count, cart.points") == "(0, ())"
    program.save("cart.py", keeps(RUDE))
    program.cli("reload")
    assert program.ask("type(cart.Box).__name__, cart.count, [p.x for p in cart.points]") == "('Meta', 1, [3])"
    assert program.ask("type(cart.points[0]) is cart.Point, __import__('sys').argv") == "(True, ['app.py'])"
    assert program.json("status")["pid"] == program.pid
    program.save("cart.py", keeps(PLAIN))
    program.cli("reload")
    assert program.ask("type(cart.Box).__name__, cart.count") == "('type', 2)", "and once more"
    code, err = program.end()
    assert code == 0 and err.count("restarting to take this") == 2


def test_what_cannot_be_pickled_is_named_and_the_rest_is_handed_over(started: Starter) -> None:
    gives = '{"count": 7, "lock": __import__("threading").Lock()}'
    program = started(keeps(PLAIN, gives))
    program.save("cart.py", keeps(RUDE, gives))
    program.cli("reload")
    assert program.ask("cart.count, cart.lock") == "(7, 'none')"
    assert "cart's `lock` is not handed over to the new process, the rest is: TypeError" in program.end()[1]


def test_a_value_whose_class_is_gone_is_named_and_the_default_stands(started: Starter) -> None:
    program = started(keeps(PLAIN))
    program.save("cart.py", keeps(RUDE).replace("class Point", "class Place").replace("Point(", "Place("))
    program.cli("reload")
    assert program.ask("cart.count, cart.points") == "(1, ())"
    assert "cart's `points` from before the restart cannot be read: AttributeError" in program.end()[1]


@pytest.mark.parametrize(
    "gives, says", [("__import__('sys').exit(1)", "SystemExit"), ("3", "TypeError")], ids=["exits", "number"]
)
def test_a_keep_hook_that_fails_leaves_the_old_program_running(started: Starter, gives: str, says: str) -> None:
    program = started(keeps(PLAIN, gives))
    assert program.ask("setattr(cart, 'mark', 1)") == "None"
    program.save("cart.py", keeps(RUDE, gives))
    assert program.json("reload")["outcome"] == "refused"
    assert program.ask("type(cart.Box).__name__, cart.mark") == "('type', 1)"
    code, err = program.end()
    assert code == 0 and f"not restarted; the old code is running: the keep hook cart.save failed: {says}" in err
    assert "cart.py:14" in err and "restart the program by hand" in err


def test_new_code_that_does_not_come_up_ends_once_and_says_what_stands(started: Starter) -> None:
    program = started(keeps(PLAIN))
    program.save("cart.py", keeps(RUDE) + "import surely_not_there\n")
    program.cli("reload")
    code, err = program.end()
    assert code == 1 and err.count("restarting to take this") == 1
    assert err.index("No module named 'surely_not_there'") < err.index("nothing is running")


def test_a_program_that_fails_later_is_not_told_to_have_failed_to_come_up(started: Starter) -> None:
    program = started(keeps(PLAIN))
    program.save("cart.py", keeps(RUDE))
    program.cli("reload")
    assert program.ask("1 + 1") == "2"
    assert program.ask("1 / 0") == ""
    code, err = program.end()
    assert code == 1 and "ZeroDivisionError" in err and "nothing is running" not in err


def test_other_problems_beside_a_rude_edit_do_not_restart(started: Starter) -> None:
    program = started(keeps(PLAIN))
    program.save("cart.py", keeps(RUDE))
    program.save("app.py", "def f(:\n")
    assert program.json("reload")["outcome"] == "refused"
    assert program.ask("type(cart.Box).__name__") == "type"
    assert "restarting" not in program.end()[1]


APP = """
import os, signal, sys
import cart
for line in sys.stdin:
    print(eval(line), flush=True)
sys.exit(int(os.environ["ENDS_WITH"]))
"""


def test_folder_environment_signals_and_exit_code_are_those_of_a_first_start(started: Starter) -> None:
    program = started(keeps(PLAIN), app=APP.replace('os.environ["ENDS_WITH"]', '"7"'))
    program.ask("os.chdir('/'), os.environ.update(MARK='1'), os.set_blocking(0, True)")
    program.ask("signal.signal(signal.SIGTERM, signal.SIG_IGN), signal.signal(signal.SIGINT, signal.SIG_IGN)")
    program.ask("signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])")
    program.save("cart.py", keeps(RUDE))
    program.cli("reload")
    assert program.ask("os.getcwd(), 'MARK' in os.environ") == repr((str(program.folder), False))
    assert program.ask("signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)") == repr(
        (signal.SIG_DFL, signal.default_int_handler)
    )
    assert program.ask("signal.pthread_sigmask(signal.SIG_BLOCK, [])") == "set()"
    assert program.ask("[k for k in os.environ if 'HANDED' in k]") == "[]"
    assert program.end()[0] == 7


def test_a_signal_ends_the_restarted_program_as_it_would_have_ended_the_first(started: Starter) -> None:
    program = started(keeps(PLAIN))
    program.save("cart.py", keeps(RUDE))
    program.cli("reload")
    assert program.ask("1 + 1") == "2"
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(30) == -signal.SIGTERM


@pytest.fixture
def saved(tmp_path: Path, env: dict[str, str]) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """saved(app): `midflight run --on-rude restart` in mode auto on cart.py, which keeps, and that app."""
    made: list[subprocess.Popen[str]] = []

    def run(app: str) -> subprocess.Popen[str]:
        for name, text in {"pyproject.toml": "", "app.py": app, "cart.py": keeps(PLAIN)}.items():
            (tmp_path / name).write_text(text)
        command = [sys.executable, "-m", "midflight", "run", "--on-rude", "restart", "app.py"]
        made.append(subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True))
        return made[-1]

    yield run
    for process in made:
        process.kill()
        process.communicate()


THREAD = "import time\nimport cart\nprint(cart.count, flush=True)\nif __name__ == '__main__':\n    time.sleep(60)\n"
LOOP = """
import asyncio
import cart
async def main():
    print(cart.count, flush=True)
    await asyncio.sleep(60)
if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.parametrize("app", [THREAD, LOOP], ids=["thread", "asyncio"])
def test_a_save_restarts_a_program_by_itself(
    saved: Callable[[str], subprocess.Popen[str]], tmp_path: Path, app: str
) -> None:
    process = saved(app)
    assert process.stdout is not None
    assert process.stdout.readline() == "0\n"
    (tmp_path / "cart.py").write_text(keeps(RUDE))
    assert process.stdout.readline() == "1\n"
    (tmp_path / "cart.py").write_text(keeps(PLAIN))
    assert process.stdout.readline() == "2\n"


@pytest.mark.parametrize("saved", [True, False])
def test_only_what_the_files_hold_is_worth_a_restart(
    saved: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rollback to what cannot be taken live, or such a text given by value, would be lost by it."""
    restarts: list[str] = []
    monkeypatch.setattr(restart.Start, "again", lambda *given: restarts.append("again"))
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "slotted_one.py"
    path.write_text("class P:\n    __slots__ = ('x',)\np = P()\n")
    new = "class P:\n    __slots__ = ('x', 'y')\np = P()\n"
    with Session(paths=[str(tmp_path)], mode="manual") as session:
        importlib.import_module("slotted_one")
        session.subscribe(restart.restarter(session, io.StringIO()))
        if saved:
            path.write_text(new)
        report = session.reload() if saved else session.apply({str(path): new})
    del sys.modules["slotted_one"]
    assert report.outcome == "refused" and restarts == ["again"] * saved
