"""A restart: a new process that imports the program. What the old one held is gone, and not built again here."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from . import Driver


class Engine(Driver):
    here = False

    def start(self, folder: Path) -> None:
        self.folder = folder

    def reload(self, changed: Sequence[Path], readers: Sequence[str]) -> None:
        path = repr(sys.path)
        subprocess.run(
            [sys.executable, "-B", "-c", f"import sys; sys.path[:] = {path}; import program"],
            cwd=self.folder, check=True, capture_output=True,
        )  # fmt: skip

    def cpu(self) -> float:
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        return super().cpu() + spent.ru_utime + spent.ru_stime
