"""What becomes of random edits of random programs: how many are taken live exactly, and how many are wrong in silence.

python bench/random_edits.py [--edits 20000] [-j 2] [--first SEED]
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from record import ROOT, record

PLAYER = ROOT / "tests" / "live" / "random_edits.py"
WORDS = {
    "equal": "the process equals a fresh one",
    "told": "it differs in state that the program made or the report named",
    "counted": "it differs in what functions that remember their calls answered",
    "broken": "the edit cannot run, and the process is as it was",
    "refused": "refused with its reason, and the process is as it was",
    "rolled back": "rolled back although a fresh process starts",
    "would not start": "taken, although a fresh process would not start, and not said",
    "differs": "taken, differs from a fresh process, and not said",
    "lost": "an identity was lost, and not said",
    "not restored": "not taken, and the process is not as it was",
    "raised": "the reload itself failed",
}
SILENT = ("would not start", "differs", "lost")


def played(first: int, edits: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mf") as folder:
        out = Path(folder) / "found.json"
        command = [sys.executable, str(PLAYER), "--first", str(first), "--edits", str(edits), "-o", str(out)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        found: dict[str, Any] = json.loads(out.read_text("utf-8"))
        return found


def without_folders(why: str) -> str:
    """Why an edit is wrong; of a path the file's name, for the folder was made for this run alone."""
    return re.sub(r"/\S*/", "", why)[:120]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=20000)
    parser.add_argument("--first", type=int, default=1, metavar="SEED")
    parser.add_argument("-j", type=int, default=2, help="processes at the same time")
    options = parser.parse_args()
    each = options.edits // options.j
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        found = list(pool.map(lambda part: played(options.first + part * 1_000_000, each), range(options.j)))
    kinds = sum((collections.Counter(one["kinds"]) for one in found), collections.Counter[str]())
    wrong = [one for part in found for one in part["wrong"]]
    total = sum(kinds.values())
    rows = [(WORDS[kind], kinds[kind], f"{kinds[kind] / total:.2%}") for kind in WORDS if kinds[kind]]
    silent = sum(kinds[kind] for kind in SILENT)
    notes = [
        f"{total} edits, seeds from {options.first}; {silent} of them ({silent / total:.2%}) are wrong in silence.",
        *(f"seed {one['seed']}, {one['edit']}: {one['kind']}, {without_folders(one['why'][0])}" for one in wrong[:40]),
    ]
    record(
        "random-edits",
        "Random edits of random programs",
        ("", "edits", "share"),
        rows,
        notes,
        silent=silent,
        total=total,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
