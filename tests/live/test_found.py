"""Edits that random edits found to go wrong, as small as they went wrong; each is mended."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rules.harness import Case, play, table

FOUND = r"""
# decorator-that-copies-no-longer-what-it-wraps: the wrapper has it no more, and the function keeps it
[file a.py]
import contextlib, functools
def deco(fn):
    @functools.wraps(fn)
    def wrapper(*a, **k):
        return fn(*a, **k) + 3
    return wrapper
with contextlib.suppress(ValueError):
    K = 1
    @deco
    def f(x: "str", y=3):
        return x + y
[run]
import a
f = a.f
[edit a.py]
import contextlib, functools
def deco(fn):
    def wrapper(*a, **k):
        return fn(*a, **k) + 3
    return wrapper
with contextlib.suppress(ValueError):
    K = 1
    @deco
    def f(x: "str", y=3):
        return x + y
[expect]
a.f is f and f(1) == 7 and not hasattr(f, "__wrapped__")
f.__annotations__ == {} and f.__closure__[0].cell_contents.__annotations__ == {"x": "str"}

# function-that-imports-is-called-by-an-attribute-of-its-module: a fresh start may stop there, and is told
[file a.py]
def late(x):
    from b import K
    return x + K
[file b.py]
import a
V = 1
K = 4
[run]
import a, b
[edit b.py]
import a
try:
    V = a.late(7)
except ValueError:
    V = 1
K = 4
[expect]
told("b:2", "imports b first may stop here", "`K` of b")

# handler-that-calls-what-was-edited-under-another-future: it runs with what its head gives it
[file a.py]
def f():
    return 7
try:
    raise ValueError(9)
except ValueError as error:
    V = error.args[0] + f()
[run]
import a
[edit a.py]
from __future__ import annotations
def f():
    return 2
try:
    raise ValueError(9)
except ValueError as error:
    V = error.args[0] + f()
[expect]
a.V == 11

# value-that-a-function-imports-when-it-is-called-changes-above-an-edited-block: what calls it there follows
[file a.py]
def early(x):
    from b import H
    return x + H
def late(x):
    from b import K
    return x + K
[file b.py]
H = 1
from a import early
K = early(30)
from a import late
if H > 0:
    L = 1
    M = late(3)
else:
    L = 2
[run]
import a, b
[edit b.py]
H = 1
from a import early
K = 0
while K < 9:
    K += 4
from a import late
if H > 0:
    L = 1
    M = late(3)
    N = (H if K > 9 else 7)
else:
    L = 2
[expect]
(b.M, b.N) == (15, 1)

# instance-of-a-generic-class-that-moves-with-its-file: it is one of the class that lives
[file a.py]
import typing
T = typing.TypeVar("T")
class C(typing.Generic[T]):
    def get(self):
        return 1
f = C().get
[file b.py]
import a
[run]
import a, b
C, f, old = a.C, a.f, a.f.__self__
[delete a.py]
[edit a2.py]
import typing
T = typing.TypeVar("T")
class C(typing.Generic[T]):
    def get(self):
        return 2
f = C().get
[edit b.py]
import a2
[expect]
b.a2.C is C and type(b.a2.f.__self__) is C and b.a2.f() == old.get() == 2

# block-with-a-registered-function-goes: also a wrapper around one that it made leaves the registry
[file a.py]
REG = {}
V = 9
def add(f):
    REG[f.__qualname__] = f
    return f
[file b.py]
import functools
from a import add, V
if V > 3:
    K = 1
    @add
    @functools.cache
    def f(x):
        return x
else:
    K = 2
[run]
import a, b
[edit b.py]
import functools
from a import add, V
[expect]
a.REG == {}

# registry-below-a-cache-gets-another-name: it holds the function that the cache calls
[file a.py]
import functools
REG = {}
def add(f):
    REG[f.__qualname__] = f
    return f
@functools.cache
@add
def f(x):
    return x
[run]
import a
f, inner = a.f, a.f.__wrapped__
[edit a.py]
import functools
REG2 = {}
def add2(f):
    REG2[f.__qualname__] = f
    return f
@functools.cache
@add2
def f(x):
    return x
[expect]
a.f is f and a.f.__wrapped__ is inner and a.REG2 == {"f": inner}

# registered-function-becomes-an-instance: what its decorator registered goes; who was given it has the instance
[file a.py]
REG, held = {}, []
def add(f):
    REG[f.__qualname__] = f
    return f
@add
def f(x):
    return x
held.append(f)
[run]
import a
[edit a.py]
REG, held = {}, []
def add(f):
    REG[f.__qualname__] = f
    return f
class Call:
    def __call__(self, x):
        return -x
f = Call()
held.append(f)
[expect]
a.REG == {} and a.f(1) == a.held[0](1) == -1

# list-of-what-a-module-makes-when-asked: it follows what makes that
[file a.py]
def __getattr__(name):
    if name == "made":
        return 2
    raise AttributeError(name)
[file b.py]
import a
L = [a.made, a.made]
[run]
import a, b
L = b.L
[sub a.py]
return 2 => return 1
[expect]
b.L == [1, 1] and b.L is L

# try-that-raises-what-changed-under-another-future: it runs again
[file a.py]
K = 9
try:
    raise ValueError(K)
except ValueError as error:
    V = error.args[0] + 4
[run]
import a
[edit a.py]
from __future__ import annotations
K = 4
try:
    raise ValueError(K)
except ValueError as error:
    V = error.args[0] + 4
[expect]
a.V == 8

# body-of-a-try-is-stale-and-its-finally-edited: both run
[file a.py]
K = 1
try:
    raise ValueError(K)
except ValueError as error:
    V = error.args[0]
finally:
    W = 1
[run]
import a
[edit a.py]
K = 2
try:
    raise ValueError(K)
except ValueError as error:
    V = error.args[0]
finally:
    W = 3
[expect]
(a.V, a.W) == (2, 3)

# else-of-a-try-that-raised-is-edited: it does not run
[file a.py]
try:
    raise ValueError(1)
except ValueError as error:
    V = error.args[0]
else:
    W = 1
[run]
import a
[sub a.py]
W = 1 => W = 3
[expect]
a.V == 1 and not hasattr(a, "W")

# class-with-a-registered-method-moves-with-its-file: it is there once; what has its name is told
[file a.py]
REG = {}
def add(f):
    REG[len(REG)] = f
    return f
class Base:
    KINDS = []
    def __init_subclass__(cls, **k):
        super().__init_subclass__(**k)
        Base.KINDS.append(cls.__name__)
[file b.py]
import a
class C(a.Base):
    @a.add
    def m(self):
        return 1
[file c.py]
from b import C
[run]
import a, b, c
C = b.C
[delete b.py]
[edit b2.py]
import a
class C(a.Base):
    @a.add
    def m(self):
        return 1
[edit c.py]
from b2 import C
[expect]
c.C is C and list(a.REG.values()) == [C.m]
told("KINDS has the name 'C' of `b2.C` from before")

# class-goes-into-a-branch-that-is-not-taken-of-a-block-in-another-s-place: what reads it fails
[file a.py]
if 1 > 6:
    K = 4
else:
    K = 7
class C:
    LIMIT = 3
X = C.LIMIT
[run]
import a
[edit a.py]
K = 7
if K > 8:
    M = K
    class C:
        LIMIT = K
else:
    M = K
X = C.LIMIT
[expect rolled back]

# star-that-brings-a-used-name-no-longer: it stays, and is told
[file a.py]
def make(n):
    return n
OBJ = 1
__all__ = ["make", "OBJ"]
[file b.py]
from a import *
f = make(7)
[run]
import a, b
[sub a.py]
["make", "OBJ"] => ["OBJ"]
[expect]
told("a no longer gives `make`", "b still uses it")

# module-that-an-edit-made-import-a-new-one: from then on it comes after that
[file a.py]
K = 11
[file b.py]
from a import K
[file c.py]
from b import K
import a
def f(y=K):
    return y + K + a.K
V = f()
[file d.py]
import c
W = c.V
[run]
import a, b, c, d
[delete b.py]
[edit b2.py]
from a import K
[sub c.py]
from b => from b2
def f => D = 1\ndef f
[expect]
[sub a.py]
K = 11 => K = 19
[sub c.py]
D = 1\n =>
[expect]
c.V == d.W == 3 * 19

# function-that-imports-is-called-above-what-it-imports: a fresh start may stop there, and is told
[file a.py]
def late(x):
    from b import K
    return x + K
[file b.py]
K = 4
from a import late
V = late(7)
[run]
import a, b
[edit b.py]
from a import late
V = late(7)
K = 8
[expect]
told("b:2", "imports b first may stop here", "`K` of b")

# function-that-imports-is-called-while-its-module-loads: of what that imports a name is missed there
[file a.py]
def late(x):
    from c import K
    return x + K
[file b.py]
from a import late
V = 1
M = 2
[file c.py]
import b
def f(m=b.M):
    return m
K = 3
[run]
import a, b, c
[sub b.py]
V = 1 => V = late(1)
[expect]
told("c:2", "imports b first", "`M` of b")

# circle-that-only-a-handler-sees: a fresh start would stop there, and is told
[file a.py]
class C:
    LIMIT = 9
import b
[file b.py]
import a
try:
    import surely_missing
except ImportError:
    K = a.C.LIMIT
else:
    K = 1
[run]
import a, b
[edit a.py]
import b
class C:
    LIMIT = 9
[expect]
told("b:2", "imports a first would stop here", "`C` of a")

# function-that-stood-in-a-branch-that-did-not-run-comes-out-of-it: the name is bound, to the one that is held
[file a.py]
def f():
    return 1
[file b.py]
from a import f
[run]
import a, b
f = b.f
[edit a.py]
if 1 > 6:
    def f():
        return 1
else:
    K = 2
[expect]
not hasattr(a, "f")
[edit a.py]
def f():
    return 2
[expect]
a.f is f and f() == 2

# loop-that-hid-another-s-function-goes: the name is that of the last which the other made
[file a.py]
L = []
for i in range(2):
    def step(x, i=i):
        return x + i
    L.append(step)
M = []
for i in range(3):
    def step(x, i=i):
        return x - i
    M.append(step)
[run]
import a
L = a.L
[edit a.py]
L = []
for i in range(2):
    def step(x, i=i):
        return x + i
    L.append(step)
[expect]
a.L is L and a.step is L[1] and a.i == 1
[edit a.py]

L = []
for i in range(2):
    def step(x, i=i):
        return x + i
    L.append(step)
[expect]
a.step is a.L[1] and [f.__code__.co_firstlineno for f in a.L] == [4, 4]

# loops-that-make-functions-of-one-name-change-places: the name is that of the last which the last one made
[file a.py]
L = []
for i in range(2):
    def step(x, i=i):
        return x + i
    L.append(step)
M = []
for i in range(3):
    def step(x, i=i):
        return x - i
    M.append(step)
[run]
import a
L, M = a.L, a.M
[edit a.py]
M = []
for i in range(3):
    def step(x, i=i):
        return x - i
    M.append(step)
L = []
for i in range(2):
    def step(x, i=i):
        return x + i
    L.append(step)
[expect]
(a.L, a.M) == (L, M) and a.step is L[1] and a.i == 1
[f.__code__.co_firstlineno for f in (*a.M, *a.L)] == [3, 3, 3, 8, 8]

# cached-function-of-a-module-that-goes: it leaves the registry that it was put into
[file a.py]
REG = {}
def add(f):
    REG[f.__qualname__] = f
    return f
[file b.py]
import functools
import a
@a.add
@functools.lru_cache(maxsize=None)
def f(x):
    return x
[run]
import a, b
[delete b.py]
[expect]
a.REG == {}

# docstring-of-a-cached-function-under-another-decorator: all that copied it have it
[file a.py]
import functools
def deco(fn):
    @functools.wraps(fn)
    def wrapper(*a, **k):
        return fn(*a, **k)
    return wrapper
@deco
@functools.cache
def f(x, y=1):
    return x + y
[run]
import a
f = a.f
[sub a.py]
    return x + y => 'One.'\n\treturn x + y
[expect]
a.f is f and f.__doc__ == f.__wrapped__.__doc__ == f.__wrapped__.__wrapped__.__doc__ == vars(f)["__doc__"] == "One."

# star-import-in-a-circle-that-another-start-would-not-come-through: both are named
[file a.py]
K = 1
import c
L = 2
[file b.py]
from a import K
M = 1
[file c.py]
from b import M
[run]
import a, b, c
[sub b.py]
import K => import *
[expect]
told("b:", "would not bring", "`L`")

# class-edited-in-a-module-that-becomes-a-package: its other methods are of the new file too
[file m.py]
class C:
    LIMIT = 1
    def one(self):
        return 1
if 1:
    K = 1
    def two():
        return 2
[run]
import m
[delete m.py]
[edit m/__init__.py]
class C:
    LIMIT = 2
    def one(self):
        return 1
if 1:
    K = 2
    def two():
        return 2
[expect]
(m.C.LIMIT, m.K) == (2, 2) and all(f.__code__.co_filename == path("m/__init__.py") for f in (m.C.one, m.two))

# class-that-hid-another-of-its-name-goes: the one above has the name, and is the same class
[file a.py]
class C:
    x = 1
    def get(self):
        return 1
class C:
    x = 2
    def get(self):
        return 2
    def other(self):
        return 3
[run]
import a
C, one = a.C, a.C()
[edit a.py]
class C:
    x = 1
    def get(self):
        return 1
[expect]
a.C is C and a.C.x == 1 and one.get() == 1 and not hasattr(C, "other")
[edit a.py]
class C:
    x = 1
    def get(self):
        return 5
[expect]
a.C is C and one.get() == 5

# function-that-hid-a-class-goes: the class has its name again
[file a.py]
class C:
    x = 1
def C():
    return 2
[run]
import a
[edit a.py]
class C:
    x = 1
[expect]
a.C.x == 1

# definition-that-goes-into-a-block-above-one-of-its-name: the later one keeps the name
[file a.py]
import contextlib
def f():
    return 1
K = 1
def f():
    return 2
[run]
import a
f = a.f
[edit a.py]
import contextlib
with contextlib.suppress(KeyError):
    M = 1
    def f():
        return 1
K = 1
def f():
    return 2
[expect]
a.f is f and f() == 2
[edit a.py]
import contextlib
with contextlib.suppress(KeyError):
    M = 1
    def f():
        return 1
K = 1
[expect]
a.f() == 1

# name-that-a-module-makes-no-more-and-others-use: it is named there
[file a.py]
X = 1
def __getattr__(name):
    if name == "dyn":
        return X
    raise AttributeError(name)
[file b.py]
import a
K = a.dyn
def f():
    return a.X
[run]
import b
[edit a.py]
X = 1
[expect]
b.K == 1 and told("a.dyn is gone", "b still uses it") and not told("a.X")

# statement-of-a-cycle-that-calls-the-other-module: it sees what that one, taken after it, has above its import
[file a.py]
V = 1
def f():
    return V
import b
W = b.K
[file b.py]
from a import f
K = f()
M = 1
[run]
import a, b
[sub a.py]
V = 1 => V = 2
[sub b.py]
K = f() => K = f() + 10
[expect]
(b.K, a.W) == (12, 12)

# statements-round-a-cycle: each follows what the code that it calls reads in the others
[file a.py]
def f():
    from b import N
    return N
import b
W = b.K
[file b.py]
from a import f
N = 1
K = f() + 1
def g():
    return K
from c import X
[file c.py]
import b
X = b.g()
[run]
import a, b, c
[sub a.py]
return N => return N + 10
[sub b.py]
N = 1 => N = 2
K = f() + 1 => K = f() + 2
[expect]
(b.K, a.W, c.X, b.X) == (14, 14, 14, 14)

# method-edited-in-a-module-that-becomes-a-package: the other methods are of the new file too
[file m.py]
class C:
    def one(self):
        return 1
    def two(self):
        return 2
[run]
import m
[delete m.py]
[edit m/__init__.py]
class C:
    def one(self):
        return 1
    def two(self):
        return 3
[expect]
m.C().two() == 3 and all(f.__code__.co_filename == path("m/__init__.py") for f in (m.C.one, m.C.two))

# name-that-a-module-makes-no-more: who imports it keeps it, and is named
[file a.py]
X = 1
def __getattr__(name):
    if name in ("dyn", "other"):
        return X
    raise AttributeError(name)
[file b.py]
from a import dyn, other
[run]
import b
[sub a.py]
("dyn", "other") => ("other",)
X = 1 => X = 2
[expect]
(b.dyn, b.other) == (1, 2) and told("a.dyn is gone", "b still imports it") and not told("a.other is gone")
[edit a.py]
X = 3
[expect]
(b.dyn, b.other) == (1, 2) and told("a.dyn is gone", "b still imports it") and told("a.other is gone", "b still imports it")

# star-import-in-a-circle: what a fresh start would not bring is named
[file a.py]
K = 1
import b
L = 2
[file b.py]
from a import K
[run]
import a, b
[sub b.py]
import K => import *
[expect]
b.L == 2 and told("b:", "`L`", "from a") and not told("would not bring", "`K`")
[sub a.py]
L = 2 => L = 3
[expect]
b.L == 3 and not told("would not bring")

# method-of-a-class-in-a-block-that-gains-super: it has the class
[file a.py]
import contextlib
class S:
    LIMIT = 1
    def get(self, x):
        return 6
with contextlib.suppress(ValueError):
    K = 1
    class C:
        LIMIT = 5
        def m(self, x=1, y=S().get(9)):
            return x + y
[run]
import a
m = a.C.m
[sub a.py]
return x + y => super().__repr__()\n\t\t\treturn x + y + 2
LIMIT = 1 => LIMIT = 2
[expect]
a.C.m is m and a.C().m() == 9

