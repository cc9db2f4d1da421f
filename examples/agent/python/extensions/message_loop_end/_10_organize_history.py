from __future__ import annotations

from typing import Any

from python.helpers.extension import Extension

KEEP = 60


class OrganizeHistory(Extension):
    """The model sees the last messages of a chat; the page shows all."""

    async def execute(self, **kwargs: Any) -> None:
        del self.agent.history[:-KEEP]
