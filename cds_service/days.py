"""The days that a chart may be read on, as the command line and the settings take them."""

from __future__ import annotations

import argparse
from datetime import date

FIRST_DAY = date(1900, 1, 1)
"""before it no chart was written, and the windows of the rules would begin before the calendar does."""


def day(text: str) -> date:
    """The day that an option names; argparse prints what is wrong with it."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a date, as 2026-06-01") from None
    if found < FIRST_DAY:
        raise argparse.ArgumentTypeError(f"must not lie before {FIRST_DAY}")
    return found
