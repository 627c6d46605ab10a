"""What is looked for first: nothing is overlooked for the sake of speed."""

from __future__ import annotations

import random
import re

import pytest

from cds_service.pipeline import load_brain
from mappings import plainbytes
from mappings.codelists import load_terminology
from mappings.prescan_patterns import Form, forms_of
from mappings.prescan_quick import quickest
from mappings.text.common import load_common
from mappings.text.engine import TextEngine

AROUND = (" ", '"', "(", ".", "-", "_", "7", "x", "R", "\\n", "\\t", "\x01", "\n", ":", "/")
BLANKS = ("", "", " ", "  ")


@pytest.fixture(scope="module")
def forms() -> list[Form]:
    concepts = load_brain().knowledge.criteria.ctd.concepts
    return forms_of(load_terminology(), TextEngine.load().vocabularies, concepts)


def texts(pattern: str, pick: random.Random) -> list[str]:
    """What may stand in a text and nearly is, or is, what the pattern says."""
    inner = re.sub(r"\(\?:.*?\)|\(\?i:|\[\^.*?\]|\[\\\"\\s.*?\]|\\\.\?|\)$", "", pattern)
    found = []
    for _ in range(40):
        words = "".join(pick.choice(BLANKS) if sign == "~" else sign for sign in inner.replace("[ ]*", "~"))
        words = pick.choice((str, str.upper, str.lower))(words)
        found.append(pick.choice(AROUND) + words + pick.choice(AROUND))
    return found


def test_what_is_looked_for_first_stands_wherever_the_pattern_does(forms: list[Form]) -> None:
    pick = random.Random(21)
    said = of_several = 0
    for pattern in dict.fromkeys(pattern for form in forms for pattern in form):
        several = quickest(pattern)
        of_several += several != [pattern]
        for text in texts(pattern, pick) if several != [pattern] else ():
            if re.search(pattern, text):
                said += 1
                assert any(re.search(one, text) for one in several), (pattern, text)
    assert of_several > 40 and said > 5 * of_several


def test_everyday_words_do_not_tell_a_name(forms: list[Form]) -> None:
    """Each is looked for where another word of its name was found; a name of everyday words alone has no other."""
    everyday = [f"(?i:{word})" for word in load_common().everyday]
    told = [form for form in forms if any(word in form[0] for word in everyday)]
    assert all(any(word in pattern for word in everyday) for form in told for pattern in form)


def test_a_name_that_holds_another_is_not_looked_for(forms: list[Form]) -> None:
    every = [set(form) for form in forms]
    assert not any(one < other for one in every for other in every)
    assert not any("(?i:lupus)" in pattern and len(form) > 1 for form in forms for pattern in form)


def test_words_are_looked_for_where_none_was_found_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part with nothing telling is skimmed; once a part tells of a name its other words are looked for in all."""
    prescan = load_brain().prescan
    monkeypatch.setattr(plainbytes, "_PART", 1)
    ends = b'{"a":"%b","x":{"resource":{"b":"%b"}}}'
    assert prescan.may_concern(ends % (b"sicca", b"syndrome"))
    assert prescan.may_concern(ends % (b"syndrome", b"sicca"))
    for word in (b"sicca", b"syndrome", b"systemic", b"chronic"):
        assert not prescan.may_concern(ends % (word, b"arthritis"))
