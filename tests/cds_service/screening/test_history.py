"""A back-test can't know the future: whatever is dated after the day changes nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.pipeline import Brain, load_brain
from cds_service.sandbox.cases import published_cases
from cds_service.screening.decide import decide
from cds_service.screening.history import known_on
from tests.charts import COMPLETE, TODAY, chart

BRAIN = load_brain(TODAY)
STAGES = published_cases()
LATER = (
    "Condition  | SLE | onset {0} | recorded {0}",
    "Condition  | calcinosis cutis | recorded {0}",
    "Exam       | stony-hard nodules over both knees | {0}",
    "Laboratory | Calcium | 3.6 mmol/L [2.15-2.57] | {0}",
    "Laboratory | Calcium | 2.31 mmol/L [2.15-2.57] | {0} | corrected",
    "Laboratory | Phosphate | 2.9 mmol/L [0.8-1.5] | {0}",
    "Laboratory | Creatinine | 900 umol/L [45-84] | {0}",
    "Imaging    | X-ray of both elbows | Subcutaneous calcification at both elbows. | {0}",
    "Pathology  | Skin biopsy | Calcium deposits in the dermis. | {0}",
    "Medication | diltiazem | 240 mg/d | {0}",
    "Procedure  | skin biopsy | {0}",
    "Condition  | CKD stage 5 | onset {0}",
    "Exam       | black necrotic ulcers with livedo on both thighs | {0}",
)


def row(patient: str, resources: tuple[dict, ...], day: date) -> object:
    return decide(patient, resources, as_of=day, brain=BRAIN, secret=b"k" * 32, completeness=COMPLETE)


@settings(max_examples=60, deadline=None)
@given(
    stage=st.sampled_from(STAGES),
    back=st.integers(0, 900),
    later=st.lists(st.tuples(st.sampled_from(LATER), st.integers(1, 1200)), min_size=1, max_size=5),
)
def test_no_fact_after_the_day_changes_the_row(stage, back, later) -> None:
    day = TODAY - timedelta(days=back)
    known = stage.build(TODAY).resources
    table = [line.format((day + timedelta(days=days)).isoformat()) for line, days in later]
    future = chart(table, patient_id=stage.id).resources[1:]
    assert row(stage.id, (*known, *future), day) == row(stage.id, known, day)


def test_answers_given_after_the_day_are_not_known() -> None:
    answers = {"resourceType": "QuestionnaireResponse", "id": "q", "authored": "2026-05-20T10:00:00Z"}
    assert known_on([answers], date(2026, 5, 19)) == ()
    assert known_on([answers], date(2026, 5, 20)) == (answers,)
    episode = {"resourceType": "EpisodeOfCare", "id": "e", "period": {"start": "2026-05-20"}}
    assert known_on([episode], date(2026, 5, 19)) == ()


@settings(max_examples=40, deadline=None)
@given(stage=st.sampled_from(STAGES), back=st.integers(0, 900), end=st.integers(1, 900))
def test_an_end_or_a_death_after_the_day_changes_nothing(stage, back, end) -> None:
    day = TODAY - timedelta(days=back)
    ended = (day + timedelta(days=end)).isoformat()
    known = stage.build(TODAY).resources
    changed = tuple(
        {**r, "abatementDateTime": ended, "clinicalStatus": {"coding": [{"code": "resolved"}]}}
        if r["resourceType"] == "Condition"
        and r.get("clinicalStatus", {}).get("coding", [{}])[0].get("code") == "active"
        else {**r, "deceasedDateTime": ended}
        if r["resourceType"] == "Patient"
        else r
        for r in known
    )
    assert row(stage.id, changed, day) == row(stage.id, known, day)


@pytest.mark.parametrize(
    ("resource", "kept"),
    [
        ({"resourceType": "Condition", "id": "a", "recordedDate": "2024-05-02"}, False),
        ({"resourceType": "Condition", "id": "a", "onsetDateTime": "2010", "recordedDate": "2024-05-02"}, False),
        ({"resourceType": "Condition", "id": "a", "onsetDateTime": "2024"}, True),
        ({"resourceType": "Condition", "id": "a", "meta": {"lastUpdated": "2025-01-01T00:00:00Z"}}, False),
        (
            {
                "resourceType": "Condition",
                "id": "a",
                "recordedDate": "2020",
                "meta": {"lastUpdated": "2025-01-01T00:00:00Z"},
            },
            True,
        ),
        (
            {
                "resourceType": "Observation",
                "id": "a",
                "effectiveDateTime": "2024-04-30",
                "issued": "2024-05-02T00:00:00Z",
            },
            False,
        ),
        ({"resourceType": "Procedure", "id": "a", "performedPeriod": {"start": "2024-05-02"}}, False),
        ({"resourceType": "Patient", "id": "a", "birthDate": "2024-05-02"}, True),
    ],
)
def test_when_a_resource_is_known(resource: dict, kept: bool) -> None:
    assert bool(known_on([resource], date(2024, 5, 1))) is kept


def test_of_several_versions_the_one_of_the_day_counts() -> None:
    old = {"resourceType": "Observation", "id": "a", "status": "preliminary", "effectiveDateTime": "2024-01-01"}
    old["meta"] = {"lastUpdated": "2024-01-01T00:00:00Z"}
    new = {**old, "status": "final", "meta": {"lastUpdated": "2024-06-01T00:00:00Z"}}
    assert known_on([old, new], date(2024, 5, 1)) == (old,)
    assert known_on([old, new], date(2024, 7, 1)) == (old, new)


def test_a_note_that_was_written_later_is_not_read() -> None:
    notes = [{"time": "2024-01-01", "text": "soft"}, {"time": "2025-01-01", "text": "now hard"}]
    known = known_on([{"resourceType": "Condition", "id": "a", "note": notes}], date(2024, 5, 1))
    assert known[0]["note"] == notes[:1]


def test_on_a_later_day_everything_is_as_the_hook_sees_it(brain: Brain) -> None:
    for stage in STAGES[::5]:
        one = stage.build(TODAY)
        assert sorted(map(str, known_on(one.resources, TODAY))) == sorted(map(str, one.resources))
