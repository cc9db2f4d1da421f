"""pluggy's plugins: registered again in their place after a reload, with the hooks that they have now."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pluggy
import pytest

import midflight
from midflight.errors import MidflightError
from midflight.integrations.pluggy import follow, reload_plugin

spec, impl = pluggy.HookspecMarker("shop"), pluggy.HookimplMarker("shop")


class Specs:
    @spec
    def price(self, item: str) -> str:
        """What it costs."""
        return ""

    @spec
    def name(self) -> str:
        """Who says so."""
        return ""


PLUGIN = """
import pluggy
impl = pluggy.HookimplMarker("shop")

@impl
def price(item):
    return f"{__name__[-1]} {item}"
"""
NAMES = ("plug_a", "plug_b", "plug_c")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any, Path]]:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    manager = pluggy.PluginManager("shop")
    manager.add_hookspecs(Specs)
    session = midflight.Session(paths=[tmp_path], mode="manual")
    session.start()
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(PLUGIN)
        importlib.invalidate_caches()
        manager.register(importlib.import_module(name), name)
    yield manager, session, tmp_path
    session.stop()
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    "text, prices, names",
    [
        (PLUGIN.replace("{item}", "{item}!"), ["c tea", "b tea!", "a tea"], []),
        (PLUGIN + "@impl\ndef name():\n    return 'b'\n", ["c tea", "b tea", "a tea"], ["b"]),
        (PLUGIN.replace("@impl", "@impl(tryfirst=True)"), ["b tea", "c tea", "a tea"], []),
        (PLUGIN.replace("@impl", "@impl(trylast=True)"), ["c tea", "a tea", "b tea"], []),
        (PLUGIN.partition("@impl")[0], ["c tea", "a tea"], []),
    ],
)
def test_a_reloaded_plugin_is_called_in_its_place(shop: Any, text: str, prices: list[str], names: list[str]) -> None:
    manager, session, folder = shop
    unfollow = follow(manager, session)
    assert manager.hook.price(item="tea") == ["c tea", "b tea", "a tea"]
    (folder / "plug_b.py").write_text(text)
    assert session.reload().outcome == "committed"
    assert (manager.hook.price(item="tea"), manager.hook.name()) == (prices, names)
    assert [name for name, _ in manager.list_name_plugin()] == list(NAMES)
    (folder / "plug_b.py").write_text(PLUGIN)
    session.reload()
    assert manager.hook.price(item="tea") == ["c tea", "b tea", "a tea"]
    unfollow()


def test_hooks_that_pluggy_refuses_leave_the_old_ones(shop: Any, caplog: pytest.LogCaptureFixture) -> None:
    manager, session, folder = shop
    follow(manager, session)
    (folder / "plug_b.py").write_text(PLUGIN + "@impl\ndef name(nobody_gives_this):\n    return 'b'\n")
    session.reload()
    assert "plugin plug_b keeps its old hooks; pluggy refused the new ones" in caplog.text
    assert manager.hook.price(item="tea") == ["c tea", "b tea", "a tea"] and manager.hook.name() == []
    assert [name for name, _ in manager.list_name_plugin()] == list(NAMES)
    with pytest.raises(MidflightError, match="pluggy refused the new ones"):
        reload_plugin(manager, "plug_b")
    (folder / "plug_b.py").write_text(PLUGIN + "@impl\ndef name():\n    return 'b'\n")
    session.reload()
    assert manager.hook.name() == ["b"]


def test_a_plugin_that_is_not_registered_is_named(shop: Any) -> None:
    with pytest.raises(MidflightError, match=r"there is no plugin 'x' to register again\n  There are: plug_a, plug_b"):
        reload_plugin(shop[0], "x")
