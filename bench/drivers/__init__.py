"""How each engine takes an edit, one file an engine; benches start the one they are told in a process of its own."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from pathlib import Path


class Driver:
    """One engine in the process that runs the program. The calls come in this order: start, load, loaded, reload…"""

    here = True  # whether the new code runs in this process

    def start(self, folder: Path) -> None:
        """Before anything of the program in `folder` is imported."""

    def load(self, name: str) -> None:
        """Imports the program's entry module."""
        importlib.import_module(name)

    def loaded(self) -> None:
        """Once the program is imported."""

    def reload(self, changed: Sequence[Path], readers: Sequence[str]) -> None:
        """Takes the files that were saved. `readers` is for who must name, in order, what is to be loaded again."""
        raise NotImplementedError

    def cpu(self) -> float:
        """Seconds of CPU time spent on reloads so far: those of the thread that calls."""
        return time.thread_time()


def named(name: str) -> Driver:
    """The driver of the engine `name`, imported only now: each engine is installed in its own environment alone."""
    driver = importlib.import_module(f"drivers.{name}").Engine()
    assert isinstance(driver, Driver)
    return driver
