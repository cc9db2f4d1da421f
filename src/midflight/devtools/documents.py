"""What the routes answer: the session's state as JSON documents."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from midflight.config import SECRET
from midflight.values import as_plain

if TYPE_CHECKING:
    from midflight.session import Session
    from midflight.values import Event, Plan, Report, Version


def hot_reload_status(session: Session | None) -> dict[str, Any]:
    """{"enabled", "status": "running" | "paused" | "stopped", "message"}."""
    if session is None or not session.config.enabled:
        return {"enabled": False, "status": "stopped", "message": "Hot-reload system is disabled"}
    if not session.running:
        return {"enabled": True, "status": "stopped", "message": "Hot-reload system is not running"}
    if session.paused:
        return {"enabled": True, "status": "paused", "message": "Hot-reload system is paused; changes wait"}
    return {"enabled": True, "status": "running", "message": "Hot-reload system is operational"}


def hot_reload_stats(session: Session | None) -> dict[str, Any]:
    """{"success": True, "stats": {"reloads", "successes", "failures", "cache_stats", "is_running"}}."""
    counts: Mapping[str, Any] = session.counts() if session is not None else {}
    failures = counts.get("failures", 0)
    return {
        "success": True,
        "stats": {
            **{name: counts.get(name, 0) for name in ("reloads", "successes", "failures")},
            "cache_stats": {
                "total_modules": counts.get("cached_modules", 0),
                "total_loads": counts.get("total_loads", 0),
                "total_errors": failures,
            },
            "is_running": session is not None and session.running,
        },
    }


def status(session: Session) -> dict[str, Any]:
    """The session's own status; without the link, which holds the token."""
    return {name: value for name, value in session.status().items() if name != "devtools"}


def text(document: Any) -> str:
    """In ASCII: names of files may hold what UTF-8 cannot."""
    return json.dumps(document)


def now(session: Session) -> dict[str, Any]:
    """What every page shows: {"session", "root", "status", "mode", "counts", "pending", "problems"}.

    Cheap: it is told with every report. `session` changes when the program was started anew."""
    return {
        "session": session.id,
        "root": session.config.root,
        "status": hot_reload_status(session)["status"],
        "mode": session.mode,
        "counts": session.counts(),
        "pending": session.pending(),
        "problems": standing_problems(session),
    }


def plan(one: Plan) -> dict[str, Any]:
    document: dict[str, Any] = as_plain(one)
    return document


def versions(found: Iterable[Version]) -> dict[str, Any]:
    return {"versions": [as_plain(one) for one in found]}


def report(one: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(one.to_json())
    return document


def history(reports: Iterable[Report], events: Iterable[Event]) -> dict[str, Any]:
    """Each newest first; events only of this process."""
    return {"reports": [report(one) for one in reports], "events": [as_plain(one) for one in events]}


def settings(session: Session) -> dict[str, Any]:
    """{"settings": [{"name", "value", "origin"}], "root", "store"}; secrets are named, not shown."""
    config = session.config
    rows = [
        {"name": name, "value": as_plain(_shown(name, getattr(config, name))), "origin": origin}
        for name, origin in config.origins.items()
    ]
    return {"settings": rows, "root": config.root, "store": config.store_dir}


def _shown(name: str, value: Any) -> Any:
    return "••••" if name in SECRET and value else value


def standing_problems(session: Session) -> list[dict[str, Any]]:
    """What keeps files from being taken now, newest report first: told until each file was mended."""
    pending = set(session.pending())
    found: list[dict[str, Any]] = []
    if not pending:
        return found
    for one in session.history(limit=50):
        paths = {module.path for module in one.modules.values()} | {problem.path for problem in one.problems}
        mine = pending & {os.path.realpath(path) for path in paths if path}
        if not one.ok and mine:
            pending -= mine
            found += [{**as_plain(problem), "report": one.id} for problem in one.problems]
    return found
