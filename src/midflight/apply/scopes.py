"""Where a statement runs: a module's namespace or a class body. Compiles statements in their real nesting."""

from __future__ import annotations

import ast
import collections
import contextlib
import itertools
import sys
import types
import warnings
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from typing import Any

from midflight.apply.holders import is_class_body, nested_codes
from midflight.apply.transaction import ABSENT, Transaction
from midflight.graph.kinds import is_a
from midflight.graph.loaded import Loaded, names_used
from midflight.plan.statements import Statement, import_marks

Bindings = dict[str, Any]
Pending = dict[int, dict[str, Any]]  # id of a namespace or class → names whose prepared writes are not live yet


def compile_nodes(
    nodes: Sequence[ast.stmt], filename: str, flags: int, imports: frozenset[str] = frozenset()
) -> types.CodeType:
    """`nodes` as the compiler would compile them in a module that imports the names `imports`."""
    is_future = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in nodes)
    body = [*nodes] if is_future else [*import_marks(imports), *without_docstring(nodes)]
    with warnings.catch_warnings():
        # The whole text was compiled in preflight, where its warnings were shown.
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        code: types.CodeType = compile(ast.Module(body, []), filename, "exec", flags, dont_inherit=True)
        return code


def without_docstring(nodes: Sequence[ast.stmt]) -> list[ast.stmt]:
    """`nodes`, whose first one would be taken for a docstring if it is a string: they are part of a longer body."""
    first = nodes[0] if nodes else None
    is_string = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and type(first.value.value) is str
    return [ast.copy_location(ast.Pass(), first), *nodes] if first is not None and is_string else [*nodes]


class ModuleScope:
    """The namespace of a module."""

    owner: type | None = None

    def __init__(
        self, loaded: Loaded, tx: Transaction, flags: int, pending: Pending, imports: frozenset[str] = frozenset()
    ) -> None:
        self.loaded, self.tx, self.flags, self.imports = loaded, tx, flags, imports
        self.names = self.namespace = loaded.namespace
        self.pendings = pending
        self.pending = pending.setdefault(id(self.namespace), {})
        self.prefix = ""

    def get(self, name: str) -> Any:
        """What the name holds, or will hold once the prepared writes are live."""
        return self.pending[name] if name in self.pending else self.namespace.get(name, ABSENT)

    def set(self, name: str, value: Any) -> None:
        self.pending[name] = value
        self.tx.later(lambda: self._write(name, value))

    def delete(self, name: str) -> None:
        self.set(name, ABSENT)

    def _write(self, name: str, value: Any) -> None:
        self.pending.pop(name, None)
        if value is ABSENT:
            self.tx.del_item(self.namespace, name)
        else:
            self.tx.set_item(self.namespace, name, value)

    def put_in_order(self, names: Collection[str]) -> None:
        """What the text binds stands in this order, below what modules have from the import system."""
        _put_in_order(self.tx, self.namespace, names)

    def key(self, name: str) -> tuple[str, str]:
        return self.loaded.name, name

    def label(self, name: str) -> str:
        return name

    def mangled(self, name: str) -> str:
        return name

    def compile(self, nodes: Sequence[ast.stmt]) -> types.CodeType:
        return compile_nodes(nodes, self.loaded.path, self.flags, self.imports)

    def run(self, code: types.CodeType, at: Statement) -> None:
        """In the live namespace, as the module's own top level would."""
        self.tx.guard(self.namespace)
        annotations = self.namespace.get("__annotations__")
        if is_a(annotations, dict):
            self.tx.guard(annotations)
        exec(code, self.namespace)

    def run_aside(self, code: types.CodeType, given: Mapping[str, Any], at: Statement) -> Bindings:
        """Against the live namespace, but what it binds comes back instead of going there."""
        given = {**{k: v for k, v in self.pending.items() if v is not ABSENT}, **given}
        scratch = dict(given)
        held = self.get("__annotations__")
        scratch["__annotations__"] = annotations = dict(held) if is_a(held, dict) else {}
        before = dict(annotations)
        exec(code, self.namespace, scratch)
        if same_annotations(annotations, before):
            del scratch["__annotations__"]
        return {name: value for name, value in scratch.items() if name not in given or given[name] is not value}

    def compute(self, code: types.CodeType, name: str) -> Any:
        """What `code`, which binds nothing but `name` and annotates nothing, gives it."""
        waiting = ((key, self.pending.get(key, ABSENT)) for key in code.co_names)  # of many that wait it reads few
        scratch = {key: value for key, value in waiting if value is not ABSENT}
        exec(code, self.namespace, scratch)
        return scratch[name]


