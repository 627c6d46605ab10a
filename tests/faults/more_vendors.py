"""More FHIR servers with the manners of real ones (`vendors.py`): how they refuse, number and link their pages, and in
which forms they write references.

athenahealth: https://docs.athenahealth.com/api/guides/rate-limiting (429). Google Cloud Healthcare API:
https://cloud.google.com/healthcare-api/docs/how-tos/fhir-search (`_page_token`). Azure Health Data Services:
https://learn.microsoft.com/azure/healthcare-apis/fhir/overview-of-search (`ct`, `Prefer: handling=strict`). Aidbox:
https://docs.aidbox.app (entries without fullUrl). Firely Server: https://docs.fire.ly (`_skip`)."""

from __future__ import annotations

from typing import Any

from tests.faults.vendors import Parameters, Refusal, Resource, Vendor

_KNOWN = {"patient", "category", "code", "status", "_count"}


class Athena(Vendor):
    """Too many calls at once: every first question of its kind is sent away for a moment. No POST."""

    posts = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._once: set[str] = set()

    def answer(self, method: str, base: str, path: str, query: str, form: str, headers: dict[str, str]) -> Any:
        if path != "/metadata" and path not in self._once:
            self._once.add(path)
            raise Refusal(429, "throttled", headers={"retry-after": "0"})
        return super().answer(method, base, path, query, form, headers)


class Google(Vendor):
    """No total; a token of its own for each page, behind a path that ends with a slash."""

    page_parameter = "_page_token"

    def next_page(self, base: str, kind: str, session: str) -> Resource:
        found = super().next_page(base, kind, session)
        for link in found.get("link", ()):
            link["url"] = link["url"].replace(f"/{kind}?", f"/{kind}/?")
        return found


class Azure(Vendor):
    """Handles searches strictly: what it does not know is a 400. Continues by `ct`; says the same link twice."""

    page_parameter = "ct"
    includes = False
    max_count = 1000

    def check(self, kind: str, parameters: Parameters) -> None:
        super().check(kind, parameters)
        if not {name for name, _ in parameters} <= _KNOWN | {"_sort"}:
            raise Refusal(400, "invalid")

    def next_page(self, base: str, kind: str, session: str) -> Resource:
        found = super().next_page(base, kind, session)
        found["link"] = [{"relation": "self", "url": f"{base}/{kind}"}, *found.get("link", ())]
        return found


class Aidbox(Vendor):
    """Links from the root of the host, entries without fullUrl, numbers of all matches."""

    page_parameter = "page"

    def search(self, base: str, kind: str, parameters: Parameters) -> Resource:
        found = super().search("", kind, parameters)
        return found | {"total": len(self._pages[max(self._pages, key=self._age)])}

    @staticmethod
    def _age(session: str) -> int:
        return int(session.rpartition("-")[2])

    def next_page(self, base: str, kind: str, session: str) -> Resource:
        return super().next_page("", kind, session)


class Unprocessable(Vendor):
    """Refuses what it does not know as 422; a category is demanded for Observations. Drugs stand inside the request."""

    posts = False
    includes = False

    def check(self, kind: str, parameters: Parameters) -> None:
        names = {name for name, _ in parameters}
        if not names <= _KNOWN - {"_count"}:
            raise Refusal(422, "invalid")
        if kind == "Observation" and not names & {"category", "code"}:
            raise Refusal(422, "required")

    def changed(self, resource: Resource) -> Resource:
        drug = resource.get("medicationReference")
        if drug is None:
            return resource
        inner = next(r for r in self.resources if f"{r['resourceType']}/{r['id']}" == drug["reference"])
        return resource | {"contained": [inner | {"id": "med"}], "medicationReference": {"reference": "#med"}}


class Versioned(Vendor):
    """References are absolute and name the version of what they mean."""

    def changed(self, resource: Resource) -> Resource:
        named = {}
        for element in ("subject", "patient", "medicationReference"):
            reference = resource.get(element, {}).get("reference")
            if reference is not None:
                named[element] = {"reference": f"https://internal.example.org/r4/{reference}/_history/4"}
        return resource | named


class Containing(Vendor):
    """The patient stands inside every resource."""

    def changed(self, resource: Resource) -> Resource:
        name = next((e for e in ("subject", "patient") if e in resource), None)
        if name is None:
            return resource
        inner = {"resourceType": "Patient", "id": "subject"}
        return resource | {name: {"reference": "#subject"}, "contained": [*resource.get("contained", ()), inner]}


MORE_VENDORS: dict[str, type[Vendor]] = {
    "athena": Athena,
    "google": Google,
    "azure": Azure,
    "aidbox": Aidbox,
    "unprocessable": Unprocessable,
    "versioned": Versioned,
    "containing": Containing,
}
