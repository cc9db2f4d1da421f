"""Notes what is imported while it loads: the text, and the plain values its top level made."""

from __future__ import annotations

import io
import itertools
import os
import sys
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import decode_source, spec_from_file_location
from typing import Any

from midflight.graph.kinds import home_said, is_kind, shown

PLAIN: frozenset[type] = frozenset({int, float, complex, str, bytes, bool, type(None), type(...), range, slice})
_MADE = PLAIN | {tuple, frozenset}
_OF_CLASSES = _MADE | {type}
# Kinds of which a value is never immutable data, so that only what is left is looked at closely. Every module has a
# loader and a spec: these two alone were half of what taking down its values cost.
_CODE: frozenset[type] = frozenset(
    {
        *(types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type, dict, list, set),
        *(ModuleSpec, SourceFileLoader),
    }
)
_NOTHING_MADE = _CODE - {type}
# Immutable data of the standard library, named so that none of it need be imported.
_LIBRARY = frozenset(
    {
        *(("datetime", name) for name in ("date", "datetime", "time", "timedelta", "timezone")),
        *(("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID"), ("zoneinfo", "ZoneInfo")),
        *(("types", name) for name in ("GenericAlias", "UnionType")),
        *(("typing", f"_{kind}GenericAlias") for kind in ("", "Union", "Callable", "Literal", "Concatenate", "Unpack")),
        *(("typing", f"_{kind}") for kind in ("AnnotatedAlias", "CallableType", "TupleType", "SpecialGenericAlias")),
        *(("typing", name) for name in ("_SpecialForm", "ForwardRef", "Union")),
        ("collections", "_CallableGenericAlias"),
        *(("pathlib", f"{pure}{kind}Path") for pure in ("", "Pure") for kind in ("Posix", "Windows")),
    }
)
_MOST_BY_FILE = 200  # modules that were loaded by their file and are in `sys.modules` not yet, or never
_CHUNK = 1 << 14  # most files are one; the memory for a longer one costs more than the reading, at every import


def read_bytes(path: str) -> bytes | None:
    """The contents of a file, None if it cannot be read. A descriptor costs half of `open`, at every import."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        parts = [os.read(descriptor, _CHUNK)]
        while len(parts[-1]) == _CHUNK:
            parts.append(os.read(descriptor, _CHUNK))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class Noted:
    """One loaded module as it was when its import ended. `order` counts finished imports: dependencies come first;
    `number` counts modules as they were noted. `space` is the namespace that its statements ran in, where the module
    has put another object in its place in `sys.modules`."""

    __slots__ = ("made", "name", "number", "order", "path", "source", "space")

    def __init__(self, name: str, path: str, source: bytes | None) -> None:
        self.name, self.path, self.source = name, path, source
        self.space: dict[str, Any] | None = None
        self.made: dict[str, Any] = {}
        self.order = self.number = 0


def is_plain(value: Any) -> bool:
    """Immutable data whose copies are as good as itself: scalars, and tuples and frozensets of them."""
    kind = type(value)
    if is_kind(value, PLAIN):
        return True
    if kind is tuple or kind is frozenset:
        return all(map(is_plain, value))
    return not is_kind(value, _CODE) and _is_frozen(kind, value)


def _is_frozen(kind: type, value: Any) -> bool:
    """Immutable data that is more than a scalar: dates and paths, enum members, named tuples, frozen dataclasses."""
    if (home_said(kind).partition(".")[0], kind.__name__) in _LIBRARY or shown(kind, "_member_map_") is not None:
        return True
    if issubclass(kind, tuple) and shown(kind, "_fields") is not None:
        return all(map(is_plain, value))
    if not getattr(shown(kind, "__dataclass_params__"), "frozen", False):
        return False
    return all(is_plain(shown(value, name)) for name in kind.__dataclass_fields__)  # type: ignore[attr-defined]


def values_made(namespace: dict[str, Any]) -> dict[str, Any]:
    """The immutable values that a module's top level and its class bodies left behind, the latter by dotted names: what
    tells later whether a name was rebound.

    One loop, for it runs once per import; whether a tuple is plain inside is asked when it matters."""
    made: dict[str, Any] = {}
    module = namespace.get("__name__")
    for name, value in list(namespace.items()):  # a thread that the module started may write there
        kind = type(value)
        if kind is types.FunctionType:
            continue  # most are: the first question, so that the second costs nothing
        if type(kind) is type and kind in _MADE:  # as `is_kind`, without a call
            made[name] = value
        elif type(kind) is type and kind in _NOTHING_MADE:
            continue
        elif issubclass(kind, type):
            _note_class(made, "", value, module)
        elif is_plain(value):
            made[name] = value
    return made


def values_among(namespace: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The same for some of a module's names alone."""
    return values_made({name: namespace[name] for name in names if name in namespace})


