"""Names that other modules use are still what those modules need: callable, or a class."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from midflight.graph.homes import made_in
from midflight.graph.hook import is_plain
from midflight.graph.loaded import Loaded
from midflight.plan.flow import absolute
from midflight.plan.flow import chains_in_text, modules_bound
from midflight.plan.statements import decode, parse
from midflight.values import Problem

_GONE: Any = object()


def broken_promises(
    edited: Iterable[Loaded], others: Iterable[Loaded], before: Mapping[str, Mapping[str, Any]]
) -> Iterator[Problem]:
    """A Problem for each name of an `edited` module that another, unedited one uses and that changed its kind.

    `before` gives each edited module's namespace before the reload. A name that is gone is dangling, no failure."""
    unedited: list[Loaded] = []
    for loaded in edited:
        for name, old in before.get(loaded.name, {}).items():
            new = loaded.namespace.get(name, _GONE)
            if new is old or new is _GONE or (isinstance(old, types.ModuleType)):
                continue
            lost = _lost(old, new)
            if not lost:
                continue
            unedited = unedited or list(others)  # a look at every module of the program, where there is a reason for it
            users = [o.name for o in unedited if _uses(o, loaded, name, old, new)]
            if users:
                yield Problem(
                    loaded.path,
                    0,
                    "MF020",
                    f"{loaded.name}.{name} {lost}, and {', '.join(sorted(users)[:5])} uses it",
                    "Edit the users in the same save, or keep what they rely on.",
                )


def _lost(old: Any, new: Any) -> str:
    if isinstance(old, type) and not isinstance(new, type):
        return "was a class and is none now"
    if callable(old) and not callable(new):
        return "was callable and is not now"
    return ""


def _uses(other: Loaded, loaded: Loaded, name: str, old: Any, new: Any) -> bool:
    if not other.mentions(name):
        return False
    # What a third module made, or a plain value of which there is one in a process, may have come from anywhere.
    named = _imports(other, loaded, name)
    values = [old] if named or made_in(old, loaded.name) else []
    values += [new] if named or (made_in(new, loaded.name) and not is_plain(new)) else []
    holds = any(held is value for held in list(other.namespace.values()) for value in values)
    return holds or _names(other, loaded.name, name)


def _imports(other: Loaded, loaded: Loaded, name: str) -> bool:
    """Whether the text of `other` imports the name from `loaded`."""
    try:
        node = ast.parse(other.source or b"")
    except (SyntaxError, ValueError):
        return True
    package = hasattr(other.module, "__path__")
    froms = (child for child in ast.walk(node) if isinstance(child, ast.ImportFrom))
    return any(
        {alias.name for alias in each.names} & {name, "*"}
        and absolute(each.module, each.level, other.name, package) == loaded.name
        for each in froms
    )
