"""POST /message {"context", "text"}: the agent's answer."""

from __future__ import annotations

from typing import Any

from agent import AgentContext
from models import ModelError
from python.helpers.api import ApiError, ApiHandler, text_in
from python.helpers.files import PromptError


class Message(ApiHandler):
    async def process(self, input: dict[str, Any]) -> dict[str, Any]:
        text = text_in(input, "text", 20_000)
        context = AgentContext.get(text_in(input, "context", 100))
        try:
            answer = await context.communicate(text)
        except (ModelError, PromptError) as error:
            raise ApiError(str(error), 502) from error
        return {"context": context.id, "title": context.agent.get_data("title"), "message": answer}