def _note_class(made: dict[str, Any], around: str, cls: type, module: str | None) -> None:
    members, label = cls.__dict__, cls.__qualname__
    if members.get("__module__") != module or label.rpartition(".")[0] != around:
        return  # it is made elsewhere, and may have another name here
    for name, value in list(members.items()):
        kind = type(value)
        if kind is types.FunctionType or type(kind) is not type or kind not in _OF_CLASSES or name[:2] == "__":
            continue
        if kind is type:
            _note_class(made, label, value, module)
        else:
            made[f"{label}.{name}"] = value


class Notebook:
    """Every module under the session's paths that was imported since `install`, by name.

    It stands first in `sys.meta_path` and asks the finders behind it, so that what editable installs and other
    tools find is noted too, and what it answers is what they would have answered."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self.wanted = wanted
        self.modules: dict[str, Noted] = {}
        self.stands_in: dict[str, bytes] = {}  # path → the text that is imported instead of the file's
        self.fresh: set[str] = set()  # names noted since whoever keeps an index of them took them from here
        # What the program loads past the finders, by name, until somebody asks for it.
        self.by_file: dict[str, Noted] = {}
        # While a reload imports: submodule → what its package held under that name, if anything, before it was loaded.
        self.covered: dict[str, Any] | None = None
        self.noted = 0
        self._count = itertools.count(1)

    def install(self) -> None:
        if self not in sys.meta_path:
            if not any(type(one) is Notebook for one in sys.meta_path):
                _LOADS.watch()
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            if not any(type(one) is Notebook for one in sys.meta_path):
                _LOADS.leave()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if type(finder) is Notebook:
                continue
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find is not None else None
            if spec is not None:
                break
        else:
            spec = None
        if self.stands_in and (spec is None or spec.loader is None):
            spec = self._to_be_written(name, sys.path if path is None else path) or spec
        if spec is not None:
            for one in sys.meta_path:
                if type(one) is Notebook:
                    one._watch_load(spec)  # that of another session too, which follows other folders
        return spec

    def _to_be_written(self, name: str, folders: Sequence[str]) -> ModuleSpec | None:
        """The spec of a module that no finder sees yet: its file is written when the reload commits."""
        for folder in folders:
            base = os.path.join(os.path.realpath(folder), name.rpartition(".")[2])
            for file, inside in ((os.path.join(base, "__init__.py"), [base]), (f"{base}.py", None)):
                if file in self.stands_in:
                    loader = _StandIn(name, file, self.stands_in)
                    return spec_from_file_location(name, file, loader=loader, submodule_search_locations=inside)
            if any(file.startswith(base + os.sep) for file in self.stands_in):
                spec = ModuleSpec(name, None, is_package=True)
                spec.submodule_search_locations = [base]
                return spec
        return None

    def _note_covered(self, name: str, covered: dict[str, Any]) -> None:
        """A submodule is about to be bound in its package, whatever that holds under the name (Lib/importlib,
        _find_and_load_unlocked)."""
        parent, _, child = name.rpartition(".")
        held: Mapping[str, Any] = getattr(sys.modules.get(parent), "__dict__", {})
        if child in held and not (type(held[child]) is types.ModuleType and held[child].__name__ == name):
            covered.setdefault(name, held[child])

    def _watch_load(self, spec: ModuleSpec) -> None:
        """Take down the text just before it is loaded. Its code object is not kept: what it would tell can be had
        from the live functions, and keeping a thousand of them costs a third of what importing them does."""
        if self.covered is not None:
            self._note_covered(spec.name, self.covered)
        origin = spec.origin
        if spec.has_location and origin and type(spec) is ModuleSpec and self.wanted(origin):
            self.put(Noted(spec.name, origin, self.source(origin)))
            self.by_file.pop(spec.name, None)
            if self.stands_in and origin in self.stands_in:
                spec.loader = _StandIn(spec.name, origin, self.stands_in)
            spec.__class__ = _LoadingSpec
            spec.__dict__["_midflight"] = self

    def about_to_load(self, name: str, path: str) -> None:
        """A loader is about to read the file: what the finders did not give (`importlib.util.spec_from_file_location`)
        is noted now. A module that has run already is only looked at by some tool."""
        known = self.modules.get(name)
        is_watched = known is not None and not known.order
        if not is_watched and not _has_run(sys.modules.get(name)) and self.wanted(path):
            self.by_file[name] = Noted(name, path, self.source(path))
            if len(self.by_file) > _MOST_BY_FILE:  # a program that makes up names for ever must not fill the memory
                self.settle_by_file()
                for old in list(self.by_file)[:-_MOST_BY_FILE]:
                    self.by_file.pop(old, None)

    def next_order(self) -> int:
        """The `order` of a module that has just been imported, or that counts as such from now on."""
        return next(self._count)

    def settle_by_file(self) -> None:
        """Nobody says when the loading of such a module is over: it is when somebody asks. By then the program may have
        bound other values, so none are taken for what the top level made; those that expressions gave can be found
        out."""
        for name in list(self.by_file):  # another thread may load one meanwhile
            module = sys.modules.get(name)
            noted = self.by_file.pop(name, None) if _has_run(module) else None
            if noted is not None:
                self._over(self.put(noted), getattr(module, "__spec__", None))

    def put(self, noted: Noted) -> Noted:
        self.noted = noted.number = self.noted + 1
        self.modules[noted.name] = noted
        self.fresh.add(noted.name)
        return noted

    def source(self, path: str) -> bytes | None:
        """What a module of this file is imported from."""
        return self.stands_in[path] if path in self.stands_in else read_bytes(path)

    def ended(self, name: str, spec: ModuleSpec | None) -> None:
        """The import of `name` is over: take down what its top level made, or forget it if nothing of it is left."""
        noted = self.modules.get(name)
        space = self._over(noted, spec) if noted is not None else None
        if noted is not None and space is not None:
            noted.made = values_made(space)

    def _over(self, noted: Noted, spec: ModuleSpec | None) -> dict[str, Any] | None:
        """The loading of a module is over: the namespace that its text ran in, None where nothing of it is left."""
        module = sys.modules.get(noted.name)
        space: dict[str, Any] | None = getattr(module, "__dict__", None)
        if spec is not None and module is not None and not _is_space_of(spec, space):
            noted.space = _space_of(spec)
            space = noted.space or space
        if space is None:
            del self.modules[noted.name]
        else:
            noted.order = self.next_order()
        return space

    def stand_in(self, path: str, text: bytes) -> None:
        """Import `text` in place of what the file holds, and show it in tracebacks and to `inspect`."""
        import linecache  # most sessions start from their files

        lines = io.StringIO(decode_source(text)).readlines()  # str.splitlines breaks where no line of a file ends
        self.stands_in[path] = text
        # Without a time it is what a loader gave (linecache.checkcache): no look at the file replaces it.
        linecache.cache[path] = len(text), None, lines, path

    def stands_in_no_more(self, path: str) -> None:
        """The file's own text runs."""
        if self.stands_in.pop(path, None) is not None:
            import linecache

            linecache.cache.pop(path, None)

    def note_loaded(self, name: str, module: types.ModuleType, path: str, source: bytes | None) -> Noted:
        """A module that was imported before we came, or that is not imported at all (`__main__`)."""
        noted = self.put(Noted(name, path, source))
        noted.order = self.next_order()
        noted.made = values_made(vars(module))
        return noted


