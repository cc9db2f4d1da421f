"""What the order of statements decides: names that are used above the one that binds them, where a fresh start would
stop, and what a statement sees that asks for all names there are. Pure."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Collection, Iterator, Sequence

from midflight.plan.calls import called, reached, uses
from midflight.plan.diff import IN_PLACE, Pair
from midflight.plan.nodes import FUNCTIONS, walk
from midflight.plan.purity import only_shows
from midflight.plan.statements import SourceText, Statement, bound_names, read_names

Starred = Callable[[Statement], frozenset[str]]
_CATCH_IT = frozenset({"NameError", "Exception", "BaseException"})
LISTERS = frozenset({"dir", "globals", "locals", "vars"})  # builtins that answer with the names of a module


def lists_names(statement: Statement) -> bool:
    """Whether it makes a value of the names that its module has, `__all__ = [n for n in dir() if ...]`, or goes through
    them to say where they are shown."""
    if statement.type not in (ast.Assign, ast.AnnAssign, ast.For) or LISTERS.isdisjoint(statement.reads):
        return False
    return statement.type is not ast.For or only_shows(statement)


def listing_functions(text: SourceText) -> frozenset[str]:
    """The functions of a module that go through the names that it has: `for value in globals().values()`."""
    named = (one for one in text.statements if one.is_def and any(f"{name}()" in one.text for name in LISTERS))
    return frozenset(one.name for one in named if _goes_through_names(one.node))


def _goes_through_names(node: ast.stmt) -> bool:
    picked = {id(child.value) for child in walk(node) if isinstance(child, ast.Subscript)}
    calls = (child for child in walk(node) if isinstance(child, ast.Call) and id(child) not in picked)
    return any(isinstance(c.func, ast.Name) and c.func.id in LISTERS - {"locals"} and not c.args for c in calls)


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
    known: dict[str, frozenset[str]] = {}
    for statement in text.statements:
        if statement.calls and not _may_do_without(statement):
            calls = called(statement)
            methods = frozenset(name for name in calls if name.startswith("."))
            for function in sorted(calls & known.keys()):
                late = reached(function, methods, known) & ever - bound
                yield from ((statement, function, name) for name in sorted(late))
        bound |= statement.binds | starred(statement)
        for name, looked_up in uses(statement).items():
            # An implementation of a generic function is one more of it.
            known[name] = looked_up | (known.get(name, frozenset()) if name not in statement.binds else frozenset())


def _too_early(text: SourceText, starred: Starred) -> Iterator[tuple[Statement, str]]:
    ever = frozenset[str]().union(*(statement.binds | starred(statement) for statement in text.statements))
    bound: set[str] = set()
    for statement in text.statements:
        if not _may_do_without(statement):
            yield from ((statement, name) for name in sorted(_needs(statement, text.future) & ever - bound))
        bound |= statement.binds | starred(statement)


def _needs(statement: Statement, future: Collection[str]) -> frozenset[str]:
    node = statement.node
    if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.AnnAssign)) and "annotations" in future:
        return without_annotations(statement).difference(vars(builtins))
    names = statement.reads - statement.binds if statement.is_block or statement.is_class else statement.reads
    return names.difference(vars(builtins))


def without_annotations(statement: Statement) -> frozenset[str]:
    """Names that running a statement looks up where annotations are text: of the bodies of functions nothing."""
    return statement.fact("needs", _without_annotations)  # type: ignore[no-any-return]


def _without_annotations(node: ast.stmt) -> frozenset[str]:
    if isinstance(node, ast.AnnAssign):
        return frozenset() if node.value is None else read_names(ast.Assign([node.target], node.value))
    parts = [*getattr(node, "decorator_list", ()), *getattr(node, "bases", ())]
    if isinstance(node, FUNCTIONS):
        parts += [default for default in [*node.args.defaults, *node.args.kw_defaults] if default is not None]
    elif isinstance(node, ast.ClassDef):
        inside = frozenset[str]().union(*map(_without_annotations, node.body))
        bound = frozenset[str]().union(*map(bound_names, node.body))
        parts += [keyword.value for keyword in node.keywords]
        return frozenset[str]().union(inside - bound, *(read_names(ast.Expr(part)) for part in parts))
    else:
        return read_names(node)
    return frozenset[str]().union(*(read_names(ast.Expr(part)) for part in parts))


def _may_do_without(statement: Statement) -> bool:
    """A `try` may be there for that."""
    node = statement.node
    if not isinstance(node, (ast.Try, ast.TryStar)):
        return False
    caught = [n.id for h in node.handlers if h.type for n in walk(h.type) if isinstance(n, ast.Name)]
    return any(h.type is None for h in node.handlers) or bool(_CATCH_IT.intersection(caught))
