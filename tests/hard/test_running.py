"""Lines 62-74 of the hard cases: code that is running while it is edited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import parse
from hard.harness import run_row

ROWS = parse(
    "running",
    r"""
## n062-frame-on-the-stack [nofail]: a frame finishes with the old code and is named; its next call is new
@ file m.py
def f(act):
    act()
    return "old"
@ touch
import m, threading
inside, go = threading.Event(), threading.Event()
got = []
def act():
    inside.set()
    go.wait(20)
thread = threading.Thread(target=lambda: got.append(m.f(act)))
thread.start()
inside.wait(20)
@ sub m.py
return "old" => return "new"
@ touch
go.set()
thread.join()
frames = [(frame.name, frame.line) for frame in report.old_frames]
@ expect
got == ["old"] and m.f(lambda: None) == "new"
frames == [("f", 2)]

## n063-loop-in-main: `while True` calls a helper that is edited
@ file m.py
import queue
inbox, outbox = queue.Queue(), queue.Queue()
def step(x):
    return ("old", x)
def loop():
    while True:
        x = inbox.get(timeout=30)
        if x is None:
            return
        outbox.put(step(x))
@ touch
import m, threading
thread = threading.Thread(target=m.loop, daemon=True)
thread.start()
def ask(x):
    m.inbox.put(x)
    return m.outbox.get(timeout=30)
first = ask(1)
@ sub m.py
return ("old", x) => return ("new", x)
@ expect
first == ("old", 1) and ask(2) == ("new", 2)
m.inbox.put(None) is None and thread.join(30) is None

## n064-suspended-generator: keeps the old code; the next one is new
@ file m.py
def count():
    for n in range(3):
        yield ("old", n)
class C:
    def each(self):
        yield 1
        yield 2
@ touch
import m
going, each = m.count(), m.C().each()
next(going); next(each)
@ sub m.py
yield ("old", n) => yield ("new", n)
yield 2 => yield 20
@ expect
next(going) == ("old", 1) and next(each) == 2
next(m.count()) == ("new", 0) and list(m.C().each()) == [1, 20]
[one["name"] for one in session.stats()["suspended_on_old_code"]] == ["count", "C.each"]

## n065-async-generator: the same for an async generator
@ file m.py
async def count():
    for n in range(3):
        yield ("old", n)
@ touch
import m
loop = asyncio.new_event_loop()
going = m.count()
loop.run_until_complete(going.__anext__())
@ sub m.py
yield ("old", n) => yield ("new", n)
@ expect
loop.run_until_complete(going.__anext__()) == ("old", 1)
loop.run_until_complete(m.count().__anext__()) == ("new", 0)
loop.run_until_complete(going.aclose()) is None and loop.close() is None

## n066-long-lived-coroutine: a task that waits finishes with the old code, and what it calls is new
@ file m.py
async def helper():
    return "old helper"
async def work(event):
    await event.wait()
    return "old", await helper()
@ touch
import m
loop = asyncio.new_event_loop()
event = asyncio.Event()
task = loop.create_task(m.work(event))
loop.run_until_complete(asyncio.sleep(0))
@ sub m.py
return "old", => return "new",
return "old helper" => return "new helper"
@ touch
loop.call_soon(event.set)
@ expect
loop.run_until_complete(task) == ("old", "new helper")
loop.run_until_complete(m.work(event)) == ("new", "new helper")
loop.close() is None

## n067-thread-target: the target itself is edited while it runs, and a thread made from the old reference
@ file m.py
def target(out, event):
    event.wait(30)
    out.append("old")
@ touch
import m, threading
out, event = [], threading.Event()
waiting = threading.Thread(target=m.target, args=(out, event))
waiting.start()
later = threading.Thread(target=m.target, args=(out, event))
@ sub m.py
out.append("old") => out.append("new")
@ touch
event.set(); waiting.join(30); later.start(); later.join(30)
@ expect
out == ["old", "new"]

## n068-loop-callbacks: callbacks that a loop holds
@ file m.py
out = []
def tick():
    out.append("old")
class C:
    def tick(self):
        out.append("old method")
@ touch
import m, functools
loop = asyncio.new_event_loop()
loop.call_soon(m.tick); loop.call_soon(m.C().tick); loop.call_soon(functools.partial(m.tick))
@ sub m.py
out.append("old") => out.append("new")
out.append("old method") => out.append("new method")
@ touch
loop.run_until_complete(asyncio.sleep(0)); loop.close()
@ expect
m.out == ["new", "new method", "new"]

