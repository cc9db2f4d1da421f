"""Checkpoints and hot reload of one module by name, for terminals and agents: thin, over the process's session."""

from __future__ import annotations

import logging
import os
import sys
import time
import types
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from midflight.config import user
from midflight.errors import MidflightError, SessionError, StoreError
from midflight.graph.heap import kinds_of_objects
from midflight.graph.hook import read_bytes
from midflight.session import Session, current
from midflight.store.alone import write_files
from midflight.store.versions import Store, Text
from midflight.values import ModuleReport, Report

log = logging.getLogger("midflight")

Folder = str | os.PathLike[str]


def _session_over(path: str) -> Session | None:
    """The process's session, where it runs and follows that file or folder."""
    found = current()
    return found if found is not None and found.running and found.covers(path) else None


class HotReloadManager:
    """Hot reload of the modules under the folder `root`: by the process's session where it covers that, else by one of
    its own, in mode manual, which `stop` ends. Made before the first edit: what a file holds then is what runs."""

    def __init__(self, root: Folder = ".") -> None:
        self.root = Path(os.path.realpath(root))
        if not self.root.exists():
            raise SessionError(f"there is no folder {self.root}", "Nothing was started.", "Check the name.")
        found = _session_over(str(self.root))
        self._own = found is None
        self.session = found if found is not None else Session(paths=[self.root], mode="manual")
        self.session.start()

    def stop(self) -> None:
        """Ends the session, where it is this manager's own. Idempotent."""
        if self._own:
            self.session.stop()

    def can_hot_reload(self, module: str) -> tuple[bool, list[str]]:
        """Whether the file of `module` can be taken as it is, and what speaks against it or is to be known: who depends
        on it, how many of its instances live, which of its functions are running. Touches nothing."""
        against = self._objection(module)
        if against:
            return False, [against]
        problems = self.session.plan([self._path(module)]).problems
        return not problems, [*map(str, problems), *self._facts(module)]

    def _objection(self, module: str) -> str:
        loaded = sys.modules.get(module)
        if loaded is None:
            return f"{module} is not loaded: import it first"
        path = getattr(loaded, "__file__", None)
        if not isinstance(path, str):
            return f"{module} has no file: it is built in, or a namespace"
        if not path.endswith(".py"):
            return f"{module} is a C extension or compiled ({path}): CPython cannot load it a second time"
        if self.session.program.get(module) is None:
            return f"{module} is not followed: {path} lies outside {', '.join(self.session.paths)}, or is left out"
        return ""

    def _path(self, module: str) -> str:
        return os.path.realpath(str(sys.modules[module].__file__))

    def _facts(self, module: str) -> Iterator[str]:
        found = {
            "dependents": self._dependents(module),
            "live instances": [f"{count} of {name}" for name, count in sorted(_instances(module).items())],
            "running": _running(sys.modules[module]),
        }
        yield from (f"{what}: {', '.join(names)}" for what, names in found.items() if names)

    def _dependents(self, module: str) -> list[str]:
        """All that import it, also through others."""
        known = self.session.graph()["modules"]
        found, waiting = set[str](), [module]
        while waiting:
            for name in known.get(waiting.pop(), {}).get("dependents", ()):
                if name not in found and name != module:
                    found.add(name)
                    waiting.append(name)
        return sorted(found)

    def hot_reload_module(self, module: str, test_after_reload: bool = True) -> dict[str, Any]:
        """Take the file of `module` in one transaction: {"success", "error", "old_hash", "new_hash", "ms", "report"};
        the hashes are SHA-256 of the source that ran before and that runs now. What others rely on and the module's
        own checks are asked before the commit; with `test_after_reload` also whether all that its `__all__` names is
        there, and if not it is taken back. A failure leaves the program as it was."""
        against = self._objection(module)
        if against:
            return _outcome(against)
        before = self._version(module)
        report = self.session.reload([self._path(module)], cause="HotReloadManager")
        error = "; ".join(map(str, report.problems))
        if report.outcome == "committed" and test_after_reload:
            error = self._missing(module)
            if error:
                self.session.rollback(f"{module}@{before[:12]}", [module])
        return _outcome(error, before, self._version(module), report)

    def _missing(self, module: str) -> str:
        namespace = vars(sys.modules[module])
        missing = [name for name in namespace.get("__all__", ()) if name not in namespace]
        return f"{module}.__all__ names {', '.join(missing)}, which it does not have" if missing else ""

    def _version(self, module: str) -> str:
        loaded = self.session.program.get(module)
        return loaded.version if loaded is not None else ""

    def reload_dependencies(self, module: str) -> dict[str, Any]:
        """Take the files of `module` and of all that depend on it in one transaction: {"success", "error", "modules",
        "ms", "report"}. Dependents whose files did not change follow by themselves: what read a changed value runs
        again. `modules` are those in which something happened."""
        against = self._objection(module)
        if against:
            return {**_outcome(against), "modules": []}
        paths = [self._path(name) for name in [module, *self._dependents(module)] if not self._objection(name)]
        report = self.session.reload(paths, cause="HotReloadManager")
        error = "; ".join(map(str, report.problems))
        return {**_outcome(error, report=report), "modules": sorted(report.modules)}

    def get_reload_history(self, limit: int = 10) -> list[dict[str, Any]]:
        """The latest attempts, newest first, a row for each module: "module", "at", "cause", and what
        `hot_reload_module` says of it."""
        rows = [
            {"module": name, "at": report.at, "cause": report.cause, **_row(report, done)}
            for report in self.session.history(limit)
            for name, done in report.modules.items()
        ]
        return rows[:limit]


