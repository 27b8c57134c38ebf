"""The fields of forms: WTForms' own, each with a label, a hint and messages that say what to do.

`ask` is what the page says when nothing was filled in ("Saisissez le nom de famille"). A field that may stay empty is
`optional=True`, and says so in its label. What was typed stays as it was typed, right or wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar, Final

from wtforms import BooleanField, FileField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are of wtforms 3.2
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError

from services.gateway.pages import words
from services.gateway.pages.language import said

_DATES: Final = ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y")
_HOURS: Final = re.compile(r"([01]?\d|2[0-3])\s*(?:[h:]\s*([0-5]\d)?)?")
Choices = Sequence[tuple[str, str]]


def _strip(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _plain_lines(value: Any) -> Any:
    """Forms are sent with the line ends of typewriters, which no service takes."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


class Text(StringField):
    """A line of text. `data`: without spaces around it."""

    kind: ClassVar[str] = "text"

    def __init__(
        self,
        label: str,
        *,
        ask: str = "",
        hint: str = "",
        longest: int = 200,
        optional: bool = False,
        autocomplete: str | None = None,
        width: str = "",
        validators: Sequence[Any] = (),
        **kw: Any,
    ) -> None:
        self.hint, self.longest, self.optional = hint, longest, optional
        self.autocomplete, self.width = autocomplete, width
        needed = Optional() if optional else DataRequired(ask or f"Remplissez le champ « {label} »")
        too_long = said("%(label)s : %(n)s caractères au plus", label=said(label), n=longest)
        length = Length(max=longest, message=too_long)
        super().__init__(label, [needed, length, *validators], filters=[_strip], **kw)

    def words(self) -> str:
        """What was answered, for a person to check."""
        return str(self.data or "")


class LongText(Text):
    """Several lines."""

    kind = "long"

    def __init__(self, label: str, *, longest: int = 2000, rows: int = 5, **kw: Any) -> None:
        self.rows = rows
        super().__init__(label, longest=longest, **kw)
        self.filters = [*self.filters, _plain_lines]


class Number(Text):
    """A whole number between two bounds. `value`: int, or None."""

    kind = "number"

    def __init__(self, label: str, *, least: int = 0, most: int = 1_000_000, **kw: Any) -> None:
        self.least, self.most = least, most
        super().__init__(label, longest=12, width="5", **kw)

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if (
            not validation_stopped
            and self.data
            and not (self.value is not None and self.least <= self.value <= self.most)
        ):
            raise ValidationError(f"{self.label.text} : un nombre entier de {self.least} à {self.most}")

    @property
    def value(self) -> int | None:
        """None too for what is no whole number."""
        plain = re.sub(r"[\s\u00a0\u202f]", "", self.data or "")
        return int(plain) if plain.isascii() and plain.isdigit() else None


class Day(Text):
    """A day, typed as 24/05/2027. `value`: a date, or None."""

    kind = "day"

    def __init__(self, label: str, *, hint: str = "Par exemple : 24/05/2027", **kw: Any) -> None:
        super().__init__(label, hint=hint, longest=10, width="10", **kw)

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if not validation_stopped and self.data and self.value is None:
            raise ValidationError(
                said("%(label)s : saisissez une date qui existe, comme 24/05/2027", label=said(self.label.text))
            )

    @property
    def value(self) -> date | None:
        return self.of(self.data or "")

    @staticmethod
    def of(text: str) -> date | None:
        """The day that was typed, if it is one."""
        for form in _DATES:
            try:
                return datetime.strptime(text, form).date()
            except ValueError:
                continue
        return None

    def words(self) -> str:
        return words.long_date(self.value) if self.value else ""


class Hour(Text):
    """A time of the day in Paris, typed as 18:30 or 18 h 30. `value`: (hour, minute), or None."""

    kind = "hour"

    def __init__(self, label: str, *, hint: str = "Par exemple : 18 h 30", **kw: Any) -> None:
        super().__init__(label, hint=hint, longest=10, width="5", **kw)

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        if not validation_stopped and self.data and self.value is None:
            raise ValidationError(f"{self.label.text} : saisissez une heure, comme 18 h 30")

    @property
    def value(self) -> tuple[int, int] | None:
        found = _HOURS.fullmatch(re.sub(r"[\u00a0\u202f]", " ", self.data or "").lower())
        return (int(found[1]), int(found[2] or 0)) if found else None

    def words(self) -> str:
        return f"{self.value[0]}\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}{self.value[1]:02}" if self.value else ""


