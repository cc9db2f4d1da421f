"""A module's statements with the code objects that its live functions run."""

from __future__ import annotations

import bisect
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from midflight.apply.graft.functions import same_code
from midflight.apply.holders import functions_in, is_class_body, nested_codes, overloads
from midflight.apply.scopes import compile_nodes
from midflight.apply.variants import origin_of
from midflight.graph.heap import referrers
from midflight.graph.loaded import Loaded
from midflight.plan.diff import Pair
from midflight.plan.futures import future_flags
from midflight.plan.statements import SourceText, Statement, decode, parse

Codes = tuple[types.CodeType, ...]
Roots = dict[Statement, Codes]
Place = tuple[str, int]  # qualified name, first line
Live = dict[Place, list[types.CodeType]]  # the code objects of live functions, by place


@dataclass(slots=True)
class Parsed:
    """`roots`: statement → the code objects directly inside it, the very ones that live functions hold."""

    text: SourceText
    roots: Roots


class LiveRoots(Roots):
    """Roots found when they are asked for: the statement is compiled, and where a live function has a code object of
    the same name and line, that one stands in the place of its twin.

    So nothing has to be remembered of modules that are never edited, and only edited statements are compiled."""

    def __init__(self, loaded: Loaded, text: SourceText, known: Roots | None = None) -> None:
        super().__init__(known or {})
        self._loaded, self._text = loaded, text
        self._hidden: Live | None = None

    def get(self, statement: Statement, default: Any = ()) -> Any:
        if statement not in self:
            self[statement] = self._find(statement)
        return self[statement]

    def __missing__(self, statement: Statement) -> Codes:
        self[statement] = self._find(statement)
        return self[statement]

    def _find(self, statement: Statement) -> Codes:
        namespace = self._loaded.namespace
        if statement.is_plain_def and (code := self._of_plain(statement, namespace)) is not None:
            return (code,)
        flags = future_flags(self._text.future)
        code = compile_nodes([statement.located()], self._loaded.path, flags, self._text.imports)
        codes = nested_codes(code)
        if not codes:
            return ()
        overloaded = (one for made in _functions_made(codes) for one in overloads(namespace, made.co_qualname))
        live = _by_place((*map(namespace.get, statement.binds), *overloaded), self._loaded)
        crowded = _crowded(codes)
        if any(_twin(made, live, crowded) is None for made in _functions_made(codes)):
            # Not led to by a name: registered somewhere and bound to another name since, or never bound to one.
            for place, found in self._on_heap().items():
                live.setdefault(place, []).extend(
                    code for code in found if all(code is not known for known in live[place])
                )
        return tuple(_with_live(each, live, crowded) for each in codes)

    def _of_plain(self, statement: Statement, namespace: Mapping[str, Any]) -> types.CodeType | None:
        """The code object of a plain function that its name leads to: it is there, and need not be compiled to be known
        again."""
        name = statement.defined
        function = namespace.get(name)
        if type(function) is not types.FunctionType or function.__globals__ is not namespace:
            return None
        code = origin_of(function.__code__)
        return code if code.co_name == name and _place(code) == (name, statement.first) else None

    def _on_heap(self) -> Live:
        if self._hidden is None:
            space = self._loaded.namespace
            functions = referrers([space], [types.FunctionType])
            self._hidden = _placed([one.__code__ for one in functions if one.__globals__ is space])
        return self._hidden


def as_compiled(pair: Pair, old: Parsed, compiled: Mapping[Statement, types.CodeType]) -> Pair:
    """`pair` as what only moved, where a body was edited in what the compiler does not see: a comment, the layout."""
    if pair.old is None or pair.new is None or pair.new not in compiled or not pair.new.has_header_of(pair.old):
        return pair
    before: Codes = old.roots.get(pair.old, ())
    after = nested_codes(compiled[pair.new])
    if pair.new.is_class and len(before) == 1:  # only a method of it was compiled
        after = nested_codes(after[0])
        before = tuple(code for code in nested_codes(before[0]) if code.co_name == after[0].co_name)
    same = len(before) == len(after) and all(map(same_code, before, after))
    return Pair("moved", pair.old, pair.new) if same else pair


def but(roots: Roots, statement: Statement, codes: Codes) -> Roots:
    """A copy of `roots` that has `codes` for `statement`, and finds the others as `roots` does."""
    copy = LiveRoots(roots._loaded, roots._text, roots) if isinstance(roots, LiveRoots) else dict(roots)
    copy[statement] = codes
    return copy


def parsed(loaded: Loaded) -> Parsed:
    """The running version of a module, parsed when it is edited first. Raises SyntaxError for an unreadable one."""
    found: Parsed | None = loaded.parsed
    if found is None:
        text = parse(decode(loaded.source or b""), loaded.path)
        found = loaded.parsed = Parsed(text, LiveRoots(loaded, text))
    return found


def text_of(loaded: Loaded) -> SourceText | None:
    """The statements of its running version; None where it cannot be read."""
    if loaded.parsed is not None:
        return loaded.parsed.text  # type: ignore[no-any-return]
    try:
        return parse(decode(loaded.source or b""), loaded.path)
    except (SyntaxError, ValueError):
        return None


def by_first(statements: Sequence[Statement], codes: Sequence[types.CodeType]) -> Roots:
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


def _by_place(values: Iterable[Any], loaded: Loaded) -> Live:
    functions = (function for value in values for function in functions_in(value, loaded.name))
    return _placed(function.__code__ for function in functions if function.__globals__ is loaded.namespace)


def _placed(codes: Iterable[types.CodeType]) -> Live:
    live: Live = {}
    for code in map(origin_of, codes):
        found = live.setdefault(_place(code), [])
        if all(code is not known for known in found):
            found.append(code)
    return live


def _place(code: types.CodeType) -> Place:
    return code.co_qualname, code.co_firstlineno


def _crowded(codes: Iterable[types.CodeType]) -> set[Place]:
    """Places where several code objects stand: the lambdas of one line."""
    seen: set[Place] = set()
    twice: set[Place] = set()
    stack = list(codes)
    while stack:
        code = stack.pop()
        (twice if _place(code) in seen else seen).add(_place(code))
        stack += nested_codes(code)
    return twice


def _twin(code: types.CodeType, live: Live, crowded: set[Place]) -> types.CodeType | None:
    """The live code object that `code` is another copy of: of several in one place the one that does the same, in
    its columns if there is one (they are part of the line table; 3.12 gives a constant's lambda none)."""
    found = live.get(_place(code), [])
    exact = [each for each in found if each.co_linetable == code.co_linetable]
    same = [each for each in exact or found if same_code(each, code)]
    if _place(code) not in crowded:
        same = same or exact or found
    return same[0] if same else None


def _functions_made(codes: Iterable[types.CodeType]) -> Iterator[types.CodeType]:
    """The functions that running a statement makes: those of class bodies and comprehensions too, not those inside
    functions."""
    for code in codes:
        has_name = not code.co_name.startswith("<") or code.co_name == "<lambda>"
        if has_name and not is_class_body(code):
            yield code
        else:
            yield from _functions_made(nested_codes(code))


def _with_live(code: types.CodeType, live: Live, crowded: set[Place]) -> types.CodeType:
    twin = _twin(code, live, crowded)
    if twin is not None:
        return twin
    consts = tuple(_with_live(c, live, crowded) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    if all(a is b for a, b in zip(consts, code.co_consts, strict=True)):
        return code
    return code.replace(co_consts=consts)
