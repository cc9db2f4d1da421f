"""Tables of edits: small programs, what is saved over them, and what must be true in the live process afterwards.

A table is text. Each case begins with `# id: what it shows`; then come blocks, each under a line of its own:

    [file m.py]     a file that lies there before the program starts (bytes with escapes: `[file m.py raw]`)
    [run]           Python that the program runs
    [edit m.py]     a file's whole new text; `[edit m.py raw]` as above; `[sub m.py]`: old => new, a line each
    [delete m.py]   the file goes
    [expect ...]    reloads when something was edited since; then each line must be true. `[expect]` wants the report
                    to be `committed`; `[expect refused]`, `[expect rolled back]` and `[expect unchanged]` want those;
                    `[expect nothing]` reloads nothing.

Expressions see what `[run]` bound and `report`, `session`, `root`, `path(name)`, `raises`, `told`, `hits`, `sys`, `os`.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pathlib
import re
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from midflight.hooks import RECORDS
from midflight.session import Session
from midflight.values import Report

_BLOCK = re.compile(r"^\[(file|run|edit|sub|delete|expect)\b ?([^\]]*)\]$")
PROBE = "_probe"


@dataclass
class Block:
    kind: str
    about: str
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(line + "\n" for line in self.lines)


@dataclass
class Case:
    id: str
    blocks: list[Block] = field(default_factory=list)


def table(text: str) -> list[Any]:
    """The cases of a table as pytest parameters."""
    cases: list[Case] = []
    for line in text.strip().splitlines():
        head = re.match(r"^# ([\w.-]+): ", line)
        block = _BLOCK.match(line)
        if head:
            cases.append(Case(head[1]))
        elif block:
            cases[-1].blocks.append(Block(block[1], block[2].strip()))
        elif line.strip() or cases[-1].blocks[-1].kind in ("file", "edit"):
            cases[-1].blocks[-1].lines.append(line)
    for case in cases:
        for one in case.blocks:
            while one.lines and not one.lines[-1].strip():
                one.lines.pop()
    return [pytest.param(case, id=case.id) for case in cases]


class Program:
    """One case's folder, session and names."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.hits: list[str] = []
        self.edited: set[str] = set()
        self.session: Session | None = None
        self.names: dict[str, Any] = {
            "root": str(root),
            "path": lambda name: str(root / name),
            "raises": raises,
            "told": self.told,
            "hits": self.hits,
            "sys": sys,
            "os": os,
        }

    def told(self, *words: str) -> bool:
        """Whether one line of the last report has all of `words`: a note, a problem or a module's list."""
        return any(all(word in line for word in words) for line in lines_of(self.names["report"]))

    def take(self, block: Block) -> None:
        getattr(self, f"_{block.kind}")(block)

    def _file(self, block: Block) -> None:
        self.write(block)

    def _run(self, block: Block) -> None:
        exec(compile(block.text, "<run>", "exec", dont_inherit=True), self.names)

    def _edit(self, block: Block) -> None:
        self.write(block)

    def _sub(self, block: Block) -> None:
        path = self.root / block.about
        text = path.read_text()
        for line in block.lines:
            old, new = line.split("=>", 1)
            old, new = (side.strip(" ").replace("\\n", "\n").replace("\\t", "    ") for side in (old, new))
            assert old in text, f"{old!r} is not in {block.about}"
            text = text.replace(old, new)
        path.write_text(text)
        self.edited.add(str(path))

    def _delete(self, block: Block) -> None:
        (self.root / block.about).unlink()
        self.edited.add(str(self.root / block.about))

    def _expect(self, block: Block) -> None:
        assert self.session is not None
        if block.about != "nothing":
            self.names["report"] = report = self.session.reload()
            assert report.outcome == (block.about or "committed"), report
        for line in block.lines:
            assert eval(line, self.names), f"{line}\n{self.names.get('report')}"

    def write(self, block: Block) -> None:
        name, _, how = block.about.partition(" ")
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = block.text.encode()
        if how == "raw":
            data = block.text.rstrip("\n").encode("latin-1").decode("unicode_escape").encode("latin-1")
        path.write_bytes(data)
        self.edited.add(str(path))


def lines_of(report: Report) -> Iterator[str]:
    yield from report.notes
    yield from (str(problem) for problem in report.problems)
    for name, one in report.modules.items():
        for what in ("ran", "grafted", "rebound", "kept", "removed"):
            yield from (f"{what} {name}.{label}" for label in getattr(one, what))


def raises(kind: type[BaseException], call: Callable[..., Any], *args: Any) -> bool:
    try:
        call(*args)
    except kind:
        return True
    return False


@contextlib.contextmanager
def program(root: pathlib.Path, **settings: Any) -> Iterator[Program]:
    """A program in `root` under a manual session; leaves neither modules nor session behind."""
    root = pathlib.Path(os.path.realpath(root))
    one = Program(root)
    before, path, cwd, dont_write = dict(sys.modules), list(sys.path), os.getcwd(), sys.dont_write_bytecode
    records = dict(RECORDS)
    probe = types.ModuleType(PROBE)
    probe.hit = lambda name, value=None: (one.hits.append(name), value)[1]  # type: ignore[attr-defined]
    sys.modules[PROBE] = probe
    sys.path.insert(0, str(root))
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        one.session = one.names["session"] = Session(paths=[root], mode="manual", **settings)
        yield one
    finally:
        if one.session is not None:
            one.session.stop()
        for name, module in list(sys.modules.items()):
            if name not in before or _is_inside(module, str(root)):
                _drop(name, str(root), before)
        sys.path[:] = path
        sys.dont_write_bytecode = dont_write
        os.chdir(cwd)
        RECORDS.clear()
        RECORDS.update(records)
        for stale in [p for p in sys.path_importer_cache if p.startswith(str(root))]:
            del sys.path_importer_cache[stale]


def _is_inside(module: Any, root: str) -> bool:
    return str(getattr(module, "__file__", None) or "").startswith(root)


def _drop(name: str, root: str, before: dict[str, Any]) -> None:
    module = sys.modules[name]
    folders = getattr(module, "__path__", ()) if getattr(module, "__file__", None) is None else ()
    if _is_inside(module, root) or name == PROBE or any(str(folder).startswith(root) for folder in folders):
        del sys.modules[name]


def play(case: Case, root: pathlib.Path) -> None:
    """Take a case from its first block to its last."""
    with program(root) as one:
        assert one.session is not None
        for block in case.blocks:
            if block.kind != "file" and not one.session.running:
                one.session.start()
                one.edited.clear()
            one.take(block)
