"""One plugin's life: set up, taken down, and put back when a reload fails. Each step has a deadline and a name."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

from midflight.apply.transaction import Transaction
from midflight.errors import PluginError
from midflight.plugins.blocked import Blocked, LoopWatch
from midflight.plugins.byhand import withdraw
from midflight.plugins.context import Context, call
from midflight.plugins.discovery import Found
from midflight.plugins.order import Needs
from midflight.plugins.registry import Gate, Registry
from midflight.plugins.state import Holders, data_in, first_of, holders_of, put_back
from midflight.values import Problem

log = logging.getLogger("midflight.plugins")

State = Literal["loading", "enabled", "reloading", "disabled", "waiting", "failed"]
STEPS = ("setup", "teardown", "before_reload", "after_reload")
LAST_STEPS = ("before_reload", "teardown")  # of a version that is about to be replaced
NOTHING = object()  # no state was handed over, which is not the same as None


class Plugin:
    """Base of plugins that are classes: the module has one class derived from it, which is made without arguments.

    The instance lives through reloads: its methods are grafted, its attributes stay."""

    async def setup(self, ctx: Context) -> None:
        """Registers what the plugin offers."""

    async def teardown(self, ctx: Context) -> None:
        """Gives back what was not registered with `ctx`."""


class StepFailed(PluginError):
    """A step of a plugin that raised or did not end in time."""

    def __init__(self, entry: Entry, step: str, error: BaseException, deadline_s: float) -> None:
        late = isinstance(error, Blocked) or (isinstance(error, TimeoutError) and not str(error))
        super().__init__(f"plugin {entry.name}: {step} {_why(error, deadline_s, late)}")
        self.plugin, self.step = entry.name, step
        place = error.place[:2] if isinstance(error, Blocked) else _place(error, entry)
        path, line = place or _place_of_step(entry, step)
        hint = error.hint if isinstance(error, Blocked) else "Mend it and save again."
        self.problem = Problem(path, line, "MF071" if late else "MF070", self.what, hint)


def _why(error: BaseException, deadline_s: float, late: bool) -> str:
    if isinstance(error, Blocked):
        return error.what
    return f"did not end within {deadline_s:g} s" if late else f"raised {type(error).__name__}: {error}"


@dataclass(slots=True, eq=False)
class Entry:
    """One plugin that the manager knows: `module` while it is loaded, `error` what went wrong last, with the plugin's
    name in it; None after a success."""

    found: Found
    state: State = "loading"
    module: ModuleType | None = None
    error: str | None = None
    traceback: str = ""
    reloads: int = 0
    subject: Any = None  # the module, or the instance of its Plugin class: where the steps are
    ctx: Context | None = None
    fresh: Holders = field(default_factory=dict)  # the data that its first setup left

    @property
    def name(self) -> str:
        return self.found.name

    @property
    def version(self) -> str:
        return self.found.manifest.version or str(getattr(self.module, "__version__", ""))

    @property
    def instance(self) -> Plugin | None:
        return self.subject if isinstance(self.subject, Plugin) else None

    @property
    def needs(self) -> Needs:
        return Needs(self.found.manifest.requires, self.found.manifest.after)

    def owns_module(self, name: str) -> bool:
        return name == self.found.module or name.startswith(f"{self.found.module}.")

    def modules(self) -> list[ModuleType]:
        return [module for name, module in list(sys.modules.items()) if self.owns_module(name)]

    def fail(self, error: BaseException) -> None:
        self.error = str(error) if self.name in str(error) else f"plugin {self.name}: {error}"
        self.traceback = "".join(traceback.format_exception(error))

    def mend(self) -> None:
        self.error, self.traceback = None, ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip() + f": {self.state}" + (f" ({self.error})" if self.error else "")


@dataclass(frozen=True, slots=True)
class Tools:
    """What all plugins of one manager share."""

    host: Any
    registry: Registry
    deadline_s: float
    config: Callable[[Entry], dict[str, Any]]
    required: Callable[[str, str], ModuleType]  # (who asks, for whom)

    def gate(self, entry: Entry) -> Gate:
        return self.registry.gate(entry.name)

    def context(self, entry: Entry) -> Context:
        def required(name: str) -> ModuleType:
            return self.required(entry.name, name)

        return Context(entry.name, self.host, self.config(entry), self.registry, required)

    async def step(self, entry: Entry, step: str, *args: Any) -> Any:
        """Raises StepFailed; gives NOTHING where the plugin has no such step."""
        function = getattr(entry.subject, step, None)
        if function is None:
            return NOTHING
        watch = LoopWatch(entry.name, step, self.deadline_s, lambda path: _is_of(entry, path))
        try:
            with watch:
                given = await call(function, *args, deadline_s=self.deadline_s)
        except TimeoutError as error:
            raise StepFailed(entry, step, watch.blocked or error, self.deadline_s) from error
        except (Exception, SystemExit) as error:
            raise StepFailed(entry, step, error, self.deadline_s) from error
        if watch.blocked is not None:
            raise StepFailed(entry, step, watch.blocked, self.deadline_s)
        return given


def subject_of(entry: Entry) -> Any:
    """Where a loaded plugin's steps are: an instance of its Plugin class, the one that lives where it has one; what its
    entry point names; or the module. Raises PluginError where there is none."""
    module = entry.module
    if entry.found.attribute:
        return _made(getattr(module, entry.found.attribute), entry)
    classes = [value for value in vars(module).values() if _is_plugin_class(value, entry)]
    leaves = [one for one in classes if not any(other is not one and issubclass(other, one) for other in classes)]
    if len(leaves) > 1:
        names = ", ".join(sorted(one.__name__ for one in leaves))
        raise PluginError(f"plugin {entry.name} has several Plugin classes: {names}", "", "Keep one in this module.")
    if leaves:
        return _made(leaves[0], entry)
    if not callable(getattr(module, "setup", None)):
        raise PluginError(
            f"plugin {entry.name} has no setup",
            f"{entry.found.path} has neither a function `setup` nor a class derived from Plugin.",
            "Write one; or let the file's name begin with an underscore, if it is a helper.",
        )
    return module


def _made(value: Any, entry: Entry) -> Any:
    if not isinstance(value, type):
        return value
    return entry.subject if type(entry.subject) is value else value()


def _is_plugin_class(value: Any, entry: Entry) -> bool:
    return isinstance(value, type) and issubclass(value, Plugin) and entry.owns_module(value.__module__)


async def set_up(entry: Entry, tools: Tools, handed: Any = NOTHING) -> None:
    """Its setup runs, then `after_reload` where something was handed over; calls still wait. Raises PluginError, and
    then nothing of it stays registered."""
    entry.ctx = tools.context(entry)
    try:
        await tools.step(entry, "setup", entry.ctx)
        entry.fresh = first_of(entry.fresh, data_in(holders_of(entry.modules(), entry.instance)))
        if handed is not NOTHING:
            await tools.step(entry, "after_reload", entry.ctx, handed)
    except BaseException:
        await _close(entry, tools)
        raise


def enable(entry: Entry, tools: Tools) -> None:
    entry.state = "enabled"
    tools.gate(entry).open()


async def _close(entry: Entry, tools: Tools) -> list[str]:
    """All that its context holds goes, also what its own hand put into the host; gives what would not end."""
    ctx, entry.ctx = entry.ctx, None
    if ctx is None:
        return []
    lines = []
    try:
        await ctx.run_closers(tools.deadline_s)
    except Exception as error:
        lines.append(f"on_teardown raised {type(error).__name__}: {error}")
    lines += await ctx.close(tools.deadline_s)
    tx = Transaction()
    withdraw(tx, tools.host, entry.owns_module)
    tx.commit()
    return lines


async def take_down(entry: Entry, tools: Tools) -> None:
    """The plugin goes, whatever its teardown does. Raises StepFailed or PluginError afterwards."""
    await tools.gate(entry).close()
    failure: PluginError | None = None
    try:
        await tools.step(entry, "teardown", entry.ctx)
    except PluginError as error:
        failure = error
    lines = await _close(entry, tools)
    tools.gate(entry).open()  # nobody answers any more, and nobody must wait for it
    if failure is None and lines:
        failure = PluginError(f"plugin {entry.name}: {'; '.join(lines)}", "It was taken down all the same.")
    if failure is not None:
        raise failure


class Parked:
    """A plugin between its old version and the next: `park`, then `leave` when the new one runs, or `resume`."""

    def __init__(self, entry: Entry, tools: Tools) -> None:
        self.entry, self.tools = entry, tools
        self.ctx, self._subject = entry.ctx, entry.subject
        self.handed: Any = NOTHING
        self._state_before = entry.state
        self._tx = Transaction()
        self._torn = False
        self._stopped = False
        self._holders: Holders = {}
        self._originals: Holders = {}
        self._data: Holders = {}

    async def park(self, mended: Collection[str]) -> None:
        """Calls wait, `before_reload` gives its state, `teardown` runs. Raises StepFailed; a step that fails and is
        `mended` by this very edit only goes into the log: else no edit could ever mend it."""
        entry, tools = self.entry, self.tools
        if entry.state == "failed":
            tools.gate(entry).shut()  # it is down already
            return
        entry.state = "reloading"
        if not await tools.gate(entry).close():
            entry_log(entry, "calls were still running; they finish with the old code")
        await self._hand_over("before_reload" in mended)
        self._remember()
        tools.registry.park(entry.name)
        await self._tear_down("teardown" in mended)
        if self.ctx is not None:
            self._stopped = True
            for line in await self.ctx.stop_tasks(tools.deadline_s):
                entry_log(entry, line)
        withdraw(self._tx, tools.host, entry.owns_module)

    async def _hand_over(self, mended: bool) -> None:
        try:
            self.handed = await self.tools.step(self.entry, "before_reload", self.ctx)
        except StepFailed as error:
            if not mended:
                raise
            entry_log(self.entry, f"{error}; the new version mends it, and gets nothing")

    def _remember(self) -> None:
        self._holders = holders_of(self.entry.modules(), self.entry.instance)
        self._originals = {home: dict(held) for home, held in self._holders.items()}
        self._data = data_in(self._holders)

    async def _tear_down(self, mended: bool) -> None:
        self._torn = _has_teardown(self.entry) or (self.ctx is not None and not self.ctx.can_come_back)
        try:
            await self.tools.step(self.entry, "teardown", self.ctx)
            if self.ctx is not None:
                await self.ctx.run_closers(self.tools.deadline_s)
        except StepFailed as error:
            if not mended:
                raise
            entry_log(self.entry, f"{error}; the new version mends it")
        except (Exception, SystemExit) as error:
            raise StepFailed(self.entry, "on_teardown", error, self.tools.deadline_s) from error

    async def leave(self) -> None:
        """The new version runs: what is left of the old one goes."""
        self._tx.commit()
        self.tools.registry.drop_parked(self.entry.name)
        if self.ctx is not None:
            await self.ctx.close(self.tools.deadline_s)

    async def resume(self) -> None:
        """The old version runs again, its code is back already: what it registered answers, its state is what it was.
        Raises PluginError where its own setup fails now."""
        entry, tools = self.entry, self.tools
        entry.subject = self._subject
        if self._state_before == "failed":
            pass
        elif self._torn:
            await self._set_up_again()
        else:
            self._tx.roll_back()
            tools.registry.unpark(entry.name)
            entry.ctx = self.ctx
            if self.ctx is not None and self._stopped:
                self.ctx.start_tasks()
        entry.state = self._state_before
        tools.gate(entry).open()

    async def _set_up_again(self) -> None:
        """Its teardown ran, and only its setup can undo that."""
        entry, tools = self.entry, self.tools
        try:
            await set_up(entry, tools)
        except PluginError:
            entry.state = "failed"
            raise
        finally:
            await self.leave()  # not before: its commands keep their names, and calls wait for the new ones
            if entry.state == "failed":
                tools.gate(entry).open()
        if not await self._takes_back_its_own():
            put_back(self._holders, self._originals, self._data, entry.fresh)

    async def _takes_back_its_own(self) -> bool:
        """Whether the old version's `after_reload` took what its own `before_reload` gave."""
        if self.handed is NOTHING:
            return False
        try:
            return await self.tools.step(self.entry, "after_reload", self.entry.ctx, self.handed) is not NOTHING
        except StepFailed as error:
            entry_log(self.entry, f"{error}; its plain data is put back instead")
            return False


