"""What a module may ask for: accept, dispose, keep, migrate, derived, state and checks (SEMANTICS section 8)."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from .harness import Case, play, table

HOOKS = r"""
# derived-from-constant: a derived object is made again when what its lambda reads changed
[file conf.py]
TIMEOUT = 5
[file m.py]
from midflight import derived
from conf import TIMEOUT
import conf
class Client:
    def __init__(self, timeout):
        self.timeout = timeout
client = derived(lambda: Client(TIMEOUT))
other = derived(lambda: Client(conf.TIMEOUT))
plain = Client(TIMEOUT)
[run]
import m
client, plain = m.client, m.plain
[sub conf.py]
TIMEOUT = 5 => TIMEOUT = 6
[expect]
m.client.timeout == 6 and m.other.timeout == 6 and m.plain is plain
told("kept `plain`") and not told("kept `client`") and not told("kept `other`")

# derived-from-function: ... or what it calls was edited
[file m.py]
import midflight
def make():
    return {"v": 1}
TABLE = midflight.derived(make)
ALSO = midflight.derived(lambda: make())
[run]
import m
m.TABLE["touched"] = True
[sub m.py]
"v": 1 => "v": 2
[expect]
m.TABLE == {"v": 2} and m.ALSO == {"v": 2}

# derived-unchanged: not made again for anything else
[file m.py]
import _probe
from midflight import derived
A = 1
B = 1
X = derived(lambda: [_probe.hit("made"), A])
[run]
import m
x = m.X
[sub m.py]
B = 1 => B = 2
[expect]
m.X is x and hits == ["made"]

# derived-lambda-edited: its own lambda edited
[file m.py]
from midflight import derived
X = derived(lambda: object)
Y = derived(lambda: [1])
[run]
import m
m.Y.append("run")
[edit m.py]
from midflight import derived
X = derived(lambda: int)
Y = derived(lambda: [2])
[expect]
m.X is int and m.Y == [2]

# derived-chain: a derived value that others follow
[file m.py]
from midflight import derived
N = 2
RANGE = derived(lambda: list(range(N)))
COUNT = len(RANGE)
[run]
import m
m.RANGE.append(9)
[sub m.py]
N = 2 => N = 3
[expect]
m.RANGE == [0, 1, 2] and m.COUNT == 3

# derived-rolls-back: a derived value that fails
[file m.py]
from midflight import derived
N = 1
X = derived(lambda: 10 / N)
[run]
import m
[sub m.py]
N = 1 => N = 0
[expect rolled back]
m.N == 1 and m.X == 10

# state-kept: never made again, whatever changes
[file m.py]
from midflight import state
N = 1
X = state(lambda: [N])
[run]
import m
x = m.X
[sub m.py]
N = 1 => N = 2
[expect]
m.X is x and x == [1] and told("kept `X`", "`N`")
[sub m.py]
[N]) => [N, N])
[expect]
m.X is x and x == [1] and told("kept `X`")
[sub m.py]
X = state => Z = 1\nX = state
[expect]
m.X is x and m.Z == 1

# state-of-plain-data: also where the value is plain data
[file m.py]
import midflight, _probe
N = 1
X = midflight.state(lambda: _probe.hit("made", N))
[run]
import m
[sub m.py]
N = 1 => N = 2
[expect]
m.X == 1 and hits == ["made"]

# dispose: called before changed code runs, once a reload, not for a reload that leaves the module alone
[file m.py]
import _probe
from midflight import dispose
@dispose
def close():
    _probe.hit("old close")
def f():
    return 1
[file n.py]
X = 1
[run]
import m, n
[sub n.py]
X = 1 => X = 2
[expect]
hits == []
[sub m.py]
return 1 => return 2
old close => new close
[expect]
hits == ["old close"]
[sub m.py]
return 2 => return 3
[expect]
hits == ["old close", "new close"]

# dispose-when-module-goes: ... or the module goes
[file m.py]
import _probe
from midflight import dispose
@dispose
def close():
    _probe.hit("close")
