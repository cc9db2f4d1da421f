"""Every kind of write, followed by a failing statement in a later module: the process equals its snapshot.

The harness tries each row's edit with a failure behind it before it takes the edit, and the way back afterwards."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import parse
from hard.harness import run_row
from midflight.apply.swap import put_in_order
from midflight.apply.transaction import Transaction

ROWS = parse(
    "rollback",
    r"""
## function-code: code, defaults, keyword defaults, annotations, docstring, attributes
@ file m.py
def f(a, b=[1], *, c={}): "Old."; return a
f.tag = 1
@ touch
import m
f = m.f
f.mine = 2
@ edit m.py
def f(a: int, b=[2], *, c={"x": 1}, d=4) -> int: "New."; return [a]
f.tag = 3
f.more = 4
@ expect
f(1) == [1] and f.tag == 3 and f.more == 4 and f.mine == 2

## closure-shape: a captured variable more and less, super() newly used
@ file m.py
class A:
    def f(self): return 1
class B(A):
    def f(self): return 2
def make(a, b):
    def inner(): return (a, b)
    return inner
@ touch
import m
inner, b = m.make(1, 2), m.B()
bound = b.f
@ sub m.py
def f(self): return 2 => def f(self): return super().f() + 2
return (a, b) => return a
@ expect
inner() == 1 and bound() == 3

## wrapper-kinds: staticmethod, classmethod, property, partial, partialmethod, cached_property, lru_cache, a decorator's instance
@ file m.py
import functools
class Obj:
    def __init__(self, fn): self.fn = fn
    def __call__(self): return self.fn()
def deco(n):
    def inner(fn):
        @functools.wraps(fn)
        def call(*args): return (n, fn(*args))
        return call
    return inner
class C:
    @staticmethod
    def s(): return 1
    @classmethod
    def k(cls): return 1
    @property
    def p(self): return 1
    @functools.cached_property
    def cp(self): return 1
    def base(self, x): return x
    pm = functools.partialmethod(base, 1)
def add(a, b): return a + b
part = functools.partial(add, 1)
@functools.lru_cache
def cached(x): return x
@Obj
def obj(): return 1
@deco(1)
def wrapped(): return 1
@ touch
import m
c, part, cached, obj, wrapped = m.C(), m.part, m.cached, m.obj, m.wrapped
cached(1)
@ edit m.py
import functools
class Obj:
    def __init__(self, fn): self.fn = fn
    def __call__(self): return [self.fn()]
def deco(n):
    def inner(fn):
        @functools.wraps(fn)
        def call(*args): return (n, fn(*args))
        return call
    return inner
class C:
    @staticmethod
    def s(a=2): return a
    @classmethod
    def k(cls, a=2): return a
    @property
    def p(self) -> int: return 2
    @p.setter
    def p(self, value): pass
    @functools.cached_property
    def cp(self) -> int: return 2
    def base(self, x, y=0): return x + y
    pm = functools.partialmethod(base, 2)
def add(a, b, c=0): return a + b + c
part = functools.partial(add, 2)
@functools.lru_cache
def cached(x, y=5): return x + y
@Obj
def obj(a=3): return a
@deco(2)
def wrapped(): return 1
@ expect
(c.s(), c.k(), c.p, c.cp, c.pm(), part(1), cached(1), obj(), wrapped()) == (2, 2, 2, 2, 2, 3, 6, [3], (2, 1))

## class-attributes: members come, go and change their kind
@ file m.py
class C:
    "Old."
    a = 1
    gone = 2
    x: int = 3
    table = {"k": 1}
    def f(self): return 1
    def g(self): return 1
@ touch
import m
c = m.C()
@ edit m.py
class C:
    "New."
    a = 2
    x: float = 4
    y: int = 5
    table = {"k": 2}
    @property
    def f(self): return 2
    g = 7
    def __eq__(self, other): return True
@ expect
c.a == 2 and c.f == 2 and c.g == 7 and not hasattr(c, "gone") and c == 1 and m.C.__hash__ is None

## bases: exchanged, a mixin added, a class re-made with `__class__` of its instances moved
@ file m.py
class A: pass
class B: pass
class C(A):
    def f(self): return 1
class D(C): pass
class Plain:
    def f(self): return 1
