"""Synthetic populations: the same bytes for a seed, marked as test data, told the truth of by their story alone."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import main
from cds_service.pipeline import Brain
from cds_service.screening.decide import decide
from cds_service.screening.keys import patient_key
from cds_service.screening.needs import completeness_of
from cds_service.screening.synthetic.score import Known, score
from cds_service.screening.synthetic.stories import book, stories, tell
from cds_service.screening.synthetic.write import Asked, story_resources, synthesize
from tests.charts import TODAY

_TYPES = ("Patient", "Condition", "Observation", "DiagnosticReport", "MedicationRequest", "AllergyIntolerance",
          "Procedure", "ServiceRequest")  # fmt: skip
SECRET = b"a key that is only for these tests"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three of the packaged Synthea patients: reading all of them takes a second each time."""
    packed = resources.files("cds_service.sandbox").joinpath("data", "background.ndjson.gz").read_bytes()
    lines = gzip.decompress(packed).splitlines(keepends=True)
    path = tmp_path_factory.mktemp("base") / "base.ndjson"
    path.write_bytes(b"".join(sorted(lines, key=len)[:4]))
    return path


def _made(base: Path, folder: Path, patients: int = 40, seed: str = "7") -> dict[str, bytes]:
    synthesize(Asked(folder, patients, seed, TODAY, ctd=0.4, others=0.3, observations=10, base=[base]))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(base: Path, tmp_path: Path) -> None:
    first = _made(base, tmp_path / "a")
    assert first == _made(base, tmp_path / "b")
    assert first != _made(base, tmp_path / "c", seed="8")


def test_a_longer_population_begins_with_the_shorter_one(base: Path, tmp_path: Path) -> None:
    short, long = _made(base, tmp_path / "a", 10), _made(base, tmp_path / "b", 30)
    assert short.keys() <= long.keys()
    assert all(long[name].startswith(content) for name, content in short.items())


def test_every_resource_is_marked_and_owned_and_nothing_of_the_base_is_left(base: Path, tmp_path: Path) -> None:
    made = _made(base, tmp_path / "a")
    truth = list(csv.DictReader(made.pop("truth.csv").decode().splitlines()))
    ids: Counter[str] = Counter()
    owners = set()
    for content in made.values():
        for line in content.splitlines():
            resource = json.loads(line)
            ids[resource["resourceType"] + resource["id"]] += 1
            assert resource["meta"]["security"][0]["code"] == "HTEST"
            if resource["resourceType"] == "Patient":
                assert resource["name"][0]["family"] == "SYNTHETIC"
                assert not {"identifier", "address", "telecom"} & resource.keys()
            else:
                owner = resource.get("subject") or resource["patient"]
                owners.add(owner["reference"].removeprefix("Patient/"))
                assert "encounter" not in resource
            assert b"urn:uuid" not in line
    assert set(ids.values()) == {1}
    assert owners <= {row["patient"] for row in truth}
    assert len(truth) == 40
    days = [json.loads(line).get("effectiveDateTime", "")[:10] for line in made["Observation.ndjson"].splitlines()]
    assert max(days) <= TODAY.isoformat()
    assert min(filter(None, days)) < f"{TODAY.year - 1}"


def test_shares_are_as_asked(base: Path, tmp_path: Path) -> None:
    counts = synthesize(Asked(tmp_path / "a", 1000, "1", TODAY, ctd=0.1, others=0.2, observations=1, base=[base]))
    of_group = {story.id: story.group for story in stories()}
    groups = Counter(of_group.get(name) for name in counts.elements() if name in of_group or name == "plain")
    assert groups[None] + groups["ctd"] + groups["other"] == 1000
    assert 70 <= groups["ctd"] <= 130
    assert 160 <= groups["other"] <= 240


def test_every_slot_of_a_story_is_known_and_every_alternative_is_a_row() -> None:
    known = book().numbers.keys() | book().words.keys()
    for story in stories():
        for seed in range(12):
            told = tell(story, random.Random(seed))
            assert all("{" not in row and not row.startswith("?") for row in told.rows)
            assert story_resources(told, "p", TODAY)
    assert len(known) == len(book().numbers) + len(book().words), "a name is used twice"
    assert {story.truth for story in stories()} == {"dystrophic", "other-calcification", "none"}


