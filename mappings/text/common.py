"""Schema of `lexicon/common.yaml`: the names, words and limits that hold for all five languages."""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field

from mappings.text.folding import fold
from mappings.text.schema import Folded, Phrases, Strict, load

LongestFirst = Annotated[Folded, AfterValidator(lambda words: tuple(sorted(words, key=len, reverse=True)))]


class Letters(Strict):
    """Letters that are short for a disease, and near these words for something else ("SpO2 on RA": room air)."""

    words: tuple[str, ...]
    near: Phrases


class Pulse(Strict):
    """When a letter is the heart rate and not the test that has the same letter ("P 46 reg" is no phosphate)."""

    analyte: str
    instead_of: str
    """the test that has the same letter."""
    interval: str
    """the test that has the letters of the pulse rate."""
    shortest: int
    """in ms: below it a number without unit is a rate and no interval (tool rule)."""
    tracing: str
    """the test that was done where a rhythm is told."""
    letters: Folded
    least: int
    """no phosphate has so high a number in mmol/L or mg/dL (tool rule)."""
    most: int
    """a number above it behind a rhythm is a dose or a year (tool rule)."""
    units: Folded
    after: Folded
    """words behind a rate that has no unit: when that was."""
    links: Folded
    """words between a rhythm or a pulse and its rate."""
    slow: Phrases
    """words for a slow or fast heart, behind which its rate may stand."""


class Spelled(Strict):
    """Numbers that are spelled out: tens and ones by their figures, what joins them, and what does inside one word."""

    tens: dict[int, Folded]
    ones: dict[int, Folded]
    joints: Folded
    inside: Folded


class Numbers(Strict):
    """Words between and before numbers. None of them is a word of one language alone: so short a text does not tell
    its own."""

    limits: Phrases
    """between the two ends of a range ("8.5 to 10.2")."""
    limits_of_share: Phrases
    """the same between per cents only ("entre 55 et 60 %")."""
    alternatives: Phrases
    """between two amounts of which either will do ("one or two tablets")."""
    spelled: Spelled
    sides: Phrases
    """between the sides of one thing ("2 by 3 cm")."""
    lists: Phrases
    """between the sizes of several things ("8 and 11 mm")."""
    pressures: Phrases
    """between the two pressures of the blood ("82 over 50")."""
    out_of: Phrases
    """between a score and the most it can be ("7 out of 10")."""
    score: Phrases
    """between the name of a scale and its score ("pain scale of 7")."""
    value: Phrases
    """between letters and what was measured ("PR of 160 ms")."""
    ordinals: Folded
    """between the number of a day and its month ("the 14th of May")."""
    months: dict[str, Folded]
    """names of the months in every language: a short text does not tell its own ("Ca de 14 de maio")."""
    value_units: Phrases
    """units by which a number behind such letters was measured."""
    time_letters: str = Field(pattern=r"^[a-z]+$")
    """first letters of units of time: a number before one is a length of time, and not what was measured."""
    lengths: Phrases
    """units of a length of the body, whole or the beginning of a word ("*")."""
    per: Phrases
    """between a dose and its day ("90 mg per day")."""
    day: Phrases
    times: Phrases
    """units of time that an "x" with a number can stand before ("x3 weeks")."""


class Centimetres(Strict):
    """The least and the most that each of two pressures can be, in cmHg, as France and Brazil tell them ("13/8")."""

    upper: tuple[int, int]
    lower: tuple[int, int]


class Marks(Strict):
    """Marks of an unusual value in brackets in front of it ("Calcium (H) 11.4"); without case."""

    letters: str = Field(pattern=r"^[a-z]+$")
    """one or two of them."""
    words: Folded


class Copies(Strict):
    """When a description was copied from an earlier note and not written anew."""

    words: int
    """that two writers do not choose alike by chance."""
    days: int
    """by which two ages may differ that the same words tell, as months differ in length."""


class Movement(Strict):
    """Words of a result that left one figure and came to another."""

    sources: Folded
    """before the figure that it left ("from 88")."""
    targets: Folded
    """before the figure that it came to ("to 26")."""
    verbs: Folded
    """that say so, beside those between a name and a number."""
    ranging: Folded
    """that say of the same two figures that they are the ends of a range ("ranged from 8.6 to 10.2")."""


