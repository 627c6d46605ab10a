"""Lesions across the sentences of a text: the telegraphic ones go on about the lesion before."""

from __future__ import annotations

from mappings.text.afterwards import settle
from mappings.text.described import ADJECTIVES, WINDOW, Described
from mappings.text.document import Document
from mappings.text.draft import Draft
from mappings.text.measures import counted, sizes
from mappings.text.onset import give_records, give_times
from mappings.text.otherwise import settled_otherwise
from mappings.text.reading import LesionMention
from mappings.text.sites import located
from mappings.text.surroundings import Head, compatible
from mappings.text.times import times
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit, rule

_CHALKY = frozenset({"chalk", "white", "chalk_complete"})
_TELLING = (
    "lesion",
    "named",
    "hardness",
    "attribute",
    "pain",
    "tender",
    "place",
    "unit",
    "number",
    "month",
    "feast",
    "span",
    "mimic",
)
_SHORT_SENTENCE = 4
_ANOTHER_MATTER = ("modality", "specimen", "vascular", "joint", "elsewhere", "lump")


class LesionReader(Described):
    """Reads the lesions of one document; `excluded` are words that speak of a report, not of the patient."""

    def __init__(self, document: Document, excluded: list[tuple[int, int]]) -> None:
        super().__init__(document)
        self.excluded = excluded
        self.drafts: list[Draft] = []
        self.latest: list[Draft] = []
        self.latest_sentence = -9
        self.orphans: list[Hit] = []

    def read(self) -> tuple[LesionMention, ...]:
        pending: Sentence | None = None
        paragraph = -1
        speaking = self.document.speaking(_TELLING)
        for index, whole in enumerate(self.document.sentences):
            if index not in speaking and not self._figures(whole):
                pending = None
                continue
            if whole.paragraph != paragraph:
                paragraph = whole.paragraph
                pending = None
            sentence = self._open(whole)
            if sentence is None:
                continue
            heads = self._heads(sentence)
            if heads:
                self._described(sentence, heads, index)
                if pending is not None:
                    self._pending_sites(pending, sentence)
                pending = None
                before = self._before_denial(sentence, heads)
                if before is not None:
                    self._implied(before, index)
                after = self._after_denial(sentence, heads)
                spoken = after is None or self._excepted(heads[-1], after, index) or self._implied(after, index)
                if after is not None and not spoken:
                    self._orphaned(after)
            elif self._continues(sentence, index):
                pending = None
            elif not self._implied(sentence, index):
                short = sentence.last - sentence.first <= _SHORT_SENTENCE
                pending = sentence if short and self.document.within("place", sentence) else None
                self._orphaned(sentence)
        settle(self.document, self.drafts)
        return tuple(m for draft in self.drafts for m in [draft.mention(self.document)] if m is not None)

    def _figures(self, sentence: Sentence) -> bool:
        return any(word[0].isdigit() for word in self.document.words.words[sentence.first : sentence.last])

    def _open(self, sentence: Sentence) -> Sentence | None:
        """The part of the sentence before a report begins."""
        last = sentence.last
        for begin, end in self.excluded:
            if begin <= sentence.first < end:
                return None
            if sentence.first < begin < last:
                last = begin
        return Sentence(sentence.first, last, sentence.paragraph, sentence.linked)

    def _described(self, sentence: Sentence, heads: list[Head], index: int) -> None:
        drafts: list[Draft] = []
        previous: Draft | None = None
        joined: list[tuple[Draft, Draft]] = []
        for position, head in enumerate(heads):
            draft = self._draft(head)
            again = self._refers_back(head, draft, sentence)
            if again:
                for known in again:
                    known.take(draft)
                previous = again[-1]
                continue
            if previous is not None and self._same_lesion(heads[position - 1], head, previous, draft):
                previous.take(draft)
                continue
            alike = previous is not None and previous.status == draft.status
            if alike and previous is not None and previous in drafts and self._coordinated(heads[position - 1], head):
                joined.append((previous, draft))
            elif previous is not None and not previous.sites and self._coordinated(heads[position - 1], head):
                draft.lend_sites(previous)
            drafts.append(draft)
            previous = draft
        for one, other in reversed(joined):
            one.share_after(other)
        for one, other in joined:
            other.share_before(one)
        give_times(self.document, sentence, drafts or self.latest)
        give_records(self.document, sentence, drafts)
        self.drafts.extend(drafts)
        if drafts:
            self.latest = drafts
        self.latest_sentence = index

    def _refers_back(self, head: Head, draft: Draft, sentence: Sentence) -> list[Draft]:
        """ "The nodules are hard": what was described before, said again without a site of its own."""
        document = self.document
        if not self.latest or draft.status != "affirmed" or draft.sites:
            return []
        same = [d for d in self.latest if d.kind == draft.kind and d.status == "affirmed"]
        generic = head.kind == "skin-change"
        if counted(document, head.hit, head.last) is not None:
            return same
        before = head.hit.first - 1
        definite = before >= 0 and document.word(before) in document.vocab.articles
        while before > sentence.first and self._covered(before, ADJECTIVES):
            before -= 1
            definite = definite or document.word(before) in document.vocab.articles
        if generic:
            return [d for d in self.latest if d.status == "affirmed"]
        return same if definite else []

    def _continues(self, sentence: Sentence, index: int) -> bool:
        """ "Painless. Rock-hard. Left elbow.": short sentences that go on about the lesion before."""
        document = self.document
        if not self.latest or index - self.latest_sentence > 2 or self.latest[0].status != "affirmed":
            return False
        if self.document.sentences[self.latest_sentence].paragraph != sentence.paragraph:
            return False
        described = [
            h
            for c in ("hardness", "attribute", "pain", "tender", "place", "scale")
            for h in document.within(c, sentence)
        ]
        timed = times(document, sentence)
        if not described and not timed and not sizes(document, sentence.first, sentence.last):
            return False
        if any(document.within(c, sentence) for c in ("concept", "analyte", "modality", "specimen", "drug")):
            return False
        unremarkable = any(h.value in ("normal", "negative") for h in document.within("word", sentence))
        if unremarkable and all(h.category == "place" for h in described):
            return False
        starts_with = document.word(sentence.first)
        anaphor = any(h.first <= sentence.first + 1 for h in document.within("anaphor", sentence))
        alike = {h.first - sentence.first for h in document.within("also", sentence)}
        also = 0 in alike
        if alike & {0, 1} and any(h.value == "resolved" for h in described):  # "A similar episode … resolved."
            return False
        if not (anaphor or also or sentence.linked) and self._plain_words(sentence) > _SHORT_SENTENCE - 1:
            return False
        places = [site for _, site in located(document, sentence.first, sentence.last)]
        known = [site for draft in self.latest for site in draft.sites]
        if places and known and not also and not any(compatible(p, site) for p in places for site in known):
            return False
        if places and not known and starts_with and not self._only(sentence):
            return False
        for draft in self.latest:
            self._attributes(draft, sentence.first, sentence.last)
        if all(t.anchored for t in timed) or not self._plain_words(sentence):
            give_times(self.document, sentence, self.latest)
        self.latest_sentence = index
        return True

    def _before_denial(self, sentence: Sentence, heads: list[Head]) -> Sentence | None:
        """ "Chalky discharge from the elbow, no nodule": what stands before the denial speaks for itself."""
        if any(self.document.status(head.hit) != "negated" for head in heads):
            return None
        begin = min(
            (r.trigger for head in heads for r in self.document.contexts.over(head.hit)), default=sentence.first
        )
        return Sentence(sentence.first, begin, sentence.paragraph) if begin > sentence.first + 1 else None

    def _excepted(self, head: Head, rest: Sentence, index: int) -> bool:
        """ "No hard nodules except over the left thumb": there is one at that place."""
        document = self.document
        if head.kind == "skin-change" or not any(
            rule(document.vocab, h).excepts for h in document.between("trigger", rest.first, rest.first + 1)
        ):
            return False
        places = document.between("place", rest.first, min(rest.first + 2 * WINDOW, rest.last))
        if not places or document.status(places[0]) != "affirmed":
            return False
        draft = Draft(head.kind.partition("+")[0], "affirmed", head.hit, rest.first, rest.last)
        self._attributes(draft, rest.first, rest.last)
        for hit in document.between("hardness", head.first, head.last):
            draft.describe("hardness", hit.value, denied=False)
        give_times(document, rest, [draft])
        self.drafts.append(draft)
        self.latest, self.latest_sentence = [draft], index
        return True

    def _implied(self, sentence: Sentence, index: int) -> bool:
        """Chalky material, or a calcified or stony spot with its site, is a lesion even without a lesion word."""
        document = self.document
        stone = self._called_stone(sentence)
        if stone is None and not any(h.value in _CHALKY for h in document.within("attribute", sentence)):
            return False
        draft = Draft("deposit", "affirmed", Hit("lesion", "deposit", sentence.first, sentence.first + 1),
                      sentence.first, sentence.last, implied=True)  # fmt: skip
        self._attributes(draft, sentence.first, sentence.last)
        if stone is not None:
            draft.describe("hardness", "definite", denied=False)
        elif not draft.has("chalk_complete"):
            return False
        at = stone or next(
            h for h in document.within("attribute", sentence) if h.value in ("chalk", "white", "chalk_complete")
        )
        draft.status = document.status(at)
        if (
            self.latest
            and self.latest[0].status == "affirmed"
            and not draft.sites
            and index - self.latest_sentence <= 2
        ):
            self.latest[-1].take(draft)
        else:
            draft.head = at
            self.drafts.append(draft)
            self.latest = [draft]
            give_times(self.document, sentence, [draft])
        self.latest_sentence = index
        return True

    def _orphaned(self, sentence: Sentence) -> None:
        """A word for stone or calcium that no lesion took, alone or at a place of the body: relevant, and not
        understood."""
        document = self.document
        hard = [h for h in document.within("hardness", sentence) if h.value == "definite"]
        matters = [h for c in _ANOTHER_MATTER for h in document.within(c, sentence)] if hard else []
        settled = any(settled_otherwise(document, h) for h in document.within("lesion", sentence))
        for hit in () if settled else hard:
            if document.status(hit) not in ("affirmed", "possible"):
                continue
            if any(matter.first < hit.first or matter.last > hit.last for matter in matters):
                continue
            reach = max(sentence.first, hit.first - WINDOW), min(sentence.last, hit.last + WINDOW + 1)
            near = document.between("place", *reach)
            calcified = bool(document.between("calcification", hit.first, hit.first + 1))
            if hit.last - hit.first > 1 or calcified or near:
                self.orphans.append(hit)

    def _pending_sites(self, pending: Sentence, sentence: Sentence) -> None:
        for draft in self.latest:
            if not draft.sites and sentence.first < draft.last:
                for _, site in located(self.document, pending.first, pending.last):
                    draft.add_site(site, before=True)
