"""Clinical notes over HTTP from the sandbox's own FHIR server: which are asked for, and how their texts come."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from urllib.parse import parse_qsl

import pytest

from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.notes import MOST, Notes, read_notes
from cds_service.fhir.outbound import Policy, open_client
from cds_service.sandbox.fhir_server import fhir_app
from cds_service.sandbox.store import Store
from mappings.reader.attachment import words_of
from tests.serving import listening

PATIENT = "p1"
CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
WORDS = "Skin: stony-hard nodules over both elbows."


def binary(name: str, text: str | bytes, kind: str = "text/plain") -> dict[str, Any]:
    data = base64.b64encode(text.encode() if isinstance(text, str) else text).decode()
    return {"resourceType": "Binary", "id": name, "contentType": kind, "data": data}


def note(name: str, *attachments: dict[str, Any], date: str = "2026-05-20T10:00:00Z", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": name,
        "status": "current",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "type": {"text": "Progress note"},
        "category": [{"coding": [{"system": CATEGORY, "code": "clinical-note"}]}],
        "date": date,
        "content": [{"attachment": one} for one in attachments],
        **more,
    }


def link(name: str, kind: str = "text/plain") -> dict[str, str]:
    return {"contentType": kind, "url": f"Binary/{name}"}


class Ehr:
    """The sandbox's server with manners: `refused` parameters are a 400; `raw`: a Binary comes in its own form only."""

    def __init__(self, *resources: dict[str, Any], refused: tuple[str, ...] = (), raw: bool = False) -> None:
        self.store = Store()
        self.store.load(resources)
        self._app, self._refused, self._raw, self.asked = fhir_app(self.store), refused, raw, list[str]()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        query = scope["query_string"].decode()
        self.asked.append(f"{scope['path']}?{query}".rstrip("?"))
        accepted = dict(scope["headers"])[b"accept"]
        status = 400 if {name for name, _ in parse_qsl(query)} & set(self._refused) else 0
        status = 406 if self._raw and scope["path"].startswith("/Binary") and b"json" in accepted else status
        if status:
            await send({"type": "http.response.start", "status": status, "headers": []})
            return await send({"type": "http.response.body", "body": b"no"})
        await self._app(scope, receive, send)
        return None

    @property
    def searches(self) -> list[set[str]]:
        """The parameters of each search."""
        return [{name for name, _ in parse_qsl(one.partition("?")[2])} for one in self.asked if "/Doc" in one]


def read(ehr: Any, times: int = 1, milliseconds: int = 8000, texts: bool = True) -> Notes:
    async def go(base: str) -> Notes:
        policy = Policy(open_loopback=True)
        async with open_client(policy) as http:
            for _ in range(times):
                client, deadline = FhirClient(http, policy, base), Deadline.after(milliseconds)
                found = await read_notes(client, frozenset({PATIENT}), PATIENT, deadline, texts=texts)
            return found

    with listening(ehr) as base:
        return asyncio.run(go(base))


def words(notes: Notes) -> dict[str, list[str | None]]:
    return {str(one["id"]): [words_of(content["attachment"]) for content in one["content"]] for one in notes.documents}


@pytest.mark.parametrize("raw", [False, True], ids=["as FHIR", "as it is"])
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("text/plain", WORDS),
        ("text/html", f"<html><body><p>{WORDS}</p></body></html>"),
        ("application/xhtml+xml", f'<div xmlns="http://www.w3.org/1999/xhtml">{WORDS}</div>'),
        ("text/rtf", r"{\rtf1\ansi " + WORDS + "}"),
    ],
)
def test_texts_behind_a_link_stand_in_the_note(kind: str, text: str, raw: bool) -> None:
    notes = read(Ehr(note("n1", link("b1", kind)), binary("b1", text, kind), raw=raw))
    assert (words(notes), notes.left_out) == ({"n1": [WORDS]}, [])


@pytest.mark.parametrize("letter", ["ä".encode("cp1252"), "ä".encode()])
def test_the_bytes_decide_of_which_characters_they_are(letter: bytes) -> None:
    notes = read(Ehr(note("n1", link("b1")), binary("b1", b"H" + letter + b"rte"), raw=True))
    assert words(notes) == {"n1": ["Härte"]}


def test_of_several_forms_of_one_note_the_plainest_is_fetched() -> None:
    forms = [link("pdf", "application/pdf"), link("html", "text/html"), link("text"), link("rtf", "text/rtf")]
    ehr = Ehr(note("n1", *forms), binary("text", WORDS))
    assert words(read(ehr)) == {"n1": [None, None, WORDS, None]}
    assert [one for one in ehr.asked if "Binary" in one] == ["/Binary/text"]
    inline = {"contentType": "text/html", "data": base64.b64encode(WORDS.encode()).decode()}
    held = Ehr(note("n1", inline, link("text")), binary("text", WORDS))
    assert words(read(held)) == {"n1": [WORDS, None]}
    assert not any("Binary" in one for one in held.asked)


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example.org/fhir/Binary/b1",
        "//elsewhere.example.org/Binary/b1",
        "Patient/p1",
        "Patient/p1/$everything",
        "Binary/$autogen-ccd-if?patient=p1",
        "Binary/b1/$x",
        "Binary/../Patient/p1",
        "Binary?_id=b1",
        "Binary/",
        "/Binary/b1\n",
        "file:///etc/passwd",
        7,
    ],
)
def test_nothing_but_a_binary_below_the_base_is_fetched(url: Any) -> None:
    ehr = Ehr(note("n1", {"contentType": "text/plain", "url": "Binary/b1"}), binary("b1", WORDS))
    document = note("n1", {"contentType": "text/plain", "url": url})
    ehr.store.bodies = lambda *_: [__import__("orjson").dumps(document)]  # type: ignore[method-assign]
    notes = read(ehr)
    assert words(notes) == {"n1": [None]}
    assert all(one.startswith("/DocumentReference?") for one in ehr.asked)


