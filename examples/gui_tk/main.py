"""A Tk program that is edited while it runs; it needs nothing but Python.

    python examples/gui_tk/main.py [--watch] [--state FILE]

Edit view.py or client.py, then press Ctrl+Alt+R or the button. With --watch a save is enough. What you typed, selected,
scrolled and opened stays; an edit that fails tints the window red and the old code goes on.
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
    parser.add_argument("--watch", action="store_true", help="take saves by themselves, before a frame")
    parser.add_argument("--state", metavar="FILE", help="write what the program holds there, as JSON, while it runs")
    options = parser.parse_args()
    session = midflight.start(paths=[HERE], mode="pump" if options.watch else "manual")

    import client
    import view

    HotReloader.register(HotModule("view", HERE / "view.py", list(view.STATE_KEYS), view.DELEGATION_TARGETS))
    HotReloader.register(HotModule("client", HERE / "client.py", [], client.DELEGATION_TARGETS))
    try:
        view.App(state_file=options.state).run()
    finally:
        session.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
