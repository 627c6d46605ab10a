"""Schema of the tables of words in `mappings/data`: what a table does not know, or lacks, is an error that names it.

The tables of units, analytes, drugs and observations are read by modules of their own."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct, field

from mappings.datafile import read_data
from mappings.facts import LesionKind

Words = tuple[str, ...]
Coded = Literal["confirmed", "suspected", "excluded", "past"]


class DataError(Exception):
    """A table is wrong; the text names file and key."""


class _Table(Struct, frozen=True):
    """A table, or a part of one."""


class NoAllergy(_Table, frozen=True, forbid_unknown_fields=True):
    """A code that says that there is no allergy."""

    system: str
    code: str
    display: str


class Allergies(_Table, frozen=True, forbid_unknown_fields=True):
    """`allergies.yaml`: each list is explained there."""

    none: tuple[NoAllergy, ...]
    told: Words
    joined: Words
    headed: Words
    no_others: Words
    excepts: Words
    untold: Words
    to: Words
    how: Words
    until: Words
    before: Words
    caused: Words
    stopped: Words
    because: Words
    harms: Words
    borne: Words
    reactions: Words
    after: Words
    unborne: Words
    unborne_behind: Words


class Certainties(_Table, frozen=True, forbid_unknown_fields=True):
    """Extensions of a coding that say how sure it is, by their addresses."""

    urls: Words
    codes: dict[str, Coded]


class Certainty(_Table, frozen=True, forbid_unknown_fields=True):
    """`certainty.yaml`."""

    extensions: tuple[Certainties, ...]
    of_relatives: Words


class Dosage(_Table, frozen=True, forbid_unknown_fields=True):
    """`dosage.yaml`."""

    frequencies: tuple[tuple[int, int, str], ...]
    """(times, days, pattern)."""
    counts: dict[str, Decimal]
    single: Words
    taken: Words
    forms: Words
    described: Words
    counted: Words
    per: Words
    named_periods: dict[str, Words]
    periods: dict[str, tuple[int, int]]
    units: dict[str, tuple[str, Decimal]]
    delayed_release: Words
    infused: Words
    routes: dict[str, Words]


class Lesions(_Table, frozen=True, forbid_unknown_fields=True):
    """`lesions.yaml`: each list is explained there."""

    kinds: dict[str, LesionKind]
    bare: Words
    diagnoses: Words


class Orders(_Table, frozen=True, forbid_unknown_fields=True):
    """`orders.yaml`."""

    planned: dict[str, Words]


class Adults(_Table, frozen=True, forbid_unknown_fields=True):
    """Words of a range for adults, and the completed years from which one is."""

    from_: int = field(name="from")
    words: Words


class Ranges(_Table, frozen=True, forbid_unknown_fields=True):
    """`ranges.yaml`."""

    normal: Words
    sexes: dict[str, Words]
    years: Words
    adults: Adults


class ReportKind(_Table, frozen=True, forbid_unknown_fields=True):
    """How a report of one kind is known; `at_place` by the test that is meant."""

    codes: Words
    titles: Words
    at_place: dict[str, Words] = {}


class Reports(_Table, frozen=True, forbid_unknown_fields=True):
    """`reports.yaml`."""

    pathology: ReportKind
    imaging: ReportKind


class Taking(_Table, frozen=True, forbid_unknown_fields=True):
    """`taking.yaml`: each list is explained there."""

    headings: Words
    plans: Words
    near: Words
    verbs: Words
    past: Words
    thought: Words
    left: Words
    to: Words
    onto: Words
    history: Words
    denied: Words
    often: Words
    local: Words
    eyes: Words
    substance: Words
    begun: Words
    parting: Words
    measured: Words
    levelled: Words
    level: Words
    others: Words
    indications: Words
    qualifiers: Words
    forms: Words
    choices: Words
    purposes: Words
    reasons: Words
    joins: Words
    of: Words
    along_with: Words
    persons: Words
    tellers: Words
    beside: Words


Table = TypeVar("Table", bound=_Table)
TABLES: dict[str, type[_Table]] = {
    "allergies": Allergies,
    "certainty": Certainty,
    "dosage": Dosage,
    "lesions": Lesions,
    "orders": Orders,
    "ranges": Ranges,
    "reports": Reports,
    "taking": Taking,
}


def read_table(kind: type[Table]) -> Table:
    """The table of this schema; DataError where it does not fit."""
    name = next(name for name, schema in TABLES.items() if schema is kind)
    try:
        return msgspec.convert(read_data(f"{name}.yaml"), kind)
    except msgspec.ValidationError as error:
        raise DataError(f"mappings/data/{name}.yaml: {error}") from None
