"""Modules with what is known of them, loaded and reloaded safely: a reload that fails leaves the old module running."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import midflight
from midflight import MidflightError, Report


@dataclass
class ModuleMetadata:
    """One module: how often it was loaded or reloaded, asked for while loaded, and failed; `error` is the last one."""

    name: str
    path: str = ""
    loads: int = 0
    hits: int = 0
    errors: int = 0
    version: str = ""
    error: str = ""


class ModuleCache:
    """The process's session makes the backup, the reload and the rollback; here is what came of them."""

    def __init__(self) -> None:
        self._metadata: dict[str, ModuleMetadata] = {}

    def metadata(self, name: str) -> ModuleMetadata:
        return self._metadata.setdefault(name, ModuleMetadata(name))

    def load(self, name: str) -> ModuleType:
        """The module, imported where it is not. Raises what its import raises."""
        one, loaded = self.metadata(name), sys.modules.get(name)
        if loaded is not None:
            one.hits += 1
            return loaded
        importlib.invalidate_caches()  # a file may be younger than the listing of its folder
        try:
            module = importlib.import_module(name)
        except BaseException as error:
            one.errors, one.error = one.errors + 1, f"{type(error).__name__}: {error}"
            raise
        one.loads, one.error, one.path = one.loads + 1, "", getattr(module, "__file__", None) or ""
        return module

    def reload(self, name: str) -> Report:
        """Takes the module's file as it is now; where that fails, all is as before. Raises MidflightError."""
        session, file = midflight.current(), getattr(sys.modules.get(name), "__file__", None)
        if session is None or not session.running:
            raise MidflightError(
                f"{name} was not reloaded", "hot-reload is off", "Set HOT_RELOAD_ENABLED=true in .env."
            )
        if file is None:
            raise MidflightError(f"{name} was not reloaded", "it is not loaded", "Use it, or import it first.")
        return session.reload(paths=[file])

    def note(self, report: Report) -> None:
        """Takes the outcome of a reload into the modules' metadata."""
        for name, module in report.modules.items():
            one = self.metadata(name)
            one.path = module.path or one.path
            if report.ok:
                one.loads, one.version, one.error = one.loads + 1, module.after, ""
            else:
                mine = [problem for problem in report.problems if problem.path == module.path]
                one.errors, one.error = one.errors + 1, "; ".join(problem.message for problem in mine)

    def get_stats(self) -> dict[str, int]:
        session = midflight.current()
        counts: dict[str, Any] = session.stats() if session is not None else {}
        return {
            "total_modules": counts.get("cached_modules", 0),
            "total_loads": counts.get("total_loads", 0),
            "total_errors": counts.get("failures", 0),
        }


modules = ModuleCache()


class DependencyAnalyzer:
    """Who imports whom among the modules under `root`, read from their source: nothing is imported or run."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def modules(self) -> dict[str, Path]:
        """Dotted name → file."""
        files = [*self.root.glob("*.py"), *self.root.glob("python/**/*.py")]
        return {".".join(path.relative_to(self.root).with_suffix("").parts): path for path in sorted(files)}

    def imports_of(self, path: Path) -> set[str]:
        """Dotted names that the file imports. Raises SyntaxError."""
        return set(_imported(ast.parse(path.read_text("utf-8"), str(path))))

    def graph(self) -> dict[str, set[str]]:
        """Each module → those of the project that it imports."""
        known = self.modules()
        return {name: self.imports_of(path) & known.keys() - {name} for name, path in known.items()}

    def dependents_of(self, module: str) -> set[str]:
        """All that reach `module` by imports."""
        graph, found, ahead = self.graph(), set[str](), [module]
        while ahead:
            one = ahead.pop()
            new = {name for name, imports in graph.items() if one in imports} - found
            found |= new
            ahead += new
        return found - {module}

    def cycles(self) -> set[str]:
        """Modules that import themselves by way of others."""
        return {name for name, imports in self.graph().items() if imports & self.dependents_of(name)}


def _imported(node: ast.AST) -> Iterator[str]:
    """What is imported where the program runs; `if TYPE_CHECKING` is for type checkers."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    checked = isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
    for child in node.orelse if checked else ast.iter_child_nodes(node):
        yield from _imported(child)
