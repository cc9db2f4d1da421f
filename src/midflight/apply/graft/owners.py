"""Which class `super()` and `__class__` mean in code whose closure does not hold it: a constant says so."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from midflight.apply.holders import functions_in, is_class_body, nested_codes
from midflight.graph.kinds import is_a

# In the class's place until it is known of the function that is to run the code, and in that of `super`.
CLASS = "\x00midflight: the class"
SUPER = CLASS + "super"


def placed(code: types.CodeType, owner: type | None, look_up: Callable[[str], Any]) -> types.CodeType:
    """`code` with the classes that its functions stand in; `look_up` finds those of the scope. What stands in a class
    that a function makes stays open: each function that lives may have another one."""
    if not is_class_body(code) and not code.co_name.startswith("<generic parameters of "):
        return with_class(code, owner)
    if is_class_body(code) and (owner is None or code.co_name != owner.__name__):
        found = look_up(code.co_name)
        owner = found if is_a(found, type) else None
    inside = vars(owner).get if is_class_body(code) and owner is not None else look_up
    return replaced(code, {id(one): placed(one, owner, inside) for one in nested_codes(code)})


def with_class(code: types.CodeType, owner: type | None) -> types.CodeType:
    """The code of a function with the class that it means; without one its place stays open."""
    inner = {id(one): one if is_class_body(one) else with_class(one, owner) for one in nested_codes(code)}
    named = {} if owner is None else {CLASS: owner}
    meant = {id(one): {SUPER: super, **named}.get(one, one) for one in code.co_consts if type(one) is str}
    return replaced(code, {**inner, **meant})


def classes_of(code: types.CodeType, source: types.CodeType) -> types.CodeType:
    """`code`, a form of `source`, making its classes by what the source says: those that it makes need no constant."""
    pairs = zip(nested_codes(code), nested_codes(source), strict=True)
    return replaced(code, {id(one): _by_source(one, theirs) for one, theirs in pairs})


def _by_source(code: types.CodeType, source: types.CodeType) -> types.CodeType:
    if not is_class_body(code):
        return classes_of(code, source)
    return source if code.co_freevars == source.co_freevars else code


def is_open(code: types.CodeType) -> bool:
    """Whether `code`, or code inside it, still has a place where a class belongs."""
    return CLASS in [one for one in code.co_consts if type(one) is str] or any(map(is_open, nested_codes(code)))


def replaced(code: types.CodeType, others: Mapping[int, Any]) -> types.CodeType:
    """`code` with other constants, by the id of those that they stand for."""
    consts = tuple(others.get(id(const), const) for const in code.co_consts)
    if all(a is b for a, b in zip(consts, code.co_consts, strict=True)):
        return code
    return code.replace(co_consts=consts)


def in_local_class(code: types.CodeType) -> bool:
    """Whether `code` stands in a class that a function makes: there may be many of it."""
    return any("." in part for part in code.co_qualname.split(".<locals>.")[1:])


def owner_of(function: types.FunctionType) -> type | None:
    """The living class in whose body the `def` of `function` stands; None where no class has it as a member."""
    path = function.__code__.co_qualname.rpartition(".")[0]
    for cls in _classes(object, set()):
        if cls.__qualname__ == path and cls.__module__ == function.__module__ and _has(cls, function):
            return cls
    return None


def _has(cls: type, function: types.FunctionType) -> bool:
    return any(one is function for member in list(vars(cls).values()) for one in functions_in(member, ""))


def _classes(cls: type, seen: set[int]) -> Iterator[type]:
    subclasses: list[type] = type.__subclasses__(cls)
    for below in subclasses:
        if id(below) not in seen:
            seen.add(id(below))
            yield below
            yield from _classes(below, seen)
