"""Run the statements of one scope that must run, and move the new code into what the others made."""

from __future__ import annotations

import ast
import collections
import contextlib
import functools
import heapq
import itertools
import operator
import types
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.aliases import starred_away
from midflight.apply.asked import forget_hooks
from midflight.apply.assigned import (
    annotate,
    finish_building,
    helpers_edited,
    lambda_edited,
    leave_as_looped,
    rebuilds,
    run_value,
    stands,
)
from midflight.apply.attributes import take_back
from midflight.apply.binders import last_binders, returning
from midflight.apply.blocks import run_block
from midflight.apply.branches import names_bound
from midflight.apply.codes import graft_bodies, graft_codes, graft_pairs
from midflight.apply.definitions import (
    bring_function_back,
    continued,
    decorator_edited,
    drop_accessors,
    functions_of,
    run_function,
)
from midflight.apply.effects import affected, hooks_of, lost_effect
from midflight.apply.graft.classes import changed_shapes, edits_a_value, graft_class_statement
from midflight.apply.graft.functions import forwarded_to
from midflight.apply.holders import functions_in, nested_codes, objects_in, resolve
from midflight.apply.imported import import_again, run_import
from midflight.apply.parsed import Roots, but, by_first
from midflight.apply.refilled import computes
from midflight.apply.registrations import registrars, registrars_of
from midflight.apply.scopes import ClassScope, ModuleScope, Scope
from midflight.apply.stale import asks, decorate_again, refresh_pair, refresh_value, run_statement, stale_pair, wants
from midflight.apply.transaction import ABSENT
from midflight.apply.work import Work
from midflight.graph.homes import made_in
from midflight.graph.kinds import is_a
from midflight.plan.diff import Groups, Pair
from midflight.plan.flow import asks_whether, dotted_reads, followers, mentions, stars
from midflight.plan.nodes import FUNCTIONS, walk_scope
from midflight.plan.order import LISTERS, reorders
from midflight.plan.purity import only_binds
from midflight.plan.statements import PARTS, Statement, annotated, bound_by_head, names_in_order
from midflight.values import Kept

if TYPE_CHECKING:
    from midflight.apply.execute import Execution
    from midflight.apply.registrations import Contents

# What a module has from the import system, whatever its statements do (Lib/importlib/_bootstrap.py).
_OF_MODULES = frozenset("__name__ __doc__ __package__ __loader__ __spec__ __path__ __file__ __cached__".split())


