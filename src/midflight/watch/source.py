"""What every backend gives to the Watch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from midflight.values import Change
from midflight.watch.tree import Folder, Tree

Trouble = Callable[[str, str], None]  # what kind of trouble, in a word; what stands now, why, what to do


class Source(Protocol):
    """A backend. `wait` and `wake` may be called by any thread; the rest only under the Watch's lock.

    `exact` says that it tells when a file is closed, and that it says so when it has lost something."""

    name: str
    exact: bool
    lost: int

    def enter(self, folder: Folder) -> None:
        """`folder` is about to be listed: from now on its changes must be told."""

    def leave(self, path: str) -> None:
        """The folder at `path` no longer counts."""

    def armed(self, tree: Tree) -> None:
        """All roots were looked at once, or further roots were."""

    def wait(self, timeout_s: float | None) -> None:
        """Returns when there is something to read, after `wake`, or when the time is over."""

    def wake(self) -> None:
        """Ends a `wait`, the present one or else the next."""

    def read(self, tree: Tree, now: bool = False) -> list[Change]:
        """What has changed by now; never waits. With `now`, also what it would only look for later."""

    def writing(self) -> dict[str, float]:
        """Files that are open and have been written to → when last, in ms on the monotonic clock."""

    def due_ms(self) -> float | None:
        """When `read` is to be called though nothing happened."""

    def polled(self) -> list[str]:
        """Folders that are looked at from time to time."""

    def close(self) -> None:
        """Gives back what the system lent. Idempotent."""
