"""jurigged: what its watcher calls for each file that was saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jurigged.register import registry  # type: ignore[import-not-found]

from . import Driver


class Engine(Driver):
    def start(self, folder: Path) -> None:
        self.failures: list[Exception] = []
        registry.set_logger(self.note)
        registry.auto_register(filter=lambda path: path.startswith(f"{folder}/"))

    def note(self, event: object) -> None:
        if isinstance(event, Exception):
            self.failures.append(event)

    def reload(self, changed: Sequence[Path], readers: Sequence[str]) -> None:
        for path in changed:
            code = registry.get(str(path))
            if code is not None:  # a file that is not loaded is none of its business
                code.refresh()
        if self.failures:
            raise self.failures.pop()
