"""The companion: the conversation about one patient, as a page and as a FHIR questionnaire."""