[run]
import m
[delete m.py]
[expect]
hits == ["close"] and "m" not in sys.modules

# dispose-removed: a dispose hook that was removed is not called any more
[file m.py]
import _probe
from midflight import dispose
@dispose
def close():
    _probe.hit("close")
X = 1
[run]
import m
[edit m.py]
X = 1
[expect]
hits == ["close"]
[edit m.py]
X = 2
[expect]
hits == ["close"]

# dispose-undecorated: nor one whose decorator was
[file m.py]
import _probe
from midflight import dispose
@dispose
def close():
    _probe.hit("close")
X = 1
[run]
import m
[edit m.py]
import _probe
from midflight import dispose
def close():
    _probe.hit("close")
X = 1
[expect]
hits == ["close"]
[sub m.py]
X = 1 => X = 2
[expect]
hits == ["close"]

# n182-dispose-fails: a failing dispose hook fails the reload
[file m.py]
from midflight import dispose
@dispose
def close():
    raise OSError("busy")
def f():
    return 1
[run]
import m
[sub m.py]
return 1 => return 2
[expect rolled back]
m.f() == 1 and told("MF032", "close", "busy")

# n182-dispose-exits: nor does one that exits end the program; an edit that mends it is taken
[file m.py]
from midflight import dispose
@dispose
def close():
    raise SystemExit("left")
def f():
    return 1
[run]
import m
[sub m.py]
return 1 => return 2
[expect rolled back]
m.f() == 1 and told("MF032", "close", "left")
[sub m.py]
raise SystemExit("left") => pass
[expect committed]
m.f() == 2

# dispose-mended: one that fails holds up every edit but the one that mends it
[file m.py]
from midflight import dispose
X = 1
@dispose
def close():
    raise OSError("gone")
[run]
import m
[sub m.py]
X = 1 => X = 2
[expect rolled back]
m.X == 1
[sub m.py]
raise OSError("gone") => return None
[expect]
m.X == 2 and told("m.close failed", "this edit changes it")

# derived-in-a-class: in the body of a class, also a nested one
[file conf.py]
HOST = "a"
[file m.py]
from midflight import derived
import conf
class S:
    url = derived(lambda: [conf.HOST])
    class T:
        url = derived(lambda: [conf.HOST])
[run]
import m, conf
[sub conf.py]
HOST = "a" => HOST = "b"
[expect]
m.S.url == ["b"] and m.S.T.url == ["b"]
[edit m.py]
from midflight import derived
import conf
class S:
    url = derived(lambda: [conf.HOST, 1])
    class T:
        url = derived(lambda: [conf.HOST, 2])
[expect]
m.S.url == ["b", 1] and m.S.T.url == ["b", 2]

# keep: values for the next version
[file m.py]
from midflight import keep
import _probe
conn = keep.get("conn") or _probe.hit("connect", ["conn"])
VERSION = 1
@keep
def kept():
    return {"conn": conn}
[run]
import m
conn = m.conn
[sub m.py]
or _probe => or  _probe
"conn") or => "conn", None) or
[expect]
m.conn is conn and hits == ["connect"]

# keep-default: without a session's earlier version the default
[file m.py]
from midflight import keep
x = keep.get("x", 7)
[run]
import m
[expect unchanged]
m.x == 7

# keep-rolls-back: what was handed over goes back with a rollback
[file m.py]
from midflight import keep
n = keep.get("n", 0)
@keep
def kept():
    return {"n": n + 1}
[run]
import m
from midflight.hooks import handed
[sub m.py]
"n", 0) => "n", 00)
[expect]
m.n == 0
[sub m.py]
"n", 00) => "n", 5)
[expect]
m.n == 1
[edit m.py]
from midflight import keep
n = keep.get("n", 6)
1 / 0
[expect rolled back]
m.n == 1 and handed("m") == {"n": 1}

# keep-fails: a failing keep hook fails the reload
[file m.py]
from midflight import keep
@keep
def kept():
    raise ValueError("no")
X = 1
[run]
import m
[sub m.py]
X = 1 => X = 2
[expect rolled back]
m.X == 1 and told("MF032", "kept")

