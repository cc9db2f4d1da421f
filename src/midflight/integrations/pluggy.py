"""pluggy: a plugin that was reloaded is registered again in its old place, so that calls keep their order."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from midflight.errors import PluginError
from midflight.session import Session
from midflight.values import Event, Report

if TYPE_CHECKING:
    from pluggy import HookImpl, PluginManager

log = logging.getLogger("midflight")


def follow(manager: PluginManager, session: Session) -> Callable[[], None]:
    """After each reload that commits, register the plugins again whose modules it changed. Gives an undo.

    A plugin whose new hooks pluggy refuses keeps its old ones; the log says why."""

    def on_news(news: Report | Event) -> None:
        if isinstance(news, Report) and news.outcome == "committed":
            for name, plugin in manager.list_name_plugin():
                if _module_of(plugin) in news.modules:
                    _try(manager, name)

    return session.subscribe(on_news)


def reload_plugin(manager: PluginManager, name: str) -> Any:
    """Register the plugin `name` again, in its place among the others: hooks that it gained are called, those that it
    lost are not. Gives the plugin. Raises PluginError where it is not registered, or pluggy refuses its hooks; then
    everything is as it was."""
    plugin = manager.get_plugin(name)
    if plugin is None:
        known = ", ".join(name for name, _ in manager.list_name_plugin()) or "none"
        raise PluginError(f"there is no plugin {name!r} to register again", f"There are: {known}.")
    names = dict(manager._name2plugin)
    before = {caller: caller.get_hookimpls() for caller in manager.get_hookcallers(plugin) or ()}
    manager.unregister(plugin)
    try:
        manager.register(plugin, name)
    except Exception as error:
        _put_back(manager, plugin, names, before)
        what = f"plugin {name} keeps its old hooks; pluggy refused the new ones"
        raise PluginError(what, f"{type(error).__name__}: {error}", "Mend the hook and save again.") from error
    _put_in_place(manager._name2plugin, list(names))
    order = {id(one): place for place, one in enumerate(names.values())}
    for caller in manager.get_hookcallers(plugin) or ():
        caller._hookimpls.sort(key=lambda one: _place(one, order))
    return plugin


def _try(manager: PluginManager, name: str) -> None:
    try:
        reload_plugin(manager, name)
    except PluginError as error:
        log.error("%s", error)


def _module_of(plugin: Any) -> str:
    """The module that a plugin is, or that defines its class."""
    return str(getattr(plugin, "__name__", "")) or type(plugin).__module__


def _place(one: HookImpl, order: dict[int, int]) -> tuple[bool, int, int]:
    """Where pluggy puts a hook if plugins are registered in `order` (pluggy/_hooks.py, `_add_hookimpl`): wrappers
    behind the others; among each, those to try last, plain ones, those to try first; the last called first, but of
    those to try last the first."""
    at = order.get(id(one.plugin), len(order))
    kind = 0 if one.trylast else 2 if one.tryfirst else 1
    return one.hookwrapper or one.wrapper, kind, -at if one.trylast else at


def _put_in_place(names: dict[str, Any], order: list[str]) -> None:
    held = {name: names[name] for name in order}
    names.clear()
    names.update(held)


def _put_back(manager: PluginManager, plugin: Any, names: dict[str, Any], before: Any) -> None:
    if manager.is_registered(plugin):
        manager.unregister(plugin)
    manager._name2plugin.clear()
    manager._name2plugin.update(names)
    for caller, hooks in before.items():
        caller._hookimpls[:] = hooks
