"""Schema of dialects.yaml."""

from functools import cache

from pydantic import Field

from hooks.knowledge.base import Strict, load


class Dialect(Strict):
    """See the head of dialects.yaml."""

    name: str
    note: str
    smart_links: bool = True
    app_context: bool = True
    create: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    one_action: bool = False
    max_detail: int = Field(default=0, ge=0)
    tables: bool = True


class Dialects(Strict):
    dispensable: tuple[str, ...]
    dialects: dict[str, Dialect] = Field(min_length=1)

    def get(self, name: str) -> Dialect:
        """KeyError for a dialect that we do not speak."""
        return self.dialects[name]


@cache
def load_dialects() -> Dialects:
    """Reads hooks/knowledge/dialects.yaml; KnowledgeError names the key that is wrong."""
    return load("dialects.yaml", Dialects)
