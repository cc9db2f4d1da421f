"""Imports that an edit turned into a circle: the process has all names already, and a fresh start may stop half-way.

The modules of the circle are imported on paper, from each of them on, statement by statement."""

from __future__ import annotations

import ast
import builtins
import dis
import types
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from midflight.apply.branches import as_it_runs, imports_ran
from midflight.apply.holders import functions_in, resolve
from midflight.apply.parsed import text_of
from midflight.apply.work import Work
from midflight.graph.kinds import is_a
from midflight.graph.loaded import Loaded
from midflight.graph.modules import prefixes
from midflight.plan.calls import called, definitions, globals_of
from midflight.plan.diff import Pair
from midflight.plan.flow import absolute, dotted_reads, modules_imported
from midflight.plan.nodes import walk_scope
from midflight.plan.statements import SourceText, Statement

if TYPE_CHECKING:
    from midflight.apply.execute import Execution

_IMPORT = dis.opmap["IMPORT_NAME"]
_CATCH_IT = frozenset({"ImportError", "AttributeError", "NameError", "Exception", "BaseException"})


@dataclass(frozen=True, slots=True)
class Stop:
    """Where an import of the circle would stop, for a name that another module of it has not bound yet; or may, where
    only a function comes to that which is called there."""

    first: str  # the module that was imported first
    module: str
    line: int
    name: str
    source: str
    certain: bool = True

    def __str__(self) -> str:
        return (
            f"{self.module}:{self.line} a start that imports {self.first} first {'would' if self.certain else 'may'} "
            f"stop here: `{self.name}` of {self.source} is not bound yet, for they import one another"
        )


@dataclass(frozen=True, slots=True)
class Late:
    """Names that a star import of the circle would not bring: the other module binds them only afterwards."""

    first: str
    module: str
    names: tuple[str, ...]
    source: str

    def __str__(self) -> str:
        names = ", ".join(f"`{name}`" for name in self.names)
        return (
            f"{self.module}: a start that imports {self.first} first would not bring {names} from {self.source}, "
            "for they import one another"
        )


def tell_circles(run: Execution) -> Iterator[Stop | Late]:
    """The places where a fresh start would stop, for each circle that edited imports closed, or that a function closes
    which imports when it is called; and what one that does not stop would not have."""
    told: set[str] = set()
    for work in [work for work in run.works.values() if work.edited and work.reordered and work.name not in told]:
        edited = _imports_otherwise(work.pairs) or _is_starred_for_more(run, work)
        circle = _circle(run, work.name) if edited else set[str]()
        around = run.circle(work.name) | circle
        if len(circle) < 2 and not (len(around) > 1 and _comes_to_imports(run, work, around)):
            continue
        told |= circle
        firsts = sorted(circle | {work.name}, key=lambda name: _loaded(run, name).order)
        around |= {one for name in around for one in prefixes(name) if run.program.get(one) is not None}
        now, before = (_Papers(run, around, version) for version in ("new", "old"))
        yield from _new_stops(run, firsts, now, before)
        yield from _late(run, firsts, now, before) if len(circle) > 1 else ()


def _late(run: Execution, firsts: Sequence[str], now: _Papers, before: _Papers) -> Iterator[Late]:
    """What star imports would bring too early, from each module of the circle on."""
    if not any((paper := now.get(name)) is not None and "*" in paper.binds for name in firsts):
        return
    for start, stop in _starts(run, firsts, now):
        first, past = start.first, _Start(run, start.first, before)
        if stop is not None or past.stop() is not None:
            continue
        for module, missing in start.missing.items():
            known = past.missing.get(module, {}).keys()
            fresh = sorted((missing.keys() & _loaded(run, module).namespace.keys()) - known)
            for source in sorted({missing[name] for name in fresh}):
                yield Late(first, module, tuple(name for name in fresh if missing[name] == source), source)


def _new_stops(run: Execution, firsts: Sequence[str], now: _Papers, before: _Papers) -> Iterator[Stop]:
    places: set[tuple[str, int]] = set()
    for start, stop in _starts(run, firsts, now):
        if stop is None or (stop.module, stop.line) in places or _Start(run, start.first, before).stop() is not None:
            continue
        places.add((stop.module, stop.line))
        yield stop


