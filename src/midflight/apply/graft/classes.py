"""A class is edited, not replaced: its identity, subclasses and instances stay."""

from __future__ import annotations

import abc
import ast
import collections
import dataclasses
import enum
import linecache
import re
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.changes import PARAMETERISING, Changes
from midflight.apply.effects import hooks_of
from midflight.apply.graft.answers import derive_abstract
from midflight.apply.graft.closures import fits_for
from midflight.apply.graft.functions import pair_codes
from midflight.apply.graft.generated import (
    body_class,
    can_become,
    edited_members,
    graft_generated,
    leave_classes,
    note_abstract,
    tell_of_hook,
    tell_of_hooks_left,
    tell_of_members,
)
from midflight.apply.graft.generics import parameters_follow
from midflight.apply.graft.instances import fill_in
from midflight.apply.graft.makers import makers_of, sees
from midflight.apply.graft.nested import Nested, with_living, with_nested, with_roots
from midflight.apply.holders import functions_in, is_class_body, nested_codes, value_of
from midflight.apply.parsed import Roots, by_first
from midflight.apply.registrations import Contents, registrar_objects, registrars, registrars_of
from midflight.apply.scopes import ClassScope, ModuleScope, class_bodies
from midflight.apply.transaction import ABSENT, Transaction
from midflight.errors import MidflightError
from midflight.graph.heap import live_instances
from midflight.graph.homes import inside, made_by_statement, module_of
from midflight.graph.kinds import is_a, same_kinds
from midflight.graph.layouts import without
from midflight.plan.diff import Pair
from midflight.plan.flow import decorator_names
from midflight.plan.statements import Statement, annotated, bound_names, fingerprint, names_in_order, read_names, split
from midflight.values import Problem

if TYPE_CHECKING:
    from midflight.apply.statements import Runner


# What the machinery puts into a class after its body.
_LAST = frozenset(("__static_attributes__", "__dict__", "__weakref__", "__doc__"))
_DELETES = re.compile(r"^[ \t]+del ", re.MULTILINE)
_OF_SELF = re.compile(r"\bself\s*\.\s*(\w+)")


class RudeEdit(MidflightError):
    """An edit that cannot be taken live, found only while it was being taken: all is rolled back."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message, hint=problem.hint)
        self.problem = problem


def graft_class_statement(runner: Runner, pair: Pair) -> None:
    """Take an edited or added class statement."""
    assert pair.new is not None
    node = pair.new.node
    assert isinstance(node, ast.ClassDef)
    live = runner.scope.get(node.name)
    owner = live_class(runner, pair, live)
    if owner is None:
        _run_whole(runner, pair)
        return
    assert pair.old is not None and isinstance(pair.old.node, ast.ClassDef)
    pairs = _body_pairs(runner, pair)
    remade = _must_be_remade(pair.old.node, node, owner, live, pairs) or _docstring_is_read(pair.old.node, node)
    if remade or _adds_to_docstring(runner, pair, owner, pairs) or _other_hooks(runner, owner):
        _remake(runner, pair, owner, live, pairs)
    elif _change_bases(runner, pair, owner):
        _edit_in_place(runner, pair, owner, pairs)
    else:
        _remake(runner, pair, owner, live, pairs)


def edits_a_value(runner: Runner, pair: Pair) -> bool:
    """Whether a class of which only code inside functions was edited has some of it in a call: what that made follows,
    such as `derived(lambda: …)`."""
    if pair.old is None or pair.new is None or not pair.new.is_class:
        return False
    if "lambda" not in pair.new.text and not _DELETES.search(pair.new.text):
        return False
    pairs = _body_pairs(runner, pair)
    edited = [each.new for each in pairs if each.edited and each.new is not None]
    gone = frozenset[str]().union(*(each.new.deletes for each in pairs if each.new is not None))
    if any(one.defined in gone for one in edited):
        return True  # what it helped to make, before the body deleted it
    return any(edits_a_value(runner, each) or _is_value_by_a_call(each.new) for each in pairs if each.edited)


def _is_value_by_a_call(statement: Statement | None) -> bool:
    return statement is not None and statement.calls and not (statement.is_def or statement.is_class)


def live_class(runner: Runner, pair: Pair, live: Any) -> type | None:
    """The class that the old statement made: what the name holds, or a base of it under what a decorator put on top."""
    if pair.old is None or not pair.old.is_class or not is_a(live, type):
        return None
    name = pair.old.defined
    qualname = runner.scope.prefix + name
    for cls in live.__mro__:
        if made_by_statement(cls, runner.work.name) and cls.__qualname__ == qualname and cls.__name__ == name:
            return body_class(pair.old, live, cls)
    return None


def _body_pairs(runner: Runner, pair: Pair) -> list[Pair]:
    assert pair.old is not None and pair.new is not None
    old = pair.old.members_now()
    return runner.work.match(old, runner.work.members(pair.new))


def _run_whole(runner: Runner, pair: Pair) -> None:
    """A class that is new, or whose name held something else: the statement runs as written."""
    node = pair.statement.node
    assert isinstance(node, ast.ClassDef)
    runner.tx.undo(leave_classes)  # its bases list it, also when a hook of theirs fails
    before = _before_it_registers(runner, pair.statement)
    runner.run_value(pair)
    made = runner.scope.get(node.name)
    runner.in_source_order(before, pair.statement, node.name)
    if not isinstance(runner.scope, ModuleScope) or not runner.run.moves.expected(node.name):
        return
    runner.tx.flush()
    runner.scope.set(node.name, runner.run.moves.arrive(runner.run, runner.work.loaded, node.name, made))


def _before_it_registers(runner: Runner, statement: Statement) -> Contents:
    """What the program's containers hold, if what stands around the body of a class may register it in one, ahead of
    a definition that stands below."""
    node = statement.node
    assert isinstance(node, ast.ClassDef)
    if node.bases:
        runner.tx.flush()  # a hook that one of them gets in this very reload
    bases = [value_of(base, runner.scope.names) for base in node.bases]
    if not (node.keywords or node.decorator_list) and all(map(_leaves_subclasses_alone, bases)):
        return Contents()
    runner.run.before_call()  # containers that wait for their new contents have them now
    return runner.run.registrations.contents() if runner.is_above_others(statement) else Contents()


def _leaves_subclasses_alone(base: Any) -> bool:
    """Whether a class under `base` is made without a call of anybody's code."""
    hooked = (cls for cls in getattr(base, "__mro__", ())[:-1] if "__init_subclass__" in vars(cls))
    return type(base) in (type, abc.ABCMeta) and not any(hooked)


