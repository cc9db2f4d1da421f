"""The agent is edited while it runs: tools, extensions, prompts, helpers, the loop itself."""

from __future__ import annotations

import concurrent.futures
from pathlib import Path

import pytest

from .serving import TEST_TOOL, Agent, served

pytestmark = pytest.mark.one_version

SHOUT = '''
from python.helpers.tool import Response, Tool

class Shout(Tool):
    """Says a text in capitals. Arguments: text."""

    async def execute(self, text="", **kwargs):
        return Response(message=text.upper(), break_loop=False)
'''
FOOTER = """
from python.helpers.extension import Extension

class Footer(Extension):
    async def execute(self, loop_data, **kwargs):
        loop_data.answer += " -- FOOTER"
"""


def test_the_next_message_uses_an_edited_tool_and_the_chat_keeps_its_data(agent: Agent) -> None:
    agent.say("remember the door is blue")
    assert agent.say("hot_reload_test") == "Hot-reload works: this is version 1 (call 1 in this chat)"
    agent.sub(TEST_TOOL, "version 1", "version 2")
    agent.until_reloads(1)
    assert agent.say("hot_reload_test") == "Hot-reload works: this is version 2 (call 2 in this chat)"
    assert agent.say("recall") == "1. the door is blue"


@pytest.mark.parametrize(
    "old, new, line, why",
    [
        ("    async def execute(self,", "    async def execute((self,", 15, "MF001"),
        ("from typing import Any\n", "from typing import Any\nimport no_such_module\n", 6, "no_such_module"),
        ('MESSAGE = "Hot', 'MESSAGE = 1 / 0 or "Hot', 9, "ZeroDivisionError"),
    ],
    ids=["syntax", "import", "top level"],
)
def test_a_broken_tool_leaves_the_old_one_answering_and_the_status_says_so(
    agent: Agent, old: str, new: str, line: int, why: str
) -> None:
    agent.say("hot_reload_test")
    good = agent.read(TEST_TOOL)
    agent.sub(TEST_TOOL, old, new)
    agent.until_reloads(1)
    assert agent.say("hot_reload_test") == "Hot-reload works: this is version 1 (call 2 in this chat)"
    stats = agent.stats()
    assert (stats["successes"], stats["failures"], stats["is_running"]) == (0, 1, True)
    assert stats["cache_stats"]["total_errors"] == 1
    agent.until_console("Failed to reload: tools.hot_reload_test; the last working version runs on")
    assert f"{TEST_TOOL}:{line}" in agent.console and why in agent.console
    agent.write(TEST_TOOL, good.replace("version 1", "version 3"))
    agent.until_reloads(2)
    assert agent.say("hot_reload_test") == "Hot-reload works: this is version 3 (call 3 in this chat)"


def test_a_new_tool_appears_and_a_deleted_one_goes(agent: Agent) -> None:
    assert "Name one of my tools" in agent.say("shout hello")
    agent.write("python/tools/shout.py", SHOUT)
    agent.until("the new tool", lambda: "shout" in agent.tools())
    assert agent.say("shout hello") == "HELLO"
    agent.until_console("Hot-Reload: CREATED - shout.py")
    (agent.folder / "python/tools/shout.py").unlink()
    agent.until("the tool to go", lambda: "shout" not in agent.tools())
    agent.until_console("Hot-Reload: DELETED - shout.py", "Successfully removed: tools.shout")
    assert "Name one of my tools" in agent.say("shout hello")


def test_a_new_tool_that_is_broken_is_told_of_and_appears_when_it_is_mended(agent: Agent) -> None:
    agent.write("python/tools/shout.py", SHOUT.replace("async def execute(", "async def execute(("))
    agent.until("word of it", lambda: "Failed to load: tools.shout: SyntaxError" in agent.console)
    agent.until("a report of it", lambda: agent.stats()["failures"] == 1)
    assert agent.say("recall") == "Nothing was noted in this chat."
    agent.write("python/tools/shout.py", SHOUT)
    agent.until("the mended tool", lambda: "shout" in agent.tools())
    assert agent.say("shout hello") == "HELLO"