class Under(Plain): pass
@ touch
import m
c, d, plain, under = m.C(), m.D(), m.Plain(), m.Under()
f = plain.f
@ sub m.py
class C(A): => class C(B, A):
class Plain: => class Plain(A):
@ expect
isinstance(c, m.B) and isinstance(d, m.B) and isinstance(plain, m.A) and isinstance(under, m.A) and f() == 1 and type(plain) is m.Plain

## dataclass-fields: filled in on the instances; subclasses made again
@ file m.py
from dataclasses import dataclass, field
@dataclass
class P:
    x: int = 1
@dataclass
class Q(P):
    y: int = 2
@dataclass(frozen=True)
class F:
    x: int = 1
@ touch
import m
p, q, frozen = m.P(), m.Q(), m.F()
@ sub m.py
class P:\n    x: int = 1 => class P:\n    x: int = 1\n    z: list = field(default_factory=list)
class F:\n    x: int = 1 => class F:\n    x: int = 1\n    z: int = 5
@ expect
p.z == [] and q.z == [] and frozen.z == 5 and repr(q) == "Q(x=1, z=[], y=2)"

## init-fill: attributes that __init__ gains
@ file m.py
class C:
    def __init__(self): self.a = 1
@ touch
import m
c = m.C()
@ sub m.py
self.a = 1 => self.a = 1; self.b = []
@ expect
c.b == []

## enum-members: added, removed, exchanged values
@ file m.py
from enum import Enum, Flag
class E(Enum):
    A = 1
    B = 2
    def f(self): return 1
class P(Flag):
    R = 1
    W = 2
@ touch
import m
a, rw = m.E.A, m.P.R | m.P.W
members, values = dict(m.E._member_map_), dict(m.E._value2member_map_)
@ edit m.py
from enum import Enum, Flag
class E(Enum):
    C = 3
    A = 10
    def f(self): return 2
class P(Flag):
    R = 1
    W = 2
    X = 4
@ expect
a.value == 10 and a.f() == 2 and list(m.E) == [m.E.C, a] and m.P.X | rw == m.P(7)

## named-tuple-typed-dict: other fields
@ file m.py
from typing import NamedTuple, TypedDict
class N(NamedTuple):
    x: int
class T(TypedDict):
    a: int
@ touch
import m
n = m.N(1)
@ sub m.py
    x: int =>     x: int\n    y: int = 2
    a: int =>     a: int\n    b: int
@ expect
m.N(1).y == 2 and list(m.T.__annotations__) == ["a", "b"]

## registrations: entries added, exchanged, dropped, in dicts, lists, sets, on classes and instances
@ file reg.py
table, order, names = {}, [], set()
class Bus:
    handlers = {}
class App:
    def __init__(self): self.routes = {}
app = App()
def register(key):
    def deco(fn):
        table[key] = fn
        order.append(fn)
        names.add(fn)
        Bus.handlers[key] = fn
        app.routes[key] = fn
        return fn
    return deco
@ file m.py
from reg import register
@register("a")
def f(): return 1
@register("b")
def g(): return 1
@ touch
import m, reg
f = m.f
@ edit m.py
from reg import register
@register("c")
def f(): return 2
@register("d")
def h(): return 1
@ expect
set(reg.table) == {"c", "d"} and reg.order == [f, m.h] and reg.names == {f, m.h} and set(reg.Bus.handlers) == {"c", "d"} == set(reg.app.routes)

## generic-function: implementations of a singledispatch function
@ file m.py
import functools
@functools.singledispatch
def show(x): return "any"
@show.register
def show_int(x: int): return "int"
@ touch
import m
show = m.show
before = show(1), show("a")
@ edit m.py
import functools
@functools.singledispatch
def show(x): return "any"
@show.register
def show_str(x: str): return "str"
@ expect
show("a") == "str" and show(1) == "any"

## imports: added, removed, a new module, a new package
@ file m.py
import json
X = 1
@ touch
import m
had = "plugin" in sys.modules
@ edit plugin/__init__.py
LOADED = 1
@ edit plugin/part.py
Y = 2
@ edit m.py
import decimal as dec
from plugin.part import Y
from plugin import LOADED
X = Y + LOADED
@ expect
m.X == 3 and not hasattr(m, "json") and m.dec.__name__ == "decimal" and sys.modules["plugin"].part.Y == 2 and not had

