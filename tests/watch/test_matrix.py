"""What people and tools do to files, done for real under every backend: nothing is lost, nothing is read half-way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Follower, backends, linux

pytestmark = pytest.mark.one_version

Follow = Callable[..., Follower]
ALL = pytest.mark.parametrize("backend", backends())
GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "core.autocrlf=false", "-c", "gc.auto=0")


def in_place(root: Path) -> None:
    (root / "main.py").write_text("changed = 1\n")


def appended(root: Path) -> None:
    with open(root / "main.py", "a") as file:
        file.write("more = 1\n")


def same_length_twice(root: Path) -> None:
    (root / "main.py").write_text("changed = 1\n")
    (root / "main.py").write_text("changed = 2\n")


def same_stamp(root: Path) -> None:
    """What rsync -t and archives do: new content of the old length, with the old time of change."""
    before = os.stat(root / "main.py")
    (root / "main.py").write_bytes(b"X" * before.st_size)
    os.utime(root / "main.py", ns=(before.st_atime_ns, before.st_mtime_ns))


def written_in_two_parts(root: Path) -> None:
    with open(root / "main.py", "w") as file:
        file.write("first = 1\n")
        file.flush()
        os.fsync(file.fileno())
        file.write("second = 2\n")


def replaced(root: Path) -> None:
    aside = root / ".main.py.new"
    aside.write_text("replaced = 1\n")
    os.replace(aside, root / "main.py")


def replaced_from_outside(root: Path) -> None:
    aside = root.parent / "aside.txt"
    aside.write_text("replaced = 1\n")
    os.replace(aside, root / "main.py")


def renamed_before_it_is_closed(root: Path) -> None:
    with open(root / "aside.tmp", "w") as file:
        file.write("first = 1\n")
        file.flush()
        os.replace(root / "aside.tmp", root / "main.py")
        file.write("second = 2\n")


def backed_up_by_rename(root: Path) -> None:
    os.rename(root / "main.py", root / "main.py~")
    (root / "main.py").write_text("written = 1\n")
    os.unlink(root / "main.py~")


def vim(root: Path) -> None:
    run("vim", "-es", "-u", "NONE", "-c", "%s/main/edited/", "-c", "wq", str(root / "main.py"))


def sed(root: Path) -> None:
    run("sed", "-i", "s/main/edited/", str(root / "main.py"))


def deleted(root: Path) -> None:
    (root / "shop/cart.py").unlink()


def deleted_and_made_again(root: Path) -> None:
    (root / "shop/cart.py").unlink()
    (root / "shop/cart.py").write_text("again = 1\n")


def added(root: Path) -> None:
    (root / "shop/new.py").write_text("new = 1\n")


def hard_link(root: Path) -> None:
    (root.parent / "elsewhere").write_text("linked = 1\n")
    os.link(root.parent / "elsewhere", root / "linked.py")


def nested_folders(root: Path) -> None:
    """Made and filled at once, while the watcher is still on its way down."""
    for top in range(10):
        for depth in range(1, 6):
            folder = root.joinpath(f"new{top}", *(f"d{level}" for level in range(depth)))
            folder.mkdir(parents=True)
            for number in range(4):
                (folder / f"m{number}.py").write_text(f"at = {depth, number}\n")


def renamed_within(root: Path) -> None:
    os.rename(root / "main.py", root / "shop/renamed.py")


def folder_moved_within(root: Path) -> None:
    os.rename(root / "shop/till", root / "till")
    (root / "till/drawer.py").write_text("after = 'the move'\n")


def folder_moved_twice(root: Path) -> None:
    os.rename(root / "shop", root / "one")
    os.rename(root / "one", root / "two")
    (root / "two/till/drawer.py").write_text("after = 'both'\n")


def folders_swapped(root: Path) -> None:
    make_package(root / "other", 3)
    os.rename(root / "shop", root / "aside")
    os.rename(root / "other", root / "shop")
    os.rename(root / "aside", root / "other")
    (root / "shop/m0.py").write_text("now = 'shop'\n")
    (root / "other/cart.py").write_text("now = 'other'\n")


def folder_moved_in(root: Path) -> None:
    make_package(root.parent / "outside", 20)
    os.rename(root.parent / "outside", root / "inside")
    (root / "inside/m3.py").write_text("after = 'the move'\n")


def folder_moved_out(root: Path) -> None:
    os.rename(root / "shop", root.parent / "outside")
    (root.parent / "outside/cart.py").write_text("nobody = 'asks'\n")
    (root / "main.py").write_text("after = 'the move'\n")


def folder_replaced(root: Path) -> None:
    shutil.rmtree(root / "shop")
    make_package(root / "shop", 5)


def folder_becomes_a_file(root: Path) -> None:
    shutil.rmtree(root / "shop")
    (root / "shop").mkdir()
    shutil.rmtree(root / "shop")
    (root / "shop.py").write_text("flat = 1\n")


def removed_with_all_below(root: Path) -> None:
    shutil.rmtree(root / "shop")


def odd_names(root: Path) -> None:
    for name in ("a b.py", "ä.py", "new\nline.py", "日本.py", "-rf.py", "[x].py"):
        (root / name).write_text("odd = 1\n")


def what_does_not_count(root: Path) -> None:
    for name in ("main.py~", ".#main.py", "main.py.swp", "4913", "core.o"):
        (root / name).write_text("no")
    make_package(root / "__pycache__", 2)
    make_package(root / "env", 2)
    (root / "env/pyvenv.cfg").write_text("home = /usr/bin\n")
    shutil.rmtree(root / "env")
    (root / "main.py").write_text("last = 1\n")


DEEDS: list[Callable[[Path], None]] = [
    *(in_place, appended, same_length_twice, same_stamp, written_in_two_parts, replaced, replaced_from_outside),
    *(renamed_before_it_is_closed, backed_up_by_rename, vim, sed, deleted, deleted_and_made_again, added, hard_link),
    *(nested_folders, renamed_within, folder_moved_within, folder_moved_twice, folders_swapped, folder_moved_in),
    *(folder_moved_out, folder_replaced, folder_becomes_a_file, removed_with_all_below, odd_names, what_does_not_count),
]


@ALL
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_nothing_is_lost(deed: Callable[[Path], None], backend: str, root: Path, follow: Follow) -> None:
    follower = follow(root, backend=backend)
    deed(root)
    follower.catch_up()
    assert follower.troubles == []


@ALL
def test_nothing_is_lost_one_thing_after_the_other(backend: str, root: Path, follow: Follow) -> None:
    follower = follow(root, backend=backend)
    for deed in (nested_folders, folder_moved_within, in_place, backed_up_by_rename, folder_replaced, folder_moved_in):
        deed(root)
    follower.catch_up()


@ALL
def test_what_does_not_count_is_not_told(backend: str, root: Path, follow: Follow) -> None:
    follower = follow(root, backend=backend)
    (root / "main.py~").write_text("no")
    make_package(root / "node_modules", 2)
    (root / "main.py").write_text("last = 1\n")
    follower.catch_up()
    assert set(follower.known) == {str(root / "main.py")}


@pytest.mark.parametrize(
    "deed, told",
    [
        (in_place, {"main.py": ["modified"]}),
        (replaced, {"main.py": ["modified"]}),
        (backed_up_by_rename, {"main.py": ["modified"]}),
        (vim, {"main.py": ["modified"]}),
        (sed, {"main.py": ["modified"]}),
        (added, {"shop/new.py": ["added"]}),
        (deleted, {"shop/cart.py": ["deleted"]}),
        (deleted_and_made_again, {"shop/cart.py": ["modified"]}),
        (renamed_within, {"main.py": ["deleted"], "shop/renamed.py": ["added"]}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@linux
def test_a_save_is_one_change_of_its_final_name(
    deed: Callable[[Path], None], told: dict[str, list[str]], root: Path, follow: Follow
) -> None:
    follower = follow(root, backend="inotify", quiet_ms=150)
    deed(root)
    follower.catch_up()
    assert {path: follower.told(path) for path in follower.known} == {str(root / name): told[name] for name in told}
    assert len(follower.batches) == 1


@linux
def test_a_burst_of_1000_saves_is_one_batch(root: Path, follow: Follow) -> None:
    make_package(root / "big", 1000)
    # Wide enough for two noisy cores; bench/watch.py measures the default.
    follower = follow(root, backend="inotify", quiet_ms=250)
    for number in range(1000):
        (root / f"big/m{number}.py").write_text(f"burst = {number}\n")
    follower.catch_up()
    assert [len(batch.code) for batch in follower.batches] == [1000]


@pytest.mark.parametrize("backend", backends())
def test_a_git_checkout_of_1000_files_is_one_batch(backend: str, root: Path, follow: Follow) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    make_package(root / "big", 1000)
    git(root, "init", "-q", "-b", "one")
    commit(root)
    git(root, "checkout", "-q", "-b", "two")
    for number in range(1000):
        (root / f"big/m{number}.py").write_text(f"two = {number}\n")
    commit(root)
    follower = follow(root, backend=backend)
    git(root, "checkout", "-q", "one")
    follower.catch_up()
    assert [len(batch.code) for batch in follower.batches] == [1000]


@ALL
def test_a_slow_writer_is_not_read_half_way(backend: str, root: Path, follow: Follow) -> None:
    if backend != "inotify":
        pytest.skip("no other backend knows when a file is closed")
    follower = follow(root, backend=backend)
    slow = str(root / "shop/cart.py")
    with open(slow, "w") as file:
        file.write("first = 1\n")
        file.flush()
        follower.says("being_written", slow)
        (root / "notes.md").write_text("another file\n")
        follower.sees(root / "notes.md", "modified")
        file.write("second = 2\n")
    follower.catch_up()
    assert follower.known[slow] == [b"first = 1\nsecond = 2\n"]


@linux
def test_a_new_file_is_not_read_before_it_is_closed(root: Path, follow: Follow) -> None:
    follower = follow(root, backend="inotify")
    slow = str(root / "shop/new.py")
    with open(slow, "w") as file:
        file.write("first = 1\n")
        file.flush()
        follower.says("being_written", slow)
        file.write("second = 2\n")
    follower.catch_up()
    assert follower.known[slow] == [b"first = 1\nsecond = 2\n"]


@linux
def test_overflow_of_the_kernels_queue_is_made_good(root: Path, follow: Follow) -> None:
    for folder in range(10):
        make_package(root / f"p{folder}", 100)
    follower = follow(root, backend="inotify")
    follower.may_take.clear()
    (root / "main.py").write_text("the watcher stands still = 1\n")
    assert follower.taking.wait(60)
    for number in range(20):
        for path in sorted(root.glob("p*/*.py")):
            path.write_text(f"written = 'while nobody reads', {number}\n")
    shutil.rmtree(root / "shop/till")
    nested_folders(root)
    follower.may_take.set()
    follower.catch_up()
    assert follower.watch.status()["overflows"]


def make_package(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        (folder / f"m{number}.py").write_text(f"number = {number}\n")


def run(*command: str, cwd: Path | None = None) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, timeout=120)


def git(root: Path, *words: str) -> None:
    run(*GIT, *words, cwd=root)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all")


def test_the_table_names_every_deed_above() -> None:
    here = sys.modules[__name__]
    takes_root = {
        name
        for name, value in vars(here).items()
        if callable(value)
        and getattr(value, "__module__", "") == __name__
        and getattr(value, "__annotations__", {}).keys() == {"root", "return"}
    }
    assert takes_root - {"commit"} == {deed.__name__ for deed in DEEDS}
