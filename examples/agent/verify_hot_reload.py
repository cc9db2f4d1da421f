"""Checks that hot-reload can work here: files, dependencies, imports, integration. One line each, pass or FAIL.

python verify_hot_reload.py        exit code 0 when all pass, else 1
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
FILES = (
    *("python/helpers/hot_reload.py", "python/helpers/module_cache.py", "python/helpers/hot_reload_integration.py"),
    *("python/api/hot_reload_status.py", "python/tools/hot_reload_test.py", "webui/js/hot_reload_panel.js"),
    *("initialize.py", "run_ui.py", "requirements.txt", "docs/HOT_RELOAD.md", "HOT_RELOAD_QUICKSTART.md"),
    *("CHANGELOG_HOT_RELOAD.md", "HOT_RELOAD_IMPLEMENTATION_SUMMARY.md"),
)
DEPENDENCIES = {
    "watchdog": (3, 0),
    "starlette": (0, 40),
    "uvicorn": (0, 30),
    "python-dotenv": (1, 0),
    "midflight": (0, 1),
}
IMPORTS = {
    "python.helpers.hot_reload": ("FileWatcher", "HotReloadHandler", "HotReloadManager"),
    "python.helpers.module_cache": ("ModuleCache", "DependencyAnalyzer"),
    "python.helpers.hot_reload_integration": ("HotReloadIntegration",),
    "python.helpers.extract_tools": ("_cache", "tools"),
    "python.helpers.extension": ("_cache", "call_extensions"),
    "python.api.hot_reload_status": ("HotReloadStatus",),
}
LEFT_OUT = (".venv*", "__pycache__", ".midflight", ".git")

# Runs in a copy of this folder: a tool is edited while its module is loaded, well and then badly.
TRIAL = """
import time
from pathlib import Path
from python.helpers import extract_tools
from python.helpers.hot_reload_integration import HotReloadIntegration
from python.helpers.module_cache import modules

file = Path("python/tools/hot_reload_test.py")
text = file.read_text()
tool = extract_tools.tools()["hot_reload_test"]
from python.tools import hot_reload_test as module

integration = HotReloadIntegration.instance()
assert integration.start(), "hot-reload did not start"

def wait_for(what, ready):
    end = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < end, f"waited 20 s for {what}"
        time.sleep(0.02)

def counts():
    return {name: integration.get_stats()[name] for name in ("successes", "failures")}

file.write_text(text + "\\nVERIFIED = 1\\n")
wait_for("a saved tool to be reloaded", lambda: counts() == {"successes": 1, "failures": 0})
assert module.VERIFIED == 1, "the saved tool does not run"
assert extract_tools.tools()["hot_reload_test"] is tool, "the tool's class lost its identity"
file.write_text(text + "\\nVERIFIED = (\\n")
wait_for("a broken tool to be refused", lambda: counts() == {"successes": 1, "failures": 1})
assert module.VERIFIED == 1, "the broken tool took the old one's place"
file.write_text(text + "\\nVERIFIED = 2\\n")
assert modules.reload(module.__name__).ok, "the mended tool was not taken"
assert module.VERIFIED == 2, "the mended tool does not run"
integration.manager.stop()
"""


@dataclass
class Check:
    group: str
    name: str
    ok: bool
    found: str


def file_checks() -> Iterator[Check]:
    for name in FILES:
        there = (ROOT / name).is_file()
        yield Check("Files", name, there, "is there" if there else "is missing: take it from the example's folder")


def dependency_checks() -> Iterator[Check]:
    for name, least in DEPENDENCIES.items():
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Check("Dependencies", name, False, "is not installed: pip install -r requirements.txt")
            continue
        found = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
        wanted = ".".join(map(str, least))
        yield Check("Dependencies", name, found >= least, f"{version} (at least {wanted})")


def import_checks() -> Iterator[Check]:
    for name, wanted in IMPORTS.items():
        try:
            module = importlib.import_module(name)
        except Exception as error:
            yield Check("Imports", name, False, f"{type(error).__name__}: {error}")
            continue
        missing = [one for one in wanted if not hasattr(module, one)]
        yield Check("Imports", name, not missing, f"has no {', '.join(missing)}" if missing else ", ".join(wanted))


def integration_checks() -> Iterator[Check]:
    yield guarded("tools and extensions", discovered)
    yield guarded("imports among modules", analysed)
    yield guarded("startup", started_by_run_ui)
    yield guarded("configuration", switched_on)
    yield guarded("reload and rollback", trial)


def guarded(name: str, check: Callable[[], tuple[bool, str]]) -> Check:
    try:
        return Check("Integration", name, *check())
    except Exception as error:
        return Check("Integration", name, False, f"{type(error).__name__}: {error}")


def discovered() -> tuple[bool, str]:
    from python.helpers import extension, extract_tools

    tools, points = extract_tools.tools(), extension.points()
    wanted = {path.stem for path in (ROOT / "python/tools").glob("*.py")}
    lost = ", ".join(sorted(wanted - tools.keys()))
    return not lost, f"not loaded: {lost}" if lost else f"{len(tools)} tools, {len(points)} extension points"


def analysed() -> tuple[bool, str]:
    from python.helpers.module_cache import DependencyAnalyzer

    analyzer = DependencyAnalyzer(ROOT)
    count = sum(len(imports) for imports in analyzer.graph().values())
    cycles = ", ".join(sorted(analyzer.cycles()))
    return True, f"{count} imports among {len(analyzer.modules())} modules; in cycles: {cycles or 'none'}"


def started_by_run_ui() -> tuple[bool, str]:
    called = "initialize.initialize_hot_reload()" in (ROOT / "run_ui.py").read_text("utf-8")
    return called, f"run_ui.py {'calls' if called else 'does not call'} initialize.initialize_hot_reload()"


def switched_on() -> tuple[bool, str]:
    from midflight import config

    switch = config.load(str(ROOT))
    return True, f"hot-reload is {'on' if switch.enabled else 'off'} ({switch.origins['enabled']})"


def trial() -> tuple[bool, str]:
    """Edits a tool under a running session, in a copy: nothing here is changed."""
    with tempfile.TemporaryDirectory(prefix="verify-hot-reload-") as folder:
        copy = Path(folder) / "agent"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        env = {**os.environ, "HOT_RELOAD_ENABLED": "true", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", TRIAL]
        done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        return False, (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
    return True, "a saved tool ran, a broken one left it running, a mended one ran"


def main() -> int:
    groups = (file_checks, dependency_checks, import_checks, integration_checks)
    checks = [check for group in groups for check in group()]
    heading = ""
    for check in checks:
        if check.group != heading:
            heading = check.group
            print(f"{heading}:")
        print(f"  {'pass' if check.ok else 'FAIL'}  {check.name}: {check.found}")
    failed = sum(not check.ok for check in checks)
    print(f"{len(checks) - failed} of {len(checks)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
