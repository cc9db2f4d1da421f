"""Plays random edits in a running program and compares it with a fresh one of the new source after each.

    python tests/live/random_edits.py --edits 2000 [--first SEED] [-o OUT.json]    what became of each edit
    python tests/live/random_edits.py --seed SEED [--shrink]                      one case, told in full

What may differ by the law: what the program itself changed since it was imported, and what a report named as kept;
both only until the statement that made it is edited, and with what follows from it.
"""

from __future__ import annotations

import argparse
import ast
import collections
import contextlib
import copy
import dataclasses
import difflib
import functools
import gc
import importlib
import json
import os
import re
import signal
import sys
import tempfile
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import random_programs
from random_programs import PACKAGE, Case, Files

import midflight
from hard.harness import Deep
from hard.harness import differences as snap_differences
from midflight.apply.graft.functions import forwarded_to
from midflight.apply.variants import origin_of
from midflight.graph.hook import Notebook
from midflight.values import Report
from upgrade.held import hold, lost
from upgrade.portrait import Facts, differences, portrait

Place = tuple[str, str]  # module, and a name in it or "Class.member"
WRONG = ("differs", "lost", "not restored", "rolled back", "would not start", "raised")
LISTERS = {"dir", "globals"}  # who calls one of these uses every name of the module
HANGS_S = 60
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # a folder that no disk is waited for
QUIET = (
    " names",
    " subclasses",
    "__init_subclass__.__doc__",
)  # each name has a fact of its own; held classes stay in `__subclasses__`


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of one edit. `kind`: equal, told, counted, broken, refused, or one of WRONG."""

    kind: str
    seed: int
    step: int
    edit: str = ""
    why: tuple[str, ...] = ()

    @property
    def wrong(self) -> bool:
        return self.kind in WRONG

    def __str__(self) -> str:
        return "\n".join(
            [f"seed {self.seed} step {self.step}: {self.kind} ({self.edit})", *(f"  {one}" for one in self.why)]
        )


# -- what a text says of its names ---------------------------------------------------------------------------------------


def tree_of(text: str) -> list[ast.stmt]:
    """The statements of a text; none where it has a syntax error."""
    try:
        return ast.parse(text).body
    except SyntaxError:
        return []


# What is said of a text is kept, for most texts are those of the version before; their trees are not: the collector
# would walk them for each portrait.


@functools.lru_cache(maxsize=64)
def statements_by_name(module: str, text: str) -> dict[Place, list[str]]:
    """Name → the statements that bind it or change it, as trees; a class's members have places of their own."""
    found: dict[Place, list[str]] = collections.defaultdict(list)
    for node in tree_of(text):
        _note(found, module, "", node)
    return found


def _note(found: dict[Place, list[str]], module: str, prefix: str, node: ast.stmt) -> None:
    if isinstance(node, ast.ClassDef):
        head = copy.copy(node)
        head.body = []
        found[module, prefix + node.name].append(ast.dump(head))
        if not prefix:
            for inner in node.body:
                _note(found, module, f"{node.name}.", inner)
        else:
            found[module, prefix + node.name] += map(ast.dump, node.body)
        return
    dumped = ast.dump(node)
    for name in _bound(node):
        found[module, prefix + name].append(dumped)


def _bound(node: ast.stmt) -> set[str]:
    """Names that a statement binds, or changes by a method or an item."""
    names = set()
    for child in ast.walk(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names |= {child.name, *(_made_on_demand(child) if child.name == "__getattr__" else ())}
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            names.add(child.id)
        elif isinstance(child, ast.alias):
            names.add(child.asname or child.name)
        elif isinstance(child, ast.MatchAs) and child.name:
            names.add(child.name)
        elif (
            isinstance(child, ast.Subscript) and isinstance(child.ctx, ast.Store) and isinstance(child.value, ast.Name)
        ):
            names.add(child.value.id)
        elif isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name):
            names |= {child.value.id} if isinstance(node, (ast.Expr, ast.Assign)) and node is not child else set()
    return names


