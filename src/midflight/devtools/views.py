"""One report, and the session's speed over time, as the page shows them."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from midflight.devtools import diffs, explained
from midflight.plan.statements import bare_lines

if TYPE_CHECKING:
    from midflight.devtools.recorder import Recorder
    from midflight.session import Session
    from midflight.values import Event, ModuleReport, Problem, Report

AROUND = 4  # lines shown above and below a problem's
LONGEST_LINE = 400


Texts = Callable[[str, str, str], bytes | None]  # module, path and SHA-256 → the text, where it is known


def report_view(report: Report, texts: Texts, tests: Iterable[Event] = ()) -> dict[str, Any]:
    """{"diffs": {module: rows or None}, "problems": [{"explanation", "excerpt"}], "notes": [{"text", "explanation"}],
    "tests": [detail]}, in the report's order. A diff is None where a text is no longer known."""
    return {
        "diffs": {name: _diff(name, module, texts) for name, module in report.modules.items()},
        "problems": [
            {"explanation": explained.problem(one.code), "excerpt": _excerpt(one, report, texts)}
            for one in report.problems
        ],
        "notes": [{"text": text, "explanation": explained.note(text)} for text in report.notes],
        "tests": [dict(one.detail) for one in tests if one.report_id == report.id],
    }


def _diff(name: str, module: ModuleReport, texts: Texts) -> list[diffs.Row] | None:
    if module.before == module.after:
        return []
    old, new = (texts(name, module.path, sha) if sha else b"" for sha in (module.before, module.after))
    return None if old is None or new is None else diffs.rows(_readable(old), _readable(new))


def _readable(text: bytes) -> str:
    return text.decode("utf-8", "replace").removeprefix("\ufeff")


def _excerpt(problem: Problem, report: Report, texts: Texts) -> list[dict[str, Any]]:
    """Lines around the problem, of the text that was tried: [{"line", "text"}]."""
    tried = [(name, module) for name, module in report.modules.items() if module.path == problem.path]
    text = texts(tried[0][0], problem.path, tried[0][1].after) if tried and problem.line else None
    if text is None:
        return []
    lines = bare_lines(_readable(text))
    first, last = max(1, problem.line - AROUND), min(len(lines), problem.line + AROUND)
    return [{"line": number, "text": lines[number - 1][:LONGEST_LINE]} for number in range(first, last + 1)]


def profile(session: Session, recorder: Recorder) -> dict[str, Any]:
    """{"points": [{"id", "at", "outcome", "timings_ms"}], "slowest": [{"module", "reloads", "mean_ms", "worst_ms"}],
    "memory": [{"at", "rss"}], "old_code": [{"name", "path", "line", "kind", "report"}]}; points are oldest first."""
    suspended = session.stats()["suspended_on_old_code"]
    reports = [one for one in reversed(session.history(limit=1000)) if one.outcome != "unchanged"]
    return {
        "points": [
            {"id": one.id, "at": one.at, "outcome": one.outcome, "timings_ms": dict(one.timings_ms)} for one in reports
        ],
        "slowest": _slowest(reports),
        "memory": [{"at": one.at, "rss": one.rss} for one in list(recorder.memory)],
        "old_code": [*({**one, "kind": "suspended", "report": ""} for one in suspended), *_old_frames(reports)],
        "explained": {"old_code": explained.OLD_FRAME},
    }


def _slowest(reports: Iterable[Report]) -> list[dict[str, Any]]:
    took: dict[str, list[float]] = collections.defaultdict(list)
    for one in reports:
        for name in one.modules:
            took[name].append(one.timings_ms.get("total", 0.0))
    rows = [
        {"module": name, "reloads": len(ms), "mean_ms": round(sum(ms) / len(ms), 3), "worst_ms": max(ms)}
        for name, ms in took.items()
    ]
    return sorted(rows, key=lambda row: (-float(str(row["mean_ms"])), str(row["module"])))[:50]


def _old_frames(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Frames that the latest reports found on old code; whether one has ended since is not known."""
    found = [(one, frame) for one in reversed(reports[-20:]) for frame in one.old_frames]
    return [
        {"name": frame.name, "path": frame.path, "line": frame.line, "kind": frame.kind, "report": one.id}
        for one, frame in found[:50]
    ]


def tests(runs: Iterable[Event], session: Session) -> dict[str, Any]:
    """{"setting", "runs": [{"report", "at", …}]}, newest first, each with the event's detail."""
    rows = [{"report": one.report_id, "at": one.at, **one.detail} for one in runs]
    return {"setting": session.config.tests, "runs": rows}