def adopt_class(
    runner: Runner, pair: Pair, owner: type, made: type, codes: Sequence[types.CodeType], before: Contents
) -> None:
    """`owner` becomes what a block that ran as a whole has made under its name; `codes` are those of its statement."""
    runner.tx.flush()
    old = runner.old_codes(pair)
    pairs = _with_stale(runner, pair, owner, _body_pairs(runner, pair))
    graft_generated(runner, pair, owner, owner, made, pairs, before, owner.__name__)
    if not is_a(made, enum.EnumMeta):  # what the block made of it; an enum's members have gone over
        for instance in live_instances(made, exact=True):
            runner.tx.set_attr(instance, "__class__", owner)
    if old:
        runner.graft_pairs(pair, old, codes)
    runner.work.record.grafted[runner.scope.label(owner.__name__)] = None


def adopt_made(runner: Runner, pair: Pair, name: str, owner: type, made: type, before: Contents) -> bool:
    """`owner`, which a call made, or a class statement in its place, becomes the class that has been made now under its
    `name`. False where CPython cannot give it the other layout."""
    runner.tx.flush()
    if not can_become(runner.tx, owner, made):
        return False
    runner.scope.set(name, owner)
    body = pair.old.members if pair.old is not None and pair.old.is_class else ()
    went = [Pair("removed", one, None) for one in body]
    graft_generated(runner, pair, owner, owner, made, went, before, name)
    runner.work.record.grafted[runner.scope.label(name)] = None
    return True


# -- edited in place ----------------------------------------------------------------------------------


def _edit_in_place(runner: Runner, pair: Pair, owner: type, pairs: Sequence[Pair]) -> None:
    assert pair.old is not None and pair.new is not None
    node = pair.new.node
    assert isinstance(node, ast.ClassDef) and isinstance(pair.old.node, ast.ClassDef)
    scope = _scope(runner, owner, pair.new)
    inner = _inner_runner(runner, pair, scope, pairs)
    hook = scope.get("__init_subclass__")
    inner.take(pairs)
    tell_of_hook(runner, owner, hook, scope.get("__init_subclass__"))
    _docstring(runner.changes, scope, pair.old.node, node)
    if inner.reordered:
        _put_in_order(scope)
    place_class(runner.tx, owner, pair.new)
    note_stored(runner.tx, owner, pairs)
    tell_of_members(runner, owner, edited_members(owner, pairs))
    _after_body_edit(runner, owner, pairs)
    runner.roots[pair.new] = _roots_of_class(runner, pair, inner)
    runner.work.record.grafted.setdefault(runner.scope.label(node.name), None)


