"""Functions whose definition runs again: defaults that stay, decorators, and what the old object becomes."""

from __future__ import annotations

import ast
import copy
import functools
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.asked import forget_hooks
from midflight.apply.codes import follow_copies, graft_pairs, hidden_function, tell_grafted
from midflight.apply.graft.classes import live_class
from midflight.apply.graft.copies import signature_of
from midflight.apply.graft.functions import graft_function, graft_signature, new_doc
from midflight.apply.graft.marks import forget_marks
from midflight.apply.graft.wrappers import become
from midflight.apply.holders import functions_in, functions_running, nested_codes, resolve
from midflight.apply.parsed import but, by_first
from midflight.apply.registrations import Contents, dispatch_table, registrar_objects, registrars
from midflight.apply.scopes import ModuleScope
from midflight.apply.signatures import read_signature
from midflight.apply.transaction import ABSENT, dict_of
from midflight.apply.values import is_container, is_data, same_value
from midflight.apply.variants import origin_of
from midflight.graph.homes import made_in
from midflight.graph.kinds import is_a, shown
from midflight.plan.diff import Pair
from midflight.plan.flow import decorator_names, dotted_reads, factory_names
from midflight.plan.nodes import FUNCTIONS, walk_scope
from midflight.plan.purity import only_binds
from midflight.plan.statements import PARTS, Statement, fingerprint, parameters

if TYPE_CHECKING:
    from midflight.apply.statements import Runner

Function = ast.FunctionDef | ast.AsyncFunctionDef
_UNDECORATED = "\x00undecorated"
_NOTHING = object()


def continued(runner: Runner, pair: Pair, around: Pair | None = None) -> Pair:
    """A definition that stood inside a block before, or stands inside one now: the one that lives goes on. `around` is
    a block that nobody edited and that runs again."""
    assert pair.new is not None
    name = pair.new.name
    going = [(old, runner.work.old.text.lines) for old in runner.going]
    if around is not None and around.new is not None:
        going.append((around.new, runner.work.text.lines))
    there = [(old, inner) for old, lines in going for inner in _definitions(runner, old, name, lines)]
    live = runner.scope.get(name)
    for old, inner in sorted(there, key=lambda found: _less_likely(live, found[1])) if len(there) > 1 else there:
        found = Pair("changed", inner, pair.new)
        if inner not in runner.old_roots:
            runner.old_roots = but(runner.old_roots, inner, _codes_inside(runner, old, inner))
        if _lives(runner, found):
            return found
    return pair


def class_continued(runner: Runner, pair: Pair, name: str, made: Any = None) -> Pair | None:
    """The class statement in a block that runs as a whole, with the one that made the class that the name holds. Of
    several, one in each branch, it is that of `made`."""
    assert pair.new is not None
    there = list(_definitions(runner, pair.new, name, runner.work.text.lines))
    for new in sorted(there, key=lambda one: _less_likely(made, one)):
        found = continued(runner, Pair("added", None, new), pair if pair.old is pair.new else None)
        if new.is_class and found.old is not None:
            return found
    return None


def _less_likely(cls: Any, statement: Statement) -> tuple[bool, int]:
    """Of several class statements under one name the least is the one that made `cls`: it is known by its own first
    line, which it has from 3.13 on, or by those of the functions in its body, else by what it holds."""
    if not (is_a(cls, type) and statement.is_class):
        return True, 0
    at = any(statement.first <= line <= statement.last for line in _lines_of(cls))
    return not at, sum(-1 if _holds(cls, member) else 1 for member in statement.members if member.binds)


def _holds(cls: type, member: Statement) -> bool:
    """Whether a class has the names that a statement of a body binds, with the value that is written there."""
    node = getattr(member.node, "value", None)
    held = [vars(cls).get(name, _NOTHING) for name in member.binds]
    if isinstance(node, ast.Constant):
        return all(type(one) is type(node.value) and one == node.value for one in held)  # asks no code of the program
    return not any(one is _NOTHING for one in held)


def _lines_of(cls: type) -> list[int]:
    if "__firstlineno__" in vars(cls):
        return [vars(cls)["__firstlineno__"]]
    functions = (one for value in list(vars(cls).values()) for one in functions_in(value, cls.__module__))
    codes = (origin_of(function.__code__) for function in functions)
    return [code.co_firstlineno for code in codes if code.co_qualname == f"{cls.__qualname__}.{code.co_name}"]


