"""Which paths count."""

from __future__ import annotations

import pytest

from midflight.watch.filters import Filters

ROOT = "/home/ann/app"


def filters(include: tuple[str, ...] = (), exclude: tuple[str, ...] = (), roots: tuple[str, ...] = (ROOT,)) -> Filters:
    return Filters(roots, include=include, exclude=exclude)


@pytest.mark.parametrize(
    "path, kind",
    [
        ("main.py", "code"),
        ("shop/till/drawer.py", "code"),
        ("README.md", "data"),
        ("conf/app.yaml", "data"),
        ("conf/app.yml", "data"),
        ("pyproject.toml", "data"),
        ("notes.txt", "data"),
        ("data/rows.json", "data"),
        ("main.pyc", None),
        ("lib.so", None),
        ("Makefile", None),
        ("main.py.bak", None),
        # what editors leave behind while they save
        ("4913", None),
        ("main.py~", None),
        (".#main.py", None),
        ("#main.py#", None),
        (".main.py.swp", None),
        ("main.py.swx", None),
        ("main.py___jb_tmp___", None),
        (".goutputstream-X1Y2Z3", None),
        # folders without source of the program
        (".git/hooks/x.py", None),
        ("__pycache__/main.cpython-311.pyc", None),
        ("shop/__pycache__/x.py", None),
        ("node_modules/pkg/gen.py", None),
        (".midflight/versions/x.py", None),
        (".tox/py311/x.py", None),
        (".mypy_cache/x.json", None),
        (".venv/lib/x.py", None),
        ("env/lib/python3.11/site-packages/x.py", None),
        ("thing.egg-info/x.txt", None),
        # names that only look like those
        ("build/x.py", "code"),
        ("dist/x.py", "code"),
        ("git/x.py", "code"),
        ("node_modules_py/x.py", "code"),
    ],
)
def test_the_kind_of_a_path(path: str, kind: str | None) -> None:
    assert filters().kind(f"{ROOT}/{path}") == kind


@pytest.mark.parametrize(
    "pattern, path, counts",
    [
        ("gen", "gen/x.py", False),
        ("gen", "shop/gen/deep/x.py", False),
        ("gen", "generate/x.py", True),
        ("gen.py", "shop/gen.py", False),
        ("*_pb2.py", "shop/cart_pb2.py", False),
        ("gen/*.py", "gen/x.py", False),
        ("gen/*.py", "gen/deep/x.py", True),
        ("gen/*.py", "shop/gen/x.py", True),
        ("gen/**", "gen/deep/x.py", False),
        ("gen/**/*.py", "gen/deep/er/x.py", False),
        ("gen/**/*.py", "gen/x.py", False),
        ("**/gen/*.py", "shop/gen/x.py", False),
        ("./gen", "gen/x.py", False),
        ("./gen", "shop/gen/x.py", True),
        (f"{ROOT}/gen", "gen/x.py", False),
        (f"{ROOT}/**/x.py", "a/b/x.py", False),
        ("/elsewhere/**", "a/b/x.py", True),
        ("m[12].py", "m1.py", False),
        ("m[12].py", "m3.py", True),
        ("*.PY", "x.py", True),
    ],
)
def test_exclude(pattern: str, path: str, counts: bool) -> None:
    assert (filters(exclude=(pattern,)).kind(f"{ROOT}/{path}") is not None) == counts


@pytest.mark.parametrize(
    "pattern, path, kind",
    [
        ("*.conf", "etc/app.conf", "data"),
        ("*.pyi", "app.pyi", "data"),
        (".venv/lib/**/dep/**", ".venv/lib/python3.11/dep/m.py", "code"),
        (".venv/lib/python3.11/site-packages/dep/**", ".venv/lib/python3.11/site-packages/dep/m.py", "code"),
        (".venv/lib/python3.11/site-packages/dep/**", ".venv/lib/python3.11/site-packages/other/m.py", None),
        ("**/x.py", ".git/x.py", None),
        (".git/hooks", ".git/hooks/x.py", "code"),
        ("*~", "main.py~", None),
    ],
)
def test_include(pattern: str, path: str, kind: str | None) -> None:
    assert filters(include=(pattern,)).kind(f"{ROOT}/{path}") == kind


def test_exclude_beats_include() -> None:
    both = filters(include=("*.conf",), exclude=("secret",))
    assert (both.kind(f"{ROOT}/a.conf"), both.kind(f"{ROOT}/secret/a.conf")) == ("data", None)


@pytest.mark.parametrize(
    "folder, pruned",
    [
        (".git", True),
        ("__pycache__", True),
        ("node_modules", True),
        ("site-packages", True),
        ("x.egg-info", True),
        ("src", False),
        (f"{ROOT}", False),
        (f"{ROOT}/shop", False),
        (f"{ROOT}/shop/.git", True),
        (f"{ROOT}/.venv/lib/x", True),
        ("/home/ann/other", True),
    ],
)
def test_pruned_folders(folder: str, pruned: bool) -> None:
    assert filters().prunes(folder) == pruned


def test_an_excluded_folder_is_pruned_with_all_below_it() -> None:
    some = filters(exclude=("gen", "shop/old/**"))
    assert some.prunes("gen") and some.prunes(f"{ROOT}/a/gen/b")
    assert some.prunes(f"{ROOT}/shop/old/x") and not some.prunes(f"{ROOT}/shop")


def test_the_way_to_what_is_included_is_not_pruned() -> None:
    some = filters(include=(".venv/lib/dep/**",))
    way = (".venv", ".venv/lib", ".venv/lib/dep", ".venv/lib/dep/sub")
    assert not any(some.prunes(f"{ROOT}/{path}") for path in way)
    assert some.prunes(f"{ROOT}/.venv/lib/other") and some.prunes(f"{ROOT}/.venv/bin")


def test_a_root_may_lie_in_a_pruned_folder() -> None:
    inside = filters(roots=("/usr/lib/python3/site-packages/mine",))
    assert inside.kind("/usr/lib/python3/site-packages/mine/m.py") == "code"
    assert inside.kind("/usr/lib/python3/site-packages/other/m.py") is None


def test_a_root_that_is_a_file_counts_whatever_its_name() -> None:
    assert filters(roots=("/home/ann/tool",)).kind("/home/ann/tool") == "data"
    assert filters(roots=("/home/ann/tool.py",)).kind("/home/ann/tool.py") == "code"
    assert filters(roots=("/home/ann/tool.py",)).kind("/home/ann/other.py") is None


@pytest.mark.parametrize(
    "names, is_one", [(["pyvenv.cfg", "lib"], True), (["conda-meta"], True), (["lib", "bin"], False)]
)
def test_an_environment_is_known_by_what_it_holds(names: list[str], is_one: bool) -> None:
    assert filters().is_environment(names) == is_one


def test_outside_the_roots_nothing_counts() -> None:
    assert filters().kind("/home/ann/application/main.py") is None
    assert filters(roots=("/",)).kind("/anywhere/main.py") == "code"
