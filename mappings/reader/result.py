"""The value of one result: number, words or flag, in its own unit and the analyte's, with the laboratory's range."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Literal, get_args

from msgspec.structs import replace

from mappings.data_schema import ResultWord as Word
from mappings.dates import PartialDate, years_between
from mappings.facts import Problem, Result
from mappings.reader.access import codes, concept, concepts, mapping, notes, text
from mappings.reader.analyte import observation_words
from mappings.reader.context import Collected
from mappings.reader.culture import ANALYTE, culture_word
from mappings.reader.names import Test
from mappings.text.common import load_common
from mappings.text.reading import LabMention
from mappings.units import Analyte, UnitTable, plain
from mappings.values import Quantity, Range, choose_range, number, read_quantity, to_canonical
from mappings.written_result import Written, parse_written

State = Literal["final", "preliminary"]
Flag = Literal["normal", "low", "high", "critical-low", "critical-high", "abnormal"]
_WORDS: Mapping[str, Word] = {word: word for word in get_args(Word)}
_FLAGS: Mapping[str, Flag] = {flag: flag for flag in get_args(Flag)}

_WITHOUT_UNIT = ("unit-unknown", "unit-mismatch")
"""what is said of a number without a unit, or with the unit of one"""
_FOUND = frozenset({"positive", "negative"})
"""what a laboratory says of an antibody beside its number"""
_REMARK = re.compile(r"[,;(]")
_FIGURES = re.compile(r"[\s,:;]*(?:[(\[<>]|\d).*$", re.DOTALL)
"""what stands behind a result in words: "POSITIVE (>240 U)", "Negative <7 U/mL"."""


def valued(base: Result, body: Mapping[str, Any], test: Test, into: Collected) -> Result:
    """The result with what the Observation or component says of its value; `problem` when it can't be relied on."""
    table = into.tools.units
    flag = flag_of(body, into)
    absent = body.get("dataAbsentReason")
    if absent is not None and not (flag and codes(absent) and codes(absent) <= _withheld()):
        return replace(base, flag=flag, problem="no-value")
    written = _written(body, base.analyte, into)
    quantity = read_quantity(body.get("valueQuantity"), table) or (written.quantity if written else _plain(body))
    quantity = quantity or _between(body, table)
    if quantity is None:
        return _in_words(replace(base, flag=flag), body, test, into)
    if written is not None and written.flags and flag is None:
        flag = _flag(written.flags, into)
    limits = limits_of(body, quantity, test, base.date, into)
    limits = limits or (written.range if written is not None and body.get("referenceRange") is None else None)
    result = measured(base.ref, base.date, base.status, base.label, quantity, limits, flag, test, into, base.specimen)
    if result.flag is None and result.problem is None:
        result = replace(result, word=found_of(body, into))
    doubt = _doubted(body, base.analyte in table.analytes) if result.problem is None else None
    return replace(result, problem=doubt) if doubt else result


def measured(
    ref: str,
    date: PartialDate | None,
    state: State,
    label: str,
    quantity: Quantity,
    limits: Range | None,
    flag: Flag | None,
    test: Test,
    into: Collected,
    specimen: str | None = None,
) -> Result:
    """The result of a number, with what speaks against it."""
    known = into.tools.units.analytes.get(test.analyte)
    canonical = to_canonical(quantity, known, test.property)
    low, high = (limits.low, limits.high) if limits is not None else (None, None)
    if canonical.problem in _WITHOUT_UNIT and not quantity.unit_text and limits is None and flag is None and known:
        said, unit = _surely(quantity, known)
        if said and unit is None:
            told = Result(test.analyte, ref, date, state, label, antibody=test.antibody, specimen=specimen)
            return replace(told, word=_WORDS[said], unitless=True)
        if said and unit:
            flag, quantity = _FLAGS[said], replace(quantity, unit=unit, unit_text=unit)
            canonical = to_canonical(quantity, known, test.property)
    problem = canonical.problem or _conflict(flag, quantity, low, high) or _code_conflict(test)
    return Result(
        test.analyte,
        ref,
        date,
        state,
        label,
        quantity.low,
        quantity.high,
        quantity.comparator,
        quantity.unit or quantity.unit_text,
        canonical.low,
        canonical.high,
        low,
        high,
        flag=flag,
        problem=problem,
        antibody=test.antibody,
        specimen=specimen,
    )


