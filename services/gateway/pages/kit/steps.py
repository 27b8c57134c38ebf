"""What a flow is made of: steps, groups of steps that come again, and what is sent when all are filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.gateway.pages.kit.form import Form, Typed

Kept = Mapping[str, Typed]
"""What was typed so far: step → field → values."""


@dataclass(frozen=True, slots=True)
class Step:
    """A page of a flow. `slug` stands in its address. `chosen` gives the form where that depends on what was answered
    before, from what was typed and the number of the round; each of those forms has fields of `form` alone, and where
    nothing is known yet it is `form`."""

    slug: str
    form: type[Form]
    chosen: Callable[[Kept, int], type[Form]] | None = None
    round: int = 0
    """Which time it comes, from 1; 0 for a step that comes once."""

    @property
    def title(self) -> str:
        return f"{self.form.title} ({self.round})" if self.round > 1 else self.form.title

    def at(self, round: int, kept: Kept) -> Step:
        """This step in that round, with the form that it then has."""
        slug = f"{self.slug}-{round}" if round else self.slug
        return replace(self, slug=slug, form=self.chosen(kept, round) if self.chosen else self.form, round=round)


@dataclass(frozen=True, slots=True)
class Repeated:
    """Steps that come again, for the things of a list: `…/<slug>-1`, `…/<slug>-2`. Another round follows one whose
    last step has the box `another` ticked."""

    steps: Sequence[Step]
    most: int
    another: str = "another"

    def rounds(self, kept: Kept) -> Iterator[Step]:
        for round in range(1, self.most + 1):
            yield from (step.at(round, kept) for step in self.steps)
            if not kept.get(f"{self.steps[-1].slug}-{round}", {}).get(self.another):
                return


Steps = Sequence[Step | Repeated]


def steps_of(steps: Steps, kept: Kept) -> list[Step]:
    """The pages that there are to fill in, after what was typed so far."""
    found: list[Step] = []
    for part in steps:
        found += part.rounds(kept) if isinstance(part, Repeated) else [part.at(0, kept)]
    return found


def declared(steps: Steps) -> Iterator[tuple[Step, str]]:
    """Each step as it was declared, and how its address ends."""
    for part in steps:
        if isinstance(part, Repeated):
            yield from ((step, f"{step.slug}-<int:round>") for step in part.steps)
        else:
            yield part, part.slug


@dataclass(frozen=True, slots=True)
class Said:
    """What a refusal of a service means to the person: the step and field that it is about, if any, and words."""

    text: str
    step: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What is sent: the steps' forms, all valid, and the id under which a repeat can be known."""

    id: str
    forms: Mapping[str, Form]
    place: Mapping[str, Any]

    def __getitem__(self, step: str) -> Any:
        return self.forms[step]

    def rounds(self, *slugs: str) -> Iterator[Sequence[Any]]:
        """The forms of these steps of a repeated group, round by round."""
        round = 1
        while f"{slugs[0]}-{round}" in self.forms:
            yield [self.forms[f"{slug}-{round}"] for slug in slugs]
            round += 1


@dataclass(frozen=True, slots=True)
class Sent:
    """What the receipt says: what happened, what comes next, and where to go on."""

    title: str
    text: str = ""
    links: Sequence[tuple[str, str]] = ()
