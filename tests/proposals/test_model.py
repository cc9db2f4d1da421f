"""Sentences that no template fits go to a model, where one is configured; each way in which it fails is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from midflight.config import load
from midflight.proposals import NeedsText
from midflight.proposals.model import code_in
from midflight.proposals.states import ProposalError

from .conftest import Model, Project

MAKE = Callable[..., Project]
WISH = "Forget everything that was learned in module knowledge_engine"


def test_a_model_makes_code_of_a_sentence_and_the_rest_is_as_ever(project: MAKE, model: Model) -> None:
    model.says("Here it is:\n```python\ndef forget():\n    FACTS.clear()\n```\nEnjoy!")
    one = project(model_url=model.url, model="small")
    made = one.desk.propose(WISH)
    assert (made.origin, made.parts[0].text) == ("model small", "def forget():\n    FACTS.clear()\n")
    (asked,) = model.asked
    assert (
        asked["model"] == "small"
        and "FACTS = {}" in asked["messages"][1]["content"]
        and WISH in asked["messages"][1]["content"]
    )
    with pytest.raises(ProposalError, match="it is proposed"):
        one.desk.apply(made.id)
    one.desk.sandbox(made.id)
    one.desk.approve(made.id, "bob")
    engine = one.loaded["knowledge_engine"]
    engine.learn("a", 1)
    assert one.desk.apply(made.id)[1].outcome == "committed"
    engine.forget()
    assert engine.FACTS == {}


def test_without_a_model_the_text_is_asked_for(project: MAKE) -> None:
    with pytest.raises(NeedsText, match="no template fits") as error:
        project().desk.propose(WISH)
    assert "model_url" in error.value.hint


def test_a_template_is_taken_before_the_model(project: MAKE, model: Model) -> None:
    one = project(model_url=model.url)
    assert one.desk.propose("Add function ke_status() returning 1").origin == "template add function"
    assert model.asked == []


@pytest.mark.parametrize("status, answer, told", [
    (401, b'{"error": {"message": "no key"}}', "it answered 401: no key"),
    (500, b"broken", "it answered 500: broken"),
    (302, b"", "it answered 302"),
    (200, b"not json", "no chat completion"),
    (200, b'{"choices": []}', "no chat completion"),
    (200, b'{"choices": [{"message": {"content": "  "}}]}', "its answer is empty"),
    (200, b"x" * ((1 << 20) + 1), "longer than"),
])  # fmt: skip
def test_a_model_that_fails_proposes_nothing(
    project: MAKE, model: Model, status: int, answer: bytes, told: str
) -> None:
    model.status, model.answer = status, answer
    one = project(model_url=model.url)
    with pytest.raises(ProposalError) as error:
        one.desk.propose(WISH)
    assert told in error.value.why and "model_url" in error.value.hint and one.desk.newest() == []
    assert len(model.asked) == 1  # a redirect was not followed


def test_a_model_that_does_not_answer_is_given_up(project: MAKE, model: Model) -> None:
    model.hangs = threading.Event()
    with pytest.raises(ProposalError, match="timed out"):
        project(model_url=model.url, model_deadline_s=0.5).desk.propose(WISH)


def test_where_no_model_listens_that_is_said(project: MAKE) -> None:
    with pytest.raises(ProposalError, match="Connection refused"):
        project(model_url="http://127.0.0.1:9/v1").desk.propose(WISH)


def test_the_key_goes_only_where_whoever_runs_the_program_says(
    project: MAKE, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.says("x = 1")
    monkeypatch.setenv("SHOP_KEY", "secret")
    one = project(model_url=model.url, model_key_env="SHOP_KEY")
    one.desk.propose(WISH)
    assert model.headers[-1]["Authorization"] == "Bearer secret"
    (one.root / "pyproject.toml").write_text(
        f'[tool.midflight]\nmodel_url = "{model.url}"\nmodel_key_env = "SHOP_KEY"\n'
    )
    one.desk.config = load(str(one.root))
    one.desk.propose(WISH)
    assert "Authorization" not in model.headers[-1]


@pytest.mark.parametrize("content, code", [
    ("```python\nx = 1\n```", "x = 1\n"),
    ("```\nx = 1\n```\nand\n```py\ny = 2\n```\n", "x = 1\n\ny = 2\n"),
    ("x = 1", "x = 1\n"),
])  # fmt: skip
def test_the_code_of_an_answer_is_what_stands_in_its_fences(content: str, code: str) -> None:
    assert code_in(content) == code
