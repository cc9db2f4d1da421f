"""Which statements only compute a value: run aside they give it again and touch nothing. Pure."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from midflight.plan.flow import evaluated
from midflight.plan.nodes import SCOPES, walk_scope
from midflight.plan.statements import Statement, root_name

# Called by name, these read their arguments and make a value; `callee` says whether the name still means them.
BUILTINS = frozenset(
    "abs all any ascii bin bool bytes callable chr complex dict dir divmod enumerate float format frozenset getattr "
    "globals hasattr hex int isinstance issubclass len list map max min oct ord pow range repr reversed round set "
    "slice sorted str sum tuple vars zip".split()
)
METHODS = frozenset(
    "capitalize casefold center copy count difference encode decode endswith expandtabs find format format_map "
    "get index intersection isalnum isalpha isdigit isidentifier islower isspace istitle isupper items join keys "
    "ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip "
    "split splitlines startswith strip swapcase symmetric_difference title translate union upper values zfill".split()
)
MUTATORS = frozenset("add append discard extend insert remove setdefault update clear pop reverse sort".split())
PURE_CALLS = frozenset(
    "re.compile re.escape re.match re.fullmatch re.search compile frozenset dict.fromkeys str.maketrans "
    "MappingProxyType dataclasses.fields".split()
)
LIBRARY = {
    "re": "re",
    "dataclasses": "dataclasses",
    "fields": "dataclasses",
}  # a name → the module that it is, or is of
_SHOWN = frozenset({"__module__", "__name__", "__qualname__", "__doc__"})
_NODES = (
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare,
    ast.IfExp, ast.JoinedStr, ast.FormattedValue, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Starred, ast.ListComp,
    ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.keyword, ast.expr_context, ast.operator,
    ast.unaryop, ast.boolop, ast.cmpop, ast.NamedExpr,
)  # fmt: skip


Callee = Callable[[str], bool]


def is_pure(node: ast.AST, is_builtin: Callee) -> bool:
    """Whether evaluating the expression `node` calls no code but that of plain data.

    `is_builtin(name)` says whether the name means the builtin there, or what it has in LIBRARY."""
    if isinstance(node, ast.Call):
        return _is_pure_call(node, is_builtin)
    if isinstance(node, ast.Lambda):
        return is_pure(node.body, is_builtin) and not node.args.defaults and not node.args.kw_defaults
    return isinstance(node, _NODES) and all(is_pure(child, is_builtin) for child in ast.iter_child_nodes(node))


def _is_pure_call(node: ast.Call, is_builtin: Callee) -> bool:
    arguments = [*node.args, *node.keywords]
    if not all(is_pure(a, is_builtin) for a in arguments):
        return False
    function = node.func
    if isinstance(function, ast.Name):
        return (function.id in BUILTINS or function.id in LIBRARY) and is_builtin(function.id)
    if isinstance(function, ast.Attribute):
        if ast.unparse(function) in PURE_CALLS:
            return isinstance(function.value, ast.Name) and is_builtin(function.value.id)
        return function.attr in METHODS and is_pure(function.value, is_builtin)
    return False


def is_pure_statement(node: ast.stmt, is_builtin: Callee) -> bool:
    """Whether running `node` only binds names and fills containers that it or its neighbours made."""
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return (node.value is None or is_pure(node.value, is_builtin)) and all(_is_plain_target(t) for t in targets)
    if isinstance(node, ast.Expr):
        return _is_filling_call(node.value, is_builtin)
    if isinstance(node, ast.For):
        inside = [*node.body, *node.orelse]
        return is_pure(node.iter, is_builtin) and all(is_pure_statement(s, is_builtin) for s in inside)
    if isinstance(node, (ast.If, ast.While)):
        inside = [*node.body, *node.orelse]
        return is_pure(node.test, is_builtin) and all(is_pure_statement(s, is_builtin) for s in inside)
    if isinstance(node, (ast.Try, ast.TryStar)):
        caught = (handler.type for handler in node.handlers if handler.type is not None)
        inside = [*node.body, *(s for h in node.handlers for s in h.body), *node.orelse, *node.finalbody]
        return all(is_pure(c, is_builtin) for c in caught) and all(is_pure_statement(s, is_builtin) for s in inside)
    if isinstance(node, ast.Delete):
        return all(_is_plain_target(t) for t in node.targets)
    return isinstance(node, (ast.Pass, ast.Break, ast.Continue))


def _is_plain_target(node: ast.expr) -> bool:
    if isinstance(node, (ast.Tuple, ast.List)):
        return all(_is_plain_target(e) for e in node.elts)
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name)
    return isinstance(node, ast.Name)


def _is_filling_call(node: ast.expr, is_builtin: Callee) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.attr in MUTATORS
        and all(is_pure(a, is_builtin) for a in [*node.args, *node.keywords])
    )


def only_shows(statement: Statement) -> bool:
    """Whether it is a loop that only sets where and how functions and classes are shown, as a package does with what it
    re-exports: run again, it says the same of what was there and of what came."""
    return statement.fact("only shows", _only_shows)  # type: ignore[no-any-return]


def _only_shows(node: ast.stmt) -> bool:
    if not isinstance(node, ast.For) or not all(map(_looks, (n for n in ast.walk(node) if isinstance(n, ast.Call)))):
        return False
    writes = [one for child in (*node.body, *node.orelse) for one in _writes(child)]
    return bool(writes) and all(name in _SHOWN for name in writes)


def _looks(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in BUILTINS | {"locals", "setattr"}
    return isinstance(function, ast.Attribute) and function.attr in METHODS


def _writes(node: ast.stmt) -> Iterator[str]:
    """The attributes that a statement of a loop sets; "" for whatever else it does."""
    if isinstance(node, ast.If):
        for child in (*node.body, *node.orelse):
            yield from _writes(child)
    elif isinstance(node, ast.Assign):
        yield from (target.attr if isinstance(target, ast.Attribute) else "" for target in node.targets)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "setattr":
        name = node.value.args[1] if len(node.value.args) == 3 else None
        yield name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
    elif not isinstance(node, (ast.Continue, ast.Break, ast.Pass)):
        yield ""


def robbed(statement: Statement) -> frozenset[str]:
    """The names of what it deletes attributes or items of, "" for what has none: run again, it finds them gone, unless
    that is made again with it."""
    return statement.fact("robs", _robbed)  # type: ignore[no-any-return]


def _robbed(node: ast.stmt) -> frozenset[str]:
    found: set[str] = set()
    for child in walk_scope(node):
        if isinstance(child, (ast.Attribute, ast.Subscript)) and isinstance(child.ctx, ast.Del):
            found.add(root_name(child))
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id == "delattr":
            found.add(root_name(child.args[0]) if child.args else "")
    return frozenset(found)


def only_binds(statement: Statement) -> bool:
    """Whether running it calls nothing and imports nothing: it can be prepared aside while other threads run."""
    return statement.fact("only binds", _only_binds)  # type: ignore[no-any-return]


def _only_binds(statement: ast.AST) -> bool:
    for node in walk_scope(statement):
        if isinstance(node, (ast.Call, ast.Import, ast.ImportFrom, ast.ClassDef, ast.Delete)):
            return False
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Await)):
            return False
        if isinstance(
            node, (ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match, ast.For, ast.While, ast.Raise, ast.Assert)
        ):
            return False
        if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            return False
        if isinstance(node, ast.AugAssign):
            return False
        if isinstance(node, SCOPES) and getattr(node, "decorator_list", None):
            return False
        if isinstance(node, SCOPES) and not all(map(_only_binds, evaluated(node))):
            return False  # its defaults call something, or its annotations
    return True
