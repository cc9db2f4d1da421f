"""Lines 75-131 of the hard cases: classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import parse
from hard.harness import run_row

ROWS = parse(
    "classes",
    r"""
## n075-method-held-instance: a method, on an instance that lives
@ file m.py
class C:
    def f(self):
        return 1
    async def g(self):
        return 1
@ touch
import m
c = m.C()
@ sub m.py
def f(self):\n        return 1 => def f(self):\n        return 2
def g(self):\n        return 1 => def g(self):\n        return 2
@ expect
c.f() == 2 and asyncio.run(c.g()) == 2 and type(c) is m.C

## n076-bound-method: bound methods in a callback list, a partial, another module
@ file m.py
class C:
    def f(self, x=1):
        return x
@ file bus.py
import m
c = m.C()
handlers = [c.f]
f = c.f
@ touch
import m, bus, functools
part = functools.partial(bus.c.f, x=3)
@ sub m.py
def f(self, x=1): => def f(self, x=2):
return x => return x * 10
@ expect
bus.handlers[0]() == 20 and bus.f() == 20 and part() == 30

## n077-identity: identity of the class, of its methods, of nested things
@ file m.py
class C:
    count = 0
    def f(self):
        return 1
    def g(self):
        return 1
@ touch
import m
C, f, g = m.C, m.C.f, m.C.g
@ edit m.py
class C:
    "A doc."
    count = 1
    def f(self, x=1):
        return 2
    def g(self):
        return 1
    def h(self):
        return 3
@ expect
m.C is C and C.f is f and C.g is g and C.__doc__ == "A doc." and C.count == 1 and C().h() == 3 and C().f() == 2

## n078-isinstance: in importers, also from before
@ file m.py
class C:
    def f(self): return 1
class E(Exception):
    code = 1
@ file user.py
from m import C, E
def is_c(x): return isinstance(x, C)
def caught(fn):
    try:
        fn()
    except E as error:
        return error.code
@ touch
import m, user
c = m.C()
def throw(): raise m.E
@ sub m.py
return 1 => return 2
code = 1 => code = 2
@ expect
user.is_c(c) and user.is_c(m.C()) and user.caught(throw) == 2

## n079-issubclass: a foreign subclass
@ file m.py
class Base:
    def f(self): return 1
@ file user.py
import m
class Sub(m.Base):
    def g(self): return self.f() + 1
@ touch
import m, user
Sub, sub = user.Sub, user.Sub()
@ sub m.py
return 1 => return 10
@ expect
issubclass(Sub, m.Base) and sub.g() == 11 and Sub.__mro__[1] is m.Base and m.Base.__subclasses__() == [Sub]

## n080-pickle: of an instance that lives, and bytes from before
@ file m.py
class C:
    def __init__(self): self.x = 1
    def f(self): return self.x
@ touch
import m, pickle
c = m.C(); before = pickle.dumps(c)
@ sub m.py
return self.x => return self.x + 1
@ expect
pickle.loads(pickle.dumps(c)).f() == 2 and pickle.loads(before).f() == 2

## n081-method-added: on instances that live, and special ones
@ file m.py
class C:
    def f(self): return 1
class Sub(C): pass
@ touch
import m
c, sub = m.C(), m.Sub()
@ sub m.py
    def f(self): return 1 =>     def f(self): return 1\n    def g(self): return self.f() + 1\n    def __enter__(self): return "in"\n    def __exit__(self, *exc): pass
@ touch
with sub as inside: pass
@ expect
c.g() == 2 and sub.g() == 2 and inside == "in"

## n082-removed: a method and an attribute go; an inherited one shows again
@ file m.py
class Base:
    def f(self): return "base"
class C(Base):
    x = 1
    def f(self): return "c"
    def g(self): return 1
@ touch
import m
c = m.C(); g = c.g
@ edit m.py
class Base:
    def f(self): return "base"
class C(Base):
    pass
@ expect
c.f() == "base" and not hasattr(c, "g") and not hasattr(c, "x") and g() == 1
set(report.modules["m"].removed) == {"C.x", "C.f", "C.g"}

## n083-attribute: changed, derived inside the class, read by a subclass
@ file m.py
class C:
    rate = 2
    total = rate * 10
    names = ["a"]
class Sub(C):
    own = C.rate + 1
@ touch
import m
c, names = m.C(), m.C.names
@ sub m.py
rate = 2 => rate = 3
["a"] => ["a", "b"]
@ expect
c.rate == 3 and c.total == 30 and m.Sub.own == 4 and m.C.names is names and names == ["a", "b"]

## n084-attribute-mutated: a counter and a touched registry on the class survive
@ file m.py
class C:
    count = 0
    seen = []
    table = {"a": 1}
    def __init__(self):
        C.count += 1
        self.seen.append(1)
    def f(self): return 1
@ touch
import m
m.C(); c = m.C()
m.C.table["mine"] = 2
@ sub m.py
return 1 => return 2
{"a": 1} => {"a": 1, "b": 3}
@ expect
m.C.count == 2 and m.C.seen == [1, 1] and c.f() == 2
m.C.table == {"a": 1, "b": 3}

## n085-static: staticmethod body, default, held
@ file m.py
class C:
    @staticmethod
    def s(a=1):
        return a
@ touch
import m
s, c = m.C.s, m.C()
@ sub m.py
a=1 => a=2
return a => return a * 10
@ expect
s() == 20 and c.s() == 20 and m.C.s is s

## n086-class: classmethod body, default, held bound
@ file m.py
class C:
    name = "C"
    @classmethod
    def k(cls, a=1):
        return cls.name, a
class D(C):
    name = "D"
@ touch
import m
k, dk = m.C.k, m.D.k
@ sub m.py
a=1 => a=2
return cls.name, a => return a, cls.name
@ expect
k() == (2, "C") and dk() == (2, "D")

## n087-property: getter, doc, identity
@ file m.py
class C:
    @property
    def p(self):
        "Old."
        return 1
@ touch
import m
p, c = m.C.__dict__["p"], m.C()
@ sub m.py
"Old." => "New."
return 1 => return 2
@ expect
c.p == 2 and m.C.p is p and p.__doc__ == "New."

## n088-setter: added, edited, removed; deleter too
@ file m.py
class C:
    @property
    def p(self):
        return self._p
    @property
    def q(self):
        return self._q
    @q.setter
    def q(self, value):
        self._q = value
@ touch
import m
c = m.C(); c._p = 0; c.q = 1
@ edit m.py
class C:
    @property
    def p(self):
        return self._p
    @p.setter
    def p(self, value):
        self._p = value
    @p.deleter
    def p(self):
        self._p = "deleted"
    @property
    def q(self):
        return self._q
    @q.setter
    def q(self, value):
        self._q = value * 2
@ touch
c.p = 5; seen = c.p
del c.p
c.q = 4
@ expect
seen == 5 and c.p == "deleted" and c.q == 8
@ edit m.py
class C:
    @property
    def p(self):
        return self._p
    @property
    def q(self):
        return self._q
@ expect
raises(setattr, c, "p", 1, exc=AttributeError) and raises(setattr, c, "q", 1, exc=AttributeError) and c.q == 8

## n089-property-to-method: and back
@ file m.py
class C:
    @property
    def p(self): return 1
    def q(self): return 1
@ touch
import m
c = m.C(); q = c.q
@ edit m.py
class C:
    def p(self): return 2
    @property
    def q(self): return 2
@ expect
c.p() == 2 and c.q == 2

## n090-method-to-static: to static, to class, from both
@ file m.py
class C:
    def a(self, x): return x
    def b(self, x): return x
    @staticmethod
    def c(x): return x
    @classmethod
    def d(cls, x): return x
@ touch
import m
c = m.C()
@ edit m.py
class C:
    @staticmethod
    def a(x): return ("s", x)
    @classmethod
    def b(cls, x): return (cls.__name__, x)
    def c(self, x): return (type(self).__name__, x)
    def d(self, x): return (type(self).__name__, x)
@ expect
c.a(1) == ("s", 1) and c.b(1) == ("C", 1) and c.c(1) == ("C", 1) and c.d(1) == ("C", 1)
m.C.a(2) == ("s", 2) and m.C.b(2) == ("C", 2)

## n091-attribute-to-method: and back
@ file m.py
class C:
    a = 1
    def b(self): return 1
@ touch
import m
c = m.C()
@ edit m.py
class C:
    def a(self): return 2
    b = 2
@ expect
c.a() == 2 and c.b == 2

## n092-private-method: a `__private` method edited, added, removed
@ file m.py
class C:
    def __f(self): return 1
    def call(self): return self.__f()
@ touch
import m
c = m.C()
@ edit m.py
class C:
    def __f(self): return 2
    def __g(self): return 3
    def call(self): return self.__f() + self.__g()
@ expect
c.call() == 5 and c._C__f() == 2 and c._C__g() == 3 and not hasattr(c, "__f") and not hasattr(c, "__g")
@ edit m.py
class C:
    def __f(self): return 2
    def call(self): return self.__f()
@ expect
c.call() == 2 and not hasattr(c, "_C__g")

## n093-private-attribute: an edited method that uses self.__x; a private class attribute
@ file m.py
class C:
    __limit = 1
    def __init__(self): self.__x = 1
    def f(self): return self.__x
class D(C):
    def g(self): return self._C__x
@ touch
import m
c, d = m.C(), m.D()
@ sub m.py
return self.__x => return self.__x + self.__limit + 10
__limit = 1 => __limit = 100
@ expect
c.f() == 111 and d.f() == 111 and d.g() == 1

## n094-class-cell: __class__ in an edited method, added to another
@ file m.py
class C:
    def f(self): return __class__.__name__
    def g(self): return 1
@ touch
import m
c = m.C()
g = c.g
@ edit m.py
class C:
    def f(self): return __class__.__name__ + "!"
    def g(self): return __class__
    def h(self): return __class__
@ expect
c.f() == "C!" and g() is m.C and c.h() is m.C

## n095-super-edited: super() in an edited method
@ file m.py
class A:
    def f(self, x=0): return ["A", x]
class B(A):
    def f(self): return super().f()
    @classmethod
    def k(cls): return super().__name__ if False else cls.__name__
@ touch
import m
b = m.B(); f = b.f
@ sub m.py
return super().f() => return ["B"] + super().f(5)
@ expect
f() == ["B", "A", 5] and b.f() == ["B", "A", 5]

## n096-super-new: super() newly used in a method, a classmethod, a property, a closure in a method
@ file m.py
class A:
    def f(self): return "A"
    @classmethod
    def k(cls): return "Ak"
    @property
    def p(self): return "Ap"
    def __init__(self): self.ready = True
