"""Which module a proposal is for where nobody said so."""

from __future__ import annotations

import pytest

from midflight.proposals.states import ProposalError
from midflight.proposals.targets import annotated, choose

MODULES = {
    "knowledge_engine": "FACTS = {}\n\ndef learn(k, v):\n    FACTS[k] = v\n",
    "shop.cart": "RATE = 2\n\nclass Cart:\n    pass\n",
    "shop.page": "def render(cart):\n    return str(cart)\n",
}


@pytest.mark.parametrize("content, module, why", [
    ("def ke_status():\n    return 'ok'\n", "knowledge_engine", "its initials"),
    ("def learn(k, v):\n    return None\n", "knowledge_engine", "it has learn already"),
    ("def count():\n    return len(FACTS)\n", "knowledge_engine", "it has FACTS, which the text uses"),
    ("def taxed(net):\n    return net * RATE\n", "shop.cart", "it has RATE, which the text uses"),
    ("# something for the page\nLINES = 3\n", "shop.page", "the text speaks of it"),
])  # fmt: skip
def test_the_text_tells(content: str, module: str, why: str) -> None:
    found = choose(content, MODULES)
    assert found.module == module and why in found.why


def test_an_only_module_needs_no_reason() -> None:
    assert choose("X = 1\n", {"cart": ""}).module == "cart"


def test_where_none_stands_out_the_likely_ones_are_named() -> None:
    with pytest.raises(ProposalError, match="no module stands out") as error:
        choose("X = 1\n", MODULES)
    assert "knowledge_engine, shop.cart, shop.page" in str(error.value) and "--module" in str(error.value)
    with pytest.raises(ProposalError, match="No module of this project is known"):
        choose("X = 1\n", {})


@pytest.mark.parametrize("content, module", [
    ("# module: shop.cart\nX = 1\n", "shop.cart"), ("#target = cart\n", "cart"), ("# the module: cart\n", ""), ("", ""),
])  # fmt: skip
def test_a_comment_may_name_it(content: str, module: str) -> None:
    assert annotated(content) == module
