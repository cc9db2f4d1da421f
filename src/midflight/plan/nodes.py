"""The nodes below a node, as `ast` gives them but for those that only say whether a name is read. Pure.

What is known of a statement is found out by walks over its tree, a dozen of them for each that was edited: the walks of
`ast`, made of generators inside generators, took a tenth of what an edit of a large class does."""

from __future__ import annotations

import ast
from collections.abc import Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_CLOSED = frozenset({*SCOPES, ast.ClassDef})
_WORDS = frozenset({"ctx", "id", "attr", "arg", "asname", "module", "level", "kind", "type_comment"})
_fields: dict[type[ast.AST], tuple[str, ...]] = {}


def child_nodes(node: ast.AST) -> list[ast.AST]:
    """Those directly below, in the order of its fields."""
    kind = type(node)
    fields = _fields.get(kind)
    if fields is None:
        fields = _fields[kind] = tuple(name for name in kind._fields if name not in _WORDS)
    found: list[ast.AST] = []
    for name in fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif value and type(value) is list:
            found += [one for one in value if isinstance(one, ast.AST)]
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """`node` and all below it, level by level as `ast.walk`."""
    found = [node]
    for one in found:  # it grows meanwhile
        found += child_nodes(one)
    return found


def walk_scope(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and all below that runs in the same scope when it runs: not into functions, lambdas and classes."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        if type(one) not in _CLOSED:
            waiting += reversed(child_nodes(one))


def is_main_guard(node: ast.AST) -> bool:
    """Whether it is an `if __name__ == "__main__"`."""
    if not isinstance(node, ast.If):
        return False
    names = {one.id for one in walk(node.test) if isinstance(one, ast.Name)}
    texts = {one.value for one in walk(node.test) if isinstance(one, ast.Constant)}
    return "__name__" in names and "__main__" in texts
