"""Where a process can be killed to prove that nothing is lost: one name before and one after each write.

A test names a point in the environment, `_MIDFLIGHT_KILL_AT=point` or `point:3` for its third time, and the process
kills itself there. Nobody else sets it, and then `reached` is one comparison."""

from __future__ import annotations

import os

POINTS = (
    # the running program
    *("apply.begin", "apply.done", "commit.begin", "commit.done", "rollback.begin", "rollback.done"),
    # one transaction of the store, and the wait for the disk
    *("store.begin", "store.commit", "store.committed", "store.sync", "store.synced"),
    # a report that waits in the session's own file until it is in the store
    *("unsaved.note", "unsaved.noted", "unsaved.forget", "unsaved.forgotten"),
    # source files: written aside, the intent made durable, each put in place, the old ones let go
    *(
        "files.aside",
        "files.asides",
        "files.keep",
        "files.replace",
        "files.replaced",
        "files.release",
        "files.released",
    ),
    # the way back from a failure among them
    *("files.back", "files.back.put", "files.back.done"),
    # the next start
    *("settle.begin", "settle.file", "settle.done"),
)
SIGKILL = 9  # the module signal would cost an import

_at, _, _times = os.environ.get("_MIDFLIGHT_KILL_AT", "").partition(":")
_left = int(_times or 1)


def reached(point: str) -> None:
    """Does nothing, but in a test that asked for this very point."""
    if point == _at:
        _die()


def _die() -> None:
    global _left
    _left -= 1
    if not _left:
        os.kill(os.getpid(), SIGKILL)
