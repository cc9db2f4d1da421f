"""What definitions register (HARD-CASES 149-156; SEMANTICS section 1, registrations)."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from midflight.apply.registrations import Registrations

from .harness import Case, play, table

REGISTRATIONS = r"""
# n149-handler-edited: a handler in a dict of another module
[file web.py]
views = {}
def route(path):
    def deco(f):
        views[path] = f
        return f
    return deco
[file m.py]
from web import route
@route("/")
def index():
    return "v1"
[run]
import m, web
f = web.views["/"]
[sub m.py]
v1 => v2
[expect]
web.views["/"] is f and f() == "v2" and list(web.views) == ["/"]

# n149-handler-wrapped: a handler that the decorator wraps
[file web.py]
import functools
views = {}
def route(path):
    def deco(f):
        @functools.wraps(f)
        def wrapper(*a):
            return "<" + f(*a) + ">"
        views[path] = wrapper
        return f
    return deco
[file m.py]
from web import route
@route("/")
def index():
    return "v1"
[run]
import m, web
[sub m.py]
v1 => v2
[expect]
web.views["/"]() == "<v2>" and m.index() == "v2"

# n149-handler-signature: a handler gets a parameter; its decorator does not run again
[file web.py]
import _probe
views = []
def route(f):
    _probe.hit("route")
    views.append(f)
    return f
[file m.py]
from web import route
@route
def index():
    return "v1"
[run]
import m, web
[sub m.py]
index(): => index(x=5):
"v1" => x
[expect]
hits == ["route"] and web.views == [m.index] and m.index() == 5

# n150-handler-removed: its entries go, and the report names each
[file web.py]
views, hooks, seen = {}, [], set()
def route(path):
    def deco(f):
        views[path] = f
        hooks.append(f)
        seen.add(f)
        return f
    return deco
[file m.py]
from web import route
@route("/a")
def a():
    return "a"
@route("/b")
def b():
    return "b"
[run]
import m, web
[edit m.py]
from web import route
@route("/a")
def a():
    return "a"
[expect]
list(web.views) == ["/a"] and web.hooks == [m.a] and web.seen == {m.a}
told("unregistered web.views['/b']")
told("unregistered", "web.hooks")
told("unregistered", "web.seen")

# n150-wrapped-handler-removed: ... also where the registry holds a wrapper
[file web.py]
import functools
views = {}
def route(path):
    def deco(f):
        @functools.wraps(f)
        def wrapper():
            return f()
        views[path] = wrapper
        return wrapper
    return deco
[file m.py]
from web import route
@route("/a")
def a():
    return "a"
@route("/b")
def b():
    return "b"
[run]
import m, web
[edit m.py]
from web import route
@route("/a")
def a():
    return "a"
[expect]
list(web.views) == ["/a"]
told("unregistered web.views['/b']")

# n150-hidden-wrapper-removed: ... where the name is the function and the registry holds a wrapper around it
[file web.py]
views = {}
def route(path):
    def deco(f):
        def wrapper():
            return f()
        views[path] = wrapper
        return f
    return deco
[file m.py]
from web import route
@route("/b")
def b():
    return "b"
X = 1
[run]
import m, web
[edit m.py]
X = 1
[expect]
web.views == {} or told("b")

# n150-class-removed: a class that registered itself by a decorator
[file reg.py]
kinds = {}
def kind(cls):
    kinds[cls.__name__] = cls
    return cls
[file m.py]
from reg import kind
@kind
class A:
    pass
@kind
class B:
    pass
[run]
import m, reg
[edit m.py]
from reg import kind
@kind
class A:
    pass
[expect]
reg.kinds == {"A": m.A}
told("unregistered reg.kinds['B']")

# n150-class-removed-init-subclass: a class that registered itself by `__init_subclass__`
[file reg.py]
class Plugin:
    all = []
    by_name = {}
    def __init_subclass__(cls):
        Plugin.all.append(cls)
        Plugin.by_name[cls.__name__] = cls
