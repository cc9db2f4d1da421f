"""The comparator sees every kind of difference, and nothing where there is none."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator

import pytest

from .held import lost
from .portrait import Facts, binding, differences, portrait
from .upgrade import inside, kept_in

BASE = """
import dataclasses, enum, functools, re

LIMIT = 10
TABLE = {"a": 1, "b": [1, 2]}
WORDS = {"x", "y"}
PATTERN = re.compile("a+")
TOO = TABLE

def plain(a, b=LIMIT, *, c=None) -> int:
    "doc"
    def inner():
        return a
    return inner

@functools.lru_cache
def cached(n):
    return n + 1

def decorate(f):
    @functools.wraps(f)
    def wrapper(*args):
        return f(*args)
    return wrapper

@decorate
def wrapped(x):
    return x

class Base:
    kind = "base"
    def method(self):
        return 1

class Thing(Base):
    @property
    def size(self):
        return 1
    @staticmethod
    def make():
        return Thing()

@dataclasses.dataclass
class Point:
    x: int = 0

class Colour(enum.Enum):
    RED = 1

THING = Thing()
"""

EDITS = [
    ("LIMIT = 10", "LIMIT = 11", "plain.LIMIT plain.plain"),
    ("LIMIT = 10", "LIMIT = 10.0", "plain.LIMIT plain.plain"),
    ('{"a": 1, "b"', '{"b": 0, "a"', "plain.TABLE"),
    ("[1, 2]", "[1, 3]", "plain.TABLE"),
    ('{"x", "y"}', '{"x", "z"}', "plain.WORDS"),
    ('"a+"', '"a*"', "plain.PATTERN"),
    ("TOO = TABLE", "TOO = dict(TABLE)", "plain.TOO"),
    ("b=LIMIT", "b=7", "plain.plain"),
    ("c=None", "c=()", "plain.plain"),
    ("-> int", "-> str", "plain.plain"),
    ('"doc"', '"other"', "plain.plain"),
    ("return a\n", "return -a\n", "plain.plain"),
    ("return n + 1", "return n + 2", "plain.cached"),
    ("def cached(n)", "def cached(m)", "plain.cached"),
    ("return x\n", "return -x\n", "plain.wrapped"),
    ("@functools.lru_cache\n", "@functools.lru_cache(maxsize=3)\n", "plain.cached"),
    ("@decorate\ndef wrapped", "def wrapped", "plain.wrapped"),
    ('kind = "base"', 'kind = "other"', "plain.Base"),
    ("        return 1\n\nclass Thing", "        return 2\n\nclass Thing", "plain.Base"),
    ("class Thing(Base)", "class Thing", "plain.Thing plain.Base"),
    ("@property\n", "@functools.cached_property\n", "plain.Thing"),
    ("@staticmethod\n", "# none\n", "plain.Thing"),
    ("x: int = 0", "x: int = 1", "plain.Point"),
    ("x: int = 0", "x: int = 0\n    y: int = 0", "plain.Point"),
    ("RED = 1", "RED = 2", "plain.Colour"),
    ("THING = Thing()", "THING = Base()", "plain.THING"),
    ("THING = Thing()", "THING = Thing()\nTHING.extra = 1", "plain.THING"),
    ("THING = Thing()", "", "plain plain.THING"),
    ("THING = Thing()", "THING = Thing()\nNEW = 1", "plain plain.NEW"),
    ("class Colour", "# a comment\nclass Colour", ""),
    ("@decorate\ndef wrapped", "\n@decorate\ndef wrapped", "plain.wrapped plain.Base plain.Thing"),
]


@pytest.fixture
def drawn() -> Iterator[object]:
    """A function that runs a source as module `plain` and draws it."""

    def draw(source: str) -> Facts:
        module = types.ModuleType("plain")
        sys.modules["plain"] = module
        exec(compile(source, "/place/site/plain.py", "exec"), vars(module))
        return portrait(["plain"], "/place/site")

    yield draw
    sys.modules.pop("plain", None)


@pytest.mark.parametrize("old, new, names", EDITS)
def test_an_edit_shows_in_the_names_that_it_touches(drawn, old: str, new: str, names: str) -> None:  # type: ignore[no-untyped-def]
    assert BASE.count(old) >= 1
    found = differences(drawn(BASE), drawn(BASE.replace(old, new, 1)))
    lines = {path for path in found if path.endswith((" line", " lines", " positions", ".__firstlineno__"))}
    assert not lines or old.count("\n") != new.count("\n") or names
    assert set(names.split()) <= {binding(path) for path in found}
    assert {binding(path) for path in found.keys() - lines} <= set(names.split())


def test_the_same_source_twice_is_the_same(drawn) -> None:  # type: ignore[no-untyped-def]
    assert differences(drawn(BASE), drawn(BASE)) == {}


def test_a_class_that_was_made_twice_shows(drawn) -> None:  # type: ignore[no-untyped-def]
    twin = BASE.replace("THING = Thing()", "_KEEP = [Thing]\nclass Thing(Base): pass\nTHING = Thing()")
    assert "plain:Base subclasses" in differences(drawn(twin), drawn(BASE))


def test_a_copy_is_not_an_alias(drawn) -> None:  # type: ignore[no-untyped-def]
    assert "plain:TOO" in differences(drawn(BASE.replace("TOO = TABLE", "ALIAS = TABLE.copy()")), drawn(BASE))


def test_a_method_fitted_to_its_closure_is_drawn_as_its_source_and_another_one_is_not() -> None:
    """CPython lets no function's closure change: a method that comes to use `super()` has its class as a constant."""
    from midflight.apply.variants import note_variant, origin_of

    source = "class A:\n    def f(self): return super().__hash__()\n"
    fitted = "class A:\n    def f(self): return sup(cls, self).__hash__()\n"
    live, fresh = module_of(fitted), module_of(source)
    code = live.A.f.__code__
    consts = (*code.co_consts, live.A)
    live.A.f.__code__ = note_variant(code.replace(co_consts=consts), fresh.A.f.__code__)
    drawn = [portrait([one.__name__], "/nowhere", origin_of) for one in (live, fresh)]
    names = [{path.partition(":")[2]: text.replace("_live", "") for path, text in facts.items()} for facts in drawn]
    assert names[0]["A.f cell __class__"].endswith(":A") and names[0]["A.f code bytes"] == names[1]["A.f code bytes"]
    plain = portrait([live.__name__], "/nowhere")
    assert plain[f"{live.__name__}:A.f code bytes"] != drawn[0][f"{live.__name__}:A.f code bytes"]


