"""What the agent's tools are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent import Agent


@dataclass
class Response:
    """What a tool answers; with `break_loop` it is the agent's answer to the user."""

    message: str
    break_loop: bool


class Tool:
    """Derive one class in each file of python/tools. Its docstring is what the model is told of it, unless there is a
    prompt agent.system.tool.<name>.md."""

    def __init__(self, agent: Agent, name: str, args: dict[str, Any]) -> None:
        self.agent, self.name, self.args = agent, name, args

    async def execute(self, **kwargs: Any) -> Response:
        raise NotImplementedError(f"{type(self).__name__} has no execute")
