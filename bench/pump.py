"""What an idle session costs: a pump() with nothing to do, wake-ups and CPU time while nothing changes.

python bench/pump.py [--runs 5] [--files 2000] [--seconds 10]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from record import record, spread

import midflight

CALLS = 200_000


def pump_ns(session: midflight.Session) -> float:
    """CPU time of one idle pump() call, with the call and the turn of the loop around it."""
    began = time.thread_time_ns()
    for _ in range(CALLS):
        session.pump()
    return (time.thread_time_ns() - began) / CALLS


def wake_ups() -> int:
    """Voluntary context switches of all threads but this one, so far."""
    total = 0
    own = str(Path("/proc/thread-self").resolve().name)
    for task in Path("/proc/self/task").iterdir():
        if task.name != own:
            line = next(line for line in (task / "status").read_text().splitlines() if line.startswith("voluntary"))
            total += int(line.split()[1])
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    pumps, woken, cpu = [], [], []
    with tempfile.TemporaryDirectory(prefix="pump-") as scratch:
        for number in range(options.files):
            folder = Path(scratch) / f"f{number // 100}"
            folder.mkdir(exist_ok=True)
            (folder / f"m{number}.py").write_text("X = 1\n")
        for _ in range(options.runs):
            with midflight.Session(paths=[scratch], mode="pump") as session:
                pumps.append(pump_ns(session))
            with midflight.Session(paths=[scratch], mode="auto"):
                time.sleep(1.0)
                before, used = wake_ups(), time.process_time()
                time.sleep(options.seconds)
                woken.append((wake_ups() - before) / options.seconds)
                cpu.append((time.process_time() - used) / options.seconds * 100)
    rows = [
        ("pump() with nothing to do, ns of CPU time", spread(pumps, 0)),
        ("idle wake-ups a second", spread(woken, 2)),
        ("idle CPU time, %", spread(cpu, 3)),
    ]
    note = f"{options.runs} runs of {CALLS} calls and {options.seconds:g} s of idling; {options.files} files watched."
    figures = {"pump_ns": pumps, "wake_ups": woken, "cpu_percent": cpu}
    medians = {name: statistics.median(values) for name, values in figures.items()}
    record("pump", "An idle session", ("", "median (smallest-largest)"), rows, [note], **medians)


if __name__ == "__main__":
    main()
