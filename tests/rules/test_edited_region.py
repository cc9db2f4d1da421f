"""Only the edited region of a file is parsed again: the statements are those of the whole text all the same."""

import ast
import functools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midflight.apply.graft.functions import same_code, same_places
from midflight.apply.holders import nested_codes
from midflight.plan.diff import match
from midflight.plan.edited import parse_edited
from midflight.plan.statements import SourceText, fingerprint, parse, same_trees

TEXT = '''"""Doc."""
import os
from sys import (
    path,
)
A = 1; B = 2
C = A + \\
    B
# a comment

@property
def f(x):
    """Doc of f."""
    return x


class K:
    a = 1

    def m(self):
        if self:
            return (
                1
            )
        else:
            return 2

    @property
    def p(self):
        x = 1
        return x

    b = 2; c = 3
    def q(self): return 1
    async def r(self, a=(
        1
    )):
        def inner():
            return self
        return inner

    class Inner:
        def s(self):
            return """
    text
"""
    def t(self):
        return 1 + \\
            2
    def last(self):
        return 3


if A:
    D = 1
else:
    D = 2
try:
    E = """
def not_one():
"""
finally:
    pass
F = [
    1,
]
def plain(a,
          b=1):  # a header of two lines

    """Doc of plain."""
    def inner():
        return os.getcwd(), a
    return inner
# below it


async def later(self):
    # first a comment
    y = """
# not one"""
    return path.append(y)
def last(): return 1
'''

PIECES = [
    "", "\n", "x = 1\n", "    y = 2\n", "else:\n", "@decorated\n", '"""\n', "def g():\n", "    pass\n", "+ 2\n", "\\\n",
    "z = 1; ", "z = 1 \\\n", "(\n", ")\n", "# comment \\\n", "\n\n", "finally:\n", "class L: pass\n", "    ",
    "        return 5\n", "        y = 3\n", "        def z(self):\n", "        return (\n", "        )\n", "    @late\n",
    "    def n(self): pass\n", "            pass\n", "        return 1 + \\\n", "        z = 1; w = 2\n", '        """doc"""\n',
    "from __future__ import annotations\n", "import json\n", "w = f(1)\n", "\x0c", "v = '\u2028'\n", "# \x85\n",
]  # fmt: skip


def described(text: SourceText) -> list[tuple[str, int, int, str]]:
    members = (member for one in text.statements if one.is_class for member in one.members_now())
    found = (*text.statements, *members)
    return [(ast.dump(s.located(), include_attributes=True), s.first, s.last, s.text) for s in found]


