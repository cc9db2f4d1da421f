"""The Watch itself: its life, what it holds back and hands over, and what it costs."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from midflight.errors import WatchError
from midflight.values import Batch
from midflight.watch import Filters, Watch
from midflight.watch.tree import TICK_NS

from .conftest import Follower, backends, linux

Follow = Callable[..., Follower]
ALL = pytest.mark.parametrize("backend", backends())


@ALL
def test_drain_takes_what_was_saved_and_it_is_not_delivered_too(backend: str, root: Path, follow: Follow) -> None:
    follower = follow(root, backend=backend, quiet_ms=20_000)
    (root / "main.py").write_text("drained = 1\n")
    (root / "notes.md").write_text("drained\n")
    batch = drained(follower.watch, str(root / "main.py"), str(root / "notes.md"))
    assert set(kinds(batch)) == {(str(root / "main.py"), "modified"), (str(root / "notes.md"), "modified")}
    assert follower.watch.drain() == Batch((), (), pytest.approx(0, abs=1e18))
    assert follower.batches == []


@linux
def test_drain_needs_no_second_look_where_events_are_exact(root: Path, follow: Follow) -> None:
    follower = follow(root, backend="inotify", quiet_ms=20_000)
    for number in range(20):
        (root / "main.py").write_text(f"number = {number}\n")
        assert kinds(follower.watch.drain()) == [(str(root / "main.py"), "modified")]
    assert follower.batches == []


@linux
def test_drain_waits_for_a_writer(root: Path, follow: Follow) -> None:
    follower = follow(root, backend="inotify", quiet_ms=60_000)  # nothing is taken before it is drained
    draining = threading.Event()
    with open(root / "main.py", "w") as file:
        file.write("first = 1\n")
        file.flush()

        def finish() -> None:
            draining.wait()
            file.write("second = 2\n")
            file.close()

        writer = threading.Thread(target=finish)
        writer.start()
        draining.set()
        batch = follower.watch.drain(wait_ms=30_000)
        assert kinds(batch) == [(str(root / "main.py"), "modified")]
        assert (root / "main.py").read_text() == "first = 1\nsecond = 2\n"
        writer.join()
    assert follower.batches == []


@linux
def test_drain_leaves_behind_what_is_still_being_written(root: Path, follow: Follow) -> None:
    follower = follow(root, backend="inotify")
    with open(root / "main.py", "w") as file:
        file.write("first = 1\n")
        file.flush()
        assert kinds(follower.watch.drain(wait_ms=20)) == []
    follower.catch_up()
    assert follower.told(root / "main.py") == ["modified"]


@linux
def test_drain_from_on_batch_does_not_wait_for_itself(root: Path, follow: Follow) -> None:
    follower = follow(root, backend="inotify")
    drained_inside: list[Batch] = []
    take = follower.watch._on_batch

    def take_and_drain(batch: Batch) -> None:
        (root / "shop/cart.py").write_text("inside = 1\n")
        drained_inside.append(follower.watch.drain())
        take(batch)

    follower.watch._on_batch = take_and_drain
    (root / "main.py").write_text("outside = 1\n")
    follower.sees(root / "main.py", "modified")
    assert kinds(drained_inside[0]) == [(str(root / "shop/cart.py"), "modified")]


@ALL
def test_held_batches_wait_and_drain_still_takes_them(backend: str, root: Path, follow: Follow) -> None:
    follower = follow(root, backend=backend)
    follower.watch.hold()
    (root / "main.py").write_text("held = 1\n")
    assert kinds(drained(follower.watch, str(root / "main.py"))) == [(str(root / "main.py"), "modified")]
    (root / "shop/cart.py").write_text("held = 2\n")
    assert follower.batches == []
    follower.watch.release()
    follower.sees(root / "shop/cart.py", "modified")
    assert follower.told(root / "main.py") == []


@ALL
def test_a_burst_that_was_seen_after_its_first_file_is_still_one_batch(
    backend: str, root: Path, follow: Follow
) -> None:
    follower = follow(root, backend=backend)
    follower.watch.hold()
    (root / "shop/cart.py").write_text("first = 1\n")
    follower.says("pending", root / "shop/cart.py")
    (root / "shop/tax.py").write_text("last = 1\n")
    follower.watch.release()
    follower.catch_up()
    assert [len(batch.code) for batch in follower.batches] == [2]


@ALL
def test_start_and_stop_are_idempotent_and_stop_ends_it(backend: str, root: Path) -> None:
    taken: list[Batch] = []
    watch = Watch(Filters([str(root)]), taken.append, backend=backend)
    watch.start()
    watch.start()
    watch.stop()
    watch.stop()
    (root / "main.py").write_text("nobody = 'looks'\n")
    assert kinds(watch.drain()) == [] and taken == []
    watch.start()
    (root / "main.py").write_text("again = 1\n")
    assert kinds(drained(watch, str(root / "main.py"))) == [(str(root / "main.py"), "modified")]
    watch.stop()


@linux
def test_stop_gives_everything_back(root: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(5):
        watch = Watch(Filters([str(root)]), lambda batch: None, backend="inotify")
        watch.start()
        watch.stop()
    assert set(os.listdir("/proc/self/fd")) == before


def test_descriptors_are_closed_only_when_nobody_is_about_to_write_to_them(root: Path) -> None:
    """A descriptor that was closed may be somebody else's file by the time it is written to."""
    watch = Watch(Filters([str(root)]), lambda batch: None, backend="inotify")
    watch.start()
    backend, said = watch._backend, []
    wake, close = backend.wake, backend.close
    assert watch._thread is not None
    while sys._current_frames()[watch._thread.ident or 0].f_code is not type(backend).wait.__code__:
        time.sleep(0.001)  # until the thread is asleep

    def slow_wake() -> None:
        said.append("wakes")
        wake()
        time.sleep(0.05)  # long enough for the thread to end
        said.append("woke")

    backend.wake, backend.close = slow_wake, lambda: (said.append("closes"), close())  # type: ignore[method-assign, func-returns-value, assignment]
    watch.stop()
    assert said == ["wakes", "woke", "closes"]


