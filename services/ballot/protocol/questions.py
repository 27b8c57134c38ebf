"""What a manifest asks, and what a voting method must offer to be asked with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from services.ballot.protocol.fields import Fields, WrongShape
from services.shared.errors import BadInput

MAX_QUESTIONS: Final = 30
MAX_OPTIONS: Final = 200
_QUESTION: Final = ("id", "text", "method", "options", "blank", "tie_break")


class Method(Protocol):
    """One way to vote. `services.ballot.methods` holds them all; this room only knows their shape."""

    @property
    def name(self) -> str: ...

    @property
    def is_sum(self) -> bool:
        """True if `sums` of two profiles add up, so that they may be told per epoch."""

    @property
    def tie_breaks(self) -> Collection[str]:
        """The tie-break rules that a question may name."""

    def check_question(self, question: Question) -> None:
        """Refuses a question that this method cannot ask, naming the field within the question."""

    def check(self, question: Question, answer: Any) -> None:
        """Refuses an answer that this question does not admit, naming the field within the answer."""

    def sums(self, question: Question, profile: Sequence[tuple[Any, int]]) -> dict[str, Any]:
        """The counts that may be shown while the poll runs. Only where `is_sum`."""

    def add(self, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        """The sums of two profiles together. Only where `is_sum`."""

    def count(self, question: Question, profile: Sequence[tuple[Any, int]]) -> dict[str, Any]:
        """The result with its steps, in integers and texts only. The profile: distinct answer, how many chose it."""


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    label: str

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "label": self.label}


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    text: str
    method: str
    options: tuple[Option, ...]
    blank: bool
    tie_break: str
    rule: Method = field(compare=False, repr=False)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "text": self.text,
            "method": self.method,
            "options": [option.as_json() for option in self.options],
            "blank": self.blank,
            "tie_break": self.tie_break,
        }


def read_questions(
    value: Any, methods: Mapping[str, Method], *, refusal: type[BadInput] = WrongShape
) -> tuple[Question, ...]:
    """The questions of a manifest or of a draft; refusals name fields as `questions[0].options[1].id`."""
    holder = Fields({"questions": value}, ("questions",), refusal=refusal)
    inner = holder.inner_items("questions", _QUESTION, most=MAX_QUESTIONS)
    questions = tuple(_question(one, methods) for one in inner)
    refuse_repeats(inner, [question.id for question in questions])
    return questions


def refuse_repeats(fields: Sequence[Fields], ids: Sequence[str], name: str = "id") -> None:
    seen: set[str] = set()
    for one, value in zip(fields, ids, strict=True):
        if value in seen:
            raise one.refuse(name, "stands twice")
        seen.add(value)


def _question(fields: Fields, methods: Mapping[str, Method]) -> Question:
    method = fields.raw("method")
    rule = methods.get(method) if isinstance(method, str) else None
    if rule is None:
        raise fields.refuse("method", f"must be one of {', '.join(sorted(methods))}")
    inner = fields.inner_items("options", ("id", "label"), least=0, most=MAX_OPTIONS)
    options = tuple(Option(one.slug("id"), one.text("label", longest=300)) for one in inner)
    refuse_repeats(inner, [option.id for option in options])
    tie_break = fields.raw("tie_break")
    if not isinstance(tie_break, str) or tie_break not in rule.tie_breaks:
        raise fields.refuse("tie_break", f"must be one of {', '.join(sorted(rule.tie_breaks))}")
    question = Question(
        id=fields.slug("id"),
        text=fields.text("text", longest=1000),
        method=rule.name,
        options=options,
        blank=fields.boolean("blank"),
        tie_break=tie_break,
        rule=rule,
    )
    try:
        rule.check_question(question)
    except BadInput as refused:
        raise fields.refuse(refused.field or "method", refused.reason) from None
    return question
