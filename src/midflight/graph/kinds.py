"""What a value is and says, asked of its type: no code of the program's runs for it, as that of a proxy would."""

from __future__ import annotations

import types
from collections.abc import Container, Sequence
from operator import is_
from typing import Any, TypeGuard, TypeVar, overload

T = TypeVar("T")


def is_kind(value: Any, kinds: Container[type]) -> bool:
    """Whether the type of `value` is one of `kinds`, which are all made by `type` itself: to look for another class
    among them runs the `__hash__` of its metaclass, which has none where it has an `__eq__` alone."""
    kind = type(value)
    return type(kind) is type and kind in kinds


def same_kinds(left: Sequence[type], right: Sequence[type]) -> bool:
    """Whether both are the same classes, in the same order: none is asked whether it is equal."""
    return len(left) == len(right) and all(map(is_, left, right))


@overload
def is_a(value: Any, kinds: type[T]) -> TypeGuard[T]: ...
@overload
def is_a(value: Any, kinds: tuple[type, ...]) -> bool: ...
def is_a(value: Any, kinds: type | tuple[type, ...]) -> bool:
    """What `isinstance` says of the type of `value` alone. That one also asks for its `__class__`, which a proxy finds
    out: it sets up what it stands for, or raises where that cannot be yet."""
    return issubclass(type(value), kinds)


def shown(value: Any, name: str, default: Any = None) -> Any:
    """What `getattr` gives where no code of the program's has to run for it: a proxy would find out what it stands for.
    Of a class with a `__getattr__` or `__getattribute__` of its own, what its instances and it have."""
    kind = type(value)
    if kind is types.FunctionType or kind is type:
        return getattr(value, name, default)  # nearly all that is asked, and the fastest
    find = type.__getattribute__(kind, "__getattribute__")
    try:
        return find(value, name) if type(find) is types.WrapperDescriptorType else object.__getattribute__(value, name)
    except AttributeError:
        return default


def home_said(kind: type) -> str:
    """The name of the module that a class says it is of; "" where it holds something else there, such as the property
    by which the proxies that are its instances say theirs."""
    said = shown(kind, "__module__")
    return said if type(said) is str else ""
