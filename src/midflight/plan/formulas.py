"""Statements that compute one value from names and do nothing else: `URL = f"{HOST}/api"`. Pure."""

from __future__ import annotations

import ast
import heapq
import types
from dataclasses import dataclass

from midflight.plan.diff import Groups
from midflight.plan.flow import dotted_reads, followers, imports_in, makers_of_functions
from midflight.plan.order import LISTERS
from midflight.plan.purity import only_binds
from midflight.plan.statements import SourceText, Statement

_OPERATIONS = (
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp,
    ast.JoinedStr, ast.FormattedValue, ast.Tuple, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
)  # fmt: skip


def formula_of(statement: Statement) -> str:
    """The name that it binds to what operators make of names, attributes and data written out; "" where it does
    anything else, or reads that name itself."""
    return statement.fact("formula", _formula)  # type: ignore[no-any-return]


def _formula(node: ast.stmt) -> str:
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return ""
    name, parts = node.targets[0].id, list(ast.walk(node.value))
    read = {part.id for part in parts if isinstance(part, ast.Name)}
    computes = all(isinstance(part, _OPERATIONS) for part in parts) and read.isdisjoint({name, *LISTERS})
    return name if computes else ""


@dataclass(eq=False, slots=True)
class Link:
    """A statement of a chain: an import of names, each with what it stands for, or the formula that binds `name` and is
    compiled when it runs first."""

    statement: Statement
    imports: tuple[tuple[str, tuple[str, str]], ...] = ()  # a name, and the module and name that it is taken from
    name: str = ""
    reads: frozenset[str] = frozenset()
    code: types.CodeType | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """`links` in the order of the text; `names`: all by which a value comes to one of them, or that one binds; `keys`:
    these with their module."""

    links: tuple[Link, ...]
    names: frozenset[str]
    keys: frozenset[tuple[str, str]]


def chains_of(text: SourceText) -> dict[frozenset[str], Chain | None]:
    """Names → what `chain_of` gave for them: it is worked out once for a text."""
    return text.fact("chains", dict)  # type: ignore[no-any-return]


def chain_of(text: SourceText, names: frozenset[str], module: str, is_package: bool) -> Chain | None:
    """The statements that follow values called `names`, and those that follow these, where nothing follows them but
    imports of names and formulas further down; None where anything else does."""
    places, links, every = followers(text), list[Link](), set(names)
    groups: Groups = text.fact("groups", lambda: Groups(text.statements))
    waiting = [place for name in names for place in places.get(name, ())]
    heapq.heapify(waiting)
    at = -1
    while waiting:
        place = heapq.heappop(waiting)
        if place == at:
            continue
        at, link = place, _link(text.statements[place], groups, module, is_package)
        if link is None:
            return None
        links.append(link)
        for name in filter(None, (link.name, *(bound for bound, _ in link.imports))):
            below = [p for p in places.get(name, ()) if p != place]
            if any(p < place for p in below):
                return None
            every.add(name)
            for p in below:
                heapq.heappush(waiting, p)
    # A function that names one of them answers otherwise: who calls it follows too.
    making = makers_of_functions(text)
    reaches_code = "*" in places or any(name in making for name in every)
    return None if reaches_code else Chain(tuple(links), frozenset(every), frozenset((module, name) for name in every))


def _link(statement: Statement, groups: Groups, module: str, is_package: bool) -> Link | None:
    if statement.type is ast.ImportFrom:
        imported = imports_in(statement, module, is_package)
        return Link(statement, tuple((one.bound, (one.module, one.name)) for one in imported))
    name = formula_of(statement)
    if not name or statement.calls or dotted_reads(statement) or not only_binds(statement):
        return None
    alone = len(groups.of(statement).statements) == 1 and groups.of(statement).names == {name}
    return (
        Link(statement, (), name, statement.reads)
        if alone and groups.passing.isdisjoint((name, *statement.reads))
        else None
    )