def test_an_edited_extension_runs_and_a_new_one_too(agent: Agent) -> None:
    for _ in range(3):
        agent.say("recall")
    agent.sub("python/extensions/monologue_start/_10_name_chat.py", "LONGEST = 40", "LONGEST = 8")
    agent.until_reloads(1)
    agent.say("recall all that there is", context="two")
    assert agent.post("history", context="two").json()["title"] == "recall …"
    agent.write("python/extensions/monologue_end/_20_footer.py", FOOTER)
    agent.until("the new extension", lambda: agent.say("recall").endswith("-- FOOTER"))
    agent.write("python/extensions/monologue_end/_20_footer.py", FOOTER.replace("FOOTER", "GOOD BYE"))
    agent.until("the edited extension", lambda: agent.say("recall").endswith("-- GOOD BYE"))
    (agent.folder / "python/extensions/monologue_end/_20_footer.py").unlink()
    agent.until("the extension to go", lambda: agent.say("recall") == "Nothing was noted in this chat.")


def test_an_extension_that_fails_ends_its_message_and_nothing_else(agent: Agent) -> None:
    agent.write("python/extensions/monologue_end/_20_footer.py", FOOTER.replace('" -- FOOTER"', "1 / 0"))
    agent.until("the failing extension", lambda: agent.post("message", context="one", text="recall").status_code == 500)
    error = agent.post("message", context="one", text="recall").json()["error"]
    assert error.startswith("ExtensionError: python/extensions/monologue_end/_20_footer.py failed: ZeroDivisionError")
    assert "_20_footer.py" in agent.console and "Traceback" in agent.console
    agent.write("python/extensions/monologue_end/_20_footer.py", FOOTER)
    agent.until_reloads(1)
    assert agent.say("recall") == "Nothing was noted in this chat. -- FOOTER"


def test_an_edited_prompt_is_what_the_model_reads_next(agent: Agent) -> None:
    assert agent.say("hello").startswith("I am a small agent whose code you can change")
    agent.sub("prompts/agent.system.main.md", "I am a small agent", "I am Mira, a small agent")
    agent.until("the new prompt", lambda: agent.say("hello").startswith("I am Mira, a small agent"))
    agent.until_console("Hot-Reload: MODIFIED - agent.system.main.md", "Prompt is read anew: agent.system.main.md")


def test_a_tool_that_gets_a_prompt_of_its_own_is_described_by_it(agent: Agent) -> None:
    agent.sub("python/extensions/system_prompt/_20_tool_prompts.py", 'f"### {name}\\n', 'f"### x{name}\\n')
    agent.until("the new heading", lambda: "xrecall" in agent.say("hello"))


@pytest.mark.parametrize(
    "file, old, new, text, answer",
    [
        ("python/helpers/tool.py", "self.agent, self.name, self.args = agent, name, args", "agent.set_data('notes', ['by helper']); self.agent, self.name, self.args = agent, name, args", "recall", "1. by helper"),
        ("python/helpers/files.py", '.read_text("utf-8").strip()', '.read_text("utf-8").strip().upper()', "hello", "I AM A SMALL AGENT"),
        ("models.py", "Name one of my tools", "My tools", "hello", "My tools"),
        ("agent.py", "            loop_data.answer = response.message\n", "            loop_data.answer = f'({response.message})'\n", "recall", "(Nothing was noted in this chat.)"),
    ],
    ids=["tool", "files", "models", "agent"],
)  # fmt: skip
def test_helpers_the_model_and_the_loop_itself_are_edited_live(
    agent: Agent, file: str, old: str, new: str, text: str, answer: str
) -> None:
    assert answer not in agent.say(text, context="before")
    agent.sub(file, old, new)
    agent.until_reloads(1)
    if file == "python/helpers/files.py":  # what was read before stays read until a prompt is saved
        agent.sub("prompts/fw.msg_misformat.md", "That", "This")
    agent.until("the edited helper", lambda: answer in agent.say(text, context="after"))
    assert agent.stats()["failures"] == 0


def test_hot_reload_reloads_its_own_helpers(agent: Agent) -> None:
    agent.sub("python/helpers/hot_reload.py", "Hot-Reload: {EVENTS", "Edited: {EVENTS")
    agent.until_reloads(1)
    agent.sub("python/helpers/hot_reload_integration.py", "Successfully {", "Well {")
    agent.until_reloads(2)
    agent.sub(TEST_TOOL, "version 1", "version 2")
    agent.until_console(
        "Edited: MODIFIED - hot_reload_test.py",
        "Reloading module: tools.hot_reload_test",
        "Well reloaded: tools.hot_reload_test",
    )
    assert "version 2" in agent.say("hot_reload_test")


