"""ConText: what a trigger word does to the findings around it (negated, possible, of the family, …).

A forward trigger reaches from its own end to the end of the sentence, a backward trigger to the sentence's beginning;
a terminator ("but") or the rule's own scope ends it earlier. The rules are data (`context/<language>.yaml`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping

from msgspec import Struct

from mappings.text import listed, replies, rows
from mappings.text.asked import only_asked
from mappings.text.common import load_common
from mappings.text.denials import goes_on, leading
from mappings.text.feared import feared
from mappings.text.headings import CARRIED, by_sentence, told_under
from mappings.text.persons import Persons
from mappings.text.reading import Status
from mappings.text.tokens import YEAR, Sentence, Words, begins_line, opens_question
from mappings.text.unfilled import item, unfilled
from mappings.text.vocabulary import Hit, Vocabulary, rule

_ORDER: tuple[Status, ...] = ("family", "other-person", "hypothetical", "negated", "possible", "historical")
_DATED = 6
_MARKS = frozenset("?¿")
_PARTS = frozenset({",", "-", "–"})
_LAST_WORD = 5
_SIGNS = frozenset({"+", "-", "–"})


class Reach(Struct, frozen=True):
    """A trigger speaks of the words [first, last); `trigger` is where its own words begin, before the text for a
    section that began in an earlier sentence."""

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
        self._persons = Persons(words, hits, vocab)
        self._concrete = sorted(hit.first for name in ("number", "unit", "onset") for hit in hits.get(name, ())) + [
            i for i, word in enumerate(words.words) if word[0].isdigit()
        ]
        self._concrete.sort()
        self._unit_ends = {h.last for h in hits.get("unit", ())} | {h.last + 1 for h in hits.get("unit", ())}
        described = {h.last for name in ("lesion", "named") for h in hits.get(name, ())}
        self._diagnoses = {h.last: h.first for h in hits.get("concept", ()) if h.last not in described}
        self._hits = hits
        self._where: set[int] | None = None
        self._joins: dict[int, Hit] | None = None
        self.reaches: list[Reach] = []
        self._firsts = [sentence.first for sentence in sentences]
        self._by_sentence: list[list[Reach]] | None = None
        self._leading = leading(hits.get("trigger", ()), vocab)
        self.reaches += [Reach("hypothetical", *field) for field in unfilled(words, sentences, hits)]
        self.reaches += [Reach("hypothetical", *question) for question in only_asked(words, sentences)]
        if "+" in words.words:
            self.reaches += [Reach("negated", *absent) for part in sentences for absent in rows.absent(words, part)]
        if not any(hits.get(name) for name in ("trigger", "section", "answer")):
            return
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
            for reach in self._reach(hit, sentence, stops):
                self.reaches.append(reach)
                if self._word(hit.last) == ":" and reach.last == sentence.last:
                    carried = reach
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

    def _reach(self, hit: Hit, sentence: Sentence, stops: list[Hit]) -> list[Reach]:
        entry = rule(self._vocab, hit)
        if entry.status is None or (entry.status == "historical" and self._after_duration(hit)):
            return []
        if entry.status == "hypothetical" and (self._is_ending(hit) or replies.is_yes(self._words, hit.first)):
            return []
        if entry.status == "possible" and self._weighs_nothing(hit, sentence):
            return []
        if entry.status == "possible" and entry.direction == "forward" and self._tells_time(hit):
            return []
        both_ways = (
            entry.status == "negated" and entry.direction == "backward" and (hit.first, hit.last) in self._leading
        )
        if both_ways and goes_on(self._words, self._hits, hit, sentence):
            return []
        if entry.status == "negated" and entry.direction == "backward" and self._of_test(hit):
            return []
        if entry.own:
            return [Reach(entry.status, hit.first, hit.last, hit.first)]
        if entry.undated and any(YEAR.fullmatch(w) for w in self._words.words[hit.last : hit.last + _DATED]):
            return []
        if entry.diagnosis and entry.direction == "forward":
            ends = [s.first for s in stops if s.first >= hit.last and not rule(self._vocab, s).keeps_person]
            end = min(ends, default=sentence.last)
            named = feared(self._words, self._hits, hit.last, end, self._vocab.theirs)
            return [Reach(entry.status, one.first, one.last, hit.first) for one in named]
        if entry.diagnosis:
            begin = self._diagnoses.get(hit.first, hit.first)
            return [Reach(entry.status, begin, hit.first, hit.first)] if begin < hit.first else []
        if self._denies_before(hit, entry.status, sentence):
            return [Reach("negated", item(self._words, hit.first, sentence), hit.first, hit.first)]
        if entry.status == "possible" and entry.direction == "forward" and self._ends(hit, sentence):
            begin = self._short_back(hit.first - 1, _LAST_WORD, sentence.first)
            return [Reach("possible", begin, hit.first, hit.first)]
        out = []
        asked = "backward" if self._joined(hit) else self._asks(hit)
        turned = entry.direction == "backward" and (self._signs_first(hit, sentence) or self._excludes(hit, sentence))
        direction = "forward" if turned else entry.direction
        person = entry.status in ("family", "other-person")
        present = person and self._persons.is_present(hit, sentence)
        beside = present and self._word(hit.last) == ","  # "noticed by her husband, hard lumps on both elbows"
        if direction in ("forward", "both") and asked != "backward" and not beside:
            after = [s for s in stops if s.first >= hit.last and not (person and self._persons.keeps(hit, s, present))]
            last = min([stop.first for stop in after], default=sentence.last)
            if direction != entry.direction:
                last = next((i for i in range(hit.last, last) if self._words.words[i] == "("), last)
            if entry.scope is not None:
                scope = 1 if self._hyphenated(hit) else entry.scope
                last = min(last, self._short(hit.last, scope, last))
            elif entry.status == "negated" and self._word(hit.last) != ":":
                last = self._list_end(hit.last, self._described_at(hit.last, last))
            out.append(Reach(entry.status, hit.last, last, hit.first))
        if direction in ("backward", "both") and asked != "forward" and not present:
            first = max([stop.last for stop in stops if stop.last <= hit.first], default=sentence.first)
            if person and self._persons.is_owner(hit, first):
                first = item(self._words, hit.first, sentence)
            if entry.scope is not None:
                end = self._before_places(hit.first, first) if self._word(hit.first) == "?" else hit.first
                first = self._over_joined(max(first, self._short_back(end, entry.scope, first)), end, sentence, first)
            out.append(Reach(entry.status, first, hit.first, hit.first))
        return out

    def _weighs_nothing(self, hit: Hit, sentence: Sentence) -> bool:
        """ "VS 0600: BP 84/52": a versus with nothing before it on its line."""
        opens = hit.first == sentence.first and begins_line(self._words, sentence)
        return opens and self._word(hit.first) in load_common().weighing

    def _of_test(self, hit: Hit) -> bool:
        """ "Scleroderma with negative Scl-70": said of the test right behind it, not of the disease before."""
        return any(named.first == hit.last for named in self._hits.get("analyte", ()))

    def _tells_time(self, hit: Hit) -> bool:
        """ "Since early May": of the time, not a doubt."""
        named = any(h.first == hit.last for name in ("month", "feast") for h in self._hits.get(name, ()))
        return named or YEAR.fullmatch(self._word(hit.last)) is not None

    def _signs_first(self, hit: Hit, sentence: Sentence) -> bool:
        """ "(+) calcinosis (-) ulcers": where a line begins with a sign, each sign speaks of what follows it."""
        words = self._words.words
        first = sentence.first
        return words[hit.first] == "(" and words[first] == "(" and words[first + 1] in _SIGNS and hit.first >= first

    def _excludes(self, hit: Hit, sentence: Sentence) -> bool:
        """ "Ruled out lupus", "Descartado LES": where nothing stands before it, an exclusion speaks of what follows."""
        return hit.first == sentence.first and self._word(hit.first) in load_common().exclusions

    def _denies_before(self, hit: Hit, status: Status, sentence: Sentence) -> bool:
        """ "Knoten oder Verhärtungen verneint": the last word denies the item before it, and no more of the list, which
        may be a list of what is there ("harte Knoten seit März, Schmerzen verneint")."""
        if status != "negated" or hit.last < sentence.last or self._word(hit.first) not in load_common().denials:
            return False
        return hit.first > sentence.first and self._word(hit.first - 1) not in _PARTS

    def _ends(self, hit: Hit, sentence: Sentence) -> bool:
        """ "SLE, suspected", "LES - probable": the last word, after a sign, doubts what stands before it."""
        return hit.last >= sentence.last and hit.first - 1 > sentence.first and self._word(hit.first - 1) in _PARTS

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

    def _joined(self, hit: Hit) -> bool:
        """ "Lupusverdacht", "SLE-Verdacht": the doubt is in one word with what it doubts."""
        if self._word(hit.first) != load_common().suspicion or not hit.first:
            return False
        gap = self._words.text[self._words.ends[hit.first - 1] : self._words.starts[hit.first]]
        return gap in ("", "-") and self._word(hit.first - 1)[0].isalpha()

    def _before_places(self, end: int, limit: int) -> int:
        """ "hard nodule on R elbow?": the question is for what stands before the place."""
        if self._where is None:
            named = [hit for name in ("place", "side", "preposition") for hit in self._hits.get(name, ())]
            self._where = {index for hit in named for index in range(hit.first, hit.last)}
        at = end
        while at > limit and (at - 1 in self._where or self._words.words[at - 1] in self._vocab.articles):
            at -= 1
        return at if at > limit else end

    def _is_ending(self, hit: Hit) -> bool:
        """ "Queixa-se de nódulos": hyphenated to its verb, "se" is "herself" and not "if"."""
        before = self._words.ends[hit.first - 1] if hit.first else 0
        return self._words.text[before : self._words.starts[hit.first]] == "-"

    def _after_duration(self, hit: Hit) -> bool:
        """ "2-month history of" tells when something began, not that it is over."""
        if any(word in load_common().removals for word in self._words.words[hit.first : hit.last]):
            return False  # "four months after excision of": the time since then
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

    def _over_joined(self, begin: int, end: int, sentence: Sentence, limit: int) -> int:
        """ "systemic sclerosis and lupus excluded": what "and" joins to a diagnosis is meant too, what a
        comma joins, or a word such as "known" opens, is not."""
        if self._joins is None:
            self._joins = {hit.first: hit for hit in self._hits.get("coordinator", ())}
        while begin in self._joins:
            begin += 1
        named = self._hits.get("concept", ())
        ending, starting = {hit.last: hit for hit in named}, {hit.first: hit for hit in named}
        if self._words.words[end - 1] in load_common().everything:
            begin = min(begin, self._all_of(end - 1, limit, ending))
            row = listed.row(self._words, self._hits, end - 1, sentence)
            begin = begin if row is None else min(begin, max(row, limit))
        if (whole := ending.get(end)) is not None:
            begin = min(begin, max(whole.first, limit))  # "systemic sclerosis excluded" is not "sclerosis excluded"
        while (hit := starting.get(begin)) and (join := self._joins.get(begin - 1)):
            before = ending.get(join.first)
            opened = before is None or before.first < limit or before.first == limit > sentence.first
            if before is None or opened or self._words.words[join.first] == ",":
                break
            if _family(before) != _family(hit):
                break  # "dermatomyositis and malignancy excluded"
            begin = before.first
        return begin

    def _all_of(self, end: int, limit: int, ending: Mapping[int, Hit]) -> int:
        """ "SLE, SSc and RA all negative": the first of the diagnoses that only commas and "and" join."""
        joins = self._joins or {}
        at = first = end
        while (hit := ending.get(at)) and hit.first >= limit:
            first = at = hit.first
            while at - 1 >= limit and at - 1 in joins:
                at -= 1
        return first

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

    def _described_at(self, begin: int, limit: int) -> int:
        """ "Mass of the finger without trauma: firm, tender": the colon goes back to what was described before."""
        hard = {hit.first for hit in self._hits.get("hardness", ())}
        ends = (i for i in range(begin, limit) if self._words.words[i] == ":" and i + 1 in hard)
        return next(ends, limit)

    def _has_concrete(self, first: int, last: int) -> bool:
        at = bisect_left(self._concrete, first)
        return at < len(self._concrete) and self._concrete[at] < last

    def _word(self, index: int) -> str:
        return self._words.words[index] if index < len(self._words) else ""


def _family(hit: Hit) -> str:
    return hit.value.partition(".")[0]
