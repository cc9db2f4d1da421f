"""Edits that fail (HARD-CASES 169-188; SEMANTICS section 6)."""

from __future__ import annotations

import contextlib
import pathlib
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from midflight.graph.heap import kinds_of_objects

from .harness import Case, play, program, table

FAILURES = r"""
# classes-of-a-failed-import: what a module that came in made before it failed is no subclass of the program's classes
[file base.py]
class Base: pass
[file m.py]
import base
X = 1
[run]
import base, m
[edit half.py]
from base import Base
class One(Base):
    class Inner(Base): pass
    def get(self): return super()
1 / 0
[sub m.py]
X = 1 => import half\nX = 2
[expect rolled back]
base.Base.__subclasses__() == [] and m.X == 1 and "half" not in sys.modules
[edit whole.py]
from base import Base
class Two(Base): pass
[sub m.py]
import half => import whole
X = 2 => X = 1 / 0
[expect rolled back]
base.Base.__subclasses__() == [] and m.X == 1 and "whole" not in sys.modules

# n169-syntax-error: refused with file, line and a code; nothing touched
[file m.py]
def f():
    return 1
[run]
import m
f = m.f
[edit m.py]
def f():
    return 2
def g(:
[expect refused]
f() == 1 and report.problems[0].line == 3 and report.problems[0].path == path("m.py")
told("MF001", "invalid syntax")
report.modules["m"].before and not report.ok

# n169-syntax-errors-of-all-files: all problems come back together
[file a.py]
X = 1
[file b.py]
X = 1
[file c.py]
X = 1
[run]
import a, b, c
[edit a.py]
def f(:
[edit b.py]
return 5
[edit c.py]
X = 2
[expect refused]
len(report.problems) == 2 and c.X == 1

# n169-compiler-errors: errors that only the compiler finds
[file m.py]
def f():
    return 1
[run]
import m
[edit m.py]
def f(x):
    global x
    return 2
[expect refused]
m.f() == 1 and told("MF001")
[edit m.py]
def f():
    return 3
[expect]
m.f() == 3

# n169-tabs-and-indentation: inconsistent indentation
[file m.py]
def f():
    return 1
[run]
import m
[edit m.py raw]
def f():\n    if 1:\n\treturn 2\n
[expect refused]
m.f() == 1 and told("MF001")

# n169-null-byte: a NUL byte
[file m.py]
X = 1
[run]
import m
[edit m.py raw]
X = 2\n\x00
[expect refused]
m.X == 1 and told("MF00")

# n170-raise-mid-file: values, containers and functions are as before
[file m.py]
count = 0
items = ["a"]
def f():
    return 1
def g(x=[1]):
    return x
[run]
import m
m.count = 5
m.items.append("run")
f, g, items, default = m.f, m.g, m.items, m.g.__defaults__[0]
[edit m.py]
count = 10
items = ["b"]
def f():
    return 2
def g(x=[2], y=3):
    return x, y
raise RuntimeError("mid")
def h():
    pass
[expect rolled back]
m.count == 5 and m.items is items and items == ["a", "run"]
m.f is f and f() == 1 and g() is default and not hasattr(m, "h")
told("MF040", "RuntimeError: mid") and report.problems[0].line == 7

# n170-ordered: an OrderedDict is put back in its own order
[file m.py]
import collections
ORDER = collections.OrderedDict()
def touch():
    ORDER.clear()
    ORDER["z"] = 1
    ORDER["a"] = 2
    ORDER.move_to_end("z")
X = 1
[run]
import m
m.touch()
order = m.ORDER
[sub m.py]
X = 1 => X = touch() or ORDER.pop("a") / 0
[expect rolled back]
m.ORDER is order and list(order.items()) == [("a", 2), ("z", 1)]
order.popitem() == ("z", 1) and list(order) == ["a"]

# n171-held-function: a held function, a bound method and a closure are as before
[file m.py]
import functools
def make(n):
    def inner():
        return n
    return inner
class C:
    def f(self):
        return 1
def add(a, b):
    return a + b
[run]
import m, functools
inner, bound, part = m.make(5), m.C().f, functools.partial(m.add, 1)
code = m.add.__code__
[edit m.py]
import functools
def make(n):
    def inner():
        return -n
    return inner
class C:
    def f(self):
        return 2
def add(a, b):
    return a - b
1 / 0
[expect rolled back]
(inner(), bound(), part(2)) == (5, 1, 3) and m.add.__code__ is code

# n172-names-added: names that the failed edit added go again, also annotations and the docstring
[file m.py]
"doc"
X: int = 1
[run]
import m
names = set(vars(m))
[edit m.py]
"other"
X: str = "a"
Y: int = 5
import colorsys as z
def f(): pass
class C: pass
for i in range(3): pass
raise ValueError
[expect rolled back]
set(vars(m)) == names and m.X == 1 and m.__annotations__ == {"X": int} and m.__doc__ == "doc"

# n173-missing-import: an import that cannot be had
[file m.py]
X = 1
[run]
import m
[edit m.py]
import surely_not_there_at_all
X = 2
[expect rolled back]
m.X == 1 and told("ModuleNotFoundError", "surely_not_there_at_all") and report.problems[0].line == 1

# n173-missing-name: a name that the other module does not have
[file a.py]
Y = 1
[file m.py]
X = 1
[run]
import a, m
[edit m.py]
from a import Z
X = 2
[expect rolled back]
m.X == 1 and told("ImportError", "Z")

# n173-new-module-raises: a new module that raises when imported
[file m.py]
X = 1
[run]
import m
[edit fresh.py]
A = 1
raise OSError("no")
[edit m.py]
import fresh
X = 2
[expect rolled back]
m.X == 1 and "fresh" not in sys.modules and told("OSError: no")
[edit fresh.py]
A = 1
[expect]
m.X == 2 and m.fresh.A == 1

# n174-class-body-raises: a class body that raises
[file m.py]
class C:
    x = 1
    def f(self):
        return 1
[run]
import m
C, c = m.C, m.C()
members = set(vars(C))
[edit m.py]
class C:
    x = 2
    def f(self):
        return 2
    def g(self):
        return 3
    y = 1 / 0
[expect rolled back]
m.C is C and set(vars(C)) == members and c.f() == 1 and C.x == 1

# n174-new-class-raises: the body of a new class
[file m.py]
X = 1
[run]
import m
[edit m.py]
X = 2
class C(int, str):
    pass
[expect rolled back]
m.X == 1 and not hasattr(m, "C")

# n175-state-kept: what the program built is there after a failure
[file m.py]
cache = {}
def put(k):
    cache[k] = 1
[run]
import m
m.put("a")
cache = m.cache
[edit m.py]
cache = {}
cache["x"] = 1
def put(k):
    cache[k] = 2
nope
[expect rolled back]
m.cache is cache and cache == {"a": 1} and told("NameError")

# n176-fix-after-failure: the mended version is taken in full
[file m.py]
def f():
    return 1
[run]
import m
f = m.f
[edit m.py]
X = 1
def f():
    return 2
1 / 0
[expect rolled back]
f() == 1
[edit m.py]
X = 1
def f():
    return 2
[expect]
f() == 2 and m.X == 1 and m.f is f

# n177-fix-after-syntax-error: after a syntax error
[file m.py]
def f():
    return 1
[run]
import m
f = m.f
[edit m.py]
def f()
    return 2
[expect refused]
f() == 1
[edit m.py]
def f():
    return 2
[expect]
f() == 2

# n178-system-exit: a module's SystemExit never ends the program
[file m.py]
X = 1
[run]
import m
[edit m.py]
X = 2
raise SystemExit(3)
[expect rolled back]
m.X == 1 and told("SystemExit")

# n178-generator-exit: nor any other BaseException
[file m.py]
X = 1
[run]
import m
[edit m.py]
X = 2
raise GeneratorExit
[expect rolled back]
m.X == 1 and told("GeneratorExit")

# n179-second-file-fails: the first file's edits are taken back
[file a.py]
X = 1
L = [1]
def f():
    return 1
[file b.py]
import a
Y = a.X
[run]
import a, b
f, l = a.f, a.L
[edit a.py]
X = 2
L = [2]
def f():
    return 2
[edit b.py]
import a
Y = a.X / 0
[expect rolled back]
(a.X, b.Y, f()) == (1, 1, 1) and a.L is l and l == [1]
[edit b.py]
import a
Y = a.X
[expect]
(a.X, b.Y, f()) == (2, 2, 2) and a.L is l and l == [2]

# n179-importer-fails: a stale statement in an unedited module fails
[file a.py]
N = 1
[file b.py]
from a import N
INVERSE = 1 / N
[run]
import a, b
[sub a.py]
N = 1 => N = 0
[expect rolled back]
a.N == 1 and b.INVERSE == 1 and told("ZeroDivisionError")

# n181-error-at-first-call: an error that only a call shows is taken; mended as any edit
[file m.py]
def f():
    return 1
[run]
import m
[sub m.py]
return 1 => return undefined_name
[expect]
raises(NameError, m.f)
[sub m.py]
undefined_name => 2
[expect]
m.f() == 2

# n184-half-written: a file cut in half, then whole
[file m.py]
def f():
    return (1,
            2)
[run]
import m
[edit m.py raw]
def f():\n    return (1,\n
[expect refused]
m.f() == (1, 2)
[edit m.py]
def f():
    return (1,
            3)
[expect]
m.f() == (1, 3)

# n185-failing-undone-by-old-text: going back to the old text is nothing to do
[file m.py]
import _probe
_probe.hit("boot")
X = 1
[run]
import m
[edit m.py]
import _probe
_probe.hit("boot")
X = 2
raise RuntimeError
[expect rolled back]
m.X == 1
[edit m.py]
import _probe
_probe.hit("boot")
X = 1
[expect unchanged]
hits == ["boot"]

# n185-twice: two failures one after the other, then a good version
[file m.py]
X = 1
L = []
[run]
import m
m.L.append(1)
l = m.L
[edit m.py]
X = 2
L = [5]
1 / 0
[expect rolled back]
m.X == 1
[edit m.py]
X = 3
L = [6]
nope
[expect rolled back]
m.X == 1 and m.L is l and l == [1]
[edit m.py]
X = 4
L = []
[expect]
m.X == 4 and m.L is l and l == [1]

# n187-revert: an edit and back
[file m.py]
import _probe
A = _probe.hit("a", 1)
def f():
    return A
[run]
import m
f = m.f
[sub m.py]
return A => return -A
[expect]
f() == -1
[sub m.py]
return -A => return A
[expect]
f() == 1 and hits == ["a"]

# kind-changed-and-used: a function that another module relies on becomes a constant
[file a.py]
def f():
    return 1
[file b.py]
from a import f
def g():
    return f()
[run]
import a, b
[edit a.py]
f = 5
[expect rolled back]
b.g() == 1 and told("MF020", "a.f", "b")

# contract-of-a-third-module: a name that both import from elsewhere is no promise of one to the other
[file a.py]
from collections.abc import Callable
Job = Callable
[file b.py]
from collections.abc import Callable
def g(f: Callable): return isinstance(f, Callable)
[file c.py]
from a import Callable as C
[run]
import a, b
[sub a.py]
from collections.abc => from typing
[expect]
a.Callable is not b.Callable and b.g(len)
[run]
import c
[edit b.py]
from a import Job
from collections.abc import Callable
def g(f: Callable): return isinstance(f, Callable)
[expect]
b.g(len)
[sub a.py]
from typing => from collections.abc
[expect]
c.C is b.Callable is a.Callable
[sub a.py]
from collections.abc => from typing
[expect rolled back]
told("MF020", "a.Callable", "c") and a.Callable is b.Callable

# kind-changed-same-number: who holds an equal number under that name does not rely on it
[file a.py]
def f():
    return 1
[file b.py]
f = 5
[run]
import a, b
[edit a.py]
f = 5
[expect]
a.f == 5 == b.f

# kind-changed-unused: ... where nobody relies on it, it is taken
[file a.py]
def f():
    return 1
class C:
    pass
[run]
import a
[edit a.py]
f = 5
def C():
    return 7
[expect]
a.f == 5 and a.C() == 7

# kind-changed-together: ... or where the user is edited with it
[file a.py]
def f():
    return 1
[file b.py]
from a import f
def g():
    return f()
[run]
import a, b
[edit a.py]
f = 5
[edit b.py]
from a import f
def g():
    return f
[expect]
b.g() == 5

# registry-contents-undone: containers that calls changed are as before
[file reg.py]
items, names, table = [], set(), {"deep": []}
class K:
    known = {}
def add(x):
    items.append(x); names.add(x); table["deep"].append(x); K.known[x] = 1
[file m.py]
import reg
reg.add("one")
[run]
import m, reg
[edit m.py]
import reg
reg.add("two")
1 / 0
[expect rolled back]
reg.items == ["one"] and reg.names == {"one"} and reg.table == {"deep": ["one"]} and reg.K.known == {"one": 1}

# sys-modules-undone: modules that the failed edit imported go again
[file m.py]
X = 1
[file pkg/__init__.py]
[file pkg/a.py]
import pkg.b
[file pkg/b.py]
Y = 1
[run]
import m
[edit m.py]
import pkg.a
X = 1 / 0
[expect rolled back]
not [n for n in sys.modules if n == "pkg" or n.startswith("pkg.")] and not hasattr(m, "pkg")

# report-of-each: every reload makes exactly one report
[file m.py]
X = 1
[run]
import m
seen = []
stop = session.subscribe(lambda news: hasattr(news, "outcome") and seen.append(news))  # events come in between
[sub m.py]
X = 1 => X = 2
[expect]
len(seen) == 1 and seen[0] is report and session.history()[0] is report
[sub m.py]
X = 2 => X = (
[expect refused]
len(seen) == 2
[expect refused]
len(seen) == 3
stop() is None
"""


