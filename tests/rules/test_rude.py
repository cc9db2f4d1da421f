"""What cannot be taken live is named before anything runs (SEMANTICS section 7)."""

from __future__ import annotations

import pathlib

import pytest

from .harness import Case, play, table

RUDE = r"""
# metaclass: with a live instance
[file m.py]
class Meta(type):
    pass
class C:
    def f(self):
        return 1
[run]
import m
c = m.C()
[edit m.py]
class Meta(type):
    pass
class C(metaclass=Meta):
    def f(self):
        return 2
[expect refused]
c.f() == 1 and type(m.C) is type
told("MF010", "metaclass", "restart") and report.problems[0].line == 3

# slots-added-to-live: with live instances
[file m.py]
class P:
    __slots__ = ("x",)
[run]
import m
p = m.P()
[sub m.py]
("x",) => ("x", "y")
[expect refused]
type(p) is m.P and told("MF012", "__slots__", "1 live") and report.problems[0].line == 2

# slots-to-dict: a class that gains slots while instances with a dict live
[file m.py]
class P:
    pass
[run]
import m
p = m.P()
[edit m.py]
class P:
    __slots__ = ("x",)
[expect refused]
told("MF012")

# bases-with-other-layout: a base of another layout
[file m.py]
class A(dict):
    pass
class B(list):
    pass
class C(A):
    pass
[run]
import m
c = m.C()
[sub m.py]
class C(A) => class C(B)
[expect refused]
told("MF011", "C") and m.C.__bases__ == (m.A,)

# rude-refuses-the-batch: the good file too, and it comes with the mended one
[file m.py]
class P:
    __slots__ = ("x",)
[file n.py]
X = 1
[run]
import m, n
p = m.P()
[sub m.py]
("x",) => ("x", "y")
[sub n.py]
X = 1 => X = 2
[expect refused]
n.X == 1
[sub m.py]
("x", "y") => ("x",)
[expect]
n.X == 2

# rude-and-syntax-together: all problems come back together
[file m.py]
class P:
    __slots__ = ("x",)
[file n.py]
X = 1
[run]
import m, n
p = m.P()
[sub m.py]
("x",) => ("x", "y")
[edit n.py]
def f(:
[expect refused]
len(report.problems) == 2 and told("MF012") and told("MF001")

# plan-names-it: the plan says so too and touches nothing
[file m.py]
class P:
    __slots__ = ("x",)
X = 1
[run]
import m
p = m.P()
[sub m.py]
("x",) => ("x", "y")
X = 1 => X = 2
[expect nothing]
[problem.code for problem in session.plan().problems] == ["MF012"]
m.X == 1

# reverted-rude-edit: reverted, it is nothing to do
[file m.py]
class P:
    __slots__ = ("x",)
[run]
import m
p = m.P()
[sub m.py]
("x",) => ("x", "y")
[expect refused]
told("MF012")
[sub m.py]
("x", "y") => ("x",)
[expect unchanged]
not session.stats()["pending"]
"""


@pytest.mark.parametrize("case", table(RUDE))
def test_rude(case: Case, tmp_path: pathlib.Path) -> None:
    play(case, tmp_path)
