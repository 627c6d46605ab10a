"""Runs the behaviour files of this folder: YAML, readable by a clinician, one chart table and what must come out.

    title: Low albumin            # the section
    rule: "2.3"                   # of the clinical specification
    given: |                      # lines that every chart of the file starts with (optional)
      Patient | female | 40y
    cases:
      - name: Albumin 28 makes a total calcium indeterminate
        chart: |
          Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
        expect:
          grade: incomplete
          calcium: {status: indeterminate}
          missing first: [ionized-calcium]

Expectations: grade, card, subtype, and any criterion with its fields are exact; `flags` is the exact set; `mimics`,
`missing`, `quarantined` must contain; `missing first`, `mimics first` begin with; `therapies`, `workup` map id to
decision; `orderable` is the exact list; `rules` maps an agent to rule ids it must show; `why` are phrases of the
reasons; `would change`, `steps` (of the subtype) and `notes` hold phrases; `silent` true means: no card.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hooks.assess import assess
from hooks.knowledge import load_knowledge
from hooks.model import Assessment, to_json
from mappings.facts import Completeness
from tests.charts import TODAY, chart, reader
from tests.yaml_files import read_yaml

_SAID = {"would change": "wouldChange", "steps": "subtypeBecause", "notes": "notes"}
HERE = Path(__file__).parent


def files() -> list[Path]:
    return sorted(HERE.glob("*/*.yaml"))


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(path)
    return found


def assessed(given: str, case: dict[str, Any]) -> Assessment:
    """The assessment of one case."""
    needs = {name: Completeness(state, reason) for name, (state, reason) in case.get("unread", {}).items()}
    raw = chart(given + "\n" + case["chart"]).raw(**needs)
    return assess(reader().read(raw), load_knowledge(), TODAY)


def differences_of(assessment: Assessment, expect: dict[str, Any]) -> list[str]:
    return differences(expect, to_json(assessment))


def differences(expect: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """What is not as expected, one line each; empty when all holds."""
    found: list[str] = []

    def check(label: str, holds: bool, actual: Any) -> None:
        if not holds:
            found.append(f"{label}: got {actual!r}")

    for key, want in expect.items():
        if key in ("grade", "card", "subtype", "mixedWith"):
            check(f"{key} should be {want}", got.get(key) == want, got.get(key))
        elif key == "silent":
            check("should be silent", (got["card"] == "none") == want, got["card"])
        elif key in got["criteria"]:
            for field, value in want.items():
                actual = got["criteria"][key].get(field)
                check(f"{key}.{field} should be {value}", actual == value, actual)
        elif key == "flags":
            actual = {flag["id"] for flag in got["redFlags"]}
            check(f"flags should be {sorted(want)}", actual == set(want), sorted(actual))
        elif key in ("mimics", "mimics first"):
            actual = [item["id"] for item in got["differential"]]
            holds = actual[: len(want)] == want if key.endswith("first") else set(want) <= set(actual)
            check(f"{key} {want}", holds, actual)
        elif key in ("missing", "missing first", "not missing"):
            actual = got["missing"]
            holds = {
                "missing": set(want) <= set(actual),
                "missing first": actual[: len(want)] == want,
                "not missing": not set(want) & set(actual),
            }[key]
            check(f"{key} {want}", holds, actual)
        elif key in ("therapies", "workup"):
            actual = {item["id"]: item["decision"] for item in got[key]}
            for item, decision in want.items():
                check(f"{key} {item} should be {decision}", actual.get(item) == decision, actual.get(item))
        elif key == "orderable":
            actual = [item["id"] for item in got["therapies"] if item["orderable"]]
            check(f"orderable should be {want}", sorted(actual) == sorted(want), actual)
        elif key == "rules":
            shown = {item["id"]: item["rules"] for item in got["therapies"]}
            for agent, ids in want.items():
                check(f"rules of {agent} {ids}", set(ids) <= set(shown.get(agent, [])), shown.get(agent))
        elif key == "why":
            said = " ".join(got["because"]) + " " + " ".join(c["because"] for c in got["criteria"].values())
            for phrase in want if isinstance(want, list) else [want]:
                check(f"should say {phrase!r}", phrase.lower() in said.lower(), got["because"])
        elif key in _SAID:
            said = " ".join(got[_SAID[key]])
            for phrase in want:
                check(f"{key} should say {phrase!r}", phrase.lower() in said.lower(), got[_SAID[key]])
        elif key == "quarantined":
            actual = [item["reference"] for item in got["quarantined"]]
            check(f"quarantined {want}", set(want) <= set(actual), actual)
        else:
            found.append(f"unknown expectation {key!r}")
    return found
