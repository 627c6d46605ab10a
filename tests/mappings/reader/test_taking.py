"""Drugs that a note names as taken."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mappings.codelists import load_terminology
from mappings.facts import Medication
from mappings.raw import RawChart
from mappings.reader import ChartReader
from mappings.text.engine import TextEngine

_TERMINOLOGY = load_terminology()
READER = ChartReader(_TERMINOLOGY, _TERMINOLOGY.drugs, TextEngine.load())


def note(words: str, number: int = 1, date: str | None = "2026-05-18", **more: Any) -> dict[str, Any]:
    content = {"contentType": "text/plain", "data": base64.b64encode(words.encode()).decode()}
    dated = {"date": f"{date}T10:00:00Z"} if date else {}
    return {
        "resourceType": "DocumentReference",
        "id": f"n{number}",
        "status": "current",
        "subject": {"reference": "Patient/p"},
        "content": [{"attachment": content}],
        **dated,
        **more,
    }


def listed(drug: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": drug},
        **more,
    }


def taken(*resources: dict[str, Any]) -> tuple[Medication, ...]:
    facts = READER.read(RawChart("p", resources, {}))
    return tuple(sorted((m for m in facts.medications if m.told is not None), key=lambda m: sorted(m.drugs)))


@pytest.mark.parametrize(
    ("words", "drugs"),
    [
        ("On diltiazem CD 240.", {"diltiazem"}),
        ("Kardégic 75 : 1 sachet le midi", {"acetylsalicylic-acid"}),
        ("Propranolol zur Migräneprophylaxe", {"propranolol"}),
        ("Carvedilol 6,25 zur Varizenprophylaxe, Haut oB", {"carvedilol"}),
        ("Diltiazem LP 1 sobre", {"diltiazem"}),
        ("Atenolol 25 ao pequeno-almoço", {"atenolol"}),
        ("Bisoprolol 2.5 with breakfast", {"bisoprolol"}),
        ("Bisoprolol 2,5 zum Frühstück", {"bisoprolol"}),
        ("1. HTN - metoprolol 25.\n2. Raynaud - amlodipine 5.\n3. GERD", {"metoprolol", "amlodipine"}),
        ("HTA - bisoprolol 2,5", {"bisoprolol"}),
        ("Tacrolimus trough 6.2, digoxin level 0.9", {"tacrolimus", "digoxin"}),
        ("Clonidine patch weekly", {"clonidine"}),
        ("calcium 9.1\nmagnesium 2.0\namlodipine 2019\nmetoprolol 25 stopped", set()),
        ("Taking metoprolol tartrate 25 bid and digoxin 0.125.", {"metoprolol", "digoxin"}),
        ("Metoprolol succ 50 mg daily, warfarin 5 mg qd for AF, apixaban stopped 2022.", {"metoprolol", "warfarin"}),
        ("Warfarin stopped in 2019, on apixaban since.", {"apixaban"}),
        ("Current medication: nifedipine MR 30 mg od, omeprazole 20 mg od", {"nifedipine"}),
        (
            "MEDICATIONS\nmetoprolol 25 mg BID\nwarfarin\n\nPHYSICAL EXAM\ndiltiazem was discussed",
            {"metoprolol", "warfarin"},
        ),
        ("Mother has AF on amiodarone and a pacemaker.", set()),
        ("Husband says she takes amlodipine 5 mg daily.", {"amlodipine"}),
        ("Tac 2 mg AM / 1.5 mg PM (Adoport), last trough 5.8.", {"tacrolimus"}),
        ("Meds:\n- verapamil SR 240\nAllergies: minocycline\nPlan: add colchicine 0.5 mg daily", {"verapamil"}),
        ("Anticoagulated with warfarin for antiphospholipid syndrome.", {"warfarin"}),
        ("Nifedipine 60 mg/d was stopped and diltiazem 240 mg/d started.", {"diltiazem"}),
        ("Medicación actual:\n- Bisoprolol 2.5 mg: 1-0-0\n- Sintrom según pauta", {"bisoprolol", "acenocoumarol"}),
        ("metoprolol tartrate (LOPRESSOR) 25 MG tablet, Take 25 mg by mouth 2 times daily., Disp: 60", {"metoprolol"}),
        ("Her medications were amlodipine, warfarin and metoprolol.", {"amlodipine", "warfarin", "metoprolol"}),
        ("Patient has no fever and takes metoprolol.", {"metoprolol"}),
        ("Recommend avoiding clarithromycin while on colchicine.", {"colchicine"}),
        ("Tto: omeprazol 20 mg, nifedipino 30 mg.", {"nifedipine"}),
        ("Toma bisoprolol 2,5 mg y digoxina.", {"bisoprolol", "digoxin"}),
        ("Em uso de prednisona 5 mg e metoprolol 50 mg.", {"prednisone", "metoprolol"}),
        ("Traitement : amiodarone 200 mg/j, apixaban", {"amiodarone", "apixaban"}),
        ("Unter Marcumar, Metoprolol abgesetzt.", {"phenprocoumon"}),
        ("Medikation: Metoprolol 47,5 mg 1-0-0", {"metoprolol"}),
        ("<p>Medication: <b>metoprolol</b> 50 mg</p>", {"metoprolol"}),
        ("Switched from warfarin to apixaban in 2021.", {"apixaban"}),
        ("She was changed from nifedipine 30 mg to oral diltiazem 120 mg.", {"diltiazem"}),
        ("Nifedipine was replaced by metoprolol because of oedema.", {"metoprolol"}),
        ("Ramipril switched to metoprolol, warfarin continued 5 mg daily.", {"metoprolol", "warfarin"}),
        ("Se cambió de nifedipino a bisoprolol 2,5 mg.", {"bisoprolol"}),
        ("Nifedipino sustituido por metoprolol.", {"metoprolol"}),
        ("Trocado nifedipino por metoprolol 50 mg.", {"metoprolol"}),
        ("Varfarina substituída por apixabana.", {"apixaban"}),
        ("Amiodarone remplacée par bisoprolol.", {"bisoprolol"}),
        ("Passage de la warfarine à l'apixaban.", {"apixaban"}),
        ("Umgestellt von Nifedipin auf Metoprolol.", {"metoprolol"}),
        ("Nifedipin ersetzt durch Metoprolol.", {"metoprolol"}),
        ("Wegen Akne seit März Aknenor-\nmin 20 mg tgl.", {"isotretinoin"}),
        (
            "Taking warfa-\n  rin 5 mg, hydroxy-\r\nchloroquine and predni-\nsone.",
            {"warfarin", "hydroxychloroquine", "prednisone"},
        ),
    ],
)
def test_taken_now(words: str, drugs: set[str]) -> None:
    found = taken(note(words))
    assert set().union(*(m.drugs for m in found)) == drugs
    assert all(
        m.state == "active" and m.ref == "DocumentReference/n1" and str(m.told).startswith("2026-05-18") for m in found
    )


@pytest.mark.parametrize(
    "words",
    [
        "Not on warfarin.",
        "Never took warfarin.",
        "Denies taking warfarin.",
        "Was previously on warfarin.",
        "Amiodarone was discontinued.",
        "Mother takes warfarin.",
        "If on simvastatin, limit the dose.",
        "Plan: start diltiazem 120 mg daily.",
        "Plan:\n- diltiazem 120 mg daily",
        "Past medications: warfarin 5 mg daily",
        "Discussed diltiazem 120 mg, colchicine and minocycline as options.",
        "We could consider diltiazem 60 mg tds.",
        "Diltiazem 120 mg daily could be tried.",
        "Allergies: diltiazem (rash), minocycline",
        "Cyclosporine was tried without response.",
        "Warfarin and calciphylaxis: a review.",
        "Serum calcium 9.2 mg/dL, magnesium 2.1 mg/dL.",
        "No effect on calcium metabolism.",
        "Dexamethasone eye drops, on latanoprost eye drops.",
        "Metoprolol abgesetzt.",
        "In 2019 she received diltiazem 240 mg/d.",
        "She was treated with cyclosporine 100 mg BID.",
        "A été traitée par ciclosporine 200 mg/j.",
        "Nunca tomó metoprolol.",
        "Pas de bisoprolol.",
        "Iniciar diltiazem 120 mg/dia.",
        "Consider switching from nifedipine to diltiazem.",
        "Could be switched to diltiazem 120 mg.",
        "Will be switched from warfarin to apixaban.",
        "Diltiazem was replaced.",
        "Diltia-\nzem wurde abge-\nsetzt.",
    ],
)
def test_not_taken_now(words: str) -> None:
    assert taken(note(words)) == ()


def test_a_class_is_enough() -> None:
    (found,) = taken(note("Sous AVK depuis 2019."))
    assert "vka" in found.classes and not found.drugs


def test_the_newest_note_counts() -> None:
    older, newer = note("On warfarin.", 1, "2025-11-01"), note("Warfarin was stopped.", 2, "2026-05-18")
    assert taken(older, newer) == taken(newer, older) == ()
    assert [m.ref for m in taken(note("On warfarin.", 1, "2026-05-18"), note("Warfarin held.", 2, "2025-11-01"))] == [
        "DocumentReference/n1"
    ]


def test_the_list_goes_before_a_note() -> None:
    said = note("On warfarin 5 mg daily.")
    assert taken(said, listed("warfarin 5 mg")) == ()
    ended = {"status": "stopped", "dispenseRequest": {"validityPeriod": {"end": "2026-05-30"}}}
    assert taken(said, listed("warfarin 5 mg", **ended)) == ()
    assert len(taken(said, listed("metoprolol 50 mg"))) == 1


def test_a_note_without_a_date_and_a_restricted_one_tell_nothing() -> None:
    assert taken(note("On warfarin.", date=None)) == ()
    restricted = {
        "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
    }
    assert taken(note("On warfarin.", **restricted)) == ()


_ALONE = [
    ("Raynaud - nifedipine", {"nifedipine"}),
    ("Raynaud's: nifedipine, aspirin", {"nifedipine", "acetylsalicylic-acid"}),
    ("clonidine TTS-2 patch", {"clonidine"}),
    ("1. HTN - metoprolol, lisinopril\n2. Raynaud (nifedipine)", {"metoprolol", "nifedipine"}),
    ("PMH: HTN - amlodipine; AF - metoprolol XL, apixaban", {"amlodipine", "metoprolol", "apixaban"}),
    ("Allergies: minocycline\nHTN: metoprolol", {"metoprolol"}),
    ("HTA: amlodipino", {"amlodipine"}),
    ("Fenómeno de Raynaud: nifedipino", {"nifedipine"}),
    ("Parche de clonidina", {"clonidine"}),
    ("HAS: atenolol", {"atenolol"}),
    ("Fenômeno de Raynaud - nifedipina", {"nifedipine"}),
    ("Fibrillation auriculaire : amiodarone + apixaban", {"amiodarone", "apixaban"}),
    ("Syndrome de Raynaud : nifédipine LP", {"nifedipine"}),
    ("Raynaud-Phänomen: Nifedipin", {"nifedipine"}),
    ("VHF - Bisoprolol", {"bisoprolol"}),
    ("Clonidin-Pflaster", {"clonidine"}),
]


@pytest.mark.parametrize(("words", "drugs"), _ALONE)
def test_a_drug_beside_what_it_is_for_or_in_its_form_is_taken(words: str, drugs: set[str]) -> None:
    assert set().union(*(m.drugs for m in taken(note(words)))) == drugs


@pytest.mark.parametrize(
    "words",
    [
        "Allergies: clonidine patch",
        "ALLERGIES\nclonidine patch",
        "Allergies:\n- clonidine patch\n- HTN: metoprolol",
        "Treatment options:\n- Raynaud: nifedipine\n- diltiazem CD",
        "Options: nifedipine, diltiazem CD",
        "Raynaud: nifedipine or sildenafil",
        "Raynaud: nifedipine, diltiazem vs sildenafil",
        "Raynaud - nifedipine?",
        "Raynaud: nifedipine is often used",
        "Treatments for Raynaud: nifedipine, sildenafil",
        "Raynaud - nifedipine caused oedema",
        "Raynaud - nifedipine, stopped for headache",
        "HTA: amlodipino (suspendido)",
        "Plan:\nHTN: metoprolol\nRaynaud: nifedipine",
        "Conseils :\nRaynaud : nifédipine",
        "Family history:\nHTN - metoprolol",
        "HTN - metoprolol (husband)",
        "Vater: Hypertonie - Metoprolol",
        "Digital ulcers: nifedipine cream",
        "AF: warfarin in 2015",
    ],
)
def test_a_drug_named_for_another_reason_is_not_taken(words: str) -> None:
    assert taken(note(words)) == ()


@pytest.mark.parametrize(
    ("words", "strength", "daily"),
    [
        ("For years he has taken 40 mg of simvastatin at night.", 40, 40),
        ("He takes 10 mg of simvastatin twice daily.", 10, 20),
        ("Er nimmt 40 mg Simvastatin.", 40, None),
        ("Toma 40 mg de simvastatina.", 40, None),
        ("Il prend 40 mg de simvastatine.", 40, None),
        ("Takes 20 mg of simvastatin 2 times a day.", 20, None),
        ("Takes warfarin 5 mg simvastatin.", None, None),  # warfarin's
        ("Takes pantoprazole 40 mg, simvastatin.", None, None),
    ],
)
def test_a_dose_before_the_drug(words: str, strength: int | None, daily: int | None) -> None:
    (found,) = [m for m in taken(note(words)) if m.drugs == {"simvastatin"}]
    assert (found.strength, found.daily_dose) == (strength, daily)


@pytest.mark.parametrize(
    ("words", "drugs"),
    [
        ("Seen today. Meds: warfarin, simvastatin. Exam: no diltiazem rash.", {"warfarin", "simvastatin"}),
        ("Pt seen. Home medications: warfarin,\nsimvastatin\nWe discussed diltiazem.", {"warfarin", "simvastatin"}),
        ("Seen today. Medications:\nwarfarin\nsimvastatin", {"warfarin", "simvastatin"}),
        ("Seen today. Allergies: minocycline. Meds: warfarin.", {"warfarin"}),
        ("Seen today. Meds: warfarin. Plan: diltiazem 60 mg.", {"warfarin"}),
        ("Seen today. Meds: warfarin.\nDiltiazem, colchicine", {"warfarin"}),
        ("Doente observado hoje. Medicação habitual: varfarina.", {"warfarin"}),
        ("Vista hoy. Medicación habitual: warfarina.", {"warfarin"}),
        ("Vue ce jour. Traitement habituel : warfarine.", {"warfarin"}),
        ("Heute gesehen. Dauermedikation: Marcumar.", {"phenprocoumon"}),
        ("Reviewed options. Considered: warfarin.", set()),
    ],
)
def test_a_list_that_opens_behind_a_sentence(words: str, drugs: set[str]) -> None:
    assert set().union(*(m.drugs for m in taken(note(words)))) == drugs
