"""Every command and call of the agent's documents gives what they say, in a copy of the example folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .serving import DOCUMENTED_PORT, QUICK, ROOT, TEST_TOOL, Agent, copy_of_example, environment, served

pytestmark = pytest.mark.one_version

STATUS = """curl -X POST http://localhost:50001/hot_reload_status \\
  -H "Content-Type: application/json" \\
  -d '{"action": "status"}'
"""
STATS = STATUS.replace('status"}', 'stats"}')


def sh(command: str, folder: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    """What bash makes of a command of the documents, typed in `folder`."""
    own = folder.parent / "run"
    own.mkdir(mode=0o700, exist_ok=True)
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(own, **extra), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture
def documented(folder: Path) -> Iterator[Agent]:
    """Started as documented, with the documents' debounce. Its port may be taken on this machine, so it has another."""
    with served(folder) as one:
        yield one


def call(agent: Agent, command: str) -> Any:
    """The JSON that a documented curl call prints."""
    done = sh(command.replace(f":{DOCUMENTED_PORT}/", f":{agent.port}/"), agent.folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def modules_of(agent: Agent) -> int:
    """How many modules a running agent has: all in python/, the loop and the model."""
    return len([*agent.folder.glob("python/**/*.py")]) + len(["agent.py", "models.py"])


def vim(agent: Agent, file: str, *keys: str, options: str = "set backupcopy=auto") -> None:
    """`vim FILE`, a few edits, `:wq`, by vim itself."""
    path = agent.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    edits = [part for key in (options, *keys, "wq") for part in ("-c", key)]
    command = ["vim", "-N", "-u", "NONE", "-i", "NONE", "-es", *edits, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# -- starting, and the two calls ------------------------------------------------------------------------------------


def test_the_agent_listens_on_the_documents_port(folder: Path) -> None:
    show = "from python.helpers import settings; print(*settings.address())"
    assert sh(f'python -c "{show}"', folder).stdout.split() == ["127.0.0.1", str(DOCUMENTED_PORT)]


def test_both_calls_answer_in_the_documents_shapes(documented: Agent) -> None:
    assert call(documented, STATUS) == {
        "enabled": True,
        "status": "running",
        "message": "Hot-reload system is operational",
    }
    assert call(documented, STATS) == {
        "success": True,
        "stats": {
            "reloads": 0,
            "successes": 0,
            "failures": 0,
            "cache_stats": {"total_modules": modules_of(documented), "total_loads": 0, "total_errors": 0},
            "is_running": True,
        },
    }


def test_the_numbers_count_what_happened(agent: Agent) -> None:
    agent.sub(TEST_TOOL, "version 1", "version 2")
    agent.until_reloads(1)
    agent.sub(TEST_TOOL, "version 2", "version 3")
    agent.until_reloads(2)
    agent.sub(TEST_TOOL, "    async def execute(", "    async def execute((")
    agent.until_reloads(3)
    stats = call(agent, STATS)["stats"]
    modules = stats["cache_stats"].pop("total_modules")
    assert stats == {
        "reloads": 3,
        "successes": 2,
        "failures": 1,
        "cache_stats": {"total_loads": 2, "total_errors": 1},
        "is_running": True,
    }
    assert modules == modules_of(agent)


@pytest.mark.parametrize(
    "body, message",
    [
        ('{"action": "explode"}', "action is 'explode'"),
        ('["status"]', "must be a JSON object"),
        ('{"action": ', "the request is no JSON"),
    ],
)
def test_a_call_that_makes_no_sense_is_told_why(agent: Agent, body: str, message: str) -> None:
    answer = agent.http.post("/hot_reload_status", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["success"] is False and message in answer.json()["error"]


# -- the manual check, with vim -------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", ["set backupcopy=auto", "set backupcopy=no writebackup", "set backupcopy=yes"])
def test_the_test_tool_edited_in_vim_is_active_at_once_and_the_console_says_so(documented: Agent, options: str) -> None:
    documented.say("hot_reload_test")
    vim(documented, TEST_TOOL, "%s/version 1/version two/", options=options)
    documented.until_console(
        "Hot-Reload: MODIFIED - hot_reload_test.py",
        "Reloading module: tools.hot_reload_test",
        "Successfully reloaded: tools.hot_reload_test",
    )
    assert documented.say("hot_reload_test") == "Hot-reload works: this is version two (call 2 in this chat)"
    assert documented.stats()["reloads"] == 1


def test_a_tool_written_in_vim_is_there_without_a_restart(documented: Agent) -> None:
    lines = [
        "from python.helpers.tool import Response, Tool",
        "class MyTool(Tool):",
        "    async def execute(self, **kwargs):",
        "        return Response(message='MY TOOL', break_loop=False)",
    ]
    vim(documented, "python/tools/my_tool.py", f"call setline(1, {json.dumps(lines)})")
    documented.until("the new tool", lambda: documented.say("my_tool") == "MY TOOL")
    vim(documented, "python/tools/my_tool.py", "%s/MY TOOL/MY BETTER TOOL/")
    documented.until("the edited tool", lambda: documented.say("my_tool") == "MY BETTER TOOL")


def test_an_extension_written_in_vim_is_active_without_a_restart(documented: Agent) -> None:
    lines = [
        "from python.helpers.extension import Extension",
        "class MyExt(Extension):",
        "    async def execute(self, loop_data, **kwargs):",
        "        loop_data.answer = 'MY EXTENSION'",
    ]
    file = "python/extensions/message_loop_end/_10_my_ext.py"
    vim(documented, file, f"call setline(1, {json.dumps(lines)})")
    documented.until("the new extension", lambda: documented.say("recall") == "MY EXTENSION")
    vim(documented, file, "%s/MY EXTENSION/MY BETTER EXTENSION/")
    documented.until("the edited extension", lambda: documented.say("recall") == "MY BETTER EXTENSION")


def test_the_extension_and_the_tool_that_the_documents_name_are_reloaded(agent: Agent) -> None:
    agent.sub("python/extensions/message_loop_end/_10_organize_history.py", "KEEP = 60", "KEEP = 2")
    agent.until_console("Successfully reloaded: extensions.message_loop_end._10_organize_history")
    agent.sub("python/tools/code_execution_tool.py", "{value!r}", "{value!r} exactly")
    agent.until_console("Successfully reloaded: tools.code_execution_tool")
    assert agent.say("code_execution_tool 6 * 7") == "6 * 7 = 42 exactly"


# -- the switch -----------------------------------------------------------------------------------------------------


def test_switched_off_in_env_the_agent_works_without_hot_reload(folder: Path) -> None:
    env = folder / ".env"
    env.write_text(env.read_text().replace("HOT_RELOAD_ENABLED=true", "HOT_RELOAD_ENABLED=false"))
    with served(folder, **QUICK) as agent:
        assert call(agent, STATUS) == {
            "enabled": False,
            "status": "stopped",
            "message": "Hot-reload system is disabled",
        }
        assert call(agent, STATS)["stats"]["is_running"] is False
        assert "Hot-reload is off: HOT_RELOAD_ENABLED=false" in agent.console
        agent.sub(TEST_TOOL, "version 1", "version 2")
        assert "version 1" in agent.say("hot_reload_test")
        env.write_text(env.read_text().replace("HOT_RELOAD_ENABLED=false", "HOT_RELOAD_ENABLED=true"))
    with served(folder, **QUICK) as agent:  # "Restart Agent Zero"
        assert call(agent, STATUS)["status"] == "running"
        assert "version 2" in agent.say("hot_reload_test")


def test_without_the_variable_hot_reload_is_on(folder: Path) -> None:
    (folder / ".env").unlink()
    with served(folder) as agent:
        assert call(agent, STATUS)["enabled"] is True


def test_where_hot_reload_cannot_start_the_agent_works_and_says_why(folder: Path) -> None:
    with served(folder, MIDFLIGHT_BACKEND="semaphore") as agent:
        assert "Hot-reload not started: environment MIDFLIGHT_BACKEND: backend is 'semaphore'" in agent.console
        assert call(agent, STATUS)["status"] == "stopped"
        assert "version 1" in agent.say("hot_reload_test")


def test_the_documents_own_line_for_env_is_understood(folder: Path) -> None:
    (folder / ".env").write_text("HOT_RELOAD_ENABLED=true  # Default: true\n")
    with served(folder) as agent:
        assert call(agent, STATUS)["status"] == "running"


def test_without_watchdog_the_agent_works_and_says_what_to_install(folder: Path) -> None:
    (folder / "watchdog.py").write_text("raise ModuleNotFoundError('No module named watchdog', name='watchdog')\n")
    with served(folder) as agent:
        assert "Hot-reload not started: " in agent.console and "watchdog" in agent.console
        assert call(agent, STATUS)["status"] == "stopped"
        assert "version 1" in agent.say("hot_reload_test")


# -- verify_hot_reload.py -------------------------------------------------------------------------------------------


def test_verification_passes_and_names_each_check(folder: Path) -> None:
    before = sorted(path for path in folder.rglob("*"))
    done = sh("python verify_hot_reload.py", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    groups = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert groups[:-1] == ["Files:", "Dependencies:", "Imports:", "Integration:"]
    assert groups[-1] == "29 of 29 checks passed" and "FAIL" not in done.stdout
    assert sorted(path for path in folder.rglob("*")) == before


@pytest.mark.parametrize(
    "file, text, complaint",
    [
        ("webui/js/hot_reload_panel.js", None, "FAIL  webui/js/hot_reload_panel.js: is missing"),
        ("python/helpers/module_cache.py", "raise RuntimeError('no cache')\n", "RuntimeError: no cache"),
        (TEST_TOOL, "x = (\n", "FAIL  tools and extensions: not loaded: hot_reload_test"),
        ("run_ui.py", "print('no hot-reload')\n", "run_ui.py does not call initialize.initialize_hot_reload()"),
        ("python/helpers/hot_reload_integration.py", "class HotReloadIntegration: pass\n", "FAIL  reload and rollback"),
    ],
)
def test_verification_names_what_is_wrong(folder: Path, file: str, text: str | None, complaint: str) -> None:
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(text)
    done = sh("python verify_hot_reload.py", folder)
    assert done.returncode == 1 and complaint in done.stdout, done.stdout + done.stderr


# -- installation ---------------------------------------------------------------------------------------------------


@pytest.mark.network
@pytest.mark.timeout(600)
def test_a_fresh_environment_runs_the_agent_after_the_documents_pip_commands(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    (clone / "examples").mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    shutil.copytree(ROOT / "src", clone / "src", ignore=shutil.ignore_patterns("__pycache__"))
    folder = copy_of_example(clone / "examples")
    made = sh(f"python -m venv {tmp_path}/venv", folder)
    assert made.returncode == 0, made.stdout + made.stderr
    own = {"PATH": f"{tmp_path}/venv/bin{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": ""}
    for command in (
        "pip install -r requirements.txt",
        "pip install watchdog>=3.0.0",
        "pip install watchdog",
        "python verify_hot_reload.py",
    ):
        done = sh(command, folder, **own)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    with served(folder, **own) as agent:
        assert call(agent, STATUS)["status"] == "running"
