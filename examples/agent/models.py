"""What plays the model: a planner that needs no network, or an endpoint that speaks OpenAI's chat API."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.error
import urllib.request
from typing import Protocol

from python.helpers import settings

Messages = list[dict[str, str]]
TIMEOUT_S = 120.0


class ModelError(Exception):
    """The model could not be asked; says which one, why, and what to do."""


class Model(Protocol):
    name: str

    async def complete(self, messages: Messages) -> str:
        """The model's next message. Raises ModelError."""


def from_settings() -> Model:
    """The endpoint that .env names, else the planner."""
    url = settings.get("CHAT_MODEL_URL")
    if not url:
        return Planner()
    return Endpoint(url, settings.get("CHAT_MODEL_NAME") or "default", settings.get("CHAT_MODEL_KEY"))


class Planner:
    """Chooses the tool that the user names, then answers with its result. It reads only the messages, as any model."""

    name = "planner"

    async def complete(self, messages: Messages) -> str:
        system, last = messages[0]["content"], messages[-1]["content"]
        result = tool_result(last)
        if result is not None:
            return ask_for("response", result)
        offered = re.findall(r"^### (\w+)", system, re.MULTILINE)
        named = first_named([name for name in offered if name != "response"], last)
        if named is None:
            return ask_for("response", introduction(system, offered))
        name, rest = named
        return ask_for(name, rest)


def ask_for(tool: str, text: str) -> str:
    return json.dumps({"tool_name": tool, "tool_args": {"text": text}})


def tool_result(content: str) -> str | None:
    """The result, where `content` is what the agent writes after a tool ran."""
    try:
        found = json.loads(content)
    except ValueError:
        return None
    return str(found["tool_result"]) if isinstance(found, dict) and "tool_result" in found else None


def first_named(tools: list[str], text: str) -> tuple[str, str] | None:
    """The tool that `text` names first, and the words after it."""
    found = [(match, tool) for tool in tools if (match := re.search(rf"\b{tool}\b", text, re.IGNORECASE))]
    if not found:
        return None
    match, tool = min(found, key=lambda one: (one[0].start(), -one[0].end()))
    return tool, text[match.end() :].strip(" :,.?!\n")


def introduction(system: str, offered: list[str]) -> str:
    """What the system prompt's first paragraph says of the agent, and which tools it has."""
    role = " ".join(system.split("\n\n", 1)[0].split())
    return f"{role} Name one of my tools: {', '.join(name for name in offered if name != 'response')}."


class Endpoint:
    """POST {url}/chat/completions."""

    def __init__(self, url: str, name: str, key: str | None) -> None:
        self.url, self.name, self._key = url.rstrip("/"), name, key

    async def complete(self, messages: Messages) -> str:
        return await asyncio.to_thread(self._ask, messages)

    def _ask(self, messages: Messages) -> str:
        body = json.dumps({"model": self.name, "messages": messages, "temperature": 0}).encode()
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(f"{self.url}/chat/completions", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
                return str(json.load(reply)["choices"][0]["message"]["content"])
        except urllib.error.HTTPError as error:
            told = error.read(500).decode("utf-8", "replace").strip()
            raise ModelError(self._trouble(f"it answered {error.code} {error.reason}: {told}")) from error
        except (OSError, ValueError) as error:
            raise ModelError(self._trouble(str(error))) from error
        except (KeyError, IndexError, TypeError) as error:
            raise ModelError(self._trouble("its answer has no choices[0].message.content")) from error

    def _trouble(self, why: str) -> str:
        return f"The model {self.name} at {self.url} could not be asked: {why}. See CHAT_MODEL_URL in .env."
