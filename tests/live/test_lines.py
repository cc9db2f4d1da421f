"""Lines of code that only moved are right at once, also in closures that no name leads to; and a save whose functions
names lead to walks no heap."""

from __future__ import annotations

import asyncio
import functools
import sys
import traceback
import types
import typing
from collections.abc import Callable
from typing import Any

import pytest

from midflight.graph import heap

SHOP = """
def make(n):
    def inner(x):
        return n / x
    return inner

def in_a_list(n):
    return [lambda x: n / x, 0]

class Till:
    def __init__(self):
        self.drawer = {"open": make(1)}

def wrap(f):
    def wrapper(x):
        return f(x)
    return wrapper

@wrap
def top(x):
    return 1 / x
"""
INSERTED = "LIMIT = 1\n\n"
AT = {"make": 4, "in_a_list": 8, "top": 21}


def line(call: Callable[[], Any]) -> int:
    """Where in the program a division by zero is raised."""
    try:
        call()
    except ZeroDivisionError as error:
        return traceback.extract_tb(error.__traceback__)[-1].lineno or 0
    raise AssertionError("nothing was divided")


def in_a_partial(shop: Any) -> Callable[[], Any]:
    return functools.partial(shop.make(1), 0)


def in_a_map(shop: Any) -> Callable[[], Any]:
    held = map(shop.make(1), [0] * 9)
    return lambda: next(held)


def in_an_iterator(shop: Any) -> Callable[[], Any]:
    held = iter(functools.partial(shop.make(1), 0), 1)
    return lambda: next(held)


def in_a_list(shop: Any) -> Callable[[], Any]:
    held = shop.in_a_list(1)
    return lambda: held[0](0)


def in_an_instance(shop: Any) -> Callable[[], Any]:
    held = shop.Till()
    return lambda: held.drawer["open"](0)


def in_a_frame(shop: Any) -> Callable[[], Any]:
    """A generator's: it gives the line, and the same is raised again where `line` looks."""

    def steps() -> Any:
        inner = shop.make(1)
        while True:
            try:
                inner(0)
            except ZeroDivisionError as error:
                yield error

    going = steps()
    next(going)

    def again() -> None:
        raise next(going)

    return again


def under_a_name(shop: Any) -> Callable[[], Any]:
    return lambda: shop.top(0)


HOLDERS = [
    (in_a_partial, "make"),
    (in_a_map, "make"),
    (in_an_iterator, "make"),
    (in_a_list, "in_a_list"),
    (in_an_instance, "make"),
    (in_a_frame, "make"),
    (under_a_name, "top"),
]


@pytest.mark.parametrize("hold, where", HOLDERS, ids=lambda value: getattr(value, "__name__", value))
def test_a_closure_below_an_inserted_line_shows_its_new_line(
    program: Any, hold: Callable[[Any], Callable[[], Any]], where: str
) -> None:
    program.write(shop=SHOP)
    call = hold(program.load("shop"))
    assert line(call) == AT[where]
    assert program.save(shop=INSERTED + SHOP).outcome == "committed"
    assert line(call) == AT[where] + 2
    assert program.save(shop=INSERTED * 2 + SHOP + "1 / 0\n").outcome == "rolled back"
    assert line(call) == AT[where] + 2
    assert program.save(shop=SHOP).outcome == "committed"
    assert line(call) == AT[where]


def test_callbacks_that_a_loop_holds_show_their_new_lines(program: Any) -> None:
    program.write(shop=SHOP)
    shop = program.load("shop")
    loop, seen = asyncio.new_event_loop(), []
    loop.set_exception_handler(lambda _, context: seen.append(context["exception"]))
    loop.call_soon(shop.make(1), 0)
    assert program.save(shop=INSERTED + SHOP).outcome == "committed"
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert [traceback.extract_tb(error.__traceback__)[-1].lineno for error in seen] == [AT["make"] + 2]


@pytest.mark.parametrize(
    "edit",
    [INSERTED + SHOP, SHOP.replace("1 / x", "2 / x"), SHOP.replace("return f", "return 1 + f")],
    ids=["moved", "body", "wrapper"],
)
def test_a_save_of_code_that_names_lead_to_walks_no_heap(program: Any, edit: str) -> None:
    program.write(shop=SHOP)
    program.load("shop")
    assert heap_walks(lambda: program.save(shop=edit)) == 0


STALE = """
import typing
from {rates} import RATE

class Till:
    @property
    def price(self): return 1
    def pay(self, rate=RATE): return rate
    def other(self): return 0

@typing.overload
def at(x: int, rate: int = RATE) -> int: ...
@typing.overload
def at(x: str, rate: int = RATE) -> str: ...
def at(x, rate=RATE): return rate
"""


@pytest.mark.parametrize("inserted", ["", "LIMIT = 1\n"], ids=["stale", "stale-and-moved"])
def test_methods_and_overloads_that_run_again_walk_no_heap(program: Any, inserted: str) -> None:
    program.write(rates="RATE = 1\n", stale=STALE)
    stale = program.load("stale")
    pay, at = stale.Till().pay, stale.at
    assert heap_walks(lambda: program.save(rates="RATE = 2\n", stale=inserted + STALE)) == 0
    assert (pay(), at(0)) == (2, 2)
    assert (2,) in [one.__defaults__ for one in typing.get_overloads(at)]


def test_only_a_hidden_holder_makes_a_save_walk_the_heap_and_once(program: Any) -> None:
    program.write(shop=SHOP)
    shop = program.load("shop")
    hidden = [shop.make(1), shop.in_a_list(1)]
    assert heap_walks(lambda: program.save(shop=INSERTED + SHOP)) == 1
    assert line(lambda: hidden[0](0)) == AT["make"] + 2


def heap_walks(call: Callable[[], Any]) -> int:
    """How often `call` asks the garbage collector who refers to something, or for all objects: in one place."""
    walked = []

    def see(frame: types.FrameType, what: str, about: Any) -> None:
        if what == "call" and frame.f_code is heap._undisturbed.__code__:
            walked.append(frame.f_code)

    sys.setprofile(see)
    try:
        assert call().outcome == "committed"
    finally:
        sys.setprofile(None)
    return len(walked)
