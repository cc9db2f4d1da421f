"""POST /hot_reload_status {"action": "status" | "stats"}."""

from __future__ import annotations

from typing import Any

from python.helpers.api import ApiError, ApiHandler
from python.helpers.hot_reload_integration import HotReloadIntegration


class HotReloadStatus(ApiHandler):
    async def process(self, input: dict[str, Any]) -> dict[str, Any]:
        action = input.get("action", "status")
        if action == "status":
            return HotReloadIntegration.instance().get_status()
        if action == "stats":
            return {"success": True, "stats": HotReloadIntegration.instance().get_stats()}
        raise ApiError(f'action is {action!r}: it must be "status" or "stats"')
