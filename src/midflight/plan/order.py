"""What the order of statements decides: names that are used above the one that binds them, where a fresh start would
stop, and what a statement sees that asks for all names there are. Pure."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Collection, Iterator, Sequence

from midflight.plan.diff import Pair
from midflight.plan.statements import FUNCTIONS, SourceText, Statement, read_names

Starred = Callable[[Statement], frozenset[str]]
_CATCH_IT = frozenset({"NameError", "Exception", "BaseException"})
_IN_ITS_PLACE = frozenset({"same", "moved", "bodies"})
LISTERS = frozenset({"dir", "globals", "locals", "vars"})  # builtins that answer with the names of a module


def lists_names(statement: Statement) -> bool:
    """Whether it makes a value of the names that its module has: `__all__ = [n for n in dir() if ...]`."""
    return isinstance(statement.node, (ast.Assign, ast.AnnAssign)) and bool(LISTERS & statement.reads)


def names_around(statements: Sequence[Statement], at: Statement) -> tuple[frozenset[str], frozenset[str]]:
    """What the statements above `at` bind, and what only those from it on do."""
    place = next((index for index, one in enumerate(statements) if one is at), len(statements))
    above = frozenset[str]().union(*(one.binds for one in statements[:place]))
    return above, frozenset[str]().union(*(one.binds for one in statements[place:])) - above


def reorders(pairs: Sequence[Pair]) -> bool:
    """Whether an edit can change what is bound above what: one of bodies alone, in the order there was, cannot."""
    if any(pair.kind not in _IN_ITS_PLACE for pair in pairs):
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
