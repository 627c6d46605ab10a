"""The same laboratory result seen twice (prefetch and fetch, own and outside record) counts once."""

from __future__ import annotations

from dataclasses import replace

from mappings.facts import PatientFacts, Result


def without_repeats(facts: PatientFacts) -> PatientFacts:
    seen: dict[object, Result] = {}
    for result in facts.results:
        seen.setdefault(_key(result), result)
    return replace(facts, results=tuple(seen.values()), findings=tuple(dict.fromkeys(facts.findings)))


def _key(result: Result) -> object:
    if result.from_text or result.date is None or (result.low is None and result.high is None):
        return (result.ref, result.analyte, result.antibody, result.word, result.low, result.high, result.date)
    return (
        result.analyte,
        result.antibody,
        result.date.earliest,
        result.date.instant,
        result.low,
        result.high,
        result.unit,
        result.specimen,
        result.status,
    )
