"""The panel and the page in a real browser, beside a real program that takes real saves."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Browser, Locator, Page, expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from midflight.devtools.server import Server
from midflight.integrations import asgi, wsgi
from midflight.session import Session
from midflight.values import Report

from .browsing import WAIT_MS, Visit, launched
from .conftest import made, served
from .test_integrations import served_asgi, served_wsgi
from .test_run import SOURCE, link_of

pytestmark = [pytest.mark.one_version, pytest.mark.timeout(300)]
expect.set_options(timeout=WAIT_MS)

TOKEN = "a-token-of-these-tests"
SEARCH = '''"""Searches."""

from config import LIMIT

ASKED = {"limit": LIMIT, "queries": []}


def run(query):
    ASKED["queries"].append(query)
    return f"found {query}"
'''
RUDE = "\n\nclass Meta(type):\n    pass\n\n\nclass Box(metaclass=Meta):\n    pass\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from launched()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    with made(tmp_path / "shop") as folder:
        (folder / "config.py").write_text("LIMIT = 5\n")
        (folder / "search.py").write_text(SEARCH)
        yield folder


@pytest.fixture
def session(project: Path) -> Iterator[Session]:
    with Session(paths=[project], mode="auto", data=["*.md"]) as session:
        for name in ("cart", "config", "search"):
            importlib.import_module(name)
        sys.modules["search"].run("cats")  # its state was touched
        yield session


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """Logged in to the DevTools."""
    visit = Visit(browser, server.url)
    visit.context.request.get(server.link)
    yield visit
    visit.close()
    assert visit.troubles == []


@pytest.fixture
def site(session: Session) -> Iterator[str]:
    """The address of the program's own page, with the panel for who is logged in."""

    async def home(request: Any) -> HTMLResponse:
        return HTMLResponse(
            f"<!doctype html><meta name=viewport content='width=device-width'><h1>{sys.modules['search'].run('dogs')}</h1>"
        )

    middleware = asgi.PanelMiddleware(Starlette(routes=[Route("/", home)]), session, token=TOKEN)
    with served_asgi(middleware) as address:
        yield address
    middleware.devtools.close()


@pytest.fixture
def shop(browser: Browser, site: str) -> Iterator[Page]:
    """The program's page of a visitor who is logged in."""
    visit = Visit(browser, site)
    visit.context.request.get(f"{site}/__midflight__/?token={TOKEN}")
    yield visit.page("/")
    visit.close()
    assert [trouble for trouble in visit.troubles if "404" not in trouble] == []  # this site has no favicon


def reported(session: Session, wanted: Callable[[Report], bool]) -> Report:
    ends = time.monotonic() + WAIT_MS / 1000
    while time.monotonic() < ends:
        found = next((one for one in session.history(20) if wanted(one)), None)
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError([(one.id, one.outcome) for one in session.history(20)])


def count(panel: Locator, name: str) -> Locator:
    return panel.locator("dl > div", has_text=name).locator("dd")


# -- the panel -----------------------------------------------------------------------------------------


def test_a_save_is_seen_in_the_panel_without_a_refresh(shop: Page, project: Path) -> None:
    panel = shop.locator("midflight-panel")
    expect(panel).to_have_attribute("data-state", "running")
    shop.evaluate("window.same = true")
    (project / "search.py").write_text(SEARCH.replace("found", "searched"))
    expect(panel.locator("li")).to_have_count(1)
    expect(panel.locator("li")).to_contain_text("search")
    expect(count(panel, "Successes")).to_have_text("1")
    assert shop.evaluate("window.same") is True
    assert sys.modules["search"].run("x") == "searched x"


