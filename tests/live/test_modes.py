"""When a reload happens: auto on its own thread or the main thread's loop, pump, manual; and what is told to whom."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import midflight
from midflight.values import Batch, Change, Event, Report

ONE = "import threading\nwhere = []\ndef f():\n    return 1\n"
TWO = "import threading\nwhere = []\ndef f():\n    return 2\nwhere.append(threading.current_thread().name)\n"


def test_auto_takes_a_save_on_midflights_own_thread(make: Any) -> None:
    program = make("auto")
    program.write(shop=ONE)
    shop = program.load("shop")
    program.session.start()
    program.write(shop=TWO)
    report = program.next_report()
    assert (report.outcome, report.cause, shop.f()) == ("committed", "watcher", 2)
    assert shop.where == ["midflight-reload"]


def test_auto_takes_a_save_on_the_loop_that_runs_in_the_main_thread(make: Any) -> None:
    program = make("auto")
    program.write(shop=ONE)
    shop = program.load("shop")
    program.session.start()

    async def main() -> Report:
        program.write(shop=TWO)
        return await asyncio.get_running_loop().run_in_executor(None, program.next_report)

    assert asyncio.run(main()).outcome == "committed"
    assert shop.where == [threading.main_thread().name] and shop.f() == 2


def test_pump_takes_a_save_only_where_the_program_says(make: Any) -> None:
    program = make("pump")
    program.write(shop=ONE)
    shop = program.load("shop")
    program.session.start()
    assert program.session.pump() is None
    program.write(shop=TWO)
    report = None
    for _ in range(2000):
        assert shop.f() == 1 or report
        report = program.session.pump()
        if report is not None:
            break
        threading.Event().wait(0.01)
    assert report is not None and report.outcome == "committed" and shop.f() == 2
    assert shop.where == [threading.main_thread().name]
    assert program.session.pump() is None


def test_a_reload_asked_for_from_outside_waits_for_the_pump(make: Any) -> None:
    program = make("pump")
    program.write(shop=ONE)
    shop = program.load("shop")
    program.session.start()
    program.write(shop=TWO)
    answer: list[Report] = []
    asker = threading.Thread(target=lambda: answer.append(program.session.request_reload(timeout_s=20)))
    asker.start()
    while asker.is_alive():
        program.session.pump()
        asker.join(0.01)
    assert shop.f() == 2 and shop.where == [threading.main_thread().name]
    assert answer[0].ok


def test_batches_that_nobody_asks_for_do_not_pile_up(make: Any) -> None:
    program = make("manual")
    program.write(shop=ONE, till=ONE)
    shop, till = program.load("shop"), program.load("till")
    program.session.start()
    paths = [str(program.path(name)) for name in ("shop", "till")]
    changes = [Change(path, "modified", float(number)) for number in range(500) for path in paths]
    for change in changes:
        program.session._on_batch(Batch((change,), (), change.at_ms))
    assert len(program.session._inbox.batches) < 100
    program.write(shop=TWO, till=TWO)
    report = program.session.reload()
    assert report.outcome == "committed" and shop.f() == till.f() == 2


def test_manual_takes_nothing_until_it_is_asked(program: Any) -> None:
    program.write(shop=ONE)
    shop = program.load("shop")
    program.write(shop=TWO)
    assert shop.f() == 1
    assert program.session.reload().outcome == "committed"
    assert shop.f() == 2
    assert program.session.reload().outcome == "unchanged"


def test_areload_runs_between_two_steps_of_the_loop(program: Any) -> None:
    program.write(shop=ONE)
    shop = program.load("shop")
    program.write(shop=TWO)
    assert asyncio.run(program.session.areload()).outcome == "committed"
    assert shop.f() == 2


def test_a_pause_holds_batches_until_resume(make: Any) -> None:
    program = make("auto")
    program.write(shop=ONE)
    shop = program.load("shop")
    program.session.start()
    program.session.pause()
    program.write(shop=TWO)
    for _ in range(2000):
        if program.session.status()["waiting_batches"]:
            break
        threading.Event().wait(0.01)
    assert shop.f() == 1
    program.session.resume()
    assert program.next_report().outcome == "committed"
    assert shop.f() == 2


def taken_while_it_is_written(make: Any, end: Callable[[Any], None]) -> tuple[Any, Any]:
    """A save that waits, and before it is taken the next save has truncated the file: `end` goes on from there."""
    program = make("auto")
    program.write(shop="seen = []\n" + ONE)
    shop = program.load("shop")
    shop.seen.append("state")
    program.session.start()
    program.session.pause()
    program.write(shop="seen = []\n" + TWO)
    wait_until(lambda: program.session.status()["waiting_batches"])
    with open(program.path("shop"), "w") as file:
        program.session.resume()
        wait_until(lambda: not program.session.status()["waiting_batches"])
        end(file)
    return program, shop


def test_a_file_that_is_being_saved_again_when_its_batch_is_taken_is_left_to_the_next_batch(make: Any) -> None:
    text = "seen = []\n" + TWO.replace("return 2", "return 3")
    program, shop = taken_while_it_is_written(make, lambda file: file.write(text))
    assert program.next_report().outcome == "committed"
    assert shop.f() == 3 and shop.seen == ["state"]


def test_a_file_that_stays_empty_is_taken_at_its_word(make: Any) -> None:
    program, shop = taken_while_it_is_written(make, lambda file: None)
    assert program.next_report().outcome == "committed"
    assert not hasattr(shop, "f") and not hasattr(shop, "seen")


def wait_until(true: Callable[[], Any]) -> None:
    for _ in range(2000):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("waited in vain")


def test_batches_that_nobody_takes_do_not_pile_up(program: Any) -> None:
    program.write(shop=ONE, till="RATE = 0\n")
    shop, till = program.load("shop"), program.load("till")
    for number in range(1, 80):
        path = program.path("till")
        path.write_text(f"RATE = {number}\n")
        wait_until(lambda: program.session.status()["watcher"]["pending"] == [])
        assert program.session.reload([path]).ok
    assert program.session.status()["waiting_batches"] <= 50
    program.write(shop=TWO)
    assert program.session.reload().outcome == "committed" and (shop.f(), till.RATE) == (2, 79)


def test_data_files_reach_their_subscribers_and_are_never_executed(make: Any, folder: Path) -> None:
    program = make("auto")
    changes: list[Change] = []
    (folder / "prompts").mkdir()
    program.session.subscribe(changes.append, data="prompts/**/*.md")
    program.session.start()
    (folder / "prompts" / "hello.md").write_text("raise SystemExit\n")
    event = program.next_event("data")
    assert event.detail["path"] == os.path.realpath(folder / "prompts" / "hello.md")
    assert [change.path for change in changes] == [event.detail["path"]]
    assert event.detail["told"] == 1


def test_a_subscriber_of_code_files_hears_of_each_before_it_is_taken_and_of_those_that_no_module_runs(
    make: Any, folder: Path
) -> None:
    program = make("auto")
    program.write(shop=ONE)
    shop = program.load("shop")
    heard: list[tuple[str, str, int]] = []
    program.session.subscribe(lambda change: heard.append((Path(change.path).name, change.kind, shop.f())), data="*.py")
    program.session.start()
    program.write(shop=TWO)
    assert program.next_report().outcome == "committed"
    (folder / "brand_new.py").write_text("x = 1\n")
    for _ in range(2000):
        if len(heard) == 2:
            break
        threading.Event().wait(0.01)
    assert heard == [(program.path("shop").name, "modified", 1), ("brand_new.py", "added", 2)]


@pytest.mark.parametrize("end", ["mended", "deleted", "imported"])
def test_a_broken_file_that_no_module_runs_yet_is_told_where_somebody_asked_for_it(
    make: Any, folder: Path, end: str
) -> None:
    program = make("auto")
    program.write(shop=ONE)
    program.load("shop")
    program.session.subscribe(lambda change: None, data="tools/*.py")
    program.session.start()
    (folder / "tools").mkdir()
    (folder / "not_asked_for.py").write_text("def (:\n")
    new = folder / "tools" / f"new_{program.suffix}.py"
    new.write_text("x = 1\ndef f(:\n")
    report = program.next_report()
    problem = report.problems[0]
    assert (report.outcome, [(one.path, one.after != "") for one in report.modules.values()]) == (
        "refused",
        [(str(new.resolve()), True)],
    )
    assert (problem.path, problem.line, problem.code) == (str(new.resolve()), 2, "MF001")
    assert program.session.pending() == [str(new.resolve())]
    program.write(shop=TWO)
    assert program.next_report().outcome == "committed", "it holds up no other"
    new.write_text("x = 1\ndef f(:\n")  # the same again is no news
    if end == "deleted":
        new.unlink()
    else:
        new.write_text("x = 2\n")
    assert program.next_report().outcome == "unchanged"
    if end == "imported":
        sys.path.insert(0, str(new.parent))
        importlib.import_module(new.stem)
        new.write_text("def f(:\n")
        assert program.next_report().outcome == "refused"
        new.write_text("x = 3\n")
        assert program.next_report().outcome == "committed"
        sys.path.remove(str(new.parent))
    assert program.session.pending() == []


def test_a_subscriber_that_fails_does_not_fail_the_reload(program: Any, caplog: pytest.LogCaptureFixture) -> None:
    program.write(shop=ONE)
    program.load("shop")
    heard: list[Report | Event] = []

    def broken(news: Any) -> None:
        raise RuntimeError("a subscriber of the program's")

    program.session.subscribe(broken)
    unsubscribe = program.session.subscribe(heard.append)
    assert program.save(shop=TWO).outcome == "committed"
    assert [r.outcome for r in heard if isinstance(r, Report)] == ["committed"]
    assert "a subscriber failed" in caplog.text
    unsubscribe()
    program.save(shop=ONE)
    assert len([r for r in heard if isinstance(r, Report)]) == 1


def test_start_and_stop_are_idempotent_and_leave_nothing_behind(make: Any) -> None:
    import sys

    program = make("auto")
    finders, threads = list(sys.meta_path), set(threading.enumerate())
    for _ in range(2):
        program.session.start()
        program.session.start()
        assert program.session.running
        program.session.stop()
        program.session.stop()
    assert sys.meta_path == finders
    assert set(threading.enumerate()) <= threads
    assert midflight.current() is None


def test_off_by_the_environment_means_off(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOT_RELOAD_ENABLED", "false")
    program = make("auto")
    program.session.start()
    assert not program.session.running
    assert program.session.reload().outcome == "unchanged"


def test_a_forked_child_runs_on_without_a_session(program: Any) -> None:
    program.write(shop=ONE)
    shop = program.load("shop")
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, repr((program.session.running, program.session.reload().outcome, shop.f())).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100) == b"(False, 'unchanged', 1)"
    assert program.session.running


def test_every_reload_makes_one_report_with_versions_and_timings(program: Any) -> None:
    program.write(shop=ONE)
    program.load("shop")
    report = program.save(shop=TWO)
    module = report.modules[program.name("shop")]
    assert len(module.before) == len(module.after) == 64 and module.before != module.after
    assert module.grafted == ("f",)
    assert report.timings_ms["total"] > 0 and {"preflight", "apply", "commit"} <= report.timings_ms.keys()
    assert Report.from_json(report.to_json()) == report
    assert program.session.history() == [report]
    assert program.session.versions()[0].id == f"{program.name('shop')}@{module.after[:12]}"


def test_a_plan_says_what_would_be_done_and_touches_nothing(program: Any) -> None:
    program.write(money="RATE = 2\n")
    program.write(shop="from {money} import RATE\ndef f():\n    return RATE\n")
    shop = program.load("shop")
    program.write(money="RATE = 3\n")
    plan = program.session.plan()
    assert [str(step) for step in plan.steps] == [
        f"run {program.name('money')}.RATE",
        f"rebind {program.name('shop')}.RATE ({program.name('money')}.RATE changes)",
    ]
    assert shop.f() == 2
    program.write(money="RATE = (\n")
    assert [p.code for p in program.session.plan().problems] == ["MF001"]
    assert program.session.history() == []


def test_a_root_that_is_a_file_is_the_programs_whatever_of_its_folder_was_imported_before(folder: Path) -> None:
    (folder / "beside_root.py").write_text("x = 1\n")
    (folder / "the_root.py").write_text("def f():\n    return 1\n")
    importlib.invalidate_caches()
    beside, root = importlib.import_module("beside_root"), importlib.import_module("the_root")
    try:
        with midflight.Session(paths=[folder / "the_root.py"], mode="manual") as session:
            (folder / "beside_root.py").write_text("x = 2\n")
            (folder / "the_root.py").write_text("def f():\n    return 2\n")
            report = session.reload()
        assert (list(report.modules), root.f(), beside.x) == (["the_root"], 2, 1)
    finally:
        del sys.modules["beside_root"], sys.modules["the_root"]


def test_a_thread_that_asks_while_another_still_loads_the_stages_gets_an_answer(tmp_path: Path) -> None:
    code = """if True:
        import sys, threading
        import midflight, midflight.session as home

        begun, go = threading.Event(), threading.Event()
        last = next(stage for stage, names in home._STAGES.items() if "Records" in names)

        class Slow:
            def find_spec(self, name, path=None, target=None):
                if name == last:
                    begun.set()
                    go.wait(60)

        sys.modules.pop(last, None)
        sys.meta_path.insert(0, Slow())
        with midflight.Session(paths=["."], mode="manual") as session:
            first = threading.Thread(target=session.stats)
            first.start()
            assert begun.wait(60)
            told = []
            second = threading.Thread(target=lambda: told.append(session.history()))
            second.start()
            second.join(0.5)
            go.set()
            first.join()
            second.join()
        print(told)
    """
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[[]]", "")


def test_a_session_that_was_stopped_is_let_go(tmp_path: Path) -> None:
    session = midflight.Session(paths=[tmp_path], mode="manual")
    session.start()
    session.stop()
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None
