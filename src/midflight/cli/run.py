"""midflight run: `python`, in a session."""

from __future__ import annotations
import __future__

import argparse
import ast
import atexit
import importlib.machinery
import importlib.util
import io
import logging
import os
import pkgutil
import runpy
import sys
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from midflight.cli import DONE, USAGE, tell
from midflight.cli.output import guarded, paint
from midflight.cli.restart import UntilUp, restarter, take_over
from midflight.values import Event, Report

if TYPE_CHECKING:
    from midflight.control import Session

FUTURE_FLAGS = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


def run(options: argparse.Namespace) -> int:
    """0 when the program ends; its SystemExit and its exceptions leave as they are, for Python to end by."""
    refused = _usage(options)
    if refused:
        print(f"midflight: {refused}", file=sys.stderr)
        return USAGE
    opened: list[Session] = []
    code = guarded(lambda given: _open(given, opened), options)
    if code:
        return code
    session = opened[0] if opened else None
    launcher = vars(sys.modules["__main__"])
    try:
        # No `except` may be active while the program runs: its exceptions would carry ours as their context.
        _execute(_prepare(options, launcher), session)
    except BaseException:
        sys.excepthook = _without_our_frames(sys.excepthook, launcher)
        raise
    return DONE


def _usage(options: argparse.Namespace) -> str:
    if options.module is None and not options.program:
        return "run needs a SCRIPT, or -m MODULE\n  See `midflight run --help`."
    if options.module is None and options.program[0] == "-":
        return "a program from standard input has no file to edit\n  Write it to a file and run that."
    if options.module is None and not os.path.exists(options.program[0]):
        return f"there is no file {os.path.abspath(options.program[0])}\n  Nothing was started; check the name."
    return ""


# The session


def _open(options: argparse.Namespace, opened: list[Session]) -> int:
    from midflight.config import load

    start = "." if options.module is not None else options.program[0]
    flags = {"paths": options.watch, "mode": options.mode, "on_rude": options.on_rude, "devtools": options.devtools}
    config = load(start, flags=flags)
    stream = sys.stderr  # the program may put something else there later
    _log_to(stream, config.log_level, options.quiet)
    if not config.enabled:
        _say(stream, f"off ({config.origins['enabled']}); the program runs without a session", options)
        return DONE
    from midflight.control import Session
    from midflight.session import set_current

    session = Session(config=config)
    if not options.quiet:
        session.subscribe(_teller(stream, config.color))
    if config.on_rude == "restart":
        old = take_over()
        if old is not None:
            sys.excepthook = UntilUp(sys.excepthook)
            session.take_over_devtools(old.devtools)
        session.subscribe(restarter(session, stream))
    # Registered before the program's own, so it runs after them, when the program's threads have ended.
    atexit.register(session.stop)
    if options.from_stable:
        for version in session.start_from_stable():
            told = paint(f"runs {version}, the last stable version; its file stays as it is", "warn", stream)
            print(f"midflight: {told}", file=stream)
    session.start()
    set_current(session)
    _say(stream, f"session of process {os.getpid()}, mode {session.mode}, watching {', '.join(config.paths)}", options)
    opened.append(session)
    return DONE


def _say(stream: TextIO, text: str, options: argparse.Namespace) -> None:
    if options.verbose or (not options.quiet and stream.isatty()):
        print(f"midflight: {paint(text, 'dim', stream)}", file=stream)


def _log_to(stream: TextIO, level: str, quiet: bool) -> None:
    log = logging.getLogger("midflight")
    handler = logging.NullHandler() if quiet else logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("midflight: %(message)s"))
    log.addHandler(handler)
    log.setLevel(level.upper())
    log.propagate = False  # else a program that configures logging would show each line twice


def _teller(stream: TextIO, color: str) -> Callable[[Report | Event], None]:
    def tell_of(news: Report | Event) -> None:
        if isinstance(news, Report):
            style = "bad" if not news.ok else "dim" if news.outcome == "unchanged" else "good"
            text = f"midflight: {paint(tell.line(news), style, stream, color)}\n"
            try:
                stream.write(text)  # one write: the program's own lines do not mix with it
                stream.flush()
            except (OSError, ValueError):
                return  # the program closed its stderr, which is its right

    return tell_of


# The program


@dataclass(frozen=True, slots=True)
class Program:
    """A `__main__` about to run: its module, in place in sys.modules, and its code or source."""

    module: types.ModuleType
    path: str
    code: types.CodeType | None
    source: str | bytes | None


def _prepare(options: argparse.Namespace, launcher: dict[str, Any]) -> Program:
    """Sets up sys.argv, sys.path and `__main__` as python does. Raises what python would end with."""
    launcher_kept_alive.append(sys.modules["__main__"])
    if options.module is not None:
        sys.argv[:] = ["-m", *options.program]
        _first_on_path(os.getcwd())
        return _from_spec(lambda: runpy._get_module_details(options.module), True)  # type: ignore[attr-defined]
    script = options.program[0]
    sys.argv[:] = options.program
    if pkgutil.get_importer(script) is not None:  # a folder or a zip file with a __main__.py
        _first_on_path(os.getcwd() if script == "." else os.path.join(os.getcwd(), script))
        return _from_spec(runpy._get_main_module_details, False)  # type: ignore[attr-defined]
    _first_on_path(os.path.dirname(os.path.realpath(script)))
    return _from_script(os.path.join(os.getcwd(), script))


