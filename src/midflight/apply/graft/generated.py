"""Classes that something besides their body made: dataclasses, enums, named tuples, metaclasses, decorators.

The statement ran again and made a twin; what it is goes into the class that lives, and it leaves no trace."""

from __future__ import annotations

import abc
import ast
import enum
import gc
import sys
import types
import weakref
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.changes import PARAMETERISING
from midflight.apply.effects import hooks_of
from midflight.apply.graft.answers import derive_abstract, own_answers
from midflight.apply.graft.fields import Fields, complete, fields_of, same_fields, seen_below, tables_of
from midflight.apply.graft.functions import fitted, same_code
from midflight.apply.graft.generics import parameters_follow
from midflight.apply.graft.instances import fill_in
from midflight.apply.graft.makers import makers_of, sees
from midflight.apply.graft.marks import forget_marks, marks_of
from midflight.apply.graft.unheld import take_apart
from midflight.apply.graft.wrappers import become, with_traded
from midflight.apply.holders import functions_in
from midflight.apply.rebase import assign_bases
from midflight.apply.registrations import has, in_place_of, is_of, registrars_of, succeeded
from midflight.apply.scopes import mangled
from midflight.apply.transaction import ABSENT, Transaction, cell_value, dict_of, own_attribute, restore
from midflight.apply.values import is_container, is_data, same_value
from midflight.graph.heap import all_subclasses, live_instances, referrers
from midflight.graph.homes import home_of, inside, module_of
from midflight.graph.hook import is_plain
from midflight.graph.kinds import is_a, same_kinds, shown
from midflight.plan.diff import Pair, defines
from midflight.plan.flow import decorator_names
from midflight.plan.rude import has_all_by_bases
from midflight.plan.statements import Statement
from midflight.values import Problem

if TYPE_CHECKING:
    from midflight.apply.registrations import Contents
    from midflight.apply.statements import Runner

ENUM_TABLES = ("_member_map_", "_member_names_", "_value2member_map_")  # of an enum class (Lib/enum.py)
# By id: a metaclass may have an `__eq__` and no `__hash__`.
LEFT: weakref.WeakValueDictionary[int, type] = weakref.WeakValueDictionary()
_LAYOUT = (types.MemberDescriptorType, types.GetSetDescriptorType)
# To set `__class__` is to change a class's own metaclass, whatever its body bound to that name for its instances.
_NEVER = frozenset(
    {"__class__", "__dict__", "__weakref__", "__module__", "_abc_impl", "__slots__", "__abstractmethods__"}
)
# Made by decorators and metaclasses, so they go when the twin does not have them.
_MADE = frozenset(
    "__init__ __repr__ __eq__ __hash__ __lt__ __le__ __gt__ __ge__ __setattr__ __delattr__ __getstate__ __setstate__ "
    "__match_args__ __replace__ __post_init__ __dataclass_fields__ __dataclass_params__ "
    "__annotations__ __type_params__ __orig_bases__ __parameters__ __protocol_attrs__ __doc__ "
    "__required_keys__ __optional_keys__ __total__".split()
)


def graft_generated(
    runner: Runner, pair: Pair, owner: type, live: Any, twin: Any, pairs: Sequence[Pair], before: Contents, name: str
) -> None:
    """Move what `twin` is into `owner`, which `name` leads to. Where their layouts differ `owner` is replaced, or the
    edit is refused."""
    if not is_a(twin, type):
        runner.scope.set(name, twin)
        runner.changes.value_changed(runner.scope.key(name), live)
        return
    inner = body_class(pair.statement, twin, owner)
    runner.run.shapes_changed += 1
    runner.tx.undo(lambda: detach(inner))
    if twin is not inner:
        runner.tx.undo(lambda: detach(twin))
    bases, hooks = owner.__bases__, hooks_of(runner.run, owner)
    went = _going(owner, pairs)
    if not _take_layout(runner.tx, owner, inner):
        _replace(runner, pair, owner, live, twin, inner, pairs, name)
        _unregister(runner, went)
        return
    from_object = any(same_kinds(one, (object,)) for one in (bases, inner.__bases__))
    if from_object and not same_kinds(bases, inner.__bases__):
        runner.run.notes.append(f"{runner.work.name}.{runner.scope.label(name)} is the same class, under other bases")
    tell_of_hooks_left(runner, owner, hooks)
    held, starters = dict(vars(owner)), _starters(owner)
    marks = marks_of(pair, runner.names_before(), runner.changes.unstored) | _marks_of_makers(runner, owner)
    gone = marks & vars(owner).keys() - vars(inner).keys()
    if is_a(owner, enum.EnumMeta):
        _move_enum(runner, owner, inner, pairs, name)
    else:
        _take_members(runner, owner, inner, pairs, name, bases)
    for mark in gone:
        runner.tx.del_attr(owner, mark)
    parameters_follow(runner.tx, owner, bases)
    _tell_of_attributes(runner, owner, held, pairs)
    _tell_of_starters(runner, owner, starters)
    tell_of_hook(runner, owner, *(names.get("__init_subclass__", ABSENT) for names in (held, vars(owner))))
    runner.run.notes += _methods_trade_places(runner, before, inner, owner)
    _put_on_top(runner, owner, live, twin, inner, name)
    _register_those_that_live(runner, before, owner, live, twin, inner)
    if may_be_held(runner, pair.statement.node, inner):
        runner.run.twins.append((inner, owner))
    _unregister(runner, went)
    detach(inner)


