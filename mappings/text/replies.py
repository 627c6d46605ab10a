"""Words that answer: "Nodules: none", "Any lumps on your elbows? Yes."."""

from __future__ import annotations

from mappings.text.common import load_common
from mappings.text.tokens import Sentence, Words
from mappings.text.vocabulary import Hit

_DASHES = frozenset({"-", "–", "—"})
_OPENERS = _DASHES | {":", "=", "|"}
_CLOSERS = frozenset({",", ";", ".", "\n", ")", "/", "|", "]"})
_AFTER_YES = frozenset({",", ":", "-", "–"})
_LIST_COLON = 3


def is_answer(words: Words, hit: Hit, sentence: Sentence) -> bool:
    """A denying word alone after a colon or dash, or after its item at the end ("nodules none")."""
    if not sentence.first < hit.first < sentence.last:
        return False
    before, said = words.words[hit.first - 1], words.words[hit.first]
    if before not in _OPENERS or (before in _DASHES and said in _DASHES):
        return False  # a row of dashes is a line across the page
    if hit.last >= sentence.last or words.words[hit.last] in _CLOSERS or _only_looked(words, hit.last, sentence):
        return True
    upcoming = words.words[hit.last : min(hit.last + _LIST_COLON + 1, sentence.last)]
    return ":" in upcoming and "," not in upcoming


def says_no(words: Words, hit: Hit, sentence: Sentence, before: Sentence) -> bool:
    """ "Any lumps on your elbows? No.", "Hard lumps? None felt today." """
    if hit.first != sentence.first or not words.words[hit.first][0].isalpha() or not _asks(words, before):
        return False
    said = words.words[hit.last : sentence.last]
    alone = said[: said.index(",")] if "," in said else said
    return all(word in load_common().looked for word in alone if word != ".")


def found_none(words: Words, hit: Hit, sentence: Sentence) -> bool:
    """ "Inspected for pits and calcinosis; nothing found.": the sentence says no more than that."""
    return hit.first == sentence.first and _only_looked(words, hit.last, sentence)


def _only_looked(words: Words, first: int, sentence: Sentence) -> bool:
    return all(word in load_common().looked for word in words.words[first : sentence.last])


def says_yes(words: Words, sentence: Sentence, before: Sentence) -> bool:
    """ "Any lumps on your elbows? Yes." """
    if not _asks(words, before) or not is_yes(words, sentence.first):
        return False
    at = sentence.first + 1
    return at >= sentence.last or words.words[at] in _AFTER_YES


def is_yes(words: Words, index: int) -> bool:
    """As it is written: Spanish "sí" is "yes", "si" is "if"."""
    return words.text[words.starts[index] : words.ends[index]].lower() in load_common().affirming


def _asks(words: Words, sentence: Sentence) -> bool:
    return sentence.last < len(words) and words.words[sentence.last] == "?"
