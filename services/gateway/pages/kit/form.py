"""A form declares its fields once. From that come the page, the error summary that keeps what was typed, the draft, the
printable twin and the JSON description.

A ballot is a form that declares `secret = True`: nothing that could keep an answer takes it (`Secret` is raised).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import wtforms
from werkzeug.datastructures import MultiDict
from wtforms.meta import DefaultMeta

from services.gateway.pages.language import said

Typed = dict[str, list[str]]
"""What a person typed, as it came: field name → values."""


class Secret(Exception):
    """A secret form was about to be kept. The program is wrong: nothing was kept."""


class Row(NamedTuple):
    """One answer, for checking, receipts and exports."""

    name: str
    label: str
    words: str


class Form(wtforms.Form):
    """Subclass it: fields from `kit.fields`, and these."""

    class Meta(DefaultMeta):
        locales = ("fr",)

    title: ClassVar[str] = ""
    """The page's h1."""
    help: ClassVar[str] = ""
    """One or two sentences above the fields."""
    send: ClassVar[str] = "Continuer"
    secret: ClassVar[bool] = False

    @classmethod
    def of(cls, typed: Mapping[str, Sequence[str]] | None) -> Form:
        """The form with what was typed; without anything, as it comes."""
        return cls(MultiDict([(name, v) for name, values in typed.items() for v in values]) if typed else None)

    @classmethod
    def starting(cls, values: Mapping[str, Any]) -> Form:
        """The form as it comes, with these values in it."""
        return cls(data=values)

    def typed(self) -> Typed:
        """Only this form's own fields. Raises Secret."""
        if self.secret:
            raise Secret(type(self).__name__)
        return {f.name: [str(v) for v in f.raw_data] for f in self if f.raw_data}

    def links(self) -> list[tuple[str, str, bool]]:
        """For the error summary: where each fault can be put right, and what to do there."""
        return [(f"#{f.id}", said(str(message)), False) for f in self for message in f.errors[:1]]

    def refuse(self, field: str, message: str) -> None:
        """Adds what a service said about a field."""
        self[field].errors = [*self[field].errors, message]

    def rows(self) -> list[Row]:
        fields: list[Any] = list(self)
        return [Row(f.name, f.label.text, f.words()) for f in fields if f.words()]

    @classmethod
    def described(cls) -> dict[str, Any]:
        """JSON Schema (2020-12) of what can be sent."""
        fields: list[Any] = list(cls())
        return {
            "title": cls.title,
            "type": "object",
            "properties": {f.name: _schema(f) for f in fields},
            "required": [f.name for f in fields if not f.optional],
            "additionalProperties": False,
        }


def _schema(field: Any) -> dict[str, Any]:
    words: dict[str, Any] = {"title": field.label.text} | ({"description": field.hint} if field.hint else {})
    values = [value for value, _ in getattr(field, "known", None) or ()]
    match field.kind:
        case "choice" | "pick":
            return words | {"type": "string", "enum": values}
        case "several":
            return words | {"type": "array", "items": {"enum": values}, "uniqueItems": True}
        case "tick":
            return words | {"type": "boolean"}
        case "number":
            return words | {"type": "integer", "minimum": field.least, "maximum": field.most}
        case _:
            return words | {"type": "string", "maxLength": field.longest}
