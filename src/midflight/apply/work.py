"""What one reload does to one module, as it is being done."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from midflight.apply.parsed import Parsed, Roots
from midflight.graph.loaded import Loaded, version_of
from midflight.plan.diff import Pair, compiled_anew, match
from midflight.plan.flow import Imported, imported_and_deleted
from midflight.plan.order import reorders
from midflight.plan.statements import SourceText, Statement, split
from midflight.values import ModuleReport

MOST_RERUNS = 3  # of one statement in one reload: a cycle of values that never settles stops there


@dataclass(slots=True)
class Record:
    """Names for the report, each once, in the order in which it happened."""

    ran: dict[str, None] = field(default_factory=dict)
    grafted: dict[str, None] = field(default_factory=dict)
    rebound: dict[str, None] = field(default_factory=dict)
    kept: dict[str, None] = field(default_factory=dict)
    removed: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Work:
    """One module in one reload: edited, or reached by a value that flowed to it (`source` is None then)."""

    loaded: Loaded
    old: Parsed
    text: SourceText
    pairs: list[Pair]
    source: bytes | None = None
    compiled: dict[Statement, types.CodeType] = field(default_factory=dict)  # by preflight
    methods: dict[Statement, types.CodeType] = field(default_factory=dict)  # classes with their one edited method
    roots: Roots = field(default_factory=dict)
    record: Record = field(default_factory=Record)
    reran: dict[Statement, int] = field(default_factory=dict)
    ran_at: dict[Statement, int] = field(default_factory=dict)  # the count of changes before it ran last
    saw: dict[Statement, int] = field(default_factory=dict)  # how many functions had been edited before it ran last
    followed: dict[Statement, int] = field(default_factory=dict)
    passed: dict[tuple[str, str], Any] = field(default_factory=dict)  # what a `del` took away again in this reload
    away: frozenset[str] = frozenset()  # names that a `del` took away and only a side effect would bring back
    carried: dict[str, Any] = field(default_factory=dict)  # what imported names were bound to anew in this reload
    moved: bool = False  # to another file: in it every line is another place
    reads_refilled: bool = False  # whether it mentions a container that other modules have filled
    late: int = 0  # how often it was looked at again for what its statements had called too early
    done: bool = False
    # The count of changes and their extent up to which no statement is owed a look; see `Runner.refresh`.
    seen: tuple[int, tuple[int, ...]] = (0, ())
    _helpers: dict[str, Imported] | None = None
    parts: dict[tuple[Statement, str], tuple[Statement, ...]] = field(default_factory=dict)
    changed: list[Pair] = field(init=False)
    reordered: bool = field(init=False)  # whether other names may be bound, or in another order
    _version: str | None = None

    @property
    def name(self) -> str:
        return self.loaded.name

    @property
    def edited(self) -> bool:
        return self.source is not None

    @property
    def taken(self) -> bool:
        """Whether the reload did anything to it, or kept something of it from what it did."""
        record = self.record
        return self.edited or any((record.ran, record.grafted, record.rebound, record.kept, record.removed))

    def members(self, statement: Statement) -> tuple[Statement, ...]:
        """The statements of a class body: the same ones whenever it is asked in this reload."""
        return self._same((statement, "body"), statement.members_now)

    def inside(
        self, statement: Statement, part: str, body: Sequence[ast.stmt], lines: Sequence[str]
    ) -> tuple[Statement, ...]:
        """The statements of a block, as `members` gives those of a class."""
        return self._same((statement, part), lambda: split(body, lines, statement.shift))

    def _same(self, part: tuple[Statement, str], made: Callable[[], tuple[Statement, ...]]) -> tuple[Statement, ...]:
        if part not in self.parts:
            self.parts[part] = made()
        return self.parts[part]

    def match(self, old: Sequence[Statement], new: Sequence[Statement]) -> list[Pair]:
        """The pairs of a block or class body. Asked often, and the same for as long as the text is."""
        pairs = match(old, new)
        if self.moved:
            pairs = [pair.elsewhere() for pair in pairs]
        return [compiled_anew(pair) for pair in pairs] if self.edited and self._other_future() else pairs

    def _other_future(self) -> bool:
        return self.old.text.future != self.text.future

    def __post_init__(self) -> None:
        # Pairs that are not just what they were are few: who has a question to all of them asks these.
        self.changed = [pair for pair in self.pairs if pair.kind != "same"] if self.edited else []
        self.reordered = bool(self.changed) and reorders(self.pairs)

    @property
    def helpers(self) -> dict[str, Imported]:
        """What the module imports and deletes again: statements in between have read it."""
        if self._helpers is None:  # asked for each of its statements
            self._helpers = self.text.fact(
                "helpers", lambda: imported_and_deleted(self.text, self.name, self.loaded.is_package)
            )
        return self._helpers

    @property
    def touches_imports(self) -> bool:
        """Whether the edit may have changed which modules the text names."""
        if not self.changed:
            return False  # nobody edited it
        statements = (one for pair in self.changed if pair.edited for one in (pair.old, pair.new) if one is not None)
        return any("import" in statement.text for statement in statements)

    @property
    def version(self) -> str:
        """The SHA-256 of its source after the reload."""
        if self._version is None:
            self._version = version_of(self.source) if self.source is not None else self.loaded.version
        return self._version

    def report(self) -> ModuleReport:
        before, after = self.loaded.version, self.version
        record = self.record
        parts = map(tuple, (record.ran, record.grafted, record.rebound, record.kept, record.removed))
        ran, grafted, rebound, kept, removed = parts
        return ModuleReport(ran, grafted, rebound, kept, removed, before, after, self.loaded.path)
