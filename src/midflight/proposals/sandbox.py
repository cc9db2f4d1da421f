"""Proposed files tried out in a process of their own, on a copy of the project, under one deadline → Checks.

It keeps a mistake away from the program and its files. It is no jail: what the code does elsewhere, it does."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence

from midflight.config import Config, lies_in
from midflight.proposals.states import Check, ProposalError
from midflight.validate.pytest_runs import Child, Subprocess, Verdict, environment
from midflight.validate.tests import AffectedTests, smoke_files

LARGEST_PROJECT = 500 << 20  # bytes that are copied at most
LEFT_OUT = frozenset((
    *(".git", ".hg", ".svn", ".jj", ".midflight", ".venv", "__pycache__", "node_modules", "site-packages", ".tox"),
    *(".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".cache", ".eggs"),
))  # fmt: skip
SCRATCH = "midflight-sandbox-"  # left out too: the folder for temporary files may lie in the project
TAIL = 1500  # characters of output that a failed import is told with
IMPORT = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"


def try_out(config: Config, files: Mapping[str, bytes], modules: Sequence[str]) -> Iterator[Check]:
    """Checks "copy", "import" and "tests", one after another until one fails.

    `files` are the new contents by path below the project's folder, `modules` those to import."""
    ends = time.monotonic() + config.sandbox_deadline_s
    with tempfile.TemporaryDirectory(prefix=SCRATCH) as scratch:
        copy = os.path.join(os.path.realpath(scratch), "project")
        began = time.perf_counter()
        try:
            copy_project(config.root, copy)
            put(copy, files)
        except (OSError, shutil.Error, ProposalError) as error:
            yield Check("copy", "failed", str(error), _ms(began))
            return
        yield Check("copy", "passed", "", _ms(began))
        env = _environment(config, copy)
        check = _import(copy, env, modules, ends - time.monotonic(), config.sandbox_deadline_s)
        yield check
        if check.outcome != "failed":
            yield _test(config, copy, env, files, modules, ends - time.monotonic())


def copy_project(root: str, copy: str) -> None:
    """Without version control, environments and caches. Raises ProposalError where it is too large."""
    size = 0

    def left_out(folder: str, names: list[str]) -> list[str]:
        nonlocal size
        left = [name for name in names if _is_left_out(os.path.join(folder, name), name)]
        for name in set(names) - set(left):
            size += os.lstat(os.path.join(folder, name)).st_size
        if size > LARGEST_PROJECT:
            raise ProposalError(
                f"the project was not copied: it holds more than {LARGEST_PROJECT >> 20} MB",
                f"{root} is what is copied, without environments and caches.",
                "Give the project a folder of its own with a pyproject.toml.",
            )
        return left

    shutil.copytree(root, copy, ignore=left_out, symlinks=True)


def _is_left_out(path: str, name: str) -> bool:
    if name in LEFT_OUT or name.startswith(SCRATCH) or os.path.exists(os.path.join(path, "pyvenv.cfg")):
        return True
    # A socket or a pipe is no source, and reading one may never end.
    return not (os.path.islink(path) or os.path.isdir(path) or os.path.isfile(path))


def put(copy: str, files: Mapping[str, bytes]) -> None:
    """Write `files` into the copy; a link in its place becomes a file, so that nothing outside is written."""
    for path, data in files.items():
        place = os.path.join(copy, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if not lies_in(os.path.realpath(os.path.dirname(place)), copy):
            raise ProposalError(f"{path} lies behind a link that leads out of the project", "", "Name the file itself.")
        if os.path.islink(place):
            os.unlink(place)
        with open(place, "wb") as file:
            file.write(data)


def folders_of_imports(config: Config) -> list[str]:
    """Folders inside the project from which its modules are imported, first come first served."""
    wanted = [*map(os.path.abspath, sys.path), *config.paths, os.path.join(config.root, "src"), config.root]
    inside = [one for one in map(os.path.realpath, wanted) if lies_in(one, os.path.realpath(config.root))]
    return [one for one in dict.fromkeys(inside) if os.path.isdir(one) and "site-packages" not in one]


def _environment(config: Config, copy: str) -> dict[str, str]:
    root = os.path.realpath(config.root)
    folders = [os.path.normpath(os.path.join(copy, os.path.relpath(one, root))) for one in folders_of_imports(config)]
    outer = [one for one in environment(copy)["PYTHONPATH"].split(os.pathsep) if one and not lies_in(one, root)]
    return environment(copy, PYTHONPATH=os.pathsep.join([*folders, *outer]), PYTHONDONTWRITEBYTECODE="1")


def _import(copy: str, env: Mapping[str, str], modules: Sequence[str], left_s: float, deadline_s: float) -> Check:
    named = [name for name in modules if name != "__main__"]
    if not named:
        return Check("import", "skipped", "what runs as __main__ would start the program")
    began = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        code = Child([sys.executable, "-c", IMPORT, *named], copy, env, output).wait(max(left_s, 0.1))
        output.seek(0)
        told = output.read().decode("utf-8", "replace").strip()
    if code == 0:
        return Check("import", "passed", "", _ms(began))
    if code is None:
        why = f"{', '.join(named)} did not come up within {deadline_s:g} s, and was killed"
        return Check("import", "failed", why, _ms(began))
    return Check("import", "failed", told.replace(copy + os.sep, "")[-TAIL:] or f"it ended with {code}", _ms(began))


def _test(
    config: Config, copy: str, env: Mapping[str, str], files: Mapping[str, bytes], modules: Sequence[str], left_s: float
) -> Check:
    places = [os.path.join(copy, path) for path in files]
    smoke = smoke_files(zip(modules, places, strict=True), config.smoke_files, copy)
    finder = AffectedTests([copy], config.test_files, env["PYTHONPATH"].split(os.pathsep))
    tests = list(dict.fromkeys([*smoke, *finder.affected(places)]))
    if not tests:
        return Check("tests", "skipped", "no test reaches what it changes")
    verdict = Subprocess(tests, copy, env).verdict(max(left_s, 0.1))
    names = ", ".join(os.path.relpath(one, copy) for one in tests)
    if verdict.ok:
        return Check("tests", "passed", f"{verdict.passed} passed in {names}", verdict.ms)
    return Check("tests", "failed", _why(verdict, copy, names), verdict.ms)


def _why(verdict: Verdict, copy: str, names: str) -> str:
    if not verdict.failures:
        return f"{names}: {verdict.message}"
    lines = [f"{os.path.relpath(one.path, copy)}:{one.line} {one.name}: {one.message}" for one in verdict.failures[:10]]
    return "\n".join(lines)


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
