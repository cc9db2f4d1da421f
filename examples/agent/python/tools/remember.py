"""Notes of one chat, kept in the agent's data."""

from __future__ import annotations

from typing import Any

from python.helpers.tool import Response, Tool


class Remember(Tool):
    """Keeps a note for this chat. Arguments: text."""

    async def execute(self, text: Any = "", **kwargs: Any) -> Response:
        if not str(text).strip():
            return Response(message="There is nothing to note: say what.", break_loop=False)
        notes = [*(self.agent.get_data("notes") or []), str(text)]
        self.agent.set_data("notes", notes)
        return Response(message=f"Noted: {text}", break_loop=False)
