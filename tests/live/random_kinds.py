"""The kinds of units that random programs are made of: what their fields may be, and their lines."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

PACKAGE = "PKG"  # stands in texts for the package's name


@dataclass
class Unit:
    """`gone` are numbers of units that shrinking took out of it."""

    number: int
    kind: str
    name: str
    fields: dict[str, Any]

    @property
    def parts(self) -> list[Unit]:
        found: list[Unit] = self.fields.get("parts", [])
        return found


# -- names that a unit may use -----------------------------------------------------------------------------------------


class Scope:
    """Names that are bound at a place, by sort: int, text, func, class, object, enum, list, dict, registry,
    decorator, factory, class decorator, module, generic, dynamic (only other modules find it), back (a function that
    imports from a later module when it is called)."""

    def __init__(self) -> None:
        self.sorts: dict[str, list[str]] = {}

    def add(self, name: str, sort: str) -> None:
        self.sorts.setdefault(sort, []).append(name)

    def any(self, rng: random.Random, sort: str) -> str:
        names = self.sorts.get(sort)
        return rng.choice(names) if names else ""

    def names(self) -> list[tuple[str, str]]:
        return [(name, sort) for sort, names in self.sorts.items() for name in names]


Draw = Callable[[random.Random, Scope], Any]


def literal(rng: random.Random, scope: Scope) -> str:
    return str(rng.randint(1, 9))


def number(rng: random.Random, scope: Scope) -> str:
    """An expression that is an int, of what the scope has."""
    for _ in range(4):
        one = _number(rng, scope)
        if one:
            return one
    return literal(rng, scope)


def _number(rng: random.Random, scope: Scope) -> str:
    kind = rng.choice(
        ("literal", "int", "int", "int", "sum", "func", "class", "enum", "list", "dict", "object", "new", "if", "back")
    )
    name = scope.any(rng, kind if kind in scope.sorts else "int")
    if kind == "literal":
        return literal(rng, scope)
    if kind == "sum" and name:
        return f"{name} + {rng.choice([scope.any(rng, 'int'), literal(rng, scope)])}"
    if kind == "if" and name:
        return f"({name} if {scope.any(rng, 'int')} > {literal(rng, scope)} else {literal(rng, scope)})"
    if kind == "new":
        name = scope.any(rng, "class")
        return name and f"{name}({literal(rng, scope)}).get({literal(rng, scope)})"
    if name and kind in scope.sorts:
        arg = literal(rng, scope)
        return {
            "int": name, "func": f"{name}({arg})", "back": f"{name}({arg})", "class": f"{name}.LIMIT", "enum": f"{name}.A.value",
            "list": f"sum({name})", "dict": f"len({name})", "object": f"{name}.get({arg})",
        }[kind]  # fmt: skip
    return name


def text(rng: random.Random, scope: Scope) -> str:
    inner = scope.any(rng, "text")
    extra = f"-{{{inner}}}" if inner and rng.random() < 0.3 else ""
    return f'f"{rng.choice("xyz")}{{{number(rng, scope)}}}{extra}"'


def maybe(draw: Draw, share: float = 0.3) -> Draw:
    return lambda rng, scope: draw(rng, scope) if rng.random() < share else ""


def choice(*options: Any) -> Draw:
    return lambda rng, scope: rng.choice(options)


def numbers(rng: random.Random, scope: Scope) -> list[str]:
    return [number(rng, scope) for _ in range(rng.randint(1, 3))]


def decorator(rng: random.Random, scope: Scope) -> str:
    options = [scope.any(rng, "decorator"), "functools.lru_cache(maxsize=None)", "functools.cache"]
    if factory := scope.any(rng, "factory"):
        options += [f"{factory}({number(rng, scope)})"] * 2
    if counter := scope.any(rng, "class-based"):
        options += [counter]
    if registrar := scope.any(rng, "registrar"):
        options += [registrar, registrar]
    return "@" + (rng.choice([one for one in options if one]))


def decorators(rng: random.Random, scope: Scope) -> str:
    """One of them, or two."""
    return "\n".join(decorator(rng, scope) for _ in range(rng.choice((1, 1, 1, 2))))


def metaclass(rng: random.Random, scope: Scope) -> str:
    own = scope.any(rng, "metaclass")
    options = ["", "", "", "", "metaclass=abc.ABCMeta", *([f"metaclass={own}"] * 2 if own else [])]
    return rng.choice(options)  # type: ignore[no-any-return]


def base(rng: random.Random, scope: Scope) -> str:
    return scope.any(rng, "class")


def members(rng: random.Random, scope: Scope) -> list[str]:
    count = rng.randint(1, 4)
    return ["enum.auto()"] * count if rng.random() < 0.2 else [str(n) for n in rng.sample(range(1, 9), count)]


def generic_base(rng: random.Random, scope: Scope) -> str:
    name = scope.any(rng, "generic")
    return name and f"{name}[{rng.choice(('int', 'str'))}]"


def callee(rng: random.Random, scope: Scope) -> str:
    return scope.any(rng, "func") or "abs"


def constructor(rng: random.Random, scope: Scope) -> str:
    return scope.any(rng, "class") or "types.SimpleNamespace"


# -- kinds of units ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """How units of a kind are made: what its fields may be, its lines, and which sort of name it gives."""

    prefix: str
    sort: str
    fields: dict[str, Draw]
    render: Callable[[Unit], list[str]]
    parts: tuple[str, ...] = ()


def lines(template: str) -> Callable[[Unit], list[str]]:
    """Lines of `template`; those that are empty once the fields are put in are left out."""

    def render(unit: Unit) -> list[str]:
        given = unit.fields.items()
        fields = {key: ", ".join(map(str, value)) if isinstance(value, list) else value for key, value in given}
        out = template.strip("\n").format(name=unit.name, **fields).split("\n")
        return [line for line in out if line.strip()]

    return render


def indented(units: list[Unit], otherwise: str = "pass") -> list[str]:
    out = [f"    {line}" for unit in units for line in KINDS[unit.kind].render(unit)]
    return out or [f"    {otherwise}"]


def render_class(unit: Unit) -> list[str]:
    heads = [one for one in (unit.fields["base"], unit.fields["keyword"]) if one]
    head = f"class {unit.name}({', '.join(heads)}):" if heads else f"class {unit.name}:"
    doc = [f"    {unit.fields['doc']}"] if unit.fields["doc"] else []
    own = [
        f"    LIMIT = {unit.fields['limit']}",
        "    def __init__(self, n):", *(["        super().__init__(n)"] if unit.fields["base"] else []),
        f"        self.n = n + {unit.fields['init']}",
        "    def get(self, x):", f"        return self.n + x + {unit.fields['get']}",
    ]  # fmt: skip
    deco = [unit.fields["deco"]] if unit.fields["deco"] else []
    return [*deco, head, *doc, *own, *(indented(unit.parts) if unit.parts else [])]


def render_dataclass(unit: Unit) -> list[str]:
    rest = [f"    {unit.fields['more']}"] if unit.fields["more"] else []
    return [
        unit.fields["deco"], f"class {unit.name}:", "    n: int", f"    size: int = {unit.fields['size']}", *rest,
        f"    LIMIT: typing.ClassVar[int] = {unit.fields['limit']}",
        "    def get(self, x):", f"        return self.n + self.size + x + {unit.fields['get']}",
        *(indented(unit.parts) if unit.parts else []),
    ]  # fmt: skip


def render_enum(unit: Unit) -> list[str]:
    members = [f"    {name} = {value}" for name, value in zip("ABCD", unit.fields["values"], strict=False)]
    return [f"class {unit.name}(enum.{unit.fields['base']}):", *members, *(indented(unit.parts) if unit.parts else [])]


def render_block(unit: Unit) -> list[str]:
    if unit.kind == "with":
        head, tail = [f"with contextlib.suppress({unit.fields['error']}):"], []
    elif unit.kind == "if":
        head, tail = [f"if {unit.fields['test']}:"], []
        if unit.fields["otherwise"]:
            tail = ["else:", f"    {unit.name} = {unit.fields['otherwise']}"]
    else:
        head, tail = ["try:"], [f"except {unit.fields['error']}:", "    pass"]
        tail += ["finally:", f"    {unit.name} = {unit.fields['otherwise']}"] if unit.fields["otherwise"] else []
    first = [f"    {unit.name} = {unit.fields['value']}"]
    return [*head, *first, *(indented(unit.parts) if unit.parts else []), *tail]


def render_import(unit: Unit) -> list[str]:
    names = unit.fields["names"]
    if not names:
        return []
    return [f"from {unit.fields['dots']}{unit.fields['module']} import {', '.join(names)}"]


FUNC = {
    "deco": maybe(decorators, 0.35), "default": number, "keyword": maybe(number, 0.3), "note": maybe(choice(": int", ": 'str'"), 0.2),
    "doc": maybe(choice('"""One."""', '"""Two."""'), 0.3), "step": maybe(choice("x += 1", "x = x * 2", "y = [x for _ in range(2)]; x = len(y)"), 0.5),
    "body": number,
}  # fmt: skip
FUNC_TEXT = """
{deco}
def {name}(x{note}, y={default}, *, z={kw}):
    {doc}
    {step}
    return x + y + z + {body}