[file m.py]
from reg import Plugin
class A(Plugin):
    pass
class B(Plugin):
    pass
[run]
import m, reg
[edit m.py]
from reg import Plugin
class A(Plugin):
    pass
[expect]
reg.Plugin.all == [m.A] and list(reg.Plugin.by_name) == ["A"]
told("unregistered", "Plugin.all")

# n150-method-registered-removed: a handler in an instance of a class of the program
[file web.py]
class App:
    def __init__(self):
        self.views = {}
    def route(self, path):
        def deco(f):
            self.views[path] = f
            return f
        return deco
app = App()
[file m.py]
from web import app
@app.route("/a")
def a():
    return "a"
@app.route("/b")
def b():
    return "b"
[run]
import m, web
[edit m.py]
from web import app
@app.route("/a")
def a():
    return "a2"
[expect]
list(web.app.views) == ["/a"] and web.app.views["/a"]() == "a2"
told("unregistered")

# n150-file-deleted: the handlers of a module whose file is deleted go
[file web.py]
views = {}
def route(path):
    def deco(f):
        views[path] = f
        return f
    return deco
[file m.py]
from web import route
@route("/")
def index():
    return "v1"
[file main.py]
import web
import importlib
importlib.import_module("m")
[run]
import main, web
[delete m.py]
[expect]
"m" not in sys.modules or told("m", "left running")
web.views == {} or told("m", "left running")

# n151-route-path-changed: the decorator runs again; the old entry goes
[file web.py]
views = {}
def route(path):
    def deco(f):
        views[path] = f
        return f
    return deco
[file m.py]
from web import route
@route("/a")
def index():
    return "v1"
[run]
import m, web
f = m.index
[sub m.py]
"/a" => "/b"
[expect]
web.views == {"/b": m.index} and m.index is f
told("unregistered web.views['/a']")

# n151-route-path-constant: the path comes from a constant that changed
[file web.py]
views = {}
def route(path):
    def deco(f):
        views[path] = f
        return f
    return deco
[file m.py]
from web import route
PREFIX = "/v1"
@route(PREFIX + "/x")
def index():
    return "v1"
@route(f"{PREFIX}/y")
def other():
    return "o"
[run]
import m, web
f = m.index
[sub m.py]
"/v1" => "/v2"
[expect]
sorted(web.views) == ["/v2/x", "/v2/y"] and m.index is f and web.views["/v2/x"] is f

# n151-list-of-tuples: a registry whose entries are tuples
[file web.py]
routes = []
def route(path):
    def deco(f):
        routes.append((path, f))
        return f
    return deco
[file m.py]
from web import route
@route("/a")
def index():
    return "v1"
[run]
import m, web
[sub m.py]
"/a" => "/b"
[expect]
[p for p, _ in web.routes] == ["/b"] or told("routes")

# n151-list-of-tuples-removed: ... and one that goes
[file web.py]
routes = []
def route(path):
    def deco(f):
        routes.append((path, f))
        return f
    return deco
[file m.py]
from web import route
@route("/a")
def a():
    return "a"
@route("/b")
def b():
    return "b"
[run]
import m, web
[edit m.py]
from web import route
@route("/a")
def a():
    return "a"
[expect]
[p for p, _ in web.routes] == ["/a"]
told("unregistered")

# n151-nested-registry: a dict of lists
[file web.py]
import collections
handlers = collections.defaultdict(list)
def on(event):
    def deco(f):
        handlers[event].append(f)
        return f
    return deco
[file m.py]
from web import on
@on("start")
def a():
    return "a"
@on("start")
def b():
    return "b"
[run]
import m, web
[edit m.py]
from web import on
@on("start")
def a():
    return "a"
[expect]
web.handlers["start"] == [m.a]
told("unregistered")

