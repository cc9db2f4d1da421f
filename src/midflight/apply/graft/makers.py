"""What runs when a class is made, and whether it sees what the bases of that class have."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from midflight.apply.callables import only_stored_in
from midflight.apply.holders import codes_within
from midflight.graph.homes import inside
from midflight.graph.kinds import is_a

# By these it may come to any attribute.
_ANY = frozenset(
    "vars dir getattr hasattr getmembers getattr_static get_annotations get_type_hints mro "
    "__dict__ __mro__ __bases__ __base__ __annotations__".split()
)


def makers_of(owner: type) -> list[Any]:
    """The program's functions that run when the class is made."""
    metaclasses = inspect.getmro(type(owner))
    found = [vars(k).get(n) for k in metaclasses for n in ("__new__", "__init__") if k is not type]
    found += [vars(k).get("__init_subclass__") for k in owner.__mro__[1:]]
    return [inside(f) for f in found if f is not None]


def sees(owner: type, names: Collection[str], owns: Callable[[Any], bool]) -> bool:
    """Whether what makes `owner` may use one of the attributes `names` of a base. `owns` tells code of the program."""
    return any(_uses(code, names) for code in _codes(owner, owns))


def _uses(code: types.CodeType, names: Collection[str]) -> bool:
    found = set(_words(code))
    return not _ANY.isdisjoint(found) or not (found.intersection(names) <= only_stored_in(code, names))


def _codes(owner: type, owns: Callable[[Any], bool]) -> Iterator[types.CodeType]:
    """The code of the makers, and of functions of the program that they look up: they may be called."""
    waiting, seen = list(filter(owns, makers_of(owner))), set[int]()
    while waiting:
        function = waiting.pop()
        if type(function) is types.FunctionType and id(function) not in seen:
            seen.add(id(function))
            yield function.__code__
            waiting += filter(owns, _looked_up(function, owner))


def _looked_up(function: types.FunctionType, owner: type) -> Iterable[Any]:
    names, space = set(_words(function.__code__)), function.__globals__
    held = [space[name] for name in names if name in space]
    modules = [one for one in held if is_a(one, types.ModuleType)]
    spaces = [vars(one) for one in (*modules, *owner.__mro__, *inspect.getmro(type(owner)))]
    return [*held, *(inside(one[name]) for one in spaces for name in names if name in one)]


def _words(code: types.CodeType) -> Iterator[str]:
    for one in codes_within(code):
        yield from one.co_names
        yield from (const for const in one.co_consts if type(const) is str)
