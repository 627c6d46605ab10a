"""Red flags R1 to R8 (rule 2.8). A flag is shown; only R2 with necrosis or livedo, a calciphylaxis code, and R4 also
change the grade."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hooks.assessment.calcium import Calcium
from hooks.assessment.labs import judge
from hooks.assessment.lesions import Lesions
from hooks.assessment.sites import overlap
from hooks.chart import Chart
from hooks.knowledge.criteria_schema import Criteria
from hooks.knowledge.messages import Messages
from hooks.knowledge.red_flags import RedFlags
from hooks.model import CtdCriterion, KidneyCriterion, RedFlag
from mappings.dates import PartialDate, Truth, add_months
from mappings.facts import Finding, Lesion


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags, and what the grade needs of R2: necrosis or livedo on a deciding lesion, and a calciphylaxis code."""

    flags: tuple[RedFlag, ...] = ()
    necrosis_or_livedo: tuple[str, ...] = ()
    calciphylaxis_code: tuple[str, ...] = ()
    ask_cancer_dates: bool = False

    def has(self, flag: str) -> bool:
        return any(f.id == flag for f in self.flags)


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

    dead = _necrosis_or_livedo(chart, lesions, rules)
    codes = tuple(f.ref for f in chart.findings(*rules.calciphylaxis.concepts, suspected=False))
    if calcium.criterion.critical:
        raise_flag("critical-calcium", calcium.criterion.evidence, days=criteria.calcium.critical_days)
    why = _calciphylaxis(chart, lesions, kidney, dead, codes, rules, criteria, messages)
    if why:
        raise_flag("calciphylaxis", why[1], why=why[0])
    why = _infection(chart, lesions, rules, messages)
    if why:
        raise_flag("infection", why[1], why=why[0])
    malignancy, ask = _malignancy(chart, ctd, lesions, criteria, rules, messages)
    if malignancy:
        raise_flag("malignancy", malignancy[1], malignancy[2], why=malignancy[0])
    for flag, findings in (
        ("digital-ischaemia", _digital_ischaemia(chart, rules)),
        ("nerve-compression", chart.findings(*rules.nerve_concepts)),
    ):
        if findings:
            raise_flag(flag, tuple(f.ref for f in findings))
    why = _rapid(chart, lesions, criteria, messages)
    if why:
        raise_flag("rapid-onset", why[1], why=why[0])
    breast = tuple(le.ref for le in lesions.deciding if any(s.place in rules.breast_places for s in le.sites))
    if breast and chart.facts.sex == "female" and chart.age_below(rules.adult_age) is not True:
        raise_flag("breast-lesion", breast)
    return Flags(tuple(found), dead, codes, ask)


def _digital_ischaemia(chart: Chart, rules: RedFlags) -> tuple[Finding, ...]:
    """Called so, or gangrene of a finger or toe."""
    dead = chart.findings(*rules.calciphylaxis.necrosis_concepts)
    at_digit = (f for f in dead if any(site.place in rules.digit_places for site in f.sites))
    return (*chart.findings(*rules.digital_ischaemia_concepts), *at_digit)


def _necrosis_or_livedo(chart: Chart, lesions: Lesions, rules: RedFlags) -> tuple[str, ...]:
    """On the lesion itself: said of it, or a finding at the same site."""
    refs = [le.ref for le in lesions.deciding if le.necrotic or le.livedo]
    signs = chart.findings(*rules.calciphylaxis.necrosis_concepts, *rules.calciphylaxis.livedo_concepts)
    refs.extend(f.ref for f in signs if any(overlap(f.sites, le.sites) for le in lesions.deciding))
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
    chart: Chart,
    lesions: Lesions,
    kidney: KidneyCriterion,
    dead: tuple[str, ...],
    codes: tuple[str, ...],
    rules: RedFlags,
    criteria: Criteria,
    messages: Messages,
) -> tuple[str, tuple[str, ...]] | None:
    if codes:
        return messages.say("r2.code"), codes
    pain = [le for le in lesions.deciding if severe_pain(le, rules)]
    if dead and pain:
        return messages.say("r2.necrosis-and-pain"), (*dead, *(le.ref for le in pain))
    failure = kidney.dialysis or (kidney.egfr is not None and kidney.egfr < criteria.kidney.failure_egfr_below)
    coded = chart.findings(*rules.calciphylaxis.kidney_failure_concepts, suspected=False)
    vka = chart.drugs(rules.calciphylaxis.vka, drafts=False)
    bad = [le.ref for le in lesions.deciding if painful(le) or le.ulcerated]
    if (bad or dead) and (failure or coded or vka):
        key = "r2.kidney" if failure or coded else "r2.vka"
        sources = (*bad, *dead, *kidney.evidence, *(f.ref for f in coded), *(m.ref for m in vka))
        return messages.say(key), sources
    return None


