"""A block that runs again as a whole does not see what it bound the last time, and what it binds now is known.

A fresh process runs it with none of its names bound: `try: cache` … `except NameError: cache = {}`, or an import that
fails now and succeeded then. The names cannot be taken away while it runs, for other threads read them; so the block
itself asks for them, and notes what it has bound."""

from __future__ import annotations

import ast
import builtins
import copy
import types
from collections.abc import Mapping, Sequence
from typing import Any

from midflight.plan.nodes import FUNCTIONS
from midflight.plan.statements import bound_names

_NOTE, _READ = "\x00midflight: bound now", "\x00midflight: as bound now"
_LISTS = ("body", "orelse", "finalbody")
_SCOPES = (*FUNCTIONS, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Watched:
    """One run of a block. `names` are those that nothing else in its scope binds; `bound` those that it has bound."""

    def __init__(self, names: frozenset[str], namespace: Mapping[str, Any]) -> None:
        self.names, self.namespace = names, namespace
        self.bound: set[str] = set()

    def rewritten(self, node: ast.stmt) -> ast.stmt:
        return _Rewriter(self.names).block(copy.deepcopy(node))

    def linked(self, code: types.CodeType) -> types.CodeType:
        """`code` of a rewritten block with the two questions among its constants."""
        if not self.names:
            return code
        links = {_NOTE: self._note, _READ: self._read}
        consts = tuple(links.get(c, c) if isinstance(c, str) else c for c in code.co_consts)
        return code.replace(co_consts=consts)

    def _note(self, *names: str) -> None:
        self.bound.update(names)

    def _read(self, name: str) -> Any:
        if name in self.bound:
            return self.namespace[name]
        if hasattr(builtins, name):
            return getattr(builtins, name)
        raise NameError(f"name {name!r} is not defined", name=name)


class _Rewriter(ast.NodeTransformer):
    """Reads in the block's own scope become questions; after each statement it notes the names it bound."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def block(self, node: ast.stmt) -> ast.stmt:
        for field in _LISTS:
            if getattr(node, field, None):
                setattr(node, field, self._noting(node, field))
        for handler in getattr(node, "handlers", ()):
            handler.body = self._each(handler.body)
            handler.type = self.visit(handler.type) if handler.type is not None else None
        for case in getattr(node, "cases", ()):
            case.guard = self._guard(case)
            case.body = self._each(case.body)
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(node, field, self.visit(value))
        for item in getattr(node, "items", ()):
            item.context_expr = self.visit(item.context_expr)
        return node

    def _guard(self, case: ast.match_case) -> ast.expr | None:
        """What a pattern captures is bound before its guard is asked, whatever that answers."""
        guard = self.visit(case.guard) if case.guard is not None else None
        names = bound_names(ast.Match(ast.Constant(0), [ast.match_case(case.pattern, None, [])])) & self.names
        if not names:
            return guard
        note = _call(_NOTE, sorted(names), case.pattern).value
        asked = guard if guard is not None else ast.copy_location(ast.Constant(True), case.pattern)
        return ast.copy_location(ast.BoolOp(ast.Or(), [note, asked]), case.pattern)

    def _noting(self, node: ast.stmt, field: str) -> list[ast.stmt]:
        """The statements of a part of a block; a loop's or a `with`'s own names are bound when its body begins."""
        inside = self._each(getattr(node, field))
        targets = [getattr(node, "target", None), *(item.optional_vars for item in getattr(node, "items", ()))]
        own = {n.id for t in targets if t is not None for n in ast.walk(t) if isinstance(n, ast.Name)} & self.names
        return [_call(_NOTE, sorted(own), node), *inside] if own and field == "body" else inside

    def _each(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for statement in statements:
            binds = bound_names(statement) & self.names
            if any(hasattr(statement, field) for field in (*_LISTS, "cases")) and not isinstance(statement, _SCOPES):
                out.append(self.block(statement))
                continue
            out.append(self.visit(statement))
            if binds:
                out.append(_call(_NOTE, sorted(binds), statement))
        return out

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if not isinstance(node.ctx, ast.Load) or node.id not in self.names:
            return node
        return _call(_READ, [node.id], node).value

    def generic_visit(self, node: ast.AST) -> ast.AST:
        return node if isinstance(node, _SCOPES) else super().generic_visit(node)


def _call(what: str, names: Sequence[str], place: ast.AST) -> ast.Expr:
    found = ast.Expr(ast.Call(ast.Constant(what), [ast.Constant(name) for name in names], []))
    for child in ast.walk(found):
        if isinstance(child, (ast.expr, ast.stmt)):
            ast.copy_location(child, place)
    return found
