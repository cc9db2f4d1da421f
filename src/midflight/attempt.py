"""One batch through the stages: preflight, apply, validate, then commit or roll back. What came of it is a value."""

from __future__ import annotations

import functools
import importlib
import logging
import os
import sys
import time
import types
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from midflight.apply.asked import HookFailed, after_code_ran, before_code_runs
from midflight.apply.dangling import prune
from midflight.apply.execute import Execution
from midflight.apply.files import Files
from midflight.apply.graft.classes import RudeEdit
from midflight.apply.graft.generated import leave_classes
from midflight.apply.parsed import Parsed, as_compiled, parsed
from midflight.apply.safepoint import collector_rests, old_frames
from midflight.apply.transaction import Transaction
from midflight.apply.work import Work
from midflight.asks import Sources, Terms, Writes
from midflight.config import Config
from midflight.graph.heap import Process
from midflight.graph.hook import read_bytes
from midflight.graph.loaded import Loaded, Program, version_of
from midflight.hooks import of_module
from midflight.plan.preflight import Edited, edited, read_source
from midflight.plan.statements import SourceText
from midflight.store.faults import reached
from midflight.store.files import FileWrites, WriteFailed
from midflight.store.intents import Intents
from midflight.store.versions import Ran
from midflight.validate.contract import broken_promises
from midflight.validate.health import run_checks
from midflight.validate.tests import smoke_files
from midflight.values import TAKEN, ModuleReport, OldFrame, Outcome, Problem

log = logging.getLogger("midflight")


@dataclass(frozen=True)
class Ended:
    """What came of an attempt: what its Report says, and what the session keeps of it."""

    outcome: Outcome
    timings_ms: Mapping[str, float]
    problems: tuple[Problem, ...] = ()
    modules: Mapping[str, ModuleReport] = field(default_factory=dict)
    old_frames: tuple[OldFrame, ...] = ()
    notes: tuple[str, ...] = ()
    ran: tuple[Ran, ...] = ()  # the versions that live now
    replaced: tuple[Any, ...] = ()  # code objects that no function is to run any more
    writing: FileWrites | None = None
    interrupt: KeyboardInterrupt | None = None  # raised again once the report is made

    @property
    def ok(self) -> bool:
        """Whether what was asked for lives now."""
        return self.outcome in TAKEN


