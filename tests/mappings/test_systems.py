"""Code systems under the spellings of real servers."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mappings import systems
from mappings.systems import canonical


@pytest.mark.parametrize(
    ("written", "uri"),
    [
        ("http://snomed.info/sct", systems.SNOMED),
        ("http://snomed.info/sct/", systems.SNOMED),
        ("https://snomed.info/sct", systems.SNOMED),
        ("http://snomed.info/sct|http://snomed.info/sct/731000124108/version/20240301", systems.SNOMED),
        ("http://snomed.info/sct/900000000000207008", systems.SNOMED),
        ("urn:oid:2.16.840.1.113883.6.96", systems.SNOMED),
        ("URN:OID:2.16.840.1.113883.6.96", systems.SNOMED),
        ("2.16.840.1.113883.6.96", systems.SNOMED),
        ("oid:2.16.840.1.113883.6.1", systems.LOINC),
        (" http://loinc.org ", systems.LOINC),
        ("http://www.loinc.org/", systems.LOINC),
        ("http://hl7.org/fhir/sid/icd-10-cm|2026", systems.ICD10CM),
        ("urn:oid:2.16.840.1.113883.6.90", systems.ICD10CM),
        ("urn:oid:2.16.840.1.113883.6.3", systems.ICD10),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm", systems.ICD10),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm|2024", systems.ICD10),
        ("http://hl7.org/fhir/sid/icd-10-am", systems.ICD10),
        ("http://hl7.org/fhir/sid/icd-9-cm/", systems.ICD9CM),
        ("urn:oid:2.16.840.1.113883.6.103", systems.ICD9CM),
        ("urn:oid:2.16.840.1.113883.6.88", systems.RXNORM),
        ("http://www.whocc.no/atc", systems.ATC),
        ("urn:oid:2.16.840.1.113883.6.8", systems.UCUM),
        ("http://hl7.org/fhir/v2/0078", "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"),
        ("http://hl7.org/fhir/v3/Confidentiality", "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"),
    ],
)
def test_spelling(written, uri):
    assert canonical(written) == uri


def test_procedure_codes_of_icd_are_no_diagnoses():
    assert canonical("urn:oid:2.16.840.1.113883.6.104") not in (systems.ICD9CM, systems.ICD10CM)
    assert canonical("http://hl7.org/fhir/sid/icd-9-cm/procedure") != systems.ICD9CM
    assert canonical("urn:oid:2.16.840.1.113883.6.4") != systems.ICD10


def test_who_icd_10_is_not_icd_10_cm():
    assert canonical("http://hl7.org/fhir/sid/icd-10") != canonical("http://hl7.org/fhir/sid/icd-10-cm")


def test_an_unknown_system_is_equal_to_itself_only():
    assert canonical("https://hospital.example/codes/") == canonical("https://hospital.example/codes")
    assert canonical("https://hospital.example/codes") != canonical("https://hospital.example/other")


@pytest.mark.parametrize("nothing", [None, "", "   ", 7, {}, "x" * 100_000, "|1.0"])
def test_no_system(nothing):
    assert canonical(nothing) is None


@given(st.text(max_size=80) | st.text(alphabet="htps:/w.|# \r\x1d0oidurn", max_size=30))
@example("0\r|")
@example("http://http://x")
def test_never_raises_and_is_stable(text):
    once = canonical(text)
    assert once is None or canonical(once) == once


def test_names_and_uris_belong_together():
    for name in ("SNOMED CT", "ICD-10-CM", "ICD-10", "ICD-9-CM", "LOINC", "RxNorm", "ATC"):
        uri = systems.system_uri(name)
        assert uri is not None
        assert systems.system_name(uri) == name
        assert canonical(uri) == uri
