"""The services and the discovery document."""

from __future__ import annotations

import pytest

from cds_service.sandbox.cases import published_cases
from hooks.services import HOOKS, PREFETCH, SERVICES, discovery
from mappings.facts import NEEDS
from tests.conformance import check_discovery


def test_discovery_conforms() -> None:
    assert check_discovery(discovery()) == []


def test_one_id_for_each_hook() -> None:
    assert {service.id: service.hook for service in SERVICES.values()} == {
        "calcinosis-patient-view": "patient-view",
        "calcinosis-encounter-start": "encounter-start",
        "calcinosis-order-select": "order-select",
        "calcinosis-order-sign": "order-sign",
    }
    assert {"patient-view", "encounter-start", "order-select", "order-sign"} == HOOKS


def test_without_services_the_list_is_empty() -> None:
    assert discovery(()) == {"services": []}
    assert check_discovery({"services": []}) == []


def test_prefetch_keys_stay_the_same() -> None:
    assert set(PREFETCH) >= {"patient", "conditions", "laboratory", "examinations", "reports", "medications"}


def test_every_need_has_a_template() -> None:
    assert {need for need, _ in PREFETCH.values()} == set(NEEDS)


def test_templates_are_short_enough_for_a_url() -> None:
    assert all(len(template) < 500 for _, template in PREFETCH.values())


def test_intended_use_is_told() -> None:
    for service in discovery()["services"]:
        assert "not a diagnosis" in service["usageRequirements"]
        assert "silence is not reassurance" in service["usageRequirements"]


@pytest.mark.parametrize("resource_type", ["Condition", "DiagnosticReport", "MedicationRequest", "ServiceRequest"])
def test_published_cases_are_within_the_templates(resource_type: str) -> None:
    """What a case's chart holds can be asked for by some template."""
    asked = {template.split("?")[0].split("/")[0] for _, template in PREFETCH.values()}
    assert resource_type in asked
    assert published_cases()


BROKEN = {
    "D-13": lambda s: s.append(s[0]),
    "D-4": lambda s: s[0].update(hook="medication-prescribe"),
    "D-5": lambda s: s[0].pop("title"),
    "D-7": lambda s: s[0].update(id="a/b"),
    "D-10": lambda s: s[0].update(version="STU2"),
    "P-1": lambda s: s[0]["prefetch"].update(x="conditions please"),
    "P-3": lambda s: s[0]["prefetch"].update(x="Condition?patient={{today()}}"),
    "P-5": lambda s: s[0]["prefetch"].update(x="Condition?patient={{context.patientId}}&_include=Condition:encounter"),
    "P-6": lambda s: s[0]["prefetch"].update(x="Observation?patient={{context.patientId}}"),
    "G-3": lambda s: s[0].update(description=""),
    "G-2": lambda s: s[0].update(description=None),
}


@pytest.mark.parametrize("row", BROKEN)
def test_the_oracle_sees(row: str) -> None:
    import copy

    document = copy.deepcopy(discovery())
    BROKEN[row](document["services"])
    assert any(problem.startswith(row) for problem in check_discovery(document))


@pytest.mark.parametrize(
    "template",
    [
        "Condition?patient={{context.patientId}}&subject.name=x",
        "Condition?patient={{context.patientId}}&code:not=x",
        "Observation?patient={{context.patientId}}&category=laboratory&date=ge2026-01-01&date=le2026-02-01",
        "Observation?patient={{context.patientId}}&category=exam&date=ne2026-01-01",
    ],
)
def test_the_oracle_sees_searches_outside_the_subset(template: str) -> None:
    document = {"services": [discovery()["services"][0] | {"prefetch": {"x": template}}]}
    assert any(problem.startswith("P-5") for problem in check_discovery(document))