class B(A):
    def __init__(self): self.ready = "B"
    def f(self): return "B"
    @classmethod
    def k(cls): return "Bk"
    @property
    def p(self): return "Bp"
    def c(self):
        def inner(): return "B"
        return inner()
class C(B): pass
@ touch
import m
c = m.C(); f, k = c.f, m.C.k
@ edit m.py
class A:
    def f(self): return "A"
    @classmethod
    def k(cls): return "Ak"
    @property
    def p(self): return "Ap"
    def __init__(self): self.ready = True
class B(A):
    def __init__(self):
        super().__init__()
        self.more = 1
    def f(self): return super().f() + "B"
    @classmethod
    def k(cls): return super().k() + "Bk"
    @property
    def p(self): return super().p + "Bp"
    def c(self):
        def inner(): return super(B, self).f() + "B"
        return inner()
class C(B): pass
@ expect
f() == "AB" and k() == "AkBk" and c.p == "ApBp" and c.c() == "AB" and m.C().ready is True
c.f.__func__ is f.__func__ and inspect.signature(m.B.f) == inspect.signature(m.A.f)

## n096-super-gone: super() no longer used
@ file m.py
class A:
    def f(self): return "A"
class B(A):
    def f(self): return super().f()
@ touch
import m
b = m.B(); f = b.f
@ sub m.py
return super().f() => return "B"
@ expect
f() == "B" and m.B().f() == "B" and m.B.f is f.__func__

## n096-super-in-comprehension: super() newly used in a comprehension and a lambda, where Python allows it
@ file m.py
class A:
    def f(self, x): return x
class B(A):
    def g(self): return 1
    def h(self): return 1
@ touch
import m
b = m.B(); g = b.g
@ sub m.py
def g(self): return 1 => def g(self): return [super(B, self).f(x) for x in (1, 2)]
def h(self): return 1 => def h(self): return (lambda me: super().f(3))(self)
@ expect
g() == [1, 2] and b.h() == 3

## n096-super-new-signature: super() newly used together with a new parameter and a default
@ file m.py
class A:
    def f(self): return "A"
class B(A):
    def f(self): return "B"
@ touch
import m
b = m.B(); f = b.f
@ sub m.py
    def f(self): return "B" =>     def f(self, x=4): return super().f(), x
@ expect
f() == ("A", 4) and b.f(5) == ("A", 5) and str(inspect.signature(m.B.f)) == "(self, x=4)"

## n096-super-new-decorated: super() newly used under a decorator
@ file m.py
import functools
def deco(fn):
    @functools.wraps(fn)
    def inner(self): return ("w", fn(self))
    return inner
class A:
    def f(self): return "A"
class B(A):
    @deco
    def f(self): return "B"
@ touch
import m
b = m.B(); f = b.f
@ sub m.py
    def f(self): return "B" =>     def f(self): return super().f() + "B"
@ expect
f() == ("w", "AB") and b.f() == ("w", "AB")

## n097-new-method-with-super: a new method that calls super(), a new __init__ too
@ file m.py
class A:
    def __init__(self): self.a = 1
    def f(self): return "A"
class B(A):
    pass
@ touch
import m
b = m.B()
@ edit m.py
class A:
    def __init__(self): self.a = 1
    def f(self): return "A"
class B(A):
    def __init__(self):
        super().__init__()
        self.b = 2
    def f(self): return super().f() + "B"
@ expect
b.f() == "AB" and (m.B().a, m.B().b) == (1, 2) and b.b == 2

## n098-super-explicit: super(C, self)
@ file m.py
class A:
    def f(self): return "A"
class B(A):
    def f(self): return "B"
@ touch
import m
b = m.B(); f = b.f
@ sub m.py
return "B" => return super(B, self).f() + "B"
@ expect
f() == "AB"

## n099-base-elsewhere: a base in another module: method edited, added, attribute changed, removed
@ file base.py
class Base:
    rate = 1
    def f(self): return "base"
    def gone(self): return 1
@ file m.py
from base import Base
class C(Base):
    total = Base.rate * 10
    def g(self): return self.f()
@ touch
import m, base
c = m.C()
@ edit base.py
class Base:
    rate = 2
    def f(self): return "BASE"
    def new(self): return self.rate
@ expect
c.g() == "BASE" and c.new() == 2 and m.C.total == 20 and not hasattr(c, "gone")

## n100-bases-changed: between classes of the program
@ file m.py
class A:
    def f(self): return "A"
class B:
    def f(self): return "B"
class C(A):
    def g(self): return self.f()
class D(C): pass
@ touch
import m
C, c, d = m.C, m.C(), m.D()
@ sub m.py
class C(A): => class C(B):
@ expect
m.C is C and c.g() == "B" and d.g() == "B" and isinstance(c, m.B) and not isinstance(c, m.A)
m.A.__subclasses__() == [] and m.B.__subclasses__() == [C]

## n100-base-added-to-plain: a class straight under object gets a base, stays the same one, and it is said
@ file m.py
class A:
    def f(self): return "A"
class C:
    count = 0
    def g(self): return "C"
class D(C): pass
@ file user.py
from m import C
held = C()
@ touch
import m, user
c, d, g = m.C(), m.D(), m.C().g
m.C.count = 7
old = m.C
@ sub m.py
class C: => class C(A):
return "C" => return "c"
@ expect
c.f() == "A" and c.g() == "c" and d.f() == "A" and g() == "c" and isinstance(c, m.C) and isinstance(d, m.C)
m.C is old and user.C is m.C and type(user.held) is m.C and m.C.count == 7 and said("same class")

## n100-abc-under-plain: a class straight under object becomes abstract while an instance lives, and is plain again
@ file m.py
import abc, collections.abc
class Bag:
    def __init__(self): self.items = ["a"]
    def __len__(self): return len(self.items)
    def __getitem__(self, at): return self.items[at]
class Sub(Bag):
    pass
@ touch
import m, collections.abc, gc
Bag, bag, sub, size = m.Bag, m.Bag(), m.Sub(), m.Bag().__len__
held = {m.Bag: "entry"}
before = isinstance(bag, collections.abc.Sequence)
@ sub m.py
class Bag: => class Bag(collections.abc.Sequence):
len(self.items) => len(self.items) + 1
@ expect
not before and m.Bag is Bag and type(bag) is Bag and bag.items == ["a"] and size() == 2 and held[m.Bag] == "entry"
isinstance(bag, collections.abc.Sequence) and isinstance(sub, collections.abc.Sequence) and bag.count("a") == 1
type(Bag) is type(collections.abc.Sequence) and Bag.register and Bag.__bases__ == (collections.abc.Sequence,)
any(k is Bag for k in collections.abc.Sequence.__subclasses__()) and not any(k is Bag for k in object.__subclasses__()) and not Bag.__abstractmethods__
len([k for k in collections.abc.Sequence.__subclasses__() if k.__name__ == "Bag"]) == 1
@ sub m.py
    def __getitem__ =>     def item
@ expect
raises(m.Bag, exc=TypeError) and Bag.__abstractmethods__ == {"__getitem__"} and bag.item(0) == "a"
@ sub m.py
class Bag(collections.abc.Sequence): => class Bag:
@ expect
m.Bag is Bag and m.Bag().items == ["a"] and not hasattr(bag, "count") and type(Bag) is type
not isinstance(bag, collections.abc.Sequence) and any(k is Bag for k in object.__subclasses__()) and "_abc_impl" not in vars(Bag)
gc.collect() is not None and bag.items == ["a"] and type(sub) is m.Sub and m.Sub.__mro__ == (m.Sub, Bag, object)

## n100-generic-under-plain: a class straight under object becomes generic, or a protocol, while an instance lives
@ file m.py
import typing
T = typing.TypeVar("T")
class Box:
    def __init__(self): self.x = 1
    def get(self): return self.x
@ touch
import m, typing
Box, box = m.Box, m.Box()
@ sub m.py
class Box: => class Box(typing.Generic[T]):
return self.x => return [self.x]
@ expect
m.Box is Box and box.get() == [1] and m.Box[int] and Box.__parameters__ == (m.T,) and Box.__orig_bases__
Box.__mro__ == (Box, typing.Generic, object)
@ sub m.py
class Box(typing.Generic[T]): => class Box:
@ expect
m.Box is Box and box.get() == [1] and not hasattr(Box, "__orig_bases__") and raises(lambda: m.Box[int], exc=TypeError)

## n100-abstract-instead-of-plain: the new base brings its metaclass and its `__init_subclass__` with it
@ file m.py
import abc
seen = []
class Plain:
    pass
class Base(abc.ABC):
    def __init_subclass__(cls): seen.append(cls.__name__)
    @abc.abstractmethod
    def need(self): ...
class C(Plain):
    def f(self): return 1
@ touch
import m
C, c = m.C, m.C()
@ sub m.py
class C(Plain): => class C(Base):
@ expect
m.C is C and type(C) is type(m.Base) and raises(m.C, exc=TypeError) and c.f() == 1 and m.seen == ["C"]
m.Base.__subclasses__() == [C]
@ sub m.py
class C(Base): => class C(Plain):
@ expect
m.C is C and type(C) is type and type(m.C()) is C and m.seen == ["C"] and not hasattr(c, "need")

## n100-without-fields: from a base without a dict to one with it, and back
@ file m.py
class Slim:
    __slots__ = ()
    def f(self): return "slim"
class Wide:
    def f(self): return "wide"
class C(Slim):
    pass
@ touch
import m
C, c = m.C, m.C()
c.x = 1
@ sub m.py
class C(Slim): => class C(Wide):
@ expect
m.C is C and c.f() == "wide" and c.x == 1 and C.__bases__ == (m.Wide,)
@ sub m.py
class C(Wide): => class C(Slim):
@ expect
m.C is C and c.f() == "slim" and c.x == 1

## n100-base-and-super: a class gets another base and its methods use `super()` for the first time
@ file m.py
import functools
class Low(dict):
    def get(self, key): return ["low", key]
class C(dict):
    def get(self, key): return key
    @property
    def size(self): return 1
    @staticmethod
    def make(): return C()
@ touch
import m
C, c, get, plain = m.C, m.C(), m.C().get, m.C.get
@ edit m.py
import functools
class Low(dict):
    def get(self, key): return ["low", key]
class C(Low):
    def get(self, key): return super().get(key)
    @property
    def size(self): return super().get("size")
    @staticmethod
    def make(): return __class__()
@ expect
m.C is C and c.get("k") == ["low", "k"] and get("g") == ["low", "g"] and c.size == ["low", "size"] and type(C.make()) is C
C.get is plain and "__wrapped__" not in vars(plain) and C.get.__code__.co_varnames[:2] == ("self", "key")

