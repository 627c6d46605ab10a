"""Charts as a reviewer makes them by hand: what stands in a narrative, a member, an evidence or a document's title, and
what the card then says."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.evaluate import Evaluated, evaluate_chart
from cds_service.pipeline import Brain, load_brain
from mappings.facts import NEEDS, Completeness
from mappings.raw import RawChart
from tests.cases.held_charts import DAY, resources

SSC = {"Condition": {"code": "icd10cm M34.1 CREST syndrome", "onset": "2019"}}
CALCIUM = {
    "Lab": {"code": "loinc 17861-6 Calcium", "value": 9.4, "unit": "mg/dL", "range": [8.6, 10.2], "date": "2026-05-20"}
}
HARD = {"Exam": {"string": "Hard nodules on both elbows.", "date": "2026-05-20"}}


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(DAY)


def found(brain: Brain, *chart: dict[str, Any]) -> Evaluated:
    made = resources({"patient": ["female", "1960-06-06"], "chart": chart})
    return evaluate_chart(RawChart("p", tuple(made), {n: Completeness("complete") for n in NEEDS}), brain, DAY, None)


def card(brain: Brain, *chart: dict[str, Any]) -> str:
    return "\n".join(c.get("detail", "") for c in found(brain, *chart).cards)


def raw(kind: str, id_: str, **fields: Any) -> dict[str, Any]:
    return {"Raw": {"resourceType": kind, "id": id_, "subject": {"reference": "Patient/p"}} | fields}


def examined(id_: str, **fields: Any) -> dict[str, Any]:
    said = {"status": "final", "category": [{"text": "exam"}], "effectiveDateTime": "2026-05-20"} | fields
    return raw("Observation", id_, **said)


def narrative(words: str) -> dict[str, Any]:
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'}


# ---- Observation


def test_an_examination_whose_finding_stands_in_the_narrative_alone_is_read(brain: Brain) -> None:
    exam = examined("e", code={"text": "Skin examination"}, text=narrative("Hard nodules on both elbows"))
    assert found(brain, SSC, CALCIUM, exam).assessment.card == "detection"


def test_a_narrative_beside_a_value_only_repeats_it(brain: Brain) -> None:
    exam = examined("e", code={"text": "Skin"}, valueString="Clear", text=narrative("Hard nodules on both elbows"))
    assert found(brain, SSC, CALCIUM, exam).assessment.card == "none"


def member_of(hardness: str, status: str = "final") -> tuple[dict[str, Any], ...]:
    return (
        examined("m", code={"text": "Consistency"}, valueString=hardness, status=status),
        examined("e", code={"text": "Nodule, left elbow"}, hasMember=[{"reference": "Observation/m"}]),
    )


@pytest.mark.parametrize(("hardness", "read"), [("stony hard", "definite"), ("firm", "possible")])
def test_a_member_tells_of_the_lesion_of_its_examination(brain: Brain, hardness: str, read: str) -> None:
    lesion = found(brain, SSC, CALCIUM, *member_of(hardness)).assessment.criteria.lesion
    assert (lesion.status, lesion.hardness) == ("met", read)


def test_a_soft_member_makes_it_no_lesion(brain: Brain) -> None:
    assert found(brain, SSC, CALCIUM, *member_of("soft, compressible")).assessment.card == "none"


def test_a_member_entered_in_error_says_nothing(brain: Brain) -> None:
    lesion = found(brain, SSC, CALCIUM, *member_of("stony hard", "entered-in-error")).assessment.criteria.lesion
    assert lesion.hardness != "definite"


# ---- Condition


@pytest.mark.parametrize(
    ("lump", "card_"), [("Hard nodule on palpation", "detection"), ("Soft compressible swelling", "none")]
)
def test_the_evidence_of_a_lump_is_read_with_it(brain: Brain, lump: str, card_: str) -> None:
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R22.31"}], "text": "Lump, right arm"}
    seen = raw("Condition", "c", code=code, evidence=[{"code": [{"text": lump}]}], recordedDate="2026-05-20")
    assert found(brain, SSC, CALCIUM, seen).assessment.card == card_


# ---- documents


@pytest.mark.parametrize(
    "title",
    ["X-ray request", "Referral for imaging", "Radiology referral", "Überweisung Röntgen", "Solicitud de radiografía",
     "Demande de radiographie", "Pedido de radiografia"],
)  # fmt: skip
def test_a_request_is_no_report_and_what_was_felt_stands_in_it(brain: Brain, title: str) -> None:
    asked = {"Note": {"text": title, "date": "2026-05-20", "string": "Hard nodules on both elbows. Calcification?"}}
    criteria = found(brain, SSC, CALCIUM, asked).assessment.criteria
    assert criteria.lesion.status == "met"
    assert criteria.imaging.status != "positive"


@pytest.mark.parametrize("title", ["X-ray report", "X-ray request: report"])
def test_its_answer_is_one(brain: Brain, title: str) -> None:
    told = {"Note": {"text": title, "date": "2026-05-20", "string": "Soft tissue calcification of both elbows."}}
    assert found(brain, SSC, HARD, CALCIUM, told).assessment.criteria.imaging.status == "positive"


LEAFLET = "Calcinosis means hard lumps of calcium under the skin, often on fingers and elbows."


@pytest.mark.parametrize(
    "title", ["Patient education", "Merkblatt", "Hoja informativa", "Fiche d'information", "Folheto"]
)
def test_a_leaflet_describes_no_patient(brain: Brain, title: str) -> None:
    leaflet = {"Note": {"text": title, "date": "2026-05-20", "string": LEAFLET}}
    assert found(brain, SSC, CALCIUM, leaflet).assessment.criteria.lesion.status == "not-met"


def test_a_letter_does(brain: Brain) -> None:
    letter = {"Note": {"text": "Clinic letter", "date": "2026-05-20", "string": "Hard lumps of calcium, both elbows."}}
    assert found(brain, SSC, CALCIUM, letter).assessment.card == "detection"


def film(**fields: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "status": "final",
        "category": [{"text": "Radiology"}],
        "code": {"text": "XR elbow bilateral"},
    }
    return raw("DiagnosticReport", "xr", effectiveDateTime="2026-05-22", **(said | fields))


def radiograph(brain: Brain, *chart: dict[str, Any]) -> str:
    return next(
        item.decision for item in found(brain, SSC, HARD, CALCIUM, *chart).assessment.workup if item.id == "radiograph"
    )


def test_a_film_is_not_asked_for_again_because_its_report_is_a_pdf(brain: Brain) -> None:
    pdf = film(presentedForm=[{"contentType": "application/pdf", "url": "Binary/1"}])
    assert radiograph(brain, pdf) == "already-done"
    assert found(brain, SSC, HARD, CALCIUM, pdf).assessment.criteria.imaging.status == "unknown"
    assert radiograph(brain, film()) == "offer"


def test_the_range_in_the_next_cell_may_have_its_unit_again(brain: Brain) -> None:
    row = "<tr><td>Calcium</td><td>9.4 mg/dL</td><td>{}</td><td>05/20/2026</td></tr>"
    for limits, status in (("8.6-10.2 mg/dL", "normal"), ("9.6-10.2 mg/dL", "low")):
        table = f"<table>{row.format(limits)}</table>"
        document = raw("Composition", "c", status="final", type={"text": "CCD"}, date="2026-05-21", title="CCD",
                       section=[{"title": "Results", "text": narrative(table)}])  # fmt: skip
        assert found(brain, SSC, HARD, document).assessment.criteria.calcium.status == status


# ---- what the card says


def of_calcium(value: float, day: str) -> dict[str, Any]:
    return {"Lab": CALCIUM["Lab"] | {"value": value, "date": day}}


def test_the_critical_value_is_named_not_the_newest(brain: Brain) -> None:
    told = found(brain, SSC, HARD, of_calcium(14.2, "2026-05-29"), of_calcium(9.6, "2026-05-31"))
    assert told.assessment.criteria.calcium.critical_result == "14.2 mg/dL on 2026-05-29"
    cards = "\n".join(c["summary"] + c.get("detail", "") for c in told.cards)
    assert "14.2 mg/dL" in cards
    assert "9.6 mg/dL: critical" not in cards


def test_of_two_results_that_disagree_both_are_told(brain: Brain) -> None:
    because = found(brain, SSC, HARD, of_calcium(9.4, "2026-05-30"), of_calcium(10.9, "2026-05-20")).assessment.criteria
    assert "The result of 2026-05-20, 10.9 mg/dL, was high." in (because.calcium.because or "")


def test_places_of_both_hands_are_told_once(brain: Brain) -> None:
    exam = {"Exam": {"string": "Hard nodules of both fingers, larger on the right finger.", "date": "2026-05-20"}}
    said = card(brain, SSC, CALCIUM, exam)
    assert "fingers of both hands" in said
    assert "right finger," not in said.replace("larger on the right finger", "")


def test_a_quote_does_not_end_on_what_is_denied_behind_it(brain: Brain) -> None:
    exam = {"Exam": {"string": "Hard nodule, left elbow. Tenderness: no", "date": "2026-05-20"}}
    assert "Tenderness”" not in card(brain, SSC, CALCIUM, exam)


def test_where_imaging_shows_calcium_is_told_in_the_same_sentence(brain: Brain) -> None:
    said = card(brain, SSC, HARD, CALCIUM, film(conclusion="Soft tissue calcification."))
    assert "reports soft-tissue calcification: both elbows." in said


def test_an_unreadable_calcium_is_told_in_words(brain: Brain) -> None:
    lab = {"Lab": {"code": "loinc 17861-6 Calcium", "value": 9.4, "unit": "kg", "date": "2026-05-20"}}
    criterion = found(brain, SSC, HARD, lab).assessment.criteria.calcium
    assert criterion.status in ("unknown", "indeterminate")
    assert "unit-" not in criterion.because


def test_no_radiograph_of_the_scrotum(brain: Brain) -> None:
    exam = {"Exam": {"string": "Hard white nodules of the scrotum and both elbows.", "date": "2026-05-20"}}
    offered = {i.id: i for i in found(brain, SSC, CALCIUM, exam).assessment.workup}
    assert "scrotum" not in {site.place for site in offered["radiograph"].sites}
    assert offered["ultrasound"].decision == "offer"


@pytest.mark.parametrize(("place", "fits"), [("right palm", False), ("right index finger", True)])
def test_a_laser_is_for_the_fingers_not_for_the_palm(brain: Brain, place: str, fits: bool) -> None:
    exam = {"Exam": {"string": f"Hard nodule, 1 cm, {place}.", "date": "2026-05-20"}}
    shown = film(code={"text": "XR right hand"}, conclusion="Soft tissue calcification.")
    agents = found(brain, SSC, CALCIUM, exam, shown).assessment.therapies
    laser = next(item for item in agents if item.id == "co2-laser")
    assert laser.fits is fits
