"""The agent's model: the planner without a network, or an endpoint that speaks OpenAI's chat API."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from .serving import QUICK, TEST_TOOL, Agent, served

pytestmark = pytest.mark.one_version

Reply = Callable[[dict[str, Any]], str]


@contextmanager
def chat_api(reply: Reply) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(URL, requests so far) of a server that speaks OpenAI's chat API; `reply` gets a request's body. What it raises
    is answered with 400."""
    requests: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
            try:
                status, message = (
                    200,
                    {"choices": [{"index": 0, "message": {"role": "assistant", "content": reply(body)}}]},
                )
            except Exception as error:
                status, message = 400, {"error": {"message": str(error)}}  # type: ignore[dict-item]
            text = json.dumps(message).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: Any) -> None:
            """The test's own output stays readable."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def obedient(body: dict[str, Any]) -> str:
    """A model that uses the test tool, with words around its JSON as real ones have, then says what came of it."""
    last = body["messages"][-1]["content"]
    if "tool_result" not in last:
        return 'Sure:\n```json\n{"tool_name": "hot_reload_test", "tool_args": {}}\n```'
    result = json.loads(last)["tool_result"]
    return json.dumps({"tool_name": "response", "tool_args": {"text": f"It says: {result}"}})


def settings(url: str, **extra: str) -> dict[str, str]:
    return {"CHAT_MODEL_URL": url, "CHAT_MODEL_NAME": "tiny", **QUICK, **extra}


def test_an_endpoint_is_asked_in_openais_way_and_its_tools_are_run(folder: Path) -> None:
    with chat_api(obedient) as (url, requests), served(folder, **settings(url, CHAT_MODEL_KEY="sk-1")) as agent:
        assert agent.say("go on") == "It says: Hot-reload works: this is version 1 (call 1 in this chat)"
        assert [one["path"] for one in requests] == ["/v1/chat/completions"] * 2
        assert {(one["model"], one["key"]) for one in requests} == {("tiny", "Bearer sk-1")}
        first = requests[0]["messages"]
        assert [one["role"] for one in first] == ["system", "user"] and first[1]["content"] == "go on"
        assert "### hot_reload_test\nSays which version" in first[0]["content"]
        agent.sub(TEST_TOOL, "version 1", "version 2")
        agent.until_reloads(1)
        assert agent.say("go on") == "It says: Hot-reload works: this is version 2 (call 2 in this chat)"


def test_the_model_reads_edited_prompts_and_new_tools(folder: Path) -> None:
    def quote(body: dict[str, Any]) -> str:
        return json.dumps({"tool_name": "response", "tool_args": {"text": body["messages"][0]["content"]}})

    with chat_api(quote) as (url, _), served(folder, **settings(url)) as agent:
        agent.sub("prompts/agent.system.main.md", "I am a small agent", "I am Mira")
        agent.write("prompts/agent.system.tool.recall.md", "LISTS WHAT WAS NOTED")
        agent.until(
            "both in the prompt", lambda: "I am Mira" in (said := agent.say("?")) and "### recall\nLISTS" in said
        )


def test_a_model_that_writes_no_json_or_names_no_tool_is_told_so(folder: Path) -> None:
    replies = iter(
        ["I would rather talk.", '{"tool_name": "fly"}', '{"tool_name": "response", "tool_args": {"text": "ok"}}']
    )
    with chat_api(lambda body: next(replies)) as (url, requests), served(folder, **settings(url)) as agent:
        assert agent.say("hello") == "ok"
    told = [one["messages"][-1]["content"] for one in requests]
    assert told[0] == "hello" and told[1].startswith("That was no JSON object")
    assert json.loads(told[2])["tool_result"].startswith("There is no tool fly. The tools are: code_execution_tool")


def test_a_model_that_never_answers_is_stopped(folder: Path) -> None:
    with chat_api(lambda body: "hm") as (url, requests), served(folder, **settings(url)) as agent:
        assert agent.say("hello") == "I stopped after 12 steps without an answer."
        assert len(requests) == 12


def test_an_endpoint_that_refuses_or_is_not_there_is_named_and_the_chat_goes_on(folder: Path) -> None:
    def refuse(body: dict[str, Any]) -> str:
        raise ValueError("no such model: tiny")

    with chat_api(refuse) as (url, _), served(folder, **settings(url)) as agent:
        answer = agent.post("message", context="one", text="hello")
        assert answer.status_code == 502
        assert f"The model tiny at {url} could not be asked: it answered 400" in answer.json()["error"]
        assert "no such model: tiny" in answer.json()["error"]
        shown = [one["role"] for one in agent.post("history", context="one").json()["messages"]]
        assert shown == ["user", "trouble"]
    with served(folder, **settings("http://127.0.0.1:1/v1")) as agent:
        assert "could not be asked" in agent.post("message", context="one", text="hello").json()["error"]


def test_a_tool_that_raises_is_told_to_the_model(agent: Agent) -> None:
    agent.sub("python/tools/recall.py", "notes = self", "raise RuntimeError('no notes'); notes = self")
    agent.until_reloads(1)
    assert agent.say("recall") == "recall failed: RuntimeError: no notes"


@pytest.mark.parametrize(
    "text, answer",
    [
        ("code_execution_tool 2 * (3 + 4)", "2 * (3 + 4) = 14"),
        ("code_execution_tool: max([1, 9, 4])", "max([1, 9, 4]) = 9"),
        ("code_execution_tool 1 / 0", "cannot be evaluated: division by zero"),
        ("code_execution_tool __import__('os').getcwd()", "is not allowed here"),
        ("code_execution_tool 10 * 'x'", "'x' is not a number"),
        ("code_execution_tool 9 ** 99", "is not allowed here"),
        ("please remember to buy milk", "Noted: to buy milk"),
        ("remember", "There is nothing to note: say what."),
        ("hello", "Name one of my tools: code_execution_tool, hot_reload_test, recall, remember."),
    ],
)
def test_the_planner_uses_the_tool_that_is_named(planner: Agent, text: str, answer: str) -> None:
    assert answer in planner.say(text)


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    from .serving import copy_of_example

    with served(copy_of_example(tmp_path_factory.mktemp("planner")), **QUICK) as one:
        yield one
