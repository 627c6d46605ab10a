"""AllergyIntolerance: what must not be given, or only up to a tolerated dose."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from mappings import systems
from mappings.data_schema import Allergies, read_table
from mappings.drugs import DrugIds, plain
from mappings.facts import Allergy
from mappings.reader.access import Concept, codes, concept, concepts, is_word, items, mapping, name_of, notes, text
from mappings.reader.context import Collected


def read(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """An AllergyIntolerance as an allergy; refuted or entered in error it is left out and named."""
    verification = codes(resource.get("verificationStatus")) | codes(resource.get("status"))
    if verification & {"refuted", "entered-in-error"}:
        into.leave_out(ref, f"verificationStatus {sorted(verification & {'refuted', 'entered-in-error'})[0]}")
        return
    names = [name_of(resource)[0]]
    reactions = [mapping(r) for r in items(resource.get("reaction"))]
    names.extend(concept(r.get("substance")) for r in reactions)
    found = DrugIds()
    for name in names:
        for coding in name.codings:
            found = found | (into.tools.drugs.by_code(coding.system, coding.code) or DrugIds())
        for words in name.texts:
            for hit in into.tools.drugs.by_name(words):
                found = found | hit
    if not found and all(plain(words) in _unnamed() for name in names for words in name.texts):
        told = (*notes(resource), *(t for r in reactions for t in (text(r.get("description")),) if t))
        for hit in into.tools.drugs.by_name(". ".join(told)):
            found = found | hit
    if not found and not _readable(resource, names):
        into.unread["allergies"] = "an allergy has no name that can be read"
    manifestations = [c.label for r in reactions for c in concepts(r.get("manifestation"))]
    described = [t for r in reactions for t in (text(r.get("description")),) if t]
    severe = resource.get("criticality") == "high" or any(r.get("severity") == "severe" for r in reactions)
    comment = ". ".join((*described, *manifestations, *notes(resource)))
    tolerance = None
    if comment:
        reading = into.tools.engine.read(f"{names[0].label}: {comment}", kind="allergy")
        tolerance = next((t for t in reading.tolerances if t.tolerated_daily is not None), None)
    into.allergies.append(
        Allergy(
            ref,
            names[0].label,
            drugs=found.drugs,
            classes=found.classes,
            severe=severe,
            tolerated_dose=tolerance.tolerated_daily if tolerance else None,
            dose_unit=tolerance.unit if tolerance else None,
            reaction=", ".join((*manifestations, *described)) or None,
            certainty="suspected" if verification & {"unconfirmed", "presumed"} else "confirmed",
        )
    )


def _readable(resource: Mapping[str, Any], names: list[Concept]) -> bool:
    """Words say what it is an allergy to, known here or not; so does a code for none, or a food for what it is not."""
    if any(is_word(words) for name in names for words in name.texts):
        return True
    known = _known_codes()
    if any((systems.canonical(c.system), c.code) in known for name in names for c in name.codings):
        return True
    category = codes(resource.get("category")) | {str(c).lower() for c in items(resource.get("category"))}
    return bool(category & {"food", "environment"}) and not category & {"medication", "biologic"}


@cache
def _unnamed() -> frozenset[str]:
    return frozenset(map(plain, read_table(Allergies).unnamed))


@cache
def _known_codes() -> frozenset[tuple[str | None, str]]:
    return frozenset((systems.canonical(row.system), row.code) for row in read_table(Allergies).none)
