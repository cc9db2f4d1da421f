"""Edits and the module graph → a Plan: what would be done, in the order in which it would be. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from midflight.plan.diff import Pair
from midflight.values import Plan, Step

_ACTIONS = {
    "annotated": "graft",
    "bodies": "graft",
    "changed": "run",
    "added": "run",
    "removed": "remove",
    "moved": "move",
}


@dataclass(frozen=True, slots=True)
class ModuleEdit:
    """One edited module; `order` is its place among the program's imports."""

    name: str
    order: int
    pairs: Sequence[Pair]


Holders = Callable[[str, str], Iterable[str]]  # (module, name) → other modules that hold its value under that name


def plan_reload(edits: Iterable[ModuleEdit], holders: Holders, more: Sequence[Step] = ()) -> Plan:
    """The steps for edited modules, and those that may follow in modules that use what changed."""
    ordered = sorted(edits, key=lambda edit: edit.order)
    edited = {edit.name for edit in ordered}
    own = [step for edit in ordered for step in _steps(edit)]
    following = [step for edit in ordered for step in _followers(edit, holders, edited)]
    return Plan(steps=(*own, *following, *more))


def _steps(edit: ModuleEdit) -> Iterable[Step]:
    for pair in edit.pairs:
        if pair.kind != "same":
            yield Step(edit.name, _action(pair), pair.statement.name, pair.statement.first)


def _action(pair: Pair) -> str:
    if pair.kind == "changed" and (pair.statement.is_def or pair.statement.is_class):
        return "graft"
    return _ACTIONS[pair.kind]


def _followers(edit: ModuleEdit, holders: Holders, edited: set[str]) -> Iterable[Step]:
    """What other modules hold of the names that would get new values: rebound only if they come out different."""
    changed = {n for p in edit.pairs if p.kind in ("changed", "added", "removed") for n in p.statement.binds}
    for name in sorted(changed):
        for other in holders(edit.name, name):
            if other not in edited:
                yield Step(other, "rebind", name, because=f"{edit.name}.{name} changes")