# method-of-a-class-in-a-block-that-gains-super-alone: it has the class
[file a.py]
import contextlib
with contextlib.suppress(ValueError):
    class C:
        def m(self, x=1):
            return x
[run]
import a
m = a.C.m
[sub a.py]
return x => super().__repr__()\n\t\t\treturn x + 2
[expect]
a.C.m is m and a.C().m() == 3

# module-that-becomes-a-package-without-another-edit: its code says where it stands
[file m.py]
K = 1
def f():
    return K
class C:
    def get(self):
        return 1
with open(__file__):
    class D:
        def get(self):
            return 2
g = lambda: 3
[file b.py]
import m
[run]
import b, m
f, C = m.f, m.C
[delete m.py]
[edit m/__init__.py]
K = 1
def f():
    return K
class C:
    def get(self):
        return 1
with open(__file__):
    class D:
        def get(self):
            return 2
g = lambda: 3
[edit b.py]
import m
X = 1
[expect]
m.f is f and m.C is C and sys.modules["m"] is m and hasattr(m, "__path__")
[one for one in (m.f, m.C.get, m.D.get, m.g) if one.__code__.co_filename != path("m/__init__.py")] == []
[delete m/__init__.py]
[edit m.py]
K = 1
def f():
    return K
class C:
    def get(self):
        return 1
with open(__file__):
    class D:
        def get(self):
            return 2
g = lambda: 3
[expect]
m.f is f and m.C is C and sys.modules["m"] is m and not hasattr(m, "__path__")
all(one.__code__.co_filename == path("m.py") for one in (m.f, m.C.get, m.D.get, m.g))

# methods-of-classes-in-a-block-that-gain-super: each has its own class, also one inside another
[file a.py]
if 1:
    class A:
        def m(self, x=1):
            return x
        class B:
            def m(self, x=1):
                return x
    class C(A):
        def m(self, x=1):
            return x
def f(x=1):
    return x
[run]
import a
ms = a.A.m, a.A.B.m, a.C.m
[edit a.py]
if 1:
    class A:
        def m(self, x=1):
            return x, __class__, super().__repr__()[:0]
        class B:
            def m(self, x=1):
                return x, __class__
    class C(A):
        def m(self, x=1):
            return super().m(x), __class__
def f(x=1):
    return x
[expect]
(a.A.m, a.A.B.m, a.C.m) == ms
a.A().m() == (1, a.A, "") and a.A.B().m() == (1, a.A.B) and a.C().m() == ((1, a.A, ""), a.C)

# default-that-calls-what-the-same-edit-changed: it sees the new code
[file a.py]
L = [1]
def f(x):
    def inner(y):
        return y + x + 5
    return inner(9) + 1
[run]
import a
[edit a.py]
L = [1]
def f(x):
    def inner(y):
        return y + x + 5
    return inner(8) + 1
def g(x, y=f(6), *, z=3):
    return x + y + z + 8
[expect]
a.g.__defaults__ == (20,)

# class-that-leaves-its-base-in-the-save-that-changes-the-base: what its making did is named
[file a.py]
D = {"a": 7}
class B:
    LIMIT = len(D)
    KINDS = []
    def __init_subclass__(cls, **k):
        B.KINDS.append(cls.__name__)
        cls.code = len(D)
[file b.py]
from a import B
class C(B):
    LIMIT = 1
[run]
import b
[sub a.py]
"a": 7 => "a": 8
[sub b.py]
class C(B): => class C:
[expect]
told("a.B", "stays")

# list-filled-by-a-stale-loop-in-a-class-that-goes-into-a-block: it is one value
[file a.py]
K = 14
class C:
    LIMIT = K
    at = []
    for _j in range(2):
        at.append(_j + K)
[run]
import a
C = a.C
[edit a.py]
K = 16
if K > 5:
    M = 4
    class C:
        LIMIT = K
        at = []
        for _j in range(2):
            at.append(_j + K)
else:
    M = K
[expect]
a.C is C and a.C.at == [16, 17]

# members-made-of-members: in a class that is made again they are made of those that live
[file a.py]
import functools
from dataclasses import dataclass
@dataclass
class C:
    n: int = 1
    def get(self, x=1):
        return x
    def old(self):
        return 1
    once = functools.partialmethod(get, 1)
    value = property(get)
[run]
import a
get = a.C.get
[sub a.py]
n: int = 1 => n: int = 2
partialmethod(get, 1) => partialmethod(get, 2)
property(get) => property(get, old)\n\tsame = get\n\tTABLE = {"get": (get, [get])}\n\tstill = staticmethod(functools.partial(get, 4))
[expect]
a.C.get is get and vars(a.C)["once"].func is get and a.C.value.fget is get and a.C.value.fset is a.C.old
a.C.same is get and a.C.TABLE == {"get": (get, [get])} and a.C.still.func is get
a.C().once() == 2 and a.C.still() == 1 and a.C().value == 1

# members-made-of-members-rolled-back: they are what they were, with what they were made of
[file a.py]
import functools
from dataclasses import dataclass
@dataclass
class C:
    n: int = 1
    def get(self, x=1):
        return x
    def old(self):
        return 1
    once = functools.partialmethod(get, 1, y=get)
    value = property(get)
    still = staticmethod(functools.partial(get, 4))
    TABLE = {"get": [get]}
[run]
import a
before, get = dict(vars(a.C)), a.C.get
holds = lambda: (vars(a.C)["once"].func, vars(a.C)["once"].args, vars(a.C)["once"].keywords, a.C.value.fset,
                 a.C.value.fget, a.C.still.func, a.C.still.args, a.C.TABLE)
held = holds()
[sub a.py]
n: int = 1 => n: int = 2
(get, 1, y=get) => (get, 2, y=get, z=old)
property(get) => property(get, old)
(get, 4) => (get, 5)
[get]} => [get, old]}\n1 / 0
[expect rolled back]
dict(vars(a.C)) == before and holds() == held

# stale-in-a-block-that-moved: the statement that read what changed runs, and not the one a line below
[file a.py]
K = 1
[file b.py]
import contextlib
from a import K
with contextlib.suppress(KeyError):
    X = K + 1
    Y = 5
[run]
import b
[sub a.py]
K = 1 => K = 2
[sub b.py]
import contextlib => import contextlib\nimport sys
[expect]
b.X == 3

# list-filled-anew-beside-a-class-in-a-block: an equal item that came is no entry of the class
[file a.py]
import contextlib
L = [8]
class C:
    n = 1
[run]
import a
L = a.L
[edit a.py]
import contextlib
L = [8, 8]
with contextlib.suppress(KeyError):
    X = 1
    class C:
        n = 1
[expect]
a.L is L and L == [8, 8]

# calls-that-lead-to-what-is-bound-below: through methods, bases, generic functions, blocks; the report says so
[file a.py]
import functools
N = 1
class A:
    def get(self):
        return N
    def other(self):
        return M
class B(A):
    pass
@functools.singledispatch
def f(x):
    return 0
@f.register
def _(x: int):
    return N
def g(x=B().get()):
    return x
with open(__file__):
    K = f(1)
M = 1
[run]
import a
[sub a.py]
N = 1\nclass A => class A
    K = f(1) => \tK = f(1)\nN = 1
[expect]
told("a:15", "`B` uses `N`") and told("a:17", "`f` uses `N`") and not told("uses `M`")

# registered-above-what-was-registered: a new definition's entry stands where a fresh start puts it
[file a.py]
R, L = {}, []
def add(f):
    R[f.__name__] = f
    L.append((f.__name__, f))
    return f
@add
def g(): pass
class C:
    @add
    def m(self): pass
[run]
import a
R, L = a.R, a.L
R["own"] = 1
[sub a.py]
@add\ndef g => @add\ndef f(): pass\n@add\ndef g
@add\n\tdef m => @add\n\tdef k(self): pass\n\t@add\n\tdef m
[expect]
list(R) == ["f", "g", "k", "m", "own"]
[name for name, _ in L] == ["f", "g", "k", "m"]
[sub a.py]
@add\ndef f => @add\ndef e(): pass\n1 / 0\n@add\ndef f
[expect rolled back]
list(R) == ["f", "g", "k", "m", "own"]

# effect-of-a-module-that-goes: what it was done to is named where it lives
[file a.py]
import types
OBJ = types.SimpleNamespace(n=1)
[file b.py]
import a
K = 1
a.OBJ.extra = K
[run]
import b
[delete b.py]
[expect]
told("what it did to a.OBJ stays")

# decorator-above-its-definition-under-postponed-annotations: only annotations are not looked up
[file a.py]
from __future__ import annotations
def deco(x):
    return x
@deco
def f(x: int = 1) -> Later:
    return x
class Later:
    n: Later = 1
[run]
import a
[edit a.py]
from __future__ import annotations
@deco
def f(x: int = 1) -> Later:
    return x
def deco(x):
    return x
class Later:
    n: Later = 1
[expect]
told("a:2", "`deco` is bound further down") and not told("`Later`")

# enum-that-moves-and-changes-its-kind: it is another one, for the one that lives has no room
[file a.py]
import enum
class E(enum.IntFlag):
    A = 1
[run]
import a
[edit b.py]
import enum
class E(enum.IntEnum):
    A = 1
[edit a.py]
from b import E
[expect]
a.E.__mro__[1].__name__ == "IntEnum" and sys.modules["b"].E is a.E
told("a.E", "another object")

# second-name-of-a-lambda: its own name does not follow when the second one goes elsewhere
[file b.py]
other = lambda x: x + 2
[file a.py]
f = lambda x: x + 1
g = f
[run]
import a, b
f = a.f
[sub a.py]
f = lambda => from b import other\nf = lambda
g = f => g = other
[expect]
a.f is f and f(1) == 2 and a.g is b.other

# with-of-an-object: what entering it gave follows its `__enter__`
[file a.py]
L = [4]
class C:
    def __enter__(self):
        return sum(L)
    def __exit__(self, *error):
        return False
C1 = C()
[file b.py]
import a
from a import C1
with a.C() as x:
    pass
with C1 as y:
    K = y + 1
[run]
import b
[sub a.py]
L = [4] => L = [5]
[expect]
(b.x, b.y, b.K) == (5, 5, 6)
[sub a.py]
return sum(L) => return 1
[expect]
(b.x, b.y, b.K) == (1, 1, 2)

# handler-that-reads-the-exception: it runs with the whole `try`
[file a.py]
M, N = 1, 2
def f():
    return M
[file b.py]
from a import N, f
try:
    raise ValueError(f())
except ValueError as error:
    K = error.args[0] + N
[run]
import b
[sub a.py]
M, N = 1, 2 => M, N = 1, 3
[expect]
b.K == 4
[sub a.py]
return M => return M + 5
[expect]
b.K == 9

# private-attributes-of-a-class-made-again: they go with their statement, and stay as the program left them
[file a.py]
import abc
class Meta(type):
    pass
class C(metaclass=Meta):
    __gone = 1
    __kept = 1
    __list = []
    def get(self):
        return self.__kept, self.__list
[run]
import a
a.C._C__kept = 5
a.C._C__list.append(1)
[sub a.py]
__gone = 1 => n = 1
[expect]
not hasattr(a.C, "_C__gone") and a.C().get() == (5, [1])

# attribute-of-an-object-that-is-another-now: it is set on that one
[file a.py]
import types
OBJ = types.SimpleNamespace(n=1)
[file b.py]
import a
a.OBJ.extra = 2
[run]
import b
[delete a.py]
[edit c.py]
import types
OBJ = types.SimpleNamespace(n=1)
[sub b.py]
import a => import c as a
[expect]
sys.modules["c"].OBJ.extra == 2

# lambda-that-is-called-at-once: what it reads is read
[file a.py]
K = 1
def f():
    return K
[file b.py]
import a
X = (lambda v: v + a.K)(1)
Y = max([3, 5], key=lambda v: v * a.f())
Z = (lambda a: a)(7)
[run]
import b
[sub a.py]
K = 1 => K = -1
[expect]
(b.X, b.Y, b.Z) == (0, 3, 7)

# object-that-is-called: who calls it by a name of its own follows its `__call__`
[file a.py]
N = 1
class Call:
    def __call__(self, x):
        return x + N
f = Call()
[file b.py]
from a import f
K = f(3)
[run]
import b
[sub a.py]
N = 1 => N = 2
[expect]
b.K == 5
[sub a.py]
x + N => x - N
[expect]
b.K == 1

# cache-inside-a-decorator-that-is-a-class: its old answers are none for what runs again
[file a.py]
import functools
class Deco:
    def __init__(self, fn):
        functools.update_wrapper(self, fn)
    def __call__(self, *a):
        return self.__wrapped__(*a) + 3
@Deco
@functools.lru_cache(maxsize=None)
def f(x, y=1):
    return x + y
K = f(3)
[run]
import a
[sub a.py]
y=1 => y=8
[expect]
a.K == 14

# instance-made-beside-its-class-in-a-block: it is of the class that lives
[file a.py]
import contextlib
class C:
    def get(self):
        return 1
[run]
import a
C = a.C
[edit a.py]
import contextlib
with contextlib.suppress(ValueError):
    class C:
        def get(self):
            return 2
    OBJ = C()
[expect]
a.C is C and type(a.OBJ) is C and a.OBJ.get() == 2

# counter-in-a-closure: an edit that fails takes back what its statements counted
[file a.py]
def make():
    count = 0
    def step():
        nonlocal count
        count += 1
        return count
    return step
f = make()
K = f()
[run]
import a
count = a.f.__closure__[0]
[sub a.py]
K = f() => K = f() + 1\n1 / 0
[expect rolled back]
count.cell_contents == 1 and a.f() == 2

# value-in-a-case: only the case that runs gives it
[file a.py]
M, N = 1, 2
match N % 3:
    case 2:
        K = 7
    case _:
        K = M
match N % 2:
    case 0:
        L = M
    case _:
        L = 8
[run]
import a
[sub a.py]
M, N = 1, 2 => M, N = 5, 2
[expect]
(a.K, a.L) == (7, 5)

# second-name-in-a-block: it is the object that it names
[file a.py]
import functools
@functools.lru_cache
def f(x):
    return x
g = f
[run]
import a
[edit a.py]
import functools
@functools.lru_cache
def h(x):
    return x
try:
    g = h
except ImportError:
    pass
[expect]
a.g is a.h

# module-that-comes-back: decorated functions, lambdas and those in blocks are its own again
[file a.py]
import functools, contextlib
@functools.singledispatch
def f(x):
    return "a"
@f.register
def f_int(x: int):
    return "a int"
with contextlib.suppress(ValueError):
    def g():
        return "a"
h = lambda: "a"
[file b.py]
import a as m
[run]
import b, a
f, g, h = a.f, a.g, a.h
[edit c.py]
import functools, contextlib
@functools.singledispatch
def f(x):
    return "c"
@f.register
def f_int(x: int):
    return "c int"
with contextlib.suppress(ValueError):
    def g():
        return "c"
h = lambda: "c"
[delete a.py]
[sub b.py]
import a => import c
[expect]
(f(""), f(1), g()) == ("c", "c int", "c")
[edit a.py]
import functools, contextlib
@functools.singledispatch
def f(x):
    return "a"
@f.register
def f_int(x: int):
    return "a int"
with contextlib.suppress(ValueError):
    def g():
        return "a"
h = lambda: "a"
[delete c.py]
[sub b.py]
import c => import a
[expect]
sys.modules["a"].f is f and (f(""), f(1), g(), h()) == ("a", "a int", "a", "a")

# annotations-of-a-wrapper-object: they are those of the function that it wraps
[file a.py]
import functools
K = 1
class Deco:
    def __init__(self, fn):
        functools.update_wrapper(self, fn)
    def __call__(self, *a):
        return self.__wrapped__(*a)
@Deco
def f(x: int, y=K):
    return x
[run]
import a
f = a.f
[sub a.py]
K = 1 => L = 1
y=K => y=L
@Deco => @(Deco)
x: int => x: str
[expect]
a.f is f and f.__annotations__ is f.__wrapped__.__annotations__ and f.__annotations__ == {"x": str}

# class-with-slots-that-moves-with-one-below-it: both are others, for CPython compares their bases by identity
[file p/__init__.py]
[file p/a.py]
import abc
class S1:
    __slots__ = ('n', '__dict__', '__weakref__')
    def __init__(self, n):
        self.n = n
class C5(S1, metaclass=abc.ABCMeta):
    pass
[file p/b.py]
from .a import S1
[run]
import p.b, p.a
S1, C5 = p.a.S1, p.a.C5
[edit p/c.py]
import abc
class S1:
    __slots__ = ('n', '__dict__', '__weakref__')
    def __init__(self, n):
        self.n = n
class C5(S1, metaclass=abc.ABCMeta):
    pass
[delete p/a.py]
[sub p/b.py]
from .a => from .c
[expect]
sys.modules['p.c'].C5.__bases__ == (sys.modules['p.c'].S1,) and p.b.S1 is sys.modules['p.c'].S1 and told("p.c.S1 is another class than p.a.S1")

# imported-by-an-edit: a module that an edit brought is taken before the one that imports it
[file p/__init__.py]
[file p/b.py]
K = 1
[run]
import p.b
[edit p/c.py]
def f(): return 2
[sub p/b.py]
K = 1 => import p.c as m\nK = m.f()
[expect]
p.b.K == 2
[sub p/c.py]
def f => def g
[sub p/b.py]
m.f => m.g
[expect]
p.b.K == 2

# module-that-comes-back-with-a-registry: it still holds what it registered itself
[file a.py]
import functools
@functools.singledispatch
def f(x):
    return 1