def module_of(source: str) -> types.ModuleType:
    module = types.ModuleType(f"fitted_{len(source)}")
    exec(compile(source, "<fitted>", "exec"), vars(module))
    sys.modules[module.__name__] = module
    return module


def test_a_function_that_kept_its_identity_is_drawn_as_what_it_forwards_to() -> None:
    live = module_of("def f(x): return g(x)\ndef make():\n    def f(y): return y, 1\n    return f\n")
    target = live.make()
    plain = portrait([live.__name__], "/nowhere")
    acting = portrait([live.__name__], "/nowhere", forwarded_to=lambda f: target if f is live.f else None)
    at = f"{live.__name__}:f code names"
    assert "'y'" in acting[at] and "'y'" not in plain[at]


def test_what_is_kept_is_told_from_what_stands_beside_it() -> None:
    report = {"modules": {"m": {"kept": ["C.LIMITS", "POOL"]}}}
    kept = kept_in(report, {"m:POOL": "is holder:m__POOL"})
    assert all(inside(path, kept) for path in ("m:C.LIMITS", "m:C.LIMITS[0]", "m:POOL.size", "holder:m__POOL names"))
    assert not any(inside(path, kept) for path in ("m:C.LIMITS2", "m:C", "m:C.f code line", "holder:m__POOLS"))


def test_a_held_definition_is_lost_unless_another_one_has_its_name_now() -> None:
    live = module_of("class A: pass\nclass B: pass\ndef f(): return 1\ndef g(): return 2\n")
    name = live.__name__
    held = {f"{name}:A": live.A, f"{name}:f": live.f, f"{name}:g": live.g}
    assert lost(held) == []
    live.A, live.f, live.g = live.B, live.g, module_of("def g(): return 3\n").g
    assert lost(held) == [f"{name}:g is another object"]
    assert lost(held, lambda old: live.g if old is held[f"{name}:g"] else None) == []
