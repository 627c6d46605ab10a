"""The companion reads clinical notes where a hook of the same hospital does, and asks for their scopes."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from cds_service.companion.smart import OF_NOTES, Server, scopes
from tests.cds_service.companion.hospital import hospital

TEXT = base64.b64encode(b"Skin: stony-hard nodules over both elbows, for 3 months.").decode()
NOTE = {
    "resourceType": "DocumentReference",
    "status": "current",
    "type": {"text": "Progress note"},
    "date": "2026-05-20",
    "content": [{"attachment": {"contentType": "text/plain", "data": TEXT}}],
}
CHART = f"""
    Patient    | female | 49y | name=Case Example
    Condition  | SLE | onset -17y
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
    Resource   | {json.dumps(NOTE)}
"""


@pytest.mark.parametrize("on", [False, True])
def test_a_lesion_of_a_note_is_on_the_page_where_the_hospital_has_notes_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: bool
) -> None:
    with hospital(tmp_path, monkeypatch, text=CHART) as here:
        here.more = {"clinicalNotes": on}
        client = here.app()
        page = client.get(here.opened(client)).text
        assert ("stony-hard" in page) is on
        made = httpx.post(f"{here.origin}/sandbox/launch", params={"patient": "talk-1"}, timeout=20).json()
        first = client.get("/companion/launch", params={"iss": f"{here.origin}/fhir", "launch": made["launch"]})
        asked = parse_qs(urlsplit(first.headers["location"]).query)["scope"][0].split()
        assert ({"patient/DocumentReference.rs", "patient/Binary.r"} <= set(asked)) is on


def test_a_binary_is_read_and_never_searched_for() -> None:
    old, new = (scopes(Server("a", "t", v2, more=OF_NOTES), launched=True) for v2 in (False, True))
    assert {"patient/DocumentReference.read", "patient/Binary.read"} <= set(old)
    assert {"patient/DocumentReference.rs", "patient/Binary.r"} <= set(new)