def _register_those_that_live(
    runner: Runner, before: Contents, owner: type, live: Any, twin: type, inner: type
) -> None:
    """The class stands where its twin registered itself, and so does what a decorator has put on top of it."""
    runner.run.notes += _trade_places(runner, before, inner, owner)
    if live is not owner and is_a(live, type) and twin is not inner:
        runner.run.notes += _trade_places(runner, before, twin, live)
        detach(twin)


def _move_enum(runner: Runner, owner: enum.EnumMeta, inner: type, pairs: Sequence[Pair], name: str) -> None:
    from midflight.apply.graft.enums import graft_enum

    were = graft_enum(runner.run, owner, inner, pairs)
    if were is not None:
        runner.changes.value_changed(runner.scope.key(name), were)


def _take_members(
    runner: Runner, owner: type, inner: type, pairs: Sequence[Pair], name: str, bases: tuple[type, ...]
) -> None:
    """What the body of `inner` made is the living class's, which had these `bases`, and its instances have the
    fields."""
    fields, seen, tables = fields_of(owner), seen_below(owner), tables_of(owner)
    move_attributes(runner.tx, owner, inner, pairs)
    for each in pairs:
        if each.edited and each.new is not None and each.new.is_def:
            lives, made = (vars(cls).get(each.new.name) for cls in (owner, inner))
            forget_marks(runner.tx, each, runner.names_before(), runner.changes.unstored, lives, made)
    complete(runner.tx, owner, runner.scope.namespace)
    if not same_fields(seen, seen_below(owner)) or not same_kinds(owner.__bases__, bases):
        runner.changes.shape_changed(runner.scope.key(name), owner)
        for table, held in tables.items():
            runner.changes.value_changed((module_of(owner), f"{owner.__qualname__}.{table}"), held)
    fill_fields(runner, owner, fields)


def _put_on_top(runner: Runner, owner: type, live: Any, twin: type, inner: type, name: str) -> None:
    """What a decorator put on top of the class's own body, in the old version (`live`) or in the new one (`twin`)."""
    if live is not owner and is_a(live, type) and twin is not inner:
        twin.__bases__ = tuple(owner if base is inner else base for base in twin.__bases__)
        move_attributes(runner.tx, live, twin, [])
    elif live is not owner and twin is inner:
        # The decorator that put another class on top is gone: the name means the class itself again.
        runner.scope.set(name, owner)
        runner.changes.value_changed(runner.scope.key(name), live)
    elif live is owner and twin is not inner:
        twin.__bases__ = tuple(owner if base is inner else base for base in twin.__bases__)
        runner.scope.set(name, twin)
        runner.changes.value_changed(runner.scope.key(name), live)


def _going(owner: type, pairs: Sequence[Pair]) -> list[tuple[Statement, Any]]:
    """The definitions that the body no longer has, with what they made."""
    defined = (p.old for p in pairs if p.kind == "removed" and p.old is not None and (p.old.is_def or p.old.is_class))
    return [(one, vars(owner).get(mangled(one.name, owner.__name__))) for one in defined]


def _unregister(runner: Runner, went: Sequence[tuple[Statement, Any]]) -> None:
    """Definitions that are gone leave the registries that their decorators put them into."""
    for one, member in went:
        held = registrars_of(one.node, member, runner.scope.names)
        runner.run.notes += runner.run.registrations.purge(member, runner.work.name, one.name, held)


