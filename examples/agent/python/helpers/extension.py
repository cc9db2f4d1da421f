"""Extension points: what lies in python/extensions/<point>/ runs there, in the order of the files' names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from python.helpers.extract_tools import ROOT, load_classes_from_folder

if TYPE_CHECKING:
    from agent import Agent

FOLDER = "python/extensions"

_cache: dict[str, list[type[Extension]]] = {}


class ExtensionError(Exception):
    """An extension raised; says which one, and what."""


class Extension:
    """Derive one class in each file, with `execute`; `kwargs` are what the point hands over."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent

    async def execute(self, **kwargs: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} has no execute")


async def call_extensions(point: str, agent: Agent, **kwargs: Any) -> None:
    """Runs the point's extensions, a fresh instance of each. Raises ExtensionError, which ends the message."""
    for extension_class in extensions(point):
        try:
            await extension_class(agent).execute(**kwargs)
        except Exception as error:
            file = extension_class.__module__.rpartition(".")[2]
            raise ExtensionError(f"{FOLDER}/{point}/{file}.py failed: {type(error).__name__}: {error}") from error


def extensions(point: str) -> list[type[Extension]]:
    if point not in _cache:
        _cache[point] = list(load_classes_from_folder(f"{FOLDER}/{point}", Extension).values())
    return _cache[point]


def points() -> dict[str, list[type[Extension]]]:
    """Each folder in python/extensions → its extensions."""
    names = sorted(path.name for path in (ROOT / FOLDER).iterdir() if path.is_dir() and path.name[0] not in "._")
    return {name: extensions(name) for name in names}
