"""What a voting method sees of a question, and what it offers. Methods know neither manifests nor logs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Protocol

from services.shared.errors import BadInput

# Distinct answer, how many chose it. Answers were checked before; no answer stands twice.
Profile = Sequence[tuple[Any, int]]


class WrongQuestion(BadInput):
    """The method cannot ask this question; `field` is relative to the question."""


class WrongAnswer(BadInput):
    """The question does not admit this answer; `field` is relative to the answer."""


class Option(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def label(self) -> str: ...


class Question(Protocol):
    @property
    def options(self) -> Sequence[Option]: ...

    @property
    def blank(self) -> bool:
        """Whether a blank vote is offered: a first-class answer, counted apart from all others."""

    @property
    def tie_break(self) -> str: ...


class Method(ABC):
    """One way to vote. Results depend on the profile alone, never on the order of ballots or stations."""

    name: ClassVar[str]
    is_sum: ClassVar[bool]
    tie_breaks: ClassVar[Collection[str]]

    @abstractmethod
    def check_question(self, question: Question) -> None:
        """Raises WrongQuestion unless this method can ask it."""

    @abstractmethod
    def check(self, question: Question, answer: Any) -> None:
        """Raises WrongAnswer unless `answer` (decoded JSON) is exactly one that the question admits."""

    @abstractmethod
    def sums(self, question: Question, profile: Profile) -> dict[str, Any]:
        """What may be told while the poll runs: of two profiles added, it is `add` of both. Only where `is_sum`."""

    @abstractmethod
    def add(self, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        """The sums of two profiles together. Only where `is_sum`."""

    @abstractmethod
    def count(self, question: Question, profile: Profile) -> dict[str, Any]:
        """The result and its steps, as JSON of integers, texts, lists and objects."""