def codes_continued(runner: Runner, pair: Pair) -> Iterator[tuple[types.CodeType, ...]]:
    """The code objects of functions that stand in this block now and stood elsewhere: what they have made goes on."""
    block = pair.statement
    had = pair.old.binds if pair.old is not None else frozenset()
    nodes = walk_scope(block.node) if block.is_block else ()
    for name in {node.name for node in nodes if isinstance(node, FUNCTIONS)} - had:
        for new in _definitions(runner, block, name, runner.work.text.lines):
            if new.is_def:
                yield runner.old_codes(continued(runner, Pair("added", None, new)))


def _codes_inside(runner: Runner, block: Statement, inner: Statement) -> tuple[types.CodeType, ...]:
    """The code objects that a definition in a block had."""
    if isinstance(runner.scope, ModuleScope):
        return runner.work.old.roots.get(inner, ())
    return by_first([inner], runner.old_roots.get(block, ())).get(inner, ())


def _definitions(runner: Runner, statement: Statement, name: str, lines: Sequence[str]) -> Iterator[Statement]:
    if statement.is_def or statement.is_class:
        if statement.name == name:
            yield statement
    elif statement.is_block and name in statement.binds:
        for part in PARTS:
            for inner in runner.parts(statement, lines, part):
                yield from _definitions(runner, inner, name, lines)


def _lives(runner: Runner, pair: Pair) -> bool:
    """Whether the process holds what the old version of a definition made, and the new one is of its kind."""
    assert pair.old is not None and pair.new is not None
    if pair.new.is_class:
        return pair.old.is_class and live_class(runner, pair, runner.scope.get(pair.new.name)) is not None
    if runner.scope.get(pair.new.name) is ABSENT and runner.run.moves.expected(pair.new.name):
        return False  # it had gone, and what others still hold of it arrives
    return pair.old.is_def and inner_function(runner, pair) is not None


def run_function(runner: Runner, pair: Pair, causes: Sequence[str]) -> None:
    assert pair.new is not None
    node = pair.new.node
    assert isinstance(node, FUNCTIONS)
    old_node = pair.old.node if pair.old is not None else None
    inner = inner_function(runner, pair) if old_node is not None else None
    if inner is not None and not causes and (pair.new.calls or runner.causes.methods_used(pair.new)):
        causes = _causes_of_defaults(runner, pair.new)
    redecorate = (
        inner is None
        or not isinstance(old_node, FUNCTIONS)
        or list(map(ast.dump, old_node.decorator_list)) != list(map(ast.dump, node.decorator_list))
        or bool(decorator_names(node) & {cause.split(".")[0] for cause in causes})
        or _implements_another(old_node, node)
        or bool(_stale_decorators(runner, pair.new))
        or not _runs_its_source(runner, pair, inner)
        or read_signature(node.decorator_list, runner.scope.names)
    )
    if redecorate:
        _run_decorated(runner, pair, node, inner, causes)
    else:
        assert inner is not None
        _run_header(runner, pair, inner, causes)


def _causes_of_defaults(runner: Runner, statement: Statement) -> list[str]:
    """Why defaults of an edited function that are what they were give other values now: what they call was edited."""
    runner.changes.touch()
    names = decorator_names(statement.node)
    causes = runner.causes.of(runner.work, statement, runner.scope.prefix)
    return [cause for cause in causes if cause.split(".")[0] not in names]


def _implements_another(old: Function, new: Function) -> bool:
    """Whether `@generic.register` reads another type now from the first annotation (functools.singledispatch)."""
    if not any(isinstance(d, ast.Attribute) and d.attr == "register" for d in new.decorator_list):
        return False
    return _first_annotation(old) != _first_annotation(new)


def _first_annotation(node: Function) -> str:
    annotations = (*(parameter.annotation for parameter in parameters(node.args)), node.returns)
    return next((fingerprint(one) for one in annotations if one is not None), "")


