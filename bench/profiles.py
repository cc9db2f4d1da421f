"""Where the time of a reload goes: one body edited, profiled by the CPU time of the thread that reloads.

    python bench/profiles.py [--as after] [--kind lines] [--size 300] [--edits 200] [--top 15]

`--as before` and `--as after` keep two tables for RESULTS.md, so that work on the engine can be seen in it.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import drivers
from programs import workload
from record import ROOT, record
from worker import Measured

SRC = ROOT / "src" / "midflight"


def where(function: tuple[str, int, str]) -> str:
    """A function as a reader finds it: file below the package, or the library's file, and its name."""
    file, line, name = function
    if file == "~":
        return name  # written in C
    path = Path(file)
    return f"{path.relative_to(SRC) if SRC in path.parents else path.name}:{line} {name}"


def top(profile: cProfile.Profile, edits: int, count: int) -> Iterator[tuple[str, ...]]:
    """Rows of the functions that took most themselves: calls, own and whole time of one reload in microseconds."""
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    first = sorted(stats.items(), key=lambda item: -item[1][2])[:count]
    for function, (_, calls, own, whole, _) in first:
        yield where(function), f"{calls / edits:.1f}", f"{own / edits * 1e6:.0f}", f"{whole / edits * 1e6:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--as", dest="when", choices=("before", "after"), default="after")
    parser.add_argument("--kind", default="lines")
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--top", type=int, default=15)
    options = parser.parse_args()
    load = workload(options.kind, options.size)
    with tempfile.TemporaryDirectory(prefix="profiles-") as scratch:
        folder = Path(scratch).resolve()
        for name, text in load.files().items():
            (folder / name).write_text(text, "utf-8")
        sys.path.insert(0, str(folder))
        sys.dont_write_bytecode = True
        os.chdir(folder)
        measured = Measured(drivers.named("midflight"), folder, load)
        measured.round(10, 60)
        plain = measured.round(options.edits, 60)
        profile = cProfile.Profile(time.thread_time)
        for _ in range(options.edits):
            edit = load.edit(measured.number + 1)
            measured.number += 1
            for name, text in edit.texts.items():
                (folder / name).write_text(text, "utf-8")
            profile.enable()
            measured.driver.reload([folder / name for name in edit.texts], load.readers)
            profile.disable()
        os.chdir(ROOT)
    own, floor = (statistics.median(plain[name]) for name in ("cpu_ms", "floor_ms"))
    title = f"Where a reload's time goes, {options.when} the engine was made faster"
    notes = [
        f"One body edited, {options.kind} {options.size}: {own:.2f} ms of CPU time without the profile, "
        f"{own / floor:.2f} of the floor ({floor:.2f} ms); medians of {len(plain['cpu_ms'])} edits.",
        f"The profile is of {options.edits} further edits and slows what it watches; times in microseconds a reload.",
    ]
    columns = ("function", "calls", "own time", "with what it calls")
    rows = list(top(profile, options.edits, options.top))
    record(f"profile-{options.when}", title, columns, rows, notes, cpu_ms=own, floor_ms=floor)


if __name__ == "__main__":
    main()
