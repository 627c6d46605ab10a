"""What one part of a text says of a lesion that another part described."""

from __future__ import annotations

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.draft import BARE, CALCIFIED, Draft
from mappings.text.sites import located
from mappings.text.surroundings import compatible
from mappings.text.times import written_dates
from mappings.text.tokens import Sentence

_COMPLAINED = BARE | {"induration"}
_INFUSED = frozenset({"mineral", "infused"})
_DONE = ("affirmed", "historical")
_DATE = 4
_GAP = 2


def settle(document: Document, drafts: list[Draft]) -> None:
    """Run once, when all lesions of the text are known."""
    _share_complaints(drafts)
    _share_infusions(document, drafts)
    _of_known_calcium(drafts)
    _let_go(document, drafts)


def _share_complaints(drafts: list[Draft]) -> None:
    """ "c/o R elbow lump for 3 months. O/E hard nodule R olecranon": what was complained of is what was then found."""
    _share_newness(drafts)
    told = [d for d in drafts if d.status == "affirmed" and not d.hardness and d.onset]
    vague = sum(d.kind in _COMPLAINED for d in told)
    for complaint in told:
        bare = complaint.kind in _COMPLAINED
        nowhere = bare and not complaint.sites and vague == 1  # "seit 5 Monaten Verhärtungen. Befund: Knoten an …"
        for found in drafts:
            if found.status != "affirmed" or found.onset or (bare and found.kind in _COMPLAINED):
                continue
            later = found.kind == complaint.kind and found.head.first > complaint.head.first
            if not bare and (not later or _told_new(found)):
                continue  # "3 months of nodules of the legs. Exam: indurated nodules of the lower legs"
            same = any(compatible(one, other) for one in complaint.sites for other in found.sites)
            if same or (nowhere and complaint.head.first < found.head.first):
                found.onset, found.onset_anchored = complaint.onset, complaint.onset_anchored


def _share_newness(drafts: list[Draft]) -> None:
    """ "Some new lumps on the left elbow. O/E hard nodules of the left olecranon": they are the new ones."""
    new = [d for d in drafts if d.status == "affirmed" and d.kind in _COMPLAINED and not d.hardness and _told_new(d)]
    for complaint in new:
        for found in drafts:
            plain = found.status == "affirmed" and not found.onset and found.kind not in _COMPLAINED
            if plain and complaint.head.first < found.head.first and _same_place(complaint, found):
                found.flags.add("called_new")


def _told_new(draft: Draft) -> bool:
    return draft.has("called_new") or draft.has("new_site")


def _share_infusions(document: Document, drafts: list[Draft]) -> None:
    """ "Calcium gluconate IV into the dorsum of the left hand. Two weeks later hard papules there": what was infused at
    the place of a lesion that is told of afterwards. An infusion of another year is another matter."""
    if not any(hit.value == "mineral" for hit in document.hits.get("attribute", ())):
        return
    following = [*document.sentences[1:], None]
    for sentence, after in zip(document.sentences, following, strict=True):
        told = {h.value for h in document.within("attribute", sentence) if document.status(h) in _DONE}
        if not told >= _INFUSED or document.within("lesion", sentence) or _long_before(document, sentence):
            continue
        places = [site for _, site in located(document, sentence.first, sentence.last)]
        for draft in drafts:
            there = any(compatible(one, other) for one in places for other in draft.sites)
            if after is not None and not draft.sites and after.first <= draft.head.first < after.last:
                there = bool(places)  # told next, of no other place: "… the left forearm. Hard plaque at that place"
                draft.sites.extend(places)
            if there and draft.status == "affirmed" and draft.head.first >= sentence.last:
                draft.flags |= _INFUSED


def _of_known_calcium(drafts: list[Draft]) -> None:
    """ "Known calcinosis of the fingers. The deposit of the thumb has doubled": after calcium was named, it is of that.
    What is called soft, or else described, stays what it is."""
    named = [d.head.first for d in drafts if d.kind in CALCIFIED and d.status in _DONE]
    for draft in drafts:
        plain = draft.kind == "deposit" and draft.status == "affirmed" and not (draft.hardness or draft.mimics)
        if plain and named and min(named) < draft.head.first:
            draft.hardness.add("definite")


def _long_before(document: Document, sentence: Sentence) -> bool:
    """ "In 2015", "years ago"."""
    years = [text for text, _, _ in written_dates(document, sentence) if len(text) == _DATE]
    return bool(years) or any(h.value == "year" for h in document.within("unit", sentence))


def _let_go(document: Document, drafts: list[Draft]) -> None:
    """ "Hard nodules of both elbows. … Today the nodules are no longer palpable.": those that were described before are
    gone. Not when some of them are, when others lie elsewhere, when they came back, or when the day is told."""
    again = [h.first for h in document.hits.get("recurred", ()) if document.status(h) in ("affirmed", "historical")]
    if again:
        for draft in drafts:
            if draft.status == "affirmed" and draft.head.first < again[-1]:
                draft.flags.discard("resolved")
        return
    for draft in drafts:
        if not draft.has("resolved") or not _of_them_all(document, draft) or _dated(document, draft):
            continue
        there = [d for d in drafts if d is not draft and d.kind == draft.kind and d.status == "affirmed"]
        same = [d for d in there if not draft.sites or _same_place(draft, d)]
        if same and all(d.head.first < draft.head.first for d in there):
            for other in same:
                left = [s for s in other.sites if draft.sites and not any(compatible(s, gone) for gone in draft.sites)]
                if left:
                    other.sites[:] = left
                else:
                    other.flags.add("resolved")


def _of_them_all(document: Document, draft: Draft) -> bool:
    """ "The nodules" or "Nodules" at the beginning; not "two of the nodules", "a nodule"."""
    at = draft.head.first - 1
    sentence = document.sentence_of(draft.head.first)
    if at >= sentence.first and document.word(at) in document.vocab.articles:
        at -= 1
    elif at >= sentence.first:
        return False
    before = range(max(sentence.first, at - _GAP + 1), at + 1)
    partly = load_common().partly
    return not any(document.word(i) in partly or document.word(i)[0].isdigit() for i in before) and not any(
        h.last > at - _GAP for h in document.between("number", before.start, at + 1)
    )


def _same_place(one: Draft, other: Draft) -> bool:
    return any(compatible(a, b) for a in one.sites for b in other.sites)


def _dated(document: Document, draft: Draft) -> bool:
    """ "The nodules had resolved by 2019" may be told before today's finding."""
    sentence = document.sentence_of(draft.head.first)
    words = document.words.words[sentence.first : sentence.last]
    return any(len(word) == _DATE and word.isdigit() for word in words)
