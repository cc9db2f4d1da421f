"""A look at the heap while other threads run: what it finds, and that it fails none of them."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from midflight.apply.callables import caches_around
from midflight.apply.holders import functions_running
from midflight.apply.safepoint import suspended
from midflight.graph.heap import kinds_of_objects, live_instances, objects, referrers

LOOKS = 12  # one that is not consumed by C code alone fails the thread about once in four


class Part:
    pass


def task() -> None:
    pass


PARTS = [Part(), Part()]


@contextlib.contextmanager
def tuples_made() -> Iterator[list[BaseException | int]]:
    """A thread makes tuples of functions, instances and generators all the time; gives what became of each."""
    made: list[BaseException | int] = []
    done = threading.Event()

    def make() -> None:
        while not done.is_set():
            try:
                made.append(len(tuple(one for one in (task, PARTS[0], (n for n in "ab"), {"task": task}) * 8)))
            except SystemError as error:
                made.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=make)
    thread.start()
    try:
        yield made
    finally:
        sys.setswitchinterval(interval)
        done.set()
        thread.join()


@pytest.mark.parametrize(
    "look",
    [
        functools.partial(objects, [types.FunctionType]),
        functools.partial(referrers, [task, PARTS[0]]),
        functools.partial(live_instances, Part),
        functools.partial(functions_running, [task.__code__]),
        lambda: list(suspended(())),
        kinds_of_objects,
    ],
    ids=["objects", "referrers", "instances", "functions", "generators", "kinds"],
)
def test_a_look_at_the_heap_fails_no_other_thread(look: Callable[[], object]) -> None:
    with tuples_made() as made:
        for _ in range(LOOKS):
            look()
            while len(made) < 2:  # the thread has begun
                pass
    assert [one for one in made if one != 32] == []


def test_what_is_found() -> None:
    assert set(map(id, live_instances(Part))) == set(map(id, PARTS))
    assert any(one is task for one in objects([types.FunctionType]))
    assert all(type(one) is types.FunctionType for one in objects([types.FunctionType]))
    held = (task,)
    assert not any(one is held for one in referrers([task]))
    assert any(one is globals() for one in referrers([task], [dict]))
    assert referrers([]) == []
    assert kinds_of_objects().count(Part) == 2


def test_no_module_looks_at_the_heap_by_itself() -> None:
    sources = Path(caches_around.__code__.co_filename).parents[1].rglob("*.py")
    asking = {path.name for path in sources if {"gc.get_objects", "gc.get_referrers"} & _words(path)}
    assert asking == {"heap.py"}


def _words(path: Path) -> set[str]:
    text = path.read_text("utf-8")
    return {word for word in ("gc.get_objects", "gc.get_referrers") if word in text}
