"""The program started anew, in the same process, to take what cannot be taken live, with what its `keep` hooks save."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from midflight.graph.hook import read_bytes
from midflight.graph.loaded import version_of
from midflight.hooks import RECORDS, Packed, hand_over, of_module
from midflight.values import Event, Problem, Report

if TYPE_CHECKING:
    from midflight.control import Session
    from midflight.devtools.access import HandedOver

log = logging.getLogger("midflight")

HANDED = "_MIDFLIGHT_HANDED"  # the environment's word for what the new process is given

Values = dict[str, dict[str, bytes]]  # module → name → pickled value


@dataclass(frozen=True, slots=True)
class Start:
    """What the process was given when it started, as far as `exec` would hand on what the program made of it."""

    folder: str
    environment: dict[str, str]
    ignored: list[int]
    blocked: frozenset[Any]
    waits: dict[int, bool]

    @classmethod
    def now(cls) -> Start:
        waits = {}
        for descriptor in range(3):
            with contextlib.suppress(OSError):  # closed
                waits[descriptor] = os.get_blocking(descriptor)
        blocked = frozenset(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        return cls(os.getcwd(), dict(os.environ), _ignored(), blocked, waits)

    def again(self, kept: Values, devtools: HandedOver | None) -> None:
        """Replaces the program; never returns."""
        os.chdir(self.folder)
        for descriptor, blocking in self.waits.items():
            with contextlib.suppress(OSError):
                os.set_blocking(descriptor, blocking)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.blocked)
        with tempfile.TemporaryFile() as file:
            pickle.dump((kept, devtools), file)
            file.seek(0)
            for descriptor in (file.fileno(), *((devtools.listener,) if devtools is not None else ())):
                os.set_inheritable(descriptor, True)
            given = {HANDED: json.dumps({"kept": file.fileno(), "ignored": self.ignored})}
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**self.environment, **given})


def _ignored() -> list[int]:
    return [int(number) for number in signal.valid_signals() if signal.getsignal(number) is signal.SIG_IGN]


def restarter(session: Session, stream: TextIO) -> Callable[[Report | Event], None]:
    """A subscriber that starts the program anew when a report was refused for nothing but rude edits."""
    start = Start.now()

    def restart(news: Report | Event) -> None:
        if not isinstance(news, Report) or news.outcome != "refused" or not all(map(_is_rude, news.problems)):
            return
        if not _is_on_disk(news):
            return  # a rollback, or a text given by value: the new process would run what this one runs
        kept = _kept()
        if kept is None:
            return
        print("midflight: restarting to take this", file=stream)
        session.make_durable()
        for output in (sys.stdout, sys.stderr, stream):
            with contextlib.suppress(OSError, ValueError):  # closed
                output.flush()
        start.again(kept, session.hand_over_devtools())

    return restart


def _is_rude(problem: Problem) -> bool:
    return problem.code.startswith("MF01")  # the codes of plan/rude.py; others would stop the new process too


def _is_on_disk(report: Report) -> bool:
    """Whether a file holds what was refused."""
    edited = ((read_bytes(one.path), one.after) for one in report.modules.values() if one.after != one.before)
    return any(source is not None and version_of(source) == version for source, version in edited)


def _kept() -> Values | None:
    """What the program's `keep` hooks give, pickled. None, and said, where one failed: what it keeps would be lost, so
    the program runs on as it is."""
    kept: Values = {}
    for module in dict.fromkeys(module for module, kind, *_ in list(RECORDS) if kind == "keep"):
        for function, _, _ in of_module(module, "keep"):
            try:
                values = dict(function())
            except (Exception, SystemExit) as error:
                log.warning("%s", _not_restarted(module, function, error))
                return None
            kept.setdefault(module, {}).update(_packed(module, values))
    return kept


def _packed(module: str, values: dict[str, object]) -> dict[str, bytes]:
    packed = {}
    for name, value in values.items():
        try:
            packed[name] = pickle.dumps(value)
        except Exception as error:  # a value's own code decides what it raises
            told = "%s's `%s` is not handed over to the new process, the rest is: %s: %s"
            log.warning(told, module, name, type(error).__name__, error)
    return packed


def _not_restarted(module: str, function: Any, error: BaseException) -> str:
    return (
        f"not restarted; the old code is running: the keep hook {module}.{function.__qualname__} failed: "
        f"{type(error).__name__}: {error}\n  {function.__code__.co_filename}:{function.__code__.co_firstlineno}\n"
        "  Undo the edit and mend the hook first, or restart the program by hand, without what it keeps."
    )


@dataclass(frozen=True, slots=True)
class Old:
    """What the old process left beside what its hooks kept: where it served the DevTools, if it did."""

    devtools: HandedOver | None = None


def take_over() -> Old | None:
    """In the new process: what the old one kept is what `keep.get` gives. None where there was no old one."""
    text = os.environ.pop(HANDED, None)
    if text is None:
        return None
    given = json.loads(text)
    for number in set(_ignored()).difference(given["ignored"]):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    with open(given["kept"], "rb") as file:
        kept: Values
        kept, devtools = pickle.load(file)
    for module, values in kept.items():
        hand_over(module, {name: Packed(f"{module}'s `{name}`", value) for name, value in values.items()})
    return Old(devtools)


@dataclass(frozen=True, slots=True)
class UntilUp:
    """An excepthook that also says what stands when the new program does not come up: no old one is left to go on."""

    inner: Callable[..., Any]

    def __call__(self, *error: Any) -> None:
        self.inner(*error)
        log.warning(
            "this is the program restarted to take an edit, and it ended before it was up: nothing is running\n"
            "  Mend what the traceback shows and start it again; what the old one kept is lost."
        )

    @staticmethod
    def over(hook: Callable[..., Any]) -> Callable[..., Any]:
        return hook.inner if isinstance(hook, UntilUp) else hook
