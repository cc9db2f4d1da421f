"""ModuleGraph: who imports whom, who depends on a module. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class ModuleGraph:
    """Edges from modules to the names they import; a name may be a module or something inside one."""

    def __init__(self) -> None:
        self._imports: dict[str, frozenset[str]] = {}
        self._importers: dict[str, set[str]] = {}

    def __contains__(self, module: str) -> bool:
        return module in self._imports

    def put(self, module: str, imports: frozenset[str]) -> None:
        self.remove(module)
        self._imports[module] = imports
        for name in imports:
            self._importers.setdefault(name, set()).add(module)

    def remove(self, module: str) -> None:
        for name in self._imports.pop(module, ()):
            self._importers[name].discard(module)

    def importers(self, module: str) -> set[str]:
        """Modules that import `module`, something of it, or a package above it, from which they may reach it."""
        found = set(self._importers.get(module, ()))
        for name in prefixes(module.rpartition(".")[0]) if "." in module else ():
            found |= self._importers.get(name, set())
        found.discard(module)
        return found

    def imports(self, module: str) -> set[str]:
        """The modules of the graph that `module` imports by name."""
        return self.homes(self._imports.get(module, ())) - {module}

    def reached(self, module: str) -> set[str]:
        """The modules of the graph that `module` imports, that those import, and so on; itself only in a cycle."""
        found: set[str] = set()
        waiting = [module]
        while waiting:
            more = self.imports(waiting.pop()) - found
            found |= more
            waiting += more
        return found

    def cycle_of(self, module: str) -> set[str]:
        """The modules that `module` reaches by imports and that reach it, itself included; none without a cycle."""
        users: dict[str, list[str]] = {}
        seen, waiting = {module}, [module]
        while waiting:
            user = waiting.pop()
            for name in self.imports(user):
                users.setdefault(name, []).append(user)
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
        found, waiting = set[str](), [module]
        while waiting:
            fresh = set(users.get(waiting.pop(), ())) - found
            found |= fresh
            waiting += fresh
        return found

    def homes(self, names: Iterable[str]) -> set[str]:
        """The modules of the graph that `names` are, or are something of."""
        return {home for home in map(self._home, names) if home}

    def _home(self, name: str) -> str:
        """The innermost module of the graph that `name` is or lies in, "" where there is none."""
        while name and name not in self._imports:
            name = name.rpartition(".")[0]
        return name

    def dependents(self, modules: Iterable[str]) -> set[str]:
        """All that reach one of `modules` by imports; not these themselves."""
        start = set(modules)
        found: set[str] = set()
        waiting = list(start)
        while waiting:
            for name in self.importers(waiting.pop()):
                if name not in found and name not in start:
                    found.add(name)
                    waiting.append(name)
        return found

    def cycles(self) -> list[list[str]]:
        """Groups of modules that import one another, each in alphabetical order."""
        return sorted(sorted(group) for group in self._components() if len(group) > 1)

    def _components(self) -> Iterator[list[str]]:
        """Strongly connected components, by Tarjan's algorithm without recursion."""
        index: dict[str, int] = {}
        low: dict[str, int] = {}
        stack: list[str] = []
        on_stack: set[str] = set()
        for root in self._imports:
            if root in index:
                continue
            work: list[tuple[str, Iterator[str]]] = [(root, iter(sorted(self.imports(root))))]
            index[root] = low[root] = len(index)
            stack.append(root)
            on_stack.add(root)
            while work:
                node, needed = work[-1]
                for name in needed:
                    if name not in index:
                        index[name] = low[name] = len(index)
                        stack.append(name)
                        on_stack.add(name)
                        work.append((name, iter(sorted(self.imports(name)))))
                        break
                    if name in on_stack:
                        low[node] = min(low[node], index[name])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[node])
                    if low[node] == index[node]:
                        group = []
                        while True:
                            name = stack.pop()
                            on_stack.discard(name)
                            group.append(name)
                            if name == node:
                                break
                        yield group


def prefixes(name: str) -> Iterator[str]:
    """`a.b.c`, `a.b`, `a`."""
    while name:
        yield name
        name = name.rpartition(".")[0]