"""


def render_func(unit: Unit) -> list[str]:
    fields = {**unit.fields, "kw": unit.fields["keyword"] or "0"}
    return lines(FUNC_TEXT)(replace(unit, fields=fields))


METHOD = {"default": number, "body": number, "super": choice("", "", "super().__init__; ")}

KINDS: dict[str, Kind] = {
    "const": Kind("K", "int", {"value": literal}, lines("{name} = {value}")),
    "typed": Kind("K", "int", {"type": choice("int", "'int'", "typing.Any"), "value": number}, lines("{name}: {type} = {value}")),
    "derived": Kind("K", "int", {"value": number}, lines("{name} = {value}")),
    "grown": Kind("K", "int", {"value": number, "more": number}, lines("{name} = {value}\n{name} += {more}")),
    "text": Kind("T", "text", {"value": text}, lines("{name} = {value}")),
    "pattern": Kind("P", "pattern", {"value": text}, lines("{name} = re.compile({value})")),
    "func": Kind("f", "func", FUNC, render_func),
    "lambda": Kind("f", "func", {"default": number, "body": number}, lines("{name} = lambda x, y={default}: x + y + {body}")),
    "partial": Kind("f", "func", {"func": callee, "value": number}, lines("{name} = functools.partial({func})")),
    "bound": Kind("f", "func", {"cls": constructor, "value": number}, lines("{name} = {cls}({value}).get")),
    "alias": Kind("f", "func", {"func": callee}, lines("{name} = {func}")),
    "maker": Kind("make", "maker", {"start": number, "default": number, "body": number}, lines(
        "def {name}(n):\n    total = n + {start}\n    def step(x, y={default}):\n        nonlocal total\n        total += x\n        return total + y + {body}\n    return step")),
    "closure": Kind("f", "func", {"maker": lambda r, s: s.any(r, "maker"), "value": number}, lambda unit: lines(
        "{name} = {maker}({value})" if unit.fields["maker"] else "def {name}(x):\n    return {value}")(unit)),
    "decorator": Kind("deco", "decorator", {"body": number, "wraps": choice("@functools.wraps(fn)", "@functools.wraps(fn)", "")}, lines(
        "def {name}(fn):\n    {wraps}\n    def wrapper(*a, **k):\n        return fn(*a, **k) + {body}\n    return wrapper")),
    "factory": Kind("deco", "factory", {"default": number, "body": number}, lines(
        "def {name}(m={default}):\n    def outer(fn):\n        @functools.wraps(fn)\n        def wrapper(*a, **k):\n            return fn(*a, **k) * m + {body}\n        return wrapper\n    return outer")),
    "registry": Kind("REG", "registrar", {"key": choice("fn.__name__", "fn.__qualname__", "len({name})"), "tag": maybe(number)}, lambda unit: lines(
        "{name} = {{}}\ndef add_{name}(fn):\n    {name}[" + unit.fields["key"] + "] = fn\n    return fn")(unit)),
    "classdeco": Kind("deco", "class decorator", {"value": number}, lines("def {name}(cls):\n    cls.tag = {value}\n    return cls")),
    "class": Kind("C", "class", {
        "deco": maybe(lambda r, s: "@" + s.any(r, "class decorator") if s.any(r, "class decorator") else "", 0.3),
        "base": maybe(base, 0.4), "keyword": metaclass,
        "doc": maybe(choice('"""A."""', '"""B."""')), "limit": number, "init": number, "get": number}, render_class,
        ("attribute", "method", "method", "property", "static", "classmethod", "state", "cached", "nested", "slotless", "described", "settable",
         "abstract", "partialmethod", "private", "coroutine", "dispatching", "looped_in")),
    "dataclass": Kind("C", "class", {
        "deco": choice("@dataclass", "@dataclass", "@dataclass(eq=False)", "@dataclass(order=True)", "@dataclass(frozen=True)", "@dataclass(unsafe_hash=True)"),
        "size": number,
        "more": maybe(choice("items: list = field(default_factory=list)", "flag: bool = False", "label: str = 'a'", "seen: int = field(init=False, default=0)",
            "given: dataclasses.InitVar[int] = 1", "def __post_init__(self, *given): object.__setattr__(self, 'extra', 1)", "other: int = field(default=2, kw_only=True)"), 0.5),
        "limit": number, "get": number}, render_dataclass, ("method", "property", "static")),
    "enum": Kind("E", "enum", {"base": choice("Enum", "IntEnum", "IntFlag", "Flag"), "values": members},
        render_enum, ("method", "property")),
    "object": Kind("OBJ", "object", {"cls": constructor, "value": number}, lambda unit: lines(
        "{name} = types.SimpleNamespace(n={value}, get=abs)" if unit.fields["cls"].startswith("types") else "{name} = {cls}({value})")(unit)),
    "list": Kind("L", "list", {"items": numbers}, lines("{name} = [{items}]")),
    "tuple": Kind("L", "list", {"items": numbers}, lines("{name} = ({items},)")),
    "set": Kind("L", "list", {"items": numbers}, lines("{name} = {{{items}}}")),
    "built": Kind("L", "list", {"first": number, "second": number, "loop": literal}, lines(
        "{name} = [{first}]\n{name}.append({second})\nfor _i in range({loop}):\n    {name}.append(_i)")),
    "comprehension": Kind("L", "list", {"count": literal, "value": number}, lines("{name} = [i + {value} for i in range({count})]")),
    "dict": Kind("D", "dict", {"first": number, "key": choice("a", "b", "c"), "second": number}, lines('{name} = {{"{key}": {first}, "z": {second}}}')),
    "table": Kind("D", "dict", {"func": callee, "cls": constructor}, lines('{name} = {{"call": {func}, "make": {cls}}}')),
    "if": Kind("K", "int", {"test": lambda r, s: f"{number(r, s)} > {literal(r, s)}", "value": number, "otherwise": number}, render_block, ("func", "const", "derived")),
    "try": Kind("K", "int", {"error": choice("ValueError", "ImportError"), "value": number, "otherwise": maybe(number)}, render_block, ("func", "const", "class")),
    "with": Kind("K", "int", {"error": choice("ValueError", "KeyError"), "value": number, "otherwise": choice("")}, render_block, ("func", "const", "class")),
    "async": Kind("co", "async", {"default": number, "body": number}, lines(
        "async def {name}(x, y={default}):\n    await wait()\n    return x + y + {body}")),
    "asyncgen": Kind("ag", "asyncgen", {"body": number}, lines("async def {name}(n):\n    for i in range(n):\n        yield i + {body}")),
    "manager": Kind("cm", "manager", {"body": number}, lines("@contextlib.contextmanager\ndef {name}(n):\n    yield n + {body}")),
    "meta": Kind("M", "metaclass", {"value": number}, lines(
        "class {name}(type):\n    def __new__(mcls, name, bases, namespace, **k):\n        cls = super().__new__(mcls, name, bases, namespace, **k)\n"
        "        cls.made = {value}\n        return cls\n    def kind(cls):\n        return {value}")),
    "descriptor": Kind("De", "descriptor", {"value": number}, lines(
        "class {name}:\n    def __set_name__(self, owner, name):\n        self.named = name\n    def __get__(self, instance, owner=None):\n        return {value}")),
    "counter": Kind("Deco", "class-based", {"body": number}, lines(
        "class {name}:\n    def __init__(self, fn):\n        functools.update_wrapper(self, fn)\n        self.fn = fn\n    def __call__(self, *a, **k):\n"
        "        return self.fn(*a, **k) + {body}\n    def __get__(self, instance, owner=None):\n        return types.MethodType(self, instance)")),
    "namedtuple": Kind("NT", "", {"first": number, "second": number, "body": number}, lines(
        "class {name}(typing.NamedTuple):\n    a: int = {first}\n    b: int = {second}\n    def get(self):\n        return self.a + {body}")),
    "typed_dict": Kind("TD", "", {"total": choice("", ", total=False"), "type": choice("int", "str")}, lines(
        "class {name}(typing.TypedDict{total}):\n    a: {type}")),
    "slots": Kind("S", "class", {"limit": number, "get": number}, lines(
        "class {name}:\n    __slots__ = ('n', '__dict__', '__weakref__')\n    LIMIT = {limit}\n    def __init__(self, n):\n        self.n = n\n    def get(self, x):\n        return self.n + x + {get}")),
    "local": Kind("mk", "", {"value": number, "body": number}, lines(
        "def {name}(n):\n    class Local:\n        v = {value}\n        def get(self):\n            return n + {body}\n    return Local")),
    "lambdas": Kind("D", "dict", {"first": number, "second": number}, lines(
        '{name} = {{"a": lambda x: x + {first}, "b": [lambda x=1: x + {second}]}}')),
    "filled": Kind("D", "dict", {"count": literal, "value": number}, lines("{name} = {{}}\nfor _k in range({count}):\n    {name}[_k] = {value}")),
    "fallback": Kind("mod", "", {"module": choice("json", "surely_missing", "bisect")}, lines(
        "try:\n    import {module} as {name}\nexcept ImportError:\n    {name} = None")),
    "state": Kind("count", "", {"value": literal}, lines("{name} = {value}")),
    "bump": Kind("bump", "bump", {"value": literal, "body": number}, lines(
        "SEEN_{name} = {value}\ndef {name}():\n    global SEEN_{name}\n    SEEN_{name} += {body}\n    return SEEN_{name}")),
    "effect": Kind("fx", "", {"target": lambda r, s: s.any(r, "object") or "functools.lru_cache", "value": number}, lines("{target}.extra_{name} = {value}")),
    "generator": Kind("g", "maker2", {"body": number}, lines("def {name}(n):\n    for i in range(n):\n        yield i + {body}")),
    "single": Kind("f", "func", {"body": number, "other": number}, lines(
        "@functools.singledispatch\ndef {name}(x):\n    return {body}\n@{name}.register\ndef {name}_int(x: int):\n    return x + {other}")),
    "hooked": Kind("C", "class", {"limit": number, "get": number, "value": number}, lines(
        "class {name}:\n    LIMIT = {limit}\n    KINDS: typing.ClassVar[list] = []\n    def __init_subclass__(cls, **k):\n        super().__init_subclass__(**k)\n        {name}.KINDS.append(cls.__name__)\n        cls.code = {value}\n    def __init__(self, n):\n        self.n = n\n    def get(self, x):\n        return self.n + {get}")),
    "unpacked": Kind("K", "int", {"first": number, "second": number}, lines("{name}, {name}_b = {first}, {second}")),
    "walrus": Kind("K", "int", {"first": number, "second": number}, lines("{name} = ({name}_w := {first}) + {second}")),
    "match": Kind("K", "int", {"value": number, "first": number, "second": number, "third": number}, lines(
        "match {value} % 3:\n    case 0:\n        {name} = {first}\n    case 1 as {name}_rest:\n        {name} = {second}\n    case _:\n        {name} = {third}")),
    "helped": Kind("K", "int", {"first": number, "second": number}, lines("_h = {first}\n{name} = _h + {second}\ndel _h")),
    "while": Kind("K", "int", {"step": literal, "most": literal}, lines("{name} = 0\nwhile {name} < {most}:\n    {name} += {step}")),
    "called": Kind("K", "int", {"body": number, "value": number}, lines("{name} = (lambda v: v + {body})({value})")),
    "checking": Kind("K", "int", {"value": number}, lines(
        "if typing.TYPE_CHECKING:\n    from decimal import Decimal as {name}\nelse:\n    {name} = {value}")),
    "caught": Kind("K", "int", {"value": number, "other": number}, lines(
        "class Err{name}(Exception):\n    pass\ntry:\n    raise Err{name}({value})\nexcept Err{name} as _e:\n    {name} = _e.args[0] + {other}")),
    "optional": Kind("K", "int", {"module": choice("json", "surely_missing"), "value": number, "other": number}, lines(
        "try:\n    import {module}\nexcept ImportError:\n    {name} = {value}\nelse:\n    {name} = {other}")),
    "augmented": Kind("L", "list", {"first": number, "second": number}, lines("{name} = [{first}]\n{name} += [{second}]")),
    "merged": Kind("D", "dict", {"first": number, "second": number}, lines('{name} = {{"a": {first}}}\n{name} |= {{"b": {second}}}')),
    "mapped": Kind("D", "dict", {"count": literal, "value": number}, lines("{name} = {{str(i): [i, {value}] for i in range({count})}}")),
    "looped": Kind("L", "", {"count": literal, "body": number}, lines(
        "{name} = []\nfor _i in range({count}):\n    def _step(x, i=_i):\n        return x + i + {body}\n    {name}.append(_step)")),
    "inner": Kind("f", "func", {"body": number, "other": number}, lines(
        "def {name}(x):\n    def inner(y):\n        return y + x + {body}\n    return inner({other})")),
    "callable": Kind("f", "func", {"body": number, "start": number}, lines(
        "class Call{name}:\n    def __init__(self, n):\n        self.n = n\n    def __call__(self, x):\n        return self.n + x + {body}\n{name} = Call{name}({start})")),
    "generic": Kind("C", "class", {"limit": number, "get": number}, lines(
        "T_{name} = typing.TypeVar('T_{name}')\nclass {name}(typing.Generic[T_{name}]):\n    LIMIT = {limit}\n    def __init__(self, n):\n        self.n = n\n"
        "    def get(self, x):\n        return self.n + x + {get}")),
    "ordered": Kind("C", "class", {"limit": number, "get": number, "less": number}, lines(
        "@functools.total_ordering\nclass {name}:\n    LIMIT = {limit}\n    def __init__(self, n):\n        self.n = n\n    def get(self, x):\n"
        "        return self.n + {get}\n    def __eq__(self, other):\n        return self.n == other.n\n    def __lt__(self, other):\n        return self.n < other.n + {less}")),
    "entered": Kind("C", "class", {"limit": number, "get": number, "enter": number}, lines(
        "class {name}:\n    LIMIT = {limit}\n    def __init__(self, n):\n        self.n = n\n    def get(self, x):\n        return self.n + {get}\n"
        "    def __enter__(self):\n        return {enter}\n    def __exit__(self, *error):\n        return False\nwith {name}(1) as in_{name}:\n    pass")),
    "protocol": Kind("P", "", {"value": number}, lines(
        "@typing.runtime_checkable\nclass {name}(typing.Protocol):\n    LIMIT: int = {value}\n    def get(self, x): ...")),
    "abstracted": Kind("P", "", {"value": number, "cls": constructor}, lines(
        "class {name}(abc.ABC):\n    LIMIT = {value}\n    @abc.abstractmethod\n    def get(self, x): ...\n{name}.register({cls})")),
    "subscripted": Kind("C", "class", {"base": generic_base, "limit": number, "get": number}, lambda unit: lines(
        "class {name}{bases}:\n    LIMIT = {limit}\n    def __init__(self, n):\n        self.n = n\n    def get(self, x):\n        return self.n + x + {get}".replace(
            "{bases}", f"({unit.fields['base']})" if unit.fields["base"] else ""))(unit)),
    "dynamic": Kind("dyn", "dynamic", {"value": number}, lines(
        "def __getattr__(name):\n    if name == '{name}':\n        return {value}\n    raise AttributeError(name)")),
    # what an earlier module has of a later one: an import cycle
    "late": Kind("back", "back", {}, lines(
        "def {name}(x):\n    from " + PACKAGE + ".{module} import {target}\n    return x + {target}")),
    "cycle": Kind("back", "", {}, lines("def {name}(x):\n    return x + {name}_m.{target}\nimport " + PACKAGE + ".{module} as {name}_m")),
    # PEP 695: from 3.12 on
    "function695": Kind("f", "func", {"default": number, "body": number, "bound": choice("", ": int", ": (int, str)")}, lines(
        "def {name}[T{bound}](x: T, y={default}) -> T:\n    return x + y + {body}")),
    "class695": Kind("C", "class", {"limit": number, "get": number, "bound": choice("", ": int")}, lines(
        "class {name}[T{bound}]:\n    LIMIT = {limit}\n    def __init__(self, n):\n        self.n = n\n    def get(self, x: T | int):\n        return self.n + x + {get}\n"
        "    def other[S](self, x: S) -> tuple[S, T]:\n        return x, self.n")),
    "type695": Kind("Al", "", {"cls": constructor}, lines("type {name} = list[{cls}]")),
    "all": Kind("", "", {"how": choice("sorted(n for n in globals() if not n.startswith('_'))", "[n for n in dir() if n[0].isupper()]")}, lines("__all__ = {how}")),
    "from": Kind("", "", {}, render_import),
    "import": Kind("", "", {}, lines("import " + PACKAGE + ".{module} as {name}")),
    "broken": Kind("", "", {"line": choice("1 / 0", "undefined_name", "def broken(:", "import surely_missing", "raise SystemExit(2)", "assert False",
        "class Broken:\n    x = 1 // 0", "from " + PACKAGE + " import surely_missing", "@undefined_name\ndef broken(): pass")}, lines("{line}")),
    # members of classes
    "attribute": Kind("at", "", {"value": number}, lines("{name} = {value}")),
    "method": Kind("m", "", {"default": number, "body": number, "super": choice("", "", "super().__repr__()")}, lines(
        "def {name}(self, x=1, y={default}):\n    {super}\n    return x + y + {body}")),
    "property": Kind("p", "", {"body": number}, lines("@property\ndef {name}(self):\n    return {body}")),
    "cached": Kind("p", "", {"body": number}, lines("@functools.cached_property\ndef {name}(self):\n    return {body}")),
    "static": Kind("m", "", {"body": number, "default": number}, lines("@staticmethod\ndef {name}(x=1, y={default}):\n    return x + y + {body}")),
    "classmethod": Kind("m", "", {"body": number}, lines("@classmethod\ndef {name}(cls, x=1):\n    return cls.LIMIT + {body}")),
    "nested": Kind("In", "", {"value": number, "body": number}, lines("class {name}:\n    v = {value}\n    def m(self):\n        return {body}")),
    "described": Kind("at", "", {"cls": lambda r, s: s.any(r, "descriptor"), "value": number}, lambda unit: lines(
        "{name} = {cls}()" if unit.fields["cls"] else "{name} = {value}")(unit)),
    "settable": Kind("p", "", {"body": number, "other": number}, lines(
        "@property\ndef {name}(self):\n    return {body}\n@{name}.setter\ndef {name}(self, value):\n    self.seen = value + {other}")),
    "dispatching": Kind("m", "", {"body": number, "other": number}, lines(
        "@functools.singledispatchmethod\ndef {name}(self, x):\n    return {body}\n@{name}.register\ndef _(self, x: int):\n    return x + {other}")),
    "looped_in": Kind("at", "", {"count": literal, "value": number}, lines("{name} = []\nfor _j in range({count}):\n    {name}.append(_j + {value})")),
    "abstract": Kind("m", "", {"deco": choice("@abc.abstractmethod", ""), "body": number}, lines("{deco}\ndef {name}(self):\n    return {body}")),
    "partialmethod": Kind("m", "", {"value": number}, lines("{name} = functools.partialmethod(get, {value})")),
    "private": Kind("m", "", {"value": number, "body": number}, lines(
        "__v{name} = {value}\ndef {name}(self):\n    return self.__v{name} + {body} + (__class__ is not None)")),
    "coroutine": Kind("m", "", {"body": number}, lines("async def {name}(self):\n    return {body}")),
    "slotless": Kind("m", "", {"deco": maybe(decorator, 0.7), "body": number}, lines("{deco}\ndef {name}(self, x=1):\n    return x + {body}")),
}  # fmt: skip

TOP = tuple(
    "const const derived derived typed grown text pattern func func func func lambda partial bound alias maker closure closure decorator "
    "factory registry classdeco class class class dataclass enum object object list list tuple set built comprehension dict table "
    "if try bump effect generator single hooked with async asyncgen manager meta descriptor descriptor counter namedtuple slots local "
    "lambdas filled fallback typed_dict "
    "unpacked walrus match helped while called checking caught optional augmented merged mapped looped inner callable generic ordered "
    "entered protocol abstracted subscripted dynamic".split()
)  # fmt: skip
NEW = ("function695", "class695", "type695")


# Kind → the other names that a unit of it binds.
ALSO = {
    "bump": ("SEEN_{}",), "unpacked": ("{}_b",), "walrus": ("{}_w",), "match": ("{}_rest",), "caught": ("Err{}",),
    "callable": ("Call{}",), "generic": ("T_{}",), "entered": ("in_{}",), "cycle": ("{}_m",),
}  # fmt: skip


def gives(unit: Unit) -> Iterator[tuple[str, str]]:
    """(name, sort) for what a unit binds."""
    kind = KINDS[unit.kind]
    if unit.kind == "registry":
        yield f"add_{unit.name}", "registrar"
    elif unit.kind == "from":
        yield from (
            unit.fields["gives"]
            if unit.fields["names"] == ["*"]
            else zip(unit.fields["names"], unit.fields["sorts"], strict=True)
        )
    elif unit.kind == "import":
        for name, sort in unit.fields["gives"]:
            yield f"{unit.name}.{name}", sort
    elif kind.sort:
        yield unit.name, kind.sort
        if unit.kind in ("generic", "class695"):
            yield unit.name, "generic"


def bound_by(unit: Unit) -> list[str]:
    if unit.kind == "registry":
        return [unit.name, f"add_{unit.name}"]
    return [*(also.format(unit.name) for also in ALSO.get(unit.kind, ())), unit.name]
