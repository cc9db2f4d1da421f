"""midflight demo: the package's small program, or the agent of a clone's examples, edited while it runs."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

from midflight.cli import DONE, FAILED, tell
from midflight.cli.client import find, follow
from midflight.cli.output import paint, print_json
from midflight.errors import MidflightError
from midflight.values import Report

DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class Step:
    """One save: in `file`, `old` becomes `new`; then the report has `outcome` and Ada's receipt reads `receipt`."""

    title: str
    file: str
    old: str
    new: str
    outcome: str
    receipt: str


STEPS = (
    Step(
        "Edit the body of a method; two carts of the class live",
        "cart.py",
        'return f"{self.owner} pays {self.total():.2f} with {LABEL}"',
        'return f"{self.owner}: {self.total():.2f} ({LABEL})"',
        "committed",
        "Ada: 12.00 (20% tax)",
    ),
    Step(
        "Edit a constant that another module imported and built a text from",
        "prices.py",
        "TAX = 0.20",
        "TAX = 0.10",
        "committed",
        "Ada: 11.00 (10% tax)",
    ),
    Step(
        "Add a field to the dataclass; the carts that live get it",
        "cart.py",
        '    items: dict[str, float] = field(default_factory=dict)\n',
        '    items: dict[str, float] = field(default_factory=dict)\n    currency: str = "EUR"\n',
        "committed",
        "Ada: 11.00 (10% tax)",
    ),
    Step(
        "Use the new field",
        "cart.py",
        "{self.total():.2f} (",
        "{self.total():.2f} {self.currency} (",
        "committed",
        "Ada: 11.00 EUR (10% tax)",
    ),
    Step(
        "Break the syntax",
        "cart.py",
        "def receipt(self) -> str:",
        "def receipt(self -> str:",
        "refused",
        "Ada: 11.00 EUR (10% tax)",
    ),
    Step(
        "Mend it, with another text",
        "cart.py",
        'def receipt(self -> str:\n        return f"{self.owner}: ',
        'def receipt(self) -> str:\n        return f"{self.owner} owes ',
        "committed",
        "Ada owes 11.00 EUR (10% tax)",
    ),
    Step(
        "Fail half-way: a line above the tax changes, the tax cannot be computed",
        "prices.py",
        "TAX = 0.10",
        "BASE = 100\nTAX = BASE / 0",
        "rolled back",
        "Ada owes 11.00 EUR (10% tax)",
    ),
    Step(
        "Mend it, with a new tax",
        "prices.py",
        "TAX = BASE / 0",
        "TAX = 25 / BASE",
        "committed",
        "Ada owes 12.50 EUR (25% tax)",
    ),
)  # fmt: skip


def demo(options: argparse.Namespace) -> int:
    """1 when a step did not do what it says."""
    if options.keep and not options.example:
        raise MidflightError(
            "no demo was started", "--keep is for the agent", "Say midflight demo examples/agent --keep."
        )
    if options.example:
        from midflight.cli.demo_agent import demo_agent

        return demo_agent(options)
    with tempfile.TemporaryDirectory(prefix="midflight-demo-") as folder, _running(folder) as program:
        before = program.ask()
        if not options.json:
            print(f"A program runs in process {program.pid}: {before['receipts'][0]!r}.\n")
        told = []
        for number, step in enumerate(STEPS, 1):
            told.append(_take(program, step))
            if not options.json:
                _print(program, number, step, told[-1])
    kept = _kept(before, told[-1]["answer"])
    good = kept and all(one["ok"] for one in told)
    if options.json:
        print_json({"ok": good, "kept": kept, "steps": told})
    else:
        _print_end(told[-1]["answer"], kept, good)
    return DONE if good else FAILED


def _take(program: Running, step: Step) -> dict[str, Any]:
    """Makes the edit and waits for its report and, where the program is to answer anew, for that answer."""
    before = program.ask()["receipts"][0]
    saved = time.perf_counter()
    program.edit(step.file, step.old, step.new)
    answer = program.ask()
    while answer["receipts"][0] == before != step.receipt and not program.has_report:
        answer = program.ask()
        if time.perf_counter() - saved > DEADLINE_S:
            break
    live_ms = (time.perf_counter() - saved) * 1000 if answer["receipts"][0] == step.receipt != before else None
    report = program.report()
    answer = program.ask()
    return {
        "title": step.title,
        "file": step.file,
        "ok": report is not None and report.outcome == step.outcome and answer["receipts"][0] == step.receipt,
        "expected": {"outcome": step.outcome, "receipt": step.receipt},
        "answer": answer,
        "save_to_live_ms": live_ms,
        "report": json.loads(report.to_json()) if report else None,
    }


