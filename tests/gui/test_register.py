"""Registering: what can be hot, whose session follows it, and what reload answers when it cannot."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import pytest

import midflight
from midflight import gui
from midflight.errors import MidflightError
from midflight.gui import HotModule, HotReloader


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"file_path": "/nowhere/view.py"}, "/nowhere/view.py is no file"),
        ({"file_path": __file__}, "runs from .*view_.*, not .*test_register.py"),
        ({"state_keys": "draft"}, "state_keys is 'draft', not a list of names"),
        ({"state_keys": [1]}, r"state_keys is \[1\], not a list of names"),
        ({"state_keys": ["a.b"]}, "'a.b' in state_keys is not a name"),
        ({"delegation_targets": "render"}, "delegation_targets is 'render', not a list"),
        ({"delegation_targets": ["render()"]}, r"'render\(\)' in delegation_targets is not a name"),
        ({"delegation_targets": ["class"]}, "'class' in delegation_targets is not a name"),
    ],
)
def test_what_cannot_be_hot_is_refused_with_the_reason(window: Any, changes: dict[str, Any], told: str) -> None:
    one = window()
    with pytest.raises(MidflightError, match=rf"(?s)'{one.name}' was not registered as a hot module.*{told}"):
        HotReloader.register(HotModule(**{"name": one.name, "file_path": one.path, **changes}))
    assert list(HotReloader.HOT_MODULES) == [one.name]


def test_a_module_outside_the_sessions_paths_is_refused(window: Any) -> None:
    one = window()
    with pytest.raises(
        MidflightError, match=r"(?s)other cannot be hot: .* lies outside this session's paths.*Start the"
    ):
        HotReloader.register(HotModule("other", __file__))
    assert list(HotReloader.HOT_MODULES) == [one.name]


def test_registered_again_a_module_is_replaced(window: Any) -> None:
    one = window()
    HotReloader.register(HotModule(one.name, one.path, ["draft"]))
    assert HotReloader.HOT_MODULES[one.name].state_keys == ["draft"]


def test_without_a_session_register_starts_one_that_waits_for_the_key(window: Any) -> None:
    one = window(mode=None)
    own = gui._loop.own
    assert own is not None and own.running and own.mode == "manual" and midflight.current() is None
    one.save(('"old"', '"new"'))
    one.frame()
    assert one.app.drawn == ["old"]
    assert one.reload() and one.app.drawn[-1] == "new"


def test_a_second_folder_widens_the_session_that_register_started(window: Any, tmp_path: pathlib.Path) -> None:
    one = window(mode=None)
    elsewhere = tmp_path.parent / f"{tmp_path.name}-b" / "client.py"
    elsewhere.parent.mkdir()
    elsewhere.write_text("X = 1\n")
    HotReloader.register(HotModule("view_client", elsewhere))
    assert set(gui._loop.own.paths) == {str(tmp_path), str(elsewhere.parent)}
    one.save(('"old"', '"new"'))
    assert HotReloader.reload(one.name, one.app)


def test_a_session_that_is_switched_off_reloads_nothing_and_fails_nothing(
    window: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOT_RELOAD_ENABLED", "false")
    one = window()
    one.frame()
    one.save(('"old"', '"new"'))
    assert one.reload() and HotReloader.last_report.outcome == "unchanged"
    assert one.app.drawn == ["old", "old"]


def test_a_module_that_is_not_registered_is_told(window: Any) -> None:
    one = window()
    assert not HotReloader.reload("nothing", one.app)
    assert HotReloader.is_error_state
    assert HotReloader.last_error == f"nothing was not reloaded: it is not registered\n  Registered: {one.name}."
    one.save(('"old"', '"new"'))
    assert HotReloader.reload(one.name, one.app) and not HotReloader.is_error_state


def test_with_nothing_registered_reload_all_says_so(window: Any) -> None:
    HotReloader.HOT_MODULES.clear()
    assert not HotReloader.reload_all(object())
    assert "no hot module is registered" in HotReloader.last_error


def test_a_module_that_is_not_imported_is_told(window: Any) -> None:
    one = window()
    del sys.modules[one.name]
    assert not HotReloader.reload(one.name, one.app)
    assert "it is not imported" in HotReloader.last_error


def test_a_reload_outside_a_session_that_came_later_is_told_not_raised(window: Any, tmp_path: pathlib.Path) -> None:
    one = window()
    one.session.stop()
    other = tmp_path.parent / f"{tmp_path.name}-b"
    other.mkdir()
    midflight.start(paths=[other], mode="manual")
    assert not HotReloader.reload(one.name, one.app)
    assert "lies outside this session's paths" in HotReloader.last_error


@pytest.mark.parametrize(
    "edit, told",
    [
        (("def render_menu", "def menu"), "render_menu is gone"),
        (("def render_menu(app):\n    return", "render_menu ="), "render_menu is no longer callable"),
    ],
)
def test_a_delegation_target_that_is_lost_takes_the_reload_back(window: Any, edit: tuple[str, str], told: str) -> None:
    one = window()
    one.save(edit, ('"old"', '"new"'))
    assert not HotReloader.reload_all(one.app)
    report = HotReloader.last_report
    assert report.outcome == "rolled back" and [p.code for p in report.problems] == ["MF021"]
    assert told in report.problems[0].message and told in HotReloader.last_error
    assert one.app.render_menu() == "menu"
    one.app.render()
    assert one.app.drawn == ["old"]


@pytest.mark.parametrize(
    "target, good", [("Menu.draw", True), ("Menu.gone", False), ("render_menu", True), ("frame", True)]
)
def test_a_target_is_a_name_of_the_module_or_of_the_app(window: Any, target: str, good: bool) -> None:
    one = window(targets=(target,))
    one.app.frame = one.frame
    one.save(text=one.path.read_text() + "\nclass Menu:\n    def draw(self): pass\n")
    assert HotReloader.reload_all(one.app) is good


def test_reports_of_reloads_that_others_asked_for_count_too(window: Any) -> None:
    one = window()
    one.save(text="def render(app:\n")
    one.session.reload()
    assert HotReloader.is_error_state and "SyntaxError" in HotReloader.last_error
    one.save(text="def render(app):\n    pass\ndef render_menu(app):\n    pass\n")
    one.session.reload()
    assert not HotReloader.is_error_state and HotReloader.last_error is None
