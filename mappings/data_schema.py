"""Schema of the tables in `mappings/data`: what a table does not know, or lacks, is an error that names it."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeVar

import msgspec
from msgspec import field

from mappings.datafile import DataTable, Words, read_data
from mappings.drug_tables import Dosage, Drugs, LongTerm, Supply, Taking
from mappings.facts import LesionKind

Coded = Literal["confirmed", "suspected", "excluded", "past"]
ResultWord = Literal["normal", "low", "high", "abnormal", "positive", "negative", "indeterminate"]
Flag = Literal[ResultWord, "critical-low", "critical-high"]


class DataError(Exception):
    """A table is wrong; the text names file and key."""


class Analyte(DataTable, frozen=True, forbid_unknown_fields=True):
    """How results of one analyte are read. `units`: factor to the canonical one, null where none was verified."""

    canonical: str | None = None
    units: dict[str, str | None] = field(default_factory=dict)
    plausible: tuple[Decimal, Decimal] | None = None
    source: str | None = None
    unit_optional: bool = False
    aliases: dict[str, str] = field(default_factory=dict)
    whole_name: bool = False
    lowest_stands: bool = False
    low_below: Decimal | None = None
    high_above: Decimal | None = None
    only_tested: str = ""
    kinds: tuple[Decimal, ...] = ()
    bare: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)


class Neutral(DataTable, frozen=True, forbid_unknown_fields=True):
    """What says nothing of which test a name means. `gas` tells the analyser, `never_by_gas` what no analyser gives."""

    phrases: Words
    tokens: Words
    gas: Words
    never_by_gas: Words


class Unrecognised(DataTable, frozen=True, forbid_unknown_fields=True):
    """Words of a name that may be a serum calcium all the same, and those by which it surely is another test."""

    words: Words
    other: Words


class AntibodyTests(DataTable, frozen=True, forbid_unknown_fields=True):
    """How the names of antibody tests vary."""

    prefix: str
    of: Words
    words: Words


class WrittenFlags(DataTable, frozen=True, forbid_unknown_fields=True):
    """Flags behind a number, and before its unit."""

    behind: Words
    before_unit: Words


class Analytes(DataTable, frozen=True, forbid_unknown_fields=True):
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


class Answer(DataTable, frozen=True, forbid_unknown_fields=True):
    """How a yes or no is said and coded."""

    words: Words
    codes: Words


class Answers(DataTable, frozen=True, forbid_unknown_fields=True):
    """Both answers."""

    yes: Answer
    no: Answer


class OtherMaterial(DataTable, frozen=True, forbid_unknown_fields=True):
    """How names and specimens say that a test was not made of blood."""

    parts: Words
    except_: Words = field(name="except")
    edge_tokens: Words
    blood: Words
    blood_words: Words
    any_material: Words


class Named(DataTable, frozen=True, forbid_unknown_fields=True):
    """What is known by its codes or by its whole names, other words `besides` left out."""

    codes: Words
    names: Words
    besides: Words


class DueDate(DataTable, frozen=True, forbid_unknown_fields=True):
    """An expected date of birth, the concept that it tells of, and the days after it in which that still holds."""

    codes: Words
    names: Words
    concept: str
    after: int


class Gestation(DataTable, frozen=True, forbid_unknown_fields=True):
    """The age of a pregnancy in weeks, and the weeks at which it ends at the latest."""

    codes: Words
    names: Words
    term: int


class Cultures(DataTable, frozen=True, forbid_unknown_fields=True):
    """How cultures are called, and how they say that something grew or nothing."""

    methods: Words
    organisms: Words
    materials: Words
    whole: Words
    others: Words
    growth: Words
    none: Words


class Observations(DataTable, frozen=True, forbid_unknown_fields=True):
    """`observations.yaml`: each list is explained there."""

    other_material: OtherMaterial
    laboratory: Words
    answers: Answers
    result_codes: dict[Literal["normal", "abnormal", "high", "low"], Words]
    in_comment: Words
    no_result: Words
    doubt: Words
    blood_pressure: Named
    lesion_headings: dict[LesionKind, Words]
    due_date: DueDate
    gestation: Gestation
    cultures: Cultures
    withheld: Words
    about: Words
    remarks: dict[str, Words]
    location_names: Words


class Units(DataTable, frozen=True, forbid_unknown_fields=True):
    """`units.yaml`: other spellings of each unit, and those that are right in their exact letters only."""

    units: dict[str, Words]
    exact: dict[str, str]


class NoAllergy(DataTable, frozen=True, forbid_unknown_fields=True):
    """A code that says that there is no allergy."""

    system: str
    code: str
    display: str


class Allergies(DataTable, frozen=True, forbid_unknown_fields=True):
    """`allergies.yaml`: each list is explained there."""

    none: tuple[NoAllergy, ...]
    told: Words
    joined: Words
    headed: Words
    headed_to: Words
    heads: Words
    unnamed: Words
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
    tried: Words
    never_again: Words
    because: Words
    harms: Words
    borne: Words
    reactions: Words
    after: Words
    unborne: Words
    unborne_behind: Words
    when: Words


class Certainties(DataTable, frozen=True, forbid_unknown_fields=True):
    """Extensions of a coding that say how sure it is, by their addresses."""

    urls: Words
    codes: dict[str, Coded]


class Certainty(DataTable, frozen=True, forbid_unknown_fields=True):
    """`certainty.yaml`."""

    extensions: tuple[Certainties, ...]
    of_relatives: Words


class Lesions(DataTable, frozen=True, forbid_unknown_fields=True):
    """`lesions.yaml`: each list is explained there."""

    kinds: dict[str, LesionKind]
    bare: Words
    diagnoses: Words


class Orders(DataTable, frozen=True, forbid_unknown_fields=True):
    """`orders.yaml`."""

    planned: dict[str, Words]


class Adults(DataTable, frozen=True, forbid_unknown_fields=True):
    """Words of a range for adults, and the completed years from which one is."""

    from_: int = field(name="from")
    words: Words


class Ranges(DataTable, frozen=True, forbid_unknown_fields=True):
    """`ranges.yaml`."""

    normal: Words
    sexes: dict[str, Words]
    years: Words
    adults: Adults


class ReportKind(DataTable, frozen=True, forbid_unknown_fields=True):
    """How a report of one kind is known; `at_place` by the test that is meant."""

    codes: Words
    titles: Words
    at_place: dict[str, Words] = field(default_factory=dict)


class Reports(DataTable, frozen=True, forbid_unknown_fields=True):
    """`reports.yaml`."""

    pathology: ReportKind
    imaging: ReportKind
    requests: Words
    """words of the title of a document that asks for an examination."""
    answers: Words
    """words of the title of one that tells its result all the same."""
    leaflets: Words
    """titles of documents that tell of a disease, not of a patient."""


Table = TypeVar("Table", bound=DataTable)
TABLES: dict[str, type[DataTable]] = {
    "allergies": Allergies,
    "analytes": Analytes,
    "certainty": Certainty,
    "dosage": Dosage,
    "drugs": Drugs,
    "lesions": Lesions,
    "long_term": LongTerm,
    "observations": Observations,
    "orders": Orders,
    "ranges": Ranges,
    "reports": Reports,
    "supply": Supply,
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
