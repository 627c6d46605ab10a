"""The dialogue as a FHIR SDC adaptive Questionnaire (R4): what is asked as items, answers as a QuestionnaireResponse.

`$next-question` is stateless: the QuestionnaireResponse carries the questions asked so far in a contained
Questionnaire. Those are compared with our own wording, so that nobody can put other words to an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from hooks.dialogue.records import Given, Resource
from hooks.knowledge.dialogue_schema import UNKNOWN, DialogueData, Question

ID = "calcinosis-dialogue"
VERDICT = "verdict"
"""linkId of the display item that tells where the dialogue ended."""
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition"
_CONTAINED = "asked"
_HL7 = "http://hl7.org/fhir/StructureDefinition"


class ResponseError(ValueError):
    """A QuestionnaireResponse that can't be taken; `element` names where, never what it said."""

    def __init__(self, element: str, message: str) -> None:
        super().__init__(f"{element}: {message}")
        self.element, self.message = element, message


def canonical(base: str) -> str:
    return f"{base}/fhir/Questionnaire/{ID}"


def questionnaire(data: DialogueData, base: str) -> Resource:
    """What a client finds and starts from: adaptive, so it has no items of its own."""
    return {
        "resourceType": "Questionnaire",
        "id": ID,
        "meta": {"profile": [f"{_SDC}/sdc-questionnaire-adapt-srch"]},
        "extension": [
            {"url": f"{_SDC}/sdc-questionnaire-questionnaireAdaptive", "valueUrl": f"{base}/fhir"},
        ],
        "url": canonical(base),
        "version": data.version,
        "name": "CalcinosisDialogue",
        "title": data.title,
        "status": "active",
        "subjectType": ["Patient"],
    }


def item(question: Question, data: DialogueData, base: str) -> Resource:
    """One question as an item. A number that is not known is left without an answer."""
    made: Resource = {"linkId": question.id, "text": question.ask, "required": False, "repeats": False}
    if question.kind == "number":
        kind = "integer" if question.whole else "decimal"
        value = "valueInteger" if question.whole else "valueDecimal"
        made["type"] = kind
        made["extension"] = [
            {"url": f"{_HL7}/{name}", value: _plain(limit, question)}
            for name, limit in (("minValue", question.least), ("maxValue", question.most))
            if limit is not None
        ]
        return made
    made["type"] = "choice"
    made["repeats"] = question.kind in ("choices", "sites")
    system = f"{base}/fhir/CodeSystem/{ID}"
    options = [(answer.id, answer.label) for answer in question.answers] + [(UNKNOWN, data.unknown)]
    made["answerOption"] = [
        {"valueCoding": {"system": system, "code": f"{question.id}.{code}", "display": label}}
        for code, label in options
    ]
    return made


def answered(response: Mapping[str, Any], data: DialogueData, base: str) -> dict[str, tuple[str, ...]]:
    """The answers of a QuestionnaireResponse: of every question asked, one without an answer being "don't know".

    ResponseError when it is no response to this questionnaire, or its questions are not in our words."""
    if response.get("resourceType") != "QuestionnaireResponse":
        raise ResponseError("QuestionnaireResponse.resourceType", "must be QuestionnaireResponse")
    asked = _asked(response, data, base)
    given: dict[str, tuple[str, ...]] = {question.id: (UNKNOWN,) for question in asked}
    known = {question.id: question for question in asked}
    seen: set[str] = set()
    for index, entry in enumerate(_list(response, "item", "QuestionnaireResponse")):
        where = f"QuestionnaireResponse.item[{index}]"
        link = entry.get("linkId")
        if link == VERDICT:
            continue
        if not isinstance(link, str) or link not in known:
            raise ResponseError(f"{where}.linkId", "was not asked in the contained Questionnaire")
        if link in seen:
            raise ResponseError(f"{where}.linkId", "occurs twice")
        seen.add(link)
        values = tuple(
            _value(answer, known[link], base, f"{where}.answer[{place}]")
            for place, answer in enumerate(_list(entry, "answer", where))
        )
        if values:
            given[link] = values
    return given


