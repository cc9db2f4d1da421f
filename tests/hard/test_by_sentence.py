"""What the contract says, sentence by sentence, where no other table shows it: passing names, decorators that read what
changed, names that go while others use them, kinds that others rely on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import parse
from hard.harness import run_row

ROWS = parse(
    "by sentence",
    r"""
## passing-value: a value that a `del` takes away is made again with what it helps to make
@ file m.py
tmp = [1, 2]
total = sum(tmp)
del tmp
@ touch
import m
@ sub m.py
[1, 2] => [1, 2, 3]
@ expect
m.total == 6 and not hasattr(m, "tmp")
@ sub m.py
sum(tmp) => sum(tmp) + 1
@ expect
m.total == 7 and not hasattr(m, "tmp")
@ sub m.py
del tmp =>
@ expect
m.tmp == [1, 2, 3] and m.total == 7

## passing-value-stale: the same where only a constant changed
@ file m.py
N = 2
_t = [i for i in range(N)]
TOTAL = sum(_t)
del _t
@ touch
import m
@ sub m.py
N = 2 => N = 4
@ expect
m.TOTAL == 6 and not hasattr(m, "_t")

## passing-loop-variable: a loop's variable that is deleted stays away when the loop runs again
@ file m.py
T = {}
for i in range(3):
    T[i] = i
del i
X = 1
@ touch
import m
T = m.T
@ sub m.py
range(3) => range(4)
@ expect
T == {0: 0, 1: 1, 2: 2, 3: 3} and not hasattr(m, "i") and m.T is T
@ sub m.py
X = 1 => X = 2
@ expect
m.X == 2 and not hasattr(m, "i")

## passing-helper: a function that is deleted: what it made follows its body
@ file m.py
def _mk(n):
    return n * 2
A = _mk(1)
B = _mk(2)
del _mk
@ touch
import m
@ sub m.py
n * 2 => n * 3
@ expect
(m.A, m.B) == (3, 6) and not hasattr(m, "_mk")
@ sub m.py
_mk(2) => _mk(5)
@ expect
(m.A, m.B) == (3, 15) and not hasattr(m, "_mk")

## passing-import: an import that is deleted is there for what needs it, and goes again
@ file m.py
import os as _os
HERE = _os.path.join("a", "b")
del _os
@ touch
import m
@ sub m.py
"b" => "c"
@ expect
m.HERE == "a/c" and not hasattr(m, "_os")
@ sub m.py
del _os => del _os\nY = 1
@ expect
m.HERE == "a/c" and m.Y == 1 and not hasattr(m, "_os")

## passing-touched: the program touched what was made of it: that is kept and told
@ file m.py
_n = 1
D = {"n": _n}
del _n
@ touch
import m
m.D["prog"] = 1
@ sub m.py
_n = 1 => _n = 2
@ expect
not hasattr(m, "_n")
m.D["prog"] == 1 and (said("D") or m.D["n"] == 2)

## passing-in-class: a loop's variable in a class body
@ file m.py
class C:
    opts = {}
    for k in ("a", "b"):
        opts[k] = len(k)
    del k
    def f(self): return 1
@ touch
import m
C = m.C
@ sub m.py
("a", "b") => ("a", "bb")
@ expect
m.C.opts == {"a": 1, "bb": 2} and not hasattr(C, "k") and m.C is C
@ sub m.py
return 1 => return 2
@ expect
C().f() == 2 and not hasattr(C, "k")

## passing-in-block: deleted in a block; items and attributes are another matter
@ file m.py
D = {"a": 1, "b": 2}
del D["b"]
class C:
    x = 1
del C.x
z = 1
if z:
    del z
@ touch
import m
@ sub m.py
"a": 1 => "a": 5
@ expect
m.D == {"a": 5} and not hasattr(m.C, "x") and not hasattr(m, "z")

## del-comes-and-goes: a `del` that is added, and removed again
@ file m.py
a = 1
b = 2
@ touch
import m
@ edit m.py
a = 1
b = 2
del a
@ expect
not hasattr(m, "a") and m.b == 2
@ edit m.py
a = 1
b = 2
@ expect
m.a == 1

