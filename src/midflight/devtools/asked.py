"""Requests, read and checked: each function gives the value or raises Refused, saying what was wrong with it."""

from __future__ import annotations

import json
import math
import os
from typing import Any

from starlette.requests import Request

from midflight.devtools.answers import Refused

Body = dict[str, Any]


async def body(request: Request) -> Body:
    """The JSON object that was sent; nothing sent is an empty one."""
    sent = await request.body()
    try:
        found = json.loads(sent) if sent.strip() else {}
    except (ValueError, RecursionError) as error:
        raise Refused(
            400, "the body is not JSON", str(error), 'Send an object such as {"action": "status"}.'
        ) from error
    if not isinstance(found, dict):
        raise Refused(400, f"the body is {_kind(found)}", "it must be an object", "Put it into braces, by name.")
    return found


def text(given: Body, name: str, default: str | None = None) -> str | None:
    return default if given.get(name) is None else _text(given[name], name)


def texts(given: Body, name: str) -> list[str] | None:
    """A list of texts; None where there is none."""
    found = given.get(name)
    if found is None:
        return None
    if not isinstance(found, list):
        raise Refused(400, f"{name} is {_kind(found)}", "it must be a list of texts")
    return [_text(one, f"each of {name}") for one in found]


def paths(given: Body, name: str, root: str) -> list[str] | None:
    """A list of absolute paths; a relative one starts at `root`, the project's folder."""
    found = texts(given, name)
    return None if found is None else [os.path.join(root, path) for path in found]


def files(given: Body, name: str, root: str) -> dict[str | os.PathLike[str], str]:
    """{absolute path: new text}, at least one."""
    found = given.get(name)
    if not isinstance(found, dict) or not found:
        raise Refused(400, f"{name} is {_kind(found)}", "it must be an object of paths and their new texts")
    return {os.path.join(root, _text(path, "each path")): _source(source) for path, source in found.items()}


def seconds(given: Body, name: str, default: float, most: float) -> float:
    found = given.get(name, default)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found):
        raise Refused(400, f"{name} is {_kind(found)}", "it must be a number of seconds")
    if not 0 < found <= most:
        raise Refused(400, f"{name} is {found:.20g}", f"it must be above 0 and at most {most:g} seconds")
    return float(found)


def count(request: Request, name: str, default: int, most: int) -> int:
    """A whole number of the query, 1 to `most`."""
    given = request.query_params.get(name)
    if given is None:
        return default
    number = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0
    if not 1 <= number <= most:
        raise Refused(400, f"{name} is {given[:40]!r}", f"it must be a whole number from 1 to {most}")
    return number


def _text(found: Any, name: str) -> str:
    if not isinstance(found, str) or not found:
        raise Refused(400, f"{name} is {_kind(found)}", "it must be a text that is not empty")
    if "\0" in found or not found.isprintable():
        raise Refused(400, f"{name} is {found[:40]!r}", "it holds characters that no name has")
    return found


def _source(found: Any) -> str:
    if not isinstance(found, str):
        raise Refused(400, f"a new text is {_kind(found)}", "it must be a text")
    try:
        found.encode()
    except UnicodeEncodeError as error:
        raise Refused(400, "a new text cannot be written as UTF-8", str(error)) from error
    return found


def _kind(found: Any) -> str:
    """What was sent, in JSON's words."""
    if found == "":
        return "an empty text"
    names = {type(None): "not given", bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(found), "a number")
