"""Reading from an EHR's FHIR server: one door out, one client, reasons instead of exceptions."""
