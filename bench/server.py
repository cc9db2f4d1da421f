"""A Starlette program under uvicorn, edited 200 times while another process loads it; one edit in five is broken.

python bench/server.py [--runs 5] [--edits 200]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from record import quantile, record, spread
from tests.server.serving import Run, edit_under_load


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--edits", type=int, default=200)
    options = parser.parse_args()
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="server-") as scratch:
        for turn in range(options.runs):
            runs.append(edit_under_load(Path(scratch) / f"run{turn}", options.edits))
    complaints = [one for run in runs for one in run.complaints()]
    print(*complaints[:20], sep="\n")
    medians = [statistics.median(run.live_ms) for run in runs]
    rows = [
        ("edits", sum(run.good + run.broken for run in runs)),
        ("of them broken", sum(run.broken for run in runs)),
        ("requests answered", sum(run.load["requests"] for run in runs)),
        ("requests failed", sum(len(run.load["failures"]) for run in runs)),
        ("wrong answers or lost state", len(complaints)),
        ("save to first answer by new code, under load, median ms", spread(medians, 1)),
        ("the same, p99 ms", spread([quantile(run.live_ms, 0.99) for run in runs], 1)),
    ]
    record("server", "A server edited under load", ("", ""), rows, complaints=complaints[:50])
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