def _put_in_order(
    tx: Transaction, owner: type | dict[str, Any], names: Collection[str], last: Collection[str] = ()
) -> None:
    def write() -> None:
        above = itertools.takewhile(lambda name: name not in names and name not in last, tx.members(owner))
        tx.put_in_order(owner, [*above, *names])

    tx.later(write)


def mangled(name: str, owner: str) -> str:
    """`name` as the body of a class `owner` binds it (PEP 8's "name mangling", Python/compile.c, _Py_Mangle)."""
    private = name.startswith("__") and not name.endswith("__") and "." not in name
    owner = owner.lstrip("_")
    return f"_{owner}{name}" if private and owner else name


class ClassScope:
    """The body of a live class: what runs there is compiled inside its real nesting, so that private names,
    `super()`, `__class__` and qualified names come out right."""

    def __init__(self, module: ModuleScope, owner: type, made_by: Statement, outer: ClassScope | None = None) -> None:
        self.module, self.owner, self.made_by, self.outer = module, owner, made_by, outer
        self.pendings = module.pendings
        self.loaded, self.tx, self.flags, self.imports = module.loaded, module.tx, module.flags, module.imports
        self.namespace = module.namespace
        self.pending = module.pendings.setdefault(id(owner), {})
        self.prefix: str = f"{outer.prefix if outer else ''}{made_by.defined}."

    @property
    def node(self) -> ast.ClassDef:
        return self.made_by.node  # type: ignore[return-value]

    @property
    def names(self) -> Mapping[str, Any]:
        """What statements of the body find by name: what the class holds, else the module's names."""
        return collections.ChainMap({self.plain(n): v for n, v in vars(self.owner).items()}, self.namespace)

    def mangled(self, name: str) -> str:
        """The name that the body binds for `name`."""
        return mangled(name, self.made_by.defined)

    def plain(self, name: str) -> str:
        """`mangled` taken back: the name as the source has it."""
        head = f"_{self.made_by.defined.lstrip('_')}"
        return name[len(head) :] if name.startswith(head + "__") and not name.endswith("__") else name

    def get(self, name: str) -> Any:
        name = self.mangled(name)
        return self.pending[name] if name in self.pending else vars(self.owner).get(name, ABSENT)

    def set(self, name: str, value: Any) -> None:
        name = self.mangled(name)
        value = as_in_class_body(name, value)
        set_name = getattr(type(value), "__set_name__", None)
        if set_name is not None and value is not self.get(name):
            set_name(value, self.owner, name)
        self.pending[name] = value
        self.tx.later(lambda: self._write(name, value))

    def delete(self, name: str) -> None:
        name = self.mangled(name)
        self.pending[name] = ABSENT
        self.tx.later(lambda: self._write(name, ABSENT))

    def _write(self, name: str, value: Any) -> None:
        self.pending.pop(name, None)
        if value is ABSENT:
            self.tx.del_attr(self.owner, name)
        else:
            self.tx.set_attr(self.owner, name, value)

    def put_in_order(self, names: Collection[str], last: Collection[str]) -> None:
        """What the body binds stands in this order, above what has come `last`."""
        _put_in_order(self.tx, self.owner, names, last)

    def key(self, name: str) -> tuple[str, str]:
        return self.loaded.name, self.prefix + name

    def label(self, name: str) -> str:
        return self.prefix + name

    def compile(self, nodes: Sequence[ast.stmt]) -> types.CodeType:
        """The code object of a class body made of `nodes` alone."""
        body: list[ast.stmt] = without_docstring(nodes) or [ast.copy_location(ast.Pass(), self.node)]
        scope: ClassScope | None = self
        wrapped: ast.stmt | None = None
        while scope is not None:
            wrapped = _class_around(scope.node, body)
            body, scope = [wrapped], scope.outer
        code = compile_nodes(body, self.loaded.path, self.flags, self.imports)
        path: list[str] = self.prefix.rstrip(".").split(".")
        for name in path:
            code = _class_code(code, name)
        return code

    def run(self, code: types.CodeType, at: Statement) -> None:
        for name, value in self.run_aside(code, {}, at).items():
            self.set(name, value)

    def bound_above(self, at: Statement) -> frozenset[str]:
        """Names that a statement `at` of the body finds there; what is bound further down it reads from around."""
        names = {"__module__", "__qualname__", "__doc__"}
        for member in self.made_by.members:
            if member.identity == at.identity:
                break
            names |= {self.mangled(name) for name in member.binds}
            if member.is_block and any(one is at.node for one in ast.walk(member.node)):
                break
        return frozenset(names)

    def run_aside(self, code: types.CodeType, given: Mapping[str, Any], at: Statement) -> Bindings:
        """As the body would at its statement `at`; what that binds comes back instead of going to the class."""
        if self.module.pending and not self.module.pending.keys().isdisjoint(names_used((code,))):
            self.tx.flush()  # a class body looks names up in the module's namespace only
        above = self.bound_above(at)
        waiting = {k: v for k, v in self.pending.items() if v is not ABSENT and k in above}
        given = {**waiting, **{self.mangled(name): value for name, value in given.items()}}
        scratch = _Body(self.owner, given, above)
        held = self.get("__annotations__")
        scratch["__annotations__"] = annotations = dict(held) if is_a(held, dict) else {}
        before = dict(annotations)
        closure = tuple(self._cell(name) for name in code.co_freevars)
        exec(code, self.namespace, scratch, closure=closure or None)
        made = {self.plain(k): v for k, v in scratch.items() if k not in given or given[k] is not v}
        if same_annotations(annotations, before):
            made.pop("__annotations__", None)
        cell = made.pop("__classcell__", None)
        if cell is not None:
            cell.cell_contents = self.owner
        for name in ("__module__", "__qualname__", "__static_attributes__", "__firstlineno__", "__classdictcell__"):
            made.pop(name, None)
        return made

    def _cell(self, name: str) -> types.CellType:
        """The value that a class body closes over: type parameters (PEP 695) and the tuple of them."""
        parameters = getattr(self.owner, "__type_params__", ())
        if name == ".type_params":
            return types.CellType(parameters)
        for parameter in parameters:
            if parameter.__name__ == name:
                return types.CellType(parameter)
        return types.CellType()


