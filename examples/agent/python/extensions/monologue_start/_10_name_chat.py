from __future__ import annotations

from typing import TYPE_CHECKING, Any

from python.helpers.extension import Extension

if TYPE_CHECKING:
    from agent import LoopData

LONGEST = 40


class NameChat(Extension):
    """A chat is called by its first message."""

    async def execute(self, loop_data: LoopData, **kwargs: Any) -> None:
        if self.agent.get_data("title") is None:
            title = " ".join(loop_data.user_message.split())
            self.agent.set_data("title", title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…")
