"""`cds-service check-knowledge`: every file loads, and everything that is cited or named exists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cds_service.errors import SettingsError
from cds_service.overlay import read_overlay
from hooks.answers.citations import problems as citation_problems
from hooks.answers.entries import answerables
from hooks.dialects import load_dialects
from hooks.knowledge import load_knowledge
from hooks.knowledge.answers_schema import load_answers
from hooks.knowledge.base import FOLDER, KnowledgeError
from hooks.knowledge.check import problems as knowledge_problems
from mappings.codelists import load_terminology
from mappings.codetypes import CodelistError
from mappings.data_schema import TABLES, DataError, read_table
from mappings.text.engine import TextEngine
from mappings.text.notation import load_notation
from mappings.text.schema import LanguageError


def problems(overlay: Path | None = None, folder: Path = FOLDER) -> Iterator[str]:
    """One line for each thing that is wrong: file, key, what. Nothing when all is well."""
    terminology = None
    try:
        terminology = load_terminology(read_overlay(overlay))
    except (CodelistError, SettingsError) as error:
        yield str(error)
    try:
        load_dialects()
        TextEngine.load()
        load_notation()
        for table in TABLES.values():
            read_table(table)
        yield from map(str, knowledge_problems(folder, terminology))
        yield from _answers()
    except (KnowledgeError, CodelistError, DataError, LanguageError) as error:
        yield str(error)


def _answers() -> Iterator[str]:
    """Every sentence has a citation that resolves; in a curated one the cited claims also state its numbers."""
    data, knowledge = load_answers(), load_knowledge()
    curated = {sentence for entry in data.entries for sentence in entry.answer}
    for entry in answerables(data, knowledge):
        for sentence in entry.sentences:
            for problem in citation_problems(sentence, knowledge.evidence, numbers_too=sentence in curated):
                yield f"answers: {entry.id}: {problem}"
