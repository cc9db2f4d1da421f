"""Line plots as SVG: small panels side by side, a logarithmic scale of time, colours for light and dark pages.

Text in, text out, the same for the same figures; no library, for what is drawn are lines, dots and words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

# light, dark, dash, width: lines are told apart by colour, and by dashes where colours are not seen
STYLES = (
    ("#b3261e", "#ff8a80", "", 3.0),
    ("#6e7781", "#9aa4af", "2 3", 1.5),
    ("#0969da", "#6cb6ff", "", 1.5),
    ("#9a6700", "#e3b341", "6 2", 1.5),
    ("#1a7f37", "#57d364", "", 1.5),
    ("#8250df", "#c297ff", "6 2", 1.5),
    ("#bf3989", "#ff80c8", "2 2", 1.5),
    ("#0f766e", "#5eead4", "8 3 2 3", 1.5),
)
WIDTH, HEIGHT = 290, 210  # of a panel's inside
LEFT, TOP, GAP, BELOW, LINE = 76, 34, 84, 56, 20


@dataclass(frozen=True)
class Panel:
    """`labels` stand along the bottom, equally far apart; each series has a value or None for each of them. `hollow`
    names points, by series and place, that are drawn as rings: they come with a reservation."""

    title: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    hollow: frozenset[tuple[str, int]] = frozenset()


def draw(title: str, unit: str, panels: Sequence[Panel], columns: int = 3, reservation: str = "") -> str:
    """The SVG of `panels`, all on one scale; series of one name look the same in each and stand in the legend once.
    `reservation` says what a ring means."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.series))
    columns = min(columns, len(panels))
    across = LEFT + columns * (WIDTH + GAP) - GAP + 24
    legend = list(legend_of(names, across))
    head = 40 + LINE * (1 + max((row for _, row, _ in legend), default=0))
    down = head + -(-len(panels) // columns) * (TOP + HEIGHT + BELOW)
    scale = Scale.of([value for panel in panels for some in panel.series.values() for value in some if value])
    rings = reservation and any(panel.hollow for panel in panels)
    said_of_rings = f'<tspan class="note" dx="14">○ {escape(reservation)}</tspan>' if rings else ""
    parts = [f'<text class="title" x="{LEFT}" y="24">{escape(title)}{said_of_rings}</text>']
    for x, row, number in legend:
        parts += legend_entry(x, 46 + row * LINE, number, names[number])
    for number, panel in enumerate(panels):
        x, y = LEFT + number % columns * (WIDTH + GAP), head + TOP + number // columns * (TOP + HEIGHT + BELOW)
        parts += [f'<g transform="translate({x} {y})">', *inside(panel, scale, unit, names), "</g>"]
    box = f'viewBox="0 0 {across} {down}" width="{across}" height="{down}"'
    shown = f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-label="{escape(title)}">'
    page = '<rect class="page" width="100%" height="100%"/>'
    return "\n".join([shown, style(len(names)), page, *parts, "</svg>", ""])


@dataclass(frozen=True)
class Scale:
    """Powers of ten from `low` to `high`."""

    low: int
    high: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Scale:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(low, max(high, low + 1))

    def y(self, value: float) -> float:
        return HEIGHT * (1 - (math.log10(value) - self.low) / (self.high - self.low))


def inside(panel: Panel, scale: Scale, unit: str, names: Sequence[str]) -> Iterator[str]:
    yield f'<text class="panel" x="0" y="-14">{escape(panel.title)}</text>'
    for power in range(scale.low, scale.high + 1):
        y = scale.y(10.0**power)
        yield f'<line class="grid" x1="0" y1="{y:.1f}" x2="{WIDTH}" y2="{y:.1f}"/>'
        yield f'<text class="tick end" x="-8" y="{y + 4:.1f}">{said(10.0**power)} {unit}</text>'
    for x, label in zip(places(panel), panel.labels, strict=True):
        yield f'<text class="tick middle" x="{x:.1f}" y="{HEIGHT + 18}">{escape(label)}</text>'
    for name in reversed([one for one in names if one in panel.series]):  # the first of all lies on top
        number = names.index(name)
        places_of = enumerate(zip(places(panel), panel.series[name], strict=True))
        points = [
            (x, scale.y(value), "ring" if (name, at) in panel.hollow else "dot")
            for at, (x, value) in places_of
            if value
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        yield f'<polyline class="line s{number}" points="{path}"/>'
        yield from (f'<circle class="{shape} s{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y, shape in points)


def places(panel: Panel) -> list[float]:
    step = (WIDTH - 40) / max(1, len(panel.labels) - 1)
    return [20 + step * number for number in range(len(panel.labels))]


def legend_of(names: Sequence[str], across: int) -> Iterator[tuple[int, int, int]]:
    """Where each name's entry starts, on which row, and its number."""
    x, row = LEFT, 0
    for number, name in enumerate(names):
        need = 54 + 7 * len(name)
        if x + need > across and x > LEFT:
            x, row = LEFT, row + 1
        yield x, row, number
        x += need


def legend_entry(x: int, y: int, number: int, name: str) -> Iterator[str]:
    yield f'<polyline class="line s{number}" points="{x},{y - 4} {x + 26},{y - 4}"/>'
    yield f'<circle class="dot s{number}" cx="{x + 13}" cy="{y - 4}" r="3"/>'
    yield f'<text class="tick" x="{x + 32}" y="{y}">{escape(name)}</text>'


def style(count: int) -> str:
    """Light colours, and dark ones where the reader's pages are dark."""
    fixed = [
        "text { font-family: system-ui, sans-serif; }",
        ".title { font-size: 15px; font-weight: 600; } .panel { font-size: 13px; font-weight: 600; }",
        ".tick { font-size: 12px; } .end { text-anchor: end; } .middle { text-anchor: middle; }",
        ".line { fill: none; stroke-linejoin: round; } .grid { stroke-width: 1; } .ring { stroke-width: 1.5; }",
        ".note { font-size: 12px; font-weight: 400; }",
    ]
    shapes = [f".line.s{n} {{ stroke-width: {wide}; stroke-dasharray: {dash or 'none'}; }}"
              for n, (_, _, dash, wide) in enumerate(STYLES[:count])]  # fmt: skip
    dark = " ".join(colours(count, 1, "#0d1117", "#e6edf3", "#30363d"))
    light = colours(count, 0, "#ffffff", "#1f2328", "#d8dee4")
    turned = f"@media (prefers-color-scheme: dark) {{ {dark} }}"
    return "\n".join(["<style>", *fixed, *shapes, *light, turned, "</style>"])


def colours(count: int, which: int, page: str, words: str, grid: str) -> list[str]:
    lines = [f".page {{ fill: {page}; }} text {{ fill: {words}; }} .grid {{ stroke: {grid}; }}"]
    for number, one in enumerate(STYLES[:count]):
        lines.append(f".line.s{number}, .ring.s{number} {{ stroke: {one[which]}; }}")
        lines.append(f".dot.s{number} {{ fill: {one[which]}; }} .ring.s{number} {{ fill: {page}; }}")
    return lines


def said(value: float) -> str:
    return f"{value:g}" if value < 1 else f"{value:,.0f}"