def test_a_broken_save_lies_over_the_page_until_it_is_mended(shop: Page, project: Path) -> None:
    overlay, panel = shop.locator("midflight-overlay"), shop.locator("midflight-panel")
    (project / "search.py").write_text(SEARCH.replace("def run(query):", "def run(query:"))
    expect(overlay.locator("h3")).to_contain_text("search.py:8")
    expect(overlay.locator(".message")).to_contain_text("SyntaxError")
    expect(overlay.locator(".row-here")).to_contain_text("def run(query:")
    expect(panel).to_have_attribute("data-state", "failing")
    shop.keyboard.press("Escape")
    expect(overlay).to_be_hidden()
    expect(panel.locator(".problem")).to_contain_text("search.py:8")
    panel.locator(".problem").click()
    expect(overlay.locator("h3")).to_contain_text("search.py:8")
    (project / "search.py").write_text(SEARCH)
    expect(overlay).to_be_hidden()
    expect(panel).to_have_attribute("data-state", "running")


def test_a_problem_that_stands_when_the_page_comes_is_shown(
    browser: Browser, site: str, session: Session, project: Path
) -> None:
    (project / "cart.py").write_text("RATE = 1 / 0\n")
    reported(session, lambda one: one.outcome == "rolled back")
    visit = Visit(browser, site)
    visit.context.request.get(f"{site}/__midflight__/?token={TOKEN}")
    overlay = visit.page("/").locator("midflight-overlay")
    expect(overlay.locator("h3")).to_contain_text("cart.py:1")
    expect(overlay.locator(".message")).to_contain_text("ZeroDivisionError")
    visit.close()


def test_the_reload_button_takes_what_waits(shop: Page, session: Session, project: Path) -> None:
    panel = shop.locator("midflight-panel")
    panel.locator(".pause").click()
    expect(panel).to_have_attribute("data-state", "paused")
    (project / "cart.py").write_text("RATE = 11\n")
    panel.locator(".reload").click()
    expect(panel.locator("li").first).to_contain_text("cart")
    assert sys.modules["cart"].RATE == 11
    panel.locator(".pause").click()
    expect(panel).to_have_attribute("data-state", "running")


def test_the_panel_is_worked_by_keys_and_told_to_screen_readers(shop: Page, project: Path) -> None:
    panel = shop.locator("midflight-panel")
    expect(panel).to_have_attribute("aria-label", "midflight: hot reload")
    panel.get_by_role("button", name="Collapse the panel").focus()
    shop.keyboard.press("Enter")
    pill = panel.locator(".pill")
    expect(pill).to_have_attribute("aria-expanded", "false")
    expect(pill).to_be_focused()
    shop.keyboard.press("Enter")
    expect(panel.get_by_role("button", name="Collapse the panel")).to_be_focused()
    shop.keyboard.press("Escape")
    expect(pill).to_be_focused()
    (project / "cart.py").write_text("RATE = 12\n")
    expect(panel.get_by_role("status")).to_have_text("cart: committed")
    expect(pill).to_have_attribute("aria-label", re.compile("cart committed"))
    shop.reload()
    expect(pill).to_be_visible()  # it is remembered


def test_a_click_is_not_lost_while_reports_come_fast(shop: Page, session: Session, project: Path) -> None:
    panel = shop.locator("midflight-panel")
    expect(panel).to_have_attribute("data-state", "running")
    shop.evaluate("window.button = document.querySelector('midflight-panel').shadowRoot.querySelector('.pause')")
    for number in range(50, 90):
        (project / "cart.py").write_text(f"RATE = {number}\n")
        reported(session, lambda one, number=number: number == sys.modules["cart"].RATE)  # type: ignore[misc]
    expect(panel.locator("li")).to_have_count(5)
    assert shop.evaluate("window.button.isConnected")
    panel.locator(".pause").click()
    expect(panel).to_have_attribute("data-state", "paused")


def test_on_a_phone_it_begins_as_a_dot_at_the_edge(browser: Browser, site: str) -> None:
    visit = Visit(browser, site, viewport={"width": 390, "height": 780}, is_mobile=True)
    visit.context.request.get(f"{site}/__midflight__/?token={TOKEN}")
    page = visit.page("/")
    expect(page.locator("midflight-panel")).to_have_attribute("data-state", "running")
    box = page.locator("midflight-panel .pill").bounding_box()
    assert box is not None and box["width"] < 60 and box["height"] < 60
    page.locator("midflight-panel .pill").click()
    card = page.locator("midflight-panel .card").bounding_box()
    assert card is not None and card["x"] >= 0 and card["x"] + card["width"] <= 390
    visit.close()