# migrate-dataclass: each live instance, with what came and went
[file m.py]
import dataclasses
from midflight import migrate
seen = []
@dataclasses.dataclass
class P:
    x: int
@migrate(P)
def move(p, added, removed):
    seen.append((sorted(added), sorted(removed)))
    p.y = p.x * 2
[run]
import m
p, q = m.P(1), m.P(2)
[sub m.py]
    x: int =>     x: int\n    y: int
[expect]
(p.y, q.y) == (2, 4) and m.seen == [(["y"], [])] * 2

# migrate-init: attributes of `__init__`
[file m.py]
from midflight import migrate
class P:
    def __init__(self, name):
        self.first = name
@migrate(P)
def move(p, added, removed):
    if "name" in added and "first" in removed:
        p.name = p.__dict__.pop("first")
[run]
import m
p = m.P("x")
[sub m.py]
self.first => self.name
[expect]
p.name == "x" and not hasattr(p, "first")

# migrate-new-hook: a hook that comes with the change
[file m.py]
class P:
    def __init__(self):
        self.a = 1
[run]
import m
p = m.P()
[edit m.py]
from midflight import migrate
class P:
    def __init__(self, b):
        self.a = 1
        self.b = b
@migrate(P)
def move(p, added, removed):
    for name in added:
        setattr(p, name, "moved")
[expect]
p.b == "moved" and p.a == 1

# migrate-body-only: no call without a change of shape
[file m.py]
from midflight import migrate
import _probe
class P:
    def __init__(self):
        self.a = 1
    def f(self):
        return 1
@migrate(P)
def move(p, added, removed):
    _probe.hit("migrate")
[run]
import m
p = m.P()
[sub m.py]
return 1 => return 2
[expect]
p.f() == 2 and hits == []

# migrate-subclass-instances: instances of subclasses too
[file m.py]
from midflight import migrate
class P:
    def __init__(self):
        self.a = 1
[file n.py]
import m
class Q(m.P):
    pass
[run]
import m, n
q = n.Q()
[edit m.py]
from midflight import migrate
class P:
    def __init__(self, c):
        self.a = 1
        self.c = c
@migrate(P)
def move(p, added, removed):
    p.c = 3
[expect]
q.c == 3

# n182-migrate-fails: a failing migration rolls everything back, instances already moved too
[file m.py]
from midflight import migrate
count = [0]
class P:
    def __init__(self):
        self.a = 1
@migrate(P)
def move(p, added, removed):
    p.b = 5
    count[0] += 1
    if count[0] == 2:
        raise RuntimeError("second")
[run]
import m
p, q = m.P(), m.P()
[sub m.py]
self.a = 1 => self.a = 1\n        self.b = [][:]
[expect rolled back]
vars(p) == vars(q) == {"a": 1} and m.count == [0] and told("MF032", "second")

# accept: takes the dependency's update itself; stale statements here are left to it
[file dep.py]
N = 1
def f():
    return 1
[file m.py]
import _probe
from midflight import accept
import dep
from dep import N
DOUBLE = _probe.hit("double", N * 2)
CALLED = dep.f() * 10
@accept("dep")
def on_dep(module):
    global DOUBLE
    _probe.hit("accept")
    DOUBLE = module.N * 100
[run]
import m
[edit dep.py]
N = 2
def f():
    return 2
[expect]
hits == ["double", "accept"] and m.DOUBLE == 200 and m.N == 2 and m.CALLED == 10
told("m", "dep", "itself")

# accept-other-module: what another module changed is not left to it
[file dep.py]
N = 1
[file other.py]
K = 1
[file m.py]
from midflight import accept
from dep import N
from other import K
A = N * 10
B = K * 10
@accept("dep")
def on_dep(module):
    pass
[run]
import m
[sub dep.py]
N = 1 => N = 2
[sub other.py]
K = 1 => K = 2
[expect]
(m.A, m.B) == (10, 20)

