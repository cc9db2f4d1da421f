"""Which module's text made a class or function: `__module__` may say another one, for show."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any


def made_in(value: Any, module: str) -> bool:
    """Whether `value`, found under its name in `module` or in a class of it, was made by the text of `module`.

    Packages set `__module__` on what they re-export. Then the functions of a class body tell where it stands; a class
    without any that an outer package shows as its own can be no other's."""
    if not isinstance(value, type):
        return getattr(value, "__module__", None) == module
    said = value.__module__
    if said == module:
        return True
    home = home_of(value)
    return home == module or (home == "" and isinstance(said, str) and module.startswith(said + "."))


def home_of(cls: type) -> str:
    """The module of the functions that the body of `cls` made, "" where it made none."""
    return next((str(function.__globals__.get("__name__", "")) for function in _own_methods(cls)), "")


def module_of(cls: type) -> str:
    """The module that knows `cls` by its qualified name."""
    return home_of(cls) or str(cls.__module__)


def _own_methods(cls: type) -> Iterator[types.FunctionType]:
    for name, member in list(vars(cls).items()):
        function = getattr(member, "__func__", member)
        if type(function) is types.FunctionType and function.__code__.co_qualname == f"{cls.__qualname__}.{name}":
            yield function
