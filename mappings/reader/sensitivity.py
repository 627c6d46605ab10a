"""Allergies and adverse reactions that stand on the problem list: "Allergy to diltiazem" as a Condition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from msgspec import Struct

from mappings.data_schema import Allergies, read_table
from mappings.drugs import DrugIds, Drugs, plain
from mappings.facts import Allergy
from mappings.reader.access import Concept
from mappings.reader.context import Collected
from mappings.reader.narrative import Source

_LONGEST_TITLE = 200


def add_allergy(name: Concept, comment: str, source: Source, into: Collected) -> None:
    """Adds the allergy that a diagnosis tells of, if it does; a resolved one was a reaction all the same."""
    told, untold = _words()
    for words in name.texts:
        folded = plain(words[:_LONGEST_TITLE])
        if not told.search(folded) or untold.search(folded):
            continue
        found = into.tools.drugs.named(words)
        if not found:
            continue
        reading = into.tools.engine.read(f"{words}: {comment}", kind="allergy")
        tolerance = next((t for t in reading.tolerances if t.tolerated_daily is not None), None)
        into.allergies.append(
            Allergy(
                source.ref,
                name.label,
                drugs=found.drugs,
                classes=found.classes,
                tolerated_dose=tolerance.tolerated_daily if tolerance else None,
                dose_unit=tolerance.unit if tolerance else None,
                certainty=source.certainty,
            )
        )
        return


def add_told(words: str, source: Source, into: Collected) -> None:
    """Adds the allergies that a note tells of: "Allergies: diltiazem (rash)", "allergic to", "diltiazem allergy"."""
    folded = plain(words)
    _add_harms(words, folded, source, into)
    told_to, until, before = _told_to()
    if not (_words()[0].search(folded) or told_to.search(folded)):
        return
    for begin, end, listed in _lines(folded, into.tools.drugs):
        said = folded[begin:end]
        found = DrugIds()
        match = told_to.search(said)
        opening = said[: match.start()] if match else said
        if _words()[1].search(opening):
            continue
        if match:
            clause = until.split(said[match.end() :], maxsplit=1)[0]
            found |= into.tools.drugs.named(clause)
        else:
            for hit in into.tools.drugs.find(said):
                joined = _words()[0].search(said, hit.start, hit.end)  # "Sulfitallergie"
                if listed or before.match(said, hit.end) or joined:
                    found |= hit.ids
        if found:
            label = words[begin:end].strip()[:_LONGEST_TITLE]
            into.allergies.append(Allergy(source.ref, label, drugs=found.drugs, classes=found.classes))


def _lines(folded: str, drugs: Drugs) -> Iterator[tuple[int, int, bool]]:
    """The sentences of a note, and whether each is an item below a heading of allergies: up to a blank line, another
    heading or a line that says there are none."""
    heading, other, none = _heading()
    below, until = False, 0
    for sentence in _SENTENCE.finditer(folded):
        begin, end = sentence.span()
        if not folded[begin:end].strip():
            continue
        blank = _BLANK.search(folded, until, begin) is not None
        until = end
        opens_line = folded.rfind("\n", 0, begin) == begin - 1
        ends_line = folded[end : end + 1] in ("", "\n")
        # behind a sentence ("Seen today. Allergies:") a heading is told by its colon alone
        headed = ends_line and heading.fullmatch(folded, begin, end) and (opens_line or ":" in folded[begin:end])
        if headed and not (none.search(folded, begin, end) or _words()[1].search(folded, begin, end)):
            below = True
        elif not opens_line:
            yield begin, end, below
        else:
            another = other.match(folded, begin, end)
            ended = blank or none.search(folded, begin, end) or (another and not drugs.find(another[0]))
            below = below and not ended
            yield begin, end, below and not _words()[1].search(folded, begin, end)


def _add_harms(words: str, folded: str, source: Source, into: Collected) -> None:
    """Adds the drugs that a note says did harm or were not borne: "diltiazem caused severe oedema", "stopped diltiazem
    because of bradycardia", "iritis after zoledronate", "doxycycline - hives", "did not tolerate diltiazem"."""
    harm = _harm()
    if not harm.any.search(folded):
        return
    for sentence in _SENTENCE.finditer(folded):
        said = sentence.group()
        if not harm.any.search(said) or harm.borne.search(harm.unborne.sub(" ", said)):
            continue
        hits = [hit for hit in into.tools.drugs.find(said) if hit.ids]
        for number, hit in enumerate(hits):
            begin = hits[number - 1].end if number else 0
            until = hits[number + 1].start if number + 1 < len(hits) else len(said)
            if harm.did(said, begin, hit.start, hit.end, until):
                label = words[sentence.start() : sentence.end()].strip()[:_LONGEST_TITLE]
                into.allergies.append(Allergy(source.ref, label, drugs=hit.ids.drugs, classes=hit.ids.classes))


