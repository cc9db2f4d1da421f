"""Old and new Statements → Pairs: which statement is which, and what became of it. Pure."""

from __future__ import annotations

import ast
import copy
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from midflight.plan.nodes import FUNCTIONS, walk, walk_scope
from midflight.plan.statements import (
    BLOCKS,
    Statement,
    bound_names,
    fingerprint,
    mutated_names,
    names_asked_for,
    same_trees,
    split,
)

PairKind = Literal["same", "moved", "annotated", "bodies", "changed", "added", "removed"]
IN_PLACE = frozenset({"same", "moved", "bodies"})


@dataclass(slots=True, eq=False)  # not frozen, which would make each of a module's pairs cost four times as much
class Pair:
    """One statement in both versions; never changed. `bodies`: only code inside functions differs, so it need not run
    again; `annotated`: only its annotation does, or what that gives under another `from __future__` line."""

    kind: PairKind
    old: Statement | None
    new: Statement | None

    @property
    def edited(self) -> bool:
        return self.kind not in ("same", "moved")

    @property
    def in_place(self) -> bool:
        """Whether it binds what it bound, as it did: nothing of it but code inside functions can differ."""
        return self.kind in IN_PLACE

    def elsewhere(self) -> Pair:
        """The same, in another file."""
        return Pair("moved", self.old, self.new) if self.kind == "same" else self

    @property
    def statement(self) -> Statement:
        found = self.new or self.old
        assert found is not None
        return found


def match(old: Sequence[Statement], new: Sequence[Statement]) -> list[Pair]:
    """A Pair for each new statement, in the new order, then one for each that is gone.

    What lies outside the edited region is not even parsed again, so it is itself. Then what a statement is counts
    (equal ones belong together wherever they stand), then what it binds (of several functions of one name, such as
    overloads or a property's, those with equal decorators), then the head of a block. Of several with one key, the
    first belongs to the first."""
    head, tail = _untouched(old, new)
    middle = _match(old[head : len(old) - tail], new[head : len(new) - tail])
    gone = [pair for pair in middle if pair.new is None]
    moved: PairKind = "moved" if tail and old[-1].first != new[-1].first else "same"
    before = [Pair("same", one, one) for one in old[:head]]
    after = [Pair(moved, *each) for each in zip(old[len(old) - tail :], new[len(new) - tail :], strict=True)]
    return [*before, *(pair for pair in middle if pair.new is not None), *after, *gone]


def _untouched(old: Sequence[Statement], new: Sequence[Statement]) -> tuple[int, int]:
    """How many statements at the start and at the end are still the ones they were, those at the end perhaps on other
    lines."""
    most = min(len(old), len(new))
    head = next((index for index in range(most) if old[index] is not new[index]), most)
    rest = zip(reversed(old[head:]), reversed(new[head:]), strict=False)
    return head, next(
        (count for count, (a, b) in enumerate(rest) if a is not b and a.identity != b.identity), most - head
    )


def _match(old: Sequence[Statement], new: Sequence[Statement]) -> list[Pair]:
    if len(old) == len(new) == 1 and new[0].has_header_of(old[0]):
        return [_pair(old[0], new[0])]
    partner: dict[Statement, Statement] = {}
    left, right = list(old), list(new)
    for key in (_identity, _text, _exact, _signed, *_LOOSE):
        if not left or not right:
            break
        if key is _exact:
            left, right = _pair_up(left, right, _only_of_its_name(left, right), partner)
        if key is _exact and len(left) == len(right) == 1 and _alike(left[0], right[0]):
            partner[right.pop()] = left.pop()  # the usual edit: what they are in full need not be written out
            break
        left, right = _pair_up(left, right, key, partner)
    pairs = [_pair(partner.get(statement), statement) for statement in new]
    gone = set(left)
    return pairs + [Pair("removed", statement, None) for statement in old if statement in gone]


def _alike(old: Statement, new: Statement) -> bool:
    keys = ((key(old), key(new)) for key in _LOOSE)
    return any(one == other and one is not None for one, other in keys)


def compiled_anew(pair: Pair) -> Pair:
    """`pair` under another `from __future__` line, which is part of every statement's text."""
    if not pair.in_place:
        return pair
    if isinstance(pair.statement.node, ast.AnnAssign):
        return Pair("annotated", pair.old, pair.new)
    defined = (*FUNCTIONS, ast.ClassDef, ast.If, ast.Try, ast.With, ast.Match)
    return Pair("changed", pair.old, pair.new) if isinstance(pair.statement.node, defined) else pair


def _pair_up(
    old: Iterable[Statement],
    new: Iterable[Statement],
    key: Callable[[Statement], Hashable],
    partner: dict[Statement, Statement],
) -> tuple[list[Statement], list[Statement]]:
    waiting: dict[Hashable, deque[Statement]] = defaultdict(deque)
    for statement in old:
        waiting[key(statement)].append(statement)
    rest = []
    for statement in new:
        what = key(statement)
        if what is not None and waiting.get(what):
            partner[statement] = waiting[what].popleft()
        else:
            rest.append(statement)
    left = [s for queue in waiting.values() for s in queue]
    left.sort(key=lambda s: s.first)
    return left, rest


