"""What the kernel refuses: watches, descriptors, permission. The rest is polled, and it is said so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import midflight

from .conftest import linux

pytestmark = linux

# Limits of a user namespace of its own: the machine's own stay as they are.
FOLLOW = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import midflight.watch.inotify  # while this Python can still read itself
from watch.conftest import Follower
limit, value, root = sys.argv[2], sys.argv[3], Path(sys.argv[4])
if limit == "user":
    if os.geteuid() == 0:
        os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
else:
    Path("/proc/sys/user", limit).write_text(value)
follower = Follower([root])
follower.watch.start()
exec(sys.argv[5])
print(json.dumps({"status": follower.watch.status(), "troubles": follower.troubles}))
follower.watch.stop()
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user can enter; pytest's own is closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="midflight-watch-"))
    folder.chmod(0o777)
    yield folder
    subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=False)
    shutil.rmtree(folder)


def in_namespace(limit: str, value: str, root: Path, deeds: str) -> dict[str, Any]:
    """Follows `root` under a limit, does `deeds` meanwhile, and gives what was found out."""
    command = ["unshare", "-Ur"] if limit != "user" else []
    if command and subprocess.run([*command, "true"], capture_output=True, check=False, timeout=60).returncode:
        pytest.skip("this machine gives no user namespaces")
    command += [sys.executable, "-c", FOLLOW, str(Path(__file__).parent.parent), limit, value, str(root), deeds]
    env = {**os.environ, "PYTHONPATH": str(Path(midflight.__file__).parent.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


EDIT_ALL = """
for number in range(300):
    (root / f"p{number}/m.py").write_text("edited = 1")
follower.catch_up()
(root / "new/deep").mkdir(parents=True)
(root / "new/deep/m.py").write_text("new = 1")
follower.catch_up()
"""


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    for number in range(300):
        (tmp_path / f"wide/p{number}").mkdir(parents=True)
        (tmp_path / f"wide/p{number}/m.py").write_text("")
    return tmp_path / "wide"


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_at_the_limit_of_watches_the_rest_is_polled(wide: Path) -> None:
    found = in_namespace("max_inotify_watches", "100", wide, EDIT_ALL)
    assert found["status"]["backend"] == "inotify"
    assert len(found["status"]["polled"]) >= 200
    (trouble,) = found["troubles"]
    assert trouble[0] and "limit" in trouble[1] and "max_user_watches" in trouble[1]


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_without_an_inotify_descriptor_all_is_polled(wide: Path) -> None:
    found = in_namespace("max_inotify_instances", "0", wide, EDIT_ALL)
    assert found["status"]["backend"] == "polling"
    (trouble,) = found["troubles"]
    assert "max_user_instances" in trouble[1]


def test_a_folder_without_permission_is_said_and_the_rest_is_watched(open_folder: Path) -> None:
    deeds = """
(root / "open/m.py").write_text("edited = 1")
follower.sees(root / "open/m.py", "modified")
"""
    for name in ("open", "shut"):
        (open_folder / name).mkdir()
        (open_folder / name / "m.py").write_text("")
        (open_folder / name).chmod(0o777)
        (open_folder / name / "m.py").chmod(0o666)
    (open_folder / "shut").chmod(0)
    found = in_namespace("user", "", open_folder, deeds)
    assert found["status"]["unreadable"] == [str(open_folder / "shut")]
    assert [kind for kind, text in found["troubles"] if str(open_folder / "shut") in text]
