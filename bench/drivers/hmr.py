"""hmr: what its watcher calls for the files that were saved. It runs nothing again before somebody looks: so look."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from reactivity.hmr.core import HMR_CONTEXT, SyncReloader  # type: ignore[import-not-found]

from . import Driver


class Engine(Driver):
    def start(self, folder: Path) -> None:
        self.folder = folder

    def load(self, name: str) -> None:
        self.reloader = SyncReloader(str(self.folder / f"{name}.py"), [str(self.folder)])
        self.effect = HMR_CONTEXT.effect(self.reloader.run_entry_file)

    def reload(self, changed: Sequence[Path], readers: Sequence[str]) -> None:
        self.reloader.on_changes(set(changed))
        for name in readers:
            if name in sys.modules:
                getattr(sys.modules[name], "__looked__", None)
