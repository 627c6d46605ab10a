"""What one kind of client may be sent: `adapt` takes a neutral card to it, `validate` says what would be wrong."""

from hooks.dialects.adapt import adapt
from hooks.dialects.schema import Dialect, load_dialects
from hooks.dialects.validate import validate

__all__ = ["Dialect", "adapt", "load_dialects", "validate"]
