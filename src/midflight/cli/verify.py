"""midflight verify: the installation and the project, pass or fail a line."""

from __future__ import annotations

import argparse
import os
import queue
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from midflight.cli import DONE, FAILED
from midflight.cli.output import paint, print_json
from midflight.config import Config, load, socket_folders
from midflight.errors import MidflightError
from midflight.values import Batch

DEADLINE_S = 10.0


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, whether it is good, what was found, and the way out where it is not."""

    name: str
    ok: bool
    found: str
    hint: str = ""


def verify(options: argparse.Namespace) -> int:
    checks = list(_checks())
    good = all(check.ok for check in checks)
    if options.json:
        print_json({"ok": good, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            print(f"{paint('pass', 'good') if check.ok else paint('FAIL', 'bad')}  {check.name}: {check.found}")
            if check.hint and not check.ok:
                print(f"      {check.hint}")
    return DONE if good else FAILED


def _checks() -> Iterator[Check]:
    yield _python()
    yield _threads()
    yield _dotenv()
    yield _socket_folder()
    try:
        config = load(".")
    except MidflightError as error:
        yield Check("settings", False, error.what, " ".join(part for part in (error.why, error.hint) if part))
        yield _guarded("watcher", lambda: _watcher("auto"))
        return
    given = [f"{name} ({origin})" for name, origin in config.origins.items() if origin != "default"]
    yield Check("settings", True, ", ".join(given) or "all default")
    yield _enabled(config)
    yield _guarded("watcher", lambda: _watcher(config.backend))
    yield _store(config)
    yield _paths(config)
    yield _sources(config)


def _python() -> Check:
    version = sys.version.split()[0]
    return Check("Python", sys.version_info >= (3, 11), version, "midflight needs 3.11 or later.")


def _threads() -> Check:
    free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    found = "free-threaded build" if free else "build with the interpreter lock"
    return Check("threads", not free, found, "midflight refuses to start there, untested; use the default build.")


def _dotenv() -> Check:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return Check("python-dotenv", True, version("python-dotenv"))
    except PackageNotFoundError:
        return Check("python-dotenv", False, "not installed", "pip install python-dotenv, to read .env files.")


def _enabled(config: Config) -> Check:
    found = f"{'on' if config.enabled else 'off'} ({config.origins['enabled']})"
    return Check("switch", config.enabled, found, "Sessions do nothing until that is removed or set to true.")


def _socket_folder() -> Check:
    from midflight.control import own_folder

    troubles = []
    for folder in socket_folders():
        try:
            os.makedirs(os.path.dirname(folder), exist_ok=True)
            own_folder(folder)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".verify-"):
                return Check("socket folder", True, folder)
        except (OSError, MidflightError) as error:
            troubles.append(f"{folder}: {error}".replace("\n  ", " "))
    return Check("socket folder", False, "; ".join(troubles), "Set XDG_RUNTIME_DIR to a folder of your own.")


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except (OSError, MidflightError) as error:
        return Check(name, False, str(error).replace("\n  ", " "), "See docs/watching.md.")


def _watcher(backend: str) -> Check:
    """Whether the backend tells of a file that is really saved."""
    from midflight.watch import Watch
    from midflight.watch.filters import Filters

    batches: queue.Queue[Batch] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="midflight-verify-") as folder:
        folder = os.path.realpath(folder)
        watch = Watch(Filters([folder]), batches.put, backend=backend)
        watch.start()
        try:
            path = os.path.join(folder, "saved.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write("saved = True\n")
            seen = _await(batches, path)
            used = str(watch.status().get("backend", backend))
        finally:
            watch.stop()
    hint = "pip install 'midflight[watch]', or set backend = \"polling\" under [tool.midflight]."
    return Check("watcher", seen, f"{used} {'saw' if seen else 'did not see'} a file saved", hint)


def _await(batches: queue.Queue[Batch], path: str) -> bool:
    try:
        while path not in batches.get(timeout=DEADLINE_S).paths:
            pass
    except queue.Empty:
        return False
    return True


def _store(config: Config) -> Check:
    folder = config.store_dir if os.path.isdir(config.store_dir) else os.path.dirname(config.store_dir)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".midflight-verify-"):
            return Check("store", True, config.store_dir)
    except OSError as error:
        return Check("store", False, f"{folder} cannot be written: {error.strerror}", "Give yourself write permission.")


def _paths(config: Config) -> Check:
    missing = [path for path in config.paths if not os.path.exists(path)]
    if missing:
        hint = f"Correct paths ({config.origins['paths']})."
        return Check("paths", False, f"{', '.join(missing)} not found", hint)
    return Check("paths", True, ", ".join(config.paths))


def _sources(config: Config) -> Check:
    """Whether each Python file compiles; one that does not could not be taken live either."""
    count, broken = 0, []
    for path in _python_files(config):
        count += 1
        try:
            with open(path, "rb") as file, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(file.read(), path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, OSError, RecursionError) as error:
            broken.append(f"{path}:{getattr(error, 'lineno', None) or 1} {getattr(error, 'msg', None) or error}")
    if broken:
        more = f" and {len(broken) - 5} more" if len(broken) > 5 else ""
        return Check("sources", False, "; ".join(broken[:5]) + more, "Correct them, or leave them out with `exclude`.")
    return Check("sources", True, f"{count} Python file{'s' if count != 1 else ''} compile")


def _python_files(config: Config) -> Iterator[str]:
    from midflight.watch.filters import Filters

    filters = Filters(list(config.paths), data=config.data, include=config.include, exclude=config.exclude)
    for root in config.paths:
        if os.path.isfile(root):
            yield root
        for folder, names, files in os.walk(root):
            names[:] = sorted(name for name in names if not filters.prunes(os.path.join(folder, name)))
            yield from (path for name in sorted(files) if filters.kind(path := os.path.join(folder, name)) == "code")
