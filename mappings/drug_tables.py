"""Schema of the tables about drugs: what they are, how much and how long they are taken, and how notes say so."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from mappings.datafile import DataTable, Words


class DrugClass(DataTable, frozen=True, forbid_unknown_fields=True):
    """A class of `drugs.yaml`."""

    source: str
    basis: Literal["source", "unverified-conservative"]
    atc: Words
    names: Words = ()
    implies: Words = ()
    not_by: Words = ()


class Drug(DataTable, frozen=True, forbid_unknown_fields=True):
    """An ingredient of `drugs.yaml`; `unit` is that of its doses, `not_by` the routes by which it stays where it is."""

    names: Words
    brands: Words = ()
    classes: Words = ()
    unit: str = "mg"
    not_by: Words = ()


class Salts(DataTable, frozen=True, forbid_unknown_fields=True):
    """Salts by how they are written."""

    joined: Words


class Drugs(DataTable, frozen=True, forbid_unknown_fields=True):
    """`drugs.yaml`."""

    classes: dict[str, DrugClass]
    drugs: dict[str, Drug]
    salts: Salts
    not_misspelt: Words
    not_a_drug: Words


class Dosage(DataTable, frozen=True, forbid_unknown_fields=True):
    """`dosage.yaml`."""

    frequencies: tuple[tuple[int, int, str], ...]
    """(times, days, pattern)."""
    counts: dict[str, Decimal]
    single: Words
    taken: Words
    forms: Words
    articles: Words
    described: Words
    counted: Words
    per: Words
    named_periods: dict[str, Words]
    periods: dict[str, tuple[int, int]]
    units: dict[str, tuple[str, Decimal]]
    delayed_release: Words
    infused: Words
    routes_by_atc: dict[str, str]
    routes: dict[str, Words]


class Supply(DataTable, frozen=True, forbid_unknown_fields=True):
    """`supply.yaml`: each entry is explained there."""

    dispensed_days: int
    longest_days: int
    day_units: Words
    administered_days: int
    not_dispensed: Words
    list_codes: Words
    list_words: Words
    ended_flags: Words
    vaccines: Words
    passing: dict[str, int]
    going_on: Words


class Title(DataTable, frozen=True, forbid_unknown_fields=True):
    """What a code is called."""

    system: str
    code: str
    title: str


class LongTerm(DataTable, frozen=True, forbid_unknown_fields=True):
    """`long_term.yaml`: each list is explained there."""

    titles: tuple[Title, ...]
    uses: Words
    opens: Words
    closes: Words
    untold: Words


class Taking(DataTable, frozen=True, forbid_unknown_fields=True):
    """`taking.yaml`: each list is explained there."""

    headings: Words
    plans: Words
    near: Words
    verbs: Words
    columns: Words
    dosings: Words
    past: Words
    thought: Words
    left: Words
    to: Words
    onto: Words
    history: Words
    denied: Words
    often: Words
    resumed: Words
    days: Words
    weeks: Words
    ago: Words
    ago_before: Words
    being_on: Words
    begun_on: Words
    in_year: Words
    on_day: Words
    masses: Words
    activities: Words
    short_activities: Words
    lengths: Words
    changed_to: Words
    dose_of: Words
    nowadays: Words
    ahead: Words
    before_noun: Words
    ended: Words
    regimens: Words
    named: Words
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
    counted: Words
    choices: Words
    purposes: Words
    reasons: Words
    causes: Words
    joins: Words
    of: Words
    along_with: Words
    persons: Words
    tellers: Words
    beside: Words
    families: Words
