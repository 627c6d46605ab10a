"""Reports: why one was asked for is no finding of it; calcium that the report itself gives to a tendon or a tumour."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


@pytest.mark.parametrize(
    "text",
    [
        "INDICATION: calcinosis elbows\nFINDINGS: No acute fracture.",
        "CLINICAL: calcinosis in both elbows. REPORT: Normal appearances.",
        "Hx: SSc with calcinosis. Findings: no fracture.",
        "Motivo: calcinosis en codos. Hallazgos: sin alteraciones.",
        "Antecedentes: esclerodermia con calcinosis. Informe: normal.",
        "Informação clínica: calcinose dos cotovelos. Relatório: normal.",
        "Renseignements cliniques : calcinose des coudes. Compte rendu : normal.",
        "Vorgeschichte: Calcinosis an den Fingern. Befund: Unauffällig.",
    ],
)
def test_why_a_report_was_asked_for_is_no_finding(text: str) -> None:
    assert not [m for m in ENGINE.read(text, kind="imaging").imaging if m.finding == "soft-tissue"]


@pytest.mark.parametrize(
    "text",
    [
        "INDICATION: pain\nFINDINGS: calcinosis of both elbows.",
        "INDICATION: calcinosis elbows\nFINDINGS: calcinosis of both elbows.",
        "Antecedentes: esclerodermia. Informe: calcificaciones de partes blandas en dedos.",
        "Vorgeschichte: SSc. Befund: Weichteilverkalkungen der Finger.",
    ],
)
def test_what_the_report_found_is_one(text: str) -> None:
    assert [m.finding for m in ENGINE.read(text, kind="imaging").imaging] == ["soft-tissue"]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Calcification adjacent to the greater trochanter, likely calcific tendinosis.", "joint-or-tendon-only"),
        ("Calcificación en cara lateral del hombro, compatible con tendinitis calcificante.", "joint-or-tendon-only"),
        ("Calcificação junto ao ombro, compatível com tendinite calcificante.", "joint-or-tendon-only"),
        ("Calcifications péri-articulaires de l'épaule, évoquant une tendinite calcifiante.", "joint-or-tendon-only"),
        ("Verkalkung am Trochanter, am ehesten Tendinosis calcarea.", "joint-or-tendon-only"),
        ("Calcification of the thigh, likely calcified phlebolith.", "vascular-only"),
        ("Soft tissue calcification of the shoulder, and possible calcific tendinitis.", "soft-tissue"),
        ("Calcifications of the fingers, likely calcinosis cutis, calcific tendinitis of the shoulder.", "soft-tissue"),
        ("Calcification of the finger tuft, possible joint space narrowing.", "soft-tissue"),
    ],
)
def test_the_report_says_what_a_calcification_is(text: str, finding: str) -> None:
    assert [m.finding for m in ENGINE.read(text, kind="imaging").imaging] == [finding]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Pilomatricoma with calcification.", "not-understood"),
        ("Pilomatrixom mit Verkalkung.", "not-understood"),
        ("Trichilemmal cyst with focal calcification.", "not-understood"),
        ("Kyste épidermoïde calcifié.", "not-understood"),
        ("Epidermoid cyst. Dermal calcium deposits nearby.", "calcium"),
        ("Calcification in the dermis overlying a lipoma.", "calcium"),
        ("Lupus panniculitis with calcification.", "calcium"),
    ],
)
def test_the_calcium_of_a_tumour_is_no_deposit_in_the_skin(text: str, finding: str) -> None:
    assert [m.finding for m in ENGINE.read(text, kind="pathology").biopsies] == [finding]


@pytest.mark.parametrize(
    "text",
    [
        "Elbows: hard nodules bilat. Knees: none.",
        "Ellenbogen: harte Knoten bds. Knie: keine.",
        "Hard nodule, approx. 2 cm.",
    ],
)
def test_an_abbreviation_before_a_heading_ends_the_sentence(text: str) -> None:
    assert [(m.status, m.hardness) for m in ENGINE.read(text).lesions] == [("affirmed", "definite")]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Hard nodules on both elbows, similar to those of her mother.", "affirmed"),
        ("Grandmother feels hard lumps in his thighs when bathing him.", "affirmed"),
        ("Her grandmother has hard lumps in the thighs.", "family"),
    ],
)
def test_whom_a_relative_beside_the_finding_concerns(text: str, status: str) -> None:
    assert ENGINE.read(text).lesions[0].status == status


def test_what_is_getting_harder_is_hard() -> None:
    assert ENGINE.read("The bumps on her knees are getting harder.").lesions[0].hardness == "definite"
