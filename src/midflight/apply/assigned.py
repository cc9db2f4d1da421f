"""Statements that make values: run again, and what the name held before kept where it can act as the new value."""

from __future__ import annotations

import ast
import builtins
import collections
import contextlib
import copy
import functools
import itertools
import operator
import sys
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from midflight.apply.aliases import starred, starred_before
from midflight.apply.asked import forget_hooks_of, is_derived, is_state
from midflight.apply.attributes import guard_targets
from midflight.apply.codes import graft_codes, graft_pairs
from midflight.apply.definitions import class_continued, codes_continued, inner_function, made_here, tell_of_old_answers
from midflight.apply.graft.classes import adopt_class, adopt_made
from midflight.apply.graft.functions import forward, has_name
from midflight.apply.graft.generated import leave_classes
from midflight.apply.graft.wrappers import become
from midflight.apply.holders import functions_in, functions_running, nested_codes, resolve
from midflight.apply.parsed import by_first
from midflight.apply.past import Past
from midflight.apply.registrations import Contents, registrars_of
from midflight.apply.scopes import ClassScope, ModuleScope
from midflight.apply.transaction import ABSENT
from midflight.apply.values import (
    Before,
    before_in_place,
    builds_purely,
    is_container,
    is_data,
    rebuilt,
    same_value,
)
from midflight.apply.whole import Watched
from midflight.graph.kinds import is_a, is_kind, shown
from midflight.graph.layouts import HEAP_TYPE
from midflight.plan.diff import Groups, Pair, built_by, built_names, defines
from midflight.plan.nodes import FUNCTIONS, walk_scope
from midflight.plan.order import LISTERS, lists_names, names_around
from midflight.plan.purity import only_binds
from midflight.plan.statements import Statement, fingerprint, lambdas_called, names_asked_for, names_in_order, root_name

if TYPE_CHECKING:
    from midflight.apply.statements import Runner

_PARTIAL = (functools.partial, functools.partialmethod)  # what is made from one takes over its arguments


def run_value(runner: Runner, pair: Pair) -> None:
    statement = pair.new
    assert statement is not None
    if isinstance(statement.node, ast.Delete) and all(isinstance(t, ast.Name) for t in statement.node.targets):
        _delete(runner, statement)
        return
    before = {name: runner.scope.get(name) for name in statement.binds}
    if is_state(statement, runner.scope.namespace) and all(old is not ABSENT for old in before.values()):
        runner.keep_state(statement, "its own statement")
        return
    again = _before_it_runs(runner, pair, before)
    made, roots = _made_anew(runner, pair, again)
    tell_of_old_answers(runner, statement)
    _tell_of_kept(runner, statement)
    runner.roots[statement] = roots
    runner.work.record.ran[statement.name if not statement.binds else runner.labels(statement.binds)] = None
    # A class last, and bases ahead of those below them: it reads what the others have been given.
    for name in sorted(made, key=lambda name: len(made[name].__mro__) if is_a(made[name], type) else 0):
        _take_value(runner, pair, again, name, made[name], roots)
    if again.makers:
        runner.run.notes += runner.run.registrations.left_behind(again.contents, again.makers)
    if statement.is_block and statement.calls:
        _register_what_lives(runner, made)
    for codes in (runner.old_codes(pair), *again.moved_here):
        if codes:  # last: what a name held may act as another function of the statement by now, or a class's methods
            if again.continues:
                runner.tx.flush()
            graft_pairs(runner, pair, codes, roots)


class _Again(NamedTuple):
    """What there is before a statement runs that makes values anew."""

    before: dict[str, Any]  # what its names hold
    untouched: dict[str, bool]  # whether that is as it was made
    given: dict[str, Any]
    continues: dict[str, Pair]
    makers: list[types.FunctionType]
    known: list[type]
    contents: Contents
    moved_here: list[tuple[types.CodeType, ...]]  # the codes of functions that stood elsewhere


def _before_it_runs(runner: Runner, pair: Pair, before: dict[str, Any]) -> _Again:
    statement = pair.statement
    derived = is_derived(statement, runner.scope.namespace)
    untouched = {name: derived or _is_untouched(runner, name, pair) for name in before if name not in runner.building}
    moved_here = list(codes_continued(runner, pair))
    given = _defined_before(runner, statement)
    if given and not only_binds(statement):
        runner.run.before_call()
        runner.guard_named(statement)
    continues, makers, known = _classes_in(runner, pair), _makers_in(runner, pair), _classes_like(before.values())
    contents = Contents()
    if continues or makers or known:
        runner.run.before_call()  # containers that wait for their new contents have them now
        held = registrars_of(statement.node, None, runner.scope.names)
        contents = runner.run.registrations.contents((), held)
    return _Again(before, untouched, given, continues, makers, known, contents, moved_here)


