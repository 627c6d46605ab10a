"""The words of attachments in the character sets that systems really send."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.knowledge import load_knowledge
from mappings.codelists import load_terminology
from mappings.prescan import Prescan
from mappings.raw import RawChart
from mappings.reader import ChartReader
from mappings.reader.attachment import words_of
from mappings.text.engine import TextEngine

WORDS = "Nódulos duros en codos, 5 µm; lupus"


def attachment(kind: str | None, sent: bytes) -> dict[str, Any]:
    body: dict[str, Any] = {"data": base64.b64encode(sent).decode()}
    return body if kind is None else body | {"contentType": kind}


@pytest.mark.parametrize(
    ("kind", "charset"),
    [
        ("text/plain", "utf-8"),
        ("TEXT/PLAIN", "utf-8"),
        (None, "utf-8"),
        ("text/plain; charset=utf-8", "utf-8-sig"),
        ("text/plain; charset=iso-8859-1", "latin-1"),
        ("text/plain", "cp1252"),
        ("text/plain; charset=utf-16", "utf-16"),
        ("text/plain", "utf-16"),
        ('text/plain; charset="UTF-16LE"', "utf-16le"),
        ("text/plain;charset=utf-16be", "utf-16be"),
        ("text/markdown", "utf-8"),
        ("application/xhtml+xml", "utf-8"),
        ("text/plain; charset=utf-16", "utf-8"),
        ("text/plain; charset=koi8-nonsense", "utf-8"),
    ],
)
def test_words_are_read_in_any_character_set(kind: str | None, charset: str) -> None:
    found = words_of(attachment(kind, WORDS.encode(charset)))
    assert found is not None and found.lstrip("\ufeff").strip() == WORDS


@pytest.mark.parametrize(
    "body",
    [
        None,
        "x",
        {},
        {"data": 5},
        {"url": "Binary/1"},
        {"data": "%%%"},
        {"contentType": "application/pdf", "data": "QQ=="},
    ],
)
def test_what_is_no_text_has_no_words(body: object) -> None:
    assert not words_of(body)


@given(st.binary(max_size=200), st.sampled_from(["text/plain", "text/html", "text/plain; charset=utf-16", ""]))
def test_no_bytes_raise(sent: bytes, kind: str) -> None:
    words_of(attachment(kind, sent))


@pytest.mark.parametrize("charset", ["utf-16", "utf-16le", "utf-16be"])
def test_the_look_at_bytes_overlooks_no_wide_letters(charset: str) -> None:
    scan = Prescan(load_terminology(), TextEngine.load().vocabularies, load_knowledge().criteria.ctd.concepts)
    data = base64.b64encode("lupus".encode(charset)).decode()
    assert scan.may_concern(f'{{"content":[{{"attachment":{{"data":"{data}"}}}}]}}'.encode())


PDF = attachment("application/pdf", b"%PDF-1.7")
LINK = {"contentType": "text/html", "url": "Binary/1"}
SAID = attachment("text/plain", b"Stone-hard nodule over the left elbow.")


@pytest.mark.parametrize(
    ("attachments", "reason"),
    [
        ([PDF], "its text is application/pdf, which is not read"),
        ([PDF, LINK], "its text is application/pdf, which is not read"),
        ([LINK], "its text is kept elsewhere"),
        ([{"contentType": "text/plain", "data": "="}], "its text can't be decoded"),
        ([{"contentType": "Jane Doe, 555-1234", "data": "QQ=="}], "its text can't be decoded"),
        ([PDF, SAID], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("kind", ["DocumentReference", "DiagnosticReport"])
def test_what_could_not_be_read_is_named(kind: str, attachments: list[Any], reason: str | None) -> None:
    """Silence about a letter in a PDF would look like a letter that says nothing."""
    content = [{"attachment": one} for one in attachments]
    of_kind: dict[str, Any] = {
        "DocumentReference": {"status": "current", "content": content},
        "DiagnosticReport": {"status": "final", "presentedForm": attachments},
    }[kind]
    assert _left_out({"resourceType": kind, "type": {"text": "Letter"}, "code": {"text": "Letter"}} | of_kind) == (
        [] if reason is None else [("x", reason)]
    )


def test_a_report_with_its_results_or_words_is_read() -> None:
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "Panel"}, "presentedForm": [PDF]}
    assert _left_out(report | {"result": [{"reference": "Observation/1"}]}) == []
    assert _left_out(report | {"conclusion": "Soft tissue calcification."}) == []


def _left_out(resource: dict[str, Any]) -> list[tuple[str, str]]:
    terminology = load_terminology()
    reader = ChartReader(terminology, terminology.drugs, TextEngine.load())
    sent = resource | {"id": "x", "subject": {"reference": "Patient/p"}, "date": "2026-05-01T08:00:00Z"}
    found = reader.read(RawChart("p", (sent,), {})).quarantined
    return [(entry.reference.rpartition("/")[2], entry.reason) for entry in found]
