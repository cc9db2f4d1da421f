"""Threads that never stop calling see the old program or the new one, never both in one call, and nothing raises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

EDITS = 25

SHOP = """
FIRST = SECOND = {number}
{lines}
def first():
    return {number}

def second():
    return {number}

def with_default(value={number}):
    return value

class Thing:
    VERSION = {number}
    def version(self):
        return {number}

THING = Thing()
"""

CALLERS = """
import {shop}
from {shop} import first as mine

def two_functions():
    return {shop}.first(), {shop}.second()

def two_constants():
    return {shop}.FIRST, {shop}.SECOND

def method_and_attribute(thing={shop}.THING):
    return thing.version(), type(thing).VERSION

def alias_and_constant():
    return mine(), {shop}.SECOND

def default_and_constant():
    return {shop}.with_default(), {shop}.FIRST

def left():
    return {shop}.first()

def right():
    return {shop}.second()

def through_others():
    return left(), right()
"""

KINDS = (
    "two_functions",
    "two_constants",
    "method_and_attribute",
    "alias_and_constant",
    "default_and_constant",
    "through_others",
)


class Caller(threading.Thread):
    """Calls until it is told to stop; what was torn and what was raised stays in lists."""

    def __init__(self, call: Callable[[], tuple[int, int]]) -> None:
        super().__init__(daemon=True)
        self.call, self.calls = call, 0
        self.over = threading.Event()
        self.torn: list[tuple[int, int]] = []
        self.raised: list[BaseException] = []

    def run(self) -> None:
        while not self.over.is_set():
            self.calls += 1
            try:
                one, other = self.call()
            except BaseException as error:
                self.raised.append(error)
                continue
            if one != other:
                self.torn.append((one, other))


def text(number: int) -> str:
    return SHOP.format(number=number, lines="\n" * (number % 3))


@pytest.mark.parametrize("kind", KINDS)
def test_no_call_sees_two_versions(program: Any, kind: str) -> None:
    program.write(shop=text(0))
    program.write(callers=CALLERS)
    call = getattr(program.load("callers"), kind)
    callers = [Caller(call), Caller(call)]
    for caller in callers:
        caller.start()
    try:
        outcomes = [program.save(shop=text(number)).outcome for number in range(1, EDITS + 1)]
    finally:
        for caller in callers:
            caller.over.set()
            caller.join()
    assert outcomes == ["committed"] * EDITS
    assert [caller.torn + caller.raised for caller in callers] == [[], []]
    assert all(caller.calls for caller in callers) and call() == (EDITS, EDITS)


def test_a_thread_that_is_blocked_between_two_reads_is_not_waited_for(program: Any) -> None:
    program.write(shop=text(0))
    program.write(
        callers="import {shop}\ndef f(wait):\n    one = {shop}.first()\n    wait()\n    return one, {shop}.second()\n"
    )
    f = program.load("callers").f
    inside, go, got = threading.Event(), threading.Event(), []

    def wait() -> None:
        inside.set()
        go.wait(30)

    thread = threading.Thread(target=lambda: got.append(f(wait)))
    thread.start()
    inside.wait(30)
    assert program.save(shop=text(1)).outcome == "committed"
    go.set()
    thread.join()
    assert got == [(0, 1)]


def test_a_failed_reload_is_not_seen_by_other_threads(program: Any) -> None:
    program.write(shop=text(0))
    program.write(callers=CALLERS)
    caller = Caller(program.load("callers").two_functions)
    caller.start()
    try:
        outcomes = {program.save(shop=text(number) + "1 / 0\n").outcome for number in range(1, EDITS + 1)}
    finally:
        caller.over.set()
        caller.join()
    assert outcomes == {"rolled back"}
    assert caller.torn == caller.raised == [] and caller.call() == (0, 0)
