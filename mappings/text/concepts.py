"""Diagnoses, states and signs named in a text, each with what the text says of it."""

from __future__ import annotations

from bisect import bisect_left

from msgspec.structs import replace

from mappings.facts import Site
from mappings.text.common import load_common
from mappings.text.context import strongest
from mappings.text.document import Document
from mappings.text.reading import ConceptMention, Status, TimeSpan
from mappings.text.sites import located
from mappings.text.times import times, written_dates
from mappings.text.tokens import YEAR, Sentence
from mappings.text.triggers import Reach
from mappings.text.vocabulary import Hit

_REACH = 6
_PERSONS = frozenset({"family", "other-person"})
_CLOSE = 2
_TRIGGER = 4
"""words of a trigger ("had an operation for")."""
_BESIDE = 4
_DISEASES = "ctd."
"""what "no evidence of a connective tissue disease" denies, of those that the text suspects before it"""
_CONCEPTS = ("concept", "named", "absent", "guard")


def concepts(document: Document) -> tuple[ConceptMention, ...]:
    """Each diagnosis, state or sign that is named, with the status that the words around it give it."""
    out: list[ConceptMention] = []
    of_lesion = load_common().of_lesion
    for hit in document.hits.get("concept", ()):
        if _heads_an_exam(document, hit):
            continue
        names = hit.value.split("+")
        narrower = [named for name in names if (named := of_lesion.get(name)) and named not in names]
        if narrower and _of_lesion(document, hit):
            names.extend(narrower)
        out.extend(_mention(document, hit, concept, document.status(hit)) for concept in names)
    for hit in document.hits.get("named", ()):
        parts = hit.value.split("+")
        out.extend(_mention(document, hit, concept, document.status(hit)) for concept in parts[2:])
    for hit in document.hits.get("absent", ()):
        if document.status(hit) == "affirmed":
            out.extend(_mention(document, hit, concept, "negated") for concept in hit.value.split("+"))
    for hit in document.hits.get("guard", ()):
        guard = document.vocab.guarded[int(hit.value)]
        sure = any(cue.value == hit.value for cue in document.hits.get("cue", ()))
        name = guard.concept if sure else guard.otherwise
        if name is not None:
            out.extend(_mention(document, hit, concept, document.status(hit)) for concept in name.split("+"))
    out = _settled(document, out)
    out.sort(key=lambda m: (m.start, m.end, m.concept))
    return tuple(dict.fromkeys(_timed(document, out)))


def _settled(document: Document, mentions: list[ConceptMention]) -> list[ConceptMention]:
    """ "Possible lupus panniculitis. … Lupus panniculitis was excluded.": the later sentence ends the doubt of the
    earlier one. What the text knew for certain stays, and so does a doubt that comes back."""
    denied: dict[str, int] = {}
    for hit in document.hits.get("concept", ()):
        over = document.contexts.over(hit)
        if document.status(hit) == "negated" and any(r.status == "negated" and r.trigger >= hit.last for r in over):
            start, _ = document.span(hit.first, hit.last)
            denied |= dict.fromkeys(hit.value.split("+"), start)
    every = [hit for hit in document.hits.get("no-disease", ()) if _denies(document, hit)]
    last = max((document.span(hit.first, hit.last)[0] for hit in every), default=-1)
    return [
        replace(m, status="negated")
        if m.status == "possible" and m.start < denied.get(m.concept, last if m.concept.startswith(_DISEASES) else -1)
        else m
        for m in mentions
    ]


def _denies(document: Document, hit: Hit) -> bool:
    """Not "no evidence of CTD-ILD", "… of connective tissue disease activity"; "R/o SLE - no evidence of CTD" does."""
    after = document.word(hit.last)
    ends = not after[:1].isalpha() or after in document.vocab.stopwords
    return ends and document.status(hit) in ("affirmed", "possible")


def _heads_an_exam(document: Document, hit: Hit) -> bool:
    """ "PE: Skin dry" is the physical examination; "PE: 2019, apixaban since" is told by its year."""
    if document.text(hit.first, hit.last) not in document.vocab.exam_headings:
        return False
    sentence = document.sentence_of(hit.first)
    said = document.words.words[hit.last : sentence.last]
    return sentence.first == hit.first and said[:1] == [":"] and not any(map(YEAR.fullmatch, said))


def _of_lesion(document: Document, hit: Hit) -> bool:
    """ "infected hard nodule", "nódulo duro infectado": said of the lesion beside it."""
    sentence = document.sentence_of(hit.first)
    for lesion in document.between("lesion", max(sentence.first, hit.first - _BESIDE), hit.last + _BESIDE):
        gap = range(hit.last, lesion.first) if lesion.first >= hit.last else range(lesion.last, hit.first)
        if sentence.first <= lesion.first < sentence.last and all(document.word(i)[0].isalpha() for i in gap):
            return not any(document.between(c, gap.start, gap.stop) for c in ("coordinator", "preposition"))
    return False


