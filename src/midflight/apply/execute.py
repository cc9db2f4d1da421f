"""Run changed and stale statements in the live program, module by module, until nothing follows any more."""

from __future__ import annotations

import ast
import contextlib
import functools
import heapq
import importlib
import linecache
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from midflight.apply.aliases import starred
from midflight.apply.branches import as_it_runs
from midflight.apply.causes import Causes
from midflight.apply.changes import Changes
from midflight.apply.circles import tell_circles
from midflight.apply.codes import lines_of_left
from midflight.apply.dangling import keep_used, let_go
from midflight.apply.followers import computed_from_kept
from midflight.apply.formulas import take_chain
from midflight.apply.graft.answers import abstract_classes, forget_aliases, forget_answers
from midflight.apply.graft.generated import leave, leave_classes, let_live
from midflight.apply.graft.search import Search
from midflight.apply.graft.wrappers import answers_of, empty_cache
from midflight.apply.late import asked_too_early, late_causes
from midflight.apply.moves import Moves
from midflight.apply.parsed import LiveRoots, Parsed, parsed
from midflight.apply.quiet import Quiet
from midflight.apply.refilled import readers
from midflight.apply.registrations import Defined, Registrations
from midflight.apply.scopes import ModuleScope, Pending, mangled
from midflight.apply.statements import Runner
from midflight.apply.submodules import settle_covered
from midflight.apply.transaction import ABSENT, Transaction
from midflight.apply.work import MOST_RERUNS, Work
from midflight.graph.hook import values_among, values_made
from midflight.graph.kinds import is_a, shown
from midflight.graph.loaded import Program
from midflight.plan.diff import Pair
from midflight.plan.flow import followers, modules_imported, stars
from midflight.plan.futures import future_flags
from midflight.plan.order import Starred, called_before_bound, used_before_bound
from midflight.plan.statements import SourceText, Statement
from midflight.values import Kept

_UNIONS = ("Union[", "Optional[", " | ")
_ASKED = frozenset({"__subclasshook__", "__instancecheck__", "__subclasscheck__"})  # who is an instance


