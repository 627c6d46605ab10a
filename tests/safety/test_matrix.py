"""The safety matrix: generated charts against the independent reading of the table.

Never may a blocked, needed or to-be-replaced therapy be offered or orderable, nor a warned one offered plainly; and
with nothing against them the first-line options are offered and orderable: being mute is a failure too.

`python -m pytest tests/safety -m long` runs 100,000 charts (`SAFETY_CHARTS` changes the number).
"""

from __future__ import annotations

import os
from collections import Counter
from types import SimpleNamespace

import pytest

from hooks.chart import Chart
from hooks.knowledge.safety_schema import Safety, load_safety
from hooks.knowledge.therapy_schema import load_therapies
from hooks.therapy import decide_therapies
from tests.safety.generator import DAY, Drawn, charts
from tests.safety.oracle import judge
from tests.safety.table import EVERY, typed

TABLE = typed()
KNOWLEDGE = SimpleNamespace(therapies=load_therapies(), safety=load_safety())
FIRST_LINE = {
    "extensive": ("diltiazem",),
    "localized": ("sodium-thiosulfate-topical", "sodium-thiosulfate-intralesional", "surgical-excision"),
}


def differences(drawn: Drawn, fired: Counter[str], knowledge: SimpleNamespace = KNOWLEDGE) -> list[str]:
    """Where the engine and the table part, for one chart."""
    items = {item.id: item for item in decide_therapies(Chart(drawn.facts, DAY), drawn.case, knowledge)}
    expected = judge(drawn.facts, drawn.case, DAY)
    found = []
    if set(items) != set(EVERY.split()) or len(items) != 20:
        found.append(f"agents {sorted(items)}")
    for agent, want in expected.items():
        got = items[agent]
        fired.update(want.tests)
        where = f"chart {drawn.number}, {agent} {want.tests}"
        if list(got.rules) != want.reported:
            found.append(f"{where}: rules {got.rules}, table {want.reported}")
        if len(got.notes) != len(want.tests):  # one sentence for each test, so a hidden one is seen too
            found.append(f"{where}: {len(got.notes)} notes")
        if want.word is None and got.decision not in ("offer", "not-indicated"):
            found.append(f"{where}: {got.decision}, but no rule decides")
        if want.word is not None and got.decision != want.word:
            found.append(f"{where}: {got.decision}, table {want.word}")
        if got.orderable and (not want.draft or not got.fits):
            found.append(f"{where}: orderable against the table")
        if want.draft and got.fits and not got.orderable:
            found.append(f"{where}: mute, the table lets it be ordered")
        if "cap" in {TABLE[test][1] for test in want.tests} and want.tests and not got.cap:
            found.append(f"{where}: no ceiling")
    if items["diltiazem"].orderable and items["colchicine"].orderable:
        found.append(f"chart {drawn.number}: diltiazem and colchicine both orderable")
    if drawn.clean:
        found.extend(
            f"chart {drawn.number}: {agent} {items[agent].decision} though nothing is against it"
            for agent in FIRST_LINE[drawn.case.criteria.lesion.extent]
            if items[agent].decision != "offer" or not items[agent].orderable
        )
    return found


def run(count: int, seed: int) -> tuple[list[str], Counter[str]]:
    fired: Counter[str] = Counter()
    found: list[str] = []
    for drawn in charts(count, seed):
        found.extend(differences(drawn, fired))
        if len(found) > 20:
            break
    return found, fired


def test_generated_charts_agree_with_the_table():
    found, fired = run(2000, seed=1)
    assert found == []
    # The charts must reach the table: a test that never fires is not tested. (S1.3 and W1w.2 have no therapy.)
    assert set(TABLE) - set(fired) - {"S1.3", "W1w.2"} == set()


def test_the_matrix_sees_any_test_that_is_missing():
    """Each test of the table is taken out in turn: some chart must then differ."""
    reached: dict[str, list[Drawn]] = {}
    for drawn in charts(1500, seed=1):
        for want in judge(drawn.facts, drawn.case, DAY).values():
            for test in want.tests:
                reached.setdefault(test, []).append(drawn)
    unseen = []
    for rule in KNOWLEDGE.safety.rules:
        if rule.id in ("S1.3", "W1w.2"):
            continue
        rest = tuple(other for other in KNOWLEDGE.safety.rules if other.id != rule.id)
        poorer = Safety.model_construct(vocabulary=KNOWLEDGE.safety.vocabulary, rules=rest)
        knowledge = SimpleNamespace(therapies=KNOWLEDGE.therapies, safety=poorer)
        if not any(differences(drawn, Counter(), knowledge) for drawn in reached.get(rule.id, ())):
            unseen.append(rule.id)
    assert unseen == []


@pytest.mark.long
def test_a_hundred_thousand_charts_agree_with_the_table():
    found, fired = run(int(os.environ.get("SAFETY_CHARTS", "100000")), seed=2)
    assert found == []
    assert min(fired[test] for test in TABLE if test not in ("S1.3", "W1w.2")) >= 20
