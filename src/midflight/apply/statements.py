"""Run the statements of one scope that must run, and move the new code into what the others made."""

from __future__ import annotations

import ast
import builtins
import functools
import itertools
import operator
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from midflight.apply.aliases import following, refresh_aliases, starred_away
from midflight.apply.asked import forget_hooks, is_derived, is_state
from midflight.apply.attributes import guard_targets, refresh_attributes
from midflight.apply.branches import names_bound
from midflight.apply.changes import inner_code_differs, own_code_differs
from midflight.apply.graft.classes import (
    changed_shapes,
    fill_from_bodies,
    graft_class_statement,
    header_causes,
    live_class,
    place_class,
    refresh_class,
)
from midflight.apply.graft.closures import fits_for
from midflight.apply.graft.copies import Facts, follow, signature_of
from midflight.apply.graft.functions import (
    Fits,
    forward,
    forwarded_to,
    graft_function,
    graft_signature,
    new_doc,
    pair_codes,
    same_code,
)
from midflight.apply.graft.marks import forget_marks
from midflight.apply.graft.search import by_code
from midflight.apply.graft.wrappers import become
from midflight.apply.holders import frames_by_code, functions_in, functions_running, nested_codes, resolve, value_of
from midflight.apply.parsed import Roots, but
from midflight.apply.scopes import ClassScope, ModuleScope, Scope
from midflight.apply.transaction import ABSENT, Transaction
from midflight.apply.values import Before, before_in_place, is_container, is_data, is_derived_kind, rebuilt, same_value
from midflight.apply.variants import origin_of, variants_of
from midflight.apply.whole import Watched
from midflight.apply.work import Work
from midflight.graph.homes import made_by_statement, made_in
from midflight.plan.diff import Group, Groups, Pair, built_names, defines
from midflight.plan.flow import decorator_names, factory_names, imports_inside, modules_imported
from midflight.plan.purity import only_binds
from midflight.plan.statements import FUNCTIONS, Statement, walk_scope
from midflight.values import Kept

if TYPE_CHECKING:
    from midflight.apply.execute import Execution
    from midflight.apply.registrations import Contents

# References to a code object that no function runs: the tuple it lies in, the list of pairs, a variable, an argument.
_AT_REST = 4
_UNDECORATED = "\x00undecorated"


