"""Questions about the words around a lesion word: what describes it, what denies it, what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass

from mappings.facts import Site
from mappings.text.document import Document
from mappings.text.draft import BARE
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit, rule

_MERGING = frozenset({"ulcer", "calcification", "calcinosis", "induration", "deposit", "skin-change"})
_WINDOW = 5
_QUOTES = frozenset("\"“”„«»‹›'‘’")
_QUOTED_BEFORE = 3
_COMPARED = 3
"""words of the shortest comparison ("como si tuviera piedras")"""


@dataclass(frozen=True, slots=True)
class Head:
    """A lesion word, and the words of the sentence that speak of it."""

    kind: str
    hit: Hit
    first: int
    last: int


class Surroundings:
    def __init__(self, document: Document) -> None:
        self.document = document

    def _only_denied(self, before: Hit, hit: Hit) -> bool:
        """ "nodule without ulceration": the ulcer is a denied attribute of the nodule."""
        document = self.document
        return (
            hit.value in _MERGING
            and document.status(hit) == "negated"
            and document.status(before) != "negated"
            and not any(self._is("coordinator", i) for i in range(before.last, hit.first))
            and not any(
                rule(document.vocab, h).kind == "terminate" for h in document.between("trigger", before.last, hit.first)
            )
        )

    def _inside(self, hit: Hit, sentence: Sentence) -> bool:
        """Whether a lesion word speaks of a part that is no skin: "hard swelling in the floor of the mouth", "gingival
        nodule", "Macula: hard drusen"."""
        document = self.document
        for part in document.within("inside", sentence):
            if part.first >= hit.last:
                gap = range(hit.last, part.first)
                other = any(document.between(c, hit.last, part.first) for c in ("place", "lesion", "soft"))
                if not other and any(self._is("preposition", i) for i in gap) and len(gap) <= _WINDOW:
                    return True
            elif part.last <= hit.first:
                heading = part.first == sentence.first and document.word(part.last) == ":"
                if heading and not document.between("place", part.last, sentence.last):
                    return True
                if all(self._covered(i, ("hardness", "attribute")) for i in range(part.last, hit.first)):
                    return True
        return False

    def _called_stone(self, sentence: Sentence) -> Hit | None:
        """ "a rock" in her thigh, as if there were stones in her knees: a stone in quotation marks, or a
        comparison with one, at a place of the skin is what is felt there."""
        document = self.document
        for hit in document.within("attribute", sentence):
            if hit.value != "stone" or not (hit.last - hit.first >= _COMPARED or self._quoted(hit, sentence)):
                continue
            organs = [h for c in ("elsewhere", "inside") for h in document.within(c, sentence)]
            if any(organ.first != hit.first for organ in organs):
                continue
            for place in document.between("place", hit.last, min(hit.last + _WINDOW, sentence.last)):
                gap = range(hit.last, place.first)
                joined = any(self._is("preposition", i) for i in gap)
                if joined and "," not in document.words.words[hit.last : place.first]:
                    return hit
        return None

    def _quoted(self, hit: Hit, sentence: Sentence) -> bool:
        """Whether a quotation mark opens at the word or at one of the few before it."""
        words = self.document.words
        for index in range(hit.first, max(sentence.first, hit.first - _QUOTED_BEFORE) - 1, -1):
            before = words.text[max(0, words.starts[index] - _QUOTED_BEFORE) : words.starts[index]].rstrip()
            if before[-1:] in _QUOTES and before:
                return not before[-2:-1].isalnum()
        return False

    def _alternatives(self, one: Head, other: Head) -> bool:
        """ "lump/nodule": two names for one thing, one of them vague."""
        vague = BARE & {one.kind, other.kind}
        return bool(vague) and self.document.word(one.hit.last) == "/" and other.hit.first == one.hit.last + 1

    def _own_site(self, hit: Hit, hits: list[Hit], sentence: Sentence) -> bool:
        following = next((h.first for h in hits if h.first > hit.first), sentence.last)
        return bool(self.document.between("place", hit.first, following))

    def _covered(self, index: int, categories: tuple[str, ...]) -> bool:
        if self.document.word(index)[:1].isdigit():
            return "number" in categories
        return any(
            hit.first <= index < hit.last for c in categories for hit in self.document.between(c, index - 4, index + 1)
        )

    def _is(self, category: str, index: int) -> bool:
        return any(hit.first <= index < hit.last for hit in self.document.between(category, index - 2, index + 1))

    def _means_other(self, hit: Hit) -> bool:
        """A word that is part of a diagnosis ("diffuse SSc"), or that calls the material chalky, not the lesion."""
        document = self.document
        for concept in document.between("concept", hit.first - 2, hit.first + 1):
            if concept.first <= hit.first and hit.last < concept.last:
                return True
        if hit.category != "hardness" or hit.value != "definite":
            return False
        chalk = [
            h for h in document.between("attribute", hit.first, hit.last) if h.value in ("chalk", "chalk_complete")
        ]
        near = document.between("attribute", hit.first - _WINDOW, hit.last + _WINDOW)
        return bool(chalk) and any(h.value == "material" and h.first != hit.first for h in near)

    def _denied_place(self, place: Hit) -> bool:
        """Whether the text says "not there"; after "without ulceration" a place is still the lesion's own."""
        document = self.document
        reaches = [r for r in document.contexts.over(place) if r.status == "negated"]
        return any(
            not any(
                document.between(category, reach.first, place.first)
                for category in ("attribute", "pain", "tender", "hardness", "lesion")
            )
            for reach in reaches
        )

    def _possessed(self, head: Head) -> bool:
        """ "no tenderness over the nodules": what is denied is the tenderness."""
        document = self.document
        reaches = [r for r in document.contexts.over(head.hit) if r.status == "negated" and r.trigger < head.hit.first]
        if not reaches:
            return False
        for reach in reaches:
            attributes = [
                h
                for c in ("attribute", "pain", "tender", "hardness")
                for h in document.between(c, reach.first, head.hit.first)
            ]
            attributes += [h for h in document.between("lesion", reach.first, head.hit.first) if h.value == "ulcer"]
            if not attributes:
                return False
            after = max(h.last for h in attributes)
            first = min(h.last for h in attributes)
            gap = range(first, head.hit.first)
            over = any(self._is("preposition", i) for i in gap)
            definite = any(document.word(i) in document.vocab.articles for i in gap)
            if not (over and definite) or after < first:
                return False
        return True

    def _describes(self, hit: Hit, head: Hit) -> bool:
        """Whether a word stands right beside the lesion word, as in "no pain over the hard nodules"."""
        if hit.first < head.first:
            return not any(self._is("preposition", i) for i in range(hit.last, head.first))
        return not any(self._is("coordinator", i) for i in range(head.last, hit.first))

    def _plain_words(self, sentence: Sentence) -> int:
        """How many words of the sentence none of our entries covers."""
        covered: set[int] = set()
        for category in self.document.hits:
            for hit in self.document.within(category, sentence):
                covered.update(range(hit.first, hit.last))
        stopwords = self.document.vocab.stopwords
        return sum(
            1
            for i in range(sentence.first, sentence.last)
            if i not in covered and self.document.word(i) not in stopwords and self.document.word(i)[0].isalpha()
        )

    def _only(self, sentence: Sentence) -> bool:
        return self._plain_words(sentence) <= 1


def compatible(one: Site, other: Site) -> bool:
    """Same region, and not one side against the other."""
    sides = {one.laterality, other.laterality}
    return one.region == other.region and sides != {"left", "right"}
