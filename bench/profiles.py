"""Where the time of a reload goes: a workload of bench/speed.py, profiled by the CPU time of the thread that reloads.

    python bench/profiles.py [--kind lines] [--size 300] [--as before | after] [--edits 200] [--top 15]

`--as` keeps the table for RESULTS.md: one before and one after work on the engine, for each workload.
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
from programs import Workload, workload
from record import ROOT, record, show
from worker import Measured

import midflight

SRC = Path(midflight.__file__).parent


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


def profiled(measured: Measured, edits: int) -> cProfile.Profile:
    """A profile of `edits` reloads and of nothing between them."""
    profile = cProfile.Profile(time.thread_time)
    for _ in range(edits):
        measured.number += 1
        texts = measured.workload.edit(measured.number).texts
        for name, text in texts.items():
            (measured.folder / name).write_text(text, "utf-8")
        profile.enable()
        measured.driver.reload([measured.folder / name for name in texts], measured.workload.readers)
        profile.disable()
    return profile


def loaded(folder: Path, load: Workload) -> Measured:
    """The workload's program, written to `folder` and loaded into this process."""
    for name, text in load.files().items():
        (folder / name).write_text(text, "utf-8")
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    os.chdir(folder)
    return Measured(drivers.named("midflight"), folder, load)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--as", dest="when", choices=("before", "after"))
    parser.add_argument("--kind", default="lines")
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--top", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="profiles-") as scratch:
        measured = loaded(Path(scratch).resolve(), workload(options.kind, options.size))
        measured.round(10, 60)
        plain = measured.round(options.edits, 60)
        rows = list(top(profiled(measured, options.edits), options.edits, options.top))
        os.chdir(ROOT)
    own, floor = (statistics.median(plain[name]) for name in ("cpu_ms", "floor_ms"))
    title = f"Where a reload's time goes, {options.kind} {options.size}"
    title += f", {options.when} the engine was made faster" if options.when else ""
    notes = [
        f"{own:.2f} ms of CPU time without the profile, {own / floor:.2f} of the floor ({floor:.2f} ms); "
        f"medians of {len(plain['cpu_ms'])} edits.",
        f"The profile is of {options.edits} further edits and slows what it watches; times in microseconds a reload.",
    ]
    columns = ("function", "calls", "own time", "with what it calls")
    if options.when:
        name = f"profile-{options.kind}-{options.when}"
        record(name, title, columns, rows, notes, cpu_ms=own, floor_ms=floor)
    else:
        show(title, columns, rows, notes)


if __name__ == "__main__":
    main()
