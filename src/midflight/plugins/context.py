"""What a plugin is given: its host and its configuration; and a record of all that it registered."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from midflight.errors import PluginError
from midflight.plugins.registry import Function, Registration, Registry, fresh_context, within


@dataclass(slots=True, eq=False)
class Task:
    """A running task, and how to start it again: None where it was given as a coroutine, which runs only once."""

    running: asyncio.Task[Any]
    start: Callable[[], Coroutine[Any, Any, Any]] | None


@dataclass(slots=True)
class Record:
    """All that must be undone when the plugin goes."""

    registrations: list[Registration] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    timers: list[asyncio.Task[Any]] = field(default_factory=list)
    closers: list[tuple[Function, tuple[Any, ...]]] = field(default_factory=list)


class Context:
    """Given to `setup`, `teardown`, `before_reload` and `after_reload`. `host` is what the manager was given, `config`
    the values for the plugin's options, `log` a logger of the plugin's name. What is registered here goes with the
    plugin, whether or not its teardown thinks of it; functions may be plain or async."""

    def __init__(
        self,
        name: str,
        host: Any,
        config: Mapping[str, Any],
        registry: Registry,
        required: Callable[[str], ModuleType],
    ) -> None:
        self.name, self.host, self.config = name, host, dict(config)
        self.log = logging.getLogger(f"midflight.plugins.{name}")
        self.record = Record()
        self._registry, self._required = registry, required
        self._gone = False

    # -- what a plugin calls --------------------------------------------------------------------------

    def command(self, name: str, function: Function | None = None) -> Any:
        """`function` answers the command `name`; a decorator without it. Raises PluginError where a plugin has it."""
        return self._register("command", name, function)

    def listener(self, event: str, function: Function | None = None) -> Any:
        """`function` hears each `event`; a decorator without it."""
        return self._register("listener", event, function)

    def middleware(self, function: Function) -> Function:
        """`async def function(call, proceed)` stands around every command: `await proceed()` gives its answer,
        `proceed(Call(...))` asks something else; not to proceed answers in its place."""
        self._register("middleware", "", function)
        return function

    def task(self, what: Function | Coroutine[Any, Any, Any], *args: Any) -> asyncio.Task[Any]:
        """Runs a coroutine function, or a coroutine, until the plugin goes. Given as a function it can be started
        again when a reload is taken back."""
        self._refuse_gone()
        start = None if inspect.iscoroutine(what) else lambda: what(*args)  # type: ignore[operator]
        task = Task(self._spawn(what if inspect.iscoroutine(what) else start()), start)  # type: ignore[misc]
        self.record.tasks.append(task)
        return task.running

    def timer(self, every_s: float, function: Function, *args: Any) -> asyncio.Task[Any]:
        """Calls `function` every so many seconds; one that raises is reported and called again next time."""
        self._refuse_gone()
        timer = self._spawn(self._tick(every_s, function, args))
        self.record.timers.append(timer)
        return timer

    def on_teardown(self, function: Function, *args: Any) -> None:
        """Calls `function` when the plugin goes, after its own teardown; the last one first."""
        self._refuse_gone()
        self.record.closers.append((function, args))

    def plugin(self, name: str) -> ModuleType:
        """The module of another plugin that is enabled. Raises PluginError where it is not."""
        return self._required(name)

    # -- what the manager calls -------------------------------------------------------------------------

    @property
    def can_come_back(self) -> bool:
        """Whether all of it can be put back as it was, without the plugin's help."""
        return not self.record.closers and all(task.start is not None for task in self.record.tasks)

    async def stop_tasks(self, deadline_s: float) -> list[str]:
        """Tasks end; gives a line for each that does not."""
        return await _cancelled([task.running for task in self.record.tasks], deadline_s)

    def start_tasks(self) -> None:
        """What `stop_tasks` ended begins anew."""
        for task in self.record.tasks:
            if task.start is not None:
                task.running = self._spawn(task.start())

    async def run_closers(self, deadline_s: float) -> None:
        """Raises what the first of them raised that did, after all were called."""
        failure: BaseException | None = None
        closers, self.record.closers = self.record.closers, []
        for function, args in reversed(closers):
            try:
                await call(function, *args, deadline_s=deadline_s)
            except Exception as error:
                failure = failure or error
        if failure is not None:
            raise failure

    async def close(self, deadline_s: float) -> list[str]:
        """Everything that is registered goes; gives a line for each task that would not end."""
        self._gone = True
        for one in self.record.registrations:
            self._registry.remove(one)
        running = [*self.record.timers, *(task.running for task in self.record.tasks)]
        self.record = Record(closers=self.record.closers)
        return await _cancelled(running, deadline_s)

    # -- inside -----------------------------------------------------------------------------------------

    def _register(self, kind: Any, name: str, function: Function | None) -> Any:
        if function is None:
            return lambda function: self._register(kind, name, function)
        self._refuse_gone()
        one = Registration(self.name, kind, name, function)
        self._registry.add(one)
        self.record.registrations.append(one)
        return function

    def _refuse_gone(self) -> None:
        if self._gone:
            raise PluginError(
                f"plugin {self.name}: nothing can be registered any more",
                "This context belongs to a version that was torn down.",
                "Use the one that setup was given last.",
            )

    def _spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        name = getattr(coroutine, "__qualname__", "task")
        title = f"plugin {self.name}: {name}"
        task = asyncio.get_running_loop().create_task(coroutine, name=title, context=fresh_context())
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.record.tasks = [one for one in self.record.tasks if one.running is not task or not _is_over(task)]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._registry._on_error(self.name, f"its task {task.get_name()}", error)

    async def _tick(self, every_s: float, function: Function, args: tuple[Any, ...]) -> None:
        gate = self._registry.gate(self.name)
        while True:
            await asyncio.sleep(every_s)
            await gate.opened()
            async with self._registry.guarded(gate, f"its timer {getattr(function, '__name__', function)}"):
                result = function(*args)
                if inspect.isawaitable(result):
                    await result


def _is_over(task: asyncio.Task[Any]) -> bool:
    """Ended by itself: one that a reload cancelled may have to begin anew."""
    return not task.cancelled()


async def call(function: Function, *args: Any, deadline_s: float) -> Any:
    """What a plain or async function gives. Raises TimeoutError after the deadline."""
    result = function(*args)
    return await within(result, deadline_s) if inspect.isawaitable(result) else result


async def _cancelled(tasks: Iterable[asyncio.Task[Any]], deadline_s: float) -> list[str]:
    waiting = {task for task in tasks if not task.done()}
    for task in waiting:
        task.cancel()
    if not waiting:
        return []
    _, left = await asyncio.wait(waiting, timeout=deadline_s)
    return [f"{task.get_name()} did not end within {deadline_s:g} s" for task in left]
