"""The dialogue as a FHIR SDC adaptive Questionnaire, with or without a patient's chart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from cds_service.answers import FHIR_JSON, json_response
from cds_service.calls import admitted
from cds_service.companion.talk import dialogue, questions
from cds_service.errors import BadRequest
from cds_service.pipeline import Brain
from cds_service.state import state_of
from hooks.dialogue import AnswerError, nobody
from hooks.dialogue.questionnaire import ResponseError, answered, questionnaire, response
from hooks.model import Assessment
from mappings.bundles import unpack, with_resolved_urns
from mappings.facts import NEEDS, Completeness, PatientFacts
from mappings.raw import RawChart

router = APIRouter()


@router.get("/fhir/Questionnaire/calcinosis-dialogue")
async def read(request: Request) -> Response:
    return json_response(questionnaire(questions(), state_of(request).public_url(request)), media_type=FHIR_JSON)


@router.post("/fhir/Questionnaire/$next-question")
async def next_question(request: Request) -> Response:
    """A QuestionnaireResponse, or Parameters with `questionnaire-response` and, when there is a patient, `chart` (a
    Bundle). Answers in the form that was sent. Stateless: nothing of it is kept."""
    async with admitted(request) as call:
        if call.stored is not None:
            return call.stored
        body = await call.decoded()
        before, chart = _sent(body)
        work = partial(_following, before, chart, call.state.brain, call.state.public_url(request))
        made = await call.state.scheduler.run(call.tenant_id, True, work)
        if body.get("resourceType") == "Parameters":
            made = {"resourceType": "Parameters", "parameter": [{"name": "return", "resource": made}]}
        return call.answer(json_response(made, media_type=FHIR_JSON))


def _following(before: Mapping[str, Any], chart: Mapping[str, Any] | None, brain: Brain, base: str) -> dict[str, Any]:
    data = questions()
    talk = dialogue(brain, _facts(chart, before, brain))
    try:
        given = answered(before, data, base)
        step = talk.at(given)
    except ResponseError as error:
        raise BadRequest(error.message, error.element) from None
    except AnswerError as error:
        element = f"QuestionnaireResponse.item.where(linkId='{error.question}').answer"
        raise BadRequest(error.message, element) from None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return response(before, given, step.next, _verdict(step.assessment), data, base, now)


def _sent(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    if body.get("resourceType") != "Parameters":
        return body, None
    parameters = body.get("parameter")
    if not isinstance(parameters, list):
        raise BadRequest("must be a list", "Parameters.parameter")
    found: dict[str, Mapping[str, Any]] = {}
    for index, parameter in enumerate(parameters):
        name = parameter.get("name") if isinstance(parameter, Mapping) else None
        if name not in ("questionnaire-response", "chart") or name in found:
            raise BadRequest(
                "must be questionnaire-response or chart, each once", f"Parameters.parameter[{index}].name"
            )
        if not isinstance(parameter.get("resource"), Mapping):
            raise BadRequest("is required", f"Parameters.parameter[{index}].resource")
        found[name] = parameter["resource"]
    if "questionnaire-response" not in found:
        raise BadRequest("questionnaire-response is required", "Parameters.parameter")
    return found["questionnaire-response"], found.get("chart")


def _facts(chart: Mapping[str, Any] | None, before: Mapping[str, Any], brain: Brain) -> PatientFacts:
    """The chart's facts; what is in the Bundle counts as all there is. Without a chart nothing was read."""
    if chart is None:
        return nobody()
    if chart.get("resourceType") != "Bundle":
        raise BadRequest("must be a Bundle", "Parameters.parameter.where(name='chart').resource")
    resources = with_resolved_urns(unpack(chart))
    patients = {str(r.get("id")) for r in resources if r.get("resourceType") == "Patient" and r.get("id")}
    if len(patients) != 1:
        raise BadRequest("must hold one Patient", "Parameters.parameter.where(name='chart').resource")
    (patient,) = patients
    subject = before.get("subject")
    named = subject.get("reference") if isinstance(subject, Mapping) else None
    if named is not None and named != f"Patient/{patient}":
        raise BadRequest("is not the patient of the chart", "QuestionnaireResponse.subject")
    complete = {need: Completeness("complete") for need in NEEDS}
    return brain.reader.read(RawChart(patient, tuple(resources), complete))


def _verdict(assessment: Assessment) -> str:
    return " ".join((f"Grade: {assessment.grade}.", *assessment.because))
