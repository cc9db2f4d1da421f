"""Run in a process of its own: what one release of a package holds, fresh or after live upgrades.

    python process.py names|fresh|live JOB.json OUT.json

JOB: root (the folder that holds the package), beside (folders of what it needs), modules (to import, in order),
package; for `live` also steps: the folders whose files are put in place of the present ones, one after the other.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import shutil
import sys
import types
import warnings
from pathlib import Path
from typing import Any

from portrait import Facts, portrait  # type: ignore[import-not-found]

Held = dict[str, Any]


def load(modules: list[str]) -> list[str]:
    """Imports what can be imported, in order; returns the names that could."""
    loaded = []
    for name in modules:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                importlib.import_module(name)
            except Exception:  # a module for an optional dependency, in every release alike
                continue
        loaded.append(name)
    return loaded


def of_package(package: str) -> list[str]:
    """The loaded modules of `package`, and the program's own."""
    return sorted(name for name in sys.modules if name in (package, "holder") or name.startswith(f"{package}."))


def names_in(package: str) -> dict[str, list[str]]:
    """Module -> names that a from-import may take: no private ones and no modules."""
    return {
        name: sorted(key for key, value in vars(sys.modules[name]).items() if is_public(key) and not is_module(value))
        for name in of_package(package)
    }


def is_public(name: str) -> bool:
    return not name.startswith("_")


def is_module(value: object) -> bool:
    return issubclass(type(value), types.ModuleType)


# -- what the program holds ---------------------------------------------------------------------------------------


def hold(package: str) -> Held:
    """Modules, functions and classes by where they live; with each class a bare instance and its bound methods."""
    held: Held = {name: sys.modules[name] for name in of_package(package)}
    for name in of_package(package):
        for key, value in list(vars(sys.modules[name]).items()):
            if getattr_static(value, "__module__") == name and defined_as(value, key):
                held[f"{name}:{key}"] = value
                if isinstance(value, type):
                    held.update(hold_members(f"{name}:{key}", value))
    return held


def getattr_static(value: object, name: str) -> object:
    return getattr(value, name, None) if type(value) is types.FunctionType or issubclass(type(value), type) else None


def defined_as(value: Any, name: str) -> bool:
    """Whether a plain `def` or `class` statement made `value` (a decorator's result may be made again)."""
    if type(value) is types.FunctionType:
        return bool(value.__code__.co_qualname == value.__qualname__ == name)
    return bool(value.__qualname__ == name)


def hold_members(path: str, cls: type) -> Held:
    held: Held = {}
    for name, member in vars(cls).items():
        if type(member) is types.FunctionType and member.__code__.co_qualname == f"{cls.__qualname__}.{name}":
            held[f"{path}.{name}"] = member
    if any(vars(base).get("__slots__") for base in cls.__mro__) or not cls.__dictoffset__:
        return held  # a layout that may change only where nothing of the class lives: that is a rude edit
    with contextlib.suppress(TypeError):  # no bare instance of what is abstract or needs its own __new__
        instance = object.__new__(cls)
        held[f"instance {path}"] = instance
        for name in (key.rpartition(".")[2] for key in list(held) if key.startswith(f"{path}.")):
            held[f"bound {path}.{name}"] = types.MethodType(vars(cls)[name], instance)
    return held


def lost(held: Held) -> list[str]:
    """What is held and no longer the one that the program finds by its name, or no longer acts as it."""
    return sorted(filter(None, (lost_one(path, value) for path, value in held.items())))


def lost_one(path: str, value: Any) -> str:
    kind, _, place = path.rpartition(" ")
    now = find(place)
    if now is ABSENT or not same_sort(kind, value, now):
        return ""
    if kind == "instance":
        return "" if type(value) is now else f"{path} is of another class"
    if kind == "bound":
        return "" if value.__func__ is now else f"{path} runs another function"
    return "" if value is now else f"{path} is another object"


ABSENT = object()


def find(place: str) -> Any:
    module, _, names = place.partition(":")
    found: Any = sys.modules.get(module, ABSENT)
    for name in filter(None, names.split(".")):
        found = vars(found).get(name, ABSENT) if found is not ABSENT else ABSENT
    return found


def same_sort(kind: str, value: Any, now: Any) -> bool:
    """Whether the new source still has a plain function for a function, a class for a class."""
    if kind == "instance" or isinstance(value, type):
        return isinstance(now, type)
    if isinstance(value, types.ModuleType):
        return isinstance(now, types.ModuleType)
    plain = type(now) is types.FunctionType
    return plain and now.__code__.co_qualname == now.__qualname__


# -- releases -----------------------------------------------------------------------------------------------------


def files_of(folder: Path) -> dict[str, bytes]:
    """Source and data of a release; its `dist-info` is the installer's, no part of the program."""
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    relative = {path.relative_to(folder).as_posix(): path for path in found}
    return {name: path.read_bytes() for name, path in relative.items() if ".dist-info/" not in name}


def put_in_place(root: Path, release: Path) -> int:
    """Makes `root` hold the files of `release`, touching only what differs; returns how many files that were."""
    old, new = files_of(root), files_of(release)
    own = {"holder.py"}
    changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name) and name not in own]
    for name in changed:
        if name in new:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(new[name])
        else:
            (root / name).unlink()
    for folder in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
        if not any(path.name != "__pycache__" for path in folder.iterdir()):
            shutil.rmtree(folder)
    return len(changed)


def upgrade_live(job: dict[str, Any]) -> dict[str, Any]:
    """Takes each step live and draws the process after it."""
    import midflight
    from midflight.apply.graft.functions import forwarded_to
    from midflight.apply.variants import origin_of

    session = midflight.Session(paths=[job["root"]], mode="manual")
    session.start()
    loaded = load(job["modules"])
    steps = []
    for release in job["steps"]:
        held = hold(job["package"])
        files = put_in_place(Path(job["root"]), Path(release))
        report = session.reload()
        gone = lost(held)
        held.clear()  # a class that went stays in its base's __subclasses__ for as long as somebody holds it
        facts = portrait(of_package(job["package"]), job["root"], origin_of, forwarded_to)
        steps.append({"report": json.loads(report.to_json()), "facts": facts, "lost": gone, "files": files})
    session.stop()
    return {"loaded": loaded, "steps": steps}


def fresh(job: dict[str, Any]) -> dict[str, Any]:
    loaded = load(job["modules"])
    facts: Facts = portrait(of_package(job["package"]), job["root"])
    return {"loaded": loaded, "facts": facts, "names": names_in(job["package"])}


def main(kind: str, job_file: str, out_file: str) -> None:
    job = json.loads(Path(job_file).read_text("utf-8"))
    warnings.simplefilter("ignore")
    sys.path[0:1] = [job["root"], *job["beside"]]  # out of the way: this file's own folder
    result = {"fresh": fresh, "live": upgrade_live}[kind](job)
    Path(out_file).write_text(json.dumps(result), "utf-8")
    sys.stdout.flush()
    os._exit(0)  # whatever the package left running


if __name__ == "__main__":
    main(*sys.argv[1:])
