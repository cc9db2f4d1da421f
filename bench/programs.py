"""The programs of the speed bench, each a workload: its files, its edits, what the new code must answer, its floor.

Imported by bench/speed.py and, in each engine's own environment, by bench/worker.py: standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

HEAD = '''"""Part {name} of a program that is only there to be measured."""

import math

RATES = {{"low": 2, "high": 3}}
NAMES = ["{name}", "part"]


'''
FUNCTION = '''def step{number}(amount, rate=2):
    """What `amount` parts come to."""
    total = {value}
    for part in range(amount):
        if part % rate:
            total += math.sqrt(part + {number})
        else:
            total -= part
    return total


'''
CLASS = """class Cart{number}:
    def __init__(self, owner="nobody"):
        self.owner, self.lines = owner, []

    def add(self, name, price=0):
        self.lines.append((name, price))
        return self

    def total(self, extra=0):
        return {value} + extra + sum(price for _, price in self.lines)


"""
PROJECT = '[project]\nname = "measured"\n'
PARTS_AN_AREA = 100


@dataclass(frozen=True)
class Probe:
    """An expression over the loaded modules by name, and what it must be once the edit is live."""

    expression: str
    value: object


STATE = (Probe("edited.RATES.get('seen')", 1),)


@dataclass(frozen=True)
class Edit:
    """New texts by file; `live` is asked of the edited modules, `held` of those that imported from them before, `state`
    of what the program did to a value that the edit has nothing to do with."""

    texts: dict[str, str]
    live: tuple[Probe, ...] = ()
    held: tuple[Probe, ...] = ()
    state: tuple[Probe, ...] = ()


@dataclass(frozen=True)
class Piece:
    """Source that the floor compiles and runs; `given` are names that it reads."""

    text: str
    file: str
    given: dict[str, Any] = field(default_factory=dict)


class Workload:
    """One body edited in a module of `lines` lines, in a program of `modules`. The other kinds derive from it.

    `readers` are the modules that must be loaded again, in order, by who does that by hand.
    """

    def __init__(self, lines: int = 300, modules: int = 10) -> None:
        self.lines, self.modules = lines, modules
        self.target = max(0, (lines - 8) // 22) // 2  # a function near the middle

    @property
    def readers(self) -> list[str]:
        return ["edited", "holder"]

    def files(self) -> dict[str, str]:
        """Every file of the program; `program.py` imports all others."""
        own = {f"{name}.py": text for name, text in self.own().items()}
        return {**own, **rest_of(self.modules - len(own) - 1, [name.removesuffix(".py") for name in own])}

    def own(self) -> dict[str, str]:
        return {"edited": self.text(0), "holder": f"from edited import step{self.target} as held\n"}

    def text(self, value: int) -> str:
        return module_text("edited", self.lines, {self.target: value})

    def edit(self, number: int) -> Edit:
        live, held = (Probe(f"{name}(0)", number) for name in (f"edited.step{self.target}", "holder.held"))
        return Edit({"edited.py": self.text(number)}, (live,), (held,), STATE)

    def floor(self, number: int) -> list[Piece]:
        """What must be compiled and run at least: here the edited module."""
        return [Piece(text, name) for name, text in self.edit(number).texts.items()]

    def prepare(self, modules: dict[str, Any]) -> object:
        """The program does something to a value of the edited module; returned is what else it holds."""
        modules["edited"].RATES["seen"] = 1
        return None


class Definitions(Workload):
    """A module of `count` small functions, one body edited."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count, self.target = count, count // 2

    def text(self, value: int) -> str:
        bodies = (value if number == self.target else number for number in range(self.count))
        return "RATES = {}\n\n\n" + "".join(
            f"def step{number}(amount):\n    return amount + {body}\n\n\n" for number, body in enumerate(bodies)
        )


class Instances(Workload):
    """A method edited whose class has `count` live instances; the caller holds one by a bound method."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def own(self) -> dict[str, str]:
        held = f"from edited import Cart{self.target} as Cart\n\nheld = Cart().total\n"
        return {"edited": self.text(0), "holder": held}

    def text(self, value: int) -> str:
        return module_text("edited", self.lines, {}, {self.target: value})

    def edit(self, number: int) -> Edit:
        live, held = (Probe(text, number) for text in (f"edited.Cart{self.target}().total()", "holder.held()"))
        return Edit({"edited.py": self.text(number)}, (live,), (held,), STATE)

    def prepare(self, modules: dict[str, Any]) -> object:
        super().prepare(modules)
        cart = modules["holder"].Cart
        return [cart() for _ in range(self.count)]


class Heap(Workload):
    """A body edited while the program holds `count` other objects."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def prepare(self, modules: dict[str, Any]) -> object:
        super().prepare(modules)
        return [[] for _ in range(self.count)]


class Constant(Workload):
    """A constant that `users` modules import, and compute a value of their own from."""

    def __init__(self, users: int) -> None:
        super().__init__(modules=users + 2)
        self.users = [f"user{number:04}" for number in range(users)]

    @property
    def readers(self) -> list[str]:
        return ["edited", *self.users]

    def own(self) -> dict[str, str]:
        reads = "from edited import LIMIT\n\nDOUBLE = LIMIT * 2\n"
        return {"edited": self.text(0), **{name: module_text(name, 30, above=reads) for name in self.users}}

    def text(self, value: int) -> str:
        return module_text("edited", 30, above=f"LIMIT = {value}\n")

    def edit(self, number: int) -> Edit:
        held = (Probe(f"{name}.DOUBLE == 2 * {name}.LIMIT == {2 * number}", True) for name in self.users)
        return Edit({"edited.py": self.text(number)}, (Probe("edited.LIMIT", number),), tuple(held), STATE)

    def floor(self, number: int) -> list[Piece]:
        """Only the statements that read the constant, and its own."""
        own = Piece(f"LIMIT = {number}\n", "edited.py")
        reading = "from edited import LIMIT\nDOUBLE = LIMIT * 2\n"
        return [own, *(Piece(reading, f"{name}.py") for name in self.users)]


