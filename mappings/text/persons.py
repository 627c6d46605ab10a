"""Whose a finding is where another person is named beside it: "noticed by her husband", "in her sister", "of her aunt,
who has hard lumps"."""

from __future__ import annotations

from mappings.text.tokens import Sentence, Words
from mappings.text.vocabulary import Hit, Vocabulary, rule

_OPENING = 3
"""words right before a person that may say whose it is."""
_HAD = ("lesion", "named", "concept", "place", "side")
_FEW_WORDS = 3
"""words between the person and what says that the person is there."""


class Persons:
    """Persons other than the patient in one text; each is a hit of a trigger."""

    def __init__(self, words: Words, hits: dict[str, list[Hit]], vocab: Vocabulary) -> None:
        self._words, self._hits, self._vocab = words, hits, vocab

    def is_present(self, person: Hit, sentence: Sentence) -> bool:
        """ "noticed by her mother": the person is there, what stands before is not hers."""
        if self._goes_on_about(person):
            return False
        at = person.first - 1
        while at >= sentence.first and at > person.first - _FEW_WORDS - 1:
            word = self._words.words[at]
            if word in self._vocab.present:
                return True
            if word not in self._vocab.stopwords and word not in self._vocab.articles:
                return False
            at -= 1
        return False

    def keeps(self, person: Hit, stop: Hit, present: bool) -> bool:
        """ "her mother developed hard lumps due to calcinosis", "her son, who has lupus": still theirs."""
        entry, gap = rule(self._vocab, stop), self._words.words[person.last : stop.first]
        if entry.of_person:
            return gap in ([], [","])
        return entry.keeps_person and not present and ("," not in gap or self._goes_on_about(person))

    def is_owner(self, person: Hit, first: int) -> bool:
        """ "hard nodule of the shin, calcinosis in her sister": hers is only what stands right before."""
        words = self._words.words[max(first, person.first - _OPENING) : person.first]
        while (
            words
            and (words[-1] in self._vocab.articles or words[-1] in self._vocab.stopwords)
            and words[-1] not in self._vocab.of_whom
        ):
            words = words[:-1]
        return bool(words) and words[-1] in self._vocab.of_whom

    def of_companion(self, clause: Hit) -> bool:
        """ "Accompanied by her husband, who has hard lumps": what the clause tells is his."""
        at = clause.first - (self._words.words[clause.first - 1 : clause.first] == [","])
        return any(hit.last == at for hit in self._hits.get("companion", ()))

    def clause_of_companion(self, sentence: Sentence) -> tuple[int, int, int] | None:
        """(first, last, where it opens) of what a companion has where the verb ends the clause: "begleitet von ihrem
        Mann, der harte Knoten hat". "der harte Knoten bemerkt hat" tells of the patient."""
        words = self._words.words
        inside = (h for h in self._hits.get("companion", ()) if sentence.first <= h.first and h.last < sentence.last)
        for companion in inside:
            opening = companion.last + (words[companion.last] == ",")
            if words[opening : opening + 1] and words[opening] in self._vocab.relatives:
                had = (h.last for name in _HAD for h in self._hits.get(name, ()) if h.last < sentence.last)
                ends = [end for end in had if end > opening and words[end] in self._vocab.having]
                ends = [end for end in ends if "," not in words[opening:end]]  # "…, die berichtet, dass sie Knoten hat"
                if ends:
                    return opening + 1, min(ends), opening
        return None

    def _goes_on_about(self, person: Hit) -> bool:
        """ "of her aunt, who has hard lumps": the clause is about the person."""
        behind = person.last + (self._words.words[person.last : person.last + 1] == [","])
        opening = (h for h in self._hits.get("trigger", ()) if h.first == behind > person.last)
        return any(rule(self._vocab, h).of_person for h in opening)