## n052-overloads-with-another-base: overloads come to a method of a class that is made again
@ file m.py
import typing
K = typing.TypeVar("K")
class C(dict):
    def get(self, key, default=None): return [key, default]
    def pop(self, key): return "old"
    @property
    def x(self): return 1
@ touch
import m
C, get, pop, c = m.C, m.C.get, m.C.pop, m.C()
@ edit m.py
import typing
K = typing.TypeVar("K")
class C(dict[K, K]):
    @typing.overload
    def get(self, key): ...
    @typing.overload
    def get(self, key, default): ...
    def get(self, key, default=None): return [key, default, "new"]
    @typing.overload
    def pop(self, key): ...
    @typing.overload
    def pop(self, key, default): ...
    def pop(self, key, default=0): return "new"
    @property
    def x(self): return 2
    @x.setter
    def x(self, value): self.y = value
@ expect
m.C is C and C.get is get and c.get(1) == [1, None, "new"] and c.pop(1) == "new" and C.pop is pop
c.x == 2 and setattr(c, "x", 5) is None and c.y == 5
@ edit m.py
import typing
K = typing.TypeVar("K")
class C(dict):
    def get(self, key, default=None): return [key, default, "newer"]
    def pop(self, key): return "newer"
    @property
    def x(self): return 3
@ expect
C.get is get and c.get(1) == [1, None, "newer"] and c.pop(1) == "newer" and c.x == 3

## n100-metaclass-below: a class below one that gets a metaclass with its base has it too, and loses it again
@ file m.py
import collections.abc
class Bag:
    def __len__(self): return 1
    def __iter__(self): return iter(())
    def __contains__(self, item): return False
@ file n.py
import m
class Sub(m.Bag):
    count = 0
    def f(self): return 1
class Lower(Sub):
    pass
@ touch
import collections, m, n
Sub, Lower, sub = n.Sub, n.Lower, n.Sub()
n.Sub.count = 7
@ sub m.py
class Bag: => class Bag(collections.abc.Collection):
@ expect
n.Sub is Sub and n.Lower is Lower and type(Sub) is type(Lower) is type(m.Bag) is type(collections.abc.Collection)
sub.f() == 1 and Sub.count == 7 and type(sub) is Sub and Sub.__abstractmethods__ == set() and m.Bag.__subclasses__() == [Sub]
@ sub m.py
class Bag(collections.abc.Collection): => class Bag:
@ expect
type(Sub) is type(Lower) is type(m.Bag) is type and "_abc_impl" not in vars(Sub) and Sub.count == 7 and n.Sub is Sub
not isinstance(sub, collections.abc.Hashable) or hash(sub)

## n100-error-base: the base of exceptions, from one that is built in to the program's own and back
@ file m.py
class Base(ValueError):
    def __init__(self, text, code=1):
        super().__init__(text)
        self.code = code
class Deep(Base):
    pass
class Error(Exception):
    pass
class Low(Error):
    pass
@ touch
import m
Error, error, low = m.Error, m.Error("a"), m.Low("b")
@ sub m.py
class Error(Exception): => class Error(Base):
@ expect
m.Error is Error and isinstance(error, ValueError) and str(error) == "a" and m.Error("c", 2).code == 2 and isinstance(low, m.Base)
m.Low.__mro__ == (m.Low, Error, m.Base, ValueError, Exception, BaseException, object)
@ sub m.py
class Error(Base): => class Error(Deep, KeyError):
@ expect
m.Error is Error and isinstance(error, KeyError) and isinstance(low, m.Deep) and m.Error("c", 2).code == 2
@ sub m.py
class Error(Deep, KeyError): => class Error(Exception):
@ expect
m.Error is Error and not isinstance(error, ValueError) and str(m.Low("x")) == "x" and error.args == ("a",)
@ sub m.py
class Error(Exception): => class Error(OSError):
@ expect
report.outcome == "refused" and report.problems[0].code == "MF011" and m.Error is Error and error.args == ("a",)

## n119-refuses-duplicates: a base that lets no name be registered twice
@ file m.py
REGISTRY, ORDER, SEEN = {}, [], {"n": set()}
class Base:
    def __init_subclass__(cls):
        for name in cls.names:
            if name in REGISTRY:
                raise LookupError(f"Duplicated name: {name}")
            REGISTRY[name] = cls
        assert cls.__name__ not in [one.__name__ for one in ORDER]
        ORDER.append(cls)
class A(Base):
    names = ["a"]
    def f(self): return 1
class B(Base):
    names = ["b", "bb"]
    word = "old"
    def f(self): return 1
class C(Base):
    names = ["c"]
@ touch
import m
B, b = m.B, m.B()
REGISTRY, ORDER = m.REGISTRY, m.ORDER
@ sub m.py
word = "old" => word = "new"
@ expect
m.B is B and b.word == "new" and list(REGISTRY.items()) == [("a", m.A), ("b", B), ("bb", B), ("c", m.C)]
ORDER == [m.A, B, m.C] and m.Base.__subclasses__() == [m.A, B, m.C] and REGISTRY is m.REGISTRY
@ sub m.py
names = ["b", "bb"] => names = ["b", "x"]
@ expect
set(REGISTRY) == {"a", "b", "x", "c"} and REGISTRY["x"] is B and ORDER == [m.A, B, m.C]

## n119-registered-in-a-new-list: the registry gets a list of its own for the class that is made again
@ file m.py
REGISTRY = {}
class Meta(type):
    def __init__(cls, name, bases, ns):
        super().__init__(name, bases, ns)
        REGISTRY[name] = [cls]
        REGISTRY.setdefault("all", []).append((name, cls))
class C(metaclass=Meta):
    x = 1
@ touch
import m
C, c = m.C, m.C()
@ sub m.py
x = 1 => x = 2
@ expect
m.C is C and m.REGISTRY == {"C": [C], "all": [("C", C)]} and c.x == 2

## n101-metaclass-becomes-abstract: the classes of a metaclass that comes under ABCMeta are abstract classes from then on
@ file m.py
import abc
class Meta(type):
    def hello(cls): return "old"
class C(metaclass=Meta):
    def f(self): return 1
class D(C):
    pass
@ touch
import m
Meta, C, c = m.Meta, m.C, m.C()
@ sub m.py
class Meta(type): => class Meta(abc.ABCMeta):
return "old" => return "new"
@ expect
m.Meta is Meta and m.C is C and C.hello() == "new" and isinstance(c, C) and issubclass(m.D, C) and not issubclass(int, C)
C.register(int) is int and isinstance(1, C) and not isinstance("", C)
@ sub m.py
    def f(self): return 1 =>     @abc.abstractmethod\n    def f(self): return 1
@ expect
raises(m.D, exc=TypeError) and isinstance(c, C)

## n123-method-out-of-if: a method that stood in a branch of the class stands in its body now, and goes back into one
@ file m.py
import sys
class C:
    if sys.version_info < (3,):
        def f(self): return "never"
    elif sys.version_info > (3,):
        def f(self): return "old"
    else:
        def f(self): return "not at all"
@ touch
import m
f, bound = m.C.f, m.C().f
@ edit m.py
import sys
class C:
    def f(self): return "new"
@ expect
m.C.f is f and bound() == "new"
@ edit m.py
import sys
class C:
    if sys.version_info < (3,):
        def f(self): return "never"
    else:
        def f(self): return "newer"
@ expect
m.C.f is f and bound() == "newer"

## n082-class-removed-named-in-annotations [nofail]: what typing remembers of a class that is gone does not keep it
@ file m.py
import typing
class Base: pass
class C(Base): pass
def f(items: typing.List[C]) -> typing.Optional[C]: return None
@ touch
import m, gc
@ edit m.py
import typing
class Base: pass
def f(items: typing.List[Base]) -> typing.Optional[Base]: return None
@ expect
gc.collect() is not None and m.Base.__subclasses__() == [] and m.f.__annotations__["return"] == m.typing.Optional[m.Base]

## n130-attrs-text [needs-attrs]: generated methods that are made again keep the name that their text is found under
@ file m.py
import attrs
@attrs.define(slots=False)
class Place:
    x: int = 1
@ touch
import m, linecache
p, name, known = m.Place(), m.Place.__init__.__code__.co_filename, len(linecache.cache)
@ sub m.py
x: int = 1 => x: int = 1\n    y: int = 2
@ expect
m.Place.__init__.__code__.co_filename == name and "y" in "".join(linecache.getlines(name)) and m.Place().y == 2
len(linecache.cache) <= known + 1

## n103-slot-added-registered: who holds a class by a name of the program's holds the one that is made anew
@ file m.py
KINDS, LIST = {}, []
class S:
    __slots__ = ("x",)
KINDS["s"] = S
LIST.append(("s", S))
@ touch
import m
KINDS = m.KINDS
@ sub m.py
__slots__ = ("x",) => __slots__ = ("x", "y")
@ expect
m.KINDS is KINDS and KINDS["s"] is m.S and m.LIST == [("s", m.S)] and said("m.S")

## n100-base-removed: the base goes
@ file m.py
class A:
    def f(self): return "A"
class C(A):
    def g(self): return "C"
@ touch
import m
C, c = m.C, m.C()
@ sub m.py
class C(A): => class C:
@ expect
c.g() == "C" and not hasattr(c, "f") and not issubclass(m.C, m.A)
m.C is C and said("same class")

## n100-base-added-second: a mixin is added and taken away, super() goes through it
@ file m.py
class A:
    def f(self): return ["A"]
class Mixin:
    def f(self): return ["mixin"] + super().f()
class C(A):
    def f(self): return ["C"] + super().f()
@ touch
import m
c = m.C()
@ sub m.py
class C(A): => class C(Mixin, A):
@ expect
c.f() == ["C", "mixin", "A"]
@ sub m.py
class C(Mixin, A): => class C(A):
@ expect
c.f() == ["C", "A"]

## n100-base-order-refused: bases that give no order are a problem, nothing changes
@ file m.py
class A: pass
class B(A): pass
class C(A): pass
@ touch
import m
C, c = m.C, m.C()
@ sub m.py
class C(A): pass => class C(A, B): pass
@ expect
report.outcome in ("refused", "rolled back") and m.C is C and C.__bases__ == (m.A,)

## n101-metaclass-edited: a metaclass's method is edited; another metaclass is refused
@ file m.py
class Meta(type):
    def hello(cls): return "hello " + cls.__name__
class Other(type): pass
class C(metaclass=Meta):
    def f(self): return 1
