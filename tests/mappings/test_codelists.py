"""Looking codes up: what a code means, every trap that was found, what may be written."""

from __future__ import annotations

import csv
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import systems
from mappings.codelists import CodelistError, _read, load_terminology
from mappings.systems import ICD9CM, ICD10, ICD10CM, LOINC, SNOMED

T = load_terminology()


def table(name):
    text = (resources.files("mappings") / "codes" / "tables" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


# ---- look-up


@pytest.mark.parametrize(
    ("system", "code", "concept"),
    [
        (ICD10CM, "M32.9", "ctd.sle"),
        (ICD10CM, "M3214", "ctd.lupus_nephritis"),
        (ICD10CM, "m32.14", "ctd.sle"),
        ("urn:oid:2.16.840.1.113883.6.90", "M34.9", "ctd.systemic_sclerosis"),
        (ICD10, "M32.1†", "ctd.sle"),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "M05.91", "ctd.ra"),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm|2025", "L93.0", "ctd.lupus_cutaneous"),
        (ICD9CM, "7100", "ctd.sle"),
        (ICD9CM, "710.3", "ctd.dermatomyositis"),
        (SNOMED, "396230008", "ctd.dermatomyositis"),
        ("http://snomed.info/sct|http://snomed.info/sct/900000000000207008", "89155008", "ctd.systemic_sclerosis"),
        (ICD10CM, "M33.03", "ctd.dermatomyositis_juvenile"),
        (ICD10CM, "M33.03", "ctd.dermatomyositis_amyopathic"),
        (ICD10CM, "M35.1", "ctd.mctd"),
        (ICD10CM, "L93.2", "ctd.lupus_panniculitis"),
        (ICD10CM, "L94.2", "calcinosis.cutis"),
        (ICD10CM, "M61.571", "calcinosis.muscle"),
        (ICD10CM, "N18.32", "trigger.ckd_3"),
        (ICD10CM, "N18.6", "trigger.esrd"),
        (ICD10, "N18.5", "trigger.esrd"),
        (ICD10CM, "Z99.2", "trigger.dialysis"),
        (ICD10CM, "C84.00", "trigger.cancer_history"),
        (ICD10CM, "Z85.3", "trigger.cancer_history"),
        (ICD10, "C97", "exclude.malignancy"),
        (ICD9CM, "174.9", "exclude.malignancy"),
        (ICD10CM, "D86.3", "mimic.sarcoidosis"),
        (ICD10CM, "M36.0", "trigger.cancer_history"),
        (ICD10CM, "M1A.0711", "mimic.gout_tophi"),
        (ICD10CM, "E11.22", "trigger.diabetes"),
        (ICD10CM, "I50.23", "trigger.heart_failure_acute"),
        (ICD10CM, "M84.750K", "trigger.atypical_femur_fracture"),
        (ICD10CM, "O26.611", "trigger.pregnancy"),
        (SNOMED, "77386006", "trigger.pregnancy"),
        (SNOMED, "95325000", "finding.nodule_subcutaneous"),
        (SNOMED, "237900002", "trigger.calciphylaxis"),
    ],
)  # fmt: skip
def test_a_code_is_understood(system, code, concept):
    assert concept in T.concepts(system, code)


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (None, "M32.9"),
        ("", "L94.2"),
        ("https://hospital.example/icd", "M32.9"),
        (LOINC, "M32.9"),
        (ICD10, "M1A.0711"),
        (ICD10CM, None),
        (ICD10CM, ""),
        (ICD10CM, "Z99.9999999"),
        (SNOMED, "122456005"),  # a laser device is no laser treatment
        (SNOMED, "105969002"),  # "disorder of connective tissue" says too little
        (SNOMED, "298285004"),  # sources disagree
        (SNOMED, "238926009"),  # Rowell syndrome, once taken for cutaneous lupus
        (ICD10CM, "M06.1"),
        (ICD10CM, "M06.4"),
        (ICD10CM, "E78.2"),  # hyperlipidaemia is no xanthoma
        (ICD10CM, "D23.9"),  # a benign skin neoplasm is no pilomatricoma
        (ICD10CM, "L94.3"),  # sclerodactyly is no morphea
        (ICD10CM, "L94.4"),
        (ICD10CM, "N20.0"),  # the stone is not named
        (ICD10CM, "E83.39"),  # high or low phosphate alike
        (ICD10CM, "Z90.712"),  # the uterus remains
        (ICD10CM, "O80"),  # delivered
        (ICD10CM, "O14.95"),  # puerperium
        (ICD10CM, "Z33.2"),
        (ICD10CM, "F17.211"),  # in remission
        (ICD9CM, "209.61"),  # benign carcinoid
    ],
)
def test_a_code_says_nothing_here(system, code):
    assert T.concepts(system, code) == frozenset()