def _space_of(spec: ModuleSpec) -> dict[str, Any] | None:
    """The namespace of the module that was made for `spec`; a look at the whole heap."""
    from midflight.graph.heap import referrers  # most programs load no module past the finders

    spaces = (one for one in referrers([spec], [dict]) if _is_space_of(spec, one))
    return next((one for one in spaces if one.get("__name__") == spec.name), None)


def _is_space_of(spec: ModuleSpec, space: dict[str, Any] | None) -> bool:
    """Whether the text ran in `space`: what a module puts in its own place may hold its spec, but no text ran there."""
    return space is not None and space.get("__spec__") is spec and "__builtins__" in space


def _has_run(module: object) -> bool:
    """Whether the text of a module has begun to run, as far as what lies in `sys.modules` shows. What is no module was
    put there by one."""
    return module is not None and (not isinstance(module, types.ModuleType) or "__builtins__" in vars(module))


class _Loads:
    """Tells the notebooks of each file that a loader is about to read."""

    def __init__(self) -> None:
        self._ours: Callable[..., Any] | None = None
        self._before: Callable[..., Any] = SourceFileLoader.path_stats

    def watch(self) -> None:
        before = SourceFileLoader.path_stats

        def path_stats(loader: SourceFileLoader, path: str) -> Mapping[str, Any]:
            """The first that a loader does (importlib/_bootstrap_external.py, `SourceLoader.get_code`), so that it
            stands in no traceback of what is loaded."""
            file = os.fspath(path)
            for one in list(sys.meta_path):
                if type(one) is Notebook and isinstance(file, str):
                    one.about_to_load(loader.name, file)
            return before(loader, path)

        self._ours, self._before = path_stats, before
        SourceFileLoader.path_stats = path_stats  # type: ignore[method-assign,assignment]

    def leave(self) -> None:
        """What somebody put over ours stays, and ours below it finds no notebook."""
        if SourceFileLoader.path_stats is self._ours:
            SourceFileLoader.path_stats = self._before  # type: ignore[method-assign]