def _infection(
    chart: Chart, lesions: Lesions, rules: RedFlags, messages: Messages
) -> tuple[str, tuple[str, ...]] | None:
    pus = [le.ref for le in lesions.deciding if le.pus]
    if pus:
        return messages.say("r1.pus"), tuple(pus)
    culture = chart.latest(rules.infection.culture)
    if culture is not None and culture.word == "positive":
        return messages.say("r1.culture"), (culture.ref,)
    ulcers = [le for le in lesions.deciding if le.ulcerated]
    if not ulcers:
        return None
    spreading = [le.ref for le in lesions.deciding if le.spreading_erythema]
    fever = chart.findings(*rules.infection.fever_concepts)
    crp = chart.latest("crp", max_age_days=rules.infection.crp_days)
    high_crp = crp is not None and judge(crp, chart, ()).category == "high"
    coded = [
        f
        for f in chart.findings(*rules.infection.infection_concepts)
        if any(overlap(f.sites, le.sites) for le in ulcers)
    ]
    if spreading or fever or high_crp or coded:
        refs = (*(le.ref for le in ulcers), *spreading, *(f.ref for f in (*fever, *coded)))
        return messages.say("r1.ulcer"), (*refs, crp.ref) if high_crp and crp else refs
    return None


def _malignancy(
    chart: Chart, ctd: CtdCriterion, lesions: Lesions, criteria: Criteria, rules: RedFlags, messages: Messages
) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]] | None, bool]:
    """((why, evidence, sources) or None, whether to ask for the date of the first symptoms)."""
    why: list[str] = []
    refs: list[str] = []
    ask = False
    adult = chart.age_below(rules.adult_age) is not True
    if adult and set(ctd.diagnoses) & set(criteria.ctd.adult_dermatomyositis):
        concepts = [c for d in criteria.ctd.diagnoses if d.id in criteria.ctd.adult_dermatomyositis for c in d.concepts]
        findings = chart.findings(*concepts, history=True)
        first, kind = _earliest(findings)
        if first is None:
            ask = True
        else:
            truth: Truth = first.on_or_after(add_months(chart.as_of, -12 * rules.malignancy.window_years))
            if truth != "no":
                why.append(messages.say(f"r3.window.{truth}", date=str(first), kind=messages.say(f"r3.{kind}")))
                refs.extend(f.ref for f in findings)
    cancer = chart.findings(*rules.malignancy.cancer_concepts, history=True, suspected=False)
    fresh = lesions.newness in ("N1", "N2", "N3") or bool(lesions.events)
    if cancer and fresh:
        why.append(messages.say("r3.cancer"))
        refs.extend((*(f.ref for f in cancer), *lesions.criterion.evidence))
    if not why:
        return None, ask
    sources: list[str] = []
    for result in chart.results("myositis-antibodies"):
        entry = rules.malignancy.antibodies.get(result.antibody or "")
        if entry is not None and result.word == "positive" and entry.text not in why:
            why.append(entry.text)
            refs.append(result.ref)
            sources.extend(entry.sources)
    return ("; ".join(why), tuple(refs), tuple(sources)), ask


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
