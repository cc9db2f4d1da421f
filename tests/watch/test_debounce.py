"""Changes become batches: every time is given, none is waited for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midflight.values import Batch, Change, ChangeKind
from midflight.watch.debounce import NET, Debouncer, Window

WINDOW = Window(one=5, several=20, longest=2000, empty=200, gone=100)


def debouncer(*changes: tuple[float, str], kind: ChangeKind = "modified", window: Window = WINDOW) -> Debouncer:
    """With changes at these times; a name ending in .py is code."""
    one = Debouncer(window)
    for at_ms, path in changes:
        feed(one, at_ms, path, kind)
    return one


def feed(one: Debouncer, at_ms: float, path: str, kind: ChangeKind = "modified", empty: bool = False) -> None:
    one.feed(Change(path, kind, at_ms), "code" if path.endswith(".py") else "data", empty)


def closed_at(one: Debouncer, until_ms: float = 10_000) -> float | None:
    """When the batch is complete, asking only when it says so."""
    asked = 0
    while one.wake_ms is not None and one.wake_ms <= until_ms:
        now_ms = one.wake_ms
        if one.due(now_ms) is not None:
            return now_ms
        asked += 1
        assert asked < 100, "asks for ever"
    return None


@pytest.mark.parametrize(
    "changes, closes",
    [
        ([], None),
        ([(0, "a.py")], 5),
        ([(0, "a.py"), (3, "a.py")], 8),
        ([(0, "a.py"), (3, "b.py")], 23),
        ([(0, "a.py"), (3, "b.py"), (20, "c.py")], 40),
        ([(0, "n.md")], 5),
        # code waits for code: a file of data that is written all the time holds up no save
        ([(0, "a.py"), (18, "n.md")], 20),
        ([(0, "n.md"), (1, "o.md"), (2, "a.py")], 22),
    ],
)
def test_a_batch_closes_when_it_was_quiet(changes: list[tuple[float, str]], closes: float | None) -> None:
    assert closed_at(debouncer(*changes)) == closes


def test_a_change_just_before_the_end_keeps_it_open() -> None:
    one = debouncer((0, "a.py"))
    assert one.due(4.9) is None
    feed(one, 4.95, "b.py")
    assert one.due(5) is None
    assert closed_at(one) == pytest.approx(24.95)


def test_changes_without_end_are_cut_after_the_longest_time() -> None:
    one = Debouncer(WINDOW)
    for at_ms in range(0, 2000, 3):
        feed(one, at_ms, f"m{at_ms % 7}.py")
        assert one.due(at_ms) is None
    feed(one, 2000, "last.py")
    batch = one.due(2000)
    assert batch is not None and "last.py" in batch.paths


@pytest.mark.parametrize("before, after", NET)
def test_what_two_changes_come_to(before: ChangeKind, after: ChangeKind) -> None:
    one = Debouncer(WINDOW)
    feed(one, 0, "a.py", before)
    feed(one, 1, "a.py", after)
    there_before, there_after = before != "added", after != "deleted"
    expected = {(True, True): "modified", (True, False): "deleted", (False, True): "added"}
    # A new file may have been imported between its two changes, so that it went is told in any case.
    assert [change.kind for change in one.flush(2).code] == [expected.get((there_before, there_after), "deleted")]


@given(st.lists(st.sampled_from(["a.py", "b.py", "n.md"]), max_size=30), st.data())
def test_a_path_is_in_a_batch_once_and_none_is_lost(paths: list[str], data: st.DataObject) -> None:
    one = Debouncer(WINDOW)
    fed: set[str] = set()
    told: list[str] = []
    now_ms = 0.0
    for path in paths:
        now_ms += data.draw(st.floats(0, 40))
        batch = one.due(now_ms)
        if batch is not None:
            told += names(batch)
            assert sorted(names(batch)) == sorted(set(names(batch)))
        feed(one, now_ms, path)
        fed.add(path)
    told += names(one.flush(now_ms))
    assert set(told) == fed
    assert len(one) == 0


def test_a_batch_sorts_code_and_data_in_the_order_of_their_last_change() -> None:
    one = debouncer((0, "b.py"), (1, "n.md"), (2, "a.py"), (3, "b.py"))
    batch = one.flush(10)
    assert batch.paths == ("a.py", "b.py")
    assert [change.path for change in batch.data] == ["n.md"]
    assert batch.closed_ms == 10


def test_a_file_that_is_being_written_stays_behind() -> None:
    one = debouncer((0, "a.py"), (1, "slow.py"))
    batch = one.due(30, writing={"slow.py"})
    assert batch is not None and batch.paths == ("a.py",)
    assert one.due(40, writing={"slow.py"}) is None
    assert one.wake_ms is None
    feed(one, 50, "slow.py")
    assert closed_at(one) == 55


def test_a_writer_keeps_the_batch_open_but_not_for_ever() -> None:
    one = debouncer((0, "a.py"))
    assert one.due(500, busy=True) is None
    batch = one.due(2000, busy=True)
    assert batch is not None and batch.paths == ("a.py",)


def test_git_at_work_keeps_the_batch_open_but_not_for_ever() -> None:
    one = debouncer((0, "a.py"))
    assert one.due(500, locked=True) is None
    assert one.wake_ms is not None and 500 < one.wake_ms < 550
    assert one.due(one.wake_ms) is not None
    feed(one, 3000, "a.py")
    assert one.due(5000, locked=True) is not None


def test_a_source_file_that_was_emptied_waits_for_its_content() -> None:
    one = Debouncer(WINDOW)
    feed(one, 0, "a.py", empty=True)
    assert closed_at(one) == 200
    feed(one, 300, "a.py", empty=True)
    assert one.due(350) is None
    feed(one, 360, "a.py")
    assert closed_at(one) == 365


@pytest.mark.parametrize("path, kind", [("a.py", "added"), ("n.md", "modified")])
def test_a_new_source_file_or_a_file_of_data_may_be_empty_at_once(path: str, kind: ChangeKind) -> None:
    one = Debouncer(WINDOW)
    feed(one, 0, path, kind, empty=True)
    assert closed_at(one) == 5


def test_a_source_file_that_went_is_waited_for() -> None:
    one = Debouncer(WINDOW)
    feed(one, 0, "a.py", "deleted")
    feed(one, 40, "a.py", "added")
    batch = one.due(45)
    assert batch is not None and [change.kind for change in batch.code] == ["modified"]
    feed(one, 100, "a.py", "deleted")
    assert closed_at(one) == 200
    feed(one, 300, "n.md", "deleted")
    assert closed_at(one) == 305


def test_flush_takes_all_but_what_is_being_written() -> None:
    one = debouncer((0, "a.py"), (0, "slow.py"))
    feed(one, 0, "empty.py", empty=True)
    assert sorted(one.flush(0, {"slow.py"}).paths) == ["a.py", "empty.py"]
    assert one.paths() == ["slow.py"]
    assert Debouncer(WINDOW).flush(7) == Batch((), (), 7)


@pytest.mark.parametrize(
    "quiet_ms, settle_ms, one, several",
    [(None, 0, 4, 20), (None, 50, 50, 50), (0, 0, 0, 0), (8, 0, 8, 32), (100, 0, 100, 100), (8, 50, 50, 50)],
)
def test_the_window_follows_the_settings(quiet_ms: float | None, settle_ms: float, one: float, several: float) -> None:
    window = Window.of(quiet_ms, settle_ms)
    assert (window.one, window.several) == (one, several)


def test_a_quiet_time_beyond_the_longest_is_meant() -> None:
    assert Window.of(5000).longest >= 5000


def names(batch: Batch) -> list[str]:
    return [change.path for change in (*batch.code, *batch.data)]
