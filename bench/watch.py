"""Save -> batch, by backend and kind of save; bursts; what starting and idling cost.

    python bench/watch.py [--backends inotify,polling] [--runs 5] [--saves 40] [--files 1000] [--tree 0] [--idle 5]

Runs of the backends are interleaved. A latency runs from the end of the save to the call of `on_batch`. `--tree 100000`
adds a tree of that many files, a hundred in a folder, and measures start and idle in it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from midflight.values import Batch
from midflight.watch import Filters, Watch

GIT = ("git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0")
PACKAGES, MODULES = 50, 20
PATIENCE_S = 120.0


class Listener:
    """A Watch over one folder, and when each of its batches came."""

    def __init__(self, root: Path, backend: str, quiet_ms: float | None) -> None:
        self.batches: queue.Queue[tuple[float, Batch]] = queue.Queue()
        began = time.perf_counter()
        self.watch = Watch(Filters([str(root)]), self._take, backend=backend, quiet_ms=quiet_ms, sweep_s=3600)
        self.watch.start()
        self.start_ms = (time.perf_counter() - began) * 1000

    def _take(self, batch: Batch) -> None:
        self.batches.put((time.perf_counter(), batch))

    def first_with(self, path: Path) -> float:
        while True:
            at, batch = self.batches.get(timeout=PATIENCE_S)
            if str(path) in batch.paths:
                return at

    def drop_all(self) -> None:
        while not self.batches.empty():
            self.batches.get()

    def until_quiet(self, wait_s: float) -> list[tuple[float, Batch]]:
        """All batches until none has come for `wait_s`."""
        found = [self.batches.get(timeout=PATIENCE_S)]
        try:
            while True:
                found.append(self.batches.get(timeout=wait_s))
        except queue.Empty:
            return found


@contextmanager
def listening(root: Path, backend: str, quiet_ms: float | None) -> Iterator[Listener]:
    listener = Listener(root, backend, quiet_ms)
    try:
        yield listener
    finally:
        listener.watch.stop()


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def replace(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.new")
    aside.write_text(text)
    os.replace(aside, path)


def as_vim(path: Path, text: str) -> None:
    backup = path.with_name(path.name + "~")
    os.rename(path, backup)
    path.write_text(text)
    os.unlink(backup)


SAVES: dict[str, Callable[[Path, str], None]] = {"in place": in_place, "replace": replace, "as vim": as_vim}


def make_program(root: Path) -> list[Path]:
    paths = [root / f"p{package}/m{module}.py" for package in range(PACKAGES) for module in range(MODULES)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("value = 0\n")
    return paths


def save_latencies(listener: Listener, paths: list[Path], style: str, count: int) -> list[float]:
    found = []
    for number in range(count):
        path = paths[(number * 37) % len(paths)]
        SAVES[style](path, f"value = {number}\n")
        saved = time.perf_counter()
        found.append((listener.first_with(path) - saved) * 1000)
        listener.watch.drain()  # a second event of the same save is not the next one's
        listener.drop_all()
    return found


def burst(listener: Listener, write: Callable[[], None]) -> dict[str, float]:
    began = time.perf_counter()
    write()
    ended = time.perf_counter()
    batches = listener.until_quiet(1.0)
    return {
        "writing_ms": (ended - began) * 1000,
        "last_batch_after_ms": (batches[-1][0] - ended) * 1000,
        "batches": len(batches),
        "files": len({path for _, batch in batches for path in batch.paths}),
    }


def write_all(folder: Path, files: int, text: str) -> None:
    for number in range(files):
        (folder / f"m{number}.py").write_text(text)


def make_repository(root: Path, files: int) -> None:
    root.mkdir()
    git(root, "init", "-q", "-b", "one")
    write_all(root, files, "one = 1\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "one")
    git(root, "checkout", "-q", "-b", "two")
    write_all(root, files, "two = 2\n")
    git(root, "commit", "-q", "-a", "-m", "two")


def git(root: Path, *words: str) -> None:
    subprocess.run((*GIT, *words), cwd=root, check=True, capture_output=True)


def wakeups() -> dict[int, int]:
    """Thread → how often it went to sleep of itself so far (Linux)."""
    found = {}
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/status") as file:
            found[int(task)] = next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
    return found


def idle(listener: Listener, seconds: float) -> dict[str, float]:
    """Wake-ups and CPU of all threads but this one."""
    own = threading.get_native_id()
    before, cpu = wakeups(), time.process_time()
    time.sleep(seconds)
    used, after = time.process_time() - cpu, wakeups()
    woken = sum(count - before.get(task, 0) for task, count in after.items() if task != own)
    return {"wakeups_per_s": woken / seconds, "cpu_percent": 100 * used / seconds}


def memory_mb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def make_tree(root: Path, files: int) -> None:
    for number in range(0, files, 100):
        folder = root / f"d{number // 10_000}/p{number // 100}"
        folder.mkdir(parents=True)
        for module in range(min(100, files - number)):
            (folder / f"m{module}.py").touch()


def measure_run(folder: Path, backend: str, options: argparse.Namespace, into: dict[str, list[Any]]) -> None:
    program, many, repository = folder / "program", folder / "many", folder / "repository"
    paths = sorted(program.glob("p*/*.py"))
    with listening(program, backend, options.quiet_ms) as listener:
        into.setdefault("start_ms", []).append(listener.start_ms)
        for style in SAVES:
            into.setdefault(style, []).extend(save_latencies(listener, paths, style, options.saves))
    with listening(many, backend, options.quiet_ms) as listener:
        text = f"at = {time.time_ns()}\n"
        into.setdefault("burst", []).append(burst(listener, lambda: write_all(many, options.files, text)))
    with listening(repository, backend, options.quiet_ms) as listener:
        branch = "one" if "two" in (repository / "m0.py").read_text() else "two"
        into.setdefault("checkout", []).append(burst(listener, lambda: git(repository, "checkout", "-q", branch)))


def measure_tree(root: Path, backend: str, options: argparse.Namespace, into: dict[str, list[Any]]) -> None:
    before = memory_mb()
    with listening(root, backend, options.quiet_ms) as listener:
        into.setdefault("tree_start_ms", []).append(listener.start_ms)
        into.setdefault("tree_memory_mb", []).append(memory_mb() - before)
        if options.idle:
            into.setdefault("idle", []).append(idle(listener, options.idle))


def summary(found: dict[str, list[Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, values in found.items():
        if isinstance(values[0], dict):
            made[name] = {key: round(statistics.median(one[key] for one in values), 2) for key in values[0]}
        elif name in SAVES:
            ordered = sorted(values)
            p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
            made[name] = {"n": len(values), "median_ms": round(statistics.median(values), 2), "p99_ms": round(p99, 2)}
        else:
            made[name] = round(statistics.median(values), 2)
    return made


def table(found: dict[str, dict[str, Any]]) -> str:
    rows = [("backend", *found)]
    names = list(dict.fromkeys(name for one in found.values() for name in one))
    for name in names:
        keys = next((list(one[name]) for one in found.values() if isinstance(one.get(name), dict)), [None])
        for key in keys:
            cells = [one.get(name, {}) if key is None else one.get(name, {}).get(key, "") for one in found.values()]
            rows.append((name if key is None else f"{name}, {key}", *map(str, cells)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def available() -> str:
    names = ["inotify"] if sys.platform == "linux" else []
    names += [name for name in ("watchfiles", "watchdog") if importlib.util.find_spec(name)]
    return ",".join([*names, "polling"])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", default=available())
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--saves", type=int, default=40, help="of each style in each run")
    parser.add_argument("--files", type=int, default=1000, help="in a burst and in a checkout")
    parser.add_argument("--tree", type=int, default=0, help="files of the tree for start and idle")
    parser.add_argument("--idle", type=float, default=5.0, help="seconds")
    parser.add_argument("--quiet-ms", type=float, default=None)
    parser.add_argument("--json", action="store_true", help="JSON only")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    backends = options.backends.split(",")
    found: dict[str, dict[str, list[Any]]] = {backend: {} for backend in backends}
    folder = Path(tempfile.mkdtemp(prefix="midflight-bench-")).resolve()
    try:
        make_program(folder / "program")
        (folder / "many").mkdir()
        write_all(folder / "many", options.files, "")
        make_repository(folder / "repository", options.files)
        if options.tree:
            make_tree(folder / "tree", options.tree)
        for run in range(options.runs):
            for backend in backends if run % 2 == 0 else backends[::-1]:
                measure_run(folder, backend, options, found[backend])
                measure_tree(folder / ("tree" if options.tree else "program"), backend, options, found[backend])
    finally:
        shutil.rmtree(folder)
    result = {backend: summary(one) for backend, one in found.items()}
    if not options.json:
        print(table(result))
    print(json.dumps({"bench": "watch", "python": sys.version.split()[0], "runs": options.runs, "watch": result}))


if __name__ == "__main__":
    main()
