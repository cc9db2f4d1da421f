"""Which values follow from which: what a statement reads, by name and by attribute, and what it imports. Pure."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from midflight.plan.nodes import FUNCTIONS, child_nodes, walk, walk_scope
from midflight.plan.statements import SourceText, Statement, lambdas_called, parameters

Dotted = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """One name that a `from` import binds: `module` is absolute; `name` is "*" for all of them."""

    module: str
    name: str
    bound: str


_OPERATIONS = (
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp, ast.Subscript, ast.FormattedValue, ast.Starred,
    ast.comprehension, ast.For, ast.If, ast.While, ast.Assert, ast.AugAssign, ast.Match,
)  # fmt: skip


def dotted_reads(statement: Statement) -> frozenset[Dotted]:
    """Attribute chains that running it looks up, from their root name on: `config.db.HOST` is three names."""
    return statement.fact("dotted", _dotted)  # type: ignore[no-any-return]


def asks_whether(statement: Statement) -> bool:
    """Whether running it asks if something is there: `hasattr(config, "HOST")`, `getattr(config, "HOST", None)`."""
    return "attr(" in statement.text and statement.fact("asks whether", _asks_whether)


def _asks_whether(node: ast.stmt) -> bool:
    calls = (one for part in evaluated(node) for one in _walk_evaluated(part) if isinstance(one, ast.Call))
    return any(_is_question(one) for one in calls)


def _is_question(call: ast.Call) -> bool:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    return name == "hasattr" or (name == "getattr" and len(call.args) == 3)


def mentions(statement: Statement) -> frozenset[str]:
    """Every name by which running it may look something up: of itself, or of what it has."""
    return statement.fact("mentions", lambda node: _mentions(statement))  # type: ignore[no-any-return]


def _mentions(statement: Statement) -> frozenset[str]:
    loose = () if statement.is_import else loose_attributes(statement)[0]
    return statement.reads.union(*dotted_reads(statement), loose)


def follows(statement: Statement) -> frozenset[str]:
    """Every name by which a value that changed can make it stale: those it mentions, those it imports, a class in its
    body too ("*" for all), and those in its lambdas, for they may be given to `derived`."""
    return statement.fact("follows", lambda node: frozenset(_followed(statement)))  # type: ignore[no-any-return]


def followers(text: SourceText) -> dict[str, list[int]]:
    """A name → the places of the statements that follow it: to find them costs nothing for those that do not."""
    return text.fact("followers", lambda: _followers(text))  # type: ignore[no-any-return]


def stars(text: SourceText) -> bool:
    """Whether a statement of it follows whatever another module has: a star import."""
    return "*" in followers(text)


def _followers(text: SourceText) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, statement in enumerate(text.statements):
        for name in follows(statement):
            found.setdefault(name, []).append(place)
    return found


def _followed(statement: Statement) -> Iterator[str]:
    yield from mentions(statement)
    for child in _class_body(statement.node) if statement.is_class else (statement.node,):
        imports = (node for node in walk_scope(child) if isinstance(node, ast.ImportFrom))
        yield from (alias.name for node in imports for alias in node.names)
    for member in statement.members if statement.is_class else ():
        if member.is_class or called_chain(member):
            yield from _followed(member)
    if called_chain(statement) or "lambda" in statement.text:
        yield from names_in_text(statement)
        yield from (name for chain in chains_in_text(statement) for name in chain)


def makers_of_functions(text: SourceText) -> str:
    """The text of the statements that make functions or call what might: all but imports and values written out."""
    return text.fact("makers", lambda: "".join(one.text for one in text.statements if _makes_functions(one)))  # type: ignore[no-any-return]


def _makes_functions(statement: Statement) -> bool:
    making = (ast.Call, ast.Lambda, *FUNCTIONS, ast.ClassDef)
    return not statement.is_import and any(isinstance(child, making) for child in walk(statement.node))


def stored(statement: Statement) -> frozenset[Dotted]:
    """Names and attribute chains that running it only puts somewhere, as in `TABLE = {"a": f, "b": Make().get}`: what
    their code does is no matter then."""
    return statement.fact("stored", _stored)  # type: ignore[no-any-return]


def _stored(node: ast.stmt) -> frozenset[Dotted]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    value = getattr(node, "value", None)
    if value is None or not targets or not all(isinstance(target, ast.Name) for target in targets):
        return frozenset()
    put = [one for one in _put(value) if isinstance(one, (ast.Name, ast.Attribute))]
    used = [child for child in walk(node) if isinstance(child, (ast.Name, ast.Attribute)) and child not in put]
    return frozenset(_own_chains(put)) - frozenset(_own_chains(used))


def _own_chains(nodes: Sequence[ast.expr]) -> Iterator[Dotted]:
    for one in nodes:
        yield from _chain(one)


def _put(value: ast.expr) -> Iterator[ast.expr]:
    """The parts of an expression that its value holds as they are."""
    if isinstance(value, (ast.Tuple, ast.List, ast.Set)):
        inside = value.elts
    elif isinstance(value, ast.Dict):
        inside = value.values
    elif isinstance(value, ast.IfExp):
        inside = [value.body, value.orelse]
    else:
        yield value
        return
    for part in inside:
        yield from _put(part)


def calls_items(statement: Statement) -> bool:
    """Whether a value is made by calling what a container gives: `TABLE["a"]()`, `[f() for f in LIST]`."""
    return statement.fact("calls items", _calls_items)  # type: ignore[no-any-return]


def _calls_items(node: ast.stmt) -> bool:
    if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        return False
    nodes = list(_walk_evaluated(node))
    targets = [one.target for one in nodes if isinstance(one, ast.comprehension)]
    given = {one.id for target in targets for one in walk(target) if isinstance(one, ast.Name)}
    called = [one.func for one in nodes if isinstance(one, ast.Call)]
    return any(isinstance(one, ast.Subscript) or (isinstance(one, ast.Name) and one.id in given) for one in called)


def only_annotated(statement: Statement) -> frozenset[Dotted]:
    """Names and attribute chains that a function or an assignment looks up for its annotations alone, where these call
    nothing: it holds what they stand for, and runs none of their code."""
    return statement.fact("only annotated", _only_annotated)  # type: ignore[no-any-return]


def _only_annotated(node: ast.stmt) -> frozenset[Dotted]:
    if isinstance(node, ast.AnnAssign):
        given, parts = [node.annotation], list[ast.AST](filter(None, (node.target, node.value)))
    elif isinstance(node, FUNCTIONS):
        given = [one.annotation for one in parameters(node.args) if one.annotation is not None]
        given += [node.returns] if node.returns is not None else []
        parts = [part for part in evaluated(node) if not any(part is one for one in given)]
    else:
        return frozenset()
    if any(isinstance(child, (ast.Call, ast.NamedExpr)) for part in given for child in walk(part)):
        return frozenset()
    return frozenset(_looked_up(given)) - frozenset(_looked_up(parts))


def _looked_up(parts: Sequence[ast.AST]) -> Iterator[Dotted]:
    for part in parts:
        yield from ((child.id,) for child in walk(part) if isinstance(child, ast.Name))
        yield from _chains(part)


def _dotted(node: ast.stmt) -> frozenset[Dotted]:
    return frozenset(chain for part in evaluated(node) for chain in _chains(part, bodies=False))


def _walk_evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and what is below it, but not the body of a lambda that is not called here."""
    yield node
    for called in lambdas_called(node) if isinstance(node, ast.Call) else ():
        yield from _walk_evaluated(called.body)
    for child in evaluated(node) if isinstance(node, ast.Lambda) else child_nodes(node):
        yield from _walk_evaluated(child)


