"""ConText: what a trigger word does to the findings around it (negated, possible, of the family, …).

A forward trigger reaches from its own end to the end of the sentence, a backward trigger to the sentence's beginning;
a terminator ("but") or the rule's own scope ends it earlier (`triggers.py`). The rules are data
(`context/<language>.yaml`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from mappings.text import listed, replies, rows
from mappings.text.asked import only_asked
from mappings.text.headings import CARRIED, by_sentence, told_under
from mappings.text.persons import Persons
from mappings.text.reading import Status
from mappings.text.tokens import Sentence, Words
from mappings.text.triggers import Reach, Triggers
from mappings.text.unfilled import item, unfilled
from mappings.text.vocabulary import Hit, Vocabulary, rule

_ORDER: tuple[Status, ...] = ("family", "other-person", "hypothetical", "negated", "possible", "historical")
_MARKS = frozenset("?¿")


def strongest(reaches: Iterable[Reach]) -> Status:
    """What several triggers say together."""
    found = {reach.status for reach in reaches}
    return next((status for status in _ORDER if status in found), "affirmed")


class Contexts:
    """The reaches of all triggers of a text."""

    def __init__(self, words: Words, sentences: list[Sentence], hits: dict[str, list[Hit]], vocab: Vocabulary) -> None:
        self._words, self._vocab = words, vocab
        self._persons, self._hits = Persons(words, hits, vocab), hits
        self.reaches: list[Reach] = []
        self._firsts = [sentence.first for sentence in sentences]
        self._by_sentence: list[list[Reach]] | None = None
        self.reaches += [Reach("hypothetical", *field) for field in unfilled(words, sentences, hits)]
        self.reaches += [Reach("hypothetical", *question) for question in only_asked(words, sentences)]
        if "+" in words.words:
            self.reaches += [Reach("negated", *absent) for part in sentences for absent in rows.absent(words, part)]
        if not any(hits.get(name) for name in ("trigger", "section", "answer", "companion")):
            return
        self._triggers = Triggers(words, hits, vocab, self._persons)
        self.reaches += [Reach(*told) for told in told_under(words, sentences, hits)]
        triggers = by_sentence(hits.get("trigger", []), self._firsts)
        answering = by_sentence(hits.get("answer", []), self._firsts)
        carried: Reach | None = None
        for index, (sentence, inside, replying) in enumerate(zip(sentences, triggers, answering, strict=True)):
            if carried is not None and sentence.linked:
                self.reaches.append(Reach(carried.status, sentence.first, sentence.last, carried.trigger))
            else:
                carried = None
            answers = self._answered(sentence, replying)
            if index:
                self._replied(sentence, sentences[index - 1], replying)
            carried = self._triggered(sentence, inside, answers) or carried

    def _answered(self, sentence: Sentence, replying: list[Hit]) -> set[int]:
        """Where the sentence denies an item of its own ("Nodules: none"): those words are no triggers."""
        answers = {hit.first for hit in replying if replies.is_answer(self._words, hit, sentence)}
        for at in (hit.first for hit in replying if hit.first in answers):
            self.reaches.append(Reach("negated", self._item(at, sentence), at, at))
        for hit in replying:
            begin = listed.answered_behind_comma(self._words, self._hits, hit, sentence)
            if begin is not None:
                self.reaches.append(Reach("negated", begin, hit.first, hit.first))
        return answers

    def _item(self, answer: int, sentence: Sentence) -> int:
        """Where that begins which is answered: all that was asked about before, else the last item."""
        asked = [h for h in self._hits.get("asking", ()) if sentence.first <= h.first and h.last < answer]
        if asked and not {":", ";"} & set(self._words.words[asked[-1].last : answer - 1]):
            return asked[-1].last
        row = listed.row(self._words, self._hits, answer, sentence)
        return item(self._words, answer, sentence) if row is None else row

    def _replied(self, sentence: Sentence, asked: Sentence, replying: list[Hit]) -> None:
        """What the sentence answers to the question before it."""
        if any(replies.says_no(self._words, hit, sentence, asked) for hit in replying):
            self.reaches.append(Reach("negated", asked.first, asked.last, sentence.first))
        looked = [h for h in self._hits.get("asking", ()) if asked.first <= h.first < asked.last]
        if looked and any(replies.found_none(self._words, hit, sentence) for hit in replying):
            self.reaches.append(Reach("negated", looked[-1].last, asked.last, sentence.first))
        if replies.says_yes(self._words, sentence, asked):
            self.reaches = [r for r in self.reaches if r.first < asked.first or self._word(r.trigger) not in _MARKS]

    def _triggered(self, sentence: Sentence, inside: list[Hit], answers: set[int]) -> Reach | None:
        """Adds the reaches of the sentence's triggers that are no answers; the last that goes on behind a semicolon."""
        carried: Reach | None = None
        stops = [hit for hit in inside if rule(self._vocab, hit).kind == "terminate"]
        for hit in inside:
            if hit.first in answers or rule(self._vocab, hit).kind == "terminate":
                continue
            for reach in self._triggers.reaches(hit, sentence, stops):
                self.reaches.append(reach)
                if self._word(hit.last) == ":" and reach.last == sentence.last:
                    carried = reach
        if self._vocab.relatives and (theirs := self._persons.clause_of_companion(sentence)):
            self.reaches.append(Reach("other-person", *theirs))
        for clause in stops:
            if rule(self._vocab, clause).of_person and self._persons.of_companion(clause):
                last = min((s.first for s in stops if s.first >= clause.last), default=sentence.last)
                self.reaches.append(Reach("other-person", clause.last, last, clause.first))
        return carried

    def status(self, hit: Hit) -> Status:
        """What the text says of a hit."""
        return self.at(hit.first, hit.last)

    def at(self, first: int, last: int) -> Status:
        return strongest(reach for reach in self._near(first) if reach.first <= first and last <= reach.last)

    def of_patient(self, hit: Hit) -> Status:
        """As `status`, for what a section of the family does not hold ("FHx: mother with lupus. Calcium normal.")."""
        return strongest(r for r in self.over(hit) if r.status != "family" or r.trigger != CARRIED)

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

    def _word(self, index: int) -> str:
        return self._words.words[index] if index < len(self._words) else ""
