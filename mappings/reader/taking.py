"""Drugs that a note names as taken: "Medication: nifedipine MR 30 mg od", "on warfarin for AF", "em uso de metoprolol".

What a note tells completes no list of drugs. It counts beside the list, so that a drug that stands only in a letter is
not overlooked. Each drug needs a sign that it is taken now: a heading, a word such as "takes", or a dose; what was
stopped, planned or denied is none. The words are data (`taking_words.py`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mappings.drugs import Drugs, NameHit, plain
from mappings.facts import Medication
from mappings.reader.context import Collected
from mappings.reader.narrative import Source
from mappings.reader.plan_rows import DOSED
from mappings.reader.problem_line import tells_of_taking
from mappings.reader.taking_parts import Part, parts_of
from mappings.reader.taking_words import NEAR_WORDS, Said, Sign, taking_words
from mappings.reader.told_dose import told_dose
from mappings.reader.told_end import ended, taken_back
from mappings.text.markup import plain as unmarked

_SENTENCE = re.compile(r"(?:[^.;!?]|[.](?=\S)|(?<=\sn)[.](?=\s[a-z]))+")
"""up to a full stop; that of "n. INR" (after the INR) is none."""
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\s(?!19\d\d|20\d\d)\d{1,4}(?:[.,]\d{1,2})?\s?(?=$|[\n;)]|-?>|→)")
"""a dose without its unit, which ends what is said of the drug"""
_MORNING_AND_NIGHT = re.compile(r"\s\d(?:[.,]\d)?/\d(?:[.,]\d)?(?![\d/])")
"""two doses of a drug whose level is measured ("Prograf 1/1")."""
_FAR_WORDS, _LIST_WORDS = 6, 9
"""words between a verb and the drug; between two drugs of one list"""
_EYE = "ophthalmic"
_MOST = 300
"""drugs looked at in one note"""


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
    for part, line, start in parts_of(folded, hits):
        for sentence in _SENTENCE.finditer(line):
            first, last = start + sentence.start(), start + sentence.end()
            inside = [hit for hit in hits if first <= hit.start and hit.end <= last]
            for hit, said in _said(folded, first, last, inside, part, by_eye):
                if said == "taken" and taken_back(folded, hit.start, hit.end, last, source.date):
                    continue
                if said != "thought":
                    found[hit.ids] = _medication(folded, hit, last, source, drugs, taken=said == "taken")
    into.medications.extend(found.values())


def _medication(folded: str, hit: NameHit, last: int, source: Source, drugs: Drugs, *, taken: bool) -> Medication:
    """A drug as the sentence that ends at `last` tells it; its dose where it is counted in mg and there is one drug."""
    in_mg = {drugs.dose_unit(drug) for drug in hit.ids.drugs} == {"mg"} and len(hit.ids.drugs) == 1
    daily, strength = told_dose(folded, hit.start, hit.end, last) if in_mg else (None, None)
    return Medication(
        source.ref,
        " ".join(folded[hit.start : hit.end].split()),
        drugs=hit.ids.drugs,
        classes=hit.ids.classes,
        state="active" if taken else "stopped",
        daily_dose=daily,
        dose_unit=None if daily is None else "mg",
        strength=strength,
        strength_unit=None if strength is None else "mg",
        ended=ended(folded, hit.end, last, source.date) if source.date and not taken else None,
        told=source.date,
    )


def _said(
    text: str, first: int, last: int, hits: list[NameHit], part: Part, by_eye: frozenset[NameHit]
) -> Iterator[tuple[NameHit, Said]]:
    """What a sentence says of its drugs; nothing of those that it only names."""
    words = taking_words()
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
        before = hit
        if words.is_of_another(text, first, hit.start) or words.is_of_family(text, first, hit.start):
            continue
        until = hits[number + 1].start if number + 1 < len(hits) else last
        end = words.parting.search(text, hit.end, until)
        own = end.start() if end else until
        said = said or _ungoverned(text, hit, begin, own, last, part)
        ends = _behind(text, hit, own, signs)
        if ends and ends[0] == "past" and words.resumed.match(text, own, until):
            said, ends = "taken", []
        if said is None and not ends and _begun(text, hit, own, until, signs):
            said = "taken"
        if not ends and text[hit.start : hit.end] in words.levelled and words.level.match(text, hit.end):
            yield hit, "taken"
            continue
        if words.substance.match(text, hit.end) or _is_local(text, hit, own, by_eye):
            continue
        last_said = ends[0] if ends else said
        if last_said is not None:
            yield hit, last_said


def _ungoverned(text: str, hit: NameHit, begin: int, own: int, last: int, part: Part) -> Said | None:
    """What its place in the note, or its dose, says of a drug that no word governs."""
    if part in ("list", "ended"):
        return "taken" if part == "list" else "past"
    if part in ("other", "named") and (_is_dosed(text, hit, begin, own) or _told_alone(text, hit, last, part)):
        return "taken"
    return None


def _is_dosed(text: str, hit: NameHit, begin: int, own: int) -> bool:
    """Whether a dose stands beside a drug, or in its name. `begin`, `own`: where its part of the sentence begins and
    ends."""
    words, name = taking_words(), text[hit.start : hit.end]
    if words.dose.match(text, hit.end, own) or words.often.search(text, hit.end, own):
        return True
    if words.dosed_before.search(text, begin, hit.start):
        return True
    if name in words.measured:
        return False
    if name in words.regimens or words.dose_in_name.search(text, hit.start, hit.end):
        return True
    if name in words.levelled and _MORNING_AND_NIGHT.match(text, hit.end, own):
        return True
    shapes = (_NUMBER, words.formed, words.numbered, words.schedule, DOSED)
    return any(shape.match(text, hit.end, own) for shape in shapes)


def _behind(text: str, hit: NameHit, own: int, signs: list[Sign]) -> list[Said]:
    """What the words behind a drug say of it, up to `own`, where its part of the sentence ends."""
    behind = [s for s in signs if hit.end <= s.start and s.end <= own and s.speaks_back(text, hit.end, own)]
    behind += [s for s in signs if s.kind == "onto" and own <= s.start <= own + len(", ")]  # "A, changed to B"
    return [told for s in behind if (told := s.said_of_the_one_before) is not None]


def _is_local(text: str, hit: NameHit, own: int, by_eye: frozenset[NameHit]) -> bool:
    """Whether it works where it is put; eye drops of a drug that counts by the eye too (a beta-blocker) do not."""
    words = taking_words()
    return words.local.search(text, hit.end, own) is not None and not (
        hit in by_eye and words.eyes.search(text, hit.end, own)
    )


def _begun(text: str, hit: NameHit, own: int, until: int, signs: list[Sign]) -> bool:
    """ "Nifedipine was started for Raynaud's", "bisoprolol since March"; not where it was stopped right after."""
    words = taking_words()
    if text[hit.start : hit.end] in words.measured or not words.begun.match(text, hit.end, own):
        return False
    after = next((s for s in signs if own <= s.start and s.end <= until), None)
    return after is None or after.said != "past" or _between(text, own, after.start) > NEAR_WORDS


def _told_alone(text: str, hit: NameHit, last: int, part: Part) -> bool:
    """Whether its line tells a drug with what it is for, or with its form, and with nothing that speaks against it."""
    if part != "other":
        return False
    begin = text.rfind("\n", 0, hit.start) + 1
    end = text.find("\n", hit.end)
    end = len(text) if end < 0 else end
    if not tells_of_taking(text[begin:end], hit.start - begin, hit.end - begin):
        return False
    return all(sign.takes for sign in taking_words().signs(text, begin, max(end, last)))


def _governed(
    text: str, signs: list[Sign], hit: NameHit, before: NameHit | None, inherited: Said | None
) -> Said | None:
    """What stands before a drug says of it; in a list what was said of the one before."""
    if signs:
        nearest = signs[-1]
        thought = any(s.kind == "thought" and _between(text, s.end, nearest.start) < NEAR_WORDS for s in signs[:-1])
        if nearest.kind in ("left", "onto") and thought:
            return "thought"  # "will be switched from A to B"
        if not nearest.takes:
            return nearest.said
        if len(signs) > 1 and not signs[-2].takes and _between(text, signs[-2].end, nearest.start) < NEAR_WORDS:
            return signs[-2].said  # "not currently taking", "was previously on"
        far = NEAR_WORDS if nearest.kind == "near" else _FAR_WORDS
        return "taken" if _between(text, nearest.end, hit.start) <= far else None
    if before is not None and _between(text, before.end, hit.start) <= _LIST_WORDS:
        return inherited
    return None


def _between(text: str, start: int, end: int) -> int:
    return len(_WORD.findall(text, start, end))
