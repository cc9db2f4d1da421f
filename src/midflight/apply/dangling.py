"""Names that a module lost and others still use: kept there, told, and given back when either side is edited."""

from __future__ import annotations

import types
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from midflight.apply.holders import resolve
from midflight.apply.parsed import text_of
from midflight.apply.transaction import ABSENT
from midflight.graph.loaded import Loaded, Program
from midflight.plan.flow import all_imports, chains_in_text, names_in_text
from midflight.plan.statements import SourceText

if TYPE_CHECKING:
    from midflight.apply.execute import Execution

Key = tuple[str, str]


def tell_dangling(run: Execution) -> None:
    """A note for each name that went and that a module still imports or uses by attribute."""
    for module, names in run.removed.items():
        for name, old in names.items():
            if run.current((module, name)) is not ABSENT:
                continue
            importers, users = _users(run, module, name)
            own = run.works[module].text.statements if module in run.works else ()
            lines = [statement.first for statement in own if name in names_in_text(statement)]
            if lines:
                run.notes.append(f"{module}.{name} is gone, and {module}:{lines[0]} still uses it")
            if importers:
                run.notes.append(
                    f"{module}.{name} is gone, and {', '.join(importers)} still imports it: "
                    "what was imported stays until either is edited"
                )
            if users:
                run.notes.append(f"{module}.{name} is gone, and {', '.join(users)} still uses it")
            if importers or isinstance(old, (types.FunctionType, type)):
                run.dangling[module, name] = held(old, importers)


class Dangling:
    """What a lost name held. Functions and classes only as long as somebody else holds them."""

    __slots__ = ("_value", "importers")

    def __init__(self, value: Any, importers: tuple[str, ...]) -> None:
        self._value, self.importers = value, importers

    @property
    def value(self) -> Any:
        """ABSENT when it is no longer there."""
        if isinstance(self._value, weakref.ref):
            found = self._value()
            return ABSENT if found is None else found
        return self._value


def held(old: Any, importers: list[str]) -> Dangling:
    weak = isinstance(old, (types.FunctionType, type))
    return Dangling(weakref.ref(old) if weak else old, tuple(importers))


def prune(program: Program) -> None:
    """Forget names that came back, values that nobody holds and those whose importers let them go."""
    for key, one in list(program.dangling.items()):
        home = program.get(key[0])
        value = one.value
        if value is ABSENT or home is None or key[1] in home.namespace:
            del program.dangling[key]
        elif not isinstance(value, (types.FunctionType, type)):
            holders = [program.get(name) for name in one.importers]
            if not any(h is not None and any(v is value for v in list(h.namespace.values())) for h in holders):
                del program.dangling[key]


def _users(run: Execution, module: str, name: str) -> tuple[list[str], list[str]]:
    """(modules that import the name, modules that use it as an attribute of the module)."""
    importers, users = [], []
    for loaded in list(run.program.all()):
        if not loaded.mentions(name):
            continue
        text = run.works[loaded.name].text if loaded.name in run.works else text_of(loaded)
        if text is None:
            continue
        if loaded.name != module and _imports(loaded, text, module, name):
            importers.append(loaded.name)
        elif any(_means(loaded, chain, module) for chain in _chains(text, name)):
            users.append(loaded.name)
    return sorted(importers), sorted(users)


def _imports(loaded: Loaded, text: SourceText, module: str, name: str) -> bool:
    package = hasattr(loaded.module, "__path__")
    imports = (one for s in text.statements for one in all_imports(s, loaded.name, package))
    return any(one.module == module and one.name == name for one in imports)


def _chains(text: SourceText, name: str) -> Iterator[tuple[str, ...]]:
    for statement in text.statements:
        for chain in chains_in_text(statement):
            if name in chain[1:]:
                yield chain[: chain.index(name, 1)]


def _means(loaded: Loaded, chain: tuple[str, ...], module: str) -> bool:
    value = resolve(loaded.namespace, chain)
    return isinstance(value, types.ModuleType) and value.__name__ == module
