"""Which test files a change asks for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from midflight.validate.tests import AffectedTests, smoke_files

PROJECT = {
    "src/shop/__init__.py": "",
    "src/shop/money.py": "RATE = 2",
    "src/shop/cart.py": "from .money import RATE",
    "src/shop/page.py": "import logging",
    "tests/helpers.py": "import shop.page",
    "tests/test_money.py": "from shop.money import RATE",
    "tests/test_cart.py": "def test():\n    from shop.cart import Cart",
    "tests/test_page.py": "import helpers",
    "tests/test_alone.py": "import json",
    "tests/test_all.py": "import shop",
    "tests/web/conftest.py": "import shop.page",
    "tests/web/test_web.py": "pass",
    "tests/web/deep/check_test.py": "pass",
    ".venv/test_not.py": "import shop.money",
    "env/pyvenv.cfg": "",
    "env/test_not.py": "import shop.money",
    "src/shop/test_names.md": "import shop.money",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(os.path.realpath(tmp_path))
    for name, text in PROJECT.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.syspath_prepend(str(root / "src"))
    return root


def chosen(finder: AffectedTests, root: Path, *changed: str) -> str:
    found = finder.affected([str(root / "src" / "shop" / f"{name}.py") for name in changed])
    return " ".join(os.path.basename(path).removesuffix(".py") for path in found)


@pytest.mark.parametrize("changed, tests", [
    ("money", "test_all test_cart test_money"),
    ("cart", "test_all test_cart"),
    ("page", "test_all test_page check_test test_web"),
    ("money page", "test_all test_cart test_money test_page check_test test_web"),
    ("", ""),
])  # fmt: skip
def test_the_tests_that_reach_a_changed_file_by_imports_are_chosen(project: Path, changed: str, tests: str) -> None:
    finder = AffectedTests([str(project)], ("test_*.py", "*_test.py"))
    assert chosen(finder, project, *changed.split()) == tests


def test_a_file_that_gains_an_import_is_chosen_from_then_on(project: Path) -> None:
    finder = AffectedTests([str(project)], ("test_*.py",))
    assert chosen(finder, project, "cart") == "test_all test_cart"
    (project / "tests/test_alone.py").write_text("import shop.cart")
    (project / "tests/test_cart.py").unlink()
    assert chosen(finder, project, "cart") == "test_all test_alone"


def test_patterns_say_what_a_test_file_is(project: Path) -> None:
    finder = AffectedTests([str(project)], ("*/tests/test_m*.py", "helpers.py"))
    assert chosen(finder, project, "money", "page") == "helpers test_money"


# module, its file -> which of the files that exist are its smoke tests
@pytest.mark.parametrize("module, path, found", [
    ("shop.cart", "src/shop/cart.py", "src/shop/smoke_cart.py tests/smoke/smoke_shop_cart.py"),
    ("cart", "cart.py", ""),
    ("__main__", "app.py", "smoke_app.py"),
    ("shop", "src/shop/__init__.py", "tests/smoke/smoke_shop.py"),
])  # fmt: skip
def test_smoke_files_are_found_by_the_name_of_their_module(project: Path, module: str, path: str, found: str) -> None:
    for name in (
        "src/shop/smoke_cart.py",
        "tests/smoke/smoke_shop_cart.py",
        "smoke_app.py",
        "tests/smoke/smoke_shop.py",
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("")
    patterns = ("{folder}/smoke_{name}.py", "tests/smoke/smoke_{module}.py")
    files = smoke_files([(module, str(project / path))], patterns, str(project))
    assert " ".join(os.path.relpath(file, project) for file in files) == found
