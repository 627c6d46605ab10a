"""The reference EHR page in a real browser, against the real service and the real FHIR sandbox."""

from __future__ import annotations

import os
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
LOPEZ = "Case Lopez-2017, as reported, before the CT"


def choose(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.locator("#lists .list")).to_have_count(7)


def fire(page: Page) -> None:
    page.get_by_role("button", name="Open chart: fire patient-view").click()
    expect(page.locator("#status")).to_contain_text(" card")


def fhir(demo: Demo, query: str) -> dict:
    return httpx.get(f"{demo.page}/fhir/{query}", timeout=5).json()


def shot(page: Page, name: str) -> None:
    """A picture for the documentation, only when asked for (`make screenshots`)."""
    folder = os.environ.get("CDS_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=False)


def test_pick_fire_accept_fire_again_dismiss(page: Page, demo: Demo) -> None:
    choose(page, LOPEZ)
    fire(page)
    card = page.locator(".card").first
    expect(card.locator("h3")).to_contain_text("ossible dystrophic calcinosis")
    expect(card.locator(".tag")).to_have_text(re.compile("Information|Warning"))
    offers = card.locator(".offers > li")
    before = offers.locator("strong").all_inner_texts()
    assert len(before) >= 1
    shot(page, "ehr-page")

    order = offers.filter(has_text="Draft: ").first
    accepted = order.locator("strong").inner_text()
    order.get_by_role("button").click()
    expect(card.locator(".done")).to_contain_text("Draft created: ServiceRequest/")
    created = card.locator(".done").inner_text().rpartition("/")[2]
    stored = fhir(demo, f"ServiceRequest/{created}")
    assert stored["status"] == "draft"
    assert stored["subject"]["reference"] == "Patient/lopez2017-reported"
    expect(page.locator("[data-type=ServiceRequest] li")).to_have_count(1)

    fire(page)
    after = page.locator(".card").first.locator(".offers strong").all_inner_texts()
    assert accepted not in after
    rest = [label for label in before if label != accepted]
    assert after[: len(rest)] == rest, "the next one moves up"

    page.get_by_label("Reason to dismiss").first.select_option(index=1)
    page.get_by_label("Comment (optional)").first.fill("already seen by dermatology")
    page.get_by_role("button", name="Dismiss card").first.click()
    expect(page.locator(".card.closed .tag").first).to_have_text("Dismissed")
    expect(page.locator("#status")).to_contain_text("the service was told")


def test_without_prefetch_the_service_reads_the_fhir_server(page: Page) -> None:
    choose(page, "Case Thakur-2, as reported, before the X-ray")
    fire(page)
    with_prefetch = page.locator(".card h3").all_inner_texts()
    page.get_by_label("Send prefetch with the call").uncheck()
    fire(page)
    expect(page.locator("#status")).to_contain_text("from the FHIR server")
    assert page.locator(".card h3").all_inner_texts() == with_prefetch


def test_silence_is_explained_and_not_reassurance(page: Page) -> None:
    page.get_by_label("Find a patient").fill("female")
    page.locator("button.person").first.click()
    fire(page)
    silence = page.locator("#silence")
    expect(silence).to_contain_text("Silence is not reassurance")
    assert silence.locator("li").count() >= 1, "the reason from /assessments is shown"
    expect(page.locator("#why")).to_be_visible()
    shot(page, "silence")


def test_keyboard_alone_is_enough(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the patient")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Find a patient")).to_be_focused()
    page.keyboard.type("thakur-3")
    expect(page.locator("#found")).to_contain_text("3 of")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#name")).to_contain_text("Thakur-3")
    expect(page.locator("#patient")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Send prefetch with the call")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text(" card")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_readable_at_both_widths(page: Page, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    choose(page, "Case Sousa-2021, with synthetic laboratory values, the X-ray and the biopsy")
    fire(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scrolling"
    low = page.evaluate(CONTRAST)
    assert low == [], low
    page.locator("#cards").scroll_into_view_if_needed()
    shot(page, f"cards-{width}-{scheme}")
