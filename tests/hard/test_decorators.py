"""Lines 37-53 of the hard cases: decorators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import parse
from hard.harness import run_row

DECO = r"""
@ file deco.py
import functools
ran = []
def wraps(fn):
    ran.append(fn.__name__)
    @functools.wraps(fn)
    def inner(*args):
        return ("w", fn(*args))
    return inner
def bare(fn):
    ran.append(fn.__name__)
    def inner(*args):
        return ("b", fn(*args))
    return inner
def times(n):
    def deco(fn):
        ran.append((fn.__name__, n))
        @functools.wraps(fn)
        def inner(*args):
            return (n, fn(*args))
        return inner
    return deco
class Obj:
    def __init__(self, fn):
        ran.append(fn.__name__)
        self.fn = fn
        self.calls = 0
    def __call__(self, *args):
        self.calls += 1
        return ("o", self.fn(*args))
class Slotted:
    __slots__ = ("fn",)
    def __init__(self, fn):
        self.fn = fn
    def __call__(self, *args):
        return ("s", self.fn(*args))
table = {}
def register(fn):
    table[fn.__name__] = fn
    return fn
"""

ROWS = parse(
    "decorators",
    r"""
## n037-body-wraps: the body of a wrapped function that is held; the decorator does not run
DECO
@ file m.py
from deco import *
@wraps
def f():
    return 1
@wraps
@bare
@times(3)
def g():
    return 1
@Obj
def h():
    return 1
@Slotted
def i():
    return 1
@ touch
import m, deco
held = [m.f, m.g, m.h, m.i]
m.h.calls = 40
ran = list(deco.ran)
@ edit m.py
from deco import *
@wraps
def f():
    return 2
@wraps
@bare
@times(3)
def g():
    return 2
@Obj
def h():
    return 2
@Slotted
def i():
    return 2
@ expect
[x() for x in held] == [("w", 2), ("w", ("b", (3, 2))), ("o", 2), ("s", 2)]
held == [m.f, m.g, m.h, m.i] and deco.ran == ran and m.h.calls == 41

## n037-body-method: the same on methods
DECO
@ file m.py
from deco import wraps, bare, times
class C:
    @wraps
    def f(self):
        return 1
    @staticmethod
    @bare
    def s():
        return 1
    @classmethod
    @times(2)
    def k(cls):
        return 1
    @property
    @wraps
    def p(self):
        return 1
@ touch
import m, deco
C, c = m.C, m.C()
bound = [c.f, c.s, c.k]
ran = list(deco.ran)
@ edit m.py
from deco import wraps, bare, times
class C:
    @wraps
    def f(self):
        return 2
    @staticmethod
    @bare
    def s():
        return 2
    @classmethod
    @times(2)
    def k(cls):
        return 2
    @property
    @wraps
    def p(self):
        return 2
@ expect
[b() for b in bound] == [("w", 2), ("b", 2), (2, 2)] and c.p == ("w", 2)
m.C is C and deco.ran == ran

## n041-factory-inner: what a decorator factory returns is a decorator too: its own body edited, it runs again
@ file deco.py
import functools
ran = []
def times(n):
    def deco(fn):
        ran.append(n)
        @functools.wraps(fn)
        def inner(*args):
            return (n, fn(*args))
        return inner
    return deco
@ file m.py
from deco import times
@times(2)
def f():
    return 1
@ touch
import m, deco
f = m.f
@ edit deco.py
import functools
ran = []
def times(n):
    def deco(fn):
        ran.append(n)
        @functools.wraps(fn)
        def inner(*args):
            return (n, fn(*args), "new")
        return inner
    return deco
@ expect
m.f is f and f() == (2, 1, "new") and deco.ran == [2] and not hasattr(f, "times")
@ edit deco.py
import functools
ran = []
def times(n):
    def deco(fn):
        ran.append(n)
        @functools.wraps(fn)
        def inner(*args):
            return (n, fn(*args), "new")
        inner.times = n
        return inner
    return deco
@ expect
m.f is f and f() == (2, 1, "new") and f.times == 2

## n041-with-header: a decorator that was edited runs again also where the function's own signature was edited
@ file deco.py
import functools
def times(n):
    def deco(fn):
        @functools.wraps(fn)
        def inner(*args):
            return (n, fn(*args))
        return inner
    return deco