def _run_header(runner: Runner, pair: Pair, inner: types.FunctionType, causes: Sequence[str]) -> None:
    """The signature was edited, the decorators were not: they do not run again, nor do defaults that stayed."""
    assert pair.new is not None
    located = pair.new.located()
    node, given = _with_kept_defaults(runner, located, pair, inner, causes)
    if any(isinstance(child, ast.Call) for part in (node.args, node.returns) if part for child in ast.walk(part)):
        runner.run.before_call()
        runner.guard_named(pair.new)
        tell_of_old_answers(runner, pair.new)
    # Decorators that do nothing in the places of the real ones: they are part of a function's line table.
    node.decorator_list = [ast.copy_location(ast.Name(_UNDECORATED, ast.Load()), d) for d in node.decorator_list]
    made, roots = runner.aside([node], {**given, _UNDECORATED: _undecorated}, pair)
    function = made[node.name]
    function.__doc__ = new_doc(inner, function.__code__)
    roots += _codes_of_kept(runner, pair.new, given)
    runner.roots[pair.new] = roots
    also = functools.partial(_graft_twin, runner, inner, function, (inner.__defaults__, inner.__kwdefaults__))
    graft_pairs(runner, pair, runner.old_codes(pair), roots, skip=inner, also=also)
    facts = {n: (getattr(inner, n), getattr(function, n)) for n in ("__doc__", "__annotations__")}
    follow_copies(runner, pair, inner, {**facts, "__signature__": (signature_of(inner), signature_of(function))})
    runner.tx.later(lambda: graft_function(runner.tx, inner, function, runner.run.search.fits))
    tell_grafted(runner, runner.scope.label(node.name), inner, inner.__code__, function.__code__)
    if not same_value((inner.__defaults__, inner.__kwdefaults__), (function.__defaults__, function.__kwdefaults__)):
        runner.changes.code_changed(runner.scope.key(node.name), inner, True)  # it may answer otherwise
        for name in ("__defaults__", "__kwdefaults__"):
            if not same_value(getattr(inner, name), getattr(function, name)):
                runner.changes.value_changed(runner.scope.key(f"{node.name}.{name}"), getattr(inner, name))


def tell_of_old_answers(runner: Runner, statement: Statement) -> None:
    """What a cache holds cannot be put back after a rollback, so it still answers while statements run."""
    for name in sorted(statement.reads) if statement.calls else ():
        if runner.changes.holds_old_answers(runner.scope.namespace.get(name)):
            made = runner.labels(statement.binds) or statement.name
            runner.run.notes.append(f"{runner.work.name}.{made} may hold an answer that `{name}` had cached before")


def _graft_twin(
    runner: Runner,
    inner: types.FunctionType,
    made: types.FunctionType,
    defaults: tuple[Any, Any],
    twin: types.FunctionType,
) -> None:
    """Another function that runs the same code, such as a wrapper that acts as it since its decorator went."""
    if origin_of(twin.__code__) is origin_of(inner.__code__) and (twin.__defaults__, twin.__kwdefaults__) == defaults:
        runner.tx.later(lambda: graft_signature(runner.tx, twin, made))


def _run_decorated(
    runner: Runner,
    pair: Pair,
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    inner: types.FunctionType | None,
    causes: Sequence[str],
    returns: bool = False,
) -> None:
    """`returns`: what the name holds is of a later definition that is gone."""
    assert pair.new is not None
    name = node.name
    current = runner.scope.get(name)
    located, given = _with_kept_defaults(runner, pair.new.located(), pair, inner, causes)
    if node.decorator_list or not only_binds(pair.new):
        runner.run.before_call()
    old_decorators = getattr(pair.old.node, "decorator_list", []) if pair.old is not None else []
    objects = registrar_objects([*old_decorators, *node.decorator_list], runner.scope.names)
    for each in objects:
        runner.run.registrations.guard_inside(each)
    held = registrars([*old_decorators, *node.decorator_list], runner.scope.names)
    before = runner.run.registrations.contents(objects, held) if node.decorator_list or old_decorators else Contents()
    forget_hooks(runner.work.name, runner.scope.prefix + name, runner.old_codes(pair))
    made, roots = _made_again(runner, pair, inner, before, lambda: runner.aside([located], given, pair))
    olds = [inner, *([current] if inner is not None and _is_made(runner, pair, current) else [])]
    for registrar in registrars(old_decorators, runner.scope.names):
        runner.run.notes += runner.run.registrations.moved_on(before, olds, name, registrar)
    if inner is not None and held:
        runner.run.notes += runner.run.registrations.named_again(before, runner.work.name, name, held)
    roots += _codes_of_kept(runner, pair.new, given)
    runner.roots[pair.new] = roots
    if returns and inner is not None:
        _settle_returned(runner, made.pop(name), inner, name, before)
    else:
        _settle_decorated(runner, pair, made.pop(name), inner, current, before)
    runner.in_source_order(before, pair.new, name)
    if inner is not None:
        # Last: what the name held may act as another function by now.
        graft_pairs(runner, pair, runner.old_codes(pair), roots, skip=inner)


