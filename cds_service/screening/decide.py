"""`decide`: one patient's raw resources in, one decision row out. Pure, and the same way that a hook's request goes.

Screening adds nothing to the judgement: the reader and `assess` are the hook's, on the chart as it was known on the
day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from cds_service import __version__
from cds_service.pipeline import Brain
from cds_service.screening.history import known_on
from cds_service.screening.keys import patient_key
from cds_service.screening.rows import DecisionRow
from hooks.assessment.sites import shown
from hooks.model import Assessment, Criteria
from mappings.bundles import NotJsonError, decode
from mappings.facts import Completeness, Need, PatientFacts, Quarantined
from mappings.raw import RawChart, Resource

NOT_JSON = "not JSON"
_CALCINOSIS = "calcinosis."


def decide(
    patient_id: str,
    chart: Iterable[bytes | Resource],
    *,
    as_of: date,
    brain: Brain,
    secret: bytes,
    completeness: Mapping[Need, Completeness],
) -> DecisionRow:
    """The row of one patient on a day.

    `chart`: the patient's resources (and the Medications they name), as lines of NDJSON or decoded by
    `mappings.bundles.decode`; in any order, repeats and other patients' resources included. `completeness`: what the
    export holds (`needs.completeness_of`). `secret`: the key of the patient hash. Never raises on a chart."""
    facts, assessment = understand(patient_id, chart, as_of=as_of, brain=brain, completeness=completeness)
    return row_of(patient_key(secret, patient_id), facts, assessment)


def understand(
    patient_id: str,
    chart: Iterable[bytes | Resource],
    *,
    as_of: date,
    brain: Brain,
    completeness: Mapping[Need, Completeness],
) -> tuple[PatientFacts, Assessment]:
    """Facts and assessment behind the row."""
    resources: list[Resource] = []
    broken: list[Quarantined] = []
    for number, part in enumerate(chart):
        if not isinstance(part, bytes):
            resources.append(part)
            continue
        try:
            resources.append(decode(part))
        except NotJsonError:
            broken.append(Quarantined(f"line[{number}]", NOT_JSON))
    raw = RawChart(patient_id, known_on(resources, as_of), completeness, tuple(broken))
    return brain.understand(raw, as_of)


def row_of(key: str, facts: PatientFacts, assessment: Assessment) -> DecisionRow:
    """What of an assessment goes into a row: codes, and the year of the first record of a lesion that counts."""
    criteria = assessment.criteria
    return DecisionRow(
        patient=key,
        as_of=assessment.as_of,
        grade=assessment.grade,
        card_kind=assessment.card,
        card=assessment.card != "none",
        subtype=assessment.subtype,
        ctd=criteria.ctd.status,
        ctd_kinds=criteria.ctd.diagnoses,
        lesion=criteria.lesion.status,
        newness=criteria.lesion.newness,
        extent=criteria.lesion.extent,
        lesion_sites=tuple(dict.fromkeys(shown(site) for site in criteria.lesion.body_sites)),
        first_lesion_year=_first_year(facts, criteria, assessment.as_of),
        calcium=criteria.calcium.status,
        reasons=_reasons(criteria),
        red_flags=tuple(flag.id for flag in assessment.red_flags),
        mimics=tuple(mimic.id for mimic in assessment.differential),
        missing_workup=assessment.missing,
        completeness={need: state.state for need, state in sorted(assessment.completeness.items())},
        quarantined=len(assessment.quarantined),
        knowledge_version=assessment.knowledge_version,
        software_version=__version__,
    )


def _reasons(criteria: Criteria) -> tuple[str, ...]:
    ctd, lesion = criteria.ctd, criteria.lesion
    found = [f"ctd.{ctd.certainty if ctd.status == 'met' else ctd.status}"]
    if ctd.tier is not None:
        found.append(f"ctd.tier-{ctd.tier}")
    found.append(f"lesion.{lesion.hardness if lesion.status == 'met' else lesion.status}")
    if lesion.newness is not None:
        found.append(f"newness.{lesion.newness}")
    found.extend(
        f"{name}.{getattr(criteria, name).status}"
        for name in ("calcium", "phosphate", "pth", "kidney", "imaging", "biopsy")
    )
    return tuple(found)


def _first_year(facts: PatientFacts, criteria: Criteria, as_of: date) -> int | None:
    """Of the lesions and reports that the criterion rests on, else of a coded calcinosis; None when none is dated."""
    refs = set(criteria.lesion.evidence)
    dates = [lesion.onset or lesion.first_recorded for lesion in facts.lesions if lesion.ref in refs]
    dates.extend(image.date for image in facts.imaging if image.ref in refs)
    dates.extend(biopsy.date for biopsy in facts.biopsies if biopsy.ref in refs)
    coded = (f for f in facts.findings if f.ref in refs and any(name.startswith(_CALCINOSIS) for name in f.concepts))
    dates.extend(() if any(dates) else (finding.onset or finding.first_recorded for finding in coded))
    return min((when.earliest.year for when in dates if when is not None and when.earliest <= as_of), default=None)
