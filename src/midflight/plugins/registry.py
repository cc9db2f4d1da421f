"""What plugins registered, who may be called at this moment, and calls that wait while a plugin is reloaded."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from midflight.errors import PluginError

Kind = Literal["command", "listener", "middleware"]
Function = Callable[..., Any]
DRAIN_S = 1.0  # how long a reload waits for calls that are running; then they finish with the old code

# The plugins in whose calls the current task is: a call that asks for a reload must not wait for its own end.
_inside: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("midflight_plugins", default=())


@dataclass(slots=True, eq=False)
class Operation:
    """One operation of a manager, while it is `active`: the steps of plugins inside it cannot begin another one."""

    manager: Any
    active: bool = True


OPERATION: contextvars.ContextVar[Operation | None] = contextvars.ContextVar("midflight_operation", default=None)


def fresh_context() -> contextvars.Context:
    """For a task that lives on after the call that starts it."""
    context = contextvars.copy_context()
    context.run(_inside.set, ())
    context.run(OPERATION.set, None)
    return context


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """One thing that a plugin registered: `name` is the command or event, empty for middleware."""

    plugin: str
    kind: Kind
    name: str
    function: Function


@dataclass(frozen=True, slots=True)
class Call:
    """What middleware is given: a command's name and arguments."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


class Gate:
    """Lets calls into one plugin, or makes them wait; knows how many are inside."""

    def __init__(self, plugin: str) -> None:
        self.plugin = plugin
        self._inside = 0
        self._shut: asyncio.Event | None = None
        self._closed = False
        self._left: asyncio.Event | None = None

    async def opened(self) -> None:
        """Returns when calls may come in. One made by a call that is being waited for comes in at once."""
        while self._shut is not None and (self._closed or not _inside.get()):
            await self._shut.wait()

    @contextlib.contextmanager
    def entered(self) -> Any:
        self._inside += 1
        token = _inside.set((*_inside.get(), self.plugin))
        try:
            yield
        finally:
            _inside.reset(token)
            self._inside -= 1
            if self._left is not None:
                self._left.set()

    async def close(self, deadline_s: float = DRAIN_S) -> bool:
        """No further calls; returns when those inside have ended, and whether they have."""
        if self._shut is None:
            self._shut = asyncio.Event()
        own = _inside.get().count(self.plugin)
        until = asyncio.get_running_loop().time() + deadline_s
        while self._inside > own:
            self._left = asyncio.Event()
            left = until - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._left.wait(), max(left, 0))
            except TimeoutError:
                break
        self._closed = True
        return self._inside <= own

    def shut(self) -> None:
        """The same at once: for a plugin that nobody has called yet."""
        self._shut, self._closed = self._shut or asyncio.Event(), True

    def open(self) -> None:
        shut, self._shut, self._closed = self._shut, None, False
        if shut is not None:
            shut.set()


