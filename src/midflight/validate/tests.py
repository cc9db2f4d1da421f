"""Which test files a change asks for: a module's own smoke tests, and those that reach it by imports."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch

from midflight.graph.hook import read_bytes
from midflight.graph.imports import imported_modules
from midflight.graph.modules import ModuleGraph

PRUNED = frozenset(("__pycache__", "node_modules", "site-packages"))


def smoke_files(modules: Iterable[tuple[str, str]], patterns: Sequence[str], root: str) -> list[str]:
    """The smoke-test files there are for `modules` ((name, path) each).

    A pattern is a path, below `root` unless absolute, with `{folder}` for the folder of the module's file, `{name}` for
    the last part of its name and `{module}` for the whole of it with underscores for dots."""
    names = (_smoke_names(name, path, tuple(patterns), root) for name, path in modules)
    # Most are not there: `access` says so without an exception.
    there = (file for files in names for file in files if os.access(file, os.F_OK) and os.path.isfile(file))
    return list(dict.fromkeys(there))


@functools.lru_cache(maxsize=1024)  # the same few modules are edited again and again
def _smoke_names(name: str, path: str, patterns: tuple[str, ...], root: str) -> list[str]:
    short = _short(name, path)
    whole = short if name == "__main__" else name.replace(".", "_")
    files = (pattern.format(folder=os.path.dirname(path), name=short, module=whole) for pattern in patterns)
    return [os.path.normpath(os.path.join(root, file)) for file in files]


def _short(name: str, path: str) -> str:
    if name == "__main__":
        return os.path.basename(path).removesuffix(".py")
    return name.rpartition(".")[2]


class AffectedTests:
    """The test files below some folders, and what each reaches by imports; a file is read again when it changed."""

    def __init__(self, folders: Iterable[str], patterns: Sequence[str], bases: Sequence[str] | None = None) -> None:
        """`bases` are the folders from which modules are imported: those of `sys.path` when None."""
        self._bases = bases
        self.folders = [os.path.realpath(folder) for folder in folders]
        self.patterns = tuple(patterns)
        self._known: dict[str, tuple[tuple[int, int], dict[str, frozenset[str]]]] = {}

    def affected(self, changed: Iterable[str]) -> list[str]:
        """The test files that import one of the files `changed`, directly or through others, sorted.

        A `conftest.py` that does counts for all test files below its folder."""
        graph, by_name = self._graph()
        start = {os.path.realpath(path) for path in changed}
        names = {name for name, path in by_name.items() if path in start}
        reached = {by_name[name] for name in graph.dependents(names) if name in by_name} | start
        conftests = {os.path.dirname(path) for path in reached if os.path.basename(path) == "conftest.py"}
        tests = [path for path in by_name.values() if self._is_test(path)]
        return sorted({path for path in tests if path in reached or conftests.intersection(_folders_above(path))})

    def _is_test(self, path: str) -> bool:
        return any(fnmatch(path if "/" in pattern else os.path.basename(path), pattern) for pattern in self.patterns)

    def _graph(self) -> tuple[ModuleGraph, dict[str, str]]:
        graph, by_name = ModuleGraph(), {}
        found = dict.fromkeys(path for folder in self.folders for path in python_files(folder))
        for path in found:
            for name, imports in self._imports(path).items():
                graph.put(name, imports)
                by_name[name] = path
        self._known = {path: known for path, known in self._known.items() if path in found}
        return graph, by_name

    def _imports(self, path: str) -> dict[str, frozenset[str]]:
        """What the file imports, by each name under which it may be imported itself."""
        try:
            stat = os.stat(path)
        except OSError:
            return {}
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            source = read_bytes(path) or b""
            is_package = os.path.basename(path) == "__init__.py"
            known = stamp, {name: imported_modules(source, name, is_package) for name in self._names(path)}
            self._known[path] = known
        return known[1]

    def _names(self, path: str) -> set[str]:
        """The names under which a file may be imported: from its package's top, and from each base."""
        given = sys.path if self._bases is None else self._bases
        bases = {top_of_package(path), *(os.path.realpath(base) for base in given)}
        return {dotted(path, base) for base in bases if path.startswith(base.rstrip(os.sep) + os.sep)}


def top_of_package(path: str) -> str:
    """The folder from which a file is imported as a whole package's part."""
    folder = os.path.dirname(path)
    while os.path.exists(os.path.join(folder, "__init__.py")) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder


def dotted(path: str, base: str) -> str:
    """The name under which a file is imported from the folder `base`."""
    name = os.path.relpath(path, base).removesuffix(".py").replace(os.sep, ".")
    return name.removesuffix(".__init__")


def _folders_above(path: str) -> Iterator[str]:
    folder = os.path.dirname(path)
    while True:
        yield folder
        if folder == os.path.dirname(folder):
            return
        folder = os.path.dirname(folder)


def python_files(folder: str) -> Iterator[str]:
    """The Python files below it, without environments, hidden folders and installed packages."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_pruned(place, name))
        yield from (os.path.join(place, name) for name in sorted(files) if name.endswith(".py"))


def _is_pruned(place: str, name: str) -> bool:
    return name.startswith(".") or name in PRUNED or os.path.exists(os.path.join(place, name, "pyvenv.cfg"))
