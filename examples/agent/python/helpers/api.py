"""HTTP endpoints found by folder: python/api/x.py answers POST /x."""

from __future__ import annotations

from typing import Any

from python.helpers.extract_tools import load_classes_from_folder

FOLDER = "python/api"

_cache: dict[str, dict[str, type[ApiHandler]]] = {}


class ApiError(Exception):
    """What cannot be answered: `status` is of HTTP."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class ApiHandler:
    """Derive one class in each file of python/api."""

    async def process(self, input: dict[str, Any]) -> dict[str, Any]:
        """The answer to a JSON object. Raises ApiError."""
        raise NotImplementedError(f"{type(self).__name__} has no process")


def handlers() -> dict[str, type[ApiHandler]]:
    """Endpoint → class."""
    if FOLDER not in _cache:
        _cache[FOLDER] = load_classes_from_folder(FOLDER, ApiHandler)
    return _cache[FOLDER]


def text_in(input: dict[str, Any], name: str, longest: int) -> str:
    """A text of the request. Raises ApiError where it is missing, empty, no text or too long."""
    value = input.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ApiError(f"{name} must be a text that is not empty")
    if len(value) > longest:
        raise ApiError(f"{name} has {len(value)} characters; at most {longest} are taken")
    return value
