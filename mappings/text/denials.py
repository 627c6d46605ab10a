"""Denials that can speak of what stands before them and of what follows: "Nódulos: no se observan", "Rx de muslo: no se
observan calcificaciones"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mappings.text.tokens import Sentence, Words
from mappings.text.vocabulary import Hit, Vocabulary, rule

_ENDS = frozenset({",", ":", "("})
_FINDINGS = ("lesion", "named", "concept", "calcification", "attribute")


def leading(triggers: Iterable[Hit], vocab: Vocabulary) -> frozenset[tuple[int, int]]:
    """The words of the denials that speak of what follows them."""
    rules = ((hit, rule(vocab, hit)) for hit in triggers)
    return frozenset(
        (hit.first, hit.last) for hit, known in rules if known.status == "negated" and known.direction == "forward"
    )


def goes_on(words: Words, hits: Mapping[str, list[Hit]], denial: Hit, sentence: Sentence) -> bool:
    """Whether a finding follows a denial in the same part of the sentence: that is what is denied."""
    end = next((i for i in range(denial.last, sentence.last) if words.words[i] in _ENDS), sentence.last)
    return any(denial.last <= hit.first < end for name in _FINDINGS for hit in hits.get(name, ()))