@ file m.py
from deco import times
@times(2)
def f(x=1):
    return x
@ touch
import m, deco
f = m.f
@ edit deco.py
import functools
def times(n):
    def deco(fn):
        @functools.wraps(fn)
        def inner(*args):
            return (n, fn(*args), n)
        inner.times = n
        return inner
    return deco
@ edit m.py
from deco import times
@times(2)
def f(x=1, y=2):
    return x + y
@ expect
m.f is f and f() == (2, 3, 2) and f.times == 2

## n049-annotations-shared: a wrapper that shares the annotations of what it wraps goes on sharing them
@ file m.py
import contextlib
@contextlib.contextmanager
def f(x: int):
    yield x
class C:
    @contextlib.contextmanager
    def g(self, x: int):
        yield x
@ touch
import m
f, g, held = m.f, m.C.g, m.f.__annotations__
@ edit m.py
import contextlib
@contextlib.contextmanager
def f(x: str, y: float = 1) -> str:
    yield x
class C:
    @contextlib.contextmanager
    def g(self, x: str):
        yield x
@ expect
m.f is f and f.__annotations__ == {"x": str, "y": float, "return": str} and f.__annotations__ is held
f.__annotations__ is f.__wrapped__.__annotations__
m.C.g is g and g.__annotations__ == {"x": str} and g.__annotations__ is g.__wrapped__.__annotations__

## n052-overloads-come: the implementation keeps its identity when overloads come before it, and when they go
@ file m.py
import typing
def f(x):
    return 1
class C:
    def g(self, x):
        return 1
@ touch
import m, typing
f, g, bound = m.f, m.C.g, m.C().g
@ edit m.py
import typing
@typing.overload
def f(x: int) -> int: ...
@typing.overload
def f(x: str) -> str: ...
def f(x):
    return 2
class C:
    @typing.overload
    def g(self, x: int) -> int: ...
    @typing.overload
    def g(self, x: str) -> str: ...
    def g(self, x):
        return 2
@ expect
m.f is f and f(0) == 2 and m.C.g is g and bound(0) == 2 and len(typing.get_overloads(f)) == 2
@ edit m.py
import typing
def f(x, y=0):
    return 3
class C:
    def g(self, x, y=0):
        return 3
@ expect
m.f is f and f(0) == 3 and m.C.g is g and bound(0) == 3

## n041-by-hand: `f = decorate(f)` is given what the definition made, not what it gave before
@ file deco.py
def wrap(fn):
    def inner(*args):
        return ("w", fn(*args))
    return inner
@ file m.py
from deco import wrap
N = 1
def f(x=N):
    return x
f = wrap(f)
class C:
    def make(n, k=N):
        return property(lambda self: n)
    a = make(1)
    make = staticmethod(make)
    def g(self, x=N):
        return +x
    g = wrap(g)
@ touch
import m
f, g, C = m.f, m.C.g, m.C
@ sub m.py
N = 1 => N = 2
@ expect
m.f is f and f() == ("w", 2) and m.C.g is g and g(0) == ("w", 2) and C.make.__defaults__ == (2,) and C().a == 1
@ sub deco.py
("w", fn(*args)) => ("v", fn(*args), 1)
@ sub m.py
return x => return x + 1
return +x => return +x + 1
@ expect
m.f is f and f() == ("v", 3, 1) and m.C.g is g and g(0) == ("v", 3, 1)
@ edit deco.py
def wrap(fn, extra=7):
    def inner(*args):
        return ("u", fn(*args), extra)
    return inner
@ expect
f() == ("u", 3, 7) == m.f() and g(0) == ("u", 3, 7) == m.C.g(0)

## n041-by-hand-from-outside: what a statement binds in its scope it reads from around it
@ file m.py
N = 1
def helper(x=N):
    return x
def loud(f, n=N):
    return lambda *args: (n, f(*args))
len = loud(len)
class C:
    helper = staticmethod(helper)
@ touch
import m
C, helper, held = m.C, m.helper, m.len
@ sub m.py
N = 1 => N = 2
@ expect
m.C.helper() == 2 == C.helper() and type(vars(C)["helper"]) is staticmethod and vars(C)["helper"].__func__ is helper
m.len("abc") == (2, 3)

