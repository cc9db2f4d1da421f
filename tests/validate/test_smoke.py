"""A module's smoke-test files are asked before the commit: what they refuse never runs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from midflight.errors import ConfigError

from .conftest import DEADLINE_S, Shop

ONE, TWO = "def price(): return 1\n", "def price(): return 2\n"
POSITIVE = "from cart import price\n\n\ndef test_price_is_low():\n    assert price() < 3\n"
MAKE = Callable[..., Shop]

both = pytest.mark.parametrize("smoke", ["subprocess", "process"])


@both
def test_a_reload_that_passes_its_smoke_tests_commits(shop: MAKE, smoke: str) -> None:
    one = shop({"cart.py": ONE, "smoke_cart.py": POSITIVE}, smoke=smoke)
    cart = one.load("cart")
    report = one.save(cart=TWO)
    assert (report.outcome, report.problems, cart.price()) == ("committed", (), 2)


@both
def test_a_smoke_test_that_fails_takes_the_reload_back_and_names_its_line(shop: MAKE, smoke: str) -> None:
    one = shop({"cart.py": ONE, "smoke_cart.py": POSITIVE}, smoke=smoke)
    cart = one.load("cart")
    report = one.save(cart="def price(): return 7\n")
    assert (report.outcome, cart.price()) == ("rolled back", 1)
    (problem,) = report.problems
    assert (problem.code, os.path.basename(problem.path), problem.line) == ("MF030", "smoke_cart.py", 5)
    assert "test_price_is_low failed" in problem.message and "assert 7 < 3" in problem.message
    assert one.save(cart=TWO).ok and cart.price() == 2


@both
def test_applied_text_is_on_disk_when_it_is_tested_and_gone_when_it_fails(shop: MAKE, smoke: str) -> None:
    one = shop({"cart.py": ONE, "smoke_cart.py": POSITIVE}, smoke=smoke)
    cart = one.load("cart")
    assert one.session.apply({one.folder / "cart.py": "def price(): return 9\n"}).outcome == "rolled back"
    assert ((one.folder / "cart.py").read_text(), cart.price()) == (ONE, 1)
    assert one.session.apply({one.folder / "cart.py": TWO}).outcome == "committed"
    assert ((one.folder / "cart.py").read_text(), cart.price()) == (TWO, 2)


@pytest.mark.one_version
def test_a_smoke_test_that_hangs_is_killed_with_all_that_it_started(shop: MAKE) -> None:
    hangs = """
import pathlib, subprocess, sys, time

def test_for_ever():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pathlib.Path("pids").write_text(f"{child.pid}")
    time.sleep(600)
"""
    one = shop({"cart.py": ONE, "smoke_cart.py": hangs}, smoke_deadline_s=12)
    cart = one.load("cart")
    report = one.save(cart=TWO)
    assert (report.outcome, cart.price()) == ("rolled back", 1)
    assert [problem.code for problem in report.problems] == ["MF031"]
    assert "did not end within 12 s" in report.problems[0].message
    pid = int((one.folder / "pids").read_text())
    ends = time.monotonic() + DEADLINE_S
    while is_running(pid):  # it was told to die, and does so when it is scheduled
        assert time.monotonic() < ends


def is_running(pid: int) -> bool:
    """A killed grandchild may stay a zombie where nobody reaps for it."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_smoke_test_that_hangs_in_the_process_fails_the_reload(shop: MAKE) -> None:
    hangs = "import threading\n\nSTAY = threading.Event()\n\n\ndef test_for_ever():\n    STAY.wait()\n"
    one = shop({"cart.py": ONE, "smoke_cart.py": hangs}, smoke="process", smoke_deadline_s=2)
    cart = one.load("cart")
    report = one.save(cart=TWO)
    assert (report.outcome, cart.price(), report.problems[0].code) == ("rolled back", 1, "MF031")


def test_in_the_process_tests_see_the_state_of_the_program_and_a_failure_puts_it_back(shop: MAKE) -> None:
    test = "import cart\n\n\ndef test_items():\n    assert cart.ITEMS == ['tea']\n    cart.ITEMS.append('x')\n    cart.price()\n"
    one = shop({"cart.py": "ITEMS = []\n" + ONE, "smoke_cart.py": test}, smoke="process")
    cart = one.load("cart")
    cart.ITEMS.append("tea")
    items = cart.ITEMS
    assert one.save(cart="ITEMS = []\ndef price(): return 1 / 0\n").outcome == "rolled back"
    assert items is cart.ITEMS and items == ["tea"]


def test_in_the_process_a_module_that_only_the_tests_imported_goes_with_a_reload_that_fails(shop: MAKE) -> None:
    test = "import money\n\n\ndef test_no():\n    assert False\n"
    one = shop({"cart.py": ONE, "money.py": "", "smoke_cart.py": test}, smoke="process")
    one.load("cart")
    assert one.save(cart=TWO).outcome == "rolled back"
    assert "money" not in sys.modules and "smoke_cart" not in sys.modules
    assert "money" not in one.session.graph()["modules"]


def test_an_edited_smoke_test_is_read_anew(shop: MAKE) -> None:
    one = shop({"cart.py": ONE, "smoke_cart.py": "def test(): assert False\n"}, smoke="process")
    cart = one.load("cart")
    assert one.save(cart=TWO).outcome == "rolled back"
    one.write("smoke_cart.py", "def test(): assert True\n")
    assert one.session.reload().ok and cart.price() == 2


@both
@pytest.mark.parametrize("text, told", [
    ("import nothing_of_this_name\n", "No module named 'nothing_of_this_name'"),
    ("def test(:\n", "SyntaxError"),
    ("import pytest\n\n\n@pytest.fixture\ndef f():\n    raise OSError('full')\n\n\ndef test(f):\n    pass\n", "OSError: full"),
])  # fmt: skip
def test_what_cannot_be_run_is_a_failure_with_its_reason(shop: MAKE, smoke: str, text: str, told: str) -> None:
    one = shop({"cart.py": ONE, "smoke_cart.py": text}, smoke=smoke)
    one.load("cart")
    report = one.save(cart=TWO)
    assert report.outcome == "rolled back" and told in report.problems[0].message, report.problems


@both
@pytest.mark.parametrize("text", ["", "import pytest\n\n\ndef test():\n    pytest.skip('not here')\n"])
def test_no_test_is_no_failure(shop: MAKE, smoke: str, text: str) -> None:
    one = shop({"cart.py": ONE, "smoke_cart.py": text}, smoke=smoke)
    one.load("cart")
    assert one.save(cart=TWO).problems == ()


def test_switched_off_nothing_is_asked(shop: MAKE) -> None:
    one = shop({"cart.py": ONE, "smoke_cart.py": "def test(): assert False\n"}, smoke="off")
    one.load("cart")
    assert one.save(cart=TWO).outcome == "committed"


def test_the_place_of_smoke_files_is_a_setting(shop: MAKE) -> None:
    one = shop({"cart.py": ONE, "checks/cart.py": "def test(): assert False\n"}, smoke_files=["checks/{name}.py"])
    one.load("cart")
    assert one.save(cart=TWO).outcome == "rolled back"
    assert one.session.config.origins["smoke_files"] == "argument"


@pytest.mark.parametrize("patterns", [["smoke_{nmae}.py"], ["{0}.py"], "smoke.py"])
def test_a_pattern_that_cannot_be_is_an_error(shop: MAKE, patterns: Any) -> None:
    with pytest.raises(ConfigError, match="smoke_files must be a list of paths with"):
        shop({}, smoke_files=patterns)
