"""Every code that the engine can give stands on the page of problems, and the page has no other."""

from __future__ import annotations

import pathlib
import re

import midflight

PACKAGE = pathlib.Path(midflight.__file__).parent
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "problems.md"
CODE = re.compile(r"\bMF\d{3}\b")


def codes_given() -> set[str]:
    return {code for path in PACKAGE.rglob("*.py") for code in CODE.findall(path.read_text(encoding="utf-8"))}


def test_every_code_has_a_section_with_a_way_out() -> None:
    sections = dict(re.findall(r"^## (MF\d{3})\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    assert codes_given() == sections.keys()
    assert [code for code, text in sections.items() if "Way out:" not in text] == []


def test_the_table_names_every_code_once() -> None:
    assert sorted(re.findall(r"^\| \[(MF\d{3})\]", PAGE.read_text(), re.MULTILINE)) == sorted(codes_given())
