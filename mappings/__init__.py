"""What FHIR data *means* here: code lists, units, dates, free text, and the reader that turns raw FHIR JSON into facts."""