def _surely(quantity: Quantity, known: Analyte) -> tuple[str | None, str | None]:
    """What a number without a unit is in every unit that it may be in: low or high, and the unit if there is one."""
    number = quantity.high if quantity.high is not None else quantity.low
    return (known.surely(known.only_tested, number) if number is not None else None) or (None, None)


def found_of(body: Mapping[str, Any], into: Collected) -> Word | None:
    """ "Positive" or "negative" as the laboratory's interpretation, which stands beside the number of an antibody."""
    said = _flag_word(_said(body), into)
    return said if said in _FOUND else None


def flag_of(body: Mapping[str, Any], into: Collected) -> Flag | None:
    """The laboratory's interpretation."""
    return _flag(_said(body), into)


def limits_of(
    body: Mapping[str, Any], quantity: Quantity, test: Test, date: PartialDate | None, into: Collected
) -> Range | None:
    """The laboratory's normal range for this patient, in the unit of the number."""
    table = into.tools.units
    return choose_range(
        body.get("referenceRange"), quantity, table.analytes.get(test.analyte), table, _age(date, into), into.sex
    )


def of_its_test(labs: tuple[LabMention, ...], analyte: str, into: Collected) -> tuple[LabMention, ...]:
    """What the words of a result say that is no number alone, of its own test: "bradycardic, 45", "35-40%", "88, 86".
    Not of a test that only its whole name tells: a calcium is judged as it was measured, or not at all."""
    known = into.tools.units.analytes.get(analyte)
    return () if known is not None and known.whole_name else tuple(lab for lab in labs if lab.analyte == analyte)


def is_within_range(resource: Mapping[str, Any], into: Collected) -> bool:
    """Whether a measurement lies within the laboratory's range: it finds nothing that its name names."""
    quantity = read_quantity(resource.get("valueQuantity"), into.tools.units)
    if quantity is None or quantity.low is None or quantity.high is None:
        return False
    limits = choose_range(resource.get("referenceRange"), quantity, None, into.tools.units, None, into.sex)
    if limits is None or (limits.low is None and limits.high is None):
        return False
    above = limits.low is None or quantity.low >= limits.low
    return above and (limits.high is None or quantity.high <= limits.high)


@cache
def _withheld() -> frozenset[str]:
    """Reasons for which there is a result that is only not sent: the laboratory's flag still speaks of it."""
    return frozenset(observation_words().withheld)


def _in_words(base: Result, body: Mapping[str, Any], test: Test, into: Collected) -> Result:
    said, has_value = _worded(body, into)
    word = _WORDS.get(said or "") or (None if has_value else _flag_word(_said(body), into))
    if word is None and has_value and base.analyte == ANALYTE:
        word = _grown(body)
    if word is None and not has_value:
        word = _noted(body, into)
    if word is None:
        return replace(base, problem="not-understood" if has_value else "no-value")
    clash = word == "normal" and base.flag not in (None, "normal")
    return replace(base, word=word, problem="flag-conflict" if clash else _code_conflict(test))


def _noted(body: Mapping[str, Any], into: Collected) -> Word | None:
    """A result without a value whose comment is the result and nothing else ("WNL"); comments that differ are none."""
    said = {_WORDS.get(into.tools.units.word(comment.strip(" .;:")) or "") for comment in notes(body)}
    return said.pop() if len(said) == 1 else None


def _grown(body: Mapping[str, Any]) -> Word | None:
    """What a culture says that names the organism instead of calling itself positive."""
    for words in (text(body.get("valueString")), *concept(body.get("valueCodeableConcept")).texts):
        found = culture_word(words) if words else None
        if found is not None:
            return found
    return None


def _code_conflict(test: Test) -> Problem | None:
    return "code-conflict" if test.conflict else None