def response(
    before: Mapping[str, Any], given: Given, following: Question | None, verdict: str, data: DialogueData, base: str,
    authored: str,
) -> Resource:  # fmt: skip
    """The QuestionnaireResponse with the next question in its contained Questionnaire; completed, with the verdict as
    a display item, when there is none."""
    asked = [question for question in data.questions if question.id in given]
    order = {entry.get("linkId"): index for index, entry in enumerate(_contained_items(before))}
    asked.sort(key=lambda question: order.get(question.id, len(order)))
    items = [item(question, data, base) for question in (*asked, *((following,) if following else ()))]
    if following is None:
        items.append({"linkId": VERDICT, "text": verdict, "type": "display"})
    contained: Resource = {
        "resourceType": "Questionnaire",
        "id": _CONTAINED,
        "meta": {"profile": [f"{_SDC}/sdc-questionnaire-adapt"]},
        "extension": [{"url": f"{_SDC}/sdc-questionnaire-questionnaireAdaptive", "valueUrl": f"{base}/fhir"}],
        "version": data.version,
        "derivedFrom": [canonical(base)],
        "title": data.title,
        "status": "active",
        "subjectType": ["Patient"],
    }
    if items:
        contained["item"] = items
    kept = {
        key: before[key] for key in ("id", "identifier", "subject", "encounter", "author", "source") if before.get(key)
    }
    made: Resource = {
        "resourceType": "QuestionnaireResponse",
        **kept,
        "meta": {"profile": [f"{_SDC}/sdc-questionnaireresponse-adapt"]},
        "contained": [contained],
        "questionnaire": f"#{_CONTAINED}",
        "status": "in-progress" if following else "completed",
        "authored": authored,
    }
    entries = [entry for question in asked if (entry := _entry(question, given[question.id], data, base))]
    if entries:
        made["item"] = entries
    return made


def _entry(question: Question, values: tuple[str, ...], data: DialogueData, base: str) -> Resource | None:
    if question.kind == "number":
        if values == (UNKNOWN,):
            return {"linkId": question.id, "text": question.ask}
        name = "valueInteger" if question.whole else "valueDecimal"
        answers = [{name: _plain(Decimal(values[0]), question)}]
    else:
        codings = {o["valueCoding"]["code"]: o["valueCoding"] for o in item(question, data, base)["answerOption"]}
        answers = [{"valueCoding": codings[f"{question.id}.{value}"]} for value in values]
    return {"linkId": question.id, "text": question.ask, "answer": answers}


def _asked(response: Mapping[str, Any], data: DialogueData, base: str) -> list[Question]:
    """The questions of the contained Questionnaire, each compared with ours."""
    contained = _list(response, "contained", "QuestionnaireResponse")
    if len(contained) != 1 or contained[0].get("resourceType") != "Questionnaire":
        raise ResponseError("QuestionnaireResponse.contained", "must hold the one Questionnaire")
    ours = contained[0]
    origin = ours.get("derivedFrom") or [ours.get("url")]
    if canonical(base) not in [str(url).partition("|")[0] for url in origin]:
        raise ResponseError("QuestionnaireResponse.contained[0].derivedFrom", "is not this questionnaire")
    if ours.get("version", data.version) != data.version:
        raise ResponseError("QuestionnaireResponse.contained[0].version", "is another version: start again")
    found: list[Question] = []
    for index, entry in enumerate(_list(ours, "item", "QuestionnaireResponse.contained[0]")):
        where = f"QuestionnaireResponse.contained[0].item[{index}]"
        if entry.get("linkId") == VERDICT:
            continue
        question = data.question(str(entry.get("linkId")))
        if question is None:
            raise ResponseError(f"{where}.linkId", "is no question of this questionnaire")
        wanted = item(question, data, base)
        for name in ("text", "type", "answerOption"):
            if entry.get(name) != wanted.get(name):
                raise ResponseError(f"{where}.{name}", "differs from the question as it was asked")
        if question in found:
            raise ResponseError(f"{where}.linkId", "occurs twice")
        found.append(question)
    return found


def _value(answer: Mapping[str, Any], question: Question, base: str, where: str) -> str:
    if question.kind == "number":
        name = "valueInteger" if question.whole else "valueDecimal"
        value = answer.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise ResponseError(f"{where}.{name}", "must be a number")
        try:
            return f"{Decimal(str(value)).normalize():f}"
        except InvalidOperation:
            raise ResponseError(f"{where}.{name}", "must be a number") from None
    coding = answer.get("valueCoding")
    if not isinstance(coding, Mapping) or not isinstance(coding.get("code"), str):
        raise ResponseError(f"{where}.valueCoding.code", "is required")
    if coding.get("system", f"{base}/fhir/CodeSystem/{ID}") != f"{base}/fhir/CodeSystem/{ID}":
        raise ResponseError(f"{where}.valueCoding.system", "is not the code system of the answers")
    prefix, _, code = coding["code"].partition(".")
    if prefix != question.id or (question.answer(code) is None and code != UNKNOWN):
        raise ResponseError(f"{where}.valueCoding.code", "is not one of the answers")
    return str(code)


def _contained_items(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    contained = response.get("contained")
    first = contained[0] if isinstance(contained, list) and contained else None
    items = first.get("item") if isinstance(first, Mapping) else None
    return [entry for entry in items if isinstance(entry, Mapping)] if isinstance(items, list) else []


def _list(owner: Mapping[str, Any], name: str, where: str) -> list[Mapping[str, Any]]:
    value = owner.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise ResponseError(f"{where}.{name}", "must be a list of objects")
    return value


def _plain(number: Decimal, question: Question) -> int | float:
    return int(number) if question.whole or number == number.to_integral_value() else float(number)
