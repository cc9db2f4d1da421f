"""A program that applies, fails and goes back, and tells each step on a line of its own, until it is killed.

Two modules, left.py and right.py, always hold the same number; saved.py is saved by hand. At its start it tells what it
finds. Run in its folder; the environment names the place at which it dies."""

from __future__ import annotations

import json
import os
import pathlib
import sys
from typing import Any

import midflight
from midflight.store.versions import Store, sha_of

HERE = pathlib.Path.cwd()
LEFT, RIGHT, SAVED = (HERE / name for name in ("left.py", "right.py", "saved.py"))


def tell(step: str, **facts: Any) -> None:
    print(json.dumps({"step": step, **facts}), flush=True)


def number(path: pathlib.Path) -> int:
    return int(path.read_text().partition("=")[2].split()[0])


def found(session: midflight.Session) -> dict[str, Any]:
    store = Store(session.config.store_dir)
    live = {module: sha for (module, _), sha in store.versions.live().items()}
    reports = {report.id: report.outcome for _, report in store.journal.reports(limit=1000)}
    wrong = store.verify()
    store.close()
    return {
        "files": {path.stem: sha_of(path.read_bytes()) for path in (LEFT, RIGHT, SAVED)},
        "numbers": [number(LEFT), number(RIGHT)],
        "left over": sorted(path.name for path in HERE.glob("*~")),
        "live": live,
        "reports": reports,
        "verify": wrong,
        "said": session.status()["troubles"],
    }


def both(text: str) -> dict[str, str]:
    return {str(LEFT): text, str(RIGHT): text}


def main() -> None:
    sys.path.insert(0, str(HERE))
    session = midflight.Session(paths=[HERE], mode="manual", stable_window_s=30)
    session.start()
    import left  # type: ignore[import-not-found]
    import right  # type: ignore[import-not-found]  # noqa: F401
    import saved  # type: ignore[import-not-found]  # noqa: F401

    tell("found", **found(session))
    now = left.V

    def told(step: str, report: midflight.Report) -> None:
        tell(step, id=report.id, outcome=report.outcome, numbers=[number(LEFT), number(RIGHT)])

    told("apply", session.apply(both(f"V = {now + 1}\n")))
    told("failing code", session.apply(both(f"V = {now + 2}\n1 / 0\n")))
    blocked = pathlib.Path(f"{RIGHT}.midflight-old~")
    blocked.mkdir(exist_ok=True)
    (blocked / "full").touch()
    try:
        told("failing write", session.apply(both(f"V = {now + 3}\n")))
    finally:
        (blocked / "full").unlink()
        blocked.rmdir()
    SAVED.write_text(f"V = {now + 1}\n")
    told("save", session.reload())
    told("rollback", session.rollback(modules=["left", "right"]))
    told("again", session.apply(both(f"V = {now + 4}\n")))
    session.stop()
    tell("end")


if __name__ == "__main__":
    main()
    os._exit(0)
