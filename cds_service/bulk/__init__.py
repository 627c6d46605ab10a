"""FHIR Bulk Data client: kick-off, polling, download, and starting again where it stopped.

What comes out is a folder of NDJSON that `cds-service screen` reads."""
