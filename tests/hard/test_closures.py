"""Lines 54-61 of the hard cases: closures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import parse
from hard.harness import run_row

ROWS = parse(
    "closures",
    r"""
## n054-already-created: closures that live somewhere get the new inner code and keep what they captured
@ file m.py
def make(n):
    def inner(x):
        return x + n
    return inner
@ file user.py
from m import make
adders = {"one": make(1)}
class Holder:
    def __init__(self):
        self.fn = make(2)
holder = Holder()
@ touch
import m, user
ten = m.make(10)
@ sub m.py
return x + n => return x * n
@ expect
ten(3) == 30 and user.adders["one"](3) == 3 and user.holder.fn(3) == 6

## n054-lambda-inside: a lambda inside a function, two levels
@ file m.py
def make(n):
    def middle(k):
        return lambda x: (x, n, k)
    return middle
@ touch
import m
middle = m.make(1); leaf = middle(2)
@ sub m.py
(x, n, k) => (x, k, n, "new")
@ expect
leaf(0) == (0, 2, 1, "new") and middle(5)(0) == (0, 5, 1, "new")

## n054-defaults-of-inner: the defaults of an inner function are edited: new closures have them
@ file m.py
def make(n):
    def inner(x=1):
        return x + n
    return inner
@ touch
import m
inner = m.make(10)
@ sub m.py
def inner(x=1): => def inner(x=2):
return x + n => return x * n
@ expect
m.make(10)() == 20
inner(3) == 30

## n054-inner-signature: a parameter comes to an inner function that lives
@ file m.py
def make(n):
    def inner(x):
        return x + n
    return inner
@ touch
import m
inner = m.make(10)
@ sub m.py
def inner(x): => def inner(x, y):
return x + n => return x + y + n
@ expect
inner(1, 2) == 13 and m.make(1)(1, 1) == 3

## n054-inner-renamed: an inner function is renamed
@ file m.py
def make(n):
    def inner(x):
        return x + n
    return inner
@ touch
import m
held = m.make(10)
@ sub m.py
def inner(x): => def renamed(x):
return x + n => return x * n
return inner => return renamed
@ expect
m.make(2)(3) == 6
held(3) in (13, 30)

## n055-new-ones: what the factory makes from now on
@ file m.py
def make(n):
    def inner(x):
        return x + n
    return inner
@ touch
import m
make = m.make
@ sub m.py
return x + n => return x - n
return inner => return [inner]
@ expect
make(1)[0](5) == 4 and m.make is make

## n056-nonlocal: the state of a closure stays
@ file m.py
def counter():
    n = 0
    def bump():
        nonlocal n
        n += 1
        return n
    def peek():
        return n
    return bump, peek
@ touch
import m
bump, peek = m.counter()
bump(); bump()
@ sub m.py
n += 1 => n += 10
@ expect
bump() == 12 and peek() == 12

## n057-captured-added: a newly captured variable that a sibling closure has, or that cannot be had
@ file m.py
def make(a, b):
    def inner():
        return a
    return inner
@ touch
import m
inner = m.make(1, 2)
@ sub m.py
return a => return (a, b)
@ expect
m.make(1, 2)() == (1, 2)
inner() == 1 and said("make.inner")

## n057-captured-removed: a captured variable less
@ file m.py
def make(a, b):
    def inner():
        return (a, b)
    return inner
@ touch
import m
inner = m.make(1, 2)
@ sub m.py
return (a, b) => return a
@ expect
inner() == 1 and m.make(5, 6)() == 5

## n057-captured-none-left: none is left
@ file m.py
def make(a):
    def inner():
        return a
    return inner
@ touch
import m
inner = m.make(1)
@ sub m.py
return a => return "none"
@ expect
inner() == "none" and m.make(3)() == "none"

## n057-captured-exchanged: one captured for another, order of names
@ file m.py
def make(z, a):
    def inner():
        return z
    def other():
        return (a, z)
    return inner, other
