"""A Bulk Data export made up for the benchmark: the same bytes from the same arguments, on every machine.

Synthetic and uniform, written without an encoder for speed; about 1.3 kB an Observation, as laboratory results are
in practice. One patient in `RARE` has a connective tissue disease, and most of those a nodule and a normal calcium."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from pathlib import Path

PATIENTS, OBSERVATIONS = 20_000, 1_000_000
RARE = 100
"""one patient in so many has a connective tissue disease."""
_LABS = (
    ("2000-8", "Calcium [Moles/volume] in Serum or Plasma", "mmol/L", 2.15, 2.55),
    ("17861-6", "Calcium [Mass/volume] in Serum or Plasma", "mg/dL", 8.6, 10.2),
    ("2777-1", "Phosphate [Mass/volume] in Serum or Plasma", "mg/dL", 2.5, 4.5),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 0.6, 1.2),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 12.0, 16.0),
    ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*3/uL", 4.0, 11.0),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "10*3/uL", 150, 400),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 70, 110),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 3.5, 5.1),
    ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L", 136, 145),
    ("1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "U/L", 7, 56),
    ("1988-5", "C reactive protein [Mass/volume] in Serum or Plasma", "mg/L", 0, 5),
)
_COMMON = (
    ("38341003", "I10", "Hypertensive disorder, systemic arterial (disorder)", "Essential hypertension"),
    ("44054006", "E11.9", "Diabetes mellitus type 2 (disorder)", "Type 2 diabetes mellitus"),
    ("195967001", "J45.909", "Asthma (disorder)", "Asthma"),
    ("396275006", "M19.90", "Osteoarthritis (disorder)", "Osteoarthritis"),
)
_CTD = (
    ("55464009", "M32.9", "Systemic lupus erythematosus (disorder)", "Systemic lupus erythematosus"),
    ("396230008", "M33.90", "Dermatomyositis (disorder)", "Dermatomyositis"),
    ("89155008", "M34.9", "Systemic sclerosis (disorder)", "Systemic sclerosis"),
    ("69896004", "M06.9", "Rheumatoid arthritis (disorder)", "Rheumatoid arthritis"),
)


def write(folder: Path, patients: int = PATIENTS, observations: int = OBSERVATIONS, seed: int = 9) -> list[Path]:
    """Writes the export into the folder, one type a file, Observations in ten; the files in order."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "Patient": _people(patients, seed),
        "Condition": _conditions(patients, seed),
        "Encounter": _encounters(patients, seed),
    }
    written = [_file(folder / f"{kind}.ndjson", lines) for kind, lines in parts.items()]
    size = -(-observations // 10)
    for number in range(10):
        first, last = number * size, min((number + 1) * size, observations)
        written.append(_file(folder / f"Observation.{number}.ndjson", _observations(first, last, patients, seed)))
    exams = ((p, random.Random(f"{seed} exam {p}")) for p in range(0, patients, RARE))
    written.append(_file(folder / "Observation.exam.ndjson", (_exam(p, rnd) for p, rnd in exams)))
    return written


def compress(path: Path) -> Path:
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), 1, mtime=0))
    path.unlink()
    return packed


