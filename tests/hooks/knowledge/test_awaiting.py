"""The public page of what awaits confirmation: complete, in HTML, JSON and docs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import yaml
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.routes.evidence import ACTS
from cds_service.settings import Settings
from hooks.knowledge import load_knowledge
from hooks.knowledge.awaiting import awaiting_confirmation
from hooks.knowledge.base import FOLDER
from mappings.drugs import load_drugs

PAGE = Path(__file__).parents[3] / "docs" / "awaiting-confirmation.md"
ITEMS = awaiting_confirmation(load_knowledge(), load_drugs().classes)


HEAD = f"""# Awaiting confirmation

For clinicians who review the knowledge. Generated from the data (`CDS_WRITE_DOCS=1 make test`); the running service
shows the same at `/evidence/awaiting-confirmation`.

These {len(ITEMS)} items were recalled from memory; no source that was read confirms them. Until one does, they act in
the cautious direction only: they block, warn, ask or send elsewhere, and never make an option available or a value
normal (`cds-service check-knowledge`).

| What it says | What it does meanwhile | Where it stands |
| --- | --- | --- |
"""


def document() -> str:
    rows = []
    for item in ITEMS:
        part = f" (only: {item.part})" if item.part else ""
        rows.append(f"| {item.says}{part} | {ACTS[item.acts]} | `{item.file}` `{item.key}` |\n")
    return HEAD + "".join(rows)


def test_nothing_unverified_is_left_out() -> None:
    """Counted in the text of the files, not by the code that makes the page."""
    said = sum(
        len(re.findall(r"^[^#\n]*\bbasis: unverified", path.read_text(encoding="utf-8"), re.MULTILINE))
        + len(re.findall(r"\bawaiting: ", path.read_text(encoding="utf-8")))
        for path in FOLDER.rglob("*.yaml")
    )
    drugs = yaml.safe_load((FOLDER.parents[1] / "mappings/data/drugs.yaml").read_text(encoding="utf-8"))
    unsure = [name for name, entry in drugs["classes"].items() if entry["basis"].startswith("unverified")]
    assert said >= 10
    assert len(ITEMS) == said + len(unsure)
    assert [item.key for item in ITEMS if item.file == "drugs.yaml"] == [f"classes.{name}" for name in unsure]


def test_each_says_what_where_and_what_it_does() -> None:
    for item in ITEMS:
        assert item.says and item.says != item.key, item
        assert item.acts in ACTS
        assert (FOLDER / item.file).is_file() or item.file == "drugs.yaml"
    assert len({(item.file, item.key) for item in ITEMS}) == len(ITEMS)


def test_the_service_shows_them_to_machines_and_people() -> None:
    with TestClient(create_app(Settings(profile="sandbox"))) as client:
        body = client.get("/evidence/awaiting-confirmation", headers={"Accept": "application/json"}).json()
        assert body["knowledgeVersion"] == load_knowledge().version
        assert [(item["file"], item["key"], item["acts"]) for item in body["items"]] == [
            (item.file, item.key, item.acts) for item in ITEMS
        ]
        page = client.get("/evidence/awaiting-confirmation", headers={"Accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        for item in ITEMS:
            assert item.key in page.text
        assert "/evidence/awaiting-confirmation" in client.get("/evidence", headers={"Accept": "text/html"}).text


def test_the_docs_page_says_the_same() -> None:
    if os.environ.get("CDS_WRITE_DOCS"):
        PAGE.write_text(document(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == document(), "CDS_WRITE_DOCS=1 writes it"
