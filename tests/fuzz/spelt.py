"""Names and codes of diseases spelt in odd ways: what the reader names, the look at bytes may not call silent.
`python -m tests.fuzz.spelt SECONDS [SEED]`.

Every name and code of the lists, with up to two signs put in, exchanged or taken apart (blanks that nobody sees, other
scripts, accents, markup, entities), in a Condition, an Observation or an attachment, letters perhaps as JSON escapes.
"""

from __future__ import annotations

import base64
import json
import random
import sys
import time
import unicodedata
from typing import Any, NamedTuple

from cds_service.pipeline import Brain, load_brain
from mappings.bundles import NotJsonError, decode
from mappings.codelists import load_terminology
from mappings.prescan_patterns import entries
from mappings.raw import RawChart
from mappings.text.engine import LANGUAGES
from mappings.text.vocabulary import vocabulary

_ODD = (
    "\u00ad\u200b\u200d\u2060\ufeff\u00a0\u2009\u3000\u0085\u2028\v\f\u2010\u2011\u2212\u2013\u2019'\uff0e\uff0d\uff07"
    '\ufb00\ufb01\u2026\u0301\u0308\u0327\0\1\t\n\r\x1f\x7f_./-,:("\\<>&\U0001d41a\U0001f600\u0430\u0435\u03bf\u00df'
    "\u0131\u00b2\u0661\u00aa\u0130\u1e9e\U00010400"
)
_MARKUP = ("<b>", "</b>", "<br/>", "<td>", "<i></i>", "<span class='x'>", "&nbsp;", "&#46;", "&#31;")
_AROUND = (("", ""), ("History of ", " in remission"), ("Known: ", "."), ("? ", ", arthritis"))
_MORE = ("S.L.E.", "C.R.E.S.T.", "l'esclérodermie", "Morbus Sjögren", "Sjögren-Syndrom")
_KINDS = ("text/plain", "text/html", "text/plain; charset=utf-8", "text/rtf", "text/plain;charset=utf-16")


class Found(NamedTuple):
    """How many inputs, how many of them name a disease, and which of those were overlooked."""

    number: int
    named: int
    overlooked: list[bytes]


def names(brain: Brain) -> list[str]:
    """Every name that the lexicons know for one of the diseases."""
    wanted = brain.knowledge.criteria.ctd.concepts
    found = set(_MORE)
    for language in LANGUAGES:
        found.update(payload.exact or " ".join(path) for path, payload in entries(vocabulary(language), wanted))
    return sorted(found)


def spelt(name: str, draw: random.Random) -> str:
    for _ in range(draw.randint(0, 2)):
        at, sign = draw.randrange(len(name) + 1), _sign(draw)
        kind = draw.randrange(6)
        if kind < 2:
            name = name[:at] + sign + name[at:]
        elif kind < 4:
            name = name[:at] + sign + name[at + 1 :]
        elif kind == 4:
            name = name[:at] + unicodedata.normalize("NFD", name[at : at + 1]) + name[at + 1 :]
        elif name[at : at + 1].isascii() and name[at : at + 1].isalpha():
            name = name[:at] + chr(ord(name[at]) + 0xFEE0) + name[at + 1 :]  # a wide letter
    if draw.random() < 0.1:
        at = draw.randrange(len(name) + 1)
        name = name[:at] + draw.choice(_MARKUP) + name[at:]
    return draw.choice((name, name, name.upper(), name.title()))


def _sign(draw: random.Random) -> str:
    code = draw.choice((draw.randrange(0x20, 0x250), draw.randrange(0x250, 0x3000), draw.randrange(0xE000, 0xFFEF)))
    return draw.choice(_ODD) if draw.random() < 0.7 else chr(code)


def resource(name: str, draw: random.Random) -> dict[str, Any]:
    """Where a name may stand."""
    found: dict[str, Any] = {"id": "r", "status": "final", "subject": {"reference": "Patient/p"}}
    kind = draw.randrange(5)
    if kind == 0:
        return found | {"resourceType": "Observation", "code": {"text": "Clinical finding"}, "valueString": name}
    if kind == 1:
        data = base64.b64encode(name.encode(draw.choice(("utf-8", "utf-8", "cp1252", "utf-16")), "replace")).decode()
        content = [{"attachment": {"contentType": draw.choice(_KINDS), "data": data}}]
        return found | {"resourceType": "DocumentReference", "status": "current", "content": content}
    code = ({"text": name}, {"coding": [{"display": name}]}, {"text": "x"})[kind - 2]
    return found | {"resourceType": "Condition", "code": code} | ({"note": [{"text": name}]} if kind == 4 else {})


def in_json(value: Any, draw: random.Random) -> bytes:
    text = json.dumps(value, ensure_ascii=draw.random() < 0.4)
    if draw.random() < 0.3:
        text = "".join(f"\\u{ord(s):04x}" if s.isascii() and s.isalnum() and draw.random() < 0.1 else s for s in text)
    return text.encode()


def fuzz(seconds: float, seed: int, most: int = 10**9) -> Found:
    """Inputs for so long, or so many."""
    brain = load_brain()
    brain.prepare()
    wanted = brain.knowledge.criteria.ctd.concepts
    known, codes = names(brain), sorted(load_terminology().codes_of(*wanted))
    until, number, named, overlooked = time.monotonic() + seconds, 0, 0, []
    while number < most and time.monotonic() < until:
        draw = random.Random(f"{seed}:{number}")
        number += 1
        if draw.random() < 0.2:
            system, code = draw.choice(codes)
            value = resource("x", draw) | {"code": {"coding": [{"system": system, "code": spelt(code, draw)}]}}
        else:
            before, behind = draw.choice(_AROUND)
            value = resource(before + spelt(draw.choice(known), draw) + behind, draw)
        body = in_json(value, draw)
        try:
            facts = brain.reader.read(RawChart("p", (decode(body),)))
        except NotJsonError:
            continue  # an escape of an escape
        if any(not wanted.isdisjoint(finding.concepts) for finding in facts.findings):
            named += 1
            if not brain.may_concern(body):
                overlooked.append(body)
    return Found(number, named, overlooked)


def main() -> int:
    seconds, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    found = fuzz(seconds, seed)
    sys.stdout.write(f"{found.number} inputs, seed {seed}; {found.named} name a disease, ")
    sys.stdout.write(f"{len(found.overlooked)} of them overlooked\n")
    sys.stdout.write("".join(f"{body!r}\n" for body in found.overlooked[:40]))
    return 1 if found.overlooked else 0


if __name__ == "__main__":
    sys.exit(main())
