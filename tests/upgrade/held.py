"""What a program holds of a package while it is edited, and what of that is no longer what the names lead to."""

from __future__ import annotations

import contextlib
import sys
import types
from typing import Any

Held = dict[str, Any]


def of_package(package: str) -> list[str]:
    """The loaded modules of `package`, and the program's own."""
    return sorted(name for name in sys.modules if name in (package, "holder") or name.startswith(f"{package}."))


def is_module(value: object) -> bool:
    return issubclass(type(value), types.ModuleType)


def hold(package: str) -> Held:
    """Modules, functions and classes by where they live; with each class a bare instance and its bound methods."""
    held: Held = {name: sys.modules[name] for name in of_package(package)}
    for name in of_package(package):
        for key, value in list(vars(sys.modules[name]).items()):
            if getattr_static(value, "__module__") == name and defined_as(value, key):
                held[f"{name}:{key}"] = value
                if isinstance(value, type):
                    held.update(hold_members(f"{name}:{key}", value))
    return held


def getattr_static(value: object, name: str) -> object:
    return getattr(value, name, None) if type(value) is types.FunctionType or issubclass(type(value), type) else None


def defined_as(value: Any, name: str) -> bool:
    """Whether a plain `def` or `class` statement made `value` (a decorator's result may be made again)."""
    if type(value) is types.FunctionType:
        return bool(value.__code__.co_qualname == value.__qualname__ == name)
    return bool(value.__qualname__ == name)


def hold_members(path: str, cls: type) -> Held:
    held: Held = {}
    for name, member in vars(cls).items():
        if type(member) is types.FunctionType and member.__code__.co_qualname == f"{cls.__qualname__}.{name}":
            held[f"{path}.{name}"] = member
    if any(vars(base).get("__slots__") for base in cls.__mro__) or not cls.__dictoffset__:
        return held  # a layout that may change only where nothing of the class lives: that is a rude edit
    with contextlib.suppress(TypeError):  # no bare instance of what is abstract or needs its own __new__
        instance = object.__new__(cls)
        held[f"instance {path}"] = instance
        for name in (key.rpartition(".")[2] for key in list(held) if key.startswith(f"{path}.")):
            held[f"bound {path}.{name}"] = types.MethodType(vars(cls)[name], instance)
    return held


def lost(held: Held) -> list[str]:
    """What is held and no longer the one that the program finds by its name, or no longer acts as it."""
    return sorted(filter(None, (lost_one(path, value) for path, value in held.items())))


def lost_one(path: str, value: Any) -> str:
    kind, _, place = path.rpartition(" ")
    now = find(place)
    if now is ABSENT or not same_sort(kind, value, now):
        return ""
    if kind == "instance":
        return "" if type(value) is now else f"{path} is of another class"
    if kind == "bound":
        return "" if value.__func__ is now else f"{path} runs another function"
    return "" if value is now else f"{path} is another object"


ABSENT = object()


def find(place: str) -> Any:
    module, _, names = place.partition(":")
    found: Any = sys.modules.get(module, ABSENT)
    for name in filter(None, names.split(".")):
        found = getattr(found, "__dict__", {}).get(name, ABSENT)
    return found


def same_sort(kind: str, value: Any, now: Any) -> bool:
    """Whether the new source still has a plain function for a function, a class for a class."""
    if kind == "instance" or isinstance(value, type):
        return isinstance(now, type)
    if isinstance(value, types.ModuleType):
        return isinstance(now, types.ModuleType)
    plain = type(now) is types.FunctionType
    return plain and now.__code__.co_qualname == now.__qualname__
