"""A reload in steps: what its caller and the rest of the program do in between, and how it ends."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from midflight.errors import MidflightError

REGISTRY = """
handlers, order, names = {}, [], set()

class Box:
    pass

def register(function):
    handlers[function.__name__] = function
    order.append(function.__name__)
    names.add(function.__name__)
    return function
"""
USER = "from {registry} import register\n@register\ndef one():\n    return 1\n"


def start(program: Any) -> tuple[Any, Any]:
    program.write(registry=REGISTRY)
    program.write(user=USER)
    user = program.load("user")
    return sys.modules[program.name("registry")], user


def test_nothing_is_touched_before_apply_and_all_is_kept_by_commit(program: Any) -> None:
    _, user = start(program)
    program.write(user=USER.replace("return 1", "return 2"))
    with program.session.hold([program.path("user")], "test") as held:
        assert [edit.name for edit in held.edits] == [user.__name__] and held.any and not held.problems
        assert user.one() == 1
        held.apply()
        assert user.one() == 2
        held.note("a step of our own")
        report = held.commit()
    assert (report.outcome, report.cause) == ("committed", "test") and "a step of our own" in report.notes
    assert program.session.history()[0] == report


@pytest.mark.parametrize("how", ["left open", "rolled back", "raised"])
def test_what_is_not_committed_is_rolled_back(program: Any, how: str) -> None:
    registry, user = start(program)
    before = dict(registry.handlers)
    program.write(user=USER.replace("return 1", "return 2") + "@register\ndef two():\n    return 2\n")
    try:
        with program.session.hold([program.path("user")], "test") as held:
            held.apply()
            assert list(registry.handlers) == ["one", "two"]
            if how == "rolled back":
                assert held.roll_back(ValueError("no")).outcome == "rolled back"
            if how == "raised":
                raise KeyError("of the caller's")
    except KeyError:
        pass
    assert registry.handlers == before and registry.order == ["one"] and registry.names == {"one"}
    assert user.one() == 1 and not hasattr(user, "two")
    assert program.session.reload().outcome == "committed" and user.two() == 2


def test_what_others_do_between_the_steps_stays_when_it_is_rolled_back(program: Any) -> None:
    registry, _ = start(program)
    program.write(user=USER + "@register\ndef two():\n    return 2\n")
    with program.session.hold([program.path("user")], "test") as held:
        held.apply()
        registry.handlers["theirs"] = print
        registry.order.append("theirs")
        registry.names.add("theirs")
        del registry.handlers["one"]
        registry.added = 1
        sys.modules["held_elsewhere"] = registry
        held.roll_back(ValueError("no"))
    assert sys.modules.pop("held_elsewhere") is registry and registry.added == 1
    assert list(registry.handlers) == ["theirs"]
    assert registry.order == ["one", "theirs"] and registry.names == {"one", "theirs"}


def test_a_module_that_was_loaded_goes_again_with_what_it_registered(program: Any) -> None:
    registry, user = start(program)
    program.write(extra="from {registry} import register\n@register\ndef extra():\n    pass\n")
    name = program.name("extra")
    with program.session.hold([], "test") as held:
        assert held.load(name) is sys.modules[name]
        assert "extra" in registry.handlers
        held.roll_back(ValueError("no"))
    assert name not in sys.modules and list(registry.handlers) == ["one"]
    with program.session.hold([], "test") as held:
        held.load(name)
        held.commit()
    with program.session.hold([], "test") as held:
        held.unload([name])
        held.commit()
    assert name not in sys.modules and list(registry.handlers) == ["one"]
    assert user.one() == 1


def test_a_file_that_does_not_compile_is_refused_with_nothing_touched(program: Any) -> None:
    _, user = start(program)
    program.write(user="def one(:\n")
    with program.session.hold([program.path("user")], "test") as held:
        assert [problem.code for problem in held.problems] == ["MF001"]
        assert held.refuse().outcome == "refused"
    assert user.one() == 1


def test_other_reloads_wait_for_its_end_or_are_refused_in_its_own_thread(make: Any) -> None:
    program = make("auto")
    _, user = start(program)
    program.session.start()

    async def main() -> None:
        program.write(user=USER.replace("return 1", "return 2"))
        with program.session.hold([program.path("registry")], "test") as held:
            with pytest.raises(MidflightError, match="this reload was not started"):
                program.session.reload()
            waiting = asyncio.ensure_future(program.session.areload())
            thread = asyncio.get_running_loop().run_in_executor(None, program.session.reload)
            await asyncio.sleep(0.3)
            assert user.one() == 1 and not waiting.done() and not thread.done()
            held.commit()
        await asyncio.gather(waiting, thread)
        assert user.one() == 2

    asyncio.run(main())


def test_batches_that_came_meanwhile_are_taken_at_its_end(make: Any) -> None:
    program = make("auto")
    _, user = start(program)
    program.session.start()

    async def main() -> None:
        with program.session.hold([], "test") as held:
            program.write(user=USER.replace("return 1", "return 2"))
            for _ in range(2000):
                if program.session.status()["waiting_batches"]:
                    break
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            assert user.one() == 1
            held.commit()
        for _ in range(2000):
            if user.one() == 2:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the save was lost")

    asyncio.run(main())


def test_files_that_are_left_to_somebody_else_count_as_unchanged(program: Any, folder: Path) -> None:
    _, user = start(program)
    unleave = program.session.leave(str(folder))
    program.write(user=USER.replace("return 1", "return 2"))
    assert program.session.reload().outcome == "unchanged" and user.one() == 1
    with program.session.hold([program.path("user")], "theirs") as held:
        held.apply()
        held.commit()
    assert user.one() == 2
    unleave()
    program.write(user=USER.replace("return 1", "return 3"))
    assert program.session.reload().outcome == "committed" and user.one() == 3


def test_an_attached_session_watches_nothing_and_takes_what_it_is_told(make: Any) -> None:
    program = make()
    threads = set(threading.enumerate())
    program.session.attach()
    program.session.attach()
    _, user = start(program)
    assert set(threading.enumerate()) == threads and program.session.running
    program.write(user=USER.replace("return 1", "return 2"))
    assert program.session.reload([program.path("user")]).outcome == "committed" and user.one() == 2
    program.write(user=USER.replace("return 1", "return 3"))
    assert program.session.reload().outcome == "committed" and user.one() == 3


def test_two_sessions_on_other_folders_note_each_its_own_modules(make: Any, tmp_path: Path, folder: Path) -> None:
    first = make()
    first.session.start()
    other = tmp_path / "other"
    other.mkdir()
    from midflight.session import Session

    second = Session(paths=[str(other)], mode="manual")
    second.attach()
    try:
        _, user = start(first)
        assert first.session.program.get(user.__name__) is not None
        assert second.program.get(user.__name__) is None
        assert first.save(user=USER.replace("return 1", "return 2")).outcome == "committed" and user.one() == 2
    finally:
        second.stop()


def test_another_thread_may_ask_for_reports_while_one_is_held(program: Any) -> None:
    """Also for the first one, before which no record is kept."""
    start(program)
    found: list[Any] = []
    with program.session.hold([program.path("user")], "test"):
        asking = threading.Thread(target=lambda: found.append(program.session.history()), daemon=True)
        asking.start()
        asking.join(20)
        assert found == [[]]
