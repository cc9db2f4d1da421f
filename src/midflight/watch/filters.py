"""Which paths count: code, data, or neither."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from fnmatch import translate
from typing import Literal

Kind = Literal["code", "data"]

CODE = ("*.py",)
DATA = (
    *("*.md", "*.txt", "*.rst", "*.yaml", "*.yml", "*.toml", "*.json", "*.ini", "*.cfg", "*.csv"),
    *("*.html", "*.j2", "*.jinja", "*.jinja2", "*.sql"),
)

# Folders that hold no source of the program. `build` and `dist` are missing on purpose: packages have such names.
PRUNED = (
    *(".git", ".hg", ".svn", ".jj", "__pycache__", "node_modules", ".midflight", ".tox", ".nox", ".venv", ".eggs"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".cache", ".ipynb_checkpoints", ".direnv"),
    *(".idea", ".vscode", "site-packages", "dist-packages", "__pypackages__", "*.egg-info", "*.dist-info"),
)
# An environment may have any name; what it holds gives it away (PEP 405, conda).
ENVIRONMENT = frozenset(("pyvenv.cfg", "conda-meta"))
# 4913 is vim asking whether it may write here; the others are swap, lock, backup and half-saved files of editors.
TEMPORARY = (
    *("4913", "*~", ".#*", "#*#", "*.swp", "*.swo", "*.swx", ".*.un~", "*___jb_tmp___", "*___jb_old___"),
    *(".goutputstream-*", ".~lock.*#", "*.kate-swp", "*.part", "*.crdownload", ".nfs*"),
)


class Filters:
    """Sorts paths below `roots` (absolute; folders or single files) into code, data and what does not count.

    Patterns are globs. One without a slash is matched against each name, at any depth; one with a slash against the
    path below a root, or against the whole path where it starts with a slash; `**` stands for any number of folders. A
    pattern that matches a folder covers all below it. `exclude` wins over all else. `include` brings in what is
    left out by default: files of other kinds (as data), and pruned folders that the pattern names outright (a wildcard
    never stands for a pruned folder, so `**/x.py` does not open `.git`).
    """

    def __init__(
        self,
        roots: Iterable[str],
        code: Sequence[str] = CODE,
        data: Sequence[str] = DATA,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> None:
        self.roots = tuple(dict.fromkeys(_slashes(root).rstrip("/") or "/" for root in roots))
        self.code, self.data, self.include, self.exclude = tuple(code), tuple(data), tuple(include), tuple(exclude)
        self._include = [_Glob(pattern, wary=True) for pattern in include]
        self._exclude = [_Glob(pattern) for pattern in exclude]
        self._is_code, self._is_data = _any_of(code), _any_of(data)
        self._takes_py = "*.py" in self.code
        self._root_set = frozenset(self.roots)
        self._names: dict[str, Kind | None] = {}
        self._folders: dict[str, bool] = {}

    def with_roots(self, roots: Iterable[str]) -> Filters:
        """The same patterns, below other roots."""
        return Filters(roots, self.code, self.data, self.include, self.exclude)

    def prunes(self, folder: str) -> bool:
        """Whether a folder, given by path or by bare name, is left out with all below it."""
        folder = _slashes(folder)
        if "/" not in folder:
            return _is_pruned(folder) or any(glob.matches((folder,)) for glob in self._exclude if glob.relative)
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = not any(self._opens(base, folder) for base in self._bases(folder))
        return known

    def is_environment(self, names: Collection[str]) -> bool:
        """Whether a folder that holds `names` is a Python environment, which is left out whatever its name is."""
        return not ENVIRONMENT.isdisjoint(names)

    def kind(self, path: str) -> Kind | None:
        """What a file is; the disk is not asked whether it is there. None where it does not count."""
        path = _slashes(path)
        folder, _, name = path.rpartition("/")
        by_name = self._by_name(name)
        if path in self._root_set:
            return by_name or "data"
        if by_name is None and (not self._include or _is_temporary(name)):
            return None
        if self._exclude and any(glob.covers(path, self.roots) for glob in self._exclude):
            return None
        pruned = self._folders.get(folder)
        if by_name is not None and not (self.prunes(folder or "/") if pruned is None else pruned):
            return by_name
        return (by_name or "data") if any(glob.covers(path, self.roots) for glob in self._include) else None

    def names(self, folder: str) -> Callable[[str], object]:
        """What is true of the name of a file in `folder` that counts; `kind` for many at once."""
        folder = _slashes(folder)
        if self._include or self._exclude or any(root.rpartition("/")[0] == folder for root in self.roots):
            return lambda name: self.kind(f"{folder}/{name}")
        return (lambda name: None) if self.prunes(folder) else self._by_name

    def _by_name(self, name: str) -> Kind | None:
        if self._takes_py and name[-3:] == ".py" and name[:-3].isidentifier():
            return "code"  # no pattern of what is temporary fits such a name, of which most are
        return self._names[name] if name in self._names else self._kind_of_name(name)

    def _kind_of_name(self, name: str) -> Kind | None:
        if len(self._names) > 50_000:  # a program that makes up names for ever must not fill the memory
            self._names.clear()
        return self._names.setdefault(name, self._judge(name))

    def _judge(self, name: str) -> Kind | None:
        if _is_temporary(name):
            return None
        if self._is_code(name):
            return "code"
        return "data" if self._is_data(name) else None

    def _bases(self, path: str) -> list[str]:
        return [root for root in self.roots if _below(path, root) is not None]

    def _opens(self, root: str, folder: str) -> bool:
        parts = _below(folder, root) or ()
        for depth, name in enumerate(parts, 1):
            upper = root.rstrip("/") + "/" + "/".join(parts[:depth])
            if any(glob.covers(upper, self.roots) for glob in self._exclude):
                return False
            if _is_pruned(name):
                return any(glob.leads_to(folder, self.roots) for glob in self._include)
        return True


class _Glob:
    """One pattern, as a list of segments; `wary` keeps its wildcards from standing for pruned folders."""

    def __init__(self, pattern: str, wary: bool = False) -> None:
        text = _slashes(pattern).rstrip("/")
        self.absolute = text.startswith("/")
        self.relative = not self.absolute
        # "./x" and "x/y" are anchored at the root; a bare "x" is looked for at any depth.
        segments = [part for part in text.split("/") if part not in ("", ".")]
        if self.relative and "/" not in text:
            segments = ["**", *segments]
        self._segments = [(part, re.compile(translate(part)).match) for part in segments]
        self._wary = wary

    def covers(self, path: str, roots: Iterable[str]) -> bool:
        """Whether the pattern matches `path` or a folder above it."""
        return any(self._walk(parts, 0, 0, covers=True) for parts in self._views(path, roots))

    def leads_to(self, folder: str, roots: Iterable[str]) -> bool:
        """Whether something below `folder` might match."""
        return any(self._walk(parts, 0, 0, leads=True) for parts in self._views(folder, roots))

    def matches(self, parts: Sequence[str]) -> bool:
        return self._walk(parts, 0, 0)

    def _views(self, path: str, roots: Iterable[str]) -> list[Sequence[str]]:
        if self.absolute:
            return [[part for part in path.split("/") if part]]
        return [parts for root in roots if (parts := _below(path, root)) is not None]

    def _walk(self, parts: Sequence[str], i: int, j: int, covers: bool = False, leads: bool = False) -> bool:
        if j == len(self._segments):
            return i == len(parts) or ((covers or leads) and not self._barred(parts[i:]))
        if i == len(parts):
            return leads or all(text == "**" for text, _ in self._segments[j:])
        text, match = self._segments[j]
        if text == "**":
            if self._walk(parts, i, j + 1, covers, leads):
                return True
            return not self._barred(parts[i : i + 1]) and self._walk(parts, i + 1, j, covers, leads)
        fits = parts[i] == text or (match(parts[i]) is not None and not self._barred(parts[i : i + 1]))
        return fits and self._walk(parts, i + 1, j + 1, covers, leads)

    def _barred(self, names: Sequence[str]) -> bool:
        return self._wary and any(_is_pruned(name) for name in names)


def matches(pattern: str, path: str, roots: Iterable[str]) -> bool:
    """Whether `path` is named by `pattern` (as in `Filters`), or lies in a folder that is."""
    return _Glob(pattern).covers(_slashes(path), [_slashes(root).rstrip("/") or "/" for root in roots])


def _below(path: str, root: str) -> Sequence[str] | None:
    """The segments of `path` below `root`; None where it is not below, empty for the root itself."""
    if path == root:
        return ()
    head = root if root.endswith("/") else root + "/"
    return path[len(head) :].split("/") if path.startswith(head) else None


def _slashes(path: str) -> str:
    return path.replace("\\", "/") if sys.platform == "win32" else path


def _any_of(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether a name matches one of `patterns`. Only what is more than a name with one star in it becomes a regular
    expression: those of the defaults took half of this module's import, and a tenth of the look at a new folder."""
    starred = {pattern: pattern.partition("*") for pattern in patterns}
    hard = [one for one, (head, _, tail) in starred.items() if any(char in head + tail for char in "*?[")]
    easy = {one: parts for one, parts in starred.items() if one not in hard}
    whole = frozenset(one for one, (_, star, _) in easy.items() if not star)
    ends = tuple(tail for head, star, tail in easy.values() if star and not head)
    begins = tuple(head for head, star, tail in easy.values() if star and head and not tail)
    both = [(head, tail) for head, star, tail in easy.values() if star and head and tail]
    heads = tuple(head for head, _ in both)
    match = re.compile("|".join(map(translate, hard))).match if hard else None

    def matches(name: str) -> bool:
        return (
            name in whole
            or name.endswith(ends)
            or name.startswith(begins)
            or (name.startswith(heads) and any(name[: len(h)] == h and name.endswith(t, len(h)) for h, t in both))
            or (match is not None and match(name) is not None)
        )

    return matches


_is_pruned = _any_of(PRUNED)
_is_temporary = _any_of(TEMPORARY)
