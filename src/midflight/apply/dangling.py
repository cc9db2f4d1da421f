"""Names that a module lost and others still use: kept there, told, and given back when either side is edited."""

from __future__ import annotations

import sys
import types
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.holders import resolve
from midflight.apply.parsed import text_of
from midflight.apply.transaction import ABSENT
from midflight.graph.kinds import is_a
from midflight.graph.loaded import Loaded, Program
from midflight.plan.flow import all_imports, chains_in_text, modules_bound, names_in_text
from midflight.plan.statements import SourceText

if TYPE_CHECKING:
    from midflight.apply.execute import Execution

Key = tuple[str, str]


def keep_used(run: Execution, module: str) -> None:
    """A name that `module` has just lost and that another module uses by attribute stays there."""
    for name, old in run.removed.get(module, {}).items():
        if run.current((module, name)) is ABSENT:
            _keep_where_used(run, module, name, old)
            if name == "__getattr__":
                _tell_of_made(run, module)


def _tell_of_made(run: Execution, module: str) -> None:
    """The names that a module's own `__getattr__` made are gone with it, for those who import or use them."""
    for loaded in list(run.program.all()):
        text = _text(run, loaded) if loaded.name in run.program.imports.importers(module) else None
        if text is None:
            continue
        package = loaded.is_package
        imported = {
            one.name for s in text.statements for one in all_imports(s, loaded.name, package) if one.module == module
        }
        chains = (chain for statement in text.statements for chain in chains_in_text(statement))
        used = {c[at] for c in chains for at in range(1, len(c)) if _means(loaded, text, c[:at], module)}
        run.notes += (still_imported(module, name, [loaded.name]) for name in _made(run, module, imported))
        run.notes += (
            f"{module}.{name} is gone, and {loaded.name} still uses it" for name in _made(run, module, used - imported)
        )


def _made(run: Execution, module: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that the module does not hold itself."""
    found = (name for name in names if name != "*" and f"{module}.{name}" not in sys.modules)
    return sorted(name for name in found if run.current((module, name)) is ABSENT)


def still_imported(module: str, name: str, importers: Sequence[str]) -> str:
    return (
        f"{module}.{name} is gone, and {', '.join(importers)} still imports it: "
        "what was imported stays until either is edited"
    )


def _keep_where_used(run: Execution, module: str, name: str, old: Any) -> None:
    importers, users = _users(run, module, name, old)
    own = run.works[module].text.statements if module in run.works else ()
    passes = any(name in statement.deletes for statement in own)  # then those above its `del` may use it
    lines = [statement.first for statement in own if name in names_in_text(statement) and not passes]
    if lines:
        run.notes.append(f"{module}.{name} is gone, and {module}:{lines[0]} still uses it")
    if importers:
        run.notes.append(still_imported(module, name, importers))
    if users:
        run.notes.append(
            f"{module}.{name} is gone, and {', '.join(users)} still uses it: it stays until either is edited"
        )
        run.write(module, name, old)
    if importers or users or is_a(old, (types.FunctionType, type)):
        run.dangling[module, name] = held(old, importers, kept=bool(users))


def let_go(run: Execution) -> None:
    """What was kept for others goes when an edit of theirs no longer uses it."""
    for (module, name), one in list(run.program.dangling.items()):
        if (module, name) in run.dangling or one.value is ABSENT:
            continue
        for importer in one.importers:
            if importer in run.works and run.works[importer].edited:
                _unstar(run, importer, module, name, one)
        if one.kept and run.current((module, name)) is one.value and not _binds(run, module, name):
            importers, users = _users(run, module, name, one.value)
            if not users:
                run.write(module, name, ABSENT)
                run.dangling[module, name] = held(one.value, importers, kept=False)


def _unstar(run: Execution, importer: str, module: str, name: str, one: Dangling) -> None:
    """A name that only a star import brought."""
    text, loaded = run.works[importer].text, run.works[importer].loaded
    if run.current((importer, name)) is not one.value or _binds(run, importer, name):
        return
    if _imports(loaded, text, module, "*") and not any(name in names_in_text(s) for s in text.statements):
        run.write(importer, name, ABSENT)


def _binds(run: Execution, module: str, name: str) -> bool:
    text = _text(run, run.program.get(module))
    return text is None or any(name in statement.binds for statement in text.statements)


class Dangling:
    """What a lost name held. Functions and classes only as long as somebody else holds them. `kept`: the module has
    the name still, for others use it."""

    __slots__ = ("_value", "importers", "kept")

    def __init__(self, value: Any, importers: tuple[str, ...], kept: bool) -> None:
        self._value, self.importers, self.kept = value, importers, kept

    @property
    def value(self) -> Any:
        """ABSENT when it is no longer there."""
        if is_a(self._value, weakref.ref):
            found = self._value()
            return ABSENT if found is None else found
        return self._value


def held(old: Any, importers: list[str], kept: bool) -> Dangling:
    weak = is_a(old, (types.FunctionType, type))
    return Dangling(weakref.ref(old) if weak else old, tuple(importers), kept)


def prune(program: Program) -> None:
    """Forget names that came back, values that nobody holds and those whose importers let them go."""
    for key, one in list(program.dangling.items()):
        home = program.get(key[0])
        value = one.value
        if value is ABSENT or home is None or home.namespace.get(key[1], ABSENT) is not (value if one.kept else ABSENT):
            del program.dangling[key]
        elif not one.kept and not is_a(value, (types.FunctionType, type)):
            holders = [program.get(name) for name in one.importers]
            if not any(h is not None and any(v is value for v in list(h.namespace.values())) for h in holders):
                del program.dangling[key]


def _text(run: Execution, loaded: Loaded | None) -> SourceText | None:
    if loaded is None:
        return None
    return run.works[loaded.name].text if loaded.name in run.works else text_of(loaded)


def _users(run: Execution, module: str, name: str, old: Any) -> tuple[list[str], list[str]]:
    """(modules that import the name and hold `old` by it, modules that use it as an attribute of the module)."""
    importers, users = [], []
    for loaded in list(run.program.all()):
        other = loaded.name != module and loaded.name not in run.going
        text = _text(run, loaded) if other and loaded.mentions(name) else None
        if text is None:
            continue
        if _imports(loaded, text, module, name) or (
            run.current((loaded.name, name)) is old and _imports(loaded, text, module, "*")
        ):
            importers.append(loaded.name)
        if any(_means(loaded, text, chain, module) for chain in _chains(text, name)):
            users.append(loaded.name)
    return sorted(importers), sorted(users)


def _imports(loaded: Loaded, text: SourceText, module: str, name: str) -> bool:
    package = loaded.is_package
    imports = (one for s in text.statements for one in all_imports(s, loaded.name, package))
    return any(one.module == module and one.name == name for one in imports)


def _chains(text: SourceText, name: str) -> Iterator[tuple[str, ...]]:
    for statement in text.statements:
        for chain in chains_in_text(statement):
            if name in chain[1:]:
                yield chain[: chain.index(name, 1)]


def _means(loaded: Loaded, text: SourceText, chain: tuple[str, ...], module: str) -> bool:
    value = resolve(loaded.namespace, chain)
    if value is not ABSENT:
        return is_a(value, types.ModuleType) and value.__name__ == module
    package = loaded.is_package
    bound = {name: home for s in text.statements for name, home in modules_bound(s, loaded.name, package)}
    return ".".join((bound.get(chain[0], ""), *chain[1:])) == module
