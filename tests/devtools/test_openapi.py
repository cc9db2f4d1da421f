"""Questions made from the routes' own description, right ones and wrong ones: no answer is a 5xx, each fits."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midflight.devtools.openapi import description
from midflight.devtools.server import Server
from midflight.session import Session

from .conftest import made, running, served

pytestmark = pytest.mark.one_version

DOCUMENT = description()
OPERATIONS = sorted((path, method) for path, methods in DOCUMENT["paths"].items() for method in methods)
EXAMPLES = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the description allows; names such as this project has among them."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if kind == "object":
        required = schema.get("required", ())
        known = {name: fitting(inner) for name, inner in schema.get("properties", {}).items()}
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            return st.dictionaries(st.sampled_from(["cart.py", "new.py", "../x.py"]), fitting(more), min_size=1)
        needed = {name: one for name, one in known.items() if name in required}
        return st.fixed_dictionaries(
            needed, optional={name: one for name, one in known.items() if name not in required}
        )
    if kind == "array":
        return st.lists(fitting(schema["items"]), max_size=3)
    if kind == "boolean":
        return st.booleans()
    if kind in ("number", "integer"):
        return st.floats(0.01, 5) if kind == "number" else st.integers(schema.get("minimum"), schema.get("maximum"))
    names = st.sampled_from(["cart", "cart.py", "r1", "cart@0123456789ab", "/etc/passwd", "../../x", "nothing"])
    return names | st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=schema.get("minLength", 0))


def questions(path: str, method: str) -> st.SearchStrategy[Any]:
    operation = DOCUMENT["paths"][path][method]
    if method == "post":
        return fitting(operation["requestBody"]["content"]["application/json"]["schema"]) | anything
    fields = {one["name"]: fitting(one["schema"]).map(str) | st.text(max_size=20) for one in operation["parameters"]}
    return st.fixed_dictionaries({}, optional=fields)


def unfit(value: Any, schema: dict[str, Any], at: str = "answer") -> Iterator[str]:
    """Where `value` is not what `schema` says; of JSON Schema what the description uses."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "oneOf" in schema and sum(not list(unfit(value, one)) for one in schema["oneOf"]) != 1:
        yield f"{at}: {value!r} is not one of the kinds"
    for one in schema.get("allOf", ()):
        yield from unfit(value, one, at)
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "number": (int, float)}
    kind = schema.get("type")
    if kind and (not isinstance(value, kinds[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield f"{at}: {value!r} is no {kind}"
    elif kind == "object":
        known = schema.get("properties", {})
        yield from (f"{at}: no {name!r}" for name in schema.get("required", ()) if name not in value)
        for name, inner in value.items():
            yield from unfit(inner, known.get(name, schema.get("additionalProperties", {})), f"{at}.{name}")
    elif kind == "array":
        for place, inner in enumerate(value):
            yield from unfit(inner, schema["items"], f"{at}[{place}]")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Session, Server]]:
    """A client that is logged in, beside a program that was edited well and badly."""
    with (
        made(tmp_path_factory.mktemp("openapi") / "shop") as folder,
        running(folder) as session,
        served(session) as server,
        httpx.Client(base_url=server.url, verify=False, timeout=60) as client,
    ):
        for text in ("RATE = 3\n", "RATE = (\n"):
            (folder / "cart.py").write_text(text)
            session.reload()
        client.cookies.set(server.app.access.cookie_name, server.app.access.cookie_value)
        yield client, session, server


@pytest.mark.parametrize("path, method", OPERATIONS)
@EXAMPLES
@given(data=st.data())
def test_no_question_is_answered_by_a_5xx_and_each_answer_is_as_described(
    asked: tuple[httpx.Client, Session, Server], path: str, method: str, data: st.DataObject
) -> None:
    client, _, server = asked
    server.app.access.forgive()
    question = data.draw(questions(path, method))
    if method == "post":
        content = json.dumps(question).encode()
        answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
    else:
        place = path.replace("{id}", quote(question.pop("id", "") or "r1", safe=""))
        answer = client.get(place, params=question)
    if answer.is_redirect:
        return  # Starlette tidies a path with slashes at its end
    assert answer.status_code < 500, answer.text
    responses = DOCUMENT["paths"][path][method]["responses"]
    described = responses["200" if answer.status_code == 200 else "4XX"]["content"]["application/json"]["schema"]
    assert list(unfit(answer.json(), described)) == []


@pytest.mark.timeout(600)
def test_schemathesis_finds_no_5xx_and_nothing_that_is_not_as_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, soak: bool
) -> None:
    """The real one, from outside: it reads the description and asks each route, rightly and wrongly, `apply` too."""
    command = Path(sys.executable).with_name("schemathesis")
    if not command.exists():
        pytest.skip("schemathesis is installed for Python 3.11 only")
    monkeypatch.setattr("midflight.devtools.access.GUESSES", 1_000_000)  # it tries wrong tokens too
    with (
        made(tmp_path / "shop") as folder,
        Session(paths=[folder], mode="manual", allow_apply=True) as session,
        served(session) as server,
    ):
        importlib.import_module("cart")
        given = [f"{server.url}/api/openapi.json", "--header", f"Authorization: Bearer {server.app.access.token}"]
        checks = "not_a_server_error,response_schema_conformance,status_code_conformance,content_type_conformance"
        many = ["--max-examples", "300" if soak else "5", "--generation-deterministic", "--no-color"]
        done = subprocess.run(
            [command, "run", *given, "--checks", checks, *many],
            cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    asked = len(OPERATIONS) - 1  # not for the description itself
    assert f"Tested: {asked}" in done.stdout and "Rate limited" not in done.stdout, done.stdout[-3000:]


def test_the_description_names_the_cookie_that_logs_in(asked: tuple[httpx.Client, Session, Server]) -> None:
    client, _, server = asked
    scheme = client.get("/api/openapi.json").json()["components"]["securitySchemes"]["cookie"]
    assert scheme == {"type": "apiKey", "in": "cookie", "name": server.app.access.cookie_name}


@pytest.mark.parametrize(
    "value, schema, fits",
    [
        ({"a": 1}, {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}, True),
        ({"a": True}, {"type": "object", "properties": {"a": {"type": "integer"}}}, False),
        ({}, {"type": "object", "required": ["a"]}, False), ([1, "x"], {"type": "array", "items": {"type": "number"}}, False),
        ("x", {"enum": ["y"]}, False), ({"x": 1}, {"type": "object", "additionalProperties": {"type": "string"}}, False),
    ],
)  # fmt: skip
def test_the_check_tells_what_fits(value: Any, schema: dict[str, Any], fits: bool) -> None:
    assert (list(unfit(value, schema)) == []) == fits