class Files(Workload):
    """A batch of `count` files of 100 lines, a body edited in each."""

    def __init__(self, count: int) -> None:
        super().__init__(lines=100, modules=max(10, count + 2 + -(-count // PARTS_AN_AREA)))
        self.names = [f"edited{number:04}" for number in range(count)]

    @property
    def readers(self) -> list[str]:
        return [*self.names, "holder"]

    def own(self) -> dict[str, str]:
        held = f"from {self.names[-1]} import step{self.target} as held\n"
        return {**{name: self.text_of(name, 0) for name in self.names}, "holder": held}

    def text_of(self, name: str, value: int) -> str:
        return module_text(name, self.lines, {self.target: value})

    def edit(self, number: int) -> Edit:
        texts = {f"{name}.py": self.text_of(name, number) for name in self.names}
        live = tuple(Probe(f"{name}.step{self.target}(0)", number) for name in self.names)
        state = Probe(f"{self.names[0]}.RATES.get('seen')", 1)
        return Edit(texts, live, (Probe("holder.held(0)", number),), (state,))

    def prepare(self, modules: dict[str, Any]) -> object:
        modules[self.names[0]].RATES["seen"] = 1
        return None


class Releases(Workload):
    """A real package of which two releases take turns; `old` and `new` are its files."""

    def __init__(self, imports: str, old: dict[str, str], new: dict[str, str], loads: list[str]) -> None:
        super().__init__()
        self.imports, self.old, self.new, self.loads = imports, old, new, loads
        self.differing = sorted(name for name in old if name in new and old[name] != new[name])

    @property
    def readers(self) -> list[str]:
        return [name for name in (module_name(path) for path in self.differing) if name in self.loads]

    def files(self) -> dict[str, str]:
        """The package as it was; the modules that cannot be imported here are left out of the program."""
        lines = (f"import {name}\n" for name in self.loads)
        return {**self.old, "program.py": "".join(lines), "pyproject.toml": PROJECT}

    def edit(self, number: int) -> Edit:
        texts = self.new if number % 2 else self.old
        return Edit({name: texts[name] for name in self.differing})

    def prepare(self, modules: dict[str, Any]) -> object:
        return None

    def floor(self, number: int) -> list[Piece]:
        loaded = set(self.readers)
        return [
            Piece(text, path, names_of(path)) for path, text in self.edit(number).texts.items()
            if module_name(path) in loaded
        ]  # fmt: skip


def module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def names_of(path: str) -> dict[str, Any]:
    """What a module of a package finds set when it runs."""
    name = module_name(path)
    package = name if path.endswith("/__init__.py") else name.rpartition(".")[0]
    return {"__name__": name, "__package__": package}


def module_text(
    name: str, lines: int, functions: dict[int, int] | None = None, classes: dict[int, int] | None = None,
    above: str = "",
) -> str:  # fmt: skip
    """About `lines` lines: functions and classes by turns. The dicts give values that are not their own number."""
    text = HEAD.format(name=name) + (f"{above}\n\n" if above else "")
    number = 0
    while number == 0 or text.count("\n") + 10 <= lines:
        text += FUNCTION.format(number=number, value=(functions or {}).get(number, number))
        if text.count("\n") + 11 <= lines:
            text += CLASS.format(number=number, value=(classes or {}).get(number, number))
        number += 1
    return text


def rest_of(count: int, own: Iterable[str]) -> dict[str, str]:
    """`program.py`, and `count` further modules of 30 lines, of which an area module imports a hundred each."""
    areas = -(-count // (PARTS_AN_AREA + 1)) if count > 1 else 0
    parts = [f"part{number:05}" for number in range(max(0, count - areas))]
    files = {f"{name}.py": module_text(name, 30) for name in parts}
    for area in range(areas):
        some = parts[area * PARTS_AN_AREA : (area + 1) * PARTS_AN_AREA]
        files[f"area{area:03}.py"] = "".join(f"import {name}\n" for name in some)
    imported = [*own, *(name.removesuffix(".py") for name in files if name.startswith("area"))]
    files["pyproject.toml"] = PROJECT
    files["program.py"] = "".join(f"import {name}\n" for name in (imported if areas else [*imported, *parts]))
    return files


def workload(kind: str, size: int, package: dict[str, Any] | None = None) -> Workload:
    """The workload of a kind in a size; `package` gives the releases of kind "packages"."""
    if package is not None:
        return Releases(**package)
    makers: dict[str, Callable[[], Workload]] = {
        "lines": lambda: Workload(lines=size),
        "definitions": lambda: Definitions(size),
        "constant": lambda: Constant(size),
        "instances": lambda: Instances(size),
        "modules": lambda: Workload(modules=size),
        "heap": lambda: Heap(size),
        "files": lambda: Files(size),
    }
    return makers[kind]()
