"""One run of pytest over some files, in a process of its own or in this one, under a deadline → Verdict."""

from __future__ import annotations

import importlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from midflight.config import lies_in
from midflight.values import Problem

NOTHING_COLLECTED = 5  # pytest.ExitCode.NO_TESTS_COLLECTED
TAIL = 2000  # characters of pytest's output that a verdict without single results quotes

# Inside the program no plugin may take hold of what is the whole process's: its warnings, its signals, its workers.
OURS = ("terminal", "cacheprovider", "faulthandler", "threadexception", "unraisableexception", "warnings")
THEIRS = ("xdist", "timeout", "cov", "pytest_cov", "randomly", "forked", "rerunfailures")


@dataclass(frozen=True, slots=True)
class Failed:
    """One test that failed: its name, where (`line` from 1, 0 when unknown), and the last line of why."""

    name: str
    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tests answered. `outcome` is "passed" also where there were none; "error" is a run that could not be."""

    outcome: Literal["passed", "failed", "timed out", "error"]
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[Failed, ...] = ()
    message: str = ""
    ms: float = 0.0

    @property
    def ok(self) -> bool:
        return self.outcome == "passed"


def as_problem(verdict: Verdict, files: Sequence[str], what: str) -> Problem:
    """The Problem that a `verdict` which is not ok makes of a reload."""
    if verdict.outcome == "timed out":
        way_out = "Mend what hangs, or set smoke_deadline_s."
        return Problem(files[0], 0, "MF031", f"the {what} {_names(files)}: {verdict.message}", way_out)
    if not verdict.failures:
        message = f"the {what} {_names(files)} could not be run: {verdict.message}"
        return Problem(files[0], 0, "MF030", message, 'Mend that, or set smoke = "off".')
    first = verdict.failures[0]
    more = f" (and {verdict.failed - 1} more)" if verdict.failed > 1 else ""
    return Problem(
        first.path or files[0],
        first.line,
        "MF030",
        f"the {what} {first.name} failed: {first.message}{more}",
        "Mend it and save again.",
    )


def _names(files: Sequence[str]) -> str:
    return ", ".join(os.path.basename(file) for file in files)


# In a process of its own


class Child:
    """A process that leads a group of its own, so that all it started can be ended with it."""

    def __init__(self, command: Sequence[str], folder: str, env: Mapping[str, str], output: Any) -> None:
        self._stopped = threading.Event()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait(self, deadline_s: float) -> int | None:
        """Its exit code; None when it was ended, by the deadline or by `kill`. Nothing of its group is left running."""
        try:
            code = self._process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self._kill_group()
        return None if self._stopped.is_set() else code

    def kill(self) -> None:
        self._stopped.set()
        self._kill_group()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def _kill_group(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS says the latter of a group that only zombies are in
            pass
        self._process.wait()


class Subprocess:
    """A run of pytest over `files` in a process of its own; `kill` from another thread ends it."""

    def __init__(self, files: Sequence[str], root: str, env: Mapping[str, str] | None = None) -> None:
        self.files, self.root = list(files), root
        self._env = environment(root) if env is None else env
        self._child: Child | None = None
        self._cancelled = False

    def kill(self) -> None:
        self._cancelled = True
        if self._child is not None:
            self._child.kill()

    def verdict(self, deadline_s: float) -> Verdict:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="midflight-tests-") as scratch:
            results = os.path.join(scratch, "results.xml")
            with open(os.path.join(scratch, "output"), "w+b") as output:
                self._child = Child(self._command(results), self.root, self._env, output)
                if self._cancelled:  # between the question and the start
                    self._child.kill()
                code = self._child.wait(deadline_s)
                output.seek(0)
                told = output.read().decode("utf-8", "replace").strip()
            ms = round((time.perf_counter() - began) * 1000, 1)
            if code is None:
                why = "was stopped" if self._child.stopped else f"did not end within {deadline_s:g} s, and was killed"
                return Verdict("timed out", message=why, ms=ms)
            return _read(results, self.root, code, told, ms)

    def _command(self, results: str) -> list[str]:
        quiet = ["-q", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={results}", "-o", "junit_family=xunit1"]
        return [sys.executable, "-m", "pytest", *quiet, "--rootdir", self.root, *self.files]


def environment(root: str, **more: str) -> dict[str, str]:
    """The process's own, with the folders from which it imports its modules, and no session in a child."""
    own = [entry for entry in map(os.path.abspath, sys.path) if lies_in(entry, root) and "site-packages" not in entry]
    folders = [*own, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(folders), "MIDFLIGHT_ENABLED": "false", **more}


def _read(results: str, root: str, code: int, told: str, ms: float) -> Verdict:
    if code not in (0, 1, 2, NOTHING_COLLECTED) or not os.path.exists(results):
        return Verdict("error", message=_why_no_run(told, code), ms=ms)
    import xml.etree.ElementTree as ET

    cases = list(ET.parse(results).getroot().iter("testcase"))
    failures = tuple(failure for case in cases if (failure := _failure(case, root)) is not None)
    skipped = sum(case.find("skipped") is not None for case in cases)
    passed = len(cases) - skipped - len({id(case) for case in cases if _trouble(case) is not None})
    if code in (0, NOTHING_COLLECTED):
        return Verdict("passed", passed, 0, skipped, ms=ms)
    if not failures:
        return Verdict("error", passed, 0, skipped, message=_why_no_run(told, code), ms=ms)
    return Verdict("failed", passed, len(failures), skipped, failures, ms=ms)


