"""What a reload costs beside its peers and its floor, over workloads that grow: one run, everything interleaved.

    python bench/speed.py [--quick | --rounds 5 --edits 8]
        [--only KIND]... [--peers NAME]... [--fresh]

One process for each workload, size and engine; the processes of all sizes of a workload live at the same time and take
turns. A workload that is finished is kept in .cache/bench/speed: a run that was interrupted goes on where it was,
unless the source changed since or --fresh is said.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import queue
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from environments import CACHE, HERE, MIDFLIGHT, Engine, engines, house, python, surroundings
from programs import module_name, workload
from record import record

sys.path.insert(0, str(HERE.parent))

from tests.upgrade import packages
from tests.upgrade.packages import Unavailable

START_S, ROUND_S = 240.0, 45.0  # an engine that does not answer for so long is given up
TOO_LONG = "no answer in"
LONG_AGO = 1_000_000_000  # when program files were saved first: each edit is newer, whatever its second


@dataclass(frozen=True)
class Kind:
    """A workload in the sizes that it is measured in; the quick ones are those that a minute has room for."""

    title: str
    sizes: tuple[int | str, ...]
    quick: tuple[int | str, ...]


RELEASES = {"click": ("8.1.6", "8.1.7"), "humanize": ("4.9.0", "4.10.0"), "starlette": ("0.40.0", "0.41.0"),
            "tomlkit": ("0.12.5", "0.13.0")}  # fmt: skip
IMPORTS = """
import contextlib, importlib, json, os, sys
sys.path[0:1] = json.loads(sys.argv[1])
found = []
for name in json.loads(sys.argv[2]):
    with contextlib.suppress(Exception), contextlib.redirect_stdout(sys.stderr):
        importlib.import_module(name)
        found.append(name)
print(json.dumps(found), flush=True)
os._exit(0)
"""
KINDS = {
    "lines": Kind("one body edited in a module of {} lines", (30, 300, 3000), (300,)),
    "definitions": Kind("one body edited in a module of {} definitions", (1000,), (1000,)),
    "modules": Kind("one body edited in a program of {} modules", (10, 100, 1000, 10000), (100,)),
    "heap": Kind("one body edited beside {} other objects", (10**4, 10**5, 10**6, 10**7), (10**5,)),
    "instances": Kind("a method edited, {} live instances", (0, 10**3, 10**6), (10**3,)),
    "constant": Kind("a constant used in {} modules", (1, 10, 100), (10,)),
    "files": Kind("a batch of {} files, a body edited in each", (1, 10, 1000), (10,)),
    "packages": Kind("{}, from one release to another and back", tuple(RELEASES), ()),
}


@dataclass(frozen=True)
class Turns:
    """How often: rounds, and in each round up to so many edits, none begun after `limit_s`."""

    rounds: int = 5
    edits: int = 8
    limit_s: float = 0.3


class GaveUp(Exception):
    """An engine that failed or did not answer; says how."""


class Worker:
    """bench/worker.py under one engine; every request gets one answer."""

    def __init__(self, engine: Engine, folder: Path, request: dict[str, Any], log: TextIO) -> None:
        self.engine, self.log = engine, log
        command = [python(engine), str(HERE / "worker.py"), engine.driver, str(folder)]
        self.process = subprocess.Popen(
            command, env=surroundings(folder.parent), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
        self.answers: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        self.request = request

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put(None)

    def ask(self, request: dict[str, Any], limit_s: float) -> dict[str, Any]:
        """The answer. Raises GaveUp."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.answers.get(timeout=limit_s)
        except queue.Empty:
            self.process.kill()
            raise GaveUp(f"{TOO_LONG} {limit_s:.0f} s") from None
        except BrokenPipeError:
            answer = None
        if answer is None:
            raise GaveUp(last_line(Path(self.log.name)))
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


def last_line(log: Path) -> str:
    """What an engine said last, without folders of this machine."""
    lines = log.read_text("utf-8", "replace").strip().splitlines() or ["it ended and said nothing"]
    return lines[-1].replace(tempfile.gettempdir(), "")[:200]


# -- programs on disk ---------------------------------------------------------------------------------------------


def request_for(kind: str, size: int | str) -> dict[str, Any]:
    """What a worker must know to make the same workload."""
    if kind != "packages":
        return {"kind": kind, "size": size}
    return {"kind": kind, "size": 0, **package_request(str(size))}