## n040-wrapped: the wrapper leads to the function that it calls, and to no second one, when its decorator ran again
DECO
@ file m.py
from deco import times
@times(2)
def f():
    return 1
@ touch
import m, deco
f, inside = m.f, m.f.__wrapped__
@ edit m.py
from deco import times
@times(3)
def f():
    return 2
@ expect
m.f is f and f() == (3, 2) and inside() == 2
f.__wrapped__ is inside and inside in [cell.cell_contents for cell in f.__closure__]

## n038-removed: a decorator is removed; held references act as the plain function
DECO
@ file m.py
from deco import wraps
@wraps
def f():
    return 1
@ file user.py
from m import f
def call():
    return f()
@ touch
import m, user
f = m.f
@ sub m.py
@wraps\n =>
@ expect
m.f() == 1 and user.call() == 1
f() == 1 and user.f is m.f

## n038-removed-object: a class-based decorator is removed
DECO
@ file m.py
from deco import Obj
@Obj
def f():
    return 1
@ file user.py
from m import f
def call():
    return f()
@ touch
import m, user
f = m.f
@ sub m.py
@Obj\n =>
@ expect
m.f() == 1 and user.call() == 1 and user.f is m.f

## n038-removed-from-method: a decorator of a method is removed, bound methods held
DECO
@ file m.py
from deco import wraps
class C:
    @wraps
    def f(self):
        return 1
@ touch
import m
c = m.C(); bound = c.f
@ sub m.py
    @wraps\n =>
@ expect
c.f() == 1 and m.C().f() == 1
bound() == 1

## n039-added: a decorator is added; held references act as the wrapped one
DECO
@ file m.py
from deco import wraps
def f():
    return 1
@ file user.py
from m import f
def call():
    return f()
@ touch
import m, user
f = m.f
@ sub m.py
def f => @wraps\ndef f
@ expect
m.f() == ("w", 1) and user.call() == ("w", 1)
f() == ("w", 1) and user.f is m.f

## n039-added-object: a class-based decorator is added
DECO
@ file m.py
from deco import Obj
def f():
    return 1
@ file user.py
from m import f
def call():
    return f()
@ touch
import m, user
f = m.f
@ sub m.py
def f => @Obj\ndef f
@ expect
m.f() == ("o", 1) and user.call() == ("o", 1)
f() == ("o", 1) and user.f is m.f

## n039-added-to-method: bound methods held
DECO
@ file m.py
from deco import wraps
class C:
    def f(self):
        return 1
@ touch
import m
c = m.C(); bound = c.f
@ sub m.py
def f => @wraps\n    def f
@ expect
c.f() == ("w", 1) and bound() == ("w", 1)

## n039-added-async: a decorator on a coroutine function
@ file m.py
import functools
def twice(fn):
    @functools.wraps(fn)
    async def inner():
        return 2 * await fn()
    return inner
async def f():
    return 1
@ touch
import m
f = m.f
@ sub m.py
async def f(): => @twice\nasync def f():
@ expect
asyncio.run(m.f()) == 2 and asyncio.run(f()) == 2

## n040-arguments: the arguments of a decorator changed
DECO
@ file m.py
from deco import times
@times(2)
def f():
    return 1
@ file user.py
from m import f
def call():
    return f()
@ touch
import m, user
f = m.f
@ sub m.py
@times(2) => @times(5)
@ expect
m.f() == (5, 1) and f() == (5, 1) and user.call() == (5, 1)
m.f is f is user.f

## n040-arguments-method: of a method and a nested class's method
DECO
@ file m.py
from deco import times
class C:
    @times(2)
    def f(self):
        return 1
    class D:
        @times(2)
        def g(self):
            return 1
@ touch
import m
c, d = m.C(), m.C.D()
bf, bg = c.f, d.g
@ edit m.py
from deco import times
class C:
    @times(5)
    def f(self):
        return 1
    class D:
        @times(6)
        def g(self):
            return 1
@ expect
bf() == (5, 1) and bg() == (6, 1) and c.f() == (5, 1) and d.g() == (6, 1)

## n040-argument-constant: an argument's constant, in another module, changed
DECO
@ file conf.py
N = 2
@ file m.py
from deco import times
from conf import N
@times(N)
def f():
    return 1
