"""A frame loop under midflight.gui: what a frame pays when nothing happens, and 10,000 reloads between two frames.

python bench/gui.py [--runs 5] [--reloads 10000] [--frames 200]
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from record import ROOT, quantile, record, spread

CALLS = 200_000
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


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024


def measured(folder: Path, runs: int, reloads: int) -> dict[str, Any]:
    import midflight
    from midflight.gui import HotModule, HotReloader

    path = folder / "view.py"
    path.write_text(view_text(0))
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
        took: list[float] = []
        used: list[float] = []
        memory: list[float] = []
        for number in range(1, reloads + 1):
            path.write_text(view_text(number))
            HotReloader.reload("view", app)
            began, cpu = time.perf_counter(), time.thread_time()
            with HotReloader.guard_frame(app):
                view.render(app)
            took.append((time.perf_counter() - began) * 1000)
            used.append((time.thread_time() - cpu) * 1000)
            assert HotReloader.last_report is not None and HotReloader.last_report.outcome == "committed"
            assert app.history[-1] == number
            if number % max(1, reloads // 10) == 0:
                gc.collect()
                memory.append(resident_mb())
    return {"idle_ns": idle_ns, "took": took, "used": used, "memory": memory}


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
    took, used, memory = found.pop("took"), found.pop("used"), found["memory"]
    tenth = max(1, len(took) // 10)
    rows = [
        ("guard_frame with nothing to do, ns of CPU time a frame", spread(found["idle_ns"], 0)),
        ("a reload between two frames, ms: median, p99", f"{quantile(took, 0.5):.2f}, {quantile(took, 0.99):.2f}"),
        ("the same in CPU time, ms: median, p99", f"{quantile(used, 0.5):.2f}, {quantile(used, 0.99):.2f}"),
        (f"CPU time in the first and the last {tenth} of {len(used)}, median ms",
         f"{quantile(used[:tenth], 0.5):.2f}, {quantile(used[-tenth:], 0.5):.2f}"),
        ("resident memory after each tenth, MB", ", ".join(f"{value:.1f}" for value in memory)),
        ("examples/gui, frames a second (30 at most while idle)", f"{rates['gui']:.1f}"),
        ("examples/gui_tk, frames a second (33 at most)", f"{rates['gui_tk']:.1f}"),
    ]  # fmt: skip
    notes = [
        f"{options.runs} runs of {CALLS} empty frames. A reload is from the top of the frame that takes it to that "
        "frame's end: state copied, the file read, a constant and a function edited, the first frame drawn, the "
        "version and the report stored.",
        "Wall time is that of a machine whose processors other programs kept busy too; CPU time is the reload's own.",
        "Of the growth in memory 64 bytes a reload are the figures that this bench itself keeps (0.6 MB in 10,000).",
        "Frames are drawn by software on this machine's processor; the examples limit their rate themselves.",
    ]
    record("gui", "A frame loop", ("", ""), rows, notes, **found, frames_per_second=rates)


if __name__ == "__main__":
    main()
