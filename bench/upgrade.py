"""How many releases of real packages are taken live exactly: verdicts and shares, as JSON and as text.

python bench/upgrade.py [-k NAME]... [--chain] [-j 2] [-o OUT.json] [-v]
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import platform
import re
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from record import record
from tests.upgrade.packages import PACKAGES
from tests.upgrade.portrait import binding
from tests.upgrade.upgrade import Upgrade, upgrades

VERDICTS = ("equivalent", "kept", "told", "differs", "refused", "rolled back", "failed")


def summary(found: list[Upgrade], chain: bool) -> dict[str, object]:
    counts = collections.Counter(one.verdict for one in found)
    ms = [one.reload_ms for one in found if one.reload_ms]

    def share(*verdicts: str) -> float:
        return round(sum(counts[one] for one in verdicts) / max(1, len(found)), 4)

    return {
        "mode": "chain" if chain else "pairs",
        "python": platform.python_version(),
        "packages": len({one.package for one in found}),
        "upgrades": len(found),
        "facts": sum(one.facts for one in found),
        **{verdict: counts[verdict] for verdict in VERDICTS},
        "identity_lost": sum(bool(one.lost) for one in found),
        "equivalent_share": share("equivalent"),
        "equivalent_or_kept_share": share("equivalent", "kept"),
        "equivalent_or_told_share": share("equivalent", "kept", "told"),
        "reload_ms_median": round(statistics.median(ms), 1) if ms else None,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-k", action="append", default=[], metavar="NAME", help="only this package")
    parser.add_argument("-j", type=int, default=2, help="packages at the same time")
    parser.add_argument("-o", type=Path, help="write the results here")
    parser.add_argument("-v", action="store_true", help="say what differs")
    parser.add_argument("--chain", action="store_true", help="release after release in one process")
    options = parser.parse_args()
    names = [one.name for one in PACKAGES if not options.k or one.name in options.k]
    found: list[Upgrade] = []
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for some in pool.map(lambda name: upgrades(name, chain=options.chain), names):
            found += some
            for one in some:
                print(one if options.v else f"{one.package} {one.old} -> {one.new}: {one.verdict}", flush=True)
    result = summary(found, options.chain)
    print(json.dumps(result, indent=1))
    if options.o:
        whole = {"summary": result, "upgrades": [one.to_plain() for one in found]}
        options.o.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    if not options.k:
        keep(result, found, options.chain)
    return 0


def keep(result: dict[str, object], found: list[Upgrade], chain: bool) -> None:
    """For RESULTS.md: the counts, and each upgrade that is not equivalent with the names that differ."""
    how = "release after release in one process" if chain else "each in a process of its own"
    rows = [(name.replace("_", " "), value) for name, value in result.items()]
    missed = [one for one in found if one.verdict not in ("equivalent", "kept")]
    notes = [f"{one.package} {one.old} -> {one.new}: {one.verdict}. {reason(one)}" for one in missed]
    title = f"Real packages upgraded live, {how}"
    record("upgrade-chain" if chain else "upgrade", title, ("", ""), rows, notes, **result)


def reason(one: Upgrade) -> str:
    names = sorted({binding(path) for path in (one.differs or one.told)})
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    why = re.sub(r"/\S+/", "", " ".join(one.why.split()))  # no folders of this machine
    return f"…{why[-200:]}" if len(why) > 300 else why or ", ".join([*names[:6], *one.lost[:3]]) + more


if __name__ == "__main__":
    sys.exit(main())
