"""The drug dictionary: every agent, partner and class of the safety table is recognised, in five languages."""

from __future__ import annotations

import csv
from importlib import resources
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import systems
from mappings.drugs import DrugIds, load_drugs

D = load_drugs()


def read(text):
    found = DrugIds()
    for ids in D.by_name(text):
        found |= ids
    return found


def code_rows():
    text = (resources.files("mappings") / "data" / "drug_codes.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


SAFETY_TABLE = (
    "diltiazem minocycline colchicine alendronate risedronate pamidronate sodium-thiosulfate immunoglobulin "
    "rituximab probenecid aluminium-hydroxide warfarin triamcinolone tofacitinib infliximab etidronate "
    "ceftriaxone nifedipine amlodipine felodipine nicardipine verapamil ivabradine amiodarone clonidine "
    "digoxin ciclosporin tacrolimus sirolimus everolimus voclosporin simvastatin lovastatin atorvastatin "
    "pravastatin apixaban rivaroxaban carbamazepine methylprednisolone midazolam quetiapine buspirone lithium "
    "cimetidine sildenafil tadalafil rifampicin calcitriol alfacalcidol colecalciferol cyclophosphamide "
    "clarithromycin ketoconazole itraconazole posaconazole voriconazole ritonavir cobicistat ranolazine "
    "erythromycin fluconazole hydroxychloroquine chloroquine methotrexate mycophenolate levothyroxine "
    "isotretinoin acitretin flucloxacillin dicloxacillin amoxicillin acetylsalicylic-acid acenocoumarol "
    "phenprocoumon fluindione abatacept azathioprine prednisone prednisolone denosumab teriparatide cinacalcet "
    "cefalexin clindamycin metoprolol "
)
"""agents, interacting drugs and class members that the safety rules name."""


@pytest.mark.parametrize(
    "drug",
    SAFETY_TABLE.split(),
)
def test_every_drug_of_the_safety_table_is_known(drug):
    assert drug in D
    assert read(drug.replace("-", " ")).drugs == {drug}


@pytest.mark.parametrize(
    ("text", "drugs", "classes"),
    [
        ("Diltiazem ER 120 mg", {"diltiazem"}, {"moderate-cyp3a4-inhibitor"}),
        ("metoprolol succinate 50 mg", {"metoprolol"}, {"beta-blocker"}),
        ("24 HR metoprolol succinate 25 MG Extended Release Oral Tablet", {"metoprolol"}, {"beta-blocker"}),
        ("Bisoprolol 2,5 mg 1-0-0", {"bisoprolol"}, {"beta-blocker"}),
        ("timolol 0.5 % eye drops", {"timolol"}, {"beta-blocker"}),
        ("lisinopril 10 mg", set(), set()),
        ("NIFÉDIPINE LP 60 mg", {"nifedipine"}, {"dihydropyridine"}),
        ("nifedipino 30 mg", {"nifedipine"}, {"dihydropyridine"}),
        ("besilato de anlodipino 5 mg", {"amlodipine"}, {"dihydropyridine"}),
        ("Diltiazemhydrochlorid 60 mg", {"diltiazem"}, {"moderate-cyp3a4-inhibitor"}),
        ("Metoprololsuccinat 47,5 mg", {"metoprolol"}, {"beta-blocker"}),
        ("Alendronsäure 70 mg", {"alendronate"}, {"bisphosphonate"}),
        ("ácido alendrónico 70 mg", {"alendronate"}, {"bisphosphonate"}),
        ("acide alendronique", {"alendronate"}, {"bisphosphonate"}),
        ("colchicina 0,5 mg", {"colchicine"}, set()),
        ("Colchicin-Tabletten", {"colchicine"}, set()),
        ("minociclina", {"minocycline"}, {"tetracycline"}),
        ("tiosulfato de sodio 25 %", {"sodium-thiosulfate"}, {"thiosulfate"}),
        ("Natriumthiosulfat", {"sodium-thiosulfate"}, {"thiosulfate"}),
        ("hidróxido de alumínio", {"aluminium-hydroxide"}, {"antacid", "polyvalent-cation"}),
        ("aspirin 81 mg", {"acetylsalicylic-acid"}, {"salicylate"}),
        ("Acetylsalicylsäure 100", {"acetylsalicylic-acid"}, {"salicylate"}),
        ("AAS 100 mg", {"acetylsalicylic-acid"}, {"salicylate"}),
        ("flucloxacillin 500 mg", {"flucloxacillin"}, {"penicillin"}),
        ("amoxicillin/clavulanate 875-125", {"amoxicillin"}, {"penicillin"}),
        ("fenofibrate", {"fenofibrate"}, {"fibrate"}),
        ("rosuvastatina 10 mg", {"rosuvastatin"}, {"statin"}),
        ("acénocoumarol", {"acenocoumarol"}, {"anticoagulant", "vka"}),
        ("apixaban 5 mg", {"apixaban"}, {"anticoagulant", "doac"}),
        ("enoxaparina 60 mg", {"enoxaparin"}, {"anticoagulant", "heparin-therapeutic"}),
        ("ibuprofeno 400", {"ibuprofen"}, {"nephrotoxic", "nsaid"}),
        ("gentamicin", {"gentamicin"}, {"aminoglycoside", "nephrotoxic"}),
        ("amphotericin B liposomal", {"amphotericin-b"}, {"nephrotoxic"}),
        ("cyclosporine modified 100 MG", {"ciclosporin"}, {"calcineurin-inhibitor", "nephrotoxic", "pgp-inhibitor"}),
        ("voclosporin", {"voclosporin"}, {"calcineurin-inhibitor", "nephrotoxic", "pgp-inhibitor"}),
        ("isotretinoin 20 mg", {"isotretinoin"}, {"retinoid"}),
        ("ciprofloxacino", {"ciprofloxacin"}, {"fluoroquinolone"}),
        ("prednisolona 10 mg", {"prednisolone"}, {"glucocorticoid"}),
        ("estradiol 1 mg", {"estradiol"}, {"oestrogen"}),
        ("ergotamine", {"ergotamine"}, {"ergot-alkaloid"}),
        ("calcitriol 0.25 mcg", {"calcitriol"}, {"vitamin-d", "vitamin-d-active"}),
        ("vitamin D3 1000 IU", {"colecalciferol"}, {"vitamin-d"}),
        ("ferrous sulfate 325 mg", {"ferrous-sulfate"}, {"iron", "polyvalent-cation"}),
        ("zinc sulfate", {"zinc"}, {"polyvalent-cation"}),
        ("magnesium oxide 400", {"magnesium-oxide"}, {"antacid", "polyvalent-cation"}),
        ("oral calcium", {"calcium"}, {"calcium-salt", "polyvalent-cation"}),
        ("calcium carbonate", {"calcium-carbonate"}, {"antacid", "calcium-salt", "polyvalent-cation"}),
        ("hydrochlorothiazide 25 mg", {"hydrochlorothiazide"}, {"thiazide"}),
        ("etanercept", {"etanercept"}, {"tnf-inhibitor"}),
        ("baricitinib", {"baricitinib"}, {"jak-inhibitor"}),
        ("rituximab-abbs", {"rituximab"}, {"anti-cd20"}),
        ("IVIG 2 g/kg", {"immunoglobulin"}, {"immunoglobulin"}),
        ("varicella virus vaccine live", {"vaccine-varicella"}, {"live-vaccine"}),
        ("Cardizem CD", {"diltiazem"}, {"moderate-cyp3a4-inhibitor"}),
    ],
)  # fmt: skip
def test_a_name_is_understood(text, drugs, classes):
    found = read(text)
    assert found.drugs == drugs
    assert found.classes == classes


def test_combinations_give_each_ingredient():
    assert read("amlodipine 5 mg / atorvastatin 10 mg").drugs == {"amlodipine", "atorvastatin"}
    assert read("alendronic acid and colecalciferol").drugs == {"alendronate", "colecalciferol"}


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("Penicillins", {"penicillin"}),
        ("bisphosphonates", {"bisphosphonate"}),
        ("Sulfites", {"sulfite"}),
        ("Calcium channel blockers", {"calcium-channel-blocker"}),
        ("Kalziumantagonisten", {"calcium-channel-blocker"}),
        ("sodium metabisulfite", {"sulfite"}),
        ("tetraciclinas", {"tetracycline"}),
        ("NSAIDs", {"nsaid", "nephrotoxic"}),
        ("bêtabloquant", {"beta-blocker"}),
        ("antagonista de la vitamina K", {"vka", "anticoagulant"}),
    ],
)
def test_a_class_name_gives_the_class_alone(text, classes):
    found = read(text)
    assert found.classes == classes
    assert found.drugs == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "atorvastatin calcium 20 mg", "rosuvastatin calcium", "calcium channel blocker", "leucovorin calcium",
        "calcium folinate", "esomeprazole magnesium", "zinc oxide paste", "calcium deposits",
        "dexamethasone sodium phosphate",
        "heparin lock flush", "lupus anticoagulant", "vitamin D deficiency", "bloqueador dos canais de cálcio",
    ],
)  # fmt: skip
def test_a_salt_word_is_no_salt(text):
    found = read(text)
    assert not found.classes & {"calcium-salt", "polyvalent-cation", "anticoagulant", "phosphate-salt", "vitamin-d"}


