"""A hospital's own codes, from the file that a setting or an argument names."""

from __future__ import annotations

from pathlib import Path

from cds_service.errors import SettingsError
from mappings.codelists import OverlayText


def read_overlay(path: Path | None) -> OverlayText | None:
    """The hospital's own codes (CDS_KNOWLEDGE_OVERLAY)."""
    if path is None:
        return None
    try:
        return OverlayText(path.name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"CDS_KNOWLEDGE_OVERLAY can't be read: {type(error).__name__}") from None
