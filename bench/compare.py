"""What changed since an earlier run of `make bench`: medians of the last line of the history over those of another.

    python bench/compare.py [--with COMMIT] [--all] [--append]

bench/results/history.jsonl has a line for each full run: when, at which commit, how busy the machine was in its last
quarter of an hour, and the medians. Without
--with, the line before the last is taken; without --all, only what changed by more than a tenth is said. --append adds
a line of the figures that stand in bench/results now, as `make bench` does at its end.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from goals import OWN, read
from record import RESULTS, ROOT

HISTORY = RESULTS / "history.jsonl"


def medians() -> dict[str, float]:
    """The figures of bench/results that are worth following, by a name that says what they are."""
    found = {}
    for kind, sizes in read("speed").get("workloads", {}).items():
        for size, cells in sizes.items():
            for name, one in cells.items():
                if not one.get("cpu_ms"):
                    continue
                found[f"{kind} {size}: {name}, CPU ms"] = statistics.median(one["cpu_ms"])
                if name == OWN:
                    found[f"{kind} {size}: {name} over its floor"] = statistics.median(one["of_floor"])
    for name in ("start", "start-10000"):
        found |= {f"{name}: {key}": value for key, value in read(name).items() if isinstance(value, int | float)}
    for kind, one in read("latency").items():
        found |= {f"latency: {kind}, {key}": value for key, value in one.items() if isinstance(value, int | float)}
    return found


def append() -> None:
    """Adds this run to the history."""
    line: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
    }
    line |= {"load": round(os.getloadavg()[2], 1), "python": sys.version.split()[0], "figures": medians()}
    with HISTORY.open("a", encoding="utf-8") as history:
        history.write(json.dumps(line) + "\n")


def commit() -> str:
    """Short, with a plus where the engine's source differs from it; "unknown" outside a checkout."""
    try:
        name = git("rev-parse", "--short=12", "HEAD")
        return name + ("+" if git("status", "--porcelain", "--", "src") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def changes(old: dict[str, float], new: dict[str, float], least: float) -> Iterator[tuple[float, str]]:
    """New over old with a line that says it, largest growth first; those within `least` of 1 are left out."""
    shares = sorted(((new[name] / old[name], name) for name in new if old.get(name)), reverse=True)
    for share, name in shares:
        if abs(share - 1) >= least:
            yield share, f"{share:6.2f} times  {name}: {old[name]:.4g} -> {new[name]:.4g}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--with", dest="other", metavar="COMMIT", help="the last run at this commit")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--append", action="store_true")
    options = parser.parse_args()
    if options.append:
        append()
    lines: list[dict[str, Any]] = [json.loads(line) for line in HISTORY.read_text("utf-8").splitlines()]
    earlier = [line for line in lines[:-1] if not options.other or line["commit"].startswith(options.other)]
    if not earlier:
        print("the history has no run to compare with", file=sys.stderr)
        return 0 if options.append else 1
    old, new = earlier[-1], lines[-1]
    print(" -> ".join(f"{one['commit']} of {one['date']}, at a load of {one['load']}" for one in (old, new)))
    for _, line in changes(old["figures"], new["figures"], 0 if options.all else 0.1):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
