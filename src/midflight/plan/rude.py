"""Which edits cannot be taken live, and why: named before anything runs."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from midflight.graph.homes import made_by_statement
from midflight.graph.kinds import same_kinds
from midflight.plan.diff import Pair, match
from midflight.plan.nodes import is_main_guard
from midflight.plan.statements import Statement, fingerprint, split
from midflight.values import Problem

WAY_OUT = "Revert that line, or restart the process to take it."


class Process(Protocol):
    """What is asked of the running process: who is an instance, and what CPython would say."""

    def instances(self, cls: type) -> list[Any]: ...
    def refuses_bases(self, cls: type, bases: tuple[type, ...]) -> str: ...


Lines = tuple[Sequence[str], Sequence[str]]


def rude_edits(
    module: str, path: str, pairs: Sequence[Pair], namespace: Mapping[str, Any], lines: Lines, process: Process
) -> Iterator[Problem]:
    """A Problem for each edit of `pairs` that the process cannot take. `lines` are those of the old and new text."""
    for pair in pairs:
        if module == "__main__" and is_main_guard(pair.statement.node) and _differs_outside_bodies(pair):
            yield Problem(
                path,
                pair.statement.first,
                "MF014",
                'the `if __name__ == "__main__"` block is running and cannot run again',
                "Move the change into a function that it calls, or restart the process to take it.",
            )
        if pair.kind == "changed" and pair.old is not None and pair.new is not None:
            live = namespace.get(getattr(pair.old.node, "name", ""))
            yield from _rude_class(module, path, pair, live, lines, "", namespace, process)


def _differs_outside_bodies(pair: Pair) -> bool:
    return pair.old is None or pair.new is None or pair.old.shell != pair.new.shell


def _rude_class(
    module: str,
    path: str,
    pair: Pair,
    live: Any,
    lines: Lines,
    prefix: str,
    names: Mapping[str, Any],
    process: Process,
) -> Iterator[Problem]:
    old, new = pair.old, pair.new
    assert old is not None and new is not None
    if not isinstance(old.node, ast.ClassDef) or not isinstance(new.node, ast.ClassDef):
        return
    if not isinstance(live, type) or not made_by_statement(live, module) or live.__qualname__ != prefix + old.node.name:
        return
    yield from _metaclass(path, old.node, new, live, process)
    inside = match(split(old.node.body, lines[0], old.shift), split(new.node.body, lines[1], new.shift))
    yield from _slots(path, inside, new, live, process)
    yield from _bases(path, old.node, new, live, names, process)
    for each in inside:
        if each.kind == "changed" and each.old is not None and each.new is not None:
            held = vars(live).get(getattr(each.old.node, "name", ""))
            yield from _rude_class(module, path, each, held, lines, f"{prefix}{old.node.name}.", names, process)


def _metaclass(path: str, old: ast.ClassDef, new: Statement, live: type, process: Process) -> Iterator[Problem]:
    before = [fingerprint(k.value) for k in old.keywords if k.arg == "metaclass"]
    assert isinstance(new.node, ast.ClassDef)
    after = [fingerprint(k.value) for k in new.node.keywords if k.arg == "metaclass"]
    if before != after:
        message = (
            f"{live.__name__} gets another metaclass{_with_instances(live, process)}: CPython cannot change it in place"
        )
        yield Problem(path, new.node.lineno + new.shift, "MF010", message, WAY_OUT)


def _slots(path: str, inside: Sequence[Pair], new: Statement, live: type, process: Process) -> Iterator[Problem]:
    for each in inside:
        if "__slots__" not in each.statement.binds or not each.edited or _same_slots(each, live):
            continue
        instances = process.instances(live)
        if instances:
            had = "a __dict__" if hasattr(instances[0], "__dict__") else "other slots"
            message = f"{live.__name__} changes its __slots__, and {len(instances)} live {live.__name__} have {had}"
            line = each.new.first if each.new is not None else new.first
            yield Problem(path, line, "MF012", message, WAY_OUT)


def _same_slots(pair: Pair, live: type) -> bool:
    """Whether both versions name the same slots: CPython lays them out in an order of its own (type_new). To name none
    is not to have any where a base has a dict and weak references."""
    names = [_slots_named(statement) for statement in (pair.old, pair.new)]
    if has_all_by_bases(live):
        names = [named if statement else [] for named, statement in zip(names, (pair.old, pair.new), strict=True)]
    return names[0] is not None and names[0] == names[1]


def has_all_by_bases(cls: type) -> bool:
    """Whether an instance has a dict and weak references whatever the class itself says."""
    bases = cls.__bases__
    return any(base.__dictoffset__ for base in bases) and any(base.__weakrefoffset__ for base in bases)


def _slots_named(statement: Statement | None) -> list[str] | None:
    value = getattr(statement and statement.node, "value", None)
    try:
        found = ast.literal_eval(value) if isinstance(value, ast.expr) else None
    except ValueError:
        return None
    return (
        sorted(found)
        if isinstance(found, (tuple, list, set, dict)) and all(isinstance(n, str) for n in found)
        else None
    )


def _with_instances(live: type, process: Process) -> str:
    count = len(process.instances(live))
    return f", and {count} of its instances live" if count else ""


def _bases(
    path: str, old: ast.ClassDef, new: Statement, live: type, names: Mapping[str, Any], process: Process
) -> Iterator[Problem]:
    node = new.node
    assert isinstance(node, ast.ClassDef)
    if list(map(fingerprint, old.bases)) == list(map(fingerprint, node.bases)):
        return
    bases = [_looked_up(base, names) for base in node.bases]
    if not bases or any(not isinstance(base, type) for base in bases) or same_kinds(live.__bases__, (object,)):
        return  # only running the edit tells; a failure there rolls everything back
    error = process.refuses_bases(live, tuple(bases))
    if error and process.instances(live):  # without any the class is made again (rule 3)
        message = f"the bases of {live.__name__} change its layout{_with_instances(live, process)}: {error}"
        yield Problem(path, node.lineno + new.shift, "MF011", message, WAY_OUT)


def _looked_up(node: ast.expr, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        holder = _looked_up(node.value, names)
        return vars(holder).get(node.attr) if isinstance(holder, types.ModuleType) else None
    return None
