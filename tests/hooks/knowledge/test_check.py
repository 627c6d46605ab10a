"""Each check of `check-knowledge`, shown by breaking a copy of the data: file and key are named, nothing else is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cds_service.cli import main
from cds_service.knowledge_check import problems as all_problems
from hooks.knowledge import load_knowledge
from hooks.knowledge.base import FOLDER
from hooks.knowledge.check import problems


@pytest.fixture
def copy(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the knowledge with some texts replaced."""

    def make(*breaks: dict[str, str]) -> Path:
        folder = tmp_path / "knowledge"
        shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "check"))
        for broken in breaks:
            file, old, new = broken["file"], broken["instead of"], broken["put"]
            text = (folder / file).read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{file}: {old!r} stands {text.count(old)} times"
            (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        return folder

    return make


def named(folder: Path) -> list[tuple[str, str, str]]:
    return [(problem.file, problem.key, problem.message) for problem in problems(folder)]


def test_our_own_knowledge_has_no_problem() -> None:
    assert list(all_problems()) == []


BREAKS = yaml.safe_load((Path(__file__).parent / "breaks.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("broken", BREAKS["schema"], ids=lambda broken: f"{broken['file']} {broken['key']}")
def test_a_file_that_does_not_fit_its_schema_is_named(copy: Callable[..., Path], broken: dict[str, str]) -> None:
    ((file, key, message),) = named(copy(broken))
    assert file == broken["file"]
    assert key.startswith(broken["key"])
    assert broken["says"] in message


_SECOND = {
    # a name that was changed is missed where it belongs and unknown where it stands
    ("red_flags.yaml", "flags.nerve-compression.text"),
    ("messages.yaml", "messages.newness.N2.text"),
    ("cards.yaml", "flags.breast-lump"),
    ("orderables.yaml", "workup.urate"),
}


def test_every_name_that_leads_nowhere_and_every_contradiction_is_named_at_once(copy: Callable[..., Path]) -> None:
    breaks = BREAKS["references"]
    found = named(copy(*breaks))
    for broken in breaks:
        where = (broken["file"], broken["key"])
        assert any((file, key) == where and broken["says"] in message for file, key, message in found), where
    expected = {(broken["file"], broken["key"]) for broken in breaks} | _SECOND
    assert {(file, key) for file, key, _ in found} - expected == set()


def test_an_unconfirmed_drug_class_cannot_lift_a_rule(copy: Callable[..., Path]) -> None:
    folder = copy(
        {
            "file": "safety/diltiazem.yaml",
            "instead of": "- not: {dx: [trigger.ventricular_pacemaker]}",
            "put": "- not: {drug: [thiazide]}",
        },
        {
            "file": "therapies.yaml",
            "instead of": "{not: {is: withdrawn-grade}}, {extent: [localized]}, {lesion: {attributes: [ulcerated",
            "put": "{not: {not: {drug: [thiazide]}}}, {extent: [localized]}, {lesion: {attributes: [ulcerated",
        },
    )
    assert [(file, key) for file, key, _ in named(folder)] == [
        ("safety/diltiazem.yaml", "rules.D1.1.when"),
        ("therapies.yaml", "therapies.eswl.fits"),
    ]


def test_several_files_that_do_not_load_are_all_named(copy: Callable[..., Path]) -> None:
    folder = copy(
        {"file": "criteria.yaml", "instead of": "new_months: 6", "put": "new_months: six"},
        {"file": "workup.yaml", "instead of": "open_order_days: 365", "put": "open_order_days: x"},
    )
    (folder / "mimics.yaml").unlink()
    assert [file for file, _, _ in named(folder)] == ["criteria.yaml", "mimics.yaml", "workup.yaml"]


def test_every_message_is_said_somewhere() -> None:
    """A sentence that nothing says is left over; keys that are put together are compared by their beginning."""
    root = FOLDER.parents[1]
    code = "".join(
        p.read_text(encoding="utf-8") for name in ("hooks", "cds_service") for p in (root / name).rglob("*.py")
    )
    built = set(re.findall(r'f"([a-z0-9]+(?:\.[a-z-]+)*)[.-]\{', code))
    whole = set(re.findall(r'"([a-z0-9]+(?:\.[A-Za-z0-9-]+)+)"', code))
    left = [k for k in load_knowledge().messages.messages if k not in whole and not any(k.startswith(b) for b in built)]
    assert left == []


def test_the_command_prints_one_line_each_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-knowledge"]) == 0
    assert "consistent" in capsys.readouterr().out
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("codes: [{system: nowhere, code: x}]", encoding="utf-8")
    assert main(["check-knowledge", "--overlay", str(overlay)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d+ problem\(s\)", lines[-1])
    assert str(overlay.name) in lines[0]
