"""POST /chat_reset {"context"}: forgets a chat, its agent's data included."""

from __future__ import annotations

from typing import Any

from agent import AgentContext
from python.helpers.api import ApiHandler, text_in


class ChatReset(ApiHandler):
    async def process(self, input: dict[str, Any]) -> dict[str, Any]:
        AgentContext.remove(text_in(input, "context", 100))
        return {"success": True}
