"""Schema of the tables in `mappings/data`: what a table does not know, or lacks, is an error that names it."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct, field

from mappings.datafile import read_data
from mappings.facts import LesionKind

Words = tuple[str, ...]
Coded = Literal["confirmed", "suspected", "excluded", "past"]
ResultWord = Literal["normal", "low", "high", "abnormal", "positive", "negative", "indeterminate"]
Flag = Literal[ResultWord, "critical-low", "critical-high"]


class DataError(Exception):
    """A table is wrong; the text names file and key."""


class _Table(Struct, frozen=True):
    """A table, or a part of one."""


class Analyte(_Table, frozen=True, forbid_unknown_fields=True):
    """How results of one analyte are read. `units`: factor to the canonical one, null where none was verified."""

    canonical: str | None = None
    units: dict[str, str | None] = {}
    plausible: tuple[Decimal, Decimal] | None = None
    source: str | None = None
    unit_optional: bool = False
    aliases: dict[str, str] = {}
    whole_name: bool = False
    lowest_stands: bool = False
    low_below: Decimal | None = None
    only_tested: str = ""


class Neutral(_Table, frozen=True, forbid_unknown_fields=True):
    """What says nothing of which test a name means. `gas` tells the analyser, `never_by_gas` what no analyser gives."""

    phrases: Words
    tokens: Words
    gas: Words
    never_by_gas: Words


class Unrecognised(_Table, frozen=True, forbid_unknown_fields=True):
    """Words of a name that may be a serum calcium all the same, and those by which it surely is another test."""

    words: Words
    other: Words


class AntibodyTests(_Table, frozen=True, forbid_unknown_fields=True):
    """How the names of antibody tests vary."""

    prefix: str
    of: Words
    words: Words


class WrittenFlags(_Table, frozen=True, forbid_unknown_fields=True):
    """Flags behind a number, and before its unit."""

    behind: Words
    before_unit: Words


class Analytes(_Table, frozen=True, forbid_unknown_fields=True):
    """`analytes.yaml`."""

    asked_by_code: Words
    analytes: dict[str, Analyte]
    neutral: Neutral
    narrower: dict[str, dict[str, Literal["take", "conflict"]]]
    unrecognised: Unrecognised
    names: dict[str, Words]
    antibody_tests: AntibodyTests
    words: dict[ResultWord, Words]
    written_flags: WrittenFlags
    interpretations: dict[str, Flag]


class DrugClass(_Table, frozen=True, forbid_unknown_fields=True):
    """A class of `drugs.yaml`."""

    source: str
    basis: Literal["source", "unverified-conservative"]
    atc: Words
    names: Words = ()
    implies: Words = ()
    not_by: Words = ()


class Drug(_Table, frozen=True, forbid_unknown_fields=True):
    """An ingredient of `drugs.yaml`; `unit` is that of its doses."""

    names: Words
    brands: Words = ()
    classes: Words = ()
    unit: str = "mg"


class Salts(_Table, frozen=True, forbid_unknown_fields=True):
    """Salts by how they are written."""

    joined: Words


class Drugs(_Table, frozen=True, forbid_unknown_fields=True):
    """`drugs.yaml`."""

    classes: dict[str, DrugClass]
    drugs: dict[str, Drug]
    salts: Salts
    not_misspelt: Words
    not_a_drug: Words


class Answer(_Table, frozen=True, forbid_unknown_fields=True):
    """How a yes or no is said and coded."""

    words: Words
    codes: Words


class Answers(_Table, frozen=True, forbid_unknown_fields=True):
    """Both answers."""

    yes: Answer
    no: Answer


class OtherMaterial(_Table, frozen=True, forbid_unknown_fields=True):
    """How names and specimens say that a test was not made of blood."""

    parts: Words
    except_: Words = field(name="except")
    edge_tokens: Words
    blood: Words
    blood_words: Words
    any_material: Words


class Named(_Table, frozen=True, forbid_unknown_fields=True):
    """What is known by its codes or by its whole names."""

    codes: Words
    names: Words


class DueDate(_Table, frozen=True, forbid_unknown_fields=True):
    """An expected date of birth, the concept that it tells of, and the days after it in which that still holds."""

    codes: Words
    names: Words
    concept: str
    after: int


class Cultures(_Table, frozen=True, forbid_unknown_fields=True):
    """How cultures are called, and how they say that something grew or nothing."""

    methods: Words
    organisms: Words
    materials: Words
    whole: Words
    others: Words
    growth: Words
    none: Words


class Observations(_Table, frozen=True, forbid_unknown_fields=True):
    """`observations.yaml`: each list is explained there."""

    other_material: OtherMaterial
    laboratory: Words
    answers: Answers
    result_codes: dict[Literal["normal", "abnormal", "high", "low"], Words]
    no_result: Words
    doubt: Words
    blood_pressure: Named
    lesion_headings: dict[LesionKind, Words]
    due_date: DueDate
    cultures: Cultures
    withheld: Words
    remarks: dict[str, Words]
    location_names: Words


class Units(_Table, frozen=True, forbid_unknown_fields=True):
    """`units.yaml`: other spellings of each unit, and those that are right in their exact letters only."""

    units: dict[str, Words]
    exact: dict[str, str]


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
    headed_to: Words
    heads: Words
    none_listed: Words
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
    resumed: Words
    ahead: Words
    before_noun: Words
    ended: Words
    regimens: Words
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
    families: Words


Table = TypeVar("Table", bound=_Table)
TABLES: dict[str, type[_Table]] = {
    "allergies": Allergies,
    "analytes": Analytes,
    "certainty": Certainty,
    "dosage": Dosage,
    "drugs": Drugs,
    "lesions": Lesions,
    "observations": Observations,
    "orders": Orders,
    "ranges": Ranges,
    "reports": Reports,
    "taking": Taking,
    "units": Units,
}


def read_table(kind: type[Table]) -> Table:
    """The table of this schema; DataError where it does not fit."""
    name = next(name for name, schema in TABLES.items() if schema is kind)
    try:
        return msgspec.convert(read_data(f"{name}.yaml"), kind)
    except msgspec.ValidationError as error:
        raise DataError(f"mappings/data/{name}.yaml: {error}") from None