def test_a_new_endpoint_answers_and_an_edited_one_too(agent: Agent) -> None:
    assert agent.post("ping").status_code == 404
    text = "from python.helpers.api import ApiHandler\n\nclass Ping(ApiHandler):\n    async def process(self, input):\n        return {'answer': 'PONG'}\n"
    agent.write("python/api/ping.py", text)
    agent.until("the new endpoint", lambda: agent.post("ping").status_code == 200)
    agent.write("python/api/ping.py", text.replace("PONG", "pong"))
    agent.until("the edited endpoint", lambda: agent.post("ping").json() == {"answer": "pong"})


def test_a_broken_endpoint_is_told_of_once_and_the_others_answer(agent: Agent) -> None:
    agent.write("python/api/ping.py", "def broken(:\n")
    agent.until("word of it", lambda: "Failed to load: api.ping: SyntaxError" in agent.console)
    assert [agent.say("recall") for _ in range(3)] == ["Nothing was noted in this chat."] * 3
    assert agent.post("ping").status_code == 404
    assert agent.console.count("Failed to load: api.ping") == 1


def test_two_messages_of_one_chat_are_answered_one_after_the_other(agent: Agent) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda number: agent.say("hot_reload_test"), range(24)))
    assert sorted(said) == sorted(f"Hot-reload works: this is version 1 (call {n} in this chat)" for n in range(1, 25))
    shown = [one["role"] for one in agent.post("history", context="one").json()["messages"]]
    assert shown == ["user", "agent"] * 24


def test_a_tool_edited_in_the_middle_of_a_message_answers_the_next_step_with_new_code(agent: Agent) -> None:
    slow = '''
import asyncio
from python.helpers.tool import Response, Tool

class Slow(Tool):
    """Waits for a file."""

    async def execute(self, text="", **kwargs):
        while not __import__("os").path.exists("go"):
            await asyncio.sleep(0.01)
        return Response(message="OLD", break_loop=False)
'''
    agent.write("python/tools/slow.py", slow)
    agent.until("the slow tool", lambda: "slow" in agent.tools())
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(agent.say, "slow")
        agent.until("the tool to run", lambda: agent.post("history", context="one").json()["messages"] != [])
        agent.write("python/tools/slow.py", slow.replace("OLD", "NEW"))
        agent.until_reloads(1)
        (agent.folder / "go").touch()
        assert running.result(30) == "OLD"
    assert agent.say("slow") == "NEW"


def test_many_saves_in_one_burst_are_one_reload(folder: Path) -> None:
    with served(folder) as agent:
        for number in range(2, 8):
            agent.sub(TEST_TOOL, f"version {number - 1}", f"version {number}")
        agent.until("the last of them", lambda: "version 7" in agent.say("hot_reload_test"))
        assert agent.stats()["reloads"] == 1


def test_a_saved_file_without_a_change_is_no_reload(agent: Agent) -> None:
    agent.write(TEST_TOOL, agent.read(TEST_TOOL))
    agent.until_console(
        "Hot-Reload: MODIFIED - hot_reload_test.py",
        "Reloading module: tools.hot_reload_test",
        "Unchanged: tools.hot_reload_test",
    )
    assert agent.stats()["reloads"] == 0


def test_midflights_own_command_line_finds_the_agent(agent: Agent) -> None:
    import subprocess

    from .serving import environment

    env = environment(agent.folder.parent / "run")
    command = ["python", "-m", "midflight", "status", "--pid", str(agent.process.pid)]
    done = subprocess.run(command, cwd=agent.folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "running" in done.stdout, done.stdout + done.stderr


def resident_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_edits_without_end_lose_no_call_and_no_memory(agent: Agent, soak: bool) -> None:
    edits, early = (400, 40) if soak else (40, 20)
    good, wanted, before = agent.read(TEST_TOOL), "version 1", 0
    for number in range(1, edits + 1):
        if number % 5:
            wanted = f"version {number + 1}"
            agent.write(TEST_TOOL, good.replace("version 1", wanted))
        else:
            agent.write(TEST_TOOL, good.replace("execute(", "execute(("))
        agent.until_reloads(number)
        assert agent.say("hot_reload_test") == f"Hot-reload works: this is {wanted} (call {number} in this chat)"
        before = resident_kb(agent.process.pid) if number == early else before
    stats = agent.stats()
    assert (stats["successes"], stats["failures"]) == (edits * 4 // 5, edits // 5)
    # 400 edits were measured at 2 MB, of which the reports and the chat are most.
    assert resident_kb(agent.process.pid) - before < 8_000
