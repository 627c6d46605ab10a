"""Names that chart tables use for common diagnoses, tests, drugs and procedures, and the codes an EHR would send.

The table is `data/vocabulary.csv` (name, kind, per, system, code, display); `per` chooses between the mass and the
moles code of a laboratory test by the unit of the result.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

SYSTEMS = {
    "SCT": "http://snomed.info/sct",
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD10": "http://hl7.org/fhir/sid/icd-10",
    "ICD9CM": "http://hl7.org/fhir/sid/icd-9-cm",
    "LOINC": "http://loinc.org",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ATC": "http://www.whocc.no/atc",
}
_MOLES = ("mmol", "µmol", "umol", "nmol", "pmol", "mol")


class Term(NamedTuple):
    kind: str
    per: str
    system: str
    code: str
    display: str

    def coding(self) -> dict[str, Any]:
        return {"system": SYSTEMS[self.system], "code": self.code, "display": self.display}


@cache
def vocabulary() -> dict[str, tuple[Term, ...]]:
    """name (lower case) -> its terms, in the order of the file."""
    table: dict[str, list[Term]] = {}
    text = (resources.files("cds_service.sandbox") / "data" / "vocabulary.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        term = Term(row["kind"], row["per"], row["system"], row["code"], row["display"])
        table.setdefault(row["name"], []).append(term)
    return {name: tuple(terms) for name, terms in table.items()}


def terms_for(name: str, unit: str | None = None) -> tuple[Term, ...]:
    """The terms of a name, laboratory codes narrowed by the unit; empty when the name is not in the table."""
    terms = vocabulary().get(name.strip().lower(), ())
    if not any(term.per for term in terms):
        return terms
    per = "moles" if unit and unit.startswith(_MOLES) else "mass"
    return tuple(term for term in terms if term.per == per)
