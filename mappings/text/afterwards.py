"""What one part of a text says of a lesion that another part described."""

from __future__ import annotations

from mappings.text.document import Document
from mappings.text.draft import BARE, Draft
from mappings.text.schema import load_common
from mappings.text.surroundings import compatible

_COMPLAINED = BARE | {"induration"}
_DATE = 4
_GAP = 2


def settle(document: Document, drafts: list[Draft]) -> None:
    """Run once, when all lesions of the text are known."""
    _share_complaints(drafts)
    _let_go(document, drafts)


def _share_complaints(drafts: list[Draft]) -> None:
    """ "c/o R elbow lump for 3 months. O/E hard nodule R olecranon": what was complained of is what was then found."""
    told = [d for d in drafts if d.kind in _COMPLAINED and d.status == "affirmed" and not d.hardness and d.onset]
    for complaint in told:
        nowhere = not complaint.sites and len(told) == 1  # "seit 5 Monaten Verhärtungen. Befund: Knoten an …"
        for found in drafts:
            if found.status != "affirmed" or found.onset or found.kind in _COMPLAINED:
                continue
            same = any(compatible(one, other) for one in complaint.sites for other in found.sites)
            if same or (nowhere and complaint.head.first < found.head.first):
                found.onset, found.onset_anchored = complaint.onset, complaint.onset_anchored


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
