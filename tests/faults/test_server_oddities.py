"""Every oddity of real EHR servers that we know of, by name: what a server does, asked through the real client,
and what must come of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.outbound import OutboundClient, Policy
from cds_service.gather import gather
from hooks.wire import HookRequest
from mappings.raw import RawChart
from tests.faults.chart import CALCIUM, CHART, PATIENT, lab
from tests.faults.vendors import Epic, Hapi, Meditech, Oracle, Refusal, Resource, SystemBlind, Vendor, issue, outcome
from tests.spec.harness import reader

BASE = "http://ehr.example.org"


def talk(vendor: Vendor, times: int = 1) -> RawChart:
    async def go() -> RawChart:
        async with OutboundClient(
            transport=httpx.ASGITransport(app=vendor), headers={"Accept": "application/fhir+json"}
        ) as http:
            client = FhirClient(http, Policy((BASE,)), BASE)
            request = HookRequest("patient-view", "i", "p", None, None, {}, fhir_server=BASE)
            for _ in range(times):
                chart = await gather(request, client=client, deadline=Deadline.after(4000))
            return chart

    return asyncio.run(go())


def state(chart: RawChart, need: str = "observations") -> tuple[str, str | None]:
    found = chart.completeness[need]  # type: ignore[index]
    return found.state, found.reason


def values(chart: RawChart) -> list[str]:
    return sorted(str(r.low) for r in reader().read(chart).results)


class Saying(Hapi):
    """Adds an issue to every answer."""

    code = ""
    severity = "warning"

    def warnings(self, kind: str, found: list[Resource], parameters: Any) -> Any:
        yield issue(self.severity, "processing", self.code)


def saying(code: str, severity: str = "warning", resources: list[Resource] = CHART) -> Vendor:
    vendor = Saying(resources)
    vendor.code, vendor.severity = code, severity
    return vendor


class Refusing(Hapi):
    """Refuses every search of one type."""

    kind, refusal = "Observation", Refusal(500, "exception")

    def check(self, kind: str, parameters: Any) -> None:
        if kind == self.kind:
            raise self.refusal


def refusing(status: int, code: str = "exception", *, plain: str | None = None) -> Vendor:
    vendor = Refusing(CHART)
    vendor.refusal = Refusal(status, code, plain or "", plain=plain is not None)
    return vendor


class Deaf(Hapi):
    """Ignores every parameter, silently."""

    def search(self, base: str, kind: str, parameters: Any) -> Resource:
        return super().search(base, kind, [("patient", "p")])

    def _of(self, resource: Resource, patient: str | None) -> bool:
        return True


def _epic_needs_a_category() -> None:
    vendor = Epic(CHART)
    chart = talk(vendor)
    assert (state(chart), values(chart)) == (("complete", None), ["9.4"])
    assert any("category=laboratory" in query for _, _, query in vendor.asked)


def _epic_code_of_the_issue_not_its_text() -> None:
    class German(Epic):
        def check(self, kind: str, parameters: Any) -> None:
            if kind == "Observation" and not any(name in ("category", "code") for name, _ in parameters):
                raise Refusal(400, "required", "Kategorie oder Code fehlt.")

    assert values(talk(German(CHART))) == ["9.4"]


def _epic_conditions_need_none() -> None:
    vendor = Epic(CHART)
    assert state(talk(vendor), "conditions") == ("complete", None)
    assert [q for _, p, q in vendor.asked if p == "/Condition" and "session=" not in q] == ["patient=p&_count=200"]


def _informational(code: str) -> Callable[[], None]:
    def check() -> None:
        chart = talk(saying(code))
        assert (state(chart), values(chart)) == (("complete", None), ["9.4"])

    return check


def _nothing_found_is_complete() -> None:
    chart = talk(saying("4101", resources=[PATIENT]))
    assert (state(chart), chart.completeness["conditions"].state) == (("complete", None), "complete")


def _partial(code: str, reason: str) -> Callable[[], None]:
    def check() -> None:
        assert state(talk(saying(code))) == ("partial", reason)

    return check


def _merged_patient() -> None:
    moved = [r | ({"id": "new"} if r is PATIENT else {"subject": {"reference": "Patient/new"}}) for r in CHART]
    chart = talk(Epic(moved, merged={"p": "new"}))
    assert (chart.aliases, values(chart), reader().read(chart).sex) == ({"new"}, ["9.4"], "female")


def _expired_session() -> None:
    many = [PATIENT, *(lab(f"o{n}", 9 + n / 100) for n in range(9))]
    chart = talk(Hapi(many, page_size=3, lose_sessions=1))
    assert (state(chart), len(values(chart))) == (("complete", None), 9)


def _expired_in_a_warning_of_200() -> None:
    class Told(Hapi):
        def next_page(self, base: str, kind: str, session: str) -> Resource:
            if not session.endswith("-0") and self.lose_sessions:
                self.lose_sessions -= 1
                return outcome(issue("fatal", "processing", "4113"))
            return super().next_page(base, kind, session)

    many = [PATIENT, *(lab(f"o{n}", 9 + n / 100) for n in range(9))]
    chart = talk(Told(many, page_size=3, lose_sessions=1))
    assert (state(chart), len(values(chart))) == (("complete", None), 9)


def _empty_pages() -> None:
    many = [PATIENT, *(lab(f"o{n}", 9 + n / 100) for n in range(7))]
    assert len(values(talk(Epic(many, page_size=3)))) == 7


def _outcome_entry_in_an_empty_bundle() -> None:
    chart = talk(Epic([PATIENT]))
    assert {c.state for c in chart.completeness.values()} == {"complete"}
    assert [r["resourceType"] for r in chart.resources] == ["Patient"]


def _first_page_ignores_count() -> None:
    many = [PATIENT, *(lab(f"o{n}", 9 + n / 100) for n in range(12))]

    class Long(Oracle):
        def next_page(self, base: str, kind: str, session: str) -> Resource:
            self.page_size = 8 if session.endswith("-0") else 2
            return super().next_page(base, kind, session)

    assert len(values(talk(Long(many)))) == 12


def _order_is_not_relied_on() -> None:
    days = [lab(f"o{n}", 9 + n / 100, effectiveDateTime=f"2026-05-{n + 1:02}") for n in range(5)]
    assert values(talk(Hapi([PATIENT, *days]))) == values(talk(Hapi([PATIENT, *reversed(days)])))


def _answers_from_memory() -> None:
    vendor = Hapi(list(CHART))
    assert values(talk(vendor)) == ["9.4"]
    vendor.resources.append(lab("o-new", 10.1))
    assert values(talk(vendor)) == ["10.1", "9.4"]


def _no_dates_in_searches() -> None:
    vendor = Oracle(CHART)
    talk(vendor)
    assert not any("date=" in q.replace("_sort=-date", "") or "_lastUpdated" in q for _, _, q in vendor.asked)


def _code_search_misses_components() -> None:
    part = {"code": CALCIUM, "valueQuantity": {"value": 9.4, "unit": "mg/dL"}}
    panel = lab("panel", code={"text": "Bone profile"}, component=[part])
    del panel["valueQuantity"]
    assert values(talk(Epic([PATIENT, panel]))) == ["9.4"]


def _entered_in_error_rows() -> None:
    facts = reader().read(talk(Oracle(CHART)))
    assert [str(r.low) for r in facts.results] == ["9.4"]
    assert ("Observation/in-error", "status entered-in-error") in {(q.reference, q.reason) for q in facts.quarantined}


def _whole_search_is_a_500() -> None:
    chart = talk(refusing(500))
    assert (state(chart), state(chart, "conditions")) == (("unavailable", "500"), ("complete", None))


def _plain_text_errors() -> None:
    assert state(talk(refusing(400, plain="Bad request, sorry"))) == ("unavailable", "400")


def _tenant_not_allowed() -> None:
    assert state(talk(refusing(403, plain="Tenant is not allowed"))) == ("unavailable", "403")


def _json_is_asked_for() -> None:
    assert state(talk(Oracle(CHART))) == ("complete", None)  # it answers 406 to anything else


def _no_post_in_normal_life() -> None:
    vendor = Oracle(CHART)
    talk(vendor)
    assert {method for method, _, _ in vendor.asked} == {"GET"}


def _count_over_the_maximum() -> None:
    class Strict(Hapi):
        max_count = 100

    assert {c.state for c in talk(Strict(CHART)).completeness.values()} == {"complete"}


def _parameters_ignored_silently() -> None:
    stranger = lab("theirs", 12.9, subject={"reference": "Patient/q"})
    chart = talk(Deaf([*CHART, stranger]))
    assert values(chart) == ["9.4"]
    assert "belongs to another patient" in {q.reason for q in reader().read(chart).quarantined}


def _system_blind() -> None:
    chart = talk(SystemBlind(CHART))
    assert (state(chart), values(chart)) == (("complete", None), ["9.4"])


def _code_search_refused() -> None:
    chart = talk(Meditech(CHART))
    assert (state(chart), values(chart)) == (("complete", None), ["9.4"])


def _refusal_in_an_empty_searchset() -> None:
    """An error and not one resource is no answer; beside resources it makes them incomplete."""
    severe = saying("1", severity="error", resources=[PATIENT])
    assert state(talk(severe), "conditions") == ("unavailable", "processing")
    assert state(talk(saying("1", severity="error")), "conditions") == ("partial", "processing")


SERVERS: dict[str, Callable[[], None]] = {
    "Epic: Observation without category or code is a 400 with issue code required": _epic_needs_a_category,
    "Epic: the issue code decides, not the text beside it": _epic_code_of_the_issue_not_its_text,
    "Epic: Condition takes a plain patient search": _epic_conditions_need_none,
    "Epic 4101: no results, a warning inside the searchset": _nothing_found_is_complete,
    "Epic 4107: a merged patient answers with a redirect": _merged_patient,
    "Epic 4113: the paging session expired, as a status": _expired_session,
    "Epic 4113: the paging session expired, as an OperationOutcome": _expired_in_a_warning_of_200,
    "Epic 4119: additional data may exist, on nearly every reply": _informational("4119"),
    "Epic 4122: an unknown parameter was ignored": _informational("4122"),
    "Epic 59100: an unknown parameter was ignored": _informational("59100"),
    "Epic 59109: a bad optional value was ignored": _informational("59109"),
    "Epic 4130: break the glass": _partial("4130", "withheld"),
    "Epic 4131: break the glass": _partial("4131", "withheld"),
    "Epic 4134: break the glass": _partial("4134", "withheld"),
    "Epic 59204: the registration lacks a sub-resource": _partial("59204", "withheld"),
    "Epic 59205: the user lacks access to outside records": _partial("59205", "withheld"),
    "Epic 59133: more than 100 results": _partial("59133", "page-limit"),
    "Epic 4127: more than 100 results": _partial("4127", "page-limit"),
    "Epic: parameters filter after paging, pages are empty or short and yet have a next link": _empty_pages,
    "Epic: an empty result holds an OperationOutcome entry with mode outcome": _outcome_entry_in_an_empty_bundle,
    "Any: 200 with nothing but an error in the searchset": _refusal_in_an_empty_searchset,
    "Oracle: the first page ignores _count, later ones may be short": _first_page_ignores_count,
    "Oracle: the order depends on the parameters": _order_is_not_relied_on,
    "HAPI: the same search is answered from memory for a minute": _answers_from_memory,
    "Oracle: date and _lastUpdated may not be combined": _no_dates_in_searches,
    "Oracle: code matches Observation.code only, not component codes": _code_search_misses_components,
    "Oracle: rows entered in error are returned": _entered_in_error_rows,
    "Oracle: a missing required field makes the whole search a 500": _whole_search_is_a_500,
    "Oracle: errors may be plain text": _plain_text_errors,
    "Oracle: a tenant that is not allowed is a 403 with text": _tenant_not_allowed,
    "Oracle: Accept other than JSON is a 406": _json_is_asked_for,
    "Oracle: POST _search is nowhere mentioned": _no_post_in_normal_life,
    "Microsoft: _count over the maximum is a 400": _count_over_the_maximum,
    "Microsoft: unknown parameters ignored silently": _parameters_ignored_silently,
    "OpenEMR: system|code finds nothing where the bare code does": _system_blind,
    "MEDITECH: search by code refused": _code_search_refused,
}


@pytest.mark.parametrize("oddity", SERVERS)
def test_of_servers(oddity: str) -> None:
    SERVERS[oddity]()
