"""Reports in words: a line for `run`, or everything."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from midflight.values import ModuleReport, Plan, Report

MOST_NAMES, MOST_MODULES = 6, 3


def line(report: Report) -> str:
    """The report in one line; what failed in several, with where, why and the way out."""
    if not report.ok:
        return failure(report)
    ms = _total(report)
    if report.outcome == "unchanged":
        return f"nothing changed for the running program ({ms})"
    touched = {name: done for name, done in report.modules.items() if _doings(done)} or report.modules
    subject = next(iter(touched)) if len(touched) == 1 else f"{len(touched)} modules"
    parts = [_told(name, done, len(touched) > 1) for name, done in list(touched.items())[:MOST_MODULES]]
    parts = [part for part in parts if part]
    if len(touched) > MOST_MODULES:
        parts.append(f"and {len(touched) - MOST_MODULES} more, see `midflight show {report.id}`")
    if report.old_frames:
        parts.append(f"{_count(len(report.old_frames), 'running frame')} still on old code")
    return f"{subject} reloaded in {ms}" + (f" ({'; '.join(parts)})" if parts else "")


def failure(report: Report) -> str:
    """What still runs, and each problem with its place and way out."""
    subject = ", ".join(report.modules) or ", ".join(dict.fromkeys(_short(one.path) for one in report.problems))
    verb = "rolled back" if report.outcome == "rolled back" else "not reloaded"
    versions = [done.before[:7] for done in report.modules.values() if done.before]
    running = f"version {versions[0]} is still running" if len(versions) == 1 else "the old code is still running"
    lines = [f"{subject or 'the change'} {verb}; {running}"]
    for problem in report.problems:
        where = f"{_short(problem.path)}:{problem.line}" if problem.line else _short(problem.path)
        lines.append(f"  {where}  {problem.message} [{problem.code}]")
        lines += [f"    {hint}" for hint in problem.hint.splitlines()]
    return "\n".join(lines)


def everything(report: Report) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(report.at))
    lines = [f"{report.id}  {report.outcome}  {at}  asked for by {report.cause}"]
    if not report.ok:
        lines.append(failure(report))
    for name, done in report.modules.items():
        lines.append(f"{name}  {done.before[:12] or 'new'} -> {done.after[:12] or 'gone'}  {done.path}")
        lines += [f"  {verb:<8} {', '.join(names)}" for verb, names in _doings(done).items()]
    for frame in report.old_frames:
        thread = f", thread {frame.thread}" if frame.thread else ""
        lines.append(f"on old code: {frame.kind} {frame.name} ({_short(frame.path)}:{frame.line}{thread})")
    lines += [f"note: {note}" for note in report.notes]
    lines.append("ms: " + ", ".join(f"{stage} {ms:g}" for stage, ms in report.timings_ms.items()))
    return "\n".join(lines)


def plan(plan: Plan) -> str:
    lines = [f"{number:>3}. {step}" for number, step in enumerate(plan.steps, 1)]
    lines += [f"keeps {kept}" for kept in plan.kept]
    lines += [str(problem) for problem in plan.problems]
    if plan.problems:
        lines.append("A reload would be refused.")
    return "\n".join(lines) or "Nothing changed: a reload would do nothing."


def _told(name: str, done: ModuleReport, named: bool) -> str:
    doings = "; ".join(f"{verb} {_names(names)}" for verb, names in _doings(done).items())
    return f"{name}: {doings}" if named and doings else doings or (name if named else "")


def _doings(done: ModuleReport) -> Mapping[str, tuple[str, ...]]:
    verbs = ("ran", "grafted", "rebound", "kept", "removed")
    return {verb: names for verb in verbs if (names := getattr(done, verb))}


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return shown + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def _total(report: Report) -> str:
    return f"{report.timings_ms.get('total', 0.0):.1f} ms"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number != 1 else "")


def _short(path: str) -> str:
    """`path` from the working directory where it lies below it."""
    try:
        relative = os.path.relpath(path)
    except (ValueError, OSError):
        return path
    return path if relative.startswith("..") else relative
