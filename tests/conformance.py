"""A black-box checker of CDS Hooks answers: it knows the protocol (2.0.1, the invariants of 3.0) and this service's
public promises, and nothing of its code.

    problems = check_response(answer.json(), patient="Patient/p1")
    assert problems == []

`check_discovery` and `check_feedback` do the same for the other two documents. Every problem names the element and the
row of the checklist it breaks (C-4, S-7 …), so that a failure can be looked up.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from fhir.resources.R4B import get_fhir_model_class
from markdown_it import MarkdownIt
from pydantic import ValidationError

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_TOKEN = re.compile(r"\{\{(.*?)\}\}")
_TEMPLATE = re.compile(r"[A-Z][A-Za-z]+(/\{\{context\.\w+\}\}|\?[^?#\s]+)")
_SEMVER = re.compile(r"\d+\.\d+(\.\d+)?(-[0-9A-Za-z.-]+)?")
_SERVICE_ID = re.compile(r"[A-Za-z0-9._~-]+")
GFM = MarkdownIt("gfm-like", {"html": True, "linkify": False})

_PREFETCH_TOKENS = {
    "patient-view": {"context.userId", "context.patientId", "context.encounterId"},
    "encounter-start": {"context.userId", "context.patientId", "context.encounterId"},
    "order-select": {"context.userId", "context.patientId", "context.encounterId"},
    "order-sign": {"context.userId", "context.patientId", "context.encounterId"},
}
_USER_TOKENS = {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"}
_REASON_SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
_REASON_CODES = {
    "cds-not-applicable", "cds-suboptimal-context", "recipient-disagrees-evidence", "recipient-concerns-outcomes",
    "does-not-align-preferences", "not-convenient-feasible", "action-completed", "patient-ineligible",
    "action-not-priority", "wrong-time-workflow", "need-more-info", "patient-contraindication", "expert-contradicts",
    "patient-refuses", "too-costly-uncovered", "service-not-available", "recipient-does-not-understand",
}  # fmt: skip
_REASON_REFERENCES = {
    "ServiceRequest": ("Condition/", "Observation/", "DiagnosticReport/", "DocumentReference/"),
    "MedicationRequest": ("Condition/", "Observation/"),
}
_NEVER_SAID = re.compile(
    r"\b(start|starts|give|gives|diagnosis is|has dystrophic|has calcinosis|diagnosed with|you must)\b", re.I
)
_QUOTED = re.compile(r"“[^”]*”|`[^`]*`|\]\([^)]*\)")


def check_response(body: Any, *, patient: str | None = None) -> list[str]:
    """What is wrong with an answer of a service; [] when nothing is. `patient` is whom drafts must be about."""
    if not isinstance(body, dict):
        return ["C-1 response: must be an object"]
    return [*_empties(body, "response"), *_response(body, patient)]


def check_discovery(body: Any) -> list[str]:
    """What is wrong with a discovery document (D-2 to D-13, P-1 to P-7)."""
    if not isinstance(body, dict) or not isinstance(body.get("services"), list):
        return ["D-2 services: must be an array in an object"]
    problems = list(_empties(body, "discovery"))
    ids = Counter(service.get("id") for service in body["services"])
    problems += [f"D-13 services: id {name} is used {count} times" for name, count in ids.items() if count > 1]
    for service in body["services"]:
        problems += _service(service)
    return problems


def _service(service: dict[str, Any]) -> Iterator[str]:
    where = f"services[{service.get('id')}]"
    hook = service.get("hook")
    if hook not in _PREFETCH_TOKENS:
        yield f"D-4 {where}.hook: not in the library"
        return
    for key in ("title", "description", "usageRequirements"):
        if not isinstance(service.get(key), str):
            yield f"D-5 {where}.{key}: is missing"
    if not _SERVICE_ID.fullmatch(str(service.get("id"))):
        yield f"D-7 {where}.id: must be usable in a URL"
    for key in ("version", "hookVersion"):
        if key in service and not _SEMVER.fullmatch(service[key]):
            yield f"D-10 {where}.{key}: must be a version"
    for key, template in service.get("prefetch", {}).items():
        yield from (f"{row} {where}.prefetch.{key}: {text}" for row, text in _template(template, hook))


def _template(template: Any, hook: str) -> Iterator[tuple[str, str]]:
    if not isinstance(template, str) or not _TEMPLATE.fullmatch(template):
        yield "P-1", "must be a read or a search"
        return
    for token in _TOKEN.findall(template):
        if token.strip() not in _PREFETCH_TOKENS[hook] | _USER_TOKENS:
            yield "P-3", f"token {token} is not allowed"
    resource, _, query = template.partition("?")
    names = []
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        names.append(name)
        if name.startswith("_") and name not in ("_count", "_sort"):
            yield "P-5", f"{name} is not in the subset"
        if "." in name or (":" in name and not name.endswith(":in")):
            yield "P-5", f"{name}: no chains, no modifiers"
        if re.match(r"(ne|sa|eb|ap)\d", value):
            yield "P-5", f"{name}: prefix not in the subset"
    if len(names) != len(set(names)):
        yield "P-5", "a parameter occurs twice (clients merge them)"
    if resource == "Observation" and not {"category", "code"} & set(names):
        yield "P-6", "Observation needs category or code on some servers"


def _empties(value: Any, where: str) -> Iterator[str]:
    """G-2, G-3: no null and nothing empty, but for the lists `cards` and `services` themselves."""
    if value is None:
        yield f"G-2 {where}: null"
    elif isinstance(value, str | list | dict) and not value:
        if where not in ("response.cards", "discovery.services"):
            yield f"G-3 {where}: empty"
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _empties(item, f"{where}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _empties(item, f"{where}[{index}]")


def _response(body: dict[str, Any], patient: str | None) -> Iterator[str]:
    cards = body.get("cards")
    if not isinstance(cards, list):
        yield "C-1 cards: must be an array"
        return
    if "systemActions" in body:
        yield "C-16 systemActions: never sent"
    if len(cards) > 2:
        yield "EHR-14 cards: at most one primary and one supporting"
    ids = [card.get("uuid") for card in cards]
    ids += [s.get("uuid") for card in cards for s in card.get("suggestions", ())]
    if len(ids) != len(set(ids)):
        yield "C-3 uuid: used twice in one answer"
    for index, card in enumerate(cards):
        for row in _card(card, patient):
            tag, _, text = row.partition(" ")
            yield f"{tag} cards[{index}]{text}"


def _card(card: dict[str, Any], patient: str | None) -> Iterator[str]:
    yield from _strings(card, ("summary", "indicator"))
    yield from _summary(card.get("summary", ""))
    if not _UUID.fullmatch(str(card.get("uuid"))):
        yield "C-3 .uuid: must be an RFC 4122 UUID without prefix"
    if card.get("indicator") not in ("info", "warning"):
        yield "C-6 .indicator: this service says info or warning"
    yield from _source(card.get("source"))
    yield from _detail(card.get("detail"))
    yield from _reasons(card.get("overrideReasons"))
    suggestions = card.get("suggestions", [])
    if suggestions and card.get("selectionBehavior") != "any":
        yield "C-11 .selectionBehavior: must be any beside suggestions"
    if not suggestions and "selectionBehavior" in card:
        yield "C-15 .selectionBehavior: without suggestions"
    drafted: Counter[str] = Counter()
    for suggestion in suggestions:
        yield from _suggestion(suggestion, patient)
        drafted.update(_fingerprint(action) for action in suggestion.get("actions", ()))
    yield from (f"S-4 .suggestions: {what} is drafted {n} times" for what, n in drafted.items() if n > 1)
    for link in card.get("links", ()):
        yield from _link(link)
    known = {"uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons"}
    yield from (f"X-7 .{key}: not a member of a card" for key in card if key not in known | {"links"})


def _strings(body: dict[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if not isinstance(body.get(name), str):
            yield f"C-4 .{name}: must be a string"


def _summary(summary: Any) -> Iterator[str]:
    if not isinstance(summary, str):
        return
    if len(summary) > 139:
        yield f"C-4 .summary: {len(summary)} characters"
    if any(mark in summary for mark in ("\n", "**", "`", "](", "\\")) or summary.startswith(("#", "- ")):
        yield "C-4 .summary: must be plain text in one line"
    if _NEVER_SAID.search(summary):
        yield "REG-1 .summary: a word that is never said"


def _source(source: Any) -> Iterator[str]:
    if not isinstance(source, dict):
        yield "C-7 .source: must be an object"
        return
    if not isinstance(source.get("label"), str) or len(source["label"]) > 60:
        yield "C-7 .source.label: must be a short string"
    if not _absolute(source.get("url")):
        yield "C-8 .source.url: must be absolute and https"
    topic = source.get("topic")
    if not isinstance(topic, dict) or not re.fullmatch(r"[A-Za-z0-9]{1,100}", str(topic.get("code"))):
        yield "C-10 .source.topic: needs an alphanumeric code"
    elif not urlsplit(str(topic.get("system"))).scheme:
        yield "C-10 .source.topic.system: must be a URI"


def _detail(detail: Any) -> Iterator[str]:
    if detail is None:
        return
    if not isinstance(detail, str):
        yield "C-5 .detail: must be a string"
        return
    for token in _tokens(detail):
        if token.type in ("html_block", "html_inline"):
            yield f"C-5 .detail: raw HTML {token.content!r}"
        if token.type == "image":
            yield "C-5 .detail: an image"
        if token.type == "link_open" and not _absolute(token.attrGet("href")):
            yield f"C-5 .detail: link to {token.attrGet('href')!r}"
        if token.type == "heading_open":
            yield "C-5 .detail: a heading (clients render them huge)"
    first = detail.split("\n\n", 1)[0]
    if len(first) > 300:
        yield f"EHR-11 .detail: the first paragraph has {len(first)} characters"
    if _NEVER_SAID.search(_QUOTED.sub("", detail)):
        yield "REG-1 .detail: a word that is never said"


def _tokens(markdown: str) -> Iterator[Any]:
    for block in GFM.parse(markdown):
        yield block
        yield from block.children or ()


def _reasons(reasons: Any) -> Iterator[str]:
    if not isinstance(reasons, list) or not 3 <= len(reasons) <= 5:
        yield "EFF-4 .overrideReasons: three to five"
        return
    for reason in reasons:
        if not all(isinstance(reason.get(key), str) for key in ("code", "system", "display")):
            yield "C-13 .overrideReasons: each needs code, system and display"
        elif reason["system"] != _REASON_SYSTEM or reason["code"] not in _REASON_CODES:
            yield f"C-13 .overrideReasons: {reason['code']} is not in the code system"
    if len({reason.get("code") for reason in reasons}) != len(reasons):
        yield "C-13 .overrideReasons: a code occurs twice"


def _suggestion(suggestion: dict[str, Any], patient: str | None) -> Iterator[str]:
    if not isinstance(suggestion.get("label"), str) or len(suggestion["label"]) > 150:
        yield "S-1 .suggestions.label: must be a short string"
    elif _NEVER_SAID.search(suggestion["label"]):
        yield "REG-1 .suggestions.label: a word that is never said"
    if not _UUID.fullmatch(str(suggestion.get("uuid"))):
        yield "S-2 .suggestions.uuid: must be an RFC 4122 UUID"
    if suggestion.get("isRecommended"):
        yield "REG-2 .suggestions.isRecommended: nothing is pre-selected"
    if "actionSelectionBehavior" in suggestion:
        yield "S-11 .suggestions.actionSelectionBehavior: never sent"
    actions = suggestion.get("actions")
    if not isinstance(actions, list) or len(actions) != 1:
        yield "S-4 .suggestions.actions: exactly one"
        return
    action = actions[0]
    if action.get("type") != "create":
        yield "S-6 .suggestions.actions.type: this service creates drafts only"
    if not isinstance(action.get("description"), str) or not action["description"]:
        yield "S-7 .suggestions.actions.description: is required"
    if not isinstance(action.get("resource"), dict):
        yield "S-8 .suggestions.actions.resource: must be an object"
        return
    yield from (f"S-8 .suggestions.actions.resource: {text}" for text in _resource(action["resource"], patient))


def _resource(resource: dict[str, Any], patient: str | None) -> Iterator[str]:
    kind = resource.get("resourceType")
    if kind not in ("ServiceRequest", "MedicationRequest", "Observation", "Condition"):
        yield f"{kind} is nothing that this service creates"
        return
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as error:
        first = error.errors()[0]
        yield f"not valid R4: {'.'.join(str(p) for p in first['loc'])}: {first['msg']}"
    if "id" in resource or "meta" in resource:
        yield "id and meta are the server's"
    reference = resource.get("subject", {}).get("reference")
    if not str(reference).startswith("Patient/") or (patient is not None and reference != patient):
        yield f"subject is {reference}"
    if kind in _REASON_REFERENCES:
        if resource.get("status") != "draft" or resource.get("intent") not in ("proposal", "plan"):
            yield "must be a draft and a proposal"
        concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
        coding = concept.get("coding", [])
        if not coding or not concept.get("text"):
            yield "an uncoded or unnamed order"
        if any(not (c.get("system") and c.get("code") and c.get("display")) for c in coding):
            yield "a coding without system, code or display"
        for reason in resource.get("reasonReference", ()):
            if not reason["reference"].startswith(_REASON_REFERENCES[kind]):
                yield f"reasonReference to {reason['reference']}"
        if not resource.get("note"):
            yield "no note that it is a proposal"
    for site in _list(resource.get("bodySite")):
        if not site.get("text"):
            yield "a body site without words"


def _fingerprint(action: dict[str, Any]) -> str:
    resource = action.get("resource", {})
    concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    value = resource.get("valueCodeableConcept", {}).get("text", "")
    return f"{resource.get('resourceType')} {concept.get('text')} {value}".strip()


def _link(link: dict[str, Any]) -> Iterator[str]:
    if not all(isinstance(link.get(key), str) for key in ("label", "url", "type")):
        yield "L-1 .links: label, url and type are required"
        return
    if link["type"] not in ("absolute", "smart"):
        yield "L-2 .links.type: absolute or smart"
    if not _absolute(link["url"]):
        yield "L-2 .links.url: must be absolute and https"
    if "appContext" in link and (link["type"] != "smart" or not isinstance(link["appContext"], str)):
        yield "L-3 .links.appContext: a string, on smart links only"
    if "autolaunchable" in link:
        yield "L-4 .links.autolaunchable: never set"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value is not None else []


def _absolute(url: Any) -> bool:
    """An absolute https URL; http only for this machine (the sandbox)."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.netloc)
    return parts.scheme == "http" and _loopback(parts.hostname or "")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "testserver")
