"""Every case of every behaviour file."""

from __future__ import annotations

import pytest

from tests.spec import harness

CASES = [
    pytest.param(spec.get("given", ""), case, id=f"{path.parent.name}/{path.stem}: {case['name']}")
    for path in harness.files()
    for spec in [harness.load(path)]
    for case in spec["cases"]
]


@pytest.mark.parametrize(("given", "case"), CASES)
def test_behaviour(given: str, case: dict) -> None:
    assert harness.differences(case["expect"], harness.run(given, case)) == []


def test_every_file_names_its_rule() -> None:
    for path in harness.files():
        spec = harness.load(path)
        assert spec["title"], path
        assert spec["rule"], path
