"""The second hot module: who answers. A model of three lines stands in for one behind a network."""

from __future__ import annotations

NAME = "echo-1"
BADGE = (0.20, 0.35, 0.75)  # red, green, blue

DELEGATION_TARGETS = ["ask", "describe"]


def describe() -> str:
    return f"{NAME}: repeats what it is told"


def ask(prompt: str) -> str:
    words = prompt.split()
    return f"{NAME}> {len(words)} words, the last one is {words[-1]!r}" if words else f"{NAME}> (nothing was said)"
