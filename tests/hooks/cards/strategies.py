"""Any assessment that could be: every grade and card, any mixture of criteria, hostile chart text, any completeness."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from hooks.knowledge import load_knowledge
from hooks.knowledge.card_schema import load_cards, load_orderables
from hooks.model import (
    Assessment,
    Criteria,
    CtdCriterion,
    Differential,
    KidneyCriterion,
    LabCriterion,
    LesionCriterion,
    RedFlag,
    ReportCriterion,
    TherapyItem,
    WorkupItem,
)
from mappings.dates import PartialDate
from mappings.facts import NEEDS, Action, Completeness, Finding, Lesion, PatientFacts, Quarantined, Site

HOSTILE = (
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/x.png)",
    "http://evil.example www.evil.example a@b.example",
    "`code` **bold** | table | \n# heading\n- list\n---\n\n<b>",
    "\u202egnp.exe \u200b\x00\x07 hard",
    "“quote” & <= 5 \\ ~~x~~",
    "a" * 400,
    "ßøé 硬い結節 " * 20,
    "{grade} {0} %s",
)
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60), st.just("hard nodules on the left forearm"))
ids = st.from_regex(r"[A-Za-z0-9\-.]{1,64}", fullmatch=True)
refs = st.one_of(
    st.builds("{}/{}".format, st.sampled_from(["Condition", "Observation", "DiagnosticReport", "Procedure"]), ids),
    st.just("Observation/shared"),
    st.just("Condition/shared"),
)
evidence = st.lists(refs, max_size=8).map(tuple)
days = st.dates(date(1990, 1, 1), date(2030, 1, 1))
partial_dates = st.one_of(
    days.map(PartialDate.of),
    st.sampled_from(["2024", "2024-05"]).map(PartialDate.parse),
    st.tuples(days, days).map(lambda pair: PartialDate(min(pair), max(pair))),
)
date_texts = st.one_of(st.none(), partial_dates.map(str))
numbers = st.decimals(Decimal("0"), Decimal("100000"), places=3, allow_nan=False)
sides = st.sampled_from([None, "left", "right", "bilateral"])
sites = st.builds(
    Site,
    region=st.sampled_from(["forearm", "hand", "head-face"]),
    place=st.sampled_from(["forearm", "finger", "pre-auricular", "scrotum", ""]),
    laterality=sides,
    code=st.sampled_from([None, "14975008"]),
    display=st.sampled_from([None, "Forearm structure"]),
)
lesions = st.builds(
    Lesion,
    ref=refs,
    kind=st.sampled_from(list(load_cards().lesions.kinds)),
    label=texts,
    hardness=st.sampled_from(list(load_cards().lesions.hardness)),
    sites=st.lists(sites, max_size=3).map(tuple),
    onset=st.one_of(st.none(), partial_dates),
    recorded=st.one_of(st.none(), partial_dates),
    count=st.sampled_from([None, 1, 7]),
    confidential=st.booleans(),
)
findings = st.builds(
    Finding,
    concepts=st.just(frozenset({"ctd.sle"})),
    label=texts,
    ref=refs,
    confidential=st.booleans(),
    sites=st.lists(sites, max_size=2).map(tuple),
)
labs = st.builds(
    LabCriterion,
    status=st.sampled_from(["normal", "high", "low", "borderline", "indeterminate", "stale", "unknown"]),
    because=texts,
    kind=st.sampled_from([None, "total", "ionized", "adjusted"]),
    category=st.sampled_from([None, "normal", "high", "low", "borderline"]),
    value=st.one_of(st.none(), numbers),
    unit=st.one_of(st.none(), texts, st.just("mmol/L")),
    low=st.one_of(st.none(), numbers),
    high=st.one_of(st.none(), numbers),
    range_source=st.sampled_from([None, "laboratory", "fallback"]),
    date=date_texts,
    critical=st.booleans(),
    discordant=st.booleans(),
    evidence=evidence,
)
reports = st.builds(
    ReportCriterion,
    status=st.sampled_from(["positive", "negative", "not-done", "unknown"]),
    because=texts,
    date=date_texts,
    evidence=evidence,
)
criteria = st.builds(
    Criteria,
    ctd=st.builds(
        CtdCriterion,
        status=st.just("met"),
        because=texts,
        certainty=st.sampled_from(["confirmed", "suspected"]),
        diagnoses=st.lists(st.sampled_from(list(load_cards().diagnoses)), max_size=5, unique=True).map(tuple),
        evidence=evidence,
    ),
    lesion=st.builds(
        LesionCriterion,
        status=st.just("met"),
        because=texts,
        hardness=st.sampled_from([None, "definite", "possible", "equivalent", "unstated"]),
        newness=st.sampled_from(["N1", "N2", "N3", "N4"]),
        newness_certain=st.booleans(),
        extent=st.sampled_from(["localized", "extensive", "unknown"]),
        evidence=evidence,
        body_sites=st.lists(sites, max_size=7).map(tuple),
    ),
    calcium=labs,
    phosphate=labs,
    pth=labs,
    kidney=st.builds(
        KidneyCriterion,
        status=st.sampled_from(["normal", "reduced", "severe", "unknown"]),
        because=texts,
        evidence=evidence,
    ),
    imaging=reports,
    biopsy=reports,
)
rules = st.lists(st.sampled_from(["D3", "G2", "M1", "W1w", "none-such"]), max_size=4, unique=True).map(tuple)
workup_ids = tuple(load_orderables().workup)
therapy_ids = tuple(therapy.id for therapy in load_knowledge().therapies.therapies)
workup = st.lists(
    st.builds(
        WorkupItem,
        id=st.sampled_from(workup_ids),
        decision=st.sampled_from(["offer", "already-done", "already-ordered", "not-indicated", "avoid"]),
        because=texts,
        evidence=evidence,
        sites=st.lists(sites, max_size=2).map(tuple),
    ),
    max_size=12,
    unique_by=lambda item: item.id,
).map(tuple)
therapies = st.lists(
    st.builds(
        TherapyItem,
        id=st.sampled_from(therapy_ids),
        decision=st.sampled_from(["offer", "warn", "need", "block", "not-indicated"]),
        orderable=st.booleans(),
        because=texts,
        rules=rules,
        notes=st.lists(texts, max_size=4).map(tuple),
        needs=st.lists(st.sampled_from([*workup_ids, "vitals"]), max_size=3).map(tuple),
        cap=st.one_of(st.none(), st.just("180 mg/d")),
        evidence=evidence,
        described=st.booleans(),
        fits=st.booleans(),
    ),
    max_size=20,
    unique_by=lambda item: item.id,
).map(tuple)
KINDS = ("none", "incomplete", "detection", "management", "alternative", "urgent")
assessments = st.builds(
    lambda **given: Assessment(**given),
    knowledge_version=st.just("1.0.0"),
    as_of=days,
    patient=ids.map("Patient/{}".format),
    grade=st.sampled_from(list(load_cards().grades)),
    card=st.sampled_from(KINDS),
    criteria=criteria,
    subtype=st.sampled_from([None, *load_cards().subtypes]),
    mixed_with=st.sampled_from([None, *load_cards().subtypes]),
    because=st.lists(texts, max_size=4).map(tuple),
    would_change=st.lists(texts, max_size=5).map(tuple),
    notes=st.lists(texts, max_size=4).map(tuple),
    red_flags=st.lists(
        st.builds(RedFlag, id=st.sampled_from(list(load_cards().flags)), text=texts, evidence=evidence), max_size=4
    ).map(tuple),
    differential=st.lists(
        st.builds(
            Differential,
            id=st.sampled_from(list(load_cards().mimics)),
            because=texts,
            separating_test=texts,
            evidence=evidence,
        ),
        max_size=5,
    ).map(tuple),
    missing=st.lists(st.sampled_from(workup_ids), max_size=6, unique=True).map(tuple),
    workup=workup,
    therapies=therapies,
    completeness=st.dictionaries(
        st.sampled_from(NEEDS),
        st.builds(Completeness, st.sampled_from(["complete", "partial", "unavailable"]), st.one_of(st.none(), texts)),
    ),
    quarantined=st.lists(st.builds(Quarantined, reference=texts, reason=texts), max_size=8).map(tuple),
    sources=st.lists(st.sampled_from(["balin2012", "none_such"]), max_size=3).map(tuple),
)
facts = st.builds(
    PatientFacts,
    reference=st.just("Patient/any"),
    findings=st.lists(findings, max_size=4).map(tuple),
    lesions=st.lists(lesions, max_size=5).map(tuple),
    actions=st.lists(
        st.builds(
            Action,
            ref=refs,
            label=texts,
            kind=st.sampled_from(["done", "ordered", "draft"]),
            workup=st.frozensets(st.sampled_from(workup_ids), max_size=3),
        ),
        max_size=3,
    ).map(tuple),
    not_understood=st.lists(texts, max_size=3).map(tuple),
)
