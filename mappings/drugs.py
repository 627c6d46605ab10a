"""Drugs: which ingredients and interaction classes a code or a drug name stands for.

Data: `mappings/data/drugs.yaml` (names, classes), `drug_brands.csv` (brands of several countries, combinations too) and
`drug_codes.csv` (RxNorm, ATC, SNOMED CT rows with their provenance), read by `drugdata.py`. ATC codes that name a class
count for the class though no ingredient is known.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_

from msgspec import Struct

from mappings import systems
from mappings.codetypes import TYPES, Atc
from mappings.drugdata import DrugClass, DrugData, read_drug_codes, read_drugs
from mappings.misspelt import Misspelt

_WORD = re.compile(r"[a-z0-9]+")


class DrugIds(Struct, frozen=True):
    """Ingredient ids ("diltiazem") and class ids ("beta-blocker"); a class word alone has no ingredient."""

    drugs: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()

    def __or__(self, other: DrugIds) -> DrugIds:
        return DrugIds(self.drugs | other.drugs, self.classes | other.classes)

    def __bool__(self) -> bool:
        return bool(self.drugs or self.classes)


class NameHit(Struct, frozen=True):
    """A drug or class named in a text; `start` and `end` count in the NFC form of the text."""

    start: int
    end: int
    ids: DrugIds


class Drugs:
    """The drug dictionary. Methods never raise."""

    def __init__(
        self,
        data: DrugData,
        codes: Mapping[tuple[str, str], frozenset[str]],
        code_classes: Mapping[tuple[str, str], frozenset[str]] | None = None,
    ) -> None:
        self.names = data.names
        self.classes = data.classes
        self._units, self._local_by = data.units, data.local_by
        self._above = {name: _closure(name, data.classes) for name in data.classes}
        same: dict[frozenset[str], frozenset[str]] = {}  # thousands of names and codes stand for the same few drugs
        self._member_of = {drug: _once(self._all(listed), same) for drug, listed in data.member_of.items()}
        self._by_atc = _by_prefix(data.classes)
        self._codes = {key: _once(drugs, same) for key, drugs in codes.items()}
        self._code_classes = code_classes or {}
        self._lexicon = _lexicon(data, self, same)
        self._misspelt = Misspelt(map(plain, data.ingredients), map(plain, data.not_misspelt))
        salts = sorted({plain(s) for s in data.joined_salts}, key=len, reverse=True)
        self._joined = re.compile(rf"(?P<name>[a-z]{{5,}}?)(?:{'|'.join(salts)})") if salts else None

    def __contains__(self, drug: str) -> bool:
        return drug in self.names

    def ids(self, *drugs: str) -> DrugIds:
        """The ingredients with every class that they belong to."""
        return DrugIds(frozenset(drugs), frozenset(c for d in drugs for c in self._member_of.get(d, ())))

    def class_ids(self, *classes: str) -> DrugIds:
        """The classes with those that they imply, without an ingredient."""
        return DrugIds(classes=self._all(classes))

    def dose_unit(self, drug: str) -> str:
        """The UCUM unit in which daily doses of the drug are counted."""
        return self._units.get(drug, "mg")

    def by_code(self, system: str | None, code: str | None) -> DrugIds | None:
        """What a drug code stands for: RxNorm, SNOMED CT or ATC (an ATC group gives its class); None when unknown."""
        if not isinstance(code, str):
            return None
        uri = systems.canonical(system) or ""
        kind = TYPES.get(uri)
        key = (uri, kind.normalise(code) if kind else code.strip())
        drugs = self._codes.get(key)
        found = self.ids(*drugs) if drugs else DrugIds()
        if extra := self._code_classes.get(key):
            found |= self.class_ids(*extra)
        if uri == systems.ATC:
            found |= self.class_ids(*(c for level in Atc.levels(key[1]) for c in self._by_atc.get(level, ())))
        return found or None

    def by_name(self, text: str | None) -> tuple[DrugIds, ...]:
        """Every drug or class named in a text such as "Diltiazem ER 120 mg"; case and diacritics do not matter."""
        return tuple(dict.fromkeys(hit.ids for hit in self.find(text)))

    def named(self, text: str | None) -> DrugIds:
        """All that `by_name` finds, together."""
        return reduce(or_, self.by_name(text), DrugIds())

    def find(self, text: str | None) -> tuple[NameHit, ...]:
        """`by_name` with the place of each name; the longest name wins, names do not overlap."""
        if not isinstance(text, str) or not text:
            return ()
        words = [(m.group(), m.start(), m.end()) for m in _WORD.finditer(_fold_in_place(text))]
        hits: list[NameHit] = []
        index = 0
        while index < len(words):
            length, ids = self._at(words, index)
            if ids:
                hits.append(NameHit(words[index][1], words[index + max(length, 1) - 1][2], ids))
            index += max(length, 1)
        return tuple(hits)

    def places(self, text: str) -> list[tuple[int, int]]:
        """Where the names stand that `find` finds."""
        return [(hit.start, hit.end) for hit in self.find(text)]

    def for_route(self, ids: DrugIds, route: str | None) -> DrugIds:
        """The same without drugs and classes that do not count by this route (a retinoid cream is no oral retinoid)."""
        if route is None:
            return ids
        drugs = frozenset(d for d in ids.drugs if route not in self._local_by.get(d, ()))
        return DrugIds(drugs, frozenset(c for c in ids.classes if route not in self.classes[c].not_by))

    def _at(self, words: list[tuple[str, int, int]], index: int) -> tuple[int, DrugIds | None]:
        word = words[index][0]
        for name, ids in self._lexicon.get(word, ()):
            size = len(name)
            if size == 1 or tuple(w for w, _, _ in words[index : index + size]) == name:
                return size, ids
        if self._joined and (match := self._joined.fullmatch(word)):
            for name, ids in self._lexicon.get(match["name"], ()):
                if len(name) == 1:
                    return 1, ids
        return 0, self._guessed(word)

    def _guessed(self, word: str) -> DrugIds | None:
        """The ingredient that the word misspells, if it is the only one."""
        meant = {ids for name in self._misspelt.names_of(word) for _, ids in self._lexicon.get(name, ()) if ids}
        return meant.pop() if len(meant) == 1 else None

    def _all(self, classes: Iterable[str]) -> frozenset[str]:
        return frozenset(a for c in classes for a in self._above.get(c, (c,)))


def load_drugs(
    extra_drugs: Mapping[tuple[str, str], frozenset[str]] | None = None,
    extra_classes: Mapping[tuple[str, str], frozenset[str]] | None = None,
) -> Drugs:
    """The dictionary from our data files, with a hospital's own codes beside ours. CodelistError on a data error."""
    codes = dict(read_drug_codes())
    for key, drugs in (extra_drugs or {}).items():
        codes[key] = codes.get(key, frozenset()) | drugs
    return Drugs(read_drugs(), codes, extra_classes)


