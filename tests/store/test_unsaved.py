"""Reports that lie in a session's own file: what was noted outlives the process, and nothing else is taken for it."""

from __future__ import annotations

import binascii
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from midflight.store.presence import FOLDER, Presence, dead, noted
from midflight.store.settle import settle
from midflight.store.unsaved import Unsaved, unsaved_in
from midflight.store.versions import Ran, Store, sha_of
from midflight.values import ModuleReport, Report

SOURCE = str(Path(__file__).parents[2] / "src")
A, B, C = b"RATE = 1\n", b"RATE = 2\n", b"RATE = '\xff\xed\xb2\x80'\n"
DIED = "1-abcdef"  # no process has that file locked


def unsaved(number: int, *texts: tuple[bytes | None, bytes | None], path: str = "/shop/cart.py") -> Unsaved:
    ran = [Ran(f"cart{index}", path, before, after) for index, (before, after) in enumerate(texts)]
    done = {one.module: ModuleReport(before=one.sha_before or "", after=one.sha_after or "", path=path) for one in ran}
    return Unsaved(Report(f"r{number}", float(number), "api", "committed", modules=done), ran, "because", "ann")


FIRST, SECOND = unsaved(1, (A, B)), unsaved(2, (B, C), (None, b""))


@pytest.mark.parametrize(
    "one",
    [
        unsaved(1),
        unsaved(1, (A, B)),
        unsaved(1, (A, B), (B, C)),
        unsaved(1, (None, A)),
        unsaved(1, (A, None)),
        unsaved(1, (b"", b"\n\n"), (C, b"\r\n")),
        unsaved(1, (A, B), path="/shop/\udcff\n.py"),
        Unsaved(Report("r1", 1.0, "\udc80", "committed"), [], "why \udcff", "\ud800 \u2028"),
    ],
    ids=["nothing ran", "one", "two", "new", "gone", "empty", "path of other bytes", "words of other bytes"],
)
def test_what_was_written_is_read_as_it_was(one: Unsaved) -> None:
    assert list(unsaved_in(one.to_bytes() + FIRST.to_bytes())) == [one, FIRST]


def test_a_text_that_is_known_is_not_written_again_and_its_name_is() -> None:
    (found,) = unsaved_in(FIRST.to_bytes([("cart0", "/shop/cart.py", sha_of(A))]))
    assert (found.ran[0].before, found.ran[0].sha_before, found.ran[0].after) == (None, sha_of(A), B)
    assert A not in FIRST.to_bytes([("cart0", "/shop/cart.py", sha_of(A))])


def test_of_a_torn_tail_nothing_is_taken() -> None:
    whole = FIRST.to_bytes()
    data = whole + SECOND.to_bytes()
    for end in range(len(data)):
        assert list(unsaved_in(data[:end])) == ([FIRST] if end >= len(whole) else [])


def test_what_is_not_as_it_was_written_is_passed_over() -> None:
    whole = FIRST.to_bytes()
    data = whole + SECOND.to_bytes()
    for at in range(len(whole), len(data)):
        for other in (0, data[at] ^ 1):
            altered = data[:at] + bytes([other]) + data[at + 1 :]
            assert list(unsaved_in(altered)) == [FIRST], (at, altered)


def test_what_another_version_wrote_in_another_shape_is_passed_over() -> None:
    row = ["cart", "/shop/cart.py", None, sha_of(B), None, len(B), "more"]
    body = json.dumps([FIRST.report.to_json(), "", "", [row]]).encode() + b"\n" + B
    data = b"%d %08x\n%b" % (len(body), binascii.crc32(body), body)
    assert list(unsaved_in(FIRST.to_bytes() + data)) == [FIRST]


# -- the next start ---------------------------------------------------------------------------------


def left_behind(folder: Path, data: bytes) -> None:
    """The file of a session whose process is gone."""
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    (place / DIED).write_bytes(data)


def reports(store: Store) -> list[str]:
    return [report.id for _, report in store.journal.reports(10)]


def versions(store: Store) -> dict[bytes, bool]:
    """Their texts, and whether they are stable."""
    return {store.versions.get(one.id).source: one.stable for one in store.versions.newest()}


def test_a_start_takes_in_what_a_dead_session_noted_once_and_passes_over_a_torn_tail(tmp_path: Path) -> None:
    left_behind(tmp_path, FIRST.to_bytes() + SECOND.to_bytes()[:-1])
    store = Store(str(tmp_path))
    lines = settle(store)
    assert "died within the window of r1" in lines[0]
    assert reports(store) == ["r1"] and dead(str(tmp_path)) == []
    assert versions(store) == {B: False, A: True}
    left_behind(tmp_path, FIRST.to_bytes())  # it died before it could forget what is stored
    settle(store)
    assert (reports(store), store.verify()) == (["r1"], [])
    store.close()


