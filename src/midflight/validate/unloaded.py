"""Files that the program asked for by name and that no module runs yet: whether Python could import them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable

from midflight.asks import Sources
from midflight.graph.loaded import version_of
from midflight.plan.preflight import not_compiled, read_source
from midflight.values import ModuleReport, Problem


class Unloaded:
    """Remembers the broken ones until they are mended, loaded or gone. A program that finds its parts by folder would
    meet them only when it looks for its parts again, and nobody but its own log would tell."""

    def __init__(self, is_loaded: Callable[[str], bool]) -> None:
        self._is_loaded = is_loaded
        self._broken: dict[str, bytes] = {}

    def pending(self) -> list[str]:
        return [path for path in list(self._broken) if not self._is_loaded(path)]

    def look(self, sources: Sources) -> tuple[list[Problem], bool]:
        """The problems of those that are newly broken, and whether one that was is no longer."""
        problems, mended = [], False
        for path, source in sources.items():
            before = self._broken.get(path)
            if self._is_loaded(path) or source is None or source == before:
                found = None if source is None or self._is_loaded(path) else before
            else:
                problem = _problem_of(path, source)
                problems += [problem] if problem else []
                found = source if problem else None
            if found is not None:
                self._broken[path] = found
            else:
                mended = self._broken.pop(path, None) is not None or mended
        return problems, mended

    def tried(self, problems: list[Problem]) -> dict[str, ModuleReport]:
        """By the files' names, for the modules have none yet."""
        return {
            os.path.splitext(os.path.basename(one.path))[0]: ModuleReport(
                after=version_of(self._broken[one.path]), path=one.path
            )
            for one in problems
        }


def _problem_of(path: str, source: bytes) -> Problem | None:
    text = read_source(path, source)
    if isinstance(text, Problem):
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return not_compiled(path, error)
    return None
