"""The tool that ends a message."""

from __future__ import annotations

from typing import Any

from python.helpers.tool import Response, Tool


class ResponseTool(Tool):
    """Answers the user. Arguments: text."""

    async def execute(self, text: Any = "", **kwargs: Any) -> Response:
        return Response(message=str(text), break_loop=True)
