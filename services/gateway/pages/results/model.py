"""What a results page is made of, whatever the method: views make these blocks, `kit/results.html` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, NamedTuple

from services.gateway.clients.ballot import Question
from services.gateway.pages.language import said, strung, theirs

_LONG: Final = 36


class Cell(NamedTuple):
    """A table's cell. `title` is the exact value, `small` a second line."""

    text: str
    title: str = ""
    small: str = ""
    strong: bool = False


class Column(NamedTuple):
    """A column's head. `said` completes for screen readers what is short for the eye."""

    text: str
    said: str = ""


class Span(NamedTuple):
    """A piece of a bar: where it begins and how long it is, in thousandths of the bar; its number, and where if it
    has room for it."""

    at: int
    long: int
    look: str = ""
    key: str = ""
    key_at: int | None = None


class Row(NamedTuple):
    """A line of a table: its head, with a number and a tag, perhaps a bar under it, and its cells."""

    label: str
    cells: Sequence[Cell | str]
    number: str = ""
    tag: str = ""
    bar: Sequence[Span] = ()
    mark: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`look`: `bars` under each head, `matrix`, `money`, or plain. A wide one scrolls within itself."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    look: str = "plain"
    wide: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences under a heading: one paragraph each, or a list whose items have heads."""

    kind: ClassVar[str] = "words"
    title: str
    items: Sequence[str]
    heads: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """What follows is about this."""

    kind: ClassVar[str] = "heading"
    text: str
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Folded:
    """What is there for whoever wants all of it."""

    kind: ClassVar[str] = "folded"
    summary: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same on a page of its own: `path` goes on from the address of the results."""

    kind: ClassVar[str] = "elsewhere"
    text: str
    path: str


class Key(NamedTuple):
    """An entry of a figure's legend."""

    key: str
    label: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """One bar in numbered pieces, with its legend."""

    kind: ClassVar[str] = "strip"
    title: str
    description: str
    pieces: Sequence[Span]
    legend: Sequence[Key]


class Path(NamedTuple):
    d: str
    look: str


class Text(NamedTuple):
    """`at`: thousandths of the width; `y`: pixels."""

    at: int
    y: int
    text: str
    look: str


class Box(NamedTuple):
    """x and width in ten-thousandths of the picture's width, y in pixels."""

    x: int
    width: int
    y: int
    look: str


@dataclass(frozen=True, slots=True)
class Flow:
    """Ribbons from round to round. x in ten-thousandths of the width, y in pixels."""

    kind: ClassVar[str] = "flow"
    title: str
    description: str
    height: int
    boxes: Sequence[Box]
    ribbons: Sequence[Path]
    lines: Sequence[Box]
    texts: Sequence[Text]
    legend: Sequence[Key]


Block = Table | Words | Heading | Elsewhere | Folded | Strip | Flow


@dataclass(frozen=True, slots=True)
class Shown:
    """The result of one question: the outcome in words, how it was counted, then the steps."""

    outcome: str
    how: str
    blocks: Sequence[Block]
    more: Sequence[str] = ()
    """Who was chosen, where they are too many for the outcome's sentence."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The words for a question's option ids."""

    question: Question
    words: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", {o.id: o.label for o in self.question.options})

    def __getitem__(self, option: str) -> str:
        return theirs(self.plain(option))

    def plain(self, option: str) -> str:
        """For where no markup can say in which language it is."""
        return self.words.get(option, option)

    @property
    def ids(self) -> list[str]:
        return list(self.words)

    def quoted(self, option: str) -> str:
        return said("« %(text)s »", text=self[option])

    def short(self, option: str) -> str:
        """« A »; a long label is cut at a word, for where it was told in full before."""
        label = self.plain(option)
        if len(label) > _LONG:
            label = label[:_LONG].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
        return said("« %(text)s »", text=theirs(label))

    def listed(self, options: Sequence[str]) -> str:
        """« A », « B » et « C »"""
        return joined([self.quoted(option) for option in options])


def joined(texts: Sequence[str]) -> str:
    if len(texts) < 2:
        return strung(texts)
    return said("%(first)s et %(last)s", first=strung(texts[:-1], ", "), last=texts[-1])
