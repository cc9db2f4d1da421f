"""Program: the running modules, their sources and who mentions what. Reads the process, never writes to it."""

from __future__ import annotations

import functools
import os
import sys
import types
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from midflight.graph.hook import Notebook, Noted, read_bytes
from midflight.graph.imports import has_star, imported_at_start, imported_modules
from midflight.graph.kinds import shown
from midflight.graph.modules import ModuleGraph


class Loaded:
    """One running module. `parsed` is what the plan layer keeps of its text once it was edited, None before."""

    __slots__ = (
        "_more",
        "_names",
        "_stars",
        "_version",
        "loads",
        "made",
        "module",
        "name",
        "noted",
        "order",
        "parsed",
        "path",
        "source",
    )

    def __init__(self, noted: Noted, module: types.ModuleType) -> None:
        self.noted = noted
        self.name, self.module, self.path = noted.name, module, noted.path
        self.source, self.made, self.order = noted.source, noted.made, noted.order
        self.parsed: Any = None
        self.loads: tuple[bytes | None, frozenset[str]] | None = None  # a source, and what it imports when it is loaded
        self._more: set[str] = set()
        self._stars: tuple[bytes | None, bool] | None = None
        self._version: tuple[bytes, str] | None = None
        self._names: dict[int, tuple[weakref.ref[types.CodeType], frozenset[str]]] = {}

    @property
    def namespace(self) -> dict[str, Any]:
        return vars(self.module) if self.noted.space is None else self.noted.space

    @property
    def is_package(self) -> bool:
        """Whether it has submodules. A `__getattr__` of its own is not asked: that may give anything, or raise."""
        return "__path__" in self.namespace

    @property
    def version(self) -> str:
        """The SHA-256 of its source, "" where it has none."""
        if self.source is None:
            return ""
        if self._version is None or self._version[0] is not self.source:
            self._version = self.source, version_of(self.source)
        return self._version[1]

    def mentions(self, name: str) -> bool:
        """Whether its text has the word anywhere, also one it had in an earlier version: a look that costs a
        microsecond where names taken from code objects would have to be collected first. A yes may be wrong."""
        return name.encode() in (self.source or b"") or name in self._more

    @property
    def has_star(self) -> bool:
        """Whether it imports all names of a module; looked for once in each version."""
        if self._stars is None or self._stars[0] is not self.source:
            self._stars = self.source, has_star(self.source or b"")
        return self._stars[1]

    def names_in(self, code: types.CodeType) -> frozenset[str]:
        """Names that `code` and the code inside it use. Remembered by identity: a code object hashes its contents."""
        known = self._names.get(id(code))
        if known is None:
            gone = functools.partial(self._names.pop, id(code))  # called with the reference, which it takes as default
            known = self._names[id(code)] = (weakref.ref(code, gone), frozenset(names_used((code,))))
        return known[1]

    def mentions_again(self, name: str) -> bool:
        """Whether its text has the word more than once, as it must where it uses what it defines itself."""
        word, text = name.encode(), self.source or b""
        first = text.find(word)  # not counted: a look at all of a long text takes longer than one until the second
        return first < 0 or text.find(word, first + len(word)) >= 0 or name in self._more

    def mentioned(self, names: Iterable[str]) -> bool:
        """Whether a version before this one, or one that is being taken, brought any of `names`."""
        return not self._more.isdisjoint(names)

    def mention(self, names: Iterable[str]) -> None:
        """Names that a version which is being taken brings."""
        self._more.update(names)