def may_be_held(runner: Runner, node: ast.stmt, twin: type) -> bool:
    """Whether code of the program's ran that was given the twin while it was made: a metaclass, a hook, a descriptor's
    `__set_name__`, a decorator."""
    owns = runner.run.program.owns
    if any(owns(maker) for maker in makers_of(twin)):
        return True
    told = [type(value) for value in vars(twin).values() if hasattr(type(value), "__set_name__")]
    decorators = [runner.scope.namespace.get(name) for name in decorator_names(node)]
    return any(owns(one) for one in (*told, *decorators) if callable(one))


def let_live(tx: Transaction, twins: Sequence[tuple[type, type]]) -> None:
    """Whatever got hold of a twin while it was made holds the class that lives instead; a look at the whole heap."""
    lives = {id(twin): owner for twin, owner in twins}
    holders = referrers([twin for twin, _ in twins])
    made = {id(kind): kind for kind in map(type, holders) if id(kind) in lives}.values()
    for kind in made:  # CPython compares layouts by bases, which went when it was detached
        if not same_kinds(kind.__bases__, lives[id(kind)].__bases__):
            assign_bases(kind, lives[id(kind)].__bases__)
    _exchange_twins(tx, holders, lives)
    for kind in made:
        detach(kind)


def _exchange_twins(tx: Transaction, holders: Iterable[Any], lives: Mapping[int, type]) -> None:
    for holder in holders:
        if type(holder) is types.CellType:
            tx.set_cell(holder, lives.get(id(cell_value(holder)), cell_value(holder)))
        elif id(type(holder)) in lives:
            if all(slots_of(kind) in (ABSENT, []) for kind in type(holder).__mro__):  # else CPython refuses it
                tx.set_attr(holder, "__class__", lives[id(type(holder))])
        elif not is_a(holder, (type, types.FunctionType)):
            _exchange_inside(tx, holder if type(holder) is dict else dict_of(holder), lives)


def _exchange_inside(tx: Transaction, held: Any, lives: Mapping[int, type]) -> None:
    for name, value in list(held.items()) if type(held) is dict else ():
        if id(value) in lives:
            tx.set_item(held, name, lives[id(value)])


def _tell_of_attributes(runner: Runner, owner: type, before: Mapping[str, Any], pairs: Sequence[Pair]) -> None:
    """Class attributes that are data, or were edited, and came out different, for whoever read them; and whether it has
    subscripts of its own, for classes below."""
    edited, differ = edited_members(owner, pairs), set[str]()
    for name in (before.keys() | vars(owner).keys()) - (_MADE - {"__doc__"}) - _NEVER:
        old, new = before.get(name, ABSENT), vars(owner).get(name, ABSENT)
        if (name in edited or is_data(old) or is_data(new)) and not same_value(old, new):
            differ.add(name)
        elif name != PARAMETERISING or (old is ABSENT) == (new is ABSENT):
            continue
        runner.changes.value_changed((module_of(owner), f"{owner.__qualname__}.{name}"), old)
    tell_of_members(runner, owner, edited | differ)


def edited_members(owner: type, pairs: Sequence[Pair]) -> set[str]:
    """The names of the attributes whose statements were edited."""
    values = (one for p in pairs if p.edited for one in (p.old, p.new) if one is not None and not defines(one))
    return {mangled(name, owner.__name__) for one in values for name in one.binds}


def tell_of_members(runner: Runner, owner: type, names: Collection[str]) -> None:
    """Attributes `names` are other ones: told where code of the program's that makes a class below may see it, as an
    ORM's metaclass does that collects columns. What does not look at them does not run again."""
    owns = runner.run.program.owns
    if names and any(sees(cls, names, owns) for cls in all_subclasses(owner)[1:]):
        runner.changes.members_changed((module_of(owner), owner.__qualname__), names)


def _starters(owner: type) -> dict[str, tuple[types.CodeType, Any]]:
    """What runs when an instance of `owner` is made: name → its code and its defaults."""
    functions = ((name, inside(vars(owner).get(name))) for name in ("__init__", "__new__", "__post_init__"))
    return {n: (f.__code__, (f.__defaults__, f.__kwdefaults__)) for n, f in functions if type(f) is types.FunctionType}


