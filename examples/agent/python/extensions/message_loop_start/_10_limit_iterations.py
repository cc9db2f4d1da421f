from __future__ import annotations

from typing import TYPE_CHECKING, Any

from python.helpers.extension import Extension

if TYPE_CHECKING:
    from agent import LoopData

MOST = 12


class LimitIterations(Extension):
    """A model that never answers is stopped."""

    async def execute(self, loop_data: LoopData, **kwargs: Any) -> None:
        if loop_data.iteration > MOST:
            loop_data.answer = f"I stopped after {MOST} steps without an answer."
