"""The companion in a real browser, against the sandbox's authorization server and FHIR server: from a card to a changed
verdict, into the chart and back."""

from __future__ import annotations

import os
import re
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_ehr_page import choose, fire
from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

INDURATED = "Case Thakur-4, with synthetic laboratory values"
CLEAN = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def launched(page: Page) -> Page:
    """The companion in the window that the card's link opens."""
    with page.context.expect_page() as opened:
        page.get_by_role("button", name=re.compile("companion", re.IGNORECASE)).first.click()
    app = opened.value
    app.set_default_timeout(30_000)
    expect(app.locator(".verdict")).to_be_visible()
    return app


def grade(app: Page) -> str:
    return app.locator(".verdict").get_attribute("data-grade") or ""


def answer(app: Page, question: str, label: str) -> None:
    """Answers a question by its quick reply, whether it is the next one or among the others."""
    group = app.get_by_role("group", name=question, exact=True)
    if not group.is_visible():
        app.get_by_text("Another question", exact=True).click()
    group.get_by_role("button", name=label, exact=True).click()
    expect(app.locator("#status")).to_contain_text("Grade:")


def axe(app: Page) -> None:
    found = Axe().run(app, options=CLEAN)
    assert found.violations_count == 0, found.generate_report()


def shot(app: Page, name: str) -> None:
    folder = os.environ.get("CDS_SCREENSHOTS")
    if folder:
        app.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_from_a_card_to_a_changed_verdict_into_the_chart_and_back(page: Page, demo: Demo) -> None:
    choose(page, INDURATED)
    fire(page)
    before = page.locator(".card h3").first.inner_text()
    app = launched(page)
    problems: list[str] = []
    app.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
    expect(app.locator(".banner")).to_contain_text("Thakur-4")
    assert grade(app) == "possible"
    axe(app)

    answer(app, "How does the lesion feel?", "Hard")
    assert grade(app) == "probable"
    expect(app.locator("#question")).to_be_focused()
    expect(app.locator(".changed")).to_contain_text("Grade possible → probable. Why:")
    expect(app.locator(".criteria")).to_contain_text("stated here, not saved")
    assert (
        httpx.get(f"{demo.page}/fhir/Observation?patient=thakur-4-labs&category=exam", timeout=5).json()["total"] == 2
    )

    app.get_by_label("Your question, in English or Spanish").fill("How common is calcinosis in dermatomyositis?")
    app.get_by_role("button", name="Ask", exact=True).click()
    expect(app.locator(".reply .literature a").first).to_have_attribute("href", re.compile("/evidence/"))
    shot(app, "companion-1280")
    axe(app)

    app.get_by_label(re.compile("I state this examination finding")).check()
    app.get_by_role("button", name="Save in the chart").click()
    expect(app.locator("#saved")).to_contain_text("1 finding saved")
    assert grade(app) == "probable", "the chart says it now"
    expect(app.locator(".criteria")).not_to_contain_text("stated here, not saved")
    assert problems == []

    fire(page)
    after = page.locator(".card h3").first.inner_text()
    assert after != before, "the card knows"
    assert "hard" in after

    other = "Case Thakur-5, with synthetic laboratory values"
    choose(page, other)
    fire(page)
    launched(page)
    app.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(app.locator(".blank")).to_contain_text("another patient was opened")
    assert "Thakur-4" not in app.content(), "nothing of the first patient is left"


@pytest.mark.long
def test_the_body_figure_by_keyboard_alone(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.service}/companion")
    for question, label in (
        ("Which connective tissue disease is diagnosed?", "Systemic lupus erythematosus"),
        ("What is felt or seen in the skin?", "A nodule"),
    ):
        answer(page, question, label)
    page.get_by_text("Another question", exact=True).click()
    axe(page)
    hand = page.get_by_role("checkbox", name="left hand")
    hand.focus()
    page.keyboard.press("Space")
    expect(hand).to_be_checked()
    page.get_by_role("checkbox", name="right elbow").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chosen")).to_have_text("right elbow, left hand")
    shot(page, "companion-figure")
    page.locator("[data-kind=sites]").get_by_role("button", name="Answer", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".given")).to_contain_text("right elbow, left hand")


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_readable_in_a_narrow_panel(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    choose(page, "Case Sousa-2021, with synthetic laboratory values, the X-ray and the biopsy")
    fire(page)
    app = launched(page)
    app.emulate_media(color_scheme=scheme)
    app.set_viewport_size({"width": 360, "height": 800})
    assert app.evaluate("document.documentElement.scrollWidth") <= 360, "no sideways scrolling"
    expect(app.locator(".plot")).to_have_js_property("complete", value=True)
    assert app.evaluate("document.querySelector('.plot').naturalWidth") > 0
    axe(app)
    shot(app, f"companion-360-{scheme}")


@pytest.mark.long
def test_in_a_frame_with_third_party_cookies_blocked(browser: Browser, demo: Demo) -> None:
    """The record system embeds the page: another site (localhost against 127.0.0.1) with third-party cookies off."""
    context = browser.new_context()
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.setCookieControls",
        {
            "enableThirdPartyCookieRestriction": True,
            "disableThirdPartyCookieMetadata": True,
            "disableThirdPartyCookieHeuristics": True,
        },
    )
    made = httpx.post(f"{demo.page}/sandbox/launch?patient=thakur-1-labs", timeout=5).json()["launch"]
    target = f"{demo.service}/companion/launch?iss={demo.page}/fhir&launch={made}"
    page.goto(demo.page.replace("127.0.0.1", "localhost"))
    page.evaluate(
        "url => { const f = document.createElement('iframe'); f.src = url; document.body.replaceChildren(f); }",
        target,
    )
    expect(page.frame_locator("iframe").locator(".banner")).to_contain_text("Thakur-1", timeout=15_000)
    context.close()
