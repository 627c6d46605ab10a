"""Schema of criteria.yaml: what the assessment judges by."""

from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path

from pydantic import Field

from hooks.knowledge.base import FOLDER, Sourced, Strict, load
from mappings.facts import LesionKind


class Diagnosis(Sourced):
    id: str
    name: str
    tier: int = Field(ge=1, le=3)
    concepts: tuple[str, ...] = Field(min_length=1)
    frequency: str
    latency: str


class CtdRule(Sourced):
    resolved_counts: bool
    diagnoses: tuple[Diagnosis, ...]
    skin_indurated: tuple[str, ...]
    adult_dermatomyositis: tuple[str, ...]
    juvenile: tuple[str, ...]

    @cached_property
    def concepts(self) -> frozenset[str]:
        """Every concept that makes one of the diagnoses: without any of them there is nothing to say."""
        return frozenset(concept for diagnosis in self.diagnoses for concept in diagnosis.concepts)


class LesionRule(Sourced):
    discrete_kinds: tuple[LesionKind, ...]
    calcified_kinds: tuple[LesionKind, ...]
    calcinosis_concepts: tuple[str, ...]
    exact_place: tuple[str, ...]
    """what explains a lesion only at its very place, not in the whole region."""
    scrotal_places: tuple[str, ...]


class NewnessRule(Sourced):
    new_months: int
    recent_months: int
    documented_days: int
    episode_days: int
    rapid_days: int


class ToldDrugs(Sourced):
    days: int


class Adjustment(Sourced):
    per_g_per_l: Decimal
    reference_g_per_l: Decimal
    name: str


class CriticalLimits(Sourced):
    low: Decimal
    high: Decimal


class FallbackRange(Sourced):
    """Normal is [low, high]; up to the outer limits a value is borderline, beyond them low or high."""

    analyte: str
    age_from: int = 0
    age_below: int | None = None
    low: Decimal
    high: Decimal
    outer_low: Decimal | None = None
    outer_high: Decimal | None = None


class CalciumRule(Strict):
    current_days: int
    stale_days: int
    current_days_at_risk: int
    risk_concepts: tuple[str, ...]
    risk_drugs: tuple[str, ...]
    risk_egfr_below: Decimal
    risk_vitamin_d_daily_iu: Decimal
    albumin_low_g_per_l: Decimal
    albumin_trusted_g_per_l: tuple[Decimal, Decimal]
    albumin_pair_days: int
    adjustment: Adjustment
    plain_total_egfr: tuple[Decimal, Decimal]
    critical_days: int
    critical: dict[str, CriticalLimits]
    fallback: tuple[FallbackRange, ...]


class ProductLimit(Sourced):
    age_from: int = 0
    age_below: int | None = None
    caution_above: Decimal
    alternative_above: Decimal | None = None


class PhosphateRule(Strict):
    current_days: int
    stale_days: int
    fallback: tuple[FallbackRange, ...]
    product: tuple[ProductLimit, ...]


class MineralDisorders(Sourced):
    names: dict[str, str]
    """concept -> how it is named"""


class KidneyRule(Sourced):
    valid_days: int
    severe_egfr_below: Decimal
    reduced_egfr_below: Decimal
    failure_egfr_below: Decimal
    severe_concepts: tuple[str, ...]
    dialysis_concepts: tuple[str, ...]
    transplant_concepts: tuple[str, ...]


class IatrogenicRule(Sourced):
    window_days: int
    drugs: tuple[str, ...]
    extravasation: str


class ExtentRule(Sourced):
    regions_localized: int
    lesions_localized: int
    size_localized_cm: Decimal


class MissingRule(Sourced):
    albumin_days: int
    phosphate_days: int
    creatinine_days: int
    pth_days: int
    vitamin_d_days: int


class ScopeRule(Sourced):
    silent_concepts: tuple[str, ...]


class Criteria(Strict):
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    ctd: CtdRule
    lesion: LesionRule
    newness: NewnessRule
    told_drugs: ToldDrugs
    calcium: CalciumRule
    phosphate: PhosphateRule
    mineral_disorders: MineralDisorders
    kidney: KidneyRule
    iatrogenic: IatrogenicRule
    extent: ExtentRule
    missing: MissingRule
    scope: ScopeRule


@cache
def load_criteria(folder: Path = FOLDER) -> Criteria:
    return load("criteria.yaml", Criteria, folder=folder)
