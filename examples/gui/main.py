"""A Dear ImGui program that is edited while it runs.

    pip install imgui-bundle
    python examples/gui/main.py [--watch] [--state FILE]

Edit src/gui_2.py or src/ai_client.py, then press Ctrl+Alt+R or the button in the MMA dashboard. With --watch a save is
enough. What you typed, selected, scrolled and opened stays; an edit that fails tints the window red and the old code
goes on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import midflight
from midflight.gui import HotModule, HotReloader

HERE = Path(__file__).resolve().parent


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--watch", action="store_true", help="take saves by themselves, at the top of a frame")
    parser.add_argument("--state", metavar="FILE", help="write what the program holds there, as JSON, while it runs")
    options = parser.parse_args()
    session = midflight.start(paths=[HERE], mode="pump" if options.watch else "manual")

    from src import ai_client, gui_2

    HotReloader.register(
        HotModule("src.gui_2", HERE / "src/gui_2.py", list(gui_2.STATE_KEYS), gui_2.DELEGATION_TARGETS)
    )
    HotReloader.register(HotModule("src.ai_client", HERE / "src/ai_client.py", [], ai_client.DELEGATION_TARGETS))
    try:
        gui_2.App(state_file=options.state).run()
    finally:
        session.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