def _starts(run: Execution, firsts: Sequence[str], papers: _Papers) -> Iterator[tuple[_Start, Stop | None]]:
    """The start from each of `firsts`, and where it stops. Python imports the packages around a module before it: what
    comes in with these, or stops while they do, starts as they do, and is not tried again."""
    same = set[str]()
    for name in firsts:
        for first in [one for one in [*prefixes(name)][::-1] if one in papers and one not in same]:
            start = _Start(run, first, papers)
            stop = start.stop()
            within = (one for one in firsts if one.startswith(f"{first}."))
            same.update(one for one in within if stop is not None or one in start.bound)
            same.add(first)
            yield start, stop


def _comes_to_imports(run: Execution, work: Work, circle: Collection[str]) -> bool:
    """Whether a statement calls, as far as names lead, a function of the circle that imports when it is called."""
    space, seen = work.loaded.namespace, set[int]()
    calling = [one for one in work.text.statements if one.calls]
    waiting = [space.get(name) for one in calling for name in called(one)]
    waiting += [resolve(space, chain) for one in calling for chain in dotted_reads(one)]
    while waiting:
        for function in functions_in(waiting.pop(), ""):
            if id(function) not in seen and run.program.owns(function):
                seen.add(id(function))
                if function.__module__ in circle and _IMPORT in function.__code__.co_code[::2]:
                    return True
                waiting += map(function.__globals__.get, function.__code__.co_names)
    return False


def _imports_otherwise(pairs: Sequence[Pair]) -> bool:
    """Whether imports were edited, or statements have changed places."""
    lines = [pair.old.first for pair in pairs if pair.old is not None]
    edited = (p.new for p in pairs if p.new is not None and p.kind in ("added", "changed"))
    return lines != sorted(lines) or any(map(_imports, edited))


def _is_starred_for_more(run: Execution, work: Work) -> bool:
    """Whether it binds other names than it did, and another module imports whatever it has."""
    old, new = (
        {name for one in statements if one is not None for name in one.binds}
        for statements in ([pair.old for pair in work.pairs], [pair.new for pair in work.pairs])
    )
    users = map(run.program.get, run.program.imports.importers(work.name)) if new - old else ()
    return any(user is not None and b"import *" in (user.source or b"") for user in users)


def _imports(statement: Statement) -> bool:
    return any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in walk_scope(statement.node))


def _circle(run: Execution, module: str) -> set[str]:
    """The modules that import `module` and are imported by it, itself included."""
    needs: dict[str, set[str]] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in needs:
            needs[name] = _needed(run, name)
            waiting += needs[name]
    found, more = set[str](), {module}
    while more:
        found |= more
        more = {name for name, needed in needs.items() if needed & found} - found
    return found if module in set[str]().union(*(needs[name] for name in found)) else set()


def _needed(run: Execution, name: str) -> set[str]:
    work, loaded = run.works.get(name), run.program.get(name)
    if loaded is None:
        return set()
    if work is None or not work.edited:
        return run.program.loads(loaded)
    package = loaded.is_package
    statements = (as_it_runs(one, loaded.namespace) for one in work.text.statements if "import" in one.text)
    needed = frozenset[str]().union(*(modules_imported(one, name, package) for one in statements))
    return {one for one in needed if one != name and run.program.get(one) is not None}


def _text(run: Execution, name: str, version: str) -> SourceText | None:
    work = run.works.get(name)
    if work is not None and work.edited:
        return work.text if version == "new" else work.old.text
    return text_of(_loaded(run, name))


def _loaded(run: Execution, name: str) -> Loaded:
    loaded = run.program.get(name)
    assert loaded is not None
    return loaded


@dataclass(frozen=True, slots=True)
class _Step:
    """A statement, or a part of one, with what running it does on paper."""

    statement: Statement
    forgives: bool  # it is the body of a `try`
    imports: Sequence[_Import]
    attributes: Sequence[tuple[str, str]]  # (module, attribute) of modules that it reads attributes of
    calls: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Body:
    """The globals that a function uses, and the same of its body as of a step."""

    used: Sequence[str]
    attributes: Sequence[tuple[str, str]]
    imports: Sequence[_Import]