@f.register
def f_int(x: int):
    return 2
R = {"f": f_int}
[run]
import a
f = a.f
[delete a.py]
[expect]
"a" not in sys.modules
[edit a.py]
import functools
@functools.singledispatch
def f(x):
    return 1
@f.register
def f_int(x: int):
    return 2
R = {"f": f_int}
[expect]
sys.modules["a"].f is f and (f(""), f(1)) == (1, 2) and list(sys.modules["a"].R) == ["f"]

# lines-in-a-block-after-a-failed-edit: what was found while that ran is forgotten
[file a.py]
def f2(x):
    return x + 8
if f2(2) > 5:
    K3 = 6
    def f4(x, y=f2(4)):
        return x + y
else:
    K3 = 6
[run]
import a
[sub a.py]
if f2(2) > 5 => if f2(8) > 2
else:\n    K3 = 6 => else:\n\tK3 = 6\n1 / 0
[expect rolled back]
[edit a.py]
def f2(x):
    return x + 8
def g(): pass
if f2(2) > 5:
    K3 = 6
    def f4(x, y=f2(4)):
        return x + y
else:
    K3 = 5
[expect]
a.f4.__code__.co_firstlineno == 6

# body-of-a-lambda-that-is-called-at-once: it is the value's own statement, and gives it anew
[file a.py]
K = (lambda v: v + 1)(1)
[run]
import a
a.K = 50
[sub a.py]
v + 1 => v + 2
[expect]
a.K == 3

# variable-of-a-loop-in-a-block: one below it, which nobody edited, leaves it as it did
[file a.py]
L = [7]
for i in range(8):
    L.append(i)
M = [1]
for i in range(2):
    M.append(i)
[run]
import a
[edit a.py]
try:
    L = [7]
    L.append(1)
    for i in range(8):
        L.append(i)
except ImportError:
    pass
M = [1]
for i in range(2):
    M.append(i)
[expect]
a.i == 1 and a.M == [1, 0, 1] and a.L[:2] == [7, 1]

# partial-of-a-named-object: it is of the object that the name holds now
[file a.py]
import functools
class Call:
    def __init__(self, n):
        self.n = n
    def __call__(self, x):
        return self.n + x
f = Call(8)
@functools.cache
@functools.lru_cache
def g(x):
    return x
[file b.py]
import functools
import a
p = functools.partial(a.f)
q = functools.partial(a.g)
[run]
import b, a
p, q = b.p, b.q
[sub a.py]
Call(8) => Call(9)
functools.lru_cache => functools.lru_cache(maxsize=9)
[expect]
b.p is p and p.func is a.f and p(1) == 10
b.q.func is a.g

# future-line-and-a-lambda: it is compiled as the module is now
[file a.py]
from __future__ import annotations
f = lambda x: x
g = [lambda x: x]
[run]
import a, __future__
f, g = a.f, a.g[0]
flag = __future__.annotations.compiler_flag
[sub a.py]
from __future__ import annotations => "About."
[expect]
a.f is f and a.g[0] is g and not (f.__code__.co_flags | g.__code__.co_flags) & flag

# class-in-a-block-that-runs: what its body reads and changed in the same edit follows
[file a.py]
import contextlib
from b import K
with contextlib.suppress(KeyError):
    X = 1
    class C:
        LIMIT = K
        def get(self, y=K):
            return y
[file b.py]
K = 1
[run]
import a
C = a.C
[sub a.py]
X = 1 => Y = 1
[sub b.py]
K = 1 => K = 2
[expect]
a.C is C and C.LIMIT == 2 and C().get() == 2

# wraps-comes-to-a-decorator: `__wrapped__` is the function that the wrapper calls
[file a.py]
import functools
K = 1
def deco(fn):
    def wrapper(*a, **k):
        return fn(*a, **k) + K
    return wrapper
[file b.py]
from a import deco
class C:
    @deco
    def m(self, x=1):
        return x
@deco
def f(x):
    return x
[run]
import b
m, f = b.C.m, b.f
inner = [one.__closure__[0].cell_contents for one in (m, f)]
[edit a.py]
import functools, contextlib
K = 2
with contextlib.suppress(ValueError):
    def deco(fn):
        @functools.wraps(fn)
        def wrapper(*a, **k):
            return fn(*a, **k) + K
        return wrapper
[expect]
b.C.m is m and b.f is f and b.C().m() == 3 and f.__name__ == "f"
[one.__closure__[0].cell_contents for one in (m, f)] == inner == [m.__wrapped__, f.__wrapped__]
f.__annotations__ is f.__wrapped__.__annotations__

# dataclass-no-more: who made an instance of it is named
[file a.py]
from dataclasses import dataclass
@dataclass
class C:
    n: int
    size: int = 7
[file b.py]
from a import C
OBJ = C(5)
[run]
import b
[edit a.py]
class C:
    def __init__(self, n):
        self.n = n
[expect]
told("OBJ", "C")

# variable-of-a-loop: a loop below it is gone, and it did not run again
[file a.py]
D = {}
for _k in range(3):
    D[_k] = 3
E = {}
for _k in range(4):
    E[_k] = 3
[run]
import a
a.D[7] = 7
[edit a.py]
D = {}
for _k in range(3):
    D[_k] = 3
[expect]
a._k == 2 and a.D == {0: 3, 1: 3, 2: 3, 7: 7}

# star-of-a-new-module: its names hide those that are bound above it
[file a.py]
def wait():
    return "a"
X = 2
[run]
import a
[edit b.py]
def wait():
    return "b"
X = 1
[sub a.py]
X = 2 => X = 2\nfrom b import *
[expect]
a.wait is sys.modules["b"].wait and a.X == 1

# star-list-grows-and-shrinks: names that come hide those above it, names that go uncover them
[file b.py]
def wait():
    return "b"
def low():
    return "b"
X = 1
__all__ = []
[file a.py]
def wait():
    return "a"
X = 2
from b import *
def low():
    return "low"
[run]
import a, b
[sub b.py]
__all__ = [] => __all__ = ["wait", "X", "low"]
[expect]
a.wait is b.wait and a.X == 1 and a.low() == "low"
[sub b.py]
"wait", "X", "low" => "low"
[expect]
a.wait() == "a" and b.wait() == "b" and a.X == 2 and a.low() == "low"

# frozen-dataclass-made-again: what its decorator captured is the class that lives, not the twin
[file a.py]
from dataclasses import dataclass
@dataclass(frozen=True)
class C:
    n: int
[run]
import a
def sets():
    a.C(1).other = 2
[sub a.py]
n: int => n: int\n\tsize: int = 3
[expect]
raises(AttributeError, sets)
a.C in [cell.cell_contents for cell in a.C.__setattr__.__closure__]

# attribute-of-a-class-made-again: what was read from a class that something else than its body made follows
[file a.py]
from dataclasses import dataclass
@dataclass
class C:
    n: int = 1
    LIMIT = 5
L = [C.LIMIT]
L.append(4)
[run]
import a
L = a.L
[sub a.py]
@dataclass\nclass C:\n    n: int = 1\n    LIMIT = 5 => class C:\n    LIMIT = 21
[expect]
a.L == [21, 4] and a.L is L

# default-that-calls-what-was-edited: a new default sees the function as it is now
[file a.py]
def f(x, *, z=9):
    return x + z
class C:
    def m(self, x=1):
        return x
[run]
import a
c = a.C()
[sub a.py]
z=9 => z=0
x=1 => x=f(8)
[expect]
c.m() == 8

# default-of-a-lambda: what was called with it, and is state, is named
[file a.py]
import types
f = lambda x, y=6: x + y
OBJ = types.SimpleNamespace(n=f(8))
[run]
import a
[sub a.py]
y=6 => y=7
[expect]
a.f(8) == 15 and a.OBJ.n == 14
told("OBJ", "f")

# body-of-a-lambda-under-another-name: who called it by the name that it is bound to follows
[file a.py]
f = lambda x: x + 1
[file b.py]
import a
K = a.f(3)
[run]
import b
[sub a.py]
x + 1 => x + 8
[expect]
b.K == 11

# block-with-state: all that a block makes is named where it stays for the state among it
[file a.py]
import types
K = 3
if K > 2:
    M = K
    OBJ = types.SimpleNamespace(n=K)
[run]
import a
[sub a.py]
K = 3 => K = 6
[expect]
told("OBJ", "K") and told("`M`", "K")

# names-of-the-module: a list of them follows
[file a.py]
ONE = {3}
__all__ = [n for n in dir() if n[0].isupper()]
[file b.py]
from a import *
[run]
import b
[sub a.py]
ONE => TWO
[expect]
sys.modules["a"].__all__ == ["TWO"]
b.TWO == {3} and not hasattr(b, "ONE")

# names-of-the-module-above: names that are bound below it do not count
[file a.py]
ONE = 1
__all__ = sorted(n for n in globals() if n.isupper())
[run]
import a
[edit a.py]
ONE = 1
TWO = 2
__all__ = sorted(n for n in globals() if n.isupper())
THREE = 3
[expect]
a.__all__ == ["ONE", "TWO"]
[edit a.py]
ONE = 1
__all__ = sorted(n for n in globals() if n.isupper())
TWO = 2
THREE = 3
[expect]
a.__all__ == ["ONE"]

# use-above-its-definition: a statement that moved there need not run, and the report says what a fresh start would do
[file a.py]
import math
K = 1
L = [K]
[run]
import a
[edit a.py]
import math
L = [K]
K = 1
[expect]
a.L == [1]
told("a:2", "`K` is bound further down")

# block-that-is-not-taken: what it alone binds now goes
[file a.py]
L = [6]
OBJ = object()
[run]
import a
[edit a.py]
L = [6]
if sum(L) > 8:
    OBJ = object()
[expect]
not hasattr(a, "OBJ")

# block-whose-test-changes: an edit inside it does not hide that it goes the other way now
[file a.py]
L = [6]
if sum(L) > 8:
    K = 1
    M = 7
else:
    K = 2
[run]
import a
[edit a.py]
L = [4, 2, 9]
if sum(L) > 8:
    K = 4
    M = 4
else:
    K = 2
[expect]
a.K == 4 and a.M == 4

# made-from-a-partial: a default that called it follows what it was made from
[file a.py]
def f(x):
    return x + 13
[file b.py]
import functools
from a import f
g = functools.partial(f)
def h(m=g(4)):
    return m
[run]
import b
[sub a.py]
x + 13 => x + 14
[expect]
b.h() == 18

# part-of-a-try-that-went: what another part of it makes counts again
[file a.py]
try:
    K = 1
finally:
    K = 2
[run]
import a
[edit a.py]
try:
    K = 1
finally:
    pass
[expect]
a.K == 1

# one-name-in-two-parts-of-a-try: the last one stands after the first one ran again
[file a.py]
N = 1
try:
    K = N
finally:
    K = 6
[run]
import a
[sub a.py]
N = 1 => N = 5
[expect]
a.K == 6

# default-in-a-class-made-again: what nobody edited in it and reads a changed value follows too
[file a.py]
import enum
K = 2
class E(enum.IntEnum):
    A = 4
    def m(self, y=K):
        return y
[run]
import a
[sub a.py]
K = 2 => K = 7
A = 4 => A = 6
[expect]
a.E.A.m() == 7

# answer-that-was-cached: what is computed again from a cache that still has its old answers is named
[file a.py]
import functools
@functools.lru_cache(maxsize=None)
def f(x, *, z=0):
    return x + z
K = f(2)
[run]
import a
[sub a.py]
z=0 => z=2
[expect]
told("K", "f", "cached before") and a.f(2) == 4

# function-that-a-new-block-defines: it goes on as the function that it was
[file a.py]
import functools
def f(x):
    return x + 4
g = functools.partial(f)
[run]
import a
f = a.f
[edit a.py]
import functools
if 8 > 2:
    K = 1
    def f(x):
        return x + 5
else:
    K = 3
g = functools.partial(f)
[expect]
a.f is f and f(1) == 6 and a.g.func is f and a.g(1) == 6

# call-in-a-default-of-a-lambda: it is stale when what it called was edited
[file a.py]
def f(x):
    return x + 1
g = lambda x, y=f(2): x + y
[run]
import a
[sub a.py]
x + 1 => x + 5
[expect]
a.g(0) == 7

# part-of-a-list-that-calls: whether anybody touched the list cannot be told, so the report says what ran
[file a.py]
def f(x):
    return x
L = [f(1)]
for i in range(2):
    L.append(i)
[run]
import a
[sub a.py]
range(2) => range(3)
[expect]
told("a.L", "only what was edited ran")

# use-in-a-try-above-its-definition: a `try` that does not catch a NameError stops there too
[file a.py]
K = 1
try:
    M = K
except ValueError:
    pass
[run]
import a
[edit a.py]
try:
    M = K
except ValueError:
    pass
K = 1
[expect]
told("`K` is bound further down")

# use-above-its-definition-below-a-star-import: what that brings is known
[file base.py]
ONE = 1
[file a.py]
from base import *
K = ONE
L = [K]
[run]
import a
[edit a.py]
from base import *
L = [K]
K = ONE
[expect]
told("a:2", "`K` is bound further down") and not told("ONE")

# class-made-again-twice: once for what was edited, and again for what only calls it
[file a.py]
from dataclasses import dataclass
def f(x):
    return 4
class B:
    def get(self, x):
        return x + f(6)
@dataclass
class C:
    n: int
    size: int = B().get(3)
    LIMIT = f(2)
[run]
import a
[sub a.py]
return 4 => return 8
[expect]
a.C.size == 11 and a.C(1).size == 11 and a.C.LIMIT == 8

# class-of-a-failed-edit: its base does not list it any more
[file a.py]
class B:
    pass
[run]
import a
[edit a.py]
class B:
    pass
class C(B):
    pass
1 / 0
[expect rolled back]
a.B.__subclasses__() == []

# new-block-that-names-its-exception: the name is the handler's own
[file a.py]
X = 1
[run]
import a
[edit a.py]
X = 2
try:
    1 / 0
except ZeroDivisionError as error:
    SAID = str(error)
[expect]
a.SAID == "division by zero" and not hasattr(a, "error")

# default-that-ran-again-in-a-block: the function is found again at the next edit
[file a.py]
K = 1
if 7 > 1:
    M = 8
    def f(y=K):
        return y
else:
    M = 2
[run]
import a
f = a.f
[sub a.py]
K = 1 => K = 2
[expect]
f() == 2
[sub a.py]
K = 2 => \nK = 2
[expect]
a.f is f and f.__code__.co_firstlineno == 5

# wrapper-that-hides-its-function: what that reads reaches who called the wrapper
[file a.py]
def deco(fn):
    def wrapper(*a):
        return fn(*a) + 5
    return wrapper
L = [2]
@deco
def f(x):
    return x + sum(L)
[file b.py]
from a import f
K = f(1)
def g(m=f(4)):
    return m
[run]
import b
[sub a.py]
[2] => [7]
[expect]
b.g() == 16 and b.K == 13

# partial-of-a-partial: a partial that was only looked at is unpacked by a new one around it
[file a.py]
import functools
f = functools.partial(abs)
[run]
import a
[edit a.py]
import functools
f = functools.partial(abs)
g = functools.partial(f)
K = 1
[expect]
a.g.func is abs
[edit a.py]
import functools
f = functools.partial(abs)
g = functools.partial(f, 7)
K = f(2)
[expect]
a.g.func is abs and a.g() == 7

# attribute-of-a-partial-by-a-failed-edit: it has no attributes again
[file a.py]
import functools
f = functools.partial(abs)
[run]
import a
[edit a.py]
import functools
f = functools.partial(abs)
f.version = 2
1 / 0
[expect rolled back]
a.f.__reduce__()[2][3] is None

# another-name-for-a-wrapper: what two names lead to stays one object, and the one that a name leaves stays what it is
[file a.py]
import functools
@functools.lru_cache
def f(x):
    return x + 1
@functools.lru_cache
def g(x):
    return x + 2
h = f
p = functools.partial(f, 1)
q = p
[run]
import a
f = a.f
p = a.p
[edit a.py]
import functools
@functools.lru_cache
def f(x):
    return x + 1
@functools.lru_cache
def g(x):
    return x + 2
h = g
p = functools.partial(f, 1)
q = functools.partial(g, 1)
[expect]
a.h is a.g and a.h(1) == 3 and a.f is f and f(1) == 2
a.p is p and p() == 2 and a.q() == 3
[sub a.py]
p = functools.partial(f, 1) => p = g
[expect]
a.p is a.g and a.p(1) == 3 and p() == 2 and f(1) == 2

# renamed-together-with-its-other-name: both names lead to one object
[file a.py]
import functools
@functools.lru_cache
def f(x):
    return x + 1
g = f
[run]
import a
[edit a.py]
import functools
@functools.lru_cache
def h(x):
    return x + 1
g = h
[expect]
a.g is a.h and a.g(1) == 2

# implementation-of-a-generic-function: who called the generic one by its name follows
[file a.py]
import functools
@functools.singledispatch
def f(x):
    return 0
@f.register
def f_int(x: int):
    return x + 9
[file b.py]
from a import f
K = f(2)
def g(x):
    return f(x) + 1
M = g(1)
[run]
import b
[sub a.py]
x + 9 => x + 7
[expect]
b.K == 9 and b.M == 9

# default-of-a-lambda-by-a-method: the default follows what the method calls
[file a.py]
def f(x):
    return x + 1
class C:
    def get(self, x):
        return f(x)
g = lambda y=C().get(3): y
[run]
import a
[sub a.py]
x + 1 => x + 6
[expect]
a.g() == 9