def _chains(node: ast.AST, bodies: bool = True) -> Iterator[Dotted]:
    for child in walk(node) if bodies else _walk_evaluated(node):
        if isinstance(child, ast.Attribute):
            yield from _chain(child)
        if isinstance(child, ast.Call):
            yield from _getattr_chain(child, ("getattr",) if bodies else ("getattr", "hasattr"))


def _chain(node: ast.AST) -> Iterator[Dotted]:
    """The one chain that a name or an attribute is the end of, if its root is a name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
        if isinstance(node, ast.Call):
            node = node.func  # `Make().get`: what an instance of Make has by its class
    if isinstance(node, ast.Name):
        yield (node.id, *reversed(names))


def loose_attributes(statement: Statement) -> tuple[frozenset[str], frozenset[str]]:
    """Attributes that running it looks up where no chain of names leads: on an item, on what a call gave, on a
    variable of a loop; and those of them that it calls."""
    return statement.fact("loose attributes", _loose_attributes)  # type: ignore[no-any-return]


def _loose_attributes(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    nodes = [child for part in evaluated(node) for child in _walk_evaluated(part)]
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    lambdas = [one for n in nodes if isinstance(n, ast.Call) for one in lambdas_called(n)]
    stored |= {parameter.arg for one in lambdas for parameter in parameters(one.args)}
    called = {id(n.func) for n in nodes if isinstance(n, ast.Call)}
    read = [n for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load)]
    read += [one for n in nodes if isinstance(n, ast.Call) for one in _written_out(n)]
    loose = [n for n in read if _root_name(n) in stored | {""}]
    return frozenset(n.attr for n in loose), frozenset(n.attr for n in loose if id(n) in called)


def _written_out(call: ast.Call) -> Iterator[ast.Attribute]:
    """The attributes that `getattr(c, "rank")` and `attrgetter("rank")` look up, as such."""
    name, arguments = getattr(call.func, "id", getattr(call.func, "attr", "")), call.args
    holder: ast.expr = arguments[0] if name == "getattr" and len(arguments) >= 2 else ast.Constant(None)
    for one in arguments if name == "attrgetter" else arguments[1:2] if name == "getattr" else ():
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield from (ast.Attribute(holder, part, ast.Load()) for part in one.value.split("."))


def _root_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def operates(statement: Statement) -> bool:
    """Whether running it calls special methods without naming them: operators, loops, what builtins ask."""
    return statement.fact("operates", _operates)  # type: ignore[no-any-return]


def _operates(node: ast.stmt) -> bool:
    return any(map(_is_operation, (child for part in evaluated(node) for child in _walk_evaluated(part))))


def _is_operation(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        function = node.func
        name = function.id if isinstance(function, ast.Name) else ""
        return name in vars(builtins) or isinstance(getattr(function, "value", None), ast.Constant)  # `", ".join(…)`
    unpacks = isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Store)
    return unpacks or isinstance(node, _OPERATIONS)


def _getattr_chain(call: ast.Call, functions: tuple[str, ...]) -> Iterator[Dotted]:
    """`getattr(config, "HOST")` with the name written out, and `vars(config)`. Whether it is there is read too, but who
    only asks that does not need it."""
    if isinstance(call.func, ast.Name) and call.func.id in functions and len(call.args) >= 2:
        holder, name = call.args[0], call.args[1]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            attribute = ast.Attribute(holder, name.value, ast.Load())
            yield from _chains(attribute)
    elif isinstance(call.func, ast.Name) and call.func.id in ("vars", "dir") and len(call.args) == 1:
        yield from _chain(ast.Attribute(call.args[0], "__dict__", ast.Load()))


def evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of `node` that are evaluated when it runs: of a function its decorators, defaults and annotations."""
    if isinstance(node, FUNCTIONS):
        arguments = node.args
        yield from node.decorator_list
        yield from (d for d in [*arguments.defaults, *arguments.kw_defaults, node.returns] if d is not None)
        yield from (a.annotation for a in parameters(arguments) if a.annotation is not None)
    elif isinstance(node, ast.ClassDef):
        yield from [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]
        for statement in node.body:
            yield from evaluated(statement)
    elif isinstance(node, ast.Lambda):
        yield from (d for d in [*node.args.defaults, *node.args.kw_defaults] if d is not None)
    elif any(isinstance(c, (*FUNCTIONS, ast.ClassDef)) for c in walk_scope(node)):
        for child in child_nodes(node):
            yield from evaluated(child)
    else:
        yield node