launcher_kept_alive: list[types.ModuleType] = []
"""The module that started us: Python empties a `__main__` that nobody holds, and with it the code that is running."""


def _first_on_path(folder: str) -> None:
    """Puts `folder` where python puts the script's: in place of our own launcher's."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _new_main(**attributes: Any) -> types.ModuleType:
    module = types.ModuleType("__main__")
    # `__annotations__` and the builtins module itself (elsewhere it is its dict) are what a real `__main__` has.
    vars(module).update({"__annotations__": {}, "__builtins__": sys.modules["builtins"], **attributes})
    sys.modules["__main__"] = module
    return module


def _from_script(path: str) -> Program:
    if path.endswith(".pyc"):
        bare = importlib.machinery.SourcelessFileLoader("__main__", path)
        code = bare.get_code("__main__")
        return Program(_new_main(__loader__=bare, __file__=path, __cached__=None), path, code, None)
    with io.open_code(path) as file:
        source = file.read()
    loader = importlib.machinery.SourceFileLoader("__main__", path)
    return Program(_new_main(__loader__=loader, __file__=path, __cached__=None), path, None, source)


def _from_spec(
    details: Callable[[], tuple[str, importlib.machinery.ModuleSpec, types.CodeType]], argv: bool
) -> Program:
    try:
        name, spec, code = details()
    except ImportError as error:
        # The ImportErrors of runpy itself say what python -m prints; others are the program's own.
        if error.__traceback__ is not None and _raised_by_runpy(error.__traceback__):
            sys.exit(f"{sys.executable}: {error}")
        raise
    if argv:
        sys.argv[0] = spec.origin or name
    main = _new_main(
        __file__=spec.origin,
        __cached__=spec.cached,
        __loader__=spec.loader,
        __package__=spec.parent,
        __spec__=spec,
    )
    source = getattr(spec.loader, "get_source", lambda name: None)(spec.name)
    return Program(main, spec.origin or "", code, source)


def _raised_by_runpy(trace: types.TracebackType) -> bool:
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_globals.get("__name__") == "runpy"


def _execute(program: Program, session: Session | None) -> None:
    namespace = vars(program.module)
    if program.source is None or session is None:
        code = program.code or compile(program.source or "", program.path, "exec", dont_inherit=True)
        exec(code, namespace)
        return
    from midflight.session import main_ready, note_main

    source = session.program.notebook.stands_in.get(os.path.realpath(program.path), program.source)
    text = source if isinstance(source, str) else importlib.util.decode_source(source)
    first, rest = _two_pieces(source, program.path)
    note_main(session, program.path, text)
    exec(first, namespace)
    main_ready(session)
    sys.excepthook = UntilUp.over(sys.excepthook)
    exec(rest, namespace)


def _two_pieces(source: str | bytes, path: str) -> tuple[types.CodeType, types.CodeType]:
    """What makes the module's values, and what then may never end."""
    # Not ast.parse, which would be a frame in the traceback of a syntax error.
    tree: ast.Module = compile(source, path, "exec", int(ast.PyCF_ONLY_AST), dont_inherit=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the pieces warn for themselves
        whole = compile(tree, path, "exec", dont_inherit=True)
    place = _where_it_starts(tree.body)
    flags = whole.co_flags & FUTURE_FLAGS
    pieces = [ast.Module(part, type_ignores=[]) for part in (tree.body[:place], tree.body[place:])]
    first, rest = (compile(piece, path, "exec", flags=flags, dont_inherit=True) for piece in pieces)
    return first, rest


def _where_it_starts(body: list[ast.stmt]) -> int:
    """The index of the first `if __name__ == "__main__"`, else of a last statement that may run the program."""
    for index, statement in enumerate(body):
        if isinstance(statement, ast.If) and _is_main_guard(statement.test):
            return index
    runs = (ast.Expr, ast.While, ast.For, ast.With, ast.Try, ast.If, ast.Match)
    # Not the first: it may be the docstring, which is one only at the head of a module.
    return len(body) - 1 if len(body) > 1 and isinstance(body[-1], runs) else len(body)


def _is_main_guard(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = {ast.dump(test.left), ast.dump(test.comparators[0])}
    return sides == {ast.dump(ast.Name("__name__", ast.Load())), ast.dump(ast.Constant("__main__"))}


Hook = Callable[[type[BaseException], BaseException, types.TracebackType | None], Any]


def _without_our_frames(hook: Hook, launcher: dict[str, Any]) -> Hook:
    def show(kind: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
        while trace is not None and _is_ours(trace.tb_frame, launcher):
            trace = trace.tb_next
        trace = _without_import_frames(trace)
        error.__traceback__ = sys.last_traceback = trace
        hook(kind, error, trace)

    return show


def _without_import_frames(trace: types.TracebackType | None) -> types.TracebackType | None:
    """Python hides its import machinery where a module does not compile, but not with our note-taker in its midst."""
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    names = [str(one.tb_frame.f_globals.get("__name__")) for one in frames]
    if "midflight.graph.hook" not in names:
        return frames[0] if frames else None
    kept = None
    for one, name in zip(reversed(frames), reversed(names), strict=True):
        if not name.startswith(("importlib._bootstrap", "_frozen_importlib", "midflight.graph.")):
            kept = types.TracebackType(kept, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return kept


def _is_ours(frame: types.FrameType, launcher: dict[str, Any]) -> bool:
    name = str(frame.f_globals.get("__name__"))
    return frame.f_globals is launcher or name == "runpy" or name.startswith("midflight.cli")
