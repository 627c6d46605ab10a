"""The published cases as data: complete, valid, fictional, synthetic values marked."""

from __future__ import annotations

from datetime import date

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.sandbox.cases import Stage, published_cases
from cds_service.sandbox.charts import to_json
from cds_service.sandbox.content import background_bundles, load_all
from cds_service.sandbox.store import Store

DAY = date(2026, 6, 1)
STAGES = published_cases()


def test_nine_cases_each_in_three_stages() -> None:
    cases = {stage.case for stage in STAGES}
    assert len(cases) == 9
    for case in cases:
        assert {"reported", "labs", "imaging"} <= {stage.stage for stage in STAGES if stage.case == case}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.id)
def test_stage_is_valid_fhir_with_its_own_ids(stage: Stage) -> None:
    built = stage.build(DAY)
    assert built.resources[0]["id"] == stage.id
    assert built.resources[0]["name"][0]["text"].startswith("Case ")
    for resource in built.resources:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(to_json(resource))
        assert resource["id"].startswith(stage.id)


def test_only_synthetic_rows_have_numbers_for_calcium_and_all_are_marked() -> None:
    for stage in STAGES:
        for resource in stage.build(DAY).resources:
            named = resource.get("code", {}).get("text") in ("Calcium", "Phosphate", "Albumin", "eGFR")
            if named and "valueQuantity" in resource:
                assert resource["meta"]["tag"][0]["code"] == "HTEST"
                assert "SYNTHETIC" in resource["note"][0]["text"]
                assert stage.stage not in ("reported", "reported-labs", "reported-imaging")


def test_charts_move_with_the_day() -> None:
    stage = STAGES[0]
    then, now = stage.build(date(2020, 1, 1)), stage.build(DAY)
    assert [r["id"] for r in then.resources] == [r["id"] for r in now.resources]
    assert "2026-06-01T09:00:00Z" in str(now.resources)
    assert "2020-01-01T09:00:00Z" in str(then.resources)


def test_store_starts_with_cases_and_background() -> None:
    store = Store()
    load_all(store, DAY)
    assert store.count("Patient") >= len(STAGES) + 20
    assert sum(1 for _ in background_bundles()) >= 20
    lupus = store.search("Condition", [("code", "http://snomed.info/sct|200936003")])
    assert len(lupus.ids) >= 8, "background patients with lupus and no lesion are the point of the background"
