"""The entries of the language files as plain forms: alternatives written out, each with its category and value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mappings.text.common import load_common
from mappings.text.schema import Context, LanguageError, Lexicon

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_MARKS = frozenset("()|\\")
"""what makes an entry more than one form."""


def expand(entry: str) -> list[str]:
    """ "nodule(s|)" → "nodules", "nodule"; German umlauts also in their two-letter spelling."""
    if entry.isascii() and _MARKS.isdisjoint(entry):
        return [" ".join(entry.split())]
    forms, rest = _alternatives(entry, 0)
    if rest != len(entry):
        raise LanguageError(f"{entry!r}: bracket without a partner")
    shown = [" ".join(form.split()) for form in forms]
    if entry.isascii():  # no umlaut in any of them
        return list(dict.fromkeys(shown))
    return list(dict.fromkeys(spelling for form in shown for spelling in (form, form.translate(_UMLAUTS))))


def _alternatives(entry: str, at: int) -> tuple[list[str], int]:
    """The forms of "a|b(c|d)" from a position to the closing bracket or the end; "\\(" is a bracket of the text."""
    out: list[str] = []
    forms = [""]
    while at < len(entry):
        char = entry[at]
        if char == "\\":
            forms = [form + entry[at + 1] for form in forms]
            at += 2
        elif char == "(":
            inner, at = _alternatives(entry, at + 1)
            if at >= len(entry):
                raise LanguageError(f"{entry!r}: bracket without a partner")
            forms = [form + choice for form in forms for choice in inner]
            at += 1
        elif char == ")":
            break
        elif char == "|":
            out.extend(forms)
            forms = [""]
            at += 1
        else:
            end = at + 1
            while end < len(entry) and entry[end] not in _MARKS:
                end += 1
            forms = [form + entry[at:end] for form in forms]
            at = end
    return out + forms, at


def entries(lexicon: Lexicon, context: Context) -> Iterator[tuple[str, str, Iterable[str]]]:
    """(category, value, forms) of both files."""
    plain: dict[str, Iterable[str]] = {
        "ignore": lexicon.ignore, "coordinator": lexicon.coordinators, "preposition": lexicon.prepositions,
        "anaphor": lexicon.anaphors, "also": lexicon.also, "scale": lexicon.pain_scale, "tender": lexicon.tender,
        "size-not": lexicon.size_not, "calcification": lexicon.imaging.calcification, "soft": lexicon.imaging.soft,
        "positive": lexicon.imaging.positive, "vascular": lexicon.imaging.vascular, "joint": lexicon.imaging.joint,
        "elsewhere": lexicon.imaging.elsewhere, "clear": lexicon.imaging.clear, "flow": lexicon.imaging.flow,
        "progressed": lexicon.imaging.progressed, "indication": lexicon.imaging.indication,
        "pending": lexicon.imaging.pending, "ordered": lexicon.imaging.ordered, "specimen": lexicon.pathology.specimen,
        "p-calcium": lexicon.pathology.calcium, "stain": lexicon.pathology.stain, "tissue": lexicon.pathology.tissue,
        "organ": lexicon.pathology.organ, "since": lexicon.times.since, "had": lexicon.times.had,
        "recorded": lexicon.times.recorded, "onset": lexicon.times.onset,
        "ago": lexicon.times.ago, "heading": context.headings, "misfiled": context.misfiled,
        "history": lexicon.times.history,
        "person": lexicon.times.person,
        "later": lexicon.times.later,
        "not-onset": lexicon.times.not_onset, "not-tolerated": lexicon.doses.not_tolerated,
        "tolerated": lexicon.doses.tolerated, "failed": lexicon.doses.failed,
        "answer": context.answers, "asking": context.asks,
        "moment": lexicon.times.moments, "now": lexicon.times.now,
        "awaiting": lexicon.awaiting,
        "stage": lexicon.times.stages, "repeated": lexicon.times.repeated, "few": lexicon.times.few,
        "analyte": lexicon.other_tests, "inside": lexicon.inside, "identity": lexicon.identity, "vague": lexicon.vague,
        "pebbles": lexicon.pebbles, "cause": lexicon.cause, "conclusion": lexicon.conclusion,
        "recurred": lexicon.recurred, "corrected": lexicon.corrected, "no-disease": lexicon.no_disease,
        "within": lexicon.within, "at-least": lexicon.times.at_least, "at-most": lexicon.times.at_most,
        "numbering": lexicon.times.numbering, "in-number": lexicon.times.in_number,
    }  # fmt: skip
    for category, forms in plain.items():
        yield category, "", forms
    tables: dict[str, dict[Any, tuple[str, ...]]] = {
        "lesion": dict(lexicon.lesions), "named": lexicon.named_lesions, "hardness": dict(lexicon.hardness),
        "attribute": dict(lexicon.attributes), "pain": dict(lexicon.pain), "side": dict(lexicon.sides),
        "place": lexicon.places, "mimic": lexicon.mimics, "concept": lexicon.concepts, "absent": lexicon.absent,
        "analyte": lexicon.analytes, "word": dict(lexicon.words), "modality": dict(lexicon.imaging.modality),
        "p-other": lexicon.pathology.other, "unit": dict(lexicon.times.units), "month": lexicon.times.months,
        "number": lexicon.times.numbers,
        "span": lexicon.times.spans, "feast": lexicon.times.feasts, "drug": lexicon.doses.drugs,
        "frequency": dict(lexicon.doses.frequency),
        "workup": lexicon.workup, "lump": lexicon.lumps, "section": dict(context.sections),
    }  # fmt: skip
    for category, table in tables.items():
        for value, forms in table.items():
            yield category, str(value), forms
    common = load_common()
    for category, table in (("analyte", common.analytes), ("concept", common.concepts), ("drug", common.drugs)):
        for value, forms in table.items():
            yield category, value, forms
    yield "qualifier", "", common.qualifiers
    yield "blood-gas", "", common.blood_gas
    yield "rhythm", "", common.rhythms
    yield "rhythm", "slow", common.pulse.slow
    for index, guard in enumerate(lexicon.guarded):
        yield "guard", str(index), guard.words
        yield "cue", str(index), guard.near
    for index, letters in enumerate(common.letters_for):
        yield "letters", str(index), letters.near
    for index, rule in enumerate(context.rules):
        yield ("ignore" if rule.kind in ("pseudo", "companion") else "trigger"), str(index), rule.words
        if rule.kind == "companion":
            yield "companion", "", rule.words
