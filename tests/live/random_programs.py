"""Random small programs, random edits of them, and what a running program does in between, all from one seed.

A program is modules of units; a unit is a statement or a few that belong together, made from a kind and its fields.
An edit draws a field again, or adds, removes, renames, moves or wraps a unit; so each version differs from the one
before as a person's would. Units have numbers, so that a version can be had without one: that is how cases shrink.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from random_kinds import KINDS, NEW, PACKAGE, TOP, Scope, Unit, bound_by, gives

Files = dict[str, str]  # module → its text
LETTERS = ("alpha", "beta", "gamma", "delta")


@dataclass
class Version:
    """A program's source: module → its units, in order, and what stands above them."""

    modules: dict[str, list[Unit]] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)  # modules that are folders with an `__init__.py`

    def files(self) -> Files:
        return {name: self.text(name) for name in self.modules}

    def text(self, module: str) -> str:
        lines = [self.heads.get(module, "")]
        lines += [
            "import functools, dataclasses, enum, re, abc, contextlib, typing, types",
            "from dataclasses import dataclass, field",
            "def wait(): return types.coroutine(lambda: (yield))()",
        ]
        for unit in self.modules[module]:
            lines += KINDS[unit.kind].render(unit)
        text = "\n".join(lines).lstrip("\n") + "\n"
        return re.sub(r"(?m)^( *)from \.", r"\1from ..", text) if module in self.packages else text

    def units(self) -> Iterator[tuple[list[Unit], Unit]]:
        """Each unit with the list that it stands in, parts of classes and blocks too."""
        for units in self.modules.values():
            yield from _walk(units)

    def without(self, number: int) -> Version:
        """This version as if the unit had never been written."""
        other = copy.deepcopy(self)
        for units, unit in list(other.units()):
            if unit.number == number:
                units.remove(unit)
        return other


def _walk(units: list[Unit]) -> Iterator[tuple[list[Unit], Unit]]:
    for unit in list(units):
        yield units, unit
        yield from _walk(unit.parts)


@dataclass
class Case:
    """What is played: the first version, then for each step what the program does and the version that is saved.
    `stays`: whether a version that is not taken stays on disk, for the next one mends it."""

    seed: int
    versions: list[Version]
    doings: list[list[str]]
    edits: list[str]
    stays: list[bool]

    def without_step(self, at: int) -> Case:
        drop = slice(at, at + 1)
        new = replace(self, versions=self.versions[:], doings=self.doings[:], edits=self.edits[:], stays=self.stays[:])
        del new.versions[at + 1 : at + 2], new.doings[drop], new.edits[drop], new.stays[drop]
        return new


# -- programs and edits -----------------------------------------------------------------------------------------------


