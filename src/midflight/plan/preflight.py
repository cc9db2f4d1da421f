"""New source → Edited modules or Problems: the last stage that fails for free; runs none of the new code."""

from __future__ import annotations

import ast
import types
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from midflight.plan.diff import Pair, compiled_anew, match
from midflight.plan.edited import parse_edited
from midflight.plan.rude import Process, rude_edits
from midflight.plan.statements import SourceText, Statement, decode
from midflight.values import Problem

Compiled = tuple[dict[Statement, types.CodeType], dict[Statement, types.CodeType]]


@dataclass(frozen=True, slots=True, eq=False)
class Edited:
    """One module's new version: its statements and what became of the old ones."""

    text: SourceText
    pairs: tuple[Pair, ...]
    source: bytes
    compiled: dict[Statement, types.CodeType]  # what the syntax check gave of edited statements, for whoever needs it
    methods: dict[Statement, types.CodeType]  # the same of classes, with nothing in them but the method that was edited


def read_source(path: str, source: bytes) -> str | Problem:
    """`source` as Python reads it, or the Problem that Python would have with it."""
    try:
        return decode(source)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        line = source[: error.start].count(b"\n") + 1 if isinstance(error, UnicodeDecodeError) else 1
        return Problem(
            path, line, "MF002", f"the file cannot be decoded: {error}", "Save it as UTF-8, or name its coding."
        )


def not_compiled(path: str, error: Exception) -> Problem:
    """What Python itself had against a text."""
    if isinstance(error, SyntaxError):
        what, line = f"{type(error).__name__}: {error.msg}", error.lineno or 0
    else:
        what, line = f"it cannot be compiled: {error}", 0
    return Problem(path, line, "MF001", what, "Mend it and save again.")


def edited(
    module: str, path: str, old: SourceText, source: bytes, namespace: Mapping[str, Any], process: Process
) -> Edited | list[Problem]:
    """What `source` changes in the running `module`, or every Problem for which it cannot be taken."""
    text = read_source(path, source)
    if isinstance(text, Problem):
        return [text]
    try:
        new, known = parse_edited(old, text, path)
        pairs = match(old.statements, new.statements)
        compiled, methods = _compile_edited(pairs, path, new, known)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [not_compiled(path, error)]
    if old.future != new.future:
        pairs = [compiled_anew(pair) for pair in pairs]
    problems = list(rude_edits(module, path, pairs, namespace, (old.lines, new.lines), process))
    return problems or Edited(new, tuple(pairs), source, compiled, methods)


def _compile_edited(
    pairs: Sequence[Pair], path: str, text: SourceText, known: Mapping[Statement, types.CodeType]
) -> Compiled:
    """Syntax errors that only the compiler sees: `return` outside a function, a name both global and local. Those that
    are `known` were compiled already."""
    edited = [pair for pair in pairs if pair.edited and pair.new is not None and pair.new not in known]
    compiled, methods = dict(known), dict[Statement, types.CodeType]()
    if not edited:
        return compiled, methods
    with warnings.catch_warnings():
        # An escape that is not one is told once, by the parser; a reload must not fail where `-W error` is set.
        warnings.simplefilter("ignore")
        for pair in edited:
            assert pair.new is not None
            alone = _method_alone(pair)
            node = alone if alone is not None else pair.new.located()
            (compiled if alone is None else methods)[pair.new] = _compiled(node, path, text)
    return compiled, methods


def _method_alone(pair: Pair) -> ast.stmt | None:
    """A class with nothing in it but the one method that was edited: what the compiler makes of that is the same."""
    if pair.kind != "bodies" or pair.old is None or pair.new is None or pair.new.shift:
        return None
    method = pair.new.edited_member(pair.old)
    if method is None or getattr(pair.new.node, "type_params", None) or getattr(method, "type_params", None):
        return None
    node = pair.new.node
    assert isinstance(node, ast.ClassDef)
    alone = ast.ClassDef(**{name: getattr(node, name) for name in node._fields})
    alone.bases, alone.keywords, alone.decorator_list, alone.body = [], [], [], [method]
    return ast.copy_location(alone, node)


def _compiled(node: ast.stmt, path: str, text: SourceText) -> types.CodeType:
    is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    return compile(ast.Module([node] if is_future else [*text.head, node], []), path, "exec", dont_inherit=True)
