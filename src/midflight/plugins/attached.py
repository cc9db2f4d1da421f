"""The session that takes a manager's files: the process's own where it follows the folder, else one beside it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from midflight.config import load
from midflight.plugins.discovery import FolderFinder
from midflight.session import Session, session_over

if TYPE_CHECKING:
    from midflight.graph.loaded import Program
    from midflight.held import Held


class Attached:
    """Attached when it is first asked for, until `detach`. A session of our own watches nothing."""

    def __init__(self, plugin_dir: Path) -> None:
        self.plugin_dir = plugin_dir
        self.finder = FolderFinder(plugin_dir)
        self._session: Session | None = None
        self._is_own = False
        self._unleave: Callable[[], None] | None = None

    @property
    def session(self) -> Session:
        if self._session is None:
            self._session = self._attach()
        return self._session

    @property
    def program(self) -> Program:
        """With its index of imports up to date."""
        program = self.session.program
        program.at("")
        return program

    @property
    def is_off(self) -> bool:
        return not self.session.config.enabled

    def _attach(self) -> Session:
        session = session_over(str(self.plugin_dir))
        self._is_own = session is None
        if session is None:
            session = Session(config=load(str(self.plugin_dir.parent), paths=(str(self.plugin_dir),), mode="manual"))
            session.attach()
        self._unleave = session.leave(str(self.plugin_dir))
        if self.finder not in sys.meta_path:
            sys.meta_path.append(self.finder)
        return session

    def detach(self) -> None:
        session, self._session = self._session, None
        if self.finder in sys.meta_path:
            sys.meta_path.remove(self.finder)
        if self._unleave is not None:
            self._unleave()
        if session is not None and self._is_own:
            session.stop()

    @asynccontextmanager
    async def held(self, paths: Iterable[Path], cause: str) -> AsyncIterator[Held]:
        while self.session.is_held():  # another manager's, in this very loop
            await asyncio.sleep(0.005)
        with self.session.hold([str(path) for path in paths], cause) as held:
            yield held
