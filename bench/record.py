"""What every bench shares: programs to measure, figures of several runs, and the JSON that RESULTS.md is made from."""

from __future__ import annotations

import json
import math
import os
import platform
import re
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(os.environ.get("BENCH_RESULTS") or ROOT / "bench" / "results")  # a short run keeps its own elsewhere

MODULE = '''"""Part {number} of a program that is only there to be measured."""

import dataclasses
{imports}
LIMIT = {number}
NAMES = ["part", "{number}"]


def value():
    return {value}


def checked(item, limit=LIMIT):
    if item is None:
        raise ValueError("no item")
    total = 0
    for step in range(limit):
        total += step * item
    return total


@dataclasses.dataclass
class Line:
    name: str
    price: int = 0

    def total(self, count=1):
        return self.price * count

    def label(self):
        return f"{{self.name}} at {{self.price}}"


class Order:
    def __init__(self):
        self.lines = []

    def add(self, line):
        self.lines.append(line)
        return self

    def total(self):
        return sum(line.total() for line in self.lines)

    @property
    def empty(self):
        return not self.lines
'''


def module_text(number: int, value: int = 0, functions: int = 8) -> str:
    """A module of about 100 lines that imports the one before it; `value` is what its value() returns."""
    imports = f"from part{number - 1:04} import LIMIT as BEFORE\n" if number % 10 else ""
    more = "".join(
        f"\n\ndef step{index}(order, count=1):\n    line = Line('line{index}', LIMIT + {index})\n"
        f"    for _ in range(count):\n        order.add(line)\n    return order.total()\n"
        for index in range(functions)
    )
    return MODULE.format(number=number, value=value, imports=imports) + more


def write_program(folder: Path, modules: int, main: str) -> list[Path]:
    """Writes `modules` modules and main.py; returns the modules' paths."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "measured"\n')
    (folder / "main.py").write_text(main)
    paths = [folder / f"part{number:04}.py" for number in range(modules)]
    for number, path in enumerate(paths):
        path.write_text(module_text(number))
    return paths


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all are not above."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median with the smallest and the largest run."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def environment(folder: Path) -> dict[str, str]:
    """The caller's, without settings for midflight, with bytecode caches and a runtime folder of its own."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    left_out = ("MIDFLIGHT_", "HOT_RELOAD_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(left_out)}
    return {**kept, "XDG_RUNTIME_DIR": str(runtime)}


def said_options(options: Sequence[str]) -> list[str]:
    """Without where a copy of the results went."""
    left_out = {number + step for number, option in enumerate(options) if option == "-o" for step in (0, 1)}
    return [option for number, option in enumerate(options) if number not in left_out]


Rows = Iterable[Sequence[object]]


def record(
    name: str, title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str] = (), **figures: object
) -> None:
    """Prints a table and writes bench/results/NAME.json."""
    table = [[str(cell) for cell in row] for row in rows]
    command = " ".join(["python", os.path.relpath(sys.argv[0], ROOT), *said_options(sys.argv[1:])])
    whole = {
        "title": title,
        "command": command,
        "python": platform.python_version(),
        "machine": f"{platform.system()}, {os.cpu_count()} cores, load {os.getloadavg()[2]:.1f}",
        "columns": list(columns),
        "rows": table,
        "notes": list(notes),
        "figures": figures,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(in_lines(whole), "utf-8")
    show(title, columns, table, notes)


def in_lines(whole: dict[str, object]) -> str:
    """JSON as a change shows it best: a line for each value, and one for a list of numbers."""
    text = json.dumps(whole, indent=1) + "\n"
    return re.sub(r"\[\s+([-+\d.eE,\s]+?)\s+\]", lambda found: f"[{' '.join(found[1].split())}]", text)


def show(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str] = ()) -> None:
    """Prints a table."""
    print(f"\n{title}")
    for row in [columns, *rows]:
        print("  " + " | ".join(map(str, row)))
    for note in notes:
        print(f"  {note}")
