"""The acceptance cases in `conformance/`: one program, its edits, and what must be true in the live process."""

from __future__ import annotations

import functools
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent / "conformance"


@functools.cache
def runner() -> ModuleType:
    """The cases' own runner, imported under the names that it expects."""
    sys.path.insert(0, str(HERE))
    try:
        return importlib.import_module("score")
    finally:
        sys.path.remove(str(HERE))


@pytest.mark.parametrize("case", runner().catalogue.load_all(), ids=lambda case: case.id)
def test_case(case: Any) -> None:
    result = runner().one("midflight", case)
    if result.get("na"):
        pytest.skip(f"needs Python 3.{result['na'][3:]}")
    failed = [f"{check}  -> {why}" for check, passed, why in result["checks"] if not passed]
    said = [case.title, *failed, result["error"], *result.get("reload_errors", ()), result.get("log", "")]
    assert result["ok"], "\n".join(said)