@ touch
import m
f = m.f
@ sub conf.py
N = 2 => N = 9
@ expect
f() == (9, 1) and m.f is f

## n041-implementation-inner: only the function inside the decorator was edited
@ file m.py
import functools
ran = []
def deco(fn):
    ran.append(fn.__name__)
    state = {"n": 0}
    @functools.wraps(fn)
    def inner(*args):
        state["n"] += 1
        return ("old", state["n"], fn(*args))
    return inner
@deco
def f():
    return 1
@ touch
import m
f = m.f
f()
@ sub m.py
"old" => "new"
@ expect
f() == ("new", 2, 1) and m.f is f and m.ran == ["f"]

## n041-implementation-own: the decorator's own body was edited
@ file m.py
def deco(fn):
    label = "old"
    def inner(*args):
        return (label, fn(*args))
    return inner
@deco
def f():
    return 1
@ touch
import m
f = m.f
@ sub m.py
label = "old" => label = "new"
@ expect
f() == ("new", 1) and m.f() == ("new", 1) and m.f is f

## n041-implementation-shape: the inner function captures one more variable
@ file m.py
def deco(fn):
    def inner(*args):
        return ("old", fn(*args))
    return inner
@deco
def f():
    return 1
@ touch
import m
f = m.f
@ sub m.py
    def inner =>     extra = "more"\n    def inner
"old" => extra
@ expect
f() == ("more", 1) and m.f() == ("more", 1) and m.f is f

## n042-implementation-other-module: the decorator lives in another module
DECO
@ file m.py
from deco import wraps, times
import deco
@wraps
def f():
    return 1
@deco.times(2)
def g():
    return 1
class C:
    @wraps
    def h(self):
        return 1
@ touch
import m, deco
f, g, h = m.f, m.g, m.C().h
@ sub deco.py
return ("w", fn(*args)) => return ("W", fn(*args))
return (n, fn(*args)) => return (n * 10, fn(*args))
@ expect
f() == ("W", 1) and g() == (20, 1) and h() == ("W", 1)
m.f is f and m.g is g

## n042-own-body-other-module: its own body is edited, so that what it decorated is stale
@ file deco.py
def deco(fn):
    label = "old"
    def inner(*args):
        return (label, fn(*args))
    return inner
@ file m.py
import deco
from deco import deco as d
@d
def f():
    return 1
@deco.deco
def g():
    return 1
class C:
    @d
    def h(self):
        return 1
    @staticmethod
    @deco.deco
    def s():
        return 1
@ touch
import m, deco
c = m.C()
held = [m.f, m.g, c.h, c.s]
@ sub deco.py
label = "old" => label = "new"
@ expect
[x() for x in held] == [("new", 1)] * 4
m.f is held[0] and m.g is held[1] and c.h() == ("new", 1) == c.s()

## n042-factory-own-body: a decorator with arguments whose own body is edited
@ file deco.py
def times(n):
    n = n
    def deco(fn):
        def inner(*args):
            return (n, fn(*args))
        return inner
    return deco
@ file m.py
from deco import times
@times(2)
def f():
    return 1
@ touch
import m
f = m.f
@ sub deco.py
    n = n =>     n = n + 100
@ expect
f() == (102, 1) and m.f is f

## n042-class-decorator-call: a class-based decorator whose __call__ is edited
DECO
@ file m.py
from deco import Obj
@Obj
def f():
    return 1
@ touch
import m, deco
f = m.f
f()
@ sub deco.py
return ("o", self.fn(*args)) => return ("O", self.calls, self.fn(*args))
@ expect
f() == ("O", 2, 1) and m.f is f

## n043-stacked: one of a stack is edited, added, removed, exchanged
DECO
@ file m.py
from deco import wraps, times, bare
@wraps
@times(1)
@bare
def f():
    return 1
@wraps
def g():
    return 1
@times(1)
@wraps
def h():
    return 1
@ touch
import m
held = [m.f, m.g, m.h]
@ edit m.py
from deco import wraps, times, bare
@wraps
@times(2)
@bare
def f():
    return 1
@times(3)
@wraps
def g():
    return 1
@wraps
@times(1)
def h():
    return 1
@ expect
[x() for x in held] == [("w", (2, ("b", 1))), (3, ("w", 1)), ("w", (1, 1))]
held == [m.f, m.g, m.h]

