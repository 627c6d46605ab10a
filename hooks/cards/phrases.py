"""The phrases that title and lead are built from: who, what, where, calcium, and why not. All plain text."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial

from hooks.cards.dates import in_words
from hooks.cards.markdown import plain, shorten
from hooks.cards.voice import Voice, number
from hooks.knowledge.card_schema import TextKind
from hooks.model import LabCriterion
from mappings.facts import Hardness

_UNIT = re.compile(r"[A-Za-zµμ%/.0-9·²³ -]{1,20}|10\*\d{1,2}/[A-Za-zµμ]{1,4}")
_TELLING: tuple[Hardness, ...] = ("against", "unstated", "possible", "equivalent", "definite")
_PLAIN_STATUS = frozenset({"normal", "stale", "borderline", "high", "low", "indeterminate"})


def summary(kind: TextKind, voice: Voice, **more: str) -> str:
    """The title: the first template whose text fits; the last one, cut at a word, if none does."""
    limit = voice.cards.summary_limit
    values = title_values(voice) | more
    text = ""
    for template in voice.cards.kinds[kind].summary:
        text = plain(template.format(**values))
        if len(text) <= limit:
            return text
    return shorten(text, limit)


def title_values(voice: Voice) -> dict[str, str]:
    """What the templates of a card are filled with."""
    if "title" not in voice.memory:
        voice.memory["title"] = _title_values(voice)
    found: dict[str, str] = voice.memory["title"]
    return found


def _title_values(voice: Voice) -> dict[str, str]:
    few = voice.cards.limits["sites"]
    where, short = voice.sites_plain(voice.body_sites), voice.sites_plain(voice.body_sites, 1)
    if len(voice.body_sites) > few:
        where = voice.sites_plain(voice.body_sites, few)
    assessment = voice.assessment
    subtypes = voice.cards.subtypes
    subtype = subtypes[assessment.subtype or "undetermined"]
    if assessment.mixed_with:
        subtype = voice.cards.say("mixed", first=subtype, second=subtypes[assessment.mixed_with])
    return {
        "grade": voice.cards.grades[assessment.grade],
        "ctd": ctd(voice, voice.cards.limits["diagnoses"]),
        "ctd_first": _capital(ctd(voice, voice.cards.limits["diagnoses"])),
        "ctd_few": ctd(voice, 1),
        "lesion": lesion(voice),
        "at": f" ({where})" if where else "",
        "at_few": f" ({short})" if short else "",
        "calcium": calcium(voice),
        "reason": reason(voice),
        "subtype": subtype,
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def ctd(voice: Voice, limit: int) -> str:
    """ "SLE + lupus panniculitis"; nothing named when only a restricted entry names it."""
    criterion = voice.assessment.criteria.ctd
    if not criterion.diagnoses or voice.reveals(criterion.evidence):
        return voice.cards.say("ctd_hidden")
    known = voice.cards.diagnoses
    names = [known[d].short if d in known else d.replace("-", " ") for d in criterion.diagnoses]
    text = " + ".join(names) if len(names) <= limit else voice.cards.say("and_others", name=" + ".join(names[:limit]))
    return voice.cards.say("suspected", name=text) if criterion.certainty == "suspected" else text


def lesion(voice: Voice) -> str:
    """ "hard nodules", "plaque with chalky material": kind and hardness as the chart's own lesions have them."""
    words = voice.cards.lesions
    entries = voice.lesions
    if not entries:
        coded = voice.coded_lesions
        return words.kinds["calcinosis"][1] if coded else words.any[1]
    hardness = max((le.hardness for le in entries), key=_TELLING.index)
    deciding = [le for le in entries if le.hardness == hardness]
    kind, _ = Counter(le.kind for le in deciding).most_common(1)[0]
    one = len(entries) == 1 and entries[0].count == 1 and not entries[0].multiple
    singular, plural = words.kinds.get(kind, words.any)
    chalky = any(le.chalky for le in entries)
    template = words.hardness[hardness] if hardness != "equivalent" or chalky else words.white_yellow
    text = template.format(noun=singular if one else plural)
    criterion = voice.assessment.criteria.lesion
    return words.new.format(lesion=text) if criterion.newness == "N1" and criterion.newness_certain else text


def calcium(voice: Voice) -> str:
    """ "calcium normal 12 May 2026" and its siblings; never "normal" unless the assessment says so."""
    criterion = voice.assessment.criteria.calcium
    when = in_words(criterion.date)
    status = criterion.status
    say = voice.cards.calcium
    if voice.reveals(criterion.evidence):
        return say["hidden"]
    if status not in _PLAIN_STATUS or when is None:
        return say["unknown"]
    if status == "stale" and criterion.category != "normal":
        return say["stale_other"].format(date=when)
    if status == "normal" and criterion.value is None:
        return say["normal_words"].format(date=when)
    return say[status].format(date=when)


def reason(voice: Voice) -> str:
    """Why the card is urgent or does not fit dystrophic calcinosis, in a few words."""
    assessment, say = voice.assessment, voice.cards.reasons
    criteria = assessment.criteria
    if assessment.card == "urgent":
        flags = {flag.id for flag in assessment.red_flags}
        if "calciphylaxis" in flags or not criteria.calcium.critical:
            return say["calciphylaxis"]
        hidden = voice.reveals(criteria.calcium.evidence)
        return say["alternative"] if hidden else say["critical"].format(value=critical_value(voice, criteria.calcium))
    named = partial(_abnormal, voice)
    found = [named("calcium", criteria.calcium), named("phosphate", criteria.phosphate)]
    if criteria.kidney.status == "severe" and not voice.reveals(criteria.kidney.evidence):
        found.append(say["kidney"])
    if assessment.subtype == "iatrogenic":
        found.append(say["iatrogenic"])
    return "; ".join(text for text in found if text) or say["alternative"]


def _abnormal(voice: Voice, name: str, criterion: LabCriterion) -> str:
    say = voice.cards.reasons
    key = f"{name}_{criterion.status}"
    if key not in say or voice.reveals(criterion.evidence):
        return ""
    if criterion.value is None:
        when = in_words(criterion.date) or voice.cards.say("undated")
        return say["in_words"].format(name=name, category=criterion.status, date=when)
    return say[key].format(value=value_of(criterion))


def critical_value(voice: Voice, criterion: LabCriterion) -> str:
    """The value that is critical and its day: not always the newest one, which is the one that is judged."""
    told = criterion.critical_result
    return voice.sentence_plain(told).replace(" on ", " ") if told else value_of(criterion)


def unit_of(criterion: LabCriterion) -> str:
    """The result's unit; one that does not look like a unit (chart text is anything) is left out."""
    unit = plain(criterion.unit or "")
    return unit if _UNIT.fullmatch(unit) else ""


def value_of(criterion: LabCriterion) -> str:
    """ "2.91 mmol/L 12 May 2026"."""
    value = number(criterion.value) if criterion.value is not None else ""
    return " ".join(part for part in (value, unit_of(criterion), in_words(criterion.date) or "") if part)