def test_who_is_not_logged_in_sees_the_page_alone(browser: Browser, site: str) -> None:
    visit = Visit(browser, site)
    page = visit.page("/")
    expect(page.locator("h1")).to_be_visible()
    assert page.locator("midflight-panel").count() == 0
    visit.close()


def test_without_a_websocket_it_asks(browser: Browser, session: Session, project: Path) -> None:
    def program(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"<!doctype html><h1>hello</h1>"]

    middleware = wsgi.PanelMiddleware(program, session, token=TOKEN)
    with served_wsgi(middleware) as address:
        visit = Visit(browser, address)
        visit.context.request.get(f"{address}/__midflight__/?token={TOKEN}")
        panel = visit.page("/").locator("midflight-panel")
        expect(panel).to_have_attribute("data-state", "running")
        (project / "cart.py").write_text("RATE = 13\n")
        expect(panel.locator("li").first).to_contain_text("cart")
        expect(count(panel, "Reloads")).to_have_text("1")
        visit.close()
    middleware.devtools.close()


# -- the page ------------------------------------------------------------------------------------------


def test_the_login_says_what_is_wrong_and_lets_in(browser: Browser, server: Server) -> None:
    visit = Visit(browser, server.url)
    page = visit.page("/")
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("output")).to_contain_text("this is not the token")
    page.get_by_label("Token").fill(server.app.access.token)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Nothing was reloaded yet")).to_be_visible()
    (cookie,) = visit.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert server.app.access.token not in page.url and page.evaluate("document.cookie") == ""
    visit.close()


def test_the_timeline_shows_a_save_with_its_diff_and_what_it_did(visit: Visit, project: Path) -> None:
    page = visit.page("/")
    (project / "config.py").write_text("LIMIT = 50\n")
    row = page.locator(".timeline li", has_text="config")
    expect(row).to_be_visible()
    detail = page.locator(".detail")
    expect(detail.locator(".row-removed mark")).to_have_text("5")
    expect(detail.locator(".row-added mark")).to_have_text("50")
    module = detail.locator("details", has_text="search.py")
    expect(module.locator(".kind-kept")).to_be_visible()
    expect(detail.locator(".notes")).to_contain_text("State is not made again")
    expect(detail.locator(".legend")).to_contain_text("preflight")
    (project / "cart.py").write_text("RATE = 14\n")
    expect(page.locator(".timeline li").first).to_contain_text("cart")
    row.locator("a").click()
    expect(detail.locator("h1")).to_contain_text("Committed", ignore_case=True)
    expect(detail).to_contain_text("config.py")


def test_a_rude_edit_is_explained(visit: Visit, project: Path) -> None:
    (project / "cart.py").write_text("class Cart:\n    pass\n\n\nCARTS = [Cart()]\n")
    page = visit.page("/")
    expect(page.locator(".timeline li", has_text="cart")).to_have_count(1)
    (project / "cart.py").write_text("class Cart:\n    __slots__ = ('a',)\n\n\nCARTS = [Cart()]\n")
    overlay = page.locator("midflight-overlay")
    expect(overlay).to_contain_text("A rude edit")
    expect(overlay.locator(".chip")).to_have_text("MF012")
    page.keyboard.press("Escape")
    problem = page.locator(".detail .problem")
    expect(problem).to_contain_text("A rude edit")
    expect(problem).to_contain_text("What to do")
    page.locator(".alarm").click()
    expect(overlay.locator(".chip")).to_be_visible()