def _identity(statement: Statement) -> Hashable:
    return statement.identity


def _text(statement: Statement) -> Hashable:
    """Equal texts are equal statements, at a fraction of what writing them out costs."""
    return statement.text


def _only_of_its_name(*versions: Sequence[Statement]) -> Callable[[Statement], Hashable]:
    """A key for definitions whose name nothing else binds in either version. They are versions of one another, also
    where they are equal: to write them out in full would tell no more."""
    bound = [Counter(name for one in statements for name in one.binds) for statements in versions]

    def key(statement: Statement) -> Hashable:
        if not (statement.is_def or statement.is_class):
            return None
        name = statement.node.name  # type: ignore[attr-defined]
        return (statement.type, name) if all(counts[name] == 1 for counts in bound) else None

    return key


def _exact(statement: Statement) -> Hashable:
    return statement.print


def _signed(statement: Statement) -> Hashable:
    """Of several functions of one name and one decorator, such as those of a generic function, the parameters tell."""
    node = statement.node
    return (_decorated(statement), fingerprint(node.args)) if isinstance(node, FUNCTIONS) else None


def _decorated(statement: Statement) -> Hashable:
    node = statement.node
    if not isinstance(node, FUNCTIONS):
        return None
    return (node.name, *map(fingerprint, node.decorator_list))


def _binding(statement: Statement) -> Hashable:
    """What it binds: a def, a class and an assignment of one name are versions of one statement."""
    node = statement.node
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return node.name
    if isinstance(node, (ast.Assign, ast.AnnAssign)) or type(node).__name__ == "TypeAlias":
        names = sorted(statement.binds)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        return names[0] if len(names) == 1 else tuple(names) or None
    if isinstance(node, ast.AugAssign):
        return ("aug", ast.dump(node.target))
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return _import_key(node)
    return None


def _import_key(node: ast.Import | ast.ImportFrom) -> Hashable:
    if isinstance(node, ast.ImportFrom):
        return ("from", node.level, node.module)
    return ("import", node.names[0].name, node.names[0].asname)


def _block_head(statement: Statement) -> Hashable:
    """What a block asks before it runs its body."""
    node = statement.node
    if isinstance(node, ast.If):
        return ("if", fingerprint(node.test))
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return ("with", *map(fingerprint, node.items))
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return ("for", fingerprint(node.target), fingerprint(node.iter))
    if isinstance(node, ast.While):
        return ("while", fingerprint(node.test))
    if isinstance(node, ast.Match):
        return ("match", fingerprint(node.subject))
    if isinstance(node, (ast.Try, ast.TryStar)):
        return ("try", tuple(sorted(statement.binds)))
    return None


def _called(statement: Statement) -> Hashable:
    """What a call that binds nothing is but for the code in it: `signal.connect(lambda: 1)`."""
    node = statement.node
    return statement.shell if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None


def _target(statement: Statement) -> Hashable:
    """The last resort: blocks of one kind in their order, and assignments to the same item or attribute."""
    node = statement.node
    if isinstance(node, (ast.Try, ast.TryStar, ast.If, ast.With, ast.Match, ast.For, ast.While)):
        return type(node).__name__
    if isinstance(node, ast.Assign) and not statement.binds:
        return ("item", *(ast.dump(t) for t in node.targets))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return "docstring"
    return None


_LOOSE = (_decorated, _binding, _block_head, _called, _target)  # versions of one statement, the surest first


def _pair(old: Statement | None, new: Statement) -> Pair:
    if old is None:
        return Pair("added", None, new)
    if old.identity == new.identity or ((old.text == new.text or not old.has_header_of(new)) and same_trees(old, new)):
        return Pair("same" if old.first == new.first and old.text == new.text else "moved", old, new)
    if old.type is new.type and same_trees(old, new, bodies=False):
        return Pair("bodies", old, new)
    return Pair("annotated" if _gives_what_it_gave(old.node, new.node) else "changed", old, new)


def _gives_what_it_gave(old: ast.stmt, new: ast.stmt) -> bool:
    """Whether two assignments give one name the same value, one of them with another annotation or none."""
    targets = [_only_target(node) for node in (old, new)]
    if not all(isinstance(target, ast.Name) for target in targets) or targets[0].id != targets[1].id:  # type: ignore[union-attr]
        return False
    values = [getattr(node, "value", None) for node in (old, new)]
    return None not in values and fingerprint(values[0]) == fingerprint(values[1])  # type: ignore[arg-type]


def _only_target(node: ast.stmt) -> ast.expr | None:
    if isinstance(node, ast.AnnAssign):
        return node.target
    return node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None


def body_of(node: ast.AST, owner: Statement, lines: Sequence[str], name: str = "body") -> tuple[Statement, ...]:
    """The statements inside a block or class, placed as the file is now."""
    return split(getattr(node, name, ()), lines, owner.shift)


@dataclass(frozen=True, slots=True)
class Group:
    """Statements that build values together, in their order, and the names of those values."""

    statements: tuple[Statement, ...]
    names: frozenset[str]


