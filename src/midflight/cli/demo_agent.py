"""midflight demo FOLDER: the agent of a clone's examples, in a browser, edited while it runs."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from midflight.cli import DONE, FAILED, tell
from midflight.cli.demo import environment
from midflight.cli.output import paint, print_json
from midflight.errors import MidflightError
from midflight.values import Report

PORT = 50001  # where the example's own documents say that it is
CHAT = "demo"
DEADLINE_S = 20.0
TOOL = "python/tools/hot_reload_test.py"
LOUD = "python/tools/loud.py"


@dataclass(frozen=True, slots=True)
class Step:
    """One save: in `file`, `old` becomes `new` (None: there is no file). Then the report has `outcome`, an empty one
    where no module was reloaded, and the chat answers `says` with `answer`."""

    title: str
    file: str
    old: str | None
    new: str | None
    outcome: str
    says: str
    answer: str


STEPS = (
    Step(
        "Edit a tool; what the chat has counted stays",
        TOOL,
        "this is version 1",
        "this is version 2",
        "committed",
        "hot_reload_test",
        "Hot-reload works: this is version 2 (call 2 in this chat)",
    ),
    Step(
        "Break it: the old tool still answers",
        TOOL,
        'MESSAGE = "Hot-reload works: this is version 2"',
        'MESSAGE = "Hot-reload works: this is version 3',
        "refused",
        "hot_reload_test",
        "Hot-reload works: this is version 2 (call 3 in this chat)",
    ),
    Step(
        "Mend it",
        TOOL,
        'MESSAGE = "Hot-reload works: this is version 3',
        'MESSAGE = "Hot-reload works: this is version 3"',
        "committed",
        "hot_reload_test",
        "Hot-reload works: this is version 3 (call 4 in this chat)",
    ),
    Step(
        "Write a new tool",
        LOUD,
        None,
        """
from python.helpers.tool import Response, Tool


class Loud(Tool):
    \"\"\"Says a text in capitals. Arguments: text.\"\"\"

    async def execute(self, text="", **kwargs):
        return Response(message=text.upper(), break_loop=False)
""",
        "",
        "loud and clear",
        "AND CLEAR",
    ),
    Step(
        "Edit a prompt",
        "prompts/agent.system.main.md",
        "I am a small agent",
        "I am Mira, a small agent",
        "",
        "hello",
        "I am Mira, a small agent whose code you can change while we talk."
        " Name one of my tools: code_execution_tool, hot_reload_test, loud, recall, remember.",
    ),
    Step(
        "Write an extension for the end of each message",
        "python/extensions/monologue_end/_20_sign.py",
        None,
        """
from python.helpers.extension import Extension


class Sign(Extension):
    async def execute(self, loop_data, **kwargs):
        loop_data.answer += " (signed: Mira)"
