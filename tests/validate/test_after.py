"""After a commit the tests that the edit reaches run, and an Event tells of each report how they ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import DEADLINE_S, Shop

ONE, TWO, BAD = "def price(): return 1\n", "def price(): return 2\n", "def price(): return 7\n"
FILES = {
    "cart.py": ONE,
    "till.py": "import cart\n",
    "tests/test_till.py": "import till\n\n\ndef test_low():\n    assert till.cart.price() < 3\n\n\ndef test_other():\n    pass\n",
    "tests/test_other.py": "def test_never():\n    assert False\n",
}
MAKE = Callable[..., Shop]


@pytest.mark.parametrize("tests", ["subprocess", "process"])
def test_the_tests_that_an_edit_reaches_run_after_the_commit(shop: MAKE, tests: str) -> None:
    one = shop(FILES, tests=tests, stable_window_s=0)  # within a window it would be taken back, in a moment
    cart = one.load("cart")
    report = one.save(cart=TWO)
    event = one.tested()
    assert (report.outcome, event.report_id) == ("committed", report.id)
    assert (event.detail["outcome"], event.detail["files"], event.detail["where"]) == (
        "passed",
        ["tests/test_till.py"],
        tests,
    )
    assert (event.detail["passed"], event.detail["failed"]) == (2, 0)

    report = one.save(cart=BAD)
    event = one.tested()
    assert (event.report_id, event.detail["outcome"], event.detail["failed"]) == (report.id, "failed", 1)
    (failure,) = event.detail["failures"]
    assert (failure["name"], failure["line"], failure["message"]) == ("test_low", 5, failure["message"])
    assert failure["path"].endswith("tests/test_till.py") and "assert 7 < 3" in failure["message"]
    assert report.ok and cart.price() == 7  # told, not taken back


def test_an_edit_that_no_test_reaches_is_told_too(shop: MAKE) -> None:
    one = shop({"cart.py": ONE}, tests="subprocess")
    one.load("cart")
    report = one.save(cart=TWO)
    event = one.tested()
    assert (event.report_id, event.detail["outcome"], event.detail["files"]) == (report.id, "passed", [])


def test_a_newer_commit_ends_the_run_of_an_older_one_and_covers_its_files(shop: MAKE) -> None:
    slow = "import pathlib, time\nimport cart\n\n\ndef test():\n    pathlib.Path('began').touch()\n    time.sleep(600 if cart.price() == 2 else 0)\n"
    files = {
        "cart.py": ONE,
        "money.py": "RATE = 1\n",
        "tests/test_cart.py": slow,
        "tests/test_money.py": "import money\n\n\ndef test(): pass\n",
    }
    one = shop(files, tests="subprocess")
    one.load("cart")
    one.load("money")
    first = one.save(cart=TWO)
    wait_for(one.folder / "began")
    second = one.save(money="RATE = 2\n", cart="def price(): return 3\n")
    told = {one.tested().report_id: None for _ in range(2)}
    assert list(told) == [first.id, second.id]


def test_each_report_is_answered_once_and_the_newest_has_the_last_word(shop: MAKE) -> None:
    one = shop(FILES, tests="subprocess")
    one.load("cart")
    reports = [one.save(cart=f"def price(): return {number / 10}\n") for number in range(5)]
    events = [one.tested() for _ in reports]
    assert [event.report_id for event in events] == [report.id for report in reports]
    assert events[-1].detail["outcome"] == "passed" and events[-1].detail["files"] == ["tests/test_till.py"]
    assert {event.detail["outcome"] for event in events[:-1]} <= {"passed", "superseded"}


def wait_for(path: Path) -> None:
    ends = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < ends, f"{path} never came"
        threading.Event().wait(0.02)


def test_tests_that_hang_are_killed_at_their_deadline(shop: MAKE) -> None:
    one = shop(
        {"cart.py": ONE, "test_cart.py": "import cart, time\n\n\ndef test(): time.sleep(600)\n"},
        tests="subprocess",
        tests_deadline_s=4,
    )
    one.load("cart")
    one.save(cart=TWO)
    event = one.tested()
    assert event.detail["outcome"] == "timed out" and "did not end within 4 s" in event.detail["message"]


def test_in_the_process_a_run_that_hangs_refuses_the_next_one(shop: MAKE) -> None:
    hangs = "import cart, threading\n\n\ndef test(): threading.Event().wait()\n"
    one = shop({"cart.py": ONE, "test_cart.py": hangs}, tests="process", tests_deadline_s=2)
    cart = one.load("cart")
    one.save(cart=TWO)
    assert one.tested().detail["outcome"] == "timed out"
    one.save(cart=BAD)
    event = one.tested()
    assert event.detail["outcome"] == "error" and "still hang" in event.detail["message"] and cart.price() == 7


def test_stop_ends_a_run_at_once(shop: MAKE) -> None:
    slow = "import cart, pathlib, time\n\n\ndef test():\n    pathlib.Path('began').touch()\n    time.sleep(600)\n"
    one = shop({"cart.py": ONE, "test_cart.py": slow}, tests="subprocess")
    one.load("cart")
    one.save(cart=TWO)
    wait_for(one.folder / "began")
    one.session.stop()
    names = {thread.name for thread in threading.enumerate()}
    ends = time.monotonic() + DEADLINE_S
    while "midflight-tests" in names and time.monotonic() < ends:
        threading.Event().wait(0.02)
        names = {thread.name for thread in threading.enumerate()}
    assert "midflight-tests" not in names


def test_refused_and_unchanged_reloads_run_no_tests(shop: MAKE) -> None:
    one = shop(FILES, tests="subprocess")
    one.load("cart")
    assert one.save(cart="def price(:\n").outcome == "refused"
    assert one.save(cart=ONE).outcome == "unchanged"
    last = one.save(cart=TWO)
    assert one.tested().report_id == last.id