class Groups:
    """Which statements of one scope build one value: those that bind a name, those that change it in place and the
    `del` that takes it away, and a value between two of them that reads it before it is whole.

    What only the head of a loop or a `with` binds joins nothing, unless a `del` takes it away. `passing` are the names
    that a `del` takes away."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self.statements = tuple(statements)
        self.builders: dict[str, list[Statement]] = defaultdict(list)
        self.passing = frozenset[str]().union(*(statement.deletes for statement in self.statements))
        self._defined: set[str] = set()
        self._groups: dict[Statement, Group] = {}
        for statement in self.statements:
            for name in self._built(statement):
                self.builders[name].append(statement)
            if defines(statement):
                self._defined |= statement.binds - self.passing
        self._bound = {name for statement in self.statements for name in statement.binds}

    def names(self, statement: Statement) -> frozenset[str]:
        """The values that `statement` builds: not a definition's, and not those of another scope that it calls into."""
        built = self._built(statement)
        if defines(statement):
            built &= self.passing  # it only helps to make what the names around it hold
        return frozenset(built & self._bound) - self._defined

    def is_helper(self, statement: Statement) -> bool:
        """Whether all that it binds is deleted again, or it is what deletes that."""
        built = self._built(statement)
        return bool(built) and built <= self.passing

    def helpers_of(self, statement: Statement) -> set[Statement]:
        """The statements that make, and at last delete, what running `statement` needs by name: itself, or by helpers
        that it calls. None that makes something else too, but an import."""
        found: set[Statement] = set()
        waiting = [statement.reads & self.passing]
        while waiting:
            for name in waiting.pop():
                fresh = [one for one in self.builders[name] if one not in found and one is not statement]
                if all(self.is_helper(one) or one.is_import for one in fresh):
                    found.update(fresh)
                    waiting += [one.fact("asks for", names_asked_for) & self.passing for one in fresh]
        return found

    def _built(self, statement: Statement) -> frozenset[str]:
        return built_names(statement) | (self.passing & (statement.binds | statement.deletes))

    def of(self, statement: Statement) -> Group:
        if statement not in self._groups:
            self._groups[statement] = self._group(statement)
        return self._groups[statement]

    def _group(self, statement: Statement) -> Group:
        names: set[str] = set()
        found = {statement}
        fresh = [statement]
        while fresh:
            statement = fresh.pop()
            for name in (self.names(statement) | self._unfinished(statement)) - names:
                names.add(name)
                for other in (*self.builders[name], *self._between(name)):
                    if other not in found:
                        found.add(other)
                        fresh.append(other)
        return Group(tuple(s for s in self.statements if s in found), frozenset(names))

    def _unfinished(self, statement: Statement) -> frozenset[str]:
        """Names that are built on after `statement` has read them."""
        read = statement.reads & self.builders.keys() & self._bound
        return frozenset(name for name in read if statement in self._between(name) and not self._is_imported(name))

    def _is_imported(self, name: str) -> bool:
        """Whether imports alone build a name, and a `del` takes it away: it is whole as soon as it is there."""
        return all(one.is_import or not one.binds for one in self.builders[name])

    def _between(self, name: str) -> list[Statement]:
        """Values made from `name` while it was being built."""
        builders = self.builders[name]
        if len(builders) < 2:
            return []
        first, last = self.statements.index(builders[0]), self.statements.index(builders[-1])
        return [s for s in self.statements[first + 1 : last] if name in s.reads and s.binds and not defines(s)]


def defines(statement: Statement) -> bool:
    return statement.is_def or statement.is_class or statement.is_import


def built_by(statements: Iterable[Statement]) -> frozenset[str]:
    return frozenset[str]().union(*(built_names(one) | one.deletes for one in statements))


def built_names(statement: Statement) -> frozenset[str]:
    """Names whose value running it makes or changes in place; what a `with` enters counts where its body makes none."""
    handled: frozenset[str] = statement.fact("handled", _handled)
    names = (statement.binds | _mutated(statement)) - handled
    built = names - _loop_targets(statement)
    return names if not built and isinstance(statement.node, (ast.With, ast.AsyncWith)) else built


def _mutated(statement: Statement) -> frozenset[str]:
    return statement.fact("mutates", mutated_names)  # type: ignore[no-any-return]


def _handled(node: ast.stmt) -> frozenset[str]:
    """The names that only handlers give, to what they catch: they are gone behind each (`except E as e`)."""
    inside = walk_scope(node) if isinstance(node, BLOCKS) else ()
    if not any(isinstance(one, ast.ExceptHandler) and one.name for one in inside):
        return frozenset()
    nameless = copy.deepcopy(node)
    for one in walk_scope(nameless):
        if isinstance(one, ast.ExceptHandler):
            one.name = None
    return bound_names(node) - bound_names(nameless)


def _loop_targets(statement: Statement) -> frozenset[str]:
    node = statement.node
    targets: list[ast.expr] = []
    if isinstance(node, (ast.For, ast.AsyncFor)):
        targets = [node.target]
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
    return frozenset(n.id for target in targets for n in walk(target) if isinstance(n, ast.Name))