## values: constants, containers in place, derived, aliases, rebound names, docstring of the module
@ file conf.py
"Old."
RATE = 1
TABLE = {"a": 1}
LIST = [1, 2]
SET = {1}
@ file m.py
from conf import RATE, TABLE, LIST
import conf
TOTAL = RATE * 10
def price(r=RATE): return r
class C:
    rate = conf.RATE
@ touch
import m, conf
table, items = conf.TABLE, conf.LIST
@ edit conf.py
"New."
RATE = 2
TABLE = {"a": 2, "b": 3}
LIST = [1, 2, 3]
SET = {1, 2}
@ expect
(m.RATE, m.TOTAL, m.price(), m.C.rate, conf.__doc__) == (2, 20, 2, 2, "New.") and table == {"a": 2, "b": 3} and items == [1, 2, 3]

## built-in-steps: a list built in steps, a loop, a touched one
@ file m.py
L = []
L.append(1)
D = {}
for n in (1, 2):
    D[n] = n
T = []
T.append(1)
@ touch
import m
L, D = m.L, m.D
m.T.append("mine")
@ edit m.py
L = []
L.append(1)
L.append(2)
D = {}
for n in (1, 2, 3):
    D[n] = n * 10
T = []
T.append(1)
T.append(3)
@ expect
m.L is L and L == [1, 2] and m.D is D and D == {1: 10, 2: 20, 3: 30} and m.T == [1, "mine", 3]

## names: removed, renamed, added, shadowing builtins
@ file m.py
def gone(): return 1
class Gone: pass
CONST = 1
@ touch
import m
held = m.gone
@ edit m.py
def came(): return 1
class Came: pass
len = 3
@ expect
m.came() == 1 and m.len == 3 and not hasattr(m, "gone") and not hasattr(m, "CONST")

## hooks: what hooks recorded
@ file m.py
from midflight import dispose, health_check
done = []
@dispose
def bye(): done.append(1)
@health_check
def well(): return True
@ touch
import m, midflight.hooks
def records():
    return sorted((k, id(v[0])) for k, v in midflight.hooks.RECORDS.items() if k[0] == "m")
@ sub m.py
def well(): return True => def well(): return 1 + 1 == 2
done = [] => done = []\nX = 1
@ expect
len(records()) == 2 and m.X == 1

## line-text: tracebacks of the old code after the failure read the old lines
@ file m.py
def f():
    return 1
def fail():
    raise ValueError
@ touch
import m, traceback
f, fail = m.f, m.fail
def line(fn):
    try: fn()
    except ValueError as error: return traceback.extract_tb(error.__traceback__)[-1].lineno
@ sub m.py
return 1 => x = 1\n    return x
@ expect
line(fail) == 5

## abc-answers: what abstract base classes remember
@ file m.py
import abc
class A(abc.ABC):
    @abc.abstractmethod
    def f(self): ...
class Sized:
    def size(self): return 1
@ touch
import m, collections.abc
s = m.Sized()
before = isinstance(s, collections.abc.Sized), isinstance(s, m.A)
@ sub m.py
def size(self): return 1 => def __len__(self): return 1
    @abc.abstractmethod\n    def f(self): ... =>     def f(self): ...\n    @abc.abstractmethod\n    def g(self): ...
@ expect
before == (False, False) and isinstance(s, collections.abc.Sized) and m.A.__abstractmethods__ == {"g"}

## decorated-class: marks, a subclass on top, `__init_subclass__`, a metaclass
@ file m.py
seen = []
class Meta(type):
    def __init__(cls, name, bases, ns):
        super().__init__(name, bases, ns)
        cls.keys = [k for k in ns if k[0] != "_"]
        seen.append(cls)
class Base:
    subs = []
    def __init_subclass__(cls):
        Base.subs.append(cls)
        cls.size = len(vars(cls))
def mark(n):
    def deco(cls):
        cls.n = n
        return cls
    return deco
@mark(1)
class A(Base):
    x = 1
class B(metaclass=Meta):
    y = 1
@ touch
import m
a, b, A, B = m.A(), m.B(), m.A, m.B
@ sub m.py
@mark(1) => @mark(2)
    x = 1 =>     x = 2\n    xx = 3
    y = 1 =>     y = 2\n    yy = 3
@ expect
m.A is A and a.n == 2 and a.xx == 3 and m.Base.subs == [A] and m.B is B and B.keys == ["y", "yy"] and m.seen == [B]

## attrs-fields [needs-attrs]: an attrs class
@ file m.py
import attrs
@attrs.define(slots=False)
class P:
    x: int = 1
