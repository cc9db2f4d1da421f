"""Two thousand reloads in one process: whether memory and time per reload grow.

python bench/thousand.py [--runs 3] [--reloads 2000]

The first thousand fill the history, which holds the last 1000 reports; the growth is that of the reloads after them.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from record import ROOT, environment, record, spread

import midflight

PART = """
import functools
LIMIT = {n}
TABLE = {{"limit": {n}}}

def double(x=LIMIT):
    return x * 2 + {n}

@functools.lru_cache
def cached():
    return {n}

class Line:
    RATE = {n}

    def total(self):
        return super().__hash__() * 0 + {n}
{more}
"""
USER = "from part import LIMIT, Line, double\nWIDTH = LIMIT * 2\nclass Long(Line):\n    width = WIDTH\n"
# In turn: values, bodies and a class; a function that comes and goes; a text that does not parse; one that fails.
MORE = ("", "def extra():\n    return {n}\n", "def extra(:\n", "1 / 0\n")
PIECE = 100
FULL = 1000  # reloads after which the history forgets one report for each that comes


def resident_kb() -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


def reload_all(folder: Path, reloads: int) -> None:
    """In a process of its own: prints, for each piece of the reloads, median ms, resident kB and live objects."""
    sys.path.insert(0, str(folder))
    path = folder / "part.py"
    path.write_text(PART.format(n=0, more=""))
    (folder / "user.py").write_text(USER)
    with midflight.Session(paths=[folder], mode="manual") as session:
        importlib.import_module("user")
        spent: list[float] = []
        for n in range(1, reloads + 1):
            path.write_text(PART.format(n=n, more=MORE[n % len(MORE)].format(n=n)))
            began = time.perf_counter()
            session.reload([path])
            spent.append((time.perf_counter() - began) * 1000)
            if n % PIECE == 0:
                gc.collect()
                print(statistics.median(spent[-PIECE:]), resident_kb(), len(gc.get_objects()), flush=True)


def slope(values: Sequence[float]) -> float:
    """Of a straight line through the pieces after the history is full (least squares), for a thousand reloads."""
    some = values[FULL // PIECE :]
    middle = (len(some) - 1) / 2
    mean = statistics.fmean(some)
    up = sum((at - middle) * (value - mean) for at, value in enumerate(some))
    return up / sum((at - middle) ** 2 for at in range(len(some))) * 1000 / PIECE


def one_run(reloads: int) -> list[tuple[float, ...]]:
    with tempfile.TemporaryDirectory(prefix="thousand-") as scratch:
        folder = Path(scratch) / "program"
        folder.mkdir()
        (folder / "pyproject.toml").write_text("")
        command = [sys.executable, __file__, "--in", str(folder), "--reloads", str(reloads)]
        surroundings = {**environment(folder.parent), "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(command, env=surroundings, cwd=folder, capture_output=True, text=True, check=True)
    return [tuple(map(float, line.split())) for line in done.stdout.splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--reloads", type=int, default=2000)
    parser.add_argument("--in", dest="folder", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        reload_all(Path(options.folder), options.reloads)
        return
    runs = [one_run(options.reloads) for _ in range(options.runs)]
    rows = []
    figures = (("ms for a reload, median of 100", 0, 2), ("resident memory, kB", 1, 0), ("objects", 2, 0))
    for name, column, digits in figures:
        series = [[piece[column] for piece in run] for run in runs]
        full, last = [values[FULL // PIECE] for values in series], [values[-1] for values in series]
        rows.append((name, spread(full, digits), spread(last, digits), spread(list(map(slope, series)), digits)))
    columns = ("", f"reloads {FULL + 1}-{FULL + PIECE}", f"the last {PIECE}", "growth in a thousand reloads")
    notes = [
        f"{options.runs} runs of {options.reloads} reloads; of four, two commit, one is refused and one rolled back.",
        "Counted after the first 1000, which fill the session's history of reports.",
    ]
    record("thousand", "A thousand reloads", columns, rows, notes)


if __name__ == "__main__":
    main()
