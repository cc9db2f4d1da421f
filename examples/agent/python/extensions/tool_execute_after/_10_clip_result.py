from __future__ import annotations

from typing import Any

from python.helpers.extension import Extension
from python.helpers.tool import Response

LONGEST = 8000


class ClipResult(Extension):
    """A model's window is short: a result that is too long loses its end."""

    async def execute(self, response: Response, **kwargs: Any) -> None:
        if len(response.message) > LONGEST:
            response.message = f"{response.message[:LONGEST]}… ({len(response.message) - LONGEST} characters more)"
