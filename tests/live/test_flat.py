"""Nothing of an old version is kept alive but what the program holds: after many reloads of every kind, no more objects."""

from __future__ import annotations

import ast
import collections
import gc
import types
import weakref
from typing import Any

SHOP = """
import functools
LIMIT = {n}
TABLE = {{"a": {n}}}

def wrap(f):
    @functools.wraps(f)
    def wrapper(*args):
        return f(*args) + {n}
    return wrapper

def plain():
    return {n}

@wrap
def wrapped(x=LIMIT):
    return x + {n}

@functools.lru_cache(maxsize={n} + 1)
def cached():
    return {n}

class Base:
    VERSION = {n}
    def version(self):
        return super().__repr__() and {n}

@functools.total_ordering
class Made(Base):
    held = {n}
    def __eq__(self, other):
        return True
    def __lt__(self, other):
        return {n} > 1

{more}
"""
TILL = "from {shop} import LIMIT, plain, Base\nRATE = LIMIT * 2\nclass Till(Base):\n    rate = RATE\n"
# What a round saves, one after the other, and how each ends. Texts of one round differ from those of the next.
ROUND = [
    ("", "committed"),
    ("def more():\n    return [x for x in (1, {n})]\nclass More:\n    pass\n", "committed"),
    ("def more(a, b={n}):\n    return lambda: a\nclass More(Base):\n    pass\n", "committed"),
    ("def more(:\n", "refused"),
    ("class More(Base):\n    x = {n}\n1 / 0\n", "rolled back"),
    ("import surely_not_there_{n}\n", "rolled back"),
    ("\n\nif LIMIT:\n    CHOSEN = {n}\n", "committed"),
]

BOUNDED = ("midflight.values", "midflight.store")


def play(program: Any, number: int) -> None:
    for step, (more, outcome) in enumerate(ROUND):
        n = number * 10 + step
        text = SHOP.format(n=n, more=more.format(n=n) if "{n}" in more else more)
        assert program.save(shop=text).outcome == outcome, [str(p) for p in program.session.history(1)[0].problems]


def counted(program: Any) -> dict[str, int]:
    """Live objects that a version of a program is made of, and midflight's own but those that something else bounds:
    reports by the history, a version's window by its time."""
    program.session._records.keeper.save()  # what its thread is about would be counted too
    gc.collect()
    counts: collections.Counter[str] = collections.Counter()
    for item in gc.get_objects():
        kind = type(item)
        if isinstance(item, (types.FunctionType, type, ast.AST, types.CellType, types.FrameType)):
            counts["node" if isinstance(item, ast.AST) else kind.__name__] += 1
        elif kind.__module__.startswith("midflight.") and not kind.__module__.startswith(BOUNDED):
            counts[f"{kind.__module__}.{kind.__name__}"] += 1
    return dict(counts)


def test_rounds_of_every_kind_of_edit_leave_as_many_objects_as_the_one_before(program: Any) -> None:
    program.write(shop=SHOP.format(n=1, more=""))
    program.write(till=TILL)
    program.load("till")
    for number in range(1, 4):
        play(program, number)
    before = counted(program)
    for number in range(4, 10):
        play(program, number)
    after = counted(program)
    grown = {name: (before.get(name, 0), count) for name, count in after.items() if count > before.get(name, 0)}
    assert grown == {}


def test_what_is_not_proven_yet_is_remembered_by_name_not_by_edit(program: Any) -> None:
    program.write(shop=SHOP.format(n=1, more=""))
    program.load("shop")
    sizes = []
    for number in range(1, 9):
        play(program, number)
        assert program.save(shop=SHOP.format(n=number, more=f"def more_{number}():\n    return 1\n")).ok
        (window,) = program.session._records.keeper.windows()
        sizes.append(len(window.changed))
    assert sizes[2:] == [sizes[2]] * 6  # flat once every name was changed


def test_old_code_objects_and_classes_made_again_die_with_their_reload(program: Any) -> None:
    program.write(shop=SHOP.format(n=1, more=""))
    program.write(till=TILL)
    program.load("till")
    shop = program.load("shop")
    play(program, 1)
    old: list[weakref.ref[Any]] = []
    for number in range(2, 5):
        functions = [shop.plain, shop.wrapped.__wrapped__, shop.cached.__wrapped__, shop.Base.version, shop.Made.__lt__]
        old += [weakref.ref(function.__code__) for function in functions]
        play(program, number)
        gc.collect()
        assert [one() for one in old if one() is not None] == []
    assert shop.plain() == shop.Base.VERSION == number * 10 + 6


def test_a_class_that_its_module_lost_and_another_still_has_costs_no_walk_over_the_heap(program: Any) -> None:
    program.write(shop="class Empty(Exception):\n    pass\n\n\nSHELVES = 1\n", till="from {shop} import Empty\n")
    till = program.load("till")
    collected: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        collected.append(info["generation"])

    gc.collect()
    gc.callbacks.append(note)
    try:
        report = program.save(shop="SHELVES = 1\n")
    finally:
        gc.callbacks.remove(note)
    assert report.outcome == "committed" and till.Empty.__name__ == "Empty"
    assert 2 not in collected