_LOADS = _Loads()


class _StandIn(SourceFileLoader):
    """Loads what stands in for a file in `texts`, as if the file held it; once nothing does any more, the file."""

    def __init__(self, name: str, path: str, texts: Mapping[str, bytes]) -> None:
        super().__init__(name, path)
        self._texts = texts

    def get_data(self, path: str) -> bytes:
        return self._texts[path] if path in self._texts else super().get_data(path)

    def path_stats(self, path: str) -> Mapping[str, Any]:
        if path in self._texts:
            raise OSError(f"{path} is not what is loaded")  # so that no bytecode of the file is read or written
        return super().path_stats(path)


class _LoadingSpec(ModuleSpec):
    """The spec of a module while it loads. importlib sets `_initializing` when it begins and when it ends
    (importlib/_bootstrap.py, `_load_unlocked`); at the end the spec is an ordinary one again."""

    @property
    def _initializing(self) -> bool:
        return bool(self.__dict__.get("_initializing", False))

    @_initializing.setter
    def _initializing(self, value: bool) -> None:
        self.__dict__["_initializing"] = value
        if not value:
            notebook = self.__dict__.pop("_midflight", None)
            self.__class__ = ModuleSpec  # type: ignore[assignment]
            if notebook is not None:
                notebook.ended(self.name, self)