def _tell_of_starters(runner: Runner, owner: type, before: Mapping[str, tuple[types.CodeType, Any]]) -> None:
    """Those that came out different, for whoever has made an instance."""
    for name, (code, defaults) in _starters(owner).items():
        if name not in before or not (same_code(before[name][0], code) and same_value(before[name][1], defaults)):
            key = module_of(owner), f"{owner.__qualname__}.{name}"
            runner.changes.code_changed(key, inside(vars(owner)[name]), True)


def tell_of_hook(runner: Runner, owner: type, before: Any, now: Any) -> None:
    """`owner` lost its `__init_subclass__`, or has one now: for the classes below."""
    if (before is ABSENT) != (now is ABSENT):
        runner.changes.hook_changed((module_of(owner), owner.__qualname__), owner, before)


def tell_of_hooks_left(runner: Runner, owner: type, before: Sequence[str]) -> None:
    """`before` are the bases that were told of `owner` when it was made; some may be none of its bases any more."""
    label = f"{runner.work.name}.{runner.scope.label(owner.__name__)}"
    left = set(before) - set(hooks_of(runner.run, owner))
    runner.run.notes += (f"{label}: what `{base}` did in `__init_subclass__` for it stays" for base in sorted(left))


def _marks_of_makers(runner: Runner, owner: type) -> frozenset[str]:
    """Attributes that what makes the class gave it before this reload, and gives it no more."""
    changes = runner.changes
    edited = [changes.unstored.get(id(maker), frozenset()) for maker in makers_of(owner)]
    return frozenset[str]().union(*edited, *(changes.hooks[id(k)][1] for k in owner.__mro__ if id(k) in changes.hooks))


def _methods_trade_places(runner: Runner, before: Contents, twin: type, owner: type) -> list[str]:
    """Methods of the twin that its body registered: those that live stand there instead."""
    lines = []
    for name, made in list(vars(twin).items()):
        lives = vars(owner).get(name)
        if type(made) is types.FunctionType and type(lives) is types.FunctionType and made is not lives:
            lines += runner.run.registrations.settle(before, lives, made, lives, name)
    return lines


def body_class(statement: Statement, made: type, named: type) -> type:
    """The class that the body of a class statement made, where its name gives `made`: a decorator may have put another
    on top, and a call among its bases have made one of the same name too, as `namedtuple("C", …)` does."""
    if not statement.is_class:
        return made
    same = [k for k in made.__mro__ if k.__qualname__ == named.__qualname__ and module_of(k) == module_of(named)]
    if len(same) > 1 and not home_of(same[-1]) and _calls_for_a_base(statement.node):
        same.pop()
    return same[-1] if same else made


def _calls_for_a_base(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Call) for base in node.bases)


def _take_layout(tx: Transaction, owner: type, twin: type) -> bool:
    """Give `owner` the bases and the metaclass of `twin`. False where an instance would be other memory."""
    if not _same_slots(slots_of(owner), slots_of(twin), owner):
        return False
    try:
        if not same_kinds(owner.__bases__, twin.__bases__):
            tx.set_attr(owner, "__bases__", twin.__bases__)
        if type(owner) is not type(twin):
            _take_metaclass(tx, owner, twin)
    except TypeError:
        return False
    return True


def _say_slots(tx: Transaction, owner: type, slots: Any) -> None:
    """Those of the same layout as the source says them now: another order, a docstring; or none, said or left out."""
    if slots is ABSENT:
        tx.del_attr(owner, "__slots__")
    elif slots != vars(owner).get("__slots__", ABSENT):
        tx.set_attr(owner, "__slots__", slots)


def can_become(tx: Transaction, owner: type, twin: type) -> bool:
    """Whether `owner` can be what `twin` is: both are the same definition, in memory too. It has its bases then."""
    alike = _is_same_definition(owner, twin) and type(owner) is type(twin)
    return alike and _take_layout(tx, owner, twin)


def _take_metaclass(tx: Transaction, owner: type, twin: type) -> None:
    note_abstract(tx, owner, type(twin))
    tx.set_attr(owner, "__class__", type(twin))


def note_abstract(tx: Transaction, cls: type, kind: type) -> None:
    """What ABCMeta notes of a class is there where `kind` is under it: the program's own registrations for it stay."""
    if not issubclass(kind, abc.ABCMeta):
        tx.del_attr(cls, "_abc_impl")
    elif own_attribute(cls, "_abc_impl") is ABSENT:
        tx.set_attr(cls, "_abc_impl", own_answers())


def _same_slots(before: Any, after: Any, owner: type) -> bool:
    """Whether slots are the same; to name none is not to have any where the bases bring all that there is."""
    return bool(before == after) or (has_all_by_bases(owner) and all(s == [] or s is ABSENT for s in (before, after)))


