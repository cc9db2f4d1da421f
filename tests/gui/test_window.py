"""The two examples in a real window: real keys, real clicks, and what is then drawn."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .display import ROOT, Window, copied, display, missing

pytestmark = [pytest.mark.one_version, pytest.mark.timeout(900)]

GREEN, ORANGE, BLUE, VIOLET = (0.16, 0.50, 0.30), (0.80, 0.45, 0.10), (0.20, 0.35, 0.75), (0.55, 0.20, 0.60)
KEPT = ("draft", "tabs", "tab", "rows", "selected", "answers", "agents")
TINT = 0.30


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    assert not missing(), f"missing: {missing()}; apt-get install xvfb xdotool"
    with display() as name:
        yield name


EXAMPLES = {
    "gui": ("imgui_bundle", "midflight: a GUI", "src/gui_2.py", "src/ai_client.py"),
    "gui_tk": ("tkinter", "midflight: a Tk", "view.py", "client.py"),
}


@pytest.fixture(params=EXAMPLES)
def program(request: pytest.FixtureRequest, screen: str, tmp_path: Path) -> Iterator[Any]:
    """(window, its view's file, its client's file)"""
    needs, title, view, client = EXAMPLES[request.param]
    if importlib.util.find_spec(needs) is None or (needs == "tkinter" and importlib.util.find_spec("_tkinter") is None):
        pytest.skip(f"this Python was built without {needs}, and pip has none")
    window = Window(copied(request.param, tmp_path), screen, title)
    yield window, view, client
    window.close()


def colour(value: tuple[float, float, float]) -> str:
    return "({:.2f}, {:.2f}, {:.2f})".format(*value)


def kept(window: Window) -> dict[str, Any]:
    state = window.state()
    places = {name: place for name, place in state["layout"].items() if not name.startswith("row ")}
    return {**{key: state[key] for key in KEPT}, "layout": places}


def use_it(window: Window) -> None:
    """A person types, selects, scrolls and opens a tab."""
    window.click("row 03")
    window.until("a row is selected", lambda: (window.state()["selected"] or [""])[0] == "row 03")
    window.click("row 05", button=5)
    window.click("row 05", button=5)
    window.until("the table is scrolled", lambda: window.state()["layout"]["scroll"] > 0)
    window.click("tab Ideas")
    window.until("a tab is open", lambda: window.state()["tab"] == "Ideas")
    window.click("draft")
    window.type("half a sen")
    window.until("text is typed", lambda: window.state()["draft"] == "half a sen")


def until_report(window: Window, number: int, outcome: str) -> dict[str, Any]:
    window.until(f"r{number} {outcome}", lambda: (window.state()["report"] or [""])[:2] == [f"r{number}", outcome])
    return window.state()


def test_edits_change_what_is_drawn_and_nothing_else(program: Any) -> None:
    window, view, client = program
    window.until_colour("banner", GREEN)
    use_it(window)
    window.screen("before")
    before, history = kept(window), window.state()["history"]

    # A good edit, by the keys.
    window.edit(view, (f"BANNER = {colour(GREEN)}", f"BANNER = {colour(ORANGE)}"), ("first version", "second version"))
    window.press_chord()
    assert not until_report(window, 1, "committed")["error"]
    window.until_colour("banner", ORANGE)
    window.screen("after")
    assert kept(window) == before
    assert set(history) <= set(window.state()["history"]) or len(window.state()["history"]) == 200
    window.type("tence")
    window.until("typing goes on", lambda: window.state()["draft"] == "half a sentence")
    before["draft"] = "half a sentence"

    # A syntax error, by the keys.
    window.edit(view, ("def next_value(", "def next_value(:"))
    window.press_chord()
    state = until_report(window, 2, "refused")
    assert state["error"] and "SyntaxError" in state["last_error"]
    window.until_colour("banner", ORANGE, TINT)
    window.screen("tinted")
    frames, phase = window.state()["frames"], window.state()["phase"]
    window.until("the old code draws on", lambda: window.state()["frames"] > frames + 5)
    assert window.state()["phase"] > phase and kept(window) == before

    # The next good edit, by the button.
    window.edit(view, ("def next_value(:", "def next_value("), (colour(ORANGE), colour(BLUE)))
    window.click("button")
    assert not until_report(window, 3, "committed")["error"]
    window.until_colour("banner", BLUE)
    assert kept(window) == before

    # A first frame that raises after it spoiled the state, by the button.
    spoiled = "app.rows.clear(); app.draft = ''; app.history = []; app.tabs = {}; 1 / 0"
    window.edit(view, ("    app.phase += 0.1", f"    {spoiled}"), (colour(BLUE), colour(GREEN)))
    window.click("button")
    state = until_report(window, 4, "rolled back")
    assert state["error"] and "ZeroDivisionError" in state["last_error"] and "the first frame" in state["status"]
    window.until_colour("banner", BLUE, TINT)
    window.screen("first-frame")
    assert kept(window) == before
    assert len(window.state()["history"]) >= len(history)

    # Both modules at once, by the keys: the tint goes.
    window.edit(view, (f"    {spoiled}", "    app.phase += 0.1"))
    window.edit(client, (f"BADGE = {colour(BLUE)}", f"BADGE = {colour(VIOLET)}"))
    window.press_chord()
    assert not until_report(window, 5, "committed")["error"]
    window.until_colour("banner", GREEN)
    window.until_colour("badge", VIOLET)
    window.screen("mended")
    assert kept(window) == before


def test_with_watch_a_save_is_enough(screen: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("_tkinter") is None:
        pytest.skip("this Python was built without tkinter, and pip has none")
    window = Window(copied("gui_tk", tmp_path), screen, EXAMPLES["gui_tk"][1], "--watch")
    try:
        window.edit("view.py", (f"BANNER = {colour(GREEN)}", f"BANNER = {colour(ORANGE)}"))
        window.until_colour("banner", ORANGE)
        assert until_report(window, 1, "committed")["report"][2] == "watcher"
        window.edit("view.py", ("    app.phase += 0.1", "    app.phase += 1 / 0"))
        window.until_colour("banner", ORANGE, TINT)
        window.edit("view.py", ("    app.phase += 1 / 0", "    app.phase += 0.1"))
        window.until_colour("banner", ORANGE)
    finally:
        window.close()


def test_the_inventory_names_every_attribute_of_the_app() -> None:
    tree = ast.parse((ROOT / "examples/gui/src/gui_2.py").read_text())
    app = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "App")
    attributes = {
        node.attr
        for node in ast.walk(app)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"
    }
    tables = {
        name: set(ast.literal_eval(node.value))
        for node in tree.body
        if isinstance(node, ast.Assign) and (name := ast.unparse(node.targets[0])) in ("STATE_KEYS", "NO_STATE")
    }
    assert tables["STATE_KEYS"] | tables["NO_STATE"] == attributes
    assert not tables["STATE_KEYS"] & tables["NO_STATE"]


def test_every_wrapper_of_the_app_is_one_line_and_its_function_a_target() -> None:
    tree = ast.parse((ROOT / "examples/gui/src/gui_2.py").read_text())
    app = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "App")
    wrappers = {
        f.name: ast.unparse(f.body[0]) for f in app.body if isinstance(f, ast.FunctionDef) and f.name[:8] == "_render_"
    }
    targets = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DELEGATION_TARGETS"
    )
    assert wrappers == {f"_{target}": f"{target}(self)" for target in targets}
