"""What a hospital is told is what the service is: addresses, prefetch, reasons are the code's, threats name tests."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest
import yaml

from hooks.knowledge.card_schema import load_override_reasons
from hooks.services import PREFETCH, SERVICES

ROOT = Path(__file__).parents[2]
HOSPITAL = ROOT / "docs" / "hospital"
GUIDE = HOSPITAL / "build-guide.md"
THREATS = yaml.safe_load((HOSPITAL / "threats.yaml").read_text(encoding="utf-8"))["threats"]
_FLOWS = {1: "the EHR calls us", 2: "we call FHIR servers and key sets", 3: "cards come back and are acted on"}


def addresses() -> str:
    lines = ["| Purpose | Address |", "|---|---|", "| discovery | `GET BASE/cds-services` |"]
    for service_id, service in SERVICES.items():
        path = f"BASE/cds-services/{service_id}"
        lines += [
            f"| hook `{service.hook}` | `POST {path}` |",
            f"| feedback to it | `POST {path}/feedback` |",
            f"| source attributes of it | `GET {path}/source-attributes` |",
        ]
    lines.append("| links on cards (allow-list) | `BASE/evidence/…`, `BASE/cds-services/…` |")
    lines.append(
        "| SMART launch URL and redirect URL of the companion | `BASE/companion/launch`, `BASE/companion/callback` |"
    )
    return "\n".join(lines)


def prefetch() -> str:
    return "\n".join(
        ["| Key | Query |", "|---|---|", *(f"| `{k}` | `{query}` |" for k, (_, query) in PREFETCH.items())]
    )


def reasons() -> str:
    lines = ["| Code | Shown as | What the service does |", "|---|---|---|"]
    for reason in load_override_reasons().reasons:
        days = f", {reason.days} days" if reason.days else ""
        lines.append(f"| `{reason.code}` | {reason.display} | {reason.effect}{days} |")
    return "\n".join(lines)


def threats() -> str:
    lines = [
        "# Threats",
        "",
        "Written from `threats.yaml`; every test that is named exists (checked), runs by `make test` or `make long`.",
        "Which guards stand before each threat, and that tests fail when one is taken out: [guards](guards.md).",
    ]
    for flow, words in _FLOWS.items():
        lines += [
            "",
            f"## Flow {flow}: {words}",
            "",
            "| Id | Kind | Threat | Control | Tests |",
            "|---|---|---|---|---|",
        ]
        for t in (t for t in THREATS if t["flow"] == flow):
            tests = ", ".join(f"`{name}`" for name in t["tests"])
            lines.append(f"| {t['id']} | {t['kind']} | {t['threat']} | {t['control']} | {tests} |")
    return "\n".join(lines) + "\n"


def _same(path: Path, wanted: str) -> None:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if os.environ.get("CDS_WRITE_DOCS"):
        path.write_text(wanted, encoding="utf-8")
    else:
        assert text == wanted, f"CDS_WRITE_DOCS=1 pytest {Path(__file__).relative_to(ROOT)} writes {path.name}"


def test_the_guide_says_what_discovery_says() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for name, part in (("addresses", addresses()), ("prefetch", prefetch()), ("reasons", reasons())):
        pattern = rf"(<!-- generated: {name} -->\n).*?(\n<!-- /generated -->)"
        assert re.search(pattern, text, re.DOTALL)
        text = re.sub(pattern, lambda m, part=part: m[1] + part + m[2], text, flags=re.DOTALL)
    _same(GUIDE, text)


def test_the_page_of_threats_is_the_data() -> None:
    _same(HOSPITAL / "threats.md", threats())


@pytest.mark.parametrize("threat", THREATS, ids=lambda t: t["id"])
def test_every_control_of_a_threat_has_a_test_that_exists(threat: dict[str, object]) -> None:
    assert threat["kind"] in ("spoofing", "tampering", "repudiation", "disclosure", "denial", "elevation")
    tests = threat["tests"]
    assert isinstance(tests, list) and tests
    for name in tests:
        path, _, function = name.partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert (function in found) if function else any(f.startswith("test") for f in found), name


def test_all_kinds_and_flows_are_considered() -> None:
    assert {t["kind"] for t in THREATS} == {
        "spoofing",
        "tampering",
        "repudiation",
        "disclosure",
        "denial",
        "elevation",
    }
    assert {t["flow"] for t in THREATS} == set(_FLOWS)
    assert len({t["id"] for t in THREATS}) == len(THREATS)


LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")


@pytest.mark.parametrize(
    "path",
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda p: p.name,
)
def test_links_of_the_documents_lead_somewhere(path: Path) -> None:
    targets = LINK.findall(path.read_text(encoding="utf-8"))
    assert [t for t in targets if not (path.parent / t).exists()] == []


def test_each_setting_of_a_tenant_in_the_guide_exists() -> None:
    from cds_service.tenants import Tenant

    known = {field.alias or name for name, field in Tenant.model_fields.items()}
    named = set(re.findall(r"`(\w+): \"?[\w.-]+\"?`", GUIDE.read_text(encoding="utf-8")))
    assert named - known == {"selectionBehavior"}  # a member of the card
    assert {"mode", "dialect", "failSilent"} <= named
