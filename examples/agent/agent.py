"""The agent: one message loop, in which a model chooses tools until one of them answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, ClassVar

import models
from python.helpers import extract_tools, files
from python.helpers.extension import call_extensions
from python.helpers.tool import Response, Tool

MOST_CHATS = 100


@dataclass
class LoopData:
    """One user message on its way to an answer. Extensions read it and change it.

    `system` are the parts of the system prompt; `steps` what was done, each {"tool", "args", "result"}; an `answer`
    ends it."""

    user_message: str
    iteration: int = 0
    system: list[str] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    answer: str | None = None


class Agent:
    """`history` is what the model sees: {"role", "content"}; data lives as long as the chat."""

    def __init__(self, model: models.Model) -> None:
        self.model = model
        self.history: list[dict[str, str]] = []
        self._data: dict[str, Any] = {}

    def get_data(self, name: str) -> Any:
        return self._data.get(name)

    def set_data(self, name: str, value: Any) -> None:
        """Kept for this chat, whatever code is edited meanwhile."""
        self._data[name] = value

    def add_message(self, role: str, content: str) -> None:
        self.history.append({"role": role, "content": content})

    async def monologue(self, text: str) -> LoopData:
        """Answers `text`. Raises ModelError when the model cannot be asked."""
        loop_data = LoopData(text)
        await call_extensions("monologue_start", self, loop_data=loop_data)
        self.add_message("user", text)
        while loop_data.answer is None:
            await self.iterate(loop_data)
        self.add_message("assistant", loop_data.answer)
        await call_extensions("monologue_end", self, loop_data=loop_data)
        return loop_data

    async def iterate(self, loop_data: LoopData) -> None:
        loop_data.iteration += 1
        await call_extensions("message_loop_start", self, loop_data=loop_data)
        if loop_data.answer is None:
            loop_data.system = []
            await call_extensions("system_prompt", self, loop_data=loop_data)
            system = {"role": "system", "content": "\n\n".join(loop_data.system)}
            await self.act(await self.model.complete([system, *self.history]), loop_data)
        await call_extensions("message_loop_end", self, loop_data=loop_data)

    async def act(self, reply: str, loop_data: LoopData) -> None:
        """Runs the tool that the model's reply asks for."""
        request = tool_request(reply)
        if request is None:
            self.add_message("assistant", reply)
            self.add_message("user", files.read_prompt("fw.msg_misformat.md"))
            return
        name, args = request
        response = await self.run_tool(name, args, loop_data)
        if response.break_loop:
            loop_data.answer = response.message
            return
        self.add_message("assistant", reply)
        self.add_message("user", json.dumps({"tool_name": name, "tool_result": response.message}))

    async def run_tool(self, name: str, args: dict[str, Any], loop_data: LoopData) -> Response:
        tool = self.get_tool(name, args)
        if tool is None:
            known = ", ".join(extract_tools.tools())
            return Response(files.read_prompt("fw.tool_not_found.md", tool_name=name, tools=known), break_loop=False)
        await call_extensions("tool_execute_before", self, loop_data=loop_data, tool=tool)
        try:
            response = await tool.execute(**args)
        except Exception as error:
            # A tool is somebody's code: the model is told what it raised, and the chat goes on.
            response = Response(f"{name} failed: {type(error).__name__}: {error}", break_loop=False)
        await call_extensions("tool_execute_after", self, loop_data=loop_data, tool=tool, response=response)
        return response

    def get_tool(self, name: str, args: dict[str, Any]) -> Tool | None:
        """A fresh instance for each execution."""
        tool_class = extract_tools.tools().get(name)
        return tool_class(self, name, args) if tool_class is not None else None


def tool_request(reply: str) -> tuple[str, dict[str, Any]] | None:
    """(name, arguments) from the JSON object in a model's reply, text around it ignored; None where there is none."""
    start = reply.find("{")
    if start < 0:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(reply[start:])
    except ValueError:
        return None
    name, args = found.get("tool_name"), found.get("tool_args") or {}
    return (name, args) if isinstance(name, str) and isinstance(args, dict) else None


class AgentContext:
    """One chat: its agent, what the page shows of it, and a lock, because it answers one message at a time."""

    _contexts: ClassVar[OrderedDict[str, AgentContext]] = OrderedDict()

    def __init__(self, id: str) -> None:
        self.id = id
        self.agent = Agent(models.from_settings())
        self.log: list[dict[str, Any]] = []
        self.lock = asyncio.Lock()
        self.used_at = time.monotonic()

    @classmethod
    def get(cls, id: str) -> AgentContext:
        """The chat of that name, made if need be. Where there are too many, the one unused for longest goes."""
        context = cls._contexts.get(id) or cls(id)
        context.used_at = time.monotonic()
        cls._contexts[id] = context
        cls._contexts.move_to_end(id)
        while len(cls._contexts) > MOST_CHATS:
            cls._contexts.popitem(last=False)
        return context

    @classmethod
    def remove(cls, id: str) -> None:
        cls._contexts.pop(id, None)

    @classmethod
    def remove_idle(cls, longer_than_s: float) -> None:
        limit = time.monotonic() - longer_than_s
        for context in [one for one in list(cls._contexts.values()) if one.used_at < limit]:
            cls.remove(context.id)

    async def communicate(self, text: str) -> dict[str, Any]:
        """What the page shows of the answer: {"role", "text", "steps"}. Raises ModelError and ExtensionError."""
        async with self.lock:
            self.log.append({"role": "user", "text": text})
            try:
                loop_data = await self.agent.monologue(text)
            except Exception as error:
                self.log.append({"role": "trouble", "text": str(error)})
                raise
            answer = {"role": "agent", "text": loop_data.answer, "steps": loop_data.steps}
            self.log.append(answer)
            return answer
