"""Make one object act as another: wrappers of every kind are retargeted in place."""

from __future__ import annotations

import functools
import gc
import operator
import types
from collections.abc import Callable, Mapping
from typing import Any

from midflight.apply.graft.functions import annotated_anew, forward, graft_function, has_name
from midflight.apply.holders import LRU
from midflight.apply.transaction import Transaction, dict_of
from midflight.graph.kinds import is_a, is_kind


def become(tx: Transaction, old: Any, new: Any) -> bool:
    """Make `old` act as `new` for whoever holds it. False where CPython gives no way: then `old` is untouched."""
    pair = id(old), id(new)
    if old is new or pair in tx.becoming:  # closures that lead to one another lead back to it
        return True
    tx.becoming.add(pair)
    try:
        return _become(tx, old, new)
    finally:
        tx.becoming.discard(pair)


def _become(tx: Transaction, old: Any, new: Any) -> bool:
    if type(old) is types.FunctionType:
        if type(new) is types.FunctionType:
            return graft_function(tx, old, new)
        if callable(new):
            forward(tx, old, new)
        return False  # whoever looks the name up must find the other kind of object
    retarget = _RETARGET[type(old)] if is_kind(old, _RETARGET) else None
    if retarget is not None and type(new) is type(old):
        return bool(retarget(tx, old, new))
    if type(old) is type(new) and is_wrapper_object(old) and is_wrapper_object(new):
        return _retarget_object(tx, old, new)
    return False


def is_wrapper_object(value: Any) -> bool:
    """An object of a program's own class that can be called or is a descriptor, with a dict of attributes."""
    # Asked of each class itself: `hasattr` finds what its metaclass makes instances with, too.
    members = [vars(kind) for kind in type(value).__mro__]
    return (
        dict_of(value) is not None
        and not is_a(value, (type, types.ModuleType, types.FunctionType))
        and any("__call__" in names or "__get__" in names for names in members)
    )


def _inside(tx: Transaction, old: Any, new: Any) -> bool:
    """Make what a wrapper has inside act as what a new one has, unless one is a definition with a name of its own."""
    return old is new or (not (has_name(old) or has_name(new)) and become(tx, old, new))


def _become_or(tx: Transaction, old: Any, new: Any) -> Any:
    """`old` acting as `new`, or `new` itself."""
    return old if _inside(tx, old, new) else new


def _reinit(tx: Transaction, old: Any, make: Any, before: tuple[Any, ...], after: tuple[Any, ...]) -> None:
    """`property.__init__` and its like may be called again (Objects/descrobject.c): the object stays."""
    tx.undo(lambda: make(old, *before))
    make(old, *after)


def _retarget_static(tx: Transaction, old: Any, new: Any) -> bool:
    function = _become_or(tx, old.__func__, new.__func__)
    if function is not old.__func__:
        _reinit(tx, old, type(old).__init__, (old.__func__,), (function,))
    _copy_shown(tx, old, new)
    return True


def _copy_shown(tx: Transaction, old: Any, new: Any) -> None:
    """What a static or class method copied from its function when it was made (Objects/funcobject.c)."""
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        value = new.__dict__.get(name)
        if name in new.__dict__ and old.__dict__.get(name) != value:
            tx.set_item(old.__dict__, name, value)


def _retarget_property(tx: Transaction, old: property, new: property) -> bool:
    before = (old.fget, old.fset, old.fdel, old.__doc__)
    parts = [
        _become_or(tx, a, b) if a is not None else b
        for a, b in zip(before[:3], (new.fget, new.fset, new.fdel), strict=True)
    ]
    after = (*parts, new.__doc__)
    if any(a is not b for a, b in zip(before, after, strict=True)):
        _reinit(tx, old, property.__init__, before, after)
    return True


def _retarget_partial(tx: Transaction, old: Any, new: Any) -> bool:
    before = old.__reduce__()[2]
    state = list(new.__reduce__()[2])
    state[0] = _become_or(tx, old.func, new.func)
    tx.undo(lambda: old.__setstate__(before))
    old.__setstate__(tuple(state))
    return True


def _retarget_cached_property(tx: Transaction, old: Any, new: Any) -> bool:
    tx.set_attr(old, "func", _become_or(tx, old.func, new.func))
    tx.set_attr(old, "__doc__", new.__doc__)
    return True


def _retarget_method(tx: Transaction, old: types.MethodType, new: types.MethodType) -> bool:
    return old.__self__ is new.__self__ and _inside(tx, old.__func__, new.__func__)


def _retarget_partialmethod(tx: Transaction, old: Any, new: Any) -> bool:
    tx.set_attr(old, "func", _become_or(tx, old.func, new.func))
    tx.set_attr(old, "args", new.args)
    tx.set_attr(old, "keywords", new.keywords)
    return True