def _made_anew(runner: Runner, pair: Pair, again: _Again) -> tuple[dict[str, Any], tuple[types.CodeType, ...]]:
    """What the statement makes, run in the module or aside, and its code objects."""
    statement = pair.statement
    alone = _bound_only_by(runner, pair)
    if lists_names(statement) and builds_purely([statement], runner.scope.namespace):
        return _run_as_placed(runner, statement)
    binds_aside = only_binds(statement) and not alone & statement.reads and not _binds_globally(statement)
    if not (again.given or binds_aside):
        return _run_live(runner, pair, again.before, alone)
    made, roots = runner.aside([statement.located()], again.given, pair)
    _lose_unbound(runner, pair, alone - made.keys())
    return made, roots


def _take_value(
    runner: Runner, pair: Pair, again: _Again, name: str, value: Any, roots: tuple[types.CodeType, ...]
) -> None:
    """`name` holds what the statement has just made for it, or the object that it held and that acts as that now."""
    statement, old = pair.statement, again.before.get(name, ABSENT)
    if statement.is_block and old is ABSENT:
        value = _arrived(runner, name, value)
    if name in again.continues and is_a(value, type):
        runner.scope.set(name, old)
        made_by = class_continued(runner, pair, name, value) or again.continues[name]
        its_codes = by_first([made_by.statement], roots).get(made_by.statement, ())
        adopt_class(runner, made_by, old, value, its_codes, again.contents)
    elif old is not ABSENT and _is_of_a_later_one(runner, statement, name):
        runner.scope.set(name, old)
    elif name in runner.building or name not in again.before:
        runner.scope.set(name, value)
    elif name in again.given and _wraps_as(runner, old, again.given[name], value):
        runner.scope.set(name, old)
        runner.work.record.grafted[runner.scope.label(name)] = None
    elif not _made_again(runner, pair, name, old, value, again.known):
        _settle(runner, name, old, value, pair, again.untouched.get(name, False))
    elif not adopt_made(runner, pair, name, old, value, again.contents):
        runner.rebind(name, old, value)


def _tell_of_kept(runner: Runner, statement: Statement) -> None:
    """A value that a function has made of what is kept is not what a fresh start would make."""
    called = [runner.scope.namespace.get(name) for name in sorted(statement.reads)] if runner.run.kept else []
    for function in called if statement.calls and statement.binds else ():
        if type(function) is types.FunctionType:
            home = function.__globals__.get("__name__")
            for name in function.__code__.co_names:
                if f"{home}.{name}" in runner.run.kept:
                    made = f"{runner.work.name}.{runner.labels(statement.binds)}"
                    runner.run.notes.append(f"{made} was made by `{function.__name__}` of `{name}`, which is kept")


def _classes_like(values: Iterable[Any]) -> list[type]:
    """The classes under the bases of those among `values`: one that a call gives is new if it is not among these."""
    bases: dict[int, type] = {id(base): base for one in values if is_a(one, type) for base in one.__bases__}
    known: list[type] = []
    for base in bases.values():
        known += type.__subclasses__(base)
    return known


def _made_again(runner: Runner, pair: Pair, name: str, old: Any, new: Any, known: Sequence[type]) -> bool:
    """Whether a class that a call made, such as `namedtuple`, has been made again by it."""
    if not (is_a(old, type) and is_a(new, type)) or any(new is cls for cls in known):
        return False
    if _is_another_name(pair.old, name) or _is_another_name(pair.new, name) or not _was_bound(runner, pair, name):
        return False
    return bool(old.__flags__ & HEAP_TYPE) and not _is_defined_elsewhere(runner, name, old)


def _is_defined_elsewhere(runner: Runner, name: str, cls: type) -> bool:
    """Whether another name than this is the one that the class has itself."""
    if (cls.__module__, cls.__qualname__) == (runner.work.name, runner.scope.label(name)):
        return False
    module = sys.modules.get(cls.__module__)
    return module is not None and resolve(vars(module), cls.__qualname__.split(".")) is cls


def _arrived(runner: Runner, name: str, made: Any) -> Any:
    """What a block has defined that another module loses: the class that moves here, the function that the old one
    forwards to."""
    if not isinstance(runner.scope, ModuleScope) or not runner.run.moves.expected(name):
        return made
    runner.tx.flush()
    return runner.run.moves.arrive(runner.run, runner.work.loaded, name, made)


