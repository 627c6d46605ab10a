"""Diagnoses that tell of a drug: "Long term (current) use of anticoagulants", "On beta-blocker therapy".

The words, and the titles of codes that are sent without one, are data (`mappings/data/long_term.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from msgspec.structs import replace

from mappings import systems
from mappings.data_schema import read_table
from mappings.drug_tables import LongTerm
from mappings.drugs import plain
from mappings.facts import Medication
from mappings.reader.access import Concept
from mappings.reader.context import Collected
from mappings.reader.narrative import Source

_LONGEST_TITLE = 200


def titled(name: Concept) -> Concept:
    """The name of a diagnosis with the title of its code where nothing but the code was sent."""
    if name.texts:
        return name
    known = _titles()
    found = next((known[key] for c in name.codings if (key := (systems.canonical(c.system), c.code)) in known), None)
    return replace(name, text=found) if found else name


def add_long_term(name: Concept, source: Source, into: Collected) -> None:
    """Adds the drug or class that a diagnosis says is taken; one that is over tells of none."""
    if source.course == "resolved" or source.certainty == "absent" or source.confidential:
        return
    told, untold = _told()
    for words in name.texts:
        folded = plain(words[:_LONGEST_TITLE])
        if not told.search(folded) or untold.search(folded):
            continue
        found = into.tools.drugs.named(words)
        if found:
            into.medications.append(
                Medication(source.ref, name.label, found.drugs, found.classes, told=source.date or source.onset)
            )
            return


@cache
def _titles() -> Mapping[tuple[str | None, str | None], str]:
    return {(systems.system_uri(row.system), row.code): row.title for row in read_table(LongTerm).titles}


@cache
def _told() -> tuple[re.Pattern[str], re.Pattern[str]]:
    data = read_table(LongTerm)
    uses, opens, closes, untold = (
        "|".join(map(re.escape, words)) for words in (data.uses, data.opens, data.closes, data.untold)
    )
    return (
        re.compile(rf"(?:^|\b)(?:{uses})(?!\w)|^\W*(?:{opens})\b.*\b(?:{closes})\b"),
        re.compile(rf"\b(?:{untold})\b"),
    )
