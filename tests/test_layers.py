"""The direction of imports: a folder imports only from those to its right, and what decides does not act."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import midflight

PACKAGE = Path(midflight.__file__).parent

# Left to right; names in one string share a group and do not import each other.
LAYERS = (
    "__main__",
    "cli integrations",
    "control",
    "devtools fleet attach",
    "plugins gui rollback proposals",
    "session",
    "followed inbox listeners proving records saved",
    "held",
    "attempt",
    "watch apply validate store",
    "plan",
    "graph",
    "asks config hooks",
    "values",
    "errors",
)
LEVEL = {name: level for level, group in enumerate(LAYERS) for name in group.split()}

# Data of the command line: programs of their own, which know midflight as any program does.
PROGRAMS = ("demo",)

PURE = (
    *("watch/filters.py", "watch/debounce.py", "graph/imports.py", "graph/modules.py", "graph/homes.py"),
    *("graph/kinds.py", "plan/"),
    *("plugins/manifest.py", "plugins/order.py", "plugins/shape.py", "fleet/protocol.py", "fleet/rollout.py"),
    *(f"proposals/{name}.py" for name in ("states", "patches", "sentences", "targets")),
)
ACTING = frozenset(
    (
        *("os", "time", "threading", "asyncio", "multiprocessing", "concurrent", "subprocess", "signal", "socket"),
        *("select", "selectors", "sqlite3", "shutil", "tempfile", "glob", "random", "secrets", "ctypes", "linecache"),
        *("runpy", "gc"),
    )
)
ACTS = frozenset(("open", "input", "print", "exec", "eval", "__import__"))


@dataclass(frozen=True)
class Import:
    """`names` is empty for `import target`; `target` is absolute."""

    line: int
    target: str
    names: tuple[str, ...] = ()


def module_files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in PROGRAMS)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def running_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below `node` but the bodies of `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            assert isinstance(child, ast.If)
            for other in child.orelse:
                yield other
                yield from running_nodes(other)
        else:
            yield child
            yield from running_nodes(child)


def absolute(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module or ""
    package = ("midflight", *path.relative_to(PACKAGE).parent.parts)
    return ".".join((*package[: len(package) - node.level + 1], *([node.module] if node.module else [])))


def imports_in(source: str, path: Path) -> Iterator[Import]:
    for node in running_nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.lineno, absolute(node, path), tuple(alias.name for alias in node.names))


def homes(one: Import) -> Iterator[str]:
    """The modules of midflight that an import loads; a public name stands for the module where it lives."""
    if one.target == "midflight":
        for name in one.names or ("",):
            yield midflight._HOMES.get(name, f"midflight.{name}" if name in LEVEL else "midflight")
    elif one.target.startswith("midflight."):
        below = PACKAGE.joinpath(*one.target.split(".")[1:])
        for name in one.names or ("",):
            yield f"{one.target}.{name}" if (below / f"{name}.py").exists() else one.target


def folder(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def short(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def own_folder(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def wrong_imports(source: str, path: Path) -> list[str]:
    own = own_folder(path)
    wrong = []
    for one in imports_in(source, path):
        for other in {folder(home) for home in homes(one)} - {own, ""}:
            if other not in LEVEL or LEVEL[other] <= LEVEL[own]:
                wrong.append(f"{short(path)}:{one.line} {own} imports {other}, which is not to its right")
    return wrong


def is_pure(path: Path) -> bool:
    name = short(path)
    return any(name.startswith(pure) if pure.endswith("/") else name == pure for pure in PURE)


def pure_module(module: str) -> bool:
    """Whether a module of midflight is pure, or holds only values."""
    if folder(module) in ("values", "errors"):
        return True
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return is_pure(path.with_suffix(".py")) or is_pure(path / "__init__.py")


def impurities(source: str, path: Path) -> list[str]:
    where = short(path)
    wrong = []
    for one in imports_in(source, path):
        if one.target.partition(".")[0] in ACTING or (one.target == "pathlib" and "Path" in one.names):
            wrong.append(f"{where}:{one.line} imports {one.target}")
        wrong += [f"{where}:{one.line} imports {home}: not pure" for home in homes(one) if not pure_module(home)]
    for node in running_nodes(ast.parse(source)):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.modules":
            wrong.append(f"{where}:{node.lineno} uses sys.modules")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ACTS:
            wrong.append(f"{where}:{node.lineno} calls {node.func.id}()")
    return wrong


@pytest.mark.parametrize("path", module_files(), ids=short)
def test_a_module_imports_only_to_its_right(path: Path) -> None:
    if path == PACKAGE / "__init__.py":
        assert not [one for one in imports_in(path.read_text("utf-8"), path) if list(homes(one))]
        return
    assert own_folder(path) in LEVEL, f"{own_folder(path)} has no place in LAYERS"
    assert wrong_imports(path.read_text("utf-8"), path) == []


@pytest.mark.parametrize("path", [path for path in module_files() if is_pure(path)], ids=short)
def test_a_pure_module_needs_no_disk_clock_thread_or_sys_modules(path: Path) -> None:
    assert impurities(path.read_text("utf-8"), path) == []


def test_integrations_are_imported_by_nobody_else() -> None:
    for path in module_files():
        if own_folder(path) != "integrations":
            found = {folder(home) for one in imports_in(path.read_text("utf-8"), path) for home in homes(one)}
            assert "integrations" not in found, path


@pytest.mark.parametrize(
    "path, source, wrong",
    [
        ("plan/flow.py", "from midflight.session import Session", True),
        ("plan/flow.py", "from midflight.graph.modules import ModuleGraph", False),
        ("plan/flow.py", "from midflight.plan.diff import diff", False),
        ("plan/flow.py", "from ..apply import execute", True),
        ("plan/flow.py", "from midflight import Report", False),
        ("plan/flow.py", "from midflight import current", True),
        ("plan/flow.py", "import midflight.store.versions", True),
        ("watch/sweep.py", "from midflight.apply.safepoint import wait", True),
        ("watch/sweep.py", "if TYPE_CHECKING:\n    from midflight.session import Session", False),
        ("watch/sweep.py", "def f():\n    from midflight.session import Session", True),
        ("cli/run.py", "from midflight import __version__", False),
    ],
)
def test_the_check_tells_right_from_left(path: str, source: str, wrong: bool) -> None:
    assert bool(wrong_imports(source, PACKAGE / path)) == wrong


@pytest.mark.parametrize(
    "source, pure",
    [
        ("import time", False),
        ("from os import path", False),
        ("import sys\nsys.modules", False),
        ("import sys\nsys.version_info", True),
        ("open('x')", False),
        ("compile('x', 'x', 'eval')", True),
        ("from midflight.graph.loaded import Program", False),
        ("from midflight.graph.modules import ModuleGraph", True),
        ("from pathlib import Path", False),
        ("from pathlib import PurePosixPath", True),
    ],
)
def test_the_check_tells_pure_from_acting(source: str, pure: bool) -> None:
    assert (impurities(source, PACKAGE / "plan/flow.py") == []) == pure


def test_a_hook_loads_no_store_no_watcher_no_database_and_no_loop() -> None:
    code = "import sys; from midflight import keep; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = {name for name in done.stdout.split() if name.split(".")[0] in ("midflight", "sqlite3", "asyncio")}
    allowed = {f"midflight.{name}" for name in ("hooks", "values", "errors")} | {"midflight"}
    assert loaded <= allowed


def test_a_start_loads_no_stage_and_no_value_that_only_a_reload_needs(tmp_path: Path) -> None:
    code = """if True:
        import sys, midflight
        session = midflight.Session(paths=["."], mode="auto")
        session.start()
        print(*sys.modules)
        session.stop()
    """
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert "midflight.session" in loaded
    waits = {"json", "dataclasses", "tempfile", "asyncio", "sqlite3", "hashlib", "concurrent.futures"}
    waits |= {"midflight.values", "midflight.plan", "midflight.apply", "midflight.validate"}
    assert not loaded & waits