def _mention(document: Document, hit: Hit, concept: str, status: Status) -> ConceptMention:
    start, end = document.span(hit.first, hit.last)
    common = load_common()
    if status in ("family", "other-person") and concept in common.own:
        reaches = [r for r in document.contexts.over(hit) if r.trigger < hit.first or r.status not in _PERSONS]
        status = strongest(reaches)
    if status == "historical" and _lifelong(concept):
        past = [r for r in document.contexts.over(hit) if r.status == "historical"]
        apart = all("," in document.words.words[hit.last : r.trigger] for r in past if r.trigger > hit.first)
        removed = concept.startswith("calcinosis.") and any(_removes(document, r) for r in past)
        calm = all(not _said(document, r).isdisjoint(common.remissions) for r in past)
        if not removed and (apart or calm or any(r.trigger < hit.first for r in past) or concept.startswith("ctd.")):
            status = "affirmed"
    return ConceptMention(concept, status, document.text(hit.first, hit.last), start, end, sites=_near(document, hit))


def _removes(document: Document, reach: Reach) -> bool:
    """ "Excision of calcinosis of the thumb 2014": what was taken out is no longer there."""
    return not _said(document, reach).isdisjoint(load_common().removals)


def _said(document: Document, reach: Reach) -> frozenset[str]:
    """The words of what set the reach."""
    return frozenset(document.word(index) for index in range(max(reach.trigger, 0), reach.trigger + _TRIGGER))


def _near(document: Document, hit: Hit) -> tuple[Site, ...]:
    """The sites right before a diagnosis, and those after it up to the next finding."""
    sentence = document.sentence_of(hit.first)
    first, last = max(sentence.first, hit.first - 2), _reach(document, hit, sentence)
    if not document.between("place", first, last):
        return ()
    while first > sentence.first and document.between("side", first - 1, first):
        first -= 1  # "left index finger gangrenous"
    following = (
        h.first
        for category in ("concept", "lesion", "named", "analyte")
        for h in document.between(category, hit.last, last)
    )
    return tuple(dict.fromkeys(site for _, site in located(document, first, min(following, default=last))))


def _reach(document: Document, hit: Hit, sentence: Sentence) -> int:
    """So many words on; articles and prepositions ("of the tip of the left ring finger") are not counted."""
    left, at = _REACH, hit.last
    while at < sentence.last and left:
        word = document.word(at)
        light = word in document.vocab.articles or word in document.vocab.stopwords
        left -= not (light or document.between("preposition", at, at + 1))
        at += 1
    return at


def _lifelong(concept: str) -> bool:
    known = load_common().lifelong
    return concept in known or f"{concept.partition('.')[0]}.*" in known


def _timed(document: Document, mentions: list[ConceptMention]) -> list[ConceptMention]:
    """Adds the onset a sentence gives for a diagnosis ("SLE for 12 years")."""
    if not mentions:
        return mentions
    out = list(mentions)
    starts = [m.start for m in out]
    for number in sorted(document.speaking(_CONCEPTS)):
        sentence = document.sentences[number]
        timed = times(document, sentence) if _may_hold_time(document, sentence) else []
        if not timed:
            continue
        start, end = document.span(sentence.first, sentence.last)
        own = list(range(bisect_left(starts, start), bisect_left(starts, end)))
        rivals = [
            document.words.starts[h.first] for c in ("lesion", "named", "drug") for h in document.within(c, sentence)
        ]
        for when in timed:
            begin, finish = document.span(when.first, when.last)
            if not when.anchored and not any(0 <= begin - out[i].end <= _CLOSE for i in own):
                continue
            places = sorted([(out[i].start, i) for i in own] + [(r, -1) for r in rivals])
            before = [i for at, i in places if at < begin]
            after = [i for at, i in places if at >= finish]
            order = (after[:1] or before[-1:]) if when.aim == "after" else (before[-1:] or after[:1])
            if order and order[0] >= 0:
                at = out[order[0]].start
                _set(out, [i for i in own if out[i].start == at], when.span)
    for index, mention in enumerate(out):
        if mention.onset is None and mention.concept in load_common().events:
            out[index] = replace(mention, onset=_day_of(document, mention))
    return out


def _day_of(document: Document, mention: ConceptMention) -> TimeSpan | None:
    """When an event was, by the date right beside its name: "MI in 2015", "2010: NSTEMI"."""
    first = bisect_left(document.words.starts, mention.start)
    last = bisect_left(document.words.starts, mention.end)
    sentence = document.sentence_of(first)
    for text, begin, end in written_dates(document, sentence):
        gap = range(last, begin) if begin >= last else range(end, first)
        if len(gap) <= _CLOSE and all(_is_light(document, i) for i in gap):
            return TimeSpan(date_text=text)
    return None


def _is_light(document: Document, index: int) -> bool:
    word = document.word(index)
    return (
        not word[0].isalnum()
        or word in document.vocab.stopwords
        or bool(document.between("preposition", index, index + 1))
    )


def _set(out: list[ConceptMention], indices: list[int], span: TimeSpan) -> None:
    for index in indices:
        if out[index].onset is None and out[index].concept not in load_common().planned:
            out[index] = replace(out[index], onset=span)


def _may_hold_time(document: Document, sentence: Sentence) -> bool:
    return any(word[0].isdigit() for word in document.words.words[sentence.first : sentence.last]) or any(
        document.within(c, sentence) for c in ("unit", "attribute")
    )
