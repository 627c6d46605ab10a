"""The sentences the assessment reasons with, as data: messages.yaml."""

from functools import cache
from pathlib import Path
from typing import Any

from hooks.knowledge.base import FOLDER, Sourced, Strict, load


class Message(Sourced):
    text: str


class Messages(Strict):
    messages: dict[str, Message]

    def say(self, key: str, **values: Any) -> str:
        """The sentence for `key` with its values filled in; an unknown key is a programming error (KeyError)."""
        return self.messages[key].text.format(**values)


@cache
def load_messages(folder: Path = FOLDER) -> Messages:
    return load("messages.yaml", Messages, folder=folder)