def _makers_in(runner: Runner, pair: Pair) -> list[types.FunctionType]:
    """The functions that a block made whose decorators register them: a loop made several of one."""
    if pair.old is None or not pair.old.is_block:
        return []
    decorated = [n.name for n in walk_scope(pair.old.node) if isinstance(n, FUNCTIONS) and n.decorator_list]
    codes = [code for code in runner.old_codes(pair) if code.co_name in decorated]
    return [function for functions in functions_running(codes).values() for function in functions]


def _register_what_lives(runner: Runner, made: Mapping[str, Any]) -> None:
    """What a block's decorators registered is what it made; the functions that go on stand there instead."""
    for name, value in made.items():
        lives = runner.scope.get(name)
        while type(value) is types.FunctionType and lives is not value and type(lives) is types.FunctionType:
            runner.run.registrations.replace(value, lives)
            value, lives = (one.__dict__.get("__wrapped__") for one in (value, lives))


def _is_of_a_later_one(runner: Runner, statement: Statement, name: str) -> bool:
    """Whether the name is that of a definition below which nobody edited; or it is only the variable of a loop, which a
    statement below binds again, or of such a loop."""
    last = runner.last.get(name)
    if last is not None and last.new is not statement and not last.edited:
        if last.statement.is_loop:
            return name not in last.statement.values
        if defines(last.statement):
            return True
    if not isinstance(statement.node, (ast.For, ast.AsyncFor)) or name in statement.values:
        return False
    below = itertools.dropwhile(lambda pair: pair.new is not statement, runner.siblings)
    return any(pair.new is not None and pair.new is not statement and name in pair.new.binds for pair in below)


def _classes_in(runner: Runner, pair: Pair) -> dict[str, Pair]:
    """Classes that live and whose statement stands in this block now, with their statements."""
    nodes = walk_scope(pair.statement.node) if pair.statement.is_block else ()
    names = [node.name for node in nodes if isinstance(node, ast.ClassDef)]
    if names:
        runner.tx.undo(leave_classes)
    found = {name: class_continued(runner, pair, name) for name in names}
    return {name: pair for name, pair in found.items() if pair is not None}


def _delete(runner: Runner, statement: Statement) -> None:
    for name in sorted(statement.deletes):
        old = runner.scope.get(name)
        if old is ABSENT and _stays_unbound(runner, statement, name):
            continue
        if old is ABSENT:
            raise NameError(f"name {name!r} is not defined", name=name)
        if name in runner.building:
            runner.work.passed[runner.scope.key(name)] = old
            runner.scope.delete(name)
        else:
            runner.lose(name, old)
    runner.work.record.ran[statement.name] = None


def _stays_unbound(runner: Runner, statement: Statement, name: str) -> bool:
    """Whether a `del` that nobody edited took the name away before: of the block that binds it only what was edited
    ran."""
    is_edited = any(pair.edited and pair.new is statement for pair in runner.siblings)
    binders = (one for one in runner.new_groups.builders.get(name, ()) if name in one.binds)
    return not is_edited and any(one.is_block for one in binders)


def _defined_before(runner: Runner, statement: Statement) -> dict[str, Any]:
    """For `f = decorate(f)`: the function that the definition above made, which the name no longer leads to."""
    given: dict[str, Any] = {}
    for name, maker in makers(runner, statement):
        runner.swap_roots(maker)
        function = inner_function(runner, Pair("changed", maker.old or maker.new, maker.new))
        if function is not None:
            given[name] = function
    for name in _read_from_outside(runner, statement):
        value = getattr(builtins, name, ABSENT)
        if value is not ABSENT:
            given[name] = value
    return given


def _read_from_outside(runner: Runner, statement: Statement) -> Iterator[str]:
    """Names that `statement` reads from around its scope and binds in it: `print = loud(print)`."""
    if runner.in_block or statement.is_block or isinstance(runner.scope, ClassScope):
        return  # a class body finds only what is bound above
    for name in statement.binds & statement.reads:
        others = (pair.new for pair in runner.siblings if pair.new is not None and pair.new is not statement)
        if not isinstance(statement.node, ast.AugAssign) and not any(name in other.binds for other in others):
            yield name


def _wraps_as(runner: Runner, old: Any, function: types.FunctionType, new: Any) -> bool:
    """Make what `f = decorate(f)` gave before act as what it gives now."""
    wraps = any(inner is function for inner in functions_in(old, runner.work.name))
    return wraps and old is not function and become(runner.tx, old, new)


