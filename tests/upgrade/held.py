"""What a program holds of a package while it is edited, and what of that is no longer what the names lead to."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Callable
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


def lost(held: Held, forwarded_to: Callable[[types.FunctionType], Any] = lambda _: None) -> list[str]:
    """What is held and no longer the one that the program finds by its name, or no longer acts as it. `forwarded_to`
    gives what a function calls that could not become it."""
    return sorted(filter(None, (lost_one(path, value, forwarded_to) for path, value in held.items())))


def lost_one(path: str, value: Any, forwarded_to: Callable[[types.FunctionType], Any]) -> str:
    kind, _, place = path.rpartition(" ")
    now = find(place)
    if now is ABSENT or not same_sort(kind, place, value, now):
        return ""
    if kind == "instance":
        return "" if type(value) is now else f"{path} is of another class"
    function = value.__func__ if kind == "bound" else value
    if function is now or (type(now) is types.FunctionType and moved(function, now, forwarded_to)):
        return ""
    return f"{path} runs another function" if kind == "bound" else f"{path} is another object"


def moved(old: types.FunctionType, now: types.FunctionType, forwarded_to: Callable[[types.FunctionType], Any]) -> bool:
    """Whether the definition stands in another module now: "A function that moves is a new object there (its globals
    are the new module's); the old one forwards to it" (rule 5)."""
    return old.__globals__ is not now.__globals__ and forwarded_to(old) is now


ABSENT = object()


def find(place: str) -> Any:
    module, _, names = place.partition(":")
    found: Any = sys.modules.get(module, ABSENT)
    for name in filter(None, names.split(".")):
        found = getattr(found, "__dict__", {}).get(name, ABSENT)
    return found


def same_sort(kind: str, place: str, value: Any, now: Any) -> bool:
    """Whether the new source still defines a plain function for a function, a class for a class, under that name:
    "Old and new source are matched statement by statement: by what they bind and what they are" (rule 1). What only
    an assignment or an import binds to the name, such as `Old = New`, is another definition."""
    if isinstance(value, types.ModuleType):
        return isinstance(now, types.ModuleType)
    name = place.partition(":")[2]
    if kind == "instance" or isinstance(value, type):
        return (
            isinstance(now, type)
            and now.__module__ in of_package(place.partition(".")[0].partition(":")[0])
            and (now.__qualname__ == name)
        )
    return type(now) is types.FunctionType and now.__code__.co_qualname == now.__qualname__ == name
