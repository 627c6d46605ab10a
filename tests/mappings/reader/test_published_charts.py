"""What charts after published reports taught (ninth held set): each reading beside one that must stay as it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mappings.facts import PatientFacts
from mappings.raw import RawChart
from mappings.text.engine import TextEngine
from mappings.units import load_units
from mappings.values import parse_quantity, parse_range
from tests.charts import COMPLETE
from tests.spec.harness import reader

ENGINE = TextEngine.load()
TABLE = load_units()


def read(resource_type: str, **body: Any) -> PatientFacts:
    resource = {"resourceType": resource_type, "id": "r", "status": "final", "subject": {"reference": "Patient/p"}}
    return reader().read(RawChart("p", (resource | {"effectiveDateTime": "2026-05-20"} | body,), COMPLETE))


def said(text: str) -> dict[str, str]:
    return {m.concept: m.status for m in ENGINE.read(text, kind="condition").concepts}


@pytest.mark.parametrize(
    "text",
    [
        "Systemic sclerosis and lupus excluded by rheumatology 2025",
        "SSc or SLE excluded",
        "Sklerodermie und SLE ausgeschlossen",
        "Esclerosis sistémica y lupus descartados",
        "Sclérodermie et lupus exclus",
        "Esclerose sistêmica e lúpus excluídos",
    ],
)
def test_a_denial_holds_for_both_diseases_that_and_joins(text: str) -> None:
    assert said(text) == {"ctd.systemic_sclerosis": "negated", "ctd.sle": "negated"}


def test_a_denial_holds_for_no_more_than_what_is_joined() -> None:
    assert said("SLE, systemic sclerosis excluded") == {"ctd.sle": "affirmed", "ctd.systemic_sclerosis": "negated"}
    assert said("Known systemic sclerosis and lupus excluded")["ctd.systemic_sclerosis"] == "affirmed"
    assert said("Dermatomyositis and malignancy excluded")["ctd.dermatomyositis"] == "affirmed"
    assert said("SLE with antiphospholipid syndrome excluded")["ctd.sle"] == "affirmed"


@pytest.mark.parametrize(
    ("text", "concept", "status"),
    [
        ("Systemic sclerosis excluded", "ctd.systemic_sclerosis", "negated"),
        ("Rheumatoid arthritis excluded", "ctd.ra", "negated"),
        ("Lúpus eritematoso sistêmico provável", "ctd.sle", "possible"),
        ("Systemic sclerosis, gout excluded", "ctd.systemic_sclerosis", "affirmed"),
    ],
)
def test_a_denial_of_one_word_holds_for_the_whole_name_of_a_disease(text: str, concept: str, status: str) -> None:
    assert said(text)[concept] == status


@pytest.mark.parametrize(
    "text", ["2,20 à 2,60", "2,20 a 2,60", "de 2,20 a 2,60", "2,20 até 2,60", "2,20 hasta 2,60", "von 2,20 bis 2,60"]
)
def test_a_range_in_words_of_five_languages(text: str) -> None:
    quantity = parse_quantity("2.3 mmol/L", TABLE)
    assert quantity is not None
    found = parse_range(text, quantity, TABLE.analytes["calcium-total"], TABLE)
    assert found is not None
    assert (found.low, found.high) == (Decimal("2.20"), Decimal("2.60"))


@pytest.mark.parametrize(
    ("name", "analyte"),
    [
        ("Ionised Ca (venous gas)", "calcium-ionized"),
        ("CALCIUM IONIZED (WB)", "calcium-ionized"),
        ("iCa (VBG)", "calcium-ionized"),
        ("Calcium ionizado, gasometria", None),
        ("Calcio iónico (gasometría)", "calcium-ionized"),
        ("Calcium (blood gas)", None),  # an analyser of gases measures the ionized one only
        ("Ca, BGA", None),
        ("Calcium (serum)", "calcium-total"),
    ],
)
def test_calcium_of_a_blood_gas(name: str, analyte: str | None) -> None:
    assert TABLE.analyte_named(name) == analyte


@pytest.mark.parametrize(
    ("title", "modality"),
    [
        ("Rayos X de codo", "radiograph"),
        ("DR KNEE", "radiograph"),
        ("Elbow 3 views", "radiograph"),
        ("Cliché du coude", "radiograph"),
        ("USG elbow", "ultrasound"),
        ("Echo des parties molles", "other"),
    ],
)
def test_a_report_of_imaging_is_known_by_its_title(title: str, modality: str) -> None:
    facts = read("DiagnosticReport", code={"text": title}, conclusion="Subcutaneous calcifications.")
    assert [(i.modality, i.finding) for i in facts.imaging] == [(modality, "soft-tissue")]


@pytest.mark.parametrize(
    ("inner", "finding"),
    [
        ({"code": {"text": "Finding"}, "valueString": "Soft tissue calcification, right elbow"}, "soft-tissue"),
        ({"code": {"text": "Soft tissue calcification"}, "valueBoolean": True}, "soft-tissue"),
        ({"code": {"text": "Soft tissue calcification"}, "valueBoolean": False}, "none"),
        ({"code": {"text": "Soft tissue calcification"}, "valueString": "absent"}, "none"),
        ({"code": {"text": "Bone"}, "valueString": "No fracture"}, "not-understood"),
    ],
)
def test_a_report_of_imaging_without_words_is_read_by_its_results(inner: dict[str, Any], finding: str) -> None:
    within = {"resourceType": "Observation", "id": "f", "status": "final"} | inner
    facts = read("DiagnosticReport", code={"text": "XR elbow"}, contained=[within], result=[{"reference": "#f"}])
    assert [i.finding for i in facts.imaging] == [finding]


def test_a_report_of_imaging_without_words_is_read_by_its_coded_conclusion() -> None:
    coded = [{"text": "Soft tissue calcification"}]
    assert [i.finding for i in read("DiagnosticReport", code={"text": "XR elbow"}, conclusionCode=coded).imaging] == [
        "soft-tissue"
    ]


@pytest.mark.parametrize("title", ["Letter, Dr Smith", "Blood film", "Views of the patient", "Echo", "Elbow clinic"])
def test_other_reports_are_none_of_imaging(title: str) -> None:
    assert read("DiagnosticReport", code={"text": title}, conclusion="Hard nodule of the elbow.").imaging == ()


@pytest.mark.parametrize(
    ("component", "hardness"),
    [
        ({"code": {"text": "Consistency"}, "valueCodeableConcept": {"coding": [{"display": "Hard"}]}}, "definite"),
        ({"code": {"text": "Consistance"}, "valueString": "Dure"}, "definite"),
        ({"code": {"text": "Consistencia"}, "valueString": "Dura"}, "definite"),
        ({"code": {"text": "Konsistenz"}, "valueString": "hart"}, "definite"),
        ({"code": {"text": "Consistency"}, "valueString": "Soft"}, "against"),
        ({"code": {"text": "Colour"}, "valueString": "Red"}, "unstated"),
    ],
)
def test_components_describe_the_lesion_that_a_code_alone_names(component: dict[str, Any], hardness: str) -> None:
    nodule = {"coding": [{"system": "http://snomed.info/sct", "code": "95325000"}]}
    assert [le.hardness for le in read("Observation", code=nodule, component=[component]).lesions] == [hardness]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Hard nodules of the left thigh. Number of nodules: 3", 3),
        ("Número de nódulos: 2. Consistencia: dura", 2),
        ("Nombre de nodules : 4. Consistance : dure", 4),
        ("Anzahl Knoten: 3, hart", 3),
        ("Hard nodules: 3 cm", None),
        ("Hard nodules: 2/10 pain", None),
    ],
)
def test_a_field_that_holds_the_number_of_lesions(text: str, count: int | None) -> None:
    assert [le.count for le in ENGINE.read(text, kind="observation").lesions] == [count]


@pytest.mark.parametrize(
    "text",
    [
        "Hard deposits over the right shin, no new lesions",
        "Hard nodules of the elbow since 2019, no new ones",
        "Hard nodules of the elbow, none new",
        "Harte Knoten am Ellenbogen, keine neuen",
        "Nodules durs des coudes, aucun nouveau",
        "Hard nodules of the elbow; the patient is new to the clinic",
        "Hard nodules of the elbow, new X-ray ordered",
        "Hard nodules of the elbow, new-onset diabetes",
        "Nouveau patient, nodules durs des coudes",
        "Paciente nueva, nódulos duros en codos",
        "Neue Patientin, harte Knoten am Ellenbogen",
    ],
)
def test_what_is_denied_to_be_new_is_not_called_new(text: str) -> None:
    assert not any(le.called_new for le in ENGINE.read(text, kind="observation").lesions if le.status == "affirmed")


@pytest.mark.parametrize(
    ("note", "places"),
    [
        ("Arms and thighs, developed together with worsening weakness and rash.", ["arm", "thigh"]),
        ("Developed together with worsening weakness and rash, then pain in the arms.", []),
        ("No rash of the face, developed slowly.", []),
    ],
)
def test_a_note_that_begins_with_the_place_of_a_lesion(note: str, places: list[str]) -> None:
    facts = read("Condition", code={"text": "Multiple hard subcutaneous nodules"}, note=[{"text": note}])
    assert [site.place for le in facts.lesions for site in le.sites] == places


@pytest.mark.parametrize(
    "text",
    [
        "New hard nodule of the elbow",
        "New patient with new hard nodules of the elbow",
        "New calcinosis of the elbow",
        "No fever, newly noticed hard nodule of the elbow",
        "Hard nodules, new onset",
        "Nouveaux nodules durs des coudes",
        "Nódulo duro nuevo en el codo",
    ],
)
def test_a_new_lesion_is_called_new(text: str) -> None:
    assert [le.called_new for le in ENGINE.read(text, kind="observation").lesions if le.status == "affirmed"] == [True]


def test_open_wounds_are_ulcers_and_olecranons_elbows() -> None:
    (lesion,) = ENGINE.read("Open wound over the right shin, hard calcium deposit extruding").lesions
    assert lesion.ulcerated
    assert not any(le.status == "affirmed" for le in ENGINE.read("No open wounds.").lesions)
    (lesion,) = ENGINE.read("Firm rubbery nodules over both olecranons").lesions
    assert [site.region for site in lesion.sites] == ["elbow"]


@pytest.mark.parametrize(
    ("route", "read_as"),
    [
        ("intraveineuse", "iv"),
        ("vía intravenosa", "iv"),
        ("intravenös", "iv"),
        ("Subcutaneous", "sc"),
        ("subkutan", "sc"),
        ("sous-cutanée", "sc"),
        ("cutaneous", "topical"),
    ],
)
def test_routes_in_five_languages(route: str, read_as: str) -> None:
    facts = read(
        "MedicationAdministration",
        status="completed",
        medicationCodeableConcept={"text": "Calcium gluconate"},
        dosage={"route": {"text": route}},
    )
    assert [medication.route for medication in facts.medications] == [read_as]


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ("within normal range", "normal"),
        ("Within the normal range", "normal"),
        ("im Referenzbereich", "normal"),
        ("innerhalb der Norm", "normal"),
        ("dentro del rango normal", "normal"),
        ("dentro de parámetros normales", "normal"),
        ("dans les limites de la normale", "normal"),
        ("dentro dos valores de referência", "normal"),
        ("slightly elevated", "high"),
        ("über der Norm", "high"),
        ("légèrement abaissée", "low"),
        ("por debajo de lo normal", "low"),
        ("not normal", "abnormal"),
        ("nicht im Normbereich", "abnormal"),
        ("fuera de rango", "abnormal"),
        ("not elevated", None),  # it may be low
        ("within normal range for dialysis", None),
        ("normal range unknown", None),
    ],
)
def test_a_result_in_words_is_read_whole(words: str, word: str | None) -> None:
    assert TABLE.word(words) == word


@pytest.mark.parametrize(
    ("system", "code", "found"),
    [
        ("ICD10", "M34.9", True),
        ("ICD-10-CM", "M32.9", True),
        ("SNOMED CT", "55464009", True),
        ("CIE-10", "M34.1", True),
        ("ICD-O", "M34.9", False),
        ("ICPC2", "M34.9", False),
        ("http://example.org/local", "M34.9", False),
    ],
)
def test_a_code_system_by_its_name(system: str, code: str, found: bool) -> None:
    facts = read("Condition", code={"coding": [{"system": system, "code": code}]})
    assert bool(facts.findings) is found


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Hard nodule. Pain score 0-10: 9", 9),
        ("Hard nodule. VAS (0-10) 8", 8),
        ("Nodule dur. EVA 0 à 10 : 8", 8),
        ("Hard nodule. Pain score (0 = none, 10 = worst): 7", 7),
        ("Hard nodule. Pain score: 0", 0),
        ("Hard nodule of the elbow. Chest pain 8/10.", None),
    ],
)
def test_a_pain_score_behind_the_ends_of_its_scale(text: str, score: int | None) -> None:
    assert [le.pain_score for le in ENGINE.read(text, kind="observation").lesions] == [score]


@pytest.mark.parametrize(
    ("text", "infected"),
    [
        ("Infected hard nodule of the left elbow", True),
        ("Nódulo duro infectado del codo", True),
        ("Nodule dur infecté du coude", True),
        ("Infizierter harter Knoten", True),
        ("Hard nodule of the left elbow, not infected", False),
        ("Non-infected hard nodule", False),
        ("Infected tooth; hard nodule of the elbow", False),
        ("Infected with hepatitis B and hard nodule", False),
    ],
)
def test_infected_is_said_of_the_lesion_beside_it(text: str, infected: bool) -> None:
    assert (said(text).get("trigger.skin_infection") == "affirmed") is infected