class Runner:
    """One scope of one module in one reload. `roots` and `old_roots` hold the code objects of its statements."""

    def __init__(
        self, run: Execution, work: Work, scope: Scope, roots: Roots | None = None, old_roots: Roots | None = None
    ) -> None:
        self.run, self.work, self.scope = run, work, scope
        self.tx, self.changes = run.tx, run.changes
        self.roots = work.roots if roots is None else roots
        self.old_roots = work.old.roots if old_roots is None else old_roots
        self.building: dict[str, Any] = {}  # names whose value is being built again → the value they had
        self.siblings: Sequence[Pair] = ()
        self.going: tuple[Statement, ...] = ()  # of the old text, here and around this block: edited blocks, what went
        self.in_block = False  # the statements are those of a block, not of the whole scope
        self.bound: set[str] = set()  # what the new statements of the scope bind
        self.bound_around: frozenset[str] = frozenset()  # what statements around this block bind
        self._groups: dict[str, tuple[Sequence[Pair], Groups]] = {}

    # -- a whole scope ----------------------------------------------------------------------------

    def take(self, pairs: Sequence[Pair]) -> None:
        """Every statement of an edited scope, in the new source's order; what is gone goes first."""
        news = [pair.new for pair in pairs if pair.new is not None]
        fresh = {name for pair in pairs if pair.edited and pair.new is not None for name in pair.new.binds}
        space = self.scope.namespace
        bound = {name for statement in news for name in names_bound(statement, space, fresh)} | self.bound_around
        self.bound = bound
        again, last = self._rebuilds(pairs)
        returning = _returning(pairs)
        self.going += tuple(p.old for p in pairs if p.old is not None and _is_going(p))
        for pair in pairs:
            if pair.edited and pair.old is not None:
                self._remove(pair, bound)
        for pair in pairs:
            if pair.new is not None:
                self._take_pair(pair, again)
                self._finish_building(pair.new, last)
                if pair.new in returning:
                    self._bring_back(pair)
        self._order_annotations(pairs)

    def _take_pair(self, pair: Pair, again: set[Statement]) -> None:
        assert pair.new is not None
        if pair.edited and pair.old is not None and isinstance(self.scope, ModuleScope):
            for qualname, came, went in changed_shapes(pair.old.node, pair.new.node, ""):
                self.run.shapes[self.work.name, qualname] = (came, went)
        if pair.new in again:
            self._run_value(pair)
            return
        if pair.kind in ("changed", "added"):
            self._run(pair)
            return
        if pair.kind == "annotated":
            self._annotate(pair)
        elif pair.kind == "same":
            self._keep_roots(pair)
        elif pair.kind == "moved":
            self._graft_codes(pair)
        else:
            self._graft_bodies(pair)
            self._lambda_edited(pair)
        self._refresh_pair(pair)

    def _annotate(self, pair: Pair) -> None:
        """What the annotation gives is another value now; what the name holds stays."""
        assert pair.new is not None
        self._graft_codes(pair)
        node = pair.new.located()
        assert isinstance(node, ast.AnnAssign)
        alone = ast.AnnAssign(node.target, node.annotation, None, node.simple)
        self._aside([ast.copy_location(alone, node)], {}, pair)

    def _lambda_edited(self, pair: Pair) -> None:
        """Only a lambda inside a call was edited: what the call made of it follows if nobody touched it."""
        statement = pair.new
        assert statement is not None
        if not statement.binds or defines(statement) or not statement.calls:
            return
        if is_state(statement, self.scope.namespace):
            self._keep_state(statement, "its own lambda")
        elif is_derived(statement, self.scope.namespace) or all(
            is_data(self.scope.get(name)) and self._untouched(name, pair) for name in statement.binds
        ):
            self._run_value(Pair("changed", pair.old, pair.new))

    def _keep_state(self, statement: Statement, cause: str) -> None:
        for name in sorted(statement.binds):
            label = self.scope.label(name)
            self.work.record.kept[label] = None
            self.run.kept[f"{self.work.name}.{label}"] = Kept(
                f"{self.work.name}.{label}", f"kept `{label}`, which is state; {cause} changed"
            )

    def refresh(self, pairs: Sequence[Pair]) -> None:
        """Only what is stale: for a module that a changed value flowed to."""
        self.siblings = pairs
        for pair in pairs:
            if pair.new is not None:
                self._refresh_pair(pair)

    def anything_stale(self, pairs: Sequence[Pair]) -> bool:
        return any(self._wants(pair.new) for pair in pairs if pair.new is not None)

    def _wants(self, statement: Statement) -> bool:
        if self.work.reran.get(statement, 0) >= 3:
            return False
        if any(True for _ in following(self, statement)):
            return True
        if statement in self.work.reran or self.work.record.kept.keys() & statement.binds:
            return False
        if statement.is_class and (header_causes(self, statement) or self._class_imports_change(statement)):
            return True
        return bool(self.changes.causes(self.work, statement, self.scope.prefix))

    def _class_imports_change(self, statement: Statement) -> bool:
        """Whether the body of a class imports something that changed."""
        package = hasattr(self.work.loaded.module, "__path__")
        return statement.is_class and any(
            (one.module, one.name) in self.changes.values for one in imports_inside(statement, self.work.name, package)
        )

    def _bring_back(self, pair: Pair) -> None:
        """A definition that nobody edited, whose name a later one had: that one is gone, or stands before it now."""
        assert pair.new is not None
        node = pair.new.node
        assert isinstance(node, FUNCTIONS)
        self._swap_roots(pair)
        again = Pair("changed", pair.old, pair.new)
        function = self._inner_function(again)
        current = self.scope.get(node.name)
        if function is not None and node.decorator_list:
            self._run_decorated(again, node, function, ())
        elif function is None:
            self._run_in_place_of(pair, current)
        elif current is not function:
            become(self.tx, current, function)
            self._rebind(node.name, current, function)

    def _run_in_place_of(self, pair: Pair, current: Any) -> None:
        """Nobody held the function, so its definition runs; who holds the one that hid it gets the same."""
        assert pair.new is not None
        name = pair.new.name
        self.run.before_call()
        self._guard_named(pair.new)
        made, self.roots[pair.new] = self._aside([pair.new.located()], {}, pair)
        if become(self.tx, current, made[name]):
            self.work.record.grafted[self.scope.label(name)] = None
        else:
            self._rebind(name, current, made[name])

    def _order_annotations(self, pairs: Sequence[Pair]) -> None:
        """Annotations of names that the new text does not annotate go; the others stand in its order."""
        held = self.scope.get("__annotations__")
        if not isinstance(held, dict) or not any(pair.edited for pair in pairs):
            return
        old = {name for pair in pairs if pair.old is not None for name in annotated(pair.old)}
        new = dict.fromkeys(name for pair in pairs if pair.new is not None for name in annotated(pair.new))
        if isinstance(self.scope, ClassScope):
            old, new = set(map(self.scope.mangled, old)), dict.fromkeys(map(self.scope.mangled, new))
        names = [*(name for name in new if name in held), *(n for n in held if n not in new and n not in old)]
        if not names and not new:
            self.scope.delete("__annotations__")  # the compiler makes one where something is annotated
        elif names != list(held):
            self.scope.set("__annotations__", {name: held[name] for name in names})

    def docstring(self, new: str | None, old: str | None) -> None:
        if new != old:
            self.scope.set("__doc__", new)

    def _keep_roots(self, pair: Pair) -> None:
        assert pair.old is not None and pair.new is not None
        if pair.old in self.old_roots:
            self.roots[pair.new] = self.old_roots[pair.old]

    # -- statements that are gone -----------------------------------------------------------------

    def _remove(self, pair: Pair, bound: set[str]) -> None:
        """Names that the old version bound and that nothing binds any more."""
        assert pair.old is not None
        for name in sorted(pair.old.binds - bound):
            old = self.scope.get(name)
            if old is ABSENT:
                continue
            self._unregister(pair.old, old)
            self.lose(name, old)
        for name, old in list(starred_away(self, pair, bound)):
            self.lose(name, old)
        if pair.new is None and _has_effect(pair.old):
            self._tell_of_effect(pair.old)
        if pair.new is None and pair.old.is_def and pair.old.binds <= bound:
            for function in self._functions_of(pair):
                self._unregister(pair.old, function)

    def _tell_of_effect(self, gone: Statement) -> None:
        """A statement that was removed bound nothing, but did something: to what it names, as far as that shows."""
        text = gone.text.strip().splitlines()[0][:60]
        plain = (types.ModuleType, types.BuiltinFunctionType)
        held = {name: self.scope.get(name) for name in sorted(gone.reads - gone.binds)}
        named = [self.scope.label(n) for n, v in held.items() if v is not ABSENT and not isinstance(v, plain)]
        to = f" to {', '.join(f'{self.work.name}.{name}' for name in named)}" if named else ""
        self.run.notes.append(f"{self.work.name}: `{text}` was removed: what it did{to} stays")

    def lose(self, name: str, old: Any) -> None:
        """The scope has the name no longer."""
        self.scope.delete(name)
        self.work.record.removed[self.scope.label(name)] = None
        self.changes.value_changed(self.scope.key(name), old)
        if isinstance(self.scope, ModuleScope):
            self.run.removed.setdefault(self.work.name, {})[name] = old

    def _unregister(self, statement: Statement, value: Any) -> None:
        forget_hooks(self.work.name, self.scope.prefix + getattr(statement.node, "name", ""))
        if statement.is_def or statement.is_class or (statement.is_block and _is_made_in(value, self.work.name)):
            self.run.notes += self.run.registrations.purge(value, self.work.name, getattr(statement.node, "name", ""))

    # -- functions --------------------------------------------------------------------------------

    def _run(self, pair: Pair, causes: Sequence[str] = ()) -> None:
        assert pair.new is not None
        if pair.old is None and isinstance(self.scope, ModuleScope):
            self.run.added.setdefault(self.work.name, set()).update(pair.new.binds)
        self.work.reran[pair.new] = self.work.reran.get(pair.new, 0) + 1
        if pair.old is None and (pair.new.is_def or pair.new.is_class):
            pair = self._continued(pair)
        node = pair.statement.node
        if isinstance(node, FUNCTIONS):
            self._run_function(pair, causes)
        elif isinstance(node, ast.ClassDef):
            self._run_class(pair)
        elif pair.statement.is_import:
            self._run_import(pair)
        elif (
            pair.old is not None and type(pair.old.node) is type(node) and isinstance(node, (ast.If, ast.Try, ast.With))
        ):
            self._run_block(pair)
        else:
            self._run_value(pair)

    def _continued(self, pair: Pair) -> Pair:
        """A definition that stood inside a block before, or stands inside one now: the one that lives goes on."""
        assert pair.new is not None
        for old in self.going:
            for inner in self._definitions(old, pair.new.name):
                found = Pair("changed", inner, pair.new)
                if isinstance(self.scope, ModuleScope) and inner not in self.old_roots:
                    self.old_roots = but(self.old_roots, inner, self.work.old.roots.get(inner, ()))
                if self._lives(found):
                    return found
        return pair

    def _definitions(self, statement: Statement, name: str) -> Iterator[Statement]:
        if statement.is_def or statement.is_class:
            if statement.name == name:
                yield statement
        elif statement.is_block and name in statement.binds:
            for part in ("body", "handlers", "orelse", "finalbody"):
                for inner in self._parts(statement, self.work.old.text.lines, part):
                    yield from self._definitions(inner, name)

    def _lives(self, pair: Pair) -> bool:
        """Whether the process holds what the old version of a definition made, and the new one is of its kind."""
        assert pair.old is not None and pair.new is not None
        if pair.new.is_class:
            return pair.old.is_class and live_class(self, pair, self.scope.get(pair.new.name)) is not None
        return pair.old.is_def and self._inner_function(pair) is not None

    def _run_function(self, pair: Pair, causes: Sequence[str]) -> None:
        assert pair.new is not None
        node = pair.new.node
        assert isinstance(node, FUNCTIONS)
        old_node = pair.old.node if pair.old is not None else None
        inner = self._inner_function(pair) if old_node is not None else None
        redecorate = (
            inner is None
            or not isinstance(old_node, FUNCTIONS)
            or list(map(ast.dump, old_node.decorator_list)) != list(map(ast.dump, node.decorator_list))
            or bool(decorator_names(node) & {cause.split(".")[0] for cause in causes})
            or bool(self._stale_decorators(pair.new))
        )
        if redecorate:
            self._run_decorated(pair, node, inner, causes)
        else:
            assert inner is not None
            self._run_header(pair, inner, causes)

    def _run_header(self, pair: Pair, inner: types.FunctionType, causes: Sequence[str]) -> None:
        """The signature was edited, the decorators were not: they do not run again, nor do defaults that stayed."""
        assert pair.new is not None
        located = pair.new.located()
        node, given = self._with_kept_defaults(located, pair, inner, causes)
        # Decorators that do nothing in the places of the real ones: they are part of a function's line table.
        node.decorator_list = [ast.copy_location(ast.Name(_UNDECORATED, ast.Load()), d) for d in node.decorator_list]
        made, roots = self._aside([node], {**given, _UNDECORATED: _undecorated}, pair)
        function = made[node.name]
        self.roots[pair.new] = roots
        old = inner.__code__
        also = functools.partial(self._graft_twin, inner, function, (inner.__defaults__, inner.__kwdefaults__))
        self._graft_pairs(pair, self._old(pair), roots, skip=inner, also=also)
        facts = {n: (getattr(inner, n), getattr(function, n)) for n in ("__doc__", "__annotations__")}
        self._follow(pair, inner, {**facts, "__signature__": (signature_of(inner), signature_of(function))})
        self.tx.later(lambda: _graft(self.tx, inner, function, self.run.search.fits))
        self._grafted(self.scope.label(node.name), inner, old, function.__code__)
        if not same_value((inner.__defaults__, inner.__kwdefaults__), (function.__defaults__, function.__kwdefaults__)):
            self.changes.code_changed(self.scope.key(node.name), inner, True)  # it may answer otherwise

    def _graft_twin(
        self, inner: types.FunctionType, made: types.FunctionType, defaults: tuple[Any, Any], twin: types.FunctionType
    ) -> None:
        """Another function that runs the same code, such as a wrapper that acts as it since its decorator went."""
        if (
            origin_of(twin.__code__) is origin_of(inner.__code__)
            and (twin.__defaults__, twin.__kwdefaults__) == defaults
        ):
            self.tx.later(lambda: graft_signature(self.tx, twin, made))

    def _run_decorated(
        self,
        pair: Pair,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        inner: types.FunctionType | None,
        causes: Sequence[str],
    ) -> None:
        assert pair.new is not None
        name = node.name
        current = self.scope.get(name)
        located, given = self._with_kept_defaults(pair.new.located(), pair, inner, causes)
        if node.decorator_list or not only_binds(pair.new):
            self.run.before_call()
        old_decorators = getattr(pair.old.node, "decorator_list", []) if pair.old is not None else []
        objects = list(self._registrar_objects([*old_decorators, *node.decorator_list]))
        for each in objects:
            self.run.registrations.guard_inside(each)
        before = self.run.registrations.contents(objects) if node.decorator_list or old_decorators else {}
        forget_hooks(self.work.name, self.scope.prefix + name)
        made, roots = self._aside([located], given, pair)
        for registrar in self._registrars(old_decorators):
            self.run.notes += self.run.registrations.moved_on(before, inner, name, registrar)
        self.roots[pair.new] = roots
        self._settle_decorated(pair, made.pop(name), inner, current, before)
        if inner is not None:
            # Last: what the name held may act as another function by now.
            self._graft_pairs(pair, self._old(pair), roots, skip=inner)

    def _settle_decorated(
        self, pair: Pair, result: Any, inner: types.FunctionType | None, current: Any, before: Contents
    ) -> None:
        assert pair.new is not None
        name = pair.new.node.name  # type: ignore[attr-defined]
        is_ours = inner is not None and self._is_made(pair, current)
        if not self._is_last(pair.new, name):
            self.run.notes += self.run.registrations.settle(before, inner, result, result, name)
            if current is ABSENT:
                self.scope.set(name, result)  # for a later one of the same name that builds on it
            self._replay_readers(pair.new, name, result)
            return
        if is_ours and current is not ABSENT and become(self.tx, current, result):
            forget_marks(self.tx, pair, self.scope.namespace, current, result)
            self.work.record.grafted[self.scope.label(name)] = None
            self.run.notes += self.run.registrations.settle(before, current, result, current, name)
            if inner is not None:
                self.changes.code_changed(self.scope.key(name), inner, True)
            return
        if inner is not None and inner is not current:
            become(self.tx, inner, result if isinstance(result, types.FunctionType) else _innermost(result, name))
        self.run.notes += self.run.registrations.settle(before, current if is_ours else inner, result, result, name)
        if current is not ABSENT and pair.old is not None and pair.old.is_def and not is_ours:
            self.work.record.grafted[self.scope.label(name)] = None
            return  # rebound since: the name keeps what it is bound to
        if current is ABSENT and isinstance(self.scope, ModuleScope):
            lives = self.run.moves.arrive(self.run, self.work.loaded, name, result)
            if lives is not result:
                self.run.registrations.replace(result, lives)
                self.changes.code_changed(self.scope.key(name), lives, True)
            result = lives
        self._tell_of_another(name, current, result)
        self.scope.set(name, result)
        (self.work.record.ran if current is ABSENT else self.work.record.rebound)[self.scope.label(name)] = None
        self.changes.value_changed(self.scope.key(name), current)

    def _registrar_objects(self, decorators: Sequence[ast.expr]) -> Iterator[Any]:
        """The objects that decorators are methods of, such as `app` in `@app.route("/")`."""
        seen: set[int] = set()
        for node in (child for decorator in decorators for child in ast.walk(decorator)):
            value = value_of(node.value, self.scope.namespace) if isinstance(node, ast.Attribute) else ABSENT
            if value is ABSENT or isinstance(value, (type, types.ModuleType, types.FunctionType)) or id(value) in seen:
                continue
            seen.add(id(value))
            yield value

    def _registrars(self, decorators: Sequence[ast.expr]) -> list[Any]:
        """What stood behind the @ of the old version, as far as names lead to it."""
        found = []
        for decorator in decorators:
            node: ast.expr = decorator.func if isinstance(decorator, ast.Call) else decorator
            found.append(value_of(node, self.scope.namespace))
        return [value for value in found if callable(value)]

    def _with_kept_defaults(
        self, located: ast.stmt, pair: Pair, inner: types.FunctionType | None, causes: Sequence[str]
    ) -> tuple[Any, dict[str, Any]]:
        """`located` with the defaults that were not edited replaced by the objects that live."""
        import copy

        node: Any = copy.deepcopy(located)
        given: dict[str, Any] = {}
        if inner is None or pair.old is None or not isinstance(pair.old.node, FUNCTIONS):
            return node, given
        held = _defaults_by_name(pair.old.node, inner)
        assert pair.new is not None
        flowed = self.changes.value_causes(self.work, pair.new, self.scope.prefix)
        changed = {cause.split(".")[0] for cause in (*causes, *flowed)}
        for name, default, replace in _default_slots(node):
            if name in held and held[name][0] == ast.dump(default):
                if not changed & {n.id for n in ast.walk(default) if isinstance(n, ast.Name)}:
                    place = f"\x00default {name}"
                    given[place] = held[name][1]
                    replace(ast.copy_location(ast.Name(place, ast.Load()), default))
        return node, given

    def _aside(
        self, nodes: Sequence[ast.stmt], given: Mapping[str, Any], pair: Pair
    ) -> tuple[dict[str, Any], tuple[types.CodeType, ...]]:
        if self.changes.unfilled:
            self.tx.flush()  # it may read a container that waits for its new contents
            self.changes.unfilled = False
        code = self.scope.compile(nodes)
        made = self.scope.run_aside(code, given)
        annotations = made.pop("__annotations__", None)
        if annotations is not None:
            self.scope.set("__annotations__", annotations)
        return made, tuple(nested_codes(code))

    def _inner_function(self, pair: Pair) -> types.FunctionType | None:
        """The function that the old version of a def made, wherever it is now."""
        assert pair.old is not None
        if not isinstance(pair.old.node, FUNCTIONS):
            value = self.scope.get(pair.statement.node.name)  # type: ignore[attr-defined]
            return value if self._made_here(pair, value) else None  # a lambda bound to the name
        name = pair.old.node.name
        roots = [code for code in _function_codes(self._old(pair)) if code.co_name == name]
        wanted = {id(code) for code in roots}
        for function in functions_in(self.scope.get(name), self.work.name):
            if id(origin_of(function.__code__)) in wanted:
                return function
        for functions in functions_running(roots).values():
            for function in functions:
                if function.__globals__ is self.scope.namespace:
                    return function
        return None

    def _made_here(self, pair: Pair, value: Any) -> bool:
        """Whether `value` is a function whose code stands in the old version of the statement."""
        return type(value) is types.FunctionType and any(origin_of(value.__code__) is code for code in self._old(pair))

    def _functions_of(self, pair: Pair) -> list[types.FunctionType]:
        return [f for functions in functions_running(list(self._old(pair))).values() for f in functions]

    def _is_made(self, pair: Pair, current: Any) -> bool:
        """Whether a name still holds what its statement made: that, or a wrapper around it."""
        wanted = {id(code) for code in _function_codes(self._old(pair))}
        if any(id(origin_of(function.__code__)) in wanted for function in functions_in(current, self.work.name)):
            return True
        return current is not ABSENT and not isinstance(current, (types.FunctionType, type)) and callable(current)

    def _is_last(self, statement: Statement, name: str) -> bool:
        """Whether no later statement of the scope binds the name again (overloads, property setters)."""
        later = False
        for pair in self.siblings:
            if pair.new is statement:
                later = True
            elif later and pair.new is not None and name in pair.new.binds and pair.new.is_def:
                return False
        return True

    def _replay_readers(self, statement: Statement, name: str, value: Any) -> None:
        """Later definitions of the same name that build on it (`@x.setter`) run on the new value."""
        later = False
        for pair in self.siblings:
            if pair.new is statement:
                later = True
            elif later and pair.new is not None and name in pair.new.binds and name in pair.new.reads:
                made, roots = self._aside([pair.new.located()], {name: value}, pair)
                self.roots[pair.new] = roots
                value = made.get(name, value)
        current = self.scope.get(name)
        if isinstance(value, property) and isinstance(current, property):
            become(self.tx, current, value)
            self.work.record.grafted[self.scope.label(name)] = None

    # -- code that moves into functions that live ---------------------------------------------------

    def _old(self, pair: Pair) -> tuple[types.CodeType, ...]:
        return self.old_roots.get(pair.old, ()) if pair.old is not None else ()

    def _graft_bodies(self, pair: Pair) -> None:
        """Only functions' bodies were edited: nothing runs, the new code goes where the old one is."""
        self._graft_codes(pair)
        if pair.new is not None and pair.new.is_class:
            fill_from_bodies(self, pair)

    def _graft_codes(self, pair: Pair) -> None:
        assert pair.new is not None
        old = self._old(pair)
        if pair.new.is_class:
            owner = self._class_of(pair)
            if owner is not None and made_by_statement(owner, self.work.name):
                place_class(self.tx, owner, pair.new)
        if not old:
            return
        roots = tuple(nested_codes(self._compiled(pair.new)))
        self.roots[pair.new] = roots
        self._graft_pairs(pair, old, roots)

    def _compiled(self, statement: Statement) -> types.CodeType:
        """What preflight compiled, once; it is not kept, for it would hold the code objects of this version."""
        code = self.work.compiled.pop(statement, None) if isinstance(self.scope, ModuleScope) else None
        return code if code is not None else self.scope.compile([statement.located()])

    def _class_of(self, pair: Pair) -> type | None:
        if pair.new is not None and isinstance(pair.new.node, ast.ClassDef):
            found = self.scope.get(pair.new.node.name)
            return found if isinstance(found, type) else None
        return None

    def _graft_pairs(
        self,
        pair: Pair,
        old: Sequence[types.CodeType],
        new: Sequence[types.CodeType],
        skip: types.FunctionType | None = None,
        also: Callable[[types.FunctionType], None] | None = None,
    ) -> None:
        assert pair.new is not None
        owner = self.scope.owner if self.scope.owner is not None else self._class_of(pair)
        self.run.search.fits.update(fits_for(pair.new.located(), old, new, self.scope, owner))
        mapping = list(pair_codes(old, new))
        named = by_code([self.scope.get(name) for name in pair.new.binds], self.work.name)
        running: dict[int, int] | None = None
        import sys

        for before, after in mapping:
            found = named.get(id(before), [])
            edited = not same_code(before, after)
            for function in found:
                if function is not skip:
                    self.run.search.graft(function, after)
                    if also is not None:
                        also(function)
                    if edited:
                        self._grafted(_label(before), function, before, after)
                        self._follow(pair, function, {"__doc__": (function.__doc__, new_doc(function, after))})
            if edited and not found and after in new:
                self._graft_foreign(pair, before, after)
            others = list(variants_of(before))
            if others or sys.getrefcount(before) - _AT_REST > len(found):
                running = frames_by_code() if running is None else running
                if others or sys.getrefcount(before) - _AT_REST > len(found) + running.get(id(before), 0):
                    self.run.search.want(before, after, self._tell(before, after, edited, skip, also))
            if edited:
                self.run.search.replaced += [(before, after), *((other, after) for other in others)]

    def _follow(self, pair: Pair, function: types.FunctionType, facts: Facts) -> None:
        for name in pair.statement.binds:
            follow(self.tx, self.scope.get(name), function, self.work.name, facts)

    def _graft_foreign(self, pair: Pair, before: types.CodeType, after: types.CodeType) -> None:
        """Somebody gave the function other code than its source has (a rewriter, a debugger): the edit counts."""
        for name in pair.statement.binds:
            for function in functions_in(self.scope.get(name), self.work.name):
                ours = function.__globals__ is self.scope.namespace and function.__qualname__ == before.co_qualname
                foreign = forwarded_to(function) is None and not self._is_known(origin_of(function.__code__))
                if ours and foreign and function.__code__.co_freevars == after.co_freevars:
                    self.run.search.graft(function, after)
                    self._grafted(_label(before), function, function.__code__, after)
                    self.run.notes.append(
                        f"{self.work.name}.{_label(before)}: its running code was not its source's; the edit counts"
                    )

    def _is_known(self, code: types.CodeType) -> bool:
        """Whether the module's source gave this code object, in its old version or the new one."""
        for statement in self.work.old.text.statements:
            if code.co_qualname.partition(".")[0] in statement.binds:
                self.work.old.roots.get(statement)  # found when asked for
        roots = [*self.work.old.roots.values(), *self.work.roots.values(), tuple(self.run.search.fresh())]
        return any(code is inner for codes in roots for root in codes for inner in with_nested(root))

    def _tell(self, before: types.CodeType, after: types.CodeType, edited: bool, skip: Any, also: Any) -> Any:
        def done(function: types.FunctionType, taken: bool) -> None:
            if function is skip:
                return
            if also is not None and taken:
                also(function)
            if not taken:
                name = _label(before)
                self.run.notes.append(
                    f"{self.work.name}.{name}: a live closure keeps its old code: what it would capture cannot be had"
                )
            elif edited:
                self._grafted(_label(before), function, before, after)

        return done

    def _grafted(self, label: str, function: types.FunctionType, old: types.CodeType, new: types.CodeType) -> None:
        self.work.record.grafted[label] = None
        own, within = own_code_differs(old, new), inner_code_differs(old, new)
        self.changes.code_changed((self.work.name, label), function, own, within)
        self.work.loaded.mention(frozenset(new.co_names))

    # -- values -----------------------------------------------------------------------------------

    def _run_value(self, pair: Pair) -> None:
        statement = pair.new
        assert statement is not None
        before = {name: self.scope.get(name) for name in statement.binds}
        if is_state(statement, self.scope.namespace) and all(old is not ABSENT for old in before.values()):
            self._keep_state(statement, "its own statement")
            return
        derived = is_derived(statement, self.scope.namespace)
        untouched = {name: derived or self._untouched(name, pair) for name in before if name not in self.building}
        given = self._defined_before(statement)
        if given and not only_binds(statement):
            self.run.before_call()
            self._guard_named(statement)
        alone = self._bound_only_by(pair)
        if given or (only_binds(statement) and not alone & statement.reads):
            made, roots = self._aside([statement.located()], given, pair)
            self._lose_unbound(pair, alone - made.keys())
        else:
            made, roots = self._live(pair, before, alone)
        self.roots[statement] = roots
        self.work.record.ran[statement.name if not statement.binds else self._labels(statement.binds)] = None
        for name, value in made.items():
            if name in self.building or name not in before:
                self.scope.set(name, value)
            elif name in given and self._wraps_as(before[name], given[name], value):
                self.scope.set(name, before[name])
                self.work.record.grafted[self.scope.label(name)] = None
            else:
                self._settle(name, before[name], value, pair, untouched.get(name, False))
        if self._old(pair):
            # Last: what a name held may act as another function of the statement by now.
            self._graft_pairs(pair, self._old(pair), roots)

    def _defined_before(self, statement: Statement) -> dict[str, Any]:
        """For `f = decorate(f)`: the function that the definition above made, which the name no longer leads to."""
        given: dict[str, Any] = {}
        for name, maker in self._makers(statement):
            self._swap_roots(maker)
            function = self._inner_function(Pair("changed", maker.old or maker.new, maker.new))
            if function is not None:
                given[name] = function
        for name in self._read_from_outside(statement):
            outer = self.scope.namespace if isinstance(self.scope, ClassScope) else vars(builtins)
            value = outer.get(name, getattr(builtins, name, ABSENT))
            if value is not ABSENT:
                given[name] = value
        return given

    def _read_from_outside(self, statement: Statement) -> Iterator[str]:
        """Names that `statement` reads from around its scope and binds in it: `print = loud(print)`."""
        if self.in_block or statement.is_block:
            return
        for name in statement.binds & statement.reads:
            others = (pair.new for pair in self.siblings if pair.new is not None and pair.new is not statement)
            if not isinstance(statement.node, ast.AugAssign) and not any(name in other.binds for other in others):
                yield name

    def _wraps_as(self, old: Any, function: types.FunctionType, new: Any) -> bool:
        """Make what `f = decorate(f)` gave before act as what it gives now."""
        wraps = any(inner is function for inner in functions_in(old, self.work.name))
        return wraps and old is not function and become(self.tx, old, new)

    def _makers(self, statement: Statement) -> Iterator[tuple[str, Pair]]:
        """Names that `statement` reads and binds, with the function definition that bound each before it."""
        for name in statement.binds & statement.reads:
            above = itertools.takewhile(lambda pair: pair.new is not statement, self.siblings)
            makers = [pair for pair in above if pair.new is not None and name in pair.new.binds]
            if makers and makers[-1].statement.is_def:
                yield name, makers[-1]

    def _guard_named(self, statement: Statement) -> None:
        """What the statement names may get attributes from it: `f.version = 2`, `setattr(C, ...)`, `setup(app)`."""
        for name in statement.reads:
            value = self.scope.namespace.get(name)
            if isinstance(value, types.ModuleType):
                if value.__name__ in self.run.program.notebook.modules:
                    self.tx.guard(vars(value))
            elif value is not None and self.run.program.owns(value if callable(value) else type(value)):
                self.tx.guard_object(value)

    def _labels(self, names: Iterable[str]) -> str:
        return ", ".join(self.scope.label(name) for name in sorted(names))

    def _live(
        self, pair: Pair, before: Mapping[str, Any], alone: frozenset[str]
    ) -> tuple[dict[str, Any], tuple[types.CodeType, ...]]:
        """Run it where the module's top level ran; what it bound is then settled as if it had been prepared aside."""
        assert pair.new is not None
        self.run.before_call()
        self._guard_named(pair.new)
        guard_targets(self, pair.new)
        watched = Watched(alone, self.scope.namespace)
        node = watched.rewritten(pair.new.located()) if watched.names else pair.new.located()
        code = watched.linked(self.scope.compile([node]))
        self.scope.run(code)
        made = {}
        for name in [*before, *(watched.names - before.keys())]:
            value = self.scope.get(name)
            if value is not ABSENT and (name not in watched.names or name in watched.bound):
                made[name] = value
        self._lose_unbound(pair, watched.names - watched.bound)
        return made, tuple(nested_codes(code))

    def _lose_unbound(self, pair: Pair, names: Collection[str]) -> None:
        """Names that a block bound in its old version, and did not bind this time."""
        for name in sorted(names):
            value = self.scope.get(name)
            if value is not ABSENT and pair.old is not None and name in pair.old.binds:
                self.lose(name, value)

    def _bound_only_by(self, pair: Pair) -> frozenset[str]:
        """Names that a block of the module binds, in either version, and no other statement."""
        if not isinstance(self.scope, ModuleScope) or self.in_block or pair.old is None or not pair.statement.is_block:
            return frozenset()
        others = (p.new for p in self.siblings if p.new is not None and p.new is not pair.new)
        within = {n.target.id for n in ast.walk(pair.statement.node) if isinstance(n, ast.NamedExpr)}
        return (pair.old.binds | pair.statement.binds).difference(within, *(other.binds for other in others))

    def _settle(self, name: str, old: Any, new: Any, pair: Pair, untouched: bool) -> None:
        """Bind `name` to its new value, keeping the identity of the old one where it can act as the new."""
        if old is not ABSENT and pair.old is not None and name in pair.old.binds:
            if self._settle_value(name, old, new, untouched):
                return
            if self._acts_as(pair, old, new):
                self.scope.set(name, old)
                self.work.record.grafted[self.scope.label(name)] = None
                return
        self._rebind(name, old, new)

    def _settle_value(self, name: str, old: Any, new: Any, untouched: bool) -> bool:
        """An equal value changes nothing; an untouched container is filled anew in place."""
        if same_value(old, new):
            self.scope.set(name, old)
            was = before_in_place(old, self.changes.in_place)
            if was is not old:
                self.changes.value_changed(self.scope.key(name), was)
            return True
        if not (is_container(old) and type(new) is type(old) and untouched):
            return False
        self.changes.value_changed(self.scope.key(name), self.changes.fill(old, new))
        self.tx.later(lambda: self.tx.set_contents(old, new))
        self.scope.set(name, old)
        self.work.record.rebound[self.scope.label(name)] = None
        return True

    def _rebind(self, name: str, old: Any, new: Any) -> None:
        key = self.scope.key(name)
        self._tell_of_another(name, old, new)
        self.scope.set(name, new)
        self.changes.value_changed(key, old)

    def _tell_of_another(self, name: str, old: Any, new: Any) -> None:
        """A definition has no successor that could keep its identity: said, for who holds it holds the old one."""
        if old is new or not isinstance(new, (types.FunctionType, type)) or not _is_made_in(old, self.work.name):
            return
        if isinstance(old, type) or forwarded_to(old) is None:
            label = f"{self.work.name}.{self.scope.label(name)}"
            self.run.notes.append(f"{label} is another object now; who holds the old one keeps that")

    def _acts_as(self, pair: Pair, old: Any, new: Any) -> bool:
        if isinstance(old, types.FunctionType):
            ours = old.__globals__ is self.scope.namespace or old.__module__ == self.work.name
            if ours and isinstance(new, types.FunctionType) and old.__name__ == new.__name__:
                return become(self.tx, old, new)
            if not self._made_here(pair, old):
                return False
            if isinstance(new, types.FunctionType) and any(
                new.__code__ is code for code in self.roots.get(pair.statement, ())
            ):
                return become(self.tx, old, new)
            if callable(new):
                forward(self.tx, old, new)
            return False
        if isinstance(old, type) or isinstance(new, type):
            return False
        return not isinstance(old, (types.MethodType,)) and become(self.tx, old, new) if _is_wrapper(old) else False

    def _before(self) -> Before:
        return Before(self.scope.namespace, self.work.name, self.changes.values)

    def _untouched(self, name: str, pair: Pair) -> bool:
        """Whether the value is still what the old source gave."""
        return self._is_as_made(name, self._old_groups.of(pair.old).statements if pair.old is not None else ())

    @property
    def _old_groups(self) -> Groups:
        return self._grouped("old", [p.old for p in self.siblings if p.old is not None])

    @property
    def _new_groups(self) -> Groups:
        return self._grouped("new", [p.new for p in self.siblings if p.new is not None])

    def _grouped(self, which: str, statements: Sequence[Statement]) -> Groups:
        held = self._groups.get(which)
        if held is None or held[0] is not self.siblings:
            ordered = sorted(statements, key=lambda s: s.first) if which == "old" else statements
            held = self._groups[which] = (self.siblings, Groups(ordered))
        return held[1]

    def _is_as_made(self, name: str, statements: Sequence[Statement]) -> bool:
        current = self.scope.get(name)
        if current is ABSENT:
            return False
        if isinstance(self.scope, ModuleScope):
            made = self.work.loaded.made.get(name, ABSENT)
            if made is current or (made is not ABSENT and not is_container(current) and same_value(made, current)):
                return True
        given = rebuilt(self.scope, statements, name, self._before())
        return given is not ABSENT and same_value(given, current, self.changes.in_place)

    def _rebuilds(self, pairs: Sequence[Pair]) -> tuple[set[Statement], dict[Statement, list[str]]]:
        """Statements that run because one that builds the same value was edited; and where each value is whole."""
        self.siblings = pairs
        again: set[Statement] = set()
        last: dict[Statement, list[str]] = {}
        ran = [p.new for p in pairs if p.kind in ("changed", "added") and p.new is not None]
        went = [p.old for p in pairs if p.kind in ("changed", "removed") and p.old is not None]
        if not ran and not went:
            return again, last
        olds, news = self._old_groups, self._new_groups
        edited = {name for s in ran for name in news.names(s)} | {name for s in went for name in olds.names(s)}
        for name in sorted(edited & olds.builders.keys() & news.builders.keys()):
            if name in self.building:
                continue
            old, new = olds.of(olds.builders[name][0]), news.of(news.builders[name][0])
            names = old.names & new.names
            if len(old.statements) + len(new.statements) < 3 or name not in names:
                continue
            if all(self._is_as_made(each, old.statements) for each in names):
                again.update(new.statements)
                self.building.update({each: self.scope.get(each) for each in names})
                last.setdefault(new.statements[-1], []).extend(sorted(names))
        return again, last

    def _finish_building(self, statement: Statement, last: Mapping[Statement, list[str]]) -> None:
        for name in last.get(statement, ()):
            old, new = self.building.pop(name), self.scope.get(name)
            if not self._settle_value(name, old, new, True):
                self._rebind(name, old, new)

    # -- imports ----------------------------------------------------------------------------------

    def _run_import(self, pair: Pair) -> None:
        assert pair.new is not None
        package = hasattr(self.work.loaded.module, "__path__")
        self.run.take_first(sorted(modules_imported(pair.new, self.work.name, package)))
        self.run.before_call()
        before = {name: self.scope.get(name) for name in pair.new.binds}
        code = self.scope.compile([pair.new.located()])
        with self.run.imports():
            if pair.old is not None and pair.old.is_import:
                kept, node = self._new_names(pair)
                if node is None:
                    return
                code = self.scope.compile([node])
                before = {name: old for name, old in before.items() if name not in kept}
            self.scope.run(code)
            self.run.moves.arrivals(self.run)
        for name, old in before.items():
            if name != "*" and self.scope.get(name) is not old:
                self._tell_of_another(name, old, self.scope.get(name))
                self.work.record.ran[self.scope.label(name)] = None
                self.changes.value_changed(self.scope.key(name), old)

    def _new_names(self, pair: Pair) -> tuple[set[str], ast.stmt | None]:
        """An import line that gained names: those it had are not bound again."""
        assert pair.old is not None and pair.new is not None
        old, new = pair.old.node, pair.new.located()
        if not isinstance(old, ast.ImportFrom) or not isinstance(new, ast.ImportFrom):
            return set(), new
        had = {(a.name, a.asname) for a in old.names}
        fresh = [a for a in new.names if (a.name, a.asname) not in had or a.name == "*"]
        kept = {a.asname or a.name for a in new.names} - {a.asname or a.name for a in fresh}
        if not fresh:
            return kept, None
        node = ast.copy_location(ast.ImportFrom(new.module, fresh, new.level), new)
        return kept, node

    # -- what is stale ----------------------------------------------------------------------------

    def _refresh_pair(self, pair: Pair) -> None:
        statement = pair.new
        assert statement is not None
        refresh_aliases(self, statement)
        if self.work.reran.get(statement, 0) >= 3:
            return
        causes = self.changes.causes(self.work, statement, self.scope.prefix)
        if statement.is_class and (causes or header_causes(self, statement) or self._class_imports_change(statement)):
            refresh_class(self, pair)
            return
        if not causes or statement.is_import:
            return
        if statement.is_block and not isinstance(statement.node, (ast.For, ast.While, ast.AsyncFor)):
            self._refresh_block(pair)
            return
        if statement in self.work.reran:
            return
        if statement.is_def:
            self._refresh_function(pair, causes)
        else:
            self._refresh_value(pair, causes)

    def _refresh_function(self, pair: Pair, causes: Sequence[str]) -> None:
        assert pair.new is not None
        node = pair.new.node
        values = {c.split(".")[0] for c in causes}
        called = values & decorator_names(node)
        direct = self._stale_decorators(pair.new) & called
        if called and not direct and not (values - called):
            return
        source = Pair("changed", pair.old or pair.new, pair.new)
        keep = [c for c in causes if c.split(".")[0] not in called or c.split(".")[0] in direct]
        self._swap_roots(pair)
        self._run(source, keep)

    def _stale_decorators(self, statement: Statement) -> set[str]:
        """Names in the decorators of a definition that hold something else now, or whose own code was edited."""
        flowed = {c.split(".")[0] for c in self.changes.value_causes(self.work, statement, self.scope.prefix)}
        factories = factory_names(statement.node)
        names = decorator_names(statement.node)
        return {name for name in names if name in flowed or self._decorator_edited(name, name in factories)}

    def _decorator_edited(self, name: str, factory: bool = False) -> bool:
        """A decorator's own code or an argument's value was edited; functions inside it are only grafted. Of a factory
        what it returns is the decorator."""
        if self.scope.key(name) in self.changes.values or (self.work.name, name) in self.changes.values:
            return True
        value = self.scope.namespace.get(name)
        makers = [value] if not isinstance(value, type) else [vars(value).get("__init__"), vars(value).get("__call__")]
        if isinstance(value, types.ModuleType):
            return any(isinstance(v, types.FunctionType) and id(v) in self.changes.own for v in vars(value).values())
        edited = self.changes.own.keys() | (self.changes.within.keys() if factory else ())
        return any(id(maker) in edited for maker in makers)

    def _swap_roots(self, pair: Pair) -> None:
        """The statement was grafted in this reload already: what its functions run now is the new code."""
        assert pair.new is not None
        self.run.search.finish()
        self.tx.flush()
        if pair.new in self.roots:
            self.old_roots = but(self.old_roots, pair.old or pair.new, self.roots[pair.new])

    def _refresh_value(self, pair: Pair, causes: Sequence[str]) -> None:
        statement = pair.new
        assert statement is not None
        if self._decorates_class(statement) or self._decorates_function(statement):
            if self._decorates_class(statement) or self._new_decorator(statement, causes):
                self._swap_roots(pair)
                self.run_statement(pair)
            return
        group = (
            self._new_groups.of(statement)
            if statement in self._new_groups.statements
            else Group((statement,), statement.binds)
        )
        if not group.names:
            self._refresh_effect(pair, causes)
            return
        if is_state(statement, self.scope.namespace):
            touched = sorted(group.names)
        elif is_derived(statement, self.scope.namespace):
            touched = []
        else:
            touched = [name for name in sorted(group.names) if not self._fits(name, group)]
        for name in touched:
            self.run.keep(self.work, self.scope.label(name), causes)
        if not touched and not self._only_inner_code(statement, group, causes):
            self._rebuild_group(pair, group)

    def decorate_again(self, made: Statement) -> None:
        """The class that `made` binds was made again: what later unedited statements gave it, they give it again."""
        later = False
        for pair in self.siblings:
            if pair.new is made:
                later = True
            elif later and pair.new is not None and not pair.edited and made.name in pair.new.binds:
                if self._decorates_class(pair.new) and self.work.reran.get(pair.new, 0) < 3:
                    self._swap_roots(pair)
                    self.run_statement(pair)

    def _decorates_class(self, statement: Statement) -> bool:
        """`C = decorate(C)`: what a decorator does, written out; it gives the class what its body does not."""
        names = statement.binds
        return bool(names) and names <= statement.reads and all(isinstance(self.scope.get(n), type) for n in names)

    def _decorates_function(self, statement: Statement) -> bool:
        """`f = decorate(f)` after the definition of `f`."""
        return any(True for _ in self._makers(statement))

    def _new_decorator(self, statement: Statement, causes: Sequence[str]) -> bool:
        """Whether one of `causes` is a decorator's own code or a value; a body that was edited is grafted."""
        flowed = self.changes.value_causes(self.work, statement, self.scope.prefix)
        roots = {cause.split(".")[0] for cause in causes} - statement.binds
        made = {name for call in ast.walk(statement.node) if isinstance(call, ast.Call) for name in _made_by(call.func)}
        edited = (self._decorator_edited(root, root in made) for root in roots)
        return any(cause in flowed for cause in causes) or any(edited)

    def _only_inner_code(self, statement: Statement, group: Group, causes: Sequence[str]) -> bool:
        """A closure that lives got its new code already, and keeps what it captured, unless its maker's own code or
        a value changed."""
        if not all(isinstance(self.scope.get(name), types.FunctionType) for name in group.names):
            return False
        if self.changes.value_causes(self.work, statement, self.scope.prefix):
            return False
        makers = [resolve(self.scope.namespace, cause.split(".")) for cause in causes]
        return bool(makers) and not any(id(maker) in self.changes.own for maker in makers)

    def _fits(self, name: str, group: Group) -> bool:
        """Whether a value may be made again: it is the one that its statements made, and data, code or a class."""
        current = self.scope.get(name)
        if isinstance(current, (types.FunctionType, types.MethodType, type)) or _is_wrapper(current):
            return True
        return (is_container(current) or is_derived_kind(current)) and self._is_as_made(name, group.statements)

    def _refresh_effect(self, pair: Pair, causes: Sequence[str]) -> None:
        """A side effect that nobody edited does not happen twice; an annotation alone is no side effect."""
        assert pair.new is not None
        if isinstance(pair.new.node, ast.AnnAssign):
            self.work.reran[pair.new] = self.work.reran.get(pair.new, 0) + 1
            self._run_value(Pair("changed", pair.old or pair.new, pair.new))
            return
        if self.work.record.ran.keys() & {pair.new.name} or not _does_something(pair.new.node):
            return
        values = self.changes.value_causes(self.work, pair.new, self.scope.prefix)
        causes = [cause for cause in causes if cause in values or cause in _callees(pair.new.node)]
        if refresh_attributes(self, pair, causes) or not causes:
            return
        what = ", ".join(f"`{cause}`" for cause in causes)
        self.run.notes.append(f"{self.work.name}:{pair.new.first} did not run again: it used {what}, which changed")

    def run_statement(self, pair: Pair) -> None:
        """Run it again as it stands."""
        assert pair.new is not None
        self.work.reran[pair.new] = self.work.reran.get(pair.new, 0) + 1
        self._run_value(Pair("changed", pair.old or pair.new, pair.new))

    def _rebuild_group(self, pair: Pair, group: Group) -> None:
        self._swap_roots(pair)
        if len(group.statements) == 1:
            self.work.reran[group.statements[0]] = self.work.reran.get(group.statements[0], 0) + 1
            self._run_value(Pair("changed", pair.old or pair.new, pair.new))
            return
        self.building.update({name: self.scope.get(name) for name in group.names})
        for statement in group.statements:
            self.work.reran[statement] = self.work.reran.get(statement, 0) + 1
            self._run_value(Pair("changed", statement, statement))
        for name in sorted(group.names):
            old, new = self.building.pop(name), self.scope.get(name)
            if not self._settle_value(name, old, new, True):
                self._rebind(name, old, new)

    # -- blocks and classes -------------------------------------------------------------------------

    def _run_class(self, pair: Pair) -> None:
        graft_class_statement(self, pair)

    def _parts(self, statement: Statement | None, lines: Sequence[str], name: str) -> list[Statement]:
        if statement is None:
            return []
        node = statement.node
        if name == "handlers":
            body = [inner for handler in getattr(node, "handlers", ()) for inner in handler.body]
        else:
            body = getattr(node, name, [])
        return list(self.work.inside(statement, name, body, lines))

    def _block_pairs(self, pair: Pair) -> list[tuple[str, list[Pair]]]:
        old_lines, new_lines = self.work.old.text.lines, self.work.text.lines
        out = []
        for part in ("body", "handlers", "orelse", "finalbody"):
            old, new = self._parts(pair.old, old_lines, part), self._parts(pair.new, new_lines, part)
            if old or new:
                out.append((part, self.work.match(old, new)))
        return out

    def _inner_runner(self, pair: Pair, pairs: Sequence[Pair]) -> Runner:
        from midflight.apply.parsed import by_first

        roots: Roots = {}
        olds = by_first([p.old for p in pairs if p.old is not None], list(self._old(pair)))
        inner = Runner(self.run, self.work, self.scope, roots, olds)
        inner.siblings, inner.going, inner.bound_around = pairs, self.going, frozenset(self.bound)
        inner.in_block = True
        return inner

    def _run_block(self, pair: Pair) -> None:
        """An edited `if`, `try` or `with`: matched inside, where that cannot change which way it goes."""
        from midflight.apply.blocks import run_block

        run_block(self, pair)

    def _refresh_block(self, pair: Pair) -> None:
        from midflight.apply.blocks import refresh_block

        refresh_block(self, pair)