def makers(runner: Runner, statement: Statement) -> Iterator[tuple[str, Pair]]:
    """Names that `statement` reads and binds, with the function definition that bound each before it."""
    for name in statement.binds & statement.reads:
        above = itertools.takewhile(lambda pair: pair.new is not statement, runner.siblings)
        makers = [pair for pair in above if pair.new is not None and name in pair.new.binds]
        if makers and makers[-1].statement.is_def:
            yield name, makers[-1]


def _binds_globally(statement: Statement) -> bool:
    """Whether it binds a name that a function in it declares `global`: compiled together, both store past the names
    that are given to run it with (Python/symtable.c, symtable_add_def_helper)."""
    return statement.is_block and any(
        isinstance(node, ast.Global) and not statement.binds.isdisjoint(node.names) for node in ast.walk(statement.node)
    )


def _run_live(
    runner: Runner, pair: Pair, before: Mapping[str, Any], alone: frozenset[str]
) -> tuple[dict[str, Any], tuple[types.CodeType, ...]]:
    """Run it where the module's top level ran; what it bound is then settled as if it had been prepared aside."""
    assert pair.new is not None
    runner.run.before_call()
    if pair.statement.is_block:
        forget_hooks_of(runner.work.name, runner.old_codes(pair))
    runner.guard_named(pair.new)
    guard_targets(runner, pair.new)
    if isinstance(runner.scope, ClassScope) and alone:
        code = runner.scope.compile([pair.new.located()])
        bound = runner.scope.run_aside(code, {}, pair.new)
        _lose_unbound(runner, pair, alone - bound.keys())
        return bound, tuple(nested_codes(code))
    watched = Watched(alone, runner.scope.namespace)
    node = watched.rewritten(pair.new.located()) if watched.names else pair.new.located()
    code = watched.linked(runner.scope.compile([node]))
    held = dict(runner.scope.namespace) if _may_bind_unseen(runner, pair.new) else {}
    runner.scope.run(code, pair.new)
    for name in held.keys() - pair.new.binds:
        if runner.scope.namespace.get(name, ABSENT) is not held[name]:
            runner.changes.value_changed(runner.scope.key(name), held[name])
    made = {}
    for name in [*before, *(watched.names - before.keys())]:
        value = runner.scope.get(name)
        if value is not ABSENT and (name not in watched.names or name in watched.bound):
            made[name] = value
    _lose_unbound(runner, pair, watched.names - watched.bound)
    return made, tuple(nested_codes(code))


def _may_bind_unseen(runner: Runner, statement: Statement) -> bool:
    """Whether it has the module's names as a dict: `globals().update(...)`."""
    return isinstance(runner.scope, ModuleScope) and not statement.reads.isdisjoint(LISTERS)


def _run_as_placed(runner: Runner, statement: Statement) -> tuple[dict[str, Any], tuple[types.CodeType, ...]]:
    """What it makes of the names that are bound above it."""
    runner.order_names()
    runner.run.before_call()
    below = _bound_below(runner, [p.new for p in runner.siblings if p.new is not None], statement, starred)
    namespace = {name: value for name, value in runner.scope.namespace.items() if name not in below}
    code = runner.scope.compile([statement.located()])
    exec(code, namespace)
    made = {name: namespace[name] for name in statement.binds}
    live = runner.scope.namespace
    return {n: live if value is namespace else value for n, value in made.items()}, tuple(nested_codes(code))


def _bound_below(
    runner: Runner,
    statements: Sequence[Statement],
    at: Statement,
    brought: Callable[[Runner, Statement], frozenset[str]],
) -> frozenset[str]:
    """Names that only statements below `at` bind; none where it does not ask for all names, or stands in a block. Star
    imports above it have `brought` theirs."""
    if not lists_names(at) or runner.in_block or not isinstance(runner.scope, ModuleScope):
        return frozenset()
    starred_above = (brought(runner, one) for one in statements if "*" in one.binds and one.first < at.first)
    below = names_around(sorted(statements, key=lambda one: one.first), at)[1]
    return below.difference(at.binds, *starred_above)


def _lose_unbound(runner: Runner, pair: Pair, names: Collection[str]) -> None:
    """Names that the old text bound, and the block that alone binds them now did not bind this time."""
    for name in sorted(names):
        value = runner.scope.get(name)
        if value is not ABSENT and _was_bound(runner, pair, name):
            runner.lose(name, value)


def _was_bound(runner: Runner, pair: Pair, name: str) -> bool:
    """Whether the statement's old version bound the name; of a block, whether another statement did, which stands in
    it now."""
    if pair.old is not None and name in pair.old.binds:
        return True
    others = (other.old for other in runner.siblings if other.old is not None) if pair.statement.is_block else ()
    return any(name in other.binds for other in others)


