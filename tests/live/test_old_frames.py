"""Who still runs old code after a reload: threads, tasks, generators; told by the report, and later by `stats()`."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

SHOP = """
import asyncio

def serve(act):
    act()
    return 1

def numbers():
    yield 1
    yield 1

async def wait(event):
    await event.wait()
    return 1

async def through(event):
    return await wait(event)

async def steps(event):
    yield 1
    await event.wait()
    yield 1

async def consume(event):
    return [one async for one in steps(event)]
"""
EDITED = SHOP.replace("return 1", "return 2").replace("yield 1", "yield 2")


def frames(report: Any) -> list[tuple[str, str, str]]:
    return sorted((frame.kind, frame.name, frame.thread) for frame in report.old_frames)


def test_a_thread_inside_an_edited_function_is_named_with_its_line(program: Any) -> None:
    program.write(shop=SHOP)
    shop = program.load("shop")
    inside, go, got = threading.Event(), threading.Event(), []
    thread = threading.Thread(
        target=lambda: got.append(shop.serve(lambda: (inside.set(), go.wait(30)))), name="till", daemon=True
    )
    thread.start()
    inside.wait(30)
    report = program.save(shop=EDITED)
    assert frames(report) == [("frame", "serve", "till")]
    assert (report.old_frames[0].path, report.old_frames[0].line) == (str(program.path("shop")), 5)
    go.set()
    thread.join()
    assert got == [1] and shop.serve(lambda: None) == 2
    assert program.save(shop=SHOP).old_frames == ()


def run_beside(program: Any, make: Callable[[Any], Any]) -> tuple[Any, Any]:
    """A task named `job` that waits while the file is edited; the report and what the task then gave."""
    program.write(shop=SHOP)
    shop = program.load("shop")

    async def main() -> tuple[Any, Any]:
        event = asyncio.Event()
        task = asyncio.create_task(make(shop)(event), name="job")
        for _ in range(5):
            await asyncio.sleep(0)
        report = program.save(shop=EDITED)
        event.set()
        return report, await task

    return asyncio.run(main())


def test_a_task_that_waits_is_named_by_every_coroutine_of_its_chain_that_was_edited(program: Any) -> None:
    report, given = run_beside(program, lambda shop: shop.through)
    assert frames(report) == [("task", "wait", "job")]
    assert given == 1


def test_a_task_is_named_by_the_async_generator_that_it_waits_for(program: Any) -> None:
    report, given = run_beside(program, lambda shop: shop.consume)
    assert frames(report) == [("task", "steps", "job")]
    assert given == [1, 1]


class Pause:
    """What a coroutine awaits without any loop."""

    def wait(self) -> Pause:
        return self

    def __await__(self) -> Iterator[None]:
        yield


def test_suspended_generators_are_found_with_their_kind_line_and_age(program: Any) -> None:
    program.write(shop=SHOP)
    shop = program.load("shop")
    going, steps, event = shop.numbers(), shop.steps(None), Pause()
    waiting, loop = shop.wait(event), asyncio.new_event_loop()
    next(going)
    waiting.send(None)
    loop.run_until_complete(steps.__anext__())
    assert program.session.stats()["suspended_on_old_code"] == []
    program.save(shop=EDITED)
    threading.Event().wait(0.02)
    found = {one["kind"]: one for one in program.session.stats()["suspended_on_old_code"]}
    assert {kind: (one["name"], one["line"]) for kind, one in found.items()} == {
        "generator": ("numbers", 9),
        "coroutine": ("wait", 13),
        "async generator": ("steps", 20),
    }
    assert all(one["age_s"] >= 0.02 and one["path"] == str(program.path("shop")) for one in found.values())
    older = found["generator"]["age_s"]
    program.save(shop=EDITED.replace("yield 2", "yield 3"))
    later = {one["kind"]: one["age_s"] for one in program.session.stats()["suspended_on_old_code"]}
    assert later["generator"] > older, "the age counts from the reload that replaced the code it stands in"
    waiting.close()
    loop.run_until_complete(steps.aclose())
    loop.close()
    assert list(going) == [1]
    del going, steps, waiting
    gc.collect()
    assert program.session.stats()["suspended_on_old_code"] == []


def test_a_generator_that_runs_is_no_suspended_one(program: Any) -> None:
    program.write(shop="def numbers(act):\n    yield act()\n    return 1\n")
    shop = program.load("shop")
    seen: list[Any] = []

    def act() -> None:
        report = program.save(shop="def numbers(act):\n    yield act()\n    return 2\n")
        seen.append((frames(report), program.session.stats()["suspended_on_old_code"]))

    next(shop.numbers(act))
    assert seen == [([("frame", "numbers", "MainThread")], [])]
