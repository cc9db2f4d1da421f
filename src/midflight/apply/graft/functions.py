"""New code into functions that live on: their identity, closure and attributes stay."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from midflight.apply.graft.owners import in_local_class, is_open, owner_of, with_class
from midflight.apply.holders import LRU, functions_in, nested_codes
from midflight.apply.transaction import Transaction, dict_of
from midflight.apply.values import same_value
from midflight.apply.variants import note_variant, variants_of
from midflight.graph.kinds import is_a, shown

# id of a code object, the free variables that a closure has → itself, the variant of it that fits
Fits = dict[tuple[int, tuple[str, ...]], tuple[types.CodeType, types.CodeType]]

# id of a function or cache that another function closed over → itself, and the one of an older closure that acts as it
Acting = Mapping[int, tuple[Any, Any]]
NOBODY: Acting = types.MappingProxyType({})
_MOST_WRAPPED = 20
_HAS_DOCSTRING: int = getattr(inspect, "CO_HAS_DOCSTRING", 0)
_PLACE = "\x00midflight: the function to call"


def same_code(left: types.CodeType, right: types.CodeType) -> bool:
    """Whether both do the same: line numbers and file do not count."""
    return left is right or (
        left.co_code == right.co_code
        and left.co_names == right.co_names
        and left.co_varnames == right.co_varnames
        and left.co_freevars == right.co_freevars
        and left.co_cellvars == right.co_cellvars
        and left.co_flags == right.co_flags
        and left.co_argcount == right.co_argcount
        and left.co_posonlyargcount == right.co_posonlyargcount
        and left.co_kwonlyargcount == right.co_kwonlyargcount
        and left.co_qualname == right.co_qualname
        and left.co_exceptiontable == right.co_exceptiontable
        and len(left.co_consts) == len(right.co_consts)
        and all(map(_same_const, left.co_consts, right.co_consts))
    )


def _same_const(left: Any, right: Any) -> bool:
    if isinstance(left, types.CodeType):
        return isinstance(right, types.CodeType) and same_code(left, right)
    if type(left) is not type(right):
        return False
    if isinstance(left, (tuple, frozenset)):
        return repr(left) == repr(right)  # (1, True) and (1.0, 1) are equal but not the same constant
    if isinstance(left, (float, complex)):
        return repr(left) == repr(right)
    return left is right or bool(left == right)


def same_places(left: types.CodeType, right: types.CodeType) -> bool:
    """Whether both stand on the same lines of the same file."""
    return (
        left.co_firstlineno == right.co_firstlineno
        and left.co_linetable == right.co_linetable
        and left.co_filename == right.co_filename
        and all(map(same_places, nested_codes(left), nested_codes(right)))
    )


def moved_code(code: types.CodeType, lines: int) -> types.CodeType:
    """`code`, `lines` further down: line tables are relative to the first line (Objects/locations.md)."""
    consts = tuple(moved_code(c, lines) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    return code.replace(co_firstlineno=max(code.co_firstlineno + lines, 1), co_consts=consts)


def pair_codes(
    old: Sequence[types.CodeType], new: Sequence[types.CodeType]
) -> Iterator[tuple[types.CodeType, types.CodeType]]:
    """Old and new code objects of one scope that are the same definition, and those nested in them.

    Of several with one name (lambdas, overloads, the parts of a property) the equal ones belong together, then those
    with the same parameters, stubs apart from what has a body; the others in their order."""
    left = _by_name(old)
    for key, codes in _by_name(new).items():
        for before, after in _pair_named(left.get(key, []), codes):
            yield before, after
            yield from pair_codes(nested_codes(before), nested_codes(after))


def _by_name(codes: Sequence[types.CodeType]) -> dict[tuple[str, bool], list[types.CodeType]]:
    """Codes by name; those of functions apart from class bodies, which are no versions of them."""
    out: dict[tuple[str, bool], list[types.CodeType]] = {}
    for code in unwrapped(codes):
        out.setdefault((code.co_name, bool(code.co_flags & inspect.CO_NEWLOCALS)), []).append(code)
    return out


def unwrapped(codes: Sequence[types.CodeType]) -> Iterator[types.CodeType]:
    """`codes` without the scopes that type parameters (PEP 695) put around definitions: they may come and go."""
    for code in codes:
        if code.co_name.startswith("<generic parameters of "):
            yield from unwrapped(nested_codes(code))
        else:
            yield code


def _pair_named(
    old: list[types.CodeType], new: list[types.CodeType]
) -> Iterator[tuple[types.CodeType, types.CodeType]]:
    if len(old) == len(new):
        yield from zip(old, new, strict=True)
        return
    for alike in (same_code, _same_parameters, _both_stubs_or_not, _any):
        old, new, pairs = _paired(old, new, alike)
        yield from pairs


def _paired(
    old: list[types.CodeType], new: list[types.CodeType], alike: Callable[[types.CodeType, types.CodeType], bool]
) -> tuple[list[types.CodeType], list[types.CodeType], list[tuple[types.CodeType, types.CodeType]]]:
    """What is left of `old` and of `new` without the pairs that are alike, and these."""
    left, rest, pairs = list(old), [], []
    for code in new:
        at = next((at for at, one in enumerate(left) if alike(one, code)), None)
        if at is None:
            rest.append(code)
        else:
            pairs.append((left.pop(at), code))
    return left, rest, pairs


def _same_parameters(old: types.CodeType, new: types.CodeType) -> bool:
    return _parameters(old) == _parameters(new) and _both_stubs_or_not(old, new)


def _parameters(code: types.CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _both_stubs_or_not(old: types.CodeType, new: types.CodeType) -> bool:
    return _is_stub(old) == _is_stub(new)


def _is_stub(code: types.CodeType) -> bool:
    """Whether it does nothing, like an overload: the instructions of an empty function."""
    return code.co_code[::2] == _stub.__code__.co_code[::2]


def _stub() -> None: ...


def _any(old: types.CodeType, new: types.CodeType) -> bool:
    return True


def fitted(function: types.FunctionType, code: types.CodeType, fits: Fits | None = None) -> types.CodeType | None:
    """`code` with the free variables that `function`'s closure has, or None if it needs others."""
    have, need = function.__code__.co_freevars, code.co_freevars
    if have == need:
        return code
    if fits and (id(code), have) in fits:
        return _closed(function, fits[id(code), have][1])
    for variant in () if in_local_class(code) else variants_of(code):
        if variant.co_freevars == have:
            return variant
    if not need:
        # The closure is checked by its length only; without COPY_FREE_VARS nothing reads the added variables.
        return note_variant(code.replace(co_freevars=have), code)
    return None