def _doubted(body: Mapping[str, Any], measured: bool) -> Problem | None:
    """The laboratory's own comment that its number is not to be relied on."""
    if not measured:
        return None
    comments = [comment.casefold() for comment in notes(body)]
    return "doubted" if any(phrase in comment for comment in comments for phrase in _doubts()) else None


def _conflict(flag: Flag | None, quantity: Quantity, low: Decimal | None, high: Decimal | None) -> Problem | None:
    """The laboratory's flag against its own range: the result is then not relied on."""
    value = quantity.low
    if flag is None or value is None or value != quantity.high or (low is None and high is None):
        return None
    if low is not None and value < low:
        place = "low"
    elif high is not None and value > high:
        place = "high"
    elif (low is None and flag in ("low", "critical-low", "abnormal")) or (
        high is None and flag in ("high", "critical-high", "abnormal")
    ):
        return None  # the side that the flag is about has no limit
    else:
        place = "normal"
    said = {"critical-low": "low", "critical-high": "high", "abnormal": None}.get(flag, flag)
    if said is None:
        return "flag-conflict" if place == "normal" else None
    return "flag-conflict" if said != place else None


def _written(body: Mapping[str, Any], analyte: str, into: Collected) -> Written | None:
    """A number that stands in words: in valueString, as the text of a coded value, or, without a value, as the one
    comment, with its unit."""
    table = into.tools.units
    for words in (text(body.get("valueString")), *concept(body.get("valueCodeableConcept")).texts):
        bare = _without_remark(words, analyte) if words else None
        found = parse_written(bare, table.analytes.get(analyte), table) if bare else None
        if found is not None:
            return found
    comments = notes(body)
    said = text(body.get("valueString"))
    sent = said is not None and plain(said) in _in_comment()
    if len(comments) != 1 or any(
        _has_content(name, value) for name, value in body.items() if not sent or value != said
    ):
        return None
    found = parse_written(_without_remark(comments[0], analyte), table.analytes.get(analyte), table)
    return found if found is not None and found.quantity.unit is not None else None


def _without_remark(words: str, analyte: str) -> str:
    """The number of "44 regular": what some write behind it says nothing of the number."""
    remarks = _remarks().get(analyte)
    words = _about().sub("", words)
    return remarks.sub("", words).rstrip(" ,;(") if remarks is not None else words


@cache
def _about() -> re.Pattern[str]:
    return re.compile(rf"^\s*(?:{'|'.join(map(re.escape, observation_words().about))})\s*(?=\d)", re.IGNORECASE)


@cache
def _remarks() -> Mapping[str, re.Pattern[str]]:
    return {
        analyte: re.compile(
            rf"(?<=[\d\W])(?:[\s,;(]*\b(?:{'|'.join(map(re.escape, words))})\b[\s.)]*)+$", re.IGNORECASE
        )
        for analyte, words in observation_words().remarks.items()
    }


def _between(body: Mapping[str, Any], table: UnitTable) -> Quantity | None:
    """A range as the result ("25 to 30 %"): what was measured lies in it."""
    told = mapping(body.get("valueRange"))
    low, high = (read_quantity(told.get(side), table) for side in ("low", "high"))
    if low is None or high is None or low.unit != high.unit or low.comparator or high.comparator:
        return None
    return replace(low, high=high.high)


def _plain(body: Mapping[str, Any]) -> Quantity | None:
    value = number(body.get("valueInteger", body.get("valueDecimal")))
    return Quantity(value, value, None, None, None) if value is not None else None


def _worded(body: Mapping[str, Any], into: Collected) -> tuple[str | None, bool]:
    """(result in words, whether there is any value at all). A text such as "pending" is no value."""
    table = into.tools.units
    if isinstance(body.get("valueBoolean"), bool):
        return ("positive" if body["valueBoolean"] else "negative"), True
    said = text(body.get("valueString"))
    coded = concept(body.get("valueCodeableConcept"))
    for words in (said, *coded.texts):
        word = table.word(words) or (_before_figures(words, into) or _found_first(words, into) if words else None)
        if word is None and words and not plain(words) and words.strip() in answers()[0]:
            word = "positive"  # "+"
        if word is not None:
            return word, True
    for coding in coded.codings:
        word = _result_codes().get(coding.code or "")
        if word is not None:
            return word, True
    return None, any(_has_content(name, value) for name, value in body.items())


