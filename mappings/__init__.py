"""What FHIR data *means* here: code lists, units, dates, free text, and the reader from raw FHIR JSON to facts."""