class Author:
    """Writes programs and edits them, as its random numbers say."""

    def __init__(self, rng: random.Random, new_syntax: bool = False) -> None:
        self.rng, self.count = rng, 0
        self.kinds = TOP + NEW * 3 if new_syntax else TOP
        self.active = True  # whether the program does anything between edits

    def program(self) -> Version:
        version = Version()
        for module in LETTERS[: self.rng.randint(1, 3)]:
            version.modules[module] = []
            self.add_imports(version, module)
            for _ in range(self.rng.randint(2, 7)):
                self.add(version, module, at_end=True)
            if self.rng.random() < 0.15:
                version.modules[module].append(self.unit("all", Scope()))
        if self.rng.random() < 0.25:
            self.import_back(version)
        return version

    def unit(self, kind: str, scope: Scope, name: str = "") -> Unit:
        self.count += 1
        made = KINDS[kind]
        fields = {key: draw(self.rng, scope) for key, draw in made.fields.items()}
        unit = Unit(self.count, kind, name or f"{made.prefix}{self.count}", fields)
        if made.parts:
            fields["parts"] = [self.unit(self.rng.choice(made.parts), scope) for _ in range(self.rng.randint(0, 3))]
        return unit

    def scope(self, version: Version, module: str, at: int) -> Scope:
        scope = Scope()
        for unit in version.modules[module][:at]:
            for name, sort in gives(unit):
                scope.add(name, sort)
        return scope

    def add(self, version: Version, module: str, at_end: bool = False) -> Unit:
        units = version.modules[module]
        at = len(units) if at_end else self.rng.randint(0, len(units))
        unit = self.unit(self.rng.choice(self.kinds), self.scope(version, module, at))
        units.insert(at, unit)
        return unit

    def add_imports(self, version: Version, module: str) -> None:
        earlier = [name for name in version.modules if name < module]
        for source in earlier:
            if self.rng.random() < 0.8:
                self.add_import(version, module, source)

    def add_import(self, version: Version, module: str, source: str) -> None:
        known = [given for unit in version.modules[source] for pair in gives(unit) if (given := _for_others(*pair))]
        self.count += 1
        how = self.rng.random()
        fields: dict[str, Any] = {"module": source}
        if how < 0.3:
            unit = Unit(self.count, "import", f"mod{self.count}", {**fields, "gives": known})
        elif known:
            some = known if how < 0.4 else self.rng.sample(known, min(len(known), self.rng.randint(1, 4)))
            names, sorts = [n for n, _ in some], [s for _, s in some]
            fields |= {"names": names, "sorts": sorts, "dots": self.rng.choice([".", f"{PACKAGE}."])}
            unit = Unit(self.count, "from", f"from{self.count}", fields)
        else:
            return
        version.modules[module].insert(0, unit)

    # -- edits: each changes `version` and says what it did ------------------------------------------------------------

    def edit(self, version: Version) -> str:
        name = self.rng.choice(EDITS)
        done: str = getattr(self, name)(version)
        return done and f"{name} {done}"

    def some(self, version: Version, *kinds: str) -> tuple[str, list[Unit], Unit] | None:
        """A unit at any depth, with its module and the list it is in."""
        found = [
            (module, held, unit)
            for module, units in version.modules.items()
            for held, unit in _walk(units)
            if not kinds or unit.kind in kinds
        ]
        return self.rng.choice(found) if found else None

    def top(self, version: Version) -> tuple[str, list[Unit], Unit] | None:
        found = [(m, units, unit) for m, units in version.modules.items() for unit in units]
        return self.rng.choice(found) if found else None

    def at(self, version: Version, module: str, unit: Unit) -> Scope:
        """The scope of a unit at any depth: what stands above the statement that it is in."""
        for index, outer in enumerate(version.modules[module]):
            if any(one is unit for _, one in _walk([outer])):
                return self.scope(version, module, index)
        return Scope()

    def redraw(self, version: Version) -> str:
        found = self.some(version)
        if not found or not KINDS[found[2].kind].fields:
            return ""
        module, _, unit = found
        key = self.rng.choice(list(KINDS[unit.kind].fields))
        unit.fields[key] = KINDS[unit.kind].fields[key](self.rng, self.at(version, module, unit))
        return f"{unit.name}.{key}"

    def insert(self, version: Version) -> str:
        return self.add(version, self.rng.choice(list(version.modules))).name

    def insert_part(self, version: Version) -> str:
        found = self.some(version, "class", "dataclass", "enum", "if", "try", "with")
        if not found:
            return ""
        module, _, unit = found
        part = self.unit(self.rng.choice(KINDS[unit.kind].parts), self.at(version, module, unit))
        unit.parts.insert(self.rng.randint(0, len(unit.parts)), part)
        return f"{unit.name}.{part.name}"

    def remove(self, version: Version) -> str:
        found = self.some(version)
        if not found or (self.rng.random() < 0.8 and self.is_used(version, found[2])):
            return ""
        _, held, unit = found
        held.remove(unit)
        if self.rng.random() < 0.7:
            self.stop_importing(version, bound_by(unit))
        return unit.name

    def is_used(self, version: Version, unit: Unit) -> bool:
        others = "\n".join(
            "\n".join(KINDS[one.kind].render(one))
            for units in version.modules.values()
            for one in units
            if one.kind != "from" and not any(inner is unit for _, inner in _walk([one]))
        )
        return any(re.search(rf"\b{name}\b", others) for name in bound_by(unit))

    def stop_importing(self, version: Version, names: list[str]) -> None:
        for _, unit in version.units():
            if unit.kind == "from" and unit.fields["names"] != ["*"]:
                kept = [(n, s) for n, s in gives(unit) if n not in names]
                unit.fields["names"], unit.fields["sorts"] = [n for n, _ in kept], [s for _, s in kept]

    def rename(self, version: Version) -> str:
        found = self.some(version)
        if not found or found[2].kind in ("from", "all", "broken"):
            return ""
        unit = found[2]
        self.count += 1
        new = f"{KINDS[unit.kind].prefix or 'mod'}{self.count}"
        old, everywhere = unit.name, self.rng.random() < 0.85
        unit.name = new
        if everywhere:
            for _, other in version.units():
                other.fields = _renamed(other.fields, old, new)
        return f"{old} to {new}"

    def move(self, version: Version) -> str:
        found = self.some(version)
        if not found or len(found[1]) < 2:
            return ""
        _, held, unit = found
        held.remove(unit)
        held.insert(self.rng.randint(0, len(held)), unit)
        return unit.name

    def move_away(self, version: Version) -> str:
        """A definition goes to an earlier module, or to a new one; where it stood, it is imported."""
        found = self.top(version)
        if not found or KINDS[found[2].kind].sort not in ("func", "class", "enum", "int", "maker", "decorator"):
            return ""
        module, held, unit = found
        text = "\n".join(KINDS[unit.kind].render(unit))
        others = [name for name, _ in self.scope(version, module, len(held)).names() if name.split(".")[0] != unit.name]
        earlier = [name for name in version.modules if name < module]
        target = self.rng.choice([*earlier, "aaa"])
        if target == module or any(re.search(rf"\b{name}\b", text) for name in others):
            return ""
        version.modules.setdefault(target, []).append(unit)
        names = [(name, "") for name in bound_by(unit) if name != unit.name] + list(gives(unit))
        fields = {"module": target, "names": [n for n, _ in names], "sorts": [s for _, s in names], "dots": "."}
        self.count += 1
        held[held.index(unit)] = Unit(self.count, "from", f"from{self.count}", fields)
        return f"{unit.name} to {target}"

    def rekind(self, version: Version) -> str:
        """Another kind of statement under the same name: a function becomes a lambda, a class a dataclass."""
        found = self.top(version)
        if not found or not KINDS[found[2].kind].sort:
            return ""
        module, held, unit = found
        sort = KINDS[unit.kind].sort
        kinds = [name for name, kind in KINDS.items() if kind.sort == sort and name != unit.kind and name in TOP]
        if self.rng.random() < 0.1:
            kinds = list(TOP)
        if not kinds:
            return ""
        new = self.unit(self.rng.choice(kinds), self.at(version, module, unit), unit.name)
        new.number = unit.number
        held[held.index(unit)] = new
        return f"{unit.name} to {new.kind}"

    def wrap(self, version: Version) -> str:
        """A statement goes into a block, or comes out of one."""
        found = self.top(version)
        if not found or found[2].kind in ("from", "all", "broken", "import"):
            return ""
        module, held, unit = found
        at = held.index(unit)
        if unit.kind in ("if", "try", "with"):
            held[at : at + 1] = unit.parts
            return f"{unit.name} undone"
        block = self.unit(self.rng.choice(("if", "try", "with")), self.scope(version, module, at))
        block.fields["parts"] = [unit]
        held[at] = block
        return f"{unit.name} in {block.kind}"

    def head(self, version: Version) -> str:
        module = self.rng.choice(list(version.modules))
        heads = (
            '"""About."""',
            '"""About\nmore."""',
            "# a comment\n",
            "\n\n\n",
            "from __future__ import annotations",
            "",
        )
        version.heads[module] = self.rng.choice(heads)
        return f"of {module}"

    def import_more(self, version: Version) -> str:
        module = self.rng.choice(list(version.modules))
        earlier = [name for name in version.modules if name < module]
        if not earlier:
            return ""
        self.add_import(version, module, self.rng.choice(earlier))
        return module

    def import_back(self, version: Version) -> str:
        """A module uses a later one, which may import it: in a function, or at the end of its text."""
        if len(version.modules) < 2:
            return ""
        early, late = sorted(self.rng.sample(list(version.modules), 2), key=list(version.modules).index)
        targets = [n for unit in version.modules[late] for n, sort in gives(unit) if sort == "int" and "." not in n]
        if not targets:
            return ""
        unit = self.unit(self.rng.choice(("late", "late", "cycle")), Scope())
        unit.fields |= {"module": late, "target": self.rng.choice(targets)}
        version.modules[early].append(unit)
        if unit.kind == "late" and self.rng.random() < 0.6:
            self.count += 2
            fields = {"module": early, "names": [unit.name], "sorts": ["back"], "dots": "."}
            uses = Unit(self.count, "derived", f"K{self.count}", {"value": f"{unit.name}({self.rng.randint(1, 9)})"})
            version.modules[late] += [Unit(self.count - 1, "from", f"from{self.count - 1}", fields), uses]
        return f"{late} into {early}"

    def to_package(self, version: Version) -> str:
        """`m.py` becomes `m/__init__.py`, or the other way."""
        module = self.rng.choice(list(version.modules))
        version.packages ^= {module}
        return module

    def import_star(self, version: Version) -> str:
        found = self.some(version, "from")
        if not found or not found[2].fields["names"]:
            return ""
        unit = found[2]
        fields = unit.fields
        if fields["names"] == ["*"]:
            return ""
        brought = [pair for one in version.modules.get(fields["module"], ()) for pair in gives(one)]
        fields["gives"] = [(name, sort) for name, sort in brought if sort not in ("generic", "dynamic")]
        fields["names"], fields["sorts"] = ["*"], ["star"]
        return unit.name

    def add_module(self, version: Version) -> str:
        new = f"mod_{self.rng.choice('abcdef')}"
        if new in version.modules:
            return ""
        version.modules = {new: [], **version.modules}
        for _ in range(self.rng.randint(1, 3)):
            self.add(version, new, at_end=True)
        users = [name for name in version.modules if name != new]
        for user in self.rng.sample(users, self.rng.randint(1, len(users))):
            self.add_import(version, user, new)
        return new

    def rename_module(self, version: Version) -> str:
        """A file gets another name; who imports it follows."""
        old = self.rng.choice(list(version.modules))
        new = f"{old.partition('_was')[0]}_was{self.rng.randint(1, 9)}"
        if new in version.modules:
            return ""
        version.modules = {new if name == old else name: units for name, units in version.modules.items()}
        if old in version.heads:
            version.heads[new] = version.heads.pop(old)
        if old in version.packages:
            version.packages ^= {old, new}
        for _, unit in version.units():
            if unit.kind in IMPORTING and unit.fields["module"] == old:
                unit.fields["module"] = new
        return f"{old} to {new}"

    def drop_module(self, version: Version) -> str:
        """A module that nobody imports goes."""
        used = {unit.fields["module"] for _, unit in version.units() if unit.kind in IMPORTING}
        unused = [name for name in version.modules if name not in used]
        if len(version.modules) < 2 or not unused:
            return ""
        gone = self.rng.choice(unused)
        del version.modules[gone]
        version.packages.discard(gone)
        return gone

    def break_it(self, version: Version) -> str:
        module = self.rng.choice(list(version.modules))
        units = version.modules[module]
        unit = self.unit("broken", Scope())
        units.insert(self.rng.randint(0, len(units)), unit)
        if self.rng.random() < 0.7:  # and something that would have been taken
            self.redraw(version)
        return unit.fields["line"].split("\n")[0]

    def mended(self, version: Version) -> Version:
        """The version as if nothing had been broken."""
        other = copy.deepcopy(version)
        for units, unit in list(other.units()):
            if unit.kind == "broken":
                units.remove(unit)
        return other

    # -- what the program does in between -------------------------------------------------------------------------------

    def doings(self, version: Version) -> list[str]:
        if not self.active or self.rng.random() < 0.3:
            return []
        out = []
        for _ in range(self.rng.randint(1, 4)):
            found = self.top(version)
            if found and (options := DOINGS.get(KINDS[found[2].kind].sort)):
                module, name = found[0], found[2].name
                out.append(
                    self.rng.choice(options).format(m=f"{PACKAGE}.{module}", name=name, n=self.rng.randint(10, 99))
                )
        return out


