"""Torn reads: calls, by threads that never stop, that saw two versions of a program at once while it was edited.

    python bench/torn.py [--runs 3] [--edits 300] [--peers]

Three threads call; each call reads two things that every edit changes together. With --peers, jurigged and IPython
stand beside midflight and importlib.reload, each in an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from environments import HERE, MIDFLIGHT, PEERS, Engine, python, surroundings
from record import record

SHOP = """
from __future__ import annotations

FIRST = {number}
SECOND = {number}


def first():
    return {number}


def second():
    return {number}


class Thing:
    VERSION = {number}

    def version(self):
        return {number}


THING = Thing()
"""

CALLERS = """
import shop


def two_functions():
    return shop.first(), shop.second()


def two_constants():
    return shop.FIRST, shop.SECOND


def method_and_attribute(thing=shop.THING):
    return thing.version(), type(thing).VERSION
"""

MAIN = """
import json, sys, threading, time
from pathlib import Path

engine, edits = sys.argv[1], int(sys.argv[2])
text, path = Path("shop.txt").read_text(), Path("shop.py").resolve()
sys.dont_write_bytecode = True
sys.path[0:0] = [".", sys.argv[3]]

import drivers
driver = drivers.named(engine)
driver.start(path.parent)
driver.load("callers")
driver.loaded()
import callers

kinds = ["two_functions", "two_constants", "method_and_attribute"]
told = {kind: {"calls": 0, "torn": 0, "raised": 0} for kind in kinds}
stop = threading.Event()

def spin(call, counts):
    while not stop.is_set():
        counts["calls"] += 1
        try:
            one, other = call()
        except Exception:
            counts["raised"] += 1
            continue
        if one != other:
            counts["torn"] += 1

threads = [threading.Thread(target=spin, args=(getattr(callers, kind), told[kind]), daemon=True) for kind in kinds]
for thread in threads:
    thread.start()
spent = []
for number in range(1, edits + 1):
    path.write_text(text.replace("{number}", str(number)))
    began = time.perf_counter()
    driver.reload([path], ["shop"])
    spent.append(time.perf_counter() - began)
stop.set()
for thread in threads:
    thread.join()
missed = edits - min(callers.two_functions() + callers.method_and_attribute())
print(json.dumps({"kinds": told, "ms": sorted(spent)[len(spent) // 2] * 1000, "missed": missed}))
"""

KINDS = ("two_functions", "two_constants", "method_and_attribute")


def count(engine: Engine, edits: int) -> dict[str, Any]:
    """One program under one engine: what each kind of call saw, and the median reload in ms."""
    with tempfile.TemporaryDirectory(prefix="torn-") as scratch:
        folder = Path(scratch) / "program"
        folder.mkdir()
        files = {"shop.txt": SHOP, "shop.py": SHOP.format(number=0), "callers.py": CALLERS, "main.py": MAIN}
        for name, text in files.items():
            (folder / name).write_text(text)
        done = subprocess.run(
            [python(engine), "main.py", engine.driver, str(edits), str(HERE)],
            cwd=folder, env=surroundings(folder.parent), capture_output=True, text=True, check=True,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def share(runs: list[dict[str, Any]], kind: str, what: str) -> str:
    """How many of all runs' calls, and that in a million."""
    some = sum(run["kinds"][kind][what] for run in runs)
    calls = sum(run["kinds"][kind]["calls"] for run in runs)
    return f"{some} ({some / calls * 1e6:.1f})" if some else "0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--edits", type=int, default=300)
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    chosen = ("importlib_reload", "jurigged", "ipython") if options.peers else ("importlib_reload",)
    engines = [MIDFLIGHT, *(peer for peer in PEERS if peer.driver in chosen)]
    runs: dict[str, list[dict[str, Any]]] = {engine.title: [] for engine in engines}
    for turn in range(options.runs):
        for engine in sorted(engines, key=lambda one: one.title, reverse=bool(turn % 2)):
            runs[engine.title].append(count(engine, options.edits))
        print(f"run {turn + 1} of {options.runs}", file=sys.stderr)
    rows = []
    for title, some in runs.items():
        calls = sum(run["kinds"][kind]["calls"] for run in some for kind in KINDS)
        cells = [share(some, kind, "torn") for kind in KINDS]
        raised = sum(run["kinds"][kind]["raised"] for run in some for kind in KINDS)
        ms = sorted(run["ms"] for run in some)[len(some) // 2]
        rows.append((title, f"{calls / 1e6:.1f}", *cells, raised, f"{ms:.1f}"))
    columns = ("", "million calls", "torn: two functions", "torn: two constants", "torn: method and class attribute",
               "raised", "a reload, median ms")  # fmt: skip
    notes = [
        f"{options.runs} interleaved runs of {options.edits} edits under three threads that never stop calling; "
        "in brackets, of a million calls.",
        "A reload waits for its turn among threads that never give theirs up: 5 ms each, the interpreter's default.",
    ]
    stale = [title for title, some in runs.items() if any(run["missed"] for run in some)]
    notes += [f"Of {', '.join(stale)}, calls still saw an old version after the last edit."] if stale else []
    torn = sum(run["kinds"][kind]["torn"] for run in runs["midflight"] for kind in KINDS)
    record("torn", "Torn reads", columns, rows, notes, torn=torn)


if __name__ == "__main__":
    main()
