"""The record system's colours: three properties, plain colours, readable ones, and nothing else of it in our CSS."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.companion.style import accepted, contrast, css
from tests.cds_service.companion.hospital import hospital


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000", "#ffffff") == 21
    assert contrast("#ffffff", "#ffffff") == 1
    assert round(contrast("#767676", "#fff"), 2) == 4.54


def test_readable_colours_are_taken_over_for_their_own_scheme() -> None:
    light = css(accepted({"color_background": "#fffff0", "color_text": "#222", "color_highlight": "#003366"}))
    assert light.startswith("@media (prefers-color-scheme: light) { :root { --sheet: #fffff0;")
    assert "--accent: #003366; --accent-ink: #ffffff;" in light
    dark = css(accepted({"color_background": "#101010", "color_text": "#eeeeee", "color_highlight": "#aaddff"}))
    assert "prefers-color-scheme: dark" in dark and "--accent-ink: #000000;" in dark


@pytest.mark.parametrize(
    "style",
    [
        {"color_background": "#ffffff", "color_text": "#cccccc"},
        {"color_background": "#808080", "color_text": "#000000"},
        {"color_background": "#222222", "color_text": "#000000"},
    ],
)
def test_colours_in_which_nobody_can_read_are_not(style: dict[str, str]) -> None:
    assert accepted(style) == ()


HOSTILE = (
    "red; } body { display: none } :root {",
    "url(https://evil.example.org/x)",
    "#fff;background:url(//evil)",
    "expression(alert(1))",
    "#ffffff\n}*{display:none",
    "var(--ink)",
    "</style><script>alert(1)</script>",
    "#12345678",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_but_a_colour_gets_into_the_css(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert text not in css(accepted(dict.fromkeys(("color_background", "color_text", "color_highlight"), text)))


def test_the_page_has_the_style_of_the_launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    style = {"color_background": "#fffff0", "color_highlight": HOSTILE[0], "dim_border_radius": "99px", "--x": "y"}
    with hospital(tmp_path, monkeypatch, style=style) as place:
        client = place.app()
        path = place.opened(client)
        assert f"{path}/style.css" in client.get(path).text
        served = client.get(f"{path}/style.css")
        assert served.headers["content-type"].startswith("text/css")
        assert "--sheet: #fffff0;" in served.text
        assert "display" not in served.text and "99px" not in served.text and "--x" not in served.text
