"""Values that were computed from what a reload keeps, which a fresh start would compute otherwise: they are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from midflight.apply.holders import resolve
from midflight.apply.transaction import ABSENT
from midflight.apply.values import is_data
from midflight.graph.hook import is_plain
from midflight.plan.diff import built_names, defines
from midflight.plan.flow import dotted_reads, followers
from midflight.plan.statements import Statement

if TYPE_CHECKING:
    from midflight.apply.execute import Execution
    from midflight.graph.loaded import Loaded

Key = tuple[str, str]


def computed_from_kept(run: Execution) -> Iterator[str]:
    """A note for each kept value of a module that others were computed from, in its own module or another."""
    kept = [(work.name, label) for work in run.works.values() for label in work.record.kept if "." not in label]
    for key in kept:
        made = dict.fromkeys(f"`{module}.{name}`" for module, name in _all_from(run, key) if (module, name) not in kept)
        if made:
            yield f"{'.'.join(key)} is kept: so is what was computed from it, {', '.join(made)}"


def _all_from(run: Execution, key: Key) -> Iterator[Key]:
    waiting, seen = [key], {key}
    while waiting:
        for found in _from(run, waiting.pop()):
            if found not in seen:
                seen.add(found)
                waiting.append(found)
                yield found


def _from(run: Execution, key: Key) -> Iterator[Key]:
    """The names whose statements read the value of `key` and made data of it."""
    value = run.current(key)
    for loaded, _ in list(run.program.users(key[0], [key[1]])) if value is not ABSENT else ():
        for statement in _readers(run, loaded, key[1], value):
            names = statement.binds | built_names(statement)
            yield from ((loaded.name, n) for n in sorted(names) if _is_other_data(loaded, n, value))


def _readers(run: Execution, loaded: Loaded, name: str, value: Any) -> Iterator[Statement]:
    """The statements that read the value by a name, or as an attribute of a module."""
    work = run.work_of(loaded.name)
    if work is None:
        return
    following, names = followers(work.text), frozenset(_names(loaded, name, value))
    for place in sorted({place for one in names | {name} for place in following.get(one, ())}):
        statement = work.text.statements[place]
        reads = not statement.reads.isdisjoint(names) or _comes_to(loaded, statement, name, value)
        if reads and not defines(statement):
            yield statement


def _names(loaded: Loaded, name: str, value: Any) -> Iterator[str]:
    """By which names a module means the value; plain ones are held by others too that have nothing to do with it."""
    if not is_plain(value):
        yield from (other for other, held in list(loaded.namespace.items()) if held is value)
    elif loaded.namespace.get(name, ABSENT) is value:
        yield name


def _comes_to(loaded: Loaded, statement: Statement, name: str, value: Any) -> bool:
    chains = (chain[: chain.index(name, 1) + 1] for chain in dotted_reads(statement) if name in chain[1:])
    return any(resolve(loaded.namespace, chain) is value for chain in chains)


def _is_other_data(loaded: Loaded, name: str, value: Any) -> bool:
    made = loaded.namespace.get(name, ABSENT)
    return made is not value and is_data(made)
