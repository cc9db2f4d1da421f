"""Edits inside a top-level `if`, `try` or `with`: matched inside, so that what was not edited does not run twice."""

from __future__ import annotations

import ast
import collections
import copy
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.assigned import run_value, values_before
from midflight.apply.branches import branch_taken
from midflight.apply.codes import graft_codes
from midflight.apply.parsed import but
from midflight.apply.transaction import ABSENT
from midflight.apply.values import rebuilt, same_value
from midflight.plan.diff import Pair, built_names, defines
from midflight.plan.statements import Statement, bound_names, fingerprint

if TYPE_CHECKING:
    from midflight.apply.statements import Runner


def run_block(runner: Runner, pair: Pair) -> None:
    """Run what was edited in the branch that is live; the whole block where its head was edited."""
    assert pair.old is not None and pair.new is not None
    runner.changes.touch()  # which of its statements run is told by what those above have changed
    if not _same_head(pair.old.node, pair.new.node) or runner.causes.of(
        runner.work, _head(pair.new), runner.scope.prefix
    ):
        run_value(runner, pair)
        return
    parts = dict(runner.block_pairs(pair))
    live = _live_parts(runner, pair.new.node, parts)
    if live is None:
        run_value(runner, pair)
        return
    running = list(_running(runner, [pair for pairs in parts.values() for pair in pairs]))
    node = pair.new.node
    if _built_across(parts, live, running) or _needs_its_head(node, running) or _tries_anew(node, parts, running):
        run_value(runner, pair)
        return
    codes: list[Any] = []
    for name, pairs in parts.items():
        inner = runner.inner_runner(pair, pairs)
        if name in live:
            inner.take(pairs)
        else:
            inner.refresh([])
            for each in pairs:
                if each.new is not None:
                    graft_codes(inner, each) if each.kind != "added" else None
        codes += [code for roots in inner.roots.values() for code in roots]
    runner.roots[pair.new] = tuple(codes)


def refresh_block(runner: Runner, pair: Pair) -> None:
    """Stale statements inside a block that nobody edited."""
    assert pair.new is not None
    head = runner.causes.of(runner.work, _head(pair.new), runner.scope.prefix)
    if head:
        runner.refresh_value(pair, head)
        return
    if _tries_values(pair.new.node):  # whether its body raises may be another answer now
        runner.refresh_value(pair, runner.causes.of(runner.work, pair.new, runner.scope.prefix))
        return
    same = Pair("same", pair.new, pair.new)
    parts = dict(runner.block_pairs(same))
    ran = _live_branch(runner, pair.new.node, parts) if isinstance(pair.new.node, ast.If) else None
    stale = [p for pairs in parts.values() for p in pairs if p.new is not None and runner.wants(p.new)]
    if _built_across(parts, ran or parts.keys(), stale) or _needs_its_head(pair.new.node, stale):
        runner.refresh_value(pair, runner.causes.of(runner.work, pair.new, runner.scope.prefix))
        return
    if stale:
        runner.swap_roots(pair)  # the functions in it are found by what they run now
        runner.old_roots = but(runner.old_roots, pair.new, runner.old_codes(pair))
    for part, pairs in parts.items():
        if ran is not None and part not in ran:
            continue  # the branch that did not run used nothing
        inner = runner.inner_runner(same, pairs)
        inner.old_roots = {**inner.old_roots}
        here = [p for p in pairs if p.new is not None]
        inner.refresh(here, _of_those_that_ran(runner, here))
        _take_over_roots(runner, pair, [code for roots in inner.roots.values() for code in roots])


def _take_over_roots(runner: Runner, pair: Pair, fresh: Sequence[types.CodeType]) -> None:
    """What ran again in the block left other code objects: those lead to its functions from now on."""
    assert pair.new is not None
    if fresh:
        again = {code.co_qualname for code in fresh}
        held = runner.roots.get(pair.new, runner.old_codes(pair))
        runner.roots[pair.new] = (*(code for code in held if code.co_qualname not in again), *fresh)


