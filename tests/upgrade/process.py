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
import warnings
from pathlib import Path
from typing import Any

from held import hold, is_module, lost, of_package  # type: ignore[import-not-found]
from portrait import Facts, portrait  # type: ignore[import-not-found]


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


def names_in(package: str) -> dict[str, dict[str, str]]:
    """Module -> names that a from-import may take, and what each is: no private ones and no modules."""
    return {
        name: {key: kind_of(value) for key, value in sorted(vars(sys.modules[name]).items())
               if is_public(key) and not is_module(value)}
        for name in of_package(package)
    }  # fmt: skip


def kind_of(value: object) -> str:
    return "class" if issubclass(type(value), type) else "callable" if callable(value) else "value"


def is_public(name: str) -> bool:
    return not name.startswith("_")


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
            (root / name).unlink(missing_ok=True)  # a shared library that is mapped must not change under the process
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
        gone = lost(held, forwarded_to)
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
