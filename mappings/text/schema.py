"""Schema of the language files `lexicon/<language>.yaml`, `context/<language>.yaml` and `places.yaml`.

An entry may hold alternatives in brackets, "nodule(s|)", and may end or begin with "*" for the start or end of one
word. "=SLE" is read only in just these capitals. A key may join several ids by "+".
"""

from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mappings.facts import Hardness, LesionKind, Modality, Pain
from mappings.text.folding import fold
from mappings.text.reading import Status

Phrases = tuple[str, ...]
Folded = Annotated[Phrases, AfterValidator(lambda words: tuple(fold(word) for word in words))]
"""single words that are compared with the words of a text, which have neither case nor accent."""
Unit = Literal["day", "week", "month", "year"]
Attribute = Literal[
    "ulcerated",
    "necrotic",
    "livedo",
    "inflamed",
    "spreading_erythema",
    "pus",
    "draining",
    "sheet",
    "deep",
    "growing",
    "rapid",
    "called_new",
    "new_site",
    "in_scar",
    "cystic",
    "fluid",
    "vascular",
    "resolved",
    "multiple",
    "white_yellow",
    "white",
    "chalk",
    "chalk_complete",
    "material",
    "stone",
    "mineral",
    "infused",
    "injection",
    "trauma",
    "long_standing",
]
Word = Literal["normal", "low", "high", "abnormal", "disorder", "positive", "negative", "void"]


class LanguageError(Exception):
    """A language file is wrong; the text names file and key."""


