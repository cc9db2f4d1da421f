"""What the status page shows, and how it looks."""

import asyncio
import html as escape

STYLE = """
body { font: 16px system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }
table { border-collapse: collapse } th, td { text-align: left; padding: .3rem .8rem; border-bottom: 1px solid #ddd }
.enabled { color: #17643a } .failed, .error { color: #a11 } .waiting, .disabled, .reloading { color: #7a5b00 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } td, th { border-color: #444 }
.enabled { color: #7d8 } .failed, .error { color: #f88 } .waiting, .disabled, .reloading { color: #ec6 } }
"""


def state_of(bot):
    """Everything on the page, as plain data."""
    connected = bot.connection is not None and bot.connection.is_connected()
    reports = [{"id": one.id, "outcome": one.outcome, "cause": one.cause} for one in bot.manager.reports[-10:]]
    return {
        "nick": bot.nick,
        "channel": bot.channel,
        "connected": connected,
        "tasks": len(asyncio.all_tasks()),
        "commands": sorted(bot.manager.commands),
        "plugins": bot.manager.status(),
        "reports": reports,
    }


def html(state):
    rows = "".join(map(_row, state["plugins"]))
    where = "connected" if state["connected"] else "not connected"
    reports = ", ".join(f"{one['id']} {one['outcome']}" for one in reversed(state["reports"]))
    return (
        f'<!doctype html><html lang="en"><title>{_text(state["nick"])}</title><style>{STYLE}</style>'
        f'<meta http-equiv="refresh" content="2"><h1>{_text(state["nick"])}</h1>'
        f"<p>{where}, in {_text(state['channel'])}; {state['tasks']} tasks</p>"
        f"<table><tr><th>plugin<th>version<th>state<th>reloads<th>commands<th>error</tr>{rows}</table>"
        f"<p>last reloads: {_text(reports) or 'none'}</p></html>"
    )


def _row(plugin):
    commands = " ".join(f"!{name}" for name in plugin["commands"])
    cells = [plugin["name"], plugin["version"], plugin["state"], plugin["reloads"], commands, plugin["error"] or ""]
    classes = ["", "", plugin["state"], "", "", "error"]
    return "<tr>" + "".join(f'<td class="{c}">{_text(one)}' for c, one in zip(classes, cells, strict=True)) + "</tr>"


def _text(value):
    return escape.escape(str(value))


def response(status, kind, text):
    body = text.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
