"""What a session adds to the start of a program of many modules: CPU time and memory, against plain imports.

python bench/start.py [--runs 15] [--modules 1000] [--cached]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from record import environment, record, spread, write_program

PROGRAM = """
import importlib, json, sys, time

def memory():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024

began, wall = time.process_time(), time.perf_counter()
import dataclasses, logging, re, socket, typing  # a program of a thousand modules has these
names = [f"part{{number:04}}" for number in range({modules})]
if sys.argv[1] == "before":
    import midflight
    session = midflight.Session(paths=["."], mode="auto")
    session.start()
for name in names:
    importlib.import_module(name)
if sys.argv[1] == "after":
    import midflight
    session = midflight.Session(paths=["."], mode="auto")
    session.start()
cpu, took = time.process_time() - began, time.perf_counter() - wall
now = memory()
time.sleep(1.5)
settled = time.process_time() - began
said = {{"cpu_ms": cpu * 1e3, "wall_ms": took * 1e3, "mb": now, "settled_ms": settled * 1e3, "settled_mb": memory()}}
print(json.dumps(said))
sys.stdout.flush()
if sys.argv[1] != "plain":
    session.stop()
"""
KINDS = ("plain", "before", "after")
SAY = {"plain": "plain imports", "before": "session started before the imports", "after": "session started after them"}


def measure(folder: Path, kind: str, cached: bool) -> dict[str, float]:
    """One process: CPU and wall time until all is imported, CPU after 1.5 s more, resident memory at both."""
    env = environment(folder.parent)
    if not cached:
        env["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "main.py", kind]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--modules", type=int, default=1000)
    parser.add_argument("--cached", action="store_true", help="only with bytecode cached")
    options = parser.parse_args()
    rows: list[tuple[str, ...]] = []
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="start-") as scratch:
        for cached in (True,) if options.cached else (True, False):
            folder = Path(scratch) / ("cached" if cached else "compiled")
            write_program(folder, options.modules, PROGRAM.format(modules=options.modules))
            for kind in KINDS if cached else ():  # leaves bytecode, of the program and of midflight
                measure(folder, kind, cached)
            runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
            for turn in range(options.runs):
                for kind in sorted(KINDS, reverse=bool(turn % 2)):
                    runs[kind].append(measure(folder, kind, cached))
            rows += table(runs, "bytecode cached" if cached else "compiled from source", figures)
    columns = ("", "CPU ms", "of plain", "wall ms", "CPU ms after 1.5 s more", "memory MB", "memory MB after 1.5 s")
    note = f"{options.runs} interleaved runs of {options.modules} modules of 100 lines; a new process each. "
    note += "The program imports dataclasses, logging, re, socket and typing too, as programs of that size do."
    name = "start" if options.modules == 1000 else f"start-{options.modules}"
    record(name, f"Start of a program of {options.modules} modules", columns, rows, [note], **figures)


def table(runs: dict[str, list[dict[str, float]]], how: str, figures: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    plain, plain_mb = (statistics.median(run[key] for run in runs["plain"]) for key in ("cpu_ms", "settled_mb"))
    for kind in KINDS:
        columns = {key: [run[key] for run in runs[kind]] for key in runs[kind][0]}
        share = statistics.median(columns["cpu_ms"]) / plain
        figures[f"{kind}, {how}"] = round(share, 3)
        pairs = zip(runs["plain"], runs[kind], strict=True)  # each beside the plain run of its own turn
        figures[f"{kind} by turn, {how}"] = [round(one["cpu_ms"] / bare["cpu_ms"], 3) for bare, one in pairs]
        figures[f"plain mb, {how}"] = round(plain_mb, 2)
        figures[f"{kind} adds mb, {how}"] = round(statistics.median(columns["settled_mb"]) - plain_mb, 2)
        cells = (spread(columns[key], 0) for key in ("cpu_ms", "wall_ms", "settled_ms", "mb", "settled_mb"))
        cpu, wall, settled, mb, settled_mb = cells
        rows.append((f"{SAY[kind]}, {how}", cpu, f"{share:.2f}", wall, settled, mb, settled_mb))
    return rows


if __name__ == "__main__":
    main()
