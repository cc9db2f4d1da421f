"""Two texts → the rows of a diff, as a page shows them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from midflight.plan.statements import bare_lines

CONTEXT = 3  # unchanged lines around each change
MOST_LINES = 4000  # of a changed region; above, it is told as removed and added whole
Row = dict[str, Any]
WORD = re.compile(r"\w+|\s+|.")


def rows(old: str, new: str) -> list[Row]:
    """Each {"kind": " " | "-" | "+" | "@", "old", "new", "text"}: line numbers from 1, None where the side has none.

    "@" stands where unchanged lines were left out. `marks` are the [start, end] columns that differ in a changed line.
    """
    before, after = bare_lines(old), bare_lines(new)
    codes = list(_codes(before, after))
    shown: list[Row] = []
    for number, (tag, a, b, c, d) in enumerate(codes):
        if tag != "equal":
            shown += _changed(before, after, a, b, c, d)
        elif len(codes) > 1:
            shown += _unchanged(before, a, b, c, number == 0, number == len(codes) - 1)
    return shown


def _codes(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """difflib's opcodes; it compares only where the texts differ, as its time grows with the square of what it gets."""
    start, left, right = _differing(before, after)
    if start:
        yield "equal", 0, start, 0, start
    if left - start > MOST_LINES or right - start > MOST_LINES:
        yield "replace", start, left, start, right
    else:
        matcher = difflib.SequenceMatcher(None, before[start:left], after[start:right], autojunk=False)
        for tag, a, b, c, d in matcher.get_opcodes():
            yield tag, a + start, b + start, c + start, d + start
    if left < len(before):
        yield "equal", left, len(before), right, len(after)


def _differing(before: Sequence[str], after: Sequence[str]) -> tuple[int, int, int]:
    """The first line that differs, and the ends of what does in each."""
    start, left, right = 0, len(before), len(after)
    while start < min(left, right) and before[start] == after[start]:
        start += 1
    while left > start and right > start and before[left - 1] == after[right - 1]:
        left, right = left - 1, right - 1
    return start, left, right


def _unchanged(lines: Sequence[str], a: int, b: int, c: int, first: bool, last: bool) -> Iterator[Row]:
    """The lines next to a change, and a mark where others were left out."""
    above, below = (0 if first else CONTEXT), (0 if last else CONTEXT)
    for place in range(a, b):
        if place < a + above or place >= b - below:
            yield {"kind": " ", "old": place + 1, "new": c + place - a + 1, "text": lines[place]}
        elif place == a + above:
            yield {"kind": "@", "old": place + 1, "new": c + place - a + 1, "text": ""}


def _changed(before: Sequence[str], after: Sequence[str], a: int, b: int, c: int, d: int) -> Iterator[Row]:
    pairs = zip(before[a:b], after[c:d], strict=True) if b - a == d - c else ()
    marks = [_marks(old, new) for old, new in pairs]
    for place in range(a, b):
        row: Row = {"kind": "-", "old": place + 1, "new": None, "text": before[place]}
        yield {**row, "marks": marks[place - a][0]} if marks else row
    for place in range(c, d):
        row = {"kind": "+", "old": None, "new": place + 1, "text": after[place]}
        yield {**row, "marks": marks[place - c][1]} if marks else row


def _marks(old: str, new: str) -> tuple[list[list[int]], list[list[int]]]:
    """The columns in which two lines differ, by words; none where they have little in common."""
    left, right = WORD.findall(old[:500]), WORD.findall(new[:500])
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    if matcher.ratio() < 0.4:
        return [], []
    codes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    return _columns(left, [(a, b) for _, a, b, _, _ in codes]), _columns(right, [(c, d) for *_, c, d in codes])


def _columns(words: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[list[int]]:
    ends = [0]
    for word in words:
        ends.append(ends[-1] + len(word))
    return [[ends[first], ends[last]] for first, last in spans if last > first]
