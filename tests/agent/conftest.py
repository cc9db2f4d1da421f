from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .serving import QUICK, Agent, copy_of_example, served


@pytest.fixture
def folder() -> Iterator[Path]:
    """A copy of the example, under a short name: a Unix socket's path has room for 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="mf-agent-") as own:
        yield copy_of_example(Path(own))


@pytest.fixture
def agent(folder: Path) -> Iterator[Agent]:
    """A served copy of the example that takes saves at once."""
    with served(folder, **QUICK) as one:
        yield one