def imports_in(statement: Statement, module: str, is_package: bool) -> tuple[Imported, ...]:
    """What a statement imports by name, also inside `if` and `try`. Relative modules are made absolute (PEP 328)."""
    key = f"imports of {module}"
    return statement.fact(key, lambda node: tuple(_imports(node, module, is_package)))  # type: ignore[no-any-return]


def imported_and_deleted(text: SourceText, module: str, is_package: bool) -> dict[str, Imported]:
    """Names that a module imports and deletes again; of a module that is imported, the name in it is empty."""
    if "\ndel " not in text.text:
        return {}
    gone = {name for statement in text.statements for name in statement.deletes}
    found: dict[str, Imported] = {}
    for statement in text.statements:
        if statement.is_import and not gone.isdisjoint(statement.binds):
            ones = [*imports_in(statement, module, is_package), *_modules_bound(statement.node)]
            found |= {one.bound: one for one in ones if one.bound in gone}
    return found


def _modules_bound(node: ast.stmt) -> Iterator[Imported]:
    for alias in node.names if isinstance(node, ast.Import) else ():
        root = alias.name.partition(".")[0]
        yield Imported(alias.name if alias.asname else root, "", alias.asname or root)


def imports_names(statement: Statement) -> bool:
    """Whether it imports anything by name: most statements do not, and need not be asked what."""
    return statement.fact("imports names", _imports_names)  # type: ignore[no-any-return]