def _graft(tx: Transaction, old: types.FunctionType, new: types.FunctionType, fits: Fits) -> None:
    graft_function(tx, old, new, fits)


def _undecorated(function: Any) -> Any:
    return function


def _function_codes(codes: Iterable[types.CodeType]) -> list[types.CodeType]:
    """Code of functions among `codes`, also behind the scope of type parameters."""
    out = []
    for code in codes:
        out.append(code)
        if code.co_name.startswith("<generic parameters"):
            out += nested_codes(code)
    return out


def _made_by(function: ast.expr) -> set[str]:
    """Names in a call whose result is called: `make(1)(f)`."""
    return {n.id for n in ast.walk(function) if isinstance(n, ast.Name)} if isinstance(function, ast.Call) else set()


def _is_going(pair: Pair) -> bool:
    """Whether what the old version of a statement defined may go on elsewhere in the new text."""
    assert pair.old is not None
    return pair.edited and (pair.old.is_block if pair.new is not None else True)


def _returning(pairs: Sequence[Pair]) -> set[Statement]:
    """Unedited function definitions that are the last to bind their name now and were not before."""
    old_last = {name: pair.old for pair in _by_line(pairs, "old") for name in pair.old.binds}  # type: ignore[union-attr]
    new_last = {name: pair for pair in _by_line(pairs, "new") for name in pair.new.binds}  # type: ignore[union-attr]
    return {
        pair.new
        for name, pair in new_last.items()
        if pair.new is not None and pair.new.is_def and pair.old is not None and pair.kind not in ("changed", "added")
        if name in old_last and old_last[name] is not pair.old
    }