@pytest.mark.parametrize("case", table(FAILURES))
def test_failures(case: Case, tmp_path: pathlib.Path) -> None:
    play(case, tmp_path)


def test_n178_keyboard_interrupt_is_raised_again_after_the_rollback(tmp_path: pathlib.Path) -> None:
    (tmp_path / "m.py").write_text("X = 1\n")
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        import m  # type: ignore[import-not-found]

        (tmp_path / "m.py").write_text("X = 2\nraise KeyboardInterrupt\n")
        with pytest.raises(KeyboardInterrupt):
            one.session.reload()
        assert m.X == 1
        assert one.session.history()[0].outcome == "rolled back"


def test_n186_same_size_and_time(tmp_path: pathlib.Path) -> None:
    """A file of the same size, time and place: `reload(paths=…)` reads it at once, whatever its times say."""
    import os

    path = tmp_path / "m.py"
    path.write_text("X = 1\n")
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        import m

        times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
        path.write_text("X = 2\n")
        os.utime(path, ns=times)
        assert one.session.reload(paths=[path]).outcome == "committed"
        assert m.X == 2
        os.utime(path, ns=(0, 0))  # a clock that goes backwards
        path.write_text("X = 3\n")
        os.utime(path, ns=(1, 1))
        assert one.session.reload(paths=[path]).outcome == "committed"
        assert m.X == 3


