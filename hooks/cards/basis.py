"""The basis: which facts of the chart the answer rests on, each with value, range, date and resource."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from hooks.cards.dates import as_roughly_as_said, in_words
from hooks.cards.markdown import escape, plain, shorten
from hooks.cards.phrases import unit_of
from hooks.cards.voice import Voice, number
from hooks.model import KidneyCriterion, LabCriterion, ReportCriterion
from mappings.facts import Biopsy, Finding, Imaging, Lesion

Entry = Lesion | Finding | Imaging | Biopsy

_PLACED = frozenset({"normal", "high", "low"})


def basis(voice: Voice) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(line, sources): connective tissue disease, lesions, laboratory, kidney, reports, then the grade's reasons."""
    criteria = voice.assessment.criteria
    yield _ctd(voice)
    yield from _lesions(voice)
    yield _labelled(voice, "calcium", _laboratory(voice, criteria.calcium)), ()
    for name, laboratory in (("phosphate", criteria.phosphate), ("pth", criteria.pth)):
        if laboratory.status != "unknown":
            yield _labelled(voice, name, _laboratory(voice, laboratory)), ()
    if criteria.kidney.status != "unknown":
        yield _labelled(voice, "kidney", _kidney(voice, criteria.kidney)), ()
    for name, report in (("imaging", criteria.imaging), ("biopsy", criteria.biopsy)):
        if report.status in ("positive", "negative"):
            yield _labelled(voice, name, _report(voice, report)), ()
    yield from _reasons(voice)


def _labelled(voice: Voice, name: str, text: str) -> str:
    label = voice.cards.labels[name]
    return text if text.startswith(label) else f"{label}: {text}"


def _ctd(voice: Voice) -> tuple[str, tuple[str, ...]]:
    criterion = voice.assessment.criteria.ctd
    if voice.reveals(criterion.evidence):
        return _labelled(voice, "ctd", voice.cards.say("hidden")), ()
    known = voice.cards.diagnoses
    names = ", ".join(known[d].name if d in known else d for d in criterion.diagnoses)
    key = "ctd_suspected" if criterion.certainty == "suspected" else "ctd_confirmed"
    sources = tuple(
        source
        for diagnosis in voice.knowledge.criteria.ctd.diagnoses
        if diagnosis.id in criterion.diagnoses
        for source in diagnosis.sources[:1]
    )
    text = voice.cards.say(key, names=names) + voice.refs(criterion.evidence)
    return _labelled(voice, "ctd", text), sources


def _lesions(voice: Voice) -> Iterator[tuple[str, tuple[str, ...]]]:
    criterion = voice.assessment.criteria.lesion
    shown: dict[str, Entry] = {}
    for entry in (*voice.lesions, *voice.coded_lesions):  # one line per resource: its most telling description
        best = shown.get(entry.ref)
        if best is None or len(entry.label) > len(best.label):
            shown[entry.ref] = entry
    limit = voice.cards.limits["lesions"]
    for entry in list(shown.values())[:limit]:
        yield _labelled(voice, "lesion", _lesion(voice, entry)), ()
    rest = [entry.ref for entry in list(shown.values())[limit:]]
    hidden = [ref for ref in criterion.evidence if ref in voice.hidden]
    if hidden:
        yield _labelled(voice, "lesion", voice.cards.say("hidden")), ()
    judged = voice.sentence(criterion.because)
    yield _labelled(voice, "lesion", judged + voice.refs(rest)), voice.said_with_source.get(criterion.because, ())


def _lesion(voice: Voice, entry: Entry) -> str:
    parts = []
    quote = shorten(plain(entry.label), voice.cards.quote_limit)
    if quote:
        parts.append(voice.cards.say("quoted", text=escape(quote)))
    where = voice.sites_plain(entry.sites, voice.cards.limits["sites"])
    if where:
        parts.append(escape(where))
    if isinstance(entry, Imaging | Biopsy):
        recorded = entry.date
    else:
        recorded = entry.first_recorded
        if entry.onset is not None:
            begun = as_roughly_as_said(entry.onset, voice.assessment.as_of) if entry.basis == "text" else entry.onset
            parts.append(voice.cards.say("noticed", date=in_words(begun)))
    parts.append(voice.cards.say("recorded", date=in_words(recorded)) if recorded else voice.cards.say("undated"))
    return ", ".join(parts) + voice.refs((entry.ref,))


def _laboratory(voice: Voice, criterion: LabCriterion) -> str:
    """Value, unit, range and whose, date, judgement; in the assessment's own words where it is more than that."""
    if voice.reveals(criterion.evidence):
        return voice.cards.say("hidden")
    value = criterion.value
    if criterion.status in _PLACED and value is not None and not criterion.discordant:
        return _value_line(voice, criterion, value) + voice.refs(criterion.evidence)
    limits = "" if criterion.status in _PLACED else _range(voice, criterion)
    text = voice.sentence(criterion.because)
    if criterion.status == "indeterminate" and value is not None and number(value) not in text:
        text, limits = f"{_value_line(voice, criterion, value)}. {text}", ""
    return (f"{text} ({limits})" if limits else text) + voice.refs(criterion.evidence)


def _value_line(voice: Voice, criterion: LabCriterion, amount: Decimal) -> str:
    kind = voice.cards.calcium_kinds.get(criterion.kind or "")
    value = escape(f"{number(amount)} {unit_of(criterion)}")
    when = in_words(criterion.date) or voice.cards.say("undated")
    limits = _range(voice, criterion)
    line = voice.cards.say(
        "lab_line" if limits else "lab_line_no_range", value=value, range=limits, date=when, category=criterion.status
    )
    label = f"{voice.cards.labels['calcium']} ({kind}): " if kind else ""
    return label + line


def _range(voice: Voice, criterion: LabCriterion) -> str:
    low, high = criterion.low, criterion.high
    if low is None and high is None:
        return ""
    key = "range_both" if low is not None and high is not None else "range_low" if low is not None else "range_high"
    text = voice.cards.say(
        key, low=number(low) if low is not None else "", high=number(high) if high is not None else ""
    )
    owner = "range_fallback" if criterion.range_source == "fallback" else "range_laboratory"
    return voice.cards.say(owner, range=text)


def _kidney(voice: Voice, criterion: KidneyCriterion) -> str:
    return voice.sentence(criterion.because, criterion.evidence) + voice.refs(criterion.evidence)


def _report(voice: Voice, criterion: ReportCriterion) -> str:
    if voice.reveals(criterion.evidence):
        return voice.cards.say("hidden")
    reports = [entry for entry in voice.facts.imaging if entry.ref in criterion.evidence]
    sites = dict.fromkeys(site for entry in reports for site in entry.calcified_sites or entry.sites)
    where = voice.sites_plain(sites)
    because = voice.sentence(criterion.because)
    told = f"{because.removesuffix('.')}: {escape(where)}." if where else because
    return told + voice.refs(criterion.evidence)


def _reasons(voice: Voice) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What decided the grade; the CTD and lesion sentences already stand above."""
    assessment = voice.assessment
    above = {assessment.criteria.ctd.because, assessment.criteria.lesion.because}
    label = voice.cards.labels["grade"].format(grade=voice.cards.grades[assessment.grade])
    for sentence in dict.fromkeys(assessment.because):
        if sentence not in above:
            yield f"{label}: {voice.sentence(sentence)}", voice.said_with_source.get(sentence, ())
