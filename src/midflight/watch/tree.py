"""What is known of the disk below the roots, and the changes that looking again brings."""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from midflight.config import lies_in
from midflight.watch.filters import Filters, Kind

if TYPE_CHECKING:
    from midflight.values import Change, ChangeKind

# mtime_ns, size, inode, ctime_ns; compared as a whole: each alone can stay the same over a real change.
Stamp = tuple[int, int, int, int]

# A change within one tick of the file system's clock can leave the same stamp: 10 ms is the coarsest kernel tick, 2 s
# is FAT. A stamp that is younger than that proves nothing, so the content is remembered beside it.
TICK_NS = 20_000_000
COARSE_TICK_NS = 2_100_000_000
UNSEEN = -1  # the size in a stamp that was not taken: see `_unseen`


class Folder:
    """One folder that is looked at, by its real path.

    `only` is None for a folder that counts as a whole, with all below it; else the names in it that matter: a root that
    is a file or a link, a file that a link elsewhere names, or the way to a root that is missing. `base` says that no
    folder above tells when this one goes: it is a root or the target of a link."""

    __slots__ = ("base", "below", "files", "links", "only", "path")

    def __init__(
        self, path: str, *, only: set[str] | None = None, base: bool = False, files: dict[str, Stamp] | None = None
    ) -> None:
        self.path, self.only, self.base = path, only, base
        self.files: dict[str, Stamp] = {} if files is None else files
        self.below: set[str] = set()
        self.links: dict[str, str] = {}

    def wants(self, name: str) -> bool:
        return self.only is None or name in self.only


