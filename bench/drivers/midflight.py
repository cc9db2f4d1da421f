"""midflight: a manual session, asked for the files that were saved, as its watcher would ask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from midflight import Session
from midflight.config import load

from . import Driver


class Engine(Driver):
    def start(self, folder: Path) -> None:
        # As a program in `folder` would start it: the script that runs here lies elsewhere, and so would the store.
        self.session = Session(config=load(str(folder), paths=(str(folder),), mode="manual"))
        self.session.start()

    def reload(self, changed: Sequence[Path], readers: Sequence[str]) -> None:
        report = self.session.reload(paths=changed)
        if report.outcome != "committed":
            raise RuntimeError(f"{report.outcome}: {'; '.join(map(str, report.problems))}")