## block-leaves-unbound: names that the part which ran did not bind do not make a block state
@ file conf.py
RAW = "1"
@ file m.py
from conf import RAW
try:
    V = int(RAW)
except ValueError:
    V = -1
else:
    OK = True
finally:
    DONE = 1
if V > 0:
    POS = 1
else:
    NEG = [1]
@ touch
import m
@ sub conf.py
RAW = "1" => RAW = "x"
@ expect
m.V == -1 and not hasattr(m, "OK") and not hasattr(m, "POS") and m.NEG == [1]
@ sub conf.py
RAW = "x" => RAW = "4"
@ expect
m.V == 4 and m.OK is True and m.POS == 1
not hasattr(m, "NEG")

## reads-unfinished: a statement that reads a value before it is whole reads it so again when it is edited
@ file m.py
x = 1
y = x + 1
x += 5
L = []
n = len(L)
L.append("a")
k = len(L)
L.append("b")
@ touch
import m
L = m.L
@ sub m.py
y = x + 1 => y = x + 2
len(L)\nL.append("b") => len(L) * 10\nL.append("b")
@ expect
m.x == 6 and m.y == 3 and m.n == 0 and m.k == 10 and m.L is L and L == ["a", "b"]

## reads-unfinished-stale: the same where a constant changed
@ file m.py
N = 1
x = 1
y = x + N
x += 5
@ touch
import m
@ sub m.py
N = 1 => N = 3
@ expect
m.x == 6 and m.y == 4

## default-of-unfinished: a default that read it stays
@ file m.py
x = 1
def f(a=x):
    return a
x += 5
@ touch
import m
f = m.f
@ sub m.py
return a => return a * 10
@ expect
f() == 10
@ sub m.py
def f(a=x) => def f(a=x, b=2)
@ expect
f() == 10

## reads-first-binding: a reader between two bindings of a name
@ file m.py
mode = "a"
first = mode.upper()
mode = "b"
second = mode.upper()
@ touch
import m
@ sub m.py
first = mode.upper() => first = mode.upper() + "!"
@ expect
m.first == "A!" and m.second == "B"
@ sub m.py
mode = "a" => mode = "c"
@ expect
m.first == "C!" and m.second == "B"
@ sub m.py
mode = "b" => mode = "d"
@ expect
m.first == "C!" and m.second == "D"

## marks-of-decorator: what decorators put on a class, a function and a method goes with them, also when they go themselves
@ file m.py
def tag(v):
    def d(c):
        c.tag = v
        setattr(c, "extra", 1)
        return c
    return d
def other(f):
    f.other = 3
    return f
@tag(2)
class C:
    def f(self): return 1
    @other
    def g(self): return 2
@tag(1)
def f(): return 1
@ touch
import m
C, f, g = m.C, m.f, m.C.g
f.mine = 1
C.mine = 2
@ edit m.py
class C:
    def f(self): return 3
    def g(self): return 2
def f(): return 1
@ expect
not hasattr(C, "tag") and not hasattr(C, "extra") and C.mine == 2 and C().f() == 3
not hasattr(f, "tag") and f.mine == 1 and not hasattr(g, "other")

## marks-of-decorator-that-stays: the decorator stays, its use goes
@ file m.py
def tag(c):
    c.tag = 1
    return c
@tag
class C:
    x = 1
@tag
def f(): return 1
@ touch
import m
C, f = m.C, m.f
@ edit m.py
def tag(c):
    c.tag = 1
    return c
class C:
    x = 1
def f(): return 1
@ expect
not hasattr(C, "tag") and not hasattr(f, "tag")

## decorating-reads-constant: a factory's decorator reads a constant while it decorates: it registers under the new name
@ file m.py
PREFIX = "/a"
R = {}
def route(p):
    def d(f):
        R[PREFIX + p] = f
        return f
    return d
@route("/x")
def x(): return 1
@ touch
import m
x = m.x
@ sub m.py
PREFIX = "/a" => PREFIX = "/b"
@ expect
m.R == {"/b/x": x} and m.x is x

## decorating-reads-other-module: the same through another module, also on a method
@ file conf.py
LIMIT = 1
@ file d.py
import conf, functools
def limited(f):
    n = conf.LIMIT
    @functools.wraps(f)
    def w(*a):
        return n, f(*a)
    return w
