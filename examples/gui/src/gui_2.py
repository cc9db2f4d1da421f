"""The first hot module: module-level render_*(app) functions, and the App that stays, its thin wrappers around them."""

from __future__ import annotations

import array
import contextlib
import json
import math
import os
import time
from collections.abc import Iterator
from typing import Any

from imgui_bundle import hello_imgui, imgui

from midflight.gui import HotReloader
from src import ai_client

TITLE = "midflight: a GUI edited while it runs"
SIZE = (960, 640)
BANNER = (0.16, 0.50, 0.30)  # red, green, blue
BANNER_TEXT = "first version"
TINT = (1.0, 0.0, 0.0, 0.30)

# Every attribute of App that is state: what a failed reload puts back. Test: tests/gui/test_window.py.
STATE_KEYS = {
    "draft": "the text being typed",
    "tabs": "the notes that are open, by title, with their text",
    "tab": "the title of the tab in front",
    "rows": "the table's rows: name, number, done",
    "selected": "the row that is selected, one of `rows`, or None",
    "history": "the plot: the last 200 values",
    "phase": "where the plot goes on",
    "answers": "what the model said, oldest first",
    "agents": "the dashboard's workers, by name, with what they do",
    "show_done": "the table's filter",
}
# And those that are not: handles, and what is only looked at.
NO_STATE = {
    "state_file": "where to tell what is here; never changes",
    "layout": "windows, scroll position and middles of widgets as last drawn; imgui holds the real ones",
    "told": "when the state file was last written",
    "frames": "frames drawn so far",
}
DELEGATION_TARGETS = [
    "render_main_interface",
    "render_notes",
    "render_table",
    "render_plot",
    "render_mma_dashboard",
    "render_status_line",
    "render_error_tint",
]


class App:
    """What lives as long as the window. Its methods only lead to the functions below, which an edit may change."""

    def __init__(self, state_file: str | None = None) -> None:
        self.state_file = state_file
        self.layout: dict[str, Any] = {}
        self.told = 0.0
        self.frames = 0
        self.draft = ""
        self.tabs = {"Plan": "1. type\n2. edit the code\n3. Ctrl+Alt+R", "Log": "", "Ideas": ""}
        self.tab = "Plan"
        self.rows = [[f"row {number:02}", number * number % 97, number % 3 == 0] for number in range(40)]
        self.selected: list[Any] | None = None
        self.history = [0.0]
        self.phase = 0.0
        self.answers: list[str] = []
        self.agents = {"planner": "idle", "writer": "idle", "reviewer": "waits for the writer"}
        self.show_done = True

    def run(self) -> None:
        """The main loop. Returns when the window is closed."""
        params = hello_imgui.RunnerParams()
        params.app_window_params.window_title = TITLE
        params.app_window_params.window_geometry.size = SIZE
        params.imgui_window_params.default_imgui_window_type = hello_imgui.DefaultImGuiWindowType.no_default_window
        params.ini_filename = ""  # else hello_imgui writes a file into the working directory
        params.fps_idling.fps_idle = 30.0
        params.callbacks.post_init = errors_are_recovered
        params.callbacks.show_gui = self.frame
        hello_imgui.run(params)

    def frame(self) -> None:
        """One frame. Reloads happen at its top, inside guard_frame, and nowhere else."""
        with HotReloader.guard_frame(self), unwound():
            if imgui.is_key_chord_pressed(imgui.Key.mod_ctrl | imgui.Key.mod_alt | imgui.Key.r):
                HotReloader.reload_all(self)
            self._render_main_interface()
        self._render_error_tint()
        self.frames += 1
        tell_state(self)

    def _render_main_interface(self) -> None:
        render_main_interface(self)

    def _render_notes(self) -> None:
        render_notes(self)

    def _render_table(self) -> None:
        render_table(self)

    def _render_plot(self) -> None:
        render_plot(self)

    def _render_mma_dashboard(self) -> None:
        render_mma_dashboard(self)

    def _render_status_line(self) -> None:
        render_status_line(self)

    def _render_error_tint(self) -> None:
        render_error_tint(self)


def errors_are_recovered() -> None:
    """imgui mends its own stack of windows after an exception, and says so on the terminal instead of asserting."""
    io = imgui.get_io()
    io.config_error_recovery_enable_assert = False
    io.config_error_recovery_enable_tooltip = False


@contextlib.contextmanager
def unwound() -> Iterator[None]:
    """An exception between begin() and end() leaves imgui's stack as it was before."""
    state = imgui.internal.ErrorRecoveryState()
    imgui.internal.error_recovery_store_state(state)
    try:
        yield
    except BaseException:
        imgui.internal.error_recovery_try_to_recover_state(state)
        raise


@contextlib.contextmanager
def window(app: App, title: str, x: float, y: float, width: float, height: float) -> Iterator[None]:
    """A window that starts at a place of its own and may be moved."""
    imgui.set_next_window_pos(imgui.ImVec2(x, y), imgui.Cond_.first_use_ever)
    imgui.set_next_window_size(imgui.ImVec2(width, height), imgui.Cond_.first_use_ever)
    imgui.begin(title)
    place, size = imgui.get_window_pos(), imgui.get_window_size()
    app.layout[title] = [round(place.x), round(place.y), round(size.x), round(size.y)]
    yield
    imgui.end()


def note_place(app: App, name: str) -> None:
    """Where the widget that was drawn last has its middle, for a look from outside."""
    low, high = imgui.get_item_rect_min(), imgui.get_item_rect_max()
    app.layout[name] = [round((low.x + high.x) / 2), round((low.y + high.y) / 2)]


