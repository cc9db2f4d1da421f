"""Notes what is imported while it loads: the text, the code object and the plain values its top level made."""

from __future__ import annotations

import functools
import itertools
import sys
import types
import weakref
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import Any

PLAIN = frozenset({int, float, complex, str, bytes, bool, type(None), type(...), range})
MADE_LIMIT = 10_000  # a longer text is not held twice only to tell whether a name was rebound


class Noted:
    """One loaded module as it was when its import ended. `order` counts finished imports: dependencies come first."""

    __slots__ = ("code", "made", "name", "order", "path", "source")

    def __init__(self, name: str, path: str, source: bytes | None, code: types.CodeType | None) -> None:
        self.name, self.path, self.source, self.code = name, path, source, code
        self.made: dict[str, Any] = {}
        self.order = 0


def is_plain(value: Any) -> bool:
    """Immutable data whose copies are as good as itself: scalars, and tuples and frozensets of them."""
    kind = type(value)
    if kind in PLAIN:
        return True
    if kind is tuple or kind is frozenset:
        return all(map(is_plain, value))
    return False


def values_made(namespace: dict[str, Any]) -> dict[str, Any]:
    """The plain values that a module's top level left behind: what tells later whether a name was rebound.

    A value that other code could keep alive only through us is held weakly or not at all."""
    made: dict[str, Any] = {}
    name = namespace.get("__name__")
    for key, value in namespace.items():
        kind = type(value)
        if kind in PLAIN or kind is tuple or kind is frozenset:
            if kind is str or kind is bytes:
                if len(value) > MADE_LIMIT:
                    continue
            elif (kind is tuple or kind is frozenset) and not (len(value) < 1000 and is_plain(value)):
                continue
            made[key] = value
        elif kind is types.FunctionType and (value.__qualname__ != key or value.__module__ != name):
            made[key] = weakref.ref(value)
    return made


class Notebook:
    """Every module under the session's paths that was imported since `install`, by name.

    It stands first in `sys.meta_path` and asks the finders behind it, so that what editable installs and other
    tools find is noted too, and what it answers is what they would have answered."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self.wanted = wanted
        self.modules: dict[str, Noted] = {}
        self._count = itertools.count(1)

    def install(self) -> None:
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is self or isinstance(finder, Notebook):
                continue
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find is not None else None
            if spec is not None:
                self._watch_load(spec)
                return spec
        return None

    def _watch_load(self, spec: ModuleSpec) -> None:
        origin = spec.origin
        if not spec.has_location or not origin or not self.wanted(origin):
            return
        loader = spec.loader
        if type(loader) is SourceFileLoader:
            # An attribute of this one loader, gone after its first use: whoever looks at __loader__ later sees
            # what Python made, and no frame of ours stands in a traceback through the module's top level.
            loader.get_code = functools.partial(self._get_code, spec, loader)  # type: ignore[method-assign]
            if type(spec) is ModuleSpec:
                spec.__class__ = _LoadingSpec
                spec.__dict__["_midflight"] = self

    def _get_code(self, spec: ModuleSpec, loader: SourceFileLoader, fullname: str) -> types.CodeType | None:
        loader.__dict__.pop("get_code", None)
        try:
            with open(spec.origin, "rb", buffering=0) as file:  # type: ignore[arg-type]
                source = file.read()
        except OSError:
            source = None  # the loader's own error says more
        code = loader.get_code(fullname)
        self.modules[fullname] = Noted(fullname, spec.origin or "", source, code)
        return code

    def ended(self, name: str) -> None:
        """The import of `name` is over: take down what its top level made, or forget it if it failed."""
        noted, module = self.modules.get(name), sys.modules.get(name)
        if noted is None:
            return
        if module is None:
            del self.modules[name]
            return
        noted.order = next(self._count)
        noted.made = values_made(vars(module))

    def note_loaded(self, name: str, module: types.ModuleType, path: str, source: bytes | None) -> Noted:
        """A module that was imported before we came, or that is not imported at all (`__main__`)."""
        noted = self.modules[name] = Noted(name, path, source, None)
        noted.order = next(self._count)
        noted.made = values_made(vars(module))
        return noted


# Python leaves the import system's own frames out of a traceback by their file name (Python/import.c,
# remove_importlib_frames); a module with a syntax error must read the same with us between them.
_get_code = Notebook._get_code
_get_code.__code__ = _get_code.__code__.replace(co_filename=SourceFileLoader.get_code.__code__.co_filename)


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
                notebook.ended(self.name)