def _made_again(
    runner: Runner,
    pair: Pair,
    inner: types.FunctionType | None,
    before: Contents,
    run: Callable[[], tuple[dict[str, Any], tuple[types.CodeType, ...]]],
) -> tuple[dict[str, Any], tuple[types.CodeType, ...]]:
    if not before:
        return run()
    gone = [(inner, inner.__name__, "")] if inner is not None else []
    (made, roots), again = runner.run.registrations.in_room(before, gone, runner.run.leaving(), run)
    if again and inner is not None:
        runner.run.registrations.in_order_of(before, inner, made[pair.statement.defined])
    return made, roots


def _settle_returned(runner: Runner, result: Any, inner: types.FunctionType, name: str, before: Contents) -> None:
    """The name is that of `inner` again, or of what its decorators have made around it now."""
    lives = inner if type(result) is types.FunctionType and become(runner.tx, inner, result) else result
    runner.run.notes += runner.run.registrations.settle(before, inner, result, lives, name)
    runner.rebind(name, runner.scope.get(name), lives)


def _settle_decorated(
    runner: Runner, pair: Pair, result: Any, inner: types.FunctionType | None, current: Any, before: Contents
) -> None:
    assert pair.new is not None
    name = pair.new.defined
    is_ours = inner is not None and _is_made(runner, pair, current)
    if not _is_last(runner, pair.new, name):
        runner.run.notes += runner.run.registrations.settle(before, inner, result, result, name)
        if current is ABSENT:
            runner.scope.set(name, result)  # for a later one of the same name that builds on it
        _replay_readers(runner, pair.new, name, result)
        return
    stored = dict(vars(current)) if type(current) is types.FunctionType else {}
    emptied = _is_emptied(current, result)
    if is_ours and current is not ABSENT and become(runner.tx, current, result):
        _tell_of_attributes(runner, name, stored, current)
        if emptied:
            runner.changes.made_empty(runner.scope.key(name), current)
        forget_marks(runner.tx, pair, runner.names_before(), runner.changes.unstored, current, result)
        runner.work.record.grafted[runner.scope.label(name)] = None
        runner.run.notes += runner.run.registrations.settle(before, current, result, current, name)
        for function in {id(inner): inner, id(current): current}.values():
            if type(function) is types.FunctionType:
                runner.changes.code_changed(runner.scope.key(name), function, True)
        return
    if inner is not None and inner is not current:
        become(runner.tx, inner, result if is_a(result, types.FunctionType) else _innermost(result, name))
    runner.run.notes += runner.run.registrations.settle(before, current if is_ours else inner, result, result, name)
    if current is not ABSENT and pair.old is not None and pair.old.is_def and not is_ours:
        runner.work.record.grafted[runner.scope.label(name)] = None
        return  # rebound since: the name keeps what it is bound to
    if current is ABSENT and isinstance(runner.scope, ModuleScope):
        lives = runner.run.moves.arrive(runner.run, runner.work.loaded, name, result)
        if lives is not result:
            runner.run.registrations.replace(result, lives)
            runner.changes.code_changed(runner.scope.key(name), lives, True)
        result = lives
    runner.tell_of_another(name, current, result)
    runner.scope.set(name, result)
    (runner.work.record.ran if current is ABSENT else runner.work.record.rebound)[runner.scope.label(name)] = None
    runner.changes.value_changed(runner.scope.key(name), current)


def _is_emptied(current: Any, result: Any) -> bool:
    """Whether an object that a decorator made held something in a container that its successor has empty: a group of
    commands, whose definitions come below."""
    if is_a(current, (type, types.FunctionType, types.ModuleType)) or type(current) is not type(result):
        return False
    held, made = dict_of(current) or {}, dict_of(result) or {}
    filled = [(name, one) for name, one in list(held.items()) if is_container(one) and one]
    return any(type(now := made.get(name)) is type(one) and not now for name, one in filled)


def _tell_of_attributes(runner: Runner, name: str, before: Mapping[str, Any], function: Any) -> None:
    """Data that a decorator stores on a function, such as a help text, for whoever has read it there."""
    held = vars(function) if type(function) is types.FunctionType else {}
    for attribute in before.keys() | held.keys():
        old, new = before.get(attribute, ABSENT), held.get(attribute, ABSENT)
        if (is_data(old) or is_data(new)) and not same_value(old, new):
            runner.changes.value_changed(runner.scope.key(f"{name}.{attribute}"), old)