def _file(path: Path, lines: Iterator[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(lines)
    return path


def _people(patients: int, seed: int) -> Iterator[str]:
    rnd = random.Random(f"{seed} people")
    for p in range(patients):
        sex, year = rnd.choice(("female", "male")), rnd.randint(1935, 2008)
        yield (
            f'{{"resourceType":"Patient","id":"p{p:07d}","meta":{{"tag":[{{"code":"synthetic"}}]}},'
            f'"gender":"{sex}","birthDate":"{year}-{rnd.randint(1, 12):02d}-{rnd.randint(1, 28):02d}"}}\n'
        )


def _conditions(patients: int, seed: int) -> Iterator[str]:
    rnd = random.Random(f"{seed} conditions")
    for p in range(patients):
        found = rnd.sample(_COMMON, rnd.randint(0, 3))
        if p % RARE == 0:
            found.append(rnd.choice(_CTD))
        for number, (snomed, icd, display, title) in enumerate(found):
            year = rnd.randint(2005, 2024)
            yield (
                f'{{"resourceType":"Condition","id":"c{p:07d}-{number}","meta":{{"versionId":"1","lastUpdated":'
                f'"{year}-03-01T10:00:00Z"}},"clinicalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/'
                f'CodeSystem/condition-clinical","code":"active"}}]}},"verificationStatus":{{"coding":[{{"system":'
                f'"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed"}}]}},"category":'
                f'[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-category","code":'
                f'"problem-list-item"}}]}}],"code":{{"coding":[{{"system":"http://snomed.info/sct","code":"{snomed}",'
                f'"display":"{display}"}},{{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"{icd}"}}],'
                f'"text":"{title}"}},"subject":{{"reference":"Patient/p{p:07d}"}},"onsetDateTime":"{year}-02-11",'
                f'"recordedDate":"{year}-03-01"}}\n'
            )


def _encounters(patients: int, seed: int) -> Iterator[str]:
    rnd = random.Random(f"{seed} encounters")
    for p in range(patients):
        for number in range(rnd.randint(1, 4)):
            day = f"2025-{rnd.randint(1, 12):02d}-{rnd.randint(1, 28):02d}"
            yield (
                f'{{"resourceType":"Encounter","id":"e{p:07d}-{number}","status":"finished","class":{{"code":"AMB"}},'
                f'"subject":{{"reference":"Patient/p{p:07d}"}},"period":{{"start":"{day}T08:00:00Z",'
                f'"end":"{day}T08:30:00Z"}}}}\n'
            )


def _observations(first: int, last: int, patients: int, seed: int) -> Iterator[str]:
    rnd = random.Random(f"{seed} observations {first}")
    for number in range(first, last):
        p = number * 7919 % patients
        code, display, unit, low, high = _LABS[number % 12]
        value = round(low + (high - low) * rnd.random(), 2)
        day = f"20{rnd.randint(20, 25)}-{rnd.randint(1, 12):02d}-{rnd.randint(1, 28):02d}"
        yield (
            f'{{"resourceType":"Observation","id":"o{number:09d}","meta":{{"versionId":"1","lastUpdated":'
            f'"{day}T12:00:00.000+00:00","profile":["http://hl7.org/fhir/us/core/StructureDefinition/'
            f'us-core-observation-lab"]}},"identifier":[{{"system":"urn:oid:1.2.36.146.595.217.0.1","value":'
            f'"{number * 31:012d}"}}],"status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/'
            f'CodeSystem/observation-category","code":"laboratory","display":"Laboratory"}}],"text":"Laboratory"}}],'
            f'"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}","display":"{display}"}},{{"system":'
            f'"urn:oid:1.2.840.114350.1.13.0.1.7.5.737384","code":"LAB{number % 12:04d}","display":"{display}"}}],'
            f'"text":"{display}"}},"subject":{{"reference":"Patient/p{p:07d}"}},"encounter":{{"reference":'
            f'"Encounter/e{p:07d}-0"}},"effectiveDateTime":"{day}T08:30:00+00:00","issued":"{day}T11:58:21.000+00:00",'
            f'"performer":[{{"reference":"Organization/lab-1","display":"Central Laboratory"}}],"valueQuantity":'
            f'{{"value":{value},"unit":"{unit}","system":"http://unitsofmeasure.org","code":"{unit}"}},'
            f'"interpretation":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/'
            f'v3-ObservationInterpretation","code":"N","display":"Normal"}}]}}],"referenceRange":[{{"low":{{"value":'
            f'{low},"unit":"{unit}"}},"high":{{"value":{high},"unit":"{unit}"}}}}]}}\n'
        )


def _exam(p: int, rnd: random.Random) -> str:
    day = f"2025-{rnd.randint(9, 12):02d}-{rnd.randint(1, 28):02d}"
    words = rnd.choice(("Stony-hard nodules over both elbows", "Firm nodule, left forearm", "Skin without lesions"))
    head = (
        f'{{"resourceType":"Observation","id":"x{p:07d}","status":"final","category":[{{"coding":[{{"code":"exam"}}]}}]'
    )
    subject = f'"subject":{{"reference":"Patient/p{p:07d}"}},"effectiveDateTime":"{day}"'
    return f'{head},"code":{{"text":"Skin examination"}},{subject},"valueString":"{words}"}}\n'
