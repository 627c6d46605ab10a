"""When two sites are one place: the same region, or one within the other, and no contradicting sides."""

from __future__ import annotations

import pytest

from hooks.assessment.sites import same_place
from mappings.facts import Site


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Site("knee", "knee", "left"), Site("knee", "knee", None), True),
        (Site("knee", "knee", "left"), Site("knee", "knee", "right"), False),
        (Site("limb", "limb", None), Site("knee", "knee", "left"), True),
        (Site("hand", "thumb", "left"), Site("limb", "limb", None), True),
        (Site("limb", "limb", "left"), Site("hand", "hand", "right"), False),
        (Site("trunk", "trunk", None), Site("back", "lower-back", None), True),
        (Site("limb", "limb", None), Site("head-face", "face", None), False),
        (Site("limb", "limb", None), Site("trunk", "trunk", None), False),
        (Site("trunk", "trunk", None), Site("knee", "knee", None), False),
    ],
)
def test_same_place(one: Site, other: Site, same: bool) -> None:
    assert same_place(one, other) is same
    assert same_place(other, one) is same