class Invalid(Exception):
    """A validation that said no."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].message)
        self.problems = list(problems)


class _TrialFailed(Exception):
    """The program tried the new code, and it raised; the cause is what it raised."""


class Clock:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._at = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.laps[stage] = round(self.laps.get(stage, 0.0) + (now - self._at) * 1000, 3)
        self._at = now


class Attempt:
    """`works` and `problems` are what preflight found; until `apply` nothing is touched. `intents` gives where files
    are announced before they are written, None without a store."""

    def __init__(
        self, program: Program, config: Config, intents: Callable[[], Intents | None], sources: Sources, cause: str
    ) -> None:
        self.program, self.config, self.sources, self.cause = program, config, sources, cause
        self._intents = intents
        self.clock = Clock()
        self.writing: FileWrites | None = None
        with collector_rests():
            self.works, self.problems, self.files = self._preflight()
        self.clock.lap("preflight")
        self.tx = Transaction()
        self.run = Execution(program, self.tx, self.works)

    @property
    def any(self) -> bool:
        """Whether there is anything to take."""
        return bool(self.works or self.files.any)

    # -- preflight: only reads ------------------------------------------------------------------------

    def _preflight(self) -> tuple[list[Work], list[Problem], Files]:
        works: list[Work] = []
        problems: list[Problem] = []
        files = Files(self.program, self.sources)
        for path, source in sorted(self.sources.items()):
            for loaded in files.at(path):
                if source is None or (source == loaded.source and path not in files.moved):
                    continue
                result = _edited(loaded, path, source)
                if isinstance(result, Work):
                    works.append(result)
                else:
                    problems += result
        return works, problems, files

    # -- apply and validate ---------------------------------------------------------------------------

    def taken(self, writes: Writes, terms: Terms | None, begin: Callable[[], None]) -> Generator[None, None, Ended]:
        """All of it. Yields while the program tries the new code, where `terms` ask for a trial; `begin` is called
        before the program is touched."""
        if self.problems:
            return self.refused()
        if not self.any and all(read_bytes(path) == text for path, text in writes.texts.items()):
            return self.unchanged()
        begin()
        if terms is not None:
            self.tx.undo(terms.undo)
        try:
            self._let_be_imported(writes)
            self.apply()
            _refuse(terms.check() if terms is not None else [])
            self._write(writes)  # before the smoke tests, which may run in a process that reads the files
            self.smoke()
            if terms is not None:
                yield from self._tried_by_program()
                self.clock.lap("trial")
        except BaseException as failure:
            # Ctrl-C too: half-applied is worse than either version. A module's SystemExit is only its failure.
            return self.roll_back(failure, terms)
        return self.commit((*writes.notes, *(terms.notes if terms is not None else ())))

    def apply(self) -> None:
        """Apply and validate. Raises whatever the new code raises, and Invalid."""
        run, works = self.run, self.works
        before = {work.name: dict(work.loaded.namespace) for work in works}
        reached("apply.begin")
        if any(True for work in works for _ in of_module(work.name, "dispose")):
            run.before_call()  # what they clear is put back if the reload fails
        run.notes += before_code_runs(run.tx, [w for w in works if any(pair.edited for pair in w.changed)])
        self.files.prepare(run)  # first line that touches the program
        run.run()
        after_code_ran(run)
        self.files.finish(run)
        self.clock.lap("apply")
        reached("apply.done")
        _refuse(self._validate(before))

    def _validate(self, before: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
        touched = [work.loaded for work in self.run.works.values() if work.name in before]
        names = {loaded.name for loaded in touched}
        others = (loaded for loaded in self.program.all() if loaded.name not in names)
        problems = list(broken_promises(touched, others, before))
        return problems or run_checks(self._asked(), self.config.check_deadline_s)

    def _asked(self) -> list[tuple[str, str]]:
        return [(work.name, work.loaded.path) for work in self.run.works.values() if work.taken]

    def smoke(self) -> None:
        """Run the smoke-test files that there are for the modules that were touched. Raises Invalid."""
        if self.config.smoke != "off":
            files = smoke_files(self._asked(), self.config.smoke_files, self.config.root)
            _refuse(self._smoked(files) if files else [])
        self.clock.lap("validate")

    def _smoked(self, files: Sequence[str]) -> list[Problem]:
        from midflight.validate import pytest_runs  # most reloads have no such file

        if self.config.smoke == "subprocess":
            verdict = pytest_runs.Subprocess(files, self.config.root).verdict(self.config.smoke_deadline_s)
        else:
            self.run.before_call()  # what the tests do to the program's containers is put back if they fail
            self.run.own_imports()
            verdict = pytest_runs.InProcess(files, self.config.root).verdict(self.config.smoke_deadline_s)
        return [] if verdict.ok else [pytest_runs.as_problem(verdict, files, "smoke tests")]

    def _tried_by_program(self) -> Generator[None, None, None]:
        self.run.before_call()  # what the program does to its containers while it tries the new code is put back
        self.tx.bring_forward()
        try:
            yield
        except Exception as error:
            raise _TrialFailed from error

    def _let_be_imported(self, writes: Writes) -> None:
        """Files that are written at the end, of modules that nobody has loaded: whoever imports one gets its text."""
        notebook = self.program.notebook
        for path, text in writes.texts.items():
            unknown = path.endswith(".py") and path not in notebook.stands_in and not self.files.at(path)
            if unknown and not isinstance(read_source(path, text), Problem):
                self.tx.undo(functools.partial(notebook.stands_in_no_more, path))
                self.tx.at_commit(functools.partial(notebook.stands_in_no_more, path))
                notebook.stand_in(path, text)

    def _write(self, writes: Writes) -> None:
        if not writes.texts:
            return
        known = {path: one.source for path in writes.texts for one in self.program.at(path)}
        writing = FileWrites(writes.texts, known, self._intents(), self.cause)
        self.tx.undo(writing.undo)
        writing.do()
        importlib.invalidate_caches()  # the import system noted folders that were not there
        self.writing = writing

    # -- the four ends --------------------------------------------------------------------------------

    def unchanged(self) -> Ended:
        return Ended("unchanged", self.clock.laps)

    def refused(self) -> Ended:
        tried = {
            one.name: _tried(one, source) for path, source in self.sources.items() for one in self.program.at(path)
        }
        return Ended("refused", self.clock.laps, tuple(self.problems), tried)

    def commit(self, notes: Iterable[str] = ()) -> Ended:
        run, works = self.run, list(self.run.works.values())
        reached("commit.begin")
        self.tx.commit()
        reached("commit.done")
        ran = [
            *(Ran(one.name, one.path, one.source, None) for one in self.files.went()),
            *(
                Ran(w.name, w.loaded.path, w.loaded.source, w.source, w.loaded.version or None, w.version)
                for w in works
                if w.edited
            ),
        ]
        old = tuple(before for before, _ in run.search.replaced)
        modules = {}
        for work in works:
            if work.taken:
                modules[work.name] = work.report()
                run.settle(work)
        modules.update(self.files.reports())
        self.program.dangling.update(run.dangling)
        prune(self.program)
        self.clock.lap("commit")
        written = self.writing.notes if self.writing is not None else ()
        told = [*run.notes, *(str(kept) for kept in run.kept.values()), *self.files.notes, *written, *notes]
        return Ended(
            "committed",
            self.clock.laps,
            modules=modules,
            old_frames=old_frames(old),
            notes=tuple(dict.fromkeys(told)),
            ran=tuple(ran),
            replaced=old,
            writing=self.writing,
        )

    def roll_back(self, failure: BaseException, terms: Terms | None = None) -> Ended:
        """All is as it was."""
        reached("rollback.begin")
        self.tx.roll_back()
        if any(map(_has_half_run, _frames(failure))):
            leave_classes()  # the program's classes list those that the module has made
        reached("rollback.done")
        self.clock.lap("roll back")
        if terms is not None and not isinstance(failure, Invalid):
            terms.heard(failure.__cause__ or failure)
        tried = {work.name: _tried(work.loaded, work.source) for work in self.works}
        if isinstance(failure, RudeEdit):
            return Ended("refused", self.clock.laps, (failure.problem,), tried)
        problems = [*_problems(failure, self.works, self.sources), *map(_not_undone, self.tx.failures)]
        interrupt = failure if isinstance(failure, KeyboardInterrupt) else None
        return Ended("rolled back", self.clock.laps, tuple(problems), tried, interrupt=interrupt)


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise Invalid(problems)


def _edited(loaded: Loaded, path: str, source: bytes) -> Work | list[Problem]:
    try:
        old = parsed(loaded)
    except (SyntaxError, ValueError, UnicodeDecodeError) as error:
        old = _unreadable(loaded, error)
    moved = path != loaded.path and os.path.realpath(loaded.path) != path
    # It may have been imported through a symlink: its code says so, and goes on to.
    result = edited(loaded.name, path if moved else loaded.path, old.text, source, loaded.namespace, Process())
    if isinstance(result, Edited):
        known = {**result.compiled, **result.methods}
        pairs = [as_compiled(pair, old, known) if pair.kind == "bodies" else pair for pair in result.pairs]
        if moved:
            pairs = [pair.elsewhere() for pair in pairs]
        methods = {} if moved else result.methods  # the other methods of the class are of the new file too
        return Work(loaded, old, result.text, pairs, result.source, result.compiled, methods, moved=moved)
    return result


def _unreadable(loaded: Loaded, error: Exception) -> Parsed:
    """A module whose own text cannot be read any more: everything in the new version counts as new."""
    log.warning("%s: its running source cannot be read (%s); the next version is taken as a whole", loaded.name, error)
    return Parsed(SourceText("", (), ()), {})


def _tried(loaded: Loaded, source: bytes | None) -> ModuleReport:
    """Which version of a module runs on, and which was not taken."""
    after = version_of(source) if source is not None else ""
    return ModuleReport(before=loaded.version, after=after, path=loaded.path)


def _problems(failure: BaseException, works: Sequence[Work], files: Iterable[str]) -> list[Problem]:
    if isinstance(failure, Invalid):
        return failure.problems
    if isinstance(failure, (HookFailed, WriteFailed)):
        return [failure.problem]
    if isinstance(failure, _TrialFailed) and failure.__cause__ is not None:
        return [_raised(failure.__cause__, works, files, "MF041", "the first frame after it raised ")]
    return [_raised(failure, works, files)]


def _not_undone(error: BaseException) -> Problem:
    return Problem("", 0, "MF099", f"could not be undone: {error!r}", "Restart the process: it is not as it was.")


def _raised(
    failure: BaseException, works: Sequence[Work], files: Iterable[str], code: str = "MF040", when: str = ""
) -> Problem:
    """Where in the new code it went wrong: the innermost line of the traceback in one of the batch's `files`, which
    may have been imported by another of them."""
    paths = {work.loaded.path for work in works} | set(files)
    path, line = (works[0].loaded.path, 0) if works else ("", 0)
    for at, number in _places(failure):
        if at in paths:
            path, line = at, number
    text = str(failure)
    message = when + (f"{type(failure).__name__}: {text}" if text else type(failure).__name__)
    return Problem(path, line, code, message, "Mend it and save again; the old code is running.")


def _places(failure: BaseException) -> Iterator[tuple[str, int]]:
    for trace in _frames(failure):
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno


def _frames(failure: BaseException) -> Iterator[types.TracebackType]:
    trace = failure.__traceback__
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _has_half_run(trace: types.TracebackType) -> bool:
    """Whether it stands at the top level of a module that its failure has taken out of `sys.modules`."""
    space = trace.tb_frame.f_globals
    held = sys.modules.get(space.get("__name__", ""))
    return trace.tb_frame.f_code.co_name == "<module>" and getattr(held, "__dict__", None) is not space