@ touch
import m
C, c = m.C, m.C()
@ sub m.py
"hello " => "hi "
@ expect
C.hello() == "hi C" and m.C is C
@ sub m.py
metaclass=Meta => metaclass=Other
@ expect
report.outcome == "refused" and report.problems[0].code == "MF010" and type(C) is m.Meta and m.C is C

## n101-metaclass-registry: a metaclass that registers makes no twin
@ file m.py
classes = []
class Meta(type):
    def __new__(meta, name, bases, ns):
        cls = super().__new__(meta, name, bases, ns)
        classes.append(cls)
        cls.fields = sorted(k for k in ns if not k.startswith("_"))
        return cls
class C(metaclass=Meta):
    a = 1
    def f(self): return 1
@ touch
import m
C, c = m.C, m.C()
@ sub m.py
return 1 => return 2
@ expect
c.f() == 2 and m.classes == [C]
@ sub m.py
    a = 1 =>     a = 1\n    b = 2
@ expect
m.C is C and C.fields == ["a", "b", "f"] and m.classes == [C] and c.b == 2 and c.f() == 2

## n101-metaclass-call: a metaclass's __call__ (singletons)
@ file m.py
class Single(type):
    made = {}
    def __call__(cls):
        if cls not in Single.made:
            Single.made[cls] = super().__call__()
        return Single.made[cls]
class C(metaclass=Single):
    def f(self): return 1
@ touch
import m
c = m.C()
@ sub m.py
return 1 => return 2
@ expect
m.C() is c and c.f() == 2

## n102-slots-edited: methods and attributes of a class with __slots__
@ file m.py
class C:
    __slots__ = ("x",)
    kind = "old"
    def __init__(self): self.x = 1
    def f(self): return self.x
@ touch
import m
C, c = m.C, m.C()
@ edit m.py
class C:
    __slots__ = ("x",)
    kind = "new"
    def __init__(self): self.x = 1
    def f(self): return self.x + 1
    def g(self): return self.x + 2
@ expect
c.f() == 2 and c.g() == 3 and c.kind == "new" and m.C is C

## n103-slot-added: with live instances: refused; without: the new class
@ file m.py
class C:
    __slots__ = ("x",)
class D:
    __slots__ = ("x",)
@ touch
import m
c = m.C()
@ sub m.py
class C:\n    __slots__ = ("x",) => class C:\n    __slots__ = ("x", "y")
@ expect
report.outcome == "refused" and report.problems[0].code == "MF012" and report.problems[0].line == 2
raises(setattr, c, "y", 1, exc=AttributeError)

## n103-slot-added-no-instances: the class can be had anew
@ file m.py
class D:
    __slots__ = ("x",)
    def f(self): return 1
@ file user.py
from m import D
@ touch
import m, user
@ sub m.py
("x",) => ("x", "y")
return 1 => return 2
@ touch
d = m.D(); d.y = 5
@ expect
d.y == 5 and d.f() == 2 and user.D is m.D

## n103-slots-reordered: the same slots written otherwise
@ file m.py
class C:
    __slots__ = ("x", "y")
    def f(self): return self.x
@ touch
import m
C, c = m.C, m.C()
c.x, c.y = 1, 2
@ sub m.py
("x", "y") => ["x", "y"]
return self.x => return self.x, self.y
@ expect
(c.f() == (1, 2)) or report.outcome == "refused"

## n104-dict-to-slots: refused with a live instance
@ file m.py
class C:
    def f(self): return 1
@ touch
import m
c = m.C(); c.z = 1
@ sub m.py
class C: => class C:\n    __slots__ = ("x",)
@ expect
report.outcome == "refused" and report.problems[0].code == "MF012" and c.z == 1 and c.f() == 1

## n104-slots-to-dict: refused with a live instance
@ file m.py
class C:
    __slots__ = ("x",)
    def f(self): return 1
@ touch
import m
c = m.C(); c.x = 1
@ sub m.py
    __slots__ = ("x",)\n =>
return 1 => return 2
@ expect
report.outcome == "refused" and c.f() == 1 and c.x == 1

## n105-builtin-subclass: int, tuple, list, dict, str, Exception subclasses: edited; their base changed is refused
@ file m.py
class I(int):
    def f(self): return self + 1
class T(tuple):
    def f(self): return self[0]
class L(list):
    def f(self): return len(self)
class D(dict):
    def __missing__(self, key): return "old"
class S(str):
    def f(self): return self.upper()
class E(ValueError):
    def __str__(self): return "old"
@ touch
import m
i, t, l, d, s, e = m.I(1), m.T((5,)), m.L([1]), m.D(), m.S("a"), m.E()
@ edit m.py
class I(int):
    def f(self): return self + 10
class T(tuple):
    def f(self): return self[0] * 2
class L(list):
    def f(self): return len(self) * 10
    def g(self): return 1
class D(dict):
    def __missing__(self, key): return "new"
class S(str):
    def f(self): return self + "!"
class E(ValueError):
    def __str__(self): return "new"
@ expect
(i.f(), t.f(), l.f(), d[0], s.f(), str(e), l.g()) == (11, 10, 10, "new", "a!", "new", 1)
@ sub m.py
class I(int): => class I(float):
@ expect
report.outcome == "refused" and report.problems[0].code in ("MF011", "MF012") and i.f() == 11

## n107-generated-repr: the generated methods lead to what they call, and to no second one
@ file m.py
from dataclasses import dataclass
@dataclass
class C:
    a: int = 1
@ touch
import m
C, c, shown = m.C, m.C(), m.C.__repr__
@ edit m.py
from dataclasses import dataclass
@dataclass
class C:
    a: int = 1
    b: int = 2
@ expect
m.C is C and repr(c) == "C(a=1, b=2)" and C.__repr__ is shown
getattr(shown, "__wrapped__", None) in [None, *(cell.cell_contents for cell in shown.__closure__ or ())]

## n107-generated-init: a generated method that closes over other values than before is the one a fresh process has
@ file m.py
from dataclasses import dataclass
@dataclass
class C:
    a: int = 1
@ touch
import m
C, c, make = m.C, m.C(), m.C.__init__
@ edit m.py
from dataclasses import dataclass, field
@dataclass
class C:
    a: int = 1
    b: list = field(default_factory=list)
    d: bool = False
@ expect
m.C is C and c.b == [] and C(5, d=True).d and C().b == [] and C.__init__.__defaults__[::2] == (1, False)
make(c, 7) is None and (c.a, c.b) == (7, [])

## n077-shown-module: a class whose `__module__` says another name, as packages do for show, is edited in place
@ file pkg/__init__.py
from pkg._a import C, D, E, read
__all__ = ["C", "D", "E"]
for name in __all__:
    locals()[name].__module__ = "pkg"
read.__module__ = "pkg"
@ file pkg/_a.py
import dataclasses
class C:
    n = 1
    def f(self):
        return 1
class E(Exception):
    'Old.'
@dataclasses.dataclass
class D:
    a: int = 1
def read():
    return C.n
@ touch
import pkg
from pkg import _a
C, D, E, c, d, held = pkg.C, pkg.D, pkg.E, pkg.C(), pkg.D(), pkg.C().f
@ edit pkg/_a.py
import dataclasses
class C:
    n = 2
    def f(self):
        return 2
    def g(self):
        return 3
class E(Exception):
    'New.'
@dataclasses.dataclass
class D:
    a: int = 1
    b: int = 2
def read(x=0):
    return C.n
@ expect
_a.C is C and pkg.C is C and (c.f(), held(), c.g(), C.n) == (2, 2, 3, 2) and C.__module__ == "pkg"
_a.D is D and pkg.D is D and (d.b, D.__module__) == (2, "pkg")
pkg.read() == 2 and pkg.read(0) == 2 and pkg.read.__module__ == "pkg"
_a.E is E and pkg.E is E and (E.__doc__, E.__module__) == ("New.", "pkg")

## n107-field-default-to-factory: the class has no attribute where a fresh one has none
@ file m.py
from dataclasses import dataclass
@dataclass
class C:
    a: bytes = b"x"
    b: int = 1
@ touch
import m
C, c = m.C, m.C()
@ edit m.py
from dataclasses import dataclass, field
@dataclass
class C:
    a: bytearray = field(default_factory=bytearray)
    b: int = 1
@ expect
m.C is C and "a" not in vars(C) and C.b == 1 and C().a == bytearray() and c.a == b"x"

## n102-slots-reordered: the same slots in another order are the same layout
@ file m.py
class C:
    __slots__ = ("b", "a")
    def __init__(self): self.a, self.b = 1, 2
@ touch
import m
C, c = m.C, m.C()
@ edit m.py
class C:
    __slots__ = ("a", "b")
    def __init__(self): self.a, self.b = 1, 2
    def f(self): return self.a, self.b
@ expect
m.C is C and c.f() == (1, 2) and C.__slots__ == ("a", "b")

## n122-decorated-by-hand: what `C = decorate(C)` gave a class is there after the class was made again
@ file m.py
def add_eq(cls):
    cls.__eq__ = lambda self, other: type(self) is type(other)
    return cls
class Plain:
    x = 1
class C(Plain):
    __slots__ = ("a",)
    def f(self): return 1
C = add_eq(C)
@ touch
import m
C = m.C
@ edit m.py
def add_eq(cls):
    cls.__eq__ = lambda self, other: type(self) is type(other)
    return cls
class Plain:
    x = 1
class C(Plain):
    __slots__ = ("a", "b")
    def f(self): return 2
C = add_eq(C)
@ expect
m.C() == m.C() and m.C().f() == 2 and not hasattr(m.C, "c") and "b" in vars(m.C)
@ edit m.py
def add_eq(cls):
    cls.__eq__ = lambda self, other: type(self) is type(other) and "new"
    return cls
class Plain:
    x = 1
class C(Plain):
    __slots__ = ("a", "b")
    def f(self): return 2
C = add_eq(C)
@ expect
(m.C() == m.C()) == "new"

## n117-orig-bases: a base that is written with its parameters, or without them again
@ file m.py
from concurrent.futures import Future
Alias = Future[int]
class F(Future):
    pass
@ touch
import m
F, f = m.F, m.F()
@ edit m.py
from concurrent.futures import Future
Alias = Future[int]
class F(Alias):
    pass
@ expect
m.F is F and F.__orig_bases__ == (m.Alias,) and isinstance(f, F) and F.__bases__ == (m.Future,)
@ edit m.py
from concurrent.futures import Future
Alias = Future[int]
class F(Future):
    pass
@ expect
m.F is F and "__orig_bases__" not in vars(F)

## n100-layout-without-instances: bases of another layout, where nothing of the class lives: it is made again
@ file m.py
class Mixin:
    def g(self): return "g"
class A(int):
    def f(self): return 1
class B(A):
    pass