def package_request(name: str) -> dict[str, Any]:
    """Raises Unavailable: the releases come from the registry, the first time."""
    package = packages.BY_NAME[name]
    old, new = (sources(packages.release(name, version)) for version in RELEASES[name])
    beside = [str(packages.needs(package)), str(packages.metadata(package))]
    with tempfile.TemporaryDirectory(prefix="speed-") as scratch:
        write(Path(scratch), old)
        loads = importable([scratch, *beside], list(map(module_name, old)))
    return {"package": {"imports": package.imports, "old": old, "new": new, "loads": loads}, "beside": beside}


def sources(release: Path) -> dict[str, str]:
    paths = sorted(path for path in release.rglob("*.py") if "__main__" not in path.name)
    return {path.relative_to(release).as_posix(): path.read_text("utf-8") for path in paths}


def importable(path: list[str], names: list[str]) -> list[str]:
    """Those of `names` that can be imported here: some modules are for what is not installed."""
    command = [sys.executable, "-B", "-c", IMPORTS, json.dumps(path), json.dumps(names)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout)
    return found


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        os.utime(path, (LONG_AGO, LONG_AGO))


def compiled(folder: Path, interpreters: set[str]) -> None:
    """Leaves bytecode of `folder` for each interpreter, as a second start of a program would find it."""
    for interpreter in interpreters:
        command = [interpreter, "-m", "compileall", "-q", "-j0", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def copy(folder: Path, target: Path, edited: Sequence[str]) -> None:
    """A copy of a program for one engine alone: hard links, but for the files that are edited."""
    shutil.copytree(folder, target, copy_function=os.link)
    for name in edited:
        (target / name).unlink()
        shutil.copy2(folder / name, target / name)


# -- measuring ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """One size of one workload under one engine."""

    size: int | str
    engine: Engine


class Kept:
    """The rounds of each point, and why an engine was given up."""

    def __init__(self) -> None:
        self.rounds: dict[Point, list[dict[str, Any]]] = {}
        self.started: dict[Point, dict[str, Any]] = {}
        self.failed: dict[Point, str] = {}


def measure(kind: str, sizes: Sequence[int | str], some: Sequence[Engine], turns: Turns) -> dict[str, Any]:
    """All sizes and engines of one workload, in turns; see `figures` for the shape of what is returned."""
    kept = Kept()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="speed-"))).resolve()
        workers: dict[Point, Worker] = {}
        for size in sizes:
            workers |= start(kind, size, some, scratch / f"size-{size}", stack)
        kept.started |= {point: {} for point in workers}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda point: ask(kept, point, workers[point], workers[point].request, START_S), workers))
        for turn in range(-1, turns.rounds):  # the first warms up what engines do once: read old source, open a store
            for point in sorted(workers, key=order, reverse=bool(turn % 2)):
                if point not in kept.failed:
                    ask(kept, point, workers[point], round_of(turns), ROUND_S)
            said_turn = "warm" if turn < 0 else f"round {turn + 1} of {turns.rounds}"
            print(f"   {kind}: {said_turn}", file=sys.stderr, flush=True)
    return figures(kept)


def round_of(turns: Turns) -> dict[str, Any]:
    return {"edits": turns.edits, "limit_s": turns.limit_s}


def order(point: Point) -> tuple[str, str]:
    return point.engine.title, str(point.size)


def start(kind: str, size: int | str, some: Sequence[Engine], scratch: Path, stack: ExitStack) -> dict[Point, Worker]:
    """A worker for each engine, each with a program of its own that is written and compiled once."""
    request = request_for(kind, size)
    load = workload(kind, request["size"], request.get("package"))
    write(scratch / "program", load.files())
    compiled(scratch / "program", {python(engine) for engine in some})
    edited, workers = list(load.edit(1).texts), {}
    for number, engine in enumerate(some):
        place = scratch / f"engine-{number}"
        place.mkdir()
        copy(scratch / "program", place / "program", edited)
        log = stack.enter_context((place / "log").open("w"))
        workers[Point(size, engine)] = worker = Worker(engine, place / "program", request, log)
        stack.callback(worker.close)
    return workers


def ask(kept: Kept, point: Point, worker: Worker, request: dict[str, Any], limit_s: float) -> None:
    try:
        answer = worker.ask(request, limit_s)
    except GaveUp as failure:
        kept.failed[point] = str(failure)
        return
    if "ready" in answer:
        kept.started[point] |= answer
    else:
        kept.rounds.setdefault(point, []).append(answer)


