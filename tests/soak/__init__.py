"""Mixed load for as long as wanted on a real service in production profile, with faults in the FHIR server.

`python -m tests.soak` (make soak): see docs/soak.md. `fhir` is the FHIR server with the faults, `plans` what is asked,
`expected` the right answer to each, `callers` ask and compare, `watch` says whether what was measured stayed flat.
"""
