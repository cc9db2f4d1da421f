from __future__ import annotations

from typing import Any

from python.helpers.extension import Extension


class CountAnswers(Extension):
    """Agent data outlives every edit: this number only grows."""

    async def execute(self, **kwargs: Any) -> None:
        self.agent.set_data("answers", (self.agent.get_data("answers") or 0) + 1)