class Tree:
    """The folders below the roots and below what their symlinks point to, each with the files in it that count.

    `enter` is called before a folder is listed for the first time, so that a watch can be set first and nothing slips
    between; `leave` when it no longer counts. With `careful` each young stamp gets a content hash beside it: for
    backends that may lose events without saying so. `polled` are the folders that no event comes from.

    Files are told of under their real paths. A link that leads elsewhere is told of under its own path, or for a folder
    as the files below it that differ."""

    def __init__(
        self,
        filters: Filters,
        enter: Callable[[Folder], None],
        leave: Callable[[str], None],
        careful: bool = False,
        polled: Collection[str] = (),
    ) -> None:
        self.folders: dict[str, Folder] = {}
        self.roots: dict[str, str] = {}  # as given, made absolute → its real path; "" while it is missing
        self.git_folders: set[str] = set()
        self.unreadable: set[str] = set()
        self.careful = careful
        self._patterns = self.filters = filters
        self._enter, self._leave, self._polled = enter, leave, polled
        self._targets: Counter[str] = Counter()  # real paths that roots and links lead to
        self._bases: set[str] = set()
        self._named: dict[str, Kind] = {}  # real files that a link names, and what the link's name makes them
        self._waits: dict[str, set[tuple[str, str]]] = {}  # missing root → folders and names by which it may come back
        self._digests: dict[str, bytes] = {}
        self._silent = False
        self._out: list[Change] = []

    # Questions

    def kind(self, path: str) -> Kind | None:
        return self._named.get(path) or self.filters.kind(path)

    def stamp(self, path: str) -> Stamp | None:
        folder = self.folders.get(os.path.dirname(path))
        return folder.files.get(os.path.basename(path)) if folder else None

    def is_as_seen(self, path: str) -> bool:
        """Whether the file is as it was when it was looked at last, or is none of those that are looked at."""
        seen = self.stamp(path)
        try:
            return seen is None or _is_same(seen, _stamp(os.stat(path)))
        except OSError:
            return False

    def count_files(self) -> int:
        return sum(len(folder.files) for folder in self.folders.values())

    def bases(self) -> set[str]:
        """The real folders and files that roots and links lead to."""
        return {target for target, count in self._targets.items() if count > 0}

    def move_to(self, enter: Callable[[Folder], None], leave: Callable[[str], None]) -> None:
        """Goes on with another backend."""
        self._enter, self._leave, self.careful = enter, leave, True
        for folder in self.folders.values():
            enter(folder)

    # Looking

    def add_roots(self, roots: Iterable[str]) -> list[str]:
        """Looks at further roots; what lies there now is no change. Returns those that are missing."""
        new = [root for root in dict.fromkeys(map(os.path.abspath, roots)) if root not in self.roots]
        for root in new:
            self.roots[root] = ""
            self.git_folders.update(git_folders_above(root))
        self._refilter()
        self._silent = True
        for root in new:
            self._check_root(root)
        self._silent = False
        return [root for root in new if not self.roots[root]]

    def look(self, path: str, since_ns: int | None = None) -> list[Change]:
        """Lists one known folder again: the changes in it, and all files in folders that are new there.

        With `since_ns` (since the epoch), files written after it count as changed whatever their stamps say."""
        folder = self.folders.get(path)
        if folder is not None:
            self._list(folder, since_ns)
        return self._take()

    def look_everywhere(self, since_ns: int | None = None) -> list[Change]:
        changes = self.check_roots()
        for path in list(self.folders):
            changes += self.look(path, since_ns)
        return changes

    def check_roots(self) -> list[Change]:
        """Follows roots that went, came back, or lead elsewhere now."""
        for root in list(self.roots):
            self._check_root(root)
        return self._take()

    def _check_root(self, root: str) -> None:
        before, now = self.roots[root], _real(root)
        if not now and self._wait_for(root):
            now = _real(root)  # it came back while no watch was set yet
        self.roots[root] = now
        if now:
            self._wait_no_more(root)
            if os.path.islink(root):
                self._look_for(os.path.dirname(root), os.path.basename(root))
        if now != before:
            self._retarget(root, before, now)
        elif now and os.path.isdir(now) and now not in self.folders:
            self._adopt(now)

    def again(self, path: str) -> list[Change]:
        """Watches and lists a known folder anew, because its watch was lost."""
        folder = self.folders.get(path)
        if folder is not None:
            self._enter(folder)
        return self.look(path)

    def glance(self, path: str) -> list[Change]:
        """Whether a file's stamp is still the known one."""
        folder = self.folders.get(os.path.dirname(path))
        if folder is not None and os.path.basename(path) not in folder.links:
            self._glance(folder, os.path.basename(path))
        return self._take()

    def _glance(self, folder: Folder, name: str) -> None:
        path = os.path.join(folder.path, name)
        try:
            found = os.lstat(path)
        except OSError:
            found = None
        if found is not None and stat.S_ISLNK(found.st_mode):
            self._link(folder, name)
        elif found is None or not stat.S_ISREG(found.st_mode):
            self._forget_file(folder, name)
        elif self.kind(path) is not None:
            self._note(folder, name, path, _stamp(found))

    def found(self, path: str) -> list[Change]:
        """A folder is new, or was moved to `path`: all files in it are changes."""
        upper, name = os.path.split(path)
        folder = self.folders.get(upper)
        if folder is not None and folder.only is None:
            self._subfolder(folder, name, path)
            if path in self.folders:
                self._list(self.folders[path])
        return self._take() + (self.check_roots() if self._leads_to_root(path) else [])

    def gone(self, path: str) -> list[Change]:
        """A folder was deleted or moved away: all files that were known in it are deleted."""
        upper = self.folders.get(os.path.dirname(path))
        if upper is not None:
            upper.below.discard(os.path.basename(path))
        self._drop(path)
        return self._take() + (self.check_roots() if self._leads_to_root(path) else [])

    def entry(self, path: str) -> list[Change]:
        """Something happened to the file or link `path`: what it comes to, by what lies there now."""
        upper, name = os.path.split(path)
        folder = self.folders.get(upper)
        if folder is None or not folder.wants(name):
            return []
        if name == "pyvenv.cfg" and folder.only is None and upper not in self.roots.values():
            self._drop(upper)
        elif self._leads_to_root(path):
            return self.check_roots() + self._entry(folder, name)
        return self._entry(folder, name)

    def _entry(self, folder: Folder, name: str) -> list[Change]:
        path = os.path.join(folder.path, name)
        try:
            found = os.lstat(path)
        except OSError:
            found = None
        if found is not None and stat.S_ISLNK(found.st_mode):
            self._link(folder, name)
            return self._take()
        was_link = self._unlink(folder, name)
        if found is None or not stat.S_ISREG(found.st_mode):
            unseen = found is None and name not in folder.files
            self._forget_file(folder, name)
            if unseen and self.kind(path) == "code":
                self._tell(path, "deleted")  # it came and went unseen, but may have been imported in between
        elif self.kind(path) is not None:
            # A library may tell late of what was looked at long ago; the kernel tells of each save once.
            self._note(folder, name, path, _stamp(found), always=not self.careful)
        return _netted(self._take()) if was_link else self._take()

    def _list(self, folder: Folder, since_ns: int | None = None) -> None:
        if folder.only is not None:
            self._list_only(folder)
            return
        began_ns = time.time_ns()
        try:
            with os.scandir(folder.path) as scan:
                entries = list(scan)
        except (FileNotFoundError, NotADirectoryError):
            self._drop(folder.path)
            return
        except OSError:
            self.unreadable.add(folder.path)
            return
        self.unreadable.discard(folder.path)
        if self._is_environment(folder, entries):
            self._drop(folder.path)
            return
        seen = self._by_name(folder, entries, began_ns)
        seen |= {entry.name for entry in entries if entry.name not in seen and self._sort(folder, entry, since_ns)}
        for name in [name for name in folder.files if name not in seen]:
            self._forget_file(folder, name)
        for name in [name for name in folder.links if name not in seen]:
            self._unlink(folder, name)
        for name in [name for name in folder.below if name not in seen]:
            folder.below.discard(name)
            self._drop(os.path.join(folder.path, name))

    def _list_only(self, folder: Folder) -> None:
        for name in list(folder.only or ()):
            path = os.path.join(folder.path, name)
            if not self._leads_to_root(path) or self.roots.get(path):
                self._glance(folder, name)

    def _is_environment(self, folder: Folder, entries: list[os.DirEntry[str]]) -> bool:
        if folder.path in self.roots.values():
            return False
        return self.filters.is_environment([entry.name for entry in entries])

    def _by_name(self, folder: Folder, entries: list[os.DirEntry[str]], began_ns: int) -> set[str]:
        """The plain files among `entries`, taken in by name, as far as nobody is told of them and events tell of what
        comes: a look at each was half of what a session added to the start of a program, beside its own import."""
        if not self._silent or self.careful or folder.path in self._polled:
            return set()
        plain = {entry.name for entry in entries if entry.is_file(follow_symlinks=False)}
        counts, stamp = self.filters.names(folder.path), _unseen(began_ns)
        linked = {os.path.basename(path) for path in self._named if os.path.dirname(path) == folder.path}
        folder.files.update({name: stamp for name in plain if counts(name) or name in linked})
        return plain

    def _sort(self, folder: Folder, entry: os.DirEntry[str], since_ns: int | None) -> bool:
        """Takes one entry of a listing in; whether it is something to know."""
        try:
            if entry.is_symlink():
                self._link(folder, entry.name)
                return True
            if entry.name in folder.links:
                self._unlink(folder, entry.name)
            if not entry.is_file(follow_symlinks=False):
                return entry.is_dir(follow_symlinks=False) and self._subfolder(folder, entry.name, entry.path)
            if self.kind(entry.path) is None:
                return False
            found = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode):
                self._glance(folder, entry.name)  # it was replaced since the folder was listed
            else:
                self._note(folder, entry.name, entry.path, _stamp(found), since_ns=since_ns)
        except FileNotFoundError:
            return False
        return True

    # Files

    def _note(
        self, folder: Folder, name: str, path: str, stamp: Stamp, *, always: bool = False, since_ns: int | None = None
    ) -> None:
        before = folder.files.get(name)
        kind: ChangeKind = "modified" if before else "added"
        same = _is_same(before, stamp) and (since_ns is None or max(stamp[0], stamp[3]) < since_ns)
        folder.files[name] = stamp
        if self.careful and not self._has_digest(path, stamp, same):
            same = False
        if always or not same:
            self._tell(path, kind)

    def _has_digest(self, path: str, stamp: Stamp, same: bool) -> bool:
        """Whether the content is the remembered one, where a stamp this young cannot tell; remembers it."""
        before = self._digests.pop(path, None)
        young = _is_young(stamp)
        if before is None and (same or not young):
            return True
        from hashlib import blake2b  # loads OpenSSL: not while a program starts

        try:
            with open(path, "rb") as file:
                digest = blake2b(file.read(), digest_size=16).digest()
        except OSError:
            return False
        if young:
            self._digests[path] = digest
        return before is None or digest == before

    def _forget_file(self, folder: Folder, name: str, loud: bool = True) -> None:
        path = os.path.join(folder.path, name)
        self._digests.pop(path, None)
        if folder.files.pop(name, None) is not None and loud:
            self._tell(path, "deleted")

    def _tell(self, path: str, kind: ChangeKind) -> None:
        if not self._silent:
            self._out.append(_change(path, kind, time.monotonic() * 1000))

    def _take(self) -> list[Change]:
        out, self._out = self._out, []
        return out

    # Folders

    def _adopt(self, path: str, loud: bool = True) -> None:
        """Looks at a folder with all below it; files in it that were not known are told of where `loud`."""
        folder = self.folders.get(path)
        if folder is None or folder.only is not None:
            known = folder.files if folder else {}
            folder = self.folders[path] = Folder(path, base=path in self._targets, files=known)
            self._enter(folder)
            told = len(self._out)
            self._list(folder)
            if not loud:
                del self._out[told:]

    def _subfolder(self, folder: Folder, name: str, path: str) -> bool:
        if name == ".git":
            self.git_folders.add(path)
        if folder.only is not None or self.filters.prunes(path):
            return False
        folder.below.add(name)
        self._adopt(path)
        return True

    def _look_for(self, path: str, name: str) -> str:
        """Looks for one name in a folder that does not count otherwise; returns the folder's real path."""
        path = os.path.realpath(path)
        folder = self.folders.get(path)
        if folder is None:
            folder = self.folders[path] = Folder(path, only=set(), base=True)
            self._enter(folder)
        if folder.only is not None:
            folder.only.add(name)
        return path

    def _wait_for(self, root: str) -> bool:
        """Looks in the nearest folder above a missing root for the name by which it may come back; whether it did."""
        upper, name = os.path.split(root)
        while not os.path.isdir(upper) and upper != os.path.dirname(upper):
            upper, name = os.path.split(upper)
        upper = self._look_for(upper, name)
        self._waits.setdefault(root, set()).add((upper, name))
        return os.path.exists(os.path.join(upper, name))

    def _wait_no_more(self, root: str) -> None:
        """A folder such as /tmp is busy: it is looked at only while something is missing there."""
        for upper, name in self._waits.pop(root, ()):
            folder = self.folders.get(upper)
            path = os.path.join(upper, name)
            if folder is not None and folder.only is not None and path not in self._named and not os.path.islink(path):
                folder.only.discard(name)
                if not folder.only:
                    self._drop(upper)

    def _leads_to_root(self, path: str) -> bool:
        return any(
            path in (given, real) or given.startswith(path + os.sep) or real.startswith(path + os.sep)
            for given, real in self.roots.items()
        )

    def _drop(self, path: str, loud: bool = True) -> None:
        """Forgets a folder with all below it; its files are told of as deleted where `loud`."""
        folder = self.folders.pop(path, None)
        if folder is None:
            return
        self._leave(path)
        self.unreadable.discard(path)
        for name in list(folder.files):
            self._forget_file(folder, name, loud)
        for name in folder.below:
            self._drop_below(os.path.join(path, name), loud)
        for name in list(folder.links):
            self._unlink(folder, name, loud)

    def _drop_below(self, path: str, loud: bool) -> None:
        folder = self.folders.get(path)
        if folder is not None and path in self._targets and os.path.isdir(path):
            folder.base = True  # a root of its own, or what a link elsewhere leads to: it stays
            self._enter(folder)
        else:
            self._drop(path, loud)

    # Links

    def _link(self, folder: Folder, name: str) -> None:
        path = os.path.join(folder.path, name)
        if self._leads_to_root(path):
            return  # `check_roots` follows it
        if name not in folder.links and self.filters.prunes(path):
            return
        before, now = folder.links.get(name, ""), _real(path)
        if now == path:
            return  # a file has taken its place by now, and an event or the next look tells of that
        was_file = name in folder.files
        self._forget_file(folder, name, loud=False)
        if name not in folder.links or before != now:
            folder.links[name] = now
            self._retarget(path, before, now)
        elif now not in self.folders and os.path.isdir(now):
            self._follow(path, now, loud=True)  # it was gone for a while
        if was_file:
            self._out = [_change(path, "modified", one.at_ms) if one.path == path else one for one in self._out]

    def _unlink(self, folder: Folder, name: str, loud: bool = True) -> bool:
        if name not in folder.links:
            return False
        told = len(self._out)
        self._retarget(os.path.join(folder.path, name), folder.links.pop(name), "")
        if not loud:
            del self._out[told:]
        return True

    def _retarget(self, path: str, before: str, now: str) -> None:
        """A root or link `path` that led to the real path `before` leads to `now`; "" is nowhere."""
        was_there = bool(before) and os.path.exists(before)
        under_link = path not in (now, before) and (before or os.path.isfile(now)) and (now or was_there)
        old = self._reached(before) if under_link else {}
        if now:
            self._targets[now] += 1
            self._follow(path, now, loud=not before)
        new = self._reached(now) if under_link else {}
        if before:
            self._targets[before] -= 1
            self._release(before, loud=not now and not was_there)
        self._tell_difference(path, old, new)

    def _follow(self, path: str, target: str, loud: bool) -> None:
        if os.path.isdir(target):
            if path in self.roots or not self._is_out_of_bounds(target):
                self._widen(target)
                self._adopt(target, loud)
        elif (kind := self.kind(path)) is not None:
            self._named[target] = kind
            upper, name = os.path.split(target)
            self._look_for(upper, name)
            told = len(self._out)
            self._glance(self.folders[upper], name)
            if not loud or path != target:
                del self._out[told:]

    def _is_out_of_bounds(self, target: str) -> bool:
        """A link upwards would bring in all that the roots were chosen from; one into an environment, that."""
        above = any(lies_in(real, target) for real in self.roots.values())
        return above or self.filters.prunes(os.path.basename(target) or os.sep)

    def _release(self, target: str, loud: bool) -> None:
        if self._targets[target] > 0:
            return
        del self._targets[target]
        upper, name = os.path.split(target)
        folder = self.folders.get(upper)
        self._named.pop(target, None)
        if folder is not None and folder.only is None:
            if name in folder.below or self.kind(target) is not None:
                return  # it counts without the link
        self._drop(target, loud)
        if folder is not None:
            self._forget_file(folder, name, loud)
            if folder.only is not None and name in folder.only:
                self._look_away(folder, name)

    def _look_away(self, folder: Folder, name: str) -> None:
        path = os.path.join(folder.path, name)
        if not self._leads_to_root(path) and folder.only is not None:
            folder.only.discard(name)
            if not folder.only:
                self._drop(folder.path)

    def _reached(self, target: str) -> dict[str, Stamp]:
        """The known files at or below a real path: what follows it in their paths → stamp."""
        found = self.stamp(target) if target else None
        return ({"": found} if found else {}) | dict(self._reached_below(self.folders.get(target), ""))

    def _reached_below(self, folder: Folder | None, prefix: str) -> Iterator[tuple[str, Stamp]]:
        if folder is None or folder.only is not None:
            return
        for name, stamp in folder.files.items():
            yield f"{prefix}{os.sep}{name}", stamp
        for name in folder.below:
            yield from self._reached_below(self.folders.get(os.path.join(folder.path, name)), f"{prefix}{os.sep}{name}")

    def _tell_difference(self, path: str, old: dict[str, Stamp], new: dict[str, Stamp]) -> None:
        for rest in old.keys() - new.keys():
            self._tell(path + rest, "deleted")
        for rest, stamp in new.items():
            if old.get(rest) != stamp:
                self._tell(path + rest, "modified" if rest in old else "added")

    def _widen(self, target: str) -> None:
        if not any(target == base or target.startswith(base + os.sep) for base in self._bases):
            self._refilter()

    def _refilter(self) -> None:
        """The filters' roots are those given, their real paths, and where links lead."""
        self._bases = {*self.roots, *filter(None, self.roots.values()), *self._targets}
        self.filters = self._patterns.with_roots(sorted(self._bases))