def refresh_class(runner: Runner, pair: Pair) -> None:
    """Stale statements in the body of a class that nobody edited; bases that became another class."""
    assert pair.new is not None
    node = pair.new.node
    live = runner.scope.get(node.name)  # type: ignore[attr-defined]
    owner = live_class(runner, Pair("same", pair.new, pair.new), live)
    if owner is None:
        return
    assert isinstance(node, ast.ClassDef)
    if pair.new not in runner.work.reran and header_causes(runner, pair.new):
        runner.work.reran[pair.new] = 1
        _refresh_whole(runner, pair, owner, live)
        return
    pairs = [Pair("same", s, s) for s in runner.work.members(pair.new)]
    scope = _scope(runner, owner, pair.new)
    if not type(runner)(runner.run, runner.work, scope, {}, {}).anything_asks(pairs):
        return  # as most: the code of its body, which has to be compiled, is of no interest
    inner = _inner_runner(runner, Pair("same", pair.new, pair.new), scope, pairs, refresh=True)
    stale = [p for p in pairs if p.new is not None and not p.new.is_def and inner.wants(p.new)]
    fields = is_generated(owner, live) and any(_is_field(p) for p in stale)
    if stale and (fields or any("__doc__" in p.statement.binds & p.statement.reads for p in stale)):
        runner.work.reran[pair.new] = runner.work.reran.get(pair.new, 0) + 1
        runner.swap_roots(pair)
        again = Pair("changed", pair.old or pair.new, pair.new)
        _remake(runner, again, owner, live, [inner.stale_pair(p) if p in stale else p for p in pairs])
        return
    before, roots = set(vars(owner)), dict(inner.roots)
    inner.refresh(pairs)
    if any(codes is not roots.get(statement) for statement, codes in inner.roots.items()):
        runner.roots[pair.new] = _roots_of_class(runner, pair, inner)
    if set(vars(owner)) != before:
        _after_body_edit(runner, owner, pairs)


def _refresh_whole(runner: Runner, pair: Pair, owner: type, live: Any) -> None:
    """What stands around the body was edited elsewhere: a decorator, a base, the fields of a base."""
    assert pair.new is not None
    node = pair.new.node
    assert isinstance(node, ast.ClassDef)
    if not is_generated(owner, live) and not node.decorator_list and not _other_hooks(runner, owner):
        runner.run.before_call()
        written = _evaluate_bases(runner, pair.new)
        bases = types.resolve_bases(written) or (object,)
        same = same_kinds(bases, owner.__bases__) and not _names_other_types(owner, written)
        if same and not _has_other_kind(owner, node, bases):
            _note_written_bases(runner, owner, written, bases)
            return
    runner.swap_roots(pair)
    statements = split(node.body, runner.work.text.lines, pair.new.shift)
    again = Pair("changed", pair.old or pair.new, pair.new)
    _remake(runner, again, owner, live, [Pair("same", s, s) for s in statements])


def _other_hooks(runner: Runner, owner: type) -> bool:
    return any(id(base) in runner.changes.hooks for base in owner.__mro__[1:])


def header_causes(runner: Runner, statement: Statement) -> list[str]:
    """Why an unedited class statement must run again for what stands around its body; empty if it need not."""
    live = runner.scope.get(statement.defined)
    if type(live) is type and len(live.__mro__) == 2 and statement.fact("bare", _has_bare_header):
        return []  # most are: nothing but its body makes it
    changes = runner.changes
    values: frozenset[str] = statement.fact("header names", _names_in_header)
    named = [n for n in values if changes.has_value(runner.scope.key(n)) or changes.has_value((runner.work.name, n))]
    # What a class decorator has inside it builds the class, whether it is called with arguments first or not.
    decorators: frozenset[str] = statement.fact("decorators", decorator_names)
    named += [n for n in decorators if runner.decorator_edited(statement, n, True)]
    asks = changes.shapes or changes.hooks or changes.touched or changes.members
    if not (named or asks or PARAMETERISING in changes.short):
        return []
    owner = live_class(runner, Pair("same", statement, statement), live)
    if owner is None or not isinstance(statement.node, ast.ClassDef):
        return []
    return named + _causes_in_bases(runner, statement, owner, live, values)


def _names_in_header(node: ast.stmt) -> frozenset[str]:
    parts = [*node.bases, *node.keywords] if isinstance(node, ast.ClassDef) else []
    return frozenset(n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name))


def _called_in_header(node: ast.stmt) -> frozenset[str]:
    parts = [*node.bases, *node.keywords] if isinstance(node, ast.ClassDef) else []
    calls = (one.func for part in parts for one in ast.walk(part) if isinstance(one, ast.Call))
    return frozenset(one.id for one in calls if isinstance(one, ast.Name))


def _causes_in_bases(runner: Runner, statement: Statement, owner: type, live: Any, values: frozenset[str]) -> list[str]:
    """What changed of the classes that `owner` is made from, and of what makes it."""
    changes, node = runner.changes, statement.node
    assert isinstance(node, ast.ClassDef)
    found = [k.__qualname__ for k in owner.__mro__[1:] if id(k) in changes.hooks] if changes.hooks else []
    if changes.touched:
        called: frozenset[str] = statement.fact("calls in header", _called_in_header)
        found += [name for name in called if changes.is_touched(runner.scope.names.get(name, ABSENT))]
        found += [f.__qualname__ for f in makers_of(owner) if id(f) in changes.touched and runner.causes.runs_edited(f)]
    if changes.members and any(map(runner.run.program.owns, makers_of(owner))):
        found += [k.__qualname__ for k in owner.__mro__[1:] if _is_seen(runner, owner, k)]
    if statement.fact("parameterised bases", _has_parameterised_bases):
        found += [k.__qualname__ for k in owner.__mro__[1:] if changes.is_parameterised_anew(k)]
    if not changes.shapes:
        return found
    if is_generated(owner, live) or _has_other_kind(owner, node, owner.__bases__):
        found += [k.__qualname__ for k in owner.__mro__[1:] if id(k) in changes.shapes]
    if typing.is_typeddict(owner):  # its bases leave no trace in it
        found += [n for n in values if id(runner.scope.namespace.get(n)) in changes.shapes]
    if hasattr(owner, "__pydantic_core_schema__"):
        found += [n for n in statement.reads if id(runner.scope.namespace.get(n)) in changes.shapes]
    return found