def _with_kept_defaults(
    runner: Runner, located: ast.stmt, pair: Pair, inner: types.FunctionType | None, causes: Sequence[str]
) -> tuple[Any, dict[str, Any]]:
    """`located` with the defaults that were not edited replaced by the objects that live."""
    node = _with_own_arguments(located)
    given: dict[str, Any] = {}
    if inner is None or pair.old is None or not is_a(pair.old.node, FUNCTIONS):
        return node, given
    held = _defaults_by_name(pair.old.node, inner)
    assert pair.new is not None
    flowed = runner.causes.values_of(runner.work, pair.new, runner.scope.prefix)
    changed = {cause.split(".")[0] for cause in (*causes, *flowed)}
    for name, default, replace in _default_slots(node):
        if name in held and held[name][0] == ast.dump(default):
            if not changed & {n.id for n in ast.walk(default) if isinstance(n, ast.Name)}:
                place = f"\x00default {name}"
                given[place] = held[name][1]
                replace(ast.copy_location(ast.Name(place, ast.Load()), default))
    return node, given


def _with_own_arguments(located: ast.stmt) -> Any:
    """A copy of a definition whose defaults can be replaced; all else of it is shared."""
    node: Any = copy.copy(located)
    node.args = copy.copy(node.args)
    node.args.defaults, node.args.kw_defaults = [*node.args.defaults], [*node.args.kw_defaults]
    return node


def _codes_of_kept(runner: Runner, statement: Statement, given: Mapping[str, Any]) -> tuple[types.CodeType, ...]:
    """Code of the lambdas that stand in a header and live on as defaults: they may have moved."""
    if not any(type(value) is types.FunctionType for value in given.values()):
        return ()
    codes = nested_codes(runner.scope.compile([statement.located()]))
    return tuple(code for code in codes if code.co_name == "<lambda>")


def inner_function(runner: Runner, pair: Pair) -> types.FunctionType | None:
    """The function that the old version of a def made, wherever it is now."""
    assert pair.old is not None
    if not is_a(pair.old.node, FUNCTIONS):
        value = runner.scope.get(pair.statement.defined)
        return value if made_here(runner, pair, value) else None  # a lambda bound to the name
    name = pair.old.defined
    roots = [code for code in _function_codes(runner.old_codes(pair)) if code.co_name == name]
    wanted = {id(code) for code in roots}
    for function in functions_in(runner.scope.get(name), runner.work.name):
        if id(origin_of(function.__code__)) in wanted:
            return function
    hidden = (hidden_function(runner, code) for code in roots)
    return next((function for function in hidden if function is not None), None) or _made_of_source(runner, pair)


def _made_of_source(runner: Runner, pair: Pair) -> types.FunctionType | None:
    """The function that the name leads to where a decorator or a rewriter has compiled it anew from its source."""
    assert pair.old is not None
    name, place = pair.old.defined, runner.work.loaded
    for function in functions_in(runner.scope.get(name), runner.work.name):
        code = function.__code__
        stands = code.co_filename == place.path and pair.old.first <= code.co_firstlineno <= pair.old.last
        if stands and code.co_name == name and function.__globals__ is place.namespace:
            return function
    return None


def _runs_its_source(runner: Runner, pair: Pair, function: types.FunctionType) -> bool:
    return any(origin_of(function.__code__) is code for code in _function_codes(runner.old_codes(pair)))


def made_here(runner: Runner, pair: Pair, value: Any) -> bool:
    """Whether `value` is a function whose code stands in the old version of the statement."""
    return type(value) is types.FunctionType and any(
        origin_of(value.__code__) is code for code in runner.old_codes(pair)
    )


def functions_of(runner: Runner, pair: Pair) -> list[types.FunctionType]:
    return [f for functions in functions_running(list(runner.old_codes(pair))).values() for f in functions]


def _is_made(runner: Runner, pair: Pair, current: Any) -> bool:
    """Whether a name still holds what its statement made: that, or a wrapper around it."""
    wanted = {id(code) for code in _function_codes(runner.old_codes(pair))}
    if any(id(origin_of(function.__code__)) in wanted for function in functions_in(current, runner.work.name)):
        return True
    if _made_of_source(runner, pair) is not None:
        return True
    return current is not ABSENT and not is_a(current, (types.FunctionType, type)) and callable(current)