@ file app.py
from m import A
@ touch
import m, app
@ edit m.py
class Mixin:
    def g(self): return "g"
class A(str, Mixin):
    def f(self): return 2
class B(A):
    pass
@ expect
app.A is m.A and m.A("x").f() == 2 and m.A("x").g() == "g" and m.B("y") == "y" and isinstance(m.B("y"), app.A)

## n100-base-from-elsewhere: a base that another module gives now, under a class whose body was edited too
@ file lib.py
class Base:
    def f(self): return "lib"
class Plain:
    pass
@ file m.py
import lib
class Plain:
    pass
class Base(Plain):
    def f(self): return "own"
class C(Base):
    x = 1
@ touch
import m, lib
C, c = m.C, m.C()
@ edit lib.py
class Plain:
    pass
class Base(Plain):
    def f(self): return "lib"
@ edit m.py
import lib
from lib import Base
class C(Base):
    x = 2
@ expect
m.C is C and c.f() == "lib" and C.x == 2 and C.__bases__ == (lib.Base,) and m.Base is lib.Base

## n106-dataclass-method: method, property, on live instances
@ file m.py
from dataclasses import dataclass
@dataclass
class P:
    x: int
    y: int = 2
    def f(self): return self.x
@ touch
import m
P, p = m.P, m.P(1)
@ sub m.py
return self.x => return self.x + self.y
@ expect
p.f() == 3 and m.P is P and p == m.P(1) and repr(p) == "P(x=1, y=2)"

## n107-field-added: with default, default_factory; without one it is named
@ file m.py
from dataclasses import dataclass, field
@dataclass
class P:
    x: int
class Plain: pass
@dataclass
class Q(P):
    z: int = 3
@ touch
import m
P, p, q = m.P, m.P(1), m.Q(1)
@ sub m.py
    x: int =>     x: int\n    y: int = 5\n    tags: list = field(default_factory=list)
@ expect
m.P is P and p.y == 5 and p.tags == [] and p == m.P(1) and m.P(1, 2, ["a"]).tags == ["a"]
q.y == 5 and q.tags == []
m.Q(1, 2, ["b"], 4).z == 4
repr(p) == "P(x=1, y=5, tags=[])"

## n107-field-without-default: the report names the instances that lack it
@ file m.py
from dataclasses import dataclass
@dataclass
class P:
    x: int
@ touch
import m
p = m.P(1)
@ sub m.py
    x: int =>     x: int\n    y: int
@ expect
m.P(1, 2).y == 2 and p.x == 1
said("y")

## n107-field-removed-and-default-changed: instances keep what they hold
@ file m.py
from dataclasses import dataclass
@dataclass(order=True)
class P:
    x: int
    y: int = 2
    z: int = 3
@ touch
import m
P, p = m.P, m.P(1)
@ sub m.py
    y: int = 2 =>     y: int = 20
\n    z: int = 3 =>
@ expect
m.P is P and m.P(1).y == 20 and p.y == 2 and repr(m.P(1)) == "P(x=1, y=20)" and m.P(1, 1) < m.P(2, 1)
raises(m.P, 1, 2, 3, exc=TypeError)

## n107-option-changed: eq, order, frozen, repr switched
@ file m.py
from dataclasses import dataclass
@dataclass
class P:
    x: int
@ touch
import m
P, p = m.P, m.P(1)
@ sub m.py
@dataclass => @dataclass(frozen=True, order=True)
@ expect
m.P is P and raises(setattr, p, "x", 2, exc=AttributeError) and m.P(1) < m.P(2) and hash(p) == hash(m.P(1))
@ sub m.py
@dataclass(frozen=True, order=True) => @dataclass
@ touch
p.x = 9
@ expect
p.x == 9 and m.P is P and raises(lambda: m.P(1) < m.P(2), exc=TypeError)

## n107-becomes-dataclass: a plain class becomes one, and one becomes plain
@ file m.py
from dataclasses import dataclass
class P:
    def __init__(self, x): self.x = x
@dataclass
class Q:
    x: int
@ touch
import m
P, Q, p, q = m.P, m.Q, m.P(1), m.Q(1)
@ edit m.py
from dataclasses import dataclass
@dataclass
class P:
    x: int
class Q:
    def __init__(self, x): self.x = x
@ expect
m.P is P and repr(p) == "P(x=1)" and p == m.P(1)
m.Q is Q and q != m.Q(1) and not hasattr(Q, "__dataclass_fields__") and m.Q(3).x == 3

## n107-dataclass-inherits: a field comes to the base in another module
@ file base.py
from dataclasses import dataclass
@dataclass
class Base:
    x: int = 1
@ file m.py
from dataclasses import dataclass
from base import Base
@dataclass
class Sub(Base):
    y: int = 2
@ touch
import m, base
sub = m.Sub()
@ sub base.py
    x: int = 1 =>     x: int = 1\n    w: int = 9
@ expect
sub.w == 9 and base.Base().w == 9
[f.name for f in __import__("dataclasses").fields(m.Sub)] == ["x", "w", "y"] or said("Sub")

## n108-frozen-slots: a method of frozen, slots dataclasses; a field added is refused with instances
@ file m.py
from dataclasses import dataclass
@dataclass(frozen=True)
class F:
    x: int
    def f(self): return self.x
@dataclass(slots=True)
class S:
    x: int
    def f(self): return self.x
@dataclass(frozen=True, slots=True)
class B:
    x: int
    def f(self): return self.x
@ touch
import m
held = [m.F(1), m.S(1), m.B(1)]
bound = [h.f for h in held]
@ edit m.py
from dataclasses import dataclass
@dataclass(frozen=True)
class F:
    x: int
    y: int = 3
    def f(self): return self.x + 1
@dataclass(slots=True)
class S:
    x: int
    def f(self): return self.x + 1
@dataclass(frozen=True, slots=True)
class B:
    x: int
    def f(self): return self.x + 1
@ expect
[h.f() for h in held] == [2, 2, 2] and [b() for b in bound] == [2, 2, 2] and held[0].y == 3
[type(h) for h in held] == [m.F, m.S, m.B]
@ sub m.py
class S:\n    x: int => class S:\n    x: int\n    y: int = 1
@ expect
report.outcome == "refused" and report.problems[0].code == "MF012" and held[1].f() == 2

## n108-slots-super: a slots dataclass whose method newly uses super()
@ file m.py
from dataclasses import dataclass
@dataclass(slots=True)
class A:
    x: int = 1
    def f(self): return "A"
@dataclass(slots=True)
class B(A):
    y: int = 2
    def f(self): return "B"
@ touch
import m
b = m.B()
@ sub m.py
return "B" => return super().f() + "B"
@ expect
b.f() == "AB" and m.B().f() == "AB"

## n108-slots-no-instances: a field added to a slots dataclass that has no instances
@ file m.py
from dataclasses import dataclass
@dataclass(slots=True)
class S:
    x: int
@ file user.py
from m import S
@ touch
import m, user
@ sub m.py
    x: int =>     x: int\n    y: int = 4
@ expect
m.S(1).y == 4 and user.S is m.S

## n109-namedtuple: a method; a field; the functional form; collections
@ file m.py
from typing import NamedTuple
from collections import namedtuple
class P(NamedTuple):
    x: int
    y: int = 0
    def total(self): return self.x + self.y
Q = namedtuple("Q", "a b")
@ file user.py
from m import P, Q
@ touch
import m, user
P, p, Q = m.P, m.P(1), m.Q
@ sub m.py
return self.x + self.y => return (self.x + self.y) * 10
@ expect
p.total() == 10 and m.P is P
m.Q is Q
@ sub m.py
    y: int = 0 =>     y: int = 0\n    z: int = 7
"a b" => "a b c"
@ expect
m.P(1).z == 7 and user.P is m.P and user.Q is m.Q and m.Q(1, 2, 3).c == 3
p.x == 1

## n110-typed-dict: TypedDict and NewType keep their identity
@ file m.py
from typing import TypedDict, NewType, TypeVar, NamedTuple
class D(TypedDict):
    a: int
class Opt(TypedDict, total=False):
    a: int
UserId = NewType("UserId", int)
T = TypeVar("T")
X = 1
@ file user.py
from m import D, UserId, T
@ touch
import m, user
D, UserId, T = m.D, m.UserId, m.T
@ sub m.py
X = 1 => X = 2
class D(TypedDict):\n    a: int => class D(TypedDict):\n    a: int\n    b: str
@ expect
m.D is D and D.__annotations__.keys() == {"a", "b"} and D.__required_keys__ == {"a", "b"} and m.UserId is UserId and m.T is T

## n111-enum-unrelated: an unrelated edit leaves an enum alone
@ file m.py
from enum import Enum
class Color(Enum):
    RED = 1
def f(): return Color.RED
@ touch
import m
Color, red = m.Color, m.Color.RED
@ sub m.py
return Color.RED => return (Color.RED,)
@ expect
m.f() == (red,) and m.f()[0] is red and m.Color is Color

## n112-enum-method: a method, a property, a classmethod
@ file m.py
from enum import Enum
class Color(Enum):
    RED = 1
    GREEN = 2
    def label(self): return self.name
    @property
    def code(self): return self.value
    @classmethod
    def first(cls): return cls.RED
@ touch
import m
Color, red = m.Color, m.Color.RED
@ edit m.py
from enum import Enum
class Color(Enum):
    RED = 1
    GREEN = 2
    def label(self): return self.name.lower()
    @property
    def code(self): return self.value * 10
    @classmethod
    def first(cls): return cls.GREEN
    def new(self): return "new " + self.name
@ expect
red.label() == "red" and red.code == 10 and Color.first() is Color.GREEN and red.new() == "new RED" and m.Color is Color and Color.RED is red

## n113-enum-member: added, removed, value changed, alias; members keep identity
@ file m.py
from enum import Enum
class Color(Enum):
    RED = 1
    GREEN = 2
    OLD = 3
@ file user.py
from m import Color
table = {Color.RED: "r", Color.GREEN: "g"}
def name(x):
    match x:
        case Color.RED: return "red"
        case Color.GREEN: return "green"
    return "?"
@ touch
import m, user, pickle
Color, red, green, old = m.Color, m.Color.RED, m.Color.GREEN, m.Color.OLD
@ edit m.py
from enum import Enum
class Color(Enum):
    BLUE = 9
    RED = 1
    GREEN = 20
    CRIMSON = 1