def _before_figures(words: str, into: Collected) -> str | None:
    """The result before figures; "Normal range 8.6-10.2" names the range and is none."""
    bare = _FIGURES.sub("", words)
    return None if plain(bare) in _names_of_ranges() else into.tools.units.word(bare)


def _found_first(words: str, into: Collected) -> str | None:
    """ "Reactive, S/CO 312": that something was found, where a remark follows; of "normal" and "negative" a remark may
    take something back."""
    head = into.tools.units.word(_REMARK.split(words, maxsplit=1)[0])
    return head if head == "positive" else None


@cache
def _names_of_ranges() -> frozenset[str]:
    return frozenset(map(plain, load_common().range_names))


def _has_content(name: str, value: object) -> bool:
    if not name.startswith("value") or value in (None, "", [], {}):
        return False
    if name == "valueQuantity":
        return isinstance(value, Mapping) and value.get("value") is not None
    if name == "valueString" and isinstance(value, str):
        return plain(value) not in _no_result()
    if name == "valueCodeableConcept":
        found = concept(value)
        return plain(found.label) not in _no_result() if found.label else False
    return True


def _said(body: Mapping[str, Any]) -> Iterator[str]:
    for entry in concepts(body.get("interpretation")):
        for code in (*(c.code for c in entry.codings), entry.text):
            if code:
                yield code


def _interpreted(code: str, into: Collected) -> str | None:
    """A flag as written: stars and exclamation marks around it only stress it ("H*", "HH!")."""
    table = into.tools.units
    bare = code.strip().strip("*!() ").upper()
    return table.interpretations.get(code.strip().upper()) or table.interpretations.get(bare) or table.word(code)


def _flag(written: Iterator[str] | tuple[str, ...], into: Collected) -> Flag | None:
    """The laboratory's flag; of several the first, but two that contradict each other are "abnormal"."""
    said = (_interpreted(code, into) for code in written)
    found = [flag for word in said if word and (flag := _FLAGS.get(word))]
    if "normal" in found and any(flag != "normal" for flag in found):
        return "abnormal"
    return found[0] if found else None


def _flag_word(written: Iterator[str], into: Collected) -> Word | None:
    for code in written:
        said = _interpreted(code, into)
        if said and said.removeprefix("critical-") in _WORDS:
            return _WORDS[said.removeprefix("critical-")]
    return None


def _age(date: PartialDate | None, into: Collected) -> tuple[int, int] | None:
    if into.born is None or date is None:
        return None
    if into.born.exact and date.exact:
        whole = years_between(into.born.earliest, date.earliest)
        return whole, whole
    youngest = date.earliest.year - into.born.latest.year - 1
    oldest = date.latest.year - into.born.earliest.year
    return max(youngest, 0), max(oldest, 0)


@cache
def answers() -> tuple[frozenset[str], frozenset[str]]:
    """(yes, no): the words and codes of an answer, lower case."""
    told = observation_words().answers
    yes, no = (frozenset(said.lower() for said in (*side.words, *side.codes)) for side in (told.yes, told.no))
    return yes, no


@cache
def _result_codes() -> Mapping[str, str]:
    told = observation_words()
    coded = {code: word for word, codes in told.result_codes.items() for code in codes}
    yes, no = told.answers.yes.codes, told.answers.no.codes
    return {**coded, **dict.fromkeys(yes, "positive"), **dict.fromkeys(no, "negative")}


@cache
def _no_result() -> frozenset[str]:
    return frozenset(plain(words) for words in observation_words().no_result)


@cache
def _in_comment() -> frozenset[str]:
    return frozenset(plain(words) for words in observation_words().in_comment)


@cache
def _doubts() -> tuple[str, ...]:
    return tuple(words.casefold() for words in observation_words().doubt)