def slots_of(cls: type) -> Any:
    """The slots of a class, in the order in which CPython lays them out whatever that of the source (type_new)."""
    slots = vars(cls).get("__slots__", ABSENT)
    return sorted(slots) if is_a(slots, (tuple, list, set, dict)) else slots


def _replace(
    runner: Runner, pair: Pair, owner: type, live: Any, twin: Any, inner: type, pairs: Sequence[Pair], name: str
) -> None:
    """The class cannot become the new one: the new one takes its place, with the instances where CPython allows."""
    instances = live_instances(owner, exact=True)
    line = pair.statement.first
    path = runner.work.loaded.path
    if type(owner) is not type(inner) and instances:
        raise_rude(path, line, "MF010", f"{owner.__name__} gets another metaclass", instances)
    moved: list[Any] = []
    for instance in instances:
        try:
            runner.tx.set_attr(instance, "__class__", inner)
            moved.append(instance)
        except TypeError:
            raise_rude(path, line, "MF012", f"the layout of {owner.__name__} changes", instances)
    subclasses: list[type] = type.__subclasses__(owner)
    for sub in subclasses:
        if sub is inner or sub is twin:
            continue
        bases = tuple(inner if base is owner else base for base in sub.__bases__)
        try:
            runner.tx.set_attr(sub, "__bases__", bases)
        except TypeError:
            if not runner.run.program.owns(sub) or live_instances(sub):
                raise_rude(
                    path, line, "MF012", f"the layout of {owner.__name__} changes under {sub.__name__}", instances
                )
            # Its own statement reads the class, which is another one now: it is made again when that is refreshed.
    runner.scope.set(name, twin)
    runner.changes.value_changed(runner.scope.key(name), live)
    runner.work.record.rebound[runner.scope.label(name)] = None
    runner.run.notes.append(
        f"{runner.work.name}.{name} is a new class object: CPython cannot give the old one the new layout"
    )
    runner.run.registrations.replace(owner, inner)
    _move_members(runner.tx, owner, inner, pairs)
    leave([owner])


def _move_members(tx: Transaction, owner: type, inner: type, pairs: Sequence[Pair]) -> None:
    """What nobody edited goes over to the new class, with its state; held methods act as the new ones."""
    kept, _, _ = _static_names(owner, pairs)
    for name, value in list(vars(owner).items()):
        if name in _NEVER or name not in vars(inner) or is_a(value, _LAYOUT):
            continue
        new = vars(inner)[name]
        if name not in kept and not (type(value) is type(new) and become(tx, value, new)):
            continue
        _retarget_class_cells(tx, value, owner, inner)
        tx.set_attr(inner, name, value)
        _defaults_follow(tx, value, new, vars(owner), inner)


def _defaults_follow(tx: Transaction, lives: Any, made: Any, held: Mapping[str, Any], cls: type) -> None:
    """Of a method that nobody edited, the defaults that are attributes of the class: `cls` has others than those `held`
    before, which the method `made` now has for defaults."""
    for old, new in zip(functions_in(lives, "", depth=1), functions_in(made, "", depth=1), strict=False):
        before, after = old.__defaults__ or (), new.__defaults__ or ()
        if len(before) == len(after) and any(a is not b for a, b in zip(before, after, strict=True)):
            others = {id(value): vars(cls).get(name, value) for name, value in held.items()}
            follow = tuple(b if others.get(id(a), a) is b else a for a, b in zip(before, after, strict=True))
            if any(a is not b for a, b in zip(before, follow, strict=True)):
                tx.set_attr(old, "__defaults__", follow)


def raise_rude(path: str, line: int, code: str, message: str, instances: Sequence[Any]) -> None:
    from midflight.apply.graft.classes import RudeEdit

    live = f", and {len(instances)} of its instances live" if instances else ""
    raise RudeEdit(Problem(path, line, code, message + live, "Revert that line, or restart the process to take it."))


def _static_names(owner: type, pairs: Sequence[Pair]) -> tuple[set[str], set[str], set[str]]:
    """(bound by unedited statements, bound by edited ones, bound by the old body only), as the class holds them."""
    kept: set[str] = set()
    edited: set[str] = set()
    gone: set[str] = set()
    for pair in pairs:
        if pair.old is not None and pair.kind in ("changed", "removed"):
            gone |= {mangled(name, owner.__name__) for name in pair.old.binds}
        if pair.new is not None:
            names = {mangled(name, owner.__name__) for name in pair.new.binds}
            (edited if pair.kind in ("changed", "added") else kept).update(names)
    edited |= {mangled(name, owner.__name__) for name in _no_longer_hidden(pairs)} & kept
    return kept - edited, edited, gone - kept - edited