class Execution:
    """One transaction's walk over the modules, dependencies first."""

    def __init__(self, program: Program, tx: Transaction, works: Sequence[Work]) -> None:
        self.program, self.tx = program, tx
        self.works: dict[str, Work] = {work.name: work for work in works}
        tx.undo(self._forget_found)  # recorded first, done last
        self.pending: Pending = {}
        self.changes = Changes(program, frozenset(self.works))
        self.causes = Causes(program, self.pending, self.changes)
        tx.changing = self._changing
        self.registrations = Registrations(program, tx, self.changes.purged)
        self.search = Search(tx, self.registrations)
        self.kept: dict[str, Kept] = {}
        self.notes: list[str] = []
        self.left: list[tuple[str, types.FunctionType]] = []  # the name of a closure that keeps its old code, itself
        self.dangling: dict[tuple[str, str], Any] = {}
        self.removed: dict[str, dict[str, Any]] = {}  # module → the names it lost and what they held
        self.gone: list[type] = []  # classes that stood in the body of another
        self.added: dict[str, set[str]] = {}
        self.moves = Moves(self)
        # (module, qualified name) of a class → attributes that its instances gained and lost
        self.shapes: dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]] = {}
        self.twins: list[tuple[type, type]] = []  # classes made again, which the program may hold → those that live
        self.shapes_changed = 0  # how often classes gained or lost members or bases
        self._order: dict[str, int] = {}
        self._circles: dict[str, frozenset[str]] = {}
        self._taking: set[str] = set()
        self._early: set[str] = set()
        self.going: set[str] = set()  # modules whose files are gone: what follows there is nobody's
        self._modules_guarded = False
        self._seen = 0, 0  # how much had changed when caches were looked at last
        self._abstract: list[type] = []  # the abstract classes, once they were told to forget their answers
        self._answered: set[int] = set()  # caches with a limit, which still answered while statements ran

    def _forget_found(self) -> None:
        """The code objects that were found while new code was live are not those that run after a rollback."""
        for work in self.works.values():
            work.loaded.parsed = None

    def run(self) -> None:
        """Do it all; the prepared part goes live in one step at the end."""
        if any(map(_writes_unions, self.works.values())):
            forget_aliases()
        waiting = _Queue(self._position, self.works)
        while (name := waiting.next()) is not None:
            if name in self._early:
                self._early.discard(name)  # an import took it before its turn
            else:
                self._take(self.works[name])
            again = self._reached() or (set() if waiting.names else self._late() | self._refilled())
            self._early -= again
            waiting.add(again)
        settle_covered(self)
        self.search.finish()
        let_live(self.tx, self.twins)
        self._empty_caches()
        let_go(self)
        gone = [held for names in self.removed.values() for held in names.values() if is_a(held, type)] + self.gone
        if gone:
            self.tx.at_commit(forget_aliases)
            self.tx.at_commit(functools.partial(leave, gone))
        self.tx.flush()
        self.notes += dict.fromkeys(lines_of_left(self))
        self.notes += map(str, tell_circles(self))
        self.notes += asked_too_early(self)
        self.notes += computed_from_kept(self)
        self._abstract.clear()  # some may have come
        self._forget_answers()

    def runner(self, work: Work) -> Runner:
        scope = ModuleScope(work.loaded, self.tx, future_flags(work.text.future), self.pending, work.text.imports)
        return Runner(self, work, scope)

    def _take(self, work: Work) -> None:
        if take_chain(self, work):
            work.done = True
            return
        self._taking.add(work.name)
        runner = self.runner(work)
        if work.done or not work.edited:
            runner.refresh(work.pairs)
            keep_used(self, work.name)
        else:
            runner.take(work.pairs)
            runner.docstring(work.text.doc, work.old.text.doc)
            if runner.reordered:
                self._tell_of_order(work, functools.partial(starred, runner))
            keep_used(self, work.name)
        work.done = True
        self._taking.discard(work.name)

    def _tell_of_order(self, work: Work, starred: Starred) -> None:
        old, new = work.old.text, work.text
        self.notes += (
            f"{work.name}:{line} a fresh start would stop here: `{name}` is bound further down"
            for line, name in used_before_bound(old, new, starred)
        )
        self.notes += (
            f"{work.name}:{line} a fresh start may stop here: `{function}` uses `{name}`, which is bound further down"
            for line, function, name in called_before_bound(old, new, starred)
        )

    def take_first(self, modules: Iterable[str]) -> None:
        """What an import is about to read must be there: a module of a cycle is taken when the first import asks
        for it, as Python would load it."""
        for name in modules:
            work = self.works.get(name)
            if work is not None and work.edited and not work.done and name not in self._taking:
                self._early.add(name)
                self._take(work)

    def _reached(self) -> set[str]:
        """Modules that what has just changed may have made stale, as further work."""
        again = set()
        for name in self.changes.spread() - self.going:
            work = self.work_of(name)
            if work is not None and self._is_owed_a_look(work):
                self.works[name] = work
                again.add(name)
        return again

    def _late(self) -> set[str]:
        """Modules of import cycles in which statements ran that called what was brought up to date only after them."""
        reran = (work for work in self.works.values() if work.reran and work.late < MOST_RERUNS)
        found = {work.name for work in reran if self._called_too_early(work)}
        for name in found:
            self.works[name].late += 1
        return found

    def _refilled(self) -> set[str]:
        """Modules that nobody edited, in which a value may be computed from what definitions have registered: each is
        asked once."""
        found = set()
        for name in readers(self) - self.going:
            work = self.work_of(name)
            if work is not None and not work.reads_refilled:
                self.works[name] = work
                work.reads_refilled = True
                found.add(name)
        return found

    def _called_too_early(self, work: Work) -> bool:
        asked = [one for one, times in work.reran.items() if times < MOST_RERUNS and one.calls and one.binds]
        if not asked:
            return False
        runner = self.runner(work)
        return any(late_causes(runner, one) for one in asked)

    def circle(self, name: str) -> frozenset[str]:
        """The modules that import `name` and are imported by it, itself included; none where it is in no cycle."""
        if name not in self._circles:
            self._circles[name] = frozenset(self.program.imports.cycle_of(name))
        return self._circles[name]

    def _is_owed_a_look(self, work: Work) -> bool:
        """Whether anything in it may be stale. That nothing is after all is found out when its turn comes: each
        statement is asked once, and not a second time beforehand. Where only values changed their names say it."""
        changes = self.changes
        if work.seen[0] and work.seen == (changes.count, changes.extent):
            return False
        if not changes.found_by_name(work):
            return True
        fresh = changes.names_since(work.seen[0])
        return not followers(work.text).keys().isdisjoint(fresh) or stars(work.text)

    def work_of(self, name: str) -> Work | None:
        """What is done to a module in this reload, or what may be; None where its text cannot be read."""
        return self.works.get(name) or self._unedited(name)

    def _unedited(self, name: str) -> Work | None:
        loaded = self.program.get(name)
        if loaded is None or loaded.source is None:
            return None
        try:
            old = parsed(loaded)
        except (SyntaxError, ValueError):
            return None
        pairs = old.text.fact("unedited", lambda: [Pair("same", s, s) for s in old.text.statements])
        return Work(loaded, old, old.text, pairs)

    def _position(self, name: str) -> tuple[int, str]:
        """Dependencies first: the order in which imports ended, corrected by imports that the edits bring."""
        if not self._order and len(self.works) > 1:
            self._order = self._import_order()
        return self._order.get(name, self.works[name].loaded.order * 1000), name

    def _import_order(self) -> dict[str, int]:
        order: dict[str, int] = {}
        for name in sorted(self.works, key=lambda n: self.works[n].loaded.order):
            self._place(name, order, set())
        return order

    def _place(self, name: str, order: dict[str, int], visiting: set[str]) -> None:
        """Give `name` a place after what it imports. In a cycle the one that was imported first comes first."""
        if name in order or name in visiting:
            return
        work = self.works[name]
        needs = _imported_by(work, work.text) & self.works.keys()
        if not needs:
            order[name] = work.loaded.order * 1000
            return
        visiting.add(name)
        known = _imported_by(work, work.old.text) if work.edited else needs
        # What ended later and is in a cycle with it came when it was not whole; what an edit brought did not.
        later = [n for n in needs & known if self.works[n].loaded.order > work.loaded.order]
        needs -= {n for n in later if name in self.program.imports.reached(n)}
        for needed in sorted(needs, key=lambda n: self.works[n].loaded.order):
            self._place(needed, order, visiting)
        visiting.discard(name)
        order[name] = max([work.loaded.order * 1000, *(order[n] + 1 for n in needs if n in order)])

    def _empty_caches(self) -> None:
        """Answers of the old code go when the reload commits: what they were cannot be put back."""
        self.changes.find_caches(work.loaded for work in self.works.values() if work.edited)
        for cache in self.changes.caches.values():
            self.tx.at_commit(functools.partial(empty_cache, cache))

    def _changing(self) -> Quiet:
        codes = [getattr(function, "__code__", None) for function in self.changes.own.values()]
        return Quiet(self.changes.names(), self.changes.touched, list(map(id, codes)))

    def settle(self, work: Work) -> None:
        """After the commit: this version is the one that runs."""
        loaded = work.loaded
        if work.source is not None:
            self.program.took(loaded, work.source, work.version, imports=work.touches_imports)
            self.program.notebook.stands_in_no_more(loaded.path)
            linecache.checkcache(loaded.path)
        loaded.parsed = Parsed(work.text, LiveRoots(loaded, work.text, work.roots))
        labels = ", ".join((*work.record.ran, *work.record.rebound))
        if not labels:
            return  # bodies were edited: no value was made
        ran, space, members = set(labels.split(", ")), loaded.namespace, "." in labels
        fresh = values_made(space) if members else values_among(space, ran)
        bound = _bound(work) if work.edited else work.text.fact("bound", lambda: _bound(work))
        for name in [_as_held(name) for name in ran if name in bound or "." in name] if members else ran & bound:
            loaded.made.pop(name, None)
            if name in fresh:
                loaded.made[name] = fresh[name]

    def keep(self, work: Work, label: str, because: Iterable[str]) -> None:
        causes = ", ".join(f"`{cause}`" for cause in because)
        work.record.kept[label] = None
        name = f"{work.name}.{label}"
        self.kept[name] = Kept(name, f"kept `{label}`, built from {causes} which changed")

    def follows(self, work: Work, label: str) -> None:
        """What was kept follows after all."""
        work.record.kept.pop(label, None)
        self.kept.pop(f"{work.name}.{label}", None)

    def current(self, key: tuple[str, str]) -> Any:
        """What a module's name holds, or will once the prepared writes are live; ABSENT without the module."""
        loaded = self.program.get(key[0])
        if loaded is None:
            return ABSENT
        pending = self.pending.get(id(loaded.namespace), {})
        return pending[key[1]] if key[1] in pending else loaded.namespace.get(key[1], ABSENT)

    def write(self, module: str, name: str, value: Any) -> None:
        """Give a module's name a value, or with ABSENT none, in the step that is prepared."""
        loaded = self.program.get(module)
        if loaded is not None:
            ModuleScope(loaded, self.tx, 0, self.pending).set(name, value)

    @contextlib.contextmanager
    def imports(self) -> Iterator[None]:
        """Around statements that import: a module that comes in goes again if the reload fails."""
        importlib.invalidate_caches()
        self._note_covered()
        self.tx.undo(_Imports(self.program))
        yield

    def _note_covered(self) -> None:
        """From now on, to the end of the reload, what submodules that come in put themselves in the place of."""
        notebook = self.program.notebook
        if notebook.covered is None:
            forget = functools.partial(setattr, notebook, "covered", None)
            self.tx.undo(forget)
            self.tx.at_commit(forget)
            notebook.covered = {}

    def run_import(self, import_it: Callable[[], None]) -> None:
        """A registry that refuses a second entry refuses what comes in for a module whose file is gone, or for a
        definition that has left another one, until what these registered has gone too."""
        going = list(self.leaving())
        if not going:
            import_it()
            return
        came, before = _OwnImports(self.program), self.registrations.contents()
        try:
            import_it()
        except Exception:
            if not self.registrations.make_room_for(before, going):
                raise
            came()
            import_it()

    def leaving(self) -> Iterator[Defined]:
        """What is registered and will not be, or elsewhere, once this reload is over: what modules whose files are gone
        define, and definitions that another module no longer has or that get other decorators."""
        for loaded in filter(None, map(self.program.get, sorted(self.going))):
            made = ((name, value) for name, value in list(loaded.namespace.items()) if callable(value))
            yield from ((v, n, loaded.name) for n, v in made if shown(v, "__module__") == loaded.name)
        for work in self.works.values():
            for name in (p.old.defined for p in work.pairs if work.edited and p.old is not None and _leaves(work, p)):
                if callable(value := work.loaded.namespace.get(name)):
                    yield value, name, work.loaded.name

    def _guard_modules(self) -> None:
        """A call may import as well, and a block: modules of the program that come in so go again if it fails."""
        if not self._modules_guarded:
            self._modules_guarded = True
            importlib.invalidate_caches()
            self._note_covered()
            self.tx.undo(_OwnImports(self.program))

    def own_imports(self) -> None:
        """Before a test runner: of all that it imports only the program's own modules go again if the reload fails."""
        before = set(sys.modules)
        self.tx.undo(lambda: self._put_back_own_modules(before))

    def _put_back_own_modules(self, before: set[str]) -> None:
        for loaded in [loaded for loaded in self.program.all() if loaded.name not in before]:
            sys.modules.pop(loaded.name, None)
            self.program.forget(loaded.name)

    def before_call(self) -> None:
        """Code that we do not see into is about to run: it must find what was prepared, and be taken back exactly."""
        self.make_live()
        self.registrations.guard()
        self._guard_modules()
        self._put_answers_aside()

    def make_live(self) -> None:
        """What was prepared so far is there for who looks."""
        self.search.finish()
        self.tx.flush()

    def _forget_answers(self) -> None:
        """What abstract classes remember of who is an instance, where that may be otherwise by now."""
        if self.shapes_changed or any(getattr(f, "__name__", "") in _ASKED for f in self.changes.touched.values()):
            if not self._abstract:
                self._abstract = list(abstract_classes(self.program))
                self.tx.undo(lambda: forget_answers(abstract_classes(self.program)))
            forget_answers(self._abstract)

    def _put_answers_aside(self) -> None:
        """What caches answered by the old code is no answer for the code that runs now."""
        before, self._seen = self._seen, (len(self.changes.touched), self.shapes_changed)
        if self._seen == before:
            return
        self._forget_answers()
        if self._seen[0] == before[0]:
            return
        self.changes.find_caches((work.loaded for work in self.works.values() if work.edited), before[0])
        for cache in self.changes.caches.values():
            answers = answers_of(cache)
            if answers:
                self.tx.guard(answers)
                answers.clear()
            elif answers is None and cache.cache_info().currsize and id(cache) not in self._answered:
                self._answered.add(id(cache))
                self.notes.append(
                    f"{cache.__module__}.{cache.__qualname__} may have answered what this edit ran from its cache, "
                    "which was of the old code"
                )


