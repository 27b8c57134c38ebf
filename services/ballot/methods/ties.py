"""The last rule, for what a method's own rules leave equal: by the order of the options, or by a lot.

`order`: the option that stands first in the question goes first. `lot:<seed>`: options go by SHA-256 of
`parvis/lot/v1\\n` ‖ seed ‖ `\\n` ‖ option id, smallest first; whoever knows the seed can redo it. To go first means to
be elected first and eliminated last. A tie that this rule decides stands in the steps as
{"step": "tie", "for", "between", "chosen", "by"}.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from services.ballot.methods.method import Question, ids


class TieBreak:
    """The order in which equals are told apart, and a list of the ties where that mattered."""

    def __init__(self, options: Sequence[str], rule: str) -> None:
        self.rule = rule
        self.steps: list[dict[str, Any]] = []
        """Appended to as ties are decided; a method may hand its own list of steps instead."""
        ordered = sorted(options, key=lambda o: draw(rule[4:], o)) if rule.startswith("lot:") else list(options)
        self._place = {option: place for place, option in enumerate(ordered)}

    @classmethod
    def of(cls, question: Question, steps: list[dict[str, Any]]) -> TieBreak:
        tie = cls(ids(question), question.tie_break)
        tie.steps = steps
        return tie

    def silent(self) -> TieBreak:
        """The same order; what it decides is not told."""
        return TieBreak(sorted(self._place, key=self._place.__getitem__), "order")

    def place(self, option: str) -> int:
        """Lower goes first."""
        return self._place[option]

    def ordered(self, options: Iterable[str]) -> list[str]:
        return sorted(options, key=self._place.__getitem__)

    def first(self, options: Sequence[str], purpose: str) -> str:
        """The one that goes first among equals; a step where there was anything to decide."""
        chosen = min(options, key=self._place.__getitem__)
        self._tell(options, purpose, [chosen])
        return chosen

    def last(self, options: Sequence[str], purpose: str) -> str:
        """The one that goes last among equals: who is eliminated."""
        chosen = max(options, key=self._place.__getitem__)
        self._tell(options, purpose, [chosen])
        return chosen

    def firsts(self, options: Sequence[str], number: int, purpose: str) -> list[str]:
        """So many of the equals, in their order; a step only where some are left out."""
        chosen = self.ordered(options)[:number]
        if len(chosen) < len(options):
            self._tell(options, purpose, chosen)
        return chosen

    def seat(self, ranking: Sequence[Sequence[str]], seats: int) -> list[str]:
        """The first options of a ranking whose groups are equals, as many as there are seats."""
        winners: list[str] = []
        for group in ranking:
            if len(winners) == seats:
                break
            winners += self.firsts(group, seats - len(winners), "seat")
        return winners

    def _tell(self, options: Sequence[str], purpose: str, chosen: list[str]) -> None:
        if len(options) > 1:
            between = self.ordered(options)
            self.steps.append({"step": "tie", "for": purpose, "between": between, "chosen": chosen, "by": self.rule})


def draw(seed: str, option: str) -> bytes:
    return sha256(f"parvis/lot/v1\n{seed}\n{option}".encode()).digest()