def test_crest_means_systemic_sclerosis_and_no_known_calcinosis():
    for system, code in ((ICD10CM, "M34.1"), (ICD10, "M34.1"), (SNOMED, "31848007"), (SNOMED, "62382002")):
        assert T.concepts(system, code) == {"ctd.systemic_sclerosis", "ctd.systemic_sclerosis_limited"}


def test_l94_2_is_not_its_neighbours():
    assert T.concepts(ICD10CM, "L94.2") == {"calcinosis.cutis"}
    assert not any(c.startswith("calcinosis") for c in T.concepts(ICD10CM, "L94.0") | T.concepts(ICD10CM, "L94"))


def test_who_and_cm_codes_of_one_spelling_are_kept_apart():
    assert T.concepts(ICD10, "E83.5") == {"calcinosis.broad"}
    assert T.concepts(ICD10CM, "E83.52") == {"exclude.hypercalcaemia"}
    assert T.concepts(ICD10CM, "E83.59") == {"calcinosis.broad"}
    assert T.concepts(ICD10, "E83.52") == {"calcinosis.broad"}  # no such WHO code: its subcategory decides


def test_drug_induced_lupus_stays_out_of_the_inclusion_set():
    for system, code in ((ICD10CM, "M32.0"), (ICD10, "M32.0"), (SNOMED, "80258006"), (SNOMED, "201436003")):
        concepts = T.concepts(system, code)
        assert "trigger.drug_induced_lupus" in concepts
        assert "ctd.sle" not in concepts


def test_polymyositis_is_not_dermatomyositis():
    assert T.concepts(ICD10CM, "M33.22") == {"ctd.polymyositis"}
    assert T.concepts(SNOMED, "239898008") >= {"ctd.polymyositis", "trigger.cancer_history"}
    assert "ctd.dermatomyositis" not in T.concepts(SNOMED, "239898008")


def test_bare_codes_are_marked():
    for system, code in (
        (ICD10CM, "R22.31"),
        (ICD10CM, "R23.4"),
        (ICD10, "R22.7"),
        (SNOMED, "444905003"),
        (SNOMED, "95324001"),
    ):
        assert "finding.bare" in T.concepts(system, code)
    for code in ("95319004", "95325000", "445328000", "34319007"):
        assert "finding.bare" not in T.concepts(SNOMED, code)


def test_a_code_can_say_no():
    assert T.absences(SNOMED, "60001007") == {"trigger.pregnancy"}
    assert T.absences(ICD10CM, "Z32.02") == {"trigger.pregnancy"}
    assert T.absences(SNOMED, "8517006") == {"trigger.smoker"}
    assert T.absences(SNOMED, "77386006") == frozenset()


@given(st.one_of(st.none(), st.text(max_size=40)), st.one_of(st.none(), st.text(max_size=30)))
def test_no_coding_raises(system, code):
    assert isinstance(T.concepts(system, code), frozenset)
    assert T.absences(system, code) is not None
    T.analyte(system, code)
    T.workup(system, code)
    T.sites(system, code)
    T.drugs.by_code(system, code)


# ---- laboratory: the wrong codes that were found in public data


@pytest.mark.parametrize(
    ("code", "analyte", "prop", "specimen"),
    [
        ("1994-3", "calcium-ionized", "moles", "blood"),
        ("1995-0", "calcium-ionized", "moles", "serum"),
        ("2000-8", "calcium-total", "moles", "serum"),
        ("17861-6", "calcium-total", "mass", "serum"),
        ("29265-6", "calcium-adjusted", "moles", "serum"),
        ("46099-8", "calcium-adjusted", "mass", "serum"),
        ("14879-1", "phosphate", "moles", "serum"),
        ("2777-1", "phosphate", "mass", "serum"),
        ("2862-1", "albumin", "mass", "serum"),
        ("61151-7", "albumin", "mass", "serum"),
        ("61152-5", "albumin", "mass", "serum"),
        ("5130-0", "anti-dsdna", "arbitrary", "serum"),
        ("31348-6", "anti-dsdna", "presence", "serum"),
        ("8867-4", "heart-rate", "rate", ""),
        ("107562-1", "myositis-antibodies", "presence", "serum"),
    ],
)
def test_what_a_loinc_code_really_measures(code, analyte, prop, specimen):
    found = T.analyte(LOINC, code)
    assert found is not None
    assert (found.analyte, found.property, found.specimen) == (analyte, prop, specimen)


