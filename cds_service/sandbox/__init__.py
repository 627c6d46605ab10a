"""The embedded sandbox: a FHIR R4 server with the published cases, and a reference EHR page that calls the service."""

from cds_service.sandbox.process import demo, run, today

__all__ = ["demo", "run", "today"]