def _is_seen(runner: Runner, owner: type, base: type) -> bool:
    """Whether what makes `owner` may see that attributes of `base` are other ones now."""
    home, label = module_of(base), f"{base.__qualname__}."
    held = (name.removeprefix(label) for m, name in runner.changes.members if m == home and name.startswith(label))
    names = {name for name in held if "." not in name}
    return bool(names) and sees(owner, names, runner.run.program.owns)


def _has_parameterised_bases(node: ast.stmt) -> bool:
    bases = node.bases if isinstance(node, ast.ClassDef) else []
    return any(isinstance(part, ast.Subscript) for base in bases for part in ast.walk(base))


def _has_bare_header(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and not (node.bases or node.keywords or node.decorator_list)


def _has_other_kind(owner: type, node: ast.ClassDef, bases: tuple[type, ...]) -> bool:
    """Whether `bases` have another metaclass by now than the one that the class got from those that it had."""
    if any(keyword.arg == "metaclass" for keyword in node.keywords):
        return False
    kinds = [type(base) for base in bases]
    return type(owner) not in kinds or not all(issubclass(type(owner), kind) for kind in kinds)


def _is_field(pair: Pair) -> bool:
    return isinstance(pair.statement.node, (ast.AnnAssign, ast.Assign))


def _scope(runner: Runner, owner: type, made_by: Statement) -> ClassScope:
    scope = runner.scope
    module = scope if isinstance(scope, ModuleScope) else scope.module
    return ClassScope(module, owner, made_by, None if isinstance(scope, ModuleScope) else scope)


def _inner_runner(
    runner: Runner, pair: Pair, scope: ClassScope, pairs: Sequence[Pair], refresh: bool = False
) -> Runner:
    source = runner.roots if refresh and pair.new in runner.roots else runner.old_roots
    roots = source.get(pair.old, ()) if pair.old is not None else ()
    codes = [code for root in roots for body in _bodies(root, scope.made_by.defined) for code in nested_codes(body)]
    olds: Roots = by_first([p.old for p in pairs if p.old is not None], codes)
    inner = type(runner)(runner.run, runner.work, scope, dict(olds) if refresh else {}, olds)
    inner.siblings = pairs
    return inner


def _bodies(root: types.CodeType, name: str) -> list[types.CodeType]:
    if root.co_name == name and is_class_body(root):
        return [root]
    return [found for nested in nested_codes(root) for found in _bodies(nested, name)]


def _roots_of_class(runner: Runner, pair: Pair, inner: Runner) -> tuple[types.CodeType, ...]:
    """A class body's code object that holds the codes its live functions run: never executed, only looked into."""
    assert pair.new is not None
    live = [c for roots in inner.roots.values() for c in roots]
    code = runner.scope.compile([pair.new.located()])
    body = next(iter(class_bodies(code)), None)
    if body is not None:
        return (_with_codes(body, live),)
    around = [one for one in nested_codes(code) if one.co_name.startswith("<generic parameters of ")]  # PEP 695
    return tuple(_with_codes(one, [_with_codes(body, live) for body in _bodies(one, pair.new.name)]) for one in around)


def _with_codes(code: types.CodeType, codes: Sequence[types.CodeType]) -> types.CodeType:
    return code.replace(co_consts=(*(c for c in code.co_consts if not isinstance(c, types.CodeType)), *codes))


def _docstrings(old: ast.ClassDef, new: ast.ClassDef) -> tuple[str | None, str | None]:
    return ast.get_docstring(old, clean=False), ast.get_docstring(new, clean=False)


def _docstring_is_read(old: ast.ClassDef, new: ast.ClassDef) -> bool:
    """Whether a docstring differs that the body itself uses, or puts something else in its place."""
    before, after = _docstrings(old, new)
    return before != after and any("__doc__" in read_names(child) | bound_names(child) for child in new.body)


def _adds_to_docstring(runner: Runner, pair: Pair, owner: type, pairs: Sequence[Pair]) -> bool:
    """Whether a statement of the body must run that puts more into `__doc__`: it needs the docstring as written."""
    builders = [p for p in pairs if p.new is not None and "__doc__" in p.new.binds & p.new.reads]
    if not builders:
        return False
    assert pair.new is not None and isinstance(pair.new.node, ast.ClassDef)
    inner = _inner_runner(runner, pair, _scope(runner, owner, pair.new), pairs)
    return any(p.edited or inner.wants(p.statement) for p in builders)


def _docstring(changes: Changes, scope: ClassScope, old: ast.ClassDef, new: ast.ClassDef) -> None:
    before, after = _docstrings(old, new)
    if before != after:
        scope.set("__doc__", after)
        changes.value_changed(scope.key("__doc__"), before)


def _put_in_order(scope: ClassScope) -> None:
    """What the body binds stands in the class as a fresh start puts it there: below what the compiler binds, and above
    what comes when the class is made."""
    body = scope.made_by.members
    first = ["__annotations__"] if any(map(annotated, body)) else []
    first += ["__doc__"] if ast.get_docstring(scope.node, clean=False) is not None else []
    names = dict.fromkeys([*first, *map(scope.mangled, names_in_order(body))])

    scope.put_in_order(names, _LAST)


def place_class(tx: Transaction, owner: type, statement: Statement) -> None:
    """The first line of a class and of those inside it, which `inspect` reads from 3.13 on."""
    if vars(owner).get("__firstlineno__", statement.first) != statement.first:
        tx.later(lambda: tx.set_attr(owner, "__firstlineno__", statement.first))
    for member in statement.members:
        inner = vars(owner).get(member.defined) if member.is_class else None
        if is_a(inner, type):
            place_class(tx, inner, member.moved(statement.shift))


def _change_bases(runner: Runner, pair: Pair, owner: type) -> bool:
    """False where more than bases must change: they bring or take a metaclass, or bring an `__init_subclass__`, so the
    class is made again; or another layout, so it is if nothing of it lives."""
    assert pair.old is not None and pair.new is not None
    old, new = pair.old.node, pair.new.located()
    assert isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef)
    if _bases(old) == _bases(new) and not header_causes(runner, pair.new):
        return True
    runner.run.before_call()
    written = _evaluate_bases(runner, pair.new)
    bases = types.resolve_bases(written) or (object,)
    if _has_other_kind(owner, new, bases) or _brings_makers(owner, bases) or _names_other_types(owner, written):
        return False
    _note_written_bases(runner, owner, written, bases)
    if same_kinds(bases, owner.__bases__):
        return True
    before, hooks = owner.__bases__, hooks_of(runner.run, owner)
    try:
        runner.tx.set_attr(owner, "__bases__", bases)
    except TypeError as error:
        if not live_instances(owner):
            return False
        raise RudeEdit(
            Problem(
                runner.work.loaded.path,
                new.lineno,
                "MF011",
                f"the bases of {owner.__name__} change its layout: {error}",
                "Revert that line, or restart the process to take it.",
            )
        ) from error
    tell_of_hooks_left(runner, owner, hooks)
    parameters_follow(runner.tx, owner, before)
    if issubclass(owner, type):
        for cls in live_instances(owner):
            note_abstract(runner.tx, cls, owner)
    runner.work.record.grafted[runner.scope.label(owner.__name__)] = None
    runner.changes.shape_changed(runner.scope.key(owner.__name__), owner)
    return True


