"""The Grafana dashboard asks only for what the service exports: metrics and labels compared with a real /metrics."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.charts import TODAY, chart

DOCKER = Path(__file__).parents[2] / "docker"
DASHBOARD = json.loads((DOCKER / "grafana/dashboards/calcinosis-cds.json").read_text(encoding="utf-8"))
PATH = "/cds-services/calcinosis-patient-view"
SCRAPED = {"instance", "job"}
"""labels that Prometheus adds itself."""
_METRIC = re.compile(r"\b(?:cds|process)_\w+")
_FUNCTIONS = {"sum", "min", "max", "rate", "increase", "histogram_quantile", "by", "label_values"}


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Sample name -> labels, after one call of each kind: the same chart twice, and one without its Conditions."""
    chart_of = chart("Patient | female | 49y\nCondition | SLE | onset -17y\nExam | hard nodules | -10d").json()
    body = {
        "hook": "patient-view",
        "hookInstance": "1",
        "context": {"userId": "Practitioner/1", "patientId": "patient-1"},
        "prefetch": {"conditions": chart_of},
    }
    unread = body | {"hookInstance": "2", "prefetch": {"patient": None}}
    item = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-06-01T10:00:00Z"}
    app = create_app(Settings(profile="sandbox", as_of=TODAY, database_url="sqlite://"))
    with TestClient(app, client=("127.0.0.1", 1)) as client:
        for _ in range(2):
            assert client.post(PATH, json=body).status_code == 200
        assert client.post(PATH, json=unread).status_code == 412
        assert client.post(f"{PATH}/feedback", json={"feedback": [item]}).status_code == 200
        app.state.cds.metrics.store_failed("record")
        text = client.get("/metrics").text
    found: dict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] |= set(sample.labels)
    return found


def queries() -> list[str]:
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    variables = [v["query"] for v in DASHBOARD["templating"]["list"] if v["type"] == "query"]
    return [*asked, *variables]


def labels(query: str) -> set[str]:
    """Every label that a query filters or groups by."""
    filtered = re.findall(r'(\w+)\s*(?:=~|!=|!~|=)\s*"', query)
    grouped = [name.strip() for names in re.findall(r"\bby\s*\(([^)]*)\)", query) for name in names.split(",")]
    listed = re.findall(r"label_values\(\w+, (\w+)\)", query)
    return {*filtered, *grouped, *listed}


@pytest.mark.parametrize("query", queries())
def test_every_metric_and_label_is_exported(exported: dict[str, set[str]], query: str) -> None:
    metrics = set(_METRIC.findall(query))
    assert metrics, query
    assert metrics <= exported.keys()
    for metric in metrics:
        assert labels(query) <= exported[metric] | SCRAPED
    assert set(re.findall(r"\b([a-z_]+)\s*\(", query)) <= _FUNCTIONS


def test_legends_name_labels_that_the_query_keeps(exported: dict[str, set[str]]) -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            (metric,) = set(_METRIC.findall(target["expr"]))
            grouped = re.search(r"\bby\s*\(([^)]*)\)", target["expr"])
            kept = {g.strip() for g in grouped[1].split(",")} if grouped else exported[metric] | SCRAPED
            assert named <= kept, panel["title"]


def test_what_the_service_counts_of_its_own_is_shown(exported: dict[str, set[str]]) -> None:
    shown = {metric for query in queries() for metric in _METRIC.findall(query)}
    own = {name for name in exported if name.startswith("cds_") and not name.endswith(("_created", "_sum", "_count"))}
    assert own <= shown


def test_every_metric_is_described_with_its_labels(exported: dict[str, set[str]]) -> None:
    """In docs/settings.md; and nothing is described there that does not exist."""
    page = (DOCKER.parent / "docs/settings.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split("|") for line in page.splitlines() if line.startswith("| `cds_")]
    described = {name: set(re.findall(r"`(\w+)`", row[1])) for row in rows for name in _METRIC.findall(row[0])}
    parts = ("_created", "_sum", "_count", "_bucket")
    own = {name: kept for name, kept in exported.items() if name.startswith("cds_") and not name.endswith(parts)}
    histograms = {name.removesuffix("_bucket"): kept - {"le"} for name, kept in exported.items() if "_bucket" in name}
    assert described == own | histograms


def test_panels_have_an_id_and_a_place_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        assert panel["datasource"]["uid"] == "${source}"
        taken |= cells


def test_prometheus_and_grafana_find_their_files() -> None:
    compose: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))["services"]
    for name in ("prometheus", "grafana"):
        assert compose[name]["profiles"] == ["monitoring"]
        for volume in compose[name]["volumes"]:
            assert (DOCKER / volume.split(":")[0]).exists(), volume
    scrape = yaml.safe_load((DOCKER / "grafana/prometheus.yaml").read_text(encoding="utf-8"))["scrape_configs"][0]
    assert scrape["metrics_path"] == "/metrics"
    assert scrape["static_configs"][0]["targets"] == ["127.0.0.1:8080"]
    source = yaml.safe_load((DOCKER / "grafana/provisioning/datasources/prometheus.yaml").read_text(encoding="utf-8"))
    assert source["datasources"][0]["url"].endswith(":9090")
    provider = yaml.safe_load((DOCKER / "grafana/provisioning/dashboards/files.yaml").read_text(encoding="utf-8"))
    path = provider["providers"][0]["options"]["path"]
    assert any(volume.split(":")[1] == path for volume in compose["grafana"]["volumes"])


def test_no_caller_makes_series() -> None:
    """Neither unknown addresses nor made-up services, keys or tokens add a label value of their own."""
    app = create_app(Settings(profile="sandbox", as_of=TODAY, database_url="sqlite://"))
    with TestClient(app, client=("127.0.0.1", 1)) as client:

        def ask(number: int) -> int:
            client.get(f"/nowhere-{number}")
            client.get(f"/evidence/key-{number}")
            client.post(f"/cds-services/service-{number}", json={})
            client.post(PATH, json={"hook": f"hook-{number}"}, headers={"Authorization": f"Bearer {number}.x.y"})
            client.request(f"METHOD{number}", "/cds-services")
            return len(client.get("/metrics").text.splitlines())

        ask(0)
        first = ask(1)
        assert [ask(number) for number in range(2, 30)] == [first] * 28