def _bound_only_by(runner: Runner, pair: Pair) -> frozenset[str]:
    """Names that a block binds, in either version, and no other statement of its module or class."""
    if not pair.statement.is_block:
        return frozenset()
    others = (p.new for p in runner.siblings if p.new is not None and p.new is not pair.new)
    within = {n.target.id for n in ast.walk(pair.statement.node) if isinstance(n, ast.NamedExpr)}
    within |= {n.name for n in ast.walk(pair.statement.node) if isinstance(n, ast.ExceptHandler) and n.name}
    old = pair.old.binds if pair.old is not None else frozenset()
    return (old | pair.statement.binds).difference(within, runner.bound_beside, *(other.binds for other in others))


def _settle(runner: Runner, name: str, old: Any, new: Any, pair: Pair, untouched: bool) -> None:
    """Bind `name` to its new value, keeping the identity of the old one where it can act as the new."""
    if (
        old is not ABSENT
        and _was_bound(runner, pair, name)
        and not (is_container(new) and old is not new and _is_another_name(pair.new, name))
    ):
        if settle_value(runner, name, old, new, untouched):
            return
        if is_container(old) and _gave_the_same(runner, name, pair, new):
            runner.scope.set(name, old)  # `dict()` for `{}` is no way to say "start again"
            return
        before = copy.copy(old) if is_kind(old, _PARTIAL) else None
        if _acts_as(runner, pair, name, old, new):
            runner.scope.set(name, old)
            runner.work.record.grafted[runner.scope.label(name)] = None
            if before is not None:
                runner.changes.value_changed(runner.scope.key(name), runner.changes.turned(old, before))
            if callable(old):
                runner.changes.code_changed(runner.scope.key(name), old, True)
            return
    runner.rebind(name, old, new)


def _gave_the_same(runner: Runner, name: str, pair: Pair, new: Any) -> bool:
    """Whether the old source of a container gives what the new one gives."""
    if pair.old is None or pair.kind != "changed":
        return False
    given = rebuilt(runner.scope, runner.old_groups.of(pair.old).statements, name, values_before(runner))
    return given is not ABSENT and same_value(given, new)


def settle_value(runner: Runner, name: str, old: Any, new: Any, untouched: bool) -> bool:
    """An equal value changes nothing; an untouched container is filled anew in place."""
    if same_value(old, new):
        runner.scope.set(name, old)
        was = before_in_place(old, runner.changes.in_place)
        if was is not old:
            runner.changes.value_changed(runner.scope.key(name), was)
        return True
    if not (is_container(old) and type(new) is type(old) and untouched):
        return False
    runner.changes.value_changed(runner.scope.key(name), runner.changes.fill(old, new))
    runner.tx.later(lambda: runner.tx.set_contents(old, new))
    runner.scope.set(name, old)
    runner.work.record.rebound[runner.scope.label(name)] = None
    return True


def _acts_as(runner: Runner, pair: Pair, name: str, old: Any, new: Any) -> bool:
    """Whether what the name held acts as its new value from now on. What another statement made stays what it is."""
    if _is_another_name(pair.old, name):
        return False
    if is_wrapper(old) and (_is_another_name(pair.new, name) or _has_another_name(runner, pair, new)):
        become(runner.tx, old, new)  # for who holds it; the name is one more of the other object
        return False
    if is_a(old, types.FunctionType):
        if pair.statement.is_loop:
            return False  # it is the last of several that one piece of code made, and has stored elsewhere
        ours = old.__globals__ is runner.scope.namespace or old.__module__ == runner.work.name
        if ours and is_a(new, types.FunctionType) and new.__globals__ is not old.__globals__ and has_name(new):
            become(runner.tx, old, new)  # for who holds it; the name is that of another module's function now
            return False
        if ours and is_a(new, types.FunctionType) and old.__name__ == new.__name__:
            return become(runner.tx, old, new)
        if not made_here(runner, pair, old):
            return False
        if is_a(new, types.FunctionType) and any(new.__code__ is code for code in runner.roots.get(pair.statement, ())):
            return become(runner.tx, old, new)
        if callable(new):
            forward(runner.tx, old, new)
        return False
    if is_a(old, type) or is_a(new, type):
        return False
    return not is_a(old, (types.MethodType,)) and become(runner.tx, old, new) if is_wrapper(old) else False


def _has_another_name(runner: Runner, pair: Pair, value: Any) -> bool:
    """Whether a statement around it binds the value too."""
    names = runner.scope.namespace.items()
    return any(held is value and name not in pair.statement.binds for name, held in names)


