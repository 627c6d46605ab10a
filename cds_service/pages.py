"""Our own HTML pages: autoescaped templates, a strict content policy, no script."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader
from starlette.responses import HTMLResponse

_ENVIRONMENT = Environment(loader=PackageLoader("cds_service"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(rendered(template, **values), status, headers={"Content-Security-Policy": _POLICY})


def rendered(template: str, **values: Any) -> str:
    """A template as text; whatever comes from a chart is escaped."""
    return _ENVIRONMENT.get_template(template).render(**values)


def wants_json(request: Request) -> bool:
    """JSON by Accept; a browser asks for HTML first."""
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def wants_html(request: Request) -> bool:
    """HTML only when asked for by name, as a browser does."""
    return "text/html" in request.headers.get("accept", "")
