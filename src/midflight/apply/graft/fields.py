"""The fields of generated classes: dataclasses, attrs and pydantic models, without importing any of them."""

from __future__ import annotations

import copy
import dataclasses
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from midflight.apply.holders import variables_of
from midflight.apply.transaction import Transaction
from midflight.apply.values import same_value
from midflight.graph.kinds import home_said, is_a

_IN_A_FIELD = ("name", "type", "default", "default_factory", "init", "repr", "hash", "compare", "kw_only")
_TABLES = ("__annotations__", "__dataclass_fields__", "__match_args__", "__required_keys__", "__optional_keys__")
Fields = Mapping[str, Callable[[], Any] | None]  # name → what makes its default, None without one


def fields_of(cls: type) -> Fields:
    """The fields that instances of `cls` hold; empty for a class that nothing generated."""
    if "__dataclass_fields__" in vars(cls):
        return {f.name: _of_dataclass(f) for f in dataclasses.fields(cls)}
    if "__attrs_attrs__" in vars(cls):
        return {a.name: _of_attrs(a.default) for a in vars(cls)["__attrs_attrs__"]}
    if "__pydantic_core_schema__" in vars(cls):
        held = vars(cls).get("__pydantic_fields__") or getattr(cls, "model_fields", {})
        return {name: _of_pydantic(field) for name, field in held.items()}
    return {}


def seen_below(cls: type) -> list[Any]:
    """What classes that are made from `cls` take over from its fields, to be compared with `same_fields`."""
    if "__dataclass_fields__" in vars(cls):
        fields = list(vars(cls)["__dataclass_fields__"].values())
        return [[getattr(field, name, None) for name in _IN_A_FIELD] for field in fields]
    if "__attrs_attrs__" in vars(cls):
        return [[getattr(one, name, None) for name in one.__slots__] for one in vars(cls)["__attrs_attrs__"]]
    if "__pydantic_core_schema__" in vars(cls):
        held = vars(cls).get("__pydantic_fields__") or getattr(cls, "model_fields", {})
        return [[name, repr(field)] for name, field in held.items()]
    if typing.is_typeddict(cls):
        return [dict(cls.__annotations__), cls.__required_keys__]  # type: ignore[attr-defined]
    if getattr(cls, "_is_protocol", False):
        return [
            dict(vars(cls).get("__annotations__", {})),
            *sorted(name for name in vars(cls) if _is_asked_for(cls, name)),
        ]
    held = vars(cls).get("__annotations__", {})  # what an `__init_subclass__` or a metaclass reads
    return [dict(held) if is_a(held, dict) else held]


def _is_asked_for(protocol: type, name: str) -> bool:
    """Whether `isinstance` looks for a member of a protocol (Lib/typing.py, _get_protocol_attrs)."""
    return callable(getattr(protocol, name)) and name not in ("__init__", "__subclasshook__", "__class_getitem__")


def tables_of(cls: type) -> dict[str, Any]:
    """Where a class shows its fields, as far as something made it from them; copies, for they may be written to."""
    return {name: copy.copy(vars(cls)[name]) for name in _TABLES if name in vars(cls)}


def same_fields(one: list[Any], other: list[Any]) -> bool:
    if len(one) != len(other):
        return False
    return all(_same_field(a, b) for a, b in zip(one, other, strict=True))


def _same_field(one: Any, other: Any) -> bool:
    if type(one) is type(other) is list:
        return len(one) == len(other) and all(_same_field(a, b) for a, b in zip(one, other, strict=True))
    compared = type(one) is type(other) and home_said(type(one)).startswith("attr.")  # its validators, converters
    return bool(one == other) if compared else same_value(one, other)


def _of_dataclass(field: Any) -> Callable[[], Any] | None:
    if field.default is not dataclasses.MISSING:
        return lambda: field.default
    return field.default_factory if field.default_factory is not dataclasses.MISSING else None


def _of_attrs(default: Any) -> Callable[[], Any] | None:
    attr = sys.modules.get("attr")
    if attr is None or default is attr.NOTHING:
        return None
    if is_a(default, attr.Factory):
        return None if default.takes_self else default.factory
    return lambda: default


def _of_pydantic(field: Any) -> Callable[[], Any] | None:
    if field.is_required() or getattr(field, "default_factory_takes_validated_data", False):
        return None
    return lambda: field.get_default(call_default_factory=True)


def _bind_decorators(tx: Transaction, cls: type) -> None:
    """Validators and serializers are bound to the class that their statement made."""
    infos = vars(cls).get("__pydantic_decorators__")
    for held in vars(infos).values() if hasattr(infos, "__dict__") else _slots(infos):
        if is_a(held, dict) and all(hasattr(each, "cls_var_name") for each in held.values()):
            tx.set_contents(held, {name: _bound(each, cls) for name, each in held.items()})


def _bound(decorator: Any, cls: type) -> Any:
    return decorator.build(cls, cls_var_name=decorator.cls_var_name, shim=decorator.shim, info=decorator.info)


def _slots(value: Any) -> list[Any]:
    return [getattr(value, name, None) for name in getattr(type(value), "__slots__", ())]


def complete(tx: Transaction, cls: type, namespace: Mapping[str, Any]) -> None:
    """What a library derives from the class object itself is derived anew: a pydantic schema makes instances of it."""
    rebuild = getattr(cls, "model_rebuild", None)
    if "__pydantic_core_schema__" in vars(cls) and rebuild is not None:
        tx.guard_object(cls)
        _bind_decorators(tx, cls)
        rebuild(force=True, raise_errors=False, _types_namespace=dict(namespace))
    if "__dataclass_fields__" in vars(cls):
        tx.later(lambda: _hold_factories(tx, cls))


def _hold_factories(tx: Transaction, cls: type) -> None:
    """The fields of a dataclass name the factories that its `__init__` calls: those that live."""
    called = variables_of(vars(cls).get("__init__"))
    for field in vars(cls)["__dataclass_fields__"].values():
        for variable in (f"_dflt_{field.name}", f"__dataclass_dflt_{field.name}__"):  # Lib/dataclasses.py, _init_fn
            if type(called.get(variable)) is type(field.default_factory) is types.FunctionType:
                tx.set_attr(field, "default_factory", called[variable])