class _Paper:
    """A version of a module, to be imported on paper from each module of its circle on."""

    def __init__(self, statements: Sequence[Statement], namespace: Mapping[str, object]) -> None:
        self.steps = [_step(part, namespace, forgives) for one in statements for part, forgives in _parts(one)]
        self.binds = frozenset[str]().union(*(statement.binds for statement in statements))
        self.definitions = {name: node for one in statements for name, node in definitions(one.node)}
        self._namespace = namespace
        self._bodies: dict[str, _Body] = {}

    def body(self, label: str, node: ast.AST) -> _Body:
        """What the function `label`, which is defined by `node`, does when it is called; found out once."""
        if label not in self._bodies:
            attributes = list(_of_modules(_chains_in(node), self._namespace))
            imports = [one for one in ast.walk(node) if isinstance(one, _Import)]
            self._bodies[label] = _Body(sorted(globals_of(node)), attributes, imports)
        return self._bodies[label]


class _Papers:
    """Those of the modules `names` that are asked for, each made once."""

    def __init__(self, run: Execution, names: Collection[str], version: str) -> None:
        self._run, self._names, self._version = run, names, version
        self._made: dict[str, _Paper | None] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def get(self, name: str) -> _Paper | None:
        if name in self._names and name not in self._made:
            self._made[name] = self._paper(name)
        return self._made.get(name)

    def _paper(self, name: str) -> _Paper | None:
        text, namespace = _text(self._run, name, self._version), _loaded(self._run, name).namespace
        return _Paper([as_it_runs(one, namespace) for one in text.statements], namespace) if text is not None else None


_Import = ast.Import | ast.ImportFrom


def _parts(statement: Statement) -> Iterator[tuple[Statement, bool]]:
    """The statement; of a `try` whose body only imports the body, and what of it ran then: an error there is not
    forgiven. And whether it is."""
    node = statement.node
    if not isinstance(node, ast.Try) or not any(map(_forgives, node.handlers)):
        yield statement, False
        return
    ran = imports_ran(node)
    if ran is None:
        yield statement, True
        return
    yield _part(statement, [*node.body, *node.finalbody]), True  # all that it binds is, whatever else it does
    yield _part(statement, node.orelse if ran else [one for handler in node.handlers for one in handler.body]), False


def _forgives(handler: ast.ExceptHandler) -> bool:
    """Whether it catches what is raised where an import or an attribute is missed."""
    named = {one.id for one in ast.walk(handler.type) if isinstance(one, ast.Name)} if handler.type else _CATCH_IT
    return not named.isdisjoint(_CATCH_IT)


def _part(statement: Statement, body: list[ast.stmt]) -> Statement:
    node = ast.copy_location(ast.If(ast.Constant(True), body, []), statement.node)
    return Statement(node, statement.text, statement.first, statement.last, statement.shift)


def _step(statement: Statement, namespace: Mapping[str, object], forgives: bool) -> _Step:
    attributes = list(_of_modules(dotted_reads(statement), namespace))
    return _Step(statement, forgives, _import_nodes(statement), attributes, called(statement))


