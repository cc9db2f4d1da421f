"""The plugins that a manager knows: who needs whom, whose a file is, and what stands in a plugin's way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from midflight.errors import PluginError
from midflight.graph.hook import read_bytes
from midflight.graph.imports import imported_modules
from midflight.plugins import order
from midflight.plugins.attached import Attached
from midflight.plugins.discovery import Found
from midflight.plugins.lifecycle import Entry
from midflight.plugins.order import Needs


class Roster:
    """Answers from `plugins`, by name, and from the running program; changes nothing."""

    def __init__(self, attached: Attached) -> None:
        self.plugins: dict[str, Entry] = {}
        self._attached = attached

    # -- who needs whom -------------------------------------------------------------------------------

    def needs(self) -> dict[str, Needs]:
        imports = self._imports()
        return {
            name: Needs(entry.needs.requires, entry.needs.after, tuple(sorted(imports.get(name, ()))))
            for name, entry in self.plugins.items()
        }

    def _imports(self) -> dict[str, set[str]]:
        """Plugin → other plugins that its modules import."""
        imports = self._attached.program.imports
        found: dict[str, set[str]] = {}
        for name, entry in self.plugins.items():
            modules = set(_imports_of_files(entry.found)) if entry.module is None else set()
            for module in entry.modules():
                modules |= imports.imports(module.__name__)
            found[name] = {
                other
                for other, one in self.plugins.items()
                if other != name and any(one.owns_module(module) for module in modules)
            }
        return found

    def order(self) -> list[str]:
        """Names, what is needed before who needs it."""
        return order.in_order(self.needs())

    def in_order(self, names: Iterable[str]) -> list[Entry]:
        wanted = set(names)
        return [self.plugins[name] for name in self.order() if name in wanted and name in self.plugins]

    def requiring(self, names: Iterable[str]) -> list[Entry]:
        """Enabled plugins that require one of `names`, or one that does; the last in the order first."""
        needs = {name: Needs(one.requires) for name, one in self.needs().items()}
        return [one for one in reversed(self.in_order(order.dependents(names, needs))) if one.state == "enabled"]

    def with_dependents(self, names: set[str]) -> list[Entry]:
        """Those that are up, or were, with all that depend on them, in order."""
        everyone = names | order.dependents(names, self.needs())
        return [entry for entry in self.in_order(everyone) if entry.state in ("enabled", "failed")]

    def cycle_of(self, entry: Entry) -> str | None:
        return order.cycles({name: one.needs for name, one in self.plugins.items()}).get(entry.name)

    def obstacle(self, entry: Entry) -> PluginError | None:
        """Why a plugin cannot be set up at this moment."""
        if entry.found.problem is not None:
            return entry.found.problem
        cycle = self.cycle_of(entry)
        if cycle is not None:
            return PluginError(
                f"plugin {entry.name} was not loaded: it waits for itself, {cycle}",
                "Plugins that require one another have no order.",
                "Take one of these requirements away.",
            )
        for name in entry.found.manifest.requires:
            other = self.plugins.get(name)
            if other is None or other.state != "enabled":
                why = "is not there" if other is None else f"is {other.state}"
                return PluginError(f"plugin {entry.name} waits for {name}, which {why}", "It requires it.")
        return None

    # -- whose a file is ------------------------------------------------------------------------------

    def is_loaded(self, name: str) -> bool:
        return name in self.plugins and self.plugins[name].module is not None

    def is_helper(self, path: Path) -> bool:
        return not any(entry.found.owns(path) for entry in self.plugins.values())

    def is_shared(self, entry: Entry, module: str) -> bool:
        return any(other is not entry and other.owns_module(module) for other in self.plugins.values())

    def plugins_of(self, path: Path, found: Mapping[str, Found]) -> set[str]:
        """The plugins that a file is part of, or whose modules import it."""
        places = [*found.values(), *(entry.found for entry in self.plugins.values())]
        own = {one.name for one in places if one.owns(path) and self.is_loaded(one.name)}
        if own:
            return own
        modules = self._attached.session.program.at(str(path))
        return {name for module in modules for name in self.users(module.name)}

    def users(self, module: str) -> set[str]:
        """Plugins with a module that imports `module`, directly or not."""
        importers = {module, *self._attached.program.imports.dependents([module])}
        return {name for name, entry in self.plugins.items() if any(entry.owns_module(one) for one in importers)}

    def files_of(self, entry: Entry) -> set[Path]:
        """Its own, its manifest, and the helpers that it uses."""
        files = {entry.found.path}
        if entry.found.manifest_path is not None:
            files.add(entry.found.manifest_path)
        names = {module.__name__ for module in entry.modules()}
        loaded = self._attached.session.program.all()
        helpers = {Path(one.path) for one in loaded if one.name in names or self.users(one.name) & {entry.name}}
        return files | helpers


def sources(found: Found) -> list[Path]:
    """The Python files of a plugin."""
    return sorted(found.path.parent.rglob("*.py")) if found.is_package else [found.path]


def _imports_of_files(found: Found) -> Iterator[str]:
    """What the files of a plugin import that is not loaded yet: its order is known only from them."""
    for path in sources(found):
        module = found.module
        if path != found.path:
            module += "." + ".".join(path.relative_to(found.path.parent).with_suffix("").parts)
        yield from imported_modules(read_bytes(str(path)) or b"", module, path.name == "__init__.py")