## n043-stacked-wrapped-chain: __wrapped__ stays right
DECO
@ file m.py
from deco import wraps
@wraps
@wraps
def f(a, b=1):
    "Doc."
    return a + b
@ touch
import m
f = m.f
@ sub m.py
def f(a, b=1): => def f(a, b=2, c=3):
"Doc." => "New doc."
@ expect
str(inspect.signature(f)) == "(a, b=2, c=3)"
inspect.unwrap(f)(1) == 3
f(1) == ("w", ("w", 3))
f.__doc__ == "New doc."

## n044-without-wraps: body, signature and doc under a decorator without functools.wraps
DECO
@ file m.py
from deco import bare
@bare
def f(a):
    return a
@ touch
import m
f = m.f
@ sub m.py
def f(a): => def f(a, b=5):
return a => return a + b
@ expect
f(1) == ("b", 6) and f(1, 1) == ("b", 2) and m.f is f

## n045-instance-state: a decorator's instance keeps its state when the body is edited and when decorators change
DECO
@ file m.py
from deco import Obj, wraps
@Obj
def f():
    return 1
@ touch
import m
f = m.f
f(); f()
@ sub m.py
return 1 => return 2
@ expect
f() == ("o", 2) and f.calls == 3 and m.f is f

## n045-instance-signature: the signature under it is edited
DECO
@ file m.py
from deco import Obj
@Obj
def f(a):
    return a
@ touch
import m
f = m.f
@ sub m.py
def f(a): => def f(a, b=2):
return a => return (a, b)
@ expect
f(1) == ("o", (1, 2)) and m.f is f

## n046-lru-cache: held and by module access; emptied
@ file m.py
import functools
@functools.lru_cache(maxsize=None)
def f(x):
    return x + 1
@functools.cache
def g(x):
    return x + 1
@ file user.py
from m import f
@ touch
import m, user
f, g = m.f, m.g
f(1); g(1)
@ sub m.py
def f(x):\n    return x + 1 => def f(x):\n    return x + 2
def g(x):\n    return x + 1 => def g(x):\n    return x + 3
@ expect
f(1) == 3 and m.f(1) == 3 and user.f(1) == 3 and g(1) == 4
m.f is f and m.g is g

## n046-lru-cache-size: another maxsize
@ file m.py
import functools
@functools.lru_cache(maxsize=2)
def f(x):
    return x + 1
@ file user.py
from m import f
@ touch
import m, user
f = m.f
@ sub m.py
maxsize=2 => maxsize=7
return x + 1 => return x + 2
@ expect
m.f.cache_parameters()["maxsize"] == 7 and m.f(1) == 3
user.f is m.f and f(1) == 3

## n046-lru-cache-added-removed: caching comes and goes, held
@ file m.py
import functools
def f(x):
    return [x]
@functools.lru_cache
def g(x):
    return [x]
@ file user.py
from m import f, g
@ touch
import m, user
f, g = m.f, m.g
@ edit m.py
import functools
@functools.lru_cache
def f(x):
    return [x]
def g(x):
    return [x]
@ expect
m.f(1) is m.f(1) and user.f is m.f and user.g is m.g
m.g(1) is not m.g(1)
f(1) is f(1)

## n046-lru-cache-method: a cached method
@ file m.py
import functools
class C:
    @functools.lru_cache
    def f(self, x):
        return x + 1
    @staticmethod
    @functools.cache
    def s(x):
        return x + 1
@ touch
import m
c = m.C(); c.f(1); c.s(1)
@ sub m.py
def f(self, x):\n        return x + 1 => def f(self, x):\n        return x + 5
def s(x):\n        return x + 1 => def s(x):\n        return x + 6
@ expect
c.f(1) == 6 and c.s(1) == 7

## n047-lru-callee: an edited callee, a callee in another module, a constant a callee reads, and an edit that does not reach
@ file lib.py
RATE = 2
def deep(x):
    return x * RATE
def other():
    return 1
@ file m.py
import functools
from lib import deep
def helper(x):
    return deep(x)
@functools.lru_cache
def f(x):
    return helper(x)
@functools.lru_cache
def g(x):
    return x
