"""Every way in for a bad edit: a clear message, the old code running, nothing lost."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
import threading
import time
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

import midflight
import midflight.session
from midflight.errors import SessionError

GOOD = "LIMIT = 1\nseen = []\ndef f():\n    seen.append(LIMIT)\n    return LIMIT\n"


def bound(module: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name != "__builtins__"}


@pytest.mark.parametrize(
    "edit, outcome, code, line, word",
    [
        ("LIMIT = 2\ndef f(:\n    return 3\n", "refused", "MF001", 2, "SyntaxError"),
        ("LIMIT = 2\nreturn 5\n", "refused", "MF001", 2, "outside function"),
        ("LIMIT = 2\nimport surely_not_installed\ndef f():\n    return 3\n", "rolled back", "MF040", 2, "surely_not"),
        (GOOD.replace("= 1", "= 2") + "1 / 0\n", "rolled back", "MF040", 6, "ZeroDivisionError"),
        (GOOD.replace("= 1", "= 2") + "raise SystemExit(3)\n", "rolled back", "MF040", 6, "SystemExit"),
        (GOOD + "from os import nothing_of_the_kind\n", "rolled back", "MF040", 6, "nothing_of_the_kind"),
    ],
    ids=["syntax", "compiler", "import", "exception", "exit", "from-import"],
)
def test_a_bad_edit_names_its_place_and_leaves_the_old_code_running(
    program: Any, edit: str, outcome: str, code: str, line: int, word: str
) -> None:
    program.write(shop=GOOD)
    shop = program.load("shop")
    f, before = shop.f, bound(shop)
    f()
    report = program.save(shop=edit)
    assert report.outcome == outcome
    assert [(p.code, p.line, p.path) for p in report.problems] == [(code, line, str(program.path("shop")))]
    assert word in report.problems[0].message
    assert report.problems[0].hint
    assert bound(shop) == before and shop.f is f and f() == 1 and shop.seen == [1, 1]
    assert program.save(shop=GOOD.replace("LIMIT = 1", "LIMIT = 7")).outcome == "committed"
    assert f() == 7 and shop.seen == [1, 1, 7]


def test_a_file_that_no_module_comes_from_is_no_edit_and_the_report_says_why(program: Any) -> None:
    program.write(shop=GOOD, spare=GOOD)
    program.load("shop")
    spare, slip = program.path("spare"), program.path("sohp")
    assert program.session.reload([program.path("shop")]).notes == ()
    report = program.session.reload([spare, slip])
    assert report.outcome == "unchanged"
    assert [note.startswith(str(path)) for note, path in zip(report.notes, (spare, slip), strict=True)] == [True, True]
    assert "no loaded module comes from it" in report.notes[0] and "is not there" in report.notes[1]


def test_an_undecodable_file_is_refused_with_its_line(program: Any) -> None:
    program.write(shop=GOOD)
    shop = program.load("shop")
    program.path("shop").write_bytes(b"LIMIT = 2\nname = '\xff\xfe'\n")
    report = program.session.reload()
    assert (report.outcome, report.problems[0].code, report.problems[0].line) == ("refused", "MF002", 2)
    assert shop.f() == 1


def test_a_keyboard_interrupt_in_the_new_code_rolls_back_and_is_raised_again(program: Any) -> None:
    program.write(shop=GOOD)
    shop = program.load("shop")
    before = bound(shop)
    program.write(shop=GOOD.replace("= 1", "= 2") + "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        program.session.reload()
    assert bound(shop) == before
    assert program.session.history()[0].outcome == "rolled back"


def test_a_ctrl_c_that_comes_half_way_waits_for_the_end_of_the_transaction(program: Any) -> None:
    program.write(shop=GOOD)
    shop = program.load("shop")
    edit = GOOD.replace("= 1", "= 2") + "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nDONE = True\n"
    program.write(shop=edit)
    with pytest.raises(KeyboardInterrupt):
        program.session.reload()
    assert program.session.history()[0].outcome == "committed"
    assert shop.f() == 2 and shop.DONE
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_deleted_file_that_is_needed_leaves_its_module_running(program: Any) -> None:
    program.write(money="RATE = 2\n")
    program.write(shop="import {money}\ndef f():\n    return {money}.RATE\n")
    shop = program.load("shop")
    program.path("money").unlink()
    report = program.session.reload()
    assert report.ok and any("left running" in note for note in report.notes)
    assert shop.f() == 2


def test_a_folder_that_vanishes_and_comes_back_is_followed_again(make: Any, folder: Path) -> None:
    program = make("auto")
    program.write(shop=GOOD)
    shop = program.load("shop")
    program.session.start()
    shutil.rmtree(folder)
    assert shop.f() == 1
    folder.mkdir()
    deadline = time.monotonic() + 20
    while shop.f() != 5:
        assert time.monotonic() < deadline, program.session.status()
        program.write(shop=GOOD.replace("LIMIT = 1", "LIMIT = 5"))
        threading.Event().wait(0.05)
    assert shop.seen[0] == 1


@pytest.mark.parametrize("first, then", [("", "(Base)"), ("(Base)", "")], ids=["gets a base", "loses its base"])
def test_a_class_that_went_and_comes_back_with_other_bases_is_taken(program: Any, first: str, then: str) -> None:
    base = "class Base:\n    pass\n"
    program.write(shop=f"{base}class Box{first}:\n    size = 1\n")
    shop = program.load("shop")
    held = shop.Box
    assert program.save(shop=base).outcome == "committed"
    assert program.save(shop=f"{base}class Box{then}:\n    size = 2\n").outcome == "committed"
    assert shop.Box.size == 2 and issubclass(shop.Box, shop.Base) == bool(then)
    assert held.size in (1, 2)


def test_two_sessions_on_overlapping_paths_are_an_error(program: Any, folder: Path) -> None:
    inside = folder / "inside"
    inside.mkdir()
    with pytest.raises(SessionError, match="already"):
        midflight.Session(paths=[inside], mode="manual").start()
    assert program.session.running


def test_a_free_threaded_interpreter_is_refused_with_the_way_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # No free-threaded build can be installed everywhere the tests run: what such a build answers is given instead.
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    session = midflight.Session(paths=[folder], mode="manual")
    with pytest.raises(SessionError, match="PYTHON_GIL=1"):
        session.start()
    assert not session.running


def test_a_file_outside_the_paths_is_refused_by_name(program: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("X = 1\n")
    with pytest.raises(SessionError, match=r"outside\.py"):
        program.session.reload([outside])
    with pytest.raises(SessionError, match=r"outside\.py"):
        program.session.apply({outside: "X = 2\n"})
    assert outside.read_text() == "X = 1\n"


def test_a_reload_asked_for_by_code_that_is_being_reloaded_is_an_error_there(program: Any) -> None:
    program.write(shop=GOOD)
    shop = program.load("shop")
    edit = GOOD + "import midflight\nmidflight.session._running[-1].reload()\n"
    report = program.save(shop=edit)
    assert report.outcome == "rolled back"
    assert shop.f() == 1


def test_all_files_of_a_batch_or_none(program: Any) -> None:
    program.write(a="X = 1\ndef f():\n    return X\n", b="Y = 1\ndef g():\n    return Y\n")
    a, b = program.load("a"), program.load("b")
    report = program.save(a="X = 2\ndef f():\n    return X * 10\n", b="Y = 2\ndef g():\n    return Y\n1 / 0\n")
    assert report.outcome == "rolled back"
    assert (a.f(), b.g(), a.X, b.Y) == (1, 1, 1, 1)
    report = program.save(b="Y = 3\ndef g():\n    return Y\n")
    assert report.outcome == "committed" and (a.f(), b.g()) == (20, 3)


def test_a_file_that_is_still_broken_never_holds_up_another(program: Any) -> None:
    program.write(a="def f():\n    return 1\n", b="def g():\n    return 1\n")
    a, b = program.load("a"), program.load("b")
    assert program.save(a="def f(:\n").outcome == "refused"
    assert program.save(b="def g():\n    return 2\n").outcome == "committed"
    assert (a.f(), b.g()) == (1, 2)
    assert program.save(a="def f():\n    return 3\n").outcome == "committed"
    assert a.f() == 3


def test_a_save_that_is_tried_with_and_without_a_broken_file_is_one_report(program: Any) -> None:
    program.write(shop=GOOD, broken="X = 1\n")
    program.load("shop"), program.load("broken")
    first = int(program.save(broken="X = (\n").id[1:])
    report = program.save(shop=GOOD.replace("= 1", "= 2"))
    assert (report.outcome, int(report.id[1:])) == ("committed", first + 1)
    assert [one.id for one in program.session.history(2)] == [f"r{first + 1}", f"r{first}"]


def test_apply_writes_the_files_only_when_it_commits(program: Any) -> None:
    program.write(shop=GOOD)
    shop = program.load("shop")
    path = program.path("shop")
    bad = program.session.apply({path: "LIMIT = 2\n1 / 0\n"})
    assert bad.outcome == "rolled back" and path.read_text() == GOOD and shop.f() == 1
    good = program.session.apply({path: GOOD.replace("LIMIT = 1", "LIMIT = 3")})
    assert good.outcome == "committed" and "LIMIT = 3" in path.read_text() and shop.f() == 3
    assert program.session.reload().outcome == "unchanged"
    assert os.listdir(path.parent) == [path.name]


def test_operators_that_lead_through_hundreds_of_classes_need_no_deep_stack(program: Any) -> None:
    """Each `__repr__` asks that of the class before it."""
    classes = [
        f"class T{n}:\n    def __repr__(self):\n        return f'{{T{n - 1}()!r}}'\n"
        for n in range(1, sys.getrecursionlimit() // 2)
    ]
    text = "class T0:\n    def __repr__(self):\n        return 'a'\n" + "".join(classes) + "V = repr(T9())\n"
    program.write(chain=text)
    chain = program.load("chain")
    assert program.save(chain=text.replace("'a'", "'b'")).outcome == "committed"
    assert chain.V == "b"


def test_a_class_that_cannot_be_hashed_is_imported_and_edited_like_any_other(program: Any) -> None:
    """A metaclass with an `__eq__` and no `__hash__`: its classes are in no set and no key of a dict."""
    text = (
        "class Meta(type):\n    def __eq__(cls, other):\n        return cls is other\n\n\n"
        "class Cart(metaclass=Meta):\n    limit = 1\n\n    def total(self):\n        return {n}\n\n\n"
        "CART = Cart()\nCARTS = [CART]\n\n\ndef made():\n    return CART.total() + LIMIT\n\n\nLIMIT = {n}\nTWICE = LIMIT * 2\n"
    )
    program.write(shop=text.replace("{n}", "1"))
    shop = program.load("shop")
    report = program.save(shop=text.replace("{n}", "2"))
    assert report.outcome == "committed", [str(problem) for problem in report.problems]
    assert (shop.made(), shop.TWICE) == (4, 4)


UNHASHABLE = """\
class Meta(type):
    def __eq__(cls, other):
        return cls is other
