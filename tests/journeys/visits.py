"""What a visit of the map of routes is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.gateway.stub_services import World

HTML, JSON = "text/html", "application/json"


@dataclass(frozen=True)
class Send:
    """The form of the page before that has this address (a star stands for what is not known), with its hidden fields
    and these. Redirects are followed."""

    action: str
    fields: Mapping[str, str] | Callable[[World], Mapping[str, str]] = field(default_factory=dict)
    file: tuple[str, str] | None = None
    """The field of a file, and its text."""


@dataclass(frozen=True)
class Onward:
    """To where the page before sends the browser by itself: the provider of identities, which sends it back."""


Happening = Callable[[World], object]
Step = str | Send | Onward | Happening


@dataclass(frozen=True)
class Visit:
    """One page: who comes to it, by which steps, and what the last answer is."""

    name: str
    steps: tuple[Step, ...]
    who: str | None = None
    status: int = 200
    kind: str = HTML

    @property
    def public(self) -> bool:
        """Whether anyone comes to it by its address alone."""
        return self.who is None and self.kind == HTML and self.status == 200 and isinstance(self.steps[-1], str)


def down(*names: str) -> Happening:
    return lambda world: world.fail.update(dict.fromkeys(names, 503))
