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
        new, compiled, methods = parse_edited(old, text, path)
        pairs = match(old.statements, new.statements)
        compiled = _compile_edited([pair for pair in pairs if pair.new not in methods], path, new, compiled)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return [not_compiled(path, error)]
    if old.future != new.future:
        pairs = [compiled_anew(pair) for pair in pairs]
    problems = list(rude_edits(module, path, pairs, namespace, (old.lines, new.lines), process))
    return problems or Edited(new, tuple(pairs), source, compiled, methods)


def _compile_edited(
    pairs: Sequence[Pair], path: str, text: SourceText, known: dict[Statement, types.CodeType]
) -> dict[Statement, types.CodeType]:
    """Syntax errors that only the compiler sees: `return` outside a function, a name both global and local. Those that
    are `known` were compiled already."""
    # Most pairs are the same: to ask each for `edited` cost more than all else here.
    edited = [p.new for p in pairs if p.kind != "same" and p.edited and p.new is not None and p.new not in known]
    if not edited:
        return known
    with warnings.catch_warnings():
        # An escape that is not one is told once, by the parser; a reload must not fail where `-W error` is set.
        warnings.simplefilter("ignore")
        return {**known, **{statement: _compiled(statement.located(), path, text) for statement in edited}}


def _compiled(node: ast.stmt, path: str, text: SourceText) -> types.CodeType:
    is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    return compile(ast.Module([node] if is_future else [*text.head, node], []), path, "exec", dont_inherit=True)