class Base(metaclass=Meta):
    def g(self): return 1
class Mixin: pass
class Gone(Base): pass
class Cart(Base):
    def total(self): return self.g()
CART = Cart()
def use(cart=CART): return cart.total()
PROP, BOUND = property(use), classmethod(use)
"""


def test_classes_that_cannot_be_hashed_take_each_kind_of_edit(program: Any) -> None:
    program.write(shop=UNHASHABLE, till="from {shop} import CART, Base, Cart\n")
    till, text = program.load("till"), UNHASHABLE
    cart, base = till.Cart, till.Base
    for before, after in (
        ("class Gone(Base): pass\n", ""),
        ("class Cart(Base):", "class Cart(Base, Mixin):"),
        ("class Cart(Base, Mixin):", "class Between(Base):\n    pass\nclass Cart(Between):"),
        ("cart=CART)", "cart=CART, more=1)"),
        ("class Meta(type):", "class Meta(type):\n    tag = 1"),
        ("class Mixin: pass", "class Slotted(Base): __slots__ = ('a',)"),
        ("__slots__ = ('a',)", "__slots__ = ('b',)"),
        ("class Between(Base):\n    pass\nclass Cart(Between):", "class Cart(Base):"),
        ("class Slotted(Base): __slots__ = ('b',)\n", ""),
    ):
        assert before in text
        text = text.replace(before, after)
        report = program.save(shop=text)
        assert report.outcome == "committed", (after, [str(problem) for problem in report.problems])
    assert [one.__name__ for one in base.__subclasses__()] == ["Cart"]
    program.path("shop").unlink()
    report = program.save(store=text, till="from {store} import CART, Base, Cart\n")
    assert report.outcome == "committed", [str(problem) for problem in report.problems]
    assert (till.Cart, till.Base) == (cart, base) and type(till.CART) is cart and till.CART.total() == 1


def test_modules_loaded_by_file_under_ever_new_names_and_kept_nowhere_are_forgotten(program: Any) -> None:
    program.write(conf="X = 1\n")
    path, notebook = program.path("conf"), program.session.program.notebook
    for number in range(500):
        spec = importlib.util.spec_from_file_location(f"{program.name('conf')}_{number}", path)
        assert spec is not None and spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert 0 < len(notebook.by_file) < 300 and not any(name.startswith("conf") for name in notebook.modules)


def test_what_a_program_puts_over_the_loader_while_a_session_runs_stays_when_it_stops(make: Any) -> None:
    before = SourceFileLoader.path_stats
    first = make()
    first.session.start()
    ours = SourceFileLoader.path_stats
    asked: list[str] = []

    def noting(loader: SourceFileLoader, path: str) -> Any:
        asked.append(path)
        return ours(loader, path)

    SourceFileLoader.path_stats = noting  # type: ignore[method-assign,assignment]
    try:
        first.session.stop()
        assert ours is not before and SourceFileLoader.path_stats is noting
        second = make()
        second.session.start()
        second.write(shop="X = 1\n")
        shop = second.load("shop")
        assert second.save(shop="X = 2\n").outcome == "committed"
        assert shop.X == 2 and asked == [str(second.path("shop"))]
        second.session.stop()
        assert SourceFileLoader.path_stats is noting
    finally:
        SourceFileLoader.path_stats = before  # type: ignore[method-assign]