def _is_last(runner: Runner, statement: Statement, name: str) -> bool:
    """Whether no later statement of the scope binds the name again (overloads, property setters)."""
    later = False
    for pair in runner.siblings:
        if pair.new is statement:
            later = True
        elif later and pair.new is not None and name in pair.new.binds and pair.new.is_def:
            return False
    return True


def _replay_readers(runner: Runner, statement: Statement, name: str, value: Any) -> None:
    """Later definitions of the same name that build on it (`@x.setter`) run on the new value."""
    later = False
    for pair in runner.siblings:
        if pair.new is statement:
            later = True
        elif later and pair.new is not None and name in pair.new.binds and name in pair.new.reads:
            made, roots = runner.aside([pair.new.located()], {name: value}, pair)
            runner.roots[pair.new] = roots
            value = made.get(name, value)
    current = runner.scope.get(name)
    if is_a(value, property) and is_a(current, property):
        become(runner.tx, current, value)
        runner.work.record.grafted[runner.scope.label(name)] = None


def drop_accessors(runner: Runner, pairs: Sequence[Pair]) -> None:
    """A setter or deleter that is gone: the property that the others of its name build on one another has had it from
    the first, and none of them takes it away."""
    gone = {one: pair for pair in pairs if pair.edited and pair.old is not None for one in _accessors(pair.old)}
    there = {one for pair in pairs if pair.new is not None and gone for one in _accessors(pair.new)}
    for (name, kind), pair in gone.items():
        held = runner.scope.get(name)
        if (name, kind) not in there and is_a(held, property) and _has_accessor(runner, pair, held, kind):
            parts = (held.fget, held.fset if kind != "setter" else None, held.fdel if kind != "deleter" else None)
            without = type(held)(*parts, held.__doc__)  # as Objects/descrobject.c copies one (property_copy)
            if not become(runner.tx, held, without):
                runner.rebind(name, held, without)
            runner.work.record.grafted[runner.scope.label(name)] = None


def _has_accessor(runner: Runner, pair: Pair, held: property, kind: str) -> bool:
    """Whether it is that of the definition that went, and not one that the property was made anew with."""
    accessor = held.fset if kind == "setter" else held.fdel
    its_codes = {id(code) for code in (*runner.old_codes(pair), *runner.roots.get(pair.statement, ()))}
    return pair.statement.is_def and any(
        id(origin_of(one.__code__)) in its_codes for one in functions_in(accessor, runner.work.name)
    )


def _accessors(statement: Statement) -> Iterator[tuple[str, str]]:
    """The name and the kind of a definition such as `@x.setter def x`."""
    for decorator in getattr(statement.node, "decorator_list", ()) if statement.is_def else ():
        if isinstance(decorator, ast.Attribute) and decorator.attr in ("setter", "deleter"):
            if isinstance(decorator.value, ast.Name) and decorator.value.id == statement.defined:
                yield statement.defined, decorator.attr


def bring_function_back(runner: Runner, pair: Pair) -> None:
    """A definition that nobody edited, whose name a later one had: that one is gone, or stands before it now."""
    assert pair.new is not None
    node = pair.new.node
    assert isinstance(node, FUNCTIONS)
    runner.swap_roots(pair)
    again = Pair("changed", pair.old, pair.new)
    function = inner_function(runner, again)
    current = runner.scope.get(node.name)
    if function is not None and node.decorator_list:
        _run_decorated(runner, again, node, function, (), returns=not _is_made(runner, again, current))
    elif function is None:
        _run_in_place_of(runner, pair, current)
    elif current is not function:
        if _is_ours(runner, current):
            become(runner.tx, current, function)
        runner.rebind(node.name, current, function)


def _run_in_place_of(runner: Runner, pair: Pair, current: Any) -> None:
    """Nobody held the function, so its definition runs; who holds the one that hid it gets the same."""
    assert pair.new is not None
    name = pair.new.name
    runner.run.before_call()
    runner.guard_named(pair.new)
    made, runner.roots[pair.new] = runner.aside([pair.new.located()], {}, pair)
    if _is_ours(runner, current) and become(runner.tx, current, made[name]):
        runner.work.record.grafted[runner.scope.label(name)] = None
    else:
        runner.rebind(name, current, made[name])