@pytest.mark.parametrize(
    "code",
    [
        "49936-8",  # a ratio, no corrected calcium
        "12180-6",  # sources disagree on mass or moles
        "7465-1",  # used for anti-dsDNA in a demo bundle
        "8867-5",  # fails the check digit
        "17862-4",  # urine calcium
        "6874-2",  # urine calcium
        "14637-3",  # urine calcium
        "14959-1",  # urine albumin over creatinine
        "2161-8",  # urine creatinine
    ],
)
def test_a_loinc_code_that_is_no_analyte_of_ours(code):
    assert T.analyte(LOINC, code) is None


def test_loinc_names_agree_with_property_and_specimen():
    words = {
        "mass": "[Mass/volume]",
        "moles": "[Moles/volume]",
        "presence": "[Presence]",
        "arbitrary": "[Units/volume]",
    }
    for row in T.rows:
        if not row.list.startswith("lab.") or "[" not in row.display:
            continue
        if (word := words.get(row.extra["property"])) is not None:
            assert word in row.display, row
        if row.extra["specimen"] == "urine":
            assert row.list == "lab.pregnancy-test", row
        assert ("Wound" in row.display) == (row.extra["specimen"] == "wound"), row
        assert ("Urine" in row.display) == (row.extra["specimen"] == "urine"), row


def test_every_analyte_and_workup_id_is_a_known_one():
    analytes = {r["analyte"] for r in table("analytes")}
    workup = {r["workup"] for r in table("workup")}
    assert T.known_analytes <= analytes
    for row in T.rows:
        if row.list.startswith("workup."):
            assert row.list.removeprefix("workup.") in workup
    assert {r["workup"] for r in table("analyte_workup")} <= workup
    assert {r["analyte"] for r in table("analyte_workup")} <= analytes


def test_myositis_antibodies_say_which():
    for row in T.rows:
        if row.list.startswith("lab."):
            assert bool(row.extra["antibody"]) == (row.list == "lab.myositis-antibodies")


# ---- workup, orders, sites


def test_workup_of_results_orders_and_images():
    assert T.workup(LOINC, "2000-8") == {"calcium"}
    assert T.workup(LOINC, "1995-0") == {"ionized-calcium"}
    assert T.workup(LOINC, "28582-5") == {"radiograph"}
    assert T.workup(SNOMED, "240977001") == {"skin-biopsy"}
    assert T.workup(SNOMED, "308472003") == {"referral-dermatology"}
    assert T.workup(LOINC, "777-3") == {"blood-count"}
    assert T.workup(SNOMED, "95319004") == frozenset()


def test_codings_for_orders_fix_the_unit_that_was_asked_for():
    assert [c.code for c in T.codings("calcium")] == ["71878006", "17861-6"]
    assert [c.code for c in T.codings("calcium", "si")] == ["71878006", "2000-8"]
    assert T.codings("nothing-of-this-name") == ()
    for workup in (r["workup"] for r in table("workup")):
        for units in ("conventional", "si"):
            found = T.codings(workup, units)
            assert len({c.system for c in found}) == len(found), (workup, units)


def test_only_verified_codes_are_ever_written():
    verified = {
        (systems.system_uri(r.system), r.code) for r in T.rows if r.use == "write" and r.confidence == "verified"
    }
    written = {
        (c.system, c.code) for r in table("workup") for u in ("conventional", "si") for c in T.codings(r["workup"], u)
    }
    assert written <= verified


def test_loinc_for_a_search():
    found = T.loinc_for(["calcium-total", "phosphate", "calcium-total"])
    assert found[:3] == ("17861-6", "2000-8", "49765-1")
    assert len(set(found)) == len(found)
    assert T.loinc_for(["no-such-analyte"]) == ()


