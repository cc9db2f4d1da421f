"""What a hundred connected pages cost the program that reloads fifty times a second; and whether each gets it all.

python bench/devtools.py [--rounds 6] [--pages 100] [--rate 50] [--seconds 6]

One program answers requests of about a millisecond in its main thread while another thread reloads. Rounds with pages
and rounds without the DevTools alternate in the same process; the figure is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from record import record, spread
from websockets.asyncio.client import ClientConnection, connect

PROGRAM = """
import json, sys, threading, time
import midflight
from midflight.devtools import serve

sys.path.insert(0, sys.argv[1])
import part

session = midflight.Session(paths=[sys.argv[1]], mode="manual")
session.start()
rate, number = float(sys.argv[2]), 0


def reloading(stop, made):
    global number
    due = time.perf_counter()
    while not stop.is_set():
        number += 1
        with open(part.__file__, "w") as file:
            file.write(f"LIMIT = {number}\\n\\n\\ndef value():\\n    return {number}\\n")
        made.append(session.reload([part.__file__]).id)
        due += 1 / rate
        time.sleep(max(0.0, due - time.perf_counter()))


def answer():
    total = 0
    for step in range(12_000):
        total += step * step
    return total


def measured(seconds):
    stop, made, took = threading.Event(), [], []
    thread = threading.Thread(target=reloading, args=(stop, made))
    thread.start()
    ends = time.perf_counter() + seconds
    while (began := time.perf_counter()) < ends:
        answer()
        took.append(time.perf_counter() - began)
        time.sleep(0.001)
    stop.set()
    thread.join()
    return {"took": took, "made": made}


server = None
for line in sys.stdin:
    command, _, argument = line.strip().partition(" ")
    if command == "serve":
        server = serve(session, "127.0.0.1:0")
        print(json.dumps({"url": server.url, "token": server.app.access.token}), flush=True)
    elif command == "close":
        server.close()
        print("{}", flush=True)
    else:
        print(json.dumps(measured(float(argument))), flush=True)
"""


class Program:
    """The program that is measured, asked line by line."""

    def __init__(self, folder: str, rate: float) -> None:
        (Path(folder) / "part.py").write_text("LIMIT = 0\n\n\ndef value():\n    return 0\n")
        command = [sys.executable, "-c", PROGRAM, folder, str(rate)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder)

    def ask(self, line: str) -> Any:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(line + "\n")
        stdin.flush()
        return json.loads(stdout.readline())


async def page(socket: ClientConnection, frames: list[str]) -> None:
    """Keeps what it is sent as it is: reading it would cost the machine that the program runs on."""
    async for frame in socket:
        frames.append(str(frame))


async def with_pages(program: Program, pages: int, seconds: float) -> tuple[list[float], int]:
    """The program's latencies with that many pages, and how many pages did not get every report in order."""
    served = await asyncio.to_thread(program.ask, "serve")
    address = served["url"].replace("http", "ws") + "/api/events?batch=1"
    headers = {"Authorization": f"Bearer {served['token']}"}
    options: dict[str, Any] = {"additional_headers": headers, "max_size": None, "proxy": None, "compression": None}
    sockets = [await connect(address, **options) for _ in range(pages)]
    frames: list[list[str]] = [[] for _ in sockets]
    readers = [asyncio.create_task(page(*pair)) for pair in zip(sockets, frames, strict=True)]
    measured = await asyncio.to_thread(program.ask, f"measure {seconds}")
    await asyncio.sleep(2 * pages / 200 + 0.5)  # what is still on its way: at most 200 frames a second for all
    wrong = sum(reports(one) != measured["made"] for one in frames)
    for socket in sockets:
        await socket.close()
    await asyncio.gather(*readers)
    await asyncio.to_thread(program.ask, "close")
    return measured["took"], wrong


def reports(frames: list[str]) -> list[str]:
    """The ids of the reports that one page was sent, in that order."""
    news = [one for frame in frames[1:] for one in json.loads(frame)]
    return [one["report"]["id"] for one in news if "report" in one]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)] * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=6.0)
    options = parser.parse_args()
    alone: list[list[float]] = []
    seen: list[list[float]] = []
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="devtools-") as folder:
        program = Program(folder, options.rate)
        program.ask(f"measure {options.seconds / 3}")  # the first reloads load the stages
        for number in range(options.rounds):
            for with_them in (False, True) if number % 2 else (True, False):
                if with_them:
                    took, missed = asyncio.run(with_pages(program, options.pages, options.seconds))
                    seen.append(took)
                    wrong += missed
                else:
                    alone.append(program.ask(f"measure {options.seconds}")["took"])
        assert program.process.stdin is not None
        program.process.stdin.close()
        program.process.wait()
    medians = [[percentile(one, 0.5) for one in side] for side in (alone, seen)]
    tails = [[percentile(one, 0.95) for one in side] for side in (alone, seen)]
    ratios = [b / a for a, b in zip(*medians, strict=True)]
    tail_ratios = [b / a for a, b in zip(*tails, strict=True)]
    rows = [
        ("median latency without the DevTools, ms", spread(medians[0], 3)),
        (f"median latency with {options.pages} pages, ms", spread(medians[1], 3)),
        ("ratio of medians", spread(ratios, 3)),
        ("ratio of 95th percentiles", spread(tail_ratios, 3)),
        ("pages that missed a report, or got one out of order", str(wrong)),
    ]
    note = (
        f"{options.rounds} rounds of {options.seconds:g} s each way, {options.rate:g} reloads a second; pages and "
        "program share the machine's cores."
    )
    figures = {"ratio": statistics.median(ratios), "ratio_p95": statistics.median(tail_ratios), "wrong": float(wrong)}
    record("devtools", "A hundred pages", ("", "median (smallest-largest)"), rows, [note], **figures)


if __name__ == "__main__":
    main()
