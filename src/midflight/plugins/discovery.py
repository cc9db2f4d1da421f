"""Where plugins are: in a folder, and in the entry points of installed packages."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from midflight.errors import PluginError
from midflight.plugins.manifest import Manifest, read_manifest

GROUP = "midflight.plugins"
PACKAGE_MANIFEST = "plugin.toml"


@dataclass(frozen=True, slots=True)
class Found:
    """One plugin that is there. `path` is its file (of a package its `__init__.py`); `problem` is why it cannot be
    loaded, None where nothing is known against it; `attribute` is what an entry point names inside its module."""

    name: str
    module: str
    path: Path
    manifest: Manifest
    manifest_path: Path | None = None
    attribute: str = ""
    problem: PluginError | None = None

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def owns(self, path: Path) -> bool:
        """Whether a file is part of this plugin and of no other one."""
        return path in (self.path, self.manifest_path) or (self.is_package and self.path.parent in path.parents)


class FolderFinder:
    """Makes a folder of plugins importable as the package `name`, also where its parent is not on sys.path.

    Two folders of one name are two packages, so that plugins with files of one name do not meet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = _package_name(folder)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self.name:
            return None
        init, inside = self.folder / "__init__.py", [str(self.folder)]
        if init.is_file():
            return importlib.util.spec_from_file_location(name, init, submodule_search_locations=inside)
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = inside
        return spec


def _package_name(folder: Path) -> str:
    """The folder's own name where Python finds just this folder by it; else one that no other folder has."""
    name = folder.name if folder.name.isidentifier() else "plugins"
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    where = list(spec.submodule_search_locations or ()) if spec is not None else []
    if where and {os.path.realpath(one) for one in where} == {str(folder)}:
        return name
    return f"{name}_{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


def in_folder(folder: Path, package: str) -> list[Found]:
    """The plugins of a folder, by name: `x.py`, and folders with an `__init__.py`. Names that begin with an underscore
    are helpers. A folder that is not there holds none."""
    try:
        entries = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = {entry.stem: one for entry in entries if (one := _at(entry, package)) is not None}
    return _without_twins(list(found.values()))


def _at(entry: Path, package: str) -> Found | None:
    if entry.name.startswith(("_", ".")):
        return None
    if entry.is_dir():
        init = entry / "__init__.py"
        return _found(entry.name, init, entry / PACKAGE_MANIFEST, package) if init.is_file() else None
    if entry.suffix != ".py" or (entry.with_suffix("") / "__init__.py").is_file():
        return None  # Python takes the package where both are there
    return _found(entry.stem, entry, entry.with_suffix(".toml"), package)


def _found(stem: str, path: Path, manifest: Path, package: str) -> Found:
    module = f"{package}.{stem}"
    if not stem.isidentifier():
        problem = PluginError(
            f"plugin {stem} was not loaded", f"{stem!r} is no name that Python can import.", "Rename the file."
        )
        return Found(stem, module, path, Manifest(stem), problem=problem)
    if not manifest.is_file():
        return Found(stem, module, path, Manifest(stem))
    try:
        read = read_manifest(manifest.read_text("utf-8"), str(manifest), stem)
        return Found(read.name, module, path, read, manifest)
    except (PluginError, OSError, UnicodeDecodeError) as error:
        problem = error if isinstance(error, PluginError) else PluginError(f"plugin {stem}: {manifest}: {error}")
        return Found(stem, module, path, Manifest(stem), manifest, problem=problem)


def _without_twins(found: list[Found]) -> list[Found]:
    """The first plugin of a name has it; a second one is a problem under the name of its module."""
    seen: dict[str, Found] = {}
    for one in found:
        first = seen.setdefault(one.name, one)
        if first is not one:
            stem = one.module.rpartition(".")[2]
            name = stem if stem not in seen else one.path.name
            problem = PluginError(
                f"plugin {name} was not loaded; {one.name!r} is the name of {first.path}",
                f"The manifest of {one.path} gives it the same name.",
                "Give one of them another name.",
            )
            seen[name] = Found(name, one.module, one.path, Manifest(name), one.manifest_path, problem=problem)
    return list(seen.values())


def in_entry_points() -> Iterator[Found]:
    """What installed packages offer in the group `midflight.plugins`: a module, or `module:object`."""
    for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda one: one.name):
        spec = _spec_of(point.module)
        if spec is None or spec.origin is None:
            problem = PluginError(
                f"plugin {point.name} was not loaded; the module {point.module} is not there",
                "An installed package names it as an entry point.",
                "Install that package again, or remove it.",
            )
            yield Found(point.name, point.module, Path(), Manifest(point.name), problem=problem)
        else:
            version = point.dist.version if point.dist is not None else ""
            manifest = Manifest(point.name, version=version)
            yield Found(point.name, point.module, Path(spec.origin), manifest, attribute=point.attr or "")


def _spec_of(module: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None


def by_name(*groups: Sequence[Found]) -> Mapping[str, Found]:
    """Plugin → where it is; the first group that has a name wins."""
    found: dict[str, Found] = {}
    for one in (one for group in groups for one in group):
        found.setdefault(one.name, one)
    return found
