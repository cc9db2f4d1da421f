"""Source text → Statements: what each one is, binds and reads. Pure."""

from __future__ import annotations

import ast
import codecs
import contextlib
import copy
import functools
import importlib.util
import io
import re
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from midflight.plan.nodes import FUNCTIONS, SCOPES, child_nodes, walk, walk_scope

LOOPS = (ast.For, ast.AsyncFor, ast.While)
BLOCKS = (ast.If, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match, *LOOPS)
PARTS = ("body", "handlers", "cases", "orelse", "finalbody")  # of a block, in the order of its text
_BEHIND_DOTS = re.compile(r"\.\s*(\w+)")
PLACES = frozenset({"lineno", "col_offset", "end_lineno", "end_col_offset", "type_comment", "kind"})


def fingerprint(node: ast.AST, *, bodies: bool = True) -> str:
    """What `node` is, without where it stands. Without `bodies`, those of functions and lambdas are left out:
    equal then means that running the statement again could only give the same objects with other code inside."""
    parts: list[str] = []
    _write(node, bodies, parts)
    return "".join(parts)


def same_trees(old: Statement, new: Statement, *, bodies: bool = True) -> bool:
    """Whether their fingerprints are equal. Of a class only the members whose text differs are looked at."""
    if old.text == new.text and old.type is new.type:
        return True
    if not bodies and old.has_header_of(new):
        return True
    if isinstance(old.node, ast.ClassDef) and isinstance(new.node, ast.ClassDef):
        return _head_of_class(old.node) == _head_of_class(new.node) and (
            len(old.members) == len(new.members)
            and all(same_trees(a, b, bodies=bodies) for a, b in zip(old.members, new.members, strict=True))
        )
    return old.print == new.print if bodies else old.shell == new.shell


def _head_of_class(node: ast.ClassDef) -> str:
    parts: list[str] = [node.name]
    for name in ("bases", "keywords", "decorator_list", "type_params"):
        _write_value(getattr(node, name, None), True, parts)
    return ",".join(parts)


def _write(node: ast.AST, bodies: bool, out: list[str]) -> None:
    kind = type(node)
    fields = _FIELDS.get(kind)
    if fields is None:
        # Found once for each kind of node: asking each node for its fields took twice the time of all the rest.
        fields = _FIELDS[kind] = tuple(name for name in kind._fields if name not in PLACES)
    out.append(kind.__name__)
    out.append("(")
    for name in fields:
        if name == "body" and not bodies and isinstance(node, SCOPES):
            continue
        value = getattr(node, name, None)
        if value is None:
            out.append("-,")
        elif isinstance(value, ast.expr_context):
            continue  # where a name stands says whether it is read
        else:
            _write_value(value, bodies, out)
            out.append(",")
    out.append(")")


def _write_value(value: Any, bodies: bool, out: list[str]) -> None:
    kind = type(value)
    if kind is str:
        out.append(repr(value))
    elif isinstance(value, ast.AST):
        _write(value, bodies, out)
    elif kind is list:
        out.append("[")
        for item in value:
            _write_value(item, bodies, out)
            out.append(",")
        out.append("]")
    elif isinstance(value, (frozenset, set)):
        out.append(repr(sorted(map(repr, value))))
    else:
        # 1, 1.0 and True are equal but not the same constant.
        out.append(f"{kind.__name__}:{value!r}")


_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}


