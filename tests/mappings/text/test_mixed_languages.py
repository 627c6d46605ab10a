"""Notes that mix languages: a sentence of a template, of an interpreter or of a letter in one language says nothing of
how the sentences around it are read."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

import pytest

from mappings.text.engine import LANGUAGES, TextEngine
from mappings.text.reading import TextReading

ENGINE = TextEngine.load()

NOTES = {
    "en": (
        "Systemic sclerosis for ten years. Hard nodules over both elbows. No ulcers. Calcium 9.4 mg/dL.",
        "Limited scleroderma.\nFamily history: mother with lupus.\nDenies dysphagia. HR 44 bpm, BP 110/60.",
    ),
    "es": (
        "Esclerosis sistémica. Nódulos duros en ambos codos, sin úlceras. FC 44 lpm, TA 110/60.",
        "Esclerodermia limitada.\nAntecedentes familiares: madre con lupus.\nNiega disfagia. Calcio 9,4 mg/dl.",
        "FC 44 lpm",
    ),
    "pt": (
        "Esclerose sistémica. Nódulos duros em ambos os cotovelos, sem úlceras. FC 44 bpm, PA 110/60.",
        "Dermatomiosite.\nHistória familiar: mãe com lúpus.\nNega disfagia. Cálcio 9,4 mg/dl.",
    ),
    "fr": (
        "Sclérodermie systémique. Nodules durs des deux coudes, sans ulcère. FC 44 bpm, TA 110/60.",
        "Dermatomyosite.\nAntécédents familiaux : mère avec un lupus.\nPas de dysphagie. Calcémie 2,35 mmol/l.",
    ),
    "de": (
        "Systemische Sklerose. Harte Knoten an beiden Ellenbogen, keine Ulzera. HF 44/min, RR 110/60.",
        "Dermatomyositis.\nFamilienanamnese: Mutter mit Lupus.\nKeine Dysphagie. Calcium 2,35 mmol/l.",
    ),
}
PLAIN = {
    "en": ("Patient seen in clinic today.", "Reviewed by Dr Smith on the ward.", "Thank you for referring her to us."),
    "es": ("Vista hoy en la consulta con su hija.", "Gracias por enviarnos a esta paciente."),
    "pt": ("Vista hoje na consulta com o seu marido.", "Agradecemos o envio desta doente à nossa consulta."),
    "fr": ("Vue ce jour en consultation avec son mari.", "Nous vous remercions de nous avoir adressé cette dame."),
    "de": ("Heute in der Sprechstunde mit der Tochter gesehen.", "Vielen Dank für die Überweisung an uns."),
}
"""sentences that tell nothing of a finding"""
PAIRS = [
    pytest.param(note, sentence, id=f"{sentence[:24]}-{note[:24]!r}")
    for language in LANGUAGES
    for other in LANGUAGES
    if other != language and "en" in (language, other)
    for note in NOTES[language]
    for sentence in PLAIN[other]
]


@dataclass(frozen=True)
class _Said:
    lesions: list[tuple[Any, ...]]
    concepts: list[tuple[Any, ...]]
    labs: list[tuple[Any, ...]]
    others: list[str]
    understood: bool


def _said(reading: TextReading) -> _Said:
    """What a reading says, without where in the text and of which language."""
    return _Said(
        sorted((m.kind, m.status, m.text, m.bare, str(m.hardness), str(m.sites)) for m in reading.lesions),
        sorted((m.concept, m.status, m.text) for m in reading.concepts),
        sorted((m.analyte, m.status, m.text, m.word or "", m.value or Decimal(-1)) for m in reading.labs),
        sorted(map(repr, (*reading.imaging, *reading.biopsies, *reading.tolerances))),
        reading.understood,
    )


def test_what_is_compared_is_something() -> None:
    """Each note says several things that are compared, so that a reading that loses one differs."""
    for notes in NOTES.values():
        for note in notes:
            said = _said(ENGINE.read(note))
            assert sum(len(getattr(said, field.name)) for field in fields(said) if field.name != "understood") >= 1, (
                note
            )
            assert len(note) < 20 or len(said.concepts) >= 2 or said.labs, note


@pytest.mark.parametrize(("note", "sentence"), PAIRS)
def test_a_sentence_in_front_changes_nothing(note: str, sentence: str) -> None:
    assert _said(ENGINE.read(f"{sentence} {note}")) == _said(ENGINE.read(note))
    assert _said(ENGINE.read(f"{sentence}\n\n{note}")) == _said(ENGINE.read(note))


@pytest.mark.parametrize(("note", "sentence"), PAIRS)
def test_a_sentence_behind_changes_nothing(note: str, sentence: str) -> None:
    end = "" if note.endswith(".") else "."
    assert _said(ENGINE.read(f"{note}{end} {sentence}")) == _said(ENGINE.read(note))
    assert _said(ENGINE.read(f"{note}\n{sentence}")) == _said(ENGINE.read(note))


@pytest.mark.parametrize(("note", "sentence"), PAIRS)
def test_a_sentence_between_changes_nothing(note: str, sentence: str) -> None:
    """After each sentence, and in a line of its own before each line."""
    want = _said(ENGINE.read(note))
    ends = [at + 1 for at in range(len(note) - 2) if note[at : at + 2] == ". "]
    for at in ends:
        assert _said(ENGINE.read(f"{note[:at]} {sentence}{note[at:]}")) == want
    for at in (at for at in range(len(note)) if note[at] == "\n"):
        assert _said(ENGINE.read(f"{note[:at]}\n{sentence}{note[at:]}")) == want


def _concepts(text: str) -> dict[str, str]:
    return {m.concept: m.status for m in ENGINE.read(text).concepts}


@pytest.mark.parametrize(
    "text",
    [
        "Patient seen in clinic with her mother today.\nFamily history:\nMutter mit Lupus.\n\nDysphagie.",
        "Patient seen in the clinic today.\nFamily history: la madre tiene lupus. \nDisfagia para sólidos.",
        "Vue ce jour en consultation avec son mari.\nAntécédents familiaux :\nlupus in the mother and her sister.\n\n"
        "She has dysphagia for solids.",
    ],
)
def test_a_heading_in_another_language_holds_for_what_stands_under_it(text: str) -> None:
    said = _concepts(text)
    assert said["ctd.sle"] == "family"
    assert said["trigger.dysphagia"] == "affirmed"


@pytest.mark.parametrize(
    "text",
    [
        "Assessment:\nSystemische Sklerose mit harten Knoten an beiden Ellenbogen.\nPlan:\nKontrolle.",
        "Physical examination:\nNódulos duros en ambos codos desde hace dos años.\nPlan:\nControl en tres meses.",
        "Impression: sclérodermie systémique avec des nodules durs des deux coudes.\nFollow-up with us.",
    ],
)
def test_text_under_a_heading_in_another_language_is_read_in_its_own(text: str) -> None:
    found = ENGINE.read(text)
    assert [m.status for m in found.lesions] == ["affirmed"]
    assert found.lesions[0].hardness == "definite"
    assert found.understood


def test_both_languages_are_read() -> None:
    """An English summary above a German letter: each says its own, and a denial stays with its sentence."""
    said = _concepts(
        "Summary: she has systemic sclerosis and there is no dysphagia.\n\n"
        "Die Patientin hat ein Raynaud-Phänomen und keine digitalen Ulzera."
    )
    assert said["trigger.dysphagia"] == "negated"
    assert said["trigger.raynaud"] == "affirmed"
    assert said["ctd.systemic_sclerosis"] == "affirmed"


@pytest.mark.parametrize(
    "text",
    [
        "NOTE: filed in error, belongs to another patient.\nEsclerosis sistémica con nódulos duros en ambos codos.",
        "Falsch abgelegt, gehört zu einer anderen Patientin.\nShe has systemic sclerosis with hard nodules.",
    ],
)
def test_a_text_that_is_filed_in_error_says_nothing_in_any_language(text: str) -> None:
    reading = ENGINE.read(text)
    assert not (reading.lesions or reading.concepts or reading.labs)


@pytest.mark.parametrize("kind", ["imaging", "pathology"])
def test_a_report_is_read_under_the_letterhead_of_another_language(kind: Any) -> None:
    report = "Radiografía de manos: calcificaciones de partes blandas en los dedos. Biopsia: depósitos de calcio."
    head = "Thank you for referring this patient to our department."
    assert _said(ENGINE.read(f"{head}\n{report}", kind=kind)) == _said(ENGINE.read(report, kind=kind))