def _leaves(work: Work, pair: Pair) -> bool:
    """Whether its decorators, or bases, have registered what they will not again, or otherwise and have not yet."""
    old, new = (getattr(one, "node", None) for one in (pair.old, pair.new))
    if not (getattr(old, "decorator_list", ()) or getattr(old, "bases", ())):
        return False
    if pair.new is None or not (pair.new.is_def or pair.new.is_class):
        return True
    before, after = (list(map(ast.dump, getattr(one, "decorator_list", ()))) for one in (old, new))
    return before != after and pair.new not in work.roots


class _Queue:
    """The modules whose turn is to come, each once, dependencies first. Where one waits alone nobody asks for its
    place: to tell that, imports are read, and most edits reach one module after the other."""

    def __init__(self, position: Callable[[str], tuple[int, str]], names: Iterable[str]) -> None:
        self._position, self.names = position, set(names)
        self._placed: list[tuple[int, str]] = []
        self._unplaced = list(self.names)

    def add(self, names: set[str]) -> None:
        self._unplaced += names - self.names
        self.names |= names

    def next(self) -> str | None:
        """Takes the first out; None where nothing waits."""
        if not self.names:
            return None
        if len(self.names) > 1 or self._placed:
            for name in self._unplaced:
                heapq.heappush(self._placed, self._position(name))
            self._unplaced.clear()
        name = heapq.heappop(self._placed)[1] if self._placed else self._unplaced.pop()
        self.names.discard(name)
        return name