def _of_modules(chains: Iterable[tuple[str, ...]], namespace: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for root, attribute, *_ in sorted(chains):
        held = namespace.get(root)
        if is_a(held, types.ModuleType):
            yield held.__name__, attribute


def _import_nodes(statement: Statement) -> list[_Import]:
    if "import" not in statement.text:
        return []
    return [node for node in walk_scope(statement.node) if isinstance(node, _Import)]


class _Stops(Exception):
    def __init__(self, stop: Stop) -> None:
        self.stop = stop


@dataclass
class _Start:
    """An import of `first` in a fresh process, as far as the texts of the circle tell. Other modules are whole."""

    run: Execution
    first: str
    texts: _Papers
    bound: dict[str, set[str]] = field(default_factory=dict)  # of modules that were begun
    missing: dict[str, dict[str, str]] = field(default_factory=dict)  # star-imported too early → name → its module
    ended: set[str] = field(default_factory=set)

    def stop(self) -> Stop | None:
        try:
            self._load(self.first)
        except _Stops as stops:
            return stops.stop
        return None

    def _load(self, name: str) -> None:
        for one in [*prefixes(name)][::-1]:
            self._run_through(one)

    def _run_through(self, name: str) -> None:
        text = self.texts.get(name)
        if name in self.bound or text is None:
            return
        self.bound[name], self.missing[name] = {"__name__", "__file__", "__doc__"}, {}
        for step in text.steps:
            self._take(name, step)
        self.ended.add(name)

    def _take(self, name: str, step: _Step) -> None:
        statement = step.statement
        if not step.forgives:
            self._read(name, step)
        for node in step.imports:
            self._import(name, node, None if step.forgives else _At(name, statement.first, True))
        if not step.forgives:
            self._call(name, step)
        self.bound[name] |= statement.binds
        for bound in statement.binds if self.missing[name] else ():
            self.missing[name].pop(bound, None)

    def _read(self, name: str, step: _Step) -> None:
        """Names that a star import would have brought, and attributes of a module that has not ended."""
        missing, statement = self.missing[name], step.statement
        for read in sorted(statement.reads & missing.keys() - vars(builtins).keys()) if missing else ():
            raise _Stops(Stop(self.first, name, statement.first, read, missing[read]))
        self._attributes(step.attributes, _At(name, statement.first, True))

    def _attributes(self, attributes: Iterable[tuple[str, str]], at: _At) -> None:
        for source, attribute in attributes:
            if self._lacks(source, attribute):
                raise _Stops(Stop(self.first, at.module, at.line, attribute, source, at.certain))

    def _call(self, name: str, step: _Step) -> None:
        """What functions of the circle import and read that the statement calls, as far as names lead."""
        at, seen = _At(name, step.statement.first, False), set[tuple[str, str]]()
        waiting = [*((name, one) for one in step.calls), *(step.attributes if step.calls else ())]
        while waiting:
            for home, label in self._functions(*waiting.pop()):
                paper = self.texts.get(home)
                node = paper.definitions.get(label) if paper is not None else None
                if (
                    paper is None
                    or node is None
                    or isinstance(node, ast.ClassDef)
                    or (home, label) in seen
                    or home not in self.bound
                ):
                    continue
                seen.add((home, label))
                body = paper.body(label, node)
                self._attributes(((home, one) for one in body.used if home != name), at)  # its own: plan/order.py
                self._attributes(body.attributes, at)
                for one in body.imports:
                    self._import(home, one, at)
                waiting += [(home, one) for one in body.used]

    def _functions(self, module: str, name: str) -> list[tuple[str, str]]:
        """The modules and names of the functions that a name of a module leads to."""
        loaded = self.run.program.get(module)
        held = loaded.namespace.get(name) if loaded is not None else None
        return [(one.__module__, one.__name__) for one in functions_in(held, "") if one.__module__ in self.texts]

    def _lacks(self, source: str, name: str) -> bool:
        """Whether a module that was begun and has not ended lacks the name, and is to bind it."""
        begun = source in self.bound and source not in self.ended
        return begun and name not in self.bound[source] and name in self._binds(source)

    def _binds(self, source: str) -> frozenset[str]:
        text = self.texts.get(source)
        return (text.binds if text is not None else frozenset[str]()) | self.missing[source].keys()

    def _import(self, name: str, node: _Import, at: _At | None) -> None:
        """What an import in module `name` does; `at` is where that stops, None where it is forgiven."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._load(alias.name)
            return
        source = absolute(node.module, node.level, name, _loaded(self.run, name).is_package)
        self._load(source)
        for alias in node.names:
            if f"{source}.{alias.name}" in self.texts:
                self._load(f"{source}.{alias.name}")
            elif alias.name == "*":
                self._star(name, source)
            elif at is not None:
                self._attributes([(source, alias.name)], at)

    def _star(self, name: str, source: str) -> None:
        if source not in self.bound:
            return
        self.bound[name] |= {one for one in self.bound[source] if not one.startswith("_")}
        if source not in self.ended:
            late = (one for one in self._binds(source) - self.bound[source] if not one.startswith("_"))
            self.missing[name] |= dict.fromkeys((one for one in late if one not in self.bound[name]), source)


@dataclass(frozen=True, slots=True)
class _At:
    """The statement that an import on paper has come to, and whether it surely comes to what is looked for."""

    module: str
    line: int
    certain: bool


def _chains_in(node: ast.AST) -> Iterator[tuple[str, str]]:
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
            yield one.value.id, one.attr
