"""What a manifest asks, and what a voting method must offer to be asked with."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from services.ballot.protocol.fields import Fields, WrongShape
from services.shared.errors import BadInput

MAX_QUESTIONS: Final = 30
MAX_OPTIONS: Final = 200
_QUESTION: Final = ("id", "text", "method", "options", "blank", "tie_break")
_LOT: Final = re.compile(r"lot:[a-z0-9][a-z0-9-]{0,63}")


class Method(Protocol):
    """One way to vote. `services.ballot.methods` holds them all; this room only knows their shape."""

    @property
    def name(self) -> str: ...

    @property
    def is_sum(self) -> bool:
        """True if `sums` of two profiles add up, so that they may be told per epoch."""

    @property
    def tie_breaks(self) -> Collection[str]:
        """The tie-break rules that a question may name; `lot` stands for `lot:<seed>`."""

    @property
    def settings(self) -> Collection[str]:
        """What a question must say besides. A method without any has questions without the field `settings`."""

    def check_question(self, question: Question) -> None:
        """Refuses a question that this method cannot ask, naming the field within the question."""

    def check(self, question: Question, answer: Any) -> None:
        """Refuses an answer that this question does not admit, naming the field within the answer."""

    def sums(self, question: Question, profile: Iterable[tuple[Any, int]]) -> dict[str, Any]:
        """The counts that may be shown while the poll runs. Only where `is_sum`."""

    def add(self, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        """The sums of two profiles together. Only where `is_sum`."""

    def count(self, question: Question, profile: Iterable[tuple[Any, int]]) -> dict[str, Any]:
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
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        settings = {"settings": dict(self.settings)} if self.rule.settings else {}
        return {
            "id": self.id,
            "text": self.text,
            "method": self.method,
            "options": [option.as_json() for option in self.options],
            "blank": self.blank,
            "tie_break": self.tie_break,
            **settings,
        }


def read_questions(
    value: Any, methods: Mapping[str, Method], *, refusal: type[BadInput] = WrongShape
) -> tuple[Question, ...]:
    """The questions of a manifest or of a draft; refusals name fields as `questions[0].options[1].id`."""
    holder = Fields({"questions": value}, ("questions",), refusal=refusal)
    inner = [
        _fields(item, f"questions[{i}]", methods, refusal)
        for i, item in enumerate(holder.items("questions", most=MAX_QUESTIONS))
    ]
    questions = tuple(_question(one, methods[one.raw("method")]) for one in inner)
    refuse_repeats(inner, [question.id for question in questions])
    return questions


def refuse_repeats(fields: Sequence[Fields], ids: Sequence[str], name: str = "id") -> None:
    seen: set[str] = set()
    for one, value in zip(fields, ids, strict=True):
        if value in seen:
            raise one.refuse(name, "stands twice")
        seen.add(value)


def _fields(item: Any, path: str, methods: Mapping[str, Method], refusal: type[BadInput]) -> Fields:
    """The question's fields: which ones there are depends on its method."""
    method = item.get("method") if isinstance(item, dict) else None
    if not isinstance(method, str) or method not in methods:
        fields = Fields(
            item, item.keys() | {"method"} if isinstance(item, dict) else _QUESTION, path=path, refusal=refusal
        )
        raise fields.refuse("method", f"must be one of {', '.join(sorted(methods))}")
    return Fields(item, (*_QUESTION, *(("settings",) if methods[method].settings else ())), path=path, refusal=refusal)


def _question(fields: Fields, rule: Method) -> Question:
    inner = fields.inner_items("options", ("id", "label"), least=0, most=MAX_OPTIONS)
    options = tuple(Option(one.slug("id"), one.text("label", longest=300)) for one in inner)
    refuse_repeats(inner, [option.id for option in options])
    question = Question(
        id=fields.slug("id"),
        text=fields.text("text", longest=1000),
        method=rule.name,
        options=options,
        blank=fields.boolean("blank"),
        tie_break=_tie_break(fields, rule),
        rule=rule,
        settings=_settings(fields) if rule.settings else {},
    )
    try:
        rule.check_question(question)
    except BadInput as refused:
        raise fields.refuse(refused.field or "method", refused.reason) from None
    return question


def _settings(fields: Fields) -> Mapping[str, Any]:
    settings = fields.raw("settings")
    if not isinstance(settings, dict):
        raise fields.refuse("settings", "must be an object")
    return settings


def _tie_break(fields: Fields, rule: Method) -> str:
    value = fields.raw("tie_break")
    if isinstance(value, str) and value.startswith("lot:") and "lot" in rule.tie_breaks:
        if not _LOT.fullmatch(value):
            raise fields.refuse("tie_break", "must name its lot as lot:<seed>, a seed of at most 64 of a-z 0-9 -")
        return value
    if not isinstance(value, str) or value not in rule.tie_breaks or value == "lot":
        known = ", ".join("lot:<seed>" if name == "lot" else name for name in sorted(rule.tie_breaks))
        raise fields.refuse("tie_break", f"must be one of {known}")
    return value