# n151-nested-registry-moves: ... whose event name is edited
[file web.py]
import collections
handlers = collections.defaultdict(list)
def on(event):
    def deco(f):
        handlers[event].append(f)
        return f
    return deco
[file m.py]
from web import on
@on("start")
def a():
    return "a"
[run]
import m, web
[sub m.py]
"start" => "stop"
[expect]
web.handlers["stop"] == [m.a] and web.handlers["start"] == []
told("unregistered")

# n151-decorator-removed: the function stays, its entry goes
[file web.py]
views = {}
def route(path):
    def deco(f):
        views[path] = f
        return f
    return deco
[file m.py]
from web import route
@route("/a")
def index():
    return "v1"
[run]
import m, web
f = m.index
[edit m.py]
from web import route
def index():
    return "v1"
[expect]
m.index is f and web.views == {}
told("unregistered web.views['/a']")

# n151-decorator-added: and the other way
[file web.py]
views = {}
def route(path):
    def deco(f):
        views[path] = f
        return f
    return deco
[file m.py]
from web import route
def index():
    return "v1"
[run]
import m, web
f = m.index
[edit m.py]
from web import route
@route("/a")
def index():
    return "v1"
[expect]
m.index is f and web.views == {"/a": f}

# n151-renamed-handler: the old name goes, the new one registers
[file web.py]
views = {}
def route(path):
    def deco(f):
        views[path] = f
        return f
    return deco
[file m.py]
from web import route
@route("/a")
def index():
    return "v1"
[run]
import m, web
[edit m.py]
from web import route
@route("/a")
def home():
    return "v2"
[expect]
web.views == {"/a": m.home} and not hasattr(m, "index")

# n151-stacked-routes: two decorators, one of them edited
[file web.py]
views = {}
def route(path):
    def deco(f):
        views[path] = f
        return f
    return deco
[file m.py]
from web import route
@route("/a")
@route("/b")
def index():
    return "v1"
[run]
import m, web
[sub m.py]
"/b" => "/c"
[expect]
sorted(web.views) == ["/a", "/c"] and set(map(id, web.views.values())) == {id(m.index)}

# n152-signal-connected-once: `connect(handler)` as a statement
[file bus.py]
handlers = []
def connect(f):
    handlers.append(f)
[file m.py]
import bus
def on_save():
    return "v1"
bus.connect(on_save)
[run]
import m, bus
[sub m.py]
v1 => v2
[expect]
len(bus.handlers) == 1 and bus.handlers[0]() == "v2"

# n152-signal-of-edited-signature: also after the handler's header was edited
[file bus.py]
handlers = []
def connect(f):
    handlers.append(f)
[file m.py]
import bus
def on_save():
    return "v1"
bus.connect(on_save)
[run]
import m, bus
[sub m.py]
on_save(): => on_save(x="v2"):
return "v1" => return x
[expect]
len(bus.handlers) == 1 and bus.handlers[0]() == "v2"

# n152-signal-method: bound methods connected in `__init__` are connected once
[file bus.py]
handlers = []
[file m.py]
import bus
class Listener:
    def __init__(self):
        bus.handlers.append(self.on)
    def on(self):
        return 1
l = Listener()
[run]
import m, bus
[sub m.py]
return 1 => return 2
[expect]
[h() for h in bus.handlers] == [2]

# n153-argparse: a parser built by several statements gets one more
[file m.py]
import argparse
parser = argparse.ArgumentParser(prog="m")
parser.add_argument("--a", type=int, default=1)
def run(argv):
    return vars(parser.parse_args(argv))
[run]
import m
parser = m.parser
[sub m.py]
default=1) => default=1)\nparser.add_argument("--b", type=int, default=2)
[expect]
m.run([]) == {"a": 1, "b": 2} and m.parser is parser

# n153-argparse-default-edited: an edited call on an opaque object runs on it, or the report tells
[file m.py]
import argparse
parser = argparse.ArgumentParser(prog="m")
parser.set_defaults(x=1)
def run(argv):
    return vars(parser.parse_args(argv))