IMPORTING = ("from", "import", "late", "cycle")
EDITS = tuple(
    (
        "redraw "
        * 14
        + "insert insert insert insert_part insert_part remove remove remove rename rename move move move_away "
        "move_away rekind rekind wrap wrap head head import_more import_star add_module break_it break_it rename_module drop_module import_back to_package"
    ).split()
)

DOINGS = {
    "int": ["{m}.{name} = {n}"],
    "text": ["{m}.{name} = 'set {n}'"],
    "func": ["{m}.{name}({n})", "hold({m}.{name})", "{m}.{name}.tag = {n}", "{m}.{name}({n})"],
    "maker": ["hold({m}.{name}({n}))(2)", "hold({m}.{name}({n}))"],
    "maker2": ["next(hold({m}.{name}(3)))"],
    "decorator": ["hold({m}.{name}(abs))({n})"],
    "async": ["hold({m}.{name}({n})).send(None)", "hold({m}.{name})"],
    "asyncgen": ["hold({m}.{name}({n})).asend(None).send(None)"],
    "manager": ["hold({m}.{name}({n})).__enter__()"],
    "class": ["hold({m}.{name}({n}))", "hold({m}.{name}({n}).get)", "{m}.{name}.LIMIT = {n}", "{m}.{name}.added = {n}", "hold({m}.{name}({n})).n = 4"],
    "enum": ["hold({m}.{name}.A)"],
    "object": ["{m}.{name}.n = {n}", "hold({m}.{name}.get)", "{m}.{name} = hold({m}.{name})"],
    "list": ["{m}.{name}.append({n})", "{m}.{name}.add({n})", "hold({m}.{name})"],
    "dict": ["{m}.{name}['new'] = {n}", "hold({m}.{name})"],
    "registrar": ["{m}.{name}['other'] = {n}", "hold({m}.{name})"],
    "bump": ["{m}.{name}()", "{m}.{name}()"],
}  # fmt: skip