def git_folders_above(path: str) -> list[str]:
    """The git folder of the repository that `path` lies in, also where `.git` is a file (worktrees, submodules)."""
    while True:
        git = os.path.join(path, ".git")
        if os.path.isdir(git):
            return [git]
        if os.path.isfile(git):
            return _linked_git_folder(git)
        upper = os.path.dirname(path)
        if upper == path:
            return []
        path = upper


def _linked_git_folder(git: str) -> list[str]:
    try:
        with open(git, encoding="utf-8", errors="surrogateescape") as file:
            word, _, where = file.read(4096).strip().partition(": ")
    except OSError:
        return []
    return [os.path.normpath(os.path.join(os.path.dirname(git), where))] if word == "gitdir" else []


def _change(path: str, kind: ChangeKind, at_ms: float) -> Change:
    from midflight.values import Change  # not while a program starts: what lies there then is no change

    return Change(path, kind, at_ms)


def _netted(changes: list[Change]) -> list[Change]:
    """A link that was replaced by a file, or the other way round, is one modified path."""
    last: dict[str, Change] = {}
    for change in changes:
        before = last.pop(change.path, None)
        modified = before is not None and (before.kind, change.kind) == ("deleted", "added")
        last[change.path] = _change(change.path, "modified", change.at_ms) if modified else change
    return list(last.values())


def _real(path: str) -> str:
    """The real path of what `path` leads to; "" where that is nothing."""
    try:
        return os.path.realpath(path, strict=True)
    except OSError:
        return ""


def _stamp(found: os.stat_result) -> Stamp:
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns)


def _unseen(at_ns: int) -> Stamp:
    """In the place of the stamp of a file that nobody looked at yet: it is as it was `at_ns`, since the epoch, less
    what the file system's clock may lag behind. Who wrote to it in that time is told of once too often."""
    return (at_ns, UNSEEN, UNSEEN, at_ns - TICK_NS)


def _is_same(before: Stamp | None, now: Stamp) -> bool:
    """Whatever writes to a file, or puts another in its place, moves its change time; no program sets that."""
    return now[3] < before[3] if before is not None and before[1] == UNSEEN else before == now


def _is_young(stamp: Stamp) -> bool:
    newest = max(stamp[0], stamp[3])
    tick = COARSE_TICK_NS if stamp[0] % 1_000_000_000 == 0 else TICK_NS
    return time.time_ns() - newest < tick
