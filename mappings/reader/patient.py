"""Patient: sex, birth date, deceased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.dates import PartialDate
from mappings.reader.context import Collected


def read(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    gender = resource.get("gender")
    into.sex = gender if gender in ("female", "male") else "unknown"
    into.born = PartialDate.parse(resource.get("birthDate"))
    into.deceased = resource.get("deceasedBoolean") is True or isinstance(resource.get("deceasedDateTime"), str)
