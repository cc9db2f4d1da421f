"""Module state, constants and what was derived from them (HARD-CASES 132-148; SEMANTICS sections 1 and 4)."""

from __future__ import annotations

import pathlib

import pytest

from .harness import Case, play, table

STATE = r"""
# n132-counter: a counter that the program bumped survives an edit of what bumps it
[file m.py]
count = 0
def hit():
    global count
    count += 1
    return count
[run]
import m
m.hit(); m.hit()
[sub m.py]
count += 1 => count += 10
[expect]
m.count == 2
m.hit() == 12

# n132-counter-on-class: a counter on a class survives an edit of its class
[file m.py]
class Job:
    made = 0
    def __init__(self):
        Job.made += 1
    def run(self):
        return 1
[run]
import m
m.Job(); j = m.Job()
[sub m.py]
return 1 => return 2
[expect]
m.Job.made == 2
j.run() == 2

# n132-counter-initialiser-edited: editing an initialiser starts the value again
[file m.py]
count = 0
[run]
import m
m.count = 7
[sub m.py]
count = 0 => count = 1
[expect]
m.count == 1

# n132-itertools-counter: an opaque counter goes on
[file m.py]
import itertools
ids = itertools.count()
def take():
    return next(ids)
[run]
import m
m.take(); m.take()
ids = m.ids
[sub m.py]
return next(ids) => return next(ids) * 100
[expect]
m.ids is ids
m.take() == 200

# n133-cache-dict: a cache keeps its identity and its content
[file m.py]
cache = {}
def get(k):
    return cache.setdefault(k, k * 2)
[run]
import m
m.get(3)
cache = m.cache
[sub m.py]
k * 2 => k * 3
[expect]
m.cache is cache and cache == {3: 6}
m.get(4) == 12

# n133-cache-in-default: a mutable default is state too
[file m.py]
def get(k, seen={}):
    seen.setdefault(k, 1)
    return seen
[run]
import m
seen = m.get("a")
[sub m.py]
seen.setdefault(k, 1) => seen.setdefault(k, 2)
[expect]
m.get("b") is seen and seen == {"a": 1, "b": 2}

# n133-default-of-edited-signature: an unedited default object stays when another parameter comes
[file m.py]
def get(k, seen={}):
    seen.setdefault(k, 1)
    return seen
[run]
import m
seen = m.get("a")
[sub m.py]
seen={}) => seen={}, n=2)
[expect]
m.get("b") is seen

# n134-lock-and-contextvar: locks and context variables are the same object, set and held as before
[file m.py]
import threading, contextvars
lock = threading.Lock()
var = contextvars.ContextVar("var", default=0)
def f():
    return 1
[run]
import m
m.lock.acquire(); m.var.set(5)
lock, var = m.lock, m.var
[sub m.py]
return 1 => return 2
[expect]
m.lock is lock and lock.locked() and m.var is var and var.get() == 5
m.f() == 2

# n134-connection-kept-and-named: an opaque value built from a constant that changed is kept, and the report says so
[file m.py]
class Client:
    def __init__(self, timeout):
        self.timeout = timeout
TIMEOUT = 5
client = Client(TIMEOUT)
[run]
import m
client = m.client
[sub m.py]
TIMEOUT = 5 => TIMEOUT = 6
[expect]
m.client is client and client.timeout == 5 and m.TIMEOUT == 6
told("kept `client`, built from `TIMEOUT` which changed")
"client" in report.modules["m"].kept

# n134-connection-kept-across-modules: ... also when the constant is another module's
[file conf.py]
TIMEOUT = 5
[file m.py]
import conf, threading
from conf import TIMEOUT as T
a = threading.Semaphore(conf.TIMEOUT)
b = threading.Semaphore(T)
[run]
import m
a, b = m.a, m.b
[sub conf.py]
TIMEOUT = 5 => TIMEOUT = 6
[expect]
m.a is a and m.b is b and m.T == 6
told("kept `a`", "`conf.TIMEOUT`")
told("kept `b`", "`T`")
report.modules["m"].kept == ("a", "b")

# n134-kept-through-class-edit: an instance made by an edited class is not made again; methods are new
[file m.py]
class Client:
    def __init__(self):
        self.n = 1
    def get(self):
        return 1
client = Client()
[run]
import m
client = m.client
client.n = 9
[sub m.py]
return 1 => return 2
[expect]
m.client is client and client.get() == 2 and client.n == 9

# n135-constant: a constant changed
[file m.py]
LIMIT = 1
def f():
    return LIMIT
[run]
import m
f = m.f
[sub m.py]
LIMIT = 1 => LIMIT = 2
[expect]
f() == 2 and m.f is f

# n135-constant-rebound-since: a constant that the program set, edited: editing is the way to start it again
[file m.py]
LIMIT = 1
[run]
import m
m.LIMIT = 50
[sub m.py]
LIMIT = 1 => LIMIT = 2
[expect]
m.LIMIT == 2

# n135-types-of-equal-values: 1, 1.0 and True are equal but not the same value
[file m.py]
A = 1
B = 0.0
C = (1, 2)
[run]
import m
[edit m.py]
A = True
B = -0.0
C = (1.0, 2)
[expect]
m.A is True and repr(m.B) == "-0.0" and repr(m.C) == "(1.0, 2)"

# n135-tuple-unpacking: several names from one statement
[file m.py]
A, (B, C) = 1, (2, 3)
TOTAL = A + B + C
[run]
import m
[sub m.py]
(2, 3) => (2, 30)
[expect]
(m.A, m.B, m.C, m.TOTAL) == (1, 2, 30, 33)

# n135-chained-assignment: two names of one value
[file m.py]
A = B = 1
[run]
import m
[sub m.py]
= 1 => = 2
[expect]
m.A == m.B == 2

# n135-annotated: annotations and values follow
[file m.py]
LIMIT: int = 1
[run]
import m
[sub m.py]
int = 1 => float = 2.5
[expect]
m.LIMIT == 2.5 and m.__annotations__ == {"LIMIT": float}

# n135-annotation-removed: an annotation that went is gone
[file m.py]
LIMIT: int = 1
OTHER: str = "a"
[run]
import m
[edit m.py]
LIMIT = 1
OTHER: str = "a"
[expect]
m.LIMIT == 1 and m.__annotations__ == {"OTHER": str}

# n135-walrus: bound by an expression
[file m.py]
print_me = [(N := 5), N + 1]
[run]
import m
[sub m.py]
N := 5 => N := 6
[expect]
m.N == 6 and m.print_me == [6, 7]

# n136-by-value-in-importers: a name copied through several modules
[file a.py]
LIMIT = 1
[file b.py]
from a import LIMIT
[file c.py]
from b import LIMIT as CAP
def f():
    return CAP
[run]
import c, b
f = c.f
[sub a.py]
LIMIT = 1 => LIMIT = 2
[expect]
(b.LIMIT, c.CAP, f()) == (2, 2, 2)
"CAP" in report.modules["c"].rebound

# n136-copy-rebound-since-stays: a copy that the program set to something else stays
[file a.py]
LIMIT = 1
[file b.py]
from a import LIMIT
[run]
import b
b.LIMIT = 77
[sub a.py]
LIMIT = 1 => LIMIT = 2
[expect]
b.LIMIT == 77
told("b", "LIMIT")

# n136-assigned-copy: `X = other.X` at module level
[file a.py]
LIMIT = 1
[file b.py]
import a
CAP = a.LIMIT
DOUBLE = a.LIMIT * 2
[run]
import b
[sub a.py]
LIMIT = 1 => LIMIT = 2
[expect]
(b.CAP, b.DOUBLE) == (2, 4)

# n136-import-in-try: an import inside try/except
[file a.py]
LIMIT = 1
[file b.py]
try:
    from a import LIMIT
except ImportError:
    LIMIT = None
[run]
import b
[sub a.py]
LIMIT = 1 => LIMIT = 2
[expect]
b.LIMIT == 2

# n136-import-in-if: an import inside if
[file a.py]
LIMIT = 1
[file b.py]
import sys
if sys.version_info >= (3, 8):
    from a import LIMIT
else:
    LIMIT = 0
DOUBLE = LIMIT * 2
[run]
import b
[sub a.py]
LIMIT = 1 => LIMIT = 2
[expect]
(b.LIMIT, b.DOUBLE) == (2, 4)

# n136-import-in-function: names imported inside a function are new at the next call
[file a.py]
LIMIT = 1
[file b.py]
def f():
    from a import LIMIT
    return LIMIT
[run]
import b
b.f()
[sub a.py]
LIMIT = 1 => LIMIT = 2
[expect]
b.f() == 2

# n136-import-in-class: names imported in a class body
[file a.py]
LIMIT = 1
[file b.py]
class C:
    from a import LIMIT
    def get(self):
        return self.LIMIT
[run]
import b
c = b.C()
[sub a.py]
LIMIT = 1 => LIMIT = 2
[expect]
c.get() == 2

# n136-import-dotted-as: `import a.b as c`
[file pkg/__init__.py]
[file pkg/conf.py]
LIMIT = 1
[file m.py]
import pkg.conf as c
import pkg.conf
LIMITS = [c.LIMIT, pkg.conf.LIMIT]
def f(x=c.LIMIT, *, y=pkg.conf.LIMIT):
    return x, y
[run]
import m
limits, f = m.LIMITS, m.f
[sub pkg/conf.py]
LIMIT = 1 => LIMIT = 2
[expect]
m.LIMITS is limits and limits == [2, 2]
f() == (2, 2)

# n136-from-package-import-module: `from pkg import conf`
[file pkg/__init__.py]
[file pkg/conf.py]
LIMIT = 1
[file m.py]
from pkg import conf
TOP = conf.LIMIT + 1
[run]
import m
[sub pkg/conf.py]
LIMIT = 1 => LIMIT = 2
[expect]
m.TOP == 3

# n136-attribute-of-imported-class: a class attribute of another module
[file a.py]
class Conf:
    LIMIT = 1
    class Deep:
        NAME = "x"
[file b.py]
from a import Conf
import a
CAP = Conf.LIMIT + 1
DEEP = a.Conf.Deep.NAME * 2
[run]
import b
[edit a.py]
class Conf:
    LIMIT = 2
    class Deep:
        NAME = "y"
[expect]
(b.CAP, b.DEEP) == (3, "yy")

# n136-attribute-through-subclass: a class attribute read from a subclass
[file a.py]
class Base:
    LIMIT = 1
[file b.py]
from a import Base
class Sub(Base):
    pass
CAP = Sub.LIMIT + 1
[run]
import b
[sub a.py]
LIMIT = 1 => LIMIT = 2
[expect]
b.CAP == 3

# n136-getattr-literal: getattr with a literal name
[file a.py]
LIMIT = 1
[file b.py]
import a
CAP = getattr(a, "LIMIT")
[run]
import b
[sub a.py]
LIMIT = 1 => LIMIT = 2
[expect]
b.CAP == 2

# n137-derived-f-string: an f-string
[file m.py]
HOST = "a"
URL = f"http://{HOST}/api"
FULL = URL + "/v1"
[run]
import m
[sub m.py]
HOST = "a" => HOST = "b"
[expect]
m.FULL == "http://b/api/v1"

# n137-derived-defaults: positional, keyword-only and positional-only defaults, held
[file m.py]
T = 5
def f(a, /, b=T, *, c=T * 2):
    return b, c
async def g(x=T):
    return x
h = lambda x=T: x
[run]
import m
f, g, h = m.f, m.g, m.h
[sub m.py]
T = 5 => T = 6
[expect]
f(0) == (6, 12)
g.__defaults__ == (6,)
h() == 6 and m.h is h

# n137-derived-default-of-method: a method's default
[file m.py]
T = 5
class C:
    def f(self, x=T):
        return x
    @staticmethod
    def g(x=T):
        return x
    @classmethod
    def h(cls, x=T):
        return x
[run]
import m
f, g, h = m.C().f, m.C.g, m.C.h
[sub m.py]
T = 5 => T = 6
[expect]
(f(), g(), h()) == (6, 6, 6)

# n137-derived-decorator-argument: a decorator's argument
[file m.py]
import functools
N = 2
def times(n):
    def deco(f):
        @functools.wraps(f)
        def inner():
            return f() * n
        return inner
    return deco
@times(N)
def f():
    return 5
@times(n=N + 1)
def g():
    return 5
[run]
import m
f, g = m.f, m.g
[sub m.py]
N = 2 => N = 3
[expect]
(f(), g(), m.f()) == (15, 20, 15)

# n137-derived-class-attribute: class attributes, also nested
[file m.py]
B = 10
class C:
    limit = B * 2
    class D:
        text = f"<{B}>"
    double = limit * 2
[run]
import m
c = m.C()
[sub m.py]
B = 10 => B = 20
[expect]
(c.limit, c.D.text, c.double) == (40, "<20>", 80)

# n137-derived-class-attribute-touched: a class attribute that the program set stays, and the report names it
[file m.py]
B = 10
class C:
    limit = B * 2
[run]
import m
m.C.limit = 3
[sub m.py]
B = 10 => B = 20
[expect]
m.C.limit == 3
told("kept `C.limit`", "`B`")

# n137-derived-in-comprehension: comprehensions and generator arguments
[file m.py]
N = 3
SQUARES = [i * i for i in range(N)]
TOTAL = sum(i for i in range(N))
BY = {i: N for i in "ab"}
[run]
import m
squares, by = m.SQUARES, m.BY
[sub m.py]
N = 3 => N = 4
[expect]
m.SQUARES is squares and squares == [0, 1, 4, 9]
m.TOTAL == 6 and m.BY is by and by == {"a": 4, "b": 4}

# n137-derived-conditional: a conditional expression and an `if`
[file m.py]
DEBUG = False
LEVEL = "debug" if DEBUG else "info"
if DEBUG:
    MODE = "d"
else:
    MODE = "p"
[run]
import m
[sub m.py]
DEBUG = False => DEBUG = True
[expect]
(m.LEVEL, m.MODE) == ("debug", "d")

# n137-derived-through-function: a value made by a function that reads the constant
[file m.py]
N = 2
def double():
    return N * 2
VALUE = double()
[run]
import m
[sub m.py]
N = 2 => N = 3
[expect]
m.VALUE == 6

# n137-derived-through-edited-function: a value made by an edited function
[file m.py]
def compute():
    return 1
VALUE = compute()
NEXT = VALUE + 1
[run]
import m
[sub m.py]
return 1 => return 2
[expect]
(m.VALUE, m.NEXT) == (2, 3)

# n137-derived-through-two-functions: ... or by one that calls an edited one
[file a.py]
def base():
    return 1
[file b.py]
from a import base
def compute():
    return base() * 10
[file c.py]
import b
VALUE = b.compute()
[run]
import c
[sub a.py]
return 1 => return 2
[expect]
c.VALUE == 20

# n137-derived-through-method: ... or by a static or class method
[file a.py]
class Make:
    @staticmethod
    def one():
        return 1
    @classmethod
    def two(cls):
        return 2
[file b.py]
from a import Make
ONE = Make.one()
TWO = Make.two()
[run]
import b
[edit a.py]
class Make:
    @staticmethod
    def one():
        return 10
    @classmethod
    def two(cls):
        return 20
[expect]
(b.ONE, b.TWO) == (10, 20)

# n137-derived-function-touched: a mutable result of an edited function is state: kept and named
[file m.py]
def compute():
    return ["a"]
VALUE = compute()
[run]
import m
m.VALUE.append("run")
value = m.VALUE
[sub m.py]
["a"] => ["b"]
[expect]
m.VALUE is value and value == ["a", "run"]
told("kept `VALUE`", "`compute`")

# n137-augmented: statements that build one name together are one value
[file m.py]
X = 1
X += 5
Y = X * 2
[run]
import m
[sub m.py]
X = 1 => X = 2
[expect]
(m.X, m.Y) == (7, 14)

# n137-augmented-derived: ... also when a constant that one of them reads changes
[file m.py]
STEP = 5
X = 1
X += STEP
[run]
import m
[sub m.py]
STEP = 5 => STEP = 6
[expect]
m.X == 7

# n137-list-built: a list built by several statements, and by a loop
[file m.py]
N = 3
L = []
L.append("a")
for i in range(N):
    L.append(i)
[run]
import m
l = m.L
[sub m.py]
N = 3 => N = 2
[expect]
m.L is l and l == ["a", 0, 1]

# n137-list-built-touched: ... touched by the program, it is state
[file m.py]
N = 3
L = []
for i in range(N):
    L.append(i)
[run]
import m
m.L.append("run")
[sub m.py]
N = 3 => N = 2
[expect]
m.L == [0, 1, 2, "run"]
told("kept `L`", "`N`")

# n137-dict-built: a dict filled by item assignments
[file m.py]
HOST = "a"
CONF = {}
CONF["host"] = HOST
CONF["url"] = f"http://{HOST}"
[run]
import m
conf = m.CONF
[sub m.py]
HOST = "a" => HOST = "b"
[expect]
m.CONF is conf and conf == {"host": "b", "url": "http://b"}

# n137-dict-built-edited: one of those item assignments is edited
[file m.py]
CONF = {}
CONF["a"] = 1
CONF["b"] = 2
[run]
import m
conf = m.CONF
[sub m.py]
CONF["b"] = 2 => CONF["c"] = 3
[expect]
m.CONF is conf and conf == {"a": 1, "c": 3}

# n137-two-bindings: two bindings of one name
[file m.py]
A = 1
X = A
Y = X + 1
X = A + 10
[run]
import m
[sub m.py]
A = 1 => A = 2
[expect]
(m.X, m.Y) == (12, 3)

# n138-derived-in-importers: f-strings, defaults, decorators, class attributes and containers in another module
[file a.py]
HOST = "a"
N = 2
[file b.py]
import functools
from a import HOST, N
URL = f"http://{HOST}/"
def get(host=HOST):
    return host
class C:
    host = HOST
    hosts = [HOST]
    def get(self, n=N):
        return n
TABLE = {"hosts": [HOST, {"deep": (HOST, N)}]}
@functools.lru_cache(maxsize=N)
def cached():
    return HOST
[run]
import b
get, c, table, hosts, cached = b.get, b.C(), b.TABLE, b.C.hosts, b.cached
cached()
[edit a.py]
HOST = "z"
N = 3
[expect]
(b.URL, get(), c.host, c.get()) == ("http://z/", "z", "z", 3)
b.TABLE is table and table == {"hosts": ["z", {"deep": ("z", 3)}]}
b.C.hosts is hosts and hosts == ["z"]
b.cached() == "z" and b.cached.cache_info().maxsize == 3

# n138-flow-stops: a value that comes out equal touches nothing downstream
[file a.py]
import _probe
LIMIT = 10
def tag(n):
    _probe.hit("tag")
    return n % 2
PARITY = LIMIT % 2
[file b.py]
import _probe
from a import PARITY
TEXT = _probe.hit("text", f"{PARITY}")
[run]
import b
[sub a.py]
LIMIT = 10 => LIMIT = 12
[expect]
hits == ["text"]
"b" not in report.modules

# n138-comment-only: a comment runs nothing
[file a.py]
import _probe
X = _probe.hit("x", 1)
[run]
import a
[sub a.py]
X = _probe => # a comment\nX = _probe
[expect]
hits == ["x"]
not report.modules["a"].ran

# annotated-before-the-block: an annotation leaves the branches for a line above them, and comes back
[file m.py]
import sys
if sys.version_info > (3,):
    K: dict = {"a": 1}
else:
    K: dict = {}
[run]
import m
K = m.K
[edit m.py]
import sys
K: dict
if sys.version_info > (3,):
    K = {"a": 1}
else:
    K = {}
[expect]
m.K == {"a": 1} and m.__annotations__ == {"K": dict}
[edit m.py]
import sys
if sys.version_info > (3,):
    K = {"a": 1}
else:
    K = {}
[expect]
m.K == {"a": 1} and "__annotations__" not in vars(m)

# members-that-answer-all: what a class holds is looked at without running its code
[file m.py]
class Kind(tuple):
    def __getattr__(self, name):
        made = Kind((*self, name))
        setattr(self, name, made)
        return made
class C:
    kind = Kind()
    @classmethod
    def f(cls):
        return 1
[run]
import m
[sub m.py]
return 1 => return 2
[expect]
m.C.f() == 2 and vars(m.C.kind) == {}

# n138-reordered-literal: a dict literal in another layout touches nothing
[file a.py]
X = {"a": 1,
     "b": 2}
[file b.py]
import _probe
from a import X
N = _probe.hit("n", len(X))
[run]
import b
x = b.X
[edit a.py]
X = {
    "a": 1, "b": 2,
}
[expect]
b.X is x and hits == ["n"]

# n138-mixed-case-of-two-modules: two modules feed a third
[file a.py]
A = 1
[file b.py]
B = 10
[file c.py]
from a import A
from b import B
import _probe
SUM = _probe.hit("sum", A + B)
[run]
import c
[sub a.py]
A = 1 => A = 2
[sub b.py]
B = 10 => B = 20
[expect]
c.SUM == 22
hits.count("sum") <= 3

# n138-diamond: a value that arrives by two ways
[file a.py]
A = 1
[file b.py]
from a import A
B = A * 10
[file c.py]
from a import A
C = A * 100
[file d.py]
from b import B
from c import C
D = B + C
[run]
import d
[sub a.py]
A = 1 => A = 2
[expect]
d.D == 220

# n138-enum-and-dataclass: a constant in an enum, a dataclass default and a NamedTuple
[file a.py]
BASE = 1
[file b.py]
import enum, dataclasses, typing
from a import BASE
class Color(enum.Enum):
    RED = BASE
    BLUE = BASE + 1
@dataclasses.dataclass
class P:
    x: int = BASE
class Q(typing.NamedTuple):
    x: int = BASE
[run]
import b
red, p = b.Color.RED, b.P()
[sub a.py]
BASE = 1 => BASE = 5
[expect]
b.Color.RED.value == 5 and b.Color.BLUE.value == 6
b.P().x == 5 and b.Q().x == 5
b.Color.RED is red

# n138-partial-and-bound: values that are partials, bound methods and functions
[file a.py]
N = 2
class K:
    def mul(self, x):
        return x * 10
def base(n, x):
    return n * x
[file b.py]
import functools
from a import N, base, K
double = functools.partial(base, N)
k = K()
mul = k.mul
alias = base
[run]
import b
double, mul = b.double, b.mul
[sub a.py]
N = 2 => N = 3
[expect]
b.double(10) == 30 or told("kept `double`", "`N`")
mul(1) == 10

# n138-compiled-pattern: a compiled pattern, in a module and as copied
[file a.py]
WORD = "a+"
[file b.py]
import re
from a import WORD
RX = re.compile(WORD)
RXI = re.compile(f"^{WORD}$", re.IGNORECASE)
[file c.py]
from b import RX
ALL = (RX, 1)
def f(s):
    return bool(RX.fullmatch(s))
[run]
import c, b
f = c.f
[sub a.py]
"a+" => "b+"
[expect]
b.RX.pattern == "b+" and b.RXI.pattern == "^b+$" and c.RX is b.RX
f("bb") and not f("aa") and c.ALL[0] is b.RX

# n138-pattern-edited: a pattern's own statement edited, held by name in another module
[file b.py]
import re
RX = re.compile("a+")
[file c.py]
from b import RX
[run]
import c, b
[sub b.py]
"a+" => "b+"
[expect]
c.RX is b.RX and c.RX.pattern == "b+"

# n138-tuple-copies: a tuple is rebound wherever a name holds the old one
[file a.py]
DIRS = ("x", "y")
[file b.py]
from a import DIRS
class C:
    dirs = DIRS
def f(d=DIRS):
    return d
[run]
import b
f = b.f
[sub a.py]
"y" => "z"
[expect]
b.DIRS == b.C.dirs == f() == ("x", "z")

# n138-set-and-frozenset: sets in place, frozensets rebound
[file a.py]
TAGS = {"x"}
FROZEN = frozenset({"x"})
[file b.py]
from a import TAGS, FROZEN
BOTH = TAGS | FROZEN
[run]
import a, b
tags = b.TAGS
[edit a.py]
TAGS = {"y"}
FROZEN = frozenset({"z"})
[expect]
a.TAGS is tags is b.TAGS and tags == {"y"}
b.FROZEN == {"z"} and b.BOTH == {"y", "z"}

# n138-untouched-dict-in-place: an untouched dict is brought up to date in place for whoever holds it
[file a.py]
ROUTES = {"/": "index"}
[file b.py]
from a import ROUTES
HELD = [ROUTES]
[run]
import a, b
routes = a.ROUTES
[sub a.py]
"index" => "home"
[expect]
a.ROUTES is routes is b.HELD[0] and routes == {"/": "home"}

# n138-touched-dict-own-statement: a touched dict whose own statement is edited starts again
[file a.py]
ROUTES = {"/": "index"}
[file b.py]
from a import ROUTES
[run]
import a, b
a.ROUTES["/x"] = "run"
[sub a.py]
"index" => "home"
[expect]
a.ROUTES == {"/": "home"} and b.ROUTES is a.ROUTES

# n138-touched-dict-stale: a touched dict is state when only what it read changed
[file a.py]
HOME = "index"
[file b.py]
from a import HOME
ROUTES = {"/": HOME}
[run]
import b
routes = b.ROUTES
b.ROUTES["/x"] = "run"
[sub a.py]
"index" => "home"
[expect]
b.ROUTES is routes and routes == {"/": "index", "/x": "run"}
told("kept `ROUTES`, built from `HOME` which changed")

# n138-nested-container-touched: a touch deep inside makes it state
[file m.py]
N = 1
T = {"a": [N], "b": {"c": N}}
[run]
import m
m.T["b"]["d"] = 5
[sub m.py]
N = 1 => N = 2
[expect]
m.T == {"a": [1], "b": {"c": 1, "d": 5}}
told("kept `T`", "`N`")

# n138-container-of-functions: a dispatch table of functions stays itself when they are edited
[file m.py]
def a():
    return 1
def b():
    return 2
TABLE = {"a": a, "b": b}
[run]
import m
t = m.TABLE
[sub m.py]
return 1 => return 10
[expect]
m.TABLE is t and t["a"]() == 10

# n138-container-of-functions-grows: an entry added to the table's own statement
[file m.py]
def a():
    return 1
TABLE = {"a": a}
[run]
import m
t, a = m.TABLE, m.a
[edit m.py]
def a():
    return 1
def b():
    return 2
TABLE = {"a": a, "b": b}
[expect]
m.TABLE is t and t["b"]() == 2 and t["a"] is a

# n138-container-spread: literals that spread another
[file m.py]
BASE = [1, 2]
ALL = [*BASE, 3]
D = {"a": 1}
E = {**D, "b": 2}
[run]
import m
all_, e = m.ALL, m.E
[edit m.py]
BASE = [1, 20]
ALL = [*BASE, 3]
D = {"a": 10}
E = {**D, "b": 2}
[expect]
m.ALL is all_ and all_ == [1, 20, 3]
m.E is e and e == {"a": 10, "b": 2}

# n138-sorted-and-len: pure builtins over containers
[file m.py]
NAMES = ["b", "a"]
ORDERED = sorted(NAMES)
COUNT = len(NAMES)
JOINED = ", ".join(NAMES)
[run]
import m
[sub m.py]
["b", "a"] => ["b", "a", "0"]
[expect]
m.ORDERED == ["0", "a", "b"] and m.COUNT == 3 and m.JOINED == "b, a, 0"

# n138-derived-from-container-item: an item of a container
[file a.py]
CONF = {"host": "a"}
[file b.py]
import a
from a import CONF
HOST = CONF["host"]
URL = f"http://{a.CONF['host']}"
[run]
import b
[sub a.py]
"host": "a" => "host": "z"
[expect]
(b.HOST, b.URL) == ("z", "http://z")

# n138-environment-default: an impure statement that is immutable data runs again when what it read changed
[file a.py]
NAME = "MIDFLIGHT_NO_SUCH_VARIABLE"
[file b.py]
import os
from a import NAME
VALUE = os.environ.get(NAME, NAME.lower())
[run]
import b
[sub a.py]
NO_SUCH => NOT_SUCH
[expect]
b.VALUE == "midflight_not_such_variable"

# n138-type-alias-and-newtype: annotations of functions follow a type alias
[file m.py]
Key = int
def f(x: Key) -> Key:
    return x
class C:
    x: Key
[run]
import m
f = m.f
[sub m.py]
Key = int => Key = str
[expect]
f.__annotations__ == {"x": str, "return": str}
m.C.__annotations__ == {"x": str}

# n139-star-import: a constant through a star import
[file a.py]
LIMIT = 1
_hidden = 1
[file b.py]
from a import *
TOP = LIMIT + 1
[run]
import b
[sub a.py]
LIMIT = 1 => LIMIT = 2
_hidden = 1 => _hidden = 2
[expect]
(b.LIMIT, b.TOP) == (2, 3) and not hasattr(b, "_hidden")

# n139-star-import-new-names: new names come, private ones do not
[file a.py]
ONE = 1
[file b.py]
from a import *
[run]
import b
[edit a.py]
ONE = 1
TWO = 2
_three = 3
def four():
    return 4
[expect]
b.TWO == 2 and b.four() == 4 and not hasattr(b, "_three")

# n139-star-import-removed-names: a name that went is gone here too, where nobody uses it
[file a.py]
ONE = 1
TWO = 2
[file b.py]
from a import *
[run]
import b
[edit a.py]
ONE = 1
[expect]
b.ONE == 1
not hasattr(b, "TWO")

# n139-star-import-goes: its names go with it, but for those that something else brings
[file a.py]
ONE = 1
TWO = 2
THREE = 3
[file c.py]
from a import THREE
[file b.py]
from a import *
from c import *
OWN = 4
[run]
import b
b.ADDED = 5
[edit b.py]
from a import ONE
from c import *
OWN = 4
[expect]
(b.ONE, b.THREE, b.OWN, b.ADDED) == (1, 3, 4, 5) and not hasattr(b, "TWO")

# n007-no-annotation-left: a module or class of which nothing is annotated any more has no annotations
[file m.py]
a: int = 1
class C:
    b: int = 1
[run]
import m
[edit m.py]
a = 1
class C:
    b = 1
[expect]
"__annotations__" not in vars(m) and "__annotations__" not in vars(m.C)

# n139-star-import-all: `__all__` says what a star import brings
[file a.py]
__all__ = ["ONE"]
ONE = 1
TWO = 2
[file b.py]
from a import *
[run]
import b
[edit a.py]
__all__ = ["ONE", "TWO", "_three"]
ONE = 1
TWO = 2
_three = 3
[expect]
b.TWO == 2 and b._three == 3

# n139-star-import-all-shrinks: a name that leaves `__all__`
[file a.py]
__all__ = ["ONE", "TWO"]
ONE = 1
TWO = 2
[file b.py]
from a import *
[run]
import b
[sub a.py]
["ONE", "TWO"] => ["ONE"]
[expect]
b.ONE == 1 and not hasattr(b, "TWO")

# n139-star-import-all-extended: `__all__` built by several statements
[file a.py]
__all__ = ["ONE"]
ONE = 1
TWO = 2
[file b.py]
from a import *
[run]
import b
[sub a.py]
TWO = 2 => TWO = 2\n__all__ += ["TWO"]
[expect]
b.TWO == 2

# n139-star-shadowed: a star's name that the importer binds itself stays
[file a.py]
ONE = 1
[file b.py]
from a import *
TWO = "mine"
[run]
import b
[edit a.py]
ONE = 1
TWO = 2
[expect]
b.TWO == "mine"

# n139-star-through-package: star imports through a package
[file pkg/__init__.py]
from .core import *
[file pkg/core.py]
from .deep import *
ONE = 1
[file pkg/deep.py]
LIMIT = 1
[file m.py]
from pkg import *
TOP = LIMIT + ONE
[run]
import m
[sub pkg/deep.py]
LIMIT = 1 => LIMIT = 5
[expect]
m.LIMIT == 5 and m.TOP == 6

# n140-side-effect-once: an unedited side effect never runs twice
[file m.py]
import _probe
_probe.hit("boot")
X = _probe.hit("value", 1)
def f():
    return 1
[run]
import m
[sub m.py]
return 1 => return 2
[expect]
hits == ["boot", "value"]

# n140-side-effect-of-stale-name: a stale call that binds nothing does not happen twice
[file m.py]
import _probe
NAME = "a"
_probe.hit(NAME)
[run]
import m
[sub m.py]
NAME = "a" => NAME = "b"
[expect]
hits == ["a"]

# n140-side-effect-edited: an edited one runs
[file m.py]
import _probe
_probe.hit("a")
[run]
import m
[sub m.py]
"a" => "b"
[expect]
hits == ["a", "b"]

# n140-side-effect-moved: a moved one does not
[file m.py]
import _probe
_probe.hit("a")
X = 1
[run]
import m
[edit m.py]
X = 1
import _probe
Y = 2
_probe.hit("a")
[expect]
hits == ["a"] and m.Y == 2

# n141-logging-handlers: handlers are not added twice
[file m.py]
import logging
log = logging.getLogger("rules.n141")
log.addHandler(logging.NullHandler())
def f():
    return 1
[run]
import m
count = len(m.log.handlers)
[sub m.py]
return 1 => return 2
[expect]
len(m.log.handlers) == count
[run]
m.log.handlers.clear()

# n142-name-injected: a name that the running program put there stays
[file m.py]
def f():
    return extra
[run]
import m
m.extra = 5
[sub m.py]
return extra => return extra * 2
[expect]
m.f() == 10 and m.extra == 5

# n142-injected-name-then-removed-def: the injected name stays when everything else goes
[file m.py]
def f():
    return 1
[run]
import m
m.extra = 5
[edit m.py]
X = 1
[expect]
m.extra == 5 and not hasattr(m, "f")

# n143-monkeypatched-name: a name bound to something else stays so; what its statement made is grafted
[file m.py]
def f():
    return 1
[run]
import m
old, m.f = m.f, lambda: "patched"
patched = m.f
[sub m.py]
return 1 => return 2
[expect]
m.f is patched and old() == 2

# n143-monkeypatched-method: a method patched on a class by the program
[file m.py]
class C:
    def f(self):
        return 1
    def g(self):
        return 1
[run]
import m
old = m.C.f
m.C.f = lambda self: "patched"
[sub m.py]
return 1 => return 2
[expect]
m.C().f() == "patched" and m.C().g() == 2 and old(m.C()) == 2

# n143-monkeypatched-signature: ... with a header edit too
[file m.py]
def f():
    return 1
[run]
import m
old, m.f = m.f, lambda: "patched"
[sub m.py]
def f(): => def f(x=2):
[expect]
m.f() == "patched" and old.__defaults__ == (2,)

# n144-global-removed: constants, functions and classes that went are gone
[file m.py]
A = 1
B = 2
def f():
    return 1
class C:
    pass
[run]
import m
[edit m.py]
B = 2
[expect]
not (hasattr(m, "A") or hasattr(m, "f") or hasattr(m, "C")) and m.B == 2
set(report.modules["m"].removed) == {"A", "f", "C"}

# n144-removed-binding-of-two: a name that something else binds too stays
[file m.py]
X = 1
if True:
    X = 2
[run]
import m
[edit m.py]
X = 1
[expect]
m.X == 1

# n144-removed-then-back: removed and added again
[file m.py]
A = 1
B = 1
[run]
import m
[edit m.py]
B = 1
[expect]
not hasattr(m, "A")
[edit m.py]
A = 3
B = 1
[expect]
m.A == 3

# n144-removed-from-loop: names that only a removed loop bound
[file m.py]
L = []
for item in "ab":
    L.append(item)
X = 1
[run]
import m
[edit m.py]
L = []
X = 1
[expect]
m.L == [] and not hasattr(m, "item")

# n144-del-statement: a `del` that comes
[file m.py]
A = 1
B = 2
[run]
import m
[edit m.py]
A = 1
B = 2
del A
[expect]
not hasattr(m, "A") and m.B == 2

# n145-import-added: an import that comes, and one that goes
[file m.py]
import json
def f():
    return json.dumps(1)
[run]
import m
f = m.f
[edit m.py]
import math
def f():
    return math.floor(2.5)
[expect]
f() == 2 and not hasattr(m, "json") and "json" in sys.modules

# n145-import-line-grows: a line that gains a name does not bind the others again
[file a.py]
X, Y = [1], [2]
[file m.py]
from a import X
[run]
import m, a
m.X = "mine"
[sub m.py]
import X => import X, Y
[expect]
m.X == "mine" and m.Y is a.Y

# n145-import-renamed: another alias
[file a.py]
X = 1
[file m.py]
from a import X as Y
[run]
import m
[sub m.py]
X as Y => X as Z
[expect]
m.Z == 1 and not hasattr(m, "Y")

# n145-import-source-changed: the same name from another module
[file a.py]
def f():
    return "a"
[file b.py]
def f():
    return "b"
[file m.py]
from a import f
def g():
    return f()
V = f()
[run]
import m
g = m.g
[sub m.py]
from a => from b
[expect]
g() == "b" and m.V == "b"

# n145-import-to-from: `import a` becomes `from a import f`
[file a.py]
def f():
    return "a"
[file m.py]
import a
def g():
    return a.f()
[run]
import m
g = m.g
[edit m.py]
from a import f
def g():
    return f()
[expect]
g() == "a" and not hasattr(m, "a")

# n146-module-getattr: a module-level `__getattr__` is edited and added
[file m.py]
def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return "v1 " + name
[run]
import m
m.x
[sub m.py]
v1 => v2
[expect]
m.x == "v2 x"

# n146-module-getattr-source: names imported through a module's `__getattr__`
[file a.py]
_VALUES = {"x": 1}
def __getattr__(name):
    try:
        return _VALUES[name]
    except KeyError:
        raise AttributeError(name) from None
[file m.py]
from a import x
[run]
import m
[sub a.py]
"x": 1 => "x": 2
[expect]
m.x == 2 or told("x")

# n146-all-edited: `__all__` edited
[file m.py]
__all__ = ["a"]
a = b = 1
[run]
import m
names = m.__all__
[sub m.py]
["a"] => ["a", "b"]
[expect]
m.__all__ is names and names == ["a", "b"]

# n146-lazy-module: a submodule that a package loads when asked stays lazy
[file pkg/__init__.py]
import importlib
def __getattr__(name):
    if name == "heavy":
        return importlib.import_module(".heavy", __name__)
    raise AttributeError(name)
X = 1
[file pkg/heavy.py]
import _probe
_probe.hit("heavy")
[run]
import pkg
[sub pkg/__init__.py]
X = 1 => X = 2
[expect]
pkg.X == 2 and hits == []
pkg.heavy.__name__ == "pkg.heavy" and hits == ["heavy"]

# n146-module-doc: the docstring follows
[file m.py]
"one"
X = 1
[run]
import m
[sub m.py]
"one" => "two"
[expect]
m.__doc__ == "two"

# n147-guard-of-imported: the guard of an imported module is an `if` that does not run
[file m.py]
import _probe
def main():
    return 1
if __name__ == "__main__":
    _probe.hit("main")
    main()
[run]
import m
[sub m.py]

_probe.hit("main") => _probe.hit("other")
[expect]
hits == []

# n148-process-settings: what an unedited import did to the process is not done again
[file m.py]
import os, sys, warnings
os.environ["RULES_N148"] = "1"
sys.path.append(os.path.join(os.path.dirname(__file__), "more"))
def f():
    return 1
[run]
import m
os.environ["RULES_N148"] = "program"
count = len(sys.path)
[sub m.py]
return 1 => return 2
[expect]
os.environ["RULES_N148"] == "program" and len(sys.path) == count
[run]
del os.environ["RULES_N148"]
"""


@pytest.mark.parametrize("case", table(STATE))
def test_state(case: Case, tmp_path: pathlib.Path) -> None:
    play(case, tmp_path)
