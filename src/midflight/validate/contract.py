"""Names that other modules use are still what those modules need: callable, or a class."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from midflight.graph.homes import made_in
from midflight.graph.hook import is_plain
from midflight.graph.imports import imported_modules
from midflight.graph.kinds import is_a
from midflight.graph.loaded import Loaded
from midflight.plan.flow import chains_in_text, modules_bound
from midflight.plan.statements import decode, parse
from midflight.values import Problem


def broken_promises(
    edited: Iterable[Loaded], others: Iterable[Loaded], before: Mapping[str, Mapping[str, Any]]
) -> Iterator[Problem]:
    """A Problem for each name of an `edited` module that another, unedited one uses and that changed its kind.

    `before` gives each edited module's namespace before the reload. A name that is gone is dangling, no failure."""
    unedited: list[Loaded] = []
    for loaded in edited:
        held, now = before.get(loaded.name, {}), loaded.namespace
        for name, old, new in [(n, o, v) for n, o in held.items() if (v := now.get(n, o)) is not o]:
            if is_a(old, types.ModuleType):
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
    if is_a(old, type) and not is_a(new, type):
        return "was a class and is none now"
    if callable(old) and not callable(new) and type(old).__module__ != "typing":  # nobody calls `Union[int, str]`
        return "was callable and is not now"
    return ""


def _uses(other: Loaded, loaded: Loaded, name: str, old: Any, new: Any) -> bool:
    if not other.mentions(name):
        return False
    if _names(other, loaded.name, name):
        return True
    # What a third module made, or a plain value of which there is one in a process, may have come from anywhere.
    values = [value for value in (old, new) if made_in(value, loaded.name) and not is_plain(value)]
    if _stars(other, loaded):
        values += [old, new]
    return any(held is value for held in list(other.namespace.values()) for value in values)


def _stars(other: Loaded, loaded: Loaded) -> bool:
    """Whether the text of `other` imports all that `loaded` has."""
    package = other.is_package
    return f"{loaded.name}.*" in imported_modules(other.source or b"", other.name, package)


def _names(other: Loaded, module: str, name: str) -> bool:
    """Whether the text of `other` asks `module` for `name`, as an attribute or by an import, also inside a function."""
    package = other.is_package
    try:
        statements = parse(decode(other.source or b"")).statements
    except (SyntaxError, ValueError):
        return True  # it cannot be told, so it counts
    bound = {given: home for s in statements for given, home in modules_bound(s, other.name, package)}
    if f"{module}.{name}" in bound.values():
        return True
    chains = (chain for s in statements for chain in chains_in_text(s) if name in chain[1:])
    whole = (".".join((bound.get(chain[0], chain[0]), *chain[1:])) for chain in chains)
    return any(f"{chain}.".startswith(f"{module}.{name}.") for chain in whole)
