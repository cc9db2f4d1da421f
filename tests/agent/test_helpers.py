"""The documents' classes, used as the documents describe them, in a process of their own in the example's folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .serving import environment

pytestmark = pytest.mark.one_version

START = """
import sys, time
from pathlib import Path
from midflight import MidflightError
from python.helpers import extract_tools, extension
from python.helpers.hot_reload import FileWatcher, HotReloadHandler, HotReloadManager
from python.helpers.hot_reload_integration import HotReloadIntegration
from python.helpers.module_cache import DependencyAnalyzer, ModuleCache, modules

TOOL = Path("python/tools/hot_reload_test.py")
good = TOOL.read_text()

def until(ready):
    end = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)

def raised(call):
    try:
        call()
    except Exception as error:
        return str(error)
"""


def run(folder: Path, code: str, **extra: str) -> str:
    own = folder.parent / "run"
    own.mkdir(mode=0o700, exist_ok=True)
    env = environment(own, **{"MIDFLIGHT_QUIET_MS": "20", **extra})
    command = ["python", "-c", START + code]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("backend", ["watchdog", "inotify"])
def test_a_manager_tells_of_code_and_prompts_and_of_nothing_else(folder: Path, backend: str) -> None:
    code = """
heard = []
manager = HotReloadManager()
assert not manager.is_running and manager.watched == []
assert manager.start(heard.append) and manager.start(heard.append)
assert manager.watcher.is_running and manager.watched[:3] == ["python/tools", "python/extensions", "prompts"]
for name in ("python/tools/x.py", "prompts/new.md", "prompts/new.txt", "python/tools/x.json", "prompts/x.swp"):
    Path(name).write_text("")
Path("docs/HOT_RELOAD.md").write_text("")
until(lambda: len(heard) >= 3)
manager.watcher.stop()
Path("prompts/last.md").write_text("")
manager.stop()
assert not manager.is_running
print(sorted((change.kind, change.path.rpartition("/")[2]) for change in heard))
"""
    out = run(folder, code, MIDFLIGHT_BACKEND=backend).splitlines()
    assert out[-1] == "[('added', 'new.md'), ('added', 'new.txt'), ('added', 'x.py')]"
    assert sorted(out[:-1]) == [f"Hot-Reload: CREATED - {name}" for name in ("new.md", "new.txt", "x.py")]


def test_a_module_cache_loads_counts_reloads_and_rolls_back(folder: Path) -> None:
    run(folder, """
cache, name = modules, "python.tools.hot_reload_test"
assert "hot-reload is off" in raised(lambda: cache.reload(name))
module = cache.load(name)
assert cache.load(name) is module and (cache.metadata(name).loads, cache.metadata(name).hits) == (1, 1)
HotReloadIntegration.instance().start()
assert "it is not loaded" in raised(lambda: cache.reload("python.tools.recall"))
assert cache.get_stats() == {"total_modules": cache.get_stats()["total_modules"], "total_loads": 0, "total_errors": 0}
TOOL.write_text(good.replace("version 1", "version 2"))
until(lambda: cache.metadata(name).loads == 2)
assert "version 2" in module.MESSAGE and len(cache.metadata(name).version) == 64
TOOL.write_text(good + "def broken(:\\n")
until(lambda: cache.metadata(name).errors == 1)
assert "version 2" in module.MESSAGE and "SyntaxError" in cache.metadata(name).error
TOOL.write_text(good)
assert cache.reload(name).ok and "version 1" in module.MESSAGE
Path("python/tools/bad.py").write_text("import no_such_module\\n")
assert "no_such_module" in raised(lambda: cache.load("python.tools.bad"))
assert cache.metadata("python.tools.bad").errors == 1
""")  # fmt: skip


def test_dependencies_are_read_from_source_and_nothing_is_run(folder: Path) -> None:
    (folder / "python/tools/trap.py").write_text("from python.helpers.tool import Tool\nraise SystemExit\n")
    (folder / "python/helpers/a.py").write_text("import python.helpers.b\n")
    (folder / "python/helpers/b.py").write_text("def f():\n    from python.helpers import a\n")
    run(folder, """
analyzer = DependencyAnalyzer(Path.cwd())
assert analyzer.cycles() == {"python.helpers.a", "python.helpers.b"}
assert "agent" in analyzer.modules() and "agent" not in analyzer.graph()["python.helpers.tool"]
assert analyzer.modules()["python.tools.trap"] == Path.cwd() / "python/tools/trap.py"
assert analyzer.graph()["python.tools.trap"] == {"python.helpers.tool"}
assert {"python.tools.trap", "python.tools.recall", "initialize"} <= analyzer.dependents_of("python.helpers.tool")
assert analyzer.dependents_of("run_ui") == set()
assert "python.tools.trap" not in sys.modules
Path("python/helpers/a.py").write_text("def f(:\\n")
assert "invalid syntax" in raised(analyzer.graph)
""")  # fmt: skip


def test_the_caches_are_emptied_when_a_file_changes_and_identities_stay(folder: Path) -> None:
    run(folder, """
tools, points = extract_tools.tools(), extension.points()
tool = tools["hot_reload_test"]
assert extract_tools.tools() is tools and "python/tools" in extract_tools._cache
assert extension.extensions("message_loop_end") is extension._cache["message_loop_end"]
integration = HotReloadIntegration.instance()
assert integration is HotReloadIntegration.instance() and integration.start()
TOOL.write_text(good.replace("version 1", "version 2"))
until(lambda: integration.get_stats()["successes"] == 1)
assert extract_tools._cache == {} and extension._cache == {}
assert extract_tools.tools() is not tools and extract_tools.tools()["hot_reload_test"] is tool
assert integration.get_status()["status"] == "running"
integration.manager.session.pause()
assert integration.get_status()["status"] == "paused"
integration.manager.stop()
assert integration.get_status()["status"] == "stopped" and not integration.get_stats()["is_running"]
""")  # fmt: skip


@pytest.mark.parametrize("text, complaint", [
    ("x = 1\n", "a class derived from Tool is wanted, and there are 0"),
    ("from python.helpers.tool import Tool\nclass A(Tool): pass\nclass B(Tool): pass\n", "and there are 2"),
    ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
    ("def f(:\n", "SyntaxError"),
])  # fmt: skip
def test_a_tool_that_cannot_be_loaded_is_told_of_and_the_others_are_there(
    folder: Path, text: str, complaint: str
) -> None:
    (folder / "python/tools/a_broken.py").write_text(text)
    out = run(folder, "print(sorted(extract_tools.tools()))")
    assert out.startswith("Failed to load: tools.a_broken: ") and complaint in out
    assert out.splitlines()[-1] == "['code_execution_tool', 'hot_reload_test', 'recall', 'remember', 'response']"
