"""The free-text engine: one text in, structured mentions out. Own engine, chosen by measurement (docs/text.md)."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Literal, Self, cast

from msgspec.structs import replace

from mappings.facts import Modality, Site
from mappings.table_cache import kept
from mappings.text import imaging, pathology
from mappings.text.concepts import concepts
from mappings.text.document import OPENING, Document, build, misfiled, overlaps
from mappings.text.doses import tolerances
from mappings.text.hyphens import Places, broken, undone
from mappings.text.joined import beside, joined
from mappings.text.labs import labs
from mappings.text.lesions import LesionReader
from mappings.text.markup import plain
from mappings.text.own_words import BEGIN, without_own_words
from mappings.text.passages import Passage, foreign_words, passages
from mappings.text.reading import BiopsyMention, ImagingMention, LesionMention, TextReading, TimeSpan
from mappings.text.reports import clusters
from mappings.text.sites import sites
from mappings.text.times import times
from mappings.text.tokens import Sentence, Words, cut, without
from mappings.text.vocabulary import RELEVANT, Hit, Vocabulary, vocabulary

Kind = Literal["condition", "observation", "imaging", "pathology", "note", "medication", "procedure", "allergy"]
LANGUAGES = ("en", "es", "pt", "fr", "de")
MAX_CHARACTERS = 200_000
"""longer texts are read to here; the reader limits attachments earlier."""
_DESCRIBING: frozenset[Kind] = frozenset({"condition", "observation", "note"})
_REPORTS: frozenset[Kind] = frozenset({"imaging", "pathology"})
_SURE = 2
_TITLE = 8
"""words and points of a text that may be too short to tell its language."""
_DOUBT = frozenset({"possible", "negated", "family"})
_HEADING = 4


class TextEngine:
    """Reads free text in English, Spanish, Portuguese, French and German. Stateless, deterministic, never raises on
    any text, keeps and logs nothing."""

    def __init__(self, vocabularies: dict[str, Vocabulary]) -> None:
        self._vocabularies = vocabularies
        self._foreign: dict[str, frozenset[str]] = {}

    @classmethod
    def load(cls) -> Self:
        """The compiled engine; LanguageError when a language file is wrong."""
        made = kept("mappings").get("lexicons", lambda: {language: vocabulary(language) for language in LANGUAGES})
        return cls(made)

    def read(self, text: str, *, kind: Kind = "note", language: str | None = None) -> TextReading:
        """What a text says. `kind`: what it is the text of (a report is read as a report). `language`: "en" or
        "en-GB"; without it, or for one that is not known, the language is found by its words."""
        words = self._words(text)
        candidates = self._candidates(words, language)
        mixed = self._passages(words, candidates) or (Passage(words),)
        read: list[TextReading] = []
        for passage in mixed:
            spoken = self._candidates(passage.words, language) if len(mixed) > 1 else candidates
            documents = self._documents(passage, spoken, language)
            if passage.opens < OPENING and any(misfiled(document) for document in documents):
                return TextReading(candidates[0])
            if documents:
                read.append(self._read_all(documents, kind))
        return beside(read) if len(read) > 1 else read[0] if read else TextReading(candidates[0])

    def _passages(self, words: Words, candidates: list[str]) -> tuple[Passage, ...]:
        """The passages of a text that mixes languages; where no word tells any, or too few, it is read in all of them
        anyway."""
        if len(words) <= _TITLE or len(candidates) == len(self._vocabularies):
            return ()
        own = candidates[0]
        foreign = self._foreign.get(own)
        if foreign is None:
            foreign = self._foreign[own] = foreign_words(self._vocabularies, own)
        return passages(words, self._vocabularies, own, foreign)

    def _documents(self, passage: Passage, candidates: list[str], language: str | None) -> list[Document]:
        """A text in each of the languages it may be in, where it tells anything."""
        words = passage.words
        if len(candidates) > 1 and len(words) <= _TITLE and not language:  # its small words tell no language
            candidates += [code for code in self._vocabularies if code not in candidates]
        vocabularies = [self._vocabularies[code] for code in candidates]
        opening = bool(passage.headed) and passage.opens < OPENING  # may tell that the text is of another patient
        return [build(words, vocab, passage.headed) for vocab in vocabularies if opening or vocab.relevant(words)]

    def _read_all(self, documents: list[Document], kind: Kind) -> TextReading:
        """What one text says in the languages it may be in."""
        if len(documents) > 1:
            documents.sort(key=lambda document: -document.covered())
            if len(documents[0].words) <= _TITLE:
                documents = self._doubting_first(documents, kind)
        asked = [(s.first, s.last) for document in documents for s in _clinical(document)] if kind in _REPORTS else []
        best = self._read(documents[0], kind, asked)
        known = documents[0].known_spans()
        for document in documents[1:]:
            best = joined(best, self._read(document, kind, asked, known), known)
        return best

    def _doubting_first(self, documents: list[Document], kind: Kind) -> list[Document]:
        """A title that two languages know equally well ("LES descartado": "les" is French too): the one that reads a
        doubt or a denial in it goes first."""
        most = documents[0].covered()
        tied = [document for document in documents if document.covered() == most]
        if len(tied) == 1:
            return documents
        doubting = [d for d in tied if any(m.status in _DOUBT for m in self._read(d, kind).concepts)]
        return [*doubting, *(d for d in documents if d not in doubting)] if doubting else documents

    def speaks(self, text: str) -> bool:
        """Whether any entry that can matter stands in the text, in any language."""
        words = self._cut(text[:MAX_CHARACTERS])
        return any(not RELEVANT.isdisjoint(vocab.find(words)) for vocab in self._vocabularies.values())

    @property
    def vocabularies(self) -> tuple[Vocabulary, ...]:
        return tuple(self._vocabularies.values())

    @property
    def telling_numbers(self) -> frozenset[str]:
        """Numbers that are words of an entry."""
        return frozenset(n for vocab in self._vocabularies.values() for n in vocab.numbers)

    def onset(self, text: str) -> TimeSpan | None:
        """The onset a short phrase means ("4 months ago", "since 2019", "childhood" → None)."""
        words = self._words(text)
        for code in self._candidates(words, None):
            document = build(words, self._vocabularies[code])
            for sentence in document.sentences:
                for timed in times(document, sentence):
                    return timed.span
        return None

    def sites(self, text: str) -> tuple[Site, ...]:
        """The body sites a text names."""
        words = self._words(text)
        for code in self._candidates(words, None):
            document = build(words, self._vocabularies[code])
            found = sites(document, 0, len(words))
            if found:
                return found
        return ()

    def workup(self, text: str) -> frozenset[str]:
        """The workup ids that the title of an order or procedure names ("X-ray left elbow" → radiograph)."""
        words = self._words(text)
        found: set[str] = set()
        for code in self._candidates(words, None):
            hits = self._vocabularies[code].find(words)
            found.update(hit.value for hit in hits.get("workup", ()))
            by_analyte = _analyte_workup()
            found.update(
                by_analyte[name]
                for hit in hits.get("analyte", ())
                if (name := hit.value.partition(":")[0]) in by_analyte
            )
        return frozenset(found)

    def modality(self, text: str) -> Modality | None:
        """The imaging modality that a title names, if any."""
        hit = self._first("modality", text)
        return cast(Modality, hit.value) if hit else None

    def of_another_organ(self, text: str) -> bool:
        """Whether the words of a specimen name an organ, and neither skin nor soft tissue."""
        return self._first("organ", text) is not None and self._first("tissue", text) is None

    def _words(self, text: str) -> Words:
        text = text[:MAX_CHARACTERS]
        return self._cut(plain(without_own_words(text) if BEGIN in text else text))

    def _cut(self, text: str) -> Words:
        """The words of a text, those that a line break parts at a hyphen as one."""
        if not broken(text):
            return cut(text)
        text = unicodedata.normalize("NFC", text)
        return cut(text, undone(text, self._vocabularies.values()))

    def unbroken(self, text: str, names: Places) -> str:
        """A text whose words no line break parts at a hyphen. `names`: where names stand that the engine does not
        know."""
        if not broken(text):
            return text
        text = unicodedata.normalize("NFC", text)
        return without(text, undone(text, self._vocabularies.values(), names))

    def _first(self, category: str, text: str) -> Hit | None:
        words = self._words(text)
        for code in self._candidates(words, None):
            for hit in self._vocabularies[code].find(words).get(category, ()):
                return hit
        return None

    def _candidates(self, words: Words, language: str | None) -> list[str]:
        """The languages to read in, likeliest first: one when it is sure, else English and the best other."""
        given = (language or "").replace("_", "-").partition("-")[0].lower()
        scores = {code: vocab.score(words) for code, vocab in self._vocabularies.items()}
        order = sorted(self._vocabularies, key=lambda code: (-scores[code], code != given, LANGUAGES.index(code)))
        first, second = order[0], order[1]
        if scores[first] - scores[second] >= _SURE:
            return [first]
        if given in self._vocabularies and scores[given] >= scores[first]:
            return [given, *(["en"] if given != "en" else [])]
        if scores[first] == 0:
            return list(self._vocabularies)
        tied = [code for code in order if 0 < scores[code] >= scores[first] - 1]
        return list(dict.fromkeys([*tied, *([given] if given in self._vocabularies else []), "en"]))

    def _read(
        self,
        document: Document,
        kind: Kind,
        asked: Sequence[tuple[int, int]] = (),
        known: Sequence[tuple[int, int]] = (),
    ) -> TextReading:
        """`asked`: the words that tell why a report was asked for, in whatever language they were understood.
        `known`: where a likelier language knows the words, so that they puzzle nobody."""
        code = document.vocab.language
        if not document.sentences:
            return TextReading(code)
        images, biopsies, excluded = _reports(document, kind, asked)
        lesions: tuple[LesionMention, ...] = ()
        understood = True
        if kind in _DESCRIBING or excluded is not None:
            reader = LesionReader(document, excluded or [])
            if kind in _DESCRIBING or kind in _REPORTS:
                lesions = reader.read()
                spans = [document.span(hit.first, hit.last) for hit in reader.orphans]
                understood = all(overlaps(known, start, end) for start, end in spans)
        if any(m.finding == "not-understood" for m in images):
            understood = False
        return TextReading(
            code,
            lesions=lesions,
            concepts=concepts(document),
            labs=labs(document) if kind not in ("medication", "allergy") else (),
            imaging=images,
            biopsies=biopsies,
            tolerances=tolerances(document),
            understood=understood,
        )


Reports = tuple[tuple[ImagingMention, ...], tuple[BiopsyMention, ...], list[tuple[int, int]]]


def _reports(document: Document, kind: Kind, asked: Sequence[tuple[int, int]]) -> Reports:
    """The reports within a text and the words they take: a lesion there is the report's, not the examiner's."""
    whole = document.sentences
    if kind in _REPORTS:
        body = [s for s in whole if not any(first < s.last and s.first < last for first, last in asked)]
        taken = [(s.first, s.last) for s in body]
        if not body:
            return (), (), taken
        if kind == "imaging":
            found = imaging.report(document, body)
            return ((found,) if found else ()), (), taken
        histology = pathology.report(document, body)
        return (), ((histology,) if histology else ()), taken
    if kind in ("medication", "allergy", "procedure"):
        return (), (), []
    images: list[ImagingMention] = []
    biopsies: list[BiopsyMention] = []
    taken = []
    for category in ("modality", "specimen"):
        for cluster in clusters(document, category) if document.hits.get(category) else ():
            if category == "modality":
                image = imaging.report(document, cluster)
                images.extend([_of_lesion_before(document, cluster[0], image)] if image else [])
            else:
                biopsy = pathology.report(document, cluster)
                biopsies.extend([biopsy] if biopsy else [])
                if biopsy is None:
                    continue
            taken.append((cluster[0].first, cluster[-1].last))
    return tuple(images), tuple(biopsies), taken


def _of_lesion_before(document: Document, report: Sentence, image: ImagingMention) -> ImagingMention:
    """ "Firm nodules over both olecranons, X-ray without calcification": the image of the place named before it."""
    if image.sites:
        return image
    return replace(image, sites=sites(document, document.sentence_of(report.first).first, report.first))


def _clinical(document: Document) -> list[Sentence]:
    """Why a report was asked for: from "Clinical information" to the end of that line."""
    out: list[Sentence] = []
    inside = False
    for sentence in document.sentences:
        named = any(hit.first == sentence.first for hit in document.within("indication", sentence))
        heading = ":" in document.words.words[sentence.first : sentence.first + _HEADING]
        inside = named or (inside and not heading and not document.begins_line(sentence))
        if inside:
            out.append(sentence)
    return out


@cache
def _analyte_workup() -> dict[str, str]:
    source = resources.files("mappings") / "codes" / "tables" / "analyte_workup.csv"
    rows = csv.DictReader(source.read_text(encoding="utf-8").splitlines())
    return {row["analyte"]: row["workup"] for row in rows}
