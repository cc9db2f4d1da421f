"""Which module a proposal is for, where nobody said so: told by what its text names. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from midflight.proposals.states import ProposalError


@dataclass(frozen=True, slots=True)
class Target:
    """The module, and why it is the one."""

    module: str
    why: str


@dataclass(frozen=True, slots=True)
class Outline:
    """The names that a module's or a proposal's top level binds, and those that it reads without binding them."""

    binds: frozenset[str]
    reads: frozenset[str]


NOTHING = Outline(frozenset(), frozenset())


def annotated(content: str) -> str:
    """The module that a comment among the first lines names: `# module: shop.cart` or `# target: shop.cart`."""
    for line in content.splitlines()[:10]:
        found = re.match(r"#\s*(?:module|target)\s*[:=]\s*([\w.]+)\s*$", line)
        if found:
            return found[1]
    return ""


def choose(content: str, modules: Mapping[str, str]) -> Target:
    """The module among `modules` (name → text) that `content` is most likely for. Raises ProposalError where none
    stands out, with the likeliest ones."""
    own = outline(content)
    words = set(re.findall(r"[a-z]{3,}", content.lower()))
    scores = {name: _score(name, own, outline(text), words) for name, text in modules.items()}
    ranked = sorted(scores, key=lambda name: (-scores[name][0], name))
    best = [name for name in ranked if scores[name][0] == scores[ranked[0]][0]] if ranked else []
    if len(best) == 1 and scores[best[0]][0]:
        return Target(best[0], scores[best[0]][1])
    if len(modules) == 1:
        return Target(ranked[0], "it is the only module")
    shown = ", ".join((best if len(best) < len(ranked) else ranked)[:5])
    raise ProposalError(
        "no module stands out as the target of this proposal",
        f"It could be for {shown}." if shown else "No module of this project is known.",
        "Name it: --module NAME, or a first line `# module: NAME`.",
    )


def _score(name: str, own: Outline, theirs: Outline, words: set[str]) -> tuple[int, str]:
    """How well they fit, and the strongest reason."""
    short = name.rpartition(".")[2]
    parts = [part for part in short.split("_") if part]
    initials = "".join(part[0] for part in parts)
    redefined = own.binds & theirs.binds
    used = own.reads & theirs.binds
    prefixed = {bound for bound in own.binds if len(initials) > 1 and bound.lower().startswith(f"{initials}_".lower())}
    reasons = [
        (4 * len(redefined), f"it has {_shown(redefined)} already"),
        (2 * len(used), f"it has {_shown(used)}, which the text uses"),
        (3 * len(prefixed), f"{initials}_ in {_shown(prefixed)} are its initials"),
        (3 if {part.lower() for part in parts} <= words and parts else 0, "the text speaks of it"),
    ]
    return sum(score for score, _ in reasons), max(reasons)[1]


def _shown(names: Iterable[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:3]) + (" and others" if len(found) > 3 else "")


def outline(text: str) -> Outline:
    """Empty for what does not compile."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return NOTHING
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    defined = {node.name for node in ast.walk(tree) if isinstance(node, _DEFINITIONS)}
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)} | defined
    reads = {node.id for node in names if isinstance(node.ctx, ast.Load)} - bound
    return Outline(frozenset(_bound_at_the_top(tree)), frozenset(reads))


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _bound_at_the_top(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        if isinstance(statement, _DEFINITIONS):
            yield statement.name
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