class _Harm(Struct, frozen=True):
    """Words by which a note tells that a drug did harm; `any`: whether it may at all."""

    any: re.Pattern[str]
    borne: re.Pattern[str]
    unborne: re.Pattern[str]
    behind: re.Pattern[str]
    because: re.Pattern[str]
    stopped: re.Pattern[str]
    after: re.Pattern[str]
    alone: re.Pattern[str]
    unborne_before: re.Pattern[str]
    unborne_behind: re.Pattern[str]
    never_again: re.Pattern[str]

    def did(self, said: str, begin: int, first: int, last: int, until: int) -> bool:
        """Whether the drug at [first, last) did harm, with nothing of another drug from `begin` and up to `until`."""
        before = said[begin:first]
        unborne = self.unborne_before.search(before) or self.unborne_behind.match(said, last, until)
        rest = self.never_again.sub(" ", said)
        if _words()[1].search(self.unborne.sub(" ", rest) if unborne else rest):
            return False
        if unborne:
            return True
        if self.behind.search(said, last, until):
            return True
        if self.stopped.search(before) and self.because.match(said, last, until):
            return True
        if self.after.search(before):
            return True
        return not before.strip(" -*•\t") and self.alone.match(said, last, until) is not None and until == len(said)


@cache
def _harm() -> _Harm:
    data = read_table(Allergies)
    listed = {
        name: "|".join(map(re.escape, sorted(getattr(data, name), key=len, reverse=True)))
        for name in (
            "caused", "stopped", "tried", "never_again", "because", "harms", "borne", "reactions", "after", "unborne",
            "unborne_behind", "when",
        )
    }  # fmt: skip
    led = rf"(?:{listed['caused']})|(?:{listed['stopped']})\b(?:[^,]{{0,20}}\b(?:{listed['because']})|\s*[:(–-])"
    led += rf"|(?:{listed['stopped']}|{listed['tried']})\b[^,;:]{{0,30}}:"
    harmed = rf"[^,;]{{0,30}}?\b(?:{listed['harms']})"
    turned = rf"(?:{listed['because']})\b{harmed}\w*\W[^,;]{{0,20}}?\b(?:{listed['stopped']})"
    reaction = rf"\b(?:{listed['reactions']})[\w-]*"
    unborne = rf"(?:{listed['unborne']}|{listed['unborne_behind']})"
    return _Harm(
        re.compile(rf"\b(?:{listed['harms']}|{listed['reactions']}|{unborne})"),
        re.compile(rf"{listed['borne']}|(?:->|→)\s*\d"),
        re.compile(rf"\b{unborne}"),
        re.compile(rf"\b(?:(?:{led}){harmed}|{turned})"),
        re.compile(rf"[^,;]{{0,20}}?\b(?:{listed['because']})\b{harmed}"),
        re.compile(rf"\b(?:{listed['stopped']})\W+(?:\w+\W+){{0,2}}$"),
        re.compile(rf"{reaction}{_YEAR}\s+(?:{listed['after']})\s+(?:\w+\s+){{0,2}}$"),
        re.compile(
            rf"\s*(?:[-–:=]|-?>|→|\()\s*(?:\w+\s+){{0,2}}?{reaction}(?:\W{{1,3}}(?:19|20)\d\d|\s(?:{listed['when']})\s[^,;]{{1,40}})?\W*$"
        ),
        re.compile(rf"\b(?:{listed['unborne']})\W+(?:\w+\W+){{0,2}}$"),
        re.compile(rf"[^,;]{{0,16}}?\b(?:{listed['unborne_behind']})"),
        re.compile(rf"\b(?:{listed['never_again']})\b"),
    )


_YEAR = r"(?:\s+(?:in |im |en |em )?\(?(?:19|20)\d\d\)?)?"  # "rash in 2020 from"
_SENTENCE = re.compile(r"[^.;!?\n]+")
_BLANK = re.compile(r"\n\s*\n")


@cache
def _told_to() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    data = read_table(Allergies)
    told, before = ("|".join(map(re.escape, getattr(data, name))) for name in ("told", "before"))
    to = "|".join(rf"{re.escape(word)}\b" if word.isalpha() or " " in word else re.escape(word) for word in data.to)
    headed, listed, others, excepts = (
        "|".join(map(re.escape, getattr(data, name))) for name in ("headed", "headed_to", "no_others", "excepts")
    )
    return (
        re.compile(
            rf"\b(?:(?:{told})\w*(?:\s+(?:{'|'.join(data.how)}))?\s*(?:{to})|(?:{headed})\s*:|(?:{listed})\s*(?:{to})"
            rf"|(?:{others})\s*[,(-]?\s*(?:{excepts})\b)"
        ),
        re.compile(rf"\b(?:{'|'.join(data.until)})\b"),
        re.compile(rf"[\s)-]*(?:{before})"),
    )


@cache
def _heading() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """(a line that heads a list of allergies, a line with a heading of its own, a line that says there are none)"""
    data = read_table(Allergies)
    heads, none = ("|".join(map(re.escape, words)) for words in (data.heads, (*data.no_others, *data.none_listed)))
    opened = rf"[\W\d]*(?:\w+ ){{0,2}}(?:{heads})"
    more = rf"(?: ?[/&,] ?| \w+ )(?:{heads})"
    return (
        re.compile(
            rf"{opened}(?:{more}| ?[/&] ?\w+)*(?: \w+){{0,2}}(?: \([^()]{{0,40}}\))? ?: *"
            rf"|{opened}(?:{more})*(?: ?\|(?: ?\w+)*){{0,4}} *"
        ),
        re.compile(r"\W*[^\W\d_][\w /&]{1,40}:"),
        re.compile(rf"\b(?:{none})\b"),
    )


@cache
def _words() -> tuple[re.Pattern[str], re.Pattern[str]]:
    data = read_table(Allergies)
    told, joined = ("|".join(map(re.escape, words)) for words in (data.told, data.joined))
    return re.compile(rf"\b(?:{told})|(?:{joined})\b"), re.compile(rf"\b(?:{'|'.join(data.untold)})\b")
