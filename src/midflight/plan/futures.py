"""What `from __future__ import` switches on in the compiler. Pure."""

from __future__ import annotations
import __future__ as future_module

import sys


def future_flags(names: frozenset[str]) -> int:
    """The flags that a module's own `from __future__` lines set: none for what is the rule now (Python/future.c)."""
    flags = 0
    for name in names:
        feature = getattr(future_module, name, None)
        mandatory = feature.getMandatoryRelease() if feature is not None else None
        if feature is not None and (mandatory is None or mandatory[:2] > sys.version_info[:2]):
            flags |= feature.compiler_flag
    return flags
