"""The lesion words of one sentence, and what its other words say of each."""

from __future__ import annotations

from itertools import pairwise

from mappings.text.corrected import take_back
from mappings.text.draft import Draft
from mappings.text.measures import count, count_after, counted, pain_score, sizes
from mappings.text.otherwise import settled_otherwise
from mappings.text.reading import Status
from mappings.text.sites import located
from mappings.text.surroundings import Head, Surroundings
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit

ADJECTIVES = ("hardness", "attribute", "pain", "tender", "side", "number", "unit", "history", "mimic")
_CALCIUM = frozenset({"calcification", "deposit"})
WINDOW = 5
"""words at most from one word to another that it belongs to."""
_PAST = frozenset({"in_scar", "injection", "trauma", "mineral", "infused"})
_SILENT = frozenset({"chalk", "white", "mineral", "infused", "stone"})


class Described(Surroundings):
    """Finds the lesions of a sentence, each with the words that describe it."""

    def _heads(self, sentence: Sentence) -> list[Head]:
        hits = [h for category in ("lesion", "named") for h in self.document.within(category, sentence)]
        hits = sorted(hits + self._vague(sentence), key=lambda h: h.first)
        inner = [h for h in hits if self._inside(h, sentence)]
        hits = [h for h in hits if h not in inner and not settled_otherwise(self.document, h)]
        hits = list({h.first: h for h in reversed(hits)}.values())[::-1]  # of those that begin together the first
        hits = [h for h in hits if not (h.value in _CALCIUM and self._calcium_elsewhere(h, inner, sentence))]
        hits = [h for h in hits if h.value != "plaque" or not self._of_vessel(h, sentence)]
        specific = [h for h in hits if h.value != "skin-change"]
        if specific and len(specific) < len(hits):
            past = all(self.document.status(h) == "historical" for h in specific)
            hits = [
                h
                for h in hits
                if h.value != "skin-change"
                or self._own_site(h, hits, sentence)
                or (past and self.document.status(h) == "affirmed")
            ]
        hits = [h for i, h in enumerate(hits) if i == 0 or not self._only_denied(hits[i - 1], h)]
        bounds = [sentence.first]
        bounds += [self._boundary(one, other) for one, other in pairwise(hits)]
        bounds.append(sentence.last)
        return [Head(h.value, h, bounds[i], self._until_but(h, bounds[i + 1])) for i, h in enumerate(hits)]

    def _boundary(self, one: Hit, other: Hit) -> int:
        """Where the describing words before the second lesion word begin."""
        document = self.document
        at = other.first
        while at > one.last:
            word = document.word(at - 1)
            if self._covered(at - 1, ADJECTIVES):
                at -= 1
                continue
            place = next((p for p in document.between("place", max(one.last, at - 3), at) if p.last == at), None)
            if place is not None:
                at = place.first
                continue
            if word in document.vocab.articles:
                return at - 1
            if self._is("coordinator", at - 1):
                if at - 2 >= one.last and self._covered(at - 2, ("hardness", "attribute", "pain", "tender")):
                    at -= 1
                    continue
                return at
            if self._is("preposition", at - 1):
                return self._after_sites(at, other.first)
            if word in document.vocab.stopwords or not word[0].isalnum():
                return at
            at -= 1
        return one.last

    def _after_sites(self, begin: int, limit: int) -> int:
        """After a preposition the next site belongs to the lesion before it."""
        place = next(iter(self.document.between("place", begin, limit)), None)
        if place is None:
            return begin
        at = place.last
        while at < limit and self._covered(at, ("side",)) and not self.document.between("place", at, limit):
            at += 1
        return at

    def _draft(self, head: Head) -> Draft:
        document = self.document
        kind, rest, *_ = [*head.kind.split("+"), ""]
        draft = Draft(kind, document.status(head.hit), head.hit, head.first, head.last)
        if rest:
            draft.mimics.add(rest)
        owned = self._possessed(head)
        if owned or (draft.status == "historical" and self._recurred(head)):
            draft.status = "affirmed"
        self._attributes(draft, head.first, head.last, head.hit, owned=owned)
        number, or_more = count(document, head.hit.first, head.first)
        if number is None:
            number, or_more = count_after(document, head.hit.last, head.last)
        draft.number(number or counted(document, head.hit, head.last), or_more=or_more)
        return draft

    def _attributes(self, draft: Draft, first: int, last: int, head: Hit | None = None, *, owned: bool = False) -> None:
        document = self.document
        skip = set(range(head.first, head.last)) if head else set()
        over = {(r.status, r.trigger) for r in document.contexts.over(head)} if head else set()
        turned = take_back(document, draft, first, last)
        for category in ("hardness", "attribute", "pain", "tender", "mimic"):
            for hit in document.between(category, first, last):
                if self._means_other(hit) or (category == "hardness" and hit.first < turned):
                    continue
                if category == "hardness" and set(range(hit.first, hit.last)) & skip and hit.last - hit.first == 1:
                    draft.describe(category, hit.value, denied=False)
                    continue
                shared = over if not owned or (head and self._describes(hit, head)) else set[tuple[Status, int]]()
                reaches = {(r.status, r.trigger) for r in document.contexts.over(hit)} - shared
                statuses = {status for status, _ in reaches}
                if statuses & {"family", "other-person", "hypothetical"}:
                    continue
                if "historical" in statuses and hit.value not in _PAST:
                    continue
                possible = "possible" in statuses
                if possible and category != "mimic":
                    continue
                after = head is not None and hit.first >= head.last
                draft.describe(category, hit.value, denied="negated" in statuses, after=after)
                denied_behind = any(status == "negated" and trigger >= hit.last for status, trigger in reaches)
                if hit.value not in _SILENT and not denied_behind:  # a quote must not end before "Tenderness: no"
                    draft.touch(hit)
        for place, site in located(document, first, last):
            if draft.status == "negated" or owned or not self._denied_place(place):
                draft.add_site(site, before=head is not None and place.last <= head.first)
                draft.touch(place)
        for index, size in sizes(document, first, last):
            draft.size_cm = max(draft.size_cm or size, size)
            draft.first_word, draft.last_word = min(draft.first_word, index), max(draft.last_word, index + 1)
        score = pain_score(document, first, last)
        draft.pain_score = draft.pain_score if score is None else score
        self._chalk(draft, first, last)

    def _chalk(self, draft: Draft, first: int, last: int) -> None:
        """Chalky or white counts only when material, discharge or the floor of an ulcer is meant."""
        attributes = self.document.between("attribute", first, last)
        material = [h for h in attributes if h.value in ("material", "draining")]
        if draft.has("pus"):
            return
        for hit in attributes:
            if hit.value not in ("chalk", "white") or self.document.status(hit) not in ("affirmed", "historical"):
                continue
            if any(abs(m.first - hit.first) <= WINDOW for m in material):
                draft.describe("attribute", "chalk_complete", denied=False)
