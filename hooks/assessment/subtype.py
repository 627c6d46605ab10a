"""The five subtypes (rule 2.6), urgent and alternative paths first; only with CTD and lesion.

Mixed pictures name both.
"""

from __future__ import annotations

from dataclasses import dataclass

from hooks.assessment.grading import Weighed
from hooks.model import Grade, LabStatus, Subtype


@dataclass(frozen=True, slots=True)
class Subtypes:
    subtype: Subtype | None
    mixed_with: Subtype | None = None


def classify_subtype(grade: Grade, calcium: LabStatus, facts: Weighed) -> Subtypes:
    """Each step in the order of the rule; a low calcium alone, and an unusable calcium, leave it undetermined."""
    dystrophic_too: Subtype = "dystrophic"
    if facts.calciphylaxis_code or (facts.calciphylaxis_flag and facts.necrosis_or_livedo):
        return Subtypes("calciphylaxis", dystrophic_too if facts.kidney_severe else None)
    if calcium == "high" or facts.phosphate == "high" or facts.product_over or facts.kidney_severe:
        return Subtypes("metastatic", dystrophic_too if facts.kidney_severe else None)
    if facts.infusion_at_site:
        return Subtypes("iatrogenic")
    if calcium == "low" or grade in ("incomplete", "alternative", "urgent") or facts.scrotum_only:
        return Subtypes("undetermined")
    return Subtypes("dystrophic")
