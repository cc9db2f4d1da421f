"""The chat page in a real browser: messages, the hot-reload panel, the login; light, dark and narrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .serving import QUICK, TEST_TOOL, Agent, served

pytestmark = pytest.mark.one_version

WIDE, NARROW, PHONE = (1280, 800), (760, 700), (390, 740)
ME = {"AUTH_LOGIN": "me", "AUTH_PASSWORD": "a long password"}


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Page]:
    """A page that must not log an error."""
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.on("response", lambda one: errors.append(f"{one.url} {one.status}") if one.status >= 500 else None)
    yield page
    context.close()
    assert errors == []


def say(page: Page, text: str) -> None:
    page.get_by_label("Message").fill(text)
    page.get_by_label("Message").press("Enter")


def overlap(page: Page, one: str, other: str) -> bool:
    a, b = page.locator(one).bounding_box(), page.locator(other).bounding_box()
    assert a is not None and b is not None
    apart = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
    return not (apart or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"])


def test_a_chat_goes_on_over_an_edit_and_the_panel_counts_it_at_once(agent: Agent, open_page: Page) -> None:
    page = open_page
    page.goto(str(agent.http.base_url))
    panel = page.locator("midflight-panel")
    expect(panel).to_contain_text("Active")
    expect(page.locator("#greeting")).to_contain_text("Say something")
    page.get_by_role("button", name="hot_reload_test").click()
    page.get_by_label("Message").press("Enter")
    expect(page.locator("#messages .agent")).to_contain_text("this is version 1 (call 1 in this chat)")
    expect(page.locator("#messages summary")).to_have_text("Used hot_reload_test")
    agent.sub(TEST_TOOL, "version 1", "version 2")
    expect(panel).to_contain_text("python.tools.hot_reload_test")
    expect(panel.locator("dl")).to_contain_text(re.compile(r"Reloads\s*1|1\s*Reloads"))
    say(page, "hot_reload_test")
    expect(page.locator("#messages .agent").nth(1)).to_contain_text("this is version 2 (call 2 in this chat)")
    page.reload()
    expect(page.locator("#messages .agent").nth(1)).to_contain_text("this is version 2 (call 2 in this chat)")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#messages li")).to_have_count(0)
    say(page, "hot_reload_test")
    expect(page.locator("#messages .agent")).to_contain_text("call 1 in this chat")


def test_a_broken_save_is_shown_over_the_page_and_the_old_tool_still_answers(agent: Agent, open_page: Page) -> None:
    page = open_page
    page.goto(str(agent.http.base_url))
    expect(page.locator("midflight-panel")).to_contain_text("Active")
    good = agent.read(TEST_TOOL)
    agent.sub(TEST_TOOL, "    async def execute(", "    async def execute((")
    expect(page.get_by_text("This save was not taken")).to_be_visible()
    expect(page.get_by_text(f"{TEST_TOOL}:15").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("This save was not taken")).to_be_hidden()
    say(page, "hot_reload_test")
    expect(page.locator("#messages .agent")).to_contain_text("this is version 1")
    agent.write(TEST_TOOL, good.replace("version 1", "version 2"))
    expect(page.locator("midflight-panel")).to_contain_text("Active")
    say(page, "hot_reload_test")
    expect(page.locator("#messages .agent").nth(1)).to_contain_text("this is version 2")


def test_a_new_tool_that_is_broken_is_shown_over_the_page_until_it_is_mended(agent: Agent, open_page: Page) -> None:
    page = open_page
    page.goto(str(agent.http.base_url))
    expect(page.locator("midflight-panel")).to_contain_text("Active")
    good = agent.read(TEST_TOOL)
    agent.write("python/tools/brand_new.py", good.replace("    async def execute(", "    async def execute(("))
    expect(page.get_by_text("python/tools/brand_new.py:15").first).to_be_visible()
    expect(page.locator("midflight-overlay .row-here")).to_contain_text("async def execute((")
    agent.write("python/tools/brand_new.py", good)
    expect(page.get_by_text("This save was not taken")).to_be_hidden()
    agent.until("the mended tool", lambda: "brand_new" in agent.tools())


@pytest.mark.parametrize("size", [WIDE, NARROW, PHONE], ids=["wide", "narrow", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_and_panel_are_light_or_dark_and_never_lie_over_each_other(
    agent: Agent, open_page: Page, tmp_path: Path, scheme: str, size: tuple[int, int]
) -> None:
    page = open_page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": size[0], "height": size[1]})
    agent.say("hello", context="shown")
    agent.say("code_execution_tool 6 * 7", context="shown")
    page.goto(f"{agent.http.base_url}?chat=shown")
    expect(page.locator("#messages .agent")).to_have_count(2)
    expect(page.locator("midflight-panel")).to_have_attribute("data-state", "running")
    dark = "getComputedStyle(%s).backgroundColor.match(/[\\d.]+/g).slice(0, 3).every((part) => part < 90)"
    assert page.evaluate(dark % "document.body") is (scheme == "dark")
    inner = "document.querySelector('midflight-panel').shadowRoot.querySelector('.card, .pill')"
    assert page.evaluate(dark % inner) is (scheme == "dark")
    box = page.locator("midflight-panel").bounding_box()
    assert box is not None and box["x"] + box["width"] > size[0] - 30 and box["y"] + box["height"] > size[1] - 30
    assert not overlap(page, "midflight-panel", "#composer button") and not overlap(page, "midflight-panel", "#text")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert len(page.screenshot(path=tmp_path / "page.png")) > 10_000


def test_a_long_chat_shows_its_end_above_the_composer(agent: Agent, open_page: Page) -> None:
    for number in range(12):
        agent.say(f"remember {number}", context="long")
    open_page.goto(f"{agent.http.base_url}?chat=long")
    last = open_page.locator("#messages .agent .text").last
    expect(last).to_have_text("Noted: 11")
    expect(last).to_be_in_viewport()
    assert not overlap(open_page, "#messages li:last-child .text", "#composer")
    say(open_page, "recall")
    expect(open_page.locator("#messages .agent").nth(12)).to_contain_text("12. 11")
    assert not overlap(open_page, "#messages li:last-child .text", "#composer")


def test_two_tabs_of_one_chat_show_the_same(agent: Agent, open_page: Page, browser: Browser) -> None:
    open_page.goto(f"{agent.http.base_url}?chat=ours")
    with browser.new_context() as context:
        other = context.new_page()
        other.goto(f"{agent.http.base_url}?chat=ours")
        say(other, "remember the milk")
        expect(other.locator("#messages .agent")).to_have_text(re.compile("Noted: the milk"))
    expect(open_page.locator("#messages .agent")).to_contain_text("Noted: the milk")


def test_what_is_said_is_text_and_never_markup(agent: Agent, open_page: Page) -> None:
    open_page.goto(str(agent.http.base_url))
    say(open_page, "remember <img src=x onerror='document.title=1'><b>bold</b>")
    expect(open_page.locator("#messages .agent")).to_contain_text("Noted: <img src=x")
    assert open_page.locator("#messages img, #messages b").count() == 0 and open_page.title() == "Agent"


def test_a_model_that_cannot_be_asked_is_told_in_the_chat(folder: Path, browser: Browser) -> None:
    with served(folder, CHAT_MODEL_URL="http://127.0.0.1:1/v1", **QUICK) as agent, browser.new_context() as context:
        page = context.new_page()
        page.goto(str(agent.http.base_url))
        say(page, "hello")
        expect(page.locator("#messages .trouble")).to_contain_text("could not be asked")


def test_with_a_login_the_page_asks_for_it_and_then_the_panel_works(folder: Path, browser: Browser) -> None:
    with served(folder, **QUICK, **ME) as agent, browser.new_context() as context:
        page = context.new_page()
        page.goto(str(agent.http.base_url))
        expect(page).to_have_url(re.compile("/login$"))
        page.get_by_label("Name").fill("me")
        page.get_by_label("Password").fill("a wrong password")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("this is not the name and password that .env sets")
        page.get_by_label("Password").fill(ME["AUTH_PASSWORD"])
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("midflight-panel")).to_contain_text("Active")
        agent.sub(TEST_TOOL, "version 1", "version 2")
        expect(page.locator("midflight-panel")).to_contain_text("python.tools.hot_reload_test")
        assert not any(cookie.get("httpOnly") is False for cookie in context.cookies())


def test_switched_off_the_panel_says_so_and_the_chat_works(folder: Path, open_page: Page) -> None:
    with served(folder, HOT_RELOAD_ENABLED="false") as agent:
        open_page.goto(str(agent.http.base_url))
        expect(open_page.locator("midflight-panel")).to_contain_text("Inactive")
        say(open_page, "hot_reload_test")
        expect(open_page.locator("#messages .agent")).to_contain_text("this is version 1")
        open_page.goto("about:blank")  # before the server goes