@ file m.py
from d import limited
@limited
def f(): return 1
class C:
    @limited
    def g(self): return 2
@ touch
import m
f, g = m.f, m.C().g
@ sub conf.py
LIMIT = 1 => LIMIT = 2
@ expect
f() == (2, 1) and g() == (2, 2) and m.f is f

## wrapper-reads-constant: what only the wrapper reads decorates nothing again
@ file conf.py
LIMIT = 1
@ file d.py
import conf, functools, _probe
def limited(f):
    _probe.hit("deco")
    @functools.wraps(f)
    def w(*a):
        return conf.LIMIT, f(*a)
    return w
@ file m.py
from d import limited
@limited
def f(): return 1
@ touch
import m
f = m.f
@ sub conf.py
LIMIT = 1 => LIMIT = 2
@ expect
f() == (2, 1) and probe.hits == {"deco": 1}

## class-decorator-reads-constant: a class decorator that reads a constant
@ file conf.py
TAG = "a"
@ file m.py
import conf
def tagged(cls):
    cls.tag = conf.TAG
    return cls
@tagged
class C:
    def f(self): return self.tag
@ touch
import m
c = m.C()
@ sub conf.py
TAG = "a" => TAG = "b"
@ expect
c.f() == "b"

## init-subclass-reads-constant: an `__init_subclass__` that reads one
@ file conf.py
TAG = "a"
@ file m.py
import conf
class Base:
    def __init_subclass__(cls):
        cls.tag = conf.TAG
class C(Base):
    def f(self): return self.tag
@ touch
import m
c = m.C()
@ sub conf.py
TAG = "a" => TAG = "b"
@ expect
c.f() == "b" or said("C")

## metaclass-reads-constant: a metaclass that reads one
@ file conf.py
TAG = "a"
@ file m.py
import conf
class Meta(type):
    def __new__(mcs, n, b, ns):
        ns["tag"] = conf.TAG
        return super().__new__(mcs, n, b, ns)
class C(metaclass=Meta):
    def f(self): return self.tag
@ touch
import m
c = m.C()
@ sub conf.py
TAG = "a" => TAG = "b"
@ expect
c.f() == "b" or said("C")

## decorator-object-reads-constant: the `__init__` of a decorator object reads one
@ file conf.py
TAG = "a"
@ file m.py
import conf
class Deco:
    def __init__(self, f):
        self.f = f
        self.tag = conf.TAG
    def __call__(self):
        return self.tag, self.f()
@Deco
def f(): return 1
@ touch
import m
f = m.f
@ sub conf.py
TAG = "a" => TAG = "b"
@ expect
f() == ("b", 1) or said("f")
m.f() == ("b", 1) or said("f")

## decorating-calls-reader: what is called while it decorates reads one
@ file conf.py
TAG = "a"
@ file d.py
from conf import TAG
def name(f): return TAG + f.__name__
def named(f):
    f.label = name(f)
    return f
@ file m.py
from d import named
@named
def f(): return 1
@ touch
import m
f = m.f
@ sub conf.py
TAG = "a" => TAG = "b"
@ expect
f.label == "bf" and m.f is f

## init-subclass-calls-edited: what an `__init_subclass__` calls is edited
@ file m.py
def label(c): return c.__name__.lower()
class Base:
    def __init_subclass__(cls):
        cls.tag = label(cls)
class C(Base):
    def f(self): return self.tag
@ touch
import m
c, C = m.C(), m.C
@ sub m.py
lower() => upper()
@ expect
c.f() == "C" and m.C is C and m.Base.__subclasses__() == [C]

## gone-but-used [nofail]: a name that another module uses by attribute stays until that module is edited
@ file a.py
def old(): return 1
def g(): return 1
X = 5
@ file b.py
import a
def use(): return a.old() + a.X
@ touch
import a, b
use, old = b.use, a.old
@ edit a.py
def g(): return 1
@ expect
use() == 6 and said("a.old") and said("a.X") and "b" in "".join(report.notes)
@ edit b.py
import a
def use(): return a.g() * 10
@ expect
use() == 10 and not hasattr(a, "old") and not hasattr(a, "X")

