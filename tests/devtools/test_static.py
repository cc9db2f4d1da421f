"""What the page carries along, and what it says of problems."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from midflight.devtools import diffs, explained
from midflight.devtools.answers import STATIC

pytestmark = pytest.mark.one_version

VENDOR = STATIC / "vendor"
MANIFEST = json.loads((VENDOR / "vendor.json").read_text())
OWN = [path for path in sorted(STATIC.rglob("*")) if path.is_file() and VENDOR not in path.parents]
PROBLEMS = Path(__file__).parents[2] / "docs" / "problems.md"


@pytest.mark.parametrize("package", sorted(MANIFEST))
def test_a_vendored_package_is_what_its_manifest_says_with_its_licence(package: str) -> None:
    entry = MANIFEST[package]
    for name, digest in entry["sha256"].items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
    licences = [name for name in entry["sha256"] if name.endswith(".LICENSE.txt")]
    assert len(licences) == 1 and "Permission is hereby granted" in (VENDOR / licences[0]).read_text()


def test_nothing_is_vendored_beside_the_manifest() -> None:
    known = {name for entry in MANIFEST.values() for name in entry["sha256"]}
    assert {path.name for path in VENDOR.iterdir()} == known | {"vendor.json"}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_our_own_files_name_no_other_host(path: Path) -> None:
    found = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text("utf-8")))
    assert found <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("path", [path for path in OWN if path.suffix == ".js"], ids=lambda path: path.name)
def test_our_own_scripts_set_text_as_text(path: Path) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text("utf-8"))


def test_problems_are_explained_by_the_codes_that_are_documented() -> None:
    documented = set(re.findall(r"^## (MF\d+)", PROBLEMS.read_text("utf-8"), re.MULTILINE))
    assert set(explained.PROBLEMS) <= documented
    assert explained.problem("MF012").startswith("A rude edit") and explained.problem("MF999") == ""


@pytest.mark.parametrize(
    "note, about",
    [
        ("cart.CLIENT: kept `CLIENT`, built from `TIMEOUT` which changed", "not made again"),
        ("cart:9 did not run again: it used `f`, which changed", "does not happen twice"),
        ("cart: `register()` was removed: what it did stays", "cannot be taken back"),
        ("cart.f is gone, and shop still imports it", "keeps what it had"),
        ("cart.Cart moved to shop and is the same class", "same class"),
        ("cart: its file is gone; it is left running, for shop needs it", "still need the module"),
        ("something that nobody foresaw", ""),
    ],
)  # fmt: skip
def test_a_note_is_explained(note: str, about: str) -> None:
    assert about in explained.note(note) and bool(about) == bool(explained.note(note))


def told(old: str, new: str) -> str:
    """The rows as one text: kind, then the line; a changed column in brackets."""
    return " ".join(f"{row['kind']}{row['text']}" for row in diffs.rows(old, new))


@pytest.mark.parametrize(
    "old, new, rows",
    [
        ("", "", ""), ("a", "a", ""), ("", "a", "+a"), ("a", "", "-a"), ("a\nb", "a\nc", " a -b +c"),
        ("1\n2\n3\n4\n5\n6", "1\n2\n3\n4\n5\nx", "@  3  4  5 -6 +x"),
        ("1\n2\n3\n4\n5\n6", "x\n2\n3\n4\n5\n6", "-1 +x  2  3  4 @"),
        ("a\nb\nc", "c\nb\na", "+c +b  a -b -c"),
        ("a\r\nb", "a\nb", ""),
    ],
)  # fmt: skip
def test_a_diff_shows_what_changed_and_three_lines_around_it(old: str, new: str, rows: str) -> None:
    assert told(old, new) == rows


def test_rows_carry_the_numbers_of_both_sides_and_the_columns_that_differ() -> None:
    old = "\n".join(map(str, range(20)))
    rows = diffs.rows(old + "\nlimit = 5", "new\n" + old + "\nlimit = 50")
    assert [(row["kind"], row["old"], row["new"]) for row in rows][:3] == [("+", None, 1), (" ", 1, 2), (" ", 2, 3)]
    assert [(row["old"], row["new"], row["marks"]) for row in rows[-2:]] == [
        (21, None, [[8, 9]]),
        (None, 22, [[8, 10]]),
    ]


def test_a_huge_change_is_told_whole() -> None:
    old, new = "\n".join(f"a{n}" for n in range(9000)), "\n".join(f"b{n}" for n in range(9000))
    assert [row["kind"] for row in diffs.rows(old, new)] == ["-"] * 9000 + ["+"] * 9000
