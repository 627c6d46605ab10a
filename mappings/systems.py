"""Code systems: their canonical URI, and the other spellings under which real servers send them.

A code is never judged by its string alone: WHO ICD-10 and ICD-10-CM share the spelling "M35.0" with different meaning.
National modifications of WHO ICD-10 (GM, AM, CA …) are read as WHO ICD-10; they only subdivide its categories.
The table is `mappings/codes/tables/systems.csv`.
"""

from __future__ import annotations

import csv
from functools import cache, lru_cache
from importlib import resources

SNOMED = "http://snomed.info/sct"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD9CM = "http://hl7.org/fhir/sid/icd-9-cm"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"
CVX = "http://hl7.org/fhir/sid/cvx"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"

_LONGEST = 400
"""no URI of a code system is longer; what is longer is not looked at."""


def canonical(system: object) -> str | None:
    """The canonical URI of a code system as a server wrote it, or None when there is none.

    Understands OIDs with and without `urn:oid:`, a trailing slash, a `|version` suffix, https, upper case and SNOMED
    CT edition URIs. A system that is not in the table comes back in its folded spelling, so that a hospital's own
    system still compares equal to itself. Never raises.
    """
    if not isinstance(system, str) or not system or len(system) > _LONGEST:
        return None
    return _canonical(system)


def system_uri(name: str) -> str | None:
    """The canonical URI for the short name used in our code lists ("ICD-10-CM")."""
    return _table()[1].get(name)


def system_name(uri: str) -> str:
    """The short name of a canonical URI, or the URI itself."""
    return _table()[2].get(uri, uri)


@lru_cache(maxsize=512)
def _canonical(system: str) -> str | None:
    folded = _fold(system)
    if not folded:
        return None
    known = _table()[0]
    if (uri := known.get(folded)) is not None:
        return uri
    if folded.startswith("snomed.info/sct/"):  # an edition or version given as the system
        return SNOMED
    return folded


def _fold(system: str) -> str:
    """Folded until nothing is left to fold, so that a folded spelling folds to itself."""
    text, folded = "", system
    while text != folded:
        text, folded = folded, _folded_once(folded)
    return folded


def _folded_once(system: str) -> str:
    text = system.strip().partition("|")[0].rstrip("/# ").rstrip().casefold()
    for scheme in ("http://", "https://"):
        if text.startswith(scheme):
            return text[len(scheme) :].removeprefix("www.")
    if text[:4] == "oid:":
        return f"urn:{text}"
    if text[:2] in ("1.", "2.") and text.replace(".", "").isdigit():
        return f"urn:oid:{text}"
    return text


@cache
def _table() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    text = (resources.files("mappings") / "codes" / "tables" / "systems.csv").read_text(encoding="utf-8")
    spellings: dict[str, str] = {}
    names: dict[str, str] = {}
    for row in csv.DictReader(text.splitlines()):
        spellings[_fold(row["alias"])] = row["uri"]
        spellings[_fold(row["uri"])] = row["uri"]
        names[row["name"]] = row["uri"]
    return spellings, names, {uri: name for name, uri in names.items()}
