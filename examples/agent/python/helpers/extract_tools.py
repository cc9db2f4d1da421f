"""Classes found by folder: one in each file, under the file's name."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from python.helpers.module_cache import modules
from python.helpers.tool import Tool

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")

_cache: dict[str, dict[str, type[Tool]]] = {}


def tools() -> dict[str, type[Tool]]:
    """Tool name → class, for each file in python/tools."""
    folder = "python/tools"
    if folder not in _cache:
        _cache[folder] = load_classes_from_folder(folder, Tool)
    return _cache[folder]


def load_classes_from_folder(folder: str, base: type[T]) -> dict[str, type[T]]:
    """File name without `.py` → its class derived from `base`, in the order of names. A file that cannot be loaded is
    told of and left out: the others are not held up."""
    found: dict[str, type[T]] = {}
    for path in sorted((ROOT / folder).glob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        try:
            found[path.stem] = class_in(modules.load(name), base)
        except Exception as error:
            print(f"Failed to load: {name.removeprefix('python.')}: {type(error).__name__}: {error}", flush=True)
    return found


def class_in(module: ModuleType, base: type[T]) -> type[T]:
    """The class derived from `base` that the module defines. Raises LookupError where there is none, or more."""
    own = [one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == module.__name__]
    classes = [one for one in own if issubclass(one, base) and one is not base]
    if len(classes) != 1:
        raise LookupError(f"a class derived from {base.__name__} is wanted, and there are {len(classes)}")
    return classes[0]
