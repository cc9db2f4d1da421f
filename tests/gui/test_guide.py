"""The programs that docs/gui.md shows, each in a window: a save is drawn, a broken one is not, the next good one is."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import ImageGrab

from .display import ROOT, display, missing, until

pytestmark = [pytest.mark.one_version, pytest.mark.timeout(600)]

SHOWN = dict(
    re.findall(r"^```python file=(\S+)\n(.*?)^```$", (ROOT / "docs/gui.md").read_text(), re.MULTILINE | re.DOTALL)
)
# the toolkit's module; how a view writes a colour
TOOLKITS = {
    "imgui": ("imgui_bundle", "({:.2f}, {:.2f}, {:.2f})", 1 / 255),
    "tk": ("_tkinter", '"#{:02x}{:02x}{:02x}"', 1),
    "pygame": ("pygame", "({}, {}, {})", 1),
    "qt": ("PySide6", '"#{:02x}{:02x}{:02x}"', 1),
}
ORANGE, BLUE = (204, 102, 51), (51, 102, 204)


@pytest.fixture
def screen() -> Iterator[str]:
    assert not missing(), f"missing: {missing()}; apt-get install xvfb xdotool"
    with display() as name:
        yield name


@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_a_program_of_the_guide_draws_each_good_save(toolkit: str, screen: str, tmp_path: Path) -> None:
    needs, form, scale = TOOLKITS[toolkit]
    if importlib.util.find_spec(needs) is None:
        pytest.skip(f"this Python was built without {needs}" if needs == "_tkinter" else f"{needs} is not installed")
    names = [f"{toolkit}_view.py", f"{toolkit}_main.py"]
    for name in names:
        (tmp_path / name).write_text(SHOWN[name])
    view, log = tmp_path / names[0], tmp_path / "log"
    env = {
        **os.environ, "DISPLAY": screen, "LIBGL_ALWAYS_SOFTWARE": "1", "PYTHONPATH": str(ROOT / "src"),
        "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tmp_path), "QT_QPA_PLATFORM": "xcb", "SDL_VIDEODRIVER": "x11",
    }  # fmt: skip
    with log.open("w") as file:
        process = subprocess.Popen([sys.executable, names[1]], cwd=tmp_path, env=env, stdout=file, stderr=file)

    def drawn(colour: tuple[int, int, int]) -> bool:
        assert process.poll() is None, f"the program ended:\n{log.read_text()}"
        pixels = ImageGrab.grab(xdisplay=screen).convert("RGB").getcolors(1 << 20) or []
        near = [count for count, got in pixels if all(abs(a - b) <= 4 for a, b in zip(got, colour, strict=True))]
        return sum(near) > 40_000

    def save(colour: tuple[int, int, int], broken: bool = False) -> None:
        said = form.format(*(part * scale for part in colour)) if scale != 1 else form.format(*colour)
        text = re.sub(r"^COLOUR = .*$", f"COLOUR = {said}", SHOWN[names[0]], flags=re.MULTILINE)
        view.write_text(re.sub(r"(def render.*:\n)", r"\1    1 / 0\n", text) if broken else text)

    try:
        until("the window is drawn", lambda: drawn((51, 128, 77)), log.read_text)
        save(ORANGE)
        until("the save is drawn", lambda: drawn(ORANGE), log.read_text)
        save(BLUE, broken=True)
        until("the broken save is told", lambda: "MF041" in log.read_text(), log.read_text)
        time.sleep(0.5)
        assert drawn(ORANGE)
        save(BLUE)
        until("the mended save is drawn", lambda: drawn(BLUE), log.read_text)
    finally:
        process.kill()
        process.wait()
