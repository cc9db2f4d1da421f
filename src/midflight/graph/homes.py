"""Which module's text made a class or function: `__module__` may say another one, for show."""

from __future__ import annotations

import types
from collections.abc import Collection, Container, Iterable
from typing import Any

from midflight.graph.kinds import is_a, is_kind, shown

_METHODS = (staticmethod, classmethod)


def made_in(value: Any, module: str) -> bool:
    """Whether the text of `module` made `value`. Packages set `__module__` on what they re-export; then the functions
    of a class body tell where it stands."""
    said = shown(value, "__module__")
    return said == module or (is_a(value, type) and home_of(value) == module)


def made_by_statement(cls: type, module: str) -> bool:
    """The same for a class under a name that a class statement of `module` binds: without functions in its body, and
    shown by an outer package as its own, it can be no other's."""
    said = cls.__module__
    return made_in(cls, module) or (not home_of(cls) and isinstance(said, str) and module.startswith(f"{said}."))


def home_of(cls: type) -> str:
    """The module of the functions that the body of `cls` made, "" where it made none."""
    try:
        return _home_in(cls, vars(cls).items())
    except RuntimeError:  # another thread gave it an attribute meanwhile
        return _home_in(cls, list(vars(cls).items()))


def _home_in(cls: type, members: Iterable[tuple[str, Any]]) -> str:
    label = cls.__qualname__
    for name, member in members:
        kind = type(member)
        if kind is types.FunctionType or (type(kind) is type and kind in _METHODS):
            function = member if kind is types.FunctionType else member.__func__
            if type(function) is types.FunctionType and function.__code__.co_qualname == f"{label}.{name}":
                return str(function.__globals__.get("__name__", ""))
    return ""


def module_of(cls: type) -> str:
    """The module that knows `cls` by its qualified name."""
    return home_of(cls) or str(cls.__module__)


def is_one_of(cls: type, classes: Collection[tuple[str, str]], names: Container[str]) -> bool:
    """Whether `cls` is one of `classes`, each a module and a qualified name; `names` are those names alone: nearly all
    classes have another, and where they were made need not be found out."""
    return cls.__qualname__ in names and (module_of(cls), cls.__qualname__) in classes


def inside(member: Any) -> Any:
    """The function of a static or class method; any other member itself. No code of the program's runs."""
    return member.__func__ if is_kind(member, _METHODS) else member