@ touch
import m
inner, other = m.make(1, 2)
@ sub m.py
return (a, z) => return (z, a, z)
@ expect
other() == (1, 2, 1) and inner() == 1

## n057-inner-added: an inner function is added beside one that lives
@ file m.py
def make(n):
    def inner(x):
        return x + n
    return inner
@ touch
import m
inner = m.make(10)
@ edit m.py
def make(n):
    def helper(x):
        return x * 2
    def inner(x):
        return helper(x) + n
    return inner
@ expect
m.make(10)(1) == 12
inner(1) == 12 or (inner(1) == 11 and said("make.inner"))

## n057-recursive: an inner function that calls itself, and comes to do so
@ file m.py
def make():
    def fact(n):
        return 1 if n < 2 else n * fact(n - 1)
    return fact
def make2():
    def down(n):
        return n
    return down
@ touch
import m
fact, down = m.make(), m.make2()
@ sub m.py
n * fact(n - 1) => n + fact(n - 1)
        return n\n    return down =>         return [n] + (down(n - 1) if n else [])\n    return down
@ expect
fact(4) == 10
m.make2()(2) == [2, 1, 0]
down(2) == [2, 1, 0] or said("make2.down")

## n057-captured-none-left-then-again: none is left, then the body is edited, then it is captured again
@ file m.py
def make(a):
    def inner():
        return a
    return inner
@ touch
import m
inner, other = m.make(1), m.make(2)
@ sub m.py
return a => return "none"
@ expect
inner() == "none" and other() == "none"
@ sub m.py
return "none" => return "still none"
@ expect
inner() == "still none" and other() == "still none" and m.make(3)() == "still none"
@ sub m.py
return "still none" => return ("again", a)
@ expect
inner() == ("again", 1) and other() == ("again", 2) and m.make(3)() == ("again", 3)

## n058-cells: the cells of a held closure are the same objects
@ file m.py
def make(a):
    def inner():
        return a
    return inner
@ touch
import m
inner = m.make([1])
cell, contents = inner.__closure__[0], inner.__closure__[0].cell_contents
@ sub m.py
return a => return (a, a)
@ expect
inner.__closure__[0] is cell and cell.cell_contents is contents and inner() == ([1], [1])
inner.__globals__ is vars(m)

## n059-local-class: methods of a class made in a function
@ file m.py
def make(n):
    class Local:
        def f(self):
            return n
        @property
        def p(self):
            return 1
    return Local
@ touch
import m
Local = m.make(5); obj = Local()
bound = obj.f
@ sub m.py
            return n =>             return n * 2
            return 1 =>             return 2
@ expect
obj.f() == 10 and bound() == 10 and obj.p == 2 and m.make(1)().f() == 2

## n059-local-class-super: with super() and a closure
@ file m.py
class Base:
    def f(self):
        return ["base"]
def make(n):
    class Local(Base):
        def f(self):
            return super().f() + [n]
    return Local
@ touch
import m
obj = m.make(5)()
@ sub m.py
super().f() + [n] => super().f() + [n, n]
@ expect
obj.f() == ["base", 5, 5]

## n059-closure-in-method: a closure made in a method
@ file m.py
class C:
    def __init__(self, n):
        self.n = n
    def make(self):
        def inner():
            return self.n
        return inner
@ touch
import m
inner = m.C(4).make()
@ sub m.py
return self.n => return self.n + 1
@ expect
inner() == 5

## n060-comprehensions: the scopes of comprehensions and generator expressions, edited; a suspended one keeps its code
@ file m.py
def f(items):
    return [x + 1 for x in items], {x: x for x in items}, sum(x for x in items)
def lazily(items):
    return (x + 1 for x in items)
