"""Live instances, found on the heap: one walk, only for edits that need it."""

from __future__ import annotations

import gc
from typing import Any


def all_subclasses(cls: type) -> list[type]:
    out, stack = [cls], [cls]
    while stack:
        subclasses: list[type] = type.__subclasses__(stack.pop())
        for sub in subclasses:
            if sub not in out:
                out.append(sub)
                stack.append(sub)
    return out


def live_instances(cls: type, *, exact: bool = False) -> list[Any]:
    """Every live instance of `cls` and its subclasses: since CPython 3.9 an instance refers to its class."""
    kinds = [cls] if exact else all_subclasses(cls)
    wanted = {id(kind) for kind in kinds}
    return [obj for obj in gc.get_referrers(*kinds) if id(type(obj)) in wanted]
