"""AllergyIntolerance: what must not be given, or only up to a tolerated dose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.drugs import DrugIds
from mappings.facts import Allergy
from mappings.reader.access import codes, concept, concepts, items, mapping, name_of, notes, text
from mappings.reader.context import Collected


def read(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
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
            not_tolerated_dose=tolerance.not_tolerated_daily if tolerance else None,
            dose_unit=tolerance.unit if tolerance else None,
            reaction=", ".join((*manifestations, *described)) or None,
            certainty="suspected" if verification & {"unconfirmed", "presumed"} else "confirmed",
        )
    )
