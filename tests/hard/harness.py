"""One table row: a small program, an edit of its files, and what must be true in the live process.

A row is written in the format of `conformance/catalogue.py`. Around each edit the harness tries the same edit with a
failing statement in a later module, and afterwards the way back with one: both must leave no trace."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import importlib
import inspect
import os
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance import catalogue
from conformance.worker import Probe, Snap, check, raises
from midflight import Session

LAST = "zz_last"
GOOD = "VALUE = 1\n"
BAD = "VALUE = 1 / 0\n"
BASE = int(time.time()) - 100_000


class Program:
    """Files in a folder of their own, imported in this process under a manual session."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.text: dict[str, str] = {}
        self.session = Session(paths=[str(root)], mode="manual")
        self.phase = 0

    def write(self, blocks: list[Any]) -> None:
        for block in blocks:
            if block.kind == "delete":
                (self.root / block.path).unlink()
                del self.text[block.path]
                continue
            if block.kind == "sub":
                self.text[block.path] = catalogue.substitute(self.text[block.path], block, block.path)
            else:
                self.text[block.path] = block.text
            self.put(block.path, catalogue.encode(self.text[block.path], block.opts))

    def put(self, path: str, data: bytes) -> None:
        """Each write has a time of its own: two in one tick of the clock are two saves."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        self.phase += 1
        os.utime(place, (BASE + self.phase, BASE + self.phase))

    def disk(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*.py") if path.is_file()
        }

    def turn_to(self, files: dict[str, bytes]) -> None:
        """Make the folder hold exactly `files`."""
        now = self.disk()
        for path in now.keys() - files.keys():
            (self.root / path).unlink()
        for path, data in files.items():
            if now.get(path) != data:
                self.put(path, data)

    def modules(self) -> list[types.ModuleType]:
        inside = str(self.root) + os.sep
        return [m for m in list(sys.modules.values()) if str(getattr(m, "__file__", None) or "").startswith(inside)]


class Deep(Snap):
    """`Snap`, and what it leaves out: annotations, attributes, subclasses, and the objects that a row holds."""

    def __init__(self, program: Program, held: dict[str, Any]) -> None:
        self.held = held
        self.program = program
        super().__init__(*program.modules())

    def take(self) -> dict[str, Any]:
        out: dict[str, Any] = super().take()
        homes = {m.__name__ for m in self.mods}
        # attrs itself renames one function of its own for each class that it makes.
        out = {path: state for path, state in out.items() if ".__replace__" not in path}
        for path, value in self._everything():
            if type(value) is set:
                out[f"{path}[]"] = sorted(map(repr, value))  # its order is not its own
            if isinstance(value, types.FunctionType):
                out[f"{path} fn"] = (
                    value.__code__,
                    repr(value.__annotations__),
                    sorted((k, id(v)) for k, v in value.__dict__.items()),
                    tuple(map(id, value.__defaults__ or ())),
                    tuple(map(id, getattr(value, "__type_params__", ()))),
                    value.__name__,
                    value.__module__,
                )
            elif isinstance(value, type) and value.__module__ in homes:
                out[f"{path} cls"] = (
                    sorted(value.__dict__.keys() - {"__type_params__"}),  # CPython does not let it be deleted
                    value.__doc__,
                    repr(value.__dict__.get("__annotations__")),
                    sorted(getattr(value, "__abstractmethods__", ())),
                    sorted(k.__qualname__ for k in type.__subclasses__(value)),
                )
            elif type(value).__module__ in homes and not isinstance(value, types.ModuleType):
                attributes = getattr(value, "__dict__", {})
                out[f"{path} obj"] = (id(type(value)), sorted((k, id(v)) for k, v in attributes.items()))
                self.keep.append(value)
        return out

    def subclasses(self) -> list[list[str]]:
        return [state[-1] for path, state in self.state.items() if path.endswith(" cls")]

    def _everything(self) -> Iterator[tuple[str, Any]]:
        for module in self.mods:
            for name, value in list(vars(module).items()):
                yield f"{module.__name__}.{name}", value
                if isinstance(value, type) and value.__module__ == module.__name__:
                    for inner, member in list(vars(value).items()):
                        yield f"{module.__name__}.{name}.{inner}", getattr(member, "__func__", member)
        for name, value in self.held.items():
            yield f"held {name}", getattr(value, "__func__", value)


@contextlib.contextmanager
def program(root: Path) -> Iterator[Program]:
    """A Program in `root`; at its end the process has nothing of it left."""
    here = os.getcwd()
    before = set(sys.modules)
    os.chdir(root)
    sys.path.insert(0, str(root))
    sys.modules["_probe"] = Probe()
    importlib.invalidate_caches()
    made = Program(root)
    made.session.start()
    try:
        yield made
    finally:
        made.session.stop()
        sys.path.remove(str(root))
        os.chdir(here)
        gone = made.modules()
        for name in set(sys.modules) - before:
            if sys.modules[name] in gone or name == "_probe":
                del sys.modules[name]
        importlib.invalidate_caches()


def run_row(row: Any, root: Path) -> None:
    for tag in row.tags:
        if tag.startswith("py3") and sys.version_info < (3, int(tag[3:])):
            pytest.skip(f"needs Python 3.{tag[3:]}")
        if tag.startswith("needs-"):
            pytest.importorskip(tag[6:])
    with program(root) as live:
        Row(row, live).run()


class Row:
    def __init__(self, row: Any, live: Program) -> None:
        self.row, self.live = row, live
        self.ns: dict[str, Any] = {
            "__name__": "__main__", "sys": sys, "os": os, "gc": gc, "types": types, "asyncio": asyncio,
            "inspect": inspect, "functools": functools, "importlib": importlib, "raises": raises,
            "probe": sys.modules["_probe"], "root": live.root, "session": live.session, "said": self.said,
        }  # fmt: skip
        self.own = set(self.ns)
        self.report: Any = None

    def said(self, word: str) -> bool:
        """Whether the last report mentions `word`, outside of what went as it should."""
        report = self.report
        text = [*report.notes, *(p.message for p in report.problems)]
        text += [name for module in report.modules.values() for name in module.kept]
        return any(word in line for line in text)

    def run(self) -> None:
        blocks = list(self.row.blocks)
        pending: list[Any] = []
        checks: list[Any] = []
        self.live.put(f"{LAST}.py", GOOD.encode())
        started = False
        for block in blocks:
            if block.kind == "file":
                self.live.write([block])
            elif block.kind in ("edit", "sub", "delete"):
                pending.append(block)
            else:
                if pending:
                    self.edit(pending)
                    pending = []
                if block.kind == "touch":
                    exec(compile(block.text, "<touch>", "exec"), self.ns)
                    if not started:
                        importlib.import_module(LAST)
                        started = True
                else:
                    check(block.text, self.ns, checks)
        failed = [f"{source}  -> {why}" for source, good, why in checks if not good]
        assert checks and not failed, "\n".join([self.row.title, *failed, "", self.report.to_json()])

    def held(self) -> dict[str, Any]:
        return {k: v for k, v in self.ns.items() if k not in self.own and not k.startswith("_")}

    def edit(self, blocks: list[Any]) -> None:
        before = self.live.disk()
        self.live.write(blocks)
        after = self.live.disk()
        guarded = "nofail" not in self.row.tags
        if guarded:
            self.fail(before, after)
        self.live.turn_to(after)
        self.report = self.ns["report"] = self.live.session.reload()
        if guarded and self.report.outcome == "committed":
            self.fail(after, before)

    def fail(self, now: dict[str, bytes], then: dict[str, bytes]) -> None:
        """Try the files `then` with a failure behind them; the process stays as it is."""
        snap = Deep(self.live, self.held())
        if any(len(set(subs)) != len(subs) for subs in snap.subclasses()):
            gc.collect()  # a slots dataclass leaves the class that it was made from until a collection
            snap = Deep(self.live, self.held())
        self.live.turn_to({**then, f"{LAST}.py": BAD.encode()})
        report = self.live.session.reload()
        assert report.outcome in ("rolled back", "refused"), report.to_json()
        assert not [p for p in report.problems if p.code == "MF099"], report.to_json()
        if report.outcome == "rolled back":
            assert any("ZeroDivisionError" in p.message for p in report.problems), report.to_json()
        assert snap.diff() == [], f"{self.row.title}\n{report.to_json()}\n{differences(snap)}"
        self.live.turn_to(now)
        assert self.live.session.reload().outcome == "unchanged"


def differences(snap: Deep) -> str:
    now = snap.take()
    return "\n".join(f"{key}\n  was {snap.state.get(key)}\n  is  {now.get(key)}" for key in snap.diff()[:8])
