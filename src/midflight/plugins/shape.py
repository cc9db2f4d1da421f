"""Edits of a plugin's modules → whether its setup must run again. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from midflight.plan.diff import Pair
from midflight.plan.nodes import FUNCTIONS
from midflight.plan.statements import fingerprint

Texts = Iterable[ast.AST]


def is_shape_edit(pairs: Iterable[Pair]) -> bool:
    """Whether more than code inside functions was edited: a definition or value came, went or changed. Imports do
    not count: what they bring matters where it is used."""
    return any(pair.kind in ("changed", "added", "removed") and not pair.statement.is_import for pair in pairs)


def values_changed(pairs: Iterable[Pair]) -> set[str]:
    """Names whose values or definitions changed or went: for those who only use the module, new ones do not count."""
    edited = [pair for pair in pairs if pair.kind in ("changed", "removed") and not pair.statement.is_import]
    return {name for pair in edited for name in pair.statement.binds}


def step_differs(pairs: Iterable[Pair], step: str) -> bool:
    """Whether a function or method of that name, such as `teardown`, was edited, came or went."""
    edited = [pair for pair in pairs if pair.edited]
    old = [pair.old.node for pair in edited if pair.old is not None]
    new = [pair.new.node for pair in edited if pair.new is not None]
    return _named(step, old) != _named(step, new)


def _named(name: str, texts: Texts) -> list[str]:
    nodes = (node for text in texts for node in ast.walk(text))
    return sorted(fingerprint(node) for node in nodes if isinstance(node, FUNCTIONS) and node.name == name)


def setup_differs(old: Texts, new: Texts) -> bool:
    """Whether `setup`, or a function that it reaches by a call, does other things in the new texts of a plugin and its
    helpers. A function inside it that it only registers is none of its own doing: its new code is grafted."""
    return _doings(old) != _doings(new)


def names_read_by_setup(texts: Texts) -> set[str]:
    """Names and attributes that `setup` and the functions that it reaches mention."""
    return {name for function in _reached(texts) for name in _names_in(function)}


def _doings(texts: Texts) -> list[tuple[str, ...]]:
    return sorted(
        (function.name, fingerprint(function.args), *(fingerprint(part, bodies=False) for part in function.body))
        for function in _reached(texts)
    )


def _reached(texts: Texts) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    functions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
    for node in (node for text in texts for node in ast.walk(text)):
        if isinstance(node, FUNCTIONS):
            functions.setdefault(node.name, []).append(node)
    found, waiting = [], ["setup"]
    seen = {"setup"}
    while waiting:
        for function in functions.get(waiting.pop(), ()):
            found.append(function)
            for name in _called_in(function):
                if name in functions and name not in seen:
                    seen.add(name)
                    waiting.append(name)
    return found


def _called_in(function: ast.AST) -> Iterator[str]:
    """Names of what it calls itself, as `name()`, `self.name()` or `module.name()`."""
    for node in _own(function):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                yield node.func.attr


def _names_in(function: ast.AST) -> Iterator[str]:
    for node in _own(function):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """What runs when it is called: bodies of functions inside it left out, their decorators and defaults not."""
    for child in ast.iter_child_nodes(function):
        yield child
        if isinstance(child, FUNCTIONS):
            for part in [*child.decorator_list, *child.args.defaults, *(d for d in child.args.kw_defaults if d)]:
                yield part
                yield from _own(part)
        elif not isinstance(child, ast.Lambda):
            yield from _own(child)
