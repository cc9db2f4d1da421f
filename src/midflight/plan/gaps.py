"""Old statements and the lines that may hold them still → the statements on these lines: what stands there as it did is
not parsed, only the gaps between. Pure."""

from __future__ import annotations

import ast
import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from midflight.plan.statements import Statement, alone, lines_of, reused, split

MOST_ALIKE = 8  # lines that read the same: more are not compared
Standing = list[tuple[Statement, int]]  # statements, and the first line of each in the new text


def parse_gaps(
    old: Sequence[Statement], lines: Sequence[str], first: int, last: int, filename: str
) -> tuple[Statement, ...] | None:
    """The statements on the lines `first` to `last`, for those of `old`; None where a gap may not stand on its own or
    touches what `from __future__` may say. Raises as `ast.parse` does, also where only the whole is right."""
    standing = _standing(old, lines, first, last) if len(old) > 1 else []
    kept = {one for one, _ in standing}
    gone = [one for one in old if one not in kept]
    if any("__future__" in one.text for one in gone):
        return None
    found, parsed, at = list[Statement](), list[Statement](), first
    for one, number in standing:
        made = _parsed(lines, at, number - 1, filename)
        if made is None or ("__future__" in one.text and (parsed or made)):
            return None  # what comes in above it may not
        found += (*made, one.placed_at(number))
        parsed += made
        at = number + one.last - one.first + 1
    made = _parsed(lines, at, last, filename)
    if made is None:
        return None
    known = dict(zip((*parsed, *made), reused(gone, (*parsed, *made)), strict=True))
    return tuple(known.get(one, one) for one in (*found, *made))


def _parsed(lines: Sequence[str], first: int, last: int, filename: str) -> tuple[Statement, ...] | None:
    piece = "".join(lines[first - 1 : last])
    if "__future__" in piece or piece.rstrip("\n").endswith("\\"):
        return None
    # Empty lines in front give the nodes their place in the file, at a twentieth of what moving them costs.
    return split(ast.parse("\n" * (first - 1) + piece, filename).body, lines) if piece.strip() else ()


def _standing(old: Sequence[Statement], lines: Sequence[str], first: int, last: int) -> Standing:
    """Those of `old` that stand in the new text with the same words, in the same order: of one that could be found in
    several places it is not known which it is."""
    places: dict[str, list[int]] = {}
    for number in range(first, last + 1):
        places.setdefault(lines[number - 1], []).append(number)
    times = Counter(one.text for one in old)
    found: Standing = []
    for one in alone(old):
        if times[one.text] == 1 and not one.text[:1].isspace() and not one.text.rstrip("\n").endswith("\\"):
            at = _places_of(lines_of(one.text), lines, places, first, last)
            found += [(one, at[0])] if len(at) == 1 else []
    return _in_order(found)


def _places_of(
    words: tuple[str, ...], lines: Sequence[str], places: dict[str, list[int]], first: int, last: int
) -> list[int]:
    """Where the lines `words` stand, looked for by the rarest of them: nowhere if all are common. The first may be: a
    decorator that stands above each function."""
    times, at = min((len(places.get(line, ())), at) for at, line in enumerate(words))
    begins = [number - at for number in places[words[at]]] if 0 < times <= MOST_ALIKE else []
    end = last - len(words) + 1
    return [n for n in begins if first <= n <= end and tuple(lines[n - 1 : n - 1 + len(words)]) == words]


def _in_order(found: Standing) -> Standing:
    """As many of them as stand one below the other: the longest rising run of their lines (patience sorting)."""
    ends: list[int] = []  # length of a run - 1 → the smallest line that ends one
    tops: list[int] = []  # the same → its place in `found`
    above: list[int | None] = []
    for place, (_, number) in enumerate(found):
        at = bisect.bisect_left(ends, number)
        ends[at:] = [number, *ends[at + 1 :]]
        tops[at:] = [place, *tops[at + 1 :]]
        above.append(tops[at - 1] if at else None)
    run: Standing = []
    place_or_none = tops[-1] if tops else None
    while place_or_none is not None:
        run.append(found[place_or_none])
        place_or_none = above[place_or_none]
    return list(_apart(reversed(run)))


def _apart(run: Iterable[tuple[Statement, int]]) -> Iterator[tuple[Statement, int]]:
    """Those that do not lie inside one above: the lines of a string may read as a statement."""
    ends = 0
    for one, number in run:
        if number > ends:
            ends = number + one.last - one.first
            yield one, number
