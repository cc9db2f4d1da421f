"""Reloads happen at the top of a frame, and one that the first frame cannot draw is taken back."""

from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from typing import Any

import pytest

from midflight import gui
from midflight.errors import SessionError
from midflight.gui import HotReloader
from midflight.values import Report

RAISES = ("app.history.append(RATE)", "app.history.append(1 / 0)")
NEW = ('"old"', '"new"')


def test_a_reload_asked_for_in_a_frame_happens_at_the_top_of_the_next(window: Any) -> None:
    one = window()
    with HotReloader.guard_frame(one.app):
        one.save(NEW)
        assert HotReloader.reload_all(one.app)
        one.app.render()
    one.frame()
    assert one.app.drawn == ["old", "new"]
    assert HotReloader.last_report.outcome == "committed"


def test_without_frames_a_reload_happens_at_once_and_answers(window: Any) -> None:
    one = window()
    one.save(NEW)
    assert HotReloader.reload(one.name, one.app) and not HotReloader.is_error_state
    one.app.render()
    assert one.app.drawn == ["new"]
    one.save(text="def render(app:\n")
    assert not HotReloader.reload(one.name, one.app)
    assert HotReloader.is_error_state and "SyntaxError" in HotReloader.last_error
    one.app.render()
    assert one.app.drawn == ["new", "new"]


def test_a_good_frame_after_a_reload_keeps_the_live_objects(window: Any) -> None:
    one = window()
    one.frame()
    rows, selected, history = one.app.rows, one.app.selected, one.app.history
    one.save(NEW, ("RATE = 2", "RATE = 3"))
    assert one.reload()
    assert (one.app.rows, one.app.selected, one.app.history) == (rows, selected, history)
    assert one.app.rows is rows and one.app.history is history and one.app.history == [1, 2, 2, 3]


def test_an_exception_in_the_first_frame_takes_the_reload_back(window: Any) -> None:
    one = window()
    one.frame()
    history, rows, selected = one.app.history, one.app.rows, one.app.selected
    one.save(
        NEW, ("app.drawn", "app.rows.pop(0); app.rows[0].name = 'x'; app.draft = ''; app.late = 1; app.drawn"), RAISES
    )
    assert not one.reload()
    assert one.app.history is history == [1, 2, 2]
    assert one.app.rows is rows and [row.name for row in rows] == ["a", "b", "c"]
    assert one.app.selected is selected is rows[1]
    assert one.app.draft == "typed" and not hasattr(one.app, "late")
    report = HotReloader.last_report
    assert report.outcome == "rolled back" and [p.code for p in report.problems] == ["MF041"]
    assert report.problems[0].line == 6 and "ZeroDivisionError" in report.problems[0].message
    one.frame()
    assert one.app.drawn == ["old", "new", "old"]
    one.save(("1 / 0", "9"))
    assert one.reload() and HotReloader.last_error is None
    assert one.app.history == [1, 2, 2, 2, 9]


def test_last_error_has_the_whole_traceback(window: Any) -> None:
    one = window()
    one.frame()
    one.save(RAISES)
    assert not one.reload()
    told = HotReloader.last_error
    assert "Traceback (most recent call last)" in told and "app.history.append(1 / 0)" in told
    assert one.path.name in told and told.rstrip().endswith("ZeroDivisionError: division by zero")


def test_a_failed_first_frame_leaves_the_modules_own_containers_as_they_were(window: Any) -> None:
    one = window()
    one.save(("RATE = 2", "RATE = 2\nSEEN = []\nBY_NAME = {}"), ("app.drawn", "SEEN.append(1); app.drawn"))
    assert HotReloader.reload(one.name, one.app)
    one.frame()
    assert one.module.SEEN == [1]
    one.save(("SEEN.append(1)", "SEEN.clear(); BY_NAME['x'] = 1"), RAISES)
    assert not one.reload()
    assert one.module.SEEN == [1] and one.module.BY_NAME == {}


def test_a_changed_initialiser_is_put_back_with_what_was_in_it(window: Any) -> None:
    one = window()
    one.save(("RATE = 2", "RATE = 2\nCACHE = {'a': 1}"))
    assert HotReloader.reload(one.name, one.app)
    one.module.CACHE["b"] = 2
    cache = one.module.CACHE
    one.frame()
    one.save(("CACHE = {'a': 1}", "CACHE = {'z': 1}"), RAISES)
    assert not one.reload()
    assert one.module.CACHE is cache and cache == {"a": 1, "b": 2}