@dataclass(eq=False, slots=True)
class Statement:
    """One statement of a module or class body. `first` counts its first decorator's line; lines from 1.

    `node`'s own line numbers are those of the text it was parsed from: add `shift` to get those of its file now. It is
    parsed when it is asked for, where only its body was edited: for most of an edit's way nobody asks."""

    _node: ast.stmt | None
    text: str
    first: int
    last: int
    shift: int = 0
    _facts: dict[str, Any] = field(default_factory=dict, repr=False)
    _placed: ast.stmt | None = field(default=None, repr=False)
    compiled: tuple[object, types.CodeType] | None = field(default=None, repr=False)  # for what, its code

    @property
    def node(self) -> ast.stmt:
        return self._node if self._node is not None else self._facts.get("node") or self._parsed()

    def _parsed(self) -> ast.stmt:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the compiler told of them
            node = self._class() if self.is_class else self._function()
        self._facts["node"] = node
        return node

    def _function(self) -> ast.stmt:
        above = self.first - self.shift - 1
        if self.text[:1] not in " \t":
            return ast.parse("\n" * above + self.text).body[0]
        (around,) = ast.parse("\n" * (above - 1) + "class _:\n" + self.text).body
        return around.body[0]  # type: ignore[attr-defined, no-any-return]

    def _class(self) -> ast.stmt:
        """What it was, but for methods with other bodies."""
        was, methods = self._facts["class"]
        body = [self.members[at].node if at in methods else child for at, child in enumerate(was.body)]
        fields = {name: getattr(was, name) for name in was._fields}
        node = ast.copy_location(ast.ClassDef(**{**fields, "body": body}), was)
        node.end_col_offset = body[-1].end_col_offset
        return node

    @property
    def identity(self) -> int:
        """Equal for a statement and what it is called further down, for as long as one of them lives."""
        return id(self._node) if self._node is not None else id(self._facts)

    @property
    def type(self) -> type[ast.stmt]:
        """The type of its node."""
        return type(self._node) if self._node is not None else self._facts["type"]

    def moved(self, lines: int) -> Statement:
        """The same statement, `lines` further down."""
        if not lines:
            return self
        return Statement(self._node, self.text, self.first + lines, self.last + lines, self.shift + lines, self._facts)

    def placed_at(self, line: int) -> Statement:
        return self.moved(line - self.first)

    def fact(self, name: str, make: Callable[[ast.stmt], Any]) -> Any:
        """What `make` says of its node, worked out once and kept under `name` for as long as the statement stays."""
        value = self._facts.get(name)
        if value is None:
            value = self._facts[name] = make(self.node)
        return value

    @property
    def print(self) -> str:
        return self.fact("print", fingerprint)  # type: ignore[no-any-return]

    @property
    def shell(self) -> str:
        return self.fact("shell", functools.partial(fingerprint, bodies=False))  # type: ignore[no-any-return]

    @property
    def _uses(self) -> dict[str, frozenset[str]]:
        known: dict[str, frozenset[str]] | None = self._facts.get("uses")  # the most asked of all
        return known if known is not None else self.fact("uses", uses_of)

    @property
    def binds(self) -> frozenset[str]:
        """Names that running it binds in its own scope."""
        return self._uses["bind"]

    @property
    def values(self) -> frozenset[str]:
        """Names whose values running it makes: for a loop not its variables, but the containers that it fills."""
        return self.fact("values", _values_of) if self.type in (ast.For, ast.AsyncFor) else self.binds

    @property
    def reads(self) -> frozenset[str]:
        """Names that running it looks up: not those that only a function's body uses."""
        return self._uses["read"]

    @property
    def calls(self) -> bool:
        """Whether running it calls code: decorators count, bodies of functions do not."""
        return self.fact("calls", calls_something)  # type: ignore[no-any-return]

    @property
    def attributes(self) -> frozenset[str]:
        """The words that stand behind a dot anywhere in its text, which is not parsed for that."""
        known: frozenset[str] | None = self._facts.get("attributes")
        if known is None:
            known = self._facts["attributes"] = frozenset(_BEHIND_DOTS.findall(self.text))
        return known

    @property
    def stores_on_self(self) -> frozenset[str]:
        """Attributes that functions of a class body set on `self`: what `__static_attributes__` names (3.13)."""
        return self.fact("stores on self", lambda node: frozenset(_stored_on_self(node)))  # type: ignore[no-any-return]

    @property
    def deletes(self) -> frozenset[str]:
        return self._uses["delete"]

    @property
    def members(self) -> tuple[Statement, ...]:
        """The statements of a class body, counting lines as its text does."""
        return self.fact("members", self._members)  # type: ignore[no-any-return]

    def _members(self, node: ast.stmt) -> tuple[Statement, ...]:
        lines = ("",) * (self.first - self.shift - 1) + lines_of(self.text)
        return split(getattr(node, "body", ()), lines)

    def take_members(self, old: Statement) -> None:
        """Its members are those of its version before, where their texts are the same."""
        self._facts["members"] = reused(old.members, self.members)

    def members_now(self) -> tuple[Statement, ...]:
        """The statements of a class body, placed as the file is now."""
        return tuple(member.moved(self.shift) for member in self.members)

    def with_body(self, text: str, last: int) -> Statement:
        """A function of which no line of the header is edited: whatever follows from that alone is known."""
        return Statement(None, text, self.first, last, 0, self._known_of_header())

    def with_method(self, at: int, method: Statement, text: str) -> Statement:
        """A class with another body, on as many lines, in the method that is its member `at`."""
        facts = self._known_of_header()
        facts["members"] = (*self.members[:at], method, *self.members[at + 1 :])
        was, methods = self._facts.get("class", (self._node, frozenset()))
        facts["class"] = was, methods | {at}
        return Statement(None, text, self.first, self.last, self.shift, facts)

    def _known_of_header(self) -> dict[str, Any]:
        self._facts.setdefault("same header", object())
        facts = {name: self._facts[name] for name in _OF_HEADERS if name in self._facts}
        return facts | {"type": self.type, "imported": frozenset()}  # it imports when it is called

    def has_header_of(self, other: Statement) -> bool:
        """Whether one came of the other by `with_body` or `with_method`."""
        return self._facts.get("same header", self) is other._facts.get("same header")

    @property
    def header(self) -> int:
        """How many lines of a function stand above its body; 0 where that begins on one of them."""
        return self.fact("header", self._header)  # type: ignore[no-any-return]

    def _header(self, node: ast.stmt) -> int:
        assert isinstance(node, FUNCTIONS)
        lines = first_line(node.body[0]) - first_line(node)
        return lines if lines and lines_of(self.text)[lines][: node.body[0].col_offset].isspace() else 0

    @property
    def defined(self) -> str:
        """What a definition is called; of other statements nothing."""
        return self.fact("defined", _defined)  # type: ignore[no-any-return]

    @property
    def is_def(self) -> bool:
        return (type(self._node) if self._node is not None else self._facts["type"]) in FUNCTIONS

    @property
    def is_class(self) -> bool:
        return (type(self._node) if self._node is not None else self._facts["type"]) is ast.ClassDef

    @property
    def is_import(self) -> bool:
        kind = type(self._node)  # of which no import is without
        return kind is ast.Import or kind is ast.ImportFrom

    @property
    def is_block(self) -> bool:
        return type(self._node) in BLOCKS  # of which none is without

    @property
    def is_loop(self) -> bool:
        return self.type in LOOPS

    @property
    def is_active(self) -> bool:
        """Whether it may be stale where no value changed but code did: it calls, imports or makes a class."""
        known: bool | None = self._facts.get("active")  # asked of every statement of a module in each reload
        return known if known is not None else bool(self.fact("active", _is_active))

    @property
    def name(self) -> str:
        """What a report calls it."""
        names = sorted(self.binds)
        if names:
            return ", ".join(names[:3])
        return self.text.strip().splitlines()[0][:60] if self.text.strip() else type(self.node).__name__

    def located(self) -> ast.stmt:
        """A node with the line numbers of the file as it is now."""
        if not self.shift:
            return self.node
        if self._placed is None:
            self._placed = self._parsed_in_place() or self._copied_in_place()
        return self._placed

    def _parsed_in_place(self) -> ast.stmt | None:
        """Its text parsed where it stands now, at a tenth of what copying the node costs; None where others share its
        lines."""
        indented = self.node.col_offset > 0 or self.text[:1] in " \t"
        above = "\n" * (self.first - 2) + "if 1:\n" if indented and self.first > 1 else "\n" * (self.first - 1)
        try:
            body: list[ast.stmt] = ast.parse(above + self.text).body
        except (SyntaxError, ValueError):
            return None
        found = body[0].body if indented and len(body) == 1 and isinstance(body[0], ast.If) else body
        return found[0] if len(found) == 1 and type(found[0]) is type(self.node) else None

    def _copied_in_place(self) -> ast.stmt:
        import copy

        node = copy.deepcopy(self.node)
        ast.increment_lineno(node, self.shift)
        return node

    @property
    def is_generic(self) -> bool:
        """Whether it has type parameters (PEP 695), which functions inside it capture."""
        return self.fact("generic", lambda node: bool(getattr(node, "type_params", ())))  # type: ignore[no-any-return]

    @property
    def is_plain_def(self) -> bool:
        """Whether running it makes one code object, that of its function: nothing else in it is compiled apart."""
        return self.fact("plain def", _is_plain_def)  # type: ignore[no-any-return]


