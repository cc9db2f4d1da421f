"""A slow look at everything, which finds what a backend lost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Container
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midflight.values import Change
    from midflight.watch.tree import Tree

# A slice this long, then a pause ten times as long: a save that comes meanwhile is not held up.
SLICE_MS = 4.0
PAUSE_MS = 40.0
# No more than a hundredth of one core, however large the tree is.
TIMES_ITS_COST = 100


class Sweep:
    """Lists all folders once every `every_s` seconds, in slices. `next_ms` is when the next slice is due."""

    def __init__(self, every_s: float) -> None:
        self.every_ms = every_s * 1000
        self.next_ms = time.monotonic() * 1000 + self.every_ms
        self.found = 0
        self.rounds = 0
        self._left: deque[str] = deque()
        self._cost_ms = 0.0

    @property
    def busy(self) -> bool:
        """Whether a round has begun and not ended."""
        return bool(self._left)

    def step(self, tree: Tree, without: Container[str]) -> list[Change]:
        """One slice: the changes that nobody told of in some folders, but for those polled anyway."""
        began = time.monotonic() * 1000
        changes = []
        if not self._left:
            self._cost_ms = 0.0
            changes = tree.check_roots()
            self._left.extend(tree.folders)
        while self._left and time.monotonic() * 1000 < began + SLICE_MS:
            path = self._left.popleft()
            if path not in without:
                changes += tree.look(path)
        self._plan(began)
        return changes

    def _plan(self, began: float) -> None:
        now = time.monotonic() * 1000
        self._cost_ms += now - began
        if self._left:
            self.next_ms = now + PAUSE_MS
        else:
            self.rounds += 1
            self.next_ms = now + max(self.every_ms, TIMES_ITS_COST * self._cost_ms)
