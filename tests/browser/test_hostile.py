"""The hostile corpus in a real browser, in the companion and on the card's page: nothing runs, no link is new."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_companion import answer, axe
from tests.demo import Demo
from tests.hostile import BATCHES, resources

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.xdist_group("demo")]

_OURS = re.compile(r"^(?:http://127\.0\.0\.1:\d+/|#|/companion/)")


def listened(page: Page) -> list[str]:
    """Dialogues, console errors (a broken content policy is one), uncaught errors, and requests to anywhere else."""
    found: list[str] = []

    def dialogue(opened: object) -> None:
        found.append("a dialogue opened")
        opened.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", dialogue)
    page.on("console", lambda m: found.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith("http://127.0.0.1:") else found.append(r.url))
    return found


def links(page: Page) -> set[str]:
    return {a.get_attribute("href") or "" for a in page.locator("main a[href]").all()}


@pytest.mark.parametrize("number", range(len(BATCHES)))
def test_nothing_runs(browser: Browser, demo: Demo, number: int) -> None:
    patient = f"hostile-{number}"
    for resource in resources(BATCHES[number], patient):
        answered = httpx.put(f"{demo.page}/fhir/{resource['resourceType']}/{resource['id']}", json=resource, timeout=10)
        assert answered.status_code in (200, 201)
    made = httpx.post(f"{demo.page}/sandbox/launch?patient={patient}", timeout=10).json()["launch"]
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    problems = listened(page)
    page.goto(f"{demo.service}/companion/launch?iss={demo.page}/fhir&launch={made}")
    expect(page.locator(".verdict")).to_have_attribute("data-grade", "probable")
    answer(page, "Is it growing?", "No")
    page.get_by_label("Your question, in English or Spanish").fill(BATCHES[number][0])
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#replies .reply h3")).to_have_text(BATCHES[number][0].strip())
    assert all(_OURS.match(href) for href in links(page)), links(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    axe(page)
    page.goto(demo.page)
    page.get_by_role("button", name=f"Case {BATCHES[number][0]}").first.click()
    page.get_by_role("button", name="Open chart: fire patient-view").click()
    expect(page.locator("#status")).to_contain_text(" card")
    expect(page.locator(".card h3").first).to_contain_text("ossible dystrophic calcinosis")
    assert all(_OURS.match(href) for href in links(page)), links(page)
    context.close()
    assert problems == []