[run]
import m
[sub m.py]
x=1 => x=2
[expect]
m.run([]) == {"x": 2}

# n154-scheduler-job: a job held by a scheduler runs the new code; it is not scheduled twice
[file m.py]
import sched, time
s = sched.scheduler(time.time, time.sleep)
done = []
def job():
    done.append(1)
s.enter(0, 1, job)
[run]
import m
[sub m.py]
append(1) => append(2)
[expect]
len(m.s.queue) == 1
m.s.run() is None and m.done == [2]

# n156-codecs-and-copyreg: registered functions are grafted in place
[file m.py]
import copyreg, pickle
class P:
    def __init__(self, x):
        self.x = x
def reduce(p):
    return P, (p.x,)
copyreg.pickle(P, reduce)
[run]
import m, pickle
p = m.P(1)
[sub m.py]
(p.x,) => (p.x * 10,)
[expect]
pickle.loads(pickle.dumps(p)).x == 10

# n156-atexit-and-json-default: a default hook given away
[file m.py]
import json
def default(o):
    return "v1"
encoder = json.JSONEncoder(default=default)
[run]
import m
e = m.encoder
[sub m.py]
v1 => v2
[expect]
m.encoder is e and e.encode(object()) == '"v2"'

# n150-reregistered-once: a definition that runs again takes its older entry's place in a list
[file web.py]
hooks = []
def hook(n):
    def deco(f):
        hooks.append(f)
        return f
    return deco
[file m.py]
from web import hook
@hook(1)
def a():
    return "a"
[run]
import m, web
[sub m.py]
hook(1) => hook(2)
[expect]
web.hooks == [m.a]
told("unregistered")

# n150-program-entries-stay: what the program registered stays
[file web.py]
hooks = []
[file m.py]
import web
def a():
    return 1
def b():
    return 2
[run]
import m, web
web.hooks.append(m.a)
[edit m.py]
import web
def a():
    return 10
[expect]
web.hooks == [m.a] and web.hooks[0]() == 10

# objects-in-a-dict: an object around a definition stands where the older one stood; what the program put there stays
[file m.py]
class Job:
    def __init__(self, f): self.f = f
JOBS = {}
def job(name):
    def deco(f):
        JOBS[name] = Job(f)
        return f
    return deco
def same(f): return f
@job("f")
def f(): return 1
@job("g")
def g(): return 2
[run]
import m
f = m.f
m.JOBS["mine"] = mine = m.Job(f)
[sub m.py]
@job("f") => @same\n@job("f")
[expect]
list(m.JOBS) == ["f", "g", "mine"] and m.JOBS["mine"] is mine and m.JOBS["f"].f is m.f is f
[sub m.py]
@job("f") => @job("h")
[expect]
list(m.JOBS) == ["h", "g", "mine"] and m.JOBS["mine"] is mine

# refusing-registry-of-an-app: an app that has the last of its handlers at hand is no entry of the list of apps
[file m.py]
class App:
    def __init__(self):
        self.handlers, self.last = {}, None
    def add(self, f):
        if f.__name__ in self.handlers:
            raise ValueError("twice")
        self.handlers[f.__name__] = self.last = f
        return f
def same(f): return f
app = App()
APPS, BY_NAME = [app], {"main": app}
@app.add
def f(x): return 1
HANDLERS = [f]
LAST = 1
[run]
import m
app = m.app
f = m.f
[sub m.py]
@app.add => @same\n@app.add
LAST = 1 => LAST = 1 / 0
[expect rolled back]
m.APPS == [app] and m.BY_NAME == {"main": app} and app.last is m.f and app.handlers == {"f": m.f}
[sub m.py]
LAST = 1 / 0 => LAST = 1
[expect]
m.APPS == [app] and m.BY_NAME == {"main": app} and app.handlers == {"f": m.f}
m.f is f and m.HANDLERS == [f]