# star-import-instead-of-names: what both bring is not taken away in between
[file b.py]
K = 4
H = 5
[file a.py]
from b import K
import _probe
L = _probe.hit("ran", K)
[run]
import a
[edit a.py]
from b import *
import _probe
L = _probe.hit("ran", K)
[expect]
hits == ["ran"] and a.H == 5 and a.K == 4
[edit a.py]
from b import H
import _probe
from b import K
L = _probe.hit("ran", K)
[expect]
hits == ["ran"] and a.H == 5 and a.K == 4

# statement-that-hid-an-import-goes: the name is the imported one again
[file b.py]
K = 4
def f(): return 1
[file c.py]
K = 5
def f(): return 3
[file a.py]
from b import *
from c import *
K = 9
def f(): return 2
[run]
import a
[edit a.py]
from b import *
from c import *
[expect]
a.K == 5 and a.f() == 3 and a.f is sys.modules["c"].f
[edit a.py]
from b import *
[expect]
a.K == 4 and a.f is sys.modules["b"].f and sys.modules["c"].f() == 3
[edit a.py]
from b import K, f
K = 7
[expect]
a.K == 7
[edit a.py]
from b import K, f
[expect]
a.K == 4

# import-above-what-hides-it: from another module now, it still is hidden
[file b.py]
K = 1
J = 5
[file c.py]
K = 2
J = 6
[file a.py]
from b import *
J = 7
L = K + 1
M = J
[run]
import a
[sub a.py]
from b import * => from c import *
[expect]
a.K == 2 and a.L == 3 and a.J == 7 and a.M == 7
[sub a.py]
from c import * => from b import K, J
[expect]
a.K == 1 and a.L == 2 and a.J == 7 and a.M == 7

# what-binds-a-name-changes-places: the last one counts
[file b.py]
K = 1
def f(): return 1
[file a.py]
from b import K, f
K = 7
def f(): return 2
[run]
import a
[edit a.py]
K = 7
def f(): return 2
from b import K, f
[expect]
a.K == 1 and a.f() == 1
[edit a.py]
from b import K, f
K = 7
def f(): return 2
[expect]
a.K == 7 and a.f() == 2 and sys.modules["b"].f() == 1

# name-that-is-imported-now: who calls an attribute of it runs the instructions that a fresh process has
[file b.py]
T = "one"
[file a.py]
from b import T
def f():
    return T.upper()
[run]
import a
[sub a.py]
import T => import *
[expect]
"LOAD_METHOD" in [i.opname for i in __import__("dis").get_instructions(a.f)] or sys.version_info >= (3, 12)

# partial-of-another-function: the function that it leaves stays what it is
[file a.py]
import functools
def f(x):
    return 1
def g(x):
    return 2
def deco(fn):
    def wrapper(x):
        return fn(x) * 10
    return wrapper
def factory(helper):
    def outer(fn):
        def wrapper(x):
            return helper(x) + fn(x)
        return wrapper
    return outer
p = functools.partial(f, 0)
c = functools.lru_cache(f)
w = deco(f)
@factory(f)
def h(x):
    return 100
class C:
    def m(self):
        return 1
    def n(self):
        return 2
    s = staticmethod(f)
    q = property(m)
b = C().m
[run]
import a
f, g, p, w, h, m, n = a.f, a.g, a.p, a.w, a.h, a.C.m, a.C.n
[sub a.py]
partial(f, 0) => partial(g, 0)
lru_cache(f) => lru_cache(g)
deco(f) => deco(g)
factory(f) => factory(g)
staticmethod(f) => staticmethod(g)
property(m) => property(n)
C().m => C().n
[expect]
a.f is f and f(0) == 1 and f.__name__ == "f"
a.g is g and g(0) == 2 and a.C.m is m and m(None) == 1
a.p is p and p() == 2
a.w(0) == 20 and w(0) == 20 and h(0) == 102 and a.h is h
a.C.s(0) == 2 and a.C().q == 2 and a.b() == 2 and a.c(0) == 2

# names-of-a-function-that-go-into-a-block-with-it: a global that the function declares is bound by the block
[file a.py]
SEEN = 3
def bump():
    global SEEN
    SEEN += 4
    return SEEN
[run]
import a
[edit a.py]
if 5 > 1:
    K = 5
    SEEN = 3
    def bump():
        global SEEN
        SEEN += 4
        return SEEN
else:
    K = 1
[expect]
a.SEEN == 3 and a.K == 5

# use-of-a-name-that-goes: in a new block, it fails as a fresh start would
[file a.py]
K = 3
try:
    M = K
except ImportError:
    pass
[run]
import a
[edit a.py]
K = 3
if K + M > 3:
    N = M
else:
    N = K
[expect rolled back]
told("M", "not defined")

# use-of-a-name-that-goes-in-a-value: it fails as a fresh start would
[file a.py]
K = 3
M = 4
[run]
import a
[edit a.py]
K = 3
N = M
[expect rolled back]
told("M", "not defined")

# use-of-a-name-that-goes-in-a-default: it fails as a fresh start would
[file a.py]
K = 3
M = 4
def f(): return 1
[run]
import a
[edit a.py]
K = 3
def f(y=M): return 1
[expect rolled back]
told("M", "not defined")

# list-of-names-over-a-block: it follows which branch of the block ran
[file a.py]
K = 1
if K > 2:
    M = 3
else:
    N = 4
__all__ = sorted(n for n in globals() if n.isupper())
[run]
import a
[sub a.py]
if K > 2 => if K > 0
[expect]
a.__all__ == ["K", "M"]
[sub a.py]
K = 1 => K = 0
[expect]
a.__all__ == ["K", "N"]

# generic-no-more: what its decorators had put on a function goes with them, and its new body counts
[file a.py]
import functools
@functools.singledispatch
def f(x):
    return 1
@f.register
def f_int(x: int):
    return 2
def deco(fn):
    @functools.wraps(fn)
    def wrapper(x):
        return fn(x)
    wrapper.marked = 1
    return wrapper
@deco
def g(x):
    return 5
[run]
import a
f, g = a.f, a.g
[edit a.py]
import functools
def f(x):
    return 3
def deco(fn):
    @functools.wraps(fn)
    def wrapper(x):
        return fn(x)
    wrapper.marked = 1
    return wrapper
def g(x):
    return 6
[expect]
a.f is f and f(0) == 3 and vars(f) == {}
a.g is g and g(0) == 6 and vars(g) == {}

# default-in-a-try: a function that ran again in a block that moved is found again at the next edit
[file a.py]
try:
    K = 2
except ValueError:
    pass
try:
    M = 5
    def f(x, y=(K if K > 9 else 5)):
        return x + y + K
except ValueError:
    pass
[run]
import a
f = a.f
[edit a.py]
K = 7
try:
    M = 5
    def f(x, y=(K if K > 9 else 5)):
        return x + y + K
except ValueError:
    pass
[expect]
f(1) == 13 and f.__code__.co_firstlineno == 4
[sub a.py]
K = 7 => import sys\nK = 7
[expect]
f(1) == 13 and f.__code__.co_firstlineno == 5

# class-that-is-made-again-for-its-name-only: what registers by a value is there once
[file a.py]
class B:
    KINDS = []
    BY = {}
    def __init_subclass__(cls, **k):
        super().__init_subclass__(**k)
        B.KINDS.append(cls.__name__)
        B.BY[cls.__name__] = len(B.KINDS)
class C(B):
    at = 9
class D(B):
    pass
[run]
import a
C = a.C
[sub a.py]
at = 9 => other = 9
[expect]
a.B.KINDS == ["C", "D"] and a.C is C and C.other == 9

# class-that-goes-and-had-told-its-base: what the hook did with it is named
[file a.py]
class B:
    KINDS = []
    def __init_subclass__(cls, **k):
        B.KINDS.append(cls.__name__)
class C(B):
    at = 9
[run]
import a
[edit a.py]
class B:
    KINDS = []
    def __init_subclass__(cls, **k):
        B.KINDS.append(cls.__name__)
[expect]
told("__init_subclass__", "C")

# method-that-registers-itself: of a class made again the one that lives is registered
[file a.py]
REG, ALL = {}, []
def add(fn):
    REG[fn.__qualname__] = fn
    ALL.append(fn)
    return fn
def deco(cls):
    cls.tag = 1
    return cls
@deco
class C:
    K = 1
    @add
    def m(self):
        return 1
[run]
import a
m = a.C.m
[sub a.py]
@deco\nclass => class
[expect]
a.C.m is m and a.REG == {"C.m": m} and a.ALL == [m]

# hook-of-a-base-that-goes: what it had put on the classes below goes
[file a.py]
class B:
    def __init_subclass__(cls, **k):
        cls.code = 7
class C(B):
    at = 1
[file b.py]
import a
class D(a.B):
    mine = 2
[run]
import b, a
C, D = a.C, b.D
C.counter = 5
[sub a.py]
def __init_subclass__(cls, **k):\n\t\tcls.code = 7 => K = 1
[expect]
a.C is C and b.D is D and not hasattr(C, "code") and not hasattr(D, "code") and C.counter == 5
[sub a.py]
K = 1 => def __init_subclass__(cls, **k):\n\t\tcls.code = 8
[expect]
C.code == 8 and D.code == 8 and C.counter == 5
[sub a.py]
cls.code = 8 => cls.kind = 9
[expect]
C.kind == 9 and D.kind == 9 and not hasattr(C, "code") and C.counter == 5 and C.at == 1

# class-decorator-that-puts-something-else-there: what it had put there goes
[file a.py]
def deco(cls):
    cls.tag = 1
    return cls
def mark(fn):
    fn.tag = 1
    return fn
@deco
class C:
    at = 1
@mark
def f():
    return 1
[run]
import a
C, f = a.C, a.f
[sub a.py]
cls.tag = 1 => cls.label = 2
fn.tag = 1 => fn.label = 2
[expect]
a.C is C and C.label == 2 and not hasattr(C, "tag")
a.f is f and f.label == 2 and not hasattr(f, "tag")

# class-in-a-block-of-a-failed-edit: its base does not list it any more
[file a.py]
class B:
    pass
[run]
import a
[edit a.py]
class B:
    pass
try:
    class C(B):
        pass
except ValueError:
    pass
1 / 0
[expect rolled back]
a.B.__subclasses__() == []

# module-that-nobody-imports-any-more: it stays loaded, and the report says so
[file p/__init__.py]
[file p/a.py]
K = 1
[file p/b.py]
from .a import K
M = 2
[run]
import p.b, p
[sub p/b.py]
from .a import K\n => 
[expect]
told("p.a", "stays loaded") and p.a.K == 1

# module-that-another-one-still-imports: nothing is said
[file p/__init__.py]
[file p/a.py]
K = 1
[file p/b.py]
from .a import K
M = 2
[file p/c.py]
import p.a
[run]
import p.b, p.c, p
[sub p/b.py]
from .a import K\n => 
[expect]
not told("stays loaded")

# function-in-a-block-under-another-name: it is defined, also where what the block asks is not asked again
[file a.py]
K = 1
def f2(x): return 9
if f2(3) > 2:
    K6 = 4
    def f7(x): return 1
else:
    K6 = 5
__all__ = sorted(n for n in globals() if not n.startswith('_'))
[run]
import a
a.K6 = 72
[sub a.py]
def f7 => def f12
[expect]
a.__all__ == ["K", "K6", "f12", "f2"]
[sub a.py]
def f12 => def f7
__all__ = sorted(n for n in globals() if not n.startswith('_')) => __all__ = [n for n in dir() if n[0].isupper()]
[expect]
a.__all__ == ["K", "K6"]
[sub a.py]
def f7 => def f12
__all__ = [n for n in dir() if n[0].isupper()] => __all__ = sorted(n for n in globals() if not n.startswith('_'))
[expect]
a.__all__ == ["K", "K6", "f12", "f2"]

# use-above-a-star-import: the report says where a fresh start would stop
[file b.py]
K = 1
[file a.py]
from b import *
L = K
[run]
import a
[edit a.py]
L = K
from b import *
[expect]
told("a:1", "further down")

# class-that-goes-into-a-block: it stays the same class, and registers once
[file a.py]
class B:
    KINDS, ALL = [], []
    def __init_subclass__(cls, **k):
        super().__init_subclass__(**k)
        B.KINDS.append(cls.__name__)
        B.ALL.append(cls)
class C(B):
    LIMIT = 1
    def get(self):
        return 1
class P:
    LIMIT = 1
    def get(self):
        return super().__init__
class D(P):
    pass
[run]
import a
C, P, c = a.C, a.P, a.C()
C.LIMIT = 5
[edit a.py]
class B:
    KINDS, ALL = [], []
    def __init_subclass__(cls, **k):
        super().__init_subclass__(**k)
        B.KINDS.append(cls.__name__)
        B.ALL.append(cls)
try:
    K = 1
    class C(B):
        LIMIT = 1
        def get(self):
            return 2
except ValueError:
    pass
if 5 > 2:
    class P:
        LIMIT = 1
        def get(self):
            return super().__init__
        def more(self):
            return 2
class D(P):
    pass
[expect]
a.C is C and c.get() == 2 and C.LIMIT == 5
a.B.KINDS == ["C"] and a.B.ALL == [C] and a.B.__subclasses__() == [C]
a.P is P and a.D.__bases__ == (P,) and a.D().more() == 2
[edit a.py]
class B:
    KINDS, ALL = [], []
    def __init_subclass__(cls, **k):
        super().__init_subclass__(**k)
        B.KINDS.append(cls.__name__)
        B.ALL.append(cls)
class C(B):
    LIMIT = 1
    def get(self):
        return 3
[expect]
a.C is C and c.get() == 3 and C.LIMIT == 5 and a.B.KINDS == ["C"] and a.B.ALL == [C]

# class-whose-hook-fails: its base does not list it
[file a.py]
class B:
    pass
[run]
import a
[edit a.py]
class B:
    def __init_subclass__(cls):
        1 / 0
class C(B):
    pass
[expect rolled back]
a.B.__subclasses__() == []

# imports-that-become-a-circle: the report says where a fresh start would stop
[file p/__init__.py]
[file p/a.py]
K = 1
def f(x):
    return 5
[file p/b.py]
from p.a import f
g = f
[file p/c.py]
M = 3
[run]
import p.a, p.b, p.c
[edit p/c.py]
from p.b import g
M = 3
[expect]
not told("would stop")
[edit p/a.py]
from p.c import M
K = 1
def f(x):
    return 5
[expect]
told("p.b:1", "`f` of p.a is not bound yet")
[sub p/a.py]
K = 1 => K = 2
[expect]
not told("would stop")
[edit p/a.py]
K = 1
def f(x):
    return 5
from p.c import M
[expect]
not told("would stop")
[edit p/b.py]
from p.a import *
g = f
[expect]
not told("would stop")
[edit p/a.py]
from p.c import M
K = 1
def f(x):
    return 5
[expect]
told("p.b:2", "`f` of p.a is not bound yet")

# circle-that-is-no-trouble: nothing is said where names are used by functions only
[file p/__init__.py]
[file p/a.py]
K = 1
[file p/b.py]
import p.a
def g():
    return p.a.K
[run]
import p.a, p.b
[edit p/a.py]
import p.b as b
try:
    from p.b import g
except ImportError:
    g = None
K = 1
[expect]
not told("would stop")
[sub p/b.py]
def g() => L = p.a.K\ndef g()
[expect]
p.b.L == 1

# annotation-in-a-branch-that-does-not-run: it goes with the name
[file a.py]
def f():
    return 1
K: int = 4
[run]
import a
[edit a.py]
def f():
    return 1
if f() > 9:
    M = 1
    K: int = 4
else:
    M = 2
[expect]
a.M == 2 and not hasattr(a, "K") and a.__annotations__ == {}

# name-that-a-block-takes-away: a star import that is new brings it no more, and who uses it is named
[file b.py]
K = 1
M = 2
[file a.py]
from b import K, M
def f(y):
    return K
[run]
import a
[edit b.py]
if 5 > 9:
    K = 1
M = 2
[edit a.py]
from b import *
def f(y):
    return K
[expect]
not hasattr(a, "K") and told("a.K is gone", "a:2 still uses it")

# value-moved-up-under-postponed-annotations: the report says where a fresh start would stop
[file a.py]
K = 8
M: 'int' = K + K
[run]
import a
[edit a.py]
from __future__ import annotations
M: object = K + K
K = 8
[expect]
told("a:2", "further down")

# another-name-for-a-list: it is that very list, though it is equal to what the name held
[file a.py]
L = {}
class C:
    D = L
E = L
[run]
import a
[edit a.py]
R = {}
class C:
    D = R
E = R
[expect]
a.C.D is a.R and a.E is a.R

# generic-function-that-goes-into-a-block: it dispatches to the implementation that the name has
[file a.py]
import functools
@functools.singledispatch
def f(x):
    return 1
@f.register
def f_int(x: int):
    return 2
[run]
import a
f, f_int = a.f, a.f_int
[edit a.py]
import functools
try:
    K = 7
    @functools.singledispatch
    def f(x):
        return 3
    @f.register
    def f_int(x: int):
        return 4
except ValueError:
    pass
[expect]
a.f is f and f("") == 3 and f(1) == 4
a.f_int is f_int and f.registry[int] is f_int and f.registry[object]("") == 3

# answer-that-was-cached-and-is-asked-for-indirectly: the edit's own statements get the new code's answer
[file a.py]
import functools
def g(x):
    return x
@functools.lru_cache(maxsize=None)
def f(x):
    return g(x) + 1
def h(x):
    return f(x)
[file b.py]
import a
K = a.f(2)
M = a.h(2)
[run]
import a, b
[sub a.py]
return x\n@ => return x * 10\n@
[expect]
b.K == 21 and b.M == 21 and a.f(2) == 21

