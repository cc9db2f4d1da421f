"""Options, scale and safety that all tests share."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Deadlines are times, and no test here may fail for being slow.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run only the long counts, in full")


def pytest_configure(config: pytest.Config) -> None:
    # The programs that tests start must not take settings of the shell that started the tests.
    for name in [name for name in os.environ if name.startswith(("MIDFLIGHT_", "HOT_RELOAD_"))]:
        del os.environ[name]
    # A shell starts what runs in its background with SIGINT ignored, and so would be every program that tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `soak` run in both: in a tenth of their count without --soak, alone and in full with it."""
    if config.getoption("--soak"):
        long = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(long)])
        items[:] = long


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--soak"))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test works in a folder of its own: that is where sessions without a project have their store."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """A list for processes that a test starts; those still running at its end are killed."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
