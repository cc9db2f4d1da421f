"""Which names a call may come to: through functions, methods and the implementations of a generic function. Pure."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping

from midflight.plan.flow import evaluated
from midflight.plan.nodes import FUNCTIONS, walk, walk_scope
from midflight.plan.statements import Statement

# A name → the names that a call of it looks up; ".m" stands for a call of a method m, "C.m" for that of a class C.
Uses = Mapping[str, frozenset[str]]
_STARTERS = frozenset({"__init__", "__new__", "__post_init__"})


def called(statement: Statement) -> frozenset[str]:
    """What running a statement calls: names, and methods as ".m". Defaults and decorators run with their `def`."""
    return statement.fact("called by name", _called)  # type: ignore[no-any-return]


def uses(statement: Statement) -> Uses:
    """What calls of the functions and classes that a statement defines look up."""
    if statement.is_class:
        return statement.fact("uses of definitions", lambda node: _uses_of_members(statement))  # type: ignore[no-any-return]
    return statement.fact("uses of definitions", _uses)  # type: ignore[no-any-return]


def reached(start: str, methods: frozenset[str], known: Uses) -> set[str]:
    """Names that a call of `start` may look up, and then one of `methods` of what it gives; through all that is called
    on the way."""
    found, more = set[str](), {start, *methods}
    while more:
        found |= more
        dotted = {name + method for method in found if method[:1] == "." for name in found} & known.keys()
        more = set[str]().union(*(known.get(name, ()) for name in more | dotted)) - found
    return found


def _called(node: ast.stmt) -> frozenset[str]:
    decorators = (d for n in walk_scope(node) for d in getattr(n, "decorator_list", ()))
    found = {d.id for d in decorators if isinstance(d, ast.Name)}
    if isinstance(node, (ast.With, ast.AsyncWith)):
        found |= {".__enter__", ".__exit__", ".__aenter__", ".__aexit__"}
    return frozenset(found.union(*(_calls_in(part) for part in evaluated(node))))


def _calls_in(node: ast.AST) -> set[str]:
    functions = [child.func for child in walk_scope(node) if isinstance(child, ast.Call)]
    found = {function.id for function in functions if isinstance(function, ast.Name)}
    methods = [function for function in functions if isinstance(function, ast.Attribute)]
    found |= {method.value.id for method in methods if isinstance(method.value, ast.Name)}
    return found | {f".{method.attr}" for method in methods}


def _uses(node: ast.stmt) -> Uses:
    found: dict[str, frozenset[str]] = {}
    for name, definition in definitions(node):
        if isinstance(definition, ast.ClassDef):
            found.update(_uses_of_class(definition))
        else:
            found[name] = globals_of(definition.value if isinstance(definition, ast.Assign) else definition)
        for generic in _registered_with(definition):
            found[generic] = found.get(generic, frozenset()) | {name}
    return found


def definitions(node: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    """The functions, lambdas with a name and classes that a statement defines, also inside a block."""
    for child in walk_scope(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            yield child.name, child
        elif isinstance(child, ast.Assign) and isinstance(child.value, ast.Lambda):
            yield from ((target.id, child) for target in child.targets if isinstance(target, ast.Name))


def _registered_with(definition: ast.AST) -> Iterator[str]:
    """The generic functions (functools.singledispatch) that a definition is an implementation of."""
    for decorator in getattr(definition, "decorator_list", ()):
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(function, ast.Attribute) and function.attr == "register" and isinstance(function.value, ast.Name):
            yield function.value.id


def _uses_of_members(statement: Statement) -> Uses:
    """The same of a class statement: of methods that stay while others are edited it is known."""
    methods = [member for member in statement.members if member.is_def]
    return _uses_by_method(statement.node, {m.node.name: m.fact("globals", globals_of) for m in methods})  # type: ignore[attr-defined, arg-type]


def _uses_of_class(node: ast.ClassDef) -> Uses:
    return _uses_by_method(node, {one.name: globals_of(one) for one in node.body if isinstance(one, FUNCTIONS)})


def _uses_by_method(node: ast.ClassDef, methods: Uses) -> Uses:
    bases = frozenset(base.id for base in node.bases if isinstance(base, ast.Name))
    started = bases.union(*(looked_up for name, looked_up in methods.items() if name in _STARTERS))
    return {**{f"{node.name}.{name}": looked_up for name, looked_up in methods.items()}, node.name: started}


def globals_of(function: ast.AST) -> frozenset[str]:
    """Names that the body of a function looks up outside it, and the methods that it calls."""
    nodes = list(walk(function))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    own = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    calls = (node.func for node in nodes if isinstance(node, ast.Call))
    methods = {f".{call.attr}" for call in calls if isinstance(call, ast.Attribute)}
    return frozenset(({node.id for node in names} - own).difference(vars(builtins)) | methods)