# answers-of-a-failed-edit: a cache has those that it had
[file a.py]
import functools
@functools.cache
def f(x):
    return [x]
K = f(2)
[run]
import a
held = a.f(7)
[edit a.py]
import functools
@functools.cache
def f(x):
    return [x, x]
K = f(2)
M = f(7)
1 / 0
[expect rolled back]
a.f(7) is held and a.f.cache_info().currsize == 2

# answer-of-a-cache-with-a-limit: the report says that it may have answered
[file a.py]
import functools
@functools.lru_cache
def f(x):
    return x
def h(x):
    return f(x)
K = h(2)
[run]
import a
[sub a.py]
return x\ndef => return x * 10\ndef
[expect]
told("a.f", "from its cache")

# partial-of-a-function-that-was-renamed: it leads to the one that the name has
[file a.py]
import functools
def f(x):
    return x
p = functools.partial(f, 1)
[run]
import a
p = a.p
[edit a.py]
import functools
def g(x):
    return x
p = functools.partial(g, 1)
[expect]
a.p is p and p.func is a.g

# star-import-that-goes: what it brought goes, also where the program has set it in its module since
[file b.py]
K = 1
M = 2
[file a.py]
from b import *
[run]
import a, b
b.K = 92
a.mine = 3
[edit a.py]
from b import M
[expect]
a.M == 2 and not hasattr(a, "K") and a.mine == 3

# module-that-comes-back-after-its-functions-moved: they act for themselves again
[file p/__init__.py]
[file p/a.py]
def f():
    return __name__
[file p/b.py]
import p.a
[run]
import p.b, p.a
a, f = p.a, p.a.f
[delete p/a.py]
[edit p/c.py]
def f():
    return __name__
[edit p/b.py]
from p.c import f
[expect]
p.b.f() == "p.c" and f() == "p.c"
[delete p/c.py]
[edit p/a.py]
def f():
    return __name__
[edit p/b.py]
from p.a import f
[expect]
sys.modules["p.a"].f() == "p.a" and p.b.f is sys.modules["p.a"].f

# enum-under-another-name-and-back: its members are its own
[file a.py]
import enum
class E(enum.IntFlag):
    A = 6
    B = 3
[file b.py]
from a import E
[run]
import a, b
A = a.E.A
[sub a.py]
class E => class F
[expect]
told("a.E is gone")
[sub a.py]
class F => class E
[expect]
a.E.A.__objclass__ is a.E and type(a.E.A) is a.E and a.E._iter_member_.__self__ is a.E

# flag-that-is-made-again: what its metaclass bound to it is bound to the one that lives
[file a.py]
import enum
class E(enum.IntFlag):
    A = 4
    B = 2
[run]
import a
E, A = a.E, a.E.A
[sub a.py]
B = 2 => B = 2\n\tC = 1
[expect]
a.E is E and E.A is A and E._iter_member_.__self__ is E and list(E) == [E.A, E.B, E.C]

# module-that-went-and-what-it-imported: the report names what nobody imports now
[file p/__init__.py]
[file p/a.py]
K = 1
[file p/b.py]
from .a import K
[run]
import p.b
[delete p/b.py]
[expect]
told("p.a", "stays loaded")

# module-that-goes-with-what-it-used: what follows in it does not hold up the edit
[file a.py]
D = {}
L = [len(D)]
K = 3
[file b.py]
import a
D = {"b": sum(a.L), "z": a.K}
[run]
import a, b
[delete b.py]
[sub a.py]
L = [len(D)]\n => 
[expect]
not hasattr(a, "L") and "b" not in sys.modules

# call-of-a-function-above-what-it-uses: the report says that a fresh start may stop there
[file a.py]
import math
def f(x):
    return g(x)
def g(x):
    return math.floor(x)
K = f(2)
[run]
import a
[edit a.py]
def f(x):
    return g(x)
def g(x):
    return math.floor(x)
K = f(2)
import math
[expect]
told("a:5", "`f` uses `math`") and not told("a:1") and not told("a:3")

# attribute-of-a-module-edited-with-it: an edited value sees the other module as it will be
[file b.py]
K = 3
class C:
    LIMIT = 1
[file a.py]
import b
M: int = b.K
class D:
    LIMIT = 5
N = D.LIMIT
[run]
import a
[sub b.py]
K = 3 => K = 4
[sub a.py]
M: int = b.K => M: 'int' = b.K
LIMIT = 5 => LIMIT = 6
N = D.LIMIT => N = D.LIMIT + 0
[expect]
a.M == 4 and a.N == 6

# variable-of-two-loops: it holds what the last one left
[file a.py]
L = [1]
for i in range(1):
    L.append(i)
M = [4]
for i in range(9):
    M.append(i)
[run]
import a
[sub a.py]
L = [1] => L = [3]
[expect]
a.L == [3, 0] and a.i == 8

# generic-function-that-is-a-plain-one-now: who called it follows
[file a.py]
import functools
@functools.singledispatch
def f(x):
    return 1
@f.register
def f_int(x: int):
    return x + 3
[file b.py]
from a import f
class C:
    LIMIT = f(9)
K = f(9)
[run]
import b
[edit a.py]
import functools
def f(x):
    return 1
[expect]
b.K == 1 and b.C.LIMIT == 1

# module-that-comes-back-after-its-classes-moved: they are its own again
[file p/__init__.py]
[file p/a.py]
import typing
class N(typing.NamedTuple):
    a: int = 1
    def get(self):
        return __name__
class C:
    def get(self):
        return __name__
[file p/b.py]
import p.a as m
[run]
import p.b
N, C = p.b.m.N, p.b.m.C
[delete p/a.py]
[edit p/c.py]
import typing
class N(typing.NamedTuple):
    a: int = 1
    def get(self):
        return __name__
class C:
    def get(self):
        return __name__
[edit p/b.py]
import p.c as m
[expect]
p.b.m.N is N and N().get() == "p.c" and p.b.m.C is C
[delete p/c.py]
[edit p/a.py]
import typing
class N(typing.NamedTuple):
    a: int = 1
    def get(self):
        return __name__
class C:
    def get(self):
        return __name__
[edit p/b.py]
import p.a as m
[expect]
p.b.m.N is N and N().get() == "p.a" and N.__module__ == "p.a" and p.b.m.C is C and C().get() == "p.a"

# generic-function-in-a-block-with-others: it dispatches to the implementation that the name has
[file a.py]
import functools
class C2:
    LIMIT = 5
    def get(self):
        return 9
@functools.singledispatch
def f3(x):
    return C2.LIMIT
@f3.register
def f3_int(x: int):
    return x + 9
if C2().get() > 2:
    K4 = f3(1)
    def f5(x, y=C2().get()):
        return x + y
else:
    K4 = 3
[run]
import a
f3, f3_int = a.f3, a.f3_int
[edit a.py]
import functools
class C2:
    LIMIT = 5
    def get(self):
        return 9
if 7 > 6:
    K8 = C2.LIMIT
    @functools.singledispatch
    def f3(x):
        return 4
    @f3.register
    def f3_int(x: int):
        return x + 9
else:
    K8 = C2.LIMIT
if C2().get() > 2:
    K4 = f3(1)
    def f5(x, y=C2().get()):
        return x + y
else:
    K4 = 3
[expect]
a.f3_int is f3_int and a.f3.registry[int] is f3_int and a.f3 is f3

# closures-that-a-loop-made: what they call has new code, and the loop need not run
[file a.py]
class C(dict):
    pass
def note():
    return 1
def wrapped(f):
    def wrapper(*args):
        return note(), f(*args)
    wrapper.__name__ = f.__name__
    return wrapper
for name in ("keys", "values"):
    f = wrapped(getattr(dict, name))
    setattr(C, name, f)
[run]
import a
f, values = a.f, a.C.values
[sub a.py]
return 1 => return 2
[expect]
a.C().values()[0] == 2 and a.f is a.C.values
a.f is f and a.C.values is values

# function-that-a-loop-makes-last: the name holds what the loop stored when it ran again
[file a.py]
class C(dict):
    pass
def wrapped(f):
    def wrapper(*args):
        return f(*args)
    wrapper.__name__ = f.__name__
    return wrapper
for name in ("keys", "values"):
    f = wrapped(getattr(dict, name))
    setattr(C, name, f)
[run]
import a
[sub a.py]
"keys" => "items"
[expect]
a.f is a.C.values

# followers-by-other-names: a value that changed is followed under every name that it has
[file a.py]
LIMIT = 1
[file b.py]
from a import *
from a import LIMIT as L
import a as c
from midflight import derived
A = L * 2
B = c.LIMIT + 1
D = derived(lambda: [L])
G = getattr(c, "LIMIT")
class K:
    from a import LIMIT as inner
    n = inner + 1
    m = L
def f(x=L):
    return x
[run]
import b
[sub a.py]
LIMIT = 1 => LIMIT = 2
[expect]
(b.LIMIT, b.L, b.A, b.B, b.D, b.G) == (2, 2, 4, 3, [2], 2)
(b.K.inner, b.K.n, b.K.m, b.f()) == (2, 3, 2, 2)

# a-body-beside-what-it-follows: a module of which a body is edited follows what others of the batch change
[file a.py]
K = 1
def get():
    return 1
[file b.py]
import a
X = a.K
Y = a.get()
def f():
    return 1
[file z.py]
from b import X
Z = X + 1
def g():
    return 1
[run]
import z, b
[sub a.py]
K = 1 => K = 2
return 1 => return 2
[sub b.py]
return 1 => return 2
[sub z.py]
return 1 => return 2
[expect]
(b.X, b.Y, b.f(), z.X, z.Z, z.g()) == (2, 2, 2, 2, 3, 2)

# value-in-a-circle: it is made again when what it read changes after it ran
[file a.py]
X = 1
import b
Z = b.Y + X
[file b.py]
from a import X
Y = X + 10
[run]
import a
[sub a.py]
X = 1 => X = 2
[expect]
a.b.Y == 12 and a.Z == 14

# edited-value-in-a-circle: it is made again when what it read changes after it ran
[file a.py]
X = 1
import b
Z = b.Y + X
[file b.py]
from a import X
Y = X + 10
[run]
import a
[sub a.py]
X = 1 => X = 2
b.Y + X => b.Y + X + 100
[expect]
a.b.Y == 12 and a.Z == 114

# default-in-a-circle: it is made again when what it read changes after it ran
[file a.py]
X = 1
import b
def f(z=b.Y, x=X):
    return z + x
L = [X]
L.append(b.Y)
[file b.py]
from a import X
Y = X + 10
[run]
import a
f, L = a.f, a.L
[sub a.py]
X = 1 => X = 2
[expect]
f() == 14 and L == [2, 12] and a.L is L

# state-in-a-circle: what the program put in stays when a part of it is made again
[file a.py]
X = 1
import b
L = [X]
L.append(b.Y)
[file b.py]
from a import X
Y = X + 10
[run]
import a
a.L.append("mine")
L = a.L
[sub a.py]
X = 1 => X = 2
L.append(b.Y) => L.append(b.Y + 100)
[expect]
a.L is L and L[:3] == [1, 11, "mine"]
told("L", "edited")

# values-that-feed-each-other: making them again comes to an end
[file a.py]
X = 1
import b
Z = b.Y + X
[file b.py]
import a
from a import X
Y = getattr(a, "Z", 0) + X
[run]
import a
[sub a.py]
X = 1 => X = 2
[expect]
a.X == 2 and a.b.X == 2

# flag-that-is-none-any-more: what made it a flag goes from the class
[file a.py]
import enum
class E(enum.Flag):
    A = 1
    B = 2
class F(enum.Enum):
    A = 1
    B = 2
[run]
import a
E = a.E
[sub a.py]
class E(enum.Flag) => class E(enum.Enum)
[expect]
a.E is E and vars(E).keys() == vars(a.F).keys()
raises(TypeError, lambda: E.A | E.B)

# class-that-moved-to-another-line: it says its first line, whoever made it
[file a.py]
import sys
X = 1
if X:
    class C:
        class D:
            pass
def made():
    class Local:
        v = 8
    return Local
[run]
import a
def line(cls):
    return getattr(cls, "__firstlineno__", None)
def at(number):
    return number if sys.version_info >= (3, 13) else None
[sub a.py]
import sys => import sys\n\n
[expect]
line(a.C) == at(6) and line(a.C.D) == at(7) and line(a.made()) == at(10) and a.made().v == 8

# class-that-goes-to-another-module: it says its first line there, and the one it had where the edit fails
[file a.py]
X = 1
[file b.py]
Y = 1
class M:
    pass
[run]
import a, b, sys
M = b.M
def line(cls):
    return getattr(cls, "__firstlineno__", None)
def at(number):
    return number if sys.version_info >= (3, 13) else None
[edit b.py]
Y = 1
[edit a.py]
X = 1


class M:
    pass
1 / 0
[expect rolled back]
b.M is M and M.__module__ == "b" and line(M) == at(2)
[edit b.py]
Y = 1
[edit a.py]
X = 1


class M:
    pass
[expect]
a.M is M and M.__module__ == "a" and line(M) == at(4)

# what-a-flag-has-of-the-library: it stays the library's where a class has its own instead
[file a.py]
import enum
class E(enum.Flag):
    A = 1
    B = 2
class G(enum.Flag):
    A = 1
    B = 2
[run]
import a, enum
E = a.E
def of_the_library():
    made, either = enum.Flag._generate_next_value_, enum.Flag.__or__
    return [(one, one.__code__, one.__doc__, one.__qualname__) for one in (made, either)]
before = of_the_library()
[sub a.py]
class G(enum.Flag): => class G(enum.Flag):\n    def __or__(self, other):\n        return "either"
class E(enum.Flag) => class E(enum.Enum)
[expect]
of_the_library() == before
a.E is E and a.G.A | a.G.B == "either"
E._generate_next_value_.__doc__ == enum.Enum._generate_next_value_.__doc__

# call-through-another-name: code that calls an edited function by a name that another module gave it
[file m.py]
def f():
    return 1
[file m2.py]
import functools, m
h = m.f
cached = functools.cache(m.f)
class Q:
    g = staticmethod(m.f)
[file m3.py]
from m2 import h, cached, Q
X = h()
def later():
    return h()
def last():
    return Q.g() + cached()
[file m4.py]
import m3
Z = m3.later() + 1
W = m3.last()
[run]
import m, m2, m3, m4
[sub m.py]
return 1 => return 2
[expect]
m3.X == 2 and m3.later() == 2 and m3.last() == 4
m4.Z == 3 and m4.W == 4

# helpers-that-a-block-deletes: what they help to make is made again with them, and only in the branch that ran
[file a.py]
L = [5]
try:
    K = sum(L)
    _h = 2
    M = _h + sum(L)
    _g = sum(L)
    N = _g + 1
    del _h, _g
except ValueError:
    _i = 3
    P = _i + sum(L)
    del _i
[run]
import a
[sub a.py]
[5] => {1}
[expect]
(a.K, a.M, a.N) == (1, 3, 2)
not {"_h", "_g", "_i", "P"} & set(vars(a))

# defaults-that-are-called: where a statement runs again for a value, what it calls reads the new one too
[file a.py]
import functools
K = 5
def read(x):
    return K
@functools.cache
def f(x, y=read(6), *, z=K + 2):
    return x + y + z
def g(x, y=read(6), *, z=K + 2):
    return x + y + z
[run]
import a
[sub a.py]
K = 5 => K = 7
[expect]
a.f.__wrapped__.__defaults__ == a.g.__defaults__ == (7,)
a.f.__wrapped__.__kwdefaults__ == a.g.__kwdefaults__ == {"z": 9}
a.f(1) == a.g(1) == 17

# decorator-around-a-cache-is-gone: what it registered was the cache, not the function inside
[file a.py]
import functools
REG = {}
def add(function):
    REG[function.__qualname__] = function
    return function
@add
@functools.lru_cache(maxsize=None)
def f(x):
    return x
@add
def g(x):
    return x
[run]
import a
[edit a.py]
import functools
REG = {}
def add(function):
    REG[function.__qualname__] = function
    return function
@functools.lru_cache(maxsize=None)
def f(x):
    return x
def g(x):
    return x
[expect]
a.REG == {}

# blocks-in-a-block: a branch that did not run binds nothing, and the one beside it is made again all the same
[file a.py]
K = 1
try:
    if K < 5:
        X = K
    else:
        Y = K
    match K % 3:
        case 7 as rest:
            Z = K
        case _:
            Z = K
except ValueError:
    W = K
[run]
import a
[sub a.py]
K = 1 => K = 3
[expect]
(a.X, a.Z) == (3, 3)
not {"Y", "W", "rest"} & set(vars(a))

# default-of-an-edited-function: its text is what it was, and what it calls was edited in the same save
[file a.py]
class S:
    def __init__(self, n):
        self.n = n
    def get(self, x):
        return self.n + x
def f(x, y=S(7).get(5), *, z=0):
    return x + y + z
[run]
import a
[edit a.py]
class S:
    def __init__(self, n):
        self.n = n
    def get(self, x):
        return self.n + x + 1
def f(x: int, y=S(7).get(5), *, z=0):
    return x + y + z
[expect]
a.f.__defaults__ == (13,) and a.f.__annotations__ == {"x": int}

# bound-method-that-is-only-stored: nothing calls it when the statement runs, so that its new code is all that follows
[file a.py]
class Cart:
    def __init__(self, *parts):
        self.parts = list(parts)
    def total(self):
        return sum(self.parts)
    def count(self):
        return len(self.parts)
[file b.py]
from a import Cart as Basket
made = []
def make(x):
    made.append(x)
    return x
