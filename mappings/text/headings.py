"""The headings of a note, and what a section such as "Family history" says of the sentences below it."""

from __future__ import annotations

from bisect import bisect_right

from mappings.text.reading import Status
from mappings.text.tokens import Sentence, Words, begins_line
from mappings.text.vocabulary import Hit

CARRIED = -1
"""stands for the words of a heading in an earlier sentence."""
_BULLET = 2
"""signs at most before a heading."""
Told = tuple[Status, int, int, int]
"""(status, first word, the word behind the last, where the heading begins)."""


def told_under(words: Words, sentences: list[Sentence], hits: dict[str, list[Hit]]) -> list[Told]:
    """What the sections of a text say of their sentences. A section ends with its paragraph or at the next heading; one
    that was told in its own line ends with that line."""
    if not hits.get("section"):
        return []
    out: list[Told] = []
    section: Status | None = None
    paragraph, on_line, alone = -1, False, False
    firsts = [sentence.first for sentence in sentences]
    sections = by_sentence(hits.get("section", []), firsts)
    headings = by_sentence(hits.get("heading", []), firsts)
    for index, sentence in enumerate(sentences):
        hit = _heading(words, sentence, sections[index])
        heading: Status | None = hit.value if hit else None  # type: ignore[assignment]
        ends = on_line and begins_line(words, sentence)
        if alone and heading is None:
            paragraph = sentence.paragraph
        opens = heading or _is_heading(words, sentence, headings[index], on_line=on_line)
        if sentence.paragraph != paragraph or ends or opens:
            section, paragraph = heading, sentence.paragraph
            on_line = heading is not None and _says_more(words, sentence)
        alone = heading is not None and not on_line
        if section is not None:
            out.append((section, sentence.first, sentence.last, sentence.first if heading is not None else CARRIED))
    return out


def by_sentence(hits: list[Hit], firsts: list[int]) -> list[list[Hit]]:
    """The hits of each sentence, by the first words of the sentences."""
    out: list[list[Hit]] = [[] for _ in firsts]
    for hit in hits:
        at = bisect_right(firsts, hit.first) - 1
        if at >= 0:
            out[at].append(hit)
    return out


def _heading(words: Words, sentence: Sentence, hits: list[Hit]) -> Hit | None:
    """The heading a sentence begins with, after a bullet or number at most: a colon or dash follows, or it stands
    alone on its line."""
    for hit in hits:
        before = words.words[sentence.first : hit.first]
        if len(before) > _BULLET or any(word[0].isalpha() for word in before):
            return None
        if _word(words, hit.last) in (":", "-", "–") and hit.last < sentence.last:
            return hit
        if hit.last >= sentence.last and _word(words, hit.last) == "?":  # "What is calcinosis?"
            return hit
        if hit.last >= sentence.last and begins_line(words, sentence) and _word(words, hit.last) in ("", "\n"):
            return hit
    return None


def _says_more(words: Words, sentence: Sentence) -> bool:
    """A heading with words after its colon holds for its own line, one that stands alone for the lines below."""
    inside = words.words[sentence.first : sentence.last]
    return any(word[0].isalnum() for word in inside[inside.index(":") + 1 :]) if ":" in inside else False


def _is_heading(words: Words, sentence: Sentence, headings: list[Hit], *, on_line: bool) -> bool:
    """A line that begins with "Words:", or is a known heading, begins a new part of the note; so does "Words:"
    after a section that was told in its own line ("FHx: lupus. Skin exam: hard nodules")."""
    if headings and _heading(words, sentence, headings):
        return True
    start = words.starts[sentence.first]
    at_line_start = on_line or start == 0 or "\n" in words.text[max(0, start - 4) : start]
    return at_line_start and ":" in words.words[sentence.first : sentence.first + 4]


def _word(words: Words, index: int) -> str:
    return words.words[index] if index < len(words) else ""
