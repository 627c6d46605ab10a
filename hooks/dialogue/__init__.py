"""The dialogue: structured questions, the next one by what its answers would change, answers read like the chart."""

from hooks.dialogue.change import Moved, moved
from hooks.dialogue.dialogue import AnswerError, Dialogue, Read, Step, check, nobody
from hooks.dialogue.records import PREFIX, SAVED, Given

__all__ = [
    "PREFIX",
    "SAVED",
    "AnswerError",
    "Dialogue",
    "Given",
    "Moved",
    "Read",
    "Step",
    "check",
    "moved",
    "nobody",
]
