"""Dismiss with a reason: quiet. A new lesion on the FHIR server: it speaks again. Repeats are held back."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.demo import AS_OF, Demo, running

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo-suppressing")]

PATIENT = "lopez2017-reported"
NEW_LESION = {
    "resourceType": "Observation",
    "id": "browser-new-lesion",
    "status": "final",
    "category": [
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "exam"}]}
    ],
    "code": {"text": "Skin examination"},
    "subject": {"reference": f"Patient/{PATIENT}"},
    "effectiveDateTime": AS_OF,
    "valueString": "new stony-hard nodule on the left thigh",
}


@pytest.fixture(scope="module")
def suppressing() -> Iterator[Demo]:
    with running(CDS_SUPPRESSION="true") as demo:
        yield demo


@pytest.fixture
def hospital(browser: Browser, suppressing: Demo) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(suppressing.page)
    yield page
    context.close()
    assert problems == []


def fire(page: Page) -> None:
    page.get_by_role("button", name="Open chart: fire patient-view").click()
    expect(page.locator("#status")).to_contain_text(" card")


def test_dismissed_then_quiet_then_a_new_lesion(hospital: Page, suppressing: Demo) -> None:
    hospital.get_by_role("button", name="Case Lopez-2017, as reported, before the CT", exact=True).click()
    expect(hospital.locator("#lists .list")).to_have_count(7)
    fire(hospital)
    expect(hospital.locator(".card h3").first).to_contain_text("ossible dystrophic calcinosis")

    hospital.get_by_label("Reason to dismiss").first.select_option(
        label="Not this patient: the lesion is something else"
    )
    hospital.get_by_role("button", name="Dismiss card").first.click()
    expect(hospital.locator("#status")).to_contain_text("the service was told")

    fire(hospital)
    expect(hospital.locator("#silence")).to_be_visible()
    expect(hospital.locator(".card h3")).to_have_count(0)

    made = httpx.put(f"{suppressing.page}/fhir/Observation/{NEW_LESION['id']}", json=NEW_LESION, timeout=5)
    assert made.status_code in (200, 201), made.text
    fire(hospital)
    expect(hospital.locator(".card h3").first).to_contain_text("thigh")