@ touch
import m
f = m.f
going = m.lazily([1, 2]); next(going)
@ sub m.py
[x + 1 for x in items] => [x + 2 for x in items if x]
sum(x for => sum(x * 2 for
(x + 1 for x in items) => (x + 5 for x in items)
@ expect
f([0, 1]) == ([3], {0: 0, 1: 1}, 2)
list(going) == [3] and list(m.lazily([1])) == [6]

## n060-comprehension-class-body: a comprehension in a class body and at top level
@ file m.py
items = [1, 2]
doubled = [x * 2 for x in items]
class C:
    values = [x + 1 for x in (1, 2)]
@ touch
import m
doubled, values = m.doubled, m.C.values
@ sub m.py
x * 2 => x * 3
x + 1 => x + 5
@ expect
m.doubled == [3, 6] and m.C.values == [6, 7]

## n061-captured-default: objects captured by a default argument stay
@ file m.py
class Box:
    pass
def f(x, box=Box(), seen=[]):
    seen.append(x)
    return box
@ touch
import m
f, box = m.f, m.f(1)
@ sub m.py
return box => return box, list(seen)
@ expect
f(2) == (box, [1, 2]) and m.f is f

## n061-default-of-default: a default that was edited beside one that was not
@ file m.py
def f(a={}, b={}):
    return a, b
@ touch
import m
f = m.f
a, b = f()
a["x"] = 1
@ sub m.py
b={} => b={"new": 1}
@ expect
f()[0] is a and f() == ({"x": 1}, {"new": 1})

## n057-super-in-closure: super() newly used in a function inside a method
@ file m.py
class Base:
    def f(self):
        return 1
class C(Base):
    def f(self):
        def inner():
            return 0
        return inner
@ touch
import m
c = m.C(); bound = c.f
@ sub m.py
            return 0 =>             return super(C, self).f() + 10
@ expect
c.f()() == 11 and bound()() == 11

## n054-async-closure: a coroutine function inside
@ file m.py
def make(n):
    async def inner(x):
        return x + n
    return inner
@ touch
import m
inner = m.make(1)
@ sub m.py
return x + n => return x * 100 + n
@ expect
asyncio.run(inner(1)) == 101

## n055-factory-becomes-plain: a factory that no longer makes closures
@ file m.py
def make(n):
    def inner(x):
        return x + n
    return inner
@ touch
import m
make, inner = m.make, m.make(1)
@ edit m.py
def make(n):
    return n
@ expect
make(4) == 4 and inner(1) == 2 and m.make is make

## n096-super-new-in-a-block: super() newly used in classes that stand in an `if`, and in one that a method makes
@ file m.py
if True:
    class Base:
        def f(self): return "b"
    class Inner(Base):
        def f(self): return "i"
        def make(self):
            class Local(Inner):
                def f(self): return "l"
            return Local()
@ touch
import m
inner, one, two = m.Inner().f, m.Inner().make(), m.Inner().make()
held = one.f
@ sub m.py
return "i" => return super().f() + "i"
return "l" => return super().f() + "l"
@ expect
inner() == "bi" and held() == "bil" and two.f() == "bil" and m.Inner().make().f() == "bil"
type(one) is not type(two) and said("closure") is False
@ sub m.py
return super().f() + "l" => return __class__.__name__ + super().f()
@ expect
held() == "Localbi" and two.f() == "Localbi"
@ sub m.py
return __class__.__name__ + super().f() => return "l"
@ expect
held() == "l" and m.Inner().make().f() == "l"

## n057-forwards-no-more: a closure that had to call another one for a while shows its own parameters again
@ file m.py
def make():
    n = 1
    def f(a): return n
    return f
f = make()
@ touch
import m
f = m.f
@ sub m.py
    def f(a): return n =>     step = 5\n    def f(a, b=2): return n + step
@ expect
f is m.f and f(0) == 6 and list(inspect.signature(f).parameters) == ["a", "b"]
@ sub m.py
    step = 5\n    def f(a, b=2): return n + step =>     def f(c): return n
@ expect
f is m.f and f(0) == 1 and list(inspect.signature(f).parameters) == ["c"] and not hasattr(f, "__wrapped__")
""",
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_closures(row: Any, tmp_path: Path) -> None:
    run_row(row, tmp_path)
