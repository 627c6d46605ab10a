"""ConText: what a trigger word does to the findings around it (negated, possible, of the family, …).

A forward trigger reaches from its own end to the end of the sentence, a backward trigger to the sentence's beginning;
a terminator ("but") or the rule's own scope ends it earlier. The rules are data (`context/<language>.yaml`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from mappings.text.reading import Status
from mappings.text.tokens import Sentence, Words, begins_line, opens_question
from mappings.text.vocabulary import Hit, Vocabulary, rule

_ORDER: tuple[Status, ...] = ("family", "other-person", "hypothetical", "negated", "possible", "historical")
_OPENERS = frozenset({":", "-", "–", "—", "="})
_CLOSERS = frozenset({",", ";", ".", "\n", ")", "/", "|", "]"})
_LIST_COLON = 3
_BULLET = 2


@dataclass(frozen=True, slots=True)
class Reach:
    """A trigger speaks of the words [first, last); `trigger` is where its own words begin."""

    status: Status
    first: int
    last: int
    trigger: int


def strongest(reaches: Iterable[Reach]) -> Status:
    """What several triggers say together."""
    found = {reach.status for reach in reaches}
    return next((status for status in _ORDER if status in found), "affirmed")


class Contexts:
    """The reaches of all triggers of a text."""

    def __init__(self, words: Words, sentences: list[Sentence], hits: dict[str, list[Hit]], vocab: Vocabulary) -> None:
        self._words, self._vocab = words, vocab
        self._concrete = sorted(hit.first for name in ("number", "unit", "onset") for hit in hits.get(name, ())) + [
            i for i, word in enumerate(words.words) if word[0].isdigit()
        ]
        self._concrete.sort()
        self._unit_ends = {h.last for h in hits.get("unit", ())} | {h.last + 1 for h in hits.get("unit", ())}
        self.reaches: list[Reach] = []
        self._firsts = [sentence.first for sentence in sentences]
        self._by_sentence: list[list[Reach]] | None = None
        if not any(hits.get(name) for name in ("trigger", "section", "answer")):
            return
        triggers = _by_sentence(hits.get("trigger", []), self._firsts)
        answering = _by_sentence(hits.get("answer", []), self._firsts)
        carried: Reach | None = None
        section: Status | None = None
        paragraph, on_line, alone = -1, False, False
        sections = _by_sentence(hits.get("section", []), self._firsts)
        headings = _by_sentence(hits.get("heading", []), self._firsts)
        for index, (sentence, inside, replies) in enumerate(zip(sentences, triggers, answering, strict=True)):
            heading = self._section(sentence, sections[index])
            ends = on_line and begins_line(self._words, sentence)
            if alone and heading is None:
                paragraph = sentence.paragraph
            if sentence.paragraph != paragraph or heading or ends or self._is_heading(sentence, headings[index]):
                section, paragraph = heading, sentence.paragraph
                on_line = heading is not None and self._says_more(sentence)
            alone = heading is not None and not on_line
            if section is not None:
                self.reaches.append(Reach(section, sentence.first, sentence.last, sentence.first))
            if carried is not None and sentence.linked:
                self.reaches.append(Reach(carried.status, sentence.first, sentence.last, carried.trigger))
            else:
                carried = None
            answers = {hit.first for hit in replies if self._is_answer(hit, sentence)}
            for hit in replies:
                if hit.first in answers:
                    self.reaches.append(Reach("negated", self._item(hit, sentence), hit.first, hit.first))
            stops = [hit for hit in inside if rule(vocab, hit).kind == "terminate"]
            for hit in inside:
                if hit.first in answers or rule(vocab, hit).kind == "terminate":
                    continue
                for reach in self._reach(hit, sentence, stops):
                    self.reaches.append(reach)
                    if self._word(hit.last) == ":" and reach.last == sentence.last:
                        carried = reach

    def status(self, hit: Hit) -> Status:
        """What the text says of a hit."""
        return self.at(hit.first, hit.last)

    def at(self, first: int, last: int) -> Status:
        return strongest(reach for reach in self._near(first) if reach.first <= first and last <= reach.last)

    def over(self, hit: Hit) -> list[Reach]:
        return [r for r in self._near(hit.first) if r.first <= hit.first and hit.last <= r.last]

    def _near(self, index: int) -> list[Reach]:
        """The reaches of the sentence a word stands in: none goes beyond it."""
        if not self.reaches:
            return self.reaches
        if self._by_sentence is None:
            self._by_sentence = [[] for _ in self._firsts]
            for reach in self.reaches:
                self._by_sentence[max(0, bisect_right(self._firsts, reach.first) - 1)].append(reach)
        return self._by_sentence[max(0, bisect_right(self._firsts, index) - 1)]

    def _reach(self, hit: Hit, sentence: Sentence, stops: list[Hit]) -> list[Reach]:
        entry = rule(self._vocab, hit)
        if entry.status is None or (entry.status == "historical" and self._after_duration(hit)):
            return []
        out = []
        asked = self._asks(hit)
        if entry.direction in ("forward", "both") and asked != "backward":
            last = min([stop.first for stop in stops if stop.first >= hit.last], default=sentence.last)
            if entry.scope is not None:
                scope = 1 if self._hyphenated(hit) else entry.scope
                last = min(last, self._short(hit.last, scope, last))
            elif entry.status == "negated" and self._word(hit.last) != ":":
                last = self._list_end(hit.last, last)
            out.append(Reach(entry.status, hit.last, last, hit.first))
        present = entry.status in ("family", "other-person") and self._present(hit, sentence)
        if entry.direction in ("backward", "both") and asked != "forward" and not present:
            first = max([stop.last for stop in stops if stop.last <= hit.first], default=sentence.first)
            if entry.scope is not None:
                first = max(first, self._short_back(hit.first, entry.scope, first))
            out.append(Reach(entry.status, first, hit.first, hit.first))
        return out

    def _asks(self, hit: Hit) -> str | None:
        """Where a question mark looks: "?lupus" and "? lupus" forward, "lupus?" and "lupus ?" backward."""
        if self._word(hit.first) != "?" or hit.last - hit.first > 1:
            return None
        following = self._words.starts[hit.last] if hit.last < len(self._words) else len(self._words.text)
        before = self._words.ends[hit.first - 1] if hit.first else -1
        apart = before < self._words.starts[hit.first]
        return "forward" if apart and opens_question(self._words, hit.first, following) else "backward"

    def _hyphenated(self, hit: Hit) -> bool:
        """ "non-insulin-dependent" denies one word only."""
        end = self._words.ends[hit.last - 1]
        return self._words.text[end : end + 1] == "-" and self._words.text[end + 1 : end + 2].isalpha()

    def _present(self, hit: Hit, sentence: Sentence) -> bool:
        """ "noticed by her mother": the person is there, what stands before is not hers."""
        at = hit.first - 1
        while at >= sentence.first and at > hit.first - _LIST_COLON - 1:
            word = self._words.words[at]
            if word in self._vocab.present:
                return True
            if word not in self._vocab.stopwords and word not in self._vocab.articles:
                return False
            at -= 1
        return False

    def _after_duration(self, hit: Hit) -> bool:
        """ "2-month history of" tells when something began, not that it is over."""
        if hit.first in self._unit_ends:
            return True
        return self._word(hit.first - 1) in ("7", "52", "12") and self._word(hit.first - 2) == "/"

    def _short(self, begin: int, scope: int, limit: int) -> int:
        """So many words on, but not past a comma."""
        for index in range(begin, min(begin + scope, limit)):
            if self._words.words[index] in (",", "("):
                return index
        return min(begin + scope, limit)

    def _short_back(self, end: int, scope: int, limit: int) -> int:
        for index in range(end - 1, max(end - scope, limit) - 1, -1):
            if self._words.words[index] in (",", ")"):
                return index + 1
        return max(end - scope, limit)

    def _list_end(self, begin: int, limit: int) -> int:
        """ "no rash, nodules or ulcers" is one list; after a comma a number or a time begins a new statement."""
        words = self._words.words
        at = begin
        while at < limit:
            while at < limit and words[at] not in (",", "("):
                at += 1
            if at >= limit:
                return limit
            end = at + 1
            while end < limit and words[end] not in (",", ")"):
                end += 1
            if words[at] == "(":
                at = end + 1
                continue
            if self._has_concrete(at + 1, end):
                return at
            at = end
        return limit

    def _has_concrete(self, first: int, last: int) -> bool:
        at = bisect_left(self._concrete, first)
        return at < len(self._concrete) and self._concrete[at] < last

    def _is_answer(self, hit: Hit, sentence: Sentence) -> bool:
        """A denying word alone after a colon or dash, or after its item at the end ("nodules none")."""
        if not sentence.first < hit.first < sentence.last:
            return False
        before = self._words.words[hit.first - 1]
        if before not in _OPENERS:
            return False
        if hit.last >= sentence.last or self._words.words[hit.last] in _CLOSERS:
            return True
        upcoming = self._words.words[hit.last : min(hit.last + _LIST_COLON + 1, sentence.last)]
        return ":" in upcoming and "," not in upcoming

    def _item(self, hit: Hit, sentence: Sentence) -> int:
        at = hit.first - 1
        while at > sentence.first and self._words.words[at - 1] not in (",", ":", "|", "]"):
            at -= 1
        return at

    def _section(self, sentence: Sentence, sections: list[Hit]) -> Status | None:
        hit = self._heading(sentence, sections)
        return hit.value if hit else None  # type: ignore[return-value]

    def _heading(self, sentence: Sentence, hits: list[Hit]) -> Hit | None:
        """The heading a sentence begins with, after a bullet or number at most: a colon or dash follows, or it stands
        alone on its line."""
        for hit in hits:
            before = self._words.words[sentence.first : hit.first]
            if len(before) > _BULLET or any(word[0].isalpha() for word in before):
                return None
            if self._word(hit.last) in (":", "-", "–") and hit.last < sentence.last:
                return hit
            if hit.last >= sentence.last and begins_line(self._words, sentence) and self._word(hit.last) in ("", "\n"):
                return hit
        return None

    def _says_more(self, sentence: Sentence) -> bool:
        """A heading with words after its colon holds for its own line, one that stands alone for the lines below."""
        inside = self._words.words[sentence.first : sentence.last]
        return any(word[0].isalnum() for word in inside[inside.index(":") + 1 :]) if ":" in inside else False

    def _is_heading(self, sentence: Sentence, headings: list[Hit]) -> bool:
        """A line that begins with "Words:", or is a known heading, begins a new part of the note."""
        if headings and self._heading(sentence, headings):
            return True
        start = self._words.starts[sentence.first]
        at_line_start = start == 0 or "\n" in self._words.text[max(0, start - 4) : start]
        return at_line_start and ":" in self._words.words[sentence.first : sentence.first + 4]

    def _word(self, index: int) -> str:
        return self._words.words[index] if index < len(self._words) else ""


def _by_sentence(hits: list[Hit], firsts: list[int]) -> list[list[Hit]]:
    out: list[list[Hit]] = [[] for _ in firsts]
    for hit in hits:
        at = bisect_right(firsts, hit.first) - 1
        if at >= 0:
            out[at].append(hit)
    return out