def test_words_are_whole_words():
    assert read("prediltiazemic metoprololish") == DrugIds()


@pytest.mark.parametrize(
    ("text", "drug"),
    [
        ("propanolol 40 mg tds", "propranolol"),
        ("metroprolol 50", "metoprolol"),
        ("Diltiazam", "diltiazem"),
        ("nifedepine LA", "nifedipine"),
        ("verapmail SR 240", "verapamil"),
        ("CBZ 200 mg bd", "carbamazepine"),
    ],
)
def test_a_misspelt_or_short_name_is_understood(text, drug):
    assert read(text).drugs == {drug}


@pytest.mark.parametrize(
    "text", ["clonixin", "amiloride", "ketotifen", "hydralazine", "sulfadiazine", "metformin", "iodine"]
)
def test_a_real_name_near_another_is_not_taken_for_it(text):
    assert read(text) == DrugIds()


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("Beloc-Zok mite 47,5 mg", {"metoprolol"}),
        ("Cosopt eye drops", {"timolol"}),
        ("Exforge HCT 10 mg/160 mg/12.5 mg", {"amlodipine", "hydrochlorothiazide"}),
        ("Tarka 180/2", {"verapamil"}),
        ("Isoptine LP 240", {"verapamil"}),
        ("Inegy 10/20", {"simvastatin"}),
        ("Tildiem LP 200", {"diltiazem"}),
        ("Colchimax", {"colchicine"}),
        ("Paxlovid", {"ritonavir"}),
        ("Kardégic 75 mg", {"acetylsalicylic-acid"}),
        ("Caduet 5/10", {"amlodipine", "atorvastatin"}),
        ("Marcoumar", {"phenprocoumon"}),
        ("Emconcor Cor 2,5 mg", {"bisoprolol"}),
        ("MetoHEXAL Succ 47,5 mg ret. 1-0-0", {"metoprolol"}),
        ("Copalia HCT 5/160/12.5", {"amlodipine", "hydrochlorothiazide"}),
        ("Azor 5-20", {"amlodipine"}),
        ("Covera-HS 240", {"verapamil"}),
        ("Angizem 120 mg compresse", {"diltiazem"}),
        ("Ancoron 200", {"amiodarone"}),
        ("Curam Duo 500/125", {"amoxicillin"}),
        ("Acnecutan 16 mg", {"isotretinoin"}),
    ],
)
def test_a_brand_gives_everything_in_it(text, drugs):
    assert read(text).drugs == drugs