def _no_longer_hidden(pairs: Sequence[Pair]) -> set[str]:
    """Names that the last statement of the old body to bind them binds no more: those above it may have them again."""
    olds = sorted(((pair.old, pair.new) for pair in pairs if pair.old is not None), key=lambda one: one[0].first)
    last = {name: new for old, new in olds for name in old.binds}
    return {name for name, new in last.items() if new is None or name not in new.binds}


def _is_a_modules(value: Any, owner: type) -> bool:
    """Whether a module holds it by name: the class that has it too has not made it."""
    homes = (sys.modules.get(name) for name in (module_of(type(value)), module_of(owner)))
    return any(one is value for home in homes if home is not None for one in list(vars(home).values()))


def move_attributes(
    tx: Transaction, owner: type, twin: type, pairs: Sequence[Pair], skip: Collection[str] = ()
) -> None:
    kept, edited, gone = _static_names(owner, pairs)
    if not same_kinds(owner.__bases__, twin.__bases__):
        tx.set_attr(owner, "__bases__", twin.__bases__)
    held = dict(vars(owner))
    if getattr(twin, "__type_params__", ()):
        _name_new_parameters(tx, held, twin, kept)
    for name, value in list(vars(twin).items()):
        passed = name in _NEVER or name in skip or (name in kept and name in held)
        if not passed and type(value) not in (types.MemberDescriptorType, types.GetSetDescriptorType):
            _move_attribute(tx, owner, twin, name, value, held)  # a slot fits the twin's instances only
    for name in kept & held.keys() & vars(twin).keys():
        _defaults_follow(tx, held[name], vars(twin)[name], held, owner)
    _say_slots(tx, owner, vars(twin).get("__slots__", ABSENT))
    fields = held.get("_fields", ()) if issubclass(owner, tuple) else ()  # of a named tuple that a call made
    for name in held:
        if name not in vars(twin) and name not in _NEVER and name not in skip:
            if name in gone or name in edited or name in _MADE or name in fields:
                tx.del_attr(owner, name)
    _hold_the_living(tx, owner, twin)
    tx.put_in_order(owner, vars(twin))
    if is_a(owner, abc.ABCMeta):
        derive_abstract(tx, owner)
    else:
        tx.del_attr(owner, "__abstractmethods__")


def _move_attribute(tx: Transaction, owner: type, twin: type, name: str, value: Any, held: Mapping[str, Any]) -> None:
    """`value` is what the twin has under `name`: what `owner` has there becomes that, or makes room for it."""
    _retarget_class_cells(tx, value, twin, owner)
    if type(value) is types.MethodType and value.__self__ is twin:
        value = types.MethodType(value.__func__, owner)  # what a metaclass bound: `_iter_member_` of a flag
    old = held.get(name, ABSENT)
    if old is not value and (_is_of_another(old, owner, twin) or _is_second_name(name, old, held)):
        tx.set_attr(owner, name, _of_first_name(name, value, owner, twin))
    elif _takes_over(old, value):
        become(tx, old, value)
        tx.set_attr(owner, name, value)
    elif not _lives_on(tx, owner, old, value):
        tx.set_attr(owner, name, value)


def _lives_on(tx: Transaction, owner: type, old: Any, value: Any) -> bool:
    """Whether `old` acts as `value` now, and stays where it is."""
    if is_a(old, types.FunctionType):
        return become(tx, old, value) or is_a(value, types.FunctionType)
    if old is ABSENT or type(old) is not type(value) or _is_a_modules(old, owner) or _is_a_modules(value, owner):
        return False
    return become(tx, old, value)


def _name_new_parameters(tx: Transaction, held: Mapping[str, Any], twin: type, kept: Collection[str]) -> None:
    """A class that is made again has type parameters of its own (PEP 695): its unedited methods name these."""
    for name in kept & held.keys() & vars(twin).keys():
        old, new = inside(held[name]), inside(vars(twin)[name])
        if type(old) is type(new) is types.FunctionType and old.__annotations__ != new.__annotations__:
            tx.set_attr(old, "__annotations__", new.__annotations__)
            if own := getattr(new, "__type_params__", ()):
                tx.set_attr(old, "__type_params__", own)


