"""Drugs that a note names as taken: "Medication: nifedipine MR 30 mg od", "on warfarin for AF", "em uso de metoprolol".

What a note tells completes no list of drugs. It counts beside the list, so that a drug that stands only in a letter is
not overlooked. Each drug needs a sign that it is taken now: a heading, a word such as "takes", or a dose; what was
stopped, planned or denied is none. The words are data (`mappings/data/taking.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Literal

from msgspec import Struct

from mappings.data_schema import read_table
from mappings.drug_tables import Taking
from mappings.drugs import NameHit, plain
from mappings.facts import Medication
from mappings.reader.context import Collected
from mappings.reader.narrative import Source
from mappings.reader.plan_rows import DOSED, heads_table
from mappings.reader.problem_line import tells_of_taking
from mappings.reader.told_dose import told_dose
from mappings.reader.told_end import ended, is_month, taken_back
from mappings.text.markup import plain as unmarked

Said = Literal["taken", "past", "thought"]
Part = Literal["list", "plan", "other", "named", "ended"]
"""`named`: lines as `other`, where drugs are named for another reason than that they are taken; `ended`: they were
stopped"""

_SENTENCE = re.compile(r"(?:[^.;!?]|[.](?=\S)|(?<=\sn)[.](?=\s[a-z]))+")
"""up to a full stop; that of "n. INR" (after the INR) is none."""
_WORD = re.compile(r"\w+")
_DOSE = re.compile(
    r"(?:\W+\w{1,12}){0,2}?\W*\d+(?:[.,]\d+)?\s?(?:mg|mcg|µg|μg|ug|g|iu|ui|ie|units?|u)\b(?!\s?(?:/\s?(?:d?l|ml)|%))"
)
_NUMBER = re.compile(r"\s(?!19\d\d|20\d\d)\d{1,4}(?:[.,]\d{1,2})?\s?(?=$|[\n;)]|-?>|→)")
"""a dose without its unit, which ends what is said of the drug"""
_DOSED_BEFORE = re.compile(r"\d\s?(?:mg|mcg|µg|μg|ug|g)\b[^()\n;]{0,20}\(\s*$")
"""a dose before the bracket that a brand stands in: "Tac 2 mg AM / 1.5 mg PM (Adoport)"."""
_SCHEDULE = re.compile(
    r"\s(?:[x×]\s?\d{1,2}\s?(?:d|days?|w|wks?|weeks?|dias|jours|j|tage)\b|\d{1,4}(?:[.,]\d{1,2})?\s?(?:mg\s?)?[x×]\s?\d|\d\s?[x×]\s?\d{1,4}(?![\d/])|\d{1,4}\s?/\s?(?:6|8|12|24)\s?h\b)"
    r"|[^\n,;]{0,16}?\s[\d½¼]-[\d½¼]-[\d½¼](?!\d)"
)
"""a dose as times and amount ("500 x2/j", "2x500", "500/12h", "½-0-0"), or for how long ("x 10d")."""
_MORNING_AND_NIGHT = re.compile(r"\s\d(?:[.,]\d)?/\d(?:[.,]\d)?(?![\d/])")
"""two doses of a drug whose level is measured ("Prograf 1/1")."""
_DOSE_IN_NAME = re.compile(r"[a-z]\s\d+(?:[.,\s]\d)?(?:\s?mg(?:\s\w+)?)?\Z")
"""a name that is known with its dose only ("ASA 81", "tac 2 mg")."""
_HEADING = re.compile(r"\W*([^\W\d_][^:\n]{0,40}?)\s*(?::|-(?=\s)|–|$)")
_NEAR_WORDS, _FAR_WORDS, _LIST_WORDS = 2, 6, 9
"""words between what governs a drug and the drug; between two drugs of one list"""
_EYE = "ophthalmic"
_FOLLOWED = re.compile(r"\W*\w")
_ENTRY = re.compile(r"\d\s?(?:mg|mcg|µg|g|iu|ui|ie|units?)\b")
"""the dose in a line of a list of drugs, known or not"""
_MOST = 300
"""drugs looked at in one note"""


_KINDS = ("denied", "near", "verbs", "thought", "history", "past", "left", "onto")
"""lists of the data whose words govern a drug; of a word in two of them the last counts"""


class _Sign(Struct, frozen=True):
    """Words that govern a drug; `kind` is the list of the data that they stand in."""

    kind: str
    start: int
    end: int

    def speaks_back(self, text: str, drug: int, own: int) -> bool:
        """Whether it may speak of the drug before it, which ends at `drug`; "for h/o SVT", "for prior PE" and "por TEP
        previo" do not."""
        words, said = _words(), text[self.start : self.end]
        if said in words.before_noun:
            return not (_FOLLOWED.match(text, self.end, own) or words.reason.search(text, drug, self.start))
        return said not in words.ahead

    @property
    def takes(self) -> bool:
        return self.kind in ("near", "verbs", "onto")

    @property
    def said(self) -> Said:
        return "taken" if self.takes else "past" if self.kind in ("past", "left") else "thought"

    @property
    def said_of_the_one_before(self) -> Said | None:
        """What it says of the drug in front of it: "A was stopped", "A was switched to B"; None: nothing."""
        if self.kind == "onto":
            return "past"
        return self.said if self.kind in ("past", "thought") else None


