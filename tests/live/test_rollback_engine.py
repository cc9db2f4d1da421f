"""HotReloadManager and RollbackEngine: checkpoint, write, reload, and back when it fails, as a terminal would."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import midflight
from midflight.errors import MidflightError
from midflight.rollback import HotReloadManager, RollbackEngine
from midflight.session import set_current

ENGINE = "__all__ = ['answer']\n\n\nclass KnowledgeEngine:\n    pass\n\n\ndef answer():\n    return 42\n"
HELPER = ENGINE + "\n\ndef ke_status():\n    return 'ok'\n"


class Terminal:
    """A package with an engine in it, and the two objects that a terminal keeps."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "brain"
        self.package.mkdir()
        (self.package / "__init__.py").write_text("")
        self.path = self.package / "engine.py"
        self.path.write_text(ENGINE)
        (self.package / "user.py").write_text("from brain.engine import answer\n\ndef ask(): return answer()\n")
        importlib.invalidate_caches()
        self.engine = importlib.import_module("brain.engine")
        self.user = importlib.import_module("brain.user")
        self.hot_reload = HotReloadManager(self.package)
        self.rollback = RollbackEngine(self.package / "backups" / "hot_reload")

    def apply_code(self, text: str) -> dict[str, Any]:
        """As the document has it: checkpoint, write, reload; stable when it is well, back when it is not."""
        version = self.rollback.create_checkpoint("brain.engine", self.path, "before apply-code")
        self.rollback.mark_stable(version)
        self.path.write_text(text)
        result = self.hot_reload.hot_reload_module("brain.engine")
        if result["success"]:
            self.rollback.mark_stable(self.rollback.create_checkpoint("brain.engine", self.path, "apply-code"))
        else:
            assert self.rollback.auto_rollback_on_error("brain.engine", result["error"])
        return result


@pytest.fixture
def terminal(folder: Path) -> Iterator[Terminal]:
    made = Terminal(folder)
    yield made
    made.hot_reload.stop()
    made.rollback.close()
    for name in [name for name in sys.modules if name.partition(".")[0] == "brain"]:
        del sys.modules[name]


def test_a_helper_is_added_live_and_its_version_is_stable(terminal: Terminal) -> None:
    result = terminal.apply_code(HELPER)
    assert result["success"] and result["error"] is None and result["old_hash"] != result["new_hash"]
    assert terminal.engine.ke_status() == "ok"
    newest = terminal.rollback.get_version_history("brain.engine")[0]
    assert (newest["stable"], newest["reason"]) == (True, "apply-code")
    assert newest["id"] == f"brain.engine@{result['new_hash'][:12]}"
    history = terminal.hot_reload.get_reload_history()
    assert (history[0]["module"], history[0]["success"], history[0]["new_hash"]) == (
        "brain.engine",
        True,
        result["new_hash"],
    )


@pytest.mark.parametrize("text", [ENGINE + "1 / 0\n", ENGINE + "def (\n", ENGINE.replace("def answer", "def reply")])
def test_code_that_fails_is_taken_back_in_file_and_process(terminal: Terminal, text: str) -> None:
    result = terminal.apply_code(text)
    assert not result["success"] and result["error"]
    assert (terminal.engine.answer(), terminal.path.read_text()) == (42, ENGINE)
    assert terminal.user.ask() == 42
    if "reply" not in text:  # that one the manager has taken back itself
        history = terminal.rollback.get_version_history("brain.engine")
        assert any(one["reason"].startswith("failed: ") for one in history), "what failed is a version too"


def test_a_name_that_all_promises_must_be_there_unless_nobody_asks(terminal: Terminal) -> None:
    terminal.path.write_text(ENGINE.replace("['answer']", "['answer', 'nothing']"))
    result = terminal.hot_reload.hot_reload_module("brain.engine")
    assert not result["success"] and "nothing" in result["error"] and result["new_hash"] == result["old_hash"]
    terminal.path.write_text(ENGINE.replace("['answer']", "['answer', 'nothing']"))
    assert terminal.hot_reload.hot_reload_module("brain.engine", test_after_reload=False)["success"]


def test_can_hot_reload_names_dependents_instances_and_running_functions(terminal: Terminal) -> None:
    kept = [terminal.engine.KnowledgeEngine() for _ in range(3)]
    good, told = terminal.hot_reload.can_hot_reload("brain.engine")
    assert good and "dependents: brain.user" in told and "live instances: 3 of KnowledgeEngine" in told
    del kept
    terminal.path.write_text(ENGINE + "def (\n")
    good, told = terminal.hot_reload.can_hot_reload("brain.engine")
    assert not good and "MF001" in told[0]