def test_a_version_and_an_absolute_url_of_the_base_are_fetched() -> None:
    documents = [note("n1", {"contentType": "text/plain", "url": "Binary/b1/_history/1"})]
    assert words(read(Ehr(*documents, binary("b1", WORDS)))) == {"n1": [WORDS]}


def test_the_newest_are_read_and_older_ones_are_named() -> None:
    days = [f"2026-{month:02d}-{day:02d}" for month in (1, 2) for day in range(1, 29)]
    every = [note(f"n{day}", link(f"b{day}"), date=f"{day}T08:00:00Z") for day in reversed(days)]
    ehr = Ehr(*every, *(binary(f"b{day}", WORDS) for day in days))
    notes = read(ehr)
    assert [one["id"] for one in notes.documents] == [f"n{day}" for day in reversed(days[-MOST:])]
    assert [(one.reference, one.reason) for one in notes.left_out] == [
        ("DocumentReference", "clinical notes not read: older ones")
    ]
    assert len(ehr.searches) == 1, "one page of the newest is enough"
    assert sum("Binary" in one for one in ehr.asked) == MOST
    unsorted = Ehr(*sorted(every, key=lambda one: str(one["date"])), refused=("_sort",))
    assert [one["id"] for one in read(unsorted, texts=False).documents] == [one["id"] for one in notes.documents]


def test_a_note_in_error_costs_no_call_and_no_place() -> None:
    wrong = [note("old", link("b1"), docStatus="entered-in-error"), note("gone", link("b1"), status="superseded")]
    ehr = Ehr(*wrong, note("n1", link("b1")), binary("b1", WORDS))
    assert set(words(read(ehr))) == {"n1"}
    assert sum("Binary" in one for one in ehr.asked) == 1


def test_somebody_elses_note_is_not_fetched() -> None:
    ehr = Ehr(note("n1", link("b1")), binary("b1", WORDS))
    strange = note("n1", link("b1"), subject={"reference": "Patient/other"})
    ehr.store.bodies = lambda *_: [__import__("orjson").dumps(strange)]  # type: ignore[method-assign]
    assert words(read(ehr)) == {"n1": [None]}
    assert not any("Binary" in one for one in ehr.asked)


def test_what_a_server_refuses_is_left_out_and_remembered() -> None:
    oracle = Ehr(note("n1", link("b1")), binary("b1", WORDS), refused=("status", "_sort"))
    assert words(read(oracle, times=2)) == {"n1": [WORDS]}
    assert oracle.searches == [
        {"patient", "category", "status", "_sort", "_count"},
        {"patient", "category", "_count"},
        {"patient", "category", "_count"},
    ]
    counting = Ehr(note("n1", link("b1")), binary("b1", WORDS), refused=("_count",))
    assert words(read(counting)) == {"n1": [WORDS]}
    assert counting.searches[-1] == {"patient", "category", "status"}
    bare = Ehr(note("n1", link("b1")), binary("b1", WORDS), refused=("category", "_count", "status"))
    assert words(read(bare)) == {"n1": [WORDS]}
    assert bare.searches[-1] == {"patient"}


def test_where_no_note_has_our_category_all_documents_are_asked_for() -> None:
    ehr = Ehr(note("n1", link("b1"), category=[{"text": "Arztbrief"}]), binary("b1", WORDS))
    assert words(read(ehr)) == {"n1": [WORDS]}
    assert ehr.searches[1] == ehr.searches[0] - {"category"}
    assert read(Ehr()) == Notes()


@pytest.mark.parametrize(
    "text", ["x" * 300_000, '{"resourceType": "OperationOutcome"}', '{"resourceType": "Binary"}', ""]
)
def test_a_text_that_is_none_or_too_long_is_not_there(text: str) -> None:
    notes = read(Ehr(note("n1", link("b1")), binary("b1", text) if text else note("n2"), raw=True))
    assert words(notes)["n1"] == [None]


def test_texts_are_fetched_at_once_and_only_so_much_of_them() -> None:
    kept = 4  # 150,000 letters of all
    every = [note(f"n{n}", link(f"b{n}"), date=f"2026-05-{20 - n:02d}") for n in range(10)]
    notes = read(Ehr(*every, *(binary(f"b{n}", "x" * 35_000) for n in range(10))))
    assert [found != [None] for found in words(notes).values()] == [n < kept for n in range(10)]


def test_one_long_text_does_not_cost_the_older_ones() -> None:
    every = [note(f"n{n}", link(f"b{n}"), date=f"2026-05-{20 - n:02d}") for n in range(3)]
    texts = [binary("b0", "x" * 40_000), binary("b1", "x" * 140_000), binary("b2", "x" * 60_000)]
    assert [found != [None] for found in words(read(Ehr(*every, *texts))).values()] == [True, False, True]


def test_without_the_scope_the_notes_come_and_their_texts_do_not() -> None:
    ehr = Ehr(note("n1", link("b1")), binary("b1", WORDS))
    assert words(read(ehr, texts=False)) == {"n1": [None]}
    assert not any("Binary" in one for one in ehr.asked)


def test_a_search_that_fails_is_named_and_nothing_raises() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b"Nodules of Jane Example"})

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(1)

    assert [one.reason for one in read(broken).left_out] == ["clinical notes not read: 500"]
    assert [one.reason for one in read(slow, milliseconds=100).left_out] == ["clinical notes not read: timeout"]
    assert [one.reason for one in read(Ehr(refused=("patient",))).left_out] == ["clinical notes not read: 400"]
