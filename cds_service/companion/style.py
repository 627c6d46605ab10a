"""The record system's colours (SMART style URL), as far as the page stays readable in them.

Three properties are known; everything else of the style is left alone. A colour is a plain hexadecimal one or it is
none, so that nothing of the record system becomes CSS of ours but that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

Scheme = Literal["light", "dark"]
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_ENOUGH = 4.5
"""contrast of text by WCAG 2.2 AA."""
_OURS: Mapping[Scheme, tuple[str, str, str]] = {
    "light": ("#ffffff", "#14242b", "#47606b"), "dark": ("#18242a", "#e8eff2", "#a9bcc5"),
}  # fmt: skip
"""ground, text and soft text of companion.css."""

Style = tuple[tuple[str, str], ...]
"""CSS variables; the first is always the ground, which tells the scheme they are for."""


def accepted(found: Mapping[str, Any]) -> Style:
    """The variables that take over; none when a text would be hard to read on the ground that is asked for."""
    ground = _colour(found.get("color_background")) or _OURS["light"][0]
    scheme = scheme_of(ground)
    text = _colour(found.get("color_text")) or _OURS[scheme][1]
    if contrast(text, ground) < _ENOUGH or contrast(_OURS[scheme][2], ground) < _ENOUGH:
        return ()
    style = [("--sheet", ground), ("--paper", ground), ("--ink", text)]
    accent = _colour(found.get("color_highlight"))
    if accent is not None and contrast(accent, ground) >= _ENOUGH:
        on_it = max(("#ffffff", "#000000"), key=lambda ink: contrast(ink, accent))
        style += [("--accent", accent), ("--accent-ink", on_it)]
    return tuple(style)


def css(style: Style) -> str:
    """The style as CSS, for its own colour scheme only: a light ground is nobody's who asked for a dark page."""
    if not style:
        return ""
    rules = " ".join(f"{name}: {colour};" for name, colour in style)
    return f"@media (prefers-color-scheme: {scheme_of(style[0][1])}) {{ :root {{ {rules} }} }}"


def scheme_of(ground: str) -> Scheme:
    return "light" if contrast(ground, "#000000") > contrast(ground, "#ffffff") else "dark"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _colour(value: object) -> str | None:
    return value if isinstance(value, str) and _COLOUR.fullmatch(value) else None
