"""A reader that remembers what said nothing reads exactly what a reader without memory reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.sandbox.cases import published_cases
from mappings.facts import PatientFacts
from mappings.raw import RawChart
from mappings.reader import ChartReader
from mappings.reader.silence import Silence
from mappings.reader.titles import Titles
from mappings.text.engine import TextEngine
from mappings.text.reading import TextReading
from tests.charts import TODAY, chart
from tests.mutants import mutated
from tests.public_data import BUNDLE_SETS, FILE_SETS, charts
from tests.readers import brain_reader, forgetful

READ = frozenset(
    {"Patient", "Condition", "Observation", "DiagnosticReport", "MedicationRequest", "AllergyIntolerance", "Procedure"}
)


def same(remembering: ChartReader, slow: ChartReader, patient: str, resources: list[Any]) -> PatientFacts:
    raw = RawChart(patient, tuple(resources))
    first, second, slowly = remembering.read(raw), remembering.read(raw), slow.read(raw)
    assert first == slowly
    assert second == slowly
    return slowly


def some_charts(name: str, most: int, longest: int) -> Iterator[tuple[str, list[Any]]]:
    for _, found in zip(range(most), charts(name), strict=False):
        yield found.patient_id, [r for r in found.resources if r.get("resourceType") in READ][:longest]


@pytest.mark.parametrize("name", ["synthea-smart", "synthea-lupus", "vendor-captures", "stu3-smart"])
def test_public_charts_and_mutants_read_the_same(name: str) -> None:
    remembering, slow = brain_reader(), forgetful()
    for seed, (patient, resources) in enumerate(some_charts(name, 2, 120)):
        same(remembering, slow, patient, resources)
        same(remembering, slow, patient, mutated(resources, seed))


@pytest.mark.long
@pytest.mark.parametrize("name", [*BUNDLE_SETS, *FILE_SETS])
def test_every_public_chart_and_mutants_of_it_read_the_same(name: str) -> None:
    remembering, slow = brain_reader(), forgetful()
    for seed, (patient, resources) in enumerate(some_charts(name, 1000, 100_000)):
        same(remembering, slow, patient, resources)
        for turn in range(3):
            same(remembering, slow, patient, mutated(resources, seed * 10 + turn))


def test_published_cases_read_the_same() -> None:
    remembering, slow = brain_reader(), forgetful()
    for stage in published_cases():
        facts = same(remembering, slow, stage.id, list(stage.build(TODAY).resources))
        assert facts.findings


def test_another_number_beside_words_of_ours_is_read() -> None:
    """What one number did not say, another may."""
    reader = brain_reader()
    table = "Patient | female | 49y\nObservation | Nodule count, left elbow, hard | {} | -10d | category=exam"
    said = [reader.read(chart(table.format(number)).raw()).lesions for number in (0, 0, 3)]
    slow = forgetful()
    assert said == [slow.read(chart(table.format(number)).raw()).lesions for number in (0, 0, 3)]


def test_memory_is_bounded_and_holds_no_text() -> None:
    silence = Silence(most=100)
    for number in range(1000):
        silence.add(silence.of_text(b"read", f"Doris Day, text {number}"))
    assert len(silence) <= 100
    assert {len(digest) for digest in silence._known} == {16}
    other = Silence()
    assert silence.of_text(b"read", "a") != other.of_text(b"read", "a"), "the key is of this process"


def test_titles_are_kept_without_their_words() -> None:
    """A title that names a disease is remembered in our own ids; what says more, or is long, is not."""
    engine, titles = TextEngine.load(), Titles(most=100)
    for number, title in enumerate(("Dermatomyositis", "Systemic sclerosis, no diabetes", "family history of SLE")):
        reading, digest = engine.read(title, kind="condition"), b"%016d" % number
        titles.keep_reading(digest, title, reading)
        assert titles.reading(digest, title) == reading != TextReading("en")
        assert title not in repr(titles.readings._known)
    for title in ("Hard nodule, left elbow", "SLE since 2019", "Calcium 2.3 mmol/L", "Dermatomyositis " * 6):
        titles.keep_reading(b"another", title, engine.read(title, kind="condition"))
    assert titles.reading(b"another", "Hard nodule, left elbow") is None
    for number in range(1000):
        titles.keep_reading(b"%016d" % number, "SLE", engine.read("SLE", kind="condition"))
    assert len(titles.readings) <= 100