def test_one_click_goes_back_to_a_version_after_the_plan_was_shown(
    visit: Visit, session: Session, project: Path
) -> None:
    for rate in (20, 21):
        (project / "cart.py").write_text(f"RATE = {rate}\n\n\ndef total(net):\n    return net * RATE\n")
        reported(session, lambda one, rate=rate: rate == sys.modules["cart"].RATE and one.ok)  # type: ignore[misc]
    page = visit.page("/#/versions")
    rows = page.locator(".versions-list li")
    expect(rows).to_have_count(3)
    rows.nth(1).get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".plan li").first).to_contain_text("cart.RATE")
    assert sys.modules["cart"].RATE == 21
    dialog.get_by_role("button", name="Go back").click()
    expect(page.locator(".detail h1")).to_contain_text("Committed", ignore_case=True)
    assert sys.modules["cart"].RATE == 20
    assert (project / "cart.py").read_text().startswith("RATE = 20")
    expect(page.locator(".detail")).to_contain_text("rollback of")


def test_a_rollback_can_be_left(visit: Visit, session: Session, project: Path) -> None:
    (project / "cart.py").write_text("RATE = 30\n")
    report = reported(session, lambda one: one.ok and "cart" in one.modules)
    page = visit.page(f"/#/timeline/{report.id}")
    page.locator(".go-back").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert sys.modules["cart"].RATE == 30


def test_the_graph_lights_what_an_edit_would_touch(visit: Visit) -> None:
    page = visit.page("/#/graph")
    expect(page.locator(".graph-facts")).to_contain_text("3 modules")
    page.get_by_label("Find a module").fill("config")
    page.keyboard.press("Enter")
    expect(page.locator(".touch")).to_have_text("An edit here may touch 1 module.")
    lit = "window.devtools.places.graph.cy.nodes().filter(n => !n.hasClass('faded')).map(n => [n.id(), n.classes().join(' ')])"
    assert {name: classes.split()[-1] for name, classes in page.evaluate(lit)} == {"config": "chosen", "search": "near"}
    page.get_by_role("button", name="What would a reload do?").click()
    expect(page.get_by_role("dialog")).to_contain_text("the file is what runs")


def test_a_graph_of_two_thousand_modules_is_shown_by_package_and_opened(
    browser: Browser, project: Path, session: Session, server: Server
) -> None:
    for package in range(20):
        for inner in range(10):
            folder = project / f"big{package}" / f"part{inner}"
            folder.mkdir(parents=True)
            (folder / "__init__.py").write_text("")
            for module in range(9):
                needs = f"import big{package - 1}.part{inner}.m{module}\n" if package else ""
                (folder / f"m{module}.py").write_text(needs + (f"from . import m{module - 1}\n" if module else ""))
        (project / f"big{package}" / "__init__.py").write_text("")
    importlib.invalidate_caches()
    for inner in range(10):
        for module in range(9):
            importlib.import_module(f"big19.part{inner}.m{module}")
    visit = Visit(browser, server.url)
    visit.context.request.get(server.link)
    page = visit.page("/#/graph")
    expect(page.locator(".graph-facts")).to_contain_text(re.compile(r"2[0-9]{3} modules, \d{2} nodes"))
    graph = "window.devtools.places.graph"
    page.get_by_role("button", name="All modules").click()
    expect(page.locator(".graph-facts")).to_contain_text(re.compile(r"2[0-9]{3} nodes"))
    page.get_by_role("button", name="Packages").click()
    expect(page.locator(".graph-facts")).to_contain_text(re.compile(r" 2\d nodes"))
    page.get_by_label("Find a module").fill("big3.part4.m5")
    page.keyboard.press("Enter")
    expect(page.locator(".graph-facts")).to_contain_text("around big3.part4.m5")
    # m5 to m8 of the same part import one another, and each is imported by its twin in the next of 20 packages.
    expect(page.locator(".touch")).to_have_text("An edit here may touch 67 modules.")
    classes = f"name => {graph}.cy.getElementById(name).classes().join(' ')"
    assert "chosen" in page.evaluate(classes, "big3.part4.m5")
    assert "near" in page.evaluate(classes, "big3.part4.m6") and "near" in page.evaluate(classes, "big4.part4.m5")
    assert "far" in page.evaluate(classes, "big19.part4.m8")
    page.get_by_role("button", name="The whole graph").click()
    expect(page.locator(".graph-facts")).to_contain_text(re.compile(r" 2\d nodes"))
    visit.close()
    assert visit.troubles == []


