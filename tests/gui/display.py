"""A program in a window of its own display: keys and the pointer by xdotool, what is drawn by screenshots."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageGrab

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 90.0  # software rendering on a busy machine
NEEDED = ("Xvfb", "xdotool")


def missing() -> list[str]:
    return [name for name in NEEDED if shutil.which(name) is None]


@contextlib.contextmanager
def display() -> Iterator[str]:
    """An X server with software rendering and no window manager: its name, such as `:3`."""
    end, other = os.pipe()
    command = ["Xvfb", "-displayfd", str(other), "-screen", "0", "1000x700x24", "+extension", "GLX", "-nolisten", "tcp"]
    command += ["-r"]  # a key that is held on a slow machine is one key
    command += ["-noreset"]  # else it starts anew, deaf for a moment, whenever the last one who looked leaves
    server = subprocess.Popen(command, pass_fds=[other], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(other)
    try:
        with os.fdopen(end) as file:
            number = file.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def until(what: str, ask: Callable[[], Any], tell: Callable[[], Any] = str) -> Any:
    """The first answer that is true. Fails after DEADLINE_S, with what `tell` says."""
    deadline = time.monotonic() + DEADLINE_S
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}\n{tell()}"
        time.sleep(0.05)
    return answer


class Window:
    """A running example: `folder` is its copy, `state()` what it says of itself."""

    def __init__(self, folder: Path, display: str, title: str, *options: str) -> None:
        self.folder, self.display = folder, display
        self.state_file = folder.parent / f"{folder.name}-state.json"
        self.log = folder.parent / f"{folder.name}.log"
        self.env = {
            **os.environ,
            "DISPLAY": display,
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(folder.parent),
        }
        command = [sys.executable, str(folder / "main.py"), "--state", str(self.state_file), *options]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=self.env, stdout=log, stderr=log)
        self.until("frames are drawn", lambda: self.state().get("frames", 0) > 5)
        self.id = self.xdotool("search", "--name", title).split()[0]
        self.xdotool("windowfocus", self.id)
        placed = dict(line.split("=") for line in self.xdotool("getwindowgeometry", "--shell", self.id).split())
        self.origin = int(placed["X"]), int(placed["Y"])

    def close(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self.env, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    def state(self) -> dict[str, Any]:
        assert self.process.poll() is None, f"the program ended:\n{self.log.read_text()}"
        try:
            said: dict[str, Any] = json.loads(self.state_file.read_text())
        except FileNotFoundError:
            return {}
        return said

    def until(self, what: str, ask: Callable[[], Any]) -> Any:
        return until(what, ask, lambda: f"{self.state()}\n{self.log.read_text()}")

    def until_frames(self, more: int = 3) -> None:
        """Some frames are drawn from now on."""
        begun = self.state()["frames"]
        self.until(f"{more} more frames", lambda: self.state()["frames"] >= begun + more)

    # -- what a person does -----------------------------------------------------------------------------

    def place(self, name: str) -> tuple[int, int]:
        x, y = self.state()["layout"][name]
        return self.origin[0] + x, self.origin[1] + y

    def point(self, name: str) -> None:
        self.xdotool("mousemove", *map(str, self.place(name)))
        self.until_frames(2)

    def click(self, name: str, button: int = 1) -> None:
        """Held for some frames: a click between two of them would be none."""
        self.point(name)
        self.xdotool("mousedown", str(button))
        self.until_frames(2)
        self.xdotool("mouseup", str(button))
        self.until_frames(2)

    def type(self, text: str) -> None:
        for letter in text:
            key = "space" if letter == " " else letter
            self.xdotool("keydown", key)
            self.until_frames(2)
            self.xdotool("keyup", key)

    def press_chord(self) -> None:
        """Ctrl+Alt+R, by keys that go down and up one after the other."""
        self.xdotool("keydown", "ctrl", "keydown", "alt")
        self.until_frames(2)
        self.xdotool("keydown", "r")
        self.until_frames(3)
        self.xdotool("keyup", "r", "keyup", "alt", "keyup", "ctrl")

    def edit(self, name: str, *edits: tuple[str, str]) -> None:
        path = self.folder / name
        text = path.read_text()
        for old, new in edits:
            assert old in text, f"{old!r} is not in {name}"
            text = text.replace(old, new)
        path.write_text(text)

    # -- what a person sees -----------------------------------------------------------------------------

    def screen(self, name: str = "") -> Image.Image:
        """The whole display; with a `name` it is also written beside the program."""
        image = ImageGrab.grab(xdisplay=self.display).convert("RGB")
        if name:
            image.save(self.folder.parent / f"{name}.png")
        return image

    def colour(self, name: str) -> tuple[int, int, int]:
        """What is drawn at the middle of a widget."""
        found = self.screen().getpixel(self.place(name))
        assert isinstance(found, tuple)
        return found[0], found[1], found[2]

    def until_colour(self, name: str, wanted: tuple[float, float, float], tint: float = 0.0) -> None:
        """The widget has this colour (shares of 1) under this much of red."""
        mixed = [round(255 * (share * (1 - tint) + full * tint)) for share, full in zip(wanted, (1, 0, 0), strict=True)]
        what = f"{name} in {mixed}"
        self.until(what, lambda: all(abs(a - b) <= 6 for a, b in zip(self.colour(name), mixed, strict=True)))


def copied(example: str, folder: Path) -> Path:
    """A copy of an example, to be edited."""
    made = folder / example
    shutil.copytree(ROOT / "examples" / example, made, ignore=shutil.ignore_patterns("__pycache__", ".midflight"))
    return made
