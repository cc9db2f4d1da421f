"""Where each engine of the benches runs: virtual environments in .cache/bench, made once, with pinned versions."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))  # interpreters are found where `make` finds them

import house  # noqa: E402

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"
CACHE = HERE.parent / ".cache" / "bench"


@dataclass(frozen=True)
class Engine:
    """One that takes edits: its driver in bench/drivers, and the oldest Python it runs on.

    `beside` names the engine that midflight's own figure comes from: the one on the same Python."""

    title: str
    driver: str
    version: str = OWN
    beside: str = "midflight"

    @property
    def pins(self) -> Path:
        return HERE / "peers" / f"{self.driver}.txt"


MIDFLIGHT = Engine("midflight", "midflight")
PEERS = (
    Engine("importlib.reload", "importlib_reload"),
    Engine("IPython autoreload", "ipython"),
    Engine("jurigged", "jurigged"),
    Engine("marimo", "marimo"),
    Engine("hmr", "hmr", "3.12"),
    Engine("restart", "restart"),
)


def engines(only: list[str] | None = None) -> list[Engine]:
    """Midflight, the peers that can run here, and midflight again on the Python of a peer that needs a newer one."""
    found = [MIDFLIGHT]
    for peer in PEERS:
        if only and peer.driver not in only:
            continue
        if peer.version <= OWN:
            found.append(replace(peer, version=OWN))
        elif house.find_interpreter(peer.version) is None:
            print(f"{peer.title} needs Python {peer.version}, which does not run here: left out", file=sys.stderr)
        else:
            own = Engine(f"midflight on {peer.version}", "midflight", peer.version, f"midflight on {peer.version}")
            found += [own, replace(peer, beside=own.title)]
    return found


def python(engine: Engine) -> str:
    """The interpreter that has what `engine` needs; its environment is made where it is missing."""
    if engine.version == OWN and not engine.pins.exists():
        return sys.executable
    return environment(engine.driver if engine.pins.exists() else "bare", engine.version, engine.pins)


def environment(name: str, version: str, pins: Path) -> str:
    """The interpreter of an environment of `version` with what the file `pins` lists, made once."""
    folder = CACHE / f"{name}-{version}"
    wanted = hashlib.sha256(pins.read_bytes() if pins.exists() else b"").hexdigest()
    stamp = folder / "made-of"
    interpreter = house.Environment(version, folder).python
    if stamp.exists() and stamp.read_text() == wanted and house.probe(interpreter) is not None:
        return interpreter
    with alone(folder):
        base = house.Interpreter(OWN, sys.executable) if version == OWN else house.find_interpreter(version)
        assert base is not None, f"Python {version} ran a moment ago"
        print(f"== Setting up {folder.relative_to(HERE.parent)} with Python {version}", flush=True)
        house.make_venv(house.Environment(version, folder), base)
        if pins.exists():
            house.quietly(interpreter, "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(pins))
        stamp.write_text(wanted)
    return interpreter


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds a lock beside `folder`, so that two benches do not fill it at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def surroundings(folder: Path) -> dict[str, str]:
    """The environment variables of an engine's process: without settings of midflight's or Python's, and its source."""
    left_out = ("MIDFLIGHT_", "HOT_RELOAD_", "PYTHON", "VIRTUAL_ENV")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(left_out)}
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {**kept, "PYTHONPATH": str(HERE.parent / "src"), "XDG_RUNTIME_DIR": str(runtime), "NO_COLOR": "1"}
