"""A follower that is told only by a Watch, and must in the end hold what the disk holds."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from midflight.values import Batch, Change
from midflight.watch import Filters, Watch

DEADLINE_S = 30.0
EXTRAS = ("watchfiles", "watchdog")
NEVER_S = 36_000.0  # a sweep that does not come: what is found was told of


class Follower:
    """Reads every file when it is told of it, as a session does, and nothing else ever.

    `contents` is what it has read; `known` every content of a path in turn, None for a file that was gone."""

    def __init__(self, roots: list[Path], **settings: Any) -> None:
        self.roots = [os.path.realpath(root) for root in roots]
        self.filters = Filters(self.roots, **settings.pop("filters", {}))
        self.batches: list[Batch] = []
        self.troubles: list[tuple[str, str]] = []
        self.known: dict[str, list[bytes | None]] = {}
        self.contents = self.disk()
        self.wakened = threading.Condition()
        self.may_take = threading.Event()
        self.may_take.set()
        self.taking = threading.Event()
        settings.setdefault("sweep_s", NEVER_S)
        self.watch = Watch(self.filters, self.take, on_trouble=self.hear, **settings)

    def hear(self, kind: str, text: str) -> None:
        self.troubles.append((kind, text))

    def take(self, batch: Batch) -> None:
        self.taking.set()
        assert self.may_take.wait(DEADLINE_S)
        with self.wakened:
            self.batches.append(batch)
            for change in (*batch.code, *batch.data):
                self._read(change)
            self.wakened.notify_all()

    def _read(self, change: Change) -> None:
        content = read(change.path)
        self.known.setdefault(change.path, []).append(content)
        if content is None:
            self.contents.pop(change.path, None)
        else:
            self.contents[change.path] = content

    def disk(self) -> dict[str, bytes]:
        found = {}
        for root in self.roots:
            for folder, names, files in os.walk(root):
                names[:] = [name for name in names if not self.filters.prunes(os.path.join(folder, name))]
                for path in (os.path.join(folder, name) for name in files):
                    content = None if os.path.islink(path) or not self.filters.kind(path) else read(path)
                    if content is not None:
                        found[path] = content
        return found

    def until(self, condition: Callable[[], bool]) -> None:
        """Waits for batches until `condition` holds."""
        with self.wakened:
            assert self.wakened.wait_for(condition, DEADLINE_S), (self.batches[-3:], self.watch.status())

    def catch_up(self) -> None:
        """Waits until all that the disk holds has been told, no more and no less."""
        with self.wakened:
            done = self.wakened.wait_for(lambda: self.contents == self.disk(), DEADLINE_S)
        disk = self.disk()
        lost = sorted(path for path in {*disk, *self.contents} if disk.get(path) != self.contents.get(path))
        assert done, f"{len(lost)} lost: {lost[:5]} {self.watch.status()}"

    def told(self, path: str | os.PathLike[str]) -> list[str]:
        """The kinds of change that `path` was told of with, in order."""
        with self.wakened:
            changes = [change for batch in self.batches for change in (*batch.code, *batch.data)]
        return [change.kind for change in changes if change.path == os.fspath(path)]

    def says(self, key: str, path: str | os.PathLike[str]) -> None:
        """Waits until the watcher's own status has `path` under `key`."""
        ends = time.monotonic() + DEADLINE_S
        while str(path) not in self.watch.status()[key]:  # type: ignore[operator]
            assert time.monotonic() < ends, self.watch.status()
            time.sleep(0.001)

    def sees(self, path: str | os.PathLike[str], kind: str) -> None:
        self.until(lambda: kind in self.told(path))


def read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a small program in it."""
    root = tmp_path.resolve() / "app"
    for name in ("main.py", "shop/__init__.py", "shop/cart.py", "shop/till/drawer.py", "notes.md"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    return root


@pytest.fixture
def follow() -> Iterator[Callable[..., Follower]]:
    """Starts followers; stops them after the test and sees that nothing of them stays."""
    before = {thread.ident for thread in threading.enumerate()}
    followers: list[Follower] = []

    def start(*roots: Path, **settings: Any) -> Follower:
        follower = Follower(list(roots), **settings)
        followers.append(follower)
        follower.watch.start()
        return follower

    yield start
    for follower in followers:
        follower.may_take.set()
        follower.watch.stop()
    assert not [one for one in threading.enumerate() if one.name == "midflight-watch" and one.ident not in before]


def backends(*without: str) -> list[Any]:
    """The backends as parameters; those that cannot be had here are skipped."""
    names = [name for name in ("inotify", "polling", *EXTRAS) if name not in without]
    return [pytest.param(name, marks=_needs(name)) for name in names]


def _needs(name: str) -> list[pytest.MarkDecorator]:
    if name == "inotify":
        return [pytest.mark.skipif(sys.platform != "linux", reason="only Linux has inotify")]
    if name in EXTRAS:
        missing = importlib.util.find_spec(name) is None
        return [pytest.mark.skipif(missing, reason=f"{name} is not installed")]
    return []


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has inotify")
