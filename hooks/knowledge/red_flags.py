"""Schema of red_flags.yaml."""

from decimal import Decimal
from functools import cache
from pathlib import Path

from hooks.knowledge.base import FOLDER, Sourced, Strict, load


class Flag(Sourced):
    rule: str
    text: str


class Infection(Strict):
    culture: str
    fever_concepts: tuple[str, ...]
    fever_from: dict[str, Decimal]
    fever_days: int
    infection_concepts: tuple[str, ...]
    crp_days: int


class Calciphylaxis(Strict):
    concepts: tuple[str, ...]
    kidney_failure_concepts: tuple[str, ...]
    vka: str
    severe_pain_score: Decimal
    necrosis_concepts: tuple[str, ...]
    livedo_concepts: tuple[str, ...]


class Antibody(Strict):
    text: str
    sources: tuple[str, ...]


class Malignancy(Strict):
    window_years: int
    cancer_concepts: tuple[str, ...]
    antibodies: dict[str, Antibody]


class RedFlags(Strict):
    flags: dict[str, Flag]
    infection: Infection
    calciphylaxis: Calciphylaxis
    malignancy: Malignancy
    digital_ischaemia_concepts: tuple[str, ...]
    digit_places: tuple[str, ...]
    """where necrosis or gangrene is digital ischaemia whatever it is called."""
    nerve_concepts: tuple[str, ...]
    spine_concepts: tuple[str, ...]
    neuro_concepts: tuple[str, ...]
    breast_places: tuple[str, ...]
    adult_age: int


@cache
def load_red_flags(folder: Path = FOLDER) -> RedFlags:
    return load("red_flags.yaml", RedFlags, folder=folder)