def colour_box(app: App, name: str, colour: tuple[float, float, float], width: float, height: float) -> None:
    corner = imgui.get_cursor_screen_pos()
    end = imgui.ImVec2(corner.x + width, corner.y + height)
    packed = imgui.color_convert_float4_to_u32(imgui.ImVec4(*colour, 1))
    imgui.get_window_draw_list().add_rect_filled(corner, end, packed)
    imgui.dummy(imgui.ImVec2(width, height))
    note_place(app, name)


def render_main_interface(app: App) -> None:
    app._render_notes()
    app._render_table()
    app._render_plot()
    app._render_mma_dashboard()
    app._render_status_line()


def render_notes(app: App) -> None:
    with window(app, "Notes", 10, 10, 460, 280):
        imgui.set_next_item_width(-60)
        _, app.draft = imgui.input_text("##draft", app.draft)
        note_place(app, "draft")
        imgui.same_line()
        if imgui.button("Ask"):
            app.answers.append(ai_client.ask(app.draft))
        for answer in app.answers[-3:]:
            imgui.text_unformatted(answer)
        if imgui.begin_tab_bar("tabs"):
            for title in list(app.tabs):
                render_tab(app, title)
            imgui.end_tab_bar()


def render_tab(app: App, title: str) -> None:
    in_front, stays = imgui.begin_tab_item(title, True)
    note_place(app, f"tab {title}")
    if in_front:
        app.tab = title
        _, app.tabs[title] = imgui.input_text_multiline(f"##{title}", app.tabs[title], imgui.ImVec2(-1, -1))
        imgui.end_tab_item()
    if not stays:
        del app.tabs[title]


def render_table(app: App) -> None:
    with window(app, "Table", 480, 10, 470, 280):
        _, app.show_done = imgui.checkbox("done, too", app.show_done)
        if imgui.begin_table("rows", 3, imgui.TableFlags_.scroll_y | imgui.TableFlags_.row_bg):
            for row in app.rows:
                if app.show_done or not row[2]:
                    render_row(app, row)
            app.layout["scroll"] = round(imgui.get_scroll_y())
            imgui.end_table()


def render_row(app: App, row: list[Any]) -> None:
    name, number, done = row
    imgui.table_next_row()
    imgui.table_next_column()
    clicked, _ = imgui.selectable(name, row is app.selected, imgui.SelectableFlags_.span_all_columns)
    note_place(app, name)
    if clicked:
        app.selected = row
    imgui.table_next_column()
    imgui.text(str(number))
    imgui.table_next_column()
    imgui.text("done" if done else "")


def render_plot(app: App) -> None:
    app.phase += 0.1
    app.history = [*app.history[-199:], next_value(app.phase)]
    with window(app, "Plot", 10, 300, 460, 270):
        imgui.text(BANNER_TEXT)
        colour_box(app, "banner", BANNER, imgui.get_content_region_avail().x, 60)
        size = imgui.ImVec2(-1, 130)
        imgui.plot_lines("##plot", array.array("f", app.history), scale_min=-1.2, scale_max=1.2, graph_size=size)


def next_value(phase: float) -> float:
    return math.sin(phase)


def render_mma_dashboard(app: App) -> None:
    with window(app, "MMA dashboard", 480, 300, 470, 270):
        if imgui.button("Hot Reload", imgui.ImVec2(120, 30)):
            HotReloader.reload_all(app)
        note_place(app, "button")
        imgui.same_line()
        colour_box(app, "badge", ai_client.BADGE, 120, 30)
        imgui.text(ai_client.describe())
        for name, doing in app.agents.items():
            imgui.bullet_text(f"{name}: {doing}")
        imgui.text(f"hot modules: {', '.join(HotReloader.HOT_MODULES)}")


def render_status_line(app: App) -> None:
    imgui.set_next_window_pos(imgui.ImVec2(0, SIZE[1] - 60))
    imgui.set_next_window_size(imgui.ImVec2(SIZE[0], 60))
    imgui.begin("##status", None, imgui.WindowFlags_.no_decoration | imgui.WindowFlags_.no_move)
    imgui.text_wrapped(status_text())
    imgui.end()


def status_text() -> str:
    """One line on what stands now."""
    report, error = HotReloader.last_report, HotReloader.last_error
    if HotReloader.is_error_state and error:
        return "\n".join(error.splitlines()[:2])
    if report is None:
        return "Edit src/gui_2.py, then press Ctrl+Alt+R or the button."
    return f"{report.id} {report.outcome} in {report.timings_ms.get('total', 0):.1f} ms: {', '.join(report.modules)}"


def render_error_tint(app: App) -> None:
    """Red over everything while what runs is not what was saved."""
    if HotReloader.is_error_state:
        view = imgui.get_main_viewport()
        end = imgui.ImVec2(view.pos.x + view.size.x, view.pos.y + view.size.y)
        colour = imgui.color_convert_float4_to_u32(imgui.ImVec4(*TINT))
        imgui.get_foreground_draw_list().add_rect_filled(view.pos, end, colour)


def tell_state(app: App) -> None:
    """What a look from outside wants to know, ten times a second, in a file that is whole at any moment."""
    if app.state_file is None or time.monotonic() - app.told < 0.1:
        return
    app.told = time.monotonic()
    report = HotReloader.last_report
    state = {
        **{key: getattr(app, key) for key in STATE_KEYS},
        "frames": app.frames,
        "layout": app.layout,
        "error": HotReloader.is_error_state,
        "last_error": HotReloader.last_error,
        "report": [report.id, report.outcome, report.cause] if report is not None else None,
        "status": status_text(),
    }
    with open(f"{app.state_file}~", "w", encoding="utf-8") as file:
        json.dump(state, file)
    os.replace(f"{app.state_file}~", app.state_file)