# refusing-registry-of-classes: a list that was made with the class keeps it
[file m.py]
KINDS = {}
class Base:
    def __init_subclass__(cls, **about):
        if cls.__name__ in KINDS:
            raise ValueError("twice")
        KINDS[cls.__name__] = cls
class A(Base):
    x = 1
SHOWN = [A]
[run]
import m
A = m.A
[sub m.py]
class A(Base) => class A(Base, about=1)
[expect]
m.A is A and m.KINDS == {"A": A} and m.SHOWN == [A]

# registration-undone: a rollback takes registrations back
[file web.py]
views = {}
def route(path):
    def deco(f):
        views[path] = f
        return f
    return deco
[file m.py]
from web import route
@route("/a")
def index():
    return "v1"
[run]
import m, web
before = dict(web.views)
[edit m.py]
from web import route
@route("/b")
def other():
    return "v2"
1 / 0
[expect rolled back]
web.views == before and list(web.views) == ["/a"] and m.index() == "v1"

# made-anew-beside-what-does-not-compare: an object of a decorator that is made anew; nothing in it is asked for `==`
[file m.py]
class Odd:
    def __eq__(self, other): raise RuntimeError("is not to be compared")
made = []
class Group:
    def __init__(self, f, n):
        made.append(n)
        self.f, self.rows = f, [1] if len(made) == 1 else Odd()
    def __call__(self): return self.f()
def group(n): return lambda f: Group(f, n)
@group(1)
def a(): return 1
[run]
import m
a = m.a
[sub m.py]
group(1) => group(2)
return 1 => return 2
[expect]
m.a is a and a() == 2 and type(a.rows) is m.Odd
"""


@pytest.mark.parametrize("case", table(REGISTRATIONS))
def test_registrations(case: Case, tmp_path: pathlib.Path) -> None:
    play(case, tmp_path)


CONTENTS = r"""
# contents-added: what is computed from a registry follows a definition that comes, in its own module and in others
[file reg.py]
COMMANDS = {}
def command(f):
    COMMANDS[f.__name__] = f
    return f
[file m.py]
from reg import command, COMMANDS
@command
def a(): return 1
HELP = sorted(COMMANDS)
TEXT = f"{len(COMMANDS)}: " + ", ".join(COMMANDS)
NAMES = [name.upper() for name in COMMANDS]
BOTH = (COMMANDS, 1)
[file use.py]
import m, reg
from m import HELP
ALL = tuple(reg.COMMANDS)
[run]
import reg, m, use
held = m.HELP
[sub m.py]
HELP = sorted => @command\ndef b(): return 2\nHELP = sorted
[expect]
m.HELP == ["a", "b"] and m.HELP is held is use.HELP
(m.TEXT, m.NAMES, use.ALL) == ("2: a, b", ["A", "B"], ("a", "b"))
m.BOTH[0] is reg.COMMANDS and "BOTH" not in str(report)
[sub m.py]
@command\ndef b(): return 2\n => 
[expect]
m.HELP == ["a"] and m.HELP is held
(m.TEXT, m.NAMES, use.ALL) == ("1: a", ["A"], ("a",))

# contents-key: a decorator's argument is the key
[file m.py]
COMMANDS = {}
def command(name):
    def put(f):
        COMMANDS[name] = f
        return f
    return put
@command("one")
def a(): return 1
KEYS = list(COMMANDS)
DOUBLE = [key * 2 for key in COMMANDS]
[run]
import m
[sub m.py]
@command("one") => @command("two")
[expect]
m.KEYS == ["two"] and m.DOUBLE == ["twotwo"]

# contents-below: what registers below a value was no part of it, and is none now
[file m.py]
COMMANDS = {}
def command(f):
    COMMANDS[f.__name__] = f
    return f
