"""marimo's reloader: what it does before each cell that is run, in mode `autorun`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from marimo._runtime.reload.autoreload import ModuleReloader  # type: ignore[import-not-found]

from . import Driver


class Engine(Driver):
    def loaded(self) -> None:
        self.reloader = ModuleReloader()
        self.reloader.check(sys.modules, reload=True, skip_non_user_modules=True)

    def reload(self, changed: Sequence[Path], readers: Sequence[str]) -> None:
        self.reloader.check(sys.modules, reload=True, skip_non_user_modules=True)
        failed, self.reloader.failed = dict(self.reloader.failed), {}
        if failed:
            raise RuntimeError(f"could not reload {', '.join(sorted(Path(name).name for name in failed))}")