""",
        "",
        "recall",
        "Nothing was noted in this chat. (signed: Mira)",
    ),
    Step(
        "Edit the helper that all tools are made of",
        "python/helpers/tool.py",
        "        self.agent, self.name, self.args = agent, name, args",
        '        self.agent, self.name, self.args = agent, name, args\n        agent.set_data("notes", ["a helper"])',
        "committed",
        "recall",
        "1. a helper (signed: Mira)",
    ),
    Step(
        "Delete the new tool",
        LOUD,
        "",
        None,
        "committed",
        "loud and clear",
        "I am Mira, a small agent whose code you can change while we talk."
        " Name one of my tools: code_execution_tool, hot_reload_test, recall, remember. (signed: Mira)",
    ),
)  # fmt: skip


def demo_agent(options: argparse.Namespace) -> int:
    """1 when a step did not do what it says."""
    _refuse_other_folders(options.example)
    with (
        _ends_on_terminate(),
        tempfile.TemporaryDirectory(prefix="midflight-demo-") as folder,
        _running(options.example, folder) as agent,
    ):
        good = _show(agent, quiet=options.json)
        if options.keep:
            _keep(agent)
    return DONE if good else FAILED


def _show(agent: Running, quiet: bool) -> bool:
    """Every step; whether all did what they say."""
    first = agent.say("hot_reload_test")
    if not quiet:
        print(f"The agent runs in process {agent.pid}, and takes a save when 500 ms passed without another. Watch it:")
        print(f"   {paint(agent.link, 'strong')}   the chat, with the hot-reload panel")
        print(f"   {paint(agent.devtools, 'strong')}   the DevTools")
        print(f"Asked for hot_reload_test it answers {first!r}.\n", flush=True)
    told = []
    for number, step in enumerate(STEPS, 1):
        told.append(_take(agent, step))
        if not quiet:
            _print(agent, number, step, told[-1])
    stats = agent.ask("hot_reload_status", action="stats")["stats"]
    good = all(one["ok"] for one in told) and (stats["successes"], stats["failures"]) == (4, 1)
    if quiet:
        print_json({"ok": good, "stats": stats, "steps": told})
    else:
        print(f"It is still process {agent.pid}, with the same chat. POST /hot_reload_status says:")
        print(f"   {json.dumps(stats)}")
        if not good:
            print(paint("At least one step did not do what it says.", "bad"))
    return good


def _take(agent: Running, step: Step) -> dict[str, Any]:
    """Saves, waits until what was saved is live, and asks the chat."""
    before = agent.newest()
    saved = time.perf_counter()
    agent.save(step)
    live = _until_live(agent, step, before)
    ms = (time.perf_counter() - saved) * 1000
    answer = agent.say(step.says)
    report = agent.newest()
    outcome = report.outcome if report and report != before else ""
    return {
        "title": step.title,
        "file": step.file,
        "ok": live and (outcome, answer) == (step.outcome, step.answer),
        "expected": {"outcome": step.outcome, "answer": step.answer},
        "outcome": outcome,
        "answer": answer,
        "save_to_live_ms": ms,
        "report": json.loads(report.to_json()) if report and outcome else None,
    }


def _until_live(agent: Running, step: Step, before: Report | None) -> bool:
    """A report tells of modules that were loaded; of a new file or a prompt the console does."""
    end = time.monotonic() + DEADLINE_S
    name = os.path.basename(step.file)
    while time.monotonic() < end:
        if (agent.newest() != before) if step.outcome else (f" - {name}" in agent.console()):
            return True
        time.sleep(0.005)
    return False


def _print(agent: Running, number: int, step: Step, told: dict[str, Any]) -> None:
    print(paint(f"{number}. {step.title}", "strong"))
    for sign, text, style in (("-", step.old, "bad"), ("+", step.new, "good")):
        for line in (text or "").strip("\n").splitlines():
            print(paint(f"   {step.file}  {sign} {line}", style))
    if step.new is None:
        print(paint(f"   rm {step.file}", "bad"))
    if told["report"]:
        for line in tell.line(Report.from_json(json.dumps(told["report"]))).splitlines():
            print(f"   {line.replace(agent.folder + os.sep, '')}")
    state = "it is live" if step.outcome != "refused" else "that is known"
    print(f"   {told['save_to_live_ms']:.0f} ms after the save {state}. Told {step.says!r}, the agent answers")
    print(f"   {told['answer']!r}.")
    if not told["ok"]:
        print(paint(f"   Expected: {step.outcome or 'no report'}, and {step.answer!r}.", "bad"))
    print(flush=True)


def _keep(agent: Running) -> None:
    print(
        f"\nIt stays up: {agent.link}\nEdit what lies in {agent.folder}; Ctrl-C ends it and removes that folder.",
        flush=True,
    )
    with contextlib.suppress(KeyboardInterrupt):
        agent.wait()


class Running:
    """The agent in a process of its own, in a copy of its folder."""

    def __init__(self, process: subprocess.Popen[bytes], folder: str, log: str) -> None:
        self._process, self.folder, self._log = process, folder, log
        self.pid = process.pid
        self.url = self._until_listens()
        self.link, self.devtools = f"{self.url}/?chat={CHAT}", f"{self.url}/__midflight__/"

    def ask(self, endpoint: str, **body: Any) -> dict[str, Any]:
        """What POST /`endpoint` answers. Raises MidflightError."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/{endpoint}", json.dumps(body).encode(), headers)
        return self._open(request)

    def newest(self) -> Report | None:
        found = self._open(urllib.request.Request(f"{self.url}/__midflight__/api/history?limit=1"))["reports"]
        return Report.from_json(json.dumps(found[0])) if found else None

    def _open(self, request: urllib.request.Request) -> dict[str, Any]:
        try:
            with _direct.open(request, timeout=DEADLINE_S) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            why = f"{error.code} {error.read(500).decode('utf-8', 'replace')}"
            raise MidflightError(f"{request.full_url} refused", why) from error
        except (OSError, ValueError) as error:
            raise self._silent(str(error)) from error

    def say(self, text: str) -> str:
        return str(self.ask("message", context=CHAT, text=text)["message"]["text"])

    def save(self, step: Step) -> None:
        """Raises MidflightError where the step does not fit the file."""
        path = os.path.join(self.folder, step.file)
        if step.new is None:
            os.unlink(path)
            return
        text = _read(path) if step.old is not None else ""
        if step.old is not None and step.old not in text:
            raise MidflightError(f"{step.file} of the demo has no {step.old!r}", "the edits and the agent do not fit")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(step.old, step.new) if step.old is not None else step.new.lstrip("\n"))

    def console(self) -> str:
        return _read(self._log)

    def _until_listens(self) -> str:
        """Its address, as it says. Raises MidflightError."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end and self._process.poll() is None:
            if found := re.search(r"^Agent: (http://localhost:\d+) ", self.console(), re.MULTILINE):
                return found[1]
            time.sleep(0.05)
        raise self._silent("it did not start")

    def wait(self) -> None:
        """Until it ends."""
        self._process.wait()

    def _silent(self, why: str) -> MidflightError:
        told = self.console().strip().splitlines()
        hint = "pip install -e '.[cli,web,watch]'" if self._process.poll() is not None else ""
        return MidflightError("the agent does not answer", "; ".join([why, *told[-1:]]), hint)


# A proxy of the environment is for other machines.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextlib.contextmanager
def _running(example: str, folder: str) -> Iterator[Running]:
    """The agent from a copy of `example` in `folder`, until the block ends."""
    copy, log = os.path.join(folder, "agent"), os.path.join(folder, "console")
    shutil.copytree(example, copy, ignore=shutil.ignore_patterns("__pycache__", ".midflight", ".venv*"))
    process = _start(copy, log, PORT)
    try:
        try:
            agent = Running(process, copy, log)
        except MidflightError:
            if "cannot be listened at" not in _read(log):
                raise
            process = _start(copy, log, 0)  # the documents' port is taken: any other
            agent = Running(process, copy, log)
        yield agent
    finally:
        _end(process)


def _start(copy: str, log: str, port: int) -> subprocess.Popen[bytes]:
    # What its .env may set for daily use is not part of the demo.
    env = {**environment(), "HOT_RELOAD_ENABLED": "true", "WEB_UI_HOST": "127.0.0.1", "WEB_UI_PORT": str(port)}
    env |= {"AUTH_LOGIN": "", "AUTH_PASSWORD": "", "CHAT_MODEL_URL": "", "PYTHONDONTWRITEBYTECODE": "1"}
    with open(log, "wb") as console:
        return subprocess.Popen(
            [sys.executable, "run_ui.py"], cwd=copy, env=env, stdin=subprocess.DEVNULL, stdout=console, stderr=console
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _ends_on_terminate() -> Iterator[None]:
    """Whoever ends the demo, ends the agent and removes its folder too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ends = (signal.SIGTERM, signal.SIGHUP)
    before = {one: signal.signal(one, lambda number, frame: sys.exit(128 + number)) for one in ends}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _refuse_other_folders(folder: str) -> None:
    if not os.path.isfile(os.path.join(folder, "run_ui.py")):
        raise MidflightError(
            f"no demo was started: {folder} holds no run_ui.py",
            "the folder must be that of the agent example",
            "In a clone: midflight demo examples/agent. Without a folder a small program is shown.",
        )


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
