"""The first hot module: render_*(app) functions, and the App that holds the widgets, which are made once."""

from __future__ import annotations

import json
import math
import os
import time
import tkinter as tk
from tkinter import ttk
from typing import Any

import client
from midflight.gui import HotReloader

TITLE = "midflight: a Tk program edited while it runs"
FRAME_MS = 30
BANNER = (0.16, 0.50, 0.30)  # red, green, blue
BANNER_TEXT = "first version"
PAPER = (0.90, 0.90, 0.90)
TINT = 0.30  # the share of red

# Every attribute of App that is state: what a failed reload puts back.
STATE_KEYS = {
    "draft": "the text being typed, as the entry last had it",
    "tabs": "the notes, by title, with their text",
    "tab": "the title of the note in front",
    "rows": "the table's rows: name, number, done",
    "selected": "the row that is selected, one of `rows`, or None",
    "history": "the plot: the last 200 values",
    "phase": "where the plot goes on",
    "answers": "what the client said, oldest first",
    "agents": "the dashboard's workers, by name, with what they do",
}
DELEGATION_TARGETS = ["render", "render_notes", "render_table", "render_plot", "render_dashboard", "render_error_tint"]

Colour = tuple[float, float, float]


class App:
    """What lives as long as the window: the values, and Tk's widgets with what Tk keeps in them."""

    def __init__(self, state_file: str | None = None) -> None:
        self.state_file, self.told, self.frames = state_file, 0.0, 0
        self.draft = ""
        self.tabs = {"Plan": "type, edit, Ctrl+Alt+R", "Log": "", "Ideas": ""}
        self.tab = "Plan"
        self.rows = [[f"row {number:02}", number * number % 97, number % 3 == 0] for number in range(40)]
        self.selected: list[Any] | None = None
        self.history = [0.0]
        self.phase = 0.0
        self.answers: list[str] = []
        self.agents = {"planner": "idle", "writer": "idle"}
        self.root = tk.Tk()
        self.root.title(TITLE)
        self.root.geometry("720x560+0+0")
        self.root.bind_all("<Control-Alt-r>", lambda event: HotReloader.reload_all(self))
        self._make_widgets()

    def _make_widgets(self) -> None:
        self.entry = tk.Entry(self.root)
        self.entry.place(x=10, y=10, width=260)
        self.ask = tk.Button(self.root, text="Ask", command=self._ask)
        self.ask.place(x=280, y=8)
        self.answer = tk.Label(self.root, anchor="w")
        self.answer.place(x=10, y=40, width=320)
        self.book = ttk.Notebook(self.root)
        for title, text in self.tabs.items():
            page = tk.Text(self.book)
            page.insert("1.0", text)
            self.book.add(page, text=title)
        self.book.place(x=10, y=70, width=340, height=200)
        self.table = tk.Listbox(self.root, exportselection=False)
        for row in self.rows:
            self.table.insert("end", f"{row[0]}   {row[1]}")
        self.table.place(x=370, y=10, width=340, height=260)
        self.caption = tk.Label(self.root, anchor="w")
        self.caption.place(x=10, y=280, width=340)
        self.banner = tk.Frame(self.root)
        self.banner.place(x=10, y=305, width=340, height=50)
        self.plot = tk.Canvas(self.root, highlightthickness=0)
        self.plot.place(x=10, y=365, width=340, height=120)
        self.button = tk.Button(self.root, text="Hot Reload", command=lambda: HotReloader.reload_all(self))
        self.button.place(x=370, y=280, width=120, height=30)
        self.badge = tk.Frame(self.root)
        self.badge.place(x=500, y=280, width=120, height=30)
        self.workers = tk.Label(self.root, anchor="nw", justify="left")
        self.workers.place(x=370, y=320, width=340, height=160)
        self.status = tk.Label(self.root, anchor="nw", justify="left", wraplength=690)
        self.status.place(x=10, y=495, width=700, height=60)

    def run(self) -> None:
        """Tk's loop, with a frame every FRAME_MS. Returns when the window is closed."""
        self.root.after(FRAME_MS, self.frame)
        self.root.mainloop()

    def frame(self) -> None:
        """One frame. Reloads happen at its top, inside guard_frame, and nowhere else."""
        self.root.after(FRAME_MS, self.frame)
        with HotReloader.guard_frame(self):
            self._render()
        self._render_error_tint()
        self.frames += 1
        tell_state(self)

    def _ask(self) -> None:
        self.answers.append(client.ask(self.draft))

    def _render(self) -> None:
        render(self)

    def _render_error_tint(self) -> None:
        render_error_tint(self)