## gone-but-used-comes-back [nofail]: ... or it comes back
@ file a.py
def old(): return 1
class C:
    def f(self): return 1
X = 5
@ file b.py
import a
def use(): return a.old(), a.C().f(), a.X
@ touch
import a, b
old, C, c = a.old, a.C, a.C()
@ edit a.py
Z = 1
@ expect
b.use() == (1, 1, 5)
@ edit a.py
Z = 1
def old(): return 2
class C:
    def f(self): return 2
X = 6
@ expect
b.use() == (2, 2, 6) and a.old is old and a.C is C and c.f() == 2 and old() == 2
@ edit b.py
import a
def use(): return 0
@ expect
a.old is old and a.X == 6

## gone-but-used-at-top-level [nofail]: ... also where the top level of the user read it
@ file a.py
X = 1
Y = 2
@ file b.py
import a
Z = a.X + 1
@ touch
import a, b
@ edit a.py
Y = 3
@ expect
b.Z == 2 and said("a.X") and report.ok
@ edit b.py
import a
Z = a.Y + 1
@ expect
b.Z == 4 and not hasattr(a, "X")

## gone-together [nofail]: edited together it goes at once
@ file a.py
def old(): return 1
@ file b.py
import a
def use(): return a.old()
@ touch
import a, b
@ edit a.py
def new(): return 2
@ edit b.py
import a
def use(): return a.new()
@ expect
b.use() == 2 and not hasattr(a, "old") and not any("still" in n for n in report.notes)

## gone-but-starred [nofail]: a name that a star import brought and that is used there
@ file a.py
X = 1
Y = 2
@ file b.py
from a import *
def g(): return X
@ touch
import a, b
@ edit a.py
Y = 2
@ expect
b.g() == 1 and said("a.X") and not hasattr(a, "X")
@ edit b.py
from a import *
def g(): return Y
@ expect
b.g() == 2 and not hasattr(b, "X")

## gone-but-starred-comes-back [nofail]: ... and that comes back
@ file a.py
X = 1
Y = 2
@ file b.py
from a import *
def g(): return X
@ touch
import a, b
@ edit a.py
Y = 2
@ expect
b.g() == 1
@ edit a.py
X = 7
Y = 2
@ expect
b.g() == 7

## gone-but-used-undone: a failure behind it
@ file a.py
def old(): return 1
Y = 1
@ file b.py
import a
def use(): return a.old()
@ touch
import a, b
@ edit a.py
Y = 1
@ expect
b.use() == 1

## gone-but-used-other-edits [nofail]: other edits of its module leave it there
@ file a.py
def old(): return 1
Y = 1
@ file b.py
import a
def use(): return a.old()
@ touch
import a, b
@ edit a.py
Y = 1
@ expect
b.use() == 1
@ edit a.py
Y = 2
@ expect
b.use() == 1 and a.Y == 2
@ edit b.py
import a
def use(): return a.Y
@ expect
b.use() == 2 and not hasattr(a, "old")

## gone-but-used-any-way [nofail]: by a dotted import, by another name, inside a function
@ file pkg/__init__.py
@ file pkg/core.py
def old(): return 1
def o2(): return 2
def o3(): return 3
Y = 1
@ file b.py
import pkg.core
import pkg.core as pc
def use(): return pkg.core.old() + pc.o2()
def late():
    from pkg import core
    return core.o3()
@ touch
import b, pkg.core
@ edit pkg/core.py
Y = 1
@ expect
b.use() == 3 and said("old") and said("o2")
b.late() == 3 and said("o3")

## kind-changed-other-word [nofail]: a function becomes a constant: a word with its letters in another module is no use of it
@ file a.py
def f(): return 1
class C: pass
@ file b.py
import a
def use(): return "Cf"
@ touch
import a, b
@ edit a.py
f = 5
def C(): return 2
@ expect
report.outcome == "committed" and a.f == 5 and a.C() == 2

