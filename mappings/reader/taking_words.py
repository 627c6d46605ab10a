"""The words by which a note says that a drug is taken, as patterns; they are data (`mappings/data/taking.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal

from msgspec import Struct

from mappings.data_schema import read_table
from mappings.drug_tables import Taking
from mappings.reader.told_end import is_month

Said = Literal["taken", "past", "thought"]

NEAR_WORDS = 2
"""words between what governs a drug and the drug."""
_FOLLOWED = re.compile(r"\W*\w")
_FIGURE = r"\d{1,4}(?:[.,]\d{1,2})?"
_NO_YEAR = r"(?!19\d\d|20\d\d)"
_KINDS = ("denied", "near", "verbs", "thought", "history", "past", "left", "onto")
"""lists of the data whose words govern a drug; of a word in two of them the last counts"""


class Sign(Struct, frozen=True):
    """Words that govern a drug; `kind` is the list of the data that they stand in."""

    kind: str
    start: int
    end: int

    def speaks_back(self, text: str, drug: int, own: int) -> bool:
        """Whether it may speak of the drug before it, which ends at `drug`; "for h/o SVT", "for prior PE" and "por TEP
        previo" do not."""
        words, said = taking_words(), text[self.start : self.end]
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


class TakingWords(Struct, frozen=True, kw_only=True):
    headings: frozenset[str]
    plans: frozenset[str]
    others: frozenset[str]
    ended: frozenset[str]
    ahead: frozenset[str]
    before_noun: frozenset[str]
    regimens: frozenset[str]
    indications: frozenset[str]
    measured: frozenset[str]
    levelled: frozenset[str]
    kinds: Mapping[str, str]
    sign: re.Pattern[str]
    named: re.Pattern[str]
    """between a class and the drug of it that is meant"""
    dose: re.Pattern[str]
    """right behind a drug, its dose with its unit; no concentration"""
    dosed_before: re.Pattern[str]
    """a dose before the bracket that a brand stands in: "Tac 2 mg AM / 1.5 mg PM (Adoport)"."""
    dose_in_name: re.Pattern[str]
    """a name that is known with its dose only ("ASA 81", "tac 2 mg")."""
    formed: re.Pattern[str]
    """right behind a drug, perhaps behind its form and strength, how many of its form ("6 tabs", "LP 50 1 gél")"""
    numbered: re.Pattern[str]
    """right behind a drug, a number and what it is taken for ("6.25 for varices")"""
    schedule: re.Pattern[str]
    """right behind a drug, its dose as times and amount ("500 x2/j", "2x500", "500/12h", "½-0-0"), or for how long ("x
    10d")."""
    entry: re.Pattern[str]
    """the dose in a line of a list of drugs, known or not"""
    reason: re.Pattern[str]
    resumed: re.Pattern[str]
    """at the beginning of the next clause"""
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

    def signs(self, text: str, first: int, last: int) -> list[Sign]:
        """Everything in the sentence that says whether a drug is taken; the longest words at each place count."""
        found = (m for m in self.sign.finditer(text, first, last) if not is_month(text, m.start(), m.end()))
        return [Sign(self.kinds[m.group()], m.start(), m.end()) for m in found]


@cache
def taking_words() -> TakingWords:
    """The words of all languages, compiled once for the process."""
    data = read_table(Taking)
    kinds = {word: kind for kind in _KINDS for word in getattr(data, kind)}
    masses, activities, lengths = map(_either, (data.masses, data.activities, data.lengths))
    short, reasons = _either(data.short_activities), _any(data.reasons).pattern
    return TakingWords(
        headings=frozenset(data.headings),
        plans=frozenset(data.plans),
        others=frozenset(data.others),
        ended=frozenset(data.ended),
        ahead=frozenset(data.ahead),
        before_noun=frozenset(data.before_noun),
        regimens=frozenset(data.regimens),
        indications=frozenset(data.indications),
        measured=frozenset(data.measured),
        levelled=frozenset(data.levelled),
        kinds=kinds,
        sign=_any(kinds),
        named=re.compile(rf"\s{{0,2}}(?:[:=]|{_any(data.named).pattern})\s{{0,2}}"),
        dose=re.compile(
            rf"(?:\W+\w{{1,12}}){{0,2}}?\W*\d+(?:[.,]\d+)?\s?(?:{masses}|{activities}|{short})\b"
            r"(?!\s?(?:/\s?(?:d?l|ml)|%))"
        ),
        dosed_before=re.compile(rf"\d\s?(?:{masses})\b[^()\n;]{{0,20}}\(\s*$"),
        dose_in_name=re.compile(rf"[a-z]\s\d+(?:[.,\s]\d)?(?:\s?(?:{masses})(?:\s\w+)?)?\Z"),
        formed=re.compile(
            rf"(?:\s(?:{_any(data.forms).pattern}|{_FIGURE}(?:\s?(?:{masses}))?)){{0,2}}"
            rf"\s\d{{1,2}}(?:[.,]\d)?\s{_any((*data.forms, *data.counted)).pattern}"
        ),
        numbered=re.compile(rf"\s{_NO_YEAR}{_FIGURE}\s{reasons}"),
        schedule=re.compile(
            rf"\s(?:[x×]\s?\d{{1,2}}\s?(?:{lengths})\b|{_FIGURE}\s?(?:(?:{masses})\s?)?[x×]\s?\d"
            r"|\d\s?[x×]\s?\d{1,4}(?![\d/])|\d{1,4}\s?/\s?(?:6|8|12|24)\s?h\b)"
            r"|[^\n,;]{0,16}?\s[\d½¼]-[\d½¼]-[\d½¼](?!\d)"
        ),
        entry=re.compile(rf"\d\s?(?:{masses}|{activities})\b"),
        reason=_any((*data.reasons, *data.causes)),
        resumed=re.compile(rf"\W*(?:(?!{_any(data.denied).pattern})\w+\W+)?{_any(data.resumed).pattern}"),
        to=re.compile(rf"{_any(data.to).pattern}\W*(?:\w+\W+){{0,{NEAR_WORDS}}}$"),
        often=_any(data.often),
        local=re.compile(rf"(?<!\s[1-9]\s){_any(data.local).pattern}"),
        eyes=_any(data.eyes),
        parting=re.compile(rf",(?!\d)|{_any(data.parting).pattern}"),
        substance=re.compile(rf"\W*(?:{_either(data.substance)})(?!\w)"),
        begun=re.compile(rf"\W*(?:\([^()]*\)\W*)?{_any(data.begun).pattern}"),
        level=re.compile(rf"\W*(?:{_either(data.level)})\W{{1,3}}\d"),
        persons=re.compile("".join(rf"(?<!\b{word} )" for word in data.beside) + _any(data.persons).pattern),
        tellers=_any(data.tellers),
        own=re.compile(rf"[,;]|{_any(data.tellers).pattern}"),
        families=re.compile(rf"{_any(data.families).pattern}\s*:"),
    )


def _either(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, words))


def _any(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words, whole; of two that begin alike the longer."""
    return re.compile(rf"(?<!\w)(?:{_either(sorted(words, key=len, reverse=True))})(?!\w)")