def figures(kept: Kept) -> dict[str, Any]:
    """By size and engine: each round's medians in ms (the first round left out), `stale`, `failed`, start and memory.

    `of_floor` is the round's CPU time over that of the floor in the same process; `of_midflight` over midflight's in
    the same round, on the same Python."""
    found: dict[str, Any] = {}
    for point in [point for point, answer in kept.started.items() if answer]:
        rounds = kept.rounds.get(point, [])[1:]
        one: dict[str, Any] = {"python": kept.started[point]["python"], "start_ms": kept.started[point]["start_ms"]}
        one |= {"mb": kept.started[point]["mb"], "stale": sorted({name for round in rounds for name in round["stale"]})}
        for name in ("cpu_ms", "wall_ms", "floor_ms"):  # a restart has no floor in the process that asks for it
            one[name] = [round_off(statistics.median(round[name])) for round in rounds if round[name]]
        one["beside_ms"] = [round_off(round["beside_ms"]) for round in rounds]
        one["of_floor"] = [round_off(a / b) for a, b in zip(one["cpu_ms"], one["floor_ms"], strict=False)]
        found.setdefault(str(point.size), {})[point.engine.title] = one
    for point, why in kept.failed.items():
        found.setdefault(str(point.size), {}).setdefault(point.engine.title, {})["failed"] = why
    for point in [point for point, answer in kept.started.items() if answer]:
        cells = found[str(point.size)]
        own, one = cells.get(point.engine.beside, {}), cells[point.engine.title]
        for name, of in (("cpu_ms", "of_midflight"), ("wall_ms", "wall_of_midflight")):
            one[of] = [round_off(a / b) for a, b in zip(one[name], own.get(name, ()), strict=False)]
    return found


def round_off(value: float) -> float:
    return float(f"{value:.4g}")


# -- runs that are interrupted -------------------------------------------------------------------------------------


def source_key(options: argparse.Namespace) -> str:
    """Changes with the engine's source, the bench's, and what was asked."""
    paths = [*sorted((HERE.parent / "src" / "midflight").rglob("*.py")), *sorted(HERE.rglob("*.py"))]
    asked = repr((options.quick, options.rounds, options.edits, options.peers, sys.version))
    texts = (path.read_bytes() for path in paths)
    return hashlib.sha256(b"\0".join([asked.encode(), *texts])).hexdigest()[:16]


def finished(folder: Path, kind: str) -> dict[str, Any] | None:
    path = folder / f"{kind}.json"
    found: dict[str, Any] | None = json.loads(path.read_text("utf-8")) if path.exists() else None
    return found