def _closed(function: types.FunctionType, variant: types.CodeType) -> types.CodeType | None:
    """`variant` for `function`: where it means a class that only the function leads to, with that one."""
    if not is_open(variant):
        return variant
    found = with_class(variant, owner_of(function))
    return None if is_open(found) else note_variant(found, variant)


def graft_code(tx: Transaction, function: types.FunctionType, code: types.CodeType, fits: Fits | None = None) -> bool:
    """`function` runs `code` from its next call on. False if its closure cannot hold it."""
    fit = fitted(function, code, fits)
    if fit is None:
        return False
    old = function.__code__
    if fit is not old:
        tx.set_attr(function, "__code__", fit)
    _graft_names(tx, function, old, fit)
    return True


def _graft_names(tx: Transaction, function: types.FunctionType, old: types.CodeType, new: types.CodeType) -> None:
    before, after = docstring(old), docstring(new)
    if before != after and function.__doc__ == before:
        tx.set_attr(function, "__doc__", after)
    if old.co_name != new.co_name and function.__name__ == old.co_name:
        tx.set_attr(function, "__name__", new.co_name)
    if old.co_qualname != new.co_qualname and function.__qualname__ == old.co_qualname:
        tx.set_attr(function, "__qualname__", new.co_qualname)


def new_doc(function: types.FunctionType, code: types.CodeType) -> str | None:
    """The docstring that `function` has once it runs `code`: one that the program has set stays."""
    return docstring(code) if function.__doc__ == docstring(function.__code__) else function.__doc__


def docstring(code: types.CodeType) -> str | None:
    """A function's docstring: its first constant, where that is one (3.13 says so with a flag)."""
    first = code.co_consts[0] if code.co_consts else None
    if _HAS_DOCSTRING and not code.co_flags & _HAS_DOCSTRING:
        return None
    return first if is_a(first, str) and code.co_name != "<lambda>" else None


