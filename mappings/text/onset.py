"""Which lesion a time of the sentence belongs to: "nodules for 2 months", "2-month history of", beside drugs and
diagnoses that have times of their own."""

from __future__ import annotations

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.draft import Draft
from mappings.text.times import Timed, times, written_dates
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit

_BEFORE = 6
_STATE = "trigger."
"""of the concepts, the complaints and states; a disease of its own has its own time."""
_NEAR = 3
_PARTING, _CLOSING = frozenset(",;:"), frozenset(",;:()")


def give_times(document: Document, sentence: Sentence, drafts: list[Draft]) -> None:
    """Gives each time of the sentence to what it stands beside; a drug or a diagnosis may take it instead."""
    rivals = [h.first for c in ("concept", "guard", "drug") for h in document.within(c, sentence)]
    states = {h.first for h in document.within("concept", sentence) if h.value.startswith(_STATE)}
    inside = [d for d in drafts if sentence.first <= d.head.first < sentence.last]
    heads = {d.head.first for d in inside}
    # "with livedo", "ulcer with calcinosis": words for the lesion itself
    described = {h.first for c in ("attribute", "lesion", "named") for h in document.within(c, sentence)}
    rivals = [r for r in rivals if r not in heads and r not in described]
    taken: set[int] = set()
    lent: set[int] = set()
    for timed in times(document, sentence):
        open_rivals = [r for r in rivals if not _put_aside(document, r, timed.first)]
        draft = (
            _owner(document, timed, inside, open_rivals, taken, states)
            if inside
            else (drafts[-1] if drafts and not rivals else None)
        )
        if draft is None:
            continue
        own = not inside or timed.aim != "before" or draft.head.first < timed.first
        for each in [draft, *draft.partners] if inside else drafts:
            if each.onset is None or (timed.anchored and not each.onset_anchored) or (own and id(each) in lent):
                (lent.discard if own else lent.add)(id(each))
                each.onset, each.onset_anchored = timed.span, timed.anchored
                each.first_word = min(each.first_word, timed.first)
                each.last_word = max(each.last_word, timed.last)


def _put_aside(document: Document, index: int, time: int) -> bool:
    """ "nodules at injection sites (weekly methotrexate), first noticed in May", "lumps where she gives the pen, 3
    months": what a bracket or a clause of place that is closed before the time holds does not own it."""
    where = range(max(0, index - _BEFORE), index)
    if any(document.word(i) in load_common().where for i in where) and "," in document.words.words[index:time]:
        return True
    closed = next((i for i in range(index, time) if document.word(i) in "()"), None)
    return closed is not None and document.word(closed) == ")"


def give_records(document: Document, sentence: Sentence, drafts: list[Draft]) -> None:
    """ "Had hard nodules in 2015", "nodules documented in 2015": they were there then, and nothing is said of today."""
    if not any(document.within(c, sentence) for c in ("had", "recorded")):
        return
    begun = {timed.first for timed in times(document, sentence)}
    for text, first, last in written_dates(document, sentence):
        before = [d for d in drafts if sentence.first <= d.head.first < first and d.status == "affirmed"]
        had_then = any(h.last == first for h in document.between("had", first - _NEAR, first))
        after = [d for d in drafts if had_then and d.head.first >= last and d.status == "affirmed"]
        if first not in begun and not before and after:  # "hatte 2015 harte Knoten"
            after[0].seen = text
        kept = any(h.last == first or h.first == last for h in _beside(document, first, last))  # "known since 2011"
        if (first in begun and not kept) or not before:
            continue
        head = before[-1].head
        told = any(h.last >= first - 1 or h.first == last for h in _beside(document, first, last))
        if told or _had(document, sentence, head.first, head.last, first):
            before[-1].seen = text


def _beside(document: Document, first: int, last: int) -> list[Hit]:
    """The words "documented" and the like at a date."""
    return [h for h in document.between("recorded", first - _NEAR, last + 1) if h.last <= first or h.first >= last]


def _had(document: Document, sentence: Sentence, head: int, behind: int, date: int) -> bool:
    """Whether "had" stands before the lesion word and nothing else between it and the date."""
    had = [h for h in document.between("had", max(sentence.first, head - _BEFORE), head) if h.last <= head]
    if not had:
        return False
    gap = (*range(had[-1].last, head), *range(behind, date))
    apart = any(document.word(i) in (",", ";") for i in gap)
    joined = any(document.between("coordinator", i, i + 1) for i in range(behind, date))
    return not apart and not joined


def _opens(document: Document, timed: Timed, before: int, after: int) -> bool:
    """Whether a clause begins with the time and goes on to what follows: "SSc, for 3 months hard nodules"."""
    at = timed.first - 1
    while at > before and (
        document.word(at) in document.vocab.articles
        or any(document.between("since", i, i + 1) for i in (at, at - 1))  # "desde hace unos 3 meses"
    ):
        at -= 1
    parted = at > before and (document.word(at) in _PARTING or document.between("coordinator", at, at + 1))
    following = range(timed.last, after)
    return bool(parted) and len(following) <= _BEFORE and not any(document.word(i) in _CLOSING for i in following)


def _owner(
    document: Document, timed: Timed, drafts: list[Draft], rivals: list[int], taken: set[int], states: set[int]
) -> Draft | None:
    """The draft a time belongs to: what follows "2-month history of", else what stands before "for 2 months"."""
    positions: list[tuple[int, Draft | None]] = [(d.head.first, d) for d in drafts]
    positions += [(r, None) for r in rivals]
    positions.sort(key=lambda pair: pair[0])
    before = [pair for pair in positions if pair[0] < timed.first]
    after = [pair for pair in positions if pair[0] >= timed.last]
    if timed.aim == "after":
        chosen = after[0] if after else before[-1] if before else None
    elif after and (
        (timed.aim == "beside" and after[0][0] - timed.last <= 2)
        or (before and before[-1][1] is None and _opens(document, timed, before[-1][0], after[0][0]))
    ):
        chosen = after[0]
    else:
        chosen = before[-1] if before else after[0] if after else None
        if chosen is not None and chosen[0] in taken and after:
            chosen = after[0]
    if chosen is not None and len(after) > 1 and chosen == after[0] and chosen[0] in states:
        gap = range(chosen[0] + 1, after[1][0])  # "two weeks of fevers and painful nodules"
        if len(gap) <= _BEFORE and any(document.between("coordinator", i, i + 1) for i in gap):
            chosen = after[1]
    if chosen is not None and (timed.aim == "after" or chosen[0] < timed.first):
        taken.add(chosen[0])
    return chosen[1] if chosen else None
