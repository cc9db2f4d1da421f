"""The index of the hard cases: 188 numbers, each with a test of its own; some are limits with a place in the docs too.

A test covers case 7 when its name or its row begins with `n007-`. What stands here is read from the tests' own text,
so a row that is taken away leaves a gap that is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
DOCS = TESTS.parent / "docs"
LAST = 188
ROW = re.compile(r"^(?:#{1,2} |def test_)n(\d{3})[-_]", re.MULTILINE)

# Cases that can be met in part only: the page and the heading that say so.
LIMITS = {
    34: "limits.md#Tools that hold code objects",
    36: "limits.md#Tools that hold code objects",
    53: "limits.md#Compiled code",
    62: "limits.md#Running code",
    64: "limits.md#Running code",
    65: "limits.md#Running code",
    66: "limits.md#Running code",
    70: "limits.md#Running code",
    72: "limits.md#The world outside",
    74: "limits.md#Running code",
    100: "problems.md#MF011",
    101: "problems.md#MF010",
    103: "problems.md#MF012",
    104: "problems.md#MF012",
    147: "problems.md#MF014",
    155: "problems.md#MF040",
    166: "limits.md#Compiled code",
    168: "problems.md#MF013",
    169: "problems.md#MF001",
    180: "problems.md#MF040",
    182: "problems.md#MF032",
    183: "limits.md#The world outside",
}


def covered() -> set[int]:
    files = [path for folder in ("hard", "rules") for path in (TESTS / folder).glob("test_*.py")]
    return {int(number) for path in files for number in ROW.findall(path.read_text(encoding="utf-8"))}


def test_every_hard_case_has_a_test() -> None:
    assert sorted(covered() ^ set(range(1, LAST + 1))) == []


@pytest.mark.parametrize("number", LIMITS)
def test_a_limit_is_told_in_the_docs(number: int) -> None:
    page, _, heading = LIMITS[number].partition("#")
    assert f"\n## {heading}\n" in (DOCS / page).read_text(encoding="utf-8")
