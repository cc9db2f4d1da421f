"""What was asked of the speed of a reload, what was measured, and whether it held: judged from bench/results alone.

python bench/goals.py
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from record import RESULTS, record

OWN = "midflight"
MEMORY_MB = 15  # that a session may add to a program of 1,000 modules


@dataclass(frozen=True)
class Goal:
    """`held` is None where nothing was measured, in a short run for example."""

    what: str
    asked: str
    measured: str
    held: bool | None

    def row(self) -> tuple[str, str, str, str]:
        verdict = {True: "yes", False: "**no**", None: "not measured"}[self.held]
        return self.what, self.asked, self.measured or "", verdict


def below(what: str, limit: float, values: Sequence[float], unit: str = "", digits: int = 2) -> Goal:
    """The median of several rounds must be at most `limit`."""
    asked = f"at most {limit:g}{unit}"
    if not values:
        return Goal(what, asked, "", None)
    middle = statistics.median(values)
    return Goal(what, asked, f"{shown(values, digits)}{unit}", middle <= limit)


def shown(values: Sequence[float], digits: int = 2) -> str:
    spread = f" ({min(values):.{digits}f} to {max(values):.{digits}f})" if len(values) > 1 else ""
    return f"{statistics.median(values):.{digits}f}{spread}"


class Workloads:
    """The rounds of bench/speed.py by workload, size and engine."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    def rounds(self, kind: str, size: object, engine: str, what: str) -> list[float]:
        values: list[float] = self.found.get(kind, {}).get(str(size), {}).get(engine, {}).get(what, [])
        return values

    def of_floor(self, kind: str, size: object) -> list[float]:
        return self.rounds(kind, size, OWN, "of_floor")

    def growth(self, kind: str, small: object, large: object) -> list[float]:
        """Per cent, round by round, by which the figure over the floor's is larger in the large program."""
        pairs = zip(self.of_floor(kind, small), self.of_floor(kind, large), strict=False)
        return [(large / small - 1) * 100 for small, large in pairs]

    def beside(self) -> Iterator[tuple[str, str, str, float, bool]]:
        """Workload, size, peer, how many times midflight's CPU time it takes, and whether it leaves stale values."""
        for kind, sizes in self.found.items():
            for size, cells in sizes.items():
                for name, one in cells.items():
                    if not name.startswith(OWN) and one.get("of_midflight"):
                        stale = bool({"live", "held"} & set(one["stale"]))
                        yield kind, size, name, statistics.median(one["of_midflight"]), stale


def fastest(loads: Workloads) -> Goal:
    """Beside peers that do the whole work; one that leaves stale values has not done what is timed."""
    whole = [(f"{name} ({kind} {size})", ratio) for kind, size, name, ratio, stale in loads.beside() if not stale]
    slower = [name for name, ratio in whole if ratio <= 1]
    peers = sorted({name.partition(" (")[0] for name in slower})
    left_out = sum(stale for *_, stale in loads.beside())
    measured = f"faster in {len(whole) - len(slower)} of {len(whole)} comparisons"
    measured += f", behind {', '.join(peers)} in {len(slower)}" if slower else ""
    measured += f"; {left_out} more leave stale values" if left_out else ""
    return Goal("faster than every peer on every workload", "all", measured, not slower if whole else None)


def behind(loads: Workloads) -> list[str]:
    """For each peer that is ahead somewhere: where, and what share of midflight's CPU time it takes there."""
    where: dict[str, list[str]] = {}
    for kind, size, name, ratio, stale in loads.beside():
        if ratio <= 1 and not stale:
            where.setdefault(name, []).append(f"{kind} {size} ({ratio:.2f})")
    return [f"{name} takes less CPU time than midflight in: {', '.join(some)}." for name, some in where.items()]


def times(loads: Workloads, peer: str) -> Goal:
    values = loads.rounds("definitions", 1000, peer, "of_midflight")
    what = f"faster than {peer} on the module of 1,000 definitions"
    if not values:
        return Goal(what, "at least 5 times", "", None)
    return Goal(what, "at least 5 times", f"{shown(values, 1)} times", statistics.median(values) >= 5)