def _hold_the_living(tx: Transaction, owner: type, twin: type) -> None:
    """What was made of members of the twin (an alias, a property, a partial, a metaclass's list of its descriptors) is
    made of those that live."""
    trade: dict[int, tuple[Any, Any]] = {}
    members = tx.members(owner)
    for name, made in vars(twin).items():
        lives = members.get(name)
        if name not in _NEVER and made is not lives and _stands_for(lives, made):
            trade[id(made)] = made, lives
    for name, value in list(members.items()) if trade else ():
        if name not in _NEVER:
            tx.set_attr(owner, name, with_traded(tx, value, trade))


def _stands_for(lives: Any, made: Any) -> bool:
    """Whether a member that lives is what a twin's member of its name was made as: no data, which is only equal."""
    if type(made) is not type(lives) or is_plain(made) or is_container(made) or is_a(made, (type, *_LAYOUT)):
        return False
    return type(made) is not types.FunctionType or made.__qualname__ == lives.__qualname__


def _is_of_another(value: Any, *own: type) -> bool:
    """Whether a class other than `own`, or a module, defines a function that they only hold as well, as a flag holds
    the operators of `enum.Flag`: it stays what it is."""
    for function in functions_in(value, "", depth=1):
        found: Any = function.__globals__
        holder: Any = None
        for part in function.__qualname__.split("."):
            holder, found = found, (found if is_a(found, dict) else shown(found, "__dict__", {})).get(part)
        if any(holder is cls or _is_same_definition(holder, cls) for cls in own):
            continue
        if any(one is function for one in functions_in(found, "", depth=1)):
            return True
    return False


def _is_second_name(name: str, value: Any, held: Mapping[str, Any]) -> bool:
    """Whether a function, or what wraps it, has another name among those `held` by which it is defined."""
    functions = functions_in(value, "", depth=1)
    return any(one.__name__ != name and _holds(held.get(one.__name__), one) for one in functions)


def _of_first_name(name: str, value: Any, owner: type, twin: type) -> Any:
    """What `owner` is to hold for `value` under `name`: of another method of `twin` the one that lives."""
    first = value.__name__ if is_a(value, types.FunctionType) else name
    if first == name or vars(twin).get(first) is not value:
        return value
    lives = vars(owner).get(first)
    return lives if type(lives) is types.FunctionType else value


def _holds(value: Any, function: types.FunctionType) -> bool:
    return any(one is function for one in functions_in(value, "", depth=1))


def _is_same_definition(one: Any, other: type) -> bool:
    return is_a(one, type) and (one.__qualname__, module_of(one)) == (other.__qualname__, module_of(other))


def _takes_over(old: Any, new: Any) -> bool:
    """Whether the class is to hold the new method itself, and only who held the old one is led there: a method of
    another module now, or one that no `def` of the class made and that closes over other values."""
    if type(old) is types.FunctionType and type(new) is types.FunctionType:
        is_made = old.__code__.co_qualname != old.__qualname__
        is_shared = new.__globals__.get(new.__name__) is new  # one function, under a name of its own, for many classes
        if is_made and (is_shared or fitted(old, new.__code__) is None):
            return True
    homes = {function.__qualname__: function.__globals__ for function in functions_in(old, "")}
    return any(homes.get(f.__qualname__, f.__globals__) is not f.__globals__ for f in functions_in(new, ""))


def _retarget_class_cells(tx: Transaction, value: Any, twin: type, owner: type) -> None:
    """`super()`, `__class__` and what a decorator captured of the twin mean the class that lives."""
    for function in functions_in(value, module_of(owner)):
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                inside = cell.cell_contents
            except ValueError:
                continue
            own = name == "__class__" and is_a(inside, type) and inside.__qualname__ == owner.__qualname__
            if inside is twin or own:
                tx.set_cell(cell, owner)


def fill_fields(runner: Runner, owner: type, before: Fields) -> None:
    """Fields that came with a default are filled in on the instances that live; the others are named (rule 3)."""
    gained = {name: make for name, make in fields_of(owner).items() if name not in before}
    instances = live_instances(owner) if gained else []
    for name, make in gained.items():
        if make is not None:
            fill_in(runner.tx, instances, name, make)
    lacking = sorted(name for name, make in gained.items() if make is None)
    if lacking and instances:
        names = ", ".join(lacking)
        runner.run.notes.append(f"{len(instances)} live {owner.__name__} lack {names}: no default says what it is")