def _brings_makers(owner: type, bases: tuple[type, ...]) -> bool:
    """Whether new bases have a say in how a class is made."""
    if not all(issubclass(type(owner), type(base)) for base in bases):
        return True
    gained = without([kind for base in bases for kind in base.__mro__], (*owner.__mro__, typing.Generic))
    return any("__init_subclass__" in vars(kind) for kind in gained)


def _names_other_types(owner: type, written: tuple[Any, ...]) -> bool:
    """Whether the bases of a generic class, as written, name other types than before: its parameters come from them."""
    held = vars(owner).get("__orig_bases__")
    return held is not None and "__parameters__" in vars(owner) and written != held


def _note_written_bases(runner: Runner, owner: type, written: tuple[Any, ...], bases: tuple[type, ...]) -> None:
    """`__orig_bases__`, where the bases as written are no classes, such as `Future[int]` (PEP 560)."""
    held = vars(owner).get("__orig_bases__", ABSENT)
    if written and written != bases:
        runner.tx.set_attr(owner, "__orig_bases__", written)  # `int | str` is equal to `Union[int, str]`, and another
    elif held is not ABSENT:
        runner.tx.del_attr(owner, "__orig_bases__")


def _evaluate_bases(runner: Runner, statement: Statement) -> tuple[Any, ...]:
    """What the bases give, as written."""
    node = statement.located()
    assert isinstance(node, ast.ClassDef)
    place = "\x00bases"
    value = ast.copy_location(ast.Tuple(list(node.bases), ast.Load()), node)
    target = ast.copy_location(ast.Name(place, ast.Store()), node)
    assign = ast.copy_location(ast.Assign([target], value), node)
    made = runner.scope.run_aside(runner.scope.compile([assign]), {}, statement)
    return tuple(made[place])


def _after_body_edit(runner: Runner, owner: type, pairs: Sequence[Pair]) -> None:
    """What `type.__new__` and ABCMeta derive from the names of a body."""
    tx = runner.tx
    tx.later(lambda: _derive_hash(tx, owner))
    runner.run.shapes_changed += 1
    if is_a(owner, abc.ABCMeta):
        tx.later(lambda: derive_abstract(tx, owner))
    gained = [p for p in pairs if p.new is not None and p.new.defined == "__init__" and p.edited]
    for pair in gained:
        _fill_from_init(runner, owner, pair)