def add_taken(words: str, source: Source, into: Collected) -> None:
    """Adds the drugs that a note says are taken, and those that it says were stopped."""
    if source.date is None or source.confidential:
        return
    words = unmarked(words)
    drugs = into.tools.drugs
    hits = [hit for hit in drugs.find(words)[:_MOST] if hit.ids]
    if not hits:
        return
    folded = plain(words)
    by_eye = frozenset(hit for hit in hits if drugs.for_route(hit.ids, _EYE).classes)
    found: dict[object, Medication] = {}
    for part, line, start in _lines(folded, hits):
        for sentence in _SENTENCE.finditer(line):
            first, last = start + sentence.start(), start + sentence.end()
            inside = [hit for hit in hits if first <= hit.start and hit.end <= last]
            for hit, said in _said(folded, first, last, inside, part, by_eye):
                if said == "taken" and taken_back(folded, hit.start, hit.end, last, source.date):
                    continue
                if said != "thought":
                    state: Literal["active", "stopped"] = "active" if said == "taken" else "stopped"
                    in_mg = {drugs.dose_unit(drug) for drug in hit.ids.drugs} == {"mg"} and len(hit.ids.drugs) == 1
                    daily, strength = told_dose(folded, hit.start, hit.end, last) if in_mg else (None, None)
                    found[hit.ids] = Medication(
                        source.ref,
                        " ".join(folded[hit.start : hit.end].split()),
                        drugs=hit.ids.drugs,
                        classes=hit.ids.classes,
                        state=state,
                        daily_dose=daily,
                        dose_unit=None if daily is None else "mg",
                        strength=strength,
                        strength_unit=None if strength is None else "mg",
                        ended=ended(folded, hit.end, last, source.date) if said == "past" else None,
                        told=source.date,
                    )
    into.medications.extend(found.values())