class Program:
    """The modules under a session's paths, by name and by file."""

    def __init__(self, wanted: Callable[[str], bool]) -> None:
        self.notebook = Notebook(wanted)
        self.wanted = wanted
        self._loaded: dict[str, Loaded] = {}
        self._by_path: dict[str, set[str]] = {}
        self.imports = ModuleGraph()
        self._linked: set[str] = set()  # modules whose path leads through a symlink
        self.departed: dict[str, Loaded] = {}  # path → a module that left because its file had gone
        self.orphans: set[str] = set()  # modules whose file is gone and that somebody still needs
        # (module, name) → what a module held under a name that it no longer has
        self.dangling: dict[tuple[str, str], Any] = {}

    def start(self) -> None:
        self.notebook.install()
        self.adopt()

    def stop(self) -> None:
        self.notebook.remove()

    def adopt(self) -> None:
        """Take down modules that were imported before us: their text is what their file holds now."""
        for name, module in list(sys.modules.items()):
            path = getattr(module, "__file__", None)
            if name in self.notebook.modules or not isinstance(path, str) or not path.endswith(".py"):
                continue
            if not path.startswith(os.sep) or "/." in path or "//" in path:
                path = os.path.abspath(path)
            if type(module) is not types.ModuleType and not isinstance(module, types.ModuleType):
                continue
            if self.wanted(path):
                self.notebook.note_loaded(name, module, path, read_bytes(path))

    def note(self, name: str, path: str, source: bytes) -> None:
        """A module that is run and not imported: `__main__`."""
        self.notebook.note_loaded(name, sys.modules[name], path, source)
        self._loaded.pop(name, None)

    def get(self, name: str) -> Loaded | None:
        noted = self.notebook.modules.get(name)
        module = sys.modules.get(name)
        if noted is None or module is None:
            return None
        loaded = self._loaded.get(name)
        if loaded is None or loaded.module is not module:
            loaded = self._loaded[name] = Loaded(noted, module)
        elif loaded.order != noted.order:
            loaded.order, loaded.made = noted.order, noted.made
        return loaded

    def all(self) -> Iterator[Loaded]:
        self.notebook.settle_by_file()
        for name in list(self.notebook.modules):
            loaded = self.get(name)
            if loaded is not None:
                yield loaded

    def at(self, path: str) -> list[Loaded]:
        """The modules that were loaded from the file `path`: usually one, two for a script imported by its name too."""
        self._index()
        names = self._by_path.get(path) or self._now_linked_to(path)
        return [loaded for loaded in map(self.get, sorted(names)) if loaded is not None]

    def is_real(self, path: str) -> bool:
        """Whether a module was loaded from `path`, in which there was no symlink."""
        names = self._by_path.get(path)
        return bool(names) and self._linked.isdisjoint(names or ())

    def _now_linked_to(self, path: str) -> set[str]:
        """Modules imported through a symlink that leads to `path` since."""
        noted = self.notebook.modules
        return {name for name in self._linked if name in noted and os.path.realpath(noted[name].path) == path}

    def _index(self) -> None:
        self.notebook.settle_by_file()
        while self.notebook.fresh:
            name = self.notebook.fresh.pop()
            noted, loaded = self.notebook.modules.get(name), self.get(name)
            if noted is None:
                continue  # its import failed
            path = noted.path
            self._note_imports(name, loaded.source if loaded is not None else noted.source)
            self._by_path.setdefault(path, set()).add(name)
            real = os.path.realpath(path)
            self._by_path.setdefault(real, set()).add(name)
            if real != path:
                self._linked.add(name)

    def forget(self, name: str) -> Noted | None:
        """The module is no longer part of the program."""
        self._loaded.pop(name, None)
        self.notebook.fresh.discard(name)
        self.imports.remove(name)
        noted = self.notebook.modules.pop(name, None)
        if noted is not None:
            for path in {noted.path, os.path.realpath(noted.path)}:
                self._by_path.get(path, set()).discard(name)
        return noted

    def _note_imports(self, name: str, source: bytes | None) -> None:
        is_package = "__path__" in getattr(sys.modules.get(name), "__dict__", {})
        self.imports.put(name, imported_modules(source or b"", name, is_package))

    def loads(self, loaded: Loaded) -> set[str]:
        """The program's modules that loading this one loads; a guess by its lines."""
        known: tuple[bytes | None, frozenset[str]] | None = loaded.loads
        if known is None or known[0] is not loaded.source:
            is_package = loaded.is_package
            known = loaded.loads = loaded.source, imported_at_start(loaded.source or b"", loaded.name, is_package)
        return self.imports.homes(known[1]) - {loaded.name}

    def took(self, loaded: Loaded, source: bytes, version: str, *, imports: bool) -> None:
        """`loaded` runs `source` now; `imports`: it may import other modules than before."""
        loaded.source, loaded._version = source, (source, version)
        if imports or loaded.name not in self.imports:
            self._note_imports(loaded.name, source)
            self._put_in_order(loaded)

    def _put_in_order(self, loaded: Loaded) -> None:
        """An edit may have made it import what was loaded after it: from now on it counts as imported after that, and
        so do those that import it. Of a cycle no order can be told."""
        self._index()
        later = (one for one in map(self.get, self.imports.imports(loaded.name)) if one and one.order > loaded.order)
        if any(loaded.name not in self.imports.reached(one.name) for one in later):
            users = filter(None, map(self.get, self.imports.dependents([loaded.name])))
            for one in sorted([loaded, *users], key=lambda one: one.order):
                one.order = one.noted.order = self.notebook.next_order()

    def leave(self, undo: Callable[[Callable[[], None]], None], loaded: Loaded) -> None:
        """Its file is gone and nobody needs it: remembered, so that a file that comes back continues it."""
        noted = self.notebook.modules[loaded.name]

        def put_back() -> None:
            self.departed.pop(loaded.path, None)
            self._enter(noted, loaded)

        undo(put_back)
        self.forget(loaded.name)
        self.departed[loaded.path] = loaded

    def orphan(self, undo: Callable[[Callable[[], None]], None], name: str) -> None:
        """Its file is gone and somebody needs it: looked at again when others were edited."""
        if name not in self.orphans:
            undo(lambda: self.orphans.discard(name))
            self.orphans.add(name)

    def come_back(self, undo: Callable[[Callable[[], None]], None], loaded: Loaded) -> None:
        def put_back() -> None:
            self.forget(loaded.name)
            self.departed[loaded.path] = loaded

        undo(put_back)
        self.departed.pop(loaded.path, None)
        self._enter(loaded.noted, loaded)

    def without_file(self, paths: Iterable[str]) -> dict[str, list[Loaded]]:
        """Packages that were a folder alone (PEP 420) and whose file is one of `paths` now, as modules of an empty
        text. All are looked up at once: each look goes through everything that is imported."""
        files = {(os.path.dirname(path),): path for path in paths if os.path.basename(path) == "__init__.py"}
        found: dict[str, list[Loaded]] = {}
        for name, module in list(sys.modules.items()) if files else ():
            path = files.get(tuple(vars(module)["__path__"])) if _is_folder(module) else None
            if path is not None:
                found.setdefault(path, []).append(Loaded(Noted(name, path, b""), module))
        return found

    def come_in(self, undo: Callable[[Callable[[], None]], None], loaded: Loaded) -> None:
        """It is a module of the program now."""

        def go() -> None:
            self.forget(loaded.name)

        undo(go)
        self._enter(loaded.noted, loaded)

    def move(self, undo: Callable[[Callable[[], None]], None], loaded: Loaded, path: str) -> None:
        """The same module from another file."""
        before = loaded.path
        undo(lambda: self._move(loaded, before))
        self._move(loaded, path)

    def _move(self, loaded: Loaded, path: str) -> None:
        self.forget(loaded.name)
        loaded.path = loaded.noted.path = path
        self._enter(loaded.noted, loaded)

    def _enter(self, noted: Noted, loaded: Loaded) -> None:
        self.notebook.put(noted)
        self._loaded[loaded.name] = loaded

    def was_dangling(self, key: tuple[str, str], value: Any) -> bool:
        """Whether `value` is what a module held under a name that it lost since."""
        held = self.dangling.get(key)
        return held is not None and held.value is value

    def owns(self, value: Any) -> bool:
        """Whether a function or class was defined in one of the program's modules."""
        return shown(value, "__module__") in self.notebook.modules

    def users(self, module: str, names: Collection[str]) -> Iterator[tuple[Loaded, Collection[str]]]:
        """Modules that may mean something of `module` by one of `names`, each with these: itself, and `others`."""
        own = self.get(module)
        if own is not None:
            yield own, names
        yield from self.others(module, names)

    def others(self, module: str, names: Collection[str]) -> Iterator[tuple[Loaded, Collection[str]]]:
        """Those that import it, directly or through others that hold it, and have the word in their text; and star
        importers of it. A module that several ways lead to may come more than once, with other names each time."""
        self._index()
        seen: dict[str, set[str]] = {module: set(names)}
        waiting = [(module, set(names))]
        while waiting:
            home, held = waiting.pop()
            for importer in sorted(self.imports.importers(home)):
                known = seen.setdefault(importer, set())
                fresh = held - known
                loaded = self.get(importer) if fresh else None
                if loaded is None:
                    continue
                known |= fresh
                star = loaded.has_star
                if meant := fresh if star else [name for name in fresh if loaded.mentions(name)]:
                    yield loaded, meant
                if passed := fresh if star else loaded.namespace.keys() & fresh:
                    waiting.append((importer, passed))  # it may pass it on: a re-export

    def holders(self, module: str, name: str) -> Iterator[str]:
        """Other modules that hold the value of `module`'s name under the same name."""
        own = self.get(module)
        for other, _ in self.users(module, [name]):
            if own is None or other is own or name not in own.namespace:
                continue
            if other.namespace.get(name, self) is own.namespace[name]:
                yield other.name

    def graph(self) -> dict[str, list[str]]:
        """Module → the program's modules that it imports."""
        self._index()
        return {loaded.name: sorted(self.imports.imports(loaded.name)) for loaded in self.all()}


def _is_folder(module: object) -> bool:
    space = vars(module) if isinstance(module, types.ModuleType) else {}
    return "__path__" in space and space.get("__file__") is None


def counterpart(path: str) -> str:
    """The other file that the same module may have: `m/__init__.py` for `m.py`, `m.py` for `m/__init__.py`."""
    folder, name = os.path.split(path)
    if name == "__init__.py":
        return folder + ".py"
    return os.path.join(path.removesuffix(".py"), "__init__.py")


def names_used(codes: tuple[types.CodeType, ...]) -> Iterator[str]:
    for code in codes:
        yield from code.co_names
        # `getattr(config, "HOST")` mentions HOST too.
        yield from (c for c in code.co_consts if type(c) is str and len(c) < 60 and c.isidentifier())
        yield from names_used(tuple(c for c in code.co_consts if isinstance(c, types.CodeType)))


def version_of(source: bytes) -> str:
    import hashlib  # loads OpenSSL, which the start of a program need not wait for

    return hashlib.sha256(source).hexdigest()