# accept-fails: a failing one rolls back
[file dep.py]
N = 1
[file m.py]
from midflight import accept
import dep
STATE = []
@accept("dep")
def on_dep(module):
    STATE.append(module.N)
    raise RuntimeError("no")
[run]
import m
[sub dep.py]
N = 1 => N = 2
[expect rolled back]
sys.modules["dep"].N == 1 and m.STATE == [] and told("MF032", "on_dep")

# accept-not-called: not called for a reload that leaves the dependency alone
[file dep.py]
N = 1
[file m.py]
from midflight import accept
import dep, _probe
X = 1
@accept("dep")
def on_dep(module):
    _probe.hit("accept")
[run]
import m
[sub m.py]
X = 1 => X = 2
[expect]
hits == []

# health-check: False or an exception fails the reload
[file m.py]
from midflight import health_check
X = 1
@health_check
def fine():
    return X < 2
[run]
import m
[sub m.py]
X = 1 => X = 2
[expect rolled back]
m.X == 1 and told("MF030", "fine")
[sub m.py]
X = 2 => X = 0
[expect]
m.X == 0

# smoke-test-async: async checks, after the health checks
[file m.py]
import _probe
from midflight import health_check, smoke_test
X = 1
@smoke_test(deadline_s=5)
async def smoke():
    _probe.hit("smoke")
    assert X != 3, "three"
@health_check(deadline_s=5)
async def fine():
    _probe.hit("health")
    return True
[run]
import m
[sub m.py]
X = 1 => X = 2
[expect]
hits == ["health", "smoke"] and m.X == 2
[sub m.py]
X = 2 => X = 3
[expect rolled back]
m.X == 2 and told("MF030", "three")

# health-check-deadline: a check that hangs has failed
[file m.py]
import threading
from midflight import health_check
gate = threading.Event()
X = 1
@health_check(deadline_s=0.05)
def hangs():
    gate.wait(5)
[run]
import m
[sub m.py]
X = 1 => X = 2
[expect rolled back]
m.X == 1 and told("MF031", "hangs")
m.gate.set() is None

# health-check-reached: a check of a module that nobody edited and that a value flowed to is asked too
[file conf.py]
LIMIT = 1
[file m.py]
from midflight import health_check
from conf import LIMIT
DOUBLE = LIMIT * 2
@health_check
def is_small():
    return DOUBLE < 10
[run]
import m, conf
[sub conf.py]
LIMIT = 1 => LIMIT = 50
[expect rolled back]
conf.LIMIT == 1 and m.DOUBLE == 2 and told("is_small")
[sub conf.py]
LIMIT = 50 => LIMIT = 2
[expect]
m.DOUBLE == 4

# health-check-removed: a check that went is not asked
[file m.py]
from midflight import health_check
X = 1
@health_check
def fine():
    return X == 1
[run]
import m
[edit m.py]
X = 2
[expect]
m.X == 2
"""


@pytest.mark.parametrize("case", table(HOOKS))
def test_hooks(case: Case, tmp_path: pathlib.Path) -> None:
    play(case, tmp_path)


WITHOUT_A_SESSION = """
import sys, threading
from midflight import accept, derived, dispose, health_check, keep, migrate, smoke_test, state
class C: pass
@accept("dep")
def take(module): 1 / 0
@dispose
def clean(): 1 / 0
@keep
def kept(): 1 / 0
@migrate(C)
def move(obj, added, removed): 1 / 0
@health_check(deadline_s=1)
def healthy(): 1 / 0
@smoke_test
async def smokes(): 1 / 0
assert (derived(lambda: [1]), state(lambda: {2}), keep.get("x", 3)) == ([1], {2}, 3)
loaded = sorted(name for name in sys.modules if name.startswith("midflight"))
assert loaded == ["midflight", "midflight.hooks"], loaded
assert threading.active_count() == 1
try:
    clean()
except ZeroDivisionError:
    print("a hook is the function itself")
"""


def test_hooks_do_nothing_and_load_nothing_in_a_process_without_a_session() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_A_SESSION], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("a hook is the function itself\n", "")
