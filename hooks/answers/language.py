"""The language of a question, English or Spanish: by its small words, which nobody leaves out for long."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hooks.answers.words import plain
from hooks.knowledge.answers_schema import Tongue

_WORD = re.compile(r"[^\W\d_]+")
_SPANISH_SIGN = re.compile(r"[¿¡ñÑ]")
_LONGEST = 2000


def language_of(question: str, marks: Mapping[Tongue, frozenset[str]], told: str | None) -> Tongue:
    """What was told where it is Spanish, else what the words say; English when they say nothing."""
    if (told or "").lower().startswith("es") or _SPANISH_SIGN.search(question[:_LONGEST]):
        return "es"
    words = _WORD.findall(plain(question[:_LONGEST]))
    english, spanish = (sum(word in small for word in words) for small in (marks["en"], marks["es"]))
    return "es" if spanish > english else "en"
