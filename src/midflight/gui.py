"""State kept over a reload of a frame loop's code: free of any toolkit, on the session's transaction.

HotReloader.register(HotModule("src.gui_2", "src/gui_2.py", ["draft", "history"], ["render_main"]))
while running:                              # imgui, pygame, a Tk or Qt timer
    with HotReloader.guard_frame(app):      # reloads happen here, before the frame, and nowhere else
        app.render_main()                   # raises in the first frame after a reload: the reload is taken back
"""

from __future__ import annotations

import keyword
import logging
import os
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from midflight.asks import Terms
from midflight.config import lies_in, load
from midflight.errors import MidflightError, SessionError
from midflight.session import Session, current
from midflight.values import Problem, Report

if TYPE_CHECKING:
    from types import TracebackType

    from midflight.apply.contents import Contents
    from midflight.apply.trial import Trial
    from midflight.values import Event

log = logging.getLogger("midflight")

ABSENT: Final[Any] = object()
Paths = list[str] | None  # which files a reload was asked for, None for all that changed


@dataclass(frozen=True, slots=True)
class HotModule:
    """A module with a frame loop's code: `name` as in sys.modules, its file, the attributes of the app that are state,
    and the functions the app's wrappers call: names in the module (`render_main`, `Menu.draw`), else of the app."""

    name: str
    file_path: str | os.PathLike[str]
    state_keys: Sequence[str] = ()
    delegation_targets: Sequence[str] = ()


class HotReloader:
    """Used as a class. `is_error_state` is True while a file that was not taken differs from what runs, and
    `last_error` says why, with the traceback where there is one; `last_report` is the last reload's."""

    HOT_MODULES: ClassVar[dict[str, HotModule]] = {}
    is_error_state: ClassVar[bool] = False
    last_error: ClassVar[str | None] = None
    last_report: ClassVar[Report | None] = None

    @classmethod
    def register(cls, hot_module: HotModule) -> None:
        """Make a module hot; one of the same name is replaced. The process's session follows its file; where there is
        no session, one in mode manual is started. Raises MidflightError for a module that cannot be hot."""
        problem = _unfit(hot_module)
        if problem:
            raise MidflightError(f"{hot_module.name!r} was not registered as a hot module", *problem)
        _loop.follow({**cls.HOT_MODULES, hot_module.name: hot_module})
        cls.HOT_MODULES[hot_module.name] = hot_module

    @classmethod
    def capture_state(cls, app: object, name: str) -> Contents:
        """Deep copies of the `state_keys` that `app` has, by name. What cannot be copied is in it by reference, and
        in its `by_reference` with the reason. Raises MidflightError for a name that is not registered."""
        from midflight.apply.contents import copied

        return copied(app, _registered(name).state_keys)

    @classmethod
    def restore_state(cls, app: object, name: str, state: dict[str, Any]) -> None:
        """Put back what `capture_state` copied, in the same objects where possible. Any other dict is set attribute
        by attribute. Raises MidflightError for a name that is not registered."""
        from midflight.apply.contents import Contents, put_back

        _registered(name)
        if isinstance(state, Contents):
            put_back(app, state)
        else:
            for key, value in state.items():
                setattr(app, key, value)

    @classmethod
    def reload(cls, name: str, app: object) -> bool:
        """Take the file of one hot module. True when it runs now; in a program that guards its frames, True when it
        was asked for: it happens at the top of the next frame."""
        module = cls.HOT_MODULES.get(name)
        if module is None:
            known = ", ".join(cls.HOT_MODULES) or "none is"
            return cls._refuse(f"{name} was not reloaded: it is not registered\n  Registered: {known}.")
        if sys.modules.get(name) is None:
            return cls._refuse(f"{name} was not reloaded: it is not imported\n  Import it; its file is read then.")
        return _loop.ask(app, [os.path.abspath(module.file_path)])

    @classmethod
    def reload_all(cls, app: object) -> bool:
        """Take everything that changed on disk, hot modules and what they import, in one transaction. True as for
        `reload`."""
        if not cls.HOT_MODULES:
            return cls._refuse("nothing was reloaded: no hot module is registered\n  HotReloader.register() one first.")
        return _loop.ask(app, None)

    @classmethod
    def guard_frame(cls, app: object) -> Frame:
        """A context manager around one frame. At its top what was asked for, and in mode pump what was saved, is
        taken. An exception in the first frame after a reload is that reload's failure: all is taken back, and the
        frame ends without raising. In later frames it is the program's own."""
        return Frame(app)

    @classmethod
    def _refuse(cls, why: str) -> bool:
        cls.is_error_state, cls.last_error = True, why
        log.warning("%s", why)
        return False


class Frame:
    """One frame of a loop: what `guard_frame` gives."""

    __slots__ = ("_app",)

    def __init__(self, app: object) -> None:
        self._app = app

    def __enter__(self) -> Frame:
        loop = _loop
        loop.depth += 1
        if loop.depth == 1 and (loop.asked or not loop.guarded or (loop.session is not None and loop.session.waits)):
            loop.top(self._app)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        loop = _loop
        loop.depth -= 1
        return loop.depth == 0 and loop.trial is not None and loop.decide(error)


