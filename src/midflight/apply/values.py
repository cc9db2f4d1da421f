"""Is a value still the one its statement made? Old source is run again aside, with the values of before."""

from __future__ import annotations

import builtins
import re
import types
from collections.abc import Mapping, Sequence
from typing import Any

from midflight.apply.scopes import ClassScope, Scope
from midflight.apply.transaction import ABSENT
from midflight.graph.hook import is_plain
from midflight.plan.purity import is_pure_statement
from midflight.plan.statements import Statement


def same_value(left: Any, right: Any) -> bool:
    """Equal data of equal types all the way down; functions, classes and objects only if they are the same one."""
    if left is right:
        return True
    kind = type(left)
    if kind is not type(right):
        return False
    if kind in (tuple, list):
        return len(left) == len(right) and all(map(same_value, left, right))
    if kind is dict:
        return list(left) == list(right) and all(same_value(left[k], right[k]) for k in left)
    if kind in (set, frozenset):
        return bool(left == right) and {repr(x) for x in left} == {repr(x) for x in right}
    if kind is float or kind is complex:
        return repr(left) == repr(right)
    if kind is re.Pattern or is_plain(left):
        return bool(left == right)
    return False


def is_container(value: Any) -> bool:
    return type(value) in (dict, list, set)


def is_derived_kind(value: Any) -> bool:
    """Values that may be made again when what they were built from changes (SEMANTICS: values flow)."""
    return is_plain(value) or isinstance(value, (types.FunctionType, types.MethodType, type, re.Pattern, tuple))


class Before:
    """The namespace of a module as it was when the reload began."""

    def __init__(self, namespace: Mapping[str, Any], module: str, values: Mapping[tuple[str, str], Any]) -> None:
        self._namespace, self._module, self._values = namespace, module, values

    def namespace(self) -> dict[str, Any]:
        out = dict(self._namespace)
        changed = {module for module, _ in self._values}
        classes = {(module, name.rpartition(".")[0]) for module, name in self._values if "." in name}
        for (module, name), old in self._values.items():
            if module == self._module and "." not in name:
                if old is ABSENT:
                    out.pop(name, None)
                else:
                    out[name] = old
        for name, value in list(out.items()):
            if isinstance(value, types.ModuleType) and value.__name__ in changed:
                out[name] = _ModuleBefore(value, self._values)
            elif isinstance(value, type) and any((k.__module__, k.__qualname__) in classes for k in value.__mro__):
                out[name] = _ClassBefore(value, self._values)
        return out


class _ModuleBefore:
    """A module with the values it had: what `config.HOST` gave before."""

    def __init__(self, module: types.ModuleType, values: Mapping[tuple[str, str], Any]) -> None:
        self._module, self._values = module, values

    def __getattr__(self, name: str) -> Any:
        old = self._values.get((self._module.__name__, name), ABSENT)
        return getattr(self._module, name) if old is ABSENT else old


class _ClassBefore:
    """A class with the attributes it had: what `Config.HOST` gave before."""

    def __init__(self, cls: type, values: Mapping[tuple[str, str], Any]) -> None:
        self._cls, self._values = cls, values

    def __getattr__(self, name: str) -> Any:
        for base in self._cls.__mro__:
            old = self._values.get((base.__module__, f"{base.__qualname__}.{name}"), ABSENT)
            if old is not ABSENT:
                return old
            if name in vars(base):
                break
        return getattr(self._cls, name)


def builds_purely(statements: Sequence[Statement], namespace: Mapping[str, Any]) -> bool:
    def is_builtin(name: str) -> bool:
        if name == "re":
            return namespace.get("re") is re
        return name not in namespace and hasattr(builtins, name)

    return bool(statements) and all(is_pure_statement(s.node, is_builtin) for s in statements)


def rebuilt(scope: Scope, statements: Sequence[Statement], name: str, before: Before) -> Any:
    """What the old source of `name` gives, run aside with the values of before; ABSENT if that cannot be told."""
    namespace = before.namespace()
    if not builds_purely(statements, namespace):
        return ABSENT
    names = {bound for s in statements for bound in s.binds}
    try:
        code = scope.compile([s.located() for s in statements])
        if isinstance(scope, ClassScope):
            mangled = {scope.mangled(bound) for bound in names}
            local = {k: v for k, v in vars(scope.owner).items() if k not in mangled}
            exec(code, namespace, local, closure=tuple(types.CellType() for _ in code.co_freevars) or None)  # type: ignore[call-overload]
            return local.get(scope.mangled(name), ABSENT)
        for bound in names:
            namespace.pop(bound, None)
        exec(code, namespace)
    except Exception:
        # It made a value once; that it cannot now only means that we cannot tell, so the value counts as touched.
        return ABSENT
    return namespace.get(name, ABSENT)