def test_every_brand_gives_its_drugs_and_names_nothing_else():
    text = (resources.files("mappings") / "data" / "drug_brands.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["brand"] for row in rows] == sorted({row["brand"] for row in rows})
    for row in rows:
        assert row["source"], row
        assert set(row["drugs"].split()) <= read(row["brand"].upper()).drugs, row


def test_a_food_additive_number_is_a_sulfite():
    assert read("Natriummetabisulfit (E223)").classes == {"sulfite"}
    assert read("sodium sulfate") == DrugIds()


@given(st.text(max_size=300))
def test_no_text_raises_and_places_are_in_order(text):
    hits = D.find(text)
    assert all(a.end <= b.start for a, b in pairwise(hits))


@given(st.sampled_from(sorted(D.names)), st.sampled_from(["", " 10 mg", " (retard)", ", oral"]), st.booleans())
def test_every_name_gives_its_drug_in_any_case(drug, tail, upper):
    for name in D.names[drug]:
        text = (name.upper() if upper else name) + tail
        assert drug in read(text).drugs, text


@pytest.mark.parametrize("nothing", [None, "", "   ", 7, [], b"diltiazem"])
def test_no_text(nothing):
    assert D.by_name(nothing) == ()


def test_place_of_a_name_counts_in_the_text():
    text = "toma nifedipino 30 mg y ácido acetilsalicílico"
    assert [text[h.start : h.end] for h in D.find(text)] == ["nifedipino", "ácido acetilsalicílico"]


@pytest.mark.parametrize(
    ("system", "code", "drugs", "classes"),
    [
        (systems.RXNORM, "3443", {"diltiazem"}, {"moderate-cyp3a4-inhibitor"}),
        ("urn:oid:2.16.840.1.113883.6.88", "830874", {"diltiazem"}, {"moderate-cyp3a4-inhibitor"}),
        (systems.RXNORM, "42316", {"tacrolimus"}, {"calcineurin-inhibitor", "nephrotoxic"}),
        (systems.RXNORM, "614391", {"abatacept"}, set()),
        (systems.RXNORM, "3002", {"cyclophosphamide"}, set()),
        (systems.RXNORM, "46041", {"alendronate"}, {"bisphosphonate"}),
        (systems.ATC, "C08DB01", {"diltiazem"}, {"moderate-cyp3a4-inhibitor"}),
        (systems.ATC, "c07ab02", {"metoprolol"}, {"beta-blocker"}),
        (systems.ATC, "C07AB", set(), {"beta-blocker"}),
        (systems.ATC, "S01ED01", {"timolol"}, {"beta-blocker"}),
        (systems.ATC, "C09BB10", {"verapamil"}, {"moderate-cyp3a4-inhibitor"}),
        (systems.ATC, "C08CA99", set(), {"dihydropyridine"}),
        (systems.ATC, "L01FA01", {"rituximab"}, {"anti-cd20"}),
        (systems.ATC, "L01XC02", {"rituximab"}, {"anti-cd20"}),
        (systems.ATC, "L04AF01", {"tofacitinib"}, {"jak-inhibitor"}),
        (systems.ATC, "L04AA29", {"tofacitinib"}, {"jak-inhibitor"}),
        (systems.ATC, "V03AB06", {"sodium-thiosulfate"}, {"thiosulfate"}),
        (systems.SNOMED, "372793000", {"diltiazem"}, {"moderate-cyp3a4-inhibitor"}),
    ],
)  # fmt: skip
def test_a_code_is_understood(system, code, drugs, classes):
    found = D.by_code(system, code)
    assert found is not None
    assert found.drugs == drugs
    assert found.classes == classes


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (systems.RXNORM, "9863"),  # sodium chloride, once taken for sodium thiosulfate
        (systems.RXNORM, "613391"),  # prasugrel
        (systems.ATC, "C08DB"),
        (systems.ATC, "C"),
        (systems.ATC, "B01AB02"),  # antithrombin
        (systems.ATC, "J06BB04"),  # a specific immunoglobulin is no IVIG
        (None, "3443"),
        ("https://hospital.example", "3443"),
        (systems.RXNORM, None),
    ],
)
def test_a_code_says_nothing_here(system, code):
    assert D.by_code(system, code) is None