## kind-changed-dotted [nofail]: used through its package
@ file pkg/__init__.py
@ file pkg/a.py
def f(): return 1
@ file b.py
import pkg.a
def use(): return pkg.a.f()
@ touch
import b, pkg.a
@ edit pkg/a.py
f = 5
@ expect
report.outcome == "rolled back" and b.use() == 1 and report.problems[0].code == "MF020"

## kind-changed-imported-late [nofail]: used through an import inside a function
@ file a.py
def f(): return 1
@ file b.py
def use():
    import a as q
    return q.f()
@ touch
import a, b
@ edit a.py
f = 5
@ expect
report.outcome == "rolled back" and b.use() == 1

## kind-changed-from-late [nofail]: imported from inside a function
@ file a.py
class F: pass
@ file b.py
def use():
    from a import F as G
    return G()
@ touch
import a, b
@ edit a.py
F = 5
@ expect
report.outcome == "rolled back" and b.use()

## kind-changed-own-attribute [nofail]: another thing's attribute of that name is no use of it
@ file a.py
def f(): return 1
def g(): return 2
@ file b.py
import a
class K:
    def f(self): return a.g()
def use(): return K().f()
@ touch
import a, b
@ edit a.py
f = 5
def g(): return 3
@ expect
report.outcome == "committed" and b.use() == 3 and a.f == 5

## kind-changed-starred [nofail]: used through a star import
@ file a.py
def f(): return 1
@ file b.py
from a import *
def use(): return f()
@ touch
import a, b
@ edit a.py
f = 5
@ expect
report.outcome == "rolled back" and b.use() == 1

## kind-changed-re-exported [nofail]: used through a package that shows it
@ file pkg/__init__.py
from .core import f
@ file pkg/core.py
def f(): return 1
@ file b.py
import pkg
def use(): return pkg.f()
@ touch
import b, pkg
@ edit pkg/core.py
f = 5
@ expect
report.outcome == "rolled back" and b.use() == 1

## asked-with-hasattr: what is only asked for follows when it comes and when it goes, and keeps nothing there
@ file lib.py
def slow(): return 1
class C:
    x = 1
@ file u.py
import lib
from lib import C
HAS, HAS_Y = hasattr(lib, "fast"), hasattr(C, "y")
@ touch
import lib, u
@ sub lib.py
def slow(): return 1 => def slow(): return 1\ndef fast(): return 2
    x = 1 =>     x = 1\n    y = 1
@ expect
u.HAS and u.HAS_Y
@ sub lib.py
\ndef fast(): return 2 =>
    y = 1\n =>
@ expect
(u.HAS, u.HAS_Y) == (False, False) and not hasattr(lib, "fast")

## given-lambda-edited [nofail]: a lambda that a call was given is edited: it is grafted where it is held, and given once
@ file sig.py
HANDLERS = []
def connect(f, *more):
    HANDLERS.append(f)
@ file m.py
from sig import connect
def on(): return 1
connect(on)
connect(lambda: 2)
connect(lambda: 3, "third")
@ touch
import m, sig
held = list(sig.HANDLERS)
@ sub m.py
return 1 => return 10
lambda: 2 => lambda: 20
lambda: 3 => lambda: 30
@ expect
[f() for f in sig.HANDLERS] == [10, 20, 30]
sig.HANDLERS == held
@ sub m.py
connect(lambda: 20) => connect(lambda: 21)
@ expect
[f() for f in sig.HANDLERS] == [10, 21, 30] and sig.HANDLERS == held
@ sub m.py
"third" => "3rd"
@ expect
[f() for f in sig.HANDLERS][-1] == 30 and said("connect(lambda: 30")

## generic-function-loses-one: of two registrations under one name one goes, the other is edited
@ file shapes.py
class Square: pass
class Circle: pass
@ file m.py
import functools
from shapes import Square, Circle
@functools.singledispatch
def area(shape): return "?"
@area.register
def _(shape: Square): return "square"
@area.register
def _(shape: Circle): return "circle"
@ touch
import m, shapes
area = m.area
@ edit m.py
import functools
from shapes import Square, Circle
@functools.singledispatch
def area(shape): return "?"
@area.register
def _(shape: Circle): return "CIRCLE"
@ expect
area(shapes.Circle()) == "CIRCLE" and area(shapes.Square()) == "?" and m.area is area

