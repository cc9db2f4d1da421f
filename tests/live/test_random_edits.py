"""Thousands of random edits of random programs, each compared with a fresh process of the new source."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PLAYER = Path(__file__).with_name("random_edits.py")
PARTS = 4
EDITS = 500  # a part; ten times as many with --soak
# A function that remembers its calls answers otherwise where statements ran again that called it: docs/limits.md.
COUNTED_SHARE = 0.02
SILENT_SHARE = 0.001  # of the edits that only --soak plays: docs/limits.md names what is known of them

pytestmark = [pytest.mark.soak, pytest.mark.timeout(0)]


def played(first: int, edits: int, folder: Path) -> dict[str, Any]:
    out = folder / "found.json"
    command = [sys.executable, str(PLAYER), "--first", str(first), "--edits", str(edits), "-o", str(out)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert out.exists(), done.stdout
    found: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return found


def say(wrong: list[dict[str, Any]]) -> str:
    lines = []
    for one in wrong:
        lines += [f"seed {one['seed']} step {one['step']}: {one['kind']} ({one['edit']})", *one["why"][:4]]
        lines.append(f"  play it again, smaller: python {PLAYER} --seed {one['seed']} --shrink")
    return "\n".join(lines)


@pytest.mark.one_version  # others differ in what docs/limits.md says of flags and of the first lines of classes
@pytest.mark.parametrize("part", range(PARTS))
def test_after_each_random_edit_the_process_is_like_a_fresh_one_or_as_it_was(
    part: int, soak: bool, tmp_path: Path
) -> None:
    edits = EDITS * (10 if soak else 1)
    found = played(1 + part * 1_000_000, edits, tmp_path)
    wrong = found["wrong"]
    assert sum(found["kinds"].values()) >= edits
    assert found["kinds"].get("equal", 0) > edits / 4, found["kinds"]  # else they would say little
    assert found["kinds"].get("counted", 0) <= COUNTED_SHARE * edits, found["kinds"]  # else it would excuse too much
    fatal = [one for one in wrong if one["kind"] not in ("differs", "would not start", "lost")]
    assert fatal == [], say(fatal)
    assert len(wrong) <= (SILENT_SHARE * edits if soak else 0), say(wrong)
