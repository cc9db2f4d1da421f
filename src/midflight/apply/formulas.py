"""A statement that computes one value from names and does nothing else, run again: what most of what a constant
reaches is. None of the questions arises that running another statement asks: it calls nothing, makes no function, class
or container, and binds nothing else. To leave them out made the workload `constant` of bench/speed.py cheaper.

A module in which nothing but imports and such statements follows is taken as one chain, found once for its text: of
what a value reaches in many modules only the values themselves are asked for, each time. That halved the same."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.asked import accepted
from midflight.apply.assigned import is_as_made
from midflight.apply.refilled import may_be_any
from midflight.apply.scopes import ModuleScope, compile_nodes
from midflight.apply.transaction import ABSENT
from midflight.apply.values import same_value
from midflight.apply.work import Work
from midflight.graph.hook import PLAIN
from midflight.graph.kinds import is_kind
from midflight.hooks import RECORDS
from midflight.plan.diff import Pair
from midflight.plan.flow import followers
from midflight.plan.formulas import Chain, Link, chain_of, chains_of, formula_of
from midflight.plan.futures import future_flags

if TYPE_CHECKING:
    from midflight.apply.execute import Execution
    from midflight.apply.statements import Runner

Step = tuple[Link, str, Any, Any, str]  # a link that follows, a name it binds, what that held, what it gives, origin


def refresh_formula(runner: Runner, pair: Pair, causes: Sequence[str]) -> bool:
    """What `refresh_value` does for an unedited formula of a module whose value is a scalar; False for all else."""
    statement, scope, work = pair.new, runner.scope, runner.work
    assert statement is not None
    name = formula_of(statement)
    if not name or not isinstance(scope, ModuleScope) or runner.in_block or pair.edited:
        return False
    old = scope.get(name)
    if not is_kind(old, PLAIN) or statement in work.reran or name in runner.building:
        return False
    groups = runner.new_groups
    group = groups.of(statement)
    if len(group.statements) != 1 or not group.names or not groups.passing.isdisjoint((name, *statement.reads)):
        return False
    if not is_as_made(runner, name, group.statements):
        runner.run.keep(work, name, causes)
        return True
    runner.swap_roots(pair)
    runner.prepare_for(statement)
    with runner.noted(statement):
        new = scope.compute(runner.compiled([statement.located()], statement), name)
        runner.roots[statement] = ()
        work.record.ran[name] = None
        if same_value(old, new):
            scope.set(name, old)
        else:
            runner.rebind(name, old, new)
    return True


def take_chain(run: Execution, work: Work) -> bool:
    """What `Runner.refresh` does for a module in which only values follow, from one another, that are scalars all the
    way; False, with nothing done, for all else. What it computes no code of the program sees."""
    chain = _chain(run, work)
    steps = _steps(run, work, chain) if chain is not None else None
    if chain is None or steps is None:
        return False
    changes, record, module = run.changes, work.record, work.loaded.name
    writes: dict[str, Any] = {}
    for link, name, old, new, origin in steps:
        if link.imports:
            work.carried[name] = new
            record.rebound[name] = None
        else:  # as `Runner.noted`
            work.reran[link.statement] = 1
            work.ran_at[link.statement], work.saw[link.statement] = changes.count, len(changes.own)
            record.ran[name] = None
            if same_value(old, new):
                continue
        writes[name] = new
        changes.value_flowed((module, name), old, origin)
    for link in chain.links:
        if link.imports:
            work.followed[link.statement] = 1
    if writes:
        _prepare(run, work.loaded.namespace, writes)
        changes.flows_on(module, writes)
    work.seen = changes.count, changes.extent
    return True


def _prepare(run: Execution, space: dict[str, Any], writes: dict[str, Any]) -> None:
    pending = run.pending.setdefault(id(space), {})
    pending.update(writes)

    def write() -> None:
        for name in writes:
            pending.pop(name, None)
        run.tx.set_items(space, writes)

    run.tx.later(write)


def _chain(run: Execution, work: Work) -> Chain | None:
    changes, loaded, text = run.changes, work.loaded, work.text
    if work.done or work.reads_refilled or changes.unfilled or not changes.found_by_name(work) or may_be_any(run):
        return None
    if run.pending.get(id(loaded.namespace)) or (RECORDS and accepted(loaded.name)):
        return None
    names, known = frozenset(followers(text).keys() & changes.short), chains_of(text)
    if names not in known:
        known[names] = chain_of(text, names, loaded.name, loaded.is_package)
    chain = known[names]
    # What somebody else has changed in it already is not of its own statements' making.
    if chain is None or loaded.mentioned(chain.names) or not changes.values.keys().isdisjoint(chain.keys):
        return None
    return chain


def _steps(run: Execution, work: Work, chain: Chain) -> list[Step] | None:
    """What each link that follows gives, in order; None where one of them is not as its statement left it, or a value
    on the way is more than a scalar."""
    given: dict[str, Any] = {}
    steps: list[Step] = []
    for link in chain.links:
        found = _imported(run, work, link, given) if link.imports else _computed(work, link, given)
        if found is None:
            return None
        for step in found:
            given[step[1]] = step[3]
            steps.append(step)
    return steps


def _imported(run: Execution, work: Work, link: Link, given: dict[str, Any]) -> list[Step] | None:
    found, values, space = list[Step](), run.changes.values, work.loaded.namespace
    for name, key in link.imports:
        if key not in values:
            continue
        old, new, held = values[key], run.current(key), space.get(name, ABSENT)
        if name in given or not (is_kind(old, PLAIN) and is_kind(new, PLAIN) and is_kind(held, PLAIN)):
            return None
        if held is not new:
            if held is not old and not same_value(old, held):
                return None
            found.append((link, name, held, new, run.changes.origins.get(key, key[0])))
    return found


def _computed(work: Work, link: Link, given: dict[str, Any]) -> list[Step] | None:
    if link.reads.isdisjoint(given):
        return []
    name, space = link.name, work.loaded.namespace
    held, first = space.get(name, ABSENT), work.loaded.made.get(name, ABSENT)
    if not is_kind(held, PLAIN) or not (held is first or same_value(first, held)):
        return None
    for read in link.reads:
        if not is_kind(space.get(read, ABSENT), PLAIN):
            return None  # operators of others run code of theirs
    made = dict(given)
    exec(link.code or _code(work, link), space, made)
    return [(link, name, held, made[name], "")] if is_kind(made[name], PLAIN) else None


def _code(work: Work, link: Link) -> types.CodeType:
    flags = future_flags(work.text.future)
    link.code = compile_nodes([link.statement.located()], work.loaded.path, flags, work.text.imports)
    return link.code
