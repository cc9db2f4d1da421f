from __future__ import annotations

from typing import TYPE_CHECKING, Any

from python.helpers.extension import Extension
from python.helpers.tool import Response, Tool

if TYPE_CHECKING:
    from agent import LoopData


class NoteResult(Extension):
    """What came of the step that was noted before."""

    async def execute(self, loop_data: LoopData, tool: Tool, response: Response, **kwargs: Any) -> None:
        if tool.name != "response" and loop_data.steps:
            loop_data.steps[-1]["result"] = response.message