class Results(Strict):
    """What kind of result a test has, by analyte."""

    estimated: Phrases
    """estimated by eye, and told as a range ("35-40 %") or with words between ("severely reduced at 25 %"); of a range
    the lower end counts."""
    told_in_words: Phrases
    """their number says nothing without its unit, as one may be mmol and another mg."""
    ranged: Phrases
    """told as the lowest and the highest, of which the lowest counts ("HR 45-48")."""
    positive_from: dict[str, str]
    """the number from which a test is positive, whatever its unit."""
    quantities: Phrases
    """further ones whose result is a quantity: "von Kossa negative for calcium" and "negative for urate" tell of a
    stain."""
    pressure: str
    """told as two numbers ("82/50"), of which the upper is meant."""
    trends: Folded
    """at the end of a test's name: several results follow."""
    earlier: Folded
    """before the earlier of two results ("up to 2.9 today from 0.9", "2.9 now versus 2.3")."""
    aims: Folded
    """before or behind a name: what is told is wished for."""
    spelled: Phrases
    """its number may be spelled out."""
    moved: Folded
    """between a name and the number that it came to ("fell to 27")."""
    checked: Folded
    """that a test was done, or how often, before its result word ("calcium, checked twice, was normal")."""
    unchecked: Folded
    """that deny it."""
    possessives: Folded
    """before the tests of a row ("her calcium and her phosphate")."""
    pressure_told: Folded
    """words between its name and the two ("BP soft, 86/50s")."""
    swallowed: Folded
    """behind a number without a unit: it is of a drug that is called as the test ("vit D 5 drops")."""
    lately_days: int
    """of two days that the same figures may mean, the one at most so long before the note counts."""
    centimetres: Centimetres
    marks: Marks
    doses_from: dict[str, int]
    """a bare number from which it is no result in any unit, but a dose ("calcium 1200 daily"), by analyte."""


class Asked(Strict):
    """What a text only asks."""

    affirming: Phrases
    denying: Phrases
    """both answers of a field of a form, also as one letter ("Y/N")."""
    openers: Phrases
    """first words of a question to the reader ("have you"); it needs one of `noticing` too."""
    noticing: Phrases
    unseen: Phrases
    """words by which a place could not be looked at: a bare question behind them describes nothing."""