def _why_no_run(told: str, code: int) -> str:
    if "No module named pytest" in told:
        return f"pytest is not installed for {sys.executable}"
    return f"pytest ended with {code}: {told[-TAIL:] or 'it said nothing'}"


def _trouble(case: Any) -> Any:
    found = case.find("failure")
    return found if found is not None else case.find("error")


def _failure(case: Any, root: str) -> Failed | None:
    trouble = _trouble(case)
    if trouble is None:
        return None
    name = case.get("name") or case.get("classname") or "?"
    text = trouble.text or ""
    message = _last_word(trouble.get("message") or "", text)
    path, line = _place(text, case.get("file") or "", int(case.get("line") or -1) + 1, root)
    return Failed(name, path, line, message)


def _last_word(message: str, text: str) -> str:
    """Why a test failed, in a line: the first that pytest marks with an E, of a syntax error the last."""
    marked = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    if marked and marked[0].startswith('File "'):
        return marked[-1]
    return (marked or [message.strip() or "it failed"])[0]


_PLACE = re.compile(
    r'^(?:E +File "(?P<quoted>[^"]+)", line (?P<number>\d+)|(?P<file>[^\s:]+\.py):(?P<line>\d+):)', re.MULTILINE
)


def _place(text: str, path: str, line: int, root: str) -> tuple[str, int]:
    """Where it failed: the first place below `root` that a short traceback names, which is the test's own frame."""
    for found in _PLACE.finditer(text):
        file = os.path.join(root, found["quoted"] or found["file"])
        if lies_in(file, root) and "site-packages" not in file:
            return file, int(found["number"] or found["line"])
    return os.path.join(root, path) if path else "", line


# In this process


class _Collector:
    """A plugin for pytest that notes how each test ended."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.passed = self.skipped = 0
        self.failures: list[Failed] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._note(report)
        elif report.skipped:
            self.skipped += 1
        elif report.when == "call":
            self.passed += 1

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self._note(report)

    def _note(self, report: Any) -> None:
        text = report.longreprtext
        name = report.nodeid.rpartition("::")[2] or report.nodeid
        path, line = _place(text, report.fspath or "", 0, self.root)
        self.failures.append(Failed(name, path, line, _last_word("", text)))


class InProcess:
    """A run of pytest over `files` in this process, against the modules that live in it."""

    def __init__(self, files: Sequence[str], root: str) -> None:
        self.files, self.root = list(files), root
        self._collector = _Collector(root)
        self._ended = threading.Event()
        self._code: int | str = ""

    @property
    def hangs(self) -> bool:
        return not self._ended.is_set()

    def kill(self) -> None:
        """Nothing: a thread cannot be ended from outside. Its deadline ends the wait for it."""

    def verdict(self, deadline_s: float) -> Verdict:
        began = time.perf_counter()
        try:
            load_pytest()
        except ImportError:
            return Verdict("error", message=f"pytest is not installed for {sys.executable}")
        threading.Thread(target=self._run, name="midflight-pytest", daemon=True).start()
        ended = self._ended.wait(deadline_s)
        ms = round((time.perf_counter() - began) * 1000, 1)
        if not ended:
            return Verdict("timed out", message=f"did not end within {deadline_s:g} s, and run on in a thread", ms=ms)
        return self._answer(ms)

    def _answer(self, ms: float) -> Verdict:
        noted = self._collector
        failures = tuple(noted.failures)
        if failures:
            return Verdict("failed", noted.passed, len(failures), noted.skipped, failures, ms=ms)
        if self._code not in (0, NOTHING_COLLECTED):
            return Verdict("error", noted.passed, 0, noted.skipped, message=f"pytest ended with {self._code}", ms=ms)
        return Verdict("passed", noted.passed, 0, noted.skipped, ms=ms)

    def _run(self) -> None:
        before = set(sys.modules)
        own = load_pytest()
        without = [word for name in (*OURS, *THEIRS) for word in ("-p", f"no:{name}")]
        # The project's addopts are for its own runs: they may ask for workers, coverage or plugins left out here.
        options = ["--capture=no", "--import-mode=importlib", "-o", "addopts=", "--rootdir", self.root]
        try:
            self._code = int(own.main([*without, *options, *self.files], plugins=[self._collector]))
        except BaseException as error:
            self._code = f"{type(error).__name__}: {error}"
        finally:
            _forget_tests(self.files, before)
            self._ended.set()


def load_pytest() -> Any:
    """pytest, imported. Raises ImportError."""
    return importlib.import_module("pytest")


def _forget_tests(files: Iterable[str], before: set[str]) -> None:
    """The test files and conftests that came in are no part of the program, and are read anew by the next run."""
    folders = {os.path.dirname(file) for file in files}
    wanted = {os.path.realpath(file) for file in files}
    for name, module in list(sys.modules.items()):
        path = os.path.realpath(getattr(module, "__file__", None) or "")
        is_conftest = os.path.basename(path) == "conftest.py" and any(
            one.startswith(os.path.dirname(path)) for one in folders
        )
        if name not in before and (path in wanted or is_conftest):
            sys.modules.pop(name, None)
