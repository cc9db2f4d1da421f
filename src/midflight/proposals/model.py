"""A sentence → code, by a language model behind an OpenAI-compatible address."""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from typing import Any

from midflight.config import Config
from midflight.proposals.states import ProposalError

LONGEST_ANSWER = 1 << 20  # bytes

SYSTEM = (
    "You write Python for a program that is running. Answer with one fenced code block and nothing else: the code to "
    "append to the end of the module, complete and importable as it stands. Do not repeat code that is there already."
)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key and the program's text go to the address that was configured, and to no other."""

    def redirect_request(self, *args: Any) -> None:
        return None


def ask_model(config: Config, sentence: str, module: str, text: str) -> str:
    """The code that the model answers with. Raises ProposalError for every way in which it does not."""
    assert config.model_url is not None
    request = urllib.request.Request(
        f"{config.model_url}/chat/completions",
        data=json.dumps(_question(config, sentence, module, text)).encode(),
        headers={"Content-Type": "application/json", **_key(config)},
    )
    # A proxy of the environment is for the network beyond; a model on this machine is not asked through it.
    opener = urllib.request.build_opener(_NoRedirect, *_proxies(config.model_url))
    try:
        with opener.open(request, timeout=config.model_deadline_s) as answer:
            data = answer.read(LONGEST_ANSWER + 1)
    except urllib.error.HTTPError as error:
        with error:
            raise _failed(config, f"it answered {error.code}: {_told(error)}") from error
    except OSError as error:  # refused, timed out, no such host
        raise _failed(config, str(getattr(error, "reason", error))) from error
    if len(data) > LONGEST_ANSWER:
        raise _failed(config, f"its answer is longer than {LONGEST_ANSWER} bytes")
    return code_in(_content(config, data))


def _question(config: Config, sentence: str, module: str, text: str) -> dict[str, Any]:
    asked = f"Module {module}:\n```python\n{text}\n```\n\nRequest: {sentence}"
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": asked}]
    return {
        **({"model": config.model} if config.model else {}),
        "messages": messages,
        "temperature": 0,
        "stream": False,
    }


def _key(config: Config) -> dict[str, str]:
    # A project's own files could name any address; whoever runs the program must have named it to send a key there.
    named_by_project = config.origins.get("model_url", "").startswith(("pyproject.toml", ".env"))
    key = "" if named_by_project else os.environ.get(config.model_key_env, "")
    return {"Authorization": f"Bearer {key}"} if key else {}


def _proxies(url: str) -> list[urllib.request.BaseHandler]:
    local = re.match(r"https?://(127\.|localhost[:/]|\[::1\])", url + "/")
    return [urllib.request.ProxyHandler({})] if local else []


def _told(error: urllib.error.HTTPError) -> str:
    text = error.read(2000).decode("utf-8", "replace")
    try:
        said = json.loads(text)["error"]
        return str(said["message"] if isinstance(said, dict) else said)
    except (ValueError, KeyError, TypeError):
        return text.strip()[:200] or error.reason


def _content(config: Config, data: bytes) -> str:
    try:
        content = json.loads(data)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise _failed(config, f"its answer is no chat completion ({type(error).__name__}: {error})") from error
    if not isinstance(content, str) or not content.strip():
        raise _failed(config, "its answer is empty")
    return content


def code_in(content: str) -> str:
    """The code of an answer: its fenced blocks where it has any, else all of it."""
    blocks = re.findall(r"^```[\w+-]*[ \t]*\n(.*?)^```[ \t]*$", content, re.MULTILINE | re.DOTALL)
    return "\n\n".join(block.rstrip() for block in blocks or [content]).strip() + "\n"


def _failed(config: Config, why: str) -> ProposalError:
    return ProposalError(
        "nothing was proposed: the model did not answer with code",
        f"{config.model_url}: {why}.",
        "See `model_url`, `model` and `model_key_env` in `midflight config`; or give the code itself.",
    )
