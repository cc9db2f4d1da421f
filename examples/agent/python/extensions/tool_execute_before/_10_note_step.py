from __future__ import annotations

from typing import TYPE_CHECKING, Any

from python.helpers.extension import Extension
from python.helpers.tool import Tool

if TYPE_CHECKING:
    from agent import LoopData


class NoteStep(Extension):
    """The page shows which tools were used; the one that answers is no news."""

    async def execute(self, loop_data: LoopData, tool: Tool, **kwargs: Any) -> None:
        if tool.name != "response":
            loop_data.steps.append({"tool": tool.name, "args": tool.args, "result": None})
