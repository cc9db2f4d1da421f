"""Which sessions of a project live: a file each, locked for as long as its process does, with what the session has not
yet put into the store."""

from __future__ import annotations

import contextlib
import fcntl
import os

from midflight.store.faults import reached

FOLDER = "running"


class Presence:
    """This session's file in the store's folder. Raises OSError where there can be none."""

    def __init__(self, folder: str) -> None:
        place = os.path.join(folder, FOLDER)
        os.makedirs(place, exist_ok=True)
        self.name = f"{os.getpid()}-{os.urandom(3).hex()}"
        self._path = os.path.join(place, self.name)
        hidden = os.path.join(place, f".{self.name}")
        self._descriptor = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600)
        # Locked before anybody sees it: a file that is not locked is a dead session's.
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        os.rename(hidden, self._path)
        self._size = 0

    def note(self, data: bytes) -> None:
        """Keep `data` for whoever comes after this process. Raises OSError where it cannot be kept whole."""
        reached("unsaved.note")
        written = os.write(self._descriptor, data)
        if written < len(data):
            os.ftruncate(self._descriptor, self._size)
            raise OSError(f"only {written} of {len(data)} bytes could be written")
        self._size += written
        reached("unsaved.noted")

    def forget(self) -> None:
        """What was noted is in the store."""
        if self._size:
            reached("unsaved.forget")
            os.ftruncate(self._descriptor, 0)
            self._size = 0
            reached("unsaved.forgotten")

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


def noted(folder: str, name: str) -> bytes:
    """What a session that is dead had noted and not forgotten."""
    try:
        with open(os.path.join(folder, FOLDER, name), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""  # another process has settled it meanwhile


def bury(folder: str, name: str) -> None:
    """What was to be settled of a dead session is."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, FOLDER, name))


def pid_of(name: str) -> int:
    return int(name.partition("-")[0])
