"""Back to any version: file and process together, each rollback a transaction with a report of its own."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import midflight
from midflight.errors import MidflightError
from midflight.values import Event, Report

CART = "RATE = 1\n\n\ndef total(net):\n    return net * RATE\n"
TWICE = CART.replace("RATE = 1", "RATE = 2")
THRICE = CART.replace("RATE = 1", "RATE = 3")
MONEY = "UNIT = 'EUR'\n"


class Shop:
    """A program of two modules, cart and money, and its session."""

    def __init__(self, program: Any) -> None:
        self.program, self.session = program, program.session
        program.write(cart=CART, money=MONEY)
        self.cart, self.money = program.load("cart"), program.load("money")

    def save(self, **texts: str) -> Report:
        report: Report = self.program.save(**texts)
        assert report.outcome == "committed", report
        return report

    def text(self, module: str = "cart") -> str:
        return str(self.program.path(module).read_text())

    def versions(self, module: str | None = None) -> list[midflight.Version]:
        return list(self.session.versions(self.program.name(module) if module else None))

    def files(self) -> list[str]:
        """Beside the modules themselves."""
        return sorted(path.name for path in self.program.folder.iterdir() if path.suffix != ".py" and path.is_file())


@pytest.fixture
def shop(program: Any) -> Shop:
    return Shop(program)


def test_without_a_name_every_module_goes_to_its_last_stable_version_file_and_process(shop: Shop) -> None:
    shop.save(cart=TWICE, money="UNIT = 'USD'\n")
    total = shop.cart.total
    report = shop.session.rollback()
    assert (report.outcome, report.cause) == ("committed", "rollback of r1")
    assert (shop.cart.total(10), shop.money.UNIT) == (10, "EUR")
    assert (shop.text("cart"), shop.text("money")) == (CART, MONEY)
    assert shop.cart.total is total
    assert shop.files() == []


def test_one_module_goes_back_and_the_others_stay(shop: Shop) -> None:
    shop.save(cart=TWICE, money="UNIT = 'USD'\n")
    shop.session.rollback(modules=[shop.program.name("cart")])
    assert (shop.cart.total(10), shop.money.UNIT) == (10, "USD")


def test_a_version_is_named_by_its_id(shop: Shop) -> None:
    shop.save(cart=TWICE)
    shop.save(cart=THRICE)
    newest, middle, first = shop.versions("cart")
    assert [version.stable for version in (newest, middle, first)] == [False, False, True]
    assert newest.id.startswith(f"{shop.program.name('cart')}@") and len(newest.id.rpartition("@")[2]) == 12
    shop.session.rollback(middle.id)
    assert shop.cart.total(10) == 20
    shop.session.rollback(first.id)
    assert shop.cart.total(10) == 10


def test_the_whole_program_goes_to_what_it_was_as_of_a_report(shop: Shop) -> None:
    first = shop.save(cart=TWICE)
    shop.save(money="UNIT = 'USD'\n")
    shop.save(cart=THRICE)
    report = shop.session.rollback(first.id)
    assert (shop.cart.total(10), shop.money.UNIT) == (20, "EUR")
    assert report.cause == "rollback of r3"


def test_a_rollback_can_be_rolled_back(shop: Shop) -> None:
    edit = shop.save(cart=TWICE)
    shop.session.rollback()
    report = shop.session.rollback(edit.id)
    assert (report.outcome, shop.cart.total(10), shop.text()) == ("committed", 20, TWICE)
    assert report.cause == "rollback of r2"


def test_state_and_instances_survive_a_rollback(shop: Shop) -> None:
    shop.save(cart=TWICE + "\n\nclass Basket:\n    def price(self): return total(1)\n\nbaskets = []\n")
    shop.cart.baskets.append(shop.cart.Basket())
    basket = shop.cart.baskets[0]
    shop.save(cart=THRICE + "\n\nclass Basket:\n    def price(self): return 99\n\nbaskets = []\n")
    shop.session.rollback("r1")
    assert shop.cart.baskets == [basket] and basket.price() == 2


def test_a_rollback_that_fails_leaves_file_and_process(shop: Shop) -> None:
    shop.save(cart=CART + "import builtins\nbuiltins.may_run = False\n")
    shop.save(cart=CART + "import builtins\nif builtins.may_run is None: 1 / 0\n")
    bad = "import builtins\nassert builtins.may_run\n"
    import builtins

    builtins.may_run = True  # type: ignore[attr-defined]
    shop.save(cart=CART + bad)
    shop.save(cart=TWICE)
    builtins.may_run = False  # type: ignore[attr-defined]
    report = shop.session.rollback("r3")
    assert (report.outcome, shop.cart.total(10), shop.text()) == ("rolled back", 20, TWICE)
    assert shop.files() == []


def test_an_edit_on_disk_that_was_never_taken_is_kept_aside_and_named(shop: Shop) -> None:
    shop.save(cart=TWICE)
    shop.program.write(cart="RATE = 'typing...")
    report = shop.session.rollback()
    assert shop.text() == CART
    (kept,) = shop.files()
    assert kept in " ".join(report.notes)
    assert Path(shop.program.folder, kept).read_text() == "RATE = 'typing..."


def test_a_refused_edit_of_another_file_stays_pending(shop: Shop) -> None:
    shop.save(cart=TWICE)
    shop.program.write(money="UNIT = (\n")
    assert shop.session.reload().outcome == "refused"
    assert shop.session.rollback().outcome == "committed"
    assert shop.text("money") == "UNIT = (\n"
    assert shop.session.status()["pending"] == [str(shop.program.path("money"))]


def test_a_deleted_module_comes_back_with_its_file(shop: Shop) -> None:
    shop.save(money="UNIT = 'USD'\n")
    shop.program.path("money").unlink()
    assert shop.session.reload().outcome == "committed"
    assert shop.session.rollback("r1").outcome == "committed"
    assert shop.text("money") == "UNIT = 'USD'\n"
    assert shop.program.load("money") is shop.money


def test_going_back_to_what_runs_changes_nothing(shop: Shop) -> None:
    report = shop.save(cart=TWICE)
    assert shop.session.rollback(report.id).outcome == "unchanged"
    assert [version.id for version in shop.versions()] == [version.id for version in shop.versions("cart")]


@pytest.mark.parametrize(
    "point, modules, said",
    [
        ("r99", None, "there is no report r99"),
        ("nothing", None, "'nothing' is no version"),
        ("cart@000000000000", None, "there is no version cart@000000000000"),
        (None, ["tart"], "no version of tart is stored"),
        ("r1", ["tart"], "no version of tart is stored"),
    ],
)
def test_what_there_is_not_is_an_error_that_names_what_there_is(
    shop: Shop, point: str, modules: Any, said: str
) -> None:
    shop.save(cart=TWICE)
    with pytest.raises(MidflightError, match=said):
        shop.session.rollback(point, modules)
    assert (shop.cart.total(10), shop.text()) == (20, TWICE)


def test_applied_text_has_its_reason_and_author_and_its_file(shop: Shop) -> None:
    path = shop.program.path("cart")
    report = shop.session.apply({path: TWICE}, reason="dearer", author="ann")
    assert (report.outcome, shop.text(), shop.files()) == ("committed", TWICE, [])
    newest = shop.versions("cart")[0]
    assert (newest.reason, newest.author, newest.stable) == ("dearer", "ann", False)


def test_a_file_that_no_module_runs_is_written_too(shop: Shop) -> None:
    path = shop.program.path("other")
    report = shop.session.apply({path: "X = 1\n"})
    assert (report.outcome, path.read_text()) == ("committed", "X = 1\n")
    assert shop.session.apply({path: "X = 1\n"}).outcome == "unchanged"


def test_a_folder_that_cannot_be_written_fails_the_apply_and_says_so(shop: Shop) -> None:
    blocked = shop.program.path("cart").with_name(shop.program.path("cart").name + ".midflight~")
    blocked.mkdir()
    report = shop.session.apply({shop.program.path("cart"): TWICE, shop.program.path("money"): "UNIT = 'USD'\n"})
    assert (report.outcome, [problem.code for problem in report.problems]) == ("rolled back", ["MF060"])
    assert (shop.text(), shop.text("money"), shop.cart.total(10), shop.money.UNIT) == (CART, MONEY, 10, "EUR")


# Durable, stable, and over processes


def test_a_report_is_told_to_be_durable_and_later_stable(make: Any) -> None:
    program = make(stable_window_s=0.2)
    program.session.start()
    shop = Shop(program)
    report = shop.save(cart=TWICE)
    assert program.next_event("durable").report_id == report.id
    stable = program.next_event("stable")
    assert stable.report_id == report.id
    assert stable.detail["versions"] == [shop.versions("cart")[0].id]
    assert shop.versions("cart")[0].stable
    assert shop.session.rollback().outcome == "unchanged"


def test_without_a_window_a_version_is_stable_when_it_is_reported(make: Any) -> None:
    program = make(stable_window_s=0)
    program.session.start()
    shop = Shop(program)
    shop.save(cart=TWICE)
    assert shop.versions("cart")[0].stable
    told = [program.told.get(timeout=10) for _ in range(2)]
    assert isinstance(told[0], Report) and isinstance(told[1], Event) and told[1].kind == "stable"


def test_a_version_that_was_edited_again_within_its_window_never_becomes_stable(make: Any) -> None:
    program = make(stable_window_s=0.5)
    program.session.start()
    shop = Shop(program)
    shop.save(cart=TWICE)
    second = shop.save(cart=THRICE)
    assert program.next_event("stable").report_id == second.id
    assert [version.stable for version in shop.versions("cart")] == [True, False, True]


def test_ids_history_and_versions_go_on_in_the_next_session(make: Any) -> None:
    first = make()
    first.session.start()
    shop = Shop(first)
    shop.save(cart=TWICE)
    first.session.stop()
    assert [version.stable for version in shop.versions("cart")] == [False, True]
    second = midflight.Session(paths=[first.folder], mode="manual")
    with second:
        first.write(cart=THRICE)
        report = second.reload()
        assert report.id == "r2"
        assert [one.id for one in second.history()] == ["r2", "r1"]
        assert len(second.versions()) == 3
        second.rollback("r1")
        assert shop.cart.total(10) == 20


def test_reports_on_files_of_another_folder_are_not_this_sessions_history(make: Any, tmp_path: Path) -> None:
    program = make()
    program.session.start()
    Shop(program).save(cart=TWICE)
    other = tmp_path / "elsewhere"
    other.mkdir()
    with midflight.Session(paths=[other], mode="manual") as session:
        assert session.history() == [] and session.versions() == []


def test_a_fork_leaves_the_store_to_its_parent(shop: Shop) -> None:
    shop.save(cart=TWICE)
    import os

    child = os.fork()
    if not child:
        os._exit(0 if not shop.session.running else 1)
    assert os.waitpid(child, 0)[1] == 0
    shop.save(cart=THRICE)
    assert len(shop.versions("cart")) == 3


def test_threads_that_apply_at_once_wait_for_each_other(shop: Shop) -> None:
    texts = [CART.replace("RATE = 1", f"RATE = {number}") for number in range(2, 10)]
    path = shop.program.path("cart")
    threads = [threading.Thread(target=shop.session.apply, args=({path: text},)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shop.versions("cart")) == 9
    assert shop.text() == CART.replace("RATE = 1", f"RATE = {shop.cart.RATE}")


# A clock that is set back


def clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at it shows an hour less."""
    hours = itertools.count(2_000_000_000, -3600)
    monkeypatch.setattr(time, "time", lambda: float(next(hours)))