def test_n188_many_edits_leave_nothing_behind(tmp_path: pathlib.Path) -> None:
    import gc

    path = tmp_path / "m.py"
    text = "L = []\ndef f():\n    return {n}\nclass C:\n    def g(self):\n        return {n}\n"
    text += "X = {n}\ndef h{n}(): pass\n"
    path.write_text(text.format(n=0))
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        import m

        counts = []
        for n in range(1, 121):
            path.write_text(text.format(n=n))
            assert one.session.reload(paths=[path]).ok
            if n in (60, 120):
                gc.collect()
                # Past `gc.get_objects`, which would make `tuple(…)` fail in the store's thread.
                kinds = [kind.__name__ for kind in kinds_of_objects() if kind.__module__ == "builtins"]
                counts.append((kinds.count("function"), kinds.count("type"), len(sys.modules)))
        assert m.f() == m.C().g() == m.X == 120
        gc.collect()
        path.write_text(text.format(n=121))
        assert one.session.reload(paths=[path]).ok
        assert len(one.session.program.dangling) < 3
        assert counts[1][0] - counts[0][0] < 10 and counts[1][1] <= counts[0][1] and counts[1][2] == counts[0][2]


@pytest.mark.parametrize("end, outcome", [("", "committed"), ("1 / 0\n", "rolled back")])
def test_what_a_reload_replaced_does_not_wait_for_the_garbage_collector(
    tmp_path: pathlib.Path, end: str, outcome: str
) -> None:
    # Old code that garbage holds looks held by somebody: the next edit would walk the heap for it.
    import gc
    import weakref

    path = tmp_path / "m.py"
    path.write_text("def f():\n    return 1\nclass C:\n    def g(self):\n        return 1\n")
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        import m

        gc.collect()
        gc.disable()
        try:
            codes = []
            for n in (2, 3):
                path.write_text(f"def f():\n    return {n}\nclass C:\n    def g(self):\n        return {n}\n")
                codes += [weakref.ref(m.f.__code__), weakref.ref(m.C.g.__code__)]
                assert one.session.reload(paths=[path]).ok
                assert [code() for code in codes] == [None] * len(codes)
            codes = [weakref.ref(m.f.__code__), weakref.ref(m.C.g.__code__)]
            path.write_text(f"def f():\n    return 4\nclass C:\n    def g(self):\n        return 4\n{end}")
            assert one.session.reload(paths=[path]).outcome == outcome
            path.write_text("def f():\n    return 5\nclass C:\n    def g(self):\n        return 5\n")
            assert one.session.reload(paths=[path]).ok
            assert [code() for code in codes] == [None, None]
            assert m.f() == m.C().g() == 5
        finally:
            gc.enable()


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("frozen", [True, False])
def test_the_garbage_collector_is_as_the_program_set_it(tmp_path: pathlib.Path, on: bool, frozen: bool) -> None:
    import gc

    path = tmp_path / "m.py"
    path.write_text("X = 1\n")
    with program(tmp_path) as one:
        assert one.session is not None
        one.session.start()
        import m

        path.write_text("X = 2\n")
        try:
            if frozen:
                gc.freeze()
            if not on:
                gc.disable()
            assert one.session.reload(paths=[path]).ok
            assert (gc.isenabled(), gc.get_freeze_count() > 0, m.X) == (on, frozen, 2)
        finally:
            gc.unfreeze()
            gc.enable()


def test_n180_a_second_ctrl_c_ends_an_import_that_never_ends(tmp_path: pathlib.Path) -> None:
    script = textwrap.dedent(
        """
        import os, signal, sys, midflight
        sys.path.insert(0, os.getcwd())
        open("m.py", "w").write("X = 1\\n")
        session = midflight.Session(paths=["."], mode="manual")
        session.start()
        import m
        open("m.py", "w").write("X = 2\\nimport sys\\nprint('in', flush=True)\\nwhile True: pass\\n")
        try:
            session.reload()
        except KeyboardInterrupt:
            print("interrupted", session.history()[0].outcome, m.X)
        session.stop()
        """
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            # Signals that come before the first was handled are one signal, so two may not be enough.
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
        assert process.stdout.read() == "interrupted rolled back 1\n"