def _for_others(name: str, sort: str) -> tuple[str, str] | None:
    """What another module has of a name: what the module's `__getattr__` gives is a number like others."""
    if "." in name or sort == "generic":
        return None
    return name, "int" if sort == "dynamic" else sort


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return re.sub(rf"\b((?:add_|SEEN_|Err|Call|T_|in_)?){old}\b", rf"\g<1>{new}", value)
    if isinstance(value, list):
        return [_renamed(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: _renamed(item, old, new) for key, item in value.items()}
    return tuple(_renamed(item, old, new) for item in value) if isinstance(value, tuple) else value


def case(seed: int, steps: int = 6, new_syntax: bool = False) -> Case:
    """The case of a seed: the same on every machine and Python."""
    author = Author(random.Random(seed), new_syntax)
    author.active = seed % 2 == 1
    version = saved = author.program()  # what is written on, and what is on disk
    made = Case(seed, [version], [], [], [])
    for _ in range(steps):
        new = copy.deepcopy(version)
        mends = saved is not version
        rounds = 0 if mends and author.rng.random() < 0.5 else author.rng.choice((1, 1, 1, 1, 2, 2, 3))
        names = ["mended"] * mends + [author.edit(new) for _ in range(rounds)]
        if author.rng.random() < 0.05:
            new, names = copy.deepcopy(author.rng.choice(made.versions)), ["back to an earlier version"]
        if not any(names) or (new.files(), new.packages) == (saved.files(), saved.packages):
            continue
        made.doings.append(author.doings(version))
        made.versions.append(new)
        made.edits.append("; ".join(filter(None, names)))
        broken = any(unit.kind == "broken" for _, unit in new.units())
        made.stays.append(broken and author.rng.random() < 0.5)
        if not broken or made.stays[-1]:
            saved, version = new, author.mended(new) if broken else new
        else:
            saved = version
    return made
