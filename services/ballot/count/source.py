"""What every reader yields, whatever the format: candidates by number, and neutral marks that a table turns to answers.

Marks are tuples of candidate numbers, from 1 in the file's order, ascending within equals:
`ranking` ((1,), (2, 3)), best first · `approvals` (1, 4) · `numbers` ((1, 5), (2, −1)): (candidate, number) ·
`categories` ((1, 2), (), (3,)): who is in each, best category first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, NamedTuple

Kind = Literal["ranking", "approvals", "numbers", "categories"]
Mark = tuple[Any, ...]


class Ballot(NamedTuple):
    """`mark`: None is a blank vote. `invalid`: the rule that the ballot breaks; it is then not counted."""

    line: int
    times: int
    mark: Mark | None = None
    invalid: str | None = None


@dataclass
class Source:
    """A file being read. `names` may still grow until `ballots` has been walked, once."""

    kind: Kind
    names: list[str]
    ballots: Iterable[Ballot] = ()
    ids: Sequence[str] | None = None
    """The options' ids in answers and steps; "1", "2", … unless the file is a poll's export."""
    withdrawn: set[int] = field(default_factory=set)
    seats: int | None = None
    categories: Sequence[str] = ()
    least: int | None = None
    most: int | None = None
    """Bounds of one number, or of how many are approved, where the file says them."""
    points: int | None = None
    budget: Fraction | None = None
    costs: Sequence[Fraction] = ()
    currency: str = ""
    default_score: int | None = None
    """What a project gets that a ballot does not name, where the file says it."""
    ranking_points: int | None = None
    """What the first of a ranking gets where the file says that places are points (the next gets 1 less)."""
    own_budgets: Sequence[str] = ()
    """The file's rules that give parts of the budget to categories or neighbourhoods: no method here honours them."""
    score_threshold: int | None = None
    """Projects with less are not eligible."""
    settings: dict[str, Any] = field(default_factory=dict)
    """A poll's own settings: what of them another method has too, it takes over."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the result should know."""

    def id_of(self, number: int) -> str:
        return self.ids[number - 1] if self.ids is not None else str(number)
