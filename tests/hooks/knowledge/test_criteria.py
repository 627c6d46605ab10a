"""The criteria as the requests ask for them."""

from __future__ import annotations

from hooks.knowledge import load_knowledge


def test_the_concepts_of_the_diseases_are_gathered_once() -> None:
    """Every request asks for them: gathered anew each time, they had been a part of a silent patient's cost."""
    rule = load_knowledge().criteria.ctd
    assert rule.concepts is rule.concepts
    assert rule.concepts == {concept for diagnosis in rule.diagnoses for concept in diagnosis.concepts}
