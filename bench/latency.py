"""Save -> new behaviour in a program started by `midflight run`: one save at a time, and a thousand as one batch.

    python bench/latency.py [--runs 5] [--saves 200] [--modules 100] [--batch 1000]

The program looks every 0.2 ms and stamps what it sees on the clock that the saver reads before it writes.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from record import environment, module_text, quantile, record, spread, write_program

LOOK = """
import json, os, time
import midflight
names = [f"part{{number:04}}" for number in range({modules})]
parts = [__import__(name) for name in names]
session = midflight.current()

def say(**what):
    os.write(1, (json.dumps(what) + "\\n").encode())  # in one piece: two threads say something

def told(item):
    if hasattr(item, "outcome"):
        say(report=item.outcome, modules=len(item.modules), ms=dict(item.timings_ms), at=time.monotonic_ns())

session.subscribe(told)
"""

THREAD = (
    LOOK
    + """
def main():
    seen = [part.value() for part in parts]
    say(ready=True)
    while True:
        time.sleep(0.0002)
        now = [part.value() for part in parts]
        at = time.monotonic_ns()
        if now != seen:
            say(at=at, left=sum(1 for value in now if value != max(now)), most=max(now))
            seen = now

main()
"""
)

ASYNCIO = (
    LOOK
    + """
import asyncio

async def main():
    seen = [part.value() for part in parts]
    say(ready=True)
    while True:
        await asyncio.sleep(0.0002)
        now = [part.value() for part in parts]
        at = time.monotonic_ns()
        if now != seen:
            say(at=at, left=sum(1 for value in now if value != max(now)), most=max(now))
            seen = now

asyncio.run(main())
"""
)


class Program:
    """A running program; each line that it prints is one JSON object."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def next(self, *keys: str) -> dict[str, Any]:
        """The next line that has one of `keys`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said: dict[str, Any] = json.loads(line)
            if any(key in said for key in keys):
                return said
        raise RuntimeError(f"the program ended with {self.process.wait()}")


@contextmanager
def running(modules: int, main: str) -> Iterator[tuple[Program, list[Path]]]:
    with tempfile.TemporaryDirectory(prefix="latency-") as scratch, (Path(scratch) / "log").open("w") as log:
        folder = Path(scratch) / "program"
        paths = write_program(folder, modules, main.format(modules=modules))
        process = subprocess.Popen(
            [sys.executable, "-m", "midflight", "run", "main.py"],
            cwd=folder, env=environment(folder.parent), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
        try:
            program = Program(process)
            program.next("ready")
            yield program, paths
        finally:
            process.kill()
            process.wait()


def save(path: Path, text: str) -> int:
    """When the save began, in ns."""
    at = time.monotonic_ns()
    path.write_text(text)
    return at


def single_saves(main: str, modules: int, saves: int) -> dict[str, list[float]]:
    """Milliseconds from each save to the first call that ran the new code, and of midflight's own stages."""
    dice, live, own = random.Random(1), [], []
    with running(modules, main) as (program, paths):
        for count in range(1, saves + 1):
            number = dice.randrange(modules)
            time.sleep(dice.uniform(0.005, 0.04))  # out of step with whatever ticks
            began = save(paths[number], module_text(number, count))
            seen = report = None
            while seen is None or report is None:
                said = program.next("left", "report")
                seen, report = (seen, said) if "report" in said else (said, report)
            live.append((seen["at"] - began) / 1e6)
            own.append(report["ms"].get("total", 0.0))
    return {"live": live, "own": own}


def batch_save(modules: int) -> dict[str, float]:
    """One burst that saves every module: how many reports it made, and how long until the last was live."""
    with running(modules, THREAD) as (program, paths):
        began = time.monotonic_ns()
        for number, path in enumerate(paths):
            path.write_text(module_text(number, 1))
        written = time.monotonic_ns()
        reports, taken, seen = 0, 0, {"left": 1, "at": 0}
        while taken < modules or seen["left"]:
            said = program.next("left", "report")
            if "report" in said:
                reports, taken = reports + 1, taken + said["modules"]
                own = said["ms"].get("total", 0.0)
            else:
                seen = said
        return {
            "reports": reports,
            "write_ms": (written - began) / 1e6,
            "live_ms": (seen["at"] - written) / 1e6,
            "own_ms": own,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--saves", type=int, default=200)
    parser.add_argument("--modules", type=int, default=100)
    parser.add_argument("--batch", type=int, default=1000)
    options = parser.parse_args()
    kinds = {"threads": THREAD, "asyncio": ASYNCIO}
    runs: dict[str, list[dict[str, list[float]]]] = {kind: [] for kind in kinds}
    batches = []
    for turn in range(options.runs):  # interleaved, every other turn backwards: the machine's mood falls on all alike
        for kind in sorted(kinds, reverse=bool(turn % 2)):
            runs[kind].append(single_saves(kinds[kind], options.modules, options.saves))
        if options.batch:
            batches.append(batch_save(options.batch))
        print(f"run {turn + 1} of {options.runs}", file=sys.stderr)
    rows, figures = [], {}
    for kind, some in runs.items():
        medians = [statistics.median(run["live"]) for run in some]
        tails = [quantile(run["live"], 0.99) for run in some]
        inner = [statistics.median(run["own"]) for run in some]
        rows.append((f"one save, {kind}", spread(medians), spread(tails), spread(inner)))
        figures[kind] = {"median_ms": statistics.median(medians), "p99_ms": statistics.median(tails)}
        figures[kind] |= {"medians_ms": medians, "p99s_ms": tails}
    if batches:
        lives = [batch["live_ms"] for batch in batches]
        own, most = [batch["own_ms"] for batch in batches], max(batch["reports"] for batch in batches)
        rows.append((f"{options.batch} files at once", spread(lives, 0), "", spread(own, 0)))
        figures["batch"] = {"live_ms": statistics.median(lives), "reports": most}
    notes = [f"{options.runs} interleaved runs of {options.saves} saves; {options.modules} modules of 100 lines."]
    if batches:
        notes.append(f"The {options.batch} files of one burst made {most:.0f} report(s) at most.")
    columns = ("", "median ms", "p99 ms", "of it midflight's own stages, median ms")
    record("latency", "Save to new behaviour", columns, rows, notes, **figures)


if __name__ == "__main__":
    main()
