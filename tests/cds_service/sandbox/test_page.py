"""The reference EHR page: what the server gives the browser, without one (the browser tests drive it)."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient


def test_page_allows_its_own_scripts_only(client: TestClient) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "connect-src 'self' http://127.0.0.1:8080;" in policy
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", answer.text), "no inline script, handler or style"


def test_assets_are_served_and_nothing_else(client: TestClient) -> None:
    page = client.get("/").text
    for name in re.findall(r"/assets/([\w.]+)", page):
        assert client.get(f"/assets/{name}").status_code == 200, name
    assert client.get("/assets/render.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/assets/ehr.html").status_code == 404
    assert client.get("/assets/..%2fprocess.py").status_code == 404


def test_every_control_of_the_page_has_a_label(client: TestClient) -> None:
    page = client.get("/").text
    for control in re.findall(r'<input[^>]*id="(\w+)"', page):
        assert f'for="{control}"' in page or re.search(rf"<label[^>]*>\s*<input[^>]*id=\"{control}\"", page), control


def test_config_names_service_day_and_patients(client: TestClient) -> None:
    config = client.get("/sandbox/config").json()
    assert config["serviceUrl"] == "http://127.0.0.1:8080"
    assert config["fhirServer"] == "http://sandbox.test/fhir"
    assert config["today"] == "2026-06-01"
    assert [p["name"] for p in config["patients"]] == ["Case Example", "Other Person"]


def test_markdown_keeps_tables_and_never_html(client: TestClient) -> None:
    text = "**Why**\n\n| a | b |\n|---|---|\n| 1 | <b>2</b> |\n\n<script>alert(1)</script> [x](javascript:alert(1))"
    (html,) = client.post("/sandbox/markdown", json=[text]).json()
    assert "<strong>Why</strong>" in html and "<table>" in html
    assert "<script" not in html and "<b>" not in html and 'href="javascript' not in html


@pytest.mark.parametrize(("body", "status"), [(b"{}", 400), (b'["' + b"x" * 300_000 + b'"]', 413)])
def test_markdown_refuses_other_bodies(client: TestClient, body: bytes, status: int) -> None:
    assert client.post("/sandbox/markdown", content=body).status_code == status