@ expect
m.Color is Color and Color.RED is red and Color.GREEN is green and green.value == 20 and Color(20) is green
list(Color) == [Color.BLUE, red, green] and Color.CRIMSON is red and not hasattr(Color, "OLD")
Color(9) is Color.BLUE and Color["BLUE"] is Color.BLUE and isinstance(Color.BLUE, Color)
user.table[red] == "r" and user.name(red) == "red" and user.name(green) == "green"
pickle.loads(pickle.dumps(Color.BLUE)) is Color.BLUE and repr(Color.BLUE) == "<Color.BLUE: 9>" and len(Color) == 3
raises(Color, 3, exc=ValueError) and raises(Color, 2, exc=ValueError)

## n114-flag-strenum-auto: Flag, IntFlag, StrEnum, IntEnum, auto()
@ file m.py
from enum import Flag, IntFlag, StrEnum, IntEnum, auto
class Perm(Flag):
    R = auto()
    W = auto()
class Bits(IntFlag):
    A = 1
    B = 2
class Kind(StrEnum):
    ONE = auto()
class Level(IntEnum):
    LOW = 1
@ touch
import m
Perm, r, rw, one, low, ab = m.Perm, m.Perm.R, m.Perm.R | m.Perm.W, m.Kind.ONE, m.Level.LOW, m.Bits.A | m.Bits.B
@ edit m.py
from enum import Flag, IntFlag, StrEnum, IntEnum, auto
class Perm(Flag):
    R = auto()
    W = auto()
    X = auto()
class Bits(IntFlag):
    A = 1
    B = 2
    C = 4
class Kind(StrEnum):
    ONE = auto()
    TWO = auto()
class Level(IntEnum):
    LOW = 1
    HIGH = 5
@ expect
m.Perm.R is r and (m.Perm.R | m.Perm.W) == rw and (rw | m.Perm.X).value == 7 and m.Perm.X in (rw | m.Perm.X) and ~m.Perm.X == rw
m.Kind.TWO == "two" and m.Kind.ONE is one and m.Level.HIGH > low and m.Level(5) is m.Level.HIGH and m.Level.HIGH == 5
(ab | m.Bits.C) == 7 and isinstance(ab | m.Bits.C, m.Bits) and list(m.Perm) == [r, m.Perm.W, m.Perm.X]

## n113-enum-tuple-values: members with __init__ and attributes
@ file m.py
from enum import Enum
class Planet(Enum):
    EARTH = (1, "blue")
    MARS = (2, "red")
    def __init__(self, n, color):
        self.n = n
        self.color = color
@ touch
import m
earth = m.Planet.EARTH
@ sub m.py
(1, "blue") => (1, "green")
    MARS = (2, "red") =>     MARS = (2, "red")\n    VENUS = (3, "white")
@ expect
m.Planet.EARTH is earth and earth.color == "green" and m.Planet.VENUS.color == "white" and earth.value == (1, "green")

## n115-abc: a virtual subclass registry and cache
@ file m.py
import abc
class A(abc.ABC):
    def f(self): return 1
class Virtual: pass
A.register(Virtual)
@ touch
import m
v = m.Virtual()
class Mine: pass
m.A.register(Mine)
@ sub m.py
return 1 => return 2
@ expect
isinstance(v, m.A) and issubclass(Mine, m.A) and m.A().f() == 2

## n116-abstract: an abstract method is added, made concrete, implemented in a subclass
@ file m.py
import abc
class A(abc.ABC):
    @abc.abstractmethod
    def f(self): ...
class B(A):
    def f(self): return 1
class C(B): pass
@ touch
import m
b = m.B()
@ edit m.py
import abc
class A(abc.ABC):
    @abc.abstractmethod
    def f(self): ...
    @abc.abstractmethod
    def g(self): ...
class B(A):
    def f(self): return 1
class C(B): pass
@ expect
raises(m.B, exc=TypeError) and raises(m.C, exc=TypeError) and b.f() == 1
@ edit m.py
import abc
class A(abc.ABC):
    @abc.abstractmethod
    def f(self): ...
    @abc.abstractmethod
    def g(self): ...
class B(A):
    def f(self): return 1
    def g(self): return 2
class C(B): pass
@ expect
m.B().g() == 2 and m.C().g() == 2 and b.g() == 2 and raises(m.A, exc=TypeError)
@ edit m.py
import abc
class A(abc.ABC):
    def f(self): return "f"
    def g(self): return "g"
class B(A):
    def g(self): return 2
class C(B): pass
@ expect
m.A().f() == "f" and b.f() == "f" and m.C().g() == 2

## n116-abstract-elsewhere: the abstract base is in another module
@ file base.py
import abc
class A(abc.ABC):
    @abc.abstractmethod
    def f(self): ...
@ file m.py
from base import A
class B(A):
    def f(self): return 1
@ touch
import m, base
@ sub base.py
    def f(self): ... =>     def f(self): ...\n    @abc.abstractmethod\n    def g(self): ...
@ expect
raises(m.B, exc=TypeError)
@ sub m.py
return 1 => return 1\n    def g(self): return 2
@ expect
m.B().g() == 2

## n117-generic: Generic[T] and PEP 560: method edited, attribute added, parameters changed
@ file m.py
from typing import Generic, TypeVar
T = TypeVar("T")
S = TypeVar("S")
class Box(Generic[T]):
    def __init__(self, x): self.x = x
    def get(self): return self.x
class IntBox(Box[int]):
    pass
@ touch
import m
Box, box, ibox = m.Box, m.Box[int](1), m.IntBox(2)
@ edit m.py
from typing import Generic, TypeVar
T = TypeVar("T")
S = TypeVar("S")
class Box(Generic[T]):
    kind = "box"
    def __init__(self, x): self.x = x
    def get(self): return [self.x]
class IntBox(Box[int]):
    def more(self): return self.get() * 2
@ expect
m.Box is Box and box.get() == [1] and ibox.more() == [2, 2] and box.kind == "box" and m.Box[str]("a").get() == ["a"]
@ sub m.py
class Box(Generic[T]): => class Box(Generic[T, S]):
Box[int] => Box[int, str]
@ expect
m.Box[int, str](3).get() == [3] and box.get() == [1] and isinstance(box, m.Box)
m.Box.__parameters__ == (m.T, m.S)

## n117-generic-pep695 [py312]: class Box[T]
@ file m.py
class Box[T]:
    kind = "old"
    def __init__(self, x: T): self.x = x
    def get(self) -> T: return self.x
    def other[S](self, s: S) -> tuple[T, S]: return (self.x, s)
class Sub[T](Box[T]):
    def get(self): return "sub"
@ touch
import m
Box, box, sub = m.Box, m.Box[int](1), m.Sub(2)
@ edit m.py
class Box[T]:
    kind = "new"
    def __init__(self, x: T): self.x = x
    def get(self) -> list[T]: return [self.x]
    def other[S](self, s: S) -> tuple[T, S]: return (s, self.x)
    def fresh(self, y: T) -> T: return y
class Sub[T](Box[T]):
    def get(self): return super().get() + ["sub"]
@ expect
m.Box is Box and box.get() == [1] and box.other(2) == (2, 1) and box.fresh(3) == 3 and box.kind == "new" and sub.get() == [2, "sub"]
Box.get.__annotations__["return"].__args__[0] is Box.__type_params__[0]

## n117-pep695-parameters-change [py312]: class Box[T] becomes Box[T, S], and a plain class becomes generic
@ file m.py
class Base: pass
class Box[T]:
    def get(self): return 1
class Plain(Base):
    def get(self): return 1
@ touch
import m
box, plain = m.Box(), m.Plain()
@ sub m.py
class Box[T]:\n    def get(self): return 1 => class Box[T, S]:\n    def get(self): return 2
class Plain(Base):\n    def get(self): return 1 => class Plain[T](Base):\n    def get(self): return 2
@ expect
box.get() == 2 and plain.get() == 2 and isinstance(box, m.Box) and isinstance(plain, m.Plain)
len(m.Box.__type_params__) == 2 and m.Plain[int]().get() == 2

## n118-protocol: a runtime protocol: member added, method edited
@ file m.py
from typing import Protocol, runtime_checkable
@runtime_checkable
class Has(Protocol):
    def f(self): ...
class Impl:
    def f(self): return 1
class Explicit(Has):
    def f(self): return 2
@ touch
import m
impl = m.Impl()
first = isinstance(impl, m.Has)
@ sub m.py
class Has(Protocol):\n    def f(self): ... => class Has(Protocol):\n    def f(self): ...\n    def g(self): ...
@ expect
first and not isinstance(impl, m.Has)
@ sub m.py
class Impl:\n    def f(self): return 1 => class Impl:\n    def f(self): return 1\n    def g(self): return 1
@ expect
isinstance(impl, m.Has) and m.Explicit().f() == 2

## n119-init-subclass: does not run again for a body; runs for what it saw; itself edited
@ file m.py
seen = []
class Base:
    registry = {}
    def __init_subclass__(cls, tag=None, **kw):
        super().__init_subclass__(**kw)
        seen.append(cls.__name__)
        Base.registry[tag or cls.__name__] = cls
class A(Base):
    def f(self): return 1
class B(Base, tag="b"):
    def f(self): return 1
@ touch
import m
A, B, a, b = m.A, m.B, m.A(), m.B()
@ sub m.py
class A(Base):\n    def f(self): return 1 => class A(Base):\n    def f(self): return 2
@ expect
a.f() == 2 and m.seen == ["A", "B"]
@ sub m.py
tag="b" => tag="c"
@ expect
m.B is B and m.Base.registry == {"A": A, "c": B} and isinstance(b, m.B)
Base_subs = sorted(k.__name__ for k in m.Base.__subclasses__())
Base_subs == ["A", "B"]

## n119-init-subclass-body-edited: the body of __init_subclass__ is edited
@ file m.py
class Base:
    def __init_subclass__(cls):
        cls.tag = "old"
class A(Base): pass
@ touch
import m
@ sub m.py
cls.tag = "old" => cls.tag = "new"
@ touch
class Late(m.Base): pass
@ expect
Late.tag == "new"
m.A.tag == "new" or m.A.tag == "old"

## n120-subclasses: no duplicates in __subclasses__ after any of these
@ file m.py
from dataclasses import dataclass
class Base:
    def __init_subclass__(cls): pass
@dataclass
class A(Base):
    x: int = 1
class B(Base):
    y = 1
@ touch
import m
@ edit m.py
from dataclasses import dataclass
class Base:
    def __init_subclass__(cls): pass
@dataclass
class A(Base):
    x: int = 1
    z: int = 2
class B(Base):
    y = 2
    w = 3
@ expect
m.Base.__subclasses__() == [m.A, m.B]

