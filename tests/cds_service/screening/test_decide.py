"""One patient's row: the hook's own answer, in codes, with nothing that names the patient."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.pipeline import Brain
from cds_service.sandbox.cases import Stage, published_cases
from cds_service.sandbox.charts import to_json
from cds_service.screening.decide import decide
from cds_service.screening.keys import patient_key
from cds_service.screening.needs import NEED_OF_TYPE, completeness_of
from cds_service.screening.rows import DecisionRow, from_json
from cds_service.screening.rows import to_json as row_json
from cds_service.store import Store
from mappings.facts import Completeness
from mappings.reader import READ_TYPES
from tests.charts import COMPLETE, TODAY, Chart, chart

SECRET = b"a key of the tests, of no hospital at all"
STAGES = published_cases()[::3]
CASE = """
    Patient    | female | 49y | name=Maria Canary
    Condition  | SLE | onset -17y
    Exam       | stony-hard nodules over both elbows, first noticed 3 months ago CANARYTEXT | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15-2.57] | -10d
    Laboratory | Phosphate | normal | -10d
"""


def row_of(brain: Brain, one: Chart, day: date = TODAY) -> DecisionRow:
    return decide(one.patient_id, one.resources, as_of=day, brain=brain, secret=SECRET, completeness=COMPLETE)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.id)
def test_the_row_is_what_the_hook_decides(brain: Brain, stage: Stage) -> None:
    one = stage.build(TODAY)
    _, assessment = brain.understand(one.raw())
    row = row_of(brain, one)
    criteria = assessment.criteria
    assert (row.grade, row.card_kind, row.subtype, row.missing_workup) == (
        assessment.grade,
        assessment.card,
        assessment.subtype,
        assessment.missing,
    )
    assert row.ctd_kinds == criteria.ctd.diagnoses
    assert row.red_flags == tuple(flag.id for flag in assessment.red_flags)
    assert row.mimics == tuple(mimic.id for mimic in assessment.differential)
    assert f"calcium.{criteria.calcium.status}" in row.reasons


def test_lines_and_decoded_resources_give_the_same_row(brain: Brain) -> None:
    one = chart(CASE)
    lines = [to_json(resource) for resource in one.resources]
    assert row_of(brain, one) == decide(
        one.patient_id, lines, as_of=TODAY, brain=brain, secret=SECRET, completeness=COMPLETE
    )


def test_a_case_in_codes(brain: Brain) -> None:
    row = row_of(brain, chart(CASE))
    assert (row.grade, row.card, row.subtype) == ("probable", True, "dystrophic")
    assert row.ctd_kinds == ("sle",)
    assert row.lesion_sites == ("both sides: elbow",)
    assert row.first_lesion_year == 2026
    assert {"ctd.confirmed", "ctd.tier-2", "lesion.definite", "calcium.normal", "imaging.not-done"} <= set(row.reasons)


def test_no_text_and_no_id_is_in_a_row(brain: Brain) -> None:
    written = row_json(row_of(brain, chart(CASE, patient_id="canary-id")))
    assert not any(word in written for word in (b"CANARY", b"Canary", b"canary", b"stony", b"2.31"))


def test_a_line_that_is_no_json_is_counted_and_the_rest_is_read(brain: Brain) -> None:
    one = chart(CASE)
    lines = [to_json(resource) for resource in one.resources]
    row = decide(
        one.patient_id,
        [*lines, lines[2][:50]],
        as_of=TODAY,
        brain=brain,
        secret=SECRET,
        completeness=COMPLETE,
    )
    assert (row.grade, row.quarantined) == ("probable", 1)


def test_the_row_survives_writing(brain: Brain) -> None:
    row = row_of(brain, chart(CASE))
    assert from_json(row_json(row)) == row
    assert row_json(from_json(row_json(row))) == row_json(row)


def test_the_key_is_the_store_s() -> None:
    store = Store("sqlite://", SECRET.decode())
    assert patient_key(SECRET, "p-1") == store.key("-", "patient", "p-1")
    store.close()


def test_what_was_not_exported_is_unavailable() -> None:
    states = completeness_of(["Patient", "Condition", "Observation"], {"Observation": "lines left out"})
    assert states["conditions"] == Completeness("complete")
    assert states["observations"] == Completeness("partial", "lines left out", has_newest=True)
    assert states["allergies"] == Completeness("unavailable", "not in the export")


def test_every_type_that_the_reader_reads_is_screened() -> None:
    assert set(NEED_OF_TYPE) == {"Patient", *READ_TYPES}
    states = completeness_of(["Patient", "Condition", "Composition", "QuestionnaireResponse"])
    assert states["diagnosticReports"] == Completeness("unavailable", "not in the export")


def test_what_nobody_can_place_makes_every_need_partial() -> None:
    states = completeness_of(["Patient", "Condition"], {"*": "a file could not be read to its end"})
    assert {states["patient"].state, states["conditions"].state} == {"partial"}
    assert states["observations"].state == "unavailable"
