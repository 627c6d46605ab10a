"""Red flags R1 to R8 (rule 2.8). A flag is shown; only R2 with necrosis or livedo, a calciphylaxis code, and R4 also
change the grade."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from msgspec import Struct

from hooks.assessment.calcium import Calcium
from hooks.assessment.kidney import egfr_below
from hooks.assessment.labs import judge
from hooks.assessment.lesions import Lesions
from hooks.assessment.sites import overlap
from hooks.chart import Chart
from hooks.knowledge.criteria_schema import Criteria
from hooks.knowledge.messages import Messages
from hooks.knowledge.red_flags import RedFlags
from hooks.model import CtdCriterion, KidneyCriterion, RedFlag
from mappings.dates import PartialDate, Truth, add_months
from mappings.facts import Finding, Lesion, Result


class Flags(Struct, frozen=True):
    """The flags, and what the grade needs of R2: necrosis or livedo on a deciding lesion, and a calciphylaxis code."""

    flags: tuple[RedFlag, ...] = ()
    necrosis_or_livedo: tuple[str, ...] = ()
    calciphylaxis_code: tuple[str, ...] = ()
    ask_cancer_dates: bool = False

    def has(self, flag: str) -> bool:
        return any(f.id == flag for f in self.flags)


class _OnRecord(Struct, frozen=True):
    """What the flags ask of the chart beside the lesions."""

    codes: tuple[str, ...]
    """calciphylaxis by code."""
    signs: tuple[Finding, ...]
    """necrosis or livedo."""
    kidney_failure: tuple[str, ...]
    anticoagulants: tuple[str, ...]
    culture: Result | None
    """the latest, if it is positive."""
    fever: tuple[str, ...]
    crp: Result | None
    """a recent one, if it is high."""
    infections: tuple[Finding, ...]
    myositis: tuple[tuple[str, ...], tuple[str, ...], bool]
    """dermatomyositis in the years in which to look for a cancer: (why, evidence, whether to ask since when)."""
    cancer: tuple[str, ...]
    antibodies: tuple[tuple[str, str, tuple[str, ...]], ...]
    """those that go with a cancer: (text, evidence, sources)."""
    coded: tuple[tuple[str, tuple[str, ...]], ...]
    """flags that a finding raises by itself, with their evidence."""


def _on_record(chart: Chart, ctd: CtdCriterion, criteria: Criteria, rules: RedFlags, messages: Messages) -> _OnRecord:
    key = (_OnRecord, id(rules), id(criteria))
    if key not in chart.memory:
        hurts, infected = rules.calciphylaxis, rules.infection
        culture = chart.latest(infected.culture)
        crp = chart.latest("crp", max_age_days=infected.crp_days)
        coded = (
            ("digital-ischaemia", _refs(_digital_ischaemia(chart, rules))),
            ("nerve-compression", (*_refs(chart.findings(*rules.nerve_concepts)), *_spinal(chart, rules))),
        )
        chart.memory[key] = _OnRecord(
            _refs(chart.findings(*hurts.concepts, suspected=False)),
            chart.findings(*hurts.necrosis_concepts, *hurts.livedo_concepts),
            _refs(chart.findings(*hurts.kidney_failure_concepts, suspected=False)),
            tuple(drug.ref for drug in chart.drugs(hurts.vka, drafts=False)),
            culture if culture is not None and culture.word == "positive" else None,
            (*_refs(chart.findings(*infected.fever_concepts)), *_hot(chart, rules)),
            crp if crp is not None and judge(crp, chart, ()).category == "high" else None,
            chart.findings(*infected.infection_concepts),
            _myositis(chart, ctd, criteria, rules, messages),
            _refs(chart.findings(*rules.malignancy.cancer_concepts, history=True, suspected=False)),
            _antibodies(chart, rules),
            tuple((flag, refs) for flag, refs in coded if refs),
        )
    found: _OnRecord = chart.memory[key]
    return found


def _refs(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(finding.ref for finding in findings)


def find_flags(
    chart: Chart,
    ctd: CtdCriterion,
    lesions: Lesions,
    calcium: Calcium,
    kidney: KidneyCriterion,
    criteria: Criteria,
    rules: RedFlags,
    messages: Messages,
) -> Flags:
    """All flags of a patient with CTD and a lesion that counts; none without (other services watch those)."""
    if ctd.status != "met" or not lesions.counts:
        return Flags()
    found: list[RedFlag] = []

    def raise_flag(flag: str, evidence: tuple[str, ...], sources: tuple[str, ...] = (), **values: object) -> None:
        entry = rules.flags[flag]
        refs = tuple(dict.fromkeys(evidence))
        found.append(RedFlag(flag, entry.text.format(**values), refs, (*entry.sources, *sources)))

    record = _on_record(chart, ctd, criteria, rules, messages)
    dead, codes = _necrosis_or_livedo(lesions, record), record.codes
    if calcium.criterion.critical:
        raise_flag("critical-calcium", calcium.criterion.evidence, days=criteria.calcium.critical_days)
    why = _calciphylaxis(lesions, kidney, dead, record, rules, criteria, messages)
    if why:
        raise_flag("calciphylaxis", why[1], why=why[0])
    why = _infection(lesions, record, messages)
    if why:
        raise_flag("infection", why[1], why=why[0])
    malignancy = _malignancy(lesions, record, messages)
    if malignancy:
        raise_flag("malignancy", malignancy[1], malignancy[2], why=malignancy[0])
    for flag, refs in record.coded:
        raise_flag(flag, refs)
    why = _rapid(chart, lesions, criteria, messages)
    if why:
        raise_flag("rapid-onset", why[1], why=why[0])
    breast = tuple(le.ref for le in lesions.deciding if any(s.place in rules.breast_places for s in le.sites))
    if breast and chart.facts.sex == "female" and chart.age_below(rules.adult_age) is not True:
        raise_flag("breast-lesion", breast)
    return Flags(tuple(found), dead, codes, record.myositis[2])


def _digital_ischaemia(chart: Chart, rules: RedFlags) -> tuple[Finding, ...]:
    """Called so, or gangrene of a finger or toe."""
    dead = chart.findings(*rules.calciphylaxis.necrosis_concepts)
    at_digit = (f for f in dead if any(site.place in rules.digit_places for site in f.sites))
    return (*chart.findings(*rules.digital_ischaemia_concepts), *at_digit)


def _hot(chart: Chart, rules: RedFlags) -> tuple[str, ...]:
    """The latest temperature, when it is a fever and recent."""
    measured = chart.latest("temperature", max_age_days=rules.infection.fever_days)
    limit = rules.infection.fever_from.get(measured.unit or "") if measured else None
    hot = measured is not None and limit is not None and measured.low is not None and measured.low >= limit
    return (measured.ref,) if measured is not None and hot else ()


def _spinal(chart: Chart, rules: RedFlags) -> tuple[str, ...]:
    """Calcification that imaging shows beside or in the spine, with numbness or another neurological sign."""
    signs = _refs(chart.findings(*rules.neuro_concepts))
    shown = {image.ref for image in chart.facts.imaging if image.finding == "soft-tissue"} if signs else set()
    spine = tuple(f.ref for f in chart.findings(*rules.spine_concepts) if f.ref in shown)
    return (*spine, *signs) if spine else ()


def _necrosis_or_livedo(lesions: Lesions, record: _OnRecord) -> tuple[str, ...]:
    """On the lesion itself: said of it, or a finding at the same site."""
    refs = [le.ref for le in lesions.deciding if le.necrotic or le.livedo]
    refs.extend(f.ref for f in record.signs if any(overlap(f.sites, le.sites) for le in lesions.deciding))
    return tuple(dict.fromkeys(refs))


def severe_pain(lesion: Lesion, rules: RedFlags) -> bool:
    """7/10 or more, worded severe, or "painful" with no severity on record; "tender to touch" is not."""
    if lesion.pain_score is not None:
        return lesion.pain_score >= rules.calciphylaxis.severe_pain_score
    return lesion.pain in ("severe", "unspecified")


def painful(lesion: Lesion) -> bool:
    """Any pain at all."""
    if lesion.pain_score is not None:
        return lesion.pain_score > 0
    return lesion.pain in ("mild", "unspecified", "severe")


def _calciphylaxis(
    lesions: Lesions,
    kidney: KidneyCriterion,
    dead: tuple[str, ...],
    record: _OnRecord,
    rules: RedFlags,
    criteria: Criteria,
    messages: Messages,
) -> tuple[str, tuple[str, ...]] | None:
    if record.codes:
        return messages.say("r2.code"), record.codes
    pain = [le for le in lesions.deciding if severe_pain(le, rules)]
    if dead and pain:
        return messages.say("r2.necrosis-and-pain"), (*dead, *(le.ref for le in pain))
    failure = kidney.dialysis or egfr_below(kidney, criteria.kidney.failure_egfr_below)
    coded, vka = record.kidney_failure, record.anticoagulants
    bad = [le.ref for le in lesions.deciding if painful(le) or le.ulcerated]
    if (bad or dead) and (failure or coded or vka):
        key = "r2.kidney" if failure or coded else "r2.vka"
        return messages.say(key), (*bad, *dead, *kidney.evidence, *coded, *vka)
    return None


def _infection(lesions: Lesions, record: _OnRecord, messages: Messages) -> tuple[str, tuple[str, ...]] | None:
    pus = [le.ref for le in lesions.deciding if le.pus]
    if pus:
        return messages.say("r1.pus"), tuple(pus)
    if record.culture is not None:
        return messages.say("r1.culture"), (record.culture.ref,)
    ulcers = [le for le in lesions.deciding if le.ulcerated]
    if not ulcers:
        return None
    spreading = [le.ref for le in lesions.deciding if le.spreading_erythema]
    coded = [f.ref for f in record.infections if any(overlap(f.sites, le.sites) for le in ulcers)]
    if spreading or record.fever or record.crp or coded:
        refs = (*(le.ref for le in ulcers), *spreading, *record.fever, *coded)
        return messages.say("r1.ulcer"), (*refs, record.crp.ref) if record.crp else refs
    return None


def _myositis(
    chart: Chart, ctd: CtdCriterion, criteria: Criteria, rules: RedFlags, messages: Messages
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Dermatomyositis of an adult: (why, evidence, whether to ask for the date of the first symptoms)."""
    adult = chart.age_below(rules.adult_age) is not True
    if not adult or not set(ctd.diagnoses) & set(criteria.ctd.adult_dermatomyositis):
        return (), (), False
    concepts = [c for d in criteria.ctd.diagnoses if d.id in criteria.ctd.adult_dermatomyositis for c in d.concepts]
    findings = chart.findings(*concepts, history=True)
    first, kind = _earliest(findings)
    if first is None:
        return (), (), True
    truth: Truth = first.on_or_after(add_months(chart.as_of, -12 * rules.malignancy.window_years))
    if truth == "no":
        return (), (), False
    why = messages.say(f"r3.window.{truth}", date=str(first), kind=messages.say(f"r3.{kind}"))
    return (why,), _refs(findings), False


