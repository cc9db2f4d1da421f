"""Plugins and what they need → the order in which they are set up, and the cycles for which there is none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from midflight.graph.modules import ModuleGraph


@dataclass(frozen=True, slots=True)
class Needs:
    """What one plugin waits for: `requires` and `after` as its manifest says, `imports` are other plugins that its
    modules import."""

    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


def in_order(plugins: Mapping[str, Needs]) -> list[str]:
    """Each plugin after what it needs, else by name. Where a cycle leaves no order, by name too."""
    done: list[str] = []
    for name in sorted(plugins):
        _place(name, plugins, done, set())
    return done


def _place(name: str, plugins: Mapping[str, Needs], done: list[str], visiting: set[str]) -> None:
    if name in done or name in visiting or name not in plugins:
        return
    visiting.add(name)
    needs = plugins[name]
    for needed in sorted({*needs.requires, *needs.after, *needs.imports}):
        _place(needed, plugins, done, visiting)
    done.append(name)


def cycles(plugins: Mapping[str, Needs]) -> dict[str, str]:
    """Plugin → the cycle of `requires` and `after` that it is part of, such as "a → b → a"."""
    graph = ModuleGraph()
    for name, needs in plugins.items():
        graph.put(_safe(name), frozenset(_safe(other) for other in (*needs.requires, *needs.after)))
    found = {}
    for group in graph.cycles():
        members = [name for name in plugins if _safe(name) in group]
        for name in members:
            found[name] = " → ".join(_walk(name, members, plugins))
    for name, needs in plugins.items():
        if name in needs.requires or name in needs.after:
            found[name] = f"{name} → {name}"
    return found


def _safe(name: str) -> str:
    """Dots would make a name the child of another one."""
    return name.replace(".", "\N{MIDDLE DOT}")


def _walk(start: str, members: list[str], plugins: Mapping[str, Needs]) -> list[str]:
    """The shortest way from `start` back to itself."""
    ways = [[start]]
    seen = {start}
    for way in ways:
        for other in sorted({*plugins[way[-1]].requires, *plugins[way[-1]].after}):
            if other == start:
                return [*way, start]
            if other in members and other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return [start]


def dependents(names: Iterable[str], plugins: Mapping[str, Needs]) -> set[str]:
    """All plugins that require or import one of `names`, directly or not; not these themselves."""
    start = set(names)
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        needed = waiting.pop()
        for name, needs in plugins.items():
            if needed in (*needs.requires, *needs.imports) and name not in found | start:
                found.add(name)
                waiting.append(name)
    return found
