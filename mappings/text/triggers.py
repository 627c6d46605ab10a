"""How far one trigger reaches: forward from its own end, backward to the sentence's beginning, or its own words only.

The words around a trigger decide whether it says anything at all ("since early May" is no doubt), where it turns round
and where it ends."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from mappings.text import listed, replies
from mappings.text.common import load_common
from mappings.text.denials import goes_on, leading
from mappings.text.feared import feared
from mappings.text.persons import Persons
from mappings.text.reading import Status
from mappings.text.tokens import YEAR, Sentence, Words, begins_line, opens_question
from mappings.text.unfilled import item
from mappings.text.vocabulary import Hit, Vocabulary, rule

if TYPE_CHECKING:
    from mappings.text.schema import Rule

_DATED = 6
_PARTS = frozenset({",", "-", "–"})
_LAST_WORD = 5
_SIGNS = frozenset({"+", "-", "–"})
_PERSONS = ("family", "other-person")


class Reach(Struct, frozen=True):
    """A trigger speaks of the words [first, last); `trigger` is where its own words begin, before the text for a
    section that began in an earlier sentence."""

    status: Status
    first: int
    last: int
    trigger: int


class Triggers:
    """The triggers of a text, one at a time."""

    def __init__(self, words: Words, hits: dict[str, list[Hit]], vocab: Vocabulary, persons: Persons) -> None:
        self._words, self._hits, self._vocab, self._persons = words, hits, vocab, persons
        self._concrete = sorted(hit.first for name in ("number", "unit", "onset") for hit in hits.get(name, ())) + [
            i for i, word in enumerate(words.words) if word[0].isdigit()
        ]
        self._concrete.sort()
        self._unit_ends = {h.last for h in hits.get("unit", ())} | {h.last + 1 for h in hits.get("unit", ())}
        described = {h.last for name in ("lesion", "named") for h in hits.get(name, ())}
        self._diagnoses = {h.last: h.first for h in hits.get("concept", ()) if h.last not in described}
        self._where: set[int] | None = None
        self._joins: dict[int, Hit] | None = None
        self._leading = leading(hits.get("trigger", ()), vocab)

    def reaches(self, hit: Hit, sentence: Sentence, stops: list[Hit]) -> list[Reach]:
        """What a trigger of the sentence speaks of: nothing, a stretch, or one before and one behind it. `stops`: the
        terminators of the sentence."""
        entry = rule(self._vocab, hit)
        status = entry.status
        if status is None or self._says_nothing(hit, entry, sentence):
            return []
        if entry.own:
            return [Reach(status, hit.first, hit.last, hit.first)]
        if entry.undated and any(YEAR.fullmatch(w) for w in self._words.words[hit.last : hit.last + _DATED]):
            return []
        if entry.diagnosis:
            return self._of_diagnosis(hit, entry, status, sentence, stops)
        if self._denies_before(hit, status, sentence):
            return [Reach("negated", item(self._words, hit.first, sentence), hit.first, hit.first)]
        if status == "possible" and entry.direction == "forward" and self._ends(hit, sentence):
            begin = self._short_back(hit.first - 1, _LAST_WORD, sentence.first)
            return [Reach("possible", begin, hit.first, hit.first)]
        asked = "backward" if self._joined(hit) else self._asks(hit)
        turned = entry.direction == "backward" and (self._signs_first(hit, sentence) or self._excludes(hit, sentence))
        direction = "forward" if turned else entry.direction
        present = status in _PERSONS and self._persons.is_present(hit, sentence)
        beside = present and self._word(hit.last) == ","  # "noticed by her husband, hard lumps on both elbows"
        out = []
        if direction in ("forward", "both") and asked != "backward" and not beside:
            out.append(self._forward(hit, entry, status, sentence, stops, present, turned))
        if direction in ("backward", "both") and asked != "forward" and not present:
            out.append(self._backward(hit, entry, status, sentence, stops))
        return out

    def _says_nothing(self, hit: Hit, entry: Rule, sentence: Sentence) -> bool:
        """Whether the words around a trigger take from it what it says elsewhere."""
        if entry.status == "historical":
            return self._after_duration(hit)
        if entry.status == "hypothetical":
            return self._is_ending(hit) or replies.is_yes(self._words, hit.first)
        if entry.status == "possible":
            return self._weighs_nothing(hit, sentence) or (entry.direction == "forward" and self._tells_time(hit))
        if entry.status == "negated" and entry.direction == "backward":
            leads = (hit.first, hit.last) in self._leading
            return (leads and goes_on(self._words, self._hits, hit, sentence)) or self._of_test(hit)
        return False

    def _of_diagnosis(self, hit: Hit, entry: Rule, status: Status, sentence: Sentence, stops: list[Hit]) -> list[Reach]:
        """The diagnoses behind a trigger that speaks of diagnoses only, or the one before it."""
        if entry.direction != "forward":
            begin = self._diagnoses.get(hit.first, hit.first)
            return [Reach(status, begin, hit.first, hit.first)] if begin < hit.first else []
        ends = [s.first for s in stops if s.first >= hit.last and not rule(self._vocab, s).keeps_person]
        end = min(ends, default=sentence.last)
        named = feared(self._words, self._hits, hit.last, end, self._vocab.theirs)
        return [Reach(status, one.first, one.last, hit.first) for one in named]

    def _forward(
        self, hit: Hit, entry: Rule, status: Status, sentence: Sentence, stops: list[Hit], present: bool, turned: bool
    ) -> Reach:
        """`present`: the person it names is there beside the patient; `turned`: it speaks backward elsewhere."""
        person = status in _PERSONS
        after = [s for s in stops if s.first >= hit.last and not (person and self._persons.keeps(hit, s, present))]
        last = min([stop.first for stop in after], default=sentence.last)
        if turned:
            last = next((i for i in range(hit.last, last) if self._words.words[i] == "("), last)
        if entry.scope is not None:
            scope = 1 if self._hyphenated(hit) else entry.scope
            last = min(last, self._short(hit.last, scope, last))
        elif status == "negated" and self._word(hit.last) != ":":
            last = self._list_end(hit.last, self._described_at(hit.last, last))
        return Reach(status, hit.last, last, hit.first)

    def _backward(self, hit: Hit, entry: Rule, status: Status, sentence: Sentence, stops: list[Hit]) -> Reach:
        first = max([stop.last for stop in stops if stop.last <= hit.first], default=sentence.first)
        if status in _PERSONS and self._persons.is_owner(hit, first):
            first = item(self._words, hit.first, sentence)
        if entry.scope is not None:
            end = self._before_places(hit.first, first) if self._word(hit.first) == "?" else hit.first
            first = self._over_joined(max(first, self._short_back(end, entry.scope, first)), end, sentence, first)
        return Reach(status, first, hit.first, hit.first)

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
            if self._has_concrete(at + 1, end) or self._goes_on(begin, at, end) or self._opens_place(at + 1, end):
                return at
            at = end
        return limit

    def _goes_on(self, begin: int, comma: int, end: int) -> bool:
        """ "No digital ulcers, and hard lumps along the forearm": "and" behind the comma of a single item goes on with
        what is there, where that is a lesion with its place; a longer list may end so."""
        if self._word(comma + 1) not in load_common().adding or "," in self._words.words[begin:comma]:
            return False
        return all(
            any(comma < hit.first < end for hit in self._hits.get(name, ())) for name in ("lesion", "hardness", "place")
        )

    def _opens_place(self, first: int, end: int) -> bool:
        """ "No oedema, both forearms studded with stony lumps": an item that opens with its place is there."""
        opens = any(hit.first == first for name in ("side", "place") for hit in self._hits.get(name, ()))
        return opens and all(
            any(first < hit.first < end for hit in self._hits.get(name, ())) for name in ("lesion", "hardness")
        )

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