def _derive_hash(tx: Transaction, owner: type) -> None:
    """A class that defines `__eq__` without `__hash__` is unhashable (Objects/typeobject.c, type_new_set_hash)."""
    compares, hashes = tx.own(owner, "__eq__") is not ABSENT, tx.own(owner, "__hash__")
    if compares and hashes is ABSENT:
        tx.set_attr(owner, "__hash__", None)
    elif not compares and hashes is None:
        tx.del_attr(owner, "__hash__")


def fill_from_bodies(runner: Runner, pair: Pair) -> None:
    """The same for a class of which only the bodies of methods were edited, and for those inside it."""
    assert pair.new is not None
    owner = live_class(runner, pair, runner.scope.get(pair.new.defined))
    if owner is not None:
        _fill_inside(runner, owner, _body_pairs(runner, pair))


def _fill_inside(runner: Runner, owner: type, pairs: Sequence[Pair]) -> None:
    note_stored(runner.tx, owner, pairs)
    for pair in pairs:
        if not pair.edited or pair.old is None or pair.new is None:
            continue
        if pair.new.is_def and pair.new.name == "__init__":
            _fill_from_init(runner, owner, pair)
        elif pair.new.is_class:
            inner = vars(owner).get(pair.new.name)
            if is_a(inner, type):
                _fill_inside(runner, inner, _body_pairs(runner, pair))


def _may_store_otherwise(pair: Pair) -> bool:
    """Whether its text names other attributes of `self`, or assigns more or less: most edits need not be parsed."""
    if not pair.edited or pair.old is None or pair.new is None:
        return pair.edited
    texts = pair.old.text, pair.new.text
    named, assigned = ([_OF_SELF.findall(text) for text in texts], [text.count("=") for text in texts])
    return named[0] != named[1] or assigned[0] != assigned[1]


def note_stored(tx: Transaction, owner: type, pairs: Sequence[Pair]) -> None:
    """`__static_attributes__` of a class of which methods were edited, which the compiler makes from 3.13 on."""
    held = vars(owner).get("__static_attributes__")
    if type(held) is tuple and any(map(_may_store_otherwise, pairs)):
        names = frozenset[str]().union(*(pair.new.stores_on_self for pair in pairs if pair.new is not None))
        if names != set(held):
            tx.later(lambda: tx.set_attr(owner, "__static_attributes__", tuple(sorted(names))))


def _fill_from_init(runner: Runner, owner: type, pair: Pair) -> None:
    """`self.name = <literal or empty container>` that `__init__` gained, on instances that lack it (rule 3)."""
    assert pair.new is not None
    had = _init_attributes(pair.old.node) if pair.old is not None else {}
    gained = {n: v for n, v in _init_attributes(pair.new.node).items() if n not in had}
    literal = {n: v for n, v in gained.items() if _is_literal(v)}
    follows = sorted(gained.keys() - literal.keys())
    if not gained:
        return
    instances = live_instances(owner)
    if follows and instances:
        names = ", ".join(follows)
        runner.run.notes.append(f"{len(instances)} live {owner.__name__} lack {names}: it follows from arguments")
    for name, node in literal.items():
        code = compile(ast.Expression(node), "<literal>", "eval", dont_inherit=True)
        runner.tx.later(_filling(runner.tx, instances, name, code))


def _filling(tx: Transaction, instances: Sequence[Any], name: str, code: types.CodeType) -> Callable[[], None]:
    def fill() -> None:
        fill_in(tx, instances, name, lambda: eval(code, {}))

    return fill


def changed_shapes(old: Statement, new: Statement, prefix: str) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """(qualified name, attributes that came, attributes that went) of a class and those in it whose shape changed."""
    if not old.is_class or not new.is_class:
        return
    before, after = shape(old), shape(new)
    if before != after:
        yield prefix + new.defined, after - before, before - after
    inside = {member.defined: member for member in old.members if member.is_class}
    for member in new.members:
        if member.is_class and member.defined in inside:
            yield from changed_shapes(inside[member.defined], member, f"{prefix}{new.defined}.")


def shape(statement: Statement) -> frozenset[str]:
    """Attributes that instances have by what the class says: fields, slots, and what `__init__` assigns to `self`."""
    giving = (member for member in statement.members if member.defined in ("", "__init__"))
    return frozenset[str]().union(*(member.fact("gives", _gives) for member in giving))


def _gives(node: ast.stmt) -> frozenset[str]:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return frozenset(() if "ClassVar" in ast.unparse(node.annotation) else (node.target.id,))
    if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__slots__" for t in node.targets):
        texts = (child.value for child in ast.walk(node.value) if isinstance(child, ast.Constant))
        return frozenset(text for text in texts if isinstance(text, str))
    if isinstance(node, ast.FunctionDef) and node.name == "__init__" and node.args.args:
        return frozenset(_assigned(node, node.args.args[0].arg))
    return frozenset()


def _assigned(function: ast.FunctionDef, me: str) -> set[str]:
    return {
        child.attr
        for child in ast.walk(function)
        if isinstance(child, ast.Attribute)
        and isinstance(child.ctx, ast.Store)
        and isinstance(child.value, ast.Name)
        and child.value.id == me
    }