def test_answers_of_old_code_are_not_in_a_cache_in_the_first_frame_nor_new_ones_after_a_rollback(window: Any) -> None:
    one = window()
    cached = "import functools\n@functools.lru_cache\ndef size():\n    return (1, 2)\n"
    one.save(text=cached + one.path.read_text().replace("app.drawn.append(", "a, b = size(); app.drawn.append("))
    assert HotReloader.reload(one.name, one.app)
    one.frame()
    one.save(("(1, 2)", "(1, 2, 3)"), ("a, b =", "a, b, c ="))
    assert one.reload()
    one.save(("(1, 2, 3)", "(4, 5, 6)"), RAISES)
    assert not one.reload()
    assert one.module.size() == (1, 2, 3)


def test_in_later_frames_an_exception_is_the_programs_own(window: Any) -> None:
    one = window()
    one.frame()
    one.save(NEW)
    assert one.reload()
    one.app.history = None
    with pytest.raises(AttributeError):
        one.frame()
    assert not HotReloader.is_error_state


def test_the_failed_reload_made_one_report_and_the_file_stays_pending(window: Any) -> None:
    one = window()
    one.frame()
    one.save(RAISES)
    assert not one.reload()
    assert [report.outcome for report in one.session.history()] == ["rolled back"]
    assert one.session.pending() == [str(one.path)]
    assert one.session.plan().steps  # nothing holds the session any more


def test_asked_again_without_an_edit_the_broken_file_fails_again(window: Any) -> None:
    one = window()
    one.frame()
    one.save(RAISES)
    assert not one.reload() and not one.reload()
    assert [report.outcome for report in one.session.history()] == ["rolled back", "rolled back"]


def test_going_back_to_the_text_that_runs_clears_the_error(window: Any) -> None:
    one = window()
    one.frame()
    before = one.path.read_text()
    one.save(RAISES)
    assert not one.reload()
    one.save(text=before)
    assert one.reload() and HotReloader.last_report.outcome == "unchanged" and HotReloader.last_error is None


def test_a_file_that_is_still_broken_does_not_hold_up_another(window: Any) -> None:
    one = window()
    client = one.add("def ask():\n    return 'old'\n")
    one.frame()
    one.save(RAISES)
    assert not one.reload()
    path = one.folder / f"{client.__name__}.py"
    path.write_text("def ask():\n    return 'new'\n")
    assert not one.reload()  # a frame with both, which fails
    assert client.ask() == "new"  # on trial without the broken one
    one.frame()
    assert client.ask() == "new" and HotReloader.last_report.outcome == "committed"
    assert HotReloader.is_error_state and "ZeroDivisionError" in HotReloader.last_error  # the view on disk still fails
    one.save(("1 / 0", "5"))
    assert one.reload() and one.app.history[-1] == 5


def test_a_second_hot_module_comes_in_the_same_transaction(window: Any) -> None:
    one = window()
    client = one.add("def ask():\n    return 'old'\n")
    one.frame()
    (one.folder / f"{client.__name__}.py").write_text("def ask():\n    return 'new'\n")
    one.save(RAISES)
    assert not one.reload()
    assert client.ask() == "old"
    one.save(("1 / 0", "5"))
    assert one.reload()
    assert client.ask() == "new"


def test_ctrl_c_in_the_first_frame_takes_the_reload_back_and_is_raised(window: Any) -> None:
    one = window()
    one.frame()
    one.save(("app.history.append(RATE)", "raise KeyboardInterrupt"))
    assert HotReloader.reload_all(one.app)
    with pytest.raises(KeyboardInterrupt):
        one.frame()
    assert HotReloader.last_report.outcome == "rolled back"
    one.frame()
    assert one.app.drawn[-1] == "old"


def test_a_program_may_quit_in_the_first_frame(window: Any) -> None:
    one = window()
    one.frame()
    one.save(("app.history.append(RATE)", "raise SystemExit(3)"))
    assert HotReloader.reload_all(one.app)
    with pytest.raises(SystemExit):
        one.frame()
    assert HotReloader.last_report.outcome == "committed"