def test_an_unknown_backend_is_named(root: Path) -> None:
    with pytest.raises(WatchError, match=r"(?s)inotfy.*inotify.*polling"):
        Watch(Filters([str(root)]), lambda batch: None, backend="inotfy")


@linux
@linux
@pytest.mark.parametrize("reader", ["unsettled", "drain"])
def test_what_another_thread_read_first_is_delivered_all_the_same(
    root: Path, follow: Follow, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    follower = follow(root, backend="inotify", quiet_ms=100)
    watch, woken = follower.watch, threading.Event()
    wake = watch._backend.wake
    # The kernel lets a thread sleep on that was told of events and finds them gone: only `wake` ends its wait here.
    monkeypatch.setattr(watch._backend, "wait", lambda timeout_s: (woken.wait(timeout_s), woken.clear()))
    monkeypatch.setattr(watch._backend, "wake", woken.set)
    wake()
    with (root / "main.py").open("w") as file:
        file.write("changed = 1\n")
        if reader == "drain":
            file.flush()
            assert kinds(watch.drain(wait_ms=1)) == [], "it is still being written"
    assert watch.unsettled([str(root / "main.py")]) == {str(root / "main.py")}
    follower.sees(root / "main.py", "modified")


def test_a_failing_subscriber_does_not_end_the_watch(root: Path, follow: Follow) -> None:
    follower = follow(root, backend="inotify")
    take = follower.watch._on_batch
    failed = threading.Event()

    def fail_once(batch: Batch) -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("a subscriber of the program")
        take(batch)

    follower.watch._on_batch = fail_once
    (root / "main.py").write_text("first = 1\n")
    assert failed.wait(30)
    (root / "main.py").write_text("second = 2\n")
    follower.sees(root / "main.py", "modified")


@linux
def test_an_empty_source_file_is_taken_when_it_stays_empty(root: Path, follow: Follow) -> None:
    follower = follow(root, backend="inotify")
    with open(root / "main.py", "w"):
        pass
    (root / "main.py").write_text("full = 'again'\n")
    follower.catch_up()
    assert b"" not in follower.known[str(root / "main.py")]
    with open(root / "main.py", "w"):
        pass
    follower.catch_up()
    assert follower.known[str(root / "main.py")][-1] == b""


@linux
def test_drain_takes_an_empty_source_file_at_its_word(root: Path, follow: Follow) -> None:
    follower = follow(root, backend="inotify", quiet_ms=20_000)
    (root / "main.py").write_text("")
    assert kinds(follower.watch.drain()) == [(str(root / "main.py"), "modified")]


@linux
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_watches_no_more_and_takes_nothing_away(root: Path, follow: Follow) -> None:
    follower = follow(root, backend="inotify")
    child = os.fork()
    if not child:
        status = 1
        try:
            follower.watch.stop()
            alone = follower.watch.drain() == Batch() and not follower.watch.status()["running"]
            (root / "main.py").write_text("by = 'the child'\n")
            status = 0 if alone else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    follower.sees(root / "main.py", "modified")
    (root / "shop/cart.py").write_text("by = 'the parent'\n")
    follower.sees(root / "shop/cart.py", "modified")


@linux
def test_an_idle_watch_is_not_woken(root: Path, tmp_path: Path, follow: Follow) -> None:
    idle = follow(root, backend="inotify")
    other = tmp_path / "other"
    other.mkdir()
    busy = follow(other, backend="inotify")
    (root / "main.py").write_text("settled = 1\n")
    idle.catch_up()
    save_often(busy, other)
    before = wakeups(idle.watch)
    save_often(busy, other)
    assert wakeups(idle.watch) == before


@linux
def test_a_log_below_a_root_does_not_wake_it_for_each_line(root: Path, follow: Follow) -> None:
    follower = follow(root, backend="inotify")
    lines = 0
    before = wakeups(follower.watch)
    with open(root / "server.log", "w", buffering=1) as log:
        while wakeups(follower.watch) < before + 50:
            lines += 1
            log.write(f"line {lines}\n")
    assert lines > 500
    (root / "main.py").write_text("seen = 'all the same'\n")
    follower.sees(root / "main.py", "modified")
    assert set(follower.known) == {str(root / "main.py")}


@linux
@pytest.mark.parametrize("backend", ["inotify", "watchfiles", "watchdog"])
def test_the_sweep_finds_what_nobody_told_of(backend: str, root: Path, follow: Follow) -> None:
    """What a lost event leaves behind: the file differs from what is known, and nothing says so."""
    if backend != "inotify":
        pytest.importorskip(backend)
    let_them_age(root)
    follower = follow(root, backend=backend, sweep_s=0.05)
    be_deaf(follower.watch)
    (root / "shop/till/drawer.py").write_text("unheard = 1\n")
    (root / "shop/new.py").write_text("unheard = 2\n")
    (root / "main.py").unlink()
    follower.catch_up()
    assert follower.watch.status()["found_by_sweep"]


@linux
def test_what_lay_there_at_the_start_is_known_without_a_look_at_each_file(root: Path, follow: Follow) -> None:
    """Not even a file that is written with an old time and in its old size, unheard, passes for what it was then; nor
    one that is written at once, for the clock of files has ticks."""
    let_them_age(root)
    follower = follow(root, backend="inotify")
    be_deaf(follower.watch)
    changed = root / "shop/cart.py"
    before, text = changed.stat(), changed.read_text()
    changed.write_text("#" * len(text))
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    tree = follower.watch._tree
    assert [(one.path, one.kind) for one in tree.look_everywhere()] == [(str(changed), "modified")]
    assert tree.look_everywhere() == []


@linux
def test_a_sweep_tells_nothing_twice(root: Path, follow: Follow) -> None:
    let_them_age(root)
    follower = follow(root, backend="inotify", sweep_s=0.02)
    for number in range(200):
        (root / "shop/cart.py").write_text(f"number = {number}\n")
        follower.catch_up()
    rounds = follower.watch.status()["swept"]
    told = len(follower.told(root / "shop/cart.py"))
    save_until(follower, root / "main.py", lambda: follower.watch.status()["swept"] > rounds + 3)  # type: ignore[operator]
    assert len(follower.told(root / "shop/cart.py")) == told
    assert follower.watch.status()["found_by_sweep"] == 0


def test_status_says_what_is_watched(root: Path, follow: Follow) -> None:
    follower = follow(root)
    status = follower.watch.status()
    assert status["roots"] == [str(root)] and status["folders"] == 3 and status["files"] == 5
    assert (status["being_written"] == [] and status["polled"] == []) or status["backend"] == "polling"
    follower.watch.stop()
    assert not follower.watch.status()["running"]


def let_them_age(root: Path) -> None:
    """The files there are older than what the clock of files may lag behind."""
    newest = max(path.stat().st_ctime_ns for path in root.rglob("*"))
    while time.time_ns() - newest <= TICK_NS:
        time.sleep(TICK_NS / 1e9)


def kinds(batch: Batch) -> list[tuple[str, str]]:
    return [(change.path, change.kind) for change in (*batch.code, *batch.data)]


def drained(watch: Watch, *paths: str) -> Batch:
    """Drains until `paths` have all come, as events of the libraries are on their way for a while."""
    code, data = {}, {}
    closed_ms = 0.0
    for _ in range(2000):
        batch = watch.drain(wait_ms=10)
        code.update({change.path: change for change in batch.code})
        data.update({change.path: change for change in batch.data})
        closed_ms = batch.closed_ms
        if set(paths) <= {*code, *data}:
            break
    return Batch(tuple(code.values()), tuple(data.values()), closed_ms)


def wakeups(watch: Watch) -> int:
    """How often the watch's thread went to sleep so far."""
    assert watch._thread is not None
    with open(f"/proc/self/task/{watch._thread.native_id}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))


def save_often(follower: Follower, folder: Path) -> None:
    for number in range(30):
        (folder / "busy.py").write_text(f"number = {number} {len(follower.batches)}\n")
        follower.catch_up()


def save_until(follower: Follower, path: Path, condition: Callable[[], bool]) -> None:
    for number in range(100_000):
        path.write_text(f"number = {number}\n")
        follower.catch_up()
        if condition():
            return
    raise AssertionError(follower.watch.status())


def be_deaf(watch: Watch) -> None:
    """From now on its events are lost on the way."""
    read = watch._backend.read
    watch._backend.read = lambda: (hint for hint in list(read()) if hint.path is None)  # type: ignore[method-assign]