def test_every_code_row_has_its_source_and_names_its_drug():
    for row in code_rows():
        assert row["drug"] in D, row
        assert row["confidence"] in ("verified", "single-source")
        assert row["provenance"].startswith("verified: " if row["confidence"] == "verified" else "SINGLE-SOURCE: ")
        assert "memory" not in row["provenance"]
        assert row["use"] == "read" or row["confidence"] == "verified"
        if row["system"] != "ATC":
            assert row["drug"] in read(row["display"]).drugs, row


def test_classes_state_their_source():
    for entry in D.classes.values():
        assert entry.source
        assert entry.basis in ("source", "unverified-conservative")
        assert set(entry.implies) <= set(D.classes)


def test_routes_by_which_a_class_does_not_count():
    cream = D.for_route(read("tretinoin 0.05 % cream"), "topical")
    assert cream.drugs == {"tretinoin"}
    assert cream.classes == frozenset()
    assert D.for_route(read("timolol eye drops"), "ophthalmic").classes == {"beta-blocker"}
    assert D.for_route(read("isotretinoin"), None).classes == {"retinoid"}


def test_dose_units():
    assert D.dose_unit("diltiazem") == "mg"
    assert D.dose_unit("colecalciferol") == "[iU]"
    assert D.dose_unit("immunoglobulin") == "g"
