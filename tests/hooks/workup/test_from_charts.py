"""From a FHIR chart to the workup: what is offered, what is done or ordered already, what to avoid."""

from __future__ import annotations

import pytest

from hooks.assess import assess
from hooks.knowledge import load_knowledge
from hooks.model import Assessment, WorkupItem
from tests.charts import TODAY, chart, reader

CONTRACT = """
calcium ionized-calcium albumin phosphate creatinine magnesium alkaline-phosphatase pth vitamin-d-25-oh
vitamin-d-1-25-oh ace protein-electrophoresis urate crystal-examination radiograph ultrasound ct mri skin-biopsy
wound-culture crp blood-count creatine-kinase complement-and-dsdna myositis-antibodies ecg echocardiogram pregnancy-test
hepatitis-b-serology cancer-screening breast-imaging referral-dermatology referral-rheumatology
referral-paediatric-rheumatology referral-surgery referral-nephrology referral-wound-care
""".split()  # noqa: SIM905 - a list of words reads better so

WOMAN = "Patient | female | 40y\nCondition | SLE | onset -9y\n"
NODULE = "Exam | one stony-hard nodule of the left forearm, 2 cm, first noticed 3 months ago | -10d\n"
CALCIUM = "Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d\nLaboratory | Albumin | 42 g/L [35–50] | -10d\n"
MINERALS = CALCIUM + (
    "Laboratory | Phosphate | 1.1 mmol/L [0.8–1.5] | -10d\nLaboratory | eGFR | 95 mL/min/1.73m2 | -5d\n"
)
XRAY = "Imaging | X-ray of the left forearm | Subcutaneous calcification of the left forearm. | -20d\n"


def decided(table: str) -> Assessment:
    return assess(reader().read(chart(table).raw()), load_knowledge(), TODAY)


def workup(table: str) -> dict[str, WorkupItem]:
    return {item.id: item for item in decided(table).workup}


def offered(table: str) -> set[str]:
    return {name for name, item in workup(table).items() if item.decision == "offer"}


def test_every_contract_id_is_listed_with_a_reason():
    found = workup(WOMAN + NODULE)
    assert sorted(found) == sorted(CONTRACT)
    assert all(item.because.endswith(".") for item in found.values())


def test_missing_data_come_first():
    found = [item.id for item in decided(WOMAN + NODULE).workup if item.decision == "offer"]
    assert found[:3] == ["calcium", "albumin", "phosphate"]
    assert found.index("phosphate") < found.index("vitamin-d-25-oh") < found.index("crp")


@pytest.mark.parametrize(
    ("line", "item", "days"),
    [
        ("Laboratory | Phosphate | 1.1 mmol/L [0.8–1.5]", "phosphate", 90),
        ("Laboratory | eGFR | 95 mL/min/1.73m2", "creatinine", 90),
        ("Laboratory | Magnesium | 0.8 mmol/L", "magnesium", 90),
        ("Laboratory | 25-OH vitamin D | 30 ng/mL", "vitamin-d-25-oh", 365),
        ("Laboratory | CRP | 3 mg/L", "crp", 90),
    ],
)
def test_not_again_within_its_window(line, item, days):
    inside = workup(WOMAN + NODULE + CALCIUM + f"{line} | -{days}d")[item]
    assert inside.decision == "already-done"
    assert inside.evidence
    assert workup(WOMAN + NODULE + CALCIUM + f"{line} | -{days + 1}d")[item].decision == "offer"


def test_a_word_on_creatinine_is_no_egfr():
    assert "creatinine" in offered(WOMAN + NODULE + CALCIUM + "Laboratory | Creatinine | normal | -3d")


def test_low_albumin_asks_for_ionized_calcium():
    table = (
        WOMAN
        + NODULE
        + ("Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d\nLaboratory | Albumin | 25 g/L [35–50] | -10d")
    )
    assert "ionized-calcium" in offered(table)
    assert "calcium" not in offered(table)


def test_radiograph_is_offered_with_the_sites_of_the_lesion():
    item = workup(WOMAN + NODULE + MINERALS)["radiograph"]
    assert item.decision == "offer"
    assert [(site.place, site.laterality) for site in item.sites] == [("forearm", "left")]


def test_radiograph_is_not_repeated_at_the_same_site():
    item = workup(WOMAN + NODULE + MINERALS + XRAY)["radiograph"]
    assert item.decision == "already-done"
    assert item.evidence
    other = "Imaging | X-ray of the right knee | Soft tissues normal. | -20d"
    assert workup(WOMAN + NODULE + MINERALS + other)["radiograph"].decision == "offer"
    old = XRAY.replace("-20d", "-366d")
    assert workup(WOMAN + NODULE + MINERALS + old)["radiograph"].decision == "offer"


def test_radiograph_already_ordered():
    order = "Order | X-ray of the left forearm | -2d"
    assert workup(WOMAN + NODULE + MINERALS + order)["radiograph"].decision == "already-ordered"