## n121-set-name: descriptors and __set_name__: untouched, edited, added
@ file m.py
calls = []
class Field:
    def __init__(self, default): self.default = default
    def __set_name__(self, owner, name):
        calls.append(name)
        self.name = name
    def __get__(self, obj, owner=None):
        return self if obj is None else obj.__dict__.get(self.name, self.default)
    def __set__(self, obj, value): obj.__dict__[self.name] = value
class C:
    a = Field(1)
    def f(self): return self.a
@ touch
import m
c = m.C(); c.a = 5; other = m.C()
field = m.C.__dict__["a"]
@ sub m.py
return self.a => return self.a + 1
@ expect
c.f() == 6 and m.calls == ["a"] and m.C.__dict__["a"] is field
@ sub m.py
    a = Field(1) =>     a = Field(2)\n    b = Field(3)
@ expect
other.a == 2 and other.b == 3 and c.a == 5 and m.calls[-1] == "b"

## n121-descriptor-edited: the descriptor's own method is edited
@ file m.py
class Upper:
    def __get__(self, obj, owner=None): return "old"
class C:
    a = Upper()
@ touch
import m
c = m.C()
@ sub m.py
return "old" => return "new"
@ expect
c.a == "new"

## n122-class-decorator: changed, added, removed, its arguments
@ file m.py
def mark(value):
    def deco(cls):
        cls.mark = value
        return cls
    return deco
def plain(cls):
    cls.plain = True
    return cls
@mark(1)
class A:
    n = 0
    def f(self): return 1
class B:
    def f(self): return 1
@plain
class C:
    def f(self): return 1
@ touch
import m
A, B, C, a, b, c = m.A, m.B, m.C, m.A(), m.B(), m.C()
A.n = 5
@ edit m.py
def mark(value):
    def deco(cls):
        cls.mark = value
        return cls
    return deco
def plain(cls):
    cls.plain = True
    return cls
@mark(2)
class A:
    n = 0
    def f(self): return 1
@plain
class B:
    def f(self): return 1
class C:
    def f(self): return 1
@ expect
m.A is A and m.B is B and m.C is C and a.mark == 2 and b.plain and A.n == 5
not hasattr(m.C, "plain")

## n122-class-decorator-edited: its implementation is edited, in another module
@ file deco.py
def mark(cls):
    cls.mark = "old"
    return cls
@ file m.py
from deco import mark
@mark
class A:
    n = 0
    def f(self): return 1
@ touch
import m, deco
A, a = m.A, m.A()
A.n = 5
@ sub deco.py
cls.mark = "old" => cls.mark = "new"
@ expect
m.A is A and a.mark == "new" and A.n == 5

## n122-class-decorator-subclass: one that puts a subclass on top
@ file m.py
def wrap(cls):
    class Wrapped(cls):
        def g(self): return "wrapped"
    Wrapped.__name__ = cls.__name__
    Wrapped.__qualname__ = cls.__qualname__
    return Wrapped
@wrap
class A:
    x = 1
    def f(self): return 1
@ touch
import m
A, a = m.A, m.A()
@ sub m.py
return 1 => return 2
x = 1 => x = 2
@ expect
a.f() == 2 and a.x == 2 and a.g() == "wrapped" and isinstance(a, m.A)

## n123-nested: nested classes: methods, attributes, identity, added, removed
@ file m.py
class Outer:
    class Inner:
        x = 1
        def f(self): return 1
        class Deep:
            def g(self): return 1
    class Gone: pass
@ touch
import m
Inner, inner, deep = m.Outer.Inner, m.Outer.Inner(), m.Outer.Inner.Deep()
@ edit m.py
class Outer:
    class Inner:
        x = 2
        def f(self): return 2
        def h(self): return __class__.__qualname__
        class Deep:
            def g(self): return 2
    class New:
        def f(self): return "new"
@ expect
m.Outer.Inner is Inner and inner.f() == 2 and inner.x == 2 and deep.g() == 2 and inner.h() == "Outer.Inner"
m.Outer.New().f() == "new" and not hasattr(m.Outer, "Gone") and m.Outer.New.__qualname__ == "Outer.New"

## n123-nested-dataclass-enum: generated classes inside a class
@ file m.py
from dataclasses import dataclass
from enum import Enum
class Outer:
    @dataclass
    class P:
        x: int = 1
    class Color(Enum):
        RED = 1
@ touch
import m
P, p, Color, red = m.Outer.P, m.Outer.P(), m.Outer.Color, m.Outer.Color.RED
@ sub m.py
        x: int = 1 =>         x: int = 1\n        y: int = 2
        RED = 1 =>         RED = 1\n        BLUE = 2
@ expect
m.Outer.P is P and p.y == 2 and m.Outer.Color is Color and Color.RED is red and Color.BLUE.value == 2

## n124-dunder: __len__, __call__, __eq__, __hash__, __getattr__, __iter__ come and go
@ file m.py
class C:
    def __init__(self, x): self.x = x
class D:
    def __len__(self): return 3
    def __eq__(self, other): return True
@ touch
import m
c, c2, d = m.C(1), m.C(1), m.D()
table = {c: "here"}
@ edit m.py
class C:
    def __init__(self, x): self.x = x
    def __len__(self): return 2
    def __call__(self, y): return y
    def __iter__(self): return iter("ab")
    def __getattr__(self, name): return name
    def __add__(self, other): return "added"
    def __bool__(self): return False
    def __contains__(self, x): return True
class D:
    pass
@ expect
len(c) == 2 and c(3) == 3 and list(c) == ["a", "b"] and c.anything == "anything" and c + 1 == "added" and not c and 5 in c
table[c] == "here" and raises(len, d, exc=TypeError) and d != m.D() and hash(d) == hash(d)
@ edit m.py
class C:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return self.x == other.x
    def __hash__(self): return 7
class D:
    def __eq__(self, other): return True
@ expect
c == c2 and hash(c) == 7 and raises(len, c, exc=TypeError) and d == 1 and raises(hash, d, exc=TypeError)

## n125-guarded-setattr: a class and a metaclass with a guarded __setattr__
@ file m.py
class Meta(type):
    def __setattr__(cls, name, value): raise AttributeError("closed")
class C(metaclass=Meta):
    n = 1
    def f(self): return 1
class D:
    def __init__(self): object.__setattr__(self, "x", 1)
    def __setattr__(self, name, value): raise AttributeError("closed")
    def f(self): return 1
@ touch
import m
c, d = m.C(), m.D()
@ edit m.py
class Meta(type):
    def __setattr__(cls, name, value): raise AttributeError("closed")
class C(metaclass=Meta):
    n = 2
    def f(self): return 2
class D:
    def __init__(self):
        object.__setattr__(self, "x", 1)
        self.y = 5
    def __setattr__(self, name, value): raise AttributeError("closed")
    def f(self): return 2
@ expect
c.f() == 2 and c.n == 2 and d.f() == 2 and raises(setattr, c.__class__, "n", 1, exc=AttributeError)

## n126-key-except-match: a class as a dict key, in except, in match
@ file m.py
class A:
    __match_args__ = ("x",)
    def __init__(self, x): self.x = x
class E(Exception): pass
@ file user.py
from m import A, E
table = {A: "a"}
def kind(v):
    match v:
        case A(x): return ("A", x)
    return None
def guard(fn):
    try: fn()
    except (E, KeyError): return "caught"
@ touch
import m, user
a = m.A(1)
def throw(): raise m.E
@ edit m.py
class A:
    __match_args__ = ("y", "x")
    def __init__(self, x):
        self.x = x
        self.y = 0
class E(Exception):
    code = 1
@ expect
user.table[m.A] == "a" and user.kind(a) == ("A", 0) and user.guard(throw) == "caught"

## n127-init-attribute: __init__ gains attributes: literals, containers, annotated, tuple, and one that follows
@ file m.py
class C:
    def __init__(self, x):
        self.x = x
class Sub(C):
    pass
class Slots:
    __slots__ = ("a", "b")
    def __init__(self): self.a = 1
@ touch
import m
c, sub, slots = m.C(1), m.Sub(2), m.Slots()
c.tags = "mine"
@ edit m.py
class C:
    def __init__(self, x):
        self.x = x
        self.y = 5
        self.tags = []
        self.table: dict[str, int] = {}
        self.a, self.b = 1, (2, 3)
        self.double = x * 2
        if x:
            self.conditional = 1
class Sub(C):
    pass
class Slots:
    __slots__ = ("a", "b")
    def __init__(self):
        self.a = 1
        self.b = None
@ expect
c.y == 5 and c.tags == "mine" and c.table == {} and (c.a, c.b) == (1, (2, 3)) and sub.y == 5 and sub.tags == [] and slots.b is None
not hasattr(c, "double") and said("double") and m.C(2).double == 4 and sub.table is not c.table

## n127-init-inherited: a subclass with its own __init__ that does not call super() is left alone or filled
@ file m.py
class A:
    def __init__(self): self.a = 1
class B(A):
    def __init__(self):
        super().__init__()
        self.b = 1
@ touch
import m
b = m.B()
@ sub m.py
self.a = 1 => self.a = 1; self.more = []
@ expect
b.more == [] and m.B().more == []

## n128-del-weakref: __del__, weak references and weak-key dicts
@ file m.py
out = []
class C:
    def __del__(self): out.append("old")
    def f(self): return 1
@ touch
import m, weakref
c = m.C(); weak = weakref.ref(c); keys = weakref.WeakKeyDictionary({c: 1})
classes = weakref.WeakSet([m.C])
@ sub m.py
out.append("old") => out.append("new")
return 1 => return 2
@ expect
weak() is c and keys[c] == 1 and m.C in classes and weak().f() == 2
@ touch
del c
gc.collect()
@ expect
m.out == ["new"] and weak() is None and len(keys) == 0

## n129-immutable: what C made is not a class of the program's: a name bound to it
@ file m.py
import collections
Table = dict
Deque = collections.deque
class Mine(collections.OrderedDict):
    def f(self): return 1
@ touch
import m
mine = m.Mine()
@ sub m.py
Table = dict => Table = list
return 1 => return 2
@ expect
m.Table is list and mine.f() == 2

## n130-attrs [needs-attrs]: attrs classes: method, attribute added, slots
@ file m.py
import attrs
@attrs.define(slots=False)
class P:
    x: int
    def f(self): return self.x
@attrs.define
class S:
    x: int = 1
    def f(self): return self.x
@attrs.frozen
class F:
    x: int = 1
    def f(self): return self.x
@ touch
import m
P, S, p, s, fr = m.P, m.S, m.P(1), m.S(), m.F()
@ edit m.py
import attrs
@attrs.define(slots=False)
class P:
    x: int
    def f(self): return self.x + 1
@attrs.define
class S:
    x: int = 1
    def f(self): return self.x + 1
