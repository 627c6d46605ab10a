"""The edge: HTTP, settings, tenants, the FHIR reader, storage, the command line and the embedded sandbox."""

__version__ = "0.1.0"
