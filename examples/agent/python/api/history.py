"""POST /history {"context"}: what was said in a chat, and who answers there."""

from __future__ import annotations

from typing import Any

from agent import AgentContext
from python.helpers import extract_tools, files
from python.helpers.api import ApiHandler, text_in


class History(ApiHandler):
    async def process(self, input: dict[str, Any]) -> dict[str, Any]:
        context = AgentContext.get(text_in(input, "context", 100))
        return {
            "context": context.id,
            "title": context.agent.get_data("title"),
            "model": context.agent.model.name,
            "tools": [name for name in extract_tools.tools() if name != "response"],
            "greeting": files.read_prompt("fw.initial_message.md"),
            "messages": context.log,
        }