def _lines(folded: str, hits: list[NameHit]) -> Iterator[tuple[Part, str, int]]:
    """The lines of a note with where they begin, and what part of it they belong to. A part ends at the next heading,
    a list at a blank line too."""
    words = _words()
    part: Part = "other"
    at = listed = 0
    planned = False
    for line in folded.split("\n"):
        start, at = at, at + len(line) + 1
        if not line.strip():
            if part in ("list", "named", "ended") and listed:
                part, planned = "other", False
            continue
        heading = _HEADING.match(line)
        named = " ".join(heading[1].split()).rstrip(".") if heading is not None else ""
        if part in ("other", "plan") and heads_table(line):
            part, listed = "list", 0
            continue
        if part == "ended" and not (_ENTRY.search(line) or any(start <= hit.start < at for hit in hits)):
            part = "other"  # no line of the list: what stands below it may be taken
        if heading is not None and named in words.ended:
            own = bool(line[heading.end() :].strip())  # "Stop: smoking" tells nothing of the next line
            part, planned, listed = "other" if own else "ended", False, 0
            yield "ended", line[heading.end() :], start + heading.end()
            continue
        if heading is not None and (named in words.headings or named in words.plans):
            part = "list" if named in words.headings else "plan"
            planned = part == "plan"
            line, start, listed = line[heading.end() :], start + heading.end(), 0
        elif heading is not None and named in words.others:
            own = bool(line[heading.end() :].strip())  # "Allergies: clonidine patch" tells nothing of the next line
            part, listed = "other" if own else "named", 0
            yield "named", line, start
            continue
        elif heading is not None and heading[0].endswith(":"):
            end = start + heading.end()
            if part != "list" or not any(start <= hit.start < end for hit in hits):  # "- Bisoprolol 2.5 mg: 1-0-0"
                same = part == "named" and named in words.indications  # "HTN: metoprolol" below "Allergies:"
                part = "named" if planned or same else "other"
        listed += bool(line.strip())
        yield part, line, start


def _said(
    text: str, first: int, last: int, hits: list[NameHit], part: Part, by_eye: frozenset[NameHit]
) -> Iterator[tuple[NameHit, Said]]:
    """What a sentence says of its drugs; nothing of those that it only names."""
    words = _words()
    signs = words.signs(text, first, last) if hits else []
    before: NameHit | None = None
    said: Said | None = None
    own, left = first, False
    for number, hit in enumerate(hits):
        begin = before.end if before is not None else first
        ahead = [s for s in signs if (begin if s.takes else own) <= s.start and s.end <= hit.start]
        said = _governed(text, ahead, hit, before, said)
        if left and not ahead and words.to.search(text, begin, hit.start):
            said = "taken"  # "switched from A to B"
        left = bool(ahead) and ahead[-1].kind == "left" and said == "past"
        if before is not None and not before.ids.drugs and words.named.fullmatch(text, before.end, hit.start):
            said = said or "taken"  # "her BB is metoprolol"
        if words.is_of_another(text, first, hit.start) or words.is_of_family(text, first, hit.start):
            before = hit
            continue
        until = hits[number + 1].start if number + 1 < len(hits) else last
        end = words.parting.search(text, hit.end, until)
        own = end.start() if end else until
        if said is None and part in ("list", "ended"):
            said = "taken" if part == "list" else "past"
        dosed = bool(_DOSE.match(text, hit.end, own) or words.often.search(text, hit.end, own))
        dosed = dosed or _DOSED_BEFORE.search(text, begin, hit.start) is not None
        if not dosed and text[hit.start : hit.end] not in words.measured:
            dosed = bool(_NUMBER.match(text, hit.end, own))  # "Raynaud - amlodipine 5."
            dosed = dosed or _DOSE_IN_NAME.search(text, hit.start, hit.end) is not None
            dosed = dosed or words.formed.match(text, hit.end, own) is not None
            dosed = dosed or words.numbered.match(text, hit.end, own) is not None
            dosed = dosed or (_SCHEDULE.match(text, hit.end, own) or DOSED.match(text, hit.end, own)) is not None
            dosed = dosed or text[hit.start : hit.end] in words.regimens
            twice = text[hit.start : hit.end] in words.levelled and _MORNING_AND_NIGHT.match(text, hit.end, own)
            dosed = dosed or bool(twice)
        if said is None and (dosed or _told_alone(text, hit, last, part)) and part in ("other", "named"):
            said = "taken"
        behind = [s for s in signs if hit.end <= s.start and s.end <= own and s.speaks_back(text, hit.end, own)]
        behind += [s for s in signs if s.kind == "onto" and own <= s.start <= own + len(", ")]  # "A, changed to B"
        ends = [told for s in behind if (told := s.said_of_the_one_before) is not None]
        if ends and ends[0] == "past" and words.resumed.match(text, own, until):
            said, ends = "taken", []
        before = hit
        if said is None and not ends and _begun(text, hit, own, until, signs):
            said = "taken"
        if text[hit.start : hit.end] in words.levelled and words.level.match(text, hit.end) and not ends:
            yield hit, "taken"
            continue
        if words.substance.match(text, hit.end) or _is_local(text, hit, own, by_eye):
            continue
        last_said = ends[0] if ends else said
        if last_said is not None:
            yield hit, last_said


