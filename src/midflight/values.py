"""The frozen values that cross stages: Change, Batch, Edit, Plan, Report and what they are made of."""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ChangeKind = Literal["added", "modified", "deleted"]
Outcome = Literal["committed", "unchanged", "refused", "rolled back"]
TAKEN: tuple[Outcome, ...] = ("committed", "unchanged")  # what was asked for lives
Mode = Literal["auto", "pump", "manual"]
Changed = tuple[str, str, str]  # path, name, how


def as_json(doc: Any, default: Callable[[Any], Any] | None = None) -> str:
    """JSON that can be stored and sent whatever it says: a lone surrogate, which UTF-8 cannot, is escaped."""
    return in_utf8(_ENCODER.encode(doc) if default is None else json.dumps(doc, ensure_ascii=False, default=default))


_ENCODER = json.JSONEncoder(ensure_ascii=False)  # `dumps` makes one for each call


def in_utf8(text: str) -> str:
    """The same text, with a backslash and a number for each lone surrogate, such as names of files that are no UTF-8
    have."""
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class Change:
    """One file event. `path` is absolute with symlinks resolved; `at_ms` is on the monotonic clock."""

    path: str
    kind: ChangeKind
    at_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Batch:
    """The changes of one burst of saves: `code` are Python files, `data` are files only handed to subscribers."""

    code: tuple[Change, ...] = ()
    data: tuple[Change, ...] = ()
    closed_ms: float = 0.0

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(change.path for change in self.code)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something was not taken: where (`line` counts from 1, 0 when there is none), what, and the way out."""

    path: str
    line: int
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}  {self.code} {self.message}" + (f"\n  {self.hint}" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Kept:
    """State that was built from something that changed and stays as it is."""

    name: str
    because: str

    def __str__(self) -> str:
        return f"{self.name}: {self.because}"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a plan will do. `action` is run, graft, move, rebind, remove or forget; `name` is what it concerns."""

    module: str
    action: str
    name: str
    line: int = 0
    because: str = ""

    def __str__(self) -> str:
        return f"{self.action} {self.module}.{self.name}" + (f" ({self.because})" if self.because else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one reload would do, in the order it would be done, or the problems for which it would be refused."""

    steps: tuple[Step, ...] = ()
    kept: tuple[Kept, ...] = ()
    problems: tuple[Problem, ...] = ()

    def to_json(self) -> str:
        return as_json(as_plain(self))


@dataclass(frozen=True, slots=True)
class ModuleReport:
    """What happened in one module: names, and its version (SHA-256 of the source, hex) before and after."""

    ran: tuple[str, ...] = ()
    grafted: tuple[str, ...] = ()
    rebound: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class OldFrame:
    """A running frame, task or suspended generator that was on old code when its reload committed."""

    name: str
    path: str
    line: int
    kind: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What one reload did, also one that was refused or rolled back. `at` is seconds since the epoch."""

    id: str
    at: float
    cause: str
    outcome: Outcome
    problems: tuple[Problem, ...] = ()
    modules: Mapping[str, ModuleReport] = field(default_factory=dict)
    old_frames: tuple[OldFrame, ...] = ()
    notes: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.outcome in TAKEN

    def __str__(self) -> str:
        """What happened and what runs now, then each problem with its way out, then each note."""
        runs = "" if self.ok else "; the old code is running"
        names = ", ".join(filter(None, (_in_words(name, done) for name, done in self.modules.items())))
        return "\n".join(
            [f"{self.id} {self.outcome}{runs}" + (f": {names}" if names else ""), *map(str, self.problems), *self.notes]
        )

    def to_json(self) -> str:
        """The wire form: one JSON object, its keys as the attributes, plus `ok`."""
        return in_utf8(_REPORTS.encode({**attributes_of(self), "ok": self.ok}))

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The Report that `to_json` wrote. Raises ValueError for anything else."""
        try:
            doc = json.loads(text)
            doc.pop("ok", None)
            doc["problems"] = tuple(Problem(**p) for p in doc.get("problems", ()))
            doc["old_frames"] = tuple(OldFrame(**f) for f in doc.get("old_frames", ()))
            doc["notes"] = tuple(doc.get("notes", ()))
            doc["modules"] = {name: _module_report(m) for name, m in doc.get("modules", {}).items()}
            return cls(**doc)
        except (TypeError, AttributeError, KeyError) as error:
            raise ValueError(f"not a report: {error}") from error

    def changed(self) -> frozenset[Changed]:
        """The names that it changed, each with the file it is in and how: ran, grafted or rebound."""
        return frozenset(
            (done.path, name, how)
            for done in self.modules.values()
            for how, labels in (("ran", done.ran), ("grafted", done.grafted), ("rebound", done.rebound))
            for label in labels
            for name in label.split(", ")
            if name.isidentifier()
            or re.fullmatch(r"[\w.<>]+", name)  # a statement that binds nothing is labelled with its text
        )

    def removed(self) -> frozenset[tuple[str, str]]:
        """The names that it took away, each with the file it was in."""
        return frozenset((done.path, name) for done in self.modules.values() for name in done.removed)


@dataclass(frozen=True, slots=True)
class Event:
    """What becomes known after a report (durable, stable, tests run) or beside one (data files, watcher trouble)."""

    kind: str
    at: float
    report_id: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return as_json(as_plain(self))


@dataclass(frozen=True, slots=True)
class Version:
    """One module version that ran. `id` is `module@<first 12 hex of its SHA-256>`."""

    id: str
    module: str
    at: float
    stable: bool
    reason: str
    author: str


def _in_words(name: str, done: ModuleReport) -> str:
    kinds = ((kind, getattr(done, kind)) for kind in ("ran", "grafted", "rebound", "kept", "removed"))
    said = "; ".join(f"{kind} {', '.join(names)}" for kind, names in kinds if names)
    return f"{name} ({said})" if said else name


def _module_report(doc: Mapping[str, Any]) -> ModuleReport:
    fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in doc.items()}
    return ModuleReport(**fields)


def as_plain(value: Any) -> Any:
    """`value` made of dicts, lists and scalars only, as JSON has them."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    fields = getattr(kind, "__dataclass_fields__", None)
    if fields is not None:
        items = ((name, getattr(value, name)) for name in fields)
        return {name: item if type(item) in _SCALARS else as_plain(item) for name, item in items}
    if isinstance(value, (tuple, list, set, frozenset)):
        return [item if type(item) in _SCALARS else as_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): as_plain(item) for key, item in value.items()}
    return value


def attributes_of(value: Any) -> Any:
    """What JSON has for one of these values; its attributes, or the items of another mapping or set."""
    kind: Any = type(value)
    if hasattr(kind, "__dataclass_fields__"):
        fields, taken = _fields_of(kind)
        return dict(zip(fields, taken(value), strict=True))
    return dict(value) if isinstance(value, Mapping) else list(value)


@functools.cache
def _fields_of(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The names of a dataclass's fields, of which it has several, and what takes all of them out of one."""
    fields = tuple(kind.__dataclass_fields__)
    return fields, operator.attrgetter(*fields)


# Reports are encoded without being taken apart first: it is done in each reload.
_REPORTS = json.JSONEncoder(ensure_ascii=False, default=attributes_of)
_SCALARS = frozenset({str, int, float, bool, type(None)})
