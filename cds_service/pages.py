"""Our own HTML pages: autoescaped templates, a strict content policy, no script."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from jinja2 import Environment

_HTML = "text/html"
_WEIGHT = re.compile(r"[01](\.[0-9]{0,3})?")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(rendered(template, **values), status, headers={"Content-Security-Policy": _POLICY})


def rendered(template: str, **values: Any) -> str:
    """A template as text; whatever comes from a chart is escaped."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader  # a hook needs no page

    return Environment(loader=PackageLoader("cds_service"), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def wants_json(request: Request) -> bool:
    """JSON by Accept: asked for by name, and HTML not at least as much; a browser asks for HTML first."""
    asked = _asked_for(request)
    json = max((weight for kind, weight in asked.items() if kind.endswith("json")), default=0.0)
    return json > asked.get(_HTML, 0.0)


def wants_html(request: Request) -> bool:
    """HTML only when asked for by name, as a browser does."""
    return _asked_for(request).get(_HTML, 0.0) > 0 and not wants_json(request)


def _asked_for(request: Request) -> dict[str, float]:
    """The media types of Accept, each with its weight (RFC 9110, 12.4.2)."""
    found: dict[str, float] = {}
    for part in request.headers.get("accept", "").lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
        found[kind] = float(weight) if _WEIGHT.fullmatch(weight) else 1.0
    return found