def test_codes_of_a_concept_include_what_implies_it():
    found = T.codes_of("ctd.sle")
    assert (SNOMED, "55464009") in found
    assert (SNOMED, "68815009") in found


def test_body_sites():
    site = T.site(SNOMED, "14975008")
    assert site is not None
    assert (site.region, site.place, site.code, site.display) == ("forearm", "forearm", "14975008", "Forearm structure")
    assert T.site(SNOMED, "80248007").laterality == "left"
    assert T.sites(SNOMED, "55464009") == ()
    regions = {
        "head-face", "neck", "chest-breast", "abdomen", "back", "shoulder-axilla", "upper-arm", "elbow", "forearm",
        "hand", "buttock-sacrum", "hip", "genital", "thigh", "knee", "lower-leg-ankle", "foot",
    }  # fmt: skip
    assert {r["region"] for r in table("sites")} <= regions


def test_what_implies_what_has_no_circle_and_no_unknown_name():
    rows = table("implies")
    assert all(r["why"] for r in rows)
    above = {}
    for row in rows:
        above.setdefault(row["concept"], set()).add(row["implies"])
    for start in above:
        todo, seen = list(above[start]), set()
        while todo:
            name = todo.pop()
            assert name != start, start
            if name not in seen:
                seen.add(name)
                todo.extend(above.get(name, ()))
    assert set(above) <= {r.list for r in T.rows}


# ---- a broken list is refused


HEAD = "system,code,display,provenance,confidence,use,note\n"
GOOD = "ICD-10-CM,L94.2,Calcinosis cutis,verified: x,verified,read,\n"


class File:
    def __init__(self, text):
        self.text = text

    def read_text(self, encoding):
        assert encoding == "utf-8"
        return self.text


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("code,system\n", "line 1"),
        (HEAD + GOOD + "ICD-10-CM,L94.2\n", "line 3"),
        (HEAD + GOOD.replace("ICD-10-CM", "ICD-11"), "line 2, column system"),
        (HEAD + GOOD.replace("L94.2", "L942"), "line 2, column code"),
        (HEAD + GOOD.replace("verified: x", ""), "line 2"),
        (HEAD + GOOD.replace(",verified,", ",memory,"), "line 2"),
        (HEAD + GOOD.replace(",verified,read,", ",single-source,write,"), "line 2, column use"),
        (HEAD + GOOD.replace(",read,", ",write,"), "line 2, column use"),
        (HEAD + "SNOMED CT,55464008,x,y,verified,read,\n", "line 2, column code"),
    ],
)
def test_a_broken_list_is_named(text, where):
    with pytest.raises(CodelistError) as caught:
        _read(File(text), "codes/x.csv", "x", {})
    assert (caught.value.file, caught.value.where) == ("codes/x.csv", where)


def test_a_good_list_is_read():
    assert [r.code for r in _read(File(HEAD + GOOD), "codes/x.csv", "x", {})] == ["L94.2"]


def test_loading_is_shared():
    assert load_terminology() is load_terminology()


# ---- titles without their codes


@pytest.mark.parametrize(
    ("title", "concept"),
    [
        (
            "Atherosclerosis of native arteries of extremities with rest pain, right leg",
            "trigger.peripheral_arterial_disease",
        ),
        ("CHRONIC KIDNEY DISEASE,  STAGE 5", "trigger.ckd_5"),
        ("Mother currently breastfeeding", "trigger.lactation"),
        ("Hereditary factor VIII deficiency (CMS/HCC)", "trigger.coagulopathy"),
        ("Malignant neoplasm of unspecified site of right female breast", "exclude.malignancy"),
    ],
)
def test_an_official_title_means_what_its_code_means(title: str, concept: str) -> None:
    assert concept in T.titled(title)


@pytest.mark.parametrize(
    "title",
    [
        "",
        "Gestational diabetes mellitus",  # ICD-10-CM: a pregnancy; SNOMED CT: a diabetes
        "Autosomal dominant hypocalcemia",  # two concepts, by system
        "Purpura",  # a single word
        "Systemic lupus erythematosus, unspecified",  # a disease: the lexicons name it
        "Atherosclerosis of native arteries of extremities with rest pain, right leg, resolved",
    ],
)
def test_words_that_are_no_title_of_one_meaning_say_nothing(title: str) -> None:
    assert T.titled(title) == frozenset()
