"""Packages, imports, moves and dangling names (HARD-CASES 157-168; SEMANTICS section 5)."""

from __future__ import annotations

import pathlib

import pytest

from .harness import Case, play, table

PACKAGES = r"""
# n157-re-export: a constant, a function and a class through a package
[file pkg/__init__.py]
from .core import LIMIT, f, C
[file pkg/core.py]
LIMIT = 1
def f():
    return LIMIT
class C:
    def g(self):
        return 1
[file app.py]
from pkg import LIMIT, f, C
import pkg
def use():
    return LIMIT, f(), C().g(), pkg.LIMIT
[run]
import app
use, f, C = app.use, app.f, app.C
[edit pkg/core.py]
LIMIT = 2
def f():
    return LIMIT * 10
class C:
    def g(self):
        return 3
[expect]
use() == (2, 20, 3, 2) and app.f is f and app.C is C

# n157-re-export-two-packages: through two packages, renamed on the way
[file a/__init__.py]
from .b import LIMIT as TOP
[file a/b/__init__.py]
from .c import LIMIT
[file a/b/c.py]
LIMIT = 1
[file app.py]
from a import TOP
import a.b as ab
DOUBLE = TOP * 2
ALSO = ab.LIMIT
[run]
import app
[sub a/b/c.py]
1 => 5
[expect]
(app.TOP, app.DOUBLE, app.ALSO) == (5, 10, 5)

# n157-re-export-added: a name that the package now exports, used in the same save
[file pkg/__init__.py]
from .core import a
[file pkg/core.py]
def a():
    return 1
[file app.py]
import pkg
def use():
    return pkg.a()
[run]
import app
use = app.use
[edit pkg/core.py]
def a():
    return 1
def b():
    return 2
[edit pkg/__init__.py]
from .core import a, b
[edit app.py]
import pkg
def use():
    return pkg.b()
[expect]
use() == 2

# n157-all-of-package: `__all__` in a package
[file pkg/__init__.py]
from .core import *
__all__ = ["X"]
[file pkg/core.py]
X = 1
Y = 2
[file app.py]
from pkg import *
[run]
import app
[sub pkg/__init__.py]
["X"] => ["X", "Y"]
[expect]
app.Y == 2

# n158-relative-import: relative imports, one and two levels
[file pkg/__init__.py]
[file pkg/conf.py]
LIMIT = 1
[file pkg/sub/__init__.py]
from ..conf import LIMIT
[file pkg/sub/deep.py]
from . import LIMIT
from .. import conf
from ..conf import LIMIT as AGAIN
TOP = conf.LIMIT + 1
[run]
import pkg.sub.deep as d
[sub pkg/conf.py]
1 => 7
[expect]
(d.LIMIT, d.AGAIN, d.TOP) == (7, 7, 8)

# n158-relative-import-added: a relative import that an edit adds
[file pkg/__init__.py]
[file pkg/a.py]
X = 1
[file pkg/b.py]
Y = 1
[run]
import pkg.a
[edit pkg/a.py]
from .b import Y
from . import b
X = Y + b.Y
[expect]
sys.modules["pkg.a"].X == 2

# n159-cycle: a cycle, both sides edited
[file a.py]
import b
A = 1
def fa():
    return b.B
[file b.py]
import a
B = 1
def fb():
    return a.A
[run]
import a, b
[edit a.py]
import b
A = 2
def fa():
    return b.B * 10
[edit b.py]
import a
B = 3
def fb():
    return a.A * 10
[expect]
a.fa() == 30 and b.fb() == 20

# n160-cycle-with-from-import: values copied around a cycle
[file a.py]
X = 1
from b import Y, get
def fa():
    return X, Y, get()
[file b.py]
from a import X
Y = X * 10
def get():
    return X
[run]
import a, b
[sub a.py]
X = 1 => X = 2
[expect]
a.fa() == (2, 20, 2) and b.X == 2

# n160-cycle-new-names: both sides gain a name that the other one needs
[file a.py]
def fa():
    return 1
import b
[file b.py]
def fb():
    return 1
import a
[run]
import a, b
[edit a.py]
def fa():
    return 1
def ga():
    return b.gb() + 1
import b
[edit b.py]
def fb():
    return 1
def gb():
    return a.fa() + 1
import a
[expect]
a.ga() == 3

# n160-cycle-new-names-from: ... by from-imports at the end
[file a.py]
def fa():
    return 1
from b import fb
[file b.py]
def fb():
    return 1
from a import fa
[run]
import a, b
[edit a.py]
def fa():
    return 1
def ga():
    return gb() + 1
from b import fb, gb
[edit b.py]
def fb():
    return 1
def gb():
    return fa() + 1
from a import fa, ga
[expect]
a.ga() == 3 and b.ga is a.ga

# n160-cycle-rolls-back: one side fails, both are as before
[file a.py]
import b
A = 1
[file b.py]
import a
B = 1
[run]
import a, b
[sub a.py]
A = 1 => A = 2
[sub b.py]
B = 1 => B = 1 / 0
[expect rolled back]
(a.A, b.B) == (1, 1)

# n160-cycle-of-three: three modules with values around the cycle
[file a.py]
N = 1
import b
def total():
    return N + b.M + b.c.K
[file b.py]
import a
import c
M = a.N * 10
[file c.py]
import a
K = a.N * 100
[run]
import a
[sub a.py]
N = 1 => N = 2
[expect]
a.total() == 222

# n161-import-as: module and submodule aliases
[file lib.py]
def f():
    return 1
X = 1
[file m.py]
import lib as l
Y = l.X
def g():
    return l.f()
[run]
import m
[edit lib.py]
def f():
    return 2
X = 2
[expect]
m.g() == 2 and m.Y == 2

# n162-two-coordinated-files: a signature and its callers
[file lib.py]
def area(w, h):
    return w * h
[file m.py]
from lib import area
def run():
    return area(2, 3)
[run]
import m
area = m.area
[sub lib.py]
(w, h) => (*, width, height)
w * h => width * height
[sub m.py]
area(2, 3) => area(width=2, height=4)
[expect]
m.run() == 8 and m.area is area

# n162-function-moved-between-files: the old object forwards
[file a.py]
K = "a"
def helper():
    return K + "1"
def other():
    return 0
[file b.py]
K = "b"
def mine():
    return 0
[file app.py]
from a import helper
def use():
    return helper()
[run]
import app, a, b
old, use = a.helper, app.use
[edit a.py]
K = "a"
def other():
    return 0
[edit b.py]
K = "b"
def mine():
    return 0
def helper():
    return K + "2"
[edit app.py]
from b import helper
def use():
    return helper()
[expect]
use() == "b2" and old() == "b2" and not hasattr(a, "helper")
b.helper.__module__ == "b"
told("a.helper moved to b")

# n162-class-moved-between-files: the class is the same one
[file a.py]
class C:
    def f(self):
        return 1
[file b.py]
X = 1
[file app.py]
from a import C
def check(x):
    return isinstance(x, C)
[run]
import app, a, b
C, c = a.C, a.C()
[edit a.py]
Y = 1
[edit b.py]
X = 1
class C:
    def f(self):
        return 2
    def g(self):
        return 3
[edit app.py]
from b import C
def check(x):
    return isinstance(x, C)
[expect]
b.C is C and app.C is C and app.check(c) and c.f() == 2 and c.g() == 3
C.__module__ == "b" and not hasattr(a, "C")
told("a.C moved to b")

# n162-methods-of-moved-class: they are the new module's, of every kind; who held an old one is led there
[file a.py]
import contextlib
class C:
    def f(self):
        return 1
    @property
    def p(self):
        return 1
    @classmethod
    def k(cls):
        return 1
    @staticmethod
    def s():
        return 1
    @contextlib.contextmanager
    def m(self):
        yield 1
    @property
    def gone(self):
        return 1
[file b.py]
[run]
import a, b
C, c = a.C, a.C()
held = [c.f, C.k, C.s, vars(C)["p"].fget.__get__(c)]
manager = c.m
[edit a.py]
from b import C
[edit b.py]
import contextlib
N = 2
class C:
    def f(self):
        return N
    @property
    def p(self):
        return N
    @classmethod
    def k(cls):
        return N
    @staticmethod
    def s():
        return N
    @contextlib.contextmanager
    def m(self):
        yield N
[expect]
b.C is C and a.C is C and [c.f(), c.p, C.k(), C.s()] == [2] * 4 and [each() for each in held] == [2] * 4
c.m().__enter__() == 2 and manager().__enter__() == 2 and not hasattr(C, "gone")
all(f.__globals__ is vars(b) for f in (C.f, C.p.fget, C.k.__func__, C.s, C.m.__wrapped__))

# n165-shown-elsewhere: a deleted module is not needed by classes that a package shows as its own
[file pkg/__init__.py]
from pkg._errors import Oops
Oops.__module__ = "pkg"
[file pkg/_errors.py]
class Oops(Exception): pass
[file pkg/_old.py]
X = 1
[file app.py]
from pkg import Oops
import pkg._old
[run]
import sys, app
[edit app.py]
from pkg import Oops
[delete pkg/_old.py]
[expect]
"pkg._old" not in sys.modules and not hasattr(app.Oops, "x") and app.Oops is sys.modules["pkg"].Oops

# n162-class-moved-re-exported: the old module re-exports it
[file a.py]
class C:
    def f(self):
        return 1
[file b.py]
X = 1
[run]
import a, b
C, c = a.C, a.C()
[edit a.py]
from b import C
[edit b.py]
X = 1
class C:
    def f(self):
        return 2
[expect]
a.C is b.C is C and c.f() == 2 and isinstance(a.C(), C)

# n162-function-moved-re-exported: the same with a function
[file a.py]
def f(x=1):
    return x
[file b.py]
X = 1
[run]
import a, b
f = a.f
[edit a.py]
from b import f
[edit b.py]
X = 1
def f(x=1):
    return x * 10
[expect]
a.f() == 10 and f() == 10 and f(5) == 50 and a.f is b.f

# n162-subclass-of-moved-class: a subclass elsewhere follows
[file a.py]
class Base:
    def f(self):
        return 1
[file b.py]
X = 1
[file c.py]
import a
class Sub(a.Base):
    pass
[run]
import a, b, c
Base, s = a.Base, c.Sub()
[edit a.py]
from b import Base
[edit b.py]
X = 1
class Base:
    def f(self):
        return 2
[expect]
a.Base is Base and s.f() == 2 and isinstance(s, b.Base)

# n162-dataclass-moved: a dataclass with a new field
[file a.py]
import dataclasses
@dataclasses.dataclass
class P:
    x: int = 1
[file b.py]
X = 1
[run]
import a, b
P, p = a.P, a.P()
[edit a.py]
from b import P
[edit b.py]
import dataclasses
X = 1
@dataclasses.dataclass
class P:
    x: int = 1
    y: int = 2
[expect]
b.P is P and a.P is P and isinstance(p, b.P) and P(3).y == 2 and P.__module__ == "b"

# n163-module-renamed: file renamed, importer edited; class keeps its identity, function forwards
[file old.py]
class C:
    def f(self):
        return 1
def g():
    return 1
[file app.py]
from old import C, g
def use():
    return C().f(), g()
[run]
import app
C, c, g, use = app.C, app.C(), app.g, app.use
[delete old.py]
[edit new.py]
class C:
    def f(self):
        return 2
def g():
    return 2
[edit app.py]
from new import C, g
def use():
    return C().f(), g()
[expect]
use() == (2, 2) and app.C is C and c.f() == 2 and g() == 2 and C.__module__ == "new"
"old" not in sys.modules

# n163-module-moved-into-package: m.py moves into a package
[file util.py]
class C:
    def f(self):
        return 1
[file app.py]
from util import C
[run]
import app
C = app.C
[delete util.py]
[edit pkg/__init__.py]
[edit pkg/util.py]
class C:
    def f(self):
        return 2
[edit app.py]
from pkg.util import C
[expect]
app.C is C and C().f() == 2 and C.__module__ == "pkg.util"
"util" not in sys.modules

# n164-module-becomes-package: the same module object gains `__path__`
[file m.py]
count = 0
def f():
    return 1
[run]
import m
m.count = 5
mod, f = m, m.f
[delete m.py]
[edit m/__init__.py]
count = 0
from .more import extra
def f():
    return extra()
[edit m/more.py]
def extra():
    return 2
[expect]
sys.modules["m"] is mod and mod.__path__ == [path("m")] and mod.__file__ == path("m/__init__.py")
f() == 2 and m.count == 5 and m.f is f and m.more.extra() == 2
m.__spec__.submodule_search_locations == [path("m")]
[sub m/__init__.py]
extra() => extra() * 10
[expect]
f() == 20

# n164-package-becomes-module: the other way
[file m/__init__.py]
count = 0
def f():
    return 1
[run]
import m
m.count = 5
mod, f = m, m.f
[delete m/__init__.py]
[run]
os.rmdir(path("m"))
[edit m.py]
count = 0
def f():
    return 2
[expect]
sys.modules["m"] is mod and f() == 2 and m.count == 5 and not hasattr(mod, "__path__")
mod.__file__ == path("m.py")

# n165-deleted-unused: a deleted module that nobody needs leaves
[file m.py]
X = 1
[file n.py]
Y = 1
[run]
import m, n
[delete m.py]
[expect]
"m" not in sys.modules and report.modules["m"].removed == ("m",)

# n165-deleted-used: one that is needed is left running, and the report says for whom
[file m.py]
def f():
    return 1
[file n.py]
from m import f
[run]
import n
[delete m.py]
[expect]
"m" in sys.modules and n.f() == 1
told("m", "left running", "n")

# n165-deleted-used-by-constant: needed for a constant that was copied
[file m.py]
LIMIT = 1
[file n.py]
from m import LIMIT
def f():
    return LIMIT
[run]
import n
[delete m.py]
[expect]
n.f() == 1
told("m", "n")

# n165-deleted-used-lazily: imported inside a function elsewhere
[file m.py]
def f():
    return 1
[file n.py]
def g():
    import m
    return m.f()
[run]
import n
n.g()
[delete m.py]
[expect]
"m" in sys.modules and n.g() == 1
told("m", "n")

# n165-deleted-and-back: a file that comes back continues its module
[file m.py]
items = []
def f():
    return 1
[run]
import m
m.items.append(1)
mod, f = m, m.f
[delete m.py]
[expect]
"m" not in sys.modules
[edit m.py]
items = []
def f():
    return 2
[expect]
sys.modules["m"] is mod and m.items == [1] and f() == 2
told("m is back")

# n165-deleted-with-importer-edited: the importer stops importing it in the same save
[file m.py]
def f():
    return 1
[file n.py]
from m import f
def g():
    return f()
[run]
import n
g = n.g
[delete m.py]
[edit n.py]
def g():
    return 2
[expect]
g() == 2 and "m" not in sys.modules

# n165-deleted-importer-edited-later: ... or in a later one; then it leaves
[file m.py]
def f():
    return 1
[file n.py]
from m import f
def g():
    return f()
[run]
import n
g = n.g
[delete m.py]
[expect]
g() == 1 and "m" in sys.modules
[edit n.py]
def g():
    return 2
[expect]
g() == 2 and "m" not in sys.modules

# n165-package-deleted: a package with its modules
[file pkg/__init__.py]
[file pkg/a.py]
X = 1
[file n.py]
Y = 1
[run]
import pkg.a, n
[delete pkg/a.py]
[delete pkg/__init__.py]
[expect]
"pkg.a" not in sys.modules and "pkg" not in sys.modules

# n165-submodule-deleted: the package loses its attribute
[file pkg/__init__.py]
[file pkg/a.py]
X = 1
[run]
import pkg.a, pkg
[delete pkg/a.py]
[expect]
"pkg.a" not in sys.modules and not hasattr(pkg, "a")

# n166-namespace-package: modules in a namespace package
[file ns/a.py]
LIMIT = 1
[file m.py]
from ns.a import LIMIT
import ns.a
TOP = ns.a.LIMIT + 1
[run]
import m
[sub ns/a.py]
1 => 5
[expect]
(m.LIMIT, m.TOP) == (5, 6)

# n166-two-names-for-one-file: one file loaded under two names: both are brought up to date
[file pkg/__init__.py]
[file pkg/a.py]
def f():
    return 1
[run]
import pkg.a as one
sys.path.insert(0, path("pkg"))
import a as two
[sub pkg/a.py]
return 1 => return 2
[expect]
one.f() == 2 and two.f() == 2 and one is not two
set(report.modules) == {"pkg.a", "a"}

# n167-generated-module: a file written by the program itself
[file m.py]
def load():
    import gen
    return gen.X
[run]
import m
open(path("gen.py"), "w").write("X = 1\n")
m.load()
open(path("gen.py"), "w").write("X = 22\n")
[expect]
m.load() == 22

# n167-loaded-by-its-file: a module that the program loads by its path, past the finders, and loads anew
[file conf.py]
X = 1
[file plug/one.py]
from conf import X
LOG = []
class Plugin:
    def run(self):
        return 1, X
[run]
import importlib.util, sys, conf
def load():
    spec = importlib.util.spec_from_file_location("plugins_one", path("plug/one.py"))
    sys.modules["plugins_one"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
one = load()
plugin = one.Plugin()
one.LOG.append("kept")
[sub plug/one.py]
return 1, X => return 2, X
[sub conf.py]
X = 1 => X = 5
[expect committed]
plugin.run() == (2, 5) and one.LOG == ["kept"]
[run]
again = load().Plugin()
[sub plug/one.py]
return 2, X => return 3, X
[expect committed]
again.run() == (3, 5) and plugin.run() == (2, 5)
sys.modules.pop("plugins_one") is not one

# n167-looked-at-before: a tool that asks a loader for the code of a module loads none: what the program makes of it stays
[file m.py]
BASE = 1
X = BASE + 1
[run]
import importlib.util
importlib.util.spec_from_file_location("m", path("m.py")).loader.get_code("m")
import m
m.X = 50
[sub m.py]
BASE = 1 => BASE = 2
[expect committed]
(m.BASE, m.X) == (2, 50)

# n167-loaded-by-its-file-and-changed: what the program made of it before its first edit is state; a formula's value is none
[file m.py]
def compute(): return BASE * 10
BASE = 1
X = BASE + 1
Y = BASE + 2
Z = compute()
[run]
import importlib.util, sys
spec = importlib.util.spec_from_file_location("m", path("m.py"))
sys.modules["m"] = m = importlib.util.module_from_spec(spec)
spec.loader.exec_module(m)
m.X = 50
[sub m.py]
BASE = 1 => BASE = 2
[expect committed]
(m.BASE, m.X, m.Y, m.Z) == (2, 50, 4, 10) and told("kept `X`") and told("kept `Z`")
[sub m.py]
BASE = 2 => BASE = 3
BASE * 10 => BASE * 100
[expect committed]
(m.X, m.Y, m.compute()) == (50, 5, 300)

# n167-loaded-by-a-path: a loader that was given a Path, and one for a name under which no module lies
[file m.py]
X = 1
[run]
import pathlib, sys
from importlib.machinery import SourceFileLoader
class Bare:
    __slots__ = ()
sys.modules["bare_place"] = Bare()
codes = [SourceFileLoader(name, pathlib.Path(path("m.py"))).get_code(name) for name in ("bare_place", "no_place")]
del sys.modules["bare_place"]
import m
[sub m.py]
X = 1 => X = 2
[expect committed]
m.X == 2 and len(codes) == 2

# n167-other-object-in-its-place: one that holds the module's spec, one without a namespace, and one that left nothing
[file lazy.py]
import sys, types
X = 1
def f(): return X
class Lazy(types.ModuleType):
    def __init__(self, spec):
        super().__init__(__name__)
        self.__spec__, self.f = spec, f
sys.modules[__name__] = Lazy(__spec__)
[file bare.py]
import sys
X = 1
class Bare:
    __slots__ = ()
    def f(self): return X
sys.modules[__name__] = Bare()
[file empty.py]
import sys
class Empty:
    __slots__ = ()
sys.modules[__name__] = Empty()
[run]
import lazy, bare, empty
[sub lazy.py]
X = 1 => X = 2
return X => return X * 10
[sub bare.py]
X = 1 => X = 2
return X => return X * 10
[expect committed]
lazy.f() == 20 and not hasattr(lazy, "X") and bare.f() == 20
[run]
import sys
for name in ("lazy", "bare", "empty"):  # they have no `__file__` by which a test's modules are taken away
    del sys.modules[name]

# d-name-removed: a name that another module still imports is dangling: kept there, reported
[file a.py]
def helper():
    return 1
X = 1
[file b.py]
from a import helper
def use():
    return helper()
[run]
import b, a
use = b.use
[edit a.py]
X = 1
[expect]
use() == 1 and not hasattr(a, "helper")
told("a.helper", "b")
[edit b.py]
def use():
    return 2
[expect]
use() == 2 and not told("a.helper")

# d-name-back: ... and healed when it comes back
[file a.py]
def helper():
    return 1
X = 1
[file b.py]
from a import helper
def use():
    return helper()
[run]
import b, a
use, helper = b.use, a.helper
[edit a.py]
X = 1
[expect]
use() == 1
[edit a.py]
def helper():
    return 2
X = 1
[expect]
use() == 2 and b.helper is a.helper and a.helper is helper

# d-class-back: a class cut and pasted back keeps its identity
[file a.py]
class C:
    def f(self):
        return 1
X = 1
[file b.py]
from a import C
[run]
import b, a
C, c = a.C, a.C()
[edit a.py]
X = 1
[expect]
told("a.C", "b")
[edit a.py]
X = 1
class C:
    def f(self):
        return 2
[expect]
a.C is C and b.C is C and isinstance(c, a.C) and c.f() == 2

# d-constant-back: a constant that comes back with another value
[file a.py]
LIMIT = 1
[file b.py]
from a import LIMIT
TOP = LIMIT + 1
[run]
import b, a
[edit a.py]
OTHER = 1
[expect]
b.LIMIT == 1 and told("a.LIMIT", "b")
[edit a.py]
LIMIT = 5
OTHER = 1
[expect]
b.LIMIT == 5 and b.TOP == 6

# d-renamed-importer-follows-later: renamed in one file, the importer saved after it
[file a.py]
def old():
    return 1
[file b.py]
from a import old
def use():
    return old()
[run]
import b, a
use = b.use
[edit a.py]
def new():
    return 2
[expect]
use() == 1 and told("a.old", "b")
[edit b.py]
from a import new
def use():
    return new()
[expect]
use() == 2 and not hasattr(b, "old")

# d-importer-first: the importer is saved first: it waits, and comes with the other file
[file a.py]
def old():
    return 1
[file b.py]
from a import old
def use():
    return old()
[run]
import b, a
use = b.use
[edit b.py]
from a import new
def use():
    return new()
[expect rolled back]
use() == 1
[edit a.py]
def new():
    return 2
[expect]
use() == 2

# moved-into-a-block: definitions that go into a branch of another module
[file low.py]
import sys
[file m.py]
def f(): return 1
class C:
    def g(self): return 1
[run]
import m, low
f, C, c = m.f, m.C, m.C()
[edit low.py]
import sys
if sys.version_info < (3,):
    f = None
else:
    def f(): return 2
try:
    import nowhere_at_all
except ImportError:
    class C:
        def g(self): return 2
[edit m.py]
from low import f, C
[expect]
f() == 2 and m.f() == 2 and m.f is low.f and m.C is C is low.C and c.g() == 2 and C.__module__ == "low"

# d-attribute-user: a module that uses it by attribute is named
[file a.py]
def helper():
    return 1
X = 1
[file b.py]
import a
def use():
    return a.helper()
[run]
import b
[edit a.py]
X = 1
[expect]
told("a.helper", "b")

# d-attribute-of-other-module-not-named: a module with a name of its own is not
[file a.py]
def helper():
    return 1
X = 1
[file b.py]
import a
def helper():
    return a.X
[run]
import b
[edit a.py]
X = 1
[expect]
not told("a.helper", "needs") and not any("b" in note for note in report.notes)

# d-re-exported: dangling through a package
[file pkg/__init__.py]
from .core import helper
[file pkg/core.py]
def helper():
    return 1
X = 1
[file app.py]
from pkg import helper
[run]
import app
[edit pkg/core.py]
X = 1
[expect]
app.helper() == 1 and told("pkg.core.helper", "pkg")

# new-module-same-batch: a new module imported by an edited one
[file m.py]
def f():
    return 1
[run]
import m
f = m.f
[edit fresh.py]
import _probe
_probe.hit("fresh")
def g():
    return 2
[edit m.py]
from fresh import g
def f():
    return g()
[expect]
f() == 2 and hits == ["fresh"]
[sub fresh.py]
return 2 => return 3
[expect]
f() == 3 and hits == ["fresh"]

# new-module-undone: a new module goes again when the reload fails
[file m.py]
X = 1
[run]
import m
[edit fresh.py]
Y = 2
[edit m.py]
import fresh
X = 1 / 0
[expect rolled back]
"fresh" not in sys.modules and not hasattr(m, "fresh") and m.X == 1

# submodule-undone: ... and the attribute on its package
[file pkg/__init__.py]
[file m.py]
X = 1
[run]
import m, pkg
[edit pkg/fresh.py]
Y = 2
[edit m.py]
import pkg.fresh
X = 1 / 0
[expect rolled back]
"pkg.fresh" not in sys.modules and not hasattr(pkg, "fresh")

# not-loaded-broken: a broken file that nobody loaded is no problem
[file m.py]
X = 1
[file other.py]
Y = 1
[run]
import m
[sub m.py]
X = 1 => X = 2
[edit other.py]
def broken(:
[expect]
m.X == 2 and "other" not in sys.modules

# import-of-stdlib-added: standard library and third party are imported, never reloaded
[file m.py]
X = 1
[run]
import m
[edit m.py]
import colorsys
X = colorsys.ONE_THIRD
[expect]
m.X == 1 / 3

# getattr-that-raises: a module's own __getattr__ is not asked whether it is a package
[file shop/__init__.py]
[file shop/base.py]
X = 1
[file shop/lazy.py]
from .base import X
Y = X + 1
def __getattr__(name):
    raise RuntimeError(name)
[file shop/any.py]
from .base import X
Z = X + 2
def __getattr__(name):
    return [name]
[run]
import shop.lazy, shop.any, shop.base
[sub shop/base.py]
X = 1 => X = 10
[expect]
(shop.lazy.Y, shop.any.Z) == (11, 12)
[sub shop/lazy.py]
Y = X + 1 => Y = X + 3
[sub shop/any.py]
Z = X + 2 => Z = X + 4
[expect]
(shop.lazy.Y, shop.any.Z) == (13, 14)
"""


@pytest.mark.parametrize("case", table(PACKAGES))
def test_packages(case: Case, tmp_path: pathlib.Path) -> None:
    play(case, tmp_path)
