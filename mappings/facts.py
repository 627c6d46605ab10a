"""The facts of one patient: what the chart says, already understood, with the resource each fact came from.

Everything here is immutable and holds no raw FHIR. A fact carries `ref`, the relative reference of its resource
("Observation/abc"), so that every sentence we say can be traced. Unknown is a value: an absent field is None or an
empty tuple and never means "normal" or "no".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal, get_args

from msgspec import Struct, field

from mappings.dates import PartialDate

Certainty = Literal["confirmed", "suspected", "absent"]
"""confirmed: verificationStatus confirmed or missing, or affirmed text. suspected: provisional, differential,
unconfirmed, or "possible/rule out" text. absent: the chart denies it ("not pregnant", "denies dysphagia")."""

Course = Literal["active", "resolved"]
"""resolved: clinicalStatus resolved (or abatement in the past). Inactive and remission still count as active."""

Sex = Literal["female", "male", "unknown"]
Hardness = Literal["definite", "possible", "equivalent", "against", "unstated"]
LesionKind = Literal[
    "nodule",
    "papule",
    "plaque",
    "deposit",
    "calcification",
    "calcinosis",
    "induration",
    "ulcer",
    "mass",
    "lump",
    "swelling",
    "skin-change",
]
Pain = Literal["none", "mild", "unspecified", "severe"]
Laterality = Literal["left", "right", "bilateral"]
Modality = Literal["radiograph", "ct", "ultrasound", "mri", "mammography", "other"]
ImagingFinding = Literal["soft-tissue", "vascular-only", "joint-or-tendon-only", "none", "not-understood"]
BiopsyFinding = Literal["calcium", "no-calcium", "not-understood"]
NeedState = Literal["complete", "partial", "unavailable"]
Need = Literal[
    "patient",
    "conditions",
    "observations",
    "medications",
    "procedures",
    "diagnosticReports",
    "serviceRequests",
    "allergies",
]
NEEDS: tuple[Need, ...] = get_args(Need)


Problem = Literal[
    "implausible",
    "unit-unknown",
    "unit-mismatch",
    "comparator-unknown",
    "no-value",
    "not-understood",
    "flag-conflict",
    "code-conflict",
    "same-time-conflict",
    "doubted",
]
"""why the value of a result can't be used; cards say each in words (`problem.*` of hooks/knowledge/messages.yaml)."""
SAME_TIME: Literal["same-time-conflict"] = "same-time-conflict"
"""problem of a result that another one of the same analyte and moment contradicts."""


class Site(Struct, frozen=True):
    """A body site. `region` is one of the regions of the extent rule (head-face, neck, chest-breast, abdomen, back,
    shoulder-axilla, upper-arm, elbow, forearm, hand, buttock-sacrum, hip, genital, thigh, knee, lower-leg-ankle,
    foot, and trunk or limb when it is not said which part of it); `place` is the finer id of the site lexicon
    ("fingertip", "pre-auricular", "scrotum", "breast", …)."""

    region: str
    place: str
    laterality: Laterality | None = None
    code: str | None = None
    """SNOMED CT id of the resource's own bodySite, kept so that an order can copy it; never guessed."""
    display: str | None = None


class Finding(Struct, frozen=True):
    """A diagnosis, state or sign: from a Condition, an Observation with a coded answer, a Procedure, or text.

    `concepts` are concept ids of the code lists ("ctd.sle", "trigger.heart_failure") or of the text lexicon."""

    concepts: frozenset[str]
    label: str
    ref: str
    certainty: Certainty = "confirmed"
    course: Course = "active"
    onset: PartialDate | None = None
    recorded: PartialDate | None = None
    updated: PartialDate | None = None
    """resource lastUpdated: a weak first-record date, used only when nothing better is there."""
    ended: PartialDate | None = None
    sites: tuple[Site, ...] = ()
    basis: Literal["code", "text"] = "code"
    titled: bool = False
    """said by the name of a Condition, coded or written out; not by a note or a report."""
    reason_for_encounter: bool = False
    """an encounter-diagnosis, or named as the reason of a current admission or acute treatment."""
    confidential: bool = False
    """tagged restricted (meta.security R or V): used for logic, never quoted."""

    @property
    def first_recorded(self) -> PartialDate | None:
        return self.recorded or self.updated