def _is_another_name(statement: Statement | None, name: str) -> bool:
    """Whether a statement gives an object that has a name already one more, which is `name`."""
    node = statement.node if statement is not None else None
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return True
    return isinstance(node, (ast.Assign, ast.AnnAssign)) and _only_finds(_written_for(node, name))


def _only_finds(node: ast.expr | None) -> bool:
    """Whether an expression gives what is there: a name, an attribute, an item, or one of two."""
    if isinstance(node, ast.IfExp):
        return _only_finds(node.body) and _only_finds(node.orelse)
    return node is not None and bool(root_name(node))


def _written_for(node: ast.Assign | ast.AnnAssign, name: str) -> ast.expr | None:
    """The expression that `name` gets its value from: of `a, (b, c) = x, (y, z)` its own."""
    target: ast.expr = node.targets[0] if isinstance(node, ast.Assign) else node.target
    value = node.value
    while isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        pairs = zip(target.elts, value.elts, strict=True)
        mine = ((one, its) for one, its in pairs if any(getattr(n, "id", "") == name for n in ast.walk(one)))
        target, value = next(mine, (target.elts[0], None))
    return value


def values_before(runner: Runner, below: Collection[str] = (), order: Sequence[str] = ()) -> Before:
    """`below`: names that were not bound yet where a statement stood."""
    helpers = runner.work.helpers
    before = {name: runner.causes.imported_before(one) for name, one in helpers.items()}
    held = collections.ChainMap(before, runner.scope.namespace) if before else runner.scope.namespace
    return Before(held, runner.work.name, runner.changes.values, below, order)


def _is_untouched(runner: Runner, name: str, pair: Pair) -> bool:
    """Whether the value is still what the old source gave."""
    return is_as_made(runner, name, runner.old_groups.of(pair.old).statements if pair.old is not None else ())


def is_as_made(runner: Runner, name: str, statements: Sequence[Statement]) -> bool:
    current = runner.scope.get(name)
    if current is ABSENT:
        return _may_be_unbound(runner, name, statements)
    if name in runner.as_made or (statements and all(one in runner.work.ran_at for one in statements)):
        return True  # in this very reload
    made = runner.work.loaded.made.get(runner.scope.prefix + runner.scope.mangled(name), ABSENT)
    if made is current or (made is not ABSENT and not is_container(current) and same_value(made, current)):
        return True
    befores = [values_before(runner)]
    if len(statements) == 1 and lists_names(statements[0]):
        olds = {pair.old: pair.new for pair in runner.siblings if pair.old is not None}
        stood = next((old for old, new in olds.items() if new is statements[0]), statements[0])
        below = _bound_below(runner, list(olds), stood, starred_before)
        order = names_in_order(sorted(olds, key=lambda one: one.first))
        befores = [values_before(runner, below), values_before(runner, below, order)]  # what goes now stands last
    givens = (rebuilt(runner.scope, statements, name, before) for before in befores)
    known = runner.changes.in_place, runner.changes.purged
    return any(given is not ABSENT and same_value(given, current, *known) for given in givens)


def leave_as_looped(runner: Runner, pair: Pair, names: Iterable[str]) -> None:
    """Names that a loop which nobody edited is the last to bind now: what it left in them, where that can be found out
    without running it."""
    loop, held = pair.statement, {**runner.scope.namespace, **runner.scope.pending}
    now = Before({key: value for key, value in held.items() if value is not ABSENT}, runner.work.name, Past())
    group = [_with_defaults_alone(one) for one in runner.new_groups.of(loop).statements]
    defined = {node.name for node in walk_scope(loop.node) if isinstance(node, FUNCTIONS)}
    for name in names:
        left = rebuilt(runner.scope, group, name, now)
        if name in defined and left is not ABSENT:
            left = _function_left(runner, pair, name, left)
        if left is ABSENT:
            label = f"{runner.work.name}.{runner.scope.label(name)}"
            runner.run.notes.append(f"{label}: the loop that binds it last does not run again; it stays as it is")
        elif not same_value(runner.scope.get(name), left):
            runner.rebind(name, runner.scope.get(name), left)


def _with_defaults_alone(statement: Statement) -> Statement:
    """A loop that binds the defaults of each function which it defines, and does not make it."""
    if not statement.is_loop:
        return statement
    node = _Defaults().visit(copy.deepcopy(statement.node))
    return Statement(node, "", statement.first, statement.last)