def _running(runner: Runner, pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Those of an edited block that run: the edited ones, and what is stale or will be."""
    edited = frozenset[str]().union(*(pair.statement.binds for pair in pairs if pair.edited))
    for pair in pairs:
        if pair.edited and pair.kind != "bodies":
            yield pair
        elif pair.new is not None and not defines(pair.new):
            if not edited.isdisjoint(pair.new.reads) or runner.wants(pair.new):
                yield pair


def _built_across(parts: Mapping[str, Sequence[Pair]], live: Collection[str], again: Sequence[Pair]) -> bool:
    """Whether statements of several live parts build one value, and one of them runs again or went: `try: x = 1`
    with `finally: x = 2`. What the block leaves is told by running it as a whole."""
    names: collections.Counter[str] = collections.Counter()
    for part in live:
        in_part = [s for pair in parts.get(part, ()) for s in (pair.old, pair.new) if s is not None and not defines(s)]
        names.update(frozenset[str]().union(*map(built_names, in_part)))
    shared = {name for name, count in names.items() if count > 1}
    return any(built_names(s) & shared for pair in again for s in (pair.old, pair.new) if s is not None)


def _needs_its_head(node: ast.stmt, stale: Sequence[Pair]) -> bool:
    """Whether one of `stale` runs only with the whole block: only that tells which `case` it is, or it reads what the
    head gives it, as in `except E as error` and `with open(p) as file`."""
    if isinstance(node, ast.Match) and not all(defines(pair.statement) for pair in stale):
        return True
    handled = {handler.name for handler in getattr(node, "handlers", ())}
    targets = (item.optional_vars for item in getattr(node, "items", ()) if item.optional_vars is not None)
    names = handled.union(*(bound_names(ast.Expr(target)) for target in targets))
    return any(pair.new is not None and not names.isdisjoint(pair.new.reads) for pair in stale)


def _tries_anew(node: ast.stmt, parts: Mapping[str, Sequence[Pair]], running: Collection[Pair]) -> bool:
    """Whether something runs again in the body of a `try` which decides what else of it runs."""
    return _tries_values(node) and any(pair in running for pair in parts.get("body", ()))


def _tries_values(node: ast.stmt) -> bool:
    return isinstance(node, ast.Try) and all(map(_is_value, node.body))


def _is_value(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Raise))


def _was_live(runner: Runner, statement: Statement) -> bool:
    """A statement of a branch that did not run bound nothing; a block in it that ran, what its own branch binds."""
    held = [runner.scope.get(name) is not ABSENT for name in statement.binds]
    return any(held) or not held if statement.is_block else all(held)


def _of_those_that_ran(runner: Runner, pairs: Sequence[Pair]) -> list[Pair]:
    """Without those that bind what is not there. A helper that is deleted again is not there either: it ran where one
    of the others did."""
    passing = frozenset[str]().union(*(pair.statement.deletes for pair in pairs))
    ran = [p for p in pairs if p.statement.binds.isdisjoint(passing) and _was_live(runner, p.statement)]
    helped = any(pair.statement.binds for pair in ran)
    return [p for p in pairs if p in ran or (helped and p.statement.binds and p.statement.binds <= passing)]


def _head(statement: Statement) -> Statement:
    """The part of a block that decides what happens, as a statement of its own."""
    node: Any = copy.copy(statement.node)
    for name in ("body", "orelse", "finalbody"):
        if hasattr(node, name):
            setattr(node, name, [])
    for name in ("handlers", "cases"):
        if hasattr(node, name):
            setattr(node, name, [])
    return Statement(node, "", statement.first, statement.last, statement.shift)


def _same_head(old: ast.stmt, new: ast.stmt) -> bool:
    if isinstance(old, ast.If) and isinstance(new, ast.If):
        return fingerprint(old.test) == fingerprint(new.test)
    if isinstance(old, ast.With) and isinstance(new, ast.With):
        return list(map(fingerprint, old.items)) == list(map(fingerprint, new.items))
    if isinstance(old, ast.Try) and isinstance(new, ast.Try):
        return [h.type and fingerprint(h.type) for h in old.handlers] == [
            h.type and fingerprint(h.type) for h in new.handlers
        ]
    return False


def _live_parts(runner: Runner, node: ast.stmt, parts: dict[str, list[Pair]]) -> set[str] | None:
    """The branches whose statements ran, or None where that cannot be told or must be found out by running."""
    if isinstance(node, ast.If):
        return _live_branch(runner, node, parts)
    if isinstance(node, ast.With):
        # What it enters may be what its statements need: only definitions and imports can do without.
        body = parts.get("body", [])
        edited = [p for p in body if p.edited]
        plain = all(p.statement.is_def or p.statement.is_class for p in edited)
        reached = all(p.old is None or p.new is None or _was_live(runner, p.old) for p in edited)
        return {"body"} if plain and reached and _body_ran(runner, body) else None
    if isinstance(node, ast.Try):
        return _live_try(runner, node, parts)
    return None


def _live_branch(runner: Runner, node: ast.If, parts: dict[str, list[Pair]]) -> set[str] | None:
    if runner.scope.pending or runner.changes.unfilled:
        runner.tx.flush()  # the test may read what is prepared
        runner.changes.unfilled = False
    answer = branch_taken(node.test, runner.scope.names)
    if answer is None:
        return _branch_by_names(runner, parts)
    return {"body"} if answer else {"orelse"}


def _branch_by_names(runner: Runner, parts: dict[str, list[Pair]]) -> set[str] | None:
    """The branch whose names exist, if only one of the two binds something."""
    names = {part: {n for p in pairs if p.old is not None for n in p.old.binds} for part, pairs in parts.items()}
    body, other = names.get("body", set()), names.get("orelse", set())
    only_body, only_other = body - other, other - body
    if any(_was_bound(runner, n) for n in only_body):
        return {"body"}
    if only_body or any(_was_bound(runner, n) for n in only_other):
        return {"orelse"}
    return None


def _was_bound(runner: Runner, name: str) -> bool:
    """Whether the name is bound, or was until the edit took it away."""
    lost = runner.changes.values.get(runner.scope.key(name), ABSENT) is not ABSENT
    return lost or runner.scope.get(name) is not ABSENT


def _live_try(runner: Runner, node: ast.Try, parts: dict[str, list[Pair]]) -> set[str] | None:
    """An edit that cannot change whether the body raises is taken where it stands; else the whole `try` runs."""
    body = parts.get("body", [])
    if any(p.edited and not (p.statement.is_def or p.statement.is_class) for p in body):
        return None
    if any(p.edited and not (p.statement.is_def or p.statement.is_class) for p in parts.get("handlers", [])):
        handled = {n for p in parts["handlers"] if p.old is not None for n in p.old.binds}
        bound = {n for p in body if p.old is not None for n in p.old.binds}
        if handled <= bound and _body_ran(runner, body):
            if len(node.handlers) == 1 and _is_as_handled(runner, parts, handled):
                return {"handlers", "finalbody"}
            return {"body", "orelse", "finalbody"}
        return None
    return {"body", "orelse", "finalbody"} if _body_ran(runner, body) else {"handlers", "finalbody"}


def _is_as_handled(runner: Runner, parts: Mapping[str, Sequence[Pair]], names: Collection[str]) -> bool:
    """Whether `names`, which the body of a `try` binds too, hold what its handler gives and its body does not."""
    before = values_before(runner)

    def gives(part: str) -> bool:
        olds = [p.old for p in parts.get(part, ()) if p.old is not None and p.old.binds]
        made = {name: rebuilt(runner.scope, olds, name, before) for name in names}
        return all(same_value(value, runner.scope.get(name)) for name, value in made.items())

    return bool(names) and gives("handlers") and not gives("body")


def _body_ran(runner: Runner, body: Sequence[Pair]) -> bool:
    """Whether the body of a `try` came to its end: its imports can be had, and what it binds is there."""
    import sys

    for pair in body:
        node = pair.statement.node
        if isinstance(node, ast.Raise):
            return False
        if isinstance(node, ast.Import) and any(a.name not in sys.modules for a in node.names):
            return False
        if isinstance(node, ast.ImportFrom) and not node.level and node.module not in sys.modules:
            return False
    plain = [pair.old for pair in body if pair.old is not None and not pair.old.is_block]
    names = frozenset[str]().union(*(statement.binds for statement in plain))
    return all(_was_bound(runner, name) for name in names - _deleted_around(runner))


def _deleted_around(runner: Runner) -> frozenset[str]:
    """Names that statements of the scope delete: that they are not there says nothing of what bound them."""
    found = frozenset[str]().union(*(p.old.deletes for p in runner.siblings if p.old is not None))
    return found | _deleted_around(runner.around[0]) if runner.around is not None else found
