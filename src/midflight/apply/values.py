"""Is a value still the one its statement made? Old source is run again aside, with the values of before."""

from __future__ import annotations

import builtins
import itertools
import operator
import re
import sys
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from midflight.apply.holders import MOST
from midflight.apply.past import Old
from midflight.apply.scopes import ClassScope, Scope
from midflight.apply.transaction import ABSENT
from midflight.graph.homes import module_of
from midflight.graph.hook import is_plain
from midflight.graph.kinds import is_a, is_kind
from midflight.graph.loaded import names_used
from midflight.graph.modules import prefixes
from midflight.plan.order import LISTERS
from midflight.plan.purity import LIBRARY, is_pure_statement
from midflight.plan.statements import Statement

_DERIVED = (types.FunctionType, types.MethodType, type, re.Pattern, re.Match, tuple)
_TYPES = frozenset({"types", "typing", "collections.abc"})
_ALL_NAMES = LISTERS | {"eval", "exec"}  # with these, code reads what it does not name
OF_FUNCTIONS = ("__doc__", "__defaults__", "__kwdefaults__")
_DATA = frozenset({int, str, float, bool, bytes, type(None)})  # most containers have only such
NESTED = 2  # containers inside containers that are looked into
_OWN_NAMES = ("__builtins__", "__name__")  # what the interpreter reads in any namespace

InPlace = Mapping[int, tuple[Any, Any, Any]]  # as in Changes.in_place
NOTHING: InPlace = MappingProxyType({})


def same_value(left: Any, right: Any, was: InPlace = NOTHING, purged: InPlace = NOTHING) -> bool:
    """Equal data of equal types all the way down; functions, classes and objects only if they are the same one.

    With `was`, a container in `right` that was brought up to date in place counts as what it held before; with
    `purged` one that definitions have left in this reload counts as with them."""
    if left is right or (id(right) in was and was[id(right)][1] is left):
        return True
    if is_a(left, StandIn):
        return bool(left == right)
    right = purged[id(right)][1] if id(right) in purged else right
    kind = type(left)
    if kind is not type(right):
        return False
    if is_kind(left, (tuple, list)):
        return len(left) == len(right) and all(same_value(a, b, was, purged) for a, b in zip(left, right, strict=True))
    if kind is dict:
        return list(left) == list(right) and all(same_value(left[k], right[k], was, purged) for k in left)
    if is_kind(left, (set, frozenset)):
        return bool(left == right) and {repr(x) for x in left} == {repr(x) for x in right}
    if kind is float or kind is complex:
        return repr(left) == repr(right)
    if issubclass(kind, types.BuiltinMethodType):
        return left.__name__ == right.__name__ and same_value(left.__self__, right.__self__)
    if kind is re.Match:
        return _what_matched(left) == _what_matched(right)
    if kind is re.Pattern or is_plain(left):
        # Types are equal in any order of their members; a fresh process shows the order of its source.
        return bool(left == right) and (kind.__module__ not in _TYPES or repr(left) == repr(right))
    return False


def _what_matched(match: re.Match[Any]) -> tuple[Any, ...]:
    return match.re, match.string, match.pos, match.endpos, match.regs