held = Basket(1).total
TABLE = {"total": Basket(2).total, "both": [Basket(3).count, (make, make(4))]}
ANSWER = Basket(5, 6).total()
[run]
import b
held, table = b.held, b.TABLE
held.__self__.parts.append(10)
[sub a.py]
sum(self.parts) => sum(self.parts) + 1000
return len => return 100 + len
[expect]
b.held is held and b.held() == 1011
b.TABLE is table and b.TABLE["total"]() == 1002 and b.TABLE["both"][0]() == 101 and b.made == [4]
b.ANSWER == 1011

# bound-method-of-what-a-value-went-into: it is bound again, to an instance that has the new value
[file a.py]
RATE = 2
class Cart:
    def __init__(self, rate):
        self.rate, self.parts = rate, [1]
    def total(self):
        return self.rate * sum(self.parts)
    @classmethod
    def empty(cls):
        return cls(RATE)
held = Cart(RATE).total
cart = Cart(7)
other = cart.total
make = Cart.empty
[run]
import a
other, cart = a.other, a.cart
[sub a.py]
RATE = 2 => RATE = 3
Cart(7) => Cart(8)
[expect]
a.held() == 3 and told("ran", "held")
a.cart is not cart and a.other.__self__ is a.cart and a.make().rate == 3

# generic-function-renamed-into-a-block: what it gives by itself stands in its table once
[file a.py]
import functools
N = 1
@functools.singledispatch
def f(x):
    return N
@f.register
def f_int(x: int):
    return x
[run]
import a
[edit a.py]
import functools
N = 1
try:
    K = 1
    @functools.singledispatch
    def g(x):
        return N
    @g.register
    def g_int(x: int):
        return x
except ValueError:
    pass
finally:
    K = 2
[expect]
a.g.registry[object] is a.g.__wrapped__
a.g.registry[int] is a.g_int
len(a.g.registry) == 2

# last-of-several-underscores-goes: the class's own is the one above
[file a.py]
import functools
class C:
    @functools.singledispatchmethod
    def m(self, x):
        return 1
    @m.register
    def _(self, x: int):
        return x + 3
[run]
import a
[sub a.py]
return x + 3 => return x + 3\n\t@functools.singledispatchmethod\n\tdef n(self, x):\n\t\treturn 2\n\t@n.register\n\tdef _(self, x: int):\n\t\treturn x + 2
[expect]
a.C._(0, 1) == 3
[sub a.py]
return x + 3\n\t@functools.singledispatchmethod\n\tdef n(self, x):\n\t\treturn 2\n\t@n.register\n\tdef _(self, x: int):\n\t\treturn x + 2 => return x + 3
[expect]
a.C._(0, 1) == 4
a.C().m(1) == 4
a.C.__dict__["m"].dispatcher.registry[int] is a.C._

# slots-class-that-moves-as-a-dataclass: it is another object
[file a.py]
class S:
    __slots__ = ("n", "__dict__", "__weakref__")
    LIMIT = 1
    def __init__(self, n):
        self.n = n
[file b.py]
from a import S
[run]
import b
[delete a.py]
[edit c.py]
from dataclasses import dataclass
@dataclass
class S:
    n: int
    size: int = 3
[edit b.py]
from c import S
[expect]
b.S is sys.modules["c"].S and b.S(1).size == 3

# class-in-a-block-under-an-edited-metaclass: what it made is made again
[file a.py]
N = 3
class M(type):
    def __new__(mcls, name, bases, namespace, **k):
        cls = super().__new__(mcls, name, bases, namespace, **k)
        cls.made = N + N
        return cls
try:
    K = N
    class C(metaclass=M):
        LIMIT = 3
except ValueError:
    pass
[run]
import a
[sub a.py]
N + N => N
[expect]
a.C.made == 3

# value-of-an-import-that-is-deleted-again: it follows by the name that it had meanwhile
[file a.py]
X = 1
Y = [1]
[file b.py]
from a import X as _x, Y as _y
import a as _a
H = _x + 5
T = H + 1
L = [*_y]
M = _a.X
def f(v=_x):
    return v
class C:
    n = _x
    def get(self, v=_x):
        return v
if _x:
    K = _x
del _x, _y, _a
Z = 1
[run]
import b
[sub a.py]
X = 1 => X = 2
[1] => [1, 2]
[expect]
(b.H, b.T, b.L, b.M, b.K) == (7, 8, [1, 2], 2, 2)
b.f() == 2 and b.C.n == 2 and b.C().get() == 2
not {"_x", "_y", "_a"} & set(vars(b))

# block-value-that-moves-down-and-is-carried-on: who imports it follows
[file a.py]
import typing
L = 7
if typing.TYPE_CHECKING:
    from decimal import Decimal as K
else:
    K = L
try:
    M = K
except ValueError:
    pass
D = {str(i): [i, K] for i in range(2)}
[file b.py]
from a import L, K, M, D
[run]
import b
[edit a.py]
import typing
L = 7
def make(n):
    return n
if typing.TYPE_CHECKING:
    from decimal import Decimal as K
else:
    K = L + L
try:
    M = K
except ValueError:
    pass
[edit b.py]
from a import L, K, M
[expect]
(b.K, b.M) == (14, 14)

# implementation-of-a-generic-method: a rollback takes it out of the table again
[file a.py]
import functools
class C:
    @functools.singledispatchmethod
    def m(self, x):
        return 1
    @m.register
    def _(self, x: int):
        return x + 3
[run]
import a
table = a.C.__dict__["m"].dispatcher.registry
before = dict(table)
[sub a.py]
x: int => x: str
class C => K = 1\nclass C
return x + 3 => return 2\nassert not C().m("a")
[expect rolled back]
dict(table) == before and a.C().m("a") == 1 and a.C().m(2) == 5
[sub a.py]
\nassert not C().m("a") =>
[expect]
a.C().m("a") == 2
a.C().m(2) == 1
set(table) == {object, str}
table[str] is a.C._

# definitions-made-with-a-value-that-is-deleted-again: they follow what it was made of
[file a.py]
N = 1
[file b.py]
from a import N
_h = N + 1
H = _h + 5
def f(v=_h):
    return v
class C:
    n = _h
    def get(self, v=_h):
        return v
if _h:
    K = _h
del _h
[run]
import b
f, C = b.f, b.C
[sub a.py]
N = 1 => N = 2
[expect]
(b.H, b.K, b.f(), b.C.n, b.C().get()) == (8, 3, 3, 3, 3)
b.f is f and b.C is C and not hasattr(b, "_h")

# edited-value-that-is-deleted-again: definitions in between follow it
[file b.py]
_h = 1
def f(v=_h):
    return v
class C:
    n = _h
    def get(self, v=_h):
        return v
def _g(x):
    return x
class D:
    m = _g(1)
del _h, _g
[run]
import b
[sub b.py]
_h = 1 => _h = 3
[expect]
(b.f(), b.C.n, b.C().get()) == (3, 3, 3)
not hasattr(b, "_h")
[sub b.py]
return x => return x + 1
[expect]
b.D.m == 2 and not hasattr(b, "_g")

# lambda-below-one-that-comes: the new one stands on the old one's line, and is not it
[file b.py]
K = (lambda v: v + 6)(3)
[run]
import b
[sub b.py]
K = (lambda => D = {"a": lambda x: x + 9}\nK = (lambda
[expect]
b.D["a"].__code__.co_firstlineno == 1

# method-of-a-class-that-is-made-again-goes: its entry in another module's registry too
[file a.py]
REG = {}
def add(f):
    REG[len(REG)] = f
    return f
[file b.py]
from dataclasses import dataclass
import a
class C:
    LIMIT = 1
    def __init__(self, n):
        self.n = n
    @a.add
    def m(self, x=1):
        return x
[run]
import b
[edit b.py]
from dataclasses import dataclass
import a
@dataclass
class C:
    n: int
    LIMIT = 1
[expect]
b.a.REG == {}

# block-whose-head-is-stale: what its definitions registered before goes, as for definitions of their own
[file a.py]
import functools
REG = {}
def add(f):
    REG[len(REG)] = f
    return f
@functools.lru_cache(maxsize=None)
def g(x, z=9):
    return x + z
if g(6) > 5:
    K = 5
    @add
    def f(x, y=g(9)):
        return x
else:
    K = 4
[run]
import a
[sub a.py]
z=9 => z=0
[expect]
len(a.REG) == 1 and a.f in a.REG.values() and a.f.__defaults__ == (9,)

# list-filled-by-a-loop-in-a-class-that-is-made-again: it is one value
[file a.py]
class B:
    def __init_subclass__(cls, **k):
        cls.code = 4
class C(B):
    LIMIT = 1
    at = []
    for _j in range(9):
        at.append(_j)
[run]
import a
[sub a.py]
range(9) => range(2)
[expect]
a.C.at == [0, 1]

# type-variable-that-leaves-a-block: the class that is made of it has the one that its name has
[file a.py]
import typing
T = typing.TypeVar("T")
class C(typing.Generic[T]):
    n = 1
[run]
import a
C = a.C
[edit a.py]
import typing
try:
    K = 1
    T = typing.TypeVar("T")
    class C(typing.Generic[T]):
        n = 1
except ImportError:
    pass
[expect]
a.C.__parameters__ == (a.T,) and a.C is C
[edit a.py]
import typing
T = typing.TypeVar("T")
class C(typing.Generic[T]):
    n = 1
[expect]
a.C.__parameters__ == (a.T,) and a.C is C

# cached-function-in-a-with-that-lost-a-statement: its annotations are those of the function inside
[file a.py]
import contextlib, functools
def deco(m=4):
    def outer(fn):
        @functools.wraps(fn)
        def wrapper(*a, **k):
            return fn(*a, **k) * m
        return wrapper
    return outer
with contextlib.suppress(KeyError):
    K = 1
    @deco(2)
    @functools.cache
    def f(x, y=K + K, *, z=0):
        return x + y + z
    L = 2
[run]
import a
[sub a.py]
\n\tL = 2 => 
[expect]
a.f.__annotations__ is a.f.__wrapped__.__annotations__
a.f.__annotations__ is a.f.__wrapped__.__wrapped__.__annotations__ is vars(a.f)["__annotations__"]

# list-that-the-program-filled-in-a-class-that-is-made-again: it stays, and is named
[file a.py]
class B:
    def __init_subclass__(cls, **k):
        cls.code = 4
class C(B):
    LIMIT = 1
    at = []
    for _j in range(3):
        at.append(_j)
[run]
import a
at = a.C.at
at.append(9)
[sub a.py]
range(3) => range(2)
[expect]
a.C.at is at == [0, 1, 2, 9] and told("a.C.at", "stays")

# type-variable-that-is-made-again: a generic class that nobody edited has the new one
[file a.py]
import typing
T = typing.TypeVar("T")
[file b.py]
import typing
from a import T
class C(typing.Generic[T]):
    n = 1
    def get(self, x: T) -> T:
        return x
class D(C[T]):
    pass
[run]
import a, b
C, D = b.C, b.D
one = C()
[sub a.py]
"T") => "T", bound=int)
[expect]
b.C is C and b.D is D and isinstance(one, b.C)
b.T is a.T and C.__parameters__ == (a.T,) and D.__parameters__ == (a.T,) and C.get.__annotations__ == {"x": a.T, "return": a.T}

# generic-function-in-a-block-that-runs-again-as-a-whole: what it gives by itself is one function
[file b.py]
N = 2
[file a.py]
import functools
from b import N
try:
    K = N
    @functools.singledispatch
    def g(x):
        return N
    @g.register
    def g_int(x: int):
        return x
    @g.register
    def g_str(x: str, y=N):
        return x
except ValueError:
    pass
finally:
    K = 3
[run]
import a
g, g_int = a.g, a.g_int
[sub b.py]
N = 2 => N = 3
[expect]
a.g is g and a.g_int is g_int
a.g.registry[object] is a.g.__wrapped__
a.g.registry[int] is a.g_int
a.g.dispatch(int) is a.g_int and a.g.dispatch(float) is a.g.__wrapped__
len(a.g.registry) == 3 and a.g(1.0) == 3 and a.g(4) == 4 and a.g.registry[str].__defaults__ == (3,)

# function-in-a-block-that-was-added-and-asked-again: it is on its line after the next edit too
[file b.py]
K = 8
[file a.py]
import contextlib
from b import K
class C:
    size = K
def h(x, y=K + K):
    return x
[run]
import a
[edit b.py]
K = 1
[edit a.py]
import contextlib
from b import K
class C:
    size = K
with contextlib.suppress(KeyError):
    h = K
    def f(x, y=K, *, z=abs(7)):
        return x + y + z + K
[expect]
a.f.__code__.co_firstlineno == 7
[sub a.py]
import contextlib => import contextlib\nimport re
[expect]
a.f.__code__.co_firstlineno == 8

# import-line-that-loses-a-name: those that it keeps follow their values
[file a.py]
K, D = 1, 2
[file b.py]
from a import K, D
[run]
import b
[edit a.py]
K = 2
[edit b.py]
from a import K
[expect]
b.K == 2

# name-that-a-class-body-binds-further-down: a statement above reads the module's, after edits of other members too
[file a.py]
x = 1
class C:
    a = x
    x = 2
    def f(self):
        return 1
    b = x
[run]
import a
[sub a.py]
        return 1 =>         y = 1\n        return y
[expect]
[sub a.py]
x = 1 => x = 3
[expect]
(a.C.a, a.C.x, a.C.b) == (3, 2, 2)

# copy-of-a-value-that-the-program-replaced-at-home: it holds what the statement made, and follows when that is edited
[file a.py]
K = 5
NAMES = ("x",)
[file b.py]
from a import K, NAMES
[file c.py]
from a import *
[run]
import a, b, c
a.K, a.NAMES = 28, ("y",)
[sub a.py]
K = 5 => K = 1
"x" => "z"
[expect]
(a.K, b.K, c.K) == (1, 1, 1)
a.NAMES == b.NAMES == c.NAMES == ("z",)

# special-methods-that-nothing-names: of what is unpacked, spread, asked for its truth or given an item
[file a.py]
class Pt:
    def __iter__(self):
        return iter((1, 2))
    def __bool__(self):
        return True
    def __setitem__(self, key, value):
        self.key = value
PT = Pt()
def unpacked():
    a, b = PT
    return a, b
def asked():
    if PT:
        return "yes"
    return "no"
def spread():
    return [*PT]
def filled():
    PT[0] = 1
    return PT.key
U = unpacked()
A = asked()
S = (*spread(),)
F = filled()
X, Y = PT
[run]
import a
[sub a.py]
iter((1, 2)) => iter((7, 2))
return True => return False
self.key = value => self.key = value + 1
[expect]
(a.U, a.A, a.S, a.F, a.X) == ((7, 2), "no", (7, 2), 2, 7)

# item-of-what-a-call-gave: it is an object of its own, and acts as the new one for whoever holds it
[file a.py]
def build(n):
    def give():
        return n
    return give, {"n": n}
fn = build(1)[0]
LIT = {"a": {"x": 1}}["a"]
[run]
import a
fn, lit = a.fn, a.LIT
[sub a.py]
fn = build(1) => fn = build(2)
"x": 1 => "x": 2
[expect]
fn() == 2 and a.fn is fn and a.LIT == {"x": 2}

# class-under-a-base-that-gets-its-hook-in-the-same-save: it registers itself where it stands
[file a.py]
REG = []
class Base:
    pass
class Last(Base):
    pass
REG.append(Last)
[run]
import a
Last = a.Last
[edit a.py]
REG = []
class Base:
    def __init_subclass__(cls):
        REG.append(cls)
class First(Base):
    pass
class Last(Base):
    pass
REG.append(Last)
[expect]
a.Last is Last and a.REG[0] is a.First and Last in a.REG

# class-between-others-under-a-plain-base: a registry of the program stays as it is
[file a.py]
class A(Exception):
    pass
class C(Exception):
    pass