class Runner:
    """One scope of one module in one reload. `roots` and `old_roots` hold the code objects of its statements."""

    def __init__(
        self, run: Execution, work: Work, scope: Scope, roots: Roots | None = None, old_roots: Roots | None = None
    ) -> None:
        self.run, self.work, self.scope = run, work, scope
        self.tx, self.changes, self.causes = run.tx, run.changes, run.causes
        self.roots = work.roots if roots is None else roots
        self.old_roots = work.old.roots if old_roots is None else old_roots
        self.building: dict[str, Any] = {}  # names whose value is being built again → the value they had
        self.as_made: frozenset[str] = frozenset()  # names of values that were found to be what their statements gave
        self.siblings: Sequence[Pair] = ()
        self.going: tuple[Statement, ...] = ()  # of the old text, here and around this block: edited blocks, what went
        self.around: tuple[Runner, Statement] | None = None  # of a block's statements: whose block it is
        self.reordered = False  # whether other names may be bound, or in another order
        self.last: dict[str, Pair] = {}  # name → the statement of the new text that binds it last
        self.bound_around: frozenset[str] = frozenset()  # what statements around this block bind
        self._groups: dict[str, tuple[Sequence[Pair], Groups]] = {}

    # -- a whole scope ----------------------------------------------------------------------------

    def take(self, pairs: Sequence[Pair]) -> None:
        """Every statement of an edited scope, in the new source's order; what is gone goes first."""
        self.siblings = pairs
        self.going += tuple(p.old for p in pairs if p.kind != "same" and p.old is not None and _is_going(p))
        reordered = self.work.reordered if pairs is self.work.pairs else reorders(pairs)
        self.reordered = reordered or bool(helpers_edited(self, pairs))
        if self.reordered:
            self._take_reordered(pairs)
        else:  # nothing is bound, removed or annotated that was not
            self._keep_roots(pairs)
            follows_others = self.changes.may_reach(self.work.name)
            stale = frozenset(self._worth_a_look(pairs)) if follows_others else frozenset()
            others = self.work.old.text.imports != self.work.text.imports
            registers = any(not pair.in_place and pair.statement.calls for pair in self.work.changed)
            for pair in [p for p in pairs if p.kind != "same" or p in stale or others or (registers and _computes(p))]:
                self._take_pair(pair, frozenset())

    def _take_reordered(self, pairs: Sequence[Pair]) -> None:
        old_last, self.last = last_binders(self, pairs, "old"), last_binders(self, pairs, "new")
        comes_back = returning(old_last, self.last)
        bound = self.bound
        again, last = rebuilds(self, pairs)
        self._keep_roots(pairs)
        for pair in pairs:
            if pair.kind != "same" and _makes_unnamed(pair, old_last):
                self.old_codes(pair)  # found now: what runs may make functions of the same name on the same line
        for pair in pairs:
            if pair.edited and pair.old is not None:
                self._remove(pair, bound)
        for pair in pairs:
            if pair.new is not None:
                self._take_pair(pair, again)
                finish_building(self, pair.new, last)
                if pair.new in comes_back:
                    self._bring_back(pair, {name: old_last[name] for name in comes_back[pair.new]})
        drop_accessors(self, pairs)
        self._order_annotations(pairs)
        self.order_names()

    def order_names(self) -> None:
        """The names of a module whose code goes through them stand as a fresh start binds them."""
        if self.reordered and not self.in_block and isinstance(self.scope, ModuleScope):
            if any(f"{name}(" in self.work.text.text for name in LISTERS):
                names = names_in_order([pair.new for pair in self.siblings if pair.new is not None])
                self.scope.put_in_order(dict.fromkeys(names))

    def hides(self, statement: Statement, name: str) -> bool:
        """Whether `statement`, which did not bind the name and does now, stands below all others that do, and the name
        is still theirs and not what the program put there."""
        binders = [p for p in self.siblings if p.new is not None and p.new is not statement and name in p.new.binds]
        below = itertools.dropwhile(lambda pair: pair.new is not statement, self.siblings)
        return bool(binders) and not any(p in binders for p in below) and stands(self, name, binders[-1])

    def uncover(self, statement: Statement, name: str) -> None:
        """`statement` binds the name no longer: it is what the statement above that binds it gave."""
        pair = last_binders(self, self.siblings, "new").get(name)
        hidden_by = next((pair for pair in self.siblings if pair.new is statement), None)
        if pair is not None and hidden_by is not None and pair is not hidden_by:
            self._bring_back(pair, {name: hidden_by})

    def _bring_back(self, pair: Pair, hidden_by: Mapping[str, Pair]) -> None:
        """`pair`, which nobody edited, is the last to bind names that other statements had."""
        assert pair.new is not None
        if pair.new.is_def:
            bring_function_back(self, pair)
        elif pair.new.is_class:
            old = next(
                (other.old for other in hidden_by.values() if other.old is not None and other.old.is_class), None
            )
            self.run_edited(Pair("changed" if old is not None else "added", old, pair.new))
        elif pair.new.is_import:
            import_again(self, pair, hidden_by)
        elif pair.new.is_loop:
            leave_as_looped(self, pair, hidden_by)
        elif pair.new.is_block:
            self._bring_back_inside(pair, hidden_by)
        elif pair.new not in self.work.reran:
            state = [name for name, other in hidden_by.items() if not stands(self, name, other)]
            for name in state:
                self.run.keep(self.work, self.scope.label(name), [name])
            if not state:
                run_statement(self, pair)

    def _bring_back_inside(self, pair: Pair, hidden_by: Mapping[str, Pair]) -> None:
        """What a block defines; a value that several statements give is built again by all of them."""
        for _, pairs in self.block_pairs(Pair("same", pair.new, pair.new)):
            inner = self.inner_runner(pair, pairs)
            for each in pairs:
                names = {name: hidden_by[name] for name in each.statement.binds & hidden_by.keys()}
                if names and (each.statement.is_def or each.statement.is_block):
                    inner._bring_back(each, names)

    @functools.cached_property
    def bound(self) -> frozenset[str]:
        """What the new statements of the scope bind."""
        news = [pair.new for pair in self.siblings if pair.new is not None]
        fresh = {name for p in self.siblings if p.edited and p.new is not None for name in p.new.binds}
        space = self.scope.names
        return self.bound_around.union(self.last, *(names_bound(statement, space, fresh) for statement in news))

    def _worth_a_look(self, pairs: Sequence[Pair]) -> Iterator[Pair]:
        """Those that may be stale: what calls nothing can be so only by a value that it names; and so is all else where
        nothing but values has changed. What one of them changes counts for those below."""
        changed = self.changes.short
        passed = (yield from self._followers()) if pairs is self.work.pairs else 0
        for pair in pairs[passed:]:
            new = pair.new
            if new is None:
                continue
            named = changed and self._names_what_changed(new)
            refilled = self.work.reads_refilled and computes(new)
            if new.is_active or named or refilled or (self.changes.methods and self.causes.methods_used(new)):
                yield pair

    def _names_what_changed(self, statement: Statement) -> bool:
        """Whether it names a value that changed, also by a name that its module imports it under and deletes again."""
        helpers, values, mentioned = self.work.helpers, self.changes.values, mentions(statement)
        if not mentioned.isdisjoint(self.changes.short):
            return True
        return any(name in mentioned and (one.module, one.name) in values for name, one in helpers.items())

    def _followers(self) -> Generator[Pair, None, int]:
        """Those that follow what changed, found by its names for as long as that finds them all; gives how many pairs
        it has passed by."""
        changes, work, passed = self.changes, self.work, 0
        if not changes.found_by_name(work):
            return 0
        places = followers(work.text)
        waiting = [place for name in places.keys() & changes.short for place in places[name]]
        waiting += places.get("*", ())
        heapq.heapify(waiting)
        while changes.only_values:
            while waiting and waiting[0] < passed:
                heapq.heappop(waiting)
            if not waiting:
                return len(work.pairs)
            at, count = heapq.heappop(waiting), changes.count
            yield work.pairs[at]
            passed = at + 1
            for name in {name for _, name in changes.order[count:]}:
                for place in places.get(name.rpartition(".")[2], ()):
                    heapq.heappush(waiting, place)
        return passed

    def _take_pair(self, pair: Pair, again: Collection[Statement]) -> None:
        assert pair.new is not None
        if pair.edited and pair.old is not None and isinstance(self.scope, ModuleScope):
            for qualname, came, went in changed_shapes(pair.old, pair.new, ""):
                self.run.shapes[self.work.name, qualname] = (came, went)
        if pair.new in again:
            self._wait_for_others(pair.new)
            run_value(self, pair)
            return
        if pair.kind in ("changed", "added"):
            self.run_edited(pair)
            return
        if pair.kind == "annotated":
            annotate(self, pair)
        elif pair.kind == "moved" or (pair.kind == "same" and self.compiles_otherwise(pair.new)):
            graft_codes(self, pair)
        elif pair.kind != "same" and edits_a_value(self, pair):
            graft_class_statement(self, pair)
        elif pair.kind != "same":
            graft_bodies(self, pair)
            lambda_edited(self, pair)
        refresh_pair(self, pair)

    def compiles_otherwise(self, statement: Statement) -> bool:
        """Whether it uses an attribute of a name that is imported now and was not, or the other way: a call of it
        compiles to other instructions (see `import_marks`). Under another `from __future__` line all code does."""
        old, new = self.work.old.text, self.work.text
        return old.future != new.future or any(f"{name}." in statement.text for name in old.imports ^ new.imports)

    def keep_state(self, statement: Statement, cause: str) -> None:
        for name in sorted(statement.binds):
            label = self.scope.label(name)
            self.work.record.kept[label] = None
            self.run.kept[f"{self.work.name}.{label}"] = Kept(
                f"{self.work.name}.{label}", f"kept `{label}`, which is state; {cause} changed"
            )

    def refresh(self, pairs: Sequence[Pair], asked: Sequence[Pair] | None = None) -> None:
        """Only what is stale: for a module that a changed value flowed to. `asked` are those that ran, if not all.

        Of an unedited module it says in `work.seen` up to which change nothing of it is owed another look: what one of
        its statements changed counts for those below, and here none above follows it."""
        self.siblings = pairs
        changes, work = self.changes, self.work
        extent, above = changes.extent, pairs is not work.pairs or work.edited or bool(work.helpers)
        for pair in self._worth_a_look(pairs if asked is None else asked):
            count = changes.count
            refresh_pair(self, pair)
            above = above or any(self._is_followed_above(pair, *key) for key in changes.order[count:])
        if not above and extent == changes.extent and not stars(work.text):
            work.seen = changes.count, extent

    def _is_followed_above(self, pair: Pair, module: str, name: str) -> bool:
        """Whether a statement above `pair`, or of another module, follows a value that `pair` has changed."""
        text = self.work.text
        places: dict[Statement, int] = text.fact("places", lambda: {one: at for at, one in enumerate(text.statements)})
        following = followers(text).get(name.rpartition(".")[2], ())
        return module != self.work.name or any(place < places[pair.statement] for place in following)

    def anything_asks(self, pairs: Sequence[Pair]) -> bool:
        """Whether `refresh` would do anything."""
        self.siblings = pairs
        return any(asks(self, pair.statement) for pair in self._worth_a_look(pairs))

    def _order_annotations(self, pairs: Sequence[Pair]) -> None:
        """Annotations of names that the new text does not annotate go; the others stand in its order."""
        held = self.scope.get("__annotations__")
        if self.in_block or not is_a(held, dict) or not any(pair.edited for pair in pairs):
            return  # what stands around a block may annotate its names
        old = {name for pair in pairs if pair.old is not None for name in annotated(pair.old)}
        new = dict.fromkeys(name for pair in pairs if pair.new is not None for name in self._annotated_now(pair.new))
        if isinstance(self.scope, ClassScope):
            old, new = set(map(self.scope.mangled, old)), dict.fromkeys(map(self.scope.mangled, new))
        names = [*(name for name in new if name in held), *(n for n in held if n not in new and n not in old)]
        if not names and not any(annotated(pair.new) for pair in pairs if pair.new is not None):
            self.annotate(ABSENT)  # the compiler makes one where something is annotated
        elif names != list(held):
            self.annotate({name: held[name] for name in names})

    def annotate(self, annotations: Any) -> None:
        """The annotations of the scope's names are others now, or none (ABSENT)."""
        self.changes.value_changed(self.scope.key("__annotations__"), self.scope.get("__annotations__"))
        if annotations is ABSENT:
            self.scope.delete("__annotations__")
        else:
            self.scope.set("__annotations__", annotations)

    def _annotated_now(self, statement: Statement) -> list[str]:
        """Names that a statement annotates; of a block those of the branch that ran, as far as it bound them."""
        names = annotated(statement)
        if not statement.is_block:
            return names
        return [name for name in names if name not in statement.binds or self.scope.get(name) is not ABSENT]

    def docstring(self, new: str | None, old: str | None) -> None:
        if new != old:
            self.scope.set("__doc__", new)
            self.changes.value_changed((self.work.name, "__doc__"), old)

    def _keep_roots(self, pairs: Sequence[Pair]) -> None:
        """What unedited statements left in the process is what it was."""
        left = {pair.old: pair for pair in pairs if pair.old is not pair.new}
        for statement, codes in self.old_roots.items():
            pair = left.get(statement)
            if pair is None:
                self.roots[statement] = codes
            elif pair.kind == "same" and pair.new is not None:
                self.roots[pair.new] = codes

    # -- statements that are gone -----------------------------------------------------------------

    def _remove(self, pair: Pair, bound: frozenset[str]) -> None:
        """Names that the old version bound and that nothing binds any more."""
        assert pair.old is not None
        for name in sorted(pair.old.binds - bound):
            old = self.scope.get(name)
            if old is ABSENT or (name in _OF_MODULES and isinstance(self.scope, ModuleScope)):
                continue
            self._unregister(pair.old, name, old)
            self._tell_of_hooks(name, old)
            self.lose(name, old)
        for name, old in list(starred_away(self, pair, bound)):
            self.lose(name, old)
        if lost_effect(pair.old, pair.new) and not take_back(self, pair.old):
            self._tell_of_effect(pair.old)
        if pair.old.is_def and pair.old.binds <= bound:
            if pair.new is None:
                for function in functions_of(self, pair):
                    self._unregister(pair.old, pair.old.name, function)
            elif not pair.new.is_def and not pair.new.is_block:  # a block may hold what goes on
                self._leave_registries(pair, pair.old)

    def _tell_of_hooks(self, name: str, gone: Any) -> None:
        """A class whose making a base was told of."""
        if is_a(gone, type) and made_in(gone, self.work.name):
            label = f"{self.work.name}.{self.scope.label(name)}"
            self.run.notes += (
                f"{label} is gone: what `{h}` did in `__init_subclass__` for it stays" for h in hooks_of(self.run, gone)
            )

    def _tell_of_effect(self, gone: Statement) -> None:
        """A statement that was removed bound nothing, but did something: to what it names, as far as that shows."""
        text = gone.text.strip().splitlines()[0][:60]
        named = affected(gone, self.scope.get, lambda name: f"{self.work.name}.{self.scope.label(name)}")
        to = f" to {', '.join(named)}" if named else ""
        self.run.notes.append(f"{self.work.name}: `{text}` was removed: what it did{to} stays")

    def lose(self, name: str, old: Any) -> None:
        """The scope has the name no longer."""
        self.scope.delete(name)
        self.work.record.removed[self.scope.label(name)] = None
        self.changes.name_lost(self.scope.key(name), old)
        if isinstance(self.scope, ModuleScope):
            self.run.removed.setdefault(self.work.name, {})[name] = old
        elif is_a(old, type) and _is_made_in(old, self.work.name):
            self.run.gone.append(old)

    def _unregister(self, statement: Statement, name: str, value: Any) -> None:
        forget_hooks(self.work.name, self.scope.prefix + statement.defined, self.old_roots.get(statement, ()))
        if is_a(value, type) and statement.is_class and not _is_made_in(value, self.work.name):
            return  # it has moved to another module, which registers it
        if statement.is_def or statement.is_class or (statement.is_block and self._is_defined_in(statement, value)):
            names = {**self.run.removed.get(self.work.name, {}), **self.scope.names}
            held = registrars_of(statement.node, value, names)
            registrations = self.run.registrations
            self.run.notes += registrations.purge(value, self.work.name, name, held)
            self.run.notes += registrations.names_left(self.work.name, name, held) if held else ()

    def _leave_registries(self, pair: Pair, old: Statement) -> None:
        """The name is no longer a function's: what its decorators registered goes. Who else holds it has what the name
        is now."""
        registrations = self.run.registrations
        for registrar in registrars(getattr(old.node, "decorator_list", ()), self.scope.names):
            before = registrations.contents()
            self.run.notes += registrations.moved_on(before, functions_of(self, pair), old.name, registrar)

    def _is_defined_in(self, block: Statement, value: Any) -> bool:
        """Whether `value`, or what it wraps, is a function or class that a definition in `block` made."""
        names = {node.name for node in walk_scope(block.node) if isinstance(node, (*FUNCTIONS, ast.ClassDef))}
        made = (one for one in objects_in(value, "") if _is_made_in(one, self.work.name))
        return any(one.__name__ in names for one in made)

    # -- statements that run ------------------------------------------------------------------------

    def run_edited(self, pair: Pair, causes: Sequence[str] = ()) -> None:
        assert pair.new is not None
        if pair.old is None and isinstance(self.scope, ModuleScope):
            self.run.added.setdefault(self.work.name, set()).update(pair.new.binds)
            self._take_over(pair.new.binds)
        self._wait_for_others(pair.new)
        with self.noted(pair.new):
            self._run_as_it_is(pair, causes)

    def _wait_for_others(self, statement: Statement) -> None:
        """Take the edited modules first of which `statement`, about to run, reads what they do not have yet."""
        if len(self.run.works) > 1:
            self.run.take_first(self._modules_to_come(statement))
            self.work.loaded.mention(frozenset(mentions(statement)))  # what it follows may change after it

    def _modules_to_come(self, statement: Statement) -> set[str]:
        """The modules of which `statement` reads attributes that they do not have yet, and does not ask whether."""
        if asks_whether(statement):
            return set()
        ends = [(chain[:end], chain[end]) for chain in dotted_reads(statement) for end in range(1, len(chain))]
        read = [(resolve(self.scope.names, holder), name) for holder, name in ends]
        modules = ((one.__name__, name) for one, name in read if type(one) is types.ModuleType)
        return {module for module, name in modules if self.run.current((module, name)) is ABSENT}

    def _run_as_it_is(self, pair: Pair, causes: Sequence[str]) -> None:
        if pair.old is None and (pair.statement.is_def or pair.statement.is_class):
            pair = continued(self, pair)
        node = pair.statement.node
        if isinstance(node, FUNCTIONS):
            run_function(self, pair, causes)
        elif isinstance(node, ast.ClassDef):
            graft_class_statement(self, pair)
        elif pair.statement.is_import:
            run_import(self, pair)
        elif (
            pair.old is not None and type(pair.old.node) is type(node) and isinstance(node, (ast.If, ast.Try, ast.With))
        ):
            run_block(self, pair)
        else:
            run_value(self, pair)

    @contextlib.contextmanager
    def noted(self, statement: Statement) -> Iterator[None]:
        """Around a run of `statement`: what changes from now on it may not have seen."""
        count, edited = self.changes.count, len(self.changes.own)
        self.work.reran[statement] = self.work.reran.get(statement, 0) + 1
        yield
        self.work.ran_at[statement], self.work.saw[statement] = count, edited

    def _take_over(self, names: Iterable[str]) -> None:
        """A name that was only kept for others is the module's own again."""
        dangling = self.run.program.dangling
        for name in names if dangling else ():
            one = dangling.get((self.work.name, name))
            if one is not None and one.kept and self.scope.get(name) is one.value:
                self.scope.delete(name)

    def aside(
        self, nodes: Sequence[ast.stmt], given: Mapping[str, Any], pair: Pair
    ) -> tuple[dict[str, Any], tuple[types.CodeType, ...]]:
        self.prepare_for(pair.statement)
        code = self.compiled(nodes, pair.statement)
        made = self.scope.run_aside(code, given, pair.statement)
        annotations = made.pop("__annotations__", None)
        if annotations is not None:
            self.annotate(annotations)
        return made, tuple(nested_codes(code))

    def prepare_for(self, statement: Statement) -> None:
        """Make live what it may read and a run aside does not show it: a container that waits for its new contents, a
        name that is about to go, an attribute of another module or a class that is about to change, a method that it
        comes to without naming it."""
        if self.causes.comes_to_touched(self.work, statement, self.scope.prefix):
            self.run.before_call()
        waiting = self.scope.pendings.get(id(self.scope.namespace), {})
        goes = any(waiting.get(name, name) is ABSENT for name in statement.reads)
        if self.changes.unfilled or goes or (dotted_reads(statement) and self._others_wait()):
            self.tx.flush()
            self.changes.unfilled = False

    def compiled(self, nodes: Sequence[ast.stmt], statement: Statement) -> types.CodeType:
        """A statement of a module that stays as it is is compiled once, however often what it reads changes. Not one
        that makes functions: who holds their code is told by its reference count."""
        scope = self.scope
        if not isinstance(scope, ModuleScope) or len(nodes) != 1 or nodes[0] is not statement.located():
            return scope.compile(nodes)
        given = scope.loaded.path, scope.flags, scope.imports, statement.shift
        known, code = statement.compiled or (None, None)
        if code is None or known != given:
            code = scope.compile(nodes)
            statement.compiled = (given, code) if not nested_codes(code) else None
        return code

    def _others_wait(self) -> bool:
        """Whether writes to other namespaces than the scope's own are prepared."""
        own = (id(self.scope.namespace), id(self.scope.owner))
        return any(waiting for key, waiting in self.scope.pendings.items() if key not in own)

    # -- code that moves into functions that live ---------------------------------------------------

    def old_codes(self, pair: Pair) -> tuple[types.CodeType, ...]:
        return self.old_roots.get(pair.old, ()) if pair.old is not None else ()

    def class_of(self, pair: Pair) -> type | None:
        if pair.new is not None and pair.new.is_class:
            found = self.scope.get(pair.new.defined)
            return found if is_a(found, type) else None
        return None

    # -- values -----------------------------------------------------------------------------------

    def guard_named(self, statement: Statement) -> None:
        """What the statement names may get attributes from it: `f.version = 2`, `setattr(C, ...)`, `setup(app)`."""
        names = self.scope.names
        for name in statement.reads:
            value = names.get(name)
            if is_a(value, types.ModuleType):
                if value.__name__ in self.run.program.notebook.modules:
                    self.tx.guard(vars(value))
            elif value is not None and self.run.program.owns(value if callable(value) else type(value)):
                self.tx.guard_object(value)

    def names_before(self) -> Mapping[str, Any]:
        """The module's names, also those that it has lost in this reload."""
        return {**self.run.removed.get(self.work.name, {}), **self.scope.namespace}

    def labels(self, names: Iterable[str]) -> str:
        return ", ".join(self.scope.label(name) for name in sorted(names))

    def in_source_order(self, before: Contents, statement: Statement, name: str) -> None:
        """What the definition of `name` has put into registries since `before` stands where a fresh start puts it."""
        registrations = self.run.registrations
        if registrations.changed(before):
            above, below = self._ids_around(statement)
            registrations.in_source_order(before, self.scope.get(name), name, above, below)

    def is_above_others(self, at: Statement) -> bool:
        """Whether a definition that lives stands below `at` in the same scope."""
        siblings = (pair.new for pair in self.siblings if pair.new is not None)
        below = itertools.islice(itertools.dropwhile(lambda one: one is not at, siblings), 1, None)
        return any((one.is_def or one.is_class) and self.scope.get(one.name) is not ABSENT for one in below)

    def _ids_around(self, at: Statement) -> tuple[set[int], set[int]]:
        """What the definitions above and below one of the same scope made: who stands for them in a registry."""
        found: tuple[set[int], set[int]] = (set(), set())
        below = False
        for statement in [pair.new for pair in self.siblings if pair.new is not None]:
            below = below or statement is at
            if statement is not at and (statement.is_def or statement.is_class):
                value = self.scope.get(statement.name)
                found[below].update({id(value)} if value is not ABSENT else ())
                found[below].update(map(id, functions_in(value, self.work.name)))
        return found

    def rebind(self, name: str, old: Any, new: Any) -> None:
        key = self.scope.key(name)
        self.tell_of_another(name, old, new)
        self.scope.set(name, new)
        self.changes.value_changed(key, old)

    def tell_of_another(self, name: str, old: Any, new: Any) -> None:
        """A definition has no successor that could keep its identity: said, for who holds it holds the old one."""
        if old is new or not is_a(new, (types.FunctionType, type)) or not _is_made_in(old, self.work.name):
            return
        if is_a(old, type) or forwarded_to(old) is None:
            label = f"{self.work.name}.{self.scope.label(name)}"
            self.run.notes.append(f"{label} is another object now; who holds the old one keeps that")

    @property
    def old_groups(self) -> Groups:
        return self._grouped("old")

    @property
    def new_groups(self) -> Groups:
        return self._grouped("new")

    def _grouped(self, which: str) -> Groups:
        if self.siblings is self.work.pairs and not self.work.edited:
            return self.work.text.fact("groups", lambda: Groups(self.work.text.statements))  # type: ignore[no-any-return]
        held = self._groups.get(which)
        if held is None or held[0] is not self.siblings:
            both = ((pair.old if which == "old" else pair.new) for pair in self.siblings)
            statements = [one for one in both if one is not None]
            ordered = sorted(statements, key=lambda s: s.first) if which == "old" else statements
            text = self.work.old.text if which == "old" else self.work.text
            if len(ordered) == len(text.statements) and all(map(operator.is_, ordered, text.statements)):
                groups = text.fact("groups", lambda: Groups(ordered))
            else:
                groups = Groups(ordered)
            held = self._groups[which] = (self.siblings, groups)
        return held[1]

    def swap_roots(self, pair: Pair) -> None:
        """The statement was grafted in this reload already: what its functions run now is the new code."""
        assert pair.new is not None
        grafted = pair.new in self.roots
        sees_only_names = only_binds(pair.new) and not pair.new.calls and not dotted_reads(pair.new)
        if grafted or self.in_block or not isinstance(self.scope, ModuleScope) or not sees_only_names:
            self.run.make_live()  # of a module's own names it is known what they will hold; not of all else
        if grafted:
            self.old_roots = but(self.old_roots, pair.old or pair.new, self.roots[pair.new])

    # -- blocks and classes -------------------------------------------------------------------------

    def parts(self, statement: Statement | None, lines: Sequence[str], name: str) -> list[Statement]:
        if statement is None:
            return []
        node = statement.node
        if name in ("handlers", "cases"):
            body = [inner for each in getattr(node, name, ()) for inner in each.body]
        else:
            body = getattr(node, name, [])
        return list(self.work.inside(statement, name, body, lines))

    def block_pairs(self, pair: Pair) -> list[tuple[str, list[Pair]]]:
        new_lines = self.work.text.lines
        old_lines = new_lines if pair.old is pair.new else self.work.old.text.lines
        out = []
        for part in PARTS:
            old, new = self.parts(pair.old, old_lines, part), self.parts(pair.new, new_lines, part)
            if old or new:
                out.append((part, self.work.match(old, new)))
        return out

    def inner_runner(self, pair: Pair, pairs: Sequence[Pair]) -> Runner:
        roots: Roots = {}
        olds = by_first([p.old for p in pairs if p.old is not None], list(self.old_codes(pair)))
        inner = Runner(self.run, self.work, self.scope, roots, olds)
        inner.siblings, inner.going, inner.bound_around = pairs, self.going, self.bound
        inner.around = (self, pair.statement)
        return inner

    @property
    def in_block(self) -> bool:
        """Whether the statements are those of a block, not of the whole scope."""
        return self.around is not None

    @functools.cached_property
    def bound_beside(self) -> frozenset[str]:
        """What others bind in the scope of a block's statements: those around it, its head, its other parts."""
        if self.around is None:
            return frozenset()
        outer, block = self.around
        parts = (outer.parts(block, self.work.text.lines, part) for part in PARTS)
        inside = collections.Counter(name for part in parts for one in part for name in one.binds)
        inside.subtract(name for pair in self.siblings if pair.new is not None for name in pair.new.binds)
        others = (p.new.binds for p in outer.siblings if p.new is not None and p.new is not block)
        return outer.bound_beside.union(+inside, bound_by_head(block.node), *others)

    # -- what classes, blocks and attributes ask for: functions of the modules that those must not import ---------

    def run_value(self, pair: Pair) -> None:
        run_value(self, pair)

    def wants(self, statement: Statement) -> bool:
        return wants(self, statement)

    def rebuilds(self, pairs: Sequence[Pair]) -> Collection[Statement]:
        return rebuilds(self, pairs)[0]

    def stale_pair(self, pair: Pair) -> Pair:
        return stale_pair(self, pair)

    def run_statement(self, pair: Pair) -> None:
        run_statement(self, pair)

    def refresh_value(self, pair: Pair, causes: Sequence[str]) -> None:
        refresh_value(self, pair, causes)

    def graft_pairs(self, pair: Pair, old: Sequence[types.CodeType], new: Sequence[types.CodeType]) -> None:
        graft_pairs(self, pair, old, new)

    def decorator_edited(self, statement: Statement, name: str, factory: bool) -> bool:
        return decorator_edited(self, statement, name, factory)

    def decorate_again(self, made: Statement) -> None:
        decorate_again(self, made)


def _computes(pair: Pair) -> bool:
    return pair.new is not None and computes(pair.new)


def _is_going(pair: Pair) -> bool:
    """Whether what the old version of a statement defined may go on elsewhere in the new text."""
    assert pair.old is not None
    return pair.edited and (pair.old.is_block if pair.new is not None else True)


def _makes_unnamed(pair: Pair, last: Mapping[str, Pair]) -> bool:
    """Whether the old version of a statement made functions that no name of their own leads to: lambdas, those of a
    block, and those of which a later definition has taken the name."""
    old = pair.old
    if old is None or old.is_block or "lambda" in old.text:
        return old is not None
    return (old.is_def or old.is_class) and last.get(old.name) is not pair


def _is_made_in(value: Any, module: str) -> bool:
    return is_a(value, (types.FunctionType, type)) and made_in(value, module)
