"""A portrait of a package in this process: every fact about it that its source decides, as path -> text.

Two portraits are equal when the processes behave alike as far as names, code, classes and data can show it. Addresses,
hash order, caches and the folder that the package lies in are left out; who is the same object as who is kept.
"""

from __future__ import annotations

import collections
import enum
import functools
import gc
import hashlib
import os
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Facts = dict[str, str]

ATOMS = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis), type(NotImplemented))
# What the import system and the interpreter put there, and what is only a cache.
MODULE_OWN = frozenset(("__builtins__", "__cached__", "__loader__", "__spec__", "__path__", "__warningregistry__"))
CLASS_OWN = frozenset(("__dict__", "__weakref__", "_abc_impl", "__subclasshook__"))
REPR_TYPES = ("typing", "typing_extensions", "types", "inspect", "decimal", "fractions", "datetime", "uuid", "pathlib")
IDENTITY_TYPES = ("TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "SimpleNamespace")
STATE_TYPES = ("dataclasses.Field", "dataclasses._DataclassParams", "types.SimpleNamespace")
CONTAINERS: tuple[Any, ...] = (tuple, list, dict, set, frozenset, collections.deque, types.MappingProxyType)
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
DEEPEST = 12
# What no law fixes: the hash of an object that hashes by its address, another in every process; and how many attributes
# were ever declared, which counts those of classes that were made again too.
UNFIXED = ("more_itertools.more:numeric_range._EMPTY_HASH", "attr._make:_CountingAttr.cls_counter")


def same(code: types.CodeType) -> types.CodeType:
    return code


def nothing(function: types.FunctionType) -> Any:
    return None


def portrait(
    modules: Iterable[str],
    root: str,
    source_of: Callable[[types.CodeType], types.CodeType] = same,
    forwarded_to: Callable[[types.FunctionType], Any] = nothing,
) -> Facts:
    """The facts of the loaded `modules`, whose files lie under `root`. `source_of` gives for a code object that was
    fitted to a function's closure, which CPython does not let change, the one that the source has; `forwarded_to`
    what a function that kept its identity calls, where it could not become it."""
    gc.collect()  # classes that decorators threw away are no part of the program
    artist = Artist(frozenset(modules), root, source_of, forwarded_to)
    for name in sorted(artist.modules):
        artist.module(name)
    return artist.facts


def tidy_set(items: Iterable[str]) -> str:
    return "{" + ", ".join(sorted(items)) + "}"


def classes_in(code: types.CodeType) -> Iterator[type]:
    """The classes among the constants of `code` and of the code inside it."""
    for item in code.co_consts:
        if isinstance(item, types.CodeType):
            yield from classes_in(item)
        elif issubclass(type(item), type) and item is not super:
            yield item


def short(text: str) -> str:
    """`text`, or its beginning and its digest where it is long."""
    if len(text) <= 300:
        return text
    return f"{text[:120]}… sha256 {hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]}"


def of(value: object, *kinds: type) -> bool:
    """isinstance by the real type: a proxy answers for `__class__` with what it stands for, or raises."""
    return issubclass(type(value), kinds)


def state_of(value: object) -> dict[str, Any]:
    """Instance attributes: those of `__dict__` and of the slots of its classes."""
    state: dict[str, Any] = {}
    for cls in type(value).__mro__:
        holder = vars(cls).get("__dict__")
        if isinstance(holder, types.GetSetDescriptorType):
            state.update(holder.__get__(value) or {})
        for name, member in vars(cls).items():
            if isinstance(member, types.MemberDescriptorType):
                try:
                    state.setdefault(name, member.__get__(value))
                except AttributeError:
                    pass
    return state


class Artist:
    def __init__(
        self,
        modules: frozenset[str],
        root: str,
        source_of: Callable[[types.CodeType], types.CodeType] = same,
        forwarded_to: Callable[[types.FunctionType], Any] = nothing,
    ) -> None:
        self.source_of, self.forwarded_to = source_of, forwarded_to
        self.modules = {name for name in modules if name in sys.modules}
        self.root = root
        self.place = os.path.dirname(root)
        self.namespaces = {id(vars(sys.modules[name])): name for name in self.modules}
        self.facts: Facts = {}
        self.drawn: dict[int, str] = {}
        self.alive: list[object] = []  # so that an id stands for one object

    # -- facts ----------------------------------------------------------------------------------------------------

    def put(self, path: str, text: str) -> None:
        self.facts[path] = short(text.replace(self.root, "$ROOT").replace(self.place, "$PLACE"))

    def module(self, name: str) -> None:
        module = sys.modules[name]
        names = {key for key in vars(module) if key not in MODULE_OWN}
        self.put(f"{name} names", tidy_set(names))
        spec = getattr(module, "__spec__", None)
        self.put(f"{name} spec", f"{getattr(spec, 'name', None)} {getattr(spec, 'origin', None)}")
        self.put(f"{name} path", repr(list(getattr(module, "__path__", ()))))
        for key in sorted(names):
            self.value(f"{name}:{key}", vars(module)[key], 0)

    def value(self, path: str, value: Any, depth: int) -> None:
        """One value: what it is, and unless that was drawn before, what it holds."""
        if self.is_plain(value):
            self.put(path, self.plain(value))
        elif of(value, types.ModuleType):
            self.put(path, f"module {value.__name__}")
        elif id(value) in self.namespaces:
            self.put(path, f"namespace of {self.namespaces[id(value)]}")  # drawn as the module, in no order
        elif type(value).__module__ in REPR_TYPES and type(value).__name__ not in IDENTITY_TYPES:
            self.put(path, self.foreign(value))  # `Optional[int]` is shared or not as typing's cache has room
        elif type(value) in (tuple, frozenset):
            self.contents(path, value, depth)  # no identity that a program can rely on
        else:
            self.object(path, value, depth)

    def object(self, path: str, value: Any, depth: int) -> None:
        """What has an identity is drawn once, where it says that it lives or where it was met first."""
        home = self.drawn.get(id(value))
        if home is None:
            home = self.drawn[id(value)] = self.home(value) or path
            self.alive.append(value)
            self.node(home, self.acting(value), depth)
        if home != path:
            self.put(path, f"is {home}")

    def acting(self, value: Any) -> Any:
        """A function that forwards its calls is drawn as what it calls, unless that has a place of its own."""
        target = self.forwarded_to(value) if type(value) is types.FunctionType else None
        if target is None or id(target) in self.drawn or self.home(target):
            return value
        self.drawn[id(target)] = self.drawn[id(value)]
        return target

    def node(self, path: str, value: Any, depth: int) -> None:
        drawing = self.drawing(value)
        if drawing is None or depth > DEEPEST:
            self.put(path, self.foreign(value))
        else:
            drawing(path, value, depth + 1)

    def drawing(self, value: Any) -> Any:
        """The method that draws `value`, or None for what is only named."""
        kind = type(value)
        if of(value, type):
            return self.klass if self.is_ours(value) else None
        if kind is types.FunctionType:
            return self.function if self.is_ours(value) or self.wraps_ours(value) else None
        if of(value, enum.Enum):
            return self.member
        if kind in DRAWN:
            return getattr(self, DRAWN[kind])
        if self.is_ours(kind) or f"{kind.__module__}.{kind.__qualname__}" in STATE_TYPES:
            return self.instance
        return self.contents if of(value, *CONTAINERS) else None

    # -- who is who -----------------------------------------------------------------------------------------------

    def is_ours(self, value: Any) -> bool:
        """Whether a function or class says that it comes from the package, or its code does."""
        if type(value) is types.FunctionType and value.__code__.co_filename.startswith(self.root):
            return True
        return getattr(value, "__module__", None) in self.modules

    def wraps_ours(self, value: types.FunctionType) -> bool:
        cells = (cell.cell_contents for cell in value.__closure__ or () if cell != types.CellType())
        return any(of(item, types.FunctionType, type) and self.is_ours(item) for item in cells)

    def home(self, value: Any) -> str | None:
        """Where a function or class says that it is, if it is there."""
        if not of(value, types.FunctionType, type):
            return None
        module, name = value.__module__, value.__qualname__
        if not isinstance(module, str) or not isinstance(name, str) or module not in self.modules:
            return None
        found: Any = sys.modules[module]
        for part in name.split("."):
            found = getattr(found, "__dict__", {}).get(part)
        return f"{module}:{name}" if found is value else None

    def foreign(self, value: Any) -> str:
        kind = type(value)
        if of(value, type, types.FunctionType, types.BuiltinFunctionType):
            word = "class" if of(value, type) else "function"
            return f"{word} {value.__module__}.{value.__qualname__}"
        if kind.__module__ in REPR_TYPES:
            return f"{kind.__name__} {ADDRESS.sub('', self.safe_repr(value))}"
        named = kind.__module__ in ("logging", "_contextvars", "contextvars", "builtins")
        name = getattr(value, "__name__", getattr(value, "name", "")) if named else ""
        return f"instance of {kind.__module__}.{kind.__qualname__} {name}".rstrip()

    def safe_repr(self, value: Any) -> str:
        try:
            return repr(value)
        except Exception as error:  # a repr of the package under test may fail on a bare value
            return f"repr raises {type(error).__name__}"

    # -- plain data -----------------------------------------------------------------------------------------------

    def is_plain(self, value: Any, depth: int = 0) -> bool:
        kind = type(value)
        if kind in ATOMS:
            return True
        if depth > DEEPEST or kind not in (tuple, frozenset):
            return False
        return all(self.is_plain(item, depth + 1) for item in value)

    def plain(self, value: Any) -> str:
        kind = type(value)
        if kind is tuple:
            return "(" + "".join(f"{self.plain(item)}, " for item in value) + ")"
        if kind is frozenset:
            return "frozenset" + tidy_set(self.plain(item) for item in value)
        return repr(value)

    # -- what values are made of ----------------------------------------------------------------------------------

    def contents(self, path: str, value: Any, depth: int) -> None:
        kind = type(value)
        base = next(base for base in CONTAINERS if issubclass(kind, base))  # a subclass may have methods of its own
        label = f"{kind.__module__}.{kind.__qualname__}"
        if base in (set, frozenset):
            self.put(path, f"{label} {tidy_set(self.label(item) for item in base.__iter__(value))}")
        elif base in (dict, types.MappingProxyType):
            items = list(base.items(value))
            self.put(path, f"{label} of {len(items)} in the order {[self.label(key) for key, _ in items]}")
            for key, item in items:
                self.value(f"{path}[{self.label(key)}]", item, depth)
        else:
            items = list(base.__iter__(value))
            self.put(path, f"{label} of {len(items)}")
            for index, item in enumerate(items):
                self.value(f"{path}[{index}]", item, depth)
        if kind is collections.defaultdict:
            self.value(f"{path}.default_factory", value.default_factory, depth)

    def label(self, item: Any) -> str:
        """A key or a member of a set, in one word."""
        if self.is_plain(item):
            return self.plain(item)
        if type(item) is tuple:
            return "(" + ", ".join(map(self.label, item)) + ")"
        if of(item, enum.Enum):
            return f"{type(item).__qualname__}.{item._name_}"
        return self.home(item) or self.foreign(item)

    def attributes(self, path: str, state: dict[str, Any], depth: int) -> None:
        for name in sorted(state, key=str):
            self.value(f"{path}.{name}", state[name], depth)

    def instance(self, path: str, value: Any, depth: int) -> None:
        state = state_of(value)
        self.put(path, f"instance of {self.label(type(value))} with {tidy_set(map(str, state))}")
        if of(value, *CONTAINERS):
            self.contents(f"{path}()", value, depth)
        elif of(value, int, float, str, bytes):
            self.put(f"{path}()", next(base.__repr__(value) for base in ATOMS if of(value, base)))
        self.attributes(path, state, depth)

    def member(self, path: str, value: enum.Enum, depth: int) -> None:
        self.put(path, f"member {self.label(type(value))}.{value._name_}")
        self.attributes(path, vars(value), depth)

    def pattern(self, path: str, value: re.Pattern[Any], depth: int) -> None:
        self.put(path, f"pattern {value.pattern!r} {value.flags}")

    def partial(self, path: str, value: functools.partial[Any], depth: int) -> None:
        self.put(path, f"{type(value).__name__}")
        self.value(f"{path}.func", value.func, depth)
        self.value(f"{path}.args", value.args, depth)
        self.value(f"{path}.keywords", dict(value.keywords), depth)

    def wrapper(self, path: str, value: Any, depth: int) -> None:
        """staticmethod, classmethod, bound method, lru_cache, cached_property: what they wrap."""
        self.put(path, type(value).__name__)
        for name in ("__func__", "__self__", "__wrapped__", "func", "attrname", "fget", "fset", "fdel", "__doc__"):
            if getattr(value, name, None) is not None:
                self.value(f"{path}.{name}", getattr(value, name), depth)
        if type(value) is functools._lru_cache_wrapper:
            self.put(f"{path}.parameters", repr(value.cache_parameters()))

    # -- functions and code ---------------------------------------------------------------------------------------

    def function(self, path: str, value: types.FunctionType, depth: int) -> None:
        self.put(path, f"function {value.__module__}.{value.__qualname__} {value.__name__}")
        self.put(f"{path} doc", repr(value.__doc__))
        for name in ("__defaults__", "__kwdefaults__", "__annotations__", "__type_params__"):
            self.value(f"{path} {name}", getattr(value, name, None), depth)
        self.code(f"{path} code", self.source_of(value.__code__))
        for name, cell in self.captured(value):
            if cell == types.CellType():
                self.put(f"{path} cell {name}", "empty")
            else:
                self.value(f"{path} cell {name}", cell.cell_contents, depth)
        self.attributes(path, dict(vars(value)), depth)
        self.put(f"{path} globals", str(value.__globals__.get("__name__")))

    def captured(self, function: types.FunctionType) -> Iterator[tuple[str, types.CellType]]:
        """The free variables that the source's code has. A fitted one has `__class__` among its constants, or those of
        a function inside it; code that names `super` with arguments captures it and never reads it."""
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        constants = list(dict.fromkeys(classes_in(function.__code__)))
        for name in self.source_of(function.__code__).co_freevars:
            if name in cells:
                yield name, cells[name]
            elif constants:
                yield name, types.CellType(*constants)
            else:
                yield name, types.CellType(*self.around(function))

    def around(self, function: types.FunctionType) -> list[type]:
        """The class that a method's qualified name says it is in."""
        found: Any = sys.modules.get(function.__module__)
        for part in function.__qualname__.split(".")[:-1]:
            found = getattr(found, "__dict__", {}).get(part)
        return [found] if of(found, type) else []

    def code(self, path: str, code: types.CodeType) -> None:
        self.put(f"{path} bytes", code.co_code.hex())
        self.put(f"{path} names", repr((code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)))
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_nlocals, code.co_stacksize)
        self.put(f"{path} shape", repr((counts, code.co_flags, code.co_name, code.co_qualname)))
        self.put(f"{path} file", code.co_filename)
        self.put(f"{path} line", repr(code.co_firstlineno))
        self.put(f"{path} lines", repr(list(code.co_lines())))
        self.put(f"{path} positions", repr(list(code.co_positions())))
        self.put(f"{path} exceptions", code.co_exceptiontable.hex())
        self.put(f"{path} consts", ", ".join(self.constant(item) for item in code.co_consts))
        for index, item in enumerate(code.co_consts):
            if isinstance(item, types.CodeType):
                self.code(f"{path} {index}/{item.co_name}", item)

    def constant(self, item: Any) -> str:
        if isinstance(item, types.CodeType):
            return f"code {item.co_qualname}"
        return f"{type(item).__name__} {self.plain(item)}"

    # -- classes --------------------------------------------------------------------------------------------------

    def klass(self, path: str, value: type, depth: int) -> None:
        names = sorted(name for name in vars(value) if name not in CLASS_OWN)
        self.put(path, f"class {value.__module__}.{value.__qualname__} {value.__name__}")
        self.put(f"{path} names", tidy_set(names))
        self.put(f"{path} bases", repr([self.label(base) for base in value.__bases__]))
        self.put(f"{path} mro", repr([self.label(base) for base in value.__mro__]))
        self.put(f"{path} metaclass", self.label(type(value)))
        layout = (value.__basicsize__, value.__itemsize__, value.__dictoffset__, value.__weakrefoffset__)
        self.put(f"{path} layout", repr(layout))
        below = sorted(self.label(one) for one in type.__subclasses__(value) if self.is_ours(one))
        self.put(f"{path} subclasses", repr(below))  # a class that was re-made and left behind shows here
        for name in names:
            member = vars(value)[name]
            if name == "__static_attributes__":
                self.put(f"{path}.{name}", tidy_set(member))  # made from a set: in hash order
            else:
                self.value(f"{path}.{name}", member, depth)


DRAWN = {
    re.Pattern: "pattern",
    functools.partial: "partial",
    functools.partialmethod: "partial",
    functools.cached_property: "wrapper",
    functools._lru_cache_wrapper: "wrapper",
    staticmethod: "wrapper",
    classmethod: "wrapper",
    property: "wrapper",
    types.MethodType: "wrapper",
    types.MappingProxyType: "contents",
}


def differences(live: Facts, fresh: Facts) -> dict[str, tuple[str, str]]:
    """What the live process has otherwise: path -> (live, fresh), in the order of paths."""
    paths = sorted(path for path in (live.keys() | fresh.keys()) - set(UNFIXED) if live.get(path) != fresh.get(path))
    return {path: (live.get(path, "absent"), fresh.get(path, "absent")) for path in paths}


def binding(path: str) -> str:
    """The `module.name` that a path belongs to."""
    place = re.match(r"([\w.]+):(\w+)", path)
    return f"{place[1]}.{place[2]}" if place else path.partition(" ")[0]