def test_a_clock_that_is_set_back_changes_no_order(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make(stable_window_s=60)
    program.session.start()
    shop = Shop(program)
    clock_goes_back(monkeypatch)
    reports = [shop.save(cart=text) for text in (TWICE, THRICE)]
    assert reports[0].at > reports[1].at
    assert [one.id for one in shop.session.history()] == [one.id for one in reversed(reports)]
    versions = shop.versions("cart")
    assert [shop.session.rollback(one.id).outcome for one in versions] == ["unchanged", "committed", "committed"]
    assert shop.cart.RATE == 1 and [one.stable for one in shop.versions("cart")] == [True, False, False]
    assert shop.session.rollback(reports[1].id).outcome == "committed"
    assert shop.cart.RATE == 3
    assert shop.session.rollback().outcome == "committed"
    assert shop.cart.RATE == 1


def test_a_window_ends_whatever_the_clock_shows(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make(stable_window_s=0.2)
    program.session.start()
    shop = Shop(program)
    clock_goes_back(monkeypatch)
    report = shop.save(cart=TWICE)
    assert program.next_event("stable").report_id == report.id
    assert shop.versions("cart")[0].stable


def test_what_is_saved_after_the_session_was_made_durable_is_kept_too(shop: Shop) -> None:
    shop.save(cart=TWICE)
    shop.session.make_durable()
    last = shop.save(cart=THRICE)
    shop.session.stop()
    assert [one.id for one in midflight.Session(paths=[shop.program.folder]).history(1)] == [last.id]