def graft_function(tx: Transaction, old: types.FunctionType, new: types.FunctionType, fits: Fits | None = None) -> bool:
    """Make `old` act as `new`, a function that running its statement again has made."""
    code = fitted(old, new.__code__, fits)
    if code is None or (new.__code__.co_freevars == () and new.__globals__ is not old.__globals__):
        forward(tx, old, new)
        return True
    if old.__globals__ is not new.__globals__:
        forward(tx, old, new)
        return True
    _forward_no_more(tx, old)
    tx.set_attr(old, "__code__", code)
    closes = new.__closure__ is not None and old.__closure__ is not None
    graft_signature(tx, old, new, graft_closure(tx, old, new) if closes else {})
    return True


def graft_signature(tx: Transaction, old: types.FunctionType, new: types.FunctionType, acting: Acting = NOBODY) -> None:
    """What a function says of itself."""
    for name in ("__defaults__", "__doc__", "__name__", "__qualname__"):
        tx.set_attr(old, name, getattr(new, name))
    tx.set_attr(old, "__kwdefaults__", _handed(old, new))
    if not (_shown_elsewhere(old) and not _shown_elsewhere(new)):  # what the program set for show stays
        tx.set_attr(old, "__module__", new.__module__)
    if shared := next((held for made, held in acting.values() if made.__annotations__ is new.__annotations__), None):
        tx.set_attr(old, "__annotations__", shared.__annotations__)
    elif _shares_annotations(old) and not _shares_annotations(new):
        tx.set_attr(old, "__annotations__", new.__annotations__)  # those of the function that it wraps stay
    elif not same_value(old.__annotations__, new.__annotations__):
        # In place: functools.wraps gave the very same dict to the wrapper.
        tx.set_contents(old.__annotations__, new.__annotations__)
    if getattr(new, "__type_params__", ()) or getattr(old, "__type_params__", ()):
        tx.set_attr(old, "__type_params__", new.__type_params__)  # type: ignore[attr-defined]
    graft_attributes(tx, old, new, acting)


def _handed(old: types.FunctionType, new: types.FunctionType) -> dict[str, Any] | None:
    """The keyword defaults of `new`: where a decorator handed it itself, `old` in its place."""
    given = new.__kwdefaults__
    if given is None or all(value is not new for value in given.values()):
        return given
    return {name: old if value is new else value for name, value in given.items()}


def _shown_elsewhere(function: types.FunctionType) -> bool:
    """Whether it says another module than that of its definition, or of the one that it wraps."""
    inner: Any = function
    for _ in range(_MOST_WRAPPED):
        wrapped = inner.__dict__.get("__wrapped__")
        if type(wrapped) is not types.FunctionType:
            break
        inner = wrapped
    return bool(function.__module__ != inner.__globals__.get("__name__"))


def has_name(value: Any) -> bool:
    """Whether the program reaches a function or a wrapper of one by a name, and not only through what holds it: then it
    is another definition than the one that was edited."""
    for function in functions_in(value, "", depth=1):
        found: Any = function.__globals__
        for part in function.__qualname__.split("."):
            found = (found if is_a(found, dict) else shown(found, "__dict__", {})).get(part)
        if found is value or any(one is value for one in list(function.__globals__.values())):
            return True
    named = (dict_of(value) or {}).get("__module__", type(value).__module__)
    home = sys.modules.get(named) if isinstance(named, str) else None  # of an object, or of a wrapper around a wrapper
    return home is not None and any(one is value for one in list(vars(home).values()))


def graft_attributes(
    tx: Transaction, old: types.FunctionType, new: types.FunctionType, acting: Acting = NOBODY
) -> None:
    """What the making of `new` put on it; functions among it are grafted as those that it closed over are."""
    from midflight.apply.graft.wrappers import become

    for name, made in list(new.__dict__.items()):
        held, value = old.__dict__.get(name), acting[id(made)][1] if id(made) in acting else made
        if annotated_anew(tx, name, held, value):
            continue  # where a cache stands under a wrapper, which has all that the cache shows
        inside = is_a(held, types.FunctionType) and held is not old and value is not new
        if held is not value and not (inside and not (has_name(held) or has_name(value)) and become(tx, held, value)):
            tx.set_item(old.__dict__, name, value)


def _shares_annotations(function: types.FunctionType) -> bool:
    """Whether it has the very dict of the function that it wraps."""
    wrapped = function.__dict__.get("__wrapped__")
    return type(wrapped) is types.FunctionType and wrapped.__annotations__ is function.__annotations__


