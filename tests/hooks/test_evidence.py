"""The evidence base: complete, well-formed, and honest about how each source was read."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from hooks.knowledge.base import KnowledgeError, load
from hooks.knowledge.evidence import EvidenceBase, load_evidence

CASES = ("lopez2017", "bhatia2001", "sousa2021", "herreromoyano2018", "thakur")

# every key that the clinical specification cites: text, tables of therapies, safety rules
CITED = (
    "aad_tnf actonel_ref aherne1978 alen_label alen_ref alucap antitnf2020 badawi2020 balin2012 baron2016 binosto "
    "bmcneph2020 bottiger2001 bottomley1996 burritt1990 ca_datamined calci_marburg calci_nonuraemic calci_uk "
    "calciphylaxis_pain calcref1 cari2005 carra2018 certican chop2013 colch_cv colch_ehj colch_label colch_orca "
    "colch_pk colch_renal colcrys crowson1997 davis_lab davuluri2022 desgagnes2025 dilt_dr dilt_hf_guideline "
    "dilt_hk dilt_hp dilt_inj dilt_interact dilt_it dilt_label dilt_mims_int dilt_moderate dilt_pt dilt_smpc "
    "dilt_us dima2014 dmbook doac2026 edren_sts fonseca2019 gronhagen2012 handsurg2021 hoeltzel2014 "
    "iatrogenic_mdedge ilsts2021 imacs2023 ivab ivig_cautions jaad2007 jdm_cohorts jones1997 kdoqi kdoqi_ped "
    "kothari2004 kwon2016 lian2018 lova_label mayo_ca mayo_cai mayo_phos medscape_ca medscape_cc medscape_colch "
    "medscape_crest mgh_sle2022 mino_int mino_label mino_smpc mino_uk mormile2023 nair_cmc narvaez2019 nbt_ca "
    "newcastle_phos nowaczyk2021 octagam pam2015 pam_label pam_renal pmr2022 probe_label probe_pen probe_us "
    "prograf_case prograf_mims quet reiter1 renalbook rise_label robertson2003 rtx_hbv rtx_hcp rtx_igg rtx_pn "
    "rtxfail2016 sae1_italy schlienger2000 sfe_ca sildenafil_ch simva_ch simva_dilt sprague2014 srivastava2003 "
    "statpearls sts_label susomboon2022 taborn1978 terkeltaub2011 tofa2023 traineau2020 ucsf_ca ukph_ca "
    "units_csmu units_qmc units_vitd valenzuela2016 valenzuela2018 valenzuela2020 vayssairat1998 vka_calci voclo "
    "wjd2016 "
)


def test_every_cited_key_has_an_entry():
    assert load_evidence().missing((*CITED.split(), *CASES)) == ()


def test_only_the_published_cases_were_read_in_full():
    assert {key for key, source in load_evidence().sources.items() if source.read == "full"} == set(CASES)


@pytest.mark.parametrize("key", sorted(load_evidence().sources))
def test_entry_is_well_formed(key):
    source = load_evidence().sources[key]
    assert source.key == key
    if source.link is not None:
        parts = urlsplit(source.link)
        assert parts.scheme == "https"
        assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]{2,}", parts.netloc)
        assert " " not in source.link
    for claim in source.claims:
        assert claim.text.endswith(".")
        assert len(claim.text) < 330
        assert all(re.fullmatch(r"[a-z0-9-]+", topic) for topic in claim.topics)


def test_a_label_claims_no_trial_and_a_secondary_source_no_more_than_it_is():
    for source in load_evidence().sources.values():
        levels = {claim.level for claim in source.claims}
        if source.read == "label-excerpt":
            assert levels <= {"label", "reference"}, source.key
        if levels & {"IB"}:
            assert source.key == "traineau2020", source.key


def test_errata_and_unverified_names_are_told():
    base = load_evidence()
    assert "40100221" in " ".join(base.sources["desgagnes2025"].notes)
    assert "author correction" in " ".join(base.sources["imacs2023"].notes)
    assert "unverified" in " ".join(base.sources["davuluri2022"].notes)
    assert "first author's name" in " ".join(base.sources["taborn1978"].notes)


def test_figures_stand_as_the_sources_give_them():
    def words(key):
        return " ".join(claim.text for claim in load_evidence().sources[key].claims)

    assert "9 of 17 (53 %)" in words("balin2012")
    assert all(n in words("desgagnes2025") for n in ("74.5 %", "63.0 %", "58.7 %", "30 g/L"))
    assert "odds ratio 12.3" in words("sae1_italy")
    assert "8 of 9" in words("robertson2003")
    assert "34 of 78 (43.6 %)" in words("fonseca2019")


def test_claims_are_found_by_topic():
    found = load_evidence().about("minocycline")
    assert {source.key for source, _ in found} >= {"robertson2003", "schlienger2000", "mino_smpc"}
    assert load_evidence().about("nothing-of-this-name") == ()


ENTRY = "citation: A, year: 2020, read: abstract, level: IV, claims: [{text: B., level: IV, topics: [c]}]"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("year: 2020", "year: 20200", "sources.x1.year"),
        ("read: abstract", "read: skimmed", "sources.x1.read"),
        ("citation: A", "citation: A, doi: nonsense", "sources.x1.doi"),
        ("citation: A", "citation: A, url: 'http://a.b'", "sources.x1.url"),
        ("citation: A", "citation: A, colour: red", "sources.x1.colour"),
        ("topics: [c]", "topics: []", "sources.x1.claims.0.topics"),
        ("citation: A", "citation: ' '", "sources.x1.citation"),
    ],
)
def test_a_wrong_entry_is_named(old, new, key):
    with pytest.raises(KnowledgeError) as caught:
        load("evidence.yaml", EvidenceBase, f"sources: {{x1: {{{ENTRY.replace(old, new)}}}}}")
    assert (caught.value.file, caught.value.key) == ("evidence.yaml", key)


@pytest.mark.parametrize("text", ["sources: {}", f"sources: {{X-1: {{{ENTRY}}}}}"])
def test_an_empty_base_or_a_bad_key_is_refused(text):
    with pytest.raises(KnowledgeError):
        load("evidence.yaml", EvidenceBase, text)


def test_the_unchanged_entry_is_accepted():
    assert "x1" in load("evidence.yaml", EvidenceBase, f"sources: {{x1: {{{ENTRY}}}}}")