def _antibodies(chart: Chart, rules: RedFlags) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    found: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    for result in chart.results("myositis-antibodies"):
        entry = rules.malignancy.antibodies.get(result.antibody or "")
        if entry is not None and result.word == "positive":
            found.setdefault(entry.text, (entry.text, result.ref, entry.sources))
    return tuple(found.values())


def _malignancy(
    lesions: Lesions, record: _OnRecord, messages: Messages
) -> tuple[str, tuple[str, ...], tuple[str, ...]] | None:
    """(why, evidence, sources) or None."""
    why, refs, _ = record.myositis
    fresh = lesions.newness in ("N1", "N2", "N3") or bool(lesions.events)
    if record.cancer and fresh:
        why = (*why, messages.say("r3.cancer"))
        refs = (*refs, *record.cancer, *lesions.criterion.evidence)
    if not why:
        return None
    more = record.antibodies
    sources = tuple(source for _, _, entry in more for source in entry)
    return "; ".join((*why, *(text for text, _, _ in more))), (*refs, *(ref for _, ref, _ in more)), sources


def _earliest(findings: tuple[Finding, ...]) -> tuple[PartialDate | None, str]:
    """The earliest of onset and recorded date, and which of the two it is."""
    dated = [(f.onset, "onset") for f in findings if f.onset] + [
        (f.recorded, "recorded") for f in findings if f.recorded
    ]
    if not dated:
        return None, ""
    return min(((when, kind) for when, kind in dated if when), key=lambda pair: (pair[0].earliest, pair[0].latest))


def _rapid(
    chart: Chart, lesions: Lesions, criteria: Criteria, messages: Messages
) -> tuple[str, tuple[str, ...]] | None:
    first_day = chart.as_of - timedelta(days=criteria.newness.rapid_days - 1)
    recent = [(le.ref, le.onset.on_or_after(first_day)) for le in lesions.deciding if le.onset is not None]
    for truth in ("yes", "possibly"):
        refs = tuple(ref for ref, holds in recent if holds == truth)
        if refs:
            return messages.say(f"r7.onset.{truth}", days=criteria.newness.rapid_days), refs
    worded = [le.ref for le in lesions.deciding if le.rapid]
    return (messages.say("r7.worded"), tuple(worded)) if worded else None
