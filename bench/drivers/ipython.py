"""IPython's `%autoreload 2`: what it does before each cell that is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from IPython.extensions.autoreload import ModuleReloader  # type: ignore[import-not-found]

from . import Driver


class Engine(Driver):
    def loaded(self) -> None:
        self.reloader = ModuleReloader()
        self.reloader.enabled = True
        self.reloader.check()

    def reload(self, changed: Sequence[Path], readers: Sequence[str]) -> None:
        self.reloader.check()
        failed, self.reloader.failed = dict(self.reloader.failed), {}
        if failed:
            raise RuntimeError(f"could not reload {', '.join(sorted(Path(name).name for name in failed))}")
