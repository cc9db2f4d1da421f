from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from python.helpers import extract_tools, files
from python.helpers.extension import Extension
from python.helpers.tool import Tool

if TYPE_CHECKING:
    from agent import LoopData


class ToolPrompts(Extension):
    """Which tools there are, each under a heading with its name."""

    async def execute(self, loop_data: LoopData, **kwargs: Any) -> None:
        parts = [f"### {name}\n{about(name, tool)}" for name, tool in extract_tools.tools().items()]
        loop_data.system.append(files.read_prompt("agent.system.tools.md", tools="\n\n".join(parts)))


def about(name: str, tool: type[Tool]) -> str:
    prompt = f"agent.system.tool.{name}.md"
    return files.read_prompt(prompt) if files.has_prompt(prompt) else inspect.getdoc(tool) or ""
