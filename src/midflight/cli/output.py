"""What commands print: colours, tables, JSON, and errors with their exit codes."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from midflight.cli import DONE, FAILED, NO_SESSION
from midflight.errors import ControlError, MidflightError
from midflight.values import as_json

STYLES = {"good": "32", "bad": "31", "dim": "2", "strong": "1", "warn": "33"}


def guarded(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """The command's exit code, its expected failures printed."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names and messages may hold what it cannot say
    try:
        code = command(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `midflight history | head`
        # Python would complain when it flushes what nobody reads.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except MidflightError as error:
        from midflight.cli.client import NoSessionError

        return _fail(options, error, NO_SESSION if isinstance(error, NoSessionError) else FAILED)
    except ConnectionError as error:
        return _fail(options, ControlError("the session went away", str(error), "See `midflight ps`."), FAILED)
    except TimeoutError:
        why = "its program may be stopped, or busy in C code that holds the interpreter"
        return _fail(options, ControlError("the session does not answer", why, "See `midflight status`."), FAILED)
    except KeyboardInterrupt:
        return 130


def _fail(options: argparse.Namespace, error: MidflightError, code: int) -> int:
    if getattr(options, "json", False):
        print_json({"ok": False, "error": {"what": error.what, "why": error.why, "hint": error.hint}})
    else:
        print(f"midflight: {paint(str(error), 'bad', sys.stderr)}", file=sys.stderr)
    return code


def print_json(value: Any) -> None:
    print(as_json(value, default=str))


def paint(text: str, style: str, stream: TextIO | None = None, setting: str | None = None) -> str:
    """`text` in the style's colour, where `stream` (standard output when None) takes colour."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if takes_color(stream or sys.stdout, setting) else text


def takes_color(stream: TextIO, setting: str | None = None) -> bool:
    setting = _color_setting() if setting is None else setting
    if setting != "auto":
        return setting == "always"
    # https://no-color.org: any text but the empty one says no.
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and _is_terminal(stream)


def _color_setting() -> str:
    from midflight.config import load
    from midflight.errors import ConfigError

    try:
        return load(".").color
    except ConfigError:
        return "auto"  # the command whose business it is says so


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows in columns; rich draws them on a terminal, where it is installed."""
    if _is_terminal(sys.stdout) and _table_by_rich(headers, rows):
        return
    widths = [max(len(row[column]) for row in [headers, *rows]) for column in range(len(headers))]
    for row in [headers, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _table_by_rich(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    drawn = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    Console(no_color=not takes_color(sys.stdout), highlight=False).print(drawn)
    return True


def pairs(document: dict[str, Any], indent: str = "") -> None:
    """Prints a document of names and values, a line each, nested ones indented."""
    width = max((len(str(name)) for name in document), default=0)
    for name, value in document.items():
        if isinstance(value, dict) and value:
            print(f"{indent}{name}")
            pairs(value, indent + "  ")
        else:
            print(f"{indent}{str(name).ljust(width)}  {plain(value)}")


def plain(value: Any) -> str:
    if value is None or value in ("", [], {}, ()):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value)
    return str(value)