def _init_attributes(node: ast.AST) -> dict[str, ast.expr]:
    """Attribute → the expression that the top level of `__init__` assigns to it."""
    arguments = getattr(getattr(node, "args", None), "args", None) or getattr(
        getattr(node, "args", None), "posonlyargs", []
    )
    me = arguments[0].arg if arguments else "self"
    out: dict[str, ast.expr] = {}
    for child in getattr(node, "body", ()):
        targets = child.targets if isinstance(child, ast.Assign) else [getattr(child, "target", None)]
        value = getattr(child, "value", None)
        if not isinstance(child, (ast.Assign, ast.AnnAssign)) or value is None:
            continue
        for target in targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == me:
                out[target.attr] = value
            elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
                for each, part in zip(target.elts, value.elts, strict=True):
                    if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == me:
                        out[each.attr] = part
    return out


def _is_literal(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        names = ("dict", "list", "set", "tuple", "frozenset", "bytearray")
        return isinstance(node.func, ast.Name) and node.func.id in names and not node.args and not node.keywords
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return False
    return True


# -- made again and grafted as a whole ---------------------------------------------------------------------


def is_generated(owner: type, live: Any) -> bool:
    """Whether something besides the body made the class what it is: a decorator, a metaclass, `__init_subclass__`."""
    if dataclasses.is_dataclass(owner) and "__dataclass_fields__" in vars(owner):
        return True
    if is_a(owner, enum.EnumMeta) or typing.is_typeddict(owner) or "__attrs_attrs__" in vars(owner):
        return True
    if issubclass(owner, tuple) and "_fields" in vars(owner):
        return True
    if type(owner) not in (type, abc.ABCMeta) or live is not owner:
        return True
    return any("__init_subclass__" in vars(k) for k in owner.__mro__[1:] if k is not object and k is not typing.Generic)


def _must_be_remade(old: ast.ClassDef, new: ast.ClassDef, owner: type, live: Any, pairs: Sequence[Pair]) -> bool:
    if list(map(fingerprint, old.decorator_list)) != list(map(fingerprint, new.decorator_list)):
        return True
    if list(map(fingerprint, old.keywords)) != list(map(fingerprint, new.keywords)):
        return True
    if _params(old) != _params(new) or any("__slots__" in p.statement.binds for p in pairs if p.edited):
        return True
    if _annotates_by_hand(pairs):
        return True
    bases_changed = _bases(old) != _bases(new)
    if bases_changed and (same_kinds(owner.__bases__, (object,)) or not new.bases):
        return True  # what the new bases bring, a metaclass too, comes with a twin
    if not is_generated(owner, live) and not old.decorator_list:
        return bases_changed and _is_generic(old, new)
    return bases_changed or any(p.edited and p.kind != "bodies" and not _is_doc(p) for p in pairs)


def _annotates_by_hand(pairs: Sequence[Pair]) -> bool:
    """Whether an annotation was edited in a body that binds `__annotations__` itself, as a dict or a property."""
    edited = [one for p in pairs if p.edited and p.kind != "bodies" for one in (p.old, p.new) if one is not None]
    if not any("__annotations__" in one.binds or annotated(one) for one in edited):
        return False
    return any("__annotations__" in one.binds for p in pairs for one in (p.old, p.new) if one is not None)


def _bases(node: ast.ClassDef) -> list[str]:
    """The bases as written: `class C(object)` is `class C`."""
    alone = node.bases[0] if len(node.bases) == 1 else None
    return [] if isinstance(alone, ast.Name) and alone.id == "object" else list(map(fingerprint, node.bases))


def _is_generic(old: ast.ClassDef, new: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Subscript) for base in [*old.bases, *new.bases])


def _params(node: ast.ClassDef) -> list[str]:
    return [fingerprint(p) for p in getattr(node, "type_params", ())]


def _is_doc(pair: Pair) -> bool:
    node = pair.statement.node
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _with_stale(runner: Runner, pair: Pair, owner: type, pairs: Sequence[Pair]) -> list[Pair]:
    """`pairs`, in which what nobody edited and reads what changed is changed too: a default, an attribute; and what
    builds one value with a statement that was edited."""
    assert pair.old is not None and pair.new is not None and isinstance(pair.new.node, ast.ClassDef)
    inner = _inner_runner(runner, pair, _scope(runner, owner, pair.new), pairs)
    doc = isinstance(pair.old.node, ast.ClassDef) and _docstring_is_read(pair.old.node, pair.new.node)

    def wants(statement: Statement) -> bool:
        uses_doc = "__doc__" in statement.binds or (doc and "__doc__" in statement.reads)
        annotates = "__annotations__" in statement.binds and not statement.is_def
        return bool(statement.binds) and (uses_doc or annotates or inner.wants(statement))

    stale = (p.new is not None and not p.edited and wants(p.new) for p in pairs)
    pairs = [inner.stale_pair(p) if again else p for p, again in zip(pairs, stale, strict=True)]
    built = inner.rebuilds(pairs)
    return [Pair("changed", p.old, p.new) if p.new in built and not p.edited else p for p in pairs]


