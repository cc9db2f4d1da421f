"""The terminal: `python examples/terminal/main.py`. Its own loop stays; what it calls can be changed while it runs."""

import sys
from pathlib import Path

import ultra

if __name__ == "__main__":
    sys.exit(ultra.main(Path(__file__).resolve().parent))