def test_a_prompt_that_changed_is_told_and_shown(visit: Visit, session: Session, project: Path) -> None:
    told: list[str] = []
    session.subscribe(lambda change: told.append(change.path), data="*.md")
    page = visit.page("/")
    expect(page.locator(".state")).to_contain_text("Active")
    (project / "system.md").write_text("Be kind.\n")
    row = page.locator(".timeline li", has_text="system.md")
    expect(row).to_contain_text("1 told")
    assert told == [str(project / "system.md")]
    later = visit.page("/")
    expect(later.locator(".timeline li", has_text="system.md")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 390])
def test_every_place_works_in_light_in_dark_and_on_a_phone(
    browser: Browser, server: Server, session: Session, project: Path, scheme: Any, width: int
) -> None:
    for number in (40, 41, 42):
        (project / "cart.py").write_text(f"RATE = {number}\n")
        reported(session, lambda one, number=number: one.ok and number == sys.modules["cart"].RATE)  # type: ignore[misc]
    visit = Visit(browser, server.url, color_scheme=scheme, viewport={"width": width, "height": 800})
    visit.context.request.get(server.link)
    page = visit.page("/")
    for place, wanted in (
        ("timeline", ".timeline li >> nth=2"), ("graph", ".canvas canvas >> nth=0"), ("versions", ".versions-list li >> nth=3"),
        ("speed", ".chart .uplot >> nth=1"), ("tests", "text=Tests are off"), ("settings", "text=check_deadline_s"),
    ):  # fmt: skip
        page.locator(f"nav a[data-place={place}]").click()
        expect(page.locator(wanted)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{place} is wider than the window"
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", dark)[:3])) < 200) == (scheme == "dark")
    visit.close()
    assert visit.troubles == []


def test_a_page_says_that_its_program_is_gone(browser: Browser, session: Session, project: Path) -> None:
    with served(session) as first:
        visit = Visit(browser, first.url)
        visit.context.request.get(first.link)
        page = visit.page("/")
        expect(page.locator(".state")).to_contain_text("Active")
        expect(page.get_by_role("button", name="Reload")).to_be_enabled()
    expect(page.locator(".state")).to_contain_text("No connection")
    expect(page.get_by_role("button", name="Reload")).to_be_disabled()
    visit.close()


def test_an_open_page_goes_on_by_itself_when_its_program_restarts(
    browser: Browser, project: Path, started: list[subprocess.Popen[str]]
) -> None:
    (project / "app.py").write_text("import sys\nimport search\nsys.stdin.read()\n")
    (project / "search.py").write_text(SEARCH + "\n\nclass Box:\n    pass\n")
    command = [sys.executable, "-m", "midflight", "run", "--devtools=127.0.0.1:0", "--on-rude", "restart", "app.py"]
    env = {**os.environ, "PYTHONPATH": SOURCE, "XDG_RUNTIME_DIR": str(project), "TMPDIR": str(project)}
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    started.append(subprocess.Popen(command, cwd=project, env=env, text=True, **pipes))  # type: ignore[call-overload]
    link = link_of(started[0])
    visit = Visit(browser, link.partition("/?")[0])
    visit.context.request.get(link)
    page = visit.page("/")
    expect(page.locator(".state")).to_contain_text("Active")
    first = page.evaluate("devtools.line.session")
    (project / "search.py").write_text(SEARCH + RUDE)
    ends = time.monotonic() + WAIT_MS / 1000  # the page's policy lets no function be waited for
    while page.evaluate("devtools.line.session") == first and time.monotonic() < ends:
        page.wait_for_timeout(50)
    expect(page.locator(".state")).to_contain_text("Active")
    (project / "search.py").write_text(SEARCH.replace("found", "saw") + RUDE)
    expect(page.locator(".row", has_text="grafted run")).to_have_count(1)
    visit.close()