def _by_line(pairs: Sequence[Pair], version: str) -> list[Pair]:
    return sorted((p for p in pairs if getattr(p, version) is not None), key=lambda p: getattr(p, version).first)


def annotated(statement: Statement) -> list[str]:
    """Names that a statement annotates, in order, also inside blocks."""
    return [
        child.target.id
        for child in walk_scope(statement.node)
        if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name)
    ]


def with_nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for nested in nested_codes(code):
        yield from with_nested(nested)


def _label(code: types.CodeType) -> str:
    return code.co_qualname.replace(".<locals>", "")


def _annotated(statement: Statement) -> set[str]:
    node = statement.node
    return {node.target.id} if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else set()


def _has_effect(statement: Statement) -> bool:
    """Whether running it does something else than to build values."""
    if not statement.binds:
        return _does_something(statement.node)
    calls = (n.value for n in walk_scope(statement.node) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call))
    roots = ({n.id for n in ast.walk(call.func) if isinstance(n, ast.Name)} for call in calls)
    return statement.is_block and any(not names & built_names(statement) for names in roots)


def _does_something(node: ast.stmt) -> bool:
    return not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _callees(node: ast.stmt) -> set[str]:
    """What a statement calls, by name or attribute chain."""
    return {ast.unparse(c.func) for c in ast.walk(node) if isinstance(c, ast.Call)}