@ touch
import m
p = m.P()
@ sub m.py
    x: int = 1 =>     x: int = 1\n    y: int = 2
@ expect
p.y == 2 and m.P().y == 2

## pydantic-fields [needs-pydantic]: a model, one derived from it, one that holds it
@ file m.py
from pydantic import BaseModel
class P(BaseModel):
    x: int = 1
class Q(P):
    q: int = 1
class Holder(BaseModel):
    p: P
@ touch
import m
p, q = m.P(), m.Q()
@ sub m.py
    x: int = 1 =>     x: int = 1\n    y: int = 2
@ expect
p.y == 2 and q.y == 2 and m.Holder(p={"y": 5}).p.y == 5 and type(m.Holder(p={}).p) is m.P and type(m.P.model_validate({})) is m.P

## whole-program: several modules at once, each kind
@ file base.py
class Base:
    rate = 1
    def f(self): return 1
@ file mid.py
from base import Base
class Mid(Base):
    total = Base.rate * 2
    def f(self): return super().f() + 1
def helper(x=Base.rate): return x
@ file top.py
from mid import Mid, helper
import mid
table = {"helper": helper, "Mid": Mid}
VALUE = mid.Mid.total + 1
@ touch
import base, mid, top
obj = mid.Mid()
@ sub base.py
rate = 1 => rate = 5
def f(self): return 1 => def f(self, n=10): return n
@ sub mid.py
return super().f() + 1 => return super().f() + 2
def helper(x=Base.rate): return x => def helper(x=Base.rate): return [x]
@ expect
obj.f() == 12 and mid.Mid.total == 10 and top.VALUE == 11 and top.helper() == [5] and top.table["helper"] is mid.helper

## called-code-binds: what called code binds in another module, and on a class of one, is taken back
@ file base.py
count, last = 0, None
class Kept:
    seen = 0
    class Inner:
        seen = 0
def bump(value):
    global count, last, fresh
    count, last, fresh = count + 1, value, value
    Kept.seen += 1
    Kept.Inner.seen += 1
@ file mid.py
import base
def go(value):
    base.bump(value)
    base.mark = value
@ file m.py
import mid
V = 1
@ touch
import base, m
@ sub m.py
V = 1 => V = 2\nmid.go(V)
@ expect
(base.count, base.last, base.fresh, base.mark, base.Kept.seen, base.Kept.Inner.seen) == (1, 2, 2, 2, 1, 1)

## nested-class-goes: a class in the body of another goes, and leaves no trace among the subclasses of its base
@ file m.py
class A:
    class K:
        v = 1
class B:
    class K(A.K):
        v = 6
    x = 1
@ touch
import m
b = m.B()
@ sub m.py
    class K(A.K):\n        v = 6\n =>
@ expect
not hasattr(b, "K") and m.A.K.__subclasses__() == []
""",
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_rollback(row: Any, tmp_path: Path) -> None:
    run_row(row, tmp_path)


class Column:
    """Compares as those of an ORM do: to another one with an expression, which is neither true nor false."""

    def __eq__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("the truth of an expression is not defined")

    __hash__ = object.__hash__


def test_what_goes_comes_back_in_its_place_whatever_its_key_compares_as() -> None:
    keys = [Column() for _ in range(3)]
    held: dict[Any, Any] = dict.fromkeys(keys, 1)
    tx = Transaction()
    tx.del_item(held, keys[0])
    tx.roll_back()
    assert not tx.failures and list(map(id, held)) == list(map(id, keys))


def test_what_another_thread_binds_while_names_are_put_in_order_stays() -> None:
    """It runs between any two lines here, as a thread does between two bytecodes."""
    held: dict[str, int] = {"other": 0, "b": 1, "a": 2, "gone": 3}
    lines: list[int] = []

    def other_thread(frame: Any, event: str, _: Any) -> Any:
        if frame.f_code is put_in_order.__code__ and event == "line":
            lines.append(frame.f_lineno)
            held["other"] += 1
            held.pop("gone", None)
        return other_thread

    traced = sys.gettrace()
    sys.settrace(other_thread)
    try:
        put_in_order(held, ["a", "b", "gone"])
    finally:
        sys.settrace(traced)
    assert len(lines) > 3 and list(held.items()) == [("a", 2), ("b", 1), ("other", len(lines))]