def keep(folder: Path, kind: str, found: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"{kind}.tmp"
    aside.write_text(json.dumps(found), "utf-8")
    aside.replace(folder / f"{kind}.json")


def forget(folder: Path, kinds: Sequence[str]) -> None:
    for kind in kinds:
        (folder / f"{kind}.json").unlink(missing_ok=True)


# -- tables -------------------------------------------------------------------------------------------------------


def cell(values: Sequence[float], digits: int = 2) -> str:
    """Median (smallest-largest)."""
    if not values:
        return ""
    return f"{short(statistics.median(values))} ({short(min(values))}-{short(max(values))})"


def short(value: float) -> str:
    """Three digits that count, and never an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def peer_cell(one: dict[str, Any] | None, of: str) -> str:
    if one is None:
        return ""
    if "failed" in one:
        return "too long" if one["failed"].startswith(TOO_LONG) else "failed"
    return cell(one[of]) + marks(one)


def marks(one: dict[str, Any]) -> str:
    """What the figure alone does not say: see the notes."""
    return ("*" if leaves_stale(one) else "") + ("†" if "state" in one["stale"] else "")


def leaves_stale(one: dict[str, Any]) -> bool:
    """Whether the new code or value was not everywhere."""
    return bool({"live", "held"} & set(one.get("stale", ())))


def row(title: str, cells: dict[str, Any], titles: Sequence[str], of: str = "of_midflight") -> list[str]:
    own = cells[MIDFLIGHT.title]
    time_of = "cpu_ms" if of == "of_midflight" else "wall_ms"
    first = [cell(own[time_of]), cell(own["of_floor"])] if of == "of_midflight" else [cell(own[time_of])]
    return [title, *first, *(peer_cell(cells.get(name), of) for name in titles)]


def rows(found: dict[str, dict[str, Any]], titles: Sequence[str], of: str = "of_midflight") -> Iterator[list[str]]:
    for kind, sizes in found.items():
        for size, cells in sizes.items():
            if cells.get(MIDFLIGHT.title, {}).get("cpu_ms"):
                title = KINDS[kind].title.format(said(size))
                yield row(title, cells, titles, of)


def said(size: str) -> str:
    """With commas; the releases of a package."""
    if size in RELEASES:
        return f"{size} {' and '.join(RELEASES[size])}"
    return f"{int(size):,}"


def tell(found: dict[str, Any], turns: Turns) -> None:
    """Prints and keeps both tables."""
    every = [name for sizes in found.values() for cells in sizes.values() for name in cells]
    titles = [name for name in dict.fromkeys(every) if not name.startswith(MIDFLIGHT.title)]
    failures = [
        f"{name} failed at {KINDS[kind].title.format(said(size))}: {one['failed']}"
        for kind, sizes in found.items() for size, cells in sizes.items()
        for name, one in cells.items() if "failed" in one
    ]  # fmt: skip
    notes = [
        "CPU time of the thread that reloads (of a restart: of the new process), over midflight's in the same round on "
        "the same Python: above 1, midflight is faster.",
        f"Median of {turns.rounds} interleaved rounds (smallest-largest), each the median of {turns.edits} edits.",
        "The floor: to compile and run the edited modules; of a constant, only the statements that read it.",
        "* leaves stale code or values with who had imported or held them; † loses what the program had put into a "
        "dict of the edited module. (The releases of packages are timed only.)",
        "A restart imports the program, and does not build again what the old process held.",
        *pythons(found),
        *beside(found),
        *failures,
    ]
    columns = ("", "midflight, CPU ms", "of its floor", *titles)
    record("speed", "A reload beside its peers", columns, rows(found, titles), notes, workloads=found)
    wall = ("", "midflight, ms", *titles)
    note = "Wall time over midflight's in the same round. midflight's has its report and the versions stored."
    record("speed-wall", "The same by the clock", wall, rows(found, titles, "wall_of_midflight"), [note])


def pythons(found: dict[str, Any]) -> list[str]:
    """Who ran on another Python."""
    seen = {name: one["python"] for sizes in found.values() for cells in sizes.values() for name, one in cells.items()
            if "python" in one}  # fmt: skip
    own = seen.get(MIDFLIGHT.title)
    others = sorted(f"{name} on {version}" for name, version in seen.items() if version != own)
    return [f"On another Python: {', '.join(others)}."] if others else []


def beside(found: dict[str, Any]) -> list[str]:
    """What the other threads of midflight's process took, which is not in the figures."""
    own = found.get("lines", {}).get("300", {}).get(MIDFLIGHT.title, {}).get("beside_ms")
    what = "CPU time a reload of a module of 300 lines beside the thread that reloads: the watcher's and the store's"
    return [f"midflight's other threads took {short(statistics.median(own))} ms of {what}."] if own else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--edits", type=int, default=8, help="in a round, as far as 0.3 s go")
    parser.add_argument("--only", action="append", default=[], choices=tuple(KINDS))
    parser.add_argument("--peers", action="append", default=[], metavar="NAME", help="drivers; default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes: says little, takes a minute")
    parser.add_argument("--fresh", action="store_true", help="measure again what an interrupted run had finished")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does: tidied up, finished workloads kept
    turns = Turns(2, 4, 0.1) if options.quick else Turns(options.rounds, options.edits)
    kinds = [kind for kind in options.only or KINDS if sizes_of(kind, options.quick)]
    folder = CACHE / "speed" / source_key(options)
    if options.fresh:
        forget(folder, kinds)
    some = ready(engines(options.peers))
    found = {kind: one_kind(folder, kind, sizes_of(kind, options.quick), some, turns) for kind in kinds}
    tell(found, turns)
    forget(folder, kinds)
    unmeasured = [k for k, s in found.items() for c in s.values() if not c.get(MIDFLIGHT.title, {}).get("cpu_ms")]
    return 1 if unmeasured else 0


def sizes_of(kind: str, quick: bool) -> Sequence[int | str]:
    return KINDS[kind].quick if quick else KINDS[kind].sizes


def ready(some: Sequence[Engine]) -> list[Engine]:
    """Those whose environment is there or could be made; says which are left out."""

    def can_run(engine: Engine) -> bool:
        try:
            return bool(python(engine))
        except house.HouseError as failure:
            print(f"{engine.title} is left out: {failure}", file=sys.stderr)
            return False

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [engine for engine, runs in zip(some, pool.map(can_run, some), strict=True) if runs]


def one_kind(
    folder: Path, kind: str, sizes: Sequence[int | str], some: Sequence[Engine], turns: Turns
) -> dict[str, Any]:
    """What was measured of one workload, now or before the run was interrupted; empty where its files cannot be had."""
    done = finished(folder, kind)
    if done is not None:
        print(f"== {kind}: kept from the run that was interrupted", flush=True)
        return done
    began = time.monotonic()
    try:
        done = measure(kind, sizes, some, turns)
    except Unavailable as failure:
        print(f"== {kind} is left out: {failure}", flush=True)
        return {}
    keep(folder, kind, done)
    print(f"== {kind}: {time.monotonic() - began:.0f} s", flush=True)
    return done


if __name__ == "__main__":
    sys.exit(main())