def _bound(work: Work) -> set[str]:
    return {name for pair in work.pairs for name in pair.statement.binds}


def _imported_by(work: Work, text: SourceText) -> frozenset[str]:
    """The modules that the top level of a version imports: what only type checkers see has no say."""
    found: tuple[frozenset[str], list[Statement]] = text.fact("imports at once", lambda: _imports_at_once(work, text))
    known, blocks = found
    if not blocks:
        return known
    package, space = work.loaded.is_package, work.loaded.namespace
    return known | _modules_of([as_it_runs(s, space) for s in blocks], work.name, package)


def _imports_at_once(work: Work, text: SourceText) -> tuple[frozenset[str], list[Statement]]:
    """The modules that statements of a version import, and its blocks, which may import more."""
    importing = [s for s in text.statements if s.is_import]
    known = _modules_of(importing, work.name, work.loaded.is_package)
    return known, [s for s in text.statements if s.is_block]


def _modules_of(statements: Iterable[Statement], module: str, is_package: bool) -> frozenset[str]:
    return frozenset[str]().union(*(modules_imported(one, module, is_package) for one in statements))


def _writes_unions(work: Work) -> bool:
    """Whether an edit has to do with a union of types: `int | str` is equal to `Union[str, int]`, so typing would give
    the new text the `List[...]` that it made for the old one."""
    edited = (p for p in work.changed if p.edited and p.kind != "bodies")
    texts = (one.text for pair in edited for one in (pair.old, pair.new) if one is not None)
    return any(word in text for text in texts for word in _UNIONS)


