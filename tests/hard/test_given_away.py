"""Functions that were given to something outside of the program: C code, a debugger, a library's own tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import parse
from hard.harness import run_row

ROWS = parse(
    "given away",
    r"""
## n034-breakpoint: a breakpoint that is set after an edit stops at the line of the new text
@ file m.py
def f():
    x = 1
    return x
@ touch
import m, bdb
f = m.f
@ edit m.py
# above
def f():
    x = 1
    x += 1
    return x
@ touch
stops = []
class Debugger(bdb.Bdb):
    def user_line(self, frame):
        if frame.f_code.co_filename == m.__file__:
            stops.append((frame.f_lineno, frame.f_locals.get("x")))
        self.set_continue()
debugger = Debugger()
wrong = debugger.set_break(m.__file__, 4)
debugger.runcall(f)
debugger.clear_all_breaks()
@ expect
wrong is None and (4, 1) in stops and f() == 2

## n069-ctypes-and-sort-key: a callback that C code holds
@ file m.py
import ctypes
def key(x):
    return x
def twice(x):
    return x * 2
twice_in_c = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(twice)
@ touch
import m
key, in_c = m.key, m.twice_in_c
@ sub m.py
return x\n => return -x\n
x * 2 => x * 20
@ expect
sorted([1, 3, 2], key=key) == [3, 2, 1] and in_c(1) == 20 and m.twice_in_c is in_c

## n069-atexit: what is called at the end is the new code, once
@ file m.py
import atexit
out = []
def bye():
    out.append("old")
atexit.register(bye)
@ touch
import m, atexit
count = atexit._ncallbacks()
bye = m.bye
@ sub m.py
append("old") => append("new")
@ expect
atexit._ncallbacks() == count and m.bye is bye
m.bye() is None and m.out == ["new"] and atexit.unregister(bye) is None

## n153-click [needs-click]: a command's body, an option's default, and a command more
@ file m.py
import click
@click.group()
def cli(): pass
@cli.command()
@click.option("--n", default=1)
def show(n):
    click.echo(f"old {n}")
@ touch
import m
from click.testing import CliRunner
def run(*argv): return CliRunner().invoke(m.cli, list(argv)).output
cli = m.cli
@ sub m.py
old {n} => new {n}
@ expect
run("show") == "new 1\n" and m.cli is cli
@ sub m.py
default=1 => default=2
@ expect
run("show") == "new 2\n" and list(cli.commands) == ["show"] and cli.commands["show"] is m.show
@ sub m.py
click.echo(f"new {n}") => click.echo(f"new {n}")\n@cli.command()\ndef more():\n    click.echo("more")
@ expect
run("more") == "more\n" and run("show") == "new 2\n"

## n147-mp-main: a module that runs as the main module of a spawned worker is no main module
@ file m.py
import sys
out = []
def f():
    return 1
if __name__ == "__mp_main__":
    out.append("worker")
if __name__ == "__main__":
    out.append("main")
@ touch
import m
@ sub m.py
return 1 => return 2
out.append("main") => out.append("other")
@ expect
m.f() == 2 and m.out == []
""",
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_given_away(row: Any, tmp_path: Path) -> None:
    run_row(row, tmp_path)
