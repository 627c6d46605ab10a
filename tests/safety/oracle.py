"""An independent reading of the safety table in plain Python: no data files, no engine, one `if` after the other.

`judge(facts, case, day)` says for every agent which tests fire, the decision word and whether an order may be drafted.
Written from the clinical table alone; where the engine and this reading part, one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from hooks.case import Case
from mappings.facts import PatientFacts
from tests.safety import readings, readings_of_clinics
from tests.safety.patient import Patient
from tests.safety.table import EVERY, typed

TABLE = typed()
# How each agent is found on a medication or allergy list: (ingredients, class shared for allergies, route).
NAMED = {
    "diltiazem": ({"diltiazem"}, None, None),
    "minocycline": ({"minocycline"}, "tetracycline", None),
    "colchicine": ({"colchicine"}, None, None),
    "alendronate": ({"alendronate"}, "bisphosphonate", None),
    "risedronate": ({"risedronate"}, "bisphosphonate", None),
    "pamidronate": ({"pamidronate"}, "bisphosphonate", None),
    "sodium-thiosulfate-topical": ({"sodium-thiosulfate"}, "thiosulfate", "topical"),
    "sodium-thiosulfate-intralesional": ({"sodium-thiosulfate"}, "thiosulfate", "intralesional"),
    "sodium-thiosulfate-iv": ({"sodium-thiosulfate"}, "thiosulfate", "iv"),
    "ivig": ({"immunoglobulin"}, "immunoglobulin", None),
    "rituximab": ({"rituximab"}, "anti-cd20", None),
    "tnf-inhibitor": (set(), "tnf-inhibitor", None),
    "jak-inhibitor": ({"tofacitinib"}, "jak-inhibitor", None),
    "corticosteroid-intralesional": ({"triamcinolone"}, None, "intralesional"),
    "aluminium-hydroxide": ({"aluminium-hydroxide"}, None, None),
    "probenecid": ({"probenecid"}, None, None),
    "warfarin": ({"warfarin"}, None, None),
}
BARE_CLASS = {"corticosteroid-intralesional": "glucocorticoid", "warfarin": "vka"}
BY_CLASS = {"tnf-inhibitor": "tnf-inhibitor", "jak-inhibitor": "jak-inhibitor", "ivig": "immunoglobulin"}


@dataclass
class Expected:
    """What must come out for one agent."""

    tests: list[str] = field(default_factory=list)
    word: str | None = None
    """None: no rule decides, so offer or not-indicated by fitness."""
    draft: bool = True
    """whether the table lets an order be drafted (fitness apart)."""

    @property
    def reported(self) -> list[str]:
        return list(dict.fromkeys(test.split(".")[0] for test in self.tests))


def own(agent: str, p: Patient) -> Iterator[str]:
    """G3.1, G3.2, G4.5, G4.7 of one agent."""
    drugs, shared, route = NAMED.get(agent, (set(), None, None))
    for a in p.facts.allergies:
        if a.certainty == "absent":
            continue
        itself = a.drugs & drugs or (not a.drugs and a.classes & {shared, BARE_CLASS.get(agent)} - {None})
        if itself and a.tolerated_dose is not None:
            yield "G3.2"
        elif itself or shared in a.classes:
            yield "G3.1"
    mine = drugs | ({BY_CLASS[agent]} if agent in BY_CLASS else set())
    if any(d.failed and (d.drugs | d.classes) & mine for d in p.facts.medications) or any(
        p.dx(f"failed.{name}") for name in mine
    ):
        yield "G4.5"
    if any(route is None or d.route in (None, route) for d in p.drugs(*mine)):
        yield "G4.7"
    if agent == "surgical-excision" and any(
        a.kind != "done" and "referral-surgery" in a.workup for a in p.facts.actions
    ):
        yield "G4.7"


def pair_fits(agent: str, case: Case) -> bool:
    """For whom the pair is suggested at all: diltiazem by extent, colchicine for inflammation and ulcers."""
    if agent == "colchicine":
        return any(le.ulcerated or le.inflamed or le.spreading_erythema or le.draining for le in case.lesions)
    face = any(s.region == "head-face" and s.place != "scalp" for le in case.lesions for s in le.sites)
    extent = case.criteria.lesion.extent
    return extent == "extensive" or (extent == "localized" and face)


def judge(facts: PatientFacts, case: Case, day: date) -> dict[str, Expected]:
    p = Patient(facts, case, day)
    order = list(TABLE)
    common = {test for part in (*readings.PARTS, *readings_of_clinics.PARTS) for test in part(p)}
    expected = {}
    for agent in EVERY.split():
        fired = {test for test in common if agent in TABLE[test][0]} | set(own(agent, p))
        expected[agent] = weigh(sorted(fired, key=order.index))
    pair = ("diltiazem", "colchicine")
    free = not any(p.drugs(name) for name in pair)
    if free and all(expected[name].draft and pair_fits(name, case) for name in pair):
        later = "diltiazem" if case.criteria.lesion.extent != "extensive" else "colchicine"
        for name in pair:
            tests = sorted([*expected[name].tests, "D8.4"], key=order.index)
            expected[name] = weigh(tests)
            expected[name].draft = name != later
    return expected


def weigh(tests: list[str]) -> Expected:
    """BLOCK > NEED > REPLACE > WARN order=off > CAP > WARN > NONE."""
    actions = {TABLE[test][1] for test in tests}
    off = any(TABLE[test][2] for test in tests)
    word = None
    if "block" in actions:
        only_failed = {test for test in tests if TABLE[test][1] == "block"} == {"G4.5"}
        word = "not-indicated" if only_failed else "block"
    elif "need" in actions:
        word = "need"
    elif actions & {"replace", "warn", "cap"}:
        word = "warn"
    return Expected(tests, word, draft=not off and not actions & {"block", "need", "replace"})