def edited(rng: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    start = rng.randrange(len(lines) + 1)
    end = min(len(lines), start + rng.choice((0, 0, 1, 1, 2, 5)))
    count = end - start if rng.random() < 0.5 else rng.randrange(3)
    lines[start:end] = [rng.choice(PIECES) for _ in range(count)]
    return "".join(lines)


def reread(old: SourceText, text: str) -> SourceText:
    return parse_edited(old, text).text


def parsed_or_error(parsing, *given):
    try:
        return parsing(*given)
    except (SyntaxError, ValueError) as error:
        return type(error)


@pytest.mark.parametrize("seed", range(20))
def test_an_edited_text_has_the_statements_of_the_whole_text(seed):
    rng = random.Random(seed)
    taken = 0
    old = parse(TEXT)
    for _ in range(150):
        text = edited(rng, old.text)
        if seed % 2:
            text = edited(rng, text)  # what stands between two edits stays what it is
        whole, piece = parsed_or_error(parse, text), parsed_or_error(reread, old, text)
        if isinstance(whole, type):
            assert piece is whole or issubclass(piece, SyntaxError)
            continue
        assert described(piece) == described(whole)
        for fact in ("future", "imports"):
            assert getattr(piece, fact) == getattr(whole, fact)
        assert [ast.dump(node) for node in piece.head] == [ast.dump(node) for node in whole.head]
        assert piece.lines == whole.lines
        taken += 1
        old = piece if len(text) < 3000 and rng.random() < 0.9 else parse(TEXT)
    assert taken > 20


BODIES = [
    "    return 1\n", "    if a:\n", "        b = path.append(a)\n", "    # later: 'x'\n", '    """\n', "not indented\n", "\n",
    "    return os.getcwd()\n", "    def deep(): return lambda: a\n", "# at the margin\n", "    b = 'a\\\n", "    global A\n",
    "    yield 1\n", "    nonlocal b\n", "    x = (\n", "    )\n", "x = 2\n", "    return b  # '''\n", "\x0c\n", "    pass; b = 3\n",
    "    import os as b\n", "    x: int = 5\n", "    return super, __class__\n", "    pass \\\n", "'''\n",
]  # fmt: skip
PLAIN = """{}import os
from sys import path
K = 1


def f(a,
      b=1):
    # a comment
    b = path.append(a)
    return b
# below it


async def g(self):
    return self
"""


def rereadings(rng, source, change, rounds, stays):
    """(old text, the compiled module, what was reread) of random edits that compile, mostly one after the other."""
    old = parse(source)
    for _ in range(rounds):
        text = "".join(change(rng, old.text.splitlines(keepends=True)))
        module = parsed_or_error(functools.partial(compile, dont_inherit=True), text, "m.py", "exec")
        if isinstance(module, type):
            continue
        piece = parse_edited(old, text, "m.py")
        assert described(piece.text) == described(parse(text))
        yield old, module, piece
        old = piece.text if len(text) < 2000 and rng.random() < stays else parse(source)


def with_other_lines(rng, lines):
    start = rng.randrange(7, len(lines) + 1)
    end = min(len(lines), start + rng.choice((0, 1, 1, 2)))
    lines[start:end] = [rng.choice(BODIES) for _ in range(rng.choice((0, 1, 1, 2)))]
    return lines


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
@pytest.mark.parametrize("seed", range(10))
def test_a_body_compiled_alone_is_the_code_that_the_whole_text_gives(seed, future):
    taken = 0
    for _, module, piece in rereadings(random.Random(seed), PLAIN.format(future), with_other_lines, 150, 0.9):
        for statement, code in piece.compiled.items():
            (alone,) = nested_codes(code)
            (same,) = [one for one in nested_codes(module) if one.co_firstlineno == statement.first]
            assert same_code(alone, same) and same_places(alone, same)
            taken += 1
    assert taken > 20


def test_a_body_that_was_edited_is_parsed_only_when_it_is_asked_for():
    old = parse(PLAIN.format(""))
    new, compiled, _ = parse_edited(old, old.text.replace("return b", "return b + 1"))
    (pair,) = [pair for pair in match(old.statements, new.statements) if pair.kind != "same"]
    assert (pair.kind, pair.new in compiled, pair.new._node) == ("bodies", True, None)
    assert ast.unparse(pair.new.node.body[-1]) == "return b + 1"


@pytest.mark.parametrize("line", ["        # gone\n", "# gone\n", "\n"])
def test_a_method_that_ends_sooner_ends_its_class_sooner(line):
    text = "class K:\n    def m(self):\n        a = 1\n        return 2\n\nx = 1\n"
    new = text.replace("        return 2\n", line)
    assert described(reread(parse(text), new)) == described(parse(new))


METHODS = """{}import os
from sys import path

@print
class K(dict):
    A = 1

    def __init__(self, a,
                 b=1):
        # a comment
        b = path.append(a)
        self.__x = b

    @os.fspath
    @property
    def f(self):
        return super().f, lambda: self.__x

    B = 2
    async def g(self): return self

    class L:
        C = 3

    def h(self):
        pass
        return __class__
# below it
x = 1
"""


def with_other_lines_in_methods(rng, lines):
    start = rng.choice([at for at, line in enumerate(lines) if line.startswith(" " * 8) or rng.random() < 0.1])
    end = min(start + rng.choice((1, 1, 1, 2)), len(lines))
    fresh = (rng.choice(BODIES) for _ in range(end - start))
    lines[start:end] = ["    " + line if rng.random() < 0.9 else line for line in fresh]
    return lines


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
@pytest.mark.parametrize("seed", range(10))
def test_a_method_compiled_alone_is_the_code_that_the_whole_text_gives(seed, future):
    taken = 0
    source = METHODS.format(future)
    for old, module, piece in rereadings(random.Random(seed), source, with_other_lines_in_methods, 250, 0.5):
        for pair in match(old.statements, piece.text.statements):
            assert pair.new not in piece.methods or pair.kind in ("bodies", "same")
        for statement, code in piece.methods.items():
            text = piece.text.text
            assert described(SourceText(text, statement.members, ())) == described(SourceText(text, _members(text), ()))
            ((alone,),) = map(nested_codes, nested_codes(code))
            (same,) = [one for one in _inside(module) if one.co_firstlineno == alone.co_firstlineno]
            assert same_code(alone, same) and same_places(alone, same) and alone.co_qualname == same.co_qualname
            taken += 1
    assert taken > 20


def _members(text):
    (found,) = [statement for statement in parse(text).statements if statement.is_class]
    return found.members


def _inside(module):
    return [code for body in nested_codes(module) for code in nested_codes(body)]


def test_a_method_that_was_edited_is_parsed_only_when_it_is_asked_for_and_the_rest_of_its_class_not_at_all():
    old = parse(METHODS.format(""))
    new, _, methods = parse_edited(old, old.text.replace("return super().f", "return super().g"))
    (pair,) = [pair for pair in match(old.statements, new.statements) if pair.kind != "same"]
    assert (pair.kind, pair.new in methods, pair.new._node) == ("bodies", True, None)
    assert [one._node is None for one in pair.new.members].count(True) == 1
    assert [a is b for a, b in zip(pair.old.node.body, pair.new.node.body, strict=True)].count(False) == 1
    assert ast.dump(pair.new.node, include_attributes=True) == ast.dump(
        parse(new.text).statements[2].node, include_attributes=True
    )


@pytest.mark.parametrize("separator", list("\v\f\x1c\x1d\x1e\x85\u2028\u2029"), ids=ascii)
@pytest.mark.parametrize("edit", [("B = 1", "B = 2"), ("return 1", "return 2")])
def test_an_edit_below_a_separator_that_ends_no_line_is_seen(separator: str, edit: tuple[str, str]) -> None:
    text = f"A = 'x{separator}y'\nB = 1\n\ndef f():\n    return 1\n\nclass C:\n    A = '{separator}'\n    B = 1\n"
    old = parse(text)
    new = reread(old, text.replace(*edit))
    names = [pair.statement.name for pair in match(old.statements, new.statements) if pair.edited]
    assert names == (["B", "C"] if edit[0] == "B = 1" else ["f"])


MEMBERS = [
    "    a = 1\n", "    a = 1; b = 2\n", "    a = 1; b = 3\n", "    a = 1.0\n", "    a = True\n", "    a = '\u2028'\n",
    "    def m(self): return 1\n", "    def m(self): return 2\n", "    def m(self, x=1): return 1\n",
    "    f = lambda: 1\n", "    f = lambda: 2\n", "    @property\n    def p(self): return 1\n", "    # comment\n",
    "    class D:\n        a = 1\n", "    class D:\n        a = 2\n", "    if a:\n        b = 1\n", '    """\n    text\n    """\n',
]  # fmt: skip
HEADS = ["class C:\n", "class C(B):\n", "class C(B, k=1):\n", "class D:\n", "@d\nclass C:\n", "if x:\n"]
PARTS = st.tuples(
    st.sampled_from(HEADS),
    st.lists(st.sampled_from(MEMBERS), max_size=4),
    st.sampled_from(["    x = 0\n", "    x=0\n"]),
)


@given(PARTS, PARTS, st.booleans(), st.booleans())
def test_comparing_by_texts_says_what_comparing_in_full_does(left, right, same_head: bool, bodies: bool) -> None:
    right = (left[0] if same_head else right[0], *right[1:])
    old, new = (parse("".join((head, *members, end))).statements[0] for head, members, end in (left, right))
    equal = fingerprint(old.node, bodies=bodies) == fingerprint(new.node, bodies=bodies)
    assert same_trees(old, new, bodies=bodies) == equal


def test_what_an_edit_does_not_touch_keeps_its_nodes():
    old = parse(TEXT)
    new = reread(old, TEXT.replace("return x", "return x + 1", 1))
    kept = {s.node for s in old.statements} & {s.node for s in new.statements}
    assert len(kept) == len(old.statements) - 1
