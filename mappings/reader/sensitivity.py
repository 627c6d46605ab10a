"""Allergies and adverse reactions that stand on the problem list: "Allergy to diltiazem" as a Condition."""

from __future__ import annotations

import re
from functools import cache

from mappings.datafile import read_data
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


@cache
def _words() -> tuple[re.Pattern[str], re.Pattern[str]]:
    data = read_data("allergies.yaml")
    told = "|".join(map(re.escape, data["told"]))
    return re.compile(rf"\b(?:{told})|{_ENDING}"), re.compile(rf"\b(?:{'|'.join(data['untold'])})\b")


_ENDING = r"(?:allergie|unvertraglichkeit|uberempfindlichkeit)\b"
"""German joins the drug to the word: "Diltiazemallergie"."""
