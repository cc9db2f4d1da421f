"""Code objects made from one of the source's for a single function, to fit the closure that it has."""

from __future__ import annotations

import types
import weakref
from collections.abc import Iterator

# id of a variant → the variant, weakly, and the code object that the source gave. An entry goes with its variant.
_ORIGINS: dict[int, tuple[weakref.ref[types.CodeType], types.CodeType]] = {}


def note_variant(variant: types.CodeType, origin: types.CodeType) -> types.CodeType:
    """`variant`, known from now on as a form of `origin`."""
    key = id(variant)
    _ORIGINS[key] = (weakref.ref(variant, lambda _: _ORIGINS.pop(key, None)), origin_of(origin))
    return variant


def origin_of(code: types.CodeType) -> types.CodeType:
    """The code object of the source that `code` is, or is a variant of."""
    found = _ORIGINS.get(id(code))
    return code if found is None else found[1]


def variants_of(code: types.CodeType) -> Iterator[types.CodeType]:
    for ref, origin in list(_ORIGINS.values()):
        variant = ref()
        if origin is code and variant is not None:
            yield variant