class _Body(dict[str, Any]):
    """The names of a class body while part of it runs again: of those that are bound `above` it, what was not bound
    anew is read from the live class."""

    def __init__(self, owner: type, given: Mapping[str, Any], above: Container[str]) -> None:
        super().__init__(given)
        self._owner, self._above = owner, above

    def __missing__(self, name: str) -> Any:
        if name not in self._above:
            raise KeyError(name)
        return vars(self._owner)[name]


def same_annotations(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    return list(left) == list(right) and all(_same_annotation(left[name], right[name]) for name in left)


def _same_annotation(left: Any, right: Any) -> bool:
    """`Optional[int]` and `int | None` are equal, and not the same."""
    return left is right or (type(left) is type(right) and bool(left == right) and repr(left) == repr(right))


def as_in_class_body(name: str, value: Any) -> Any:
    """What `type.__new__` makes of three special methods (Objects/typeobject.c, type_new_set_attrs)."""
    if is_a(value, types.FunctionType):
        if name == "__new__":
            return staticmethod(value)
        if name in ("__init_subclass__", "__class_getitem__"):
            return classmethod(value)
    return value


def _class_around(node: ast.ClassDef, body: list[ast.stmt]) -> ast.ClassDef:
    extra: dict[str, Any] = {"type_params": getattr(node, "type_params", [])} if sys.version_info >= (3, 12) else {}
    around = ast.ClassDef(name=node.name, bases=[], keywords=[], body=body, decorator_list=[], **extra)
    return ast.copy_location(around, node)


def _class_code(code: types.CodeType, name: str) -> types.CodeType:
    for nested in nested_codes(code):
        if nested.co_name == name and is_class_body(nested):
            return nested
    for nested in nested_codes(code):
        with contextlib.suppress(LookupError):
            return _class_code(nested, name)
    raise LookupError(name)


Scope = ModuleScope | ClassScope


def class_bodies(code: types.CodeType) -> Iterator[types.CodeType]:
    return filter(is_class_body, nested_codes(code))
