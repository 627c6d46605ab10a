"""The late wave: clinical notes of a patient in whom a connective tissue disease was found and no lesion yet.

Notes are many and long, and most patients' say nothing to the question. So they are read where a hospital asks for it,
and only where they may change the answer: a silent patient costs nothing."""

from __future__ import annotations

from msgspec.structs import replace

from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.notes import BINARY, DOCUMENT, not_read, read_notes
from cds_service.gather import granted
from hooks.model import Assessment
from hooks.wire import FhirAuthorization
from mappings.raw import RawChart
from mappings.reader.identity import WITHOUT_ID, reference_of
from mappings.unread import Unread


def wants_notes(found: Assessment) -> bool:
    """Whether notes may change the answer."""
    return not found.unreadable and found.criteria.ctd.status == "met" and found.criteria.lesion.status != "met"


async def with_notes(
    chart: RawChart, token: FhirAuthorization | None, client: FhirClient, deadline: Deadline
) -> RawChart:
    """The chart with the patient's newest notes, as far as the token lets us read them; the chart itself when there are
    none. It was read already: what was taken apart in it is whole again."""
    scope = token.scope if token is not None else ""
    other = token is not None and token.patient not in (None, chart.patient_id)
    if other or granted(scope, DOCUMENT) == "none":
        return replace(chart, quarantined=(*chart.quarantined, not_read("scope")))
    patients = chart.aliases | {chart.patient_id}
    texts = granted(scope, BINARY, search=False) != "none"
    notes = await read_notes(client, patients, chart.patient_id, deadline, texts=texts)
    if not notes.documents and not notes.left_out:
        return chart
    newer = {reference_of(one) for one in notes.documents} - {f"{DOCUMENT}{WITHOUT_ID}"}
    kept = (
        one.decoded() if type(one) is Unread else one
        for one in chart.resources
        if one.get("resourceType") != DOCUMENT or reference_of(one) not in newer
    )
    return replace(chart, resources=(*kept, *notes.documents), quarantined=(*chart.quarantined, *notes.left_out))
