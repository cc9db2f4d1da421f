"""Sentences that become code, and those of which it is said why they do not."""

from __future__ import annotations

import pytest

from midflight.proposals import is_sentence
from midflight.proposals.patches import apply_patch
from midflight.proposals.sentences import make, named_module, without_module
from midflight.proposals.states import ProposalError

MODULE = '''RATE = 2
NOTE: str


class Cart:
    items = 0


@cache
def price(net):
    """What it costs."""
    tax = net * RATE
    return net + tax
'''


@pytest.mark.parametrize("sentence, template, text", [
    ("Add helper function ke_status() returning 'ok'", "add function", "def ke_status():\n    return 'ok'\n"),
    ("add a function double(x, by=2) that returns x * by.", "add function", "def double(x, by=2):\n    return x * by\n"),
    ("Add an async function ping() returning 1", "add function", "async def ping():\n    return 1\n"),
    ("Add a constant LIMIT with value 10 * 3", "add constant", "LIMIT = 10 * 3\n"),
    ("add constant NAMES = ['a']", "add constant", "NAMES = ['a']\n"),
])  # fmt: skip
def test_what_is_new_is_appended(sentence: str, template: str, text: str) -> None:
    made = make(sentence, MODULE)
    assert made is not None and (made.template, made.mode, made.text) == (template, "append", text)


@pytest.mark.parametrize("sentence, old, new", [
    ("Change RATE to 3", "RATE = 2", "RATE = 3"),
    ("set the constant NOTE to 'x'", "NOTE: str", "NOTE = 'x'"),
    ("Change price to return net", "    tax = net * RATE\n    return net + tax\n", "    return net\n"),
    ("Add method total(tax) to class Cart returning self.items + tax", "    items = 0\n",
     "    items = 0\n\n    def total(self, tax):\n        return self.items + tax\n"),
    ("Remove function price", MODULE[MODULE.index("@cache"):], ""),
    ("delete the class Cart", "class Cart:\n    items = 0\n", ""),
])  # fmt: skip
def test_what_is_there_is_patched(sentence: str, old: str, new: str) -> None:
    made = make(sentence, MODULE)
    assert made is not None and made.mode == "patch"
    assert apply_patch(MODULE, made.text, "cart.py") == MODULE.replace(old, new)


@pytest.mark.parametrize("sentence, told", [
    ("Add function status() returning all is very well", "A text needs quotes"),
    ("Add function class() returning 1", "cannot be a name"),
    ("Add function f(a b) returning 1", "are no parameters"),
    ("Change NOTHING to 3", "no NOTHING"),
    ("Remove function nothing", "no nothing"),
    ("Add method m() to class Nothing returning 1", "no class Nothing"),
])  # fmt: skip
def test_what_cannot_be_is_told(sentence: str, told: str) -> None:
    with pytest.raises(ProposalError) as error:
        make(sentence, MODULE)
    assert told in str(error.value)


@pytest.mark.parametrize("sentence", ["Make it faster", "Add a login page", ""])
def test_other_sentences_fit_no_template(sentence: str) -> None:
    assert make(sentence, MODULE) is None


@pytest.mark.parametrize("content, sentence", [
    ("Add a function f() returning 1", True), ("make it so.", True), ("x = 1", False), ("def f(:", False),
    ("name", False), ("import nothing at all", False), ("two words\nand a line", False), ("", False),
])  # fmt: skip
def test_a_sentence_is_one_line_that_is_no_python(content: str, sentence: bool) -> None:
    assert is_sentence(content) == sentence


def test_a_sentence_may_name_its_module() -> None:
    sentence = "Add function f() to module shop.cart returning 1"
    assert (named_module(sentence), without_module(sentence)) == ("shop.cart", "Add function f() returning 1")
    assert named_module("Add function f() returning 1") == ""