def _as_held(label: str) -> str:
    """What a report calls a class's attribute, by the name that the class has for it."""
    outer, dot, name = label.rpartition(".")
    return f"{outer}.{mangled(name, outer.rpartition('.')[2])}" if dot else name


class _Imports:
    """Takes modules that came in out again, and puts those back that went or were replaced; once `narrow` was called,
    only those that came and went until then."""

    def __init__(self, program: Program) -> None:
        self.program, self.before = program, dict(sys.modules)
        self._came: list[str] | None = None
        self._covered = program.notebook.covered

    def __call__(self) -> None:
        came = self._came if self._came is not None else self._new()
        for name in came:
            self._take_out(name)
        if came:
            leave_classes()  # the program's classes list those that these modules made
        for name, module in self.before.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module

    def narrow(self) -> None:
        if self._came is None:
            self._came = self._new()
            self.before = {name: one for name, one in self.before.items() if sys.modules.get(name) is not one}

    def look(self) -> None:
        """Others import modules, and do not take them out: there is nothing to tell apart."""

    def _new(self) -> list[str]:
        return [name for name in sys.modules if name not in self.before]

    def _take_out(self, name: str) -> None:
        module = sys.modules.pop(name, None)
        self.program.forget(name)
        parent, _, child = name.rpartition(".")
        holder = sys.modules.get(parent)
        if holder is not None and module is not None and vars(holder).get(child) is module:
            if self._covered is not None and name in self._covered:
                vars(holder)[child] = self._covered[name]
            else:
                del vars(holder)[child]


class _OwnImports(_Imports):
    """The same for the program's own modules only: what others load beside it stays."""

    def _new(self) -> list[str]:
        return [name for name in super()._new() if self.program.get(name) is not None]
