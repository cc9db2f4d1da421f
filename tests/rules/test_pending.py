"""Files of a batch that was not taken stay pending (SEMANTICS section 6)."""

from __future__ import annotations

import pathlib

import pytest

from .harness import Case, play, table

PENDING = r"""
# taken-along: the next batch takes them along
[file a.py]
X = 1
[file b.py]
Y = 1
[run]
import a, b
[edit a.py]
X = 2
[edit b.py]
Y = (
[expect refused]
(a.X, b.Y) == (1, 1) and session.stats()["pending"] == [path("a.py"), path("b.py")]
[edit b.py]
Y = 2
[expect]
(a.X, b.Y) == (2, 2) and session.stats()["pending"] == []

# never-holds-up-another: a file that is still broken never holds up another
[file a.py]
X = 1
[file b.py]
Y = 1
[run]
import a, b
[edit a.py]
X = (
[expect refused]
a.X == 1
[edit b.py]
Y = 2
[expect]
b.Y == 2 and a.X == 1 and session.stats()["pending"] == [path("a.py")]
[edit b.py]
Y = 3
[expect]
b.Y == 3
[edit a.py]
X = 4
[expect]
(a.X, b.Y) == (4, 3) and session.stats()["pending"] == []

# raising-file-waits: the same with one that raises
[file a.py]
X = 1
[file b.py]
Y = 1
[run]
import a, b
[edit a.py]
X = 1 / 0
[expect rolled back]
a.X == 1
[edit b.py]
Y = 2
[expect]
b.Y == 2 and a.X == 1

# needs-the-broken-one: a file that needs the broken one waits with it
[file a.py]
X = 1
[file b.py]
Y = 1
[run]
import a, b
[edit a.py]
X = 1
Z = 5
oops(
[expect refused]
a.X == 1
[edit b.py]
from a import Z
Y = Z
[expect rolled back]
b.Y == 1
[edit a.py]
X = 1
Z = 6
[expect]
b.Y == 6 and session.stats()["pending"] == []

# three-in-a-row: three broken files mended one after the other
[file a.py]
X = 1
[file b.py]
X = 1
[file c.py]
X = 1
[run]
import a, b, c
[edit a.py]
X = (
[edit b.py]
X = (
[edit c.py]
X = 2
[expect refused]
len(report.problems) == 2
[edit a.py]
X = 2
[expect]
a.X == 2 and c.X in (1, 2)
[edit b.py]
X = 2
[expect]
(a.X, b.X, c.X) == (2, 2, 2)

# deleted-while-pending: a pending file that is deleted
[file a.py]
X = 1
[file b.py]
Y = 1
[run]
import a, b
[edit a.py]
X = (
[expect refused]
True
[delete a.py]
[expect]
"a" not in sys.modules
[edit b.py]
Y = 2
[expect]
b.Y == 2 and session.stats()["pending"] == []

# new-file-pending: a new, broken file that an edited one imports
[file m.py]
X = 1
[run]
import m
[edit fresh.py]
V = (
[edit m.py]
import fresh
X = fresh.V
[expect rolled back]
m.X == 1
[edit fresh.py]
V = 5
[expect]
m.X == 5
"""


@pytest.mark.parametrize("case", table(PENDING))
def test_pending(case: Case, tmp_path: pathlib.Path) -> None:
    play(case, tmp_path)
