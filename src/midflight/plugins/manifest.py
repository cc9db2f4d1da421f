"""A plugin's manifest: TOML text → name, version, what it requires, and the options that it takes. Pure."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from midflight.errors import PluginError

# What TOML calls its types, and what they are in Python; "number" takes both kinds of number.
TYPES: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "string": (str,),
        "integer": (int,),
        "number": (int, float),
        "boolean": (bool,),
        "array": (list,),
        "table": (dict,),
    }
)
FIELDS = ("name", "version", "description", "requires", "after", "config")
OPTION_FIELDS = ("type", "default", "required", "choices", "description")


@dataclass(frozen=True, slots=True)
class Option:
    """One value that a plugin takes: `type` is a key of TYPES, `default` is None where there is none."""

    type: str
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a plugin says of itself. `requires` must be enabled for it, `after` are only set up earlier, if there."""

    name: str
    version: str = ""
    description: str = ""
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    config: Mapping[str, Option] = field(default_factory=dict)


def read_manifest(text: str, where: str, plugin: str) -> Manifest:
    """The manifest of `plugin` in the file `where`. Raises PluginError for whatever is not as it should be."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PluginError(f"plugin {plugin}: {where} cannot be read", str(error), "Correct that line.") from error
    _refuse_unknown(document, FIELDS, f"plugin {plugin}: {where}")
    texts = {key: _text(document, key, where, plugin) for key in ("version", "description")}
    return Manifest(
        name=_text(document, "name", where, plugin) or plugin,
        requires=_names(document, "requires", where, plugin),
        after=_names(document, "after", where, plugin),
        config=_options(document.get("config", {}), where, plugin),
        **texts,
    )


def configure(manifest: Manifest, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values for a plugin: those `given`, and the defaults of the others. Raises PluginError."""
    head = f"plugin {manifest.name}"
    _refuse_unknown(given, tuple(manifest.config), f"{head}: its configuration", what="option")
    values = {}
    for name, option in manifest.config.items():
        if name not in given and option.required:
            raise PluginError(
                f"{head} has no value for {name!r}", "Its manifest requires one.", f"Give {name} ({option.type})."
            )
        values[name] = given.get(name, option.default)
        if values[name] is not None:
            _check(values[name], option, f"{head}: option {name!r}")
    return values


def _options(table: Any, where: str, plugin: str) -> dict[str, Option]:
    if not isinstance(table, dict):
        raise _wrong(where, plugin, "config", "a table of options", table)
    return {name: _option(name, raw, where, plugin) for name, raw in table.items()}


def _option(name: str, raw: Any, where: str, plugin: str) -> Option:
    head = f"plugin {plugin}: {where}: config.{name}"
    if not isinstance(raw, dict):
        raise _wrong(where, plugin, f"config.{name}", 'a table such as {type = "string", default = "x"}', raw)
    _refuse_unknown(raw, OPTION_FIELDS, head)
    if raw.get("type") not in TYPES:
        why = f"type must be one of {', '.join(TYPES)}"
        raise PluginError(f"{head} has type {raw.get('type')!r}", why, "Correct its type.")
    option = Option(**{**raw, "choices": tuple(raw.get("choices", ()))})
    if option.default is not None:
        _check(option.default, option, f"{head}: its default")
    return option


def _check(value: Any, option: Option, head: str) -> None:
    # bool is an int to Python, but `count = true` is a slip.
    fits = isinstance(value, TYPES[option.type]) and (not isinstance(value, bool) or option.type == "boolean")
    if not fits:
        raise PluginError(f"{head} is {value!r}", f"It must be of type {option.type}.", "Correct the value.")
    if option.choices and value not in option.choices:
        listed = ", ".join(map(repr, option.choices))
        raise PluginError(f"{head} is {value!r}", f"It must be one of {listed}.", "Correct the value.")


def _text(document: Mapping[str, Any], key: str, where: str, plugin: str) -> str:
    value = document.get(key, "")
    if not isinstance(value, str):
        raise _wrong(where, plugin, key, "a text", value)
    return value


def _names(document: Mapping[str, Any], key: str, where: str, plugin: str) -> tuple[str, ...]:
    value = document.get(key, [])
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise _wrong(where, plugin, key, "a list of plugin names", value)
    return tuple(value)


def _wrong(where: str, plugin: str, key: str, expected: str, got: Any) -> PluginError:
    return PluginError(f"plugin {plugin}: {where}: {key} is {got!r}", f"It must be {expected}.", "Correct that line.")


def _refuse_unknown(table: Iterable[str], known: tuple[str, ...], head: str, what: str = "field") -> None:
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "Remove it."
            why = f"Known are: {', '.join(known) or 'none'}."
            raise PluginError(f"{head} has an unknown {what} {name!r}", why, hint)