# What is known of a function by its header, and of a class by all but the bodies of its methods: whatever is in those,
# running the statement does the same.
_OF_HEADERS = (
    *("same header", "header", "shell", "uses", "calls", "active", "plain def", "defined", "bare"),
    *("mutates", "dotted", "mentions", "imports names", "generic"),
)


def _defined(node: ast.stmt) -> str:
    return node.name if isinstance(node, (*FUNCTIONS, ast.ClassDef)) else ""


def _is_plain_def(node: ast.stmt) -> bool:
    if not isinstance(node, FUNCTIONS) or node.decorator_list or getattr(node, "type_params", None):
        return False
    apart = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    parts = [node.args, *([node.returns] if node.returns is not None else [])]
    return not any(isinstance(child, apart) for part in parts for child in walk(part))


@dataclass(frozen=True, slots=True, eq=False)
class SourceText:
    """One version of a module: its text and its top-level statements.

    `_facts` are what is known of all of them: what an edit cannot have changed is handed on to the next version."""

    text: str
    statements: tuple[Statement, ...]
    lines: tuple[str, ...]
    _facts: dict[str, Any] = field(default_factory=dict, repr=False)

    def fact(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` says of all its statements, worked out once for this version."""
        value = self._facts.get(name)
        if value is None:
            value = self._facts[name] = make()
        return value

    @property
    def future(self) -> frozenset[str]:
        """What `from __future__ import` switches on in it."""
        return self.fact("future", self._future)  # type: ignore[no-any-return]

    def _future(self) -> frozenset[str]:
        return frozenset(
            alias.name
            for statement in self.statements
            if isinstance(statement.node, ast.ImportFrom) and statement.node.module == "__future__"
            for alias in statement.node.names
        )

    @property
    def imports(self) -> frozenset[str]:
        """Names that its top level imports, blocks included."""
        return self.fact("imports", self._imports)  # type: ignore[no-any-return]

    def _imports(self) -> frozenset[str]:
        return frozenset().union(*(s.fact("imported", _imported_names) for s in self.statements))

    def with_middle(
        self, text: str, lines: tuple[str, ...], before: int, middle: tuple[Statement, ...], after: int, down: int
    ) -> SourceText:
        """The version in which `middle` stands between its first `before` and its last `after` statements, and the
        last ones are `down` lines further down."""
        end = len(self.statements) - after
        went, tail = self.statements[before:end], self.statements[end:]
        statements = (*self.statements[:before], *middle, *((s.moved(down) for s in tail) if down else tail))
        return SourceText(text, statements, lines, self._handed_on(went, middle))

    def _handed_on(self, went: Sequence[Statement], came: Sequence[Statement]) -> dict[str, Any]:
        facts = {"future": self.future}  # a region that touches it is parsed with the whole
        if not any(s.fact("imported", _imported_names) for s in (*went, *came)):
            facts |= {name: self._facts[name] for name in ("imports", "head", "mark") if name in self._facts}
        return facts

    @property
    def head(self) -> tuple[ast.stmt, ...]:
        """What stands before a statement that is compiled alone: its futures, and what it must take for imported."""
        return self.fact("head", self._head)  # type: ignore[no-any-return]

    @property
    def mark(self) -> str:
        """The same as text, but for the futures: a line, or nothing."""
        return self.fact("mark", self._mark)  # type: ignore[no-any-return]

    def _mark(self) -> str:
        names = sorted(self.imports - self.future)
        return f"if 0:import {','.join(names)}\n" if names else ""

    def _head(self) -> tuple[ast.stmt, ...]:
        future = ast.parse(f"from __future__ import {', '.join(sorted(self.future))}").body if self.future else []
        return (*future, *import_marks(self.imports - self.future))

    @property
    def doc(self) -> str | None:
        node = self.statements[0].node if self.statements and self.statements[0].type is ast.Expr else None
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return node.value.value
        return None


def _is_active(node: ast.stmt) -> bool:
    if calls_something(node):
        return True
    return any(isinstance(child, (ast.Import, ast.ImportFrom, ast.ClassDef)) for child in walk_scope(node))


def _imported_names(node: ast.stmt) -> frozenset[str]:
    imports = (child for child in walk_scope(node) if isinstance(child, (ast.Import, ast.ImportFrom)))
    return frozenset(name for child in imports for kind, name in _uses(child) if name != "*")


@functools.lru_cache(maxsize=4)  # one module asks again and again
def import_marks(names: frozenset[str]) -> tuple[ast.stmt, ...]:
    """A statement that runs nothing and tells the compiler that `names` are imported.

    A call of an attribute of an imported name compiles to other instructions than one of a value's method
    (Python/compile.c, is_import_originated): without this, code compiled alone would differ from the module's."""
    if not names:
        return ()
    never = ast.If(ast.Constant(0), [ast.Import([ast.alias(name) for name in sorted(names)])], [])
    return (ast.fix_missing_locations(ast.copy_location(never, ast.Pass(lineno=1, col_offset=0))),)


def decode(source: bytes) -> str:
    """Text as Python reads it: coding cookie, BOM, universal newlines. Raises SyntaxError or UnicodeDecodeError."""
    head = source[: source.find(b"\n", source.find(b"\n") + 1) + 1 or None]
    if b"coding" not in head and not head.startswith(codecs.BOM_UTF8) and b"\r" not in source:
        with contextlib.suppress(UnicodeDecodeError):  # PEP 263: then it is UTF-8, and nothing has to be looked for
            return source.decode()
    return importlib.util.decode_source(source)


def first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def split(body: Sequence[ast.stmt], lines: Sequence[str], shift: int = 0) -> tuple[Statement, ...]:
    """The statements of a body whose nodes count lines `shift` behind `lines`."""
    out = []
    for node in body:
        first, last = first_line(node) + shift, (node.end_lineno or node.lineno) + shift
        out.append(Statement(node, "".join(lines[first - 1 : last]), first, last, shift))
    return tuple(out)


def reused(old: Sequence[Statement], new: Sequence[Statement]) -> tuple[Statement, ...]:
    """`new`, but what stands in `old` with the same text is that, moved: all that is known of it still holds. So are
    the members of a class that only differs in some of them."""
    waiting: dict[str, list[Statement]] = {}
    for one in reversed(list(alone(old))):
        waiting.setdefault(one.text, []).append(one)
    whole = set(alone(new))
    found = tuple(
        waiting[one.text].pop().placed_at(one.first) if one in whole and waiting.get(one.text) else one for one in new
    )
    classes = {one.node.name: one for held in waiting.values() for one in held if isinstance(one.node, ast.ClassDef)}
    for one in found:
        if isinstance(one.node, ast.ClassDef) and one in whole and one.node.name in classes:
            one.take_members(classes[one.node.name])
    return found


def alone(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Those that share no line with another: their text says all of them."""
    for at, one in enumerate(statements):
        after = statements[at + 1].first if at + 1 < len(statements) else one.last + 1
        if one.last < after and (at == 0 or statements[at - 1].last < one.first):
            yield one


def parse(text: str, filename: str = "<source>") -> SourceText:
    """`text` as statements. Raises SyntaxError (ValueError for a NUL byte) as `compile` does."""
    tree = ast.parse(text, filename)
    lines = lines_of(text)
    return SourceText(text, split(tree.body, lines), lines)


def lines_of(text: str) -> tuple[str, ...]:
    """Lines as the tokenizer counts them, each with its end, which is one `\\n` whatever it was: str.splitlines also
    breaks at form feeds and at the separators of Unicode, which may stand in a string."""
    return tuple(io.StringIO(text, newline=None))


def bare_lines(text: str) -> list[str]:
    """Its lines as Python and git count them, without their ends."""
    return [line.removesuffix("\n") for line in lines_of(text)]


# -- what a statement binds and reads -------------------------------------------------------------


def bound_names(node: ast.stmt) -> frozenset[str]:
    """Names that running `node` may bind in its scope."""
    return uses_of(node)["bind"]


def uses_of(node: ast.stmt) -> dict[str, frozenset[str]]:
    """ "bind", "read" and "delete" → the names that running `node` does this with in its own scope."""
    found: dict[str, set[str]] = {"bind": set(), "read": set(), "delete": set()}
    for kind, name in _uses(node):
        found[kind].add(name)
    return {kind: frozenset(names) for kind, names in found.items()}


def names_in_order(body: Sequence[Statement]) -> list[str]:
    """The names that a body binds, as its namespace lists them: the first to be bound stands first."""
    return list(dict.fromkeys(name for one in body for name in _bound_in_order(one)))


def _bound_in_order(statement: Statement) -> Iterable[str]:
    if len(statement.binds) < 2:
        return statement.binds
    return (name for kind, name in _uses(statement.node) if kind == "bind")


def bound_by_head(block: ast.stmt) -> frozenset[str]:
    """Names that a block binds itself, and not by a statement in it: `with … as f`, `case x`, `except E as e`."""
    head: Any = copy.copy(block)
    for part in PARTS:
        held = [copy.copy(one) for one in getattr(block, part, ()) if not isinstance(one, ast.stmt)]
        for handler_or_case in held:
            handler_or_case.body = []
        setattr(head, part, held)
    return bound_names(head)


def read_names(node: ast.stmt) -> frozenset[str]:
    """Names that running `node` looks up in its scope or an outer one."""
    return uses_of(node)["read"]


def names_asked_for(node: ast.stmt) -> frozenset[str]:
    """Names that running `node`, or calling the function that it defines, looks up around it."""
    inside = [child for child in walk(node) if isinstance(child, ast.Name)] if isinstance(node, FUNCTIONS) else []
    own = {child.arg for child in walk(node) if isinstance(child, ast.arg)} if inside else set()
    own |= {child.id for child in inside if isinstance(child.ctx, ast.Store)}
    return read_names(node) | {child.id for child in inside} - own


_ASK_EACH = frozenset({"sorted", "sort", "map", "filter", "min", "max", "reduce"})


def deleted_names(node: ast.stmt) -> frozenset[str]:
    return uses_of(node)["delete"]


def _uses(node: ast.AST) -> list[tuple[str, str]]:
    """("bind" | "read" | "delete", name) for all that running `node` does in its own scope."""
    kind = type(node)
    if kind is ast.Name:
        return [(_KINDS[type(node.ctx)], node.id)]  # type: ignore[attr-defined]
    return _BY_KIND.get(kind, _other_uses)(node)


def _uses_of_all(nodes: Iterable[ast.AST | None]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for node in nodes:
        if node is not None:
            found += _uses(node)
    return found


def _lambda_uses(node: ast.Lambda) -> list[tuple[str, str]]:
    return _uses_of_all([*node.args.defaults, *node.args.kw_defaults])


def _call_uses(node: ast.Call) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for called in lambdas_called(node):
        own = {parameter.arg for parameter in parameters(called.args)}
        found += (use for use in _uses(called.body) if use[0] == "read" and use[1] not in own)
    return found + _uses_of_all(child_nodes(node))


def _import_uses(node: ast.Import | ast.ImportFrom) -> list[tuple[str, str]]:
    plain = type(node) is ast.Import
    return [("bind", one.asname or (one.name.split(".")[0] if plain else one.name)) for one in node.names]


def lambdas_called(call: ast.Call) -> Iterator[ast.Lambda]:
    """The lambdas that a call runs before it returns: its function, what `sorted` and the like ask for each item."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)] if name in _ASK_EACH else []
    yield from (one for one in (call.func, *arguments) if isinstance(one, ast.Lambda))


def _other_uses(node: ast.AST) -> list[tuple[str, str]]:
    return _uses_of_all(child_nodes(node))


def _augmented_uses(node: ast.AugAssign) -> list[tuple[str, str]]:
    own = [("read", node.target.id)] if isinstance(node.target, ast.Name) else []
    return own + _other_uses(node)


def _annotated_uses(node: ast.AnnAssign) -> list[tuple[str, str]]:
    return _uses(node.annotation) if node.value is None else _other_uses(node)


def _named_uses(node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar) -> list[tuple[str, str]]:
    return ([("bind", node.name)] if node.name else []) + _other_uses(node)


def _mapping_uses(node: ast.MatchMapping) -> list[tuple[str, str]]:
    return ([("bind", node.rest)] if node.rest else []) + _other_uses(node)


def _function_uses(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[tuple[str, str]]:
    own = {p.name for p in getattr(node, "type_params", ())}
    found = _uses_of_all([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults, node.returns])
    found += _uses_of_all([a.annotation for a in parameters(node.args)])
    return [("bind", node.name), *(use for use in found if use[1] not in own)]


def parameters(node: ast.arguments) -> list[ast.arg]:
    return [a for a in (*node.posonlyargs, *node.args, node.vararg, *node.kwonlyargs, node.kwarg) if a is not None]


def _class_uses(node: ast.ClassDef) -> list[tuple[str, str]]:
    inner = {p.name for p in getattr(node, "type_params", ())}
    head = _uses_of_all([*node.decorator_list, *node.bases, *(k.value for k in node.keywords)])
    found = [("bind", node.name), *(use for use in head if use[1] not in inner)]
    for child in node.body:
        uses = _uses(child)
        found += [use for use in uses if use[0] == "read" and use[1] not in inner]
        inner.update(name for kind, name in uses if kind == "bind")
    return found


def _comprehension_uses(node: ast.AST) -> list[tuple[str, str]]:
    targets = {
        name
        for generator in node.generators  # type: ignore[attr-defined]
        for kind, name in _uses(generator.target)
        if kind == "bind"
    }
    found = [use for use in _uses_of_all(child_nodes(node)) if use[0] != "bind" and use[1] not in targets]
    walruses = (one.target for one in walk(node) if isinstance(one, ast.NamedExpr))
    return found + [("bind", target.id) for target in walruses if isinstance(target, ast.Name)]


_KINDS: dict[type[ast.AST], str] = {ast.Store: "bind", ast.Load: "read", ast.Del: "delete"}
_BY_KIND: dict[type[ast.AST], Callable[[Any], list[tuple[str, str]]]] = {
    **dict.fromkeys(FUNCTIONS, _function_uses),
    ast.ClassDef: _class_uses,
    ast.Lambda: _lambda_uses,
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), _comprehension_uses),
    ast.Call: _call_uses,
    **dict.fromkeys((ast.Import, ast.ImportFrom), _import_uses),
    ast.AugAssign: _augmented_uses,
    ast.AnnAssign: _annotated_uses,
    **dict.fromkeys((ast.ExceptHandler, ast.MatchAs, ast.MatchStar), _named_uses),
    ast.MatchMapping: _mapping_uses,
}


def _values_of(node: ast.stmt) -> frozenset[str]:
    targets = {
        n.id
        for child in walk_scope(node)
        if isinstance(child, (ast.For, ast.AsyncFor))
        for n in walk(child.target)
        if isinstance(n, ast.Name)
    }
    return (bound_names(node) | mutated_names(node)) - targets


def mutated_names(node: ast.stmt) -> frozenset[str]:
    """Names whose value running `node` may change in place: `x += 1`, `x[k] = v`, `x.append(v)`, loops of these."""
    out: set[str] = set()
    for child in walk_scope(node):
        if isinstance(child, ast.AugAssign):
            out.add(root_name(child.target))
        elif isinstance(child, (ast.Assign, ast.Delete)):
            for target in child.targets:
                if isinstance(target, (ast.Subscript, ast.Attribute)):
                    out.add(root_name(target))
        elif isinstance(child, ast.Expr) and isinstance(child.value, ast.Call):
            function = child.value.func
            if isinstance(function, ast.Attribute):
                out.add(root_name(function.value))
    return frozenset(out - {""})


def root_name(node: ast.AST) -> str:
    """The name at the root of items and attributes: of `x.a[0].b` it is `x`; "" where no name is."""
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _stored_on_self(node: ast.AST) -> Iterator[str]:
    """A class inside it has its own (Python/compile.c, maybe_add_static_attribute_to_class)."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
        if node.value.id == "self":
            yield node.attr
    for child in child_nodes(node) if not isinstance(node, ast.ClassDef) else ():
        yield from _stored_on_self(child)


def calls_something(node: ast.AST) -> bool:
    """Whether running the statement `node` calls code: decorators count, bodies of functions do not."""
    for child in walk_scope(node):
        if isinstance(child, (ast.Call, ast.With, ast.AsyncWith)):
            return True
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and child.decorator_list:
            return True
        if isinstance(child, ast.ClassDef) and any(map(calls_something, [*child.bases, *child.keywords, *child.body])):
            return True
    return any(
        isinstance(d, ast.Call)
        for scope in walk_scope(node)
        if isinstance(scope, SCOPES)
        for default in [*scope.args.defaults, *scope.args.kw_defaults]
        if default is not None
        for d in walk(default)
    )


def annotated(statement: Statement) -> list[str]:
    """Names that a statement annotates, in order, also inside blocks."""
    return [
        child.target.id
        for child in walk_scope(statement.node)
        if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name)
    ]
