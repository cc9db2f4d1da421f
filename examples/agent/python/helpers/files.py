"""Prompts from files: `{{name}}` in one stands for a value."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = ROOT / "prompts"

_cache: dict[str, str] = {}


class PromptError(Exception):
    """A prompt that is not there; says where it was looked for."""


def read_prompt(name: str, **values: str) -> str:
    """The text of prompts/`name` with `values` put in. Raises PromptError."""
    return re.sub(r"{{\s*(\w+)\s*}}", lambda found: str(values.get(found[1], found[0])), text_of(name))


def has_prompt(name: str) -> bool:
    return name in _cache or (PROMPTS / name).is_file()


def text_of(name: str) -> str:
    if name not in _cache:
        path = PROMPTS / name
        try:
            _cache[name] = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise PromptError(f"{path} cannot be read: {error}. Every prompt that code names must be there.") from error
    return _cache[name]


def forget_prompts() -> None:
    """The next reader of a prompt reads its file."""
    _cache.clear()