def entry_log(entry: Entry, text: str) -> None:
    log.warning("plugin %s: %s", entry.name, text)


def _has_teardown(entry: Entry) -> bool:
    function = getattr(type(entry.subject) if entry.instance is not None else entry.subject, "teardown", None)
    return function is not None and function is not Plugin.teardown


def _place(error: BaseException, entry: Entry) -> tuple[str, int] | None:
    """The innermost line of the plugin's own files that the error came through."""
    found = None
    for path, line in _trace(error):
        if _is_of(entry, path):
            found = (path, line)
    return found


def _is_of(entry: Entry, path: str) -> bool:
    """Whether it is one of the plugin's own files."""
    if not entry.found.is_package:
        return path == str(entry.found.path)
    return path.startswith(str(entry.found.path.parent) + os.sep)


def _place_of_step(entry: Entry, step: str) -> tuple[str, int]:
    code = getattr(getattr(entry.subject, step, None), "__code__", None)
    return str(entry.found.path), code.co_firstlineno if code is not None else 0


def _trace(error: BaseException) -> Iterator[tuple[str, int]]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next


def problem_of(entry: Entry, error: BaseException) -> Problem | None:
    """Why a plugin was not taken; None where the engine says it better: its new code raised."""
    if isinstance(error, StepFailed):
        return error.problem
    if isinstance(error, PluginError):
        return problem_with(str(entry.found.path), error)
    return None


def problem_with(path: str, error: PluginError) -> Problem:
    """A plugin, or its manifest, that cannot be as it says."""
    what = "\n  ".join(part for part in (error.what, error.why) if part)
    return Problem(path, 0, "MF072", what, error.hint or "Mend it and save again.")


def problem_of_load(entry: Entry, error: BaseException) -> Problem:
    """Why a plugin's module could not be imported."""
    if isinstance(error, SyntaxError):
        path, line = error.filename or str(entry.found.path), error.lineno or 0
        return Problem(path, line, "MF001", f"{type(error).__name__}: {error.msg}", "Mend it.")
    path, line = _place(error, entry) or (str(entry.found.path), 0)
    text = f"its code raised {type(error).__name__}: {error}"
    return Problem(path, line, "MF040", text, "Mend it and save again.")