def _trade_places(runner: Runner, before: Contents, twin: type, owner: type) -> list[str]:
    """Where the twin registered itself, the class that lives stands instead, and its older entries there go."""
    lines = []
    tables = {id(vars(owner).get(name)) for name in ENUM_TABLES} if is_a(owner, enum.EnumMeta) else set()
    olds = {id(owner)} | runner.run.registrations.rows(before.values(), {id(owner)}, before.registrars)
    for label, container, copy in before.values():
        if id(container) in tables:
            continue
        if is_a(container, dict):
            fresh = {key for key, value in container.items() if has(value, {id(twin)})}
            runner.tx.guard(container)
            ordered = in_place_of(container, olds, fresh, copy) if fresh else None
            for key in [k for k, v in container.items() if fresh and k not in fresh and is_of(v, olds) and k in copy]:
                del container[key]
                lines.append(f"unregistered {label}[{key!r}]")
            if ordered is not None:
                restore(container, ordered)
            for key, value in list(container.items()):
                if value is twin:
                    container[key] = owner
                if key is twin:
                    container[owner] = container.pop(key)
            _new_keys_beside_old(container, copy, owner)
        elif is_a(container, list) and (ordered := succeeded(container, copy, olds, twin)) is not None:
            runner.tx.guard(container)
            restore(container, ordered)
        elif is_a(container, list) and len(container) > len(copy) and twin not in container:
            runner.tx.guard(container)
            lines += _once(label, container, len(copy), owner)
        elif is_a(container, list) and any(item is twin for item in container):
            runner.tx.guard(container)
            known = any(item is owner for item in container)
            container[:] = [owner if i is twin else i for i in container if not (known and i is twin)]
        elif is_a(container, set) and twin in container:
            runner.tx.guard(container)
            container.discard(twin)
            container.add(owner)
    runner.run.registrations.replace(twin, owner)  # also in a list that came with the registration
    return lines


def _new_keys_beside_old(container: dict[Any, Any], before: dict[Any, Any], owner: type) -> None:
    """Keys under which `owner` is registered now, too, stand where its definition does: behind those that it had."""
    came = [key for key, value in container.items() if value is owner and key not in before]
    rest = [key for key in container if key not in came]
    had = [at for at, key in enumerate(rest) if container[key] is owner]
    if came and had:
        keys = [*rest[: had[-1] + 1], *came, *rest[had[-1] + 1 :]]
        restore(container, {key: container[key] for key in keys})


def _once(label: str, container: list[Any], known: int, owner: type) -> list[str]:
    """What the making of a twin appended and what was there already is the entry that the class itself made."""
    came, lines = container[known:], []
    del container[known:]
    for item in came:
        if not (is_plain(item) and any(same_value(item, held) for held in container)):
            container.append(item)
            lines.append(f"{label}: {owner.__qualname__} was made again, which put {item!r} there")
    return lines


class _Nobody:
    """The base of classes that are no longer anybody's subclass."""


def detach(twin: type) -> None:
    """Take the twin out of `__subclasses__()` of its bases at once; its memory goes with the next collection."""
    if same_kinds(twin.__bases__, (object,)):
        return
    try:
        assign_bases(twin, (_Nobody,))
    except TypeError:
        leave([twin])  # another layout: it stays listed until it is collected


def leave(classes: Iterable[type]) -> None:
    """They are among the subclasses of their bases until they are collected."""
    LEFT.update({id(cls): cls for cls in classes})


def leave_classes() -> None:
    """So are classes that nobody knows any more."""
    leave([_Nobody])


def _is_bound(cls: type) -> bool:
    """Whether a module has the class under its name, such as one that still imports what another module lost."""
    modules = [module for module in list(sys.modules.values()) if type(module) is types.ModuleType]
    return any(vars(module).get(cls.__name__) is cls for module in modules)


def collect_left() -> None:
    """After a reload: classes that only the garbage collector takes out of `__subclasses__()`."""
    if LEFT and id(_Nobody) not in LEFT:
        take_apart(LEFT.values())
        for key in [key for key, cls in LEFT.items() if _is_bound(cls)]:
            LEFT.pop(key, None)  # it lives on: a collection goes through the whole heap, and leaves it where it is
    for generation in (0, 2):
        if LEFT:
            gc.collect(generation)
    LEFT.clear()