def _imports_names(node: ast.stmt) -> bool:
    return any(isinstance(child, ast.ImportFrom) for child in walk_scope(node))


def _imports(node: ast.stmt, module: str, is_package: bool) -> Iterator[Imported]:
    for child in walk_scope(node):
        if isinstance(child, ast.ImportFrom):
            source = absolute(child.module, child.level, module, is_package)
            for alias in child.names:
                yield Imported(source, alias.name, alias.asname or alias.name)


def imports_inside(statement: Statement, module: str, is_package: bool) -> tuple[Imported, ...]:
    """What the body of a class imports by name, nested classes included."""
    if not statement.is_class:
        return ()
    key = f"imports inside {module}"
    return statement.fact(  # type: ignore[no-any-return]
        key, lambda node: tuple(i for child in _class_body(node) for i in _imports(child, module, is_package))
    )


def _class_body(node: ast.AST) -> Iterator[ast.stmt]:
    for child in getattr(node, "body", ()):
        if isinstance(child, ast.ClassDef):
            yield from _class_body(child)
        else:
            yield child


def absolute(name: str | None, level: int, module: str, is_package: bool) -> str:
    if not level:
        return name or ""
    parts = module.split(".")
    cut = level - 1 if is_package else level
    base = parts[: len(parts) - cut] if cut else parts
    return ".".join([*base, *([name] if name else [])])


def modules_imported(statement: Statement, module: str, is_package: bool) -> frozenset[str]:
    """Every module that running it imports, parents included."""
    key = f"modules imported in {module}"
    return statement.fact(key, lambda node: _modules_imported(node, module, is_package))  # type: ignore[no-any-return]


def _modules_imported(node: ast.stmt, module: str, is_package: bool) -> frozenset[str]:
    found: set[str] = set()
    for child in walk_scope(node):
        if isinstance(child, ast.Import):
            found |= {alias.name for alias in child.names}
        elif isinstance(child, ast.ImportFrom):
            source = absolute(child.module, child.level, module, is_package)
            found |= {source, *(f"{source}.{alias.name}" for alias in child.names)}
    return frozenset(found)


