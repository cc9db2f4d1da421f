"""Imports that an edit turned into a circle: the process has all names already, and a fresh start may stop half-way.

The modules of the circle are imported on paper, from each of them on, statement by statement."""

from __future__ import annotations

import ast
import builtins
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from midflight.apply.branches import as_it_runs
from midflight.apply.parsed import text_of
from midflight.apply.work import Work
from midflight.graph.loaded import Loaded
from midflight.plan.diff import Pair
from midflight.plan.flow import absolute, dotted_reads, modules_imported
from midflight.plan.statements import SourceText, Statement, walk_scope

if TYPE_CHECKING:
    from midflight.apply.execute import Execution


@dataclass(frozen=True, slots=True)
class Stop:
    """Where an import of the circle would stop, for a name that another module of it has not bound yet."""

    first: str  # the module that was imported first
    module: str
    line: int
    name: str
    source: str

    def __str__(self) -> str:
        return (
            f"{self.module}:{self.line} a start that imports {self.first} first would stop here: "
            f"`{self.name}` of {self.source} is not bound yet, for they import one another"
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
    """The places where a fresh start would stop, for each circle that edited imports closed; and what one that does not
    stop would not have."""
    told: set[str] = set()
    for work in [work for work in run.works.values() if work.edited and work.name not in told]:
        if not work.reordered or not (_imports_otherwise(work.pairs) or _is_starred_for_more(run, work)):
            continue
        circle = _circle(run, work.name)
        if len(circle) < 2:
            continue
        told |= circle
        now, before = ({name: _on_paper(run, name, version) for name in circle} for version in ("new", "old"))
        yield from _new_stops(run, now, before)
        yield from _late(run, now, before)


def _late(run: Execution, now: Papers, before: Papers) -> Iterator[Late]:
    """What star imports would bring too early, from each module of the circle on."""
    if not any(paper is not None and "*" in paper.binds for paper in now.values()):
        return
    for first in sorted(now, key=lambda name: _loaded(run, name).order):
        start, past = _Start(run, first, now), _Start(run, first, before)
        if start.stop() is not None or past.stop() is not None:
            continue
        for module, missing in start.missing.items():
            known = past.missing.get(module, {}).keys()
            fresh = sorted((missing.keys() & _loaded(run, module).namespace.keys()) - known)
            for source in sorted({missing[name] for name in fresh}):
                yield Late(first, module, tuple(name for name in fresh if missing[name] == source), source)


def _new_stops(run: Execution, now: Papers, before: Papers) -> Iterator[Stop]:
    places: set[tuple[str, int]] = set()
    for first in sorted(now, key=lambda name: _loaded(run, name).order):
        stop = _Start(run, first, now).stop()
        if stop is None or (stop.module, stop.line) in places or _Start(run, first, before).stop() is not None:
            continue
        places.add((stop.module, stop.line))
        yield stop


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


def _on_paper(run: Execution, name: str, version: str) -> _Paper | None:
    text, namespace = _text(run, name, version), _loaded(run, name).namespace
    return _Paper([as_it_runs(one, namespace) for one in text.statements], namespace) if text is not None else None


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
    """A statement, with its imports and the attributes of modules that it reads: (module, attribute)."""

    statement: Statement
    imports: Sequence[_Import]
    attributes: Sequence[tuple[str, str]]


class _Paper:
    """A version of a module, to be imported on paper from each module of its circle on."""

    def __init__(self, statements: Sequence[Statement], namespace: Mapping[str, object]) -> None:
        self.steps = [_Step(one, _import_nodes(one), list(_of_modules(one, namespace))) for one in statements]
        self.binds = frozenset[str]().union(*(statement.binds for statement in statements))


Papers = Mapping[str, _Paper | None]
_Import = ast.Import | ast.ImportFrom


def _of_modules(statement: Statement, namespace: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for root, attribute, *_ in sorted(dotted_reads(statement)):
        held = namespace.get(root)
        if isinstance(held, types.ModuleType):
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
    texts: Papers
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
        text = self.texts.get(name)
        if name in self.bound or text is None:
            return
        self.bound[name], self.missing[name] = {"__name__", "__file__", "__doc__"}, {}
        for step in text.steps:
            self._take(name, step)
        self.ended.add(name)

    def _take(self, name: str, step: _Step) -> None:
        statement = step.statement
        forgives = isinstance(statement.node, ast.Try) and bool(statement.node.handlers)
        if not forgives:
            self._read(name, step)
        for node in step.imports:
            if isinstance(node, ast.ImportFrom):
                self._import_from(name, node, statement, forgives)
                continue
            for alias in node.names:
                self._load(alias.name)
        self.bound[name] |= statement.binds
        for bound in statement.binds if self.missing[name] else ():
            self.missing[name].pop(bound, None)

    def _read(self, name: str, step: _Step) -> None:
        """Names that a star import would have brought, and attributes of a module that has not ended."""
        missing, statement = self.missing[name], step.statement
        for read in sorted(statement.reads & missing.keys() - vars(builtins).keys()) if missing else ():
            raise _Stops(Stop(self.first, name, statement.first, read, missing[read]))
        for source, attribute in step.attributes:
            if self._lacks(source, attribute):
                raise _Stops(Stop(self.first, name, statement.first, attribute, source))

    def _lacks(self, source: str, name: str) -> bool:
        """Whether a module that was begun and has not ended lacks the name, and is to bind it."""
        begun = source in self.bound and source not in self.ended
        return begun and name not in self.bound[source] and name in self._binds(source)

    def _binds(self, source: str) -> frozenset[str]:
        text = self.texts[source]
        return (text.binds if text is not None else frozenset[str]()) | self.missing[source].keys()

    def _import_from(self, name: str, node: ast.ImportFrom, statement: Statement, forgives: bool) -> None:
        package = _loaded(self.run, name).is_package
        source = absolute(node.module, node.level, name, package)
        self._load(source)
        for alias in node.names:
            if f"{source}.{alias.name}" in self.texts:
                self._load(f"{source}.{alias.name}")
            elif alias.name == "*":
                self._star(name, source)
            elif not forgives and self._lacks(source, alias.name):
                raise _Stops(Stop(self.first, name, statement.first, alias.name, source))

    def _star(self, name: str, source: str) -> None:
        if source not in self.bound:
            return
        self.bound[name] |= {one for one in self.bound[source] if not one.startswith("_")}
        if source not in self.ended:
            late = (one for one in self._binds(source) - self.bound[source] if not one.startswith("_"))
            self.missing[name] |= dict.fromkeys((one for one in late if one not in self.bound[name]), source)
