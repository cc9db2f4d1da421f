"""What somebody says → the command that it stands for."""

from __future__ import annotations

import importlib.util

import pytest

from .conftest import EXAMPLE

spec = importlib.util.spec_from_file_location("plain_words_of_the_terminal", EXAMPLE / "plain_words.py")
assert spec is not None and spec.loader is not None
plain_words = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plain_words)


@pytest.mark.parametrize("said, command", [
    ("apply code changes live", "/apply-code"),
    ("Apply the change live.", "/apply-code"),
    ("please apply it", "/apply-code"),
    ("rollback changes", "/rollback --last"),
    ("undo that", "/rollback --last"),
    ("roll back", "/rollback --last"),
    ("sandbox it first", "/sandbox-code"),
    ("approve the proposal", "/approve-code"),
    ("show me the history", "/audit-code"),
    ("propose to add a constant X = 1", "/propose-code add a constant X = 1"),
    ("add a function f() returning 1", "/propose-code add a function f() returning 1"),
    ("what colour is the sky", None),
    ("apply for a job", None),
    ("undo the laces of a shoe", None),
])  # fmt: skip
def test_what_is_said(said: str, command: str | None) -> None:
    assert plain_words.command_for(said) == command