class Strict(BaseModel):
    """A part of a language file: what it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Imaging(Strict):
    modality: dict[Modality, Phrases]
    calcification: Phrases
    soft: Phrases
    positive: Phrases
    vascular: Phrases
    joint: Phrases
    elsewhere: Phrases
    clear: Phrases
    flow: Phrases
    progressed: Phrases
    indication: Phrases
    pending: Phrases
    ordered: Phrases
    """words by which an image is only asked for ("order"): what the next sentence says is not its finding."""


class Pathology(Strict):
    specimen: Phrases
    calcium: Phrases
    stain: Phrases
    tissue: Phrases
    organ: Phrases
    other: dict[str, Phrases]


class Times(Strict):
    units: dict[Unit, Phrases]
    months: dict[str, Phrases]
    capital: Phrases = ()
    """names of months that are a month only with a capital letter ("may")."""
    capital_behind: Phrases = ()
    """words behind which they are one in a note without capitals too ("since march")."""
    numbers: dict[str, Phrases]
    few: Phrases = ()
    """before a unit of time, an amount that nobody counted: "a few", "several"."""
    at_least: Phrases = ()
    """before a number that is a lower limit: "at least", "more than"."""
    at_most: Phrases = ()
    """the same words in an upper limit: "no more than"."""
    numbering: Phrases = ()
    """before the number of the things just named: "numbering", "n ="."""
    in_number: Phrases = ()
    """after it: "in number", "in total"."""
    since: Phrases
    """absolute or counted beginning: "since", "for"."""
    onset: Phrases
    """words that make a date an onset: "noticed", "began"."""
    ago: Phrases
    history: Phrases
    """after a duration, naming what follows: "history of", "old"."""
    person: Phrases
    """after "year-old": a person's age, not a lesion's."""
    spans: dict[str, Phrases] = {}
    """lengths of time in one word, as amount and unit ("2 week": fortnight)."""
    moments: Phrases = ()
    """when a test was done, between its name and its result ("calcium this month was normal")."""
    now: Phrases = ()
    """beside the later of two results of one test: "now", "today"."""
    stages: Phrases = ()
    """when one of several results of a test was taken: "on admission", "then"."""
    repeated: Phrases = ()
    """the same, where the earlier may be of the same day: "repeat", "on recheck"."""
    feasts: dict[str, Phrases] = {}
    """days that come round each year, as month and day, or "easter"."""
    had: Phrases
    """before a finding that was there at the date behind it ("had hard nodules in 2015")."""
    recorded: Phrases
    """beside the date on which a finding was recorded: "documented"."""
    later: Phrases
    """behind a length of time that is counted from something else: "two weeks later"."""
    not_onset: Phrases
    """before a duration or date that is no onset: "in", "every", "follow-up"."""


class Doses(Strict):
    drugs: dict[str, Phrases]
    not_tolerated: Phrases
    tolerated: Phrases
    failed: Phrases
    frequency: dict[int, Phrases]


class Guard(Strict):
    words: Phrases
    concept: str
    otherwise: str | None = None
    near: Phrases


class Lexicon(Strict):
    language: str
    stopwords: Phrases
    letters: str = Field(default="", pattern=r"^[^\x00-\x7f]*$")
    """letters that speak for this language among the five; none of them plain Latin."""
    also_words: Phrases = ()
    """abbreviations that are words too when no letter tells them apart ("gave", "les"), or begin as one does ("mg")."""
    coordinators: Phrases
    prepositions: Phrases
    anaphors: Phrases
    also: Phrases
    ignore: Phrases
    lesions: dict[LesionKind, Phrases]
    named_lesions: dict[str, Phrases]
    """"kind+mimic id+concept": a lesion that its own name says to be something else ("rheumatoid nodule")."""
    hardness: dict[Hardness, Phrases]
    attributes: dict[Attribute, Phrases]
    pain: dict[Pain, Phrases]
    pain_scale: Phrases
    tender: Phrases
    plural_s: bool = False
    """a plural ends in s."""
    side_follows: bool = False
    """left and right stand after the place ("mano derecha")."""
    side_shared: Phrases = ()
    """words for a side that, after joined places, hold for all of them ("codo y rodilla izquierdos")."""
    spelling: Phrases = ()
    """long words that are read with one letter wrong, too ("calcinois"); never of a pair whose meanings differ."""
    inside: Phrases = ()
    """parts of the body that are no skin (mouth, conjunctiva, larynx): a lump there is none of ours."""
    identity: Phrases = ()
    """words that say what the thing before them is: "consistent with", "=", "typical of"."""
    recurred: Phrases = ()
    """behind a lesion that was removed: it is there again."""
    corrected: Phrases = ()
    """what opens a correction of an earlier finding: "on re-examination", "in fact"."""
    lumps: dict[str, Phrases] = {}
    """hard lumps of another kind that the examination alone settles ("wart", "stye"); where: `places.yaml`."""
    cause: Phrases = ()
    """words that say what the thing before them comes from: "from", "due to"."""
    conclusion: Phrases = ()
    """words that open a conclusion: "impression", "diagnosis"."""
    pebbles: Phrases = ()
    """small or several stones."""
    within: Phrases = ()
    """words for "in" and "under": small stones in a limb are lesions ("pebbles in my fingers")."""
    vague: Phrases = ()
    """words for any small thing ("spot", "bead"): a lesion where it is called hard at a place of the body."""
    sides: dict[Literal["left", "right", "bilateral"], Phrases]
    places: dict[str, Phrases]
    mimics: dict[str, Phrases]
    concepts: dict[str, Phrases]
    absent: dict[str, Phrases]
    """concepts whose words say that they are not there ("postmenopausal" is not one; "never smoker" is)."""
    no_disease: Phrases = ()
    """words that deny every connective tissue disease at once ("no evidence of CTD")."""
    guarded: tuple[Guard, ...]
    analytes: dict[str, Phrases]
    other_tests: Phrases = ()
    """tests that are not used, but stand in one row with ours."""
    antibodies: Phrases = ()
    reporting: Phrases = ()
    """single words that may stand between a test and its result beside everyday ones ("was reported as normal")."""
    awaiting: Phrases = ()
    """right before a test: its result is waited for or asked about ("once calcium is normal")."""
    words: dict[Word, Phrases]
    imaging: Imaging
    pathology: Pathology
    times: Times
    doses: Doses
    workup: dict[str, Phrases]
    size_not: Phrases
    """after a length that is a distance: "below", "from"."""


class Rule(Strict):
    """A ConText rule. `scope`: at most so many words. A terminator ends a scope; a pseudo trigger does nothing, so
    that its words are no trigger; a companion is one who is there and not ill, unless a clause says so ("accompanied
    by her husband, who has gout")."""

    kind: Literal["trigger", "terminate", "pseudo", "companion"] = "trigger"
    status: Status | None = None
    direction: Literal["forward", "backward", "both"] = "forward"
    scope: int | None = None
    diagnosis: bool = False
    """speaks of the diagnosis right before it, and of nothing else ("SLE vs MCTD", "SLE workup"); forward, of those
    behind it, and of no lump ("worried about calcinosis")."""
    keeps_person: bool = False
    """a terminator that goes on about the relative before it ("her mother developed hard lumps due to calcinosis")."""
    excepts: bool = False
    """a terminator that takes a place out of a denial ("no calcinosis except for the left thumb")."""
    undated: bool = False
    """does nothing where a year follows ("which were not present in 2024": they are now)."""
    own: bool = False
    """speaks of its own words and no others ("nicht gerötete harte Knoten")."""
    of_person: bool = False
    """a terminator that speaks of the person named right before it ("her husband, who has gout and hard lumps")."""
    words: Phrases = Field(min_length=1)


class Context(Strict):
    language: str
    abbreviations: Phrases
    misfiled: Phrases = ()
    """at the opening of a text: it was written in error or is another patient's."""
    answers: Phrases
    """words that, alone after a colon, deny what stands before it ("Nodules: none")."""
    asks: Phrases = ()
    """words that open a row of things asked about: one answer is that to all ("Asked about lumps, ulcers: none")."""
    sections: dict[Status, Phrases]
    present: Phrases
    """words before a relative who is there and not ill: "noticed by her mother"."""
    of_whom: Phrases = ()
    """words between a finding and the relative who has it: "calcinosis in her sister"."""
    relatives: Phrases = ()
    """pronouns behind a companion that begin a clause about that person, where the verb ends it ("der Knoten hat")."""
    having: Phrases = ()
    """verbs that end such a clause: what stands right before them is the person's."""
    theirs: Phrases = ()
    """words before a diagnosis by which it is there ("worried about her lupus")."""
    headings: Phrases
    """lines that begin a new part of a note, so that a section before them ends ("Examination")."""
    exam_headings: Phrases = ()
    """headings of an examination, in just these letters, that are also short for a disease ("PE: Skin dry")."""
    rules: tuple[Rule, ...]


class Lump(Strict):
    """Where a hard lump of another kind lies, and the public pages that say that it is told by examination."""

    places: Phrases = Field(min_length=1)
    sources: Phrases = Field(min_length=1)


class Places(Strict):
    """Which region each place of the body belongs to, which places are joints, and which are organs: calcification
    named there without a word of skin or soft tissue is the organ's ("coarse calcifications of both breasts")."""

    regions: dict[str, str]
    within: dict[str, tuple[str, ...]]
    """regions a word leaves open ("limb"), and those it may mean."""
    joints: Phrases
    organs: Phrases
    wholes: Phrases = ()
    """wholes that a part may be told of ("palm of the right hand")."""
    hollow: Phrases = ()
    lumps: dict[str, Lump] = {}


Model = TypeVar("Model", bound=BaseModel)


def load_lexicon(language: str) -> Lexicon:
    return load(f"lexicon/{language}.yaml", Lexicon)


def load_context(language: str) -> Context:
    return load(f"context/{language}.yaml", Context)


@cache
def load_places() -> Places:
    return load("places.yaml", Places)


def load(file: str, model: type[Model]) -> Model:
    """A data file of `mappings/text`, every scalar of it a string; LanguageError names file and key."""
    import yaml  # only where a table is read: those of an installed service are kept made

    text = (resources.files("mappings.text") / file).read_text(encoding="utf-8")
    # the base loader leaves every scalar a string: "no" and "on" are words here, not booleans
    data: Any = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506 - both are safe
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise LanguageError(f"mappings/text/{file}: {key}: {first['msg']}") from None