## decorator-object-keeps-count: what an instance does when it is called is grafted; its state stays
@ file m.py
class Counted:
    def __init__(self, f): self.f, self.n = f, 0
    def __call__(self, *a):
        self.n += 1
        return self.f(*a)
@Counted
def f(x): return x
@ touch
import m
f = m.f
f(1), f(1)
@ edit m.py
class Counted:
    def __init__(self, f): self.f, self.n = f, 0
    def __call__(self, *a):
        self.n += 10
        return self.f(*a)
@Counted
def f(x, y=0): return x + y
@ expect
m.f is f and (f(1), f(1, 5)) == (1, 6) and f.n == 22

## decorator-by-module [nofail]: the decorator is a module's attribute and reads a constant; an edit beside it decorates nothing
@ file conf.py
LIMIT = 1
@ file d.py
import conf, functools, _probe
def limited(f):
    _probe.hit("deco")
    n = conf.LIMIT
    @functools.wraps(f)
    def w(*a):
        return n, f(*a)
    return w
def other(): return 1
@ file m.py
import d, conf
@d.limited
def f(x=conf.LIMIT): return x
@ touch
import m
f = m.f
@ sub d.py
def other(): return 1 => def other(): return 2
@ sub conf.py
LIMIT = 1 => LIMIT = 2
@ expect
f() == (2, 2) and m.f is f and probe.hits == {"deco": 2}
@ sub d.py
def other(): return 2 => def other(): return 3
@ expect
probe.hits == {"deco": 2} and f() == (2, 2)

## operators-edited: what operators, loops, builtins and items of a list have computed with an edited class follows
@ file shapes.py
class Meta(type):
    def __len__(cls): return 3
class Shape(metaclass=Meta):
    def __init__(self, n): self.n = n
    def area(self): return self.n
    @property
    def size(self): return self.n
    @classmethod
    def make(cls): return cls(3)
    def __add__(self, other): return self.n + other.n
    def __str__(self): return "old"
    def __contains__(self, item): return True
    def run(self): return 1
SHAPES = [Shape(1), Shape(2)]
A, B = SHAPES
@ file m.py
from abc import ABC
import shapes
from shapes import A, B, SHAPES, Shape
class Kind(ABC):
    @classmethod
    def __subclasshook__(cls, other): return hasattr(other, "area")
OPERATOR, TEXT, INSIDE, LENGTH = A + B, f"{A}", 3 in B, len(Shape)
ITEM, MADE, LOOP = SHAPES[0].area(), Shape.make().area(), sum(one.area() for one in SHAPES)
SIZE, SIZES = A.size, tuple(one.size for one in shapes.SHAPES)
IS = isinstance(A, Kind)
CALLBACK = A.run
def f(x=A + B, y=A.size): return x, y
class K:
    both = A + B
@ touch
import shapes, m
f, callback = m.f, m.CALLBACK
@ sub shapes.py
def area(self): return self.n => def area(self): return self.n * 10
def size(self): return self.n => def size(self): return self.n * 100
return self.n + other.n => return 99
"old" => "new"
return True => return False
return 3 => return 4
@ sub m.py
"area") => "no such")
@ expect
(m.OPERATOR, m.TEXT, m.INSIDE, m.LENGTH) == (99, "new", False, 4)
(m.ITEM, m.MADE, m.LOOP) == (10, 30, 30)
(m.SIZE, m.SIZES, m.IS) == (100, (100, 200), False)
f() == (99, 100) and m.K.both == 99 and m.f is f
m.CALLBACK is callback
@ sub shapes.py
return 1 => return 2
return 99 => return 98
@ sub m.py
f"{A}" => f"{A + B}"
def f(x=A + B, y=A.size) => def f(x=A + B, y=A.size, z=(A + B) * 2)
@ expect
(m.OPERATOR, m.TEXT, m.CALLBACK(), m.K.both) == (98, "98", 2, 98)
f() == (98, 100) and m.f.__defaults__ == (98, 100, 196) and m.CALLBACK is callback
""",
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_by_sentence(row: Any, tmp_path: Path) -> None:
    run_row(row, tmp_path)