def _row(brain: Brain, name: str, seed: int) -> Any:
    story = next(story for story in stories() if story.id == name)
    lines = [json.dumps({"resourceType": "Patient", "id": "p", "birthDate": "1970-01-01"}).encode()]
    told = tell(story, random.Random(seed))
    from cds_service.sandbox.charts import to_json as chart_json

    lines.extend(chart_json(resource) for resource in story_resources(told, "p", TODAY))
    return decide("p", lines, as_of=TODAY, brain=brain, secret=SECRET, completeness=completeness_of(_TYPES))


@pytest.mark.parametrize("name", [story.id for story in stories()])
def test_in_plain_english_codes_each_story_is_assessed_as_it_says(
    brain: Brain, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the first alternative of every slot: then a story that contradicts the criteria is found. What the other
    alternatives cost is what `score` measures."""
    monkeypatch.setattr(random.Random, "choice", lambda self, options: options[0])
    story = next(story for story in stories() if story.id == name)
    row = _row(brain, name, 1)
    assert (row.card, row.grade in story.grades) == (story.card, True), row.grade


def _known(number: int, truth: str, card: bool, *grades: str) -> Known:
    return Known(f"p{number}", "story" if grades else "plain", truth, card, frozenset(grades or ("none",)))


def test_score_counts_what_was_missed_and_what_was_wrong(brain: Brain) -> None:
    row = _row(brain, "hard-nodules-picture", 1)
    import msgspec

    def told(number: int, grade: str, card: bool) -> Any:
        return msgspec.structs.replace(row, patient=patient_key(SECRET, f"p{number}"), grade=grade, card=card)

    truth = [
        _known(0, "dystrophic", True, "likely"),
        _known(1, "dystrophic", True, "likely"),
        _known(2, "none", False, "none"),
        _known(3, "other-calcification", True, "alternative"),
        _known(4, "none", False),
    ]
    rows = {r.patient: r for r in (told(0, "likely", True), told(2, "possible", True), told(3, "alternative", True))}
    found = score(truth, rows, SECRET)
    assert (found.sensitivity.of, found.sensitivity.out_of) == (1, 2)
    assert (found.precision.of, found.precision.out_of) == (1, 2)
    assert (found.cards.of, found.cards.out_of) == (3, 5)
    assert (found.grades.of, found.grades.out_of) == (2, 4)
    assert found.wrong == {"story": {"none/no card": 1, "possible/card": 1}}
    # Wilson, 1 of 2: 9.5 % to 90.5 %
    assert (found.sensitivity.low, found.sensitivity.high) == (0.0945, 0.9055)


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key"
    key.write_bytes(SECRET)
    out = tmp_path / "population"
    made = ["synthesize", str(out), "--patients", "5", "--ctd", "1", "--others", "0", "--as-of", TODAY.isoformat()]
    assert main(made) == 0
    assert "5 Patient" in capsys.readouterr().out
    assert main(made) == 1
    assert "is not empty" in capsys.readouterr().err
    assert main(["synthesize", str(tmp_path / "no"), "--ctd", "0.9", "--others", "0.2"]) == 1
    assert "shares of 1" in capsys.readouterr().err
    worklist = tmp_path / "w.ndjson"
    worklist.write_bytes(b"")
    assert main(["score", str(out / "truth.csv"), str(worklist), "--key-file", str(key)]) == 0
    assert "sensitivity: " in capsys.readouterr().out
    worklist.write_bytes(b'{"patient": 1}\n')
    assert main(["score", str(out / "truth.csv"), str(worklist), "--key-file", str(key)]) == 1
    assert "WORKLIST: is no NDJSON" in capsys.readouterr().err
    worklist.write_bytes(b"")
    assert main(["score", str(key), str(worklist), "--key-file", str(key)]) == 1
    assert "TRUTH: has other columns" in capsys.readouterr().err


def test_a_base_that_holds_nobody_fit_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = tmp_path / "base.ndjson"
    dead = {"resourceType": "Patient", "id": "x", "deceasedBoolean": True}
    base.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": dead}]}) + "\n")
    assert main(["synthesize", str(tmp_path / "out"), "--base", str(base)]) == 1
    assert "no living patient" in capsys.readouterr().err
    base.write_text("{")
    assert main(["synthesize", str(tmp_path / "out"), "--base", str(base)]) == 1
    assert "not Bundles" in capsys.readouterr().err