class Choice(RadioField):
    """One of a few. `data`: the value chosen."""

    kind: ClassVar[str] = "choice"
    optional = False

    def __init__(
        self,
        label: str,
        choices: Choices,
        *,
        ask: str = "",
        hint: str = "",
        hints: Mapping[str, str] | None = None,
        **kw: Any,
    ) -> None:
        """`hints`: what to say of a choice, under it."""
        self.hint, self.hints = hint, hints or {}
        needed = InputRequired(ask or f"Choisissez une réponse : {label}")
        self.known = list(choices)
        super().__init__(label, [needed], choices=[SelectChoice(value, text) for value, text in self.known], **kw)

    def pre_validate(self, form: Any) -> None:
        if self.raw_data and self.data not in dict(self.known):
            raise ValidationError(f"{self.label.text} : choisissez une des réponses proposées")

    def items(self) -> list[dict[str, Any]]:
        """The choices, as the page draws them."""
        return [
            {"value": v, "text": text, "checked": v == self.data, "hint": {"text": self.hints.get(v)}}
            if v in self.hints
            else {"value": v, "text": text, "checked": v == self.data}
            for v, text in self.known
        ]

    def words(self) -> str:
        return str(dict(self.known).get(self.data, ""))


class Pick(SelectField):
    """One of many, from a list that unfolds. `choices` may be a function, asked at each page."""

    kind: ClassVar[str] = "pick"

    def __init__(
        self,
        label: str,
        choices: Choices | Callable[[], Choices],
        *,
        ask: str = "",
        hint: str = "",
        optional: bool = False,
        nothing: str = "",
        **kw: Any,
    ) -> None:
        self.hint, self.optional = hint, optional
        needed = Optional() if optional else InputRequired(ask or f"Choisissez une réponse : {label}")
        self.known = [("", nothing), *(choices() if callable(choices) else choices)]
        super().__init__(label, [needed], choices=[SelectChoice(value, text) for value, text in self.known], **kw)

    def pre_validate(self, form: Any) -> None:
        if self.data and self.data not in dict(self.known):
            raise ValidationError(f"{self.label.text} : choisissez une des réponses proposées")

    def items(self) -> list[dict[str, Any]]:
        """The choices, as the page draws them."""
        return [{"value": v, "text": text, "selected": v == self.data} for v, text in self.known]

    def words(self) -> str:
        return str(dict(self.known).get(self.data, "")) if self.data else ""


class Several(SelectMultipleField):
    """Any of a few, at least one unless optional. `data`: the values chosen."""

    kind: ClassVar[str] = "several"

    def __init__(
        self,
        label: str,
        choices: Choices | Callable[[], Choices],
        *,
        ask: str = "",
        hint: str = "",
        optional: bool = False,
        **kw: Any,
    ) -> None:
        """`choices` may be a function, asked at each page."""
        self.hint, self.optional = hint, optional
        needed = Optional() if optional else DataRequired(ask or f"Choisissez au moins une réponse : {label}")
        self.known = list(choices() if callable(choices) else choices)
        super().__init__(label, [needed], choices=[SelectChoice(value, text) for value, text in self.known], **kw)

    def pre_validate(self, form: Any) -> None:
        if set(self.data or ()) - set(dict(self.known)):
            raise ValidationError(f"{self.label.text} : choisissez parmi les réponses proposées")

    def items(self) -> list[dict[str, Any]]:
        """The choices, as the page draws them."""
        return [{"value": v, "text": text, "checked": v in (self.data or ())} for v, text in self.known]

    def words(self) -> str:
        return ", ".join(text for value, text in self.known if value in (self.data or ()))


class Tick(BooleanField):
    """A single box that must be ticked, unless optional."""

    kind: ClassVar[str] = "tick"

    def __init__(self, label: str, *, ask: str = "", hint: str = "", optional: bool = False, **kw: Any) -> None:
        self.hint, self.optional = hint, optional
        super().__init__(label, [] if optional else [DataRequired(ask or f"Cochez la case : {label}")], **kw)

    def words(self) -> str:
        return "Oui" if self.data else "Non"


class Upload(FileField):
    """A file. `data`: the file that came (werkzeug's FileStorage), or None. Its page sends a form of several parts."""

    kind: ClassVar[str] = "file"
    optional = False

    def __init__(self, label: str, *, ask: str = "", hint: str = "", accept: str = "", **kw: Any) -> None:
        self.hint, self.accept = hint, accept
        super().__init__(label, [InputRequired(ask or f"Choisissez un fichier : {label}")], **kw)

    def words(self) -> str:
        return str(self.data.filename) if self.data else ""


def moment(day: Any, hour: Any) -> str:
    """The instant of a Day and an Hour in Paris, as services write it. Both must be filled in rightly."""
    return words.instant(day.value, *hour.value)