@pytest.mark.parametrize(
    "module, said",
    [("brain.nothing", "not loaded"), ("math", "C extension"), ("sys", "no file"), ("json", "not followed")],
)
def test_what_cannot_be_reloaded_is_said(terminal: Terminal, module: str, said: str) -> None:
    good, told = terminal.hot_reload.can_hot_reload(module)
    assert not good and (said in told[0] or (module == "math" and "no file" in told[0]))
    result = terminal.hot_reload.hot_reload_module(module)
    assert not result["success"] and result["error"] == told[0]
    assert terminal.hot_reload.reload_dependencies(module)["error"] == told[0]


def test_dependents_are_taken_with_the_module(terminal: Terminal) -> None:
    terminal.path.write_text(ENGINE.replace("42", "43"))
    (terminal.package / "user.py").write_text("from brain.engine import answer\n\ndef ask(): return -answer()\n")
    result = terminal.hot_reload.reload_dependencies("brain.engine")
    assert result["success"] and result["modules"] == ["brain.engine", "brain.user"]
    assert terminal.user.ask() == -43


def test_rollback_restores_the_file_and_keeps_what_was_there(terminal: Terminal) -> None:
    first = terminal.rollback.create_checkpoint("brain.engine", terminal.path, "first")
    terminal.path.write_text(HELPER)
    assert terminal.rollback.rollback_to_version(first)
    assert terminal.path.read_text() == ENGINE
    points = terminal.rollback.get_rollback_points()
    assert [one["reason"] for one in points] == [f"before the rollback to {first}"]
    assert terminal.rollback.rollback_to_version(points[0]["id"])
    assert terminal.path.read_text() == HELPER


def test_under_the_process_session_file_and_module_go_back_together(terminal: Terminal) -> None:
    set_current(terminal.hot_reload.session)
    try:
        first = terminal.rollback.create_checkpoint("brain.engine", terminal.path, "first")
        terminal.path.write_text(HELPER)
        assert terminal.hot_reload.hot_reload_module("brain.engine")["success"]
        assert terminal.rollback.rollback_to_version(first)
        assert not hasattr(terminal.engine, "ke_status") and terminal.path.read_text() == ENGINE
        assert HotReloadManager(terminal.package).session is terminal.hot_reload.session
    finally:
        set_current(None)


def test_versions_outlive_the_engine(terminal: Terminal) -> None:
    first = terminal.rollback.create_checkpoint("brain.engine", terminal.path, "first")
    terminal.rollback.mark_stable(first)
    later = RollbackEngine(terminal.package / "backups" / "hot_reload")
    assert later.get_last_stable_version("brain.engine") == first
    assert later.get_last_stable_version("brain.user") is None
    later.close()


def test_cleanup_keeps_the_newest_and_the_stable(terminal: Terminal) -> None:
    ids = []
    for number in range(6):
        terminal.path.write_text(f"X = {number}\n")
        ids.append(terminal.rollback.create_checkpoint("brain.engine", terminal.path, str(number)))
    terminal.rollback.mark_stable(ids[0])
    assert terminal.rollback.cleanup_old_versions(keep=2) == 3
    assert [one["id"] for one in terminal.rollback.get_version_history()] == [ids[5], ids[4], ids[0]]
    with pytest.raises(MidflightError, match="keep is 0"):
        terminal.rollback.cleanup_old_versions(keep=0)


def test_what_there_is_not_is_false_and_said(terminal: Terminal) -> None:
    assert not terminal.rollback.rollback_to_version("brain.engine@000000000000")
    assert "there is no version" in terminal.rollback.last_error
    assert not terminal.rollback.auto_rollback_on_error("brain.engine", ValueError("x"))
    assert "no version of it is stable" in terminal.rollback.last_error
    with pytest.raises(MidflightError, match="cannot be read"):
        terminal.rollback.create_checkpoint("brain.engine", terminal.package / "none.py", "x")
    with pytest.raises(MidflightError, match="there is no folder"):
        HotReloadManager(terminal.package / "none")


def test_the_managers_session_is_the_processes_where_that_covers_the_folder(folder: Path) -> None:
    session = midflight.start(paths=[folder], mode="manual")
    try:
        manager = HotReloadManager(folder)
        assert manager.session is session
        manager.stop()
        assert session.running
    finally:
        session.stop()