@attrs.frozen
class F:
    x: int = 1
    def f(self): return self.x + 1
@ expect
p.f() == 2 and s.f() == 2 and fr.f() == 2 and m.P is P and m.S is S
@ sub m.py
class P:\n    x: int\n => class P:\n    x: int\n    y: int = 9\n    tags: list = attrs.field(factory=list)\n
@ expect
m.P is P and p.y == 9 and p.tags == [] and m.P(1).y == 9 and p == m.P(1) and repr(p) == "P(x=1, y=9, tags=[])"
@ sub m.py
class S:\n    x: int = 1\n => class S:\n    x: int = 1\n    y: int = 9\n
@ expect
report.outcome == "refused" and report.problems[0].code == "MF012"

## n130-attrs-classic [needs-attr]: attr.s and validators
@ file m.py
import attr
@attr.s
class P:
    x = attr.ib(default=1)
    @x.validator
    def check(self, attribute, value):
        if value > 10: raise ValueError
@ touch
import m
P, p = m.P, m.P()
@ sub m.py
value > 10 => value > 5
@ expect
m.P is P and raises(m.P, 6, exc=ValueError) and p == m.P(1)
@ sub m.py
    x = attr.ib(default=1) =>     x = attr.ib(default=2)\n    y = attr.ib(factory=list)
@ expect
m.P is P and m.P().x == 2 and p.x == 1 and p.y == []

## n130-pydantic [needs-pydantic]: method, field added, validator edited, default changed
@ file m.py
from pydantic import BaseModel, field_validator
class P(BaseModel):
    x: int
    def f(self): return self.x
    @field_validator("x")
    @classmethod
    def small(cls, value):
        if value > 10: raise ValueError("big")
        return value
class Sub(P):
    z: int = 0
@ file user.py
from m import P
class Other(P):
    w: int = 1
@ touch
import m, user
P, p, sub = m.P, m.P(x=1), m.Sub(x=1)
@ sub m.py
return self.x => return self.x + 1
@ expect
p.f() == 2 and m.P is P and sub.f() == 2
@ sub m.py
value > 10 => value > 5
@ expect
m.P is P and raises(lambda: m.P(x=6), exc=ValueError) and m.P(x=4).x == 4 and isinstance(p, m.P)
@ sub m.py
    x: int\n =>     x: int\n    y: int = 7\n
@ expect
m.P is P and m.P(x=1).y == 7 and p.y == 7 and m.P(x=1).model_dump() == {"x": 1, "y": 7}
p == m.P(x=1) and p.model_dump() == {"x": 1, "y": 7} and isinstance(sub, P) and m.P.__subclasses__() == [m.Sub, user.Other]
list(m.P.model_fields) == ["x", "y"]

## n130-pydantic-subclass-field [needs-pydantic]: a field comes to a base model: subclasses follow, or it is said
@ file m.py
from pydantic import BaseModel
class Base(BaseModel):
    x: int = 1
class Sub(Base):
    z: int = 0
@ touch
import m
sub = m.Sub()
@ sub m.py
    x: int = 1 =>     x: int = 1\n    y: int = 7
@ expect
m.Base().y == 7
m.Sub().y == 7 or said("Sub")

## n131-readonly-wrappers: staticmethod, property, partial held from before act as the new ones
@ file m.py
import functools
def base(a, b): return (a, b)
class C:
    @staticmethod
    def s(): return 1
    @classmethod
    def k(cls): return 1
    @property
    def p(self): return 1
    part = functools.partialmethod(lambda self, a: ("old", a), 1)
part = functools.partial(base, 1)
@ touch
import m
wrappers = [m.C.__dict__[n] for n in ("s", "k", "p")]
part, c = m.part, m.C()
@ edit m.py
import functools
def base(a, b): return (a, b)
class C:
    @staticmethod
    def s(a=2): return a
    @classmethod
    def k(cls, a=2): return a
    @property
    def p(self) -> int: return 2
    part = functools.partialmethod(lambda self, a: ("new", a), 2)
part = functools.partial(base, 2)
@ expect
[m.C.__dict__[n] for n in ("s", "k", "p")] == wrappers and wrappers[0].__func__() == 2 and c.k() == 2 and wrappers[2].fget(c) == 2
part(5) == (2, 5) and m.part is part and c.part() == ("new", 2)

## n075-class-annotations: annotations of a class body
@ file m.py
class C:
    x: int
    y: str = "a"
@ touch
import m
C = m.C
@ sub m.py
    x: int =>     x: float\n    z: list
@ expect
C.__annotations__ == {"x": float, "z": list, "y": str} and m.C is C

## n075-docstring-of-class: edited, removed
@ file m.py
class C:
    "Old."
    def f(self): return 1
class D:
    "Gone."
@ touch
import m
C, D = m.C, m.D
@ edit m.py
class C:
    "New."
    def f(self): return 1
class D:
    pass
@ expect
C.__doc__ == "New." and D.__doc__ is None and m.C is C

## n082-class-removed-renamed: a class goes, is renamed; instances live on
@ file m.py
class Old:
    def f(self): return 1
class Gone: pass
@ touch
import m
old, gone = m.Old(), m.Gone()
@ edit m.py
class New:
    def f(self): return 2
@ expect
m.New().f() == 2 and not hasattr(m, "Old") and old.f() == 1 and not hasattr(m, "Gone")

## n083-class-level-code: loops and conditionals in a class body
@ file m.py
class C:
    table = {}
    for n in (1, 2):
        table[n] = n * 10
    if True:
        def f(self): return 1
    else:
        def f(self): return -1
@ touch
import m
c, table = m.C(), m.C.table
@ sub m.py
n * 10 => n * 100
def f(self): return 1 => def f(self): return 2
@ expect
c.f() == 2 and m.C.table == {1: 100, 2: 200} and m.C.table is table

## n123-class-in-if: a class in an if and a try
@ file m.py
if True:
    class C:
        x = 1
        def f(self): return 1
try:
    import json
    class D:
        def f(self): return 1
except ImportError:
    D = None
@ touch
import m
C, D, c, d = m.C, m.D, m.C(), m.D()
@ sub m.py
        x = 1\n        def f(self): return 1 =>         x = 2\n        def f(self): return 2
    class D:\n        def f(self): return 1 =>     class D:\n        y = 3\n        def f(self): return 2
@ expect
m.C is C and c.f() == 2 and c.x == 2 and m.D is D and d.f() == 2 and d.y == 3

## n102-no-slots-under-a-dict: to say that it adds none is no other layout where a base has a dict
@ file m.py
class A: pass
class B(A):
    def f(self): return 1
@ touch
import m
b = m.B()
@ sub m.py
class B(A): => class B(A):\n    __slots__ = ()
return 1 => return 2
@ expect
b.f() == 2 and m.B.__slots__ == () and type(b) is m.B
@ sub m.py
class B(A):\n    __slots__ = () => class B(A):
@ expect
b.f() == 2 and "__slots__" not in vars(m.B)

## n122-registering-decorator-gone: what a class is no longer decorated with, and no longer derived from, lets it go
@ file hub.py
TABLE, KINDS = {}, []
def register(name):
    def put(cls):
        TABLE[name] = cls
        return cls
    return put
class Plugin:
    all = {}
    def __init_subclass__(cls):
        cls.all[cls.__name__] = cls
        KINDS.append(cls)
class Other: pass
@ file m.py
from hub import register, Plugin, Other
@register("a")
class A: pass
@register("b")
class B(Plugin): pass
@ touch
import hub, m
hub.Other.mine = [m.A, m.B]
@ sub m.py
@register("a")\n =>
class B(Plugin) => class B(Other)
@ expect
list(hub.TABLE) == ["b"] and hub.Plugin.all == {} and hub.KINDS == []
hub.Other.mine == [m.A, m.B]

## n109-fields-less: what a call makes loses what it has no more; a type variable reaches the classes that it is of
@ file m.py
from collections import namedtuple
from typing import Generic, TypeVar
Row = namedtuple("Row", "a b c")
T = TypeVar("T", bound=int)
class Box(Generic[T]):
    x: T
class Below(Box[T]): pass
@ touch
import m
@ sub m.py
"a b c" => "a b"
bound=int => bound=float
@ expect
not hasattr(m.Row, "c") and m.Row(1, 2).b == 2
m.Box.__parameters__ == m.Below.__parameters__ == (m.T,) and m.T.__bound__ is float

## n123-value-of-a-member: a class body's values follow what stands in it, also where the operator is in a function
@ file m.py
from functools import lru_cache
class Money:
    def __init__(self, n): self.n = n
    def __add__(self, other): return self.n + other.n
ONE = Money(1)
@lru_cache
def total(): return ONE + ONE
class Box:
    class Part:
        size = 1
        def area(self): return 2
    def helper(): return 3
    class Named:
        def __set_name__(self, owner, name): self.name = name
    made = Named()
    size, area, helped = Part.size, Part().area(), helper()
    def __init__(self): self.old = 1
@ touch
import m
total, box = m.total, m.Box()
total()
@ sub m.py
size = 1 => size = 10
return 2 => return 20
return 3 => return 30
self.n + other.n => self.n - other.n
self.name = name => self.name = name.upper()
self.old => self.new
@ expect
(m.Box.size, m.Box.area, m.Box.helped, total()) == (10, 20, 30, 0)
said("Box.made") and m.Box.made.name == "made"
set(getattr(m.Box, "__static_attributes__", ("new",))) == {"new"}

## n107-attribute-names-another: a class that is made again holds another object now; neither of them becomes the other
@ file m.py
import enum
from dataclasses import dataclass
class E(enum.Enum):
    A = 1
    B = 2
class V:
    def __init__(self, n): self.n = n
class Call(V):
    def __call__(self): return self.n
ONE, TWO, F, G = V(1), V(2), Call(1), Call(2)
@dataclass
class D:
    x: int = 1
    member = E.A
    value = ONE
    call = F
    own = V(5)
@ touch
import m
a, b, own = m.E.A, m.E.B, m.D.own
held = m.ONE, m.TWO, m.F, m.G
@ sub m.py
x: int = 1 => x: int = 2
member = E.A => member = E.B
value = ONE => value = TWO
call = F => call = G
own = V(5) => own = V(6)
@ expect
m.D.member is b is m.E.B and m.E.A is a and (a.name, a.value) == ("A", 1)
(m.ONE, m.TWO, m.F, m.G) == held and [one.n for one in held] == [1, 2, 1, 2]
m.D.value is m.TWO and m.D.call is m.G and m.F() == 1 and own.n == 5 and m.D.own.n == 6
""",
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_classes(row: Any, tmp_path: Path) -> None:
    run_row(row, tmp_path)