def _kept(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """The counter went on from where it was, and the carts are the same objects."""
    return bool(after["served"] > before["served"] and after["carts"] == before["carts"])


def _print(program: Running, number: int, step: Step, told: dict[str, Any]) -> None:
    print(paint(f"{number}. {step.title}", "strong"))
    for sign, text, style in (("-", step.old, "bad"), ("+", step.new, "good")):
        for line in text.strip("\n").splitlines():
            print(paint(f"   {step.file}  {sign} {line}", style))
    report = Report.from_json(json.dumps(told["report"])) if told["report"] else None
    for line in (tell.line(report) if report else "no report came").splitlines():
        print(f"   {line.replace(program.folder + os.sep, '')}")
    ms = told["save_to_live_ms"]
    timing = f", {ms:.1f} ms after the save" if ms is not None else ""
    print(f"   The program answers {told['answer']['receipts'][0]!r}{timing}.")
    if not told["ok"]:
        expected = told["expected"]
        print(paint(f"   Expected: {expected['outcome']}, and {expected['receipt']!r}.", "bad"))
    print()


def _print_end(answer: dict[str, Any], kept: bool, good: bool) -> None:
    if kept:
        print(f"It is still the same process with the same two carts; it has given {answer['served']} answers.")
    else:
        print(paint("The counter or the carts were lost.", "bad"))
    if not good:
        print(paint("At least one step did not do what it says.", "bad"))


class Running:
    """The demo program in its own process, and the reports of its session as they come."""

    def __init__(self, process: subprocess.Popen[str], folder: str) -> None:
        self._process, self.folder = process, folder
        self._answers: queue.Queue[str] = queue.Queue()
        self._reports: queue.Queue[Report] = queue.Queue()
        self.pid = process.pid
        threading.Thread(target=self._read, daemon=True).start()

    def follow(self) -> None:
        lines = follow(find(str(self.pid)).path, "events", timeout_s=DEADLINE_S)
        next(lines)
        threading.Thread(target=self._note, args=(lines,), daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._answers.put(line)
        self._answers.put("")

    def _note(self, lines: Iterator[dict[str, Any]]) -> None:
        with contextlib.suppress(OSError):  # the process ended
            for line in lines:
                if "report" in line:
                    self._reports.put(Report.from_json(json.dumps(line["report"])))

    def ask(self) -> dict[str, Any]:
        """What the program answers now. Raises MidflightError when it ended or hangs."""
        if self._process.stdin is None:
            raise MidflightError("the demo program has no standard input")
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
            line = self._answers.get(timeout=DEADLINE_S)
        except (OSError, queue.Empty):
            line = ""
        if not line:
            raise MidflightError("the demo program does not answer", f"its exit code is {self._process.poll()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def has_report(self) -> bool:
        return not self._reports.empty()

    def report(self) -> Report | None:
        try:
            return self._reports.get(timeout=DEADLINE_S)
        except queue.Empty:
            return None

    def edit(self, file: str, old: str, new: str) -> None:
        path = os.path.join(self.folder, "shop", file)
        with open(path, encoding="utf-8") as source:
            text = source.read()
        if old not in text:
            raise MidflightError(f"{file} of the demo has no {old!r}", "the edits and the program do not fit")
        with open(path, "w", encoding="utf-8") as source:
            source.write(text.replace(old, new))


@contextlib.contextmanager
def _running(folder: str) -> Iterator[Running]:
    with as_file(files("midflight") / "demo" / "shop") as shop:
        shutil.copytree(shop, os.path.join(folder, "shop"), ignore=shutil.ignore_patterns("__pycache__"))
    with open(os.path.join(folder, "pyproject.toml"), "w", encoding="utf-8") as project:
        project.write("[tool.midflight]\n")  # so that no project above the temporary folder counts
    process = subprocess.Popen(
        [sys.executable, "-m", "midflight", "run", "-q", "-m", "shop"],
        cwd=folder,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        running = Running(process, folder)
        running.ask()
        running.follow()
        yield running
    finally:
        _end(process)


def environment() -> dict[str, str]:
    """Ours, without settings of midflight: the demo shows what it does by default."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MIDFLIGHT_", "HOT_RELOAD_"))}
    if "PYTHONPATH" in env:  # relative entries mean this folder, not the program's
        env["PYTHONPATH"] = os.pathsep.join(os.path.abspath(part) for part in env["PYTHONPATH"].split(os.pathsep))
    return env


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    try:
        process.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
