"""What modules asked for by hooks, done where the transaction can take it back: dispose, keep, migrate, accept."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from midflight.apply import swap
from midflight.apply.holders import functions_in, resolve
from midflight.apply.transaction import Transaction, own_attribute
from midflight.apply.variants import origin_of
from midflight.errors import MidflightError
from midflight.graph.heap import live_instances
from midflight.graph.homes import module_of
from midflight.graph.kinds import is_a
from midflight.graph.loaded import Loaded
from midflight.hooks import RECORDS, hand_over, handed, of_module
from midflight.hooks import derived as derived_hook
from midflight.hooks import state as state_hook
from midflight.plan.flow import called_chain, names_in_text
from midflight.plan.statements import Statement
from midflight.values import Problem

if TYPE_CHECKING:
    from midflight.apply.execute import Execution
    from midflight.apply.work import Work


class HookFailed(MidflightError):
    """A hook that raised: the reload is rolled back for it."""

    def __init__(self, kind: str, function: Callable[..., Any], error: BaseException, path: str) -> None:
        name = f"{function.__module__}.{getattr(function, '__qualname__', function)}"
        code = getattr(function, "__code__", None)
        line = code.co_firstlineno if code is not None else 0
        message = f"the {kind} hook {name} failed: {type(error).__name__}: {error}"
        super().__init__(message)
        self.problem = Problem(path, line, "MF032", message, "Mend the hook and save again; the old code is running.")


def before_code_runs(tx: Transaction, works: Iterable[Work]) -> list[str]:
    """Modules whose changed code is about to run hand their values over and clean up. Gives what is to be told."""
    tx.guard(RECORDS)
    notes: list[str] = []
    for work in works:
        _keep(tx, work.loaded)
        notes += _dispose(work.loaded, _edited_names(work))
    return notes


def _edited_names(work: Work) -> frozenset[str]:
    edited = (pair.statement.binds for pair in work.changed if pair.edited)
    return frozenset[str]().union(*edited)


def _keep(tx: Transaction, loaded: Loaded) -> None:
    values: dict[str, object] = {}
    hooks = list(of_module(loaded.name, "keep"))
    for function, _, _ in hooks:
        given = _call("keep", function, loaded)
        if not isinstance(given, dict):
            error = TypeError(f"it gave {type(given).__name__}, not a dict of values by name")
            raise HookFailed("keep", function, error, loaded.path)
        values.update(given)
    if hooks:
        before = handed(loaded.name)
        tx.undo(lambda: hand_over(loaded.name, before))
        hand_over(loaded.name, values)


def _dispose(loaded: Loaded, mended: frozenset[str] = frozenset()) -> Iterator[str]:
    """A hook that fails and is one of those `mended` by this very edit does not hold it up."""
    for function, _, _ in list(of_module(loaded.name, "dispose")):
        try:
            _call("dispose", function, loaded)
        except HookFailed as failed:
            if function.__qualname__.partition(".")[0] not in mended:
                raise
            yield f"{failed.problem.message}; this edit changes it"


def module_goes(tx: Transaction, loaded: Loaded) -> None:
    """Its file is gone: it cleans up, and its hooks are nobody's."""
    tx.guard(RECORDS)
    list(_dispose(loaded))
    for key in [key for key in RECORDS if key[0] == loaded.name]:
        del RECORDS[key]


def forget_hooks(module: str, qualname: str, codes: Collection[types.CodeType]) -> None:
    """A definition whose functions run `codes` goes or runs again: what it asked for is asked anew, or not. Another one
    may have the same name."""
    named = [key for key in list(RECORDS) if key[0] == module and key[2] == qualname]
    for key in [key for key in named if len(named) == 1 or _runs(RECORDS[key][0], module, codes)]:
        del RECORDS[key]


def forget_hooks_of(module: str, codes: Collection[types.CodeType]) -> None:
    """The same for all definitions of a block that runs again as a whole."""
    for key in [key for key, record in list(RECORDS.items()) if key[0] == module and _runs(record[0], module, codes)]:
        del RECORDS[key]


def _runs(function: Callable[..., Any], module: str, codes: Collection[types.CodeType]) -> bool:
    wanted = set(map(id, codes))
    return any(id(origin_of(one.__code__)) in wanted for one in functions_in(function, module))


def _call(kind: str, function: Callable[..., Any], loaded: Loaded, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a hook's SystemExit is its failure, as a module's is
        raise HookFailed(kind, function, error, loaded.path) from error


# -- after the code ran --------------------------------------------------------------------------------


def after_code_ran(run: Execution) -> None:
    _migrate(run)
    _accept(run)


def _migrate(run: Execution) -> None:
    """Each live instance of a class whose shape changed, with what came and what went."""
    for loaded in _with_hooks(run, "migrate"):
        for function, about, _ in list(of_module(loaded.name, "migrate")):
            shape = run.shapes.get((module_of(about), about.__qualname__))
            if shape is None:
                continue
            run.before_call()
            for instance in live_instances(about):
                _guard_instance(run.tx, instance)
                _call("migrate", function, loaded, instance, *shape)


def _with_hooks(run: Execution, kind: str) -> list[Loaded]:
    """The program's modules that recorded such a hook."""
    names = dict.fromkeys(module for module, what, *_ in list(RECORDS) if what == kind)
    return [loaded for loaded in map(run.program.get, names) if loaded is not None]


def _guard_instance(tx: Transaction, instance: Any) -> None:
    held = getattr(instance, "__dict__", None)
    if type(held) is dict:
        tx.guard(held)
    for kind in type(instance).__mro__:
        names = kind.__dict__.get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            tx.undo(swap.attribute(instance, name, own_attribute(instance, name)))


def _accept(run: Execution) -> None:
    """Modules that take the update of a dependency themselves."""
    changed = {module for module, _ in run.changes.values} | {
        getattr(function, "__module__", "") for function in run.changes.own.values()
    }
    for loaded in _with_hooks(run, "accept"):
        for function, dependency, _ in list(of_module(loaded.name, "accept")):
            updated = run.program.get(dependency)
            if dependency not in changed or updated is None:
                continue
            run.before_call()
            run.tx.guard(loaded.namespace)
            _call("accept", function, loaded, updated.module)
            run.notes.append(f"{loaded.name} took the update of {dependency} itself")


def accepted(module: str) -> frozenset[str]:
    """The modules whose updates `module` takes itself."""
    return frozenset(about for _, about, _ in of_module(module, "accept"))


# -- derived(...) and state(...) -------------------------------------------------------------------------


def is_derived(statement: Statement, namespace: Mapping[str, Any]) -> bool:
    return _calls(statement, namespace, derived_hook)


def is_state(statement: Statement, namespace: Mapping[str, Any]) -> bool:
    return _calls(statement, namespace, state_hook)


def _calls(statement: Statement, namespace: Mapping[str, Any], hook: Callable[..., Any]) -> bool:
    chain = called_chain(statement)
    if not chain:
        return False
    value = resolve(namespace, chain)
    if not is_a(value, types.FunctionType) and len(chain) == 2:
        value = getattr(namespace.get(chain[0]), chain[1], None) if namespace.get(chain[0]) is _package() else value
    return value is hook


def _package() -> Any:
    import midflight  # its hooks are loaded when they are asked for, so its namespace may not show them

    return midflight


def names_read(statement: Statement) -> frozenset[str]:
    """What a derived statement reads: its lambda too."""
    return names_in_text(statement) - statement.binds