## n069-c-callbacks: signal handlers, finalizers, atexit, sort keys
@ file m.py
import signal, weakref, atexit
out = []
def on_signal(number, frame):
    out.append("old signal")
def on_final():
    out.append("old final")
class Thing: pass
thing = Thing()
before = signal.signal(signal.SIGUSR1, on_signal)
finalizer = weakref.finalize(thing, on_final)
finalizer.atexit = False
@ touch
import m, signal
@ sub m.py
out.append("old signal") => out.append("new signal")
out.append("old final") => out.append("new final")
@ touch
os.kill(os.getpid(), signal.SIGUSR1)
m.finalizer()
signal.signal(signal.SIGUSR1, m.before or signal.SIG_DFL)
@ expect
m.out == ["new signal", "new final"]

## n070-forked-child [nofail]: a child forked before keeps its own program; one forked after has the new code
@ file m.py
def f():
    return 1
@ touch
import m
def in_child():
    pid = os.fork()
    if pid == 0:
        os._exit(m.f())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
first = in_child()
@ sub m.py
return 1 => return 2
@ expect
first == 1 and in_child() == 2

## n071-edit-during-a-reload [nofail]: a file saved while a reload runs is taken by the next one
@ file m.py
def f():
    return 1
@ file n.py
VALUE = 1
def save(path, text):
    return VALUE
@ touch
import m, n
path = str(root / "m.py")
@ edit n.py
import pathlib, sys
VALUE = 2
def save(path, text):
    pathlib.Path(path).write_text(text)
    return VALUE
saved = save(str(pathlib.Path(__file__).with_name("m.py")), "def f():\n    return 2\n") if "zz_last" in sys.modules else 0
@ touch
after = session.reload()
@ expect
n.saved == 2
m.f() == 2

## n073-from-reloaded-code: a reload asked for by code that is being reloaded
@ file m.py
import midflight
def f():
    return 1
@ touch
import m, midflight
midflight.SESSION = session
@ edit m.py
import midflight
def f():
    return 2
try:
    midflight_error = None
    midflight.SESSION.reload()
except midflight.errors.SessionError as error:
    midflight_error = error
@ expect
m.f() == 2 and "being reloaded" in str(m.midflight_error)

## n074-threads-patch [nofail]: other threads call while it is edited, and see the old or the new whole
@ file m.py
def a():
    return 1
def b():
    return 1
@ file n.py
import m
def both():
    return m.a(), m.b()
@ touch
import m, n, threading
seen, stop = set(), threading.Event()
def spin():
    while not stop.is_set():
        seen.add((m.a(), m.b()))
thread = threading.Thread(target=spin, daemon=True)
thread.start()
@ edit m.py
def a():
    return 2
def b():
    return 2
@ touch
stop.set(); thread.join(30)
@ expect
seen <= {(1, 1), (2, 2), (1, 2), (2, 1)} and n.both() == (2, 2)

## n062-bound-running: a method that is running
@ file m.py
class C:
    def f(self, act):
        act()
        return "old"
@ touch
import m, threading
inside, go, got = threading.Event(), threading.Event(), []
c = m.C()
thread = threading.Thread(target=lambda: got.append(c.f(lambda: (inside.set(), go.wait(20)))))
thread.start(); inside.wait(20)
@ sub m.py
return "old" => return "new"
@ touch
go.set(); thread.join()
@ expect
got == ["old"] and c.f(lambda: None) == "new"
report.old_frames[0].name.endswith("f")

## n064-generator-shape: a generator function whose captured names change while one is suspended
@ file m.py
def make(a, b):
    def gen():
        yield a
        yield a
    return gen
@ touch
import m
gen = m.make(1, 2)
going = gen(); next(going)
@ sub m.py
yield a\n        yield a => yield a\n        yield (a, b)
@ expect
next(going) == 1 and list(m.make(1, 2)()) == [1, (1, 2)]
list(gen()) == [1, 1] and said("make.gen")

## n064-context-manager-open: one that is entered leaves with the old code
@ file m.py
import contextlib
out = []
@contextlib.contextmanager
def enter():
    yield 1
    out.append("old")
@ touch
import m
open_one = m.enter(); open_one.__enter__()
@ sub m.py
out.append("old") => out.append("new")
@ touch
open_one.__exit__(None, None, None)
with m.enter(): pass
@ expect
m.out == ["old", "new"]
""",
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_running(row: Any, tmp_path: Path) -> None:
    run_row(row, tmp_path)