@command
def a(): return 1
HELP = sorted(COMMANDS)
@command
def b(): return 2
[run]
import m
[sub m.py]
def b(): return 2 => def b(): return 2\n@command\ndef c(): return 3
[expect]
m.HELP == ["a"] and list(m.COMMANDS) == ["a", "b", "c"]
[sub m.py]
HELP = => @command\ndef aa(): return 0\nHELP =
[expect]
m.HELP == ["a"]

# contents-below-first: nor the first that registers there
[file m.py]
COMMANDS = {}
def command(f):
    COMMANDS[f.__name__] = f
    return f
HELP = sorted(COMMANDS)
LAST = 1
[run]
import m
[sub m.py]
LAST = 1 => @command\ndef c(): return HELP\nLAST = 2
[expect]
m.HELP == [] and list(m.COMMANDS) == ["c"] and m.LAST == 2

# contents-earlier: a module that was imported before the one that registers has not seen it
[file reg.py]
COMMANDS = []
def command(f):
    COMMANDS.append(f.__name__)
    return f
[file early.py]
from reg import COMMANDS
ALL = tuple(COMMANDS)
[file m.py]
import early
from reg import command
LAST = 1
[run]
import reg, early, m
[sub m.py]
LAST = 1 => @command\ndef a(): return 1
[expect]
early.ALL == () and reg.COMMANDS == ["a"]

# contents-state: what the program did to the value, or to the registry, stays
[file m.py]
COMMANDS = {}
def command(f):
    COMMANDS[f.__name__] = f
    return f
@command
def a(): return 1
HELP = sorted(COMMANDS)
COUNT = len(COMMANDS)
[run]
import m
m.HELP.append("mine")
[sub m.py]
HELP = => @command\ndef b(): return 2\nHELP =
[expect]
m.HELP == ["a", "mine"] and m.COUNT == 2

# contents-class: a registry that a class keeps
[file m.py]
class Plugin:
    registry = []
    def __init_subclass__(cls):
        Plugin.registry.append(cls.__name__)
class A(Plugin): pass
NAMES = tuple(Plugin.registry)
[run]
import m
[sub m.py]
NAMES => class B(Plugin): pass\nNAMES
[expect]
m.NAMES == ("A", "B")

# contents-loop: a list that a loop fills from a registry
[file m.py]
COMMANDS = {}
def command(f):
    COMMANDS[f.__name__] = f
    return f
@command
def a(): return 1
LINES = []
for key in COMMANDS:
    LINES.append("- " + key)
[run]
import m
held = m.LINES
[sub m.py]
LINES = [] => @command\ndef b(): return 2\nLINES = []
[expect]
m.LINES == ["- a", "- b"] and m.LINES is held

# contents-told: what the program's own code computed from a registry stays, and the report says so
[file m.py]
COMMANDS = {}
def command(f):
    COMMANDS[f.__name__] = f
    return f
def render(commands):
    return ", ".join(commands)
@command
def a(): return 1
HELP = render(COMMANDS)
class App:
    def __init__(self, commands): self.commands = commands
app = App(COMMANDS)
[run]
import m
app = m.app
[sub m.py]
HELP = => @command\ndef b(): return 2\nHELP =
[expect]
m.HELP == "a" and "`HELP` stays as it is; what it was made from is not: `COMMANDS`" in str(report)
m.app is app and "app" not in str(report)

# contents-called: what an item of a container gives, when the item's code is edited
[file m.py]
def f(): return 1
TABLE = {"a": f}
ONE = TABLE["a"]()
ALL = [each() for each in [f]]
KEPT = [g() for g in TABLE.values()]
[run]
import m
[sub m.py]
return 1 => return 2
[expect]
m.ONE == 2 and m.KEPT == [1] and "kept `KEPT`" in str(report)

# contents-shown: texts made of the docstrings of what is registered
[file reg.py]
TOOLS = {}
def tool(f):
    TOOLS[f.__name__] = f
    return f
[file m.py]
from reg import tool, TOOLS
@tool
def a():
    "adds"
