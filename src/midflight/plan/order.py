"""What the order of statements decides: names that are used above the one that binds them, where a fresh start would
stop, and what a statement sees that asks for all names there are. Pure."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from midflight.plan.diff import IN_PLACE, Pair
from midflight.plan.statements import FUNCTIONS, SourceText, Statement, read_names, walk_scope

Starred = Callable[[Statement], frozenset[str]]
_CATCH_IT = frozenset({"NameError", "Exception", "BaseException"})
LISTERS = frozenset({"dir", "globals", "locals", "vars"})  # builtins that answer with the names of a module


def lists_names(statement: Statement) -> bool:
    """Whether it makes a value of the names that its module has: `__all__ = [n for n in dir() if ...]`."""
    return statement.type in (ast.Assign, ast.AnnAssign) and bool(LISTERS & statement.reads)


def names_around(statements: Sequence[Statement], at: Statement) -> tuple[frozenset[str], frozenset[str]]:
    """What the statements above `at` bind, and what only those from it on do."""
    place = next((index for index, one in enumerate(statements) if one is at), len(statements))
    above = frozenset[str]().union(*(one.binds for one in statements[:place]))
    return above, frozenset[str]().union(*(one.binds for one in statements[place:])) - above


def reorders(pairs: Sequence[Pair]) -> bool:
    """Whether an edit can change what is bound above what: one of bodies alone, in the order there was, cannot."""
    if not {pair.kind for pair in pairs} <= IN_PLACE:
        return True
    lines = [pair.old.first for pair in pairs if pair.old is not None]
    return lines != sorted(lines)


def used_before_bound(old: SourceText, new: SourceText, starred: Starred) -> Iterator[tuple[int, str]]:
    """(line, name) for each use in `new` that stands above all that binds the name, and did not in `old`; `starred`
    gives the names that a star import brings."""
    found = list(_too_early(new, starred))
    if found:
        known = {(statement.print, name) for statement, name in _too_early(old, starred)}
        yield from ((s.first, name) for s, name in found if (s.print, name) not in known)


def called_before_bound(old: SourceText, new: SourceText, starred: Starred) -> Iterator[tuple[int, str, str]]:
    """(line, function, name) for each call in `new` of a function that uses a name which only statements below bind,
    where it did not stand so in `old`. A function need not come to all that it uses."""
    found = list(_calls_too_early(new, starred))
    if found:
        known = {(statement.print, function, name) for statement, function, name in _calls_too_early(old, starred)}
        yield from ((s.first, function, name) for s, function, name in found if (s.print, function, name) not in known)


def _calls_too_early(text: SourceText, starred: Starred) -> Iterator[tuple[Statement, str, str]]:
    ever = frozenset[str]().union(*(statement.binds | starred(statement) for statement in text.statements))
    bound: set[str] = set()
    uses: dict[str, frozenset[str]] = {}
    for statement in text.statements:
        if statement.calls and not _may_do_without(statement, text.future):
            for function in sorted(_called(statement) & uses.keys()):
                late = _reached_by(function, uses) & ever - bound
                yield from ((statement, function, name) for name in sorted(late))
        bound |= statement.binds | starred(statement)
        if function_node := _function_of(statement):
            uses.update(dict.fromkeys(statement.binds, _globals_of(function_node)))


def _called(statement: Statement) -> set[str]:
    calls = (node.func for node in walk_scope(statement.node) if isinstance(node, ast.Call))
    return {function.id for function in calls if isinstance(function, ast.Name)}


def _reached_by(function: str, uses: Mapping[str, frozenset[str]]) -> set[str]:
    """Names that a function uses, and those that functions among them use."""
    found, more = set[str](), {function}
    while more:
        found |= more
        more = set[str]().union(*(uses.get(name, ()) for name in more)) - found
    return found


def _function_of(statement: Statement) -> ast.AST | None:
    value = statement.node.value if isinstance(statement.node, ast.Assign) else statement.node
    return value if isinstance(value, (*FUNCTIONS, ast.Lambda)) else None


def _globals_of(function: ast.AST) -> frozenset[str]:
    """Names that the body of a function looks up outside it."""
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    own = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    own |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    return frozenset(node.id for node in names) - own - vars(builtins).keys()


def _too_early(text: SourceText, starred: Starred) -> Iterator[tuple[Statement, str]]:
    ever = frozenset[str]().union(*(statement.binds | starred(statement) for statement in text.statements))
    bound: set[str] = set()
    for statement in text.statements:
        if not _may_do_without(statement, text.future):
            yield from ((statement, name) for name in sorted(_needs(statement, text.future) & ever - bound))
        bound |= statement.binds | starred(statement)


def _needs(statement: Statement, future: Collection[str]) -> frozenset[str]:
    node = statement.node
    if isinstance(node, ast.AnnAssign) and "annotations" in future:
        return frozenset() if node.value is None else read_names(ast.Expr(node.value)) - vars(builtins).keys()
    names = statement.reads - statement.binds if statement.is_block or statement.is_class else statement.reads
    return names - vars(builtins).keys()


def _may_do_without(statement: Statement, future: Collection[str]) -> bool:
    """A `try` may be there for that; annotations are not looked up under `from __future__ import annotations`."""
    node = statement.node
    if isinstance(node, (ast.Try, ast.TryStar)):
        caught = [n.id for h in node.handlers if h.type for n in ast.walk(h.type) if isinstance(n, ast.Name)]
        return any(h.type is None for h in node.handlers) or bool(_CATCH_IT.intersection(caught))
    return isinstance(node, (*FUNCTIONS, ast.ClassDef)) and "annotations" in future
