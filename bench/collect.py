"""Makes bench/RESULTS.md from bench/results/*.json; with --run, measures all of it first (about half an hour).

python bench/collect.py [--run] [--only NAME]...
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ORDER = (
    ("latency", ("latency.py",)),
    ("watch", ("watch.py", "--json")),
    ("start", ("start.py",)),
    ("pump", ("pump.py",)),
    ("gui", ("gui.py",)),
    ("torn", ("torn.py",)),
    ("thousand", ("thousand.py",)),
    ("server", ("server.py",)),
    ("store", ("store.py",)),
    ("upgrade", ("upgrade.py",)),
    ("upgrade-chain", ("upgrade.py", "--chain")),
    ("devtools", ("devtools.py",)),
    ("random-edits", ("random_edits.py",)),
)
HEAD = """# Results

Made by `make bench`, or part by part by the command under each table. Where several runs were made, a cell is the
median of the runs' figures, with the smallest and the largest run behind it; runs of what is compared were
interleaved. Times are wall time unless the column says CPU.
"""


def watch_table(output: str) -> dict[str, Any]:
    """bench/watch.py prints JSON and writes no file: its last line, as the other benches write theirs."""
    said = json.loads(output.splitlines()[-1])
    styles = ("in place", "replace", "as vim")
    rows = []
    for backend, found in said["watch"].items():
        saves = [f"{found[style]['median_ms']} / {found[style]['p99_ms']}" for style in styles]
        bursts = [found[name] for name in ("burst", "checkout")]
        batches = [f"{burst['batches']} after {burst['last_batch_after_ms']}" for burst in bursts]
        rows.append([backend, *saves, *batches, str(found["idle"]["wakeups_per_s"])])
    return {
        "title": "Save to batch, by watcher",
        "command": "python bench/watch.py",
        "python": said["python"],
        "machine": f"{platform.system()}, {os.cpu_count()} cores",
        "columns": ["backend", *(f"{style}, median / p99 ms" for style in styles),
                    "1000 files saved: batches, ms after the last", "git checkout of 1000", "idle wake-ups a second"],
        "rows": rows,
        "notes": [f"{said['runs']} interleaved runs."],
    }  # fmt: skip


def measure(name: str, command: tuple[str, ...]) -> bool:
    """Runs one bench, which leaves its JSON; whether it ended well."""
    bench = [sys.executable, str(HERE / command[0]), *command[1:]]
    own_table = name == "watch"
    done = subprocess.run(bench, cwd=HERE.parent, stdout=subprocess.PIPE if own_table else None, text=True, check=False)
    if own_table and done.returncode == 0:
        (HERE / "results" / "watch.json").write_text(json.dumps(watch_table(done.stdout), indent=1) + "\n", "utf-8")
    return done.returncode == 0


def section(one: dict[str, Any]) -> str:
    lines = [f"## {one['title']}", "", f"`{one['command']}` · Python {one['python']} · {one['machine']}", ""]
    lines += [line(one["columns"]), line(["---"] * len(one["columns"])), *map(line, one["rows"]), ""]
    listed = [f"- {note}" for note in one["notes"]] if len(one["notes"]) > 2 else one["notes"]
    return "\n".join([*lines, *listed, ""])


def line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true", help="measure first")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="measure only this table")
    options = parser.parse_args()
    (HERE / "results").mkdir(exist_ok=True)
    failed: list[str] = []
    for name, command in ORDER if options.run else ():
        if options.only and name not in options.only:
            continue
        print(f"== {' '.join(command)}", flush=True)
        failed += [] if measure(name, command) else [name]
    found = [HERE / "results" / f"{name}.json" for name, _ in ORDER]
    parts = [section(json.loads(path.read_text("utf-8"))) for path in found if path.exists()]
    (HERE / "RESULTS.md").write_text("\n".join([HEAD, *parts]), "utf-8")
    print(f"bench/RESULTS.md has {len(parts)} tables" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
