"""Reading a JSON object field by field, so that every refusal names the field and the reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from services.shared.errors import BadInput
from services.shared.strict import MAX_INTEGER

SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class WrongShape(BadInput):
    """A field is missing, unknown, of another type, or outside its bounds."""


class Fields:
    """One JSON object that has exactly the named fields.

    Each reader returns the field's value or raises `refusal` with the field's full path (as `strata[0].roll_size`).
    """

    __slots__ = ("_refusal", "_value", "path")

    def __init__(
        self, value: Any, names: Collection[str], *, path: str = "", refusal: type[BadInput] = WrongShape
    ) -> None:
        self.path, self._refusal = path, refusal
        if not isinstance(value, dict):
            raise refusal("must be an object", field=path or "body")
        for name in names:
            if name not in value:
                raise refusal("is missing", field=self.at(name))
        for name in value:
            if name not in names:
                raise refusal("is not a known field", field=self.at(name[:80]))
        self._value: dict[str, Any] = value

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def refuse(self, name: str, reason: str) -> BadInput:
        return self._refusal(reason, field=self.at(name))

    def raw(self, name: str) -> Any:
        return self._value[name]

    def text(self, name: str, *, shortest: int = 1, longest: int) -> str:
        """A text of that many characters; new lines are allowed, other control characters are not."""
        value = self._value[name]
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise self.refuse(name, f"must be a text of {shortest} to {longest} characters")
        if _CONTROLS.search(value) or (shortest and not value.strip()):
            raise self.refuse(name, "must be readable text")
        return value

    def integer(self, name: str, *, least: int = 0, most: int = MAX_INTEGER) -> int:
        value = self._value[name]
        if type(value) is not int or not least <= value <= most:
            raise self.refuse(name, f"must be an integer from {least} to {most}")
        return value

    def boolean(self, name: str) -> bool:
        value = self._value[name]
        if type(value) is not bool:
            raise self.refuse(name, "must be true or false")
        return value

    def equal(self, name: str, expected: str | int) -> None:
        value = self._value[name]
        if type(value) is not type(expected) or value != expected:
            raise self.refuse(name, f"must be {expected!r}".replace("'", '"'))

    def slug(self, name: str) -> str:
        """A short id: lower-case letters, digits, - and _ inside, at most 40 characters."""
        return self._match(name, SLUG, "an id of at most 40 of a-z 0-9 - _")

    def uuid(self, name: str) -> str:
        return self._match(name, UUID, "a lower-case UUID")

    def time(self, name: str) -> str:
        value = self._match(name, TIME, "a time as 2026-11-23T10:00:00Z")
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise self.refuse(name, "must be a time that exists") from None
        return value

    def hexadecimal(self, name: str, size: int) -> bytes:
        value = self._match(name, HEX, f"{2 * size} lower-case hexadecimal digits")
        if len(value) != 2 * size:
            raise self.refuse(name, f"must be {2 * size} lower-case hexadecimal digits")
        return bytes.fromhex(value)

    def items(self, name: str, *, least: int = 1, most: int) -> Sequence[Any]:
        value = self._value[name]
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise self.refuse(name, f"must be a list of {least} to {most} items")
        return value

    def inner(self, name: str, names: Collection[str]) -> Fields:
        return Fields(self._value[name], names, path=self.at(name), refusal=self._refusal)

    def inner_items(self, name: str, names: Collection[str], *, least: int = 1, most: int) -> list[Fields]:
        """A list of objects, each with exactly these fields."""
        return [
            Fields(item, names, path=f"{self.at(name)}[{i}]", refusal=self._refusal)
            for i, item in enumerate(self.items(name, least=least, most=most))
        ]

    def _match(self, name: str, pattern: re.Pattern[str], what: str) -> str:
        value = self._value[name]
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self.refuse(name, f"must be {what}")
        return value


def moment(text: str) -> datetime:
    """The instant of a valid protocol time."""
    return datetime.fromisoformat(text)


def written(instant: datetime) -> str:
    """The protocol's form of an instant: UTC, whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
