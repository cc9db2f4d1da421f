"""A store that cannot be used stops no reload: it is said once, and versions stay in memory until it can be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from midflight.store.versions import Store

SOURCE = str(Path(__file__).parents[2] / "src")
CART = "RATE = 1\n"

PROGRAM = """
import json, os, pathlib, sys, warnings
sys.path.insert(0, os.getcwd())
{before}
import midflight
session = midflight.Session(paths=["."], mode="manual", stable_window_s=60)
session.start()
import cart
CART = pathlib.Path("cart.py")

def save(number):
    CART.write_text(f"RATE = {{number}}\\n")
    return session.reload()

told = []
session.subscribe(lambda news: told.append(news.kind) if isinstance(news, midflight.Event) else None)
{body}
session.stop()
print(json.dumps(result))
"""
BODY = """
first = save(2)
second = save(3)
back = session.rollback(first.id)
result = {
    "outcomes": [one.outcome for one in (first, second, back)], "ids": [one.id for one in (first, second, back)],
    "rate": cart.RATE, "file": CART.read_text(), "versions": len(session.versions()),
    "history": [one.id for one in session.history()], "troubles": session.status()["troubles"], "told": told.count("store"),
}
stable = session.rollback()
result["stable"] = cart.RATE
"""


def run(folder: Path, body: str, before: str = "") -> Any:
    (folder / "pyproject.toml").touch()
    (folder / "cart.py").write_text(CART)
    (folder / "program.py").write_text(PROGRAM.format(before=before, body=body))
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=folder, env={**os.environ, "PYTHONPATH": SOURCE},
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def no_folder(folder: Path) -> str:
    (folder / ".midflight").write_text("a file stands here")
    return ""


def no_sqlite(folder: Path) -> str:
    return "sys.modules['sqlite3'] = None"


def read_only(folder: Path) -> str:
    if os.geteuid() == 0:  # to whom permissions say nothing: a file system that is read only does
        (folder / ".midflight").mkdir()
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "ro", "none", str(folder / ".midflight")], check=False
        ).returncode:
            pytest.skip("nothing can be mounted here")
    else:
        (folder / ".midflight").mkdir(0o500)
    return ""


def full_disk(folder: Path) -> str:
    (folder / ".midflight").mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(folder / ".midflight")], check=False)
    if made.returncode:
        pytest.skip("nothing can be mounted here")
    (folder / ".midflight" / "filler").write_bytes(b"x" * 12_000)
    return ""


@pytest.mark.parametrize("trouble", [no_folder, no_sqlite, read_only, full_disk])
def test_reloads_and_rollbacks_go_on_without_a_store(tmp_path: Path, trouble: Any) -> None:
    before = trouble(tmp_path)
    try:
        found = run(tmp_path, BODY, before)
    finally:
        subprocess.run(["umount", str(tmp_path / ".midflight")], check=False, capture_output=True)
    assert found["outcomes"] == ["committed"] * 3 and found["ids"] == ["r1", "r2", "r3"]
    assert (found["rate"], found["file"], found["stable"]) == (2, "RATE = 2\n", 1)
    assert (found["versions"], found["history"]) == (3, ["r3", "r2", "r1"])
    assert found["told"] == len(found["troubles"]) == 1
    assert "stay in memory" in found["troubles"][0]


FILLS = """
import resource
first = save(2)
import midflight.store.keeper as keeper
keeper.RETRY_S = 0.05
used = os.path.getsize(".midflight/history.db-wal")
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (used, hard))
second = save("'" + "x" * 50_000 + "'")
third = save(4)
result = {"outcomes": [one.outcome for one in (first, second, third)], "versions": len(session.versions()), "told": told.count("store")}
back = session.rollback(second.id)
result["back"] = len(cart.RATE)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
fifth = save(5)
result["ids"] = [one.id for one in (first, second, third, back, fifth)]
"""


def test_what_a_full_disk_did_not_take_is_written_when_there_is_room(tmp_path: Path) -> None:
    found = run(tmp_path, FILLS)
    assert found["outcomes"] == ["committed"] * 3 and (found["versions"], found["told"], found["back"]) == (
        4,
        1,
        50_000,
    )
    assert len(set(found["ids"])) == 5
    store = Store(str(tmp_path / ".midflight"))
    assert [report.id for _, report in store.journal.reports(20)] == found["ids"][::-1]
    assert (store.verify(), len(store.versions.newest())) == ([], 5)
    store.close()


CORRUPT = """
import threading
durable = threading.Event()
session.subscribe(lambda news: durable.set() if getattr(news, "kind", "") == "durable" else None)
first = save(2)
assert durable.wait(30)
session._records.keeper._store.database.read("PRAGMA wal_checkpoint(TRUNCATE)")
with open(".midflight/history.db", "r+b") as file:
    size = file.seek(0, 2)
    file.seek(100)
    file.write(b"\\xff" * (size - 100))
