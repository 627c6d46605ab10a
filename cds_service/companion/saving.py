"""Recording the answers in the chart, only when asked to and allowed to; else as words to copy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from cds_service.companion.identity import PERFORMERS
from cds_service.companion.smart import may_create
from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.outbound import Refused
from cds_service.fhir.uncancelled import uncancelled
from hooks.dialogue import SAVED, Dialogue, Step
from hooks.dialogue.records import chosen_of
from hooks.knowledge.dialogue_schema import UNKNOWN
from mappings.bundles import NotJsonError, decode
from mappings.text.own_words import BEGIN, END

_ENCODER = msgspec.json.Encoder(decimal_format="number")
NOTE = "Recorded by a clinician in the companion of a decision-support service."
"""names no finding: the next call reads it."""


class Saved(Struct, frozen=True):
    """References of what was stored, and how many records were refused."""

    references: tuple[str, ...]
    refused: int = 0


def savable(step: Step) -> tuple[dict[str, Any], ...]:
    """The examination findings among the answers. Diagnoses, drugs and results are the chart's own business."""
    return tuple(
        record
        for record in step.records
        if record["resourceType"] == SAVED and record["category"][0]["coding"][0]["code"] == "exam"
    )


def may_save(client: FhirClient | None, scopes: str | None) -> bool:
    return client is not None and (scopes is None or may_create(scopes, SAVED))


async def save(client: FhirClient, step: Step, encounter: str | None, user: str | None, deadline: Deadline) -> Saved:
    """Creates each finding as a final Observation: the clinician who consents is the one who states it, and nobody may
    rely on a preliminary one."""
    stored: list[str] = []
    refused = 0
    for record in savable(step):
        body = {key: value for key, value in record.items() if key != "id"} | {"note": [{"text": NOTE}]}
        if encounter:
            body["encounter"] = {"reference": f"Encounter/{encounter}"}
        if user is not None and user.partition("/")[0] in PERFORMERS:
            body["performer"] = [{"reference": user}]
        reference = await _create(client, body, deadline)
        if reference is None:
            refused += 1
        else:
            stored.append(reference)
    return Saved(tuple(stored), refused)


async def _create(client: FhirClient, body: dict[str, Any], deadline: Deadline) -> str | None:
    url = f"{client.base}/{body['resourceType']}"
    headers = {"Content-Type": "application/fhir+json", "Prefer": "return=representation"}
    if client.token:
        headers["Authorization"] = f"Bearer {client.token}"
    try:
        client.policy.base_of(url)
        left, content = max(deadline.left, 0.01), _ENCODER.encode(body)
        answer = await uncancelled(client.http.post(url, content=content, headers=headers, timeout=left), left)
        if answer.status_code not in (200, 201):
            return None
        stored = decode(answer.content) if answer.content else None
    except (Refused, TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, NotJsonError):
        return None
    made = stored.get("id") if isinstance(stored, dict) else None
    return f"{body['resourceType']}/{made}" if made else body["resourceType"]


def summary(dialogue: Dialogue, given: dict[str, tuple[str, ...]], step: Step) -> str:
    """The answers and the verdict as plain text, for the chart. What was stated stands in the words of its record, as
    the next call reads it; questions and verdict stand between marks, and are not read."""
    day, stated = dialogue.as_of.isoformat(), [f"- {statement}." for statement in _statements(step)]
    lines = [f"Stated by the clinician on {day}:", *stated, ""] if stated else []
    lines += [BEGIN, f"{day}. Questions of the companion, and the answers:"]
    lines.extend(f"- {question} {answer}" for question, answer in told(dialogue, given))
    lines.append(f"Rule-based assessment, not a diagnosis: grade {step.assessment.grade}.")
    lines.extend(f"- {reason}" for reason in step.assessment.because)
    if step.assessment.missing:
        lines.append(f"- Missing: {', '.join(step.assessment.missing)}.")
    lines += [f"Knowledge {step.assessment.knowledge_version}.", END]
    return "\n".join(lines)


def _statements(step: Step) -> Iterator[str]:
    """The records of the answers in their own words, a lesion with its site, a result with its test."""
    for record in step.records:
        code = record.get("code", {}).get("text", "")
        if "valueString" in record:
            yield f"{code}: {record['valueString']}"
        elif "medicationCodeableConcept" in record:
            yield f"takes {record['medicationCodeableConcept']['text']}"
        else:
            words = record.get("valueCodeableConcept", {}).get("text", code)
            place = record.get("bodySite", {}).get("text")
            yield f"{words}, {place}" if place else words


def told(dialogue: Dialogue, given: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Question and answer in words, in the order they were answered."""
    for question_id, values in given.items():
        question = dialogue.data.question(question_id)
        if question is None:
            continue
        if values == (UNKNOWN,):
            yield question.ask, dialogue.data.unknown
        elif question.kind == "number":
            yield question.ask, f"{values[0]} {question.unit or ''}".strip()
        else:
            yield question.ask, ", ".join(choice.label for choice in chosen_of(question, given))
