"""A module's statements with the code objects that its live functions run."""

from __future__ import annotations

import bisect
import types
from collections.abc import Sequence
from dataclasses import dataclass, field

from midflight.apply.graft.functions import same_code
from midflight.apply.holders import functions_in, nested_codes
from midflight.graph.loaded import Loaded, decode
from midflight.plan.statements import SourceText, Statement, parse

Roots = dict[Statement, tuple[types.CodeType, ...]]


@dataclass(slots=True)
class Parsed:
    """`roots`: statement → the code objects directly inside it, the very ones that live functions hold.

    `unknown` names functions whose live code is not what the text compiles to: somebody changed one of them."""

    text: SourceText
    roots: Roots
    unknown: frozenset[str] = field(default_factory=frozenset)


def parsed(loaded: Loaded) -> Parsed:
    """The running version of a module, parsed when it is edited first. Raises SyntaxError for an unreadable one."""
    found: Parsed | None = loaded.parsed
    if found is None:
        text = parse(decode(loaded.source or b""), loaded.path)
        codes = loaded.codes
        if codes is not None:
            found = Parsed(text, by_statement(text, nested_codes(codes[0])))
        else:
            found = _from_live(loaded, text)
        loaded.parsed = found
        # The module's code object would keep every old version of its functions alive.
        loaded.drop_codes()
    return found


def by_statement(text: SourceText, codes: list[types.CodeType]) -> Roots:
    return by_first(text.statements, codes)


def by_first(statements: Sequence[Statement], codes: list[types.CodeType]) -> Roots:
    """The code objects of each statement, found by the lines they stand on."""
    statements = sorted(statements, key=lambda s: s.first)
    firsts = [statement.first for statement in statements]
    out: dict[Statement, list[types.CodeType]] = {}
    for code in codes:
        at = bisect.bisect_right(firsts, code.co_firstlineno) - 1
        while at > 0 and firsts[at - 1] == firsts[at]:
            at -= 1  # several statements on one line: the first has them all
        if at >= 0 and code.co_firstlineno <= statements[at].last:
            out.setdefault(statements[at], []).append(code)
    return {statement: tuple(found) for statement, found in out.items()}


def _from_live(loaded: Loaded, text: SourceText) -> Parsed:
    """For a module imported before us: compile its text, and put the live code objects in the places of their twins."""
    live: dict[tuple[str, int], types.CodeType] = {}
    for value in list(loaded.namespace.values()):
        for function in functions_in(value, loaded.name):
            if function.__globals__ is loaded.namespace:
                live[function.__code__.co_qualname, function.__code__.co_firstlineno] = function.__code__
    unknown: set[str] = set()
    module = compile(text.text, loaded.path, "exec", dont_inherit=True)
    codes = [_with_live(code, live, unknown) for code in nested_codes(module)]
    return Parsed(text, by_statement(text, codes), frozenset(unknown))


def _with_live(
    code: types.CodeType, live: dict[tuple[str, int], types.CodeType], unknown: set[str]
) -> types.CodeType:
    twin = live.get((code.co_qualname, code.co_firstlineno))
    if twin is not None:
        if not same_code(twin, code):
            unknown.add(code.co_qualname)
        return twin
    consts = tuple(_with_live(c, live, unknown) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    if all(a is b for a, b in zip(consts, code.co_consts, strict=True)):
        return code
    return code.replace(co_consts=consts)