def test_a_start_takes_in_words_that_utf8_cannot_say(tmp_path: Path) -> None:
    one = Unsaved(Report("r1", 1.0, "\udc80", "committed"), [Ran("cart", "/cart.py", A, B)], "why \udcff", "\ud800")
    left_behind(tmp_path, one.to_bytes())
    store = Store(str(tmp_path))
    settle(store)
    assert [report for _, report in store.journal.reports(10)] == [one.report]
    assert (store.versions.newest()[0].reason, store.verify()) == ("why \\udcff", [])
    store.close()


def test_a_text_that_went_with_a_corrupt_store_stops_no_start(tmp_path: Path) -> None:
    left_behind(tmp_path, FIRST.to_bytes([("cart0", "/shop/cart.py", sha_of(A))]))
    store = Store(str(tmp_path))
    settle(store)
    assert reports(store) == ["r1"] and versions(store) == {B: False}
    assert store.verify() == []
    store.close()


PROGRAM = """
import json, os, pathlib, resource, sys
sys.path.insert(0, os.getcwd())
import midflight
session = midflight.Session(paths=["."], mode="manual", stable_window_s=60)
session.start()
import cart
CART = pathlib.Path("cart.py")

def save(text):
    CART.write_text(text)
    report = session.reload()
    print(report.id, report.outcome, flush=True)
{body}
session.stop()
print(json.dumps(result))
"""


def run(folder: Path, body: str, kill_at: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "pyproject.toml").touch()
    (folder / "cart.py").write_bytes(A)
    (folder / "program.py").write_text(PROGRAM.replace("{body}", body))
    env = {**os.environ, "PYTHONPATH": SOURCE, "_MIDFLIGHT_KILL_AT": kill_at}
    return subprocess.run(
        [sys.executable, "program.py"], cwd=folder, env=env, capture_output=True, text=True, timeout=90, check=False
    )


def test_a_report_outlives_a_kill_before_the_store_has_it(tmp_path: Path) -> None:
    done = run(tmp_path, "save('RATE = 2\\n')", kill_at="unsaved.noted")
    assert (done.returncode, done.stdout) == (-9, ""), done.stderr
    store = Store(str(tmp_path / ".midflight"))
    assert reports(store) == []
    (line,) = settle(store)
    assert "died within the window of r1" in line
    assert reports(store) == ["r1"]
    assert versions(store) == {B: False, A: True}
    store.close()


FILLS = """
import midflight.store.presence as presence
note, failed = presence.Presence.note, []

def noting(self, data):
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # no file takes more than 100 bytes: a full disk
    try:
        note(self, data)
    except OSError as error:
        failed.append(str(error))
        raise
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

presence.Presence.note = noting
save("RATE = 2\\n")
result = {"failed": failed, "troubles": session.status()["troubles"], "history": [one.id for one in session.history()]}
result["versions"] = len(session.versions())
presence.Presence.note = note
save("RATE = 3\\n")
"""


def test_a_report_that_the_session_s_file_has_no_room_for_goes_into_the_store_at_once(tmp_path: Path) -> None:
    done = run(tmp_path, FILLS)
    assert done.returncode == 0, done.stderr
    *told, result = done.stdout.splitlines()
    found = json.loads(result)
    assert told == ["r1 committed", "r2 committed"]
    assert "100 of" in found["failed"][0] and len(found["troubles"]) == 1
    assert (found["history"], found["versions"]) == (["r1"], 2)
    store = Store(str(tmp_path / ".midflight"))
    assert (reports(store), store.verify(), dead(store.database.folder)) == (["r2", "r1"], [], [])
    store.close()


def test_what_could_not_be_noted_whole_leaves_what_was_noted_before_whole(tmp_path: Path) -> None:
    mine = Presence(str(tmp_path))
    mine.note(FIRST.to_bytes())
    with pytest.MonkeyPatch.context() as patch:
        scarce = types.SimpleNamespace(write=lambda file, data: os.write(file, data[:7]), ftruncate=os.ftruncate)
        patch.setattr("midflight.store.presence.os", scarce)
        with pytest.raises(OSError, match="only 7 of"):
            mine.note(SECOND.to_bytes())
    mine.note(SECOND.to_bytes())
    assert list(unsaved_in(noted(str(tmp_path), mine.name))) == [FIRST, SECOND]
    mine.forget()
    assert noted(str(tmp_path), mine.name) == b""
    mine.end()