@ touch
import m
m.f(1); m.g(1)
@ sub lib.py
RATE = 2 => RATE = 5
@ expect
m.f(1) == 5
m.g.cache_info().currsize == 1
@ sub lib.py
return x * RATE => return x * RATE + 1
@ expect
m.f(1) == 6
m.g.cache_info().currsize == 1
@ sub lib.py
def other():\n    return 1 => def other():\n    return 2
@ expect
m.f.cache_info().currsize == 1

## n048-cached-property: not computed: new; computed: state
@ file m.py
import functools
class C:
    @functools.cached_property
    def p(self):
        return 1
@ touch
import m
fresh, computed = m.C(), m.C()
computed.p
@ sub m.py
return 1 => return 2
@ expect
fresh.p == 2 and computed.p == 1 and m.C().p == 2

## n048-cached-property-to-property: and back
@ file m.py
import functools
class C:
    @functools.cached_property
    def p(self):
        return 1
    @property
    def q(self):
        return 1
@ touch
import m
fresh = m.C()
@ edit m.py
import functools
class C:
    @property
    def p(self):
        return 2
    @functools.cached_property
    def q(self):
        return 2
@ expect
fresh.p == 2 and fresh.q == 2 and "q" in vars(fresh) and "p" not in vars(fresh)

## n049-contextmanager: the body, the signature
@ file m.py
import contextlib
@contextlib.contextmanager
def enter(x=1):
    yield x
@contextlib.asynccontextmanager
async def aenter(x=1):
    yield x
@ touch
import m
enter, aenter = m.enter, m.aenter
async def use():
    async with aenter() as value:
        return value
@ edit m.py
import contextlib
@contextlib.contextmanager
def enter(x=2):
    yield x * 10
@contextlib.asynccontextmanager
async def aenter(x=1):
    yield x * 10
@ touch
with enter() as got: pass
@ expect
got == 20 and asyncio.run(use()) == 10
m.enter is enter and m.aenter is aenter

## n050-singledispatch: implementations edited, added, removed
@ file m.py
import functools
@functools.singledispatch
def show(x):
    return "any"
@show.register
def _(x: int):
    return "int"
@show.register(str)
def _(x):
    return "str"
@ touch
import m
show = m.show
show(1), show("a"), show(1.5)
@ sub m.py
return "int" => return "INT"
return "any" => return "ANY"
@ expect
show(1) == "INT" and show("a") == "str" and show(1.5) == "ANY" and m.show is show
@ edit m.py
import functools
@functools.singledispatch
def show(x):
    return "ANY"
@show.register
def _(x: int):
    return "INT"
@show.register(str)
def _(x):
    return "str"
@show.register(list)
def _(x):
    return "list"
@ expect
show([]) == "list" and show(1) == "INT" and show("a") == "str" and m.show is show

## n050-singledispatch-removed: an implementation goes
@ file m.py
import functools
@functools.singledispatch
def show(x):
    return "any"
@show.register(str)
def show_str(x):
    return "str"
@show.register(int)
def show_int(x):
    return "int"
@ touch
import m
show = m.show
show("a")
@ edit m.py
import functools
@functools.singledispatch
def show(x):
    return "any"
@show.register(int)
def show_int(x):
    return "int"
@ expect
show("a") == "any" or said("show_str")
show(1) == "int"

## n050-singledispatchmethod: on a method
@ file m.py
import functools
class C:
    @functools.singledispatchmethod
    def show(self, x):
        return "any"
    @show.register
    def _(self, x: int):
        return "int"
@ touch
import m
c = m.C()
@ sub m.py
return "int" => return "INT"
return "any" => return "ANY"
@ expect
c.show(1) == "INT" and c.show("") == "ANY"

## n051-registered-on-class: singledispatch over a class of the program, and a class-level registry
@ file m.py
import functools
class Shape: pass
class Square(Shape): pass
@functools.singledispatch
def area(x):
    return None
@area.register
def area_square(x: Square):
    return 1
class Bus:
    handlers = {}
    @classmethod
    def on(cls, name):
        def deco(fn):
            cls.handlers[name] = fn
            return fn
        return deco
@Bus.on("a")
def handle():
    return 1