session._records.keeper._store.database.read("PRAGMA shrink_memory")
second = save(3)
third = save(4)
result = {"outcomes": [one.outcome for one in (first, second, third)], "troubles": session.status()["troubles"]}
"""


def test_a_store_that_becomes_corrupt_in_use_is_moved_aside_and_named(tmp_path: Path) -> None:
    found = run(tmp_path, CORRUPT)
    assert found["outcomes"] == ["committed"] * 3
    assert any("corrupt" in text and "history.db.corrupt-1" in text for text in found["troubles"]), found
    assert (tmp_path / ".midflight" / "history.db.corrupt-1").exists()
    store = Store(str(tmp_path / ".midflight"))
    assert store.verify() == [] and store.journal.reports(1)[0][1].outcome == "committed"
    store.close()


APPLIES = """
import time
start = float(sys.argv[1]) if len(sys.argv) > 1 else 0
seen = []
for number in range(int(os.environ["FIRST"]), int(os.environ["FIRST"]) + 15):
    report = session.apply({"cart.py": f"RATE = {number}\\n", "money.py": f"RATE = {number}\\n"})
    seen.append([report.id, report.outcome, [problem.code for problem in report.problems]])
result = seen
"""


def test_two_processes_that_apply_at_once_lose_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    for name in ("cart.py", "money.py"):
        (tmp_path / name).write_text(CART)
    (tmp_path / "program.py").write_text(PROGRAM.format(before="", body="import money\n" + APPLIES))
    processes = [
        subprocess.Popen(
            [sys.executable, "program.py"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": SOURCE, "FIRST": str(first)},
        )
        for first in (100, 200)
    ]  # fmt: skip
    said = [process.communicate(timeout=100) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    reports = [one for out, _ in said for one in json.loads(out.splitlines()[-1])]
    assert len({report_id for report_id, _, _ in reports}) == 30
    assert {code for _, outcome, codes in reports if outcome != "committed" for code in codes} <= {"MF061"}
    store = Store(str(tmp_path / ".midflight"))
    assert store.verify() == []
    assert {report.id: report.outcome for _, report in store.journal.reports(100)} == {r[0]: r[1] for r in reports}
    kept = {path.read_text() for path in tmp_path.glob("*.kept-*")}
    stored = {store.versions.get(version.id).source.decode() for version in store.versions.newest(limit=100)}
    assert kept <= stored | {CART}, "what one wrote over is a version of the other"
    assert (tmp_path / "cart.py").read_text() == (tmp_path / "money.py").read_text()
    assert not list(tmp_path.glob("*~"))
    store.close()


STRANGE_WORDS = """
failed = save("1\\nraise ValueError('\\\\udc80')")
after = save(3)
result = {"outcomes": [failed.outcome, after.outcome], "said": session.history()[1].problems[0].message, "told": told.count("store")}
"""


def test_a_message_that_utf8_cannot_say_is_stored_as_any_other(tmp_path: Path) -> None:
    found = run(tmp_path, STRANGE_WORDS)
    assert (found["outcomes"], found["told"]) == (["rolled back", "committed"], 0)
    assert "\udc80" in found["said"]
    store = Store(str(tmp_path / ".midflight"))
    assert "\udc80" in store.journal.reports(2)[1][1].problems[0].message
    assert store.verify() == []
    store.close()


def test_the_command_line_shows_what_utf8_cannot_say(tmp_path: Path) -> None:
    run(tmp_path, STRANGE_WORDS)
    env = {**os.environ, "PYTHONPATH": SOURCE, "PYTHONIOENCODING": "utf-8:strict", "XDG_RUNTIME_DIR": ""}

    def printed(*words: str) -> str:
        command = [sys.executable, "-m", "midflight", *words]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, timeout=90, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    assert "ValueError: \\udc80" in printed("show", "r1")
    assert json.loads(printed("show", "r1", "--json"))["problems"][0]["message"] == "ValueError: \udc80"
    trail = [json.loads(line) for line in printed("history", "export").splitlines()]
    assert trail[0]["body"]["problems"][0]["message"] == "ValueError: \udc80"


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take no such names")
def test_in_a_folder_whose_name_is_no_utf8_reloads_go_on_without_a_store(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    folder.mkdir()
    for _ in range(2):  # nothing of the first keeps the second from its start
        found = run(folder, BODY)
        assert (found["outcomes"], found["rate"], found["versions"]) == (["committed"] * 3, 2, 3)
        assert "no text in UTF-8" in found["troubles"][0] and "stay in memory" in found["troubles"][0]
