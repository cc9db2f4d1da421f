"""Makes bench/RESULTS.md from bench/results/*.json; with --run, measures all of it first (about half an hour).

    python bench/collect.py [--run]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ORDER = (
    ("latency", ("latency.py",)),
    ("start", ("start.py",)),
    ("pump", ("pump.py",)),
    ("server", ("server.py",)),
    ("upgrade", ("upgrade.py",)),
    ("upgrade-chain", ("upgrade.py", "--chain")),
)
HEAD = """# Results

Made by `make bench`, or part by part by the command under each table. Where several runs were made, a cell is the
median of the runs' figures, with the smallest and the largest run behind it; runs of what is compared were
interleaved. Times are wall time unless the column says CPU.
"""


def section(one: dict[str, Any]) -> str:
    lines = [f"## {one['title']}", "", f"`{one['command']}` · Python {one['python']} · {one['machine']}", ""]
    lines += [line(one["columns"]), line(["---"] * len(one["columns"])), *map(line, one["rows"]), ""]
    return "\n".join(lines + [note + "\n" for note in one["notes"]])


def line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true")
    options = parser.parse_args()
    failed = []
    for name, command in ORDER if options.run else ():
        print(f"== {' '.join(command)}", flush=True)
        bench = [sys.executable, str(HERE / command[0]), *command[1:]]
        failed += [name] if subprocess.run(bench, cwd=HERE.parent, check=False).returncode else []
    found = [HERE / "results" / f"{name}.json" for name, _ in ORDER]
    parts = [section(json.loads(path.read_text("utf-8"))) for path in found if path.exists()]
    (HERE / "RESULTS.md").write_text("\n".join([HEAD, *parts]), "utf-8")
    print(f"bench/RESULTS.md has {len(parts)} tables" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