def called_chain(statement: Statement) -> Dotted:
    """The name or attribute chain that makes the value of an assignment by being called; empty for anything else."""
    return statement.fact("called", _called)  # type: ignore[no-any-return]


def called_chains(statement: Statement) -> frozenset[Dotted]:
    """Those of the assignments that make its values: of a loop's body all of them."""
    if not statement.is_loop:
        return frozenset({called_chain(statement)})
    return statement.fact("called in a loop", lambda node: frozenset(map(_called, walk_scope(node))))  # type: ignore[no-any-return]


def _called(node: ast.AST) -> Dotted:
    value = getattr(node, "value", None) if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    if not isinstance(value, ast.Call):
        return ()
    if isinstance(value.func, ast.Name):
        return (value.func.id,)
    chains = sorted(_chains(value.func), key=len) if isinstance(value.func, ast.Attribute) else []
    return chains[-1] if chains else ()


def everything_imported(statement: Statement, module: str, is_package: bool) -> frozenset[str]:
    """Modules that it imports when it runs or when a function in it does, parents and submodules included."""
    key = f"everything imported in {module}"
    return statement.fact(key, lambda node: frozenset(_everything(node, module, is_package)))  # type: ignore[no-any-return]


def _everything(node: ast.stmt, module: str, is_package: bool) -> Iterator[str]:
    for child in walk(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                parts = alias.name.split(".")
                yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
        elif isinstance(child, ast.ImportFrom):
            source = absolute(child.module, child.level, module, is_package)
            yield source
            yield from (f"{source}.{alias.name}" for alias in child.names)


def all_imports(statement: Statement, module: str, is_package: bool) -> tuple[Imported, ...]:
    """What it imports by name, also inside functions and classes."""
    key = f"all imports of {module}"
    return statement.fact(  # type: ignore[no-any-return]
        key,
        lambda node: tuple(
            Imported(absolute(child.module, child.level, module, is_package), alias.name, alias.asname or alias.name)
            for child in walk(node)
            if isinstance(child, ast.ImportFrom)
            for alias in child.names
        ),
    )


def modules_bound(statement: Statement, module: str, is_package: bool) -> Iterator[tuple[str, str]]:
    """(name, the module or other thing that it stands for) for what it imports, also inside functions."""
    for child in walk(statement.node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                root = alias.name.partition(".")[0]
                yield alias.asname or root, alias.name if alias.asname else root
    for one in all_imports(statement, module, is_package):
        yield one.bound, f"{one.module}.{one.name}"


def names_in_text(statement: Statement) -> frozenset[str]:
    """Every name that it uses, bodies of functions included."""
    return statement.fact(  # type: ignore[no-any-return]
        "names", lambda node: frozenset(n.id for n in walk(node) if isinstance(n, ast.Name))
    )


def chains_in_text(statement: Statement) -> frozenset[Dotted]:
    """Every attribute chain in it, bodies of functions included."""
    return statement.fact("chains", lambda node: frozenset(_chains(node)))  # type: ignore[no-any-return]


def factory_names(node: ast.AST) -> frozenset[str]:
    """Names that the decorators of a definition call: what these give back decorates."""
    calls = (
        child.func
        for decorator in getattr(node, "decorator_list", ())
        for child in walk(decorator)
        if isinstance(child, ast.Call)
    )
    return frozenset(name.id for call in calls for name in walk(call) if isinstance(name, ast.Name))


def decorator_names(node: ast.AST) -> frozenset[str]:
    """Names that the decorators of a definition use."""
    return frozenset(
        child.id
        for decorator in getattr(node, "decorator_list", ())
        for child in walk(decorator)
        if isinstance(child, ast.Name)
    )
