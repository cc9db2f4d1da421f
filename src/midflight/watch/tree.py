"""What is known of the disk below the roots, and the changes that looking again brings."""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

from midflight.values import Change, ChangeKind
from midflight.watch.filters import Filters, Kind

# mtime_ns, size, inode, ctime_ns; compared as a whole: each alone can stay the same over a real change.
Stamp = tuple[int, int, int, int]

# Two writes within one tick of the file system's clock leave one stamp; 10 ms is the coarsest tick of a kernel.
TICK_NS = 20_000_000


@dataclass(slots=True, eq=False)
class Folder:
    """One folder that is looked at, by its real path.

    `only` is None for a folder that counts as a whole, with all below it; else the names in it that matter. `ways` are
    those names of which only the coming and going matters: a link that is a root, the way to a root that is missing.
    `base` says that no folder above tells when this one goes."""

    path: str
    base: bool = False
    only: set[str] | None = None
    ways: set[str] = field(default_factory=set)
    files: dict[str, Stamp] = field(default_factory=dict)
    below: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        return self.only is None or name in self.only


class Watcher(Protocol):
    """Who is told which folders matter. `enter` comes before a folder is listed, so that nothing slips between."""

    def enter(self, folder: Folder) -> None: ...

    def leave(self, path: str) -> None: ...


