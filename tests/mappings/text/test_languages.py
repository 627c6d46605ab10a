"""The language files: one schema, real ids, and errors that name file and key."""

from __future__ import annotations

import csv
from importlib import resources
from typing import Any

import pytest
import yaml

from mappings.codelists import load_terminology
from mappings.text import schema
from mappings.text.common import load_common
from mappings.text.engine import LANGUAGES
from mappings.text.schema import LanguageError, load_context, load_lexicon, load_places
from mappings.text.vocabulary import expand, vocabulary

MIMICS = {
    "rheumatoid-nodule", "gouty-tophus", "panniculitis", "cutaneous-lymphoma", "atypical-infection", "metastasis",
    "xanthoma", "pilomatricoma", "osteoma-cutis", "erythema-nodosum", "sarcoidosis", "cyst-or-lipoma",
    "idiopathic-scrotal", "vascular-calcification", "multicentric-reticulohistiocytosis",
}  # fmt: skip


def _column(file: str, name: str) -> set[str]:
    source = resources.files("mappings") / "codes" / "tables" / file
    return {row[name] for row in csv.DictReader(source.read_text(encoding="utf-8").splitlines())}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_both_files_in_the_same_schema(language: str) -> None:
    lexicon, context = load_lexicon(language), load_context(language)
    assert lexicon.language == context.language == language
    english = load_lexicon("en")
    assert set(lexicon.hardness) >= {"definite", "possible", "against"}
    assert set(lexicon.attributes) >= set(english.attributes) - {"chalk_complete"}
    assert {rule.status for rule in context.rules if rule.kind == "trigger"} == {
        "negated", "possible", "hypothetical", "family", "other-person", "historical",
    }  # fmt: skip
    assert {rule.kind for rule in context.rules} == {"trigger", "terminate", "pseudo", "companion"}
    assert vocabulary(language).root


@pytest.mark.parametrize("language", LANGUAGES)
def test_equal_branches_of_the_words_are_kept_once(language: str) -> None:
    """An entry of some bracketed alternatives has thousands of spellings; each node apart took ten times the memory."""
    nodes: dict[int, dict[str, Any]] = {}
    left = [vocabulary(language).root]
    while left:
        node = left.pop()
        if id(node) not in nodes:
            nodes[id(node)] = node
            left += (below for word, below in node.items() if word)
    branches = {frozenset((word, id(below)) for word, below in node.items()) for node in nodes.values()}
    assert len(branches) == len(nodes) > 1000


@pytest.mark.parametrize("language", LANGUAGES)
def test_ids_are_those_of_the_rest(language: str) -> None:
    lexicon, places = load_lexicon(language), load_places()
    assert set(lexicon.places) <= set(places.regions)
    assert set(lexicon.mimics) | set(lexicon.pathology.other) <= MIMICS
    analytes = _column("analytes.csv", "analyte")
    named = {name.partition(":")[0] for name in {*lexicon.analytes, *load_common().analytes}}
    assert named <= analytes
    assert set(lexicon.workup) <= _column("workup.csv", "workup") | {"wound-culture"}


def _concepts(language: str) -> set[str]:
    lexicon = load_lexicon(language)
    guarded = [name for g in lexicon.guarded for name in (g.concept, g.otherwise) if name]
    return {concept for key in [*lexicon.concepts, *load_common().concepts, *guarded] for concept in key.split("+")}


NOT_IN_EVERY_LANGUAGE: dict[str, set[str]] = {"es": set(), "pt": set(), "fr": set(), "de": set()}
"""concepts that English names and a language does not, each with its reason beside it: none at present"""


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_every_language_names_what_english_names(language: str) -> None:
    lexicon, english = load_lexicon(language), load_lexicon("en")
    assert _concepts("en") - _concepts(language) == NOT_IN_EVERY_LANGUAGE[language]
    assert set(english.absent) <= set(lexicon.absent)
    assert set(english.mimics) <= set(lexicon.mimics)
    assert set(english.named_lesions) <= set(lexicon.named_lesions)
    assert set(english.places) <= set(lexicon.places)
    assert set(english.workup) <= set(lexicon.workup)
    assert set(english.pathology.other) <= set(lexicon.pathology.other)
    assert set(english.imaging.modality) <= set(lexicon.imaging.modality)
    named = {*lexicon.analytes, *load_common().analytes}
    assert set(english.analytes) <= named


@pytest.mark.parametrize("language", LANGUAGES)
def test_concepts_are_known_to_the_code_lists(language: str) -> None:
    lists = {entry.name.removesuffix(".csv") for entry in (resources.files("mappings") / "codes").iterdir()}
    known = lists | _column("concepts.csv", "concept") | _column("implies.csv", "implies")
    lexicon = load_lexicon(language)
    keys = [*lexicon.concepts, *lexicon.absent, *load_common().concepts, *(g.concept for g in lexicon.guarded)]
    concepts = {concept for key in keys for concept in key.split("+")}
    assert concepts - known <= {"mimic.nsf"}


def test_places_use_the_regions_of_the_site_codes() -> None:
    regions = set(load_places().regions.values())
    assert _column("sites.csv", "region") <= regions
    assert set(load_places().joints) <= set(load_places().regions)
    terminology = load_terminology()
    assert terminology is not None


def test_a_wrong_file_names_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: dict[str, object] = {"regions": {}, "within": {}, "joints": [], "organs": [], "surprise": 1}
    monkeypatch.setattr(yaml, "load", lambda *_, **__: wrong)
    with pytest.raises(LanguageError, match=r"places\.yaml: surprise"):
        schema.load("places.yaml", schema.Places)


def test_alternatives_are_written_out() -> None:
    assert expand("nodule(s|)") == ["nodules", "nodule"]
    assert expand("(a|b (c|)) d") == ["a d", "b c d", "b d"]
    assert expand("Knötchen") == ["Knötchen", "Knoetchen"]
    assert expand("\\(l\\)") == ["(l)"]
    with pytest.raises(LanguageError):
        expand("nodule(s|")
    with pytest.raises(LanguageError):
        expand("nodule)s")
