"""A Starlette program under uvicorn, edited while another process loads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .program import BROKEN, Version, broken_files, good_edit
from .serving import edit_under_load

pytestmark = pytest.mark.one_version


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_edits_under_load_lose_no_request_and_no_state(tmp_path: Path, soak: bool) -> None:
    edits = 400 if soak else 40
    result = edit_under_load(tmp_path / "served", edits)
    assert result.complaints() == []
    assert (result.good, result.broken) == (edits * 4 // 5, edits // 5)
    assert result.load["requests"] > edits


def test_every_good_edit_changes_what_is_answered() -> None:
    version = Version()
    for number in range(1, 50):
        wanted = good_edit(version, number)
        assert wanted.answers() != version.answers() and wanted.files() != version.files()
        version = wanted


@pytest.mark.parametrize("number", range(len(BROKEN) * 2))
def test_every_broken_edit_fails_in_a_fresh_process(number: int) -> None:
    kind, files = broken_files(Version(), number)
    with pytest.raises((SyntaxError, RuntimeError, NameError, ImportError, ZeroDivisionError)):
        for name, text in files.items():
            added = text[len(Version().files()[name]) :] if text.startswith(Version().files()[name]) else text
            exec(compile(added if kind != "syntax" else text, name, "exec"), {})