class _Loop:
    """What stands between two frames of the program: its session, what was asked for, the reload that is on trial."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.own: Session | None = None  # one that was started here, because there was none
        self.depth = 0
        self.guarded = False  # whether the program has frames: then only their tops reload
        self.asked: deque[tuple[object, Paths]] = deque()  # any thread may ask
        self.trial: Trial | None = None
        self._traceback = ""  # of what the reload failed by that is about to be reported
        self._unsubscribe: Callable[[], None] = lambda: None

    # -- the session ----------------------------------------------------------------------------------

    def follow(self, modules: dict[str, HotModule]) -> None:
        """The process's session, or an own one, and that it covers the files of `modules`. Raises SessionError."""
        folders = sorted({os.path.dirname(os.path.realpath(one.file_path)) for one in modules.values()})
        session = current()
        if session is None or not session.running:
            session = self._own_session(folders)
        elif session.running:
            _refuse_outside(session, modules)
        self._listen(session)

    def _own_session(self, folders: list[str]) -> Session:
        config = load(mode="manual")
        if not config.paths or not all(_inside(folder, config.paths) for folder in folders):
            config = load(mode="manual", paths=tuple(_outermost(folders)))
        if self.own is not None and self.own.running and self.own.paths == _real(config.paths):
            return self.own
        if self.own is not None:
            self.own.stop()
        self.own = Session(config=config)
        self.own.start()
        return self.own

    def _listen(self, session: Session) -> None:
        if session is not self.session:
            self._unsubscribe()
            self.session, self.trial = session, None
            self._unsubscribe = session.subscribe(self._heard)
            if self.guarded:
                session.only_at_safe_points()

    def _session(self) -> Session:
        """The session as it is now: the program may have started another one since."""
        if self.session is None or not self.session.running or (self.own is not None and current() is not None):
            self.follow(HotReloader.HOT_MODULES)
        assert self.session is not None
        return self.session

    def _heard(self, news: Report | Event) -> None:
        if isinstance(news, Report):
            self._note(news)

    def _note(self, report: Report) -> None:
        """Every report counts, whoever asked for the reload."""
        pending = self.session is not None and bool(self.session.pending())
        HotReloader.last_report = report
        HotReloader.is_error_state = pending or not report.ok
        if not report.ok:
            HotReloader.last_error = _told(report, self._traceback)
            self._traceback = ""
        elif not pending:
            HotReloader.last_error = None

    # -- reloads --------------------------------------------------------------------------------------

    def ask(self, app: object, paths: Paths) -> bool:
        if self.guarded:
            self.asked.append((app, paths))
            return True
        trial = self._open(lambda session, terms: session.on_trial(paths, terms=terms, cause="gui"), [app])
        while trial is not None and trial.open:
            trial.passed()  # no frame tries it
        return self._ended(trial)

    def top(self, app: object) -> None:
        """At the top of a frame: take what was asked for, else what the watcher brought."""
        if not self.guarded:
            self.guarded = True
            if self.session is not None:
                self.session.only_at_safe_points()
        if self.trial is not None:
            return  # taken again without the files that were pending: this is its first frame
        asked = []
        while self.asked:
            asked.append(self.asked.popleft())
        apps = [app, *(one for one, _ in asked if one is not app)]
        if asked:
            paths = _joined([paths for _, paths in asked])
            self.trial = self._open(lambda session, terms: session.on_trial(paths, terms=terms, cause="gui"), apps)
        elif self.session is not None and self.session.waits:
            self.trial = self._open(lambda session, terms: session.pump_on_trial(terms), apps)
        self._close()

    def _open(self, take: Callable[[Session, Terms], Trial | None], apps: list[object]) -> Trial | None:
        """Raises nothing but what ends the program: a reload that cannot be asked for is told like one that failed."""
        self._traceback = ""
        try:
            session = self._session()
            return take(session, _terms(apps, self._hear))
        except SessionError as error:
            HotReloader._refuse(str(error))
            return None

    def _hear(self, failure: BaseException) -> None:
        self._traceback = "".join(traceback.format_exception(failure)).rstrip()

    def decide(self, error: BaseException | None) -> bool:
        """The first frame is over: whether its exception was the reload's failure, and is done with."""
        assert self.trial is not None
        failed = error is not None and not isinstance(error, (SystemExit, GeneratorExit))
        try:
            if failed and error is not None:
                self.trial.failed(error)
                error.__traceback__ = None  # it holds the frames it came through, and they hold it
            else:
                self.trial.passed()
        finally:
            self._close()
        return failed

    def _close(self) -> None:
        if self.trial is not None and not self.trial.open:
            trial, self.trial = self.trial, None
            self._ended(trial)

    def _ended(self, trial: Trial | None) -> bool:
        if trial is None or trial.report is None:
            return False
        if trial.report.outcome == "unchanged":
            self._note(trial.report)  # not every such report is told to those who listen
        if not trial.report.ok:
            log.warning("%s", HotReloader.last_error)
        return trial.report.ok


_loop = _Loop()