@tool
def b(x=1):
    "brings"
HELP = "; ".join(f"{name}: {one.__doc__}" for name, one in TOOLS.items())
TEXTS = [one.__doc__ for one in TOOLS.values()]
[file use.py]
import m
from reg import TOOLS
SCHEMA = [{"name": one.__name__, "description": one.__doc__, "given": one.__defaults__} for one in TOOLS.values()]
[run]
import reg, m, use
held = use.SCHEMA
m.TEXTS.append("mine")
[sub m.py]
"adds" => "adds up"
[expect]
m.HELP == "a: adds up; b: brings" and m.TEXTS == ["adds", "brings", "mine"]
use.SCHEMA[0]["description"] == "adds up" and use.SCHEMA is held
[sub m.py]
x=1 => x=2
[expect]
use.SCHEMA[1]["given"] == (2,) and m.HELP == "a: adds up; b: brings"
[sub m.py]
"brings" => "carries"\n@tool\ndef c():\n    "calls"
[expect]
m.HELP == "a: adds up; b: carries; c: calls" and [one["name"] for one in use.SCHEMA] == ["a", "b", "c"]
[sub m.py]
"adds up" => "adds"
"carries" => "brings"
[expect]
m.HELP == "a: adds; b: brings; c: calls"

# contents-of-many: of a large table the first items are looked at, not its keys alone
[file m.py]
def f(): return 1
TABLE = {"a": f, **dict.fromkeys(range(2000))}
ONE = TABLE["a"]()
[run]
import m
[sub m.py]
return 1 => return 2
[expect]
m.ONE == 2

# contents-undone: a failed reload leaves the values as they were
[file m.py]
COMMANDS = {}
def command(f):
    COMMANDS[f.__name__] = f
    return f
@command
def a(): return 1
HELP = sorted(COMMANDS)
LAST = 1
[run]
import m
held = m.HELP
[sub m.py]
HELP = => @command\ndef b(): return 2\nHELP =
LAST = 1 => LAST = 1 / 0
[expect rolled back]
m.HELP == ["a"] and m.HELP is held and list(m.COMMANDS) == ["a"]
"""


@pytest.mark.parametrize("case", table(CONTENTS))
def test_what_is_computed_from_a_registry_follows_its_contents(case: Case, tmp_path: pathlib.Path) -> None:
    play(case, tmp_path)


CALLED = r"""
# called: a value that calls an edited function
[file m.py]
TABLE = {"a": [1]}
def f(): return 1
V = f()
[run]
import m
[sub m.py]
return 1 => return 2
[expect]
m.V == 2
"""


MOVED = r"""
# moved: a class of many methods
[file a.py]
X = 1
class Big:
    METHODS
[file b.py]
Y = 1
[run]
import a, b
Big = a.Big
[edit a.py]
X = 1
[edit b.py]
Y = 1
class Big:
    METHODS
[expect]
b.Big is Big and Big().m1() == 1
"""


def counted_looks(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    looks: list[None] = []
    containers = Registrations.containers

    def counted(self: Registrations) -> Iterator[tuple[str, Any]]:
        looks.append(None)
        return containers(self)

    monkeypatch.setattr(Registrations, "containers", counted)
    return looks


def test_an_edited_body_has_the_containers_of_the_program_looked_for_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = counted_looks(monkeypatch)
    [called] = table(CALLED)
    play(called.values[0], tmp_path)
    assert len(looks) == 1


def test_a_class_that_moves_has_the_containers_looked_for_as_often_whatever_it_has(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = counted_looks(monkeypatch)
    counts = []
    for many in (2, 20):
        methods = "\n    ".join(f"def m{at}(self): return {at}" for at in range(many))
        [moved] = table(MOVED.replace("METHODS", methods))
        looks.clear()
        play(moved.values[0], tmp_path / str(many))
        counts.append(len(looks))
    assert counts[0] == counts[1]
