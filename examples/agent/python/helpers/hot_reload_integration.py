"""The bridge between hot-reload and the agent: caches are emptied, outcomes are told, statistics are given."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any

from midflight import Change, Event, Report
from python.helpers import api, extension, extract_tools, files
from python.helpers.hot_reload import ROOT, HotReloadManager
from python.helpers.module_cache import modules


def module_of(path: str) -> str:
    """The module that a file of the project is: `python.tools.x` for python/tools/x.py."""
    return path.removeprefix(f"{ROOT.resolve()}/").removesuffix(".py").replace("/", ".")


def short(module: str) -> str:
    """As the console shows it: without the folder that all have in common."""
    return module.removeprefix("python.")


class HotReloadIntegration:
    """One for a process: `HotReloadIntegration.instance()`."""

    _instance: HotReloadIntegration | None = None

    def __init__(self) -> None:
        self.manager = HotReloadManager()
        self._subscribed = False
        self._announced: list[str] = []

    @classmethod
    def instance(cls) -> HotReloadIntegration:
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    def start(self) -> bool:
        """Whether hot-reload runs now. Raises MidflightError."""
        running = self.manager.start(self.on_change)
        if running and not self._subscribed and self.manager.session is not None:
            self.manager.session.subscribe(self.on_news)
            self._subscribed = True
        return running

    def on_change(self, change: Change) -> None:
        """A file was saved; the session takes it when this returns."""
        if not change.path.endswith(".py"):
            files.forget_prompts()
            print(f"Prompt is read anew: {change.path.rpartition('/')[2]}", flush=True)
            return
        module = module_of(change.path)
        if module in sys.modules:
            print(f"{'Removing' if change.kind == 'deleted' else 'Reloading'} module: {short(module)}", flush=True)
            self._announced.append(module)
        self.invalidate_caches()
        self.settle_soon()

    def on_news(self, news: Report | Event) -> None:
        if not isinstance(news, Report):
            return
        modules.note(news)
        self.invalidate_caches()
        for name, module in news.modules.items():
            if name in self._announced:
                self._announced.remove(name)
            if news.ok:
                print(f"Successfully {'reloaded' if module.after else 'removed'}: {short(name)}", flush=True)
            else:
                print(f"Failed to reload: {short(name)}; the last working version runs on", flush=True)
        for problem in news.problems:
            print(f"  {problem}", flush=True)

    def invalidate_caches(self) -> None:
        """Tools, extensions and endpoints are looked for in their folders at their next use."""
        extract_tools._cache.clear()
        extension._cache.clear()
        api._cache.clear()

    def settle_soon(self) -> None:
        """Once this batch is taken. Before the server runs there is no loop, and the first message discovers."""
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().call_soon(self.settle)

    def settle(self) -> None:
        """New files are loaded, so that what is broken in them is told now; what came of no report was no change."""
        for module in self._announced:
            print(f"Unchanged: {short(module)}", flush=True)
        self._announced.clear()
        extract_tools.tools()
        extension.points()
        api.handlers()

    def get_status(self) -> dict[str, Any]:
        """{"enabled", "status", "message"}."""
        session = self.manager.session
        if session is not None and not session.config.enabled:
            return {"enabled": False, "status": "stopped", "message": "Hot-reload system is disabled"}
        if session is None or not session.running:
            return {"enabled": True, "status": "stopped", "message": "Hot-reload system could not start"}
        if session.paused:
            return {"enabled": True, "status": "paused", "message": "Hot-reload system is paused"}
        return {"enabled": True, "status": "running", "message": "Hot-reload system is operational"}

    def get_stats(self) -> dict[str, Any]:
        """{"reloads", "successes", "failures", "cache_stats", "is_running"}."""
        session = self.manager.session
        counts = session.stats() if session is not None else {}
        return {
            **{name: counts.get(name, 0) for name in ("reloads", "successes", "failures")},
            "cache_stats": modules.get_stats(),
            "is_running": self.manager.is_running,
        }