class Registry:
    """All registrations by plugin; `order` is that of the plugins. `on_error(plugin, what, error)` hears of listeners
    and middleware that raised."""

    def __init__(self, on_error: Callable[[str, str, BaseException], None]) -> None:
        self.order: list[str] = []
        self.gates: dict[str, Gate] = {}
        self._live: dict[str, list[Registration]] = {}
        self._parked: dict[str, list[Registration]] = {}
        self._on_error = on_error

    # -- what is registered -------------------------------------------------------------------------

    def add(self, one: Registration) -> None:
        """Raises PluginError for a command that another plugin has, or this one already."""
        if one.kind == "command":
            other = self._other_owner(one)
            if other is not None:
                raise PluginError(
                    f"plugin {one.plugin} cannot have the command {one.name!r}: plugin {other} has it",
                    "A message could only be answered by one of them.",
                    "Rename one of the two commands.",
                )
        self._live.setdefault(one.plugin, []).append(one)

    def _other_owner(self, one: Registration) -> str | None:
        for plugin, registrations in [*self._live.items(), *self._parked.items()]:
            if plugin == one.plugin and registrations is self._parked.get(plugin):
                continue  # its own old version's, which goes when this one stays
            if any(other.kind == "command" and other.name == one.name for other in registrations):
                return plugin
        return None

    def remove(self, one: Registration) -> None:
        for table in (self._live, self._parked):
            left = [other for other in table.get(one.plugin, ()) if other is not one]
            if left:
                table[one.plugin] = left
            else:
                table.pop(one.plugin, None)

    def park(self, plugin: str) -> None:
        """Its registrations keep their names and answer nothing, until `unpark` or `drop_parked`."""
        if plugin in self._live:
            self._parked[plugin] = self._live.pop(plugin)

    def unpark(self, plugin: str) -> None:
        if plugin in self._parked:
            self._live[plugin] = self._parked.pop(plugin)

    def drop_parked(self, plugin: str) -> None:
        self._parked.pop(plugin, None)

    def of(self, plugin: str, kind: Kind | None = None) -> list[Registration]:
        found = [*self._live.get(plugin, ()), *self._parked.get(plugin, ())]
        return [one for one in found if kind in (None, one.kind)]

    def commands(self) -> dict[str, str]:
        """Command → the plugin that answers it, also one that is being reloaded."""
        return {one.name: plugin for plugin in self._plugins() for one in self.of(plugin, "command")}

    def _plugins(self) -> list[str]:
        """In their order; a plugin that is set up for the first time has no place yet and comes last."""
        known = {*self._live, *self._parked}
        return [*(one for one in self.order if one in known), *sorted(known.difference(self.order))]

    def gate(self, plugin: str) -> Gate:
        return self.gates.setdefault(plugin, Gate(plugin))

    # -- calls --------------------------------------------------------------------------------------

    async def run(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """The answer of the command `name`, through all middleware. Raises PluginError where no plugin has it, and
        what the command raises."""
        call = Call(name, args, kwargs)
        chain = [plugin for plugin in self._plugins() if self.of(plugin, "middleware")]
        return await self._through(chain, call)

    async def _through(self, chain: list[str], call: Call) -> Any:
        if not chain:
            return await self._answer(call)
        plugin, rest = chain[0], chain[1:]
        gate = self.gate(plugin)
        await gate.opened()
        functions = [one.function for one in self._live.get(plugin, ()) if one.kind == "middleware"]
        with gate.entered():
            return await self._wrapped(functions, call, rest)

    async def _wrapped(self, functions: list[Function], call: Call, rest: list[str]) -> Any:
        if not functions:
            return await self._through(rest, call)

        async def inner(given: Call = call) -> Any:
            return await self._wrapped(functions[1:], given, rest)

        return await _result(functions[0](call, inner))

    async def _answer(self, call: Call) -> Any:
        while True:
            plugin = self.commands().get(call.name)
            if plugin is None:
                raise PluginError(f"no plugin has a command {call.name!r}", f"There are: {_listed(self.commands())}.")
            gate = self.gate(plugin)
            await gate.opened()
            found = [one for one in self._live.get(plugin, ()) if (one.kind, one.name) == ("command", call.name)]
            if found:
                with gate.entered():
                    return await _result(found[0].function(*call.args, **call.kwargs))

    async def emit(self, event: str, *args: Any) -> int:
        """Tell all listeners of `event`, those of one plugin after another, plugins side by side. Gives how many were
        told; one that raises is reported and keeps nobody else from hearing."""
        wanted = [p for p in self._plugins() if any(one.name == event for one in self.of(p, "listener"))]
        return sum(await asyncio.gather(*(self._tell(plugin, event, args) for plugin in wanted)))

    async def _tell(self, plugin: str, event: str, args: Iterable[Any]) -> int:
        gate = self.gate(plugin)
        await gate.opened()
        functions = [o.function for o in self._live.get(plugin, ()) if (o.kind, o.name) == ("listener", event)]
        for function in functions:
            async with self.guarded(gate, f"its listener for {event!r}"):
                await _result(function(*args))
        return len(functions)

    @contextlib.asynccontextmanager
    async def guarded(self, gate: Gate, what: str) -> AsyncIterator[None]:
        """Around a call that nobody waits for: what it raises is told and goes no further."""
        with gate.entered():
            try:
                yield
            except Exception as error:
                self._on_error(gate.plugin, what, error)


async def _result(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


class Exited(Exception):
    """A SystemExit that ended a plugin's step: raised in a task as it is, it would end the loop with all plugins."""


async def _contained(value: Awaitable[Any]) -> Any:
    try:
        return await value
    except SystemExit as error:
        raise Exited(f"SystemExit: {error}") from error


async def within(value: Awaitable[Any], deadline_s: float) -> Any:
    """What `value` gives. Raises TimeoutError after the deadline, also where the code refuses to be cancelled, and
    Exited for SystemExit."""
    task = asyncio.ensure_future(_contained(value))
    try:
        done, _ = await asyncio.wait({task}, timeout=deadline_s)
    except BaseException:
        task.cancel()
        raise
    if not done:
        task.cancel()
        raise TimeoutError
    return task.result()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