class Result(Struct, frozen=True):
    """A laboratory result, vital sign or measurement of one analyte.

    `analyte` ids: calcium-total, calcium-ionized, calcium-adjusted, albumin, phosphate, creatinine, egfr, pth,
    vitamin-d-25-oh, vitamin-d-1-25-oh, alkaline-phosphatase, magnesium, ace, protein-electrophoresis, urate,
    crystal-examination, crp, esr, blood-count, leukocytes, neutrophils, lymphocytes, platelets, haemoglobin,
    creatine-kinase, c3, c4, anti-dsdna, anti-sm, anti-ro, anti-la, ana, myositis-antibodies (with `antibody`), alt,
    ast, iga, igg, hbsag, anti-hbc, tb-test, pregnancy-test, inr, heart-rate, systolic, diastolic, ejection-fraction,
    pr-interval, ecg, abi, wound-culture, temperature, pain-score, oesophageal-test, lipids.

    The value is an interval in the result's own unit: `low == high` for a plain number; a comparator opens one end.
    `canonical_low/high` are the same in the analyte's canonical unit (mappings/data/analytes.yaml). Never pooled:
    urine or other specimens are not read as the serum analyte.
    """

    analyte: str
    ref: str
    date: PartialDate | None
    status: Literal["final", "preliminary"]
    label: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    canonical_low: Decimal | None = None
    canonical_high: Decimal | None = None
    range_low: Decimal | None = None
    range_high: Decimal | None = None
    """the laboratory's own normal range, in the result's own unit; chosen by type, age, sex."""
    word: Literal["normal", "low", "high", "abnormal", "positive", "negative", "indeterminate"] | None = None
    """a result in words or by interpretation flag alone; qualitative tests use positive/negative."""
    unitless: bool = False
    """`word` is what a number without a unit is in every unit that it may be in."""
    flag: Literal["normal", "low", "high", "critical-low", "critical-high", "abnormal"] | None = None
    """the laboratory's interpretation code beside a value."""
    problem: Problem | None = None
    """why the value can't be used."""
    antibody: str | None = None
    from_text: bool = False
    specimen: str | None = None

    @property
    def usable(self) -> bool:
        """A final value or word that nothing speaks against. A missing date is judged by the rule, not here."""
        return (
            self.status == "final"
            and self.problem is None
            and (self.low is not None or self.high is not None or self.word is not None)
        )


class LesionTraits(Struct, frozen=True, kw_only=True):
    """How one lesion looks, feels and came about, as somebody described it: the same for a mention in a text
    (`mappings.text.reading.LesionMention`) and for the fact made of it."""

    hardness: Hardness = "unstated"
    sites: tuple[Site, ...] = ()
    chalky: bool = False
    white_yellow: bool = False
    ulcerated: bool = False
    necrotic: bool = False
    livedo: bool = False
    inflamed: bool = False
    spreading_erythema: bool = False
    pus: bool = False
    draining: bool = False
    pain: Pain | None = None
    pain_score: Decimal | None = None
    count: int | None = None
    multiple: bool = False
    size_cm: Decimal | None = None
    sheet: bool = False
    deep: bool = False
    """muscle or fascia involved."""
    growing: bool = False
    rapid: bool = False
    called_new: bool = False
    new_site: bool = False
    in_scar: bool = False
    cystic: bool = False
    vascular: bool = False
    infusion_at_site: bool = False
    """the text itself says calcium or phosphate was infused at this site."""
    injection_at_site: bool = False
    trauma_at_site: bool = False
    mimics: frozenset[str] = frozenset()
    """differential ids the description itself names ("rheumatoid nodule", "tophus", "lipoma")."""


class Lesion(LesionTraits, frozen=True):
    """One description of a skin or soft-tissue lesion, by one resource. Nothing is merged across resources here."""

    ref: str
    kind: LesionKind
    label: str
    """short description in the chart's words, for display (escaped by the card writer)."""
    certainty: Certainty = "confirmed"
    course: Course = "active"
    gone: bool = False
    """the text says that it has resolved or was removed, not only that there once was one."""
    basis: Literal["code", "text"] = "text"
    bare_code: bool = False
    """an R22.x / R23.4 / mass-or-lump code or its mere title, or lump/swelling/mass with no further word."""
    onset: PartialDate | None = None
    long_standing: bool = False
    """onset stated only vaguely as old ("for years", "long-standing")."""
    recorded: PartialDate | None = None
    updated: PartialDate | None = None
    infusion_date: PartialDate | None = None
    confidential: bool = False

    @property
    def first_recorded(self) -> PartialDate | None:
        return self.recorded or self.updated


class Imaging(Struct, frozen=True):
    """What one imaging report says about calcification."""

    ref: str
    modality: Modality
    finding: ImagingFinding
    date: PartialDate | None
    sites: tuple[Site, ...] = ()
    calcified_sites: tuple[Site, ...] = ()
    vascular_too: bool = False
    cystic: bool = False
    internal_vascularity: bool = False
    progressed: bool = False
    label: str = ""
    has_report: bool = True
    """False: the examination is on record but no readable report; it proves that it was done, nothing else."""