def _made_on_demand(function: ast.AST) -> set[str]:
    """The names that a module's `__getattr__` gives a value."""
    return {n.value for n in ast.walk(function) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


@functools.lru_cache(maxsize=64)
def mentions_in(text: str) -> dict[str, set[str]]:
    """Name → names that its statements use."""
    found: dict[str, set[str]] = collections.defaultdict(set)
    nodes = tree_of(text)
    for node in nodes:
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        used |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
        if used & LISTERS:
            used = used.union(*map(_bound, nodes))
        for name in _bound(node) | _generic(node):
            found[name] |= used
    return found


def mentions(files: Files) -> dict[str, set[str]]:
    """Name → names that its statements use, in any module: names of these programs are unique."""
    found: dict[str, set[str]] = collections.defaultdict(set)
    for text in files.values():
        for name, used in mentions_in(text).items():
            found[name] |= used
    return found


def _generic(node: ast.stmt) -> set[str]:
    """The generic function that `@name.register` gives an implementation."""
    decorators = getattr(node, "decorator_list", ())
    return {d.value.id for d in decorators if isinstance(d, ast.Attribute) and isinstance(d.value, ast.Name)}


def followers(names: set[str], files: Files) -> set[str]:
    """`names` and all that is made from them."""
    uses = mentions(files)
    found = set(names)
    while more := {name for name, used in uses.items() if name not in found and used & found}:
        found |= more
    return found


def brought_by_stars(places: set[Place], files: Files) -> set[str]:
    """The star under which a list of a module's names uses those that an import brings, if that brought one of these."""
    stars = {module for module, text in files.items() if (module, "*") in statements_by_name(module, text)}
    found = (place for place in places if place[0] in stars)
    return {"*" for module, name in found if (module, name) not in statements_by_name(module, files[module])}


def counting(files: Files) -> set[str]:
    """Names of functions that remember their calls, in a variable around them or a global: another call, another answer.
    Calls of statements that nobody edited are not repeated, so what such a function knows is state."""
    return {name for text in files.values() for name in counting_in(text)}


def roots_with_new_name(roots: list[str], before: Files, files: Files) -> list[str]:
    """The modules that a start imports, in order, for one whose file has another name now by that name."""
    gone, came = ([name for name in one if name not in other] for one, other in ((before, files), (files, before)))
    new = dict(zip(gone, came, strict=True)) if len(gone) == len(came) == 1 else {}
    parts = (name.rpartition(".") for name in roots)
    return [package + dot + new.get(name, name) for package, dot, name in parts if new.get(name, name) in files]


def is_imported_by_a_function(module: str, files: Files) -> bool:
    """Whether a call may ask for the module: that finds it loaded, as one that was made earlier would have left it."""
    return any(module in imported_by_functions(text) for text in files.values())


@functools.lru_cache(maxsize=64)
def imported_by_functions(text: str) -> set[str]:
    functions = (one for one in ast.walk(ast.Module(tree_of(text), [])) if isinstance(one, ast.FunctionDef))
    inside = (one for function in functions for one in ast.walk(function))
    return {one.module.rpartition(".")[2] for one in inside if isinstance(one, ast.ImportFrom) and one.module}


@functools.lru_cache(maxsize=64)
def counting_in(text: str) -> set[str]:
    remember = (ast.Nonlocal, ast.Global)
    nodes = (node for node in tree_of(text) if any(isinstance(child, remember) for child in ast.walk(node)))
    return {name for node in nodes for name in _bound(node)}


def is_data(*facts: str) -> bool:
    """Whether the facts are of plain data: what a call can have given."""
    for fact in facts:
        if fact == "absent" or re.fullmatch(r"builtins\.(list|set|dict|tuple) .*", fact):
            continue
        try:
            ast.literal_eval(fact)
        except (ValueError, SyntaxError):
            return False
    return True


def place_of(path: str, live: str = "", fresh: str = "") -> Place:
    """What a fact is of: an annotation is its name's, and the names that are annotated are the first that differs's."""
    if annotated := re.match(r"([\w.]+):__annotations__(?:\['(\w+)'\])?$", path):
        lists = [re.findall(r"\"'(\w+)'\"", text) for text in (live, fresh)]
        others = sorted({*lists[0]} ^ {*lists[1]})
        return annotated[1].rpartition(".")[2], annotated[2] or (others[0] if others else "__annotations__")
    at = re.match(r"([\w.]+):(\w+)(?:\.(\w+))?", re.sub(r"\.__dict__\['(\w+)'\]", r".\1", path))
    if at is None:
        return path.partition(" ")[0], ""
    return at[1].rpartition(".")[2], at[2] + (f".{at[3]}" if at[3] else "")


def holds_more(path: str, live: str, fresh: Facts, found: dict[str, tuple[str, str]]) -> bool:
    """Whether a dict has all keys of the fresh one and what the program put in, or a list all of its items."""
    if all(text.startswith("builtins.dict of") and text.endswith("]") for text in (live, fresh.get(path, ""))):
        keys, wanted = (ast.literal_eval(text.partition(" in the order ")[2]) for text in (live, fresh[path]))
        return set(wanted) <= set(keys)
    whole = path.partition("[")[0]
    live_facts = {**fresh, **{one: facts[0] for one, facts in found.items()}}
    if not all(facts.get(whole, "").startswith("builtins.list of") for facts in (live_facts, fresh)):
        return False
    items, expected = (
        collections.Counter(text for one, text in facts.items() if re.fullmatch(rf"{re.escape(whole)}\[\d+\]", one))
        for facts in (live_facts, fresh)
    )
    return expected <= items


def is_in_another_order(path: str, live: str, fresh: str) -> bool:
    """Whether both facts are of the attributes of an object, which are the same but for their order: a statement that
    came gave it one, and those below it had given theirs already (docs/limits.md)."""
    if not path.endswith(".__dict__"):
        return False
    orders = [text.partition(" in the order ")[2] for text in (live, fresh)]
    return all(orders) and sorted(ast.literal_eval(orders[0])) == sorted(ast.literal_eval(orders[1]))


def drawn_at(facts: Facts, path: str) -> str:
    """Where the facts of a path stand: what two names lead to is drawn under one of them."""
    ends = [place.start() for place in re.finditer(r"[.\[ ]|$", path)] if path not in facts else []
    for end in reversed(ends):
        if facts.get(path[:end], "").startswith("is "):
            return facts[path[:end]].removeprefix("is ") + path[end:]
    return path


def told_in(report: Report, place: Place) -> bool:
    """Whether the report names the place, or the class that it lies in."""
    lines = [*report.notes, *(name for one in report.modules.values() for name in one.kept)]
    words = {word for line in lines for word in re.findall(r"[\w.]+", line)}
    ends = {word.rpartition(".")[2] for word in words}
    return place[1] in words or place[1].split(".")[0] in ends or any(w.endswith(f".{place[1]}") for w in words)


def drawn_under_told(found: dict[str, tuple[str, str]], report: Report) -> tuple[str, ...]:
    """Beginnings of the paths whose object is drawn under a name that the report tells of, here or in the fresh
    process: the two do not have it under the same one."""
    names = ((path, fact.removeprefix("is ")) for path, both in found.items() for fact in both if fact[:3] == "is ")
    told = [path for path, name in names if told_in(report, place_of(name))]
    return tuple(path + end for path in told for end in " .[")


def statements_around(error: BaseException) -> set[str]:
    """`module:line` of each statement at the top level of a module that an exception came through."""
    found = set()
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "<module>":
            tree = ast.parse(Path(frame.f_code.co_filename).read_text("utf-8"))
            around = (one for one in ast.walk(tree) if isinstance(one, ast.stmt))
            module = frame.f_globals["__name__"]
            found |= {f"{module}:{one.lineno}" for one in around if one.lineno <= line <= (one.end_lineno or 0)}
    return found


# -- the process ---------------------------------------------------------------------------------------------------------


class Process:
    """One case's package in this process, live under a session, and anew beside it."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case, self.package = case, f"p{case.seed}"
        self.root = folder / self.package
        self.root.mkdir()
        self.files: Files = {}
        self.packages: frozenset[str] = frozenset()  # those of its modules that are folders
        self.over: set[str] = set()  # modules that a fresh process had not loaded at the last edit
        self.waiting: set[str] = set()  # paths of what was not taken and stays on disk
        self.held: list[Any] = []
        self.session = midflight.Session(paths=[str(folder)], mode="manual", backend="polling")
        self.roots: list[str] = []
        self.explained: dict[Place, str] = {}
        self.away: dict[Place, str] = {}  # the same in modules whose files are gone: they may come back with it
        self.known: Files = {}  # the version that the process took last
        self.left: Files = {}  # modules whose files are gone, as they were: they may come back
        self.took: tuple[Files, frozenset[str]] = {}, frozenset()  # the same, with what of it is a folder
        self.fresh_facts: Facts = {}
        self.fails = ""  # how a fresh process of the version that was taken last fails
        self.stopped: set[str] = set()  # the statements at which the last fresh process that failed stopped
        self.missing: set[str] = set()  # names that a fresh process has lacked since, and that were told

    def write(self, files: Files, packages: frozenset[str]) -> list[str]:
        """Makes the folder hold `files`; returns the paths that changed."""
        before = {self.path(name): text for name, text in self.files.items()}
        self.files, self.packages = dict(files), packages
        after = {self.path(name): text for name, text in self.files.items()}
        for path in before.keys() - after.keys():
            path.unlink()
            if path.name == "__init__.py":
                path.parent.rmdir()
        changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
        for path in changed:
            if path in after:
                path.parent.mkdir(exist_ok=True)
                path.write_text(after[path].replace(PACKAGE, self.package))
        return sorted(map(str, changed))

    def path(self, module: str) -> Path:
        return self.root / (f"{module}/__init__.py" if module in self.packages else f"{module}.py")

    def names(self) -> list[str]:
        return sorted(name for name in sys.modules if name == self.package or name.startswith(f"{self.package}."))

    def modules(self) -> list[types.ModuleType]:
        return [sys.modules[name] for name in self.names()]

    def load(self) -> None:
        importlib.invalidate_caches()
        for name in [self.package, *self.roots]:
            importlib.import_module(name)

    def live(self, names: Iterable[str] = ()) -> Facts:
        """The facts of these of its modules, or of all."""
        return portrait(names or self.names(), str(self.root), origin_of, forwarded_to)

    def fresh(self) -> Facts | str:
        """The facts of a fresh process of what is on disk, or how its start fails."""
        aside = {name: sys.modules.pop(name) for name in self.names()}
        finders, sys.meta_path[:] = sys.meta_path[:], [one for one in sys.meta_path if type(one) is not Notebook]
        try:
            self.load()
            return portrait(self.names(), str(self.root))
        except (Exception, SystemExit) as error:
            self.stopped = statements_around(error)
            return f"{type(error).__name__}: {error}"
        finally:
            for name in self.names():
                del sys.modules[name]
            sys.meta_path[:] = finders
            sys.modules.update(aside)

    def do(self, doings: list[str]) -> None:
        """What the program does: what it changes is state from now on."""
        if not doings:
            return
        before = self.live()
        names = {self.package: sys.modules[self.package], "hold": self.hold}
        for doing in doings:
            with contextlib.suppress(Exception):  # what a program does may fail; what it did until then counts
                exec(doing.replace(PACKAGE, self.package), names)
        changed = {place_of(path) for path in differences(self.live(), before)}
        if changed:  # what two names lead to is drawn under one of them only
            changed |= {place for doing in doings for place in re.findall(rf"{PACKAGE}\.(\w+)\.(\w+)", doing)}
        self.explained |= dict.fromkeys(changed, "the program changed it")

    def hold(self, value: Any) -> Any:
        self.held.append(value)
        return value

    def close(self) -> None:
        self.session.stop()
        for name in self.names():
            del sys.modules[name]
        self.held.clear()


class Step:
    """One edit taken live, and its verdict."""

    def __init__(self, process: Process, number: int) -> None:
        self.process, self.number, self.case = process, number, process.case

    def verdict(self, kind: str, *why: str) -> Verdict:
        edit = self.case.edits[self.number] if self.number < len(self.case.edits) else ""
        return Verdict(kind, self.case.seed, self.number, edit, why)

    def take(self, files: Files, packages: frozenset[str], stays: bool) -> Verdict:
        process = self.process
        before, self.stays = process.took[0], stays
        paths = sorted({*process.write(files, packages), *process.waiting})
        renamed = roots_with_new_name(process.roots, before, files)
        process.roots = [name for name in process.roots if name.rpartition(".")[2] in files]
        fresh = process.fresh()
        if isinstance(fresh, str) and renamed != process.roots:  # who began with the renamed one begins with it still
            process.roots, others = renamed, process.roots
            fresh = process.fresh()
            process.roots = others if isinstance(fresh, str) else renamed
        snap = Deep(process, {}) if isinstance(fresh, str) else None  # type: ignore[arg-type]
        old = process.live() if snap is None or self.number == 0 else {}
        held = hold(process.package) if self.case.seed % 3 == 0 else {}
        try:
            report = process.session.reload(paths=paths)
        except Exception:
            return self.verdict("raised", traceback.format_exc(limit=-4))
        gone = lost(held) if report.ok else []
        held.clear()
        if not report.ok:
            return self.not_taken(before, paths, report, fresh, snap, old)
        process.took, process.waiting = (files, packages), set()
        if isinstance(fresh, str):
            return self.taken_without_fresh(before, files, report, fresh)
        return self.taken(files, report, fresh, gone)

    def not_taken(
        self, before: Files, paths: list[str], report: Report, fresh: Facts | str, snap: Deep | None, old: Facts
    ) -> Verdict:
        process = self.process
        why = [str(problem) for problem in report.problems]
        codes = {problem.code for problem in report.problems}
        loaded = {str(process.path(path.split(".")[-1].split(" ")[0])) for path in fresh if path.endswith(" names")}
        changed = snap_differences(snap).splitlines() if snap is not None and not as_it_was(snap) else []
        if old:
            changed += [f"{path}: was {b}, is {a}" for path, (a, b) in differences(process.live(), old).items()]
        if changed or "MF099" in codes:
            return self.verdict("not restored", *why, *changed[:8])
        problem = self.left_as_it_is(paths) if self.stays else self.gone_back(paths)
        if problem:
            return self.verdict("not restored", *why, problem)
        if isinstance(fresh, str):
            return self.verdict("broken", *why)
        left_over = all(problem.path not in loaded for problem in report.problems)
        if codes & {"MF040", "MF001"} and not self.follows_state(why) and not left_over:
            return self.verdict("rolled back", *why)
        return self.verdict("refused", *why)

    def gone_back(self, paths: list[str]) -> str:
        """The files are again those that the process runs; what is wrong then."""
        process = self.process
        paths = sorted({*process.write(*process.took), *paths})
        process.waiting = set()
        self.roots_of(process.took[0])
        back = process.session.reload(paths=paths)
        return "" if back.outcome == "unchanged" else f"going back was {back.outcome}"

    def left_as_it_is(self, paths: list[str]) -> str:
        """The files stay as they were saved, and wait for one that mends them."""
        self.process.waiting = set(paths)
        self.roots_of({**self.process.took[0], **self.process.files})
        return ""

    def roots_of(self, files: Files) -> None:
        names = [f"{self.process.package}.{name}" for name in files]
        self.process.roots = [name for name in names if name in sys.modules]

    def follows_state(self, why: list[str]) -> bool:
        """Whether what failed may have read what the program changed: a fresh process has not."""
        return bool(self.process.explained)

    def taken_without_fresh(self, before: Files, files: Files, report: Report, fresh: str) -> Verdict:
        """The process took what a fresh one cannot start with: it must have said what it keeps."""
        process = self.process
        notes = "\n".join([*report.notes, *(k for m in report.modules.values() for k in m.kept)])
        names = re.findall(r"(?:'(?:\w+\.)*|^AttributeError: )(\w+)(?:'|$)", fresh)
        kept = [name for one in report.modules.values() for name in one.kept]  # it may be what fails
        known = followers({name.split(".")[0] for _, name in process.explained}, files)
        told = any(name in notes or name in process.missing or name in known for name in names)
        told = told or fresh == process.fails or bool(kept)
        # One that did not run again is one that a start stops at, for what it used has changed.
        told = told or any(f"{place} did not run again" in notes for place in process.stopped)
        process.missing |= {name for name in names if told}
        process.fails = fresh
        process.known = files
        both = [*before.items(), *files.items()]  # what is gone may be left for who still names it
        nothing = {(m, n): "nothing to compare with" for m, t in both for _, n in statements_by_name(m, t)}
        process.explained |= nothing
        process.fresh_facts = {}
        return self.verdict("told" if told else "would not start", fresh, *report.notes)

    def taken(self, files: Files, report: Report, fresh: Facts, gone: list[str]) -> Verdict:
        process = self.process
        loaded = sorted(path.partition(" ")[0] for path in fresh if path.endswith(" names"))
        live = process.live(loaded)  # others that are loaded are left over
        found = {path: pair for path, pair in differences(live, fresh).items() if not path.endswith(QUIET)}
        over = {name for name in process.names() if name not in loaded}
        known = over if len(over) > 1 else over & process.over  # one of them may be there for another
        known |= {name for name in over if is_imported_by_a_function(name.rpartition(".")[2], files)}
        found = {path: pair for path, pair in found.items() if path.replace(":", ".") not in known}
        process.over = over
        back = {module for module in files if any(f"{process.package}.{module} is back" in n for n in report.notes)}
        edited = self.edited(files, back) if found or process.explained else set()
        process.explained |= {place: why for place, why in process.away.items() if place[0] in back}
        process.away |= {place: why for place, why in process.explained.items() if place[0] not in files}
        process.left |= {name: text for name, text in process.known.items() if name not in files}
        wrong, counted = self.sorted_out(found, files, report, fresh, edited)
        gone = [one for one in gone if not self.may_be_lost(re.sub(r"^(bound|instance) ", "", one), report, fresh)]
        process.known, process.fresh_facts, process.fails, process.missing = files, fresh, "", set()
        if wrong:
            return self.verdict("differs", *wrong[:12], *report.notes)
        if gone:
            return self.verdict("lost", *gone, *report.notes)
        if counted:
            return self.verdict("counted", *counted[:12], *report.notes)
        return (
            self.verdict("told", *map(str, list(found.items())[:6]), *report.notes) if found else self.verdict("equal")
        )

    def sorted_out(
        self, found: dict[str, tuple[str, str]], files: Files, report: Report, fresh: Facts, edited: set[Place]
    ) -> tuple[list[str], list[str]]:
        """The differences that nothing accounts for, and those in what functions that remember their calls answered."""
        process = self.process
        places = {(module, name.split(".")[0]) for module, name in process.explained}
        known = {name for _, name in places} | brought_by_stars(places, files)
        for place in edited:
            process.explained.pop(place, None)
        process.explained |= dict.fromkeys(self.kept_unseen(report, fresh, found), "it was told")
        if not found:
            return [], []
        kept = {label.split(".")[0] for one in report.modules.values() for label in one.kept}
        kept |= {note.split()[0].rstrip(":").rpartition(".")[2] for note in report.notes}  # what it was said of
        versions = {**process.known, **files}
        state = followers(kept | known, versions)
        told = {name: followers((kept | known) - {name}, versions) for name in known}
        counts = followers(counting(versions), versions)
        shared = drawn_under_told(found, report)
        wrong, counted, explained = [], [], set()
        for path, (a, b) in found.items():
            place = place_of(path, a, b)
            name = place[1].split(".")[0]
            alone = {module for module, known_name in places if known_name == name} == {place[0]}
            follows = name in (told[name] if alone else state)
            if (
                is_in_another_order(path, a, b)
                or f"{path} ".startswith(shared)
                or self.is_explained(path, place, report, fresh, edited, state, follows)
                or (place in process.explained and holds_more(path, a, fresh, found))
            ):
                explained.add(place)
            elif name in counts and is_data(a, b):
                counted.append(f"{path}: live {a} | fresh {b}")
            else:
                wrong.append(f"{path}: live {a} | fresh {b}")
        process.explained |= dict.fromkeys(explained - process.explained.keys(), "it was told")
        return wrong, counted

    def kept_unseen(self, report: Report, fresh: Facts, found: Iterable[str]) -> Iterator[Place]:
        """What the report names and that differs where it does not show: in modules that the fresh process has not
        loaded, or under another name, which may go."""
        differ = {place_of(path) for path in found}
        for name, one in report.modules.items():
            for label in one.kept:
                path = f"{name}:{label}"
                if f"{name} names" not in fresh or place_of(drawn_at(fresh, f"{path}.")) in differ:
                    yield name.rpartition(".")[2], label

    def may_be_lost(self, one: str, report: Report, fresh: Facts) -> bool:
        """Whether the report says it, or the new source makes the name one more of another object."""
        path = one.partition(" ")[0]
        return told_in(report, place_of(path)) or fresh.get(path, "").startswith("is ")

    def edited(self, files: Files, back: set[str]) -> set[Place]:
        """Places whose own statements differ from those of the version that the process took last; modules that are
        `back` were taken when they went."""
        left = {name: text for name, text in self.process.left.items() if name in back}
        old, new = (
            {k: v for m, t in version.items() for k, v in statements_by_name(m, t).items()}
            for version in ({**left, **self.process.known}, files)
        )
        return {place for place in old.keys() | new.keys() if old.get(place) != new.get(place)}

    def is_explained(
        self,
        path: str,
        place: Place,
        report: Report,
        fresh: Facts,
        edited: set[Place],
        state: set[str],
        follows: bool,
    ) -> bool:
        """Whether what is known accounts for a difference; `follows`: made of something that this report or the program
        named, and not only itself."""
        if told_in(report, place):
            return True
        outer = place[0], place[1].split(".")[0]
        known = place in self.process.explained or outer in self.process.explained
        own = place in edited or (outer in edited and outer[1] != place[1] and place not in self.process.explained)
        if own:
            return outer[1] in state  # made anew from what is state
        before = self.process.fresh_facts
        loaded = f"{path.partition(':')[0]} names" in before
        then, now = (facts.get(drawn_at(facts, path)) for facts in (before, fresh))
        if known and (not loaded or then == now):
            return True
        return follows


def as_it_was(snap: Deep) -> bool:
    """Whether the process is as `snap` saw it. What two names lead to is drawn under the first one in the order of the
    namespace, and there a name that was put back stands last."""
    now = snap.take()
    before, after = ([repr(state.get(path)) for path in snap.diff()] for state in (snap.state, now))
    return sorted(before) == sorted(after)


def play(case: Case, folder: Path) -> Iterator[Verdict]:
    """Plays a case in `folder`; a verdict for each step, until one is wrong. None where the first version fails."""
    process = Process(case, folder)
    sys.path.insert(0, str(folder))
    try:
        first = case.versions[0]
        process.write({"__init__": "", **first.files()}, frozenset(first.packages))
        process.known, process.took = process.files, (process.files, process.packages)
        process.roots = [f"{process.package}.{name}" for name in case.versions[0].modules]
        process.session.start()
        try:
            process.load()
        except Exception:
            return
        fresh = process.fresh()
        assert not isinstance(fresh, str), fresh
        process.fresh_facts = fresh
        for number, (doings, version) in enumerate(zip(case.doings, case.versions[1:], strict=True)):
            process.do(doings)
            files = {"__init__": "", **version.files()}
            verdict = Step(process, number).take(files, frozenset(version.packages), case.stays[number])
            yield verdict
            if verdict.wrong:
                return
    finally:
        process.close()
        sys.path.remove(str(folder))


def run(case: Case) -> list[Verdict]:
    """Plays a case in a forked child, so that none meets what another left; one that hangs or dies is wrong too."""
    told, status = told_by_child(lambda folder: (json.dumps(dataclasses.asdict(v)) for v in play(case, folder)))
    verdicts = [Verdict(**{**json.loads(line), "why": tuple(json.loads(line)["why"])}) for line in told]
    if status:
        verdicts.append(Verdict("raised", case.seed, len(verdicts), "", (f"the process died: status {status}",)))
    return verdicts


def told_by_child(work: Callable[[Path], Iterable[str]]) -> tuple[list[str], int]:
    """The lines that `work` gives in a forked child, in a folder of its own, and the child's exit status."""
    receiver, sender = os.pipe()
    with tempfile.TemporaryDirectory(prefix="mf", dir=MEMORY) as folder:
        child = os.fork()
        if child == 0:
            _tell_and_leave(work(Path(os.path.realpath(folder))), sender)
        os.close(sender)
        with open(receiver, "rb") as pipe:
            told = pipe.read().decode().splitlines()
        return told, os.waitpid(child, 0)[1]


def _tell_and_leave(lines: Iterable[str], sender: int) -> None:
    signal.alarm(HANGS_S)
    status = 1
    try:
        with open(sender, "w") as pipe:
            for line in lines:
                pipe.write(line + "\n")
                pipe.flush()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def modules_played(folder: Path) -> Iterator[str]:
    """The modules that playing a case loads, but for the case's own."""
    case = random_programs.case(1)
    for _ in play(case, folder):
        pass
    yield from (name for name in sys.modules if not name.startswith(f"p{case.seed}"))


# -- shrinking -----------------------------------------------------------------------------------------------------------


def shrink(case: Case) -> tuple[Case, Verdict]:
    """The case without all that it does not need to go wrong in the same way."""
    last = run(case)[-1]
    case = dataclasses.replace(
        case,
        versions=case.versions[: last.step + 2],
        doings=case.doings[: last.step + 1],
        edits=case.edits[: last.step + 1],
        stays=case.stays[: last.step + 1],
    )
    changed = True
    while changed:
        changed = False
        for smaller in smaller_cases(case):
            verdicts = run(smaller)
            if verdicts and verdicts[-1].kind == last.kind:
                case, last, changed = smaller, verdicts[-1], True
                break
    return case, last


def smaller_cases(case: Case) -> Iterator[Case]:
    for at in range(len(case.edits) - 1):
        yield case.without_step(at)
    for module in {name for version in case.versions for name in version.modules}:
        versions = [_without_module(version, module) for version in case.versions]
        if all(version.modules for version in versions):
            yield dataclasses.replace(case, versions=versions)
    numbers = {unit.number for version in case.versions for _, unit in version.units()}
    for number in sorted(numbers, reverse=True):
        yield dataclasses.replace(case, versions=[version.without(number) for version in case.versions])
    for at, doings in enumerate(case.doings):
        for index in range(len(doings)):
            fewer = [*case.doings[:at], doings[:index] + doings[index + 1 :], *case.doings[at + 1 :]]
            yield dataclasses.replace(case, doings=fewer)


def _without_module(version: random_programs.Version, module: str) -> random_programs.Version:
    modules = {name: units for name, units in version.modules.items() if name != module}
    return random_programs.Version(modules, version.heads, version.packages - {module})


def told(case: Case, verdict: Verdict) -> str:
    """A case for reading: its first version, then what was done and edited at each step."""
    out = []
    files: Files = {}
    for at, version in enumerate(case.versions):
        if at:
            out += [f">>> {doing}" for doing in case.doings[at - 1]] + [f"--- edit: {case.edits[at - 1]}"]
        new = {f"{n}/__init__" if n in version.packages else n: text for n, text in version.files().items()}
        for name in sorted(files.keys() | new.keys()):
            if at == 0:
                out += [f"[{name}.py]", new[name]]
            elif files.get(name) != new.get(name):
                was, now = (text.get(name, "").splitlines() for text in (files, new))
                out += difflib.unified_diff(was, now, f"{name}.py", f"{name}.py", lineterm="", n=1)
        files = new
    return "\n".join([*out, str(verdict)])


# -- the command ---------------------------------------------------------------------------------------------------------


def quiet_process() -> None:
    """What was imported until here is left out of the collector's walks: it is none of the program's. So is what a case
    makes a session import, here once and not in each child."""
    warnings.simplefilter("ignore")
    sys.dont_write_bytecode = True
    sys.setrecursionlimit(400)
    for name in told_by_child(modules_played)[0]:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def counted(first: int, edits: int, new_syntax: bool, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Plays cases from seed `first` on until `edits` edits were taken; what became of them, and what went wrong."""
    kinds: collections.Counter[str] = collections.Counter()
    wrong: list[Verdict] = []
    seed, began = first, time.monotonic()
    while sum(kinds.values()) < edits:
        for verdict in run(random_programs.case(seed, new_syntax=new_syntax)):
            kinds[verdict.kind] += 1
            if verdict.wrong:
                wrong.append(verdict)
                say(str(verdict))
            elif os.environ.get("SAYTOLD") and verdict.kind == os.environ["SAYTOLD"]:
                say(str(verdict))
        seed += 1
    took = round(time.monotonic() - began, 1)
    return {
        "first": first,
        "next": seed,
        "seconds": took,
        "kinds": dict(kinds),
        "wrong": [dataclasses.asdict(one) for one in wrong],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--first", type=int, default=1, metavar="SEED")
    parser.add_argument("--seed", type=int, action="append", default=[], help="only this case, told in full")
    parser.add_argument("--new-syntax", action="store_true", help="with type parameters (PEP 695), from Python 3.12 on")
    parser.add_argument("--shrink", action="store_true", help="with --seed: as small as it still goes wrong")
    parser.add_argument("-o", type=Path, help="write the results here")
    options = parser.parse_args()
    quiet_process()
    for seed in options.seed:
        case = random_programs.case(seed, new_syntax=options.new_syntax)
        verdicts = run(case)
        if options.shrink and verdicts and verdicts[-1].wrong:
            print(told(*shrink(case)))
        else:
            print(told(case, verdicts[-1]) if verdicts else "its first version does not run")
    if options.seed:
        return 0
    result = counted(options.first, options.edits, options.new_syntax)
    print({key: value for key, value in result.items() if key != "wrong"})
    if options.o:
        options.o.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
