from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

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
        print(one.console)  # shown where a test fails


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium: what Playwright would download is another one than users of this system have."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path is not None, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        # The sandbox does not work for root, nor in most containers.
        one = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield one
        one.close()
