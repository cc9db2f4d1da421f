"""A version is stable once it ran for a while without trouble; before, trouble takes it back."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from midflight.values import Report

GOOD = "RATE = 1\n\n\ndef total(net):\n    return net * RATE\n\n\ndef other():\n    return {}['nothing']\n"
BAD = GOOD.replace("return net * RATE", "return net / 0")
NO_RATE = GOOD.replace("RATE = 1", "RATE = None")


@pytest.fixture
def shop(make: Any) -> Any:
    def start(mode: str = "manual", window_s: float = 60, **settings: Any) -> Any:
        program = make(mode, stable_window_s=window_s, **settings)
        program.write(cart=GOOD, money="UNIT = 1\n")
        program.session.start()
        program.cart = program.load("cart")
        program.money = program.load("money")
        return program

    return start


def in_a_thread(call: Callable[[], Any]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def logged(call: Callable[[], Any]) -> None:
    try:
        call()
    except Exception:
        logging.getLogger("shop").exception("the order failed")


def in_a_task(call: Callable[[], Any]) -> None:
    async def run() -> None:
        async def work() -> None:
            call()

        task = asyncio.get_running_loop().create_task(work())
        await asyncio.sleep(0)
        del task

    import gc

    asyncio.run(run())
    gc.collect()


def caught(call: Callable[[int], Any]) -> None:
    with pytest.raises(ZeroDivisionError):
        call(1)


WAYS = {"a thread ends with it": in_a_thread, "the program logs it": logged, "nobody awaits its task": in_a_task}


def taken(program: Any, **texts: str) -> Report:
    report: Report = program.save(**texts)
    assert report.outcome == "committed", report
    assert program.next_report() is report
    return report


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("way", WAYS)
def test_an_exception_in_changed_code_takes_file_and_process_back(shop: Any, way: str) -> None:
    program = shop()
    edit = taken(program, cart=BAD)
    WAYS[way](lambda: program.cart.total(1))
    report = program.next_report()
    assert (report.outcome, report.cause) == ("committed", f"rollback of {edit.id}")
    assert "ZeroDivisionError" in report.notes[0] and "in total" in report.notes[0]
    assert (program.cart.total(2), program.path("cart").read_text()) == (2, GOOD)
    assert [version.stable for version in program.session.versions()] == [True, False]
    assert program.session.rollback(edit.id).outcome == "committed", "the edit is not lost"


def test_a_value_that_changed_is_to_blame_for_code_that_uses_it(shop: Any) -> None:
    program = shop()
    taken(program, cart=NO_RATE)
    logged(lambda: program.cart.total(1))
    assert program.next_report().outcome == "committed"
    assert program.cart.total(2) == 2


def test_modules_that_were_edited_together_go_back_together(shop: Any) -> None:
    program = shop()
    taken(program, cart=GOOD + "X = 1\n", money="UNIT = 2\n")
    taken(program, cart=BAD)
    logged(lambda: program.cart.total(1))
    report = program.next_report()
    assert {name.partition("_")[0] for name in report.modules} == {"cart", "money"}
    assert (program.cart.total(2), program.money.UNIT, hasattr(program.cart, "X")) == (2, 1, False)


def test_an_edit_is_to_blame_also_when_others_followed_it(shop: Any) -> None:
    program = shop()
    taken(program, cart=BAD)
    taken(program, cart=BAD + "X = 1\n")
    last = taken(program, cart=BAD + "Y = 1\n")
    logged(lambda: program.cart.total(1))
    assert program.next_report().cause == f"rollback of {last.id}"
    assert (program.cart.total(2), program.path("cart").read_text()) == (2, GOOD)


@pytest.mark.parametrize(
    "what, call",
    [
        ("code that was not edited", lambda cart: cart.other()),
        ("a caught exception", lambda cart: caught(cart.total)),
    ],
)
def test_what_says_nothing_of_the_edit_takes_nothing_back(shop: Any, what: str, call: Callable[[Any], Any]) -> None:
    program = shop(window_s=1)
    edit = taken(program, cart=BAD)
    logged(lambda: call(program.cart))
    assert program.next_event("stable").report_id == edit.id
    with pytest.raises(ZeroDivisionError):
        program.cart.total(1)


def test_an_exception_that_came_before_the_edit_too_is_not_new(shop: Any) -> None:
    program = shop(window_s=1)
    taken(program, money="UNIT = 3\n")
    logged(program.cart.other)
    edit = taken(program, cart=GOOD.replace("{}['nothing']", "{}['something']"))
    logged(program.cart.other)
    program.next_event("stable")
    assert program.next_event("stable").report_id == edit.id


def test_after_the_window_an_exception_takes_nothing_back(shop: Any) -> None:
    program = shop(window_s=0.2)
    taken(program, cart=BAD)
    program.next_event("stable")
    logged(lambda: program.cart.total(1))
    with pytest.raises(ZeroDivisionError):
        program.cart.total(1)
    assert len(program.session.history()) == 1


def test_a_health_check_that_fails_at_the_end_of_the_window_takes_it_back(shop: Any) -> None:
    program = shop(window_s=0.5)
    checked = GOOD + "\nimport midflight\nSTATE = []\n\n@midflight.health_check\ndef is_well():\n    return not STATE\n"
    edit = taken(program, cart=checked)
    program.cart.STATE.append("ill")
    report = program.next_report()
    assert report.cause == f"rollback of {edit.id}" and "is_well" in report.notes[0]
    assert program.path("cart").read_text() == GOOD


def test_whoever_checks_later_may_reject_a_report(shop: Any) -> None:
    program = shop()
    edit = taken(program, cart=BAD)
    program.session.reject(edit.id, "the canary failed")
    assert program.next_event("rejected").detail["why"] == "the canary failed"
    assert program.next_report().cause == f"rollback of {edit.id}"
    program.session.reject(edit.id, "again")
    assert len(program.session.history()) == 2


def test_in_mode_pump_it_waits_for_the_program(shop: Any) -> None:
    program = shop("pump")
    program.write(cart=BAD)
    assert program.session.reload().ok
    program.next_report()
    logged(lambda: program.cart.total(1))
    program.next_event("rejected")
    assert program.path("cart").read_text() == BAD
    wait = threading.Event()
    while (report := program.session.pump()) is None:
        wait.wait(0.02)
    assert report.cause == "rollback of r1" and program.cart.total(2) == 2


def test_in_mode_auto_it_happens_by_itself(shop: Any) -> None:
    program = shop("auto")
    program.write(cart=BAD)
    edit = program.next_report()
    logged(lambda: program.cart.total(1))
    assert program.next_report().cause == f"rollback of {edit.id}"
    assert program.cart.total(2) == 2


def test_the_hooks_are_gone_after_the_session(shop: Any) -> None:
    import sys

    before = sys.excepthook, threading.excepthook, logging.getLogRecordFactory()
    program = shop()
    taken(program, cart=BAD)
    assert sys.excepthook is not before[0]
    program.session.stop()
    assert (sys.excepthook, threading.excepthook, logging.getLogRecordFactory()) == before
