"""The second hot module: who answers."""

from __future__ import annotations

BADGE = (0.20, 0.35, 0.75)  # red, green, blue

DELEGATION_TARGETS = ["ask"]


def ask(prompt: str) -> str:
    return f"{len(prompt.split())} words"