@ touch
import m
square = m.Square()
m.area(square)
@ sub m.py
def area_square(x: Square):\n    return 1 => def area_square(x: Square):\n    return 2
def handle():\n    return 1 => def handle():\n    return 2
class Square(Shape): pass => class Square(Shape):\n    side = 3
@ expect
m.area(square) == 2 and square.side == 3 and m.area(m.Square()) == 2
m.Bus.handlers["a"]() == 2 and len(m.Bus.handlers) == 1

## n052-overload: typing.overload
@ file m.py
from typing import overload
@overload
def f(x: int) -> int: ...
@overload
def f(x: str) -> str: ...
def f(x):
    return x
@ touch
import m
f = m.f
@ sub m.py
return x => return [x]
def f(x: str) -> str: ... => def f(x: bytes) -> bytes: ...
@ expect
f(1) == [1] and m.f is f

## n052-type-checked: a wrapper that looks at the signature once
@ file check.py
import functools, inspect
def checked(fn):
    signature = inspect.signature(fn)
    @functools.wraps(fn)
    def inner(*args, **kw):
        signature.bind(*args, **kw)
        return fn(*args, **kw)
    return inner
@ file m.py
from check import checked
@checked
def f(a):
    return a
@ touch
import m
f = m.f
@ sub m.py
def f(a): => def f(a, b=1):
return a => return a + b
@ expect
f(1) == 2
f(1, 5) == 6 or said("f")

## n053-compiled: a decorator that holds a compiled copy of the code keeps it: the copy is its own
@ file m.py
import types
def frozen(fn):
    copy = types.FunctionType(fn.__code__, fn.__globals__)
    def inner(*args):
        return copy(*args)
    return inner
@frozen
def f():
    return 1
@ touch
import m
f = m.f
@ sub m.py
return 1 => return 2
@ expect
f() == 2

## n053-decorator-drops-it: a decorator that does not hold the function at all
@ file m.py
names = []
def name_only(fn):
    names.append(fn.__name__)
    return fn.__name__
@name_only
def f():
    return 1
@ touch
import m
@ sub m.py
return 1 => return 2
@ expect
m.f == "f" and m.names == ["f"]

## n037-registry-only: a decorator that registers and gives back something else
@ file m.py
commands = {}
class Command:
    def __init__(self, fn):
        self.fn = fn
def command(name):
    def deco(fn):
        commands[name] = Command(fn)
        return commands[name]
    return deco
@command("go")
def go(a=1):
    return a
@ touch
import m
go = m.go
@ sub m.py
a=1 => a=2
return a => return a * 10
@ expect
m.commands["go"].fn() == 20 and m.go.fn() == 20 and m.commands["go"] is m.go is go
len(m.commands) == 1

## n037-argument-and-registration: a registering decorator's argument is edited
DECO
@ file m.py
routes = {}
def route(path):
    def deco(fn):
        routes[path] = fn
        return fn
    return deco
@route("/old")
def page():
    return 1
@ touch
import m
page = m.page
@ sub m.py
"/old" => "/new"
@ expect
list(m.routes) == ["/new"] and m.routes["/new"] is m.page is page

## n037-class-decorated: the body of a method of a decorated class
@ file m.py
ran = []
def mark(cls):
    ran.append(cls.__name__)
    cls.marked = True
    return cls
@mark
class C:
    def f(self):
        return 1
@ touch
import m
C, c = m.C, m.C()
@ sub m.py
return 1 => return 2
@ expect
c.f() == 2 and m.C is C and m.ran == ["C"]

## n042-partial-decorator: a decorator made by functools.partial, and one that is a bound method
@ file m.py
import functools
def base(fn, label):
    @functools.wraps(fn)
    def inner():
        return (label, fn())
    return inner
tag = functools.partial(base, label="x")
class App:
    def __init__(self):
        self.seen = {}
    def add(self, fn):
        self.seen[fn.__name__] = fn
        return fn
app = App()
@tag
def f():
    return 1
@app.add
def g():
    return 1
@ touch
import m
f, g, app = m.f, m.g, m.app
@ sub m.py
def f():\n    return 1 => def f():\n    return 2
def g():\n    return 1 => def g(a=4):\n    return a
@ expect
f() == ("x", 2) and g() == 4 and app.seen["g"] is g is m.g and len(app.seen) == 1
""".replace("DECO\n", DECO.strip("\n") + "\n"),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_decorators(row: Any, tmp_path: Path) -> None:
    run_row(row, tmp_path)