def _retarget_lru(tx: Transaction, old: Any, new: Any) -> bool:
    """What an lru_cache calls is read only; the function inside can be grafted if the cache has the same size."""
    if old.cache_parameters() != new.cache_parameters() or not _inside(tx, old.__wrapped__, new.__wrapped__):
        return False
    tx.at_commit(functools.partial(empty_cache, old))
    tx.guard(old.__dict__)
    shown = {k: v for k, v in new.__dict__.items() if k not in ("__wrapped__", "cache_parameters")}
    for name, value in shown.items():
        if not annotated_anew(tx, name, old.__dict__.get(name), value):
            old.__dict__[name] = value
    return True


def _retarget_object(tx: Transaction, old: Any, new: Any) -> bool:
    mine, theirs = old.__dict__, new.__dict__
    tx.guard(mine)
    for name, value in theirs.items():
        held = mine.get(name)
        if annotated_anew(tx, name, held, value):
            continue
        if held is not value and not (callable(held) and not is_a(held, type) and _inside(tx, held, value)):
            mine[name] = value
    for name in [name for name in mine if name not in theirs]:
        del mine[name]
    return True


Trade = Mapping[int, tuple[Any, Any]]  # id of an object → itself, and the one that stands for it


def with_traded(tx: Transaction, value: Any, trade: Trade) -> Any:
    """`value`, or what stands for it; what a wrapper, a partial or a container has inside is traded where it is."""
    if id(value) in trade:
        return trade[id(value)][1]
    if type(value) is tuple:
        parts = tuple(with_traded(tx, part, trade) for part in value)
        return value if all(map(operator.is_, parts, value)) else parts
    if type(value) is types.MethodType:
        owner = with_traded(tx, value.__self__, trade)
        return value if owner is value.__self__ else types.MethodType(value.__func__, owner)
    if is_kind(value, _TRADE):
        _TRADE[type(value)](tx, value, lambda part: with_traded(tx, part, trade))
    return value


Traded = Callable[[Any], Any]


def _trade_static(tx: Transaction, value: Any, traded: Traded) -> None:
    function = traded(value.__func__)
    if function is not value.__func__:
        _reinit(tx, value, type(value).__init__, (value.__func__,), (function,))


def _trade_property(tx: Transaction, value: property, traded: Traded) -> None:
    before = (value.fget, value.fset, value.fdel, value.__doc__)
    after = (*map(traded, before[:3]), value.__doc__)
    if not all(map(operator.is_, before, after)):
        _reinit(tx, value, property.__init__, before, after)


def _trade_partial(tx: Transaction, value: Any, traded: Traded) -> None:
    before = value.__reduce__()[2]
    after = (*map(traded, before[:3]), before[3])
    if not all(map(operator.is_, before, after)):
        tx.undo(lambda: value.__setstate__(before))
        value.__setstate__(after)


def _trade_partialmethod(tx: Transaction, value: Any, traded: Traded) -> None:
    for name in ("func", "args", "keywords"):
        tx.set_attr(value, name, traded(getattr(value, name)))


def _trade_cached_property(tx: Transaction, value: Any, traded: Traded) -> None:
    tx.set_attr(value, "func", traded(value.func))


def _trade_contents(tx: Transaction, value: Any, traded: Traded) -> None:
    if is_a(value, dict):
        after: Any = {traded(key): traded(item) for key, item in value.items()}
        before = (part for item in value.items() for part in item)
        same = all(map(operator.is_, (part for item in after.items() for part in item), before))
    else:
        after = list(map(traded, value))
        same = all(map(operator.is_, after, value))
    if not same:
        tx.set_contents(value, after if is_a(value, (dict, list)) else set(after))


_TRADE: dict[type, Any] = {
    staticmethod: _trade_static,
    classmethod: _trade_static,
    property: _trade_property,
    functools.partial: _trade_partial,
    functools.partialmethod: _trade_partialmethod,
    functools.cached_property: _trade_cached_property,
    dict: _trade_contents,
    list: _trade_contents,
    set: _trade_contents,
}


def answers_of(cached: Any) -> dict[Any, Any] | None:
    """The table in which an lru_cache without a limit keeps its answers (Modules/_functoolsmodule.c). One with a limit
    keeps a list beside it that must fit, so nobody else may change that."""
    if cached.cache_info().maxsize is not None:
        return None
    tables = (one for one in gc.get_referents(cached) if type(one) is dict and one is not cached.__dict__)
    return next(tables, None)


def empty_cache(cached: Any) -> None:
    """Its answers came from the old code. They cannot be read or put back, so this is done when nothing can fail."""
    if cached.cache_info().currsize:
        cached.cache_clear()


_RETARGET: dict[type, Any] = {
    staticmethod: _retarget_static,
    classmethod: _retarget_static,
    property: _retarget_property,
    functools.partial: _retarget_partial,
    functools.cached_property: _retarget_cached_property,
    functools.partialmethod: _retarget_partialmethod,
    types.MethodType: _retarget_method,
    LRU: _retarget_lru,
}
