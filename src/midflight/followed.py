"""Which files a session follows: those below its paths, but what somebody else takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from midflight.config import Config, lies_in
from midflight.errors import SessionError
from midflight.watch import Filters


class Followed:
    """The files below `paths` of a Config, with symlinks resolved."""

    def __init__(self, config: Config) -> None:
        self.paths = tuple(os.path.realpath(path) for path in config.paths)
        self.filters = Filters(self.paths, data=config.data, include=config.include, exclude=config.exclude)
        # Of a folder with a root that is a file, only that file is the program's.
        files = any(path.endswith(".py") for path in self.paths)
        self._by_folder = not (config.include or config.exclude or files)
        self._folders: dict[str, bool] = {}
        self._left: list[str] = []

    def has_module(self, path: str) -> bool:
        """Whether a module from this file is the program's. Asked at every import, so answered by folder where only
        the folder matters."""
        if not path.endswith(".py"):
            return False
        if not self._by_folder:
            return self.filters.kind(path) == "code" and not _is_own(path)
        folder = path.rpartition(os.sep)[0]
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = self.filters.kind(path) == "code" and not _is_own(path)
        return known

    def covers(self, path: str) -> bool:
        return any(lies_in(path, root) for root in self.paths)

    def refuse_outside(self, paths: Iterable[str]) -> None:
        outside = [path for path in paths if not self.covers(path)]
        if outside:
            raise SessionError(
                f"nothing was reloaded: {outside[0]} lies outside this session's paths",
                f"It follows {', '.join(self.paths)}.",
                "Add the folder to `paths`, or name a file inside it.",
            )

    def shared_with(self, other: Followed) -> str:
        """A path that both follow, "" where there is none."""
        pairs = ((one, theirs) for one in self.paths for theirs in other.paths)
        return next((one for one, theirs in pairs if lies_in(one, theirs) or lies_in(theirs, one)), "")

    def leave(self, root: str) -> Callable[[], None]:
        """Files below `root` are taken by somebody else. Gives an undo."""
        root = os.path.realpath(root)
        self._left.append(root)
        return lambda: self._left.remove(root)

    def is_left(self, path: str) -> bool:
        """Whether somebody else takes it."""
        return any(lies_in(path, root) for root in self._left)


_OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep


def _is_own(path: str) -> bool:
    """midflight never reloads itself; the programs inside the package are programs."""
    return path.startswith(_OWN) and not path.startswith(os.path.join(_OWN, "demo"))
