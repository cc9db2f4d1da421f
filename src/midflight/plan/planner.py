"""Edits and the module graph → a Plan: what would be done, in the order in which it would be. Pure, but for names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from midflight.graph.loaded import Loaded, Program
from midflight.plan.diff import Pair
from midflight.plan.statements import SourceText
from midflight.values import Plan, Step

_ACTIONS = {"bodies": "graft", "changed": "run", "added": "run", "removed": "remove", "moved": "move"}


def plan_reload(
    edits: Iterable[tuple[Loaded, SourceText, Sequence[Pair]]], program: Program, more: Sequence[Step] = ()
) -> Plan:
    """The steps for edited modules, and those that may follow in modules that use what changed."""
    steps: list[Step] = []
    ordered = sorted(edits, key=lambda edit: edit[0].order)
    for loaded, _, pairs in ordered:
        steps += _steps(loaded, pairs)
    edited = {loaded.name for loaded, _, _ in ordered}
    for loaded, _, pairs in ordered:
        steps += _followers(loaded, pairs, program, edited)
    return Plan(steps=(*steps, *more))


def _steps(loaded: Loaded, pairs: Sequence[Pair]) -> Iterable[Step]:
    for pair in pairs:
        if pair.kind != "same":
            yield Step(loaded.name, _action(pair), pair.statement.name, pair.statement.first)


def _action(pair: Pair) -> str:
    if pair.kind == "changed" and (pair.statement.is_def or pair.statement.is_class):
        return "graft"
    return _ACTIONS[pair.kind]


def _followers(loaded: Loaded, pairs: Sequence[Pair], program: Program, edited: set[str]) -> Iterable[Step]:
    """What other modules hold of the names that would get new values: rebound only if they come out different."""
    changed = {n for p in pairs if p.kind in ("changed", "added", "removed") for n in p.statement.binds}
    for name in sorted(changed):
        for other in program.users(loaded.name, name):
            if other.name not in edited and other.namespace.get(name) is loaded.namespace.get(name):
                yield Step(other.name, "rebind", name, because=f"{loaded.name}.{name} changes")
