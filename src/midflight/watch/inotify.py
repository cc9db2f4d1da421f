"""Linux's own file events, by ctypes: no wake-up while nothing happens, none lost without being told."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import stat
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from midflight.watch.backend import Hint
from midflight.watch.mounts import Mounts
from midflight.watch.tree import Folder

MODIFY, CLOSE_WRITE, MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x2, 0x8, 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF, OVERFLOW, IGNORED, ISDIR = 0x400, 0x800, 0x4000, 0x8000, 0x40000000
ONLYDIR, DONT_FOLLOW, EXCL_UNLINK = 0x01000000, 0x02000000, 0x04000000

# MODIFY only tells that a file is being written; what counts as a change is CLOSE_WRITE.
EVENTS = MODIFY | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE
FLAGS = ONLYDIR | DONT_FOLLOW | EXCL_UNLINK

_HEAD = struct.Struct("iIII")  # wd, mask, cookie, length of the name that follows (inotify(7))
_BUFFER = 1 << 16
# More than the longest queue holds; a reader slower than the writers must come to its other work all the same.
MOST_READS = 128

# A file that was created, or moved here while open, is waited for this long after the last that was heard of it: it may
# have been complete before it got its name (linkat, rename before close), and then no CLOSE_WRITE ever comes.
UNSURE_MS = 100.0
# A file that was written and never closed may have been truncated by its path, which opens nothing.
FORGOTTEN_MS = 60_000.0

Trouble = Callable[[str, str], None]


class Inotify:
    """One inotify descriptor, and a watch for each folder. Raises OSError if the kernel gives no descriptor."""

    name = "inotify"
    settle_ms = 0.0
    careful = False

    def __init__(self, trouble: Trouble) -> None:
        self.polled: set[str] = set()
        self.overflows = 0
        self._trouble = trouble
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._folders: dict[int, str] = {}
        self._watches: dict[str, int] = {}
        self._open: dict[str, float] = {}  # written to and not closed → when last written to
        self._unsure: dict[str, float] = {}  # may be complete or not → when to take it as complete
        self._moving: dict[int, bool] = {}  # cookie of a file on the move → whether it is open
        self._full_told = False
        self._unwatched: set[str] = set()
        self._mounts = Mounts()
        self._fds: list[int] = []
        self._epoll: select.epoll | None = None
        try:
            self._open_descriptors()
        except OSError:
            self.close()
            raise

    def _open_descriptors(self) -> None:
        self._fd = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._fds.append(self._fd)
        self._alarm = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._fds.append(self._alarm)
        self._epoll = epoll = select.epoll()
        epoll.register(self._fd, select.EPOLLIN)
        epoll.register(self._alarm, select.EPOLLIN)

    def _checked(self, result: int) -> int:
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result

    def close(self) -> None:
        fds, self._fds = self._fds, []
        if self._epoll is not None:
            self._epoll.close()
        for fd in fds:
            os.close(fd)

    # Folders

    def enter(self, folder: Folder) -> None:
        mask = EVENTS | FLAGS | (DELETE_SELF | MOVE_SELF if folder.base else 0)
        try:
            wd = self._checked(self._libc.inotify_add_watch(self._fd, os.fsencode(folder.path), mask))
        except OSError as error:
            self._not_watched(folder.path, error)
            return
        old = self._watches.get(folder.path)
        if old is not None and old != wd:
            self._forget(old)
        twin = self._folders.get(wd)
        if twin is not None and twin != folder.path and self._watches.pop(twin, None) is not None:
            self.polled.add(twin)  # one folder under two paths (a bind mount): the kernel tells of the later one only
        self._folders[wd] = folder.path
        self._watches[folder.path] = wd
        self.polled.discard(folder.path)
        self._unwatched.discard(folder.path)
        if self._mounts.is_remote(folder.path):
            self.polled.add(folder.path)

    def _not_watched(self, path: str, error: OSError) -> None:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return
        news = path not in self._unwatched
        self._unwatched.add(path)
        if error.errno == errno.ENOSPC:
            self.polled.add(path)
            if not self._full_told:
                self._full_told = True
                self._trouble(
                    "limit",
                    f"{path} and what comes after it is polled: the limit of inotify watches is reached\n"
                    "  Raise it with `sysctl fs.inotify.max_user_watches=524288`, or leave folders out with `exclude`.",
                )
        elif news and error.errno == errno.EACCES:
            text = f"{path} is not watched: permission denied\n  Give read permission, or leave it out with `exclude`."
            self._trouble("permission", text)
        elif news:
            self.polled.add(path)
            self._trouble("backend", f"{path} is polled: {error.strerror}\n  Its changes are seen a little later.")

    def leave(self, path: str) -> None:
        self.polled.discard(path)
        self._unwatched.discard(path)
        wd = self._watches.pop(path, None)
        if wd is not None:
            self._forget(wd)

    def _forget(self, wd: int) -> None:
        self._folders.pop(wd, None)
        self._libc.inotify_rm_watch(self._fd, wd)  # fails where the folder is gone, and its watch with it

    def cover(self, roots: Iterable[str]) -> None:
        return

    def retry(self, folders: Mapping[str, Folder]) -> list[str]:
        for path in sorted(self._unwatched):
            if path in folders:
                self.enter(folders[path])
            if path in self._unwatched and path in self.polled:
                break  # the limit is still reached
        self._full_told = bool(self._unwatched & self.polled)
        return sorted(self._unwatched)

    # Events

    def wait(self, timeout_s: float | None) -> None:
        for fd, _ in self._epoll.poll(timeout_s) if self._epoll else ():
            if fd == self._alarm:
                os.eventfd_read(fd)

    def wake(self) -> None:
        if self._fds:
            os.eventfd_write(self._alarm, 1)

    def read(self) -> Iterator[Hint]:
        for _ in range(MOST_READS):
            data = self._read_some()
            if not data:
                break
            now_ms = time.monotonic() * 1000
            at = 0
            while at < len(data):
                wd, mask, cookie, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size + length
                name = data[at - length : at].rstrip(b"\0")
                yield from self._event(wd, mask, cookie, os.fsdecode(name), now_ms)
        if len(self._moving) > 1000:  # what was moved out of sight is never claimed
            self._moving.clear()
        self._expire(time.monotonic() * 1000)

    def _read_some(self) -> bytes:
        try:
            return os.read(self._fd, _BUFFER)
        except BlockingIOError:
            return b""

    def _event(self, wd: int, mask: int, cookie: int, name: str, now_ms: float) -> Iterator[Hint]:
        if mask & OVERFLOW:
            self.overflows += 1
            self._open.clear()  # their CLOSE_WRITE may be among what was lost
            yield Hint("lost", "")
            return
        folder = self._folders.get(wd)
        if folder is None:
            return
        if mask & IGNORED:
            del self._folders[wd]
            if self._watches.get(folder) == wd:
                del self._watches[folder]
                yield Hint("again", folder)
        elif mask & (DELETE_SELF | MOVE_SELF):
            yield Hint("gone", folder)
        elif mask & ISDIR:
            yield from self._folder_event(os.path.join(folder, name), mask)
        else:
            yield from self._file_event(os.path.join(folder, name), mask, cookie, now_ms)

    def _folder_event(self, path: str, mask: int) -> Iterator[Hint]:
        if mask & (DELETE | MOVED_FROM):
            yield Hint("gone", path)
        elif mask & (CREATE | MOVED_TO):
            yield Hint("found", path)

    def _file_event(self, path: str, mask: int, cookie: int, now_ms: float) -> Iterator[Hint]:
        if mask & MODIFY:
            self._open[path] = now_ms
            self._unsure.pop(path, None)
            return
        if mask & CREATE:
            if self._is_being_made(path):
                self.suspect(path, now_ms + UNSURE_MS)
        else:
            was_open = self._open.pop(path, None) is not None or path in self._unsure
            self._unsure.pop(path, None)
            if mask & MOVED_FROM:
                self._moving[cookie] = was_open
            elif mask & MOVED_TO and self._moving.pop(cookie, False):
                self.suspect(path, now_ms + UNSURE_MS)
        yield Hint("entry", path)

    def _is_being_made(self, path: str) -> bool:
        """A link has its content from the start; another new file gets it now."""
        try:
            found = os.lstat(path)
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_nlink == 1

    # Writers

    def suspect(self, path: str, until_ms: float) -> None:
        if path not in self._open:
            self._unsure[path] = until_ms

    def writing(self, now_ms: float) -> dict[str, float]:
        self._expire(now_ms)
        return self._open | {path: until - UNSURE_MS for path, until in self._unsure.items()}

    def next_ms(self) -> float | None:
        return min(self._unsure.values(), default=None)

    def _expire(self, now_ms: float) -> None:
        for path in [path for path, until in self._unsure.items() if until <= now_ms]:
            del self._unsure[path]
        for path in [path for path, last_ms in self._open.items() if last_ms + FORGOTTEN_MS <= now_ms]:
            del self._open[path]