def _terms(apps: list[object], heard: Callable[[BaseException], None]) -> Terms:
    """What the state of `apps` adds to a reload: copied before, put back if it fails."""
    from midflight.apply.contents import copied, put_back

    keys = list(dict.fromkeys(key for module in HotReloader.HOT_MODULES.values() for key in module.state_keys))
    states = [(app, copied(app, keys)) for app in apps]

    def undo() -> None:
        for app, state in states:
            put_back(app, state)

    notes = [note for app, state in states for note in _notes(app, state)]
    return Terms(_missing_targets(apps[0]), undo, heard, notes)


def _notes(app: object, state: Contents) -> Iterator[str]:
    kind = type(app).__name__
    for key, why in state.by_reference.items():
        yield f"`{kind}.{key}` cannot be copied ({why}): kept by reference, so a failed reload keeps what is in it"
    for key in state.absent:
        yield f"`{kind}.{key}` is a state key that the app does not have: nothing was copied"


def _missing_targets(app: object) -> Callable[[], list[Problem]]:
    """The question for after the new code ran. A target that the module has now it must have then."""
    owners = {
        (name, target): (module,) if _found(module, target) is not ABSENT else (module, app)
        for name, hot in HotReloader.HOT_MODULES.items()
        if (module := sys.modules.get(name)) is not None
        for target in hot.delegation_targets
    }

    def check() -> list[Problem]:
        return [
            Problem(
                os.path.realpath(HotReloader.HOT_MODULES[name].file_path),
                0,
                "MF021",
                f"the delegation target {name}.{target} {what}",
                "Bring the function back, or register the module without it.",
            )
            for (name, target), places in owners.items()
            if (what := _wrong(places, target))
        ]

    return check


def _wrong(owners: Sequence[object], target: str) -> str:
    found = next((one for owner in owners if (one := _found(owner, target)) is not ABSENT), ABSENT)
    return "is gone" if found is ABSENT else "" if callable(found) else "is no longer callable"


def _found(owner: Any, target: str) -> Any:
    for part in target.split("."):
        owner = getattr(owner, part, ABSENT)
    return owner


def _told(report: Report, trace: str) -> str:
    lines = [str(problem) for problem in report.problems]
    errors = [_syntax_error(problem) for problem in report.problems if problem.code == "MF001"]
    lines += ["".join(traceback.format_exception(error)).rstrip() for error in errors if error is not None]
    return "\n".join([f"{report.id} {report.outcome}; the old code is running", *lines, trace]).rstrip()


def _syntax_error(problem: Problem) -> BaseException | None:
    """The exception that Python itself has for a file that does not compile: it shows the line."""
    try:
        with open(problem.path, "rb") as file:
            compile(file.read(), problem.path, "exec", dont_inherit=True)
    except (OSError, ValueError, SyntaxError) as error:
        return error
    return None  # it was mended since


def _joined(asked: list[Paths]) -> Paths:
    """All files where one asks for all, else those that were named."""
    named = [paths for paths in asked if paths is not None]
    return sorted({path for paths in named for path in paths}) if len(named) == len(asked) else None


def _registered(name: str) -> HotModule:
    module = HotReloader.HOT_MODULES.get(name)
    if module is None:
        known = ", ".join(HotReloader.HOT_MODULES) or "none is"
        raise MidflightError(f"no state was touched: {name!r} is not registered", f"Registered: {known}.")
    return module


def _unfit(module: HotModule) -> tuple[str, str] | None:
    """Why a module cannot be hot, and what to do."""
    for field, names in (("state_keys", module.state_keys), ("delegation_targets", module.delegation_targets)):
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            return f"{field} is {names!r}, not a list of names.", "Give a list of strings."
        for name in names:
            parts = name.split(".") if field == "delegation_targets" else [name]
            if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
                return f"{name!r} in {field} is not a name.", "State keys are attributes of the app itself."
    if not os.path.isfile(module.file_path):
        return f"{os.fspath(module.file_path)} is no file (seen from {os.getcwd()}).", "Give the module's file."
    loaded = getattr(sys.modules.get(module.name), "__file__", None)
    if isinstance(loaded, str) and os.path.realpath(loaded) != os.path.realpath(module.file_path):
        return (
            f"The loaded module of that name runs from {loaded}, not {module.file_path}.",
            "Give the file it runs from.",
        )
    return None


def _refuse_outside(session: Session, modules: dict[str, HotModule]) -> None:
    for name, module in modules.items():
        path = os.path.realpath(module.file_path)
        if not _inside(path, session.paths):
            raise SessionError(
                f"{name} cannot be hot: {path} lies outside this session's paths",
                f"It follows {', '.join(session.paths)}.",
                "Start the session with a path that holds it.",
            )


def _real(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(os.path.realpath(path) for path in paths)


def _inside(path: str, folders: Sequence[str]) -> bool:
    return any(lies_in(path, folder) for folder in _real(folders))


def _outermost(folders: list[str]) -> list[str]:
    """`folders` without those inside another one: two roots must not overlap."""
    return [one for one in folders if not _inside(one, [other for other in folders if other != one])]
