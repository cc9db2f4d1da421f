from __future__ import annotations

from typing import TYPE_CHECKING, Any

from python.helpers import files
from python.helpers.extension import Extension

if TYPE_CHECKING:
    from agent import LoopData


class MainPrompt(Extension):
    """Who the agent is."""

    async def execute(self, loop_data: LoopData, **kwargs: Any) -> None:
        loop_data.system.append(files.read_prompt("agent.system.main.md"))
