"""Submodules that came in while their package held something else under that name: which of the two a fresh start has.

An import binds a submodule in its package when it is loaded for the first time. So a statement of the package keeps
the name if it stands below the one that loads the submodule, or is that one."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

from midflight.apply.binders import last_binders
from midflight.apply.branches import as_it_runs
from midflight.plan.diff import Pair
from midflight.plan.flow import modules_imported
from midflight.plan.statements import SourceText

if TYPE_CHECKING:
    from midflight.apply.execute import Execution
    from midflight.apply.statements import Runner


def settle_covered(run: Execution) -> None:
    for submodule, held in list((run.program.notebook.covered or {}).items()):
        package, _, name = submodule.rpartition(".")
        module, work = sys.modules.get(submodule), run.work_of(package)
        if module is None or work is None:
            continue
        runner = run.runner(work)
        current = runner.scope.get(name)
        stands = held if _is_bound_later(runner, submodule, name) else module
        if current is not stands and (current is held or current is module):
            runner.rebind(name, current, stands)


def _is_bound_later(runner: Runner, submodule: str, name: str) -> bool:
    """Whether an unedited statement, or a star import, binds the name after the submodule was loaded."""
    last: Pair | None = last_binders(runner, runner.work.pairs, "new").get(name)
    if last is None or last.new is None or not (last.kind in ("same", "moved") or "*" in last.new.binds):
        return False
    place = _loaded_by(runner, submodule)
    return place is not None and place <= last.new.first


def _loaded_by(runner: Runner, submodule: str) -> int | None:
    """The line of the package's first statement that imports the submodule, itself or by what it imports."""
    seen = {runner.work.name}
    for statement in sorted(runner.work.text.statements, key=lambda one: one.first):
        if not (statement.is_import or statement.is_block):
            continue
        live = as_it_runs(statement, runner.scope.namespace) if statement.is_block else statement
        if _reaches(runner.run, modules_imported(live, runner.work.name, True), submodule, seen):
            return statement.first
    return None


def _reaches(run: Execution, modules: Collection[str], submodule: str, seen: set[str]) -> bool:
    waiting = [*modules]
    while waiting:
        module = waiting.pop()
        if module == submodule or module.startswith(submodule + "."):
            return True
        if module not in seen:
            seen.add(module)
            waiting += _imports(run, module)
    return False


def _imports(run: Execution, module: str) -> Collection[str]:
    work = run.works.get(module)
    if work is None or not work.edited:
        return run.program.imports.imports(module)
    package, text = work.loaded.is_package, work.text
    return _of_text(text, module, package)


def _of_text(text: SourceText, module: str, package: bool) -> set[str]:
    found = (one for one in text.statements if one.is_import or one.is_block)
    return {name for one in found for name in modules_imported(one, module, package)}