def before_in_place(value: Any, was: InPlace) -> Any:
    """`value` with what its containers held before they were brought up to date; itself where none was."""
    if id(value) in was:
        return was[id(value)][1]
    kind = type(value)
    if is_kind(value, (list, tuple)):
        items = [before_in_place(item, was) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else kind(items)
    if kind is dict:
        inside = {key: before_in_place(item, was) for key, item in value.items()}
        return value if all(inside[key] is value[key] for key in value) else inside
    return value


def is_container(value: Any) -> bool:
    return is_kind(value, (dict, list, set))


def is_data(value: Any) -> bool:
    return is_container(value) or is_plain(value) or is_a(value, (tuple, re.Pattern, re.Match))


def is_derived_kind(value: Any) -> bool:
    """Values that may be made again when what they were built from changes (SEMANTICS: values flow)."""
    return is_plain(value) or is_a(value, _DERIVED) or _is_method_of_data(value)


def _is_method_of_data(value: Any) -> bool:
    """Whether it is such as `re.compile(…).match`: a method in C of what cannot change."""
    return is_a(value, types.BuiltinMethodType) and (is_plain(value.__self__) or is_a(value.__self__, re.Pattern))


class Before(Mapping[str, Any]):
    """The namespace of a module as it was when the reload began, without the names `below`; those in `order` stand so,
    below what no statement binds. Looked into name by name: a long module has many, of which a statement reads few."""

    def __init__(
        self,
        namespace: Mapping[str, Any],
        module: str,
        values: Old,
        below: Collection[str] = (),
        order: Sequence[str] = (),
    ) -> None:
        self._namespace, self._module, self._values = namespace, module, values
        self._below, self._order = below, order

    def __getitem__(self, name: str) -> Any:
        old = self._values.get((self._module, name), self._namespace.get(name, ABSENT))
        if old is ABSENT or name in self._below:
            raise KeyError(name)
        # A dict of classes that no reload changes: a look at each of them was most of what making a value anew took.
        return old if name == "__builtins__" else as_before(old, self._values)

    def __iter__(self) -> Iterator[str]:
        changed = (name for name in self._values.names_of(self._module) if "." not in name)
        above = itertools.takewhile(lambda name: name not in self._order, self._namespace) if self._order else ()
        return (name for name in dict.fromkeys((*above, *self._order, *self._namespace, *changed)) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def namespace(self, used: Collection[str]) -> dict[str, Any]:
        """What code that uses these names runs in; all of it where one of them may ask for any."""
        names = (*_OWN_NAMES, *used) if _ALL_NAMES.isdisjoint(used) else self
        return {name: self[name] for name in names if name in self}

    def body(self, scope: ClassScope) -> dict[str, Any]:
        """The names of a class body as they were."""
        out = dict(vars(scope.owner))
        for name in self._values.names_of(self._module):
            outer, _, inner = name.rpartition(".")
            if outer + "." == scope.prefix:
                out[inner] = self._values.get((self._module, name))
        return {name: value for name, value in out.items() if value is not ABSENT}


def as_before(value: Any, values: Old) -> Any:
    """A module or class of which something changed answers with what it held, also inside a container."""
    if is_kind(value, (list, tuple, dict)):
        return _holding_before(value, values)
    if is_a(value, types.ModuleType):
        if values.has_of(value.__name__):
            return _Before(value, value.__name__, "", values)
    elif is_a(value, type):
        if any(values.has_of(module_of(kind), kind.__qualname__) for kind in value.__mro__):
            return _Before(value, module_of(value), value.__qualname__ + ".", values)
    elif type(value) is types.FunctionType and values.has_of(value.__module__, value.__qualname__):
        return _Before(value, value.__module__, value.__qualname__ + ".", values)
    return value


def _holding_before(container: Any, values: Old, depth: int = NESTED) -> Any:
    """`container` with its functions and classes as they showed themselves; itself where none differs by now."""
    if len(container) > MOST or not depth:
        return container
    held = list(container.values() if type(container) is dict else container)
    if _DATA.issuperset(map(type, held)):
        return container

    def shown_as(one: Any) -> Any:
        if is_kind(one, (list, tuple, dict)):
            return _holding_before(one, values, depth - 1)
        return as_before(one, values)

    shown = list(map(shown_as, held))
    if all(map(operator.is_, shown, held)):
        return container
    return dict(zip(list(container), shown, strict=False)) if type(container) is dict else type(container)(shown)


def with_outer(key: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """A class, or function, and the classes that it stands in: `User.Meta` and `User`; of a module itself just that."""
    module, name = key
    yield from ((module, label) for label in (prefixes(name) if name else ("",)))


class StandIn:
    """What stands for an object while a value of before is made, and counts as that object in it."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    def __eq__(self, other: object) -> bool:
        return self._owner is (other._owner if is_a(other, StandIn) else other)

    def __hash__(self) -> int:
        return hash(self._owner)

    def __repr__(self) -> str:
        return repr(self._owner)

    def __str__(self) -> str:
        return str(self._owner)


class _Before(StandIn):
    """A module or class with the values it had: what `config.HOST` gave before."""

    def __init__(self, owner: Any, module: str, prefix: str, values: Old) -> None:
        super().__init__(owner)
        self._module, self._prefix, self._values = module, prefix, values

    __doc__ = property(lambda self: self.__getattr__("__doc__"))  # as of any other attribute
    __dict__ = property(lambda self: _dict_before(self._owner, self._prefix, self._values))  # for `vars`

    def __dir__(self) -> list[str]:
        kinds = self._owner.__mro__ if is_a(self._owner, type) else (self._owner,)
        return sorted({name for kind in kinds for name in _dict_before(kind, "", self._values)})

    def __getattr__(self, name: str) -> Any:
        keys = [(self._module, self._prefix + name)]
        if is_a(self._owner, type):
            keys = [(module_of(k), f"{k.__qualname__}.{name}") for k in self._owner.__mro__]
        for key in keys:
            old = self._values.get(key, ABSENT)
            if old is not ABSENT:
                return old
        return as_before(getattr(self._owner, name), self._values)


def _dict_before(owner: Any, prefix: str, values: Old) -> Mapping[str, Any]:
    """The dict of a module or class with what it held."""
    if is_a(owner, type):
        module, prefix = module_of(owner), f"{owner.__qualname__}."
    else:
        module = owner.__name__
    held = dict(vars(owner))
    for label in values.names_of(module):
        if label.startswith(prefix) and "." not in (name := label[len(prefix) :]):
            held[name] = values.get((module, label))
    return MappingProxyType({name: value for name, value in held.items() if value is not ABSENT})


def builds_purely(statements: Sequence[Statement], namespace: Mapping[str, Any]) -> bool:
    def is_builtin(name: str) -> bool:
        if name in LIBRARY:
            module = sys.modules.get(LIBRARY[name])
            return module is not None and namespace.get(name) is vars(module).get(name, module)
        return name not in namespace and hasattr(builtins, name)

    return bool(statements) and all(is_pure_statement(s.node, is_builtin) for s in statements)


def rebuilt(scope: Scope, statements: Sequence[Statement], name: str, before: Before) -> Any:
    """What the old source of `name` gives, run aside with the values of before; ABSENT if that cannot be told."""
    if not builds_purely(statements, before):
        return ABSENT
    names = {bound for s in statements for bound in s.binds}
    try:
        code = scope.compile([s.located() for s in statements])
        namespace = before.namespace({name, *names_used((code,))})
        if isinstance(scope, ClassScope):
            mangled = {scope.mangled(bound) for bound in names}
            above = scope.bound_above(statements[0])
            local = {k: v for k, v in before.body(scope).items() if k in above and k not in mangled}
            local["__annotations__"] = {}  # the class's own is not to be written
            exec(code, namespace, local, closure=tuple(types.CellType() for _ in code.co_freevars) or None)
            return local.get(scope.mangled(name), ABSENT)
        for bound in names:
            namespace.pop(bound, None)
        namespace["__annotations__"] = {}  # the module's own is not to be written
        exec(code, namespace)
    except Exception:
        # It made a value once; that it cannot now only means that we cannot tell, so the value counts as touched.
        return ABSENT
    return namespace.get(name, ABSENT)