def _made_beside(
    runner: Runner, code: types.CodeType, statement: Statement, owner: type, before: Contents
) -> dict[str, Any]:
    """What running a class statement binds."""

    def run() -> dict[str, Any]:
        try:
            return runner.scope.run_aside(code, {}, statement)
        except Exception:
            leave_classes()  # one that did not come to be is listed by its bases until it is collected
            raise

    gone = [(owner, owner.__name__, module_of(owner))]
    made, again = runner.run.registrations.in_room(before, gone, runner.run.leaving(), run)
    if again:
        runner.run.registrations.in_order_of(before, owner, made[statement.defined])
    return made


def _forget_generated_text(runner: Runner, owner: type) -> None:
    """A generator of methods (attrs) puts their text into linecache, under the next name that nobody has: the ones that
    it made before are about to go, and theirs are free again."""
    for function in functions_in(owner, module_of(owner)):
        name = function.__code__.co_filename
        if name.startswith("<") and name in linecache.cache:
            runner.tx.del_item(linecache.cache, name)


def _left_behind(runner: Runner, pair: Pair, owner: type, twin: Any) -> Iterator[Any]:
    """Decorators and bases of `owner` that its statement does not name any more, or names otherwise."""
    assert pair.old is not None and pair.new is not None
    stays = set(map(ast.dump, getattr(pair.new.node, "decorator_list", ())))
    # A class may take the place of a call that made one: `C = namedtuple(…)`.
    went = [one for one in getattr(pair.old.node, "decorator_list", ()) if ast.dump(one) not in stays]
    yield from registrars(went, runner.scope.names)
    for base in owner.__mro__[1:]:
        if "__init_subclass__" in vars(base) and is_a(twin, type) and not issubclass(twin, base):
            yield from (base, inside(vars(base)["__init_subclass__"]))


def _take_nested(runner: Runner, pair: Pair, owner: type, pairs: Sequence[Pair]) -> dict[str, Nested]:
    """The classes of the body that are edited as classes are, so that fields and defaults of the twin are made with
    those that live; name → what it is now."""
    assert pair.new is not None
    both = [p for p in pairs if p.old is not None and p.new is not None and p.old.is_class and p.new.is_class]
    if not both:
        return {}
    inner = _inner_runner(runner, pair, _scope(runner, owner, pair.new), pairs)
    binders = collections.Counter(name for p in pairs if p.new is not None for name in p.new.binds)
    names = (p.statement.defined for p in both)
    alone = [
        n for n, p in zip(names, both, strict=True) if binders[n] == 1 and live_class(inner, p, inner.scope.get(n))
    ]
    inner.take([p for p in both if p.statement.defined in alone])
    place_class(runner.tx, owner, pair.new)
    roots = {statement.defined: codes for statement, codes in inner.roots.items()}
    return {name: Nested(inner.scope.get(name), roots.get(name, ())) for name in alone}


def _remake(runner: Runner, pair: Pair, owner: type, live: Any, pairs: Sequence[Pair]) -> None:
    """Run the whole statement for a twin, and move what it is into the class that lives."""
    assert pair.new is not None
    node = pair.new.node
    assert isinstance(node, ast.ClassDef)
    nested = _take_nested(runner, pair, owner, pairs)
    pairs = [
        Pair("same", p.new, p.new) if p.new is not None and p.new.defined in nested else p
        for p in _with_stale(runner, pair, owner, pairs)
    ]
    runner.run.before_call()
    runner.guard_named(pair.new)
    names = runner.scope.names
    held = [one for s in (pair.old, pair.new) if s is not None for one in registrars_of(s.node, owner, names)]
    members = (one for s in (pair.old, pair.new) if s is not None for one in ast.walk(s.node))
    decorators = [one for node in members for one in getattr(node, "decorator_list", ())]
    before = runner.run.registrations.contents(registrar_objects(decorators, names), held)
    _forget_generated_text(runner, owner)
    code = runner.scope.compile([with_nested(pair.new, nested)])
    made = _made_beside(runner, with_living(code, nested), pair.new, owner, before)
    annotations = made.pop("__annotations__", None)
    if annotations is not None:
        runner.annotate(annotations)
    twin = made[node.name]
    roots = tuple(with_roots(one, node.name, nested) for one in nested_codes(code))
    old_roots = runner.old_codes(pair)
    runner.roots[pair.new] = roots
    versions = list(pair_codes(old_roots, roots))
    runner.run.search.fits.update(fits_for(pair.new, versions, roots, runner.scope, owner))
    for registrar in _left_behind(runner, pair, owner, twin):
        runner.run.notes += runner.run.registrations.moved_on(before, (owner,), node.name, registrar)
    graft_generated(runner, pair, owner, live, twin, pairs, before, node.name)
    runner.in_source_order(before, pair.new, node.name)
    if old_roots:
        runner.graft_pairs(pair, old_roots, roots)
    runner.work.record.grafted[runner.scope.label(node.name)] = None
    runner.decorate_again(pair.new)
