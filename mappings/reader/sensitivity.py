"""Allergies and adverse reactions that stand on the problem list: "Allergy to diltiazem" as a Condition."""

from __future__ import annotations

import re
from functools import cache

from mappings.data_schema import Allergies, read_table
from mappings.drugs import DrugIds, plain
from mappings.facts import Allergy
from mappings.reader.access import Concept
from mappings.reader.context import Collected
from mappings.reader.narrative import Source

_LONGEST_TITLE = 200


def add_allergy(name: Concept, comment: str, source: Source, into: Collected) -> None:
    """Adds the allergy that a diagnosis tells of, if it does; a resolved one was a reaction all the same."""
    told, untold = _words()
    for words in name.texts:
        folded = plain(words[:_LONGEST_TITLE])
        if not told.search(folded) or untold.search(folded):
            continue
        found = DrugIds()
        for ids in into.tools.drugs.by_name(words):
            found |= ids
        if not found:
            continue
        reading = into.tools.engine.read(f"{words}: {comment}", kind="allergy")
        tolerance = next((t for t in reading.tolerances if t.tolerated_daily is not None), None)
        into.allergies.append(
            Allergy(
                source.ref,
                name.label,
                drugs=found.drugs,
                classes=found.classes,
                tolerated_dose=tolerance.tolerated_daily if tolerance else None,
                not_tolerated_dose=tolerance.not_tolerated_daily if tolerance else None,
                dose_unit=tolerance.unit if tolerance else None,
                certainty=source.certainty,
            )
        )
        return


def add_told(words: str, source: Source, into: Collected) -> None:
    """Adds the allergies that a note tells of: "Allergies: diltiazem (rash)", "allergic to", "diltiazem allergy"."""
    folded = plain(words)
    _add_harms(words, folded, source, into)
    if not _words()[0].search(folded):
        return
    told_to, until, before = _told_to()
    for sentence in _SENTENCE.finditer(folded):
        said = sentence.group()
        found = DrugIds()
        match = told_to.search(said)
        opening = said[: match.start()] if match else said
        if _words()[1].search(opening):
            continue
        if match:
            clause = until.split(said[match.end() :], maxsplit=1)[0]
            for ids in into.tools.drugs.by_name(clause):
                found |= ids
        else:
            for hit in into.tools.drugs.find(said):
                if before.match(said, hit.end):
                    found |= hit.ids
        if found:
            label = words[sentence.start() : sentence.end()].strip()[:_LONGEST_TITLE]
            into.allergies.append(Allergy(source.ref, label, drugs=found.drugs, classes=found.classes))


def _add_harms(words: str, folded: str, source: Source, into: Collected) -> None:
    """Adds the drugs that a note says did harm: "diltiazem caused severe oedema", "stopped because of bradycardia"."""
    harm, borne = _harm()
    if not harm.search(folded):
        return
    for sentence in _SENTENCE.finditer(folded):
        said = sentence.group()
        if not harm.search(said) or borne.search(said) or _words()[1].search(said):
            continue
        hits = [hit for hit in into.tools.drugs.find(said) if hit.ids]
        for number, hit in enumerate(hits):
            until = hits[number + 1].start if number + 1 < len(hits) else len(said)
            if harm.search(said, hit.end, until):
                label = words[sentence.start() : sentence.end()].strip()[:_LONGEST_TITLE]
                into.allergies.append(Allergy(source.ref, label, drugs=hit.ids.drugs, classes=hit.ids.classes))


@cache
def _harm() -> tuple[re.Pattern[str], re.Pattern[str]]:
    data = read_table(Allergies)
    caused, stopped, because, harms, borne = (
        "|".join(map(re.escape, words)) for words in (data.caused, data.stopped, data.because, data.harms, data.borne)
    )
    led = rf"(?:{caused})|(?:{stopped})\b[^,]{{0,20}}\b(?:{because})"
    harmed = rf"[^,;]{{0,30}}?\b(?:{harms})"
    turned = rf"(?:{because})\b{harmed}\w*\W[^,;]{{0,20}}?\b(?:{stopped})"
    return re.compile(rf"\b(?:(?:{led})\b{harmed}|{turned})"), re.compile(borne)


_SENTENCE = re.compile(r"[^.;!?\n]+")


@cache
def _told_to() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    data = read_table(Allergies)
    told, before = ("|".join(map(re.escape, words)) for words in (data.told, data.before))
    to = "|".join(rf"{re.escape(word)}\b" if word.isalpha() or " " in word else re.escape(word) for word in data.to)
    return (
        re.compile(rf"\b(?:{told})\w*(?:\s+(?:{'|'.join(data.how)}))?\s*(?:{to})"),
        re.compile(rf"\b(?:{'|'.join(data.until)})\b"),
        re.compile(rf"[\s-]*(?:{before})"),
    )


@cache
def _words() -> tuple[re.Pattern[str], re.Pattern[str]]:
    data = read_table(Allergies)
    told, joined = ("|".join(map(re.escape, words)) for words in (data.told, data.joined))
    return re.compile(rf"\b(?:{told})|(?:{joined})\b"), re.compile(rf"\b(?:{'|'.join(data.untold)})\b")
