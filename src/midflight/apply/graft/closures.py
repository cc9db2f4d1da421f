"""New code for functions whose closure is fixed: CPython takes it only with the same free variables.

A variable that is no longer captured is captured all the same, by a reference that never runs; `__class__`, newly
needed by `super()`, becomes a constant, since the class it means is known."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.graft.functions import Fits, pair_codes
from midflight.apply.graft.owners import CLASS, SUPER, classes_of, placed
from midflight.apply.holders import nested_codes
from midflight.apply.variants import note_variant, variants_of

if TYPE_CHECKING:
    from midflight.apply.scopes import Scope
    from midflight.plan.statements import Statement

Pairs = Sequence[tuple[types.CodeType, types.CodeType]]

_Functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def fits_for(
    statement: Statement, pairs: Pairs, new: Sequence[types.CodeType], scope: Scope, owner: type | None
) -> Fits:
    """For functions that live: variants of the new code objects of `statement` with the free variables that their
    closures have. Functions made from now on get the code of the source. `pairs` are old and new ones, in their order.
    """
    fits: Fits = {}
    for live in _live_versions(pairs):
        if any(held.co_freevars != code.co_freevars for held, code in live):
            for code, variant in pair_codes(new, refit(statement.located(), live, scope, owner)):
                if code.co_freevars != variant.co_freevars:
                    variant = classes_of(variant, code)
                    fits[id(code), variant.co_freevars] = code, note_variant(variant, code)
    return fits


def _live_versions(pairs: Pairs) -> Iterator[Pairs]:
    """`pairs` as the source had them, and with the variants of the old code objects that functions run, if any."""
    yield pairs
    variants = [list(variants_of(old)) for old, _ in pairs]
    for at in range(max(map(len, variants), default=0)):
        yield [(held[at] if at < len(held) else old, new) for held, (old, new) in zip(variants, pairs, strict=True)]


def refit(
    node: ast.stmt,
    pairs: Pairs,
    scope: Scope,
    owner: type | None,
) -> tuple[types.CodeType, ...]:
    """`node` compiled again so that each function in it has the free variables its live twin has, where that can be."""
    import copy

    node = copy.deepcopy(node)
    for old, new in pairs:
        missing = set(old.co_freevars) - set(new.co_freevars)
        added = set(new.co_freevars) - set(old.co_freevars)
        if not missing and not added:
            continue
        function = _function_at(node, new)
        if function is None:
            continue
        if added == {"__class__"}:
            _ClassAsConstant(function).run()
        if missing:
            _capture(function, sorted(missing))
    code = scope.compile([node])
    return tuple(placed(nested, owner, scope.get) for nested in nested_codes(code))


def _function_at(node: ast.AST, code: types.CodeType) -> Any:
    for child in ast.walk(node):
        if isinstance(child, _Functions) and getattr(child, "name", "<lambda>") == code.co_name:
            first = min([child.lineno, *(d.lineno for d in getattr(child, "decorator_list", ()))])
            if first == code.co_firstlineno:
                return child
    return None


def _capture(function: Any, names: list[str]) -> None:
    if isinstance(function, ast.Lambda):
        held = ast.Tuple([ast.Name(name, ast.Load()) for name in names], ast.Load())
        function.body = ast.copy_location(ast.IfExp(ast.Constant(0), held, function.body), function.body)
        ast.fix_missing_locations(function.body)
        return
    body = function.body
    has_doc = (
        isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    )
    never = ast.If(ast.Constant(0), [ast.Expr(ast.Name(name, ast.Load())) for name in names], [])
    place = body[1] if has_doc and len(body) > 1 else body[0]
    for child in ast.walk(never):
        ast.copy_location(child, place)
    body.insert(1 if has_doc else 0, never)


class _ClassAsConstant(ast.NodeTransformer):
    def __init__(self, function: Any) -> None:
        self.function = function
        self.first = [_first_argument(function)]

    def run(self) -> None:
        body = self.function.body
        self.function.body = [self.visit(child) for child in body] if isinstance(body, list) else self.visit(body)

    def visit_FunctionDef(self, node: Any) -> Any:
        self.first.append(_first_argument(node))
        self.generic_visit(node)
        self.first.pop()
        return node

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        return node  # its `__class__` is another one

    def visit_Call(self, node: ast.Call) -> ast.Call:
        if isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args and self.first[-1]:
            place = ast.copy_location(ast.Constant(CLASS), node)
            first = ast.copy_location(ast.Name(self.first[-1], ast.Load()), node)
            node.args = [place, first]
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The compiler captures `__class__` for the name `super` too, whatever it is called with."""
        constant = {"__class__": CLASS, "super": SUPER}.get(node.id)
        return node if constant is None else ast.copy_location(ast.Constant(constant), node)


def _first_argument(function: Any) -> str:
    arguments = [*function.args.posonlyargs, *function.args.args]
    return arguments[0].arg if arguments else ""
