"""What the store costs: a commit of 50 modules, opening a history of 100,000 reports, going through it.

python bench/store.py [--runs 5] [--reports 100000]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import environment, record, spread

from midflight.store.keeper import Keeper
from midflight.store.versions import Ran, Store, sha_of
from midflight.values import ModuleReport, Report

MODULES, COMMITS = 50, 40
LINES = 250  # of each module: about 10 kB
OPEN = """
import sys, time
began = time.perf_counter()
from midflight.store.versions import Store
store = Store(sys.argv[1])
reports = store.journal.reports(10)
assert len(reports) == 10
took = (time.perf_counter() - began) * 1000
loaded = time.perf_counter()
other = Store(sys.argv[1])
other.journal.reports(10)
print(took, (time.perf_counter() - loaded) * 1000)
"""


def text(module: int, version: int) -> bytes:
    lines = [f"def function_{line}(x):  # of module {module}" for line in range(LINES)]
    return f"VERSION = {version}\n".encode() + "\n    return x\n".join(lines).encode()


def commits(folder: Path) -> tuple[list[float], list[float], list[float], list[float]]:
    """Milliseconds that a commit of 50 edited modules costs where the session stands, on the clock and of CPU; until it
    is durable; and for comparison one plain fsync of as many bytes."""
    durable: dict[str, float] = {}

    def tell(kind: str, report_id: str, detail: object) -> None:
        durable[f"{kind} {report_id}"] = time.perf_counter()

    keeper = Keeper(
        str(folder / "store"),
        wanted=lambda path: True,
        keep=20,
        window_s=60.0,
        tell=tell,
        passed=lambda window: None,
        trouble=print,
    )
    inside, cpu, began = [], [], {}
    for number in range(COMMITS):
        ran = [Ran(f"m{n}", f"/p/m{n}.py", text(n, number), text(n, number + 1)) for n in range(MODULES)]
        modules = {
            one.module: ModuleReport(grafted=("f",), before=sha_of(one.before or b""), after=sha_of(one.after or b""))
            for one in ran
        }
        start, worked = time.perf_counter(), time.thread_time()
        report = Report(f"r{keeper.number()}", time.time(), "bench", "committed", modules=modules)
        keeper.record(report, ran, reason="", author="bench", writing=None)
        keeper.follow()
        inside.append((time.perf_counter() - start) * 1000)
        cpu.append((time.thread_time() - worked) * 1000)
        began[report.id] = start
        time.sleep(0.05)
    keeper.close()
    until = [(durable[f"durable {name}"] - start) * 1000 for name, start in began.items()]
    plain = [fsync(folder / "plain", sum(len(one.after or b"") for one in ran)) for _ in range(10)]
    return inside[1:], cpu[1:], until[1:], plain  # the first makes the store and holds twice the texts


def fsync(path: Path, size: int) -> float:
    import os

    with path.open("wb") as file:
        file.write(b"x" * size)
        file.flush()
        start = time.perf_counter()
        os.fsync(file.fileno())
        return (time.perf_counter() - start) * 1000


def long_history(folder: Path, reports: int) -> None:
    store = Store(str(folder))
    done = {
        "shop.cart": ModuleReport(grafted=("total",), before=sha_of(b"a"), after=sha_of(b"b"), path="/shop/cart.py")
    }
    with store.database.write(synced=False):
        for number in range(reports):
            report = Report(
                f"r{number}", float(number), "watcher", "committed", modules=done, timings_ms={"total": 1.5}
            )
            store.journal.append("report", report.id, report.to_json(), report.at)
    store.close()


def opening(folder: Path) -> tuple[float, float]:
    """Milliseconds in a new process: with all imports, and without them."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(folder)],
        env=environment(folder.parent),
        capture_output=True,
        text=True,
        check=True,
    )
    with_imports, without = done.stdout.split()
    return float(with_imports), float(without)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--reports", type=int, default=100_000)
    options = parser.parse_args()
    commit: list[tuple[float, ...]] = []
    opened: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="store-", dir=Path.cwd()) as scratch:
        history = Path(scratch) / "history"
        long_history(history, options.reports)
        for run in range(options.runs):
            folder = Path(scratch) / f"run{run}"
            folder.mkdir()
            commit.append(tuple(map(statistics.median, commits(folder))))
            opened.append(opening(history))
            shutil.rmtree(folder)
        start = time.perf_counter()
        store = Store(str(history))
        wrong, verified = store.verify(), time.perf_counter() - start
        store.close()
    inside, cpu, until, plain = ([run[place] for run in commit] for place in range(4))
    rows = [
        (f"commit of {MODULES} modules: where the session stands", spread(inside)),
        (f"commit of {MODULES} modules: CPU of it", spread(cpu)),
        (f"commit of {MODULES} modules: until it is durable", spread(until)),
        ("one fsync of as many bytes, for comparison", spread(plain)),
        (
            f"open a history of {options.reports} reports, read ten, imports included",
            spread([one for one, _ in opened]),
        ),
        ("the same without imports", spread([one for _, one in opened])),
        (f"audit --verify of {options.reports} reports", f"{verified * 1000:.0f}"),
    ]
    assert not wrong, wrong
    note = f"{options.runs} runs, each the median of {COMMITS} commits; modules of about {len(text(0, 0)) // 1000} kB."
    figures = {"commit_ms": statistics.median(inside), "open_ms": statistics.median(one for one, _ in opened)}
    record("store", "The store", ("", "ms"), rows, [note], **figures)


if __name__ == "__main__":
    main()
