"""Puts the figures where they are read: tables between markers in README.md and docs/speed.md, plots in docs/images.

python bench/pages.py
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plot import Panel, draw
from record import RESULTS, ROOT
from speed import KINDS, leaves_stale, marks, peer_cell, said, short

OWN = "midflight"
README_ROWS = (("lines", "300"), ("lines", "3000"), ("definitions", "1000"), ("modules", "10000"), ("heap", "10000000"),
               ("instances", "1000000"), ("constant", "100"), ("files", "1000"), ("packages", "click"))  # fmt: skip
PANELS = {"lines": "lines in the edited module", "modules": "modules loaded", "heap": "other objects",
          "instances": "instances of the edited class", "constant": "modules that use the constant",
          "files": "files in the batch"}  # fmt: skip
RINGS = "leaves stale code or values"
README_PANELS = ("lines", "modules", "files")


class NoMarker(Exception):
    """A page that has no place for what is to be put into it."""


def put(text: str, name: str, content: str) -> str:
    """`text` with `content` between the two markers of `name`. Raises NoMarker."""
    first, last = f"<!-- made by make bench: {name} -->", f"<!-- end of {name} -->"
    found = re.search(f"{re.escape(first)}.*?{re.escape(last)}", text, re.DOTALL)
    if found is None:
        raise NoMarker(f"no {first} … {last}")
    return text[: found.start()] + f"{first}\n\n{content.strip()}\n\n{last}" + text[found.end() :]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(columns), ["---"] * len(columns), *map(list, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def whole(one: dict[str, Any]) -> str:
    """A result's table with its notes."""
    notes = "\n".join(f"- {note}" for note in one["notes"])
    made = f"`{one['command']}` · Python {one['python']} · {one['machine']}"
    return f"{table(one['columns'], one['rows'])}\n\n{made}\n\n{notes}"


def short_table(found: dict[str, Any], peers: Sequence[str]) -> str:
    """Medians only: midflight in ms and over its floor, peers over midflight."""
    rows = []
    for kind, size in README_ROWS:
        cells = found.get(kind, {}).get(size, {})
        if cells.get(OWN, {}).get("cpu_ms"):
            own = [f"{short(middle(cells[OWN]['cpu_ms']))} ms", short(middle(cells[OWN]["of_floor"]))]
            rows.append([KINDS[kind].title.format(said(size)), *own, *(times(cells.get(peer)) for peer in peers)])
    return table(("", OWN, "of its floor", *peers), rows)


def times(one: dict[str, Any] | None) -> str:
    if not one or not one.get("of_midflight"):
        return peer_cell(one, "of_midflight")
    return f"{short(middle(one['of_midflight']))}×{marks(one)}"


def middle(values: Sequence[float]) -> float:
    return statistics.median(values)


def panels(found: dict[str, Any], kinds: Sequence[str], peers: Sequence[str]) -> list[Panel]:
    """A panel for each kind; midflight first, then its floor, then the peers."""
    drawn = []
    for kind in kinds:
        sizes = found.get(kind, {})
        if len(sizes) > 1:
            lines = {OWN: series(sizes, OWN, "cpu_ms"), "its floor": series(sizes, OWN, "floor_ms")}
            lines |= {peer: series(sizes, peer, "cpu_ms") for peer in peers}
            drawn.append(Panel(PANELS[kind], [label(size) for size in sizes], lines, stale_points(sizes, peers)))
    return drawn


def stale_points(sizes: dict[str, Any], peers: Sequence[str]) -> frozenset[tuple[str, int]]:
    stale = ((peer, at) for at, cells in enumerate(sizes.values()) for peer in peers if is_stale(cells.get(peer)))
    return frozenset(stale)


def is_stale(one: dict[str, Any] | None) -> bool:
    return bool(one) and leaves_stale(one or {})


def label(size: str) -> str:
    """Short enough to stand beside its neighbours."""
    return f"{int(size) // 10**6} million" if int(size) >= 10**6 else said(size)


def series(sizes: dict[str, Any], name: str, what: str) -> list[float | None]:
    values = [cells.get(name, {}).get(what) for cells in sizes.values()]
    return [middle(some) if some else None for some in values]


def peers_of(found: dict[str, Any]) -> list[str]:
    every = [name for sizes in found.values() for cells in sizes.values() for name in cells]
    return [name for name in dict.fromkeys(every) if not name.startswith(OWN)]


def main() -> int:
    speed, wall, goals = (result(name) for name in ("speed", "speed-wall", "goals"))
    found = speed["figures"]["workloads"]
    peers = peers_of(found)
    images = ROOT / "docs" / "images"
    images.mkdir(exist_ok=True)
    title = "CPU time of one reload"
    for name, kinds in (("speed.svg", README_PANELS), ("speed-all.svg", tuple(PANELS))):
        drawn = panels(found, kinds, peers)
        if drawn:
            (images / name).write_text(draw(title, "ms", drawn, reservation=RINGS), "utf-8")
    fill(ROOT / "README.md", {"speed": short_table(found, peers)})
    fill(ROOT / "docs" / "speed.md", {"goals": whole(goals), "table": whole(speed), "clock": whole(wall)})
    return 0


def result(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return found


def fill(page: Path, contents: dict[str, str]) -> None:
    text = page.read_text("utf-8")
    for name, content in contents.items():
        text = put(text, name, content)
    page.write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
