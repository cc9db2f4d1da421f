"""What was noted in this chat."""

from __future__ import annotations

from typing import Any

from python.helpers.tool import Response, Tool


class Recall(Tool):
    """Lists the notes of this chat."""

    async def execute(self, **kwargs: Any) -> Response:
        notes = self.agent.get_data("notes") or []
        lines = [f"{number}. {note}" for number, note in enumerate(notes, 1)]
        return Response(message="\n".join(lines) or "Nothing was noted in this chat.", break_loop=False)