def annotated_anew(tx: Transaction, name: str, held: Any, value: Any) -> bool:
    """Fill annotations in place: functools.wraps gave a wrapper the very dict of the function."""
    if name != "__annotations__" or type(held) is not dict or type(value) is not dict:
        return False
    tx.set_contents(held, value)
    return True


def graft_closure(tx: Transaction, old: types.FunctionType, new: types.FunctionType) -> Acting:
    """The values that `new` closed over, into the cells of `old`; functions among them are grafted, not exchanged."""
    from midflight.apply.graft.wrappers import become

    acting: dict[int, tuple[Any, Any]] = {}
    cells = dict(zip(new.__code__.co_freevars, new.__closure__ or (), strict=True))
    for name, mine in zip(old.__code__.co_freevars, old.__closure__ or (), strict=True):
        theirs = cells.get(name)
        if name == "__class__" or theirs is None or mine is theirs:
            continue
        try:
            value = theirs.cell_contents
        except ValueError:
            continue  # not assigned yet: a name that the enclosing function binds later
        if value is new:
            continue  # a function that refers to itself
        try:
            held = mine.cell_contents
        except ValueError:
            tx.set_cell(mine, value)
            continue
        inside = is_a(held, (types.FunctionType, LRU)) and not (has_name(held) or has_name(value))
        if inside and held is not value and become(tx, held, value):
            acting[id(value)] = value, held
        elif held is not value:
            tx.set_cell(mine, value)
    return acting


def forward(tx: Transaction, old: types.FunctionType, target: Any) -> None:
    """`old` calls `target` from now on: for an object that everybody holds and that must act as another one."""
    _forward_no_more(tx, old)
    tx.set_attr(old, "__code__", forwarding_code(old, target))
    tx.set_attr(old, "__defaults__", None)
    tx.set_attr(old, "__kwdefaults__", None)
    given = dict(target.__dict__) if is_a(target, types.FunctionType) else {"__wrapped__": target}
    if "__wrapped__" not in old.__dict__:
        given.setdefault("__wrapped__", target)  # what inspect.signature follows
    for name, value in given.items():
        tx.set_item(old.__dict__, name, value)
    for name in ("__doc__", "__name__", "__qualname__", "__module__"):
        value = shown(target, name)
        if is_a(value, str):
            tx.set_attr(old, name, value)


def _forward_no_more(tx: Transaction, function: types.FunctionType) -> None:
    """What `function` called, if it forwards, is not what it wraps."""
    target = forwarded_to(function)
    if target is not None and function.__dict__.get("__wrapped__") is target:
        tx.del_item(function.__dict__, "__wrapped__")


def forwarding_code(old: types.FunctionType, target: Any) -> types.CodeType:
    """Code with `target` among its constants and the free variables of `old`."""
    raw = _forwarder(old.__code__.co_freevars, inspect.iscoroutinefunction(target))
    consts = tuple(target if c == _PLACE else c for c in raw.co_consts)
    code = old.__code__
    return raw.replace(
        co_consts=consts,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
    )


@functools.lru_cache(maxsize=64)
def _forwarder(freevars: tuple[str, ...], is_async: bool) -> types.CodeType:
    keyword, wait = ("async def", "await ") if is_async else ("def", "")
    held = ", ".join(freevars)
    bind = "".join(f"    {name} = None\n" for name in freevars if name != "__class__")
    keep = f"        if 0: ({held},)\n" if freevars else ""
    text = (
        f"def outer():\n{bind}    {keyword} inner(*args, **kwargs):\n{keep}"
        f"        call = {_PLACE!r}\n        return {wait}call(*args, **kwargs)\n"
    )
    if "__class__" in freevars:
        text = text.replace("def outer():\n", "def outer():\n    __class__ = None\n")
    outer = next(iter(nested_codes(compile(text, "<midflight forwarder>", "exec", dont_inherit=True))))
    return next(iter(nested_codes(outer)))


def forwarded_to(function: types.FunctionType) -> Any:
    """The object that a forwarding function calls, or None."""
    code = function.__code__
    if code.co_varnames[:2] == ("args", "kwargs") and "call" in code.co_varnames:
        for const in code.co_consts:
            if callable(const):
                return const
    return None
