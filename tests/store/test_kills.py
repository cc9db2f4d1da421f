"""A process that is killed anywhere: the store stays whole, the files are of one version, the next start knows."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import midflight
from midflight.store.faults import POINTS

VICTIM = Path(__file__).with_name("victim.py")
SOURCE = Path(__file__).parents[2] / "src"


class Victim:
    """The program's folder, and what it told before it was last killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "pyproject.toml").touch()
        shutil.copy(VICTIM, folder)
        for name in ("left", "right", "saved"):
            (folder / f"{name}.py").write_text("V = 0\n")
        self.told: list[dict[str, Any]] = []

    def run(self, kill_at: str = "", after_s: float | None = None) -> bool:
        """Whether it was killed; checks what it found at its start against what the one before told."""
        before, self.told = self.told, []
        env = {**os.environ, "PYTHONPATH": str(SOURCE), "_MIDFLIGHT_KILL_AT": kill_at, "XDG_RUNTIME_DIR": ""}
        with subprocess.Popen(
            [sys.executable, VICTIM.name], cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            try:
                out, err = process.communicate(timeout=after_s)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
        killed = process.returncode == -signal.SIGKILL
        assert killed or process.returncode == 0, err.decode()
        self.told = [json.loads(line) for line in out.decode().splitlines() if line.endswith("}")]
        if self.told:
            self._check(self.told[0], before)
        else:
            self.told = before  # it died before it told anything: the next one answers for both
        blocked = self.folder / "right.py.midflight-old~"
        if blocked.is_dir():
            shutil.rmtree(blocked)  # the test's own doing
        return killed

    def _check(self, found: dict[str, Any], before: list[dict[str, Any]]) -> None:
        assert found["verify"] == []
        left, right = found["numbers"]
        assert left == right, "files of one transaction are of one version"
        assert [name for name in found["left over"] if name != "right.py.midflight-old~"] == []
        for module in ("left", "right"):
            if module in found["live"]:
                assert found["files"][module] == found["live"][module], "files and store agree"
        steps = [told for told in before if "id" in told]
        for told in steps:
            assert found["reports"].get(told["id"]) == told["outcome"], "what was told is recorded"
        if steps:
            assert left in self._possible(steps)

    def _possible(self, steps: list[dict[str, Any]]) -> set[int]:
        """The numbers that the files may hold: what the last step told, or what the next one was about to write."""
        last = steps[-1]["numbers"][0]
        base = steps[0]["numbers"][0] - 1
        following = {"save": base, "rollback": base + 4}
        return {last, *([following[steps[-1]["step"]]] if steps[-1]["step"] in following else [])} | (
            {0} if steps[-1]["step"] == "save" else set()
        )


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    return Victim(tmp_path)


def test_it_runs_to_its_end_where_nobody_kills_it(victim: Victim) -> None:
    assert not victim.run()
    steps = {told["step"]: told.get("outcome") for told in victim.told}
    assert steps == {
        "found": None, "apply": "committed", "failing code": "rolled back", "failing write": "rolled back",
        "save": "committed", "rollback": "committed", "again": "committed", "end": None,
    }  # fmt: skip
    assert not victim.run()


@pytest.mark.soak
@pytest.mark.one_version
@pytest.mark.timeout(0)
def test_a_kill_before_and_after_every_write_loses_nothing(victim: Victim, soak: bool) -> None:
    kills, wanted = 0, 500 if soak else 50
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    reached: set[str] = set()
    places = ((point, time) for round_ in itertools.count() for time in [1 + round_ % 4] for point in POINTS)
    while kills < wanted:
        if chance.random() < 1 / 6:
            kills += victim.run(after_s=chance.uniform(0.2, 1.2))
            continue
        point, time = next(places)
        if point.startswith("settle."):
            kills += victim.run("files.replaced")  # there must be something to settle
        killed = victim.run(f"{point}:{time}")
        reached |= {point} if killed else set()
        kills += killed
    victim.run()
    assert reached == set(POINTS)


@pytest.mark.parametrize(
    "point, said, applied",
    [
        ("apply.done", "", False),
        ("files.aside", "died while it wrote files (api)", False),
        ("files.asides", "died while it wrote files (api)", False),
        ("files.replaced", "died while it wrote files (api)", False),
        ("commit.done", "died while it wrote files (api)", False),
        ("files.release", "died within the window of r1", True),
        ("files.released", "died within the window of r1", True),
    ],
)
def test_the_next_start_says_what_happened(victim: Victim, point: str, said: str, applied: bool) -> None:
    assert victim.run(point)
    victim.run("store.sync")
    found = victim.told[0]
    assert (found["numbers"][0] == 1) == applied
    assert [line for line in found["said"] if said and said in line] or (not said and not found["said"]), found["said"]


def test_a_session_that_runs_puts_right_what_another_one_left_before_it_writes_the_same_files(victim: Victim) -> None:
    files = [victim.folder / name for name in ("left.py", "right.py")]
    with midflight.Session(paths=[victim.folder], mode="manual") as session:
        assert victim.run("files.replaced")
        assert [file.read_text() for file in files] == ["V = 1\n", "V = 0\n"], "cut off between the two"
        assert session.apply({str(files[1]): "V = 0\nW = 9\n"}).outcome == "committed"
        assert [file.read_text() for file in files] == ["V = 0\n", "V = 0\nW = 9\n"]
        assert "died while it wrote files" in session.status()["troubles"][0]


def test_the_points_are_all_in_the_code_and_no_others() -> None:
    import re

    text = "".join(path.read_text() for path in (SOURCE / "midflight").rglob("*.py"))
    assert set(re.findall(r'reached\("([a-z.]+)"\)', text)) == set(POINTS)