def _is_local(text: str, hit: NameHit, own: int, by_eye: frozenset[NameHit]) -> bool:
    """Whether it works where it is put; eye drops of a drug that counts by the eye too (a beta-blocker) do not."""
    words = _words()
    return words.local.search(text, hit.end, own) is not None and not (
        hit in by_eye and words.eyes.search(text, hit.end, own)
    )


def _begun(text: str, hit: NameHit, own: int, until: int, signs: list[_Sign]) -> bool:
    """ "Nifedipine was started for Raynaud's", "bisoprolol since March"; not where it was stopped right after."""
    words = _words()
    if text[hit.start : hit.end] in words.measured or not words.begun.match(text, hit.end, own):
        return False
    after = next((s for s in signs if own <= s.start and s.end <= until), None)
    return after is None or after.said != "past" or _between(text, own, after.start) > _NEAR_WORDS


def _told_alone(text: str, hit: NameHit, last: int, part: Part) -> bool:
    """Whether its line tells a drug with what it is for, or with its form, and with nothing that speaks against it."""
    if part != "other":
        return False
    begin = text.rfind("\n", 0, hit.start) + 1
    end = text.find("\n", hit.end)
    end = len(text) if end < 0 else end
    if not tells_of_taking(text[begin:end], hit.start - begin, hit.end - begin):
        return False
    return all(sign.takes for sign in _words().signs(text, begin, max(end, last)))


def _governed(
    text: str, signs: list[_Sign], hit: NameHit, before: NameHit | None, inherited: Said | None
) -> Said | None:
    """What stands before a drug says of it; in a list what was said of the one before."""
    if signs:
        nearest = signs[-1]
        thought = any(s.kind == "thought" and _between(text, s.end, nearest.start) < _NEAR_WORDS for s in signs[:-1])
        if nearest.kind in ("left", "onto") and thought:
            return "thought"  # "will be switched from A to B"
        if not nearest.takes:
            return nearest.said
        if len(signs) > 1 and not signs[-2].takes and _between(text, signs[-2].end, nearest.start) < _NEAR_WORDS:
            return signs[-2].said  # "not currently taking", "was previously on"
        far = _NEAR_WORDS if nearest.kind == "near" else _FAR_WORDS
        return "taken" if _between(text, nearest.end, hit.start) <= far else None
    if before is not None and _between(text, before.end, hit.start) <= _LIST_WORDS:
        return inherited
    return None


def _between(text: str, start: int, end: int) -> int:
    return len(_WORD.findall(text, start, end))