def drug_names() -> Mapping[str, tuple[str, ...]]:
    """Every name and brand of each ingredient. CodelistError on a data error."""
    return read_drugs().names


def _once(names: frozenset[str], same: dict[frozenset[str], frozenset[str]]) -> frozenset[str]:
    """The one of these names that is kept; `same`: what is kept so far."""
    return same.setdefault(names, names)


def _closure(name: str, classes: Mapping[str, DrugClass]) -> frozenset[str]:
    found, todo = {name}, list(classes[name].implies)
    while todo:
        above = todo.pop()
        if above not in found:
            found.add(above)
            todo.extend(classes[above].implies)
    return frozenset(found)


def _by_prefix(classes: Mapping[str, DrugClass]) -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for entry in classes.values():
        for code in entry.atc:
            table[code] = (*table.get(code, ()), entry.id)
    return table


def _lexicon(
    data: DrugData, drugs: Drugs, sets: dict[frozenset[str], frozenset[str]]
) -> dict[str, tuple[tuple[tuple[str, ...], DrugIds | None], ...]]:
    """First word → names that start with it, longest first, each with what it stands for (None: nothing here)."""
    table: dict[str, dict[tuple[str, ...], DrugIds | None]] = {}
    same: dict[DrugIds | None, DrugIds | None] = {None: None}

    def put(name: str, ids: DrugIds | None) -> None:
        words = tuple(_WORD.findall(plain(name)))
        if ids is not None and ids not in same:
            same[ids] = DrugIds(_once(ids.drugs, sets), _once(ids.classes, sets))
        table.setdefault(words[0], {})[words] = same[ids]

    for brand, contents in data.brands.items():
        put(brand, drugs.ids(*contents))
    for drug, spellings in data.names.items():
        for name in spellings:
            put(name, drugs.ids(drug))
    for entry in data.classes.values():
        for name in entry.names:
            put(name, drugs.class_ids(entry.id))
    for phrase in data.not_a_drug:
        put(phrase, None)
    return {first: tuple(sorted(entries.items(), key=lambda item: -len(item[0]))) for first, entries in table.items()}


def plain(text: str) -> str:
    """Lower case without diacritics, as names of drugs are compared."""
    return _fold_in_place(text)


def _fold_in_place(text: str) -> str:
    """Lower case without diacritics, character by character, so that places in the NFC text stay the same."""
    text = unicodedata.normalize("NFC", text)
    if text.isascii():
        return text.lower()
    return text.translate(_PLAIN)


class _Plain(dict[int, int]):
    """Maps a character to one plain lower-case character; filled as characters are met (at most one plane)."""

    def __missing__(self, point: int) -> int:
        if point > 0x24F:  # beyond Latin Extended-B: nothing of ours
            return 0x20 if chr(point).isalnum() else point
        char = unicodedata.normalize("NFKD", chr(point).lower())[:1]
        plain = ord({"ß": "s", "œ": "o", "æ": "a", "ø": "o", "ı": "i"}.get(char, char or " "))
        self[point] = plain
        return plain


_PLAIN = _Plain()
