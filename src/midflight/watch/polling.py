"""When and where to look without being told: for folders that no event comes from."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midflight.values import Change
    from midflight.watch.tree import Tree

LEAST_MS = 250.0
# Looking takes at most this part of one core, however large the tree is.
TIMES_ITS_COST = 10


class Poller:
    """Looks at folders every quarter of a second, less often where one look takes long. `next_ms` is when."""

    def __init__(self) -> None:
        self.interval_ms = LEAST_MS
        self.next_ms = 0.0

    def look(self, tree: Tree, folders: Iterable[str]) -> list[Change]:
        began = time.monotonic() * 1000
        changes = tree.check_roots()
        for path in list(folders):
            changes += tree.look(path)
        now = time.monotonic() * 1000
        self.interval_ms = max(LEAST_MS, TIMES_ITS_COST * (now - began))
        self.next_ms = now + self.interval_ms
        return changes
