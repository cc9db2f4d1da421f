"""What is decided without a program: the order of plugins, cycles, and whether an edit needs setup again."""

from __future__ import annotations

import ast

import pytest

from midflight.errors import PluginError
from midflight.plan.diff import match
from midflight.plan.statements import parse
from midflight.plugins.manifest import configure, read_manifest
from midflight.plugins.order import Needs, cycles, dependents, in_order
from midflight.plugins.shape import is_shape_edit, names_read_by_setup, setup_differs, step_differs, values_changed


def plugins(text: str) -> dict[str, Needs]:
    """`a: b, c; b >c` is: a requires b and c, b comes after c; `a ~b`: a imports b."""
    found = {}
    for part in text.split(";"):
        name, _, rest = part.strip().replace(">", ": >").replace("~", ": ~").partition(":")
        words = [word.strip(" ,:") for word in rest.replace(":", " ").split()]
        plain = tuple(word for word in words if word and word[0] not in ">~")
        after = tuple(word[1:] for word in words if word.startswith(">"))
        imports = tuple(word[1:] for word in words if word.startswith("~"))
        found[name.strip()] = Needs(plain, after, imports)
    return found


@pytest.mark.parametrize(
    "text, order",
    [
        ("c; b; a", "a b c"),
        ("a: c; b; c", "c a b"),
        ("a: b; b: c; c", "c b a"),
        ("a >b; b", "b a"),
        ("a ~b; b", "b a"),
        ("a: not-there; b", "a b"),
        ("a: b; b: a", "b a"),
    ],
)
def test_each_plugin_comes_after_what_it_needs_else_by_name(text: str, order: str) -> None:
    assert " ".join(in_order(plugins(text))) == order


@pytest.mark.parametrize(
    "text, found",
    [
        ("a: b; b", {}),
        ("a: b; b: a; c: a", {"a": "a → b → a", "b": "b → a → b"}),
        ("a: b; b: c; c >a", {"a": "a → b → c → a", "b": "b → c → a → b", "c": "c → a → b → c"}),
        ("a: a", {"a": "a → a"}),
        ("a.b: a; a: a.b", {"a": "a → a.b → a", "a.b": "a.b → a → a.b"}),
        ("a ~b; b ~a", {}),
    ],
)
def test_cycles_are_named(text: str, found: dict[str, str]) -> None:
    assert cycles(plugins(text)) == found


@pytest.mark.parametrize(
    "text, of, found",
    [("a; b: a; c ~b; d >a", "a", "b c"), ("a: b; b: a", "a", "b"), ("a; b", "a", "")],
)
def test_dependents_are_those_that_require_or_import(text: str, of: str, found: str) -> None:
    assert dependents([of], plugins(text)) == set(found.split())


PLUGIN = """
import json
LIMIT = 3

async def setup(ctx):
    connect(ctx)

    @ctx.command("a")
    async def a():
        return inner()

def connect(ctx):
    ctx.host.open(LIMIT)

def inner():
    return 1

async def teardown(ctx):
    pass
"""


@pytest.mark.parametrize(
    "old, new, shape, setup",
    [
        ("return 1", "return 2", False, False),
        ("return inner()", "return inner() + 1", False, False),
        ("host.open(LIMIT)", "host.open(LIMIT + 1)", False, True),
        ("connect(ctx)\n\n", "connect(ctx)\n    connect(ctx)\n\n", False, True),
        ('@ctx.command("a")', '@ctx.command("b")', False, True),
        ("    pass", "    return", False, False),
        ("import json", "import json, sys", False, False),
        ("LIMIT = 3", "LIMIT = 4", True, False),
        ("def inner():", "def inner(x=1):", True, False),
        ("def inner():", "def other():\n    pass\n\ndef inner():", True, False),
        ("import json", "# nothing", False, False),
    ],
)
def test_what_needs_setup_again(old: str, new: str, shape: bool, setup: bool) -> None:
    assert old in PLUGIN
    text = PLUGIN.replace(old, new)
    pairs = match(parse(PLUGIN).statements, parse(text).statements)
    assert is_shape_edit(pairs) == shape
    assert setup_differs([ast.parse(PLUGIN)], [ast.parse(text)]) == setup
    assert step_differs(pairs, "teardown") == (old == "    pass")


def test_a_helper_counts_where_setup_reads_what_changed() -> None:
    assert names_read_by_setup([ast.parse(PLUGIN)]) >= {"connect", "LIMIT", "open"}
    old, new = parse("A = 1\ndef b(): pass\nC = 2\n"), parse("A = 2\ndef b(): return 1\nD = 1\n")
    assert values_changed(match(old.statements, new.statements)) == {"A", "C"}


def test_a_manifest_is_read_and_configures() -> None:
    text = (
        'name = "w"\nversion = "1"\nrequires = ["a"]\nafter = ["b"]\n[config]\nn = {type = "number", default = 1.5}\n'
    )
    manifest = read_manifest(text, "w.toml", "weather")
    assert (manifest.name, manifest.version, manifest.requires, manifest.after) == ("w", "1", ("a",), ("b",))
    assert configure(manifest, {}) == {"n": 1.5} and configure(manifest, {"n": 2}) == {"n": 2}
    for wrong in ("x", True, [1]):
        with pytest.raises(PluginError, match=r"plugin w: option 'n' is .*\n  It must be of type number"):
            configure(manifest, {"n": wrong})