@pytest.mark.parametrize("title", ["X-ray of the left foot", "Chest X-ray", "Radiografía de pie izquierdo"])
def test_an_order_whose_title_names_another_site_orders_nothing_for_this_one(title):
    """Most systems have no bodySite: a chest X-ray ordered last week was the lesion's radiograph."""
    assert workup(WOMAN + NODULE + MINERALS + f"Order | {title} | active | -5d")["radiograph"].decision == "offer"
    coded = f"Order | {title} | SCT:168537006 | active | -5d"
    assert title == "Chest X-ray" or workup(WOMAN + NODULE + MINERALS + coded)["radiograph"].decision == "offer"
    same = workup(WOMAN + NODULE + MINERALS + "Order | X-ray left forearm | SCT:168537006 | active | -5d")["radiograph"]
    assert same.decision == "already-ordered"
    assert same.because == "Already ordered: X-ray left forearm."


def test_pelvic_radiograph_in_pregnancy_is_avoided_for_ultrasound():
    lesion = "Exam | stony-hard nodules of both buttocks, first noticed 3 months ago | -10d\n"
    found = workup(WOMAN + lesion + MINERALS + "Condition | Pregnancy | -60d")
    assert found["radiograph"].decision == "avoid"
    assert found["ultrasound"].decision == "offer"
    arm = workup(WOMAN + NODULE + MINERALS + "Condition | Pregnancy | -60d")
    assert arm["radiograph"].decision == "offer"


@pytest.mark.parametrize("place", ["face", "left cheek", "left index fingertip"])
def test_biopsy_is_avoided_where_it_heals_badly(place):
    lesion = f"Exam | stony-hard nodule of the {place}, first noticed 3 months ago | -10d\n"
    assert workup(WOMAN + lesion + MINERALS)["skin-biopsy"].decision == "avoid"


def test_biopsy_is_avoided_when_imaging_is_typical_but_not_with_a_cancer_flag():
    assert workup(WOMAN + NODULE + MINERALS + XRAY)["skin-biopsy"].decision == "avoid"
    cancer = workup(WOMAN + NODULE + MINERALS + XRAY + "Condition | Malignant neoplasm of breast | onset -4y")
    assert cancer["skin-biopsy"].decision == "offer"
    assert cancer["cancer-screening"].decision == "offer"


def test_biopsy_of_another_site_stays_possible_beside_a_lesion_of_the_face():
    lesions = "Exam | stony-hard nodules of the face and of the left thigh, first noticed 3 months ago | -10d\n"
    item = workup(WOMAN + lesions + MINERALS + "Condition | Malignant neoplasm of breast | onset -4y")["skin-biopsy"]
    assert item.decision == "offer"
    assert {site.place for site in item.sites} == {"thigh"}


def test_chalky_material_asks_for_urate_and_with_gout_for_crystals():
    lesion = "Exam | ulcer of the left elbow with chalky white discharge, first noticed 3 months ago | -10d\n"
    found = workup(WOMAN + lesion + MINERALS)
    assert found["urate"].decision == "offer"
    assert found["wound-culture"].decision == "offer"
    assert found["referral-wound-care"].decision == "offer"
    gout = workup(WOMAN + lesion + MINERALS + "Condition | Gout | -2y")
    assert gout["crystal-examination"].decision == "offer"


def test_only_the_therapies_that_suit_pull_in_what_they_wait_for():
    localized = workup(WOMAN + NODULE + MINERALS + XRAY)
    assert localized["ecg"].decision == "not-indicated"
    wide = "Exam | stony-hard nodules over both elbows, thighs and buttocks, first noticed 3 months ago | -10d\n"
    extensive = workup(WOMAN + wide + MINERALS + XRAY.replace("left forearm", "left thigh"))
    assert extensive["ecg"].decision == "offer"
    assert extensive["pregnancy-test"].decision == "offer"
    assert extensive["hepatitis-b-serology"].decision == "not-indicated"


def test_children_are_referred_to_paediatric_rheumatology_and_never_to_adults_only():
    child = "Patient | female | 14y\nCondition | Systemic sclerosis | onset -4y\n"
    found = workup(child + NODULE + MINERALS)
    assert found["referral-paediatric-rheumatology"].decision == "offer"
    assert found["referral-rheumatology"].decision == "not-indicated"
    adult = workup(WOMAN + NODULE + MINERALS)
    assert adult["referral-paediatric-rheumatology"].decision == "not-indicated"
    assert adult["referral-rheumatology"].decision == "offer"


def test_breast_lesion_asks_for_breast_imaging():
    lesion = "Exam | stony-hard nodule of the left breast, first noticed 3 months ago | -10d\n"
    assert workup(WOMAN + lesion + MINERALS)["breast-imaging"].decision == "offer"


def test_high_calcium_asks_for_its_causes():
    high = "Laboratory | Calcium | 2.8 mmol/L [2.15–2.57] | -10d\n"
    found = offered(WOMAN + NODULE + high)
    assert {"pth", "vitamin-d-1-25-oh", "ace", "protein-electrophoresis"} <= found
