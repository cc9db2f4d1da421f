"""A frame loop under midflight.gui: what a frame pays when nothing happens, and 10,000 reloads between two frames.

python bench/gui.py [--runs 5] [--reloads 10000] [--frames 200]
"""

from __future__ import annotations

import argparse
import array
import gc
import importlib.util
import itertools
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from record import ROOT, quantile, record, spread

CALLS = 200_000
TENTHS = 10
WARM_UP = 2  # tenths: a session remembers its last 1000 reports, and the store a few pages
VIEW = '''"""A view with {functions} functions."""

LABEL = "version {version}"


def render(app):
    app.drawn += len(LABEL)
    app.history.append({version})
    del app.history[:-200]
'''
FUNCTION = """

def render_{number}(app):
    for row in app.rows:
        if row["done"]:
            app.drawn += {number}
    return LABEL
"""


class App:
    def __init__(self) -> None:
        self.drawn = 0
        self.draft = "half a sentence"
        self.history: list[float] = [0.0] * 200
        self.rows = [{"name": f"row {number}", "done": number % 3 == 0} for number in range(100)]


def view_text(version: int, functions: int = 30) -> str:
    head = VIEW.format(version=version, functions=functions)
    return head + "".join(FUNCTION.format(number=number) for number in range(functions))


def frame_ns(frame: Callable[[], None], bare: Callable[[], None]) -> float:
    """CPU time that the guard adds to a frame that does nothing."""
    took = []
    for one in (frame, bare):
        began = time.thread_time_ns()
        for _ in range(CALLS):
            one()
        took.append((time.thread_time_ns() - began) / CALLS)
    return took[0] - took[1]


def fixed_work(text: str) -> None:
    """What takes as long in the last reload as in the first, to tell a slower reload from a slower machine."""
    for _ in range(5):
        compile(text, "fixed.py", "exec")


def cpu_ms(work: Callable[[], None]) -> float:
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1000


