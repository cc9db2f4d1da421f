"""Classes that go: whoever is held by nobody else leaves the subclasses of its bases at once, whoever is held stays."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from midflight.apply.graft.unheld import take_apart

# what defines classes, which of them are given up, and which of these somebody holds all the same
MADE = {
    "class C: pass": ("C", ""),
    "class C(B):\n    def f(self): return super().f()": ("C", ""),
    "class C(B):\n    @property\n    def p(self): return __class__\n    @classmethod\n    def c(cls): return __class__": (
        "C",
        "",
    ),
    "class C(TypeError, ValueError):\n    def __init__(self, *a): super().__init__(*a)": ("C", ""),
    "class C(abc.ABC):\n    @abc.abstractmethod\n    def m(self): ...": ("C", ""),
    "class C(B): __slots__ = ('x',)\nclass D(C): pass": ("C D", ""),
    "class C(B): pass\nclass D(C): pass": ("C", "C"),
    "class C(B): pass\none = C()": ("C", "C"),
    "class C(B):\n    def f(self): return super().f()\nf = C.f": ("C", "C"),
    "class C(B): pass\nother = C": ("C", "C"),
    "class C(B): pass\norder = C.__mro__": ("C", "C"),
    "class C(B):\n    members = []\nC.members.append(C)": ("C", "C"),
}


@pytest.mark.parametrize("text", MADE)
def test_a_class_goes_at_once_if_nobody_else_holds_it(text: str) -> None:
    given_up, held = MADE[text]
    names: dict[str, Any] = {"__name__": "made"}
    exec("import abc\nclass B:\n    def f(self): return 1\n" + text, names)
    classes = weakref.WeakSet(names.pop(name) for name in given_up.split())
    gc.disable()
    try:
        take_apart(classes)
        assert sorted(cls.__name__ for cls in classes) == held.split()
    finally:
        gc.enable()
    if not held:
        assert names["B"].__subclasses__() == [] and "made" not in {
            one.__module__ for one in TypeError.__subclasses__()
        }
    for cls in classes:
        assert cls.__mro__[0] is cls and (issubclass(cls, names["B"])) and (cls().f() == 1)
