"""A tool to try hot-reload with: change MESSAGE, save, and ask for it again."""

from __future__ import annotations

from typing import Any

from python.helpers.tool import Response, Tool

MESSAGE = "Hot-reload works: this is version 1"


class HotReloadTest(Tool):
    """Says which version of itself is running, and how often this chat has asked."""

    async def execute(self, **kwargs: Any) -> Response:
        calls = (self.agent.get_data("hot_reload_test_calls") or 0) + 1
        self.agent.set_data("hot_reload_test_calls", calls)
        return Response(message=f"{MESSAGE} (call {calls} in this chat)", break_loop=False)
