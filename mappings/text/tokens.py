"""Text cut into words and sentences, with positions in the NFC form of the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from msgspec import Struct, field

from mappings.text.common import either, load_common
from mappings.text.folding import fold
from mappings.text.wrapped import wrapped_breaks

Span = tuple[int, int]
YEAR = re.compile("(?:19|20)[0-9][0-9]")
_LEADER = re.compile(r"\.{3,}(?=[ \t]?:?[ \t]?\d)")
"""dots that lead to a number ("Calcium ....... 9.4")"""
_SPACED = re.compile(r"(?<![\d.,])(\d{1,3})[ \u00a0\u202f](\d{3})(?=\s?/\s?(?:mm[3³]|[µμu]l))")
"""a count of cells whose thousands are set apart ("72 000/mm3")"""
_MICROLITRES = ("/mm", "/µ", "/μ", "/u", "/ mm")
_TABLE = re.compile(r"(?m)^[^;\n]{1,60}(?:;[^\s;][^;\n]{0,60}){2,8};?$")
"""a row of a table that was exported with semicolons"""
_CAPITALS = re.compile(r"\b[A-Z]{2,}\b")
_POINTED = re.compile(r"\w+")
_NEWLINE = re.compile("\n")
_POSSESSIVE = frozenset({"'s", "’s"})
_ENDS = frozenset(".!?;\n•")
_LONGEST = 160
"""words; a longer run without a full stop is cut, so that time grows with the length of a text only."""
_ORDINAL = re.compile(r"\d{1,2}|i{1,3}|iv|v")
"""before a stop and a word of degree: "AV-Block II. Grades" """
_ASKS = frozenset({"?", ":"})
_JOINS = frozenset({".", "?", "!"})
_HEADING = 4
"""words of a heading and its colon."""
_TITLE = 4
_SHORT = 4
"""letters of the longest word that is taken for an abbreviation."""
_OPENS = frozenset({",", ";", ":", ".", "(", "-", "–", "\n", "/"})


class Words(Struct):
    """The words of a text. `words` are folded; `starts`/`ends` are positions in `text`."""

    text: str
    folded: str
    words: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    _capitals: dict[int, bool] = field(default_factory=dict)
    _letters: tuple[str, ...] | None = None
    _small: bool | None = None

    def __len__(self) -> int:
        return len(self.words)

    def letters(self) -> tuple[str, ...]:
        """Words of capitals in a text that has small letters too: abbreviations, folded."""
        if self._letters is None:
            found = () if self.text.isupper() else _CAPITALS.findall(self.text)
            self._letters = tuple(map(str.lower, found))
        return self._letters

    def one_case(self, position: int) -> bool:
        """Whether the text has no capital at all, or the line around a position no small letter."""
        return self.is_small() or self.all_capitals(position)

    def is_small(self) -> bool:
        """Whether the text has no capital at all: a small letter behind a stop or a line break tells nothing in it."""
        if self._small is None:
            self._small = self.text == self.text.lower()
        return self._small

    def all_capitals(self, position: int) -> bool:
        """Whether the line around a position is a longer one all in capitals: it tells no abbreviation from a word."""
        start = self.text.rfind("\n", 0, position) + 1
        known = self._capitals.get(start)
        if known is None:
            end = self.text.find("\n", position)
            line = self.text[start : end if end >= 0 else len(self.text)]
            words = line.split() if line.isupper() else []
            told = any(len(word) > _SHORT and word.isalpha() for word in words)  # not "T 36.8, P 72, BP 126/78"
            known = self._capitals[start] = told and len(words) > _TITLE
        return known


class Sentence(Struct, frozen=True):
    """Words [first, last); `paragraph` counts blank lines, `linked` says that only a semicolon parts it from before."""

    first: int
    last: int
    paragraph: int
    linked: bool = False


class _Patterns(NamedTuple):
    mark: re.Pattern[str]
    """the mark of an unusual value in front of it ("Pulse: (!) 46", "Calcium (H) 11.4"), which ends no sentence"""
    suspicion: str
    day: re.Pattern[str]
    """the point behind the number of a day or month ("am 14. Mai", "vom 14.05. 2,33"), which ends no sentence"""
    word: re.Pattern[str]
    suspected: re.Pattern[str]
    """the same in a text that suspects: German writes a suspicion in one word with what is suspected
    ("Lupusverdacht"), which is two words for us."""


@cache
def _patterns() -> _Patterns:
    common = load_common()
    marks = common.results.marks
    mark = (
        rf"[(\[](?:[!*]{{1,3}}|[{marks.letters}]{{1,2}}|{either(marks.words)})[)\]]"
        rf"(?=[ \t]{{0,2}}[(<>]?(?:[{marks.letters}!]\))?[ \t]?\d)|(?<=[\s:])(?:!{{1,3}}|\*)(?=[ \t]?[<>]?\d)"
    )
    word = (
        rf"\d+(?:[.,]\d+)*|(?<!\w)x(?=\d{{1,3}}\s?(?:{either(common.numbers.times)})(?!\w))|[a-z]/[a-z](?![^\W\d_])"
        rf"|(?:[a-z]{{1,2}}|{either(common.elisions)})['’](?=[^\W\d_])|[^\W\d_]\w*(?:['’]s(?!\w))?|\n"
        r"|(?<!\w)[-–—]|[-–—](?!\w)|[^\w\s'’–—-]"
    )
    suspected = rf"[^\W\d_]{{3,}}?(?={re.escape(common.suspicion)}(?!\w))|{word}"
    months = either([name for names in common.numbers.months.values() for name in names])
    day = rf"(?<!\d)(\d{{1,2}})\.(?= (?:{months})(?!\w))|(?<![\d.,])(\d{{1,2}}\.\d{{1,2}})\.(?= \d)"
    return _Patterns(re.compile(mark), common.suspicion, re.compile(day), re.compile(word), re.compile(suspected))


def without(text: str, spans: Sequence[Span]) -> str:
    """A text without these parts of it, which are in order."""
    begins = (0, *(end for _, end in spans))
    ends = (*(start for start, _ in spans), None)
    return "".join(text[begin:end] for begin, end in zip(begins, ends, strict=True))


def cut(text: str, undone: Sequence[Span] = ()) -> Words:
    """The words of a text, folded, with their places in its NFC form. `undone`: parts of the text, in NFC and in order,
    that belong to none of its words (`hyphens.undone`)."""
    text = unicodedata.normalize("NFC", text)
    if "\n" in text and (wraps := wrapped_breaks(text)):
        text = _NEWLINE.sub(lambda found: " " if found.start() in wraps else "\n", text)
    if undone:
        text = without(text, undone)
    folded = unwrapped = fold(text)
    if "..." in unwrapped:
        unwrapped = _LEADER.sub(lambda dots: " " * len(dots[0]), unwrapped)
    if "!" in unwrapped or "*" in unwrapped or ") " in unwrapped:
        unwrapped = _patterns().mark.sub(lambda mark: " " * len(mark[0]), unwrapped)
    if any(unit in unwrapped for unit in _MICROLITRES):
        unwrapped = _SPACED.sub(r"\1.\2", unwrapped)
    if ";" in unwrapped:
        unwrapped = _TABLE.sub(lambda row: row[0].replace(";", "|"), unwrapped)
    patterns = _patterns()
    if ". " in unwrapped:
        unwrapped = patterns.day.sub(lambda day: f"{day[1] or day[2]} ", unwrapped)
    pattern = patterns.suspected if patterns.suspicion in unwrapped else patterns.word
    matches = list(pattern.finditer(unwrapped))
    words = [match[0] for match in matches]
    if "'s" in folded or "’s" in folded:
        words = [word[:-2] if word[-2:] in _POSSESSIVE and len(word) > 2 else word for word in words]
    return Words(text, folded, words, [match.start() for match in matches], [match.end() for match in matches])


def phrase(text: str) -> tuple[str, ...]:
    """The words of a lexicon entry, cut just as a text is."""
    if text.isascii() and text.replace(" ", "").isalpha():
        return tuple(text.lower().split())
    if text.replace(" ", "").isalpha():
        return tuple(fold(unicodedata.normalize("NFC", text)).split())
    return tuple(cut(text).words)


def sentences(words: Words, abbreviations: frozenset[str]) -> list[Sentence]:
    """Where words are sentences: cut at stops and line breaks, not behind `abbreviations`, and after so many words."""
    out: list[Sentence] = []
    first, paragraph, linked = 0, 0, False
    for index, word in enumerate(words.words):
        if (index - first >= _LONGEST and word == ",") or index - first >= 2 * _LONGEST:
            out.append(Sentence(first, index, paragraph, linked))
            first, linked = index + (word == ","), False
            continue
        if word not in _ENDS or (word in _JOINS and _joined(words, index, abbreviations)):
            continue
        if index > first:
            out.append(Sentence(first, index, paragraph, linked))
        linked = word == ";" and index > first
        if word == "\n" and "\n" in words.folded[words.ends[index] : _next_start(words, index) + 1]:
            paragraph += 1
        first = index + 1
    if first < len(words):
        out.append(Sentence(first, len(words), paragraph, linked))
    return out


def _joined(words: Words, index: int, abbreviations: frozenset[str]) -> bool:
    """A full stop after an abbreviation, or a question mark set before a word ("?SLE"), ends nothing."""
    following = _next_start(words, index)
    if words.words[index] == "!":  # "rock hard! lump on knee"
        return words.text[following : following + 1].islower() and "\n" not in words.text[words.ends[index] : following]
    if words.words[index] == "?":
        apart = index == 0 or words.ends[index - 1] < words.starts[index]
        return following < len(words.text) and (
            following == words.ends[index] or (apart and opens_question(words, index, following))
        )
    if index == 0 or words.ends[index - 1] != words.starts[index]:
        return False
    before = words.words[index - 1]
    if index + 1 < len(words) and words.words[index + 1] in load_common().numbered and _ORDINAL.fullmatch(before):
        return True
    if before in abbreviations:
        return not _opens_heading(words, index + 1)
    if following == words.ends[index] and following < len(words.text):
        return True
    follows_small = following < len(words.text) and words.text[following].islower()
    answers = index > 1 and words.words[index - 2] in _ASKS  # "hard lumps? n. ulcers? n."
    return len(before) == 1 and before.isalpha() and follows_small and not answers


def _opens_heading(words: Words, index: int) -> bool:
    """ "Elbows: hard nodules bilat. Knees: none": what follows the point is the name of another part."""
    if index >= len(words) or not words.text[words.starts[index]].isupper():
        return False
    return _is_heading(words, index)


def _is_heading(words: Words, index: int) -> bool:
    """Whether a few words and a colon begin here."""
    colon = next((i for i in range(index + 1, min(index + _HEADING, len(words))) if words.words[i] == ":"), None)
    return colon is not None and all(word.isalpha() for word in words.words[index:colon])


def opens_question(words: Words, index: int, following: int) -> bool:
    """Whether a question mark that stands apart asks for what follows it on its line ("? lupus"), not for what stands
    before it ("lupus ?", as French is written)."""
    text = words.text
    gap = text[words.ends[index] : following]
    if following >= len(text) or "\n" in gap:
        return False
    behind = _POINTED.match(text, following)
    if behind is not None and fold(behind[0]) in load_common().pointers:
        return False
    if words.one_case(following) and _is_heading(words, index + 1):
        return False
    begins = index == 0 or words.words[index - 1] in _OPENS or "\n" in text[words.ends[index - 1] : words.starts[index]]
    return begins or not gap or text[following].islower() or _is_capitals(text[following : following + 2])


def _is_capitals(start: str) -> bool:
    """ "SLE", not "Résultat": a small letter may have an accent."""
    return len(start) == 2 and start.isalpha() and start.isupper()


def begins_line(words: Words, sentence: Sentence) -> bool:
    if not sentence.first:
        return True
    before = words.ends[sentence.first - 1]
    return "\n" in words.text[max(0, before - 1) : words.starts[sentence.first]]


def _next_start(words: Words, index: int) -> int:
    return words.starts[index + 1] if index + 1 < len(words) else len(words.text)
