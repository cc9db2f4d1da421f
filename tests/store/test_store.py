"""The store by itself: what is in it after which writes, what of it can be proved, and files that cannot be used."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from midflight.errors import StoreError
from midflight.store.files import FileWrites, WriteFailed
from midflight.store.versions import Ran, Store, sha_of
from midflight.values import ModuleReport, Report

CART = "/shop/cart.py"
A, B, C = b"RATE = 1\n", b"RATE = 2\n", b"RATE = 3\n"


@pytest.fixture
def store(tmp_path: Path) -> Any:
    made = Store(str(tmp_path / "store"))
    yield made
    made.close()


def took(store: Store, before: bytes | None, after: bytes | None, at: float = 1.0, module: str = "cart") -> Report:
    """A report that `module` went from one text to the other, recorded."""
    path = f"/shop/{module}.py"
    done = ModuleReport(before=sha_of(before or b""), after=sha_of(after or b""), path=path)
    report = Report(f"r{store.journal.next_number()}", at, "api", "committed", modules={module: done})
    store.versions.record(report, [Ran(module, path, before, after)], author="ann")
    return report


def ids(store: Store, **which: Any) -> list[str]:
    return [version.id for version in store.versions.newest(**which)]


def named(*texts: bytes) -> list[str]:
    return [f"cart@{sha_of(text)[:12]}" for text in texts]


def test_a_first_edit_stores_what_ran_before_it_too_and_that_is_stable(store: Store) -> None:
    took(store, A, B)
    assert ids(store) == named(B, A)
    assert [version.stable for version in store.versions.newest()] == [False, True]
    stable = store.versions.last_stable("cart")
    assert stable is not None and stable.source == A


def test_versions_are_ordered_by_when_they_last_ran_whatever_the_clock_says(store: Store) -> None:
    for before, after, at in ((A, B, 50.0), (B, C, 40.0), (C, A, 30.0)):
        took(store, before, after, at)
    assert ids(store) == named(A, C, B)
    assert [report.id for _, report in store.journal.reports()] == ["r3", "r2", "r1"]


def test_the_program_as_of_a_report_is_what_ran_then_also_where_the_first_edit_came_later(store: Store) -> None:
    first = took(store, A, B)
    took(store, B, C)
    took(store, b"x = 1\n", b"x = 2\n", module="money")
    found = store.journal.report(first.id)
    assert found is not None
    assert store.versions.as_of(found[0]) == {
        ("cart", CART): sha_of(B),
        ("money", "/shop/money.py"): sha_of(b"x = 1\n"),
    }


def test_a_rejected_version_is_not_stable_any_more(store: Store) -> None:
    took(store, A, B)
    store.versions.mark_stable([("cart", CART, sha_of(B))], 2.0, "its window passed")
    assert store.versions.last_stable("cart").source == B  # type: ignore[union-attr]
    store.versions.reject([("cart", CART, sha_of(B))], 3.0, "ZeroDivisionError")
    assert store.versions.last_stable("cart").source == A  # type: ignore[union-attr]
    assert store.verify() == []


def test_report_numbers_go_on_over_stores_that_are_open_at_once(store: Store) -> None:
    other = Store(store.database.folder)
    assert [one.journal.next_number() for one in (store, other, store, other)] == [1, 2, 3, 4]
    other.close()


def test_threads_and_stores_at_once_lose_nothing(store: Store) -> None:
    others = [Store(store.database.folder) for _ in range(3)]

    def write(one: Store) -> None:
        for number in range(20):
            took(one, A, b"RATE = %d\n" % number)

    threads = [threading.Thread(target=write, args=(one,)) for one in [store, *others]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reports = store.journal.reports(limit=1000)
    assert sorted(int(report.id[1:]) for _, report in reports) == list(range(1, 81))
    assert store.verify() == []
    for one in others:
        one.close()


# Retention


def test_cleanup_drops_old_versions_but_none_that_is_live_or_stable(store: Store) -> None:
    texts = [b"RATE = %d\n" % number for number in range(10)]
    for before, after in itertools.pairwise(texts):
        took(store, before, after)
    store.versions.mark_stable([("cart", CART, sha_of(texts[4]))], 2.0, "its window passed")
    assert store.versions.cleanup(2, 3.0) == 6
    assert ids(store) == named(texts[9], texts[8], texts[4], texts[0])
    with pytest.raises(StoreError, match="not kept any more"):
        store.versions.text(sha_of(texts[5]))
    assert store.verify() == []


def test_unasked_only_the_newest_stable_version_is_kept_beyond_the_others(store: Store) -> None:
    texts = [b"RATE = %d\n" % number for number in range(10)]
    for before, after in itertools.pairwise(texts):
        took(store, before, after)
        store.versions.mark_stable([("cart", CART, sha_of(after))], 2.0, "its window passed")
    for text in texts[7:9]:
        store.versions.reject([("cart", CART, sha_of(text))], 3.0, "it was taken back")
    assert store.versions.tidy(2, 3.0) == 8
    assert ids(store) == named(texts[9], texts[8])
    store.versions.reject([("cart", CART, sha_of(texts[9]))], 3.0, "it was taken back")
    took(store, texts[9], texts[1])
    store.versions.mark_stable([("cart", CART, sha_of(texts[1]))], 4.0, "its window passed")
    for number in (11, 12, 13):
        took(store, texts[1], b"RATE = %d\n" % number)
    assert store.versions.tidy(2, 5.0) == 3
    assert ids(store) == named(b"RATE = 13\n", b"RATE = 12\n", texts[1])
    assert store.verify() == []


# What can be proved


@pytest.mark.parametrize(
    "tampering, said",
    [
        ("UPDATE entries SET body = '{}' WHERE seq = 2", "entry 2 (report r1) is not as it was written"),
        ("UPDATE entries SET at = 0 WHERE seq = 2", "entry 2 (report r1) is not as it was written"),
        ("DELETE FROM entries WHERE seq = 2", "entries 2 to 2 are missing"),
        ("DELETE FROM entries WHERE seq >= 2", "entries 2 to 3 are missing"),
        ("UPDATE blobs SET text = 'RATE = 9' WHERE sha LIKE (SELECT sha FROM versions WHERE stable)", "is not what was stored"),
        ("UPDATE versions SET stable = 1", "is marked stable, which no entry says"),
        ("UPDATE versions SET stable = 0", "is not marked stable, which no entry says"),
    ],
)  # fmt: skip
def test_verify_says_what_somebody_changed_by_hand(store: Store, tampering: str, said: str) -> None:
    took(store, A, B)
    took(store, B, C)
    assert store.verify() == []
    with sqlite3.connect(store.database.path) as connection:
        connection.execute(tampering)
    connection.close()
    assert any(said in line for line in store.verify()), store.verify()


def test_what_was_cut_off_stays_missing_after_new_entries(store: Store) -> None:
    took(store, A, B)
    took(store, B, C)
    with sqlite3.connect(store.database.path) as connection:
        connection.execute("DELETE FROM entries WHERE seq = 3")
    connection.close()
    took(store, C, A)
    assert any("entries 3 to 3 are missing" in line for line in store.verify())


def test_export_has_a_line_for_each_entry_from_a_report_or_a_time_on(store: Store) -> None:
    took(store, A, B, at=100.0)
    took(store, B, C, at=200.0)
    kinds = [json.loads(line)["kind"] for line in store.journal.export()]
    assert kinds == ["stable", "report", "report"]
    assert [json.loads(line)["subject"] for line in store.journal.export("r1")] == ["r2"]
    assert [json.loads(line)["subject"] for line in store.journal.export("1970-01-01T00:02:30+00:00")] == ["r2"]
    with pytest.raises(StoreError, match="'yesterday' is no report and no time"):
        list(store.journal.export("yesterday"))


# Bad names


@pytest.mark.parametrize(
    "name, said",
    [
        ("cart", "is no version"),
        ("cart@12", "is no version"),
        ("cart@zzzzzzzzzzzz", "is no version"),
        ("cart@000000000000", "Of cart there are"),
        ("tart@000000000000", "No version of tart is stored"),
    ],
)
def test_a_version_that_does_not_exist_is_an_error_that_names_those_that_do(store: Store, name: str, said: str) -> None:
    took(store, A, B)
    with pytest.raises(StoreError, match=said):
        store.versions.get(name)


# Files that cannot be used


@pytest.mark.parametrize("damage", ["garbage", "header", "middle"])
def test_a_corrupt_store_is_moved_aside_by_name_and_a_new_one_begun(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "store"
    first = Store(str(folder))
    took(first, A, B)
    first.close()
    path = folder / "history.db"
    whole = path.read_bytes()
    spoilt = {
        "garbage": b"not a database at all, but long enough to look at" * 100,
        "header": b"\0" * 100 + whole[100:],
        "middle": whole[:100] + b"\xff" * (len(whole) - 100),
    }[damage]
    path.write_bytes(spoilt)
    second = Store(str(folder))
    took(second, A, B)
    assert ids(second) == named(B, A)
    aside = Path(second.database.moved_aside)
    assert aside.name == "history.db.corrupt-1" and aside.read_bytes() == spoilt
    second.close()


def test_a_store_of_a_newer_midflight_is_left_alone(tmp_path: Path) -> None:
    Store(str(tmp_path)).close()
    with sqlite3.connect(tmp_path / "history.db") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreError, match="A newer midflight wrote it"):
        Store(str(tmp_path))


def test_a_place_where_a_file_stands_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        Store(str(tmp_path / "store"))


def test_nothing_is_made_where_only_reading_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        Store(str(tmp_path / "none"), read_only=True)
    assert not (tmp_path / "none").exists()


def test_a_store_can_be_read_while_another_process_writes_it(store: Store) -> None:
    took(store, A, B)
    reader = Store(store.database.folder, read_only=True)
    took(store, B, C)
    assert ids(reader) == named(C, B, A)
    with pytest.raises(StoreError, match="cannot be used"):
        took(reader, C, A)
    reader.close()


def test_the_store_ignores_itself_in_git(store: Store) -> None:
    assert Path(store.database.folder, ".gitignore").read_text() == "*\n"


FULL = """
import resource, sys
from midflight.errors import StoreError
from midflight.store.versions import Ran, Store
from midflight.values import Report
store = Store(sys.argv[1])
size = 400_000
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
number = 0
try:
    while True:
        number += 1
        text = (b"x = %d\\n" % number) * 2000
        store.versions.record(Report(f"r{number}", 1.0, "api", "committed"), [Ran("cart", "/cart.py", None, text)])
except StoreError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.versions.record(Report(f"r{number}", 1.0, "api", "committed"), [Ran("cart", "/cart.py", None, text)])
assert store.verify() == []
assert [report.id for _, report in store.journal.reports(1)] == [f"r{number}"]
"""


def test_a_full_disk_is_an_error_and_the_store_goes_on_when_there_is_room_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "store")],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "cannot be used" in done.stdout


def test_without_a_store_what_lies_beside_a_file_is_each_process_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "cart.py"
    place.write_bytes(A)
    one = FileWrites({str(place): B}, {str(place): A}, None, "api")
    monkeypatch.setattr(os, "getpid", lambda: 1)
    other = FileWrites({str(place): C}, {str(place): A}, None, "api")
    one.do()
    with pytest.raises(WriteFailed, match="saved by somebody else"):
        other.do()
    other.undo()
    assert place.read_bytes() == B
    one.undo()
    assert [(left.name, left.read_bytes()) for left in tmp_path.iterdir()] == [("cart.py", A)]
