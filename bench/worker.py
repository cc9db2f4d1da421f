"""One program under one engine, in a process of its own; bench/speed.py tells it what to do, a line at a time.

    python bench/worker.py ENGINE FOLDER < requests > answers

The first request names the workload; the answer comes once the program is loaded. Each further one asks for a round:
some edits, each with its reload and its floor measured. Standard library only: it runs where only its engine is.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import drivers
from programs import Edit, Piece, Workload, workload


class Measured:
    """The program in `folder`, loaded under `driver`, and edited one number after the other."""

    def __init__(self, driver: drivers.Driver, folder: Path, load: Workload) -> None:
        self.driver, self.folder, self.workload = driver, folder, load
        self.number = 0
        self.stale: set[str] = set()
        driver.start(folder)
        driver.load("program")
        gc.disable()  # else building ten million objects takes a collection for every seven hundred
        self.held = load.prepare(sys.modules)
        gc.enable()
        gc.collect()
        driver.loaded()

    def round(self, edits: int, limit_s: float) -> dict[str, Any]:
        """Up to `edits` edits, at least one, none begun after `limit_s` seconds. Times in ms."""
        until = time.monotonic() + limit_s
        found: dict[str, Any] = {"cpu_ms": [], "wall_ms": [], "floor_ms": []}
        process, thread = time.process_time(), time.thread_time()
        while len(found["cpu_ms"]) < edits and (not found["cpu_ms"] or time.monotonic() < until):
            self.number += 1
            self.one(self.workload.edit(self.number), found)
        beside = (time.process_time() - process) - (time.thread_time() - thread)
        return {**found, "beside_ms": beside * 1e3 / len(found["cpu_ms"]), "stale": sorted(self.stale)}

    def one(self, edit: Edit, found: dict[str, Any]) -> None:
        paths = [self.folder / name for name in edit.texts]
        for path, text in zip(paths, edit.texts.values(), strict=True):
            path.write_text(text, "utf-8")
        readers = self.workload.readers
        cpu, wall = self.driver.cpu(), time.perf_counter()
        self.driver.reload(paths, readers)
        found["cpu_ms"].append((self.driver.cpu() - cpu) * 1e3)
        found["wall_ms"].append((time.perf_counter() - wall) * 1e3)
        if not self.driver.here:
            self.stale.add("state")
            return
        found["floor_ms"].append(floor(self.workload.floor(self.number)) * 1e3)
        for kind, probes in (("live", edit.live), ("held", edit.held), ("state", edit.state)):
            if any(eval(probe.expression, dict(sys.modules)) != probe.value for probe in probes):
                self.stale.add(kind)


def floor(pieces: list[Piece]) -> float:
    """Seconds of CPU time to compile and run `pieces`, each in names of its own."""
    names = [{"__name__": "floor", **piece.given} for piece in pieces]  # kept: letting them go is no part of it
    began = time.thread_time()
    for piece, given in zip(pieces, names, strict=True):
        exec(compile(piece.text, piece.file, "exec"), given)
    return time.thread_time() - began


def memory_mb() -> float:
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024


def serve(engine: str, folder: Path, answers: TextIO) -> None:
    def say(**what: Any) -> None:
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    asked = json.loads(sys.stdin.readline())
    sys.path[0:1] = [str(folder), *asked.get("beside", ()), str(Path(__file__).parent)]
    os.chdir(folder)
    began = time.process_time()
    measured = Measured(drivers.named(engine), folder, workload(asked["kind"], asked["size"], asked.get("package")))
    say(ready=True, start_ms=(time.process_time() - began) * 1e3, mb=memory_mb(), python=sys.version.split()[0])
    for line in sys.stdin:
        say(**measured.round(**json.loads(line)))


def main() -> None:
    sys.dont_write_bytecode = True  # of edited files: two edits within a second may be of one size
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what engines and programs print goes to the log
    serve(sys.argv[1], Path(sys.argv[2]), answers)
    answers.close()
    sys.stderr.flush()
    os._exit(0)  # whatever an engine left running


if __name__ == "__main__":
    main()
