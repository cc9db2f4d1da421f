"""midflight changes the code of a running Python program, safely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Lazy (PEP 562): `from midflight import keep` in a program must load no watcher and no store.
_HOMES = {
    "Session": "midflight.control",
    "start": "midflight.control",
    "current": "midflight.session",
    "accept": "midflight.hooks",
    "derived": "midflight.hooks",
    "dispose": "midflight.hooks",
    "health_check": "midflight.hooks",
    "keep": "midflight.hooks",
    "migrate": "midflight.hooks",
    "smoke_test": "midflight.hooks",
    "state": "midflight.hooks",
    "MidflightError": "midflight.errors",
    "Change": "midflight.values",
    "Event": "midflight.values",
    "ModuleReport": "midflight.values",
    "Plan": "midflight.values",
    "Problem": "midflight.values",
    "Report": "midflight.values",
    "Version": "midflight.values",
}

__all__ = sorted([*_HOMES, "__version__"])

if TYPE_CHECKING:
    from midflight.control import Session as Session
    from midflight.control import start as start
    from midflight.errors import MidflightError as MidflightError
    from midflight.hooks import accept as accept
    from midflight.hooks import derived as derived
    from midflight.hooks import dispose as dispose
    from midflight.hooks import health_check as health_check
    from midflight.hooks import keep as keep
    from midflight.hooks import migrate as migrate
    from midflight.hooks import smoke_test as smoke_test
    from midflight.hooks import state as state
    from midflight.session import current as current
    from midflight.values import Change as Change
    from midflight.values import Event as Event
    from midflight.values import ModuleReport as ModuleReport
    from midflight.values import Plan as Plan
    from midflight.values import Problem as Problem
    from midflight.values import Report as Report
    from midflight.values import Version as Version


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'midflight' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