class _Words(Struct, frozen=True):
    headings: frozenset[str]
    plans: frozenset[str]
    others: frozenset[str]
    ended: frozenset[str]
    ahead: frozenset[str]
    before_noun: frozenset[str]
    regimens: frozenset[str]
    named: re.Pattern[str]
    """between a class and the drug of it that is meant"""
    formed: re.Pattern[str]
    """right behind a drug, perhaps behind its form and strength, how many of its form ("6 tabs", "LP 50 1 gél")"""
    numbered: re.Pattern[str]
    """right behind a drug, a number and what it is taken for ("6.25 for varices")"""
    reason: re.Pattern[str]
    resumed: re.Pattern[str]
    """at the beginning of the next clause"""
    indications: frozenset[str]
    kinds: Mapping[str, str]
    sign: re.Pattern[str]
    to: re.Pattern[str]
    """right before the drug that another was left for"""
    often: re.Pattern[str]
    local: re.Pattern[str]
    """not behind a count alone: "1 gél" is a capsule, and no gel"""
    eyes: re.Pattern[str]
    parting: re.Pattern[str]
    substance: re.Pattern[str]
    begun: re.Pattern[str]
    """right behind a drug, or behind the bracket after it"""
    measured: frozenset[str]
    levelled: frozenset[str]
    level: re.Pattern[str]
    """right behind a drug, its level with a number"""

    persons: re.Pattern[str]
    tellers: re.Pattern[str]
    own: re.Pattern[str]
    families: re.Pattern[str]
    """the heading of a family history"""

    def is_of_another(self, text: str, first: int, last: int) -> bool:
        """ "Mother has AF on amiodarone": said of a relative, and the patient does not come in between."""
        found = list(self.persons.finditer(text, first, last))
        return bool(found) and not self.own.search(text, found[-1].end(), last)

    def is_of_family(self, text: str, first: int, last: int) -> bool:
        """The same behind the heading of a family history, where a comma ends nothing ("FHx: father - sick sinus, on
        amiodarone")."""
        found = list(self.persons.finditer(text, first, last))
        if not found or self.families.search(text, text.rfind("\n", 0, first) + 1, found[-1].start()) is None:
            return False
        return not self.tellers.search(text, found[-1].end(), last)

    def signs(self, text: str, first: int, last: int) -> list[_Sign]:
        """Everything in the sentence that says whether a drug is taken; the longest words at each place count."""
        found = (m for m in self.sign.finditer(text, first, last) if not is_month(text, m.start(), m.end()))
        return [_Sign(self.kinds[m.group()], m.start(), m.end()) for m in found]


@cache
def _words() -> _Words:
    data = read_table(Taking)
    kinds = {word: kind for kind in _KINDS for word in getattr(data, kind)}
    return _Words(
        frozenset(data.headings),
        frozenset(data.plans),
        frozenset(data.others),
        frozenset(data.ended),
        frozenset(data.ahead),
        frozenset(data.before_noun),
        frozenset(data.regimens),
        re.compile(rf"\s{{0,2}}(?:[:=]|{_any(data.named).pattern})\s{{0,2}}"),
        re.compile(
            rf"(?:\s(?:{_any(data.forms).pattern}|\d{{1,4}}(?:[.,]\d{{1,2}})?(?:\s?mg)?)){{0,2}}"
            rf"\s\d{{1,2}}(?:[.,]\d)?\s{_any((*data.forms, *data.counted)).pattern}"
        ),
        re.compile(rf"\s(?!19\d\d|20\d\d)\d{{1,4}}(?:[.,]\d{{1,2}})?\s{_any(data.reasons).pattern}"),
        _any((*data.reasons, *data.causes)),
        re.compile(rf"\W*(?:(?!{_any(data.denied).pattern})\w+\W+)?{_any(data.resumed).pattern}"),
        frozenset(data.indications),
        kinds,
        _any(kinds),
        re.compile(rf"{_any(data.to).pattern}\W*(?:\w+\W+){{0,{_NEAR_WORDS}}}$"),
        _any(data.often),
        re.compile(rf"(?<!\s[1-9]\s){_any(data.local).pattern}"),
        _any(data.eyes),
        re.compile(rf",(?!\d)|{_any(data.parting).pattern}"),
        re.compile(rf"\W*(?:{'|'.join(map(re.escape, data.substance))})(?!\w)"),
        re.compile(rf"\W*(?:\([^()]*\)\W*)?{_any(data.begun).pattern}"),
        frozenset(data.measured),
        frozenset(data.levelled),
        re.compile(rf"\W*(?:{'|'.join(map(re.escape, data.level))})\W{{1,3}}\d"),
        re.compile("".join(rf"(?<!\b{word} )" for word in data.beside) + _any(data.persons).pattern),
        _any(data.tellers),
        re.compile(rf"[,;]|{_any(data.tellers).pattern}"),
        re.compile(rf"{_any(data.families).pattern}\s*:"),
    )


def _any(words: Iterable[str]) -> re.Pattern[str]:
    longest = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)")