class Biopsy(Struct, frozen=True):
    """What one histopathology report says about calcium."""

    ref: str
    finding: BiopsyFinding
    date: PartialDate | None
    sites: tuple[Site, ...] = ()
    other: frozenset[str] = frozenset()
    """differential ids that the report supports (rheumatoid-nodule, panniculitis, cutaneous-lymphoma, …)."""
    label: str = ""
    has_report: bool = True


class Medication(Struct, frozen=True):
    """A drug on the list. `drugs` are ingredient ids ("diltiazem"); `classes` are class ids ("beta-blocker")."""

    ref: str
    label: str
    drugs: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    state: Literal["active", "stopped"] = "active"
    draft: bool = False
    """among the hook's draft orders, not yet on the list."""
    started: PartialDate | None = None
    ended: PartialDate | None = None
    daily_dose: Decimal | None = None
    """in the drug's own dose unit a day (`dose_unit`), only when stated exactly enough."""
    dose_unit: str | None = None
    strength: Decimal | None = None
    """one dose, when the frequency is unknown: a lower bound of the daily dose."""
    strength_unit: str | None = None
    route: Literal["oral", "iv", "sc", "im", "topical", "ophthalmic", "inhaled", "intralesional", "other"] | None = None
    sites: tuple[Site, ...] = ()
    recognised: bool = True
    delayed_release: bool = False
    infusion: bool = False
    failed: bool = False
    """text says it was tried for calcinosis without effect."""
    told: PartialDate | None = None
    """the day of the note that names it as taken, when it stands on no list of drugs."""
    given: PartialDate | None = None
    """the day on which it was handed out, given or listed without an order."""

    def goes_on(self, day: date) -> bool:
        """Whether it is on the list on that day: active, and no end date passed."""
        return self.state == "active" and (self.ended is None or self.ended.latest >= day)


class Allergy(Struct, frozen=True):
    """An allergy, intolerance or adverse reaction to drugs or classes."""

    ref: str
    label: str
    drugs: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    severe: bool = False
    tolerated_dose: Decimal | None = None
    """highest daily dose stated as tolerated, in `dose_unit`; its presence makes this a dose intolerance."""
    dose_unit: str | None = None
    reaction: str | None = None
    certainty: Certainty = "confirmed"


class Action(Struct, frozen=True):
    """Something done or ordered: a Procedure, or a ServiceRequest. `workup` are workup ids it counts for,
    `parts` the analytes that an order asks for by their codes."""

    ref: str
    label: str
    kind: Literal["done", "ordered", "draft"]
    workup: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    concepts: frozenset[str] = frozenset()
    date: PartialDate | None = None
    sites: tuple[Site, ...] = ()
    has_report: bool = False


class Completeness(Struct, frozen=True):
    """How completely one kind of data was read. `has_newest`: of what was read in part, whether nothing newer of what
    came can be missing; it decides here and is no part of an answer."""

    unsaid: ClassVar = frozenset({"has_newest"})

    state: NeedState
    reason: str | None = None
    has_newest: bool = False

    @property
    def tells_newest(self) -> bool:
        """Whether the newest result that came is the newest there is."""
        return self.state == "complete" or (self.state == "partial" and self.has_newest)


class Quarantined(Struct, frozen=True):
    """A resource that was left out, and why; never its content."""

    reference: str
    reason: str


class PatientFacts(Struct, frozen=True):
    """All that the chart says that matters here. `reference` is "Patient/id"."""

    reference: str
    sex: Sex = "unknown"
    born: PartialDate | None = None
    deceased: bool = False
    findings: tuple[Finding, ...] = ()
    results: tuple[Result, ...] = ()
    lesions: tuple[Lesion, ...] = ()
    imaging: tuple[Imaging, ...] = ()
    biopsies: tuple[Biopsy, ...] = ()
    medications: tuple[Medication, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    actions: tuple[Action, ...] = ()
    completeness: Mapping[Need, Completeness] = field(default_factory=dict)
    quarantined: tuple[Quarantined, ...] = ()
    not_understood: tuple[str, ...] = ()
    """references of resources whose relevant text could not be interpreted."""
    restricted: frozenset[str] = frozenset()
    """references of facts whose resource is tagged restricted (meta.security R or V): used for logic, never quoted."""
    extent_told: bool = False
    """whoever examines the patient has named every region with lesions, in answer to a question."""

    def need(self, name: Need) -> Completeness:
        """How completely one kind of data was read; a need nobody reported on is unavailable, never complete."""
        return self.completeness.get(name, Completeness("unavailable", "not read"))