def _is_ours(runner: Runner, value: Any) -> bool:
    """Whether a statement of this module made it: what another one defines stays as it is."""
    return is_a(value, types.FunctionType) and made_in(value, runner.work.name)


def refresh_function(runner: Runner, pair: Pair, causes: Sequence[str]) -> None:
    assert pair.new is not None
    node = pair.new.node
    values = {c.split(".")[0] for c in causes}
    called = values & decorator_names(node)
    direct = _stale_decorators(runner, pair.new) & called
    if called and not direct and not (values - called):
        return
    source = Pair("changed", pair.old or pair.new, pair.new)
    keep = [c for c in causes if c.split(".")[0] not in called or c.split(".")[0] in direct]
    runner.swap_roots(pair)
    runner.run_edited(source, keep)


def _stale_decorators(runner: Runner, statement: Statement) -> set[str]:
    """Names in the decorators of a definition that hold something else now, or whose own code was edited."""
    flowed = {c.split(".")[0] for c in runner.causes.values_of(runner.work, statement, runner.scope.prefix)}
    factories = factory_names(statement.node)
    names = decorator_names(statement.node)
    # What a generic function does with an implementation has nothing to do with its own body.
    names -= {n for n in names if n not in flowed and dispatch_table(runner.scope.names.get(n)) is not None}
    return {name for name in names if name in flowed or decorator_edited(runner, statement, name, name in factories)}


def decorator_edited(runner: Runner, statement: Statement, name: str, factory: bool = False) -> bool:
    """Whether to decorate, for which `statement` uses `name`, is to run edited code, or with another value; functions
    inside the decorator are only grafted. Of a factory what it returns is the decorator."""
    if runner.scope.key(name) in runner.changes.values or (runner.work.name, name) in runner.changes.values:
        return True
    value = runner.scope.names.get(name)
    values = [value]
    if is_a(value, types.ModuleType):
        chains = (chain for chain in dotted_reads(statement) if chain[0] == name and len(chain) > 1)
        values = [resolve(runner.scope.names, chain) for chain in chains]
    if any(id(shown(one, "__self__", one)) in runner.changes.emptied for one in values):
        return True
    makers = [maker for one in values for maker in _run_to_decorate(one, factory)]
    return any(runner.causes.runs_edited(maker, factory) for maker in makers)


def _run_to_decorate(value: Any, factory: bool) -> list[Any]:
    """Of a class its `__init__`, and what an instance does when it is called only if it is called to decorate."""
    if not is_a(value, type):
        return [value]
    return [vars(value).get(name) for name in ("__init__", "__call__")[: 1 + factory]]


def _undecorated(function: Any) -> Any:
    return function


def _function_codes(codes: Iterable[types.CodeType]) -> list[types.CodeType]:
    """Code of functions among `codes`, also behind the scope of type parameters."""
    out = []
    for code in codes:
        out.append(code)
        if code.co_name.startswith("<generic parameters"):
            out += nested_codes(code)
    return out


def _innermost(value: Any, name: str) -> Any:
    for function in functions_in(value, ""):
        if function.__name__ == name:
            return function
    return value


def _default_slots(node: Any) -> list[tuple[str, ast.expr, Any]]:
    """(parameter, default, a function that puts another expression in its place)."""
    arguments = node.args
    names = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
    first = len(names) - len(arguments.defaults)
    out: list[tuple[str, ast.expr, Any]] = []
    for at, default in enumerate(arguments.defaults):
        out.append((names[first + at], default, _setter(arguments.defaults, at)))
    for at, default in enumerate(arguments.kw_defaults):
        if default is not None:
            out.append((arguments.kwonlyargs[at].arg, default, _setter(arguments.kw_defaults, at)))
    return out


def _setter(items: list[Any], at: int) -> Any:
    def replace(node: ast.expr) -> None:
        items[at] = node

    return replace


def _defaults_by_name(node: Any, function: types.FunctionType) -> dict[str, tuple[str, Any]]:
    """Parameter → (its default's source as a tree, the object that lives)."""
    held: dict[str, tuple[str, Any]] = {}
    arguments = node.args
    names = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
    values = function.__defaults__ or ()
    if len(values) == len(arguments.defaults):
        for name, default, value in zip(names[len(names) - len(values) :], arguments.defaults, values, strict=True):
            held[name] = (ast.dump(default), value)
    by_name = function.__kwdefaults__ or {}
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None and argument.arg in by_name:
            held[argument.arg] = (ast.dump(default), by_name[argument.arg])
    return held
