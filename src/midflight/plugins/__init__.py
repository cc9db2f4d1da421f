"""Plugins of a running program: loaded by folder or entry point, and reloaded as one transaction each."""

from midflight.errors import PluginError
from midflight.plugins.context import Context
from midflight.plugins.lifecycle import Entry, Plugin
from midflight.plugins.manager import PluginManager
from midflight.plugins.manifest import Manifest
from midflight.plugins.registry import Call
from midflight.plugins.watcher import HotReloadWatcher, ReloadHandler

__all__ = [
    "Call",
    "Context",
    "Entry",
    "HotReloadWatcher",
    "Manifest",
    "Plugin",
    "PluginError",
    "PluginManager",
    "ReloadHandler",
]