class Common(Strict):
    """What is the same in every language, in the order of the file; it is read beside each language's own."""

    # Names that are the same in all five languages: abbreviations, Latin names, tests and ingredients.
    analytes: dict[str, Phrases]
    concepts: dict[str, Phrases]
    drugs: dict[str, Phrases]
    spelled_out: dict[str, tuple[Phrases, ...]]
    """a disease whose name spells out its letters: the beginnings of its parts, in their order."""
    letters_for: tuple[Letters, ...]
    saturation: tuple[int, int]
    """the least and the most per cent of oxygen ("97% RA")."""
    everyday: frozenset[str]
    """words of the names of diseases that stand in any chart: a name is told by its other words first."""

    # Tests: what stands with a name and a number, and how a result is told.
    qualifiers: Phrases
    """what a laboratory sets between a test's name and its number, and does not change what was measured: "Calcium,
    Serum: 9.2", "PTH intact". No word of urine is one."""
    blood_gas: Phrases
    """names of a blood gas analysis, whose calcium is ionized."""
    ionized_below: Decimal
    """mmol/L: no ionized calcium is higher, and a total one of a living patient hardly lower (tool rule)."""
    signed: Phrases
    """tests of which a plus sign right behind the name says that they are positive."""
    pulse: Pulse
    rhythms: Phrases
    """what an ECG shows: told behind its name, it says that the ECG was done, and judges nothing."""
    systolic: Folded
    """words of a name of the blood pressure that ask for the upper number alone."""
    estimates: Phrases
    """words between an estimated test and its number ("LVEF is severely reduced at 25 %"); of all languages, because
    so short a text does not tell its own."""
    old_months: Decimal
    """how long ago a test was done whose result says nothing of today (tool rule)."""
    doses: Phrases
    """units that are a mass or an activity alone: what somebody takes ("calcium 600 mg"), no concentration."""
    range_names: LongestFirst
    """what calls the figures behind a result the laboratory's range, in its line or the next."""
    range_signs: LongestFirst
    """the same where it may stand for something else: in the result's own line only."""
    range_words: Folded
    """further words of which such a name can be made where it opens a text that holds nothing else."""
    range_letters: Folded
    """letters that are short for it before a colon or a number ("N: 8.5-10.2")."""
    degrees: Folded
    """words of how much before a result word ("a touch high")."""
    several: Folded
    """words by which a result is said of more than one test."""
    inclusive: Folded
    """opens what a row of tests holds among others: "blood tests, including calcium, were normal"."""
    either: Folded
    everything: Folded
    """before a result word: it is that of the whole row ("all normal")."""
    numbered: Folded
    """behind an ordinal and its stop, which ends nothing."""
    linking: Folded
    """verbs between one test and its result word."""
    telling_verbs: Folded
    """verbs that tell the result of a test before a clause between commas."""
    movement: Movement
    results: Results

    # Lesions: what describes one, says where it is, copies or removes it.
    adjectives: Folded
    """words of shape and size between "hard" and what is hard ("a calcified thick bar")."""
    kinds_of_calcium: Folded
    """words that tell the kind of a calcification, not its place."""
    shapes: Folded
    """words of the shape of a calcification: beside it they tell of soft tissue, if nothing else tells of its place."""
    predicating: Folded
    """words by which a clause behind a place calls the thing there hard ("a spot on the elbow that feels hard")."""
    relative: Folded
    """what opens such a clause."""
    joining: Phrases
    """small words between a part of the body and the lump in it ("tongue with a hard nodule"), of all languages too."""
    possessing: Folded
    """words by which a part is told of its whole: "palm of the hand"."""
    where: Folded
    """words that open a clause of place ("where she injects")."""
    partly: Folded
    """words by which only some of the things are meant ("two of the nodules", "einige der Knoten")."""
    removals: Folded
    """words of a trigger of the past that say that the thing was taken out."""
    copies: Copies
    bedside: Folded
    """what opens a sentence of the examination: it is none of the report before it."""
    of_lesion: dict[str, str]
    """a concept, and the narrower one that it also is where it is said of a lesion."""
    calcified: Folded
    """parts of the names of calcified tendons and the like, in every language."""
    calcifying: Phrases
    """what calcifies of itself (ids of histology): the calcium in it is its own."""

    # Diseases and events: whose they are, when they were, what ends them.
    lifelong: Phrases
    """concepts that "history of" does not end."""
    own: Phrases
    """concepts that a person named after them does not take over ("breastfeeding her son")."""
    events: Phrases
    """concepts that happen on a day: a date right beside the name is theirs ("MI in 2015")."""
    remissions: Folded
    """words of a trigger of the past that end no lifelong disease ("in remission", "diagnosed in childhood")."""
    planned: Phrases
    """concepts that are still to come: a date beside the name is no onset ("extraction booked for 17/06/2026")."""

    unfinished: Folded
    """words that end no line: the next one goes on, though it begins with a capital or a number."""

    # Questions, answers, denials and doubts.
    asked: Asked
    affirming: Phrases
    """words that, right after a question, say that it is so ("Any lumps? Yes"), in small letters as they are written:
    Spanish "sí" is no "si"."""
    pointers: Folded
    """words behind a question mark that send the reader elsewhere ("nodules ? cf.")."""
    denials: Folded
    """participles that, as the last word, deny what stands before them."""
    looked: Folded
    """words behind a "none" that answers a question ("none felt today")."""
    adding: Folded
    """"and": behind the comma of a denial it adds what is there ("no ulcers, and hard lumps of the forearm")."""
    exclusions: Folded
    """first words of a trigger by which a diagnosis was excluded."""
    suspicion: str
    """ends a German word that says what is suspected ("Lupusverdacht"); without case and accent."""
    weighing: Folded
    """between two things that are weighed against each other; what opens a line is short for something else."""

    # Numbers and times.
    numbers: Numbers
    few: tuple[Decimal, Decimal]
    """the least and the most that "a few weeks" can mean (tool rule)."""
    elisions: Folded
    """longer words than two letters that lose their vowel before another ("jusqu'à")."""


@cache
def load_common() -> Common:
    """The words of all languages, read once; LanguageError names what is wrong."""
    return load("lexicon/common.yaml", Common)


def either(*lists: Iterable[str]) -> str:
    """A pattern for any of the words, also without its accents; the longer first. A blank stands for one or none."""
    forms = {form for words in lists for word in words for form in (word, fold(word))}
    return "|".join(re.escape(form).replace(r"\ ", r"\s?") for form in sorted(forms, key=lambda f: (-len(f), f)))
