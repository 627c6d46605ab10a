"""A hospital's overlay: adds local codes, changes nothing of ours, and every error has its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mappings import systems
from mappings.codelists import CodelistError, OverlayError, OverlayText, load_terminology

HEAD = "overlay: 1\nsource: Example Hospital, reviewed 2026-02-01\ncodes:\n"
LAB = "urn:oid:1.2.3.4"


def load(body, head=HEAD):
    return load_terminology(OverlayText("example.yaml", head + body))


def entry(**values):
    return "  - " + yaml.safe_dump(values, default_flow_style=True, width=1000).strip() + "\n"


def problems(body, head=HEAD):
    with pytest.raises(OverlayError) as caught:
        load(body, head)
    assert caught.value.file == "example.yaml"
    assert isinstance(caught.value, CodelistError)
    return caught.value.problems


def test_no_overlay_is_the_shared_terminology():
    ours = load_terminology()
    assert load_terminology(OverlayText("example.yaml", "")) is ours
    assert load_terminology(OverlayText("example.yaml", "overlay: 1\nsource: x\n")) is ours
    assert load("") is ours


def test_local_codes_get_a_meaning():
    terminology = load(
        entry(system=LAB, code="CA", display="Calcium", analyte="calcium-total", property="moles", specimen="serum")
        + entry(
            system="https://hospital.example/dx",
            code="D-0815",
            display="Lupusnephritis",
            concepts=["ctd.lupus_nephritis"],
        )
        + entry(system="https://hospital.example/rx", code="9001", display="Diltiazem ret.", drugs=["diltiazem"])
        + entry(system="https://hospital.example/rx", code="9002", display="Betablocker", classes=["beta-blocker"])
        + entry(system="https://hospital.example/rad", code="771", display="Röntgen Hand", workup=["radiograph"])
        + entry(
            system="https://hospital.example/dx", code="NP", display="nicht schwanger", absent=["trigger.pregnancy"]
        )
        + entry(system="", code="KNOTEN", display="Knoten", concepts=["finding.nodule_skin"])
    )
    found = terminology.analyte("urn:oid:1.2.3.4", "CA")
    assert found is not None
    assert (found.analyte, found.property, found.specimen) == ("calcium-total", "moles", "serum")
    assert terminology.workup(LAB, "CA") == {"calcium"}
    assert terminology.concepts("https://hospital.example/dx/", "D-0815") >= {"ctd.sle", "ctd.lupus_nephritis"}
    assert terminology.drugs.by_code("https://hospital.example/rx", "9001").drugs == {"diltiazem"}
    assert terminology.drugs.by_code("https://hospital.example/rx", "9002").classes == {"beta-blocker"}
    assert terminology.workup("https://hospital.example/rad", "771") == {"radiograph"}
    assert terminology.absences("https://hospital.example/dx", "NP") == {"trigger.pregnancy"}
    assert terminology.concepts(None, "KNOTEN") == {"finding.nodule_skin"}
    assert systems.canonical("https://hospital.example/dx") in {system for system, _ in terminology.codes_of("ctd.sle")}


def test_ours_stay_as_they_are():
    before = load_terminology()
    after = load(entry(system=LAB, code="CA", display="Calcium", analyte="calcium-total", specimen="serum"))
    for row in before.rows:
        uri = row.key[0]
        assert after.concepts(uri, row.code) == before.concepts(uri, row.code)
        assert after.analyte(uri, row.code) == before.analyte(uri, row.code)
        assert after.workup(uri, row.code) == before.workup(uri, row.code)
    assert before.analyte(LAB, "CA") is None


def test_a_further_code_of_a_standard_system_may_be_added():
    terminology = load(
        entry(system="http://loinc.org", code="17862-4", display="x", analyte="lipids", specimen="serum")
    )
    assert terminology.analyte("http://loinc.org", "17862-4").analyte == "lipids"
    assert "17862-4" in terminology.loinc_for(["lipids"])


def test_every_problem_is_reported_with_its_line():
    body = (
        entry(system="http://loinc.org", code="2000-9", display="x", analyte="calcium-total", specimen="serum")  # 4
        + entry(system="http://loinc.org", code="2000-8", display="x", analyte="phosphate", specimen="serum")  # 5
        + entry(system=LAB, code="a", display="x", concepts=["ctd.nothing"])  # 6
        + entry(system=LAB, code="b", display="x")  # 7
        + entry(system=LAB, code="c", concepts=["ctd.sle"])  # 8
        + entry(code="d", display="x", concepts=["ctd.sle"])  # 9
        + entry(system=LAB, code="e", display="x", analyte="calcium-total")  # 10
        + entry(system=LAB, code="f", display="x", concepts="ctd.sle")  # 11
        + entry(system=LAB, code="g", display="x", concepts=["ctd.sle"], colour="red")  # 12
        + "  - [not, a, mapping]\n"  # 13
        + entry(system=LAB, code="h", display="x", concepts=["ctd.sle"])  # 14
        + entry(system=LAB, code="h", display="x", concepts=["ctd.sle"])  # 15
        + entry(system=LAB, code="i", display="x", drugs=["snake-oil"])  # 16
        + entry(system=LAB, code="j", display="x", analyte="crp", specimen="serum", antibody="anti-mda5")  # 17
    )
    found = dict(problems(body))
    assert sorted(found) == [*range(4, 14), 15, 16, 17]
    for line, words in {
        4: "check digit", 5: "listed as calcium", 6: "'ctd.nothing'", 7: "says nothing", 8: "display is missing",
        9: "system is missing", 10: "specimen", 11: "must be a list", 12: "'colour'", 13: "must be a mapping",
        15: "line 14", 16: "'snake-oil'", 17: "antibody",
    }.items():  # fmt: skip
        assert words in found[line]


def test_the_error_text_names_file_and_every_line():
    with pytest.raises(CodelistError) as caught:
        load(
            entry(system=LAB, code="a", display="x", concepts=["no.1"])
            + entry(system=LAB, code="b", display="x", workup=["no2"])
        )
    text = str(caught.value)
    assert "example.yaml: line 4: " in text
    assert "example.yaml: line 5: " in text


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("overlay: 2\nsource: x\n", 1, "overlay: 1"),
        ("source: x\n", 1, "overlay: 1"),
        ("overlay: 1\n", 1, "source"),
        ("overlay: 1\nsource: x\nlocal: []\n", 3, "unknown key 'local'"),
        ("overlay: 1\nsource: x\nsource: y\n", 3, "twice"),
        ("overlay: 1\nsource: x\ncodes: none\n", 3, "list"),
        ("- overlay\n", 1, "mapping"),
        ("overlay: 1\nsource: [\n", 3, "not YAML"),
        ("overlay: 1\nsource: x\ncodes:\n\t- a\n", 4, "not YAML"),
    ],
)
def test_a_wrong_file(text, line, words):
    assert any(n == line and words in message for n, message in problems("", head=text))


def test_a_clash_with_a_drug_code_of_ours():
    ((line, message),) = problems(
        entry(system="http://www.nlm.nih.gov/research/umls/rxnorm", code="3443", display="x", drugs=["metoprolol"])
    )
    assert line == 4
    assert "diltiazem" in message


def test_no_object_is_ever_built_from_the_text():
    assert problems("  - !!python/object/apply:os.getcwd []\n")


@given(st.text(max_size=200))
def test_any_text_gives_a_terminology_or_a_named_error(text):
    try:
        load_terminology(OverlayText("example.yaml", text))
    except OverlayError as error:
        assert error.problems


def test_the_example_of_the_documentation_loads():
    page = (Path(__file__).parents[2] / "docs" / "terminology.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    terminology = load_terminology(OverlayText("example.yaml", example))
    assert terminology.analyte("urn:oid:1.2.3.4", "CA").analyte == "calcium-total"
    assert terminology.concepts("", "KNOT") == {"finding.nodule_skin"}