def of_reloads(loads: Workloads) -> Iterator[Goal]:
    floor = "CPU time over the floor's"
    yield below(f"body edit, 300 lines, program of 10 modules: {floor}", 0.5, loads.of_floor("modules", 10))
    yield below(f"body edit, 300 lines, program of 10,000 modules: {floor}", 0.5, loads.of_floor("modules", 10000))
    yield below("the same figure grows from 10 to 10,000 modules by", 10, loads.growth("modules", 10, 10000), " %", 1)
    yield below(f"body edit, 3,000 lines: {floor}", 0.2, loads.of_floor("lines", 3000))
    yield fastest(loads)
    yield times(loads, "jurigged")
    yield times(loads, "IPython autoreload")
    yield below("the figure grows from 10⁴ to 10⁷ other objects by", 10, loads.growth("heap", 10**4, 10**7), " %", 1)
    yield below("the figure grows from 0 to 10⁶ instances by", 10, loads.growth("instances", 0, 10**6), " %", 1)
    what = "a constant used in 100 modules: CPU time over that of the statements that read it"
    yield below(what, 2, loads.of_floor("constant", 100))


def added_memory(figures: dict[str, Any], when: str, modules: int) -> Goal:
    """15 MB at 1,000 modules, and the same share of the program's memory where there are more."""
    plain, added = (figures.get(f"{name}, bytecode cached") for name in ("plain mb", f"{when} adds mb"))
    small = read("start").get("plain mb, bytecode cached")
    what = f"session started {when} the imports of {modules:,} modules adds to memory"
    if modules == 1000 or not small:
        return below(what, MEMORY_MB, [] if added is None else [added], " MB", 1)
    asked = MEMORY_MB / small * 100
    if added is None or plain is None:
        return Goal(what, f"at most {asked:.0f} %", "", None)
    share = added / plain * 100
    asked_text = f"at most {asked:.0f} %, as {MEMORY_MB} MB are of 1,000 modules"
    return Goal(what, asked_text, f"{share:.0f} % ({added:.1f} MB)", share <= asked)


def of_starts(name: str, modules: int) -> Iterator[Goal]:
    """Bytecode cached, which is the harder case: imports are cheap then."""
    figures = read(name)
    for when in ("before", "after"):
        cost = [(share - 1) * 100 for share in figures.get(f"{when} by turn, bytecode cached", ())]
        yield below(f"session started {when} the imports of {modules:,} modules adds to CPU time", 5, cost, " %", 1)
        yield added_memory(figures, when, modules)


def of_saves() -> Iterator[Goal]:
    figures = read("latency")
    for kind in ("threads", "asyncio"):
        one = figures.get(kind, {})
        yield below(f"save to live, {kind}, median", 8, one.get("medians_ms", []), " ms")
        yield below(f"save to live, {kind}, p99", 40, one.get("p99s_ms", []), " ms")


def read(name: str) -> dict[str, Any]:
    """The figures of one bench, or none."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))["figures"] if path.exists() else {}
    return found


def goals() -> list[Goal]:
    loads = Workloads(read("speed").get("workloads", {}))
    starts = [*of_starts("start", 1000), *of_starts("start-10000", 10000)]
    return [*of_reloads(loads), *starts, *of_saves()]


def main() -> int:
    found = goals()
    held, missed = (sum(goal.held is verdict for goal in found) for verdict in (True, False))
    unknown = len(found) - held - missed
    notes = [f"{held} held, {missed} did not, {unknown} not measured. Medians of rounds, with spread."]
    notes += behind(Workloads(read("speed").get("workloads", {})))
    columns = ("", "asked", "measured", "held")
    rows = [goal.row() for goal in found]
    record("goals", "Asked and measured", columns, rows, notes, held=held, missed=missed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