class Tree:
    """The folders below the roots and below what symlinks lead to, each with the files in it that count.

    With `careful` a stamp too young to prove anything gets a content hash beside it: for backends that may lose events
    without saying so. Where the methods return changes, several may concern one path."""

    def __init__(self, filters: Filters, watcher: Watcher, careful: bool = False) -> None:
        self.filters = filters
        self.watcher = watcher
        self.careful = careful
        self.folders: dict[str, Folder] = {}
        self.roots: dict[str, str] = {}  # absolute, as given → as last resolved; "" while it is missing
        self.git_folders: set[str] = set()
        self.unreadable: set[str] = set()
        self._patterns = filters
        self._followed: Counter[str] = Counter()  # real targets of links, by how many links lead there
        self._named: dict[str, Kind] = {}  # targets of links to files → what the link's name makes of them
        self._ways: dict[str, tuple[str, str]] = {}  # missing root → the folder and name by which it may come back
        self._digests: dict[str, bytes] = {}
        self._patient_ns: int | None = None
        self._out: list[Change] = []

    # Roots

    def add_roots(self, roots: Iterable[str]) -> list[str]:
        """Looks at further roots; what lies there now is no change. Returns those that are missing."""
        new = [root for root in map(os.path.abspath, roots) if root not in self.roots]
        for root in new:
            self.roots[root] = ""
            self.git_folders.update(_git_folders_above(root))
        self._refilter()
        self.check_roots()
        self._out.clear()
        return [root for root in new if not self.roots[root]]

    def check_roots(self) -> list[Change]:
        """Follows roots that went, came back, or lead elsewhere now."""
        for root in self.roots:
            self._check_root(root)
        return self._take()

    def _check_root(self, root: str) -> None:
        before, now = self.roots[root], os.path.realpath(root)
        while not os.path.exists(now):
            self._move_root(root, "")
            # What appears between the look and the watch is found by looking again.
            if self._wait_for(root) or not os.path.exists(os.path.realpath(root)):
                return
            now = os.path.realpath(root)
        self._move_root(root, now)
        self._stop_waiting(root)
        if os.path.islink(root):
            self._look_for(os.path.realpath(os.path.dirname(root)), os.path.basename(root), way=True)
        if not os.path.isdir(now):
            self._look_for(os.path.dirname(now), os.path.basename(now))
        elif before != now or now not in self.folders or self.folders[now].only is not None:
            self._adopt(now)

    def _move_root(self, root: str, now: str) -> None:
        before, self.roots[root] = self.roots[root], now
        if before == now:
            return
        self._refilter()
        if before in self.folders and self.filters.prunes(before):
            self._drop(before)
        elif before and not now:
            self._file_gone(before)

    def _wait_for(self, root: str) -> bool:
        """Looks at the nearest folder above a missing root, for the name by which it may come back.

        Says whether that is what was looked at before."""
        upper, name = os.path.split(root)
        while not os.path.isdir(upper) and upper != os.path.dirname(upper):
            upper, name = os.path.split(upper)
        way = (os.path.realpath(upper), name)
        if self._ways.get(root) == way and way[0] in self.folders:
            return True
        self._stop_waiting(root)
        self._ways[root] = way
        self._look_for(*way, way=True)
        return False

    def _stop_waiting(self, root: str) -> None:
        way = self._ways.pop(root, None)
        if way is not None and way not in self._ways.values():
            self._look_away(*way)

    def _refilter(self) -> None:
        """Filters' own roots are those as given, the real ones, and where links lead."""
        real = [path for path in self.roots.values() if path]
        self.filters = self._patterns.with_roots([*self.roots, *real, *sorted(self._followed)])

    # Looking

    def kind(self, path: str) -> Kind | None:
        return self._named.get(path) or self.filters.kind(path)

    def stamp(self, path: str) -> Stamp | None:
        folder = self.folders.get(os.path.dirname(path))
        return folder.files.get(os.path.basename(path)) if folder else None

    def is_empty(self, path: str) -> bool:
        found = self.stamp(path)
        return found is not None and found[1] == 0

    def count_files(self) -> int:
        return sum(len(folder.files) for folder in self.folders.values())

    def look(self, path: str, patient_ns: int | None = None) -> list[Change]:
        """Lists one known folder again: the changes in it, and all files in folders that are new there.

        Files touched in the last `patient_ns` are left for the next look: their own events are on the way."""
        folder = self.folders.get(path)
        if folder is not None:
            self._patient_ns = None if patient_ns is None else time.time_ns() - patient_ns
            if path in self.unreadable:
                self.watcher.enter(folder)
            self._list_all(folder)
            self._patient_ns = None
        return self._take()

    def look_everywhere(self) -> list[Change]:
        changes = self.check_roots()
        for path in list(self.folders):
            changes += self.look(path)
        return changes

    def found(self, path: str) -> list[Change]:
        """A folder is new, or was moved to `path`: all files in it are changes."""
        upper, name = os.path.split(path)
        folder = self.folders.get(upper)
        if folder is None or not folder.wants(name):
            return []
        if folder.only is not None:
            return self.check_roots()
        if self._counts(path):
            folder.below.add(name)
            self._adopt(path)
        return self._take()

    def gone(self, path: str) -> list[Change]:
        """A folder was deleted or moved away: all files that were known in it are deleted."""
        upper, name = os.path.split(path)
        if upper in self.folders:
            self.folders[upper].below.discard(name)
        was_base = path in self.folders and self.folders[path].base
        self._drop(path)
        changes = self._take()
        return changes + self.check_roots() if was_base or self._is_way(upper, name) else changes

    def file(self, path: str, told: bool = True) -> list[Change]:
        """Something happened to the entry `path`, a file or a link: what it comes to, by what lies there now.

        A file that lies there is a change if `told`; else only if its stamp says so."""
        upper, name = os.path.split(path)
        folder = self.folders.get(upper)
        if folder is None or not folder.wants(name):
            return []
        if self._is_way(upper, name):
            return self.check_roots()
        if folder.only is None and not folder.base and self.filters.is_environment((name,)):
            self._drop(upper)
        else:
            self._entry(folder, name, told)
        return self._take()

    def file_left(self, path: str) -> list[Change]:
        """`path` was deleted or moved away. If a file lies there again, its own events tell of it."""
        try:
            back = stat.S_ISREG(os.lstat(path).st_mode)
        except OSError:
            back = False
        return [] if back else self.file(path)

    def _is_way(self, upper: str, name: str) -> bool:
        folder = self.folders.get(upper)
        return folder is not None and name in folder.ways

    def _entry(self, folder: Folder, name: str, told: bool) -> None:
        path = os.path.join(folder.path, name)
        try:
            found = os.lstat(path)
        except OSError:
            found = None
        if found is not None and stat.S_ISLNK(found.st_mode):
            self._link(folder, name)
            return
        self._unlink(folder, name)
        if found is None or not stat.S_ISREG(found.st_mode):
            self._file_gone(path)
        elif self.kind(path) is not None:
            self._note(folder, name, _stamp(found), told)

    def _adopt(self, path: str) -> None:
        """Looks at a folder with all below it, and tells of the files that were not known there."""
        self._list_all(self._enter(path))

    def _enter(self, path: str) -> Folder:
        folder = self.folders.get(path)
        if folder is None:
            folder = self.folders[path] = Folder(path)
        folder.only = None
        folder.base = path in self.roots.values() or path in self._followed
        self.watcher.enter(folder)
        return folder

    def _list_all(self, folder: Folder) -> None:
        stack = [folder]
        while stack:
            stack += [self._enter(path) for path in self._list(stack.pop())]

    def _list(self, folder: Folder) -> list[str]:
        """Compares what a folder holds with what was known. Returns the folders in it that are new."""
        try:
            with os.scandir(folder.path) as scan:
                entries = [entry for entry in scan if folder.wants(entry.name)]
        except (FileNotFoundError, NotADirectoryError):
            self._drop(folder.path)
            return []
        except OSError:
            self.unreadable.add(folder.path)
            return []
        self.unreadable.discard(folder.path)
        if folder.only is None and not folder.base and self.filters.is_environment([one.name for one in entries]):
            self._drop(folder.path)
            return []
        new = [path for entry in entries if (path := self._sort(folder, entry)) is not None]
        self._forget_missing(folder, {entry.name for entry in entries})
        return new

    def _forget_missing(self, folder: Folder, present: set[str]) -> None:
        for name in folder.files.keys() - present:
            self._file_gone(os.path.join(folder.path, name))
        for name in folder.links.keys() - present:
            self._unlink(folder, name)
        for name in folder.below - present:
            folder.below.discard(name)
            self._drop(os.path.join(folder.path, name))

    def _sort(self, folder: Folder, entry: os.DirEntry[str]) -> str | None:
        """Takes one entry of a listing in; gives its path if it is a folder that was not known."""
        name = entry.name
        try:
            if entry.is_symlink():
                if name not in folder.ways:
                    self._link(folder, name)
            elif entry.is_dir(follow_symlinks=False):
                return self._subfolder(folder, name, entry.path)
            elif self.kind(entry.path) is not None and entry.is_file(follow_symlinks=False):
                self._unlink(folder, name)
                self._note(folder, name, _stamp(entry.stat(follow_symlinks=False)), told=False)
        except FileNotFoundError:
            self._file_gone(entry.path)
        return None

    def _subfolder(self, folder: Folder, name: str, path: str) -> str | None:
        self._unlink(folder, name)
        if folder.only is not None or not self._counts(path):
            return None
        folder.below.add(name)
        known = self.folders.get(path)
        return path if known is None or known.only is not None else None

    def _counts(self, path: str) -> bool:
        if os.path.basename(path) == ".git":
            self.git_folders.add(path)
        return not self.filters.prunes(path)

    # Files

    def _note(self, folder: Folder, name: str, stamp: Stamp, told: bool) -> None:
        path = os.path.join(folder.path, name)
        before = folder.files.get(name)
        if not told and before is not None and before != stamp and self._is_on_its_way(stamp):
            return
        folder.files[name] = stamp
        same = before == stamp
        if self.careful:
            same = not self._content_differs(path, stamp, same)
        if told or not same:
            self._tell(path, "added" if before is None else "modified")

    def _is_on_its_way(self, stamp: Stamp) -> bool:
        return self._patient_ns is not None and max(stamp[0], stamp[3]) > self._patient_ns

    def _content_differs(self, path: str, stamp: Stamp, same: bool) -> bool:
        """Whether a file is changed; where its stamp is the old one but was too young to prove it, by its content."""
        before = self._digests.pop(path, None)
        young = time.time_ns() - max(stamp[0], stamp[3]) < TICK_NS
        now = _digest(path) if young or (same and before is not None) else None
        if now is not None and young:
            self._digests[path] = now
        return not same or (before is not None and now is not None and now != before)

    def _file_gone(self, path: str) -> None:
        folder = self.folders.get(os.path.dirname(path))
        self._digests.pop(path, None)
        if folder is not None and folder.files.pop(os.path.basename(path), None) is not None:
            self._tell(path, "deleted")

    def _drop(self, path: str) -> None:
        """Forgets a folder with all below it; its files count as deleted."""
        stack = [path]
        while stack:
            folder = self.folders.pop(stack.pop(), None)
            if folder is None:
                continue
            self.watcher.leave(folder.path)
            self.unreadable.discard(folder.path)
            for name in list(folder.links):
                self._unlink(folder, name)
            for name in folder.files:
                self._digests.pop(os.path.join(folder.path, name), None)
                self._tell(os.path.join(folder.path, name), "deleted")
            stack += [os.path.join(folder.path, name) for name in folder.below]

    def _look_for(self, path: str, name: str, way: bool = False) -> None:
        """Looks at one name in a folder that does not count as a whole."""
        folder = self.folders.get(path)
        if folder is None:
            folder = self.folders[path] = Folder(path, base=True, only=set())
        if way:
            folder.ways.add(name)
        if folder.only is None:
            return
        new = name not in folder.only
        folder.only.add(name)
        self.watcher.enter(folder)
        if new and not way:
            self._list(folder)

    def _look_away(self, path: str, name: str) -> None:
        folder = self.folders.get(path)
        if folder is None:
            return
        folder.ways.discard(name)
        if folder.only is not None:
            folder.only.discard(name)
            folder.files.pop(name, None)
            if not folder.only:
                self._drop(path)

    # Links: what lies behind one is looked at and told by its real path; a link that leads elsewhere, by its own

    def _link(self, folder: Folder, name: str) -> None:
        path = os.path.join(folder.path, name)
        before, now = folder.links.get(name), os.path.realpath(path)
        now = now if os.path.exists(now) else ""
        if before == now:
            return
        old = self._reached(path, before) if before else {}
        if name in folder.files:
            old[path] = folder.files.pop(name)
        folder.links[name] = now
        told = len(self._out)
        if now:
            self._follow(path, now)
        if before:
            self._unfollow(before)
        del self._out[told:]  # the files themselves are what they were
        self._tell_difference(old, self._reached(path, now) if now else {})

    def _unlink(self, folder: Folder, name: str) -> None:
        before = folder.links.pop(name, None)
        if before:
            path = os.path.join(folder.path, name)
            old, told = self._reached(path, before), len(self._out)
            self._unfollow(before)
            del self._out[told:]
            self._tell_difference(old, {})

    def _follow(self, path: str, target: str) -> None:
        if not os.path.isdir(target):
            kind = self.kind(path)
            if kind is not None:
                self._followed[target] += 1
                self._named[target] = kind
                self._look_for(os.path.dirname(target), os.path.basename(target))
        elif self._may_follow(path, target):
            self._followed[target] += 1
            self._refilter()
            known = self.folders.get(target)
            if known is None or known.only is not None:
                self._adopt(target)

    def _may_follow(self, path: str, target: str) -> bool:
        # A link to a folder above a root would bring in everything there.
        above = target.rstrip(os.sep) + os.sep
        upwards = any((root + os.sep).startswith(above) for root in (*self.roots, *self.roots.values()) if root)
        return not upwards and not self.filters.prunes(path) and not self.filters.prunes(os.path.basename(target))

    def _unfollow(self, target: str) -> None:
        if target not in self._followed:
            return
        self._followed[target] -= 1
        if self._followed[target]:
            return
        del self._followed[target]
        if self._named.pop(target, None) is not None:
            self._look_away(os.path.dirname(target), os.path.basename(target))
        else:
            self._refilter()
            if self.filters.prunes(target):
                self._drop(target)

    def _reached(self, path: str, target: str) -> dict[str, Stamp]:
        """The files that a link at `path` makes appear below it, by the paths they have there."""
        stamp = self.stamp(target)
        if stamp is not None:
            return {path: stamp} if self.kind(path) else {}
        found = {}
        for folder in self._below(target):
            for name, stamp in folder.files.items():
                seen = path + os.path.join(folder.path, name)[len(target) :]
                if self.kind(seen) is not None:
                    found[seen] = stamp
        return found

    def _below(self, path: str) -> Iterator[Folder]:
        stack = [path]
        while stack:
            folder = self.folders.get(stack.pop())
            if folder is not None:
                yield folder
                stack += [os.path.join(folder.path, name) for name in folder.below]

    def _tell_difference(self, old: dict[str, Stamp], new: dict[str, Stamp]) -> None:
        for path in old.keys() - new.keys():
            self._tell(path, "deleted")
        for path, stamp in new.items():
            if path not in old:
                self._tell(path, "added")
            elif old[path] != stamp:
                self._tell(path, "modified")

    # Telling

    def _tell(self, path: str, kind: ChangeKind) -> None:
        self._out.append(Change(path, kind, time.monotonic() * 1000))

    def _take(self) -> list[Change]:
        out, self._out = self._out, []
        return out


def _stamp(found: os.stat_result) -> Stamp:
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns)


def _digest(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return blake2b(file.read(), digest_size=16).digest()
    except OSError:
        return None


def _git_folders_above(root: str) -> set[str]:
    """Where git keeps the index of the working tree that `root` lies in."""
    folder = os.path.realpath(root)
    while True:
        found = os.path.join(folder, ".git")
        if os.path.isdir(found):
            return {found}
        if os.path.isfile(found):
            return _git_folder_named_in(found)
        upper = os.path.dirname(folder)
        if upper == folder:
            return set()
        folder = upper


def _git_folder_named_in(path: str) -> set[str]:
    """A worktree's or a submodule's `.git` is a file: `gitdir: <path>`."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            word, _, target = file.read(4096).strip().partition(": ")
    except OSError:
        return set()
    return {os.path.join(os.path.dirname(path), target)} if word == "gitdir" else set()
