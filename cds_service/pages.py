"""Our own HTML pages: autoescaped templates, a strict content policy, no script."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from jinja2 import Environment

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
    """JSON by Accept; a browser asks for HTML first."""
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def wants_html(request: Request) -> bool:
    """HTML only when asked for by name, as a browser does."""
    return "text/html" in request.headers.get("accept", "")
