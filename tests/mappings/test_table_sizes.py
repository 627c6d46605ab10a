"""What the tables hold for each thing that they know: lists may grow, what one of their lines costs may not."""

from __future__ import annotations

import pickle
import tracemalloc
from typing import Any

from mappings.codelists import load_terminology
from mappings.text.engine import LANGUAGES
from mappings.text.vocabulary import vocabulary

_OF_CODE, _OF_DRUG_NAME, _OF_NODE = 200, 400, 570
"""bytes of a code of a concept, of a drug's code or the first word of its names, of a branching of a language's tree"""


def held(tables: Any) -> int:
    """Bytes of tables read as at a start (`table_cache.py`)."""
    content = pickle.dumps(tables, pickle.HIGHEST_PROTOCOL)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        read = pickle.loads(content)  # noqa: S301 - our own
        return tracemalloc.get_traced_memory()[0] - before + (read is None)
    finally:
        tracemalloc.stop()


def nodes(tree: dict[str, Any], found: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    if id(tree) not in found:
        found[id(tree)] = tree
        for word, below in tree.items():
            if word:
                nodes(below, found)
    return found


def test_codes() -> None:
    tables = load_terminology()._tables
    assert held(tables) / len(tables.concepts) < _OF_CODE


def test_drugs() -> None:
    drugs = load_terminology().drugs
    assert held(drugs) / (len(drugs._codes) + len(drugs._lexicon)) < _OF_DRUG_NAME


def test_languages() -> None:
    made = [vocabulary(language) for language in LANGUAGES]
    number = sum(len(nodes(one.root, {})) for one in made)
    assert held(made) / number < _OF_NODE


def test_a_word_is_kept_once_whichever_language_it_is_of() -> None:
    words: dict[str, set[int]] = {}
    for language in LANGUAGES:
        for node in nodes(vocabulary(language).root, {}).values():
            for word in node:
                words.setdefault(word, set()).add(id(word))
    assert max(map(len, words.values())) == 1