def _is_made_in(value: Any, module: str) -> bool:
    return isinstance(value, (types.FunctionType, type)) and made_in(value, module)


def _is_wrapper(value: Any) -> bool:
    if isinstance(value, (operator.itemgetter, operator.attrgetter, operator.methodcaller)):
        return True
    kinds = (functools.partial, property, staticmethod, classmethod, functools.cached_property, functools.partialmethod)
    return isinstance(value, kinds) or hasattr(value, "cache_parameters")


def _innermost(value: Any, name: str) -> Any:
    for function in functions_in(value, ""):
        if function.__name__ == name:
            return function
    return value


def _default_slots(node: Any) -> list[tuple[str, ast.expr, Any]]:
    """(parameter, default, a function that puts another expression in its place)."""
    arguments = node.args
    names = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
    first = len(names) - len(arguments.defaults)
    out: list[tuple[str, ast.expr, Any]] = []
    for at, default in enumerate(arguments.defaults):
        out.append((names[first + at], default, _setter(arguments.defaults, at)))
    for at, default in enumerate(arguments.kw_defaults):
        if default is not None:
            out.append((arguments.kwonlyargs[at].arg, default, _setter(arguments.kw_defaults, at)))
    return out


def _setter(items: list[Any], at: int) -> Any:
    def replace(node: ast.expr) -> None:
        items[at] = node

    return replace


def _defaults_by_name(node: Any, function: types.FunctionType) -> dict[str, tuple[str, Any]]:
    """Parameter → (its default's source as a tree, the object that lives)."""
    held: dict[str, tuple[str, Any]] = {}
    arguments = node.args
    names = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
    values = function.__defaults__ or ()
    if len(values) == len(arguments.defaults):
        for name, default, value in zip(names[len(names) - len(values) :], arguments.defaults, values, strict=True):
            held[name] = (ast.dump(default), value)
    by_name = function.__kwdefaults__ or {}
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None and argument.arg in by_name:
            held[argument.arg] = (ast.dump(default), by_name[argument.arg])
    return held
