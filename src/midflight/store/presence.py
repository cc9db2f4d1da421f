"""Which sessions of a project live: a file each, locked for as long as its process does."""

from __future__ import annotations

import contextlib
import fcntl
import os

FOLDER = "running"


class Presence:
    """This session's file in the store's folder. Raises OSError where there can be none."""

    def __init__(self, folder: str) -> None:
        place = os.path.join(folder, FOLDER)
        os.makedirs(place, exist_ok=True)
        self.name = f"{os.getpid()}-{os.urandom(3).hex()}"
        self._path = os.path.join(place, self.name)
        hidden = os.path.join(place, f".{self.name}")
        self._descriptor = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        # Locked before anybody sees it: a file that is not locked is a dead session's.
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        os.rename(hidden, self._path)

    def end(self) -> None:
        """The session ended well: nothing of it is to be settled."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        os.close(self._descriptor)

    def let_go(self) -> None:
        """In a forked child, whose copy of the lock would outlive the session; or where it ends with something left to
        settle."""
        os.close(self._descriptor)


def dead(folder: str) -> list[str]:
    """The names of sessions whose process is gone."""
    place = os.path.join(folder, FOLDER)
    try:
        names = os.listdir(place)
    except OSError:
        return []
    return sorted(name for name in names if not name.startswith(".") and not is_alive(folder, name))


def is_alive(folder: str, name: str) -> bool:
    try:
        descriptor = os.open(os.path.join(folder, FOLDER, name), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def bury(folder: str, name: str) -> None:
    """What was to be settled of a dead session is."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, FOLDER, name))


def pid_of(name: str) -> int:
    return int(name.partition("-")[0])