def _row(report: Report, done: ModuleReport) -> dict[str, Any]:
    return _outcome("; ".join(map(str, report.problems)), done.before, done.after if report.ok else done.before, report)


def _outcome(error: str, before: str = "", after: str = "", report: Report | None = None) -> dict[str, Any]:
    ms = report.timings_ms.get("total", 0.0) if report is not None else 0.0
    return {
        "success": not error,
        "error": error or None,
        "old_hash": before,
        "new_hash": after,
        "ms": ms,
        "report": report.id if report is not None else None,
    }


def _instances(module: str) -> Counter[str]:
    kinds = kinds_of_objects()
    return Counter(kind.__qualname__ for kind in kinds if getattr(kind, "__module__", None) == module)


def _running(module: types.ModuleType) -> list[str]:
    found = set[str]()
    for frame in sys._current_frames().values():
        at: types.FrameType | None = frame
        while at is not None:
            if at.f_globals is vars(module):
                found.add(at.f_code.co_qualname)
            at = at.f_back
    return sorted(found)


class RollbackEngine:
    """Checkpoints of source files in a store of their own, in the folder `versions_dir`; they outlive the process.

    What cannot be done is False, and `last_error` says what stands, why, and what to do. Raises StoreError where the
    store cannot be used at all."""

    def __init__(self, versions_dir: Folder) -> None:
        self.last_error = ""
        self._store = Store(os.path.realpath(versions_dir))

    def close(self) -> None:
        self._store.close()

    def create_checkpoint(self, module: str, path: Folder, reason: str) -> str:
        """Keep what the file holds now; gives the version's id, "module@<12 hex>". Raises StoreError without it."""
        place = os.path.realpath(path)
        text = read_bytes(place)
        if text is None:
            raise StoreError(f"no checkpoint of {module} was made", f"{place} cannot be read.", "Check the path.")
        return self._store.versions.checkpoint(module, place, text, time.time(), reason=reason, author=user())

    def mark_stable(self, version_id: str) -> None:
        """It may be gone back to on an error, and is never cleaned up. Raises StoreError where there is none of that
        id."""
        found = self._store.versions.get(version_id)
        self._store.versions.mark_stable([_key(found)], time.time(), "RollbackEngine.mark_stable")

    def get_last_stable_version(self, module: str) -> str | None:
        """The id of the stable version whose checkpoint is the newest, None where none is stable."""
        found = self._store.versions.last_stable(module)
        return found.version.id if found is not None else None

    def rollback_to_version(self, version_id: str) -> bool:
        """The file as it was then, and with it the module, where the process's session follows it. What the file holds
        now becomes a checkpoint first."""
        try:
            return self._go_back(self._store.versions.get(version_id), f"before the rollback to {version_id}")
        except MidflightError as error:
            return self._failed(str(error))

    def _go_back(self, found: Text, reason: str) -> bool:
        self.last_error = ""
        try:
            if read_bytes(found.path) not in (None, found.source):
                self.create_checkpoint(found.version.module, found.path, reason)
            report = self._put_back(found)
        except (MidflightError, OSError) as error:
            return self._failed(str(error))
        return report.ok or self._failed("; ".join(map(str, report.problems)))

    def _put_back(self, found: Text) -> Report:
        cause = f"rollback to {found.version.id}"
        session = _session_over(found.path)
        if session is not None:
            return session.apply({found.path: found.source}, reason=cause, cause=cause)
        return write_files(self._store, {found.path: found}, cause, author=user())

    def _failed(self, why: str) -> bool:
        self.last_error = why
        log.warning("%s", why)
        return False

    def auto_rollback_on_error(self, module: str, error: BaseException | str) -> bool:
        """To the last stable version of `module`, because of `error`, which the checkpoint of what failed names."""
        stable = self._store.versions.last_stable(module)
        if stable is None:
            return self._failed(f"{module} stays as it is: no version of it is stable\n  Mark one with mark_stable.")
        return self._go_back(stable, f"failed: {error}")

    def get_version_history(self, module: str | None = None, limit: int = 20) -> list[dict[str, Any]]:
        """Checkpoints, newest first: "id", "module", "at", "stable", "reason", "author"."""
        return [asdict(version) for version in self._store.versions.newest(module, limit)]

    def get_rollback_points(self) -> list[dict[str, Any]]:
        """All of them that differ from what their file holds now, as get_version_history has them."""
        every = self._store.versions.newest(limit=sys.maxsize)
        return [asdict(one) for one in every if self._differs(self._store.versions.get(one.id))]

    def _differs(self, found: Text) -> bool:
        return read_bytes(found.path) != found.source

    def cleanup_old_versions(self, keep: int = 20) -> int:
        """Keep the newest `keep` of each module, and all that are stable; how many were dropped."""
        if keep < 1:
            raise StoreError(f"nothing was dropped: keep is {keep}", "At least one version of each module is kept.")
        return self._store.versions.cleanup(keep, time.time())


def _key(found: Text) -> tuple[str, str, str]:
    return found.version.module, found.path, found.sha