def test_a_frame_inside_a_frame_takes_nothing(window: Any) -> None:
    one = window()
    one.frame()
    with HotReloader.guard_frame(one.app):
        one.save(NEW)
        assert HotReloader.reload_all(one.app)
        one.frame()  # a dialog that runs the loop on
    assert one.app.drawn == ["old", "old"]
    one.frame()
    assert one.app.drawn[-1] == "new"


def test_another_thread_may_ask(window: Any) -> None:
    one = window()
    one.frame()
    one.save(NEW)
    asker = threading.Thread(target=HotReloader.reload_all, args=(one.app,))
    asker.start()
    asker.join()
    assert one.app.module.render.__code__.co_consts.count("old") == 1
    one.frame()
    assert one.app.drawn[-1] == "new"


@pytest.mark.parametrize("mode", ["pump", "auto"])
def test_saves_are_taken_by_themselves_at_the_top_of_a_frame_where_the_session_says_so(window: Any, mode: str) -> None:
    one = window(mode)
    one.frame()
    one.save(RAISES)
    deadline = time.monotonic() + 20
    while HotReloader.last_report is None and time.monotonic() < deadline:
        one.frame()
    report = HotReloader.last_report
    assert (report.outcome, report.cause, one.session.mode) == ("rolled back", "watcher", "pump")
    one.save(("1 / 0", "7"))
    while 7 not in one.app.history and time.monotonic() < deadline:
        one.frame()
    assert one.app.history[-1] == 7 and not HotReloader.is_error_state


def test_in_manual_mode_a_save_waits_for_the_key(window: Any) -> None:
    one = window()
    one.frame()
    one.save(NEW)
    deadline = time.monotonic() + 20
    while not one.session._inbox.batches and time.monotonic() < deadline:
        one.frame()
    one.frame()
    assert one.session._inbox.batches and HotReloader.last_report is None
    assert one.reload() and one.app.drawn[-1] == "new"


@pytest.mark.parametrize("mode", ["manual", "pump"])
def test_the_command_lines_request_waits_for_a_frame_and_is_tried_by_it(window: Any, mode: str) -> None:
    one = window(mode)
    one.frame()
    one.save(RAISES)
    answer: list[Report] = []
    asker = threading.Thread(target=lambda: answer.append(one.session.request_reload([str(one.path)], timeout_s=20)))
    asker.start()
    while asker.is_alive():
        one.frame()
    assert answer[0].outcome == "rolled back" and HotReloader.is_error_state


def test_a_request_that_cannot_be_taken_is_answered(window: Any) -> None:
    one = window()
    one.frame()
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            one.session.request_reload(["/nowhere/else.py"], timeout_s=20)
        except SessionError as error:
            failed.append(error)

    asker = threading.Thread(target=ask)
    asker.start()
    while asker.is_alive():
        one.frame()
    assert "lies outside" in str(failed[0])
    one.save(NEW)
    assert one.reload()


def test_a_pump_inside_the_first_frame_takes_nothing(window: Any) -> None:
    one = window("pump")
    one.frame()
    one.save(("app.history.append(RATE)", "app.history.append(app.pump())"))
    one.app.pump = one.session.pump
    assert one.reload()
    assert one.app.history[-1] is None


def test_no_frame_is_old_after_a_failed_one(window: Any, caplog: pytest.LogCaptureFixture) -> None:
    one = window()
    one.frame()
    one.save(RAISES)
    with caplog.at_level(logging.WARNING, "midflight"):
        assert not one.reload()
    assert "ZeroDivisionError" in caplog.text
    assert gui._loop.trial is None and gui._loop.depth == 0


def test_what_failed_does_not_wait_for_the_garbage_collector(window: Any) -> None:
    one = window()
    one.frame()
    new: list[weakref.ref[Any]] = []
    one.app.look = lambda: new.append(weakref.ref(one.module.render.__code__))
    gc.collect()
    gc.disable()
    try:
        one.save(("app.drawn", "app.look(); app.drawn"), RAISES)
        assert not one.reload()
        assert new[0]() is None
    finally:
        gc.enable()


def test_many_reloads_and_failures_leave_nothing_behind(window: Any) -> None:
    one = window()
    one.frame()
    for number in range(30):
        one.save(text=one.path.read_text().replace("RATE = ", f"RATE = {number} or "))
        assert one.reload()
        one.save(RAISES)
        assert not one.reload()
        one.save(("1 / 0", "RATE"))
        assert one.reload()
    assert one.app.history[-1] == 29
