"""Measures, judges, and puts the figures where they are read: bench/RESULTS.md, README.md, docs/speed.md and its plots.

python bench/collect.py [--run [--all | --quick]] [--only NAME]...

`--run` measures the speed of reloads first, about twenty minutes; with --all everything else too, an hour; with --quick
it takes about a minute, keeps its figures in .cache/bench/quick and touches no page.
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

from environments import house

HERE = Path(__file__).resolve().parent
SPEED = (
    ("speed", ("speed.py",)),
    ("latency", ("latency.py",)),
    ("start", ("start.py", "--runs", "9")),
    ("start-10000", ("start.py", "--runs", "5", "--modules", "10000", "--cached")),
    ("profile-lines-after", ("profiles.py", "--as", "after")),
    (
        "profile-constant-after",
        ("profiles.py", "--kind", "constant", "--size", "100", "--as", "after", "--edits", "20"),
    ),
)
OTHERS = (
    ("watch", ("watch.py", "--json")),
    ("pump", ("pump.py",)),
    ("gui", ("gui.py",)),
    ("torn", ("torn.py", "--peers")),
    ("thousand", ("thousand.py",)),
    ("server", ("server.py",)),
    ("store", ("store.py",)),
    ("upgrade", ("upgrade.py",)),
    ("upgrade-chain", ("upgrade.py", "--chain")),
    ("devtools", ("devtools.py",)),
    ("random-edits", ("random_edits.py",)),
)
QUICK = (
    ("latency", ("latency.py", "--runs", "1", "--saves", "20", "--modules", "20", "--batch", "0")),
    ("start", ("start.py", "--runs", "1", "--cached")),
    ("speed", ("speed.py", "--quick")),
)
TABLES = (
    "goals", "speed", "speed-wall", "latency", "start", "start-10000", 
    "profile-lines-before", "profile-lines-after", "profile-constant-before", "profile-constant-after",
    *(name for name, _ in OTHERS),
)  # fmt: skip
HEAD = """# Results

Made by `make bench` (the speed of reloads) and `make bench ALL=1` (everything), or part by part by the command under
each table, each at its own time. Where several runs were made, a cell is the
median of the runs' figures, with the smallest and the largest run behind it; runs of what is compared were
interleaved. Times are wall time unless the column says CPU. How the figures change over time stands in
results/history.jsonl; `python bench/compare.py` says it. The load is the machine's average over the quarter of an hour
before the table was made, the bench's own included: with more than its cores, times by the clock say little.
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
    if name != "watch":
        return house.run(*bench) == 0
    done = subprocess.run(bench, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 0:
        (HERE / "results" / "watch.json").write_text(json.dumps(watch_table(done.stdout), indent=1) + "\n", "utf-8")
    return done.returncode == 0


def section(one: dict[str, Any]) -> str:
    lines = [f"## {one['title']}", "", f"`{one['command']}` · Python {one['python']} · {one['machine']}", ""]
    lines += [line(one["columns"]), line(["---"] * len(one["columns"])), *map(line, one["rows"]), ""]
    listed = [f"- {note}" for note in one["notes"]] if len(one["notes"]) > 2 else one["notes"]
    return "\n".join([*lines, *listed, ""])


def line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def run(benches: tuple[tuple[str, tuple[str, ...]], ...]) -> list[str]:
    """The names of the benches that failed; what the others found is kept."""
    failed = []
    for name, command in benches:
        print(f"== {' '.join(command)}", flush=True)
        failed += [] if measure(name, command) else [name]
    return failed


def own(script: str, *options: str) -> bool:
    """Runs one of the scripts that measure nothing; whether it ended well."""
    return house.run(sys.executable, str(HERE / script), *options) == 0


def results(folder: Path) -> None:
    found = [folder / f"{name}.json" for name in TABLES]
    parts = [section(json.loads(path.read_text("utf-8"))) for path in found if path.exists()]
    (HERE / "RESULTS.md").write_text("\n".join([HEAD, *parts]), "utf-8")
    print(f"bench/RESULTS.md has {len(parts)} tables")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true", help="measure first")
    parser.add_argument("--all", action="store_true", help="all benches, not only those of speed")
    parser.add_argument("--quick", action="store_true", help="small sizes, a minute, no page touched")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="measure only this table")
    options = parser.parse_args()
    benches = QUICK if options.quick else (*SPEED, *OTHERS) if options.all or options.only else SPEED
    chosen = tuple((name, command) for name, command in benches if not options.only or name in options.only)
    if options.quick:
        os.environ["BENCH_RESULTS"] = str(HERE.parent / ".cache" / "bench" / "quick")
    failed = run(chosen) if options.run else []
    failed += [] if own("goals.py") else ["goals"]
    if not options.quick:
        if options.run and not options.only and not failed:
            failed += [] if own("compare.py", "--append") else ["history"]
        failed += [] if own("pages.py") else ["pages"]
        results(HERE / "results")
    print(f"failed: {', '.join(failed)}" if failed else "all measured", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