class _Defaults(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        if node.decorator_list:
            return node
        parts = (node.args.defaults, [one for one in node.args.kw_defaults if one is not None])
        both = ast.Tuple([ast.Tuple(part, ast.Load()) for part in parts], ast.Load())
        return ast.fix_missing_locations(ast.copy_location(ast.Assign([ast.Name(node.name, ast.Store())], both), node))


def _function_left(runner: Runner, pair: Pair, name: str, defaults: Any) -> Any:
    """The function that lives of those that a loop has made under a name, which is told by its defaults."""
    both = (*runner.old_codes(pair), *runner.roots.get(pair.statement, ()))  # its lines may be about to change
    codes = [code for code in both if code.co_name == name]
    made = [one for functions in functions_running(codes).values() for one in functions]
    found = [one for one in made if same_value(defaults, _defaults_of(one))]
    return found[0] if len(found) == 1 else ABSENT


def _defaults_of(function: types.FunctionType) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return function.__defaults__ or (), tuple((function.__kwdefaults__ or {}).values())


def stands(runner: Runner, name: str, maker: Pair) -> bool:
    """Whether a name still holds what the old version of `maker` gave it, as far as that is a value."""
    if maker.old is None or defines(maker.old) or maker.old.is_block:
        return True
    return is_as_made(runner, name, runner.old_groups.of(maker.old).statements)


def _may_be_unbound(runner: Runner, name: str, statements: Sequence[Statement]) -> bool:
    """Whether its statements may have left a name unbound: by a `del`, or in the part of a block that did not run."""
    left = isinstance(runner.scope, ModuleScope) and name not in runner.work.loaded.made
    return any(name in one.deletes or (left and one.is_block) for one in statements)


def rebuilds(runner: Runner, pairs: Sequence[Pair]) -> tuple[set[Statement], dict[Statement, list[str]]]:
    """Statements that run because one that builds the same value was edited; and where each value is whole."""
    runner.siblings = pairs
    again: set[Statement] = set()
    last: dict[Statement, list[str]] = {}
    ran = [p.new for p in pairs if p.kind in ("changed", "added") and p.new is not None]
    ran += helpers_edited(runner, pairs)
    went = [p.old for p in pairs if p.kind in ("changed", "removed") and p.old is not None]
    if not ran and not went:
        return again, last
    olds, news = runner.old_groups, runner.new_groups
    edited = {name for s in ran for name in news.names(s)} | {name for s in went for name in olds.names(s)}
    for name in sorted(edited & olds.builders.keys() & news.builders.keys()):
        if name in runner.building:
            continue
        old, new = olds.of(olds.builders[name][0]), news.of(news.builders[name][0])
        names = old.names & new.names
        if len(old.statements) + len(new.statements) < 3 or name not in names:
            continue
        touched = sorted(each for each in names if not is_as_made(runner, each, old.statements))
        if touched:
            if not set(went).isdisjoint(old.statements):
                label = f"{runner.work.name}.{runner.labels(touched)}"
                runner.run.notes.append(f"{label}: only what was edited ran, on what is there; the rest of it stays")
            names, running = names & news.passing, [s for s in new.statements if news.is_helper(s)]
        else:
            running = list(new.statements)
        if running:
            again.update(running)
            names -= runner.building.keys()
            passing_anew(runner, names & news.passing)
            runner.building.update({each: runner.scope.get(each) for each in names})
            last.setdefault(running[-1], []).extend(sorted(names))
    for statement in ran:
        if statement not in again and not news.is_helper(statement):
            _run_helpers(runner, news, statement, again, last)
    return again, last


def _run_helpers(
    runner: Runner, news: Groups, statement: Statement, again: set[Statement], last: dict[Statement, list[str]]
) -> None:
    """What `statement` uses and a `del` below it takes away is made again for it, and taken away again."""
    helpers = news.helpers_of(statement)
    again.update(helpers)
    for name in sorted(news.passing & built_by(helpers)):
        if name not in runner.building:
            runner.building[name] = runner.scope.get(name)
            last.setdefault(news.builders[name][-1], []).append(name)


def passing_anew(runner: Runner, names: Iterable[str]) -> None:
    """Names that a `del` takes away again are about to be made: what definitions in between read is another value."""
    for name in names:
        runner.changes.passes(runner.scope.key(name))


@contextlib.contextmanager
def helped(runner: Runner, statement: Statement) -> Iterator[None]:
    """Around a run of `statement`, which nobody edited: what it uses and a `del` below it takes away is there again.

    Not what a side effect gave, which does not happen twice: that is there only if it was made in this reload."""
    groups, work = runner.new_groups, runner.work
    found = groups.helpers_of(statement) if not groups.passing.isdisjoint(statement.reads) else set()
    helpers = [one for one in groups.statements if one in found and not one.deletes] if found else []
    made = frozenset[str]().union(*(one.binds for one in helpers)) & groups.passing
    gone = frozenset(n for n in made if n not in runner.building and runner.scope.get(n) is ABSENT)
    given = {name for name in gone if runner.scope.key(name) in work.passed}
    lacking = _lacking(runner, helpers, gone - given)
    names = sorted(gone - lacking)
    runner.building.update(dict.fromkeys(names, ABSENT))
    for name in given - lacking:
        runner.scope.set(name, work.passed[runner.scope.key(name)])
    for helper in helpers:
        if not (built_names(helper) & gone) <= given | lacking:
            run_value(runner, Pair("changed", helper, helper))
    before, work.away = work.away, work.away | lacking
    yield
    work.away = before
    for name in [name for name in names if name in runner.building]:
        runner.scope.delete(name)
        settle_built(runner, name)


def _lacking(runner: Runner, helpers: Sequence[Statement], gone: frozenset[str]) -> frozenset[str]:
    """Those of the names that are `gone` that cannot be made again without a side effect."""
    lacking: set[str] = set()
    known = -1
    while known < len(lacking):
        known = len(lacking)
        for helper in helpers:
            asked = helper.fact("asks for", names_asked_for)
            if not (lacking.isdisjoint(asked) and _is_harmless(runner, helper)):
                lacking |= built_names(helper) & gone
    return frozenset(lacking)


def _is_harmless(runner: Runner, helper: Statement) -> bool:
    """Whether running it does nothing but to bind names."""
    node: Any = helper.node
    if defines(helper) and not (helper.calls or (helper.is_class and (node.bases or node.keywords))):
        return True  # a class without bases tells none of itself
    return builds_purely([helper], runner.scope.namespace)


def helpers_edited(runner: Runner, pairs: Sequence[Pair]) -> list[Statement]:
    """Functions of which only the body was edited and whose name was deleted, so that nobody finds them by it: what
    they helped to make is made again."""
    if ("\ndel " if runner.scope.owner is None else " del ") not in runner.work.text.text:
        return []
    bodies = [p.new for p in pairs if p.kind == "bodies" and p.new is not None and p.new.is_def]
    return [statement for statement in bodies if runner.new_groups.is_helper(statement)]


def finish_building(runner: Runner, statement: Statement, last: Mapping[Statement, list[str]]) -> None:
    for name in last.get(statement, ()):
        settle_built(runner, name)


def settle_built(runner: Runner, name: str) -> None:
    """All statements that build the value have run."""
    old, new = runner.building.pop(name), runner.scope.get(name)
    if new is ABSENT:
        if old is not ABSENT:
            runner.lose(name, old)
    elif not settle_value(runner, name, old, new, True):
        runner.rebind(name, old, new)


def annotate(runner: Runner, pair: Pair) -> None:
    """What the annotation gives is another value now, or it came or went; what the name holds stays."""
    assert pair.new is not None
    graft_codes(runner, pair)
    node = pair.new.located()
    if not isinstance(node, ast.AnnAssign):
        return  # those that went go with the whole scope's
    alone = ast.AnnAssign(node.target, node.annotation, None, node.simple)
    runner.aside([ast.copy_location(alone, node)], {}, pair)


def lambda_edited(runner: Runner, pair: Pair) -> None:
    """Only a lambda inside a call was edited: what the call made of it follows if nobody touched it."""
    statement = pair.new
    assert statement is not None
    if not statement.binds or defines(statement) or not statement.calls:
        return
    if is_state(statement, runner.scope.namespace):
        runner.keep_state(statement, "its own lambda")
    elif (
        _called_in(pair.old) != _called_in(pair.new)  # its code is part of the value's own
        or is_derived(statement, runner.scope.namespace)
        or all(is_data(runner.scope.get(name)) and _is_untouched(runner, name, pair) for name in statement.binds)
    ):
        with runner.noted(statement):
            run_value(runner, Pair("changed", pair.old, pair.new))


def _called_in(statement: Statement | None) -> list[str]:
    """The lambdas that are called where they stand."""
    calls = [n for n in ast.walk(statement.node) if isinstance(n, ast.Call)] if statement is not None else []
    return [fingerprint(called) for call in calls for called in lambdas_called(call)]


def is_wrapper(value: Any) -> bool:
    if is_a(value, (operator.itemgetter, operator.attrgetter, operator.methodcaller)):
        return True
    kinds = (functools.partial, property, staticmethod, classmethod, functools.cached_property, functools.partialmethod)
    return is_a(value, kinds) or shown(value, "cache_parameters") is not None