def calls_in(work: Callable[[], None]) -> int:
    """Functions, of Python and of C, that this thread calls."""
    calls = 0

    def count(frame: object, event: str, what: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def slope(values: Sequence[float]) -> float:
    """By which part of their median the values grow from first to last: the median slope of all pairs (Theil-Sen), so
    that a busy minute weighs nothing."""
    pairs = itertools.combinations(enumerate(values), 2)
    each = statistics.median((later - sooner) / (at - before) for (before, sooner), (at, later) in pairs)
    return each * (len(values) - 1) / statistics.median(values)


def grown(values: Sequence[float], parts: int) -> float:
    """The slope of the medians of that many parts."""
    size = max(1, len(values) // parts)
    return slope([statistics.median(values[at : at + size]) for at in range(0, len(values) - size + 1, size)])


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024


def measured(folder: Path, runs: int, reloads: int) -> dict[str, Any]:
    import midflight
    from midflight.gui import HotModule, HotReloader

    path = folder / "view.py"
    first = view_text(0)
    path.write_text(first)
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    view = importlib.import_module("view")
    app = App()
    with midflight.Session(paths=[folder], mode="manual") as session:
        midflight.session.set_current(session)
        HotReloader.register(HotModule("view", path, ["draft", "history", "rows"], ["render"]))

        def idle() -> None:
            with HotReloader.guard_frame(app):
                pass

        def bare() -> None:
            pass

        idle_ns = [frame_ns(idle, bare) for _ in range(runs)]
        # Made before the first reload: what the bench keeps is no growth.
        took, used, fixed = (array.array("d", bytes(8 * reloads)) for _ in range(3))
        memory: list[float] = []
        calls: list[int] = []
        counted_at = WARM_UP * max(1, reloads // TENTHS)
        for number in range(1, reloads + 1):
            path.write_text(view_text(number))
            HotReloader.reload("view", app)
            began, cpu = time.perf_counter(), time.thread_time()
            with HotReloader.guard_frame(app):
                view.render(app)
            took[number - 1] = (time.perf_counter() - began) * 1000
            used[number - 1] = (time.thread_time() - cpu) * 1000
            fixed[number - 1] = cpu_ms(lambda: fixed_work(first))
            if number in (counted_at, reloads):
                path.write_text(view_text(-number))
                HotReloader.reload("view", app)
                calls.append(calls_in(lambda: HotReloader.guard_frame(app).__enter__().__exit__(None, None, None)))
                path.write_text(view_text(number))
                HotReloader.reload("view", app)
                with HotReloader.guard_frame(app):
                    pass
            assert HotReloader.last_report is not None and HotReloader.last_report.outcome == "committed"
            assert app.history[-1] == number
            if number % max(1, reloads // TENTHS) == 0:
                gc.collect()
                memory.append(resident_mb())
    return {"idle_ns": idle_ns, "took": took, "used": used, "fixed": fixed, "memory": memory, "calls": calls}


def frames_per_second(program: str, folder: Path, frames: int) -> float:
    """Of the example, in an X server without a graphics card; 0 where that cannot be run here."""
    needs = {"gui": "imgui_bundle", "gui_tk": "_tkinter"}[program]
    if shutil.which("Xvfb") is None or importlib.util.find_spec(needs) is None:
        return 0.0
    sys.path.insert(0, str(ROOT / "tests"))
    from gui.display import Window, copied, display

    with display() as screen:
        window = Window(copied(program, folder), screen, "midflight: a")
        try:
            began, first = time.monotonic(), window.state()["frames"]
            window.until_frames(frames)
            return (window.state()["frames"] - first) / (time.monotonic() - began)
        finally:
            window.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--reloads", type=int, default=10_000)
    parser.add_argument("--frames", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mf-gui-") as scratch:
        folder = Path(scratch)
        (folder / "program").mkdir()
        found = measured(folder / "program", options.runs, options.reloads)
        rates = {name: frames_per_second(name, folder, options.frames) for name in ("gui", "gui_tk")}
    took, used, fixed, memory = found.pop("took"), found.pop("used"), found.pop("fixed"), found["memory"]
    tenth = max(1, len(took) // TENTHS)
    ratios = [one / same for one, same in zip(used, fixed, strict=True)]
    beyond = ratios[WARM_UP * tenth :]
    growth = {"cpu": grown(beyond, 40), "memory": slope(memory[WARM_UP - 1 :])}
    rows = [
        ("guard_frame with nothing to do, ns of CPU time a frame", spread(found["idle_ns"], 0)),
        ("a reload between two frames, ms: median, p99", f"{quantile(took, 0.5):.2f}, {quantile(took, 0.99):.2f}"),
        ("the same in CPU time, ms: median, p99", f"{quantile(used, 0.5):.2f}, {quantile(used, 0.99):.2f}"),
        ("the same in units of a fixed piece of work beside it, median of each tenth",
         ", ".join(f"{quantile(ratios[at : at + tenth], 0.5):.2f}" for at in range(0, tenth * TENTHS, tenth))),
        (f"calls of functions in a reload after {WARM_UP * tenth} and after {len(used)}",
         ", ".join(map(str, found["calls"]))),
        ("resident memory after each tenth, MB", ", ".join(f"{value:.2f}" for value in memory)),
        (f"growth over the last {len(beyond)} of {len(used)} reloads: CPU time, memory",
         f"{growth['cpu']:+.1%}, {growth['memory']:+.1%}"),
        ("examples/gui, frames a second (30 at most while idle)", f"{rates['gui']:.1f}"),
        ("examples/gui_tk, frames a second (33 at most)", f"{rates['gui_tk']:.1f}"),
    ]  # fmt: skip
    notes = [
        f"{options.runs} runs of {CALLS} empty frames. A reload is from the top of the frame that takes it to that "
        "frame's end: state copied, the file read, a constant and a function edited, the first frame drawn, the "
        "version and the report stored.",
        "Wall time is that of a machine whose processors other programs kept busy too; CPU time is the reload's own, "
        "and it too is longer where others share a processor's caches and clock: the fixed piece of work, which a "
        "reload's time is divided by, is five compilations of the first text, after each reload.",
        f"The first {WARM_UP * tenth} reloads are left out of the growth: a session remembers its last 1000 reports, "
        "and the store a few pages. The growth of CPU time is the median slope between medians of 40 "
        "parts, that of memory between the tenths.",
        "Frames are drawn by software on this machine's processor; the examples limit their rate themselves.",
    ]
    record("gui", "A frame loop", ("", ""), rows, notes, **found, frames_per_second=rates, growth=growth)


if __name__ == "__main__":
    main()