def render(app: App) -> None:
    render_notes(app)
    render_table(app)
    render_plot(app)
    render_dashboard(app)


def render_notes(app: App) -> None:
    app.draft = app.entry.get()
    app.answer["text"] = app.answers[-1] if app.answers else ""
    page = app.root.nametowidget(app.book.select())
    app.tab = app.book.tab(page, "text")
    app.tabs[app.tab] = page.get("1.0", "end-1c")


def render_table(app: App) -> None:
    chosen = app.table.curselection()
    app.selected = app.rows[chosen[0]] if chosen else None


def render_plot(app: App) -> None:
    app.phase += 0.1
    app.history = [*app.history[-199:], next_value(app.phase)]
    app.caption["text"] = BANNER_TEXT
    points = [number for x, y in enumerate(app.history) for number in (x * 1.7, 60 - 50 * y)]
    app.plot.delete("all")
    if len(points) >= 4:
        app.plot.create_line(points)


def next_value(phase: float) -> float:
    return math.sin(phase)


def render_dashboard(app: App) -> None:
    app.workers["text"] = "\n".join(f"{name}: {doing}" for name, doing in app.agents.items())
    app.status["text"] = status_text()


def status_text() -> str:
    """What stands now."""
    report, error = HotReloader.last_report, HotReloader.last_error
    if HotReloader.is_error_state and error:
        return "\n".join(error.splitlines()[:2])
    if report is None:
        return "Edit view.py, then press Ctrl+Alt+R or the button."
    return f"{report.id} {report.outcome} in {report.timings_ms.get('total', 0):.1f} ms: {', '.join(report.modules)}"


def render_error_tint(app: App) -> None:
    """Tk cannot draw over its widgets: every background is mixed with red instead."""
    share = TINT if HotReloader.is_error_state else 0.0
    colours = {app.banner: BANNER, app.badge: client.BADGE}
    for widget in [app.root, *app.root.winfo_children(), *app.book.winfo_children()]:
        if not isinstance(widget, ttk.Widget):
            wanted = mixed(colours.get(widget, PAPER), share)
            if str(widget["background"]) != wanted:
                widget["background"] = wanted


def mixed(colour: Colour, share: float) -> str:
    red, green, blue = (round(255 * part * (1 - share)) for part in colour)
    return f"#{red + round(255 * share):02x}{green:02x}{blue:02x}"


def places(app: App) -> dict[str, Any]:
    """Where widgets have their middles, counted from the window's corner."""
    found: dict[str, Any] = {"scroll": round(1000 * app.table.yview()[0])}
    named = {"draft": app.entry, "button": app.button, "banner": app.banner, "badge": app.badge, "table": app.table}
    for name, widget in named.items():
        middle = widget.winfo_x() + widget.winfo_width() // 2, widget.winfo_y() + widget.winfo_height() // 2
        found[name] = list(middle)
    for number, row in enumerate(app.rows):
        if box := app.table.bbox(number):
            found[row[0]] = [app.table.winfo_x() + box[0] + box[2] // 2, app.table.winfo_y() + box[1] + box[3] // 2]
    for number, title in enumerate(app.tabs):
        found[f"tab {title}"] = [app.book.winfo_x() + tab_middle(app.book, number), app.book.winfo_y() + 10]
    return found


def tab_middle(book: ttk.Notebook, number: int) -> int:
    width = book.winfo_width()
    inside = [
        x
        for x in range(0, width, 4)
        if str(book.identify(x, 10)) and book.tk.call(str(book), "index", f"@{x},10") == number
    ]
    return inside[len(inside) // 2] if inside else 0


def tell_state(app: App) -> None:
    """What a look from outside wants to know, ten times a second, in a file that is whole at any moment."""
    if app.state_file is None or time.monotonic() - app.told < 0.1:
        return
    app.told = time.monotonic()
    report = HotReloader.last_report
    state = {
        **{key: getattr(app, key) for key in STATE_KEYS},
        "frames": app.frames,
        "layout": places(app),
        "error": HotReloader.is_error_state,
        "last_error": HotReloader.last_error,
        "report": [report.id, report.outcome, report.cause] if report is not None else None,
        "status": status_text(),
    }
    with open(f"{app.state_file}~", "w", encoding="utf-8") as file:
        json.dump(state, file)
    os.replace(f"{app.state_file}~", app.state_file)