KNOWN = [A, C]
[run]
import a
known = a.KNOWN
[sub a.py]
class C(Exc => class B(Exception):\n\tpass\nclass C(Exc
[expect]
a.KNOWN is known == [a.A, a.C] and issubclass(a.B, Exception)

# closures-that-keep-their-old-code: each is named once, with the places that hold it
[file a.py]
def make(a, b):
    def inner():
        return a
    return inner
one, two = make(1, 2), make(3, 4)
HELD = [make(5, 6)]
[file b.py]
from a import two as other
[run]
import a, b
[sub a.py]
return a\n => return a, b\n
[expect]
told("a.make.inner", "keeps its old code", "it is a.one") and told("keeps its old code", "it is a.two; it is b.other")
[note.count("it is") for note in report.notes if "keeps its old code" in note] == [1, 2, 0]

# values-that-ask-for-all-names-by-way-of-others: what they gave is told from what the program did to them
[file a.py]
K = 1
NAMES = sorted(n for n in globals() if n.isupper())
SIZES = [len(each) for each in map(vars, [dict])]
OWN = [__name__, K]
TOUCHED = [K]
[run]
import a
held = a.NAMES, a.OWN
a.TOUCHED.append(5)
[sub a.py]
K = 1 => K = 2
[expect]
a.NAMES == ["K"] and a.OWN == ["a", 2] and a.TOUCHED == [1, 5]
[sub a.py]
OWN = [__name__, K] => OWN = [__name__, K, 3]
[expect]
(a.NAMES, a.OWN) == held and a.OWN == ["a", 2, 3]

# folders-that-get-their-inits-in-one-save: each goes on as a package with a file
[file p/m.py]
X = 1
[file q/m.py]
X = 2
[file q/r/m.py]
X = 3
[run]
import p.m, q.m, q.r.m
held = p, q, q.r
[edit p/__init__.py]
Y = 1
[edit q/__init__.py]
Y = 2
[edit q/r/__init__.py]
[edit r/__init__.py]
Y = 4
[expect]
(p, q, q.r) == held and (p.Y, q.Y) == (1, 2) and [one.__file__ for one in held] == list(map(path, ("p/__init__.py", "q/__init__.py", "q/r/__init__.py")))

# side-effect-whose-name-is-deleted: what follows by another value keeps what it was given, and it does not run again
[file a.py]
X = 1
[file b.py]
from a import X
N = []
def reg(s):
    N.append(s)
    return s
_t = reg("t")
_n = _t + "n"
def f(a=_t, b=X):
    return a, b
def g(a=_n, *, b=X):
    return a, b
def h(a=(_n, X)):
    return a
class K:
    t = _t
    v = X
    w = (_t, X)
    def get(self, a=_t, b=X):
        return a, b
del _t, _n
[run]
import b
[sub a.py]
X = 1 => X = 2
[expect]
b.N == ["t"] and not {"_t", "_n"} & set(vars(b))
(b.f(), b.g(), b.h()) == (("t", 2), ("tn", 2), ("tn", 1))
(b.K.t, b.K.v, b.K.w, b.K().get()) == ("t", 2, ("t", 1), ("t", 2))
told("kept `h`") and told("kept `K.w`") and not told("K.t")

# side-effect-that-follows-and-whose-name-is-deleted: it runs once for all that use it
[file a.py]
X = 1
[file b.py]
from a import X
N = []
def reg(s):
    N.append(s)
    return [s]
_t = reg(X)
def f(a=_t, b=X):
    return a, b
def g(a=_t):
    return a
class K:
    t = (_t[0], X)
W = _t[0] + X
del _t
[run]
import b
[sub a.py]
X = 1 => X = 2
[expect]
b.N == [1, 2] and not hasattr(b, "_t")
b.f() == ([2], 2) and b.g() == [2] and b.f()[0] is b.g()
b.K.t == (2, 2) and b.W == 4

# side-effect-whose-name-is-deleted-under-what-is-made-whole: that stays, and it is told
[file a.py]
X = 1
[file b.py]
import dataclasses
from a import X
N = []
def reg(s):
    N.append(s)
    return s
def mark(*args):
    return lambda f: f
_t = reg("t")
@dataclasses.dataclass
class K:
    t: str = _t
    v: int = X
@mark(_t, X)
def f(a: _t = 1, b=X):
    return b
del _t
[run]
import b
[sub a.py]
X = 1 => X = 2
[expect]
b.K().t == "t" and not hasattr(b, "_t")
told("kept `K`") and told("kept `f`") and b.N == ["t"]

# items-that-are-deleted: what they are deleted of is made again with them
[file a.py]
X = 1
[file b.py]
import types
from a import X
D = {"a": X, "b": 2}
del D["b"]
L = [X, 5, 6]
del L[1:]
E = dict(a=X, zz=1)
for k in list(E):
    if k == "zz":
        del E[k]
S = types.SimpleNamespace(a=X, b=2)
del S.b
class K:
    d = {"a": X, "b": 2}
    del d["b"]
[run]
import b
D, L, E, d = b.D, b.L, b.E, b.K.d
[sub a.py]
X = 1 => X = 9
[expect]
D == {"a": 9} and L == [9] and E == {"a": 9} and d == {"a": 9}
b.D is D and b.L is L and b.E is E and b.K.d is d
told("kept `S`") and vars(b.S) == {"a": 1}

# row-that-the-program-filled: of what a table was given only the definition goes that is gone
[file m.py]
ROUTES = {"api": {"prefix": "/api"}, "web": {"prefix": "/"}}
def route(group, method):
    def put(f):
        ROUTES[group][method] = f
        return f
    return put
@route("api", "GET")
def get(): return 1
@route("api", "POST")
def post(): return 2
[run]
import m
[sub m.py]
@route("api", "GET") => @route("web", "GET")
[expect]
m.ROUTES == {"api": {"prefix": "/api", "POST": m.post}, "web": {"prefix": "/", "GET": m.get}}
[sub m.py]
@route("web", "GET") => @route("web", "PUT")
[expect]
m.ROUTES == {"api": {"prefix": "/api", "POST": m.post}, "web": {"prefix": "/", "PUT": m.get}}
[sub m.py]
@route("api", "POST")\ndef post(): return 2 =>
[expect]
m.ROUTES == {"api": {"prefix": "/api"}, "web": {"prefix": "/", "PUT": m.get}}

# row-that-is-state: what the program put beside a function stays when the function goes
[file m.py]
SESSIONS, JOBS, COUNTS = {}, [], {}
def login(name):
    SESSIONS[name] = {"user": name, "score": 0, "then": on_done}
    JOBS.append(["job", name, on_done])
def count(f):
    COUNTS.setdefault("n", {"calls": 0})[f.__name__] = f
    return f
def on_done(): return 1
@count
def f(): return 1
[run]
import m
m.login("bob")
m.SESSIONS["bob"]["score"] = 42
m.COUNTS["n"]["calls"] = 7
[sub m.py]
on_done => finished
@count\ndef f(): return 1\n =>
[expect]
m.SESSIONS == {"bob": {"user": "bob", "score": 42}} and m.JOBS == [["job", "bob"]]
m.COUNTS == {"n": {"calls": 7}}

# row-that-the-table-was-made-with: a definition that is put into it leaves it as it was; one that came with it goes
[file m.py]
ROUTES = {"/a": {"methods": ["GET"]}}
def route(path):
    def put(f):
        ROUTES.setdefault(path, {"methods": [], "fn": f})["fn"] = f
        return f
    return put
@route("/a")
def a(): return 1
@route("/b")
def b(): return 2
[run]
import m
[sub m.py]
@route("/a")\ndef a(): return 1\n@route("/b")\ndef b(): return 2\n =>
[expect]
m.ROUTES == {"/a": {"methods": ["GET"]}}

# rows-that-one-reaches-no-more: with the import of what registers them, with their file, by a class that gives its base
[file hub.py]
class App:
    def __init__(self): self.jobs = []
    def job(self, every):
        def put(fn):
            self.add(every, fn)
            return fn
        return put
    def add(self, every, fn):
        self.jobs.append(dict(every=every, fn=fn))
app = App()
PLUGINS = []
class Plugin:
    def __init_subclass__(cls):
        PLUGINS.append([cls.__name__, cls])
[file m.py]
from hub import app, Plugin
@app.job(1)
def a(): return 1
class P(Plugin): pass
[file n.py]
from hub import app
@app.job(2)
def b(): return 2
[run]
import hub, m, n
[sub m.py]
from hub import app, Plugin\n@app.job(1)\ndef a(): return 1\nclass P(Plugin): pass => pass
[expect]
hub.app.jobs == [{"every": 2, "fn": n.b}] and hub.PLUGINS == []
[delete n.py]
[expect]
hub.app.jobs == []

# list-of-an-event-that-lost-its-handler: it is the same one for the next
[file reg.py]
HANDLERS = {}
def event(name): HANDLERS[name] = []
def on(name):
    def put(f):
        HANDLERS[name].append(f)
        return f
    return put
[file events.py]
import reg
reg.event("click")
[file app.py]
import events, reg
@reg.on("click")
def f(): return 1
[run]
import reg, app
held = reg.HANDLERS["click"]
[sub app.py]
@reg.on("click")\ndef f(): return 1\n => pass
[expect]
reg.HANDLERS == {"click": []} and reg.HANDLERS["click"] is held
[sub app.py]
pass => @reg.on("click")\ndef g(): return 2
[expect]
held == [app.g] and reg.HANDLERS["click"] is held

# class-in-the-place-of-a-call-that-made-one: the statement before had no decorators to take away when it is made again
[file a.py]
import collections, typing
import b
C = collections.namedtuple("C", "x y")
made = C(1, 2)
[file b.py]
import a
T = int
[run]
import a
[sub a.py]
C = collections.namedtuple("C", "x y") => class C(typing.NamedTuple):\n\tx: b.T\n\ty: int
[sub b.py]
T = int => T = str
[expect]
a.C(3, 4).y == 4 and a.C.__annotations__ == {"x": str, "y": int} and a.made == (1, 2)

# match-in-a-block: a capture of a case that is not taken any more goes
[file a.py]
K = 1
match K % 3:
    case 0:
        L = K
    case 1 as rest:
        L = K
[run]
import a
[edit a.py]
K = 1
try:
    M = K
    match K % 3:
        case 0:
            L = K
        case 1 as rest:
            L = K
        case _:
            L = K + 4
except ValueError:
    pass
[expect]
a.rest == 1
[sub a.py]
K = 1 => K = 6
[expect]
a.L == 6 and not hasattr(a, "rest")

# class-whose-new-base-has-no-metaclass: it is of its bases' kind
[file a.py]
import abc
class A(metaclass=abc.ABCMeta):
    def get(self, x): return 1
f = lambda x: x + 9
class B:
    LIMIT = f(6)
class C(A):
    LIMIT = 9
[run]
import a
C = a.C
[sub a.py]
x + 9 => x + A().get(2)
class C(A) => class C(B)
[expect]
type(a.C) is type and not hasattr(a.C, "__abstractmethods__")

# attribute-that-a-module-makes: what reads it follows, by a name, a helper, a function or an item
[file a.py]
def f(x):
    return x + 6
K = f(4)
def __getattr__(name):
    if name == "dyn":
        return K
    raise AttributeError(name)
[file c.py]
import a as m
_h = m.dyn
L = _h + 1
del _h
M = m.dyn
T = (m.dyn + 1,)
def get(x):
    return x + m.dyn
def other(x):
    return x + m.f(x)
N = get(1)
[run]
import a, c
[sub a.py]
K = f(4) => K = 8
[expect]
(c.L, c.M, c.T, c.N) == (9, 8, (9,), 9)

# attribute-that-a-module-makes-by-its-own-edit: what reads it follows, also in a package
[file a/__init__.py]
def __getattr__(name):
    if name == "dyn":
        return 8
    raise AttributeError(name)
[file c.py]
import contextlib
import a as m
import a
with contextlib.suppress(KeyError):
    K = m.dyn + m.dyn
L = a.dyn
[run]
import a, c
[sub a/__init__.py]
return 8 => return 5
[expect]
c.K == 10 and c.L == 5

# cycle-function-that-reads-a-class-attribute: a statement below that ran first runs again
[file a.py]
class C:
    LIMIT = 6
import b
[file b.py]
from a import C
def f(x):
    return x + C.LIMIT
O = 5
L = f(8) + O
[run]
import a, b
[sub a.py]
LIMIT = 6 => LIMIT = 8
[sub b.py]
O = 5 => O = 7
[expect]
b.L == 23

# cycle-function-that-reads-a-constant: a statement below that ran first runs again
[file a.py]
K = 6
import b
[file b.py]
from a import K
def f(x):
    return x + K
O = 5
L = f(8) + O
[run]
import a, b
[sub a.py]
K = 6 => K = 8
[sub b.py]
O = 5 => O = 7
[expect]
b.L == 23

# cycle-in-which-a-name-is-new: it is there for a statement of the module that is taken first
[file a.py]
try:
    import json
except ImportError:
    K = 1
else:
    K = 2
import b
[file b.py]
import a as m
class C:
    LIMIT = m.K
[run]
import a, b
[sub a.py]
K = => L =
[sub b.py]
m.K => m.L
[expect]
b.C.LIMIT == 2

# loop-in-a-class: its name is that of the loop above when the one below goes
[file b.py]
def deco(cls):
    cls.tag = 8
    return cls
def f(x): return 6
K = f(3)
[file a.py]
from b import deco, f, K
@deco
class C:
    LIMIT = K
    def get(self, x):
        return x + K
    one = []
    for i in range(2):
        one.append(i + K)
[run]
import a
[edit a.py]
from b import *
@deco
class C:
    LIMIT = K
    def get(self, x):
        return x + K
    one = []
    for i in range(2):
        one.append(i + K)
    two = []
    for i in range(4):
        two.append(i + K + K)
[expect]
a.C.i == 3
[edit a.py]
from b import *
@deco
class C:
    LIMIT = K
    def get(self, x):
        return x + K
    one = []
    for i in range(2):
        one.append(i + K)
[expect]
a.C.i == 1 and not hasattr(a.C, "two")

# decorator-that-moves-into-a-block: what it has made is on the new lines
[file a.py]
import contextlib
def deco(fn):
    def wrapper(*a, **k):
        return fn(*a, **k) + 5
    return wrapper
@deco
@deco
def f(x, y=9):
    return x + y
[run]
import a
f = a.f
[edit a.py]
import contextlib
with contextlib.suppress(ValueError):
    K = 1
    def deco(fn):
        def wrapper(*a, **k):
            return fn(*a, **k) + 6
        return wrapper
@deco
@deco
def f(x, y=9):
    return x + y
[expect]
a.f is f and f(1) == 22
(f.__code__.co_firstlineno, f.__closure__[0].cell_contents.__code__.co_firstlineno) == (5, 5)

# value-in-two-parts-of-a-block: the last part has the say where what the first one calls was edited
[file a.py]
K = 4
def f(x):
    return x + K
try:
    V = f(6)
    def g(x): return x
finally:
    V = K
[run]
import a
[edit a.py]
K = 4
def f(x):
    def inner(y):
        return y + x + K
    return inner(K)
try:
    V = f(6)
    def h(x): return x
finally:
    V = K
[expect]
a.V == 4
[edit a.py]
K = 4
def f(x):
    def inner(y):
        return y + x + K
    return inner(K)
try:
    V = f(6)
    def h(x): return x + 1
finally:
    V = K
    W = f(1)
[expect]
a.V == 4

# value-of-a-try-with-an-import: what is in the branch that did not run has no say
[file a.py]
import types
O = types.SimpleNamespace(n=5, get=abs)
try:
    import json
except ImportError:
    K = O.get(7)
else:
    K = 5
[run]
import a
[sub a.py]
n=5 => n=7
[expect]
a.K == 5

# lambda-default-that-follows: a value below that is made by a call of it in a try follows
[file a.py]
K = 4
class C:
    LIMIT = K
[file c.py]
from a import C, K
class Err(Exception):
    pass
try:
    raise Err(K)
except Err as _e:
    L = _e.args[0] + K + 2
f = lambda x, y=C.LIMIT: x + y + K
try:
    raise Err(f(5))
except Err as _e:
    M = _e.args[0] + (K if L > 8 else 2)
[run]
import a, c
[sub a.py]
K = 4 => K = 8
[expect]
c.M == 29

# module-that-goes-and-comes-back-edited: methods of a class are of the file that is back
[file a.py]
def f(x): return 3
class C:
    LIMIT = 8
[file b.py]
from a import f, C
class S:
    LIMIT = f(5)
    def get(self, x):
        return x + 7
class T:
    def get(self, x):
        return x + S.LIMIT
[file c.py]
from b import C, T
[run]
import a, b, c
[delete b.py]
[edit b2.py]
from a import f, C
class S:
    LIMIT = f(5)
    def get(self, x):
        return x + 7
class T:
    def get(self, x):
        return x + S.LIMIT
[sub c.py]
from b => from b2
[expect]
c.T.__module__ == "b2"
[delete b2.py]
[edit b.py]
from a import f, C
class S:
    LIMIT = f(5)
    def get(self, x):
        return x + 2
class T:
    def get(self, x):
        return x + S.LIMIT
[sub c.py]
from b2 => from b
[expect]
b.S().get(0) == 2 and c.T is b.T
sys.modules["b"] is b

# name-that-a-star-import-of-a-circle-brings-too-early: it is named where the name came
[file a.py]
K = 1
import b as m
[file b.py]
from a import *
[run]
import a, b
[sub a.py]
import b as m => import b as m\nT = f"y{K}"
[expect]
b.T == "y1" and told("b:", "would not bring", "`T`")

# block-that-set-an-attribute-and-is-another-kind-of-block: the report names what has it
[file a.py]
import types
O = types.SimpleNamespace(n=9)
[file b.py]
import a as m
K = 6
if K > 2:
    L = 1
    m.O.extra = K
else:
    L = K
[run]
import a, b
[edit b.py]
import a as m
K = 6
try:
    L = K
except ValueError:
    pass
[expect]
b.L == 6 and told("a.O", "stays")

# definition-that-a-star-hid-and-a-future-line: it has its name again when both go
[file a.py]
def wait(): return 1
K = 1
[file b.py]
def wait(): return 2
from a import K
[run]
import a, b
[edit b.py]
from __future__ import annotations
def wait(): return 2
from a import *
[expect]
b.wait() == 1
[edit b.py]
def wait(): return 2
from a import K
[expect]
b.wait() == 2 and b.wait is not a.wait and a.wait() == 1

# names-that-a-star-brings-and-an-import-below-too: a list of the names between them has both
[file a.py]
K = 0
def back(x):
    return x
[file b.py]
from a import K
__all__ = sorted(n for n in globals() if not n.startswith('_'))
from a import back
[run]
import a, b
[sub b.py]
import K => import *
[expect]
b.__all__ == ["K", "back"]
[sub a.py]
K = 0 => K = 0\nL = 1
[expect]
b.__all__ == ["K", "L", "back"]

# class-in-a-block: its first line is right
[file b.py]
import contextlib
with contextlib.suppress(KeyError):
    K = 6
    def f(x):
        return x
    class C:
        "B."
        LIMIT = 5
        def get(self, x):
            return x
[run]
import b
C = b.C
[sub b.py]
def f(x): => def f(x):\n\t\t"One."
[expect]
C is b.C
vars(C).get("__firstlineno__", 7) == 7 and C.get.__code__.co_firstlineno == 10

# cache-around-an-object-whose-call-was-edited: what a partial of it gave follows
[file a.py]
import functools
class Deco:
    def __init__(self, fn):
        functools.update_wrapper(self, fn)
        self.fn = fn
    def __call__(self, *a, **k):
        return self.fn(*a, **k) + 7
@functools.cache
@Deco
def f(x, y=3):
    return x + y
g = functools.partial(f)
M = f(4)
[file b.py]
import a as m
L = [m.g(4), 9]
K = m.g(4)
[run]
import a, b
[sub a.py]
+ 7 => + 6
[expect]
a.M == 13 and b.K == 13 and told("b.L", "kept")

# cycle-value-in-a-handler: it follows a class attribute that is brought up to date after it
[file a.py]
class S:
    LIMIT = 8
def back(x):
    return x + m.K
import b as m
[file b.py]
import a as m
try:
    import surely_missing
except ImportError:
    K = m.S(4).get(3) if 0 else 3
else:
    K = 5
[run]
import a, b
[sub a.py]
LIMIT = 8 => LIMIT = 1
[sub b.py]
K = m.S(4).get(3) if 0 else 3 => K = m.S.LIMIT
[expect]
b.K == 1

# cycle-value-that-is-edited-with-what-it-reads: it follows a class attribute that is brought up to date after it
[file a.py]
class S:
    LIMIT = 8
def back(x):
    return x + m.K
import b as m
[file b.py]
import a as m
K = 3
[run]
import a, b
[sub a.py]
LIMIT = 8 => LIMIT = 1
[sub b.py]
K = 3 => K = m.S.LIMIT
[expect]
b.K == 1

# setter-for-which-a-property-made-by-hand-comes: that one keeps its own
[file a.py]
class A:
    @property
    def x(self): return 1
    @x.setter
    def x(self, v): self.y = v
[run]
import a
it = a.A()
[edit a.py]
class A:
    def get(self): return 2
    def put(self, v): self.z = v
    x = property(get, put)
[expect]
a.A.x.fset is a.A.put and it.x == 2
[edit a.py]
class A:
    @property
    def x(self): return 1
    @x.deleter
    def x(self): pass
[expect]
a.A.x.fset is None and a.A.x.fdel is not None and it.x == 1

# name-of-a-handler-that-its-block-binds-too: the block makes its value
[file a.py]
def compute(): return 1
e = 0
try:
    e = compute()
except ValueError as e:
    pass
[run]
import a
[sub a.py]
return 1 => return 2
[expect]
a.e == 2
[sub a.py]
e = 0 => e = 5
[expect]
a.e == 2

# class-of-a-branch-with-an-attribute-that-compares-in-its-own-way: nobody asks it
[file a.py]
import sys
class Asked:
    __hash__ = None
    def __eq__(self, other): raise RuntimeError("asked")
if sys.platform == "none":
    class A:
        n = 1
else:
    class A:
        n = 2
[run]
import a
a.A.n = n = a.Asked()
A = a.A
[sub a.py]
"none" => "nowhere"
n = 2 => n = 2\n        m = 3
[expect]
a.A is A and A.m == 3

# cached-function-that-calls-itself-in-a-class: the cache and the function lead to one another
[file a.py]
import functools
def step(): return 1
def make():
    @functools.lru_cache(maxsize=None)
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2) * step()
    return fib
class A:
    fib = make()
A.made = functools.lru_cache(A)
[run]
import a
assert a.A.fib(10) == 55
fib = a.A.fib
[sub a.py]
return 1 => return 2
[expect]
a.A.fib is fib and fib(10) == 341
[sub a.py]
+ fib(n - 2) => - fib(n - 2)
[expect]
a.A.fib is fib and fib(5) == -1

# closures-that-call-one-another-in-a-class: they are made to act as the new ones once each
[file a.py]
K = 1
def make(k):
    def even(n): return k if n == 0 else odd(n - 1)
    def odd(n): return -k if n == 0 else even(n - 1)
    return even
class A:
    even = staticmethod(make(K))
[run]
import a
even = a.A.even
[sub a.py]
K = 1 => K = 2
[expect]
a.A.even(2) == 2 and a.A.even(3) == -2 and even(2) == 2 and even(3) == -2
[sub a.py]
K = 2 => K = 3\nL = 1 / 0
[expect rolled back]
a.A.even(2) == 2 and even(3) == -2

# two-modules-that-import-one-another-and-ask-what-the-other-has: neither chases the other
[file a.py]
import b
[file b.py]
import a
[run]
import a, b
[edit a.py]
import b
X = b.Y + 1 if hasattr(b, "Y") else 1
[edit b.py]
import a
Y = a.X + 1 if hasattr(a, "X") else 0
[expect]
(a.X, b.Y) == (1, 0)

# asking-a-module-that-is-imported-first-for-what-it-has-only-later: the report says what a start would not have
[file a.py]
import b
X = b.Y + 1
[file b.py]
import a
Y = 0
[run]
import a, b
[edit b.py]
import a
Y = getattr(a, "X", 5)
[expect]
(a.X, b.Y) == (2, 1)
told("b:2 asks for `a.X`; a start that imports a first would not have it yet")

# member-that-comes-into-the-middle-of-a-class: the class shows it there, and where it stood after a rollback
[file a.py]
def shown(cls):
    return [name for name in vars(cls) if not name.startswith("__")]
class C:
    x = 1
    def f(self):
        return 1
    def h(self):
        return 3
    __z = 5
[run]
import a
C = a.C
[sub a.py]
    def h(self): => 'Said.'\n    def g(self):\n        return 2\n    def h(self):
[expect]
a.C is C and a.shown(C) == ["x", "f", "g", "h", "_C__z"] and C().g() == 2
[sub a.py]
    x = 1 => y: int = 0\n    x = 1
[expect]
a.shown(C) == ["y", "x", "f", "g", "h", "_C__z"] and list(vars(C))[-1] == "__doc__"
[sub a.py]
    x = 1 => 
[expect]
a.shown(C) == ["y", "f", "g", "h", "_C__z"]
[sub a.py]
    def f( => w = 7\n    x = 1\n    1 / 0\n    def f(
[expect rolled back]
a.shown(C) == ["y", "f", "g", "h", "_C__z"] and C.y == 0

# members-of-a-decorated-class-that-come-or-change-places: its decorator sees them where they stand
[file a.py]
def fields(cls):
    cls.names = [name for name, held in vars(cls).items() if callable(held)]
    return cls
@fields
class C:
    def f(self): pass
    def h(self): pass
[run]
import a
C = a.C
[sub a.py]
    def h( => def g(self): pass\n    def h(
[expect]
a.C is C and C.names == ["f", "g", "h"] and [n for n in vars(C) if n in C.names] == ["f", "g", "h"]
[edit a.py]
def fields(cls):
    cls.names = [name for name, held in vars(cls).items() if callable(held)]
    return cls
@fields
class C:
    def h(self): pass
    def f(self): pass
[expect]
a.C is C and C.names == ["h", "f"] and [n for n in vars(C) if n in C.names] == ["h", "f"]

# value-of-a-function-that-comes-to-a-registry-by-itself: the report says that it stays
[file a.py]
COMMANDS = {}
def command(f):
    COMMANDS[f.__name__] = f
    return f
def render():
    return names()
def names():
    return sorted(COMMANDS)
@command
def f(): pass
HELP = render()
[file b.py]
import a
@a.command
def g(): pass
[file c.py]
import a, b
TEXT = ", ".join(a.names())
[run]
import a, b, c
[sub b.py]
def g(): pass => def g(): pass\n@a.command\ndef h(): pass
[expect]
sorted(a.COMMANDS) == ["f", "g", "h"] and c.TEXT == "f, g"
told("c:2 `TEXT` stays as it is; what it was made from is not: `COMMANDS`")
[sub a.py]
HELP = => @command\ndef i(): pass\nHELP =
[expect]
a.HELP == ["f"]
told("`HELP` stays as it is; what it was made from is not: `COMMANDS`")

# value-in-the-body-of-a-class-that-was-computed-from-a-registry: it follows
[file a.py]
COMMANDS = {}
def command(f):
    COMMANDS[f.__name__] = f
    return f
@command
def f(): pass
class Help:
    names = sorted(COMMANDS)
    seen = []
    def text(self):
        return " ".join(self.names)
[file b.py]
import a
class Shown:
    count = len(a.COMMANDS)
[run]
import a, b
Help, helped = a.Help, a.Help()
a.Help.seen.append(1)
[sub a.py]
class Help: => @command\ndef g(): pass\nclass Help:
[expect]
a.Help is Help and helped.text() == "f g" and Help.seen == [1] and b.Shown.count == 2

# table-of-the-names-of-a-module: what comes into the middle stands there, goes again, and a rollback leaves all in place
[file a.py]
def cmd_a(): pass
def cmd_c(): pass
TABLE = {n: f for n, f in globals().items() if n.startswith("cmd_")}
LIST = [n for n in list(globals()) if n.startswith("cmd_")]
def cmd_z(): pass
def every():
    return [n for n in globals() if n.startswith("cmd_")]
[run]
import a
TABLE = a.TABLE
[sub a.py]
def cmd_c => def cmd_b(): pass\ndef cmd_c
[expect]
a.TABLE is TABLE and list(TABLE) == a.LIST == ["cmd_a", "cmd_b", "cmd_c"] and a.every() == [*a.LIST, "cmd_z"]
[sub a.py]
def every(): => def cmd_y(): pass\n1 / 0\ndef every():
[expect rolled back]
a.TABLE is TABLE and list(TABLE) == a.LIST == ["cmd_a", "cmd_b", "cmd_c"] and a.every() == [*a.LIST, "cmd_z"]
[sub a.py]
def cmd_y(): pass\n1 / 0\n => 
def cmd_b(): pass\n => 
[expect]
a.TABLE is TABLE and list(TABLE) == a.LIST == ["cmd_a", "cmd_c"] and a.every() == [*a.LIST, "cmd_z"]

# value-that-several-statements-make-of-a-module-of-the-cycle: a name that came there is waited for
[file a.py]
L1 = {8}
def back(x):
    return x + sum(b.D.values())
import b
[file b.py]
import a
D = {"a": sum(a.L1)}
D |= {"b": 6}
[run]
import a, b
D = b.D
[sub a.py]
L1 => L17
[sub b.py]
a.L1 => a.L17
[expect]
b.D is D == {"a": 8, "b": 6} and a.back(1) == 15 and not hasattr(a, "L1")
"""


@pytest.mark.parametrize("case", table(FOUND))
def test_an_edit_that_once_went_wrong_does_not(case: Case, tmp_path: Path) -> None:
    play(case, tmp_path)


NEW_SYNTAX = r"""
# generic-class-whose-parameter-is-edited: its unedited methods name the new parameters, also their own
[file a.py]
class C[T]:
    def get(self, x: T) -> T:
        return x
    def other[S](self, x: S) -> tuple[S, T]:
        return x, self
[run]
import a
C, other = a.C, a.C.other
[sub a.py]
class C[T] => class C[T: int]
[expect]
a.C is C and C.other is other and C.get.__annotations__["x"] is C.__type_params__[0]
other.__annotations__["x"] is other.__type_params__[0] and other.__annotations__["return"].__args__ == (other.__type_params__[0], C.__type_params__[0])

# type-alias-that-is-renamed: it goes under its old name
[file a.py]
class C: pass
type Old = list[C]
def f(x: Old): return x
[run]
import a
[edit a.py]
class C: pass
type New = list[C]
def f(x: New): return x
[expect]
a.New.__value__ == list[a.C] and not hasattr(a, "Old") and a.f.__annotations__ == {"x": a.New}
[edit a.py]
class C: pass
if True:
    type New = list[C]
def f(x: New): return x
[expect]
a.New.__value__ == list[a.C]

# generic-class-that-follows-a-value-and-moves: its methods are on their lines
[file a.py]
K = 9
class C[T: int]:
    LIMIT = K
    def get(self, x: T | int):
        return x + K
    def other[S](self, x: S) -> tuple[S, T]:
        return x, K
[run]
import a
get, other = a.C.get, a.C.other
[sub a.py]
K = 9 => K = 7
[expect]
a.C.LIMIT == 7
[sub a.py]
K = 7 => # a comment\nK = 7
[expect]
(a.C.get, a.C.other) == (get, other)
[f.__code__.co_firstlineno for f in (a.C.get, a.C.other)] == [5, 7]
[sub a.py]
return x, K => return x, K + 1
[expect]
a.C().other(1) == (1, 8) and a.C.other is other and a.C().get(1) == 8

# two-hooks-of-one-name: both are asked
[file a.py]
from midflight import dispose, health_check
LOG = []
@dispose
def clean(): LOG.append(1)
@dispose
def clean(): LOG.append(2)
def make(n):
    @dispose
    def inner(): LOG.append(n)
    return inner
make(5)
make(6)
if LOG is not None:
    @dispose
    def clean(): LOG.append(8)
X = 1
[run]
import a
LOG = a.LOG
def last():
    held = sorted(LOG)
    LOG.clear()
    return held
[sub a.py]
X = 1 => X = 2
[expect]
last() == [1, 2, 6, 8]
[sub a.py]
@dispose\ndef clean(): LOG.append(1) => \n\n\n\n@dispose\n@dispose\ndef clean(): LOG.append(1)
[expect]
last() == [1, 2, 6, 8]
[sub a.py]
LOG.append(2) => LOG.append(3)
LOG.append(8) => LOG.append(9)
[expect]
last() == [1, 2, 6, 8]
[sub a.py]
@dispose\n@dispose => @dispose
[expect]
last() == [1, 3, 6, 9]
[sub a.py]
@dispose\ndef clean(): LOG.append(1)\n =>
[expect]
last() == [1, 3, 6, 9]
[sub a.py]
X = 2 => X = 3\n1 / 0
    @dispose\n    def clean(): LOG.append(9) => \tpass
[expect rolled back]
last() == []
[sub a.py]
\n1 / 0 =>
[expect]
last() == [3, 6, 9]
[sub a.py]
X = 3 => X = 4
[expect]
last() == [3, 6]

# hooks-in-a-loop-and-a-block-that-run-again: those of before are gone
[file a.py]
from midflight import dispose
LOG = []
N = 1
for n in range(N):
    @dispose
    def clean(n=n): LOG.append(n)
X = 1
[run]
import a
LOG = a.LOG
def last():
    held = sorted(LOG)
    LOG.clear()
    return held
[sub a.py]
range(N) => range(N + 4)
[expect]
last() == [0]
[sub a.py]
for n in => \n\nfor n in
range(N + 4) => range(N + 6)
[expect]
last() == [4]
[sub a.py]
X = 1 => X = 2
[expect]
last() == [6]

# name-behind-a-star-import-that-goes: told for who imports it from there, and who uses it by attribute keeps it
[file c.py]
__all__ = ["F", "G", "H", "K"]
F = 1
G = [1]
def H(): return 1
K = 2
[file b.py]
from c import *
L = 1
[file a.py]
import b
from b import F, H as h
def use():
    return b.G
[run]
import a, b, c
[sub c.py]
"F", "G", "H", =>
F = 1 =>
G = [1] =>
[expect]
told("b.F is gone", "a still imports it") and told("b.H is gone", "a still imports it") and a.F == 1 and a.h() == 1
told("b.G is gone", "a still uses it") and a.use() == [1] and not hasattr(b, "F")
[sub a.py]
import F, H as h => import K
return b.G => return b.K
[expect]
a.use() == 2 and not hasattr(b, "G")

# submodule-in-the-place-of-another-name-and-a-failure: the package has that back
[file p/__init__.py]
from .core import *
K = 1
[file p/core.py]
import json as extra
A = 1
[file p/use.py]
X = 1
[run]
import p, p.core, json, p.use
[edit p/use.py]
from .extra import B
X = 1
1 / 0
[file p/extra.py]
B = 1
[expect rolled back]
p.extra is json and "p.extra" not in sys.modules

# submodule-in-the-place-of-a-name-that-star-imports-below-it-bring: they have it
[file p/__init__.py]
V = 1
from .util import *
from .core import *
K = 1
[file p/util.py]
import json as extra
A = 1
[file p/core.py]
import json as extra
C = 1
[run]
import p, p.core, json
[edit p/__init__.py]
V = 2
from .extra import *
from .util import *
from .core import *
K = 1
[edit p/util.py]
import json as extra
from .extra import B
A = 1
[file p/extra.py]
B = 1
[expect]
p.extra is json and sys.modules["p.extra"].B == 1

# submodule-in-the-place-of-a-name-that-a-star-import-above-it-brings: the submodule has it
[file p/__init__.py]
V = 1
from .util import *
K = 1
[file p/util.py]
import json as extra
A = 1
[run]
import p, json
[edit p/__init__.py]
V = 2
from .util import *
from .extra import *
K = 1
[file p/extra.py]
B = 1
[expect]
p.extra is sys.modules["p.extra"]

# submodule-that-a-star-import-loads-and-whose-name-it-brings: what it brings has it
[file p/__init__.py]
V = 1
from .util import *
K = 1
[file p/util.py]
import json as extra
A = 1
[run]
import p, json
[edit p/__init__.py]
V = 2
from .util import *
from .extra import *
K = 1
[edit p/util.py]
import json as extra
from .extra import B
A = 1
[file p/extra.py]
B = 1
[expect]
p.extra is json
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters and `type` statements came with 3.12")
@pytest.mark.parametrize("case", table(NEW_SYNTAX))
def test_an_edit_of_generic_definitions_that_once_went_wrong_does_not(case: Case, tmp_path: Path) -> None:
    play(case, tmp_path)
